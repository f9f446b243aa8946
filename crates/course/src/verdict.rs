//! `cargo course test`: the verdict on one exercise, with what went wrong in the learner's terms, or on all, a line each.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;

use crate::exercises::{self, Exercise};
use crate::learn::Standing;
use crate::progress::{self, Progress};
use crate::run::{Outcome, Runner};
use crate::ui::{self, Line, Style, count, cut, wrap};

/// `cargo course test`.
pub(crate) fn test(root: &Path, name: Option<&str>, as_json: bool) -> Result<ExitCode> {
    let all = exercises::load(root)?;
    let chosen: Vec<&Exercise> = if name == Some("all") {
        all.iter().collect()
    } else {
        vec![exercises::chosen(&all, name, root)?]
    };
    let tested = run(root, &chosen, as_json)?;
    let passed = tested.iter().all(|(_, outcome)| outcome.passed());
    if as_json {
        let mut list: Vec<_> = tested
            .iter()
            .map(|(exercise, outcome)| test_json(exercise, outcome))
            .collect();
        let value = if name == Some("all") {
            all_json(&list)
        } else {
            list.remove(0)
        };
        ui::say(&format!("{value:#}"));
    } else if name == Some("all") {
        let standings: Vec<Standing> = tested
            .iter()
            .map(|(exercise, outcome)| Standing::of(exercise, outcome.passed(), root))
            .collect();
        ui::put(&all_text(
            &tested,
            &standings,
            ui::columns(),
            Style::stdout(),
        ));
    } else {
        for (exercise, outcome) in &tested {
            ui::put(&test_text(exercise, outcome, List::Full, Style::stdout()));
        }
    }
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Tests exercises and remembers the verdicts.
fn run<'a>(
    root: &Path,
    chosen: &[&'a Exercise],
    quiet: bool,
) -> Result<Vec<(&'a Exercise, Outcome)>> {
    let what = match chosen {
        [one] => one.slug.clone(),
        _ => count(chosen.len(), "exercise"),
    };
    let prints: Vec<String> = chosen
        .iter()
        .map(|exercise| progress::fingerprint(exercise, root))
        .collect();
    let mut line = Line::new();
    let outcomes = Runner::new(root)
        .colour(Style::stdout().is_on() && !quiet)
        .run(chosen, &mut |busy| {
            if let Some(words) = busy.words(&what)
                && !quiet
            {
                line.update(&words);
            }
        })?
        .context("The run was stopped")?;
    line.clear();
    Progress::change(root, |progress| {
        for ((exercise, print), outcome) in chosen.iter().zip(prints).zip(&outcomes) {
            progress.record(&exercise.id, print, outcome.passed());
        }
    });
    Ok(chosen.iter().copied().zip(outcomes).collect())
}

fn test_json(exercise: &Exercise, outcome: &Outcome) -> serde_json::Value {
    let tests: Vec<_> = outcome
        .tests
        .iter()
        .map(|(name, passed)| {
            let said = outcome.messages.iter().find(|(of, _)| of == name);
            json!({ "name": name, "passed": passed, "message": said.map(|(_, text)| text.as_str()) })
        })
        .collect();
    json!({
        "id": exercise.id,
        "slug": exercise.slug,
        "passed": outcome.passed(),
        "compiled": outcome.compiled,
        "tests": tests,
        "compiler": outcome.compiler,
        "crash": outcome.crash,
    })
}

fn all_json(list: &[serde_json::Value]) -> serde_json::Value {
    let passing = list.iter().filter(|one| one["passed"] == true).count();
    json!({ "exercises": list, "passing": passing })
}

/// A line for each exercise.
fn all_text(
    tested: &[(&Exercise, Outcome)],
    standings: &[Standing],
    columns: Option<usize>,
    style: Style,
) -> String {
    let wide = tested
        .iter()
        .map(|(exercise, _)| exercise.title.chars().count())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for ((exercise, outcome), standing) in tested.iter().zip(standings) {
        let total = outcome.tests.len();
        let notes = if outcome.passed() {
            count(total, "check")
        } else if !outcome.compiled {
            "does not compile".to_owned()
        } else if outcome.crash.is_some() {
            "was ended by the system".to_owned()
        } else {
            let score = format!("{} of {}", outcome.passing(), count(total, "check"));
            match outcome.first_message() {
                Some((name, _)) if *standing == Standing::Fails => format!("{score}: {name}"),
                _ => score,
            }
        };
        let line = format!("{}  {:<wide$}  {notes}", exercise.id, exercise.title);
        // The word before it takes ten columns.
        let line = columns.map_or(line.clone(), |columns| {
            cut(&line, columns.saturating_sub(10))
        });
        let _ = writeln!(out, "  {}  {line}", standing.painted(style));
    }
    let passing = tested
        .iter()
        .filter(|(_, outcome)| outcome.passed())
        .count();
    let _ = writeln!(
        out,
        "\n{passing} of {} pass.",
        count(tested.len(), "exercise")
    );
    let failing = tested
        .iter()
        .zip(standings)
        .find(|(_, standing)| **standing == Standing::Fails);
    if let Some(((exercise, _), _)) = failing {
        let _ = writeln!(
            out,
            "What is wrong with one: `cargo course test {}`.",
            exercise.id
        );
    }
    out
}

/// How the checks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// A line for each.
    Full,
    /// Only their number.
    Short,
}

