use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
};
use moments::{Adam, BiasCorrection, EpsSide, Initial, LrAt, Optimizer, RmsProp, Rule};

const START: [f64; 4] = [1.0, -0.5, 0.25, -2.0];

/// Without memory: v is the last squared gradient.
fn memoryless() -> RmsProp {
    RmsProp {
        lr: 1.0,
        alpha: 0.0,
        eps: 0.0,
        ..RmsProp::default()
    }
}

fn path(rule: RmsProp, grads: &[f64]) -> Vec<f64> {
    let grads: Vec<_> = grads.iter().map(|&g| vec![g]).collect();
    trajectory(rule, &grads).concat()
}

#[test]
fn presets_are_the_libraries_defaults() {
    let torch = RmsProp {
        lr: 1e-2,
        alpha: 0.99,
        eps: 1e-8,
        eps_at: EpsSide::Outside,
        centered: false,
        bias_correction: false,
        initial_square: 0.0,
        momentum: 0.0,
        nesterov: false,
        lr_at: LrAt::Outside,
        weight_decay: 0.0,
    };
    assert_eq!(RmsProp::default(), torch);
    assert_eq!(RmsProp::torch(), torch);
    let optax = RmsProp {
        alpha: 0.9,
        eps_at: EpsSide::Inside,
        lr_at: LrAt::Inside,
        ..torch
    };
    assert_eq!(RmsProp::optax(), optax);
    let paper = RmsProp {
        lr: 1e-4,
        alpha: 0.95,
        eps: 1e-4,
        centered: true,
        momentum: 0.9,
        ..optax
    };
    assert_eq!(RmsProp::paper(), paper);
    let mut rule = torch;
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "RMSProp"));
}

#[test]
fn state_is_what_the_options_need() {
    let names = |centered, momentum| {
        let rule = RmsProp {
            centered,
            momentum,
            ..RmsProp::default()
        };
        rule.state_names(&[1]).to_vec()
    };
    assert_eq!(names(false, 0.0), ["square_avg"]);
    assert_eq!(names(true, 0.0), ["square_avg", "grad_avg"]);
    assert_eq!(names(false, 0.5), ["square_avg", "momentum_buffer"]);
    let all = ["square_avg", "grad_avg", "momentum_buffer"];
    assert_eq!(names(true, 0.5), all);
    let rule = RmsProp {
        initial_square: 4.0,
        ..RmsProp::default()
    };
    assert_eq!(
        all.map(|name| rule.is_non_negative(name)),
        [true, false, false]
    );
    assert_eq!(rule.initial("square_avg"), Initial::Value(4.0));
    assert_eq!(rule.initial("grad_avg"), Initial::Zero);
    assert_eq!(rule.initial("momentum_buffer"), Initial::Zero);
    assert_eq!(RmsProp::default().initial("square_avg"), Initial::Zero);
}

#[test]
fn without_momentum_it_is_adam_without_a_first_moment() {
    let grads = gradients(51, 80, 4);
    for (bias_correction, of_adam) in [
        (true, BiasCorrection::Both),
        (false, BiasCorrection::Neither),
    ] {
        for (eps_at, eps, eps_root) in [(EpsSide::Outside, 0.01, 0.0), (EpsSide::Inside, 0.0, 0.01)]
        {
            let rule = RmsProp {
                lr: 0.1,
                alpha: 0.9,
                eps: 0.01,
                eps_at,
                bias_correction,
                weight_decay: 0.25,
                ..RmsProp::default()
            };
            let adam = Adam {
                lr: 0.1,
                beta1: 0.0,
                beta2: 0.9,
                eps,
                eps_root,
                bias_correction: of_adam,
                weight_decay: 0.25,
                ..Adam::default()
            };
            let expected = trajectory_from(adam, &START, &grads);
            assert_close(&trajectory_from(rule, &START, &grads), &expected, 1e-11);
        }
    }
}

