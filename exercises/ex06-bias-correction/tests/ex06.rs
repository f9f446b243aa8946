//! What your correction must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex06_bias_correction::{RunningMean, corrected};
use moments_checks::ex06_bias_correction::{Code, check};

const YOURS: Code = Code {
    corrected,
    running_mean: |beta| {
        let mut mean = RunningMean::new(beta);
        Box::new(move |value| mean.push(value))
    },
};

#[test]
fn at_the_first_step_the_gradient_comes_back() {
    check("at_the_first_step_the_gradient_comes_back", YOURS);
}

#[test]
fn the_worked_trace_on_x_squared() {
    check("the_worked_trace_on_x_squared", YOURS);
}

#[test]
fn a_constant_gradient_comes_back_at_every_t() {
    check("a_constant_gradient_comes_back_at_every_t", YOURS);
}

#[test]
fn a_weighted_sum_becomes_a_weighted_mean() {
    check("a_weighted_sum_becomes_a_weighted_mean", YOURS);
}

#[test]
fn the_running_mean_of_equal_values_is_that_value() {
    check("the_running_mean_of_equal_values_is_that_value", YOURS);
}

#[test]
fn the_running_mean_weighs_each_value_by_its_age() {
    check("the_running_mean_weighs_each_value_by_its_age", YOURS);
}
