use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
};
use moments::{Lars, LarsNorms, LrAt, Optimizer, Rule, Sgd};

const START: [f64; 4] = [1.0, -0.5, 0.25, -2.0];

/// One step without momentum from (3, 4), whose norm is 5.
fn first_step(rule: Lars, grad: [f64; 2]) -> [f64; 2] {
    let mut theta = [3.0, 4.0];
    let momentum = 0.0;
    let mut opt = Optimizer::new(Lars { momentum, ..rule });
    opt.step(&mut theta, &grad).unwrap();
    theta
}

fn plain() -> Lars {
    Lars {
        lr: 0.5,
        trust_coefficient: 0.25,
        ..Lars::default()
    }
}

fn assert_near(found: [f64; 2], expected: [f64; 2]) {
    assert_close(&[found.to_vec()], &[expected.to_vec()], 1e-15);
}

#[test]
fn presets_are_the_libraries_defaults() {
    let optax = Lars {
        lr: 0.1,
        momentum: 0.9,
        dampening: 0.0,
        nesterov: false,
        weight_decay: 0.0,
        trust_coefficient: 1e-3,
        eps: 0.0,
        norms: LarsNorms::OfSum,
        lr_at: LrAt::Inside,
        trust_clip: false,
        always_adapt: true,
    };
    assert_eq!(Lars::default(), optax);
    assert_eq!(Lars::optax(), optax);
    let timm = Lars {
        lr: 1.0,
        momentum: 0.0,
        eps: 1e-8,
        norms: LarsNorms::Sum,
        lr_at: LrAt::Outside,
        always_adapt: false,
        ..optax
    };
    assert_eq!(Lars::timm(), timm);
    let paper = Lars {
        weight_decay: 5e-4,
        norms: LarsNorms::Sum,
        ..optax
    };
    assert_eq!(Lars::paper(), paper);
    let mut rule = optax;
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "LARS"));
    assert_eq!(rule.state_names(&[1]), ["momentum_buffer"]);
    assert!(timm.state_names(&[1]).is_empty());
    const { assert!(Lars::WHOLE) };
}

#[test]
fn a_step_is_a_share_of_the_norm_whatever_the_gradient() {
    // 0.5 · 0.25 · 5 along (0, 1).
    for scale in [1e-100, 1.0, 1e100, 1e300] {
        assert_near(first_step(plain(), [0.0, scale]), [3.0, 3.375]);
        assert_near(first_step(plain(), [0.0, -scale]), [3.0, 4.625]);
    }
    assert_near(first_step(plain(), [3.0, 4.0]), [2.625, 3.5]);
}

#[test]
fn the_norm_of_the_sum_and_the_sum_of_the_norms() {
    // g = (-4, 3), wd θ = (6, 8): the sum is (2, 11), its norm √125; the norms are 5 and 10.
    let rule = |norms| Lars {
        weight_decay: 2.0,
        norms,
        ..plain()
    };
    let of_sum = 0.125 * 5.0 / 125f64.sqrt();
    let found = first_step(rule(LarsNorms::OfSum), [-4.0, 3.0]);
    assert_near(found, [3.0 - 2.0 * of_sum, 4.0 - 11.0 * of_sum]);
    let sum = 0.125 * 5.0 / 15.0;
    let found = first_step(rule(LarsNorms::Sum), [-4.0, 3.0]);
    assert_near(found, [3.0 - 2.0 * sum, 4.0 - 11.0 * sum]);
}

#[test]
fn eps_is_added_to_the_norms() {
    for norms in [LarsNorms::OfSum, LarsNorms::Sum] {
        let rule = Lars {
            eps: 6.0,
            norms,
            ..plain()
        };
        let local = 0.125 * 5.0 / 16.0;
        assert_near(first_step(rule, [0.0, 10.0]), [3.0, 4.0 - 10.0 * local]);
    }
}

#[test]
fn where_a_norm_is_zero_the_local_rate_is_one() {
    let mut theta = [0.0, 0.0];
    let mut opt = Optimizer::new(plain());
    opt.step(&mut theta, &[4.0, -2.0]).unwrap();
    assert_eq!(theta, [-2.0, 1.0]);
    assert_eq!(first_step(plain(), [0.0, 0.0]), [3.0, 4.0]);

    // With decay: the sum has a norm, the gradient has none.
    let decaying = Lars {
        weight_decay: 0.5,
        ..plain()
    };
    let share = 1.0 - 0.125;
    assert_near(first_step(decaying, [0.0, 0.0]), [3.0 * share, 4.0 * share]);
    let sum = Lars {
        norms: LarsNorms::Sum,
        ..decaying
    };
    assert_near(first_step(sum, [0.0, 0.0]), [2.25, 3.0]);
    // The gradient and the decay take each other away.
    assert_eq!(first_step(decaying, [-1.5, -2.0]), [3.0, 4.0]);
}

