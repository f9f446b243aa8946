use crate::float::power;
use crate::{Denominator, Error, Float, Rule, Step};

/// AdamW: Adam with decoupled weight decay, which is not divided by √v̂.
///
/// ```text
/// m ← β₁ m + (1 − β₁) g          m̂ = m / (1 − β₁ᵗ)      Nesterov: m̂ = β₁ m / (1 − β₁ᵗ⁺¹) + (1 − β₁) g / (1 − β₁ᵗ)
/// v ← β₂ v + (1 − β₂) g²         v̂ = v / (1 − β₂ᵗ)
/// d = lr · wd                    or wd · lr / peak_lr
///
/// before     θ ← (1 − d) θ       θ ← θ − lr · m̂ / (√v̂ + ε)
/// within     θ ← θ − (lr · m̂ / (√v̂ + ε) + d θ)
/// after      θ ← θ − lr · m̂ / (√v̂ + ε)       θ ← (1 − d) θ
/// ```
///
/// # Defaults
/// `lr` 1e-3, `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, `weight_decay` 1e-2, decay before the step and scaled by `lr`: `torch.optim.AdamW`.
/// `eps_root` 0, no Nesterov.
///
/// # State
/// `exp_avg` (m) and `exp_avg_sq` (v), both uncorrected, of the parameters' shape, zero at first: 2 floats per parameter.
///
/// # Example
/// A constant gradient makes every Adam step `lr` long; the decay takes d = 0.01 of θ before it.
/// ```
/// use moments::{AdamW, Optimizer};
///
/// let mut theta = [1.0_f64];
/// let mut opt = Optimizer::new(AdamW { lr: 0.1, weight_decay: 0.1, eps: 0.0, ..AdamW::default() });
/// for expected in [0.89, 0.7811] {
///     opt.step(&mut theta, &[2.0])?;
///     assert!((theta[0] - expected).abs() < 1e-15); // 0.99 · 1 − 0.1, then 0.99 · 0.89 − 0.1
/// }
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `eps`, `eps_root` or `weight_decay` is negative or not finite, a β is outside [0, 1), or `peak_lr` is not finite and above 0.
/// With `eps` and `eps_root` both 0, an entry whose gradients have all been 0 becomes 0/0 = NaN, as in PyTorch.
///
/// # Differences from PyTorch and optax
/// `torch.optim.AdamW` decays before the step, `optax.adamw` within it.
/// In real arithmetic the two are the same, since the rest of the step does not depend on θ; a decay after the step differs by d · lr · m̂ / (√v̂ + ε).
/// PyTorch's default `weight_decay` is 1e-2, optax's 1e-4.
/// Both scale the decay by `lr`. The paper scales it by the schedule multiplier alone, so that a choice of the peak rate does not change the decay:
/// [`DecayScale::Multiplier`].
/// `AdamW(amsgrad=True)` is [`AmsGrad`](crate::AmsGrad) with `decoupled_weight_decay`.
///
/// # References
/// Loshchilov & Hutter (2019), "Decoupled Weight Decay Regularization", Algorithm 2, arXiv:1711.05101; there the decay is within the step.
/// Dozat (2016), "Incorporating Nesterov Momentum into Adam", for the Nesterov form.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct AdamW {
    /// The learning rate η, in units of the parameters.
    pub lr: f64,
    /// The decay rate β₁ of the first moment, in [0, 1).
    pub beta1: f64,
    /// The decay rate β₂ of the second moment, in [0, 1).
    pub beta2: f64,
    /// ε outside the root, in units of the gradient.
    pub eps: f64,
    /// ε inside the root, in units of the gradient squared.
    pub eps_root: f64,
    /// The decoupled coefficient λ: the fraction of θ that a step takes away, before [`DecayScale`].
    pub weight_decay: f64,
    /// Where in the step the decay is.
    pub decay: Decay,
    /// What the decay is scaled by.
    pub decay_scale: DecayScale,
    /// Whether m̂ looks one step ahead, in Nesterov's way.
    pub nesterov: bool,
}

/// Where in a step the decoupled weight decay is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Decay {
    /// θ is multiplied by 1 − d, then steps: PyTorch.
    #[default]
    Before,
    /// d θ, with the old θ, is a part of the step: the paper, optax.
    Within,
    /// θ steps, then is multiplied by 1 − d, so that the step itself decays too: some fused kernels.
    After,
}

/// What the decoupled weight decay is scaled by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum DecayScale {
    /// By the learning rate: PyTorch, optax.
    #[default]
    Lr,
    /// By the schedule's multiplier alone, `lr / peak_lr`: the paper.
    Multiplier {
        /// The learning rate where the schedule's multiplier is 1.
        peak_lr: f64,
    },
}

impl Default for AdamW {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            eps_root: 0.0,
            weight_decay: 1e-2,
            decay: Decay::Before,
            decay_scale: DecayScale::Lr,
            nesterov: false,
        }
    }
}

