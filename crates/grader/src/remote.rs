//! A student's program as a [`Subject`]: it runs in a sandbox, and there is nothing between it and the judge but two pipes.
//!
//! It is fed a case step by step and answers with frames. Its exit status, its output and its claims about itself decide no point;
//! a case counts only with its whole trajectory. What it says of a panic is sorted into kinds: its own words are kept from everybody.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use moments_checks::wire::{Answer, LONGEST, Question};
use moments_checks::{Case, Fault, Frame, Stepper, Subject};
use rustix::event::{PollFd, PollFlags, poll};

use crate::compile::code;
use crate::judge::Infra;
use crate::limits::{Bounds, Hit};
use crate::plain::first_line;

/// How often a function may run into a limit before it is asked nothing more.
const PATIENCE: usize = 2;

/// The student's program.
pub(crate) struct Remote<'a> {
    start: Box<dyn Fn() -> Command + 'a>,
    bounds: Bounds,
    state: Rc<RefCell<State>>,
}

#[derive(Default)]
struct State {
    process: Option<Process>,
    /// Which case is being asked; an older one gets no more answers.
    case: u64,
    /// How often each function has run into a limit.
    hits: HashMap<&'static str, usize>,
    /// The limit that was hit last.
    last: Option<Hit>,
    /// How long its answers have been waited for, in all.
    waited: Duration,
    /// Programs that were started.
    started: usize,
    /// What went wrong that is not the student's doing.
    infra: Option<Infra>,
}

impl<'a> Remote<'a> {
    pub(crate) fn new(bounds: Bounds, start: impl Fn() -> Command + 'a) -> Self {
        Self {
            start: Box::new(start),
            bounds,
            state: Rc::default(),
        }
    }

    /// The limit that was hit since it was asked last.
    pub(crate) fn limit(&self) -> Option<Hit> {
        self.state.borrow_mut().last.take()
    }

    /// What went wrong that is not the student's doing.
    pub(crate) fn infra(&self) -> Option<Infra> {
        self.state.borrow().infra.clone()
    }

    /// A program that has said hello, the one that is there or a new one.
    fn ready(&self, state: &mut State) -> Result<(), Fault> {
        if state.process.is_some() {
            return Ok(());
        }
        let all = self.bounds.run_seconds;
        if state.waited >= Duration::from_secs(u64::from(all)) {
            state.last = Some(Hit::All(all));
            return Err(Fault::Lost(format!(
                "it hit a limit; {}",
                Hit::All(all).words()
            )));
        }
        state.started += 1;
        let mut process = Process::spawn((self.start)(), self.bounds).map_err(|error| {
            state.infra = Some(Infra(format!(
                "the program's sandbox cannot be started: {error}"
            )));
            lost()
        })?;
        match process.read() {
            Ok(Answer::Hello) => {
                state.process = Some(process);
                Ok(())
            }
            Ok(_) => Err(lost()),
            Err(Ended::Limit(hit)) => {
                state.last = Some(hit);
                Err(Fault::Lost(format!(
                    "the program hit a limit before it began; {}",
                    hit.words()
                )))
            }
            Err(Ended::Gone { status, words }) => {
                // Nothing of the student's has run yet: either it cannot be loaded, or the sandbox did not come up. The judge finds out which.
                state.infra = Some(Infra(format!(
                    "the program did not start (status {status:?}): {}",
                    first_line(&words)
                )));
                Err(lost())
            }
        }
    }
}

impl Subject for Remote<'_> {
    fn start(&self, case: &Case) -> Result<Box<dyn Stepper>, Fault> {
        let mut state = self.state.borrow_mut();
        if state.infra.is_some() {
            return Err(lost());
        }
        if state
            .hits
            .get(case.call)
            .is_some_and(|&hits| hits >= PATIENCE)
        {
            return Err(Fault::Lost(format!(
                "`{}` has run into a limit {PATIENCE} times, and is asked nothing more",
                case.call
            )));
        }
        self.ready(&mut state)?;
        state.case += 1;
        let question = Question::Start(Box::new(case.clone()));
        match ask(&mut state, case.call, &question)? {
            Answer::Ready => Ok(Box::new(Run {
                state: Rc::clone(&self.state),
                case: state.case,
                call: case.call,
            })),
            Answer::Fault(fault) => Err(sorted(&fault)),
            _ => Err(confused(&mut state)),
        }
    }
}

