use crate::Float;

/// Numbers in some shape, read in row-major order.
///
/// Implemented for slices, vectors, fixed-size arrays and, with the feature `ndarray`, for every `ndarray` array and view.
pub trait Tensor {
    /// The type of the entries.
    type Elem: Float;
    /// The number of axes.
    fn rank(&self) -> usize;
    /// The length of an axis, counted from 0.
    fn dim(&self, axis: usize) -> usize;
    /// The entries as one slice, if they lie in memory in row-major order.
    fn as_contiguous(&self) -> Option<&[Self::Elem]>;
    /// Appends the entries to `out` in row-major order.
    fn append_to(&self, out: &mut Vec<Self::Elem>);
}

/// A [`Tensor`] whose entries can be changed: parameters.
pub trait TensorMut: Tensor {
    /// The entries as one slice, if they lie in memory in row-major order.
    fn as_contiguous_mut(&mut self) -> Option<&mut [Self::Elem]>;
    /// Overwrites the entries with `values` in row-major order; the lengths are equal.
    fn copy_from(&mut self, values: &[Self::Elem]);
}

/// The lengths of all axes.
pub(crate) fn dims<X: Tensor + ?Sized>(tensor: &X) -> impl Iterator<Item = usize> + '_ {
    (0..tensor.rank()).map(|axis| tensor.dim(axis))
}

macro_rules! contiguous {
    ($(($($generics:tt)*) $type:ty;)*) => {$(
        impl<T: Float, $($generics)*> Tensor for $type {
            type Elem = T;
            fn rank(&self) -> usize {
                1
            }
            fn dim(&self, _axis: usize) -> usize {
                self.len()
            }
            fn as_contiguous(&self) -> Option<&[T]> {
                Some(self)
            }
            fn append_to(&self, out: &mut Vec<T>) {
                out.extend_from_slice(self);
            }
        }

        impl<T: Float, $($generics)*> TensorMut for $type {
            fn as_contiguous_mut(&mut self) -> Option<&mut [T]> {
                Some(self)
            }
            fn copy_from(&mut self, values: &[T]) {
                self.copy_from_slice(values);
            }
        }
    )*};
}

contiguous! {
    () [T];
    () Vec<T>;
    (const N: usize) [T; N];
}
