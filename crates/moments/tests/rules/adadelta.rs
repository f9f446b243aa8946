use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
};
use moments::{AdaDelta, Initial, Optimizer, Rule};

const START: [f64; 4] = [1.0, -0.5, 0.25, -2.0];

#[test]
fn presets_are_the_libraries_defaults() {
    let torch = AdaDelta {
        lr: 1.0,
        rho: 0.9,
        eps: 1e-6,
        weight_decay: 0.0,
    };
    assert_eq!(AdaDelta::default(), torch);
    assert_eq!(AdaDelta::torch(), torch);
    assert_eq!(AdaDelta::optax(), torch);
    assert_eq!(AdaDelta::paper(), AdaDelta { rho: 0.95, ..torch });
    let mut rule = torch;
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "AdaDelta"));
    let names = rule.state_names(&[1]);
    assert_eq!(names, ["square_avg", "acc_delta"]);
    for name in names {
        assert!(rule.is_non_negative(name));
        assert_eq!(rule.initial(name), Initial::Zero);
    }
    assert_eq!(rule.denominator(1, &[1.0, 1.0]), None);
}

#[test]
fn it_is_the_paper_s_ratio_of_root_mean_squares() {
    // Zeiler (2012), Algorithm 1, with the averages summed anew at each step.
    let grads = gradients(61, 60, 4);
    let (rho, eps) = (0.8_f64, 1e-3);
    let rule = AdaDelta {
        rho,
        eps,
        ..AdaDelta::default()
    };
    let rms = |values: &[f64]| -> f64 {
        let powers = values.iter().rev().zip(0..);
        let mean: f64 = powers
            .map(|(x, age)| (1.0 - rho) * rho.powi(age) * x * x)
            .sum();
        (mean + eps).sqrt()
    };
    let mut theta = START.to_vec();
    let mut updates = vec![Vec::new(); 4];
    let mut expected = Vec::new();
    for t in 0..grads.len() {
        for i in 0..4 {
            let so_far: Vec<f64> = grads[..=t].iter().map(|g| g[i]).collect();
            let update = -rms(&updates[i]) / rms(&so_far) * grads[t][i];
            updates[i].push(update);
            theta[i] += update;
        }
        expected.push(theta.clone());
    }
    assert_close(&trajectory_from(rule, &START, &grads), &expected, 1e-11);
}

#[test]
fn two_steps_by_hand() {
    // rho 3/4, eps 3: v = 4/4, d = 2 √3/√4; then v = 3/4 + 1/4, a = 3/4.
    let rule = AdaDelta {
        rho: 0.75,
        eps: 3.0,
        ..AdaDelta::default()
    };
    let mut theta = [0.0_f64];
    let mut opt = Optimizer::new(rule);
    opt.step(&mut theta, &[2.0]).unwrap();
    assert!((theta[0] + 3f64.sqrt()).abs() < 1e-15);
    assert_eq!(opt.state("square_avg"), Some(&[1.0][..]));
    assert!((opt.state("acc_delta").unwrap()[0] - 0.75).abs() < 1e-15);
    opt.step(&mut theta, &[1.0]).unwrap();
    let second = 3.75_f64.sqrt() / 2.0;
    assert!((theta[0] + 3f64.sqrt() + second).abs() < 1e-15);
    let acc_delta = 0.75 * 0.75 + 0.25 * 3.75 / 4.0;
    assert!((opt.state("acc_delta").unwrap()[0] - acc_delta).abs() < 1e-15);
}

#[test]
fn the_rate_scales_the_path_and_nothing_else() {
    let grads = gradients(62, 60, 4);
    let half = AdaDelta {
        lr: 0.5,
        ..AdaDelta::default()
    };
    let doubled: Vec<Vec<f64>> = (trajectory(half, &grads).iter())
        .map(|theta| theta.iter().map(|x| 2.0 * x).collect())
        .collect();
    assert_eq!(doubled, trajectory(AdaDelta::default(), &grads));
}

