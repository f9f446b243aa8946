//! What your momentum must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex02_momentum::{Convention, Momentum};
use moments_checks::ex02_momentum::{Hyper, Optimizer, check};

fn yours(len: usize, hyper: Hyper) -> Optimizer {
    let convention = if hyper.average {
        Convention::Average
    } else {
        Convention::HeavyBall
    };
    let mut momentum = Momentum::new(len, hyper.beta, convention);
    momentum.nesterov = hyper.nesterov;
    Box::new(move |lr, theta, grad| {
        momentum.lr = lr;
        momentum.step(theta, grad);
    })
}

#[test]
fn a_constant_gradient_builds_up_speed() {
    check("a_constant_gradient_builds_up_speed", yours);
}

#[test]
fn the_average_never_exceeds_the_gradient() {
    check("the_average_never_exceeds_the_gradient", yours);
}

#[test]
fn nesterov_takes_the_velocity_one_step_further() {
    check("nesterov_takes_the_velocity_one_step_further", yours);
}

#[test]
fn momentum_matches_pytorch_and_optax() {
    check("momentum_matches_pytorch_and_optax", yours);
}

#[test]
fn the_average_matches_optax() {
    check("the_average_matches_optax", yours);
}

#[test]
fn a_new_learning_rate_holds_at_once() {
    check("a_new_learning_rate_holds_at_once", yours);
}

#[test]
fn what_rolls_rolls_on() {
    check("what_rolls_rolls_on", yours);
}

#[test]
fn without_beta_it_is_gradient_descent() {
    check("without_beta_it_is_gradient_descent", yours);
}

#[test]
fn any_length_and_any_settings() {
    check("any_length_and_any_settings", yours);
}
