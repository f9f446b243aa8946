//! # Exercise 09: weight decay, coupled and decoupled
//!
//! Write Adam with weight decay in its two forms: L2, where the decay is a part of the gradient, and decoupled, where it is not.
//! Adam with decoupled decay is AdamW.
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
//!
//! Every line but t's holds for each parameter by itself: θ, g, m and v are vectors of one length, which may be 0.
//! θ is in units of the parameters and so is lr; g, m and ε are in units of the gradient, v in units of the gradient squared.
//! So the units of wd differ: gradient per parameter under L2, one over lr where the decay is decoupled.
//! The gradient that the caller gives stays as it is; a gradient of 0 is no reason to leave the decay out.
//!
//! An example: θ = 1, g = 0.25, lr 0.1, wd 0.01 and the other settings as below.
//! Decoupled, one step leaves 0.999 − 0.1 = 0.8990; with L2 it leaves 0.9000, for Adam's first step has the length lr whatever the gradient.
//!
//! This is `torch.optim.Adam(weight_decay=wd)` and `torch.optim.AdamW(weight_decay=wd)`.
//!
//! Test it with `cargo course test ex09` or `cargo test -p ex09-adamw`; get a hint with `cargo course hint ex09`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

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
        todo!("Adam::new")
    }

    /// Takes one step: changes `theta` in place, given the gradient of the loss at `theta`. Both have the length that [`Adam::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        todo!("Adam::step")
    }
}
