//! Exercise 07: Adam, whole.
//!
//! A case calls `Adam::step`; its settings are `lr`, `beta1`, `beta2` and `eps`, or none for the learner's own defaults.
//! An input is a gradient; what is seen after a step is `theta`, and nothing else, so that any way to keep the state is allowed.

use crate::case::{Case, Feed, Frame};
use crate::common::{gradients, scaled, thetas};
use crate::exercise::{Check, Exam, Exercise, Mutant, Step, Variant};
use crate::{golden, random::Random};

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex07",
    slug: "ex07-adam",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// The hyperparameters of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hyper {
    /// The learning rate.
    pub lr: f64,
    /// The decay rate of the first moment.
    pub beta1: f64,
    /// The decay rate of the second moment.
    pub beta2: f64,
    /// The constant beside the root.
    pub eps: f64,
}

/// The settings that Kingma & Ba (2014) recommend.
const PAPER: Hyper = Hyper {
    lr: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    eps: 1e-8,
};

impl Hyper {
    fn of(case: &Case) -> Self {
        Self::set(case).unwrap_or(PAPER)
    }

    fn set(case: &Case) -> Option<Self> {
        (!case.settings.is_empty()).then(|| Self {
            lr: case.setting("lr"),
            beta1: case.setting("beta1"),
            beta2: case.setting("beta2"),
            eps: case.setting("eps"),
        })
    }

    fn settings(self) -> Vec<(&'static str, f64)> {
        vec![
            ("lr", self.lr),
            ("beta1", self.beta1),
            ("beta2", self.beta2),
            ("eps", self.eps),
        ]
    }
}

/// A learner's optimizer that has been set up: it takes the parameters and their gradients.
pub type Optimizer = Box<dyn FnMut(&mut [f64], &[f64])>;

/// Puts a learner's Adam through the check of that name.
///
/// `code` sets the optimizer up for so many parameters: with the hyperparameters given, or with its own defaults if none are.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: fn(usize, Option<Hyper>) -> Optimizer) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's Adam as a subject: what a check drives.
pub fn start(
    code: fn(usize, Option<Hyper>) -> Optimizer,
) -> impl Fn(&Case) -> Step + Send + 'static {
    move |case| {
        let mut theta = case.start.clone();
        let mut step = code(theta.len(), Hyper::set(case));
        Box::new(move |grad| {
            step(&mut theta, grad);
            vec![theta.clone()]
        })
    }
}

// --- Checks ---------------------------------------------------------------------------------------------------------------------

