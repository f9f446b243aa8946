//! Exercise 05: the two moments, as moving averages.
//!
//! A case calls `ema`, with the setting `beta` and inputs `[average, value]`,
//! or `Moments::update`, with the settings `beta1` and `beta2` and gradients as inputs; its start is as long as they are.
//! What is seen is the new average, or `m` and `v`.

use crate::case::{Case, Frame};
use crate::common::gradients;
use crate::exercise::{Check, Exercise, Mutant, Step, Variant};
use crate::{golden, random::Random};

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex05",
    slug: "ex05-ema",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// What a learner writes.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `ema(average, value, beta)`.
    pub ema: fn(f64, f64, f64) -> f64,
    /// Sets up `Moments` for a length, β₁ and β₂.
    pub moments: fn(usize, f64, f64) -> Moments,
}

/// A learner's `Moments` that has been set up: it takes a gradient and shows m and v.
pub type Moments = Box<dyn FnMut(&[f64]) -> (Vec<f64>, Vec<f64>)>;

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
        if case.call == EMA {
            let beta = case.setting("beta");
            return Box::new(move |input| vec![vec![(code.ema)(input[0], input[1], beta)]]);
        }
        let (beta1, beta2) = (case.setting("beta1"), case.setting("beta2"));
        let mut update = (code.moments)(case.start.len(), beta1, beta2);
        Box::new(move |grad| {
            let (m, v) = update(grad);
            vec![m, v]
        })
    }
}

// --- Checks ---------------------------------------------------------------------------------------------------------

const EMA: &str = "ema";
const UPDATE: &str = "Moments::update";

