//! Cases and frames as bytes: how a grader puts code in another process through a case.
//!
//! Both ends are here. The judge writes questions, [`serve`] answers them one at a time, and neither says more than it is asked:
//! the input of a step is sent only after the frame of the step before it has come back, and nothing that is expected is ever sent.
//!
//! A message is its length as `u32` and then so many bytes. Numbers are little-endian; an `f64` is its 64 bits, so that NaN and the sign of 0 arrive.

use std::io::{self, Read, Write};

use crate::case::{Case, Fault, Feed, Frame};
use crate::exercise::Step;
use crate::local::{guarded, hook};

/// The longest message that either end reads, in bytes.
pub const LONGEST: usize = 8 << 20;

/// What the judge says.
#[derive(Debug)]
pub enum Question {
    /// Set the code up for a case; its inputs are not in it.
    Start(Box<Case>),
    /// Take this input.
    Step(Vec<f64>),
}

/// What the code's process says.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is there. Said once, before anything is asked and before any code of the student has run.
    Hello,
    /// The case is set up.
    Ready,
    /// What is seen after the step.
    Frame(Frame),
    /// There is no answer.
    Fault(Fault),
}

/// Sends one message.
///
/// # Errors
/// If the other end is gone.
pub fn send(to: &mut dyn Write, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).map_err(|_| broken("a message is too long"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(message)?;
    to.flush()
}

/// Receives one message.
///
/// # Errors
/// If the other end is gone, or announces more than [`LONGEST`] bytes.
pub fn receive(from: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(broken("a message is too long"));
    }
    let mut message = vec![0; length];
    from.read_exact(&mut message)?;
    Ok(message)
}

/// Answers the questions of a judge with a student's code, until the judge is gone.
///
/// Nothing here is generic, so that it is compiled once and not with every submission.
/// A panic of the code is an answer. What ends the process is none, and the judge sees that it is gone.
///
/// # Errors
/// If the judge is gone in the middle of a message, or says what cannot be understood.
pub fn serve(
    ask: &mut dyn Read,
    answer: &mut dyn Write,
    start: &dyn Fn(&Case) -> Step,
) -> io::Result<()> {
    hook();
    let mut step: Option<Step> = None;
    send(answer, &Answer::Hello.encode())?;
    loop {
        let question = match receive(ask) {
            Ok(message) => Question::decode(&message)?,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let said = match question {
            Question::Start(case) => {
                // Dropping what was there runs code of the student too.
                let started = guarded(|| {
                    drop(step.take());
                    start(&case)
                });
                match started {
                    Ok(started) => {
                        step = Some(started);
                        Answer::Ready
                    }
                    Err(fault) => Answer::Fault(fault),
                }
            }
            Question::Step(input) => {
                let Some(step) = step.as_mut() else {
                    return Err(broken("a step before a case"));
                };
                match guarded(|| step(&input)) {
                    Ok(frame) => Answer::Frame(frame),
                    Err(fault) => Answer::Fault(fault),
                }
            }
        };
        send(answer, &said.encode())?;
    }
}

impl Question {
    /// The question as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Out::default();
        match self {
            Self::Start(case) => {
                out.tag(1);
                out.text(case.call);
                out.list(case.channels, |out, name| out.text(name));
                out.list(&case.settings, |out, (name, value)| {
                    out.text(name);
                    out.number(*value);
                });
                out.numbers(&case.start);
                out.list(&case.names, |out, name| out.text(name));
            }
            Self::Step(input) => {
                out.tag(2);
                out.numbers(input);
            }
        }
        out.0
    }

    /// A question from its bytes.
    ///
    /// The names in a case are kept until the process ends: there are a few dozen in an exercise.
    ///
    /// # Errors
    /// If the bytes are not a question.
    pub fn decode(bytes: &[u8]) -> io::Result<Self> {
        let mut input = In(bytes);
        let question = match input.tag()? {
            1 => Self::Start(Box::new(Case {
                about: String::new(),
                call: kept(input.text()?),
                channels: kept_list(input.list(In::text)?),
                settings: input.list(|input| Ok((kept(input.text()?), input.number()?)))?,
                start: input.numbers()?,
                names: input.list(In::text)?,
                feed: Feed::Given(Vec::new()),
            })),
            2 => Self::Step(input.numbers()?),
            _ => return Err(broken("an unknown question")),
        };
        input.end()?;
        Ok(question)
    }
}

