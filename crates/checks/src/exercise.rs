//! The shape of an exercise: its checks, the mistakes that they must catch, and the unusual forms that they must let pass.

use crate::case::{Case, Fault, Frame, Run, Stepper, Subject, drive};

/// Everything that is known about one exercise apart from the learner's code.
#[derive(Debug)]
pub struct Exercise {
    /// The permanent id, such as `ex07`.
    pub id: &'static str,
    /// The name of the crate, such as `ex07-adam`.
    pub slug: &'static str,
    /// What the code must satisfy. The first that fails is the one that is explained.
    pub checks: &'static [Check],
    /// Mistakes that the checks must reject and the diagnosis must tell apart.
    pub mutants: &'static [Mutant],
    /// Correct forms that the checks must accept.
    pub variants: &'static [Variant],
    /// Cases on which every two mutants differ: with the case that failed, they decide the diagnosis.
    pub probes: fn() -> Vec<Case>,
}

/// One thing that the code must satisfy.
#[derive(Debug)]
pub struct Check {
    /// The name of the learner's test.
    pub name: &'static str,
    /// What is asked, in one sentence.
    pub asked: &'static str,
    /// Puts the subject through it.
    pub run: fn(&Exam<'_>) -> Verdict,
}

/// A mistake, as a small implementation that makes it.
#[derive(Debug)]
pub struct Mutant {
    /// A short name in kebab case.
    pub name: &'static str,
    /// What a learner who made it is told: it completes "This looks like: ".
    pub mistake: &'static str,
    /// The section of the book that explains it.
    pub read: &'static str,
    /// The implementation.
    pub start: fn(&Case) -> Step,
}

/// A correct implementation in an unusual form.
#[derive(Debug)]
pub struct Variant {
    /// A short name in kebab case.
    pub name: &'static str,
    /// The implementation.
    pub start: fn(&Case) -> Step,
}

/// An implementation that has been set up for a case: it takes an input and shows a frame.
pub type Step = Box<dyn FnMut(&[f64]) -> Frame>;

/// Whether a check is satisfied.
pub type Verdict = Result<(), Box<Failure>>;

/// Where and how a check is not satisfied.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The case in which it happened.
    pub case: Case,
    /// The step, the first being 1; 0 if setting up failed.
    pub step: usize,
    /// How.
    pub kind: Kind,
}

/// How a check is not satisfied.
#[derive(Clone, Debug)]
pub enum Kind {
    /// There was no answer.
    Fault(Fault),
    /// An answer has the wrong number of values.
    Length {
        /// Which answer, such as `theta`.
        channel: &'static str,
        /// How many values it should have.
        expected: usize,
        /// How many it has.
        got: usize,
    },
    /// A value differs.
    Differs {
        /// Which answer, such as `theta`.
        channel: &'static str,
        /// Which value of it.
        index: usize,
        /// What it should be.
        expected: f64,
        /// What it is.
        got: f64,
        /// Where the value was at the start of the case.
        origin: f64,
    },
}

/// A subject under examination.
#[derive(Clone, Copy)]
pub struct Exam<'a> {
    /// The code.
    pub subject: &'a dyn Subject,
    /// What randomised cases follow from.
    pub seed: u64,
    /// How far a right answer may be from the expected one, relative to how far its coordinate has moved since the start.
    pub tolerance: f64,
}

/// The seed of randomised cases where none is given.
pub const SEED: u64 = 20_180_501;

/// The tolerance of the checks.
///
/// Rounding in another order of operations stays below 1e-12, and every mistake differs by more than 1e-5 in at least one case:
/// the tests of this crate hold with either.
pub const TOLERANCE: f64 = 1e-10;

impl std::fmt::Debug for Exam<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exam")
            .field("seed", &self.seed)
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}

impl<'a> Exam<'a> {
    /// The examination that a learner's test makes, with the usual seed and tolerance.
    pub fn new(subject: &'a dyn Subject) -> Self {
        Self {
            subject,
            seed: SEED,
            tolerance: TOLERANCE,
        }
    }
    /// Runs a case to its end.
    ///
    /// # Errors
    /// If there is no answer to one of its steps.
    pub fn run(&self, case: &Case) -> Result<Vec<Frame>, Box<Failure>> {
        let Run { frames, fault } = drive(self.subject, case);
        match fault {
            None => Ok(frames),
            Some(fault) => Err(Box::new(Failure {
                case: case.clone(),
                step: frames.len() + 1,
                kind: Kind::Fault(fault),
            })),
        }
    }

