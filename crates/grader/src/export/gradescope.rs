//! Gradescope's `results.json`.

use serde::Serialize;

use super::text_of;
use crate::outcome::Outcome;
use crate::policy::{Visibility, tier};
use crate::record::{Graded, Record, feedback};

#[derive(Serialize)]
struct Results<'a> {
    score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_time: Option<f64>,
    output: String,
    output_format: &'static str,
    visibility: Visibility,
    /// What the grader itself prints is for instructors.
    stdout_visibility: &'static str,
    tests: Vec<Test<'a>>,
    extra_data: Extra<'a>,
}

#[derive(Serialize)]
struct Test<'a> {
    score: u32,
    max_score: u32,
    status: &'static str,
    name: &'a str,
    number: String,
    output: String,
    output_format: &'static str,
    tags: Vec<&'a str>,
    visibility: Visibility,
}

#[derive(Serialize)]
struct Extra<'a> {
    exercise: &'a str,
    key: &'a str,
    sandbox: &'static str,
    toolchain: &'a str,
}

/// `results.json` for one submission. The total is the final score; the checks have the points of the rubric, and the output says how one follows
/// from the other. All texts are plain: Gradescope reads no HTML, Markdown or ANSI in them.
///
/// # Errors
/// With the reason if there is no outcome: no score is then given, and never a zero.
pub fn gradescope(record: &Record, visibility: Visibility) -> Result<String, String> {
    let graded = record.graded.as_ref().map_err(Clone::clone)?;
    let Graded {
        outcome,
        seconds,
        grade,
    } = graded;
    Ok(text_of(&Results {
        score: grade.score.to_f64(),
        execution_time: *seconds,
        output: graded.remarks().join("\n\n"),
        output_format: "text",
        visibility: Visibility::Visible,
        stdout_visibility: "hidden",
        tests: tests(outcome, visibility),
        extra_data: Extra {
            exercise: &record.exercise,
            key: &record.key,
            sandbox: tier(outcome.sandbox),
            toolchain: &outcome.from.toolchain,
        },
    }))
}

fn tests(outcome: &Outcome, visibility: Visibility) -> Vec<Test<'_>> {
    (outcome.checks.iter().enumerate())
        .map(|(index, check)| Test {
            score: check.points,
            max_score: check.max_points,
            status: if check.result.holds() {
                "passed"
            } else {
                "failed"
            },
            name: &check.name,
            number: (index + 1).to_string(),
            output: feedback(check),
            output_format: "text",
            tags: check.diagnosis.as_deref().into_iter().collect(),
            visibility,
        })
        .collect()
}
