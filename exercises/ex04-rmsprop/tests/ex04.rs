//! What your RMSProp must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex04_rmsprop::RmsProp;
use moments_checks::ex04_rmsprop::{Hyper, Optimizer, check};

fn yours(len: usize, hyper: Option<Hyper>) -> Optimizer {
    let mut rmsprop = RmsProp::new(len);
    if let Some(hyper) = hyper {
        rmsprop.lr = hyper.lr;
        rmsprop.beta = hyper.beta;
        rmsprop.eps = hyper.eps;
        rmsprop.centered = hyper.centered;
    }
    Box::new(move |theta, grad| rmsprop.step(theta, grad))
}

#[test]
fn a_constant_gradient_takes_shrinking_steps() {
    check("a_constant_gradient_takes_shrinking_steps", yours);
}

#[test]
fn rmsprop_matches_pytorch() {
    check("rmsprop_matches_pytorch", yours);
}

#[test]
fn with_centered_the_spread_divides() {
    check("with_centered_the_spread_divides", yours);
}

#[test]
fn centered_matches_pytorch() {
    check("centered_matches_pytorch", yours);
}

#[test]
fn the_variance_is_never_negative() {
    check("the_variance_is_never_negative", yours);
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
fn the_defaults_are_those_of_pytorch() {
    check("the_defaults_are_those_of_pytorch", yours);
}
