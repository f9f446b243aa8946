//! Submissions that are the same, or nearly. For the instructor alone: no export for students has any of it.
//!
//! Two submissions with the same [`fingerprint`] have the same files but for white space and comments.
//! That is found here. Renamed variables and moved functions are found by a tool made for it, if one is there: see [`copydetect`].
//! Neither says who copied from whom, or whether anybody did: an exercise of ten lines has few answers.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::log::sha256;
use crate::plain::line;
use crate::store::Entry;

/// How alike two submissions must be to be told of, from 0 to 1.
pub const ALIKE: f64 = 0.8;

/// The files of a submission, for the tool.
#[derive(Clone, Debug)]
pub struct Source {
    /// Whose they are.
    pub student: String,
    /// The permanent id of the exercise.
    pub exercise: String,
    /// Their text, one after the other.
    pub text: String,
}

/// Students whose submissions of an exercise are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Alike {
    /// The permanent id of the exercise.
    pub exercise: String,
    /// The students, sorted, as exports name them: all of a group that has the same files, or the two of a pair.
    pub students: Vec<String>,
    /// Which share of the files the tool found in both, from 0 to 1; nothing for a group that has the same files.
    pub share: Option<f64>,
}

/// A hash of the files of a submission without white space and comments; nothing, if what is left is also in `common`:
/// the files that were handed out and those of the solution, which nobody need have copied from a neighbour.
pub fn fingerprint<'a>(
    files: impl IntoIterator<Item = &'a str>,
    common: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let text: String = files.into_iter().map(bare).collect();
    let known = text.is_empty() || common.into_iter().any(|other| bare(other) == text);
    (!known).then(|| sha256(text.as_bytes()))
}

/// The groups of a class that have the same files but for white space and comments.
pub fn identical(class: &[Entry]) -> Vec<Alike> {
    let mut groups: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for entry in class {
        if let Some(print) = &entry.fingerprint {
            groups
                .entry((&entry.exercise, print))
                .or_default()
                .push(&entry.student);
        }
    }
    let mut alike: Vec<Alike> = groups
        .into_iter()
        .filter(|(_, students)| students.len() > 1)
        .map(|((exercise, _), mut students)| {
            students.sort_unstable();
            Alike {
                exercise: line(exercise),
                students: students.into_iter().map(line).collect(),
                share: None,
            }
        })
        .collect();
    alike.sort_by(|a, b| (&a.exercise, &a.students).cmp(&(&b.exercise, &b.students)));
    alike
}

/// Groups and the pairs that a tool found, without the pairs that a group has already.
pub fn joined(mut groups: Vec<Alike>, pairs: Vec<Alike>) -> Vec<Alike> {
    let new = |pair: &Alike| {
        !(groups.iter()).any(|group| {
            group.exercise == pair.exercise
                && pair
                    .students
                    .iter()
                    .all(|student| group.students.contains(student))
        })
    };
    let pairs: Vec<Alike> = pairs.into_iter().filter(new).collect();
    groups.extend(pairs);
    groups
}

/// Rust code without white space and comments, but for what is in quotes.
fn bare(code: &str) -> String {
    let mut bare = String::new();
    let mut rest = code;
    while let Some(character) = rest.chars().next() {
        let taken = if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            continue;
        } else if rest.starts_with("/*") {
            rest = &rest[block_comment(rest)..];
            continue;
        } else if character == '"' {
            quoted(rest)
        } else if let Some(length) = raw(rest).filter(|_| !bare.ends_with(is_word)) {
            length
        } else if character == '\'' {
            quoted_character(rest)
        } else {
            character.len_utf8()
        };
        if !character.is_whitespace() {
            bare.push_str(&rest[..taken]);
        }
        rest = &rest[taken..];
    }
    bare
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of the comment, with those inside it, that a text begins with.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string that a text begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the raw string that a text begins with, if it does.
fn raw(text: &str) -> Option<usize> {
    let after = text.strip_prefix('r')?;
    let marks = after.bytes().take_while(|&byte| byte == b'#').count();
    let inner = after[marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    let length = inner.find(&end).map_or(inner.len(), |at| at + end.len());
    Some(text.len() - inner.len() + length)
}

/// The length of the character that a text begins with, or of the mark of a lifetime.
fn quoted_character(text: &str) -> usize {
    let mut inner = text.char_indices().skip(1);
    match inner.next() {
        Some((_, '\\')) => text[2..]
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '\'')
            .map_or(1, |(at, _)| at + 3),
        Some(_) => inner
            .next()
            .filter(|(_, c)| *c == '\'')
            .map_or(1, |(at, _)| at + 1),
        None => 1,
    }
}

/// A pair of the tool's answer: two places among the sources, and how much of each is in the other.
#[derive(Deserialize)]
struct Found(usize, usize, f64, f64);

/// Pairs of submissions that [copydetect](https://pypi.org/project/copydetect) finds alike, in which `python` has it.
/// It is a tool of its own under the MIT licence; it reads the files and runs none of them. `common` are texts, by exercise, that all may have.
///
/// # Errors
/// If it is not installed, fails, or has not ended after `patience`.
pub fn copydetect(
    python: &Path,
    sources: &[Source],
    common: &BTreeMap<String, Vec<String>>,
    patience: Duration,
) -> Result<Vec<Alike>> {
    let folder = std::env::temp_dir().join(format!("moments-similarity-{}", std::process::id()));
    let result = in_folder(&folder, python, sources, common, patience);
    let _ = fs::remove_dir_all(&folder);
    result
}

