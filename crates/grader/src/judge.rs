//! From a submission to an outcome.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use moments_checks::{
    Check, Exam, Exercise, Failure, Kind, Mutant, Subject, TOLERANCE, exercises, explain,
    first_difference, hidden, pointer,
};
use sha2::Sha256;

use crate::compile::{NotCompiled, Workshop, compile};
use crate::intake::Submission;
use crate::kit::{Kit, STANDARD};
use crate::limits::Bounds;
use crate::outcome::{Checked, From, Held, Outcome, SCHEMA, Status, Tier, hex};
use crate::remote::Remote;
use crate::rubric::Rubric;
use crate::sandbox::{Sandbox, Task};

/// Something that failed and is not the student's doing. It is never a score: the submission is graded again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Infra(
    /// What failed, in a sentence for the instructor.
    pub String,
);

impl Infra {
    pub(crate) fn at(path: &Path, error: &std::io::Error) -> Self {
        Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Infra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Infra {}

/// The course key: hidden cases follow from it, and nobody who does not have it can compute them.
#[derive(Clone)]
pub struct Key(Vec<u8>);

/// The shortest key, in bytes: one that can be guessed hides nothing.
const SHORTEST_KEY: usize = 16;

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Reads a key from a file; white space at its ends does not count.
    ///
    /// # Errors
    /// If it cannot be read or is shorter than 16 bytes.
    pub fn load(path: &Path) -> Result<Self, String> {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let bytes = bytes.trim_ascii().to_vec();
        if bytes.len() < SHORTEST_KEY {
            return Err(format!(
                "{}: the key has {} bytes; it needs {SHORTEST_KEY} or more, as from `openssl rand -hex 32`",
                path.display(),
                bytes.len()
            ));
        }
        Ok(Self(bytes))
    }

    /// A key of these bytes, for tests.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    fn mac(&self, parts: &[&str]) -> [u8; 32] {
        // A key of any length will do, so this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return [0; 32];
        };
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    /// What tells two keys apart and gives neither away.
    fn name(&self) -> String {
        hex(&self.mac(&["moments/key-name/v1"])[..8])
    }

    /// The seed of the hidden cases of a check for a submission.
    fn seed(&self, submission: &str, exercise: &str, check: &str) -> u64 {
        let mac = self.mac(&["moments/seed/v1", submission, exercise, check]);
        let mut first = [0; 8];
        first.copy_from_slice(&mac[..8]);
        u64::from_le_bytes(first)
    }
}

/// A place to work in: a number that tells the jobs apart that run at the same time, each of which has a folder and a user of its own.
#[derive(Debug)]
pub struct Slot {
    number: u32,
    /// The lock ends with the process, however it ends.
    _lock: fs::File,
}

impl Slot {
    fn claim(workshops: &Path) -> Result<Self, Infra> {
        fs::create_dir_all(workshops).map_err(|error| Infra::at(workshops, &error))?;
        for number in 0..1000 {
            let path = workshops.join(format!("{number}.lock"));
            let file = fs::File::create(&path).map_err(|error| Infra::at(&path, &error))?;
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        number,
                        _lock: file,
                    });
                }
                Err(fs::TryLockError::WouldBlock) => {}
                Err(fs::TryLockError::Error(error)) => return Err(Infra::at(&path, &error)),
            }
        }
        Err(Infra("a thousand jobs run on this machine".to_owned()))
    }
}

/// How to grade.
#[derive(Clone, Debug)]
pub struct Options {
    /// The course key; without one there are no hidden cases, and no outcome is official.
    pub key: Option<Key>,
    /// The least sandbox of an official outcome.
    pub least: Tier,
    /// Where rubrics are; by default the grader's own.
    pub rubrics: Option<PathBuf>,
    /// What a submission may use.
    pub bounds: Bounds,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            key: None,
            least: Tier::User,
            rubrics: None,
            bounds: Bounds::default(),
        }
    }
}

/// Grades submissions; many threads may share one.
#[derive(Debug)]
pub struct Grader {
    kit: Kit,
    sandbox: Sandbox,
    options: Options,
    rubrics: Vec<Rubric>,
    workshops: PathBuf,
}

