//! Reads recorded runs, makes their gradients again, and measures how far a rule is from them.

use moments::{Initial, Optimizer, ParameterState, Rule};
use moments_checks::Random;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One recorded run.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) from: String,
    settings: BTreeMap<String, f64>,
    options: BTreeMap<String, String>,
    dtype: String,
    pub(crate) shape: Vec<usize>,
    /// What was recorded at each step, by label: all entries in `f32`, the first nine of `theta` in `f64`.
    pub(crate) steps: Vec<BTreeMap<String, Vec<f64>>>,
    /// What was recorded after the last step, by label.
    finals: BTreeMap<String, Vec<f64>>,
}

/// How far a rule is from a run.
pub(crate) enum Outcome {
    /// The largest difference relative to the way that the entry has come.
    Relative(f64),
    /// The largest difference after one step from the recorded state, in units in the last place.
    Ulps(f64),
}

/// The sizes at which a rule that goes entry by entry is stepped.
const SIZES: [usize; 7] = [1, 7, 8, 9, 64, 65, 1023];

impl Run {
    /// A numeric setting.
    pub(crate) fn set(&self, name: &str) -> f64 {
        let found = self.settings.get(name);
        *found.unwrap_or_else(|| panic!("{}: no setting `{name}`", self.name))
    }

    /// A numeric setting, or `default` where the run leaves it out.
    pub(crate) fn set_or(&self, name: &str, default: f64) -> f64 {
        self.settings.get(name).copied().unwrap_or(default)
    }

    /// A named option; empty where the run leaves it out.
    pub(crate) fn option(&self, name: &str) -> &str {
        self.options.get(name).map_or("", String::as_str)
    }

    pub(crate) fn is_f32(&self) -> bool {
        self.dtype == "f32"
    }

    pub(crate) fn shapes(&self) -> String {
        let mut text = String::new();
        for (i, n) in self.shape.iter().enumerate() {
            write!(text, "{}{n}", if i == 0 { "" } else { "x" }).unwrap();
        }
        text
    }

    fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Reads a file of runs.
pub(crate) fn parse(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (label, rest) = line.split_once(' ').unwrap_or((line, ""));
        if label == "run" {
            runs.push(Run {
                name: rest.to_owned(),
                ..Run::default()
            });
            continue;
        }
        let run = runs.last_mut().expect("a file of runs begins with one");
        let pair = || {
            let pair = rest.split_once(' ');
            pair.unwrap_or_else(|| panic!("cannot read `{line:.60}`"))
        };
        match label {
            "from" => rest.clone_into(&mut run.from),
            "dtype" => rest.clone_into(&mut run.dtype),
            "shape" => run.shape = rest.split(' ').map(|n| n.parse().unwrap()).collect(),
            "set" => {
                let (key, value) = pair();
                run.settings.insert(key.to_owned(), value.parse().unwrap());
            }
            "option" => {
                let (key, value) = pair();
                run.options.insert(key.to_owned(), value.to_owned());
            }
            "step" => {
                let mut words = rest.splitn(3, ' ');
                let t: usize = words.next().unwrap().parse().unwrap();
                let name = words.next().unwrap().to_owned();
                run.steps.resize_with(t.max(run.steps.len()), BTreeMap::new);
                run.steps[t - 1].insert(name, numbers(words.next().unwrap()));
            }
            "final" => {
                let (name, values) = pair();
                run.finals.insert(name.to_owned(), numbers(values));
            }
            _ => panic!("{}: cannot read `{line:.60}`", run.name),
        }
    }
    runs
}

fn numbers(text: &str) -> Vec<f64> {
    text.split(' ').map(|word| word.parse().unwrap()).collect()
}

/// A number in (-1, 1), with the same bits as in `tools/golden/common.py`.
fn uniform(stream: u64, t: u64, i: usize) -> f64 {
    let place = i as u64 + (stream << 48) + (t << 32);
    Random::new(place.wrapping_mul(0x9E37_79B9_7F4A_7C15)).between(-1.0, 1.0)
}

const SCALES: [f64; 9] = [1e-6, 1e-4, 1e-2, 1.0, 1e2, 1e4, 1e6, 1.0, 0.0];

