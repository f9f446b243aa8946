//! Exercise 08: AMSGrad in its three forms.
//!
//! A case calls `AmsGrad::step` in one of the forms: [`TORCH`], [`OPTAX`] or [`PAPER`].
//! Its settings are `lr`, `beta1`, `beta2` and `eps`, or none for the learner's own defaults.
//! An input is a gradient; what is seen after a step is `theta`, and nothing else, so that any way to keep the state is allowed.

use crate::case::{Case, Frame};
use crate::common::{each, gradients, scaled, thetas};
use crate::exercise::{Check, Exam, Exercise, Mutant, Step, Variant};
use crate::{golden, random::Random};

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex08",
    slug: "ex08-amsgrad",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// What the maximum is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The maximum of v, which is corrected afterwards.
    Torch,
    /// The maximum of the corrected v̂.
    Optax,
    /// The maximum of v; nothing is corrected.
    Paper,
}

/// The call of a case in PyTorch's form.
pub const TORCH: &str = "AmsGrad::step, Form::Torch";
/// The call of a case in optax's form.
pub const OPTAX: &str = "AmsGrad::step, Form::Optax";
/// The call of a case in the paper's form.
pub const PAPER: &str = "AmsGrad::step, Form::Paper";

/// What a case is called in which the gradients have to grow from step to step.
pub const GROWING: &str = "growing gradients";

const FORMS: [Form; 3] = [Form::Torch, Form::Optax, Form::Paper];

impl Form {
    fn call(self) -> &'static str {
        match self {
            Form::Torch => TORCH,
            Form::Optax => OPTAX,
            Form::Paper => PAPER,
        }
    }

    fn of(case: &Case) -> Self {
        let known = FORMS.into_iter().find(|form| form.call() == case.call);
        known.unwrap_or_else(|| panic!("the case `{}` calls no form of AMSGrad", case.about))
    }

    fn name(self) -> &'static str {
        match self {
            Form::Torch => "PyTorch's form",
            Form::Optax => "optax's form",
            Form::Paper => "the paper's form",
        }
    }
}

/// The hyperparameters of AMSGrad.
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
    /// What the maximum is taken of.
    pub form: Form,
}

/// The defaults of PyTorch.
const USUAL: Hyper = Hyper {
    lr: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    eps: 1e-8,
    form: Form::Torch,
};

impl Hyper {
    fn of(case: &Case) -> Self {
        Self::set(case).unwrap_or(USUAL)
    }

