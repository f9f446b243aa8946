//! # Exercise 08: AMSGrad, solved
//!
//! ```text
//! t ← t + 1                                              t = 1 at the first step
//! m ← β₁ m + (1 − β₁) g              v ← β₂ v + (1 − β₂) g²
//! m̂ = m / (1 − β₁ᵗ)                  v̂ = v / (1 − β₂ᵗ)
//!
//! Torch      v_max ← max(v_max, v)     θ ← θ − lr · m̂ / (√(v_max / (1 − β₂ᵗ)) + ε)
//! Optax      v_max ← max(v_max, v̂)     θ ← θ − lr · m̂ / (√v_max + ε)
//! Paper      v_max ← max(v_max, v)     θ ← θ − lr · m / (√v_max + ε)
//! ```

/// What the maximum is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The maximum of v, corrected by the 1 − β₂ᵗ of the present step.
    Torch,
    /// The maximum of the corrected v̂.
    Optax,
    /// The maximum of v; neither moment is corrected.
    Paper,
}

/// AMSGrad for a vector of parameters.
#[derive(Clone, Debug)]
pub struct AmsGrad {
    /// The learning rate.
    pub lr: f64,
    /// The decay rate β₁ of the first moment.
    pub beta1: f64,
    /// The decay rate β₂ of the second moment.
    pub beta2: f64,
    /// ε, added to the root.
    pub eps: f64,
    /// What the maximum is taken of.
    pub form: Form,
    /// How many steps have been taken.
    pub t: i32,
    /// The first moment, uncorrected: one value for each parameter.
    pub m: Vec<f64>,
    /// The second moment, uncorrected: one value for each parameter.
    pub v: Vec<f64>,
    /// The maximum: one value for each parameter.
    pub v_max: Vec<f64>,
}

impl AmsGrad {
    /// AMSGrad for `len` parameters before its first step, with the settings of PyTorch:
    /// lr 10⁻³, β₁ 0.9, β₂ 0.999, ε 10⁻⁸, [`Form::Torch`].
    pub fn new(len: usize) -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            form: Form::Torch,
            t: 0,
            m: vec![0.0; len],
            v: vec![0.0; len],
            v_max: vec![0.0; len],
        }
    }

    /// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the length that [`AmsGrad::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        self.t += 1;
        let correction1 = 1.0 - self.beta1.powi(self.t);
        let correction2 = 1.0 - self.beta2.powi(self.t);
        // The forms differ in three divisors: of m, of v before the maximum, of the maximum after it.
        let (of_m, before, after) = match self.form {
            Form::Torch => (correction1, 1.0, correction2),
            Form::Optax => (correction1, correction2, 1.0),
            Form::Paper => (1.0, 1.0, 1.0),
        };

        for (i, (theta, &g)) in theta.iter_mut().zip(grad).enumerate() {
            self.m[i] = self.beta1 * self.m[i] + (1.0 - self.beta1) * g;
            self.v[i] = self.beta2 * self.v[i] + (1.0 - self.beta2) * g * g;
            // v itself goes on fading: its maximum is kept beside it.
            self.v_max[i] = self.v_max[i].max(self.v[i] / before);
            let root = (self.v_max[i] / after).sqrt();
            *theta -= self.lr * (self.m[i] / of_m) / (root + self.eps);
        }
    }
}
