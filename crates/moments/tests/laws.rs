//! Facts that hold for many rules, whatever the gradients.
//!
//! The first part goes over the table of all rules; a fact about one rule alone is in `tests/rules/`.

mod table;

use moments::{
    AdaGrad, AdaHessian, Adafactor, Adam, AdamW, Adamax, AmsGrad, BiasCorrection, Decay, EpsAt,
    Lamb, Lars, Lion, LionMode, Momentum, NAdam, Optimizer, RmsProp, Rule, ScheduleFreeAdamW,
    ScheduleFreeSgd, Sgd, Sophia, VMax,
};
use table::{Fed, Shaped, Visit, every_case, uniform};

/// Steps of one tensor: where they start from, the gradient of each step, and the curvature after it.
#[derive(Clone, Debug)]
struct Course {
    shape: Vec<usize>,
    start: Vec<f64>,
    grads: Vec<Vec<f64>>,
    curvatures: Vec<Vec<f64>>,
}

impl Course {
    /// Gradients of one size, which every rule takes well.
    fn new(seed: u64, shape: &[usize], steps: u64) -> Self {
        let n = shape.iter().product();
        let numbers = |stream, t| -> Vec<f64> {
            let stream = 3 * seed + stream;
            (0..n).map(|i| uniform(stream, t, i)).collect()
        };
        Self {
            shape: shape.to_vec(),
            start: numbers(0, 0),
            grads: (1..=steps).map(|t| numbers(1, t)).collect(),
            curvatures: (1..=steps).map(|t| numbers(2, t)).collect(),
        }
    }

    /// The same with every tensor changed.
    fn map(&self, f: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        let all = |tensors: &[Vec<f64>]| tensors.iter().map(|x| f(x)).collect();
        Self {
            shape: self.shape.clone(),
            start: f(&self.start),
            grads: all(&self.grads),
            curvatures: all(&self.curvatures),
        }
    }

    /// The parameters after each step.
    fn run<R: Fed>(&self, rule: R) -> Vec<Vec<f64>> {
        let shaped = |entries: &Vec<f64>| Shaped::new(&self.shape, entries.clone());
        let mut theta = shaped(&self.start);
        let mut opt = Optimizer::new(rule);
        let steps = self.grads.iter().zip(&self.curvatures);
        let step = |(grad, curvature)| {
            opt.step(&mut theta, &shaped(grad)).unwrap();
            R::feed(&mut opt, &shaped(curvature)).unwrap();
            theta.entries.clone()
        };
        steps.map(step).collect()
    }
}

/// A shape that the rule takes, of `rows` times `columns` entries.
fn shape_for<R: Rule>(rule: &R, rows: usize, columns: usize) -> Vec<usize> {
    let vector = vec![rows * columns];
    match rule.check_shape(&vector) {
        Ok(()) if !R::WHOLE => vector,
        _ => vec![rows, columns],
    }
}

