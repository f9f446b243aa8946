use crate::adamw::coupled_and_kept;
use crate::float::power;
use crate::{Denominator, Error, Float, Rule, Step};

/// Adamax: Adam with the largest of the faded gradients in the place of their root mean square.
///
/// ```text
/// g ← g + wd · θ                 coupled
/// m ← β₁ m + (1 − β₁) g          m̂ = m / (1 − β₁ᵗ)
/// u ← max(β₂ u, |g| + ε)
/// θ ← (1 − lr · wd) θ            decoupled
/// θ ← θ − lr · m̂ / u
/// ```
///
/// u needs no correction: a maximum is not biased towards the zero that it starts from.
///
/// # Defaults
/// `lr` 2e-3, `beta1` 0.9, `beta2` 0.999: Kingma & Ba (2014), Algorithm 2, and PyTorch. `eps` 1e-8, no weight decay: PyTorch, optax.
///
/// # State
/// `exp_avg` (m, uncorrected) and `exp_inf` (u), of the parameters' shape, zero at first: 2 floats per parameter.
///
/// # Example
/// A gradient of 4, then none: u halves, and so does m, but its correction falls from 2 to 4/3.
/// ```
/// use moments::{Adamax, Optimizer};
///
/// let mut theta = [1.0_f64];
/// let mut opt = Optimizer::new(Adamax { lr: 0.25, beta1: 0.5, beta2: 0.5, eps: 0.0, ..Adamax::default() });
/// for (grad, expected) in [(4.0, 0.75), (0.0, 0.75 - 0.25 * 2.0 / 3.0)] {
///     opt.step(&mut theta, &[grad])?;
///     assert!((theta[0] - expected).abs() < 1e-15);
/// }
/// assert_eq!(opt.state("exp_inf"), Some(&[2.0][..]));
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `eps` or `weight_decay` is negative or not finite, or a β is outside [0, 1).
/// With `eps` 0, an entry whose gradients have all been 0 becomes 0/0 = NaN.
///
/// # Differences from PyTorch and optax
/// `torch.optim.Adamax` and `optax.adamax` are this rule. Both add ε to |g|, where the paper has none: [`Adamax::paper`] sets it to 0.
/// PyTorch's weight decay is coupled. `optax.adamaxw` is decoupled: `decoupled_weight_decay`.
///
/// # References
/// Kingma & Ba (2014), "Adam: A Method for Stochastic Optimization", Algorithm 2, arXiv:1412.6980.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Adamax {
    /// The learning rate η, in units of the parameters: the largest step.
    pub lr: f64,
    /// The decay rate β₁ of the first moment, in [0, 1).
    pub beta1: f64,
    /// The rate β₂ at which the maximum fades, in [0, 1).
    pub beta2: f64,
    /// What is added to |g| before the maximum is taken, in units of the gradient.
    pub eps: f64,
    /// The coefficient of the weight decay.
    pub weight_decay: f64,
    /// Whether `lr` · `weight_decay` of θ is taken away, as in AdamW, instead of `weight_decay` · θ being added to the gradient.
    pub decoupled_weight_decay: bool,
}

impl Default for Adamax {
    fn default() -> Self {
        Self {
            lr: 2e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
            decoupled_weight_decay: false,
        }
    }
}

impl Adamax {
    /// The defaults of `torch.optim.Adamax`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.adamax`, which has none for the learning rate: 2e-3 as in PyTorch.
    pub fn optax() -> Self {
        Self::default()
    }

    /// Algorithm 2 of Kingma & Ba (2014) with the settings that it recommends, and no ε.
    pub fn paper() -> Self {
        Self {
            eps: 0.0,
            ..Self::default()
        }
    }
}

impl Rule for Adamax {
    fn name(&self) -> &'static str {
        "Adamax"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Adamax", "lr", self.lr)?;
        Error::check_decay_rate("Adamax", "beta1", self.beta1)?;
        Error::check_decay_rate("Adamax", "beta2", self.beta2)?;
        Error::check_non_negative("Adamax", "eps", self.eps)?;
        Error::check_non_negative("Adamax", "weight_decay", self.weight_decay)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["exp_avg", "exp_inf"]
    }

    fn is_non_negative(&self, name: &str) -> bool {
        name == "exp_inf"
    }

    fn corrections(&self, t: u64) -> (f64, f64) {
        (1.0 - power(self.beta1, t), 1.0)
    }

    /// ε went into u with |g|, and where the maximum has faded since, a part of it has; all of it is taken out again.
    fn denominator(&self, _t: u64, state: &[f64]) -> Option<Denominator> {
        let u = *state.get(1)?;
        Some(Denominator {
            root: (u - self.eps).max(0.0),
            full: u,
        })
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (bc1, _) = step.corrections;
        // Multiplying by 1 / (1 - beta^t) takes less time than dividing.
        let unbias1 = T::of(1.0 / bc1);
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (lr, beta2, eps) = (T::of(self.lr), T::of(self.beta2), T::of(self.eps));
        let (decay, decoupled) = (self.weight_decay, self.decoupled_weight_decay);
        let (coupled, kept) = coupled_and_kept::<T>(self.lr, decay, decoupled);

        let [m, u, ..] = step.state;
        for (((theta, &g), m), u) in step.theta.iter_mut().zip(step.grad).zip(m).zip(u) {
            let g = g + coupled * *theta;
            *m = beta1 * *m + one_minus_beta1 * g;
            *u = (beta2 * *u).larger(g.abs() + eps);
            let m_hat = unbias1 * *m;
            *theta = kept * *theta - lr * m_hat / *u;
        }
    }
    // ANCHOR_END: update
}
