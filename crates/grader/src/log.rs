//! `log.jsonl`: what was done to a store, in lines that are only ever added.
//!
//! Each line holds the hash of the line before it, so that a line cannot be changed, taken out or put in without the next one telling.
//! Lines taken from the end are missed by the last line's hash alone, which [`verify`] returns: publish it, and they are missed too.
//!
//! A crash can leave the beginning of a line. It stays where it is, and the next line says so, with the hash of what was left:
//! that is no fault of the chain.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::{atomic, outcome};

/// The name of the log in a store.
pub const FILE: &str = "log.jsonl";

/// What the first line has for the hash of the line before it.
const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// An outcome was stored.
    Graded,
    /// An outcome was stored in place of another, which is in the history.
    Regraded,
    /// An outcome was there that no line told of: the process ended between storing it and writing the line.
    Found,
    /// An outcome came from a shard.
    Merged,
    /// Grading failed for no reason of the student's.
    Fault,
    /// The beginning of a line was found, left by a crash. The hash is of what was left.
    Torn,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// 1 for the first line.
    pub n: u64,
    /// When it was written, in UTC, as RFC 3339 has it.
    pub time: String,
    /// What happened.
    pub event: Event,
    /// To the outcome of which name; empty for [`Event::Torn`].
    pub key: String,
    /// The SHA-256 of the outcome's file, or of what was torn; empty for [`Event::Fault`].
    pub sha256: String,
    /// The SHA-256 of the line before, without its end.
    pub prev: String,
}

/// A log whose chain holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many lines it has.
    pub lines: u64,
    /// The hash of the last one, or zeros. Whoever has it can tell later whether lines were taken from the end.
    pub head: String,
    /// For each outcome, the hash that was recorded last.
    pub outcomes: BTreeMap<String, String>,
    /// How many bytes the lines take; what follows was left by a crash.
    whole: usize,
}

impl Verified {
    /// Remembers what a line tells of an outcome.
    fn record(&mut self, event: Event, key: &str, hash: &str) {
        if !matches!(event, Event::Fault | Event::Torn) {
            self.outcomes.insert(key.to_owned(), hash.to_owned());
        }
    }
}

/// Follows the chain of a log. One that is not there has no lines.
///
/// # Errors
/// If a line does not fit: the first such line is named.
pub fn verify(path: &Path) -> Result<Verified> {
    follow(path, &atomic::read(path)?.unwrap_or_default())
}

fn follow(path: &Path, bytes: &[u8]) -> Result<Verified> {
    let mut verified = Verified {
        lines: 0,
        head: START.to_owned(),
        outcomes: BTreeMap::new(),
        whole: 0,
    };
    // Where the bytes begin that no line has accounted for, as a position and as a number among the file's lines.
    let mut unread: Option<(usize, usize)> = None;
    let mut at = 0;
    for (index, piece) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let start = at;
        at += piece.len();
        let Some(text) = piece.strip_suffix(b"\n") else {
            unread.get_or_insert((start, index));
            break;
        };
        let fitting = serde_json::from_slice::<Line>(text).ok().filter(|line| {
            line.n == verified.lines + 1
                && line.prev == verified.head
                && match unread {
                    None => line.event != Event::Torn,
                    Some((from, _)) => {
                        line.event == Event::Torn && line.sha256 == sha256(&bytes[from..start])
                    }
                }
        });
        match fitting {
            Some(line) => {
                verified.record(line.event, &line.key, &line.sha256);
                verified.lines = line.n;
                verified.head = sha256(text);
                verified.whole = at;
                unread = None;
            }
            None => _ = unread.get_or_insert((start, index)),
        }
    }
    match unread {
        // A crash leaves one beginning of a line at the end, or two when recording the first was cut off as well.
        // Whole lines that do not fit were not left by a crash.
        Some((from, index)) if !is_torn(&bytes[from..]) => Err(Error::new(
            format!("{}, line {}", path.display(), index + 1),
            "it does not follow from the line before it: it was changed, or a line there was taken out or put in",
            "take the log from a backup; the outcomes of lines from there on are not vouched for",
        )),
        _ => Ok(verified),
    }
}

/// Whether these bytes can be what a crash left: no whole line among them.
fn is_torn(bytes: &[u8]) -> bool {
    bytes
        .split(|&byte| byte == b'\n')
        .rev()
        .skip(1)
        .all(|piece| serde_json::from_slice::<serde::de::IgnoredAny>(piece).is_err())
}

/// A log that is being written. One at a time: the store's lock sees to that.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    verified: Verified,
}

impl Log {
    /// Opens a log and follows its chain.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let verified = verify(path)?;
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .and_then(|file| atomic::sync_folder(path).map(|()| file))
            .map_err(|error| Error::io(path, &error))?;
        let mut log = Self {
            path: path.to_path_buf(),
            file,
            verified,
        };
        log.append(&[])?;
        Ok(log)
    }

    /// For each outcome, the hash that was recorded last.
    pub(crate) fn outcomes(&self) -> &BTreeMap<String, String> {
        &self.verified.outcomes
    }

    /// Adds a line for each event, key and hash, and syncs once. What a crash or a full disk left before is accounted for first.
    pub(crate) fn append(&mut self, events: &[(Event, &str, &str)]) -> Result<()> {
        let torn = self.account_for_torn()?;
        let mut text = Vec::new();
        let (mut lines, mut head) = (self.verified.lines, self.verified.head.clone());
        let torn = torn.iter().map(|hash| (Event::Torn, "", hash.as_str()));
        for (event, key, hash) in torn.chain(events.iter().copied()) {
            if event == Event::Torn {
                text.push(b'\n');
            }
            lines += 1;
            let line = Line {
                n: lines,
                time: jiff::Timestamp::now().to_string(),
                event,
                key: key.to_owned(),
                sha256: hash.to_owned(),
                prev: head,
            };
            let json = serde_json::to_vec(&line).expect("a line is plain data");
            head = sha256(&json);
            text.extend(json);
            text.push(b'\n');
        }
        let written = self
            .file
            .write_all(&text)
            .and_then(|()| self.file.sync_data())
            .and_then(|()| self.file.metadata());
        self.verified.whole = written
            .map_err(|error| Error::io(&self.path, &error))?
            .len() as usize;
        (self.verified.lines, self.verified.head) = (lines, head);
        for (event, key, hash) in events {
            self.verified.record(*event, key, hash);
        }
        Ok(())
    }

    /// The hash of what follows the last line, with the end that the next line will give it. Nothing, if nothing follows,
    /// or a whole line that only lacked its end.
    fn account_for_torn(&mut self) -> Result<Option<String>> {
        let length = self
            .file
            .metadata()
            .map_err(|error| Error::io(&self.path, &error))?
            .len() as usize;
        if length == self.verified.whole {
            return Ok(None);
        }
        let mut bytes = atomic::read(&self.path)?.unwrap_or_default();
        bytes.push(b'\n');
        if let Ok(next) = follow(&self.path, &bytes)
            && next.whole == bytes.len()
        {
            self.file
                .write_all(b"\n")
                .map_err(|error| Error::io(&self.path, &error))?;
            self.verified = next;
            return Ok(None);
        }
        let torn = bytes.get(self.verified.whole..).ok_or_else(|| {
            Error::file(
                &self.path,
                "it became shorter while it was being written",
                "take it from a backup",
            )
        })?;
        Ok(Some(sha256(torn)))
    }
}

/// The SHA-256 of some bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    outcome::hex(&Sha256::digest(bytes))
}
