//! Exercise 15: the diagonal of the Hessian, from differences of the gradient.
//!
//! A case calls `hessian_vector`, with inputs `[x.., v..]`, `diagonal`, with inputs `x`, or `hutchinson`, with inputs `[x.., z.., z.., ..]`;
//! its settings are `h` and, for the last, `probes`: how many vectors z there are. The names of the case are the terms of f, such as `3 x0 x1^2`.
//! Or it calls `clipped_step`, with the settings `eps` and `clip` and inputs `[grad.., curvature..]`.
//!
//! Every h is a power of two, and the polynomials have small whole coefficients, so that their differences are free of rounding.

use crate::case::Case;
use crate::common::function;
use crate::exercise::{Check, Exercise, Mutant, Step, Variant};
use crate::random::Random;

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex15",
    slug: "ex15-diag-hessian",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// The gradient as a function of the point.
pub type Gradient<'a> = &'a dyn Fn(&[f64]) -> Vec<f64>;

/// What a learner writes.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `hessian_vector(grad, x, v, h)`.
    pub hessian_vector: HessianVector,
    /// `diagonal(grad, x, h)`.
    pub diagonal: fn(Gradient<'_>, &[f64], f64) -> Vec<f64>,
    /// `hutchinson(grad, x, probes, h)`.
    pub hutchinson: Estimate,
    /// `clipped_step(grad, curvature, eps, clip)`.
    pub clipped_step: ClippedStep,
}

/// A learner's `hessian_vector`.
pub type HessianVector = fn(Gradient<'_>, &[f64], &[f64], f64) -> Vec<f64>;

/// A learner's `hutchinson`.
pub type Estimate = fn(Gradient<'_>, &[f64], &[Vec<f64>], f64) -> Vec<f64>;

/// A learner's `clipped_step`.
pub type ClippedStep = fn(&[f64], &[f64], f64, f64) -> Vec<f64>;

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
        ask(case, move |call| match call {
            Call::Product { grad, x, v, h } => (code.hessian_vector)(grad, x, v, h),
            Call::Diagonal { grad, x, h } => (code.diagonal)(grad, x, h),
            Call::Hutchinson { grad, x, probes, h } => (code.hutchinson)(grad, x, &probes, h),
            Call::Step {
                grad,
                curvature,
                eps,
                clip,
            } => (code.clipped_step)(grad, curvature, eps, clip),
        })
    }
}

/// A call of one of the four functions.
enum Call<'a> {
    Product {
        grad: Gradient<'a>,
        x: &'a [f64],
        v: &'a [f64],
        h: f64,
    },
    Diagonal {
        grad: Gradient<'a>,
        x: &'a [f64],
        h: f64,
    },
    Hutchinson {
        grad: Gradient<'a>,
        x: &'a [f64],
        probes: Vec<Vec<f64>>,
        h: f64,
    },
    Step {
        grad: &'a [f64],
        curvature: &'a [f64],
        eps: f64,
        clip: f64,
    },
}

