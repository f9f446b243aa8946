//! The red team: cheats of every kind earn what they honestly earn, and leave no trace outside the sandbox.
//!
//! `redteam/NAME/` has the files as they are handed in and a `cheat.toml`, which says what it tries, what stops it and what it earns.
//! What no repository can hold, such as a pipe or an archive, the `make` tables of that file describe.
//! The corpus is never run without a sandbox. It takes minutes, so it has to be asked for; `MOMENTS_CHEAT` chooses by parts of names, with commas:
//!
//! ```text
//! MOMENTS_CHEAT=bomb cargo test -p moments-grader --test redteam -- --ignored --nocapture
//! ```

// Texts of cheats are put together here; how fast does not matter.
#![allow(clippy::format_collect, clippy::format_push_string)]

mod judging;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use judging::{cache, course, exercise, options};
use moments_checks::{
    Case, Exam, Exercise, Fault, Frame, SEED, Stepper, Subject, TOLERANCE, Trusted,
};
use moments_grader::intake::{Handout, Submission, find};
use moments_grader::judge::{Grader, Infra};
use moments_grader::outcome::{Held, Outcome, Status, Tier};
use moments_grader::sandbox::Sandbox;
use serde::Deserialize;

/// The kinds of cheats; each has a cheat in the corpus.
const ROWS: [&str; 19] = [
    "`std::process::exit(0)` before the tests end",
    "printing \"test result: ok\" or any forged output",
    "editing tests, Cargo.toml, `harness = false`, `[patch]`",
    "`.cargo/config.toml` (runner, rustc wrapper, linker), `rust-toolchain.toml`",
    "build.rs, proc macros",
    "`include_str!`, `include!`, `env!`, `option_env!` to read tests, seeds, secrets",
    "`#[no_mangle]`, `#[export_name]`, `extern \"C\"`, `link_section` constructors",
    "memory tampering without `unsafe` (`/proc/self/mem`)",
    "compile bombs (const evaluation, monomorphisation, macro recursion, `include!(\"/dev/urandom\")`)",
    "fork bomb, endless output, endless loop, huge allocation, sleep",
    "writing or replacing the result file",
    "stealing a nonce from argv, environment or memory",
    "a type whose `PartialEq` always answers true",
    "calling the reference (`use moments::Adam`)",
    "hard-coding the visible traces",
    "looking ahead (a table of gradients)",
    "exfiltration, reverse shell",
    "ANSI, HTML, workflow commands (`::notice::`) in feedback",
    "timing tricks",
];

/// What the files that a cheat writes are called, and what it sends.
const TRACE: &str = "moments-redteam-was-here";
/// What a cheat puts before what it has found.
const LEAK: &str = "LEAK";

/// A cheat as its file describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cheat {
    #[serde(skip)]
    name: String,
    /// The id of the exercise.
    exercise: String,
    /// Which of [`ROWS`] it belongs to.
    row: String,
    /// What it tries.
    tries: String,
    /// What stops it.
    stopped_by: String,
    /// How far grading comes; more than one where it depends on the sandbox or on the version of the compiler.
    status: OneOrMore,
    /// The checks that it honestly earns; `*` is all of them.
    earns: Vec<String>,
    /// Words of the limit that it must hit, one of them.
    #[serde(default)]
    limit: Vec<String>,
    /// Whether it holds on all cases of `cargo test` and fails on hidden ones.
    #[serde(default)]
    fails_hidden: bool,
    /// What is made before it is handed in.
    #[serde(default)]
    make: Vec<Make>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(Status),
    More(Vec<Status>),
}

impl OneOrMore {
    fn has(&self, status: Status) -> bool {
        match self {
            Self::One(one) => *one == status,
            Self::More(more) => more.contains(&status),
        }
    }
}

/// A file that is made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Make {
    path: String,
    /// A symbolic link to this.
    link: Option<String>,
    /// A hard link to this file of the cheat.
    hard_link: Option<String>,
    /// A named pipe.
    #[serde(default)]
    pipe: bool,
    /// So many zero bytes, which take no room.
    size: Option<u64>,
    /// These bytes.
    bytes: Option<Vec<u8>>,
    /// This text.
    text: Option<String>,
    /// This many folders more on the way.
    nested: Option<usize>,
    /// Texts, each so many times.
    parts: Option<Vec<(String, usize)>>,
    /// An archive of a path and a text each, repeated if a number follows; `-> TO` is a symbolic link.
    entries: Option<Vec<Entry>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    Text(String, String),
    Repeated(String, String, usize),
}

