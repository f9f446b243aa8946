use crate::common::{assert_close, assert_refuses, gradients, trajectory_from};
use moments::{
    DecayAt, Error, Initial, Optimizer, Rule, ScheduleFree, ScheduleFreeAdamW, ScheduleFreeForm,
    ScheduleFreeSgd, Sgd,
};
use ndarray::{Array2, array};

const START: [f64; 4] = [1.0, -0.5, 0.25, -2.0];

fn x_of<R: ScheduleFree>(opt: &Optimizer<R>, y: &[f64]) -> Vec<f64> {
    let mut x = vec![0.0; y.len()];
    opt.evaluation_point(y, &mut x).unwrap();
    x
}

#[test]
fn presets_are_as_documented() {
    let adamw = ScheduleFreeAdamW {
        lr: 0.0025,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.0,
        warmup_steps: 0,
        r: 0.0,
        weight_lr_power: 2.0,
        decay_at: DecayAt::Y,
        form: ScheduleFreeForm::Authors,
    };
    assert_eq!(ScheduleFreeAdamW::default(), adamw);
    let form = ScheduleFreeForm::Optax;
    assert_eq!(
        ScheduleFreeAdamW::optax(),
        ScheduleFreeAdamW { form, ..adamw }
    );
    let form = ScheduleFreeForm::Paper;
    assert_eq!(
        ScheduleFreeAdamW::paper(),
        ScheduleFreeAdamW { form, ..adamw }
    );
    let sgd = ScheduleFreeSgd {
        lr: 1.0,
        beta1: 0.9,
        weight_decay: 0.0,
        warmup_steps: 0,
        r: 0.0,
        weight_lr_power: 2.0,
        form: ScheduleFreeForm::Authors,
    };
    assert_eq!(ScheduleFreeSgd::default(), sgd);
    let form = ScheduleFreeForm::Optax;
    assert_eq!(ScheduleFreeSgd::optax(), ScheduleFreeSgd { form, ..sgd });
}

#[test]
fn x_is_the_mean_of_all_z_and_y_lies_between_them() {
    let rule = ScheduleFreeSgd {
        lr: 0.1,
        beta1: 0.7,
        ..ScheduleFreeSgd::default()
    };
    let mut y = START.to_vec();
    let mut opt = Optimizer::new(rule);
    let mut sum = [0.0; 4];
    for (t, grad) in gradients(51, 60, 4).iter().enumerate() {
        opt.step(&mut y, grad).unwrap();
        let (z, x) = (opt.state("z").unwrap(), x_of(&opt, &y));
        for i in 0..4 {
            sum[i] += z[i];
            let mean = sum[i] / (t + 1) as f64;
            assert!((x[i] - mean).abs() < 1e-12, "{t} {i}: {} {mean}", x[i]);
            assert!((y[i] - (0.3 * z[i] + 0.7 * x[i])).abs() < 1e-12);
        }
    }
}

#[test]
fn z_goes_by_plain_gradient_descent() {
    let rule = ScheduleFreeSgd {
        lr: 0.1,
        ..ScheduleFreeSgd::default()
    };
    let sgd = Sgd {
        lr: 0.1,
        ..Sgd::default()
    };
    let grads = gradients(52, 30, 4);
    let expected = trajectory_from(sgd, &START, &grads);
    let mut y = START.to_vec();
    let mut opt = Optimizer::new(rule);
    for (grad, expected) in grads.iter().zip(expected) {
        opt.step(&mut y, grad).unwrap();
        assert_eq!(opt.state("z"), Some(&expected[..]));
    }
}

/// Algorithm 1 with x, y and z kept apart, in all its options.
struct Slow {
    rule: ScheduleFreeAdamW,
    x: Vec<f64>,
    y: Vec<f64>,
    z: Vec<f64>,
    v: Vec<f64>,
    lr_max: f64,
    weight_sum: f64,
}

