use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
    trajectory_with_penalty,
};
use moments::{Adam, AdamW, MomentumSchedule, NAdam, Optimizer, Rule};

const START: [f64; 4] = [1.0, -0.5, 2.0, 0.25];

#[test]
fn presets_are_the_libraries_defaults() {
    let torch = NAdam {
        lr: 2e-3,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        eps_root: 0.0,
        momentum: MomentumSchedule::Warming,
        momentum_decay: 4e-3,
        weight_decay: 0.0,
        decoupled_weight_decay: false,
    };
    assert_eq!(NAdam::default(), torch);
    assert_eq!(NAdam::torch(), torch);
    let optax = NAdam {
        momentum: MomentumSchedule::Constant,
        ..torch
    };
    assert_eq!(NAdam::optax(), optax);
}

#[test]
fn the_first_steps_of_the_two_forms_differ_by_known_factors() {
    let first = |rule| trajectory(NAdam { eps: 0.0, ..rule }, &[vec![-5.0]])[0][0] / 2e-3;
    // optax: 0.9 · 0.1 / (1 − 0.81) + 0.1 / (1 − 0.9)
    let optax = 0.09 / 0.19 + 1.0;
    assert!((first(NAdam::optax()) - optax).abs() < 1e-12);
    // PyTorch: μ₂ · 0.1 / (1 − μ₁ μ₂) + (1 − μ₁) / (1 − μ₁)
    let mu = |t: f64| 0.9 * (1.0 - 0.5 * 0.96_f64.powf(t * 4e-3));
    let torch = mu(2.0) * 0.1 / (1.0 - mu(1.0) * mu(2.0)) + 1.0;
    assert!((first(NAdam::torch()) - torch).abs() < 1e-12);
    assert!((torch - 1.056).abs() < 1e-3 && (optax - 1.474).abs() < 1e-3);
}

#[test]
fn without_momentum_it_is_adam() {
    let grads = gradients(41, 80, 4);
    for momentum in [MomentumSchedule::Warming, MomentumSchedule::Constant] {
        let nadam = NAdam {
            lr: 1e-3,
            beta1: 0.0,
            momentum,
            ..NAdam::default()
        };
        let adam = Adam {
            beta1: 0.0,
            ..Adam::default()
        };
        assert_close(&trajectory(nadam, &grads), &trajectory(adam, &grads), 1e-12);
    }
}

#[test]
fn a_momentum_that_warms_at_once_is_constant() {
    let grads = gradients(42, 80, 4);
    let warming = NAdam {
        momentum_decay: 1e6,
        ..NAdam::torch()
    };
    assert_eq!(
        trajectory(warming, &grads),
        trajectory(NAdam::optax(), &grads)
    );
}

#[test]
fn a_momentum_that_never_warms_is_half_of_it() {
    let rule = NAdam {
        beta1: 0.5,
        momentum_decay: 0.0,
        ..NAdam::torch()
    };
    let mut opt = Optimizer::new(rule);
    let mut theta = [0.0];
    for t in 1..10 {
        opt.step(&mut theta, &[1.0]).unwrap();
        assert_eq!(opt.scalar("mu_product"), Some(0.25_f64.powi(t)));
    }
}

#[test]
fn mu_product_is_the_product_of_the_momenta() {
    let mut opt = Optimizer::new(NAdam {
        momentum_decay: 0.5,
        ..NAdam::default()
    });
    let mut theta = [0.0];
    let mut product = 1.0;
    for t in 1..50 {
        opt.step(&mut theta, &[1.0]).unwrap();
        product *= 0.9 * (1.0 - 0.5 * 0.96_f64.powf(0.5 * f64::from(t)));
        let found = opt.scalar("mu_product").unwrap();
        assert!((found - product).abs() < 1e-13 * product, "{t}");
    }
}

#[test]
fn optax_decoupled_is_adamw_with_nesterov() {
    let grads = gradients(43, 100, 4);
    let nadam = NAdam {
        lr: 0.01,
        weight_decay: 0.3,
        decoupled_weight_decay: true,
        ..NAdam::optax()
    };
    let adamw = AdamW {
        lr: 0.01,
        weight_decay: 0.3,
        nesterov: true,
        ..AdamW::default()
    };
    assert_close(
        &trajectory_from(nadam, &START, &grads),
        &trajectory_from(adamw, &START, &grads),
        1e-10,
    );
}

#[test]
fn coupled_decay_is_the_gradient_of_a_penalty() {
    let grads = gradients(44, 40, 4);
    let plain = NAdam {
        lr: 0.02,
        ..NAdam::default()
    };
    let decayed = NAdam {
        weight_decay: 0.5,
        ..plain
    };
    let by_hand = trajectory_with_penalty(plain, 0.5, &START, &grads);
    assert_eq!(trajectory_from(decayed, &START, &grads), by_hand);
}

#[test]
fn the_scale_of_the_gradient_does_not_matter_without_epsilon() {
    let grads = gradients(45, 100, 4);
    let large: Vec<Vec<f64>> = grads
        .iter()
        .map(|g| g.iter().map(|g| 1024.0 * g).collect())
        .collect();
    let rule = NAdam {
        eps: 0.0,
        ..NAdam::default()
    };
    assert_eq!(trajectory(rule, &grads), trajectory(rule, &large));
}

#[test]
fn the_denominator_is_that_of_adam() {
    let nadam = NAdam {
        eps: 0.25,
        eps_root: 0.5,
        beta2: 0.75,
        ..NAdam::default()
    };
    let adam = Adam {
        eps: 0.25,
        eps_root: 0.5,
        beta2: 0.75,
        ..Adam::default()
    };
    for t in 1..5 {
        let state = [0.5, 2.0];
        assert_eq!(nadam.denominator(t, &state), adam.denominator(t, &state));
        assert_eq!(nadam.corrections(t), adam.corrections(t));
    }
    assert_eq!(nadam.denominator(1, &[0.5]), None);
}

#[test]
fn it_comes_close_to_the_minimum_of_a_bowl() {
    for form in [NAdam::torch(), NAdam::optax()] {
        let rule = NAdam { lr: 0.01, ..form };
        for x in on_a_bowl(rule, &[0.5, 1.0, 20.0], 3000) {
            assert!(x.abs() < 1e-3, "{x}");
        }
    }
}

#[test]
fn it_refuses_nonsense() {
    let rule = NAdam::default();
    for lr in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(NAdam { lr, ..rule }, "lr");
    }
    for beta in [-0.1, 1.0, f64::NAN] {
        assert_refuses(
            NAdam {
                beta1: beta,
                ..rule
            },
            "beta1",
        );
        assert_refuses(
            NAdam {
                beta2: beta,
                ..rule
            },
            "beta2",
        );
    }
    for bad in [-1.0, f64::INFINITY] {
        assert_refuses(NAdam { eps: bad, ..rule }, "eps");
        assert_refuses(
            NAdam {
                eps_root: bad,
                ..rule
            },
            "eps_root",
        );
        assert_refuses(
            NAdam {
                momentum_decay: bad,
                ..rule
            },
            "momentum_decay",
        );
        assert_refuses(
            NAdam {
                weight_decay: bad,
                ..rule
            },
            "weight_decay",
        );
    }
    let message = NAdam { lr: -1.0, ..rule }.validate().unwrap_err();
    assert!(message.to_string().starts_with("NAdam: `lr` is -1"));
}

#[test]
fn the_rate_can_be_set() {
    let mut rule = NAdam::default();
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "NAdam"));
    assert!(rule.is_non_negative("exp_avg_sq") && !rule.is_non_negative("exp_avg"));
}
