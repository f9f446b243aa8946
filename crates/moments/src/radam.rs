use crate::adamw::{coupled_and_kept, from_m_and_g};
use crate::float::power;
use crate::{Denominator, EpsAt, Error, Float, Rule, Step};

/// RAdam: Adam that divides by √v̂ only once enough gradients are in it, and then cautiously at first.
///
/// ```text
/// g ← g + wd · θ                 coupled
/// m ← β₁ m + (1 − β₁) g          m̂ = m / (1 − β₁ᵗ)      Nesterov: m̂ = β₁ m / (1 − β₁ᵗ⁺¹) + (1 − β₁) g / (1 − β₁ᵗ)
/// v ← β₂ v + (1 − β₂) g²         v̂ = v / (1 − β₂ᵗ)
/// ρ∞ = 2 / (1 − β₂) − 1          ρₜ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)
/// θ ← (1 − lr · wd) θ            decoupled
/// θ ← θ − lr · r · m̂ / (√v̂ + ε)  where ρₜ is above the threshold, r = √((ρₜ − 4)(ρₜ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρₜ))
/// θ ← θ − lr · m̂                 elsewhere
/// ```
///
/// ρₜ is the length of a plain average that would be as noisy as v̂. With β₂ = 0.999 the first five steps are not divided.
///
/// # Defaults
/// `lr` 1e-3, `beta1` 0.9, `beta2` 0.999, `eps` 1e-8 added to √v, divided above a `threshold` of 5, no weight decay: `torch.optim.RAdam`.
/// `eps_root` 0, no Nesterov.
///
/// # State
/// `exp_avg` (m) and `exp_avg_sq` (v), both uncorrected, of the parameters' shape, zero at first: 2 floats per parameter.
///
/// # Example
/// With β₂ = 0.8, ρ∞ is 9 and ρ₁ is 1, so that the first steps are those of gradient descent with momentum, here 0.
/// At the fifth step ρ₅ = 9 − 10 · 0.8⁵ / (1 − 0.8⁵) = 4.126 is still too small.
/// ```
/// use moments::{Optimizer, RAdam};
///
/// let mut theta = [0.0_f64];
/// let mut opt = Optimizer::new(RAdam { lr: 0.5, beta1: 0.0, beta2: 0.8, ..RAdam::default() });
/// for expected in [-5.0, -10.0] {
///     opt.step(&mut theta, &[10.0])?;
///     assert_eq!(theta[0], expected);
/// }
/// assert!(opt.rule.rectification(5).is_none());
/// assert!((opt.rule.rectification(7).unwrap() - 0.453).abs() < 1e-3);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `eps`, `eps_root` or `weight_decay` is negative or not finite, a β is outside [0, 1),
/// or `threshold` is not finite and at least 4, below which r is the root of a negative number.
///
/// # Differences from PyTorch and optax
/// PyTorch divides where ρₜ > 5 and adds ε to √v ([`EpsAt::Uncorrected`]); optax divides where ρₜ ≥ 5 and adds ε to √v̂; the paper divides where ρₜ > 4, without an ε.
/// ρₜ is a small difference of large numbers at first. Here it is an `f64`, as in PyTorch; optax computes it in `f32` unless `jax_enable_x64` is set.
///
/// # References
/// Liu et al. (2020), "On the Variance of the Adaptive Learning Rate and Beyond", Algorithm 2, arXiv:1908.03265.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct RAdam {
    /// The learning rate η: in units of the parameters where the step is divided, per unit of gradient where it is not.
    pub lr: f64,
    /// The decay rate β₁ of the first moment, in [0, 1).
    pub beta1: f64,
    /// The decay rate β₂ of the second moment, in [0, 1).
    pub beta2: f64,
    /// ε outside the root, in units of the gradient.
    pub eps: f64,
    /// ε inside the root, in units of the gradient squared.
    pub eps_root: f64,
    /// Which √v `eps` is added to.
    pub eps_at: EpsAt,
    /// The ρₜ from which the step is divided by √v̂, at least 4.
    pub threshold: f64,
    /// Whether the threshold itself is enough.
    pub divided: Divided,
    /// Whether m̂ looks one step ahead, in Nesterov's way.
    pub nesterov: bool,
    /// The coefficient of the weight decay.
    pub weight_decay: f64,
    /// Whether `lr` · `weight_decay` of θ is taken away, as in AdamW, instead of `weight_decay` · θ being added to the gradient.
    pub decoupled_weight_decay: bool,
}

