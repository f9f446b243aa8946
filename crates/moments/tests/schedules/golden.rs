//! Every schedule against the values of PyTorch, optax or a transcription of its paper, update by update.

use moments::schedule::{
    AfterEnd, Anneal, Between, Constant, Cooldown, Cosine, CosineRestarts, Cyclic, Exponential,
    Fires, Goal, Height, InverseSqrt, InverseSqrtForm, Linear, MultiStep, Noam, Norms, OneCycle,
    Piecewise, Plateau, Polynomial, Refined, Schedule, Sequence, StepDecay, Warmup, WarmupForm,
    WarmupStart, Wsd,
};
use std::collections::BTreeMap;
use std::fmt::Write;

const BOUND: f64 = 1e-12;

/// One schedule of the golden file.
#[derive(Default)]
struct Golden {
    source: String,
    values: Vec<f64>,
    /// The metrics that a plateau watched, or the gradient norms that a schedule was refined from.
    metrics: Vec<f64>,
}

fn golden() -> BTreeMap<&'static str, Golden> {
    let mut all = BTreeMap::new();
    let mut name = "";
    for line in include_str!("../golden/schedules.txt").lines() {
        let (label, rest) = line.split_once(' ').unwrap();
        let run: &mut Golden = match label {
            "#" | "drift" => continue,
            "schedule" => {
                let (found, source) = rest.split_once(" | ").unwrap();
                name = found;
                let run = all.entry(name).or_insert_with(Golden::default);
                source.clone_into(&mut run.source);
                continue;
            }
            _ => all.get_mut(name).unwrap(),
        };
        let numbers = rest.split(' ').flat_map(|run| {
            let (value, count) = run.split_once('*').unwrap_or((run, "1"));
            std::iter::repeat_n(value.parse::<f64>().unwrap(), count.parse().unwrap())
        });
        match label {
            "values" => run.values = numbers.collect(),
            "metrics" => run.metrics = numbers.collect(),
            _ => panic!("no such line: {label}"),
        }
    }
    all
}

/// The same schedule, made of ours.
fn ours(name: &str, golden: &Golden) -> Vec<f64> {
    let n = golden.values.len() as u64;
    if let Some(values) = other_kinds(name, golden, n) {
        return values;
    }
    let schedule = schedule(name);
    schedule.validate().unwrap();
    schedule.values(n)
}

/// Plateaus, momenta and refined schedules.
fn other_kinds(name: &str, golden: &Golden, n: u64) -> Option<Vec<f64>> {
    let values = match name.split('-').next().unwrap() {
        "plateau" => {
            let (plateau, lr) = plateau(name);
            plateau.validate().unwrap();
            let mut state = plateau.start(lr);
            let metrics = golden.metrics.iter();
            metrics
                .map(|&metric| plateau.observe(&mut state, metric))
                .collect()
        }
        "refined" => {
            let (tau, kind) = match name {
                "refined-sgd" => (0.1, Norms::L2),
                "refined-adam" => (0.1, Norms::L1),
                "refined-rough" => (0.0, Norms::L2),
                "refined-smooth" => (1.0, Norms::L1),
                "refined-odd" => (0.0333, Norms::L2),
                _ => panic!("no such schedule: {name}"),
            };
            let refined = Refined::from_norms(1.0, &golden.metrics, tau, kind).unwrap();
            refined.values(n)
        }
        "one" => {
            let name = name
                .strip_suffix("-momentum")
                .or(name.strip_suffix("-beta1"))?;
            (0..n).map(|t| one_cycle(name).momentum_at(t)).collect()
        }
        "cyclic" => {
            let name = name.strip_suffix("-momentum")?;
            (0..n).map(|t| cyclic(name).momentum_at(t)).collect()
        }
        _ => return None,
    };
    Some(values)
}

