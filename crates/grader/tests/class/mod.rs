//! A class of students that exercise 07 was given to: right and wrong, half-done and broken, hostile, copied; and what each of them should get.
//!
//! Everything follows from a seed. What a mistake is left with is not written down here: it follows from the mistake's own implementation
//! in `moments-checks`, and the submission is the same mistake as a student would make it, in the text of the solution.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use moments_checks::{
    Case, Check, Exam, Exercise, Random, Step, TOLERANCE, Trusted, drive, exercises,
    first_difference, hidden,
};
use moments_grader::rubric::Rubric;
use serde::{Deserialize, Serialize};

/// What one student should get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Expected {
    /// `graded`, `does-not-compile` or `refused`.
    pub(crate) status: String,
    /// The points.
    pub(crate) points: u32,
    /// What it is, such as `mutant no-eps` or `right step-size-folded`.
    pub(crate) kind: String,
    /// The mistake that it is told, if that is certain.
    pub(crate) diagnosis: Option<String>,
    /// The form in which it is handed in, such as `zip`.
    pub(crate) form: String,
    /// Whose work it is, if it is a copy.
    pub(crate) copy_of: Option<String>,
}

/// What a class should get, by student.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Class {
    /// The id of the exercise.
    pub(crate) exercise: String,
    /// The seed that all of it follows from.
    pub(crate) seed: u64,
    /// The points that can be earned.
    pub(crate) max_points: u32,
    /// The students.
    pub(crate) students: BTreeMap<String, Expected>,
}

/// A submission before it has a form and a name.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    /// What it is.
    pub(crate) kind: String,
    /// The files, by path from the folder of the exercise.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// How far grading should come.
    pub(crate) status: &'static str,
    /// The points that it should get.
    pub(crate) points: u32,
    /// The mistake that it should be told.
    pub(crate) diagnosis: Option<String>,
}

fn course() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    let path = course().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The exercise of the class.
pub(crate) fn exercise() -> &'static Exercise {
    exercises()
        .iter()
        .find(|exercise| exercise.id == "ex07")
        .expect("ex07 is an exercise")
}

fn solution() -> String {
    read("solutions/ex07-adam/src/lib.rs")
}

fn starter() -> String {
    read("crates/course/starters/ex07.rs")
}

// --- Mistakes, as students make them --------------------------------------------------------------------------------------------

const M_HAT: &str = "self.m[i] / correction1";
const V_HAT: &str = "self.v[i] / correction2";
const M: &str = "self.m[i] = self.beta1 * self.m[i] + (1.0 - self.beta1) * g;";
const V: &str = "self.v[i] = self.beta2 * self.v[i] + (1.0 - self.beta2) * g * g;";
const POWER1: &str = "1.0 - self.beta1.powi(self.t)";
const POWER2: &str = "1.0 - self.beta2.powi(self.t)";
const UPDATE: &str = "*theta -= self.lr * m_hat / (v_hat.sqrt() + self.eps);";
const COUNT: &str = "        self.t += 1;\n";

