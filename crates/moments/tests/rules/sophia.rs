use crate::common::{assert_refuses, gradients};
use moments::{Numerator, Optimizer, Rule, Sophia};

const START: [f64; 4] = [1.0, -0.5, 0.25, -2.0];

/// A rule without decay that steps by m / max(h, 1/2), with the settings that a test does not care for.
fn plain() -> Sophia {
    Sophia {
        lr: 0.1,
        beta1: 0.0,
        beta2: 0.0,
        gamma: 1.0,
        eps: 0.5,
        weight_decay: 0.0,
        ..Sophia::default()
    }
}

#[test]
fn presets_are_as_documented() {
    let optax = Sophia {
        lr: 1e-3,
        beta1: 0.965,
        beta2: 0.99,
        gamma: 0.01,
        eps: 1e-8,
        clip: 1.0,
        weight_decay: 1e-4,
        momentum: Numerator::Corrected,
    };
    assert_eq!(Sophia::default(), optax);
    assert_eq!(Sophia::optax(), optax);
    let paper = Sophia {
        beta1: 0.96,
        eps: 1e-12,
        momentum: Numerator::Uncorrected,
        ..optax
    };
    assert_eq!(Sophia::paper(), paper);
}

#[test]
fn without_curvature_every_step_is_a_sign_step() {
    let rule = Sophia {
        weight_decay: 0.0,
        ..Sophia::default()
    };
    let mut theta = [0.0, 0.0, 0.0];
    let mut opt = Optimizer::new(rule);
    for t in 1..=5 {
        opt.step(&mut theta, &[1e-3, -1e3, 0.0]).unwrap();
        let way = 1e-3 * f64::from(t);
        assert!((theta[0] + way).abs() < 1e-15 && (theta[1] - way).abs() < 1e-15);
        assert_eq!(theta[2], 0.0);
    }
}

#[test]
fn no_step_is_longer_than_lr_times_the_clip() {
    let (grads, curvatures) = (gradients(41, 300, 4), gradients(42, 300, 4));
    for clip in [0.25, 1.0, 4.0] {
        let rule = Sophia { clip, ..plain() };
        let mut theta = START;
        let mut opt = Optimizer::new(rule);
        let mut longest = 0.0_f64;
        for (grad, curvature) in grads.iter().zip(&curvatures) {
            let before = theta;
            opt.step(&mut theta, grad).unwrap();
            opt.observe_curvature(curvature).unwrap();
            for (after, before) in theta.iter().zip(before) {
                longest = longest.max((after - before).abs());
            }
        }
        let allowed = 0.1 * clip;
        assert!(longest <= allowed * (1.0 + 1e-12), "{clip} {longest}");
        // |m| / max(h, 1/2) comes up to 2, which the largest of these does not clip.
        let reached = 0.1 * clip.min(2.0);
        assert!(longest > 0.95 * reached, "{clip} {longest}");
    }
}

#[test]
fn both_signs_are_clipped_and_what_is_small_is_not() {
    let mut theta = [0.0; 4];
    let mut opt = Optimizer::new(plain());
    opt.observe_curvature(&[2.0, 2.0, 2.0, -8.0]).unwrap();
    opt.step(&mut theta, &[3.0, -3.0, 1.0, 0.25]).unwrap();
    // A negative curvature counts as eps.
    assert_eq!(theta, [-0.1, 0.1, -0.05, -0.05]);
}

#[test]
fn an_infinite_clip_is_none() {
    let rule = Sophia {
        clip: f64::INFINITY,
        ..plain()
    };
    let mut theta = [0.0_f64];
    Optimizer::new(rule).step(&mut theta, &[1e6]).unwrap();
    assert!((theta[0] + 2e5).abs() < 1e-9);
}

#[test]
fn the_correction_is_of_the_numerator_alone() {
    let grads = gradients(43, 50, 4);
    let rule = |momentum| Sophia {
        beta1: 0.9,
        clip: f64::INFINITY,
        momentum,
        ..plain()
    };
    let (corrected, raw) = (rule(Numerator::Corrected), rule(Numerator::Uncorrected));
    let (mut a, mut b) = (Optimizer::new(corrected), Optimizer::new(raw));
    for grad in &grads {
        let (mut x, mut y) = ([0.0; 4], [0.0; 4]);
        a.step(&mut x, grad).unwrap();
        b.step(&mut y, grad).unwrap();
        let (bc1, bc2) = corrected.corrections(a.t());
        assert_eq!((raw.corrections(a.t()), bc2), ((1.0, 1.0), 1.0));
        assert!((bc1 - (1.0 - 0.9_f64.powi(a.t() as i32))).abs() < 1e-15);
        for (x, y) in x.iter().zip(y) {
            assert!((x * bc1 - y).abs() < 1e-15);
        }
    }
}

