//! What a learner is told when a check fails: at most twenty lines.

use std::fmt::Write as _;

use crate::case::{Case, Fault, Feed};
use crate::exercise::{Check, Exam, Exercise, Failure, Kind, Mutant};

/// The message for a check that failed.
pub fn message(exercise: &Exercise, check: &Check, exam: &Exam<'_>, failure: &Failure) -> String {
    explain(exercise, check, exam, failure).0
}

/// The message for a check that failed, and the mistake that it names, if it names one.
pub fn explain(
    exercise: &Exercise,
    check: &Check,
    exam: &Exam<'_>,
    failure: &Failure,
) -> (String, Option<&'static Mutant>) {
    let mut text = wrapped("Asked: ", check.asked);
    text.push_str(&wrapped("Case:  ", &describe(&failure.case)));
    let mut line = |words: &str| {
        text.push_str(words);
        text.push('\n');
    };
    line("");
    let (channel, index, expected, got, origin) = match &failure.kind {
        &Kind::Differs {
            channel,
            index,
            expected,
            got,
            origin,
        } => (channel, index, expected, got, origin),
        Kind::Fault(fault) => {
            let place = match fault {
                Fault::NotWritten { .. } => String::new(),
                _ => place(failure),
            };
            line(&format!("{place}{fault}."));
            line(&format!("Hint: cargo course hint {}", exercise.id));
            return (text, None);
        }
        Kind::Length {
            channel,
            expected,
            got,
        } => {
            let place = place(failure);
            line(&format!(
                "{place}`{channel}` has the length {got}; it should be {expected}."
            ));
            line(&format!("Hint: cargo course hint {}", exercise.id));
            return (text, None);
        }
    };

    let agree = match failure.step {
        1 => String::new(),
        2 => " (step 1 agrees)".to_owned(),
        step => format!(" (steps 1 to {} agree)", step - 1),
    };
    line(&format!(
        "{}{channel}[{index}] differs{agree}",
        place(failure)
    ));
    if let Some(given) = given(failure) {
        line(&format!("  given     {given}"));
    }
    let [expected_digits, got_digits] = aligned(expected, got);
    line(&format!("  expected  {expected_digits}"));
    line(&format!("  got       {got_digits}"));
    let relative = ((got - expected) / expected).abs();
    if relative.is_finite() {
        line(&format!("  relative error {relative:.1e}"));
    } else if !got.is_finite() {
        line(if got.is_nan() {
            "  Something was divided by zero, or a root taken of a negative number."
        } else {
            "  Something was divided by zero, or grew beyond the largest number that f64 holds."
        });
    }
    line("");
    let whole = exercise.diagnose(exam, failure).first().copied();
    let mut named = whole;
    if let Some(mutant) = whole {
        line(wrapped("This looks like: ", mutant.mistake).trim_end());
        line(&format!("Read: {} in the book", mutant.read));
    } else if let Some(mutant) = exercise.resembles(exam, failure) {
        named = Some(mutant);
        line(wrapped("In this case it looks like: ", mutant.mistake).trim_end());
        line("Other cases differ from it, so there may be a second one; mend this first.");
        line(&format!("Read: {} in the book", mutant.read));
    } else {
        line("No mistake known to this exercise gives these numbers.");
        let ratio = (got - origin) / (expected - origin);
        // Nearer to 1 the digits that are shown would say nothing.
        let telling = ratio != 0.0 && (ratio - 1.0).abs() > 1e-5;
        if failure.step == 1 && ratio.is_finite() && telling {
            line(&format!(
                "What you compute is {ratio:.6} times what it should be."
            ));
        }
    }
    line(&format!("Hint: cargo course hint {}", exercise.id));
    (text, named)
}

/// The message for a check that failed although one before it fails too: that one is explained, and once is enough.
pub fn pointer(first: &Check) -> String {
    format!("First mend `{}`: its message says more.\n", first.name)
}

fn place(failure: &Failure) -> String {
    match failure.case.steps() {
        0 | 1 => String::new(),
        steps => format!("Step {} of {steps}: ", failure.step),
    }
}

/// The input of the step, if it is a short list that was known beforehand.
fn given(failure: &Failure) -> Option<String> {
    let Feed::Given(inputs) = &failure.case.feed else {
        return None;
    };
    let input = inputs.get(failure.step.checked_sub(1)?)?;
    let numbers: Vec<_> = input.iter().map(|&value| short(value)).collect();
    (1..=4).contains(&numbers.len()).then(|| numbers.join("  "))
}

fn describe(case: &Case) -> String {
    let mut text = case.about.clone();
    for (name, value) in &case.settings {
        let _ = write!(text, ", {name} {}", short(*value));
    }
    text
}

/// A number as one would write it by hand, with six digits at most.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    if rounded != 0.0 && !(1e-3..1e6).contains(&rounded.abs()) {
        format!("{rounded:e}")
    } else {
        rounded.to_string()
    }
}

/// Words after a head, in lines of at most 78 characters that begin below the first word.
fn wrapped(head: &str, words: &str) -> String {
    let mut text = head.to_owned();
    let mut width = head.chars().count();
    let indent = width.min(7);
    for (index, word) in words.split_whitespace().enumerate() {
        let length = word.chars().count();
        if index > 0 && width + 1 + length > 78 {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            width = indent;
        } else if index > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text.push('\n');
    text
}

/// Two numbers with their digits under one another.
fn aligned(a: f64, b: f64) -> [String; 2] {
    let whole = |x: f64| x.fract() == 0.0 && x.abs() < 1e15;
    if whole(a) && whole(b) {
        let both = [a, b].map(|x| format!("{x:.0}"));
        let width = both[0].len().max(both[1].len());
        return both.map(|text| format!("{text:>width$}"));
    }
    let plain = |x: f64| x == 0.0 || !x.is_finite() || (1e-4..1e7).contains(&x.abs());
    let both = if plain(a) && plain(b) && (a != 0.0 || b != 0.0) {
        [a, b].map(|x| format!("{x:.15}"))
    } else {
        [a, b].map(|x| format!("{x:.15e}"))
    };
    if !(a.is_finite() && b.is_finite()) {
        return both;
    }
    let point = |text: &str| text.find('.').unwrap_or(text.len());
    let width = both.iter().map(|text| point(text)).max().unwrap_or(0);
    both.map(|text| format!("{}{text}", " ".repeat(width - point(&text))))
}

#[cfg(test)]
mod tests {
    use super::{aligned, wrapped};

    #[test]
    fn long_sentences_go_on_below_their_first_word() {
        let text = wrapped("Asked: ", &"word ".repeat(30));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.len() <= 78), "{text}");
        assert!(lines[1].starts_with("       word"), "{text}");
        assert_eq!(wrapped("Asked: ", "one word"), "Asked: one word\n");
    }

    #[test]
    fn the_digits_of_two_numbers_stand_under_one_another() {
        let [a, b] = aligned(-2.5, 31.622_776_601);
        assert_eq!(a.find('.'), b.find('.'));
        let [a, b] = aligned(1e-9, -1.0);
        assert_eq!(a.find('.'), b.find('.'));
        assert!(a.ends_with("e-9"));
        assert_eq!(aligned(8000.0, -7.0), ["8000", "  -7"]);
    }
}