/// Every mistake of the exercise by its name in `moments-checks`: what stands in the solution, and what a student wrote instead.
const MISTAKES: &[(&str, &[(&str, &str)])] = &[
    (
        "no-correction",
        &[(M_HAT, "self.m[i]"), (V_HAT, "self.v[i]")],
    ),
    ("only-m-corrected", &[(V_HAT, "self.v[i]")]),
    ("only-v-corrected", &[(M_HAT, "self.m[i]")]),
    (
        "correction-multiplied",
        &[
            (M_HAT, "self.m[i] * correction1"),
            (V_HAT, "self.v[i] * correction2"),
        ],
    ),
    (
        "correction-frozen",
        &[(POWER1, "1.0 - self.beta1"), (POWER2, "1.0 - self.beta2")],
    ),
    ("correction-of-m-frozen", &[(POWER1, "1.0 - self.beta1")]),
    ("correction-of-v-frozen", &[(POWER2, "1.0 - self.beta2")]),
    (
        "correction-linear",
        &[
            (POWER1, "1.0 - self.beta1 * f64::from(self.t)"),
            (POWER2, "1.0 - self.beta2 * f64::from(self.t)"),
        ],
    ),
    (
        "correction-in-single-precision",
        &[
            (POWER1, "1.0 - f64::from((self.beta1 as f32).powi(self.t))"),
            (POWER2, "1.0 - f64::from((self.beta2 as f32).powi(self.t))"),
        ],
    ),
    (
        "counter-from-zero",
        &[
            (COUNT, ""),
            (POWER1, "1.0 - self.beta1.powi(self.t - 1)"),
            (POWER2, "1.0 - self.beta2.powi(self.t - 1)"),
            ("let correction1", "self.t += 1;\n        let correction1"),
        ],
    ),
    ("counter-from-two", &[("t: 0,", "t: 1,")]),
    (
        "counter-per-parameter",
        &[
            (COUNT, ""),
            (
                "        let correction1 = 1.0 - self.beta1.powi(self.t);\n",
                "",
            ),
            (
                "        let correction2 = 1.0 - self.beta2.powi(self.t);\n",
                "",
            ),
            (
                M,
                "self.t += 1;\n            let correction1 = 1.0 - self.beta1.powi(self.t);\n            let correction2 = 1.0 - self.beta2.powi(self.t);\n            self.m[i] = self.beta1 * self.m[i] + (1.0 - self.beta1) * g;",
            ),
        ],
    ),
    (
        "hats-kept",
        &[(
            UPDATE,
            "self.m[i] = m_hat;\n            self.v[i] = v_hat;\n            *theta -= self.lr * m_hat / (v_hat.sqrt() + self.eps);",
        )],
    ),
    (
        "no-root",
        &[(UPDATE, "*theta -= self.lr * m_hat / (v_hat + self.eps);")],
    ),
    ("ascent", &[("*theta -=", "*theta +=")]),
    (
        "powers-swapped",
        &[
            (M_HAT, "self.m[i] / correction2"),
            (V_HAT, "self.v[i] / correction1"),
        ],
    ),
    (
        "beta2-in-both-corrections",
        &[(M_HAT, "self.m[i] / correction2")],
    ),
    (
        "beta1-in-both-corrections",
        &[(V_HAT, "self.v[i] / correction1")],
    ),
    ("theta-replaced", &[("*theta -=", "*theta = -")]),
    (
        "settings-ignored",
        &[
            (POWER1, "1.0 - 0.9_f64.powi(self.t)"),
            (POWER2, "1.0 - 0.999_f64.powi(self.t)"),
            (M, "self.m[i] = 0.9 * self.m[i] + (1.0 - 0.9) * g;"),
            (V, "self.v[i] = 0.999 * self.v[i] + (1.0 - 0.999) * g * g;"),
            (UPDATE, "*theta -= 0.001 * m_hat / (v_hat.sqrt() + 1e-8);"),
        ],
    ),
    (
        "moments-too-late",
        &[
            (M, ""),
            (V, ""),
            (
                UPDATE,
                "*theta -= self.lr * m_hat / (v_hat.sqrt() + self.eps);\n            self.m[i] = self.beta1 * self.m[i] + (1.0 - self.beta1) * g;\n            self.v[i] = self.beta2 * self.v[i] + (1.0 - self.beta2) * g * g;",
            ),
        ],
    ),
    ("gradient-for-m-hat", &[(M_HAT, "g")]),
    (
        "eps-added-to-theta",
        &[(
            UPDATE,
            "*theta = *theta - self.lr * m_hat / v_hat.sqrt() + self.eps;",
        )],
    ),
    (
        "eps-subtracted-from-theta",
        &[(
            UPDATE,
            "*theta -= self.lr * m_hat / v_hat.sqrt() + self.eps;",
        )],
    ),
    (
        "eps-inside-the-root",
        &[(
            UPDATE,
            "*theta -= self.lr * m_hat / (v_hat + self.eps).sqrt();",
        )],
    ),
    (
        "eps-before-the-correction",
        &[(
            UPDATE,
            "let _ = (m_hat, v_hat);\n            *theta -= self.lr * correction2.sqrt() / correction1 * self.m[i] / (self.v[i].sqrt() + self.eps);",
        )],
    ),
    (
        "eps-scaled-without-the-root",
        &[(
            UPDATE,
            "let _ = (m_hat, v_hat);\n            *theta -= self.lr * correction2.sqrt() / correction1 * self.m[i] / (self.v[i].sqrt() + self.eps * correction2);",
        )],
    ),
    (
        "no-eps",
        &[(UPDATE, "*theta -= self.lr * m_hat / v_hat.sqrt();")],
    ),
    (
        "eps-as-a-floor",
        &[(
            UPDATE,
            "*theta -= self.lr * m_hat / v_hat.sqrt().max(self.eps);",
        )],
    ),
    (
        "v-of-g",
        &[(
            V,
            "self.v[i] = self.beta2 * self.v[i] + (1.0 - self.beta2) * g;",
        )],
    ),
    (
        "v-of-m",
        &[(
            V,
            "self.v[i] = self.beta2 * self.v[i] + (1.0 - self.beta2) * self.m[i] * self.m[i];",
        )],
    ),
    (
        "betas-swapped",
        &[
            (POWER1, "1.0 - self.beta2.powi(self.t)"),
            (
                "let correction2 = 1.0 - self.beta2.powi(self.t)",
                "let correction2 = 1.0 - self.beta1.powi(self.t)",
            ),
            (
                M,
                "self.m[i] = self.beta2 * self.m[i] + (1.0 - self.beta2) * g;",
            ),
            (
                V,
                "self.v[i] = self.beta1 * self.v[i] + (1.0 - self.beta1) * g * g;",
            ),
        ],
    ),
    (
        "weights-swapped",
        &[
            (
                M,
                "self.m[i] = (1.0 - self.beta1) * self.m[i] + self.beta1 * g;",
            ),
            (
                V,
                "self.v[i] = (1.0 - self.beta2) * self.v[i] + self.beta2 * g * g;",
            ),
        ],
    ),
    (
        "gradient-unweighted",
        &[
            (M, "self.m[i] = self.beta1 * self.m[i] + g;"),
            (V, "self.v[i] = self.beta2 * self.v[i] + g * g;"),
        ],
    ),
    (
        "m-unweighted",
        &[(M, "self.m[i] = self.beta1 * self.m[i] + g;")],
    ),
    (
        "v-unweighted",
        &[(V, "self.v[i] = self.beta2 * self.v[i] + g * g;")],
    ),
    (
        "betas-swapped-in-the-moments",
        &[
            (
                M,
                "self.m[i] = self.beta2 * self.m[i] + (1.0 - self.beta2) * g;",
            ),
            (
                V,
                "self.v[i] = self.beta1 * self.v[i] + (1.0 - self.beta1) * g * g;",
            ),
        ],
    ),
    (
        "no-memory",
        &[
            (M, "self.m[i] = (1.0 - self.beta1) * g;"),
            (V, "self.v[i] = (1.0 - self.beta2) * g * g;"),
        ],
    ),
    (
        "one-state-for-all",
        &[(
            "for (i, (theta, &g)) in theta.iter_mut().zip(grad).enumerate() {",
            "for (theta, &g) in theta.iter_mut().zip(grad) {\n            let i = 0;",
        )],
    ),
    (
        "zero-gradient-skipped",
        &[(
            M,
            "if g == 0.0 {\n                continue;\n            }\n            self.m[i] = self.beta1 * self.m[i] + (1.0 - self.beta1) * g;",
        )],
    ),
    ("another-eps-by-default", &[("eps: 1e-8,", "eps: 1e-5,")]),
];