    /// Runs a case and compares what is seen with what is expected, frame by frame.
    ///
    /// # Errors
    /// The first step that differs, or that has no answer.
    pub fn expect(&self, case: &Case, expected: &[Frame]) -> Verdict {
        debug_assert_eq!(case.steps(), expected.len());
        let Run { frames, fault } = drive(self.subject, case);
        if let Some((step, kind)) = first_difference(case, expected, &frames, self.tolerance) {
            return Err(Box::new(Failure {
                case: case.clone(),
                step,
                kind,
            }));
        }
        match fault {
            None => Ok(()),
            Some(fault) => Err(Box::new(Failure {
                case: case.clone(),
                step: frames.len() + 1,
                kind: Kind::Fault(fault),
            })),
        }
    }
}

/// The first step, from 1, at which two runs of a case differ, and how. Frames that one of them lacks are not compared.
///
/// The tolerance is relative to how far a value has come from where the case started.
pub fn first_difference(
    case: &Case,
    expected: &[Frame],
    got: &[Frame],
    tolerance: f64,
) -> Option<(usize, Kind)> {
    // How far each coordinate of each channel has come: the measure of a difference.
    let mut reach: Frame = Vec::new();
    let mut size: Frame = Vec::new();
    let starts_there = case.channels.len() == 1 && !case.start.is_empty();
    for (step, (expected, got)) in expected.iter().zip(got).enumerate() {
        for (channel, (expected, got)) in expected.iter().zip(got).enumerate() {
            let name = case.channels[channel];
            if expected.len() != got.len() {
                let kind = Kind::Length {
                    channel: name,
                    expected: expected.len(),
                    got: got.len(),
                };
                return Some((step + 1, kind));
            }
            if reach.len() <= channel {
                reach.push(vec![0.0; expected.len()]);
                size.push(vec![0.0; expected.len()]);
            }
            for (index, (&expected_value, &got_value)) in expected.iter().zip(got).enumerate() {
                let origin = if starts_there { case.start[index] } else { 0.0 };
                let (reach, size) = (&mut reach[channel][index], &mut size[channel][index]);
                if expected_value.is_finite() {
                    *reach = reach.max((expected_value - origin).abs());
                    *size = size.max(expected_value.abs());
                }
                let rounding = 2.0 * f64::EPSILON * (step + 1) as f64 * *size;
                if !same(expected_value, got_value, tolerance * *reach + rounding) {
                    let kind = Kind::Differs {
                        channel: name,
                        index,
                        expected: expected_value,
                        got: got_value,
                        origin,
                    };
                    return Some((step + 1, kind));
                }
            }
        }
    }
    None
}

fn same(expected: f64, got: f64, allowed: f64) -> bool {
    // The comparison of a mistake with a mistake meets NaN and infinity on both sides; what a check expects is finite.
    (expected - got).abs() <= allowed || expected == got || (expected.is_nan() && got.is_nan())
}

/// A subject that lives in this process and is trusted: a mutant, a variant, a reference.
#[derive(Clone, Copy, Debug)]
pub struct Trusted(
    /// The implementation.
    pub fn(&Case) -> Step,
);

impl Subject for Trusted {
    fn start(&self, case: &Case) -> Result<Box<dyn Stepper>, Fault> {
        Ok(Box::new(TrustedStep(self.0(case))))
    }
}

struct TrustedStep(Step);

impl Stepper for TrustedStep {
    fn step(&mut self, input: &[f64]) -> Result<Frame, Fault> {
        Ok((self.0)(input))
    }
}