/// A fact about every rule of the table.
macro_rules! for_every_rule {
    ($(#[$doc:meta])* fn $fact:ident($case:ident, $rule:ident) $body:block) => {
        $(#[$doc])*
        #[test]
        fn $fact() {
            struct Fact;
            impl Visit for Fact {
                fn visit<R: Fed>(&mut self, $case: &str, $rule: R) $body
            }
            every_case(&mut Fact);
        }
    };
}

for_every_rule! {
    /// No rule prefers a direction: where parameters and gradients change their sign, so do the steps, to the bit.
    fn mirrored_gradients_take_mirrored_steps(case, rule) {
        let course = Course::new(1, &shape_for(&rule, 4, 9), 12);
        let mut mirrored = course.map(|x| x.iter().map(|x| -x).collect());
        mirrored.curvatures = course.curvatures.clone();
        let back: Vec<Vec<f64>> = mirrored.run(rule).iter().map(|x| x.iter().map(|x| -x).collect()).collect();
        assert!(back == course.run(rule), "{case}");
    }
}

for_every_rule! {
    /// Entries in another order take the same steps in that order: to the bit, or up to the rounding of a sum where the rule takes one.
    fn the_order_of_the_entries_does_not_matter(case, rule) {
        let (rows, columns) = (5, 9);
        let course = Course::new(2, &shape_for(&rule, rows, columns), 12);
        let permute = |x: &[f64]| -> Vec<f64> {
            let place = |i: usize| (i / columns * 3 % rows) * columns + i % columns * 4 % columns;
            (0..x.len()).map(|i| x[place(i)]).collect()
        };
        let expected: Vec<Vec<f64>> = course.run(rule).iter().map(|x| permute(x)).collect();
        let found = course.map(permute).run(rule);
        if R::WHOLE {
            for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                assert!((found - expected).abs() < 1e-11, "{case}: {found} {expected}");
            }
        } else {
            assert!(found == expected, "{case}");
        }
    }
}

for_every_rule! {
    /// What is not declared `WHOLE` may be cut anywhere.
    fn an_entry_of_an_elementwise_rule_does_not_see_the_others(case, rule) {
        if R::WHOLE {
            return;
        }
        let course = Course::new(3, &[37], 12);
        let whole = course.run(rule);
        for (first, end) in [(0, 1), (5, 22), (36, 37)] {
            let mut piece = course.map(|x| x[first..end].to_vec());
            piece.shape = vec![end - first];
            let expected: Vec<Vec<f64>> = whole.iter().map(|x| x[first..end].to_vec()).collect();
            assert!(piece.run(rule) == expected, "{case}");
        }
    }
}

for_every_rule! {
    /// At zero, with a gradient of zero, nothing moves: not by decay either.
    fn zero_parameters_with_zero_gradients_stay_zero(case, rule) {
        let mut course = Course::new(4, &shape_for(&rule, 4, 3), 20);
        course.start.fill(0.0);
        course.grads.iter_mut().for_each(|g| g.fill(0.0));
        let still = vec![vec![0.0; 12]; 20];
        assert!(course.run(rule) == still, "{case}");
    }
}

/// Whether the settings decay parameters, as they name it.
fn decays<R: Rule>(rule: &R) -> bool {
    let settings = format!("{rule:?}");
    let decay = settings.split("weight_decay: ").nth(1);
    let number = decay.and_then(|rest| rest.split([',', ' ']).next());
    number.is_some_and(|number| number.parse::<f64>().unwrap() != 0.0)
}

for_every_rule! {
    fn without_gradients_parameters_move_exactly_where_they_decay(case, rule) {
        let mut course = Course::new(5, &shape_for(&rule, 4, 3), 20);
        course.grads.iter_mut().for_each(|g| g.fill(0.0));
        let end = course.run(rule).pop().unwrap();
        assert_eq!(end != course.start, decays(&rule), "{case}");
    }
}

for_every_rule! {
    /// But for a decay that is not scaled by it.
    fn a_learning_rate_of_zero_moves_nothing(case, rule) {
        if decays(&rule) && format!("{rule:?}").contains("Unscaled") {
            return;
        }
        let mut rule = rule;
        rule.set_lr(0.0);
        assert_eq!(rule.lr(), 0.0, "{case}");
        if format!("{rule:?}").contains("decay: Unscaled") {
            return; // optax's Adafactor decays whatever the learning rate.
        }
        let course = Course::new(6, &shape_for(&rule, 4, 3), 20);
        let still = vec![course.start.clone(); 20];
        assert!(course.run(rule) == still, "{case}");
    }
}

for_every_rule! {
    fn a_clone_goes_the_way_of_the_original(case, rule) {
        let shape = shape_for(&rule, 4, 3);
        let course = Course::new(7, &shape, 8);
        let shaped = |entries: &Vec<f64>| Shaped::new(&shape, entries.clone());
        let mut theta = shaped(&course.start);
        let mut opt = Optimizer::new(rule);
        for (t, grad) in course.grads.iter().enumerate() {
            let (mut other, mut twin) = (opt.clone(), theta.clone());
            opt.step(&mut theta, &shaped(grad)).unwrap();
            other.step(&mut twin, &shaped(grad)).unwrap();
            assert_eq!(theta.entries, twin.entries, "{case} {t}");
            assert_eq!(opt.t(), t as u64 + 1);
            (opt, theta) = (other, twin);
            R::feed(&mut opt, &shaped(&course.curvatures[t])).unwrap();
        }
        assert_eq!(Some(&theta.entries), course.run(rule).last(), "{case}");
    }
}

/// Multiplies gradients and curvatures by powers of two, which change exponents alone.
fn scaled_courses<R: Rule>(rule: &R) -> (Course, Vec<(f64, Course)>) {
    let course = Course::new(8, &shape_for(rule, 4, 9), 50);
    let by = |factor: f64| {
        let mut scaled = course.map(|x| x.iter().map(|x| x * factor).collect());
        scaled.start.clone_from(&course.start);
        (factor, scaled)
    };
    let scaled = [1.0 / 1024.0, 2.0, 1_048_576.0].map(by).into();
    (course, scaled)
}

/// The steps do not change with the scale of the gradients, to the bit.
fn assert_invariant<R: Fed>(rule: R) {
    let (course, scaled) = scaled_courses(&rule);
    let expected = course.run(rule);
    assert!(expected[49] != course.start, "{rule:?} stays where it is");
    for (factor, scaled) in scaled {
        assert!(scaled.run(rule) == expected, "{rule:?} by {factor}");
    }
}

/// From zero, the steps are as large as the gradients, to the bit.
fn assert_linear<R: Fed>(rule: R) {
    let (mut course, scaled) = scaled_courses(&rule);
    course.start.fill(0.0);
    let expected = course.run(rule);
    for (factor, mut scaled) in scaled {
        scaled.start.fill(0.0);
        let found = scaled.run(rule).into_iter().flatten();
        let expected = expected.iter().flatten().map(|x| x * factor);
        assert!(found.eq(expected), "{rule:?} by {factor}");
    }
}

#[test]
fn rules_that_divide_by_the_gradient_do_not_see_its_scale() {
    let eps = 0.0;
    for bias_correction in [
        BiasCorrection::Both,
        BiasCorrection::First,
        BiasCorrection::Second,
        BiasCorrection::Neither,
    ] {
        assert_invariant(Adam {
            eps,
            bias_correction,
            ..Adam::default()
        });
    }
    // A decoupled decay sees the parameters alone.
    for (nesterov, weight_decay) in [(false, 0.0), (true, 0.0), (false, 0.1)] {
        assert_invariant(AdamW {
            eps,
            nesterov,
            weight_decay,
            ..AdamW::default()
        });
    }
    for v_max in [VMax::Paper, VMax::Torch, VMax::Optax] {
        assert_invariant(AmsGrad {
            eps,
            v_max,
            ..AmsGrad::default()
        });
    }
    for (centered, momentum) in [(false, 0.0), (true, 0.0), (false, 0.9)] {
        assert_invariant(RmsProp {
            eps,
            centered,
            momentum,
            ..RmsProp::default()
        });
    }
    let initial_accumulator = 0.0;
    assert_invariant(AdaGrad {
        eps,
        initial_accumulator,
        ..AdaGrad::default()
    });
    assert_invariant(Adamax {
        eps,
        ..Adamax::default()
    });
    assert_invariant(NAdam {
        eps,
        ..NAdam::default()
    });
    assert_invariant(ScheduleFreeAdamW {
        eps,
        ..ScheduleFreeAdamW::default()
    });
    assert_invariant(Adafactor {
        eps: Some(0.0),
        min_dim_size_to_factor: 2,
        ..Adafactor::default()
    });
    // These are given the curvature in the same unit.
    assert_invariant(AdaHessian {
        eps,
        ..AdaHessian::default()
    });
    assert_invariant(Sophia {
        eps,
        ..Sophia::default()
    });
}

#[test]
fn rules_that_divide_by_a_norm_do_not_see_the_scale_of_the_gradient() {
    let weight_decay = 0.0;
    assert_invariant(Lamb {
        eps: 0.0,
        weight_decay,
        ..Lamb::default()
    });
    assert_invariant(Lars {
        eps: 0.0,
        weight_decay,
        ..Lars::default()
    });
}

#[test]
fn a_sign_does_not_see_the_scale() {
    let lion = Lion::default();
    assert_eq!(lion.mode, LionMode::Hard);
    assert_invariant(lion);
    assert_invariant(Lion {
        weight_decay: 0.1,
        ..lion
    });
}

#[test]
fn steps_of_gradient_descent_are_as_large_as_the_gradient() {
    for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
        for convention in [Momentum::HeavyBall, Momentum::Ema] {
            assert_linear(Sgd {
                momentum,
                nesterov,
                convention,
                ..Sgd::default()
            });
        }
    }
    assert_linear(ScheduleFreeSgd::default());
}

