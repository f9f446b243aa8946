//! Exercise 10: SGD with momentum and weight decay, coupled (L2) and decoupled (SGDW).
//!
//! A case calls `Sgd::step` with one of the two decays: [`L2`] or [`DECOUPLED`]. Its settings are `lr`, `momentum` and `weight_decay`.
//! An input is a gradient; what is seen after a step is `theta`, and nothing else, so that any way to keep the state is allowed.

use crate::case::{Case, Frame};
use crate::common::{each, gradients, scaled, thetas};
use crate::exercise::{Check, Exam, Exercise, Mutant, Step, Variant};
use crate::{golden, random::Random};

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex10",
    slug: "ex10-sgdw",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// Where the weight decay goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// Into the gradient, and so into the velocity.
    L2,
    /// Straight to θ.
    Decoupled,
}

/// The call of a case with the coupled decay.
pub const L2: &str = "Sgd::step, Decay::L2";
/// The call of a case with the decoupled decay.
pub const DECOUPLED: &str = "Sgd::step, Decay::Decoupled";

const BOTH: [Decay; 2] = [Decay::Decoupled, Decay::L2];

impl Decay {
    fn call(self) -> &'static str {
        match self {
            Decay::L2 => L2,
            Decay::Decoupled => DECOUPLED,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Decay::L2 => "L2",
            Decay::Decoupled => "decoupled",
        }
    }
}

/// The hyperparameters of SGD.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hyper {
    /// The learning rate.
    pub lr: f64,
    /// The momentum μ.
    pub momentum: f64,
    /// The weight decay.
    pub weight_decay: f64,
    /// Where it goes.
    pub decay: Decay,
}

impl Hyper {
    fn of(case: &Case) -> Self {
        Self {
            lr: case.setting("lr"),
            momentum: case.setting("momentum"),
            weight_decay: case.setting("weight_decay"),
            decay: if case.call == L2 {
                Decay::L2
            } else {
                Decay::Decoupled
            },
        }
    }

    fn settings(self) -> Vec<(&'static str, f64)> {
        vec![
            ("lr", self.lr),
            ("momentum", self.momentum),
            ("weight_decay", self.weight_decay),
        ]
    }
}

/// A learner's optimizer that has been set up: it takes the parameters and their gradients.
pub type Optimizer = Box<dyn FnMut(&mut [f64], &[f64])>;

/// Puts a learner's SGD through the check of that name.
///
/// `code` sets the optimizer up for so many parameters.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: fn(usize, Hyper) -> Optimizer) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's SGD as a subject: what a check drives.
pub fn start(code: fn(usize, Hyper) -> Optimizer) -> impl Fn(&Case) -> Step + Send + 'static {
    move |case| {
        let mut theta = case.start.clone();
        let mut step = code(theta.len(), Hyper::of(case));
        Box::new(move |grad| {
            step(&mut theta, grad);
            vec![theta.clone()]
        })
    }
}

// --- Checks ---------------------------------------------------------------------------------------------------------

