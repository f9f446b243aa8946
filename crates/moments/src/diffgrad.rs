use crate::float::power;
use crate::{Denominator, EpsAt, Error, Float, Rule, Step};

/// diffGrad: Adam with a friction that halves the step where the gradient does not change.
///
/// ```text
/// g ← g + wd · θ
/// ξ = 1 / (1 + e^−|gₜ₋₁ − gₜ|)          g₀ = 0
/// m ← β₁ m + (1 − β₁) g                 m̂ = m / (1 − β₁ᵗ)
/// v ← β₂ v + (1 − β₂) g²                v̂ = v / (1 − β₂ᵗ)
/// θ ← θ − lr · ξ · m̂ / (√v̂ + ε)
/// ```
///
/// ξ is between ½, for a gradient that stays, and 1, for one that changes much.
/// Unlike the rest of the rule it sees the scale of the gradient.
///
/// # Defaults
/// `lr` 1e-3, `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, added to √v̂: the paper. No weight decay.
///
/// # State
/// `exp_avg` (m) and `exp_avg_sq` (v), both uncorrected, and `previous_grad` (gₜ₋₁), of the parameters' shape, zero at first: 3 floats per parameter.
///
/// # Example
/// The gradient ln 3, twice: ξ is 1/(1 + ⅓) = ¾ at first, then ½.
/// ```
/// use moments::{DiffGrad, Optimizer};
///
/// let mut theta = [0.0_f64];
/// let mut opt = Optimizer::new(DiffGrad { lr: 1.0, eps: 0.0, ..DiffGrad::default() });
/// for expected in [-0.75, -1.25] {
///     opt.step(&mut theta, &[3.0_f64.ln()])?;
///     assert!((theta[0] - expected).abs() < 1e-12);
/// }
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `eps` or `weight_decay` is negative or not finite, or a β is outside [0, 1).
/// With `eps` 0, an entry whose gradients have all been 0 becomes 0/0 = NaN.
///
/// # Differences from PyTorch and optax
/// Neither has diffGrad. The authors' code for PyTorch adds ε to √v instead: [`EpsAt::Uncorrected`].
/// A port of it kept the previous gradient by reference, in memory that the next gradient was then written to:
/// ξ was ½ from the second step on, and the rule Adam at half the rate.
///
/// # References
/// Dubey et al. (2020), "diffGrad: An Optimization Method for Convolutional Neural Networks", arXiv:1909.11015.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct DiffGrad {
    /// The learning rate η, in units of the parameters.
    pub lr: f64,
    /// The decay rate β₁ of the first moment, in [0, 1).
    pub beta1: f64,
    /// The decay rate β₂ of the second moment, in [0, 1).
    pub beta2: f64,
    /// ε outside the root, in units of the gradient.
    pub eps: f64,
    /// Which √v `eps` is added to.
    pub eps_at: EpsAt,
    /// The coupled L2 coefficient: `weight_decay` · θ is added to the gradient, and so takes part in its change.
    pub weight_decay: f64,
}

impl Default for DiffGrad {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            eps_at: EpsAt::Corrected,
            weight_decay: 0.0,
        }
    }
}

impl DiffGrad {
    /// The rule of Dubey et al. (2020) with their settings.
    pub fn paper() -> Self {
        Self::default()
    }
}