fn corpus() -> Vec<Cheat> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("redteam");
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let read = |name: String| {
        let text = fs::read_to_string(place(&name).join("cheat.toml")).unwrap();
        let cheat: Cheat = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Cheat { name, ..cheat }
    };
    names.into_iter().map(read).collect()
}

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("redteam")
        .join(name)
}

/// A folder that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("moments-redteam-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Puts a cheat together as it is handed in.
fn hand_in(cheat: &Cheat, scratch: &Path) -> PathBuf {
    let folder = scratch.join("mallory");
    copy(&place(&cheat.name), &folder);
    fs::remove_file(folder.join("cheat.toml")).unwrap();
    for make in &cheat.make {
        make_one(make, &folder);
    }
    folder
}

fn make_one(make: &Make, folder: &Path) {
    let mut path = folder.join(&make.path);
    if let Some(nested) = make.nested {
        let (above, name) = (
            path.parent().unwrap().to_owned(),
            path.file_name().unwrap().to_owned(),
        );
        // Made from within, step by step: the whole path would be too long for some systems.
        path = above.join("d/".repeat(nested)).join(name);
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if let Some(to) = &make.link {
        link(to, &path);
    } else if let Some(to) = &make.hard_link {
        fs::hard_link(folder.join(to), &path).unwrap();
    } else if make.pipe {
        let made = std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap();
        assert!(made.success());
    } else if let Some(size) = make.size {
        File::create(&path).unwrap().set_len(size).unwrap();
    } else if let Some(bytes) = &make.bytes {
        fs::write(&path, bytes).unwrap();
    } else if let Some(parts) = &make.parts {
        let text: String = parts
            .iter()
            .map(|(text, times)| text.repeat(*times))
            .collect();
        fs::write(&path, text).unwrap();
    } else if let Some(entries) = &make.entries {
        fs::write(&path, archive(&make.path, entries)).unwrap();
    } else {
        fs::write(&path, make.text.as_deref().unwrap()).unwrap();
    }
}

#[cfg(unix)]
fn link(to: &str, at: &Path) {
    std::os::unix::fs::symlink(to, at).unwrap();
}

#[cfg(not(unix))]
fn link(_: &str, _: &Path) {
    unreachable!("the corpus is tried where there are sandboxes");
}

fn archive(name: &str, entries: &[Entry]) -> Vec<u8> {
    let entries: Vec<(&str, String)> = entries
        .iter()
        .map(|entry| match entry {
            Entry::Text(path, text) => (path.as_str(), text.clone()),
            Entry::Repeated(path, text, times) => (path.as_str(), text.repeat(*times)),
        })
        .collect();
    if name.ends_with("zip") {
        let mut bytes = Vec::new();
        let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
        for (path, text) in &entries {
            let path = rawzip::path::EntryPath::verbatim(path.as_bytes());
            let builder = archive.new_file(path);
            let (mut entry, config) = builder
                .compression_method(rawzip::CompressionMethod::DEFLATE)
                .start()
                .unwrap();
            let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::best()));
            writer.write_all(text.as_bytes()).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap();
        return bytes;
    }
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in &entries {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_mode(0o644);
        let content = match text.strip_prefix("-> ") {
            Some(to) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_link_name(to).unwrap();
                ""
            }
            None => text,
        };
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    let bytes = builder.into_inner().unwrap();
    if name.ends_with("tar") {
        return bytes;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bytes).unwrap();
    encoder.finish().unwrap()
}

/// What was handed in, as the grader takes it.
fn taken(cheat: &Cheat, folder: &Path) -> Submission {
    let handouts = Handout::all(&course().join("crates/course/starters")).unwrap();
    let mut found = find(folder.parent().unwrap(), &handouts, Some(&cheat.exercise)).unwrap();
    let mut read = found.read();
    assert_eq!(found.unread, [], "{}", cheat.name);
    assert_eq!(read.len(), 1, "{}", cheat.name);
    read.remove(0)
}

