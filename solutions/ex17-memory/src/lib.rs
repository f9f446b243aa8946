//! # Exercise 17: the memory of a training run, solved

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
    // The empty product is 1, which is right for a tensor without axes.
    shape.iter().product()
}

/// The bytes of an optimizer's state for a tensor of this shape, where a value of the state takes `width` bytes.
pub fn state_bytes(shape: &[u64], optimizer: Optimizer, width: u64) -> u64 {
    let n = values(shape);
    match optimizer {
        Optimizer::Sgd => 0,
        Optimizer::Momentum => width * n,
        Optimizer::Adam => width * 2 * n,
        Optimizer::AmsGrad => width * 3 * n,
        Optimizer::Adafactor { momentum } => {
            let first = if momentum { n } else { 0 };
            width * (factored(shape) + first)
        }
        // The scales are f32 and the values one byte, so the width has no say.
        Optimizer::Adam8bit => 2 * (n + 4 * n.div_ceil(256)),
    }
}

/// How many values Adafactor keeps of the second moment.
fn factored(shape: &[u64]) -> u64 {
    match shape {
        [before @ .., rows, columns] => values(before) * (rows + columns),
        _ => values(shape),
    }
}

/// The bytes of a model while it is trained: parameters, gradients, state and master copy of all tensors.
pub fn training_bytes(shapes: &[Vec<u64>], optimizer: Optimizer, widths: Widths) -> u64 {
    let master = if widths.master { 4 } else { 0 };
    let each = widths.parameter + widths.gradient + master;
    let of_tensor =
        |shape: &Vec<u64>| values(shape) * each + state_bytes(shape, optimizer, widths.state);
    shapes.iter().map(of_tensor).sum()
}
