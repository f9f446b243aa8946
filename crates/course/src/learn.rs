//! The verbs for learners: `status`, `test`, `hint` and `solution`.

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;
use similar::TextDiff;

use crate::exercises::{self, Exercise, Hints};
use crate::progress::{self, Progress};
use crate::ui::{self, Line, Style, count};

/// Where a learner stands with one exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It passes.
    Passes,
    /// Parts of it are not written yet.
    Todo,
    /// All of it is written, and a check fails or it does not compile.
    Fails,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Todo => "to do",
            Self::Fails => "fails",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Todo => "todo",
            Self::Fails => "fails",
        }
    }
}

/// `cargo course status`.
pub(crate) fn status(root: &Path, as_json: bool) -> Result<ExitCode> {
    let all = exercises::load(root)?;
    let mut progress = Progress::load(root);
    let mut standings = Vec::new();
    let mut line = Line::new();
    for exercise in &all {
        let print = progress::fingerprint(exercise, root);
        let standing = match progress.verdict(&exercise.id, &print) {
            Some(true) => Standing::Passes,
            // Code that still says `todo!` needs no run: at least one check calls it.
            _ if exercise.has_todo(root) => Standing::Todo,
            Some(false) => Standing::Fails,
            None => {
                if !as_json {
                    line.update(&format!("Testing {}, which changed ...", exercise.slug));
                }
                let passed = run_tests(&exercise.slug, root, &mut |_| ())?.passed();
                progress.record(&exercise.id, print, passed);
                if passed {
                    Standing::Passes
                } else {
                    Standing::Fails
                }
            }
        };
        standings.push(standing);
    }
    line.clear();
    progress.save()?;
    if as_json {
        ui::say(&format!("{:#}", status_json(&all, &standings, &progress)));
    } else {
        ui::put(&status_text(&all, &standings, &progress, Style::stdout()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The first exercise that does not pass while all that it builds on do; else the first that does not pass.
fn next<'a>(all: &'a [Exercise], standings: &[Standing]) -> Option<&'a Exercise> {
    let open = || {
        all.iter()
            .zip(standings)
            .filter(|(_, standing)| **standing != Standing::Passes)
            .map(|(exercise, _)| exercise)
    };
    let passes = |id: &String| {
        all.iter()
            .zip(standings)
            .any(|(exercise, standing)| exercise.id == *id && *standing == Standing::Passes)
    };
    open()
        .find(|exercise| exercise.after.iter().all(passes))
        .or_else(|| open().next())
}

fn minutes_left(all: &[Exercise], standings: &[Standing]) -> u32 {
    all.iter()
        .zip(standings)
        .filter(|(_, standing)| **standing != Standing::Passes)
        .map(|(exercise, _)| exercise.minutes)
        .sum()
}

fn status_json(all: &[Exercise], standings: &[Standing], progress: &Progress) -> serde_json::Value {
    let list: Vec<_> = all
        .iter()
        .zip(standings)
        .map(|(exercise, standing)| {
            let entry = progress.entry(&exercise.id);
            json!({
                "id": exercise.id,
                "slug": exercise.slug,
                "title": exercise.title,
                "chapter": exercise.chapter,
                "difficulty": exercise.difficulty,
                "minutes": exercise.minutes,
                "standing": standing.key(),
                "passed_once": entry.passed_once,
                "hints_shown": entry.hints,
            })
        })
        .collect();
    json!({
        "exercises": list,
        "passing": standings.iter().filter(|standing| **standing == Standing::Passes).count(),
        "next": next(all, standings).map(|exercise| exercise.id.as_str()),
        "minutes_left": minutes_left(all, standings),
    })
}

fn status_text(
    all: &[Exercise],
    standings: &[Standing],
    progress: &Progress,
    style: Style,
) -> String {
    let passing = standings
        .iter()
        .filter(|standing| **standing == Standing::Passes)
        .count();
    let mut out = format!(
        "{} of {} pass; about {} minutes left.\n\n",
        passing,
        count(all.len(), "exercise"),
        minutes_left(all, standings)
    );
    let wide = all
        .iter()
        .map(|exercise| exercise.title.chars().count())
        .max()
        .unwrap_or(0);
    for (exercise, standing) in all.iter().zip(standings) {
        let word = format!("{:<6}", standing.word());
        let word = match standing {
            Standing::Passes => style.green(&word),
            Standing::Fails => style.red(&word),
            Standing::Todo => style.dim(&word),
        };
        let entry = progress.entry(&exercise.id);
        let mut notes = vec![format!("{} min", exercise.minutes)];
        notes.extend(
            exercise
                .chapter
                .iter()
                .map(|chapter| format!("chapter {chapter}")),
        );
        if entry.hints > 0 {
            notes.push(format!("{} seen", count(entry.hints, "hint")));
        }
        if entry.passed_once && *standing != Standing::Passes {
            notes.push("passed before".to_owned());
        }
        let _ = writeln!(
            out,
            "  {word}  {}  {:<wide$}  {}",
            exercise.id,
            exercise.title,
            style.dim(&notes.join(", "))
        );
    }
    match next(all, standings) {
        Some(exercise) => {
            let _ = writeln!(
                out,
                "\nNext: {} ({}). Edit exercises/{}/src/lib.rs, then run `cargo course test {}`.",
                style.bold(&exercise.id),
                exercise.title,
                exercise.slug,
                exercise.id
            );
        }
        None => out.push_str("\nEvery exercise passes. Well done.\n"),
    }
    out
}

/// Names of tests, and whether each passed.
type Verdicts = Vec<(String, bool)>;

/// Names of failed tests, and what each said.
type Messages = Vec<(String, String)>;

/// What a run of an exercise's tests gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    success: bool,
    /// Name and verdict of each test, in the order of the test file.
    tests: Verdicts,
    /// What each failed test said.
    messages: Messages,
    /// What cargo and the compiler said.
    compiler: String,
}

impl Outcome {
    /// A run without a single test is no pass.
    pub(crate) fn passed(&self) -> bool {
        self.success && !self.tests.is_empty() && self.tests.iter().all(|(_, passed)| *passed)
    }
}

/// Compiles and runs the tests of an exercise.
pub(crate) fn run_tests(
    package: &str,
    root: &Path,
    on_wait: &mut dyn FnMut(Duration),
) -> Result<Outcome> {
    let mut command = cargo(root);
    command.args(["test", "--package", package]);
    if Style::stderr().is_on() {
        command.args(["--color", "always"]);
    }
    let mut child = command
        .args(["--", "--color", "never"])
        // A learner's panic is told by the checks; the frames below it say nothing about the exercise.
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("Could not run cargo. Install Rust from https://rustup.rs")?;
    // Both streams are read at once, because a full pipe would stop the other one.
    let (sender, receiver) = mpsc::channel();
    let mut stdout = child.stdout.take().context("cargo has no output")?;
    let mut stderr = child.stderr.take().context("cargo has no output")?;
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stderr.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stdout.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    let began = std::time::Instant::now();
    let stdout = loop {
        match receiver.recv_timeout(Duration::from_millis(500)) {
            Ok(text) => break text,
            Err(mpsc::RecvTimeoutError::Timeout) => on_wait(began.elapsed()),
            Err(mpsc::RecvTimeoutError::Disconnected) => bail!("cargo's output ended too early."),
        }
    };
    let status = child.wait().context("Could not wait for cargo")?;
    let compiler = reader.join().unwrap_or_default();
    let (mut tests, messages) = parse(&stdout);
    order(&mut tests, package, root);
    Ok(Outcome {
        success: status.success(),
        tests,
        messages,
        compiler,
    })
}

/// Cargo, as the one that runs this command, without the variables that it sets for it.
pub(crate) fn cargo(root: &Path) -> Command {
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

/// Reads what the test harness prints: the verdicts, and what failed tests said.
fn parse(stdout: &str) -> (Verdicts, Messages) {
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
fn order(tests: &mut [(String, bool)], package: &str, root: &Path) {
    let mut source = String::new();
    for entry in fs::read_dir(root.join("exercises").join(package).join("tests"))
        .into_iter()
        .flatten()
        .flatten()
    {
        source.push_str(&fs::read_to_string(entry.path()).unwrap_or_default());
    }
    tests.sort_by_key(|(name, _)| source.find(&format!("fn {name}(")).unwrap_or(usize::MAX));
}

/// `cargo course test`.
pub(crate) fn test(root: &Path, name: Option<&str>, as_json: bool) -> Result<ExitCode> {
    let all = exercises::load(root)?;
    let here = std::env::current_dir().context("The current folder is gone")?;
    let exercise = exercises::find(&all, name, root, &here)?;
    let mut line = Line::new();
    let print = progress::fingerprint(exercise, root);
    let outcome = run_tests(&exercise.slug, root, &mut |waited| {
        if !as_json && waited > Duration::from_secs(1) {
            line.update(&format!(
                "Testing {} ... {} s",
                exercise.slug,
                waited.as_secs()
            ));
        }
    })?;
    line.clear();
    let mut progress = Progress::load(root);
    progress.record(&exercise.id, print, outcome.passed());
    progress.save()?;
    if as_json {
        ui::say(&format!("{:#}", test_json(exercise, &outcome)));
    } else {
        ui::put(&test_text(exercise, &outcome, Style::stdout()));
    }
    Ok(if outcome.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn test_json(exercise: &Exercise, outcome: &Outcome) -> serde_json::Value {
    let tests: Vec<_> = outcome
        .tests
        .iter()
        .map(|(name, passed)| {
            let said = outcome.messages.iter().find(|(of, _)| of == name);
            json!({ "name": name, "passed": passed, "message": said.map(|(_, text)| text.as_str()) })
        })
        .collect();
    json!({
        "id": exercise.id,
        "slug": exercise.slug,
        "passed": outcome.passed(),
        "compiled": !outcome.tests.is_empty(),
        "tests": tests,
        "compiler": outcome.compiler,
    })
}

fn test_text(exercise: &Exercise, outcome: &Outcome, style: Style) -> String {
    let mut out = String::new();
    let head = style.bold(&format!("{} {}", exercise.id, exercise.title));
    if outcome.tests.is_empty() {
        let _ = writeln!(out, "{}", compiler_text(&outcome.compiler));
        let _ = writeln!(
            out,
            "{head}: {} The compiler's words are above.",
            style.red("it does not compile yet.")
        );
        return out;
    }
    let passing = outcome.tests.iter().filter(|(_, passed)| *passed).count();
    if outcome.passed() {
        let _ = writeln!(
            out,
            "{head}: {}",
            style.green(&format!("all {} pass.", count(passing, "check")))
        );
        if !exercise.see.is_empty() {
            let _ = writeln!(
                out,
                "\nThe course's own crate has the same rule in {}.",
                exercise.see
            );
        }
        if !exercise.beyond.is_empty() {
            let _ = writeln!(out, "{}", wrap(&exercise.beyond, 96));
        }
        let _ = writeln!(
            out,
            "Ours beside yours: `cargo course solution {}`. What is next: `cargo course status`.",
            exercise.id
        );
        return out;
    }
    let _ = writeln!(
        out,
        "{head}: {passing} of {} pass.\n",
        count(outcome.tests.len(), "check")
    );
    for (name, passed) in &outcome.tests {
        let word = if *passed {
            style.green("pass")
        } else {
            style.red("fail")
        };
        let _ = writeln!(out, "  {word}  {name}");
    }
    // One mistake fails many checks: the first one, in the order of the file, has the most to say.
    let first = outcome
        .tests
        .iter()
        .filter(|(_, passed)| !passed)
        .filter_map(|(name, _)| outcome.messages.iter().find(|(of, _)| of == name))
        .find(|(_, text)| !text.starts_with("First mend"));
    if let Some((name, text)) = first {
        let _ = writeln!(out, "\n{}\n{text}", style.bold(name));
    } else if !outcome.success && passing == outcome.tests.len() {
        let _ = writeln!(out, "\n{}", compiler_text(&outcome.compiler));
    }
    out
}

/// What the compiler said, without cargo's own chatter.
fn compiler_text(text: &str) -> String {
    let chatter = [
        "Compiling ",
        "Finished ",
        "Running ",
        "Blocking ",
        "Locking ",
    ];
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| {
            let plain = strip_colour(line);
            let plain = plain.trim_start();
            !chatter.iter().any(|start| plain.starts_with(start))
                && !plain.starts_with("warning: build failed, waiting")
                && !plain.starts_with("error: could not compile")
        })
        .collect();
    kept.join("\n").trim().to_owned()
}

fn strip_colour(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("\x1b[") {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        rest = tail.find('m').map_or("", |end| &tail[end + 1..]);
    }
    out + rest
}

/// Breaks text into lines of at most `width` characters.
fn wrap(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// `cargo course hint`.
pub(crate) fn hint(root: &Path, name: Option<&str>, all_tiers: bool) -> Result<ExitCode> {
    let all = exercises::load(root)?;
    let here = std::env::current_dir().context("The current folder is gone")?;
    let exercise = exercises::find(&all, name, root, &here)?;
    let hints = Hints::load(exercise, root)?;
    let mut progress = Progress::load(root);
    let before = progress.entry(&exercise.id).hints;
    let shown = reveal(before, hints.tiers.len(), all_tiers);
    progress.set_hints(&exercise.id, shown);
    progress.save()?;
    ui::put(&hint_text(exercise, &hints, before, shown, Style::stdout()));
    Ok(ExitCode::SUCCESS)
}

/// How many tiers are shown after this call.
fn reveal(before: usize, tiers: usize, all: bool) -> usize {
    if all { tiers } else { (before + 1).min(tiers) }
}

fn hint_text(
    exercise: &Exercise,
    hints: &Hints,
    before: usize,
    shown: usize,
    style: Style,
) -> String {
    let total = hints.tiers.len();
    let mut out = String::new();
    for (number, (title, body)) in hints.tiers.iter().take(shown).enumerate() {
        let head = format!(
            "{} hint {} of {total}: {}",
            exercise.id,
            number + 1,
            title.to_lowercase()
        );
        let _ = writeln!(out, "{}\n\n{body}\n", style.bold(&head));
    }
    if shown < total {
        let _ = writeln!(out, "One more: `cargo course hint {}`.", exercise.id);
    } else if before >= total {
        let _ = writeln!(
            out,
            "These are all of the hints. The solution: `cargo course solution {}`.",
            exercise.id
        );
    } else {
        let _ = writeln!(
            out,
            "That was the last hint. The solution: `cargo course solution {}`.",
            exercise.id
        );
    }
    out
}

/// `cargo course solution`.
pub(crate) fn solution(root: &Path, name: Option<&str>) -> Result<ExitCode> {
    let all = exercises::load(root)?;
    let here = std::env::current_dir().context("The current folder is gone")?;
    let exercise = exercises::find(&all, name, root, &here)?;
    let read = |folder: std::path::PathBuf| {
        let path = folder.join("src/lib.rs");
        fs::read_to_string(&path).with_context(|| format!("Could not read {}", path.display()))
    };
    let yours = read(exercise.folder(root))?;
    let ours = read(exercise.solution(root))?;
    ui::put(&diff_text(exercise, &yours, &ours, Style::stdout()));
    Ok(ExitCode::SUCCESS)
}

fn diff_text(exercise: &Exercise, yours: &str, ours: &str, style: Style) -> String {
    let slug = &exercise.slug;
    if yours == ours {
        return format!("exercises/{slug}/src/lib.rs is the solution, to the last byte.\n");
    }
    let mut out = format!(
        "{}\n{}\n",
        style.red(&format!("- yours  exercises/{slug}/src/lib.rs")),
        style.green(&format!("+ ours   solutions/{slug}/src/lib.rs"))
    );
    // The task is told in the head of the starter and not again in the solution, so that it would hide the code.
    let code = |text: &str| -> String {
        text.split_inclusive('\n')
            .filter(|line| !line.starts_with("//!"))
            .collect()
    };
    let (yours, ours) = (code(yours), code(ours));
    let diff = TextDiff::from_lines(&yours, &ours);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        let _ = writeln!(out, "{}", style.dim("..."));
        for change in hunk.iter_changes() {
            let line = format!(
                "{}{}",
                change.tag(),
                change.value().trim_end_matches(['\r', '\n'])
            );
            let line = match change.tag() {
                similar::ChangeTag::Delete => style.red(&line),
                similar::ChangeTag::Insert => style.green(&line),
                similar::ChangeTag::Equal => line,
            };
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Standing::{Fails, Passes, Todo};
    use super::*;

    const PLAIN: fn() -> Style = Style::plain;

    fn exercise(id: &str, after: &[&str]) -> Exercise {
        Exercise {
            id: id.to_owned(),
            slug: format!("{id}-adam"),
            title: "Adam".to_owned(),
            chapter: Some("04-adam".to_owned()),
            difficulty: 3,
            minutes: 30,
            after: after.iter().map(ToString::to_string).collect(),
            see: "crates/moments/src/adam.rs".to_owned(),
            beyond: "The crate checks lengths.".to_owned(),
        }
    }

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
    fn the_message_shown_is_the_one_that_says_what_is_wrong() {
        let (tests, messages) = parse(FAILING);
        let outcome = Outcome {
            success: false,
            tests,
            messages,
            compiler: String::new(),
        };
        let text = test_text(&exercise("ex07", &[]), &outcome, PLAIN());
        assert!(text.contains("1 of 3 checks pass"), "{text}");
        assert!(text.contains("Asked: something"), "{text}");
        assert!(!text.contains("First mend"), "{text}");
    }

    #[test]
    fn a_pass_shows_where_the_crate_has_the_same_rule() {
        let outcome = Outcome {
            success: true,
            tests: vec![("a".to_owned(), true)],
            ..Outcome::default()
        };
        let text = test_text(&exercise("ex07", &[]), &outcome, PLAIN());
        assert!(text.contains("all 1 check pass"), "{text}");
        assert!(text.contains("crates/moments/src/adam.rs"), "{text}");
        assert!(text.contains("The crate checks lengths."), "{text}");
    }

    #[test]
    fn a_run_without_a_test_does_not_pass() {
        let outcome = Outcome {
            success: true,
            ..Outcome::default()
        };
        assert!(!outcome.passed());
    }

    #[test]
    fn compiler_output_is_shown_without_cargos_chatter() {
        let text = "\x1b[1m\x1b[32m   Compiling\x1b[0m ex07 v0.1.0\nerror[E0425]: cannot find value `x`\n --> lib.rs\nerror: could not compile `ex07`\n";
        assert_eq!(
            compiler_text(text),
            "error[E0425]: cannot find value `x`\n --> lib.rs"
        );
    }

    #[test]
    fn next_is_the_first_open_exercise_whose_prerequisites_pass() {
        let all = [
            exercise("ex05", &[]),
            exercise("ex06", &["ex05"]),
            exercise("ex07", &[]),
        ];
        let id =
            |standings: [Standing; 3]| next(&all, &standings).map(|exercise| exercise.id.clone());
        assert_eq!(id([Todo, Todo, Todo]).as_deref(), Some("ex05"));
        assert_eq!(id([Passes, Fails, Todo]).as_deref(), Some("ex06"));
        assert_eq!(id([Passes, Passes, Todo]).as_deref(), Some("ex07"));
        assert_eq!(id([Passes, Passes, Passes]), None);
        assert_eq!(minutes_left(&all, &[Passes, Fails, Todo]), 60);
    }

    #[test]
    fn each_call_reveals_one_more_hint_and_all_reveals_all() {
        assert_eq!(reveal(0, 3, false), 1);
        assert_eq!(reveal(2, 3, false), 3);
        assert_eq!(reveal(3, 3, false), 3);
        assert_eq!(reveal(0, 3, true), 3);
        let hints = Hints::parse("## Question\nWhy?\n## Formula\nF\n## Code\nC\n").unwrap();
        let text = hint_text(&exercise("ex07", &[]), &hints, 0, 1, PLAIN());
        assert!(text.contains("Why?") && !text.contains("\nF\n"), "{text}");
        assert!(text.contains("cargo course hint ex07"), "{text}");
        let text = hint_text(&exercise("ex07", &[]), &hints, 2, 3, PLAIN());
        assert!(text.contains("That was the last hint"), "{text}");
    }

    #[test]
    fn the_solution_is_shown_as_what_to_take_out_and_what_to_put_in() {
        let text = diff_text(
            &exercise("ex07", &[]),
            "//! Task.\na\ntodo\nc\n",
            "//! Solved.\na\nb\nc\n",
            PLAIN(),
        );
        assert!(text.contains("\n a\n-todo\n+b\n c\n"), "{text}");
        assert!(!text.contains("Task"), "{text}");
        let same = diff_text(&exercise("ex07", &[]), "a\n", "a\n", PLAIN());
        assert!(same.contains("is the solution"), "{same}");
    }

    #[test]
    fn long_sentences_are_wrapped_between_words() {
        assert_eq!(wrap("one two three", 8), "one two\nthree");
    }
}
