//! Many named tensors, in groups with hyperparameters of their own.

use moments::{
    Adam, Clip, Curvature, CurvatureRule, Error, Float, Group, Groups, MAX_STATE, NormForm,
    Optimizer, Param, Rule, Sgd, Step, Storage, TensorMut,
};
use moments_checks::Random;
use ndarray::{Array1, Array2, Array3, Axis, s};

/// The names and sizes of a small model; none of the names is in alphabetical order, and one tensor is empty.
const MODEL: [(&str, usize); 7] = [
    ("out.bias", 3),
    ("embed.weight", 700),
    ("layer.0.weight", 130),
    ("layer.0.bias", 1),
    ("layer.1.weight", 2049),
    ("layer.1.bias", 17),
    ("empty.weight", 0),
];

type Model<T> = Vec<(&'static str, Vec<T>)>;

fn numbers<T: Float>(seed: u64) -> Model<T> {
    let mut random = Random::new(seed);
    let tensor = |&(name, n): &(&'static str, usize)| {
        let values = random.vector(n, -1.0, 1.0);
        (name, values.into_iter().map(T::of).collect())
    };
    MODEL.iter().map(tensor).collect()
}

fn is_bias(name: &str) -> bool {
    name.ends_with("bias")
}

fn decay() -> Adam {
    Adam {
        lr: 0.01,
        weight_decay: 0.1,
        ..Adam::default()
    }
}

fn no_decay() -> Adam {
    Adam {
        lr: 0.02,
        weight_decay: 0.0,
        beta1: 0.8,
        ..decay()
    }
}

fn two_groups<T: Float>() -> Groups<Adam, T> {
    Groups::new()
        .group("decay", decay(), |p| !is_bias(p.name))
        .group("no decay", no_decay(), |p| is_bias(p.name))
}

fn list<'a, T: Float>(theta: &'a mut Model<T>, grad: &'a Model<T>) -> Vec<Param<'a, T>> {
    let both = theta.iter_mut().zip(grad);
    both.map(|((name, theta), (_, grad))| Param::new(name, theta, grad))
        .collect()
}

fn bits<T: Float>(values: &[T]) -> Vec<u64> {
    values.iter().map(|x| x.to_f64().to_bits()).collect()
}

/// Everything that a step could change, as bits.
fn fingerprint<R: Rule, T: Float>(
    opt: &Groups<R, T>,
    theta: &Model<T>,
) -> Vec<(String, u64, Vec<u64>)> {
    let tensor = |(name, theta): &(&'static str, Vec<T>)| {
        let t = opt.t_of(name).unwrap_or(0);
        let mut all = bits(theta);
        for state in opt.state_names(name) {
            all.extend(bits(&opt.state_decoded(name, state).unwrap()));
        }
        ((*name).to_owned(), t, all)
    };
    let mut all: Vec<_> = theta.iter().map(tensor).collect();
    all.sort();
    all.push((String::new(), opt.t(), Vec::new()));
    all
}

/// Steps the model with one optimizer for each tensor.
fn separately<T: Float>(steps: u64) -> (Model<T>, Vec<Optimizer<Adam, T>>) {
    let mut theta = numbers(0);
    let rule = |name| if is_bias(name) { no_decay() } else { decay() };
    let rules = MODEL.iter().map(|(name, _)| rule(name));
    let mut optimizers: Vec<_> = rules.map(Optimizer::new).collect();
    for t in 1..=steps {
        let tensors = theta.iter_mut().zip(numbers(t)).zip(&mut optimizers);
        for (((_, theta), (_, grad)), opt) in tensors {
            opt.step(theta, &grad).unwrap();
        }
    }
    (theta, optimizers)
}

fn assert_each_tensor_goes_its_own_way<T: Float>() {
    let (expected, optimizers) = separately::<T>(5);
    let mut theta = numbers::<T>(0);
    let mut opt = two_groups();
    for t in 1..=5 {
        opt.step(&mut list(&mut theta, &numbers(t))).unwrap();
    }
    for (((name, theta), (_, expected)), alone) in theta.iter().zip(&expected).zip(&optimizers) {
        assert_eq!(bits(theta), bits(expected), "{name}");
        for state in ["exp_avg", "exp_avg_sq"] {
            let ours = opt.state(name, state).unwrap();
            assert_eq!(bits(ours), bits(alone.state(state).unwrap()), "{name}");
        }
    }
}

#[test]
fn a_tensor_takes_the_same_steps_as_alone() {
    assert_each_tensor_goes_its_own_way::<f64>();
    assert_each_tensor_goes_its_own_way::<f32>();
}

/// The same orders for every clipping; the first is that of the model.
fn orders() -> Vec<Vec<usize>> {
    let n = MODEL.len();
    let mut random = Random::new(9);
    let mut orders = vec![(0..n).collect::<Vec<_>>(), (0..n).rev().collect()];
    for _ in 0..20 {
        let mut order: Vec<usize> = (0..n).collect();
        let keys = random.vector(n, -1.0, 1.0);
        order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
        orders.push(order);
    }
    orders
}

fn clips() -> [Option<Clip>; 6] {
    let (max, form) = (3.0, NormForm::Optax);
    [
        None,
        Some(Clip::Value { limit: 0.25 }),
        Some(Clip::Norm { max, form }),
        Some(Clip::torch_norm(0.5)),
        Some(Clip::optax_norm(0.5)),
        Some(Clip::optax_norm(1e6)),
    ]
}

#[test]
fn the_order_of_the_tensors_does_not_change_a_bit() {
    for clip in clips() {
        let run = |orders: &[Vec<usize>]| {
            let mut theta = numbers::<f64>(0);
            let mut opt = two_groups();
            opt.clip = clip;
            let mut norms = Vec::new();
            for (t, order) in (1..).zip(orders) {
                let grad = numbers(t);
                let mut params: Vec<_> = list(&mut theta, &grad).into_iter().map(Some).collect();
                let mut params: Vec<_> = order.iter().map(|&i| params[i].take().unwrap()).collect();
                let measures = opt.step_measured(&mut params).unwrap();
                norms.push(measures.total.grad_norm.to_bits());
                norms.push(measures.total.update_norm.to_bits());
            }
            (norms, fingerprint(&opt, &theta))
        };
        let shuffled = orders();
        let straight = vec![shuffled[0].clone(); shuffled.len()];
        assert_eq!(run(&shuffled), run(&straight), "{clip:?}");
    }
}

#[test]
fn measuring_does_not_change_a_bit() {
    for clip in clips() {
        let run = |measured: bool| {
            let mut theta = numbers::<f32>(0);
            let mut opt = two_groups();
            opt.clip = clip;
            for t in 1..=3 {
                let grad = numbers(t);
                let mut params = list(&mut theta, &grad);
                if measured {
                    opt.step_measured(&mut params).unwrap();
                } else {
                    opt.step(&mut params).unwrap();
                }
            }
            fingerprint(&opt, &theta)
        };
        assert_eq!(run(true), run(false), "{clip:?}");
    }
}

#[test]
fn tensors_of_any_type_and_layout_stand_in_one_list() {
    let mut random = Random::new(1);
    let start = random.vector(24, -1.0, 1.0);
    let grads: Vec<_> = (0..4).map(|_| random.vector(24, -1.0, 1.0)).collect();
    let mut expected = start.clone();
    let mut alone = Optimizer::new(decay());
    for grad in &grads {
        alone.step(&mut expected, grad).unwrap();
    }

    let cube = |v: &[f64]| Array3::from_shape_vec((2, 3, 4), v.to_vec()).unwrap();
    let matrix = |v: &[f64]| Array2::from_shape_vec((4, 6), v.to_vec()).unwrap();
    let mut vector = start.clone();
    let mut array: [f64; 24] = start.clone().try_into().unwrap();
    let mut flat = [vec![7.0; 5], start.clone(), vec![7.0; 5]].concat();
    let mut standard = cube(&start);
    let mut transposed = matrix(&start)
        .reversed_axes()
        .as_standard_layout()
        .to_owned();
    let mut wide = Array2::from_elem((4, 12), 7.0);
    wide.slice_mut(s![.., ..;2]).assign(&matrix(&start));
    let mut reversed = Array1::from(start.iter().rev().copied().collect::<Vec<_>>());
    let mut boxed: Box<dyn TensorMut<Elem = f64>> = Box::new(start.clone());
    let mut opt = Groups::new().rest("all", decay());
    for (i, grad) in grads.iter().enumerate() {
        let grad_array: [f64; 24] = grad.clone().try_into().unwrap();
        // Column-major memory under the same order of entries.
        let mut grad_fortran = Array3::zeros((4, 3, 2)).reversed_axes();
        grad_fortran.assign(&cube(grad));
        let grad_matrix = matrix(grad);
        let grad_transposed = grad_matrix.t().as_standard_layout().to_owned();
        let grad_upright = grad_transposed.t();
        let mut view = wide.slice_mut(s![.., ..;2]);
        let mut backwards = reversed.view_mut();
        backwards.invert_axis(Axis(0));
        let mut upright = transposed.view_mut().reversed_axes();
        let mut params = [
            Param::new("vector", &mut vector, &grad[..]),
            Param::new("array", &mut array, &grad_array),
            Param::new("slice", &mut flat[5..29], grad),
            Param::new("cube", &mut standard, &grad_fortran),
            Param::new("upright", &mut upright, &grad_upright),
            Param::new("every second column", &mut view, &grad_matrix),
            Param::new("backwards", &mut backwards, &grad[..]),
            Param::new("boxed", &mut *boxed, grad),
        ];
        params.rotate_left(i);
        opt.step(&mut params).unwrap();
    }
    assert_eq!(vector, expected);
    assert_eq!(array, expected[..]);
    assert_eq!(flat[5..29], expected[..]);
    assert_eq!(standard, cube(&expected));
    assert_eq!(transposed.t(), matrix(&expected));
    assert_eq!(wide.slice(s![.., ..;2]), matrix(&expected));
    assert_eq!(reversed.iter().rev().copied().collect::<Vec<_>>(), expected);
    assert_eq!(boxed.as_contiguous().unwrap(), expected);
    // What lies between is left alone.
    assert!(flat[..5].iter().chain(&flat[29..]).all(|&x| x == 7.0));
    assert!(wide.slice(s![.., 1..;2]).iter().all(|&x| x == 7.0));
}

#[test]
fn groups_are_chosen_by_name_and_shape_once() {
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (mut w, mut b, mut n) = (Array2::zeros((2, 3)), [0.0; 3], [0.0; 2]);
    let mut opt = Groups::new()
        .group(
            "matrices",
            Sgd {
                lr: 1.0,
                ..Sgd::default()
            },
            {
                let asked = asked.clone();
                move |p| {
                    asked
                        .lock()
                        .unwrap()
                        .push((p.name.to_owned(), p.shape.to_vec()));
                    p.shape.len() >= 2
                }
            },
        )
        .group(
            "norms",
            Sgd {
                lr: 2.0,
                ..Sgd::default()
            },
            |p| p.name.contains("norm"),
        )
        .rest(
            "others",
            Sgd {
                lr: 4.0,
                ..Sgd::default()
            },
        );
    for _ in 0..2 {
        opt.step(&mut [
            Param::new("w", &mut w, &Array2::ones((2, 3))),
            Param::new("b", &mut b, &[1.0; 3]),
            Param::new("norm", &mut n, &[1.0; 2]),
        ])
        .unwrap();
    }
    assert_eq!((w[(1, 2)], b[0], n[1]), (-2.0, -8.0, -4.0));
    let group_of = |name| opt.group_of(name);
    assert_eq!(group_of("w"), Some("matrices"));
    assert_eq!(group_of("norm"), Some("norms"));
    assert_eq!(group_of("b"), Some("others"));
    assert_eq!(group_of("c"), None);
    assert_eq!(opt.tensors().collect::<Vec<_>>(), ["b", "norm", "w"]);
    let names: Vec<_> = opt.groups().iter().map(Group::name).collect();
    assert_eq!(names, ["matrices", "norms", "others"]);
    let asked = asked.lock().unwrap();
    let expected = [("w", vec![2, 3]), ("b", vec![3]), ("norm", vec![2])];
    assert_eq!(
        *asked,
        expected.map(|(name, shape)| (name.to_owned(), shape))
    );
}

#[test]
fn a_schedule_sets_all_rates_and_a_group_keeps_its_multiple() {
    let mut opt = two_groups::<f64>();
    assert_eq!(
        (opt.lr("decay").unwrap(), opt.lr("no decay").unwrap()),
        (0.01, 0.02)
    );
    opt.group_mut("no decay").unwrap().lr_multiple = 0.25;
    assert_eq!(opt.lr("no decay").unwrap(), 0.02);
    opt.set_lr(0.5);
    assert_eq!(
        (opt.lr("decay").unwrap(), opt.lr("no decay").unwrap()),
        (0.5, 0.125)
    );
    opt.groups_mut()[0].rule.lr = 3.0;
    assert_eq!(opt.lr("decay").unwrap(), 3.0);
    let (group, groups) = (
        "x".to_owned(),
        vec!["decay".to_owned(), "no decay".to_owned()],
    );
    let unknown = Error::UnknownGroup { group, groups };
    assert_eq!(opt.lr("x").unwrap_err(), unknown);
    assert_eq!(opt.group_mut("x").unwrap_err(), unknown);
    let text = r#"there is no group `x`: pass one of ["decay", "no decay"]"#;
    assert_eq!(unknown.to_string(), text);
}

#[test]
fn a_changed_hyperparameter_holds_from_the_next_step_on() {
    let mut opt = Groups::new().rest(
        "all",
        Sgd {
            lr: 1.0,
            ..Sgd::default()
        },
    );
    let mut x = [0.0];
    opt.step(&mut [Param::new("x", &mut x, &[1.0])]).unwrap();
    opt.group_mut("all").unwrap().rule.momentum = 0.5;
    opt.step(&mut [Param::new("x", &mut x, &[1.0])]).unwrap();
    opt.step(&mut [Param::new("x", &mut x, &[1.0])]).unwrap();
    assert_eq!(x, [-1.0 - 1.0 - 1.5]);
    assert_eq!(opt.state("x", "momentum_buffer"), Some(&[1.5][..]));
}

mod refusals {
    use super::*;

    /// A list of tensors is refused with this message, as the first step of an optimizer and as the third, and nothing has changed.
    fn assert_refused(
        make: impl Fn() -> Groups<Adam>,
        expected: &str,
        refuse: impl Fn(&mut Groups<Adam>, &mut Model<f64>) -> Error,
    ) {
        for steps in [0, 2] {
            let mut theta = numbers(0);
            let mut opt = two_groups();
            for t in 0..steps {
                opt.step(&mut list(&mut theta, &numbers(t))).unwrap();
            }
            if steps == 0 {
                opt = make();
            }
            let before = fingerprint(&opt, &theta);
            let error = refuse(&mut opt, &mut theta).to_string();
            assert_eq!(error, expected, "after {steps} steps");
            assert_eq!(fingerprint(&opt, &theta), before, "{error}");

            // What was right is accepted afterwards, and goes on as if nothing had been.
            if steps == 2 {
                opt.groups_mut()[0].rule = decay();
                opt.groups_mut()[1].rule = no_decay();
                opt.clip = None;
                let mut other = numbers::<f64>(0);
                let mut straight = two_groups();
                for t in 0..2 {
                    straight.step(&mut list(&mut other, &numbers(t))).unwrap();
                }
                straight.step(&mut list(&mut other, &numbers(7))).unwrap();
                opt.step(&mut list(&mut theta, &numbers(7))).unwrap();
                assert_eq!(fingerprint(&opt, &theta), fingerprint(&straight, &other));
            } else {
                assert_eq!(opt.tensors().count(), 0, "{error}");
            }
        }
    }

    #[test]
    fn a_tensor_that_is_passed_twice() {
        let expected = "two tensors of one step are called `out.bias`: give each a name of its own";
        assert_refused(two_groups, expected, |opt, theta| {
            let grad = numbers(3);
            let mut more = [0.0; 3];
            let mut params = list(theta, &grad);
            params[4] = Param::new("out.bias", &mut more, &[1.0; 3]);
            opt.step(&mut params).unwrap_err()
        });
    }

    #[test]
    fn a_gradient_that_is_missing() {
        let expected = "tensor `layer.0.bias` has no gradient: pass one, \
                        or pass the tensor as `Param::frozen` to leave it as it is";
        assert_refused(two_groups, expected, |opt, theta| {
            let grad = numbers(3);
            let params = theta
                .iter_mut()
                .zip(&grad)
                .map(|((name, theta), (_, grad))| {
                    let grad = (*name != "layer.0.bias").then_some(grad);
                    Param::maybe(name, theta, grad)
                });
            opt.step(&mut params.collect::<Vec<_>>()).unwrap_err()
        });
    }

    #[test]
    fn a_gradient_of_another_shape() {
        let expected = "tensor `layer.1.bias`: the gradient has shape [16], but the parameters have shape [17]: \
                        pass one gradient entry per parameter";
        assert_refused(two_groups, expected, |opt, theta| {
            let mut grad = numbers(3);
            grad[5].1.pop();
            opt.step(&mut list(theta, &grad)).unwrap_err()
        });
    }

    #[test]
    fn a_gradient_that_is_not_finite() {
        for steps in [0, 2] {
            let (mut opt, mut theta) = (two_groups(), numbers(0));
            for t in 0..steps {
                opt.step(&mut list(&mut theta, &numbers(t))).unwrap();
            }
            for clip in clips() {
                let before = fingerprint(&opt, &theta);
                let mut grad = numbers(3);
                grad[4].1[2048] = f64::NAN;
                grad[5].1[16] = f64::INFINITY;
                opt.clip = clip;
                let error = opt.step(&mut list(&mut theta, &grad)).unwrap_err();
                let (t, index) = (steps + 1, 2048);
                let (tensor, inner) = match &error {
                    Error::Tensor { tensor, error } => (tensor, &**error),
                    other => panic!("{other}"),
                };
                assert_eq!(tensor, "layer.1.weight");
                assert!(
                    matches!(inner, Error::NonFiniteGradient { t: at, index: i, .. } if (*at, *i) == (t, index))
                );
                assert_eq!(fingerprint(&opt, &theta), before);
            }
        }
    }

    #[test]
    fn hyperparameters_that_mean_nothing_in_any_group() {
        let expected = "group `no decay`: Adam: `beta2` is 1, but must be in [0, 1)";
        assert_refused(two_groups, expected, |opt, theta| {
            opt.groups_mut()[1].rule.beta2 = 1.0;
            opt.step(&mut list(theta, &numbers(3))).unwrap_err()
        });
        let expected = "Clip: `limit` is 0, but must be finite and above 0";
        assert_refused(two_groups, expected, |opt, theta| {
            opt.clip = Some(Clip::Value { limit: 0.0 });
            opt.step(&mut list(theta, &numbers(3))).unwrap_err()
        });
    }

    fn assert_refused_at_first(opt: Groups<Adam>, expected: &str) {
        let (mut opt, mut theta) = (opt, numbers(0));
        let before = fingerprint(&opt, &theta);
        let error = opt.step(&mut list(&mut theta, &numbers(1))).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(fingerprint(&opt, &theta), before);
        assert_eq!(opt.tensors().count(), 0);
    }

    #[test]
    fn a_tensor_in_no_group_or_in_several() {
        assert_refused_at_first(
            Groups::new().group("weights", decay(), |p| p.name.ends_with("weight")),
            "tensor `out.bias` of shape [3] is in no group, of which there are [\"weights\"]: \
             widen a predicate, or add a group of the rest (`Groups::rest`)",
        );
        assert_refused_at_first(
            Groups::new()
                .group("weights", decay(), |p| p.name.ends_with("weight"))
                .group("large", decay(), |p| p.shape[0] > 1000)
                .rest("others", decay()),
            "tensor `layer.1.weight` is in the groups [\"weights\", \"large\"]: \
             narrow their predicates so that one takes it",
        );
        assert_refused_at_first(
            Groups::new().rest("a", decay()).rest("b", decay()),
            "tensor `out.bias` is in the groups [\"a\", \"b\"]: narrow their predicates so that one takes it",
        );
    }

    #[test]
    fn two_groups_of_one_name() {
        assert_refused_at_first(
            Groups::new()
                .group("a", decay(), |p| is_bias(p.name))
                .rest("a", decay()),
            "two groups are called `a`: give each a name of its own",
        );
    }

    #[test]
    fn no_tensor_and_an_empty_name() {
        let mut opt = two_groups::<f64>();
        assert_eq!(
            opt.step(&mut []).unwrap_err().to_string(),
            "no tensor was passed: pass all that are to be stepped"
        );
        let error = opt
            .step(&mut [
                Param::new("a.bias", &mut [1.0], &[1.0]),
                Param::new("", &mut [1.0], &[1.0]),
            ])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "a tensor has an empty name: give each a name of its own, by which its state is found again"
        );
        assert_eq!((opt.t(), opt.tensors().count()), (0, 0));
    }

    /// Two steps of the model, then a list that is refused.
    fn assert_refused_later(
        expected: &str,
        refuse: impl Fn(&mut Groups<Adam>, &mut Model<f64>) -> Error,
    ) {
        let (mut opt, mut theta) = (two_groups(), numbers(0));
        for t in 1..=2 {
            opt.step(&mut list(&mut theta, &numbers(t))).unwrap();
        }
        let before = fingerprint(&opt, &theta);
        let error = refuse(&mut opt, &mut theta);
        assert_eq!(error.to_string(), expected);
        assert_eq!(fingerprint(&opt, &theta), before);
    }

    #[test]
    fn a_tensor_that_has_gone() {
        for (gone, (name, _)) in MODEL.iter().enumerate() {
            let expected = format!(
                "tensor `{name}` was there before and is missing now: pass every tensor at every step, \
                 those that are to stay as they are as `Param::frozen`"
            );
            assert_refused_later(&expected, |opt, theta| {
                let grad = numbers(3);
                let mut params = list(theta, &grad);
                params.remove(gone);
                opt.step(&mut params).unwrap_err()
            });
        }
        let expected = "tensor `embed.weight` was there before and is missing now: pass every tensor at every step, \
                        those that are to stay as they are as `Param::frozen`";
        assert_refused_later(expected, |opt, _| opt.step(&mut []).unwrap_err());
    }

    #[test]
    fn a_tensor_that_is_new() {
        let expected = "tensor `head.bias` was not there before: pass every tensor from the first step on, \
                        as `Param::frozen` as long as it is to stay as it is";
        assert_refused_later(expected, |opt, theta| {
            let grad = numbers(3);
            let mut head = [0.0];
            let mut params = list(theta, &grad);
            params.push(Param::new("head.bias", &mut head, &[1.0]));
            opt.step(&mut params).unwrap_err()
        });
    }

    #[test]
    fn a_tensor_whose_shape_has_changed() {
        let expected = "tensor `out.bias`: the parameters have shape [2], but the state was made for shape [3]: \
                        use one Optimizer per tensor, or one name in Groups";
        for frozen in [false, true] {
            assert_refused_later(expected, |opt, theta| {
                let grad = numbers(3);
                let mut other = [7.0; 2];
                let mut params = list(theta, &grad);
                params[0] = if frozen {
                    Param::frozen("out.bias", &other)
                } else {
                    Param::new("out.bias", &mut other, &[1.0; 2])
                };
                let error = opt.step(&mut params).unwrap_err();
                assert_eq!(other, [7.0; 2]);
                error
            });
        }
    }

    #[test]
    fn a_tensor_that_the_rule_cannot_step_or_keep() {
        let (mut w, mut b) = (Array2::<f64>::zeros((2, 2)), [0.0; 2]);
        let mut opt = Groups::new().rest("all", Watching::default());
        let error = opt
            .step(&mut [
                Param::new("w", &mut w, &Array2::ones((2, 2))),
                Param::new("b", &mut b, &[1.0; 2]),
            ])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "tensor `w`: Watching steps vectors, but the parameters have shape [2, 2]: use another rule for them"
        );
        let mut opt = Groups::with_storage(Storage::Bf16).rest("all", Watching::default());
        let error = opt
            .step(&mut [Param::new("b", &mut b, &[1.0; 2])])
            .unwrap_err();
        let storage = Error::Storage { rule: "Watching" };
        assert!(
            matches!(error, Error::Tensor { tensor, error } if tensor == "b" && *error == storage)
        );
        assert_eq!((opt.t(), b, w.sum()), (0, [0.0; 2], 0.0));
    }

    #[test]
    fn a_tensor_that_is_refused_in_the_step_in_which_it_thaws() {
        let (mut a, mut b) = ([0.0], [0.0]);
        let mut opt = Groups::new().rest("all", Adam::default());
        opt.step(&mut [Param::new("a", &mut a, &[1.0]), Param::frozen("b", &b)])
            .unwrap();
        opt.step(&mut [
            Param::new("a", &mut a, &[1.0]),
            Param::new("b", &mut b, &[f64::NAN]),
        ])
        .unwrap_err();
        assert_eq!(
            (opt.t(), opt.t_of("b"), opt.state_names("b").count()),
            (1, Some(0), 0)
        );
        // Its shape has not been settled by the step that was refused.
        let mut longer = [0.0; 2];
        opt.step(&mut [
            Param::new("a", &mut a, &[1.0]),
            Param::new("b", &mut longer, &[1.0, -1.0]),
        ])
        .unwrap();
        assert_eq!(opt.t_of("b"), Some(1));
    }
}

