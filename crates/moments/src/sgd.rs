use crate::{DecayScale, Error, Float, Rule, Step};

/// Stochastic gradient descent: plain, with momentum in either convention, or Nesterov's.
///
/// ```text
/// coupled       g ← g + wd · θ
/// plain         θ ← θ − lr · g
/// heavy ball    b ← μ b + (1 − τ) g      θ ← θ − lr · b      (Nesterov: θ ← θ − lr · (g + μ b))
/// EMA           b ← μ b + (1 − μ) g      θ ← θ − lr · b      (Nesterov: θ ← θ − lr · ((1 − μ) g + μ b))
/// decoupled     θ ← (1 − lr · wd) θ, then the step with the gradient as it is; or θ ← (1 − wd · lr / peak_lr) θ
/// ```
/// In the first step τ is 0. With the rate inside the momentum, b takes up lr times as much, and θ ← θ − b.
///
/// # Defaults
/// `lr` 1e-3 and no momentum, as `torch.optim.SGD`; the heavy ball where `momentum` is set; no dampening τ, no weight decay, which is coupled where it is set.
/// The rate is outside the momentum.
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
/// A step fails if `lr` or `weight_decay` is negative or not finite, `momentum` or `dampening` is outside [0, 1], `nesterov` is set without momentum,
/// `dampening` is set with Nesterov's momentum or the EMA, or `peak_lr` is not finite and above 0.
///
/// # Differences from PyTorch and optax
/// `torch.optim.SGD` and `optax.sgd` are the heavy ball; optax has neither dampening nor weight decay.
/// PyTorch's dampening is not the EMA: it leaves the first gradient unscaled, and so does this rule.
/// Its `maximize` is a step with −g. Neither library has the decoupled decay, which Loshchilov & Hutter call SGDW.
/// Both apply the rate to the velocity, the papers to what it takes up, which differs when the rate changes: [`LrAt`].
/// The paper of SGDW scales the decay by the schedule's multiplier, timm's SGDW by the rate: [`DecayScale`].
///
/// # References
/// Polyak (1964), "Some methods of speeding up the convergence of iteration methods".
/// Sutskever, Martens, Dahl & Hinton (2013), "On the importance of initialization and momentum in deep learning", for Nesterov's form.
/// Loshchilov & Hutter (2019), "Decoupled Weight Decay Regularization", Algorithm 1, arXiv:1711.05101.
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
    /// The part τ of every gradient but the first that the heavy ball leaves out, in [0, 1].
    pub dampening: f64,
    /// Whether the step looks ahead, in Nesterov's way.
    pub nesterov: bool,
    /// Where the learning rate is applied; it matters with momentum alone.
    pub lr_at: LrAt,
    /// The weight decay λ.
    pub weight_decay: f64,
    /// Whether the decay goes through the gradient.
    pub decay: SgdDecay,
    /// What the decoupled decay is scaled by.
    pub decay_scale: DecayScale,
}

/// Whether SGD's weight decay goes through the gradient.
///
/// Without momentum the two are the same if the decay is scaled by the rate. With it, the coupled decay has a momentum of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum SgdDecay {
    /// λ θ is added to the gradient: PyTorch, the gradient of an L2 penalty.
    #[default]
    Coupled,
    /// θ is multiplied by 1 − lr · λ, or what [`DecayScale`] says: SGDW.
    Decoupled,
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

/// Where a rule with momentum applies its learning rate.
///
/// At a constant rate the two are the same, but for the unit of the velocity.
/// Under a schedule, a rate inside the momentum acts on the gradient that it came with for as long as that is felt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LrAt {
    /// On the velocity: PyTorch, timm, `optax.sgd`.
    #[default]
    Outside,
    /// On what the velocity takes up: the papers, `optax.rmsprop`, `optax.lars`. The velocity is in units of the parameters.
    Inside,
}

impl LrAt {
    /// The velocity takes up the first times as much, and θ the second times the velocity.
    pub(crate) fn taken_up_and_applied(self, lr: f64) -> (f64, f64) {
        match self {
            Self::Outside => (1.0, lr),
            Self::Inside => (lr, 1.0),
        }
    }
}

impl Default for Sgd {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            momentum: 0.0,
            convention: Momentum::HeavyBall,
            dampening: 0.0,
            nesterov: false,
            lr_at: LrAt::Outside,
            weight_decay: 0.0,
            decay: SgdDecay::Coupled,
            decay_scale: DecayScale::Lr,
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

    /// SGDW, Algorithm 1 of Loshchilov & Hutter (2019): the rate inside the momentum, the decay scaled by the multiplier of a schedule
    /// whose peak is `lr` 1e-3. The paper names no numbers of its own: momentum 0.9 and λ 1e-5 here.
    pub fn sgdw() -> Self {
        Self {
            momentum: 0.9,
            lr_at: LrAt::Inside,
            weight_decay: 1e-5,
            decay: SgdDecay::Decoupled,
            decay_scale: DecayScale::Multiplier { peak_lr: 1e-3 },
            ..Self::default()
        }
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
        Error::check_momentum("Sgd", self.momentum, self.nesterov)?;
        Error::check_share("Sgd", "dampening", self.dampening)?;
        let undampened = self.nesterov || self.convention == Momentum::Ema;
        let holds = self.dampening == 0.0 || !undampened;
        let expected = "0 with Nesterov's momentum or the EMA";
        Error::unless(holds, "Sgd", "dampening", self.dampening, expected)?;
        Error::check_non_negative("Sgd", "weight_decay", self.weight_decay)?;
        self.decay_scale.validate("Sgd")
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
        let (lr, momentum) = (T::of(self.lr), T::of(self.momentum));
        let intake = match self.convention {
            Momentum::HeavyBall if step.t == 1 => 1.0,
            Momentum::HeavyBall => 1.0 - self.dampening,
            Momentum::Ema => 1.0 - self.momentum,
        };
        let (taken_up, applied) = self.lr_at.taken_up_and_applied(self.lr);
        let (intake, applied) = (T::of(taken_up * intake), T::of(applied));
        let (coupled, keep) = match self.decay {
            SgdDecay::Coupled => (T::of(self.weight_decay), T::of(1.0)),
            SgdDecay::Decoupled => {
                let fraction = (self.decay_scale).decayed_fraction(self.lr, self.weight_decay);
                (T::of(0.0), T::of(1.0 - fraction))
            }
        };

        if self.momentum == 0.0 {
            for (theta, &g) in step.theta.iter_mut().zip(step.grad) {
                *theta = keep * *theta - lr * (g + coupled * *theta);
            }
            return;
        }
        let [b, ..] = step.state;
        for ((theta, &g), b) in step.theta.iter_mut().zip(step.grad).zip(b) {
            let g = intake * (g + coupled * *theta);
            *b = momentum * *b + g;
            let velocity = if self.nesterov { g + momentum * *b } else { *b };
            *theta = keep * *theta - applied * velocity;
        }
    }
    // ANCHOR_END: update
}
