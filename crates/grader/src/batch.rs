//! A class, graded: what is not known yet goes to as many jobs as are wanted, and every outcome is kept as soon as it is there.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::intake::{Handed, Unread};
use crate::judge::{Grader, Infra};
use crate::outcome::Status;
use crate::similarity::fingerprint;
use crate::store::{Entry, Store};

/// How often a submission is tried whose grading fails for no reason of the student's.
pub const TRIES: u32 = 3;

/// How a class is graded.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many submissions at the same time.
    pub jobs: usize,
    /// Which part of the class: (2, 5) is the second of five. The parts are disjoint, and together they are the class.
    pub shard: Option<(u32, u32)>,
    /// Whether to grade again what has an outcome.
    pub regrade: bool,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Outcomes that are there.
    pub done: usize,
    /// Outcomes that there will be.
    pub total: usize,
    /// Those that were there before.
    pub known: usize,
    /// Submissions that this grading has failed for, for no reason of the student's.
    pub faults: usize,
    /// Seconds since the start.
    pub seconds: f64,
}

impl Progress {
    /// How many seconds are left, from the pace so far; None until there is one.
    pub fn left(&self) -> Option<f64> {
        let graded = self.done - self.known;
        (graded > 0).then(|| self.seconds / graded as f64 * (self.total - self.done) as f64)
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Submissions of this part of the class.
    pub handed_in: usize,
    /// Outcomes that were graded now.
    pub graded: usize,
    /// Outcomes that were there before, or that two submissions share.
    pub known: usize,
    /// Of the outcomes that were graded now: does not compile, or was refused.
    pub not_graded: usize,
    /// Students and exercises without an outcome, and why, for no reason of theirs.
    pub faults: Vec<(String, String, String)>,
    /// How long it took.
    pub seconds: f64,
}

/// Grades what is not known yet.
///
/// `common` are texts, by exercise, that all may have: what was handed out and what solves it.
///
/// # Errors
/// If an outcome cannot be kept. What was kept before is kept.
pub fn run(
    grader: &Grader,
    store: &Store,
    handed: &[Handed],
    unread: &[Unread],
    common: &BTreeMap<String, Vec<String>>,
    plan: Plan,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report> {
    let start = Instant::now();
    let mut report = Report::default();
    for unread in unread {
        let why = format!("{}: {}", unread.place.display(), unread.why);
        report
            .faults
            .push((unread.student.clone(), String::new(), why));
    }

    // Who has handed in what. Texts are read again when their turn comes: a thousand of them need not be in memory.
    let mut entries = Vec::new();
    let mut jobs: BTreeMap<String, usize> = BTreeMap::new();
    for (index, one) in handed.iter().enumerate() {
        let (key, fingerprint) = match named(grader, one, common) {
            Ok(named) => named,
            Err(Infra(why)) => {
                report
                    .faults
                    .push((one.student.clone(), one.exercise.clone(), why));
                continue;
            }
        };
        if !plan.shard.is_none_or(|shard| belongs(&key, shard)) {
            continue;
        }
        entries.push(Entry {
            student: one.student.clone(),
            exercise: one.exercise.clone(),
            key: key.clone(),
            place: one.place.display().to_string(),
            fingerprint,
        });
        jobs.entry(key).or_insert(index);
    }
    store.class(&entries)?;
    report.handed_in = entries.len();

    let total = jobs.len();
    let jobs: Vec<(String, usize)> = jobs
        .into_iter()
        .filter(|(key, _)| plan.regrade || !store.has(key))
        .collect();
    let known = total - jobs.len();
    report.known = report.handed_in - jobs.len();

    let next = AtomicUsize::new(0);
    let state = Mutex::new((
        Progress {
            done: known,
            total,
            known,
            ..Progress::default()
        },
        report,
        None::<Error>,
    ));
    let step = |change: &dyn Fn(&mut Progress, &mut Report)| {
        let mut state = state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (now, report, _) = &mut *state;
        change(now, report);
        now.seconds = start.elapsed().as_secs_f64();
        progress(*now);
    };
    step(&|_, _| {});
    let work = || -> Result<()> {
        let slot = grader.slot().map_err(|Infra(why)| {
            Error::new(
                "the grader",
                why,
                "set MOMENTS_CACHE_DIR to a folder that can be written to",
            )
        })?;
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((key, index)) = jobs.get(at) else {
                return Ok(());
            };
            let one = &handed[*index];
            let began = Instant::now();
            let mut tries = 0;
            let outcome = loop {
                tries += 1;
                let graded = one
                    .read()
                    .map_err(|error| Infra::at(&one.place, &error))
                    .and_then(|submission| grader.grade(&submission, &slot));
                match graded {
                    Ok(outcome) if outcome.key() == *key => break Ok(outcome),
                    Ok(_) => {
                        break Err(Infra(
                            "its files were changed while it was graded".to_owned(),
                        ));
                    }
                    Err(infra) => {
                        store.fault(key, &one.exercise, &infra.0)?;
                        if tries == TRIES {
                            break Err(infra);
                        }
                        thread::sleep(Duration::from_millis(200) * 4_u32.pow(tries - 1));
                    }
                }
            };
            match outcome {
                Ok(outcome) => {
                    let seconds = began.elapsed().as_secs_f64();
                    if plan.regrade {
                        store.regrade(&outcome, seconds)?;
                    } else {
                        store.put(&outcome, seconds)?;
                    }
                    step(&|now, report| {
                        now.done += 1;
                        report.graded += 1;
                        report.not_graded += usize::from(outcome.status != Status::Graded);
                    });
                }
                Err(Infra(why)) => step(&|now, report| {
                    now.faults += 1;
                    report
                        .faults
                        .push((one.student.clone(), one.exercise.clone(), why.clone()));
                }),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..plan.jobs.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                if let Err(error) = work() {
                    // The others need not go on: what cannot be kept now cannot be kept later.
                    next.store(jobs.len(), Ordering::Relaxed);
                    let mut state = state
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    state.2.get_or_insert(error);
                }
            });
        }
    });
    let (_, mut report, error) = state
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(error) = error {
        return Err(error);
    }
    report.faults.sort();
    report.seconds = start.elapsed().as_secs_f64();
    Ok(report)
}