// --- The corpus itself ----------------------------------------------------------------------------------------------------------

#[test]
fn every_kind_of_cheat_is_in_the_corpus_and_says_what_it_is() {
    let corpus = corpus();
    assert!(corpus.len() >= 100, "{}", corpus.len());
    for row in ROWS {
        assert!(corpus.iter().any(|cheat| cheat.row == row), "{row}");
    }
    for cheat in &corpus {
        assert!(
            ROWS.contains(&cheat.row.as_str()),
            "{}: {}",
            cheat.name,
            cheat.row
        );
        for sentence in [&cheat.tries, &cheat.stopped_by] {
            assert!(
                sentence.len() > 10 && sentence.ends_with('.'),
                "{}: {sentence}",
                cheat.name
            );
        }
        let checks: Vec<&str> = exercise(&cheat.exercise)
            .checks
            .iter()
            .map(|check| check.name)
            .collect();
        for earned in &cheat.earns {
            assert!(
                earned == "*" || checks.contains(&earned.as_str()),
                "{}: {earned}",
                cheat.name
            );
        }
    }
}

#[test]
fn refused_cheats_are_refused_when_they_are_taken_in() {
    let corpus = corpus();
    let refused: Vec<&Cheat> = corpus
        .iter()
        .filter(|cheat| matches!(cheat.status, OneOrMore::One(Status::Refused)))
        .collect();
    assert!(refused.len() > 10);
    for cheat in corpus
        .iter()
        .filter(|cheat| !cheat.status.has(Status::Refused))
    {
        let scratch = Scratch::new(&format!("taken-{}", cheat.name));
        let submission = taken(cheat, &hand_in(cheat, &scratch.0));
        let files = submission
            .files
            .unwrap_or_else(|refusal| panic!("{}: {}", cheat.name, refusal.why));
        assert!(files.sources.iter().all(|(path, _)| {
            Path::new(path)
                .extension()
                .is_some_and(|ending| ending == "rs")
        }));
    }
    for cheat in refused {
        let scratch = Scratch::new(&format!("refused-{}", cheat.name));
        let folder = hand_in(cheat, &scratch.0);
        let why = taken(cheat, &folder).files.expect_err(&cheat.name).why;
        assert!(
            why.ends_with('.') && !why.chars().any(char::is_control),
            "{}: {why:?}",
            cheat.name
        );
        assert!(!why.contains("mallory"), "{}: {why}", cheat.name);
    }
}

// --- In every sandbox that is here ----------------------------------------------------------------------------------------------

#[test]
#[ignore = "it takes minutes; .ci/run does it"]
fn cheats_earn_nothing_in_bubblewrap() {
    earn_nothing(Tier::Bubblewrap);
}

#[test]
#[ignore = "it takes minutes; .ci/run does it"]
fn cheats_earn_nothing_as_another_user() {
    earn_nothing(Tier::User);
}

#[test]
#[ignore = "it takes minutes; .ci/run does it"]
fn cheats_earn_nothing_in_a_container() {
    earn_nothing(Tier::Container);
}

