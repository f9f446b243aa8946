use super::{Number, Schedule, Updates, capped};
use crate::Error;
use std::fmt;

/// The schedule that the gradient norms of an earlier run call for.
///
/// Run once with any schedule and record the norm of the gradient at every update. Where gradients were small, larger steps were in order:
///
/// ```text
/// Ĝ = median filter of G, of width 2 ⌊τT/2⌋ + 1
/// w(t) = Ĝ(t)⁻²                                   Norms::L2, for SGD
/// w(t) = Ĝ(t)⁻¹                                   Norms::L1, for Adam
/// η(t) = w(t) · Σ w(p) over p > t
/// lr(t) = lr · η(t) / max η
/// ```
/// Constant norms give exactly the linear decay from `lr` to 0; both have the value 0 at the last update.
/// Falling norms give a warmup without being asked for one.
///
/// # Defaults
/// τ has no default; the paper uses 0.1.
/// At its start the filter repeats the first norm, at its end it mirrors the last ones, the last included.
///
/// # Example
/// ```
/// use moments::schedule::{Norms, Refined, Schedule};
///
/// let constant = Refined::from_norms(1.0, &[7.0; 5], 0.1, Norms::L2)?;
/// assert_eq!(constant.values(6), [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]);
///
/// // w = 1/4, 1, 1, 1: sums 3, 2, 1, 0; products 3/4, 2, 1, 0.
/// let falling = Refined::from_norms(0.5, &[2.0, 1.0, 1.0, 1.0], 0.0, Norms::L2)?;
/// assert_eq!(falling.values(4), [0.1875, 0.5, 0.25, 0.0]);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// [`from_norms`](Self::from_norms) refuses fewer than two norms, one that is not positive and finite, and a τ outside [0, 1].
/// `validate` refuses an `lr` that is negative or not finite, no factors, and a factor outside [0, 1].
///
/// # Differences from PyTorch and optax
/// Neither has it.
///
/// # References
/// Defazio, Cutkosky, Mehta & Mishchenko (2023), "When, Why and How Much? Adaptive Learning Rate Scheduling by Refinement",
/// Algorithms 1 and 2, arXiv:2310.07831.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Refined {
    /// The largest learning rate.
    pub lr: f64,
    /// The share of it for each update; the last one for all updates after them.
    pub factors: Vec<f64>,
}

/// Which norms of the gradient were recorded, and so which optimizer is scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Norms {
    /// The square root of the sum of squares: SGD.
    L2,
    /// The sum of absolute values: Adam.
    L1,
}

impl Refined {
    /// The refined schedule, from one gradient norm for each update of an earlier run.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] names what cannot be used: see above.
    // ANCHOR: refined
    pub fn from_norms(lr: f64, norms: &[f64], tau: f64, kind: Norms) -> Result<Self, Error> {
        let (holds, count) = (norms.len() > 1, norms.len() as f64);
        Error::unless(holds, "Refined", "norms", count, "at least 2 norms")?;
        for &norm in norms {
            super::check_positive("Refined", "norms", norm)?;
        }
        Error::check_share("Refined", "tau", tau)?;

        let half = (0.5 * tau * norms.len() as f64).floor() as usize;
        let filtered = median_filter(norms, half);
        // Only ratios of weights matter. Over the smallest norm no weight overflows.
        let smallest = filtered.iter().copied().fold(f64::INFINITY, f64::min);
        let weight = |norm: f64| match kind {
            Norms::L2 => (smallest / norm) * (smallest / norm),
            Norms::L1 => smallest / norm,
        };
        let mut later = 0.0;
        let mut factors = vec![0.0; norms.len()];
        for (factor, norm) in factors.iter_mut().zip(filtered).rev() {
            let w = weight(norm);
            *factor = w * later;
            later += w;
        }
        let largest = factors.iter().copied().fold(0.0, f64::max);
        for factor in &mut factors {
            *factor /= largest;
        }
        let refined = Self { lr, factors };
        refined.validate()?;
        Ok(refined)
    }
    // ANCHOR_END: refined
}

/// The median of each value and of the `half` values on either side of it.
fn median_filter(values: &[f64], half: usize) -> Vec<f64> {
    let n = values.len();
    // Beyond the start the first value is repeated; beyond the end the values come back in reverse.
    let padded = |i: usize| match i.saturating_sub(half) {
        i if i < n => values[i],
        beyond => values[2 * n - 1 - beyond],
    };
    let mut window: Vec<f64> = (0..=2 * half).map(padded).collect();
    window.sort_by(f64::total_cmp);
    let mut medians = vec![window[half]];
    for i in 1..n {
        let (gone, new) = (padded(i - 1), padded(i + 2 * half));
        let at = window.partition_point(|&x| x < gone);
        window.remove(at);
        let at = window.partition_point(|&x| x < new);
        window.insert(at, new);
        medians.push(window[half]);
    }
    medians
}

impl Schedule for Refined {
    fn at(&self, done: u64) -> f64 {
        let last = self.factors.len().saturating_sub(1);
        let i = usize::try_from(done).map_or(last, |done| done.min(last));
        self.factors
            .get(i)
            .map_or(f64::NAN, |factor| capped(self.lr * factor))
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Refined", "lr", self.lr)?;
        let (holds, count) = (!self.factors.is_empty(), self.factors.len() as f64);
        Error::unless(holds, "Refined", "factors", count, "at least 1 factor")?;
        self.factors
            .iter()
            .try_for_each(|&factor| Error::check_share("Refined", "factors", factor))
    }
}

impl fmt::Display for Refined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peak = self
            .factors
            .iter()
            .position(|&factor| factor == 1.0)
            .unwrap_or(0);
        let steps = Updates(self.factors.len() as u64);
        write!(
            f,
            "refined over {steps}, with the peak {} at update {peak}",
            Number(self.lr)
        )
    }
}
