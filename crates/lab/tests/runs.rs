//! What holds for every recorded run.

use moments::{Adam, AmsGrad, BiasCorrection, Momentum, Sgd};
use moments_lab::prelude::*;
use moments_lab::{Error, Trace};

fn traces() -> Vec<Trace> {
    let bowl = Quadratic::new(&[1.0, 50.0]).rotated(0.3);
    let heavy = Sgd {
        lr: 0.001,
        momentum: 0.9,
        convention: Momentum::HeavyBall,
        ..Sgd::default()
    };
    vec![
        run(&Square, &[3.0], Adam::default(), 50).unwrap(),
        run(&bowl, &[1.0, -2.0], Adam::default(), 50).unwrap(),
        run(&bowl, &[1.0, -2.0], AmsGrad::default(), 50).unwrap(),
        run(&Rosenbrock::default(), &[-1.0, 1.0], heavy, 50).unwrap(),
        run(
            &Delivery::generate(20, 1),
            &[0.0; 3],
            Sgd {
                lr: 1e-3,
                ..Sgd::default()
            },
            50,
        )
        .unwrap(),
    ]
}

#[test]
fn the_third_step_of_adam_on_the_square_is_the_one_that_pytorch_takes() {
    let trace = run(&Square, &[3.0], Adam::default(), 3).unwrap();
    assert!((trace[0].theta[0] - 2.999_000_000_001_67).abs() < 1e-12);
    assert!((trace[1].theta[0] - 2.998_000_008_707_23).abs() < 1e-12);
    assert!((trace[2].theta[0] - 2.997_000_031_901_48).abs() < 1e-12);
    assert!((trace[2].v_hat[0] - 35.975_990_73).abs() < 1e-8);
    assert!((trace[1].m[0] - 1.1398).abs() < 1e-12);
}

#[test]
fn each_step_is_counted_and_begins_where_the_one_before_ended() {
    for trace in traces() {
        let mut before = trace.start.clone();
        for (k, s) in trace.iter().enumerate() {
            assert_eq!(s.t, k as u64 + 1);
            let update: Vec<f64> = s.theta.iter().zip(&before).map(|(a, b)| a - b).collect();
            assert_eq!(s.update, update, "{} t = {}", trace.name, s.t);
            before.clone_from(&s.theta);
        }
    }
}

#[test]
fn loss_and_gradient_are_those_at_the_point_before_the_step() {
    let bowl = Quadratic::new(&[1.0, 50.0]);
    let trace = run(&bowl, &[1.0, -2.0], Adam::default(), 20).unwrap();
    let mut before = trace.start.clone();
    for s in &trace {
        assert_eq!(s.loss, bowl.loss(&before));
        assert_eq!(s.grad, bowl.grad(&before));
        before.clone_from(&s.theta);
    }
}

#[test]
fn corrected_moments_are_the_moments_divided_by_one_minus_a_power_of_beta() {
    let trace = run(&Square, &[3.0], Adam::default(), 40).unwrap();
    for s in &trace {
        let power = |beta: f64| 1.0 - beta.powi(i32::try_from(s.t).unwrap());
        assert!((s.m_hat[0] - s.m[0] / power(0.9)).abs() <= 1e-14 * s.m_hat[0].abs());
        assert!((s.v_hat[0] - s.v[0] / power(0.999)).abs() <= 1e-12 * s.v_hat[0]);
    }
    let rule = Adam {
        bias_correction: BiasCorrection::Neither,
        ..Adam::default()
    };
    let plain = run(&Square, &[3.0], rule, 5).unwrap();
    for s in &plain {
        assert_eq!((&s.m_hat, &s.v_hat), (&s.m, &s.v));
    }
}

#[test]
fn norms_are_euclidean() {
    for trace in traces() {
        for s in &trace {
            for (norm, of) in [
                (s.grad_norm, &s.grad),
                (s.update_norm, &s.update),
                (s.theta_norm, &s.theta),
            ] {
                let squares: f64 = of.iter().map(|x| x * x).sum();
                assert!((norm * norm - squares).abs() <= 1e-12 * squares);
            }
        }
    }
}

#[test]
fn a_rule_without_a_moment_has_none_in_the_trace() {
    let sgd = run(
        &Square,
        &[3.0],
        Sgd {
            lr: 0.1,
            ..Sgd::default()
        },
        1,
    )
    .unwrap();
    assert!(sgd[0].m.is_empty() && sgd[0].v.is_empty() && sgd[0].v_max.is_empty());
    let heavy = Sgd {
        lr: 0.1,
        momentum: 0.9,
        ..Sgd::default()
    };
    assert_eq!(run(&Square, &[3.0], heavy, 1).unwrap()[0].m, [6.0]);
    let ams = run(&Square, &[3.0], AmsGrad::default(), 1).unwrap();
    assert_eq!(ams[0].v_max.len(), 1);
}

#[test]
fn a_start_of_the_wrong_length_names_both_lengths() {
    let error = run(&Square, &[1.0, 2.0], Adam::default(), 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x^2 needs a start of length 1, but the start has length 2: give one number per parameter"
    );
}

#[test]
fn a_nonsense_hyperparameter_is_refused_in_the_first_step() {
    let error = run(
        &Square,
        &[1.0],
        Adam {
            beta1: 1.5,
            ..Adam::default()
        },
        3,
    )
    .unwrap_err();
    assert!(matches!(error, Error::Step { t: 1, .. }));
    assert!(error.to_string().contains("beta1"), "{error}");
}