impl Slow {
    fn step(&mut self, t: u64, grad: &[f64]) {
        let rule = self.rule;
        let warm = |t: u64| {
            if rule.warmup_steps == 0 {
                1.0
            } else {
                (t as f64 / rule.warmup_steps as f64).min(1.0)
            }
        };
        let bc2 = 1.0 - rule.beta2.powi(t as i32);
        let (of_v, of_lr) = match rule.form {
            ScheduleFreeForm::Paper => (1.0, bc2.sqrt()),
            _ => (bc2, 1.0),
        };
        let lr = rule.lr * of_lr * warm(t);
        let lr_of_step = match rule.form {
            ScheduleFreeForm::Optax => rule.lr * of_lr * warm(t - 1),
            _ => lr,
        };
        self.lr_max = self.lr_max.max(lr);
        let weight = (t as f64).powf(rule.r) * self.lr_max.powf(rule.weight_lr_power);
        self.weight_sum += weight;
        let c = weight / self.weight_sum;
        for (i, &g) in grad.iter().enumerate() {
            self.v[i] = rule.beta2 * self.v[i] + (1.0 - rule.beta2) * g * g;
            let decayed = match rule.decay_at {
                DecayAt::Y => self.y[i],
                DecayAt::Z => self.z[i],
            };
            let u = g / ((self.v[i] / of_v).sqrt() + rule.eps) + rule.weight_decay * decayed;
            self.z[i] -= lr_of_step * u;
            self.x[i] = (1.0 - c) * self.x[i] + c * self.z[i];
            self.y[i] = (1.0 - rule.beta1) * self.z[i] + rule.beta1 * self.x[i];
        }
    }
}

#[test]
fn adamw_keeps_step_with_the_three_sequences_written_out() {
    let grads = gradients(53, 40, 4);
    for form in [
        ScheduleFreeForm::Authors,
        ScheduleFreeForm::Optax,
        ScheduleFreeForm::Paper,
    ] {
        for decay_at in [DecayAt::Y, DecayAt::Z] {
            for (warmup_steps, r, weight_lr_power) in [(0, 0.0, 2.0), (9, 0.7, 1.5)] {
                let rule = ScheduleFreeAdamW {
                    lr: 0.05,
                    beta1: 0.8,
                    beta2: 0.9,
                    eps: 1e-3,
                    weight_decay: 0.3,
                    warmup_steps,
                    r,
                    weight_lr_power,
                    decay_at,
                    form,
                };
                let start = START.to_vec();
                let mut slow = Slow {
                    rule,
                    x: start.clone(),
                    y: start.clone(),
                    z: start.clone(),
                    v: vec![0.0; 4],
                    lr_max: 0.0,
                    weight_sum: 0.0,
                };
                let mut y = start;
                let mut opt = Optimizer::new(rule);
                for (t, grad) in (1..).zip(&grads) {
                    opt.step(&mut y, grad).unwrap();
                    slow.step(t, grad);
                    let near = |a: &[f64], b: &[f64]| {
                        assert_close(&[a.to_vec()], &[b.to_vec()], 1e-11);
                    };
                    near(&y, &slow.y);
                    near(opt.state("z").unwrap(), &slow.z);
                    near(&x_of(&opt, &y), &slow.x);
                    near(&[opt.scalar("lr_max").unwrap()], &[slow.lr_max]);
                    near(&[opt.scalar("weight_sum").unwrap()], &[slow.weight_sum]);
                }
            }
        }
    }
}

#[test]
fn sgd_with_optaxs_warm_up_does_not_step_at_first() {
    let rule = |form| ScheduleFreeSgd {
        lr: 0.5,
        warmup_steps: 4,
        form,
        ..ScheduleFreeSgd::default()
    };
    let path = |form| trajectory_from(rule(form), &[1.0], &vec![vec![1.0]; 6]);
    let (optax, authors) = (
        path(ScheduleFreeForm::Optax),
        path(ScheduleFreeForm::Authors),
    );
    assert_eq!(optax[0], [1.0]);
    assert_eq!(authors[0], [1.0 - 0.5 / 4.0]);
    // z goes by the rate of the step: 1/4, 2/4, 3/4, 1, 1, 1 of 0.5, or one step later.
    let z = |form| {
        let mut opt = Optimizer::new(rule(form));
        let mut y = [1.0];
        for _ in 0..6 {
            opt.step(&mut y, &[1.0]).unwrap();
        }
        opt.state("z").unwrap()[0]
    };
    assert_eq!(z(ScheduleFreeForm::Authors), 1.0 - 0.5 * 4.5);
    assert_eq!(z(ScheduleFreeForm::Paper), 1.0 - 0.5 * 4.5);
    assert_eq!(z(ScheduleFreeForm::Optax), 1.0 - 0.5 * 3.5);
}

