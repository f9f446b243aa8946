//! The `results.json` of an Exercism test runner, version 2.

use serde::Serialize;

use super::text_of;
use crate::outcome::{Outcome, Status};
use crate::plain::plain;
use crate::record::{Graded, Record, feedback};

/// The longest texts that the form takes.
const MESSAGE: usize = 65_535;
const OUTPUT: usize = 500;

#[derive(Serialize)]
struct Results<'a> {
    version: u32,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    tests: Vec<Test<'a>>,
}

#[derive(Serialize)]
struct Test<'a> {
    name: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(rename = "test_code")]
    code: &'a str,
}

/// `results.json` for one submission. The form has no points; a submission without an outcome is an `error` that says so.
pub fn exercism(record: &Record) -> String {
    let results = match &record.graded {
        Err(why) => error(&[format!("This is no fault of the submission: {why}.")]),
        Ok(graded) if graded.outcome.status == Status::Graded => Results {
            version: 2,
            status: if all_hold(&graded.outcome) {
                "pass"
            } else {
                "fail"
            },
            message: None,
            tests: tests(graded),
        },
        Ok(graded) => error(&graded.remarks()),
    };
    text_of(&results)
}

fn error(remarks: &[String]) -> Results<'static> {
    Results {
        version: 2,
        status: "error",
        message: Some(fit(&remarks.join("\n\n"), MESSAGE)),
        tests: Vec::new(),
    }
}

fn all_hold(outcome: &Outcome) -> bool {
    outcome.checks.iter().all(|check| check.result.holds())
}

fn tests(graded: &Graded) -> Vec<Test<'_>> {
    (graded.outcome.checks.iter())
        .map(|check| {
            let holds = check.result.holds();
            Test {
                name: &check.name,
                status: if holds { "pass" } else { "fail" },
                message: (!holds).then(|| fit(&feedback(check), MESSAGE)),
                output: check
                    .limit
                    .as_ref()
                    .map(|limit| fit(&format!("Limit reached: {limit}."), OUTPUT)),
                code: &check.asked,
            }
        })
        .collect()
}

/// Cuts a text so that, with the note that it was cut, it fits.
fn fit(text: &str, at_most: usize) -> String {
    if text.chars().count() <= at_most {
        text.to_owned()
    } else {
        plain(text, at_most - 10)
    }
}
