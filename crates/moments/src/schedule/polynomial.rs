use super::{Number, Schedule, Updates, check_positive, check_steps, mix, progress};
use crate::Error;
use std::fmt;

/// A straight line from one learning rate to another, and then the other.
///
/// ```text
/// lr(t) = lr + (end − lr) · min(t / steps, 1)
/// ```
///
/// # Defaults
/// [`Linear::new`]: to 0, the schedule that is optimal in the worst case (Defazio et al., 2023).
///
/// # Example
/// ```
/// use moments::schedule::{Linear, Schedule};
///
/// let schedule = Linear { lr: 1.0, end: 0.5, steps: 4 };
/// assert_eq!(schedule.values(6), [1.0, 0.875, 0.75, 0.625, 0.5, 0.5]);
/// assert_eq!(schedule.to_string(), "linear from 1 to 0.5 over 4 updates");
/// ```
///
/// # Errors
/// `validate` refuses 0 updates and a learning rate that is negative or not finite.
///
/// # Differences from PyTorch and optax
/// `optax.linear_schedule` is the same; its `transition_begin` is [`delayed`](Schedule::delayed).
/// PyTorch's `LinearLR` goes from `start_factor` to `end_factor` times the base learning rate, by default from 1/3 to 1 in 5 updates:
/// [`Linear::torch`]. It multiplies step by step and so drifts, by 2e-14 over 400 updates and 1e-12 over 100,000.
///
/// # References
/// Defazio, Cutkosky, Mehta & Mishchenko (2023), "When, Why and How Much? Adaptive Learning Rate Scheduling by Refinement",
/// arXiv:2310.07831.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Linear {
    /// The learning rate at first.
    pub lr: f64,
    /// The learning rate after `steps` updates.
    #[cfg_attr(feature = "serde", serde(default))]
    pub end: f64,
    /// The number of updates from the one to the other.
    pub steps: u64,
}

impl Linear {
    /// From `lr` to 0.
    pub fn new(lr: f64, steps: u64) -> Self {
        Self {
            lr,
            end: 0.0,
            steps,
        }
    }

    /// The defaults of PyTorch's `LinearLR`: from a third of `lr` to `lr` in 5 updates.
    pub fn torch(lr: f64) -> Self {
        Self {
            lr: lr / 3.0,
            end: lr,
            steps: 5,
        }
    }
}

impl Schedule for Linear {
    // ANCHOR: linear
    fn at(&self, done: u64) -> f64 {
        mix(self.lr, self.end, 1.0 - progress(done, self.steps))
    }
    // ANCHOR_END: linear

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Linear", "lr", self.lr)?;
        Error::check_non_negative("Linear", "end", self.end)?;
        check_steps("Linear", "steps", self.steps)
    }
}

impl fmt::Display for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lr, end) = (Number(self.lr), Number(self.end));
        write!(f, "linear from {lr} to {end} over {}", Updates(self.steps))
    }
}

/// A power of the share of updates that are left.
///
/// ```text
/// lr(t) = end + (lr − end) · (1 − min(t / steps, 1))^power
/// ```
///
/// # Defaults
/// [`Polynomial::new`]: to 0. There is no default power: 1 is [`Linear`], 0.9 is common in segmentation.
///
/// # Example
/// ```
/// use moments::schedule::{Polynomial, Schedule};
///
/// let schedule = Polynomial::new(1.0, 2.0, 4);
/// assert_eq!(schedule.values(6), [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]);
/// assert_eq!(schedule.to_string(), "polynomial of power 2 from 1 to 0 over 4 updates");
/// ```
///
/// # Errors
/// `validate` refuses 0 updates, a power that is not positive and finite, and a learning rate that is negative or not finite.
///
/// # Differences from PyTorch and optax
/// `optax.polynomial_schedule` is the same; its `transition_begin` is [`delayed`](Schedule::delayed).
/// PyTorch's `PolynomialLR` ends at 0 always; its power is 1 by default and its `steps` 5.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Polynomial {
    /// The learning rate at first.
    pub lr: f64,
    /// The learning rate after `steps` updates.
    #[cfg_attr(feature = "serde", serde(default))]
    pub end: f64,
    /// The exponent.
    pub power: f64,
    /// The number of updates from the one to the other.
    pub steps: u64,
}

impl Polynomial {
    /// From `lr` to 0.
    pub fn new(lr: f64, power: f64, steps: u64) -> Self {
        Self {
            lr,
            end: 0.0,
            power,
            steps,
        }
    }
}

impl Schedule for Polynomial {
    // ANCHOR: polynomial
    fn at(&self, done: u64) -> f64 {
        let left = 1.0 - progress(done, self.steps);
        mix(self.lr, self.end, libm::pow(left, self.power))
    }
    // ANCHOR_END: polynomial

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Polynomial", "lr", self.lr)?;
        Error::check_non_negative("Polynomial", "end", self.end)?;
        check_positive("Polynomial", "power", self.power)?;
        check_steps("Polynomial", "steps", self.steps)
    }
}

impl fmt::Display for Polynomial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lr, end, power) = (Number(self.lr), Number(self.end), Number(self.power));
        let steps = Updates(self.steps);
        write!(
            f,
            "polynomial of power {power} from {lr} to {end} over {steps}"
        )
    }
}
