//! Exercise 12: clipping by the global norm.
//!
//! A case calls `global_norm` or `clip`, the latter with the setting `max_norm`.
//! Its names are the lengths of the tensors, in digits; an input is the values of all of them, one tensor after the other.
//! What is seen is the norm that is returned and, after `clip`, the tensors.

use crate::case::{Case, Frame};
use crate::common::{function, scaled};
use crate::exercise::{Check, Exercise, Mutant, Step, Variant};
use crate::{golden, random::Random};

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex12",
    slug: "ex12-clipping",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// What a learner writes.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `global_norm(tensors)`.
    pub global_norm: Norm,
    /// `clip(tensors, max_norm)`: the norm before.
    pub clip: Clip,
}

/// A learner's `global_norm`.
pub type Norm = fn(&[Vec<f64>]) -> f64;

/// A learner's `clip`.
pub type Clip = fn(&mut [Vec<f64>], f64) -> f64;

/// Puts a learner's code through the check of that name.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: Code) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's code as a subject: what a check drives.
pub fn start(code: Code) -> impl Fn(&Case) -> Step + Send + 'static {
    move |case| run(case, code.global_norm, code.clip)
}

fn run(
    case: &Case,
    global_norm: Norm,
    clip: impl Fn(&mut [Vec<f64>], f64) -> f64 + 'static,
) -> Step {
    let lengths: Vec<usize> = case
        .names
        .iter()
        .map(|digits| digits.parse().expect("a length in digits"))
        .collect();
    if case.call == NORM {
        return function(move |input| vec![vec![global_norm(&cut(input, &lengths))]]);
    }
    let max_norm = case.setting("max_norm");
    function(move |input| {
        let mut tensors = cut(input, &lengths);
        let norm = clip(&mut tensors, max_norm);
        tensors.insert(0, vec![norm]);
        tensors
    })
}

/// The values of all tensors as tensors.
fn cut(values: &[f64], lengths: &[usize]) -> Vec<Vec<f64>> {
    let mut rest = values;
    let tensor = |&length| {
        let (tensor, others) = rest.split_at(length);
        rest = others;
        tensor.to_vec()
    };
    lengths.iter().map(tensor).collect()
}

// --- Checks ---------------------------------------------------------------------------------------------------------------------

const NORM: &str = "global_norm";
const CLIP: &str = "clip";

/// What can be seen: the norm, and as many tensors as there are.
static CHANNELS: &[&str] = &[
    "norm",
    "tensors[0]",
    "tensors[1]",
    "tensors[2]",
    "tensors[3]",
    "tensors[4]",
    "tensors[5]",
    "tensors[6]",
    "tensors[7]",
];

