//! Exercise 13: parameter groups.
//!
//! A case calls `decays`, `assign` or `step`; its names are its tensors, each followed by numbers.
//!
//! - `decays`: the numbers are the shape; an input is the shape of the next tensor, and what is seen is 1 where it decays.
//! - `assign`: the numbers are the shape; `start` holds, for each group, the place in `TAKES` of what it takes; the one input is empty.
//!   What is seen is the place of the tensor that was refused (-1 for none), how many groups take it, and the group of every tensor.
//! - `step`: the numbers are the tensor's group and its length; the settings are the groups, `start` and an input the values of all tensors.
//!   What is seen is the tensors.

use std::fmt::Write as _;

use crate::case::{Case, Frame};
use crate::common::{function, gradients};
use crate::exercise::{Check, Exercise, Mutant, Step, Variant};
use crate::random::Random;

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex13",
    slug: "ex13-param-groups",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// What a learner writes.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `decays(name, shape)`.
    pub decays: Takes,
    /// `assign(tensors, groups)`: the group of each tensor, or the name of one that is refused and how many groups take it.
    pub assign: Assign,
    /// `step(theta, grad, group_of, groups)`, a group being its learning rate and its weight decay.
    pub step: Update,
}

/// What a group takes, by name and shape.
pub type Takes = fn(&str, &[usize]) -> bool;

/// A learner's `assign`.
pub type Assign = fn(&[(&str, &[usize])], &[Takes]) -> Result<Vec<usize>, (String, usize)>;

/// A learner's `step`.
pub type Update = fn(&mut [Vec<f64>], &[Vec<f64>], &[usize], &[(f64, f64)]);

/// Puts a learner's code through the check of that name.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: Code) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's code as a subject: what a check drives.
pub fn start(code: Code) -> impl Fn(&Case) -> Step + Send + 'static {
    move |case| run(case, code)
}

fn run(case: &Case, code: Code) -> Step {
    let tensors: Vec<(String, Vec<usize>)> = case.names.iter().map(|name| tensor(name)).collect();
    match case.call {
        DECAYS => {
            let mut names = tensors.into_iter().map(|(name, _)| name);
            Box::new(move |shape| {
                let name = names.next().expect("a step for each tensor");
                let shape: Vec<usize> = shape.iter().map(|&axis| axis as usize).collect();
                vec![vec![f64::from((code.decays)(&name, &shape))]]
            })
        }
        ASSIGN => {
            let groups: Vec<Takes> = case
                .start
                .iter()
                .map(|&place| TAKES[place as usize].1)
                .collect();
            function(move |_| {
                let borrowed: Vec<(&str, &[usize])> = tensors
                    .iter()
                    .map(|(name, shape)| (name.as_str(), shape.as_slice()))
                    .collect();
                seen(&tensors, (code.assign)(&borrowed, &groups))
            })
        }
        _ => {
            let group_of: Vec<usize> = tensors.iter().map(|(_, numbers)| numbers[0]).collect();
            let lengths: Vec<usize> = tensors.iter().map(|(_, numbers)| numbers[1]).collect();
            let groups: Vec<(f64, f64)> = case
                .settings
                .chunks(2)
                .map(|pair| (pair[0].1, pair[1].1))
                .collect();
            let mut theta = cut(&case.start, &lengths);
            Box::new(move |grad| {
                (code.step)(&mut theta, &cut(grad, &lengths), &group_of, &groups);
                theta.clone()
            })
        }
    }
}

/// What can be seen of an assignment.
fn seen(tensors: &[(String, Vec<usize>)], result: Result<Vec<usize>, (String, usize)>) -> Frame {
    match result {
        Ok(groups) => {
            let groups = groups.iter().map(|&group| group as f64).collect();
            vec![vec![-1.0], vec![1.0], groups]
        }
        Err((name, takers)) => {
            let place = tensors.iter().position(|(known, _)| *known == name);
            // A name that no tensor has is seen as -2.
            let place = place.map_or(-2.0, |place| place as f64);
            vec![vec![place], vec![takers as f64], Vec::new()]
        }
    }
}

