//! What every export reads: a submission with its outcome and its grade, or why there is none.
//!
//! Text in a record is harmless wherever it is shown, but for the marks of the format itself, which each export escapes.

use std::fmt::Write as _;

use crate::error::Result;
use crate::log::sha256;
use crate::outcome::{Checked, Held, Outcome, Status};
use crate::plain::{line, plain};
use crate::policy::{Grade, Person, Policy};
use crate::store::Entry;
use crate::view::View;

/// How long a text of several lines may be.
const TEXT: usize = 4_000;

/// One submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Whose it is, as handed in, in one line.
    pub student: String,
    /// The permanent id of the exercise.
    pub exercise: String,
    /// The name of the outcome.
    pub key: String,
    /// Where it was found.
    pub place: String,
    /// Where the exports of this submission are kept below the folder of their format: one folder for each student.
    pub path: String,
    /// The student as the gradebook knows them, if there is a roster.
    pub person: Option<Person>,
    /// What it came to, or why that is not known: never a reason of the student's.
    pub graded: std::result::Result<Graded, String>,
}

/// An outcome and what it is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Graded {
    /// The outcome.
    pub outcome: Outcome,
    /// How long it took, in seconds.
    pub seconds: Option<f64>,
    /// What it is worth.
    pub grade: Grade,
}

impl Record {
    /// The records of a store under a policy, by student and exercise.
    ///
    /// # Errors
    /// If the policy and the store speak of different students: see [`Policy::check`].
    pub fn all(view: &View, policy: &Policy) -> Result<Vec<Self>> {
        policy.check(view)?;
        Ok(view
            .class
            .iter()
            .map(|entry| Self::one(view, policy, entry))
            .collect())
    }

    fn one(view: &View, policy: &Policy, entry: &Entry) -> Self {
        let graded = match (view.outcomes.get(&entry.key), view.faults.get(&entry.key)) {
            (Some(outcome), _) => Ok(Graded {
                outcome: harmless(outcome),
                seconds: view.seconds.get(&entry.key).copied(),
                grade: policy.grade(entry, outcome),
            }),
            (None, Some(fault)) => Err(line(&format!(
                "the grader failed, tries: {}: {}",
                fault.tries, fault.reason
            ))),
            (None, None) => Err("it has not been graded yet".to_owned()),
        };
        Self {
            student: line(&entry.student),
            exercise: line(&entry.exercise),
            key: entry.key.clone(),
            place: line(&entry.place),
            path: format!(
                "{}/{}.json",
                file_name(&entry.student),
                file_name(&entry.exercise)
            ),
            person: policy.person(&entry.student).map(|person| Person {
                last: line(&person.last),
                first: line(&person.first),
                email: line(&person.email),
                id: line(&person.id),
            }),
            graded,
        }
    }

    /// The name that the gradebook has for the student.
    pub fn gradebook_id(&self) -> &str {
        let id = self.person.as_ref().map_or("", |person| person.id.as_str());
        if id.is_empty() { &self.student } else { id }
    }
}

impl Graded {
    /// What the student is told about the submission as a whole, a paragraph each.
    pub fn remarks(&self) -> Vec<String> {
        let Self { outcome, grade, .. } = self;
        let mut remarks = outcome.remarks.clone();
        if outcome.status == Status::Refused && remarks.is_empty() {
            remarks.push("The files could not be graded.".to_owned());
        }
        if outcome.status == Status::DoesNotCompile && remarks.is_empty() {
            remarks.push("The code does not compile.".to_owned());
        }
        if let Some(why) = &grade.unofficial {
            remarks.push(format!("This score does not count: {why}."));
        }
        if grade.max.whole() != Some(outcome.max_points.into()) {
            remarks.push(format!(
                "The checks give {} of {} points, which count as {} of {}.",
                outcome.points, outcome.max_points, grade.raw, grade.max
            ));
        }
        if let Some(late) = grade.late {
            remarks.push(format!(
                "It was handed in {late:#} late: {} points are taken off, and {} of {} are left.",
                grade.penalty, grade.score, grade.max
            ));
        }
        remarks
    }
}

/// What the student is told about a check.
pub fn feedback(check: &Checked) -> String {
    // A message that explains a failure begins with what was asked.
    let told = check.message.starts_with("Asked: ");
    let mut lines = if told {
        Vec::new()
    } else {
        vec![check.asked.clone()]
    };
    if check.result == Held::NotTried {
        lines.push("It was not tried.".to_owned());
    }
    if !check.message.is_empty() {
        lines.push(check.message.clone());
    }
    if let Some(limit) = &check.limit {
        lines.push(format!("Limit reached: {limit}."));
    }
    if let Some(diagnosis) = &check.diagnosis {
        lines.push(format!("Diagnosis: {diagnosis}."));
    }
    lines.join("\n")
}

/// An outcome with its texts made harmless.
fn harmless(outcome: &Outcome) -> Outcome {
    let mut outcome = outcome.clone();
    outcome.exercise = line(&outcome.exercise);
    for remark in &mut outcome.remarks {
        *remark = plain(remark, TEXT);
    }
    outcome.remarks.retain(|remark| !remark.trim().is_empty());
    for check in &mut outcome.checks {
        check.name = line(&check.name);
        check.asked = line(&check.asked);
        check.message = plain(&check.message, TEXT);
        check.diagnosis = check
            .diagnosis
            .as_deref()
            .map(line)
            .filter(|text| !text.is_empty());
        check.limit = check
            .limit
            .as_deref()
            .map(line)
            .filter(|text| !text.is_empty());
    }
    outcome
}

/// A name as one of a file that no system reads as anything else, and different for different names.
fn file_name(name: &str) -> String {
    let mut safe = String::new();
    for (index, character) in name.chars().enumerate() {
        let kept = character.is_alphanumeric()
            || (matches!(character, '-' | '_' | '@' | '.') && index > 0);
        if kept {
            safe.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                let _ = write!(safe, "%{byte:02X}");
            }
        }
    }
    // File systems take 255 bytes. What is cut is told apart by the hash of the whole.
    if safe.len() > 150 {
        safe.truncate(safe.floor_char_boundary(100));
        safe.push('-');
        safe.push_str(&sha256(name.as_bytes())[..16]);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_file_name_leads_nowhere_else() {
        assert_eq!(file_name("Zoë-3"), "Zoë-3");
        assert_eq!(file_name("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd");
        assert_eq!(file_name("-rf"), "%2Drf");
        assert_eq!(file_name("a%2F\n"), "a%252F%0A");
        assert_eq!(file_name("C:\\x"), "C%3A%5Cx");
        let (a, b) = (file_name(&"😀".repeat(60)), file_name(&"😀".repeat(61)));
        assert!(a != b && a.len() < 150 && b.len() < 150);
    }
}
