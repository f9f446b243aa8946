use super::{Number, Schedule, Updates, WarmupStart, check_steps, half_cosine, mix, progress};
use crate::Error;
use std::fmt;

/// Warmup, stable, decay: a trapezoid whose long top has no end planned in advance.
///
/// ```text
/// lr(t) = w(t) · lr                               t < warmup          (w as in Warmup)
/// lr(t) = lr                                      t < warmup + stable
/// lr(t) = end + (lr − end) · f(u)                 u = (t − warmup − stable) / cooldown, at most 1
///
/// f(u) = 1 − √u                                   Cooldown::OneMinusSqrt
/// f(u) = 1 − u                                    Cooldown::Linear
/// f(u) = (1 + cos(π u)) / 2                       Cooldown::Cosine
/// ```
///
/// # Defaults
/// [`Wsd::new`]: 1 − √u to 0, which Hägele et al. (2024) found best for cool-downs of a fifth of the run or so; a warmup from 1/steps.
///
/// # Example
/// ```
/// use moments::schedule::{Cooldown, Schedule, Wsd};
///
/// let schedule = Wsd { warmup: 2, stable: 1, cooldown: 4, ..Wsd::new(1.0, 0, 0, 0) };
/// assert_eq!(schedule.values(4), [0.5, 1.0, 1.0, 1.0]);
/// assert_eq!(schedule.at(4), 0.5);
/// assert_eq!(schedule.at(7), 0.0);
/// let schedule = Wsd { cooldown_shape: Cooldown::Linear, ..schedule };
/// assert_eq!(schedule.values(8), [0.5, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]);
/// ```
///
/// # Errors
/// `validate` refuses a learning rate that is negative or not finite, a negative start and a cool-down of 0 updates;
/// the warmup and the stable part may be empty.
///
/// # Differences from PyTorch and optax
/// Neither has it. The papers count t / warmup, which is [`WarmupStart::Zero`] where t counts updates done, and
/// [`WarmupStart::FirstStep`] where t counts from 1.
///
/// # References
/// Zhai, Kolesnikov, Houlsby & Beyer (2021), "Scaling Vision Transformers", section 3.5, arXiv:2106.04560.
/// Hu et al. (2024), "MiniCPM", section 4, arXiv:2404.06395.
/// Hägele et al. (2024), "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations", arXiv:2405.18392.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Wsd {
    /// The learning rate of the stable part.
    pub lr: f64,
    /// The learning rate after the cool-down.
    #[cfg_attr(feature = "serde", serde(default))]
    pub end: f64,
    /// The number of updates of the warmup.
    pub warmup: u64,
    /// The number of updates between warmup and cool-down.
    pub stable: u64,
    /// The number of updates of the cool-down.
    pub cooldown: u64,
    /// The share of `lr` that the first update of the warmup uses.
    #[cfg_attr(feature = "serde", serde(default))]
    pub start: WarmupStart,
    /// The curve of the cool-down.
    #[cfg_attr(feature = "serde", serde(default))]
    pub cooldown_shape: Cooldown,
}

/// The curve that a cool-down follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Cooldown {
    /// 1 − √u: steep at first.
    #[default]
    OneMinusSqrt,
    /// 1 − u.
    Linear,
    /// (1 + cos(π u)) / 2: steep in the middle.
    Cosine,
}

impl Wsd {
    /// A schedule with these three lengths, a 1 − √u cool-down to 0 and a warmup from 1/warmup.
    pub fn new(lr: f64, warmup: u64, stable: u64, cooldown: u64) -> Self {
        Self {
            lr,
            end: 0.0,
            warmup,
            stable,
            cooldown,
            start: WarmupStart::FirstStep,
            cooldown_shape: Cooldown::OneMinusSqrt,
        }
    }
}

impl Schedule for Wsd {
    // ANCHOR: wsd
    fn at(&self, done: u64) -> f64 {
        let cooling = self.warmup.saturating_add(self.stable);
        if done < cooling {
            return self.lr * self.start.share(done, self.warmup);
        }
        let u = progress(done - cooling, self.cooldown);
        let weight = match self.cooldown_shape {
            Cooldown::OneMinusSqrt => 1.0 - u.sqrt(),
            Cooldown::Linear => 1.0 - u,
            Cooldown::Cosine => half_cosine(u, 1.0),
        };
        mix(self.lr, self.end, weight)
    }
    // ANCHOR_END: wsd

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Wsd", "lr", self.lr)?;
        Error::check_non_negative("Wsd", "end", self.end)?;
        self.start.validate("Wsd")?;
        check_steps("Wsd", "cooldown", self.cooldown)
    }
}

impl fmt::Display for Wsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lr, end) = (Number(self.lr), Number(self.end));
        let (stable, cooldown) = (Updates(self.stable), Updates(self.cooldown));
        if self.warmup > 0 {
            self.start.describe(self.warmup, f)?;
            write!(f, ", then ")?;
        }
        let curve = match self.cooldown_shape {
            Cooldown::OneMinusSqrt => "a 1 − √u",
            Cooldown::Linear => "a linear",
            Cooldown::Cosine => "a cosine",
        };
        write!(
            f,
            "{lr} for {stable}, then {curve} cool-down to {end} over {cooldown}"
        )
    }
}
