//! Running the tests of exercises: one cargo builds them all, and then each test program runs by itself.
//!
//! So an exercise that does not compile keeps no other one from being tested, and eighteen exercises cost one cargo.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::exercises::Exercise;
use crate::process;
use crate::starter;
use crate::stop::Stop;
use crate::ui::strip_colour;

/// Names of tests, and whether each passed.
pub(crate) type Verdicts = Vec<(String, bool)>;

/// Names of failed tests, and what each said.
pub(crate) type Messages = Vec<(String, String)>;

/// What a run of an exercise's tests gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Whether there is a test program to run.
    pub(crate) compiled: bool,
    /// Whether every test program ended well.
    pub(crate) success: bool,
    /// Name and verdict of each test, in the order of the test file.
    pub(crate) tests: Verdicts,
    /// What each failed test said.
    pub(crate) messages: Messages,
    /// What the compiler said.
    pub(crate) compiler: String,
    /// The last words of a test program that the system ended: a stack that overflowed, a call of `abort`.
    pub(crate) crash: Option<String>,
}

impl Outcome {
    /// A run without a single test is no pass.
    pub(crate) fn passed(&self) -> bool {
        self.compiled
            && self.success
            && !self.tests.is_empty()
            && self.tests.iter().all(|(_, passed)| *passed)
    }

    /// Adds what one test program left.
    fn add(&mut self, done: &Done) {
        let (tests, messages) = parse(&done.stdout);
        self.tests.extend(tests);
        self.messages.extend(messages);
        self.success &= done.success;
        // A harness that comes to its end says so, whatever its verdict is.
        let ended = |line: &str| line.starts_with("test result:");
        if !done.stdout.lines().any(ended) {
            let words = format!("{}\n{}", done.stderr.trim(), done.status);
            self.crash = Some(words.trim().to_owned());
        }
    }

    /// How many tests pass.
    pub(crate) fn passing(&self) -> usize {
        self.tests.iter().filter(|(_, passed)| *passed).count()
    }

    /// The message to show: one mistake fails many checks, and the first one, in the order of the file, has the most to say.
    pub(crate) fn first_message(&self) -> Option<(&str, &str)> {
        self.tests
            .iter()
            .filter(|(_, passed)| !passed)
            .filter_map(|(name, _)| self.messages.iter().find(|(of, _)| of == name))
            .find(|(_, text)| !text.starts_with("First mend"))
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

/// How to run tests.
#[derive(Debug, Clone)]
pub(crate) struct Runner<'a> {
    root: &'a Path,
    /// A build folder other than the usual one.
    target: Option<PathBuf>,
    /// Whether the compiler is to write in colour.
    colour: bool,
    stop: Stop,
}

/// What a run is busy with, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Busy {
    /// Another cargo builds in the same folder.
    Blocked(Duration),
    Builds(Duration),
    Runs(Duration),
}

impl Busy {
    /// The line to show while it lasts; a wait of a second needs none.
    pub(crate) fn words(self, what: &str) -> Option<String> {
        let (text, waited) = match self {
            Self::Blocked(waited) => (
                format!("Another cargo is building in this clone; waiting for it, to test {what}"),
                waited,
            ),
            Self::Builds(waited) => (format!("Compiling {what}"), waited),
            Self::Runs(waited) => (format!("Testing {what}"), waited),
        };
        let seconds = waited.as_secs();
        (seconds > 0).then(|| format!("{text} ... {seconds} s"))
    }
}

impl<'a> Runner<'a> {
    pub(crate) fn new(root: &'a Path) -> Self {
        Self {
            root,
            target: None,
            colour: false,
            stop: Stop::default(),
        }
    }

    pub(crate) fn colour(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }

    /// Builds in this folder.
    pub(crate) fn target(mut self, folder: PathBuf) -> Self {
        self.target = Some(folder);
        self
    }

