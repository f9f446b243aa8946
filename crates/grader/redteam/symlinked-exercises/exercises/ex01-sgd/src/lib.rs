//! # Exercise 01: gradient descent
//!
//! Write gradient descent: one step, many steps, and the learning rate above which the steps run away.
//!
//! ```text
//! θ ← θ − lr · g                         g is the gradient at θ
//! ```
//!
//! The line holds for each parameter by itself: θ and g are vectors of one length, which may be 0.
//! g is in units of the loss per unit of θ, so lr is in units of θ squared per unit of the loss.
//!
//! An example: with lr 0.1, from θ = (1, −2), the gradient (2, −4) leads to (1 − 0.1 · 2, −2 + 0.1 · 4) = (0.8, −1.6).
//!
//! On f(x) = c/2 · x², the gradient is c · x and c is called the curvature.
//! A step multiplies x by 1 − lr · c, which must lie between −1 and 1 if x is not to grow:
//! with c = 10, a rate of 0.2 leads from 1 to −1 and back, a rate of 0.21 from 1 to −1.1, to 1.21 and away.
//!
//! [`step`] is `torch.optim.SGD` and `optax.sgd` without momentum.
//!
//! Test it with `cargo course test ex01` or `cargo test -p ex01-sgd`; get a hint with `cargo course hint ex01`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the same length.
pub fn step(theta: &mut [f64], grad: &[f64], lr: f64) {
    todo!("step")
}

/// The point that so many steps from `start` lead to: with no steps it is `start` itself.
///
/// `gradient` gives the gradient at any point, for all parameters at once.
pub fn descend(
    start: &[f64],
    gradient: impl Fn(&[f64]) -> Vec<f64>,
    lr: f64,
    steps: usize,
) -> Vec<f64> {
    todo!("descend")
}

/// The largest learning rate at which no parameter moves away from 0, for a loss that is c/2 · x² in each of them, with these curvatures c.
///
/// Where no curvature sets a limit, because there is none or all are 0, it is `f64::INFINITY`.
/// Where one is negative, every rate above 0 leads away from the top of a hill: it is 0.
pub fn largest_stable_lr(curvatures: &[f64]) -> f64 {
    todo!("largest_stable_lr")
}
