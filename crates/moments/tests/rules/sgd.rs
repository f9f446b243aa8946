use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
    trajectory_with_penalty,
};
use moments::{DecayScale, LrAt, Momentum, Optimizer, Rule, Sgd, SgdDecay};

const START: [f64; 4] = [1.0, -0.5, 0.25, -2.0];

fn momentum() -> Sgd {
    Sgd {
        lr: 0.1,
        momentum: 0.5,
        ..Sgd::default()
    }
}

/// The parameter after each step from 0, one gradient after the other.
fn path(rule: Sgd, grads: &[f64]) -> Vec<f64> {
    let grads: Vec<_> = grads.iter().map(|&g| vec![g]).collect();
    trajectory(rule, &grads).concat()
}

#[test]
fn presets_are_the_libraries_defaults() {
    let torch = Sgd {
        lr: 1e-3,
        momentum: 0.0,
        convention: Momentum::HeavyBall,
        dampening: 0.0,
        nesterov: false,
        lr_at: LrAt::Outside,
        weight_decay: 0.0,
        decay: SgdDecay::Coupled,
        decay_scale: DecayScale::Lr,
    };
    assert_eq!(Sgd::default(), torch);
    assert_eq!(Sgd::torch(), torch);
    assert_eq!(Sgd::optax(), torch);
    let sgdw = Sgd {
        momentum: 0.9,
        lr_at: LrAt::Inside,
        weight_decay: 1e-5,
        decay: SgdDecay::Decoupled,
        decay_scale: DecayScale::Multiplier { peak_lr: 1e-3 },
        ..torch
    };
    assert_eq!(Sgd::sgdw(), sgdw);
}

#[test]
fn names_and_state_say_whether_there_is_momentum() {
    let plain = Sgd::default();
    assert_eq!((plain.name(), plain.state_names(&[1]).len()), ("SGD", 0));
    let heavy = momentum();
    assert_eq!(heavy.name(), "SGD with momentum");
    assert_eq!(heavy.state_names(&[1]), ["momentum_buffer"]);
    let nesterov = Sgd {
        nesterov: true,
        ..heavy
    };
    assert_eq!(nesterov.name(), "SGD with Nesterov momentum");
    let mut rule = plain;
    rule.set_lr(0.25);
    assert_eq!((rule.lr, rule.lr()), (0.25, 0.25));
    assert_eq!(heavy.denominator(1, &[1.0]), None);
}

#[test]
fn a_plain_step_is_lr_times_the_gradient() {
    let rule = Sgd {
        lr: 0.5,
        ..Sgd::default()
    };
    assert_eq!(path(rule, &[1.0, -4.0, 0.0]), [-0.5, 1.5, 1.5]);
}

#[test]
fn the_four_velocities_by_hand() {
    // Gradients 8, 0, 4 at lr 1 and mu 1/2.
    let rule = |convention, nesterov| Sgd {
        lr: 1.0,
        convention,
        nesterov,
        ..momentum()
    };
    let by_hand = [
        // b = 8, 4, 6
        (Momentum::HeavyBall, false, [-8.0, -12.0, -18.0]),
        // g + b/2 = 12, 2, 7
        (Momentum::HeavyBall, true, [-12.0, -14.0, -21.0]),
        // b = 4, 2, 3
        (Momentum::Ema, false, [-4.0, -6.0, -9.0]),
        // g/2 + b/2 = 6, 1, 3.5
        (Momentum::Ema, true, [-6.0, -7.0, -10.5]),
    ];
    for (convention, nesterov, expected) in by_hand {
        let found = path(rule(convention, nesterov), &[8.0, 0.0, 4.0]);
        assert_eq!(found, expected, "{convention:?} {nesterov}");
    }
}

#[test]
fn dampening_spares_the_first_gradient_alone() {
    // b = 8, then 4 + 6, then 5 + 3.
    let rule = Sgd {
        lr: 1.0,
        dampening: 0.25,
        ..momentum()
    };
    assert_eq!(path(rule, &[8.0, 8.0, 4.0]), [-8.0, -18.0, -26.0]);
    let all = Sgd {
        dampening: 1.0,
        ..rule
    };
    assert_eq!(path(all, &[8.0, 8.0, 4.0]), [-8.0, -12.0, -14.0]);
}

#[test]
fn without_momentum_there_is_nothing_to_dampen_and_the_rate_has_one_place() {
    let grads = gradients(31, 40, 4);
    let plain = Sgd {
        lr: 0.3,
        weight_decay: 0.2,
        ..Sgd::default()
    };
    let other = Sgd {
        dampening: 0.75,
        lr_at: LrAt::Inside,
        ..plain
    };
    let expected = trajectory_from(plain, &START, &grads);
    assert_eq!(trajectory_from(other, &START, &grads), expected);
}

