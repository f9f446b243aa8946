//! The verbs for learners that judge nothing: `status`, `next`, `hint` and `solution`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use moments_kernel::{Layout, Pool};
use serde_json::json;
use similar::TextDiff;

use crate::exercises::{self, Exercise, Hints};
use crate::progress::{self, Progress};
use crate::run::Runner;
use crate::start;
use crate::ui::{self, Line, Style, count, cut, wrap};

/// Where a learner stands with one exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It passes.
    Passes,
    /// Parts of it are not written yet.
    Todo,
    /// All of it is written, and a check fails or it does not compile.
    Fails,
    /// All of it is written, and its files have changed since they were tested.
    Edited,
}

impl Standing {
    /// The standing of an exercise of which this is known.
    pub(crate) fn of(exercise: &Exercise, passed: bool, root: &Path) -> Self {
        if passed {
            Self::Passes
        } else if exercise.has_todo(root) {
            Self::Todo
        } else {
            Self::Fails
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Todo => "to do",
            Self::Fails => "fails",
            Self::Edited => "edited",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Todo => "todo",
            Self::Fails => "fails",
            Self::Edited => "edited",
        }
    }

    /// The word, in its colour and six columns wide.
    pub(crate) fn painted(self, style: Style) -> String {
        let word = format!("{:<6}", self.word());
        match self {
            Self::Passes => style.green(&word),
            Self::Fails => style.red(&word),
            Self::Todo | Self::Edited => style.dim(&word),
        }
    }
}

/// Where a learner stands with all of them.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    pub(crate) all: Vec<Exercise>,
    standings: Vec<Standing>,
    progress: Progress,
}

impl Survey {
    /// Looks at every exercise, and tests anew those whose files have changed since their last verdict: with one cargo.
    pub(crate) fn take(root: &Path, quiet: bool) -> Result<Self> {
        let mut survey = Self::look(root)?;
        let changed: Vec<usize> = (0..survey.all.len())
            .filter(|&i| survey.standings[i] == Standing::Edited)
            .collect();
        if changed.is_empty() {
            return Ok(survey);
        }
        let chosen: Vec<&Exercise> = changed.iter().map(|&i| &survey.all[i]).collect();
        let prints: Vec<String> = chosen
            .iter()
            .map(|exercise| progress::fingerprint(exercise, root))
            .collect();
        let what = match chosen[..] {
            [one] => format!("{}, which changed", one.slug),
            _ => format!("{} that changed", count(chosen.len(), "exercise")),
        };
        let mut line = Line::new();
        let outcomes = Runner::new(root)
            .run(&chosen, &mut |busy| {
                if let Some(words) = busy.words(&what)
                    && !quiet
                {
                    line.update(&words);
                }
            })?
            .context("The run was stopped")?;
        line.clear();
        survey.progress = Progress::change(root, |progress| {
            for ((exercise, print), outcome) in chosen.iter().zip(prints).zip(&outcomes) {
                progress.record(&exercise.id, print, outcome.passed());
            }
        });
        for (&i, outcome) in changed.iter().zip(&outcomes) {
            survey.standings[i] = Standing::of(&survey.all[i], outcome.passed(), root);
        }
        Ok(survey)
    }

    /// Looks at every exercise, and tests none.
    pub(crate) fn look(root: &Path) -> Result<Self> {
        let all = exercises::load(root)?;
        let progress = Progress::load(root);
        let standings = all
            .iter()
            .map(|exercise| {
                let print = progress::fingerprint(exercise, root);
                let verdict = progress.verdict(&exercise.id, &print);
                match Standing::of(exercise, verdict == Some(true), root) {
                    // Code that still says `todo!` needs no run: at least one check calls it.
                    Standing::Fails if verdict.is_none() => Standing::Edited,
                    standing => standing,
                }
            })
            .collect();
        Ok(Self {
            all,
            standings,
            progress,
        })
    }

    fn open(&self) -> impl Iterator<Item = &Exercise> {
        self.all
            .iter()
            .zip(&self.standings)
            .filter(|(_, standing)| **standing != Standing::Passes)
            .map(|(exercise, _)| exercise)
    }

