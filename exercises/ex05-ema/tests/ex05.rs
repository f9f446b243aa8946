//! What your moments must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex05_ema::{Moments, ema};
use moments_checks::ex05_ema::{Code, check};

const YOURS: Code = Code {
    ema,
    moments: |len, beta1, beta2| {
        let mut moments = Moments::new(len, beta1, beta2);
        Box::new(move |grad| {
            moments.update(grad);
            (moments.m.clone(), moments.v.clone())
        })
    },
};

#[test]
fn ema_keeps_beta_of_the_old_and_takes_the_rest_of_the_new() {
    check(
        "ema_keeps_beta_of_the_old_and_takes_the_rest_of_the_new",
        YOURS,
    );
}

#[test]
fn the_first_gradient_counts_one_minus_beta() {
    check("the_first_gradient_counts_one_minus_beta", YOURS);
}

#[test]
fn the_worked_trace_on_x_squared() {
    check("the_worked_trace_on_x_squared", YOURS);
}

#[test]
fn moments_match_pytorch() {
    check("moments_match_pytorch", YOURS);
}

#[test]
fn a_constant_gradient_is_approached_from_zero() {
    check("a_constant_gradient_is_approached_from_zero", YOURS);
}

#[test]
fn an_impulse_fades_by_beta_at_each_step() {
    check("an_impulse_fades_by_beta_at_each_step", YOURS);
}

#[test]
fn any_length_and_any_betas() {
    check("any_length_and_any_betas", YOURS);
}
