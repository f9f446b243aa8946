//! The kill matrix of each exercise as a table for its page: which check catches which mistake, and at which step.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use moments_chapters::{Stale, compare};
use moments_checks::{Exercise, exercises, kill_matrix};

const FOLDER: &str = "book/outputs/kills";

/// Writes the tables; gives back the files that changed, seen from the root.
pub(crate) fn write(root: &Path) -> Result<Vec<PathBuf>> {
    let mut changed = Vec::new();
    for (path, old, new) in tables(root)? {
        if old.as_deref() == Some(&new) {
            continue;
        }
        let file = root.join(&path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("Could not make {}", folder.display()))?;
        }
        fs::write(&file, new).with_context(|| format!("Could not write {}", file.display()))?;
        changed.push(path);
    }
    Ok(changed)
}

/// The tables that are not what the checks give now.
pub(crate) fn check(root: &Path) -> Result<Vec<Stale>> {
    let stale = tables(root)?.into_iter().filter_map(|(path, old, new)| {
        compare(path, old.as_deref(), Some(&new), "cargo course outputs")
    });
    Ok(stale.collect())
}

/// For each file its path, what it holds, and what it should hold.
fn tables(root: &Path) -> Result<Vec<(PathBuf, Option<String>, String)>> {
    let mut files = vec![("index.md".to_owned(), index(&crate::exercises::load(root)?))];
    for &exercise in exercises() {
        files.push((format!("{}.md", exercise.id), table(exercise)));
    }
    let one = |(name, new): (String, String)| {
        let path = Path::new(FOLDER).join(name);
        let old = match fs::read_to_string(root.join(&path)) {
            Ok(text) => Some(text.replace("\r\n", "\n")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(error).with_context(|| format!("Could not read {}", path.display()));
            }
        };
        Ok((path, old, new))
    };
    files.into_iter().map(one).collect()
}

/// The list of all exercises, in Markdown.
fn index(all: &[crate::exercises::Exercise]) -> String {
    let mut out = String::from(
        "| exercise | difficulty | minutes | after | checks | mistakes |\n|---|--:|--:|---|--:|--:|\n",
    );
    for entry in all {
        let known = exercises().iter().find(|known| known.id == entry.id);
        let (checks, mutants) = known.map_or((0, 0), |e| (e.checks.len(), e.mutants.len()));
        let _ = writeln!(
            out,
            "| [{} · {}](exercises/{}.html) | {} | {} | {} | {checks} | {mutants} |",
            entry.id,
            plain(&entry.title),
            entry.slug,
            entry.difficulty,
            entry.minutes,
            entry.after.join(", "),
        );
    }
    let sum = |count: fn(&Exercise) -> usize| exercises().iter().map(|e| count(e)).sum::<usize>();
    let minutes: u32 = all.iter().map(|entry| entry.minutes).sum();
    let _ = writeln!(
        out,
        "| all {} | | {minutes} | | {} | {} |",
        all.len(),
        sum(|exercise| exercise.checks.len()),
        sum(|exercise| exercise.mutants.len()),
    );
    out
}

/// The checks, and the table of mistakes against them, in Markdown.
fn table(exercise: &'static Exercise) -> String {
    let mut out = String::from("The checks, in the order in which they are run:\n\n");
    for (number, check) in exercise.checks.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", number + 1, plain(check.asked));
    }
    let _ = write!(
        out,
        "\nEach of these {} mistakes is made on purpose, by a small implementation, whenever the course is tested.\n\
         A number is the first step at which that check sees a difference; a dash means that the check cannot see it.\n\n\
         | mistake |",
        exercise.mutants.len()
    );
    for number in 1..=exercise.checks.len() {
        let _ = write!(out, " {number} |");
    }
    let _ = writeln!(out, "\n|---|{}", "--:|".repeat(exercise.checks.len()));
    for row in kill_matrix(exercise) {
        let section = row.mutant.read.rsplit_once('/').map_or_else(
            || format!("../{}", row.mutant.read),
            |(_, here)| here.to_owned(),
        );
        let _ = write!(
            out,
            "| [{}]({section}): {} |",
            row.mutant.name.replace('-', " "),
            plain(row.mutant.mistake)
        );
        for step in row.by {
            let _ = match step {
                Some(step) => write!(out, " {step} |"),
                None => write!(out, " – |"),
            };
        }
        out.push('\n');
    }
    out
}

/// A sentence as Markdown that shows it as it is, but for code between backticks.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut code = false;
    for c in text.chars() {
        code ^= c == '`';
        if c == '|' || !code && "\\*_{}[]<>$#~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_row_for_each_mistake_and_a_column_for_each_check() {
        for exercise in exercises() {
            let text = table(exercise);
            let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
            assert_eq!(rows.len(), exercise.mutants.len() + 2, "{}", exercise.slug);
            for row in rows {
                let bars = row.replace("\\|", "").matches('|').count();
                assert_eq!(bars, exercise.checks.len() + 2, "{row}");
            }
        }
    }

    #[test]
    fn a_sentence_is_shown_as_it_is() {
        assert_eq!(plain("|g|_2 * x"), "\\|g\\|\\_2 \\* x");
        assert_eq!(plain("`a[0]` and *"), "`a[0]` and \\*");
    }
}
