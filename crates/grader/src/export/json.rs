//! Everything that is known of a class, in one file.

use serde::Serialize;

use super::text_of;
use crate::outcome::Outcome;
use crate::record::{Graded, Record};

#[derive(Serialize)]
struct Results<'a> {
    schema: &'static str,
    results: Vec<Submission<'a>>,
}

#[derive(Serialize)]
struct Submission<'a> {
    student: &'a str,
    exercise: &'a str,
    key: &'a str,
    place: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<Person<'a>>,
    #[serde(flatten)]
    graded: Either<'a>,
}

#[derive(Serialize)]
struct Person<'a> {
    last: &'a str,
    first: &'a str,
    email: &'a str,
    id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Either<'a> {
    /// Why there is no outcome.
    Fault(&'a str),
    Graded(Box<Grade<'a>>),
}

#[derive(Serialize)]
struct Grade<'a> {
    official: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unofficial: Option<&'a str>,
    score: f64,
    max_score: f64,
    raw_score: f64,
    late_penalty: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    submitted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    late_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    outcome: &'a Outcome,
}

/// `results.json` for a class.
pub fn json(records: &[Record]) -> String {
    text_of(&Results {
        schema: "moments/results/v1",
        results: records.iter().map(submission).collect(),
    })
}

fn submission(record: &Record) -> Submission<'_> {
    Submission {
        student: &record.student,
        exercise: &record.exercise,
        key: &record.key,
        place: &record.place,
        person: record.person.as_ref().map(|person| Person {
            last: &person.last,
            first: &person.first,
            email: &person.email,
            id: &person.id,
        }),
        graded: match &record.graded {
            Err(why) => Either::Fault(why),
            Ok(Graded {
                outcome,
                seconds,
                grade,
            }) => Either::Graded(Box::new(Grade {
                official: grade.unofficial.is_none(),
                unofficial: grade.unofficial.as_deref(),
                score: grade.score.to_f64(),
                max_score: grade.max.to_f64(),
                raw_score: grade.raw.to_f64(),
                late_penalty: grade.penalty.to_f64(),
                due: grade.due.map(|due| due.to_string()),
                submitted: grade.submitted.map(|submitted| submitted.to_string()),
                late_seconds: grade.late.map(|late| late.as_secs()),
                seconds: *seconds,
                outcome,
            })),
        },
    }
}
