use crate::common::{assert_refuses, gradients, trajectory_from};
use moments::{
    AdamW, AdjustLr, Error, Muon, MuonAdamW, MuonForm, NsCoefficients, Optimizer, Preconditioning,
    Rule,
};
use ndarray::{Array1, Array2, array};

fn numbers(seed: u64, rows: usize, columns: usize) -> Array2<f64> {
    let entries = gradients(seed, 1, rows * columns).remove(0);
    Array2::from_shape_vec((rows, columns), entries).unwrap()
}

/// A matrix with these singular values, from a rotation on either side.
fn with_singular_values(a: f64, b: f64) -> Array2<f64> {
    let turn = |angle: f64| array![[angle.cos(), -angle.sin()], [angle.sin(), angle.cos()]];
    turn(0.7).dot(&array![[a, 0.0], [0.0, b]]).dot(&turn(-1.9))
}

/// Steps by X alone: no momentum, no decay, no adjustment on square matrices.
fn plain() -> Muon {
    Muon {
        lr: 1.0,
        momentum: 0.0,
        nesterov: false,
        weight_decay: 0.0,
        eps: 0.0,
        ..Muon::default()
    }
}

/// Minus the first step from zero.
fn first(rule: Muon, grad: &Array2<f64>) -> Array2<f64> {
    let mut theta = Array2::zeros(grad.dim());
    Optimizer::new(rule).step(&mut theta, grad).unwrap();
    -theta
}

fn assert_near(a: &Array2<f64>, b: &Array2<f64>, bound: f64) {
    assert_eq!(a.dim(), b.dim());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= bound, "{a} {b}");
    }
}

#[test]
fn presets_are_as_documented() {
    let torch = Muon {
        lr: 1e-3,
        momentum: 0.95,
        nesterov: true,
        ns_coefficients: NsCoefficients::Same([3.4445, -4.7750, 2.0315]),
        ns_steps: 5,
        eps: 1e-7,
        preconditioning: Preconditioning::Frobenius,
        adaptive: false,
        adjust_lr: AdjustLr::Original,
        weight_decay: 0.1,
        form: MuonForm::Torch,
    };
    assert_eq!(Muon::default(), torch);
    assert_eq!(Muon::torch(), torch);
    assert_eq!(NsCoefficients::default(), torch.ns_coefficients);
    let optax = Muon {
        eps: 1e-8,
        adjust_lr: AdjustLr::Transposed,
        weight_decay: 0.0,
        form: MuonForm::Optax,
        ..torch
    };
    assert_eq!(Muon::optax(), optax);

    let both = MuonAdamW {
        muon: torch,
        adamw_lr_scale: 1.0,
        adamw_beta1: 0.9,
        adamw_beta2: 0.999,
        adamw_eps: 1e-8,
        adamw_eps_root: 0.0,
        adamw_weight_decay: 0.01,
        adamw_nesterov: false,
    };
    assert_eq!(MuonAdamW::default(), both);
    assert_eq!(both.adamw(), AdamW::default());
    let optax = MuonAdamW {
        muon: optax,
        adamw_weight_decay: 0.0,
        adamw_nesterov: true,
        ..both
    };
    assert_eq!(MuonAdamW::optax(), optax);
}

#[test]
fn the_polynomial_goes_over_the_singular_values_alone() {
    // Every step is x ← a x + b x³ + c x⁵ on each singular value, and the singular vectors stay.
    let (a, b) = (3.0, 0.5);
    let grad = with_singular_values(a, b);
    let norm = f64::hypot(a, b);
    for (coefficients, steps) in [
        (NsCoefficients::STANDARD, 0),
        (NsCoefficients::STANDARD, 1),
        (NsCoefficients::STANDARD, 5),
        (NsCoefficients::Same([2.0, -1.5, 0.5]), 9),
        (NsCoefficients::DION, 5),
        (NsCoefficients::DION, 7),
    ] {
        let value = |mut x: f64| {
            for i in 0..steps {
                let [c1, c3, c5] = match coefficients {
                    NsCoefficients::Same(same) => same,
                    NsCoefficients::Each(each) => each[(i as usize).min(4)],
                };
                x = c1 * x + c3 * x.powi(3) + c5 * x.powi(5);
            }
            x
        };
        let rule = Muon {
            ns_coefficients: coefficients,
            ns_steps: steps,
            ..plain()
        };
        let expected = with_singular_values(value(a / norm), value(b / norm));
        assert_near(&first(rule, &grad), &expected, 1e-13);
    }
}

