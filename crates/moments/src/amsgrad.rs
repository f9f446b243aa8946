use crate::adamw::coupled_and_kept;
use crate::float::power;
use crate::{BiasCorrection, Denominator, Error, Float, Rule, Step};

/// AMSGrad: Adam whose second moment never falls.
///
/// ```text
/// g ← g + wd · θ                                         coupled
/// m ← β₁ m + (1 − β₁) g
/// v ← β₂ v + (1 − β₂) g²
/// v_max ← max(v_max, v)                                  paper, PyTorch
/// v_max ← max(v_max, v / (1 − β₂ᵗ))                      optax
/// θ ← (1 − lr · wd) θ                                    decoupled
/// θ ← θ − lr · m / (√v_max + ε)                          paper
/// θ ← θ − lr · m̂ / (√(v_max / (1 − β₂ᵗ)) + ε)            PyTorch
/// θ ← θ − lr · m̂ / (√v_max + ε)                          optax
/// ```
///
/// `eps_root` is added under the root in all three.
///
/// # Defaults
/// `lr` 1e-3, `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, [`VMax::Torch`], no weight decay: `torch.optim.Adam(amsgrad=True)`.
/// `eps_root` 0, both moments corrected.
///
/// # State
/// `exp_avg` (m), `exp_avg_sq` (v) and `max_exp_avg_sq` (v_max), of the parameters' shape, zero at first: 3 floats per parameter.
///
/// # Example
/// A large gradient, then none: v falls, v_max stays.
/// ```
/// use moments::{AmsGrad, Optimizer};
///
/// let mut x = [1.0_f64];
/// let mut opt = Optimizer::new(AmsGrad { beta1: 0.0, beta2: 0.5, lr: 0.1, eps: 0.0, ..AmsGrad::paper() });
/// opt.step(&mut x, &[2.0])?; // v = 2, step 0.1 · 2/√2
/// assert!((x[0] - (1.0 - 0.2 / 2f64.sqrt())).abs() < 1e-15);
/// opt.step(&mut x, &[0.0])?; // v = 1, v_max = 2
/// assert_eq!(opt.state("exp_avg_sq"), Some(&[1.0][..]));
/// assert_eq!(opt.state("max_exp_avg_sq"), Some(&[2.0][..]));
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `eps`, `eps_root` or `weight_decay` is negative or not finite, or a β is outside [0, 1).
/// With `eps` and `eps_root` both 0, an entry whose gradients have all been 0 becomes 0/0 = NaN.
///
/// # Differences from PyTorch and optax
/// The three forms differ in what the maximum is taken of and whether it is corrected: [`VMax`] names them.
/// The paper has no ε; here it is added in all three, and `eps: 0.0` gives the paper's rule.
/// `torch.optim.AdamW(amsgrad=True)` is this rule with `decoupled_weight_decay`; optax has neither decay.
/// `bias_correction_mu` and `bias_correction_nu` of `optax.amsgrad` are [`AmsGrad::bias_correction`].
///
/// # References
/// Reddi, Kale & Kumar (2018), "On the Convergence of Adam and Beyond", Algorithm 2, arXiv:1904.09237.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct AmsGrad {
    /// The learning rate η, in units of the parameters.
    pub lr: f64,
    /// The decay rate β₁ of the first moment, in [0, 1).
    pub beta1: f64,
    /// The decay rate β₂ of the second moment, in [0, 1).
    pub beta2: f64,
    /// ε outside the root, in units of the gradient.
    pub eps: f64,
    /// ε inside the root, in units of the gradient squared.
    pub eps_root: f64,
    /// Whose form of the maximum.
    pub v_max: VMax,
    /// Which moments are corrected; of no effect in the paper's form, which corrects neither.
    pub bias_correction: BiasCorrection,
    /// The coefficient of the weight decay.
    pub weight_decay: f64,
    /// Whether `lr` · `weight_decay` of θ is taken away, as in AdamW, instead of `weight_decay` · θ being added to the gradient.
    pub decoupled_weight_decay: bool,
}

/// What AMSGrad takes the maximum of, and whether it corrects it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum VMax {
    /// The maximum of v; neither moment is corrected (Reddi et al. 2018, Algorithm 2).
    Paper,
    /// The maximum of v, corrected by 1 − β₂ᵗ of the present step; m is corrected too.
    #[default]
    Torch,
    /// The maximum of the corrected v̂; m is corrected too.
    Optax,
}