/// Right forms by name: what stands in the solution, and what stands there instead.
const FORMS: &[(&str, &[(&str, &str)])] = &[
    ("as-in-the-paper", &[]),
    (
        "as-pytorch-orders-it",
        &[
            (M, "self.m[i] += (g - self.m[i]) * (1.0 - self.beta1);"),
            (
                V,
                "self.v[i] = self.v[i] * self.beta2 + g * g * (1.0 - self.beta2);",
            ),
            (
                UPDATE,
                "let _ = (m_hat, v_hat);\n            let denominator = self.v[i].sqrt() / correction2.sqrt() + self.eps;\n            *theta += -(self.lr / correction1) * (self.m[i] / denominator);",
            ),
        ],
    ),
    (
        "step-size-folded",
        &[
            (POWER1, "1.0 - self.beta1.powf(f64::from(self.t))"),
            (POWER2, "1.0 - self.beta2.powf(f64::from(self.t))"),
            (
                UPDATE,
                "let _ = (m_hat, v_hat);\n            let lr = self.lr * correction2.sqrt() / correction1;\n            *theta -= lr * self.m[i] / (self.v[i].sqrt() + self.eps * correction2.sqrt());",
            ),
        ],
    ),
    (
        "powers-from-logarithms",
        &[
            (POWER1, "-(f64::from(self.t) * self.beta1.ln()).exp_m1()"),
            (POWER2, "-(f64::from(self.t) * self.beta2.ln()).exp_m1()"),
        ],
    ),
    (
        "running-products",
        &[
            (
                "    pub t: i32,\n",
                "    pub t: i32,\n    powers: (f64, f64),\n",
            ),
            ("t: 0,", "t: 0,\n            powers: (1.0, 1.0),"),
            (
                COUNT,
                "        self.t += 1;\n        self.powers.0 *= self.beta1;\n        self.powers.1 *= self.beta2;\n",
            ),
            (POWER1, "1.0 - self.powers.0"),
            (POWER2, "1.0 - self.powers.1"),
        ],
    ),
    (
        "sums-with-their-weights",
        &[
            (
                "    pub t: i32,\n",
                "    pub t: i32,\n    weights: (f64, f64),\n",
            ),
            ("t: 0,", "t: 0,\n            weights: (0.0, 0.0),"),
            (
                COUNT,
                "        self.t += 1;\n        self.weights.0 = self.weights.0 * self.beta1 + 1.0;\n        self.weights.1 = self.weights.1 * self.beta2 + 1.0;\n",
            ),
            (POWER1, "self.weights.0"),
            (POWER2, "self.weights.1"),
            (M, "self.m[i] = self.m[i] * self.beta1 + g;"),
            (V, "self.v[i] = self.v[i] * self.beta2 + g * g;"),
        ],
    ),
    (
        "in-three-loops",
        &[
            (
                "for (i, (theta, &g)) in theta.iter_mut().zip(grad).enumerate() {",
                "for (i, &g) in grad.iter().enumerate() {",
            ),
            (
                "            // The state stays uncorrected: only these copies are divided.\n",
                "        }\n        for (i, theta) in theta.iter_mut().enumerate().rev() {\n",
            ),
        ],
    ),
];