#[test]
fn nesterov_is_the_paper_s_two_sequences() {
    // Sutskever et al. (2013), equations 3 and 4, with the gradient where the velocity would lead; our parameters are that point.
    let (lr, mu, curvature) = (0.05, 0.9, 2.0);
    let rule = Sgd {
        lr,
        momentum: mu,
        nesterov: true,
        ..Sgd::default()
    };
    let mut theta = [1.0_f64];
    let mut opt = Optimizer::new(rule);
    let (mut w, mut v) = (1.0, 0.0);
    for _ in 0..60 {
        let ahead: f64 = w + mu * v;
        assert!((theta[0] - ahead).abs() < 1e-14, "{} {ahead}", theta[0]);
        v = mu * v - lr * curvature * ahead;
        w += v;
        let grad = [curvature * theta[0]];
        opt.step(&mut theta, &grad).unwrap();
    }
}

#[test]
fn at_a_constant_rate_its_place_changes_the_unit_of_the_velocity_alone() {
    let grads = gradients(32, 80, 4);
    for (convention, nesterov, dampening) in [
        (Momentum::HeavyBall, false, 0.0),
        (Momentum::HeavyBall, false, 0.5),
        (Momentum::HeavyBall, true, 0.0),
        (Momentum::Ema, true, 0.0),
    ] {
        // A power of two, so that the two are the same to the bit.
        let outside = Sgd {
            lr: 0.125,
            convention,
            nesterov,
            dampening,
            weight_decay: 0.25,
            ..momentum()
        };
        let inside = Sgd {
            lr_at: LrAt::Inside,
            ..outside
        };
        let expected = trajectory_from(outside, &START, &grads);
        assert_eq!(trajectory_from(inside, &START, &grads), expected);
        let mut velocities = [outside, inside].map(|rule| {
            let mut opt = Optimizer::new(rule);
            opt.step(&mut [1.0], &[3.0]).unwrap();
            opt.state("momentum_buffer").unwrap()[0]
        });
        velocities[0] *= 0.125;
        assert_eq!(velocities[0], velocities[1]);
    }
}

#[test]
fn a_rate_of_zero_stops_at_once_outside_and_coasts_inside() {
    let after = |lr_at| {
        let rule = Sgd {
            lr: 1.0,
            lr_at,
            ..momentum()
        };
        let mut theta = [0.0];
        let mut opt = Optimizer::new(rule);
        opt.step(&mut theta, &[4.0]).unwrap();
        opt.rule.set_lr(0.0);
        opt.step(&mut theta, &[100.0]).unwrap();
        opt.step(&mut theta, &[100.0]).unwrap();
        theta[0]
    };
    assert_eq!(after(LrAt::Outside), -4.0);
    assert_eq!(after(LrAt::Inside), -7.0); // 4 + 2 + 1
}

#[test]
fn coupled_decay_is_a_gradient_of_its_own() {
    let grads = vec![gradients(33, 1, 4).remove(0); 30];
    for convention in [Momentum::HeavyBall, Momentum::Ema] {
        let rule = Sgd {
            weight_decay: 0.5,
            convention,
            ..momentum()
        };
        let bare = Sgd {
            weight_decay: 0.0,
            ..rule
        };
        let by_hand = trajectory_with_penalty(bare, 0.5, &START, &grads);
        assert_eq!(trajectory_from(rule, &START, &grads), by_hand);
    }
}

#[test]
fn decoupled_decay_takes_no_part_in_the_velocity() {
    let rule = Sgd {
        lr: 0.5,
        weight_decay: 0.5,
        decay: SgdDecay::Decoupled,
        ..momentum()
    };
    // No gradient: three quarters remain of theta after each step, whatever the momentum.
    let path = trajectory_from(rule, &[64.0], &vec![vec![0.0]; 3]);
    assert_eq!(path.concat(), [48.0, 36.0, 27.0]);
    // The coupled decay goes on by its momentum: b = 32, then 16 + 24.
    let coupled = Sgd {
        decay: SgdDecay::Coupled,
        ..rule
    };
    let path = trajectory_from(coupled, &[64.0], &vec![vec![0.0]; 2]);
    assert_eq!(path.concat(), [48.0, 28.0]);
    // With a gradient, velocities are those without decay.
    let mut opt = Optimizer::new(rule);
    let mut theta = [64.0];
    opt.step(&mut theta, &[8.0]).unwrap();
    assert_eq!(
        (theta, opt.state("momentum_buffer").unwrap()[0]),
        ([44.0], 8.0)
    );
}

