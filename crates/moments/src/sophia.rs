use crate::float::power;
use crate::{CurvatureRule, Denominator, Error, Float, MAX_STATE, Rule, Step};

/// Sophia: momentum over curvature, entry by entry, clipped.
///
/// ```text
/// m ← β₁ m + (1 − β₁) g
/// θ ← θ − lr · (clip(m̂ / max(γ h, ε), ±ρ) + λ θ)         m̂ = m / (1 − β₁ᵗ) in optax, m in the paper
/// h ← β₂ h + (1 − β₂) ĥ                                  when the curvature ĥ is observed
/// ```
///
/// Call [`observe_curvature`](crate::Optimizer::observe_curvature) once in some 10 steps:
/// after steps 1, 11, 21, … as optax does, or before them as the paper does.
///
/// # Defaults
/// `beta1` 0.965, `beta2` 0.99, `gamma` 0.01, `eps` 1e-8, `clip` (ρ) 1, `weight_decay` 1e-4, m̂: `optax.contrib.sophia`,
/// which has no default for `lr`: 1e-3.
///
/// # State
/// `exp_avg` (m) and `hessian` (h), of the parameters' shape, zero at first: 2 floats per parameter.
///
/// # Example
/// A step is a sign step until some curvature has been seen.
/// ```
/// use moments::{Optimizer, Sophia};
///
/// let mut x = [1.0_f64];
/// let mut opt = Optimizer::new(Sophia { lr: 0.1, gamma: 1.0, weight_decay: 0.0, ..Sophia::default() });
/// opt.step(&mut x, &[2.0])?; // m̂ = 2, h = 0: clip(2/1e-8, ±1) = 1
/// assert!((x[0] - 0.9).abs() < 1e-15);
/// opt.observe_curvature(&[1000.0])?; // h = 0.01 · 1000 = 10
/// opt.step(&mut x, &[2.0])?; // m̂ = 2: 2/10
/// assert!((x[0] - 0.88).abs() < 1e-15);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `gamma`, `eps` or `weight_decay` is negative or not finite, a β is outside [0, 1), or `clip` is not above 0.
/// With `eps` 0 an entry without gradients and curvature becomes 0/0 = NaN.
///
/// # Differences from PyTorch and optax
/// PyTorch has none. optax corrects m ([`Numerator::Corrected`]), the paper does not ([`Numerator::Uncorrected`]).
/// `clip: f64::INFINITY` is optax's `clip_threshold=None`. `update_interval` and the estimator are the caller's.
/// The authors' code divides |m| by γ · h + 1e-15, with h times the batch size, and clips that to 1.
///
/// # References
/// Liu, Li, Hall, Liang & Ma (2023), "Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training",
/// Algorithm 3, arXiv:2305.14342.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Sophia {
    /// The learning rate η, in units of the parameters: with ρ = 1 the largest step.
    pub lr: f64,
    /// The decay rate β₁ of the first moment, in [0, 1).
    pub beta1: f64,
    /// The decay rate β₂ of the curvature, in [0, 1), per observation.
    pub beta2: f64,
    /// γ: what the curvature is multiplied by; the larger, the fewer entries are clipped.
    pub gamma: f64,
    /// ε: the smallest denominator, which also stands in for a negative one.
    pub eps: f64,
    /// ρ: the largest m / max(γ h, ε) that is not clipped; infinite for no clipping.
    pub clip: f64,
    /// The decoupled weight decay λ, scaled by `lr`.
    pub weight_decay: f64,
    /// Whether m is corrected.
    pub momentum: Numerator,
}

/// What Sophia divides by the curvature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Numerator {
    /// m / (1 − β₁ᵗ): optax.
    #[default]
    Corrected,
    /// m: Algorithm 3 of the paper. The first steps are small where they are not clipped.
    Uncorrected,
}

impl Default for Sophia {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.965,
            beta2: 0.99,
            gamma: 0.01,
            eps: 1e-8,
            clip: 1.0,
            weight_decay: 1e-4,
            momentum: Numerator::Corrected,
        }
    }
}

impl Sophia {
    /// The defaults of `optax.contrib.sophia`, which has none for the learning rate: 1e-3.
    pub fn optax() -> Self {
        Self::default()
    }

    /// Algorithm 3 of Liu et al. (2023) with β₁ = 0.96, β₂ = 0.99, γ = 0.01 and ε = 1e-12.
    pub fn paper() -> Self {
        Self {
            beta1: 0.96,
            eps: 1e-12,
            momentum: Numerator::Uncorrected,
            ..Self::default()
        }
    }
}

impl Rule for Sophia {
    fn name(&self) -> &'static str {
        "Sophia"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Sophia", "lr", self.lr)?;
        Error::check_decay_rate("Sophia", "beta1", self.beta1)?;
        Error::check_decay_rate("Sophia", "beta2", self.beta2)?;
        Error::check_non_negative("Sophia", "gamma", self.gamma)?;
        Error::check_non_negative("Sophia", "eps", self.eps)?;
        Error::unless(self.clip > 0.0, "Sophia", "clip", self.clip, "above 0")?;
        Error::check_non_negative("Sophia", "weight_decay", self.weight_decay)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["exp_avg", "hessian"]
    }

    fn corrections(&self, t: u64) -> (f64, f64) {
        match self.momentum {
            Numerator::Corrected => (1.0 - power(self.beta1, t), 1.0),
            Numerator::Uncorrected => (1.0, 1.0),
        }
    }

    fn denominator(&self, _t: u64, state: &[f64]) -> Option<Denominator> {
        let root = self.gamma * state.get(1)?;
        Some(Denominator {
            root,
            full: root.larger(self.eps),
        })
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (bc1, _) = step.corrections;
        let unbias1 = T::of(1.0 / bc1);
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (lr, gamma, eps) = (T::of(self.lr), T::of(self.gamma), T::of(self.eps));
        let (clip, weight_decay) = (T::of(self.clip), T::of(self.weight_decay));

        let [m, h, ..] = step.state;
        for (((theta, &g), m), &mut h) in step.theta.iter_mut().zip(step.grad).zip(m).zip(h) {
            *m = beta1 * *m + one_minus_beta1 * g;
            let m_hat = unbias1 * *m;
            let ratio = m_hat / (gamma * h).larger(eps);
            let ratio = if ratio > clip { clip } else { ratio };
            let ratio = if ratio < -clip { -clip } else { ratio };
            *theta -= lr * (ratio + weight_decay * *theta);
        }
    }
    // ANCHOR_END: update
}

impl CurvatureRule for Sophia {
    fn observe<T: Float>(&self, _t: u64, curvature: &[T], state: [&mut [T]; MAX_STATE]) {
        let (beta2, one_minus_beta2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let [_, h, ..] = state;
        for (h, &curvature) in h.iter_mut().zip(curvature) {
            *h = beta2 * *h + one_minus_beta2 * curvature;
        }
    }
}
