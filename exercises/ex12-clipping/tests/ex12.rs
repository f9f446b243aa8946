//! What your clipping must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use moments_checks::ex12_clipping::{Code, check};

const YOURS: Code = Code {
    global_norm: ex12_clipping::global_norm,
    clip: ex12_clipping::clip,
};

#[test]
fn the_norm_of_3_4_12_is_13() {
    check("the_norm_of_3_4_12_is_13", YOURS);
}

#[test]
fn norm_13_at_a_limit_of_6_5_is_halved() {
    check("norm_13_at_a_limit_of_6_5_is_halved", YOURS);
}

#[test]
fn up_to_the_limit_nothing_changes() {
    check("up_to_the_limit_nothing_changes", YOURS);
}

#[test]
fn however_the_values_are_cut_into_tensors() {
    check("however_the_values_are_cut_into_tensors", YOURS);
}

#[test]
fn clip_matches_optax() {
    check("clip_matches_optax", YOURS);
}

#[test]
fn any_tensors_and_any_limit() {
    check("any_tensors_and_any_limit", YOURS);
}

#[test]
fn tiny_gradients_are_clipped_to_the_limit_itself() {
    check("tiny_gradients_are_clipped_to_the_limit_itself", YOURS);
}

#[test]
fn zeros_and_no_values_at_all() {
    check("zeros_and_no_values_at_all", YOURS);
}

#[test]
fn squares_may_overflow_but_norms_do_not() {
    check("squares_may_overflow_but_norms_do_not", YOURS);
}