impl Answer {
    /// The answer as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Out::default();
        match self {
            Self::Hello => out.tag(1),
            Self::Ready => out.tag(2),
            Self::Frame(frame) => {
                out.tag(3);
                out.list(frame, |out, channel| out.numbers(channel));
            }
            Self::Fault(Fault::NotWritten { what, place }) => {
                out.tag(4);
                out.text(what);
                out.text(place);
            }
            Self::Fault(Fault::Panicked { message, place }) => {
                out.tag(5);
                out.text(message);
                out.text(place);
            }
            Self::Fault(Fault::Endless { seconds }) => {
                out.tag(6);
                out.0.extend(seconds.to_le_bytes());
            }
            Self::Fault(Fault::Lost(why)) => {
                out.tag(7);
                out.text(why);
            }
        }
        out.0
    }

    /// An answer from its bytes. They come from code of strangers: any bytes are an answer or an error, and never more memory than they take themselves.
    ///
    /// # Errors
    /// If the bytes are not an answer.
    pub fn decode(bytes: &[u8]) -> io::Result<Self> {
        let mut input = In(bytes);
        let answer = match input.tag()? {
            1 => Self::Hello,
            2 => Self::Ready,
            3 => Self::Frame(input.list(In::numbers)?),
            4 => Self::Fault(Fault::NotWritten {
                what: input.text()?,
                place: input.text()?,
            }),
            5 => Self::Fault(Fault::Panicked {
                message: input.text()?,
                place: input.text()?,
            }),
            6 => Self::Fault(Fault::Endless {
                seconds: u64::from_le_bytes(input.take()?),
            }),
            7 => Self::Fault(Fault::Lost(input.text()?)),
            _ => return Err(broken("an unknown answer")),
        };
        input.end()?;
        Ok(answer)
    }
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn kept(text: String) -> &'static str {
    use std::cell::RefCell;
    use std::collections::HashSet;
    thread_local! {
        static KEPT: RefCell<HashSet<&'static str>> = RefCell::default();
    }
    KEPT.with_borrow_mut(|all| {
        all.get(text.as_str()).copied().unwrap_or_else(|| {
            let text: &'static str = Box::leak(text.into_boxed_str());
            all.insert(text);
            text
        })
    })
}

fn kept_list(names: Vec<String>) -> &'static [&'static str] {
    let names: Vec<_> = names.into_iter().map(kept).collect();
    Box::leak(names.into_boxed_slice())
}

#[derive(Default)]
struct Out(Vec<u8>);

impl Out {
    fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    fn count(&mut self, count: usize) {
        // Longer lists than u32 counts are longer than a message.
        self.0
            .extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn number(&mut self, number: f64) {
        self.0.extend(number.to_bits().to_le_bytes());
    }

    fn numbers(&mut self, numbers: &[f64]) {
        self.list(numbers, |out, number| out.number(*number));
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend(text.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], mut put: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        for item in items {
            put(self, item);
        }
    }
}

struct In<'a>(&'a [u8]);

impl In<'_> {
    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or_else(|| broken("a message ends too early"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn tag(&mut self) -> io::Result<u8> {
        self.take::<1>().map(|[tag]| tag)
    }

    fn count(&mut self) -> io::Result<usize> {
        self.take().map(|count| u32::from_le_bytes(count) as usize)
    }

    fn number(&mut self) -> io::Result<f64> {
        self.take()
            .map(|bits| f64::from_bits(u64::from_le_bytes(bits)))
    }

    fn numbers(&mut self) -> io::Result<Vec<f64>> {
        self.list(Self::number)
    }

    fn text(&mut self) -> io::Result<String> {
        let count = self.count()?;
        let (text, rest) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| broken("a message ends too early"))?;
        self.0 = rest;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> io::Result<T>) -> io::Result<Vec<T>> {
        let count = self.count()?;
        // No room is made for what has been announced: the items must be there.
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn end(&self) -> io::Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(broken("a message goes on after its end"))
        }
    }
}
