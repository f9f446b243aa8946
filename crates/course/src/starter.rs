//! The starters, and `cargo course reset`.
//!
//! The course keeps its own copy of every starter, `crates/course/starters/<id>.rs`: git knows what a file was at some commit,
//! but not which commit is the learner's, and an unpacked archive has no git at all. Tidy holds the copies and the exercises
//! together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::exercises::{self, Exercise};
use crate::files;
use crate::ui;

/// Where the copy of a starter is, as seen from the root, with forward slashes.
pub(crate) fn copy(id: &str) -> String {
    format!("crates/course/starters/{id}.rs")
}

/// The name under which `reset` keeps a file.
fn kept(stem: &str, number: u32) -> String {
    format!("{stem}.old-{number}.rs")
}

/// Whether `reset` has kept a file under this name.
pub(crate) fn is_kept(name: &str) -> bool {
    name.strip_suffix(".rs")
        .and_then(|name| name.rsplit_once(".old-"))
        .is_some_and(|(_, number)| number.parse::<u32>().is_ok())
}

/// `cargo course reset`.
pub(crate) fn reset(root: &Path, name: Option<&str>) -> Result<ExitCode> {
    let all = exercises::load(root)?;
    let exercise = exercises::chosen(&all, name, root)?;
    let slug = &exercise.slug;
    match restore(exercise, root)? {
        Reset::Nothing => ui::say(&format!(
            "{} is the starter already; nothing was changed.",
            exercise.file()
        )),
        Reset::Made => ui::say(&format!(
            "{} was missing; it is the starter.",
            exercise.file()
        )),
        Reset::Kept(path) => {
            let kept = path.file_name().unwrap_or_default().to_string_lossy();
            ui::say(&format!(
                "{} is the starter again.\nYours is kept: exercises/{slug}/src/{kept}",
                exercise.file()
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What a reset did.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reset {
    /// The starter was there.
    Nothing,
    /// There was no file.
    Made,
    /// The learner's file is now here.
    Kept(PathBuf),
}

fn restore(exercise: &Exercise, root: &Path) -> Result<Reset> {
    let copy = root.join(copy(&exercise.id));
    let starter = fs::read(&copy).with_context(|| {
        format!(
            "Could not read {}, the course's copy of the starter. Restore it with `git checkout -- {}`",
            copy.display(),
            self::copy(&exercise.id)
        )
    })?;
    let path = root.join(exercise.file());
    let folder = exercise.folder(root).join("src");
    let failed = || {
        format!(
            "Could not write into {}; nothing was changed. Is the disk full, or the folder read-only?",
            folder.display()
        )
    };
    let yours = match fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(error).with_context(|| format!("Could not read {}", path.display()));
        }
    };
    let Some(yours) = yours else {
        fs::create_dir_all(&folder).with_context(failed)?;
        files::replace(&path, &starter).with_context(failed)?;
        return Ok(Reset::Made);
    };
    if same(&yours, &starter) {
        return Ok(Reset::Nothing);
    }
    // First the copy of the learner's file, whole and on the disk; then the starter.
    let kept = keep(&path, &yours).with_context(failed)?;
    if let Err(error) = files::replace(&path, &starter) {
        let _ = fs::remove_file(&kept);
        return Err(error).with_context(failed);
    }
    Ok(Reset::Kept(kept))
}

/// Keeps bytes beside a file, under a name that is free.
pub(crate) fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(path);
    files::write_beside(folder, |number| kept(&stem, number), bytes)
}

/// Whether two texts are the same, whatever ends their lines: git may write them otherwise on Windows.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    unix(a) == unix(b)
}

/// The text with the line ends of Unix.
pub(crate) fn unix(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(at + 1) != Some(&b'\n') {
            out.push(*byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercises::tests::exercise;
    use crate::files::tests::Folder;

    fn clone(name: &str) -> (Folder, Exercise) {
        let folder = Folder::new(name);
        folder.write("crates/course/starters/ex07.rs", "todo\n");
        folder.write("exercises/ex07-adam/src/lib.rs", "todo\n");
        (folder, exercise("ex07", &[]))
    }

    #[test]
    fn a_reset_keeps_every_earlier_file_beside_the_starter() {
        let (folder, exercise) = clone("reset");
        let src = folder.0.join("exercises/ex07-adam/src");
        assert_eq!(restore(&exercise, &folder.0).unwrap(), Reset::Nothing);
        for (text, name) in [("one", "lib.old-1.rs"), ("two", "lib.old-2.rs")] {
            folder.write("exercises/ex07-adam/src/lib.rs", text);
            let reset = restore(&exercise, &folder.0).unwrap();
            assert_eq!(reset, Reset::Kept(src.join(name)));
        }
        assert_eq!(folder.read("exercises/ex07-adam/src/lib.rs"), "todo\n");
        assert_eq!(folder.read("exercises/ex07-adam/src/lib.old-1.rs"), "one");
        assert_eq!(folder.read("exercises/ex07-adam/src/lib.old-2.rs"), "two");
    }

    #[test]
    fn a_missing_file_is_made_anew() {
        let (folder, exercise) = clone("reset-missing");
        fs::remove_dir_all(folder.0.join("exercises")).unwrap();
        assert_eq!(restore(&exercise, &folder.0).unwrap(), Reset::Made);
        assert_eq!(folder.read("exercises/ex07-adam/src/lib.rs"), "todo\n");
    }

    #[test]
    fn without_the_starter_nothing_is_changed() {
        let (folder, exercise) = clone("reset-none");
        folder.write("exercises/ex07-adam/src/lib.rs", "mine");
        fs::remove_file(folder.0.join("crates/course/starters/ex07.rs")).unwrap();
        let error = format!("{:#}", restore(&exercise, &folder.0).unwrap_err());
        assert!(
            error.contains("git checkout -- crates/course/starters/ex07.rs"),
            "{error}"
        );
        assert_eq!(folder.read("exercises/ex07-adam/src/lib.rs"), "mine");
    }

    #[test]
    fn only_names_that_reset_gives_are_kept_ones() {
        assert!(is_kept(&kept("lib", 12)));
        for name in [
            "lib.rs",
            "old-1.rs",
            "lib.old-.rs",
            "lib.old-1",
            "lib.old-x.rs",
        ] {
            assert!(!is_kept(name), "{name}");
        }
    }

    #[test]
    fn line_ends_make_no_difference() {
        assert!(same(b"a\r\nb\r\n", b"a\nb\n"));
        assert!(!same(b"a\rb", b"ab"));
    }
}
