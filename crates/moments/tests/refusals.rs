//! A refused step names its reason and changes nothing: neither then nor in what follows.

mod table;

use moments::AmsGrad;
use moments::{Adam, Clip, Error, Initial, Momentum, NormForm, Optimizer, Sgd, TensorMut};
use table::{Digest, Fed, Shaped, Visit, Way, every_case, shapes};

/// An optimizer two steps into its life, with its parameters.
struct Running<R> {
    shape: Vec<usize>,
    theta: Shaped<f64>,
    opt: Optimizer<R>,
}

impl<R: Fed> Running<R> {
    fn new(rule: R, way: Way, shape: &[usize]) -> Self {
        let n = shape.iter().product();
        let mut running = Self {
            shape: shape.to_vec(),
            theta: Shaped::new(shape, table::start(n)),
            opt: way.optimizer(rule),
        };
        running.go(1);
        running.go(2);
        running
    }

    fn go(&mut self, t: u64) {
        let n = self.theta.entries.len();
        let grad = Shaped::new(&self.shape, table::gradient(t, n));
        self.opt.step(&mut self.theta, &grad).unwrap();
        let curvature = Shaped::new(&self.shape, table::curvature(t, n));
        R::feed(&mut self.opt, &curvature).unwrap();
    }

    /// All that can be seen of it.
    fn digest(&self) -> (u64, Digest) {
        let mut digest = Digest::new();
        digest.add_all(&self.theta.entries, &self.opt);
        (self.opt.t(), digest)
    }

    /// What happens is refused for this reason; it has changed nothing that can be seen, and nothing that shows later.
    fn assert_refused(
        mut self,
        case: &str,
        expected: &str,
        act: impl FnOnce(&mut Optimizer<R>, &mut Shaped<f64>) -> Result<(), Error>,
    ) {
        let mut untroubled = Self {
            shape: self.shape.clone(),
            theta: self.theta.clone(),
            opt: self.opt.clone(),
        };
        let error = act(&mut self.opt, &mut self.theta).unwrap_err().to_string();
        assert!(error.contains(expected), "{case}: {error}");
        assert_eq!(self.digest(), untroubled.digest(), "{case}: {error}");

        (self.opt.rule, self.opt.clip) = (untroubled.opt.rule, untroubled.opt.clip);
        for t in 3..6 {
            self.go(t);
            untroubled.go(t);
        }
        assert_eq!(self.digest(), untroubled.digest(), "{case} after: {error}");
    }
}

struct Refusals;

impl Visit for Refusals {
    fn visit<R: Fed>(&mut self, case: &str, rule: R) {
        for shape in shapes(&rule, 24) {
            let running = || Running::new(rule, Way::Plain, &shape);
            let zeros = |shape: &[usize]| Shaped::new(shape, vec![0.0; shape.iter().product()]);

            for other in [
                vec![0],
                vec![23],
                vec![25],
                vec![24, 1],
                vec![2, 6, 2],
                vec![],
            ] {
                let grad = zeros(&other);
                running().assert_refused(case, "the gradient has shape", |opt, theta| {
                    opt.step(theta, &grad)
                });
                let mut params = grad.clone();
                running().assert_refused(case, "use one Optimizer per tensor", |opt, _| {
                    opt.step(&mut params, &grad)
                });
                assert_eq!(params.entries, grad.entries, "{case}");
            }

            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let mut grad = zeros(&shape);
                grad.entries[1] = bad;
                grad.entries[7] = bad;
                let expected = "entry 1 of the gradient of step 3";
                running().assert_refused(case, expected, |opt, theta| opt.step(theta, &grad));
                running().assert_refused(case, expected, |opt, theta| {
                    opt.step_measured(theta, &grad).map(|_| ())
                });
                running().assert_refused(case, expected, |opt, theta| {
                    opt.clip = Some(Clip::torch_norm(1.0));
                    opt.step(theta, &grad)
                });
            }

            for lr in [-1e-3, f64::NAN, f64::INFINITY] {
                running().assert_refused(case, "`lr` is", |opt, theta| {
                    opt.rule.set_lr(lr);
                    opt.step(theta, &zeros(&shape))
                });
            }

            for max in [0.0, -1.0, f64::NAN, f64::INFINITY] {
                let form = NormForm::Optax;
                for clip in [Clip::Norm { max, form }, Clip::GlobalNorm { max, form }] {
                    running().assert_refused(case, "Clip: `max` is", |opt, theta| {
                        opt.clip = Some(clip);
                        opt.step(theta, &zeros(&shape))
                    });
                }
                running().assert_refused(case, "Clip: `limit` is", |opt, theta| {
                    opt.clip = Some(Clip::Value { limit: max });
                    opt.step(theta, &zeros(&shape))
                });
            }
        }
    }
}

