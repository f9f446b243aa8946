//! Sums in one fixed order, so that they have the same bits with any number of threads and vectors of any width.

use crate::Float;
use crate::vectors::{Kernel, widest};

/// Partial sums that are kept side by side; a power of two, at least as wide as any vector.
const LANES: usize = 16;

/// Entries that are summed in one run; longer slices are halved, on two threads if there are any.
const RUN: usize = 1 << 14;

/// The sum of the squares, in `f64`.
pub(crate) fn sum_of_squares<T: Float>(values: &[T]) -> f64 {
    sum_by(values, |x| {
        let x = x.to_f64();
        x * x
    })
}

/// The sum of `f` over the entries.
pub(crate) fn sum_by<T: Float>(values: &[T], f: impl Fn(T) -> f64 + Copy + Send + Sync) -> f64 {
    if values.len() <= RUN {
        return widest(Sum { values, f });
    }
    let (left, right) = values.split_at(crate::driver::half(values.len(), RUN));
    let (a, b) = crate::driver::join(values.len(), || sum_by(left, f), || sum_by(right, f));
    a + b
}

/// The Euclidean norm, also where the sum of the squares overflows.
pub(crate) fn norm<T: Float>(values: &[T]) -> f64 {
    let sum = sum_of_squares(values);
    if sum.is_finite() {
        return sum.sqrt();
    }
    let largest = values
        .iter()
        .fold(0.0, |max: f64, x| max.max(x.to_f64().abs()));
    if largest.is_infinite() || values.iter().any(|x| x.to_f64().is_nan()) {
        return sum.sqrt();
    }
    largest * sum_by(values, |x| (x.to_f64() / largest) * (x.to_f64() / largest)).sqrt()
}

struct Sum<'a, T, F> {
    values: &'a [T],
    f: F,
}

impl<T: Float, F: Fn(T) -> f64> Kernel for Sum<'_, T, F> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        sum_of_run(self.values, self.f)
    }
}

/// The sum over a run that is already inside a kernel.
#[inline(always)]
pub(crate) fn sum_of_run<T: Float>(values: &[T], f: impl Fn(T) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let mut chunks = values.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += f(x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane += f(x);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_whole_numbers_are_exact_at_every_length() {
        for n in (0..70).chain([1000, RUN - 1, RUN, RUN + 1, 3 * RUN + 5]) {
            let values: Vec<f64> = (1..=n).map(|i| i as f64).collect();
            assert_eq!(sum_by(&values, |x| x), (n * (n + 1) / 2) as f64, "{n}");
        }
    }

    #[test]
    fn a_norm_does_not_overflow() {
        assert!((norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
        assert_eq!(norm(&[3.0_f32, 4.0]), 5.0);
        assert_eq!(norm(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(norm(&[f64::NAN, 1.0]).is_nan());
        assert!(norm(&[1e200, f64::NAN]).is_nan());
        assert_eq!(norm::<f64>(&[]), 0.0);
    }
}
