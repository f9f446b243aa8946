//! Exercise 17: the memory of a training run.
//!
//! A case calls `values` or `state_bytes`, whose inputs are the axes of one tensor, or `training_bytes`, whose inputs are whole models:
//! for each tensor the number of its axes, and then the axes.
//! The optimizer is the case's one name; the widths are its settings. What is seen is the answer.

use crate::case::{Case, Frame};
use crate::common::flag;
use crate::exercise::{Check, Exercise, Mutant, Step, Variant};
use crate::random::Random;

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex17",
    slug: "ex17-memory",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// The optimizers whose state is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Plain gradient descent.
    Sgd,
    /// With a velocity.
    Momentum,
    /// Adam and AdamW.
    Adam,
    /// Adam with the maximum of v.
    AmsGrad,
    /// Adafactor, with or without a first moment.
    Adafactor {
        /// Whether it keeps a first moment.
        momentum: bool,
    },
    /// Adam whose moments are kept in blocks of 8 bits.
    Adam8bit,
}

const KINDS: [(&str, Kind); 7] = [
    ("SGD", Kind::Sgd),
    ("momentum", Kind::Momentum),
    ("Adam", Kind::Adam),
    ("AMSGrad", Kind::AmsGrad),
    ("Adafactor", Kind::Adafactor { momentum: false }),
    (
        "Adafactor with momentum",
        Kind::Adafactor { momentum: true },
    ),
    ("8-bit Adam", Kind::Adam8bit),
];

/// Bytes for each value, and whether there is a master copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Of a parameter.
    pub parameter: u64,
    /// Of a gradient.
    pub gradient: u64,
    /// Of a value of the state.
    pub state: u64,
    /// Whether the parameters are kept a second time, in 4 bytes each.
    pub master: bool,
}

/// What a learner writes.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `values(shape)`.
    pub values: fn(&[u64]) -> u64,
    /// `state_bytes(shape, optimizer, width)`.
    pub state_bytes: fn(&[u64], Kind, u64) -> u64,
    /// `training_bytes(shapes, optimizer, widths)`.
    pub training_bytes: fn(&[Vec<u64>], Kind, Widths) -> u64,
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
    move |case| {
        let call = case.call;
        let kind = kind(case);
        let widths = widths(case);
        Box::new(move |input| {
            let answer = match call {
                VALUES => (code.values)(&axes(input)),
                STATE => (code.state_bytes)(&axes(input), kind, widths.state),
                _ => (code.training_bytes)(&model(input), kind, widths),
            };
            vec![vec![answer as f64]]
        })
    }
}

fn kind(case: &Case) -> Kind {
    let name = case.names.first().map_or("SGD", String::as_str);
    KINDS
        .iter()
        .find_map(|(known, kind)| (*known == name).then_some(*kind))
        .unwrap_or_else(|| panic!("the case `{}` names no optimizer: `{name}`", case.about))
}

fn widths(case: &Case) -> Widths {
    if case.call == VALUES {
        return Widths {
            parameter: 4,
            gradient: 4,
            state: 4,
            master: false,
        };
    }
    let whole = case.call == TRAINING;
    Widths {
        parameter: if whole {
            case.setting("parameter") as u64
        } else {
            4
        },
        gradient: if whole {
            case.setting("gradient") as u64
        } else {
            4
        },
        state: case.setting("state") as u64,
        master: whole && flag(case, "master"),
    }
}

fn axes(input: &[f64]) -> Vec<u64> {
    input.iter().map(|&axis| axis as u64).collect()
}

/// The shapes of a model, from a list in which each is preceded by how many axes it has.
fn model(mut input: &[f64]) -> Vec<Vec<u64>> {
    let mut shapes = Vec::new();
    while let Some((&count, rest)) = input.split_first() {
        let (shape, rest) = rest.split_at(count as usize);
        shapes.push(axes(shape));
        input = rest;
    }
    shapes
}

fn listed(shapes: &[Vec<u64>]) -> Vec<f64> {
    let one = |shape: &Vec<u64>| {
        std::iter::once(shape.len() as f64)
            .chain(shape.iter().map(|&axis| axis as f64))
            .collect::<Vec<_>>()
    };
    shapes.iter().flat_map(one).collect()
}

// --- Checks ---------------------------------------------------------------------------------------------------------

