use crate::float::power;
use crate::{CurvatureRule, Denominator, Error, Float, MAX_STATE, Rule, Step};

/// AdaHessian: Adam whose second moment is that of the curvature, not of the gradient.
///
/// ```text
/// h ← |diag H|                   when the curvature is observed; kept until the next time
/// m ← β₁ m + (1 − β₁) g          m̂ = m / (1 − β₁ᵗ)
/// v ← β₂ v + (1 − β₂) h²         v̂ = v / (1 − β₂ᵗ)
/// θ ← θ − lr · λ θ − lr · m̂ / ((√v̂)ᵏ + ε)
/// ```
///
/// Call [`observe_curvature`](crate::Optimizer::observe_curvature) before the step that is to use it, at every step or every few.
/// A usual estimate is z ⊙ H z with random signs z (Hutchinson's); the average over a kernel that the paper takes next is the caller's, too.
///
/// # Defaults
/// `lr` 0.15, `beta1` 0.9, `beta2` 0.999, `eps` 1e-4, `hessian_power` 1, no weight decay: the authors' code.
/// [`timm`](Self::timm) has `lr` 0.1 and `eps` 1e-8.
///
/// # State
/// `exp_avg` (m), `exp_hessian_diag_sq` (v) and `hessian_diag` (h), of the parameters' shape, zero at first: 3 floats per parameter.
///
/// # Example
/// Where h is the curvature of a parabola, the first step is Newton's times `lr`, and so the second nearly is:
/// m̂ = (0.1 · 6 · 0.9 + 0.1 · 3)/0.19 = 84/19 there.
/// ```
/// use moments::{AdaHessian, Optimizer};
///
/// let mut x = [3.0_f64]; // f(x) = x²
/// let mut opt = Optimizer::new(AdaHessian { lr: 0.5, eps: 0.0, ..AdaHessian::default() });
/// for expected in [1.5, 1.5 - 0.5 * 84.0 / 19.0 / 2.0] {
///     opt.observe_curvature(&[2.0])?;
///     let grad = [2.0 * x[0]];
///     opt.step(&mut x, &grad)?;
///     assert!((x[0] - expected).abs() < 1e-12);
/// }
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `eps`, `weight_decay` or `hessian_power` is negative or not finite, or a β is outside [0, 1).
/// Before the first observation h is 0, and the step is lr · m̂ / ε.
///
/// # Differences from PyTorch and optax
/// Neither has it. The authors' code, timm's class and this rule are the same in real arithmetic.
/// The paper's Algorithm 1 has no ε; `eps: 0.0` gives it, and 0/0 = NaN where nothing curves and nothing pulls.
///
/// # References
/// Yao, Gholami, Shen, Mustafa, Keutzer & Mahoney (2020), "ADAHESSIAN: An Adaptive Second Order Optimizer for Machine Learning",
/// Algorithm 1, arXiv:2006.00719.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct AdaHessian {
    /// The learning rate η: a fraction of Newton's step where the curvature is steady and k = 1.
    pub lr: f64,
    /// The decay rate β₁ of the first moment, in [0, 1).
    pub beta1: f64,
    /// The decay rate β₂ of the squared curvature, in [0, 1).
    pub beta2: f64,
    /// ε, in units of the curvature to the power k.
    pub eps: f64,
    /// The decoupled weight decay λ, scaled by `lr`.
    pub weight_decay: f64,
    /// The power k of the denominator: 1 for Newton's scaling, 0 for none.
    pub hessian_power: f64,
}

impl Default for AdaHessian {
    fn default() -> Self {
        Self {
            lr: 0.15,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-4,
            weight_decay: 0.0,
            hessian_power: 1.0,
        }
    }
}

impl AdaHessian {
    /// The defaults of `timm.optim.Adahessian`.
    pub fn timm() -> Self {
        Self {
            lr: 0.1,
            eps: 1e-8,
            ..Self::default()
        }
    }

    /// Algorithm 1 of Yao et al. (2020), which has no ε.
    pub fn paper() -> Self {
        Self {
            eps: 0.0,
            ..Self::default()
        }
    }
}

impl Rule for AdaHessian {
    fn name(&self) -> &'static str {
        "AdaHessian"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("AdaHessian", "lr", self.lr)?;
        Error::check_decay_rate("AdaHessian", "beta1", self.beta1)?;
        Error::check_decay_rate("AdaHessian", "beta2", self.beta2)?;
        Error::check_non_negative("AdaHessian", "eps", self.eps)?;
        Error::check_non_negative("AdaHessian", "weight_decay", self.weight_decay)?;
        Error::check_non_negative("AdaHessian", "hessian_power", self.hessian_power)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["exp_avg", "exp_hessian_diag_sq", "hessian_diag"]
    }

    fn is_non_negative(&self, name: &str) -> bool {
        name != "exp_avg"
    }

    fn corrections(&self, t: u64) -> (f64, f64) {
        (1.0 - power(self.beta1, t), 1.0 - power(self.beta2, t))
    }

    fn denominator(&self, t: u64, state: &[f64]) -> Option<Denominator> {
        let (_, bc2) = self.corrections(t);
        let root = (state.get(1)? / bc2).sqrt().pow(self.hessian_power);
        Some(Denominator {
            root,
            full: root + self.eps,
        })
    }

    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        // A power that is 1 is left out, since it would keep the loop from using vectors.
        if self.hessian_power == 1.0 {
            self.step_with(step, |root| root);
        } else {
            self.step_with(step, |root| root.pow(self.hessian_power));
        }
    }
}

impl CurvatureRule for AdaHessian {
    fn observe<T: Float>(&self, _t: u64, curvature: &[T], state: [&mut [T]; MAX_STATE]) {
        let [_, _, h, _] = state;
        for (h, curvature) in h.iter_mut().zip(curvature) {
            *h = curvature.abs();
        }
    }
}

impl AdaHessian {
    // ANCHOR: update
    /// The step, with what raises √v̂ to the power.
    #[inline(always)]
    fn step_with<T: Float>(&self, step: Step<'_, T>, powered: impl Fn(T) -> T) {
        let (bc1, bc2) = step.corrections;
        let (unbias1, unbias2) = (T::of(1.0 / bc1), T::of(1.0 / bc2));
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (beta2, one_minus_beta2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let (lr, eps) = (T::of(self.lr), T::of(self.eps));
        let keep = T::of(1.0 - self.lr * self.weight_decay);

        let [m, v, h, _] = step.state;
        let state = m.iter_mut().zip(v).zip(h);
        for ((theta, &g), ((m, v), h)) in step.theta.iter_mut().zip(step.grad).zip(state) {
            *m = beta1 * *m + one_minus_beta1 * g;
            *v = beta2 * *v + one_minus_beta2 * *h * *h;
            let m_hat = unbias1 * *m;
            let v_hat = unbias2 * *v;
            *theta = keep * *theta - lr * m_hat / (powered(v_hat.sqrt()) + eps);
        }
    }
    // ANCHOR_END: update
}
