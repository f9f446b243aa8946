//! # Exercise 05: the two moments
//!
//! Write an exponential moving average, and with it the two averages that Adam keeps: one of the gradient, one of its square.
//!
//! ```text
//! ema(average, value, β) = β · average + (1 − β) · value
//!
//! m ← ema(m, g,  β₁)         m = 0 before the first step
//! v ← ema(v, g², β₂)         v = 0 before the first step
//! ```
//!
//! g, m and v are vectors of one length, which may be 0; each entry is averaged by itself.
//! m is in units of the gradient, v in units of the gradient squared. β lies in [0, 1) and has no unit.
//! Nothing is corrected here: that the averages are too small at first is the matter of the next exercise.
//!
//! An example: with β₁ = 0.9 and β₂ = 0.999 a first gradient of 6 gives m = 0.6 and v = 0.036.
//!
//! Test it with `cargo course test ex05` or `cargo test -p ex05-ema`; get a hint with `cargo course hint ex05`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// The average after it has taken up a new value: it keeps the fraction `beta` of what it was.
pub fn ema(average: f64, value: f64, beta: f64) -> f64 {
    todo!("ema")
}

/// The first and the second moment of the gradients seen so far, uncorrected.
#[derive(Clone, Debug)]
pub struct Moments {
    /// The decay rate β₁ of the first moment.
    pub beta1: f64,
    /// The decay rate β₂ of the second moment.
    pub beta2: f64,
    /// The average of the gradients: one value for each parameter.
    pub m: Vec<f64>,
    /// The average of their squares: one value for each parameter.
    pub v: Vec<f64>,
}

impl Moments {
    /// The moments of `len` parameters before the first gradient.
    pub fn new(len: usize, beta1: f64, beta2: f64) -> Self {
        todo!("Moments::new")
    }

    /// Takes the gradients of one step, as many as there are parameters, into `m` and `v`.
    pub fn update(&mut self, grad: &[f64]) {
        todo!("Moments::update")
    }
}
