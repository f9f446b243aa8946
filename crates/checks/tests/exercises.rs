//! What holds for every exercise: mutants die, variants live, and a mistake gets its own diagnosis.

use moments_checks::{Exam, SEED, Trusted, exercises, kill_matrix, message};

#[test]
fn every_mutant_is_rejected_and_every_check_rejects_one() {
    let mut survivors = Vec::new();
    for exercise in exercises() {
        println!(
            "\n{}: the step at which a check (columns) catches a mistake (rows)",
            exercise.slug
        );
        for (column, check) in exercise.checks.iter().enumerate() {
            println!("  {:>2}  {}", column + 1, check.name);
        }
        let heads: Vec<_> = (1..=exercise.checks.len())
            .map(|column| format!("{column:>5}"))
            .collect();
        println!("{:<34}{}", "", heads.concat());
        let mut idle: Vec<_> = exercise.checks.iter().map(|check| check.name).collect();
        for row in kill_matrix(exercise) {
            let cells: Vec<_> = row
                .by
                .iter()
                .map(|step| step.map_or("    .".to_owned(), |step| format!("{step:>5}")))
                .collect();
            println!("{:<34}{}", row.mutant.name, cells.concat());
            if row.by.iter().all(Option::is_none) {
                survivors.push(format!("{}: {}", exercise.slug, row.mutant.name));
            }
            for (check, step) in exercise.checks.iter().zip(&row.by) {
                if step.is_some() {
                    idle.retain(|name| *name != check.name);
                }
            }
        }
        assert!(
            exercise.mutants.len() >= 6,
            "{} has too few mutants",
            exercise.slug
        );
        assert!(
            idle.is_empty(),
            "{}: no mutant is caught by {idle:?}",
            exercise.slug
        );
    }
    assert!(
        survivors.is_empty(),
        "these mistakes pass every check: {survivors:#?}"
    );
}

#[test]
fn every_correct_form_is_accepted_whatever_the_seed() {
    for exercise in exercises() {
        assert!(
            exercise.variants.len() >= 3,
            "{} has too few variants",
            exercise.slug
        );
        for variant in exercise.variants {
            for seed in (0..20).chain([SEED]) {
                let subject = Trusted(variant.start);
                let exam = Exam {
                    subject: &subject,
                    seed,
                };
                if let Some((check, failure)) = exercise.examine(&exam) {
                    panic!(
                        "{}: `{}` is correct, and yet:\n{}",
                        exercise.slug,
                        variant.name,
                        message(exercise, check, &exam, &failure)
                    );
                }
            }
        }
    }
}

#[test]
fn every_mistake_gets_its_own_diagnosis_and_no_other() {
    for exercise in exercises() {
        println!("\n{}", exercise.slug);
        for mutant in exercise.mutants {
            let subject = Trusted(mutant.start);
            let exam = Exam {
                subject: &subject,
                seed: SEED,
            };
            let (check, failure) = exercise.examine(&exam).expect("every mutant is rejected");
            let found: Vec<_> = exercise
                .diagnose(&exam, &failure)
                .iter()
                .map(|found| found.name)
                .collect();
            println!(
                "{:<34}{:<60}step {:<4}{}",
                mutant.name, check.name, failure.step, mutant.mistake
            );
            assert_eq!(
                found,
                [mutant.name],
                "{}: the diagnosis of `{}`",
                exercise.slug,
                mutant.name
            );
            let text = message(exercise, check, &exam, &failure);
            assert!(
                text.contains(mutant.mistake) && text.contains(mutant.read),
                "{text}"
            );
            assert!(text.lines().count() <= 20, "{text}");
        }
    }
}