impl Rule for DiffGrad {
    fn name(&self) -> &'static str {
        "diffGrad"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("DiffGrad", "lr", self.lr)?;
        Error::check_decay_rate("DiffGrad", "beta1", self.beta1)?;
        Error::check_decay_rate("DiffGrad", "beta2", self.beta2)?;
        Error::check_non_negative("DiffGrad", "eps", self.eps)?;
        Error::check_non_negative("DiffGrad", "weight_decay", self.weight_decay)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq", "previous_grad"]
    }

    fn is_non_negative(&self, name: &str) -> bool {
        name == "exp_avg_sq"
    }

    fn corrections(&self, t: u64) -> (f64, f64) {
        (1.0 - power(self.beta1, t), 1.0 - power(self.beta2, t))
    }

    fn denominator(&self, t: u64, state: &[f64]) -> Option<Denominator> {
        let (_, bc2) = self.corrections(t);
        let root = (state.get(1)? / bc2).sqrt();
        Some(Denominator {
            root,
            full: root + self.eps_at.added(self.eps, bc2),
        })
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (bc1, bc2) = step.corrections;
        // Multiplying by 1 / (1 - beta^t) takes less time than dividing.
        let (unbias1, unbias2) = (T::of(1.0 / bc1), T::of(1.0 / bc2));
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (beta2, one_minus_beta2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let (lr, weight_decay) = (T::of(self.lr), T::of(self.weight_decay));
        let (eps, one) = (T::of(self.eps_at.added(self.eps, bc2)), T::of(1.0));

        let [m, v, previous, _] = step.state;
        let moments = m.iter_mut().zip(v).zip(previous);
        for ((theta, &g), ((m, v), previous)) in step.theta.iter_mut().zip(step.grad).zip(moments) {
            let g = g + weight_decay * *theta;
            let change = (*previous - g).abs();
            let friction = one / (one + T::of(exp_of_minus(change.to_f64())));
            *previous = g;
            *m = beta1 * *m + one_minus_beta1 * g;
            *v = beta2 * *v + one_minus_beta2 * g * g;
            let m_hat = unbias1 * *m;
            let v_hat = unbias2 * *v;
            *theta -= lr * friction * m_hat / (v_hat.sqrt() + eps);
        }
    }
    // ANCHOR_END: update
}

/// 1 / n!
const SERIES: [f64; 14] = {
    let mut series = [1.0; 14];
    let mut n = 1;
    while n < 14 {
        series[n] = series[n - 1] / n as f64;
        n += 1;
    }
    series
};

/// e⁻ˣ for x ≥ 0, to two units in the last place up to x = 40 and from there on e⁻⁴⁰, which is nothing beside 1.
///
/// `libm::exp` would keep the loop from vectorising. Here are additions, multiplications and bits alone, and no branch.
#[inline(always)]
fn exp_of_minus(x: f64) -> f64 {
    // Added to a number, this leaves the nearest integer n in the last bits.
    const TO_INTEGER: f64 = 6_755_399_441_055_744.0; // 1.5 · 2⁵²
    // ln 2 in two parts, the first with zeros at its end, so that n times it is exact.
    const LN_2: (f64, f64) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);
    const EXPONENT: u32 = 52;
    const BIAS: u64 = 1023;

    let x = if x < 40.0 { x } else { 40.0 };
    let shifted = TO_INTEGER - x * std::f64::consts::LOG2_E;
    let n = shifted - TO_INTEGER;
    let two_to_the_n = f64::from_bits(shifted.to_bits().wrapping_add(BIAS) << EXPONENT);
    // e⁻ˣ = 2ⁿ eʳ with |r| ≤ ½ ln 2, and eʳ by its series, even and odd powers side by side.
    let r = (-x - n * LN_2.0) - n * LN_2.1;
    let (mut even, mut odd) = (SERIES[12], SERIES[13]);
    for i in (0..6).rev() {
        even = SERIES[2 * i] + r * r * even;
        odd = SERIES[2 * i + 1] + r * r * odd;
    }
    two_to_the_n * (even + r * odd)
}

#[cfg(test)]
mod tests {
    use super::exp_of_minus;

    #[test]
    fn the_exponential_is_right_to_two_units_in_the_last_place() {
        for i in 0..400_000 {
            let x = f64::from(i) * 1e-4;
            let expected = libm::exp(-x);
            let gap = (exp_of_minus(x) - expected).abs();
            assert!(gap <= 2.0 * f64::EPSILON * expected, "{x}: {gap:e}");
        }
        assert_eq!(exp_of_minus(0.0), 1.0);
        assert_eq!(exp_of_minus(1e-300), 1.0);
        assert_eq!(exp_of_minus(f64::INFINITY), exp_of_minus(40.0));
        assert!(exp_of_minus(f64::MAX) < f64::EPSILON / 32.0);
    }
}
