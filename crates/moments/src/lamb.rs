use crate::float::power;
use crate::{Denominator, Error, Float, Rule, Step, norm};

/// LAMB: Adam's step with decoupled decay, made as long as the layer is.
///
/// ```text
/// m ← β₁ m + (1 − β₁) g          m̂ = m / (1 − β₁ᵗ)
/// v ← β₂ v + (1 − β₂) g²         v̂ = v / (1 − β₂ᵗ)
/// u = m̂ / (√(v̂ + ε_root) + ε) + wd · θ
/// θ ← θ − lr · (‖θ‖ / ‖u‖) · u   the ratio is 1 if either norm is 0
/// ```
///
/// The norms are those of one tensor, so every layer needs an [`Optimizer`](crate::Optimizer) of its own.
/// A step moves a layer by `lr` of its norm, whatever the gradient.
///
/// # Defaults
/// `lr` 1e-3, `beta1` 0.9, `beta2` 0.999, `eps` 1e-6, no weight decay: `optax.lamb`, which has no default for `lr`. `eps_root` 0.
///
/// # State
/// `exp_avg` (m) and `exp_avg_sq` (v), both uncorrected, of the parameters' shape, zero at first: 2 floats per parameter.
///
/// # Example
/// At the first step Adam's u is (1, 1), and ‖θ‖ / ‖u‖ = 5 / √2. At the second the constant gradient gives the same u.
/// ```
/// use moments::{Lamb, Optimizer};
///
/// let mut theta = [3.0_f64, 4.0];
/// let mut opt = Optimizer::new(Lamb { lr: 0.1, eps: 0.0, ..Lamb::default() });
/// let first = 0.1 * 5.0 / 2f64.sqrt();
/// let norm = (3.0 - first).hypot(4.0 - first);
/// for moved in [first, first + 0.1 * norm / 2f64.sqrt()] {
///     opt.step(&mut theta, &[7.0, 0.5])?;
///     assert!((theta[0] - (3.0 - moved)).abs() < 1e-12 && (theta[1] - (4.0 - moved)).abs() < 1e-12);
/// }
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `eps`, `eps_root` or `weight_decay` is negative or not finite, or a β is outside [0, 1).
/// With `eps` and `eps_root` both 0, an entry whose gradients have all been 0 is 0/0, and makes the whole tensor NaN.
///
/// # Differences from PyTorch and optax
/// PyTorch has no LAMB. `optax.lamb` is this rule.
/// The paper puts a function φ around ‖θ‖; in its experiments φ(z) = z, as here. It does not say what the ratio is where a norm is 0; 1 is optax's answer.
///
/// # References
/// You et al. (2020), "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", Algorithm 2, arXiv:1904.00962.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Lamb {
    /// The learning rate η: the length of a step in units of the norm of the parameters.
    pub lr: f64,
    /// The decay rate β₁ of the first moment, in [0, 1).
    pub beta1: f64,
    /// The decay rate β₂ of the second moment, in [0, 1).
    pub beta2: f64,
    /// ε outside the root, in units of the gradient.
    pub eps: f64,
    /// ε inside the root, in units of the gradient squared.
    pub eps_root: f64,
    /// The coefficient λ of θ in u.
    pub weight_decay: f64,
}

impl Default for Lamb {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-6,
            eps_root: 0.0,
            weight_decay: 0.0,
        }
    }
}

impl Lamb {
    /// The defaults of `optax.lamb`, which has none for the learning rate: 1e-3.
    pub fn optax() -> Self {
        Self::default()
    }

    /// Algorithm 2 of You et al. (2020) with the λ = 0.01 of its experiments.
    pub fn paper() -> Self {
        Self {
            weight_decay: 0.01,
            ..Self::default()
        }
    }
}

impl Rule for Lamb {
    const WHOLE: bool = true;

    fn name(&self) -> &'static str {
        "LAMB"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Lamb", "lr", self.lr)?;
        Error::check_decay_rate("Lamb", "beta1", self.beta1)?;
        Error::check_decay_rate("Lamb", "beta2", self.beta2)?;
        Error::check_non_negative("Lamb", "eps", self.eps)?;
        Error::check_non_negative("Lamb", "eps_root", self.eps_root)?;
        Error::check_non_negative("Lamb", "weight_decay", self.weight_decay)
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

    /// That of Adam, before the ratio of the norms.
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
        let (unbias1, unbias2) = (T::of(1.0 / bc1), T::of(1.0 / bc2));
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (beta2, one_minus_beta2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let (eps, eps_root) = (T::of(self.eps), T::of(self.eps_root));
        let weight_decay = T::of(self.weight_decay);

        let [m, v, ..] = step.state;
        let u = step.scratch;
        u.clear();
        u.resize(step.theta.len(), T::default());
        let moments = m.iter_mut().zip(v).zip(&mut *u);
        for ((&theta, &g), ((m, v), u)) in step.theta.iter().zip(step.grad).zip(moments) {
            *m = beta1 * *m + one_minus_beta1 * g;
            *v = beta2 * *v + one_minus_beta2 * g * g;
            let m_hat = unbias1 * *m;
            let v_hat = unbias2 * *v;
            *u = m_hat / ((v_hat + eps_root).sqrt() + eps) + weight_decay * theta;
        }

        let (theta_norm, u_norm) = (norm::norm(step.theta), norm::norm(u));
        let is_zero = theta_norm == 0.0 || u_norm == 0.0;
        let ratio = if is_zero { 1.0 } else { theta_norm / u_norm };
        let rate = T::of(self.lr * ratio);
        for (theta, &u) in step.theta.iter_mut().zip(&*u) {
            *theta -= rate * u;
        }
    }
    // ANCHOR_END: update
}
