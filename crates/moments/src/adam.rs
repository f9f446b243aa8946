use crate::float::power;
use crate::{Denominator, Error, Float, Rule, Step};

/// Adam: adaptive moment estimation.
///
/// ```text
/// m ← β₁ m + (1 − β₁) g          m̂ = m / (1 − β₁ᵗ)
/// v ← β₂ v + (1 − β₂) g²         v̂ = v / (1 − β₂ᵗ)
/// θ ← θ − lr · m̂ / (√v̂ + ε)
/// ```
///
/// # Defaults
/// `lr` 1e-3, `beta1` 0.9, `beta2` 0.999, `eps` 1e-8 outside the root: Kingma & Ba (2014), Algorithm 1, and PyTorch.
/// `eps_root` 0, both moments corrected, no weight decay.
///
/// # State
/// `exp_avg` (m) and `exp_avg_sq` (v), both uncorrected, of the parameters' shape, zero at first: 2 floats per parameter.
///
/// # Example
/// On f(x) = x² from x = 3 the first step is `lr` almost exactly: m̂ = 6 and √v̂ = 6.
/// ```
/// use moments::{Adam, Optimizer};
///
/// let mut x = [3.0_f64];
/// let mut adam = Optimizer::new(Adam::default());
/// for expected in [2.999_000_000_001_67, 2.998_000_008_707_23] {
///     let grad = [2.0 * x[0]];
///     adam.step(&mut x, &grad)?;
///     assert!((x[0] - expected).abs() < 1e-14);
/// }
/// assert_eq!(adam.state("exp_avg").unwrap().len(), 1);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `eps`, `eps_root` or `weight_decay` is negative or not finite, or a β is outside [0, 1).
/// With `eps` and `eps_root` both 0, an entry whose gradients have all been 0 becomes 0/0 = NaN, as in PyTorch.
///
/// # Differences from PyTorch and optax
/// In real arithmetic `torch.optim.Adam`, `optax.adam` and this rule are the same. PyTorch folds the correction of m into the step size;
/// optax computes the powers of β in the parameters' type, which in `f32` moves the second update by about 1e-5 of itself.
/// `optax.adam(nesterov=True)` is [`NAdam::optax`](crate::NAdam::optax); with decoupled decay it is [`AdamW`](crate::AdamW) with `nesterov`.
/// TensorFlow and the "efficient" form at the end of the paper's section 2 add ε to √v before the correction: [`EpsAt::Uncorrected`].
///
/// # References
/// Kingma & Ba (2014), "Adam: A Method for Stochastic Optimization", Algorithm 1, arXiv:1412.6980.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Adam {
    /// The learning rate η, in units of the parameters: the largest steady step.
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
    /// Which moments are corrected.
    pub bias_correction: BiasCorrection,
    /// The coupled L2 coefficient: `weight_decay` · θ is added to the gradient, and so is scaled by 1/√v̂ as well.
    pub weight_decay: f64,
}

/// Which of Adam's two moments are divided by 1 − βᵗ.
///
/// The three incomplete forms are mistakes with names, kept for comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum BiasCorrection {
    /// m and v: Adam.
    #[default]
    Both,
    /// m alone: the first step is 1/√(1 − β₂) times too large.
    First,
    /// v alone: the first step is 1 − β₁ of what it should be.
    Second,
    /// Neither: the first step is (1 − β₁)/√(1 − β₂) of what it should be.
    Neither,
}

/// Which root of the second moment ε is added to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum EpsAt {
    /// √v̂ + ε: Algorithm 1 of the paper, PyTorch, optax.
    #[default]
    Corrected,
    /// (√v + ε) / √(1 − β₂ᵗ): the paper's "efficient" form and TensorFlow, where ε is called ε̂.
    /// The effective ε is ε / √(1 − β₂ᵗ): 31.6 times larger at the first step with β₂ = 0.999.
    Uncorrected,
}

impl EpsAt {
    /// The ε that is added to √v̂.
    pub(crate) fn added(self, eps: f64, bc2: f64) -> f64 {
        match self {
            Self::Corrected => eps,
            Self::Uncorrected => eps / bc2.sqrt(),
        }
    }
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            eps_root: 0.0,
            eps_at: EpsAt::Corrected,
            bias_correction: BiasCorrection::Both,
            weight_decay: 0.0,
        }
    }
}

impl Adam {
    /// The defaults of `torch.optim.Adam`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.adam`, which has none for the learning rate: 1e-3 as in the paper.
    pub fn optax() -> Self {
        Self::default()
    }

    /// Algorithm 1 of Kingma & Ba (2014) with the settings that it recommends.
    pub fn paper() -> Self {
        Self::default()
    }
}

impl Rule for Adam {
    fn name(&self) -> &'static str {
        "Adam"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Adam", "lr", self.lr)?;
        Error::check_decay_rate("Adam", "beta1", self.beta1)?;
        Error::check_decay_rate("Adam", "beta2", self.beta2)?;
        Error::check_non_negative("Adam", "eps", self.eps)?;
        Error::check_non_negative("Adam", "eps_root", self.eps_root)?;
        Error::check_non_negative("Adam", "weight_decay", self.weight_decay)
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

    // ANCHOR: corrections
    fn corrections(&self, t: u64) -> (f64, f64) {
        let bc1 = 1.0 - power(self.beta1, t);
        let bc2 = 1.0 - power(self.beta2, t);
        match self.bias_correction {
            BiasCorrection::Both => (bc1, bc2),
            BiasCorrection::First => (bc1, 1.0),
            BiasCorrection::Second => (1.0, bc2),
            BiasCorrection::Neither => (1.0, 1.0),
        }
    }
    // ANCHOR_END: corrections

    fn denominator(&self, t: u64, state: &[f64]) -> Option<Denominator> {
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
        // Multiplying by 1 / (1 - beta^t) takes less time than dividing.
        let (unbias1, unbias2) = (T::of(1.0 / bc1), T::of(1.0 / bc2));
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (beta2, one_minus_beta2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let (lr, weight_decay) = (T::of(self.lr), T::of(self.weight_decay));
        let (eps, eps_root) = (
            T::of(self.eps_at.added(self.eps, bc2)),
            T::of(self.eps_root),
        );

        let [m, v, ..] = step.state;
        for (((theta, &g), m), v) in step.theta.iter_mut().zip(step.grad).zip(m).zip(v) {
            let g = g + weight_decay * *theta;
            *m = beta1 * *m + one_minus_beta1 * g;
            *v = beta2 * *v + one_minus_beta2 * g * g;
            let m_hat = unbias1 * *m;
            let v_hat = unbias2 * *v;
            *theta -= lr * m_hat / ((v_hat + eps_root).sqrt() + eps);
        }
    }
    // ANCHOR_END: update
}
