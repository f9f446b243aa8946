//! `cargo course watch`: tests an exercise whenever it is saved.
//!
//! The files are read some twenty times a second and compared, which costs nothing for a handful of them. It notices every
//! save on every file system, also on those that send no notices: a network's, a container's, one shared with Windows.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use crossterm::cursor::MoveTo;
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::execute;
use crossterm::terminal::{self, Clear, ClearType};

use crate::exercises::{self, Exercise, Hints};
use crate::learn::{self, Survey};
use crate::progress::{self, Progress};
use crate::run::{Busy, Outcome, Runner};
use crate::stop::Stop;
use crate::ui::{self, Style, cut};
use crate::verdict::{List, test_text};

/// How often files and keys are looked at.
const TICK: Duration = Duration::from_millis(40);

/// `cargo course watch`.
pub(crate) fn watch(root: &Path, name: Option<&str>) -> Result<ExitCode> {
    let all = exercises::load(root)?;
    let exercise = match (name, exercises::chosen(&all, name, root)) {
        (_, Ok(exercise)) => exercise.clone(),
        (Some(_), Err(error)) => return Err(error),
        (None, Err(_)) => {
            let survey = Survey::look(root)?;
            let Some(next) = survey.next() else {
                ui::say("Every exercise passes. To watch one all the same, name it.");
                return Ok(ExitCode::SUCCESS);
            };
            next.clone()
        }
    };
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        bail!(
            "`cargo course watch` shows its verdicts on a terminal and reads keys from it, and this is none. In a script, or on save in an editor: `cargo course test {}`.",
            exercise.id
        );
    }
    let stop = Stop::listen()?;
    let raw = Raw::enter()?;
    let done = Watch::new(root, exercise).run(&stop, &raw);
    drop(raw);
    ui::put("\n");
    done?;
    Ok(ExitCode::SUCCESS)
}

/// The terminal in raw mode, where keys come one by one. It becomes what it was when this is dropped, and before a panic is
/// told.
struct Raw;

impl Raw {
    fn enter() -> Result<Self> {
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let _ = terminal::disable_raw_mode();
            earlier(panic);
        }));
        terminal::enable_raw_mode().context("The terminal gives no single keys")?;
        Ok(Self)
    }

    /// Goes to the background, as Ctrl-Z asks, and comes back later.
    #[cfg(unix)]
    #[expect(clippy::unused_self, reason = "Only who is in raw mode may leave it.")]
    fn suspend(&self) -> Result<()> {
        let _ = terminal::disable_raw_mode();
        ui::put("\n");
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
        terminal::enable_raw_mode().context("The terminal gives no single keys")
    }

    #[cfg(not(unix))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "The Unix twin."
    )]
    fn suspend(&self) -> Result<()> {
        Ok(())
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = terminal::disable_raw_mode();
    }
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Hint,
    Next,
    List,
    Again,
    Quit,
    Suspend,
    /// Back to the verdict.
    Back,
}

impl Wish {
    fn of(key: KeyEvent) -> Self {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if control => Self::Quit,
            KeyCode::Char('z') if control => Self::Suspend,
            KeyCode::Char('h' | 'H' | '?') => Self::Hint,
            KeyCode::Char('n' | 'N') => Self::Next,
            KeyCode::Char('l' | 'L') => Self::List,
            KeyCode::Char('r' | 'R') => Self::Again,
            KeyCode::Char('q' | 'Q') => Self::Quit,
            _ => Self::Back,
        }
    }
}

/// A run of tests in the background.
struct Job {
    stop: Stop,
    notes: mpsc::Receiver<Note>,
    thread: JoinHandle<()>,
    print: String,
    began: Instant,
}

enum Note {
    Busy(Busy),
    Done(Box<Result<Option<Outcome>>>),
}

impl Job {
    fn start(root: &Path, exercise: &Exercise) -> Self {
        let stop = Stop::default();
        let (sender, notes) = mpsc::channel();
        let print = progress::fingerprint(exercise, root);
        let (root, exercise, own) = (root.to_owned(), exercise.clone(), stop.clone());
        let thread = thread::spawn(move || {
            let runner = Runner::new(&root)
                .colour(Style::stdout().is_on())
                .until(own);
            let done = runner.run(&[&exercise], &mut |busy| {
                let _ = sender.send(Note::Busy(busy));
            });
            let one = done.map(|outcomes| outcomes.and_then(|list| list.into_iter().next()));
            let _ = sender.send(Note::Done(Box::new(one)));
        });
        Self {
            stop,
            notes,
            thread,
            print,
            began: Instant::now(),
        }
    }

    /// Ends what it has started.
    fn end(self) {
        self.stop.now();
        let _ = self.thread.join();
    }
}

/// What is on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum View {
    Verdict,
    /// A hint, or the list.
    Text(String),
}

