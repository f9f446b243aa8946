use super::{Number, Schedule, Updates, check_steps, mix};
use crate::Error;
use std::fmt;

/// Triangles between two learning rates, for ever, while the momentum goes the other way.
///
/// ```text
/// lr(t) = base + (peak − base) · s · h            s = min(u / up, (up + down − u) / down),  u updates of the cycle done
/// momentum(t) = max − (max − base) · s · h
///
/// h = 1                                           Height::Same
/// h = 2^−c in cycle c = 0, 1, …                   Height::Halves
/// h = γᵗ                                          Height::Decays(γ)
/// ```
///
/// # Defaults
/// [`Cyclic::torch`]: 2000 updates up and as many down, cycles of the same height, momentum between 0.8 and 0.9.
///
/// # Example
/// ```
/// use moments::schedule::{Cyclic, Height, Schedule};
///
/// let schedule = Cyclic { up: 2, down: 1, height: Height::Halves, ..Cyclic::torch(0.0, 1.0) };
/// assert_eq!(schedule.values(8), [0.0, 0.5, 1.0, 0.0, 0.25, 0.5, 0.0, 0.125]);
/// ```
///
/// # Errors
/// `validate` refuses learning rates that are negative or not finite, 0 updates up or down, a γ outside [0, 1] and momenta outside [0, 1).
///
/// # Differences from PyTorch and optax
/// PyTorch's `CyclicLR` is the same: `triangular`, `triangular2` and `exp_range`. It finds the place in the cycle by subtracting
/// floating-point numbers, which costs 4e-14 of the learning rate within 400 updates, and more later; this schedule counts. optax has none.
///
/// # References
/// Smith (2015), "Cyclical Learning Rates for Training Neural Networks", arXiv:1506.01186.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Cyclic {
    /// The learning rate at the foot of each cycle.
    pub base: f64,
    /// The learning rate at the top of the first cycle.
    pub peak: f64,
    /// The number of updates from the foot to the top.
    pub up: u64,
    /// The number of updates from the top to the foot.
    pub down: u64,
    /// How the height changes.
    pub height: Height,
    /// The momentum at the top of the first cycle.
    pub base_momentum: f64,
    /// The momentum at the foot of each cycle.
    pub max_momentum: f64,
}

/// How the height of the cycles changes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Height {
    /// It does not: `triangular`.
    #[default]
    Same,
    /// Each cycle has half the height of the one before: `triangular2`.
    Halves,
    /// It is multiplied by this γ at every update: `exp_range`.
    Decays(f64),
}

impl Cyclic {
    /// The defaults of PyTorch's `CyclicLR`.
    pub fn torch(base: f64, peak: f64) -> Self {
        Self {
            base,
            peak,
            up: 2000,
            down: 2000,
            height: Height::Same,
            base_momentum: 0.8,
            max_momentum: 0.9,
        }
    }

    /// The momentum, or β₁, of the next update after `done` updates.
    pub fn momentum_at(&self, done: u64) -> f64 {
        mix(self.base_momentum, self.max_momentum, self.share(done))
    }

    /// s · h: how much of the way to the top.
    fn share(&self, done: u64) -> f64 {
        let length = self.up.saturating_add(self.down).max(1);
        let (cycle, u) = (done / length, done % length);
        let (rise, fall) = (
            u as f64 / self.up as f64,
            (length - u) as f64 / self.down as f64,
        );
        let s = rise.min(fall);
        match self.height {
            Height::Same => s,
            Height::Halves => s * libm::pow(0.5, cycle as f64),
            Height::Decays(gamma) => s * libm::pow(gamma, done as f64),
        }
    }
}

impl Schedule for Cyclic {
    fn at(&self, done: u64) -> f64 {
        mix(self.peak, self.base, self.share(done))
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Cyclic", "base", self.base)?;
        Error::check_non_negative("Cyclic", "peak", self.peak)?;
        check_steps("Cyclic", "up", self.up)?;
        check_steps("Cyclic", "down", self.down)?;
        if let Height::Decays(gamma) = self.height {
            Error::check_share("Cyclic", "height", gamma)?;
        }
        Error::check_decay_rate("Cyclic", "base_momentum", self.base_momentum)?;
        Error::check_decay_rate("Cyclic", "max_momentum", self.max_momentum)
    }
}

impl fmt::Display for Cyclic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (base, peak) = (Number(self.base), Number(self.peak));
        let (up, down) = (Updates(self.up), Updates(self.down));
        write!(
            f,
            "cycles between {base} and {peak}, {up} up and {down} down"
        )?;
        match self.height {
            Height::Same => Ok(()),
            Height::Halves => write!(f, ", each half as high as the last"),
            Height::Decays(gamma) => write!(f, ", of a height times {}^t", Number(gamma)),
        }
    }
}
