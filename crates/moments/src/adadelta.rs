use crate::{Error, Float, Rule, Step};

/// AdaDelta: the unit of the step comes from the steps before, so that no learning rate is needed.
///
/// ```text
/// g ← g + wd · θ
/// v ← ρ v + (1 − ρ) g²
/// d = √(a + ε) / √(v + ε) · g
/// a ← ρ a + (1 − ρ) d²
/// θ ← θ − lr · d
/// ```
///
/// # Defaults
/// `lr` 1, `rho` 0.9, `eps` 1e-6, no weight decay: `torch.optim.Adadelta`. The paper's experiments have `rho` 0.95 and `eps` 1e-6.
///
/// # State
/// `square_avg` (v) and `acc_delta` (a) of the parameters' shape, zero at first: 2 floats per parameter.
/// The state after a step does not tell what the step was multiplied by, √(a + ε) with the old a, so there is no effective learning rate.
///
/// # Example
/// With ρ = 0 every v is the last squared gradient and every a the last squared step.
/// ```
/// use moments::{AdaDelta, Optimizer};
///
/// let mut x = [1.0_f64];
/// let mut opt = Optimizer::new(AdaDelta { rho: 0.0, eps: 1.0, ..AdaDelta::default() });
/// opt.step(&mut x, &[3f64.sqrt()])?; // d = √3 · √1 / √4
/// assert!((x[0] - (1.0 - 0.75f64.sqrt())).abs() < 1e-15);
/// opt.step(&mut x, &[3f64.sqrt()])?; // d = √3 · √1.75 / √4
/// assert!((x[0] - (1.0 - 0.75f64.sqrt() * (1.0 + 1.75f64.sqrt()))).abs() < 1e-15);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr` or `weight_decay` is negative or not finite, `rho` is outside [0, 1), or `eps` is not above 0, with which the first step would be 0
/// and all others too.
///
/// # Differences from PyTorch and optax
/// `torch.optim.Adadelta` and `optax.adadelta` are this rule; optax calls `square_avg` `e_g` and `acc_delta` `e_x`. PyTorch's `maximize` is a step with −g.
///
/// # References
/// Zeiler (2012), "ADADELTA: An Adaptive Learning Rate Method", Algorithm 1, arXiv:1212.5701.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct AdaDelta {
    /// What every step is multiplied by, without a unit.
    pub lr: f64,
    /// The decay rate ρ of both averages, in [0, 1).
    pub rho: f64,
    /// ε inside both roots: in units of the gradient squared below, of the parameters squared above. It starts the first step.
    pub eps: f64,
    /// The coupled L2 coefficient: `weight_decay` · θ is added to the gradient.
    pub weight_decay: f64,
}

impl Default for AdaDelta {
    fn default() -> Self {
        Self {
            lr: 1.0,
            rho: 0.9,
            eps: 1e-6,
            weight_decay: 0.0,
        }
    }
}

impl AdaDelta {
    /// The defaults of `torch.optim.Adadelta`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.adadelta`, which has none for the learning rate: 1 as in the paper.
    pub fn optax() -> Self {
        Self::default()
    }

    /// Algorithm 1 of Zeiler (2012) with the settings of its experiments.
    pub fn paper() -> Self {
        Self {
            rho: 0.95,
            ..Self::default()
        }
    }
}

impl Rule for AdaDelta {
    fn name(&self) -> &'static str {
        "AdaDelta"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("AdaDelta", "lr", self.lr)?;
        Error::check_decay_rate("AdaDelta", "rho", self.rho)?;
        Error::check_positive("AdaDelta", "eps", self.eps)?;
        Error::check_non_negative("AdaDelta", "weight_decay", self.weight_decay)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["square_avg", "acc_delta"]
    }

    fn is_non_negative(&self, _name: &str) -> bool {
        true
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (rho, one_minus_rho) = (T::of(self.rho), T::of(1.0 - self.rho));
        let (lr, eps, weight_decay) = (T::of(self.lr), T::of(self.eps), T::of(self.weight_decay));

        let [v, a, ..] = step.state;
        for (((theta, &g), v), a) in step.theta.iter_mut().zip(step.grad).zip(v).zip(a) {
            let g = g + weight_decay * *theta;
            *v = rho * *v + one_minus_rho * g * g;
            let d = (*a + eps).sqrt() / (*v + eps).sqrt() * g;
            *a = rho * *a + one_minus_rho * d * d;
            *theta -= lr * d;
        }
    }
    // ANCHOR_END: update
}