    /// Gives up, and ends what it has started, when this one wants to stop.
    pub(crate) fn until(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Builds and runs the tests of exercises: an outcome for each of them, or nothing when it was stopped.
    pub(crate) fn run(
        &self,
        exercises: &[&Exercise],
        on_wait: &mut dyn FnMut(Busy),
    ) -> Result<Option<Vec<Outcome>>> {
        if exercises.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let Some(builds) = self.build(exercises, on_wait)? else {
            return Ok(None);
        };
        self.test(exercises, &builds, on_wait)
    }

    fn build(
        &self,
        exercises: &[&Exercise],
        on_wait: &mut dyn FnMut(Busy),
    ) -> Result<Option<Vec<Build>>> {
        // Without its code an exercise is no crate, and then cargo runs nothing in the whole workspace, this command included.
        for exercise in exercises {
            let file = exercise.file();
            if !self.root.join(&file).is_file() {
                let copy = starter::copy(&exercise.id);
                bail!(
                    "{file} is missing, and without it cargo does nothing here. Restore it: `git checkout -- {file}`, or copy {copy} there."
                );
            }
        }
        let format = if self.colour {
            "--message-format=json-diagnostic-rendered-ansi"
        } else {
            "--message-format=json"
        };
        let mut command = cargo(self.root);
        // `cargo test --no-run` ends at the first error, and would leave the others unbuilt; what this builds is the same.
        command.args(["build", "--tests", "--keep-going", format]);
        for exercise in exercises {
            command.args(["--package", &exercise.slug]);
        }
        if let Some(target) = &self.target {
            command.env("CARGO_TARGET_DIR", target);
        }
        let blocked = Arc::new(AtomicBool::new(false));
        let running = Running::start(&mut command, Some(Arc::clone(&blocked)))
            .context("Could not run cargo. Install Rust from https://rustup.rs")?;
        let began = Instant::now();
        let Some(done) = running.finish(&self.stop, &mut || {
            on_wait(if blocked.load(Ordering::Relaxed) {
                Busy::Blocked(began.elapsed())
            } else {
                Busy::Builds(began.elapsed())
            });
        })?
        else {
            return Ok(None);
        };
        let Some(builds) = builds(&done.stdout, exercises) else {
            bail!("cargo could not begin:\n{}", cargo_text(&done.stderr));
        };
        Ok(Some(builds))
    }

    fn test(
        &self,
        exercises: &[&Exercise],
        builds: &[Build],
        on_wait: &mut dyn FnMut(Busy),
    ) -> Result<Option<Vec<Outcome>>> {
        let outcomes = Mutex::new(Vec::new());
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let (Some(exercise), Some(build)) = (exercises.get(number), builds.get(number))
                else {
                    return;
                };
                let outcome = test_one(exercise, build, self.root, &self.stop);
                let mut held = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                held.push((number, outcome));
            }
        };
        let began = Instant::now();
        thread::scope(|scope| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            let (sender, done) = mpsc::channel::<()>();
            for _ in 0..cores.min(exercises.len()) {
                let sender = sender.clone();
                scope.spawn(move || {
                    work();
                    drop(sender);
                });
            }
            drop(sender);
            // The channel closes when the last of them has ended.
            while done.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                on_wait(Busy::Runs(began.elapsed()));
            }
        });
        let mut outcomes = outcomes
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        outcomes.sort_by_key(|(number, _)| *number);
        if self.stop.wanted() {
            return Ok(None);
        }
        outcomes
            .into_iter()
            .map(|(_, outcome)| outcome)
            .collect::<Result<Option<Vec<_>>>>()
    }
}

/// How often somebody who waits is told so.
const PATIENCE: Duration = Duration::from_millis(500);

/// What cargo made of one exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Build {
    programs: Vec<PathBuf>,
    /// What the compiler said, and whether it was an error.
    said: Vec<(bool, String)>,
}

impl Build {
    /// The errors, or what else was said if there is none: a warning beside an error is noise.
    fn text(&self) -> String {
        let errors = self.said.iter().any(|(error, _)| *error);
        let kept: Vec<&str> = self
            .said
            .iter()
            .filter(|(error, _)| *error == errors)
            .map(|(_, text)| text.trim_end())
            .collect();
        kept.join("\n\n")
    }

    fn failed(&self) -> bool {
        self.programs.is_empty() || self.said.iter().any(|(error, _)| *error)
    }
}