fn in_folder(
    folder: &Path,
    python: &Path,
    sources: &[Source],
    common: &BTreeMap<String, Vec<String>>,
    patience: Duration,
) -> Result<Vec<Alike>> {
    let mut exercises: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources {
        exercises.entry(&source.exercise).or_default().push(source);
    }
    let mut alike = Vec::new();
    for (exercise, sources) in exercises {
        let none = Vec::new();
        let common = common.get(exercise).unwrap_or(&none);
        for (name, texts) in [
            (
                "tests",
                sources
                    .iter()
                    .map(|source| source.text.as_str())
                    .collect::<Vec<_>>(),
            ),
            ("common", common.iter().map(String::as_str).collect()),
        ] {
            let place = folder.join(name);
            let _ = fs::remove_dir_all(&place);
            fs::create_dir_all(&place).map_err(|error| Error::io(&place, &error))?;
            for (number, text) in texts.iter().enumerate() {
                let path = place.join(format!("{number}.rs"));
                fs::write(&path, text).map_err(|error| Error::io(&path, &error))?;
            }
        }
        for Found(a, b, of_a, of_b) in run(folder, python, patience)? {
            let mut students = [a, b].map(|at| sources.get(at).map(|source| line(&source.student)));
            students.sort();
            if let [Some(a), Some(b)] = students {
                alike.push(Alike {
                    exercise: line(exercise),
                    students: vec![a, b],
                    share: Some(of_a.max(of_b)),
                });
            }
        }
    }
    alike.sort_by(|a, b| {
        let by_share = b.share.unwrap_or(1.0).total_cmp(&a.share.unwrap_or(1.0));
        a.exercise
            .cmp(&b.exercise)
            .then(by_share)
            .then(a.students.cmp(&b.students))
    });
    Ok(alike)
}

fn run(folder: &Path, python: &Path, patience: Duration) -> Result<Vec<Found>> {
    let fix = "install it with `pip install copydetect`, and name the Python that has it";
    let output = folder.join("pairs.json");
    let wrong = |wrong: String| Error::file(python, format!("copydetect failed: {wrong}"), fix);
    let mut child = Command::new(python)
        .args(["-I", "-c", include_str!("similarity.py")])
        .arg(folder)
        .arg(ALIKE.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| wrong(error.to_string()))?;
    let started = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| wrong(error.to_string()))? {
            Some(status) => break status,
            None if started.elapsed() > patience => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::file(
                    python,
                    format!("copydetect had not ended after {} s", patience.as_secs()),
                    "leave it out; files that are the same are flagged without it",
                ));
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    if !status.success() {
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            let _ = stderr.read_to_string(&mut said);
        }
        return Err(wrong(
            said.lines()
                .last()
                .unwrap_or("it ended without a word")
                .to_owned(),
        ));
    }
    let bytes = fs::read(&output).map_err(|error| Error::io(&output, &error))?;
    serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{Alike, bare, fingerprint, joined};

    #[test]
    fn a_pair_that_is_in_a_group_is_told_once() {
        let alike = |exercise: &str, students: &[&str], share| Alike {
            exercise: exercise.to_owned(),
            students: students
                .iter()
                .map(|student| (*student).to_owned())
                .collect(),
            share,
        };
        let group = alike("ex07", &["ada", "bob", "eve"], None);
        let again = alike("ex07", &["ada", "eve"], Some(1.0));
        let other = alike("ex07", &["ada", "kim"], Some(0.9));
        let elsewhere = alike("ex03", &["ada", "eve"], Some(0.9));
        let all = joined(
            vec![group.clone()],
            vec![again, other.clone(), elsewhere.clone()],
        );
        assert_eq!(all, [group, other, elsewhere]);
    }

    #[test]
    fn white_space_and_comments_are_left_out_and_quotes_are_kept() {
        let cases = [
            ("let  x = 1; // one\n", "letx=1;"),
            ("/* a /* nested */ b */ fn f ( ) { }", "fnf(){}"),
            ("/// doc\n//! more\nx", "x"),
            ("\"a // b  c\" y", "\"a // b  c\"y"),
            ("\"quote \\\" // in\" z // out", "\"quote \\\" // in\"z"),
            ("r#\"raw \" // \"# z // out", "r#\"raw \" // \"#z"),
            ("'\"' // '", "'\"'"),
            ("'\\'' // '", "'\\''"),
            ("fn f<'a>(x: &'a str) // c", "fnf<'a>(x:&'astr)"),
            ("'\\u{1F600}' + ' ' // c", "'\\u{1F600}'+' '"),
            ("for r in x { } \"é\"", "forrinx{}\"é\""),
            ("/* never ends", ""),
            ("\"never ends // x", "\"never ends // x"),
            ("r##\"never ends \"#", "r##\"never ends \"#"),
            ("'", "'"),
            ("a / b * c", "a/b*c"),
        ];
        for (code, expected) in cases {
            assert_eq!(bare(code), expected, "{code}");
        }
    }

    #[test]
    fn what_everybody_was_given_has_no_fingerprint() {
        let starter = "fn step() { todo!() }";
        assert_eq!(
            fingerprint(["fn step()  {\n    todo!() // later\n}"], [starter]),
            None
        );
        assert_eq!(fingerprint(["// nothing"], []), None);
        let a = fingerprint(["fn step() { 1 }"], [starter]);
        assert!(a.is_some());
        assert_eq!(a, fingerprint(["fn step() {\n\t1 /* one */ }"], [starter]));
        assert_ne!(a, fingerprint(["fn step() { 2 }"], [starter]));
    }
}
