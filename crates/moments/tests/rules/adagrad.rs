use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
};
use moments::{AdaGrad, EpsSide, Initial, Optimizer, Rule};

const START: [f64; 4] = [1.0, -0.5, 0.25, -2.0];

/// Without anything that blurs the sums.
fn bare() -> AdaGrad {
    AdaGrad {
        lr: 0.5,
        eps: 0.0,
        ..AdaGrad::default()
    }
}

#[test]
fn presets_are_the_libraries_defaults() {
    let torch = AdaGrad {
        lr: 1e-2,
        lr_decay: 0.0,
        initial_accumulator: 0.0,
        eps: 1e-10,
        eps_at: EpsSide::Outside,
        weight_decay: 0.0,
    };
    assert_eq!(AdaGrad::default(), torch);
    assert_eq!(AdaGrad::torch(), torch);
    let optax = AdaGrad {
        initial_accumulator: 0.1,
        eps: 1e-7,
        eps_at: EpsSide::Inside,
        ..torch
    };
    assert_eq!(AdaGrad::optax(), optax);
    let mut rule = optax;
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "AdaGrad"));
    assert!(rule.is_non_negative("sum"));
}

#[test]
fn it_is_the_paper_s_norm_of_all_gradients_so_far() {
    // Duchi et al. (2011): the norm over the steps of one coordinate, summed anew at each.
    let grads = gradients(41, 50, 4);
    let rule = AdaGrad {
        lr: 0.1,
        eps: 0.05,
        ..AdaGrad::default()
    };
    let mut theta = START.to_vec();
    let mut expected = Vec::new();
    for t in 0..grads.len() {
        for (i, theta) in theta.iter_mut().enumerate() {
            let sum: f64 = grads[..=t].iter().map(|g| g[i] * g[i]).sum();
            *theta -= 0.1 * grads[t][i] / (0.05 + sum.sqrt());
        }
        expected.push(theta.clone());
    }
    assert_close(&trajectory_from(rule, &START, &grads), &expected, 1e-12);
}

#[test]
fn the_first_step_is_lr_long() {
    for scale in [1e-100, 1.0, 1e100] {
        let path = trajectory(bare(), &[vec![3.0 * scale, -scale]]);
        assert_eq!(path, [[-0.5, 0.5]]);
    }
}

#[test]
fn a_constant_gradient_takes_steps_of_lr_over_the_root_of_t() {
    let path = trajectory(bare(), &vec![vec![2.0]; 100]).concat();
    let mut before = 0.0;
    for (t, theta) in (1..).zip(path) {
        let step: f64 = before - theta;
        assert!((step - 0.5 / f64::from(t).sqrt()).abs() < 1e-14, "{t}");
        before = theta;
    }
}

#[test]
fn the_scale_of_the_gradient_does_not_matter_without_eps() {
    let grads = gradients(42, 60, 4);
    let scaled: Vec<Vec<f64>> = grads
        .iter()
        .map(|g| g.iter().map(|g| 1024.0 * g).collect())
        .collect();
    assert_eq!(trajectory(bare(), &grads), trajectory(bare(), &scaled));
}

#[test]
fn a_gradient_of_zero_changes_nothing() {
    let mut theta = [1.0];
    let mut opt = Optimizer::new(bare());
    opt.step(&mut theta, &[4.0]).unwrap();
    assert_eq!((theta, opt.state("sum")), ([0.5], Some(&[16.0][..])));
    for _ in 0..10 {
        opt.step(&mut theta, &[0.0]).unwrap();
        assert_eq!((theta, opt.state("sum")), ([0.5], Some(&[16.0][..])));
    }
}

#[test]
fn eps_alone_holds_an_entry_that_never_had_a_gradient() {
    let path = |rule| trajectory(rule, &[vec![0.0], vec![0.0]]).concat();
    assert_eq!(path(AdaGrad::torch()), [0.0, 0.0]);
    let inside = AdaGrad {
        initial_accumulator: 0.0,
        ..AdaGrad::optax()
    };
    assert_eq!(path(inside), [0.0, 0.0]);
    let accumulator = AdaGrad {
        initial_accumulator: 1.0,
        ..bare()
    };
    assert_eq!(path(accumulator), [0.0, 0.0]);
    assert!(path(bare())[0].is_nan());
}

#[test]
fn eps_is_added_to_the_root_or_within_it() {
    // A gradient of 3: 9 + 16 inside, 3 + 16 outside.
    let first = |eps_at| {
        let rule = AdaGrad {
            lr: 1.0,
            eps: 16.0,
            eps_at,
            ..bare()
        };
        trajectory(rule, &[vec![3.0]])[0][0]
    };
    assert_eq!(first(EpsSide::Inside), -3.0 / 5.0);
    assert_eq!(first(EpsSide::Outside), -3.0 / 19.0);
}

