use super::{Number, Schedule, Updates, capped, check_order};
use crate::Error;
use std::fmt;

/// Schedules one after the other, each counted from its own start.
///
/// ```text
/// lr(t) = partᵢ(t − milestoneᵢ)        milestoneᵢ ≤ t < milestoneᵢ₊₁,  milestone₀ = 0
/// ```
///
/// # Example
/// ```
/// use moments::schedule::{Constant, Linear, Schedule, Sequence};
///
/// let schedule = Sequence {
///     parts: vec![Constant { lr: 1.0 }.boxed(), Linear::new(1.0, 2).boxed()],
///     milestones: vec![2],
/// };
/// assert_eq!(schedule.values(6), [1.0, 1.0, 1.0, 0.5, 0.0, 0.0]);
/// assert_eq!(schedule.to_string(), "constant 1; from update 2: linear from 1 to 0 over 2 updates");
/// ```
///
/// # Errors
/// `validate` refuses milestones that decrease or are not one fewer than the parts, and a part that refuses itself.
///
/// # Differences from PyTorch and optax
/// `optax.join_schedules` and PyTorch's `SequentialLR` are the same.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Sequence<S = Box<dyn Schedule>> {
    /// The schedules, in order.
    pub parts: Vec<S>,
    /// The updates at which the second part begins, the third, and so on.
    pub milestones: Vec<u64>,
}

impl<S: Schedule> Schedule for Sequence<S> {
    fn at(&self, done: u64) -> f64 {
        let passed = self.milestones.partition_point(|&update| update <= done);
        let start = passed.checked_sub(1).map_or(0, |i| self.milestones[i]);
        match self.parts.get(passed) {
            Some(part) => part.at(done.saturating_sub(start)),
            None => f64::NAN,
        }
    }

    fn validate(&self) -> Result<(), Error> {
        let milestones = self.milestones.len();
        let (holds, expected) = (
            self.parts.len() == milestones + 1,
            "one fewer than there are parts",
        );
        Error::unless(holds, "Sequence", "milestones", milestones as f64, expected)?;
        check_order("Sequence", "milestones", self.milestones.iter().copied())?;
        self.parts.iter().try_for_each(Schedule::validate)
    }
}

impl<S: fmt::Display> fmt::Display for Sequence<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut starts = self.milestones.iter();
        for (i, part) in self.parts.iter().enumerate() {
            if i > 0 {
                let start = starts.next().copied().unwrap_or(u64::MAX);
                write!(f, "; from update {start}: ")?;
            }
            write!(f, "{part}")?;
        }
        Ok(())
    }
}

/// A schedule times a constant.
///
/// ```text
/// lr(t) = factor · schedule(t)
/// ```
///
/// # Example
/// One shape for two groups of parameters:
/// ```
/// use moments::schedule::{Linear, Schedule};
///
/// let shape = Linear::new(1.0, 4);
/// let (body, head) = (shape.scaled(0.25), shape.scaled(2.0));
/// assert_eq!((body.at(2), head.at(2)), (0.125, 1.0));
/// assert_eq!(head.to_string(), "2 × (linear from 1 to 0 over 4 updates)");
/// ```
///
/// # Errors
/// `validate` refuses a factor that is negative or not finite, and a schedule that refuses itself.
///
/// # Differences from PyTorch and optax
/// PyTorch's schedulers are multipliers of each group's base learning rate; optax's `scale_by_schedule` takes either.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Scaled<S> {
    /// The factor, such as a base learning rate.
    pub factor: f64,
    /// What it multiplies.
    pub schedule: S,
}

impl<S: Schedule> Schedule for Scaled<S> {
    fn at(&self, done: u64) -> f64 {
        capped(self.factor * self.schedule.at(done))
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Scaled", "factor", self.factor)?;
        self.schedule.validate()
    }
}

impl<S: fmt::Display> fmt::Display for Scaled<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × ({})", Number(self.factor), self.schedule)
    }
}