#[test]
fn centring_divides_by_the_weighted_standard_deviation() {
    // The slow form: the averages as sums over all steps, the variance around the average.
    let grads = gradients(52, 60, 4);
    let alpha = 0.9_f64;
    let rule = RmsProp {
        lr: 0.1,
        alpha,
        eps: 0.01,
        centered: true,
        bias_correction: true,
        ..RmsProp::default()
    };
    let mut theta = START.to_vec();
    let mut expected = Vec::new();
    for t in 0..grads.len() {
        for (i, theta) in theta.iter_mut().enumerate() {
            let weights: Vec<f64> = (0..=t).map(|s| alpha.powi((t - s) as i32)).collect();
            let total: f64 = weights.iter().sum();
            let so_far = || weights.iter().zip(&grads);
            let mean = so_far().map(|(w, g)| w * g[i]).sum::<f64>() / total;
            let spread = so_far()
                .map(|(w, g)| w * (g[i] - mean).powi(2))
                .sum::<f64>()
                / total;
            *theta -= 0.1 * grads[t][i] / (spread.sqrt() + 0.01);
        }
        expected.push(theta.clone());
    }
    // The variance of one gradient is 0 only up to rounding, and its root is 1e-8; the step is a hundred times the gradient there.
    assert_close(&trajectory_from(rule, &START, &grads), &expected, 1e-5);
}

#[test]
fn a_variance_below_zero_by_rounding_is_zero() {
    // With a constant gradient the corrected variance is rounding noise, often below zero.
    let rule = RmsProp {
        lr: 1e-3,
        alpha: 0.9,
        eps: 1.0,
        centered: true,
        bias_correction: true,
        ..RmsProp::default()
    };
    for g in [0.1, 0.3, 0.7, 1.1] {
        for (t, theta) in (1..).zip(path(rule, &[g; 200])) {
            assert!(
                (theta + 1e-3 * g * f64::from(t)).abs() < 1e-7,
                "{g} {t} {theta}"
            );
        }
    }
}

#[test]
fn the_first_step_is_lr_over_the_root_of_one_minus_alpha() {
    let rule = RmsProp {
        lr: 0.1,
        alpha: 0.75,
        eps: 0.0,
        ..RmsProp::default()
    };
    for scale in [1e-100, 1.0, 1e100] {
        let first = trajectory(rule, &[vec![scale, -2.0 * scale]]);
        assert_close(&first, &[vec![-0.2, 0.2]], 1e-15);
    }
    let corrected = RmsProp {
        bias_correction: true,
        ..rule
    };
    assert_close(&trajectory(corrected, &[vec![5.0]]), &[vec![-0.1]], 1e-15);
    // Centred: v - m^2 = (1/4 - 1/16) g^2.
    let centered = RmsProp {
        centered: true,
        ..rule
    };
    let expected = -0.1 / (3.0_f64 / 16.0).sqrt();
    assert_close(
        &trajectory(centered, &[vec![5.0]]),
        &[vec![expected]],
        1e-15,
    );
}

#[test]
fn eps_is_added_to_the_root_or_within_it() {
    let first = |eps_at| {
        let rule = RmsProp {
            eps: 16.0,
            eps_at,
            ..memoryless()
        };
        path(rule, &[3.0])[0]
    };
    assert_eq!(first(EpsSide::Inside), -3.0 / 5.0);
    assert_eq!(first(EpsSide::Outside), -3.0 / 19.0);
}

#[test]
fn the_initial_square_fades_by_alpha() {
    let rule = RmsProp {
        alpha: 0.5,
        initial_square: 32.0,
        ..memoryless()
    };
    let mut theta = [0.0];
    let mut opt = Optimizer::new(rule);
    for v in [16.0, 8.0, 4.0] {
        opt.step(&mut theta, &[0.0]).unwrap();
        assert_eq!((theta, opt.state("square_avg")), ([0.0], Some(&[v][..])));
    }
    opt.step(&mut theta, &[f64::sqrt(14.0)]).unwrap(); // v = 2 + 7
    assert!((theta[0] + f64::sqrt(14.0) / 3.0).abs() < 1e-15);
}

