//! What an instructor looks at first: how a class did, where it stumbled, and what needs a second look.

mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::error::Result;
use crate::export::{self, cell, table};
use crate::outcome::{Held, Status};
use crate::policy::Policy;
use crate::record::{Graded, Record};
use crate::similarity::Alike;

pub use page::page;

/// A class in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// The exercises in order.
    pub exercises: BTreeMap<String, Exercise>,
    /// Submissions without an outcome, for no reason of the student's: student, exercise, what failed.
    pub faults: Vec<[String; 3]>,
    /// Submissions that were refused: student, exercise, why.
    pub refusals: Vec<[String; 3]>,
    /// Submissions that may not count: student, exercise, why.
    pub unofficial: Vec<[String; 3]>,
    /// Students of the roster who have handed in nothing: how the gradebook knows them.
    pub missing: Vec<String>,
    /// Submissions that are alike.
    pub alike: Vec<Alike>,
}

/// An exercise in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exercise {
    /// The share of the points that each graded submission earned, from 0 to 1, sorted. Lateness is left out.
    pub shares: Vec<f64>,
    /// How many submissions do not compile.
    pub do_not_compile: usize,
    /// How many were refused.
    pub refused: usize,
    /// How many have no outcome.
    pub faults: usize,
    /// How many were late.
    pub late: usize,
    /// Each check, in the order of the rubric.
    pub checks: Vec<Check>,
    /// How often each diagnosis was made.
    pub diagnoses: BTreeMap<String, usize>,
    /// How often each limit was hit.
    pub limits: BTreeMap<String, usize>,
}

/// A check in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// What it asks.
    pub asked: String,
    /// How many submissions it holds for.
    pub holds: usize,
    /// How many fail on a case of `cargo test`.
    pub fails_seen: usize,
    /// How many fail on a hidden case alone.
    pub fails_hidden: usize,
    /// For how many it was not tried.
    pub not_tried: usize,
}

impl Summary {
    /// Counts a class.
    pub fn of(records: &[Record], policy: &Policy, alike: Vec<Alike>) -> Self {
        let mut summary = Self {
            alike,
            ..Self::default()
        };
        for record in records {
            let exercise = summary
                .exercises
                .entry(record.exercise.clone())
                .or_default();
            let line = |why: &str| {
                [
                    record.student.clone(),
                    record.exercise.clone(),
                    why.to_owned(),
                ]
            };
            match &record.graded {
                Err(why) => {
                    exercise.faults += 1;
                    summary.faults.push(line(why));
                }
                Ok(graded) => {
                    exercise.add(graded);
                    if graded.outcome.status == Status::Refused {
                        summary
                            .refusals
                            .push(line(&graded.outcome.remarks.join(" ")));
                    }
                    if let Some(why) = &graded.grade.unofficial {
                        summary.unofficial.push(line(why));
                    }
                }
            }
        }
        for exercise in summary.exercises.values_mut() {
            exercise.shares.sort_by(f64::total_cmp);
        }
        let handed_in: BTreeSet<&str> = records
            .iter()
            .map(|record| record.student.as_str())
            .collect();
        summary.missing = policy
            .students()
            .filter(|student| !handed_in.contains(student))
            .map(str::to_owned)
            .collect();
        summary
    }
}

impl Exercise {
    fn add(&mut self, graded: &Graded) {
        let outcome = &graded.outcome;
        self.shares.push(outcome.share());
        self.do_not_compile += usize::from(outcome.status == Status::DoesNotCompile);
        self.refused += usize::from(outcome.status == Status::Refused);
        self.late += usize::from(graded.grade.late.is_some());
        for checked in &outcome.checks {
            let known = self
                .checks
                .iter()
                .position(|check| check.name == checked.name);
            let at = known.unwrap_or_else(|| {
                self.checks.push(Check {
                    name: checked.name.clone(),
                    asked: checked.asked.clone(),
                    ..Check::default()
                });
                self.checks.len() - 1
            });
            let check = &mut self.checks[at];
            *match checked.result {
                Held::Holds => &mut check.holds,
                Held::FailsSeen => &mut check.fails_seen,
                Held::FailsHidden => &mut check.fails_hidden,
                Held::NotTried => &mut check.not_tried,
            } += 1;
        }
        // A mistake that shows in several checks is one mistake, and so is a limit.
        let of_checks =
            |field: fn(&crate::outcome::Checked) -> Option<&String>| -> BTreeSet<String> {
                outcome.checks.iter().filter_map(field).cloned().collect()
            };
        for diagnosis in of_checks(|check| check.diagnosis.as_ref()) {
            *self.diagnoses.entry(diagnosis).or_default() += 1;
        }
        for limit in of_checks(|check| check.limit.as_ref()) {
            *self.limits.entry(limit).or_default() += 1;
        }
    }

