use crate::Error;

/// How a gradient is kept from being too large, on its way into a step.
///
/// The gradient itself is left as it is: the step sees the clipped one.
///
/// ```
/// use moments::{Clip, Optimizer, Sgd};
///
/// let mut theta = [0.0, 0.0];
/// let mut opt = Optimizer::new(Sgd { lr: 1.0, ..Sgd::default() });
/// opt.clip = Some(Clip::optax_norm(1.0));
/// opt.step(&mut theta, &[3.0, -4.0])?; // norm 5
/// assert_eq!(theta, [-0.6000000000000001, 0.8]);
/// opt.clip = Some(Clip::Value { limit: 0.5 });
/// opt.step(&mut theta, &[3.0, 0.25])?;
/// assert_eq!(theta, [-1.1, 0.55]);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `limit` or `max` is not above 0 and finite.
///
/// # Differences from PyTorch and optax
/// PyTorch clips in place before the step (`torch.nn.utils.clip_grad_value_`, `clip_grad_norm_`); optax clips in the chain, as here.
/// Their clipping by norm differs: [`NormForm`]. PyTorch's `clip_grad_norm_` is by the global norm.
/// The norm is taken in `f64` and in a fixed order, so that it is the same with any number of threads.
///
/// # References
/// Pascanu, Mikolov & Bengio (2013), "On the difficulty of training recurrent neural networks", Algorithm 1, arXiv:1211.5063.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Clip {
    /// Each entry is brought into [-`limit`, `limit`].
    Value {
        /// The largest absolute value that is let through.
        limit: f64,
    },
    /// A tensor whose Euclidean norm exceeds `max` is scaled down to it.
    Norm {
        /// The largest norm that is let through.
        max: f64,
        /// Whose form of the scaling.
        form: NormForm,
    },
    /// All tensors of a step are scaled down together if their common Euclidean norm exceeds `max`; for a single tensor the same as `Norm`.
    GlobalNorm {
        /// The largest norm that is let through.
        max: f64,
        /// Whose form of the scaling.
        form: NormForm,
    },
}

/// What a gradient is multiplied by where its norm is clipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum NormForm {
    /// min(1, max / (norm + 1e-6)), as PyTorch: a norm of just `max` is scaled a little too.
    #[default]
    Torch,
    /// max / norm where norm ≥ max, otherwise 1, as optax.
    Optax,
}

impl Clip {
    /// `torch.nn.utils.clip_grad_norm_`.
    pub fn torch_norm(max: f64) -> Self {
        Self::GlobalNorm {
            max,
            form: NormForm::Torch,
        }
    }

    /// `optax.clip_by_global_norm`.
    pub fn optax_norm(max: f64) -> Self {
        Self::GlobalNorm {
            max,
            form: NormForm::Optax,
        }
    }

    /// Whether the norm of a gradient must be known to clip it.
    pub(crate) fn is_by_norm(self) -> bool {
        !matches!(self, Self::Value { .. })
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        let (field, value) = match *self {
            Self::Value { limit } => ("limit", limit),
            Self::Norm { max, .. } | Self::GlobalNorm { max, .. } => ("max", max),
        };
        Error::check_positive("Clip", field, value)
    }
}

impl NormForm {
    /// The factor for a gradient of this norm; NaN for a norm that is NaN.
    pub fn factor(self, norm: f64, max: f64) -> f64 {
        match self {
            Self::Torch if max / (norm + 1e-6) > 1.0 => 1.0,
            Self::Torch => max / (norm + 1e-6),
            Self::Optax if norm < max => 1.0,
            Self::Optax => max / norm,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_forms_differ_at_the_limit_and_agree_below_it() {
        let (torch, optax) = (NormForm::Torch, NormForm::Optax);
        assert_eq!((torch.factor(0.5, 1.0), optax.factor(0.5, 1.0)), (1.0, 1.0));
        assert_eq!((torch.factor(0.0, 1.0), optax.factor(0.0, 1.0)), (1.0, 1.0));
        assert_eq!(torch.factor(1.0, 1.0), 1.0 / 1.000_001);
        assert_eq!(optax.factor(1.0, 1.0), 1.0);
        assert_eq!(torch.factor(4.0, 1.0), 1.0 / 4.000_001);
        assert_eq!(optax.factor(4.0, 1.0), 0.25);
    }

    #[test]
    fn a_norm_that_is_not_a_number_is_not_hidden() {
        assert!(NormForm::Torch.factor(f64::NAN, 1.0).is_nan());
        assert!(NormForm::Optax.factor(f64::NAN, 1.0).is_nan());
        assert_eq!(NormForm::Torch.factor(f64::INFINITY, 1.0), 0.0);
    }
}
