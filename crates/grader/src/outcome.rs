//! What is known of a submission once it has been graded: plain data that every export reads.
//!
//! An outcome has no name and no time in it, so that two students who hand in the same bytes share one,
//! and so that the outcome of a class is the same bytes for one shard or fifty.

use serde::{Deserialize, Serialize};

/// The version of the outcome's form. A reader refuses one that it does not know.
pub const SCHEMA: &str = "moments/outcome/v1";

/// What grading one submission of one exercise came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// [`SCHEMA`].
    pub schema: String,
    /// The permanent id of the exercise, such as `ex07`.
    pub exercise: String,
    /// What the outcome follows from. The name of its file is the hash of this.
    pub from: From,
    /// The sandbox in which it was obtained.
    pub sandbox: Tier,
    /// Whether it may count: the sandbox is at least the policy's tier, and hidden cases were tried with a key.
    pub official: bool,
    /// How far grading came.
    pub status: Status,
    /// The points of all checks that hold.
    pub points: u32,
    /// The points of all checks.
    pub max_points: u32,
    /// Each check of the rubric, in its order. All of them are there, whatever the status.
    pub checks: Vec<Checked>,
    /// What the student is told about the submission as a whole, a paragraph each: why it could not be read or compiled, which limit it hit.
    pub remarks: Vec<String>,
}

/// What an outcome follows from, as hexadecimal SHA-256 where nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct From {
    /// The files of the submission that count: their paths and bytes.
    pub submission: String,
    /// The rubric's file.
    pub rubric: String,
    /// The course key: a hash of it that tells two keys apart and gives neither away. Empty where no key was used.
    pub key: String,
    /// What `rustc --version` prints, in words.
    pub toolchain: String,
    /// The grader: its version and the sources of the checks, in one hash.
    pub grader: String,
    /// The limits, in words, such as `cpu 5 s, memory 512 MB`.
    pub limits: String,
}

impl From {
    /// The name under which the outcome for an exercise is kept: 64 hexadecimal digits.
    pub fn key(&self, exercise: &str) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        let parts = [
            SCHEMA,
            exercise,
            &self.submission,
            &self.rubric,
            &self.key,
            &self.toolchain,
            &self.grader,
            &self.limits,
        ];
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hex(&hash.finalize())
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How strong the sandbox was, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// No sandbox: for a student's own machine. Never official.
    None,
    /// A separate user with resource limits in a root of its own.
    User,
    /// Bubblewrap: namespaces without a daemon.
    Bubblewrap,
    /// A container of podman or docker.
    Container,
}

/// How far grading came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was compiled and every check was tried.
    Graded,
    /// It does not compile; no check was tried.
    DoesNotCompile,
    /// It was not compiled: something about its files must be mended first.
    Refused,
}

/// One check of the rubric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// The name of the learner's test.
    pub name: String,
    /// What is asked, in one sentence.
    pub asked: String,
    /// Whether it holds on all cases, those of `cargo test` and the hidden ones.
    pub result: Held,
    /// The points that it earned: all of them or none.
    pub points: u32,
    /// The points that it can earn.
    pub max_points: u32,
    /// What went wrong, in the learner's terms; empty if nothing did. Plain text of several lines, without control characters,
    /// and without anything that the student's code has printed.
    pub message: String,
    /// The name of the mistake that the code behaves like, such as `no-correction`, if one is known.
    pub diagnosis: Option<String>,
    /// The limit that was hit while this check was tried, in words with its figure, such as `cpu time: 5 s`.
    pub limit: Option<String>,
}

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// It holds.
    Holds,
    /// It fails on a case of `cargo test`.
    FailsSeen,
    /// It holds on the cases of `cargo test` and fails on a hidden one.
    FailsHidden,
    /// It was not tried, because the code does not compile or was refused.
    NotTried,
}

impl Held {
    /// Whether the check earns its points.
    pub fn holds(self) -> bool {
        self == Self::Holds
    }
}

impl Outcome {
    /// The name under which it is kept: the hash of the exercise and of everything that it follows from.
    pub fn key(&self) -> String {
        self.from.key(&self.exercise)
    }

    /// The share of the points that were earned, from 0 to 1; 0 where the rubric gives none.
    pub fn share(&self) -> f64 {
        if self.max_points == 0 {
            0.0
        } else {
            f64::from(self.points) / f64::from(self.max_points)
        }
    }
}
