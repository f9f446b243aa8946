//! What your Adam with weight decay must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex09_adamw::{Adam, Decay};
use moments_checks::ex09_adamw::{Hyper, Optimizer, check};

fn yours(len: usize, decoupled: bool, hyper: Option<Hyper>) -> Optimizer {
    let decay = if decoupled {
        Decay::Decoupled
    } else {
        Decay::L2
    };
    let mut adam = Adam::new(len, decay);
    if let Some(hyper) = hyper {
        adam.lr = hyper.lr;
        adam.beta1 = hyper.beta1;
        adam.beta2 = hyper.beta2;
        adam.eps = hyper.eps;
        adam.weight_decay = hyper.weight_decay;
    }
    Box::new(move |theta, grad| adam.step(theta, grad))
}

#[test]
fn one_step_of_adamw_takes_1_to_0_8990() {
    check("one_step_of_adamw_takes_1_to_0_8990", yours);
}

#[test]
fn l2_adds_the_decay_to_the_gradient() {
    check("l2_adds_the_decay_to_the_gradient", yours);
}

#[test]
fn at_zero_gradient_adamw_shrinks_and_l2_steps() {
    check("at_zero_gradient_adamw_shrinks_and_l2_steps", yours);
}

#[test]
fn without_decay_both_are_adam() {
    check("without_decay_both_are_adam", yours);
}

#[test]
fn l2_matches_pytorch() {
    check("l2_matches_pytorch", yours);
}

#[test]
fn adamw_matches_pytorch() {
    check("adamw_matches_pytorch", yours);
}

#[test]
fn adamw_matches_optax() {
    check("adamw_matches_optax", yours);
}

#[test]
fn any_length_and_any_settings() {
    check("any_length_and_any_settings", yours);
}

#[test]
fn the_defaults_are_those_of_pytorch_adamw() {
    check("the_defaults_are_those_of_pytorch_adamw", yours);
}