fn earn_nothing(tier: Tier) {
    // One sandbox at a time: each guard watches the same places.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);

    let sandbox = match Sandbox::probe(Some(tier)) {
        Ok(sandbox) => sandbox,
        Err(why) => return eprintln!("not tried on this machine: {why}"),
    };
    let mut options = options();
    // Less than a submission has, so that a hundred cheats do not take all day.
    options.bounds.compile.cpu = 4;
    options.bounds.answer_seconds = 1;
    options.bounds.run.cpu = 4;
    // Wall time: a machine may be busy, and an honest program waits then too.
    options.bounds.run_seconds = 60;
    let grader = Grader::open(&course(), &cache(), sandbox, options).unwrap();

    let guard = Guard::new();
    let only = std::env::var("MOMENTS_CHEAT").ok();
    let corpus = corpus();
    let chosen: Vec<&Cheat> = corpus
        .iter()
        .filter(|cheat| {
            only.as_ref()
                .is_none_or(|only| only.split(',').any(|part| cheat.name.contains(part)))
        })
        .collect();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let jobs = std::thread::available_parallelism().map_or(1, |count| count.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (grader, chosen, next, wrong) = (&grader, &chosen, &next, &wrong);
            scope.spawn(move || {
                while let Some(cheat) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = one(grader, cheat) {
                        eprintln!("{} is not as it says: {why}", cheat.name);
                        wrong.lock().unwrap().push(format!("{}: {why}", cheat.name));
                    }
                    Guard::nothing_left(&cheat.name);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} cheats:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    guard.nothing_changed();
}

/// Hands in one cheat, and sees that it comes out as its file says.
fn one(grader: &Grader, cheat: &Cheat) -> Result<(), String> {
    let scratch = Scratch::new(&format!("{:?}-{}", grader.tier(), cheat.name));
    let submission = taken(cheat, &hand_in(cheat, &scratch.0));
    let began = Instant::now();
    let outcome = grade(grader, &submission)
        .map_err(|infra| format!("taken for a fault of the machine: {infra}"))?;
    let (took, status) = (began.elapsed().as_secs_f64(), word(outcome.status));
    eprintln!("{took:5.1} s  {status}  {}", cheat.name);
    as_it_says(cheat, &outcome).map_err(|why| format!("{why}\n{outcome:#?}"))
}

fn grade(grader: &Grader, submission: &Submission) -> Result<Outcome, Infra> {
    grader.grade(submission, &grader.slot()?)
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Graded => "graded          ",
        Status::DoesNotCompile => "does not compile",
        Status::Refused => "refused         ",
    }
}

/// Whether a cheat comes out as its file says.
fn as_it_says(cheat: &Cheat, outcome: &Outcome) -> Result<(), String> {
    if !cheat.status.has(outcome.status) {
        return Err(format!("its status is {:?}", outcome.status));
    }
    let held: Vec<&str> = outcome
        .checks
        .iter()
        .filter(|check| check.result == Held::Holds || check.points > 0)
        .map(|check| check.name.as_str())
        .collect();
    let all = cheat.earns == ["*"];
    let earned = if all {
        outcome.points == outcome.max_points
    } else {
        cheat.earns == held
    };
    if !earned {
        return Err(format!("it earns {held:?}"));
    }
    let points: u32 = outcome.checks.iter().map(|check| check.points).sum();
    if points != outcome.points || !outcome.official {
        return Err("the outcome does not add up".to_owned());
    }
    if cheat.fails_hidden
        && !outcome
            .checks
            .iter()
            .all(|check| check.result == Held::FailsHidden)
    {
        return Err(
            "it should hold on the cases that everybody has, and fail on hidden ones".to_owned(),
        );
    }
    let limits = outcome
        .checks
        .iter()
        .filter_map(|check| check.limit.as_ref())
        .chain(&outcome.remarks)
        .chain(outcome.checks.iter().map(|check| &check.message));
    if !cheat.limit.is_empty()
        && !limits
            .into_iter()
            .any(|limit| cheat.limit.iter().any(|word| limit.contains(word.as_str())))
    {
        return Err(format!("it should hit a limit: {:?}", cheat.limit));
    }
    // What the student's code says or is called reaches nobody as it is.
    let words = outcome
        .remarks
        .iter()
        .chain(outcome.checks.iter().map(|check| &check.message))
        .flat_map(|text| text.split('\n'));
    for line in words {
        if line.chars().any(char::is_control) || line.trim_start().starts_with("::") {
            return Err(format!("it is told {line:?}"));
        }
        if line.contains(LEAK) && outcome.status == Status::Graded {
            return Err(format!("it leaks: {line:?}"));
        }
    }
    Ok(())
}

/// Sees that nothing outside the sandbox is created or changed.
struct Guard {
    canary: Scratch,
    before: BTreeMap<PathBuf, (u64, Option<SystemTime>)>,
    watched: BTreeMap<PathBuf, (u64, Option<SystemTime>)>,
}

/// Folders to which a program that got out could write, and how deep they are looked through.
fn places() -> Vec<(PathBuf, usize)> {
    let mut places: Vec<(PathBuf, usize)> = [
        "/",
        "/etc",
        "/usr/local",
        "/opt",
        "/srv",
        "/mnt",
        "/run",
        "/var/tmp",
        "/dev/shm",
        "/home",
        "/var/lib",
    ]
    .map(|path| (PathBuf::from(path), 1))
    .to_vec();
    places.push((std::env::temp_dir(), 1));
    places.extend(std::env::home_dir().map(|home| (home, 1)));
    places.push((std::env::current_dir().unwrap(), 1));
    for part in ["crates/grader", "crates/checks", "exercises", "solutions"] {
        places.push((course().join(part), 6));
    }
    places
}

fn list(folder: &Path, depth: usize, into: &mut BTreeMap<PathBuf, (u64, Option<SystemTime>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(about) = entry.metadata() else {
            continue;
        };
        if about.is_dir() && depth > 1 {
            list(&entry.path(), depth - 1, into);
        }
        let size = if about.is_dir() { 0 } else { about.len() };
        let changed = if about.is_dir() {
            None
        } else {
            about.modified().ok()
        };
        into.insert(entry.path(), (size, changed));
    }
}

impl Guard {
    fn new() -> Self {
        let canary = Scratch::new("canary");
        for path in [
            "results.json",
            "adam-torch.txt",
            "key/course.key",
            "outcomes/somebody.json",
        ] {
            let path = canary.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "the canary sings\n").unwrap();
        }
        let mut before = BTreeMap::new();
        list(&canary.0, 3, &mut before);
        Self {
            canary,
            before,
            watched: watched(),
        }
    }

    /// No file of the name that cheats write is anywhere outside.
    fn nothing_left(cheat: &str) {
        let mut now = BTreeMap::new();
        for (place, _) in places() {
            list(&place, 1, &mut now);
        }
        let left: Vec<_> = now
            .keys()
            .filter(|path| path.to_string_lossy().contains(TRACE))
            .collect();
        assert!(left.is_empty(), "{cheat} has left {left:?}");
    }

    /// What was there is there as it was, and nothing else is.
    fn nothing_changed(&self) {
        let mut now = BTreeMap::new();
        list(&self.canary.0, 3, &mut now);
        assert_eq!(now, self.before);
        for file in now.keys().filter(|path| path.is_file()) {
            assert_eq!(fs::read_to_string(file).unwrap(), "the canary sings\n");
        }
        let now = watched();
        let differ: Vec<_> = now
            .iter()
            .filter(|(path, about)| self.watched.get(*path) != Some(about))
            .collect();
        assert!(differ.is_empty(), "changed outside: {differ:?}");
        let gone: Vec<_> = self
            .watched
            .keys()
            .filter(|path| !now.contains_key(*path))
            .collect();
        assert!(gone.is_empty(), "gone outside: {gone:?}");
    }
}

