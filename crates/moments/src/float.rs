use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// The number types that parameters can have: `f32` and `f64`.
pub trait Float:
    private::Sealed
    + Copy
    + Default
    + Debug
    + Display
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + 'static
{
    /// The value nearest to `x`: the one cast that a hyperparameter goes through.
    fn of(x: f64) -> Self;
    /// The same value as an `f64`, exactly.
    fn to_f64(self) -> f64;
    /// The square root, correctly rounded.
    #[must_use]
    fn sqrt(self) -> Self;
    /// The absolute value.
    #[must_use]
    fn abs(self) -> Self;
    /// 1 above zero, -1 below, 0 at either zero; NaN for NaN.
    #[must_use]
    fn sign(self) -> Self;
    /// e to this power, with the same bits on every machine.
    #[must_use]
    fn exp(self) -> Self;
    /// This number to a power, with the same bits on every machine.
    #[must_use]
    fn pow(self, exponent: f64) -> Self;
    /// The value as an `f32`, rounded to nearest.
    fn to_f32(self) -> f32;
    /// The value of an `f32`, exactly.
    fn of_f32(x: f32) -> Self;
    /// The larger of the two; NaN if `self` is NaN.
    #[must_use]
    fn larger(self, other: Self) -> Self {
        if self < other { other } else { self }
    }
    /// Whether the value is neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

mod private {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

macro_rules! float {
    ($type:ty) => {
        impl Float for $type {
            #[inline(always)]
            fn of(x: f64) -> Self {
                x as Self
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn to_f32(self) -> f32 {
                self as f32
            }
            #[inline(always)]
            fn of_f32(x: f32) -> Self {
                Self::from(x)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self::abs(self)
            }
            #[inline(always)]
            fn sign(self) -> Self {
                // Two selects, so that a loop of it vectorises.
                let positive = if self > 0.0 { 1.0 } else { self * 0.0 };
                if self < 0.0 { -1.0 } else { positive }
            }
            fn exp(self) -> Self {
                libm::exp(self.to_f64()) as Self
            }
            fn pow(self, exponent: f64) -> Self {
                libm::pow(self.to_f64(), exponent) as Self
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                Self::is_finite(self)
            }
        }
    };
}

float!(f32);
float!(f64);

/// `base` to the power `exponent` by repeated squaring.
///
/// `f64::powi` may differ in the last bits between machines and optimisation levels; this does not.
pub(crate) fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut result = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::power;

    #[test]
    fn power_agrees_with_repeated_multiplication() {
        let mut product = 1.0;
        for t in 0..2000 {
            assert!((power(0.999, t) - product).abs() <= 1e-13 * product);
            product *= 0.999;
        }
    }

    #[test]
    fn power_of_a_huge_exponent_is_zero() {
        assert_eq!(power(0.999, u64::MAX), 0.0);
        assert_eq!(power(0.0, 0), 1.0);
    }
}
