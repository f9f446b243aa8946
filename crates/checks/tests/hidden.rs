//! Hidden cases: right code holds on them, and knowing the cases of `cargo test` by heart is of no use.

use std::cell::RefCell;
use std::collections::HashMap;

use moments_checks::{
    Case, Exam, Exercise, Fault, Feed, Frame, Stepper, Subject, Trusted, drive, exercises,
    first_difference, hidden,
};

const SEEDS: [u64; 4] = [1, 0x5EED, 987_654_321, u64::MAX / 3];

#[test]
fn every_variant_holds_on_hidden_cases() {
    for exercise in exercises() {
        for check in exercise.checks {
            for seed in SEEDS {
                for hidden in hidden(exercise, check, seed) {
                    for variant in exercise.variants {
                        let run = drive(&Trusted(variant.start), &hidden.case);
                        let difference =
                            first_difference(&hidden.case, &hidden.expected, &run.frames, 1e-12);
                        assert!(
                            difference.is_none() && run.fault.is_none(),
                            "{} {} {}: {difference:?} on {:?}",
                            exercise.id,
                            check.name,
                            variant.name,
                            hidden.case
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn hidden_cases_follow_from_the_seed() {
    let text = |exercise, check, seed| format!("{:?}", hidden(exercise, check, seed));
    let exercise = exercises()[6];
    for check in exercise.checks {
        assert_eq!(text(exercise, check, 5), text(exercise, check, 5));
        assert_ne!(text(exercise, check, 5), text(exercise, check, 6));
    }
}

/// Knows by heart what is shown at every step of the cases that it has seen, and shows zeros elsewhere.
struct ByHeart<'a> {
    exercise: &'a Exercise,
    known: RefCell<HashMap<String, Vec<Frame>>>,
    learning: RefCell<bool>,
}

struct Recital(Vec<Frame>, usize);

fn identity(case: &Case) -> String {
    let inputs = match &case.feed {
        Feed::Given(inputs) => format!("{inputs:?}"),
        Feed::Gradient { steps, .. } => format!("{steps}"),
    };
    let Case {
        call,
        settings,
        start,
        names,
        ..
    } = case;
    format!("{call} {settings:?} {start:?} {names:?} {inputs}")
}

impl Subject for ByHeart<'_> {
    fn start(&self, case: &Case) -> Result<Box<dyn Stepper>, Fault> {
        let mut known = self.known.borrow_mut();
        if *self.learning.borrow() {
            let run = drive(&Trusted(self.exercise.variants[0].start), case);
            known.insert(identity(case), run.frames);
        }
        let frames = known.get(&identity(case)).cloned().unwrap_or_default();
        Ok(Box::new(Recital(frames, 0)))
    }
}

impl Stepper for Recital {
    fn step(&mut self, input: &[f64]) -> Result<Frame, Fault> {
        self.1 += 1;
        let zeros = || vec![vec![0.0; input.len()]];
        Ok(self.0.get(self.1 - 1).cloned().unwrap_or_else(zeros))
    }
}

#[test]
fn knowing_the_visible_cases_by_heart_satisfies_no_check_with_hidden_ones() {
    let mut earned = Vec::new();
    for exercise in exercises() {
        let subject = ByHeart {
            exercise,
            known: RefCell::default(),
            learning: RefCell::new(true),
        };
        for check in exercise.checks {
            (check.run)(&Exam::new(&subject)).expect("the visible cases are known");
        }
        *subject.learning.borrow_mut() = false;
        for check in exercise.checks {
            let fooled = SEEDS.iter().all(|&seed| {
                hidden(exercise, check, seed).iter().all(|hidden| {
                    let run = drive(&subject, &hidden.case);
                    first_difference(&hidden.case, &hidden.expected, &run.frames, 1e-10).is_none()
                })
            });
            if fooled {
                earned.push(format!("{} {}", exercise.id, check.name));
            }
        }
    }
    assert_eq!(earned, Vec::<String>::new());
}