fn schedule(name: &str) -> Box<dyn Schedule> {
    let cosine = Cosine::new(0.1, 300);
    let restarts = CosineRestarts::new(0.1, 50);
    let decay = Exponential {
        lr: 0.1,
        gamma: 0.5,
        every: 50,
    };
    let warmup = |init: f64, peak: f64, steps: u64| Linear {
        lr: init,
        end: peak,
        steps,
    };
    let before = |init, peak, steps, schedule| Warmup {
        steps,
        start: WarmupStart::Factor(init / peak),
        form: WarmupForm::Before,
        schedule,
    };
    match name {
        "step-torch" => StepDecay {
            lr: 0.1,
            gamma: 0.1,
            every: 30,
        }
        .boxed(),
        "step-half-torch" => StepDecay {
            lr: 0.1,
            gamma: 0.9,
            every: 7,
        }
        .boxed(),
        "multi-step-torch" => MultiStep {
            lr: 0.1,
            gamma: 0.1,
            milestones: vec![30, 80, 80, 211],
        }
        .boxed(),
        "multi-step-gamma-torch" => MultiStep {
            lr: 0.1,
            gamma: 0.3,
            milestones: vec![0, 5, 399],
        }
        .boxed(),
        "constant-torch" => constant_factor(1.0 / 3.0, 5),
        "constant-factor-torch" => constant_factor(0.25, 50),
        "linear-torch" => Linear::torch(0.1).boxed(),
        "linear-down-torch" => Linear {
            lr: 0.1,
            end: 0.005,
            steps: 300,
        }
        .boxed(),
        "linear-to-zero-torch" => Linear::new(0.1, 300).boxed(),
        "linear-up-torch" => Linear {
            lr: 0.001,
            end: 0.1,
            steps: 333,
        }
        .boxed(),
        "exponential-torch" => Exponential {
            lr: 0.1,
            gamma: 0.99,
            every: 1,
        }
        .boxed(),
        "exponential-up-torch" => Exponential {
            lr: 1e-4,
            gamma: 1.001,
            every: 1,
        }
        .boxed(),
        "polynomial-torch" => Polynomial::new(0.1, 1.0, 5).boxed(),
        "polynomial-2-torch" => Polynomial::new(0.1, 2.0, 300).boxed(),
        "polynomial-0.9-torch" => Polynomial::new(0.1, 0.9, 390).boxed(),
        "cosine-torch" => Cosine {
            steps: 60,
            after_end: AfterEnd::RiseAgain,
            ..cosine
        }
        .boxed(),
        "cosine-floor-torch" => Cosine {
            end: 0.001,
            after_end: AfterEnd::RiseAgain,
            ..cosine
        }
        .boxed(),
        "restarts-torch" => restarts.boxed(),
        "restarts-2-torch" => CosineRestarts {
            end: 0.01,
            first: 10,
            mult: 2,
            ..restarts
        }
        .boxed(),
        "restarts-3-torch" => CosineRestarts {
            first: 7,
            mult: 3,
            ..restarts
        }
        .boxed(),
        "sequential-torch" => Warmup {
            steps: 20,
            start: WarmupStart::Factor(0.1),
            form: WarmupForm::Before,
            schedule: Cosine {
                end: 0.001,
                steps: 200,
                after_end: AfterEnd::RiseAgain,
                ..cosine
            },
        }
        .boxed(),
        "sequential-three-torch" => Sequence {
            parts: vec![
                Constant { lr: 0.01 }.boxed(),
                Exponential {
                    lr: 0.1,
                    gamma: 0.98,
                    every: 1,
                }
                .boxed(),
                StepDecay {
                    lr: 0.1,
                    gamma: 0.1,
                    every: 50,
                }
                .boxed(),
            ],
            milestones: vec![25, 200],
        }
        .boxed(),
        "chained-torch" => Sequence {
            parts: vec![Constant { lr: 0.1 }, Constant { lr: 1.0 }],
            milestones: vec![20],
        }
        .times(Exponential {
            lr: 0.1,
            gamma: 0.99,
            every: 1,
        })
        .boxed(),
        "chained-warmup-torch" => Warmup {
            steps: 40,
            start: WarmupStart::Factor(0.05),
            form: WarmupForm::Times,
            schedule: Polynomial::new(1.0, 2.0, 380).scaled(0.1),
        }
        .boxed(),
        "lambda-torch" | "multiplicative-torch" => Exponential {
            lr: 0.1,
            gamma: 0.95,
            every: 1,
        }
        .boxed(),
        "constant-optax" => Constant { lr: 0.1 }.boxed(),
        "linear-optax" => Linear {
            lr: 0.1,
            end: 0.001,
            steps: 300,
        }
        .boxed(),
        "linear-begin-optax" => warmup(0.01, 1.0, 100).delayed(50).boxed(),
        "polynomial-optax" => Polynomial {
            end: 0.01,
            ..Polynomial::new(1.0, 2.5, 300)
        }
        .delayed(20)
        .boxed(),
        "polynomial-root-optax" => Polynomial::new(0.2, 0.5, 390).boxed(),
        "exponential-optax" => decay.boxed(),
        "exponential-begin-optax" => decay.delayed(30).boxed(),
        "exponential-staircase-optax" => StepDecay {
            lr: 0.1,
            gamma: 0.5,
            every: 50,
        }
        .delayed(30)
        .boxed(),
        "exponential-floor-optax" => decay.at_least(0.02).boxed(),
        "exponential-ceiling-optax" => Exponential {
            gamma: 1.5,
            ..decay
        }
        .at_most(0.7)
        .boxed(),
        "piecewise-constant-optax" => {
            Piecewise::optax(0.1, &[(20, 0.5), (100, 0.1), (300, 3.0)], Between::Hold).boxed()
        }
        "piecewise-linear-optax" => {
            Piecewise::optax(0.1, &[(20, 5.0), (100, 0.1), (300, 0.3)], Between::Linear).boxed()
        }
        "piecewise-cosine-optax" => {
            Piecewise::optax(0.1, &[(20, 5.0), (100, 0.1), (300, 0.3)], Between::Cosine).boxed()
        }
        "cosine-optax" => cosine.boxed(),
        "cosine-alpha-optax" => Cosine {
            end: 0.005,
            steps: 390,
            ..cosine
        }
        .boxed(),
        "cosine-exponent-optax" => Cosine {
            end: 0.001,
            steps: 200,
            exponent: 2.5,
            ..cosine
        }
        .boxed(),
        "warmup-constant-optax" => warmup(0.0, 0.1, 100).boxed(),
        "warmup-cosine-optax" => Warmup::optax_cosine(0.0, 0.1, 40, 390).boxed(),
        "warmup-cosine-settings-optax" => {
            let plain = Warmup::optax_cosine(0.02, 0.1, 40, 300);
            let schedule = Cosine {
                end: 0.001,
                exponent: 1.5,
                ..plain.schedule
            };
            Warmup { schedule, ..plain }.boxed()
        }
        "warmup-exponential-optax" => Warmup {
            start: WarmupStart::Zero,
            ..Exponential {
                lr: 0.1,
                gamma: 0.8,
                every: 30,
            }
            .warmup(40)
        }
        .boxed(),
        "warmup-exponential-settings-optax" => Warmup {
            start: WarmupStart::Factor(0.1),
            ..StepDecay {
                lr: 0.1,
                gamma: 0.8,
                every: 30,
            }
            .delayed(25)
            .at_least(0.03)
            .warmup(40)
        }
        .boxed(),
        "sgdr-optax" => Sequence {
            parts: vec![
                before(0.0, 0.1, 10, Cosine::new(0.1, 50)),
                before(
                    0.01,
                    0.05,
                    20,
                    Cosine {
                        end: 0.001,
                        ..Cosine::new(0.05, 100)
                    },
                ),
                before(
                    0.005,
                    0.03,
                    5,
                    Cosine {
                        end: 0.002,
                        exponent: 2.0,
                        ..Cosine::new(0.03, 195)
                    },
                ),
            ],
            milestones: vec![60, 180],
        }
        .boxed(),
        "join-optax" => Sequence {
            parts: vec![
                warmup(0.0, 1.0, 50).boxed(),
                Constant { lr: 1.0 }.boxed(),
                Exponential {
                    lr: 1.0,
                    gamma: 0.7,
                    every: 20,
                }
                .boxed(),
            ],
            milestones: vec![50, 150],
        }
        .boxed(),
        "wsd-sqrt" => Wsd::new(0.1, 30, 170, 150).boxed(),
        "wsd-linear" => Wsd {
            end: 0.001,
            start: WarmupStart::Zero,
            cooldown_shape: Cooldown::Linear,
            ..Wsd::new(0.1, 30, 170, 150)
        }
        .boxed(),
        "wsd-cosine" => Wsd {
            end: 0.01,
            start: WarmupStart::Factor(0.5),
            cooldown_shape: Cooldown::Cosine,
            ..Wsd::new(0.1, 30, 170, 150)
        }
        .boxed(),
        "noam" => Noam {
            warmup: 100,
            ..Noam::paper()
        }
        .boxed(),
        "noam-factor" => Noam {
            d_model: 64,
            warmup: 7,
            factor: 2.0,
        }
        .boxed(),
        "inverse-sqrt" => InverseSqrt {
            lr: 0.1,
            timescale: 100,
            form: InverseSqrtForm::Flat,
        }
        .boxed(),
        "inverse-sqrt-shifted" => InverseSqrt {
            lr: 0.1,
            timescale: 50,
            form: InverseSqrtForm::Shifted,
        }
        .boxed(),
        "inverse-sqrt-warmup" => Warmup {
            start: WarmupStart::Zero,
            ..InverseSqrt {
                lr: 0.1,
                timescale: 60,
                form: InverseSqrtForm::Shifted,
            }
            .warmup(60)
        }
        .boxed(),
        "warmup-first-step" => Constant { lr: 0.1 }.warmup(60).boxed(),
        _ if name.starts_with("one-cycle") => one_cycle(name).boxed(),
        _ if name.starts_with("cyclic") => cyclic(name).boxed(),
        _ => panic!("no such schedule: {name}"),
    }
}

