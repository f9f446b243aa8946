use crate::norm::norm;
use crate::{Error, Float, LrAt, Rule, Step};

/// LARS: SGD with momentum whose rate, in each tensor, is proportional to the norm of its parameters over that of its gradient.
///
/// ```text
/// g′ = g + wd · θ
/// local = c · ‖θ‖ / (‖g′‖ + ε)                   optax
/// local = c · ‖θ‖ / (‖g‖ + wd · ‖θ‖ + ε)         paper, timm
/// local = 1 if ‖θ‖ or ‖g′‖ (paper, timm: ‖g‖) is 0
/// clipped          local ← min(local / lr, 1)
///
/// rate inside      b ← μ b + lr · local · g′      θ ← θ − b            (Nesterov: θ ← θ − (lr · local · g′ + μ b))
/// rate outside     b ← μ b + local · g′           θ ← θ − lr · b       (Nesterov: θ ← θ − lr · (local · g′ + μ b))
/// ```
/// From the second step on, dampening leaves out a part τ of what b takes up.
///
/// # Defaults
/// `lr` 0.1, `momentum` 0.9, `trust_coefficient` c 1e-3, `eps` 0, no weight decay, the rate inside the momentum: `optax.lars`, which has no default rate.
/// No dampening; the local rate is not clipped, and every tensor has one.
///
/// # State
/// `momentum_buffer` (b) of the parameters' shape, zero at first: 1 float per parameter, none without momentum.
///
/// # Example
/// ‖θ‖ = 5 and ‖g‖ = 10, so that the first step is 5/1000 long for `lr` 1, whatever the gradient's length.
/// ```
/// use moments::{Lars, Optimizer};
///
/// let mut theta = [3.0_f64, 4.0];
/// let mut opt = Optimizer::new(Lars { lr: 1.0, ..Lars::default() });
/// opt.step(&mut theta, &[0.0, 10.0])?;
/// assert_eq!(theta, [3.0, 3.995]);
/// // ‖θ‖ = √(9 + 3.995²), and the velocity keeps nine tenths of 0.005.
/// let second = 0.9 * 0.005 + 1e-3 * (9.0 + 3.995_f64.powi(2)).sqrt();
/// opt.step(&mut theta, &[0.0, 10.0])?;
/// assert!((theta[1] - (3.995 - second)).abs() < 1e-15);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `weight_decay`, `trust_coefficient` or `eps` is negative or not finite, `momentum` or `dampening` is outside [0, 1],
/// `nesterov` is set without momentum, or `dampening` is set with Nesterov's momentum.
///
/// # Differences from PyTorch and optax
/// PyTorch has no LARS. `optax.lars` takes the norm of the sum g′; the paper, and timm after it, takes the sum of the norms: [`LarsNorms`].
/// timm applies the rate to the velocity, the other two to what it takes up: [`LrAt`].
/// Dampening and clipping (which makes it LARC) are timm's; without weight decay timm is plain SGD unless `always_adapt` is set.
/// Which tensors are left out, usually biases and norms, is a matter of parameter groups.
///
/// # References
/// You, Gitman & Ginsburg (2017), "Large Batch Training of Convolutional Networks", Algorithm 1, arXiv:1708.03888.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Lars {
    /// The learning rate η, without a unit: the step is `lr` · `trust_coefficient` of the parameters' norm.
    pub lr: f64,
    /// The momentum coefficient μ, in [0, 1]; 0 keeps no state.
    pub momentum: f64,
    /// The part τ of what every step but the first adds to the velocity that is left out, in [0, 1].
    pub dampening: f64,
    /// Whether the step looks ahead, in Nesterov's way.
    pub nesterov: bool,
    /// The coupled L2 coefficient: `weight_decay` · θ is added to the gradient.
    pub weight_decay: f64,
    /// The trust coefficient c.
    pub trust_coefficient: f64,
    /// ε in the denominator of the local rate, in units of the gradient's norm.
    pub eps: f64,
    /// Which norms the local rate is divided by.
    pub norms: LarsNorms,
    /// Where the learning rate is applied.
    pub lr_at: LrAt,
    /// Whether the local rate is taken as it is, but for being at most `lr`, instead of times `lr`: LARC.
    pub trust_clip: bool,
    /// Whether there is a local rate without weight decay too; if not, the step is then that of SGD.
    pub always_adapt: bool,
}