#[test]
fn momentum_sums_normalised_gradients() {
    // Every normalised gradient is 1: b = 1, 1.5, 1.75.
    let heavy = RmsProp {
        momentum: 0.5,
        ..memoryless()
    };
    assert_eq!(path(heavy, &[4.0, 0.25, 100.0]), [-1.0, -2.5, -4.25]);
    // 1 + b/2 = 1.5, 1.75, 1.875.
    let nesterov = RmsProp {
        nesterov: true,
        ..heavy
    };
    assert_eq!(path(nesterov, &[4.0, 0.25, 100.0]), [-1.5, -3.25, -5.125]);
    // A gradient against them: b = 1, 1/2 - 1.
    assert_eq!(path(heavy, &[4.0, -3.0]), [-1.0, -0.5]);
}

#[test]
fn the_place_of_the_rate_is_seen_when_it_changes() {
    let grads = gradients(53, 40, 4);
    for (centered, nesterov) in [(false, false), (false, true), (true, false), (true, true)] {
        let outside = RmsProp {
            lr: 0.125,
            momentum: 0.9,
            centered,
            nesterov,
            ..RmsProp::default()
        };
        let inside = RmsProp {
            lr_at: LrAt::Inside,
            ..outside
        };
        let expected = trajectory_from(outside, &START, &grads);
        assert_eq!(trajectory_from(inside, &START, &grads), expected);
        let without = |lr_at| RmsProp {
            momentum: 0.0,
            nesterov: false,
            lr_at,
            ..outside
        };
        let expected = trajectory_from(without(LrAt::Outside), &START, &grads);
        let found = trajectory_from(without(LrAt::Inside), &START, &grads);
        assert_eq!(found, expected);
    }
    let after = |lr_at| {
        let rule = RmsProp {
            momentum: 0.5,
            lr_at,
            ..memoryless()
        };
        let mut theta = [0.0];
        let mut opt = Optimizer::new(rule);
        opt.step(&mut theta, &[7.0]).unwrap();
        opt.rule.set_lr(0.0);
        opt.step(&mut theta, &[7.0]).unwrap();
        theta[0]
    };
    assert_eq!(after(LrAt::Outside), -1.0);
    assert_eq!(after(LrAt::Inside), -1.5);
}

#[test]
fn the_scale_of_the_gradient_does_not_matter_without_eps() {
    let grads = gradients(54, 60, 4);
    let scaled: Vec<Vec<f64>> = grads
        .iter()
        .map(|g| g.iter().map(|g| 1024.0 * g).collect())
        .collect();
    for centered in [false, true] {
        let rule = RmsProp {
            eps: 0.0,
            centered,
            momentum: 0.9,
            ..RmsProp::default()
        };
        assert_eq!(trajectory(rule, &grads), trajectory(rule, &scaled));
    }
}

#[test]
fn weight_decay_is_a_part_of_the_gradient_and_of_its_average() {
    let rule = RmsProp {
        weight_decay: 0.5,
        eps: 1.0,
        centered: true,
        alpha: 0.5,
        ..memoryless()
    };
    let mut theta = [4.0];
    let mut opt = Optimizer::new(rule);
    opt.step(&mut theta, &[2.0]).unwrap(); // g = 4, v = 8, m = 2, root 2
    assert_eq!(opt.state("square_avg"), Some(&[8.0][..]));
    assert_eq!(opt.state("grad_avg"), Some(&[2.0][..]));
    assert_eq!(theta, [4.0 - 4.0 / 3.0]);
}