#[test]
fn whatever_the_rule_a_refused_step_changes_nothing() {
    every_case(&mut Refusals);
}

#[test]
fn a_refused_step_changes_nothing_of_reduced_state_either() {
    struct Reduced;
    impl Visit for Reduced {
        fn visit<R: Fed>(&mut self, case: &str, rule: R) {
            for way in [Way::Bf16, Way::Bits8] {
                let shape = &shapes(&rule, 700)[0];
                let n = shape.iter().product();
                let mut theta = Shaped::new(shape, table::start(n));
                let mut grad = Shaped::new(shape, table::gradient(1, n));
                let from_zero = |name: &&str| rule.initial(name) == Initial::Zero;
                if R::WHOLE || !rule.state_names(shape).iter().all(from_zero) {
                    let mut opt = way.optimizer(rule);
                    let error = opt.step(&mut theta, &grad).unwrap_err();
                    assert_eq!(error, Error::Storage { rule: rule.name() }, "{case}");
                    assert_eq!(theta.entries, table::start::<f64>(n), "{case}");
                    assert_eq!((opt.t(), opt.state_names().count()), (0, 0), "{case}");
                    continue;
                }
                let running = || Running::new(rule, way, shape);
                grad.entries[699] = f64::NAN;
                let expected = "entry 699 of the gradient of step 3";
                running().assert_refused(case, expected, |opt, theta| opt.step(theta, &grad));
                running().assert_refused(case, "`lr` is", |opt, theta| {
                    opt.rule.set_lr(f64::NAN);
                    opt.step(theta, &theta.clone())
                });
            }
        }
    }
    every_case(&mut Reduced);
}

#[test]
fn the_first_step_too_leaves_no_trace_where_it_is_refused() {
    struct First;
    impl Visit for First {
        fn visit<R: Fed>(&mut self, case: &str, rule: R) {
            let shape = &shapes(&rule, 24)[0];
            let mut theta = Shaped::new(shape, table::start(24));
            let mut grad = Shaped::new(shape, table::gradient(1, 24));
            grad.entries[0] = f64::NAN;
            let mut opt = Optimizer::new(rule);
            let error = opt.step(&mut theta, &grad).unwrap_err();
            assert!(
                matches!(error, Error::NonFiniteGradient { t: 1, index: 0, .. }),
                "{case}: {error}"
            );
            assert_eq!(theta.entries, table::start::<f64>(24), "{case}");
            assert_eq!((opt.t(), opt.state_names().count()), (0, 0), "{case}");
            assert!(opt.scalar("mu_product").is_none() && opt.effective_lr().is_none());

            // Parameters of another shape are welcome still.
            let shape = &shapes(&rule, 36)[0];
            let mut theta = Shaped::new(shape, table::start(36));
            let grad = Shaped::new(shape, table::gradient(1, 36));
            opt.step(&mut theta, &grad).unwrap();
            assert_eq!(opt.t(), 1, "{case}");
        }
    }
    every_case(&mut First);
}

#[test]
fn curvature_that_does_not_fit_changes_nothing() {
    struct Curvature;
    impl Visit for Curvature {
        fn visit<R: Fed>(&mut self, case: &str, rule: R) {
            let shape = &shapes(&rule, 24)[0];
            let running = || Running::new(rule, Way::Plain, shape);
            let mut bad = Shaped::new(shape, table::start::<f64>(24));
            bad.entries[5] = f64::NAN;
            let takes_curvature = R::feed(&mut running().opt, &bad).is_err();
            if takes_curvature {
                running().assert_refused(case, "entry 5", |opt, _| R::feed(opt, &bad));
                let short = Shaped::new(&[23], vec![1.0; 23]);
                running().assert_refused(case, "have shape [23]", |opt, _| R::feed(opt, &short));
                running().assert_refused(case, "`lr` is", |opt, _| {
                    opt.rule.set_lr(-1.0);
                    R::feed(opt, &Shaped::new(shape, vec![1.0; 24]))
                });
            }
        }
    }
    every_case(&mut Curvature);
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
fn assert_names_field<R: Fed>(good: R, bad: R, field: &str) {
    let running = Running::new(good, Way::Plain, &[3]);
    running.assert_refused("", &format!("`{field}` is"), |opt, theta| {
        opt.rule = bad;
        opt.step(theta, &theta.clone())
    });
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

#[cfg(feature = "ndarray")]
mod arrays {
    use moments::{Adam, Error, Optimizer, Sgd};
    use ndarray::{Array2, array};

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
}