#[test]
fn what_is_frozen_stays_and_its_counter_stands_still() {
    let mut theta = numbers::<f64>(0);
    let mut opt = two_groups();
    let frozen =
        |name: &str, t: u64| name == "layer.1.weight" && t < 4 || name == "out.bias" && t == 6;
    for t in 1..=8 {
        let grad = numbers(t);
        let before = theta.clone();
        let params = theta
            .iter_mut()
            .zip(&grad)
            .map(|((name, theta), (_, grad))| {
                if frozen(name, t) {
                    Param::frozen(name, theta)
                } else {
                    Param::new(name, theta, grad)
                }
            });
        opt.step(&mut params.collect::<Vec<_>>()).unwrap();
        for ((name, now), (_, before)) in theta.iter().zip(&before) {
            if !now.is_empty() {
                assert_eq!(now == before, frozen(name, t), "{name} {t}");
            }
        }
    }
    assert_eq!(opt.t(), 8);
    let counts = ["layer.1.weight", "out.bias", "embed.weight", "x"].map(|name| opt.t_of(name));
    assert_eq!(counts, [Some(5), Some(7), Some(8), None]);

    // What has thawed is where an optimizer of its own would be.
    let (at, rule) = (4, decay());
    let mut alone = numbers::<f64>(0)[at].1.clone();
    let mut optimizer = Optimizer::new(rule);
    for t in 4..=8 {
        optimizer.step(&mut alone, &numbers(t)[at].1).unwrap();
    }
    assert_eq!(theta[at].1, alone);
}

