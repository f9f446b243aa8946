//! Exercise 02: momentum, in both conventions, and Nesterov's.
//!
//! A case calls `Momentum::step`; its settings are `beta`, `average` and `nesterov` (0 or 1).
//! An input is the learning rate of the step and then the gradient; what is seen after a step is `theta`.

use crate::case::{Case, Frame};
use crate::common::{flag, gradients, thetas};
use crate::exercise::{Check, Exam, Exercise, Mutant, Step, Variant};
use crate::golden::{self, Golden};
use crate::random::Random;

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex02",
    slug: "ex02-momentum",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// The hyperparameters of momentum, but for the learning rate, which every step is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hyper {
    /// The fraction of the velocity that is kept.
    pub beta: f64,
    /// Whether the velocity is an average of the gradients and not a sum.
    pub average: bool,
    /// Whether the step looks ahead, as Nesterov's.
    pub nesterov: bool,
}

impl Hyper {
    fn of(case: &Case) -> Self {
        Self {
            beta: case.setting("beta"),
            average: flag(case, "average"),
            nesterov: flag(case, "nesterov"),
        }
    }

    /// What a gradient counts in the velocity.
    fn weight(&self) -> f64 {
        if self.average { 1.0 - self.beta } else { 1.0 }
    }
}

/// A learner's optimizer that has been set up: it takes the learning rate of the step, the parameters and their gradients.
pub type Optimizer = Box<dyn FnMut(f64, &mut [f64], &[f64])>;

/// Puts a learner's momentum through the check of that name.
///
/// `code` sets the optimizer up for so many parameters with the hyperparameters given.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: fn(usize, Hyper) -> Optimizer) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's momentum as a subject: what a check drives.
pub fn start(code: fn(usize, Hyper) -> Optimizer) -> impl Fn(&Case) -> Step + Send + 'static {
    move |case| {
        let mut theta = case.start.clone();
        let mut step = code(theta.len(), Hyper::of(case));
        Box::new(move |input| {
            step(input[0], &mut theta, &input[1..]);
            vec![theta.clone()]
        })
    }
}

// --- Checks ---------------------------------------------------------------------------------------------------------

const FORMS: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

