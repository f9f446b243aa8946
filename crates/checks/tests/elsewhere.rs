//! A subject may live elsewhere: here behind a channel that carries nothing but bytes, as a pipe to another process would.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use moments_checks::{Case, Exam, Fault, Frame, Stepper, Subject, Variant, exercises};

fn bytes(numbers: &[f64]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_bits().to_le_bytes())
        .collect()
}

fn numbers(bytes: &[u8]) -> Vec<f64> {
    bytes
        .chunks_exact(8)
        .map(|eight| f64::from_bits(u64::from_le_bytes(eight.try_into().unwrap())))
        .collect()
}

/// Starts a thread for each case, as a grader starts a process, and tells it the inputs one at a time.
struct Elsewhere {
    code: &'static Variant,
    answers: usize,
}

struct Connection {
    inputs: Sender<Vec<u8>>,
    frames: Receiver<Vec<Vec<u8>>>,
}

impl Subject for Elsewhere {
    fn start(&self, case: &Case) -> Result<Box<dyn Stepper>, Fault> {
        let (inputs, receive) = channel::<Vec<u8>>();
        let (send, frames) = channel();
        let (case, start, answers) = (case.clone(), self.code.start, self.answers);
        thread::spawn(move || {
            let mut step = start(&case);
            for input in receive.iter().take(answers) {
                let frame = step(&numbers(&input));
                let _ = send.send(frame.iter().map(|channel| bytes(channel)).collect());
            }
        });
        Ok(Box::new(Connection { inputs, frames }))
    }
}

impl Stepper for Connection {
    fn step(&mut self, input: &[f64]) -> Result<Frame, Fault> {
        let lost = |_| Fault::Lost("the process has ended".to_owned());
        self.inputs
            .send(bytes(input))
            .map_err(|_| Fault::Lost("the process has ended".to_owned()))?;
        let frame = self.frames.recv().map_err(lost)?;
        Ok(frame.iter().map(|channel| numbers(channel)).collect())
    }
}

#[test]
fn the_checks_accept_a_right_subject_that_lives_elsewhere() {
    for exercise in exercises() {
        let code = &exercise.variants[0];
        let answers = usize::MAX;
        let subject = Elsewhere { code, answers };
        let failed = exercise
            .examine(&Exam::new(&subject))
            .map(|(check, _)| check.name);
        assert_eq!(failed, None, "{}", exercise.slug);
    }
}

#[test]
fn a_subject_that_stops_answering_fails_at_that_step() {
    for exercise in exercises() {
        let code = &exercise.variants[0];
        let answers = 2;
        let subject = Elsewhere { code, answers };
        let (_, failure) = exercise.examine(&Exam::new(&subject)).expect("it stops");
        assert_eq!(failure.step, 3, "{}", exercise.slug);
    }
}
