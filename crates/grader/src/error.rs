//! What stops the grader, told so that the reader knows what to do.

use std::fmt;
use std::io;
use std::path::Path;

/// A thing, what is wrong with it, and the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file, the student, the key: what it is about. With a line number where there is one.
    pub thing: String,
    /// What is wrong with it.
    pub wrong: String,
    /// What mends it.
    pub fix: String,
}

/// What may fail in this way.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error from its three parts.
    pub fn new(thing: impl Into<String>, wrong: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            thing: thing.into(),
            wrong: wrong.into(),
            fix: fix.into(),
        }
    }

    /// An error about a file.
    pub(crate) fn file(path: &Path, wrong: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(path.display().to_string(), wrong, fix)
    }

    /// A failed operation on a file.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        let fix = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space and run the same command again: what is there already is kept"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "choose a folder that you may write to"
            }
            _ => "mend that and run the same command again: what is there already is kept",
        };
        Self::file(path, error.to_string(), fix)
    }

    /// One error out of several, each on a line of its own, so that all can be mended at once.
    pub(crate) fn all(mut errors: Vec<Self>) -> Result<()> {
        if errors.len() < 2 {
            return errors.pop().map_or(Ok(()), Err);
        }
        let last = errors.pop().expect("there are two");
        let lines: Vec<String> = errors.iter().map(Self::to_string).collect();
        Err(Self {
            thing: format!("{}\n{}", lines.join("\n"), last.thing),
            ..last
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}.", self.thing, self.wrong, self.fix)
    }
}

impl std::error::Error for Error {}
