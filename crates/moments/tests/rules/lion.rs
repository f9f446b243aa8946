use crate::common::{assert_close, assert_refuses, gradients, trajectory, trajectory_from};
use moments::{Lion, LionMode, Momentum, Optimizer, Rule, Sgd};

#[test]
fn presets_are_those_of_the_authors_and_of_optax() {
    let paper = Lion {
        lr: 1e-4,
        beta1: 0.9,
        beta2: 0.99,
        weight_decay: 0.0,
        mode: LionMode::Hard,
        smooth_beta: 1.0,
    };
    assert_eq!(Lion::paper(), paper);
    assert_eq!(Lion::default(), paper);
    let optax = Lion {
        weight_decay: 1e-3,
        ..paper
    };
    assert_eq!(Lion::optax(), optax);
}

#[test]
fn a_gradient_that_is_always_zero_leaves_the_decay_alone() {
    let zeros = vec![vec![0.0, -0.0]; 10];
    for mode in [LionMode::Hard, LionMode::Smooth, LionMode::Refined] {
        let still = Lion {
            mode,
            ..Lion::default()
        };
        assert_eq!(trajectory_from(still, &[1.0, -2.0], &zeros)[9], [1.0, -2.0]);
        let decaying = Lion {
            lr: 0.5,
            weight_decay: 1.0,
            ..still
        };
        let halved = 0.5_f64.powi(10);
        assert_eq!(
            trajectory_from(decaying, &[1.0, -2.0], &zeros)[9],
            [halved, -2.0 * halved]
        );
    }
}

#[test]
fn every_step_is_lr_long_at_every_coordinate() {
    let grads = gradients(21, 50, 6);
    let rule = Lion {
        lr: 0.25,
        ..Lion::default()
    };
    let path = trajectory(rule, &grads);
    for pair in path.windows(2) {
        for (a, b) in pair[0].iter().zip(&pair[1]) {
            assert_eq!((a - b).abs(), 0.25);
        }
    }
}

#[test]
fn the_first_step_is_against_the_sign_of_the_gradient() {
    let rule = Lion {
        lr: 0.5,
        ..Lion::default()
    };
    let first = &trajectory(rule, &[vec![1e-300, -1e300, 0.0, 3.0]])[0];
    assert_eq!(first, &[-0.5, 0.5, 0.0, -0.5]);
}

#[test]
fn the_scale_of_the_gradient_does_not_matter() {
    let grads = gradients(22, 100, 5);
    let large: Vec<Vec<f64>> = grads
        .iter()
        .map(|g| g.iter().map(|g| 65536.0 * g).collect())
        .collect();
    let rule = Lion {
        weight_decay: 0.1,
        ..Lion::default()
    };
    assert_eq!(trajectory(rule, &grads), trajectory(rule, &large));
}

#[test]
fn it_goes_in_step_with_the_algorithm_of_the_paper() {
    let grads = gradients(23, 200, 4);
    let rule = Lion {
        lr: 0.01,
        beta1: 0.7,
        beta2: 0.95,
        weight_decay: 0.2,
        ..Lion::default()
    };
    let mut theta = vec![0.5, -0.5, 2.0, 0.0];
    let mut m = [0.0_f64; 4];
    let mut expected = Vec::new();
    for g in &grads {
        for i in 0..4 {
            let c = 0.7 * m[i] + 0.3 * g[i];
            let sign = if c == 0.0 { 0.0 } else { c.signum() };
            theta[i] -= 0.01 * (sign + 0.2 * theta[i]);
            m[i] = 0.95 * m[i] + 0.05 * g[i];
        }
        expected.push(theta.clone());
    }
    let found = trajectory_from(rule, &[0.5, -0.5, 2.0, 0.0], &grads);
    assert_close(&found, &expected, 1e-11);
}

#[test]
fn where_c_is_small_the_refined_sign_is_sgd_with_an_average() {
    // |g| < 1 and so |c| < 1; with one β, c is the EMA itself.
    let grads = gradients(24, 60, 3);
    let lion = Lion {
        lr: 0.1,
        beta1: 0.75,
        beta2: 0.75,
        mode: LionMode::Refined,
        ..Lion::default()
    };
    let sgd = Sgd {
        lr: 0.1,
        momentum: 0.75,
        convention: Momentum::Ema,
        ..Sgd::default()
    };
    assert_close(&trajectory(lion, &grads), &trajectory(sgd, &grads), 1e-11);
}

