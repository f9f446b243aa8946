use super::{Number, Schedule, Updates, check_positive, check_steps, half_cosine, mix};
use crate::Error;
use std::fmt;

/// One cycle: up to a peak and down to far below the start, while the momentum goes down and up.
///
/// ```text
/// lr:        initial → peak → final                initial = peak / div_factor
/// momentum:  max → base → max                      final = initial / final_div_factor
/// ```
/// With [`Phases::Three`] the learning rate comes back to `initial` first, as the momentum comes back to `max`, and then goes on to `final`.
/// Between two corners it follows half a cosine wave or a straight line ([`Anneal`]). The corners, by [`EndsAt`]:
///
/// ```text
///                     peak                     (back at initial)        final
/// LastUpdate          pct_start·steps − 1      pct_final·steps − 2      steps − 1       PyTorch
/// AfterLastUpdate     ⌊pct_start·steps⌋        ⌊pct_final·steps⌋        steps           optax
/// ```
///
/// # Defaults
/// [`OneCycle::torch`]: two phases, cosine, 30% up, `div_factor` 25, `final_div_factor` 1e4, momentum between 0.85 and 0.95.
///
/// # Example
/// With β₁ in the place of the momentum, as PyTorch does for Adam:
/// ```
/// use moments::schedule::{Anneal, EndsAt, OneCycle, Schedule};
/// use moments::Adam;
///
/// let schedule = OneCycle {
///     pct_start: 0.5,
///     div_factor: 4.0,
///     final_div_factor: 1.0,
///     anneal: Anneal::Linear,
///     ends_at: EndsAt::AfterLastUpdate,
///     ..OneCycle::torch(1.0, 4)
/// };
/// assert_eq!(schedule.values(6), [0.25, 0.625, 1.0, 0.625, 0.25, 0.25]);
/// let mut adam = Adam { lr: schedule.at(1), beta1: schedule.momentum_at(1), ..Adam::default() };
/// assert!((adam.beta1 - 0.9).abs() < 1e-15);
/// ```
///
/// # Errors
/// `validate` refuses 0 updates, a peak that is negative or not finite, factors that are not positive and finite, shares outside [0, 1],
/// a `pct_final` below `pct_start` where there are three phases, and momenta outside [0, 1).
///
/// # Differences from PyTorch and optax
/// PyTorch reaches the final value at its last update, optax after it. PyTorch's peak is at a fraction of an update, so that no update may have it;
/// optax rounds down. Past the end PyTorch's `OneCycleLR` raises an error, after one update that has risen again;
/// optax and this schedule stay at the final value. PyTorch's `three_phase` has `pct_final` = 2 · `pct_start` ([`OneCycle::torch_three_phase`]),
/// `optax.linear_onecycle_schedule` 0.85 ([`OneCycle::optax_linear`]); with `pct_start` > 1/2 PyTorch's three phases never finish: refused here.
/// optax does not cycle the momentum. PyTorch's straight line loses digits near its end: with the defaults its last learning rate is off by 1e-12 of itself.
///
/// # References
/// Smith & Topin (2017), "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates", arXiv:1708.07120.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct OneCycle {
    /// The largest learning rate.
    pub peak: f64,
    /// The number of updates of the cycle.
    pub steps: u64,
    /// The share of the updates that goes up.
    pub pct_start: f64,
    /// The share of the updates until the learning rate is back at its first value; of no account with two phases.
    pub pct_final: f64,
    /// The peak divided by the first learning rate.
    pub div_factor: f64,
    /// The first learning rate divided by the last.
    pub final_div_factor: f64,
    /// Whether the way down stops at the first learning rate.
    pub phases: Phases,
    /// The curve between two corners.
    pub anneal: Anneal,
    /// When the final value is reached.
    pub ends_at: EndsAt,
    /// The momentum at the peak.
    pub base_momentum: f64,
    /// The momentum at the start and at the end.
    pub max_momentum: f64,
}

/// The parts of a cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Phases {
    /// Up, and down to the final value.
    #[default]
    Two,
    /// Up, down to the first value, and on to the final value.
    Three,
}

/// The curve between two corners of a cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Anneal {
    /// Half a wave of a cosine.
    #[default]
    Cosine,
    /// A straight line.
    Linear,
}

/// When a cycle reaches its final value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum EndsAt {
    /// With the last update, which is at(steps − 1): PyTorch.
    #[default]
    LastUpdate,
    /// After the last update, with at(steps): optax.
    AfterLastUpdate,
}

