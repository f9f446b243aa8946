//! The CSV files that an instructor gives: who the students are, and when they handed in.

use std::collections::BTreeMap;
use std::path::Path;

use csv::StringRecord;
use jiff::Timestamp;

use crate::error::{Error, Result};

/// A student as the gradebook knows them. What a roster does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Family name.
    pub last: String,
    /// Given name.
    pub first: String,
    /// Address.
    pub email: String,
    /// The name that the gradebook has for them.
    pub id: String,
}

/// A time of submission, and the line that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Submitted {
    pub(crate) at: Timestamp,
    pub(crate) line: u64,
}

/// Reads a roster.
pub(crate) fn roster(path: &Path) -> Result<BTreeMap<String, (Person, u64)>> {
    let mut people = BTreeMap::new();
    for row in rows(path, &["student", "last", "first", "email", "id"], 1)? {
        let [student, last, first, email, id] = row.cells.try_into().expect("five columns");
        let person = Person {
            last,
            first,
            email,
            id,
        };
        if let Some((_, before)) = people.insert(student.clone(), (person, row.line)) {
            return Err(twice(path, row.line, &student, before));
        }
    }
    Ok(people)
}

/// Reads times of submission by student and exercise.
pub(crate) fn times(path: &Path) -> Result<BTreeMap<(String, String), Submitted>> {
    let mut times: BTreeMap<_, Submitted> = BTreeMap::new();
    for row in rows(path, &["student", "exercise", "submitted"], 3)? {
        let [student, exercise, submitted] = row.cells.try_into().expect("three columns");
        let at = submitted.parse().map_err(|_| {
            at_line(
                path,
                row.line,
                format!("`{submitted}` is not a time with its zone"),
                "write it like 2026-09-14T23:59:00+02:00, or with Z at the end for UTC",
            )
        })?;
        let what = format!("{student}, {exercise}");
        if let Some(before) = times.insert((student, exercise), Submitted { at, line: row.line }) {
            return Err(twice(path, row.line, &what, before.line));
        }
    }
    Ok(times)
}

/// An error about a line of a file.
pub(crate) fn at_line(
    path: &Path,
    line: u64,
    wrong: impl Into<String>,
    fix: impl Into<String>,
) -> Error {
    Error::new(format!("{}, line {line}", path.display()), wrong, fix)
}

fn twice(path: &Path, line: u64, what: &str, before: u64) -> Error {
    at_line(
        path,
        line,
        format!("`{what}` is on line {before} already"),
        "leave one of the two out",
    )
}

struct Row {
    line: u64,
    /// A cell for each column that is known, in their order; empty where the file has no such column.
    cells: Vec<String>,
}

/// Reads the rows of a CSV file whose first line names its columns. The first `needed` ones must be there, and not be empty in any row.
fn rows(path: &Path, columns: &[&str], needed: usize) -> Result<Vec<Row>> {
    let known = columns.join(",");
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|error| csv_error(path, &error))?;
    let header = reader
        .headers()
        .map_err(|error| csv_error(path, &error))?
        .clone();
    let mut places = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let found: Vec<usize> = (0..header.len())
            .filter(|&at| header[at] == **column)
            .collect();
        match found[..] {
            [] if index < needed => {
                return Err(at_line(
                    path,
                    1,
                    format!("there is no column `{column}`"),
                    format!("name the columns in the first line, with commas between: {known}"),
                ));
            }
            [_, _, ..] => {
                return Err(at_line(
                    path,
                    1,
                    format!("there are two columns `{column}`"),
                    "rename one of them",
                ));
            }
            _ => places.push(found.first().copied()),
        }
    }
    if let Some(other) = header.iter().find(|name| !columns.contains(name)) {
        return Err(at_line(
            path,
            1,
            format!("the column `{other}` is not known"),
            format!("leave it out; the columns are {known}"),
        ));
    }
    let mut rows = Vec::new();
    for record in reader.into_records() {
        let record: StringRecord = record.map_err(|error| csv_error(path, &error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells: Vec<String> = (places.iter())
            .map(|place| {
                place
                    .and_then(|at| record.get(at))
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect();
        if let Some(at) = (0..needed).find(|&at| cells[at].is_empty()) {
            return Err(at_line(
                path,
                line,
                format!("`{}` is empty", columns[at]),
                "fill it in, or take the line out",
            ));
        }
        rows.push(Row { line, cells });
    }
    Ok(rows)
}

fn csv_error(path: &Path, error: &csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Io(error) => Error::io(path, error),
        csv::ErrorKind::Utf8 { .. } => at_line(
            path,
            line,
            "it is not UTF-8",
            "save the file as CSV in UTF-8",
        ),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => at_line(
            path,
            line,
            format!("it has {len} cells, and the first line has {expected_len}"),
            "put quotes around cells that have commas in them",
        ),
        _ => at_line(
            path,
            line,
            error.to_string(),
            "save the file as CSV in UTF-8",
        ),
    }
}
