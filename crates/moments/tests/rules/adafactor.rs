use crate::common::{assert_refuses, gradients, on_a_bowl, trajectory_from};
use moments::{Adafactor, AdafactorDecay, EpsForm, Error, Factoring, Optimizer, Rule, StepSize};
use ndarray::{Array2, ArrayD, IxDyn, array};

/// Steps by u alone: no clipping, no scale, no decay.
fn plain() -> Adafactor {
    Adafactor {
        lr: 0.1,
        step_size: StepSize::Constant,
        clip: f64::INFINITY,
        multiply_by_parameter_scale: false,
        ..Adafactor::default()
    }
}

fn numbers(seed: u64, shape: &[usize]) -> ArrayD<f64> {
    let n = shape.iter().product();
    ArrayD::from_shape_vec(shape.to_vec(), gradients(seed, 1, n).remove(0)).unwrap()
}

#[test]
fn presets_are_as_documented() {
    let torch = Adafactor {
        lr: 0.01,
        step_size: StepSize::Relative,
        beta1: 0.0,
        decay_exponent: 0.8,
        decay_offset: 0.0,
        eps: None,
        eps_form: EpsForm::Denominator,
        eps_scale: 1e-3,
        clip: 1.0,
        multiply_by_parameter_scale: true,
        factoring: Factoring::LastTwo,
        min_dim_size_to_factor: 0,
        weight_decay: 0.0,
        decay: AdafactorDecay::Lr,
    };
    assert_eq!(Adafactor::default(), torch);
    assert_eq!(Adafactor::torch(), torch);
    let paper = Adafactor {
        eps: Some(1e-30),
        eps_form: EpsForm::Squares,
        ..torch
    };
    assert_eq!(Adafactor::paper(), paper);
    let optax = Adafactor {
        step_size: StepSize::Constant,
        factoring: Factoring::LargestTwo,
        min_dim_size_to_factor: 128,
        decay: AdafactorDecay::Unscaled,
        ..paper
    };
    assert_eq!(Adafactor::optax(), optax);
}

#[test]
fn a_gradient_of_rank_one_is_factored_without_loss() {
    // g = a bᵀ has v̂ = g² exactly, so that the first step is a sign step.
    let (a, b) = ([1.0_f64, -2.0, 0.5], [3.0, 0.25, -1.0, 4.0]);
    let grad = Array2::from_shape_fn((3, 4), |(i, j)| a[i] * b[j]);
    let mut theta = Array2::<f64>::zeros((3, 4));
    Optimizer::new(plain()).step(&mut theta, &grad).unwrap();
    for (theta, g) in theta.iter().zip(&grad) {
        assert!((theta + 0.1 * g.signum()).abs() < 1e-15, "{theta} {g}");
    }
}

#[test]
fn the_state_of_a_matrix_is_a_vector_for_rows_and_one_for_columns() {
    let mut theta = numbers(61, &[30, 50]);
    let mut opt = Optimizer::new(Adafactor::default());
    opt.step(&mut theta, &numbers(62, &[30, 50])).unwrap();
    assert_eq!(opt.state_shape("exp_avg_sq_row"), Some(&[30][..]));
    assert_eq!(opt.state_shape("exp_avg_sq_col"), Some(&[50][..]));
    assert_eq!(opt.state_bytes(), 8 * 80);
    assert_eq!(opt.state("exp_avg_sq"), None);

    let mut opt = Optimizer::new(Adafactor {
        factoring: Factoring::Off,
        beta1: 0.9,
        ..Adafactor::default()
    });
    opt.step(&mut theta, &numbers(62, &[30, 50])).unwrap();
    assert_eq!(opt.state_shape("exp_avg_sq"), Some(&[30, 50][..]));
    assert_eq!(opt.state_shape("exp_avg"), Some(&[30, 50][..]));
}

