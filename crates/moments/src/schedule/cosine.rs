use super::{Number, Schedule, Updates, check_positive, check_steps, half_cosine, mix};
use crate::Error;
use std::fmt;

/// Half a wave of a cosine from one learning rate down to another.
///
/// ```text
/// lr(t) = end + (lr − end) · ((1 + cos(π t / steps)) / 2)^exponent        t ≤ steps
/// ```
///
/// # Defaults
/// [`Cosine::new`]: to 0, exponent 1, constant after the end (optax, and what most training code does).
///
/// # Example
/// At a third of the way the cosine is 1/2, and so the learning rate is 3/4 of the first.
/// ```
/// use moments::schedule::{AfterEnd, Cosine, Schedule};
///
/// let schedule = Cosine::new(1.0, 3);
/// for (lr, expected) in schedule.values(6).iter().zip([1.0, 0.75, 0.25, 0.0, 0.0, 0.0]) {
///     assert!((lr - expected).abs() < 1e-15);
/// }
/// let schedule = Cosine { after_end: AfterEnd::RiseAgain, ..schedule };
/// for (lr, expected) in schedule.values(6).iter().zip([1.0, 0.75, 0.25, 0.0, 0.25, 0.75]) {
///     assert!((lr - expected).abs() < 1e-15);
/// }
/// ```
///
/// # Errors
/// `validate` refuses 0 updates, an exponent that is not positive and finite, and a learning rate that is negative or not finite.
///
/// # Differences from PyTorch and optax
/// `optax.cosine_decay_schedule` is [`Cosine::new`], its `alpha` is `end / lr`. PyTorch's `CosineAnnealingLR` rises again after `T_max`:
/// [`AfterEnd::RiseAgain`], which a run longer than planned meets without a word. It multiplies step by step, and drifts by 1e-13
/// of the learning rate over 400 updates of waves of 60, by 4e-11 over 100,000; this is its closed form.
///
/// # References
/// Loshchilov & Hutter (2016), "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5, arXiv:1608.03983.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Cosine {
    /// The learning rate at first.
    pub lr: f64,
    /// The learning rate after `steps` updates.
    #[cfg_attr(feature = "serde", serde(default))]
    pub end: f64,
    /// The number of updates from the one to the other.
    pub steps: u64,
    /// The exponent of the falling factor.
    #[cfg_attr(feature = "serde", serde(default = "super::one"))]
    pub exponent: f64,
    /// What happens after `steps` updates.
    #[cfg_attr(feature = "serde", serde(default))]
    pub after_end: AfterEnd,
}

/// What a cosine does after its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum AfterEnd {
    /// It stays where it is: optax.
    #[default]
    Stay,
    /// It goes up again as it came, and down again, for ever: PyTorch's `CosineAnnealingLR`.
    RiseAgain,
}

impl Cosine {
    /// From `lr` to 0, where it stays.
    pub fn new(lr: f64, steps: u64) -> Self {
        Self {
            lr,
            end: 0.0,
            steps,
            exponent: 1.0,
            after_end: AfterEnd::Stay,
        }
    }
}

impl Schedule for Cosine {
    // ANCHOR: cosine
    fn at(&self, done: u64) -> f64 {
        let done = match self.after_end {
            AfterEnd::Stay => done.min(self.steps),
            // The remainder keeps the angle small, and so exact, however long the run.
            AfterEnd::RiseAgain => done % self.steps.saturating_mul(2).max(1),
        };
        let wave = half_cosine(done as f64, self.steps as f64);
        mix(self.lr, self.end, libm::pow(wave, self.exponent))
    }
    // ANCHOR_END: cosine

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Cosine", "lr", self.lr)?;
        Error::check_non_negative("Cosine", "end", self.end)?;
        check_steps("Cosine", "steps", self.steps)?;
        check_positive("Cosine", "exponent", self.exponent)
    }
}

