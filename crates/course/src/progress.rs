//! What a learner has done: `.course/progress.json`, keyed on the permanent ids of the exercises.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::exercises::Exercise;
use crate::files;

/// What is remembered of one exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    /// How many tiers of hints have been shown.
    pub(crate) hints: usize,
    /// Whether it has passed at any time.
    pub(crate) passed_once: bool,
    /// The last verdict, and the fingerprint of the files that it was about.
    pub(crate) verdict: Option<Verdict>,
}

/// A verdict on particular files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) fingerprint: String,
    pub(crate) passed: bool,
}

/// The file of progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

impl Progress {
    /// Reads the progress of the clone at `root`. A file that cannot be read is set aside and not overwritten.
    pub(crate) fn load(root: &Path) -> Self {
        let path = root.join(".course/progress.json");
        let entries = match fs::read_to_string(&path) {
            Err(_) => BTreeMap::new(),
            Ok(text) => serde_json::from_str(&text).unwrap_or_else(|error| {
                let aside = path.with_extension("json.unreadable");
                eprintln!(
                    "{} could not be read ({error}). It is now {}, and progress is found again by testing.",
                    path.display(),
                    aside.display()
                );
                let _ = fs::rename(&path, aside);
                BTreeMap::new()
            }),
        };
        Self { path, entries }
    }

    /// What is remembered of an exercise.
    pub(crate) fn entry(&self, id: &str) -> Entry {
        self.entries.get(id).cloned().unwrap_or_default()
    }

    /// The verdict on exactly these files, if there is one.
    pub(crate) fn verdict(&self, id: &str, fingerprint: &str) -> Option<bool> {
        let verdict = self.entries.get(id)?.verdict.as_ref()?;
        (verdict.fingerprint == fingerprint).then_some(verdict.passed)
    }

    /// Remembers a verdict.
    pub(crate) fn record(&mut self, id: &str, fingerprint: String, passed: bool) {
        let entry = self.entries.entry(id.to_owned()).or_default();
        entry.passed_once |= passed;
        entry.verdict = Some(Verdict {
            fingerprint,
            passed,
        });
    }

    /// Remembers how many tiers of hints have been shown.
    pub(crate) fn set_hints(&mut self, id: &str, shown: usize) {
        self.entries.entry(id.to_owned()).or_default().hints = shown;
    }

    /// Changes what is remembered, while no other command does, and gives back how it is now. A place that cannot be written
    /// to is told and no more: what was asked for has been done, and only the memory of it is missing.
    pub(crate) fn change(root: &Path, change: impl FnOnce(&mut Self)) -> Self {
        let _lock = lock(root);
        let mut progress = Self::load(root);
        change(&mut progress);
        if let Err(error) = progress.save() {
            eprintln!("This was not remembered. {error:#}");
        }
        progress
    }

    /// Writes the file, whole or not at all.
    fn save(&self) -> Result<()> {
        let failed = || {
            format!(
                "Could not write {}. Is the disk full, or the folder read-only?",
                self.path.display()
            )
        };
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).with_context(failed)?;
        }
        let text = serde_json::to_string_pretty(&self.entries).with_context(failed)?;
        files::replace(&self.path, (text + "\n").as_bytes()).with_context(failed)
    }
}

/// The lock that a command holds while it changes the file: a watch in one terminal and a hint in another both do. Where
/// there are no locks it goes without.
fn lock(root: &Path) -> Option<File> {
    let folder = root.join(".course");
    fs::create_dir_all(&folder).ok()?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("progress.lock"))
        .ok()?;
    file.lock().ok()?;
    Some(file)
}

/// A fingerprint of everything that the verdict on an exercise depends on: its own files, and the checks.
pub(crate) fn fingerprint(exercise: &Exercise, root: &Path) -> String {
    let mut files = own_files(exercise, root);
    for folder in ["crates/checks/src", "crates/checks/golden"] {
        list(&root.join(folder), &mut files);
    }
    print(&files, root)
}

/// A fingerprint of the exercise's own files.
pub(crate) fn own_fingerprint(exercise: &Exercise, root: &Path) -> String {
    print(&own_files(exercise, root), root)
}

/// The files of an exercise that its verdict depends on, in order. What an editor keeps beside them does not count, nor does
/// what `cargo course reset` has kept.
pub(crate) fn own_files(exercise: &Exercise, root: &Path) -> Vec<PathBuf> {
    let folder = exercise.folder(root);
    let mut files = Vec::new();
    list(&folder.join("src"), &mut files);
    list(&folder.join("tests"), &mut files);
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && name.ends_with(".rs") && !crate::starter::is_kept(&name)
    });
    files.push(folder.join("Cargo.toml"));
    files.sort();
    files
}

fn print(files: &[PathBuf], root: &Path) -> String {
    let mut hash = Fnv::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(file);
        hash.add(name.to_string_lossy().as_bytes());
        hash.add(&fs::read(file).unwrap_or_default());
    }
    hash.hex()
}

/// Adds every file in a folder and below it.
pub(crate) fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// The 64-bit hash of Fowler, Noll and Vo (1a): the same on every machine and in every release, which the standard
/// library's hasher does not promise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a piece, and its length, so that the pieces `ab`, `c` differ from `a`, `bc`.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.raw(bytes);
        self.raw(&(bytes.len() as u64).to_le_bytes());
    }

    fn raw(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn hex(self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercises::tests::exercise;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("moments-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn the_hash_is_the_published_one() {
        let mut hash = Fnv::new();
        hash.raw(b"foobar");
        assert_eq!(hash.hex(), "85944171f73967e8");
    }

    #[test]
    fn a_verdict_holds_only_for_the_files_it_was_about() {
        let root = folder("verdict");
        Progress::change(&root, |progress| {
            progress.record("ex07", "a".to_owned(), true);
        });
        Progress::change(&root, |progress| {
            progress.record("ex07", "b".to_owned(), false);
        });
        let progress = Progress::load(&root);
        assert_eq!(progress.verdict("ex07", "a"), None);
        assert_eq!(progress.verdict("ex07", "b"), Some(false));
        assert!(progress.entry("ex07").passed_once);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_fingerprint_changes_with_the_learners_file_and_with_the_checks() {
        let root = folder("fingerprint");
        let exercise = exercise("ex07", &[]);
        let mut seen = vec![fingerprint(&exercise, &root)];
        for file in [
            "exercises/ex07-adam/src/lib.rs",
            "crates/checks/src/lib.rs",
            "crates/checks/golden/a.csv",
        ] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
            let now = fingerprint(&exercise, &root);
            assert!(!seen.contains(&now), "{file}");
            seen.push(now);
        }
        // What editors and `reset` leave beside it is no part of it.
        for file in [".lib.rs.swp", "lib.rs~", "lib.old-1.rs"] {
            fs::write(exercise.folder(&root).join("src").join(file), "y").unwrap();
        }
        assert_eq!(Some(&fingerprint(&exercise, &root)), seen.last());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn an_unreadable_file_is_kept_beside_the_new_one() {
        let root = folder("unreadable");
        fs::create_dir_all(root.join(".course")).unwrap();
        fs::write(root.join(".course/progress.json"), "{ half").unwrap();
        let progress = Progress::load(&root);
        assert_eq!(progress.entry("ex07"), Entry::default());
        let aside = fs::read_to_string(root.join(".course/progress.json.unreadable")).unwrap();
        assert_eq!(aside, "{ half");
        fs::remove_dir_all(root).unwrap();
    }
}
