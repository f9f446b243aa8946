//! Every `ndarray` array and view is a [`Tensor`].

use crate::{Float, Tensor, TensorMut};
use ndarray::{ArrayBase, ArrayRef, Data, DataMut, Dimension, LayoutRef};

impl<T: Float, D: Dimension> Tensor for ArrayRef<T, D> {
    type Elem = T;
    fn dims(&self) -> impl Iterator<Item = usize> {
        LayoutRef::shape(self).iter().copied()
    }
    fn entries(&self) -> impl Iterator<Item = &T> {
        Self::iter(self)
    }
    fn as_contiguous(&self) -> Option<&[T]> {
        Self::as_slice(self)
    }
}

impl<T: Float, D: Dimension> TensorMut for ArrayRef<T, D> {
    fn entries_mut(&mut self) -> impl Iterator<Item = &mut T> {
        Self::iter_mut(self)
    }
    fn as_contiguous_mut(&mut self) -> Option<&mut [T]> {
        Self::as_slice_mut(self)
    }
}

impl<T: Float, S: Data<Elem = T>, D: Dimension> Tensor for ArrayBase<S, D> {
    type Elem = T;
    fn dims(&self) -> impl Iterator<Item = usize> {
        Tensor::dims(&**self)
    }
    fn entries(&self) -> impl Iterator<Item = &T> {
        Tensor::entries(&**self)
    }
    fn as_contiguous(&self) -> Option<&[T]> {
        Tensor::as_contiguous(&**self)
    }
}

impl<T: Float, S: DataMut<Elem = T>, D: Dimension> TensorMut for ArrayBase<S, D> {
    fn entries_mut(&mut self) -> impl Iterator<Item = &mut T> {
        TensorMut::entries_mut(&mut **self)
    }
    fn as_contiguous_mut(&mut self) -> Option<&mut [T]> {
        TensorMut::as_contiguous_mut(&mut **self)
    }
}
