//! Every known mistake loses exactly the points that its rubric says, whatever the key.

mod judging;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::sync::Mutex;

use judging::course;
use moments_checks::{Case, Exam, Exercise, Fault, Step, Stepper, Subject, Trusted, exercises};
use moments_grader::judge::{judge, tried};
use moments_grader::outcome::Held;
use moments_grader::rubric::Rubric;

/// Hidden cases of two keys.
const SEEDS: [u64; 2] = [0xABCD_EF01, u64::MAX / 7];

/// Other keys, if a number is in `MOMENTS_SEED`, to see that it is not a matter of these.
fn seeds() -> Vec<u64> {
    let other = std::env::var("MOMENTS_SEED")
        .ok()
        .and_then(|text| text.parse::<u64>().ok());
    match other {
        Some(seed) => (0..4)
            .map(|k| {
                seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
                    .wrapping_add(k * 977)
            })
            .collect(),
        None => SEEDS.to_vec(),
    }
}

fn rubric(exercise: &Exercise) -> Rubric {
    Rubric::load(&course().join("crates/grader/rubrics"), exercise).unwrap()
}

fn points(exercise: &'static Exercise, rubric: &Rubric, subject: Trusted, seed: u64) -> u32 {
    held(exercise, rubric, subject, seed).values().sum()
}

/// The points of the checks that hold.
fn held(
    exercise: &'static Exercise,
    rubric: &Rubric,
    subject: Trusted,
    seed: u64,
) -> BTreeMap<&'static str, u32> {
    // As `judge` does, but nobody has to be told why.
    let exam = Exam::new(&subject);
    let checks = exercise.checks.iter().zip(&rubric.points);
    checks
        .filter(|(check, _)| tried(exercise, rubric, check, &exam, Some(seed)).0.holds())
        .map(|(check, &points)| (check.name, points))
        .collect()
}

#[test]
fn a_rubric_gives_a_hundred_points_and_every_check_some() {
    for exercise in exercises() {
        let rubric = rubric(exercise);
        assert_eq!(rubric.total(), 100, "{}", exercise.id);
        assert!(
            rubric.points.iter().all(|&points| points > 0),
            "{}",
            exercise.id
        );
    }
}

#[test]
fn every_variant_scores_full_points_with_any_key() {
    for exercise in exercises() {
        let rubric = rubric(exercise);
        for variant in exercise.variants {
            for seed in seeds().into_iter().take(1) {
                let points = points(exercise, &rubric, Trusted(variant.start), seed);
                assert_eq!(
                    points, 100,
                    "{} {} with the seed {seed}",
                    exercise.id, variant.name
                );
            }
        }
    }
}

#[test]
#[ignore = "it takes minutes; .ci/run does it"]
fn every_mutant_is_left_with_the_points_that_its_rubric_says() {
    let write = std::env::var_os("MOMENTS_WRITE_RUBRICS").is_some();
    let mut wrong = Vec::new();
    for exercise in exercises() {
        let rubric = rubric(exercise);
        let mut table = String::from("\n[mutants]\n");
        for mutant in exercise.mutants {
            let held: Vec<BTreeMap<&str, u32>> = seeds()
                .into_iter()
                .map(|seed| held(exercise, &rubric, Trusted(mutant.start), seed))
                .collect();
            let left: Vec<u32> = held.iter().map(|held| held.values().sum()).collect();
            let least = left.iter().min().copied().unwrap_or_default();
            let _ = writeln!(table, "{} = {least}", mutant.name);
            let says = rubric
                .mutants
                .iter()
                .find(|(name, _)| name == mutant.name)
                .map(|(_, points)| *points);
            if left.iter().any(|&points| Some(points) != says) {
                let sometimes: BTreeSet<&str> = held
                    .iter()
                    .flat_map(BTreeMap::keys)
                    .filter(|name| !held.iter().all(|held| held.contains_key(*name)))
                    .copied()
                    .collect();
                wrong.push(format!(
                    "{} {}: {left:?}, the rubric says {says:?}; hold with some keys: {sometimes:?}",
                    exercise.id, mutant.name
                ));
            }
        }
        if write {
            let path = Rubric::path(&course().join("crates/grader/rubrics"), exercise);
            let text = fs::read_to_string(&path).unwrap();
            let head = text.split("\n[mutants]").next().unwrap().trim_end();
            fs::write(&path, format!("{head}\n{table}")).unwrap();
        }
        for (name, _) in &rubric.mutants {
            assert!(
                exercise.mutants.iter().any(|mutant| mutant.name == name),
                "{} knows no mutant {name}",
                exercise.id
            );
        }
    }
    assert!(write || wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The cases that `cargo test` shows, by their numbers.
static VISIBLE: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// Right on the cases that are visible, and without a correction elsewhere.
fn right_where_it_is_seen(case: &Case) -> Step {
    let exercise = judging::exercise("ex07");
    let numbers = format!("{:?} {:?} {:?}", case.settings, case.start, case.feed);
    let mut visible = VISIBLE.lock().unwrap();
    let known = match visible.as_mut() {
        None => true,
        Some(visible) => visible.contains(&numbers),
    };
    if known {
        (exercise.variants[0].start)(case)
    } else {
        (exercise.mutants[0].start)(case)
    }
}

/// Notes the cases that a check shows.
struct Notes(RefCell<HashSet<String>>);

impl Subject for Notes {
    fn start(&self, case: &Case) -> Result<Box<dyn Stepper>, Fault> {
        let numbers = format!("{:?} {:?} {:?}", case.settings, case.start, case.feed);
        self.0.borrow_mut().insert(numbers);
        Trusted(right_where_it_is_seen).start(case)
    }
}

#[test]
fn a_mistake_that_only_hidden_cases_show_is_told_as_such() {
    let exercise = judging::exercise("ex07");
    let notes = Notes(RefCell::default());
    for check in exercise.checks {
        (check.run)(&Exam::new(&notes)).unwrap();
    }
    *VISIBLE.lock().unwrap() = Some(notes.0.into_inner());
    let checks = judge(
        exercise,
        &rubric(exercise),
        &Trusted(right_where_it_is_seen),
        |_| Some(3),
        || None,
    );
    assert!(checks.iter().all(|check| check.result != Held::FailsSeen));
    let told: Vec<_> = checks
        .iter()
        .filter(|check| check.message.contains("stay hidden"))
        .collect();
    assert_eq!(told.len(), 1, "one function, explained once: {checks:#?}");
    let message = &told[0].message;
    assert!(
        !message.contains("expected") && !message.contains("got"),
        "{message}"
    );
    let pointers = checks
        .iter()
        .filter(|check| check.message.starts_with("First mend `"));
    assert!(pointers.count() >= 5);
}