#[test]
fn a_frozen_tensor_has_its_group_before_its_state() {
    let (mut a, b) = ([0.0], [0.0]);
    let mut opt = Groups::new().rest("all", Adam::default());
    opt.step(&mut [Param::new("a", &mut a, &[1.0]), Param::frozen("b", &b)])
        .unwrap();
    assert_eq!(
        (opt.group_of("b"), opt.state("b", "exp_avg")),
        (Some("all"), None)
    );
    assert_eq!(opt.state_shape("a", "exp_avg"), Some(&[1][..]));
    assert_eq!(opt.state_shape("b", "exp_avg"), None);

    let mut opt = Groups::new().group("a", Adam::default(), |p| p.name == "a");
    let error = opt
        .step(&mut [Param::new("a", &mut a, &[1.0]), Param::frozen("b", &b)])
        .unwrap_err();
    assert!(matches!(error, Error::NoGroup { tensor, .. } if tensor == "b"));
}

/// A step of plain gradient descent at rate 1 shows the gradient that the rule has seen.
fn seen(clip: Clip, grads: &[&[f64]]) -> Vec<Vec<f64>> {
    let names = ["b", "a", "c", "d"];
    let mut theta: Vec<Vec<f64>> = grads.iter().map(|g| vec![0.0; g.len()]).collect();
    let mut opt = Groups::new().rest(
        "all",
        Sgd {
            lr: 1.0,
            ..Sgd::default()
        },
    );
    opt.clip = Some(clip);
    let both = names.iter().zip(&mut theta).zip(grads);
    let params = both.map(|((name, theta), grad)| Param::new(name, theta, *grad));
    opt.step(&mut params.collect::<Vec<_>>()).unwrap();
    theta
        .iter()
        .map(|theta| theta.iter().map(|x| -x).collect())
        .collect()
}

