//! `cargo course verify`: every exercise tested anew, in a build folder that was empty, and a certificate that says so.
//!
//! A certificate is no proof against somebody who forges it. It says exactly what was tested, so that whoever has the files
//! can test them again: `cargo course verify --check FILE`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::exercises::{self, Exercise};
use crate::files;
use crate::progress::{self, Progress};
use crate::run::{Outcome, Runner};
use crate::starter;
use crate::ui::{self, Line, Style, count, cut};

/// What is certified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Certificate {
    /// The version of the course.
    course: String,
    /// The day on which it was tested, in UTC.
    date: String,
    /// Whose it is, if they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// How many exercises pass.
    passing: usize,
    /// The hash of the files of all exercises.
    exercises_hash: String,
    /// The hash of what they were tested with.
    checks_hash: String,
    #[serde(rename = "exercise")]
    exercises: Vec<Verdict>,
    /// The hash of all of the above: a certificate that was changed by accident says so.
    #[serde(default)]
    seal: String,
}

/// The verdict on one exercise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Verdict {
    id: String,
    slug: String,
    passed: bool,
    /// How many checks pass.
    passing: usize,
    checks: usize,
    /// The hash of the learner's files.
    files_hash: String,
    /// Why it does not pass, if that is not a matter of the checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// `cargo course verify`.
pub(crate) fn verify(root: &Path, name: Option<String>) -> Result<ExitCode> {
    let certificate = certify(root, name)?;
    let all = exercises::load(root)?;
    let style = Style::stdout();
    ui::put(&certificate.text(&all, ui::columns(), style));
    let folder = root.join("my");
    let failed = || {
        format!(
            "The certificate could not be written into {}. Is the disk full, or the folder read-only?",
            folder.display()
        )
    };
    fs::create_dir_all(&folder).with_context(failed)?;
    let date = &certificate.date;
    let name = |number| match number {
        1 => format!("certificate-{date}.toml"),
        _ => format!("certificate-{date}-{number}.toml"),
    };
    let path =
        files::write_beside(&folder, name, certificate.write()?.as_bytes()).with_context(failed)?;
    let path = path.strip_prefix(root).unwrap_or(&path).display();
    ui::say(&format!(
        "The certificate: {path}\nWho has your files and the course can verify it: `cargo course verify --check {path}`."
    ));
    Ok(if certificate.passing == all.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// `cargo course verify --check`.
pub(crate) fn check(root: &Path, path: &Path) -> Result<ExitCode> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("Could not read the certificate {}", path.display()))?;
    let claimed = Certificate::read(&text).with_context(|| {
        format!(
            "{} is no certificate that this course can check",
            path.display()
        )
    })?;
    let found = certify(root, None)?;
    let doubts = doubts(&claimed, &found);
    let whose = claimed.name.iter().map(|name| format!(" of {name}"));
    let head = format!(
        "The certificate{} of {} says that {} of {} pass.",
        whose.collect::<String>(),
        claimed.date,
        claimed.passing,
        count(claimed.exercises.len(), "exercise")
    );
    ui::say(&head);
    let style = Style::stdout();
    if doubts.is_empty() {
        ui::say(&format!(
            "{} The files are the same, and so is every verdict, tested anew.",
            style.green("It holds.")
        ));
        return Ok(ExitCode::SUCCESS);
    }
    ui::say(&style.red("It does not hold here:"));
    for doubt in doubts {
        ui::say(&format!("  {doubt}"));
    }
    Ok(ExitCode::FAILURE)
}