#[test]
fn the_limit_of_a_convergent_polynomial_is_orthogonal() {
    // x ← (15 x − 10 x³ + 3 x⁵)/8 has its fixed point at 1, of third order.
    for (rows, columns) in [(1, 1), (3, 5), (5, 3), (6, 6), (21, 40), (40, 21)] {
        let rule = Muon {
            ns_coefficients: NsCoefficients::Same([1.875, -1.25, 0.375]),
            ns_steps: 60,
            adjust_lr: AdjustLr::ConsistentRms {
                rms: 1.0 / (rows.max(columns) as f64).sqrt(),
            },
            ..plain()
        };
        let x = first(rule, &numbers(91, rows, columns));
        let gram = if rows <= columns {
            x.dot(&x.t())
        } else {
            x.t().dot(&x)
        };
        assert_near(&gram, &Array2::eye(rows.min(columns)), 1e-12);
    }
}

#[test]
fn a_transposed_gradient_takes_the_transposed_step() {
    for preconditioning in [
        Preconditioning::Frobenius,
        Preconditioning::Spectral,
        Preconditioning::Aol,
        Preconditioning::Schatten,
    ] {
        // Sizes around those of a block of the product.
        for (rows, columns) in [(2, 3), (4, 16), (5, 17), (9, 33), (15, 16)] {
            let rule = Muon {
                preconditioning,
                adjust_lr: AdjustLr::ConsistentRms { rms: 0.3 },
                ..plain()
            };
            let grad = numbers(92, rows, columns);
            let transposed = grad.t().as_standard_layout().to_owned();
            let found = first(rule, &transposed);
            let found = found.t().as_standard_layout().to_owned();
            assert_near(&found, &first(rule, &grad), 1e-14);
        }
    }
}

#[test]
fn every_size_agrees_with_products_written_out() {
    for (rows, columns) in [(1, 7), (3, 15), (4, 16), (5, 17), (8, 32), (13, 50)] {
        let rule = Muon {
            ns_steps: 3,
            ..plain()
        };
        let grad = numbers(93, rows, columns);
        let mut x = &grad / grad.mapv(|g| g * g).sum().sqrt();
        for _ in 0..3 {
            let a = x.dot(&x.t());
            x = 3.4445 * &x + (-4.7750 * &a + 2.0315 * a.dot(&a)).dot(&x);
        }
        assert_near(&first(rule, &grad), &x, 1e-14);
    }
}

#[test]
fn each_preconditioning_scales_by_its_own_norm() {
    let grad = with_singular_values(3.0, 0.5);
    let norms = [
        (Preconditioning::Frobenius, 9.25_f64.sqrt()),
        (Preconditioning::Spectral, 3.0),
        (
            Preconditioning::Schatten,
            (3_f64.powi(4) + 0.5_f64.powi(4)).powf(0.25),
        ),
    ];
    let value = |x: f64| 3.4445 * x - 4.7750 * x.powi(3) + 2.0315 * x.powi(5);
    for (preconditioning, norm) in norms {
        let rule = Muon {
            preconditioning,
            ns_steps: 1,
            ..plain()
        };
        let expected = with_singular_values(value(3.0 / norm), value(0.5 / norm));
        assert_near(&first(rule, &grad), &expected, 1e-13);
    }

    // Almost orthogonal layers: rows divided by the roots of the sums of |A| over their rows.
    let grad = array![[1.0, 2.0], [0.0, -3.0]];
    // A = [[5, −6], [−6, 9]].
    let (s, t) = (11_f64.sqrt(), 15_f64.sqrt());
    let x = array![[1.0 / s, 2.0 / s], [0.0, -3.0 / t]];
    let a = x.dot(&x.t());
    let expected = 3.4445 * &x + (-4.7750 * &a + 2.0315 * a.dot(&a)).dot(&x);
    let rule = Muon {
        preconditioning: Preconditioning::Aol,
        ns_steps: 1,
        ..plain()
    };
    assert_near(&first(rule, &grad), &expected, 1e-14);
}

