use crate::{Error, Float, Rule, Step};

/// Lion: the sign of an interpolated momentum, found by a search over programs.
///
/// ```text
/// c ← β₁ m + (1 − β₁) g
/// θ ← θ − lr · (sign(c) + wd · θ)
/// m ← β₂ m + (1 − β₂) g
/// ```
///
/// Every coordinate moves by `lr` at every step, or not at all where c is 0; so `lr` should be 3 to 10 times smaller than Adam's,
/// and `weight_decay` as much larger.
///
/// # Defaults
/// `lr` 1e-4, `beta1` 0.9, `beta2` 0.99, no weight decay: the authors' code.
/// The sign is the plain one.
///
/// # State
/// `exp_avg` (m) of the parameters' shape, zero at first: 1 float per parameter.
///
/// # Example
/// The old m outweighs a small gradient against it: at the second step c = 0.5 · 1 − 0.5 · 0.5 > 0.
/// ```
/// use moments::{Lion, Optimizer};
///
/// let mut theta = [1.0];
/// let mut opt = Optimizer::new(Lion { lr: 0.25, beta1: 0.5, beta2: 0.75, ..Lion::default() });
/// for (grad, moved, m) in [(4.0, 0.75, 1.0), (-0.5, 0.5, 0.625)] {
///     opt.step(&mut theta, &[grad])?;
///     assert_eq!((theta[0], opt.state("exp_avg").unwrap()[0]), (moved, m));
/// }
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `weight_decay` or `smooth_beta` is negative or not finite, or a β is outside [0, 1).
///
/// # Differences from PyTorch and optax
/// PyTorch has no Lion. `optax.lion` decays by 1e-3 where the authors' code does not: [`Lion::optax`].
/// The authors' code for PyTorch multiplies θ by 1 − lr · wd first; the paper, optax and this rule add wd · θ to the step. In real arithmetic the two are the same.
/// The other two signs are the modes of `optax.scale_by_lion`.
///
/// # References
/// Chen et al. (2023), "Symbolic Discovery of Optimization Algorithms", Algorithm 2, arXiv:2302.06675.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Lion {
    /// The learning rate η, in units of the parameters: the length of every step at every coordinate.
    pub lr: f64,
    /// The weight β₁ of m in the direction of the step, in [0, 1).
    pub beta1: f64,
    /// The decay rate β₂ of m, in [0, 1).
    pub beta2: f64,
    /// The decoupled coefficient λ: a step takes away `lr` · λ of θ.
    pub weight_decay: f64,
    /// What is taken for the sign.
    pub mode: LionMode,
    /// How steep [`LionMode::Smooth`] is, in units of one over the gradient; of no effect in the other modes.
    pub smooth_beta: f64,
}

/// What Lion takes for the sign of c.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LionMode {
    /// −1, 0 or 1: the paper.
    #[default]
    Hard,
    /// tanh(`smooth_beta` · c).
    Smooth,
    /// c itself where it is between −1 and 1, its sign elsewhere.
    Refined,
}

impl Default for Lion {
    fn default() -> Self {
        Self {
            lr: 1e-4,
            beta1: 0.9,
            beta2: 0.99,
            weight_decay: 0.0,
            mode: LionMode::Hard,
            smooth_beta: 1.0,
        }
    }
}

impl Lion {
    /// The defaults of `optax.lion`, which has none for the learning rate: 1e-4 as in the authors' code.
    pub fn optax() -> Self {
        Self {
            weight_decay: 1e-3,
            ..Self::default()
        }
    }

    /// Algorithm 2 of Chen et al. (2023) with the defaults of the authors' code.
    pub fn paper() -> Self {
        Self::default()
    }
}

impl Lion {
    // ANCHOR: update
    /// The step with what is taken for the sign of c.
    #[inline(always)]
    fn walk<T: Float>(&self, step: Step<'_, T>, sign: impl Fn(T) -> T) {
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (beta2, one_minus_beta2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let (lr, weight_decay) = (T::of(self.lr), T::of(self.weight_decay));

        let [m, ..] = step.state;
        for ((theta, &g), m) in step.theta.iter_mut().zip(step.grad).zip(m) {
            let c = beta1 * *m + one_minus_beta1 * g;
            *theta -= lr * (sign(c) + weight_decay * *theta);
            *m = beta2 * *m + one_minus_beta2 * g;
        }
    }
    // ANCHOR_END: update
}

impl Rule for Lion {
    fn name(&self) -> &'static str {
        "Lion"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Lion", "lr", self.lr)?;
        Error::check_decay_rate("Lion", "beta1", self.beta1)?;
        Error::check_decay_rate("Lion", "beta2", self.beta2)?;
        Error::check_non_negative("Lion", "weight_decay", self.weight_decay)?;
        Error::check_non_negative("Lion", "smooth_beta", self.smooth_beta)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["exp_avg"]
    }

    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (one, smooth_beta) = (T::of(1.0), self.smooth_beta);
        let tanh = |c: T| T::of(libm::tanh(smooth_beta * c.to_f64()));
        let clamp = |c: T| if c.abs() < one { c } else { c.sign() };
        match self.mode {
            LionMode::Hard => self.walk(step, T::sign),
            LionMode::Smooth => self.walk(step, tanh),
            LionMode::Refined => self.walk(step, clamp),
        }
    }
}
