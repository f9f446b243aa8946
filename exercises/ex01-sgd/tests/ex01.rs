//! What your gradient descent must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex01_sgd::{descend, largest_stable_lr, step};
use moments_checks::ex01_sgd::{Code, check};

const YOURS: Code = Code {
    step,
    descend: |start, gradient, lr, steps| descend(start, gradient, lr, steps),
    largest_stable_lr,
};

#[test]
fn three_steps_by_hand() {
    check("three_steps_by_hand", YOURS);
}

#[test]
fn step_matches_pytorch_and_optax() {
    check("step_matches_pytorch_and_optax", YOURS);
}

#[test]
fn a_zero_gradient_is_a_fixed_point() {
    check("a_zero_gradient_is_a_fixed_point", YOURS);
}

#[test]
fn any_length_and_any_scale() {
    check("any_length_and_any_scale", YOURS);
}

#[test]
fn descend_in_a_round_bowl_is_a_power() {
    check("descend_in_a_round_bowl_is_a_power", YOURS);
}

#[test]
fn descend_asks_for_the_slope_of_the_whole_point() {
    check("descend_asks_for_the_slope_of_the_whole_point", YOURS);
}

#[test]
fn the_steepest_direction_sets_the_limit() {
    check("the_steepest_direction_sets_the_limit", YOURS);
}

#[test]
fn flat_ground_sets_no_limit_and_a_hilltop_leaves_no_rate() {
    check(
        "flat_ground_sets_no_limit_and_a_hilltop_leaves_no_rate",
        YOURS,
    );
}
