//! What your SGD must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex10_sgdw::{Decay, Sgd};
use moments_checks::ex10_sgdw::{self as checks, Hyper, Optimizer, check};

fn yours(len: usize, hyper: Hyper) -> Optimizer {
    let decay = match hyper.decay {
        checks::Decay::L2 => Decay::L2,
        checks::Decay::Decoupled => Decay::Decoupled,
    };
    let mut sgd = Sgd::new(len, hyper.lr, hyper.momentum, hyper.weight_decay, decay);
    Box::new(move |theta, grad| sgd.step(theta, grad))
}

#[test]
fn three_steps_by_hand() {
    check("three_steps_by_hand", yours);
}

#[test]
fn without_momentum_both_decays_are_the_same() {
    check("without_momentum_both_decays_are_the_same", yours);
}

#[test]
fn decoupled_decay_is_a_power_whatever_the_velocity() {
    check("decoupled_decay_is_a_power_whatever_the_velocity", yours);
}

#[test]
fn l2_matches_pytorch() {
    check("l2_matches_pytorch", yours);
}

#[test]
fn decoupled_matches_optax() {
    check("decoupled_matches_optax", yours);
}

#[test]
fn without_decay_both_are_the_heavy_ball() {
    check("without_decay_both_are_the_heavy_ball", yours);
}

#[test]
fn theta_and_gradients_scale_together() {
    check("theta_and_gradients_scale_together", yours);
}

#[test]
fn any_length_and_any_settings() {
    check("any_length_and_any_settings", yours);
}