static CHECKS: &[Check] = &[
    Check {
        name: "the_norm_of_3_4_12_is_13",
        asked: "global_norm is the root of the sum of all squares, over all tensors: of [3, 4] and [12] it is 13.",
        run: |exam| {
            let inputs = vec![
                vec![3.0, 4.0, 12.0],
                vec![1.0, -2.0, 2.0],
                vec![-6.0, 2.0, 3.0],
                vec![-0.2, -0.1, -0.2],
            ];
            let expected = [13.0, 3.0, 7.0, 0.3].map(|norm| vec![vec![norm]]);
            exam.expect(&norm_case("four gradients", &[2, 1], inputs), &expected)
        },
    },
    Check {
        name: "norm_13_at_a_limit_of_6_5_is_halved",
        asked: "Where the norm exceeds max_norm, every value is multiplied by max_norm / norm; the old norm is returned.",
        run: |exam| {
            let inputs = vec![
                vec![3.0, 4.0, 12.0],
                vec![1.0, -2.0, 2.0],
                vec![-6.0, 8.0, -24.0],
                // The norm is 6.565, hardly above the limit: a limit with some slack would let it pass.
                vec![1.515, 2.02, 6.06],
            ];
            let expected = [
                vec![vec![13.0], vec![1.5, 2.0], vec![6.0]],
                vec![vec![3.0], vec![1.0, -2.0], vec![2.0]],
                vec![vec![26.0], vec![-1.5, 2.0], vec![-6.0]],
                vec![vec![6.565], vec![1.5, 2.0], vec![6.0]],
            ];
            exam.expect(
                &clip_case("four gradients", &[2, 1], 6.5, inputs),
                &expected,
            )
        },
    },
    Check {
        name: "up_to_the_limit_nothing_changes",
        asked: "A gradient whose norm is max_norm or less stays as it is; its norm is returned all the same.",
        run: |exam| {
            let whole = vec![3.0, 4.0, 12.0];
            for part in [1.0, 0.5, 0.01] {
                let values = scaled(whole.clone(), part);
                let expected = vec![
                    vec![13.0 * part],
                    values[..2].to_vec(),
                    values[2..].to_vec(),
                ];
                let about = format!("a norm of {}", 13.0 * part);
                exam.expect(&clip_case(&about, &[2, 1], 13.0, vec![values]), &[expected])?;
            }
            Ok(())
        },
    },
    Check {
        name: "however_the_values_are_cut_into_tensors",
        asked: "The norm is that of all values together, so it does not matter which tensor a value is in.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let values = random.vector(8, -1.0, 1.0);
            let max_norm = 0.3 * length(&values);
            for lengths in [&[8][..], &[3, 5], &[0, 2, 0, 5, 1, 0], &[1; 8]] {
                let about = format!("eight values, MOMENTS_SEED={}", exam.seed);
                let inputs = vec![values.clone()];
                let expected = clipped(&values, lengths, max_norm);
                exam.expect(
                    &norm_case(&about, lengths, inputs.clone()),
                    &[vec![expected[0].clone()]],
                )?;
                exam.expect(&clip_case(&about, lengths, max_norm, inputs), &[expected])?;
            }
            Ok(())
        },
    },
    Check {
        name: "clip_matches_optax",
        asked: "40 random gradients come out as from optax.clip_by_global_norm.",
        run: |exam| {
            let golden = golden::get("clip-optax");
            let lengths = [4, 3, 2];
            let expected: Vec<Frame> = golden
                .steps
                .iter()
                .map(|step| {
                    let mut frame = cut(step.get("clipped"), &lengths);
                    frame.insert(0, vec![length(&step.grad)]);
                    frame
                })
                .collect();
            let about = "gradients from 1e-6 to 1e6";
            let case = clip_case(about, &lengths, golden.setting("max_norm"), golden.grads());
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "any_tensors_and_any_limit",
        asked: "For any tensors and any limit, values above it come out times max_norm / norm, others as they are.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for count in [1, 2, 3, 5, 8, 0, 1, 4] {
                let lengths: Vec<usize> = (0..count)
                    .map(|_| random.between(0.0, 6.0) as usize)
                    .collect();
                let scale = random.magnitude(-6.0, 6.0);
                let max_norm = (scale * random.magnitude(-2.0, 0.7)).abs();
                let mut inputs: Vec<Vec<f64>> = (0..4)
                    .map(|_| scaled(random.vector(lengths.iter().sum(), -1.0, 1.0), scale))
                    .collect();
                // None of the last one's values is above 0.
                inputs[3].iter_mut().for_each(|value| *value = -value.abs());
                let about = format!("MOMENTS_SEED={}", exam.seed);
                let expected: Vec<Frame> = inputs
                    .iter()
                    .map(|values| clipped(values, &lengths, max_norm))
                    .collect();
                exam.expect(&clip_case(&about, &lengths, max_norm, inputs), &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "tiny_gradients_are_clipped_to_the_limit_itself",
        asked: "The factor is max_norm / norm with nothing added to the norm, however small the two are.",
        run: |exam| {
            for scale in [1e-5, 1e-9] {
                let inputs = vec![scaled(vec![3.0, 4.0, 12.0], scale)];
                let expected = vec![
                    vec![13.0 * scale],
                    vec![1.5 * scale, 2.0 * scale],
                    vec![6.0 * scale],
                ];
                let case = clip_case("tiny values", &[2, 1], 6.5 * scale, inputs);
                exam.expect(&case, &[expected])?;
            }
            Ok(())
        },
    },
    Check {
        name: "zeros_and_no_values_at_all",
        asked: "Zeros have the norm 0 and stay zeros; so has an empty tensor, and so have no tensors at all.",
        run: |exam| {
            for lengths in [&[][..], &[0], &[0, 3, 0], &[1], &[2, 4]] {
                let zeros = vec![0.0; lengths.iter().sum()];
                let mut expected = cut(&zeros, lengths);
                expected.insert(0, vec![0.0]);
                let inputs = vec![zeros];
                exam.expect(
                    &norm_case("zeros", lengths, inputs.clone()),
                    &[vec![vec![0.0]]],
                )?;
                exam.expect(&clip_case("zeros", lengths, 1.0, inputs), &[expected])?;
            }
            Ok(())
        },
    },
    Check {
        name: "squares_may_overflow_but_norms_do_not",
        asked: "The norm of [3e200, 4e200], [1.2e201] is 1.3e201, though the squares are infinite; so for tiny values.",
        run: |exam| {
            for scale in [1e200, 1e-200] {
                let values = scaled(vec![3.0, 4.0, 12.0], scale);
                let expected = [vec![vec![13.0 * scale]]];
                exam.expect(
                    &norm_case("far from 1", &[2, 1], vec![values.clone()]),
                    &expected,
                )?;
                let expected = clipped(&values, &[2, 1], 6.5 * scale);
                let case = clip_case("far from 1", &[2, 1], 6.5 * scale, vec![values]);
                exam.expect(&case, &[expected])?;
            }
            Ok(())
        },
    },
];

fn norm_case(about: &str, lengths: &[usize], inputs: Vec<Vec<f64>>) -> Case {
    case(NORM, about, lengths, Vec::new(), inputs)
}

fn clip_case(about: &str, lengths: &[usize], max_norm: f64, inputs: Vec<Vec<f64>>) -> Case {
    let settings = vec![("max_norm", max_norm)];
    case(CLIP, about, lengths, settings, inputs)
}

fn case(
    call: &'static str,
    about: &str,
    lengths: &[usize],
    settings: Vec<(&'static str, f64)>,
    inputs: Vec<Vec<f64>>,
) -> Case {
    let names: Vec<String> = lengths.iter().map(ToString::to_string).collect();
    let tensors = match lengths {
        [] => "no tensors".to_owned(),
        [one] => format!("a tensor of length {one}"),
        _ => format!("tensors of lengths {}", names.join(", ")),
    };
    let channels = match call {
        CLIP => &CHANNELS[..=lengths.len()],
        _ => &CHANNELS[..1],
    };
    let about = format!("{call}, {about}, {tensors}");
    Case {
        names,
        ..Case::given(about, call, channels, settings, Vec::new(), inputs)
    }
}

/// The Euclidean norm, from the values divided by the largest.
fn length(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    let sum: f64 = values.iter().map(|x| (x / largest) * (x / largest)).sum();
    largest * sum.sqrt()
}

/// What `clip` returns and leaves behind.
fn clipped(values: &[f64], lengths: &[usize], max_norm: f64) -> Frame {
    let norm = length(values);
    let factor = if norm > max_norm {
        max_norm / norm
    } else {
        1.0
    };
    let mut frame = cut(&scaled(values.to_vec(), factor), lengths);
    frame.insert(0, vec![norm]);
    frame
}

/// Cases on which every two mutants differ. No value is so far from 1 that its square would not do:
/// a mistake is recognised beside the plain form of the norm, too.
fn probes() -> Vec<Case> {
    let lengths = [2, 0, 3];
    let inputs = vec![
        vec![0.3, -0.2, 0.1, 0.4, -0.5],
        vec![-1.0, -2.0, -0.5, -3.0, -0.25],
        vec![0.0; 5],
        vec![0.02, 0.03, -0.01, 0.04, 0.01],
        vec![3.0, 1.0, -2.0, 2.5, 4.0],
    ];
    vec![
        norm_case("a probe", &lengths, inputs.clone()),
        clip_case("a probe", &lengths, 0.6, inputs.clone()),
        clip_case("a probe", &lengths, 2.0, inputs),
    ]
}

// --- Mutants --------------------------------------------------------------------------------------------------------------------

fn norm(tensors: &[Vec<f64>]) -> f64 {
    length(&tensors.concat())
}

/// Multiplies every value.
fn scale(tensors: &mut [Vec<f64>], factor: f64) {
    for value in tensors.iter_mut().flatten() {
        *value *= factor;
    }
}

/// A norm that is mistaken, also where `clip` takes it.
fn mistaken_norm(case: &Case, norm: Norm) -> Step {
    run(case, norm, move |tensors, max_norm| {
        let norm = norm(tensors);
        if norm > max_norm {
            scale(tensors, max_norm / norm);
        }
        norm
    })
}

/// A clipping that is mistaken, with a norm that is right.
fn mistaken_clip(case: &Case, clip: Clip) -> Step {
    run(case, norm, clip)
}

fn sum_of_squares(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum()
}

const ALL: &str = "exercises/ex12-clipping.html#one-norm-for-all-tensors";
const EUCLID: &str = "exercises/ex12-clipping.html#the-euclidean-norm";
const FACTOR: &str = "exercises/ex12-clipping.html#the-factor-and-when-it-applies";
const FORMS: &str = "exercises/ex12-clipping.html#two-forms-of-the-factor";
const RETURNED: &str = "exercises/ex12-clipping.html#what-comes-back";
const FAR: &str = "exercises/ex12-clipping.html#values-far-from-1";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "each-tensor-by-its-own-norm",
        mistake: "each tensor is clipped by its own norm. One factor, from the norm of all values, keeps the direction of the whole gradient.",
        read: ALL,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let before = norm(tensors);
                for tensor in tensors {
                    let own = length(tensor);
                    if own > max_norm {
                        scale(std::slice::from_mut(tensor), max_norm / own);
                    }
                }
                before
            })
        },
    },
    Mutant {
        name: "sum-of-the-norms",
        mistake: "the norms of the tensors are added. Add the squares of all values, then take one root.",
        read: ALL,
        start: |case| {
            mistaken_norm(case, |tensors| {
                tensors.iter().map(|tensor| length(tensor)).sum()
            })
        },
    },
    Mutant {
        name: "largest-of-the-norms",
        mistake: "the largest of the tensors' norms is taken. Take the squares of all tensors into one sum.",
        read: ALL,
        start: |case| {
            mistaken_norm(case, |tensors| {
                tensors
                    .iter()
                    .map(|tensor| length(tensor))
                    .fold(0.0, f64::max)
            })
        },
    },
    Mutant {
        name: "norm-of-the-last-tensor",
        mistake: "the sum starts again at every tensor, so the norm is that of the last. Start it once, before the loop.",
        read: ALL,
        start: |case| {
            mistaken_norm(case, |tensors| {
                tensors.last().map_or(0.0, |tensor| length(tensor))
            })
        },
    },
    Mutant {
        name: "norm-taken-again-for-each-tensor",
        mistake: "the norm is taken again for every tensor, when those before it have been scaled. Take it once, before the loop.",
        read: ALL,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let before = norm(tensors);
                for i in 0..tensors.len() {
                    let now = norm(tensors);
                    if now > max_norm {
                        scale(&mut tensors[i..=i], max_norm / now);
                    }
                }
                before
            })
        },
    },
    Mutant {
        name: "only-the-first-tensor-scaled",
        mistake: "only the first tensor is scaled. The factor is for all of them.",
        read: ALL,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let norm = norm(tensors);
                if norm > max_norm {
                    let first = tensors.len().min(1);
                    scale(&mut tensors[..first], max_norm / norm);
                }
                norm
            })
        },
    },
    Mutant {
        name: "no-root",
        mistake: "the root is missing: the norm is the root of the sum of squares.",
        read: EUCLID,
        start: |case| mistaken_norm(case, |tensors| sum_of_squares(&tensors.concat())),
    },
    Mutant {
        name: "sum-of-absolute-values",
        mistake: "the norm is the sum of the absolute values (L1). Square, add, take the root.",
        read: EUCLID,
        start: |case| {
            mistaken_norm(case, |tensors| {
                tensors.iter().flatten().map(|x| x.abs()).sum()
            })
        },
    },
    Mutant {
        name: "largest-value",
        mistake: "the norm is the largest absolute value (the maximum norm). Square, add, take the root.",
        read: EUCLID,
        start: |case| {
            mistaken_norm(case, |tensors| {
                tensors
                    .iter()
                    .flatten()
                    .fold(0.0, |max, x| max.max(x.abs()))
            })
        },
    },
    Mutant {
        name: "root-of-the-mean",
        mistake: "the squares are averaged (that is the RMS). Add them: the norm grows with the number of values.",
        read: EUCLID,
        start: |case| {
            mistaken_norm(case, |tensors| {
                let values = tensors.concat();
                length(&values) / (values.len().max(1) as f64).sqrt()
            })
        },
    },
    Mutant {
        name: "clip-inverted",
        mistake: "the factor is norm / max_norm, which makes a large gradient larger. It is max_norm / norm.",
        read: FACTOR,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let norm = norm(tensors);
                if norm > max_norm {
                    scale(tensors, norm / max_norm);
                }
                norm
            })
        },
    },
    Mutant {
        name: "condition-inverted",
        mistake: "gradients below the limit are scaled up to it, and those above it stay. Scale where norm > max_norm.",
        read: FACTOR,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let norm = norm(tensors);
                if norm < max_norm {
                    scale(tensors, max_norm / norm);
                }
                norm
            })
        },
    },
    Mutant {
        name: "always-scaled",
        mistake: "every gradient is scaled to max_norm, also a shorter one. Scale only where norm > max_norm.",
        read: FACTOR,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let norm = norm(tensors);
                scale(tensors, max_norm / norm);
                norm
            })
        },
    },
    Mutant {
        name: "scaled-to-norm-1",
        mistake: "the values are divided by the norm, which leaves the norm 1. Multiply by max_norm as well.",
        read: FACTOR,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let norm = norm(tensors);
                if norm > max_norm {
                    scale(tensors, 1.0 / norm);
                }
                norm
            })
        },
    },
    Mutant {
        name: "square-against-the-limit",
        mistake: "the sum of squares is compared with max_norm. Compare the norm.",
        read: FACTOR,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let norm = norm(tensors);
                if norm * norm > max_norm {
                    scale(tensors, max_norm / norm);
                }
                norm
            })
        },
    },
    Mutant {
        name: "each-value-by-itself",
        mistake: "each value is brought into [-max_norm, max_norm] by itself. That is clipping by value, and turns the gradient.",
        read: FACTOR,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let norm = norm(tensors);
                for value in tensors.iter_mut().flatten() {
                    *value = value.clamp(-max_norm, max_norm);
                }
                norm
            })
        },
    },
    Mutant {
        name: "a-millionth-added-to-the-norm",
        mistake: "the factor is max_norm / (norm + 1e-6), as in PyTorch. Here it is max_norm / norm, as in optax and in the paper.",
        read: FORMS,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let norm = norm(tensors);
                scale(tensors, (max_norm / (norm + 1e-6)).min(1.0));
                norm
            })
        },
    },
    Mutant {
        name: "norm-after-clipping",
        mistake: "the norm after clipping is returned. Return the one before: it says how large the gradient was.",
        read: RETURNED,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let norm = norm(tensors);
                if norm > max_norm {
                    scale(tensors, max_norm / norm);
                }
                norm.min(max_norm)
            })
        },
    },
    Mutant {
        name: "factor-returned",
        mistake: "the factor is returned. Return the norm from before clipping.",
        read: RETURNED,
        start: |case| {
            mistaken_clip(case, |tensors, max_norm| {
                let norm = norm(tensors);
                if norm > max_norm {
                    scale(tensors, max_norm / norm);
                    return max_norm / norm;
                }
                1.0
            })
        },
    },
    Mutant {
        name: "a-copy-clipped",
        mistake: "the tensors stay as they were: a copy is scaled, or nothing. Write through `&mut`, for instance with `iter_mut`.",
        read: RETURNED,
        start: |case| mistaken_clip(case, |tensors, _| norm(tensors)),
    },
    Mutant {
        name: "squares-overflow",
        mistake: "the squares overflow to infinity, or vanish to 0, though the norm does neither. `f64::hypot` avoids it; so does a scale.",
        read: FAR,
        start: |case| mistaken_norm(case, |tensors| sum_of_squares(&tensors.concat()).sqrt()),
    },
    Mutant {
        name: "zeros-divided-by-zero",
        mistake: "the values are divided by the largest, which may be 0: 0/0 is NaN. Zeros have the norm 0.",
        read: FAR,
        start: |case| {
            mistaken_norm(case, |tensors| {
                let values = tensors.concat();
                let largest = values.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
                let scaled = values.iter().map(|x| x / largest);
                largest * scaled.map(|x| x * x).sum::<f64>().sqrt()
            })
        },
    },
    Mutant {
        name: "largest-without-its-absolute-value",
        mistake: "the largest value is taken with its sign: where all are negative it is 0. Take the largest absolute value.",
        read: FAR,
        start: |case| {
            mistaken_norm(case, |tensors| {
                let values = tensors.concat();
                let largest = values.iter().fold(0.0, |max: f64, &x| max.max(x));
                if values.iter().all(|&x| x == 0.0) {
                    return 0.0;
                }
                let scaled = values.iter().map(|x| x / largest);
                largest * scaled.map(|x| x * x).sum::<f64>().sqrt()
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------------------

/// Multiplies each value by the limit, and divides it by the norm.
fn clip_in_two_operations(tensors: &mut [Vec<f64>], max_norm: f64, norm: f64) -> f64 {
    if norm > max_norm {
        for tensor in tensors {
            *tensor = tensor.iter().map(|value| value / norm * max_norm).collect();
        }
    }
    norm
}

static VARIANTS: &[Variant] = &[
    Variant {
        name: "hypot-from-value-to-value",
        start: |case| {
            fn norm(tensors: &[Vec<f64>]) -> f64 {
                tensors
                    .iter()
                    .flatten()
                    .fold(0.0, |norm: f64, x| norm.hypot(*x))
            }
            run(case, norm, |tensors, max_norm| {
                let norm = norm(tensors);
                if norm > max_norm {
                    scale(tensors, max_norm / norm);
                }
                norm
            })
        },
    },
    Variant {
        name: "scaled-by-the-largest",
        start: |case| mistaken_norm(case, norm),
    },
    Variant {
        name: "norm-of-the-norms-of-the-tensors",
        start: |case| {
            fn norm(tensors: &[Vec<f64>]) -> f64 {
                let norms: Vec<f64> = tensors.iter().rev().map(|tensor| length(tensor)).collect();
                length(&norms)
            }
            run(case, norm, |tensors, max_norm| {
                let norm = norm(tensors);
                clip_in_two_operations(tensors, max_norm, norm)
            })
        },
    },
    Variant {
        name: "scaled-by-a-power-of-two-and-a-factor-of-at-most-1",
        start: |case| {
            fn norm(tensors: &[Vec<f64>]) -> f64 {
                for power in [1.0, 2f64.powi(-600), 2f64.powi(600)] {
                    let scaled = tensors.iter().flatten().map(|x| x * power);
                    let sum: f64 = scaled.map(|x| x * x).sum();
                    if sum.is_normal() {
                        return sum.sqrt() / power;
                    }
                }
                0.0
            }
            run(case, norm, |tensors, max_norm| {
                let norm = norm(tensors);
                let factor = if norm > 0.0 { max_norm / norm } else { 1.0 };
                scale(tensors, factor.min(1.0));
                norm
            })
        },
    },
    Variant {
        name: "divided-by-the-larger-of-the-two",
        start: |case| {
            run(case, norm, |tensors, max_norm| {
                let norm = norm(tensors);
                // max_norm / max(norm, max_norm) is 1 up to the limit.
                scale(tensors, max_norm / norm.max(max_norm));
                norm
            })
        },
    },
];
