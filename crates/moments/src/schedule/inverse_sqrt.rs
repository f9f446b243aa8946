use super::{Number, Schedule, Updates, check_positive, check_steps};
use crate::Error;
use std::fmt;

/// One over the square root of the number of updates.
///
/// ```text
/// lr(t) = lr · √(τ / max(t, τ))       InverseSqrtForm::Flat: lr until update τ
/// lr(t) = lr · √(τ / (t + τ))         InverseSqrtForm::Shifted: falls from the start
/// ```
///
/// # Defaults
/// None; T5 has the flat form with τ = 10,000 and lr = 1/√τ = 0.01.
///
/// # Example
/// ```
/// use moments::schedule::{InverseSqrt, InverseSqrtForm, Schedule};
///
/// let schedule = InverseSqrt { lr: 1.0, timescale: 4, form: InverseSqrtForm::Flat };
/// assert_eq!((schedule.at(4), schedule.at(16), schedule.at(64)), (1.0, 0.5, 0.25));
/// let schedule = InverseSqrt { form: InverseSqrtForm::Shifted, ..schedule };
/// assert_eq!((schedule.at(0), schedule.at(12), schedule.at(60)), (1.0, 0.5, 0.25));
/// ```
///
/// # Errors
/// `validate` refuses an `lr` that is negative or not finite and a time scale of 0.
///
/// # Differences from PyTorch and optax
/// Neither has it. With a warmup over τ updates before it, the shifted form is fairseq's and Hugging Face's `inverse_sqrt`:
/// w(t) · lr, then lr · √(τ / t).
///
/// # References
/// Raffel et al. (2019), "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer", section 3.1.2, arXiv:1910.10683.
/// Zhai, Kolesnikov, Houlsby & Beyer (2021), "Scaling Vision Transformers", section 3.5, arXiv:2106.04560.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct InverseSqrt {
    /// The learning rate at first.
    pub lr: f64,
    /// τ, a number of updates.
    pub timescale: u64,
    /// What is under the root.
    #[cfg_attr(feature = "serde", serde(default))]
    pub form: InverseSqrtForm,
}

/// What is under the root of an inverse square root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum InverseSqrtForm {
    /// τ / max(t, τ): constant for τ updates.
    #[default]
    Flat,
    /// τ / (t + τ).
    Shifted,
}

impl Schedule for InverseSqrt {
    // ANCHOR: inverse_sqrt
    fn at(&self, done: u64) -> f64 {
        let (t, timescale) = (done as f64, self.timescale as f64);
        let time = match self.form {
            InverseSqrtForm::Flat => t.max(timescale),
            InverseSqrtForm::Shifted => t + timescale,
        };
        self.lr * (timescale / time).sqrt()
    }
    // ANCHOR_END: inverse_sqrt

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("InverseSqrt", "lr", self.lr)?;
        check_steps("InverseSqrt", "timescale", self.timescale)
    }
}

impl fmt::Display for InverseSqrt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lr, timescale) = (Number(self.lr), self.timescale);
        match self.form {
            InverseSqrtForm::Flat => write!(f, "{lr} times √({timescale} / max(t, {timescale}))"),
            InverseSqrtForm::Shifted => write!(f, "{lr} times √({timescale} / (t + {timescale}))"),
        }
    }
}

/// The schedule of the first Transformer: a linear rise, then one over the square root.
///
/// ```text
/// lr(t) = factor · d_model^−½ · min(s^−½, s · warmup^−3/2)        s = t + 1
/// ```
/// The peak is factor / √(d_model · warmup), with the update of s = warmup.
///
/// # Defaults
/// [`Noam::paper`]: d_model 512, warmup 4000, factor 1 (section 5.3 of the paper).
///
/// # Example
/// ```
/// use moments::schedule::{Noam, Schedule};
///
/// let schedule = Noam { d_model: 16, warmup: 4, factor: 1.0 };
/// assert_eq!((schedule.at(0), schedule.at(1), schedule.at(3), schedule.at(15)), (0.03125, 0.0625, 0.125, 0.0625));
/// ```
///
/// # Errors
/// `validate` refuses a `d_model` or `warmup` of 0 and a factor that is not positive and finite.
///
/// # Differences from PyTorch and optax
/// Neither has it. The paper counts steps from 1. Counted from 0, the first update would move nothing, and s^−½ be infinite.
///
/// # References
/// Vaswani et al. (2017), "Attention Is All You Need", equation 3, arXiv:1706.03762.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Noam {
    /// The width of the model.
    pub d_model: u64,
    /// The number of updates of the warmup.
    pub warmup: u64,
    /// A factor on all of it.
    #[cfg_attr(feature = "serde", serde(default = "super::one"))]
    pub factor: f64,
}

impl Noam {
    /// The base model of the paper.
    pub fn paper() -> Self {
        Self {
            d_model: 512,
            warmup: 4000,
            factor: 1.0,
        }
    }
}

impl Schedule for Noam {
    // ANCHOR: noam
    fn at(&self, done: u64) -> f64 {
        let (s, warmup) = (done as f64 + 1.0, self.warmup as f64);
        let rise = s / (warmup * warmup.sqrt());
        let fall = 1.0 / s.sqrt();
        self.factor / (self.d_model as f64).sqrt() * fall.min(rise)
    }
    // ANCHOR_END: noam

    fn validate(&self) -> Result<(), Error> {
        check_steps("Noam", "d_model", self.d_model)?;
        check_steps("Noam", "warmup", self.warmup)?;
        check_positive("Noam", "factor", self.factor)
    }
}

impl fmt::Display for Noam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (factor, d_model) = (Number(self.factor), self.d_model);
        let warmup = Updates(self.warmup);
        write!(
            f,
            "{factor} / √{d_model} times 1/√s at update s, after a warmup over {warmup}"
        )
    }
}