/// The solution with other text in some places.
///
/// # Panics
/// If one of the places is not there, or is there twice.
pub(crate) fn rewritten(changes: &[(&str, &str)]) -> String {
    let mut text = solution();
    for (from, to) in changes {
        assert_eq!(
            text.matches(from).count(),
            1,
            "`{from}` is not once in\n{text}"
        );
        text = text.replacen(from, to, 1);
    }
    text
}

/// The names of all mistakes that are written down here.
pub(crate) fn mistakes() -> impl Iterator<Item = &'static str> {
    MISTAKES.iter().map(|(name, _)| *name)
}

/// The right forms, by name and text.
pub(crate) fn forms() -> impl Iterator<Item = (&'static str, String)> {
    FORMS
        .iter()
        .map(|(name, changes)| (*name, rewritten(changes)))
}

// --- What it is worth -----------------------------------------------------------------------------------------------------------

/// What an implementation that lives in this process is left with; the seed of the hidden cases does not matter.
fn worth(rubric: &Rubric, start: fn(&Case) -> Step) -> u32 {
    let subject = Trusted(start);
    let holds = |check: &Check, seed| {
        let hidden = || {
            hidden(exercise(), check, seed).into_iter().all(|hidden| {
                let run = drive(&subject, &hidden.case);
                first_difference(&hidden.case, &hidden.expected, &run.frames, TOLERANCE).is_none()
            })
        };
        (check.run)(&Exam::new(&subject)).is_ok() && hidden()
    };
    let points = |seed| -> u32 {
        let checks = exercise().checks.iter().zip(&rubric.points);
        checks
            .filter(|(check, _)| holds(check, seed))
            .map(|(_, points)| points)
            .sum()
    };
    let first = points(1);
    assert_eq!(points(2), first, "what it is worth depends on the seed");
    first
}