#[test]
fn a_divergence_is_an_error_unless_the_run_may_stop_there() {
    let wild = Sgd {
        lr: 10.0,
        ..Sgd::default()
    };
    assert!(run(&Square, &[1.0], wild, 1000).is_err());
    let trace = Run::new(&[1.0], wild)
        .stop_when_not_finite()
        .on(&Square, 1000)
        .unwrap();
    assert!(trace.len() > 100 && trace.len() < 1000);
    assert!(trace.iter().all(|s| s.theta[0].is_finite()));
    assert!(trace.stopped.is_some());
    assert!(trace.table().to_string().contains("stopped"));
}

#[test]
fn a_bad_hyperparameter_is_an_error_even_if_the_run_may_stop() {
    let bad = Sgd {
        lr: -1.0,
        ..Sgd::default()
    };
    assert!(
        Run::new(&[1.0], bad)
            .stop_when_not_finite()
            .on(&Square, 1)
            .is_err()
    );
}

#[test]
fn a_projection_holds_after_every_step_and_the_update_is_what_moved() {
    let rule = Sgd {
        lr: 1.0,
        ..Sgd::default()
    };
    let trace = Run::new(&[0.0], rule)
        .clamp(-1.0, 1.0)
        .with(5, |_, _| (0.0, vec![-0.4]))
        .unwrap();
    let theta: Vec<f64> = trace.iter().map(|s| s.theta[0]).collect();
    assert_eq!(theta, [0.4, 0.8, 1.0, 1.0, 1.0]);
    assert_eq!(trace[3].update, [0.0]);
}

#[test]
fn a_schedule_sets_the_rule_before_each_step() {
    let trace = Run::new(
        &[0.0],
        Sgd {
            lr: 1.0,
            ..Sgd::default()
        },
    )
    .schedule(|t, rule| rule.lr = 1.0 / t as f64)
    .with(4, |_, _| (0.0, vec![1.0]))
    .unwrap();
    for s in &trace {
        assert!((s.update[0] + 1.0 / s.t as f64).abs() < 1e-15);
    }
}

#[test]
fn a_sparse_recording_is_a_part_of_the_full_one() {
    let full = run(&Square, &[3.0], Adam::default(), 25).unwrap();
    let sparse = Run::new(&[3.0], Adam::default())
        .every(10)
        .on(&Square, 25)
        .unwrap();
    let times: Vec<u64> = sparse.iter().map(|s| s.t).collect();
    assert_eq!(times, [10, 20, 25]);
    for s in &sparse {
        assert_eq!(*s, full[s.t as usize - 1]);
    }
}

#[test]
fn csv_gives_the_trace_back_exactly() {
    for trace in traces() {
        let csv = trace.csv();
        let mut lines = csv.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let column = |name: &str| names.iter().position(|n| *n == name);
        for (line, s) in lines.zip(&trace) {
            let row: Vec<f64> = line.split(',').map(|x| x.parse().unwrap()).collect();
            assert_eq!(row.len(), names.len());
            assert_eq!(row[column("loss").unwrap()], s.loss);
            for i in 0..trace.start.len() {
                assert_eq!(row[column(&format!("theta_{i}")).unwrap()], s.theta[i]);
            }
            assert_eq!(column("v_0").is_some(), !s.v.is_empty());
        }
        assert_eq!(csv.lines().count(), trace.len() + 1);
    }
}

#[test]
fn one_parameter_shows_its_moments_and_several_show_norms() {
    let head = |trace: &Trace| {
        trace
            .table()
            .to_string()
            .lines()
            .nth(1)
            .unwrap()
            .to_string()
    };
    let names = |trace: &Trace| -> Vec<String> {
        head(trace).split_whitespace().map(String::from).collect()
    };
    let all = traces();
    assert_eq!(
        names(&all[0]),
        ["t", "theta", "grad", "m", "v", "m_hat", "v_hat", "update"]
    );
    assert_eq!(
        names(&all[1]),
        ["t", "loss", "|theta|", "|grad|", "|update|"]
    );
}

#[test]
fn a_run_with_mini_batches_approaches_the_fit() {
    let data = Delivery::generate(200, 3).standardized();
    let mut batches = data.batches(20, 4);
    let trace = run_with(
        &[0.0; 3],
        Adam {
            lr: 0.3,
            ..Adam::default()
        },
        1500,
        |_, theta| {
            let rows = batches.next().expect("batches have no end");
            (data.batch_loss(theta, &rows), data.batch_grad(theta, &rows))
        },
    )
    .unwrap();
    let least = data.loss(&data.minimum().unwrap());
    assert!(data.loss(&trace.start) > 50.0 * least);
    assert!(data.loss(&trace.last().theta) < 1.2 * least);
}

#[test]
fn amsgrad_with_the_paper_form_finds_what_adam_misses_in_the_counterexample() {
    // Reddi et al. (2018): slopes 1010, −10, −10, ...; the best point of [−1, 1] is −1.
    let slope = |t: u64| if t % 101 == 1 { 1010.0 } else { -10.0 };
    let game = |t: u64, x: &[f64]| (slope(t) * x[0], vec![slope(t)]);
    let adam = Adam {
        beta1: 0.9,
        beta2: 0.99,
        ..Adam::default()
    };
    let ams = AmsGrad {
        beta1: 0.9,
        beta2: 0.99,
        ..AmsGrad::paper()
    };
    let steps = 60_000;
    let end = |trace: Trace| trace.last().theta[0];
    let schedule = |t: u64| 0.5 / (t as f64).sqrt();
    let adam = Run::new(&[0.0], adam)
        .clamp(-1.0, 1.0)
        .every(steps)
        .schedule(move |t, r| r.lr = schedule(t));
    let ams = Run::new(&[0.0], ams)
        .clamp(-1.0, 1.0)
        .every(steps)
        .schedule(move |t, r| r.lr = schedule(t));
    assert!(end(adam.with(steps, game).unwrap()) > 0.8);
    assert!(end(ams.with(steps, game).unwrap()) < -0.2);
}