/// The name of the outcome of a submission, and what it has in common with one that was copied from it.
fn named(
    grader: &Grader,
    one: &Handed,
    common: &BTreeMap<String, Vec<String>>,
) -> std::result::Result<(String, Option<String>), Infra> {
    let submission = one.read().map_err(|error| Infra::at(&one.place, &error))?;
    let key = grader.from(&submission)?.key(&one.exercise);
    let common = common
        .get(&one.exercise)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let print = submission.files.as_ref().ok().and_then(|files| {
        let texts = files.sources.iter().map(|(_, text)| text.as_str());
        fingerprint(texts, common.iter().map(String::as_str))
    });
    Ok((key, print))
}

/// Whether an outcome belongs to a shard. It follows from its name, so that those who handed in the same bytes share a shard as well.
fn belongs(key: &str, (part, of): (u32, u32)) -> bool {
    let start = key.get(..8).unwrap_or_default();
    u32::from_str_radix(start, 16).unwrap_or(0) % of.max(1) == part - 1
}

#[cfg(test)]
mod tests {
    use super::{Progress, belongs};

    #[test]
    fn every_outcome_belongs_to_one_shard() {
        for number in 0..500_u32 {
            let key = format!("{:08x}00", number.wrapping_mul(2_654_435_761));
            for of in [1, 2, 7, 50] {
                assert_eq!(
                    (1..=of).filter(|&part| belongs(&key, (part, of))).count(),
                    1
                );
            }
        }
    }

    #[test]
    fn what_is_left_follows_from_the_pace_of_what_was_graded_now() {
        let progress = Progress {
            done: 30,
            total: 100,
            known: 20,
            faults: 0,
            seconds: 5.0,
        };
        assert_eq!(progress.left(), Some(35.0));
        assert_eq!(Progress::default().left(), None);
    }
}