fn idle(case: &Case) -> Step {
    let theta = case.start.clone();
    Box::new(move |_| vec![theta.clone()])
}

fn descent(case: &Case) -> Step {
    let mut theta = case.start.clone();
    let lr = case.settings.first().map_or(1e-3, |(_, lr)| *lr);
    Box::new(move |grad| {
        for (theta, g) in theta.iter_mut().zip(grad) {
            *theta -= lr * g;
        }
        vec![theta.clone()]
    })
}

/// Everything that a student of the class may hand in.
pub(crate) fn works() -> &'static [Work] {
    static WORKS: OnceLock<Vec<Work>> = OnceLock::new();
    WORKS.get_or_init(all_works)
}

fn all_works() -> Vec<Work> {
    let rubric = Rubric::load(&course().join("crates/grader/rubrics"), exercise())
        .expect("the rubric can be read");
    let max = rubric.total();
    let one = |kind: String, text: String, status, points| Work {
        kind,
        files: vec![("src/lib.rs".to_owned(), text.into_bytes())],
        status,
        points,
        diagnosis: None,
    };
    let mut works = Vec::new();
    for (name, text) in forms() {
        works.push(one(format!("right {name}"), text, "graded", max));
    }
    let windows = format!("\u{feff}{}", solution().replace('\n', "\r\n"));
    works.push(one(
        "right written-on-windows".to_owned(),
        windows,
        "graded",
        max,
    ));
    let mut modules = one(
        "right in-two-files".to_owned(),
        "mod adam;\n\npub use adam::Adam;\n".to_owned(),
        "graded",
        max,
    );
    modules
        .files
        .push(("src/adam.rs".to_owned(), solution().into_bytes()));
    works.push(modules);

    for (name, changes) in MISTAKES {
        let mutant = exercise()
            .mutants
            .iter()
            .find(|mutant| mutant.name == *name)
            .expect("the mistake is known to the checks");
        let points = worth(&rubric, mutant.start);
        let mut work = one(
            format!("mutant {name}"),
            rewritten(changes),
            "graded",
            points,
        );
        work.diagnosis = Some((*name).to_owned());
        works.push(work);
    }

    // Half-done.
    let begun = |step: &str| {
        let body = solution();
        let (from, to) = (
            body.find("        // One count")
                .expect("the step is there"),
            body.rfind("    }\n}").expect("its end is there"),
        );
        format!(
            "#![allow(unused)]\n{}{step}\n{}",
            &body[..from],
            &body[to..]
        )
        .replacen("//!", "//", 6)
    };
    works.push(one(
        "half-done untouched".to_owned(),
        starter(),
        "graded",
        0,
    ));
    works.push(one(
        "half-done step-not-written".to_owned(),
        begun("        todo!(\"Adam::step\")"),
        "graded",
        0,
    ));
    works.push(one(
        "half-done step-does-nothing".to_owned(),
        begun(""),
        "graded",
        worth(&rubric, idle),
    ));
    let sgd = "        for (theta, g) in theta.iter_mut().zip(grad) {\n            *theta -= self.lr * g;\n        }";
    works.push(one(
        "half-done plain-descent".to_owned(),
        begun(sgd),
        "graded",
        worth(&rubric, descent),
    ));
    let lost = |names: &[&str]| {
        let checks = exercise().checks.iter().zip(&rubric.points);
        checks
            .filter(|(check, _)| !names.contains(&check.name))
            .map(|(_, points)| points)
            .sum()
    };
    let first = rewritten(&[(
        "        // One count",
        "        let _first = grad[0];\n        // One count",
    )]);
    works.push(one(
        "half-done fails-on-no-parameters".to_owned(),
        first,
        "graded",
        lost(&["any_length_and_any_settings"]),
    ));

    // Not Rust.
    let broken: [(&str, &[(&str, &str)]); 6] = [
        ("no-semicolon", &[("self.t += 1;", "self.t += 1")]),
        ("unknown-type", &[("pub m: Vec<f64>", "pub m: Vec<double>")]),
        (
            "other-signature",
            &[
                ("pub fn new(len: usize)", "pub fn new(len: usize, lr: f64)"),
                ("lr: 1e-3,", "lr,"),
            ],
        ),
        ("no-step", &[("pub fn step(", "fn step_(")]),
        (
            "a-crate-that-is-not-there",
            &[(
                "/// Adam for a vector",
                "use ndarray::Array1;\n\n/// Adam for a vector",
            )],
        ),
        (
            "borrowed-twice",
            &[(
                "let m_hat =",
                "let first = &mut self.m;\n            let second = &mut self.m;\n            first.swap(0, 0);\n            second.swap(0, 0);\n            first.swap(0, 0);\n            let m_hat =",
            )],
        ),
    ];
    for (name, changes) in broken {
        works.push(one(
            format!("broken {name}"),
            rewritten(changes),
            "does-not-compile",
            0,
        ));
    }
    let half = solution();
    let cut = half[..half.len() * 3 / 4].rfind('\n').unwrap_or(0);
    works.push(one(
        "broken cut-off".to_owned(),
        half[..cut].to_owned(),
        "does-not-compile",
        0,
    ));
    works.push(one(
        "broken no-program".to_owned(),
        "I could not do this one, sorry.\n".to_owned(),
        "does-not-compile",
        0,
    ));

    // Refused.
    let mut refused = |kind: &str, path: &str, bytes: Vec<u8>| {
        works.push(Work {
            kind: format!("refused {kind}"),
            files: vec![(path.to_owned(), bytes)],
            status: "refused",
            points: 0,
            diagnosis: None,
        });
    };
    refused("empty", "src/lib.rs", Vec::new());
    let latin: Vec<u8> = solution()
        .chars()
        .map(|c| u8::try_from(c).unwrap_or(b'?'))
        .chain([b'\n', 0xe9])
        .collect();
    refused("latin-1", "src/lib.rs", latin);
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(solution().encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    refused("utf-16", "src/lib.rs", wide);
    refused("another-name", "src/Lib.rs", solution().into_bytes());
    refused(
        "with-data",
        "src/lib.rs",
        format!("{}// {}\n", solution(), "data ".repeat(60_000)).into_bytes(),
    );

    // Cheats that take little time.
    let cheats = [
        ("exit-in-the-first-step", "graded"),
        ("prints-test-result-ok", "graded"),
        ("edited-tests", "graded"),
        ("include-a-file-of-the-system", "does-not-compile"),
        ("allow-unsafe", "does-not-compile"),
        ("uses-the-crate", "does-not-compile"),
        ("hard-coded-trajectories", "graded"),
        ("commands-in-a-panic", "graded"),
        ("many-allocations", "graded"),
        ("empty-file", "refused"),
        ("right-and-prints", "graded"),
    ];
    for (name, status) in cheats {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("redteam")
            .join(name);
        let mut files = Vec::new();
        collect(&folder, "", &mut files);
        files.retain(|(path, _)| path != "cheat.toml");
        let points = if name.starts_with("right") { max } else { 0 };
        works.push(Work {
            kind: format!("cheat {name}"),
            files,
            status,
            points,
            diagnosis: None,
        });
    }
    works
}

fn collect(folder: &Path, below: &str, files: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("the corpus is there")
        .flatten()
        .collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        if entry.path().is_dir() {
            collect(&entry.path(), &path, files);
        } else {
            files.push((
                path,
                fs::read(entry.path()).expect("the corpus can be read"),
            ));
        }
    }
}

