use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as the reader knows it.
    pub path: PathBuf,
    /// The line, counted from 1, where that makes sense.
    pub line: Option<usize>,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything that is wrong with a chapter, a manifest or a run: never empty, shown one problem after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    problems: Vec<Problem>,
}

impl Error {
    /// What is wrong, in the order in which it was found.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(crate) fn at(
        path: &Path,
        line: impl Into<Option<usize>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            problems: vec![Problem {
                path: path.to_path_buf(),
                line: line.into(),
                message: message.into(),
            }],
        }
    }

    pub(crate) fn io(path: &Path, what: &str, error: &std::io::Error) -> Self {
        Self::at(path, None, format!("cannot {what}: {error}"))
    }

    /// `Ok` when there are no problems.
    pub(crate) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self { problems })
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