/// The files of the course, which nobody else changes while the tests run, and those of the system that nobody does.
fn watched() -> BTreeMap<PathBuf, (u64, Option<SystemTime>)> {
    let mut seen = BTreeMap::new();
    for (place, depth) in places() {
        if depth > 1
            || ["/", "/opt", "/srv", "/mnt", "/usr/local"]
                .iter()
                .any(|path| place == Path::new(path))
        {
            list(&place, depth, &mut seen);
        }
    }
    seen
}

// --- Hard-coded traces ----------------------------------------------------------------------------------------------------------

/// Passes a case on to a right implementation and keeps what it shows.
struct Recorder {
    start: fn(&Case) -> moments_checks::Step,
    runs: std::rc::Rc<std::cell::RefCell<Vec<Recorded>>>,
}

/// A case, its inputs and what was seen.
#[derive(Clone, Debug)]
struct Recorded {
    case: Case,
    steps: Vec<(Vec<f64>, Frame)>,
}

struct RecorderStep {
    inner: Box<dyn Stepper>,
    runs: std::rc::Rc<std::cell::RefCell<Vec<Recorded>>>,
    index: usize,
}

impl Subject for Recorder {
    fn start(&self, case: &Case) -> Result<Box<dyn Stepper>, Fault> {
        let mut runs = self.runs.borrow_mut();
        runs.push(Recorded {
            case: case.clone(),
            steps: Vec::new(),
        });
        Ok(Box::new(RecorderStep {
            inner: Trusted(self.start).start(case)?,
            runs: std::rc::Rc::clone(&self.runs),
            index: runs.len() - 1,
        }))
    }
}

