//! Exercise 04: RMSProp, plain and centred.
//!
//! A case calls `RmsProp::step`; its settings are `lr`, `beta`, `eps` and `centered` (0 or 1), or none for the learner's own defaults.
//! An input is a gradient; what is seen after a step is `theta`, and nothing else, so that any way to keep the state is allowed.

use crate::case::{Case, Frame};
use crate::common::{each, flag, gradients, scaled, thetas};
use crate::exercise::{Check, Exam, Exercise, Mutant, Step, Variant};
use crate::{golden, random::Random};

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex04",
    slug: "ex04-rmsprop",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// The hyperparameters of RMSProp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hyper {
    /// The learning rate.
    pub lr: f64,
    /// The decay rate of the averages.
    pub beta: f64,
    /// The constant beside the root.
    pub eps: f64,
    /// Whether the squared mean is taken off.
    pub centered: bool,
}

/// The defaults of PyTorch.
const TORCH: Hyper = Hyper {
    lr: 1e-2,
    beta: 0.99,
    eps: 1e-8,
    centered: false,
};

impl Hyper {
    fn of(case: &Case) -> Self {
        Self::set(case).unwrap_or(TORCH)
    }

    fn set(case: &Case) -> Option<Self> {
        (!case.settings.is_empty()).then(|| Self {
            lr: case.setting("lr"),
            beta: case.setting("beta"),
            eps: case.setting("eps"),
            centered: flag(case, "centered"),
        })
    }

    fn settings(self) -> Vec<(&'static str, f64)> {
        vec![
            ("lr", self.lr),
            ("beta", self.beta),
            ("eps", self.eps),
            ("centered", f64::from(self.centered)),
        ]
    }
}

/// A learner's optimizer that has been set up: it takes the parameters and their gradients.
pub type Optimizer = Box<dyn FnMut(&mut [f64], &[f64])>;

/// Puts a learner's RMSProp through the check of that name.
///
/// `code` sets the optimizer up for so many parameters: with the hyperparameters given, or with its own defaults if none are.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: fn(usize, Option<Hyper>) -> Optimizer) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's RMSProp as a subject: what a check drives.
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

// --- Checks ---------------------------------------------------------------------------------------------------------

