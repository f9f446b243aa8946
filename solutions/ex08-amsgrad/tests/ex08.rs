//! What your AMSGrad must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex08_amsgrad::{AmsGrad, Form};
use moments_checks::ex08_amsgrad::{self as checks, Hyper, Optimizer, check};

fn yours(len: usize, hyper: Option<Hyper>) -> Optimizer {
    let mut amsgrad = AmsGrad::new(len);
    if let Some(hyper) = hyper {
        amsgrad.lr = hyper.lr;
        amsgrad.beta1 = hyper.beta1;
        amsgrad.beta2 = hyper.beta2;
        amsgrad.eps = hyper.eps;
        amsgrad.form = match hyper.form {
            checks::Form::Torch => Form::Torch,
            checks::Form::Optax => Form::Optax,
            checks::Form::Paper => Form::Paper,
        };
    }
    Box::new(move |theta, grad| amsgrad.step(theta, grad))
}

#[test]
fn after_a_large_gradient_the_maximum_stays() {
    check("after_a_large_gradient_the_maximum_stays", yours);
}

#[test]
fn amsgrad_matches_pytorch() {
    check("amsgrad_matches_pytorch", yours);
}

#[test]
fn amsgrad_matches_optax() {
    check("amsgrad_matches_optax", yours);
}

#[test]
fn the_counterexample_goes_down() {
    check("the_counterexample_goes_down", yours);
}

#[test]
fn while_gradients_grow_it_is_adam() {
    check("while_gradients_grow_it_is_adam", yours);
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