#[test]
fn the_denominator_is_what_the_step_was_divided_by() {
    for bias_correction in [false, true] {
        for centered in [false, true] {
            for eps_at in [EpsSide::Inside, EpsSide::Outside] {
                let rule = RmsProp {
                    lr: 0.1,
                    alpha: 0.75,
                    eps: 0.25,
                    eps_at,
                    bias_correction,
                    centered,
                    ..RmsProp::default()
                };
                let mut theta = [0.0_f64];
                let mut opt = Optimizer::new(rule);
                for (t, g) in (1..).zip([1.0, -2.0, 0.5, 0.0, 3.0]) {
                    let before = theta[0];
                    opt.step(&mut theta, &[g]).unwrap();
                    let names = rule.state_names(&[1]);
                    let state: Vec<f64> = names
                        .iter()
                        .map(|name| opt.state(name).unwrap()[0])
                        .collect();
                    let bc = if bias_correction {
                        1.0 - 0.75_f64.powi(t)
                    } else {
                        1.0
                    };
                    let t = t as u64;
                    assert!((rule.corrections(t).0 - bc).abs() < 1e-15);
                    assert_eq!(rule.corrections(t).0, rule.corrections(t).1);
                    let mean = if centered { state[1] / bc } else { 0.0 };
                    let variance = (state[0] / bc - mean * mean).max(0.0);
                    let found = rule.denominator(t, &state).unwrap();
                    assert!((found.root - variance.sqrt()).abs() < 1e-12);
                    assert!((before - theta[0] - 0.1 * g / found.full).abs() < 1e-12);
                    let full = match eps_at {
                        EpsSide::Inside => (variance + 0.25).sqrt(),
                        EpsSide::Outside => variance.sqrt() + 0.25,
                    };
                    assert!((found.full - full).abs() < 1e-12);
                }
                assert_eq!(rule.denominator(1, &[]), None);
            }
        }
    }
}

#[test]
fn a_gradient_of_zero_moves_nothing_but_the_averages() {
    for rule in [RmsProp::torch(), RmsProp::optax(), RmsProp::paper()] {
        let path = trajectory_from(rule, &START, &vec![vec![0.0; 4]; 5]);
        assert_eq!(path, vec![START.to_vec(); 5]);
    }
    let no_eps = RmsProp {
        eps: 0.0,
        ..RmsProp::torch()
    };
    assert!(path(no_eps, &[0.0])[0].is_nan());
}

#[test]
fn it_comes_near_the_minimum_of_a_bowl_of_any_curvature() {
    // Steps do not shrink with the gradient: it ends within a few rates of the minimum.
    for rule in [
        RmsProp::torch(),
        RmsProp {
            lr: 1e-3,
            momentum: 0.9,
            ..RmsProp::optax()
        },
    ] {
        let bowl = on_a_bowl(rule, &[1e-3, 1.0, 1e3], 3000);
        assert!(bowl.iter().all(|x| x.abs() < 0.05), "{rule:?}: {bowl:?}");
    }
}

#[test]
fn it_refuses_nonsense() {
    let rule = RmsProp::default();
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        let (lr, eps, initial_square, weight_decay) = (bad, bad, bad, bad);
        assert_refuses(RmsProp { lr, ..rule }, "lr");
        assert_refuses(RmsProp { eps, ..rule }, "eps");
        let initial = RmsProp {
            initial_square,
            ..rule
        };
        assert_refuses(initial, "initial_square");
        let decaying = RmsProp {
            weight_decay,
            ..rule
        };
        assert_refuses(decaying, "weight_decay");
    }
    for alpha in [-0.1, 1.0, f64::NAN] {
        assert_refuses(RmsProp { alpha, ..rule }, "alpha");
    }
    for momentum in [-0.1, 1.5, f64::NAN] {
        assert_refuses(RmsProp { momentum, ..rule }, "momentum");
    }
    let bad = RmsProp {
        nesterov: true,
        ..rule
    };
    assert_refuses(bad, "momentum");
    let message = bad.validate().unwrap_err().to_string();
    let expected = "RmsProp: `momentum` is 0, but must be above 0 where `nesterov` is set";
    assert_eq!(message, expected);
}

#[test]
fn the_edges_of_the_settings_are_allowed() {
    let rule = RmsProp {
        lr: 0.0,
        momentum: 1.0,
        nesterov: true,
        ..memoryless()
    };
    assert_eq!(path(rule, &[1.0, -1.0]), [0.0, 0.0]);
    let sums = RmsProp {
        momentum: 1.0,
        ..memoryless()
    };
    assert_eq!(path(sums, &[1.0, 5.0]), [-1.0, -3.0]);
}
