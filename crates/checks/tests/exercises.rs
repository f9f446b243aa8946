//! What holds for every exercise: mutants die, variants live, and a mistake gets its own diagnosis.

use moments_checks::{
    Case, Exam, Exercise, Frame, SEED, Trusted, drive, ex05_ema, ex06_bias_correction, ex07_adam,
    exercises, golden, kill_matrix, message,
};

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
                    seed,
                    ..Exam::new(&subject)
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
    let mut wrong = Vec::new();
    for exercise in exercises() {
        println!("\n{}", exercise.slug);
        for mutant in exercise.mutants {
            let subject = Trusted(mutant.start);
            let exam = Exam::new(&subject);
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
            if found != [mutant.name] {
                wrong.push(format!(
                    "{}: `{}` looks like {found:?}",
                    exercise.slug, mutant.name
                ));
            }
            let text = message(exercise, check, &exam, &failure);
            if found.len() == 1 {
                let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
                let named = words.contains(mutant.mistake) && words.contains(mutant.read);
                assert!(named, "{text}");
            }
            assert!(text.lines().count() <= 20, "{text}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_tolerance_lies_far_from_rounding_and_far_from_every_mistake() {
    for exercise in exercises() {
        for variant in exercise.variants {
            let subject = Trusted(variant.start);
            let strict = Exam {
                tolerance: 1e-12,
                ..Exam::new(&subject)
            };
            let failed = exercise.examine(&strict).map(|(check, _)| check.name);
            assert_eq!(failed, None, "{}: {}", exercise.slug, variant.name);
        }
        for mutant in exercise.mutants {
            let subject = Trusted(mutant.start);
            let lenient = Exam {
                tolerance: 1e-5,
                ..Exam::new(&subject)
            };
            assert!(
                exercise.examine(&lenient).is_some(),
                "{}: {}",
                exercise.slug,
                mutant.name
            );
        }
    }
}

/// What the first variant of an exercise, its formula as the solution has it, makes of a case.
fn plain(exercise: &Exercise, case: &Case) -> Vec<Frame> {
    drive(&Trusted(exercise.variants[0].start), case).frames
}

#[test]
fn the_worked_trace_agrees_with_pytorch_to_1e_12_in_the_three_exercises_of_adam() {
    let golden = golden::adam_square();
    let setting = |name| (name, golden.setting(name));
    let case = |call, channels, names: &[&'static str], start: &[f64], inputs| {
        let settings = names.iter().map(|name| setting(name)).collect();
        Case::given(
            "the worked trace",
            call,
            channels,
            settings,
            start.to_vec(),
            inputs,
        )
    };
    let betas = &["beta1", "beta2"];
    let moments = plain(
        &ex05_ema::EXERCISE,
        &case(
            "Moments::update",
            &["m", "v"],
            betas,
            &[0.0],
            golden.grads(),
        ),
    );
    let inputs = (1..)
        .zip(&moments)
        .map(|(t, frame)| vec![f64::from(t), frame[0][0], frame[1][0]]);
    let hats = plain(
        &ex06_bias_correction::EXERCISE,
        &case(
            "corrected",
            &["m_hat", "v_hat"],
            betas,
            &[],
            inputs.collect(),
        ),
    );
    let names = &["lr", "beta1", "beta2", "eps"];
    let thetas = plain(
        &ex07_adam::EXERCISE,
        &case(
            "Adam::step",
            &["theta"],
            names,
            &golden.start,
            golden.grads(),
        ),
    );
    for (t, step) in golden.steps.iter().enumerate().take(3) {
        for (label, got) in [
            ("m_hat", hats[t][0][0]),
            ("v_hat", hats[t][1][0]),
            ("theta", thetas[t][0][0]),
        ] {
            let expected = step.get(label)[0];
            assert!(
                (got - expected).abs() < 1e-12,
                "step {}: {label} is {got} and not {expected}",
                t + 1
            );
        }
    }
}
