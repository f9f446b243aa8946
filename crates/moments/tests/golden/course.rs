//! The rules of the exercises against the recorded runs that the exercises are checked with.

use std::fmt::Write as _;

use moments::{AdaGrad, Adam, AdamW, AmsGrad, Momentum, Optimizer, RmsProp, Rule, Sgd, SgdDecay};
use moments_checks::golden::{self, Golden};

/// The largest relative difference that is allowed, measured against how far the entry has come from its start.
const BOUND: f64 = 1e-12;

/// The largest relative difference, over all entries, steps and recorded quantities, between a rule and a recorded run.
fn difference<R: Rule>(rule: R, golden: &Golden) -> f64 {
    let mut theta = golden.start.clone();
    let mut opt = Optimizer::new(rule);
    let mut worst = 0.0_f64;
    for step in &golden.steps {
        opt.step(&mut theta, &step.grad).unwrap();
        let (bc1, bc2) = rule.corrections(opt.t());
        let scaled = |name: &str, by: f64| -> Vec<f64> {
            let tensor = opt.state(name).expect("the rule keeps this state");
            tensor.iter().map(|x| x / by).collect()
        };
        for (label, expected) in &step.values {
            let (got, origin) = match label.as_str() {
                "theta" => (theta.clone(), golden.start.clone()),
                "m" => (scaled("exp_avg", 1.0), vec![0.0; theta.len()]),
                "v" => (scaled("exp_avg_sq", 1.0), vec![0.0; theta.len()]),
                "m_hat" => (scaled("exp_avg", bc1), vec![0.0; theta.len()]),
                "v_hat" => (scaled("exp_avg_sq", bc2), vec![0.0; theta.len()]),
                other => panic!("{}: nothing is known of `{other}`", golden.name),
            };
            for ((got, expected), origin) in got.iter().zip(expected).zip(origin) {
                // An entry that has not moved must not have moved at all.
                let moved = (expected - origin).abs();
                let gap = (got - expected).abs();
                // Where the sum has cancelled, what counts is the size of the numbers that it was made of.
                let size = moved.max(origin.abs());
                worst = worst.max(if gap == 0.0 { 0.0 } else { gap / size });
            }
        }
    }
    worst
}

fn adam(golden: &Golden) -> Adam {
    Adam {
        lr: golden.setting("lr"),
        beta1: golden.setting("beta1"),
        beta2: golden.setting("beta2"),
        eps: golden.setting("eps"),
        eps_root: golden.setting("eps_root"),
        weight_decay: golden.setting("weight_decay"),
        ..Adam::default()
    }
}

fn amsgrad(golden: &Golden, form: AmsGrad) -> AmsGrad {
    AmsGrad {
        lr: golden.setting("lr"),
        beta1: golden.setting("beta1"),
        beta2: golden.setting("beta2"),
        eps: golden.setting("eps"),
        ..form
    }
}

fn adamw(golden: &Golden) -> AdamW {
    AdamW {
        lr: golden.setting("lr"),
        beta1: golden.setting("beta1"),
        beta2: golden.setting("beta2"),
        eps: golden.setting("eps"),
        weight_decay: golden.setting("weight_decay"),
        ..AdamW::default()
    }
}

fn adagrad(golden: &Golden) -> AdaGrad {
    AdaGrad {
        lr: golden.setting("lr"),
        eps: golden.setting("eps"),
        initial_accumulator: golden.setting("initial"),
        ..AdaGrad::torch()
    }
}

fn rmsprop(golden: &Golden) -> RmsProp {
    RmsProp {
        lr: golden.setting("lr"),
        alpha: golden.setting("beta"),
        eps: golden.setting("eps"),
        centered: golden.setting("centered") != 0.0,
        ..RmsProp::torch()
    }
}

fn sgd(golden: &Golden) -> Sgd {
    Sgd {
        lr: golden.setting("lr"),
        momentum: golden.setting("momentum"),
        nesterov: golden.setting("nesterov") != 0.0,
        weight_decay: golden.setting("weight_decay"),
        ..Sgd::default()
    }
}

#[test]
fn every_recorded_run_is_followed_to_a_relative_1e_12() {
    let mut failed = Vec::new();
    // Printed at once, because other tests print too.
    let mut table = format!(
        "{:<26} {:>6} {:>8} {:>12}  recorded from\n",
        "run", "steps", "entries", "difference"
    );
    for name in golden::names() {
        let golden = golden::get(name);
        let worst = match name.split('-').next() {
            Some("adam") => difference(adam(&golden), &golden),
            Some("amsgrad") if name.contains("torch") => {
                difference(amsgrad(&golden, AmsGrad::torch()), &golden)
            }
            Some("amsgrad") => difference(amsgrad(&golden, AmsGrad::optax()), &golden),
            Some("adamw") => difference(adamw(&golden), &golden),
            Some("adagrad") => difference(adagrad(&golden), &golden),
            Some("rmsprop") => difference(rmsprop(&golden), &golden),
            Some("sgd") if name.contains("average") => {
                let convention = Momentum::Ema;
                difference(
                    Sgd {
                        convention,
                        ..sgd(&golden)
                    },
                    &golden,
                )
            }
            Some("sgd") => difference(sgd(&golden), &golden),
            Some("sgdw") => {
                let decay = SgdDecay::Decoupled;
                difference(
                    Sgd {
                        decay,
                        ..sgd(&golden)
                    },
                    &golden,
                )
            }
            // Runs of what is no rule.
            Some("schedule" | "clip") => continue,
            _ => panic!("no rule is named for the recorded run `{name}`"),
        };
        let _ = writeln!(
            table,
            "{name:<26} {:>6} {:>8} {worst:>12.1e}  {}",
            golden.steps.len(),
            golden.start.len(),
            golden.what
        );
        if worst.is_nan() || worst > BOUND {
            failed.push(name);
        }
    }
    println!("{table}");
    assert!(failed.is_empty(), "further than {BOUND:e} from: {failed:?}");
}

#[test]
fn the_recorded_runs_tell_the_forms_of_amsgrad_apart() {
    let (torch, optax) = (golden::get("amsgrad-torch"), golden::get("amsgrad-optax"));
    assert!(difference(amsgrad(&torch, AmsGrad::optax()), &torch) > 1e-6);
    assert!(difference(amsgrad(&optax, AmsGrad::torch()), &optax) > 1e-6);
}

#[test]
fn the_worked_trace_agrees_with_pytorch() {
    let golden = golden::adam_square();
    let mut x = golden.start.clone();
    let mut opt = Optimizer::new(Adam::torch());
    for step in &golden.steps {
        let grad = vec![2.0 * x[0]];
        opt.step(&mut x, &grad).unwrap();
        let (bc1, bc2) = opt.rule.corrections(opt.t());
        let m_hat = opt.state("exp_avg").unwrap()[0] / bc1;
        let v_hat = opt.state("exp_avg_sq").unwrap()[0] / bc2;
        for (got, label) in [(x[0], "theta"), (m_hat, "m_hat"), (v_hat, "v_hat")] {
            let expected = step.get(label)[0];
            assert!(
                (got - expected).abs() <= 1e-12 * expected.abs(),
                "{label}: {got}"
            );
        }
    }
}
