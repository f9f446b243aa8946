use super::{Number, check_steps};
use crate::Error;
use std::fmt;

/// Lowers the learning rate when a metric has stopped improving.
///
/// Not a function of the number of updates: it watches a loss or a score, once an epoch or once a validation.
/// To put it on top of a [`Schedule`](super::Schedule), start from 1 and multiply.
///
/// ```text
/// better:  metric < (1 − rtol) best − atol        Goal::Min     (then best ← metric, bad ← 0; otherwise bad ← bad + 1)
///          metric > (1 + rtol) best + atol        Goal::Max
/// fires:   bad > patience                         Fires::Beyond
///          bad = patience                         Fires::At
/// then     lr ← max(factor · lr, min_lr), bad ← 0, and for `cooldown` observations bad stays 0
/// ```
///
/// # Defaults
/// [`Plateau::torch`]: factor 0.1, patience 10, fires beyond it, rtol 1e-4, no cool-down, changes of up to 1e-8 left out.
/// [`Plateau::optax`]: the same, but fires at the patience, one observation earlier, and leaves no change out.
///
/// # State
/// A [`PlateauState`] of plain numbers, made by [`start`](Self::start), which can be saved and continued.
///
/// # Example
/// ```
/// use moments::schedule::{Fires, Plateau};
///
/// let plateau = Plateau { patience: 1, ..Plateau::torch() };
/// plateau.validate()?;
/// let mut state = plateau.start(1.0);
/// let losses = [3.0, 2.0, 2.0, 2.0, 2.0];
/// let lrs = losses.map(|loss| plateau.observe(&mut state, loss));
/// assert_eq!(lrs, [1.0, 1.0, 1.0, 0.1, 0.1]);
///
/// let mut state = plateau.start(1.0);
/// let plateau = Plateau { fires: Fires::At, ..plateau };
/// let lrs = losses.map(|loss| plateau.observe(&mut state, loss));
/// assert_eq!(lrs[..4], [1.0, 1.0, 0.1, 0.010_000_000_000_000_002]);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// `validate` refuses a factor outside (0, 1), an `rtol` outside [0, 1], an `atol`, `min_lr` or `eps` that is negative or not finite,
/// a patience of 0 with [`Fires::At`], and an average over 0 metrics.
///
/// # Differences from PyTorch and optax
/// PyTorch's `threshold` is `rtol` or, with `threshold_mode="abs"`, `atol`. With a relative threshold and a negative metric both of them
/// ask for less than no improvement, and so does this: use `atol` there.
/// `optax.contrib.reduce_on_plateau` scales the updates by a factor instead: start with a learning rate of 1, its `min_scale` is `min_lr`, its
/// `accumulation_size` is `average_over`. It has no [`Goal::Max`]. With a patience of 0 it fires at every improvement, which is refused here.
/// The first metric that is a number is always an improvement here; with `rtol` 1 it never is there, since 0 · ∞ is NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct Plateau {
    /// Whether the metric should fall or rise.
    pub goal: Goal,
    /// What the learning rate is multiplied by.
    pub factor: f64,
    /// How many observations in a row may be no better.
    pub patience: u64,
    /// Whether it fires when the patience is reached or when it is exceeded.
    pub fires: Fires,
    /// By what share of the best metric the next must be better.
    pub rtol: f64,
    /// By how much the next metric must be better.
    pub atol: f64,
    /// For how many observations after a reduction none counts as bad.
    pub cooldown: u64,
    /// The learning rate goes no lower.
    pub min_lr: f64,
    /// A reduction by no more than this is left out.
    pub eps: f64,
    /// How many metrics are averaged to make one observation.
    pub average_over: u64,
}

/// Whether a metric should fall or rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Goal {
    /// Lower is better: a loss.
    #[default]
    Min,
    /// Higher is better: an accuracy.
    Max,
}

/// When a [`Plateau`] fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Fires {
    /// With bad observation number patience + 1: PyTorch.
    #[default]
    Beyond,
    /// With bad observation number patience: optax.
    At,
}