#[test]
fn clipping_takes_the_local_rate_alone_and_at_most_lr() {
    let rule = Lars {
        trust_clip: true,
        ..plain()
    };
    // The local rate is 0.25 · 5/10 and smaller than lr; then 0.25 · 5/1, which is larger; at zero it counts as 1.
    assert_near(first_step(rule, [0.0, 10.0]), [3.0, 4.0 - 1.25]);
    assert_near(first_step(rule, [0.0, 1.0]), [3.0, 4.0 - 0.5]);
    let mut theta = [0.0];
    let mut opt = Optimizer::new(rule);
    opt.step(&mut theta, &[4.0]).unwrap();
    assert_eq!(theta, [-2.0]);
    let above_one = Lars { lr: 4.0, ..rule };
    let mut theta = [0.0];
    let mut opt = Optimizer::new(above_one);
    opt.step(&mut theta, &[4.0]).unwrap();
    assert_eq!(theta, [-4.0]);
    // A rate of zero is neither NaN nor a step.
    for trust_coefficient in [0.0, 0.25] {
        let still = Lars {
            lr: 0.0,
            trust_coefficient,
            ..rule
        };
        assert_eq!(first_step(still, [1.0, 1.0]), [3.0, 4.0]);
    }
}

#[test]
fn without_decay_it_is_sgd_unless_it_always_adapts() {
    let grads = gradients(71, 40, 4);
    for (nesterov, dampening) in [(false, 0.0), (false, 0.5), (true, 0.0)] {
        let rule = Lars {
            lr: 0.25,
            momentum: 0.9,
            nesterov,
            dampening,
            ..Lars::timm()
        };
        let sgd = Sgd {
            lr: 0.25,
            momentum: 0.9,
            nesterov,
            dampening,
            ..Sgd::default()
        };
        let expected = trajectory_from(sgd, &START, &grads);
        assert_eq!(trajectory_from(rule, &START, &grads), expected);
        let adapting = Lars {
            always_adapt: true,
            ..rule
        };
        assert_ne!(trajectory_from(adapting, &START, &grads), expected);
        let weight_decay = 1e-9;
        let decaying = Lars {
            weight_decay,
            ..rule
        };
        let adapting = Lars {
            weight_decay,
            ..adapting
        };
        let found = trajectory_from(decaying, &START, &grads);
        assert_eq!(found, trajectory_from(adapting, &START, &grads));
    }
}

#[test]
fn it_is_sgd_at_a_rate_of_its_own_in_every_step() {
    // The rate is computed here from the parameters before each step.
    let grads = gradients(72, 60, 4);
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    for (nesterov, dampening) in [(false, 0.0), (true, 0.0), (false, 0.25)] {
        for norms in [LarsNorms::OfSum, LarsNorms::Sum] {
            let rule = Lars {
                lr: 0.5,
                momentum: 0.9,
                nesterov,
                dampening,
                weight_decay: 0.1,
                trust_coefficient: 0.02,
                eps: 0.3,
                norms,
                ..Lars::default()
            };
            let mut sgd = Optimizer::new(Sgd {
                momentum: 0.9,
                nesterov,
                dampening,
                weight_decay: 0.1,
                lr_at: LrAt::Inside,
                ..Sgd::default()
            });
            let mut theta = START.to_vec();
            let mut expected = Vec::new();
            for g in &grads {
                let decayed: Vec<f64> = g.iter().zip(&theta).map(|(g, x)| g + 0.1 * x).collect();
                let divisor = match norms {
                    LarsNorms::OfSum => norm(&decayed),
                    LarsNorms::Sum => norm(g) + 0.1 * norm(&theta),
                };
                sgd.rule.lr = 0.5 * 0.02 * norm(&theta) / (divisor + 0.3);
                sgd.step(&mut theta, g).unwrap();
                expected.push(theta.clone());
            }
            assert_close(&trajectory_from(rule, &START, &grads), &expected, 1e-12);
        }
    }
}

#[test]
fn velocities_by_hand() {
    // At zero and without decay the local rate is 1, so that the first step is SGD's; gradients stay 8 on, and the second is scaled.
    let rule = Lars {
        lr: 1.0,
        momentum: 0.5,
        trust_coefficient: 1.0,
        ..Lars::default()
    };
    // b = 8, then 4 + 8.
    let path = |rule| trajectory(rule, &[vec![8.0], vec![8.0]]).concat();
    assert_eq!(path(rule), [-8.0, -20.0]);
    let dampened = Lars {
        dampening: 0.25,
        ..rule
    };
    assert_eq!(path(dampened), [-8.0, -18.0]);
    let nesterov = Lars {
        nesterov: true,
        ..rule
    };
    // 8 + 4; then ‖θ‖ = 12, b = 4 + 12, 12 + 8.
    assert_eq!(path(nesterov), [-12.0, -32.0]);
}

