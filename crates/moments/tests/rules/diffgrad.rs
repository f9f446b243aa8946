use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
    trajectory_with_penalty,
};
use moments::{Adam, DiffGrad, EpsAt, Optimizer, Rule};

const START: [f64; 4] = [1.0, -0.5, 2.0, 0.25];

#[test]
fn the_defaults_are_those_of_the_paper() {
    let paper = DiffGrad {
        lr: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        eps_at: EpsAt::Corrected,
        weight_decay: 0.0,
    };
    assert_eq!(DiffGrad::default(), paper);
    assert_eq!(DiffGrad::paper(), paper);
}

#[test]
fn a_constant_gradient_meets_a_friction_of_a_half_after_the_first_step() {
    let rule = DiffGrad {
        lr: 1.0,
        eps: 0.0,
        ..DiffGrad::default()
    };
    let g = 3.0_f64.ln();
    let path = trajectory(rule, &vec![vec![g]; 20]);
    assert!((path[0][0] + 0.75).abs() < 1e-15, "{}", path[0][0]);
    for pair in path.windows(2) {
        assert!((pair[1][0] - pair[0][0] + 0.5).abs() < 1e-11);
    }
}

#[test]
fn the_change_is_that_from_the_step_before() {
    // With the previous gradient kept by reference, the change would be 0 and every ratio to Adam a half.
    let grads = gradients(61, 50, 4);
    let diffgrad = DiffGrad {
        lr: 1e-3,
        ..DiffGrad::default()
    };
    let (mut x, mut y) = ([0.0_f64; 4], [0.0_f64; 4]);
    let mut a = Optimizer::new(diffgrad);
    let mut b = Optimizer::new(Adam::default());
    let mut previous = vec![0.0; 4];
    for g in &grads {
        let before = (x, y);
        a.step(&mut x, g).unwrap();
        b.step(&mut y, g).unwrap();
        assert_eq!(a.state("previous_grad"), Some(&g[..]));
        for i in 0..4 {
            let friction = 1.0 / (1.0 + (-(previous[i] - g[i]).abs()).exp());
            let ratio = (x[i] - before.0[i]) / (y[i] - before.1[i]);
            assert!((ratio - friction).abs() < 1e-11, "{ratio} {friction}");
            assert!(ratio > 0.5);
        }
        previous.clone_from(g);
    }
}

#[test]
fn large_changes_make_it_adam() {
    let grads: Vec<Vec<f64>> = (0..40)
        .map(|t| vec![if t % 2 == 0 { 1e3 } else { -2e3 }; 3])
        .collect();
    assert_close(
        &trajectory(DiffGrad::default(), &grads),
        &trajectory(Adam::default(), &grads),
        1e-12,
    );
}

#[test]
fn epsilon_of_the_authors_code_is_larger_after_the_correction() {
    let grads = gradients(62, 30, 4);
    let rule = |eps, eps_at| DiffGrad {
        eps,
        eps_at,
        ..DiffGrad::default()
    };
    let by_code = trajectory(rule(0.01, EpsAt::Uncorrected), &grads[..1]);
    let corrected = trajectory(rule(0.01 / 0.001_f64.sqrt(), EpsAt::Corrected), &grads[..1]);
    assert_close(&by_code, &corrected, 1e-12);
    let denominator = |rule: DiffGrad| rule.denominator(1, &[1.0, 2.0]).unwrap();
    let a = denominator(rule(0.01, EpsAt::Uncorrected));
    assert!((a.root - 2000.0_f64.sqrt()).abs() < 1e-10);
    assert!((a.full - a.root - 0.01 / 0.001_f64.sqrt()).abs() < 1e-10);
    let b = denominator(rule(0.5, EpsAt::Corrected));
    assert!((b.full - b.root - 0.5).abs() < 1e-12);
    assert_eq!(DiffGrad::default().denominator(1, &[1.0]), None);
}

#[test]
fn the_decay_takes_part_in_the_change() {
    let grads = gradients(63, 40, 4);
    let plain = DiffGrad {
        lr: 0.02,
        ..DiffGrad::default()
    };
    let decayed = DiffGrad {
        weight_decay: 0.5,
        ..plain
    };
    let by_hand = trajectory_with_penalty(plain, 0.5, &START, &grads);
    assert_eq!(trajectory_from(decayed, &START, &grads), by_hand);
}

#[test]
fn unlike_adam_it_sees_the_scale_of_the_gradient() {
    let grads = gradients(64, 30, 3);
    let small: Vec<Vec<f64>> = grads
        .iter()
        .map(|g| g.iter().map(|g| 1e-9 * g).collect())
        .collect();
    let rule = DiffGrad {
        eps: 0.0,
        ..DiffGrad::default()
    };
    let adam = Adam {
        lr: 5e-4,
        eps: 0.0,
        ..Adam::default()
    };
    // Changes of nothing: a friction of a half throughout.
    assert_close(&trajectory(rule, &small), &trajectory(adam, &small), 1e-7);
    assert_ne!(trajectory(rule, &grads), trajectory(adam, &grads));
}

#[test]
fn it_comes_close_to_the_minimum_of_a_bowl() {
    let rule = DiffGrad {
        lr: 0.01,
        ..DiffGrad::default()
    };
    for x in on_a_bowl(rule, &[0.5, 1.0, 20.0], 4000) {
        assert!(x.abs() < 1e-3, "{x}");
    }
}

#[test]
fn it_refuses_nonsense() {
    let rule = DiffGrad::default();
    for lr in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(DiffGrad { lr, ..rule }, "lr");
    }
    for beta in [-0.1, 1.0, f64::NAN] {
        let beta1 = beta;
        assert_refuses(DiffGrad { beta1, ..rule }, "beta1");
        let beta2 = beta;
        assert_refuses(DiffGrad { beta2, ..rule }, "beta2");
    }
    let eps = -1e-8;
    assert_refuses(DiffGrad { eps, ..rule }, "eps");
    let weight_decay = -0.1;
    let bad = DiffGrad {
        weight_decay,
        ..rule
    };
    assert_refuses(bad, "weight_decay");
    let message = bad.validate().unwrap_err().to_string();
    assert!(message.starts_with("DiffGrad: `weight_decay`"), "{message}");
}

#[test]
fn the_rate_can_be_set() {
    let mut rule = DiffGrad::default();
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "diffGrad"));
    assert!(rule.is_non_negative("exp_avg_sq") && !rule.is_non_negative("exp_avg"));
    assert!(!rule.is_non_negative("previous_grad"));
    assert_eq!(rule.corrections(2), Adam::default().corrections(2));
}
