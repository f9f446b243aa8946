//! What your diagnostics must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use moments_checks::ex14_effective_lr::{Code, check};

const YOURS: Code = Code {
    update_ratio: ex14_effective_lr::update_ratio,
    effective_lr: ex14_effective_lr::effective_lr,
    eps_share: ex14_effective_lr::eps_share,
    quantile: ex14_effective_lr::quantile,
};

#[test]
fn a_step_of_norm_1_from_norm_5_has_the_ratio_0_2() {
    check("a_step_of_norm_1_from_norm_5_has_the_ratio_0_2", YOURS);
}

#[test]
fn a_ratio_is_0_where_nothing_moves_or_all_starts_at_0() {
    check("a_ratio_is_0_where_nothing_moves_or_all_starts_at_0", YOURS);
}

#[test]
fn the_rate_of_a_coordinate_is_lr_over_its_root() {
    check("the_rate_of_a_coordinate_is_lr_over_its_root", YOURS);
}

#[test]
fn the_share_counts_roots_below_eps() {
    check("the_share_counts_roots_below_eps", YOURS);
}

#[test]
fn a_quantile_lies_on_the_line_between_two_values() {
    check("a_quantile_lies_on_the_line_between_two_values", YOURS);
}

#[test]
fn any_values_of_any_size() {
    check("any_values_of_any_size", YOURS);
}
