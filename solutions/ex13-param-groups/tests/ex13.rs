//! What your groups must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex13_param_groups::{Group, Refused, assign, decays, step};
use moments_checks::ex13_param_groups::{Code, Takes, check};

const YOURS: Code = Code {
    decays,
    assign: |tensors, groups| {
        let groups: Vec<Group> = groups
            .iter()
            .map(|&takes| group((0.1, 0.0), takes))
            .collect();
        assign(tensors, &groups).map_err(|Refused { name, takers }| (name, takers))
    },
    step: |theta, grad, group_of, groups| {
        let groups: Vec<Group> = groups
            .iter()
            .map(|&rates| group(rates, |_, _| true))
            .collect();
        step(theta, grad, group_of, &groups);
    },
};

fn group((lr, weight_decay): (f64, f64), takes: Takes) -> Group {
    Group {
        lr,
        weight_decay,
        takes,
    }
}

#[test]
fn a_block_decays_in_its_matrices_only() {
    check("a_block_decays_in_its_matrices_only", YOURS);
}

#[test]
fn axes_count_and_not_values() {
    check("axes_count_and_not_values", YOURS);
}

#[test]
fn a_name_is_read_in_whole_parts() {
    check("a_name_is_read_in_whole_parts", YOURS);
}

#[test]
fn any_name_and_any_shape() {
    check("any_name_and_any_shape", YOURS);
}

#[test]
fn each_tensor_goes_to_the_group_that_takes_it() {
    check("each_tensor_goes_to_the_group_that_takes_it", YOURS);
}

#[test]
fn a_tensor_without_a_group_or_with_several_is_refused() {
    check("a_tensor_without_a_group_or_with_several_is_refused", YOURS);
}

#[test]
fn no_tensors_and_no_groups() {
    check("no_tensors_and_no_groups", YOURS);
}

#[test]
fn a_step_uses_the_rate_and_the_decay_of_the_group() {
    check("a_step_uses_the_rate_and_the_decay_of_the_group", YOURS);
}

#[test]
fn any_groups_and_any_gradients() {
    check("any_groups_and_any_gradients", YOURS);
}
