//! Exercise 14: the effective learning rate, and three more numbers to log.
//!
//! A case calls one of four functions. An input of `update_ratio` is the parameters before, then those after;
//! an input of `effective_lr` and `eps_share` is v_hat, and of `quantile` the values: their other arguments are settings.

use crate::case::{Case, Frame};
use crate::common::function;
use crate::exercise::{Check, Exam, Exercise, Mutant, Step, Variant, Verdict};
use crate::random::Random;

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex14",
    slug: "ex14-effective-lr",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// What a learner writes.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `update_ratio(before, after)`.
    pub update_ratio: fn(&[f64], &[f64]) -> f64,
    /// `effective_lr(lr, v_hat, eps)`.
    pub effective_lr: fn(f64, &[f64], f64) -> Vec<f64>,
    /// `eps_share(v_hat, eps)`.
    pub eps_share: fn(&[f64], f64) -> f64,
    /// `quantile(values, q)`.
    pub quantile: fn(&[f64], f64) -> f64,
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
    move |case| run(case, code)
}

fn run(case: &Case, code: Code) -> Step {
    let case = case.clone();
    function(move |input| {
        vec![match case.call {
            RATIO => {
                let (before, after) = input.split_at(input.len() / 2);
                vec![(code.update_ratio)(before, after)]
            }
            RATES => (code.effective_lr)(case.setting("lr"), input, case.setting("eps")),
            SHARE => vec![(code.eps_share)(input, case.setting("eps"))],
            _ => vec![(code.quantile)(input, case.setting("q"))],
        }]
    })
}

const RATIO: &str = "update_ratio";
const RATES: &str = "effective_lr";
const SHARE: &str = "eps_share";
const QUANTILE: &str = "quantile";

// --- Checks ---------------------------------------------------------------------------------------------------------------------

static CHECKS: &[Check] = &[
    Check {
        name: "a_step_of_norm_1_from_norm_5_has_the_ratio_0_2",
        asked: "update_ratio is the norm of after - before, divided by the norm of before.",
        run: |exam| {
            let pairs = [
                (&[3.0, 4.0, 3.6, 4.8][..], 0.2),
                (&[3.0, 4.0, 3.0, 3.0], 0.2),
                (&[6.0, -8.0, 9.0, -4.0], 0.5),
                (&[-1.0, 2.0, 2.0, -3.0, 2.0, 4.0], 8f64.sqrt() / 3.0),
            ];
            answers(exam, "before and after", RATIO, &[], &pairs)
        },
    },
    Check {
        name: "a_ratio_is_0_where_nothing_moves_or_all_starts_at_0",
        asked: "update_ratio is 0 for no parameters, for an update of 0, and where all parameters were 0 before.",
        run: |exam| {
            let pairs = [
                (&[3.0, 4.0, 3.0, 4.0][..], 0.0),
                (&[0.0, 0.0, 0.3, 0.4], 0.0),
                (&[0.0, 0.0, 0.0, 0.0], 0.0),
                (&[], 0.0),
            ];
            answers(exam, "zeros", RATIO, &[], &pairs)
        },
    },
    Check {
        name: "the_rate_of_a_coordinate_is_lr_over_its_root",
        asked: "effective_lr is lr / (sqrt(v_hat) + eps), one for each coordinate; lr / eps where v_hat is 0.",
        run: |exam| {
            let settings = [("lr", 0.01), ("eps", 0.5)];
            let case = case(
                "eps of some weight",
                RATES,
                &settings,
                vec![vec![0.25, 4.0, 0.0, 20.25], vec![2.25], vec![]],
            );
            let expected = [vec![0.01, 0.004, 0.02, 0.002], vec![0.005], vec![]];
            exam.expect(&case, &expected.map(|rates| vec![rates]))
        },
    },
    Check {
        name: "the_share_counts_roots_below_eps",
        asked: "eps_share is the share of coordinates with sqrt(v_hat) < eps; one that is equal does not count.",
        run: |exam| {
            let inputs = [
                (&[0.0, 0.0625, 0.25, 0.36][..], 0.5),
                (&[0.01, 4.0, 9.0, 0.3], 0.25),
                (&[0.25, 0.25], 0.0),
                (&[0.2], 1.0),
                (&[], 0.0),
            ];
            answers(exam, "v_hat", SHARE, &[("eps", 0.5)], &inputs)
        },
    },
    Check {
        name: "a_quantile_lies_on_the_line_between_two_values",
        asked: "quantile: sort, go to place q * (n - 1) counted from 0, in a straight line between two values.",
        run: |exam| {
            let values = [8.0, 1.0, 4.0, 2.0];
            for (q, expected) in [(0.5, 3.0), (0.25, 1.75), (0.9, 6.8), (0.0, 1.0), (1.0, 8.0)] {
                answers(
                    exam,
                    "four values",
                    QUANTILE,
                    &[("q", q)],
                    &[(&values, expected)],
                )?;
            }
            let inputs = [(&[7.0][..], 7.0), (&[], 0.0), (&[-3.0, 10.0, 2.0], 4.4)];
            answers(exam, "few values", QUANTILE, &[("q", 0.65)], &inputs)
        },
    },
    Check {
        name: "any_values_of_any_size",
        asked: "All four functions are right for random values, few or many, whatever their size.",
        run: |exam| {
            for case in random_cases(exam.seed) {
                let expected: Vec<Frame> = case.inputs().iter().map(|x| answer(&case, x)).collect();
                exam.expect(&case, &expected)?;
            }
            Ok(())
        },
    },
];

