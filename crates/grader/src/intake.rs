//! What students hand in: folders, clones, archives and lone files become [`Submission`]s.

use std::path::PathBuf;

/// One student's files for one exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Whose it is: the name of the folder, the archive or the file that it came in. Never part of an outcome.
    pub student: String,
    /// The permanent id of the exercise, such as `ex07`.
    pub exercise: String,
    /// Where it was found, for messages.
    pub place: PathBuf,
    /// The files that count, or why they cannot be graded.
    pub files: Result<Files, Refusal>,
}

/// The files of a submission that count: `src/*.rs`, and modules in folders below `src`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// Path below `src` with `/`, such as `lib.rs`, and text; sorted by path. `lib.rs` is always there.
    pub sources: Vec<(String, String)>,
}

/// Why the files of a submission cannot be graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What a hash of the submission is made of, so that a rerun knows it again.
    pub hash: String,
    /// A sentence for the student that names the file and the fix.
    pub why: String,
}