    fn passes(&self, id: &str) -> bool {
        !self.open().any(|exercise| exercise.id == id)
    }

    fn ready(&self, exercise: &Exercise) -> bool {
        exercise.after.iter().all(|id| self.passes(id))
    }

    /// The first exercise that does not pass while all that it builds on do; else the first that does not pass.
    pub(crate) fn next(&self) -> Option<&Exercise> {
        self.open()
            .find(|exercise| self.ready(exercise))
            .or_else(|| self.open().next())
    }

    /// The next one after this, for who would rather leave it for now: it starts again from the first when there is none.
    pub(crate) fn next_after(&self, id: &str) -> Option<&Exercise> {
        let later = || self.open().filter(|exercise| exercise.id.as_str() > id);
        later()
            .find(|exercise| self.ready(exercise))
            .or_else(|| self.next().filter(|exercise| exercise.id != id))
            .or_else(|| later().next())
    }

    fn passing(&self) -> usize {
        self.all.len() - self.open().count()
    }

    fn minutes_left(&self) -> u32 {
        self.open().map(|exercise| exercise.minutes).sum()
    }

    fn json(&self) -> serde_json::Value {
        let list: Vec<_> = self
            .all
            .iter()
            .zip(&self.standings)
            .map(|(exercise, standing)| {
                let entry = self.progress.entry(&exercise.id);
                json!({
                    "id": exercise.id,
                    "slug": exercise.slug,
                    "title": exercise.title,
                    "chapter": exercise.chapter,
                    "difficulty": exercise.difficulty,
                    "minutes": exercise.minutes,
                    "after": exercise.after,
                    "file": exercise.file(),
                    "standing": standing.key(),
                    "passed_once": entry.passed_once,
                    "hints_shown": entry.hints,
                })
            })
            .collect();
        json!({
            "exercises": list,
            "passing": self.passing(),
            "next": self.next().map(|exercise| exercise.id.as_str()),
            "minutes_left": self.minutes_left(),
        })
    }

    /// The list, in at most so many columns, and what to do next.
    fn text(&self, columns: Option<usize>, style: Style) -> String {
        let mut out = self.list(columns, style);
        match self.next() {
            Some(exercise) => {
                let _ = writeln!(
                    out,
                    "\nNext: {} {}, in {}.\n`cargo course next` says what it asks, `cargo course watch` tests it at every save.",
                    style.bold(&exercise.id),
                    exercise.title,
                    exercise.file(),
                );
            }
            None => out.push_str(
                "\nEvery exercise passes. Well done. `cargo course verify` writes a certificate.\n",
            ),
        }
        out
    }

    /// A line for each exercise, in at most so many columns.
    pub(crate) fn list(&self, columns: Option<usize>, style: Style) -> String {
        let mut out = format!(
            "{} of {} pass",
            self.passing(),
            count(self.all.len(), "exercise")
        );
        if self.passing() < self.all.len() {
            let _ = write!(out, "; about {} are left", time(self.minutes_left()));
        }
        out.push_str(".\n\n");
        let wide = self
            .all
            .iter()
            .map(|exercise| exercise.title.chars().count())
            .max()
            .unwrap_or(0);
        for (exercise, standing) in self.all.iter().zip(&self.standings) {
            let entry = self.progress.entry(&exercise.id);
            let mut notes = vec![format!("{:>2} min", exercise.minutes)];
            if entry.hints > 0 {
                notes.push(count(entry.hints, "hint"));
            }
            if entry.passed_once && *standing != Standing::Passes {
                notes.push("has passed".to_owned());
            }
            let title = format!("{}  {:<wide$}", exercise.id, exercise.title);
            let notes = notes.join(", ");
            // The word takes ten columns, and two stand before the notes.
            let [title, notes] = match columns {
                None => [title, notes],
                Some(columns) => {
                    let room = columns.saturating_sub(10);
                    let notes_room = room.saturating_sub(title.chars().count() + 2);
                    [cut(&title, room), cut(&notes, notes_room)]
                }
            };
            let line = format!(
                "  {}  {title}  {}",
                standing.painted(style),
                style.dim(&notes)
            );
            let _ = writeln!(out, "{}", line.trim_end());
        }
        out
    }
}