#[test]
fn adamw_without_decay_is_adam_to_the_bit() {
    let course = Course::new(9, &[37], 100);
    for eps_root in [0.0, 1e-6] {
        let adam = Adam {
            eps_root,
            ..Adam::default()
        };
        for decay in [Decay::Before, Decay::Within, Decay::After] {
            let adamw = AdamW {
                eps_root,
                weight_decay: 0.0,
                decay,
                ..AdamW::default()
            };
            assert_eq!(course.run(adamw), course.run(adam), "{decay:?}");
        }
    }
}

#[test]
fn amsgrad_is_adam_to_the_bit_while_gradients_grow() {
    let mut course = Course::new(10, &[37], 60);
    for (t, grad) in course.grads.iter_mut().enumerate() {
        for g in grad {
            *g = (*g + 2.0) * 4_f64.powi(t as i32);
        }
    }
    let adam = course.run(Adam::default());
    assert_eq!(course.run(AmsGrad::torch()), adam);
    // The corrected v̂ grows as well.
    assert_eq!(course.run(AmsGrad::optax()), adam);
}

#[test]
fn rmsprop_is_adam_without_a_first_moment_and_without_correction() {
    let course = Course::new(11, &[37], 100);
    let rmsprop = RmsProp::default();
    let adam = Adam {
        lr: rmsprop.lr,
        beta1: 0.0,
        beta2: rmsprop.alpha,
        eps: rmsprop.eps,
        bias_correction: BiasCorrection::Neither,
        ..Adam::default()
    };
    // One multiplies by lr before it divides, the other afterwards.
    assert_close(&course.run(rmsprop), &course.run(adam), 1e-12);
}