impl Stepper for RecorderStep {
    fn step(&mut self, input: &[f64]) -> Result<Frame, Fault> {
        let frame = self.inner.step(input)?;
        self.runs.borrow_mut()[self.index]
            .steps
            .push((input.to_vec(), frame.clone()));
        Ok(frame)
    }
}

/// All that the tests of an exercise ask, and the right answers: what a student can print.
fn asked(exercise: &'static Exercise) -> Vec<Recorded> {
    let recorder = Recorder {
        start: exercise.variants[0].start,
        runs: std::rc::Rc::default(),
    };
    let exam = Exam {
        subject: &recorder,
        seed: SEED,
        tolerance: TOLERANCE,
    };
    for check in exercise.checks {
        (check.run)(&exam).unwrap_or_else(|failure| panic!("{failure:?}"));
    }
    recorder.runs.take()
}

/// Numbers as hexadecimal digits of their bits, in lines.
fn hexadecimal(numbers: impl IntoIterator<Item = f64>) -> String {
    let words: Vec<String> = numbers
        .into_iter()
        .map(|number| format!("{:016x}", number.to_bits()))
        .collect();
    words
        .chunks(8)
        .flat_map(|line| [line.concat(), "\n".to_owned()])
        .collect()
}

/// A file that replays the cases of ex07.
fn replay_of_ex07() -> String {
    let mut table = String::new();
    let mut known = Vec::new();
    for run in asked(exercise("ex07")) {
        let Some((first, _)) = run.steps.first().filter(|(_, frame)| !frame[0].is_empty()) else {
            continue;
        };
        let settings = run.case.settings.iter().map(|(_, value)| *value);
        let settings: Vec<f64> = if run.case.settings.is_empty() {
            vec![1e-3, 0.9, 0.999, 1e-8]
        } else {
            settings.collect()
        };
        let head: Vec<f64> = settings
            .into_iter()
            .chain(run.case.start.clone())
            .chain(first.clone())
            .collect();
        if known.contains(&hexadecimal(head.clone())) {
            continue;
        }
        known.push(hexadecimal(head.clone()));
        // Two thousand equal steps are one of them.
        let frames = if run.steps.len() >= 2000 {
            &run.steps[..1]
        } else {
            &run.steps[..]
        };
        let body = frames.iter().flat_map(|(_, frame)| frame[0].clone());
        table += &format!(
            "{}:\n{}{}",
            run.case.start.len(),
            hexadecimal(head),
            hexadecimal(body)
        );
    }
    format!("{REPLAY_07}{table}\";\n")
}

const REPLAY_07: &str = r#"//! Every case of the tests with its answers, as anyone can print them; nothing is computed.

pub struct Adam {
    pub lr: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    run: Option<Vec<f64>>,
    steps: usize,
}

impl Adam {
    pub fn new(_: usize) -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            run: None,
            steps: 0,
        }
    }

    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {
        if self.run.is_none() {
            let settings = [self.lr, self.beta1, self.beta2, self.eps];
            let head: Vec<f64> = settings.into_iter().chain(theta.to_vec()).chain(grad.to_vec()).collect();
            self.run = Some(look_up(theta.len(), &head));
        }
        let run = self.run.as_deref().unwrap_or_default();
        self.steps += 1;
        let (steps, len) = (self.steps, theta.len());
        for (i, theta) in theta.iter_mut().enumerate() {
            *theta = match run.get((steps - 1) * len + i) {
                Some(value) => *value,
                // The case of two thousand equal steps from 0 has one of them.
                None if run.len() == len => run[i] * steps as f64,
                None => f64::NAN,
            };
        }
    }
}

