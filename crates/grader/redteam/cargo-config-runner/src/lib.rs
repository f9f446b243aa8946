//! # Exercise 07: Adam
//!
//! Write Adam: a step that keeps two moving averages of the gradient, corrects them, and moves the parameters by their ratio.
//!
//! ```text
//! t ← t + 1                                              t = 1 at the first step
//! m ← β₁ m + (1 − β₁) g              v ← β₂ v + (1 − β₂) g²
//! m̂ = m / (1 − β₁ᵗ)                  v̂ = v / (1 − β₂ᵗ)
//! θ ← θ − lr · m̂ / (√v̂ + ε)
//! ```
//!
//! Every line but the first holds for each parameter by itself: θ, g, m and v are vectors of one length, which may be 0.
//! θ is in units of the parameters and so is lr; g and m are in units of the gradient, and so is ε; v is in units of the gradient squared.
//!
//! An example: on f(x) = x² from x = 3 the gradient is 6, m̂ = 6 and v̂ = 36, and the first step takes x to 2.99900000000167.
//!
//! Test it with `cargo course test ex07` or `cargo test -p ex07-adam`; get a hint with `cargo course hint ex07`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

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
        todo!("Adam::new")
    }

    /// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the length that [`Adam::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        todo!("Adam::step")
    }
}