// --- Names and forms ------------------------------------------------------------------------------------------------------------

const GIVEN: &[&str] = &[
    "Ada",
    "Zoë",
    "José Ángel",
    "Мария",
    "李",
    "Søren",
    "Nguyễn Văn",
    "Aoife",
    "محمد",
    "Chloé",
    "Jürgen",
    "Oluwaseun",
    "さくら",
    "Ivan",
    "Mary Ann",
    "D'Angelo",
    "Łukasz",
    "Anne-Marie",
    "Σοφία",
    "Bob",
];

const FAMILY: &[&str] = &[
    "Lovelace",
    "O'Brien",
    "Núñez",
    "Иванова",
    "小龍",
    "Ångström",
    "An",
    "Ní Dhomhnaill",
    "علي",
    "d'Arc",
    "Müller-Lüdenscheidt",
    "Adéyẹmí",
    "田中",
    "van der Berg",
    "Smith",
    "de la Cruz",
    "Żółć",
    "Saint-Exupéry",
    "Παπαδοπούλου",
    "Tables; DROP",
];

/// Names that are hard on spreadsheets, shells and pages.
const HARD: &[&str] = &[
    "=HYPERLINK(\"x\")",
    "-rf",
    "+1 234",
    "@sum",
    "<b>Bold<b>",
    "a, b",
    "\"quoted\"",
    "100%",
    "$(touch x)",
    "ex01 Emil",
    "null",
    "0123",
    "👩🏽‍🎓 Grad",
    "name.with.dots",
];