/// A name and the numbers after it.
fn tensor(text: &str) -> (String, Vec<usize>) {
    let mut words = text.split(' ');
    let name = words.next().unwrap_or_default().to_owned();
    let number = |word: &str| word.parse().expect("a whole number");
    (name, words.map(number).collect())
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

/// What the groups of the checks take, with a name for it.
static TAKES: &[(&str, Takes)] = &[
    ("all", |_, _| true),
    ("matrices", |_, shape| shape.len() >= 2),
    ("vectors", |_, shape| shape.len() < 2),
    ("biases", |name, _| {
        name.split('.').next_back() == Some("bias")
    }),
    ("the head", |name, _| name.starts_with("head.")),
    ("nothing", |_, _| false),
];

const EVERYTHING: usize = 0;
const MATRICES: usize = 1;
const VECTORS: usize = 2;
const BIASES: usize = 3;
const HEAD: usize = 4;
const NOTHING: usize = 5;

// --- Checks ---------------------------------------------------------------------------------------------------------------------

const DECAYS: &str = "decays";
const ASSIGN: &str = "assign";
const STEP: &str = "step";

static THETA: &[&str] = &[
    "theta[0]", "theta[1]", "theta[2]", "theta[3]", "theta[4]", "theta[5]",
];

static GROUPS: &[(&str, &str)] = &[
    ("lr[0]", "weight_decay[0]"),
    ("lr[1]", "weight_decay[1]"),
    ("lr[2]", "weight_decay[2]"),
];

static CHECKS: &[Check] = &[
    Check {
        name: "a_block_decays_in_its_matrices_only",
        asked: "decays is true (1) for a matrix; false (0) for biases, for scales of norms, and for an embedding.",
        run: |exam| {
            decides(
                exam,
                "",
                &[
                    ("fc.weight 16 4", true),
                    ("fc.bias 16", false),
                    ("norm.weight 4", false),
                    ("embedding.weight 50 4", false),
                ],
            )
        },
    },
    Check {
        name: "axes_count_and_not_values",
        asked: "Two or more axes decay, whatever their lengths; one axis or none does not, however long.",
        run: |exam| {
            decides(
                exam,
                "",
                &[
                    ("filter.weight 8 3 5 5", true),
                    ("scale", false),
                    ("gate 1", false),
                    ("table 5000", false),
                ],
            )?;
            decides(
                exam,
                "",
                &[
                    ("mix 1 1", true),
                    ("row 1 64", true),
                    ("cube 2 2 2", true),
                    ("none 0 7", true),
                ],
            )
        },
    },
    Check {
        name: "a_name_is_read_in_whole_parts",
        asked: "Only a whole part `embedding`, between points, keeps a matrix from decay; `bias` in a name does not.",
        run: |exam| {
            decides(
                exam,
                "",
                &[
                    ("token.embedding.weight 50 4", false),
                    ("position.embedding 9 4", false),
                    ("embedding 50 4", false),
                ],
            )?;
            decides(
                exam,
                "",
                &[
                    ("unembedding.weight 50 4", true),
                    ("embedding_proj.weight 4 4", true),
                    ("debias.weight 4 4", true),
                    ("head.bias 1 50", true),
                    ("norm_mix.weight 4 4", true),
                ],
            )
        },
    },
    Check {
        name: "any_name_and_any_shape",
        asked: "decays is true where there are two or more axes and no part of the name is `embedding`.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            let parts = [
                "embedding",
                "embeddings",
                "unembedding",
                "embedding_proj",
                "bias",
                "debias",
                "norm",
                "proj",
                "weight",
                "3",
            ];
            for _ in 0..12 {
                let mut tensors = Vec::new();
                for _ in 0..4 {
                    let below = |random: &mut Random, n: f64| random.between(0.0, n) as usize;
                    let name: Vec<_> = (0..=below(&mut random, 4.0))
                        .map(|_| parts[below(&mut random, 10.0)])
                        .collect();
                    let axes = below(&mut random, 5.0);
                    let shape: Vec<usize> = (0..axes).map(|_| below(&mut random, 6.0)).collect();
                    let decays = axes >= 2 && !name.contains(&"embedding");
                    let mut text = name.join(".");
                    for axis in shape {
                        let _ = write!(text, " {axis}");
                    }
                    tensors.push((text, decays));
                }
                let about = format!("MOMENTS_SEED={}, ", exam.seed);
                let tensors: Vec<_> = tensors
                    .iter()
                    .map(|(text, decays)| (text.as_str(), *decays))
                    .collect();
                decides(exam, &about, &tensors)?;
            }
            Ok(())
        },
    },
    Check {
        name: "each_tensor_goes_to_the_group_that_takes_it",
        asked: "group[i] is the place of the group that takes tensor i, the first group being 0.",
        run: |exam| {
            let model = ["fc.weight 16 4", "fc.bias 16", "out.weight 4 2", "scale"];
            for (groups, expected) in [
                (&[MATRICES, VECTORS][..], [0.0, 1.0, 0.0, 1.0]),
                (&[VECTORS, MATRICES], [1.0, 0.0, 1.0, 0.0]),
                (&[NOTHING, HEAD, VECTORS, MATRICES], [3.0, 2.0, 3.0, 2.0]),
                (&[EVERYTHING], [0.0; 4]),
            ] {
                let frame = vec![vec![-1.0], vec![1.0], expected.to_vec()];
                exam.expect(&assign_case(groups, &model), &[frame])?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_tensor_without_a_group_or_with_several_is_refused",
        asked: "refused is the first tensor not taken by exactly one group (-1: no error), takers its number of groups.",
        run: |exam| {
            let model = ["fc.weight 16 4", "fc.bias 16", "head.weight 4 2", "scale"];
            for (groups, place, takers) in [
                (&[MATRICES][..], 1.0, 0.0),
                (&[MATRICES, BIASES], 3.0, 0.0),
                (&[MATRICES, VECTORS, HEAD], 2.0, 2.0),
                (&[MATRICES, VECTORS, BIASES, EVERYTHING], 0.0, 2.0),
                (&[VECTORS, BIASES, HEAD, BIASES], 0.0, 0.0),
                (&[MATRICES, BIASES, VECTORS, BIASES], 1.0, 3.0),
            ] {
                let frame = vec![vec![place], vec![takers], Vec::new()];
                exam.expect(&assign_case(groups, &model), &[frame])?;
            }
            Ok(())
        },
    },
    Check {
        name: "no_tensors_and_no_groups",
        asked: "Without tensors there is nothing to refuse; without groups the first tensor is refused, takers 0.",
        run: |exam| {
            let nothing = vec![vec![-1.0], vec![1.0], Vec::new()];
            exam.expect(&assign_case(&[], &[]), std::slice::from_ref(&nothing))?;
            exam.expect(&assign_case(&[EVERYTHING, EVERYTHING], &[]), &[nothing])?;
            let refused = vec![vec![0.0], vec![0.0], Vec::new()];
            exam.expect(
                &assign_case(&[], &["fc.weight 16 4", "scale"]),
                std::slice::from_ref(&refused),
            )?;
            exam.expect(&assign_case(&[NOTHING], &["scale"]), &[refused])
        },
    },
    Check {
        name: "a_step_uses_the_rate_and_the_decay_of_the_group",
        asked: "Each tensor moves by its own group: theta - lr * (g + weight_decay * theta), with the old theta.",
        run: |exam| {
            let case = step_case(
                "",
                &[(0.1, 0.5), (0.2, 0.0)],
                &["fc.weight 0 2", "norm.weight 1 1", "out.weight 0 1"],
                vec![2.0, -4.0, 1.0, 8.0],
                vec![vec![0.0; 4], vec![1.0, 0.0, -1.0, 0.5]],
            );
            let expected = [
                vec![vec![1.9, -3.8], vec![1.0], vec![7.6]],
                vec![vec![1.705, -3.61], vec![1.2], vec![7.17]],
            ];
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "any_groups_and_any_gradients",
        asked: "After t steps theta is k^t of its start less lr times the sum of k^(t-i) g_i, k = 1 - lr * weight_decay.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for (groups, tensors) in [
                (3, &["a 2 3", "b 0 1", "c 1 2", "d 2 4", "e 0 0"][..]),
                (1, &["a 0 2", "b 0 3"]),
                (2, &["a 1 1", "b 1 2", "c 1 1"]),
                (1, &[]),
            ] {
                let groups: Vec<(f64, f64)> = (0..groups)
                    .map(|_| (random.between(0.01, 0.5), random.between(0.0, 1.0)))
                    .collect();
                let parsed: Vec<(String, Vec<usize>)> =
                    tensors.iter().map(|text| tensor(text)).collect();
                let lengths: Vec<usize> = parsed.iter().map(|(_, numbers)| numbers[1]).collect();
                let len = lengths.iter().sum();
                // So far from 0 that no first step ends near it, where rounding would weigh more.
                let start: Vec<f64> = (0..len).map(|_| random.magnitude(0.4, 0.5)).collect();
                let grads = gradients(&mut random, 6, len, 1.0);
                let group = parsed
                    .iter()
                    .flat_map(|(_, numbers)| vec![numbers[0]; numbers[1]]);
                let group: Vec<usize> = group.collect();
                let after = |t: usize| {
                    let value = |i: usize| {
                        let (lr, weight_decay) = groups[group[i]];
                        let kept = 1.0 - lr * weight_decay;
                        let moved = (1..=t).map(|s| kept.powi((t - s) as i32) * grads[s - 1][i]);
                        kept.powi(t as i32) * start[i] - lr * moved.sum::<f64>()
                    };
                    cut(&(0..len).map(value).collect::<Vec<_>>(), &lengths)
                };
                let expected: Vec<Frame> = (1..=6).map(after).collect();
                let about = format!("MOMENTS_SEED={}, ", exam.seed);
                let case = step_case(&about, &groups, tensors, start.clone(), grads.clone());
                exam.expect(&case, &expected)?;
            }
            Ok(())
        },
    },
];

