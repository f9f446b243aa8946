//! Exercise 03: AdaGrad.
//!
//! A case calls `AdaGrad::step`; its settings are `lr`, `eps` and `initial`, or none for the learner's own defaults and sums that start at 0.
//! An input is a gradient; what is seen after a step is `theta`, and nothing else, so that any way to keep the state is allowed.

use crate::case::{Case, Frame};
use crate::common::{each, gradients, scaled, thetas};
use crate::exercise::{Check, Exam, Exercise, Mutant, Step, Variant};
use crate::{golden, random::Random};

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex03",
    slug: "ex03-adagrad",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// The hyperparameters of AdaGrad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hyper {
    /// The learning rate.
    pub lr: f64,
    /// The constant beside the root.
    pub eps: f64,
    /// What every sum starts at.
    pub initial: f64,
}

/// The defaults of PyTorch.
const TORCH: Hyper = Hyper {
    lr: 1e-2,
    eps: 1e-10,
    initial: 0.0,
};

impl Hyper {
    fn of(case: &Case) -> Self {
        Self::set(case).unwrap_or(TORCH)
    }

    fn set(case: &Case) -> Option<Self> {
        (!case.settings.is_empty()).then(|| Self {
            lr: case.setting("lr"),
            eps: case.setting("eps"),
            initial: case.setting("initial"),
        })
    }

    fn settings(self) -> Vec<(&'static str, f64)> {
        vec![
            ("lr", self.lr),
            ("eps", self.eps),
            ("initial", self.initial),
        ]
    }
}

/// A learner's optimizer that has been set up: it takes the parameters and their gradients.
pub type Optimizer = Box<dyn FnMut(&mut [f64], &[f64])>;

