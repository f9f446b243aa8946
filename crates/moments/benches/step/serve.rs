//! What every program that `tools/bench.py` starts has in common: the data, the clock and the command line.
//!
//! A program holds one case at a time and answers one line of JSON to each line that it reads:
//!
//! ```text
//! prepare <rule> <f32|f64> <lengths>   makes parameters, gradients and state, and takes two steps
//! check <steps>                        takes steps, and gives some parameters: all programs must agree on them
//! time <seconds>                       takes steps, and gives the seconds of a step, one number for each of about ten samples
//! drop                                 frees the case
//! ```
//!
//! The crate `moments-peers` includes this file, so that it measures with the same clock.

use std::fmt::Write as _;
use std::io::{BufRead, Write as _};
use std::time::{Duration, Instant};

/// A rule, a number type and the lengths of the tensors that one step steps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Case {
    pub(crate) rule: String,
    pub(crate) double: bool,
    pub(crate) lengths: Vec<usize>,
}

/// Everything that one step steps, in memory that has been touched.
pub(crate) trait Subject {
    fn steps(&mut self, count: usize);
    /// The parameters of a tensor.
    fn theta(&self, tensor: usize) -> Vec<f64>;
}

/// Start and gradient of an entry: spread over (-1, 1), exact in `f32`, never zero, and the square never denormal.
pub(crate) fn entry(index: usize, salt: u32) -> f64 {
    let hash = (index as u32)
        .wrapping_add(salt)
        .wrapping_mul(2_654_435_761)
        >> 8;
    (2.0 * f64::from(hash) + 1.0) / f64::from(1 << 24) - 1.0
}

pub(crate) fn start(index: usize) -> f64 {
    entry(index, 12_345)
}

pub(crate) fn gradient(index: usize) -> f64 {
    entry(index, 0)
}

impl Case {
    /// Reads `adamw f32 1024*1000` or `lion f32 65536,256,256`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let rule = words.next()?.to_owned();
        let double = match words.next()? {
            "f32" => false,
            "f64" => true,
            _ => return None,
        };
        let mut lengths = Vec::new();
        for part in words.next()?.split(',') {
            let (length, count) = part.split_once('*').unwrap_or((part, "1"));
            let (length, count): (usize, usize) = (length.parse().ok()?, count.parse().ok()?);
            lengths.extend(std::iter::repeat_n(length, count));
        }
        (words.next().is_none() && !lengths.is_empty()).then_some(Self {
            rule,
            double,
            lengths,
        })
    }
}

/// Seconds of a step, one number for each of about ten samples. A short step is repeated within a sample, so that
/// the clock is read seldom. The steps of the first fifth of the time are not counted: caches, clocks and threads wake up there.
pub(crate) fn time(subject: &mut dyn Subject, budget: Duration) -> Vec<f64> {
    let begin = Instant::now();
    let mut count = 1;
    let step = loop {
        let before = Instant::now();
        subject.steps(count);
        let step = before.elapsed() / count as u32;
        if begin.elapsed() >= budget / 5 {
            break step.max(Duration::from_nanos(1));
        }
        count = (2 * count).min(1 << 20);
    };
    let count = ((budget / 12).as_secs_f64() / step.as_secs_f64()).max(1.0) as usize;
    let mut samples = Vec::new();
    let begin = Instant::now();
    while samples.is_empty() || begin.elapsed() < budget * 4 / 5 {
        let before = Instant::now();
        subject.steps(count);
        samples.push(before.elapsed().as_secs_f64() / count as f64);
    }
    samples
}

/// The first and the last two entries of the first and of the last tensor, after some steps.
fn check(subject: &mut dyn Subject, steps: usize, tensors: usize) -> Vec<f64> {
    subject.steps(steps);
    let ends = [0, tensors - 1].map(|tensor| {
        let theta = subject.theta(tensor);
        let last = theta.len() - 1;
        [
            theta[0],
            theta[1.min(last)],
            theta[last.saturating_sub(1)],
            theta[last],
        ]
    });
    ends.concat()
}

fn list(name: &str, numbers: &[f64]) -> String {
    let mut line = format!("{{\"{name}\": [");
    for (i, number) in numbers.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        let _ = write!(line, "{comma}{number:e}");
    }
    line + "]}"
}

/// Answers commands until the input ends.
pub(crate) fn serve(mut prepare: impl FnMut(&Case) -> Option<Box<dyn Subject>>) {
    let mut held: Option<(Case, Box<dyn Subject>)> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("commands are text");
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match (command, &mut held) {
            ("prepare", _) => {
                // What was held is freed before memory is taken anew.
                drop(held.take());
                let case = Case::parse(rest).unwrap_or_else(|| panic!("`{line}` is no case"));
                let subject = prepare(&case);
                let ready = subject.is_some();
                held = subject.map(|mut subject| {
                    subject.steps(2);
                    (case, subject)
                });
                format!("{{\"ready\": {ready}}}")
            }
            ("check", Some((case, subject))) => {
                let steps = rest.parse().expect("`check` wants a number of steps");
                list("theta", &check(subject.as_mut(), steps, case.lengths.len()))
            }
            ("time", Some((_, subject))) => {
                let seconds = rest.parse().expect("`time` wants seconds");
                list(
                    "seconds",
                    &time(subject.as_mut(), Duration::from_secs_f64(seconds)),
                )
            }
            ("drop", _) => {
                held = None;
                "{\"ready\": false}".to_owned()
            }
            _ => panic!("`{line}` means nothing here"),
        };
        println!("{answer}");
        std::io::stdout().flush().expect("someone listens");
    }
}