impl AdamW {
    /// The defaults of `torch.optim.AdamW`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.adamw`, which has none for the learning rate: 1e-3 as in PyTorch.
    pub fn optax() -> Self {
        Self {
            weight_decay: 1e-4,
            decay: Decay::Within,
            ..Self::default()
        }
    }

    /// Algorithm 2 of Loshchilov & Hutter (2019): decay within the step, scaled by the multiplier of a schedule whose peak is `lr` 1e-3.
    /// The paper names no λ of its own: 1e-5 here takes away as much per step as PyTorch's defaults.
    pub fn paper() -> Self {
        Self {
            weight_decay: 1e-5,
            decay: Decay::Within,
            decay_scale: DecayScale::Multiplier { peak_lr: 1e-3 },
            ..Self::default()
        }
    }
}

impl DecayScale {
    /// d: the fraction of θ that a step takes away.
    pub(crate) fn decayed_fraction(self, lr: f64, weight_decay: f64) -> f64 {
        match self {
            Self::Lr => lr * weight_decay,
            Self::Multiplier { peak_lr } => lr / peak_lr * weight_decay,
        }
    }

    pub(crate) fn validate(self, rule: &'static str) -> Result<(), Error> {
        match self {
            Self::Lr => Ok(()),
            Self::Multiplier { peak_lr } => Error::check_positive(rule, "peak_lr", peak_lr),
        }
    }
}

/// What of θ is added to the gradient, and what of θ is left before the step: weight decay that is coupled or decoupled.
#[inline(always)]
pub(crate) fn coupled_and_kept<T: Float>(lr: f64, weight_decay: f64, decoupled: bool) -> (T, T) {
    if decoupled {
        (T::of(0.0), T::of(1.0 - lr * weight_decay))
    } else {
        (T::of(weight_decay), T::of(1.0))
    }
}

/// What m̂ takes of m and of g at step `t`, where m is divided by `bc1` and Nesterov's momentum looks one step ahead.
#[inline(always)]
pub(crate) fn from_m_and_g<T: Float>(beta1: f64, bc1: f64, t: u64, nesterov: bool) -> (T, T) {
    if nesterov {
        let bc1_next = 1.0 - power(beta1, t + 1);
        (T::of(beta1 / bc1_next), T::of((1.0 - beta1) / bc1))
    } else {
        (T::of(1.0 / bc1), T::of(0.0))
    }
}

impl Rule for AdamW {
    fn name(&self) -> &'static str {
        "AdamW"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("AdamW", "lr", self.lr)?;
        Error::check_decay_rate("AdamW", "beta1", self.beta1)?;
        Error::check_decay_rate("AdamW", "beta2", self.beta2)?;
        Error::check_non_negative("AdamW", "eps", self.eps)?;
        Error::check_non_negative("AdamW", "eps_root", self.eps_root)?;
        Error::check_non_negative("AdamW", "weight_decay", self.weight_decay)?;
        self.decay_scale.validate("AdamW")
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq"]
    }

    fn is_non_negative(&self, name: &str) -> bool {
        name == "exp_avg_sq"
    }

    fn corrections(&self, t: u64) -> (f64, f64) {
        (1.0 - power(self.beta1, t), 1.0 - power(self.beta2, t))
    }

    fn denominator(&self, t: u64, state: &[f64]) -> Option<Denominator> {
        let (_, bc2) = self.corrections(t);
        let v_hat = state.get(1)? / bc2;
        Some(Denominator {
            root: v_hat.sqrt(),
            full: (v_hat + self.eps_root).sqrt() + self.eps,
        })
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (bc1, bc2) = step.corrections;
        // Multiplying by 1 / (1 - beta^t) takes less time than dividing.
        let unbias2 = T::of(1.0 / bc2);
        let (from_m, from_g) = from_m_and_g::<T>(self.beta1, bc1, step.t, self.nesterov);
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (beta2, one_minus_beta2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let (lr, eps, eps_root) = (T::of(self.lr), T::of(self.eps), T::of(self.eps_root));
        let d = (self.decay_scale).decayed_fraction(self.lr, self.weight_decay);
        let (before, within, after) = match self.decay {
            Decay::Before => (T::of(1.0 - d), T::of(0.0), T::of(1.0)),
            Decay::Within => (T::of(1.0), T::of(d), T::of(1.0)),
            Decay::After => (T::of(1.0), T::of(0.0), T::of(1.0 - d)),
        };

        let [m, v, ..] = step.state;
        for (((theta, &g), m), v) in step.theta.iter_mut().zip(step.grad).zip(m).zip(v) {
            *m = beta1 * *m + one_minus_beta1 * g;
            *v = beta2 * *v + one_minus_beta2 * g * g;
            let m_hat = from_m * *m + from_g * g;
            let v_hat = unbias2 * *v;
            let update = lr * m_hat / ((v_hat + eps_root).sqrt() + eps) + within * *theta;
            *theta = after * (before * *theta - update);
        }
    }
    // ANCHOR_END: update
}