static CHECKS: &[Check] = &[
    Check {
        name: "ema_keeps_beta_of_the_old_and_takes_the_rest_of_the_new",
        asked: "ema(average, value, beta) is beta * average + (1 - beta) * value.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let about = format!("averages and values, MOMENTS_SEED={}", exam.seed);
            for beta in [0.9, 0.0, 0.5, 0.999, 0.9999, random.between(0.0, 1.0)] {
                let mut inputs = vec![vec![1.0, 0.0], vec![0.0, 1.0], vec![-2.0, -2.0]];
                inputs.extend((0..5).map(|_| random.vector(2, -1.0, 1.0)));
                let expected: Vec<Frame> = inputs
                    .iter()
                    .map(|input| vec![vec![beta * input[0] + (1.0 - beta) * input[1]]])
                    .collect();
                exam.expect(&ema_case(&about, beta, inputs), &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_first_gradient_counts_one_minus_beta",
        asked: "m and v start at 0: after one step m is (1 - beta1) * g and v is (1 - beta2) * g^2.",
        run: |exam| {
            let grad = [6.0, -0.5, 1e-4, 2e5];
            let expected = vec![
                grad.iter().map(|g| (1.0 - 0.9) * g).collect(),
                grad.iter().map(|g| (1.0 - 0.999) * g * g).collect(),
            ];
            let case = case("one step", (0.9, 0.999), 4, vec![grad.to_vec()]);
            exam.expect(&case, &[expected])
        },
    },
    Check {
        name: "the_worked_trace_on_x_squared",
        asked: "On the gradients of chapter 04's worked trace, m and v are PyTorch's.",
        run: |exam| recorded(exam, "the trace on x^2", &golden::adam_square()),
    },
    Check {
        name: "moments_match_pytorch",
        asked: "100 random gradients give the exp_avg and exp_avg_sq of torch.optim.Adam.",
        run: |exam| {
            recorded(
                exam,
                "gradients from 1e-6 to 1e6",
                &golden::get("adam-torch"),
            )
        },
    },
    Check {
        name: "a_constant_gradient_is_approached_from_zero",
        asked: "While g stays the same, m is (1 - beta1^t) * g and v is (1 - beta2^t) * g^2.",
        run: |exam| {
            let grad = [0.02, -7.0];
            let case = case(
                "a constant gradient",
                (0.9, 0.99),
                2,
                vec![grad.to_vec(); 1000],
            );
            let at = |t: i32| {
                let (held1, held2) = (1.0 - 0.9f64.powi(t), 1.0 - 0.99f64.powi(t));
                let m = grad.iter().map(|g| held1 * g).collect();
                let v = grad.iter().map(|g| held2 * g * g).collect();
                vec![m, v]
            };
            let expected: Vec<Frame> = (1..=1000).map(at).collect();
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "an_impulse_fades_by_beta_at_each_step",
        asked: "After one gradient and then zeros, m and v shrink by beta1 and beta2 at each step.",
        run: |exam| {
            let mut grads = vec![vec![0.0]; 40];
            grads[0] = vec![-3.0];
            let case = case("one gradient, then zeros", (0.8, 0.95), 1, grads);
            let at = |t: i32| {
                let m = 0.2 * -3.0 * 0.8f64.powi(t);
                let v = 0.05 * 9.0 * 0.95f64.powi(t);
                vec![vec![m], vec![v]]
            };
            let expected: Vec<Frame> = (0..40).map(at).collect();
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "any_length_and_any_betas",
        asked: "m and v are weighted sums of all gradients, for 0, 1 and more parameters.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for len in [0, 1, 2, 7, 33, 1, 3] {
                let betas = (random.between(0.0, 0.99), random.between(0.5, 0.9999));
                let scale = random.magnitude(-80.0, 80.0);
                let grads = gradients(&mut random, 25, len, scale);
                let expected: Vec<Frame> = (1..=grads.len())
                    .map(|t| weighted_sums(betas, len, &grads[..t]))
                    .collect();
                let about = format!("{len} parameters, MOMENTS_SEED={}", exam.seed);
                exam.expect(&case(&about, betas, len, grads), &expected)?;
            }
            Ok(())
        },
    },
];

fn ema_case(about: &str, beta: f64, inputs: Vec<Vec<f64>>) -> Case {
    Case::given(
        about,
        EMA,
        &["average"],
        vec![("beta", beta)],
        Vec::new(),
        inputs,
    )
}

fn case(about: &str, (beta1, beta2): (f64, f64), len: usize, grads: Vec<Vec<f64>>) -> Case {
    let settings = vec![("beta1", beta1), ("beta2", beta2)];
    Case::given(about, UPDATE, &["m", "v"], settings, vec![0.0; len], grads)
}

fn recorded(exam: &crate::Exam<'_>, about: &str, golden: &golden::Golden) -> crate::Verdict {
    let betas = (golden.setting("beta1"), golden.setting("beta2"));
    let case = case(about, betas, golden.start.len(), golden.grads());
    let seen = |step: &golden::Recorded| vec![step.get("m").to_vec(), step.get("v").to_vec()];
    let expected: Vec<Frame> = golden.steps.iter().map(seen).collect();
    exam.expect(&case, &expected)
}

/// The averages from their unrolled form (1 − β) Σ β^(t−i) x_i after the last of the gradients, with no recurrence.
fn weighted_sums((beta1, beta2): (f64, f64), len: usize, grads: &[Vec<f64>]) -> Frame {
    let sum = |i: usize, beta: f64, of: fn(f64) -> f64| {
        let (mut sum, mut weight) = (0.0, 1.0 - beta);
        for grad in grads.iter().rev() {
            sum += weight * of(grad[i]);
            weight *= beta;
        }
        sum
    };
    let m = (0..len).map(|i| sum(i, beta1, |g| g)).collect();
    let v = (0..len).map(|i| sum(i, beta2, |g| g * g)).collect();
    vec![m, v]
}

/// Cases on which every two mutants differ.
fn probes() -> Vec<Case> {
    let mut random = Random::new(5);
    let pairs = (0..6).map(|_| random.vector(2, -1.0, 1.0)).collect();
    let grads = (0..12).map(|_| random.vector(3, -1.0, 1.0)).collect();
    vec![
        ema_case("a probe", 0.8, pairs),
        case("a probe", (0.8, 0.95), 3, grads),
    ]
}

// --- Mutants --------------------------------------------------------------------------------------------------------

/// The moments of one parameter, and their decay rates.
#[derive(Clone, Copy, Debug)]
struct Cell {
    m: f64,
    v: f64,
    beta1: f64,
    beta2: f64,
    t: i32,
}

fn ema(average: f64, value: f64, beta: f64) -> f64 {
    beta * average + (1.0 - beta) * value
}

/// An implementation of `ema`, and of an update that treats each parameter by itself.
fn code(case: &Case, ema: fn(f64, f64, f64) -> f64, update: fn(&mut Cell, f64)) -> Step {
    if case.call == EMA {
        let beta = case.setting("beta");
        return Box::new(move |input| vec![vec![ema(input[0], input[1], beta)]]);
    }
    let cell = Cell {
        m: 0.0,
        v: 0.0,
        beta1: case.setting("beta1"),
        beta2: case.setting("beta2"),
        t: 0,
    };
    let mut cells = vec![cell; case.start.len()];
    Box::new(move |grad| {
        for (cell, &g) in cells.iter_mut().zip(grad) {
            cell.t += 1;
            update(cell, g);
        }
        let m = cells.iter().map(|cell| cell.m).collect();
        let v = cells.iter().map(|cell| cell.v).collect();
        vec![m, v]
    })
}

const MOMENTS: &str = "04-adam.html#first-and-second-moments";
const CORRECTION: &str = "04-adam.html#bias-correction";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "weights-swapped",
        mistake: "the weights have changed places: beta is the weight of the old average, 1 - beta that of the new value.",
        read: MOMENTS,
        start: |case| {
            fn swapped(average: f64, value: f64, beta: f64) -> f64 {
                (1.0 - beta) * average + beta * value
            }
            code(case, swapped, |c, g| {
                c.m = swapped(c.m, g, c.beta1);
                c.v = swapped(c.v, g * g, c.beta2);
            })
        },
    },
    Mutant {
        name: "value-unweighted",
        mistake: "the new value is added whole, as in heavy-ball momentum. In an average it has the weight 1 - beta.",
        read: MOMENTS,
        start: |case| {
            fn heavy(average: f64, value: f64, beta: f64) -> f64 {
                beta * average + value
            }
            code(case, heavy, |c, g| {
                c.m = heavy(c.m, g, c.beta1);
                c.v = heavy(c.v, g * g, c.beta2);
            })
        },
    },
    Mutant {
        name: "betas-swapped",
        mistake: "beta1 and beta2 have changed places: beta1 belongs to m, beta2 to v.",
        read: MOMENTS,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, c.beta2);
                c.v = ema(c.v, g * g, c.beta1);
            })
        },
    },
    Mutant {
        name: "one-beta-for-both",
        mistake: "v decays with beta1. It has its own rate, beta2.",
        read: MOMENTS,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, c.beta1);
                c.v = ema(c.v, g * g, c.beta1);
            })
        },
    },
    Mutant {
        name: "v-of-g",
        mistake: "v averages g. It averages g^2.",
        read: MOMENTS,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, c.beta1);
                c.v = ema(c.v, g, c.beta2);
            })
        },
    },
    Mutant {
        name: "v-of-the-size-of-g",
        mistake: "v averages |g|. It averages g^2, and the root is taken later.",
        read: MOMENTS,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, c.beta1);
                c.v = ema(c.v, g.abs(), c.beta2);
            })
        },
    },
    Mutant {
        name: "v-of-m",
        mistake: "v averages m^2. It averages the square of the gradient itself.",
        read: MOMENTS,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, c.beta1);
                c.v = ema(c.v, c.m * c.m, c.beta2);
            })
        },
    },
    Mutant {
        name: "v-is-m-squared",
        mistake: "v is m^2. It is an average of its own, of g^2: the mean of the squares, not the square of the mean.",
        read: MOMENTS,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, c.beta1);
                c.v = c.m * c.m;
            })
        },
    },
    Mutant {
        name: "betas-ignored",
        mistake: "the betas are fixed numbers, 0.9 and 0.999. Use those that `new` was given.",
        read: MOMENTS,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, 0.9);
                c.v = ema(c.v, g * g, 0.999);
            })
        },
    },
    Mutant {
        name: "v-centered",
        mistake: "v averages (g - m)^2, a variance. The second moment is uncentered: average g^2.",
        read: MOMENTS,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, c.beta1);
                c.v = ema(c.v, (g - c.m) * (g - c.m), c.beta2);
            })
        },
    },
    Mutant {
        name: "weight-squared",
        mistake: "1 - beta2 is squared along with the gradient: a parenthesis closes too late.",
        read: MOMENTS,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, c.beta1);
                c.v = c.beta2 * c.v + ((1.0 - c.beta2) * g) * ((1.0 - c.beta2) * g);
            })
        },
    },
    Mutant {
        name: "squares-summed",
        mistake: "v adds up all squares and forgets none, as AdaGrad does. It is an average: v = ema(v, g^2, beta2).",
        read: MOMENTS,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, c.beta1);
                c.v += g * g;
            })
        },
    },
    Mutant {
        name: "starts-at-the-first-gradient",
        mistake: "m and v take over the first gradient whole. They start at 0, and the next exercise corrects for that.",
        read: CORRECTION,
        start: |case| {
            code(case, ema, |c, g| {
                if c.t == 1 {
                    (c.m, c.v) = (g, g * g);
                } else {
                    c.m = ema(c.m, g, c.beta1);
                    c.v = ema(c.v, g * g, c.beta2);
                }
            })
        },
    },
    Mutant {
        name: "corrected-too-early",
        mistake: "m and v are divided by 1 - beta^t and kept so. The state stays uncorrected; the next exercise corrects a copy.",
        read: CORRECTION,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, c.beta1) / (1.0 - c.beta1.powi(c.t));
                c.v = ema(c.v, g * g, c.beta2) / (1.0 - c.beta2.powi(c.t));
            })
        },
    },
    Mutant {
        name: "no-memory",
        mistake: "m and v start from 0 at every step. They are state: keep them in the struct.",
        read: MOMENTS,
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(0.0, g, c.beta1);
                c.v = ema(0.0, g * g, c.beta2);
            })
        },
    },
    Mutant {
        name: "one-state-for-all",
        mistake: "all parameters share one m and one v. Each parameter has its own.",
        read: MOMENTS,
        start: |case| {
            if case.call == EMA {
                return code(case, ema, |_, _| {});
            }
            let (beta1, beta2) = (case.setting("beta1"), case.setting("beta2"));
            let (mut m, mut v) = (0.0, 0.0);
            Box::new(move |grad| {
                let mut frame = vec![Vec::new(), Vec::new()];
                for &g in grad {
                    m = ema(m, g, beta1);
                    v = ema(v, g * g, beta2);
                    frame[0].push(m);
                    frame[1].push(v);
                }
                frame
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-paper",
        start: |case| {
            code(case, ema, |c, g| {
                c.m = ema(c.m, g, c.beta1);
                c.v = ema(c.v, g * g, c.beta2);
            })
        },
    },
    Variant {
        name: "interpolation-from-the-old",
        start: |case| {
            fn lerp(average: f64, value: f64, beta: f64) -> f64 {
                average + (1.0 - beta) * (value - average)
            }
            code(case, lerp, |c, g| {
                c.m = lerp(c.m, g, c.beta1);
                c.v = lerp(c.v, g * g, c.beta2);
            })
        },
    },
    Variant {
        name: "interpolation-from-the-new-and-weights-into-the-square",
        start: |case| {
            fn lerp(average: f64, value: f64, beta: f64) -> f64 {
                value - beta * (value - average)
            }
            code(case, lerp, |c, g| {
                c.m = lerp(c.m, g, c.beta1);
                let root = (1.0 - c.beta2).sqrt() * g;
                c.v = c.v.mul_add(c.beta2, root * root);
            })
        },
    },
    Variant {
        name: "all-gradients-kept-and-summed-in-reverse",
        start: |case| {
            if case.call == EMA {
                return code(case, ema, |_, _| {});
            }
            let (betas, len) = (
                (case.setting("beta1"), case.setting("beta2")),
                case.start.len(),
            );
            let mut grads = Vec::new();
            Box::new(move |grad| {
                grads.push(grad.to_vec());
                weighted_sums(betas, len, &grads)
            })
        },
    },
];