/// A case that the program has been set up for.
struct Run {
    state: Rc<RefCell<State>>,
    case: u64,
    call: &'static str,
}

impl Stepper for Run {
    fn step(&mut self, input: &[f64]) -> Result<Frame, Fault> {
        let mut state = self.state.borrow_mut();
        if state.case != self.case {
            return Err(lost());
        }
        match ask(&mut state, self.call, &Question::Step(input.to_vec()))? {
            Answer::Frame(frame) => Ok(frame),
            Answer::Fault(fault) => Err(sorted(&fault)),
            _ => Err(confused(&mut state)),
        }
    }
}

fn lost() -> Fault {
    Fault::Lost("the program is not there".to_owned())
}

/// An answer to something else: the program is not to be trusted with the next question.
fn confused(state: &mut State) -> Fault {
    state.process = None;
    Fault::Lost("the program answered something that it was not asked".to_owned())
}

/// Asks, and waits for the answer. If there is none, the program is gone.
fn ask(state: &mut State, call: &'static str, question: &Question) -> Result<Answer, Fault> {
    let process = state.process.as_mut().ok_or_else(lost)?;
    let all = process.bounds.run_seconds;
    let since = Instant::now();
    let answer = process.ask(&question.encode());
    state.waited += since.elapsed();
    let ended = match answer {
        // A program that is slow in every step, and too slow in none, would take hours.
        Ok(_) if state.waited >= Duration::from_secs(u64::from(all)) => Ended::Limit(Hit::All(all)),
        Ok(answer) => return Ok(answer),
        Err(ended) => ended,
    };
    state.process = None;
    match ended {
        Ended::Limit(hit) => {
            *state.hits.entry(call).or_default() += 1;
            state.last = Some(hit);
            Err(match hit {
                Hit::Wall(seconds) | Hit::Cpu(seconds) => Fault::Endless {
                    seconds: u64::from(seconds),
                },
                _ => Fault::Lost(format!("it hit a limit; {}", hit.words())),
            })
        }
        Ended::Gone { status, .. } => Err(Fault::Lost(match status {
            Some(status @ 0..=127) => {
                format!("it ended the program (exit status {status}) instead of returning")
            }
            Some(134) => "it aborted the program instead of returning".to_owned(),
            _ => "the program broke down in it".to_owned(),
        })),
    }
}

/// A fault without the words that come from the student's program.
fn sorted(fault: &Fault) -> Fault {
    match fault {
        Fault::NotWritten { what, place } => {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_: ".contains(c);
            let what = if what.len() <= 60 && what.chars().all(plain) {
                what.clone()
            } else {
                String::new()
            };
            Fault::NotWritten {
                what,
                place: spot(place),
            }
        }
        Fault::Panicked { message, place } => Fault::Panicked {
            message: kind(message).to_owned(),
            place: spot(place),
        },
        Fault::Endless { .. } | Fault::Lost(_) => {
            Fault::Lost("the program answered something that it was not asked".to_owned())
        }
    }
}

/// A file and a line, if it looks like them.
fn spot(place: &str) -> String {
    let told = place.rsplit_once(':').filter(|(file, line)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        file.starts_with("src/")
            && file.len() <= 120
            && file.chars().all(plain)
            && line.len() <= 7
            && line.chars().all(|c| c.is_ascii_digit())
    });
    match told {
        Some((file, line)) => format!("{file}:{line}"),
        None => "a place outside your file".to_owned(),
    }
}

