//! Every rule against recorded runs of PyTorch, optax and transcriptions of the papers.
//!
//! A rule has one file of runs here, `RULE.txt`, made by `tools/golden/RULE.py`, and one module, `RULE.rs`, that says how the settings of a run become the rule.

mod adadelta;
mod adafactor;
mod adagrad;
mod adahessian;
mod adam;
mod adamax;
mod adamw;
mod amsgrad;
mod course;
mod diffgrad;
mod groups;
mod harness;
mod lamb;
mod lars;
mod lion;
mod muon;
mod nadam;
mod radam;
mod rmsprop;
mod schedule_free;
mod sgd;
mod sophia;

use std::fmt::Write as _;

use harness::{Outcome, Run};

/// The largest relative difference that is allowed in `f64`, and the largest number of units in the last place in `f32`.
const BOUND: f64 = 1e-12;
const ULP_BOUND: f64 = 2.0;

type Follow = fn(&Run) -> Outcome;

/// The runs of each rule and what follows them.
const RULES: &[(&str, Follow)] = &[
    (include_str!("adam.txt"), adam::follow),
    (include_str!("amsgrad.txt"), amsgrad::follow),
    (include_str!("adamw.txt"), adamw::follow),
    (include_str!("lion.txt"), lion::follow),
    (include_str!("sgd.txt"), sgd::follow),
    (include_str!("adagrad.txt"), adagrad::follow),
    (include_str!("rmsprop.txt"), rmsprop::follow),
    (include_str!("adadelta.txt"), adadelta::follow),
    (include_str!("lars.txt"), lars::follow),
    (include_str!("adafactor.txt"), adafactor::follow),
    (include_str!("adahessian.txt"), adahessian::follow),
    (include_str!("muon.txt"), muon::follow),
    (include_str!("schedule_free.txt"), schedule_free::follow),
    (include_str!("sophia.txt"), sophia::follow),
    (include_str!("adamax.txt"), adamax::follow),
    (include_str!("nadam.txt"), nadam::follow),
    (include_str!("radam.txt"), radam::follow),
    (include_str!("diffgrad.txt"), diffgrad::follow),
    (include_str!("lamb.txt"), lamb::follow),
    (include_str!("groups.txt"), groups::follow),
];

#[test]
fn every_recorded_run_is_followed() {
    let mut failed = Vec::new();
    // Printed at once, because other tests print too.
    let mut table = format!(
        "{:<34} {:>5} {:>16} {:>12}  recorded from\n",
        "run", "steps", "shapes", "difference"
    );
    for (text, follow) in RULES {
        let runs = harness::parse(text);
        assert!(!runs.is_empty(), "a file without a run");
        for run in &runs {
            let outcome = follow(run);
            let (difference, bound) = match outcome {
                Outcome::Relative(worst) => (format!("{worst:.1e}"), worst <= BOUND),
                Outcome::Ulps(worst) => (format!("{worst:.1} ulp"), worst <= ULP_BOUND),
            };
            let _ = writeln!(
                table,
                "{:<34} {:>5} {:>16} {difference:>12}  {}",
                run.name,
                run.steps.len(),
                run.shapes(),
                run.from
            );
            if !bound {
                failed.push(run.name.clone());
            }
        }
    }
    println!("{table}");
    assert!(failed.is_empty(), "too far from: {failed:?}");
}

#[test]
fn the_names_of_runs_are_unique_and_each_has_a_hundred_steps() {
    let mut names = std::collections::BTreeSet::new();
    for run in RULES.iter().flat_map(|(text, _)| harness::parse(text)) {
        assert_eq!(run.steps.len(), 100, "{}", run.name);
        assert!(
            names.insert(run.name.clone()),
            "{} is there twice",
            run.name
        );
    }
}
