use super::{Cosine, Number, Schedule, Updates, check_steps};
use crate::Error;
use std::fmt;

/// A linear rise over the first updates, and then any schedule.
///
/// ```text
/// lr(t) = w(t) · schedule(0)          t < steps
/// lr(t) = schedule(t − steps)         t ≥ steps
///
/// w(t) = (t + 1) / steps              WarmupStart::FirstStep
/// w(t) = t / steps                    WarmupStart::Zero
/// w(t) = f + (1 − f) · t / steps      WarmupStart::Factor(f)
/// ```
/// With [`WarmupForm::Times`] the schedule runs from the first update on, and is multiplied by w(t) at first.
///
/// # Defaults
/// [`Schedule::warmup`]: from 1/steps, so that no update is wasted, and before the schedule.
///
/// # Example
/// ```
/// use moments::schedule::{Linear, Schedule, Warmup, WarmupForm, WarmupStart};
///
/// let schedule = Linear::new(1.0, 4).warmup(2);
/// assert_eq!(schedule.values(7), [0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]);
///
/// let wasteful = Warmup { start: WarmupStart::Zero, ..schedule };
/// assert_eq!(wasteful.values(7), [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]);
///
/// let factor = Warmup { form: WarmupForm::Times, ..schedule };
/// assert_eq!(factor.values(5), [0.5, 0.75, 0.5, 0.25, 0.0]);
/// assert_eq!(factor.to_string(), "linear from 1 to 0 over 4 updates, times a warmup over 2 updates from 1/2");
/// ```
///
/// # Errors
/// `validate` refuses 0 updates, a factor that is negative or not finite, and a schedule that refuses itself.
///
/// # Differences from PyTorch and optax
/// `optax.linear_schedule(init, peak, steps)` before another schedule is `Factor(init / peak)`; with its customary `init` of 0 that is
/// [`WarmupStart::Zero`], whose first update moves nothing. The `decay_steps` of `optax.warmup_cosine_decay_schedule` count the warmup:
/// [`Warmup::optax_cosine`] takes them so. PyTorch's `SequentialLR` of a `LinearLR` and another is `Factor(start_factor)`, by default 1/3;
/// PyTorch's `ChainedScheduler` of the two is [`WarmupForm::Times`].
///
/// # References
/// Goyal et al. (2017), "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", section 2.2, arXiv:1706.02677.
/// Ma & Yarats (2019), "On the adequacy of untuned warmup for adaptive optimization", arXiv:1910.04209, for t / steps with t from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Warmup<S> {
    /// The number of updates of the warmup.
    pub steps: u64,
    /// The share of the peak that the first update uses.
    #[cfg_attr(feature = "serde", serde(default))]
    pub start: WarmupStart,
    /// Whether the warmup comes before the schedule or multiplies it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub form: WarmupForm,
    /// What the warmup leads to.
    pub schedule: S,
}

/// The share of the peak that the first update of a warmup uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum WarmupStart {
    /// 1/steps: the last update of the warmup has the peak already.
    #[default]
    FirstStep,
    /// 0: the first update moves nothing, and the peak comes with the first update after the warmup.
    Zero,
    /// This factor: the peak comes with the first update after the warmup. PyTorch's `start_factor`, optax's `init_value / peak_value`.
    Factor(f64),
}

/// How a warmup and a schedule are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum WarmupForm {
    /// First the warmup up to the schedule's first value, then the schedule, counted from 0.
    #[default]
    Before,
    /// The schedule counts from the first update, and the warmup multiplies it.
    Times,
}

impl WarmupStart {
    /// w(t): the share of the peak after `done` updates of a warmup over `steps`.
    pub(super) fn share(self, done: u64, steps: u64) -> f64 {
        if done >= steps {
            return 1.0;
        }
        let (done, steps) = (done as f64, steps as f64);
        match self {
            Self::FirstStep => (done + 1.0) / steps,
            Self::Zero => done / steps,
            Self::Factor(factor) => factor + (1.0 - factor) * (done / steps),
        }
    }

    pub(super) fn validate(self, schedule: &'static str) -> Result<(), Error> {
        match self {
            Self::FirstStep | Self::Zero => Ok(()),
            Self::Factor(factor) => Error::check_non_negative(schedule, "start", factor),
        }
    }

    /// "warmup over 10 updates from 1/10"
    pub(super) fn describe(self, steps: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "warmup over {} from ", Updates(steps))?;
        match self {
            Self::FirstStep => write!(f, "1/{steps}"),
            Self::Zero => write!(f, "0"),
            Self::Factor(factor) => write!(f, "{}", Number(factor)),
        }
    }
}

impl Warmup<Cosine> {
    /// `optax.warmup_cosine_decay_schedule` with its arguments: from `init` to `peak` in `warmup_steps` updates,
    /// and down to 0 after `decay_steps` in all.
    pub fn optax_cosine(init: f64, peak: f64, warmup_steps: u64, decay_steps: u64) -> Self {
        Self {
            steps: warmup_steps,
            start: WarmupStart::Factor(init / peak),
            form: WarmupForm::Before,
            schedule: Cosine::new(peak, decay_steps.saturating_sub(warmup_steps)),
        }
    }
}

impl<S: Schedule> Schedule for Warmup<S> {
    // ANCHOR: warmup
    fn at(&self, done: u64) -> f64 {
        let share = self.start.share(done, self.steps);
        match self.form {
            WarmupForm::Before => share * self.schedule.at(done.saturating_sub(self.steps)),
            WarmupForm::Times => share * self.schedule.at(done),
        }
    }
    // ANCHOR_END: warmup

    fn validate(&self) -> Result<(), Error> {
        check_steps("Warmup", "steps", self.steps)?;
        self.start.validate("Warmup")?;
        self.schedule.validate()
    }
}

impl<S: fmt::Display> fmt::Display for Warmup<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            WarmupForm::Before => {
                self.start.describe(self.steps, f)?;
                write!(f, ", then {}", self.schedule)
            }
            WarmupForm::Times => {
                write!(f, "{}, times a ", self.schedule)?;
                self.start.describe(self.steps, f)
            }
        }
    }
}
