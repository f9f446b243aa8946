//! # Exercise 10: SGDW, solved
//!
//! ```text
//! L2           v ← μ v + (g + wd · θ)        θ ← θ − lr · v
//! decoupled    v ← μ v + g                   θ ← θ − lr · v − lr · wd · θ
//! ```

/// Where the weight decay goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// Into the gradient, and so into the velocity.
    L2,
    /// Straight to θ.
    Decoupled,
}

/// SGD with momentum and weight decay for a vector of parameters.
#[derive(Clone, Debug)]
pub struct Sgd {
    /// The learning rate.
    pub lr: f64,
    /// The momentum μ, in [0, 1).
    pub momentum: f64,
    /// The weight decay wd.
    pub weight_decay: f64,
    /// Where the weight decay goes.
    pub decay: Decay,
    /// The velocity v: one value for each parameter.
    pub velocity: Vec<f64>,
}

impl Sgd {
    /// SGD for `len` parameters before its first step.
    pub fn new(len: usize, lr: f64, momentum: f64, weight_decay: f64, decay: Decay) -> Self {
        Self {
            lr,
            momentum,
            weight_decay,
            decay,
            velocity: vec![0.0; len],
        }
    }

    /// Takes one step: changes `theta` in place, given the gradient of the loss at `theta`. Both have the length that [`Sgd::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        for ((theta, v), &g) in theta.iter_mut().zip(&mut self.velocity).zip(grad) {
            // Both parts read the old theta, so they are computed before it moves.
            let pull = self.weight_decay * *theta;
            let (felt, taken) = match self.decay {
                Decay::L2 => (g + pull, 0.0),
                Decay::Decoupled => (g, self.lr * pull),
            };
            *v = self.momentum * *v + felt;
            *theta -= self.lr * *v + taken;
        }
    }
}
