//! What a learner is told: every failure has its own sentence, and no message is longer than twenty lines.

use moments_checks::ex05_ema::{self, Code};
use moments_checks::ex07_adam::{self, Hyper, Optimizer};
use moments_checks::judge;

const FIRST: &str = "first_step_is_lr_times_the_sign";

/// The message for an Adam that is checked in this process, as a learner's test does it.
fn told(check: &str, code: fn(usize, Option<Hyper>) -> Optimizer) -> String {
    let message =
        judge(&ex07_adam::EXERCISE, check, ex07_adam::start(code)).expect_err("this Adam is wrong");
    assert!(message.lines().count() <= 20, "{message}");
    message
}

/// Adam whose parts the tests get wrong.
struct Parts {
    hyper: Hyper,
    t: i32,
    m: Vec<f64>,
    v: Vec<f64>,
}

impl Parts {
    fn new(len: usize, hyper: Option<Hyper>) -> Self {
        let paper = Hyper {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
        };
        Self {
            hyper: hyper.unwrap_or(paper),
            t: 0,
            m: vec![0.0; len],
            v: vec![0.0; len],
        }
    }

    /// A right step if `divide` divides.
    fn step(&mut self, theta: &mut [f64], grad: &[f64], divide: fn(f64, f64) -> f64) {
        self.t += 1;
        let h = self.hyper;
        for i in 0..theta.len() {
            self.m[i] += (grad[i] - self.m[i]) * (1.0 - h.beta1);
            self.v[i] += (grad[i] * grad[i] - self.v[i]) * (1.0 - h.beta2);
            let m_hat = divide(self.m[i], 1.0 - h.beta1.powi(self.t));
            let v_hat = divide(self.v[i], 1.0 - h.beta2.powi(self.t));
            theta[i] -= h.lr * m_hat / (v_hat.sqrt() + h.eps);
        }
    }
}

#[test]
fn a_todo_is_named_and_not_called_a_panic() {
    let message = told(FIRST, |_, _| Box::new(|_, _| todo!("Adam::step")));
    assert!(
        message.contains("not written yet: Adam::step (crates"),
        "{message}"
    );
    assert!(!message.contains("panic"), "{message}");

    let message = told(FIRST, |_, _| todo!());
    assert!(
        message.contains("not written yet: the `todo!()` at "),
        "{message}"
    );
}

#[test]
fn a_panic_is_told_with_its_message_and_its_place() {
    let message = told(FIRST, |_, _| Box::new(|theta, _| theta[theta.len()] = 0.0));
    assert!(message.contains("your code panicked at "), "{message}");
    assert!(message.contains("index out of bounds"), "{message}");
    assert!(message.contains("messages.rs:"), "{message}");
}

#[test]
fn a_number_that_is_not_finite_is_explained() {
    let message = told(FIRST, |_, _| Box::new(|theta, _| theta.fill(f64::NAN)));
    assert!(
        message.contains("got       ") && message.contains("NaN"),
        "{message}"
    );
    assert!(message.contains("divided by zero"), "{message}");
}

#[test]
fn a_wrong_length_is_told() {
    let code = Code {
        ema: |average, value, beta| beta * average + (1.0 - beta) * value,
        moments: |_, _, _| Box::new(|_| (vec![0.0], vec![0.0])),
    };
    let check = "the_first_gradient_counts_one_minus_beta";
    let message =
        judge(&ex05_ema::EXERCISE, check, ex05_ema::start(code)).expect_err("m is too short");
    assert!(
        message.contains("`m` has the length 1; it should be 4"),
        "{message}"
    );
}

#[test]
fn a_known_mistake_in_an_unusual_form_is_recognised() {
    let message = told("the_worked_trace_on_x_squared", |len, hyper| {
        let mut parts = Parts::new(len, hyper);
        Box::new(move |theta, grad| {
            parts.t = 0;
            parts.step(theta, grad, |sum, weights| sum / weights);
        })
    });
    assert!(
        message.contains("Step 2 of 10: theta[0] differs (step 1 agrees)"),
        "{message}"
    );
    assert!(
        message.contains("This looks like: the correction is 1 - beta at every step"),
        "{message}"
    );
    assert!(
        message.contains("Read: 04-adam.html#the-counter"),
        "{message}"
    );
    assert!(
        message.contains("Hint: cargo course hint ex07"),
        "{message}"
    );
}

#[test]
fn an_unknown_mistake_is_not_given_a_name() {
    let message = told(FIRST, |len, hyper| {
        let mut parts = Parts::new(len, hyper);
        Box::new(move |theta, grad| {
            parts.hyper.lr *= 2.0;
            parts.step(theta, grad, |sum, weights| sum / weights);
        })
    });
    assert!(!message.contains("This looks like"), "{message}");
    assert!(
        message.contains("2.000000 times what it should be"),
        "{message}"
    );
}

#[test]
fn a_mistake_is_explained_once_and_the_other_checks_point_to_it() {
    let code: fn(usize, Option<Hyper>) -> Optimizer = |len, hyper| {
        let mut parts = Parts::new(len, hyper);
        Box::new(move |theta, grad| parts.step(theta, grad, |sum, weights| sum * weights))
    };
    let first = told(FIRST, code);
    assert!(
        first.contains("This looks like: the moments are multiplied"),
        "{first}"
    );
    let later = told("adam_matches_optax", code);
    assert!(later.contains(&format!("First mend `{FIRST}`")), "{later}");
    assert!(later.lines().count() == 1, "{later}");
}

#[test]
fn of_two_mistakes_the_one_that_shows_is_named() {
    // Both moments are multiplied by their corrections, and eps is forgotten where the settings are the learner's own.
    let message = told(FIRST, |len, hyper| {
        let mut parts = Parts::new(len, hyper);
        if hyper.is_none() {
            parts.hyper.eps = 0.0;
        }
        Box::new(move |theta, grad| parts.step(theta, grad, |sum, weights| sum * weights))
    });
    assert!(
        message.contains("In this case it looks like: the moments are multiplied"),
        "{message}"
    );
}
