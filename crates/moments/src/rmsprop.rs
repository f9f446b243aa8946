use crate::float::power;
use crate::{Denominator, EpsSide, Error, Float, Initial, LrAt, Rule, Step};

/// RMSProp: each gradient is divided by the root of a moving average of its squares.
///
/// ```text
/// g ← g + wd · θ
/// v ← α v + (1 − α) g²          v̂ = v / (1 − αᵗ) with bias correction, otherwise v
/// m ← α m + (1 − α) g           m̂ likewise; centred: v̂ ← v̂ − m̂²
/// u = g / (√v̂ + ε)              PyTorch
/// u = g / √(v̂ + ε)              optax
/// θ ← θ − lr · u
/// momentum, rate outside        b ← μ b + u           θ ← θ − lr · b      (Nesterov: θ ← θ − lr · (u + μ b))
/// momentum, rate inside         b ← μ b + lr · u      θ ← θ − b           (Nesterov: θ ← θ − (lr · u + μ b))
/// ```
///
/// # Defaults
/// `lr` 1e-2, `alpha` 0.99, `eps` 1e-8 outside the root, no centring, no momentum: `torch.optim.RMSprop`.
///
/// # State
/// `square_avg` (v), `initial_square` at first; `grad_avg` (m) if centred and `momentum_buffer` (b) with momentum, zero at first;
/// all of the parameters' shape: 1 to 3 floats per parameter.
///
/// # Example
/// The first step is lr/√(1 − α) whatever the gradient, since v lacks a correction.
/// ```
/// use moments::{Optimizer, RmsProp};
///
/// let mut x = [1.0_f64];
/// let mut opt = Optimizer::new(RmsProp { lr: 0.1, alpha: 0.75, eps: 0.0, ..RmsProp::default() });
/// for expected in [0.8, 0.8 - 0.1 * 4.0 / 7f64.sqrt()] {
///     opt.step(&mut x, &[5.0])?; // v = 25/4, then 175/16
///     assert!((x[0] - expected).abs() < 1e-15);
/// }
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `eps`, `initial_square` or `weight_decay` is negative or not finite, `alpha` is outside [0, 1), `momentum` is outside [0, 1],
/// or `nesterov` is set without momentum.
/// With `eps` and `initial_square` both 0, an entry whose gradients have all been 0 becomes 0/0 = NaN, as in PyTorch.
///
/// # Differences from PyTorch and optax
/// PyTorch: α 0.99, ε outside the root, the rate outside the momentum. optax: α 0.9, ε inside, the rate inside the momentum, which differs when the rate changes.
/// Bias correction and `initial_square` (`initial_scale`) are optax's, weight decay is PyTorch's.
/// v − m² can be negative by rounding: both libraries then give NaN, and this rule takes 0.
/// With bias correction and centring, the variance of the first gradient alone is 0, so that the first step is g/ε: choose ε accordingly.
///
/// # References
/// Tieleman & Hinton (2012), "Lecture 6.5: rmsprop", Coursera, which has no momentum and names α 0.9.
/// Graves (2013), "Generating Sequences With Recurrent Neural Networks", equations 38 to 41, arXiv:1308.0850: centring, ε inside, momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct RmsProp {
    /// The learning rate η, in units of the parameters.
    pub lr: f64,
    /// The decay rate α of the averages, in [0, 1).
    pub alpha: f64,
    /// ε, in units of the gradient outside the root, of the gradient squared inside it.
    pub eps: f64,
    /// Where `eps` is added.
    pub eps_at: EpsSide,
    /// Whether the square of the average gradient is taken off, which leaves the variance.
    pub centered: bool,
    /// Whether the averages are divided by 1 − αᵗ.
    pub bias_correction: bool,
    /// What v holds at first, in units of the gradient squared.
    pub initial_square: f64,
    /// The momentum coefficient μ, in [0, 1]; 0 keeps no velocity.
    pub momentum: f64,
    /// Whether the step looks ahead, in Nesterov's way.
    pub nesterov: bool,
    /// Where the learning rate is applied; it matters with momentum alone.
    pub lr_at: LrAt,
    /// The coupled L2 coefficient: `weight_decay` · θ is added to the gradient.
    pub weight_decay: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            lr: 1e-2,
            alpha: 0.99,
            eps: 1e-8,
            eps_at: EpsSide::Outside,
            centered: false,
            bias_correction: false,
            initial_square: 0.0,
            momentum: 0.0,
            nesterov: false,
            lr_at: LrAt::Outside,
            weight_decay: 0.0,
        }
    }
}

impl RmsProp {
    /// The defaults of `torch.optim.RMSprop`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.rmsprop`, which has none for the learning rate: 1e-2 as in PyTorch.
    pub fn optax() -> Self {
        Self {
            alpha: 0.9,
            eps_at: EpsSide::Inside,
            lr_at: LrAt::Inside,
            ..Self::default()
        }
    }