/// Reads cargo's messages; nothing if it did not get as far as building.
fn builds(stdout: &str, exercises: &[&Exercise]) -> Option<Vec<Build>> {
    let mut builds = vec![Build::default(); exercises.len()];
    // What exercises need, such as the checks.
    let mut others = Build::default();
    let mut finished = false;
    for line in stdout.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let reason = message["reason"].as_str().unwrap_or_default();
        finished |= reason == "build-finished";
        let folder = message["manifest_path"]
            .as_str()
            .and_then(|path| Path::new(path).parent()?.file_name()?.to_str());
        let build = exercises
            .iter()
            .position(|exercise| Some(exercise.slug.as_str()) == folder)
            .and_then(|number| builds.get_mut(number))
            .unwrap_or(&mut others);
        match reason {
            "compiler-artifact" => {
                let testable = message["profile"]["test"] == true;
                if let (true, Some(path)) = (testable, message["executable"].as_str()) {
                    build.programs.push(path.into());
                }
            }
            "compiler-message" => {
                let said = &message["message"];
                let level = said["level"].as_str().unwrap_or_default();
                let summary = said["message"].as_str().unwrap_or_default();
                if level != "failure-note"
                    && !summary.starts_with("aborting due to")
                    && let Some(text) = said["rendered"].as_str()
                {
                    build
                        .said
                        .push((level.starts_with("error"), text.to_owned()));
                }
            }
            _ => {}
        }
    }
    for build in &mut builds {
        if build.programs.is_empty() && build.said.is_empty() {
            build.said.clone_from(&others.said);
        }
    }
    finished.then_some(builds)
}

/// Runs the test programs of one exercise; nothing when it was stopped.
fn test_one(
    exercise: &Exercise,
    build: &Build,
    root: &Path,
    stop: &Stop,
) -> Result<Option<Outcome>> {
    let mut outcome = Outcome {
        compiled: !build.failed(),
        success: true,
        compiler: build.text(),
        ..Outcome::default()
    };
    if !outcome.compiled {
        outcome.success = false;
        return Ok(Some(outcome));
    }
    for program in &build.programs {
        let mut command = Command::new(program);
        command
            .args(["--color", "never"])
            .current_dir(exercise.folder(root))
            // A learner's panic is told by the checks; the frames below it say nothing about the exercise.
            .env("RUST_BACKTRACE", "0");
        let running = Running::start(&mut command, None)
            .with_context(|| format!("Could not run {}", program.display()))?;
        let Some(done) = running.finish(stop, &mut || ())? else {
            return Ok(None);
        };
        outcome.add(&done);
    }
    order(&mut outcome.tests, exercise, root);
    Ok(Some(outcome))
}

/// A child whose output is being read.
struct Running {
    child: Child,
    stdout: mpsc::Receiver<String>,
    stderr: mpsc::Receiver<String>,
}

/// What a child left.
struct Done {
    success: bool,
    status: String,
    stdout: String,
    stderr: String,
}

impl Running {
    /// Starts a command. Both streams are read at once, because a full pipe would stop the other one.
    fn start(command: &mut Command, blocked: Option<Arc<AtomicBool>>) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut out = child.stdout.take().context("The child has no output")?;
        let err = child.stderr.take().context("The child has no output")?;
        let (send_out, stdout) = mpsc::channel();
        let (send_err, stderr) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = out.read_to_end(&mut bytes);
            let _ = send_out.send(String::from_utf8_lossy(&bytes).into_owned());
        });
        thread::spawn(move || {
            let mut text = String::new();
            let mut reader = BufReader::new(err);
            let mut line = Vec::new();
            while reader
                .read_until(b'\n', &mut line)
                .is_ok_and(|length| length > 0)
            {
                let words = String::from_utf8_lossy(&line);
                if let Some(blocked) = &blocked {
                    let waits = strip_colour(&words).trim_start().starts_with("Blocking ");
                    blocked.store(waits, Ordering::Relaxed);
                }
                text.push_str(&words);
                line.clear();
            }
            let _ = send_err.send(text);
        });
        Ok(Self {
            child,
            stdout,
            stderr,
        })
    }

    /// Waits for its end. When somebody wants to stop, the child and all that it has started are ended, and there is nothing
    /// to tell.
    fn finish(mut self, stop: &Stop, on_wait: &mut dyn FnMut()) -> Result<Option<Done>> {
        let mut told = Instant::now();
        let stdout = loop {
            match self.stdout.recv_timeout(Duration::from_millis(20)) {
                Ok(text) => break text,
                Err(mpsc::RecvTimeoutError::Disconnected) => break String::new(),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if stop.wanted() {
                process::end(&mut self.child, Duration::from_secs(2));
                return Ok(None);
            }
            if told.elapsed() >= PATIENCE {
                told = Instant::now();
                on_wait();
            }
        };
        let status = self
            .child
            .wait()
            .context("Could not wait for what was started")?;
        Ok(Some(Done {
            success: status.success(),
            status: status.to_string(),
            stdout,
            stderr: self.stderr.recv().unwrap_or_default(),
        }))
    }
}