#[test]
fn the_global_norm_is_that_of_all_tensors_together() {
    // 3² + 4² + 12² + 84² = 85²
    let grads: [&[f64]; 3] = [&[84.0], &[3.0, -4.0], &[12.0, 0.0]];
    assert_eq!(
        seen(Clip::optax_norm(42.5), &grads),
        [vec![42.0], vec![1.5, -2.0], vec![6.0, 0.0]]
    );
    let kept: Vec<_> = grads.iter().map(|g| g.to_vec()).collect();
    assert_eq!(seen(Clip::optax_norm(85.0), &grads), kept);
    assert_eq!(seen(Clip::torch_norm(86.0), &grads), kept);
    let factor = 85.0 / (85.0 + 1e-6);
    assert_eq!(
        seen(Clip::torch_norm(85.0), &grads)[2],
        [factor * 12.0, 0.0]
    );
}

#[test]
fn each_norm_is_that_of_one_tensor() {
    let grads: [&[f64]; 3] = [&[84.0], &[3.0, -4.0], &[1.0, 0.0]];
    let clip = Clip::Norm {
        max: 2.5,
        form: NormForm::Optax,
    };
    assert_eq!(
        seen(clip, &grads),
        [vec![2.5], vec![1.5, -2.0], vec![1.0, 0.0]]
    );
}

