//! What your predictor must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex18_delivery::{Optimizer, Package, best, choose, gradient, loss, table, train};
use moments_checks::ex18_delivery::{Code, check};

/// The checks have a package as three numbers.
fn packages(data: &[[f64; 3]]) -> Vec<Package> {
    let package = |&[distance, weight, hours]: &[f64; 3]| Package {
        distance,
        weight,
        hours,
    };
    data.iter().map(package).collect()
}

/// And an optimizer as its row in the table.
fn row(optimizer: Optimizer) -> usize {
    optimizer as usize
}

const YOURS: Code = Code {
    loss: |theta, data| loss(theta, &packages(data)),
    gradient: |theta, data| gradient(theta, &packages(data)),
    train: |row, lr, data, steps| {
        let run = train(Optimizer::ALL[row], lr, &packages(data), steps);
        (run.losses, run.theta)
    },
    table: |rates, train, validation, steps| {
        table(rates, &packages(train), &packages(validation), steps)
    },
    choose: |rates, table| choose(rates, table).map(|(optimizer, lr)| (row(optimizer), lr)),
    best: |rates, train, validation, steps| {
        let choice = best(rates, &packages(train), &packages(validation), steps)?;
        Some((row(choice.optimizer), choice.lr, choice.theta))
    },
};

#[test]
fn the_loss_is_the_mean_of_the_squared_errors() {
    check("the_loss_is_the_mean_of_the_squared_errors", YOURS);
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    check("the_gradient_is_the_slope_of_the_loss", YOURS);
}

#[test]
fn gradient_descent_is_the_power_of_a_matrix() {
    check("gradient_descent_is_the_power_of_a_matrix", YOURS);
}

#[test]
fn momentum_adds_up_what_is_left_of_every_gradient() {
    check("momentum_adds_up_what_is_left_of_every_gradient", YOURS);
}

#[test]
fn adagrad_divides_by_the_root_of_all_squares_so_far() {
    check("adagrad_divides_by_the_root_of_all_squares_so_far", YOURS);
}

#[test]
fn adam_divides_one_weighted_mean_by_the_root_of_another() {
    check(
        "adam_divides_one_weighted_mean_by_the_root_of_another",
        YOURS,
    );
}

#[test]
fn the_table_has_the_loss_on_packages_kept_back() {
    check("the_table_has_the_loss_on_packages_kept_back", YOURS);
}

#[test]
fn the_least_finite_loss_is_chosen() {
    check("the_least_finite_loss_is_chosen", YOURS);
}

#[test]
fn the_choice_is_right_on_packages_you_have_not_seen() {
    check("the_choice_is_right_on_packages_you_have_not_seen", YOURS);
}