impl Exercise {
    /// The check of a name.
    ///
    /// # Panics
    /// If the exercise has none of that name; the message lists those that it has.
    pub fn check(&self, name: &str) -> &'static Check {
        self.checks
            .iter()
            .find(|check| check.name == name)
            .unwrap_or_else(|| {
                let names: Vec<_> = self.checks.iter().map(|check| check.name).collect();
                panic!(
                    "{} has no check `{name}`; it has {}",
                    self.slug,
                    names.join(", ")
                )
            })
    }

    /// The first check that the subject fails, and where.
    pub fn examine(&self, exam: &Exam<'_>) -> Option<(&'static Check, Box<Failure>)> {
        self.checks
            .iter()
            .find_map(|check| Some((check, (check.run)(exam).err()?)))
    }

    /// The mutants whose trajectory is the subject's on the case that failed and on all probes.
    ///
    /// If there is none, those that agree on the case and on the probes of the function that failed: the other functions may be right.
    /// If there is none either, the one that agrees wherever the subject gives a number, if there is but one: NaN may be a second mistake.
    /// None if the subject gave no answer, for then there is nothing to compare.
    pub fn diagnose(&self, exam: &Exam<'_>, failure: &Failure) -> Vec<&'static Mutant> {
        let Kind::Differs { .. } = failure.kind else {
            return Vec::new();
        };
        let mut cases = vec![failure.case.clone()];
        cases.extend((self.probes)());
        let runs: Vec<Run> = cases.iter().map(|case| drive(exam.subject, case)).collect();
        let agrees = |mutant: &Mutant, case: &Case, run: &Run, skip: bool| {
            let theirs = drive(&Trusted(mutant.start), case);
            let (mut expected, mut got) = (theirs.frames, run.frames.clone());
            if skip {
                leave_out_what_is_nan(&mut expected, &mut got);
            }
            run.fault.is_none() && first_difference(case, &expected, &got, exam.tolerance).is_none()
        };
        let matching = |everywhere: bool, skip: bool| -> Vec<&'static Mutant> {
            let relevant = |case: &Case| everywhere || case.call == failure.case.call;
            self.mutants
                .iter()
                .filter(|mutant| {
                    let mut pairs = cases.iter().zip(&runs).filter(|(case, _)| relevant(case));
                    pairs.all(|(case, run)| agrees(mutant, case, run, skip))
                })
                .collect()
        };
        let whole = matching(true, false);
        if !whole.is_empty() {
            return whole;
        }
        let of_this_function = matching(false, false);
        if !of_this_function.is_empty() || is_nan(&failure.kind) {
            return of_this_function;
        }
        let numbers = matching(false, true);
        if numbers.len() == 1 {
            numbers
        } else {
            Vec::new()
        }
    }

    /// The mutant whose trajectory is the subject's on the case that failed, if there is but one: elsewhere the subject may make another mistake as well.
    pub fn resembles(&self, exam: &Exam<'_>, failure: &Failure) -> Option<&'static Mutant> {
        let Kind::Differs { .. } = failure.kind else {
            return None;
        };
        let run = drive(exam.subject, &failure.case);
        let agrees = |mutant: &&Mutant| {
            let theirs = drive(&Trusted(mutant.start), &failure.case);
            run.fault.is_none()
                && first_difference(&failure.case, &theirs.frames, &run.frames, exam.tolerance)
                    .is_none()
        };
        let mut found = self.mutants.iter().filter(agrees);
        found.next().filter(|_| found.next().is_none())
    }
}

fn is_nan(kind: &Kind) -> bool {
    matches!(kind, Kind::Differs { got, .. } if got.is_nan())
}

/// Where the second has NaN, both have from now on.
fn leave_out_what_is_nan(expected: &mut [Frame], got: &mut [Frame]) {
    for (expected, got) in expected.iter_mut().zip(got) {
        for (expected, got) in expected.iter_mut().zip(got) {
            for (expected, got) in expected.iter_mut().zip(got) {
                if got.is_nan() {
                    *expected = f64::NAN;
                }
            }
        }
    }
}

/// What a check makes of a mutant: the step at which it is caught, or None if it survives.
#[derive(Clone, Debug)]
pub struct Kills {
    /// The mutant.
    pub mutant: &'static Mutant,
    /// For each check of the exercise, the step at which it catches the mutant.
    pub by: Vec<Option<usize>>,
}

/// The kill matrix: every mutant of an exercise against each of its checks.
pub fn kill_matrix(exercise: &Exercise) -> Vec<Kills> {
    let row = |mutant: &'static Mutant| {
        let subject = Trusted(mutant.start);
        let exam = Exam::new(&subject);
        let by = exercise
            .checks
            .iter()
            .map(|check| (check.run)(&exam).err().map(|failure| failure.step));
        Kills {
            mutant,
            by: by.collect(),
        }
    };
    exercise.mutants.iter().map(row).collect()
}