#[test]
fn values_are_clipped_one_by_one() {
    let grads: [&[f64]; 2] = [&[84.0, -0.5], &[3.0, -4.0]];
    let clip = Clip::Value { limit: 3.0 };
    assert_eq!(seen(clip, &grads), [vec![3.0, -0.5], vec![3.0, -3.0]]);
}

#[test]
fn a_global_norm_does_not_overflow() {
    let grads: [&[f64]; 4] = [&[3e200], &[-4e200], &[], &[0.0]];
    let [a, b, ..] = &seen(Clip::optax_norm(5.0), &grads)[..] else {
        unreachable!()
    };
    assert!((a[0] - 3.0).abs() < 1e-12 && (b[0] + 4.0).abs() < 1e-12);
    // Each norm is finite, and the sum of their squares only just is not.
    let grads: [&[f64]; 4] = [&[1e154], &[1e154], &[1e154], &[1e154]];
    assert!((seen(Clip::optax_norm(2.0), &grads)[3][0] - 1.0).abs() < 1e-12);
}

#[test]
fn what_is_frozen_takes_no_part_in_the_global_norm() {
    let (mut a, mut b) = ([0.0], [0.0]);
    let mut opt = Groups::new().rest(
        "all",
        Sgd {
            lr: 1.0,
            ..Sgd::default()
        },
    );
    opt.clip = Some(Clip::optax_norm(1.0));
    opt.step(&mut [
        Param::new("a", &mut a, &[3.0]),
        Param::new("b", &mut b, &[4.0]),
    ])
    .unwrap();
    opt.step(&mut [Param::new("a", &mut a, &[0.5]), Param::frozen("b", &b)])
        .unwrap();
    assert!((a[0] + 1.1).abs() < 1e-15 && (b[0] + 0.8).abs() < 1e-15);
}

#[test]
fn a_gradient_that_is_not_finite_goes_through_where_that_is_asked_for() {
    let (mut a, mut b) = ([0.0], [0.0]);
    let mut opt = Groups::new().rest(
        "all",
        Sgd {
            lr: 1.0,
            ..Sgd::default()
        },
    );
    opt.check_finite = false;
    opt.step(&mut [
        Param::new("a", &mut a, &[f64::INFINITY]),
        Param::new("b", &mut b, &[1.0]),
    ])
    .unwrap();
    assert_eq!((a, b), ([f64::NEG_INFINITY], [-1.0]));
}

#[test]
fn measures_are_those_of_each_tensor_and_of_all() {
    let mut theta = numbers::<f64>(0);
    let mut opt = two_groups();
    opt.clip = Some(Clip::Norm {
        max: 1.0,
        form: NormForm::Torch,
    });
    let mut alone: Vec<_> = MODEL
        .iter()
        .map(|(name, _)| {
            let mut opt = Optimizer::new(if is_bias(name) { no_decay() } else { decay() });
            opt.clip = Some(Clip::Norm {
                max: 1.0,
                form: NormForm::Torch,
            });
            opt
        })
        .collect();
    let mut copies = theta.clone();
    for t in 1..=3 {
        let grad = numbers(t);
        let mut params = list(&mut theta, &grad);
        let measures = opt.step_measured(&mut params).unwrap();
        let mut squares = [0.0; 3];
        for (((name, theta), (_, grad)), alone) in copies.iter_mut().zip(&grad).zip(&mut alone) {
            let expected = alone.step_measured(theta, grad).unwrap();
            assert_eq!(measures.tensor(name), Some(expected), "{name}");
            squares[0] += expected.grad_norm.powi(2);
            squares[1] += expected.param_norm.powi(2);
            squares[2] += expected.update_norm.powi(2);
        }
        let names: Vec<_> = measures.tensors().map(|(name, _)| name).collect();
        assert!(names.is_sorted() && names.len() == MODEL.len());
        let total = measures.total;
        let found = [total.grad_norm, total.param_norm, total.update_norm];
        for (found, square) in found.iter().zip(squares) {
            assert!((found - square.sqrt()).abs() <= 1e-13 * found, "{total:?}");
        }
        assert_eq!(total.t, t);
        assert!(total.lr.is_nan() && total.clip_factor.is_nan());
        assert_eq!(measures.tensor("x"), None);
    }
}

