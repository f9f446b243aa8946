//! Exercise 09: weight decay in Adam, coupled (L2) and decoupled (AdamW).
//!
//! A case calls `Adam::step`, with one or the other decay; its settings are `lr`, `beta1`, `beta2`, `eps` and `weight_decay`,
//! or none for the learner's own defaults.
//! An input is a gradient; what is seen after a step is `theta`.

use crate::case::{Case, Frame};
use crate::common::{self, gradients, thetas};
use crate::exercise::{Check, Exam, Exercise, Mutant, Step, Variant, Verdict};
use crate::{golden, random::Random};

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex09",
    slug: "ex09-adamw",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// The hyperparameters of Adam with weight decay.
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
    /// The weight decay.
    pub weight_decay: f64,
}

/// The defaults of `torch.optim.AdamW`.
const TORCH: Hyper = Hyper {
    lr: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    eps: 1e-8,
    weight_decay: 0.01,
};

/// Settings in which the decay is a visible part of a step.
const VISIBLE: Hyper = Hyper {
    lr: 0.1,
    weight_decay: 0.5,
    ..TORCH
};

impl Hyper {
    fn of(case: &Case) -> Self {
        Self::set(case).unwrap_or(TORCH)
    }

    fn set(case: &Case) -> Option<Self> {
        (!case.settings.is_empty()).then(|| Self {
            lr: case.setting("lr"),
            beta1: case.setting("beta1"),
            beta2: case.setting("beta2"),
            eps: case.setting("eps"),
            weight_decay: case.setting("weight_decay"),
        })
    }

    fn settings(self) -> Vec<(&'static str, f64)> {
        vec![
            ("lr", self.lr),
            ("beta1", self.beta1),
            ("beta2", self.beta2),
            ("eps", self.eps),
            ("weight_decay", self.weight_decay),
        ]
    }
}

/// A learner's optimizer that has been set up: it takes the parameters and their gradients.
pub type Optimizer = Box<dyn FnMut(&mut [f64], &[f64])>;

/// How a learner's optimizer is set up: for so many parameters, with decoupled decay or else L2,
/// and with the hyperparameters given or else with its own defaults.
pub type Code = fn(usize, bool, Option<Hyper>) -> Optimizer;

/// Puts a learner's optimizer through the check of that name.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: Code) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's optimizer as a subject: what a check drives.
pub fn start(code: Code) -> impl Fn(&Case) -> Step + Send + 'static {
    move |case| {
        let mut theta = case.start.clone();
        let mut step = code(theta.len(), case.call == DECOUPLED, Hyper::set(case));
        Box::new(move |grad| {
            step(&mut theta, grad);
            vec![theta.clone()]
        })
    }
}

// --- Checks ---------------------------------------------------------------------------------------------------------------------

const L2: &str = "Adam::step with Decay::L2";
const DECOUPLED: &str = "Adam::step with Decay::Decoupled";

