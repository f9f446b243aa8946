//! Schedules of the learning rate: pure functions of the number of updates done.
//!
//! A [`Schedule`] answers one question: which learning rate does the next update use, when `done` updates have been made?
//! The first update asks for `at(0)`, as in PyTorch and optax. [`Optimizer::t`](crate::Optimizer::t) is that number:
//!
//! ```
//! use moments::schedule::{Cosine, Schedule};
//! use moments::{Adam, Optimizer};
//!
//! let schedule = Cosine::new(0.1, 100).warmup(10);
//! schedule.validate()?;
//! assert_eq!(
//!     schedule.to_string(),
//!     "warmup over 10 updates from 1/10, then cosine from 0.1 to 0 over 100 updates"
//! );
//!
//! let mut theta = [3.0_f64];
//! let mut opt = Optimizer::new(Adam::default());
//! for _ in 0..110 {
//!     opt.rule.lr = schedule.at(opt.t());
//!     let grad = [2.0 * theta[0]];
//!     opt.step(&mut theta, &grad)?;
//! }
//! assert!(theta[0].abs() < 0.1);
//! // The rate of the last update, and the one that the next would use.
//! assert!(opt.rule.lr < 1e-4);
//! assert_eq!(schedule.at(opt.t()), 0.0);
//! # Ok::<(), moments::Error>(())
//! ```
//!
//! # Composing
//! A schedule is one of the plain structs of this module, or several of them put together:
//! [`Warmup`], [`Sequence`], [`Scaled`], [`Product`], [`Delayed`] and [`Clamped`] take any schedule.
//! Where the kind is known only at run time, a `Box<dyn Schedule>` is a schedule as well:
//!
//! ```
//! use moments::schedule::{Constant, Linear, Schedule, Sequence, StepDecay};
//! use moments::{Optimizer, Sgd};
//!
//! let schedule: Box<dyn Schedule> = Sequence {
//!     parts: vec![
//!         Constant { lr: 0.1 }.boxed(),
//!         StepDecay { lr: 0.1, gamma: 0.5, every: 10 }.boxed(),
//!         Linear { lr: 0.025, end: 0.0, steps: 4 }.boxed(),
//!     ],
//!     milestones: vec![5, 25],
//! }
//! .boxed();
//! schedule.validate()?;
//!
//! let mut opt = Optimizer::new(Sgd::default());
//! let (mut theta, mut used) = ([1.0], vec![]);
//! for _ in 0..28 {
//!     opt.rule.lr = schedule.at(opt.t());
//!     opt.step(&mut theta, &[0.0])?;
//!     used.push(opt.rule.lr);
//! }
//! assert_eq!([used[4], used[16], used[27]], [0.1, 0.05, 0.0125]);
//! # Ok::<(), moments::Error>(())
//! ```
//!
//! A schedule of multipliers is a schedule whose `lr` is 1; [`Schedule::scaled`] multiplies it by a base learning rate,
//! so that groups of parameters can share its shape. Your own schedule needs `at`, `validate` and a `Display`.
//!
//! # Plotting
//! [`Schedule::over`] gives pairs (update, learning rate):
//!
//! ```
//! use moments::schedule::{Linear, Schedule};
//!
//! let points: Vec<(u64, f64)> = Linear::new(1.0, 4).over(2..6).collect();
//! assert_eq!(points, [(2, 0.5), (3, 0.25), (4, 0.0), (5, 0.0)]);
//! ```
//!
//! # The last update
//! A schedule over `steps` updates reaches its end at `at(steps)`, which is the update after the last of them, as in optax and in most of PyTorch:
//! the last update of a run of exactly `steps` still moves. [`OneCycle`] of PyTorch and [`Refined`] end on the last update itself.
//!
//! # Closed forms
//! Every value is computed from `done` alone, so that a run can be continued from any update and nothing drifts.
//! Most of PyTorch's schedulers multiply the previous learning rate instead. Measured in `f64` against their own closed forms, wherever the
//! learning rate is more than a thousandth of the largest, they have drifted by at most 2e-14 of it after one descent of 400 updates; after 100,000
//! updates by 1e-12 (`LinearLR`), and where `CosineAnnealingLR` has gone up and down 833 times by 4e-11. The golden file of this crate has the figures.
//!
//! The powers and cosines are those of the crate `libm`: the same bits on every machine.

mod compose;
mod cosine;
mod cyclic;
mod exponential;
mod inverse_sqrt;
mod one_cycle;
mod piecewise;
mod plateau;
mod polynomial;
mod refined;
mod warmup;
mod wsd;

pub use compose::{Clamped, Delayed, Product, Scaled, Sequence};
pub use cosine::{AfterEnd, Cosine, CosineRestarts};
pub use cyclic::{Cyclic, Height};
pub use exponential::{Constant, Exponential, MultiStep, StepDecay};
pub use inverse_sqrt::{InverseSqrt, InverseSqrtForm, Noam};
pub use one_cycle::{Anneal, EndsAt, OneCycle, Phases};
pub use piecewise::{Between, Piecewise};
pub use plateau::{Fires, Goal, Plateau, PlateauState};
pub use polynomial::{Linear, Polynomial};
pub use refined::{Norms, Refined};
pub use warmup::{Warmup, WarmupForm, WarmupStart};
pub use wsd::{Cooldown, Wsd};

use crate::Error;
use std::fmt;
use std::ops::Range;

/// A learning rate for each update, as a function of the number of updates done before it.
///
/// It prints as a phrase: `cosine from 0.1 to 0 over 100 updates`.
pub trait Schedule: fmt::Debug + fmt::Display + Send + Sync {
    /// The learning rate of the next update, after `done` updates: the first update uses `at(0)`.
    ///
    /// For settings that [`validate`](Self::validate) accepts, the value is finite and at least 0 for every `done` up to `u64::MAX`.
    /// For others nothing panics, but the value means nothing. If it is NaN, infinite or negative, the optimizer's step refuses it as `lr`.
    fn at(&self, done: u64) -> f64;

