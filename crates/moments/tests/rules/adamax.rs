use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
    trajectory_with_penalty,
};
use moments::{Adamax, Denominator, Optimizer, Rule};

const START: [f64; 4] = [1.0, -0.5, 2.0, 0.25];

#[test]
fn presets_are_the_libraries_defaults_and_the_paper_has_no_epsilon() {
    let torch = Adamax {
        lr: 2e-3,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.0,
        decoupled_weight_decay: false,
    };
    assert_eq!(Adamax::default(), torch);
    assert_eq!(Adamax::torch(), torch);
    assert_eq!(Adamax::optax(), torch);
    assert_eq!(Adamax::paper(), Adamax { eps: 0.0, ..torch });
}

#[test]
fn the_first_step_is_lr_against_the_sign() {
    let first = &trajectory(Adamax::paper(), &[vec![3e-50, -2.0, 7e50]])[0];
    for (x, expected) in first.iter().zip([-2e-3, 2e-3, -2e-3]) {
        assert!((x - expected).abs() < 1e-17, "{x}");
    }
}

#[test]
fn the_scale_of_the_gradient_does_not_matter_without_epsilon() {
    let grads = gradients(31, 100, 4);
    let large: Vec<Vec<f64>> = grads
        .iter()
        .map(|g| g.iter().map(|g| 1024.0 * g).collect())
        .collect();
    assert_eq!(
        trajectory(Adamax::paper(), &grads),
        trajectory(Adamax::paper(), &large)
    );
}

#[test]
fn u_is_the_largest_of_all_the_faded_gradients() {
    let grads = gradients(32, 60, 1);
    let rule = Adamax {
        beta2: 0.8,
        eps: 0.125,
        ..Adamax::default()
    };
    let mut opt = Optimizer::new(rule);
    let mut theta = [0.0];
    for t in 0..grads.len() {
        opt.step(&mut theta, &grads[t]).unwrap();
        let faded = (0..=t).map(|s| 0.8_f64.powi((t - s) as i32) * (grads[s][0].abs() + 0.125));
        let largest = faded.fold(0.0, f64::max);
        let u = opt.state("exp_inf").unwrap()[0];
        assert!((u - largest).abs() < 1e-14, "{t}: {u} {largest}");
        let root = u - 0.125;
        let found = rule.denominator(1, &[7.0, u]);
        assert_eq!(found, Some(Denominator { root, full: u }));
    }
    assert_eq!(rule.denominator(1, &[7.0, 0.1]).unwrap().root, 0.0);
    assert_eq!(rule.denominator(1, &[7.0]), None);
}

#[test]
fn it_goes_in_step_with_the_algorithm_of_the_paper() {
    let grads = gradients(33, 150, 4);
    let mut theta = START.to_vec();
    let (mut m, mut u) = ([0.0_f64; 4], [0.0_f64; 4]);
    let mut expected = Vec::new();
    for (t, g) in (1..).zip(&grads) {
        for i in 0..4 {
            m[i] = 0.7 * m[i] + 0.3 * g[i];
            u[i] = (0.95 * u[i]).max(g[i].abs());
            theta[i] -= 0.01 / (1.0 - 0.7_f64.powi(t)) * m[i] / u[i];
        }
        expected.push(theta.clone());
    }
    let rule = Adamax {
        lr: 0.01,
        beta1: 0.7,
        beta2: 0.95,
        ..Adamax::paper()
    };
    assert_close(&trajectory_from(rule, &START, &grads), &expected, 1e-11);
}

#[test]
fn coupled_decay_is_the_gradient_of_a_penalty() {
    let grads = gradients(34, 40, 4);
    let plain = Adamax {
        lr: 0.02,
        ..Adamax::default()
    };
    let decayed = Adamax {
        weight_decay: 0.5,
        ..plain
    };
    let by_hand = trajectory_with_penalty(plain, 0.5, &START, &grads);
    assert_eq!(trajectory_from(decayed, &START, &grads), by_hand);
}

#[test]
fn decoupled_decay_is_a_factor_that_the_moments_do_not_see() {
    let zeros = vec![vec![0.0; 4]; 10];
    let rule = Adamax {
        lr: 0.25,
        weight_decay: 0.5,
        decoupled_weight_decay: true,
        ..Adamax::default()
    };
    let end = &trajectory_from(rule, &START, &zeros)[9];
    for (x, start) in end.iter().zip(START) {
        assert!((x - start * 0.875_f64.powi(10)).abs() < 1e-15);
    }
    // From zero the first step is that without decay.
    let grads = gradients(35, 1, 4);
    let plain = Adamax {
        weight_decay: 0.0,
        ..rule
    };
    assert_eq!(trajectory(rule, &grads), trajectory(plain, &grads));
}

#[test]
fn it_comes_close_to_the_minimum_of_a_bowl() {
    let rule = Adamax {
        lr: 0.01,
        ..Adamax::default()
    };
    for x in on_a_bowl(rule, &[0.5, 1.0, 20.0], 4000) {
        assert!(x.abs() < 1e-3, "{x}");
    }
}

#[test]
fn it_refuses_nonsense() {
    let rule = Adamax::default();
    for lr in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(Adamax { lr, ..rule }, "lr");
    }
    for beta in [-0.1, 1.0, f64::NAN] {
        assert_refuses(
            Adamax {
                beta1: beta,
                ..rule
            },
            "beta1",
        );
        assert_refuses(
            Adamax {
                beta2: beta,
                ..rule
            },
            "beta2",
        );
    }
    assert_refuses(Adamax { eps: -1e-8, ..rule }, "eps");
    let weight_decay = -0.1;
    let bad = Adamax {
        weight_decay,
        ..rule
    };
    assert_refuses(bad, "weight_decay");
    let message = bad.validate().unwrap_err().to_string();
    assert!(message.starts_with("Adamax: `weight_decay`"), "{message}");
}

#[test]
fn the_rate_can_be_set_and_u_has_no_sign() {
    let mut rule = Adamax::default();
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "Adamax"));
    assert!(rule.is_non_negative("exp_inf") && !rule.is_non_negative("exp_avg"));
    assert_eq!(rule.corrections(1).1, 1.0);
}