fn case(
    about: &str,
    call: &'static str,
    settings: &[(&'static str, f64)],
    inputs: Vec<Vec<f64>>,
) -> Case {
    let channels: &'static [&'static str] = match call {
        RATIO => &["ratio"],
        RATES => &["rates"],
        SHARE => &["share"],
        _ => &["quantile"],
    };
    let about = format!("{call}, {about}");
    Case::given(about, call, channels, settings.to_vec(), Vec::new(), inputs)
}

/// One number for each input of one case.
fn answers(
    exam: &Exam<'_>,
    about: &str,
    call: &'static str,
    settings: &[(&'static str, f64)],
    pairs: &[(&[f64], f64)],
) -> Verdict {
    let inputs = pairs.iter().map(|(input, _)| input.to_vec()).collect();
    let expected: Vec<Frame> = pairs.iter().map(|(_, value)| vec![vec![*value]]).collect();
    exam.expect(&case(about, call, settings, inputs), &expected)
}

fn random_cases(seed: u64) -> Vec<Case> {
    let mut random = Random::new(seed);
    let about = format!("MOMENTS_SEED={seed}");
    let mut cases = Vec::new();
    for len in [1, 2, 5, 40] {
        let scale = random.magnitude(-6.0, 6.0).abs();
        let mut input = random.vector(len, -scale, scale);
        input.extend(random.vector(len, -scale, scale));
        cases.push(case(&about, RATIO, &[], vec![input]));

        let v_hat: Vec<f64> = (0..len)
            .map(|_| random.magnitude(-12.0, 4.0).abs())
            .collect();
        let (lr, eps) = (
            random.magnitude(-4.0, 0.0).abs(),
            random.magnitude(-3.0, -1.0).abs(),
        );
        cases.push(case(
            &about,
            RATES,
            &[("lr", lr), ("eps", eps)],
            vec![v_hat.clone()],
        ));
        cases.push(case(&about, SHARE, &[("eps", eps)], vec![v_hat]));

        let values = random.vector(len, 1.0, 9.0);
        cases.push(case(
            &about,
            QUANTILE,
            &[("q", random.between(0.0, 1.0))],
            vec![values],
        ));
    }
    cases
}

/// The definitions, without the functions that the variants share.
fn answer(case: &Case, input: &[f64]) -> Frame {
    vec![match case.call {
        RATIO => {
            let half = input.len() / 2;
            let (mut moved, mut size) = (0.0_f64, 0.0_f64);
            for i in 0..half {
                moved = moved.hypot(input[half + i] - input[i]);
                size = size.hypot(input[i]);
            }
            vec![moved / size]
        }
        RATES => input
            .iter()
            .map(|v| case.setting("lr") / (v.sqrt() + case.setting("eps")))
            .collect(),
        SHARE => {
            let below = input.iter().filter(|v| v.sqrt() < case.setting("eps"));
            vec![below.count() as f64 / input.len() as f64]
        }
        _ => {
            let mut sorted = input.to_vec();
            sorted.sort_by(f64::total_cmp);
            let place = case.setting("q") * (sorted.len() - 1) as f64;
            let weights = (0..sorted.len()).map(|i| (1.0 - (place - i as f64).abs()).max(0.0));
            vec![
                weights
                    .zip(&sorted)
                    .map(|(weight, value)| weight * value)
                    .sum(),
            ]
        }
    }]
}

fn probes() -> Vec<Case> {
    let ratios = vec![
        vec![1.0, -2.0, 5.0, 1.5, 2.0, 4.0],
        vec![0.0, 0.0, 0.3, 0.4],
        vec![0.0, 0.0, 0.0, 0.0],
    ];
    let v_hat = vec![vec![0.3, 0.0, 0.01, 9.0, 0.25]];
    let values = vec![vec![5.0, 1.0, 9.5, 2.5, 4.0, 7.0, 3.25]];
    vec![
        case("probe", RATIO, &[], ratios),
        case("probe", RATES, &[("lr", 0.3), ("eps", 0.5)], v_hat.clone()),
        case("probe", SHARE, &[("eps", 0.5)], v_hat.clone()),
        case("probe", SHARE, &[("eps", 0.2)], v_hat),
        case("probe", QUANTILE, &[("q", 0.3)], values.clone()),
        case("probe", QUANTILE, &[("q", 0.77)], values),
    ]
}

// --- Mutants --------------------------------------------------------------------------------------------------------------------

/// Right code, of which each mutant replaces a function.
const RIGHT: Code = Code {
    update_ratio: |before, after| over(norm(&difference(before, after)), norm(before)),
    effective_lr: |lr, v_hat, eps| v_hat.iter().map(|v| lr / (v.sqrt() + eps)).collect(),
    eps_share: |v_hat, eps| share(v_hat, |v| v.sqrt() < eps),
    quantile: |values, q| along(&sorted(values), q * (values.len().max(1) - 1) as f64),
};

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn difference(before: &[f64], after: &[f64]) -> Vec<f64> {
    before
        .iter()
        .zip(after)
        .map(|(before, after)| after - before)
        .collect()
}

fn over(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

fn share(values: &[f64], counts: impl Fn(f64) -> bool) -> f64 {
    let count = values.iter().filter(|&&value| counts(value)).count();
    over(count as f64, values.len() as f64)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The value at a place that may lie between two values, or outside of them.
fn along(values: &[f64], place: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return 0.0;
    };
    let place = place.clamp(0.0, last as f64);
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    values[below] + (values[above] - values[below]) * (place - below as f64)
}

macro_rules! wrong {
    ($name:literal, $mistake:literal, $read:ident, $function:ident: $code:expr) => {
        Mutant {
            name: $name,
            mistake: $mistake,
            read: $read,
            start: |case| {
                let code = Code {
                    $function: $code,
                    ..RIGHT
                };
                run(case, code)
            },
        }
    };
}

const MOVE: &str = "exercises/ex14-effective-lr.html#how-far-a-step-goes";
const EFFECTIVE: &str = "exercises/ex14-effective-lr.html#what-a-coordinate-gets";
const EPS: &str = "exercises/ex14-effective-lr.html#where-eps-takes-over";
const PLACES: &str = "exercises/ex14-effective-lr.html#quantiles";

static MUTANTS: &[Mutant] = &[
    wrong!("ratio-inverted", "the ratio is upside down. The norm of the update stands above, that of the parameters below.", MOVE,
        update_ratio: |before, after| over(norm(before), norm(&difference(before, after)))),
    wrong!("norm-of-after", "the norm of the parameters is taken after the step. Take it before.", MOVE,
        update_ratio: |before, after| over(norm(&difference(before, after)), norm(after))),
    wrong!("norms-squared", "both norms lack their root, so the ratio is squared.", MOVE,
        update_ratio: |before, after| over(norm(&difference(before, after)).powi(2), norm(before).powi(2))),
    wrong!("ratio-of-the-norms", "the norm of after is divided by that of before. What moved is the difference of the two vectors.", MOVE,
        update_ratio: |before, after| over(norm(after), norm(before))),
    wrong!("difference-of-the-norms", "the norms are subtracted, so a step that only turns counts as none. Subtract the vectors, then take the norm.", MOVE,
        update_ratio: |before, after| over((norm(after) - norm(before)).abs(), norm(before))),
    wrong!("mean-of-the-ratios", "the ratio is taken for each coordinate, and averaged. Divide one norm by the other.", MOVE,
    update_ratio: |before, after| {
        let ratios = before.iter().zip(after).map(|(b, a)| over((a - b).abs(), b.abs()));
        over(ratios.sum(), before.len() as f64)
    }),
    wrong!("update-alone", "the norm of the update is not divided by that of the parameters.", MOVE,
        update_ratio: |before, after| norm(&difference(before, after))),
    wrong!("sums-of-absolute-values", "absolute values are added (L1). The norm is the root of the sum of squares.", MOVE,
    update_ratio: |before, after| {
        let size = |values: &[f64]| values.iter().map(|x| x.abs()).sum();
        over(size(&difference(before, after)), size(before))
    }),
    wrong!("ratio-divided-by-zero", "where all parameters are 0 the ratio is divided by 0. Return 0 there.", MOVE,
        update_ratio: |before, after| norm(&difference(before, after)) / norm(before)),
    wrong!("eps-inside-the-root", "eps is under the root. It is added after the root is taken.", EFFECTIVE,
        effective_lr: |lr, v_hat, eps| v_hat.iter().map(|v| lr / (v + eps).sqrt()).collect()),
    wrong!("lr-forgotten", "lr is missing: what is returned is 1 / (sqrt(v_hat) + eps).", EFFECTIVE,
        effective_lr: |_, v_hat, eps| v_hat.iter().map(|v| 1.0 / (v.sqrt() + eps)).collect()),
    wrong!("root-forgotten", "the root over v_hat is missing.", EFFECTIVE,
        effective_lr: |lr, v_hat, eps| v_hat.iter().map(|v| lr / (v + eps)).collect()),
    wrong!("rates-without-eps", "eps is missing: where v_hat is 0 the rate is infinite, and not lr / eps.", EFFECTIVE,
        effective_lr: |lr, v_hat, _| v_hat.iter().map(|v| lr / v.sqrt()).collect()),
    wrong!("eps-added-to-the-rate", "a parenthesis. eps is added to the rate and not to the root: write lr / (v.sqrt() + eps).", EFFECTIVE,
        effective_lr: |lr, v_hat, eps| v_hat.iter().map(|v| lr / v.sqrt() + eps).collect()),
    wrong!("lr-multiplied-by-the-root", "lr is multiplied by the root. Divide by it: large gradients get a small rate.", EFFECTIVE,
        effective_lr: |lr, v_hat, eps| v_hat.iter().map(|v| lr * (v.sqrt() + eps)).collect()),
    wrong!("share-counts-equals", "a root that equals eps is counted. Compare with <, not with <=.", EPS,
        eps_share: |v_hat, eps| share(v_hat, |v| v.sqrt() <= eps)),
    wrong!("share-without-root", "v_hat itself is compared with eps. They have different units: compare its root.", EPS,
        eps_share: |v_hat, eps| share(v_hat, |v| v < eps)),
    wrong!("share-of-the-others", "the others are counted, those whose root is eps or more.", EPS,
        eps_share: |v_hat, eps| share(v_hat, |v| v.sqrt() >= eps)),
    wrong!("a-count-for-a-share", "the coordinates are counted, and not divided by how many there are.", EPS,
        eps_share: |v_hat, eps| share(v_hat, |v| v.sqrt() < eps) * v_hat.len() as f64),
    wrong!("share-of-nothing", "the share of no coordinates is 0 / 0. Return 0 there.", EPS,
        eps_share: |v_hat, eps| v_hat.iter().filter(|v| v.sqrt() < eps).count() as f64 / v_hat.len() as f64),
    wrong!("not-sorted", "the values are not sorted before the place is looked up.", PLACES,
        quantile: |values, q| along(values, q * (values.len().max(1) - 1) as f64)),
    wrong!("sorted-downwards", "the values are sorted downwards, so this is the quantile of 1 - q.", PLACES,
        quantile: |values, q| along(&sorted(values), (1.0 - q) * (values.len().max(1) - 1) as f64)),
    wrong!("nearest-value", "the nearest value is taken. Between two values the quantile lies on the line that joins them.", PLACES,
        quantile: |values, q| along(&sorted(values), (q * (values.len().max(1) - 1) as f64).round())),
    wrong!("value-below", "the place is rounded down. Between two values the quantile lies on the line that joins them.", PLACES,
        quantile: |values, q| along(&sorted(values), (q * (values.len().max(1) - 1) as f64).floor())),
    wrong!("middle-of-two", "between two values their mean is taken. How far the place lies beyond the lower one is the weight of the upper one.", PLACES,
    quantile: |values, q| {
        let (sorted, place) = (sorted(values), q * (values.len().max(1) - 1) as f64);
        0.5 * (along(&sorted, place.floor()) + along(&sorted, place.ceil()))
    }),
    wrong!("place-of-n", "the place is q * n. The last of n values has the place n - 1, so it is q * (n - 1).", PLACES,
        quantile: |values, q| along(&sorted(values), q * values.len() as f64)),
    wrong!("place-counted-from-one", "the place is off by one: q * (n - 1) counts from 0.", PLACES,
        quantile: |values, q| along(&sorted(values), q * (values.len().max(1) - 1) as f64 - 1.0)),
    wrong!("weights-exchanged", "the weights of the two values have changed places: at a place just above the lower one, the lower one counts most.", PLACES,
    quantile: |values, q| {
        let (sorted, place) = (sorted(values), q * (values.len().max(1) - 1) as f64);
        along(&sorted, place.floor()) + along(&sorted, place.ceil()) - along(&sorted, place)
    }),
];

// --- Variants -------------------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-task",
        start: |case| run(case, RIGHT),
    },
    Variant {
        name: "root-of-one-quotient-and-weights-for-two-values",
        start: |case| {
            let code = Code {
                update_ratio: |before, after| {
                    let sum: f64 = before.iter().map(|x| x * x).sum();
                    let moved: f64 = before
                        .iter()
                        .zip(after)
                        .map(|(b, a)| (b - a) * (b - a))
                        .sum();
                    if sum > 0.0 { (moved / sum).sqrt() } else { 0.0 }
                },
                effective_lr: |lr, v_hat, eps| {
                    v_hat
                        .iter()
                        .map(|v| (v.sqrt() / lr + eps / lr).recip())
                        .collect()
                },
                quantile: |values, q| {
                    let sorted = sorted(values);
                    let place = q * (sorted.len().max(1) - 1) as f64;
                    let weight = place.fract();
                    (1.0 - weight) * along(&sorted, place.floor())
                        + weight * along(&sorted, place.ceil())
                },
                ..RIGHT
            };
            run(case, code)
        },
    },
    Variant {
        name: "loops-from-the-end",
        start: |case| {
            let code = Code {
                update_ratio: |before, after| {
                    let (mut moved, mut size) = (0.0_f64, 0.0_f64);
                    for i in (0..before.len()).rev() {
                        moved = moved.hypot(after[i] - before[i]);
                        size = size.hypot(before[i]);
                    }
                    over(moved, size)
                },
                effective_lr: |lr, v_hat, eps| {
                    let mut rates = v_hat.to_vec();
                    for rate in rates.iter_mut().rev() {
                        *rate = lr * (rate.powf(0.5) + eps).powi(-1);
                    }
                    rates
                },
                eps_share: |v_hat, eps| {
                    let above = v_hat.iter().filter(|v| v.sqrt() >= eps).count();
                    over((v_hat.len() - above) as f64, v_hat.len() as f64)
                },
                quantile: |values, q| {
                    let mut falling = sorted(values);
                    falling.reverse();
                    along(&falling, (1.0 - q) * (values.len().max(1) - 1) as f64)
                },
            };
            run(case, code)
        },
    },
];