/// What a [`Plateau`] remembers between two observations.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct PlateauState {
    /// The current learning rate.
    pub lr: f64,
    /// The best observation, `None` before the first.
    pub best: Option<f64>,
    /// How many observations in a row were no better.
    pub bad: u64,
    /// How many more observations do not count as bad.
    pub cooldown: u64,
    /// The mean of the metrics of an observation that is not complete, and their number.
    pub partial: (f64, u64),
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            goal: Goal::Min,
            factor: 0.1,
            patience: 10,
            fires: Fires::Beyond,
            rtol: 1e-4,
            atol: 0.0,
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
            average_over: 1,
        }
    }
}

impl Plateau {
    /// The defaults of PyTorch's `ReduceLROnPlateau`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.contrib.reduce_on_plateau`.
    pub fn optax() -> Self {
        Self {
            fires: Fires::At,
            eps: 0.0,
            ..Self::default()
        }
    }

    /// The state before the first metric.
    pub fn start(&self, lr: f64) -> PlateauState {
        PlateauState {
            lr,
            best: None,
            bad: 0,
            cooldown: 0,
            partial: (0.0, 0),
        }
    }

    /// Takes in a metric and returns the learning rate from now on.
    ///
    /// A metric that is NaN is no improvement.
    pub fn observe(&self, state: &mut PlateauState, metric: f64) -> f64 {
        let (mean, count) = state.partial;
        let mean = (count as f64 * mean + metric) / (count as f64 + 1.0);
        state.partial = (mean, count.saturating_add(1));
        if state.partial.1 >= self.average_over {
            state.partial = (0.0, 0);
            self.judge(state, mean);
        }
        state.lr
    }

    // ANCHOR: plateau
    fn judge(&self, state: &mut PlateauState, metric: f64) {
        if self.is_better(metric, state.best) {
            state.best = Some(metric);
            state.bad = 0;
        } else {
            state.bad = state.bad.saturating_add(1);
        }
        if state.cooldown > 0 {
            state.cooldown -= 1;
            state.bad = 0;
        }
        let fires = match self.fires {
            Fires::Beyond => state.bad > self.patience,
            Fires::At => state.bad >= self.patience,
        };
        if fires {
            state.bad = 0;
            state.cooldown = self.cooldown;
            let lr = (self.factor * state.lr).max(self.min_lr);
            if state.lr - lr > self.eps {
                state.lr = lr;
            }
        }
    }
    // ANCHOR_END: plateau

    fn is_better(&self, metric: f64, best: Option<f64>) -> bool {
        match (best, self.goal) {
            (None, _) => !metric.is_nan(),
            (Some(best), Goal::Min) => metric < (1.0 - self.rtol) * best - self.atol,
            (Some(best), Goal::Max) => metric > (1.0 + self.rtol) * best + self.atol,
        }
    }

    /// Whether the settings mean something.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] names the first field that does not.
    pub fn validate(&self) -> Result<(), Error> {
        let (holds, factor) = (self.factor > 0.0 && self.factor < 1.0, self.factor);
        Error::unless(holds, "Plateau", "factor", factor, "in (0, 1)")?;
        let (holds, patience) = (
            self.fires == Fires::Beyond || self.patience > 0,
            self.patience as f64,
        );
        Error::unless(
            holds,
            "Plateau",
            "patience",
            patience,
            "at least 1 where `fires` is At",
        )?;
        Error::check_share("Plateau", "rtol", self.rtol)?;
        Error::check_non_negative("Plateau", "atol", self.atol)?;
        Error::check_non_negative("Plateau", "min_lr", self.min_lr)?;
        Error::check_non_negative("Plateau", "eps", self.eps)?;
        check_steps("Plateau", "average_over", self.average_over)
    }
}

impl fmt::Display for Plateau {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (factor, rtol, atol) = (Number(self.factor), Number(self.rtol), Number(self.atol));
        let bad = match self.fires {
            Fires::Beyond => self.patience.saturating_add(1),
            Fires::At => self.patience,
        };
        let (bound, sign) = match self.goal {
            Goal::Min => ("below", '−'),
            Goal::Max => ("above", '+'),
        };
        write!(
            f,
            "times {factor} after {bad} observations in a row that are not {bound} (1 {sign} {rtol}) best {sign} {atol}"
        )?;
        if self.average_over > 1 {
            write!(f, ", each the mean of {} metrics", self.average_over)?;
        }
        if self.cooldown > 0 {
            write!(f, ", not counting the next {}", self.cooldown)?;
        }
        if self.min_lr > 0.0 {
            write!(f, ", at least {}", Number(self.min_lr))?;
        }
        Ok(())
    }
}
