//! # Exercise 14: the effective learning rate, and three more numbers to log
//!
//! A loss says that a run goes wrong. These four numbers say where.
//!
//! ```text
//! update_ratio    ‖after − before‖ / ‖before‖            ‖x‖ = √(Σ x²)
//! effective_lr    lr / (√v̂ᵢ + ε)                         for each coordinate i
//! eps_share       (how many i have √v̂ᵢ < ε) / n          n = the number of coordinates
//! quantile        the value at the place q · (n − 1)     of n values in ascending order, counted from 0
//! ```
//!
//! A place between two values is on the straight line that joins them: at the place 1.75 of [1, 2, 4, 8] lies 2 + 0.75 · (4 − 2) = 3.5.
//! All values are finite, v̂ is 0 or more, lr and ε are above 0, and q lies from 0 to 1.
//!
//! Without values `eps_share` and `quantile` are 0, and `effective_lr` is empty.
//! `update_ratio` is 0 where the norm of `before` is 0, and so for no parameters: a log should hold no NaN.
//!
//! An example: from [3, 4] to [3.6, 4.8] the parameters move by 1, and the ratio is 0.2.
//! With lr 0.01 and ε 0.5, v̂ = [0.25, 4] gives the rates [0.01, 0.004]; no root is below ε, so the share is 0.
//!
//! Test it with `cargo course test ex14` or `cargo test -p ex14-effective-lr`; get a hint with `cargo course hint ex14`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// The norm of the update over the norm of the parameters before it; 0 where the latter is 0.
pub fn update_ratio(before: &[f64], after: &[f64]) -> f64 {
    todo!("update_ratio")
}

/// What the (averaged) gradient of each coordinate is multiplied by.
pub fn effective_lr(lr: f64, v_hat: &[f64], eps: f64) -> Vec<f64> {
    todo!("effective_lr")
}

/// The share of the coordinates whose denominator is mostly eps, from 0 to 1.
pub fn eps_share(v_hat: &[f64], eps: f64) -> f64 {
    todo!("eps_share")
}

/// The value below which a share `q` of the values lies. The values come in any order.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    todo!("quantile")
}
