//! Where outcomes are kept: a folder that survives being killed, and says what is in it.
//!
//! ```text
//! DIR/outcomes/KEY.json     an outcome, the same bytes in every run
//!     times/KEY.json        how long it took, apart because it differs in every run
//!     history/KEY-HASH.json an outcome that --regrade has replaced, under the hash of its bytes
//!     faults/KEY.json       grading failed for no reason of the student's: never an outcome
//!     class.json            who handed in what
//!     log.jsonl             what was done, in order (see the module `log`)
//!     logs/SHARD.jsonl      the logs of the shards that were merged into it
//!     lock                  held while a grader works here
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::atomic::{self, Staged};
use crate::error::{Error, Result};
use crate::log::{self, Event, Log, Verified, sha256};
use crate::outcome::{self, Outcome};

pub(crate) const OUTCOMES: &str = "outcomes";
pub(crate) const TIMES: &str = "times";
pub(crate) const HISTORY: &str = "history";
pub(crate) const FAULTS: &str = "faults";
/// Where the logs of shards are kept that were merged.
pub(crate) const LOGS: &str = "logs";
const CLASS: &str = "class.json";
const CLASS_SCHEMA: &str = "moments/class/v1";

/// One line of a class: who handed in what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Whose it is, as handed in.
    pub student: String,
    /// The permanent id of the exercise.
    pub exercise: String,
    /// The name of its outcome.
    pub key: String,
    /// Where it was found.
    pub place: String,
    /// A hash of its files without white space and comments, which tells the instructor who handed in the same:
    /// see [`crate::similarity::fingerprint`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// Grading failed for no reason of the student's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The permanent id of the exercise.
    pub exercise: String,
    /// What failed the last time.
    pub reason: String,
    /// How often it was tried.
    pub tries: u32,
}

/// How long an outcome took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Took {
    pub(crate) seconds: f64,
}

/// `class.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    schema: String,
    handed_in: Vec<Entry>,
}

/// A folder of outcomes, open for writing by this process alone.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    // The lock is held for as long as the file is open, and a killed process holds none.
    _lock: File,
    kept: Mutex<Kept>,
}

/// What is known of the folder without reading it.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The hash of each outcome's file.
    pub(crate) outcomes: BTreeMap<String, String>,
    pub(crate) log: Log,
}