/// When RAdam divides its step by √v̂.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Divided {
    /// Where ρₜ > threshold: the paper, PyTorch.
    #[default]
    Above,
    /// Where ρₜ ≥ threshold: optax.
    AtLeast,
}

impl Default for RAdam {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            eps_root: 0.0,
            eps_at: EpsAt::Uncorrected,
            threshold: 5.0,
            divided: Divided::Above,
            nesterov: false,
            weight_decay: 0.0,
            decoupled_weight_decay: false,
        }
    }
}

impl RAdam {
    /// The defaults of `torch.optim.RAdam`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.radam`, which has none for the learning rate: 1e-3 as in PyTorch.
    pub fn optax() -> Self {
        Self {
            eps_at: EpsAt::Corrected,
            divided: Divided::AtLeast,
            ..Self::default()
        }
    }

    /// Algorithm 2 of Liu et al. (2020): divided where ρₜ > 4, with ε = 0.
    pub fn paper() -> Self {
        Self {
            eps: 0.0,
            threshold: 4.0,
            ..Self::default()
        }
    }
}

impl RAdam {
    // ANCHOR: rectification
    /// r at step `t`, from 1; `None` where the step is not divided by √v̂.
    pub fn rectification(&self, t: u64) -> Option<f64> {
        // At first rho is a small difference of large numbers, and shows the last bit of this power.
        let beta2_t = libm::pow(self.beta2, t as f64);
        let rho_inf = 2.0 / (1.0 - self.beta2) - 1.0;
        let rho = rho_inf - 2.0 * t as f64 * beta2_t / (1.0 - beta2_t);
        let is_divided = match self.divided {
            Divided::Above => rho > self.threshold,
            Divided::AtLeast => rho >= self.threshold,
        };
        let ratio = (rho - 4.0) * (rho - 2.0) * rho_inf / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho);
        is_divided.then(|| ratio.sqrt())
    }
    // ANCHOR_END: rectification
}

impl Rule for RAdam {
    fn name(&self) -> &'static str {
        "RAdam"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("RAdam", "lr", self.lr)?;
        Error::check_decay_rate("RAdam", "beta1", self.beta1)?;
        Error::check_decay_rate("RAdam", "beta2", self.beta2)?;
        Error::check_non_negative("RAdam", "eps", self.eps)?;
        Error::check_non_negative("RAdam", "eps_root", self.eps_root)?;
        let holds = self.threshold.is_finite() && self.threshold >= 4.0;
        let expected = "finite and at least 4";
        Error::unless(holds, "RAdam", "threshold", self.threshold, expected)?;
        Error::check_non_negative("RAdam", "weight_decay", self.weight_decay)
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

    /// `None` also at the first steps, which are not divided.
    fn denominator(&self, t: u64, state: &[f64]) -> Option<Denominator> {
        self.rectification(t)?;
        let (_, bc2) = self.corrections(t);
        let v_hat = state.get(1)? / bc2;
        Some(Denominator {
            root: v_hat.sqrt(),
            full: (v_hat + self.eps_root).sqrt() + self.eps_at.added(self.eps, bc2),
        })
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (bc1, bc2) = step.corrections;
        let (from_m, from_g) = from_m_and_g::<T>(self.beta1, bc1, step.t, self.nesterov);
        // Multiplying by 1 / (1 - beta^t) takes less time than dividing.
        let unbias2 = T::of(1.0 / bc2);
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (beta2, one_minus_beta2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let (eps, eps_root) = (
            T::of(self.eps_at.added(self.eps, bc2)),
            T::of(self.eps_root),
        );
        let (is_divided, rectified_lr) = match self.rectification(step.t) {
            Some(r) => (true, T::of(self.lr * r)),
            None => (false, T::of(self.lr)),
        };
        let (decay, decoupled) = (self.weight_decay, self.decoupled_weight_decay);
        let (coupled, kept) = coupled_and_kept::<T>(self.lr, decay, decoupled);

        let [m, v, ..] = step.state;
        for (((theta, &g), m), v) in step.theta.iter_mut().zip(step.grad).zip(m).zip(v) {
            let g = g + coupled * *theta;
            *m = beta1 * *m + one_minus_beta1 * g;
            *v = beta2 * *v + one_minus_beta2 * g * g;
            let m_hat = from_m * *m + from_g * g;
            let v_hat = unbias2 * *v;
            let denominator = if is_divided {
                (v_hat + eps_root).sqrt() + eps
            } else {
                T::of(1.0)
            };
            *theta = kept * *theta - rectified_lr * m_hat / denominator;
        }
    }
    // ANCHOR_END: update
}
