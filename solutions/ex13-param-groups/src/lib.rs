//! # Exercise 13: parameter groups, solved
//!
//! ```text
//! decays         two or more axes, and no part of the name is `embedding`
//! group of i     the one group whose `takes` is true for the name and the shape of tensor i
//! step           θ ← θ − lr · wd · θ − lr · g        with lr and wd of the tensor's group, and the old θ on the right
//! ```

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
    // The shape tells biases and scales of norms, whatever they are called; only embeddings need their name.
    let embedding = name.split('.').any(|part| part == "embedding");
    shape.len() >= 2 && !embedding
}

/// The group of each tensor, as its place in `groups`; `tensors` are names with shapes.
///
/// # Errors
/// If there are tensors that no group takes, or several: the first of them.
pub fn assign(tensors: &[(&str, &[usize])], groups: &[Group]) -> Result<Vec<usize>, Refused> {
    let one_group = |&(name, shape): &(&str, &[usize])| {
        // Every group is asked, so that a second taker is noticed and all of them are counted.
        let takers: Vec<usize> = (0..groups.len())
            .filter(|&i| (groups[i].takes)(name, shape))
            .collect();
        match takers[..] {
            [only] => Ok(only),
            _ => Err(Refused {
                name: name.to_owned(),
                takers: takers.len(),
            }),
        }
    };
    // Results collect into a Result: the first error ends it.
    tensors.iter().map(one_group).collect()
}

/// Takes one step of SGD with decay: changes the tensors in place. Tensor i has the gradient `grad[i]` and the group `groups[group_of[i]]`.
pub fn step(theta: &mut [Vec<f64>], grad: &[Vec<f64>], group_of: &[usize], groups: &[Group]) {
    for ((theta, grad), &group) in theta.iter_mut().zip(grad).zip(group_of) {
        let Group {
            lr, weight_decay, ..
        } = groups[group];
        for (theta, g) in theta.iter_mut().zip(grad) {
            *theta -= lr * (weight_decay * *theta + g);
        }
    }
}