/// What speaks against a certificate, given what was found here.
fn doubts(claimed: &Certificate, found: &Certificate) -> Vec<String> {
    let mut doubts = Vec::new();
    if claimed.seal != claimed.sealed() {
        doubts.push("The certificate has been changed since it was written.".to_owned());
    }
    if claimed.checks_hash != found.checks_hash {
        doubts.push(format!(
            "The checks here are others (the certificate is of version {}, this is {}).",
            claimed.course, found.course
        ));
    }
    for Verdict {
        id,
        passed,
        files_hash,
        ..
    } in &claimed.exercises
    {
        let Some(here) = found.exercises.iter().find(|one| one.id == *id) else {
            doubts.push(format!("{id}: there is no such exercise here."));
            continue;
        };
        if here.files_hash != *files_hash {
            doubts.push(format!("{id}: the files here are others."));
        }
        if here.passed != *passed {
            let word = if here.passed {
                "passes"
            } else {
                "does not pass"
            };
            doubts.push(format!("{id}: it {word} here."));
        }
    }
    for one in &found.exercises {
        if !claimed.exercises.iter().any(|claimed| claimed.id == one.id) {
            doubts.push(format!("{}: the certificate does not name it.", one.id));
        }
    }
    doubts
}

/// Tests every exercise anew.
fn certify(root: &Path, name: Option<String>) -> Result<Certificate> {
    let all = exercises::load(root)?;
    let chosen: Vec<&Exercise> = all.iter().collect();
    let prints: Vec<String> = chosen
        .iter()
        .map(|exercise| progress::fingerprint(exercise, root))
        .collect();
    let hash = || -> Result<(Vec<String>, String)> {
        let files = chosen.iter().map(|exercise| files_hash(exercise, root));
        Ok((files.collect::<Result<_>>()?, checks_hash(root)?))
    };
    let hashes = hash()?;
    // What was built before might be something else than what the files say.
    let target = root.join(".course/verify");
    let empty = |folder: &Path| match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    empty(&target).with_context(|| format!("Could not empty {}", target.display()))?;
    let mut line = Line::new();
    line.update("Building everything from nothing ...");
    let what = count(all.len(), "exercise");
    let run = Runner::new(root)
        .target(target.clone())
        .run(&chosen, &mut |busy| {
            if let Some(words) = busy.words(&what) {
                line.update(&words);
            }
        });
    line.clear();
    let _ = empty(&target);
    let outcomes = run?.context("The run was stopped")?;
    if hash()? != hashes {
        bail!("Files have changed while they were tested. Run it again.");
    }
    let (files, checks_hash) = hashes;
    let exercises: Vec<Verdict> = chosen
        .iter()
        .zip(&outcomes)
        .zip(files)
        .map(|((exercise, outcome), files_hash)| {
            judge(exercise, outcome, files_hash, own_tests(exercise, root))
        })
        .collect();
    Progress::change(root, |progress| {
        for ((exercise, print), outcome) in chosen.iter().zip(prints).zip(&outcomes) {
            progress.record(&exercise.id, print, outcome.passed());
        }
    });
    let mut certificate = Certificate {
        course: env!("CARGO_PKG_VERSION").to_owned(),
        date: today(),
        name,
        passing: exercises.iter().filter(|one| one.passed).count(),
        exercises_hash: hash_of(exercises.iter().map(|one| one.files_hash.as_bytes())),
        checks_hash,
        exercises,
        seal: String::new(),
    };
    certificate.seal = certificate.sealed();
    Ok(certificate)
}

fn judge(exercise: &Exercise, outcome: &Outcome, files_hash: String, own_tests: bool) -> Verdict {
    let note = if !own_tests {
        Some(format!(
            "its tests are not the course's; `git checkout -- exercises/{}/tests` brings them back",
            exercise.slug
        ))
    } else if !outcome.compiled {
        Some("it does not compile".to_owned())
    } else if outcome.crash.is_some() {
        Some("the system ended its tests".to_owned())
    } else {
        None
    };
    Verdict {
        id: exercise.id.clone(),
        slug: exercise.slug.clone(),
        passed: own_tests && outcome.passed(),
        passing: outcome.passing(),
        checks: outcome.tests.len(),
        files_hash,
        note,
    }
}

