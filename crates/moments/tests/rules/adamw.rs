use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
};
use moments::{Adam, AdamW, Decay, DecayScale, NAdam, Optimizer, Rule};

const START: [f64; 5] = [1.0, -0.5, 0.25, -2.0, 0.0];
const ALL: [Decay; 3] = [Decay::Before, Decay::Within, Decay::After];

#[test]
fn presets_are_the_libraries_defaults() {
    assert_eq!(AdamW::torch(), AdamW::default());
    let torch = AdamW {
        lr: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        eps_root: 0.0,
        weight_decay: 1e-2,
        decay: Decay::Before,
        decay_scale: DecayScale::Lr,
        nesterov: false,
    };
    assert_eq!(AdamW::torch(), torch);
    let optax = AdamW {
        weight_decay: 1e-4,
        decay: Decay::Within,
        ..torch
    };
    assert_eq!(AdamW::optax(), optax);
    let paper = AdamW {
        weight_decay: 1e-5,
        decay_scale: DecayScale::Multiplier { peak_lr: 1e-3 },
        ..optax
    };
    assert_eq!(AdamW::paper(), paper);
}

#[test]
fn without_decay_it_is_adam_to_the_bit_wherever_the_decay_would_be() {
    let grads = gradients(11, 60, 5);
    let adam = trajectory_from(Adam::default(), &START, &grads);
    for decay in ALL {
        let rule = AdamW {
            weight_decay: 0.0,
            decay,
            ..AdamW::default()
        };
        assert_eq!(trajectory_from(rule, &START, &grads), adam, "{decay:?}");
    }
}

#[test]
fn a_gradient_of_zero_leaves_the_decay_alone() {
    let zeros = vec![vec![0.0; 5]; 30];
    for decay in ALL {
        let rule = AdamW {
            lr: 0.1,
            weight_decay: 0.5,
            decay,
            ..AdamW::default()
        };
        let path = trajectory_from(rule, &START, &zeros);
        let mut expected = START.to_vec();
        for theta in &path {
            expected = expected.iter().map(|x| 0.95 * x).collect();
            assert_close(
                std::slice::from_ref(theta),
                std::slice::from_ref(&expected),
                1e-14,
            );
        }
    }
}

#[test]
fn the_first_step_from_one_tells_the_three_places_apart() {
    // The Adam step is lr = 0.5 and d = 0.25.
    let first = |decay| {
        let rule = AdamW {
            lr: 0.5,
            eps: 0.0,
            weight_decay: 0.5,
            decay,
            ..AdamW::default()
        };
        trajectory_from(rule, &[1.0], &[vec![4.0]])[0][0]
    };
    assert!((first(Decay::Before) - 0.25).abs() < 1e-15);
    assert!((first(Decay::Within) - 0.25).abs() < 1e-15);
    assert!((first(Decay::After) - 0.375).abs() < 1e-15);
}

#[test]
fn before_and_within_are_the_same_in_real_arithmetic() {
    let grads = gradients(12, 100, 5);
    let rule = |decay| AdamW {
        lr: 0.03,
        weight_decay: 0.7,
        decay,
        ..AdamW::default()
    };
    let before = trajectory_from(rule(Decay::Before), &START, &grads);
    let within = trajectory_from(rule(Decay::Within), &START, &grads);
    assert_close(&before, &within, 1e-11);
    assert_ne!(before, within);
}

#[test]
fn after_lags_before_by_one_decay() {
    // If b is the path with the decay before the step, the path after it from the decayed start is (1 - d) b.
    let grads = gradients(13, 80, 5);
    let rule = |decay| AdamW {
        lr: 0.02,
        weight_decay: 2.0,
        decay,
        ..AdamW::default()
    };
    let kept = 1.0 - 0.04;
    let decayed: Vec<f64> = START.iter().map(|x| kept * x).collect();
    let after = trajectory_from(rule(Decay::After), &decayed, &grads);
    let mut before = trajectory_from(rule(Decay::Before), &START, &grads);
    before.iter_mut().flatten().for_each(|x| *x *= kept);
    assert_close(&after, &before, 1e-11);
}

#[test]
fn the_decay_does_not_see_the_scale_of_the_gradient() {
    let grads = gradients(14, 100, 5);
    let large: Vec<Vec<f64>> = grads
        .iter()
        .map(|g| g.iter().map(|g| 4096.0 * g).collect())
        .collect();
    let rule = AdamW {
        eps: 0.0,
        weight_decay: 0.3,
        ..AdamW::default()
    };
    assert_eq!(
        trajectory_from(rule, &START, &grads),
        trajectory_from(rule, &START, &large)
    );
}

