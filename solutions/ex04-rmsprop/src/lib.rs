//! # Exercise 04: RMSProp, solved
//!
//! ```text
//! v ← β v + (1 − β) g²                          v = 0 before the first step
//! m ← β m + (1 − β) g                           m = 0 before the first step
//!
//! plain      θ ← θ − lr · g / (√v + ε)
//! centred    θ ← θ − lr · g / (√max(v − m², 0) + ε)
//! ```

/// RMSProp for a vector of parameters.
#[derive(Clone, Debug)]
pub struct RmsProp {
    /// The learning rate.
    pub lr: f64,
    /// The decay rate β of the averages, which PyTorch calls `alpha`.
    pub beta: f64,
    /// ε, added to the root.
    pub eps: f64,
    /// Whether m² is taken off v, which leaves the variance.
    pub centered: bool,
    /// The average of the squared gradients: one value for each parameter.
    pub v: Vec<f64>,
    /// The average of the gradients: one value for each parameter. Only the centred form reads it.
    pub m: Vec<f64>,
}

impl RmsProp {
    /// RMSProp for `len` parameters before its first step, with the settings of PyTorch:
    /// lr 10⁻², β 0.99, ε 10⁻⁸, not centred.
    pub fn new(len: usize) -> Self {
        Self {
            lr: 1e-2,
            beta: 0.99,
            eps: 1e-8,
            centered: false,
            v: vec![0.0; len],
            m: vec![0.0; len],
        }
    }

    /// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the length that [`RmsProp::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        for (i, (theta, &g)) in theta.iter_mut().zip(grad).enumerate() {
            // Both averages take up the gradient of this step before it is divided.
            self.v[i] = self.beta * self.v[i] + (1.0 - self.beta) * g * g;
            self.m[i] = self.beta * self.m[i] + (1.0 - self.beta) * g;
            let square = if self.centered {
                // Rounding can leave a variance of 0 a little below it, and the root would be NaN.
                (self.v[i] - self.m[i] * self.m[i]).max(0.0)
            } else {
                self.v[i]
            };
            *theta -= self.lr * g / (square.sqrt() + self.eps);
        }
    }
}