/// The kind of a panic: one of those that the standard library and the language have, without the values in it.
fn kind(message: &str) -> &'static str {
    const KINDS: &[(&str, &str)] = &[
        ("index out of bounds", "index out of bounds"),
        ("range end index", "range end index out of range for slice"),
        (
            "range start index",
            "range start index out of range for slice",
        ),
        (
            "slice index starts at",
            "a slice's range ends before it starts",
        ),
        ("mid > len", "a slice was split beyond its end"),
        (
            "copy_from_slice",
            "source and destination slice have different lengths",
        ),
        (
            "source slice length",
            "source and destination slice have different lengths",
        ),
        ("attempt to divide by zero", "attempt to divide by zero"),
        (
            "attempt to calculate the remainder with a divisor of zero",
            "remainder with a divisor of zero",
        ),
        (
            "attempt to subtract with overflow",
            "attempt to subtract with overflow",
        ),
        (
            "attempt to add with overflow",
            "attempt to add with overflow",
        ),
        (
            "attempt to multiply with overflow",
            "attempt to multiply with overflow",
        ),
        (
            "attempt to negate with overflow",
            "attempt to negate with overflow",
        ),
        ("attempt to shift", "attempt to shift with overflow"),
        (
            "called `Option::unwrap()` on a `None` value",
            "called `Option::unwrap()` on a `None` value",
        ),
        (
            "called `Result::unwrap()` on an `Err` value",
            "called `Result::unwrap()` on an `Err` value",
        ),
        (
            "assertion `left == right` failed",
            "assertion `left == right` failed",
        ),
        ("assertion failed", "assertion failed"),
        (
            "internal error: entered unreachable code",
            "entered unreachable code",
        ),
        ("not implemented", "not implemented"),
        ("already borrowed", "already borrowed"),
        ("already mutably borrowed", "already mutably borrowed"),
        ("chunk size must be non-zero", "chunk size must be non-zero"),
        ("capacity overflow", "capacity overflow"),
        ("explicit panic", "explicit panic"),
        (
            "failed to spawn thread",
            "no thread can be started here: one is all that a submission may use",
        ),
    ];
    KINDS
        .iter()
        .find_map(|(start, kind)| message.starts_with(start).then_some(*kind))
        .unwrap_or("a message of its own, which `cargo test` shows")
}

/// Why there is no answer.
enum Ended {
    Limit(Hit),
    Gone { status: Option<i32>, words: String },
}

/// A running program and its pipes.
struct Process {
    child: Child,
    ask: ChildStdin,
    answer: ChildStdout,
    words: ChildStderr,
    last_words: Vec<u8>,
    bounds: Bounds,
}

/// How much is kept of what a program says at its end.
const LAST_WORDS: usize = 4096;

