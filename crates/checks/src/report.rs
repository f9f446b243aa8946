//! What a learner is told when a check fails: at most twenty lines.

use std::fmt::Write as _;

use crate::case::Case;
use crate::exercise::{Check, Exam, Exercise, Failure, Kind};

/// The message for a check that failed.
pub fn message(exercise: &Exercise, check: &Check, exam: &Exam<'_>, failure: &Failure) -> String {
    let mut text = format!("Asked: {}\n", check.asked);
    let _ = writeln!(text, "Case:  {}", describe(&failure.case));
    if failure.case.about.contains("seed") {
        let _ = writeln!(text, "       MOMENTS_SEED={} repeats it.", exam.seed);
    }
    text.push('\n');
    let steps = failure.case.steps();
    let place = if steps > 1 {
        format!("Step {} of {steps}: ", failure.step)
    } else {
        String::new()
    };
    let mut read = None;
    match &failure.kind {
        Kind::Fault(fault) => {
            let _ = writeln!(text, "{place}{fault}.");
        }
        Kind::Length {
            channel,
            expected,
            got,
        } => {
            let _ = writeln!(
                text,
                "{place}`{channel}` has {got} values and should have {expected}."
            );
        }
        &Kind::Differs {
            channel,
            index,
            expected,
            got,
            origin,
        } => {
            let agree = match failure.step {
                1 => String::new(),
                2 => " (step 1 agrees)".to_owned(),
                step => format!(" (steps 1 to {} agree)", step - 1),
            };
            let _ = writeln!(text, "{place}{channel}[{index}] differs{agree}");
            let [e, g] = aligned(expected, got);
            let _ = writeln!(text, "  expected  {e}");
            let _ = writeln!(text, "  got       {g}");
            if got.is_finite() {
                let relative = (got - expected).abs() / expected.abs();
                if relative.is_finite() {
                    let _ = writeln!(text, "  relative error {relative:.1e}");
                }
            } else {
                let _ = writeln!(
                    text,
                    "  Not a finite number: something was divided by zero, or a root taken of a negative number."
                );
            }
            text.push('\n');
            if let Some(mutant) = exercise.diagnose(exam, failure).first() {
                let _ = writeln!(text, "This looks like: {}", mutant.mistake);
                read = Some(mutant.read);
            } else {
                let ratio = (got - origin) / (expected - origin);
                text.push_str("No mistake known to this exercise gives these numbers.");
                if failure.step == 1 && ratio.is_finite() {
                    let _ = write!(
                        text,
                        "\nWhat you compute is {ratio:.6} times what it should be."
                    );
                }
                text.push('\n');
            }
        }
    }
    if let Some(read) = read {
        let _ = writeln!(text, "Read: {read}");
    }
    let _ = writeln!(text, "Hint: cargo course hint {}", exercise.id);
    text
}

/// The message for a check that failed although one before it fails too: that one is explained, and once is enough.
pub(crate) fn short_message(failure: &Failure, first: (&Check, &Failure)) -> String {
    let name = first.0.name;
    let fact = match &failure.kind {
        Kind::Fault(fault) => match &first.1.kind {
            Kind::Fault(known) if known == fault => return format!("First mend `{name}`.\n"),
            _ => fault.to_string(),
        },
        Kind::Length {
            channel,
            expected,
            got,
        } => format!("`{channel}` has {got} values and should have {expected}"),
        Kind::Differs {
            channel,
            index,
            expected,
            got,
            ..
        } => {
            let [expected, got] = aligned(*expected, *got).map(|number| number.trim().to_owned());
            format!("{channel}[{index}] is {got} and should be {expected}")
        }
    };
    format!(
        "Step {}: {fact}.\nFirst mend `{name}`: its message says more.\n",
        failure.step
    )
}

fn describe(case: &Case) -> String {
    let mut text = case.about.clone();
    for (name, value) in &case.settings {
        let number = if *value != 0.0 && value.abs() < 1e-3 {
            format!("{value:e}")
        } else {
            value.to_string()
        };
        let _ = write!(text, ", {name} {number}");
    }
    text
}

/// Two numbers with their digits under one another.
fn aligned(a: f64, b: f64) -> [String; 2] {
    let plain = |x: f64| x == 0.0 || !x.is_finite() || (1e-4..1e7).contains(&x.abs());
    let both = if plain(a) && plain(b) && (a != 0.0 || b != 0.0) {
        [a, b].map(|x| format!("{x:.15}"))
    } else {
        [a, b].map(|x| format!("{x:.15e}"))
    };
    let point = |text: &str| text.find('.').unwrap_or(text.len());
    let width = both.iter().map(|text| point(text)).max().unwrap_or(0);
    both.map(|text| format!("{}{text}", " ".repeat(width - point(&text))))
}

#[cfg(test)]
mod tests {
    use super::aligned;

    #[test]
    fn the_digits_of_two_numbers_stand_under_one_another() {
        let [a, b] = aligned(-2.5, 31.622_776_601);
        assert_eq!(a.find('.'), b.find('.'));
        let [a, b] = aligned(1e-9, -1.0);
        assert_eq!(a.find('.'), b.find('.'));
        assert!(a.ends_with("e-9"));
    }
}