/// Tensors with their shapes as one writes them, counted from a number.
fn shown(first: usize, tensors: &[&str]) -> String {
    let mut listed = Vec::new();
    for (number, text) in (first..).zip(tensors) {
        let (name, shape) = tensor(text);
        listed.push(format!("{number}. {name} {shape:?}"));
    }
    match listed.len() {
        0 => "none".to_owned(),
        _ => listed.join(", "),
    }
}

fn decays_case(about: &str, tensors: &[&str]) -> Case {
    let shape = |text: &&str| tensor(text).1.iter().map(|&axis| axis as f64).collect();
    let inputs = tensors.iter().map(shape).collect();
    let about = format!("{about}{}", shown(1, tensors));
    let case = Case::given(about, DECAYS, &["decays"], Vec::new(), Vec::new(), inputs);
    named(case, tensors)
}

fn named(case: Case, tensors: &[&str]) -> Case {
    let names = tensors.iter().map(ToString::to_string).collect();
    Case { names, ..case }
}

fn decides(exam: &crate::Exam<'_>, about: &str, tensors: &[(&str, bool)]) -> crate::Verdict {
    let texts: Vec<_> = tensors.iter().map(|(text, _)| *text).collect();
    let frame = |(_, decays): &(&str, bool)| vec![vec![f64::from(*decays)]];
    let expected: Vec<Frame> = tensors.iter().map(frame).collect();
    exam.expect(&decays_case(about, &texts), &expected)
}

