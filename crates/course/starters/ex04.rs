//! # Exercise 04: RMSProp
//!
//! Write RMSProp: each gradient is divided by the root of a moving average of its own squares, and on demand by their spread alone.
//!
//! ```text
//! v ← β v + (1 − β) g²                          v = 0 before the first step
//! m ← β m + (1 − β) g                           m = 0 before the first step
//!
//! plain      θ ← θ − lr · g / (√v + ε)
//! centred    θ ← θ − lr · g / (√max(v − m², 0) + ε)
//! ```
//!
//! Every line holds for each parameter by itself: θ, g, v and m are vectors of one length, which may be 0.
//! θ and lr are in units of the parameters; g, m and ε in units of the gradient; v in units of the gradient squared.
//! Nothing is divided by 1 − βᵗ: that correction came with Adam.
//! v − m² is a variance and cannot be negative, but its rounded value can: hence the maximum.
//!
//! An example: with lr = 0.01, β = 0.99 and ε = 10⁻⁸ a first gradient of 5 gives v = 0.25, and θ goes down by 0.01 · 5/0.5 = 0.1, to eight digits.
//! Centred, m = 0.05, v − m² = 0.2475, and θ goes down by 0.100504.
//!
//! Test it with `cargo course test ex04` or `cargo test -p ex04-rmsprop`; get a hint with `cargo course hint ex04`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

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
        todo!("RmsProp::new")
    }

    /// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the length that [`RmsProp::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        todo!("RmsProp::step")
    }
}
