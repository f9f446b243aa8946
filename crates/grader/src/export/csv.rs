//! A table for a gradebook, with the columns that nbgrader exports.

use crate::export::counts;
use crate::record::{Graded, Record};

/// nbgrader's columns.
const COLUMNS: [&str; 11] = [
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
];

/// `grades.csv` for a class: a row for each submission that counts.
pub fn csv(records: &[Record]) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(
        records
            .iter()
            .filter(|record| counts(record).is_ok())
            .filter_map(row),
    );
    table(&rows)
}

fn row(record: &Record) -> Option<[String; 11]> {
    let Graded { grade, .. } = record.graded.as_ref().ok()?;
    let person = record.person.clone().unwrap_or_default();
    let time =
        |time: Option<jiff::Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    Some([
        cell(&record.exercise),
        time(grade.due),
        time(grade.submitted),
        cell(record.gradebook_id()),
        cell(&person.last),
        cell(&person.first),
        cell(&person.email),
        grade.raw.to_string(),
        grade.penalty.to_string(),
        grade.score.to_string(),
        grade.max.to_string(),
    ])
}

/// Rows as CSV, quoted where needed.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(row)
            .expect("all rows have the same length, and memory does not fail");
    }
    String::from_utf8(writer.into_inner().expect("memory does not fail"))
        .expect("it was made of text")
}

/// A text that no spreadsheet reads as a formula.
pub(crate) fn cell(text: &str) -> String {
    if text
        .trim_start()
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
    {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
