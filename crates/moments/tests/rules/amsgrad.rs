use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
    trajectory_with_penalty,
};
use moments::{Adam, AmsGrad, BiasCorrection, Optimizer, Rule, VMax};

const START: [f64; 4] = [1.0, -0.5, 2.0, 0.25];
const FORMS: [VMax; 3] = [VMax::Paper, VMax::Torch, VMax::Optax];

#[test]
fn presets_are_the_libraries_defaults_and_the_paper_has_no_epsilon() {
    let torch = AmsGrad {
        lr: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        eps_root: 0.0,
        v_max: VMax::Torch,
        bias_correction: BiasCorrection::Both,
        weight_decay: 0.0,
        decoupled_weight_decay: false,
    };
    assert_eq!(AmsGrad::default(), torch);
    assert_eq!(AmsGrad::torch(), torch);
    let v_max = VMax::Optax;
    assert_eq!(AmsGrad::optax(), AmsGrad { v_max, ..torch });
    let paper = AmsGrad {
        v_max: VMax::Paper,
        eps: 0.0,
        ..torch
    };
    assert_eq!(AmsGrad::paper(), paper);
}

#[test]
fn the_maximum_never_falls_and_is_that_of_its_form() {
    let grads = gradients(91, 200, 2);
    for v_max in FORMS {
        let rule = AmsGrad {
            beta2: 0.8,
            v_max,
            ..AmsGrad::default()
        };
        let mut opt = Optimizer::new(rule);
        let mut theta = [0.0; 2];
        let mut largest = [0.0_f64; 2];
        for (t, g) in (1..).zip(&grads) {
            opt.step(&mut theta, g).unwrap();
            for (i, largest) in largest.iter_mut().enumerate() {
                let v = opt.state("exp_avg_sq").unwrap()[i];
                let seen = match v_max {
                    VMax::Paper | VMax::Torch => v,
                    VMax::Optax => v / (1.0 - 0.8_f64.powi(t)),
                };
                *largest = largest.max(seen);
                let found = opt.state("max_exp_avg_sq").unwrap()[i];
                assert!((found - *largest).abs() <= 1e-14 * found, "{v_max:?} {t}");
            }
        }
    }
}

#[test]
fn where_v_never_falls_it_is_adam() {
    // Gradients that grow.
    let grads: Vec<Vec<f64>> = (1..80)
        .map(|t| vec![0.1 * f64::from(t), -f64::from(t)])
        .collect();
    let torch = AmsGrad::torch();
    assert_close(
        &trajectory(torch, &grads),
        &trajectory(Adam::default(), &grads),
        1e-13,
    );
    let paper = AmsGrad {
        eps: 1e-8,
        ..AmsGrad::paper()
    };
    let uncorrected = Adam {
        bias_correction: BiasCorrection::Neither,
        ..Adam::default()
    };
    assert_close(
        &trajectory(paper, &grads),
        &trajectory(uncorrected, &grads),
        1e-13,
    );
}

#[test]
fn optax_without_corrections_is_the_paper() {
    let grads = gradients(92, 100, 4);
    let paper = AmsGrad {
        eps: 1e-3,
        beta2: 0.9,
        ..AmsGrad::paper()
    };
    let optax = AmsGrad {
        v_max: VMax::Optax,
        bias_correction: BiasCorrection::Neither,
        ..paper
    };
    assert_eq!(trajectory(optax, &grads), trajectory(paper, &grads));
    // The paper's form does not look at the setting.
    let same = AmsGrad {
        bias_correction: BiasCorrection::Neither,
        ..paper
    };
    assert_eq!(trajectory(same, &grads), trajectory(paper, &grads));
}

#[test]
fn each_correction_is_one_minus_a_power_but_in_the_paper() {
    for v_max in FORMS {
        let with = |bias_correction| {
            let rule = AmsGrad {
                beta1: 0.5,
                beta2: 0.75,
                v_max,
                bias_correction,
                ..AmsGrad::default()
            };
            rule.corrections(2)
        };
        let expected = if v_max == VMax::Paper {
            [(1.0, 1.0); 4]
        } else {
            [(0.75, 0.4375), (0.75, 1.0), (1.0, 0.4375), (1.0, 1.0)]
        };
        let found = [
            with(BiasCorrection::Both),
            with(BiasCorrection::First),
            with(BiasCorrection::Second),
            with(BiasCorrection::Neither),
        ];
        assert_eq!(found, expected, "{v_max:?}");
    }
}