/// What a learner is told about one exercise.
pub(crate) fn test_text(
    exercise: &Exercise,
    outcome: &Outcome,
    list: List,
    style: Style,
) -> String {
    let mut out = String::new();
    let head = style.bold(&format!("{} {}", exercise.id, exercise.title));
    if !outcome.compiled {
        let words = style.red("it does not compile yet.");
        let compiler = &outcome.compiler;
        let _ = match list {
            // The end of a long text is what a terminal shows; of what a screen cannot hold it shows the beginning.
            List::Full => writeln!(
                out,
                "{compiler}\n\n{head}: {words} The compiler's words are above."
            ),
            List::Short => writeln!(out, "{head}: {words}\n\n{compiler}"),
        };
        return out;
    }
    let passing = outcome.passing();
    if outcome.passed() {
        let _ = writeln!(
            out,
            "{head}: {}",
            style.green(&if passing == 1 {
                "its one check passes.".to_owned()
            } else {
                format!("all {passing} checks pass.")
            })
        );
        if !exercise.see.is_empty() {
            let _ = writeln!(
                out,
                "\nThe course's own crate has the same rule in {}.",
                exercise.see
            );
        }
        if !exercise.beyond.is_empty() {
            let _ = writeln!(out, "{}", wrap(&exercise.beyond, 78));
        }
        let _ = writeln!(
            out,
            "\nOurs beside yours: `cargo course solution {}`.\nWhat is next: `cargo course next`.",
            exercise.id
        );
        return out;
    }
    if let Some(words) = &outcome.crash {
        let _ = writeln!(
            out,
            "{head}: {}\n\n{words}\n\nAn overflown stack is a function that calls itself without end.",
            style.red("the system ended the tests.")
        );
        return out;
    }
    let _ = writeln!(
        out,
        "{head}: {passing} of {} pass.\n",
        count(outcome.tests.len(), "check")
    );
    if list == List::Full {
        for (name, passed) in &outcome.tests {
            let word = if *passed {
                style.green("pass")
            } else {
                style.red("fail")
            };
            let _ = writeln!(out, "  {word}  {name}");
        }
        out.push('\n');
    }
    if let Some((name, text)) = outcome.first_message() {
        let _ = writeln!(out, "{}\n{text}", style.bold(name));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercises::tests::exercise;
    use crate::run::tests::failing;

    fn passing() -> Outcome {
        Outcome {
            compiled: true,
            success: true,
            tests: vec![("a".to_owned(), true), ("b".to_owned(), true)],
            ..Outcome::default()
        }
    }

    fn broken() -> Outcome {
        Outcome {
            compiler: "error: cannot find value `x`".to_owned(),
            ..Outcome::default()
        }
    }

    #[test]
    fn the_message_shown_is_the_one_that_says_what_is_wrong() {
        let exercise = exercise("ex07", &[]);
        let text = test_text(&exercise, &failing(), List::Full, Style::plain());
        assert!(text.contains("1 of 3 checks pass"), "{text}");
        assert!(text.contains("fail  b"), "{text}");
        assert!(text.contains("Asked: something"), "{text}");
        assert!(!text.contains("First mend"), "{text}");
        let text = test_text(&exercise, &failing(), List::Short, Style::plain());
        assert!(!text.contains("fail  b"), "{text}");
    }

    #[test]
    fn a_pass_shows_where_the_crate_has_the_same_rule() {
        let text = test_text(
            &exercise("ex07", &[]),
            &passing(),
            List::Full,
            Style::plain(),
        );
        assert!(text.contains("all 2 checks pass"), "{text}");
        assert!(text.contains("crates/moments/src/adam.rs"), "{text}");
        assert!(text.contains("The crate checks lengths."), "{text}");
    }

    #[test]
    fn what_does_not_compile_shows_the_compilers_words() {
        let exercise = exercise("ex07", &[]);
        let text = test_text(&exercise, &broken(), List::Full, Style::plain());
        assert!(text.contains("cannot find value"), "{text}");
        assert!(text.contains("does not compile yet"), "{text}");
        assert_eq!(test_json(&exercise, &broken())["compiled"], false);
    }

    #[test]
    fn a_crash_shows_the_last_words() {
        let outcome = Outcome {
            compiled: true,
            crash: Some("thread 'b' has overflowed its stack".to_owned()),
            ..Outcome::default()
        };
        let text = test_text(&exercise("ex07", &[]), &outcome, List::Full, Style::plain());
        assert!(text.contains("has overflowed its stack"), "{text}");
        assert!(!text.contains("compile"), "{text}");
    }

    #[test]
    fn all_exercises_take_one_line_each_that_fits_the_terminal() {
        let [one, two, three] = ["ex05", "ex06", "ex07"].map(|id| exercise(id, &[]));
        let tested = [(&one, passing()), (&two, failing()), (&three, broken())];
        let standings = [Standing::Passes, Standing::Fails, Standing::Fails];
        let text = all_text(&tested, &standings, None, Style::plain());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "  passes  ex05  Adam  2 checks");
        assert_eq!(lines[1], "  fails   ex06  Adam  1 of 3 checks: c");
        assert_eq!(lines[2], "  fails   ex07  Adam  does not compile");
        assert!(text.contains("1 of 3 exercises pass."), "{text}");
        assert!(text.contains("`cargo course test ex06`"), "{text}");
        let narrow = all_text(&tested, &standings, Some(24), Style::plain());
        for line in narrow.lines().take(3) {
            assert!(line.chars().count() <= 24, "{line}");
        }
    }

    #[test]
    fn scripts_see_the_same_object_for_one_and_in_the_list_of_all() {
        let exercise = exercise("ex07", &[]);
        let one = test_json(&exercise, &passing());
        assert_eq!((&one["id"], &one["passed"]), (&json!("ex07"), &json!(true)));
        let all = all_json(&[one.clone(), test_json(&exercise, &failing())]);
        assert_eq!(all["exercises"][0], one);
        assert_eq!(all["passing"], 1);
    }
}