static CHECKS: &[Check] = &[
    Check {
        name: "a_constant_gradient_takes_shrinking_steps",
        asked: "While g stays the same, v = (1 - beta^t) g^2: step t is lr * g / (sqrt(v) + eps).",
        run: |exam| {
            let grad = vec![2.0, -0.004, 3e5, -1.0];
            for (steps, hyper) in [
                (3, TORCH),
                (
                    60,
                    Hyper {
                        lr: 0.5,
                        beta: 0.7,
                        eps: 0.1,
                        centered: false,
                    },
                ),
            ] {
                let mut theta = vec![0.0; 4];
                let expected: Vec<Frame> = (1..=steps)
                    .map(|t| {
                        let root = (1.0 - hyper.beta.powi(t)).sqrt();
                        for (theta, g) in theta.iter_mut().zip(&grad) {
                            *theta -= hyper.lr * g / (g.abs() * root + hyper.eps);
                        }
                        vec![theta.clone()]
                    })
                    .collect();
                let grads = vec![grad.clone(); steps as usize];
                let case = case("a constant gradient", Some(hyper), vec![0.0; 4], grads);
                exam.expect(&case, &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "rmsprop_matches_pytorch",
        asked: "40 steps of random gradients leave theta where torch.optim.RMSprop leaves it.",
        run: |exam| recorded(exam, &golden::get("rmsprop-torch")),
    },
    Check {
        name: "with_centered_the_spread_divides",
        asked: "With centered, g is divided by sqrt(v - m^2) + eps: by how it varies, not by how large it is.",
        run: |exam| {
            let grads = [[1.1, -5.0], [0.9, 3.0]].map(Vec::from);
            let grads: Vec<_> = grads.iter().cycle().take(30).cloned().collect();
            let hyper = Hyper {
                beta: 0.9,
                centered: true,
                ..TORCH
            };
            let expected = closed_form(hyper, &[0.0; 2], &grads);
            let case = case("two gradients in turn", Some(hyper), vec![0.0; 2], grads);
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "centered_matches_pytorch",
        asked: "With centered, theta goes where torch.optim.RMSprop(centered=True) takes it.",
        run: |exam| recorded(exam, &golden::get("rmsprop-centered-torch")),
    },
    Check {
        name: "the_variance_is_never_negative",
        asked: "Rounding can leave v - m^2 below 0: it then counts as 0, and theta stays a number.",
        run: |exam| {
            exam.expect(&lost_squares(), &lost_squares_expected())?;
            // A large gradient that stays the same: v - m^2 is rounding alone, of either sign. Beside so large an eps only a NaN shows.
            let hyper = Hyper {
                lr: 1.0,
                beta: 0.9,
                eps: 1e13,
                centered: true,
            };
            let grad = vec![1e6, -7e5, 1e5, 123_456.0, -3.3e5, 0.1, -3.0, 700.0];
            let mut theta = vec![0.0; grad.len()];
            let expected: Vec<Frame> = (1..=500)
                .map(|t| {
                    let old = hyper.beta.powi(t);
                    let root = (old * (1.0 - old)).sqrt();
                    for (theta, g) in theta.iter_mut().zip(&grad) {
                        *theta -= hyper.lr * g / (g.abs() * root + hyper.eps);
                    }
                    vec![theta.clone()]
                })
                .collect();
            let case = case(
                "constant gradients, the largest 1e6",
                Some(hyper),
                vec![0.0; grad.len()],
                vec![grad; 500],
            );
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "the_scale_of_the_gradient_does_not_matter",
        asked: "With eps = 0, gradients 1e90 times larger or smaller give the same theta.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let grads = gradients(&mut random, 20, 3, 1.0);
            for centered in [false, true] {
                let hyper = Hyper {
                    beta: 0.9,
                    eps: 0.0,
                    centered,
                    ..TORCH
                };
                let expected = closed_form(hyper, &[0.0; 3], &grads);
                for scale in [1.0, 1e90, 1e-90] {
                    let scaled = grads
                        .iter()
                        .map(|grad| scaled(grad.clone(), scale))
                        .collect();
                    let about = format!("gradients of scale {scale:e}, MOMENTS_SEED={}", exam.seed);
                    exam.expect(&case(&about, Some(hyper), vec![0.0; 3], scaled), &expected)?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "a_zero_gradient_is_a_fixed_point",
        asked: "While every gradient is 0, theta stays where it is, to the last bit.",
        run: |exam| {
            let start = vec![3.0, -0.25, 0.0];
            for centered in [false, true] {
                let hyper = Hyper { centered, ..TORCH };
                let case = case(
                    "gradients of zero",
                    Some(hyper),
                    start.clone(),
                    vec![vec![0.0; 3]; 5],
                );
                exam.expect(&case, &vec![vec![start.clone()]; 5])?;
            }
            Ok(())
        },
    },
    Check {
        name: "any_length_and_any_settings",
        asked: "Theta follows from the weighted sums of all gradients, for 0, 1 and more parameters.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for (round, len) in [0, 1, 2, 7, 33, 1, 2, 3].into_iter().enumerate() {
                let hyper = Hyper {
                    lr: random.magnitude(-4.0, 1.0).abs(),
                    beta: random.between(0.3, 0.999),
                    eps: random.magnitude(-9.0, 0.0).abs(),
                    centered: round % 2 == 1,
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
        name: "the_defaults_are_those_of_pytorch",
        asked: "RmsProp::new sets lr 1e-2, beta 0.99, eps 1e-8 and no centring.",
        run: |exam| {
            let case = defaults();
            exam.expect(&case, &closed_form(TORCH, &case.start, case.inputs()))
        },
    },
];

fn case(about: &str, hyper: Option<Hyper>, start: Vec<f64>, grads: Vec<Vec<f64>>) -> Case {
    let settings = hyper.map_or_else(Vec::new, Hyper::settings);
    Case::given(about, "RmsProp::step", &["theta"], settings, start, grads)
}

fn recorded(exam: &Exam<'_>, golden: &golden::Golden) -> crate::Verdict {
    let hyper = Hyper {
        lr: golden.setting("lr"),
        beta: golden.setting("beta"),
        eps: golden.setting("eps"),
        centered: golden.setting("centered") != 0.0,
    };
    let about = "gradients from 1e-6 to 1e6";
    let case = case(about, Some(hyper), golden.start.clone(), golden.grads());
    exam.expect(&case, &thetas(golden))
}

const LOST: f64 = 4e-161;

/// Gradients so small that (1 − β) g² rounds to 0 while m² does not: v − m² is below 0 in any order of operations.
fn lost_squares() -> Case {
    case(
        "gradients so small that v rounds to 0",
        Some(LOST_HYPER),
        vec![0.0; 2],
        vec![vec![LOST, -LOST]; 100],
    )
}

const LOST_HYPER: Hyper = Hyper {
    lr: 1.0,
    beta: 0.999,
    eps: 1e-8,
    centered: true,
};

/// Beside eps the root is nothing, whether v rounds to 0 or not.
fn lost_squares_expected() -> Vec<Frame> {
    let theta = |t: i32| f64::from(t) * LOST_HYPER.lr * LOST / LOST_HYPER.eps;
    (1..=100).map(|t| vec![vec![-theta(t), theta(t)]]).collect()
}

/// Gradients small enough for eps to show, and not constant, so that centring shows.
fn defaults() -> Case {
    let grads = vec![
        vec![1e-7, -0.5],
        vec![-3e-7, -0.1],
        vec![1e-7, 0.7],
        vec![2e-8, 0.3],
    ];
    case("your defaults", None, vec![0.0; 2], grads)
}

/// Three cases on which every two mutants differ.
fn probes() -> Vec<Case> {
    let mut random = Random::new(7);
    // Gradients of one sign, so that a root of them is a number.
    let mut probe = |centered| {
        let grads = (0..12).map(|_| random.vector(3, 0.05, 1.0)).collect();
        let hyper = Hyper {
            lr: 0.1,
            beta: 0.8,
            eps: 0.05,
            centered,
        };
        case("a probe", Some(hyper), random.vector(3, -1.0, 1.0), grads)
    };
    vec![probe(false), probe(true), defaults()]
}

/// Where RMSProp goes, from the definition of its averages as weighted sums of all gradients so far, with no recurrence.
fn closed_form(hyper: Hyper, start: &[f64], grads: &[Vec<f64>]) -> Vec<Frame> {
    let mut theta = start.to_vec();
    let step = |t: usize| {
        for (i, theta) in theta.iter_mut().enumerate() {
            let mean = |of: fn(f64) -> f64| {
                let (mut sum, mut weight) = (0.0, 1.0 - hyper.beta);
                for grad in grads[..t].iter().rev() {
                    sum += weight * of(grad[i]);
                    weight *= hyper.beta;
                }
                sum
            };
            let mut square = mean(|g| g * g);
            if hyper.centered {
                square -= mean(|g| g).powi(2);
            }
            *theta -= hyper.lr * grads[t - 1][i] / (square.sqrt() + hyper.eps);
        }
        vec![theta.clone()]
    };
    (1..=grads.len()).map(step).collect()
}

// --- Mutants --------------------------------------------------------------------------------------------------------

/// The averages of one parameter.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    v: f64,
    m: f64,
}

impl State {
    /// Takes a gradient into both averages.
    fn gather(&mut self, h: &Hyper, g: f64) {
        self.v = h.beta * self.v + (1.0 - h.beta) * g * g;
        self.m = h.beta * self.m + (1.0 - h.beta) * g;
    }

    /// What the root is taken of.
    fn square(&self, h: &Hyper) -> f64 {
        if h.centered {
            (self.v - self.m * self.m).max(0.0)
        } else {
            self.v
        }
    }

    /// What a gradient is divided by.
    fn divisor(&self, h: &Hyper) -> f64 {
        self.square(h).sqrt() + h.eps
    }
}

const AVERAGE: &str = "exercises/ex04-rmsprop.html#an-average-not-a-sum";
const BEGIN: &str = "exercises/ex04-rmsprop.html#how-it-begins";
const EPSILON: &str = "exercises/ex04-rmsprop.html#epsilon";
const CENTRED: &str = "exercises/ex04-rmsprop.html#centred";
const NEGATIVE: &str = "exercises/ex04-rmsprop.html#a-variance-below-zero";
const STEP: &str = "exercises/ex04-rmsprop.html#the-step";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "sum-of-adagrad",
        mistake: "v is the sum of all squares, as in AdaGrad. RMSProp lets the old ones fade: v = beta * v + (1 - beta) * g^2.",
        read: AVERAGE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                let v = s.v + g * g;
                s.gather(h, g);
                s.v = v;
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "square-unweighted",
        mistake: "the squared gradient enters v whole. In an average it has the weight 1 - beta.",
        read: AVERAGE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                let v = h.beta * s.v + g * g;
                s.gather(h, g);
                s.v = v;
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "weights-swapped",
        mistake: "the weights have changed places: beta is the weight of the old average, 1 - beta that of the new gradient.",
        read: AVERAGE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                let swapped = Hyper {
                    beta: 1.0 - h.beta,
                    ..*h
                };
                s.gather(&swapped, g);
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "average-of-g",
        mistake: "v averages g, not g^2. Its root is NaN where g is negative.",
        read: AVERAGE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                let v = h.beta * s.v + (1.0 - h.beta) * g;
                s.gather(h, g);
                s.v = v;
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "no-memory",
        mistake: "the averages start from 0 at every step. They are state: keep them in the struct.",
        read: AVERAGE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                *s = State::default();
                s.gather(h, g);
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "one-average-for-all",
        mistake: "all parameters share one average. Each parameter has its own: that is what makes the rate adaptive.",
        read: AVERAGE,
        start: |case| {
            let h = Hyper::of(case);
            let (mut theta, mut s) = (case.start.clone(), State::default());
            Box::new(move |grad| {
                for (x, &g) in theta.iter_mut().zip(grad) {
                    s.gather(&h, g);
                    *x -= h.lr * g / s.divisor(&h);
                }
                vec![theta.clone()]
            })
        },
    },
    Mutant {
        name: "zero-gradient-skipped",
        mistake: "a parameter whose gradient is 0 is skipped. Its averages fade all the same.",
        read: AVERAGE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                if g != 0.0 {
                    s.gather(h, g);
                    *x -= h.lr * g / s.divisor(h);
                }
            })
        },
    },
    Mutant {
        name: "bias-corrected",
        mistake: "the averages are divided by 1 - beta^t. That is Adam's correction; RMSProp has none.",
        read: BEGIN,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                let seen = 1.0 - h.beta.powi(t);
                let hats = State {
                    v: s.v / seen,
                    m: s.m / seen,
                };
                *x -= h.lr * g / hats.divisor(h);
            })
        },
    },
    Mutant {
        name: "only-v-corrected",
        mistake: "v is divided by 1 - beta^t and m is not. RMSProp corrects neither.",
        read: BEGIN,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                let seen = 1.0 - h.beta.powi(t);
                let hats = State {
                    v: s.v / seen,
                    m: s.m,
                };
                *x -= h.lr * g / hats.divisor(h);
            })
        },
    },
    Mutant {
        name: "starts-at-the-first-square",
        mistake: "v starts at the first squared gradient. Here it starts at 0, and the first step is lr / sqrt(1 - beta) long.",
        read: BEGIN,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                if t == 1 {
                    *s = State { v: g * g, m: g };
                }
                s.gather(h, g);
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "starts-at-one",
        mistake: "v starts at 1, as in TensorFlow 1. Here it starts at 0.",
        read: BEGIN,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                if t == 1 {
                    s.v = 1.0;
                }
                s.gather(h, g);
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "averages-too-late",
        mistake: "theta moves before v has taken up the gradient of this step: at step 1 it is divided by eps alone.",
        read: BEGIN,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                *x -= h.lr * g / s.divisor(h);
                s.gather(h, g);
            })
        },
    },
    Mutant {
        name: "eps-inside-the-root",
        mistake: "eps is under the root, as in optax. Here it is added after the root is taken, as in PyTorch.",
        read: EPSILON,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x -= h.lr * g / (s.square(h) + h.eps).sqrt();
            })
        },
    },
    Mutant {
        name: "eps-as-a-floor",
        mistake: "eps is the least that the root may be. It is added to the root, however large that is.",
        read: EPSILON,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x -= h.lr * g / s.square(h).sqrt().max(h.eps);
            })
        },
    },
    Mutant {
        name: "no-eps",
        mistake: "eps is missing: a parameter whose gradients have all been 0 becomes 0/0.",
        read: EPSILON,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x -= h.lr * g / s.square(h).sqrt();
            })
        },
    },
    Mutant {
        name: "eps-added-to-theta",
        mistake: "a parenthesis. eps is subtracted from theta instead of added to the root: write g / (v.sqrt() + eps).",
        read: EPSILON,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x -= h.lr * g / s.square(h).sqrt() + h.eps;
            })
        },
    },
    Mutant {
        name: "centring-forgotten",
        mistake: "centered is ignored. Where it is true, the squared mean m^2 is taken off v before the root.",
        read: CENTRED,
        start: |case| {
            let hyper = Hyper {
                centered: false,
                ..Hyper::of(case)
            };
            each(case, hyper, |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "always-centred",
        mistake: "m^2 is taken off v although centered is false.",
        read: CENTRED,
        start: |case| {
            let hyper = Hyper {
                centered: true,
                ..Hyper::of(case)
            };
            each(case, hyper, |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "centred-with-the-gradient",
        mistake: "g^2 is taken off v. It is the square of the mean m that is: m averages g with the weights of v.",
        read: CENTRED,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                let taken = State { m: g, ..*s };
                *x -= h.lr * g / taken.divisor(h);
            })
        },
    },
    Mutant {
        name: "mean-not-squared",
        mistake: "m is taken off v, not m^2: a gradient off a gradient squared.",
        read: CENTRED,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                let less = if h.centered { s.m } else { 0.0 };
                *x -= h.lr * g / ((s.v - less).max(0.0).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "squared-mean-added",
        mistake: "m^2 is added to v. It is taken off: the variance is the mean of squares less the square of the mean.",
        read: CENTRED,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                let more = if h.centered { s.m * s.m } else { 0.0 };
                *x -= h.lr * g / ((s.v + more).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "roots-subtracted",
        mistake: "m is taken off the root of v. The squares are subtracted first, and the root comes last.",
        read: CENTRED,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                let less = if h.centered { s.m.abs() } else { 0.0 };
                *x -= h.lr * g / ((s.v.sqrt() - less).max(0.0) + h.eps);
            })
        },
    },
    Mutant {
        name: "mean-unweighted",
        mistake: "the gradient enters m whole, as in heavy-ball momentum. In an average it has the weight 1 - beta.",
        read: CENTRED,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                let m = h.beta * s.m + g;
                s.gather(h, g);
                s.m = m;
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "mean-too-late",
        mistake: "m^2 is taken off before m has taken up the gradient of this step.",
        read: CENTRED,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                let old = s.m;
                s.gather(h, g);
                let late = State { m: old, ..*s };
                *x -= h.lr * g / late.divisor(h);
            })
        },
    },
    Mutant {
        name: "gradient-centred",
        mistake: "with centered, g - m is divided by the root. Only the divisor is centred; theta moves by g.",
        read: CENTRED,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                let less = if h.centered { s.m } else { 0.0 };
                *x -= h.lr * (g - less) / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "variance-unclamped",
        mistake: "v - m^2 fell below 0 by rounding, and its root is NaN. Take the larger of it and 0.",
        read: NEGATIVE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                let less = if h.centered { s.m * s.m } else { 0.0 };
                *x -= h.lr * g / ((s.v - less).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "no-root",
        mistake: "the root is missing: the gradient is divided by v + eps.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x -= h.lr * g / (s.square(h) + h.eps);
            })
        },
    },
    Mutant {
        name: "mean-for-the-gradient",
        mistake: "the mean m is divided by the root. RMSProp divides the gradient itself; a mean there is what Adam adds.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x -= h.lr * s.m / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "ascent",
        mistake: "the sign. The update is subtracted: theta goes against the gradient.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x += h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "theta-replaced",
        mistake: "theta is replaced by the update. It is moved by it: subtract from theta.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x = -h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "settings-ignored",
        mistake: "lr, beta and eps are fixed numbers in the step. Read them from the fields, which the tests set.",
        read: STEP,
        start: |case| {
            let hyper = Hyper {
                centered: Hyper::of(case).centered,
                ..TORCH
            };
            each(case, hyper, |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Mutant {
        name: "beta-of-optax-by-default",
        mistake: "a default beta of 0.9, as in Hinton's lecture and in optax. The task asks for PyTorch's 0.99.",
        read: AVERAGE,
        start: |case| {
            let mut case = case.clone();
            if case.settings.is_empty() {
                case.settings = Hyper { beta: 0.9, ..TORCH }.settings();
            }
            each(&case, Hyper::of(&case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-task",
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                *x -= h.lr * g / s.divisor(h);
            })
        },
    },
    Variant {
        name: "as-pytorch-orders-it",
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.v = s.v * h.beta + (1.0 - h.beta) * (g * g);
                let mut square = s.v;
                if h.centered {
                    s.m += (g - s.m) * (1.0 - h.beta);
                    square += -s.m * s.m;
                }
                if square < 0.0 {
                    square = 0.0;
                }
                *x += -h.lr * (g / (square.sqrt() + h.eps));
            })
        },
    },
    Variant {
        name: "step-by-step-over-all-parameters",
        start: |case| {
            let h = Hyper::of(case);
            let (mut theta, len) = (case.start.clone(), case.start.len());
            let (mut v, mut m) = (vec![0.0; len], vec![0.0; len]);
            Box::new(move |grad| {
                v = v
                    .iter()
                    .zip(grad)
                    .map(|(v, g)| g * g - h.beta * (g * g - v))
                    .collect();
                m = m
                    .iter()
                    .zip(grad)
                    .map(|(m, g)| g - h.beta * (g - m))
                    .collect();
                let roots: Vec<f64> = v
                    .iter()
                    .zip(&m)
                    .map(|(v, m): (&f64, &f64)| if h.centered { v - m.powi(2) } else { *v })
                    .map(|square| square.max(0.0).sqrt())
                    .collect();
                for i in (0..len).rev() {
                    theta[i] -= grad[i] / (roots[i] / h.lr + h.eps / h.lr);
                }
                vec![theta.clone()]
            })
        },
    },
    Variant {
        name: "sums-weighted-at-the-end",
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.v = s.v * h.beta + g * g;
                s.m = s.m * h.beta + g;
                let new = 1.0 - h.beta;
                let mean = if h.centered { new * s.m } else { 0.0 };
                let square = new * s.v - mean * mean;
                *x -= h.lr * g / (square.max(0.0).sqrt() + h.eps);
            })
        },
    },
];