#[test]
fn the_multiplier_alone_scales_the_decay_of_the_paper() {
    let zeros = vec![vec![0.0]; 2];
    let last = |lr: f64, decay_scale| {
        let rule = AdamW {
            lr,
            weight_decay: 0.25,
            decay_scale,
            ..AdamW::default()
        };
        trajectory_from(rule, &[1.0], &zeros)[1][0]
    };
    // A multiplier of a half, whatever the peak: d = 1/8.
    for peak_lr in [1e-3, 0.5, 2.0] {
        let scale = DecayScale::Multiplier { peak_lr };
        assert!((last(peak_lr / 2.0, scale) - 0.875 * 0.875).abs() < 1e-15);
    }
    // Scaled by the rate, the same rates decay differently.
    assert!((last(1.0, DecayScale::Lr) - 0.75 * 0.75).abs() < 1e-15);
    assert!((last(0.5, DecayScale::Lr) - 0.875 * 0.875).abs() < 1e-15);
}

#[test]
fn with_nesterov_and_no_decay_it_is_optax_nadam() {
    let grads = gradients(15, 100, 5);
    let adamw = AdamW {
        nesterov: true,
        weight_decay: 0.0,
        ..AdamW::default()
    };
    let nadam = NAdam {
        lr: 1e-3,
        ..NAdam::optax()
    };
    assert_close(
        &trajectory(adamw, &grads),
        &trajectory(nadam, &grads),
        1e-11,
    );
}

#[test]
fn the_denominator_is_what_the_step_was_divided_by() {
    let rule = AdamW {
        lr: 0.1,
        eps: 0.25,
        eps_root: 0.5,
        weight_decay: 0.0,
        ..AdamW::default()
    };
    let mut theta = [0.0_f64];
    let mut opt = Optimizer::new(rule);
    for t in 1..=5 {
        let before = theta[0];
        opt.step(&mut theta, &[0.75 * t as f64]).unwrap();
        let state = [
            opt.state("exp_avg").unwrap()[0],
            opt.state("exp_avg_sq").unwrap()[0],
        ];
        let (bc1, bc2) = rule.corrections(t);
        let found = rule.denominator(t, &state).unwrap();
        let step = 0.1 * state[0] / bc1 / found.full;
        assert!((before - theta[0] - step).abs() < 1e-15);
        assert!((found.root - (state[1] / bc2).sqrt()).abs() < 1e-15);
        assert!((found.full - ((state[1] / bc2 + 0.5).sqrt() + 0.25)).abs() < 1e-15);
    }
    assert_eq!(rule.denominator(1, &[]), None);
}

#[test]
fn it_comes_to_the_minimum_that_the_decay_does_not_move() {
    // Where the gradient and the decay balance is 0 on a bowl around 0.
    let rule = AdamW {
        lr: 0.01,
        weight_decay: 0.5,
        ..AdamW::default()
    };
    for x in on_a_bowl(rule, &[0.5, 1.0, 3.0], 3000) {
        assert!(x.abs() < 1e-6, "{x}");
    }
}

#[test]
fn a_decay_of_more_than_two_diverges() {
    let rule = AdamW {
        lr: 1.0,
        weight_decay: 2.5,
        ..AdamW::default()
    };
    let path = trajectory_from(rule, &[1.0], &vec![vec![0.0]; 20]);
    assert!((path[19][0] - 1.5_f64.powi(20)).abs() < 1e-9);
}

#[test]
fn it_refuses_nonsense() {
    let rule = AdamW::default();
    for lr in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(AdamW { lr, ..rule }, "lr");
    }
    for beta in [-0.1, 1.0, f64::NAN] {
        assert_refuses(
            AdamW {
                beta1: beta,
                ..rule
            },
            "beta1",
        );
        assert_refuses(
            AdamW {
                beta2: beta,
                ..rule
            },
            "beta2",
        );
    }
    assert_refuses(AdamW { eps: -1e-8, ..rule }, "eps");
    assert_refuses(
        AdamW {
            eps_root: -1e-8,
            ..rule
        },
        "eps_root",
    );
    assert_refuses(
        AdamW {
            weight_decay: -0.1,
            ..rule
        },
        "weight_decay",
    );
    for peak_lr in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let decay_scale = DecayScale::Multiplier { peak_lr };
        let bad = AdamW {
            decay_scale,
            ..rule
        };
        assert_refuses(bad, "peak_lr");
        let message = bad.validate().unwrap_err().to_string();
        assert!(message.starts_with("AdamW: `peak_lr`"), "{message}");
    }
}

#[test]
fn the_edges_of_the_settings_are_allowed() {
    let rule = AdamW {
        lr: 0.0,
        beta1: 0.0,
        beta2: 0.0,
        weight_decay: 0.0,
        ..AdamW::default()
    };
    assert_eq!(trajectory_from(rule, &[2.0], &[vec![1.0]]), [[2.0]]);
    let mut rule = AdamW::default();
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "AdamW"));
    assert!(rule.is_non_negative("exp_avg_sq") && !rule.is_non_negative("exp_avg"));
}