/// Makes the calls of a case: each input is one.
fn ask(case: &Case, answer: impl Fn(Call<'_>) -> Vec<f64> + 'static) -> Step {
    if case.call == STEP {
        let (eps, clip) = (case.setting("eps"), case.setting("clip"));
        return function(move |input| {
            let (grad, curvature) = input.split_at(input.len() / 2);
            vec![answer(Call::Step {
                grad,
                curvature,
                eps,
                clip,
            })]
        });
    }
    let (call, h) = (case.call, case.setting("h"));
    let vectors = match call {
        HUTCHINSON => case.setting("probes") as usize,
        PRODUCT => 1,
        _ => 0,
    };
    let f = Polynomial::parse(&case.names);
    function(move |input| {
        let len = input.len() / (1 + vectors);
        let derivatives: Vec<_> = (0..len).map(|i| f.derivative(i)).collect();
        let gradient = |at: &[f64]| {
            assert!(
                at.len() == len,
                "grad is asked at a point with {} values; x has {len}",
                at.len()
            );
            derivatives.iter().map(|d| d.value(at)).collect()
        };
        let (x, rest) = input.split_at(len);
        let grad: Gradient<'_> = &gradient;
        vec![answer(match call {
            PRODUCT => Call::Product {
                grad,
                x,
                v: rest,
                h,
            },
            DIAGONAL => Call::Diagonal { grad, x, h },
            _ => {
                let probe = |k: usize| rest[k * len..(k + 1) * len].to_vec();
                let probes = (0..vectors).map(probe).collect();
                Call::Hutchinson { grad, x, probes, h }
            }
        })]
    })
}

// --- Polynomials ----------------------------------------------------------------------------------------------------

/// A sum of terms: a coefficient and the power of each variable that occurs.
#[derive(Clone, Debug, Default)]
struct Polynomial(Vec<(f64, Vec<(usize, i32)>)>);

impl Polynomial {
    /// Reads terms such as `-2`, `x1^4` and `3 x0 x1^2`.
    fn parse(terms: &[String]) -> Self {
        let number = |text: &str| -> i32 { text.parse().expect("a whole number in a term") };
        let term = |text: &String| {
            let (mut coefficient, mut powers) = (1.0, Vec::new());
            for factor in text.split(' ') {
                match factor.strip_prefix('x') {
                    Some(variable) => {
                        let (index, power) = variable.split_once('^').unwrap_or((variable, "1"));
                        powers.push((number(index) as usize, number(power)));
                    }
                    None => coefficient = factor.parse().expect("a coefficient"),
                }
            }
            (coefficient, powers)
        };
        Self(terms.iter().map(term).collect())
    }

    /// The terms as [`Polynomial::parse`] reads them.
    fn terms(&self) -> Vec<String> {
        let term = |(coefficient, powers): &(f64, Vec<(usize, i32)>)| {
            let factors = powers.iter().map(|(index, power)| match power {
                1 => format!("x{index}"),
                _ => format!("x{index}^{power}"),
            });
            let number =
                (*coefficient != 1.0 || powers.is_empty()).then(|| coefficient.to_string());
            number
                .into_iter()
                .chain(factors)
                .collect::<Vec<_>>()
                .join(" ")
        };
        self.0.iter().map(term).collect()
    }

    fn value(&self, x: &[f64]) -> f64 {
        let term = |(coefficient, powers): &(f64, Vec<(usize, i32)>)| {
            powers.iter().fold(*coefficient, |product, &(i, power)| {
                product * x[i].powi(power)
            })
        };
        self.0.iter().map(term).sum()
    }

    /// The derivative by one variable.
    fn derivative(&self, by: usize) -> Self {
        let mut terms = Vec::new();
        for (coefficient, powers) in &self.0 {
            let Some(place) = powers.iter().position(|&(i, _)| i == by) else {
                continue;
            };
            let (mut coefficient, mut powers) = (*coefficient, powers.clone());
            coefficient *= f64::from(powers[place].1);
            powers[place].1 -= 1;
            if powers[place].1 == 0 {
                powers.remove(place);
            }
            terms.push((coefficient, powers));
        }
        Self(terms)
    }

    /// The derivative along a direction: the sum of the derivatives by each variable, each times its entry of `v`.
    fn along(&self, v: &[f64]) -> Self {
        let mut terms = Vec::new();
        for (i, &entry) in v.iter().enumerate() {
            for (coefficient, powers) in self.derivative(i).0 {
                terms.push((entry * coefficient, powers));
            }
        }
        Self(terms)
    }

    /// The same function measured in other units: f is `value` times larger, x `length` times.
    fn rescaled(&self, value: f64, length: f64) -> Self {
        let mut f = self.clone();
        for (coefficient, powers) in &mut f.0 {
            let degree: i32 = powers.iter().map(|(_, power)| power).sum();
            *coefficient *= value / length.powi(degree);
        }
        f
    }

    /// A polynomial of degree 4 with small whole coefficients in which every variable occurs, and every two together.
    fn random(random: &mut Random, len: usize) -> Self {
        let mut terms = vec![(small(random), Vec::new())];
        for i in 0..len {
            terms.push((small(random), vec![(i, 1)]));
            terms.push((small(random), vec![(i, 2)]));
            terms.push((1.0 + small(random).abs(), vec![(i, 3)]));
            terms.push((1.0 + small(random).abs(), vec![(i, 4)]));
            for j in 0..i {
                terms.push((small(random), vec![(i, 1), (j, 1)]));
                terms.push((1.0 + small(random).abs(), vec![(i, 2), (j, 2)]));
                terms.push((small(random), vec![(i, 3), (j, 1)]));
            }
        }
        Self(terms)
    }

    /// A quadratic with small whole coefficients, and the diagonal of its Hessian.
    fn quadratic(random: &mut Random, len: usize) -> (Self, Vec<f64>) {
        let (mut terms, mut diagonal) = (Vec::new(), Vec::new());
        for i in 0..len {
            let sign = if random.bits() & 1 == 0 { 1.0 } else { -1.0 };
            let own = sign * (1.0 + small(random).abs());
            terms.push((own, vec![(i, 2)]));
            diagonal.push(2.0 * own);
            for j in 0..i {
                terms.push((1.0 + small(random).abs(), vec![(i, 1), (j, 1)]));
            }
        }
        (Self(terms), diagonal)
    }
}

/// A whole number from -4 to 4.
fn small(random: &mut Random) -> f64 {
    random.between(-4.5, 4.5).round()
}

/// Multiples of 1/4 from -2 to 2.
fn point(random: &mut Random, len: usize) -> Vec<f64> {
    (0..len).map(|_| small(random) / 2.0 + 0.25).collect()
}

fn signs(random: &mut Random, len: usize) -> Vec<f64> {
    let sign = |bit: u64| if bit & 1 == 0 { 1.0 } else { -1.0 };
    (0..len).map(|_| sign(random.bits() >> 7)).collect()
}

/// All vectors of `len` signs.
fn all_signs(len: usize) -> Vec<Vec<f64>> {
    let sign = |number: usize, i: usize| if number >> i & 1 == 0 { 1.0 } else { -1.0 };
    (0..1 << len)
        .map(|number| (0..len).map(|i| sign(number, i)).collect())
        .collect()
}

/// What a central difference of the gradient makes of a polynomial of degree 4 at most, by Taylor:
/// the second derivative along v, and h²/6 of the fourth. No gradient is subtracted from another.
fn product(f: &Polynomial, x: &[f64], v: &[f64], h: f64) -> Vec<f64> {
    let entry = |i: usize| {
        let second = f.derivative(i).along(v);
        second.value(x) + h * h / 6.0 * second.along(v).along(v).value(x)
    };
    (0..x.len()).map(entry).collect()
}

fn diagonal(f: &Polynomial, x: &[f64], h: f64) -> Vec<f64> {
    let entry = |i: usize| {
        let mut v = vec![0.0; x.len()];
        v[i] = 1.0;
        product(f, x, &v, h)[i]
    };
    (0..x.len()).map(entry).collect()
}

fn hutchinson(f: &Polynomial, x: &[f64], probes: &[Vec<f64>], h: f64) -> Vec<f64> {
    let products: Vec<_> = probes.iter().map(|z| product(f, x, z, h)).collect();
    let entry = |i: usize| {
        let terms = probes.iter().zip(&products).map(|(z, hz)| z[i] * hz[i]);
        terms.sum::<f64>() / probes.len() as f64
    };
    (0..x.len()).map(entry).collect()
}

// --- Checks ---------------------------------------------------------------------------------------------------------

const PRODUCT: &str = "hessian_vector";
const DIAGONAL: &str = "diagonal";
const HUTCHINSON: &str = "hutchinson";
const STEP: &str = "clipped_step";

/// A quadratic with couplings. Its Hessian is [[2, 3], [3, -4]] everywhere.
const BOWL: &[&str] = &["x0^2", "3 x0 x1", "-2 x1^2"];

static CHECKS: &[Check] = &[
    Check {
        name: "the_product_with_the_hessian_of_a_quadratic",
        asked: "For f = x0^2 + 3 x0 x1 - 2 x1^2 and every x and h, H v is (2 v0 + 3 v1, 3 v0 - 4 v1).",
        run: |exam| {
            let inputs = [
                [1.0, -2.0, 1.0, 0.0],
                [1.0, -2.0, 0.0, 1.0],
                [0.0, 0.0, 2.0, -1.0],
                [-0.5, 4.0, 0.0, 0.0],
            ];
            for h in [0.25, 0.5f64.powi(20), 8.0] {
                let hv =
                    |[_, _, v0, v1]: [f64; 4]| vec![vec![2.0 * v0 + 3.0 * v1, 3.0 * v0 - 4.0 * v1]];
                let case = small_case(PRODUCT, BOWL, h, inputs.map(Vec::from).to_vec());
                exam.expect(&case, &inputs.map(hv))?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_difference_is_central",
        asked: "For f = x^4 it is 12 x^2 v + 4 h^2 v^3: an error of h^2, where one-sided differences have h.",
        run: |exam| {
            let inputs = [[1.0, 1.0], [-0.5, 2.0], [0.0, 1.0], [3.0, 0.0], [2.0, -1.5]];
            for h in [0.5, 0.125] {
                let hv = |[x, v]: [f64; 2]| vec![vec![12.0 * x * x * v + 4.0 * h * h * v.powi(3)]];
                let case = small_case(PRODUCT, &["x0^4"], h, inputs.map(Vec::from).to_vec());
                exam.expect(&case, &inputs.map(hv))?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_diagonal_of_a_quadratic_leaves_the_couplings_out",
        asked: "For f = x0^2 + 3 x0 x1 - 2 x1^2 the diagonal is (2, -4): the 3 is not on it.",
        run: |exam| {
            let points = [[1.0, -2.0], [0.0, 0.0], [0.5, 3.0]];
            let case = small_case(DIAGONAL, BOWL, 0.25, points.map(Vec::from).to_vec());
            exam.expect(&case, &vec![vec![vec![2.0, -4.0]]; 3])
        },
    },
    Check {
        name: "one_coordinate_moves_while_the_others_stay",
        asked: "For f = x0^4 + x0^2 x1^2 the diagonal is (12 x0^2 + 2 x1^2 + 4 h^2, 2 x0^2).",
        run: |exam| {
            let points = [[1.0, -2.0], [0.0, 0.0], [0.5, 3.0], [-1.5, 1.0]];
            for h in [0.5, 0.125] {
                let entries = |[x0, x1]: [f64; 2]| {
                    let first = 12.0 * x0 * x0 + 2.0 * x1 * x1 + 4.0 * h * h;
                    vec![vec![first, 2.0 * x0 * x0]]
                };
                let terms = &["x0^4", "x0^2 x1^2"];
                let case = small_case(DIAGONAL, terms, h, points.map(Vec::from).to_vec());
                exam.expect(&case, &points.map(entries))?;
            }
            Ok(())
        },
    },
    Check {
        name: "without_couplings_one_probe_is_enough",
        asked: "For f = x0^4 - 3 x1^2 any one probe gives all of the diagonal: (12 x0^2 + 4 h^2, -6).",
        run: |exam| {
            let h = 0.5;
            let entries = |x: [f64; 2]| vec![vec![12.0 * x[0] * x[0] + 4.0 * h * h, -6.0]];
            for z in all_signs(2) {
                let points = [[1.0, -2.0], [0.0, 0.5], [-1.5, 3.0]];
                let inputs = points.map(|x| [&x[..], &z].concat()).to_vec();
                let mut case = small_case(HUTCHINSON, &["x0^4", "-3 x1^2"], h, inputs);
                case.settings.push(("probes", 1.0));
                exam.expect(&case, &points.map(entries))?;
            }
            Ok(())
        },
    },
    Check {
        name: "over_all_sign_vectors_the_couplings_cancel",
        asked: "A probe sees h_ii + the sum of z_i z_j h_ij; the mean over all 2^n probes is h_ii.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for len in [2, 1, 3, 4] {
                let (f, diagonal) = Polynomial::quadratic(&mut random, len);
                let probes = all_signs(len);
                let inputs = (0..3).map(|_| {
                    [vec![point(&mut random, len)], probes.clone()]
                        .concat()
                        .concat()
                });
                let about = format!("all signs, {}", random_about(len, exam.seed));
                let mut case = case(about, HUTCHINSON, &f, 0.25, inputs.collect());
                case.settings.push(("probes", probes.len() as f64));
                exam.expect(&case, &vec![vec![diagonal]; 3])?;
            }
            Ok(())
        },
    },
    Check {
        name: "any_length_and_any_polynomial",
        asked: "All three follow from the derivatives of f along v, for 0, 1 and more variables.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for (len, h) in [(2, 0.5), (0, 0.25), (1, 1.0), (3, 0.25), (5, 0.5)] {
                for case in random_cases(&mut random, len, h, exam.seed) {
                    let f = Polynomial::parse(&case.names);
                    let expected = |input: &Vec<f64>| {
                        let (x, rest) = input.split_at(len);
                        vec![match case.call {
                            PRODUCT => product(&f, x, rest, h),
                            DIAGONAL => diagonal(&f, x, h),
                            _ => {
                                let count = case.setting("probes") as usize;
                                let probe = |k: usize| rest[k * len..(k + 1) * len].to_vec();
                                let probes: Vec<_> = (0..count).map(probe).collect();
                                hutchinson(&f, x, &probes, h)
                            }
                        }]
                    };
                    let expected: Vec<_> = case.inputs().iter().map(expected).collect();
                    exam.expect(&case, &expected)?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "the_units_are_those_of_f_over_x_squared",
        asked: "f in a unit c times smaller, x and h in one s times smaller: the diagonal is c / s^2 times as large.",
        run: |exam| {
            let f = Polynomial::parse(&["x0^4", "3 x0 x1", "x1^3"].map(str::to_owned));
            let (x, h) = ([1.0, -2.0], 0.5);
            for (value, length) in [(0, 0), (300, 0), (-300, 0), (0, -60), (0, 60), (100, -40)] {
                let (c, s) = (2f64.powi(value), 2f64.powi(length));
                let expected = diagonal(&f, &x, h)
                    .iter()
                    .map(|d| d * (c / (s * s)))
                    .collect();
                let about =
                    format!("x0^4 + 3 x0 x1 + x1^3 at (1, -2), c = 2^{value}, s = 2^{length}");
                let inputs = vec![x.iter().map(|x| x * s).collect()];
                let case = case(about, DIAGONAL, &f.rescaled(c, s), h * s, inputs);
                exam.expect(&case, &[vec![expected]])?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_step_divides_by_the_curvature_and_is_clipped",
        asked: "Each entry is g / max(curvature, eps), and no larger than clip: a curvature below 0 counts as eps.",
        run: |exam| {
            let inputs = [
                [3.0, -1.0, 4.0, 16.0],
                [3.0, -1.0, 0.5, -8.0],
                [0.0, -2.0, 0.0, 0.0],
                [1e300, -1e-3, 1e-300, 0.1],
                [1.5, 0.25, 0.01, 0.5],
            ];
            let expected = [
                [0.75, -0.0625],
                [1.0, -1.0],
                [0.0, -1.0],
                [1.0, -0.01],
                [1.0, 0.5],
            ];
            let case = step_case(
                "given g, then the curvature",
                (0.0625, 1.0),
                inputs.map(Vec::from).to_vec(),
            );
            exam.expect(&case, &expected.map(|step| vec![step.to_vec()]))?;

            let mut random = Random::new(exam.seed);
            for len in [0, 1, 4, 9] {
                let (eps, clip) = (
                    random.magnitude(-3.0, 0.0).abs(),
                    random.magnitude(-1.0, 1.0).abs(),
                );
                let grad = random.vector(len, -1.0, 1.0);
                let curvature = random.vector(len, -0.5, 1.0);
                let entry = |(&g, &c): (&f64, &f64)| {
                    let floored: f64 = if c > eps { c } else { eps };
                    // Whether the quotient is above the clip is asked without dividing.
                    if g.abs() > clip * floored {
                        clip.copysign(g)
                    } else {
                        g / floored
                    }
                };
                let expected = grad.iter().zip(&curvature).map(entry).collect();
                let about = format!("{len} entries, MOMENTS_SEED={}", exam.seed);
                let case = step_case(&about, (eps, clip), vec![[grad, curvature].concat()]);
                exam.expect(&case, &[vec![expected]])?;
            }
            Ok(())
        },
    },
];

fn case(about: String, call: &'static str, f: &Polynomial, h: f64, inputs: Vec<Vec<f64>>) -> Case {
    let channel: &[&str] = match call {
        PRODUCT => &["hessian_vector"],
        DIAGONAL => &["diagonal"],
        _ => &["hutchinson"],
    };
    let mut case = Case::given(about, call, channel, vec![("h", h)], Vec::new(), inputs);
    case.names = f.terms();
    case
}

/// A case whose function and inputs the learner can read.
fn small_case(call: &'static str, terms: &[&str], h: f64, inputs: Vec<Vec<f64>>) -> Case {
    let given = match call {
        PRODUCT => "x, then v",
        DIAGONAL => "x",
        _ => "x, then z",
    };
    let about = format!(
        "f = {} (given: {given})",
        terms.join(" + ").replace("+ -", "- ")
    );
    let f = Polynomial::parse(
        &terms
            .iter()
            .map(|&term| term.to_owned())
            .collect::<Vec<_>>(),
    );
    case(about, call, &f, h, inputs)
}

fn step_case(about: &str, (eps, clip): (f64, f64), inputs: Vec<Vec<f64>>) -> Case {
    let settings = vec![("eps", eps), ("clip", clip)];
    Case::given(about, STEP, &["step"], settings, Vec::new(), inputs)
}

fn random_about(len: usize, seed: u64) -> String {
    format!("a polynomial of {len} variables, MOMENTS_SEED={seed}")
}

/// The three functions on a random polynomial.
fn random_cases(random: &mut Random, len: usize, h: f64, seed: u64) -> [Case; 3] {
    let f = Polynomial::random(random, len);
    let about = random_about(len, seed);
    let products = (0..4).map(|_| [point(random, len), point(random, len)].concat());
    let products = case(about.clone(), PRODUCT, &f, h, products.collect());
    let points = (0..3).map(|_| point(random, len)).collect();
    let diagonals = case(about.clone(), DIAGONAL, &f, h, points);
    // Not as many as there are variables, so that the two cannot be mistaken for one another.
    let count = len + 2;
    let mut input = || {
        let x = point(random, len);
        let probes: Vec<_> = (0..count).map(|_| signs(random, len)).collect();
        (x, probes)
    };
    let mut inputs = Vec::new();
    while inputs.len() < 3 {
        let (x, probes) = input();
        // Where the terms cancel to 0, the rounding of a mean would be all that is left to compare.
        if hutchinson(&f, &x, &probes, h)
            .iter()
            .all(|entry| entry.abs() >= 1.0)
        {
            inputs.push([x, probes.concat()].concat());
        }
    }
    let mut estimates = case(about, HUTCHINSON, &f, h, inputs);
    estimates.settings.push(("probes", count as f64));
    [products, diagonals, estimates]
}

/// Cases on which every two mutants differ.
fn probes() -> Vec<Case> {
    let mut random = Random::new(15);
    let mut cases = random_cases(&mut random, 3, 0.25, 15).to_vec();
    // In other units, for what is added to h or put beneath it.
    let f =
        Polynomial::parse(&["x0^4", "3 x0 x1"].map(str::to_owned)).rescaled(1.0, 0.5f64.powi(30));
    let inputs = vec![vec![0.5f64.powi(30); 2]];
    cases.push(case(
        "a probe".to_owned(),
        DIAGONAL,
        &f,
        0.5f64.powi(31),
        inputs,
    ));
    let inputs =
        (0..4).map(|_| [random.vector(3, -1.0, 1.0), random.vector(3, -0.5, 1.0)].concat());
    let mut inputs: Vec<_> = inputs.collect();
    inputs.push(vec![0.3, -0.01, 0.02, 0.9, 0.4, 0.02]);
    cases.push(step_case("a probe", (0.05, 0.75), inputs));
    cases
}

// --- Mutants --------------------------------------------------------------------------------------------------------

/// A `diagonal` and a `hutchinson` that are given the `hessian_vector` beside them.
type Diagonal = fn(HessianVector, Gradient<'_>, &[f64], f64) -> Vec<f64>;
type Hutchinson = fn(HessianVector, Gradient<'_>, &[f64], &[Vec<f64>], f64) -> Vec<f64>;

/// An implementation whose `diagonal` and `hutchinson` rest on its `hessian_vector`.
#[derive(Clone, Copy, Debug)]
struct Form {
    product: HessianVector,
    diagonal: Diagonal,
    hutchinson: Hutchinson,
    step: ClippedStep,
}

const RIGHT: Form = Form {
    product: |grad, x, v, h| {
        let [plus, minus] = [h, -h].map(|h| grad(&moved(x, v, h)));
        combined(&plus, &minus, |plus, minus| (plus - minus) / (2.0 * h))
    },
    diagonal: |product, grad, x, h| {
        let entry = |i| product(grad, x, &unit(x.len(), i), h)[i];
        (0..x.len()).map(entry).collect()
    },
    hutchinson: |product, grad, x, probes, h| {
        let terms = terms(product, grad, x, probes, h, |z, hz| z * hz);
        mean(&terms, x.len(), probes.len() as f64)
    },
    step: |grad, curvature, eps, clip| {
        combined(grad, curvature, |g, c| (g / c.max(eps)).clamp(-clip, clip))
    },
};

fn form(case: &Case, form: Form) -> Step {
    ask(case, move |call| match call {
        Call::Product { grad, x, v, h } => (form.product)(grad, x, v, h),
        Call::Diagonal { grad, x, h } => (form.diagonal)(form.product, grad, x, h),
        Call::Hutchinson { grad, x, probes, h } => {
            (form.hutchinson)(form.product, grad, x, &probes, h)
        }
        Call::Step {
            grad,
            curvature,
            eps,
            clip,
        } => (form.step)(grad, curvature, eps, clip),
    })
}

/// x + h v.
fn moved(x: &[f64], v: &[f64], h: f64) -> Vec<f64> {
    combined(x, v, |x, v| x + h * v)
}

fn unit(len: usize, i: usize) -> Vec<f64> {
    (0..len).map(|j| if i == j { 1.0 } else { 0.0 }).collect()
}

fn combined(a: &[f64], b: &[f64], of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    a.iter().zip(b).map(|(&a, &b)| of(a, b)).collect()
}

/// What `of` makes of each probe and its product, entry by entry.
fn terms(
    product: HessianVector,
    grad: Gradient<'_>,
    x: &[f64],
    probes: &[Vec<f64>],
    h: f64,
    of: fn(f64, f64) -> f64,
) -> Vec<Vec<f64>> {
    let term = |z: &Vec<f64>| combined(z, &product(grad, x, z, h), of);
    probes.iter().map(term).collect()
}

/// The sum of vectors divided by a number.
fn mean(vectors: &[Vec<f64>], len: usize, by: f64) -> Vec<f64> {
    let sum = |i: usize| vectors.iter().map(|vector| vector[i]).sum::<f64>();
    (0..len).map(|i| sum(i) / by).collect()
}

const DIFFERENCES: &str = "exercises/ex15-diag-hessian.html#differences-of-the-gradient";
const ALONG: &str = "exercises/ex15-diag-hessian.html#one-product-costs-two-gradients";
const ONE: &str = "exercises/ex15-diag-hessian.html#one-coordinate-at-a-time";
const NOT: &str = "exercises/ex15-diag-hessian.html#what-the-diagonal-is-not";
const SIGNS: &str = "exercises/ex15-diag-hessian.html#signs-that-cancel-the-couplings";
const MEAN: &str = "exercises/ex15-diag-hessian.html#the-mean-over-the-probes";
const FLOOR: &str = "exercises/ex15-diag-hessian.html#dividing-by-a-curvature";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "forward-difference",
        mistake: "a forward difference, (g(x + h v) - g(x)) / h. Its error is of the order h; that of the central one is of the order h^2.",
        read: DIFFERENCES,
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                combined(&grad(&moved(x, v, h)), &grad(x), |plus, here| {
                    (plus - here) / h
                })
            };
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "backward-difference",
        mistake: "a backward difference, (g(x) - g(x - h v)) / h. Its error is of the order h; that of the central one is of the order h^2.",
        read: DIFFERENCES,
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                combined(&grad(x), &grad(&moved(x, v, -h)), |here, minus| {
                    (here - minus) / h
                })
            };
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "h-not-doubled",
        mistake: "the difference is divided by h. The two points are 2 h apart.",
        read: DIFFERENCES,
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                let [plus, minus] = [h, -h].map(|h| grad(&moved(x, v, h)));
                combined(&plus, &minus, |plus, minus| (plus - minus) / h)
            };
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "half-the-distance",
        mistake: "the points are x + h v / 2 and x - h v / 2. Here h is the way to each side.",
        read: DIFFERENCES,
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                let [plus, minus] = [h / 2.0, -h / 2.0].map(|h| grad(&moved(x, v, h)));
                combined(&plus, &minus, |plus, minus| (plus - minus) / h)
            };
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "not-divided",
        mistake: "the difference of the two gradients is not divided by 2 h.",
        read: DIFFERENCES,
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                let [plus, minus] = [h, -h].map(|h| grad(&moved(x, v, h)));
                combined(&plus, &minus, |plus, minus| plus - minus)
            };
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "times-h-over-two",
        mistake: "a missing pair of parentheses: / 2.0 * h multiplies by h. Write / (2.0 * h).",
        read: DIFFERENCES,
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                let [plus, minus] = [h, -h].map(|h| grad(&moved(x, v, h)));
                combined(&plus, &minus, |plus, minus| (plus - minus) / 2.0 * h)
            };
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "the-other-way-round",
        mistake: "the sign is turned round: subtract the gradient at x - h v from the one at x + h v.",
        read: DIFFERENCES,
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                let [plus, minus] = [h, -h].map(|h| grad(&moved(x, v, h)));
                combined(&plus, &minus, |plus, minus| (minus - plus) / (2.0 * h))
            };
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "second-difference-of-the-gradient",
        mistake: "(g(x + h v) - 2 g(x) + g(x - h v)) / h^2 is a third derivative of f. Of the gradient one difference is enough.",
        read: DIFFERENCES,
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                let [plus, minus] = [h, -h].map(|h| grad(&moved(x, v, h)));
                let sum = combined(&plus, &minus, |plus, minus| plus + minus);
                combined(&sum, &grad(x), |sum, here| (sum - 2.0 * here) / (h * h))
            };
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "h-has-a-floor",
        mistake: "h is not allowed below a fixed number, or something is added to it. Take it as it is given: its unit is that of x.",
        read: DIFFERENCES,
        start: |case| {
            let product: HessianVector = |grad, x, v, h| (RIGHT.product)(grad, x, v, h.max(1e-5));
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "v-left-out",
        mistake: "every coordinate is moved by h, whatever v is. The points are x + h v and x - h v.",
        read: ALONG,
        start: |case| {
            let product: HessianVector =
                |grad, x, _, h| (RIGHT.product)(grad, x, &vec![1.0; x.len()], h);
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "v-normalised",
        mistake: "v is divided by its length and the product is not multiplied by it again.",
        read: ALONG,
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
                let norm = if norm > 0.0 { norm } else { 1.0 };
                let v: Vec<_> = v.iter().map(|v| v / norm).collect();
                (RIGHT.product)(grad, x, &v, h)
            };
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "product-times-v",
        mistake: "the product is multiplied by v entry by entry. That belongs into hutchinson: hessian_vector returns H v.",
        read: ALONG,
        start: |case| {
            let product: HessianVector =
                |grad, x, v, h| combined(v, &(RIGHT.product)(grad, x, v, h), |v, hv| v * hv);
            // The estimate comes out right, for z is not multiplied a second time.
            let hutchinson: Hutchinson =
                |_, grad, x, probes, h| (RIGHT.hutchinson)(RIGHT.product, grad, x, probes, h);
            form(
                case,
                Form {
                    product,
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "whole-hessian",
        mistake: "the Hessian is built column by column, which takes 2 n gradients. One difference along v takes two, and is what is asked.",
        read: ALONG,
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                let mut sum = vec![0.0; x.len()];
                for (i, v) in v.iter().enumerate() {
                    let column = (RIGHT.product)(grad, x, &unit(x.len(), i), h);
                    sum = combined(&sum, &column, |sum, entry| sum + v * entry);
                }
                sum
            };
            form(case, Form { product, ..RIGHT })
        },
    },
    Mutant {
        name: "all-coordinates-at-once",
        mistake: "h is added to all coordinates at once. What comes out is the sum of each row of the Hessian, couplings included.",
        read: ONE,
        start: |case| {
            let diagonal: Diagonal = |product, grad, x, h| product(grad, x, &vec![1.0; x.len()], h);
            form(case, Form { diagonal, ..RIGHT })
        },
    },
    Mutant {
        name: "coordinate-not-put-back",
        mistake: "a coordinate stays at x - h while the next ones are moved. Put it back first.",
        read: ONE,
        start: |case| {
            let diagonal: Diagonal = |_, grad, x, h| {
                let mut at = x.to_vec();
                let entry = |i: usize| {
                    at[i] = x[i] + h;
                    let plus = grad(&at)[i];
                    at[i] = x[i] - h;
                    (plus - grad(&at)[i]) / (2.0 * h)
                };
                (0..x.len()).map(entry).collect()
            };
            form(case, Form { diagonal, ..RIGHT })
        },
    },
    Mutant {
        name: "only-back-to-x",
        mistake: "after x + h the coordinate goes back by h, which is x itself. It has to go back by 2 h.",
        read: ONE,
        start: |case| {
            let diagonal: Diagonal = |_, grad, x, h| {
                let entry = |i: usize| {
                    let plus = grad(&moved(x, &unit(x.len(), i), h))[i];
                    (plus - grad(x)[i]) / (2.0 * h)
                };
                (0..x.len()).map(entry).collect()
            };
            form(case, Form { diagonal, ..RIGHT })
        },
    },
    Mutant {
        name: "first-row",
        mistake: "entry 0 of every difference is taken: that is the first row of the Hessian. Coordinate i moves, and entry i is read.",
        read: ONE,
        start: |case| {
            let diagonal: Diagonal = |product, grad, x, h| {
                let entry = |i| product(grad, x, &unit(x.len(), i), h)[0];
                (0..x.len()).map(entry).collect()
            };
            form(case, Form { diagonal, ..RIGHT })
        },
    },
    Mutant {
        name: "column-sums",
        mistake: "the sizes of all entries of a column are added up. Only entry i of column i is on the diagonal.",
        read: ONE,
        start: |case| {
            let diagonal: Diagonal = |product, grad, x, h| {
                let entry = |i| {
                    product(grad, x, &unit(x.len(), i), h)
                        .iter()
                        .map(|e| e.abs())
                        .sum()
                };
                (0..x.len()).map(entry).collect()
            };
            form(case, Form { diagonal, ..RIGHT })
        },
    },
    Mutant {
        name: "gradient-squared",
        mistake: "the gradient squared, as Adam's v averages it. It is no curvature: of a parabola it is 0 at the minimum.",
        read: NOT,
        start: |case| {
            let diagonal: Diagonal = |_, grad, x, _| grad(x).iter().map(|g| g * g).collect();
            form(case, Form { diagonal, ..RIGHT })
        },
    },
    Mutant {
        name: "size-of-the-diagonal",
        mistake: "the absolute value is taken. A negative entry says that f bends down along that coordinate.",
        read: NOT,
        start: |case| {
            let diagonal: Diagonal = |product, grad, x, h| {
                let entries = (RIGHT.diagonal)(product, grad, x, h);
                entries.iter().map(|entry| entry.abs()).collect()
            };
            form(case, Form { diagonal, ..RIGHT })
        },
    },
    Mutant {
        name: "z-left-out-on-the-left",
        mistake: "the products H z are averaged as they are. Multiply each by its z, entry by entry: then the couplings cancel.",
        read: SIGNS,
        start: |case| {
            let hutchinson: Hutchinson = |product, grad, x, probes, h| {
                let terms = terms(product, grad, x, probes, h, |_, hz| hz);
                mean(&terms, x.len(), probes.len() as f64)
            };
            form(
                case,
                Form {
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "the-trace",
        mistake: "the products of z and H z are added up over the coordinates: that estimates the trace, one number for all.",
        read: SIGNS,
        start: |case| {
            let hutchinson: Hutchinson = |product, grad, x, probes, h| {
                let entries = (RIGHT.hutchinson)(product, grad, x, probes, h);
                vec![entries.iter().sum(); x.len()]
            };
            form(
                case,
                Form {
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "mean-over-the-coordinates",
        mistake: "every entry is the mean over the coordinates, the trace divided by n. Each coordinate keeps its own.",
        read: SIGNS,
        start: |case| {
            let hutchinson: Hutchinson = |product, grad, x, probes, h| {
                let entries = (RIGHT.hutchinson)(product, grad, x, probes, h);
                vec![entries.iter().sum::<f64>() / x.len() as f64; x.len()]
            };
            form(
                case,
                Form {
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "probes-averaged-first",
        mistake: "the probes are averaged and then used as one. Each probe has its own product with H; the mean comes last.",
        read: MEAN,
        start: |case| {
            let hutchinson: Hutchinson = |product, grad, x, probes, h| {
                let z = mean(probes, x.len(), probes.len() as f64);
                combined(&z, &product(grad, x, &z, h), |z, hz| z * hz)
            };
            form(
                case,
                Form {
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "sum-over-the-probes",
        mistake: "the terms of the probes are added up and not divided by how many there are.",
        read: MEAN,
        start: |case| {
            let hutchinson: Hutchinson = |product, grad, x, probes, h| {
                let terms = terms(product, grad, x, probes, h, |z, hz| z * hz);
                mean(&terms, x.len(), 1.0)
            };
            form(
                case,
                Form {
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "divided-by-the-coordinates",
        mistake: "the sum over the probes is divided by the number of coordinates. Divide it by the number of probes.",
        read: MEAN,
        start: |case| {
            let hutchinson: Hutchinson = |product, grad, x, probes, h| {
                let terms = terms(product, grad, x, probes, h, |z, hz| z * hz);
                mean(&terms, x.len(), x.len() as f64)
            };
            form(
                case,
                Form {
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "first-probe-only",
        mistake: "only the first probe is used.",
        read: MEAN,
        start: |case| {
            let hutchinson: Hutchinson =
                |product, grad, x, probes, h| (RIGHT.hutchinson)(product, grad, x, &probes[..1], h);
            form(
                case,
                Form {
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "last-probe-only",
        mistake: "each probe overwrites the one before it: what is left is the last. Add them up.",
        read: MEAN,
        start: |case| {
            let hutchinson: Hutchinson = |product, grad, x, probes, h| {
                (RIGHT.hutchinson)(product, grad, x, &probes[probes.len() - 1..], h)
            };
            form(
                case,
                Form {
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "size-of-every-term",
        mistake: "the absolute value of every term is averaged. The couplings cancel only with their signs.",
        read: MEAN,
        start: |case| {
            let hutchinson: Hutchinson = |product, grad, x, probes, h| {
                let terms = terms(product, grad, x, probes, h, |z, hz| (z * hz).abs());
                mean(&terms, x.len(), probes.len() as f64)
            };
            form(
                case,
                Form {
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "size-of-the-estimate",
        mistake: "the absolute value of the mean is taken, as AdaHessian does later. The estimate of a negative entry is negative.",
        read: NOT,
        start: |case| {
            let hutchinson: Hutchinson = |product, grad, x, probes, h| {
                let entries = (RIGHT.hutchinson)(product, grad, x, probes, h);
                entries.iter().map(|entry| entry.abs()).collect()
            };
            form(
                case,
                Form {
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "root-mean-square",
        mistake: "the terms are squared, averaged, and a root is taken. That mixes the couplings in, and the sign is lost.",
        read: MEAN,
        start: |case| {
            let hutchinson: Hutchinson = |product, grad, x, probes, h| {
                let terms = terms(product, grad, x, probes, h, |z, hz| (z * hz) * (z * hz));
                let squares = mean(&terms, x.len(), probes.len() as f64);
                squares.iter().map(|square| square.sqrt()).collect()
            };
            form(
                case,
                Form {
                    hutchinson,
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "no-floor",
        mistake: "the curvature is not kept above eps. Where it is negative the step climbs, and where it is 0 it is NaN or infinite.",
        read: FLOOR,
        start: |case| {
            let step: ClippedStep = |grad, curvature, _, clip| {
                combined(grad, curvature, |g, c| (g / c).clamp(-clip, clip))
            };
            form(case, Form { step, ..RIGHT })
        },
    },
    Mutant {
        name: "size-of-the-curvature",
        mistake: "the absolute value of the curvature is taken. Here a negative curvature counts as eps, which clips the step.",
        read: FLOOR,
        start: |case| {
            let step: ClippedStep = |grad, curvature, eps, clip| {
                combined(grad, curvature, |g, c| {
                    (g / c.abs().max(eps)).clamp(-clip, clip)
                })
            };
            form(case, Form { step, ..RIGHT })
        },
    },
    Mutant {
        name: "eps-added",
        mistake: "eps is added to the curvature. It is the smallest denominator: max(curvature, eps).",
        read: FLOOR,
        start: |case| {
            let step: ClippedStep = |grad, curvature, eps, clip| {
                combined(grad, curvature, |g, c| {
                    (g / (c.max(0.0) + eps)).clamp(-clip, clip)
                })
            };
            form(case, Form { step, ..RIGHT })
        },
    },
    Mutant {
        name: "eps-as-a-ceiling",
        mistake: "min stands where max belongs: the denominator is never larger than eps.",
        read: FLOOR,
        start: |case| {
            let step: ClippedStep = |grad, curvature, eps, clip| {
                combined(grad, curvature, |g, c| (g / c.min(eps)).clamp(-clip, clip))
            };
            form(case, Form { step, ..RIGHT })
        },
    },
    Mutant {
        name: "root-of-the-curvature",
        mistake: "a root is taken of the curvature, as Adam takes one of v. A curvature is divided by as it is.",
        read: NOT,
        start: |case| {
            let step: ClippedStep = |grad, curvature, eps, clip| {
                combined(grad, curvature, |g, c| {
                    (g / c.max(0.0).sqrt().max(eps)).clamp(-clip, clip)
                })
            };
            form(case, Form { step, ..RIGHT })
        },
    },
    Mutant {
        name: "times-the-curvature",
        mistake: "the gradient is multiplied by the curvature. A sharply bent coordinate takes a shorter step: divide.",
        read: FLOOR,
        start: |case| {
            let step: ClippedStep = |grad, curvature, eps, clip| {
                combined(grad, curvature, |g, c| (g * c.max(eps)).clamp(-clip, clip))
            };
            form(case, Form { step, ..RIGHT })
        },
    },
    Mutant {
        name: "not-clipped",
        mistake: "the quotient is not clipped. Where the curvature is small the step is then as long as g / eps.",
        read: FLOOR,
        start: |case| {
            let step: ClippedStep =
                |grad, curvature, eps, _| combined(grad, curvature, |g, c| g / c.max(eps));
            form(case, Form { step, ..RIGHT })
        },
    },
    Mutant {
        name: "clipped-on-one-side",
        mistake: "only steps above clip are cut, not those below -clip.",
        read: FLOOR,
        start: |case| {
            let step: ClippedStep = |grad, curvature, eps, clip| {
                combined(grad, curvature, |g, c| (g / c.max(eps)).min(clip))
            };
            form(case, Form { step, ..RIGHT })
        },
    },
    Mutant {
        name: "gradient-clipped",
        mistake: "the gradient is clipped before it is divided. The quotient is what is clipped.",
        read: FLOOR,
        start: |case| {
            let step: ClippedStep = |grad, curvature, eps, clip| {
                combined(grad, curvature, |g, c| g.clamp(-clip, clip) / c.max(eps))
            };
            form(case, Form { step, ..RIGHT })
        },
    },
    Mutant {
        name: "norm-clipped",
        mistake: "the step is scaled down as a whole, by its norm. Each entry is clipped by itself.",
        read: FLOOR,
        start: |case| {
            let step: ClippedStep = |grad, curvature, eps, clip| {
                let quotients = combined(grad, curvature, |g, c| g / c.max(eps));
                let norm = quotients.iter().map(|q| q * q).sum::<f64>().sqrt();
                let factor = if norm > clip { clip / norm } else { 1.0 };
                quotients.iter().map(|q| q * factor).collect()
            };
            form(case, Form { step, ..RIGHT })
        },
    },
    Mutant {
        name: "step-with-a-minus",
        mistake: "the step has the sign of its subtraction. What is returned is what will be subtracted: it has the sign of g.",
        read: FLOOR,
        start: |case| {
            let step: ClippedStep = |grad, curvature, eps, clip| {
                combined(grad, curvature, |g, c| (-g / c.max(eps)).clamp(-clip, clip))
            };
            form(case, Form { step, ..RIGHT })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "each-function-on-the-one-before",
        start: |case| form(case, RIGHT),
    },
    Variant {
        name: "in-place-and-put-back",
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                let mut at = x.to_vec();
                at.iter_mut().zip(v).for_each(|(at, v)| *at += h * v);
                let plus = grad(&at);
                at.iter_mut().zip(v).for_each(|(at, v)| *at -= 2.0 * h * v);
                let mut difference = grad(&at);
                for (minus, plus) in difference.iter_mut().zip(&plus) {
                    *minus = (plus - *minus) * 0.5 / h;
                }
                difference
            };
            let diagonal: Diagonal = |_, grad, x, h| {
                let (mut at, mut entries) = (x.to_vec(), vec![0.0; x.len()]);
                for i in (0..x.len()).rev() {
                    let here = at[i];
                    at[i] = here - h;
                    entries[i] -= grad(&at)[i] / (2.0 * h);
                    at[i] = here + h;
                    entries[i] += grad(&at)[i] / (2.0 * h);
                    at[i] = here;
                }
                entries
            };
            form(
                case,
                Form {
                    product,
                    diagonal,
                    ..RIGHT
                },
            )
        },
    },
    Variant {
        name: "the-mean-of-both-one-sided-differences",
        start: |case| {
            let product: HessianVector = |grad, x, v, h| {
                let here = grad(x);
                let forward = combined(&grad(&moved(x, v, h)), &here, |plus, here| {
                    (plus - here) / h
                });
                let backward = combined(&here, &grad(&moved(x, v, -h)), |here, minus| {
                    (here - minus) / h
                });
                combined(&forward, &backward, |forward, backward| {
                    0.5 * (forward + backward)
                })
            };
            form(case, Form { product, ..RIGHT })
        },
    },
    Variant {
        name: "divided-by-z-in-a-running-mean",
        start: |case| {
            let hutchinson: Hutchinson = |product, grad, x, probes, h| {
                let mut estimate = vec![0.0; x.len()];
                for (k, z) in probes.iter().rev().enumerate() {
                    // For ±1 dividing is multiplying.
                    for ((estimate, z), hz) in
                        estimate.iter_mut().zip(z).zip(product(grad, x, z, h))
                    {
                        *estimate += (hz / z - *estimate) / (k + 1) as f64;
                    }
                }
                estimate
            };
            let step: ClippedStep = |grad, curvature, eps, clip| {
                let entry =
                    |g: f64, c: f64| g.signum() * clip.min(g.abs() / if c < eps { eps } else { c });
                combined(grad, curvature, entry)
            };
            form(
                case,
                Form {
                    hutchinson,
                    step,
                    ..RIGHT
                },
            )
        },
    },
];