/// The parameters before the first step.
pub(crate) fn start(n: usize) -> Vec<f64> {
    (0..n).map(|i| uniform(0, 0, i)).collect()
}

/// The gradient of step `t`, from 1.
pub(crate) fn gradient(t: u64, n: usize) -> Vec<f64> {
    let entry = |i| {
        if i % 9 == 7 && uniform(2, t, i) >= -0.8 {
            0.0
        } else {
            uniform(1, t, i) * SCALES[i % 9]
        }
    };
    (0..n).map(entry).collect()
}

/// The curvature of step `t`, from 1.
pub(crate) fn curvature(t: u64, n: usize) -> Vec<f64> {
    let entry = |i: usize| {
        let sign = if i % 5 == 4 && t.is_multiple_of(3) {
            -1.0
        } else {
            1.0
        };
        sign * uniform(3, t, i).abs() * SCALES[i % 9].sqrt()
    };
    (0..n).map(entry).collect()
}

/// How far the rule is from a run: in `f64` at every size that the run serves, in `f32` from step to step.
pub(crate) fn follow<R: Rule>(rule: R, run: &Run) -> Outcome {
    if run.is_f32() {
        return follow_f32(rule, run);
    }
    follow_with(rule, run, |_, _, _| {}, |_, _, _| {})
}

/// How far the rule is from a run in `f64`, where something is done before or after each step; both get the optimizer, t from 1, and the number of entries.
pub(crate) fn follow_with<R: Rule>(
    rule: R,
    run: &Run,
    mut before: impl FnMut(&mut Optimizer<R>, u64, usize),
    mut after: impl FnMut(&mut Optimizer<R>, u64, usize),
) -> Outcome {
    assert!(!run.is_f32(), "{}", run.name);
    let full = run.len();
    let mut sizes = vec![full];
    if !R::WHOLE && run.shape.len() == 1 {
        sizes = SIZES.into_iter().filter(|&n| n <= full).collect();
    }
    let mut worst = 0.0_f64;
    for n in sizes {
        let shape = if n == full {
            run.shape.clone()
        } else {
            vec![n]
        };
        let array =
            |values: Vec<f64>| ndarray::ArrayD::from_shape_vec(shape.clone(), values).unwrap();
        let origin = start(n);
        let mut theta = array(origin.clone());
        let mut opt = Optimizer::new(rule);
        let mut way = Way::new(&origin);
        let mut ways: BTreeMap<String, Way> = BTreeMap::new();
        for (t, recorded) in (1..).zip(&run.steps) {
            before(&mut opt, t, n);
            opt.step(&mut theta, &array(gradient(t, n))).unwrap();
            after(&mut opt, t, n);
            let now = theta.as_slice().unwrap();
            way.go(now);
            let state = run.finals.keys().filter(|label| *label != "theta");
            for name in state {
                let values = opt.state(name);
                let values = values.unwrap_or_else(|| panic!("{}: no `{name}`", run.name));
                let way = ways
                    .entry(name.clone())
                    .or_insert_with(|| Way::new(&vec![0.0; values.len()]));
                way.go(values);
            }
            worst = way.difference(&recorded["theta"]).max(worst);
        }
        worst = way.difference(&run.finals["theta"]).max(worst);
        for (name, way) in &ways {
            worst = way.difference(&run.finals[name]).max(worst);
        }
    }
    Outcome::Relative(worst)
}

/// How far a step of another kind is from a run in `f64`; it gets t from 1, the parameters and the gradient.
pub(crate) fn follow_steps(run: &Run, mut step: impl FnMut(u64, &mut [f64], &[f64])) -> Outcome {
    let n = run.len();
    let mut theta = start(n);
    let mut way = Way::new(&theta);
    let mut worst = 0.0_f64;
    for (t, recorded) in (1..).zip(&run.steps) {
        step(t, &mut theta, &gradient(t, n));
        way.go(&theta);
        worst = way.difference(&recorded["theta"]).max(worst);
    }
    Outcome::Relative(way.difference(&run.finals["theta"]).max(worst))
}