/// Which norms LARS divides its local rate by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LarsNorms {
    /// ‖g + wd · θ‖: optax.
    #[default]
    OfSum,
    /// ‖g‖ + wd · ‖θ‖: the paper, timm.
    Sum,
}

impl Default for Lars {
    fn default() -> Self {
        Self {
            lr: 0.1,
            momentum: 0.9,
            dampening: 0.0,
            nesterov: false,
            weight_decay: 0.0,
            trust_coefficient: 1e-3,
            eps: 0.0,
            norms: LarsNorms::OfSum,
            lr_at: LrAt::Inside,
            trust_clip: false,
            always_adapt: true,
        }
    }
}

impl Lars {
    /// The defaults of `optax.lars`, which has none for the learning rate: 0.1.
    pub fn optax() -> Self {
        Self::default()
    }

    /// The defaults of timm's `Lars`: no momentum, and SGD where there is no weight decay.
    pub fn timm() -> Self {
        Self {
            lr: 1.0,
            momentum: 0.0,
            eps: 1e-8,
            norms: LarsNorms::Sum,
            lr_at: LrAt::Outside,
            always_adapt: false,
            ..Self::default()
        }
    }

    /// Algorithm 1 of You, Gitman & Ginsburg (2017) with the settings of its experiments: weight decay 5e-4.
    pub fn paper() -> Self {
        Self {
            weight_decay: 5e-4,
            norms: LarsNorms::Sum,
            ..Self::default()
        }
    }
}

impl Lars {
    // ANCHOR: local_rate
    /// The local rate of a tensor whose parameters have the norm `size`; `decayed` is the gradient with the weight decay in it.
    #[inline(always)]
    fn local_rate<T: Float>(&self, size: f64, grad: &[T], decayed: &[T]) -> f64 {
        let (slope, decay) = match self.norms {
            LarsNorms::OfSum => (norm(decayed), 0.0),
            LarsNorms::Sum => (norm(grad), self.weight_decay * size),
        };
        let local = if size == 0.0 || slope == 0.0 {
            1.0
        } else {
            self.trust_coefficient * size / (slope + decay + self.eps)
        };
        // At a rate of zero the quotient may be NaN, and the smaller of that and 1 is 1.
        if self.trust_clip {
            (local / self.lr).min(1.0)
        } else {
            local
        }
    }
    // ANCHOR_END: local_rate
}

impl Rule for Lars {
    const WHOLE: bool = true;

    fn name(&self) -> &'static str {
        "LARS"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Lars", "lr", self.lr)?;
        Error::check_momentum("Lars", self.momentum, self.nesterov)?;
        Error::check_share("Lars", "dampening", self.dampening)?;
        let holds = self.dampening == 0.0 || !self.nesterov;
        let expected = "0 with Nesterov's momentum";
        Error::unless(holds, "Lars", "dampening", self.dampening, expected)?;
        Error::check_non_negative("Lars", "weight_decay", self.weight_decay)?;
        Error::check_non_negative("Lars", "trust_coefficient", self.trust_coefficient)?;
        Error::check_non_negative("Lars", "eps", self.eps)
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
        let (weight_decay, momentum) = (T::of(self.weight_decay), T::of(self.momentum));
        let decayed = step.scratch;
        decayed.clear();
        let entries = step.theta.iter().zip(step.grad);
        decayed.extend(entries.map(|(&theta, &g)| g + weight_decay * theta));

        let local = if self.weight_decay > 0.0 || self.always_adapt {
            self.local_rate(norm(step.theta), step.grad, decayed)
        } else {
            1.0
        };
        let (taken_up, applied) = self.lr_at.taken_up_and_applied(self.lr);
        let dampening = if step.t == 1 { 0.0 } else { self.dampening };
        let applied = T::of(applied);

        if self.momentum == 0.0 {
            let taken_up = T::of(taken_up * local);
            for (theta, &g) in step.theta.iter_mut().zip(&*decayed) {
                *theta -= applied * (taken_up * g);
            }
            return;
        }
        let taken_up = T::of(taken_up * local * (1.0 - dampening));
        let [b, ..] = step.state;
        for ((theta, &g), b) in step.theta.iter_mut().zip(&*decayed).zip(b) {
            let g = taken_up * g;
            *b = momentum * *b + g;
            let velocity = if self.nesterov { g + momentum * *b } else { *b };
            *theta -= applied * velocity;
        }
    }
    // ANCHOR_END: update
}