/// PyTorch's `ConstantLR` with the base 0.1.
fn constant_factor(factor: f64, updates: u64) -> Box<dyn Schedule> {
    Sequence {
        parts: vec![Constant { lr: 0.1 * factor }, Constant { lr: 0.1 }],
        milestones: vec![updates],
    }
    .boxed()
}

fn one_cycle(name: &str) -> OneCycle {
    let torch = OneCycle::torch(0.5, 400);
    match name {
        "one-cycle-torch" => torch,
        "one-cycle-linear-torch" => OneCycle {
            anneal: Anneal::Linear,
            pct_start: 0.333,
            final_div_factor: 100.0,
            ..torch
        },
        "one-cycle-three-torch" => OneCycle::torch_three_phase(0.5, 400),
        "one-cycle-three-linear-torch" => OneCycle {
            anneal: Anneal::Linear,
            pct_start: 0.4321,
            pct_final: 0.8642,
            div_factor: 7.0,
            final_div_factor: 11.0,
            ..OneCycle::torch_three_phase(0.5, 400)
        },
        "one-cycle-settings-torch" => OneCycle {
            peak: 0.02,
            pct_start: 0.1,
            base_momentum: 0.5,
            max_momentum: 0.99,
            div_factor: 3.0,
            final_div_factor: 100.0,
            ..torch
        },
        "one-cycle-down-torch" => OneCycle {
            pct_start: 0.0,
            ..torch
        },
        "one-cycle-up-torch" => OneCycle {
            pct_start: 1.0,
            ..torch
        },
        "one-cycle-cosine-optax" => OneCycle::optax_cosine(0.5, 390),
        "one-cycle-cosine-settings-optax" => OneCycle {
            pct_start: 0.123,
            div_factor: 7.0,
            final_div_factor: 50.0,
            ..OneCycle::optax_cosine(0.5, 333)
        },
        "one-cycle-linear-optax" => OneCycle::optax_linear(0.5, 390),
        "one-cycle-linear-settings-optax" => OneCycle {
            pct_start: 0.123,
            pct_final: 0.777,
            div_factor: 7.0,
            final_div_factor: 50.0,
            ..OneCycle::optax_linear(0.5, 333)
        },
        _ => panic!("no such schedule: {name}"),
    }
}