#[test]
fn the_largest_singular_value_is_found_among_close_ones() {
    for b in [3.0, 3.0 - 1e-9, 3.0 - 1e-4, -3.0, 2.9, 0.0] {
        let rule = Muon {
            preconditioning: Preconditioning::Spectral,
            ns_steps: 0,
            ..plain()
        };
        let expected = with_singular_values(1.0, b / 3.0);
        // At the other two scales the square of the matrix of squares is no number of f64.
        for scale in [1.0, 1e100, 1e-100] {
            let grad = scale * with_singular_values(3.0, b);
            assert_near(&first(rule, &grad), &expected, 1e-13);
        }
    }
}

#[test]
fn epsilon_is_the_least_norm_or_added_to_it() {
    let step = |form, norm, preconditioning| {
        let rule = Muon {
            ns_steps: 0,
            eps: 0.5,
            form,
            preconditioning,
            ..plain()
        };
        first(rule, &array![[norm]])[[0, 0]]
    };
    for preconditioning in [Preconditioning::Frobenius, Preconditioning::Spectral] {
        assert_eq!(step(MuonForm::Torch, 0.25, preconditioning), 0.5);
        assert_eq!(step(MuonForm::Torch, 2.0, preconditioning), 1.0);
        assert_eq!(step(MuonForm::Optax, 2.0, preconditioning), 0.8);
    }
    // In the other two it is the least that A is divided by.
    for preconditioning in [Preconditioning::Aol, Preconditioning::Schatten] {
        let rule = Muon {
            ns_steps: 1,
            ns_coefficients: NsCoefficients::Same([1.0, 1.0, 0.0]),
            eps: 4.0,
            preconditioning,
            ..plain()
        };
        // A = 1 is divided by 4, and x = 1 by 2.
        assert_eq!(first(rule, &array![[1.0]]), array![[0.5 + 0.25 * 0.5]]);
    }
}

#[test]
fn without_a_gradient_nothing_moves() {
    for preconditioning in [
        Preconditioning::Frobenius,
        Preconditioning::Spectral,
        Preconditioning::Aol,
        Preconditioning::Schatten,
    ] {
        let rule = Muon {
            preconditioning,
            weight_decay: 0.0,
            ..Muon::default()
        };
        let zero = Array2::zeros((3, 2));
        assert_eq!(first(rule, &zero), zero.mapv(|x: f64| -x));
    }
    let mut theta = array![[2.0, -4.0]];
    let rule = Muon {
        lr: 0.5,
        weight_decay: 0.5,
        ..Muon::default()
    };
    let zero = Array2::zeros((1, 2));
    Optimizer::new(rule).step(&mut theta, &zero).unwrap();
    assert_eq!(theta, array![[1.5, -3.0]]);
    let mut none = Array2::<f64>::zeros((0, 3));
    let grad = none.clone();
    Optimizer::new(rule).step(&mut none, &grad).unwrap();
}