struct Watch<'a> {
    root: &'a Path,
    exercise: Exercise,
    /// The fingerprint of the files that were tested last.
    tested: String,
    /// What was read at the last look, until it stays the same for two looks: an editor may be half through writing.
    seen: String,
    job: Option<Job>,
    /// The verdict, or why there is none.
    verdict: Option<Result<Outcome, String>>,
    runs: usize,
    seconds: f64,
    view: View,
}

impl<'a> Watch<'a> {
    fn new(root: &'a Path, exercise: Exercise) -> Self {
        let tested = progress::own_fingerprint(&exercise, root);
        Self {
            root,
            exercise,
            seen: tested.clone(),
            tested,
            job: None,
            verdict: None,
            runs: 0,
            seconds: 0.0,
            view: View::Verdict,
        }
    }

    fn run(mut self, stop: &Stop, raw: &Raw) -> Result<()> {
        self.start();
        loop {
            if stop.wanted() {
                break;
            }
            if event::poll(TICK).context("The terminal gives no keys")? {
                match event::read().context("The terminal gives no keys")? {
                    // Windows tells of keys that are let go as well.
                    Event::Key(key) if key.kind != KeyEventKind::Release => match Wish::of(key) {
                        Wish::Quit => break,
                        Wish::Suspend => {
                            raw.suspend()?;
                            self.draw();
                        }
                        wish => {
                            if let Err(error) = self.fulfil(wish) {
                                self.view = View::Text(format!("{error:#}\n"));
                                self.draw();
                            }
                        }
                    },
                    Event::Resize(..) => self.draw(),
                    _ => {}
                }
            }
            self.listen();
            self.look();
        }
        if let Some(job) = self.job.take() {
            job.end();
        }
        Ok(())
    }

    /// Tests, from the beginning when a run is under way: its verdict would be on files that are no more.
    fn start(&mut self) {
        if let Some(job) = self.job.take() {
            job.end();
        }
        self.tested = progress::own_fingerprint(&self.exercise, self.root);
        self.seen.clone_from(&self.tested);
        self.job = Some(Job::start(self.root, &self.exercise));
        self.view = View::Verdict;
        if self.verdict.is_some() {
            self.status("Testing ...");
        } else {
            self.draw();
        }
    }

    /// Looks at the files.
    fn look(&mut self) {
        let now = progress::own_fingerprint(&self.exercise, self.root);
        let settled = now == self.seen;
        self.seen = now;
        if settled && self.seen != self.tested {
            self.start();
        }
    }

    /// Hears what the run has to say.
    fn listen(&mut self) {
        let Some(job) = &self.job else { return };
        let Ok(note) = job.notes.try_recv() else {
            return;
        };
        match note {
            Note::Busy(busy) => {
                if let Some(words) = busy.words(&self.exercise.slug) {
                    self.status(&words);
                }
            }
            Note::Done(done) => {
                let print = job.print.clone();
                self.seconds = job.began.elapsed().as_secs_f64();
                self.runs += 1;
                self.job = None;
                self.verdict = match *done {
                    Ok(Some(outcome)) => {
                        Progress::change(self.root, |progress| {
                            progress.record(&self.exercise.id, print, outcome.passed());
                        });
                        Some(Ok(outcome))
                    }
                    Ok(None) => return,
                    Err(error) => Some(Err(format!("{error:#}"))),
                };
                self.draw();
            }
        }
    }

    fn fulfil(&mut self, wish: Wish) -> Result<()> {
        match wish {
            Wish::Hint => {
                let hints = Hints::load(&self.exercise, self.root)?;
                let text = learn::one_more_hint(self.root, &self.exercise, &hints, false);
                self.view = View::Text(text);
            }
            Wish::List => {
                let survey = Survey::look(self.root)?;
                self.view = View::Text(survey.list(ui::columns(), Style::stdout()));
            }
            Wish::Next => {
                let survey = Survey::look(self.root)?;
                if let Some(next) = survey.next_after(&self.exercise.id) {
                    self.exercise = next.clone();
                    self.verdict = None;
                    self.runs = 0;
                    self.start();
                    return Ok(());
                }
                self.view = View::Text("Every other exercise passes.\n".to_owned());
            }
            Wish::Again => {
                self.start();
                return Ok(());
            }
            Wish::Back | Wish::Quit | Wish::Suspend => self.view = View::Verdict,
        }
        self.draw();
        Ok(())
    }

    fn text(&self, room: Room, style: Style) -> String {
        match (&self.view, &self.verdict) {
            (View::Text(text), _) => text.clone(),
            (View::Verdict, None) => format!(
                "{} {}\n\nTesting it now, and again whenever you save {}.\n",
                style.bold(&self.exercise.id),
                self.exercise.title,
                self.exercise.file()
            ),
            (View::Verdict, Some(Err(error))) => {
                format!("{} {error}\n", style.red("It could not be tested."))
            }
            (View::Verdict, Some(Ok(outcome))) => {
                let full = test_text(&self.exercise, outcome, List::Full, style);
                if outcome.compiled && room.holds(&full) {
                    full
                } else {
                    test_text(&self.exercise, outcome, List::Short, style)
                }
            }
        }
    }

