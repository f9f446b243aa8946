//! # Exercise 12: clipping by the global norm
//!
//! A gradient that is too long is made shorter, and keeps its direction.
//! The length is that of the gradients of all tensors of the model together, as if their values stood in one vector.
//!
//! ```text
//! norm = √(Σ x²)                         the sum is over all values of all tensors
//! x ← x · max_norm / norm                for every value of every tensor, where norm > max_norm
//! ```
//!
//! Where norm ≤ max_norm the tensors stay as they are.
//! All of x, norm and max_norm are in units of the gradient; max_norm is above 0, and every x is finite.
//! A tensor may be empty, and there may be no tensors at all: the norm is then 0.
//!
//! An example: the tensors (3, 4) and (12) have the norm 13.
//! With max_norm 6.5 they become (1.5, 2) and (6), and 13 is returned; with max_norm 20 nothing changes, and 13 is returned.
//!
//! The norm of 3·10²⁰⁰ and 4·10²⁰⁰ is 5·10²⁰⁰, although the square of either is more than an f64 can hold.
//! Write the plain form first; the last check asks for this one.
//!
//! This is the form of the paper and of `optax.clip_by_global_norm`.
//! PyTorch's `clip_grad_norm_` adds 10⁻⁶ to the norm in the factor: leave that out.
//!
//! Test it with `cargo course test ex12` or `cargo test -p ex12-clipping`; get a hint with `cargo course hint ex12`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// The Euclidean norm of all values of all tensors together.
pub fn global_norm(tensors: &[Vec<f64>]) -> f64 {
    todo!("global_norm")
}

/// Scales the tensors in place so that their global norm is at most `max_norm`, and returns the norm that they had before.
pub fn clip(tensors: &mut [Vec<f64>], max_norm: f64) -> f64 {
    todo!("clip")
}
