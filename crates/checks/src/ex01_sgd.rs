//! Exercise 01: gradient descent.
//!
//! A case calls `step`, with the setting `lr` and gradients as inputs; `descend`, with the settings `lr`, `curvature` and `coupling`
//! and a number of steps as input; or `largest_stable_lr`, with a list of curvatures as input.
//! What is seen is `theta`, the point that `descend` returns, or the learning rate.

use crate::case::{Case, Frame};
use crate::common::{gradients, scaled, thetas};
use crate::exercise::{Check, Exercise, Mutant, Step, Variant};
use crate::{golden, random::Random};

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex01",
    slug: "ex01-sgd",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// The gradient of a loss, as `descend` is given it.
pub type Gradient<'a> = &'a dyn Fn(&[f64]) -> Vec<f64>;

/// What a learner writes.
#[derive(Clone, Copy)]
pub struct Code {
    /// `step(theta, grad, lr)`: changes `theta`.
    pub step: fn(&mut [f64], &[f64], f64),
    /// `descend(start, gradient, lr, steps)`: the point after so many steps.
    pub descend: fn(&[f64], Gradient<'_>, f64, usize) -> Vec<f64>,
    /// `largest_stable_lr(curvatures)`.
    pub largest_stable_lr: fn(&[f64]) -> f64,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code").finish_non_exhaustive()
    }
}

/// Puts a learner's code through the check of that name.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: Code) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's code as a subject: what a check drives.
pub fn start(code: Code) -> impl Fn(&Case) -> Step + Send + 'static {
    move |case| match case.call {
        STEP => {
            let (mut theta, lr) = (case.start.clone(), case.setting("lr"));
            Box::new(move |grad| {
                (code.step)(&mut theta, grad, lr);
                vec![theta.clone()]
            })
        }
        DESCEND => {
            let (start, bowl, lr) = (case.start.clone(), Bowl::of(case), case.setting("lr"));
            Box::new(move |input| {
                let gradient = |x: &[f64]| bowl.gradient(x);
                let steps = input[0] as usize;
                vec![(code.descend)(&start, &gradient, lr, steps)]
            })
        }
        _ => Box::new(move |curvatures| vec![vec![(code.largest_stable_lr)(curvatures)]]),
    }
}

/// The loss c/2 Σx² + k/2 (Σx)²: a round bowl, with a ravine across the diagonal where k is not 0.
#[derive(Clone, Copy)]
struct Bowl {
    curvature: f64,
    coupling: f64,
}

impl Bowl {
    fn of(case: &Case) -> Self {
        Self {
            curvature: case.setting("curvature"),
            coupling: case.setting("coupling"),
        }
    }

    fn gradient(self, x: &[f64]) -> Vec<f64> {
        let sum: f64 = x.iter().sum();
        x.iter()
            .map(|x| self.curvature * x + self.coupling * sum)
            .collect()
    }

    /// The point after so many steps, from two powers: the mean of the coordinates shrinks with its own curvature, what differs from it with the other.
    fn after(self, start: &[f64], lr: f64, steps: i32) -> Vec<f64> {
        let len = start.len() as f64;
        let mean = start.iter().sum::<f64>() / len;
        let across = (1.0 - lr * (self.curvature + len * self.coupling)).powi(steps);
        let along = (1.0 - lr * self.curvature).powi(steps);
        start
            .iter()
            .map(|x| x * along + mean * (across - along))
            .collect()
    }
}

// --- Checks ---------------------------------------------------------------------------------------------------------

const STEP: &str = "step";
const DESCEND: &str = "descend";
const LARGEST: &str = "largest_stable_lr";

