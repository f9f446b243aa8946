//! What your functions must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex15_diag_hessian::{clipped_step, diagonal, hessian_vector, hutchinson};
use moments_checks::ex15_diag_hessian::{Code, check};

const YOURS: Code = Code {
    hessian_vector,
    diagonal,
    hutchinson,
    clipped_step,
};

#[test]
fn the_product_with_the_hessian_of_a_quadratic() {
    check("the_product_with_the_hessian_of_a_quadratic", YOURS);
}

#[test]
fn the_difference_is_central() {
    check("the_difference_is_central", YOURS);
}

#[test]
fn the_diagonal_of_a_quadratic_leaves_the_couplings_out() {
    check(
        "the_diagonal_of_a_quadratic_leaves_the_couplings_out",
        YOURS,
    );
}

#[test]
fn one_coordinate_moves_while_the_others_stay() {
    check("one_coordinate_moves_while_the_others_stay", YOURS);
}

#[test]
fn without_couplings_one_probe_is_enough() {
    check("without_couplings_one_probe_is_enough", YOURS);
}

#[test]
fn over_all_sign_vectors_the_couplings_cancel() {
    check("over_all_sign_vectors_the_couplings_cancel", YOURS);
}

#[test]
fn any_length_and_any_polynomial() {
    check("any_length_and_any_polynomial", YOURS);
}

#[test]
fn the_units_are_those_of_f_over_x_squared() {
    check("the_units_are_those_of_f_over_x_squared", YOURS);
}

#[test]
fn the_step_divides_by_the_curvature_and_is_clipped() {
    check("the_step_divides_by_the_curvature_and_is_clipped", YOURS);
}
