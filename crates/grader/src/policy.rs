//! How outcomes become grades: what `--policy FILE` says. It is applied when results are exported, and never changes an outcome.
//!
//! The keys of the file, each with what it does, are in `policy.example.toml`, which is read by a test.

mod number;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, de};

pub use number::Decimal;
pub use tables::Person;

use crate::error::{Error, Result};
use crate::outcome::{Outcome, Tier};
use crate::store::Entry;
use crate::view::View;
use number::{Exact, Number};
use tables::{Submitted, at_line};

/// What becomes of a half when a score is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// It goes up.
    #[default]
    HalfUp,
    /// It goes to the even neighbour.
    HalfEven,
}

/// Who sees the checks on Gradescope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody.
    #[default]
    Visible,
    /// Students, once the due date has passed.
    AfterDueDate,
    /// Students, once grades are published.
    AfterPublished,
    /// Instructors alone.
    Hidden,
}

/// What an instructor wants, with the files that it names.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Where it was read from; empty if there is none.
    path: PathBuf,
    file: File,
    people: Option<BTreeMap<String, (Person, u64)>>,
    times: BTreeMap<(String, String), Submitted>,
}

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    least_sandbox: Tier,
    roster: Option<PathBuf>,
    times: Option<PathBuf>,
    score: Score,
    points: BTreeMap<String, Number>,
    due: BTreeMap<String, When>,
    late: Option<Late>,
    extension: Vec<toml::Spanned<Extension>>,
    gradescope: Gradescope,
    classroom50: Classroom50,
}