/// Cargo, as the one that runs this command, without the variables that it sets for it.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        // What `cargo run` says about our own package would make cargo rebuild what reads it.
        if name.to_string_lossy().starts_with("CARGO_PKG_")
            || name == "CARGO_MANIFEST_DIR"
            || name == "CARGO_MANIFEST_PATH"
        {
            command.env_remove(name);
        }
    }
    command.current_dir(root);
    command
}

/// What cargo itself said, without its chatter.
fn cargo_text(stderr: &str) -> String {
    let chatter = ["Compiling ", "Finished ", "Blocking ", "Locking "];
    let kept: Vec<&str> = stderr
        .lines()
        .filter(|line| {
            let plain = strip_colour(line);
            !chatter
                .iter()
                .any(|start| plain.trim_start().starts_with(start))
        })
        .collect();
    kept.join("\n").trim().to_owned()
}

/// Reads what the test harness prints: the verdicts, and what failed tests said.
pub(crate) fn parse(stdout: &str) -> (Verdicts, Messages) {
    let mut tests = Vec::new();
    let mut messages: Messages = Vec::new();
    let mut inside = false;
    for line in stdout.lines() {
        if let Some(rest) = line.strip_prefix("test ")
            && let Some((name, verdict)) = rest.split_once(" ... ")
            && !inside
        {
            tests.push((
                name.trim_end_matches(" - should panic").to_owned(),
                verdict == "ok",
            ));
        } else if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            messages.push((name.to_owned(), String::new()));
            inside = true;
        } else if line == "failures:" || line.starts_with("test result:") {
            inside = false;
        } else if inside && let Some((_, text)) = messages.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    for (_, text) in &mut messages {
        let kept: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("note: run with `RUST_BACKTRACE"))
            .collect();
        kept.join("\n").trim().clone_into(text);
    }
    (tests, messages)
}