#[test]
fn a_total_has_the_rate_and_the_factor_that_all_have() {
    let mut opt = two_groups();
    opt.set_lr(0.5);
    opt.clip = Some(Clip::optax_norm(2.5));
    let (mut a, mut b) = ([1.0], [0.0]);
    let c = [0.0];
    let measures = opt
        .step_measured(&mut [
            Param::new("a.bias", &mut a, &[3.0]),
            Param::new("b", &mut b, &[4.0]),
            Param::frozen("c", &c),
        ])
        .unwrap();
    assert_eq!((measures.total.lr, measures.total.clip_factor), (0.5, 0.5));
    assert_eq!(
        (measures.total.grad_norm, measures.total.param_norm),
        (5.0, 1.0)
    );
    assert_eq!(measures.tensor("c"), None);
    let names: Vec<_> = measures.tensors().map(|(name, _)| name).collect();
    assert_eq!(names, ["a.bias", "b"]);
}

#[test]
fn state_can_be_kept_in_fewer_bits() {
    for storage in [Storage::Bf16, Storage::Bits8] {
        let rule = decay();
        let mut theta = numbers::<f32>(0);
        let mut copies = theta.clone();
        let mut opt = Groups::with_storage(storage).rest("all", rule);
        let mut alone = vec![Optimizer::with_storage(rule, storage); MODEL.len()];
        for t in 1..=3 {
            let grad = numbers(t);
            opt.step(&mut list(&mut theta, &grad)).unwrap();
            for (((_, theta), (_, grad)), alone) in copies.iter_mut().zip(&grad).zip(&mut alone) {
                alone.step(theta, grad).unwrap();
            }
        }
        assert_eq!(theta, copies);
        assert_eq!(
            (opt.storage(), opt.state("out.bias", "exp_avg")),
            (storage, None)
        );
        let decoded = opt.state_decoded("out.bias", "exp_avg");
        assert_eq!(decoded, alone[0].state_decoded("exp_avg"));
        assert_eq!(decoded.unwrap().len(), 3);
    }
}

/// θ ← θ − lr · h, where h is the curvature that was seen last, 1 at first; counts its steps in a scalar.
#[derive(Clone, Copy, Debug)]
struct Watching {
    lr: f64,
}

impl Default for Watching {
    fn default() -> Self {
        Self { lr: 1.0 }
    }
}

impl Rule for Watching {
    fn name(&self) -> &'static str {
        "Watching"
    }
    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }
    fn check_shape(&self, shape: &[usize]) -> Result<(), Error> {
        if shape.len() == 1 {
            return Ok(());
        }
        Err(Error::UnsupportedShape {
            rule: "Watching",
            shape: shape.to_vec(),
            expected: "vectors",
        })
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["hessian"]
    }
    fn initial(&self, _name: &str) -> moments::Initial {
        moments::Initial::Value(1.0)
    }
    fn scalars(&self) -> &'static [(&'static str, f64)] {
        &[("count", 10.0)]
    }
    fn advance(&self, _t: u64, scalars: &mut [f64]) {
        scalars[0] += 1.0;
    }
    fn step<T: Float>(&self, step: Step<'_, T>) {
        for (theta, h) in step.theta.iter_mut().zip(&*step.state[0]) {
            *theta -= T::of(self.lr) * *h;
        }
    }
}

impl CurvatureRule for Watching {
    fn observe<T: Float>(&self, _t: u64, curvature: &[T], state: [&mut [T]; MAX_STATE]) {
        state[0].copy_from_slice(curvature);
    }
}

#[test]
fn curvature_is_matched_by_name() {
    let mut opt = Groups::new().rest("all", Watching::default());
    let (mut a, mut b) = ([0.0], [0.0, 0.0]);
    // Before the first step, too.
    opt.observe_curvature(&[Curvature::new("b", &[2.0, 3.0]), Curvature::frozen("a", &a)])
        .unwrap();
    assert_eq!(
        (opt.t(), opt.state("b", "hessian")),
        (0, Some(&[2.0, 3.0][..]))
    );
    let mut step = |opt: &mut Groups<Watching>| {
        opt.step(&mut [
            Param::new("a", &mut a, &[0.0]),
            Param::new("b", &mut b, &[0.0; 2]),
        ])
        .unwrap();
        (a[0], b)
    };
    assert_eq!(step(&mut opt), (-1.0, [-2.0, -3.0]));
    opt.observe_curvature(&[
        Curvature::new("a", &[0.5]),
        Curvature::new("b", &[0.0, 1.0][..]),
    ])
    .unwrap();
    assert_eq!(step(&mut opt), (-1.5, [-2.0, -4.0]));
    assert_eq!(
        (opt.scalar("a", "count"), opt.scalar("a", "x")),
        (Some(12.0), None)
    );
    assert_eq!(opt.scalar("x", "count"), None);

    let refused = |opt: &mut Groups<Watching>, given: &[Curvature<'_>], expected: &str| {
        let error = opt.observe_curvature(given).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(opt.state("a", "hessian"), Some(&[0.5][..]));
        assert_eq!(opt.state("b", "hessian"), Some(&[0.0, 1.0][..]));
    };
    refused(
        &mut opt,
        &[Curvature::new("a", &[1.0])],
        "`b` was there before",
    );
    let nan = [1.0, f64::NAN];
    let given = [Curvature::new("a", &[7.0]), Curvature::new("b", &nan)];
    refused(&mut opt, &given, "tensor `b`: entry 1");
    let given = [Curvature::new("a", &[7.0]), Curvature::new("b", &[1.0])];
    refused(
        &mut opt,
        &given,
        "tensor `b`: the parameters have shape [1]",
    );
}

#[test]
fn an_observation_that_is_refused_at_first_leaves_nothing_behind() {
    let mut opt = Groups::new().rest("all", Watching::default());
    let error = opt.observe_curvature(&[Curvature::new("b", &[f64::NAN])]);
    assert!(error.is_err());
    assert_eq!(opt.tensors().count(), 0);
}

