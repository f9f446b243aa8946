use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
    trajectory_with_penalty,
};
use moments::{Adam, BiasCorrection, EpsAt, Rule, Sgd};

const START: [f64; 4] = [1.0, -0.5, 2.0, 0.25];

#[test]
fn all_presets_are_the_recommended_settings() {
    let paper = Adam {
        lr: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        eps_root: 0.0,
        eps_at: EpsAt::Corrected,
        bias_correction: BiasCorrection::Both,
        weight_decay: 0.0,
    };
    assert_eq!(Adam::default(), paper);
    assert_eq!(Adam::paper(), paper);
    assert_eq!(Adam::torch(), paper);
    assert_eq!(Adam::optax(), paper);
}

#[test]
fn an_epsilon_that_dominates_makes_it_sgd_at_lr_over_epsilon() {
    let grads = gradients(81, 40, 4);
    let eps = 1e9;
    let adam = Adam {
        lr: 0.1 * eps,
        beta1: 0.0,
        eps,
        ..Adam::default()
    };
    let sgd = Sgd {
        lr: 0.1,
        ..Sgd::default()
    };
    assert_close(&trajectory(adam, &grads), &trajectory(sgd, &grads), 1e-6);
}

#[test]
fn without_memory_it_is_sign_descent() {
    let adam = Adam {
        lr: 0.25,
        beta1: 0.0,
        beta2: 0.0,
        eps: 0.0,
        ..Adam::default()
    };
    let path = trajectory(adam, &[vec![3.0, -0.01], vec![-7.0, -1e9]]);
    assert_eq!(path, [[-0.25, 0.25], [0.0, 0.5]]);
}

#[test]
fn coupled_decay_is_the_gradient_of_a_penalty() {
    let grads = gradients(82, 40, 4);
    let plain = Adam {
        lr: 0.02,
        ..Adam::default()
    };
    let decayed = Adam {
        weight_decay: 0.5,
        ..plain
    };
    let by_hand = trajectory_with_penalty(plain, 0.5, &START, &grads);
    assert_eq!(trajectory_from(decayed, &START, &grads), by_hand);
}

#[test]
fn the_denominator_has_both_epsilons_where_they_are_added() {
    let adam = Adam {
        beta2: 0.75,
        eps: 0.25,
        eps_root: 2.0,
        ..Adam::default()
    };
    // v̂ = 0.5 / 0.25 at the first step.
    let found = adam.denominator(1, &[9.0, 0.5]).unwrap();
    assert_eq!((found.root, found.full), (2f64.sqrt(), 2.25));
    let uncorrected = Adam {
        eps_at: EpsAt::Uncorrected,
        ..adam
    };
    // ε / √(1 − β₂) = 0.25 / 0.5.
    let found = uncorrected.denominator(1, &[9.0, 0.5]).unwrap();
    assert_eq!((found.root, found.full), (2f64.sqrt(), 2.5));
    assert_eq!(adam.denominator(1, &[9.0]), None);
}

#[test]
fn each_correction_is_one_minus_a_power() {
    let with = |bias_correction| Adam {
        beta1: 0.5,
        beta2: 0.75,
        bias_correction,
        ..Adam::default()
    };
    assert_eq!(with(BiasCorrection::Both).corrections(2), (0.75, 0.4375));
    assert_eq!(with(BiasCorrection::First).corrections(2), (0.75, 1.0));
    assert_eq!(with(BiasCorrection::Second).corrections(2), (1.0, 0.4375));
    assert_eq!(with(BiasCorrection::Neither).corrections(2), (1.0, 1.0));
}

#[test]
fn it_comes_close_to_the_minimum_of_a_bowl_and_circles_it_where_beta2_is_small() {
    let adam = Adam {
        lr: 0.01,
        ..Adam::default()
    };
    for x in on_a_bowl(adam, &[0.5, 1.0, 20.0], 3000) {
        assert!(x.abs() < 1e-4, "{x}");
    }
    let sign = Adam {
        beta1: 0.0,
        beta2: 0.0,
        ..adam
    };
    for x in on_a_bowl(sign, &[0.5, 1.0, 20.0], 3000) {
        assert!(x.abs() < 0.0101, "{x}");
    }
}

#[test]
fn it_refuses_nonsense() {
    let rule = Adam::default();
    for lr in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(Adam { lr, ..rule }, "lr");
    }
    for beta in [-0.1, 1.0, f64::NAN] {
        assert_refuses(
            Adam {
                beta1: beta,
                ..rule
            },
            "beta1",
        );
        assert_refuses(
            Adam {
                beta2: beta,
                ..rule
            },
            "beta2",
        );
    }
    assert_refuses(Adam { eps: -1e-8, ..rule }, "eps");
    let eps_root = -1e-8;
    assert_refuses(Adam { eps_root, ..rule }, "eps_root");
    let weight_decay = -0.1;
    let bad = Adam {
        weight_decay,
        ..rule
    };
    assert_refuses(bad, "weight_decay");
    let message = bad.validate().unwrap_err().to_string();
    assert!(message.starts_with("Adam: `weight_decay`"), "{message}");
}

#[test]
fn the_rate_can_be_set() {
    let mut rule = Adam::default();
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "Adam"));
    assert!(rule.is_non_negative("exp_avg_sq") && !rule.is_non_negative("exp_avg"));
}