#[test]
fn the_accumulator_counts_as_a_gradient_before_the_first() {
    let with = AdaGrad {
        initial_accumulator: 9.0,
        ..bare()
    };
    assert_eq!(with.initial("sum"), Initial::Value(9.0));
    assert_eq!(bare().initial("sum"), Initial::Zero);
    let later = trajectory(with, &[vec![4.0], vec![12.0]]).concat();
    let all = trajectory(bare(), &[vec![3.0], vec![4.0], vec![12.0]]).concat();
    assert_eq!(later[0], -0.5 * 4.0 / 5.0);
    assert!((later[1] - (all[2] - all[0])).abs() < 1e-15);
}

#[test]
fn lr_decay_divides_the_rate_from_the_second_step_on() {
    // The roots are 3, 5 and 13; the rate is 1/2, 1/2 over 3, 1/2 over 5.
    let rule = AdaGrad {
        lr_decay: 2.0,
        ..bare()
    };
    let path = trajectory(rule, &[vec![3.0], vec![4.0], vec![12.0]]).concat();
    let first = -0.5;
    let second = first - 0.5 / 3.0 * 4.0 / 5.0;
    let third = second - 0.5 / 5.0 * 12.0 / 13.0;
    assert_close(&[path], &[vec![first, second, third]], 1e-15);
}

#[test]
fn weight_decay_is_a_part_of_the_gradient_and_of_the_sum() {
    let rule = AdaGrad {
        weight_decay: 0.5,
        ..bare()
    };
    let mut theta = [4.0];
    let mut opt = Optimizer::new(rule);
    opt.step(&mut theta, &[1.0]).unwrap();
    assert_eq!((theta, opt.state("sum")), ([3.5], Some(&[9.0][..])));
    let mut theta = [4.0];
    let mut opt = Optimizer::new(AdaGrad { eps: 1.0, ..rule });
    opt.step(&mut theta, &[0.0]).unwrap();
    assert_eq!(theta, [4.0 - 0.5 * 2.0 / 3.0]);
}

#[test]
fn the_denominator_is_what_the_step_was_divided_by() {
    for eps_at in [EpsSide::Inside, EpsSide::Outside] {
        let rule = AdaGrad {
            lr_decay: 1.0,
            eps: 7.0,
            eps_at,
            ..bare()
        };
        // At step 3 the rate is a third, which counts as three times the denominator.
        let found = rule.denominator(3, &[9.0]).unwrap();
        assert_eq!(found.root, 9.0);
        let full = if eps_at == EpsSide::Inside {
            12.0
        } else {
            30.0
        };
        assert_eq!(found.full, full);
        assert_eq!(rule.denominator(1, &[]), None);
    }
}

#[test]
fn it_comes_down_a_bowl_of_any_curvature_at_the_same_pace() {
    let bowl = on_a_bowl(bare(), &[1e-6, 1.0, 1e6], 2000);
    assert!(bowl.iter().all(|x| x.abs() < 1e-9), "{bowl:?}");
    // A decay of the rate that is too fast stops it on the way: the steps are at most lr/(1 + 100 (t - 1)).
    let stopped = AdaGrad {
        lr: 0.1,
        lr_decay: 100.0,
        ..bare()
    };
    assert!(on_a_bowl(stopped, &[1.0], 2000)[0] > 0.8);
}

#[test]
fn it_refuses_nonsense() {
    let rule = AdaGrad::default();
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        let (lr, lr_decay, initial_accumulator, eps, weight_decay) = (bad, bad, bad, bad, bad);
        assert_refuses(AdaGrad { lr, ..rule }, "lr");
        assert_refuses(AdaGrad { lr_decay, ..rule }, "lr_decay");
        let accumulator = AdaGrad {
            initial_accumulator,
            ..rule
        };
        assert_refuses(accumulator, "initial_accumulator");
        assert_refuses(AdaGrad { eps, ..rule }, "eps");
        let decaying = AdaGrad {
            weight_decay,
            ..rule
        };
        assert_refuses(decaying, "weight_decay");
    }
    let message = AdaGrad { eps: -1.0, ..rule }.validate().unwrap_err();
    let expected = "AdaGrad: `eps` is -1, but must be finite and at least 0";
    assert_eq!(message.to_string(), expected);
}

#[test]
fn the_edges_of_the_settings_are_allowed() {
    let rule = AdaGrad { lr: 0.0, ..bare() };
    assert_eq!(trajectory(rule, &[vec![1.0]]), [[0.0]]);
}
