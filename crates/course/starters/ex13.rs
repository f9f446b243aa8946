//! # Exercise 13: parameter groups
//!
//! Not every tensor of a model should be stepped alike: matrices decay; biases, the scales of norms and embeddings do not.
//! Write the rule that tells them apart, the function that puts each tensor into one group, and a step in which each group has its own settings.
//!
//! ```text
//! decays         two or more axes, and no part of the name is `embedding`
//! group of i     the one group whose `takes` is true for the name and the shape of tensor i
//! step           θ ← θ − lr · wd · θ − lr · g        with lr and wd of the tensor's group, and the old θ on the right
//! ```
//!
//! The parts of a name are what stands between its points: `token.embedding.weight` has the three parts `token`, `embedding` and `weight`.
//! A shape is the lengths of the axes, so `shape.len()` is how many there are; a shape with none is a single number, and an axis of length 1 counts as any other.
//! θ and lr · g are in units of the parameters, and lr · wd is a plain number.
//!
//! An example, with group 0 taking what decays and group 1 all the rest:
//!
//! ```text
//! fc.weight         [16, 4]     decays            group 0
//! fc.bias           [16]        does not          group 1
//! norm.weight       [4]         does not          group 1
//! embedding.weight  [50, 4]     does not          group 1
//! ```
//!
//! With lr 0.1 and wd 0.5 in group 0, a weight of 2 with the gradient 0 becomes 1.9; with lr 0.2 and wd 0 in group 1, a scale of 1 with the gradient −1 becomes 1.2.
//!
//! Test it with `cargo course test ex13` or `cargo test -p ex13-param-groups`; get a hint with `cargo course hint ex13`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// Tensors that are stepped alike.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The learning rate.
    pub lr: f64,
    /// The weight decay.
    pub weight_decay: f64,
    /// Whether the group takes a tensor, by its name and its shape.
    pub takes: fn(&str, &[usize]) -> bool,
}

/// A tensor that is not taken by exactly one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The tensor's name.
    pub name: String,
    /// How many groups take it: 0, or 2 and more.
    pub takers: usize,
}

/// Whether a tensor should decay: it has two or more axes, and no part of its name is `embedding`.
pub fn decays(name: &str, shape: &[usize]) -> bool {
    todo!("decays")
}

/// The group of each tensor, as its place in `groups`; `tensors` are names with shapes.
///
/// # Errors
/// If there are tensors that no group takes, or several: the first of them.
pub fn assign(tensors: &[(&str, &[usize])], groups: &[Group]) -> Result<Vec<usize>, Refused> {
    todo!("assign")
}

/// Takes one step of SGD with decay: changes the tensors in place. Tensor i has the gradient `grad[i]` and the group `groups[group_of[i]]`.
pub fn step(theta: &mut [Vec<f64>], grad: &[Vec<f64>], group_of: &[usize], groups: &[Group]) {
    todo!("step")
}
