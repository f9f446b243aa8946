use crate::Float;

/// Numbers in some shape, read in row-major order.
///
/// Implemented for slices, vectors, fixed-size arrays and, with the feature `ndarray`, for every `ndarray` array and view.
pub trait Tensor {
    /// The type of the entries.
    type Elem: Float;
    /// The lengths of the axes.
    fn dims(&self) -> impl Iterator<Item = usize>;
    /// The entries in row-major order.
    fn entries(&self) -> impl Iterator<Item = &Self::Elem>;
    /// The entries as one slice, if they lie in memory in row-major order.
    fn as_contiguous(&self) -> Option<&[Self::Elem]>;
}

/// A [`Tensor`] whose entries can be changed: parameters.
pub trait TensorMut: Tensor {
    /// The entries in row-major order.
    fn entries_mut(&mut self) -> impl Iterator<Item = &mut Self::Elem>;
    /// The entries as one slice, if they lie in memory in row-major order.
    fn as_contiguous_mut(&mut self) -> Option<&mut [Self::Elem]>;
}

macro_rules! contiguous {
    ($(($($generics:tt)*) $type:ty;)*) => {$(
        impl<T: Float, $($generics)*> Tensor for $type {
            type Elem = T;
            fn dims(&self) -> impl Iterator<Item = usize> {
                std::iter::once(self.len())
            }
            fn entries(&self) -> impl Iterator<Item = &T> {
                <[T]>::iter(self)
            }
            fn as_contiguous(&self) -> Option<&[T]> {
                Some(self)
            }
        }

        impl<T: Float, $($generics)*> TensorMut for $type {
            fn entries_mut(&mut self) -> impl Iterator<Item = &mut T> {
                <[T]>::iter_mut(self)
            }
            fn as_contiguous_mut(&mut self) -> Option<&mut [T]> {
                Some(self)
            }
        }
    )*};
}

contiguous! {
    () [T];
    () Vec<T>;
    (const N: usize) [T; N];
}