/// How far the rule is from a run in `f32` after one step from what was recorded of the step before, over all steps, entries and tensors.
///
/// A unit in the last place is that of the largest number which went into the entry: its value before the step or after it.
pub(crate) fn follow_f32<R: Rule>(rule: R, run: &Run) -> Outcome {
    assert!(run.is_f32(), "{}", run.name);
    let n = run.len();
    let array = |values: &[f64]| {
        let values = values.iter().map(|&x| x as f32).collect();
        ndarray::ArrayD::from_shape_vec(run.shape.clone(), values).unwrap()
    };
    let origin = start(n);
    let initial = |name: &str, i: usize| match rule.initial(name) {
        Initial::Zero => 0.0,
        Initial::Value(value) => value,
        Initial::Params => origin[i],
    };
    let mut scalars: Vec<f64> = rule.scalars().iter().map(|(_, value)| *value).collect();
    let mut before: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    before.insert("theta".into(), start(n));
    let mut worst = 0.0_f64;
    for (t, recorded) in (1..).zip(&run.steps) {
        let mut opt = Optimizer::<R, f32>::new(rule);
        if t > 1 {
            let mut state = ParameterState::new::<f32>(rule.name(), t - 1, &run.shape);
            for ((name, _), value) in rule.scalars().iter().zip(&scalars) {
                state = state.scalar(name, *value);
            }
            for &name in rule.state_names(&run.shape) {
                let values: Vec<f32> = before[name].iter().map(|&x| x as f32).collect();
                let shape = rule.state_shape(name, &run.shape);
                state = state.tensor_of_shape(name, &shape, &values);
            }
            opt.restore(&state.into()).unwrap();
        }
        let mut theta = array(&before["theta"]);
        opt.step(&mut theta, &array(&gradient(t, n))).unwrap();
        rule.advance(t, &mut scalars);
        for (label, expected) in recorded {
            let got = if label == "theta" {
                theta.as_slice().unwrap()
            } else {
                let state = opt.state(label);
                state.unwrap_or_else(|| panic!("{}: no `{label}`", run.name))
            };
            assert_eq!(got.len(), expected.len(), "{}: `{label}`", run.name);
            for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
                let before = before
                    .get(label)
                    .map_or_else(|| initial(label, i), |b| b[i]);
                // The text has as many digits as tell two neighbours apart, and no more.
                let expected = expected as f32;
                let size = expected.abs().max(before.abs() as f32);
                let gap = (f64::from(got) - f64::from(expected)).abs();
                if gap.is_nan() {
                    return Outcome::Ulps(f64::INFINITY);
                }
                worst = worst.max(gap / f64::from(size.next_up() - size));
            }
        }
        before.clone_from(recorded);
    }
    Outcome::Ulps(worst)
}

/// What the entries of a tensor have gone through.
struct Way {
    now: Vec<f64>,
    /// The sum of the absolute changes.
    length: Vec<f64>,
    /// The largest absolute value.
    largest: Vec<f64>,
}

impl Way {
    fn new(origin: &[f64]) -> Self {
        Self {
            now: origin.to_vec(),
            length: vec![0.0; origin.len()],
            largest: origin.iter().map(|x| x.abs()).collect(),
        }
    }

    fn go(&mut self, to: &[f64]) {
        for (i, &x) in to.iter().enumerate() {
            self.length[i] += (x - self.now[i]).abs();
            self.largest[i] = self.largest[i].max(x.abs());
            self.now[i] = x;
        }
    }

    /// The largest difference of the first entries from what was recorded of them: relative to the way that the entry has come,
    /// or to a hundredth of its largest value where it has hardly moved and the rounding of the entry itself would show.
    fn difference(&self, expected: &[f64]) -> f64 {
        let mut worst = 0.0_f64;
        for (i, (&now, &expected)) in self.now.iter().zip(expected).enumerate() {
            let gap = (now - expected).abs();
            if gap.is_nan() {
                return f64::INFINITY;
            }
            if gap > 0.0 {
                worst = worst.max(gap / self.length[i].max(self.largest[i] / 100.0));
            }
        }
        worst
    }
}