#[test]
fn sgd_weighs_with_the_largest_rate_so_far() {
    let mut opt = Optimizer::new(ScheduleFreeSgd {
        lr: 0.5,
        r: 1.0,
        ..ScheduleFreeSgd::default()
    });
    let mut y = [1.0];
    opt.step(&mut y, &[1.0]).unwrap();
    opt.rule.set_lr(0.25);
    opt.step(&mut y, &[1.0]).unwrap();
    assert_eq!(opt.scalar("lr_max"), Some(0.5));
    assert_eq!(opt.scalar("weight_sum"), Some(0.25 + 2.0 * 0.25));
    opt.rule.set_lr(2.0);
    opt.step(&mut y, &[1.0]).unwrap();
    assert_eq!(opt.scalar("weight_sum"), Some(0.75 + 3.0 * 4.0));
}

#[test]
fn weight_decay_alone_shrinks_z_by_y() {
    let rule = ScheduleFreeSgd {
        lr: 0.5,
        weight_decay: 0.25,
        ..ScheduleFreeSgd::default()
    };
    let mut y = [1.0];
    let mut opt = Optimizer::new(rule);
    opt.step(&mut y, &[0.0]).unwrap();
    assert_eq!((y[0], opt.state("z").unwrap()[0]), (0.875, 0.875));
    let y_before = y[0];
    opt.step(&mut y, &[0.0]).unwrap();
    assert_eq!(opt.state("z").unwrap()[0], 0.875 - 0.125 * y_before);
}

#[test]
fn the_average_gets_close_where_gradient_descent_steps_over_the_minimum() {
    // f(x) = |x|: gradient descent at a constant rate goes on stepping over the minimum.
    let rule = ScheduleFreeSgd {
        lr: 0.3,
        ..ScheduleFreeSgd::default()
    };
    let mut y = [5.0_f64];
    let mut opt = Optimizer::new(rule);
    for _ in 0..2000 {
        let grad = [y[0].signum()];
        opt.step(&mut y, &grad).unwrap();
    }
    assert!(x_of(&opt, &y)[0].abs() < 0.02, "{}", x_of(&opt, &y)[0]);
}

#[test]
fn the_point_of_evaluation_has_any_layout_and_the_right_shape() {
    let rule = ScheduleFreeSgd {
        lr: 0.5,
        beta1: 0.5,
        ..ScheduleFreeSgd::default()
    };
    let mut y = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let mut opt = Optimizer::new(rule);
    let mut x = Array2::zeros((2, 3));
    opt.evaluation_point(&y, &mut x).unwrap();
    assert_eq!(x, y); // before the first step
    let grad = array![[1.0, 0.0, -1.0], [2.0, 0.5, 0.0]];
    for _ in 0..3 {
        opt.step(&mut y, &grad).unwrap();
    }
    opt.evaluation_point(&y, &mut x).unwrap();
    assert_ne!(x, y);
    let mut columns = Array2::zeros((3, 2)).reversed_axes();
    let y_in_columns = {
        let mut other = Array2::zeros((3, 2)).reversed_axes();
        other.assign(&y);
        other
    };
    opt.evaluation_point(&y_in_columns, &mut columns).unwrap();
    assert_eq!(columns, x);

    let mut other = Array2::from_elem((3, 2), 7.0);
    let refused = opt.evaluation_point(&y, &mut other);
    assert!(matches!(refused, Err(Error::ParameterShape { .. })));
    assert_eq!(other, Array2::from_elem((3, 2), 7.0));
    assert!(opt.evaluation_point(&other, &mut x).is_err());
    opt.rule.beta1 = 0.0;
    let error = opt.evaluation_point(&y, &mut x).unwrap_err().to_string();
    assert_eq!(
        error,
        "ScheduleFreeSgd: `beta1` is 0, but must be in (0, 1)"
    );
}