impl Certificate {
    fn read(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    fn write(&self) -> Result<String> {
        let text = toml::to_string(self).context("The certificate could not be written")?;
        Ok(format!(
            "# Certificate of the course Moments. In a clone with these files anyone can verify it:\n# cargo course verify --check FILE\n\n{text}"
        ))
    }

    /// The hash of everything but the seal.
    fn sealed(&self) -> String {
        let bare = Self {
            seal: String::new(),
            ..self.clone()
        };
        let text = toml::to_string(&bare).unwrap_or_default();
        hash_of([text.as_bytes()])
    }

    fn text(&self, all: &[Exercise], columns: Option<usize>, style: Style) -> String {
        let wide = all
            .iter()
            .map(|exercise| exercise.title.chars().count())
            .max()
            .unwrap_or(0);
        let mut out = String::new();
        for (exercise, verdict) in all.iter().zip(&self.exercises) {
            let word = if verdict.passed {
                style.green("passes")
            } else {
                style.red("fails ")
            };
            let notes = match &verdict.note {
                Some(note) => note.clone(),
                None if verdict.passed => count(verdict.checks, "check"),
                None => format!("{} of {}", verdict.passing, count(verdict.checks, "check")),
            };
            let line = format!("{}  {:<wide$}  {notes}", exercise.id, exercise.title);
            let line = columns.map_or(line.clone(), |columns| {
                cut(&line, columns.saturating_sub(10))
            });
            let _ = writeln!(out, "  {word}  {line}");
        }
        let _ = writeln!(
            out,
            "\n{} of {} pass, each tested anew.",
            self.passing,
            count(all.len(), "exercise")
        );
        out
    }
}

/// The hash of what a learner has written for an exercise, and of the tests beside it.
fn files_hash(exercise: &Exercise, root: &Path) -> Result<String> {
    let files = progress::own_files(exercise, root);
    hash_of_files(&files, &exercise.folder(root))
}

/// The hash of everything that judges: the checks and their recorded runs.
fn checks_hash(root: &Path) -> Result<String> {
    let folder = root.join("crates/checks");
    let mut files = vec![folder.join("Cargo.toml")];
    for name in ["src", "golden"] {
        progress::list(&folder.join(name), &mut files);
    }
    files.sort();
    hash_of_files(&files, &folder)
}

/// Names and contents, with the line ends of Unix: a clone on Windows gives the same hash.
fn hash_of_files(paths: &[std::path::PathBuf], folder: &Path) -> Result<String> {
    let mut pieces = Vec::new();
    for path in paths {
        let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
        pieces.push(name.replace('\\', "/").into_bytes());
        let bytes = fs::read(path).with_context(|| format!("Could not read {}", path.display()))?;
        pieces.push(starter::unix(&bytes));
    }
    Ok(hash_of(pieces.iter().map(Vec::as_slice)))
}

/// SHA-256 over pieces and their lengths.
fn hash_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for piece in pieces {
        hash.update((piece.len() as u64).to_le_bytes());
        hash.update(piece);
    }
    let mut out = String::new();
    for byte in hash.finalize() {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Whether the tests of an exercise are the ones that its solution passes.
fn own_tests(exercise: &Exercise, root: &Path) -> bool {
    let read = |folder: &Path| {
        let mut files = Vec::new();
        progress::list(&folder.join("tests"), &mut files);
        files.retain(|file| file.extension().is_some_and(|end| end == "rs"));
        files.sort();
        hash_of_files(&files, folder).ok()
    };
    let ours = read(&exercise.solution(root));
    ours.is_some() && read(&exercise.folder(root)) == ours
}

/// Today, in UTC, as `2026-11-23`.
fn today() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    date(seconds / 86_400)
}

/// The date so many days after the first of January 1970.
fn date(days: u64) -> String {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercises::tests::exercise;
    use crate::files::tests::Folder;

    fn verdict(id: &str, passed: bool) -> Verdict {
        Verdict {
            id: id.to_owned(),
            slug: format!("{id}-adam"),
            passed,
            passing: 3,
            checks: 3 + usize::from(!passed),
            files_hash: format!("hash of {id}"),
            note: None,
        }
    }

    fn certificate() -> Certificate {
        let mut certificate = Certificate {
            course: "0.1.0".to_owned(),
            date: "2026-11-23".to_owned(),
            name: Some("Ada \"L\"".to_owned()),
            passing: 1,
            exercises_hash: "e".to_owned(),
            checks_hash: "c".to_owned(),
            exercises: vec![verdict("ex06", true), verdict("ex07", false)],
            seal: String::new(),
        };
        certificate.seal = certificate.sealed();
        certificate
    }

    #[test]
    fn a_certificate_is_read_as_it_was_written() {
        let certificate = certificate();
        let text = certificate.write().unwrap();
        assert_eq!(Certificate::read(&text).unwrap(), certificate);
        assert_eq!(doubts(&certificate, &certificate), [""; 0]);
        assert!(Certificate::read("course = 1").is_err());
    }

    #[test]
    fn a_changed_certificate_other_files_and_other_verdicts_are_told() {
        let found = certificate();
        let doubt = |change: &dyn Fn(&mut Certificate)| {
            let mut claimed = certificate();
            change(&mut claimed);
            claimed.seal = claimed.sealed();
            doubts(&claimed, &found).join("\n")
        };
        assert_eq!(doubt(&|_| ()), "");
        assert!(doubt(&|it| it.checks_hash.push('x')).contains("The checks here are others"));
        assert!(doubt(&|it| it.exercises[0].files_hash.push('x')).contains("ex06: the files here"));
        assert!(doubt(&|it| it.exercises[1].passed = true).contains("ex07: it does not pass"));
        assert!(doubt(&|it| it.exercises[0].id.push('x')).contains("ex06x: there is no such"));
        assert!(doubt(&|it| it.exercises.truncate(1)).contains("ex07: the certificate does not"));
        let mut edited = certificate();
        edited.passing = 2;
        assert!(doubts(&edited, &found)[0].contains("has been changed"));
    }

    #[test]
    fn tests_that_are_not_the_courses_pass_nothing() {
        let outcome = Outcome {
            compiled: true,
            success: true,
            tests: vec![("a".to_owned(), true)],
            ..Outcome::default()
        };
        let exercise = exercise("ex07", &[]);
        assert!(judge(&exercise, &outcome, String::new(), true).passed);
        let altered = judge(&exercise, &outcome, String::new(), false);
        assert!(!altered.passed && altered.note.unwrap().contains("not the course's"));

        let folder = Folder::new("own-tests");
        folder.write("solutions/ex07-adam/tests/ex07.rs", "a\nb\n");
        assert!(!own_tests(&exercise, &folder.0));
        folder.write("exercises/ex07-adam/tests/ex07.rs", "a\r\nb\r\n");
        assert!(own_tests(&exercise, &folder.0));
        folder.write("exercises/ex07-adam/tests/more.rs", "");
        assert!(!own_tests(&exercise, &folder.0));
    }

    #[test]
    fn the_hash_is_sha_256_over_lengths_and_pieces() {
        // printf '\1\0\0\0\0\0\0\0a' | sha256sum
        assert_eq!(
            hash_of([&b"a"[..]]),
            "ae6121c88ba555f64c3d812123eb799d128015541f850c5e9bf1d54c08ad8481"
        );
        assert_ne!(hash_of([&b"ab"[..], b"c"]), hash_of([&b"a"[..], b"bc"]));
    }

    #[test]
    fn hashes_change_with_names_and_contents_and_not_with_line_ends() {
        let folder = Folder::new("hashes");
        let exercise = exercise("ex07", &[]);
        folder.write("exercises/ex07-adam/Cargo.toml", "a");
        folder.write("exercises/ex07-adam/src/lib.rs", "a\nb\n");
        let first = files_hash(&exercise, &folder.0).unwrap();
        folder.write("exercises/ex07-adam/src/lib.rs", "a\r\nb\r\n");
        assert_eq!(files_hash(&exercise, &folder.0).unwrap(), first);
        folder.write("exercises/ex07-adam/src/lib.old-1.rs", "kept");
        assert_eq!(files_hash(&exercise, &folder.0).unwrap(), first);
        folder.write("exercises/ex07-adam/src/lib.rs", "a\nc\n");
        assert_ne!(files_hash(&exercise, &folder.0).unwrap(), first);
    }

    #[test]
    fn days_are_dates() {
        for (days, text) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_454, "2026-01-01"),
            (20_780, "2026-11-23"),
            (20_818, "2026-12-31"),
        ] {
            assert_eq!(date(days), text);
        }
    }
}