impl Store {
    /// Opens the folder at `dir`, or makes it. What a killed process left half-written is removed, and what it stored is kept.
    ///
    /// # Errors
    /// If another grader works in the folder, or something in it is unreadable, changed or foreign: every such file is named with the fix,
    /// and nothing is overwritten.
    pub fn open(dir: &Path) -> Result<Self> {
        for folder in [OUTCOMES, TIMES, HISTORY, FAULTS, LOGS] {
            let folder = dir.join(folder);
            fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, &error))?;
        }
        let lock = lock(dir)?;
        for folder in ["", OUTCOMES, TIMES, HISTORY, FAULTS, LOGS] {
            atomic::sweep(&dir.join(folder))?;
        }
        let outcomes = hashes(dir)?;
        let mut log = Log::open(&dir.join(log::FILE))?;
        let found = unlogged(dir, &outcomes, log.outcomes())?;
        let found: Vec<_> = found
            .iter()
            .map(|key| (Event::Found, key.as_str(), outcomes[key].as_str()))
            .collect();
        log.append(&found)?;
        for key in keys(&dir.join(FAULTS))? {
            if outcomes.contains_key(&key) {
                forgive(dir, &key)?;
            }
        }
        read_class(dir)?;
        Ok(Self {
            dir: dir.to_path_buf(),
            _lock: lock,
            kept: Mutex::new(Kept { outcomes, log }),
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether there is an outcome of this name.
    pub fn has(&self, key: &str) -> bool {
        self.kept().outcomes.contains_key(key)
    }

    /// The outcome of this name, or nothing if there is none.
    ///
    /// # Errors
    /// If its file was damaged since the store was opened.
    pub fn get(&self, key: &str) -> Result<Option<Outcome>> {
        if self.has(key) {
            read_outcome(&self.dir, key).map(|(outcome, _)| Some(outcome))
        } else {
            Ok(None)
        }
    }

    /// Keeps an outcome, and how long it took. Once this has returned, no crash loses it.
    /// An outcome that is there already is left as it is.
    ///
    /// # Errors
    /// If another outcome is kept under its name, or it cannot be written; nothing is left half-written then.
    pub fn put(&self, outcome: &Outcome, seconds: f64) -> Result<()> {
        self.keep(outcome, seconds, Event::Graded)
    }

    /// Keeps an outcome in place of the one of its name, which goes to the history if it differs.
    ///
    /// # Errors
    /// If one of the two cannot be written; the old outcome is then still there.
    pub fn regrade(&self, outcome: &Outcome, seconds: f64) -> Result<()> {
        self.keep(outcome, seconds, Event::Regraded)
    }

    fn keep(&self, outcome: &Outcome, seconds: f64, event: Event) -> Result<()> {
        let key = outcome.key();
        let path = file(&self.dir, OUTCOMES, &key);
        let bytes = json(outcome);
        let hash = sha256(&bytes);
        // Writing is slow, and many threads may do it at once; only the renames and the log wait for one another.
        let time = Staged::write(&file(&self.dir, TIMES, &key), &json(&Took { seconds }))?;
        let staged = Staged::write(&path, &bytes)?;
        let mut kept = self.kept();
        match kept.outcomes.get(&key) {
            None => {}
            Some(old) if event == Event::Regraded && *old != hash => {
                to_history(&self.dir, &key, old)?;
            }
            Some(_) if event == Event::Regraded => {}
            Some(old) if *old == hash => return Ok(()),
            Some(_) => {
                return Err(Error::file(
                    &path,
                    "grading the same files again came to another outcome",
                    "look at both; --regrade keeps the new one and moves the old one to the history",
                ));
            }
        }
        time.commit()?;
        staged.commit()?;
        kept.outcomes.insert(key.clone(), hash.clone());
        kept.log.append(&[(event, &key, &hash)])?;
        forgive(&self.dir, &key)
    }

    /// Notes that grading failed for no reason of the student's, and says how often it has. An outcome that is there stays.
    ///
    /// # Errors
    /// If the note cannot be written.
    pub fn fault(&self, key: &str, exercise: &str, reason: &str) -> Result<u32> {
        let mut kept = self.kept();
        let path = file(&self.dir, FAULTS, key);
        let before: Option<Fault> = atomic::read(&path)?
            .map(|bytes| parse(&path, &bytes))
            .transpose()?;
        let fault = Fault {
            exercise: exercise.to_owned(),
            reason: reason.to_owned(),
            tries: before.map_or(0, |fault| fault.tries) + 1,
        };
        kept.log.append(&[(Event::Fault, key, "")])?;
        if !kept.outcomes.contains_key(key) {
            atomic::write(&path, &json(&fault))?;
        }
        Ok(fault.tries)
    }

    /// Notes who handed in what. A student's newer submission of an exercise takes the place of the older one; others stay.
    ///
    /// # Errors
    /// If the note cannot be read or written.
    pub fn class(&self, entries: &[Entry]) -> Result<()> {
        let _alone = self.kept();
        let mut class: BTreeMap<_, _> = BTreeMap::new();
        for entry in read_class(&self.dir)?.iter().chain(entries) {
            class.insert(
                (entry.student.clone(), entry.exercise.clone()),
                entry.clone(),
            );
        }
        write_class(&self.dir, class.into_values().collect())
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        // What is kept in memory is changed after the files are, so a panic elsewhere leaves it right.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees that a folder has what its log tells of, unchanged, and that the logs of its shards hold.
///
/// # Errors
/// If a chain is broken, or an outcome is bad, was changed, or is gone: every such file is named.
pub fn verify(dir: &Path) -> Result<Verified> {
    let logs = dir.join(LOGS);
    for name in atomic::names(&logs)? {
        log::verify(&logs.join(name))?;
    }
    let outcomes = checked_hashes(dir)?;
    let verified = log::verify(&dir.join(log::FILE))?;
    let gone = verified
        .outcomes
        .keys()
        .filter(|key| !outcomes.contains_key(*key));
    let gone = gone.map(|key| {
        Error::file(
            &file(dir, OUTCOMES, key),
            "the log tells of it, and it is gone",
            "take it from a backup, or grade again: only what is missing is done",
        )
    });
    Error::all(gone.collect())?;
    Ok(verified)
}

/// The path of a file of a store.
pub(crate) fn file(dir: &Path, folder: &str, key: &str) -> PathBuf {
    dir.join(folder).join(format!("{key}.json"))
}

/// Plain data as the bytes of a file: for people to read, and the same every time.
pub(crate) fn json(data: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(data).expect("it is plain data");
    bytes.push(b'\n');
    bytes
}

/// The data of a file.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        Error::file(
            path,
            format!("it is cut short or was changed ({error})"),
            "move it away and grade again: only what is missing is done",
        )
    })
}

/// Takes the lock of a folder.
fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|error| Error::io(&path, &error))?;
    // A process that was just killed, or is just being started by a thread of this one, may hold the lock for a moment yet.
    let mut tries = 0..20;
    let locked = loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if tries.next().is_some() => {
                std::thread::sleep(Duration::from_millis(50));
            }
            tried => break tried,
        }
    };
    match locked {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::file(
            dir,
            "another grader is working in this folder",
            "wait until it has ended, or choose another folder and merge the two later",
        )),
        Err(TryLockError::Error(error)) => Err(Error::file(
            &path,
            format!("this file system has no locks ({error})"),
            "choose a folder on a local disk",
        )),
    }
}

