//! # Exercise 17: the memory of a training run
//!
//! How many bytes does a model need while it is trained, and how many of them belong to the optimizer?
//! Write three functions that count, for any model and any of seven optimizers.
//!
//! A tensor is given by its shape, the lengths of its axes.
//! It has as many values as their product: 12 for the shape [3, 4], 1 for the shape [], and 0 if an axis is 0.
//! The optimizers keep, for each tensor of n values:
//!
//! ```text
//! SGD                       nothing
//! momentum                  n values, the velocity
//! Adam, AdamW               2 n values, m and v
//! AMSGrad                   3 n values, m, v and the maximum of v
//! Adafactor                 rows + columns of the last two axes, once for each index of the axes before them;
//!                           n values for a tensor of fewer than two axes
//! Adafactor with momentum   the same and n values more
//! Adam in 8 bits            m and v, each in blocks of 256 values in the order of memory: one byte for each value,
//!                           and one scale of 4 bytes for each block. The last block may be shorter.
//! ```
//!
//! A tensor of the shape [10, 30, 50] has 15,000 values; Adafactor keeps 10 · (30 + 50) = 800 of them.
//!
//! What is asked for are bytes, so the widths come in: how many bytes a value takes, 4 for f32 and 2 for bf16.
//! The state in 8 bits has the same size whatever the width of the state.
//! A master copy is the parameters once more, in 4 bytes each, beside the narrow ones that the model computes with.
//!
//! An example: for a vector of 1000 and a width of 4, Adam keeps 8000 bytes, and in 8 bits 2 · (1000 + 4 · 4) = 2032.
//! With parameters and gradients of 2 bytes, state of 4 and a master copy, training it with Adam takes 1000 · (2 + 2 + 4 + 8) = 16,000.
//!
//! Test it with `cargo course test ex17` or `cargo test -p ex17-memory`; get a hint with `cargo course hint ex17`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// An optimizer, by what it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimizer {
    /// Plain gradient descent.
    Sgd,
    /// Gradient descent with a velocity.
    Momentum,
    /// Adam and AdamW.
    Adam,
    /// Adam with the maximum of v.
    AmsGrad,
    /// Adafactor, which keeps a first moment only if it is told to.
    Adafactor {
        /// Whether it keeps a first moment.
        momentum: bool,
    },
    /// Adam whose two moments are kept in 8 bits.
    Adam8bit,
}

/// How many bytes a value takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Bytes of a parameter.
    pub parameter: u64,
    /// Bytes of a gradient.
    pub gradient: u64,
    /// Bytes of a value of the optimizer's state.
    pub state: u64,
    /// Whether there is a master copy of the parameters, in 4 bytes each.
    pub master: bool,
}

/// How many values a tensor of this shape has.
pub fn values(shape: &[u64]) -> u64 {
    todo!("values")
}

/// The bytes of an optimizer's state for a tensor of this shape, where a value of the state takes `width` bytes.
pub fn state_bytes(shape: &[u64], optimizer: Optimizer, width: u64) -> u64 {
    todo!("state_bytes")
}

/// The bytes of a model while it is trained: parameters, gradients, state and master copy of all tensors.
pub fn training_bytes(shapes: &[Vec<u64>], optimizer: Optimizer, widths: Widths) -> u64 {
    todo!("training_bytes")
}