#[test]
fn a_rule_of_too_much_state_panics_before_any_tensor_has_changed() {
    #[derive(Clone, Copy, Debug)]
    struct Greedy;
    impl Rule for Greedy {
        fn name(&self) -> &'static str {
            "Greedy"
        }
        fn validate(&self) -> Result<(), Error> {
            Ok(())
        }
        fn lr(&self) -> f64 {
            1.0
        }
        fn set_lr(&mut self, _lr: f64) {}
        fn state_names(&self, shape: &[usize]) -> &'static [&'static str] {
            if shape[0] > 1 {
                &["a", "b", "c", "d", "e"]
            } else {
                &[]
            }
        }
        fn step<T: Float>(&self, step: Step<'_, T>) {
            step.theta.fill(T::of(1.0));
        }
    }
    let (mut small, mut large) = ([0.0], [0.0; 2]);
    let mut opt = Groups::new().rest("all", Greedy);
    let step = || {
        opt.step(&mut [
            Param::new("small", &mut small, &[1.0]),
            Param::new("large", &mut large, &[1.0; 2]),
        ])
    };
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(step)).unwrap_err();
    let text = panic.downcast::<String>().unwrap();
    assert_eq!(*text, "a rule keeps at most 4 state tensors");
    assert_eq!((small, large), ([0.0], [0.0; 2]));
}

#[test]
fn a_copy_goes_its_own_way() {
    let mut theta = numbers::<f64>(0);
    let mut opt = two_groups();
    opt.step(&mut list(&mut theta, &numbers(1))).unwrap();
    let mut copy = opt.clone();
    let mut other = theta.clone();
    copy.step(&mut list(&mut other, &numbers(2))).unwrap();
    assert_eq!((opt.t(), copy.t()), (1, 2));
    opt.step(&mut list(&mut theta, &numbers(2))).unwrap();
    assert_eq!(fingerprint(&opt, &theta), fingerprint(&copy, &other));
    let text = format!("{:?}", opt.groups());
    assert!(
        text.contains("no decay") && text.contains("weight_decay"),
        "{text}"
    );
}

mod saved {
    use super::*;
    use moments::{ParameterState, Snapshot, SnapshotError};

    /// Steps of the model, in another order each.
    fn go_on(opt: &mut Groups<Adam>, theta: &mut Model<f64>, steps: std::ops::RangeInclusive<u64>) {
        for t in steps {
            let grad = numbers(t);
            let mut params = list(theta, &grad);
            params.rotate_left(t as usize % MODEL.len());
            opt.step(&mut params).unwrap();
        }
    }

    #[test]
    fn a_run_that_is_saved_and_restored_has_the_same_bits() {
        for storage in [Storage::Full, Storage::Bf16, Storage::Bits8] {
            let make = || {
                Groups::with_storage(storage)
                    .group("decay", decay(), |p| !is_bias(p.name))
                    .group("no decay", no_decay(), |p| is_bias(p.name))
            };
            let (mut opt, mut theta) = (make(), numbers(0));
            go_on(&mut opt, &mut theta, 1..=3);
            let saved = opt.snapshot();
            let names: Vec<_> = saved.parameters.iter().map(|p| &p.name[..]).collect();
            assert!(names.is_sorted() && names.len() == MODEL.len());

            let (mut fresh, mut copy) = (make(), theta.clone());
            fresh.restore(&saved).unwrap();
            assert_eq!(fresh.tensors().collect::<Vec<_>>(), names);
            assert_eq!(fresh.group_of("out.bias"), Some("no decay"));
            assert_eq!((fresh.t(), fresh.snapshot()), (3, saved.clone()));
            go_on(&mut fresh, &mut copy, 4..=6);

            // The other has gone on in the meantime, and is brought back.
            go_on(&mut opt, &mut theta.clone(), 4..=5);
            opt.restore(&saved).unwrap();
            go_on(&mut opt, &mut theta, 4..=6);
            assert_eq!(fingerprint(&opt, &theta), fingerprint(&fresh, &copy));
        }
    }

    #[test]
    fn an_optimizer_before_its_first_step_is_restored_as_one() {
        let mut opt = two_groups::<f64>();
        let saved = opt.snapshot();
        assert!(saved.parameters.is_empty());
        opt.restore(&saved).unwrap();
        assert_eq!((opt.t(), opt.tensors().count()), (0, 0));
        opt.step(&mut list(&mut numbers(0), &numbers(1))).unwrap();
        let error = opt.restore(&saved).unwrap_err().to_string();
        assert!(
            error.contains("the tensor `embed.weight` is missing"),
            "{error}"
        );
    }

    #[test]
    fn what_has_been_frozen_so_far_is_restored_so() {
        let make = || Groups::new().rest("all", Adam::default());
        let (mut a, mut b) = ([0.0], [0.0]);
        let mut opt = make();
        opt.step(&mut [Param::new("a", &mut a, &[1.0]), Param::frozen("b", &b)])
            .unwrap();
        opt.step(&mut [Param::frozen("a", &a), Param::frozen("b", &b)])
            .unwrap();
        // No tensor has done both steps.
        let saved = opt.snapshot();
        assert_eq!(
            saved.parameters[0],
            ParameterState::new::<f64>("Adam", 2, &[])
        );
        for mut restored in [make(), opt.clone()] {
            restored.restore(&saved).unwrap();
            assert_eq!(
                (restored.t(), restored.t_of("a"), restored.t_of("b")),
                (2, Some(1), Some(0))
            );
            assert_eq!(restored.snapshot(), saved);
            let (mut a, mut b) = (a, b);
            restored
                .step(&mut [
                    Param::new("b", &mut b, &[1.0]),
                    Param::new("a", &mut a, &[1.0]),
                ])
                .unwrap();
            assert_eq!((restored.t(), restored.group_of("b")), (3, Some("all")));
        }
        opt.step(&mut [
            Param::new("a", &mut a, &[1.0]),
            Param::new("b", &mut b, &[1.0]),
        ])
        .unwrap();
        opt.restore(&saved).unwrap();
        assert_eq!((opt.t_of("b"), opt.state("b", "exp_avg")), (Some(0), None));
    }

