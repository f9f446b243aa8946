//! Classroom 50's `classroom50/result/v1`.

use jiff::Timestamp;
use serde::Serialize;

use super::text_of;
use crate::policy::Policy;
use crate::record::Record;

/// Which submission a result is of, as Classroom 50 knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The short name of the classroom.
    pub classroom: String,
    /// What the exercise is called there.
    pub assignment: String,
    /// The student's account.
    pub owner: String,
    /// The tag of the submission, which begins with `submit/`.
    pub submission: String,
    /// Where to see the commit.
    pub commit: String,
    /// Where to see the release.
    pub release: String,
    /// Where to see the review.
    pub review: String,
    /// When it was handed in.
    pub at: Timestamp,
}

impl Submitted {
    /// Out of the variables that Classroom 50's runner sets. `now` is the time of the result, which the runner sets anew.
    ///
    /// # Errors
    /// With the name of a variable that is not set.
    pub fn from_environment(
        owner: &str,
        now: Timestamp,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let set = |name: &str| {
            let value = variable(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| {
                format!("the variable {name} is not set, which Classroom 50's runner does")
            })
        };
        let commit = set("COMMIT_URL")?;
        Ok(Self {
            classroom: set("CLASSROOM")?,
            assignment: set("ASSIGNMENT")?,
            owner: owner.to_owned(),
            submission: set("SUBMISSION_TAG")?,
            release: set("RELEASE_URL")?,
            review: set("REVIEW_URL").unwrap_or_else(|_| commit.clone()),
            commit,
            at: now,
        })
    }

    /// For a folder of submissions: the classroom from the policy, the time from the file of times, and a tag that says as much.
    ///
    /// # Errors
    /// With what the policy lacks.
    pub fn of(record: &Record, policy: &Policy) -> Result<Self, String> {
        let classroom = policy
            .classroom()
            .ok_or("the policy has no `classroom` in [classroom50]")?;
        let graded = record.graded.as_ref().map_err(Clone::clone)?;
        let at = graded
            .grade
            .submitted
            .ok_or("the policy's file of `times` does not say when it was handed in")?;
        let tag = format!("submit/{}", at.strftime("%Y-%m-%dT%H-%M-%SZ"));
        Ok(Self {
            classroom: classroom.to_owned(),
            assignment: policy.assignment(&record.exercise).to_owned(),
            owner: record.student.clone(),
            commit: tag.clone(),
            release: tag.clone(),
            review: tag.clone(),
            submission: tag,
            at,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Output<'a> {
    schema: &'static str,
    classroom: &'a str,
    assignment: &'a str,
    #[serde(rename = "assignment_type")]
    assignment_type: &'static str,
    owner: &'a str,
    submission: &'a str,
    commit: &'a str,
    release: &'a str,
    review: &'a str,
    datetime: String,
    score: u64,
    max_score: u64,
    tests: Vec<Test<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Test<'a> {
    #[serde(rename = "test-name")]
    name: &'a str,
    passed: bool,
    score: u32,
    max_score: u32,
}

/// `result.json` for one submission. The form has whole points, no messages, and no key but its own.
///
/// # Errors
/// With the reason if there is no outcome, or its score is not whole.
pub fn classroom50(record: &Record, submitted: &Submitted) -> Result<String, String> {
    let graded = record.graded.as_ref().map_err(Clone::clone)?;
    let whole = |what: &str, decimal: crate::policy::Decimal| {
        decimal.whole().ok_or_else(|| {
            format!("the {what} is {decimal}, and Classroom 50 takes whole points: set `decimals = 0` in the policy")
        })
    };
    Ok(text_of(&Output {
        schema: "classroom50/result/v1",
        classroom: &submitted.classroom,
        assignment: &submitted.assignment,
        assignment_type: "individual",
        owner: &submitted.owner,
        submission: &submitted.submission,
        commit: &submitted.commit,
        release: &submitted.release,
        review: &submitted.review,
        datetime: submitted.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        score: whole("score", graded.grade.score)?,
        max_score: whole("full score", graded.grade.max)?,
        tests: (graded.outcome.checks.iter())
            .map(|check| Test {
                name: &check.name,
                passed: check.result.holds(),
                score: check.points,
                max_score: check.max_points,
            })
            .collect(),
    }))
}