impl fmt::Display for Cosine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lr, end) = (Number(self.lr), Number(self.end));
        write!(f, "cosine")?;
        if self.exponent != 1.0 {
            write!(f, " to the power {}", Number(self.exponent))?;
        }
        write!(f, " from {lr} to {end} over {}", Updates(self.steps))?;
        match self.after_end {
            AfterEnd::Stay => Ok(()),
            AfterEnd::RiseAgain => write!(f, ", up again and so on"),
        }
    }
}

/// Half waves of a cosine, each of which starts at the top again; each may be longer than the one before.
///
/// ```text
/// lr(t) = end + (lr − end) · (1 + cos(π u / n)) / 2        u of n updates of the current cycle are done
/// n = first, first · mult, first · mult², …
/// ```
///
/// # Defaults
/// [`CosineRestarts::new`]: to 0, cycles of equal length (`mult` 1), as PyTorch.
///
/// # Example
/// ```
/// use moments::schedule::{CosineRestarts, Schedule};
///
/// let schedule = CosineRestarts { mult: 2, ..CosineRestarts::new(1.0, 2) };
/// let by_hand = [1.0, 0.5, 1.0, 0.853_553_390_593_273_8, 0.5, 0.146_446_609_406_726_2, 1.0];
/// for (lr, expected) in schedule.values(7).iter().zip(by_hand) {
///     assert!((lr - expected).abs() < 1e-15);
/// }
/// ```
/// `end` itself is never used: a cycle restarts at the update that would have it.
///
/// # Errors
/// `validate` refuses a `first` or `mult` of 0 and a learning rate that is negative or not finite.
///
/// # Differences from PyTorch and optax
/// PyTorch's `CosineAnnealingWarmRestarts` is the same. `optax.sgdr_schedule` takes a list of cycles, each with a warmup and lengths of its own:
/// a [`Sequence`](super::Sequence) of [`Warmup`](super::Warmup).
///
/// # References
/// Loshchilov & Hutter (2016), "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5, arXiv:1608.03983.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct CosineRestarts {
    /// The learning rate at the start of each cycle.
    pub lr: f64,
    /// The learning rate that each cycle falls towards.
    #[cfg_attr(feature = "serde", serde(default))]
    pub end: f64,
    /// The number of updates of the first cycle: T₀.
    pub first: u64,
    /// How many times longer each cycle is than the one before.
    #[cfg_attr(feature = "serde", serde(default = "once"))]
    pub mult: u64,
}

#[cfg(feature = "serde")]
fn once() -> u64 {
    1
}

impl CosineRestarts {
    /// Cycles of equal length from `lr` to 0.
    pub fn new(lr: f64, first: u64) -> Self {
        Self {
            lr,
            end: 0.0,
            first,
            mult: 1,
        }
    }

    /// How many updates of the current cycle are done, and how many it has.
    fn cycle(&self, done: u64) -> (u64, u64) {
        if self.mult <= 1 {
            return (done % self.first.max(1), self.first);
        }
        // The lengths at least double, so there are at most 64 turns; a length of 0 would never grow.
        let (mut done, mut length) = (done, self.first.max(1));
        while done >= length {
            done -= length;
            length = length.saturating_mul(self.mult);
        }
        (done, length)
    }
}

impl Schedule for CosineRestarts {
    // ANCHOR: restarts
    fn at(&self, done: u64) -> f64 {
        let (done, length) = self.cycle(done);
        mix(self.lr, self.end, half_cosine(done as f64, length as f64))
    }
    // ANCHOR_END: restarts

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("CosineRestarts", "lr", self.lr)?;
        Error::check_non_negative("CosineRestarts", "end", self.end)?;
        check_steps("CosineRestarts", "first", self.first)?;
        check_steps("CosineRestarts", "mult", self.mult)
    }
}

impl fmt::Display for CosineRestarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lr, end) = (Number(self.lr), Number(self.end));
        let first = Updates(self.first);
        write!(f, "cosine from {lr} to {end}, restarted after {first}")?;
        match self.mult {
            1 => Ok(()),
            mult => write!(f, ", each cycle {mult} times as long as the last"),
        }
    }
}