impl Default for AmsGrad {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            eps_root: 0.0,
            v_max: VMax::Torch,
            bias_correction: BiasCorrection::Both,
            weight_decay: 0.0,
            decoupled_weight_decay: false,
        }
    }
}

impl AmsGrad {
    /// `torch.optim.Adam(amsgrad=True)`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// `optax.amsgrad`.
    pub fn optax() -> Self {
        Self {
            v_max: VMax::Optax,
            ..Self::default()
        }
    }

    /// Algorithm 2 of Reddi et al. (2018), with ε = 0.
    pub fn paper() -> Self {
        Self {
            v_max: VMax::Paper,
            eps: 0.0,
            ..Self::default()
        }
    }
}

impl AmsGrad {
    /// What v is divided by before the maximum is taken (optax) and after (PyTorch).
    fn before_and_after(&self, bc2: f64) -> (f64, f64) {
        match self.v_max {
            VMax::Paper => (1.0, 1.0),
            VMax::Torch => (1.0, bc2),
            VMax::Optax => (bc2, 1.0),
        }
    }
}

impl Rule for AmsGrad {
    fn name(&self) -> &'static str {
        "AMSGrad"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("AmsGrad", "lr", self.lr)?;
        Error::check_decay_rate("AmsGrad", "beta1", self.beta1)?;
        Error::check_decay_rate("AmsGrad", "beta2", self.beta2)?;
        Error::check_non_negative("AmsGrad", "eps", self.eps)?;
        Error::check_non_negative("AmsGrad", "eps_root", self.eps_root)?;
        Error::check_non_negative("AmsGrad", "weight_decay", self.weight_decay)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    }

    fn is_non_negative(&self, name: &str) -> bool {
        name != "exp_avg"
    }

    fn corrections(&self, t: u64) -> (f64, f64) {
        if self.v_max == VMax::Paper {
            return (1.0, 1.0);
        }
        let bc1 = 1.0 - power(self.beta1, t);
        let bc2 = 1.0 - power(self.beta2, t);
        match self.bias_correction {
            BiasCorrection::Both => (bc1, bc2),
            BiasCorrection::First => (bc1, 1.0),
            BiasCorrection::Second => (1.0, bc2),
            BiasCorrection::Neither => (1.0, 1.0),
        }
    }

    fn denominator(&self, t: u64, state: &[f64]) -> Option<Denominator> {
        let (_, bc2) = self.corrections(t);
        let (_, after) = self.before_and_after(bc2);
        let v_hat = state.get(2)? / after;
        Some(Denominator {
            root: v_hat.sqrt(),
            full: (v_hat + self.eps_root).sqrt() + self.eps,
        })
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (bc1, bc2) = step.corrections;
        let (before, after) = self.before_and_after(bc2);
        // Multiplying by 1 / (1 - beta^t) takes less time than dividing.
        let unbias1 = T::of(1.0 / bc1);
        let (unbias_before, unbias_after) = (T::of(1.0 / before), T::of(1.0 / after));
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (beta2, one_minus_beta2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let (lr, eps, eps_root) = (T::of(self.lr), T::of(self.eps), T::of(self.eps_root));
        let (decay, decoupled) = (self.weight_decay, self.decoupled_weight_decay);
        let (coupled, kept) = coupled_and_kept::<T>(self.lr, decay, decoupled);

        let [m, v, v_max, _] = step.state;
        let moments = m.iter_mut().zip(v).zip(v_max);
        for ((theta, &g), ((m, v), v_max)) in step.theta.iter_mut().zip(step.grad).zip(moments) {
            let g = g + coupled * *theta;
            *m = beta1 * *m + one_minus_beta1 * g;
            *v = beta2 * *v + one_minus_beta2 * g * g;
            *v_max = v_max.larger(unbias_before * *v);
            let m_hat = unbias1 * *m;
            let v_hat = unbias_after * *v_max;
            *theta = kept * *theta - lr * m_hat / ((v_hat + eps_root).sqrt() + eps);
        }
    }
    // ANCHOR_END: update
}