const VALUES: &str = "values";
const STATE: &str = "state_bytes";
const TRAINING: &str = "training_bytes";

static CHECKS: &[Check] = &[
    Check {
        name: "a_tensor_has_the_product_of_its_axes",
        asked: "values(shape) is the product of the axes; a tensor without axes is one number.",
        run: |exam| {
            let shapes: [&[f64]; 8] = [
                &[5.0],
                &[3.0, 4.0],
                &[2.0, 3.0, 5.0],
                &[],
                &[7.0, 0.0],
                &[1.0, 1.0, 9.0],
                &[50_257.0, 768.0],
                &[80.0, 28_672.0, 8192.0],
            ];
            for chunk in [&shapes[..3], &shapes[3..6], &shapes[6..7], &shapes[7..]] {
                let inputs: Vec<Vec<f64>> = chunk.iter().map(|shape| shape.to_vec()).collect();
                let expected: Vec<Frame> = inputs
                    .iter()
                    .map(|shape| vec![vec![shape.iter().product::<f64>()]])
                    .collect();
                let about = format!("{chunk:?}");
                let case = Case::given(about, VALUES, &["values"], vec![], vec![], inputs);
                exam.expect(&case, &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_vector_of_a_thousand",
        asked: "A vector of 1000 with 4 bytes a value: 0, 4000, 8000, 12000, 4000, 8000 and 2032 bytes of state.",
        run: |exam| {
            let bytes = [0.0, 4000.0, 8000.0, 12_000.0, 4000.0, 8000.0, 2032.0];
            for ((name, _), bytes) in KINDS.iter().zip(bytes) {
                let case = state_case(name, 4.0, vec![vec![1000.0]]);
                exam.expect(&case, &[vec![vec![bytes]]])?;
            }
            Ok(())
        },
    },
    Check {
        name: "adafactor_keeps_rows_and_columns",
        asked: "Of its last two axes, r by c, Adafactor keeps r + c values, once for each index of the axes before.",
        run: |exam| {
            let shapes = [
                vec![30.0, 50.0],
                vec![1.0, 8.0],
                vec![4.0, 30.0, 50.0],
                vec![2.0, 3.0, 4.0, 5.0],
                vec![9.0],
            ];
            let kept = [80.0, 9.0, 320.0, 54.0, 9.0];
            let all = [1500.0, 8.0, 6000.0, 120.0, 9.0];
            let inputs = shapes.to_vec();
            for (name, first) in [("Adafactor", 0.0), ("Adafactor with momentum", 1.0)] {
                for width in [4.0, 2.0] {
                    let expected: Vec<Frame> = kept
                        .iter()
                        .zip(all)
                        .map(|(kept, all)| vec![vec![width * (kept + first * all)]])
                        .collect();
                    exam.expect(&state_case(name, width, inputs.clone()), &expected)?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "every_block_has_its_scale",
        asked: "In 8 bits each moment has a byte a value, and 4 bytes for each block of 256 values or fewer.",
        run: |exam| {
            for (length, bytes) in [
                (1.0, 10.0),
                (255.0, 518.0),
                (256.0, 520.0),
                (257.0, 530.0),
                (512.0, 1040.0),
                (0.0, 0.0),
            ] {
                for width in [4.0, 2.0] {
                    let case = state_case("8-bit Adam", width, vec![vec![length]]);
                    exam.expect(&case, &[vec![vec![bytes]]])?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "everything_adds_up",
        asked: "training_bytes: parameters, gradients and state, and 4 bytes a parameter where there is a master copy.",
        run: |exam| {
            // Two layers of 10 and 20 values, with their biases of 2 and 4.
            let small = vec![vec![5, 2], vec![2], vec![4, 5], vec![4]];
            for (name, widths, bytes) in [
                ("SGD", [4.0, 4.0, 4.0, 0.0], 36.0 * 8.0),
                ("Adam", [4.0, 4.0, 4.0, 0.0], 36.0 * 16.0),
                ("Adam", [2.0, 2.0, 4.0, 1.0], 36.0 * 16.0),
                ("Adam", [2.0, 4.0, 2.0, 0.0], 36.0 * 10.0),
                ("momentum", [2.0, 2.0, 2.0, 1.0], 36.0 * 10.0),
                ("AMSGrad", [4.0, 2.0, 2.0, 0.0], 36.0 * 12.0),
                // 7 + 2 + 9 + 4 values, and 36 more with momentum.
                ("Adafactor", [4.0, 4.0, 4.0, 0.0], 36.0 * 8.0 + 22.0 * 4.0),
                (
                    "Adafactor with momentum",
                    [4.0, 4.0, 4.0, 0.0],
                    36.0 * 12.0 + 22.0 * 4.0,
                ),
                // Four tensors, each with a block for each moment.
                ("8-bit Adam", [2.0, 2.0, 4.0, 1.0], 36.0 * 10.0 + 32.0),
            ] {
                let case = training_case("two layers", name, widths, vec![listed(&small)]);
                exam.expect(&case, &[vec![vec![bytes]]])?;
            }
            Ok(())
        },
    },
    Check {
        name: "seven_and_seventy_billion",
        asked: "LLaMA 7B and 70B in bf16 with f32 master and state: 107.8 GB and 1103.6 GB with Adam.",
        run: |exam| {
            for (about, model, bytes) in [
                (
                    "LLaMA 7B",
                    llama(4096, 32, 11_008, 4096),
                    [
                        53_907_324_928.0,
                        80_860_987_392.0,
                        107_814_649_856.0,
                        134_768_312_320.0,
                        53_918_672_896.0,
                        80_872_335_360.0,
                        67_594_731_648.0,
                    ],
                ),
                (
                    "LLaMA 70B",
                    llama(8192, 80, 28_672, 1024),
                    [
                        551_813_185_536.0,
                        827_719_778_304.0,
                        1_103_626_371_072.0,
                        1_379_532_963_840.0,
                        551_870_556_160.0,
                        827_777_148_928.0,
                        691_922_002_176.0,
                    ],
                ),
            ] {
                for ((name, _), bytes) in KINDS.iter().zip(bytes) {
                    let inputs = vec![listed(&model)];
                    let case = training_case(about, name, [2.0, 2.0, 4.0, 1.0], inputs);
                    exam.expect(&case, &[vec![vec![bytes]]])?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "any_model_and_any_widths",
        asked: "The bytes follow from the shapes, for models that you have not seen; none for no tensor at all.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for round in 0..28 {
                let mut pick = |up_to: f64| random.between(0.0, up_to) as u64;
                let (name, kind) = KINDS[round % KINDS.len()];
                let tensors = if round < 7 { 0 } else { 1 + pick(5.0) };
                let mut shapes: Vec<Vec<u64>> = (0..tensors)
                    .map(|_| {
                        let axes = pick(4.0);
                        (0..axes).map(|_| pick(40.0)).collect()
                    })
                    .collect();
                if round >= 21 {
                    shapes.push(vec![3, 0]);
                }
                let tensors = shapes.len();
                let mut width = || [1.0, 2.0, 4.0, 8.0][pick(4.0) as usize];
                let widths = [
                    width(),
                    width(),
                    width(),
                    f64::from(u8::from(width() > 2.0)),
                ];
                let about = format!("{tensors} tensors, MOMENTS_SEED={}", exam.seed);
                let case = training_case(&about, name, widths, vec![listed(&shapes)]);
                let bytes: f64 = shapes
                    .iter()
                    .map(|shape| counted(shape, kind, widths))
                    .sum();
                exam.expect(&case, &[vec![vec![bytes]]])?;
            }
            Ok(())
        },
    },
];

fn state_case(name: &str, width: f64, inputs: Vec<Vec<f64>>) -> Case {
    let mut case = Case::given(
        name,
        STATE,
        &["bytes"],
        vec![("state", width)],
        vec![],
        inputs,
    );
    case.names = vec![name.to_owned()];
    case
}

fn training_case(about: &str, name: &str, widths: [f64; 4], inputs: Vec<Vec<f64>>) -> Case {
    let settings = ["parameter", "gradient", "state", "master"]
        .into_iter()
        .zip(widths)
        .collect();
    let about = format!("{name}, {about}");
    let mut case = Case::given(about, TRAINING, &["bytes"], settings, vec![], inputs);
    case.names = vec![name.to_owned()];
    case
}

/// The tensors of a LLaMA with 32,000 words: embedding, layers of seven matrices and two norms, last norm, head.
fn llama(width: u64, layers: usize, inner: u64, keys: u64) -> Vec<Vec<u64>> {
    let layer = [
        vec![width, width],
        vec![keys, width],
        vec![keys, width],
        vec![width, width],
        vec![inner, width],
        vec![inner, width],
        vec![width, inner],
        vec![width],
        vec![width],
    ];
    let mut shapes = vec![vec![32_000, width]];
    for _ in 0..layers {
        shapes.extend(layer.iter().cloned());
    }
    shapes.extend([vec![width], vec![32_000, width]]);
    shapes
}

/// The bytes of one tensor, counted index by index as someone would who fills the arrays.
fn counted(shape: &[u64], kind: Kind, [parameter, gradient, state, master]: [f64; 4]) -> f64 {
    let mut values = vec![()];
    for &axis in shape {
        values = vec![(); values.len() * axis as usize];
    }
    let n = values.len();
    let last_two = shape.len().saturating_sub(2);
    let factored = if let [rows, columns] = shape[last_two..] {
        let before: u64 = shape[..last_two].iter().product();
        (0..before).map(|_| rows + columns).sum::<u64>() as f64
    } else {
        n as f64
    };
    let n_values = n as f64;
    let blocks = values.chunks(256).count() as f64;
    let kept = match kind {
        Kind::Sgd => 0.0,
        Kind::Momentum => n_values * state,
        Kind::Adam => (n_values + n_values) * state,
        Kind::AmsGrad => (n_values + n_values + n_values) * state,
        Kind::Adafactor { momentum: false } => factored * state,
        Kind::Adafactor { momentum: true } => (factored + n_values) * state,
        Kind::Adam8bit => 2.0 * (n_values + 4.0 * blocks),
    };
    n_values * (parameter + gradient + 4.0 * master) + kept
}

/// Cases on which every two mutants differ.
fn probes() -> Vec<Case> {
    let shapes: Vec<Vec<f64>> = vec![
        vec![],
        vec![300.0],
        vec![7.0, 5.0],
        vec![3.0, 20.0, 30.0],
        vec![2.0, 3.0, 4.0, 5.0],
        vec![9.0, 0.0],
        vec![70_000.0, 70_000.0],
    ];
    let mut cases = Vec::new();
    for shape in &shapes {
        let inputs = vec![shape.clone()];
        cases.push(Case::given(
            "a probe",
            VALUES,
            &["values"],
            vec![],
            vec![],
            inputs,
        ));
        for (name, _) in KINDS {
            cases.push(state_case(name, 2.0, vec![shape.clone()]));
        }
    }
    let model = vec![vec![300], vec![], vec![7, 5], vec![3, 20, 30], vec![300]];
    for (name, _) in KINDS {
        for widths in [[3.0, 7.0, 2.0, 0.0], [5.0, 11.0, 3.0, 1.0]] {
            cases.push(training_case("a probe", name, widths, vec![listed(&model)]));
        }
    }
    cases
}

// --- Mutants --------------------------------------------------------------------------------------------------------

/// A way to answer, made of right parts and wrong ones.
#[derive(Clone, Copy)]
struct Parts {
    values: fn(&[u64]) -> u64,
    factored: fn(&[u64]) -> u64,
    /// Bytes of one moment in 8 bits.
    eight: fn(u64) -> u64,
    /// Bytes of the state, from these parts.
    state: fn(&Self, &[u64], Kind, u64) -> u64,
    /// Bytes of one tensor, from these parts.
    tensor: fn(&Self, &[u64], Kind, Widths) -> u64,
}

const RIGHT: Parts = Parts {
    values: |shape| shape.iter().product(),
    factored: |shape| match shape {
        [before @ .., rows, columns] => before.iter().product::<u64>() * (rows + columns),
        _ => shape.iter().product(),
    },
    eight: |n| n + 4 * n.div_ceil(256),
    state: right_state,
    tensor: right_tensor,
};

fn right_state(parts: &Parts, shape: &[u64], kind: Kind, width: u64) -> u64 {
    let n = (parts.values)(shape);
    match kind {
        Kind::Sgd => 0,
        Kind::Momentum => width * n,
        Kind::Adam => 2 * width * n,
        Kind::AmsGrad => 3 * width * n,
        Kind::Adafactor { momentum: false } => width * (parts.factored)(shape),
        Kind::Adafactor { momentum: true } => width * ((parts.factored)(shape) + n),
        Kind::Adam8bit => 2 * (parts.eight)(n),
    }
}

fn right_tensor(parts: &Parts, shape: &[u64], kind: Kind, widths: Widths) -> u64 {
    let master = if widths.master { 4 } else { 0 };
    (parts.values)(shape) * (widths.parameter + widths.gradient + master)
        + (parts.state)(parts, shape, kind, widths.state)
}

impl Parts {
    fn start(self, case: &Case) -> Step {
        let (call, kind, widths) = (case.call, kind(case), widths(case));
        Box::new(move |input| {
            let answer = match call {
                VALUES => (self.values)(&axes(input)),
                STATE => (self.state)(&self, &axes(input), kind, widths.state),
                _ => model(input)
                    .iter()
                    .map(|shape| (self.tensor)(&self, shape, kind, widths))
                    .sum(),
            };
            vec![vec![answer as f64]]
        })
    }
}

const COUNT: &str = "exercises/ex17-memory.html#counting-values";
const MOMENTS: &str = "exercises/ex17-memory.html#one-value-for-each-moment";
const FACTORS: &str = "exercises/ex17-memory.html#rows-and-columns";
const BLOCKS: &str = "exercises/ex17-memory.html#eight-bits-and-a-scale";
const WIDTHS: &str = "exercises/ex17-memory.html#how-wide-a-value-is";
const TOTAL: &str = "exercises/ex17-memory.html#everything-at-once";

/// The state as it should be, but for one optimizer.
macro_rules! state_but {
    ($pattern:pat => |$parts:ident, $shape:ident, $width:ident| $bytes:expr) => {
        |case| {
            Parts {
                state: |parts, shape, kind, width| {
                    let ($parts, $shape, $width) = (parts, shape, width);
                    match kind {
                        $pattern => $bytes,
                        _ => right_state(parts, shape, kind, width),
                    }
                },
                ..RIGHT
            }
            .start(case)
        }
    };
}

/// Right parts, but for those that are named.
macro_rules! parts_but {
    ($($field:ident: $value:expr),+) => {
        |case| Parts { $($field: $value,)+ ..RIGHT }.start(case)
    };
}

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "sum-of-the-axes",
        mistake: "the axes are added. The number of values is their product.",
        read: COUNT,
        start: parts_but!(values: |shape| shape.iter().sum()),
    },
    Mutant {
        name: "a-scalar-is-nothing",
        mistake: "a tensor without axes is counted as empty. It is one number: the empty product is 1.",
        read: COUNT,
        start: parts_but!(values: |shape| if shape.is_empty() { 0 } else { shape.iter().product() }),
    },
    Mutant {
        name: "first-two-axes-only",
        mistake: "only the first two axes are multiplied. A tensor may have any number of them.",
        read: COUNT,
        start: parts_but!(values: |shape| shape.iter().take(2).product()),
    },
    Mutant {
        name: "wraps-at-32-bits",
        mistake: "the product is computed in 32 bits and wraps around. One matrix of 70,000 by 70,000 has more values than that holds.",
        read: COUNT,
        start: parts_but!(values: |shape| {
            u64::from(shape.iter().fold(1u32, |n, &axis| n.wrapping_mul(axis as u32)))
        }),
    },
    Mutant {
        name: "sgd-keeps-a-velocity",
        mistake: "plain SGD is given a velocity. It keeps nothing.",
        read: MOMENTS,
        start: state_but!(Kind::Sgd => |parts, shape, width| width * (parts.values)(shape)),
    },
    Mutant {
        name: "momentum-keeps-two",
        mistake: "momentum is given two values for each parameter. It keeps one, the velocity.",
        read: MOMENTS,
        start: state_but!(Kind::Momentum => |parts, shape, width| 2 * width * (parts.values)(shape)),
    },
    Mutant {
        name: "adam-keeps-one",
        mistake: "Adam is given one value for each parameter. It keeps m and v.",
        read: MOMENTS,
        start: state_but!(Kind::Adam => |parts, shape, width| width * (parts.values)(shape)),
    },
    Mutant {
        name: "adam-keeps-the-corrected-ones-too",
        mistake: "Adam is given four values: the corrected moments are not kept, they are made from m and v when they are needed.",
        read: MOMENTS,
        start: state_but!(Kind::Adam => |parts, shape, width| 4 * width * (parts.values)(shape)),
    },
    Mutant {
        name: "amsgrad-like-adam",
        mistake: "AMSGrad is given as much as Adam. It also keeps the maximum of v.",
        read: MOMENTS,
        start: state_but!(Kind::AmsGrad => |parts, shape, width| 2 * width * (parts.values)(shape)),
    },
    Mutant {
        name: "adafactor-not-factored",
        mistake: "Adafactor is given a whole second moment. For two or more axes it keeps rows and columns.",
        read: FACTORS,
        start: parts_but!(factored: |shape| shape.iter().product()),
    },
    Mutant {
        name: "adafactor-like-adam",
        mistake: "Adafactor is given two values for each parameter, as Adam. That is what it was made to avoid.",
        read: FACTORS,
        start: state_but!(Kind::Adafactor { .. } => |parts, shape, width| 2 * width * (parts.values)(shape)),
    },
    Mutant {
        name: "adafactor-always-with-momentum",
        mistake: "Adafactor is always given a first moment. It has one only where `momentum` is set.",
        read: FACTORS,
        start: state_but!(Kind::Adafactor { .. } => |parts, shape, width| {
            width * ((parts.factored)(shape) + (parts.values)(shape))
        }),
    },
    Mutant {
        name: "adafactor-never-with-momentum",
        mistake: "Adafactor's first moment is forgotten. Where `momentum` is set there is one more value for each parameter.",
        read: FACTORS,
        start: state_but!(Kind::Adafactor { .. } => |parts, shape, width| width * (parts.factored)(shape)),
    },
    Mutant {
        name: "adafactor-factors-its-first-moment",
        mistake: "the first moment is factored too. It has signs, so it is kept whole.",
        read: FACTORS,
        start: state_but!(Kind::Adafactor { momentum: true } => |parts, shape, width| {
            2 * width * (parts.factored)(shape)
        }),
    },
    Mutant {
        name: "axes-before-the-last-two-forgotten",
        mistake: "the axes before the last two are left out. Each of their indices has rows and columns of its own.",
        read: FACTORS,
        start: parts_but!(factored: |shape| match shape {
            [.., rows, columns] => rows + columns,
            _ => shape.iter().product(),
        }),
    },
    Mutant {
        name: "first-two-axes-factored",
        mistake: "the first two axes are factored. It is the last two.",
        read: FACTORS,
        start: parts_but!(factored: |shape| match shape {
            [rows, columns, after @ ..] => after.iter().product::<u64>() * (rows + columns),
            _ => shape.iter().product(),
        }),
    },
    Mutant {
        name: "flattened-to-a-matrix",
        mistake: "all axes but the last are taken as one. Only the last two are factored; those before them stay.",
        read: FACTORS,
        start: parts_but!(factored: |shape| match shape {
            [before @ .., columns] if !before.is_empty() => before.iter().product::<u64>() + columns,
            _ => shape.iter().product(),
        }),
    },
    Mutant {
        name: "every-axis-factored",
        mistake: "every axis is given a vector of its own. Only the last two are factored.",
        read: FACTORS,
        start: parts_but!(factored: |shape| if shape.len() < 2 {
            shape.iter().product()
        } else {
            shape.iter().sum()
        }),
    },
    Mutant {
        name: "a-vector-is-factored",
        mistake: "a vector of n values is factored into n + 1. With fewer than two axes nothing is factored.",
        read: FACTORS,
        start: parts_but!(factored: |shape| match shape {
            [before @ .., rows, columns] => before.iter().product::<u64>() * (rows + columns),
            [n] => n + 1,
            [] => 2,
        }),
    },
    Mutant {
        name: "no-scales",
        mistake: "the scales are forgotten: each block of 256 values has one, of 4 bytes.",
        read: BLOCKS,
        start: parts_but!(eight: |n| n),
    },
    Mutant {
        name: "blocks-rounded-down",
        mistake: "the last block is dropped where it is not full. It needs a scale like any other: round up.",
        read: BLOCKS,
        start: parts_but!(eight: |n| n + 4 * (n / 256)),
    },
    Mutant {
        name: "one-block-too-many",
        mistake: "a block is added where the last one is full: n / 256 + 1 is right only where something is left over.",
        read: BLOCKS,
        start: parts_but!(eight: |n| n + 4 * (n / 256 + 1)),
    },
    Mutant {
        name: "values-padded-to-whole-blocks",
        mistake: "the last block is filled up to 256 values. It is shorter, and only what is there is kept.",
        read: BLOCKS,
        start: parts_but!(eight: |n| 260 * n.div_ceil(256)),
    },
    Mutant {
        name: "one-scale-for-a-tensor",
        mistake: "each moment has one scale for the whole tensor. Each block of 256 values has its own.",
        read: BLOCKS,
        start: parts_but!(eight: |n| n + 4),
    },
    Mutant {
        name: "scales-of-one-byte",
        mistake: "a scale is counted as one byte. It is an f32.",
        read: BLOCKS,
        start: parts_but!(eight: |n| n + n.div_ceil(256)),
    },
    Mutant {
        name: "one-moment-in-8-bits",
        mistake: "only one of the two moments is counted in 8 bits. Both are kept that way.",
        read: BLOCKS,
        start: state_but!(Kind::Adam8bit => |parts, shape, _width| (parts.eight)((parts.values)(shape))),
    },
    Mutant {
        name: "scales-shared-by-both-moments",
        mistake: "the two moments share their scales. Each has its own: m and v are of different sizes.",
        read: BLOCKS,
        start: state_but!(Kind::Adam8bit => |parts, shape, _width| {
            let n = (parts.values)(shape);
            2 * n + 4 * n.div_ceil(256)
        }),
    },
    Mutant {
        name: "8-bits-times-the-width",
        mistake: "the 8-bit state is multiplied by the width. Its values take one byte whatever the width of the others is.",
        read: WIDTHS,
        start: state_but!(Kind::Adam8bit => |parts, shape, width| {
            let n = (parts.values)(shape);
            2 * (n * width + 4 * n.div_ceil(256))
        }),
    },
    Mutant {
        name: "always-4-bytes",
        mistake: "every value of the state is counted with 4 bytes. Use the width that is given.",
        read: WIDTHS,
        start: parts_but!(state: |parts, shape, kind, _| right_state(parts, shape, kind, 4)),
    },
    Mutant {
        name: "bits-for-bytes",
        mistake: "the answer is 8 times too large: bits where bytes are asked for.",
        read: WIDTHS,
        start: parts_but!(
            state: |parts, shape, kind, width| 8 * right_state(parts, shape, kind, width),
            tensor: |parts, shape, kind, widths| {
                let parts = Parts { state: right_state, ..*parts };
                8 * right_tensor(&parts, shape, kind, widths)
            }
        ),
    },
    Mutant {
        name: "widths-forgotten",
        mistake: "values are counted and not bytes. Multiply by the width.",
        read: WIDTHS,
        start: parts_but!(state: |parts, shape, kind, width| match kind {
            Kind::Adam8bit => right_state(parts, shape, kind, width),
            _ => right_state(parts, shape, kind, 1),
        }),
    },
    Mutant {
        name: "state-as-wide-as-the-parameters",
        mistake: "the state is counted with the width of the parameters. It has its own: bf16 parameters often have f32 moments.",
        read: WIDTHS,
        start: parts_but!(tensor: |parts, shape, kind, widths| {
            right_tensor(parts, shape, kind, Widths { state: widths.parameter, ..widths })
        }),
    },
    Mutant {
        name: "gradients-as-wide-as-the-parameters",
        mistake: "the gradients are counted with the width of the parameters. They have their own.",
        read: WIDTHS,
        start: parts_but!(tensor: |parts, shape, kind, widths| {
            right_tensor(parts, shape, kind, Widths { gradient: widths.parameter, ..widths })
        }),
    },
    Mutant {
        name: "no-gradients",
        mistake: "the gradients are forgotten. Each parameter has one, and it is in memory while the step is taken.",
        read: TOTAL,
        start: parts_but!(tensor: |parts, shape, kind, widths| {
            right_tensor(parts, shape, kind, Widths { gradient: 0, ..widths })
        }),
    },
    Mutant {
        name: "no-parameters",
        mistake: "the parameters themselves are forgotten.",
        read: TOTAL,
        start: parts_but!(tensor: |parts, shape, kind, widths| {
            right_tensor(parts, shape, kind, Widths { parameter: 0, ..widths })
        }),
    },
    Mutant {
        name: "no-state",
        mistake: "training_bytes leaves the optimizer's state out.",
        read: TOTAL,
        start: parts_but!(tensor: |parts, shape, _, widths| right_tensor(parts, shape, Kind::Sgd, widths)),
    },
    Mutant {
        name: "no-master-copy",
        mistake: "the master copy is forgotten: 4 more bytes for each parameter where `master` is set.",
        read: TOTAL,
        start: parts_but!(tensor: |parts, shape, kind, widths| {
            right_tensor(parts, shape, kind, Widths { master: false, ..widths })
        }),
    },
    Mutant {
        name: "always-a-master-copy",
        mistake: "a master copy is always counted. There is one only where `master` is set.",
        read: TOTAL,
        start: parts_but!(tensor: |parts, shape, kind, widths| {
            right_tensor(parts, shape, kind, Widths { master: true, ..widths })
        }),
    },
    Mutant {
        name: "master-as-wide-as-the-parameters",
        mistake: "the master copy is as wide as the parameters. It is there because they are narrow: 4 bytes.",
        read: TOTAL,
        start: parts_but!(tensor: |parts, shape, kind, widths| {
            let again = if widths.master { widths.parameter } else { 0 };
            let plain = Widths { master: false, parameter: widths.parameter + again, ..widths };
            right_tensor(parts, shape, kind, plain)
        }),
    },
    Mutant {
        name: "master-takes-the-parameters-place",
        mistake: "the master copy replaces the parameters. It is kept beside them: the model computes with the narrow ones.",
        read: TOTAL,
        start: parts_but!(tensor: |parts, shape, kind, widths| {
            let parameter = if widths.master { 4 } else { widths.parameter };
            right_tensor(parts, shape, kind, Widths { master: false, parameter, ..widths })
        }),
    },
    Mutant {
        name: "blocks-across-tensors",
        mistake: "all tensors are counted as one long one, so that blocks run across them. Each tensor has blocks of its own.",
        read: BLOCKS,
        start: |case| {
            let (whole, kind, widths) = (case.call == TRAINING, kind(case), widths(case));
            if !whole || kind != Kind::Adam8bit {
                return RIGHT.start(case);
            }
            Box::new(move |input| {
                let n = model(input).iter().map(|shape| (RIGHT.values)(shape)).sum();
                vec![vec![right_tensor(&RIGHT, &[n], kind, widths) as f64]]
            })
        },
    },
    Mutant {
        name: "last-tensor-forgotten",
        mistake: "the last tensor is left out: a range ends one too early.",
        read: TOTAL,
        start: |case| {
            if case.call != TRAINING {
                return RIGHT.start(case);
            }
            let (kind, widths) = (kind(case), widths(case));
            Box::new(move |input| {
                let shapes = model(input);
                let but_one = &shapes[..shapes.len().saturating_sub(1)];
                let bytes: u64 = but_one
                    .iter()
                    .map(|shape| right_tensor(&RIGHT, shape, kind, widths))
                    .sum();
                vec![vec![bytes as f64]]
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-task",
        start: |case| RIGHT.start(case),
    },
    Variant {
        name: "one-axis-after-the-other",
        start: parts_but!(
            values: |shape| {
                let mut n = 1;
                for &axis in shape {
                    n *= axis;
                }
                n
            },
            factored: |shape| {
                let k = shape.len();
                if k < 2 {
                    return shape.first().copied().unwrap_or(1);
                }
                let mut n = shape[k - 1] + shape[k - 2];
                for &axis in &shape[..k - 2] {
                    n *= axis;
                }
                n
            },
            eight: |n| n + 4 * (n / 256) + if n % 256 == 0 { 0 } else { 4 }
        ),
    },
    Variant {
        name: "sums-over-the-model-first",
        start: |case| {
            if case.call != TRAINING {
                return RIGHT.start(case);
            }
            let (kind, widths) = (kind(case), widths(case));
            Box::new(move |input| {
                let shapes = model(input);
                let n: u64 = shapes.iter().map(|shape| (RIGHT.values)(shape)).sum();
                let states = shapes
                    .iter()
                    .map(|shape| right_state(&RIGHT, shape, kind, widths.state));
                let mut bytes = n * widths.parameter;
                bytes += n * widths.gradient;
                bytes += states.sum::<u64>();
                if widths.master {
                    bytes += n * 4;
                }
                vec![vec![bytes as f64]]
            })
        },
    },
    Variant {
        name: "in-floating-point",
        start: |case| {
            if case.call != VALUES {
                return RIGHT.start(case);
            }
            Box::new(|input| vec![vec![input.iter().rev().product::<f64>()]])
        },
    },
];