/// Puts a learner's AdaGrad through the check of that name.
///
/// `code` sets the optimizer up for so many parameters: with the hyperparameters given, or with its own defaults if none are.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: fn(usize, Option<Hyper>) -> Optimizer) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's AdaGrad as a subject: what a check drives.
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
        name: "a_constant_gradient_takes_steps_of_lr_over_root_t",
        asked: "While g stays the same, the sum is t * g^2: step t is lr * g / (sqrt(t) * |g| + eps).",
        run: |exam| {
            let grad = vec![2.0, -0.004, 3e5, -1.0];
            for (steps, hyper) in [
                (4, TORCH),
                (
                    60,
                    Hyper {
                        lr: 0.5,
                        eps: 0.1,
                        initial: 0.0,
                    },
                ),
            ] {
                let mut theta = vec![0.0; 4];
                let expected: Vec<Frame> = (1..=steps)
                    .map(|t| {
                        for (theta, g) in theta.iter_mut().zip(&grad) {
                            *theta -= hyper.lr * g / (g.abs() * f64::from(t).sqrt() + hyper.eps);
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
        name: "adagrad_matches_pytorch",
        asked: "40 steps of random gradients leave theta where torch.optim.Adagrad leaves it.",
        run: |exam| recorded(exam, &golden::get("adagrad-torch")),
    },
    Check {
        name: "the_sum_starts_where_it_is_told",
        asked: "Every sum starts at `initial`: from 9, gradients of 4 give the roots 5, 6.40 and 7.55.",
        run: |exam| {
            let hyper = Hyper {
                lr: 1.0,
                eps: 0.0,
                initial: 9.0,
            };
            let mut theta = 0.0;
            let expected: Vec<Frame> = [25.0f64, 41.0, 57.0, 73.0]
                .map(|sum| {
                    theta -= 4.0 / sum.sqrt();
                    vec![vec![theta]]
                })
                .to_vec();
            let case = case("from 9", Some(hyper), vec![0.0], vec![vec![4.0]; 4]);
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "an_initial_sum_matches_pytorch",
        asked: "With an initial sum, theta goes where torch.optim.Adagrad(initial_accumulator_value) takes it.",
        run: |exam| recorded(exam, &golden::get("adagrad-initial-torch")),
    },
    Check {
        name: "a_rare_parameter_keeps_its_long_step",
        asked: "Each parameter has its own sum: one whose first gradient comes at step 50 then moves by lr.",
        run: |exam| {
            let hyper = Hyper { eps: 1e-8, ..TORCH };
            let grads: Vec<_> = (1..=60)
                .map(|t| vec![1.0, if t % 50 == 0 { -3.0 } else { 0.0 }])
                .collect();
            let expected = from_all_gradients(hyper, &[0.0; 2], &grads);
            let about = "a steady parameter and a rare one";
            exam.expect(&case(about, Some(hyper), vec![0.0; 2], grads), &expected)
        },
    },
    Check {
        name: "the_scale_of_the_gradient_does_not_matter",
        asked: "With eps = 0, gradients 1e90 times larger or smaller give the same theta.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let grads = gradients(&mut random, 20, 3, 1.0);
            let hyper = Hyper { eps: 0.0, ..TORCH };
            let expected = from_all_gradients(hyper, &[0.0; 3], &grads);
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
            let zeros = vec![vec![0.0; 3]; 5];
            let case = case("gradients of zero", Some(TORCH), start.clone(), zeros);
            exam.expect(&case, &vec![vec![start]; 5])
        },
    },
    Check {
        name: "any_length_and_any_settings",
        asked: "Theta follows from the sums of all squares so far, for 0, 1 and more parameters.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for len in [0, 1, 2, 7, 33, 1, 2, 3] {
                let scale = random.magnitude(-6.0, 6.0);
                let hyper = Hyper {
                    lr: random.magnitude(-4.0, 1.0).abs(),
                    eps: random.magnitude(-9.0, 0.0).abs(),
                    initial: random.between(0.0, 2.0) * scale * scale,
                };
                let grads = gradients(&mut random, 25, len, scale);
                let start = random.vector(len, -1.0, 1.0);
                let expected = from_all_gradients(hyper, &start, &grads);
                let about = format!("{len} parameters, MOMENTS_SEED={}", exam.seed);
                exam.expect(&case(&about, Some(hyper), start, grads), &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_defaults_are_those_of_pytorch",
        asked: "AdaGrad::new sets lr 1e-2 and eps 1e-10.",
        run: |exam| {
            let case = defaults();
            let expected = from_all_gradients(TORCH, &case.start, case.inputs());
            exam.expect(&case, &expected)
        },
    },
];

fn case(about: &str, hyper: Option<Hyper>, start: Vec<f64>, grads: Vec<Vec<f64>>) -> Case {
    let settings = hyper.map_or_else(Vec::new, Hyper::settings);
    Case::given(about, "AdaGrad::step", &["theta"], settings, start, grads)
}

fn recorded(exam: &Exam<'_>, golden: &golden::Golden) -> crate::Verdict {
    let hyper = Hyper {
        lr: golden.setting("lr"),
        eps: golden.setting("eps"),
        initial: golden.setting("initial"),
    };
    let about = "gradients from 1e-6 to 1e6";
    let case = case(about, Some(hyper), golden.start.clone(), golden.grads());
    exam.expect(&case, &thetas(golden))
}

/// Gradients small enough for eps to show.
fn defaults() -> Case {
    let grads = vec![
        vec![1e-9, -0.5],
        vec![-3e-10, -0.1],
        vec![1e-9, 0.7],
        vec![2e-10, 0.3],
    ];
    case("your defaults", None, vec![0.0; 2], grads)
}

/// Three cases on which every two mutants differ.
fn probes() -> Vec<Case> {
    let mut random = Random::new(3);
    let mut probe = |initial| {
        let hyper = Hyper {
            lr: 0.1,
            eps: 0.05,
            initial,
        };
        // Gradients of one sign, so that a root of them is a number.
        let grads = (0..12).map(|_| random.vector(3, 0.05, 1.0)).collect();
        case("a probe", Some(hyper), random.vector(3, -1.0, 1.0), grads)
    };
    vec![probe(0.0), probe(0.3), defaults()]
}

/// Where AdaGrad goes, with every sum taken anew over all gradients so far, the latest first.
fn from_all_gradients(hyper: Hyper, start: &[f64], grads: &[Vec<f64>]) -> Vec<Frame> {
    let mut theta = start.to_vec();
    let step = |t: usize| {
        for (i, theta) in theta.iter_mut().enumerate() {
            let squares = grads[..t].iter().rev().map(|grad| grad[i] * grad[i]);
            let sum = squares.sum::<f64>() + hyper.initial;
            *theta -= hyper.lr * grads[t - 1][i] / (sum.sqrt() + hyper.eps);
        }
        vec![theta.clone()]
    };
    (1..=grads.len()).map(step).collect()
}

// --- Mutants --------------------------------------------------------------------------------------------------------

/// What is kept of one parameter.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// The sum without what it starts at.
    sum: f64,
    /// A second quantity, for mistakes that keep one.
    other: f64,
}

const SUM: &str = "exercises/ex03-adagrad.html#a-sum-of-squares";
const OWN: &str = "exercises/ex03-adagrad.html#a-rate-for-each-parameter";
const ORDER: &str = "exercises/ex03-adagrad.html#first-the-sum-then-the-step";
const EPSILON: &str = "exercises/ex03-adagrad.html#epsilon";
const INITIAL: &str = "exercises/ex03-adagrad.html#where-the-sum-starts";
const RATE: &str = "exercises/ex03-adagrad.html#the-rate-falls-by-itself";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "uphill",
        mistake: "the step is added. It goes against the gradient: subtract it.",
        read: ORDER,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                *x += h.lr * g / ((h.initial + s.sum).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "sum-after-the-step",
        mistake: "the step divides by the sum of the gradients before this one. The gradient enters the sum first.",
        read: ORDER,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                *x -= h.lr * g / ((h.initial + s.sum).sqrt() + h.eps);
                s.sum += g * g;
            })
        },
    },
    Mutant {
        name: "no-root",
        mistake: "the root is missing: g is divided by the sum of squares itself, and its unit does not cancel.",
        read: SUM,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                *x -= h.lr * g / (h.initial + s.sum + h.eps);
            })
        },
    },
    Mutant {
        name: "sum-of-sizes",
        mistake: "the sum takes |g| and the root is taken of it. It takes g^2.",
        read: SUM,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g.abs();
                *x -= h.lr * g / ((h.initial + s.sum).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "divided-by-the-sum-of-sizes",
        mistake: "g is divided by the sum of all |g|. AdaGrad divides by the root of the sum of squares, which grows more slowly.",
        read: SUM,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g.abs();
                *x -= h.lr * g / (h.initial.sqrt() + s.sum + h.eps);
            })
        },
    },
    Mutant {
        name: "square-of-the-sum",
        mistake: "the gradients are summed and then squared, so that opposite signs cancel. Square first, then sum.",
        read: SUM,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g;
                *x -= h.lr * g / ((h.initial + s.sum * s.sum).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "mean-of-squares",
        mistake: "the sum is divided by t, a mean. Then nothing slows down; AdaGrad divides by the sum.",
        read: RATE,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.sum += g * g;
                *x -= h.lr * g / (((h.initial + s.sum) / f64::from(t)).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "leaky-sum",
        mistake: "old squares fade by 0.9 and new ones count 0.1. That is RMSProp; AdaGrad forgets nothing.",
        read: RATE,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                if t == 1 {
                    s.sum = h.initial;
                }
                s.sum = 0.9 * s.sum + 0.1 * g * g;
                *x -= h.lr * g / (s.sum.sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "no-memory",
        mistake: "the sum is this step's g^2 alone. It is state: keep it in the struct.",
        read: SUM,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, _: &mut State, g| {
                *x -= h.lr * g / ((h.initial + g * g).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "largest-square",
        mistake: "the largest square so far takes the place of the sum. It stops growing; the sum does not.",
        read: SUM,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum = s.sum.max(g * g);
                *x -= h.lr * g / ((h.initial + s.sum).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "rate-divided-by-root-t",
        mistake: "lr is divided by sqrt(t) as well. The sum already makes the steps shrink.",
        read: RATE,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.sum += g * g;
                let lr = h.lr / f64::from(t).sqrt();
                *x -= lr * g / ((h.initial + s.sum).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "schedule-in-place-of-the-sum",
        mistake: "this is gradient descent with lr / sqrt(t). AdaGrad's rate follows the gradients, not the clock.",
        read: RATE,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, _: &mut State, g| {
                *x -= h.lr / f64::from(t).sqrt() * g;
            })
        },
    },
    Mutant {
        name: "step-enters-the-sum",
        mistake: "the sum takes the square of lr * g. It takes that of the gradient; lr stands outside.",
        read: SUM,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += (h.lr * g) * (h.lr * g);
                *x -= h.lr * g / ((h.initial + s.sum).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "one-sum-for-all",
        mistake: "all parameters share one sum. Each has its own, or a rare one is held back by the others.",
        read: OWN,
        start: |case| {
            let h = Hyper::of(case);
            let (mut theta, mut sum) = (case.start.clone(), h.initial);
            Box::new(move |grad| {
                sum += grad.iter().map(|g| g * g).sum::<f64>();
                for (x, g) in theta.iter_mut().zip(grad) {
                    *x -= h.lr * g / (sum.sqrt() + h.eps);
                }
                vec![theta.clone()]
            })
        },
    },
    Mutant {
        name: "sum-runs-through-the-parameters",
        mistake: "one sum runs on from parameter to parameter within a step. Each parameter has its own.",
        read: OWN,
        start: |case| {
            let h = Hyper::of(case);
            let (mut theta, mut sum) = (case.start.clone(), h.initial);
            Box::new(move |grad| {
                for (x, g) in theta.iter_mut().zip(grad) {
                    sum += g * g;
                    *x -= h.lr * g / (sum.sqrt() + h.eps);
                }
                vec![theta.clone()]
            })
        },
    },
    Mutant {
        name: "eps-under-the-root",
        mistake: "eps stands under the root. It is added to the root.",
        read: EPSILON,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                *x -= h.lr * g / (h.initial + s.sum + h.eps).sqrt();
            })
        },
    },
    Mutant {
        name: "no-eps",
        mistake: "eps is missing: a parameter whose gradients have all been 0 becomes 0/0.",
        read: EPSILON,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                *x -= h.lr * g / (h.initial + s.sum).sqrt();
            })
        },
    },
    Mutant {
        name: "eps-added-to-the-step",
        mistake: "a parenthesis closes too early: eps is added to the quotient, and so to theta. It belongs to the root.",
        read: EPSILON,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                *x -= h.lr * g / (h.initial + s.sum).sqrt() + h.eps;
            })
        },
    },
    Mutant {
        name: "eps-enters-the-sum",
        mistake: "eps is added to the sum at every step, and grows with it. It is added once, to the root.",
        read: EPSILON,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g + h.eps;
                *x -= h.lr * g / (h.initial + s.sum).sqrt();
            })
        },
    },
    Mutant {
        name: "initial-ignored",
        mistake: "every sum starts at 0, whatever `initial` says.",
        read: INITIAL,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                *x -= h.lr * g / (s.sum.sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "initial-squared",
        mistake: "the sum starts at the square of `initial`. It starts at `initial`, which is a sum of squares already.",
        read: INITIAL,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                *x -= h.lr * g / ((h.initial * h.initial + s.sum).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "initial-added-to-the-root",
        mistake: "`initial` is added to the root. It is what the sum starts at, under the root.",
        read: INITIAL,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                *x -= h.lr * g / (s.sum.sqrt() + h.initial + h.eps);
            })
        },
    },
    Mutant {
        name: "initial-added-at-every-step",
        mistake: "`initial` is added at every step. The sum starts there once.",
        read: INITIAL,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g + h.initial;
                *x -= h.lr * g / (s.sum.sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "a-delta-of-squares",
        mistake: "the step itself is averaged too, as in Adadelta. AdaGrad has a learning rate and one sum.",
        read: RATE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                let step = g / ((h.initial + s.sum).sqrt() + h.eps);
                s.other += step * step;
                *x -= h.lr * step / (s.other.sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "another-eps-by-default",
        mistake: "a default eps of 1e-8, as in Adam. PyTorch's AdaGrad has 1e-10.",
        read: EPSILON,
        start: |case| {
            let hyper = Hyper::set(case).unwrap_or(Hyper { eps: 1e-8, ..TORCH });
            each(case, hyper, |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                *x -= h.lr * g / ((h.initial + s.sum).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "the-rate-of-adam-by-default",
        mistake: "a default lr of 1e-3, as in Adam. PyTorch's AdaGrad has 1e-2, for its steps shrink.",
        read: RATE,
        start: |case| {
            let hyper = Hyper::set(case).unwrap_or(Hyper { lr: 1e-3, ..TORCH });
            each(case, hyper, |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                *x -= h.lr * g / ((h.initial + s.sum).sqrt() + h.eps);
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-task",
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                if t == 1 {
                    s.sum = h.initial;
                }
                s.sum += g * g;
                *x -= h.lr * g / (s.sum.sqrt() + h.eps);
            })
        },
    },
    Variant {
        name: "a-rate-first-and-then-a-product",
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.sum += g * g;
                let rate = h.lr / ((s.sum + h.initial).sqrt() + h.eps);
                *x += -rate * g;
            })
        },
    },
    Variant {
        name: "zero-gradients-skipped",
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                if g != 0.0 {
                    s.sum += g.powi(2);
                    *x -= h.lr * (g / (h.eps + (s.sum + h.initial).sqrt()));
                }
            })
        },
    },
    Variant {
        name: "the-root-is-kept-and-not-the-sum",
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                let root = if t == 1 { h.initial.sqrt() } else { s.sum };
                s.sum = root.hypot(g);
                *x -= h.lr * g / (s.sum + h.eps);
            })
        },
    },
    Variant {
        name: "all-gradients-are-kept",
        start: |case| {
            let h = Hyper::of(case);
            let mut theta = case.start.clone();
            let mut seen: Vec<Vec<f64>> = Vec::new();
            Box::new(move |grad| {
                seen.push(grad.to_vec());
                for i in (0..theta.len()).rev() {
                    let squares = seen.iter().map(|grad| grad[i] * grad[i]);
                    let sum: f64 = h.initial + squares.sum::<f64>();
                    theta[i] -= grad[i] / (sum.sqrt() / h.lr + h.eps / h.lr);
                }
                vec![theta.clone()]
            })
        },
    },
];
