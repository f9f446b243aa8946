//! Submissions through the real compiler and the real sandbox.

mod judging;

use judging::{exercise, grader, solution, starter, strongest, submission};
use moments_checks::exercises;
use moments_grader::outcome::{Held, Status, Tier};

const TIERS: [Tier; 3] = [Tier::Bubblewrap, Tier::User, Tier::Container];

#[test]
fn every_solution_scores_full_points() {
    let Some(grader) = strongest() else { return };
    for exercise in exercises() {
        let outcome = grader
            .grade(
                &submission(exercise.id, &solution(exercise.id)),
                &grader.slot().unwrap(),
            )
            .unwrap();
        let lost: Vec<_> = outcome
            .checks
            .iter()
            .filter(|check| !check.result.holds())
            .collect();
        assert!(
            lost.is_empty() && outcome.remarks.is_empty(),
            "{}: {lost:#?} {:?}",
            exercise.id,
            outcome.remarks
        );
        assert_eq!(outcome.points, outcome.max_points);
        assert!(outcome.official);
    }
}

#[test]
fn every_starter_compiles_and_is_told_what_is_not_written() {
    let Some(grader) = strongest() else { return };
    for exercise in exercises() {
        let outcome = grader
            .grade(
                &submission(exercise.id, &starter(exercise.id)),
                &grader.slot().unwrap(),
            )
            .unwrap();
        assert_eq!(outcome.status, Status::Graded, "{}", exercise.id);
        assert_eq!(outcome.points, 0, "{}: {outcome:#?}", exercise.id);
        assert!(
            outcome
                .checks
                .iter()
                .all(|check| check.message.contains("not written yet")
                    || check.message.starts_with("First mend `")),
            "{outcome:#?}"
        );
    }
}

#[test]
fn each_tier_that_is_here_gives_the_same_checks() {
    let mut seen = Vec::new();
    for tier in TIERS {
        let Some(grader) = grader(tier) else { continue };
        for text in [
            solution("ex07"),
            solution("ex07").replace("1.0 - self.beta2.powi(self.t)", "1.0 - self.beta2"),
        ] {
            let outcome = grader
                .grade(&submission("ex07", &text), &grader.slot().unwrap())
                .unwrap();
            seen.push((tier, outcome));
        }
    }
    for (tier, outcome) in &seen {
        assert_eq!(outcome.sandbox, *tier);
    }
    let checks: Vec<_> = seen
        .chunks(2)
        .map(|pair| [&pair[0].1.checks, &pair[1].1.checks])
        .collect();
    assert!(
        checks.windows(2).all(|pair| pair[0] == pair[1]),
        "{seen:#?}"
    );
    println!(
        "tiers tried: {:?}",
        seen.iter()
            .step_by(2)
            .map(|(tier, _)| tier)
            .collect::<Vec<_>>()
    );
}

#[test]
fn half_done_files_get_what_they_earned() {
    let Some(grader) = strongest() else { return };
    // The defaults and the structure are right, the step is not written.
    let half =
        starter("ex05").replacen("todo!(\"ema\")", "beta * average + (1.0 - beta) * value", 1);
    let outcome = grader
        .grade(&submission("ex05", &half), &grader.slot().unwrap())
        .unwrap();
    let held: Vec<_> = outcome
        .checks
        .iter()
        .filter(|check| check.result == Held::Holds)
        .map(|check| &check.name)
        .collect();
    println!("{held:?}\n{half}");
    assert!(
        0 < outcome.points && outcome.points < outcome.max_points,
        "{outcome:#?}"
    );
    assert_eq!(exercise("ex05").checks.len(), outcome.checks.len());
}

#[test]
fn a_file_that_does_not_compile_is_told_where() {
    let Some(grader) = strongest() else { return };
    let broken = solution("ex07").replacen("theta: &mut [f64]", "theta: &mut [f65]", 1);
    let outcome = grader
        .grade(&submission("ex07", &broken), &grader.slot().unwrap())
        .unwrap();
    assert_eq!(
        (outcome.status, outcome.points),
        (Status::DoesNotCompile, 0)
    );
    let told = outcome.remarks.join("\n");
    assert!(
        told.contains("f65") && told.contains("src/lib.rs:"),
        "{told}"
    );

    let other = solution("ex07").replacen("pub fn new(len: usize)", "pub fn new(len: u8)", 1);
    let outcome = grader
        .grade(&submission("ex07", &other), &grader.slot().unwrap())
        .unwrap();
    assert_eq!(
        (outcome.status, outcome.points),
        (Status::DoesNotCompile, 0)
    );
    println!("{}", outcome.remarks.join("\n"));
}