#[test]
fn nadam_without_a_first_moment_is_adam_without_one() {
    let course = Course::new(12, &[37], 100);
    let adam = Adam {
        beta1: 0.0,
        ..Adam::default()
    };
    let nadam = NAdam {
        lr: adam.lr,
        beta1: 0.0,
        beta2: adam.beta2,
        eps: adam.eps,
        ..NAdam::default()
    };
    assert_close(&course.run(nadam), &course.run(adam), 1e-12);
}

/// The parameters after each step from zero.
fn trajectory<R: Fed>(rule: R, grads: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let zeros = vec![0.0; grads[0].len()];
    let course = Course {
        shape: vec![zeros.len()],
        curvatures: vec![zeros.clone(); grads.len()],
        start: zeros,
        grads: grads.to_vec(),
    };
    course.run(rule)
}

fn gradients(seed: u64, steps: u64, n: usize) -> Vec<Vec<f64>> {
    Course::new(seed, &[n], steps).grads
}

fn assert_close(a: &[Vec<f64>], b: &[Vec<f64>], relative: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
        assert!((a - b).abs() <= relative * a.abs().max(b.abs()), "{a} {b}");
    }
}

#[test]
fn first_step_is_lr_times_sign() {
    for scale in [1e-100, 1e-3, 1.0, 1e100] {
        let adam = Adam {
            eps: 0.0,
            ..Adam::default()
        };
        let [theta] = &trajectory(adam, &[vec![3.0 * scale, -scale]])[..] else {
            unreachable!()
        };
        assert!((theta[0] + 1e-3).abs() < 1e-17 && (theta[1] - 1e-3).abs() < 1e-17);
    }
}