    /// How many submissions have an outcome.
    pub fn graded(&self) -> usize {
        self.shares.len()
    }

    /// The mean share of the points, from 0 to 1; 0 where nothing is graded.
    pub fn mean(&self) -> f64 {
        self.shares.iter().sum::<f64>() / self.shares.len().max(1) as f64
    }

    /// The share of the points in the middle; 0 where nothing is graded.
    pub fn median(&self) -> f64 {
        let count = self.shares.len();
        match count {
            0 => 0.0,
            _ => f64::midpoint(self.shares[(count - 1) / 2], self.shares[count / 2]),
        }
    }

    /// How many submissions earned from 0 to 9 %, from 10 to 19 % and so on, and all points.
    pub fn distribution(&self) -> [usize; 11] {
        let mut bins = [0; 11];
        for share in &self.shares {
            bins[(share * 10.0) as usize] += 1;
        }
        bins
    }
}

/// The columns of `summary.csv`.
const COLUMNS: [&str; 14] = [
    "student",
    "exercise",
    "status",
    "counts",
    "score",
    "max_score",
    "points",
    "max_points",
    "late_penalty",
    "checks_failed",
    "diagnoses",
    "limits",
    "alike",
    "place",
];

/// `summary.csv`: a row for each submission, those without an outcome too.
pub fn csv(records: &[Record], alike: &[Alike]) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(records.iter().map(|record| row(record, alike)));
    table(&rows)
}

fn row(record: &Record, alike: &[Alike]) -> [String; 14] {
    let others: BTreeSet<&str> = (alike.iter())
        .filter(|alike| {
            alike.exercise == record.exercise && alike.students.contains(&record.student)
        })
        .flat_map(|alike| alike.students.iter().map(String::as_str))
        .filter(|student| *student != record.student)
        .collect();
    let others: Vec<&str> = others.into_iter().collect();
    let [
        status,
        counts,
        score,
        max,
        points,
        max_points,
        penalty,
        failed,
        diagnoses,
        limits,
    ] = match &record.graded {
        Err(why) => {
            let mut cells = [const { String::new() }; 10];
            cells[0] = format!("fault: {why}");
            "no".clone_into(&mut cells[1]);
            cells
        }
        Ok(Graded { outcome, grade, .. }) => {
            let of_checks = |field: fn(&crate::outcome::Checked) -> Option<&String>| -> String {
                let texts: BTreeSet<&str> = outcome
                    .checks
                    .iter()
                    .filter_map(field)
                    .map(String::as_str)
                    .collect();
                texts.into_iter().collect::<Vec<_>>().join("; ")
            };
            [
                status(outcome.status).to_owned(),
                if grade.unofficial.is_none() {
                    "yes"
                } else {
                    "no"
                }
                .to_owned(),
                grade.score.to_string(),
                grade.max.to_string(),
                outcome.points.to_string(),
                outcome.max_points.to_string(),
                grade.penalty.to_string(),
                of_checks(|check| (!check.result.holds()).then_some(&check.name)),
                of_checks(|check| check.diagnosis.as_ref()),
                of_checks(|check| check.limit.as_ref()),
            ]
        }
    };
    [
        record.student.clone(),
        record.exercise.clone(),
        status,
        counts,
        score,
        max,
        points,
        max_points,
        penalty,
        failed,
        diagnoses,
        limits,
        others.join("; "),
        record.place.clone(),
    ]
    .map(|text| cell(&text))
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Graded => "graded",
        Status::DoesNotCompile => "does not compile",
        Status::Refused => "refused",
    }
}

/// Writes `summary.csv` and `summary.html` into a folder.
///
/// # Errors
/// If one of them cannot be written.
pub fn write(dir: &Path, records: &[Record], policy: &Policy, alike: Vec<Alike>) -> Result<()> {
    export::put(&dir.join("summary.csv"), &csv(records, &alike))?;
    export::put(
        &dir.join("summary.html"),
        &page(&Summary::of(records, policy, alike)),
    )
}
