//! # Exercise 02: momentum
//!
//! Write gradient descent with a velocity: in the two conventions that libraries use, and with Nesterov's look ahead.
//!
//! ```text
//! share = g                       heavy ball: the gradient enters whole
//! share = (1 − β) g               average: the velocity is a moving average of the gradients
//!
//! v ← β v + share                 v = 0 before the first step
//! θ ← θ − lr · v                  without Nesterov
//! θ ← θ − lr · (β v + share)      with Nesterov, v being the velocity of this step
//! ```
//!
//! Every line holds for each parameter by itself: θ, g and v are vectors of one length, which may be 0.
//! θ is in units of the parameters; g and v are in units of the gradient, and lr in units of θ over those of the gradient.
//! β lies in [0, 1) and has no unit. lr is a public field: it may be changed between two steps, and the new one holds at once.
//!
//! An example: with lr 1, β = 0.9 and gradients of 0.12, the heavy ball's velocity is 0.12, 0.228, 0.3252, 0.41268 after one to four steps,
//! and the average's is a tenth of that. With Nesterov the heavy ball's first step is 0.9 · 0.12 + 0.12 = 0.228.
//!
//! The heavy ball is `torch.optim.SGD(momentum=β)`, with `nesterov=True` for Nesterov's.
//!
//! Test it with `cargo course test ex02` or `cargo test -p ex02-momentum`; get a hint with `cargo course hint ex02`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

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
        todo!("Momentum::new")
    }

    /// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the length that [`Momentum::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        todo!("Momentum::step")
    }
}
