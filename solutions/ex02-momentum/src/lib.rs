//! # Exercise 02: momentum, solved
//!
//! ```text
//! share = g                       heavy ball: the gradient enters whole
//! share = (1 − β) g               average: the velocity is a moving average of the gradients
//!
//! v ← β v + share                 v = 0 before the first step
//! θ ← θ − lr · v                  without Nesterov
//! θ ← θ − lr · (β v + share)      with Nesterov, v being the velocity of this step
//! ```

/// What a gradient counts in the velocity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// The gradient enters whole: the velocity is a sum of gradients, of which old ones fade.
    HeavyBall,
    /// The gradient enters with 1 − β: the velocity is an average of gradients.
    Average,
}

/// Gradient descent with momentum for a vector of parameters.
#[derive(Clone, Debug)]
pub struct Momentum {
    /// The learning rate.
    pub lr: f64,
    /// β, the fraction of the velocity that is kept.
    pub beta: f64,
    /// What a gradient counts in the velocity.
    pub convention: Convention,
    /// Whether the step looks ahead, as Nesterov's.
    pub nesterov: bool,
    /// The velocity: one value for each parameter.
    pub velocity: Vec<f64>,
}

impl Momentum {
    /// Momentum for `len` parameters before its first step: lr 10⁻², no Nesterov, and what is given.
    pub fn new(len: usize, beta: f64, convention: Convention) -> Self {
        Self {
            lr: 1e-2,
            beta,
            convention,
            nesterov: false,
            velocity: vec![0.0; len],
        }
    }

    /// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the length that [`Momentum::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        for ((theta, velocity), &g) in theta.iter_mut().zip(&mut self.velocity).zip(grad) {
            let share = match self.convention {
                Convention::HeavyBall => g,
                Convention::Average => (1.0 - self.beta) * g,
            };
            *velocity = self.beta * *velocity + share;
            // Nesterov's step is the velocity that the same gradient would give if it came once more.
            let direction = if self.nesterov {
                self.beta * *velocity + share
            } else {
                *velocity
            };
            // lr stands here alone, so a new one holds at once.
            *theta -= self.lr * direction;
        }
    }
}
