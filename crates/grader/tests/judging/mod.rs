//! What the tests of the grader share.

#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use moments_checks::{Exercise, exercises};
use moments_grader::intake::{Files, Submission};
use moments_grader::judge::{Grader, Key, Options};
use moments_grader::outcome::Tier;
use moments_grader::sandbox::Sandbox;

pub(crate) fn course() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A folder that the whole test binary uses.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("grader-cache")
}

pub(crate) fn options() -> Options {
    Options {
        key: Some(Key::from_bytes(b"a key for the tests of the grader")),
        ..Options::default()
    }
}

pub(crate) fn grader(tier: Tier) -> Option<Grader> {
    let sandbox = Sandbox::probe(Some(tier)).ok()?;
    Some(Grader::open(&course(), &cache(), sandbox, options()).unwrap())
}

/// The strongest sandbox that this machine offers; None, with a word about it, where it offers none.
pub(crate) fn strongest() -> Option<&'static Grader> {
    static GRADER: OnceLock<Option<Grader>> = OnceLock::new();
    GRADER
        .get_or_init(|| match Sandbox::probe(None) {
            Ok(sandbox) => Some(Grader::open(&course(), &cache(), sandbox, options()).unwrap()),
            Err(why) => {
                eprintln!("no sandbox on this machine:\n{why}");
                None
            }
        })
        .as_ref()
}

pub(crate) fn exercise(id: &str) -> &'static Exercise {
    exercises()
        .iter()
        .find(|exercise| exercise.id == id)
        .unwrap()
}

pub(crate) fn submission(id: &str, text: &str) -> Submission {
    Submission {
        student: "somebody".to_owned(),
        exercise: id.to_owned(),
        place: PathBuf::from("somewhere"),
        files: Ok(Files {
            sources: vec![("lib.rs".to_owned(), text.to_owned())],
        }),
    }
}

pub(crate) fn solution(id: &str) -> String {
    fs::read_to_string(
        course()
            .join("solutions")
            .join(exercise(id).slug)
            .join("src/lib.rs"),
    )
    .unwrap()
}

pub(crate) fn starter(id: &str) -> String {
    fs::read_to_string(
        course()
            .join("crates/course/starters")
            .join(format!("{id}.rs")),
    )
    .unwrap()
}