#[test]
fn the_refined_sign_saturates_at_one() {
    let rule = Lion {
        lr: 1.0,
        beta1: 0.0,
        mode: LionMode::Refined,
        ..Lion::default()
    };
    let grads = [0.5, -0.5, 0.999, 1.0, -1.0, 1.001, -30.0];
    let first = &trajectory(rule, &[grads.to_vec()])[0];
    assert_eq!(first, &[-0.5, 0.5, -0.999, -1.0, 1.0, -1.0, 1.0]);
}

#[test]
fn the_smooth_sign_is_the_hyperbolic_tangent() {
    let rule = |smooth_beta| Lion {
        lr: 1.0,
        beta1: 0.5,
        mode: LionMode::Smooth,
        smooth_beta,
        ..Lion::default()
    };
    let first = |beta, g| -trajectory(rule(beta), &[vec![g]])[0][0];
    // tanh(ln 3) = 0.8; c is half of the gradient.
    assert!((first(1.0, 2.0 * 3.0_f64.ln()) - 0.8).abs() < 1e-15);
    assert!((first(4.0, 0.5 * 3.0_f64.ln()) - 0.8).abs() < 1e-15);
    assert!((first(1.0, -2.0 * 3.0_f64.ln()) + 0.8).abs() < 1e-15);
    assert_eq!(first(0.0, 5.0), 0.0);
    assert_eq!(first(1.0, 1e9), 1.0);
}

#[test]
fn m_is_an_average_with_the_second_rate() {
    let rule = Lion {
        beta1: 0.25,
        beta2: 0.5,
        ..Lion::default()
    };
    let mut opt = Optimizer::new(rule);
    let mut theta = [0.0];
    for expected in [4.0, 6.0, 7.0] {
        opt.step(&mut theta, &[8.0]).unwrap();
        assert_eq!(opt.state("exp_avg"), Some(&[expected][..]));
    }
    assert_eq!(rule.corrections(3), (1.0, 1.0));
    assert_eq!(rule.denominator(3, &[7.0]), None);
}

#[test]
fn it_circles_the_minimum_at_the_distance_of_a_step() {
    let rule = Lion {
        lr: 0.01,
        ..Lion::default()
    };
    let mut opt = Optimizer::new(rule);
    let mut theta = [1.0_f64, -3.0];
    let mut furthest = 0.0_f64;
    for t in 0..2000 {
        let grad = [theta[0], 5.0 * theta[1]];
        opt.step(&mut theta, &grad).unwrap();
        if t > 1000 {
            furthest = furthest.max(theta[0].abs()).max(theta[1].abs());
        }
    }
    // It does not settle without a falling rate, but stays within a few steps.
    assert!(furthest > 0.005 && furthest < 0.2, "{furthest}");
}

#[test]
fn it_refuses_nonsense() {
    let rule = Lion::default();
    for lr in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(Lion { lr, ..rule }, "lr");
    }
    for beta in [-0.1, 1.0, f64::NAN] {
        assert_refuses(
            Lion {
                beta1: beta,
                ..rule
            },
            "beta1",
        );
        assert_refuses(
            Lion {
                beta2: beta,
                ..rule
            },
            "beta2",
        );
    }
    let weight_decay = -0.1;
    assert_refuses(
        Lion {
            weight_decay,
            ..rule
        },
        "weight_decay",
    );
    for smooth_beta in [-1.0, f64::INFINITY] {
        assert_refuses(
            Lion {
                smooth_beta,
                ..rule
            },
            "smooth_beta",
        );
    }
    let message = Lion { lr: -1.0, ..rule }
        .validate()
        .unwrap_err()
        .to_string();
    assert!(message.starts_with("Lion: `lr` is -1"), "{message}");
}

#[test]
fn the_rate_can_be_set() {
    let mut rule = Lion::default();
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "Lion"));
    assert!(!rule.is_non_negative("exp_avg"));
}