/// The name of a student as the file system has it, and as intake shows it.
fn name(index: usize, random: &mut Random) -> (String, String) {
    let plain = if index < HARD.len() {
        HARD[index].to_owned()
    } else {
        let given = GIVEN[(random.bits() % GIVEN.len() as u64) as usize];
        let family = FAMILY[(random.bits() % FAMILY.len() as u64) as usize];
        format!("{given} {family} {index}")
    };
    // The joiner in a group of pictures cannot be seen, so it is shown.
    let shown = plain.replace('\u{200d}', "\\u{200d}");
    (plain, shown)
}

/// In which forms a submission is handed in.
const SHAPES: &[&str] = &[
    "folder",
    "clone",
    "lone file",
    "zip",
    "zip from GitHub",
    "tar.gz",
    "folder with a zip",
];

fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (path, content) in files {
        let builder = archive
            .new_file(path.as_str())
            .compression_method(rawzip::CompressionMethod::DEFLATE);
        let (mut entry, config) = builder.start().expect("an entry can be begun");
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::fast()));
        writer.write_all(content).expect("memory can be written to");
        let (encoder, descriptor) = writer.finish().expect("an entry can be finished");
        encoder.finish().expect("an entry can be finished");
        entry.finish(descriptor).expect("an entry can be finished");
    }
    archive.finish().expect("an archive can be finished");
    bytes
}