static CHECKS: &[Check] = &[
    Check {
        name: "three_steps_by_hand",
        asked: "Three steps from theta = 1 on a gradient of 0.5 go where pencil and paper take them.",
        run: |exam| {
            for (decay, thetas) in [
                (Decay::Decoupled, [0.93, 0.8364, 0.732_172]),
                (Decay::L2, [0.93, 0.8264, 0.708_072]),
            ] {
                let hyper = Hyper {
                    lr: 0.1,
                    momentum: 0.5,
                    weight_decay: 0.2,
                    decay,
                };
                let case = case("a constant gradient", hyper, vec![1.0], vec![vec![0.5]; 3]);
                exam.expect(&case, &thetas.map(|theta| vec![vec![theta]]))?;
            }
            Ok(())
        },
    },
    Check {
        name: "without_momentum_both_decays_are_the_same",
        asked: "With momentum 0, L2 and decoupled decay give the same theta: (1 - lr * wd) theta - lr * g.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let grads = gradients(&mut random, 20, 3, 1.0);
            let start = random.vector(3, -2.0, 2.0);
            for decay in BOTH {
                let hyper = Hyper {
                    lr: 0.1,
                    momentum: 0.0,
                    weight_decay: 0.5,
                    decay,
                };
                let mut theta = start.clone();
                let expected: Vec<Frame> = grads
                    .iter()
                    .map(|grad| {
                        for (theta, g) in theta.iter_mut().zip(grad) {
                            *theta = (1.0 - 0.1 * 0.5) * *theta - 0.1 * g;
                        }
                        vec![theta.clone()]
                    })
                    .collect();
                let about = format!("random gradients, MOMENTS_SEED={}", exam.seed);
                exam.expect(
                    &case(&about, hyper, start.clone(), grads.clone()),
                    &expected,
                )?;
            }
            Ok(())
        },
    },
    Check {
        name: "decoupled_decay_is_a_power_whatever_the_velocity",
        asked: "Decoupled, each step leaves 1 - lr * wd of the old theta, whatever momentum does beside it.",
        run: |exam| {
            let hyper = Hyper {
                lr: 0.5,
                momentum: 0.9,
                weight_decay: 0.04,
                decay: Decay::Decoupled,
            };
            for (about, first) in [("gradients of zero", 0.0), ("one gradient, then zero", 2.0)] {
                let start = vec![3.0, -0.25, 0.0];
                let mut grads = vec![vec![0.0; 3]; 60];
                grads[0] = vec![first; 3];
                let expected = unrolled(hyper, &start, &grads);
                exam.expect(&case(about, hyper, start, grads), &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "l2_matches_pytorch",
        asked: "With Decay::L2, theta goes where torch.optim.SGD(momentum, weight_decay) takes it.",
        run: |exam| recorded(exam, Decay::L2, &golden::get("sgd-weight-decay-torch")),
    },
    Check {
        name: "decoupled_matches_optax",
        asked: "With Decay::Decoupled, theta goes where optax's trace and add_decayed_weights take it.",
        run: |exam| recorded(exam, Decay::Decoupled, &golden::get("sgdw-optax")),
    },
    Check {
        name: "without_decay_both_are_the_heavy_ball",
        asked: "With weight_decay 0, theta is -lr times the sum of all velocities, v = momentum * v + g.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let grads = gradients(&mut random, 20, 3, 1.0);
            for decay in BOTH {
                let hyper = Hyper {
                    lr: 0.1,
                    momentum: 0.8,
                    weight_decay: 0.0,
                    decay,
                };
                let expected = unrolled(hyper, &[0.0; 3], &grads);
                let about = format!("random gradients, MOMENTS_SEED={}", exam.seed);
                exam.expect(&case(&about, hyper, vec![0.0; 3], grads.clone()), &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "theta_and_gradients_scale_together",
        asked: "When theta and all gradients are 1e90 times larger or smaller, so is every later theta.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let grads = gradients(&mut random, 20, 3, 1.0);
            let start = random.vector(3, -2.0, 2.0);
            for decay in BOTH {
                let hyper = Hyper {
                    lr: 0.1,
                    momentum: 0.8,
                    weight_decay: 0.3,
                    decay,
                };
                for scale in [1.0, 1e90, 1e-90] {
                    let start = scaled(start.clone(), scale);
                    let grads: Vec<_> = grads
                        .iter()
                        .map(|grad| scaled(grad.clone(), scale))
                        .collect();
                    let expected = unrolled(hyper, &start, &grads);
                    let about = format!("scale {scale:e}, MOMENTS_SEED={}", exam.seed);
                    exam.expect(&case(&about, hyper, start, grads), &expected)?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "any_length_and_any_settings",
        asked: "Theta follows from the sums of all velocities, for 0, 1 and more parameters.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for (round, len) in [0, 0, 1, 1, 2, 7, 33, 2].into_iter().enumerate() {
                let hyper = Hyper {
                    lr: random.magnitude(-3.0, 0.0).abs(),
                    momentum: random.between(0.0, 0.99),
                    weight_decay: random.magnitude(-3.0, 0.0).abs(),
                    decay: BOTH[round % 2],
                };
                let scale = random.magnitude(-3.0, 3.0);
                let grads = gradients(&mut random, 25, len, scale);
                let start = random.vector(len, -1.0, 1.0);
                let expected = unrolled(hyper, &start, &grads);
                let about = format!("{len} parameters, MOMENTS_SEED={}", exam.seed);
                exam.expect(&case(&about, hyper, start, grads), &expected)?;
            }
            Ok(())
        },
    },
];

fn case(about: &str, hyper: Hyper, start: Vec<f64>, grads: Vec<Vec<f64>>) -> Case {
    Case::given(
        format!("{}, {about}", hyper.decay.name()),
        hyper.decay.call(),
        &["theta"],
        hyper.settings(),
        start,
        grads,
    )
}

fn recorded(exam: &Exam<'_>, decay: Decay, golden: &golden::Golden) -> crate::Verdict {
    let hyper = Hyper {
        lr: golden.setting("lr"),
        momentum: golden.setting("momentum"),
        weight_decay: golden.setting("weight_decay"),
        decay,
    };
    let about = "gradients from 1e-6 to 1e6";
    let case = case(about, hyper, golden.start.clone(), golden.grads());
    exam.expect(&case, &thetas(golden))
}

/// Two cases on which every two mutants differ.
fn probes() -> Vec<Case> {
    let mut random = Random::new(7);
    let mut probe = |decay| {
        let grads = (0..12).map(|_| random.vector(3, -0.5, 1.0)).collect();
        let hyper = Hyper {
            lr: 0.3,
            momentum: 0.7,
            weight_decay: 0.4,
            decay,
        };
        case("a probe", hyper, random.vector(3, 0.5, 2.0), grads)
    };
    BOTH.map(&mut probe).into()
}

/// Where theta goes, without a velocity that is carried along.
///
/// Decoupled, every v is a sum of its own, and θ a sum of these: θ_t = d^t θ_0 − lr Σ d^(t-s) v_s with d = 1 − lr · wd.
/// With L2 it is Polyak's equation in two old positions: θ_(t+1) = θ_t + μ (θ_t − θ_(t-1)) − lr (g + wd θ_t).
fn unrolled(hyper: Hyper, start: &[f64], grads: &[Vec<f64>]) -> Vec<Frame> {
    let Hyper {
        lr,
        momentum,
        weight_decay,
        decay,
    } = hyper;
    let coordinate = |i: usize| -> Vec<f64> {
        match decay {
            Decay::Decoupled => {
                let kept = 1.0 - lr * weight_decay;
                let velocity = |s: usize| {
                    let terms = (0..=s).map(|j| momentum.powi((s - j) as i32) * grads[j][i]);
                    terms.sum::<f64>()
                };
                let velocities: Vec<_> = (0..grads.len()).map(velocity).collect();
                let theta = |t: usize| {
                    let terms = (0..=t).map(|s| kept.powi((t - s) as i32) * velocities[s]);
                    kept.powi(t as i32 + 1) * start[i] - lr * terms.sum::<f64>()
                };
                (0..grads.len()).map(theta).collect()
            }
            Decay::L2 => {
                let (mut older, mut theta) = (start[i], start[i]);
                let mut next = |grad: &Vec<f64>| {
                    let new =
                        theta + momentum * (theta - older) - lr * (grad[i] + weight_decay * theta);
                    (older, theta) = (theta, new);
                    new
                };
                grads.iter().map(&mut next).collect()
            }
        }
    };
    let columns: Vec<_> = (0..start.len()).map(coordinate).collect();
    (0..grads.len())
        .map(|t| vec![columns.iter().map(|column| column[t]).collect()])
        .collect()
}

// --- Mutants --------------------------------------------------------------------------------------------------------

impl Hyper {
    /// The gradient that the velocity takes up.
    fn felt(&self, x: f64, g: f64) -> f64 {
        match self.decay {
            Decay::L2 => g + self.weight_decay * x,
            Decay::Decoupled => g,
        }
    }

    /// What the decoupled decay takes from theta.
    fn taken(&self, x: f64) -> f64 {
        match self.decay {
            Decay::L2 => 0.0,
            Decay::Decoupled => self.lr * self.weight_decay * x,
        }
    }

    /// A step as it should be.
    fn step(&self, x: &mut f64, v: &mut f64, g: f64) {
        *v = self.momentum * *v + self.felt(*x, g);
        *x -= self.lr * *v + self.taken(*x);
    }

    /// A step with another pull in place of θ.
    fn pulled(&self, x: &mut f64, v: &mut f64, g: f64, pull: f64) {
        *v = self.momentum * *v + self.felt(pull, g);
        *x -= self.lr * *v + self.taken(pull);
    }
}

/// Right steps with other hyperparameters.
fn with(case: &Case, change: fn(&mut Hyper)) -> Step {
    let mut hyper = Hyper::of(case);
    change(&mut hyper);
    each(case, hyper, |h, _, x, v: &mut f64, g| h.step(x, v, g))
}

const TWO: &str = "exercises/ex10-sgdw.html#two-places-for-the-decay";
const ORDER: &str = "exercises/ex10-sgdw.html#the-old-theta";
const SCALE: &str = "exercises/ex10-sgdw.html#how-much-decays";
const VELOCITY: &str = "exercises/ex10-sgdw.html#the-velocity";
const STEP: &str = "exercises/ex10-sgdw.html#the-step";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "l2-for-decoupled",
        mistake: "the decay goes through the velocity where it should be decoupled: that is L2. Take lr * wd * theta from theta itself.",
        read: TWO,
        start: |case| with(case, |h| h.decay = Decay::L2),
    },
    Mutant {
        name: "decoupled-for-l2",
        mistake: "the decay passes the velocity by where L2 is asked. Add wd * theta to the gradient before the velocity takes it up.",
        read: TWO,
        start: |case| with(case, |h| h.decay = Decay::Decoupled),
    },
    Mutant {
        name: "decay-in-both-places",
        mistake: "decoupled, theta decays twice: by itself and through the gradient. Only L2 adds wd * theta to the gradient.",
        read: TWO,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                *v = h.momentum * *v + g + h.weight_decay * *x;
                *x -= h.lr * *v + h.taken(*x);
            })
        },
    },
    Mutant {
        name: "no-decay",
        mistake: "nothing decays: weight_decay is not used.",
        read: TWO,
        start: |case| with(case, |h| h.weight_decay = 0.0),
    },
    Mutant {
        name: "velocity-decays",
        mistake: "decoupled, it is the velocity that is multiplied by 1 - lr * wd. The parameters decay, not their velocity.",
        read: TWO,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                *v = h.momentum * *v + h.felt(*x, g);
                *v -= h.taken(*v);
                *x -= h.lr * *v;
            })
        },
    },
    Mutant {
        name: "zero-gradient-skipped",
        mistake: "a parameter whose gradient is 0 is skipped. It decays all the same, and its velocity still moves it.",
        read: TWO,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                if g != 0.0 {
                    h.step(x, v, g);
                }
            })
        },
    },
    Mutant {
        name: "decay-after-the-step",
        mistake: "the decay is of the new theta, after the step. It is of the theta that the step began with.",
        read: ORDER,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                *v = h.momentum * *v + h.felt(*x, g);
                *x -= h.lr * *v;
                *x -= h.taken(*x);
            })
        },
    },
    Mutant {
        name: "decay-without-lr",
        mistake: "the decoupled decay takes wd * theta. It is scaled by the learning rate: lr * wd * theta.",
        read: SCALE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                *v = h.momentum * *v + h.felt(*x, g);
                *x -= h.lr * *v + h.taken(*x) / h.lr;
            })
        },
    },
    Mutant {
        name: "lr-twice",
        mistake: "the decay is multiplied by lr twice: wd * theta is scaled once, with the velocity or by itself.",
        read: SCALE,
        start: |case| with(case, |h| h.weight_decay *= h.lr),
    },
    Mutant {
        name: "growth",
        mistake: "the sign of the decay: theta grows. The decay pulls towards 0.",
        read: SCALE,
        start: |case| with(case, |h| h.weight_decay = -h.weight_decay),
    },
    Mutant {
        name: "wd-squared",
        mistake: "weight_decay is squared, or multiplied in twice.",
        read: SCALE,
        start: |case| with(case, |h| h.weight_decay *= h.weight_decay),
    },
    Mutant {
        name: "l2-doubled",
        mistake: "L2 adds 2 * wd * theta to the gradient. The penalty is wd/2 * theta^2, and its gradient wd * theta.",
        read: SCALE,
        start: |case| {
            with(case, |h| {
                if h.decay == Decay::L2 {
                    h.weight_decay *= 2.0;
                }
            })
        },
    },
    Mutant {
        name: "decay-of-the-square",
        mistake: "the decay is wd * theta^2: the penalty itself, where its gradient wd * theta belongs.",
        read: SCALE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                let pull = *x * *x;
                h.pulled(x, v, g, pull);
            })
        },
    },
    Mutant {
        name: "decay-of-the-sign",
        mistake: "the decay is wd times the sign of theta, as for an L1 penalty. It is in proportion to theta.",
        read: SCALE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                let pull = x.signum();
                h.pulled(x, v, g, pull);
            })
        },
    },
    Mutant {
        name: "decay-as-an-exponential",
        mistake: "decoupled, theta is multiplied by exp(-lr * wd). Close, but the rule has 1 - lr * wd.",
        read: SCALE,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                *v = h.momentum * *v + h.felt(*x, g);
                let kept = (-h.taken(1.0)).exp();
                *x = kept * *x - h.lr * *v;
            })
        },
    },
    Mutant {
        name: "momentum-forgotten",
        mistake: "the velocity starts from 0 at every step. It is state: keep it in the struct.",
        read: VELOCITY,
        start: |case| with(case, |h| h.momentum = 0.0),
    },
    Mutant {
        name: "velocity-as-an-average",
        mistake: "the gradient enters the velocity with the weight 1 - momentum: that is an average. The heavy ball takes it whole.",
        read: VELOCITY,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                *v = h.momentum * *v + (1.0 - h.momentum) * h.felt(*x, g);
                *x -= h.lr * *v + h.taken(*x);
            })
        },
    },
    Mutant {
        name: "nesterov",
        mistake: "theta moves by g + momentum * v: that is Nesterov's form. Here it moves by v.",
        read: VELOCITY,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                let g = h.felt(*x, g);
                *v = h.momentum * *v + g;
                *x -= h.lr * (g + h.momentum * *v) + h.taken(*x);
            })
        },
    },
    Mutant {
        name: "velocity-too-late",
        mistake: "theta moves before the velocity has taken up the gradient of this step.",
        read: VELOCITY,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                let old = *v;
                *v = h.momentum * *v + h.felt(*x, g);
                *x -= h.lr * old + h.taken(*x);
            })
        },
    },
    Mutant {
        name: "one-velocity-for-all",
        mistake: "all parameters share one velocity. Each parameter has its own.",
        read: VELOCITY,
        start: |case| {
            let h = Hyper::of(case);
            let (mut theta, mut v) = (case.start.clone(), 0.0);
            Box::new(move |grad| {
                for (x, &g) in theta.iter_mut().zip(grad) {
                    h.step(x, &mut v, g);
                }
                vec![theta.clone()]
            })
        },
    },
    Mutant {
        name: "ascent",
        mistake: "the sign. lr * v is subtracted: theta goes against the gradient.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                *v = h.momentum * *v + h.felt(*x, g);
                *x += h.lr * *v - h.taken(*x);
            })
        },
    },
    Mutant {
        name: "theta-replaced",
        mistake: "theta is replaced by the update. It is moved by it: subtract from theta.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                *v = h.momentum * *v + h.felt(*x, g);
                *x = -(h.lr * *v + h.taken(*x));
            })
        },
    },
    Mutant {
        name: "momentum-and-decay-swapped",
        mistake: "momentum and weight_decay have changed places, perhaps in Sgd::new, which takes both as f64.",
        read: STEP,
        start: |case| {
            with(case, |h| {
                (h.momentum, h.weight_decay) = (h.weight_decay, h.momentum);
            })
        },
    },
    Mutant {
        name: "lr-and-momentum-swapped",
        mistake: "lr and momentum have changed places, perhaps in Sgd::new, which takes both as f64.",
        read: STEP,
        start: |case| {
            with(case, |h| {
                (h.momentum, h.lr) = (h.lr, h.momentum);
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-task",
        start: |case| with(case, |_| {}),
    },
    Variant {
        name: "theta-shrinks-first",
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                if h.decay == Decay::L2 {
                    *v = *v * h.momentum + (g + *x * h.weight_decay);
                } else {
                    *v = *v * h.momentum + g;
                    *x *= 1.0 - h.lr * h.weight_decay;
                }
                *x += -h.lr * *v;
            })
        },
    },
    Variant {
        name: "lr-inside-the-velocity",
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, v: &mut f64, g| {
                *v = h.momentum * *v - h.lr * h.felt(*x, g);
                *x += *v - h.taken(*x);
            })
        },
    },
    Variant {
        name: "l2-from-two-old-positions",
        start: |case| {
            let h = Hyper::of(case);
            let (mut theta, mut older) = (case.start.clone(), case.start.clone());
            let mut velocity = vec![0.0; theta.len()];
            Box::new(move |grad| {
                let now = theta.clone();
                for i in (0..now.len()).rev() {
                    let pull = h.weight_decay * now[i];
                    theta[i] -= h.lr * (grad[i] + pull);
                    if h.decay == Decay::L2 {
                        theta[i] += h.momentum * (now[i] - older[i]);
                    } else {
                        // The velocity before this gradient; the gradient itself has been applied.
                        theta[i] -= h.lr * h.momentum * velocity[i];
                        velocity[i] = h.momentum * velocity[i] + grad[i];
                    }
                }
                older = now;
                vec![theta.clone()]
            })
        },
    },
    Variant {
        name: "whole-vectors",
        start: |case| {
            let h = Hyper::of(case);
            let mut theta = case.start.clone();
            let mut velocity = vec![0.0; theta.len()];
            Box::new(move |grad| {
                let felt: Vec<f64> = theta
                    .iter()
                    .zip(grad)
                    .map(|(x, g)| h.felt(*x, *g))
                    .collect();
                velocity = velocity
                    .iter()
                    .zip(&felt)
                    .map(|(v, g)| h.momentum * v + g)
                    .collect();
                let kept = 1.0 - h.taken(1.0);
                theta = theta
                    .iter()
                    .zip(&velocity)
                    .map(|(x, v)| kept * x - h.lr * v)
                    .collect();
                vec![theta.clone()]
            })
        },
    },
];
