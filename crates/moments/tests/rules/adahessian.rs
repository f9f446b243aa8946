use crate::common::{assert_refuses, gradients};
use moments::{AdaHessian, Adam, CurvatureRule, Error, Optimizer, Rule};
use moments_checks::Random;

const START: [f64; 4] = [1.0, -0.5, 0.25, -2.0];

/// The parameters after each step, where `curvatures[t]` is observed before step t, if there is one.
fn path(rule: AdaHessian, grads: &[Vec<f64>], curvatures: &[Option<Vec<f64>>]) -> Vec<Vec<f64>> {
    let mut theta = START.to_vec();
    let mut opt = Optimizer::new(rule);
    let step = |(grad, curvature): (&Vec<f64>, &Option<Vec<f64>>)| {
        if let Some(curvature) = curvature {
            opt.observe_curvature(curvature).unwrap();
        }
        opt.step(&mut theta, grad).unwrap();
        theta.clone()
    };
    grads.iter().zip(curvatures).map(step).collect()
}

#[test]
fn presets_are_as_documented() {
    let authors = AdaHessian {
        lr: 0.15,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-4,
        weight_decay: 0.0,
        hessian_power: 1.0,
    };
    assert_eq!(AdaHessian::default(), authors);
    let timm = AdaHessian {
        lr: 0.1,
        eps: 1e-8,
        ..authors
    };
    assert_eq!(AdaHessian::timm(), timm);
    let paper = AdaHessian {
        eps: 0.0,
        ..authors
    };
    assert_eq!(AdaHessian::paper(), paper);
}

#[test]
fn where_the_curvature_is_the_gradient_it_is_adam() {
    let grads = gradients(31, 60, 4);
    let rule = AdaHessian {
        lr: 0.01,
        eps: 1e-3,
        ..AdaHessian::default()
    };
    let adam = Adam {
        lr: 0.01,
        eps: 1e-3,
        ..Adam::default()
    };
    let curvatures: Vec<_> = grads.iter().cloned().map(Some).collect();
    let found = path(rule, &grads, &curvatures);
    let mut theta = START.to_vec();
    let mut opt = Optimizer::new(adam);
    for (found, grad) in found.iter().zip(&grads) {
        opt.step(&mut theta, grad).unwrap();
        for (a, b) in found.iter().zip(&theta) {
            assert!((a - b).abs() < 1e-13, "{a} {b}");
        }
    }
}

#[test]
fn the_sign_of_the_curvature_does_not_matter() {
    let grads = gradients(32, 40, 4);
    let curvatures = gradients(33, 40, 4);
    let rule = AdaHessian {
        hessian_power: 0.7,
        ..AdaHessian::default()
    };
    let plus: Vec<_> = curvatures.iter().cloned().map(Some).collect();
    let minus: Vec<_> = curvatures
        .iter()
        .map(|c| Some(c.iter().map(|c| -c).collect()))
        .collect();
    assert_eq!(path(rule, &grads, &plus), path(rule, &grads, &minus));
}

#[test]
fn the_last_curvature_serves_until_there_is_another() {
    let grads = gradients(34, 30, 4);
    let curvatures = gradients(35, 10, 4);
    let every_third: Vec<_> = (0..30)
        .map(|t| (t % 3 == 0).then(|| curvatures[t / 3].clone()))
        .collect();
    let repeated: Vec<_> = (0..30).map(|t| Some(curvatures[t / 3].clone())).collect();
    let rule = AdaHessian::default();
    assert_eq!(
        path(rule, &grads, &every_third),
        path(rule, &grads, &repeated)
    );
}

#[test]
fn it_keeps_step_with_the_paper_written_out() {
    // Sums over all steps so far, as in equations 9 and 10, instead of running averages.
    let (grads, curvatures) = (gradients(36, 25, 4), gradients(37, 25, 4));
    let rule = AdaHessian {
        lr: 0.05,
        beta1: 0.8,
        beta2: 0.9,
        hessian_power: 0.6,
        weight_decay: 0.3,
        ..AdaHessian::default()
    };
    let observed: Vec<_> = curvatures.iter().cloned().map(Some).collect();
    let found = path(rule, &grads, &observed);
    for i in 0..4 {
        let mut theta = START[i];
        for t in 1..=25 {
            let sum = |beta: f64, f: &dyn Fn(usize) -> f64| -> f64 {
                let weighted: f64 = (0..t).map(|s| beta.powi((t - 1 - s) as i32) * f(s)).sum();
                (1.0 - beta) * weighted / (1.0 - beta.powi(t as i32))
            };
            let m = sum(0.8, &|s| grads[s][i]);
            let v = sum(0.9, &|s| curvatures[s][i].powi(2)).sqrt();
            theta -= 0.05 * (m / (v.powf(0.6) + 1e-4) + 0.3 * theta);
            assert!((found[t - 1][i] - theta).abs() < 1e-12, "{t} {i}");
        }
    }
}