#[test]
fn the_place_of_the_rate_is_seen_when_it_changes() {
    let grads = gradients(73, 40, 4);
    let outside = Lars {
        lr: 0.125,
        weight_decay: 0.01,
        lr_at: LrAt::Outside,
        ..Lars::default()
    };
    let inside = Lars {
        lr_at: LrAt::Inside,
        ..outside
    };
    let expected = trajectory_from(outside, &START, &grads);
    assert_eq!(trajectory_from(inside, &START, &grads), expected);
    let after = |lr_at| {
        let mut theta = [0.0];
        let mut opt = Optimizer::new(Lars {
            lr: 1.0,
            momentum: 0.5,
            lr_at,
            ..Lars::default()
        });
        opt.step(&mut theta, &[4.0]).unwrap();
        opt.rule.set_lr(0.0);
        opt.step(&mut theta, &[4.0]).unwrap();
        theta[0]
    };
    assert_eq!(after(LrAt::Outside), -4.0);
    assert_eq!(after(LrAt::Inside), -6.0);
}

#[test]
fn without_momentum_the_rate_has_one_place_and_nothing_is_dampened() {
    let grads = gradients(74, 20, 4);
    let rule = Lars {
        lr: 0.125,
        momentum: 0.0,
        ..Lars::default()
    };
    let other = Lars {
        dampening: 0.5,
        lr_at: LrAt::Outside,
        ..rule
    };
    let expected = trajectory_from(rule, &START, &grads);
    assert_eq!(trajectory_from(other, &START, &grads), expected);
}

#[test]
fn parameters_and_steps_have_one_scale() {
    // Twice the parameters, any scale of the gradients: twice the path.
    let grads = gradients(75, 40, 4);
    let small: Vec<Vec<f64>> = (grads.iter())
        .map(|g| g.iter().map(|g| g / 1024.0).collect())
        .collect();
    let twice = START.map(|x| 2.0 * x);
    let expected: Vec<Vec<f64>> = (trajectory_from(Lars::default(), &START, &grads).iter())
        .map(|theta| theta.iter().map(|x| 2.0 * x).collect())
        .collect();
    assert_eq!(trajectory_from(Lars::default(), &twice, &small), expected);
}

#[test]
fn it_comes_down_a_bowl_in_shares_of_its_norm() {
    let rule = Lars {
        lr: 10.0,
        momentum: 0.0,
        ..Lars::default()
    };
    // On a round bowl each step takes a hundredth of the norm.
    for (steps, expected) in [(1, 0.99_f64), (500, 0.99_f64.powi(500))] {
        let bowl = on_a_bowl(rule, &[2.0, 2.0, 2.0], steps);
        assert!(bowl.iter().all(|x| (x / expected - 1.0).abs() < 1e-12));
    }
    // More than twice the norm in one step, and it diverges.
    let far = on_a_bowl(Lars { lr: 2100.0, ..rule }, &[2.0, 2.0, 2.0], 200);
    assert!(far.iter().all(|x| x.abs() > 1e6), "{far:?}");
}

#[test]
fn it_refuses_nonsense() {
    let rule = Lars::default();
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        let (lr, eps, weight_decay, trust_coefficient) = (bad, bad, bad, bad);
        assert_refuses(Lars { lr, ..rule }, "lr");
        assert_refuses(Lars { eps, ..rule }, "eps");
        let decaying = Lars {
            weight_decay,
            ..rule
        };
        assert_refuses(decaying, "weight_decay");
        let trusting = Lars {
            trust_coefficient,
            ..rule
        };
        assert_refuses(trusting, "trust_coefficient");
    }
    for bad in [-0.1, 1.5, f64::NAN] {
        let (momentum, dampening) = (bad, bad);
        assert_refuses(Lars { momentum, ..rule }, "momentum");
        assert_refuses(Lars { dampening, ..rule }, "dampening");
    }
    let nesterov = Lars {
        nesterov: true,
        ..rule
    };
    let momentum = 0.0;
    assert_refuses(
        Lars {
            momentum,
            ..nesterov
        },
        "momentum",
    );
    let bad = Lars {
        dampening: 0.5,
        ..nesterov
    };
    assert_refuses(bad, "dampening");
    let message = bad.validate().unwrap_err().to_string();
    let expected = "Lars: `dampening` is 0.5, but must be 0 with Nesterov's momentum";
    assert_eq!(message, expected);
}

#[test]
fn the_edges_of_the_settings_are_allowed() {
    let rule = Lars {
        momentum: 1.0,
        dampening: 1.0,
        ..plain()
    };
    let path = trajectory_from(rule, &[4.0], &[vec![1.0], vec![1.0]]).concat();
    // The first gradient is taken up whole, the second not at all: 0.5 · 0.25 · 4 twice.
    assert_eq!(path, [3.5, 3.0]);
    let nothing = Lars {
        trust_coefficient: 0.0,
        ..plain()
    };
    assert_eq!(first_step(nothing, [1.0, 1.0]), [3.0, 4.0]);
}