#[test]
fn gradients_and_the_root_of_eps_scale_the_steps_together() {
    let grads = gradients(63, 60, 4);
    let scaled: Vec<Vec<f64>> = grads
        .iter()
        .map(|g| g.iter().map(|g| 4.0 * g).collect())
        .collect();
    let rule = AdaDelta::default();
    let larger = AdaDelta {
        eps: 16.0 * rule.eps,
        ..rule
    };
    // Four times the gradients and sixteen times eps: four times every step.
    let expected: Vec<Vec<f64>> = (trajectory(rule, &grads).iter())
        .map(|theta| theta.iter().map(|x| 4.0 * x).collect())
        .collect();
    assert_eq!(trajectory(larger, &scaled), expected);
}

#[test]
fn gradients_far_above_eps_start_with_the_same_step_whatever_their_scale() {
    let first = |g: f64| trajectory(AdaDelta::default(), &[vec![g]])[0][0];
    let expected = -(1e-6_f64 / 0.1).sqrt();
    for g in [1e4, 1e8, 1e100] {
        assert!((first(g) / expected - 1.0).abs() < 1e-12, "{g}");
        assert!((first(-g) / expected + 1.0).abs() < 1e-12, "{g}");
    }
}

#[test]
fn a_gradient_of_zero_moves_nothing() {
    let mut theta = [1.0];
    let mut opt = Optimizer::new(AdaDelta {
        rho: 0.5,
        ..AdaDelta::default()
    });
    opt.step(&mut theta, &[4.0]).unwrap();
    let (moved, v) = (theta, opt.state("square_avg").unwrap()[0]);
    let a = opt.state("acc_delta").unwrap()[0];
    opt.step(&mut theta, &[0.0]).unwrap();
    assert_eq!(theta, moved);
    assert_eq!(opt.state("square_avg"), Some(&[v / 2.0][..]));
    assert_eq!(opt.state("acc_delta"), Some(&[a / 2.0][..]));
}

#[test]
fn weight_decay_is_a_part_of_the_gradient() {
    let rule = AdaDelta {
        weight_decay: 0.5,
        rho: 0.75,
        eps: 3.0,
        ..AdaDelta::default()
    };
    let mut theta = [2.0_f64];
    let mut opt = Optimizer::new(rule);
    opt.step(&mut theta, &[1.0]).unwrap(); // g = 2
    assert!((theta[0] - (2.0 - 3f64.sqrt())).abs() < 1e-15);
    assert_eq!(opt.state("square_avg"), Some(&[1.0][..]));
}

#[test]
fn it_comes_down_a_bowl_without_a_rate() {
    let bowl = on_a_bowl(AdaDelta::default(), &[0.25, 0.5, 1.0], 20_000);
    assert!(bowl.iter().all(|x| x.abs() < 0.01), "{bowl:?}");
    // The start is slow, since the first steps are of the size of √eps: after ten it has hardly moved.
    let bowl = on_a_bowl(AdaDelta::default(), &[0.5, 1.0, 4.0], 10);
    assert!(bowl.iter().all(|x| (0.9..1.0).contains(x)), "{bowl:?}");
}

#[test]
fn it_refuses_nonsense() {
    let rule = AdaDelta::default();
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        let (lr, eps, weight_decay) = (bad, bad, bad);
        assert_refuses(AdaDelta { lr, ..rule }, "lr");
        assert_refuses(AdaDelta { eps, ..rule }, "eps");
        let decaying = AdaDelta {
            weight_decay,
            ..rule
        };
        assert_refuses(decaying, "weight_decay");
    }
    for rho in [-0.1, 1.0, f64::NAN] {
        assert_refuses(AdaDelta { rho, ..rule }, "rho");
    }
    let bad = AdaDelta { eps: 0.0, ..rule };
    assert_refuses(bad, "eps");
    let message = bad.validate().unwrap_err().to_string();
    let expected = "AdaDelta: `eps` is 0, but must be finite and above 0";
    assert_eq!(message, expected);
}

#[test]
fn the_edges_of_the_settings_are_allowed() {
    let rule = AdaDelta {
        lr: 0.0,
        rho: 0.0,
        eps: f64::MIN_POSITIVE,
        ..AdaDelta::default()
    };
    assert_eq!(trajectory(rule, &[vec![1.0]]), [[0.0]]);
}
