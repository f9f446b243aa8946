//! The manifest of exercises, and the section of a chapter that lists them.

use crate::{Error, Layout};
use serde::Deserialize;
use std::fmt::Write as _;
use std::fs;

/// An exercise, as `exercises/exercises.toml` has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Exercise {
    /// The permanent id, `ex07`.
    pub id: String,
    /// The directory and the crate, `ex07-adam`.
    pub slug: String,
    /// What it is called.
    pub title: String,
    /// The slug of the chapter that it belongs to, if that is written.
    #[serde(default)]
    pub chapter: Option<String>,
    /// From 1 to 5.
    pub difficulty: u8,
    /// How long it takes, roughly.
    pub minutes: u32,
    /// The ids of the exercises that come before it.
    #[serde(default)]
    pub after: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    exercise: Vec<Exercise>,
}

/// Reads `exercises/exercises.toml`; no exercises when there is no such file.
///
/// # Errors
/// When the file cannot be read or an entry is incomplete.
pub fn load(layout: &Layout) -> Result<Vec<Exercise>, Error> {
    let path = layout.root().join("exercises/exercises.toml");
    let name = layout.relative(&path);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io(&name, "read the manifest", &e)),
    };
    let manifest: Manifest = toml::from_str(&text).map_err(|e| {
        let line = e
            .span()
            .map(|s| text[..s.start.min(text.len())].matches('\n').count() + 1);
        Error::at(&name, line, e.message())
    })?;
    Ok(manifest.exercise)
}

/// The exercises of one chapter.
pub(crate) fn of_chapter(layout: &Layout, slug: &str) -> Result<Vec<Exercise>, Error> {
    Ok(load(layout)?
        .into_iter()
        .filter(|e| e.chapter.as_deref() == Some(slug))
        .collect())
}

/// The section that lists a chapter's exercises, in Markdown; empty when there are none.
pub(crate) fn section(exercises: &[Exercise]) -> String {
    if exercises.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "## Exercises\n\nEach exercise is a small crate: edit its `src/lib.rs` until its tests pass. Run the commands in a terminal, anywhere inside the course.\n\n",
    );
    for exercise in exercises {
        let Exercise {
            id,
            slug,
            title,
            difficulty,
            minutes,
            after,
            ..
        } = exercise;
        let _ = write!(
            out,
            "- **{id} · {title}**, difficulty {difficulty} of 5, about {minutes} minutes"
        );
        if !after.is_empty() {
            let _ = write!(out, ", after {}", after.join(" and "));
        }
        let _ = writeln!(
            out,
            ".\n  Edit `exercises/{slug}/src/lib.rs`, then run `cargo course test {id}`.\n  Stuck? `cargo course hint {id}`."
        );
    }
    out
}

/// Puts the section where the course wants it: before the references, else at the end.
pub(crate) fn place(markdown: &str, section: &str) -> String {
    if section.is_empty() {
        return markdown.to_owned();
    }
    let mut at = 0;
    let mut fence: Option<(char, usize)> = None;
    for line in markdown.split_inclusive('\n') {
        match fence {
            Some((mark, length)) if crate::span::closes(line, mark, length) => fence = None,
            Some(_) => {}
            None => {
                if let Some((mark, length, _)) = crate::span::fence(line) {
                    fence = Some((mark, length));
                } else if line.starts_with("## References") {
                    return format!("{}{section}\n{}", &markdown[..at], &markdown[at..]);
                }
            }
        }
        at += line.len();
    }
    format!("{}\n\n{section}", markdown.trim_end())
}

#[cfg(test)]
mod tests {
    use super::{Exercise, place, section};

    #[test]
    fn exercises_come_before_the_references() {
        let exercise = Exercise {
            id: "ex07".into(),
            slug: "ex07-adam".into(),
            title: "Adam".into(),
            chapter: Some("04-adam".into()),
            difficulty: 3,
            minutes: 30,
            after: vec!["ex06".into()],
        };
        let section = section(&[exercise]);
        let page = place(
            "# T\n\n```\n## References\n```\n\n## References\n\nx\n",
            &section,
        );
        let exercises = page.find("## Exercises").unwrap();
        assert!(exercises < page.rfind("## References").unwrap());
        assert!(exercises > page.find("## References").unwrap());
        assert!(page.contains("`cargo course test ex07`"));
        assert!(place("# T\n", &section).contains("# T\n\n## Exercises"));
    }
}