fn tar_gz(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        builder
            .append_data(&mut header, path, &content[..])
            .expect("memory can be written to");
    }
    builder
        .into_inner()
        .and_then(GzEncoder::finish)
        .expect("an archive can be finished")
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Writes a submission under a name.
fn hand_in(folder: &Path, name: &str, shape: &str, work: &Work) {
    let under = |top: &str| -> Vec<(String, Vec<u8>)> {
        work.files
            .iter()
            .map(|(path, bytes)| (format!("{top}{path}"), bytes.clone()))
            .collect()
    };
    let all = |top: &Path, files: Vec<(String, Vec<u8>)>| {
        for (path, bytes) in files {
            put(&top.join(path), &bytes);
        }
    };
    match shape {
        "folder" => all(&folder.join(name), under("")),
        "clone" => all(&folder.join(name), under("exercises/ex07-adam/")),
        "lone file" => put(&folder.join(format!("{name}.rs")), &work.files[0].1),
        "zip" => put(&folder.join(format!("{name}.zip")), &zip(&under(""))),
        "zip from GitHub" => put(
            &folder.join(format!("{name}.zip")),
            &zip(&under("moments-main/exercises/ex07-adam/")),
        ),
        "tar.gz" => put(
            &folder.join(format!("{name}.tar.gz")),
            &tar_gz(&under("./")),
        ),
        _ => put(&folder.join(name).join("upload_1.zip"), &zip(&under(""))),
    }
}

/// Writes a class of so many students to a folder, one entry for each, and says what each of them should get.
///
/// # Panics
/// If the folder cannot be written to.
pub(crate) fn class(folder: &Path, count: usize, seed: u64) -> Class {
    let works = works();
    let of = |kind: &str| -> Vec<&Work> {
        works
            .iter()
            .filter(|work| work.kind.starts_with(kind))
            .collect()
    };
    let groups = [
        (34, of("right")),
        (32, of("mutant")),
        (10, of("half-done")),
        (8, of("broken")),
        (4, of("refused")),
        (6, of("cheat")),
    ];
    let mut random = Random::new(seed);
    let mut students: BTreeMap<String, Expected> = BTreeMap::new();
    let mut handed: Vec<(String, &Work)> = Vec::new();
    for index in 0..count {
        let (plain, shown) = name(index, &mut random);
        let mut dice = random.bits() % 100;
        let mut chosen = None;
        for (share, group) in &groups {
            if dice < *share {
                chosen = Some((group[(random.bits() % group.len() as u64) as usize], None));
                break;
            }
            dice -= share;
        }
        // The rest have copied, as far as there is somebody to copy from.
        let (work, copy_of) = chosen.unwrap_or_else(|| {
            if handed.is_empty() {
                (groups[0].1[0], None)
            } else {
                let (whose, work) = &handed[(random.bits() % handed.len() as u64) as usize];
                (*work, Some(whose.clone()))
            }
        });
        let mut shape = SHAPES[(random.bits() % SHAPES.len() as u64) as usize];
        // A lone file is lib.rs, so that what is about names and other files cannot be one; and a clone is not put into another one.
        let plain_work = matches!(&work.files[..], [(path, _)] if path == "src/lib.rs");
        if (shape == "lone file" && !plain_work) || work.files[0].0.starts_with("exercises/") {
            shape = "folder";
        }
        hand_in(folder, &plain, shape, work);
        handed.push((shown.clone(), work));
        students.insert(
            shown,
            Expected {
                status: work.status.to_owned(),
                points: work.points,
                kind: work.kind.clone(),
                diagnosis: work.diagnosis.clone(),
                form: shape.to_owned(),
                copy_of,
            },
        );
    }
    let rubric = Rubric::load(&course().join("crates/grader/rubrics"), exercise())
        .expect("the rubric can be read");
    Class {
        exercise: exercise().id.to_owned(),
        seed,
        max_points: rubric.total(),
        students,
    }
}