impl Grader {
    /// Prepares a grader.
    ///
    /// `course` is the course's own folder, `cache` one in which it may keep what it has prepared, and a place for the private folders of jobs.
    ///
    /// # Errors
    /// What is missing and what brings it.
    pub fn open(
        course: &Path,
        cache: &Path,
        sandbox: Sandbox,
        options: Options,
    ) -> Result<Self, String> {
        let folder = options
            .rubrics
            .clone()
            .unwrap_or_else(|| course.join("crates/grader/rubrics"));
        let rubrics = exercises()
            .iter()
            .map(|exercise| Rubric::load(&folder, exercise))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            kit: Kit::prepare(course, cache)?,
            sandbox,
            options,
            rubrics,
            workshops: cache.join("grader").join("jobs"),
        })
    }

    /// How strong the sandbox is.
    pub fn tier(&self) -> Tier {
        self.sandbox.tier()
    }

    /// Whether what it finds is official.
    pub fn official(&self) -> bool {
        let tier = self.sandbox.tier();
        tier != Tier::None && tier >= self.options.least && self.options.key.is_some()
    }

    /// What the outcome of a submission follows from; known before it is graded.
    ///
    /// # Errors
    /// If there is no exercise of that id.
    pub fn from(&self, submission: &Submission) -> Result<From, Infra> {
        let (_, rubric) = self.exercise(&submission.exercise)?;
        Ok(From {
            submission: submission.hash(),
            rubric: rubric.hash.clone(),
            key: self.options.key.as_ref().map(Key::name).unwrap_or_default(),
            toolchain: self.kit.toolchain().to_owned(),
            grader: self.kit.hash().to_owned(),
            limits: format!(
                "{:?}{}; {}",
                self.sandbox.tier(),
                if self.official() {
                    ""
                } else {
                    ", not official"
                },
                self.options.bounds.words()
            ),
        })
    }

    fn exercise(&self, id: &str) -> Result<(&'static Exercise, &Rubric), Infra> {
        exercises()
            .iter()
            .zip(&self.rubrics)
            .find_map(|(exercise, rubric)| (exercise.id == id).then_some((*exercise, rubric)))
            .ok_or_else(|| Infra(format!("there is no exercise `{id}`")))
    }

    /// A place to work in that no other job on this machine has, in this grader or another one.
    ///
    /// # Errors
    /// If the cache cannot be written to.
    pub fn slot(&self) -> Result<Slot, Infra> {
        Slot::claim(&self.workshops)
    }

    /// Grades one submission.
    ///
    /// # Errors
    /// What failed that is not the student's doing.
    pub fn grade(&self, submission: &Submission, slot: &Slot) -> Result<Outcome, Infra> {
        let slot = slot.number;
        let (exercise, rubric) = self.exercise(&submission.exercise)?;
        let from = self.from(submission)?;
        let outcome = |status, checks: Vec<Checked>, remarks| Outcome {
            schema: SCHEMA.to_owned(),
            exercise: exercise.id.to_owned(),
            from: from.clone(),
            sandbox: self.sandbox.tier(),
            official: self.official(),
            status,
            points: checks.iter().map(|check| check.points).sum(),
            max_points: rubric.total(),
            checks,
            remarks,
        };
        let files = match &submission.files {
            Ok(files) => files,
            Err(refusal) => {
                let checks = not_tried(exercise, rubric);
                return Ok(outcome(Status::Refused, checks, vec![refusal.why.clone()]));
            }
        };
        let workshop = Workshop::new(&self.workshops, slot)?;
        let bounds = &self.options.bounds;
        let program = match compile(
            &self.kit,
            &self.sandbox,
            bounds,
            exercise,
            files,
            &workshop,
            slot,
        )? {
            Ok(program) => program,
            Err(NotCompiled { remarks }) => {
                let checks = not_tried(exercise, rubric);
                return Ok(outcome(Status::DoesNotCompile, checks, remarks));
            }
        };
        let task = Task {
            argv: vec!["/program".into()],
            mounts: vec![
                (program, "/program"),
                (self.kit.standard().to_path_buf(), STANDARD),
            ],
            out: None,
            cwd: "/",
            limits: bounds.run,
            slot,
            wired: true,
        };
        let remote = Remote::new(*bounds, || self.sandbox.command(&task));
        let checks = self.judge(exercise, rubric, &from.submission, &remote);
        if let Some(infra) = remote.infra() {
            // The same sandbox with another program tells whose doing it was.
            return if self.sandbox.stands(bounds.run, slot) {
                let remark = format!(
                    "Your program cannot be started: it asks for more than the limits allow before it has done anything, as a large static would; memory: {} MB.",
                    bounds.run.memory
                );
                let mut checks = not_tried(exercise, rubric);
                for check in &mut checks {
                    check.limit = Some(format!("memory: {} MB", bounds.run.memory));
                }
                Ok(outcome(Status::Graded, checks, vec![remark]))
            } else {
                Err(infra)
            };
        }
        Ok(outcome(Status::Graded, checks, Vec::new()))
    }

    fn judge(
        &self,
        exercise: &'static Exercise,
        rubric: &Rubric,
        submission: &str,
        remote: &Remote<'_>,
    ) -> Vec<Checked> {
        let key = self.options.key.as_ref();
        let seed = |check: &Check| key.map(|key| key.seed(submission, exercise.id, check.name));
        judge(exercise, rubric, remote, seed, || {
            remote.limit().map(crate::limits::Hit::words)
        })
    }
}

fn not_tried(exercise: &Exercise, rubric: &Rubric) -> Vec<Checked> {
    let checks = exercise.checks.iter().zip(&rubric.points);
    checks
        .map(|(check, &points)| Checked {
            name: check.name.to_owned(),
            asked: check.asked.to_owned(),
            result: Held::NotTried,
            points: 0,
            max_points: points,
            message: String::new(),
            diagnosis: None,
            limit: None,
        })
        .collect()
}