/// Minutes as people say them.
fn time(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, _) => format!("{minutes} minutes"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

/// `cargo course status`.
pub(crate) fn status(layout: &Layout, as_json: bool) -> Result<ExitCode> {
    let survey = Survey::take(layout.root(), as_json)?;
    // It takes memory without having been asked for, so it is named where people look.
    let pool = Pool::read(layout);
    if as_json {
        let mut json = survey.json();
        json["pool"] = json!({ "kernels": pool.kernels, "bytes": pool.bytes });
        ui::say(&format!("{json:#}"));
    } else {
        ui::put(&survey.text(ui::columns(), Style::stdout()));
        if pool.kernels > 0 {
            ui::say(&format!("\nNotebooks: {pool}."));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `cargo course next`.
pub(crate) fn next(layout: &Layout) -> Result<ExitCode> {
    let root = layout.root();
    let survey = Survey::take(root, false)?;
    let style = Style::stdout();
    let Some(exercise) = survey.next() else {
        ui::say("Every exercise passes. Well done. `cargo course verify` writes a certificate.");
        return Ok(ExitCode::SUCCESS);
    };
    let code = fs::read_to_string(root.join(exercise.file())).unwrap_or_default();
    let book = start::book_address(layout);
    ui::put(&next_text(
        exercise,
        &reason(&survey, exercise),
        &task(&code),
        book.as_deref(),
        style,
    ));
    Ok(ExitCode::SUCCESS)
}

/// Why this one is next.
fn reason(survey: &Survey, exercise: &Exercise) -> String {
    let standing = survey
        .all
        .iter()
        .zip(&survey.standings)
        .find(|(one, _)| one.id == exercise.id)
        .map(|(_, standing)| *standing);
    let entry = survey.progress.entry(&exercise.id);
    let mut text = match standing {
        Some(Standing::Fails) if entry.passed_once => "It has passed before and does not now",
        Some(Standing::Fails) => "All of it is written, and it does not pass yet",
        _ => "It is the first one that does not pass yet",
    }
    .to_owned();
    match &exercise.after[..] {
        [] => text.push_str("; it builds on no other one."),
        list if survey.ready(exercise) => {
            let _ = write!(
                text,
                ", and what it builds on passes ({}).",
                list.join(", ")
            );
        }
        list => {
            let _ = write!(text, "; it builds on {}.", list.join(", "));
        }
    }
    text
}

/// The task in a few lines, from the documentation at the head of the code: its first paragraph, and the formulas below it.
fn task(code: &str) -> String {
    let mut lines = code
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .skip_while(|line| line.starts_with("# ") || line.is_empty())
        .peekable();
    let mut paragraph = String::new();
    while let Some(line) = lines.next_if(|line| !line.is_empty()) {
        paragraph.push_str(line);
        paragraph.push(' ');
    }
    let mut out = wrap(&paragraph, 78);
    while lines.next_if(|line| line.is_empty()).is_some() {}
    if lines.next_if(|line| line.starts_with("```")).is_some() {
        out.push('\n');
        for line in lines.take_while(|line| !line.starts_with("```")) {
            let _ = write!(out, "\n    {line}");
        }
    }
    out.trim_end().to_owned()
}

fn next_text(
    exercise: &Exercise,
    reason: &str,
    task: &str,
    book: Option<&str>,
    style: Style,
) -> String {
    let Exercise {
        id,
        title,
        difficulty,
        minutes,
        ..
    } = exercise;
    let mut out = format!(
        "{}: difficulty {difficulty} of 5, about {minutes} minutes.\n{reason}\n",
        style.bold(&format!("{id} {title}"))
    );
    if !task.is_empty() {
        let _ = writeln!(out, "\n{task}");
    }
    let page = match book {
        Some(address) => format!("{address}/{}", exercise.page()),
        None => format!(
            "{} in the book, which `cargo course` opens",
            exercise.page()
        ),
    };
    let _ = writeln!(out, "\nFile  {}\nPage  {page}\n", exercise.file());
    for (verb, what) in [
        ("watch", "tests it whenever you save"),
        ("test", "tests it once"),
        ("hint", "shows one more hint"),
    ] {
        let _ = writeln!(
            out,
            "  {}  {what}",
            style.bold(&format!("{:<24}", format!("cargo course {verb} {id}")))
        );
    }
    out
}

/// `cargo course hint`.
pub(crate) fn hint(root: &Path, name: Option<&str>, all_tiers: bool) -> Result<ExitCode> {
    let all = exercises::load(root)?;
    let exercise = exercises::chosen(&all, name, root)?;
    let hints = Hints::load(exercise, root)?;
    ui::put(&one_more_hint(root, exercise, &hints, all_tiers));
    Ok(ExitCode::SUCCESS)
}

/// Reveals one more hint, or all, and gives back the text of those that are revealed.
pub(crate) fn one_more_hint(
    root: &Path,
    exercise: &Exercise,
    hints: &Hints,
    all_tiers: bool,
) -> String {
    let mut before = 0;
    let mut shown = 0;
    Progress::change(root, |progress| {
        before = progress.entry(&exercise.id).hints;
        shown = reveal(before, hints.tiers.len(), all_tiers);
        progress.set_hints(&exercise.id, shown);
    });
    hint_text(exercise, hints, before, shown, Style::stdout())
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
        let body = wrap_prose(body, 78);
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

/// Markdown with its long lines wrapped, but for code.
fn wrap_prose(text: &str, width: usize) -> String {
    let mut fenced = false;
    let lines = text.lines().map(|line| {
        fenced ^= line.trim_start().starts_with("```");
        if fenced || line.chars().count() <= width {
            line.to_owned()
        } else {
            wrap(line, width)
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `cargo course solution`.
pub(crate) fn solution(root: &Path, name: Option<&str>) -> Result<ExitCode> {
    let all = exercises::load(root)?;
    let exercise = exercises::chosen(&all, name, root)?;
    let read = |folder: std::path::PathBuf| {
        let path = folder.join("src/lib.rs");
        fs::read_to_string(&path).with_context(|| {
            format!(
                "Could not read {}. `cargo course reset {}` makes yours anew",
                path.display(),
                exercise.id
            )
        })
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
    use crate::exercises::tests::exercise;
    use crate::files::tests::Folder;

    const PLAIN: fn() -> Style = Style::plain;

    fn survey(standings: [Standing; 3]) -> Survey {
        Survey {
            all: vec![
                exercise("ex05", &[]),
                exercise("ex06", &["ex05"]),
                exercise("ex07", &[]),
            ],
            standings: standings.to_vec(),
            progress: Progress::load(Path::new("/nowhere")),
        }
    }

    #[test]
    fn next_is_the_first_open_exercise_whose_prerequisites_pass() {
        let id = |standings| {
            let survey = survey(standings);
            survey.next().map(|exercise| exercise.id.clone())
        };
        assert_eq!(id([Todo, Todo, Todo]).as_deref(), Some("ex05"));
        assert_eq!(id([Passes, Fails, Todo]).as_deref(), Some("ex06"));
        assert_eq!(id([Passes, Passes, Todo]).as_deref(), Some("ex07"));
        assert_eq!(id([Passes, Passes, Passes]), None);
        assert_eq!(survey([Passes, Fails, Todo]).minutes_left(), 60);
    }

    #[test]
    fn who_leaves_an_exercise_for_now_is_led_on_and_round() {
        let id = |standings, after| {
            let survey = survey(standings);
            survey.next_after(after).map(|exercise| exercise.id.clone())
        };
        // ex06 builds on ex05, which does not pass.
        assert_eq!(id([Todo, Todo, Todo], "ex05").as_deref(), Some("ex07"));
        assert_eq!(id([Passes, Todo, Todo], "ex05").as_deref(), Some("ex06"));
        assert_eq!(id([Todo, Passes, Todo], "ex07").as_deref(), Some("ex05"));
        assert_eq!(id([Todo, Todo, Passes], "ex05").as_deref(), Some("ex06"));
        assert_eq!(id([Todo, Passes, Passes], "ex05"), None);
        assert_eq!(id([Passes, Passes, Passes], "ex05"), None);
    }

    #[test]
    fn the_list_says_what_is_left_and_fits_the_terminal() {
        let mut survey = survey([Passes, Fails, Todo]);
        survey.all[1].title = "Weight decay, coupled and decoupled".to_owned();
        let text = survey.text(None, PLAIN());
        assert!(
            text.starts_with("1 of 3 exercises pass; about 1 h are left."),
            "{text}"
        );
        assert!(text.contains("\n  fails   ex06  Weight decay"), "{text}");
        assert!(text.contains("  30 min\n"), "{text}");
        assert!(text.contains("Next: ex06"), "{text}");
        for columns in [30, 60, 80] {
            let text = survey.text(Some(columns), PLAIN());
            for line in text.lines().filter(|line| line.starts_with("  ")) {
                assert!(line.chars().count() <= columns, "{line}");
            }
        }
    }

    #[test]
    fn when_all_pass_a_certificate_is_offered() {
        let text = survey([Passes; 3]).text(None, PLAIN());
        assert!(text.starts_with("3 of 3 exercises pass.\n"), "{text}");
        assert!(text.contains("cargo course verify"), "{text}");
    }

    #[test]
    fn scripts_find_what_is_next_and_how_each_stands() {
        let json = survey([Passes, Fails, Todo]).json();
        assert_eq!(json["next"], "ex06");
        assert_eq!(json["passing"], 1);
        assert_eq!(json["minutes_left"], 60);
        let standings: Vec<_> = json["exercises"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["standing"].as_str().unwrap())
            .collect();
        assert_eq!(standings, ["passes", "fails", "todo"]);
        assert_eq!(
            json["exercises"][2]["file"],
            "exercises/ex07-adam/src/lib.rs"
        );
    }

    #[test]
    fn minutes_are_said_as_people_say_them() {
        assert_eq!(time(45), "45 minutes");
        assert_eq!(time(60), "1 h");
        assert_eq!(time(365), "6 h 05 min");
    }

    const CODE: &str = "//! # Exercise 07: Adam
//!
//! Write Adam,
//! in one step.
//!
//! ```text
//! t ← t + 1
//!
//! m ← 0
//! ```
//!
//! More.

fn f() {}
";

    #[test]
    fn the_task_is_the_first_paragraph_and_the_formulas_below_it() {
        assert_eq!(
            task(CODE),
            "Write Adam, in one step.\n\n    t ← t + 1\n    \n    m ← 0"
        );
        assert_eq!(task("//! # Title\n//!\n//! Only this.\n"), "Only this.");
        assert_eq!(task("fn f() {}\n"), "");
    }

    #[test]
    fn next_says_why_what_where_and_how() {
        let survey = survey([Passes, Todo, Todo]);
        let exercise = survey.next().unwrap();
        let reason = reason(&survey, exercise);
        assert!(
            reason.contains("what it builds on passes (ex05)"),
            "{reason}"
        );
        let text = next_text(exercise, &reason, &task(CODE), None, PLAIN());
        for part in [
            "ex06 Adam: difficulty 3 of 5, about 30 minutes.",
            "Write Adam",
            "File  exercises/ex06-adam/src/lib.rs",
            "Page  exercises/ex06-adam.html in the book",
            "cargo course watch ex06",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let text = next_text(
            exercise,
            &reason,
            "",
            Some("http://127.0.0.1:3000"),
            PLAIN(),
        );
        assert!(
            text.contains("Page  http://127.0.0.1:3000/exercises/ex06-adam.html"),
            "{text}"
        );
    }

    #[test]
    fn a_hint_is_remembered() {
        let folder = Folder::new("hint");
        let hints = Hints::parse("## Question\nWhy?\n## Formula\nF\n## Code\nC\n").unwrap();
        let exercise = exercise("ex07", &[]);
        assert!(!one_more_hint(&folder.0, &exercise, &hints, false).contains("formula"));
        assert!(one_more_hint(&folder.0, &exercise, &hints, false).contains("formula"));
        assert_eq!(Progress::load(&folder.0).entry("ex07").hints, 2);
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
    fn the_prose_of_a_hint_is_wrapped_and_its_code_is_not() {
        assert_eq!(
            wrap_prose("one two three\n```rust\nlet a = b;\n```\nfour five", 8),
            "one two\nthree\n```rust\nlet a = b;\n```\nfour\nfive"
        );
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
}