#[test]
fn the_momentum_is_an_average_and_nesterov_looks_ahead() {
    // Without steps of Newton and Schulz and with a large eps the step is u / eps.
    let path = |form, nesterov| {
        let rule = Muon {
            momentum: 0.5,
            nesterov,
            ns_steps: 0,
            eps: 1024.0,
            lr: 1024.0,
            form,
            ..plain()
        };
        let mut theta = array![[0.0_f64]];
        let mut opt = Optimizer::new(rule);
        [4.0, 8.0].map(|g| {
            let before = theta[[0, 0]];
            opt.step(&mut theta, &array![[g]]).unwrap();
            before - theta[[0, 0]]
        })
    };
    // b = 2, then 5.
    assert_eq!(path(MuonForm::Torch, false), [2.0, 5.0]);
    assert_eq!(path(MuonForm::Torch, true), [3.0, 6.5]);
    // Corrected: b/(1/2), b/(3/4); with Nesterov g/(1/2) and b/(3/4), then g/(3/4) and b/(7/8).
    let near = |found: [f64; 2], u: [f64; 2]| {
        for (found, u) in found.iter().zip(u) {
            let expected = 1024.0 * u / (u + 1024.0);
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    };
    near(path(MuonForm::Optax, false), [4.0, 5.0 / 0.75]);
    near(
        path(MuonForm::Optax, true),
        [
            0.5 * 4.0 / 0.5 + 0.5 * 2.0 / 0.75,
            0.5 * 8.0 / 0.75 + 0.5 * 5.0 / 0.875,
        ],
    );
}

#[test]
fn the_learning_rate_follows_from_the_shape() {
    let factor = |adjust_lr, rows, columns| {
        let rule = Muon {
            lr: 0.5,
            ns_steps: 0,
            adjust_lr,
            ..plain()
        };
        let x = first(rule, &Array2::ones((rows, columns)));
        x[[0, 0]] * ((rows * columns) as f64).sqrt() / 0.5
    };
    let rms = AdjustLr::ConsistentRms { rms: 0.2 };
    for (adjust_lr, wide, tall) in [
        (AdjustLr::Original, 1.0, 2.0),
        (AdjustLr::Transposed, 2.0, 1.0),
        (AdjustLr::SpectralUnclamped, 0.5, 2.0),
        (rms, 0.2 * 12_f64.sqrt(), 0.2 * 12_f64.sqrt()),
    ] {
        assert!((factor(adjust_lr, 3, 12) - wide).abs() < 1e-14);
        assert!((factor(adjust_lr, 12, 3) - tall).abs() < 1e-14);
    }
}

#[test]
fn an_adaptive_step_is_as_large_as_the_gradient() {
    let rule = Muon {
        adaptive: true,
        nesterov: true,
        momentum: 0.25,
        ..plain()
    };
    for (rows, columns) in [(2, 3), (3, 2)] {
        let grad = numbers(94, rows, columns);
        let x = first(
            Muon {
                adaptive: false,
                ..rule
            },
            &grad,
        );
        // u = 0.75 g + 0.25 · 0.75 g.
        let lr = rule.lr * (rows as f64 / columns as f64).max(1.0).sqrt();
        let dual = 0.9375 * (&grad * &x).sum() / lr;
        assert_near(&first(rule, &grad), &(&x * dual), 1e-13);
        assert_near(&first(rule, &(8.0 * &grad)), &(&x * (8.0 * dual)), 1e-12);
    }
}

#[test]
fn it_converges_where_axes_differ_in_curvature() {
    // f(θ) = ½ ‖D (θ − θ*)‖², with a rate that falls to 0.
    let target = numbers(95, 3, 4);
    let curvature = array![[1e3], [1.0], [1e-3]];
    let mut theta = Array2::zeros((3, 4));
    let mut opt = Optimizer::new(Muon {
        weight_decay: 0.0,
        ..Muon::default()
    });
    for t in 0..400 {
        opt.rule.lr = 0.1 * (1.0 - f64::from(t) / 400.0);
        let grad = &curvature * (&theta - &target);
        opt.step(&mut theta, &grad).unwrap();
    }
    // Gradient descent would need a rate below 2e-3 for the first row. Five steps take a singular value from 1e-3 to about 0.5, but not from 1e-6.
    for (x, target) in theta.rows().into_iter().zip(target.rows()).take(2) {
        assert!((&x - &target).iter().all(|gap: &f64| gap.abs() < 0.02));
    }
}

#[test]
fn muon_takes_matrices_alone() {
    for shape in [vec![], vec![4], vec![2, 3, 4]] {
        let error = Muon::default().check_shape(&shape).unwrap_err();
        assert!(matches!(
            error,
            Error::UnsupportedShape { rule: "Muon", .. }
        ));
        assert!(error.to_string().starts_with("Muon steps matrices"));
        assert!(MuonAdamW::default().check_shape(&shape).is_ok());
    }
    assert!(Muon::default().check_shape(&[2, 3]).is_ok());
    let mut theta = [1.0, 2.0];
    let refused = Optimizer::new(Muon::default()).step(&mut theta, &[1.0, 1.0]);
    assert!(refused.is_err());
    assert_eq!(theta, [1.0, 2.0]);
}

#[test]
fn together_each_shape_has_its_own_rule() {
    let both = MuonAdamW {
        muon: Muon {
            lr: 0.02,
            ..Muon::default()
        },
        adamw_lr_scale: 0.5,
        adamw_beta1: 0.8,
        adamw_beta2: 0.9,
        adamw_eps: 1e-3,
        adamw_eps_root: 1e-4,
        adamw_weight_decay: 0.2,
        adamw_nesterov: true,
    };
    let adamw = AdamW {
        lr: 0.01,
        beta1: 0.8,
        beta2: 0.9,
        eps: 1e-3,
        eps_root: 1e-4,
        weight_decay: 0.2,
        nesterov: true,
        ..AdamW::default()
    };
    assert_eq!(both.adamw(), adamw);
    let grads = gradients(96, 20, 6);
    let start = [1.0, -0.5, 0.25, -2.0, 0.0, 3.0];
    assert_eq!(
        trajectory_from(both, &start, &grads),
        trajectory_from(adamw, &start, &grads)
    );
    let (mut x, mut y) = (numbers(97, 2, 3), numbers(97, 2, 3));
    let (mut a, mut b) = (Optimizer::new(both), Optimizer::new(both.muon));
    for grad in &grads {
        let grad = Array2::from_shape_vec((2, 3), grad.clone()).unwrap();
        a.step(&mut x, &grad).unwrap();
        b.step(&mut y, &grad).unwrap();
    }
    assert_eq!(x, y);

    let mut both = both;
    both.set_lr(0.5);
    assert_eq!((both.lr(), both.muon.lr, both.adamw().lr), (0.5, 0.5, 0.25));
    assert_eq!(both.state_names(&[2, 3]), ["momentum_buffer"]);
    assert_eq!(both.state_names(&[6]), ["exp_avg", "exp_avg_sq"]);
    assert_eq!(both.state_names(&[]), ["exp_avg", "exp_avg_sq"]);
    assert!(both.is_non_negative("exp_avg_sq"));
    assert!(!both.is_non_negative("exp_avg") && !both.is_non_negative("momentum_buffer"));
    assert!(!Muon::default().is_non_negative("momentum_buffer"));
    let mut muon = Muon::default();
    muon.set_lr(0.5);
    assert_eq!((muon.lr, muon.lr()), (0.5, 0.5));
    assert_eq!(muon.corrections(3), (1.0, 1.0));
    let optax = Muon {
        momentum: 0.5,
        ..Muon::optax()
    };
    assert_eq!(optax.corrections(3), (0.875, 1.0));
    assert_eq!(both.corrections(3), both.adamw().corrections(3));
    assert_eq!((muon.name(), both.name()), ("Muon", "Muon with AdamW"));
    let mut scalar = Array1::from_elem(1, 1.0);
    let grad = Array1::from_elem(1, 1.0);
    Optimizer::new(both).step(&mut scalar, &grad).unwrap();
    assert!(scalar[0] < 1.0);
}

#[test]
fn it_refuses_nonsense() {
    let refuses = |muon: Muon, field: &str| {
        assert_refuses(
            MuonAdamW {
                muon,
                ..MuonAdamW::default()
            },
            field,
        );
        let mut theta = array![[1.0]];
        let error = Optimizer::new(muon).step(&mut theta, &array![[1.0]]);
        let message = error.unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("Muon: `{field}`")),
            "{message}"
        );
        assert_eq!(theta, array![[1.0]]);
    };
    let muon = Muon::default();
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        refuses(Muon { lr: bad, ..muon }, "lr");
        refuses(Muon { eps: bad, ..muon }, "eps");
        let weight_decay = bad;
        refuses(
            Muon {
                weight_decay,
                ..muon
            },
            "weight_decay",
        );
        let adjust_lr = AdjustLr::ConsistentRms { rms: bad };
        refuses(Muon { adjust_lr, ..muon }, "rms");
        let both = MuonAdamW::default();
        let adamw_lr_scale = bad;
        assert_refuses(
            MuonAdamW {
                adamw_lr_scale,
                ..both
            },
            "adamw_lr_scale",
        );
        assert_refuses(
            MuonAdamW {
                adamw_eps: bad,
                ..both
            },
            "eps",
        );
    }
    for momentum in [-0.1, 1.0, f64::NAN] {
        refuses(Muon { momentum, ..muon }, "momentum");
        let adamw_beta2 = momentum;
        assert_refuses(
            MuonAdamW {
                adamw_beta2,
                ..MuonAdamW::default()
            },
            "beta2",
        );
    }
    refuses(
        Muon {
            ns_steps: 100,
            ..muon
        },
        "ns_steps",
    );
    assert!(
        Muon {
            ns_steps: 99,
            ..muon
        }
        .validate()
        .is_ok()
    );
    let ns_coefficients = NsCoefficients::Same([1.0, f64::NAN, 0.0]);
    refuses(
        Muon {
            ns_coefficients,
            ..muon
        },
        "ns_coefficients",
    );
    let mut each = [[1.0, 0.0, 0.0]; 5];
    each[4][2] = f64::INFINITY;
    let ns_coefficients = NsCoefficients::Each(each);
    refuses(
        Muon {
            ns_coefficients,
            ..muon
        },
        "ns_coefficients",
    );
}
