//! Exercise 06: the bias correction.
//!
//! A case calls `corrected`, with the settings `beta1` and `beta2` and inputs `[t, m.., v..]`,
//! or `RunningMean::push`, with the setting `beta` and one value as input.
//! What is seen is `m_hat` and `v_hat`, or the mean that `push` returns.

use crate::case::{Case, Frame};
use crate::exercise::{Check, Exercise, Mutant, Step, Variant};
use crate::{golden, random::Random};

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex06",
    slug: "ex06-bias-correction",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// What a learner writes.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `corrected(m, v, beta1, beta2, t)`: m̂ and v̂.
    pub corrected: Corrected,
    /// Sets up a `RunningMean` for a β.
    pub running_mean: fn(f64) -> RunningMean,
}

/// A learner's `corrected`.
pub type Corrected = fn(&[f64], &[f64], f64, f64, i32) -> (Vec<f64>, Vec<f64>);

/// A learner's `RunningMean` that has been set up: it takes a value and returns the mean so far.
pub type RunningMean = Box<dyn FnMut(f64) -> f64>;

/// Puts a learner's code through the check of that name.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: Code) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's code as a subject: what a check drives.
pub fn start(code: Code) -> impl Fn(&Case) -> Step + Send + 'static {
    move |case| {
        if case.call == PUSH {
            let mut push = (code.running_mean)(case.setting("beta"));
            return Box::new(move |input| vec![vec![push(input[0])]]);
        }
        let (beta1, beta2) = (case.setting("beta1"), case.setting("beta2"));
        Box::new(move |input| {
            let (t, m, v) = parts(input);
            let (m_hat, v_hat) = (code.corrected)(m, v, beta1, beta2, t);
            vec![m_hat, v_hat]
        })
    }
}

/// The t, m and v of an input.
fn parts(input: &[f64]) -> (i32, &[f64], &[f64]) {
    let (m, v) = input[1..].split_at(input.len() / 2);
    (input[0] as i32, m, v)
}

fn input(t: i32, m: &[f64], v: &[f64]) -> Vec<f64> {
    [&[f64::from(t)], m, v].concat()
}

// --- Checks ---------------------------------------------------------------------------------------------------------

const CORRECTED: &str = "corrected";
const PUSH: &str = "RunningMean::push";

