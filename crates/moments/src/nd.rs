//! Every `ndarray` array and view is a [`Tensor`].

use crate::{Float, Tensor, TensorMut};
use ndarray::{ArrayBase, ArrayRef, Data, DataMut, Dimension, LayoutRef};

impl<T: Float, D: Dimension> Tensor for ArrayRef<T, D> {
    type Elem = T;
    fn rank(&self) -> usize {
        LayoutRef::ndim(self)
    }
    fn dim(&self, axis: usize) -> usize {
        LayoutRef::shape(self)[axis]
    }
    fn as_contiguous(&self) -> Option<&[T]> {
        Self::as_slice(self)
    }
    fn append_to(&self, out: &mut Vec<T>) {
        out.extend(Self::iter(self));
    }
}

impl<T: Float, D: Dimension> TensorMut for ArrayRef<T, D> {
    fn as_contiguous_mut(&mut self) -> Option<&mut [T]> {
        Self::as_slice_mut(self)
    }
    fn copy_from(&mut self, values: &[T]) {
        for (entry, value) in Self::iter_mut(self).zip(values) {
            *entry = *value;
        }
    }
}

impl<T: Float, S: Data<Elem = T>, D: Dimension> Tensor for ArrayBase<S, D> {
    type Elem = T;
    fn rank(&self) -> usize {
        Tensor::rank(&**self)
    }
    fn dim(&self, axis: usize) -> usize {
        Tensor::dim(&**self, axis)
    }
    fn as_contiguous(&self) -> Option<&[T]> {
        Tensor::as_contiguous(&**self)
    }
    fn append_to(&self, out: &mut Vec<T>) {
        Tensor::append_to(&**self, out);
    }
}

impl<T: Float, S: DataMut<Elem = T>, D: Dimension> TensorMut for ArrayBase<S, D> {
    fn as_contiguous_mut(&mut self) -> Option<&mut [T]> {
        TensorMut::as_contiguous_mut(&mut **self)
    }
    fn copy_from(&mut self, values: &[T]) {
        TensorMut::copy_from(&mut **self, values);
    }
}