#[test]
fn a_constant_gradient_is_recovered_by_both_corrected_moments() {
    let adam = Adam::default();
    let mut opt = Optimizer::new(adam);
    let mut theta = [0.0_f64];
    for t in 1..=10_000 {
        opt.step(&mut theta, &[-0.7]).unwrap();
        let (bc1, bc2) = adam.corrections(t);
        let m_hat = opt.state("exp_avg").unwrap()[0] / bc1;
        let v_hat = opt.state("exp_avg_sq").unwrap()[0] / bc2;
        assert!(
            (m_hat + 0.7).abs() < 1e-12 && (v_hat - 0.49).abs() < 1e-11,
            "{t}"
        );
    }
}

#[test]
fn one_gradient_after_long_silence_takes_the_largest_step_that_the_paper_allows() {
    // Kingma & Ba, section 2.1: (1 - beta1) > sqrt(1 - beta2) gives lr * (1 - beta1) / sqrt(1 - beta2).
    let (lr, beta1, beta2) = (1e-3, 0.9_f64, 0.999_f64);
    let bound = lr * (1.0 - beta1) / (1.0 - beta2).sqrt();
    let mut sparse = vec![vec![0.0]; 5000];
    sparse.push(vec![1.0]);
    let path = trajectory(
        Adam {
            lr,
            beta1,
            beta2,
            ..Adam::default()
        },
        &sparse,
    );
    let last = path.last().unwrap()[0].abs();
    assert!(last < bound * 1.01 && last > bound * 0.98, "{last} {bound}");
}

#[test]
fn each_incomplete_correction_misses_the_first_step_by_its_own_factor() {
    let step = |bias_correction| {
        let adam = Adam {
            eps: 0.0,
            bias_correction,
            ..Adam::default()
        };
        trajectory(adam, &[vec![-2.0]])[0][0] / 1e-3
    };
    assert!((step(BiasCorrection::Both) - 1.0).abs() < 1e-12);
    assert!((step(BiasCorrection::First) - 1000f64.sqrt()).abs() < 1e-9);
    assert!((step(BiasCorrection::Second) - 0.1).abs() < 1e-12);
    assert!((step(BiasCorrection::Neither) - 10f64.sqrt()).abs() < 1e-9);
}

#[test]
fn epsilon_before_the_correction_is_a_larger_epsilon_after_it() {
    // At t = 1, sqrt(1 - beta2) = sqrt(0.001).
    let grads = [vec![1e-8]];
    let before = Adam {
        eps_at: EpsAt::Uncorrected,
        ..Adam::default()
    };
    let after = Adam {
        eps: 1e-8 / 0.001_f64.sqrt(),
        ..Adam::default()
    };
    assert_close(
        &trajectory(before, &grads),
        &trajectory(after, &grads),
        1e-12,
    );
}

#[test]
fn v_max_never_falls_in_any_form() {
    for v_max in [VMax::Paper, VMax::Torch, VMax::Optax] {
        let mut opt = Optimizer::new(AmsGrad {
            v_max,
            beta2: 0.9,
            ..AmsGrad::default()
        });
        let mut theta = vec![0.0; 3];
        let mut last = vec![0.0; 3];
        for grad in gradients(2, 300, 3) {
            opt.step(&mut theta, &grad).unwrap();
            let now = opt.state("max_exp_avg_sq").unwrap();
            assert!(now.iter().zip(&last).all(|(now, last)| now >= last));
            last = now.to_vec();
        }
    }
}

