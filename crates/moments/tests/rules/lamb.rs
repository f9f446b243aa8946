use crate::common::{assert_close, assert_refuses, gradients, trajectory_from};
use moments::{Adam, Lamb, Optimizer, Rule};

const START: [f64; 4] = [1.0, -0.5, 2.0, 0.25];

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn presets_are_those_of_optax_and_the_paper() {
    let optax = Lamb {
        lr: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-6,
        eps_root: 0.0,
        weight_decay: 0.0,
    };
    assert_eq!(Lamb::default(), optax);
    assert_eq!(Lamb::optax(), optax);
    let paper = Lamb {
        weight_decay: 0.01,
        ..optax
    };
    assert_eq!(Lamb::paper(), paper);
}

#[test]
fn every_step_is_lr_of_the_norm_of_the_parameters() {
    let grads = gradients(71, 50, 4);
    let rule = Lamb {
        lr: 0.01,
        weight_decay: 0.3,
        ..Lamb::default()
    };
    let mut before = START.to_vec();
    for after in trajectory_from(rule, &START, &grads) {
        let update: Vec<f64> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
        let ratio = norm(&update) / norm(&before);
        assert!((ratio - 0.01).abs() < 1e-14, "{ratio}");
        before = after;
    }
}

#[test]
fn it_goes_in_step_with_the_algorithm_of_the_paper() {
    let grads = gradients(72, 100, 4);
    let rule = Lamb {
        lr: 0.01,
        beta1: 0.8,
        beta2: 0.95,
        eps: 1e-3,
        eps_root: 1e-4,
        weight_decay: 0.2,
    };
    let (mut theta, mut m, mut v) = (START, [0.0_f64; 4], [0.0_f64; 4]);
    let mut expected = Vec::new();
    for (t, g) in (1..).zip(&grads) {
        let mut u = [0.0_f64; 4];
        for i in 0..4 {
            m[i] = 0.8 * m[i] + 0.2 * g[i];
            v[i] = 0.95 * v[i] + 0.05 * g[i] * g[i];
            let m_hat = m[i] / (1.0 - 0.8_f64.powi(t));
            let v_hat = v[i] / (1.0 - 0.95_f64.powi(t));
            u[i] = m_hat / ((v_hat + 1e-4).sqrt() + 1e-3) + 0.2 * theta[i];
        }
        let ratio = norm(&theta) / norm(&u);
        for i in 0..4 {
            theta[i] -= 0.01 * ratio * u[i];
        }
        expected.push(theta.to_vec());
    }
    assert_close(&trajectory_from(rule, &START, &grads), &expected, 1e-11);
}

#[test]
fn from_zero_the_ratio_is_one_and_the_step_adams() {
    let grads = gradients(73, 1, 4);
    let rule = Lamb::default();
    let adam = Adam {
        eps: 1e-6,
        ..Adam::default()
    };
    assert_eq!(
        trajectory_from(rule, &[0.0; 4], &grads),
        trajectory_from(adam, &[0.0; 4], &grads)
    );
}

#[test]
fn an_update_of_zero_moves_nothing() {
    let zeros = vec![vec![0.0; 4]; 3];
    let path = trajectory_from(Lamb::default(), &START, &zeros);
    assert_eq!(path, vec![START.to_vec(); 3]);
}

#[test]
fn with_decay_alone_the_layer_shrinks_by_lr() {
    // u is λ θ, and the ratio takes λ out again.
    for weight_decay in [0.1, 3.0] {
        let rule = Lamb {
            lr: 0.25,
            weight_decay,
            ..Lamb::default()
        };
        let zeros = vec![vec![0.0; 4]; 3];
        let end = &trajectory_from(rule, &START, &zeros)[2];
        for (x, start) in end.iter().zip(START) {
            assert!((x - 0.421_875 * start).abs() < 1e-15);
        }
    }
}