static CHECKS: &[Check] = &[
    Check {
        name: "first_step_is_lr_times_the_sign",
        asked: "After one step from 0, theta is -lr * g / (|g| + eps): lr against the sign of g.",
        run: |exam| {
            let grad = vec![2.5, -0.004, 3e5, -1.0];
            for hyper in [
                PAPER,
                Hyper {
                    lr: 0.5,
                    beta1: 0.7,
                    beta2: 0.95,
                    eps: 0.1,
                },
            ] {
                let case = case("one step", Some(hyper), vec![0.0; 4], vec![grad.clone()]);
                let theta = grad
                    .iter()
                    .map(|g| -hyper.lr * g / (g.abs() + hyper.eps))
                    .collect();
                exam.expect(&case, &[vec![theta]])?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_worked_trace_on_x_squared",
        asked: "On f(x) = x^2 from x = 3, x follows the worked trace of chapter 04.",
        run: |exam| {
            let golden = golden::adam_square();
            let mut case = case("f(x) = x^2", Some(PAPER), golden.start.clone(), Vec::new());
            case.feed = Feed::Gradient {
                of: |x| x.iter().map(|x| 2.0 * x).collect(),
                steps: golden.steps.len(),
            };
            exam.expect(&case, &thetas(&golden))
        },
    },
    Check {
        name: "adam_matches_pytorch",
        asked: "100 steps of random gradients leave theta where torch.optim.Adam leaves it.",
        run: |exam| {
            recorded(
                exam,
                "gradients from 1e-6 to 1e6",
                &golden::get("adam-torch"),
            )
        },
    },
    Check {
        name: "adam_matches_optax",
        asked: "100 steps of random gradients leave theta where optax.adam leaves it.",
        run: |exam| {
            recorded(
                exam,
                "gradients from 1e-6 to 1e6",
                &golden::get("adam-optax"),
            )
        },
    },
    Check {
        name: "a_constant_gradient_moves_theta_by_the_same_step_every_time",
        asked: "While g stays the same, m_hat = g and v_hat = g^2, so every step is -lr * g / (|g| + eps).",
        run: |exam| {
            let hyper = Hyper { eps: 0.01, ..PAPER };
            let grad = vec![0.02, -7.0];
            let case = case(
                "a constant gradient",
                Some(hyper),
                vec![0.0; 2],
                vec![grad.clone(); 2000],
            );
            let theta = |t: usize| {
                grad.iter()
                    .map(|g| -hyper.lr * g / (g.abs() + hyper.eps) * t as f64)
                    .collect()
            };
            let expected: Vec<Frame> = (1..=2000).map(|t| vec![theta(t)]).collect();
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "the_scale_of_the_gradient_does_not_matter",
        asked: "With eps = 0, gradients 1e90 times larger or smaller give the same theta.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let grads = gradients(&mut random, 20, 3, 1.0);
            let hyper = Hyper { eps: 0.0, ..PAPER };
            let expected = closed_form(hyper, &[0.0; 3], &grads);
            for scale in [1.0, 1e90, 1e-90] {
                let scaled = grads
                    .iter()
                    .map(|grad| scaled(grad.clone(), scale))
                    .collect();
                let about = format!("gradients of scale {scale:e}, MOMENTS_SEED={}", exam.seed);
                exam.expect(&case(&about, Some(hyper), vec![0.0; 3], scaled), &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_zero_gradient_is_a_fixed_point",
        asked: "While every gradient is 0, theta stays where it is, to the last bit.",
        run: |exam| {
            let start = vec![3.0, -0.25, 0.0];
            let case = case(
                "gradients of zero",
                Some(PAPER),
                start.clone(),
                vec![vec![0.0; 3]; 5],
            );
            exam.expect(&case, &vec![vec![start]; 5])
        },
    },
    Check {
        name: "any_length_and_any_settings",
        asked: "Theta follows from the weighted sums of all gradients, for 0, 1 and more parameters.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for len in [0, 1, 2, 7, 33, 1, 2, 3] {
                let hyper = Hyper {
                    lr: random.magnitude(-4.0, 1.0).abs(),
                    beta1: random.between(0.0, 0.99),
                    beta2: random.between(0.5, 0.9999),
                    eps: random.magnitude(-9.0, 0.0).abs(),
                };
                let scale = random.magnitude(-6.0, 6.0);
                let grads = gradients(&mut random, 25, len, scale);
                let start = random.vector(len, -1.0, 1.0);
                let expected = closed_form(hyper, &start, &grads);
                let about = format!("{len} parameters, MOMENTS_SEED={}", exam.seed);
                exam.expect(&case(&about, Some(hyper), start, grads), &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_defaults_are_those_of_the_paper",
        asked: "Adam::new sets lr 1e-3, beta1 0.9, beta2 0.999 and eps 1e-8.",
        run: |exam| {
            let case = defaults();
            exam.expect(&case, &closed_form(PAPER, &case.start, case.inputs()))
        },
    },
];

fn case(about: &str, hyper: Option<Hyper>, start: Vec<f64>, grads: Vec<Vec<f64>>) -> Case {
    let settings = hyper.map_or_else(Vec::new, Hyper::settings);
    Case::given(about, "Adam::step", &["theta"], settings, start, grads)
}

fn recorded(exam: &Exam<'_>, about: &str, golden: &golden::Golden) -> crate::Verdict {
    let hyper = Hyper {
        lr: golden.setting("lr"),
        beta1: golden.setting("beta1"),
        beta2: golden.setting("beta2"),
        eps: golden.setting("eps"),
    };
    let case = case(about, Some(hyper), golden.start.clone(), golden.grads());
    exam.expect(&case, &thetas(golden))
}

/// Gradients small enough for eps to show.
fn defaults() -> Case {
    let grads = vec![
        vec![1e-7, -0.5],
        vec![-3e-7, -0.1],
        vec![1e-7, 0.7],
        vec![2e-8, 0.3],
    ];
    case("your defaults", None, vec![0.0; 2], grads)
}

/// Cases on which every two mutants differ.
fn probes() -> Vec<Case> {
    let mut random = Random::new(7);
    // Gradients of one sign, so that a root of them is a number.
    let grads = (0..12).map(|_| random.vector(3, 0.05, 1.0)).collect();
    let hyper = Hyper {
        lr: 0.1,
        beta1: 0.8,
        beta2: 0.95,
        eps: 0.05,
    };
    vec![
        case("a probe", Some(hyper), random.vector(3, -1.0, 1.0), grads),
        case("a probe", Some(hyper), vec![1.0], vec![vec![0.0]]),
        defaults(),
    ]
}

/// Where Adam goes, from the definition of its moments as weighted means of all gradients so far:
/// m_hat = Σ β^(t-i) g_i / Σ β^(t-i), with no recurrence and no correction.
fn closed_form(hyper: Hyper, start: &[f64], grads: &[Vec<f64>]) -> Vec<Frame> {
    let mut theta = start.to_vec();
    let step = |t: usize| {
        for (i, theta) in theta.iter_mut().enumerate() {
            let mean = |beta: f64, of: fn(f64) -> f64| {
                let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
                for grad in grads[..t].iter().rev() {
                    sum += weight * of(grad[i]);
                    weights += weight;
                    weight *= beta;
                }
                sum / weights
            };
            let m_hat = mean(hyper.beta1, |g| g);
            let v_hat = mean(hyper.beta2, |g| g * g);
            *theta -= hyper.lr * m_hat / (v_hat.sqrt() + hyper.eps);
        }
        vec![theta.clone()]
    };
    (1..=grads.len()).map(step).collect()
}

// --- Mutants --------------------------------------------------------------------------------------------------------------------

/// One parameter and its state.
#[derive(Clone, Copy, Debug)]
struct Cell {
    theta: f64,
    m: f64,
    v: f64,
}

/// Which step, and which of how many parameters.
#[derive(Clone, Copy, Debug)]
struct At {
    t: i32,
    index: usize,
    len: usize,
}

impl Cell {
    /// Takes a gradient into both moments.
    fn gather(&mut self, h: &Hyper, g: f64) {
        self.m = h.beta1 * self.m + (1.0 - h.beta1) * g;
        self.v = h.beta2 * self.v + (1.0 - h.beta2) * g * g;
    }

    /// The corrected moments.
    fn hats(&self, h: &Hyper, t: i32) -> (f64, f64) {
        (
            self.m / (1.0 - h.beta1.powi(t)),
            self.v / (1.0 - h.beta2.powi(t)),
        )
    }

    /// The update of the paper.
    fn apply(&mut self, h: &Hyper, (m_hat, v_hat): (f64, f64)) {
        self.theta -= h.lr * m_hat / (v_hat.sqrt() + h.eps);
    }
}

/// An implementation that treats each parameter by itself.
fn each(case: &Case, rule: fn(&Hyper, At, &mut Cell, f64)) -> Step {
    let hyper = Hyper::of(case);
    let mut cells: Vec<Cell> = case
        .start
        .iter()
        .map(|&theta| Cell {
            theta,
            m: 0.0,
            v: 0.0,
        })
        .collect();
    let mut t = 0;
    Box::new(move |grad| {
        t += 1;
        let len = cells.len();
        for (index, (cell, &g)) in cells.iter_mut().zip(grad).enumerate() {
            rule(&hyper, At { t, index, len }, cell, g);
        }
        vec![cells.iter().map(|cell| cell.theta).collect()]
    })
}

const MOMENTS: &str = "04-adam.html#first-and-second-moments";
const CORRECTION: &str = "04-adam.html#bias-correction";
const UPDATE: &str = "04-adam.html#the-algorithm";
const FOUR: &str = "04-adam.html#four-ways-to-correct";
const COUNTER: &str = "04-adam.html#the-counter";
const EPSILON: &str = "04-adam.html#epsilon";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no-correction",
        mistake: "no bias correction. m and v start at 0 and are too small at first, v more so: the first steps come out too large.",
        read: FOUR,
        start: |case| {
            each(case, |h, _, c, g| {
                c.gather(h, g);
                c.apply(h, (c.m, c.v));
            })
        },
    },
    Mutant {
        name: "only-m-corrected",
        mistake: "only m is corrected. v needs its own 1 - beta2^t; without it the first step is 31.6 times too large.",
        read: FOUR,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(h, (c.hats(h, at.t).0, c.v));
            })
        },
    },
    Mutant {
        name: "only-v-corrected",
        mistake: "only v is corrected. m needs its own 1 - beta1^t; without it the first step is a tenth of what it should be.",
        read: FOUR,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(h, (c.m, c.hats(h, at.t).1));
            })
        },
    },
    Mutant {
        name: "correction-multiplied",
        mistake: "the moments are multiplied by 1 - beta^t. They are too small at first: divide.",
        read: CORRECTION,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(
                    h,
                    (
                        c.m * (1.0 - h.beta1.powi(at.t)),
                        c.v * (1.0 - h.beta2.powi(at.t)),
                    ),
                );
            })
        },
    },
    Mutant {
        name: "correction-frozen",
        mistake: "the correction is 1 - beta at every step: the power t is missing, or the counter stays at 1.",
        read: COUNTER,
        start: |case| {
            each(case, |h, _, c, g| {
                c.gather(h, g);
                c.apply(h, c.hats(h, 1));
            })
        },
    },
    Mutant {
        name: "correction-of-m-frozen",
        mistake: "the correction of m is 1 - beta1 at every step: its power t is missing.",
        read: CORRECTION,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(h, (c.hats(h, 1).0, c.hats(h, at.t).1));
            })
        },
    },
    Mutant {
        name: "correction-of-v-frozen",
        mistake: "the correction of v is 1 - beta2 at every step: its power t is missing.",
        read: CORRECTION,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(h, (c.hats(h, at.t).0, c.hats(h, 1).1));
            })
        },
    },
    Mutant {
        name: "correction-linear",
        mistake: "the correction is 1 - beta * t. It is a power: 1 - beta^t.",
        read: CORRECTION,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let t = f64::from(at.t);
                c.apply(h, (c.m / (1.0 - h.beta1 * t), c.v / (1.0 - h.beta2 * t)));
            })
        },
    },
    Mutant {
        name: "correction-in-single-precision",
        mistake: "the powers of beta are computed in f32. 1 - beta2^t then has four right digits left: use f64.",
        read: CORRECTION,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let power = |beta: f64| f64::from((beta as f32).powi(at.t));
                c.apply(
                    h,
                    (c.m / (1.0 - power(h.beta1)), c.v / (1.0 - power(h.beta2))),
                );
            })
        },
    },
    Mutant {
        name: "counter-from-zero",
        mistake: "t is 0 at the first step, so 1 - beta^t is 0 and 0/0 is NaN. Count up before you use t.",
        read: COUNTER,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(h, c.hats(h, at.t - 1));
            })
        },
    },
    Mutant {
        name: "counter-from-two",
        mistake: "t is 2 at the first step. Start the counter at 0 and count up once, before you use it.",
        read: COUNTER,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(h, c.hats(h, at.t + 1));
            })
        },
    },
    Mutant {
        name: "counter-per-parameter",
        mistake: "t goes up for every parameter. It counts steps: count up once, before the loop.",
        read: COUNTER,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(
                    h,
                    c.hats(h, (at.t - 1) * at.len as i32 + at.index as i32 + 1),
                );
            })
        },
    },
    Mutant {
        name: "hats-kept",
        mistake: "the corrected moments are written back to m and v. Keep the state uncorrected, and correct a copy at each step.",
        read: CORRECTION,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                (c.m, c.v) = c.hats(h, at.t);
                c.apply(h, (c.m, c.v));
            })
        },
    },
    Mutant {
        name: "no-root",
        mistake: "the root over v_hat is missing: the update divides by v_hat + eps.",
        read: UPDATE,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let (m_hat, v_hat) = c.hats(h, at.t);
                c.theta -= h.lr * m_hat / (v_hat + h.eps);
            })
        },
    },
    Mutant {
        name: "ascent",
        mistake: "the sign. The update is subtracted: theta goes against the gradient.",
        read: UPDATE,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let (m_hat, v_hat) = c.hats(h, at.t);
                c.theta += h.lr * m_hat / (v_hat.sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "powers-swapped",
        mistake: "the corrections have changed places: m is divided by 1 - beta1^t, v by 1 - beta2^t.",
        read: CORRECTION,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(
                    h,
                    (
                        c.m / (1.0 - h.beta2.powi(at.t)),
                        c.v / (1.0 - h.beta1.powi(at.t)),
                    ),
                );
            })
        },
    },
    Mutant {
        name: "beta2-in-both-corrections",
        mistake: "m is corrected with beta2. It was averaged with beta1: divide it by 1 - beta1^t.",
        read: CORRECTION,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(
                    h,
                    (
                        c.m / (1.0 - h.beta2.powi(at.t)),
                        c.v / (1.0 - h.beta2.powi(at.t)),
                    ),
                );
            })
        },
    },
    Mutant {
        name: "beta1-in-both-corrections",
        mistake: "v is corrected with beta1. It was averaged with beta2: divide it by 1 - beta2^t.",
        read: CORRECTION,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(
                    h,
                    (
                        c.m / (1.0 - h.beta1.powi(at.t)),
                        c.v / (1.0 - h.beta1.powi(at.t)),
                    ),
                );
            })
        },
    },
    Mutant {
        name: "theta-replaced",
        mistake: "theta is replaced by the update. It is moved by it: subtract from theta.",
        read: UPDATE,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let (m_hat, v_hat) = c.hats(h, at.t);
                c.theta = -h.lr * m_hat / (v_hat.sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "settings-ignored",
        mistake: "lr, beta1, beta2 and eps are fixed numbers in the step. Read them from the fields, which the tests set.",
        read: UPDATE,
        start: |case| {
            each(case, |_, at, c, g| {
                c.gather(&PAPER, g);
                c.apply(&PAPER, c.hats(&PAPER, at.t));
            })
        },
    },
    Mutant {
        name: "moments-too-late",
        mistake: "theta moves before m and v have taken up the gradient of this step.",
        read: UPDATE,
        start: |case| {
            each(case, |h, at, c, g| {
                c.apply(h, c.hats(h, at.t));
                c.gather(h, g);
            })
        },
    },
    Mutant {
        name: "gradient-for-m-hat",
        mistake: "the gradient stands where m_hat belongs: that is RMSProp with a correction.",
        read: UPDATE,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(h, (g, c.hats(h, at.t).1));
            })
        },
    },
    Mutant {
        name: "eps-added-to-theta",
        mistake: "a parenthesis. eps is added to theta instead of to the root: write lr * m_hat / (v_hat.sqrt() + eps).",
        read: EPSILON,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let (m_hat, v_hat) = c.hats(h, at.t);
                c.theta = c.theta - h.lr * m_hat / v_hat.sqrt() + h.eps;
            })
        },
    },
    Mutant {
        name: "eps-subtracted-from-theta",
        mistake: "a parenthesis. eps is subtracted from theta instead of added to the root: write lr * m_hat / (v_hat.sqrt() + eps).",
        read: EPSILON,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let (m_hat, v_hat) = c.hats(h, at.t);
                c.theta -= h.lr * m_hat / v_hat.sqrt() + h.eps;
            })
        },
    },
    Mutant {
        name: "eps-inside-the-root",
        mistake: "eps is under the root. It is added after the root is taken.",
        read: EPSILON,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let (m_hat, v_hat) = c.hats(h, at.t);
                c.theta -= h.lr * m_hat / (v_hat + h.eps).sqrt();
            })
        },
    },
    Mutant {
        name: "eps-before-the-correction",
        mistake: "eps is added to the root of v before v is corrected, so it counts 1 / sqrt(1 - beta2^t) times. Add it to the root of v_hat.",
        read: EPSILON,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let step = h.lr * (1.0 - h.beta2.powi(at.t)).sqrt() / (1.0 - h.beta1.powi(at.t));
                c.theta -= step * c.m / (c.v.sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "eps-scaled-without-the-root",
        mistake: "eps is scaled by 1 - beta2^t. In the form that folds the correction into lr it is scaled by the root of that.",
        read: EPSILON,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let (bc1, bc2) = (1.0 - h.beta1.powi(at.t), 1.0 - h.beta2.powi(at.t));
                c.theta -= h.lr * bc2.sqrt() / bc1 * c.m / (c.v.sqrt() + h.eps * bc2);
            })
        },
    },
    Mutant {
        name: "no-eps",
        mistake: "eps is missing: a parameter whose gradients have all been 0 becomes 0/0.",
        read: EPSILON,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let (m_hat, v_hat) = c.hats(h, at.t);
                c.theta -= h.lr * m_hat / v_hat.sqrt();
            })
        },
    },
    Mutant {
        name: "eps-as-a-floor",
        mistake: "eps is the least that is divided by: max(sqrt(v_hat), eps). It is added to the root.",
        read: EPSILON,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let (m_hat, v_hat) = c.hats(h, at.t);
                c.theta -= h.lr * m_hat / v_hat.sqrt().max(h.eps);
            })
        },
    },
    Mutant {
        name: "v-of-g",
        mistake: "v averages g, not g^2. Its root is NaN where g is negative.",
        read: MOMENTS,
        start: |case| {
            each(case, |h, at, c, g| {
                c.m = h.beta1 * c.m + (1.0 - h.beta1) * g;
                c.v = h.beta2 * c.v + (1.0 - h.beta2) * g;
                c.apply(h, c.hats(h, at.t));
            })
        },
    },
    Mutant {
        name: "v-of-m",
        mistake: "v averages m^2. It averages the square of the gradient itself.",
        read: MOMENTS,
        start: |case| {
            each(case, |h, at, c, g| {
                c.m = h.beta1 * c.m + (1.0 - h.beta1) * g;
                c.v = h.beta2 * c.v + (1.0 - h.beta2) * c.m * c.m;
                c.apply(h, c.hats(h, at.t));
            })
        },
    },
    Mutant {
        name: "betas-swapped",
        mistake: "beta1 and beta2 have changed places: beta1 belongs to m, beta2 to v.",
        read: MOMENTS,
        start: |case| {
            each(case, |h, at, c, g| {
                let swapped = Hyper {
                    beta1: h.beta2,
                    beta2: h.beta1,
                    ..*h
                };
                c.gather(&swapped, g);
                c.apply(h, c.hats(&swapped, at.t));
            })
        },
    },
    Mutant {
        name: "weights-swapped",
        mistake: "the weights have changed places: beta is the weight of the old average, 1 - beta that of the new gradient.",
        read: MOMENTS,
        start: |case| {
            each(case, |h, at, c, g| {
                c.m = (1.0 - h.beta1) * c.m + h.beta1 * g;
                c.v = (1.0 - h.beta2) * c.v + h.beta2 * g * g;
                c.apply(h, c.hats(h, at.t));
            })
        },
    },
    Mutant {
        name: "gradient-unweighted",
        mistake: "the new gradient is added whole, as in heavy-ball momentum. In an average it has the weight 1 - beta.",
        read: MOMENTS,
        start: |case| {
            each(case, |h, at, c, g| {
                c.m = h.beta1 * c.m + g;
                c.v = h.beta2 * c.v + g * g;
                c.apply(h, c.hats(h, at.t));
            })
        },
    },
    Mutant {
        name: "m-unweighted",
        mistake: "the gradient enters m whole, as in heavy-ball momentum. In an average it has the weight 1 - beta1.",
        read: MOMENTS,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.m += h.beta1 * g;
                c.apply(h, c.hats(h, at.t));
            })
        },
    },
    Mutant {
        name: "v-unweighted",
        mistake: "the squared gradient enters v whole. In an average it has the weight 1 - beta2.",
        read: MOMENTS,
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.v += h.beta2 * g * g;
                c.apply(h, c.hats(h, at.t));
            })
        },
    },
    Mutant {
        name: "betas-swapped-in-the-moments",
        mistake: "m decays with beta2 and v with beta1, though the corrections are right: beta1 belongs to m, beta2 to v.",
        read: MOMENTS,
        start: |case| {
            each(case, |h, at, c, g| {
                let swapped = Hyper {
                    beta1: h.beta2,
                    beta2: h.beta1,
                    ..*h
                };
                c.gather(&swapped, g);
                c.apply(h, c.hats(h, at.t));
            })
        },
    },
    Mutant {
        name: "no-memory",
        mistake: "m and v start from 0 at every step. They are state: keep them in the struct.",
        read: MOMENTS,
        start: |case| {
            each(case, |h, at, c, g| {
                (c.m, c.v) = (0.0, 0.0);
                c.gather(h, g);
                c.apply(h, c.hats(h, at.t));
            })
        },
    },
    Mutant {
        name: "one-state-for-all",
        mistake: "all parameters share one m and one v. Each parameter has its own.",
        read: MOMENTS,
        start: |case| {
            let hyper = Hyper::of(case);
            let (mut theta, mut m, mut v) = (case.start.clone(), 0.0, 0.0);
            let mut t = 0;
            Box::new(move |grad| {
                t += 1;
                for (theta, &g) in theta.iter_mut().zip(grad) {
                    let mut cell = Cell {
                        theta: *theta,
                        m,
                        v,
                    };
                    cell.gather(&hyper, g);
                    cell.apply(&hyper, cell.hats(&hyper, t));
                    Cell {
                        theta: *theta,
                        m,
                        v,
                    } = cell;
                }
                vec![theta.clone()]
            })
        },
    },
    Mutant {
        name: "zero-gradient-skipped",
        mistake: "a parameter whose gradient is 0 is skipped. Its moments fade all the same, and m still moves it.",
        read: MOMENTS,
        start: |case| {
            each(case, |h, at, c, g| {
                if g != 0.0 {
                    c.gather(h, g);
                    c.apply(h, c.hats(h, at.t));
                }
            })
        },
    },
    Mutant {
        name: "another-eps-by-default",
        mistake: "a default eps of 1e-5, as in some libraries. The paper and PyTorch have 1e-8.",
        read: EPSILON,
        start: |case| {
            let mut case = case.clone();
            if case.settings.is_empty() {
                case.settings = Hyper { eps: 1e-5, ..PAPER }.settings();
            }
            each(&case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(h, c.hats(h, at.t));
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-paper",
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                c.apply(h, c.hats(h, at.t));
            })
        },
    },
    Variant {
        name: "as-pytorch-orders-it",
        start: |case| {
            each(case, |h, at, c, g| {
                c.m += (g - c.m) * (1.0 - h.beta1);
                c.v = c.v * h.beta2 + g * g * (1.0 - h.beta2);
                let step_size = h.lr / (1.0 - h.beta1.powi(at.t));
                let denominator = c.v.sqrt() / (1.0 - h.beta2.powi(at.t)).sqrt() + h.eps;
                c.theta += -step_size * (c.m / denominator);
            })
        },
    },
    Variant {
        name: "step-size-folded",
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let (bc1, bc2) = (
                    1.0 - h.beta1.powf(f64::from(at.t)),
                    1.0 - h.beta2.powf(f64::from(at.t)),
                );
                let lr = h.lr * bc2.sqrt() / bc1;
                c.theta -= lr * c.m / (c.v.sqrt() + h.eps * bc2.sqrt());
            })
        },
    },
    Variant {
        name: "powers-from-logarithms",
        start: |case| {
            each(case, |h, at, c, g| {
                c.gather(h, g);
                let correction = |beta: f64| -(f64::from(at.t) * beta.ln()).exp_m1();
                c.apply(h, (c.m / correction(h.beta1), c.v / correction(h.beta2)));
            })
        },
    },
    Variant {
        name: "running-products-in-reverse-order",
        start: |case| {
            let h = Hyper::of(case);
            let (mut theta, len) = (case.start.clone(), case.start.len());
            let (mut m, mut v) = (vec![0.0; len], vec![0.0; len]);
            let (mut power1, mut power2) = (1.0, 1.0);
            Box::new(move |grad| {
                power1 *= h.beta1;
                power2 *= h.beta2;
                for i in (0..len).rev() {
                    m[i] = grad[i] - h.beta1 * (grad[i] - m[i]);
                    v[i] = grad[i] * grad[i] - h.beta2 * (grad[i] * grad[i] - v[i]);
                    theta[i] -= m[i]
                        / (1.0 - power1)
                        / ((v[i] / (1.0 - power2)).sqrt() / h.lr + h.eps / h.lr);
                }
                vec![theta.clone()]
            })
        },
    },
    Variant {
        name: "sums-with-their-weights",
        start: |case| {
            let h = Hyper::of(case);
            let mut theta = case.start.clone();
            let mut sums = vec![(0.0, 0.0); theta.len()];
            let (mut weight1, mut weight2) = (0.0, 0.0);
            Box::new(move |grad| {
                weight1 = weight1 * h.beta1 + 1.0;
                weight2 = weight2 * h.beta2 + 1.0;
                for ((sum1, sum2), g) in sums.iter_mut().zip(grad) {
                    *sum1 = *sum1 * h.beta1 + g;
                    *sum2 = *sum2 * h.beta2 + g * g;
                }
                let updates = sums.iter().map(|(sum1, sum2)| {
                    h.lr * (sum1 / weight1) / ((sum2 / weight2).sqrt() + h.eps)
                });
                theta = theta
                    .iter()
                    .zip(updates)
                    .map(|(theta, update)| theta - update)
                    .collect();
                vec![theta.clone()]
            })
        },
    },
];