static CHECKS: &[Check] = &[
    Check {
        name: "one_step_of_adamw_takes_1_to_0_8990",
        asked: "Decoupled: the old theta shrinks by lr * weight_decay of itself, then Adam steps by almost lr.",
        run: |exam| {
            let hyper = Hyper { lr: 0.1, ..TORCH };
            let (start, grad) = (vec![1.0, -4.0, 0.5], vec![0.25, 0.25, -3.0]);
            let case = case(
                DECOUPLED,
                "gradients that stay the same",
                Some(hyper),
                start.clone(),
                vec![grad.clone(); 5],
            );
            let mut theta = start;
            let mut step = || {
                for (theta, g) in theta.iter_mut().zip(&grad) {
                    *theta *= 1.0 - hyper.lr * hyper.weight_decay;
                    *theta -= hyper.lr * g / (g.abs() + hyper.eps);
                }
                vec![theta.clone()]
            };
            let expected: Vec<Frame> = (0..5).map(|_| step()).collect();
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "l2_adds_the_decay_to_the_gradient",
        asked: "L2: Adam sees g + weight_decay * theta, in m and in v; in its first step only the sign counts.",
        run: |exam| {
            // The second and the third have gradients that the decay turns around.
            let start = vec![2.0, 2.0, -0.5, 0.0];
            let grad = vec![0.25, -0.25, 0.125, -3.0];
            for hyper in [
                VISIBLE,
                Hyper {
                    eps: 0.5,
                    ..VISIBLE
                },
            ] {
                let case = case(
                    L2,
                    "one step",
                    Some(hyper),
                    start.clone(),
                    vec![grad.clone()],
                );
                let whole = start.iter().zip(&grad);
                let theta = whole.map(|(theta, g)| {
                    let g = g + hyper.weight_decay * theta;
                    theta - hyper.lr * g / (g.abs() + hyper.eps)
                });
                exam.expect(&case, &[vec![theta.collect()]])?;
            }
            Ok(())
        },
    },
    Check {
        name: "at_zero_gradient_adamw_shrinks_and_l2_steps",
        asked: "At g = 0, decoupled theta is (1 - lr * weight_decay)^t of its start; L2 moves it by almost lr.",
        run: |exam| {
            let start = vec![3.0, -0.25, 40.0, 0.0];
            let zeros = vec![vec![0.0; 4]; 20];
            let about = "gradients of zero";
            let shrunk = |t: i32| {
                let left = (1.0 - VISIBLE.lr * VISIBLE.weight_decay).powi(t);
                vec![start.iter().map(|theta| theta * left).collect()]
            };
            let expected: Vec<Frame> = (1..=20).map(shrunk).collect();
            let decoupled = case(
                DECOUPLED,
                about,
                Some(VISIBLE),
                start.clone(),
                zeros.clone(),
            );
            exam.expect(&decoupled, &expected)?;
            let expected = closed_form(L2, VISIBLE, &start, &zeros);
            exam.expect(&case(L2, about, Some(VISIBLE), start, zeros), &expected)
        },
    },
    Check {
        name: "without_decay_both_are_adam",
        asked: "With weight_decay = 0 both decays leave theta where torch.optim.Adam leaves it.",
        run: |exam| {
            recorded(exam, L2, "adam-torch")?;
            recorded(exam, DECOUPLED, "adam-torch")
        },
    },
    Check {
        name: "l2_matches_pytorch",
        asked: "100 steps of random gradients leave theta where torch.optim.Adam(weight_decay=0.1) leaves it.",
        run: |exam| recorded(exam, L2, "adam-weight-decay-torch"),
    },
    Check {
        name: "adamw_matches_pytorch",
        asked: "40 steps of random gradients leave theta where torch.optim.AdamW leaves it.",
        run: |exam| recorded(exam, DECOUPLED, "adamw-torch"),
    },
    Check {
        name: "adamw_matches_optax",
        asked: "40 steps of random gradients leave theta where optax.adamw leaves it.",
        run: |exam| recorded(exam, DECOUPLED, "adamw-optax"),
    },
    Check {
        name: "any_length_and_any_settings",
        asked: "Theta follows from the weighted sums of all gradients, for 0, 1 and more parameters.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for (i, len) in [0, 1, 2, 7, 33, 1, 2, 3].into_iter().enumerate() {
                let call = [L2, DECOUPLED][i % 2];
                let hyper = Hyper {
                    lr: random.magnitude(-4.0, -1.0).abs(),
                    beta1: random.between(0.0, 0.99),
                    beta2: random.between(0.5, 0.9999),
                    eps: random.magnitude(-9.0, 0.0).abs(),
                    weight_decay: random.magnitude(-3.0, 0.0).abs(),
                };
                let scale = random.magnitude(-3.0, 3.0);
                let grads = gradients(&mut random, 25, len, scale);
                let start = random.vector(len, -2.0, 2.0);
                let expected = closed_form(call, hyper, &start, &grads);
                let about = format!("{len} parameters, MOMENTS_SEED={}", exam.seed);
                exam.expect(&case(call, &about, Some(hyper), start, grads), &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_defaults_are_those_of_pytorch_adamw",
        asked: "Adam::new sets lr 1e-3, beta1 0.9, beta2 0.999, eps 1e-8 and weight_decay 0.01.",
        run: |exam| {
            for call in [DECOUPLED, L2] {
                let case = defaults(call);
                let expected = closed_form(call, TORCH, &case.start, case.inputs());
                exam.expect(&case, &expected)?;
            }
            Ok(())
        },
    },
];

fn case(
    call: &'static str,
    about: &str,
    hyper: Option<Hyper>,
    start: Vec<f64>,
    grads: Vec<Vec<f64>>,
) -> Case {
    let kind = if call == L2 { "L2" } else { "decoupled" };
    let settings = hyper.map_or_else(Vec::new, Hyper::settings);
    let about = format!("{kind}, {about}");
    Case::given(about, call, &["theta"], settings, start, grads)
}

fn recorded(exam: &Exam<'_>, call: &'static str, name: &str) -> Verdict {
    let golden = golden::get(name);
    let hyper = Hyper {
        lr: golden.setting("lr"),
        beta1: golden.setting("beta1"),
        beta2: golden.setting("beta2"),
        eps: golden.setting("eps"),
        weight_decay: golden.setting("weight_decay"),
    };
    let about = "gradients from 1e-6 to 1e6";
    let case = case(
        call,
        about,
        Some(hyper),
        golden.start.clone(),
        golden.grads(),
    );
    exam.expect(&case, &thetas(&golden))
}

/// Gradients small enough for eps to show, and parameters large enough for the decay to show.
fn defaults(call: &'static str) -> Case {
    let grads = vec![
        vec![1e-7, -0.5],
        vec![-3e-7, -0.1],
        vec![1e-7, 0.7],
        vec![2e-8, 0.3],
    ];
    case(call, "your defaults", None, vec![1e-6, 30.0], grads)
}

/// Cases on which every two mutants differ.
fn probes() -> Vec<Case> {
    let mut random = Random::new(9);
    let mut grads: Vec<Vec<f64>> = (0..12).map(|_| random.vector(3, -1.0, 1.0)).collect();
    grads[4] = vec![0.0; 3];
    grads[5][1] = 0.0;
    let hyper = Hyper {
        lr: 0.1,
        beta1: 0.8,
        beta2: 0.95,
        eps: 0.05,
        weight_decay: 0.3,
    };
    let start = vec![1.7, -0.4, 0.6];
    let probe =
        |call: &'static str| case(call, "a probe", Some(hyper), start.clone(), grads.clone());
    vec![
        probe(L2),
        probe(DECOUPLED),
        defaults(L2),
        defaults(DECOUPLED),
    ]
}

/// Where Adam goes with one or the other decay, from its moments as weighted means of all gradients so far:
/// `m_hat` = Σ β^(t-i) g_i / Σ β^(t-i), with no recurrence and no correction. Under L2 a gradient takes in the theta of its time.
fn closed_form(call: &str, hyper: Hyper, start: &[f64], grads: &[Vec<f64>]) -> Vec<Frame> {
    let mut theta = start.to_vec();
    let mut seen: Vec<Vec<f64>> = Vec::new();
    let mut frames = Vec::new();
    for grad in grads {
        let coupled = if call == L2 { hyper.weight_decay } else { 0.0 };
        let whole = grad
            .iter()
            .zip(&theta)
            .map(|(g, theta)| g + coupled * theta);
        seen.push(whole.collect());
        for (i, theta) in theta.iter_mut().enumerate() {
            let mean = |beta: f64, of: fn(f64) -> f64| {
                let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
                for grad in seen.iter().rev() {
                    sum += weight * of(grad[i]);
                    weights += weight;
                    weight *= beta;
                }
                sum / weights
            };
            let decoupled = hyper.weight_decay - coupled;
            let m_hat = mean(hyper.beta1, |g| g);
            let v_hat = mean(hyper.beta2, |g| g * g);
            *theta -= hyper.lr * (m_hat / (v_hat.sqrt() + hyper.eps) + decoupled * *theta);
        }
        frames.push(vec![theta.clone()]);
    }
    frames
}

// --- Mutants --------------------------------------------------------------------------------------------------------------------

/// What a rule is given beside the parameter, its moments and its gradient.
#[derive(Clone, Copy, Debug)]
struct Setup {
    hyper: Hyper,
    decoupled: bool,
}

impl Setup {
    /// The coefficient of L2; 0 where the decay is decoupled.
    fn l2(&self) -> f64 {
        if self.decoupled {
            0.0
        } else {
            self.hyper.weight_decay
        }
    }

    /// The part of theta that decoupled decay takes away; 0 where the decay is L2.
    fn taken(&self) -> f64 {
        if self.decoupled {
            self.hyper.lr * self.hyper.weight_decay
        } else {
            0.0
        }
    }
}

/// m and v of one parameter.
type Moments = (f64, f64);

fn each(case: &Case, rule: fn(&Setup, i32, &mut f64, &mut Moments, f64)) -> Step {
    let setup = Setup {
        hyper: Hyper::of(case),
        decoupled: case.call == DECOUPLED,
    };
    common::each(case, setup, rule)
}

/// Adam's direction m_hat / (sqrt(v_hat) + eps), after the moments have taken in a gradient.
fn direction(h: &Hyper, t: i32, moments: &mut Moments, g: f64) -> f64 {
    gather(h, moments, g, g);
    let (m_hat, v_hat) = hats(h, t, *moments);
    m_hat / (v_hat.sqrt() + h.eps)
}

/// Takes one gradient into m and one into v.
fn gather(h: &Hyper, (m, v): &mut Moments, for_m: f64, for_v: f64) {
    *m = h.beta1 * *m + (1.0 - h.beta1) * for_m;
    *v = h.beta2 * *v + (1.0 - h.beta2) * for_v * for_v;
}

/// The corrected moments.
fn hats(h: &Hyper, t: i32, (m, v): Moments) -> (f64, f64) {
    (m / (1.0 - h.beta1.powi(t)), v / (1.0 - h.beta2.powi(t)))
}

/// A whole step of one parameter.
fn right(s: &Setup, t: i32, theta: &mut f64, moments: &mut Moments, g: f64) {
    let g = g + s.l2() * *theta;
    *theta -= s.taken() * *theta;
    *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
}

/// An implementation whose defaults are not ours.
fn with_default_decay(case: &Case, weight_decay: f64) -> Step {
    let mut case = case.clone();
    if case.settings.is_empty() {
        case.settings = Hyper {
            weight_decay,
            ..TORCH
        }
        .settings();
    }
    each(&case, right)
}

const TWO: &str = "exercises/ex09-adamw.html#two-places-for-the-decay";
const GRADIENT: &str = "exercises/ex09-adamw.html#l2-a-gradient-like-any-other";
const SCALED: &str = "exercises/ex09-adamw.html#decoupled-lr-times-weight-decay-once";
const ORDER: &str = "exercises/ex09-adamw.html#before-the-step-or-after-it";
const ZERO: &str = "exercises/ex09-adamw.html#where-the-gradient-is-zero";
const ADAM: &str = "exercises/ex09-adamw.html#the-adam-underneath";
const DEFAULTS: &str = "exercises/ex09-adamw.html#the-defaults";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "adamw-that-is-adam-with-l2",
        mistake: "decoupled decay is added to the gradient, so it is L2 again. Take it from theta itself, outside m and v.",
        read: TWO,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let coupled = Setup {
                    decoupled: false,
                    ..*s
                };
                right(&coupled, t, theta, moments, g);
            })
        },
    },
    Mutant {
        name: "l2-that-is-decoupled",
        mistake: "L2 does not reach m and v, so it is decoupled decay. Add weight_decay * theta to the gradient before the moments.",
        read: TWO,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let decoupled = Setup {
                    decoupled: true,
                    ..*s
                };
                right(&decoupled, t, theta, moments, g);
            })
        },
    },
    Mutant {
        name: "decays-swapped",
        mistake: "the two decays have changed places: L2 changes the gradient, decoupled decay changes theta.",
        read: TWO,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let other = Setup {
                    decoupled: !s.decoupled,
                    ..*s
                };
                right(&other, t, theta, moments, g);
            })
        },
    },
    Mutant {
        name: "decoupled-and-l2-at-once",
        mistake: "decoupled decay shrinks theta and is added to the gradient as well. It does only the first.",
        read: TWO,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g + s.hyper.weight_decay * *theta;
                *theta -= s.taken() * *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
            })
        },
    },
    Mutant {
        name: "no-decay",
        mistake: "weight_decay is never used: this is plain Adam.",
        read: TWO,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
            })
        },
    },
    Mutant {
        name: "l2-after-the-moments",
        mistake: "L2 is added to m_hat, after the moments. The decay belongs to the gradient that m and v take in, and stays in them.",
        read: GRADIENT,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let extra = s.l2() * *theta;
                *theta -= s.taken() * *theta;
                gather(&s.hyper, moments, g, g);
                let (m_hat, v_hat) = hats(&s.hyper, t, *moments);
                *theta -= s.hyper.lr * (m_hat + extra) / (v_hat.sqrt() + s.hyper.eps);
            })
        },
    },
    Mutant {
        name: "l2-in-m-only",
        mistake: "L2 reaches m but not v. Both take in the same gradient, g + weight_decay * theta.",
        read: GRADIENT,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                gather(&s.hyper, moments, g + s.l2() * *theta, g);
                *theta -= s.taken() * *theta;
                let (m_hat, v_hat) = hats(&s.hyper, t, *moments);
                *theta -= s.hyper.lr * m_hat / (v_hat.sqrt() + s.hyper.eps);
            })
        },
    },
    Mutant {
        name: "l2-in-v-only",
        mistake: "L2 reaches v but not m. Both take in the same gradient, g + weight_decay * theta.",
        read: GRADIENT,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                gather(&s.hyper, moments, g, g + s.l2() * *theta);
                *theta -= s.taken() * *theta;
                let (m_hat, v_hat) = hats(&s.hyper, t, *moments);
                *theta -= s.hyper.lr * m_hat / (v_hat.sqrt() + s.hyper.eps);
            })
        },
    },
    Mutant {
        name: "l2-doubled",
        mistake: "L2 adds 2 * weight_decay * theta. The penalty has a half, weight_decay / 2 * theta^2, and its gradient no 2.",
        read: GRADIENT,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                right(s, t, theta, moments, g + s.l2() * *theta);
            })
        },
    },
    Mutant {
        name: "l2-penalty-for-its-gradient",
        mistake: "L2 adds the penalty weight_decay / 2 * theta^2 itself. Add its gradient, weight_decay * theta.",
        read: GRADIENT,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g + s.l2() / 2.0 * *theta * *theta;
                *theta -= s.taken() * *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
            })
        },
    },
    Mutant {
        name: "l2-with-the-wrong-sign",
        mistake: "L2 subtracts weight_decay * theta from the gradient, so theta grows. Add it.",
        read: GRADIENT,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g - s.l2() * *theta;
                *theta -= s.taken() * *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
            })
        },
    },
    Mutant {
        name: "l2-scaled-by-lr",
        mistake: "L2 adds lr * weight_decay * theta. The step multiplies by lr already: add weight_decay * theta.",
        read: GRADIENT,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g + s.hyper.lr * s.l2() * *theta;
                *theta -= s.taken() * *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
            })
        },
    },
    Mutant {
        name: "l1-instead-of-l2",
        mistake: "L2 adds weight_decay * sign(theta): that is the gradient of an L1 penalty.",
        read: GRADIENT,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let sign = if *theta == 0.0 { 0.0 } else { theta.signum() };
                let g = g + s.l2() * sign;
                *theta -= s.taken() * *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
            })
        },
    },
    Mutant {
        name: "decay-after-the-step",
        mistake: "theta decays after the step, so the step decays too: 0.8991 where PyTorch has 0.8990. Decay the old theta.",
        read: ORDER,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g + s.l2() * *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
                *theta -= s.taken() * *theta;
            })
        },
    },
    Mutant {
        name: "decay-not-scaled-by-lr",
        mistake: "decoupled decay takes weight_decay of theta at each step. It takes lr * weight_decay.",
        read: SCALED,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g + s.l2() * *theta;
                *theta -= s.taken() / s.hyper.lr * *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
            })
        },
    },
    Mutant {
        name: "decay-scaled-by-lr-twice",
        mistake: "decoupled decay takes lr^2 * weight_decay of theta: lr is outside the bracket and inside it as well.",
        read: SCALED,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g + s.l2() * *theta;
                *theta -= s.hyper.lr * s.taken() * *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
            })
        },
    },
    Mutant {
        name: "decay-by-the-corrected-rate",
        mistake: "decoupled decay is scaled by lr / (1 - beta1^t). The correction belongs to m; the decay is scaled by lr alone.",
        read: SCALED,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g + s.l2() * *theta;
                *theta -= s.taken() / (1.0 - s.hyper.beta1.powi(t)) * *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
            })
        },
    },
    Mutant {
        name: "decay-divided-by-the-root",
        mistake: "decoupled decay is divided by sqrt(v_hat) + eps together with m_hat. Then it depends on the gradients: keep it out.",
        read: SCALED,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                gather(&s.hyper, moments, g + s.l2() * *theta, g + s.l2() * *theta);
                let (m_hat, v_hat) = hats(&s.hyper, t, *moments);
                let root = v_hat.sqrt() + s.hyper.eps;
                *theta -= (s.hyper.lr * m_hat + s.taken() * *theta) / root;
            })
        },
    },
    Mutant {
        name: "decay-with-the-wrong-sign",
        mistake: "decoupled decay multiplies theta by 1 + lr * weight_decay, so theta grows. It is 1 minus.",
        read: SCALED,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g + s.l2() * *theta;
                *theta += s.taken() * *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
            })
        },
    },
    Mutant {
        name: "decay-to-the-sign",
        mistake: "decoupled decay takes lr * weight_decay from |theta|, the same from large and small. It takes that fraction of theta.",
        read: SCALED,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g + s.l2() * *theta;
                let sign = if *theta == 0.0 { 0.0 } else { theta.signum() };
                *theta -= s.taken() * sign;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g);
            })
        },
    },
    Mutant {
        name: "decay-skipped-at-zero-gradient",
        mistake: "decoupled decay is left out where the gradient is 0. It does not look at the gradient: theta decays all the same.",
        read: ZERO,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let whole = g + s.l2() * *theta;
                if g != 0.0 {
                    *theta -= s.taken() * *theta;
                }
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, whole);
            })
        },
    },
    Mutant {
        name: "l2-skipped-at-zero-gradient",
        mistake: "L2 is left out where the gradient of the loss is 0. The penalty has its own gradient: add it all the same.",
        read: ZERO,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let extra = if g == 0.0 { 0.0 } else { s.l2() * *theta };
                *theta -= s.taken() * *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g + extra);
            })
        },
    },
    Mutant {
        name: "parameter-skipped-at-zero-gradient",
        mistake: "a parameter whose gradient is 0 is skipped. It decays all the same, and m still moves it.",
        read: ZERO,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                if g != 0.0 {
                    right(s, t, theta, moments, g);
                }
            })
        },
    },
    Mutant {
        name: "decay-fixed",
        mistake: "the decay is a fixed 0.01 in the step. Read the field weight_decay, which the tests set.",
        read: DEFAULTS,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let mut fixed = *s;
                fixed.hyper.weight_decay = TORCH.weight_decay;
                right(&fixed, t, theta, moments, g);
            })
        },
    },
    Mutant {
        name: "optax-decay-by-default",
        mistake: "a default weight_decay of 1e-4, as in optax. PyTorch's AdamW has 0.01.",
        read: DEFAULTS,
        start: |case| with_default_decay(case, 1e-4),
    },
    Mutant {
        name: "no-decay-by-default",
        mistake: "a default weight_decay of 0, as in PyTorch's Adam. Here it is 0.01, as in PyTorch's AdamW.",
        read: DEFAULTS,
        start: |case| with_default_decay(case, 0.0),
    },
    Mutant {
        name: "no-correction",
        mistake: "Adam itself: the moments are not corrected. Divide m by 1 - beta1^t and v by 1 - beta2^t.",
        read: ADAM,
        start: |case| {
            each(case, |s, _, theta, moments, g| {
                let g = g + s.l2() * *theta;
                *theta -= s.taken() * *theta;
                gather(&s.hyper, moments, g, g);
                *theta -= s.hyper.lr * moments.0 / (moments.1.sqrt() + s.hyper.eps);
            })
        },
    },
    Mutant {
        name: "correction-frozen",
        mistake: "Adam itself: the correction is 1 - beta at every step. The power t is missing, or the counter stays at 1.",
        read: ADAM,
        start: |case| {
            each(case, |s, _, theta, moments, g| {
                right(s, 1, theta, moments, g);
            })
        },
    },
    Mutant {
        name: "counter-from-zero",
        mistake: "Adam itself: t is 0 at the first step, so 1 - beta^t is 0 and 0/0 is NaN. Count up before you use t.",
        read: ADAM,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                right(s, t - 1, theta, moments, g);
            })
        },
    },
    Mutant {
        name: "no-root",
        mistake: "Adam itself: the root over v_hat is missing.",
        read: ADAM,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g + s.l2() * *theta;
                *theta -= s.taken() * *theta;
                gather(&s.hyper, moments, g, g);
                let (m_hat, v_hat) = hats(&s.hyper, t, *moments);
                *theta -= s.hyper.lr * m_hat / (v_hat + s.hyper.eps);
            })
        },
    },
    Mutant {
        name: "eps-inside-the-root",
        mistake: "Adam itself: eps is under the root. It is added after the root is taken.",
        read: ADAM,
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let g = g + s.l2() * *theta;
                *theta -= s.taken() * *theta;
                gather(&s.hyper, moments, g, g);
                let (m_hat, v_hat) = hats(&s.hyper, t, *moments);
                *theta -= s.hyper.lr * m_hat / (v_hat + s.hyper.eps).sqrt();
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "one-after-the-other",
        start: |case| each(case, right),
    },
    Variant {
        name: "as-optax-adds-it",
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let update = direction(&s.hyper, t, moments, g + s.l2() * *theta);
                let decay = s.taken() / s.hyper.lr;
                *theta += -s.hyper.lr * (update + decay * *theta);
            })
        },
    },
    Variant {
        name: "as-pytorch-orders-it",
        start: |case| {
            each(case, |s, t, theta, (m, v), g| {
                let h = &s.hyper;
                let g = if s.decoupled {
                    *theta *= 1.0 - h.lr * h.weight_decay;
                    g
                } else {
                    h.weight_decay.mul_add(*theta, g)
                };
                *m += (g - *m) * (1.0 - h.beta1);
                *v = *v * h.beta2 + g * g * (1.0 - h.beta2);
                let step_size = h.lr / (1.0 - h.beta1.powi(t));
                let denominator = v.sqrt() / (1.0 - h.beta2.powi(t)).sqrt() + h.eps;
                *theta += -step_size * (*m / denominator);
            })
        },
    },
    Variant {
        name: "a-new-gradient-for-all-then-a-new-theta",
        start: |case| {
            let (h, decoupled) = (Hyper::of(case), case.call == DECOUPLED);
            let (mut theta, len) = (case.start.clone(), case.start.len());
            let (mut m, mut v) = (vec![0.0; len], vec![0.0; len]);
            let (mut power1, mut power2) = (1.0, 1.0);
            Box::new(move |grad| {
                power1 *= h.beta1;
                power2 *= h.beta2;
                let mut grad = grad.to_vec();
                let mut kept = 1.0;
                if decoupled {
                    kept -= h.lr * h.weight_decay;
                } else {
                    for i in 0..len {
                        grad[i] += h.weight_decay * theta[i];
                    }
                }
                for i in (0..len).rev() {
                    m[i] = grad[i] - h.beta1 * (grad[i] - m[i]);
                    v[i] = grad[i] * grad[i] - h.beta2 * (grad[i] * grad[i] - v[i]);
                }
                let next = (0..len).map(|i| {
                    let root = (v[i] / (1.0 - power2)).sqrt();
                    kept * theta[i] - h.lr / (1.0 - power1) * m[i] / (root + h.eps)
                });
                theta = next.collect();
                vec![theta.clone()]
            })
        },
    },
    Variant {
        name: "decayed-at-last-from-a-copy-of-the-old-theta",
        start: |case| {
            each(case, |s, t, theta, moments, g| {
                let old = *theta;
                *theta -= s.hyper.lr * direction(&s.hyper, t, moments, g + s.l2() * old);
                *theta -= s.taken() * old;
            })
        },
    },
];