    /// The record is refused with this message by an optimizer that runs, which then goes on as if nothing had been.
    fn assert_refused(expected: &str, change: impl Fn(&mut Snapshot)) {
        let (mut opt, mut theta) = (two_groups(), numbers(0));
        go_on(&mut opt, &mut theta, 1..=3);
        let mut saved = opt.snapshot();
        go_on(&mut opt, &mut theta, 4..=4);
        change(&mut saved);
        let before = fingerprint(&opt, &theta);
        let error = opt.restore(&saved).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fingerprint(&opt, &theta), before, "{error}");
        let (mut straight, mut other) = (two_groups(), numbers(0));
        go_on(&mut straight, &mut other, 1..=5);
        go_on(&mut opt, &mut theta, 5..=5);
        assert_eq!(fingerprint(&opt, &theta), fingerprint(&straight, &other));
    }

    fn of<'a>(saved: &'a mut Snapshot, name: &str) -> &'a mut ParameterState {
        let found = saved.parameters.iter_mut().find(|p| p.name == name);
        found.unwrap()
    }

    #[test]
    fn a_record_that_does_not_fit_is_refused_and_names_the_tensor() {
        assert_refused(
            "the state of the tensor `layer.0.bias` is missing",
            |saved| {
                saved.parameters.retain(|p| p.name != "layer.0.bias");
            },
        );
        assert_refused("there is state of a tensor `head.bias`, which", |saved| {
            let more = of(saved, "out.bias").clone().named("head.bias");
            saved.parameters.push(more);
        });
        assert_refused("there is state of a tensor `in.bias`, which", |saved| {
            of(saved, "out.bias").name = "in.bias".into();
        });
        assert_refused("the parameters of `out.bias`: the shape is [2]", |saved| {
            *of(saved, "out.bias") = ParameterState::new::<f64>("Adam", 3, &[2])
                .named("out.bias")
                .tensor("exp_avg", &[0.0; 2])
                .tensor("exp_avg_sq", &[0.0; 2]);
        });
        assert_refused("the tensor `exp_avg` of `out.bias` is missing", |saved| {
            of(saved, "out.bias").tensors.remove(0);
        });
        assert_refused("of `out.bias` is that of the rule \"SGD\"", |saved| {
            of(saved, "out.bias").rule = "SGD".into();
        });
        assert_refused("the parameter `out.bias` is given twice", |saved| {
            let again = of(saved, "out.bias").clone();
            saved.parameters.push(again);
        });
        assert_refused("there is state of `out.bias` although `t` is 0", |saved| {
            of(saved, "out.bias").t = 0;
        });
        assert_refused("`t` is 9007199254740993", |saved| {
            let steps = (1 << 53) + 1;
            saved
                .parameters
                .push(ParameterState::new::<f64>("Adam", steps, &[]));
        });
        assert_refused("a tensor has an empty name", |saved| {
            let unnamed = of(saved, "out.bias").clone().named("");
            saved.parameters.push(unnamed);
        });
    }

    #[test]
    fn a_tensor_that_fits_no_group_is_refused_by_a_fresh_optimizer() {
        let (mut opt, mut theta) = (two_groups(), numbers(0));
        go_on(&mut opt, &mut theta, 1..=1);
        let saved = opt.snapshot();
        let mut other = Groups::<_, f64>::new().group("weights", decay(), |p| !is_bias(p.name));
        let error = other.restore(&saved).unwrap_err();
        assert!(matches!(error, Error::NoGroup { tensor, .. } if tensor == "layer.0.bias"));
        assert_eq!(other.tensors().count(), 0);

        let mut other = Groups::<_, f32>::new().rest("all", decay());
        let error = other.restore(&saved).unwrap_err();
        assert!(
            matches!(error, Error::Snapshot(SnapshotError::Dtype { .. })),
            "{error}"
        );

        let state = ParameterState::new::<f64>("Watching", 1, &[1, 1]).named("w");
        let mut other = Groups::<_, f64>::new().rest("all", Watching::default());
        let error = other.restore(&state.into()).unwrap_err();
        assert!(matches!(error, Error::Tensor { tensor, .. } if tensor == "w"));
    }

    #[test]
    fn a_refused_step_forgets_no_tensor_that_was_restored() {
        let (mut a, b) = ([0.0], [0.0]);
        let mut opt = Groups::new().rest("all", Adam::default());
        opt.step(&mut [Param::frozen("a", &a), Param::frozen("b", &b)])
            .unwrap();
        let nan = [f64::NAN];
        opt.step(&mut [Param::new("a", &mut a, &nan), Param::frozen("b", &b)])
            .unwrap_err();
        assert_eq!(opt.tensors().collect::<Vec<_>>(), ["a", "b"]);
    }
}

/// A model that is worth several threads: small tensors, large ones, strided ones, in several groups.
#[cfg(feature = "rayon")]
#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let sizes: Vec<usize> = (0..80)
        .map(|i| match i % 20 {
            7 => 20_000,
            13 => 70_001,
            _ => 37 + 91 * (i % 20),
        })
        .collect();
    let names: Vec<String> = (0..sizes.len())
        .map(|i| format!("{:02}", (i * 7) % 80))
        .collect();
    let run = |threads: usize, clip: Option<Clip>, storage| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let mut opt = Groups::<_, f32>::with_storage(storage)
                .group("decay", decay(), |p| p.name.ends_with('3'))
                .rest("no decay", no_decay());
            opt.clip = clip;
            let tensor = |seed: u64, n: usize| -> Vec<f32> {
                let scale = |x: usize| (x as u64 * 2_654_435_761 + seed * 97) % 1_000_003;
                (0..n).map(|i| scale(i) as f32 / 1e6 - 0.5).collect()
            };
            let mut theta: Vec<_> = (0..).zip(&sizes).map(|(i, &n)| tensor(i, n)).collect();
            let mut sums = Vec::new();
            for t in 1..=2 {
                let grad: Vec<_> = (0..).zip(&sizes).map(|(i, &n)| tensor(i * t, n)).collect();
                let both = names.iter().zip(&mut theta).zip(&grad);
                let params = both.map(|((name, theta), grad)| Param::new(name, theta, grad));
                let mut params: Vec<_> = params.collect();
                let total = opt.step_measured(&mut params).unwrap().total;
                sums.extend([total.grad_norm, total.param_norm, total.update_norm]);
                opt.step(&mut params).unwrap();
            }
            (theta, sums)
        })
    };
    for clip in [None, Some(Clip::torch_norm(1.0))] {
        for storage in [Storage::Full, Storage::Bits8] {
            let one = run(1, clip, storage);
            for threads in [2, 5] {
                assert!(run(threads, clip, storage) == one, "{threads} {clip:?}");
            }
        }
    }
}

#[cfg(feature = "rayon")]
#[test]
fn of_several_errors_the_first_in_the_list_is_named() {
    let mut theta = vec![vec![0.0_f32; 5000]; 100];
    let mut grad = theta.clone();
    for i in [31, 60, 99] {
        grad[i][4999 - i] = f32::NAN;
    }
    let names: Vec<String> = (0..100).map(|i| format!("t{i}")).collect();
    let mut opt = Groups::new().rest("all", decay());
    for _ in 0..20 {
        let both = names.iter().zip(&mut theta).zip(&grad);
        let params = both.map(|((name, theta), grad)| Param::new(name, theta, grad));
        let error = opt.step(&mut params.collect::<Vec<_>>()).unwrap_err();
        assert!(
            error.to_string().starts_with("tensor `t31`: entry 4968 "),
            "{error}"
        );
    }
}
