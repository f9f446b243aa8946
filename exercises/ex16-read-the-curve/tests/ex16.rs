//! What your reading must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex16_read_the_curve::{Fault, Log, read};
use moments_checks::ex16_read_the_curve::{self as checks, Answer, check};

fn yours(run: &checks::Log) -> Answer {
    let run = run.clone();
    let log = Log {
        train: run.train,
        validation: run.validation,
        lr: run.lr,
        update_ratio: run.update_ratio,
        moved: run.moved,
    };
    match read(&log) {
        Fault::Healthy => (checks::Fault::Healthy, 0),
        Fault::NotANumber { step } => (checks::Fault::NotANumber, step),
        Fault::Diverges { step } => (checks::Fault::Diverges, step),
        Fault::ExplodesAfterWarmup { step } => (checks::Fault::ExplodesAfterWarmup, step),
        Fault::ColumnStandsStill { column } => (checks::Fault::ColumnStandsStill, column),
        Fault::Bounces => (checks::Fault::Bounces, 0),
        Fault::TooSlow => (checks::Fault::TooSlow, 0),
        Fault::Overfits { best } => (checks::Fault::Overfits, best),
    }
}

#[test]
fn the_runs_of_the_documentation() {
    check("the_runs_of_the_documentation", yours);
}

#[test]
fn a_run_that_learns_is_healthy() {
    check("a_run_that_learns_is_healthy", yours);
}

#[test]
fn a_loss_that_leaves_its_range_diverges_or_is_not_a_number() {
    check(
        "a_loss_that_leaves_its_range_diverges_or_is_not_a_number",
        yours,
    );
}

#[test]
fn after_the_peak_of_a_warmup_it_is_an_explosion() {
    check("after_the_peak_of_a_warmup_it_is_an_explosion", yours);
}

#[test]
fn a_column_that_stands_still_is_named() {
    check("a_column_that_stands_still_is_named", yours);
}

#[test]
fn a_loss_that_does_not_fall_is_told_apart_by_the_update_ratio() {
    check(
        "a_loss_that_does_not_fall_is_told_apart_by_the_update_ratio",
        yours,
    );
}

#[test]
fn a_validation_loss_that_has_risen_again_overfits() {
    check("a_validation_loss_that_has_risen_again_overfits", yours);
}

#[test]
fn of_two_faults_the_first_in_the_list_is_named() {
    check("of_two_faults_the_first_in_the_list_is_named", yours);
}

#[test]
fn short_runs_and_other_units() {
    check("short_runs_and_other_units", yours);
}
