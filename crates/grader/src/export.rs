//! Results in the forms that other systems read. Each form is a file of its own that reads [`Record`]s and nothing else.
//!
//! A submission that has no outcome is left out of what a gradebook reads, and is never a zero there; so is one that may not count.
//! Whatever is left out is reported with the reason.

pub mod classroom50;
mod csv;
mod exercism;
mod gradescope;
mod json;
mod junit;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use csv::csv;
pub(crate) use csv::{cell, table};
pub use exercism::exercism;
pub use gradescope::gradescope;
pub use json::json;
pub use junit::junit;

use crate::atomic;
use crate::error::{Error, Result};
use crate::policy::Policy;
use crate::record::Record;

/// A form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// `results.json`: everything, in one file.
    Json,
    /// `gradescope/STUDENT/EXERCISE.json`: Gradescope's `results.json`.
    Gradescope,
    /// `classroom50/STUDENT/EXERCISE.json`: `classroom50/result/v1`.
    Classroom50,
    /// `junit.xml`: a suite for each submission.
    Junit,
    /// `grades.csv`: the columns of nbgrader, for a gradebook.
    Csv,
    /// `exercism/STUDENT/EXERCISE.json`: the `results.json` of a test runner, version 2.
    Exercism,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Json,
        Self::Gradescope,
        Self::Classroom50,
        Self::Junit,
        Self::Csv,
        Self::Exercism,
    ];

    /// Its name, as `--format` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Gradescope => "gradescope",
            Self::Classroom50 => "classroom50",
            Self::Junit => "junit",
            Self::Csv => "csv",
            Self::Exercism => "exercism",
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| {
                let names: Vec<_> = Self::ALL.iter().map(|format| format.name()).collect();
                Error::new(
                    name,
                    "there is no such format",
                    format!("choose among {}", names.join(", ")),
                )
            })
    }
}

/// A submission that is not in an export, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Whose it is.
    pub student: String,
    /// Of which exercise.
    pub exercise: String,
    /// The name of the format.
    pub format: &'static str,
    /// The reason.
    pub why: String,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} is not in {}: {}.",
            self.student, self.exercise, self.format, self.why
        )
    }
}

/// Writes results in some formats below a folder. What is there of a submission that is no longer exported is removed.
///
/// # Errors
/// If a file cannot be written.
pub fn write(
    dir: &Path,
    records: &[Record],
    policy: &Policy,
    formats: &[Format],
) -> Result<Vec<LeftOut>> {
    let mut left_out = Vec::new();
    for &format in formats {
        match format {
            Format::Json => put(&dir.join("results.json"), &json(records))?,
            Format::Junit => put(&dir.join("junit.xml"), &junit(records))?,
            Format::Csv => {
                put(&dir.join("grades.csv"), &csv(records))?;
                left_out.extend(
                    records
                        .iter()
                        .filter_map(|record| Some(leave(record, format, counts(record).err()?))),
                );
            }
            Format::Gradescope => each(dir, records, format, &mut left_out, |record| {
                counts(record)?;
                gradescope(record, policy.visibility())
            })?,
            Format::Classroom50 => each(dir, records, format, &mut left_out, |record| {
                counts(record)?;
                classroom50::classroom50(record, &classroom50::Submitted::of(record, policy)?)
            })?,
            Format::Exercism => each(dir, records, format, &mut left_out, |record| {
                Ok(exercism(record))
            })?,
        }
    }
    left_out.sort();
    Ok(left_out)
}

/// Whether a submission counts, or why not.
pub(crate) fn counts(record: &Record) -> std::result::Result<(), String> {
    let graded = record.graded.as_ref().map_err(Clone::clone)?;
    graded.grade.unofficial.clone().map_or(Ok(()), Err)
}

fn leave(record: &Record, format: Format, why: String) -> LeftOut {
    LeftOut {
        student: record.student.clone(),
        exercise: record.exercise.clone(),
        format: format.name(),
        why,
    }
}

/// Writes a file for each submission, and removes those of submissions that have none now.
fn each(
    dir: &Path,
    records: &[Record],
    format: Format,
    left_out: &mut Vec<LeftOut>,
    export: impl Fn(&Record) -> std::result::Result<String, String>,
) -> Result<()> {
    let folder = dir.join(format.name());
    let mut written = BTreeSet::new();
    for record in records {
        match export(record) {
            Ok(text) => {
                let path = folder.join(&record.path);
                put(&path, &text)?;
                written.insert(path);
            }
            Err(why) => left_out.push(leave(record, format, why)),
        }
    }
    for student in atomic::names(&folder)? {
        let student = folder.join(student);
        if student.is_dir() {
            let stale = atomic::names(&student)?
                .into_iter()
                .map(|name| student.join(name));
            for path in stale.filter(|path| is_json(path) && !written.contains(path)) {
                fs::remove_file(&path).map_err(|error| Error::io(&path, &error))?;
            }
            // It is only removed if nothing is left in it.
            let _ = fs::remove_dir(&student);
        }
    }
    Ok(())
}

fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "json")
}

/// Writes an export. It can be made again at any time, so that it need not survive a crash, but it is never there by half.
pub(crate) fn put(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, &error))?;
    let temporary = folder.join(format!("{}{}.tmp", atomic::TEMPORARY, std::process::id()));
    let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        Error::io(path, &error)
    })
}

/// Data of an export as text.
pub(crate) fn text_of(data: &impl serde::Serialize) -> String {
    String::from_utf8(crate::store::json(data)).expect("JSON is UTF-8")
}