#[test]
fn the_denominator_is_corrected_in_pytorchs_form_alone() {
    for (v_max, v_hat) in [(VMax::Paper, 0.5), (VMax::Torch, 2.0), (VMax::Optax, 0.5)] {
        let rule = AmsGrad {
            beta2: 0.75,
            eps: 0.25,
            eps_root: 2.0,
            v_max,
            ..AmsGrad::default()
        };
        let found = rule.denominator(1, &[9.0, 0.1, 0.5]).unwrap();
        assert_eq!(found.root, f64::sqrt(v_hat));
        assert_eq!(found.full, f64::sqrt(v_hat + 2.0) + 0.25);
        assert_eq!(rule.denominator(1, &[9.0, 0.1]), None);
    }
}

#[test]
fn coupled_decay_is_the_gradient_of_a_penalty() {
    let grads = gradients(93, 40, 4);
    for v_max in FORMS {
        let plain = AmsGrad {
            lr: 0.02,
            v_max,
            ..AmsGrad::default()
        };
        let decayed = AmsGrad {
            weight_decay: 0.5,
            ..plain
        };
        let by_hand = trajectory_with_penalty(plain, 0.5, &START, &grads);
        assert_eq!(trajectory_from(decayed, &START, &grads), by_hand);
    }
}

#[test]
fn decoupled_decay_is_a_factor_that_the_moments_do_not_see() {
    let rule = AmsGrad {
        lr: 0.25,
        weight_decay: 0.5,
        decoupled_weight_decay: true,
        ..AmsGrad::default()
    };
    let end = &trajectory_from(rule, &START, &vec![vec![0.0; 4]; 10])[9];
    for (x, start) in end.iter().zip(START) {
        assert!((x - start * 0.875_f64.powi(10)).abs() < 1e-15);
    }
    let grads = gradients(94, 1, 4);
    let plain = AmsGrad {
        weight_decay: 0.0,
        ..rule
    };
    assert_eq!(trajectory(rule, &grads), trajectory(plain, &grads));
}

#[test]
fn where_adam_drifts_away_amsgrad_comes_to_the_minimum() {
    // Reddi et al. (2018), section 3, with C = 10: the gradient is C in one step of three and −1 otherwise, on [−1, 1].
    // The sum over three steps is 8 x, whose minimum is at −1.
    fn last<R: Rule>(rule: R) -> f64 {
        let mut opt = Optimizer::new(rule);
        let mut x = [0.0_f64];
        for t in 1..=10_000 {
            opt.rule.set_lr(0.1 / f64::from(t).sqrt());
            let grad = if t % 3 == 1 { 10.0 } else { -1.0 };
            opt.step(&mut x, &[grad]).unwrap();
            x[0] = x[0].clamp(-1.0, 1.0);
        }
        x[0]
    }
    let (beta1, beta2) = (0.0, 1.0 / 101.0);
    let adam = Adam {
        beta1,
        beta2,
        ..Adam::default()
    };
    assert!(last(adam) > 0.99, "{}", last(adam));
    for v_max in FORMS {
        let amsgrad = AmsGrad {
            beta1,
            beta2,
            v_max,
            ..AmsGrad::default()
        };
        assert!(last(amsgrad) < -0.99, "{v_max:?}: {}", last(amsgrad));
    }
}

#[test]
fn it_comes_close_to_the_minimum_of_a_bowl() {
    for v_max in FORMS {
        let rule = AmsGrad {
            lr: 0.01,
            v_max,
            ..AmsGrad::default()
        };
        for x in on_a_bowl(rule, &[0.5, 1.0, 20.0], 6000) {
            assert!(x.abs() < 1e-2, "{v_max:?}: {x}");
        }
    }
}

#[test]
fn it_refuses_nonsense() {
    let rule = AmsGrad::default();
    for lr in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(AmsGrad { lr, ..rule }, "lr");
    }
    for beta in [-0.1, 1.0, f64::NAN] {
        let beta1 = beta;
        assert_refuses(AmsGrad { beta1, ..rule }, "beta1");
        let beta2 = beta;
        assert_refuses(AmsGrad { beta2, ..rule }, "beta2");
    }
    let eps = -1e-8;
    assert_refuses(AmsGrad { eps, ..rule }, "eps");
    let eps_root = -1e-8;
    assert_refuses(AmsGrad { eps_root, ..rule }, "eps_root");
    let weight_decay = -0.1;
    let bad = AmsGrad {
        weight_decay,
        ..rule
    };
    assert_refuses(bad, "weight_decay");
    let message = bad.validate().unwrap_err().to_string();
    assert!(message.starts_with("AmsGrad: `weight_decay`"), "{message}");
}

#[test]
fn the_rate_can_be_set() {
    let mut rule = AmsGrad::default();
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "AMSGrad"));
    assert!(rule.is_non_negative("exp_avg_sq") && rule.is_non_negative("max_exp_avg_sq"));
    assert!(!rule.is_non_negative("exp_avg"));
}