impl Process {
    fn spawn(mut command: Command, bounds: Bounds) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("a pipe is missing");
        let ask = child.stdin.take().ok_or_else(missing)?;
        let answer = child.stdout.take().ok_or_else(missing)?;
        let words = child.stderr.take().ok_or_else(missing)?;
        rustix::io::ioctl_fionbio(&ask, true)?;
        Ok(Self {
            child,
            ask,
            answer,
            words,
            last_words: Vec::new(),
            bounds,
        })
    }

    fn ask(&mut self, message: &[u8]) -> Result<Answer, Ended> {
        let mut bytes = Vec::with_capacity(message.len() + 4);
        bytes.extend((message.len() as u32).to_le_bytes());
        bytes.extend(message);
        let mut watch = Watch::new(self);
        let mut sent = 0;
        while sent < bytes.len() {
            match self.ask.write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(true, &mut watch)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(self.ended()),
            }
        }
        self.receive(&mut watch)
    }

    fn read(&mut self) -> Result<Answer, Ended> {
        let mut watch = Watch::new(self);
        self.receive(&mut watch)
    }

    fn receive(&mut self, watch: &mut Watch) -> Result<Answer, Ended> {
        let mut bytes: Vec<u8> = Vec::new();
        let mut wanted = 4;
        loop {
            if bytes.len() >= 4 {
                let length = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
                if length > LONGEST {
                    let _ = self.ended();
                    return Err(Ended::Limit(Hit::Answer((LONGEST >> 20) as u32)));
                }
                wanted = 4 + length;
            }
            if bytes.len() == wanted && wanted > 4 {
                // What is no answer comes from a program that is not ours any more.
                return Answer::decode(&bytes[4..]).map_err(|_| self.ended());
            }
            self.wait(false, watch)?;
            let mut chunk = [0; 16384];
            let room = chunk.len().min(wanted - bytes.len());
            match self.answer.read(&mut chunk[..room]) {
                Ok(0) => return Err(self.ended()),
                Ok(count) => bytes.extend(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(self.ended()),
            }
        }
    }

    /// Waits until there is something to read, or room to write; reads what is said on the side.
    fn wait(&mut self, to_write: bool, watch: &mut Watch) -> Result<(), Ended> {
        let mut listening = true;
        loop {
            let rest = watch.rest(self)?;
            let (ready, said) = {
                let mut pipes = Vec::with_capacity(3);
                pipes.push(PollFd::new(&self.answer, PollFlags::IN));
                if to_write {
                    pipes.push(PollFd::new(&self.ask, PollFlags::OUT));
                }
                if listening {
                    pipes.push(PollFd::new(&self.words, PollFlags::IN));
                }
                let timeout = rustix::event::Timespec::try_from(rest).ok();
                match poll(&mut pipes, timeout.as_ref()) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(_) => return Err(self.ended()),
                }
                let ready = pipes[..=usize::from(to_write)]
                    .iter()
                    .any(|pipe| !pipe.revents().is_empty());
                (
                    ready,
                    listening && !pipes[pipes.len() - 1].revents().is_empty(),
                )
            };
            if ready {
                return Ok(());
            }
            if said {
                let mut chunk = [0; 4096];
                match self.words.read(&mut chunk) {
                    Ok(count @ 1..) => self.keep(&chunk[..count]),
                    _ => listening = false,
                }
            }
        }
    }

    fn keep(&mut self, words: &[u8]) {
        self.last_words.extend(words);
        let over = self.last_words.len().saturating_sub(LAST_WORDS);
        self.last_words.drain(..over);
    }

    /// It has closed its pipe: it is over, or it is ended now.
    fn ended(&mut self) -> Ended {
        let deadline = Instant::now() + Duration::from_secs(2);
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break Some(code(status)),
                Ok(None) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                _ => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    break None;
                }
            }
        };
        // All that it said is in the pipe by now, and it holds at most so much; nobody is left to write more.
        let mut chunk = [0; 4096];
        if rustix::io::ioctl_fionbio(&self.words, true).is_ok() {
            // A pipe holds sixteen pages.
            for _ in 0..16 {
                let Ok(count @ 1..) = self.words.read(&mut chunk) else {
                    break;
                };
                self.keep(&chunk[..count]);
            }
        }
        let words = String::from_utf8_lossy(&self.last_words).into_owned();
        match Hit::of(status, &words, self.bounds.run) {
            Some(hit) => Ended::Limit(hit),
            None => Ended::Gone { status, words },
        }
    }

    /// The CPU time that everything in the sandbox has used, in seconds, and whether something in it runs or waits for a processor.
    fn cpu(&self) -> (f64, bool) {
        let mut seconds = 0.0;
        let mut runs = false;
        let mut family = vec![self.child.id()];
        while let Some(pid) = family.pop() {
            let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
                continue;
            };
            // After the name, which is in parentheses, user and system time are the 12th and 13th field, in hundredths of a second.
            let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            runs |= fields.trim_start().starts_with('R');
            let times = fields.split_whitespace().skip(11).take(2);
            seconds += times
                .filter_map(|ticks| ticks.parse::<f64>().ok())
                .sum::<f64>()
                / 100.0;
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            family.extend(
                children
                    .unwrap_or_default()
                    .split_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
        (seconds, runs)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long one answer takes.
///
/// What counts is CPU time, so that a busy machine fails nobody; a program that sleeps is ended after four times as long.
/// A program that waits for a processor does not sleep, so that the limit that is hit does not depend on the load either.
struct Watch {
    since: Instant,
    cpu: Option<f64>,
    /// When it was looked at last, and how long it has slept.
    looked: Instant,
    slept: Duration,
    seconds: u32,
}

impl Watch {
    fn new(process: &Process) -> Self {
        Self {
            since: Instant::now(),
            cpu: None,
            looked: Instant::now(),
            slept: Duration::ZERO,
            seconds: process.bounds.answer_seconds,
        }
    }

    /// How long to wait before looking again.
    fn rest(&mut self, process: &mut Process) -> Result<Duration, Ended> {
        let allowed = Duration::from_secs(u64::from(self.seconds));
        let gone = self.since.elapsed();
        if gone < allowed / 4 {
            return Ok((allowed / 4).saturating_sub(gone));
        }
        // Most answers come before this, and their CPU time is never looked at.
        let (now, runs) = process.cpu();
        if !runs {
            self.slept += self.looked.elapsed();
        }
        self.looked = Instant::now();
        let used = now - *self.cpu.get_or_insert(now);
        let late = if used >= f64::from(self.seconds) * 0.75 {
            Some(Hit::Cpu(self.seconds))
        } else if self.slept >= 4 * allowed {
            Some(Hit::Wall(4 * self.seconds))
        } else {
            None
        };
        let Some(hit) = late else {
            return Ok(Duration::from_millis(50));
        };
        let _ = process.child.kill();
        let _ = process.child.wait();
        Err(Ended::Limit(hit))
    }
}
