//! What a subject is asked, and what it answers.

use std::fmt;

/// What a subject is asked: a set-up, then inputs that it is fed one at a time.
///
/// A case is plain data, so that it can be handed to a subject in another process.
#[derive(Clone, Debug)]
pub struct Case {
    /// What the case is, in a few words for the learner.
    pub about: String,
    /// Which function of the exercise is called.
    pub call: &'static str,
    /// Names of what can be seen after a step, in the order of a [`Frame`].
    pub channels: &'static [&'static str],
    /// Hyperparameters by name. None means: the learner's own defaults.
    pub settings: Vec<(&'static str, f64)>,
    /// The values before the first step, where the exercise has any.
    pub start: Vec<f64>,
    /// Names of tensors, where the exercise has any.
    pub names: Vec<String>,
    /// Where the inputs come from.
    pub feed: Feed,
}

/// Where the inputs of a case come from.
#[derive(Clone, Debug)]
pub enum Feed {
    /// A list, one input a step.
    Given(Vec<Vec<f64>>),
    /// The gradient at the point that the subject has reached: its first channel, or the start.
    Gradient {
        /// The gradient as a function of the point.
        of: fn(&[f64]) -> Vec<f64>,
        /// How many steps.
        steps: usize,
    },
}

/// What is seen after one step: a vector for each channel.
pub type Frame = Vec<Vec<f64>>;

impl Case {
    /// A case with a list of inputs.
    pub fn given(
        about: impl Into<String>,
        call: &'static str,
        channels: &'static [&'static str],
        settings: Vec<(&'static str, f64)>,
        start: Vec<f64>,
        inputs: Vec<Vec<f64>>,
    ) -> Self {
        Self {
            about: about.into(),
            call,
            channels,
            settings,
            start,
            names: Vec::new(),
            feed: Feed::Given(inputs),
        }
    }

    /// The inputs of a case that lists them.
    ///
    /// # Panics
    /// If they come from a gradient.
    pub fn inputs(&self) -> &[Vec<f64>] {
        match &self.feed {
            Feed::Given(inputs) => inputs,
            Feed::Gradient { .. } => panic!("the case `{}` does not list its inputs", self.about),
        }
    }

    /// A hyperparameter by name.
    ///
    /// # Panics
    /// If the case does not set it.
    pub fn setting(&self, name: &str) -> f64 {
        self.settings
            .iter()
            .find_map(|(key, value)| (*key == name).then_some(*value))
            .unwrap_or_else(|| panic!("the case `{}` does not set `{name}`", self.about))
    }

    /// How many steps the case has.
    pub fn steps(&self) -> usize {
        match &self.feed {
            Feed::Given(inputs) => inputs.len(),
            Feed::Gradient { steps, .. } => *steps,
        }
    }

    /// The input of the step after those whose frames are given.
    fn input(&self, frames: &[Frame]) -> Vec<f64> {
        match &self.feed {
            Feed::Given(inputs) => inputs[frames.len()].clone(),
            Feed::Gradient { of, .. } => of(frames.last().map_or(&self.start, |frame| &frame[0])),
        }
    }
}

/// Why a subject gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A `todo!()` was reached.
    NotWritten {
        /// What the `todo!` names, such as `Adam::step`.
        what: String,
        /// File and line.
        place: String,
    },
    /// The code panicked.
    Panicked {
        /// The panic's message.
        message: String,
        /// File and line.
        place: String,
    },
    /// The code did not come back in time.
    Endless {
        /// The bound in seconds.
        seconds: u64,
    },
    /// The subject could not be reached; for graders whose subject is another process.
    Lost(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NotWritten { what, place } if what.is_empty() => {
                write!(f, "not written yet: the `todo!()` at {place}")
            }
            Fault::NotWritten { what, place } => write!(f, "not written yet: {what} ({place})"),
            Fault::Panicked { message, place } => {
                write!(f, "your code panicked at {place}: {message}")
            }
            Fault::Endless { seconds } => {
                write!(
                    f,
                    "your code did not come back within {seconds} seconds: there is a loop that does not end"
                )
            }
            Fault::Lost(why) => write!(f, "your code gave no answer: {why}"),
        }
    }
}

/// Code that is checked: it is started from a case and then stepped.
///
/// The checks see nothing else, so the code may live in another process.
pub trait Subject {
    /// Sets the code up for a case.
    ///
    /// # Errors
    /// If it is not written, panics or cannot be reached.
    fn start(&self, case: &Case) -> Result<Box<dyn Stepper>, Fault>;
}

/// A subject that has been started.
pub trait Stepper {
    /// Feeds one input and looks at what can be seen afterwards.
    ///
    /// # Errors
    /// If it is not written, panics or cannot be reached.
    fn step(&mut self, input: &[f64]) -> Result<Frame, Fault>;
}

/// What a subject did on a case.
#[derive(Clone, Debug)]
pub struct Run {
    /// What was seen after each step that was completed.
    pub frames: Vec<Frame>,
    /// Why it ended early, if it did.
    pub fault: Option<Fault>,
}

/// Runs a subject through a case. The input of a step is fed only after the frame of the step before it was seen.
pub fn drive(subject: &dyn Subject, case: &Case) -> Run {
    let mut frames: Vec<Frame> = Vec::new();
    let mut walk = || -> Result<(), Fault> {
        let mut stepper = subject.start(case)?;
        for _ in 0..case.steps() {
            let input = case.input(&frames);
            frames.push(stepper.step(&input)?);
        }
        Ok(())
    };
    let fault = walk().err();
    Run { frames, fault }
}