    fn set(case: &Case) -> Option<Self> {
        (!case.settings.is_empty()).then(|| Self {
            lr: case.setting("lr"),
            beta1: case.setting("beta1"),
            beta2: case.setting("beta2"),
            eps: case.setting("eps"),
            form: Form::of(case),
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

/// Puts a learner's AMSGrad through the check of that name.
///
/// `code` sets the optimizer up for so many parameters: with the hyperparameters given, or with its own defaults if none are.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: fn(usize, Option<Hyper>) -> Optimizer) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's AMSGrad as a subject: what a check drives.
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
        name: "after_a_large_gradient_the_maximum_stays",
        asked: "After a gradient of 8, v falls and its maximum stays: gradients of 1 are divided by that.",
        run: |exam| {
            for form in FORMS {
                let hyper = Hyper {
                    lr: 0.1,
                    beta1: 0.0,
                    beta2: 0.5,
                    eps: 0.0,
                    form,
                };
                let grads: Vec<_> = [8.0, 1.0, 1.0, 1.0, 1.0].map(|g| vec![g]).into();
                let mut theta = 0.0;
                let expected: Vec<Frame> = (1..)
                    .zip(&grads)
                    .map(|(t, grad)| {
                        // The largest v is the first, (1 − 0.5) · 64.
                        let square = match form {
                            Form::Torch => 32.0 / (1.0 - 0.5f64.powi(t)),
                            Form::Optax => 64.0,
                            Form::Paper => 32.0,
                        };
                        theta -= 0.1 * grad[0] / square.sqrt();
                        vec![vec![theta]]
                    })
                    .collect();
                let case = case("8, then 1", Some(hyper), vec![0.0], grads);
                exam.expect(&case, &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "amsgrad_matches_pytorch",
        asked: "With Form::Torch, theta goes where torch.optim.Adam(amsgrad=True) takes it.",
        run: |exam| recorded(exam, Form::Torch, &golden::get("amsgrad-torch")),
    },
    Check {
        name: "amsgrad_matches_optax",
        asked: "With Form::Optax, theta goes where optax.amsgrad takes it.",
        run: |exam| recorded(exam, Form::Optax, &golden::get("amsgrad-optax")),
    },
    Check {
        name: "the_counterexample_goes_down",
        asked: "On gradients 4, -1, -1, 4, -1, -1, ... Adam climbs; with the maximum theta goes down.",
        run: |exam| {
            for form in [Form::Optax, Form::Torch, Form::Paper] {
                let hyper = Hyper {
                    lr: 0.1,
                    beta1: 0.0,
                    beta2: 1.0 / 17.0,
                    eps: 0.0,
                    form,
                };
                let grads: Vec<_> = [4.0, -1.0, -1.0].map(|g| vec![g]).into();
                let grads: Vec<_> = grads.iter().cycle().take(90).cloned().collect();
                let expected = if form == Form::Optax {
                    // The first v̂ is 16, and no mean of 16 and 1 is larger.
                    let mut sum = 0.0;
                    let mut divided = |grad: &Vec<f64>| {
                        sum += grad[0] / 4.0;
                        vec![vec![-0.1 * sum]]
                    };
                    grads.iter().map(&mut divided).collect()
                } else {
                    closed_form(hyper, true, &[0.0], &grads)
                };
                let case = case("4, -1, -1, repeated", Some(hyper), vec![0.0], grads);
                exam.expect(&case, &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "while_gradients_grow_it_is_adam",
        asked: "While |g| grows, v grows and is its own maximum: theta goes where Adam takes it.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let grads: Vec<_> = (0..20)
                .map(|t| {
                    let grows = |_| random.magnitude(0.0, 0.05) * 1.2f64.powi(t);
                    (0..3).map(grows).collect()
                })
                .collect();
            for form in FORMS {
                let hyper = Hyper {
                    beta2: 0.9,
                    form,
                    ..USUAL
                };
                let expected = closed_form(hyper, false, &[0.0; 3], &grads);
                let about = format!("{GROWING}, MOMENTS_SEED={}", exam.seed);
                let case = case(&about, Some(hyper), vec![0.0; 3], grads.clone());
                exam.expect(&case, &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_scale_of_the_gradient_does_not_matter",
        asked: "With eps = 0, gradients 1e90 times larger or smaller give the same theta.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let grads = gradients(&mut random, 20, 3, 1.0);
            for form in FORMS {
                let hyper = Hyper {
                    beta2: 0.9,
                    eps: 0.0,
                    form,
                    ..USUAL
                };
                let expected = closed_form(hyper, true, &[0.0; 3], &grads);
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
            for form in FORMS {
                let hyper = Hyper { form, ..USUAL };
                let grads = vec![vec![0.0; 3]; 5];
                let case = case("gradients of zero", Some(hyper), start.clone(), grads);
                exam.expect(&case, &vec![vec![start.clone()]; 5])?;
            }
            Ok(())
        },
    },
    Check {
        name: "any_length_and_any_settings",
        asked: "Theta follows from the largest of the weighted sums so far, for 0, 1 and more parameters.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for (round, len) in [0, 0, 0, 1, 2, 7, 33, 1, 2].into_iter().enumerate() {
                let hyper = Hyper {
                    lr: random.magnitude(-4.0, 1.0).abs(),
                    beta1: random.between(0.0, 0.99),
                    beta2: random.between(0.5, 0.99),
                    eps: random.magnitude(-9.0, 0.0).abs(),
                    form: FORMS[round % 3],
                };
                let scale = random.magnitude(-6.0, 6.0);
                // In a quarter of the steps the gradients are ten times larger, so that the maximum is an old one.
                let mut grads = gradients(&mut random, 40, len, scale);
                for (t, grad) in grads.iter_mut().enumerate() {
                    if t % 8 < 2 {
                        *grad = scaled(std::mem::take(grad), 10.0);
                    }
                }
                let start = random.vector(len, -1.0, 1.0);
                let expected = closed_form(hyper, true, &start, &grads);
                let about = format!("{len} parameters, MOMENTS_SEED={}", exam.seed);
                exam.expect(&case(&about, Some(hyper), start, grads), &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_defaults_are_those_of_pytorch",
        asked: "AmsGrad::new sets lr 1e-3, beta1 0.9, beta2 0.999, eps 1e-8 and Form::Torch.",
        run: |exam| {
            let case = defaults();
            let expected = closed_form(USUAL, true, &case.start, case.inputs());
            exam.expect(&case, &expected)
        },
    },
];

fn case(about: &str, hyper: Option<Hyper>, start: Vec<f64>, grads: Vec<Vec<f64>>) -> Case {
    let (settings, form, about) = match hyper {
        Some(hyper) => (
            hyper.settings(),
            hyper.form,
            format!("{}, {about}", hyper.form.name()),
        ),
        None => (Vec::new(), USUAL.form, about.to_owned()),
    };
    Case::given(about, form.call(), &["theta"], settings, start, grads)
}

fn recorded(exam: &Exam<'_>, form: Form, golden: &golden::Golden) -> crate::Verdict {
    let hyper = Hyper {
        lr: golden.setting("lr"),
        beta1: golden.setting("beta1"),
        beta2: golden.setting("beta2"),
        eps: golden.setting("eps"),
        form,
    };
    let about = "gradients from 1e-6 to 1e6";
    let case = case(about, Some(hyper), golden.start.clone(), golden.grads());
    exam.expect(&case, &thetas(golden))
}

/// Gradients small enough for eps to show, and falling, so that the form shows.
fn defaults() -> Case {
    let grads = vec![
        vec![3e-7, -0.5],
        vec![-1e-7, -0.1],
        vec![1e-7, 0.7],
        vec![2e-8, 0.3],
    ];
    case("your defaults", None, vec![0.0; 2], grads)
}

/// Four cases on which every two mutants differ.
fn probes() -> Vec<Case> {
    let mut random = Random::new(7);
    let mut probe = |form| {
        // Gradients of one sign, so that a root of them is a number; some of them large, so that the maximum is an old one.
        let large = |t: usize| if [1, 2, 6].contains(&t) { 5.0 } else { 1.0 };
        let grads = (0..12)
            .map(|t| scaled(random.vector(3, 0.05, 1.0), large(t)))
            .collect();
        let hyper = Hyper {
            lr: 0.1,
            beta1: 0.7,
            beta2: 0.8,
            eps: 0.05,
            form,
        };
        case("a probe", Some(hyper), random.vector(3, -1.0, 1.0), grads)
    };
    let [torch, optax, paper] = FORMS.map(&mut probe);
    vec![torch, optax, paper, defaults()]
}

/// Where AMSGrad goes, from the definition of its moments as weighted sums of all gradients so far, with no recurrence and no correction;
/// where Adam goes without the maximum.
fn closed_form(hyper: Hyper, maximum: bool, start: &[f64], grads: &[Vec<f64>]) -> Vec<Frame> {
    let mut theta = start.to_vec();
    let step = |t: usize| {
        for (i, theta) in theta.iter_mut().enumerate() {
            // The sum of β^(s-j) x_j for the first s gradients, and the sum of its weights.
            let sums = |s: usize, beta: f64, of: fn(f64) -> f64| {
                let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
                for grad in grads[..s].iter().rev() {
                    sum += weight * of(grad[i]);
                    weights += weight;
                    weight *= beta;
                }
                (sum, weights)
            };
            let corrected = hyper.form != Form::Paper;
            let (sum, weights) = sums(t, hyper.beta1, |g| g);
            let m = if corrected {
                sum / weights
            } else {
                (1.0 - hyper.beta1) * sum
            };
            let square = |s: usize| {
                let (sum, weights) = sums(s, hyper.beta2, |g| g * g);
                match hyper.form {
                    Form::Torch => sum / sums(t, hyper.beta2, |g| g).1,
                    Form::Optax => sum / weights,
                    Form::Paper => (1.0 - hyper.beta2) * sum,
                }
            };
            let first = if maximum { 1 } else { t };
            let largest = (first..=t).map(square).fold(0.0, f64::max);
            *theta -= hyper.lr * m / (largest.sqrt() + hyper.eps);
        }
        vec![theta.clone()]
    };
    (1..=grads.len()).map(step).collect()
}

// --- Mutants --------------------------------------------------------------------------------------------------------

/// The state of one parameter.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    m: f64,
    v: f64,
    /// The maximum.
    top: f64,
}

impl Hyper {
    fn corrections(&self, t: i32) -> (f64, f64) {
        match self.form {
            Form::Paper => (1.0, 1.0),
            _ => (1.0 - self.beta1.powi(t), 1.0 - self.beta2.powi(t)),
        }
    }

    /// What v is divided by before the maximum is taken, and what the maximum is divided by.
    fn before_and_after(&self, t: i32) -> (f64, f64) {
        let (_, correction) = self.corrections(t);
        match self.form {
            Form::Optax => (correction, 1.0),
            _ => (1.0, correction),
        }
    }
}

impl State {
    /// Takes a gradient into both moments.
    fn gather(&mut self, h: &Hyper, g: f64) {
        self.m = h.beta1 * self.m + (1.0 - h.beta1) * g;
        self.v = h.beta2 * self.v + (1.0 - h.beta2) * g * g;
    }

    /// Takes v into the maximum.
    fn raise(&mut self, h: &Hyper, t: i32) {
        self.top = self.top.max(self.v / h.before_and_after(t).0);
    }

    /// The first moment of the update.
    fn mean(&self, h: &Hyper, t: i32) -> f64 {
        self.m / h.corrections(t).0
    }

    /// What the root is taken of.
    fn square(&self, h: &Hyper, t: i32) -> f64 {
        self.top / h.before_and_after(t).1
    }

    /// How far theta moves.
    fn update(&self, h: &Hyper, t: i32) -> f64 {
        h.lr * self.mean(h, t) / (self.square(h, t).sqrt() + h.eps)
    }
}

/// AMSGrad that takes one form for another.
fn taken_for(case: &Case, form: fn(Form) -> Form) -> Step {
    let mut hyper = Hyper::of(case);
    hyper.form = form(hyper.form);
    whole(case, hyper)
}

/// AMSGrad as it should be.
fn whole(case: &Case, hyper: Hyper) -> Step {
    each(case, hyper, |h, t, x, s: &mut State, g| {
        s.gather(h, g);
        s.raise(h, t);
        *x -= s.update(h, t);
    })
}

const MAXIMUM: &str = "exercises/ex08-amsgrad.html#the-maximum";
const THREE: &str = "exercises/ex08-amsgrad.html#three-forms";
const CORRECTION: &str = "exercises/ex08-amsgrad.html#what-is-corrected";
const STATE: &str = "exercises/ex08-amsgrad.html#three-vectors-of-state";
const STEP: &str = "exercises/ex08-amsgrad.html#the-step";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "maximum-forgotten",
        mistake: "there is no maximum: that is Adam. Keep the largest v so far, and divide by its root.",
        read: MAXIMUM,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.top = 0.0;
                s.raise(h, t);
                *x -= s.update(h, t);
            })
        },
    },
    Mutant {
        name: "maximum-of-the-squares",
        mistake: "the maximum is of g^2. It is of v, the average of the squares.",
        read: MAXIMUM,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.top = s.top.max(g * g);
                *x -= s.update(h, t);
            })
        },
    },
    Mutant {
        name: "maximum-kept-as-v",
        mistake: "the maximum is written back to v. v goes on falling; keep its maximum beside it.",
        read: STATE,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                let old = s.v;
                s.gather(h, g);
                s.v = s.v.max(old);
                s.raise(h, t);
                *x -= s.update(h, t);
            })
        },
    },
    Mutant {
        name: "maximum-fades",
        mistake: "the old maximum is multiplied by beta2 before it is compared, as in Adamax. Here it never falls.",
        read: MAXIMUM,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.top *= h.beta2;
                s.raise(h, t);
                *x -= s.update(h, t);
            })
        },
    },
    Mutant {
        name: "maximum-of-the-last-two",
        mistake: "the new v is compared with the last one alone. Compare it with the largest of all steps.",
        read: MAXIMUM,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                let old = s.v / h.before_and_after((t - 1).max(1)).0;
                s.gather(h, g);
                s.top = old;
                s.raise(h, t);
                *x -= s.update(h, t);
            })
        },
    },
    Mutant {
        name: "minimum",
        mistake: "the smaller of the two is kept: from 0 it never rises. Keep the larger.",
        read: MAXIMUM,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.top = s.top.min(s.v / h.before_and_after(t).0);
                *x -= s.update(h, t);
            })
        },
    },
    Mutant {
        name: "maximum-too-late",
        mistake: "the maximum is taken before v has taken up the gradient of this step: at step 1 it is still 0.",
        read: MAXIMUM,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                let late = *s;
                s.gather(h, g);
                s.raise(h, t);
                let taken = State {
                    top: late.top,
                    ..*s
                };
                *x -= taken.update(h, t);
            })
        },
    },
    Mutant {
        name: "one-maximum-for-all",
        mistake: "all parameters share one maximum. Each parameter has its own.",
        read: STATE,
        start: |case| {
            let h = Hyper::of(case);
            let mut theta = case.start.clone();
            let mut states = vec![State::default(); theta.len()];
            let (mut t, mut top) = (0, 0.0);
            Box::new(move |grad| {
                t += 1;
                for (s, &g) in states.iter_mut().zip(grad) {
                    s.gather(&h, g);
                    s.top = top;
                    s.raise(&h, t);
                    top = s.top;
                }
                for (x, s) in theta.iter_mut().zip(&states) {
                    *x -= State { top, ..*s }.update(&h, t);
                }
                vec![theta.clone()]
            })
        },
    },
    Mutant {
        name: "optax-for-torch",
        mistake: "the maximum of the corrected v_hat where PyTorch's form is asked. PyTorch takes the maximum of v and corrects it afterwards.",
        read: THREE,
        start: |case| {
            taken_for(case, |form| match form {
                Form::Torch => Form::Optax,
                _ => form,
            })
        },
    },
    Mutant {
        name: "torch-for-optax",
        mistake: "the maximum of v, corrected afterwards, where optax's form is asked. optax corrects v first and takes the maximum of that.",
        read: THREE,
        start: |case| {
            taken_for(case, |form| match form {
                Form::Optax => Form::Torch,
                _ => form,
            })
        },
    },
    Mutant {
        name: "torch-for-paper",
        mistake: "the paper's form is corrected. Algorithm 2 divides m by the root of the maximum as they are.",
        read: THREE,
        start: |case| {
            taken_for(case, |form| match form {
                Form::Paper => Form::Torch,
                _ => form,
            })
        },
    },
    Mutant {
        name: "form-ignored",
        mistake: "every form is PyTorch's: the field `form` is not read.",
        read: THREE,
        start: |case| taken_for(case, |_| Form::Torch),
    },
    Mutant {
        name: "paper-for-all",
        mistake: "nothing is corrected in any form. Only the paper leaves m and v as they are.",
        read: THREE,
        start: |case| taken_for(case, |_| Form::Paper),
    },
    Mutant {
        name: "m-corrected-in-the-paper",
        mistake: "in the paper's form m is divided by 1 - beta1^t. It corrects neither moment.",
        read: THREE,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                let m = s.m / (1.0 - h.beta1.powi(t));
                *x -= h.lr * m / (s.square(h, t).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "corrected-twice",
        mistake: "in optax's form the maximum of v_hat is divided by 1 - beta2^t once more. It is of corrected values already.",
        read: CORRECTION,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                let square = s.top / h.corrections(t).1;
                *x -= h.lr * s.mean(h, t) / (square.sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "v-uncorrected",
        mistake: "only m is corrected. In the forms of PyTorch and optax v needs its 1 - beta2^t, after or before the maximum.",
        read: CORRECTION,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.top = s.top.max(s.v);
                *x -= h.lr * s.mean(h, t) / (s.top.sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "m-uncorrected",
        mistake: "only v is corrected. In the forms of PyTorch and optax m is divided by 1 - beta1^t, as in Adam.",
        read: CORRECTION,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                *x -= h.lr * s.m / (s.square(h, t).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "correction-frozen",
        mistake: "the correction is 1 - beta at every step: the power t is missing, or the counter stays at 1.",
        read: CORRECTION,
        start: |case| {
            each(case, Hyper::of(case), |h, _, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, 1);
                *x -= s.update(h, 1);
            })
        },
    },
    Mutant {
        name: "counter-from-zero",
        mistake: "t is 0 at the first step, so 1 - beta^t is 0 and 0/0 is NaN. Count up before you use t.",
        read: CORRECTION,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t - 1);
                *x -= s.update(h, t - 1);
            })
        },
    },
    Mutant {
        name: "correction-multiplied",
        mistake: "the moments are multiplied by 1 - beta^t. They are too small at first: divide.",
        read: CORRECTION,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                let (before, after) = h.before_and_after(t);
                s.top = s.top.max(s.v * before);
                let m = s.m * h.corrections(t).0;
                *x -= h.lr * m / ((s.top * after).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "corrected-maximum-kept",
        mistake: "in PyTorch's form the corrected maximum is written back. Keep it uncorrected, and correct a copy at each step.",
        read: CORRECTION,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                s.top = s.square(h, t);
                *x -= h.lr * s.mean(h, t) / (s.top.sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "no-memory",
        mistake: "m and v start from 0 at every step, and only the maximum stays. All three are state: keep them in the struct.",
        read: STATE,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                (s.m, s.v) = (0.0, 0.0);
                s.gather(h, g);
                s.raise(h, t);
                *x -= s.update(h, t);
            })
        },
    },
    Mutant {
        name: "betas-swapped",
        mistake: "beta1 and beta2 have changed places: beta1 belongs to m, beta2 to v.",
        read: STATE,
        start: |case| {
            let h = Hyper::of(case);
            let (beta1, beta2) = (h.beta2, h.beta1);
            whole(case, Hyper { beta1, beta2, ..h })
        },
    },
    Mutant {
        name: "weights-swapped",
        mistake: "the weights have changed places: beta is the weight of the old average, 1 - beta that of the new gradient.",
        read: STATE,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.m = (1.0 - h.beta1) * s.m + h.beta1 * g;
                s.v = (1.0 - h.beta2) * s.v + h.beta2 * g * g;
                s.raise(h, t);
                *x -= s.update(h, t);
            })
        },
    },
    Mutant {
        name: "zero-gradient-skipped",
        mistake: "a parameter whose gradient is 0 is skipped. Its moments fade all the same, and m still moves it.",
        read: STATE,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                if g != 0.0 {
                    s.gather(h, g);
                    s.raise(h, t);
                    *x -= s.update(h, t);
                }
            })
        },
    },
    Mutant {
        name: "gradient-for-m",
        mistake: "the gradient stands where m belongs. AMSGrad changes Adam's divisor and nothing above it.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                *x -= h.lr * g / (s.square(h, t).sqrt() + h.eps);
            })
        },
    },
    Mutant {
        name: "no-root",
        mistake: "the root is missing: the update divides by the maximum itself.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                *x -= h.lr * s.mean(h, t) / (s.square(h, t) + h.eps);
            })
        },
    },
    Mutant {
        name: "eps-inside-the-root",
        mistake: "eps is under the root. It is added after the root is taken.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                *x -= h.lr * s.mean(h, t) / (s.square(h, t) + h.eps).sqrt();
            })
        },
    },
    Mutant {
        name: "eps-before-the-correction",
        mistake: "in PyTorch's form eps is added to the root of the maximum before that is corrected. Correct first, then add eps.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                let after = h.before_and_after(t).1.sqrt();
                *x -= h.lr * s.mean(h, t) / ((s.top.sqrt() + h.eps) / after);
            })
        },
    },
    Mutant {
        name: "no-eps",
        mistake: "eps is missing: a parameter whose gradients have all been 0 becomes 0/0.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                *x -= h.lr * s.mean(h, t) / s.square(h, t).sqrt();
            })
        },
    },
    Mutant {
        name: "eps-added-to-theta",
        mistake: "a parenthesis. eps is subtracted from theta instead of added to the root: write m_hat / (root + eps).",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                *x -= h.lr * s.mean(h, t) / s.square(h, t).sqrt() + h.eps;
            })
        },
    },
    Mutant {
        name: "ascent",
        mistake: "the sign. The update is subtracted: theta goes against the gradient.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                *x += s.update(h, t);
            })
        },
    },
    Mutant {
        name: "theta-replaced",
        mistake: "theta is replaced by the update. It is moved by it: subtract from theta.",
        read: STEP,
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                s.raise(h, t);
                *x = -s.update(h, t);
            })
        },
    },
    Mutant {
        name: "settings-ignored",
        mistake: "lr, beta1, beta2 and eps are fixed numbers in the step. Read them from the fields, which the tests set.",
        read: STEP,
        start: |case| {
            let form = Hyper::of(case).form;
            whole(case, Hyper { form, ..USUAL })
        },
    },
    Mutant {
        name: "optax-by-default",
        mistake: "the default form is optax's. The task asks for PyTorch's.",
        read: THREE,
        start: |case| {
            let mut hyper = Hyper::of(case);
            if case.settings.is_empty() {
                hyper.form = Form::Optax;
            }
            whole(case, hyper)
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-task",
        start: |case| whole(case, Hyper::of(case)),
    },
    Variant {
        name: "as-pytorch-orders-it",
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.m += (g - s.m) * (1.0 - h.beta1);
                s.v = s.v * h.beta2 + g * g * (1.0 - h.beta2);
                let (bc1, bc2) = h.corrections(t);
                let root = if h.form == Form::Optax {
                    s.top = (s.v / bc2).max(s.top);
                    s.top.sqrt()
                } else {
                    s.top = s.v.max(s.top);
                    s.top.sqrt() / bc2.sqrt()
                };
                *x += -(h.lr / bc1) * (s.m / (root + h.eps));
            })
        },
    },
    Variant {
        name: "the-largest-root-is-kept",
        start: |case| {
            each(case, Hyper::of(case), |h, t, x, s: &mut State, g| {
                s.gather(h, g);
                let (before, after) = h.before_and_after(t);
                let root = s.v.sqrt() / before.sqrt();
                if root > s.top {
                    s.top = root;
                }
                let lr = h.lr * after.sqrt() / h.corrections(t).0;
                *x -= lr * s.m / (s.top + h.eps * after.sqrt());
            })
        },
    },
    Variant {
        name: "sums-with-their-weights",
        start: |case| {
            let h = Hyper::of(case);
            let mut theta = case.start.clone();
            let mut states = vec![State::default(); theta.len()];
            let (mut weight1, mut weight2) = (0.0, 0.0);
            let (new1, new2) = (1.0 - h.beta1, 1.0 - h.beta2);
            Box::new(move |grad| {
                weight1 = weight1 * h.beta1 + 1.0;
                weight2 = weight2 * h.beta2 + 1.0;
                for i in (0..grad.len()).rev() {
                    let s = &mut states[i];
                    s.m = s.m * h.beta1 + grad[i];
                    s.v = s.v * h.beta2 + grad[i] * grad[i];
                    let update = match h.form {
                        Form::Torch => {
                            s.top = s.top.max(s.v);
                            s.m / weight1 / ((s.top / weight2).sqrt() + h.eps)
                        }
                        Form::Optax => {
                            s.top = s.top.max(s.v / weight2);
                            s.m / weight1 / (s.top.sqrt() + h.eps)
                        }
                        Form::Paper => {
                            s.top = s.top.max(s.v);
                            s.m * new1 / ((s.top * new2).sqrt() + h.eps)
                        }
                    };
                    theta[i] -= update * h.lr;
                }
                vec![theta.clone()]
            })
        },
    },
    Variant {
        name: "every-v-is-kept",
        start: |case| {
            let h = Hyper::of(case);
            let mut theta = case.start.clone();
            let mut moments = vec![State::default(); theta.len()];
            let mut past: Vec<Vec<f64>> = vec![Vec::new(); theta.len()];
            let mut t = 0;
            Box::new(move |grad| {
                t += 1;
                let (before, after) = h.before_and_after(t);
                for (i, &g) in grad.iter().enumerate() {
                    moments[i].gather(&h, g);
                    past[i].push(moments[i].v / before);
                    let largest = past[i].iter().copied().fold(0.0, f64::max);
                    let m_hat = moments[i].mean(&h, t);
                    theta[i] -= h.lr * m_hat / ((largest / after).sqrt() + h.eps);
                }
                vec![theta.clone()]
            })
        },
    },
];
