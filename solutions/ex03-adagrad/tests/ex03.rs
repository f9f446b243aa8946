//! What your AdaGrad must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex03_adagrad::AdaGrad;
use moments_checks::ex03_adagrad::{Hyper, Optimizer, check};

fn yours(len: usize, hyper: Option<Hyper>) -> Optimizer {
    let mut adagrad = AdaGrad::new(len, hyper.map_or(0.0, |hyper| hyper.initial));
    if let Some(hyper) = hyper {
        adagrad.lr = hyper.lr;
        adagrad.eps = hyper.eps;
    }
    Box::new(move |theta, grad| adagrad.step(theta, grad))
}

#[test]
fn a_constant_gradient_takes_steps_of_lr_over_root_t() {
    check("a_constant_gradient_takes_steps_of_lr_over_root_t", yours);
}

#[test]
fn adagrad_matches_pytorch() {
    check("adagrad_matches_pytorch", yours);
}

#[test]
fn the_sum_starts_where_it_is_told() {
    check("the_sum_starts_where_it_is_told", yours);
}

#[test]
fn an_initial_sum_matches_pytorch() {
    check("an_initial_sum_matches_pytorch", yours);
}

#[test]
fn a_rare_parameter_keeps_its_long_step() {
    check("a_rare_parameter_keeps_its_long_step", yours);
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
