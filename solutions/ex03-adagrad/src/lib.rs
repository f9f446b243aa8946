//! # Exercise 03: AdaGrad, solved
//!
//! ```text
//! s ← s + g²                             s = initial before the first step
//! θ ← θ − lr · g / (√s + ε)
//! ```

/// AdaGrad for a vector of parameters.
#[derive(Clone, Debug)]
pub struct AdaGrad {
    /// The learning rate.
    pub lr: f64,
    /// ε, added to the root of the sum.
    pub eps: f64,
    /// The sum of the squared gradients so far, and of what it started at: one value for each parameter.
    pub sum: Vec<f64>,
}

impl AdaGrad {
    /// AdaGrad for `len` parameters before its first step, with the settings of PyTorch: lr 10⁻², ε 10⁻¹⁰.
    /// Every sum starts at `initial`, which is 0 or more.
    pub fn new(len: usize, initial: f64) -> Self {
        Self {
            lr: 1e-2,
            eps: 1e-10,
            sum: vec![initial; len],
        }
    }

    /// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the length that [`AdaGrad::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        for ((theta, sum), &g) in theta.iter_mut().zip(&mut self.sum).zip(grad) {
            // The gradient enters its own divisor: from s = 0 the first step is lr against the sign of g.
            *sum += g * g;
            *theta -= self.lr * g / (sum.sqrt() + self.eps);
        }
    }
}