    /// Fills the screen.
    fn draw(&self) {
        let style = Style::stdout();
        let room = Room::now();
        let text = room.fit(&self.text(room, style), &self.exercise.id);
        if Style::is_smart() {
            let _ = execute!(io::stdout(), Clear(ClearType::All), MoveTo(0, 0));
        }
        // In raw mode the terminal does not go back to the left edge by itself.
        ui::put(&format!("{text}\n").replace('\n', "\r\n"));
        let what = if self.job.is_some() {
            "Testing ...".to_owned()
        } else {
            format!("Run {}: {:.2} s", self.runs, self.seconds)
        };
        self.status(&what);
    }

    /// Writes the last line: the keys, and what is going on.
    fn status(&self, what: &str) {
        let room = Room::now();
        let keys = match self.view {
            View::Verdict => "h hint  n next  l list  r run again  q quit",
            View::Text(_) => "any key back  h hint  n next  l list  q quit",
        };
        let line = cut(&format!("[{keys}]  {what}"), room.columns.saturating_sub(1));
        let line = Style::stdout().dim(&line);
        if Style::is_smart() {
            ui::put(&format!("\r\x1b[2K{line}"));
        } else {
            ui::put(&format!("{line}\r\n"));
        }
    }
}

/// The size of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Room {
    columns: usize,
    rows: usize,
}

impl Room {
    fn now() -> Self {
        // Some terminals say that they have no columns at all.
        let (columns, rows) = terminal::size()
            .ok()
            .filter(|(columns, rows)| *columns > 0 && *rows > 0)
            .unwrap_or((80, 24));
        Self {
            columns: columns.into(),
            rows: rows.into(),
        }
    }

    /// How many rows a line takes.
    fn rows_of(self, line: &str) -> usize {
        let length = ui::strip_colour(line).chars().count();
        length.div_ceil(self.columns).max(1)
    }

    /// The rows for text: two are for an empty line and the keys.
    fn for_text(self) -> usize {
        self.rows.saturating_sub(2).max(1)
    }

    fn holds(self, text: &str) -> bool {
        text.lines().map(|line| self.rows_of(line)).sum::<usize>() <= self.for_text()
    }

    /// The beginning of the text, as much as the screen holds.
    fn fit(self, text: &str, id: &str) -> String {
        let text = text.trim_end();
        if self.holds(text) {
            return format!("{text}\n");
        }
        let mut left = self.for_text().saturating_sub(1);
        let mut out = String::new();
        let mut shown = 0;
        for line in text.lines() {
            let rows = self.rows_of(line);
            if rows > left {
                break;
            }
            left -= rows;
            shown += 1;
            out.push_str(line);
            out.push('\n');
        }
        let rest = text.lines().count() - shown;
        let words = format!(
            "... {} more; a taller window or `cargo course test {id}`",
            ui::count(rest, "line")
        );
        out + &cut(&words, self.columns) + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ask_for_what_the_last_line_says() {
        let wish = |c| Wish::of(KeyEvent::from(KeyCode::Char(c)));
        assert_eq!(
            ['h', 'n', 'l', 'r', 'q', 'x'].map(wish),
            [
                Wish::Hint,
                Wish::Next,
                Wish::List,
                Wish::Again,
                Wish::Quit,
                Wish::Back
            ]
        );
        let control = |c| Wish::of(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
        assert_eq!(
            ['c', 'd', 'z'].map(control),
            [Wish::Quit, Wish::Quit, Wish::Suspend]
        );
        assert_eq!(control('h'), Wish::Hint);
    }

    #[test]
    fn a_text_that_is_too_long_ends_with_how_much_is_missing() {
        let room = Room {
            columns: 10,
            rows: 6,
        };
        assert_eq!(room.fit("a\nb\n\n", "ex07"), "a\nb\n");
        // Twelve letters take two rows of ten.
        let long = "abcdefghijkl\nb\nc\nd\n";
        assert!(!room.holds(long));
        let fitted = room.fit(long, "ex07");
        assert_eq!(fitted, "abcdefghijkl\nb\n... 2 lin…\n");
        let none = Room {
            columns: 80,
            rows: 1,
        };
        assert!(none.fit(long, "ex07").starts_with("... 4 lines more"));
    }

    #[test]
    fn colours_take_no_room() {
        let room = Room {
            columns: 4,
            rows: 3,
        };
        assert_eq!(room.rows_of("\x1b[31mabcd\x1b[0m"), 1);
        assert_eq!(room.rows_of("abcde"), 2);
        assert_eq!(room.rows_of(""), 1);
    }
}
