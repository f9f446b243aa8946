//! Tensors of several types in one list.

use crate::{Float, Tensor, TensorMut};

/// A borrowed [`Tensor`] of any type.
#[derive(Clone, Copy)]
pub enum TensorRef<'a, T> {
    /// A slice, whose size the compiler does not know.
    Slice(&'a [T]),
    /// Anything else.
    Other(&'a dyn Tensor<Elem = T>),
}

/// A borrowed [`TensorMut`] of any type.
pub enum TensorRefMut<'a, T> {
    /// A slice, whose size the compiler does not know.
    Slice(&'a mut [T]),
    /// Anything else.
    Other(&'a mut dyn TensorMut<Elem = T>),
}

/// A [`Tensor`] that can forget its type: every one whose size the compiler knows, slices, and what has forgotten it already.
pub trait Erase: Tensor {
    /// The tensor without its type.
    fn erase(&self) -> TensorRef<'_, Self::Elem>;
}

/// A [`TensorMut`] that can forget its type, as [`Erase`].
pub trait EraseMut: TensorMut {
    /// The tensor without its type.
    fn erase_mut(&mut self) -> TensorRefMut<'_, Self::Elem>;
}

impl<X: Tensor> Erase for X {
    fn erase(&self) -> TensorRef<'_, X::Elem> {
        TensorRef::Other(self)
    }
}

impl<X: TensorMut> EraseMut for X {
    fn erase_mut(&mut self) -> TensorRefMut<'_, X::Elem> {
        TensorRefMut::Other(self)
    }
}

impl<T: Float> Erase for [T] {
    fn erase(&self) -> TensorRef<'_, T> {
        TensorRef::Slice(self)
    }
}

impl<T: Float> EraseMut for [T] {
    fn erase_mut(&mut self) -> TensorRefMut<'_, T> {
        TensorRefMut::Slice(self)
    }
}

impl<T: Float> Erase for dyn Tensor<Elem = T> + '_ {
    fn erase(&self) -> TensorRef<'_, T> {
        TensorRef::Other(self)
    }
}

impl<T: Float> Erase for dyn TensorMut<Elem = T> + '_ {
    fn erase(&self) -> TensorRef<'_, T> {
        TensorRef::Other(self)
    }
}

impl<T: Float> EraseMut for dyn TensorMut<Elem = T> + '_ {
    fn erase_mut(&mut self) -> TensorRefMut<'_, T> {
        TensorRefMut::Other(self)
    }
}

macro_rules! borrowed {
    ($type:ident) => {
        impl<T: Float> Tensor for $type<'_, T> {
            type Elem = T;
            fn rank(&self) -> usize {
                match self {
                    Self::Slice(_) => 1,
                    Self::Other(tensor) => tensor.rank(),
                }
            }
            fn dim(&self, axis: usize) -> usize {
                match self {
                    Self::Slice(entries) => entries.len(),
                    Self::Other(tensor) => tensor.dim(axis),
                }
            }
            fn as_contiguous(&self) -> Option<&[T]> {
                match self {
                    Self::Slice(entries) => Some(entries),
                    Self::Other(tensor) => tensor.as_contiguous(),
                }
            }
            fn append_to(&self, out: &mut Vec<T>) {
                match self {
                    Self::Slice(entries) => out.extend_from_slice(entries),
                    Self::Other(tensor) => tensor.append_to(out),
                }
            }
        }
    };
}

borrowed!(TensorRef);
borrowed!(TensorRefMut);

impl<T: Float> TensorMut for TensorRefMut<'_, T> {
    fn as_contiguous_mut(&mut self) -> Option<&mut [T]> {
        match self {
            Self::Slice(entries) => Some(entries),
            Self::Other(tensor) => tensor.as_contiguous_mut(),
        }
    }
    fn copy_from(&mut self, values: &[T]) {
        match self {
            Self::Slice(entries) => entries.copy_from_slice(values),
            Self::Other(tensor) => tensor.copy_from(values),
        }
    }
}
