use crate::{Denominator, Error, Float, Initial, Rule, Step};

/// AdaGrad: each coordinate's steps shrink with the root of the sum of its squared gradients.
///
/// ```text
/// g ← g + wd · θ
/// s ← s + g²
/// ηₜ = lr / (1 + (t − 1) · lr_decay)
/// θ ← θ − ηₜ · g / (√s + ε)                  PyTorch, the paper
/// θ ← θ − ηₜ · g / √(s + ε)                  optax
/// ```
///
/// # Defaults
/// `lr` 1e-2, `eps` 1e-10 outside the root, `initial_accumulator` 0, no decay of the rate or the weights: `torch.optim.Adagrad`.
///
/// # State
/// `sum` (s) of the parameters' shape, `initial_accumulator` at first: 1 float per parameter.
///
/// # Example
/// Gradients of 3 and 4: the root of the sum is 3, then 5.
/// ```
/// use moments::{AdaGrad, Optimizer};
///
/// let mut x = [1.0_f64];
/// let mut opt = Optimizer::new(AdaGrad { lr: 0.5, eps: 0.0, ..AdaGrad::default() });
/// for (gradient, expected) in [(3.0, 0.5), (4.0, 0.1)] {
///     opt.step(&mut x, &[gradient])?;
///     assert!((x[0] - expected).abs() < 1e-15); // 1 − 0.5 · 3/3, then 0.5 − 0.5 · 4/5
/// }
/// assert_eq!(opt.state("sum"), Some(&[25.0][..]));
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `lr_decay`, `initial_accumulator`, `eps` or `weight_decay` is negative or not finite.
/// With `eps` and `initial_accumulator` both 0, an entry whose gradients have all been 0 becomes 0/0 = NaN, as in PyTorch.
///
/// # Differences from PyTorch and optax
/// PyTorch adds ε to the root, optax inside it; optax starts from an accumulator of 0.1 and has neither decay.
/// optax gives 0 instead of NaN for 0/0. PyTorch's `maximize` is a step with −g.
///
/// # References
/// Duchi, Hazan & Singer (2011), "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", Figure 1 with the diagonal matrix
/// and without a regulariser, JMLR 12; their δ is `eps`, and they recommend no value.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct AdaGrad {
    /// The learning rate η, in units of the parameters: the length of the first step.
    pub lr: f64,
    /// How fast the rate falls by itself: to a half after 1/`lr_decay` steps.
    pub lr_decay: f64,
    /// What the accumulator holds at first, in units of the gradient squared.
    pub initial_accumulator: f64,
    /// ε, in units of the gradient outside the root, of the gradient squared inside it.
    pub eps: f64,
    /// Where `eps` is added.
    pub eps_at: EpsSide,
    /// The coupled L2 coefficient: `weight_decay` · θ is added to the gradient.
    pub weight_decay: f64,
}

/// On which side of the root ε is added, in AdaGrad and RMSProp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum EpsSide {
    /// √v + ε: PyTorch, the paper of AdaGrad.
    #[default]
    Outside,
    /// √(v + ε): optax, Graves.
    Inside,
}

impl EpsSide {
    /// ε inside and outside the root.
    pub(crate) fn inside_and_outside(self, eps: f64) -> (f64, f64) {
        match self {
            Self::Outside => (0.0, eps),
            Self::Inside => (eps, 0.0),
        }
    }
}

impl Default for AdaGrad {
    fn default() -> Self {
        Self {
            lr: 1e-2,
            lr_decay: 0.0,
            initial_accumulator: 0.0,
            eps: 1e-10,
            eps_at: EpsSide::Outside,
            weight_decay: 0.0,
        }
    }
}

impl AdaGrad {
    /// The defaults of `torch.optim.Adagrad`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.adagrad`, which has none for the learning rate: 1e-2 as in PyTorch.
    pub fn optax() -> Self {
        Self {
            initial_accumulator: 0.1,
            eps: 1e-7,
            eps_at: EpsSide::Inside,
            ..Self::default()
        }
    }

    /// What the rate is divided by at step `t`.
    fn slowing(&self, t: u64) -> f64 {
        1.0 + (t - 1) as f64 * self.lr_decay
    }
}

impl Rule for AdaGrad {
    fn name(&self) -> &'static str {
        "AdaGrad"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("AdaGrad", "lr", self.lr)?;
        Error::check_non_negative("AdaGrad", "lr_decay", self.lr_decay)?;
        Error::check_non_negative("AdaGrad", "initial_accumulator", self.initial_accumulator)?;
        Error::check_non_negative("AdaGrad", "eps", self.eps)?;
        Error::check_non_negative("AdaGrad", "weight_decay", self.weight_decay)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["sum"]
    }

    fn initial(&self, _name: &str) -> Initial {
        if self.initial_accumulator == 0.0 {
            Initial::Zero
        } else {
            Initial::Value(self.initial_accumulator)
        }
    }

    fn is_non_negative(&self, _name: &str) -> bool {
        true
    }

    fn denominator(&self, t: u64, state: &[f64]) -> Option<Denominator> {
        let (inside, outside) = self.eps_at.inside_and_outside(self.eps);
        let (s, slowing) = (state.first()?, self.slowing(t));
        Some(Denominator {
            root: slowing * s.sqrt(),
            full: slowing * ((s + inside).sqrt() + outside),
        })
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let lr = T::of(self.lr / self.slowing(step.t));
        let (inside, outside) = self.eps_at.inside_and_outside(self.eps);
        let (inside, outside) = (T::of(inside), T::of(outside));
        let weight_decay = T::of(self.weight_decay);

        let [s, ..] = step.state;
        for ((theta, &g), s) in step.theta.iter_mut().zip(step.grad).zip(s) {
            let g = g + weight_decay * *theta;
            *s += g * g;
            *theta -= lr * g / ((*s + inside).sqrt() + outside);
        }
    }
    // ANCHOR_END: update
}