static CHECKS: &[Check] = &[
    Check {
        name: "at_the_first_step_the_gradient_comes_back",
        asked: "At t = 1, m is (1 - beta1) * g and v is (1 - beta2) * g^2: m_hat is g and v_hat is g^2.",
        run: |exam| {
            let grad = [6.0, -0.5, 1e-4, 2e5];
            for (beta1, beta2) in [(0.9, 0.999), (0.5, 0.75)] {
                let m: Vec<_> = grad.iter().map(|g| (1.0 - beta1) * g).collect();
                let v: Vec<_> = grad.iter().map(|g| (1.0 - beta2) * g * g).collect();
                let expected = vec![grad.to_vec(), grad.iter().map(|g| g * g).collect()];
                let case = case("t = 1", (beta1, beta2), vec![input(1, &m, &v)]);
                exam.expect(&case, &[expected])?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_worked_trace_on_x_squared",
        asked: "The m and v of chapter 04's worked trace give its m_hat and v_hat, from PyTorch.",
        run: |exam| {
            let golden = golden::adam_square();
            let betas = (golden.setting("beta1"), golden.setting("beta2"));
            let inputs = (1..)
                .zip(&golden.steps)
                .map(|(t, step)| input(t, step.get("m"), step.get("v")));
            let case = case("the trace on x^2, t = step", betas, inputs.collect());
            let expected: Vec<Frame> = golden
                .steps
                .iter()
                .map(|step| vec![step.get("m_hat").to_vec(), step.get("v_hat").to_vec()])
                .collect();
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "a_constant_gradient_comes_back_at_every_t",
        asked: "While g stays the same, m_hat is g and v_hat is g^2, at t = 1 as at t = 10000.",
        run: |exam| {
            let (g, beta1, beta2) = (-0.3, 0.9, 0.999);
            for t in [1, 2, 10, 100, 1000, 10_000] {
                let held = |beta: f64| 1.0 - beta.powi(t);
                let given = input(t, &[g * held(beta1)], &[g * g * held(beta2)]);
                let case = case(&format!("t = {t}"), (beta1, beta2), vec![given]);
                exam.expect(&case, &[vec![vec![g], vec![g * g]]])?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_weighted_sum_becomes_a_weighted_mean",
        asked: "Dividing by 1 - beta^t divides by the sum of the weights, for 0, 1 and more parameters.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for len in [0, 1, 2, 7, 33] {
                let beta1 = if len == 1 {
                    0.0
                } else {
                    random.between(0.0, 0.99)
                };
                let beta2 = random.between(0.5, 0.9999);
                let scale = random.magnitude(-80.0, 80.0);
                let values: Vec<Vec<f64>> = (0..25)
                    .map(|_| {
                        random
                            .vector(len, -1.0, 1.0)
                            .iter()
                            .map(|g| g * scale)
                            .collect()
                    })
                    .collect();
                let both = |t: usize, i: usize| {
                    let m = weighted(beta1, values[..t].iter().map(|grad| grad[i]));
                    let v = weighted(beta2, values[..t].iter().map(|grad| grad[i] * grad[i]));
                    (m, v)
                };
                let (mut inputs, mut expected) = (Vec::new(), Vec::new());
                for t in 1..=values.len() {
                    let (m, v): (Vec<_>, Vec<_>) = (0..len).map(|i| both(t, i)).unzip();
                    let sums = |of: &[Weighted], beta: f64| {
                        of.iter().map(|w| (1.0 - beta) * w.sum).collect::<Vec<_>>()
                    };
                    inputs.push(input(t as i32, &sums(&m, beta1), &sums(&v, beta2)));
                    let means = |of: &[Weighted]| of.iter().map(Weighted::mean).collect::<Vec<_>>();
                    expected.push(vec![means(&m), means(&v)]);
                }
                let about = format!("{len} parameters, t = step, MOMENTS_SEED={}", exam.seed);
                exam.expect(&case(&about, (beta1, beta2), inputs), &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_running_mean_of_equal_values_is_that_value",
        asked: "RunningMean returns 5 at every push of 5, from the first on.",
        run: |exam| {
            for beta in [0.9, 0.0, 0.999] {
                let case = push_case("fives", beta, vec![5.0; 2000]);
                exam.expect(&case, &vec![vec![vec![5.0]]; 2000])?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_running_mean_weighs_each_value_by_its_age",
        asked: "The mean of RunningMean weighs a value beta^k when k values came after it.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let about = format!("values, MOMENTS_SEED={}", exam.seed);
            for _ in 0..4 {
                let beta = random.between(0.3, 0.999);
                let scale = random.magnitude(-80.0, 80.0);
                let values: Vec<f64> = random
                    .vector(30, -1.0, 1.0)
                    .iter()
                    .map(|value| value * scale)
                    .collect();
                let mean =
                    |t: usize| vec![vec![weighted(beta, values[..t].iter().copied()).mean()]];
                let expected: Vec<Frame> = (1..=values.len()).map(mean).collect();
                exam.expect(&push_case(&about, beta, values.clone()), &expected)?;
            }
            Ok(())
        },
    },
];

fn case(about: &str, (beta1, beta2): (f64, f64), inputs: Vec<Vec<f64>>) -> Case {
    let settings = vec![("beta1", beta1), ("beta2", beta2)];
    Case::given(
        about,
        CORRECTED,
        &["m_hat", "v_hat"],
        settings,
        Vec::new(),
        inputs,
    )
}

fn push_case(about: &str, beta: f64, values: Vec<f64>) -> Case {
    let inputs = values.into_iter().map(|value| vec![value]).collect();
    Case::given(
        about,
        PUSH,
        &["mean"],
        vec![("beta", beta)],
        Vec::new(),
        inputs,
    )
}

/// Σ β^(t−i) x_i and Σ β^(t−i), summed from the newest value to the oldest.
#[derive(Clone, Copy, Debug)]
struct Weighted {
    sum: f64,
    weights: f64,
}

impl Weighted {
    fn mean(&self) -> f64 {
        self.sum / self.weights
    }
}

fn weighted(beta: f64, values: impl DoubleEndedIterator<Item = f64>) -> Weighted {
    let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
    for value in values.rev() {
        sum += weight * value;
        weights += weight;
        weight *= beta;
    }
    Weighted { sum, weights }
}

/// Cases on which every two mutants differ.
fn probes() -> Vec<Case> {
    let mut random = Random::new(6);
    let inputs =
        (1..8).map(|t| input(t, &random.vector(2, -1.0, 1.0), &random.vector(2, 0.1, 1.0)));
    let inputs = inputs.collect();
    let values = random.vector(8, -1.0, 1.0);
    vec![
        case("a probe", (0.8, 0.95), inputs),
        push_case("a probe", 0.8, values),
    ]
}

// --- Mutants --------------------------------------------------------------------------------------------------------

/// The moments of one parameter.
#[derive(Clone, Copy, Debug)]
struct Pair {
    m: f64,
    v: f64,
    beta1: f64,
    beta2: f64,
}

impl Pair {
    /// Both moments through one correction.
    fn both(self, correct: fn(f64, f64, i32) -> f64, t: i32) -> (f64, f64) {
        (
            correct(self.m, self.beta1, t),
            correct(self.v, self.beta2, t),
        )
    }
}

/// The state of a running mean.
#[derive(Clone, Copy, Debug)]
struct Mean {
    average: f64,
    beta: f64,
    t: i32,
}

impl Mean {
    /// Takes a value into the average; the count goes up before this.
    fn gather(&mut self, value: f64) {
        self.average = self.beta * self.average + (1.0 - self.beta) * value;
    }
}

fn correct(average: f64, beta: f64, t: i32) -> f64 {
    average / (1.0 - beta.powi(t))
}

/// An implementation of `corrected` and of `RunningMean::push`.
fn code(
    case: &Case,
    corrected: fn(Pair, i32) -> (f64, f64),
    push: fn(&mut Mean, f64) -> f64,
) -> Step {
    if case.call == PUSH {
        let mut mean = Mean {
            average: 0.0,
            beta: case.setting("beta"),
            t: 0,
        };
        return Box::new(move |input| {
            mean.t += 1;
            vec![vec![push(&mut mean, input[0])]]
        });
    }
    let (beta1, beta2) = (case.setting("beta1"), case.setting("beta2"));
    Box::new(move |input| {
        let (t, m, v) = parts(input);
        let pairs = m.iter().zip(v).map(|(&m, &v)| Pair { m, v, beta1, beta2 });
        let (m_hat, v_hat) = pairs.map(|pair| corrected(pair, t)).unzip();
        vec![m_hat, v_hat]
    })
}

/// An implementation that makes the same of every average.
macro_rules! both {
    ($correct:expr) => {
        |case| {
            code(
                case,
                |pair, t| pair.both($correct, t),
                |mean, value| {
                    mean.gather(value);
                    ($correct)(mean.average, mean.beta, mean.t)
                },
            )
        }
    };
}

/// A right `RunningMean::push`.
fn right_push(mean: &mut Mean, value: f64) -> f64 {
    mean.gather(value);
    correct(mean.average, mean.beta, mean.t)
}

/// A right `corrected`.
fn right_pair(pair: Pair, t: i32) -> (f64, f64) {
    pair.both(correct, t)
}

const CORRECTION: &str = "04-adam.html#bias-correction";
const FOUR: &str = "04-adam.html#four-ways-to-correct";
const COUNTER: &str = "04-adam.html#the-counter";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "not-corrected",
        mistake: "the averages come back as they are: nothing is divided by 1 - beta^t.",
        read: CORRECTION,
        start: both!(|average: f64, _: f64, _: i32| average),
    },
    Mutant {
        name: "only-m-corrected",
        mistake: "only m is corrected. v starts at 0 as well and needs its own 1 - beta2^t.",
        read: FOUR,
        start: |case| code(case, |pair, t| (right_pair(pair, t).0, pair.v), right_push),
    },
    Mutant {
        name: "only-v-corrected",
        mistake: "only v is corrected. m starts at 0 as well and needs its own 1 - beta1^t.",
        read: FOUR,
        start: |case| code(case, |pair, t| (pair.m, right_pair(pair, t).1), right_push),
    },
    Mutant {
        name: "correction-multiplied",
        mistake: "the average is multiplied by 1 - beta^t. It is too small at first: divide.",
        read: CORRECTION,
        start: both!(|average: f64, beta: f64, t| average * (1.0 - beta.powi(t))),
    },
    Mutant {
        name: "correction-frozen",
        mistake: "the correction is 1 - beta at every t: the power is missing.",
        read: COUNTER,
        start: both!(|average: f64, beta: f64, _: i32| average / (1.0 - beta)),
    },
    Mutant {
        name: "correction-linear",
        mistake: "the correction is 1 - beta * t. It is a power: 1 - beta^t.",
        read: CORRECTION,
        start: both!(|average: f64, beta: f64, t| average / (1.0 - beta * f64::from(t))),
    },
    Mutant {
        name: "power-of-the-difference",
        mistake: "the correction is (1 - beta)^t. The power belongs to beta alone: 1 - beta^t.",
        read: CORRECTION,
        start: both!(|average: f64, beta: f64, t| average / (1.0 - beta).powi(t)),
    },
    Mutant {
        name: "power-alone",
        mistake: "the average is divided by beta^t, the share that the zero at the start still holds. Divide by 1 - beta^t.",
        read: CORRECTION,
        start: both!(|average: f64, beta: f64, t| average / beta.powi(t)),
    },
    Mutant {
        name: "correction-in-single-precision",
        mistake: "the powers of beta are computed in f32. 1 - beta^t then has about four right digits left: use f64.",
        read: CORRECTION,
        start: both!(
            |average: f64, beta: f64, t| average / (1.0 - f64::from((beta as f32).powi(t)))
        ),
    },
    Mutant {
        name: "counter-from-zero",
        mistake: "the power is one too low, so at the first step 1 - beta^0 is 0. t is 1 at the first step.",
        read: COUNTER,
        start: both!(|average, beta, t| correct(average, beta, t - 1)),
    },
    Mutant {
        name: "counter-from-two",
        mistake: "the power is one too high. t is 1 at the first step: count up once.",
        read: COUNTER,
        start: both!(|average, beta, t| correct(average, beta, t + 1)),
    },
    Mutant {
        name: "betas-swapped",
        mistake: "beta1 and beta2 have changed places: beta1 belongs to m, beta2 to v.",
        read: CORRECTION,
        start: |case| {
            let swapped = |pair: Pair, t| {
                (
                    correct(pair.m, pair.beta2, t),
                    correct(pair.v, pair.beta1, t),
                )
            };
            code(case, swapped, right_push)
        },
    },
    Mutant {
        name: "one-beta-for-both",
        mistake: "v is corrected with beta1. It was averaged with beta2.",
        read: CORRECTION,
        start: |case| {
            let one = |pair: Pair, t| {
                (
                    correct(pair.m, pair.beta1, t),
                    correct(pair.v, pair.beta1, t),
                )
            };
            code(case, one, right_push)
        },
    },
    Mutant {
        name: "root-of-the-correction",
        mistake: "v is divided by the root of 1 - beta2^t. The root comes later, and is taken of v_hat whole.",
        read: CORRECTION,
        start: |case| {
            let rooted = |pair: Pair, t| {
                (
                    right_pair(pair, t).0,
                    pair.v / (1.0 - pair.beta2.powi(t)).sqrt(),
                )
            };
            code(case, rooted, right_push)
        },
    },
    Mutant {
        name: "mean-counter-stuck",
        mistake: "the counter of RunningMean stays at 1: count up at every push.",
        read: COUNTER,
        start: |case| {
            code(case, right_pair, |mean, value| {
                mean.gather(value);
                correct(mean.average, mean.beta, 1)
            })
        },
    },
    Mutant {
        name: "mean-kept",
        mistake: "RunningMean keeps the corrected mean as its average. Keep the average uncorrected, and return a corrected copy.",
        read: CORRECTION,
        start: |case| {
            code(case, right_pair, |mean, value| {
                mean.gather(value);
                mean.average = correct(mean.average, mean.beta, mean.t);
                mean.average
            })
        },
    },
    Mutant {
        name: "mean-starts-at-the-first-value",
        mistake: "RunningMean starts at the first value, which then weighs far more than the others. Start at 0 and correct.",
        read: CORRECTION,
        start: |case| {
            code(case, right_pair, |mean, value| {
                if mean.t == 1 {
                    mean.average = value;
                } else {
                    mean.gather(value);
                }
                mean.average
            })
        },
    },
    Mutant {
        name: "mean-of-all-alike",
        mistake: "RunningMean weighs all values alike. An older value weighs less: beta^k when k values came after it.",
        read: CORRECTION,
        start: |case| {
            code(case, right_pair, |mean, value| {
                mean.average += (value - mean.average) / f64::from(mean.t);
                mean.average
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-paper",
        start: |case| code(case, right_pair, right_push),
    },
    Variant {
        name: "multiplied-by-the-reciprocal",
        start: both!(|average: f64, beta: f64, t| average * (1.0 - beta.powf(f64::from(t))).recip()),
    },
    Variant {
        name: "powers-from-logarithms",
        start: both!(|average: f64, beta: f64, t| average / -(f64::from(t) * beta.ln()).exp_m1()),
    },
    Variant {
        name: "powers-as-products",
        start: both!(|average: f64, beta: f64, t| {
            let power: f64 = (0..t).map(|_| beta).product();
            average / (1.0 - power)
        }),
    },
    Variant {
        name: "sums-with-their-weights",
        start: |case| {
            if case.call == CORRECTED {
                return code(case, right_pair, right_push);
            }
            let beta = case.setting("beta");
            let (mut sum, mut weights) = (0.0, 0.0);
            Box::new(move |input| {
                sum = beta * sum + input[0];
                weights = beta * weights + 1.0;
                vec![vec![sum / weights]]
            })
        },
    },
];
