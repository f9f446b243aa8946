//! # Exercise 05: the two moments, solved
//!
//! ```text
//! ema(average, value, β) = β · average + (1 − β) · value
//!
//! m ← ema(m, g,  β₁)         m = 0 before the first step
//! v ← ema(v, g², β₂)         v = 0 before the first step
//! ```

#![no_std]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;

/// The average after it has taken up a new value: it keeps the fraction `beta` of what it was.
pub fn ema(average: f64, value: f64, beta: f64) -> f64 {
    beta * average + (1.0 - beta) * value
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
        Self {
            beta1,
            beta2,
            m: vec![0.0; len],
            v: vec![0.0; len],
        }
    }

    /// Takes the gradients of one step, as many as there are parameters, into `m` and `v`.
    pub fn update(&mut self, grad: &[f64]) {
        for ((m, v), &g) in self.m.iter_mut().zip(&mut self.v).zip(grad) {
            *m = ema(*m, g, self.beta1);
            *v = ema(*v, g * g, self.beta2);
        }
    }
}