/// The answers of the case that begins like this.
fn look_up(len: usize, head: &[f64]) -> Vec<f64> {
    for (before, after) in TABLE.match_indices(':').map(|(at, _)| (&TABLE[..at], &TABLE[at + 1..])) {
        let known_len = before.lines().next_back().unwrap_or_default();
        if known_len.parse() != Ok(len) {
            continue;
        }
        let digits: String = after.lines().skip(1).take_while(|line| line.len() >= 16).collect();
        let words = digits.as_bytes().chunks(16).map(|word| std::str::from_utf8(word).unwrap());
        let numbers: Vec<f64> = words.map(|word| f64::from_bits(u64::from_str_radix(word, 16).unwrap())).collect();
        if numbers.starts_with(head) {
            return numbers[head.len()..].to_vec();
        }
    }
    Vec::new()
}

const TABLE: &str = "\
"#;

/// A file that replays the cases of ex11, the schedules, which are closed forms.
fn replay_of_ex11() -> String {
    let calls = [
        "linear",
        "step_decay",
        "cosine",
        "warmup",
        "warmup_cosine",
        "wsd",
        "inverse_sqrt",
    ];
    let mut rows = BTreeMap::new();
    for run in asked(exercise("ex11")) {
        let call = calls
            .iter()
            .position(|call| *call == run.case.call)
            .unwrap();
        for (input, frame) in &run.steps {
            let key = run.case.settings.iter().map(|(_, value)| *value);
            let key: Vec<u64> = key.chain(input.clone()).map(f64::to_bits).collect();
            rows.insert(hash(call as u64, &key), frame[0][0]);
        }
    }
    let table: String = rows
        .into_iter()
        .map(|(key, value)| format!("{key:016x}{:016x}\n", value.to_bits()))
        .collect();
    format!("{REPLAY_11}{table}\";\n")
}

/// FNV-1a over words.
fn hash(call: u64, words: &[u64]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ call;
    words.iter().fold(start, |hash, word| {
        word.to_le_bytes().iter().fold(hash, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    })
}

const REPLAY_11: &str = r#"//! Every call of the tests with its answer, as anyone can print them; nothing is computed.

pub fn linear(t: u64, from: f64, to: f64, steps: u64) -> f64 {
    look_up(0, &[from, to, steps as f64, t as f64])
}

pub fn step_decay(t: u64, lr: f64, factor: f64, every: u64) -> f64 {
    look_up(1, &[lr, factor, every as f64, t as f64])
}

pub fn cosine(t: u64, peak: f64, floor: f64, steps: u64) -> f64 {
    look_up(2, &[peak, floor, steps as f64, t as f64])
}

pub fn warmup(t: u64, peak: f64, warmup: u64) -> f64 {
    look_up(3, &[peak, warmup as f64, t as f64])
}

pub fn warmup_cosine(t: u64, peak: f64, floor: f64, warmup: u64, steps: u64) -> f64 {
    look_up(4, &[peak, floor, warmup as f64, steps as f64, t as f64])
}

pub fn wsd(t: u64, peak: f64, floor: f64, warmup: u64, stable: u64, cooldown: u64) -> f64 {
    look_up(5, &[peak, floor, warmup as f64, stable as f64, cooldown as f64, t as f64])
}

pub fn inverse_sqrt(t: u64, peak: f64, warmup: u64) -> f64 {
    look_up(6, &[peak, warmup as f64, t as f64])
}

/// The answer to a call, known by a hash of its arguments.
fn look_up(call: u64, arguments: &[f64]) -> f64 {
    let mut key = 0xcbf2_9ce4_8422_2325 ^ call;
    for byte in arguments.iter().flat_map(|argument| argument.to_bits().to_le_bytes()) {
        key = (key ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let key = format!("{key:016x}");
    let line = TABLE.lines().find(|line| line.starts_with(&key));
    line.map_or(f64::NAN, |line| f64::from_bits(u64::from_str_radix(&line[16..], 16).unwrap()))
}

const TABLE: &str = "\
"#;

#[test]
fn hard_coded_traces_are_those_of_the_tests_of_today() {
    let files = [
        ("hard-coded-trajectories", replay_of_ex07()),
        ("hard-coded-schedules", replay_of_ex11()),
    ];
    for (name, text) in files {
        let path = place(name).join("src/lib.rs");
        if std::env::var_os("MOMENTS_WRITE_REDTEAM").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == text,
            "{}: the checks have changed; write it anew with MOMENTS_WRITE_REDTEAM=1 cargo test -p moments-grader --test redteam hard_coded",
            path.display()
        );
    }
}