#[test]
fn a_power_of_zero_is_momentum_and_a_power_of_one_is_newtons() {
    let momentum = AdaHessian {
        hessian_power: 0.0,
        lr: 0.1,
        eps: 0.0,
        ..AdaHessian::default()
    };
    let mut theta = [1.0_f64];
    let mut opt = Optimizer::new(momentum);
    opt.observe_curvature(&[1e6]).unwrap();
    opt.step(&mut theta, &[3.0]).unwrap();
    assert!((theta[0] - 0.7).abs() < 1e-14);

    // On f(x) = a x²/2 with lr 1 the first step lands at 0, whatever a.
    for a in [1e-3, 1.0, 1e5] {
        let newton = AdaHessian {
            lr: 1.0,
            eps: 0.0,
            ..AdaHessian::default()
        };
        let mut theta = [2.0_f64];
        let mut opt = Optimizer::new(newton);
        opt.observe_curvature(&[a]).unwrap();
        opt.step(&mut theta, &[2.0 * a]).unwrap();
        assert!(theta[0].abs() < 1e-13, "{a}: {}", theta[0]);
    }
}

#[test]
fn it_converges_at_one_rate_along_axes_of_any_curvature() {
    let curvatures = [1e-3, 1.0, 1e3];
    let mut theta = [1.0_f64; 3];
    let mut opt = Optimizer::new(AdaHessian {
        eps: 1e-12,
        ..AdaHessian::default()
    });
    let mut random = Random::new(38);
    for _ in 0..400 {
        // The estimates are off by up to a half.
        let estimate: Vec<f64> = curvatures
            .iter()
            .map(|a| a * (1.0 + 0.5 * random.between(-1.0, 1.0)))
            .collect();
        opt.observe_curvature(&estimate).unwrap();
        let grad: Vec<f64> = theta.iter().zip(curvatures).map(|(x, a)| a * x).collect();
        opt.step(&mut theta, &grad).unwrap();
    }
    assert!(theta.iter().all(|x| x.abs() < 1e-6), "{theta:?}");
}

#[test]
fn the_curvature_is_state_before_the_first_step() {
    let mut opt = Optimizer::new(AdaHessian::default());
    opt.observe_curvature(&[-2.0, 3.0]).unwrap();
    assert_eq!(opt.state("hessian_diag"), Some(&[2.0, 3.0][..]));
    assert_eq!(opt.t(), 0);
    let error = opt.step(&mut [0.0; 3], &[0.0; 3]).unwrap_err();
    assert!(matches!(error, Error::ParameterShape { .. }));
    // Each observation takes the place of the one before.
    AdaHessian::default().observe(0, &[5.0], [&mut [1.0], &mut [1.0], &mut [1.0], &mut []]);
    opt.observe_curvature(&[0.5, -0.25]).unwrap();
    assert_eq!(opt.state("hessian_diag"), Some(&[0.5, 0.25][..]));
    assert_eq!(opt.state("exp_hessian_diag_sq"), Some(&[0.0, 0.0][..]));
}

#[test]
fn state_and_denominator() {
    let rule = AdaHessian {
        hessian_power: 0.5,
        eps: 0.25,
        beta2: 0.5,
        ..AdaHessian::default()
    };
    assert_eq!(rule.name(), "AdaHessian");
    for (name, expected) in [
        ("exp_avg", false),
        ("exp_hessian_diag_sq", true),
        ("hessian_diag", true),
    ] {
        assert_eq!(rule.is_non_negative(name), expected, "{name}");
    }
    // At t = 2, v̂ = 12 / (1 − 1/4) = 16, √v̂ = 4, and its power 2.
    let found = rule.denominator(2, &[1.0, 12.0, 3.0]).unwrap();
    assert!((found.root - 2.0).abs() < 1e-14 && (found.full - 2.25).abs() < 1e-14);
    assert_eq!(rule.denominator(2, &[]), None);
    let mut rule = rule;
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr()), (0.5, 0.5));
}

#[test]
fn it_refuses_nonsense() {
    let rule = AdaHessian::default();
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(AdaHessian { lr: bad, ..rule }, "lr");
        assert_refuses(AdaHessian { eps: bad, ..rule }, "eps");
        let weight_decay = bad;
        assert_refuses(
            AdaHessian {
                weight_decay,
                ..rule
            },
            "weight_decay",
        );
        let hessian_power = bad;
        assert_refuses(
            AdaHessian {
                hessian_power,
                ..rule
            },
            "hessian_power",
        );
    }
    for bad in [-0.1, 1.0, f64::NAN] {
        assert_refuses(AdaHessian { beta1: bad, ..rule }, "beta1");
        assert_refuses(AdaHessian { beta2: bad, ..rule }, "beta2");
    }
    let bad = AdaHessian { beta2: 1.0, ..rule };
    let message = bad.validate().unwrap_err().to_string();
    assert_eq!(message, "AdaHessian: `beta2` is 1, but must be in [0, 1)");
}