fn assign_case(groups: &[usize], tensors: &[&str]) -> Case {
    let takes: Vec<_> = groups.iter().map(|&place| TAKES[place].0).collect();
    let takes = match takes.len() {
        0 => "none".to_owned(),
        _ => takes.join(", "),
    };
    let about = format!("groups: {takes}; tensors: {}", shown(0, tensors));
    let channels = &["refused", "takers", "group"];
    let start = groups.iter().map(|&place| place as f64).collect();
    let case = Case::given(about, ASSIGN, channels, Vec::new(), start, vec![Vec::new()]);
    named(case, tensors)
}

fn step_case(
    about: &str,
    groups: &[(f64, f64)],
    tensors: &[&str],
    start: Vec<f64>,
    grads: Vec<Vec<f64>>,
) -> Case {
    let listed: Vec<_> = tensors
        .iter()
        .map(|text| tensor(text))
        .map(|(name, numbers)| format!("{name} in group {}", numbers[0]))
        .collect();
    let mut settings = Vec::new();
    for (&(lr, weight_decay), names) in groups.iter().zip(GROUPS) {
        settings.push((names.0, lr));
        settings.push((names.1, weight_decay));
    }
    let about = format!("{about}{}", listed.join(", "));
    let channels = &THETA[..tensors.len()];
    named(
        Case::given(about, STEP, channels, settings, start, grads),
        tensors,
    )
}

/// Cases on which every two mutants differ.
fn probes() -> Vec<Case> {
    let mut random = Random::new(13);
    let mut grads = gradients(&mut random, 4, 7, 1.0);
    grads[2][0] = 0.0;
    grads[3][3] = 0.0;
    let model = ["fc.weight 16 4", "fc.bias 16", "head.weight 4 2", "scale"];
    vec![
        decays_case(
            "",
            &[
                "fc.weight 16 4",
                "fc.bias 16",
                "fc.attention_bias 4 4",
                "norm.weight 4",
                "gain 4",
                "normal.weight 4 4",
                "filter.weight 8 3 5 5",
                "scale",
                "gate 1",
                "mix 1 1",
                "row 1 64",
                "embedding.weight 50 4",
                "token.embedding.weight 50 4",
                "token.embedding 50 4",
                "unembedding.weight 50 4",
                "embedding.scale 4",
                "debias.weight 4 4",
            ],
        ),
        assign_case(&[MATRICES, VECTORS], &model),
        assign_case(&[NOTHING, VECTORS, MATRICES], &model),
        assign_case(&[MATRICES, BIASES], &model),
        assign_case(&[HEAD, MATRICES, BIASES, VECTORS, VECTORS], &model),
        assign_case(&[VECTORS, BIASES, HEAD], &model),
        assign_case(&[MATRICES, BIASES, HEAD], &model),
        step_case(
            "",
            &[(0.1, 0.5), (0.3, 0.0), (0.2, 0.9)],
            &["a 1 1", "b 0 2", "c 2 1", "d 0 1", "e 1 2"],
            vec![1.5, -2.0, 0.7, 1.1, -0.4, 0.9, 2.2],
            grads,
        ),
    ]
}

// --- Mutants --------------------------------------------------------------------------------------------------------------------

/// Whether a part of the name is `embedding`.
fn embeds(name: &str) -> bool {
    name.split('.').any(|part| part == "embedding")
}

fn decays(name: &str, shape: &[usize]) -> bool {
    shape.len() >= 2 && !embeds(name)
}

type Assigned = Result<Vec<usize>, (String, usize)>;