#[test]
fn it_keeps_step_with_the_paper_written_out() {
    let (grads, curvatures) = (gradients(44, 40, 4), gradients(45, 4, 4));
    let rule = Sophia {
        lr: 0.05,
        beta1: 0.8,
        beta2: 0.7,
        gamma: 0.6,
        eps: 0.05,
        clip: 0.8,
        weight_decay: 0.2,
        momentum: Numerator::Uncorrected,
    };
    let mut theta = START.to_vec();
    let mut opt = Optimizer::new(rule);
    let (mut slow, mut m, mut h) = (START, [0.0; 4], [0.0; 4]);
    for (t, grad) in grads.iter().enumerate() {
        if t % 10 == 0 {
            opt.observe_curvature(&curvatures[t / 10]).unwrap();
        }
        opt.step(&mut theta, grad).unwrap();
        for i in 0..4 {
            if t % 10 == 0 {
                h[i] = 0.7 * h[i] + 0.3 * curvatures[t / 10][i];
            }
            m[i] = 0.8 * m[i] + 0.2 * grad[i];
            slow[i] -= 0.05 * 0.2 * slow[i];
            slow[i] -= 0.05 * (m[i] / f64::max(0.6 * h[i], 0.05)).clamp(-0.8, 0.8);
            assert!((theta[i] - slow[i]).abs() < 1e-13);
        }
    }
    let hessian = opt.state("hessian").unwrap();
    assert!(hessian.iter().zip(h).all(|(a, b)| (a - b).abs() < 1e-15));
}

#[test]
fn it_converges_along_axes_of_any_curvature() {
    let curvatures = [1e-2, 1.0, 1e2];
    let mut theta = [1.0_f64; 3];
    let rule = Sophia {
        lr: 0.02,
        gamma: 1.0,
        weight_decay: 0.0,
        ..Sophia::default()
    };
    let mut opt = Optimizer::new(rule);
    for t in 0..3000 {
        if t % 10 == 0 {
            opt.observe_curvature(&curvatures).unwrap();
        }
        let grad: Vec<f64> = theta.iter().zip(curvatures).map(|(x, a)| a * x).collect();
        opt.step(&mut theta, &grad).unwrap();
    }
    assert!(theta.iter().all(|x| x.abs() < 1e-6), "{theta:?}");
}

#[test]
fn state_and_denominator() {
    let rule = Sophia {
        gamma: 0.5,
        eps: 0.25,
        ..Sophia::default()
    };
    assert_eq!(rule.name(), "Sophia");
    assert!(!rule.is_non_negative("exp_avg") && !rule.is_non_negative("hessian"));
    let found = rule.denominator(1, &[9.0, 3.0]).unwrap();
    assert_eq!((found.root, found.full), (1.5, 1.5));
    let found = rule.denominator(1, &[9.0, 0.125]).unwrap();
    assert_eq!((found.root, found.full), (0.0625, 0.25));
    assert_eq!(rule.denominator(1, &[]), None);
    let mut rule = rule;
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr()), (0.5, 0.5));
}

#[test]
fn it_refuses_nonsense() {
    let rule = Sophia::default();
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(Sophia { lr: bad, ..rule }, "lr");
        assert_refuses(Sophia { gamma: bad, ..rule }, "gamma");
        assert_refuses(Sophia { eps: bad, ..rule }, "eps");
        let weight_decay = bad;
        assert_refuses(
            Sophia {
                weight_decay,
                ..rule
            },
            "weight_decay",
        );
    }
    for bad in [-0.1, 1.0, f64::NAN] {
        assert_refuses(Sophia { beta1: bad, ..rule }, "beta1");
        assert_refuses(Sophia { beta2: bad, ..rule }, "beta2");
    }
    for bad in [0.0, -1.0, f64::NAN] {
        assert_refuses(Sophia { clip: bad, ..rule }, "clip");
    }
    let bad = Sophia { clip: 0.0, ..rule };
    let message = bad.validate().unwrap_err().to_string();
    assert_eq!(message, "Sophia: `clip` is 0, but must be above 0");
}
