use crate::{Error, Float, Rule, Step};

/// Stochastic gradient descent: plain, with momentum in either convention, or Nesterov's.
///
/// ```text
/// plain         θ ← θ − lr · g
/// heavy ball    b ← μ b + g              θ ← θ − lr · b      (Nesterov: θ ← θ − lr · (g + μ b))
/// EMA           b ← μ b + (1 − μ) g      θ ← θ − lr · b      (Nesterov: θ ← θ − lr · ((1 − μ) g + μ b))
/// ```
///
/// # Defaults
/// `lr` 1e-3 and no momentum, as `torch.optim.SGD`; the heavy ball where `momentum` is set; no weight decay.
///
/// # State
/// `momentum_buffer` (b) of the parameters' shape, zero at first: 1 float per parameter, none without momentum.
///
/// # Example
/// A constant gradient of 1: the heavy ball's velocity grows towards 1/(1 − μ), the EMA's towards 1.
/// ```
/// use moments::{Momentum, Optimizer, Sgd};
///
/// let heavy_ball = Sgd { lr: 1.0, momentum: 0.5, ..Sgd::default() };
/// let ema = Sgd { convention: Momentum::Ema, ..heavy_ball };
/// let (mut x, mut y) = ([0.0], [0.0]);
/// let (mut a, mut b) = (Optimizer::new(heavy_ball), Optimizer::new(ema));
/// for (x_expected, y_expected) in [(-1.0, -0.5), (-2.5, -1.25)] {
///     a.step(&mut x, &[1.0])?;
///     b.step(&mut y, &[1.0])?;
///     assert_eq!((x[0], y[0]), (x_expected, y_expected));
/// }
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr` or `weight_decay` is negative or not finite, `momentum` is outside [0, 1], or `nesterov` is set without momentum.
///
/// # Differences from PyTorch and optax
/// `torch.optim.SGD` and `optax.sgd` are the heavy ball. PyTorch's `dampening` is not the EMA: it leaves the first gradient unscaled.
///
/// # References
/// Polyak (1964), "Some methods of speeding up the convergence of iteration methods".
/// Sutskever, Martens, Dahl & Hinton (2013), "On the importance of initialization and momentum in deep learning", for Nesterov's form.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Sgd {
    /// The learning rate η, in units of the parameters per unit of gradient.
    pub lr: f64,
    /// The momentum coefficient μ, in [0, 1]; 0 keeps no state.
    pub momentum: f64,
    /// How the velocity takes up the gradient.
    pub convention: Momentum,
    /// Whether the step looks ahead, in Nesterov's way.
    pub nesterov: bool,
    /// The coupled L2 coefficient: `weight_decay` · θ is added to the gradient.
    pub weight_decay: f64,
}

/// How a velocity takes up a gradient.
///
/// From a zero velocity the two differ by the factor 1 − μ in every velocity, and so by the same factor in the learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Momentum {
    /// b ← μ b + g: PyTorch, optax. A constant gradient g drives b to g / (1 − μ).
    #[default]
    HeavyBall,
    /// b ← μ b + (1 − μ) g: an exponential moving average. It never exceeds the largest gradient.
    Ema,
}

impl Default for Sgd {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            momentum: 0.0,
            convention: Momentum::HeavyBall,
            nesterov: false,
            weight_decay: 0.0,
        }
    }
}

impl Sgd {
    /// The defaults of `torch.optim.SGD`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.sgd`, which has none for the learning rate: 1e-3 as in PyTorch.
    pub fn optax() -> Self {
        Self::default()
    }
}

impl Rule for Sgd {
    fn name(&self) -> &'static str {
        match (self.momentum == 0.0, self.nesterov) {
            (true, _) => "SGD",
            (false, false) => "SGD with momentum",
            (false, true) => "SGD with Nesterov momentum",
        }
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Sgd", "lr", self.lr)?;
        let holds = (0.0..=1.0).contains(&self.momentum);
        Error::unless(holds, "Sgd", "momentum", self.momentum, "in [0, 1]")?;
        let holds = !self.nesterov || self.momentum > 0.0;
        let expected = "above 0 where `nesterov` is set";
        Error::unless(holds, "Sgd", "momentum", self.momentum, expected)?;
        Error::check_non_negative("Sgd", "weight_decay", self.weight_decay)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        if self.momentum == 0.0 {
            &[]
        } else {
            &["momentum_buffer"]
        }
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (lr, weight_decay) = (T::of(self.lr), T::of(self.weight_decay));
        let momentum = T::of(self.momentum);
        let intake = T::of(match self.convention {
            Momentum::HeavyBall => 1.0,
            Momentum::Ema => 1.0 - self.momentum,
        });

        if self.momentum == 0.0 {
            for (theta, &g) in step.theta.iter_mut().zip(step.grad) {
                *theta -= lr * (g + weight_decay * *theta);
            }
            return;
        }
        let [b, ..] = step.state;
        for ((theta, &g), b) in step.theta.iter_mut().zip(step.grad).zip(b) {
            let g = intake * (g + weight_decay * *theta);
            *b = momentum * *b + g;
            let velocity = if self.nesterov { g + momentum * *b } else { *b };
            *theta -= lr * velocity;
        }
    }
    // ANCHOR_END: update
}