#[test]
fn without_momentum_both_decays_are_the_same_in_real_arithmetic() {
    let grads = gradients(34, 60, 4);
    let rule = |decay| Sgd {
        lr: 0.1,
        weight_decay: 0.7,
        decay,
        ..Sgd::default()
    };
    let coupled = trajectory_from(rule(SgdDecay::Coupled), &START, &grads);
    let decoupled = trajectory_from(rule(SgdDecay::Decoupled), &START, &grads);
    assert_close(&coupled, &decoupled, 1e-12);
    let with_momentum = |decay| Sgd {
        momentum: 0.9,
        ..rule(decay)
    };
    let coupled = trajectory_from(with_momentum(SgdDecay::Coupled), &START, &grads);
    let decoupled = trajectory_from(with_momentum(SgdDecay::Decoupled), &START, &grads);
    assert!((coupled[59][0] - decoupled[59][0]).abs() > 1e-3);
}

#[test]
fn the_multiplier_alone_scales_the_decay_of_sgdw() {
    for peak_lr in [1e-3, 0.25, 8.0] {
        let rule = Sgd {
            lr: peak_lr / 2.0,
            weight_decay: 0.25,
            decay_scale: DecayScale::Multiplier { peak_lr },
            ..Sgd::sgdw()
        };
        let path = trajectory_from(rule, &[64.0], &vec![vec![0.0]; 2]);
        assert_eq!(path.concat(), [56.0, 49.0]);
        // A coupled decay is scaled by nothing but the rate.
        let coupled = Sgd {
            momentum: 0.0,
            decay: SgdDecay::Coupled,
            ..rule
        };
        let first = trajectory_from(coupled, &[64.0], &[vec![0.0]])[0][0];
        assert_eq!(first, 64.0 - peak_lr / 2.0 * 16.0);
    }
}

#[test]
fn it_converges_below_the_theoretical_rate_and_diverges_above_it() {
    // On curvature a the plain step converges for lr < 2/a, the heavy ball for lr < 2 (1 + mu)/a.
    let curvatures = [0.5, 4.0];
    for (mu, limit) in [(0.0, 0.5), (0.5, 0.75), (0.9, 0.95)] {
        let rule = |lr| Sgd {
            lr,
            momentum: mu,
            ..Sgd::default()
        };
        let near = on_a_bowl(rule(0.98 * limit), &curvatures, 2000);
        assert!(near.iter().all(|x| x.abs() < 1e-6), "{mu}: {near:?}");
        let far = on_a_bowl(rule(1.02 * limit), &curvatures, 2000);
        assert!(far[0].abs() < 1e-6 && far[1].abs() > 1e3, "{mu}: {far:?}");
    }
}

#[test]
fn it_refuses_nonsense() {
    let rule = momentum();
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(Sgd { lr: bad, ..rule }, "lr");
        let weight_decay = bad;
        assert_refuses(
            Sgd {
                weight_decay,
                ..rule
            },
            "weight_decay",
        );
    }
    for bad in [-0.1, 1.5, f64::NAN] {
        let (momentum, dampening) = (bad, bad);
        assert_refuses(Sgd { momentum, ..rule }, "momentum");
        assert_refuses(Sgd { dampening, ..rule }, "dampening");
    }
    let nesterov = Sgd {
        momentum: 0.0,
        nesterov: true,
        ..rule
    };
    assert_refuses(nesterov, "momentum");
    let dampening = 0.5;
    for (convention, nesterov) in [(Momentum::HeavyBall, true), (Momentum::Ema, false)] {
        let bad = Sgd {
            convention,
            nesterov,
            dampening,
            ..rule
        };
        assert_refuses(bad, "dampening");
        let message = bad.validate().unwrap_err().to_string();
        let expected = "Sgd: `dampening` is 0.5, but must be 0 with Nesterov's momentum or the EMA";
        assert_eq!(message, expected);
    }
    for peak_lr in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let decay_scale = DecayScale::Multiplier { peak_lr };
        let bad = Sgd {
            decay_scale,
            ..rule
        };
        assert_refuses(bad, "peak_lr");
        let message = bad.validate().unwrap_err().to_string();
        assert!(message.starts_with("Sgd: `peak_lr`"), "{message}");
    }
}

#[test]
fn the_edges_of_the_settings_are_allowed() {
    let rule = Sgd {
        lr: 0.0,
        momentum: 1.0,
        dampening: 1.0,
        ..Sgd::default()
    };
    assert_eq!(path(rule, &[1.0, 1.0]), [0.0, 0.0]);
    let nesterov = Sgd {
        lr: 1.0,
        momentum: 1.0,
        nesterov: true,
        ..Sgd::default()
    };
    assert_eq!(path(nesterov, &[1.0, 1.0]), [-2.0, -5.0]);
}