#[test]
fn the_scales_of_the_gradient_and_of_the_parameters_do_not_matter() {
    let grads = gradients(74, 60, 4);
    let large: Vec<Vec<f64>> = grads
        .iter()
        .map(|g| g.iter().map(|g| 1024.0 * g).collect())
        .collect();
    let rule = Lamb {
        eps: 0.0,
        ..Lamb::default()
    };
    let path = trajectory_from(rule, &START, &grads);
    assert_eq!(path, trajectory_from(rule, &START, &large));
    let far = START.map(|x| 16.0 * x);
    let far_path = trajectory_from(rule, &far, &grads);
    let scaled: Vec<Vec<f64>> = path
        .iter()
        .map(|x| x.iter().map(|x| 16.0 * x).collect())
        .collect();
    assert_eq!(far_path, scaled);
}

#[test]
fn a_step_does_not_depend_on_what_the_memory_held_before() {
    // The same optimizer steps on, with its scratch memory full of the last update.
    let grads = gradients(75, 5, 4);
    let mut theta = START;
    let mut opt = Optimizer::new(Lamb::default());
    for g in &grads {
        opt.step(&mut theta, g).unwrap();
    }
    let mut restored = Optimizer::<_, f64>::new(Lamb::default());
    restored.restore(&opt.snapshot()).unwrap();
    let mut other = theta;
    opt.step(&mut theta, &grads[0]).unwrap();
    restored.step(&mut other, &grads[0]).unwrap();
    assert_eq!(theta, other);
}

#[test]
fn the_denominator_is_that_of_adam() {
    let lamb = Lamb {
        eps: 0.25,
        eps_root: 0.5,
        beta2: 0.75,
        ..Lamb::default()
    };
    let adam = Adam {
        eps: 0.25,
        eps_root: 0.5,
        beta2: 0.75,
        ..Adam::default()
    };
    for t in 1..5 {
        assert_eq!(
            lamb.denominator(t, &[0.5, 2.0]),
            adam.denominator(t, &[0.5, 2.0])
        );
        assert_eq!(lamb.corrections(t), adam.corrections(t));
    }
    assert_eq!(lamb.denominator(1, &[0.5]), None);
}

#[test]
fn with_a_falling_rate_it_comes_close_to_the_minimum_of_a_bowl_away_from_zero() {
    let target = [1.0, -2.0, 0.5, 3.0];
    let mut theta = START;
    let mut opt = Optimizer::new(Lamb::default());
    for t in 0..4000 {
        opt.rule.lr = 0.01 * (1.0 - f64::from(t) / 4000.0);
        let grad: Vec<f64> = theta.iter().zip(target).map(|(x, y)| x - y).collect();
        opt.step(&mut theta, &grad).unwrap();
    }
    for (x, y) in theta.iter().zip(target) {
        assert!((x - y).abs() < 1e-2, "{x} {y}");
    }
}

#[test]
fn it_refuses_nonsense() {
    let rule = Lamb::default();
    for lr in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(Lamb { lr, ..rule }, "lr");
    }
    for beta in [-0.1, 1.0, f64::NAN] {
        assert_refuses(
            Lamb {
                beta1: beta,
                ..rule
            },
            "beta1",
        );
        assert_refuses(
            Lamb {
                beta2: beta,
                ..rule
            },
            "beta2",
        );
    }
    assert_refuses(Lamb { eps: -1e-8, ..rule }, "eps");
    let eps_root = -1e-8;
    assert_refuses(Lamb { eps_root, ..rule }, "eps_root");
    let weight_decay = -0.1;
    let bad = Lamb {
        weight_decay,
        ..rule
    };
    assert_refuses(bad, "weight_decay");
    let message = bad.validate().unwrap_err().to_string();
    assert!(message.starts_with("Lamb: `weight_decay`"), "{message}");
}

#[test]
fn the_rate_can_be_set() {
    let mut rule = Lamb::default();
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "LAMB"));
    assert!(rule.is_non_negative("exp_avg_sq") && !rule.is_non_negative("exp_avg"));
}
