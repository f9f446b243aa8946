//! Exercise 16: read the curve.
//!
//! A case calls `read`; an input is one log: the number of steps, the training losses, the validation losses, the learning rates, the update ratios,
//! and then how far each column has moved. What is seen is `fault`, its number in the order of [`Fault`], and `at`, the step or column that it names, or 0.
//!
//! The runs are real: a linear model is trained by gradient descent, here and in a few lines, with a fault put in on purpose.
//! What is expected is the fault that was put in. A run on which one of the criteria is close is thrown away, and made again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::case::{Case, Frame};
use crate::common::function;
use crate::exercise::{Check, Exam, Exercise, Mutant, Step, Variant, Verdict};
use crate::random::Random;

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex16",
    slug: "ex16-read-the-curve",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// What was logged of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// The training loss before each step.
    pub train: Vec<f64>,
    /// The validation loss before each step.
    pub validation: Vec<f64>,
    /// The learning rate of each step.
    pub lr: Vec<f64>,
    /// The norm of each step's update, divided by that of the weights before it.
    pub update_ratio: Vec<f64>,
    /// For each column the sum of the sizes of its weight's updates.
    pub moved: Vec<f64>,
}

/// What is wrong with a run, without the step or column that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Healthy,
    /// A loss is NaN or infinite, and the losses before it were not large.
    NotANumber,
    /// The loss grows.
    Diverges,
    /// The loss grows after the learning rate has reached its peak.
    ExplodesAfterWarmup,
    /// The weight of a column is not trained.
    ColumnStandsStill,
    /// The loss does not fall, and the weights jump.
    Bounces,
    /// The loss does not fall, and the weights hardly move.
    TooSlow,
    /// The validation loss has risen again.
    Overfits,
}

use Fault::{
    Bounces, ColumnStandsStill, Diverges, ExplodesAfterWarmup, Healthy, NotANumber, Overfits,
    TooSlow,
};

/// A fault and the step or column that it names; 0 if it names none.
pub type Answer = (Fault, usize);

/// Puts a learner's `read` through the check of that name.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, read: fn(&Log) -> Answer) {
    crate::verdict(&EXERCISE, name, start(read));
}

/// A learner's `read` as a subject: what a check drives.
pub fn start(read: fn(&Log) -> Answer) -> impl Fn(&Case) -> Step + Send + 'static {
    move |_| function(move |input| frame(read(&Log::of(input))))
}

fn frame((fault, at): Answer) -> Frame {
    vec![vec![f64::from(fault as u8)], vec![at as f64]]
}

impl Log {
    /// The log as the input of a case.
    fn input(&self) -> Vec<f64> {
        let steps = self.train.len() as f64;
        let parts = [
            &self.train,
            &self.validation,
            &self.lr,
            &self.update_ratio,
            &self.moved,
        ];
        std::iter::once(steps)
            .chain(parts.into_iter().flatten().copied())
            .collect()
    }

    /// The log of an input.
    fn of(input: &[f64]) -> Self {
        let steps = input[0] as usize;
        let part = |number: usize| input[1 + number * steps..][..steps].to_vec();
        Self {
            train: part(0),
            validation: part(1),
            lr: part(2),
            update_ratio: part(3),
            moved: input[1 + 4 * steps..].to_vec(),
        }
    }
}

// --- Runs -----------------------------------------------------------------------------------------------------------

/// A linear model, its data, and how it is trained.
#[derive(Clone, Debug)]
struct Plan {
    steps: usize,
    rows: usize,
    /// How many rows a step takes; they are taken in turn.
    batch: usize,
    /// Whether the columns are orthogonal: then each learns at the pace of its own scale squared.
    orthogonal: bool,
    /// How large the values of each column are.
    scales: Vec<f64>,
    /// How much of each column, brought to scale 1, is in the target.
    signal: Vec<f64>,
    start: Vec<f64>,
    noise: f64,
    validation_noise: f64,
    /// The learning rate of each step, divided by the sum of the squared scales.
    rates: Vec<f64>,
    /// What the target, and so the weights, are multiplied by.
    unit: f64,
    /// A row whose target is spoilt, and what stands in its place.
    spoilt: Option<(usize, f64)>,
}

impl Plan {
    /// A run in which all goes well.
    fn new(random: &mut Random, columns: usize, steps: usize) -> Self {
        Self {
            steps,
            rows: 16,
            batch: 16,
            orthogonal: false,
            scales: vec![1.0; columns],
            signal: (0..columns).map(|_| signed(random, 1.0, 2.0)).collect(),
            start: (0..columns).map(|_| signed(random, 0.05, 0.3)).collect(),
            noise: random.between(0.1, 0.3),
            validation_noise: 0.3,
            rates: vec![random.between(0.6, 0.9); steps],
            unit: 1.0,
            spoilt: None,
        }
    }

    /// The data, as rows of values and a target.
    fn data(&self, random: &mut Random, noise: f64) -> Vec<(Vec<f64>, f64)> {
        let row = |number: usize| {
            let wave = |j: usize| {
                if (number & j).count_ones().is_multiple_of(2) {
                    1.0
                } else {
                    -1.0
                }
            };
            let plain: Vec<f64> = (0..self.scales.len())
                .map(|j| {
                    if self.orthogonal {
                        wave(j)
                    } else {
                        even(random)
                    }
                })
                .collect();
            let target: f64 = plain.iter().zip(&self.signal).map(|(x, s)| x * s).sum();
            let values = plain.iter().zip(&self.scales).map(|(x, s)| x * s).collect();
            (values, self.unit * (target + noise * even(random)))
        };
        (0..self.rows).map(row).collect()
    }

