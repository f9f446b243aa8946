//! What every export reads: a submission with its outcome and its grade, or why there is none.

use crate::error::Result;
use crate::outcome::Outcome;
use crate::policy::{Grade, Person, Policy};
use crate::store::Entry;
use crate::view::View;

/// One submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Record<'a> {
    /// Who handed in what.
    pub entry: &'a Entry,
    /// The student as the gradebook knows them, if there is a roster.
    pub person: Option<&'a Person>,
    /// What it came to, or why that is not known: never a reason of the student's.
    pub graded: std::result::Result<Graded<'a>, String>,
}

/// An outcome and what it is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Graded<'a> {
    /// The outcome.
    pub outcome: &'a Outcome,
    /// How long it took, in seconds.
    pub seconds: Option<f64>,
    /// What it is worth.
    pub grade: Grade,
}

impl<'a> Record<'a> {
    /// The records of a store under a policy, by student and exercise.
    ///
    /// # Errors
    /// If the policy and the store speak of different students: see [`Policy::check`].
    pub fn all(view: &'a View, policy: &'a Policy) -> Result<Vec<Self>> {
        policy.check(view)?;
        Ok(view
            .class
            .iter()
            .map(|entry| Self::one(view, policy, entry))
            .collect())
    }

    fn one(view: &'a View, policy: &'a Policy, entry: &'a Entry) -> Self {
        let graded = match (view.outcomes.get(&entry.key), view.faults.get(&entry.key)) {
            (Some(outcome), _) => Ok(Graded {
                outcome,
                seconds: view.seconds.get(&entry.key).copied(),
                grade: policy.grade(entry, outcome),
            }),
            (None, Some(fault)) => Err(format!(
                "the grader failed, tries: {}: {}",
                fault.tries, fault.reason
            )),
            (None, None) => Err("it has not been graded yet".to_owned()),
        };
        Self {
            entry,
            person: policy.person(&entry.student),
            graded,
        }
    }
}
