use similar::TextDiff;
use std::fmt::{self, Write as _};
use std::path::PathBuf;

/// A generated file that is not what its source now gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The committed file, seen from the root of the clone.
    pub path: PathBuf,
    /// A unified diff from what is committed to what should be.
    pub diff: String,
    /// The command that writes it anew.
    pub fix: String,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} is stale; run `{}`", self.path.display(), self.fix)?;
        f.write_str(&self.diff)
    }
}

/// Compares what is committed (`None`: no such file) with what should be (`None`: there should be none).
pub fn compare(path: PathBuf, old: Option<&str>, new: Option<&str>, fix: &str) -> Option<Stale> {
    if old == new {
        return None;
    }
    let name = path.display().to_string();
    let from = if old.is_some() {
        format!("{name} (committed)")
    } else {
        "(no file)".into()
    };
    let to = if new.is_some() {
        format!("{name} (generated now)")
    } else {
        "(no file)".into()
    };
    let diff = TextDiff::from_lines(old.unwrap_or_default(), new.unwrap_or_default());
    let diff = diff
        .unified_diff()
        .context_radius(2)
        .header(&from, &to)
        .to_string();
    Some(Stale {
        path,
        diff: shorten(&diff),
        fix: fix.to_owned(),
    })
}

/// Figures have lines of many thousand characters; a reader needs the beginning, and a terminal needs mercy.
fn shorten(diff: &str) -> String {
    const LINE: usize = 240;
    const LINES: usize = 200;
    let mut out = String::new();
    for (i, line) in diff.lines().enumerate() {
        if i == LINES {
            let _ = writeln!(out, "... and {} more lines", diff.lines().count() - LINES);
            break;
        }
        let mut chars = line.chars();
        out.extend(chars.by_ref().take(LINE));
        if chars.next().is_some() {
            out.push_str(" ...");
        }
        out.push('\n');
    }
    out
}