impl Default for File {
    fn default() -> Self {
        Self {
            least_sandbox: Tier::Bubblewrap,
            roster: None,
            times: None,
            score: Score::default(),
            points: BTreeMap::new(),
            due: BTreeMap::new(),
            late: None,
            extension: Vec::new(),
            gradescope: Gradescope::default(),
            classroom50: Classroom50::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Score {
    decimals: u32,
    rounding: Rounding,
}

impl Default for Score {
    fn default() -> Self {
        Self {
            decimals: 2,
            rounding: Rounding::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Late {
    #[serde(default)]
    grace_minutes: u32,
    per: Per,
    percent: Option<Number>,
    points: Option<Number>,
    #[serde(default)]
    of: Of,
    floor_percent: Option<Number>,
    cut_off_hours: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Per {
    Day,
    Hour,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Of {
    #[default]
    Full,
    Earned,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extension {
    student: String,
    exercise: Option<String>,
    until: When,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Gradescope {
    visibility: Visibility,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Classroom50 {
    classroom: Option<String>,
    assignments: BTreeMap<String, String>,
}

/// A time with its zone, quoted or not.
#[derive(Clone, Copy, Debug)]
struct When(Timestamp);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        text.parse().map(Self).map_err(|_| {
            de::Error::custom(format!(
                "`{text}` is not a time with its zone, such as 2026-09-14T23:59:00+02:00"
            ))
        })
    }
}

/// What an outcome is worth under a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grade {
    /// The score before anything was taken off for lateness, on the scale of the policy.
    pub raw: Decimal,
    /// What was taken off.
    pub penalty: Decimal,
    /// What is left.
    pub score: Decimal,
    /// What could be earned.
    pub max: Decimal,
    /// When it was due, for this student.
    pub due: Option<Timestamp>,
    /// When it was handed in.
    pub submitted: Option<Timestamp>,
    /// How late it was; nothing if it was on time.
    pub late: Option<SignedDuration>,
    /// Why it may not count; nothing if it may.
    pub unofficial: Option<String>,
}

impl Policy {
    /// Reads a policy and the files that it names.
    ///
    /// # Errors
    /// If something in one of them is not understood: file, line and fix are named.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|error| Error::io(path, &error))?;
        let file: File = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(&text, span.start));
            at_line(
                path,
                line,
                error.message().trim(),
                "crates/grader/policy.example.toml shows every key",
            )
        })?;
        let beside = |name: &Path| path.parent().unwrap_or(Path::new("")).join(name);
        let people = file
            .roster
            .as_deref()
            .map(|name| tables::roster(&beside(name)))
            .transpose()?;
        let times = file
            .times
            .as_deref()
            .map(|name| tables::times(&beside(name)))
            .transpose()?;
        let policy = Self {
            path: path.to_path_buf(),
            file,
            people,
            times: times.unwrap_or_default(),
        };
        policy.see_that_it_makes_sense(&text)?;
        Ok(policy)
    }

    /// What cannot be said by the type of a key.
    fn see_that_it_makes_sense(&self, text: &str) -> Result<()> {
        let line = |key: &str| {
            let found = text
                .lines()
                .position(|line| line.trim_start().starts_with(key));
            found.map_or(1, |index| index as u64 + 1)
        };
        if self.file.score.decimals > 6 {
            return Err(at_line(
                &self.path,
                line("decimals"),
                "`decimals` is more than 6",
                "write a number from 0 to 6",
            ));
        }
        if self.file.least_sandbox == Tier::None {
            return Err(at_line(
                &self.path,
                line("least_sandbox"),
                "without a sandbox a submission can read the grader's secrets and change its results",
                "write \"user\", \"bubblewrap\" or \"container\"",
            ));
        }
        if let Some(late) = &self.file.late {
            if late.percent.is_some() == late.points.is_some() {
                return Err(at_line(
                    &self.path,
                    line("[late]"),
                    "it must say what lateness costs, once",
                    "write either `percent` or `points`",
                ));
            }
            for (key, number) in [
                ("percent", late.percent),
                ("floor_percent", late.floor_percent),
            ] {
                if number.is_some_and(|number| number.0 > Exact::from(100)) {
                    return Err(at_line(
                        &self.path,
                        line(key),
                        format!("`{key}` is more than 100"),
                        "write a number from 0 to 100",
                    ));
                }
            }
        }
        let mut seen = BTreeSet::new();
        for extension in &self.file.extension {
            let line = line_of(text, extension.span().start);
            let Extension {
                student, exercise, ..
            } = extension.get_ref();
            if let Some(exercise) = exercise
                && !self.file.due.contains_key(exercise)
            {
                return Err(at_line(
                    &self.path,
                    line,
                    format!("there is no due date for `{exercise}` that could be extended"),
                    "add one to [due]",
                ));
            }
            if !seen.insert((student, exercise)) {
                return Err(at_line(
                    &self.path,
                    line,
                    format!("`{student}` has another extension for the same"),
                    "leave one of the two out",
                ));
            }
        }
        Ok(())
    }

    /// The weakest sandbox whose outcomes count.
    pub fn least_sandbox(&self) -> Tier {
        self.file.least_sandbox
    }

    /// Who sees the checks on Gradescope.
    pub fn visibility(&self) -> Visibility {
        self.file.gradescope.visibility
    }

    /// The short name of the classroom on Classroom 50.
    pub fn classroom(&self) -> Option<&str> {
        self.file.classroom50.classroom.as_deref()
    }

    /// What an exercise is called on Classroom 50.
    pub fn assignment<'a>(&'a self, exercise: &'a str) -> &'a str {
        self.file
            .classroom50
            .assignments
            .get(exercise)
            .map_or(exercise, String::as_str)
    }

    /// A student as the gradebook knows them, if there is a roster.
    pub fn person(&self, student: &str) -> Option<&Person> {
        self.people.as_ref()?.get(student).map(|(person, _)| person)
    }

    /// The students of the roster.
    pub fn students(&self) -> impl Iterator<Item = &str> {
        self.people
            .iter()
            .flatten()
            .map(|(student, _)| student.as_str())
    }

    /// Sees that the policy and what was handed in speak of the same students and exercises.
    ///
    /// # Errors
    /// Each student or exercise that one has and the other lacks, with file, line and fix.
    pub fn check(&self, view: &View) -> Result<()> {
        let handed_in: BTreeSet<&str> = view
            .class
            .iter()
            .map(|entry| entry.student.as_str())
            .collect();
        let known = |student: &str| match &self.people {
            Some(people) => people.contains_key(student),
            None => handed_in.contains(student),
        };
        let mut errors = Vec::new();
        let roster = self.beside(self.file.roster.as_deref());
        for student in handed_in.iter().filter(|student| !known(student)) {
            errors.push(Error::file(
                &roster,
                format!("`{student}` has handed in and is not in it"),
                "add a line for them; the column `student` has the name under which they hand in",
            ));
        }
        let times = self.beside(self.file.times.as_deref());
        for ((student, _), submitted) in &self.times {
            if !known(student) {
                errors.push(at_line(
                    &times,
                    submitted.line,
                    format!("`{student}` is not known"),
                    "correct the name",
                ));
            }
        }
        for extension in &self.file.extension {
            let student = &extension.get_ref().student;
            if !known(student) {
                errors.push(Error::file(
                    &self.path,
                    format!("there is an extension for `{student}`, who is not known"),
                    "correct the name",
                ));
            }
        }
        for entry in &view.class {
            if self.file.late.is_some()
                && self.due(entry).is_some()
                && self.submitted(entry).is_none()
            {
                let file = if self.file.times.is_some() {
                    &times
                } else {
                    &self.path
                };
                errors.push(Error::file(
                    file,
                    format!(
                        "nothing says when {} handed in {}",
                        entry.student, entry.exercise
                    ),
                    "add a line to the file that `times` names",
                ));
            }
        }
        Error::all(errors)
    }

    fn beside(&self, name: Option<&Path>) -> PathBuf {
        self.path
            .parent()
            .unwrap_or(Path::new(""))
            .join(name.unwrap_or(Path::new("")))
    }

    /// When a submission is due: the student's extension for the exercise, or for all, or the due date.
    fn due(&self, entry: &Entry) -> Option<Timestamp> {
        let due = self.file.due.get(&entry.exercise)?;
        let extensions = || {
            let all = self.file.extension.iter().map(toml::Spanned::get_ref);
            all.filter(|extension| extension.student == entry.student)
        };
        let own =
            extensions().find(|extension| extension.exercise.as_ref() == Some(&entry.exercise));
        let all = || extensions().find(|extension| extension.exercise.is_none());
        // An extension for all exercises does not make one due earlier.
        Some(own.map_or_else(
            || all().map_or(due.0, |all| all.until.0.max(due.0)),
            |own| own.until.0,
        ))
    }

    fn submitted(&self, entry: &Entry) -> Option<Timestamp> {
        let key = (entry.student.clone(), entry.exercise.clone());
        self.times.get(&key).map(|submitted| submitted.at)
    }

    /// What the outcome of a submission is worth.
    pub fn grade(&self, entry: &Entry, outcome: &Outcome) -> Grade {
        let rubric = Exact::from(i128::from(outcome.max_points));
        let max = self
            .file
            .points
            .get(&entry.exercise)
            .map_or(rubric, |number| number.0);
        let earned = if outcome.max_points == 0 {
            Exact::from(0)
        } else {
            max * i128::from(outcome.points) / rubric
        };
        let (due, submitted) = (self.due(entry), self.submitted(entry));
        let late = due
            .zip(submitted)
            .map(|(due, submitted)| submitted.duration_since(due));
        let late = late.filter(|late| *late > SignedDuration::ZERO);
        let (late, left) = match (late, &self.file.late) {
            (Some(by), Some(late)) if by > SignedDuration::from_mins(late.grace_minutes.into()) => {
                (Some(by), late.left(by, earned, max))
            }
            (Some(_), Some(_)) => (None, earned),
            (late, _) => (late, earned),
        };
        let Score { decimals, rounding } = self.file.score;
        let raw = Decimal::round(earned, decimals, rounding);
        let score = Decimal::round(left, decimals, rounding);
        Grade {
            raw,
            penalty: raw.minus(score),
            score,
            max: Decimal::round(max, decimals, rounding),
            due,
            submitted,
            late,
            unofficial: self.unofficial(outcome),
        }
    }

    fn unofficial(&self, outcome: &Outcome) -> Option<String> {
        if outcome.sandbox < self.file.least_sandbox {
            Some(format!(
                "it was graded in the sandbox `{}`, and the policy asks for `{}` at least",
                tier(outcome.sandbox),
                tier(self.file.least_sandbox)
            ))
        } else if outcome.from.key.is_empty() {
            Some("it was graded without a course key, so that no hidden case was tried".to_owned())
        } else if !outcome.official {
            Some("it was graded under a policy by which it may not count; grade with --regrade under this one".to_owned())
        } else {
            None
        }
    }
}

impl Late {
    /// What is left of the points earned by a submission that is so late.
    fn left(&self, by: SignedDuration, earned: Exact, full: Exact) -> Exact {
        if self
            .cut_off_hours
            .is_some_and(|hours| by > SignedDuration::from_hours(hours.into()))
        {
            return Exact::from(0);
        }
        let period: i128 = match self.per {
            Per::Day => 24 * 60 * 60 * 1_000_000_000,
            Per::Hour => 60 * 60 * 1_000_000_000,
        };
        // Beyond a million of them nothing is left in any case, and the product stays small.
        let begun = ((by.as_nanos() + period - 1) / period).min(1_000_000);
        let each = match (self.points, self.percent) {
            (Some(points), _) => points.0,
            (None, Some(percent)) => {
                percent.0 / 100 * if self.of == Of::Full { full } else { earned }
            }
            (None, None) => Exact::from(0),
        };
        let floor = self
            .floor_percent
            .map_or(Exact::from(0), |percent| percent.0 / 100 * earned);
        (earned - each * begun).max(floor)
    }
}

/// A tier as a policy writes it.
pub(crate) fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::None => "none",
        Tier::User => "user",
        Tier::Bubblewrap => "bubblewrap",
        Tier::Container => "container",
    }
}

/// The number of the line at a position of a text.
fn line_of(text: &str, position: usize) -> u64 {
    text.bytes()
        .take(position)
        .filter(|&byte| byte == b'\n')
        .count() as u64
        + 1
}