    /// Whether the settings mean something.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] names the schedule and the first field that does not.
    fn validate(&self) -> Result<(), Error>;

    /// Pairs (update, learning rate), for a plot or a table.
    fn over(&self, range: Range<u64>) -> Box<dyn Iterator<Item = (u64, f64)> + '_> {
        Box::new(range.map(move |done| (done, self.at(done))))
    }

    /// The learning rates of the first `updates` updates.
    fn values(&self, updates: u64) -> Vec<f64> {
        self.over(0..updates).map(|(_, lr)| lr).collect()
    }

    /// Puts a linear warmup of `steps` updates before this schedule: `1/steps` of its first value at the first update, 2/steps at the second.
    ///
    /// See [`Warmup`] for other conventions.
    fn warmup(self, steps: u64) -> Warmup<Self>
    where
        Self: Sized,
    {
        Warmup {
            steps,
            start: WarmupStart::FirstStep,
            form: WarmupForm::Before,
            schedule: self,
        }
    }

    /// This schedule times a constant.
    fn scaled(self, factor: f64) -> Scaled<Self>
    where
        Self: Sized,
    {
        Scaled {
            factor,
            schedule: self,
        }
    }

    /// This schedule times another one.
    fn times<S: Schedule>(self, other: S) -> Product<Self, S>
    where
        Self: Sized,
    {
        Product {
            first: self,
            second: other,
        }
    }

    /// This schedule, `steps` updates later; before that, its first value.
    fn delayed(self, steps: u64) -> Delayed<Self>
    where
        Self: Sized,
    {
        Delayed {
            steps,
            schedule: self,
        }
    }

    /// This schedule, but nowhere below `min`.
    fn at_least(self, min: f64) -> Clamped<Self>
    where
        Self: Sized,
    {
        Clamped {
            min,
            max: f64::MAX,
            schedule: self,
        }
    }

    /// This schedule, but nowhere above `max`.
    fn at_most(self, max: f64) -> Clamped<Self>
    where
        Self: Sized,
    {
        Clamped {
            min: 0.0,
            max,
            schedule: self,
        }
    }

    /// This schedule in a box, so that it can stand beside schedules of other kinds.
    fn boxed(self) -> Box<dyn Schedule>
    where
        Self: Sized + 'static,
    {
        Box::new(self)
    }
}

impl<S: Schedule + ?Sized> Schedule for Box<S> {
    fn at(&self, done: u64) -> f64 {
        (**self).at(done)
    }

    fn validate(&self) -> Result<(), Error> {
        (**self).validate()
    }
}

impl<S: Schedule + ?Sized> Schedule for &S {
    fn at(&self, done: u64) -> f64 {
        (**self).at(done)
    }

    fn validate(&self) -> Result<(), Error> {
        (**self).validate()
    }
}

/// How much of `steps` is done, in [0, 1]; 1 if there are no steps.
fn progress(done: u64, steps: u64) -> f64 {
    if done < steps {
        done as f64 / steps as f64
    } else {
        1.0
    }
}

/// The mean of `from` and `to` with the given weight on `from`: exactly `from` at 1 and exactly `to` at 0.
fn mix(from: f64, to: f64, weight: f64) -> f64 {
    from * weight + to * (1.0 - weight)
}

/// Half a wave of a cosine, from 1 to 0 as `part` goes from 0 to `whole`.
fn half_cosine(part: f64, whole: f64) -> f64 {
    // In this order, as PyTorch and optax: near the end another rounding of the angle would show in the twelfth digit.
    0.5 * (1.0 + libm::cos(std::f64::consts::PI * part / whole))
}

/// lr γⁿ; the largest finite number where that would be infinite.
fn geometric(lr: f64, gamma: f64, n: f64) -> f64 {
    capped(lr * capped(libm::pow(gamma, n)))
}

/// The largest finite number in the place of infinity; NaN stays NaN, so that a step refuses it.
fn capped(x: f64) -> f64 {
    if x == f64::INFINITY { f64::MAX } else { x }
}

/// A number of updates must be at least 1.
fn check_steps(schedule: &'static str, field: &'static str, steps: u64) -> Result<(), Error> {
    Error::unless(steps > 0, schedule, field, steps as f64, "at least 1")
}

/// The field must be finite and greater than zero.
fn check_positive(schedule: &'static str, field: &'static str, value: f64) -> Result<(), Error> {
    let holds = value.is_finite() && value > 0.0;
    Error::unless(holds, schedule, field, value, "finite and greater than 0")
}

/// No update may be smaller than the one before it.
fn check_order(
    schedule: &'static str,
    field: &'static str,
    updates: impl Iterator<Item = u64>,
) -> Result<(), Error> {
    let mut last = 0;
    for update in updates {
        let (holds, value) = (last <= update, update as f64);
        let expected = "at least the one before it";
        Error::unless(holds, schedule, field, value, expected)?;
        last = update;
    }
    Ok(())
}

/// A number in a phrase: 0.025, 1e-7, 3e8.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(x) = self;
        if *x == 0.0 || (1e-4..1e6).contains(x) {
            write!(f, "{x}")
        } else {
            write!(f, "{x:e}")
        }
    }
}

/// A number of updates in a phrase: 1 update, 2 updates.
struct Updates(u64);

impl fmt::Display for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => write!(f, "1 update"),
            n => write!(f, "{n} updates"),
        }
    }
}

/// The value of a field that a configuration may leave out, such as an exponent.
#[cfg(feature = "serde")]
fn one() -> f64 {
    1.0
}