#[test]
fn each_library_factors_the_axes_that_it_chooses() {
    let shapes = |rule: Adafactor, shape: &[usize]| -> Vec<Vec<usize>> {
        let names = rule.state_names(shape).iter();
        names.map(|name| rule.state_shape(name, shape)).collect()
    };
    let torch = Adafactor::torch();
    assert_eq!(shapes(torch, &[5]), [vec![5]]);
    assert_eq!(shapes(torch, &[]), [Vec::<usize>::new()]);
    assert_eq!(shapes(torch, &[6, 2, 3]), [vec![6, 2], vec![6, 3]]);

    let optax = |min_dim_size_to_factor| Adafactor {
        min_dim_size_to_factor,
        ..Adafactor::optax()
    };
    // The longest axis is left out of the rows, the second longest out of the columns.
    assert_eq!(shapes(optax(2), &[6, 2, 3]), [vec![2, 3], vec![6, 2]]);
    assert_eq!(shapes(optax(2), &[3, 6, 2]), [vec![3, 2], vec![6, 2]]);
    assert_eq!(shapes(optax(3), &[6, 2, 3]), [vec![2, 3], vec![6, 2]]);
    assert_eq!(shapes(optax(4), &[6, 2, 3]), [vec![6, 2, 3]]);
    assert_eq!(shapes(optax(128), &[127, 500]), [vec![127, 500]]);
    assert_eq!(shapes(optax(128), &[128, 500]), [vec![128], vec![500]]);
    // Of equal lengths, the last.
    assert_eq!(shapes(optax(2), &[4, 4, 4]), [vec![4, 4], vec![4, 4]]);
    assert_eq!(shapes(optax(2), &[4, 4]), [vec![4], vec![4]]);

    let with_momentum = Adafactor {
        beta1: 0.5,
        ..torch
    };
    let names = ["exp_avg_sq_row", "exp_avg_sq_col", "exp_avg"];
    assert_eq!(with_momentum.state_names(&[2, 3]), names);
    assert_eq!(with_momentum.state_names(&[6]), ["exp_avg_sq", "exp_avg"]);
    for name in names {
        assert_eq!(torch.is_non_negative(name), name != "exp_avg");
    }
    assert!(torch.is_non_negative("exp_avg_sq"));
}

/// The rule by definition, entry by entry, for a tensor of any axes of which two are factored.
struct Slow {
    rule: Adafactor,
    /// The axes of rows and columns.
    axes: [usize; 2],
    row: ArrayD<f64>,
    column: ArrayD<f64>,
    m: ArrayD<f64>,
    theta: ArrayD<f64>,
}

impl Slow {
    fn step(&mut self, t: u64, grad: &ArrayD<f64>) {
        let rule = self.rule;
        let [row, column] = self.axes;
        let shape = grad.shape().to_vec();
        let rest = (t as f64 - rule.decay_offset)
            .max(1.0)
            .powf(-rule.decay_exponent);
        let eps = rule.eps.unwrap();
        let (added, least) = match rule.eps_form {
            EpsForm::Squares => (eps, 0.0),
            EpsForm::Denominator => (0.0, eps),
        };
        let square = grad.mapv(|g| g * g + added);
        // The averages keep all axes here; each repeats itself along the axis it was taken over.
        let mean_over = |x: &ArrayD<f64>, axis: usize| {
            let mean = x.mean_axis(ndarray::Axis(axis)).unwrap();
            let mean = mean.insert_axis(ndarray::Axis(axis));
            mean.broadcast(IxDyn(&shape)).unwrap().to_owned()
        };
        let average = |old: &ArrayD<f64>, new: ArrayD<f64>| old * (1.0 - rest) + new * rest;
        self.row = average(&self.row, mean_over(&square, column));
        self.column = average(&self.column, mean_over(&square, row));
        let mean = mean_over(&self.row, row);
        let mut u = ArrayD::zeros(shape.clone());
        for (i, u) in u.indexed_iter_mut() {
            let v: f64 = self.row[&i] * self.column[&i] / mean[&i].max(least);
            *u = grad[&i] / v.sqrt().max(least);
        }
        let rms = |x: &ArrayD<f64>| (x.mapv(|x| x * x).mean().unwrap()).sqrt();
        let rho = match rule.step_size {
            StepSize::Relative => rule.lr.min(1.0 / (t as f64).sqrt()),
            StepSize::Constant => rule.lr,
        };
        let mut size = rho / (rms(&u) / rule.clip).max(1.0);
        if rule.multiply_by_parameter_scale {
            size *= rms(&self.theta).max(rule.eps_scale);
        }
        self.m = &self.m * rule.beta1 + u * size * (1.0 - rule.beta1);
        let decay = match rule.decay {
            AdafactorDecay::Lr => rule.lr * rule.weight_decay,
            AdafactorDecay::Unscaled => rule.weight_decay,
        };
        self.theta = &self.theta - &self.theta * decay - &self.m;
    }
}