    /// Trains the model by gradient descent.
    fn train(&self, random: &mut Random) -> Log {
        let mut data = self.data(random, self.noise);
        let validation = self.data(random, self.validation_noise);
        if let Some((row, value)) = self.spoilt {
            data[row].1 = value;
        }
        let columns = self.scales.len();
        let trace: f64 = self.scales.iter().map(|scale| scale * scale).sum();
        let mut weights: Vec<f64> = self.start.iter().map(|start| self.unit * start).collect();
        let mut log = Log {
            moved: vec![0.0; columns],
            ..Log::default()
        };
        for t in 0..self.steps {
            let lr = self.rates[t] / trace;
            let (mut loss, mut grad) = (0.0, vec![0.0; columns]);
            for i in 0..self.batch {
                let (values, target) = &data[(t * self.batch + i) % self.rows];
                let error = dot(values, &weights) - target;
                loss += 0.5 * error * error / self.batch as f64;
                for (grad, value) in grad.iter_mut().zip(values) {
                    *grad += error * value / self.batch as f64;
                }
            }
            let square =
                |(values, target): &(Vec<f64>, f64)| (dot(values, &weights) - target).powi(2);
            log.train.push(loss);
            log.validation
                .push(0.5 * validation.iter().map(square).sum::<f64>() / self.rows as f64);
            log.lr.push(lr);
            log.update_ratio.push(lr * norm(&grad) / norm(&weights));
            for ((weight, moved), grad) in weights.iter_mut().zip(&mut log.moved).zip(&grad) {
                *weight -= lr * grad;
                *moved += (lr * grad).abs();
            }
        }
        log
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// A number of either sign whose size lies between the two.
fn signed(random: &mut Random, low: f64, high: f64) -> f64 {
    let size = random.between(low, high);
    if random.bits() & 1 == 0 { size } else { -size }
}

/// A number of mean 0 and variance 1.
fn even(random: &mut Random) -> f64 {
    random.between(-1.0, 1.0) * 3f64.sqrt()
}

/// A whole number from `low` to `high`.
fn whole(random: &mut Random, low: usize, high: usize) -> usize {
    low + random.bits() as usize % (high - low + 1)
}

/// A rate that rises in `warmup` equal steps to its peak and stays there.
fn ramp(peak: f64, warmup: usize, steps: usize) -> Vec<f64> {
    (1..=steps)
        .map(|t| peak * (t.min(warmup) as f64 / warmup as f64))
        .collect()
}

/// A rate that falls by a tenth at every step, from `peak` at the step `from`; before that it is a thousandth of the peak.
fn spike(peak: f64, from: usize, steps: usize) -> Vec<f64> {
    let rate = |t: usize| match t.checked_sub(from) {
        Some(since) => peak * 0.9f64.powi(since as i32),
        None => peak / 1000.0,
    };
    (0..steps).map(rate).collect()
}

/// The quantities that the criteria compare.
#[derive(Clone, Copy, Debug)]
struct Measured {
    /// The first step whose training loss is not finite or more than ten times the first.
    broken: Option<usize>,
    /// The smallest move of a column over the largest.
    still: f64,
    /// The mean training loss of the last tenth over that of the first.
    fallen: f64,
    /// The mean update ratio of the last tenth.
    ratio: f64,
    /// The mean validation loss of the last tenth over the lowest.
    risen: f64,
}

fn measured(log: &Log) -> Measured {
    let tenth = (log.train.len() / 10).max(1);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let end = |values: &[f64]| mean(&values[values.len() - tenth..]);
    let broken = |loss: &f64| !loss.is_finite() || *loss > 10.0 * log.train[0];
    Measured {
        broken: log.train.iter().position(broken),
        still: lowest(&log.moved) / log.moved.iter().copied().fold(0.0, f64::max),
        fallen: end(&log.train) / mean(&log.train[..tenth]),
        ratio: end(&log.update_ratio),
        risen: end(&log.validation) / lowest(&log.validation),
    }
}

fn lowest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn place_of_lowest(values: &[f64]) -> usize {
    let least = lowest(values);
    values.iter().position(|&value| value == least).unwrap_or(0)
}

/// A fault that is put into a run.
struct Recipe {
    what: &'static str,
    fault: Fault,
    plan: fn(&mut Random) -> Plan,
    /// What else must hold of the run for it to tell a right reading from a wrong one.
    also: fn(&Log) -> bool,
}

/// A run, and what is wrong with it.
#[derive(Clone, Debug)]
struct Planted {
    what: &'static str,
    log: Log,
    answer: Answer,
}

impl Recipe {
    /// Makes runs until one shows the fault clearly; with nothing beside it, unless two faults are asked for.
    fn run(&self, random: &mut Random, two: bool) -> Planted {
        for _ in 0..10_000 {
            let log = (self.plan)(random).train(random);
            if self.clear(&log) && (two || self.alone(&log)) && (self.also)(&log) {
                return Planted {
                    what: self.what,
                    answer: (self.fault, self.place(&log)),
                    log,
                };
            }
        }
        panic!("no run shows clearly: {}", self.what)
    }

    /// Whether none of the criteria that decide about the run is close, and the fault is what they say.
    fn clear(&self, log: &Log) -> bool {
        let m = measured(log);
        let bound = 10.0 * log.train[0];
        if log
            .train
            .iter()
            .any(|loss| (loss / bound - 1.0).abs() < 0.01)
        {
            return false;
        }
        let peak = log
            .lr
            .iter()
            .position(|&lr| lr == log.lr.iter().copied().fold(0.0, f64::max));
        let broken = match m.broken {
            None => None,
            Some(step) if !log.train[step].is_finite() => Some(NotANumber),
            Some(step) if peak > Some(0) && peak <= Some(step) => Some(ExplodesAfterWarmup),
            Some(_) => Some(Diverges),
        };
        let still = log.moved.len() > 1 && m.still < 2e-4;
        let moving = log.moved.len() < 2 || m.still.is_nan() || m.still > 1e-2;
        match self.fault {
            NotANumber | Diverges | ExplodesAfterWarmup => broken == Some(self.fault),
            _ if broken.is_some() => false,
            ColumnStandsStill => still,
            _ if !moving => false,
            Bounces => m.fallen > 0.9 && m.ratio > 0.3,
            TooSlow => m.fallen > 0.9 && m.ratio < 0.03,
            Overfits => m.fallen < 0.6 && m.risen > 2.0,
            Healthy => m.fallen < 0.6 && m.risen < 1.3,
        }
    }

    /// Whether the columns and the validation loss are well where they do not decide. Else the order in which a reader asks would matter
    /// by chance, and the order has a check of its own.
    fn alone(&self, log: &Log) -> bool {
        let m = measured(log);
        match self.fault {
            NotANumber | Diverges | ExplodesAfterWarmup => log.moved.len() < 2 || m.still > 1e-2,
            ColumnStandsStill | Bounces | TooSlow => m.risen < 1.3,
            Overfits | Healthy => true,
        }
    }

    fn place(&self, log: &Log) -> usize {
        match self.fault {
            NotANumber | Diverges | ExplodesAfterWarmup => measured(log).broken.unwrap_or(0),
            ColumnStandsStill => place_of_lowest(&log.moved),
            Overfits => place_of_lowest(&log.validation),
            Healthy | Bounces | TooSlow => 0,
        }
    }
}

/// Gradient descent with the rate 2 over the curvature: the weights jump from one side of the minimum to the other, and stay as far from it.
fn bouncing(random: &mut Random, columns: usize, steps: usize) -> Plan {
    let mut plan = Plan::new(random, columns, steps);
    plan.orthogonal = true;
    let drift = random.between(-0.01, 0.01) / steps as f64;
    plan.rates = vec![2.0 * columns as f64 * (1.0 + drift); steps];
    plan
}

/// One column with signal and seven without, and as many rows as columns: in the end the noise is learnt.
fn overfitting(random: &mut Random, steps: usize) -> Plan {
    let mut plan = Plan::new(random, 8, steps);
    (plan.orthogonal, plan.rows, plan.batch) = (true, 8, 8);
    plan.scales[1..].fill(0.35);
    plan.signal[1..].fill(0.0);
    plan.noise = random.between(0.9, 1.1);
    plan.start.iter_mut().for_each(|start| *start *= 0.1);
    plan.rates = vec![1.5; steps];
    plan
}

fn rows_in_turn(random: &mut Random, columns: usize, steps: usize, batch: usize) -> Plan {
    let mut plan = Plan::new(random, columns, steps);
    (plan.rows, plan.batch) = (24, batch);
    plan.rates = vec![0.3; steps];
    plan
}

fn any(_: &Log) -> bool {
    true
}

/// The groups of runs, one for each check after the first.
static GROUPS: &[&[Recipe]] = &[
    HEALTHY, BROKEN, WARMUP, STILL, FLAT, OVERFITS, TWO_FAULTS, EDGES,
];

static HEALTHY: &[Recipe] = &[
    Recipe {
        what: "all goes well",
        fault: Healthy,
        plan: |random| {
            let (columns, steps) = (whole(random, 2, 3), whole(random, 60, 120));
            Plan::new(random, columns, steps)
        },
        also: any,
    },
    Recipe {
        what: "small batches, so that the training loss is noisy",
        fault: Healthy,
        plan: |random| rows_in_turn(random, 2, 150, 4),
        also: |log| {
            let mut least = f64::INFINITY;
            log.train.iter().any(|&loss| {
                least = least.min(loss);
                loss > 12.0 * least
            })
        },
    },
    Recipe {
        what: "a validation set that is harder than the training set",
        fault: Healthy,
        plan: |random| {
            let mut plan = Plan::new(random, 3, 90);
            plan.validation_noise = 1.5;
            plan
        },
        also: |log| log.validation[80] > 5.0 * log.train[80],
    },
    Recipe {
        what: "noisy targets, which no model can learn",
        fault: Healthy,
        plan: |random| {
            let mut plan = Plan::new(random, 1, 120);
            plan.rates.fill(0.1);
            plan.noise = 0.7 * plan.signal[0].abs();
            plan.validation_noise = plan.noise;
            plan
        },
        also: |log| measured(log).fallen > 0.3,
    },
    Recipe {
        what: "a warmup that ends well",
        fault: Healthy,
        plan: |random| {
            let mut plan = Plan::new(random, 2, 100);
            plan.rates = ramp(0.8, 20, 100);
            plan
        },
        also: any,
    },
];

static BROKEN: &[Recipe] = &[
    Recipe {
        what: "a rate too large",
        fault: Diverges,
        plan: |random| {
            let (columns, steps) = (whole(random, 1, 4), whole(random, 25, 40));
            let mut plan = Plan::new(random, columns, steps);
            plan.rates = vec![2.0 * columns as f64 * random.between(1.2, 2.0); steps];
            plan
        },
        also: any,
    },
    Recipe {
        what: "a rate so large that the loss overflows later",
        fault: Diverges,
        plan: |random| {
            let mut plan = Plan::new(random, 3, 200);
            plan.rates = vec![random.between(60.0, 90.0); 200];
            plan
        },
        also: |log| !log.train[199].is_finite(),
    },
    Recipe {
        what: "a rate too large at first, which then falls so that the run recovers",
        fault: Diverges,
        plan: |random| {
            let mut plan = Plan::new(random, 2, 120);
            (plan.orthogonal, plan.noise) = (true, 0.05);
            plan.rates = spike(2.0 * random.between(3.8, 4.2), 0, 120);
            plan
        },
        also: |log| measured(log).fallen < 0.3,
    },
    Recipe {
        what: "a target that is NaN in the data",
        fault: NotANumber,
        plan: |random| {
            let mut plan = rows_in_turn(random, 2, 80, 2);
            plan.spoilt = Some((whole(random, 8, 23), f64::NAN));
            plan
        },
        also: any,
    },
    Recipe {
        what: "a target so large in the data that its square overflows",
        fault: NotANumber,
        plan: |random| {
            let mut plan = rows_in_turn(random, 3, 60, 2);
            plan.spoilt = Some((whole(random, 8, 23), 1e200));
            plan
        },
        also: any,
    },
    Recipe {
        what: "a target that is NaN in the first batch",
        fault: NotANumber,
        plan: |random| {
            let mut plan = rows_in_turn(random, 2, 30, 2);
            plan.spoilt = Some((1, f64::NAN));
            plan
        },
        also: any,
    },
];

static WARMUP: &[Recipe] = &[
    Recipe {
        what: "a warmup to a rate that is too large",
        fault: ExplodesAfterWarmup,
        plan: |random| {
            let (columns, warmup) = (whole(random, 1, 3), whole(random, 10, 25));
            let mut plan = Plan::new(random, columns, warmup + 80);
            plan.orthogonal = true;
            plan.rates = ramp(
                columns as f64 * random.between(2.6, 3.2),
                warmup,
                warmup + 80,
            );
            plan
        },
        also: |log| {
            log.lr.iter().position(|&lr| lr == log.lr[log.lr.len() - 1]) != measured(log).broken
        },
    },
    Recipe {
        what: "a jump to a rate that is too large and then falls, so that the run recovers",
        fault: ExplodesAfterWarmup,
        plan: |random| {
            let mut plan = Plan::new(random, 2, 140);
            (plan.orthogonal, plan.noise) = (true, 0.05);
            plan.rates = spike(2.0 * random.between(3.8, 4.2), whole(random, 10, 30), 140);
            plan
        },
        also: |log| measured(log).fallen < 0.3,
    },
    Recipe {
        what: "a warmup of few steps, at the last of which the loss is out of range",
        fault: ExplodesAfterWarmup,
        plan: |random| {
            let mut plan = Plan::new(random, 2, 30);
            plan.orthogonal = true;
            plan.rates = ramp(2.0 * random.between(4.0, 12.0), 8, 30);
            plan
        },
        also: |log| measured(log).broken == Some(7),
    },
    Recipe {
        what: "a warmup that passes the largest stable rate long before its end",
        fault: Diverges,
        plan: |random| {
            let mut plan = Plan::new(random, 2, 120);
            plan.orthogonal = true;
            plan.rates = ramp(random.between(50.0, 70.0), 100, 120);
            plan
        },
        also: any,
    },
    Recipe {
        what: "a rate too large, with no warmup",
        fault: Diverges,
        plan: |random| {
            let mut plan = Plan::new(random, 2, 50);
            plan.rates = vec![2.0 * random.between(2.4, 3.6); 50];
            plan
        },
        also: any,
    },
];

static STILL: &[Recipe] = &[
    Recipe {
        what: "a column in a unit that makes its values tiny",
        fault: ColumnStandsStill,
        plan: |random| still(random, 4, &[1e-6]),
        also: any,
    },
    Recipe {
        what: "a column that is always 0",
        fault: ColumnStandsStill,
        plan: |random| still(random, 3, &[0.0]),
        also: any,
    },
    Recipe {
        what: "two columns that hardly move, one less than the other",
        fault: ColumnStandsStill,
        plan: |random| {
            let tiny = if random.bits() & 1 == 0 {
                [1e-5, 1e-7]
            } else {
                [1e-6, 0.0]
            };
            still(random, 5, &tiny)
        },
        // The one that moves least comes second.
        also: |log| {
            place_of_lowest(&log.moved)
                > log
                    .moved
                    .iter()
                    .position(|&moved| moved < 1e-3)
                    .unwrap_or(0)
        },
    },
    Recipe {
        what: "targets in a unit that makes the weights large, and a column that hardly moves",
        fault: ColumnStandsStill,
        plan: |random| {
            let mut plan = still(random, 3, &[1e-5]);
            plan.unit = 1e6;
            plan
        },
        also: |log| lowest(&log.moved) > 0.01,
    },
    Recipe {
        what: "targets in a unit that makes the weights tiny",
        fault: Healthy,
        plan: |random| {
            let mut plan = Plan::new(random, 3, 80);
            plan.unit = 1e-6;
            plan
        },
        also: any,
    },
];

/// A run in which the values of some columns, which have no signal, are tiny.
fn still(random: &mut Random, columns: usize, tiny: &[f64]) -> Plan {
    let steps = whole(random, 60, 100);
    let mut plan = Plan::new(random, columns, steps);
    let mut free: Vec<usize> = (0..columns).collect();
    for &scale in tiny {
        let column = free.remove(whole(random, 0, free.len() - 1));
        plan.scales[column] = scale;
        plan.signal[column] = 0.0;
    }
    plan
}

static FLAT: &[Recipe] = &[
    Recipe {
        what: "a rate too small",
        fault: TooSlow,
        plan: |random| {
            let (columns, steps) = (whole(random, 1, 3), whole(random, 40, 100));
            let mut plan = Plan::new(random, columns, steps);
            plan.rates = vec![random.magnitude(-5.0, -4.0).abs(); steps];
            plan
        },
        also: any,
    },
    Recipe {
        what: "a rate too small, and small batches, so that the last loss is low by chance",
        fault: TooSlow,
        plan: |random| {
            let mut plan = rows_in_turn(random, 2, 150, 2);
            plan.rates = vec![1e-5; 150];
            plan
        },
        also: |log| {
            let last = log.train[log.train.len() - 1];
            last < 0.5 * log.train[0] && mean_of_last(&log.train, 15) > 0.9 * log.train[0]
        },
    },
    Recipe {
        what: "a rate too small, and small batches, so that the first loss is high by chance",
        fault: TooSlow,
        plan: |random| {
            let mut plan = rows_in_turn(random, 3, 120, 2);
            plan.rates = vec![1e-5; 120];
            plan
        },
        also: |log| mean_of_last(&log.train, 12) < 0.6 * log.train[0],
    },
    Recipe {
        what: "a rate too small, and small batches, so that some losses are low by chance",
        fault: TooSlow,
        plan: |random| {
            let mut plan = rows_in_turn(random, 2, 90, 2);
            plan.rates = vec![1e-5; 90];
            plan
        },
        also: |log| {
            let most = last(&log.train).min(mean_of_last(&log.train, 9));
            lowest(&log.train) < 0.5 * log.train[0] && most > 0.9 * log.train[0]
        },
    },
    Recipe {
        what: "a rate too small, from weights near 0, so that the first updates are large beside them",
        fault: TooSlow,
        plan: |random| {
            let mut plan = Plan::new(random, 2, 100);
            plan.start.iter_mut().for_each(|start| *start *= 1e-8);
            plan.rates = vec![1e-4; 100];
            plan
        },
        also: any,
    },
    Recipe {
        what: "a rate so large that the weights jump from side to side",
        fault: Bounces,
        plan: |random| {
            let (columns, steps) = (whole(random, 1, 4), whole(random, 30, 100));
            bouncing(random, columns, steps)
        },
        also: any,
    },
    Recipe {
        what: "small batches and a rate that is right",
        fault: Healthy,
        plan: |random| rows_in_turn(random, 1, 100, 3),
        // To far below a fifth, and the last validation loss is among the lowest.
        also: |log| {
            measured(log).fallen < 0.15 && last(&log.validation) < 1.3 * lowest(&log.validation)
        },
    },
];

static OVERFITS: &[Recipe] = &[
    Recipe {
        what: "as many columns as rows",
        fault: Overfits,
        plan: |random| {
            let steps = whole(random, 90, 120);
            overfitting(random, steps)
        },
        // In the end the validation loss is still lower than it was at first.
        also: |log| log.validation[log.validation.len() - 1] < 0.5 * log.validation[0],
    },
    Recipe {
        what: "as many columns as rows, and more noise than signal",
        fault: Overfits,
        plan: |random| {
            let mut plan = overfitting(random, 100);
            plan.noise *= 2.0;
            plan
        },
        also: |log| log.validation[99] > log.validation[0],
    },
    Recipe {
        what: "as many columns as rows, and small batches",
        fault: Overfits,
        plan: |random| {
            let mut plan = overfitting(random, 150);
            plan.batch = 2;
            plan.rates.fill(0.5);
            plan
        },
        // The validation loss rises a little before its minimum, too.
        also: |log| {
            let rise = log.validation.windows(2).position(|pair| pair[1] > pair[0]);
            rise < Some(place_of_lowest(&log.validation))
                && measured(log).fallen < 0.3
                && last(&log.train) < 0.5 * log.train[0]
        },
    },
    Recipe {
        what: "a few more rows than columns: the validation loss rises a little",
        fault: Healthy,
        plan: |random| {
            let mut plan = Plan::new(random, 3, 100);
            plan.noise = 1.0;
            plan.validation_noise = 1.0;
            plan
        },
        also: |log| measured(log).risen > 1.02,
    },
    Recipe {
        what: "an odd row at the end, so that the last validation loss is high by chance",
        fault: Healthy,
        plan: |random| {
            let mut plan = Plan::new(random, 2, 200);
            // Every row is seen once, the odd one in the last update that the log shows the effect of.
            (plan.rows, plan.batch) = (400, 2);
            plan.rates.fill(0.6);
            plan.spoilt = Some((397, signed(random, 4.0, 6.0)));
            plan
        },
        also: |log| {
            log.validation[199] > 2.0 * lowest(&log.validation)
                && last(&log.train) < 0.5 * log.train[0]
        },
    },
];

static TWO_FAULTS: &[Recipe] = &[
    Recipe {
        what: "a column that is always 0, and a rate too large",
        fault: Diverges,
        plan: |random| {
            let mut plan = still(random, 3, &[0.0]);
            plan.rates.fill(2.0 * 2.0 * random.between(1.3, 2.0));
            plan
        },
        also: |log| lowest(&log.moved) == 0.0,
    },
    Recipe {
        what: "all of the signal is in a column that does not move",
        fault: ColumnStandsStill,
        plan: |random| {
            let mut plan = Plan::new(random, 3, 80);
            plan.scales[1] = 1e-9;
            (plan.signal[0], plan.signal[2]) = (0.0, 0.0);
            plan
        },
        also: |log| measured(log).fallen > 0.9 && measured(log).ratio < 0.03,
    },
    Recipe {
        what: "a column that is always 0, and as many others as rows",
        fault: ColumnStandsStill,
        plan: |random| {
            let mut plan = overfitting(random, 100);
            plan.scales[5] = 0.0;
            plan
        },
        also: |log| {
            let m = measured(log);
            let far = 0.01 * log.moved.iter().copied().fold(0.0, f64::max);
            let others = log.moved.iter().filter(|&&moved| moved > far).count();
            m.risen > 2.0 && m.fallen < 0.6 && others == log.moved.len() - 1
        },
    },
    Recipe {
        what: "weights that jump from side to side, one of which suits the validation set",
        fault: Bounces,
        plan: |random| {
            let mut plan = bouncing(random, 3, 60);
            plan.noise = 3.0;
            plan
        },
        also: |log| measured(log).risen > 2.0 && mean_of_last(&log.train, 6) > 4.0,
    },
    Recipe {
        what: "a target that is NaN in the data, and a column that is always 0",
        fault: NotANumber,
        plan: |random| {
            let mut plan = rows_in_turn(random, 3, 50, 2);
            plan.scales[2] = 0.0;
            plan.spoilt = Some((whole(random, 8, 23), f64::NAN));
            plan
        },
        also: any,
    },
];

static EDGES: &[Recipe] = &[
    Recipe {
        what: "a run of a few steps",
        fault: Healthy,
        plan: |random| {
            let steps = whole(random, 5, 9);
            let mut plan = Plan::new(random, 1, steps);
            plan.orthogonal = true;
            plan
        },
        also: any,
    },
    Recipe {
        what: "a run of a few steps, at a rate too small",
        fault: TooSlow,
        plan: |random| {
            let steps = whole(random, 4, 9);
            let mut plan = Plan::new(random, 2, steps);
            plan.rates.fill(1e-4);
            plan
        },
        also: any,
    },
    Recipe {
        what: "a run of a dozen steps",
        fault: Healthy,
        plan: |random| {
            let steps = whole(random, 11, 13);
            let mut plan = Plan::new(random, 1, steps);
            plan.orthogonal = true;
            plan
        },
        also: any,
    },
    Recipe {
        what: "a rate of 0",
        fault: TooSlow,
        plan: |random| {
            let mut plan = Plan::new(random, 3, 25);
            plan.rates.fill(0.0);
            plan
        },
        also: any,
    },
    Recipe {
        what: "targets in a unit that makes the losses tiny, at a rate too small",
        fault: TooSlow,
        plan: |random| {
            let mut plan = Plan::new(random, 2, 40);
            plan.rates.fill(1e-4);
            plan.unit = 1e-5;
            plan
        },
        also: any,
    },
    Recipe {
        what: "targets in a unit that makes the losses large",
        fault: Healthy,
        plan: |random| {
            let mut plan = Plan::new(random, 2, 60);
            plan.unit = 1e5;
            plan
        },
        also: any,
    },
    Recipe {
        what: "two columns that are always 0",
        fault: ColumnStandsStill,
        plan: |random| still(random, 4, &[0.0, 0.0]),
        also: any,
    },
];

/// The runs that have been made, by group and seed.
type Made = BTreeMap<(usize, u64), Arc<Vec<Planted>>>;

/// The runs of a group. They are made once for each seed, for making them takes longer than reading them.
fn runs(group: usize, seed: u64) -> Arc<Vec<Planted>> {
    static MADE: Mutex<Made> = Mutex::new(BTreeMap::new());
    let made = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runs) = made().get(&(group, seed)) {
        return Arc::clone(runs);
    }
    let run = |(number, recipe): (usize, &Recipe)| {
        // A stream of its own for each run, so that one recipe can change without the others.
        let random = &mut Random::new(seed ^ ((group * 100 + number) as u64) << 40);
        recipe.run(random, std::ptr::eq(GROUPS[group], TWO_FAULTS))
    };
    let runs = Arc::new(GROUPS[group].iter().enumerate().map(run).collect());
    made().insert((group, seed), Arc::clone(&runs));
    runs
}

// --- Checks ---------------------------------------------------------------------------------------------------------

const READ: &str = "read";

static CHECKS: &[Check] = &[
    Check {
        name: "the_runs_of_the_documentation",
        asked: "The runs that the documentation prints are read as it says.",
        run: |exam| {
            let runs = printed();
            let inputs = runs.iter().map(|(log, _)| log.input()).collect();
            let case = case("the printed runs, one at a step", inputs);
            let expected: Vec<_> = runs.iter().map(|(_, answer)| frame(*answer)).collect();
            exam.expect(&case, &expected)
        },
    },
    Check {
        name: "a_run_that_learns_is_healthy",
        asked: "Noise, a hard validation set, noisy targets and a warmup that ends well are no faults.",
        run: |exam| group(exam, 0),
    },
    Check {
        name: "a_loss_that_leaves_its_range_diverges_or_is_not_a_number",
        asked: "The first training loss above ten times train[0], or not finite, decides, whatever comes after it.",
        run: |exam| group(exam, 1),
    },
    Check {
        name: "after_the_peak_of_a_warmup_it_is_an_explosion",
        asked: "ExplodesAfterWarmup: the rate peaks after step 0, and the loss leaves its range at that step or later.",
        run: |exam| group(exam, 2),
    },
    Check {
        name: "a_column_that_stands_still_is_named",
        asked: "ColumnStandsStill names the column that moves least, if that is less than 1/1000 of the largest.",
        run: |exam| group(exam, 3),
    },
    Check {
        name: "a_loss_that_does_not_fall_is_told_apart_by_the_update_ratio",
        asked: "Not below 0.8 of what it was: Bounces if the last tenth's mean update ratio is above 0.1, else TooSlow.",
        run: |exam| group(exam, 4),
    },
    Check {
        name: "a_validation_loss_that_has_risen_again_overfits",
        asked: "Overfits: the last tenth's mean validation loss is above 1.5 times the lowest, which it names.",
        run: |exam| group(exam, 5),
    },
    Check {
        name: "of_two_faults_the_first_in_the_list_is_named",
        asked: "The criteria are asked in their order: finite and in range, columns, falling, validation.",
        run: |exam| group(exam, 6),
    },
    Check {
        name: "short_runs_and_other_units",
        asked: "No steps, a few steps, no columns, equal columns, and targets in any unit are read in the same way.",
        run: |exam| {
            let empty = vec![Log::default().input()];
            exam.expect(&case("a log without steps", empty), &[frame((Healthy, 0))])?;
            let mut log = printed()[0].0.clone();
            log.moved.clear();
            let bare = case("the first printed run, without columns", vec![log.input()]);
            exam.expect(&bare, &[frame((Healthy, 0))])?;
            group(exam, 7)
        },
    },
];

/// Puts the subject through the runs of a group, each of which is a case.
fn group(exam: &Exam<'_>, number: usize) -> Verdict {
    for Planted { what, log, answer } in runs(number, exam.seed).iter() {
        let (steps, columns) = (log.train.len(), log.moved.len());
        let about = format!(
            "{what}; {steps} steps, {columns} columns, MOMENTS_SEED={}",
            exam.seed
        );
        exam.expect(&case(&about, vec![log.input()]), &[frame(*answer)])?;
    }
    Ok(())
}

/// A case of one or more runs; with the key to the numbers of the faults, for the message.
fn case(about: &str, inputs: Vec<Vec<f64>>) -> Case {
    let faults = [
        Healthy,
        NotANumber,
        Diverges,
        ExplodesAfterWarmup,
        ColumnStandsStill,
        Bounces,
        TooSlow,
        Overfits,
    ];
    let key = faults
        .map(|fault| format!("{} {fault:?}", fault as u8))
        .join(", ");
    let about = format!("{about} ({key})");
    Case::given(
        about,
        READ,
        &["fault", "at"],
        Vec::new(),
        Vec::new(),
        inputs,
    )
}

/// All runs of one seed, a case for each group.
fn probes() -> Vec<Case> {
    let probe = |number: usize| {
        let inputs = runs(number, 16).iter().map(|run| run.log.input()).collect();
        case("a probe", inputs)
    };
    (0..GROUPS.len()).map(probe).collect()
}

/// A fault, what it names, the learning rates, both losses, the update ratios, and how far the columns have moved.
type Printed = (
    Fault,
    usize,
    [f64; 8],
    [f64; 8],
    [f64; 8],
    [f64; 8],
    &'static [f64],
);

/// The runs that the documentation of the exercise prints, to three digits as it does.
fn printed() -> Vec<(Log, Answer)> {
    let runs: [Printed; 8] = [
        (
            Healthy,
            0,
            [0.45; 8],
            [1.99, 0.558, 0.171, 0.0626, 0.0293, 0.0176, 0.0128, 0.0104],
            [2.17, 0.623, 0.222, 0.116, 0.0852, 0.0742, 0.0687, 0.0651],
            [3.45, 0.66, 0.212, 0.0965, 0.0517, 0.0314, 0.021, 0.0151],
            &[1.37, 1.37],
        ),
        (
            Diverges,
            2,
            [3.0; 8],
            [3.19, 31.5, 353.0, 4070.0, 47100.0, 5.47e5, 6.34e6, 7.36e7],
            [2.1, 22.3, 229.0, 2670.0, 30700.0, 3.57e5, 4.13e6, 4.79e7],
            [45.7, 3.25, 4.83, 4.29, 4.44, 4.4, 4.41, 4.41],
            &[33300.0, 52800.0],
        ),
        (
            ExplodesAfterWarmup,
            6,
            [0.7, 1.4, 2.1, 2.8, 3.5, 3.5, 3.5, 3.5],
            [3.77, 0.126, 0.0848, 0.145, 0.656, 7.05, 84.9, 1120.0],
            [1.91, 0.126, 0.0581, 0.143, 0.252, 3.87, 43.9, 666.0],
            [6.81, 0.344, 0.274, 0.777, 1.38, 8.42, 3.93, 4.93],
            &[266.0, 29.2],
        ),
        (
            NotANumber,
            4,
            [0.15; 8],
            [
                0.747,
                2.72,
                1.17,
                1.42,
                f64::NAN,
                f64::NAN,
                f64::NAN,
                f64::NAN,
            ],
            [2.03, 1.85, 1.28, 1.06, 0.785, f64::NAN, f64::NAN, f64::NAN],
            [
                0.576,
                2.82,
                0.526,
                0.559,
                f64::NAN,
                f64::NAN,
                f64::NAN,
                f64::NAN,
            ],
            &[f64::NAN, f64::NAN],
        ),
        (
            ColumnStandsStill,
            1,
            [0.7; 8],
            [1.04, 0.148, 0.0553, 0.0457, 0.0447, 0.0446, 0.0446, 0.0446],
            [0.933, 0.137, 0.0558, 0.0476, 0.0468, 0.0467, 0.0467, 0.0468],
            [
                3.09, 0.391, 0.0913, 0.027, 0.00845, 0.0027, 8.66e-4, 2.78e-4,
            ],
            &[1.43, 4.32e-5],
        ),
        (
            TooSlow,
            0,
            [0.001; 8],
            [2.24, 2.23, 2.23, 2.22, 2.21, 2.21, 2.2, 2.2],
            [1.2, 1.19, 1.19, 1.19, 1.18, 1.18, 1.18, 1.17],
            [
                0.0169, 0.0168, 0.0168, 0.0168, 0.0168, 0.0167, 0.0167, 0.0166,
            ],
            &[0.0175, 0.00981],
        ),
        (
            Bounces,
            0,
            [2.0; 8],
            [1.75, 1.75, 1.76, 1.77, 1.78, 1.78, 1.79, 1.8],
            [1.65, 1.91, 1.66, 1.93, 1.67, 1.94, 1.69, 1.96],
            [10.9, 0.918, 11.2, 0.92, 11.5, 0.922, 11.8, 0.924],
            &[17.4, 24.2],
        ),
        (
            Overfits,
            2,
            [0.852; 8],
            [
                1.8, 0.113, 0.0379, 0.0179, 0.00857, 0.00412, 0.00198, 9.51e-4,
            ],
            [1.85, 0.0971, 0.0577, 0.0738, 0.0912, 0.106, 0.116, 0.124],
            [34.2, 0.191, 0.0771, 0.0501, 0.034, 0.0233, 0.016, 0.011],
            &[1.81, 0.632, 0.397, 0.22, 0.141, 0.247, 0.162, 0.297],
        ),
    ];
    let run = |(fault, at, lr, train, validation, update_ratio, moved): Printed| {
        let log = Log {
            train: train.to_vec(),
            validation: validation.to_vec(),
            lr: lr.to_vec(),
            update_ratio: update_ratio.to_vec(),
            moved: moved.to_vec(),
        };
        (log, (fault, at))
    };
    runs.map(run).to_vec()
}

// --- Mutants --------------------------------------------------------------------------------------------------------

/// A criterion: the fault, if it applies.
type Ask = fn(&Log) -> Option<Answer>;

/// An implementation in parts: each criterion, and the order in which they are asked.
#[derive(Clone, Copy, Debug)]
struct Reading {
    broken: Ask,
    still: Ask,
    flat: Ask,
    overfits: Ask,
    order: [Criterion; 4],
}

#[derive(Clone, Copy, Debug)]
enum Criterion {
    Broken,
    Still,
    Flat,
    Overfits,
}

const RIGHT: Reading = Reading {
    broken: |log| explained(log, first_broken(log)),
    still: |log| {
        let (least, most) = (lowest(&log.moved), highest(&log.moved));
        (least < 0.001 * most).then(|| (ColumnStandsStill, place_of_lowest(&log.moved)))
    },
    flat: |log| {
        let k = tenth(log);
        flat(
            mean_of_last(&log.train, k) > 0.8 * mean_of_first(&log.train, k),
            mean_of_last(&log.update_ratio, k) > 0.1,
        )
    },
    overfits: |log| {
        let risen = mean_of_last(&log.validation, tenth(log)) > 1.5 * lowest(&log.validation);
        risen.then(|| (Overfits, place_of_lowest(&log.validation)))
    },
    order: [
        Criterion::Broken,
        Criterion::Still,
        Criterion::Flat,
        Criterion::Overfits,
    ],
};

fn reading(reading: Reading) -> Step {
    function(move |input| {
        let log = Log::of(input);
        if log.train.is_empty() {
            return frame((Healthy, 0));
        }
        let found = reading.order.iter().find_map(|criterion| match criterion {
            Criterion::Broken => (reading.broken)(&log),
            Criterion::Still => (reading.still)(&log),
            Criterion::Flat => (reading.flat)(&log),
            Criterion::Overfits => (reading.overfits)(&log),
        });
        frame(found.unwrap_or((Healthy, 0)))
    })
}

fn is_broken(log: &Log, loss: f64) -> bool {
    !loss.is_finite() || loss > 10.0 * log.train[0]
}

fn first_broken(log: &Log) -> Option<usize> {
    log.train.iter().position(|&loss| is_broken(log, loss))
}

fn first_peak(log: &Log) -> usize {
    let most = highest(&log.lr);
    log.lr.iter().position(|&lr| lr == most).unwrap_or(0)
}

/// What it is called when the loss has left its range at that step, if it has.
fn explained(log: &Log, step: Option<usize>) -> Option<Answer> {
    let step = step?;
    let peak = first_peak(log);
    let fault = if !log.train[step].is_finite() {
        NotANumber
    } else if peak > 0 && step >= peak {
        ExplodesAfterWarmup
    } else {
        Diverges
    };
    Some((fault, step))
}

fn flat(flat: bool, jumps: bool) -> Option<Answer> {
    flat.then_some((if jumps { Bounces } else { TooSlow }, 0))
}

fn tenth(log: &Log) -> usize {
    (log.train.len() / 10).max(1)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn mean_of_first(values: &[f64], count: usize) -> f64 {
    mean(&values[..count])
}

fn mean_of_last(values: &[f64], count: usize) -> f64 {
    mean(&values[values.len() - count..])
}

fn highest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn last(values: &[f64]) -> f64 {
    values[values.len() - 1]
}

const RANGE: &str = "exercises/ex16-read-the-curve.html#the-loss-leaves-its-range";
const PEAK: &str = "exercises/ex16-read-the-curve.html#the-end-of-a-warmup";
const COLUMN: &str = "exercises/ex16-read-the-curve.html#one-column-stands-still";
const FALLS: &str = "exercises/ex16-read-the-curve.html#a-loss-that-does-not-fall";
const AGAIN: &str = "exercises/ex16-read-the-curve.html#the-validation-loss-rises-again";
const ORDER: &str = "exercises/ex16-read-the-curve.html#the-order-of-the-questions";
const WINDOW: &str = "exercises/ex16-read-the-curve.html#a-tenth-of-the-run";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "nan-is-not-larger",
        mistake: "the loss is compared with > alone. A comparison with NaN is false: ask whether it is finite first.",
        read: RANGE,
        start: |_| {
            let broken: Ask = |log| {
                explained(
                    log,
                    log.train
                        .iter()
                        .position(|&loss| loss > 10.0 * log.train[0]),
                )
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "only-the-last-loss",
        mistake: "only the last training loss is looked at. A run that left its range may have come back, and the step is the first one.",
        read: RANGE,
        start: |_| {
            let broken: Ask = |log| {
                let end = log.train.len() - 1;
                if is_broken(log, log.train[end]) {
                    explained(log, Some(end))
                } else {
                    None
                }
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "any-nan-comes-first",
        mistake: "a NaN anywhere is read as NotANumber. A loss that grows overflows in the end: the first step out of range says which it was.",
        read: RANGE,
        start: |_| {
            let broken: Ask = |log| match log.train.iter().position(|loss| !loss.is_finite()) {
                Some(step) => Some((NotANumber, step)),
                None => explained(log, first_broken(log)),
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "nan-as-growth",
        mistake: "a loss that is not finite is read as one that grew. The losses before it were in range: it came at once, from the data.",
        read: RANGE,
        start: |_| {
            let broken: Ask = |log| match explained(log, first_broken(log))? {
                (NotANumber, step) => Some((Diverges, step)),
                answer => Some(answer),
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "infinity-passes",
        mistake: "only NaN is asked for, and an infinite loss is called growth. Both are not finite.",
        read: RANGE,
        start: |_| {
            let broken: Ask = |log| match explained(log, first_broken(log))? {
                (NotANumber, step) if !log.train[step].is_nan() => Some((Diverges, step)),
                answer => Some(answer),
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "step-of-the-largest",
        mistake: "the step of the largest loss is named. Named is the first that is out of range.",
        read: RANGE,
        start: |_| {
            let broken: Ask = |log| {
                let (fault, _) = explained(log, first_broken(log))?;
                let most = highest(&log.train);
                Some((
                    fault,
                    log.train.iter().position(|&loss| loss == most).unwrap_or(0),
                ))
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "steps-counted-from-one",
        mistake: "the step out of range is counted from 1. The first entry of a log is step 0.",
        read: RANGE,
        start: |_| {
            let broken: Ask = |log| {
                let (fault, step) = explained(log, first_broken(log))?;
                Some((fault, step + 1))
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "against-the-loss-before",
        mistake: "each loss is compared with the one before it. Growth by a factor of two a step is slow enough to pass: compare with train[0].",
        read: RANGE,
        start: |_| {
            let broken: Ask = |log| {
                let jump = |step: &usize| {
                    !log.train[*step].is_finite()
                        || *step > 0 && log.train[*step] > 10.0 * log.train[step - 1]
                };
                explained(log, (0..log.train.len()).find(jump))
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "against-the-lowest-so-far",
        mistake: "each loss is compared with the lowest so far. Near the minimum a noisy batch is ten times that: compare with train[0].",
        read: RANGE,
        start: |_| {
            let broken: Ask = |log| {
                let mut least = f64::INFINITY;
                let far = |&loss: &f64| {
                    least = least.min(loss);
                    !loss.is_finite() || loss > 10.0 * least
                };
                explained(log, log.train.iter().position(far))
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "no-factor-of-ten",
        mistake: "any loss above the first one is out of range. The bound is ten times the first: batches differ.",
        read: RANGE,
        start: |_| {
            let broken: Ask = |log| {
                explained(
                    log,
                    log.train
                        .iter()
                        .position(|&loss| !loss.is_finite() || loss > log.train[0]),
                )
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "validation-for-training",
        mistake: "the validation loss is asked whether it has left its range. It is the training loss that diverges.",
        read: RANGE,
        start: |_| {
            let broken: Ask = |log| {
                explained(
                    log,
                    log.validation
                        .iter()
                        .position(|&loss| !loss.is_finite() || loss > 10.0 * log.validation[0]),
                )
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "range-never-asked",
        mistake: "a loss that grows, or is not a number, is never looked for.",
        read: RANGE,
        start: |_| {
            let broken: Ask = |_| None;
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "warmup-ignored",
        mistake: "an explosion after a warmup is called Diverges. Look for the step where the learning rate peaks.",
        read: PEAK,
        start: |_| {
            let broken: Ask = |log| match explained(log, first_broken(log))? {
                (ExplodesAfterWarmup, step) => Some((Diverges, step)),
                answer => Some(answer),
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "last-step-of-the-peak",
        mistake: "the last step with the largest rate is taken for the peak. The rate stays there after a warmup: its end is the first.",
        read: PEAK,
        start: |_| {
            let broken: Ask = |log| match explained(log, first_broken(log))? {
                (NotANumber, step) => Some((NotANumber, step)),
                (_, step) => {
                    let most = highest(&log.lr);
                    let peak = log.lr.iter().rposition(|&lr| lr == most).unwrap_or(0);
                    let fault = if peak > 0 && step >= peak {
                        ExplodesAfterWarmup
                    } else {
                        Diverges
                    };
                    Some((fault, step))
                }
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "a-constant-rate-is-a-warmup",
        mistake: "a rate that is largest at step 0 counts as a warmup. There is one only if the peak comes later.",
        read: PEAK,
        start: |_| {
            let broken: Ask = |log| match explained(log, first_broken(log))? {
                (NotANumber, step) => Some((NotANumber, step)),
                (_, step) => {
                    let peak = first_peak(log);
                    let fault = if step >= peak {
                        ExplodesAfterWarmup
                    } else {
                        Diverges
                    };
                    Some((fault, step))
                }
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "only-at-the-peak",
        mistake: "the loss must leave its range at the very step of the peak. It takes some steps to grow: at the peak or later.",
        read: PEAK,
        start: |_| {
            let broken: Ask = |log| match explained(log, first_broken(log))? {
                (NotANumber, step) => Some((NotANumber, step)),
                (_, step) => {
                    let peak = first_peak(log);
                    let fault = if peak > 0 && step == peak {
                        ExplodesAfterWarmup
                    } else {
                        Diverges
                    };
                    Some((fault, step))
                }
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "every-warmup-explodes",
        mistake: "every run with a warmup that leaves its range is an explosion at its end. If it happens before the peak, it Diverges.",
        read: PEAK,
        start: |_| {
            let broken: Ask = |log| match explained(log, first_broken(log))? {
                (NotANumber, step) => Some((NotANumber, step)),
                (_, step) => {
                    let peak = first_peak(log);
                    let fault = if peak > 0 {
                        ExplodesAfterWarmup
                    } else {
                        Diverges
                    };
                    Some((fault, step))
                }
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "only-after-the-peak",
        mistake: "the step of the peak itself is left out: it is an explosion at the peak or later.",
        read: PEAK,
        start: |_| {
            let broken: Ask = |log| match explained(log, first_broken(log))? {
                (NotANumber, step) => Some((NotANumber, step)),
                (_, step) => {
                    let peak = first_peak(log);
                    let fault = if peak > 0 && step > peak {
                        ExplodesAfterWarmup
                    } else {
                        Diverges
                    };
                    Some((fault, step))
                }
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "before-the-peak",
        mistake: "the comparison with the peak is turned round: an explosion at the end of the warmup comes at the peak or later.",
        read: PEAK,
        start: |_| {
            let broken: Ask = |log| match explained(log, first_broken(log))? {
                (NotANumber, step) => Some((NotANumber, step)),
                (_, step) => {
                    let peak = first_peak(log);
                    let fault = if peak > 0 && step < peak {
                        ExplodesAfterWarmup
                    } else {
                        Diverges
                    };
                    Some((fault, step))
                }
            };
            reading(Reading { broken, ..RIGHT })
        },
    },
    Mutant {
        name: "columns-never-asked",
        mistake: "the columns are not looked at.",
        read: COLUMN,
        start: |_| {
            let still: Ask = |_| None;
            reading(Reading { still, ..RIGHT })
        },
    },
    Mutant {
        name: "exactly-zero",
        mistake: "only a column that has not moved at all is found. One in a tiny unit moves a little: less than 1/1000 of the largest.",
        read: COLUMN,
        start: |_| {
            let still: Ask = |log| {
                (lowest(&log.moved) == 0.0)
                    .then(|| (ColumnStandsStill, place_of_lowest(&log.moved)))
            };
            reading(Reading { still, ..RIGHT })
        },
    },
    Mutant {
        name: "an-absolute-threshold",
        mistake: "0.001 is taken as a distance. It is a share of the largest, for weights have any unit.",
        read: COLUMN,
        start: |_| {
            let still: Ask = |log| {
                (lowest(&log.moved) < 0.001)
                    .then(|| (ColumnStandsStill, place_of_lowest(&log.moved)))
            };
            reading(Reading { still, ..RIGHT })
        },
    },
    Mutant {
        name: "at-most-a-thousandth",
        mistake: "the move of a column may be equal to 1/1000 of the largest: where nothing moves at all, 0 is equal to 0.",
        read: COLUMN,
        start: |_| {
            let still: Ask = |log| {
                (lowest(&log.moved) <= 0.001 * highest(&log.moved))
                    .then(|| (ColumnStandsStill, place_of_lowest(&log.moved)))
            };
            reading(Reading { still, ..RIGHT })
        },
    },
    Mutant {
        name: "the-column-that-moves-most",
        mistake: "the column that moves most is named.",
        read: COLUMN,
        start: |_| {
            let still: Ask = |log| {
                let (_, _) = (RIGHT.still)(log)?;
                let most = highest(&log.moved);
                Some((
                    ColumnStandsStill,
                    log.moved
                        .iter()
                        .position(|&moved| moved == most)
                        .unwrap_or(0),
                ))
            };
            reading(Reading { still, ..RIGHT })
        },
    },
    Mutant {
        name: "the-first-below",
        mistake: "the first column below the threshold is named. Named is the one that moves least.",
        read: COLUMN,
        start: |_| {
            let still: Ask = |log| {
                let bound = 0.001 * highest(&log.moved);
                Some((
                    ColumnStandsStill,
                    log.moved.iter().position(|&moved| moved < bound)?,
                ))
            };
            reading(Reading { still, ..RIGHT })
        },
    },
    Mutant {
        name: "the-last-of-equals",
        mistake: "of columns that move equally little the last is named, not the first.",
        read: COLUMN,
        start: |_| {
            let still: Ask = |log| {
                let (_, _) = (RIGHT.still)(log)?;
                let least = lowest(&log.moved);
                Some((
                    ColumnStandsStill,
                    log.moved
                        .iter()
                        .rposition(|&moved| moved == least)
                        .unwrap_or(0),
                ))
            };
            reading(Reading { still, ..RIGHT })
        },
    },
    Mutant {
        name: "columns-counted-from-one",
        mistake: "the column is counted from 1. The first is column 0.",
        read: COLUMN,
        start: |_| {
            let still: Ask = |log| {
                let (fault, column) = (RIGHT.still)(log)?;
                Some((fault, column + 1))
            };
            reading(Reading { still, ..RIGHT })
        },
    },
    Mutant {
        name: "falling-never-asked",
        mistake: "whether the training loss falls is not asked.",
        read: FALLS,
        start: |_| {
            let flat: Ask = |_| None;
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "ratio-ignored",
        mistake: "every loss that does not fall is called TooSlow. The update ratio says whether the weights hardly move or jump.",
        read: FALLS,
        start: |_| {
            let flat: Ask = |log| {
                (RIGHT.flat)(log)?;
                Some((TooSlow, 0))
            };
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "ratio-turned-round",
        mistake: "small updates are called Bounces and large ones TooSlow.",
        read: FALLS,
        start: |_| {
            let flat: Ask = |log| {
                let (fault, _) = (RIGHT.flat)(log)?;
                Some((if fault == Bounces { TooSlow } else { Bounces }, 0))
            };
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "ratio-of-the-whole-run",
        mistake: "the update ratio is averaged over the whole run. From weights near 0 the first ratios are huge: take the last tenth.",
        read: FALLS,
        start: |_| {
            let flat: Ask = |log| {
                (RIGHT.flat)(log)?;
                flat(true, mean(&log.update_ratio) > 0.1)
            };
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "one-loss-at-each-end",
        mistake: "the last loss is compared with the first. One batch says little: compare the means of the last and the first tenth.",
        read: WINDOW,
        start: |_| {
            let flat: Ask = |log| {
                let k = tenth(log);
                flat(
                    last(&log.train) > 0.8 * log.train[0],
                    mean_of_last(&log.update_ratio, k) > 0.1,
                )
            };
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "against-the-first-loss",
        mistake: "the mean of the last tenth is compared with the first loss alone. The beginning is a mean over a tenth, too.",
        read: WINDOW,
        start: |_| {
            let flat: Ask = |log| {
                let k = tenth(log);
                flat(
                    mean_of_last(&log.train, k) > 0.8 * log.train[0],
                    mean_of_last(&log.update_ratio, k) > 0.1,
                )
            };
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "lowest-loss-for-the-end",
        mistake: "the lowest training loss is taken for the end of the run. Among many noisy batches one is always low: take the mean of the last tenth.",
        read: WINDOW,
        start: |_| {
            let flat: Ask = |log| {
                let k = tenth(log);
                flat(
                    lowest(&log.train) > 0.8 * mean_of_first(&log.train, k),
                    mean_of_last(&log.update_ratio, k) > 0.1,
                )
            };
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "fallen-to-a-fifth",
        mistake: "the loss is asked to fall by 0.8, to a fifth. It has fallen if it is at most 0.8 of what it was.",
        read: FALLS,
        start: |_| {
            let flat: Ask = |log| {
                let k = tenth(log);
                flat(
                    mean_of_last(&log.train, k) > 0.2 * mean_of_first(&log.train, k),
                    mean_of_last(&log.update_ratio, k) > 0.1,
                )
            };
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "falling-turned-round",
        mistake: "a loss that falls is called flat: the comparison is turned round.",
        read: FALLS,
        start: |_| {
            let flat: Ask = |log| {
                let k = tenth(log);
                flat(
                    mean_of_last(&log.train, k) < 0.8 * mean_of_first(&log.train, k),
                    mean_of_last(&log.update_ratio, k) > 0.1,
                )
            };
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "an-absolute-loss",
        mistake: "the loss at the end is compared with 0.8 itself. A loss has a unit: compare with the beginning of the run.",
        read: FALLS,
        start: |_| {
            let flat: Ask = |log| {
                let k = tenth(log);
                flat(
                    mean_of_last(&log.train, k) > 0.8,
                    mean_of_last(&log.update_ratio, k) > 0.1,
                )
            };
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "ten-steps-for-a-tenth",
        mistake: "ten steps are taken at each end, however long the run is. Take a tenth of the steps, and at least one.",
        read: WINDOW,
        start: |_| {
            let flat: Ask = |log| {
                let k = log.train.len().min(10);
                flat(
                    mean_of_last(&log.train, k) > 0.8 * mean_of_first(&log.train, k),
                    mean_of_last(&log.update_ratio, k) > 0.1,
                )
            };
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "a-tenth-of-nothing",
        mistake: "in a run of fewer than ten steps the tenth is no step at all, and its mean 0/0. Take at least one.",
        read: WINDOW,
        start: |_| {
            let flat: Ask = |log| {
                let k = log.train.len() / 10;
                flat(
                    mean_of_last(&log.train, k) > 0.8 * mean_of_first(&log.train, k),
                    mean_of_last(&log.update_ratio, k) > 0.1,
                )
            };
            reading(Reading { flat, ..RIGHT })
        },
    },
    Mutant {
        name: "validation-never-asked",
        mistake: "the validation loss is not looked at.",
        read: AGAIN,
        start: |_| {
            let overfits: Ask = |_| None;
            reading(Reading { overfits, ..RIGHT })
        },
    },
    Mutant {
        name: "the-gap-to-training",
        mistake: "the validation loss is compared with the training loss. A harder set lies above it from the start: compare with its own minimum.",
        read: AGAIN,
        start: |_| {
            let overfits: Ask = |log| {
                let k = tenth(log);
                let gap = mean_of_last(&log.validation, k) > 1.5 * mean_of_last(&log.train, k);
                gap.then(|| (Overfits, place_of_lowest(&log.validation)))
            };
            reading(Reading { overfits, ..RIGHT })
        },
    },
    Mutant {
        name: "against-the-first-validation",
        mistake: "the validation loss is compared with its beginning. It can have doubled since its minimum and still be below that.",
        read: AGAIN,
        start: |_| {
            let overfits: Ask = |log| {
                let risen = mean_of_last(&log.validation, tenth(log)) > 1.5 * log.validation[0];
                risen.then(|| (Overfits, place_of_lowest(&log.validation)))
            };
            reading(Reading { overfits, ..RIGHT })
        },
    },
    Mutant {
        name: "last-validation-loss-for-the-end",
        mistake: "the last validation loss alone is compared with the lowest. It can be high by chance: take the mean of the last tenth.",
        read: AGAIN,
        start: |_| {
            let overfits: Ask = |log| {
                let risen = log.validation.last()? > &(1.5 * lowest(&log.validation));
                risen.then(|| (Overfits, place_of_lowest(&log.validation)))
            };
            reading(Reading { overfits, ..RIGHT })
        },
    },
    Mutant {
        name: "any-rise",
        mistake: "any rise above the minimum counts. A little is noise: it must be more than half of the minimum.",
        read: AGAIN,
        start: |_| {
            let overfits: Ask = |log| {
                let risen = mean_of_last(&log.validation, tenth(log)) > lowest(&log.validation);
                risen.then(|| (Overfits, place_of_lowest(&log.validation)))
            };
            reading(Reading { overfits, ..RIGHT })
        },
    },
    Mutant {
        name: "the-step-of-the-lowest-training-loss",
        mistake: "the step of the lowest training loss is named. The weights to keep are those with the lowest validation loss.",
        read: AGAIN,
        start: |_| {
            let overfits: Ask = |log| {
                (RIGHT.overfits)(log)?;
                Some((Overfits, place_of_lowest(&log.train)))
            };
            reading(Reading { overfits, ..RIGHT })
        },
    },
    Mutant {
        name: "the-lowest-counted-from-one",
        mistake: "the step of the lowest validation loss is counted from 1. The first entry of a log is step 0.",
        read: AGAIN,
        start: |_| {
            let overfits: Ask = |log| {
                let (fault, best) = (RIGHT.overfits)(log)?;
                Some((fault, best + 1))
            };
            reading(Reading { overfits, ..RIGHT })
        },
    },
    Mutant {
        name: "the-first-rise",
        mistake: "the step before the first rise is named. A validation loss may rise a little and fall further: name its minimum.",
        read: AGAIN,
        start: |_| {
            let overfits: Ask = |log| {
                (RIGHT.overfits)(log)?;
                let rise = log.validation.windows(2).position(|pair| pair[1] > pair[0]);
                Some((Overfits, rise.unwrap_or(0)))
            };
            reading(Reading { overfits, ..RIGHT })
        },
    },
    Mutant {
        name: "the-step-where-it-shows",
        mistake: "the step is named at which the validation loss is half above its minimum again. Named is the minimum.",
        read: AGAIN,
        start: |_| {
            let overfits: Ask = |log| {
                let (_, best) = (RIGHT.overfits)(log)?;
                let high = |&loss: &f64| loss > 1.5 * log.validation[best];
                Some((
                    Overfits,
                    best + log.validation[best..].iter().position(high).unwrap_or(0),
                ))
            };
            reading(Reading { overfits, ..RIGHT })
        },
    },
    Mutant {
        name: "columns-before-the-range",
        mistake: "the columns are asked before the range. A loss that leaves its range comes first.",
        read: ORDER,
        start: |_| {
            let order: [Criterion; 4] = [
                Criterion::Still,
                Criterion::Broken,
                Criterion::Flat,
                Criterion::Overfits,
            ];
            reading(Reading { order, ..RIGHT })
        },
    },
    Mutant {
        name: "falling-before-the-range",
        mistake: "whether the loss falls is asked before its range. One that has left it does not fall either.",
        read: ORDER,
        start: |_| {
            let order: [Criterion; 4] = [
                Criterion::Flat,
                Criterion::Broken,
                Criterion::Still,
                Criterion::Overfits,
            ];
            reading(Reading { order, ..RIGHT })
        },
    },
    Mutant {
        name: "falling-before-the-columns",
        mistake: "whether the loss falls is asked before the columns. Where the signal is in a column that stands still, that is why it does not fall.",
        read: ORDER,
        start: |_| {
            let order: [Criterion; 4] = [
                Criterion::Broken,
                Criterion::Flat,
                Criterion::Still,
                Criterion::Overfits,
            ];
            reading(Reading { order, ..RIGHT })
        },
    },
    Mutant {
        name: "validation-before-the-columns",
        mistake: "the validation loss is asked before the columns.",
        read: ORDER,
        start: |_| {
            let order: [Criterion; 4] = [
                Criterion::Broken,
                Criterion::Overfits,
                Criterion::Still,
                Criterion::Flat,
            ];
            reading(Reading { order, ..RIGHT })
        },
    },
    Mutant {
        name: "validation-before-falling",
        mistake: "the validation loss is asked before the training loss. A model that has not learnt cannot have learnt too much.",
        read: ORDER,
        start: |_| {
            let order: [Criterion; 4] = [
                Criterion::Broken,
                Criterion::Still,
                Criterion::Overfits,
                Criterion::Flat,
            ];
            reading(Reading { order, ..RIGHT })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "one-question-after-the-other",
        start: |_| reading(RIGHT),
    },
    Variant {
        name: "in-one-pass-with-sums",
        start: |_| {
            function(|input| {
                let log = Log::of(input);
                let steps = log.train.len();
                let tenth = usize::max(steps / 10, 1);
                let (mut first, mut end, mut rise, mut jump) = (0.0, 0.0, 0.0, 0.0);
                let (mut peak, mut best) = (0, 0);
                for t in 0..steps {
                    if log.lr[t] > log.lr[peak] {
                        peak = t;
                    }
                    let inside =
                        log.train[t] <= 10.0 * log.train[0] && log.train[t] < f64::INFINITY;
                    if !inside {
                        let finite = log.train[t].abs() <= f64::MAX;
                        let later = (t + 1..steps).any(|later| log.lr[later] > log.lr[peak]);
                        return frame(match (finite, peak > 0 && !later) {
                            (false, _) => (NotANumber, t),
                            (true, true) => (ExplodesAfterWarmup, t),
                            (true, false) => (Diverges, t),
                        });
                    }
                    if log.validation[t] < log.validation[best] {
                        best = t;
                    }
                    if t < tenth {
                        first += log.train[t];
                    }
                    if t + tenth >= steps {
                        end += log.train[t];
                        rise += log.validation[t];
                        jump += log.update_ratio[t];
                    }
                }
                let (mut least, mut most) = (0, 0);
                for (column, &moved) in log.moved.iter().enumerate() {
                    if moved < log.moved[least] {
                        least = column;
                    }
                    if moved > log.moved[most] {
                        most = column;
                    }
                }
                frame(
                    if !log.moved.is_empty() && 1000.0 * log.moved[least] < log.moved[most] {
                        (ColumnStandsStill, least)
                    } else if steps > 0 && end / first > 0.8 {
                        (
                            if jump / tenth as f64 > 0.1 {
                                Bounces
                            } else {
                                TooSlow
                            },
                            0,
                        )
                    } else if steps > 0 && rise / tenth as f64 / log.validation[best] > 1.5 {
                        (Overfits, best)
                    } else {
                        (Healthy, 0)
                    },
                )
            })
        },
    },
    Variant {
        name: "by-sorting",
        start: |_| {
            let still: Ask = |log| {
                let mut moved = log.moved.clone();
                moved.sort_by(f64::total_cmp);
                let (least, most) = (moved.first()?, moved.last()?);
                let column = log.moved.iter().position(|moved| moved == least)?;
                (least / most < 1e-3).then_some((ColumnStandsStill, column))
            };
            let overfits: Ask = |log| {
                let steps = log.validation.len();
                let end = log.validation.iter().rev().take((steps / 10).max(1));
                let best =
                    (0..steps).min_by(|&a, &b| log.validation[a].total_cmp(&log.validation[b]))?;
                let mean = end.clone().sum::<f64>() / end.len() as f64;
                (2.0 * mean > 3.0 * log.validation[best]).then_some((Overfits, best))
            };
            reading(Reading {
                still,
                overfits,
                ..RIGHT
            })
        },
    },
];

#[cfg(test)]
mod tests {
    use super::{GROUPS, runs};

    #[test]
    fn every_seed_gives_runs_that_show_their_faults() {
        for seed in 100..140 {
            for (number, group) in GROUPS.iter().enumerate() {
                assert_eq!(runs(number, seed).len(), group.len());
            }
        }
    }
}