static CHECKS: &[Check] = &[
    Check {
        name: "a_constant_gradient_builds_up_speed",
        asked: "With lr 1, beta 0.9 and gradients of 0.12, the four steps are the velocities: 0.12, 0.228, 0.3252, 0.41268.",
        run: |exam| {
            let case = case(
                "gradients of 0.12",
                HEAVY,
                vec![0.0],
                1.0,
                vec![vec![0.12]; 4],
            );
            let mut theta = 0.0;
            let expected: Vec<Frame> = [0.12, 0.228, 0.3252, 0.41268]
                .map(|velocity| {
                    theta -= velocity;
                    vec![vec![theta]]
                })
                .to_vec();
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "the_average_never_exceeds_the_gradient",
        asked: "As an average the velocity is (1 - beta^t) * g while g stays: 0.041268 after four gradients of 0.12.",
        run: |exam| {
            let grad = vec![0.12, -3.0];
            let grads = vec![grad.clone(); 60];
            let case = case("gradients that stay", AVERAGE, vec![0.0; 2], 1.0, grads);
            let mut theta = vec![0.0; 2];
            let expected: Vec<Frame> = (1..=60)
                .map(|t| {
                    for (theta, g) in theta.iter_mut().zip(&grad) {
                        *theta -= (1.0 - 0.9f64.powi(t)) * g;
                    }
                    vec![theta.clone()]
                })
                .collect();
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "nesterov_takes_the_velocity_one_step_further",
        asked: "Nesterov's step is beta * v + (the share of g in v), with the v of this step: first 0.228, then 0.3252.",
        run: |exam| {
            for hyper in [
                Hyper {
                    nesterov: true,
                    ..HEAVY
                },
                Hyper {
                    nesterov: true,
                    ..AVERAGE
                },
            ] {
                let grads = vec![vec![0.12]; 6];
                let expected = unrolled(hyper, &[0.0], &[1.0; 6], &grads);
                exam.expect(
                    &case("gradients of 0.12", hyper, vec![0.0], 1.0, grads),
                    &expected,
                )?;
            }
            Ok(())
        },
    },
    Check {
        name: "momentum_matches_pytorch_and_optax",
        asked: "100 random gradients leave theta where torch.optim.SGD and optax.sgd leave it, with and without nesterov.",
        run: |exam| {
            for name in [
                "sgd-momentum-torch",
                "sgd-nesterov-torch",
                "sgd-momentum-optax",
                "sgd-nesterov-optax",
            ] {
                recorded(exam, &golden::get(name), false)?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_average_matches_optax",
        asked: "40 random gradients leave theta where optax.ema and a learning rate leave it.",
        run: |exam| recorded(exam, &golden::get("sgd-average-optax"), true),
    },
    Check {
        name: "a_new_learning_rate_holds_at_once",
        asked: "The velocity is made of gradients: lr multiplies the step that is taken, not what is kept.",
        run: |exam| {
            let rates = [1.0, 1.0, 0.1, 0.1, 2.0, 0.0, 0.5];
            let grads = vec![vec![1.0, -2.0]; rates.len()];
            for (average, nesterov) in FORMS {
                let hyper = Hyper {
                    beta: 0.9,
                    average,
                    nesterov,
                };
                let expected = unrolled(hyper, &[0.0; 2], &rates, &grads);
                let mut case = case(
                    "lr 1, 1, 0.1, 0.1, 2, 0, 0.5",
                    hyper,
                    vec![0.0; 2],
                    1.0,
                    grads.clone(),
                );
                set_rates(&mut case, &rates);
                exam.expect(&case, &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "what_rolls_rolls_on",
        asked: "After one gradient and then zeros, theta goes on: the steps shrink by beta and add up to g / (1 - beta).",
        run: |exam| {
            let mut grads = vec![vec![0.0, 0.0]; 40];
            grads[0] = vec![-3.0, 0.5];
            for (average, nesterov) in FORMS {
                let hyper = Hyper {
                    beta: 0.75,
                    average,
                    nesterov,
                };
                let expected = unrolled(hyper, &[1.0, 0.0], &[0.5; 40], &grads);
                exam.expect(
                    &case(
                        "one gradient, then zeros",
                        hyper,
                        vec![1.0, 0.0],
                        0.5,
                        grads.clone(),
                    ),
                    &expected,
                )?;
            }
            Ok(())
        },
    },
    Check {
        name: "without_beta_it_is_gradient_descent",
        asked: "With beta = 0 every form takes the step lr * g; with no gradient at all theta stays where it is.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let grads = gradients(&mut random, 8, 3, 2.0);
            let about = format!("beta 0, MOMENTS_SEED={}", exam.seed);
            for (average, nesterov) in FORMS {
                let hyper = Hyper {
                    beta: 0.0,
                    average,
                    nesterov,
                };
                let mut theta = [0.5, -1.0, 2.0];
                let expected: Vec<Frame> = grads
                    .iter()
                    .map(|grad| {
                        for (theta, g) in theta.iter_mut().zip(grad) {
                            *theta -= 0.25 * g;
                        }
                        vec![theta.to_vec()]
                    })
                    .collect();
                exam.expect(
                    &case(&about, hyper, vec![0.5, -1.0, 2.0], 0.25, grads.clone()),
                    &expected,
                )?;
                let still = Hyper {
                    beta: 0.9,
                    average,
                    nesterov,
                };
                let zeros = vec![vec![0.0; 2]; 4];
                let at = vec![vec![vec![0.3, -7.0]]; 4];
                exam.expect(
                    &case("gradients of zero", still, vec![0.3, -7.0], 0.25, zeros),
                    &at,
                )?;
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
                let (average, nesterov) = FORMS[round % 4];
                let hyper = Hyper {
                    beta: random.between(0.2, 0.99),
                    average,
                    nesterov,
                };
                let scale = random.magnitude(-80.0, 80.0);
                let grads = gradients(&mut random, 25, len, scale);
                let rates: Vec<f64> = (0..25).map(|_| random.between(0.0, 2.0)).collect();
                // A start of the size of the steps, so that neither drowns in the other.
                let start: Vec<f64> = random
                    .vector(len, -1.0, 1.0)
                    .iter()
                    .map(|x| x * scale)
                    .collect();
                let expected = unrolled(hyper, &start, &rates, &grads);
                let about = format!("{len} parameters, MOMENTS_SEED={}", exam.seed);
                let mut case = case(&about, hyper, start, 1.0, grads);
                set_rates(&mut case, &rates);
                exam.expect(&case, &expected)?;
            }
            Ok(())
        },
    },
];

const HEAVY: Hyper = Hyper {
    beta: 0.9,
    average: false,
    nesterov: false,
};

const AVERAGE: Hyper = Hyper {
    average: true,
    ..HEAVY
};

fn case(about: &str, hyper: Hyper, start: Vec<f64>, lr: f64, grads: Vec<Vec<f64>>) -> Case {
    let settings = vec![
        ("beta", hyper.beta),
        ("average", f64::from(hyper.average)),
        ("nesterov", f64::from(hyper.nesterov)),
    ];
    let inputs = grads.into_iter().map(|grad| [vec![lr], grad].concat());
    let about = format!("{about}, given as lr and g");
    Case::given(
        about,
        "Momentum::step",
        &["theta"],
        settings,
        start,
        inputs.collect(),
    )
}

fn set_rates(case: &mut Case, rates: &[f64]) {
    if let crate::case::Feed::Given(inputs) = &mut case.feed {
        for (input, &lr) in inputs.iter_mut().zip(rates) {
            input[0] = lr;
        }
    }
}

fn recorded(exam: &Exam<'_>, golden: &Golden, average: bool) -> crate::Verdict {
    let hyper = Hyper {
        beta: golden.setting("momentum"),
        average,
        nesterov: golden.setting("nesterov") != 0.0,
    };
    let about = "gradients from 1e-6 to 1e6";
    let case = case(
        about,
        hyper,
        golden.start.clone(),
        golden.setting("lr"),
        golden.grads(),
    );
    exam.expect(&case, &thetas(golden))
}

/// Cases on which every two mutants differ: each form, with a learning rate that changes.
fn probes() -> Vec<Case> {
    let mut random = Random::new(2);
    let probe = |(average, nesterov)| {
        let hyper = Hyper {
            beta: 0.8,
            average,
            nesterov,
        };
        let mut grads = gradients(&mut random, 12, 3, 1.0);
        grads[7] = vec![0.0, 0.5, 0.0];
        let mut case = case("a probe", hyper, random.vector(3, -1.0, 1.0), 1.0, grads);
        let rates: Vec<f64> = (0..12).map(|t| 0.3 / (1.0 + f64::from(t))).collect();
        set_rates(&mut case, &rates);
        case
    };
    FORMS.into_iter().map(probe).collect()
}

/// Where momentum goes, from the velocity as a weighted sum of all gradients so far, with no recurrence.
fn unrolled(hyper: Hyper, start: &[f64], rates: &[f64], grads: &[Vec<f64>]) -> Vec<Frame> {
    let mut theta = start.to_vec();
    let step = |t: usize| {
        for (i, theta) in theta.iter_mut().enumerate() {
            // `age` is how many steps ago a gradient came.
            let velocity: f64 = grads[..t]
                .iter()
                .rev()
                .enumerate()
                .map(|(age, grad)| hyper.beta.powi(age as i32) * hyper.weight() * grad[i])
                .sum();
            let direction = if hyper.nesterov {
                hyper.beta * velocity + hyper.weight() * grads[t - 1][i]
            } else {
                velocity
            };
            *theta -= rates[t - 1] * direction;
        }
        vec![theta.clone()]
    };
    (1..=grads.len()).map(step).collect()
}

// --- Mutants --------------------------------------------------------------------------------------------------------

/// What an implementation keeps of one parameter.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    velocity: f64,
    t: i32,
    first_lr: f64,
}

/// An implementation that treats each parameter by itself: `rule` takes the hyperparameters, the learning rate, the parameter, its state and its gradient.
fn each(case: &Case, rule: fn(&Hyper, f64, &mut f64, &mut State, f64)) -> Step {
    let hyper = Hyper::of(case);
    let mut theta = case.start.clone();
    let mut states = vec![State::default(); theta.len()];
    Box::new(move |input| {
        for ((theta, state), &g) in theta.iter_mut().zip(&mut states).zip(&input[1..]) {
            state.t += 1;
            rule(&hyper, input[0], theta, state, g);
        }
        vec![theta.clone()]
    })
}

impl Hyper {
    /// The velocity after a gradient.
    fn moved(&self, velocity: f64, g: f64) -> f64 {
        self.beta * velocity + self.weight() * g
    }

    /// What a step takes, given the velocity after its gradient.
    fn direction(&self, velocity: f64, g: f64) -> f64 {
        if self.nesterov {
            self.beta * velocity + self.weight() * g
        } else {
            velocity
        }
    }
}

const SPEED: &str = "exercises/ex02-momentum.html#a-sum-that-fades";
const TWO: &str = "exercises/ex02-momentum.html#two-conventions";
const AHEAD: &str = "exercises/ex02-momentum.html#looking-ahead";
const RATE: &str = "exercises/ex02-momentum.html#where-the-learning-rate-stands";
const OWN: &str = "exercises/ex02-momentum.html#a-velocity-for-each-parameter";

/// A mistake in the velocity alone: the new velocity from the hyperparameters, the old one, the gradient and the step.
macro_rules! velocity {
    (|$h:ident, $v:ident, $g:ident, $t:ident| $new:expr) => {
        |case| {
            each(case, |$h, lr, x, s, $g| {
                let ($v, $t) = (s.velocity, s.t);
                let _ = $t;
                s.velocity = $new;
                *x -= lr * $h.direction(s.velocity, $g);
            })
        }
    };
}

/// A mistake in the direction alone, given the new velocity.
macro_rules! direction {
    (|$h:ident, $v:ident, $g:ident| $direction:expr) => {
        |case| {
            each(case, |$h, lr, x, s, $g| {
                s.velocity = $h.moved(s.velocity, $g);
                let $v = s.velocity;
                *x -= lr * $direction;
            })
        }
    };
}

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "uphill",
        mistake: "the step is added. It goes against the velocity: subtract it.",
        read: SPEED,
        start: direction!(|h, v, g| -h.direction(v, g)),
    },
    Mutant {
        name: "no-velocity",
        mistake: "the velocity is lost after each step. It is state: keep it in the struct.",
        read: SPEED,
        start: velocity!(|h, _v, g, _t| h.moved(0.0, g)),
    },
    Mutant {
        name: "nothing-fades",
        mistake: "the old velocity is kept whole. It fades by beta at each step.",
        read: SPEED,
        start: velocity!(|h, v, g, _t| v + h.weight() * g),
    },
    Mutant {
        name: "beta-ignored",
        mistake: "beta is a fixed 0.9. Use the one that `new` was given.",
        read: SPEED,
        start: |case| {
            let mut case = case.clone();
            for (name, value) in &mut case.settings {
                if *name == "beta" {
                    *value = 0.9;
                }
            }
            each(&case, |h, lr, x, s, g| {
                s.velocity = h.moved(s.velocity, g);
                *x -= lr * h.direction(s.velocity, g);
            })
        },
    },
    Mutant {
        name: "old-velocity-used",
        mistake: "the step takes the velocity from before this gradient. The gradient enters first.",
        read: SPEED,
        start: |case| {
            each(case, |h, lr, x, s, g| {
                *x -= lr * h.direction(s.velocity, g);
                s.velocity = h.moved(s.velocity, g);
            })
        },
    },
    Mutant {
        name: "gradient-fades-at-once",
        mistake: "the gradient is multiplied by beta as well: beta * (v + g). Only the old velocity fades.",
        read: SPEED,
        start: velocity!(|h, v, g, _t| h.beta * (v + h.weight() * g)),
    },
    Mutant {
        name: "gradient-counted-twice",
        mistake: "the gradient is in the velocity, and is added to the step once more. Without nesterov the step is the velocity alone.",
        read: SPEED,
        start: direction!(|h, v, g| if h.nesterov {
            h.direction(v, g)
        } else {
            v + h.weight() * g
        }),
    },
    Mutant {
        name: "velocity-subtracted",
        mistake: "the old velocity is subtracted from the gradient. It is added: v = beta * v + g.",
        read: SPEED,
        start: velocity!(|h, v, g, _t| h.weight() * g - h.beta * v),
    },
    Mutant {
        name: "always-the-heavy-ball",
        mistake: "the gradient always enters whole. In the average it has the weight 1 - beta.",
        read: TWO,
        start: |case| forced(case, "average", 0.0),
    },
    Mutant {
        name: "always-the-average",
        mistake: "the gradient always has the weight 1 - beta. In the heavy ball it enters whole.",
        read: TWO,
        start: |case| forced(case, "average", 1.0),
    },
    Mutant {
        name: "conventions-swapped",
        mistake: "the conventions have changed places: HeavyBall takes the gradient whole, Average 1 - beta of it.",
        read: TWO,
        start: |case| {
            let other = if flag(case, "average") { 0.0 } else { 1.0 };
            forced(case, "average", other)
        },
    },
    Mutant {
        name: "weights-swapped",
        mistake: "the average's weights have changed places: beta belongs to the old velocity, 1 - beta to the gradient.",
        read: TWO,
        start: velocity!(|h, v, g, _t| if h.average {
            (1.0 - h.beta) * v + h.beta * g
        } else {
            h.moved(v, g)
        }),
    },
    Mutant {
        name: "average-starts-at-the-first-gradient",
        mistake: "the average takes over the first gradient whole, as PyTorch does with dampening. Here it starts at 0.",
        read: TWO,
        start: velocity!(|h, v, g, t| if h.average && t == 1 {
            g
        } else {
            h.moved(v, g)
        }),
    },
    Mutant {
        name: "average-corrected",
        mistake: "the average is divided by 1 - beta^t, as in Adam. Momentum is not corrected.",
        read: TWO,
        start: |case| {
            each(case, |h, lr, x, s, g| {
                s.velocity = h.moved(s.velocity, g);
                let held = if h.average {
                    1.0 - h.beta.powi(s.t)
                } else {
                    1.0
                };
                *x -= lr * h.direction(s.velocity, g) / held;
            })
        },
    },
    Mutant {
        name: "nesterov-ignored",
        mistake: "`nesterov` makes no difference. With it the step is beta * v and the gradient's share.",
        read: AHEAD,
        start: |case| forced(case, "nesterov", 0.0),
    },
    Mutant {
        name: "always-nesterov",
        mistake: "every step looks ahead. It does so only where `nesterov` is set.",
        read: AHEAD,
        start: |case| forced(case, "nesterov", 1.0),
    },
    Mutant {
        name: "nesterov-without-the-gradient",
        mistake: "Nesterov's step is beta * v alone. The gradient's share is added to it.",
        read: AHEAD,
        start: direction!(|h, v, g| if h.nesterov {
            h.beta * v
        } else {
            h.direction(v, g)
        }),
    },
    Mutant {
        name: "nesterov-with-the-velocity-whole",
        mistake: "Nesterov's step is v and the gradient. The velocity fades once more: beta * v.",
        read: AHEAD,
        start: direction!(|h, v, g| if h.nesterov {
            v + h.weight() * g
        } else {
            h.direction(v, g)
        }),
    },
    Mutant {
        name: "nesterov-takes-the-gradient-whole",
        mistake: "in the average, Nesterov's step takes the gradient whole. It has its share there too, 1 - beta.",
        read: AHEAD,
        start: direction!(|h, v, g| if h.nesterov {
            h.beta * v + g
        } else {
            h.direction(v, g)
        }),
    },
    Mutant {
        name: "nesterov-kept",
        mistake: "what looks ahead is kept as the velocity. Keep v itself, and look ahead with a copy.",
        read: AHEAD,
        start: |case| {
            each(case, |h, lr, x, s, g| {
                s.velocity = h.moved(s.velocity, g);
                let ahead = h.direction(s.velocity, g);
                s.velocity = ahead;
                *x -= lr * ahead;
            })
        },
    },
    Mutant {
        name: "lr-in-the-velocity",
        mistake: "lr is taken into the velocity, so that old steps keep their old rate. It multiplies the step.",
        read: RATE,
        start: |case| {
            each(case, |h, lr, x, s, g| {
                s.velocity = h.moved(s.velocity, lr * g);
                *x -= h.direction(s.velocity, lr * g);
            })
        },
    },
    Mutant {
        name: "lr-twice",
        mistake: "lr is taken into the velocity and multiplies the step too: it counts twice.",
        read: RATE,
        start: |case| {
            each(case, |h, lr, x, s, g| {
                s.velocity = h.moved(s.velocity, lr * g);
                *x -= lr * h.direction(s.velocity, lr * g);
            })
        },
    },
    Mutant {
        name: "first-lr-kept",
        mistake: "the lr of the first step is used for all of them. Read it at each step: it may have been changed.",
        read: RATE,
        start: |case| {
            each(case, |h, lr, x, s, g| {
                if s.t == 1 {
                    s.first_lr = lr;
                }
                s.velocity = h.moved(s.velocity, g);
                *x -= s.first_lr * h.direction(s.velocity, g);
            })
        },
    },
    Mutant {
        name: "one-velocity-for-all",
        mistake: "all parameters share one velocity. Each has its own.",
        read: OWN,
        start: |case| {
            let h = Hyper::of(case);
            let (mut theta, mut velocity) = (case.start.clone(), 0.0);
            Box::new(move |input| {
                for (x, &g) in theta.iter_mut().zip(&input[1..]) {
                    velocity = h.moved(velocity, g);
                    *x -= input[0] * h.direction(velocity, g);
                }
                vec![theta.clone()]
            })
        },
    },
    Mutant {
        name: "zero-gradient-skipped",
        mistake: "a parameter whose gradient is 0 is skipped. Its velocity fades all the same, and still moves it.",
        read: OWN,
        start: |case| {
            each(case, |h, lr, x, s, g| {
                if g != 0.0 {
                    s.velocity = h.moved(s.velocity, g);
                    *x -= lr * h.direction(s.velocity, g);
                }
            })
        },
    },
];

/// The right rule with one of its settings replaced.
fn forced(case: &Case, setting: &str, to: f64) -> Step {
    let mut case = case.clone();
    for (name, value) in &mut case.settings {
        if *name == setting {
            *value = to;
        }
    }
    each(&case, |h, lr, x, s, g| {
        s.velocity = h.moved(s.velocity, g);
        *x -= lr * h.direction(s.velocity, g);
    })
}

// --- Variants -------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-task",
        start: |case| forced(case, "none", 0.0),
    },
    Variant {
        name: "the-average-as-a-correction",
        start: |case| {
            each(case, |h, lr, x, s, g| {
                if h.average {
                    s.velocity += (1.0 - h.beta) * (g - s.velocity);
                } else {
                    s.velocity = g + s.velocity * h.beta;
                }
                let mut step = s.velocity;
                if h.nesterov {
                    step = step * h.beta + g * h.weight();
                }
                *x += -lr * step;
            })
        },
    },
    Variant {
        name: "a-velocity-that-points-downhill",
        start: |case| {
            each(case, |h, lr, x, s, g| {
                s.velocity = h.beta * s.velocity - h.weight() * g;
                *x += lr
                    * if h.nesterov {
                        h.beta * s.velocity - h.weight() * g
                    } else {
                        s.velocity
                    };
            })
        },
    },
    Variant {
        name: "the-average-as-a-heavy-ball-with-a-shorter-rate",
        start: |case| {
            each(case, |h, lr, x, s, g| {
                s.velocity = h.beta * s.velocity + g;
                let step = if h.nesterov {
                    h.beta * s.velocity + g
                } else {
                    s.velocity
                };
                *x -= (lr * h.weight()) * step;
            })
        },
    },
    Variant {
        name: "all-gradients-are-kept",
        start: |case| {
            let h = Hyper::of(case);
            let mut theta = case.start.clone();
            let mut seen: Vec<Vec<f64>> = Vec::new();
            Box::new(move |input| {
                seen.push(input[1..].to_vec());
                for (i, x) in theta.iter_mut().enumerate().rev() {
                    let v = seen
                        .iter()
                        .fold(0.0, |v, grad| h.beta * v + h.weight() * grad[i]);
                    *x -= input[0] * h.direction(v, input[1 + i]);
                }
                vec![theta.clone()]
            })
        },
    },
];