#[test]
fn it_keeps_step_with_the_definition_whichever_axes_are_factored() {
    let settings = [
        Adafactor {
            eps: Some(1e-3),
            weight_decay: 0.2,
            lr: 0.4,
            ..Adafactor::torch()
        },
        Adafactor {
            eps: Some(0.3), // larger than some denominators
            lr: 0.1,
            multiply_by_parameter_scale: false,
            ..Adafactor::torch()
        },
        Adafactor {
            eps: Some(0.01),
            beta1: 0.8,
            decay_exponent: 0.5,
            decay_offset: 3.0,
            clip: 0.7,
            eps_scale: 0.9,
            weight_decay: 0.05,
            min_dim_size_to_factor: 2,
            ..Adafactor::optax()
        },
    ];
    for rule in settings {
        // With optax's form 7 is the rows and 9 the columns, with other axes before, between and behind them.
        let shapes: [&[usize]; 11] = [
            &[9, 7, 3],
            &[7, 9, 3],
            &[3, 9, 7],
            &[3, 7, 9],
            &[7, 3, 9],
            &[9, 3, 7],
            &[2, 9, 3, 7],
            &[2, 7, 3, 9],
            &[2, 9, 7, 3],
            &[2, 7, 9, 3],
            &[2, 7, 4, 9, 3],
        ];
        for shape in shapes {
            let axes = match rule.factoring {
                Factoring::LastTwo => [shape.len() - 2, shape.len() - 1],
                _ => [7, 9].map(|len| shape.iter().position(|n| *n == len).unwrap()),
            };
            let start = numbers(63, shape);
            let zero = ArrayD::zeros(shape.to_vec());
            let mut slow = Slow {
                rule,
                axes,
                row: zero.clone(),
                column: zero.clone(),
                m: zero,
                theta: start.clone(),
            };
            let mut theta = start;
            let mut opt = Optimizer::new(rule);
            for t in 1..=12 {
                let grad = numbers(64 + t, shape) * if t == 7 { 100.0 } else { 1.0 };
                opt.step(&mut theta, &grad).unwrap();
                slow.step(t, &grad);
                for (a, b) in theta.iter().zip(&slow.theta) {
                    assert!((a - b).abs() < 1e-13, "{rule:?} {shape:?} {t}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn long_lines_are_summed_as_short_ones() {
    // More columns than are summed side by side, in front of and behind the other axis.
    for shape in [[3, 300], [300, 3]] {
        let grad = numbers(77, &shape);
        let mut theta = ArrayD::zeros(shape.to_vec());
        let mut opt = Optimizer::new(plain());
        opt.step(&mut theta, &grad).unwrap();
        let square = grad.mapv(|g| g * g);
        for (name, axis) in [("exp_avg_sq_row", 1), ("exp_avg_sq_col", 0)] {
            let expected = square.mean_axis(ndarray::Axis(axis)).unwrap();
            for (a, b) in opt.state(name).unwrap().iter().zip(&expected) {
                assert!((a - b).abs() < 1e-14 * b, "{shape:?} {name}");
            }
        }
    }
}

#[test]
fn a_vector_is_stepped_by_its_own_second_moment() {
    let rule = Adafactor {
        decay_exponent: 1.0,
        eps: Some(0.0),
        ..plain()
    };
    let mut theta = [0.0, 0.0];
    let mut opt = Optimizer::new(rule);
    opt.step(&mut theta, &[2.0, -0.5]).unwrap();
    assert_eq!(theta, [-0.1, 0.1]);
    // β̂₂ = 1/2: v = (4 + 16)/2 and (0.25 + 0)/2.
    opt.step(&mut theta, &[4.0, 0.0]).unwrap();
    assert_eq!(opt.state("exp_avg_sq"), Some(&[10.0, 0.125][..]));
    assert!((theta[0] + 0.1 + 0.4 / 10f64.sqrt()).abs() < 1e-15);
    assert_eq!(theta[1], 0.1);
}

#[test]
fn epsilon_is_in_the_squares_or_below_the_root() {
    let first = |eps_form, g| {
        let rule = Adafactor {
            eps: Some(0.5),
            eps_form,
            ..plain()
        };
        trajectory_from(rule, &[0.0], &[vec![g]])[0][0]
    };
    assert!((first(EpsForm::Squares, 1.0) + 0.1 / 1.5_f64.sqrt()).abs() < 1e-15);
    assert_eq!(first(EpsForm::Denominator, 1.0), -0.1);
    assert_eq!(first(EpsForm::Denominator, 0.25), -0.05);
}

#[test]
fn the_machine_epsilon_is_that_of_the_type() {
    let rule = Adafactor { lr: 1.0, ..plain() };
    // g is a quarter of ε₁, so that the step is a quarter of lr.
    let mut theta = [0.0_f64];
    Optimizer::new(rule)
        .step(&mut theta, &[f64::EPSILON / 4.0])
        .unwrap();
    assert!((theta[0] + 0.25).abs() < 1e-15);
    let mut theta = [0.0_f32];
    Optimizer::new(rule)
        .step(&mut theta, &[f32::EPSILON / 4.0])
        .unwrap();
    assert!((theta[0] + 0.25).abs() < 1e-6);
}

#[test]
fn a_step_is_clipped_down_to_the_threshold_and_never_up() {
    // After a small gradient a large one has a root mean square of u above 1.
    let second = |clip, large| -> f64 {
        let rule = Adafactor {
            clip,
            decay_exponent: 1.0,
            ..plain()
        };
        let path = trajectory_from(rule, &[0.0, 0.0], &[vec![1.0, 1.0], vec![large, large]]);
        (path[1][0] - path[0][0]) / -0.1
    };
    // v̂ = (1 + 49)/2 and u = 7/5.
    assert!((second(f64::INFINITY, 7.0) - 1.4).abs() < 1e-14);
    assert!((second(1.0, 7.0) - 1.0).abs() < 1e-14);
    assert!((second(1.25, 7.0) - 1.25).abs() < 1e-14);
    assert!((second(1.5, 7.0) - 1.4).abs() < 1e-14);
    // A step below the threshold is left alone: v̂ = (1 + 1/49)/2 and u = 1/5.
    assert!((second(1.0, 1.0 / 7.0) - 0.2).abs() < 1e-14);
}

#[test]
fn the_step_is_relative_to_the_size_of_the_parameters() {
    let rule = Adafactor {
        multiply_by_parameter_scale: true,
        ..plain()
    };
    for (start, scale) in [([3.0, -4.0], 12.5_f64.sqrt()), ([1e-4, 0.0], 1e-3)] {
        let theta = &trajectory_from(rule, &start, &[vec![1.0, -2.0]])[0];
        assert!((theta[0] - start[0] + 0.1 * scale).abs() < 1e-14);
        assert!((theta[1] - start[1] - 0.1 * scale).abs() < 1e-14);
    }
}

#[test]
fn the_relative_step_falls_with_the_root_of_t() {
    let way = |step_size, lr| {
        let rule = Adafactor {
            lr,
            step_size,
            ..plain()
        };
        // A constant gradient makes sign steps.
        let path = trajectory_from(rule, &[0.0], &vec![vec![2.0]; 20]);
        path[18][0] - path[19][0]
    };
    assert!((way(StepSize::Relative, 1.0) - 1.0 / 20f64.sqrt()).abs() < 1e-13);
    assert!((way(StepSize::Relative, 0.1) - 0.1).abs() < 1e-13);
    assert!((way(StepSize::Constant, 1.0) - 1.0).abs() < 1e-13);
}

#[test]
fn weight_decay_is_scaled_by_the_rate_or_by_nothing() {
    for (decay, kept) in [(AdafactorDecay::Lr, 0.95), (AdafactorDecay::Unscaled, 0.5)] {
        let rule = Adafactor {
            weight_decay: 0.5,
            decay,
            ..plain()
        };
        let theta = &trajectory_from(rule, &[2.0], &[vec![0.0]])[0];
        assert!((theta[0] - 2.0 * kept).abs() < 1e-15, "{decay:?}");
    }
}

#[test]
fn momentum_averages_the_steps_themselves() {
    let rule = Adafactor {
        beta1: 0.75,
        ..plain()
    };
    let mut theta = [0.0_f64];
    let mut opt = Optimizer::new(rule);
    opt.step(&mut theta, &[5.0]).unwrap();
    assert!((theta[0] + 0.025).abs() < 1e-16);
    // The rate is in the average already, so that a change of it comes slowly.
    opt.rule.lr = 0.0;
    opt.step(&mut theta, &[5.0]).unwrap();
    assert!((theta[0] + 0.025 + 0.01875).abs() < 1e-16);
    assert!((opt.state("exp_avg").unwrap()[0] - 0.01875).abs() < 1e-16);
}

#[test]
fn the_decay_starts_again_after_the_offset() {
    let rest = |decay_offset, steps| -> f64 {
        let rule = Adafactor {
            decay_exponent: 1.0,
            decay_offset,
            ..plain()
        };
        let mut theta = [0.0];
        let mut opt = Optimizer::new(rule);
        for _ in 1..steps {
            opt.step(&mut theta, &[1.0]).unwrap();
        }
        opt.step(&mut theta, &[0.0]).unwrap();
        1.0 - opt.state("exp_avg_sq").unwrap()[0]
    };
    assert!((rest(0.0, 4) - 0.25).abs() < 1e-15);
    assert!((rest(2.0, 4) - 0.5).abs() < 1e-15);
    assert!((rest(-4.0, 4) - 0.625).abs() < 1e-15);
    assert!((rest(3.0, 4) - 1.0).abs() < 1e-15);
    assert!((rest(9.0, 4) - 1.0).abs() < 1e-15);
}

#[test]
fn it_converges_on_a_bowl() {
    let rule = Adafactor {
        lr: 0.5,
        ..Adafactor::torch()
    };
    for x in on_a_bowl(rule, &[0.5, 1.0, 3.0], 2000) {
        assert!(x.abs() < 1e-3, "{x}");
    }
}

#[test]
fn nothing_to_step_is_stepped() {
    let mut theta = Array2::<f64>::zeros((0, 3));
    let grad = Array2::zeros((0, 3));
    let mut opt = Optimizer::new(Adafactor::default());
    opt.step(&mut theta, &grad).unwrap();
    assert_eq!(opt.t(), 1);
    // A matrix without a gradient stays where it is.
    let mut theta = array![[1.0, 2.0], [3.0, 4.0]];
    let before = theta.clone();
    for rule in [Adafactor::torch(), Adafactor::optax(), Adafactor::paper()] {
        let rule = Adafactor {
            min_dim_size_to_factor: 0,
            ..rule
        };
        Optimizer::new(rule)
            .step(&mut theta, &Array2::zeros((2, 2)))
            .unwrap();
        assert_eq!(theta, before);
    }
}

#[test]
fn it_refuses_nonsense() {
    let rule = Adafactor::default();
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(Adafactor { lr: bad, ..rule }, "lr");
        let decay_exponent = bad;
        assert_refuses(
            Adafactor {
                decay_exponent,
                ..rule
            },
            "decay_exponent",
        );
        let eps = Some(bad);
        assert_refuses(Adafactor { eps, ..rule }, "eps");
        let eps_scale = bad;
        assert_refuses(Adafactor { eps_scale, ..rule }, "eps_scale");
        let weight_decay = bad;
        assert_refuses(
            Adafactor {
                weight_decay,
                ..rule
            },
            "weight_decay",
        );
    }
    for decay_offset in [f64::NAN, f64::NEG_INFINITY] {
        assert_refuses(
            Adafactor {
                decay_offset,
                ..rule
            },
            "decay_offset",
        );
    }
    for beta1 in [-0.1, 1.0, f64::NAN] {
        assert_refuses(Adafactor { beta1, ..rule }, "beta1");
    }
    for clip in [0.0, -1.0, f64::NAN] {
        assert_refuses(Adafactor { clip, ..rule }, "clip");
    }
    let message = Adafactor { clip: 0.0, ..rule }.validate().unwrap_err();
    let expected = "Adafactor: `clip` is 0, but must be above 0";
    assert_eq!(message.to_string(), expected);
    assert!(matches!(message, Error::Hyperparameter { .. }));

    let mut rule = rule;
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "Adafactor"));
    assert_eq!(rule.corrections(5), (1.0, 1.0));
    assert_eq!(rule.denominator(5, &[1.0]), None);
}
