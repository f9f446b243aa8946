//! Folds the folders of several graders into one: the same bytes for one shard or fifty, in whatever order, once or twice.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::path::{Component, Path, PathBuf};

use crate::atomic::{self, Staged};
use crate::error::{Error, Result};
use crate::log::{self, Event};
use crate::store::{self, Entry, FAULTS, Fault, HISTORY, LOGS, OUTCOMES, Store, TIMES, Took};

/// What a merge came to: what is in the folder now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// How many outcomes there are.
    pub outcomes: usize,
    /// How many of them came with this merge.
    pub new: usize,
    /// How many submissions have a fault and no outcome.
    pub faults: usize,
    /// How many submissions there are in the class.
    pub class: usize,
}

/// A folder to fold in, as far as it is kept in memory.
struct Shard {
    dir: PathBuf,
    outcomes: BTreeMap<String, String>,
    class: Vec<Entry>,
}

/// Folds `from` into `into`, with what `into` has already. The folders of `from` are only read.
/// The log of each is kept under its name in `into/logs`.
///
/// # Errors
/// If a file is bad, a shard is still being graded, or two shards contradict each other, which names both.
/// Nothing has been changed then. Killed at any time, it can be run again.
pub fn merge(into: &Path, from: &[PathBuf]) -> Result<Merged> {
    let store = Store::open(into)?;
    let mut shards = vec![read_shard(into)?];
    for dir in from {
        if same(dir, into) {
            return Err(Error::file(
                dir,
                "it is the folder to merge into",
                "leave it out: what it has is kept",
            ));
        }
        see_that_it_is_done(dir)?;
        shards.push(read_shard(dir)?);
    }
    let chosen = choose(&shards)?;
    let class = fold_class(&shards)?;
    let logs = name_logs(into, from)?;

    for shard in &shards[1..] {
        copy_new(&shard.dir.join(HISTORY), &into.join(HISTORY))?;
    }
    let mut kept = store.kept();
    let mut new = Vec::new();
    for (key, (hash, shard)) in &chosen {
        fold_time(into, key, &shards)?;
        if kept.outcomes.get(*key) != Some(hash) {
            let path = store::file(&shard.dir, OUTCOMES, key);
            let bytes = fs::read(&path).map_err(|error| Error::io(&path, &error))?;
            if let Some(old) = kept.outcomes.get(*key) {
                let old = old.clone();
                store::to_history(into, key, &old)?;
            }
            Staged::write(&store::file(into, OUTCOMES, key), &bytes)?.rename()?;
            new.push((Event::Merged, *key, hash.as_str()));
        }
    }
    for folder in [OUTCOMES, TIMES] {
        let path = into.join(folder);
        atomic::sync_folder(&path.join("any")).map_err(|error| Error::io(&path, &error))?;
    }
    kept.log.append(&new)?;
    kept.outcomes = chosen
        .iter()
        .map(|(key, (hash, _))| ((*key).to_owned(), hash.clone()))
        .collect();
    let faults = fold_faults(into, &shards, &kept.outcomes)?;
    for (path, bytes) in &logs {
        atomic::write(path, bytes)?;
    }
    let count = class.len();
    store::write_class(into, class)?;
    Ok(Merged {
        outcomes: kept.outcomes.len(),
        new: new.len(),
        faults,
        class: count,
    })
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Sees that a folder is one of a grader, and that none works in it.
fn see_that_it_is_done(dir: &Path) -> Result<()> {
    if !dir.join(OUTCOMES).is_dir() {
        return Err(Error::file(
            dir,
            "it has no `outcomes`, so it is not a folder of the grader",
            "give the folder that followed --out",
        ));
    }
    // Where there is no lock file, or no lock can be had, the folder is a copy.
    let locked = File::open(dir.join("lock")).map(|file| file.try_lock_shared());
    match locked {
        Ok(Err(TryLockError::WouldBlock)) => Err(Error::file(
            dir,
            "a grader is still working in it",
            "wait until it has ended",
        )),
        _ => Ok(()),
    }
}

fn read_shard(dir: &Path) -> Result<Shard> {
    Ok(Shard {
        dir: dir.to_path_buf(),
        outcomes: store::checked_hashes(dir)?,
        class: store::read_class(dir)?,
    })
}

/// For each name the outcome that counts: its hash and a shard that has it.
/// Where shards differ, an outcome that one of them has replaced by `--regrade` gives way.
fn choose(shards: &[Shard]) -> Result<BTreeMap<&str, (String, &Shard)>> {
    let mut chosen = BTreeMap::new();
    let mut errors = Vec::new();
    let keys: BTreeSet<&str> = shards
        .iter()
        .flat_map(|shard| shard.outcomes.keys())
        .map(String::as_str)
        .collect();
    for key in keys {
        let mut candidates: BTreeMap<&str, &Shard> = BTreeMap::new();
        for shard in shards {
            if let Some(hash) = shard.outcomes.get(key) {
                candidates.entry(hash).or_insert(shard);
            }
        }
        if candidates.len() > 1 {
            candidates.retain(|hash, _| {
                !shards
                    .iter()
                    .any(|shard| store::history(&shard.dir, key, hash).exists())
            });
        }
        let paths: Vec<String> = (shards
            .iter()
            .filter(|shard| shard.outcomes.contains_key(key)))
        .map(|shard| store::file(&shard.dir, OUTCOMES, key).display().to_string())
        .collect();
        match candidates.pop_first() {
            Some((hash, shard)) if candidates.is_empty() => {
                _ = chosen.insert(key, (hash.to_owned(), shard));
            }
            _ => errors.push(Error::new(
                paths.join(" and "),
                "these are different outcomes of the same files",
                "look at them, move away the one that is wrong, and merge again",
            )),
        }
    }
    Error::all(errors)?;
    Ok(chosen)
}

/// The class of all shards together.
fn fold_class(shards: &[Shard]) -> Result<Vec<Entry>> {
    let mut class: BTreeMap<(&str, &str), (&Entry, &Shard)> = BTreeMap::new();
    let mut errors = Vec::new();
    for shard in shards {
        for entry in &shard.class {
            let name = (entry.student.as_str(), entry.exercise.as_str());
            match class.get(&name) {
                Some((other, its)) if other.key != entry.key => errors.push(Error::new(
                    format!("{} and {}", its.dir.display(), shard.dir.display()),
                    format!(
                        "{} handed in {} twice, as {} and as {}",
                        entry.student, entry.exercise, other.place, entry.place
                    ),
                    "leave one of the two out and grade that shard again; for newer submissions merge into an empty folder",
                )),
                Some((other, _)) if other.place <= entry.place => {}
                _ => _ = class.insert(name, (entry, shard)),
            }
        }
    }
    Error::all(errors)?;
    Ok(class.values().map(|(entry, _)| (*entry).clone()).collect())
}

/// The time of an outcome is the longest that a shard has.
fn fold_time(into: &Path, key: &str, shards: &[Shard]) -> Result<()> {
    let mut longest: Option<(f64, Vec<u8>, &Path)> = None;
    for shard in shards {
        let path = store::file(&shard.dir, TIMES, key);
        if let Some(bytes) = atomic::read(&path)? {
            let Took { seconds } = store::parse(&path, &bytes)?;
            if longest.as_ref().is_none_or(|(most, ..)| seconds > *most) {
                longest = Some((seconds, bytes, &shard.dir));
            }
        }
    }
    match longest {
        Some((_, bytes, dir)) if dir != into => {
            Staged::write(&store::file(into, TIMES, key), &bytes)?.rename()
        }
        _ => Ok(()),
    }
}

/// Keeps the faults of names that have no outcome. How many there are.
fn fold_faults(
    into: &Path,
    shards: &[Shard],
    outcomes: &BTreeMap<String, String>,
) -> Result<usize> {
    let mut faults: BTreeMap<String, Fault> = BTreeMap::new();
    for shard in shards {
        for key in store::keys(&shard.dir.join(FAULTS))? {
            let path = store::file(&shard.dir, FAULTS, &key);
            let Some(bytes) = atomic::read(&path)? else {
                continue;
            };
            let fault: Fault = store::parse(&path, &bytes)?;
            let rank = |fault: &Fault| (fault.tries, fault.reason.clone());
            if faults
                .get(&key)
                .is_none_or(|other| rank(&fault) > rank(other))
            {
                faults.insert(key, fault);
            }
        }
    }
    for key in faults.keys().filter(|key| outcomes.contains_key(*key)) {
        store::forgive(into, key)?;
    }
    faults.retain(|key, _| !outcomes.contains_key(key));
    for (key, fault) in &faults {
        atomic::write(&store::file(into, FAULTS, key), &store::json(fault))?;
    }
    Ok(faults.len())
}

/// Copies the files of a folder that another does not have. Their names follow from their bytes.
fn copy_new(from: &Path, to: &Path) -> Result<()> {
    for name in atomic::names(from)? {
        if !name.starts_with('.') && !to.join(&name).exists() {
            let path = from.join(&name);
            let bytes = fs::read(&path).map_err(|error| Error::io(&path, &error))?;
            atomic::write(&to.join(&name), &bytes)?;
        }
    }
    Ok(())
}

/// Where the log of each shard is kept, and its bytes. A shard that was merged from others brings theirs.
fn name_logs(into: &Path, from: &[PathBuf]) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut logs = BTreeMap::new();
    for dir in from {
        let last = dir.file_name();
        let alone = from
            .iter()
            .filter(|other| other.file_name() == last)
            .count()
            == 1;
        let name = match last {
            Some(name) if alone => name.to_string_lossy().into_owned(),
            _ => whole_name(dir),
        };
        let mut of_this = vec![(name + ".jsonl", dir.join(log::FILE))];
        for name in atomic::names(&dir.join(LOGS))? {
            let path = dir.join(LOGS).join(&name);
            of_this.push((name, path));
        }
        for (name, path) in of_this {
            let Some(bytes) = atomic::read(&path)? else {
                continue;
            };
            let target = into.join(LOGS).join(name);
            let before = match logs.get(&target) {
                Some(bytes) => Some(Vec::clone(bytes)),
                None => atomic::read(&target)?,
            };
            match before {
                // A log only ever grows, so that the longer of two is the newer.
                Some(before) if before.starts_with(&bytes) => _ = logs.insert(target, before),
                Some(before) if !bytes.starts_with(&before) => {
                    return Err(Error::new(
                        format!("{} and {}", path.display(), target.display()),
                        "these are the logs of two shards of the same name",
                        "rename one of the shards",
                    ));
                }
                _ => _ = logs.insert(target, bytes),
            }
        }
    }
    Ok(logs)
}

/// A name out of all the folders of a path.
fn whole_name(dir: &Path) -> String {
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    let parts: Vec<_> = (whole.components())
        .filter_map(|part| match part {
            Component::Normal(name) => Some(OsStr::to_string_lossy(name)),
            _ => None,
        })
        .collect();
    parts.join("-")
}