fn cyclic(name: &str) -> Cyclic {
    let torch = Cyclic::torch(0.001, 0.1);
    match name {
        "cyclic-torch" => Cyclic {
            up: 40,
            down: 40,
            ..torch
        },
        "cyclic-uneven-torch" => Cyclic {
            up: 30,
            down: 7,
            ..torch
        },
        "cyclic-halves-torch" => Cyclic {
            up: 20,
            down: 20,
            height: Height::Halves,
            ..torch
        },
        "cyclic-decays-torch" => Cyclic {
            up: 20,
            down: 30,
            height: Height::Decays(0.995),
            base_momentum: 0.6,
            max_momentum: 0.95,
            ..torch
        },
        _ => panic!("no such schedule: {name}"),
    }
}

/// The settings and the first learning rate.
fn plateau(name: &str) -> (Plateau, f64) {
    let (torch, optax) = (Plateau::torch(), Plateau::optax());
    let plateau = match name {
        "plateau-torch" => torch,
        "plateau-patience-torch" => Plateau {
            factor: 0.5,
            patience: 3,
            ..torch
        },
        "plateau-zero-patience-torch" => Plateau {
            factor: 0.9,
            patience: 0,
            min_lr: 1e-3,
            ..torch
        },
        "plateau-cooldown-torch" => Plateau {
            factor: 0.7,
            patience: 2,
            cooldown: 9,
            ..torch
        },
        "plateau-max-torch" => Plateau {
            goal: Goal::Max,
            factor: 0.8,
            patience: 4,
            rtol: 0.02,
            ..torch
        },
        "plateau-abs-torch" => Plateau {
            rtol: 0.0,
            atol: 0.05,
            factor: 0.6,
            patience: 5,
            min_lr: 0.01,
            ..torch
        },
        "plateau-max-abs-torch" => Plateau {
            goal: Goal::Max,
            rtol: 0.0,
            atol: 0.01,
            factor: 0.3,
            patience: 1,
            cooldown: 2,
            eps: 1e-4,
            ..torch
        },
        "plateau-eps-torch" => Plateau {
            factor: 0.5,
            patience: 2,
            eps: 0.02,
            ..torch
        },
        "plateau-optax" => optax,
        "plateau-settings-optax" => Plateau {
            factor: 0.5,
            patience: 3,
            rtol: 0.01,
            atol: 0.02,
            cooldown: 5,
            min_lr: 0.02,
            ..optax
        },
        "plateau-accumulation-optax" => Plateau {
            factor: 0.8,
            patience: 2,
            average_over: 4,
            ..optax
        },
        "plateau-one-optax" => Plateau {
            factor: 0.9,
            patience: 1,
            rtol: 0.0,
            atol: 0.001,
            min_lr: 1e-3,
            ..optax
        },
        _ => panic!("no such schedule: {name}"),
    };
    let lr = if plateau.fires == Fires::At { 1.0 } else { 0.5 };
    (plateau, lr)
}

#[test]
fn every_schedule_agrees_with_its_source_to_1e_12() {
    let (mut table, mut worst) = (String::new(), 0.0_f64);
    for (name, golden) in golden() {
        assert_eq!(golden.values.len(), 400, "{name}");
        let mut largest = (0.0_f64, 0);
        for (t, (ours, &theirs)) in ours(name, &golden)
            .into_iter()
            .zip(&golden.values)
            .enumerate()
        {
            let difference = match (ours - theirs).abs() {
                0.0 => 0.0,
                difference => difference / theirs.abs(),
            };
            if difference > largest.0 || difference.is_nan() {
                largest = (difference, t);
            }
        }
        let (difference, t) = largest;
        writeln!(
            table,
            "{name:36} {difference:9.1e} at {t:3}   {}",
            golden.source
        )
        .unwrap();
        worst = worst.max(if difference.is_nan() {
            f64::INFINITY
        } else {
            difference
        });
    }
    println!("schedule                       largest relative difference\n{table}");
    assert!(
        worst <= BOUND,
        "the largest relative difference is {worst:e}\n{table}"
    );
}
