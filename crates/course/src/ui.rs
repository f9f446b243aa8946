//! What the command prints: colour where it is wanted, durations, and progress that overwrites itself on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Colours for one output stream, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    on: bool,
}

impl Style {
    /// The style of standard output: colour on a terminal, unless `NO_COLOR` is set to anything.
    pub(crate) fn stdout() -> Self {
        Self {
            on: io::stdout().is_terminal() && colour_allowed(),
        }
    }

    /// The style of standard error.
    pub(crate) fn stderr() -> Self {
        Self {
            on: io::stderr().is_terminal() && colour_allowed(),
        }
    }

    /// No colour, whatever the stream.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { on: false }
    }

    /// Whether the terminal can do more than take one line after another.
    pub(crate) fn is_smart() -> bool {
        std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Whether colour is on.
    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }
}

fn colour_allowed() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && Style::is_smart()
}

/// Prints a line. A terminal that has been closed, or a pager that has been left, is no reason to panic: what was started must
/// still be ended.
pub(crate) fn say(text: &str) {
    put(&format!("{text}\n"));
}

/// Prints text as it is.
pub(crate) fn put(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// The columns of the terminal, if standard output is one.
pub(crate) fn columns() -> Option<usize> {
    let terminal = io::stdout().is_terminal();
    let (columns, _) = crossterm::terminal::size().ok().filter(|_| terminal)?;
    (columns > 0).then_some(columns.into())
}

/// Text without the codes of its colours.
pub(crate) fn strip_colour(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\x1b[") {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        rest = tail.find('m').map_or("", |end| &tail[end + 1..]);
    }
    out + rest
}

/// Breaks text into lines of at most `width` characters.
pub(crate) fn wrap(text: &str, width: usize) -> String {
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

/// The text in at most `width` characters, with an ellipsis where some are left out.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        out.push('…');
    }
    out
}

/// A duration as people say it: `4 s`, `2 min 05 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{seconds} s")
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// One line that overwrites itself on a terminal, and comes rarely elsewhere.
#[derive(Debug)]
pub(crate) struct Line {
    terminal: bool,
    shown: bool,
    last: Option<Instant>,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self {
            terminal: io::stdout().is_terminal(),
            shown: false,
            last: None,
        }
    }

    /// Replaces the line. Where it cannot be replaced, at most one line in twenty seconds is printed.
    pub(crate) fn update(&mut self, text: &str) {
        if self.terminal {
            // A wrapped line cannot be overwritten.
            let width = columns().unwrap_or(80).saturating_sub(2);
            put(&format!("\r\x1b[2K{}", cut(text, width)));
            self.shown = true;
        } else if self
            .last
            .is_none_or(|last| last.elapsed() >= Duration::from_secs(20))
        {
            self.last = Some(Instant::now());
            say(text);
        }
    }

    /// Prints a line that stays.
    pub(crate) fn keep(&mut self, text: &str) {
        self.clear();
        say(text);
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.shown {
            put("\r\x1b[2K");
            self.shown = false;
        }
        self.last = Some(Instant::now());
    }
}

/// "1 check" or "3 checks".
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        assert_eq!(duration(Duration::from_millis(4900)), "4 s");
        assert_eq!(duration(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn long_sentences_are_wrapped_between_words() {
        assert_eq!(wrap("one two three", 8), "one two\nthree");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("decay", 5), "decay");
        assert_eq!(cut("decay", 4), "dec…");
        assert_eq!(cut("decay", 0), "");
    }

    #[test]
    fn colour_can_be_taken_out_again() {
        assert_eq!(strip_colour(&Style { on: true }.red("x y")), "x y");
    }

    #[test]
    fn without_colour_text_is_unchanged() {
        let plain = Style { on: false };
        assert_eq!(plain.red("x"), "x");
        assert_eq!(Style { on: true }.red("x"), "\x1b[31mx\x1b[0m");
    }

    #[test]
    fn one_thing_is_singular() {
        assert_eq!(count(1, "check"), "1 check");
        assert_eq!(count(0, "check"), "0 checks");
    }
}
