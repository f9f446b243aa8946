//! A refused step names its reason and changes nothing.

use moments::{Adam, AmsGrad, Error, Momentum, Optimizer, Rule, Sgd, TensorMut};
use ndarray::{Array2, array};

/// An optimizer two steps into its life, with its parameters.
fn running<R: Rule>(rule: R) -> (Optimizer<R>, Vec<f64>) {
    let mut theta = vec![1.0, -2.0, 3.0];
    let mut opt = Optimizer::new(rule);
    for _ in 0..2 {
        opt.step(&mut theta, &[0.5, -0.25, 0.0]).unwrap();
    }
    (opt, theta)
}

/// Everything that a step could have changed, as bits.
fn fingerprint<R: Rule>(opt: &Optimizer<R>, theta: &[f64]) -> (u64, Vec<u64>) {
    let state = opt.state_names().flat_map(|name| opt.state(name).unwrap());
    let bits = theta.iter().chain(state).map(|x| x.to_bits()).collect();
    (opt.t(), bits)
}

fn assert_refused<R: Rule>(rule: R, grad: &[f64], expected: &str) {
    let (mut opt, mut theta) = running(rule);
    let before = fingerprint(&opt, &theta);
    let error = opt.step(&mut theta, grad).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
    assert_eq!(fingerprint(&opt, &theta), before, "{error}");
}

#[test]
fn a_gradient_of_another_shape_changes_nothing() {
    for grad in [&[][..], &[1.0, 2.0], &[1.0; 4]] {
        assert_refused(Adam::default(), grad, "the parameters have shape [3]");
        assert_refused(AmsGrad::default(), grad, "the parameters have shape [3]");
        assert_refused(Sgd::default(), grad, "the parameters have shape [3]");
    }
}

#[test]
fn equal_lengths_in_different_shapes_are_a_mismatch() {
    let mut theta = Array2::<f64>::zeros((2, 3));
    let error = Optimizer::new(Adam::default())
        .step(&mut theta, &Array2::zeros((3, 2)))
        .unwrap_err();
    let (params, grad) = (vec![2, 3], vec![3, 2]);
    assert_eq!(error, Error::GradientShape { params, grad });
}

#[test]
fn parameters_of_another_shape_than_the_state_change_nothing() {
    let (mut opt, theta) = running(Adam::default());
    let before = fingerprint(&opt, &theta);
    let mut other = [7.0, 8.0];
    let error = opt.step(&mut other, &[1.0, 1.0]).unwrap_err();
    let (state, params) = (vec![3], vec![2]);
    assert_eq!(error, Error::ParameterShape { state, params });
    assert_eq!(other, [7.0, 8.0]);
    assert_eq!(fingerprint(&opt, &theta), before);
}

#[test]
fn a_gradient_that_is_not_finite_is_named_by_entry_and_changes_nothing() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let expected = "entry 1 of the gradient of step 3";
        assert_refused(Adam::default(), &[0.0, bad, bad], expected);
        assert_refused(AmsGrad::default(), &[0.0, bad, 0.0], expected);
        assert_refused(Sgd::default(), &[0.0, bad, 0.0], expected);
    }
}

#[test]
fn the_entry_is_counted_in_row_major_order() {
    let mut theta = Array2::<f64>::zeros((2, 3));
    let grad = array![[0.0, 0.0], [0.0, f64::NAN], [0.0, 0.0]];
    let error = Optimizer::new(Sgd::default())
        .step(&mut theta, &grad.t())
        .unwrap_err();
    assert!(matches!(
        error,
        Error::NonFiniteGradient { t: 1, index: 4, .. }
    ));
}

#[test]
fn without_the_check_a_nan_goes_through_to_its_own_entry_alone() {
    let mut theta = [1.0_f64, 1.0];
    let mut opt = Optimizer::new(Adam::default());
    opt.check_finite = false;
    opt.step(&mut theta, &[f64::NAN, 1.0]).unwrap();
    assert!(theta[0].is_nan());
    assert!((theta[1] - 0.999).abs() < 1e-9);
}

/// The rule is made nonsensical between two steps, as a broken schedule would.
fn assert_names_field<R: Rule>(good: R, bad: R, field: &str) {
    let (mut opt, mut theta) = running(good);
    let before = fingerprint(&opt, &theta);
    opt.rule = bad;
    match opt.step(&mut theta, &[1.0; 3]) {
        Err(Error::Hyperparameter { field: found, .. }) => assert_eq!(found, field),
        other => panic!("{bad:?}: expected an error about `{field}`, got {other:?}"),
    }
    assert_eq!(fingerprint(&opt, &theta), before);
}

#[test]
fn nonsense_hyperparameters_are_named() {
    let adam = Adam::default();
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_names_field(adam, Adam { lr: bad, ..adam }, "lr");
        assert_names_field(adam, Adam { eps: bad, ..adam }, "eps");
        assert_names_field(
            adam,
            Adam {
                eps_root: bad,
                ..adam
            },
            "eps_root",
        );
        let weight_decay = bad;
        assert_names_field(
            adam,
            Adam {
                weight_decay,
                ..adam
            },
            "weight_decay",
        );
    }
    let ams = AmsGrad::default();
    let sgd = Sgd::default();
    for bad in [-0.1, 1.0, 2.0, f64::NAN] {
        assert_names_field(adam, Adam { beta1: bad, ..adam }, "beta1");
        assert_names_field(adam, Adam { beta2: bad, ..adam }, "beta2");
        assert_names_field(ams, AmsGrad { beta1: bad, ..ams }, "beta1");
        assert_names_field(ams, AmsGrad { beta2: bad, ..ams }, "beta2");
    }
    assert_names_field(ams, AmsGrad { lr: -1.0, ..ams }, "lr");
    assert_names_field(ams, AmsGrad { eps: -1.0, ..ams }, "eps");
    assert_names_field(sgd, Sgd { lr: -1.0, ..sgd }, "lr");
    assert_names_field(
        sgd,
        Sgd {
            momentum: 1.1,
            ..sgd
        },
        "momentum",
    );
    assert_names_field(
        sgd,
        Sgd {
            nesterov: true,
            ..sgd
        },
        "momentum",
    );
    assert_names_field(
        sgd,
        Sgd {
            weight_decay: -1.0,
            ..sgd
        },
        "weight_decay",
    );
}

#[test]
fn settings_whose_divergence_is_a_lesson_are_allowed() {
    let mut x = [1.0_f64];
    let mut opt = Optimizer::new(Sgd {
        lr: 3.0,
        momentum: 1.0,
        convention: Momentum::HeavyBall,
        ..Sgd::default()
    });
    for _ in 0..50 {
        let grad = [2.0 * x[0]];
        opt.step(&mut x, &grad).unwrap();
    }
    assert!(x[0].abs() > 1e6);
}

#[test]
fn messages_say_what_and_how_to_mend_it() {
    let rule = Adam {
        beta2: 1.0,
        ..Adam::default()
    };
    let error = Optimizer::new(rule).step(&mut [0.0], &[0.0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Adam: `beta2` is 1, but must be in [0, 1)"
    );
}

#[test]
fn empty_parameters_are_stepped_without_complaint() {
    let mut theta: Vec<f64> = Vec::new();
    assert!(theta.as_contiguous_mut().is_some());
    let mut opt = Optimizer::new(Adam::default());
    opt.step(&mut theta, &Vec::new()).unwrap();
    assert_eq!(opt.t(), 1);
}