/// The keys of the files in a folder of a store.
pub(crate) fn keys(folder: &Path) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    let mut foreign = Vec::new();
    for name in atomic::names(folder)? {
        match name.strip_suffix(".json") {
            Some(key) if is_key(key) => keys.push(key.to_owned()),
            // What the system leaves in folders begins with a dot, and so do files that are being written.
            _ if name.starts_with('.') => {}
            _ => foreign.push(Error::file(
                &folder.join(&name),
                "it is not a file of the grader",
                "move it to another folder",
            )),
        }
    }
    Error::all(foreign)?;
    Ok(keys)
}

fn is_key(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Reads an outcome and the hash of its file, and sees that it belongs under its name.
pub(crate) fn read_outcome(dir: &Path, key: &str) -> Result<(Outcome, String)> {
    let path = file(dir, OUTCOMES, key);
    let bytes = fs::read(&path).map_err(|error| Error::io(&path, &error))?;
    let outcome: Outcome = parse(&path, &bytes)?;
    if outcome.schema != outcome::SCHEMA {
        return Err(Error::file(
            &path,
            format!(
                "its form is `{}`, and this grader writes `{}`",
                outcome.schema,
                outcome::SCHEMA
            ),
            "use the grader that wrote it, or grade into another folder",
        ));
    }
    if outcome.key() != key {
        return Err(Error::file(
            &path,
            "what is in it does not belong under its name",
            "move it away and grade again: only what is missing is done",
        ));
    }
    Ok((outcome, sha256(&bytes)))
}

/// The hash of each outcome's file, with every bad file named at once.
pub(crate) fn hashes(dir: &Path) -> Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    let mut errors = Vec::new();
    for key in keys(&dir.join(OUTCOMES))? {
        match read_outcome(dir, &key) {
            Ok((_, hash)) => _ = hashes.insert(key, hash),
            Err(error) => errors.push(error),
        }
    }
    Error::all(errors)?;
    Ok(hashes)
}

/// The hash of each outcome's file, as [`hashes`], with every file named that is not what the log recorded.
pub(crate) fn checked_hashes(dir: &Path) -> Result<BTreeMap<String, String>> {
    let outcomes = hashes(dir)?;
    unlogged(dir, &outcomes, &log::verify(&dir.join(log::FILE))?.outcomes)?;
    Ok(outcomes)
}

/// The outcomes that the log does not tell of. One that the log tells otherwise was stored by `regrade` if the history has the other;
/// otherwise it was changed by hand, and is refused.
pub(crate) fn unlogged(
    dir: &Path,
    outcomes: &BTreeMap<String, String>,
    logged: &BTreeMap<String, String>,
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut changed = Vec::new();
    for (key, hash) in outcomes {
        match logged.get(key) {
            Some(recorded) if recorded == hash => {}
            Some(recorded) if !history(dir, key, recorded).exists() => changed.push(Error::file(
                &file(dir, OUTCOMES, key),
                "it is not what the log recorded: it was changed after grading",
                "move it away and grade again: only what is missing is done",
            )),
            _ => found.push(key.clone()),
        }
    }
    Error::all(changed)?;
    Ok(found)
}

/// Where an outcome goes that is replaced.
pub(crate) fn history(dir: &Path, key: &str, hash: &str) -> PathBuf {
    file(dir, HISTORY, &format!("{key}-{hash}"))
}

/// Copies the outcome of a name to the history, under the hash of its bytes: doing it twice changes nothing.
pub(crate) fn to_history(dir: &Path, key: &str, hash: &str) -> Result<()> {
    let path = file(dir, OUTCOMES, key);
    let bytes = fs::read(&path).map_err(|error| Error::io(&path, &error))?;
    atomic::write(&history(dir, key, hash), &bytes)
}

/// Removes the fault of a name, if there is one.
pub(crate) fn forgive(dir: &Path, key: &str) -> Result<()> {
    let path = file(dir, FAULTS, key);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path, &error)),
        _ => Ok(()),
    }
}

/// Who handed in what, sorted.
pub(crate) fn read_class(dir: &Path) -> Result<Vec<Entry>> {
    let path = dir.join(CLASS);
    let Some(bytes) = atomic::read(&path)? else {
        return Ok(Vec::new());
    };
    let class: Class = parse(&path, &bytes)?;
    if class.schema != CLASS_SCHEMA {
        return Err(Error::file(
            &path,
            format!(
                "its form is `{}`, and this grader writes `{CLASS_SCHEMA}`",
                class.schema
            ),
            "use the grader that wrote it, or grade into another folder",
        ));
    }
    Ok(class.handed_in)
}

/// Writes who handed in what. The order of `entries` does not matter.
pub(crate) fn write_class(dir: &Path, mut entries: Vec<Entry>) -> Result<()> {
    entries.sort();
    let class = Class {
        schema: CLASS_SCHEMA.to_owned(),
        handed_in: entries,
    };
    atomic::write(&dir.join(CLASS), &json(&class))
}