impl OneCycle {
    /// The defaults of PyTorch's `OneCycleLR`.
    pub fn torch(peak: f64, steps: u64) -> Self {
        Self {
            peak,
            steps,
            pct_start: 0.3,
            pct_final: 1.0,
            div_factor: 25.0,
            final_div_factor: 1e4,
            phases: Phases::Two,
            anneal: Anneal::Cosine,
            ends_at: EndsAt::LastUpdate,
            base_momentum: 0.85,
            max_momentum: 0.95,
        }
    }

    /// PyTorch's `OneCycleLR` with `three_phase=True`: as long down to the first value as up.
    pub fn torch_three_phase(peak: f64, steps: u64) -> Self {
        Self {
            pct_final: 0.6,
            phases: Phases::Three,
            ..Self::torch(peak, steps)
        }
    }

    /// The defaults of `optax.cosine_onecycle_schedule`.
    pub fn optax_cosine(peak: f64, steps: u64) -> Self {
        Self {
            ends_at: EndsAt::AfterLastUpdate,
            ..Self::torch(peak, steps)
        }
    }

    /// The defaults of `optax.linear_onecycle_schedule`.
    pub fn optax_linear(peak: f64, steps: u64) -> Self {
        Self {
            pct_final: 0.85,
            phases: Phases::Three,
            anneal: Anneal::Linear,
            ..Self::optax_cosine(peak, steps)
        }
    }

    /// The momentum, or β₁, of the next update after `done` updates.
    pub fn momentum_at(&self, done: u64) -> f64 {
        let (base, max) = (self.base_momentum, self.max_momentum);
        self.follow([max, base, max, max], done)
    }

    /// The way along the values at the corners: start, peak, back at the start, end.
    // ANCHOR: one_cycle
    fn follow(&self, [start, peak, back, end]: [f64; 4], done: u64) -> f64 {
        let steps = self.steps as f64;
        let (up, down) = (self.pct_start * steps, self.pct_final * steps);
        let (up, down, last) = match self.ends_at {
            EndsAt::LastUpdate => (up - 1.0, down - 2.0, steps - 1.0),
            EndsAt::AfterLastUpdate => (up.floor(), down.floor(), steps),
        };
        let corners = [(up, peak), (down, back), (last, end)];
        let skipped = match self.phases {
            Phases::Two => Some(1),
            Phases::Three => None,
        };
        let done = done as f64;
        let (mut since, mut from) = (0.0, start);
        for (i, (until, to)) in corners.into_iter().enumerate() {
            if skipped == Some(i) {
                continue;
            }
            if done <= until && since < until {
                let progress = (done - since) / (until - since);
                let left = match self.anneal {
                    Anneal::Cosine => half_cosine(progress, 1.0),
                    Anneal::Linear => 1.0 - progress,
                };
                return mix(from, to, left);
            }
            (since, from) = (until, to);
        }
        from
    }
    // ANCHOR_END: one_cycle
}

impl Schedule for OneCycle {
    fn at(&self, done: u64) -> f64 {
        let initial = self.peak / self.div_factor;
        let last = initial / self.final_div_factor;
        self.follow([initial, self.peak, initial, last], done)
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("OneCycle", "peak", self.peak)?;
        check_steps("OneCycle", "steps", self.steps)?;
        Error::check_share("OneCycle", "pct_start", self.pct_start)?;
        Error::check_share("OneCycle", "pct_final", self.pct_final)?;
        if self.phases == Phases::Three {
            let (holds, value) = (self.pct_final >= self.pct_start, self.pct_final);
            Error::unless(holds, "OneCycle", "pct_final", value, "at least pct_start")?;
        }
        check_positive("OneCycle", "div_factor", self.div_factor)?;
        check_positive("OneCycle", "final_div_factor", self.final_div_factor)?;
        Error::check_decay_rate("OneCycle", "base_momentum", self.base_momentum)?;
        Error::check_decay_rate("OneCycle", "max_momentum", self.max_momentum)
    }
}

impl fmt::Display for OneCycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let initial = self.peak / self.div_factor;
        let (first, peak) = (Number(initial), Number(self.peak));
        let last = Number(initial / self.final_div_factor);
        let curve = match self.anneal {
            Anneal::Cosine => "cosine",
            Anneal::Linear => "linear",
        };
        let back = match self.phases {
            Phases::Two => String::new(),
            Phases::Three => format!(" to {first}"),
        };
        let ends_at = match self.ends_at {
            EndsAt::LastUpdate => "with the last of",
            EndsAt::AfterLastUpdate => "after",
        };
        let steps = Updates(self.steps);
        write!(
            f,
            "one {curve} cycle from {first} to {peak}{back} to {last} {ends_at} {steps}"
        )
    }
}