static CHECKS: &[Check] = &[
    Check {
        name: "three_steps_by_hand",
        asked: "With lr 0.1, three steps from (1, -2) go where pencil and paper take them.",
        run: |exam| {
            let grads = vec![vec![2.0, -4.0], vec![-3.0, 1.0], vec![0.5, 0.5]];
            let case = steps("three gradients", 0.1, vec![1.0, -2.0], grads);
            let thetas = [[0.8, -1.6], [1.1, -1.7], [1.05, -1.75]];
            exam.expect(&case, &thetas.map(|theta| vec![theta.to_vec()]))
        },
    },
    Check {
        name: "step_matches_pytorch_and_optax",
        asked: "100 steps of random gradients leave theta where torch.optim.SGD and optax.sgd leave it.",
        run: |exam| {
            for name in ["sgd-torch", "sgd-optax"] {
                let golden = golden::get(name);
                let about = format!("gradients from 1e-6 to 1e6, {name}");
                let lr = golden.setting("lr");
                let case = steps(&about, lr, golden.start.clone(), golden.grads());
                exam.expect(&case, &thetas(&golden))?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_zero_gradient_is_a_fixed_point",
        asked: "Where the gradient is 0, theta stays where it is, to the last bit.",
        run: |exam| {
            let start = vec![3.0, -0.25, 0.0];
            let zeros = vec![vec![0.0; 3]; 4];
            let case = steps("gradients of zero", 0.1, start.clone(), zeros);
            exam.expect(&case, &vec![vec![start]; 4])
        },
    },
    Check {
        name: "any_length_and_any_scale",
        asked: "Theta has moved by -lr times the sum of its gradients, for 0, 1 and more parameters of any size.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for (len, size) in [
                (0, 1.0),
                (1, 1.0),
                (2, 1e90),
                (7, 1e-90),
                (33, 1.0),
                (3, 1e6),
            ] {
                let lr = random.magnitude(-4.0, 1.0).abs();
                let start = scaled(random.vector(len, -1.0, 1.0), size);
                let grads = gradients(&mut random, 20, len, size);
                let expected: Vec<Frame> = (1..=grads.len())
                    .map(|t| {
                        let sum = |i: usize| grads[..t].iter().map(|grad| grad[i]).sum::<f64>();
                        vec![(0..len).map(|i| start[i] - lr * sum(i)).collect()]
                    })
                    .collect();
                let about = format!("{len} parameters, MOMENTS_SEED={}", exam.seed);
                exam.expect(&steps(&about, lr, start, grads), &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "descend_in_a_round_bowl_is_a_power",
        asked: "On f(x) = c/2 x^2, n steps multiply x by (1 - lr * c)^n, whether that shrinks or grows.",
        run: |exam| {
            let bowl = Bowl {
                curvature: 10.0,
                coupling: 0.0,
            };
            // Slow, at once, to and fro, on the edge, and running away.
            for lr in [0.05, 0.1, 0.15, 0.2, 0.21] {
                let case = descents("given: how many steps", bowl, lr, vec![1.0, -2.0]);
                exam.expect(&case, &powers(&case))?;
            }
            Ok(())
        },
    },
    Check {
        name: "descend_asks_for_the_slope_of_the_whole_point",
        asked: "Where parameters are coupled, a step uses the gradient at one point, before any of them moves.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let about = "two coupled parameters, given: how many steps";
            let bowl = Bowl {
                curvature: 1.0,
                coupling: 0.5,
            };
            let case = descents(about, bowl, 0.5, vec![1.0, 0.0]);
            exam.expect(&case, &powers(&case))?;
            for len in [0, 1, 2, 5, 12] {
                let bowl = Bowl {
                    curvature: random.between(0.5, 4.0),
                    coupling: random.between(0.1, 1.0),
                };
                let steepest = bowl.curvature + len as f64 * bowl.coupling;
                let lr = random.between(0.3, 1.8) / steepest;
                let about = format!(
                    "{len} parameters, given: how many steps, MOMENTS_SEED={}",
                    exam.seed
                );
                let case = descents(&about, bowl, lr, random.vector(len, -1.0, 1.0));
                exam.expect(&case, &powers(&case))?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_steepest_direction_sets_the_limit",
        asked: "largest_stable_lr is 2 over the largest curvature, wherever it stands in the list.",
        run: |exam| {
            let lists = [
                vec![10.0],
                vec![1.0, 100.0],
                vec![100.0, 1.0],
                vec![3.0, 8.0, 5.0],
                vec![0.0, 0.5],
            ];
            let limits = [0.2, 0.02, 0.02, 0.25, 4.0];
            let case = curvatures("curvatures by hand", lists.to_vec());
            exam.expect(&case, &limits.map(|lr| vec![vec![lr]]))?;

            let mut random = Random::new(exam.seed);
            for len in [1, 2, 9] {
                let mut list: Vec<_> = (0..len)
                    .map(|_| random.magnitude(-3.0, 3.0).abs())
                    .collect();
                let about = format!("{len} curvatures, MOMENTS_SEED={}", exam.seed);
                let case = curvatures(&about, vec![list.clone()]);
                list.sort_by(f64::total_cmp);
                exam.expect(&case, &[vec![vec![2.0 / list[len - 1]]]])?;
            }
            Ok(())
        },
    },
    Check {
        name: "flat_ground_sets_no_limit_and_a_hilltop_leaves_no_rate",
        asked: "No curvature or only 0 gives infinity; one negative curvature gives 0.",
        run: |exam| {
            let lists = vec![
                vec![2.0],
                vec![],
                vec![0.0],
                vec![0.0, 0.0],
                vec![-3.0],
                vec![4.0, -1.0],
                vec![-5.0, 2.0, 0.0],
            ];
            let limits = [
                1.0,
                f64::INFINITY,
                f64::INFINITY,
                f64::INFINITY,
                0.0,
                0.0,
                0.0,
            ];
            let case = curvatures("flat ground and hilltops", lists);
            exam.expect(&case, &limits.map(|lr| vec![vec![lr]]))
        },
    },
];

fn steps(about: &str, lr: f64, start: Vec<f64>, grads: Vec<Vec<f64>>) -> Case {
    let settings = vec![("lr", lr)];
    Case::given(about, STEP, &["theta"], settings, start, grads)
}

fn descents(about: &str, bowl: Bowl, lr: f64, start: Vec<f64>) -> Case {
    let settings = vec![
        ("lr", lr),
        ("curvature", bowl.curvature),
        ("coupling", bowl.coupling),
    ];
    let counts = [0.0, 1.0, 2.0, 3.0, 10.0, 40.0].map(|n| vec![n]).to_vec();
    Case::given(about, DESCEND, &["theta"], settings, start, counts)
}

fn curvatures(about: &str, lists: Vec<Vec<f64>>) -> Case {
    Case::given(about, LARGEST, &["lr"], Vec::new(), Vec::new(), lists)
}

/// The points of a case of `descend`, from powers.
fn powers(case: &Case) -> Vec<Frame> {
    let (bowl, lr) = (Bowl::of(case), case.setting("lr"));
    let after = |input: &Vec<f64>| vec![bowl.after(&case.start, lr, input[0] as i32)];
    case.inputs().iter().map(after).collect()
}

/// One case for each function, on which every two mutants differ.
fn probes() -> Vec<Case> {
    let mut random = Random::new(1);
    let grads = (0..4).map(|_| random.vector(3, 0.1, 1.0)).collect();
    let start = vec![0.7, -1.1, 0.4];
    let bowl = Bowl {
        curvature: 1.5,
        coupling: 0.6,
    };
    let lists = vec![
        vec![5.0, 0.5, 8.0, 2.0],
        vec![],
        vec![0.0],
        vec![-2.0],
        vec![-7.0, 3.0],
    ];
    vec![
        steps("a probe", 0.3, start.clone(), grads),
        descents("a probe", bowl, 0.4, start),
        curvatures("a probe", lists),
    ]
}

// --- Mutants --------------------------------------------------------------------------------------------------------

const RIGHT: Code = Code {
    step: right_step,
    descend: |start, gradient, lr, steps| walk(start, gradient, steps, |_| lr),
    largest_stable_lr: |curvatures| limit(curvatures, largest),
};

fn right_step(theta: &mut [f64], grad: &[f64], lr: f64) {
    for (x, g) in theta.iter_mut().zip(grad) {
        *x -= lr * g;
    }
}

/// Right but for what `lr` says about the step of that number, the first being 1.
fn walk(
    start: &[f64],
    gradient: Gradient<'_>,
    steps: usize,
    lr: impl Fn(usize) -> f64,
) -> Vec<f64> {
    let mut theta = start.to_vec();
    for t in 1..=steps {
        let grad = gradient(&theta);
        right_step(&mut theta, &grad, lr(t));
    }
    theta
}

/// Right but for the curvature that 2 is divided by.
fn limit(curvatures: &[f64], of: impl Fn(&[f64]) -> f64) -> f64 {
    if curvatures.iter().any(|&c| c < 0.0) {
        0.0
    } else if curvatures.iter().all(|&c| c == 0.0) {
        f64::INFINITY
    } else {
        2.0 / of(curvatures)
    }
}

fn largest(curvatures: &[f64]) -> f64 {
    curvatures.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn smallest(curvatures: &[f64]) -> f64 {
    curvatures.iter().copied().fold(f64::INFINITY, f64::min)
}

/// A mistake in `step` alone.
fn step_of(case: &Case, step: fn(&mut [f64], &[f64], f64)) -> Step {
    start(Code { step, ..RIGHT })(case)
}

/// A mistake in `descend` alone.
fn descend_of(case: &Case, descend: fn(&[f64], Gradient<'_>, f64, usize) -> Vec<f64>) -> Step {
    start(Code { descend, ..RIGHT })(case)
}

/// A mistake in `largest_stable_lr` alone.
fn limit_of(case: &Case, largest_stable_lr: fn(&[f64]) -> f64) -> Step {
    start(Code {
        largest_stable_lr,
        ..RIGHT
    })(case)
}

/// Moves every parameter by what `by` makes of it, its gradient and the rate.
fn each(theta: &mut [f64], grad: &[f64], by: impl Fn(f64, f64) -> f64) {
    for (x, &g) in theta.iter_mut().zip(grad) {
        *x = by(*x, g);
    }
}

const DOWN: &str = "exercises/ex01-sgd.html#against-the-gradient";
const LENGTH: &str = "exercises/ex01-sgd.html#how-long-a-step-is";
const ALL: &str = "exercises/ex01-sgd.html#every-parameter-by-its-own-slope";
const LOOP: &str = "exercises/ex01-sgd.html#step-after-step";
const LIMIT: &str = "exercises/ex01-sgd.html#the-largest-stable-rate";
const FLAT: &str = "exercises/ex01-sgd.html#flat-ground-and-hilltops";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "uphill",
        mistake: "the step is added. The gradient points uphill: subtract it.",
        read: DOWN,
        start: |case| step_of(case, |x, g, lr| each(x, g, |x, g| x + lr * g)),
    },
    Mutant {
        name: "nothing-moves",
        mistake: "theta stays as it is: a copy was changed. Write through the mutable slice.",
        read: DOWN,
        start: |case| step_of(case, |_, _, _| {}),
    },
    Mutant {
        name: "step-in-place-of-theta",
        mistake: "theta becomes the step itself. The step is subtracted from where theta was.",
        read: DOWN,
        start: |case| step_of(case, |x, g, lr| each(x, g, |_, g| -lr * g)),
    },
    Mutant {
        name: "theta-times-the-gradient",
        mistake: "theta is multiplied by 1 - lr * g. The gradient is subtracted whatever theta is.",
        read: DOWN,
        start: |case| step_of(case, |x, g, lr| each(x, g, |x, g| x * (1.0 - lr * g))),
    },
    Mutant {
        name: "lr-forgotten",
        mistake: "the learning rate is missing: the step is the gradient itself.",
        read: LENGTH,
        start: |case| step_of(case, |x, g, _| each(x, g, |x, g| x - g)),
    },
    Mutant {
        name: "lr-squared",
        mistake: "the learning rate is multiplied in twice.",
        read: LENGTH,
        start: |case| step_of(case, |x, g, lr| each(x, g, |x, g| x - lr * lr * g)),
    },
    Mutant {
        name: "divided-by-lr",
        mistake: "the gradient is divided by the learning rate. A small rate makes a small step: multiply.",
        read: LENGTH,
        start: |case| step_of(case, |x, g, lr| each(x, g, |x, g| x - g / lr)),
    },
    Mutant {
        name: "sign-of-the-gradient",
        mistake: "only the sign of the gradient is used. A flat slope takes a short step: the size counts too.",
        read: LENGTH,
        start: |case| step_of(case, |x, g, lr| each(x, g, |x, g| x - lr * g.signum())),
    },
    Mutant {
        name: "gradient-normalised",
        mistake: "the gradient is divided by its norm, so that every step has the length lr. It is used as it is.",
        read: LENGTH,
        start: |case| {
            step_of(case, |x, grad, lr| {
                let norm = grad
                    .iter()
                    .fold(0.0f64, |norm: f64, &g| f64::hypot(norm, g));
                each(x, grad, |x, g| x - lr * (g / norm));
            })
        },
    },
    Mutant {
        name: "divided-by-the-number-of-parameters",
        mistake: "the step is divided by the number of parameters. The mean is over examples, and is in the gradient already.",
        read: ALL,
        start: |case| {
            step_of(case, |x, grad, lr| {
                each(x, grad, |x, g| x - lr * g / grad.len() as f64);
            })
        },
    },
    Mutant {
        name: "mean-of-the-gradients",
        mistake: "every parameter moves by the mean of all gradients. Each moves by its own.",
        read: ALL,
        start: |case| {
            step_of(case, |x, grad, lr| {
                let mean = grad.iter().sum::<f64>() / grad.len() as f64;
                each(x, grad, |x, _| x - lr * mean);
            })
        },
    },
    Mutant {
        name: "first-gradient-for-all",
        mistake: "every parameter moves by the gradient of the first. Each moves by its own.",
        read: ALL,
        start: |case| {
            step_of(case, |x, grad, lr| {
                each(x, grad, |x, _| x - lr * grad[0]);
            })
        },
    },
    Mutant {
        name: "only-the-first-parameter",
        mistake: "only the first parameter moves.",
        read: ALL,
        start: |case| {
            step_of(case, |x, grad, lr| {
                let one = x.len().min(1);
                right_step(&mut x[..one], grad, lr);
            })
        },
    },
    Mutant {
        name: "the-last-parameter-left-out",
        mistake: "the last parameter never moves: the loop ends one too early.",
        read: ALL,
        start: |case| {
            step_of(case, |x, grad, lr| {
                let most = x.len().saturating_sub(1);
                right_step(&mut x[..most], grad, lr);
            })
        },
    },
    Mutant {
        name: "descend-uphill",
        mistake: "`descend` adds its steps. It subtracts them, as `step` does.",
        read: DOWN,
        start: |case| descend_of(case, |x, f, lr, n| walk(x, f, n, |_| -lr)),
    },
    Mutant {
        name: "the-first-gradient-at-every-step",
        mistake: "`descend` takes the gradient once, at the start. The slope changes: ask for it before every step.",
        read: LOOP,
        start: |case| descend_of(case, |x, f, lr, n| walk(x, &|_| f(x), n, |_| lr)),
    },
    Mutant {
        name: "only-one-step",
        mistake: "`descend` takes one step, however many are asked for.",
        read: LOOP,
        start: |case| descend_of(case, |x, f, lr, n| walk(x, f, n.min(1), |_| lr)),
    },
    Mutant {
        name: "returns-the-start",
        mistake: "`descend` returns the point where it started.",
        read: LOOP,
        start: |case| descend_of(case, |x, _, _, _| x.to_vec()),
    },
    Mutant {
        name: "one-step-too-many",
        mistake: "`descend` takes one step more than it is asked for.",
        read: LOOP,
        start: |case| descend_of(case, |x, f, lr, n| walk(x, f, n + 1, |_| lr)),
    },
    Mutant {
        name: "one-step-too-few",
        mistake: "`descend` takes one step less than it is asked for.",
        read: LOOP,
        start: |case| descend_of(case, |x, f, lr, n| walk(x, f, n.saturating_sub(1), |_| lr)),
    },
    Mutant {
        name: "a-falling-rate",
        mistake: "`descend` divides the rate by the number of the step. Here the rate stays the same.",
        read: LOOP,
        start: |case| descend_of(case, |x, f, lr, n| walk(x, f, n, |t| lr / t as f64)),
    },
    Mutant {
        name: "the-gradient-after-the-step",
        mistake: "`descend` uses the gradient at the point that a step would reach. It uses the one where it stands.",
        read: LOOP,
        start: |case| {
            descend_of(case, |start, gradient, lr, steps| {
                let ahead = |x: &[f64]| gradient(&walk(x, gradient, 1, |_| lr));
                walk(start, &ahead, steps, |_| lr)
            })
        },
    },
    Mutant {
        name: "one-parameter-at-a-time",
        mistake: "`descend` takes a new gradient after each parameter. Take one for the whole step, then move all.",
        read: LOOP,
        start: |case| {
            descend_of(case, |start, gradient, lr, steps| {
                let mut theta = start.to_vec();
                for _ in 0..steps {
                    for i in 0..theta.len() {
                        theta[i] -= lr * gradient(&theta)[i];
                    }
                }
                theta
            })
        },
    },
    Mutant {
        name: "one-over-the-largest",
        mistake: "1 / L is the rate that reaches the bottom at once. Steps stay stable up to twice that.",
        read: LIMIT,
        start: |case| limit_of(case, |list| limit(list, |list| 2.0 * largest(list))),
    },
    Mutant {
        name: "the-smallest-curvature",
        mistake: "2 is divided by the smallest curvature. The largest one is the first to run away.",
        read: LIMIT,
        start: |case| limit_of(case, |list| limit(list, smallest)),
    },
    Mutant {
        name: "the-mean-curvature",
        mistake: "2 is divided by the mean of the curvatures. The largest alone sets the limit.",
        read: LIMIT,
        start: |case| {
            limit_of(case, |list| {
                limit(list, |list| list.iter().sum::<f64>() / list.len() as f64)
            })
        },
    },
    Mutant {
        name: "the-sum-of-curvatures",
        mistake: "2 is divided by the sum of the curvatures. That is safe, but the largest alone sets the limit.",
        read: LIMIT,
        start: |case| limit_of(case, |list| limit(list, |list| list.iter().sum())),
    },
    Mutant {
        name: "the-fastest-rate",
        mistake: "2 / (largest + smallest) is the rate that is fastest in the worst direction. The limit is 2 / largest.",
        read: LIMIT,
        start: |case| {
            limit_of(case, |list| {
                limit(list, |list| largest(list) + smallest(list))
            })
        },
    },
    Mutant {
        name: "the-first-curvature",
        mistake: "2 is divided by the first curvature in the list. Look for the largest.",
        read: LIMIT,
        start: |case| limit_of(case, |list| limit(list, |list| list[0])),
    },
    Mutant {
        name: "upside-down",
        mistake: "half of the largest curvature: the fraction is upside down.",
        read: LIMIT,
        start: |case| limit_of(case, |list| limit(list, |list| 4.0 / largest(list))),
    },
    Mutant {
        name: "curvature-squared",
        mistake: "2 is divided by the square of the largest curvature.",
        read: LIMIT,
        start: |case| limit_of(case, |list| limit(list, |list| largest(list).powi(2))),
    },
    Mutant {
        name: "a-hilltop-ignored",
        mistake: "a negative curvature is passed over. Along it every rate above 0 leads away: the limit is 0.",
        read: FLAT,
        start: |case| {
            limit_of(case, |list| {
                let positive: Vec<_> = list.iter().copied().filter(|&c| c > 0.0).collect();
                limit(&positive, largest)
            })
        },
    },
    Mutant {
        name: "the-size-of-a-curvature",
        mistake: "the sign of a curvature is dropped. A hilltop is no valley: along it every rate above 0 leads away.",
        read: FLAT,
        start: |case| {
            limit_of(case, |list| {
                let sizes: Vec<_> = list.iter().map(|c| c.abs()).collect();
                limit(&sizes, largest)
            })
        },
    },
    Mutant {
        name: "nothing-but-the-fraction",
        mistake: "2 / largest is taken whatever the list holds. An empty list gives infinity, a negative curvature 0.",
        read: FLAT,
        start: |case| limit_of(case, |list| 2.0 / largest(list)),
    },
    Mutant {
        name: "a-negative-rate",
        mistake: "where all curvatures are negative the limit comes out negative. A rate is 0 or more.",
        read: FLAT,
        start: |case| {
            limit_of(case, |list| {
                if largest(list) < 0.0 && !list.is_empty() {
                    2.0 / largest(list)
                } else {
                    limit(list, largest)
                }
            })
        },
    },
    Mutant {
        name: "nothing-gives-zero",
        mistake: "an empty list gives 0. Where nothing curves, nothing sets a limit: infinity.",
        read: FLAT,
        start: |case| {
            limit_of(case, |list| {
                if list.is_empty() {
                    0.0
                } else {
                    limit(list, largest)
                }
            })
        },
    },
    Mutant {
        name: "flat-ground-gives-zero",
        mistake: "curvatures of 0, and none at all, give 0. Where nothing curves, nothing sets a limit: infinity.",
        read: FLAT,
        start: |case| {
            limit_of(case, |list| {
                if list.iter().all(|&c| c == 0.0) {
                    0.0
                } else {
                    limit(list, largest)
                }
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-task",
        start: |case| start(RIGHT)(case),
    },
    Variant {
        name: "fused-and-backwards",
        start: |case| {
            start(Code {
                step: |theta, grad, lr| {
                    for i in (0..theta.len()).rev() {
                        theta[i] = (-lr).mul_add(grad[i], theta[i]);
                    }
                },
                descend: |start, gradient, lr, steps| {
                    (0..steps).fold(start.to_vec(), |theta, _| {
                        let grad = gradient(&theta);
                        theta.iter().zip(&grad).map(|(x, g)| x - lr * g).collect()
                    })
                },
                largest_stable_lr: |curvatures| {
                    let limits = curvatures
                        .iter()
                        .map(|&c| if c < 0.0 { 0.0 } else { 2.0 / c });
                    limits.fold(f64::INFINITY, f64::min)
                },
            })(case)
        },
    },
    Variant {
        name: "a-new-vector-and-recursion",
        start: |case| {
            fn further(theta: Vec<f64>, gradient: Gradient<'_>, lr: f64, steps: usize) -> Vec<f64> {
                if steps == 0 {
                    return theta;
                }
                let step = scaled(gradient(&theta), -lr);
                let next = theta.iter().zip(step).map(|(x, step)| x + step).collect();
                further(next, gradient, lr, steps - 1)
            }
            start(Code {
                step: |theta, grad, lr| {
                    let step = scaled(grad.to_vec(), lr);
                    let moved: Vec<_> = theta.iter().zip(step).map(|(x, step)| x - step).collect();
                    theta.copy_from_slice(&moved);
                },
                descend: |start, gradient, lr, steps| further(start.to_vec(), gradient, lr, steps),
                largest_stable_lr: |curvatures| {
                    let mut sorted = curvatures.to_vec();
                    sorted.sort_by(f64::total_cmp);
                    match (sorted.first(), sorted.last()) {
                        (Some(&low), _) if low < 0.0 => 0.0,
                        (_, Some(&high)) if high > 0.0 => high.recip() * 2.0,
                        _ => f64::INFINITY,
                    }
                },
            })(case)
        },
    },
];