#[test]
fn the_three_forms_of_amsgrad_are_three_algorithms() {
    let grads = gradients(3, 50, 1);
    let ends = [VMax::Paper, VMax::Torch, VMax::Optax].map(|v_max| {
        trajectory(
            AmsGrad {
                v_max,
                ..AmsGrad::default()
            },
            &grads,
        )[49][0]
    });
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        assert!((ends[i] - ends[j]).abs() > 1e-3 * ends[i].abs(), "{ends:?}");
    }
}

#[test]
fn ema_momentum_is_the_heavy_ball_at_a_smaller_rate() {
    for nesterov in [false, true] {
        let heavy_ball = Sgd {
            lr: 0.01,
            momentum: 0.9,
            nesterov,
            ..Sgd::default()
        };
        let ema = Sgd {
            lr: 0.1,
            convention: Momentum::Ema,
            ..heavy_ball
        };
        let grads = gradients(4, 100, 4);
        assert_close(
            &trajectory(heavy_ball, &grads),
            &trajectory(ema, &grads),
            1e-10,
        );
    }
}

#[test]
fn an_ema_velocity_never_exceeds_the_largest_gradient() {
    let rule = Sgd {
        momentum: 0.9,
        convention: Momentum::Ema,
        ..Sgd::default()
    };
    let mut opt = Optimizer::new(rule);
    for grad in gradients(5, 500, 1) {
        opt.step(&mut [0.0], &grad).unwrap();
        assert!(opt.state("momentum_buffer").unwrap()[0].abs() < 1.0);
    }
}

#[test]
fn momentum_can_be_switched_on_between_steps() {
    let mut opt = Optimizer::new(Sgd {
        lr: 1.0,
        ..Sgd::default()
    });
    let mut x = [0.0];
    opt.step(&mut x, &[1.0]).unwrap();
    opt.rule.momentum = 0.5;
    opt.step(&mut x, &[1.0]).unwrap();
    opt.step(&mut x, &[1.0]).unwrap();
    assert_eq!(x, [-1.0 - 1.0 - 1.5]);
}

#[cfg(feature = "ndarray")]
mod arrays {
    use moments::{Optimizer, Sgd};
    use ndarray::{Array, Array2, Axis};

    #[test]
    fn a_broadcast_gradient_counts_once_per_parameter() {
        let mut theta = Array2::<f64>::zeros((2, 3));
        let row = Array::from_vec(vec![1.0, 2.0, 3.0]);
        let grad = row.broadcast((2, 3)).unwrap();
        let mut opt = Optimizer::new(Sgd {
            lr: 1.0,
            ..Sgd::default()
        });
        opt.step(&mut theta, &grad).unwrap();
        for line in theta.axis_iter(Axis(0)) {
            assert_eq!(line.to_vec(), [-1.0, -2.0, -3.0]);
        }
    }

    #[test]
    fn arrays_without_axes_and_of_any_rank_are_stepped() {
        let mut scalar = ndarray::arr0(3.0_f64);
        let mut opt = Optimizer::new(Sgd {
            lr: 0.5,
            ..Sgd::default()
        });
        opt.step(&mut scalar, &ndarray::arr0(6.0)).unwrap();
        assert_eq!(scalar.into_scalar(), 0.0);

        let shape = vec![1, 2, 1, 3, 1, 2];
        let mut theta = ndarray::ArrayD::<f32>::zeros(shape.clone());
        let grad = ndarray::ArrayD::from_elem(shape, 1.0);
        let mut opt = Optimizer::new(Sgd {
            lr: 1.0,
            ..Sgd::default()
        });
        opt.step(&mut theta, &grad).unwrap();
        assert!(theta.iter().all(|x| *x == -1.0));
    }
}
