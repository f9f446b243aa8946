//! # Exercise 08: AMSGrad
//!
//! Write AMSGrad: Adam that divides by the largest second moment so far, in the three forms that are in use.
//!
//! ```text
//! t ← t + 1                                              t = 1 at the first step
//! m ← β₁ m + (1 − β₁) g              v ← β₂ v + (1 − β₂) g²
//! m̂ = m / (1 − β₁ᵗ)                  v̂ = v / (1 − β₂ᵗ)
//!
//! Torch      v_max ← max(v_max, v)     θ ← θ − lr · m̂ / (√(v_max / (1 − β₂ᵗ)) + ε)
//! Optax      v_max ← max(v_max, v̂)     θ ← θ − lr · m̂ / (√v_max + ε)
//! Paper      v_max ← max(v_max, v)     θ ← θ − lr · m / (√v_max + ε)
//! ```
//!
//! Every line but the first holds for each parameter by itself: θ, g, m, v and v_max are vectors of one length, which may be 0.
//! m, v and v_max are 0 before the first step.
//! θ and lr are in units of the parameters; g, m and ε in units of the gradient; v and v_max in units of the gradient squared.
//! The paper has no ε; here all three forms have it.
//!
//! An example: with β₁ = 0 and β₂ = 0.5 the gradients 8 and 1 give v = 32 and then 16.5, v̂ = 64 and then 22.
//! At step 2, with ε = 0, θ goes down by lr/6.53 in PyTorch's form (v_max 32, corrected 42.67), lr/8 in optax's, lr/5.66 in the paper's.
//! Adam would go down by lr/4.69.
//!
//! Test it with `cargo course test ex08` or `cargo test -p ex08-amsgrad`; get a hint with `cargo course hint ex08`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// What the maximum is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The maximum of v, corrected by the 1 − β₂ᵗ of the present step.
    Torch,
    /// The maximum of the corrected v̂.
    Optax,
    /// The maximum of v; neither moment is corrected.
    Paper,
}

/// AMSGrad for a vector of parameters.
#[derive(Clone, Debug)]
pub struct AmsGrad {
    /// The learning rate.
    pub lr: f64,
    /// The decay rate β₁ of the first moment.
    pub beta1: f64,
    /// The decay rate β₂ of the second moment.
    pub beta2: f64,
    /// ε, added to the root.
    pub eps: f64,
    /// What the maximum is taken of.
    pub form: Form,
    /// How many steps have been taken.
    pub t: i32,
    /// The first moment, uncorrected: one value for each parameter.
    pub m: Vec<f64>,
    /// The second moment, uncorrected: one value for each parameter.
    pub v: Vec<f64>,
    /// The maximum: one value for each parameter.
    pub v_max: Vec<f64>,
}

impl AmsGrad {
    /// AMSGrad for `len` parameters before its first step, with the settings of PyTorch:
    /// lr 10⁻³, β₁ 0.9, β₂ 0.999, ε 10⁻⁸, [`Form::Torch`].
    pub fn new(len: usize) -> Self {
        todo!("AmsGrad::new")
    }

    /// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the length that [`AmsGrad::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        todo!("AmsGrad::step")
    }
}
