//! # Exercise 09: weight decay, coupled and decoupled, solved
//!
//! ```text
//! L2           g ← g + wd · θ                             the penalty wd/2 · θ² has this gradient
//! decoupled    θ ← θ − lr · wd · θ                        the old θ decays, before the step
//!
//! then, with either:
//! t ← t + 1                                              t = 1 at the first step
//! m ← β₁ m + (1 − β₁) g              v ← β₂ v + (1 − β₂) g²
//! m̂ = m / (1 − β₁ᵗ)                  v̂ = v / (1 − β₂ᵗ)
//! θ ← θ − lr · m̂ / (√v̂ + ε)
//! ```

/// Where the weight decay goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// Into the gradient, and so through m and v.
    L2,
    /// Straight to θ.
    Decoupled,
}

/// Adam with weight decay for a vector of parameters.
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
    /// The weight decay wd.
    pub weight_decay: f64,
    /// Where the weight decay goes.
    pub decay: Decay,
    /// How many steps have been taken.
    pub t: i32,
    /// The first moment, uncorrected: one value for each parameter.
    pub m: Vec<f64>,
    /// The second moment, uncorrected: one value for each parameter.
    pub v: Vec<f64>,
}

impl Adam {
    /// Adam for `len` parameters before its first step, with the settings of PyTorch's AdamW, whatever the decay:
    /// lr 10⁻³, β₁ 0.9, β₂ 0.999, ε 10⁻⁸, wd 10⁻².
    pub fn new(len: usize, decay: Decay) -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 1e-2,
            decay,
            t: 0,
            m: vec![0.0; len],
            v: vec![0.0; len],
        }
    }

    /// Takes one step: changes `theta` in place, given the gradient of the loss at `theta`. Both have the length that [`Adam::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        self.t += 1;
        let correction1 = 1.0 - self.beta1.powi(self.t);
        let correction2 = 1.0 - self.beta2.powi(self.t);

        for (i, (theta, &grad)) in theta.iter_mut().zip(grad).enumerate() {
            // This is all that the two forms do differently, and both look at the old θ.
            let g = match self.decay {
                Decay::L2 => grad + self.weight_decay * *theta,
                Decay::Decoupled => {
                    *theta -= self.lr * self.weight_decay * *theta;
                    grad
                }
            };

            // From here on it is the Adam of exercise 07. What L2 added is averaged, squared and divided with the rest.
            self.m[i] = self.beta1 * self.m[i] + (1.0 - self.beta1) * g;
            self.v[i] = self.beta2 * self.v[i] + (1.0 - self.beta2) * g * g;
            let m_hat = self.m[i] / correction1;
            let v_hat = self.v[i] / correction2;
            *theta -= self.lr * m_hat / (v_hat.sqrt() + self.eps);
        }
    }
}