/// The harness sorts tests by name; their order in the file is the order in which to mend them.
fn order(tests: &mut [(String, bool)], exercise: &Exercise, root: &Path) {
    let mut source = String::new();
    for entry in fs::read_dir(exercise.folder(root).join("tests"))
        .into_iter()
        .flatten()
        .flatten()
    {
        source.push_str(&fs::read_to_string(entry.path()).unwrap_or_default());
    }
    tests.sort_by_key(|(name, _)| source.find(&format!("fn {name}(")).unwrap_or(usize::MAX));
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::exercises::tests::exercise;

    const FAILING: &str = "
running 3 tests
test b ... FAILED
test a ... ok
test c ... FAILED

failures:

---- b stdout ----

First mend `c`.


---- c stdout ----

Asked: something
  expected  1
  got       2
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

failures:
    b
    c

test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    /// The outcome of a failing run.
    pub(crate) fn failing() -> Outcome {
        let (tests, messages) = parse(FAILING);
        Outcome {
            compiled: true,
            success: false,
            tests,
            messages,
            ..Outcome::default()
        }
    }

    #[test]
    fn verdicts_and_messages_are_read_from_the_harness() {
        let (tests, messages) = parse(FAILING);
        let names: Vec<_> = tests
            .iter()
            .map(|(name, ok)| (name.as_str(), *ok))
            .collect();
        assert_eq!(names, [("b", false), ("a", true), ("c", false)]);
        assert_eq!(messages[0], ("b".to_owned(), "First mend `c`.".to_owned()));
        assert_eq!(
            messages[1].1,
            "Asked: something\n  expected  1\n  got       2"
        );
    }

    #[test]
    fn the_first_message_is_the_one_that_says_what_is_wrong() {
        let outcome = failing();
        let (name, text) = outcome.first_message().unwrap();
        assert_eq!(name, "c");
        assert!(text.starts_with("Asked: something"));
        assert_eq!(outcome.passing(), 1);
    }

    #[test]
    fn a_run_without_a_test_does_not_pass() {
        let outcome = Outcome {
            compiled: true,
            success: true,
            ..Outcome::default()
        };
        assert!(!outcome.passed());
    }

    fn message(slug: &str, level: &str, text: &str) -> String {
        let rest = serde_json::json!({
            "reason": "compiler-message",
            "manifest_path": format!("/r/exercises/{slug}/Cargo.toml"),
            "message": { "level": level, "message": text, "rendered": format!("{level}: {text}\n") },
        });
        format!("{rest}\n")
    }

    #[test]
    fn each_exercise_gets_its_own_program_and_its_own_compiler_errors() {
        let [one, two] = ["ex05", "ex07"].map(|id| exercise(id, &[]));
        let artifact = serde_json::json!({
            "reason": "compiler-artifact",
            "manifest_path": "/r/exercises/ex07-adam/Cargo.toml",
            "profile": { "test": true },
            "executable": "/r/target/ex07",
        });
        let library = serde_json::json!({
            "reason": "compiler-artifact",
            "manifest_path": "/r/exercises/ex07-adam/Cargo.toml",
            "profile": { "test": false },
            "executable": null,
        });
        let out = message("ex05-adam", "error", "cannot find value `x`")
            + &message("ex05-adam", "warning", "unused variable")
            + &message("ex05-adam", "error", "aborting due to 1 previous error")
            + &message("ex05-adam", "failure-note", "For more information")
            + &message("ex07-adam", "warning", "unused variable")
            + &format!("{library}\n{artifact}\n");
        let exercises = [&one, &two];
        assert_eq!(builds(&out, &exercises), None, "cargo did not finish");
        let out = out + "{\"reason\":\"build-finished\",\"success\":false}\n";
        let builds = builds(&out, &exercises).unwrap();
        assert!(builds[0].failed());
        assert_eq!(builds[0].text(), "error: cannot find value `x`");
        assert!(!builds[1].failed());
        assert_eq!(builds[1].programs, [PathBuf::from("/r/target/ex07")]);
        assert_eq!(builds[1].text(), "warning: unused variable");
        let out = message("../crates/checks", "error", "broken checks")
            + "{\"reason\":\"build-finished\",\"success\":false}\n";
        let builds = super::builds(&out, &exercises).unwrap();
        assert!(builds[0].failed());
        assert_eq!(builds[0].text(), "error: broken checks");
    }

    #[test]
    fn a_missing_file_is_named_with_what_brings_it_back() {
        let root = std::env::temp_dir().join("moments-no-such-clone");
        let exercise = exercise("ex07", &[]);
        let error = Runner::new(&root)
            .run(&[&exercise], &mut |_| ())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("git checkout -- exercises/ex07-adam/src/lib.rs"),
            "{error}"
        );
        assert!(error.contains("crates/course/starters/ex07.rs"), "{error}");
    }

    #[test]
    fn cargos_own_errors_are_shown_without_its_chatter() {
        let text = "\x1b[1m\x1b[32m   Compiling\x1b[0m ex07 v0.1.0\nerror: no matching package\n";
        assert_eq!(cargo_text(text), "error: no matching package");
    }

    #[test]
    fn a_wait_is_told_after_a_second() {
        assert_eq!(Busy::Builds(Duration::from_millis(900)).words("ex07"), None);
        assert_eq!(
            Busy::Runs(Duration::from_secs(3)).words("ex07").as_deref(),
            Some("Testing ex07 ... 3 s")
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_stopped_ends_at_once_and_tells_nothing() {
        let stop = Stop::default();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 60; echo late"]);
        let running = Running::start(&mut command, None).unwrap();
        let other = stop.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            other.now();
        });
        let began = Instant::now();
        assert!(running.finish(&stop, &mut || ()).unwrap().is_none());
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_test_program_that_the_system_ends_is_no_compiler_error() {
        let mut outcome = Outcome {
            compiled: true,
            success: true,
            ..Outcome::default()
        };
        outcome.add(&Done {
            success: false,
            status: "signal: 6 (SIGABRT)".to_owned(),
            stdout: "\nrunning 2 tests\ntest a ... ok\n".to_owned(),
            stderr: "thread 'b' has overflowed its stack\n".to_owned(),
        });
        assert!(!outcome.passed());
        let crash = outcome.crash.unwrap();
        assert!(crash.contains("overflowed its stack\nsignal: 6"), "{crash}");
    }
}