/// The places of the groups that take a tensor.
fn takers(groups: &[Takes], (name, shape): (&str, &[usize])) -> Vec<usize> {
    let takes = |&place: &usize| groups[place](name, shape);
    (0..groups.len()).filter(takes).collect()
}

fn assign(tensors: &[(&str, &[usize])], groups: &[Takes]) -> Assigned {
    let one = |&tensor: &(&str, &[usize])| match takers(groups, tensor)[..] {
        [one] => Ok(one),
        ref others => Err((tensor.0.to_owned(), others.len())),
    };
    tensors.iter().map(one).collect()
}

fn step(theta: &mut [Vec<f64>], grad: &[Vec<f64>], group_of: &[usize], groups: &[(f64, f64)]) {
    update(theta, grad, group_of, groups, |(lr, decay), theta, g| {
        theta - lr * decay * theta - lr * g
    });
}

/// Replaces every value, by a rule that is given its group, the value and the gradient.
fn update(
    theta: &mut [Vec<f64>],
    grad: &[Vec<f64>],
    group_of: &[usize],
    groups: &[(f64, f64)],
    rule: fn((f64, f64), f64, f64) -> f64,
) {
    for ((theta, grad), &group) in theta.iter_mut().zip(grad).zip(group_of) {
        for (theta, &g) in theta.iter_mut().zip(grad) {
            *theta = rule(groups[group], *theta, g);
        }
    }
}

const RIGHT: Code = Code {
    decays,
    assign,
    step,
};

fn mistaken_decays(case: &Case, decays: Takes) -> Step {
    run(case, Code { decays, ..RIGHT })
}

fn mistaken_assign(case: &Case, assign: Assign) -> Step {
    run(case, Code { assign, ..RIGHT })
}

fn mistaken_step(case: &Case, step: Update) -> Step {
    run(case, Code { step, ..RIGHT })
}

