//! A learner's code in this process: its panics and endless loops become sentences.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, Once, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::case::{Case, Fault, Frame, Stepper, Subject};
use crate::exercise::{Check, Exam, Exercise, Failure, Kind, SEED, Step};
use crate::report;

/// How long one step may take. A right answer takes microseconds; the rest is for a busy machine.
const SECONDS: u64 = 3;

/// Puts a learner's code through one check of an exercise, and fails the running test with a message if it does not hold.
///
/// # Panics
/// If the check does not hold. The message goes to standard output, which the test harness shows for a failed test.
pub fn verdict(
    exercise: &'static Exercise,
    check: &str,
    start: impl Fn(&Case) -> Step + Send + 'static,
) {
    if let Err(message) = judge(exercise, check, start) {
        println!("\n{message}");
        // Unlike a panic, this adds nothing to the output: no place in the checks, no backtrace.
        panic::resume_unwind(Box::new("the check failed"));
    }
}

/// Puts a learner's code through one check of an exercise.
///
/// # Errors
/// The message for the learner, if the check does not hold.
///
/// # Panics
/// If the exercise has no check of that name.
pub fn judge(
    exercise: &'static Exercise,
    check: &str,
    start: impl Fn(&Case) -> Step + Send + 'static,
) -> Result<(), String> {
    let check = exercise.check(check);
    let seed = match std::env::var("MOMENTS_SEED") {
        Ok(text) => text
            .parse()
            .map_err(|_| format!("MOMENTS_SEED is `{text}`; it must be a whole number.\n"))?,
        Err(_) => SEED,
    };
    let watch = Arc::new(Watch::default());
    let (send, receive) = channel();
    let subject = Local {
        start,
        watch: Arc::clone(&watch),
    };
    hook();
    // If the code never comes back, this thread is left behind; it ends with the process.
    thread::spawn(move || {
        let exam = Exam {
            seed,
            ..Exam::new(&subject)
        };
        let _ = send.send(examine(exercise, check, &exam));
    });

    let mut seen = watch.calls.load(Ordering::Relaxed);
    let mut since = Instant::now();
    loop {
        match receive.recv_timeout(Duration::from_millis(100)) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(format!(
                    "Asked: {}\nThe check itself failed.\n",
                    check.asked
                ));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        // One endless loop is explained once; the tests that run beside it or after it need not wait for it again.
        if let Some(first) = ENDLESS.get() {
            return Err(report::pointer(first));
        }
        let now = watch.calls.load(Ordering::Relaxed);
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        if since.elapsed() < Duration::from_secs(SECONDS) {
            continue;
        }
        if let Err(first) = ENDLESS.set(check) {
            return Err(report::pointer(first));
        }
        let fault = Fault::Endless { seconds: SECONDS };
        let (case, step) = watch.at.lock().map_or((None, 0), |at| at.clone());
        let Some(case) = case else {
            return Err(fault.to_string());
        };
        let kind = Kind::Fault(fault);
        let failure = Failure { case, step, kind };
        let exam = Exam {
            seed,
            ..Exam::new(&Gone)
        };
        return Err(report::message(exercise, check, &exam, &failure));
    }
}

/// The check in which code did not come back.
static ENDLESS: OnceLock<&Check> = OnceLock::new();

/// Explains the check if it is the first in which this function fails; else names the one that is.
fn examine(exercise: &Exercise, check: &'static Check, exam: &Exam<'_>) -> Result<(), String> {
    let Err(failure) = (check.run)(exam) else {
        return Ok(());
    };
    let same = |other: &Failure| other.case.call == failure.case.call;
    let before = exercise
        .checks
        .iter()
        .take_while(|other| other.name != check.name);
    for first in before {
        if (first.run)(exam).is_err_and(|other| same(&other)) {
            return Err(report::pointer(first));
        }
    }
    Err(report::message(exercise, check, exam, &failure))
}

/// How far the code has come, for the watching thread.
#[derive(Default)]
struct Watch {
    calls: AtomicU64,
    at: Mutex<(Option<Case>, usize)>,
}

/// The learner's code.
struct Local<F> {
    start: F,
    watch: Arc<Watch>,
}

struct LocalStep {
    step: Step,
    watch: Arc<Watch>,
}

impl<F: Fn(&Case) -> Step> Subject for Local<F> {
    fn start(&self, case: &Case) -> Result<Box<dyn Stepper>, Fault> {
        self.watch.calls.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut at) = self.watch.at.lock() {
            *at = (Some(case.clone()), 0);
        }
        let step = guarded(|| (self.start)(case))?;
        let watch = Arc::clone(&self.watch);
        Ok(Box::new(LocalStep { step, watch }))
    }
}

impl Stepper for LocalStep {
    fn step(&mut self, input: &[f64]) -> Result<Frame, Fault> {
        self.watch.calls.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut at) = self.watch.at.lock() {
            at.1 += 1;
        }
        guarded(|| (self.step)(input))
    }
}

/// Stands for code that did not come back: there is nothing more to ask it.
struct Gone;

impl Subject for Gone {
    fn start(&self, _: &Case) -> Result<Box<dyn Stepper>, Fault> {
        Err(Fault::Endless { seconds: SECONDS })
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static PANIC: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
}

/// Runs the learner's code; a panic becomes a fault and prints nothing.
pub(crate) fn guarded<T>(code: impl FnOnce() -> T) -> Result<T, Fault> {
    GUARDED.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(code));
    GUARDED.set(false);
    result.map_err(|_| {
        let (message, place) = PANIC.take();
        match message.strip_prefix("not yet implemented") {
            Some(what) => Fault::NotWritten {
                what: what.trim_start_matches(": ").to_owned(),
                place,
            },
            None => Fault::Panicked { message, place },
        }
    })
}

/// Keeps the panics of guarded code to ourselves, and leaves all others to the hook that was there.
pub(crate) fn hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                return previous(info);
            }
            let message = info
                .payload_as_str()
                .unwrap_or("a value that is no text")
                .to_owned();
            let place = info
                .location()
                .map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
            PANIC.set((message, place));
        }));
    });
}
