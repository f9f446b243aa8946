//! What your Adam must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex07_adam::Adam;
use moments_checks::ex07_adam::{Hyper, Optimizer, check};

fn yours(len: usize, hyper: Option<Hyper>) -> Optimizer {
    let mut adam = Adam::new(len);
    if let Some(hyper) = hyper {
        adam.lr = hyper.lr;
        adam.beta1 = hyper.beta1;
        adam.beta2 = hyper.beta2;
        adam.eps = hyper.eps;
    }
    Box::new(move |theta, grad| adam.step(theta, grad))
}

#[test]
fn first_step_is_lr_times_the_sign() {
    check("first_step_is_lr_times_the_sign", yours);
}

#[test]
fn the_worked_trace_on_x_squared() {
    check("the_worked_trace_on_x_squared", yours);
}

#[test]
fn adam_matches_pytorch() {
    check("adam_matches_pytorch", yours);
}

#[test]
fn adam_matches_optax() {
    check("adam_matches_optax", yours);
}

#[test]
fn a_constant_gradient_moves_theta_by_the_same_step_every_time() {
    check(
        "a_constant_gradient_moves_theta_by_the_same_step_every_time",
        yours,
    );
}

#[test]
fn the_scale_of_the_gradient_does_not_matter() {
    check("the_scale_of_the_gradient_does_not_matter", yours);
}

#[test]
fn a_zero_gradient_is_a_fixed_point() {
    check("a_zero_gradient_is_a_fixed_point", yours);
}

#[test]
fn any_length_and_any_settings() {
    check("any_length_and_any_settings", yours);
}

#[test]
fn the_defaults_are_those_of_the_paper() {
    check("the_defaults_are_those_of_the_paper", yours);
}