/// Puts a subject through every check of an exercise, and through the hidden cases of those that it holds.
///
/// `seed` is where the hidden cases of a check come from; where it is None there are none. `limit` tells which limit was hit since it was asked last.
pub fn judge(
    exercise: &'static Exercise,
    rubric: &Rubric,
    subject: &dyn Subject,
    seed: impl Fn(&Check) -> Option<u64>,
    limit: impl Fn() -> Option<String>,
) -> Vec<Checked> {
    let exam = Exam::new(subject);
    // The first check that a function fails, and the mistake that it shows: it is explained once, as in the learner's own tests.
    let mut explained: Vec<(&str, &Check, Option<&'static Mutant>)> = Vec::new();
    let checks = exercise.checks.iter().zip(&rubric.points);
    checks
        .map(|(check, &points)| {
            let _ = limit();
            let (result, failure) = tried(exercise, rubric, check, &exam, seed(check));
            let limit = limit();
            let (message, mistake) = match &failure {
                None => (String::new(), None),
                Some(failure) => {
                    let call = failure.case.call;
                    let before = explained.iter().find(|(function, ..)| *function == call);
                    if let Some((_, first, mistake)) = before {
                        (pointer(first), *mistake)
                    } else {
                        let (message, mistake) = if result == Held::FailsSeen {
                            explain(exercise, check, &exam, failure)
                        } else {
                            unseen_explained(exercise, &exam, failure)
                        };
                        explained.push((call, check, mistake));
                        (message, mistake)
                    }
                }
            };
            Checked {
                name: check.name.to_owned(),
                asked: check.asked.to_owned(),
                result,
                points: if result.holds() { points } else { 0 },
                max_points: points,
                message,
                diagnosis: mistake.map(|mutant| mutant.name.to_owned()),
                limit,
            }
        })
        .collect()
}

/// Puts a subject through one check, and through its hidden cases if it holds and there is a seed for them.
pub fn tried(
    exercise: &Exercise,
    rubric: &Rubric,
    check: &Check,
    exam: &Exam<'_>,
    seed: Option<u64>,
) -> (Held, Option<Box<Failure>>) {
    if let Err(failure) = (check.run)(exam) {
        return (Held::FailsSeen, Some(failure));
    }
    // The generator behind a seed scatters its neighbours.
    let rounds = (0..rubric.rounds).filter_map(|round| Some(seed? ^ u64::from(round)));
    for seed in rounds {
        if let Some(failure) = unseen(exercise, check, exam.subject, seed) {
            return (Held::FailsHidden, Some(failure));
        }
    }
    (Held::Holds, None)
}

/// What is said of a hidden case: in what it fails and which mistake that looks like, and no number.
fn unseen_explained(
    exercise: &Exercise,
    exam: &Exam<'_>,
    failure: &Failure,
) -> (String, Option<&'static Mutant>) {
    let mut text = "It holds on the cases of `cargo test` and fails on others of the same kind, which stay hidden.\n".to_owned();
    text += &match &failure.kind {
        Kind::Fault(fault) => format!("On one of them {fault}.\n"),
        Kind::Length { channel, .. } => {
            format!("On one of them `{channel}` has another length than it should have.\n")
        }
        Kind::Differs { channel, .. } => format!("On one of them `{channel}` differs.\n"),
    };
    let mistake = exercise.diagnose(exam, failure).first().copied();
    let mistake = mistake.or_else(|| exercise.resembles(exam, failure));
    text += &match mistake {
        Some(mutant) => format!(
            "This looks like: {}\nRead: {} in the book\n",
            mutant.mistake, mutant.read
        ),
        None => "Does your code know the numbers of the tests, or depend on the time or on chance? It should follow from the formulas alone.\n".to_owned(),
    };
    (text, mistake)
}

/// The first hidden case of a check on which a subject differs.
fn unseen(
    exercise: &Exercise,
    check: &Check,
    subject: &dyn Subject,
    seed: u64,
) -> Option<Box<Failure>> {
    hidden(exercise, check, seed)
        .into_iter()
        .find_map(|hidden| {
            let run = moments_checks::drive(subject, &hidden.case);
            let differs = first_difference(&hidden.case, &hidden.expected, &run.frames, TOLERANCE);
            let failure = |step, kind| {
                Box::new(Failure {
                    case: hidden.case.clone(),
                    step,
                    kind,
                })
            };
            match (differs, run.fault) {
                (Some((step, kind)), _) => Some(failure(step, kind)),
                (None, Some(fault)) => Some(failure(run.frames.len() + 1, Kind::Fault(fault))),
                (None, None) if run.frames.len() == hidden.expected.len() => None,
                (None, None) => Some(failure(
                    run.frames.len() + 1,
                    Kind::Fault(moments_checks::Fault::Lost("it ended early".to_owned())),
                )),
            }
        })
}
