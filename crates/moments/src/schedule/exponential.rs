use super::{Number, Schedule, Updates, check_order, check_positive, check_steps, geometric};
use crate::Error;
use std::fmt;

/// The same learning rate at every update.
///
/// ```text
/// lr(t) = lr
/// ```
///
/// # Example
/// ```
/// use moments::schedule::{Constant, Schedule};
///
/// assert_eq!(Constant { lr: 0.1 }.values(2), [0.1, 0.1]);
/// ```
///
/// # Errors
/// `validate` refuses an `lr` that is negative or not finite.
///
/// # Differences from PyTorch and optax
/// `optax.constant_schedule` is the same. PyTorch's `ConstantLR` is a constant factor for the first updates and 1 after them:
/// a [`Sequence`](super::Sequence) of two constants.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Constant {
    /// The learning rate.
    pub lr: f64,
}

impl Schedule for Constant {
    fn at(&self, _done: u64) -> f64 {
        self.lr
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Constant", "lr", self.lr)
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "constant {}", Number(self.lr))
    }
}

/// Multiplies the learning rate by γ once every so many updates.
///
/// ```text
/// lr(t) = lr · γ^⌊t / every⌋
/// ```
///
/// # Example
/// ```
/// use moments::schedule::{Schedule, StepDecay};
///
/// let schedule = StepDecay { lr: 1.0, gamma: 0.5, every: 2 };
/// assert_eq!(schedule.values(6), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]);
/// assert_eq!(schedule.to_string(), "1 times 0.5 every 2 updates");
/// ```
///
/// # Errors
/// `validate` refuses an `lr` that is negative or not finite, a γ that is not positive and finite, and 0 updates.
///
/// # Differences from PyTorch and optax
/// PyTorch's `StepLR` (whose γ is 0.1 by default) and `optax.exponential_decay(staircase=True)` are the same.
/// With γ > 1 the value stays at the largest finite number, where theirs becomes infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct StepDecay {
    /// The learning rate at first.
    pub lr: f64,
    /// The factor γ.
    pub gamma: f64,
    /// How many updates use the same learning rate.
    pub every: u64,
}

impl Schedule for StepDecay {
    // ANCHOR: step
    fn at(&self, done: u64) -> f64 {
        let drops = done.checked_div(self.every).unwrap_or(u64::MAX);
        geometric(self.lr, self.gamma, drops as f64)
    }
    // ANCHOR_END: step

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("StepDecay", "lr", self.lr)?;
        check_positive("StepDecay", "gamma", self.gamma)?;
        check_steps("StepDecay", "every", self.every)
    }
}

impl fmt::Display for StepDecay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lr, gamma) = (Number(self.lr), Number(self.gamma));
        write!(f, "{lr} times {gamma} every {}", Updates(self.every))
    }
}

/// Multiplies the learning rate by γ at each of a list of updates.
///
/// ```text
/// lr(t) = lr · γ^(number of milestones ≤ t)
/// ```
///
/// # Example
/// ```
/// use moments::schedule::{MultiStep, Schedule};
///
/// let schedule = MultiStep { lr: 1.0, gamma: 0.5, milestones: vec![1, 4] };
/// assert_eq!(schedule.values(6), [1.0, 0.5, 0.5, 0.5, 0.25, 0.25]);
/// assert_eq!(schedule.to_string(), "1 times 0.5 at updates [1, 4]");
/// ```
///
/// # Errors
/// `validate` refuses an `lr` that is negative or not finite, a γ that is not positive and finite, and milestones that decrease.
///
/// # Differences from PyTorch and optax
/// PyTorch's `MultiStepLR` (whose γ is 0.1 by default) sorts its milestones; a milestone that is listed twice counts twice there and here.
/// `optax.piecewise_constant_schedule` has a factor of its own for each milestone: [`Piecewise`](super::Piecewise).
/// All three change at the milestone itself, not after it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct MultiStep {
    /// The learning rate at first.
    pub lr: f64,
    /// The factor γ.
    pub gamma: f64,
    /// The updates from which one more factor counts, in order.
    pub milestones: Vec<u64>,
}

impl Schedule for MultiStep {
    // ANCHOR: multi_step
    fn at(&self, done: u64) -> f64 {
        let passed = self.milestones.partition_point(|&update| update <= done);
        geometric(self.lr, self.gamma, passed as f64)
    }
    // ANCHOR_END: multi_step

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("MultiStep", "lr", self.lr)?;
        check_positive("MultiStep", "gamma", self.gamma)?;
        check_order("MultiStep", "milestones", self.milestones.iter().copied())
    }
}

impl fmt::Display for MultiStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lr, gamma) = (Number(self.lr), Number(self.gamma));
        write!(f, "{lr} times {gamma} at updates {:?}", self.milestones)
    }
}

/// Multiplies the learning rate by γ smoothly, the whole of γ in so many updates.
///
/// ```text
/// lr(t) = lr · γ^(t / every)
/// ```
///
/// # Example
/// ```
/// use moments::schedule::{Exponential, Schedule};
///
/// let schedule = Exponential { lr: 1.0, gamma: 0.25, every: 2 };
/// assert_eq!(schedule.values(4), [1.0, 0.5, 0.25, 0.125]);
/// assert_eq!(schedule.to_string(), "1 times 0.25^(t/2)");
/// ```
///
/// # Errors
/// `validate` refuses an `lr` that is negative or not finite, a γ that is not positive and finite, and 0 updates.
///
/// # Differences from PyTorch and optax
/// PyTorch's `ExponentialLR` has `every` 1 and multiplies step by step: a drift of 2e-15 after 400 updates.
/// `optax.exponential_decay` has the same form; its `transition_begin` is [`delayed`](Schedule::delayed), its `end_value`
/// [`at_least`](Schedule::at_least) for γ < 1 and [`at_most`](Schedule::at_most) for γ > 1, and its `staircase` [`StepDecay`].
/// With γ > 1 the value stays at the largest finite number, where theirs becomes infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Exponential {
    /// The learning rate at first.
    pub lr: f64,
    /// The factor γ.
    pub gamma: f64,
    /// The number of updates that γ is spread over.
    pub every: u64,
}

impl Schedule for Exponential {
    // ANCHOR: exponential
    fn at(&self, done: u64) -> f64 {
        geometric(self.lr, self.gamma, done as f64 / self.every as f64)
    }
    // ANCHOR_END: exponential

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Exponential", "lr", self.lr)?;
        check_positive("Exponential", "gamma", self.gamma)?;
        check_steps("Exponential", "every", self.every)
    }
}

impl fmt::Display for Exponential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lr, gamma) = (Number(self.lr), Number(self.gamma));
        match self.every {
            1 => write!(f, "{lr} times {gamma}^t"),
            every => write!(f, "{lr} times {gamma}^(t/{every})"),
        }
    }
}
