//! # Exercise 10: SGDW
//!
//! Write SGD with momentum and weight decay, in two forms: L2, where the decay goes through the velocity, and decoupled, where it does not.
//! The second is called SGDW.
//!
//! ```text
//! L2           v ← μ v + (g + wd · θ)        θ ← θ − lr · v
//! decoupled    v ← μ v + g                   θ ← θ − lr · v − lr · wd · θ
//! ```
//!
//! Every θ on the right of an arrow is the one that the step began with. v is 0 before the first step.
//! Every line holds for each parameter by itself: θ, g and v are vectors of one length, which may be 0.
//! g and v are in units of the gradient; lr turns them into units of the parameters; μ and lr · wd have no unit.
//! The gradient that the caller gives stays as it is; a gradient of 0 is no reason to leave the decay out.
//!
//! An example: θ = 1, a gradient of 0.5 at every step, lr 0.1, μ 0.5, wd 0.2.
//! Either form takes θ to 0.93. Then v is 0.75 and the decoupled form goes to 0.8364; L2's v is 1.036, and it goes to 0.8264.
//!
//! L2 is `torch.optim.SGD(momentum=μ, weight_decay=wd)`.
//! PyTorch has no SGDW; in optax it is a chain of `trace`, `add_decayed_weights` and `scale`.
//!
//! Test it with `cargo course test ex10` or `cargo test -p ex10-sgdw`; get a hint with `cargo course hint ex10`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// Where the weight decay goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// Into the gradient, and so into the velocity.
    L2,
    /// Straight to θ.
    Decoupled,
}

/// SGD with momentum and weight decay for a vector of parameters.
#[derive(Clone, Debug)]
pub struct Sgd {
    /// The learning rate.
    pub lr: f64,
    /// The momentum μ, in [0, 1).
    pub momentum: f64,
    /// The weight decay wd.
    pub weight_decay: f64,
    /// Where the weight decay goes.
    pub decay: Decay,
    /// The velocity v: one value for each parameter.
    pub velocity: Vec<f64>,
}

impl Sgd {
    /// SGD for `len` parameters before its first step.
    pub fn new(len: usize, lr: f64, momentum: f64, weight_decay: f64, decay: Decay) -> Self {
        todo!("Sgd::new")
    }

    /// Takes one step: changes `theta` in place, given the gradient of the loss at `theta`. Both have the length that [`Sgd::new`] was given.
    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        todo!("Sgd::step")
    }
}
