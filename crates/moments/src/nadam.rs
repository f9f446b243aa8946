use crate::adamw::coupled_and_kept;
use crate::float::power;
use crate::{Denominator, Error, Float, Rule, Step};

/// NAdam: Adam whose first moment looks one step ahead, in Nesterov's way.
///
/// ```text
/// μₜ = β₁ (1 − ½ · 0.96^(t ψ))   warming          μₜ = β₁   constant
/// Πₜ = μ₁ μ₂ … μₜ
/// g ← g + wd · θ                 coupled
/// m ← β₁ m + (1 − β₁) g
/// v ← β₂ v + (1 − β₂) g²         v̂ = v / (1 − β₂ᵗ)
/// m̂ = μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ)
/// θ ← (1 − lr · wd) θ            decoupled
/// θ ← θ − lr · m̂ / (√(v̂ + ε_root) + ε)
/// ```
///
/// # Defaults
/// `lr` 2e-3, `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, warming with `momentum_decay` (ψ) 4e-3, no weight decay: `torch.optim.NAdam`.
/// `eps_root` 0.
///
/// # State
/// `exp_avg` (m) and `exp_avg_sq` (v), both uncorrected, of the parameters' shape, zero at first: 2 floats per parameter.
/// One number beside them: `mu_product` (Π), 1 at first.
///
/// # Example
/// With constant β₁ = ½ the first step is m̂ = ½ · ½ g / ¾ + ½ g / ½ = 4/3 g, a third longer than Adam's; the second is 1/2 · 3/4 g / (7/8) + 1/2 g / (3/4) = 23/21 g.
/// ```
/// use moments::{NAdam, Optimizer};
///
/// let mut theta = [0.0_f64];
/// let mut opt = Optimizer::new(NAdam { lr: 1.0, beta1: 0.5, eps: 0.0, ..NAdam::optax() });
/// for expected in [-4.0 / 3.0, -4.0 / 3.0 - 23.0 / 21.0] {
///     opt.step(&mut theta, &[3.0])?;
///     assert!((theta[0] - expected).abs() < 1e-12);
/// }
/// assert_eq!(opt.scalar("mu_product"), Some(0.25));
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `eps`, `eps_root`, `momentum_decay` or `weight_decay` is negative or not finite, or a β is outside [0, 1).
/// With `eps` and `eps_root` both 0, an entry whose gradients have all been 0 becomes 0/0 = NaN.
///
/// # Differences from PyTorch and optax
/// `torch.optim.NAdam` lets the momentum of the step warm up from about β₁/2; `optax.nadam` keeps β₁: [`MomentumSchedule`].
/// So the first step is 1.056 times `lr` in PyTorch and 1.474 times in optax.
/// In neither does the average m itself use μ, as Dozat's does; and Dozat's v̂ has another factor β₂.
/// PyTorch keeps Π in `f32` unless `torch.set_default_dtype(torch.float64)` is set; here it is an `f64`.
/// `optax.nadamw` is optax's form with `decoupled_weight_decay`, which is also [`AdamW`](crate::AdamW) with `nesterov`.
///
/// # References
/// Dozat (2016), "Incorporating Nesterov Momentum into Adam", ICLR workshop, Algorithm 2; its experiments have the schedule of μ.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct NAdam {
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
    /// How the momentum of the step goes.
    pub momentum: MomentumSchedule,
    /// ψ: how fast the momentum warms up; of no effect where it is constant.
    pub momentum_decay: f64,
    /// The coefficient of the weight decay.
    pub weight_decay: f64,
    /// Whether `lr` · `weight_decay` of θ is taken away, as in AdamW, instead of `weight_decay` · θ being added to the gradient.
    pub decoupled_weight_decay: bool,
}

/// How the momentum μ of NAdam's step goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum MomentumSchedule {
    /// From about β₁/2 towards β₁: Dozat, PyTorch.
    #[default]
    Warming,
    /// β₁ at every step: optax.
    Constant,
}

impl Default for NAdam {
    fn default() -> Self {
        Self {
            lr: 2e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            eps_root: 0.0,
            momentum: MomentumSchedule::Warming,
            momentum_decay: 4e-3,
            weight_decay: 0.0,
            decoupled_weight_decay: false,
        }
    }
}

impl NAdam {
    /// The defaults of `torch.optim.NAdam`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.nadam`, which has none for the learning rate: 2e-3 as in PyTorch.
    pub fn optax() -> Self {
        Self {
            momentum: MomentumSchedule::Constant,
            ..Self::default()
        }
    }
}

impl NAdam {
    /// μ at step `t`, from 1.
    fn mu(&self, t: u64) -> f64 {
        match self.momentum {
            MomentumSchedule::Warming => {
                self.beta1 * (1.0 - 0.5 * libm::pow(0.96, t as f64 * self.momentum_decay))
            }
            MomentumSchedule::Constant => self.beta1,
        }
    }
}

impl Rule for NAdam {
    fn name(&self) -> &'static str {
        "NAdam"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("NAdam", "lr", self.lr)?;
        Error::check_decay_rate("NAdam", "beta1", self.beta1)?;
        Error::check_decay_rate("NAdam", "beta2", self.beta2)?;
        Error::check_non_negative("NAdam", "eps", self.eps)?;
        Error::check_non_negative("NAdam", "eps_root", self.eps_root)?;
        Error::check_non_negative("NAdam", "momentum_decay", self.momentum_decay)?;
        Error::check_non_negative("NAdam", "weight_decay", self.weight_decay)
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

    fn scalars(&self) -> &'static [(&'static str, f64)] {
        &[("mu_product", 1.0)]
    }

    fn advance(&self, t: u64, scalars: &mut [f64]) {
        scalars[0] *= self.mu(t);
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
        let (_, bc2) = step.corrections;
        let (mu, mu_next) = (self.mu(step.t), self.mu(step.t + 1));
        let mu_product = step.scalars[0];
        let from_m = T::of(mu_next / (1.0 - mu_product * mu_next));
        let from_g = T::of((1.0 - mu) / (1.0 - mu_product));
        // Multiplying by 1 / (1 - beta^t) takes less time than dividing.
        let unbias2 = T::of(1.0 / bc2);
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (beta2, one_minus_beta2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let (lr, eps, eps_root) = (T::of(self.lr), T::of(self.eps), T::of(self.eps_root));
        let (decay, decoupled) = (self.weight_decay, self.decoupled_weight_decay);
        let (coupled, kept) = coupled_and_kept::<T>(self.lr, decay, decoupled);

        let [m, v, ..] = step.state;
        for (((theta, &g), m), v) in step.theta.iter_mut().zip(step.grad).zip(m).zip(v) {
            let g = g + coupled * *theta;
            *m = beta1 * *m + one_minus_beta1 * g;
            *v = beta2 * *v + one_minus_beta2 * g * g;
            let m_hat = from_m * *m + from_g * g;
            let v_hat = unbias2 * *v;
            *theta = kept * *theta - lr * m_hat / ((v_hat + eps_root).sqrt() + eps);
        }
    }
    // ANCHOR_END: update
}