#[test]
fn a_rate_of_zero_has_no_share_in_the_average() {
    let rule = ScheduleFreeSgd {
        lr: 0.0,
        ..ScheduleFreeSgd::default()
    };
    let path = trajectory_from(rule, &START, &gradients(54, 3, 4));
    assert_eq!(path, vec![START.to_vec(); 3]);
}

#[test]
fn state_and_names() {
    let adamw = ScheduleFreeAdamW::default();
    let sgd = ScheduleFreeSgd::default();
    assert_eq!(
        (adamw.name(), sgd.name()),
        ("schedule-free AdamW", "schedule-free SGD")
    );
    assert_eq!((adamw.beta1(), sgd.beta1()), (0.9, 0.9));
    assert_eq!(adamw.initial("z"), Initial::Params);
    assert_eq!(adamw.initial("exp_avg_sq"), Initial::Zero);
    assert_eq!(sgd.initial("z"), Initial::Params);
    assert!(adamw.is_non_negative("exp_avg_sq") && !adamw.is_non_negative("z"));
    assert!(!sgd.is_non_negative("z"));
    let (mut adamw, mut sgd) = (adamw, sgd);
    adamw.set_lr(0.5);
    sgd.set_lr(0.25);
    assert_eq!((adamw.lr(), sgd.lr()), (0.5, 0.25));

    let rule = ScheduleFreeAdamW {
        beta2: 0.5,
        eps: 0.25,
        ..ScheduleFreeAdamW::default()
    };
    assert_eq!(rule.corrections(2), (1.0, 0.75));
    let found = rule.denominator(2, &[9.0, 12.0]).unwrap();
    assert_eq!((found.root, found.full), (4.0, 4.25));
    let form = ScheduleFreeForm::Paper;
    let paper = ScheduleFreeAdamW { form, ..rule };
    assert_eq!(paper.corrections(2), (1.0, 1.0));
    let found = paper.denominator(2, &[9.0, 16.0]).unwrap();
    assert_eq!((found.root, found.full), (4.0, 4.25));
    assert_eq!(rule.denominator(2, &[]), None);
}

#[test]
fn it_refuses_nonsense() {
    let adamw = ScheduleFreeAdamW::default();
    let sgd = ScheduleFreeSgd::default();
    for lr in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(ScheduleFreeAdamW { lr, ..adamw }, "lr");
        assert_refuses(ScheduleFreeSgd { lr, ..sgd }, "lr");
        let weight_decay = lr;
        let bad = ScheduleFreeAdamW {
            weight_decay,
            ..adamw
        };
        assert_refuses(bad, "weight_decay");
        assert_refuses(
            ScheduleFreeSgd {
                weight_decay,
                ..sgd
            },
            "weight_decay",
        );
        assert_refuses(ScheduleFreeAdamW { eps: lr, ..adamw }, "eps");
    }
    for beta1 in [0.0, -0.1, 1.0, f64::NAN] {
        assert_refuses(ScheduleFreeAdamW { beta1, ..adamw }, "beta1");
        assert_refuses(ScheduleFreeSgd { beta1, ..sgd }, "beta1");
    }
    for beta2 in [-0.1, 1.0, f64::NAN] {
        assert_refuses(ScheduleFreeAdamW { beta2, ..adamw }, "beta2");
    }
    for r in [f64::NAN, f64::INFINITY] {
        assert_refuses(ScheduleFreeAdamW { r, ..adamw }, "r");
        assert_refuses(ScheduleFreeSgd { r, ..sgd }, "r");
        let weight_lr_power = r;
        let bad = ScheduleFreeAdamW {
            weight_lr_power,
            ..adamw
        };
        assert_refuses(bad, "weight_lr_power");
        assert_refuses(
            ScheduleFreeSgd {
                weight_lr_power,
                ..sgd
            },
            "weight_lr_power",
        );
    }
    assert!(
        ScheduleFreeAdamW {
            beta2: 0.0,
            ..adamw
        }
        .validate()
        .is_ok()
    );
}