    /// Graves (2013) with the settings that the paper gives: α 0.95, μ 0.9, rate 1e-4, ε 1e-4 inside the root, centred.
    pub fn paper() -> Self {
        Self {
            lr: 1e-4,
            alpha: 0.95,
            eps: 1e-4,
            centered: true,
            momentum: 0.9,
            ..Self::optax()
        }
    }
}

impl Rule for RmsProp {
    fn name(&self) -> &'static str {
        "RMSProp"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("RmsProp", "lr", self.lr)?;
        Error::check_decay_rate("RmsProp", "alpha", self.alpha)?;
        Error::check_non_negative("RmsProp", "eps", self.eps)?;
        Error::check_non_negative("RmsProp", "initial_square", self.initial_square)?;
        Error::check_momentum("RmsProp", self.momentum, self.nesterov)?;
        Error::check_non_negative("RmsProp", "weight_decay", self.weight_decay)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        match (self.centered, self.momentum > 0.0) {
            (false, false) => &["square_avg"],
            (false, true) => &["square_avg", "momentum_buffer"],
            (true, false) => &["square_avg", "grad_avg"],
            (true, true) => &["square_avg", "grad_avg", "momentum_buffer"],
        }
    }

    fn initial(&self, name: &str) -> Initial {
        if name == "square_avg" && self.initial_square > 0.0 {
            Initial::Value(self.initial_square)
        } else {
            Initial::Zero
        }
    }

    fn is_non_negative(&self, name: &str) -> bool {
        name == "square_avg"
    }

    fn corrections(&self, t: u64) -> (f64, f64) {
        let bc = if self.bias_correction {
            1.0 - power(self.alpha, t)
        } else {
            1.0
        };
        (bc, bc)
    }

    fn denominator(&self, t: u64, state: &[f64]) -> Option<Denominator> {
        let (bc, _) = self.corrections(t);
        let mean = if self.centered {
            state.get(1)? / bc
        } else {
            0.0
        };
        let v_hat = (state.first()? / bc - mean * mean).max(0.0);
        let (inside, outside) = self.eps_at.inside_and_outside(self.eps);
        Some(Denominator {
            root: v_hat.sqrt(),
            full: (v_hat + inside).sqrt() + outside,
        })
    }

    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (bc, _) = step.corrections;
        let (inside, outside) = self.eps_at.inside_and_outside(self.eps);
        let (taken_up, applied) = self.lr_at.taken_up_and_applied(self.lr);
        let k = Constants {
            alpha: T::of(self.alpha),
            one_minus_alpha: T::of(1.0 - self.alpha),
            unbias: T::of(1.0 / bc),
            eps_inside: T::of(inside),
            eps_outside: T::of(outside),
            lr: T::of(self.lr),
            momentum: T::of(self.momentum),
            taken_up: T::of(taken_up),
            applied: T::of(applied),
            nesterov: self.nesterov,
            weight_decay: T::of(self.weight_decay),
        };

        let [v, second, third, _] = step.state;
        let entries = step.theta.iter_mut().zip(step.grad).zip(v);
        match (self.centered, self.momentum > 0.0) {
            (false, false) => entries.for_each(|((theta, &g), v)| k.entry(theta, g, v, None, None)),
            (true, false) => (entries.zip(second))
                .for_each(|(((theta, &g), v), m)| k.entry(theta, g, v, Some(m), None)),
            (false, true) => (entries.zip(second))
                .for_each(|(((theta, &g), v), b)| k.entry(theta, g, v, None, Some(b))),
            (true, true) => (entries.zip(second).zip(third))
                .for_each(|((((theta, &g), v), m), b)| k.entry(theta, g, v, Some(m), Some(b))),
        }
    }
}

/// What is the same for every entry of a step.
struct Constants<T> {
    alpha: T,
    one_minus_alpha: T,
    unbias: T,
    eps_inside: T,
    eps_outside: T,
    lr: T,
    momentum: T,
    /// What u is multiplied by before the velocity takes it up, and the velocity before θ does.
    taken_up: T,
    applied: T,
    nesterov: bool,
    weight_decay: T,
}

impl<T: Float> Constants<T> {
    // ANCHOR: update
    /// Steps one entry; `m` is there if the rule is centred, `b` if it has momentum.
    #[inline(always)]
    fn entry(&self, theta: &mut T, g: T, v: &mut T, m: Option<&mut T>, b: Option<&mut T>) {
        let g = g + self.weight_decay * *theta;
        *v = self.alpha * *v + self.one_minus_alpha * g * g;
        let mut v_hat = self.unbias * *v;
        if let Some(m) = m {
            *m = self.alpha * *m + self.one_minus_alpha * g;
            let m_hat = self.unbias * *m;
            v_hat = (v_hat - m_hat * m_hat).larger(T::of(0.0));
        }
        let u = g / ((v_hat + self.eps_inside).sqrt() + self.eps_outside);
        let Some(b) = b else {
            *theta -= self.lr * u;
            return;
        };
        let u = self.taken_up * u;
        *b = self.momentum * *b + u;
        let velocity = if self.nesterov {
            u + self.momentum * *b
        } else {
            *b
        };
        *theta -= self.applied * velocity;
    }
    // ANCHOR_END: update
}