/// The product of two schedules.
///
/// ```text
/// lr(t) = first(t) · second(t)
/// ```
///
/// # Example
/// ```
/// use moments::schedule::{Linear, Schedule, StepDecay};
///
/// let schedule = Linear::new(1.0, 4).times(StepDecay { lr: 1.0, gamma: 0.5, every: 2 });
/// assert_eq!(schedule.values(4), [1.0, 0.75, 0.25, 0.125]);
/// assert_eq!(schedule.to_string(), "(linear from 1 to 0 over 4 updates) × (1 times 0.5 every 2 updates)");
/// ```
///
/// # Errors
/// `validate` refuses what either of the two refuses.
///
/// # Differences from PyTorch and optax
/// PyTorch's `ChainedScheduler` is the product of its schedulers' factors, as long as none of them has a floor of its own (`eta_min`).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Product<A, B> {
    /// One factor.
    pub first: A,
    /// The other.
    pub second: B,
}

impl<A: Schedule, B: Schedule> Schedule for Product<A, B> {
    fn at(&self, done: u64) -> f64 {
        capped(self.first.at(done) * self.second.at(done))
    }

    fn validate(&self) -> Result<(), Error> {
        self.first.validate()?;
        self.second.validate()
    }
}

impl<A: fmt::Display, B: fmt::Display> fmt::Display for Product<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}) × ({})", self.first, self.second)
    }
}

/// A schedule that begins later; until then it has its first value.
///
/// ```text
/// lr(t) = schedule(max(t − steps, 0))
/// ```
///
/// # Example
/// ```
/// use moments::schedule::{Linear, Schedule};
///
/// let schedule = Linear::new(1.0, 2).delayed(2);
/// assert_eq!(schedule.values(5), [1.0, 1.0, 1.0, 0.5, 0.0]);
/// assert_eq!(schedule.to_string(), "linear from 1 to 0 over 2 updates, begun after 2 updates");
/// ```
///
/// # Errors
/// `validate` refuses what the schedule refuses.
///
/// # Differences from PyTorch and optax
/// optax's `transition_begin`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Delayed<S> {
    /// The number of updates before it begins.
    pub steps: u64,
    /// What begins then.
    pub schedule: S,
}

impl<S: Schedule> Schedule for Delayed<S> {
    fn at(&self, done: u64) -> f64 {
        self.schedule.at(done.saturating_sub(self.steps))
    }

    fn validate(&self) -> Result<(), Error> {
        self.schedule.validate()
    }
}

impl<S: fmt::Display> fmt::Display for Delayed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, begun after {}", self.schedule, Updates(self.steps))
    }
}

/// A schedule that is kept between two learning rates.
///
/// ```text
/// lr(t) = min(max(schedule(t), min), max)
/// ```
///
/// # Example
/// ```
/// use moments::schedule::{Linear, Schedule};
///
/// let schedule = Linear::new(1.0, 4).at_least(0.5);
/// assert_eq!(schedule.values(5), [1.0, 0.75, 0.5, 0.5, 0.5]);
/// assert_eq!(schedule.to_string(), "linear from 1 to 0 over 4 updates, at least 0.5");
/// ```
///
/// # Errors
/// `validate` refuses a bound that is negative or not finite, a `max` below `min`, and a schedule that refuses itself.
///
/// # Differences from PyTorch and optax
/// The `end_value` of `optax.exponential_decay`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Clamped<S> {
    /// The smallest learning rate.
    pub min: f64,
    /// The largest learning rate.
    pub max: f64,
    /// What is kept between them.
    pub schedule: S,
}

impl<S: Schedule> Schedule for Clamped<S> {
    fn at(&self, done: u64) -> f64 {
        let lr = self.schedule.at(done);
        // `max` and `min` would hide NaN, which a step refuses.
        if lr.is_nan() {
            lr
        } else {
            lr.max(self.min).min(self.max)
        }
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Clamped", "min", self.min)?;
        Error::check_non_negative("Clamped", "max", self.max)?;
        Error::unless(
            self.max >= self.min,
            "Clamped",
            "max",
            self.max,
            "at least `min`",
        )?;
        self.schedule.validate()
    }
}

impl<S: fmt::Display> fmt::Display for Clamped<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.schedule)?;
        if self.min > 0.0 {
            write!(f, ", at least {}", Number(self.min))?;
        }
        if self.max < f64::MAX {
            write!(f, ", at most {}", Number(self.max))?;
        }
        Ok(())
    }
}
