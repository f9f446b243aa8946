//! # Exercise 03: AdaGrad
//!
//! Write AdaGrad: each parameter has a learning rate of its own, which falls as its gradients add up.
//!
//! ```text
//! s ← s + g²                             s = initial before the first step
//! θ ← θ − lr · g / (√s + ε)
//! ```
//!
//! Both lines hold for each parameter by itself: θ, g and s are vectors of one length, which may be 0.
//! θ is in units of the parameters and so is lr; g and ε are in units of the gradient, s and `initial` in units of the gradient squared.
//!
//! An example: with lr 0.1 and ε = 0, from θ = 1 and s = 0, the gradients 3 and then 4 give s = 9 and s = 25:
//! θ goes to 1 − 0.1 · 3/3 = 0.9, and then to 0.9 − 0.1 · 4/5 = 0.82.
//!
//! This is `torch.optim.Adagrad` with its `initial_accumulator_value`.
//!
//! Test it with `cargo course test ex03` or `cargo test -p ex03-adagrad`; get a hint with `cargo course hint ex03`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

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
        todo!("AdaGrad::new")
    }

    /// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the length that [`AdaGrad::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        todo!("AdaGrad::step")
    }
}
