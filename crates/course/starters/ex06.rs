//! # Exercise 06: bias correction
//!
//! An average that starts at 0 is too small at first. Write the correction that makes up for it, and with it a running mean that is right from the first value on.
//!
//! ```text
//! m̂ = m / (1 − β₁ᵗ)          v̂ = v / (1 − β₂ᵗ)          t = 1 at the first step
//! ```
//!
//! m and v are vectors of one length, which may be 0; so are m̂ and v̂, in the units of m and v.
//! t counts steps; it is an `i32` because `f64::powi` takes one.
//!
//! An example: after a first gradient of 6, m = 0.6 and v = 0.036; with β₁ = 0.9, β₂ = 0.999 and t = 1, m̂ = 6 and v̂ = 36.
//!
//! Test it with `cargo course test ex06` or `cargo test -p ex06-bias-correction`; get a hint with `cargo course hint ex06`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// The corrected moments m̂ and v̂ after `t` steps, from the moments `m` and `v`, which stay as they are.
pub fn corrected(m: &[f64], v: &[f64], beta1: f64, beta2: f64, t: i32) -> (Vec<f64>, Vec<f64>) {
    todo!("corrected")
}

/// A mean in which a value weighs β as much as the one after it: a moving average, corrected.
#[derive(Clone, Debug)]
pub struct RunningMean {
    /// The decay rate β.
    pub beta: f64,
    /// The moving average, uncorrected.
    pub average: f64,
    /// How many values have been taken up.
    pub t: i32,
}

impl RunningMean {
    /// A mean before its first value.
    pub fn new(beta: f64) -> Self {
        todo!("RunningMean::new")
    }

    /// Takes up a value and returns the mean of all values so far, corrected: the first push returns its own value.
    pub fn push(&mut self, value: f64) -> f64 {
        todo!("RunningMean::push")
    }
}