const AXES: &str = "exercises/ex13-param-groups.html#two-axes-or-more";
const NAMES: &str = "exercises/ex13-param-groups.html#names-in-whole-parts";
const ONE: &str = "exercises/ex13-param-groups.html#exactly-one-group";
const REFUSED: &str = "exercises/ex13-param-groups.html#an-error-that-helps";
const STEPPED: &str = "exercises/ex13-param-groups.html#each-tensor-by-its-own-group";
const DECAYED: &str = "exercises/ex13-param-groups.html#the-decay-of-a-step";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "everything-decays",
        mistake: "every tensor decays. Biases, scales of norms and embeddings should not.",
        read: AXES,
        start: |case| mistaken_decays(case, |_, _| true),
    },
    Mutant {
        name: "nothing-decays",
        mistake: "no tensor decays. Those with two or more axes should, but for embeddings.",
        read: AXES,
        start: |case| mistaken_decays(case, |_, _| false),
    },
    Mutant {
        name: "decays-inverted",
        mistake: "true and false have changed places: `decays` is true for what decays.",
        read: AXES,
        start: |case| mistaken_decays(case, |name, shape| !decays(name, shape)),
    },
    Mutant {
        name: "one-axis-is-enough",
        mistake: "one axis is enough to decay, so biases and norms do. It takes two.",
        read: AXES,
        start: |case| mistaken_decays(case, |name, shape| !shape.is_empty() && !embeds(name)),
    },
    Mutant {
        name: "three-axes-are-needed",
        mistake: "it takes more than two axes to decay. It takes two or more: `>= 2`.",
        read: AXES,
        start: |case| mistaken_decays(case, |name, shape| shape.len() > 2 && !embeds(name)),
    },
    Mutant {
        name: "exactly-two-axes",
        mistake: "only tensors of exactly two axes decay. The filters of a convolution have four, and decay too.",
        read: AXES,
        start: |case| mistaken_decays(case, |name, shape| shape.len() == 2 && !embeds(name)),
    },
    Mutant {
        name: "values-counted",
        mistake: "the values are counted, not the axes. A bias may have a thousand values, and has one axis.",
        read: AXES,
        start: |case| {
            mistaken_decays(case, |name, shape| {
                shape.iter().product::<usize>() > 1 && !embeds(name)
            })
        },
    },
    Mutant {
        name: "axes-of-length-1-left-out",
        mistake: "axes of length 1 are not counted. A matrix of one row has two axes.",
        read: AXES,
        start: |case| {
            mistaken_decays(case, |name, shape| {
                shape.iter().filter(|&&axis| axis > 1).count() >= 2 && !embeds(name)
            })
        },
    },
    Mutant {
        name: "biases-by-name-only",
        mistake: "only names that end in `bias` are spared. The scale of a norm is called `weight`, and has one axis as well: ask the shape.",
        read: NAMES,
        start: |case| mistaken_decays(case, |name, _| !name.ends_with("bias") && !embeds(name)),
    },
    Mutant {
        name: "biases-and-norms-by-name-only",
        mistake: "biases and norms are told by their names. Other vectors go by any name: ask the shape.",
        read: NAMES,
        start: |case| {
            mistaken_decays(case, |name, _| {
                !name.contains("bias") && !name.contains("norm") && !embeds(name)
            })
        },
    },
    Mutant {
        name: "bias-anywhere-in-the-name",
        mistake: "a matrix with `bias` in its name is spared, such as `debias.weight`. Its axes decide, and it has two.",
        read: NAMES,
        start: |case| {
            mistaken_decays(case, |name, shape| {
                decays(name, shape) && !name.contains("bias")
            })
        },
    },
    Mutant {
        name: "norm-anywhere-in-the-name",
        mistake: "a matrix with `norm` in its name is spared. Its axes decide, and it has two.",
        read: NAMES,
        start: |case| {
            mistaken_decays(case, |name, shape| {
                decays(name, shape) && !name.contains("norm")
            })
        },
    },
    Mutant {
        name: "embeddings-decay",
        mistake: "embeddings decay: their name is not looked at. They have two axes, and are spared all the same.",
        read: NAMES,
        start: |case| mistaken_decays(case, |_, shape| shape.len() >= 2),
    },
    Mutant {
        name: "embedding-anywhere-in-the-name",
        mistake: "`embedding` is looked for anywhere in the name, so `unembedding.weight` is spared. Compare whole parts between points.",
        read: NAMES,
        start: |case| {
            mistaken_decays(case, |name, shape| {
                shape.len() >= 2 && !name.contains("embedding")
            })
        },
    },
    Mutant {
        name: "embedding-only-as-the-first-part",
        mistake: "only a first part `embedding` is found. In `token.embedding.weight` it is the second: look at every part.",
        read: NAMES,
        start: |case| {
            mistaken_decays(case, |name, shape| {
                shape.len() >= 2 && name.split('.').next() != Some("embedding")
            })
        },
    },
    Mutant {
        name: "embedding-only-as-the-last-part",
        mistake: "only a last part `embedding` is found. In `embedding.weight` it is the first: look at every part.",
        read: NAMES,
        start: |case| {
            mistaken_decays(case, |name, shape| {
                shape.len() >= 2 && name.split('.').next_back() != Some("embedding")
            })
        },
    },
    Mutant {
        name: "or-for-and",
        mistake: "two axes or a name without `embedding` are enough. Both must hold: `&&`.",
        read: NAMES,
        start: |case| mistaken_decays(case, |name, shape| shape.len() >= 2 || !embeds(name)),
    },
    Mutant {
        name: "first-group-wins",
        mistake: "the first group that takes a tensor gets it, also where another takes it too. Two takers are an error.",
        read: ONE,
        start: |case| {
            mistaken_assign(case, |tensors, groups| {
                let first = |&tensor: &(&str, &[usize])| match takers(groups, tensor).first() {
                    Some(&first) => Ok(first),
                    None => Err((tensor.0.to_owned(), 0)),
                };
                tensors.iter().map(first).collect()
            })
        },
    },
    Mutant {
        name: "last-group-wins",
        mistake: "the last group that takes a tensor gets it, also where another takes it too. Two takers are an error.",
        read: ONE,
        start: |case| {
            mistaken_assign(case, |tensors, groups| {
                let last = |&tensor: &(&str, &[usize])| match takers(groups, tensor).last() {
                    Some(&last) => Ok(last),
                    None => Err((tensor.0.to_owned(), 0)),
                };
                tensors.iter().map(last).collect()
            })
        },
    },
    Mutant {
        name: "nobodys-tensor-to-group-0",
        mistake: "a tensor that no group takes goes to group 0. It is an error: nobody has said how to step it.",
        read: ONE,
        start: |case| {
            mistaken_assign(case, |tensors, groups| {
                let one = |&tensor: &(&str, &[usize])| match takers(groups, tensor)[..] {
                    [one] => Ok(one),
                    [] => Ok(0),
                    ref several => Err((tensor.0.to_owned(), several.len())),
                };
                tensors.iter().map(one).collect()
            })
        },
    },
    Mutant {
        name: "nobodys-tensor-left-out",
        mistake: "a tensor that no group takes is left out, so that the others move up in the list. It is an error.",
        read: ONE,
        start: |case| {
            mistaken_assign(case, |tensors, groups| {
                let mut places = Vec::new();
                for &tensor in tensors {
                    match takers(groups, tensor)[..] {
                        [one] => places.push(one),
                        [] => {}
                        ref several => return Err((tensor.0.to_owned(), several.len())),
                    }
                }
                Ok(places)
            })
        },
    },
    Mutant {
        name: "in-the-order-of-the-groups",
        mistake: "the list is in the order of the groups: group after group, with its tensors. It should be in the order of the tensors.",
        read: ONE,
        start: |case| {
            mistaken_assign(case, |tensors, groups| {
                let mut places = assign(tensors, groups)?;
                places.sort_unstable();
                Ok(places)
            })
        },
    },
    Mutant {
        name: "groups-from-1",
        mistake: "the first group is called 1. It is 0, so that the number is its place in `groups`.",
        read: ONE,
        start: |case| {
            mistaken_assign(case, |tensors, groups| {
                let places = assign(tensors, groups)?;
                Ok(places.iter().map(|place| place + 1).collect())
            })
        },
    },
    Mutant {
        name: "last-at-fault-named",
        mistake: "the last tensor at fault is named. Name the first: return as soon as it is found.",
        read: REFUSED,
        start: |case| {
            mistaken_assign(case, |tensors, groups| {
                let mut last = Ok(());
                for &tensor in tensors {
                    let takers = takers(groups, tensor).len();
                    if takers != 1 {
                        last = Err((tensor.0.to_owned(), takers));
                    }
                }
                last?;
                assign(tensors, groups)
            })
        },
    },
    Mutant {
        name: "a-name-of-no-tensor",
        mistake: "the name in the error is that of no tensor (seen as -2). Give the tensor's own name, with nothing added.",
        read: REFUSED,
        start: |case| {
            mistaken_assign(case, |tensors, groups| {
                assign(tensors, groups).map_err(|(name, takers)| (format!("tensor {name}"), takers))
            })
        },
    },
    Mutant {
        name: "several-before-nobody",
        mistake: "tensors with several groups are looked for first, those without one later. Name the first tensor of either kind.",
        read: REFUSED,
        start: |case| {
            mistaken_assign(case, |tensors, groups| {
                for &tensor in tensors {
                    let takers = takers(groups, tensor).len();
                    if takers > 1 {
                        return Err((tensor.0.to_owned(), takers));
                    }
                }
                assign(tensors, groups)
            })
        },
    },
    Mutant {
        name: "takers-counted-to-2",
        mistake: "the count of takers stops at 2. Ask every group before you judge.",
        read: REFUSED,
        start: |case| {
            mistaken_assign(case, |tensors, groups| {
                assign(tensors, groups).map_err(|(name, takers)| (name, takers.min(2)))
            })
        },
    },
    Mutant {
        name: "first-taker-not-counted",
        mistake: "the groups beyond the first are counted. Count all that take the tensor: 2 where two do.",
        read: REFUSED,
        start: |case| {
            mistaken_assign(case, |tensors, groups| {
                assign(tensors, groups).map_err(|(name, takers)| (name, takers.max(1) - 1))
            })
        },
    },
    Mutant {
        name: "rate-of-group-0-for-all",
        mistake: "all tensors have the learning rate of group 0. Each group has its own.",
        read: STEPPED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                let same: Vec<_> = groups.iter().map(|group| (groups[0].0, group.1)).collect();
                step(theta, grad, group_of, &same);
            })
        },
    },
    Mutant {
        name: "decay-of-group-0-for-all",
        mistake: "all tensors have the decay of group 0. Each group has its own, and one of them has 0.",
        read: STEPPED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                let same: Vec<_> = groups.iter().map(|group| (group.0, groups[0].1)).collect();
                step(theta, grad, group_of, &same);
            })
        },
    },
    Mutant {
        name: "group-0-for-all",
        mistake: "all tensors are stepped as group 0 is. The group of tensor i is `groups[group_of[i]]`.",
        read: STEPPED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                step(theta, grad, &vec![0; group_of.len()], groups);
            })
        },
    },
    Mutant {
        name: "groups-swapped",
        mistake: "the groups are counted from the end. The group of tensor i is `groups[group_of[i]]`, the first being 0.",
        read: STEPPED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                let reversed: Vec<_> = groups.iter().rev().copied().collect();
                step(theta, grad, group_of, &reversed);
            })
        },
    },
    Mutant {
        name: "zipped-with-the-groups",
        mistake: "tensor i is stepped as group i is, and those beyond the groups rest. Its group is `groups[group_of[i]]`.",
        read: STEPPED,
        start: |case| {
            mistaken_step(case, |theta, grad, _, groups| {
                let places: Vec<_> = (0..groups.len()).collect();
                step(theta, grad, &places, groups);
            })
        },
    },
    Mutant {
        name: "every-group-steps-every-tensor",
        mistake: "every group steps every tensor. A group steps its own tensors only.",
        read: STEPPED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                for place in 0..groups.len() {
                    step(theta, grad, &vec![place; group_of.len()], groups);
                }
            })
        },
    },
    Mutant {
        name: "no-decay-in-the-step",
        mistake: "the decay is not used: the step is theta - lr * g. Take lr * weight_decay * theta as well.",
        read: DECAYED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                update(theta, grad, group_of, groups, |(lr, _), theta, g| {
                    theta - lr * g
                });
            })
        },
    },
    Mutant {
        name: "decay-twice",
        mistake: "the decay is applied twice: in theta and again in the gradient. Once is enough.",
        read: DECAYED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                update(theta, grad, group_of, groups, |(lr, decay), theta, g| {
                    theta - 2.0 * lr * decay * theta - lr * g
                });
            })
        },
    },
    Mutant {
        name: "decay-not-scaled-by-lr",
        mistake: "the decay takes weight_decay * theta. It takes lr * weight_decay * theta, with the group's lr.",
        read: DECAYED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                update(theta, grad, group_of, groups, |(lr, decay), theta, g| {
                    theta - decay * theta - lr * g
                });
            })
        },
    },
    Mutant {
        name: "decay-after-the-step",
        mistake: "theta decays after it has moved, so the step decays too. Take the decay from the old theta.",
        read: DECAYED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                update(theta, grad, group_of, groups, |(lr, decay), theta, g| {
                    (theta - lr * g) * (1.0 - lr * decay)
                });
            })
        },
    },
    Mutant {
        name: "decay-with-the-wrong-sign",
        mistake: "the decay is added, so theta grows. Subtract it.",
        read: DECAYED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                update(theta, grad, group_of, groups, |(lr, decay), theta, g| {
                    theta + lr * decay * theta - lr * g
                });
            })
        },
    },
    Mutant {
        name: "zero-gradient-skipped",
        mistake: "a value whose gradient is 0 is skipped. It decays all the same.",
        read: DECAYED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                update(theta, grad, group_of, groups, |(lr, decay), theta, g| {
                    if g == 0.0 {
                        return theta;
                    }
                    theta - lr * decay * theta - lr * g
                });
            })
        },
    },
    Mutant {
        name: "ascent",
        mistake: "the sign. The gradient is subtracted: theta goes against it.",
        read: DECAYED,
        start: |case| {
            mistaken_step(case, |theta, grad, group_of, groups| {
                update(theta, grad, group_of, groups, |(lr, decay), theta, g| {
                    theta - lr * decay * theta + lr * g
                });
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "tensor-by-tensor",
        start: |case| run(case, RIGHT),
    },
    Variant {
        name: "names-in-points-and-group-by-group",
        start: |case| {
            fn assign(tensors: &[(&str, &[usize])], groups: &[Takes]) -> Assigned {
                let mut found = vec![(0, 0); tensors.len()];
                for (place, takes) in groups.iter().enumerate().rev() {
                    for ((name, shape), found) in tensors.iter().zip(&mut found) {
                        if takes(name, shape) {
                            *found = (place, found.1 + 1);
                        }
                    }
                }
                match found.iter().position(|&(_, takers)| takers != 1) {
                    Some(i) => Err((tensors[i].0.to_owned(), found[i].1)),
                    None => Ok(found.iter().map(|&(place, _)| place).collect()),
                }
            }
            run(
                case,
                Code {
                    decays: |name, shape| {
                        !(shape.len() < 2 || format!(".{name}.").contains(".embedding."))
                    },
                    assign,
                    step: |theta, grad, group_of, groups| {
                        for (place, &(lr, decay)) in groups.iter().enumerate() {
                            let kept = 1.0 - lr * decay;
                            for i in (0..theta.len()).filter(|&i| group_of[i] == place) {
                                for j in (0..theta[i].len()).rev() {
                                    theta[i][j] *= kept;
                                    theta[i][j] += -lr * grad[i][j];
                                }
                            }
                        }
                    },
                },
            )
        },
    },
    Variant {
        name: "decay-in-the-gradient-and-new-vectors",
        start: |case| {
            run(
                case,
                Code {
                    decays: |name, shape| match shape {
                        [] | [_] => false,
                        _ => name.split('.').all(|part| part != "embedding"),
                    },
                    assign: |tensors, groups| {
                        let mut places = Vec::with_capacity(tensors.len());
                        for (name, shape) in tensors {
                            let count = groups.iter().filter(|takes| takes(name, shape)).count();
                            let first = groups.iter().position(|takes| takes(name, shape));
                            match (first, count) {
                                (Some(place), 1) => places.push(place),
                                _ => return Err(((*name).to_owned(), count)),
                            }
                        }
                        Ok(places)
                    },
                    // For plain SGD the decay may as well be a part of the gradient.
                    step: |theta, grad, group_of, groups| {
                        for (i, tensor) in theta.iter_mut().enumerate() {
                            let (lr, decay) = groups[group_of[i]];
                            *tensor = tensor
                                .iter()
                                .zip(&grad[i])
                                .map(|(theta, g)| theta - lr * decay.mul_add(*theta, *g))
                                .collect();
                        }
                    },
                },
            )
        },
    },
];
