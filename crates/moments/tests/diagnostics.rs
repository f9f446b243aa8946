//! What a step measures on its way, and what its state tells afterwards.

mod table;

use moments::{
    AdaGrad, Adam, AdamW, Adamax, AmsGrad, Clip, DiffGrad, EpsSide, Float, Lamb, NAdam, NormForm,
    Optimizer, RAdam, RmsProp, Rule, Sgd, Storage, VMax,
};
use moments::{AdaHessian, ScheduleFreeAdamW, ScheduleFreeForm, Sophia};
use std::collections::BTreeSet;
use table::{Fed, Shaped, Visit, Way, every_case, shapes};

fn norm<T: Float>(x: &[T]) -> f64 {
    x.iter()
        .map(|x| x.to_f64() * x.to_f64())
        .sum::<f64>()
        .sqrt()
}

fn assert_near(found: f64, expected: f64, what: &str) {
    let near = (found - expected).abs() <= 1e-12 * expected.abs();
    assert!(near, "{what}: {found} instead of {expected}");
}

#[test]
fn measures_are_those_of_the_step_and_taking_them_changes_nothing() {
    struct Measured;
    impl Measured {
        fn check<R: Fed, T: Float>(case: &str, rule: R) {
            for shape in shapes(&rule, 1100) {
                let n = shape.iter().product();
                let shaped = |entries| Shaped::new(&shape, entries);
                for (way, norm_is_clipped) in [(Way::Plain, false), (Way::Clipped, true)] {
                    let mut opt = way.optimizer(rule);
                    let mut twin = way.optimizer(rule);
                    let mut theta = shaped(table::start::<T>(n));
                    let mut other = theta.clone();
                    for t in 1..=3 {
                        let grad = shaped(table::gradient(t, n));
                        let before = theta.entries.clone();
                        let measures = opt.step_measured(&mut theta, &grad).unwrap();
                        twin.step(&mut other, &grad).unwrap();
                        assert_eq!(theta.entries, other.entries, "{case}");

                        let update = before.iter().zip(&theta.entries);
                        let update: Vec<T> = update.map(|(&old, &new)| new - old).collect();
                        let grad_norm = norm(&grad.entries);
                        assert_eq!((measures.t, measures.lr), (t, rule.lr()), "{case}");
                        assert_near(measures.grad_norm, grad_norm, case);
                        assert_near(measures.param_norm, norm(&before), case);
                        assert_near(measures.update_norm, norm(&update), case);
                        let ratio = norm(&update) / norm(&before);
                        assert_near(measures.update_ratio(), ratio, case);
                        let factor = NormForm::Torch.factor(grad_norm, 0.5);
                        let factor = if norm_is_clipped { factor } else { 1.0 };
                        assert_near(measures.clip_factor, factor, case);

                        let curvature = shaped(table::curvature(t, n));
                        R::feed(&mut opt, &curvature).unwrap();
                        R::feed(&mut twin, &curvature).unwrap();
                    }
                }
            }
        }
    }
    impl Visit for Measured {
        fn visit<R: Fed>(&mut self, case: &str, rule: R) {
            Self::check::<R, f32>(case, rule);
            Self::check::<R, f64>(case, rule);
        }
    }
    every_case(&mut Measured);
}

#[test]
fn clipping_by_value_leaves_the_factor_at_one() {
    let mut opt = Optimizer::new(Sgd::default());
    opt.clip = Some(Clip::Value { limit: 0.5 });
    let measures = opt.step_measured(&mut [3.0, 4.0], &[6.0, -8.0]).unwrap();
    assert_eq!((measures.clip_factor, measures.grad_norm), (1.0, 10.0));
    assert_near(measures.update_norm, 0.5e-3 * 2f64.sqrt(), "update");
    let at_zero = opt.step_measured(&mut [0.0, 0.0], &[1.0, 1.0]).unwrap();
    assert_eq!(at_zero.update_ratio(), f64::INFINITY);
}

/// The rules whose steps have been compared with their effective learning rates.
#[derive(Default)]
struct Compared(BTreeSet<String>);

fn type_name<R>() -> String {
    let path = std::any::type_name::<R>();
    path.rsplit("::").next().unwrap().to_owned()
}

impl Compared {
    /// At every coordinate and step, θ moves by minus the effective learning rate times the numerator,
    /// which is given the optimizer after the step, the gradient, and the coordinate.
    fn check<R: Fed>(&mut self, rule: R, numerator: impl Fn(&Optimizer<R>, &[f64], usize) -> f64) {
        self.0.insert(type_name::<R>());
        let n = 60;
        let mut theta = vec![0.0; n];
        let mut opt = Optimizer::new(rule);
        let mut compared = 0;
        for t in 1..=30 {
            let grad: Vec<f64> = table::gradient(t, n);
            theta.fill(0.0); // So that the change is seen to all its digits.
            opt.step(&mut theta, &grad).unwrap();
            let Some(rates) = opt.effective_lrs() else {
                R::feed(&mut opt, &table::curvature(t, n)).unwrap();
                continue;
            };
            for i in 0..n {
                let expected = -rates[i] * numerator(&opt, &grad, i);
                assert_near(theta[i], expected, &format!("{rule:?} step {t} entry {i}"));
                compared += 1;
            }
            R::feed(&mut opt, &table::curvature(t, n)).unwrap();
        }
        assert!(compared > 0, "{rule:?} has no effective learning rate");
    }
}

/// The corrected first moment.
fn m_hat<R: Rule>(opt: &Optimizer<R>, _grad: &[f64], i: usize) -> f64 {
    opt.state("exp_avg").unwrap()[i] / opt.rule.corrections(opt.t()).0
}

#[test]
fn a_step_is_the_effective_learning_rate_times_the_momentum() {
    let mut compared = Compared::default();
    let (eps, eps_root) = (1e-3, 1e-5);
    compared.check(Adam::default(), m_hat);
    compared.check(
        Adam {
            eps,
            eps_root,
            eps_at: moments::EpsAt::Uncorrected,
            ..Adam::default()
        },
        m_hat,
    );
    for bias_correction in [
        moments::BiasCorrection::First,
        moments::BiasCorrection::Second,
        moments::BiasCorrection::Neither,
    ] {
        compared.check(
            Adam {
                bias_correction,
                ..Adam::default()
            },
            m_hat,
        );
    }
    compared.check(
        AdamW {
            eps,
            eps_root,
            ..AdamW::default()
        },
        m_hat,
    );
    for v_max in [VMax::Paper, VMax::Torch, VMax::Optax] {
        compared.check(
            AmsGrad {
                v_max,
                eps,
                ..AmsGrad::default()
            },
            m_hat,
        );
    }

    for hessian_power in [1.0, 0.5] {
        let adahessian = AdaHessian {
            eps,
            hessian_power,
            ..AdaHessian::default()
        };
        compared.check(adahessian, m_hat);
    }
    let sophia = Sophia {
        eps,
        clip: f64::INFINITY,
        ..Sophia::default()
    };
    compared.check(sophia, m_hat);
    // From y = 0, y goes to c z − lr (1 − β₁ (1 − c)) g / (√v̂ + ε), and z has gone by lr g / (√v̂ + ε).
    for rule in [
        ScheduleFreeAdamW::default(),
        ScheduleFreeAdamW {
            form: ScheduleFreeForm::Paper,
            weight_lr_power: 0.0,
            eps,
            ..ScheduleFreeAdamW::default()
        },
    ] {
        compared.check(rule, |opt, grad, i| {
            let (rule, t) = (opt.rule, opt.t());
            let corrected = match rule.form {
                ScheduleFreeForm::Paper => (1.0 - rule.beta2.powi(t as i32)).sqrt(),
                _ => 1.0,
            };
            let rate = opt.effective_lrs().unwrap()[i];
            let gone = corrected * rate * grad[i];
            let z = opt.state("z").unwrap()[i] + gone;
            let c = if t == 1 || rule.weight_lr_power == 0.0 {
                1.0 / t as f64
            } else {
                rule.lr.powi(2) / opt.scalar("weight_sum").unwrap()
            };
            ((1.0 - rule.beta1 * (1.0 - c)) * gone - c * z) / rate
        });
    }
    compared.check(Adamax::default(), m_hat);
    compared.check(Lamb::default(), m_hat);
    compared.check(DiffGrad::default(), |opt, grad, i| {
        let before = opt.t() - 1;
        let before = if before == 0 {
            0.0
        } else {
            table::gradient::<f64>(before, i + 1)[i]
        };
        m_hat(opt, grad, i) / (1.0 + (-(before - grad[i]).abs()).exp())
    });
    compared.check(NAdam::optax(), |opt, grad, i| {
        let (bc1, _) = opt.rule.corrections(opt.t());
        let (bc1_next, _) = opt.rule.corrections(opt.t() + 1);
        0.9 * opt.state("exp_avg").unwrap()[i] / bc1_next + 0.1 * grad[i] / bc1
    });
    compared.check(RAdam::default(), |opt, grad, i| {
        opt.rule.rectification(opt.t()).unwrap() * m_hat(opt, grad, i)
    });

    let gradient = |_: &Optimizer<AdaGrad>, grad: &[f64], i: usize| grad[i];
    compared.check(AdaGrad::default(), gradient);
    let (lr_decay, initial_accumulator) = (0.25, 0.0);
    compared.check(
        AdaGrad {
            lr_decay,
            initial_accumulator,
            eps,
            ..AdaGrad::optax()
        },
        gradient,
    );
    for (centered, bias_correction) in [(false, false), (false, true), (true, false)] {
        for eps_at in [EpsSide::Inside, EpsSide::Outside] {
            compared.check(
                RmsProp {
                    centered,
                    bias_correction,
                    eps,
                    eps_at,
                    ..RmsProp::default()
                },
                |_, grad, i| grad[i],
            );
        }
    }

    every_case(&mut compared);
}

impl Visit for Compared {
    /// Whatever has a denominator has been compared.
    fn visit<R: Fed>(&mut self, case: &str, rule: R) {
        let shape = &shapes(&rule, 24)[0];
        let mut theta = Shaped::new(shape, table::start::<f64>(24));
        let mut opt = Optimizer::new(rule);
        for t in 1..=20 {
            let grad = Shaped::new(shape, table::gradient(t, 24));
            opt.step(&mut theta, &grad).unwrap();
        }
        let is_due = opt.effective_lr().is_some();
        assert!(
            !is_due || self.0.contains(&type_name::<R>()),
            "{case} has a denominator: compare its steps in a_step_is_the_effective_learning_rate_times_the_momentum"
        );
    }
}

/// Adam without memory, so that the denominator is |g| + ε.
fn memoryless() -> Adam {
    Adam {
        lr: 1.0,
        beta1: 0.0,
        beta2: 0.0,
        eps: 0.0,
        ..Adam::default()
    }
}

#[test]
fn quantiles_are_rates_of_coordinates() {
    let mut opt = Optimizer::new(memoryless());
    for n in 1..=13 {
        // Rates 1/1, 1/2, …, 1/n, in an order of no account.
        let grad: Vec<f64> = (0..n).map(|i| ((i * 5 + 2) % 13 % n + 1) as f64).collect();
        let mut rates: Vec<f64> = grad.iter().map(|g| 1.0 / g).collect();
        rates.sort_by(f64::total_cmp);
        opt = Optimizer::new(opt.rule);
        opt.step(&mut vec![0.0; n], &grad).unwrap();
        let found = opt.effective_lr().unwrap();
        assert_eq!((found.t, found.lr, found.counted), (1, 1.0, n));
        let at = |q: f64| rates[(q * (n - 1) as f64).floor() as usize];
        let expected = [at(0.0), at(0.25), at(0.5), at(0.75), at(1.0)];
        let quantiles = [found.min, found.q25, found.median, found.q75, found.max];
        assert_eq!(quantiles, expected, "{n}");
        assert_eq!(found.eps_share, 0.0);
    }
}

#[test]
fn eps_dominates_from_where_it_is_larger_than_the_root() {
    let rule = Adam {
        eps: 0.5,
        ..memoryless()
    };
    let mut opt = Optimizer::new(rule);
    opt.step(&mut [0.0; 4], &[0.25, 0.5, -1.0, -0.125]).unwrap();
    let rates = opt.effective_lr().unwrap();
    assert_eq!(rates.eps_share, 0.5); // At 0.5 the two are equal.
    assert_eq!((rates.min, rates.max), (1.0 / 1.5, 1.0 / 0.625));

    let inside = Adam {
        eps_root: 3.0,
        ..memoryless()
    };
    let mut opt = Optimizer::new(inside);
    opt.step(&mut [0.0; 2], &[1.0, 0.9]).unwrap(); // √(1 + 3) = 2 · 1
    assert_eq!(opt.effective_lr().unwrap().eps_share, 0.5);
}

#[test]
fn coordinates_without_a_gradient_are_counted_apart() {
    let mut opt = Optimizer::new(Adam::default());
    let mut theta = [1.0; 5];
    opt.step(&mut theta, &[0.0; 5]).unwrap();
    let rates = opt.effective_lr().unwrap();
    assert_eq!((rates.counted, rates.untouched_share), (0, 1.0));
    assert!(rates.min.is_nan() && rates.median.is_nan() && rates.max.is_nan());
    assert_eq!((rates.eps_share, rates.nan_share), (0.0, 0.0));
    assert_eq!(opt.effective_lrs().unwrap(), [1e-3 / 1e-8; 5]);

    opt.step(&mut theta, &[0.0, 2.0, 0.0, 0.0, 1e-12]).unwrap();
    let rates = opt.effective_lr().unwrap();
    assert_eq!((rates.counted, rates.untouched_share), (2, 0.6));
    assert_eq!(rates.eps_share, 0.5);

    // A gradient that has come is not forgotten, however long ago.
    for _ in 0..100 {
        opt.step(&mut theta, &[0.0; 5]).unwrap();
    }
    assert_eq!(opt.effective_lr().unwrap().counted, 2);
}

#[test]
fn a_gradient_whose_square_underflows_is_a_gradient() {
    let mut opt = Optimizer::<_, f32>::new(Adam::default());
    opt.step(&mut [1.0, 1.0], &[1e-30, 0.0]).unwrap();
    assert_eq!(opt.state("exp_avg_sq"), Some(&[0.0, 0.0][..]));
    let rates = opt.effective_lr().unwrap();
    assert_eq!((rates.counted, rates.untouched_share), (1, 0.5));
    assert_eq!(rates.eps_share, 1.0);
    assert_near(rates.max, 1e5, "lr / eps");

    // Without ε the step is infinite, and so is the rate that says so.
    opt.rule.eps = 0.0;
    let rates = opt.effective_lr().unwrap();
    assert_eq!((rates.max, rates.nan_share), (f64::INFINITY, 0.0));
    opt.rule.lr = 0.0;
    let rates = opt.effective_lr().unwrap();
    assert_eq!((rates.lr, rates.max, rates.counted), (0.0, 0.0, 1));
}

#[test]
fn what_is_not_a_number_is_counted_and_does_no_harm() {
    let mut opt = Optimizer::new(memoryless());
    opt.check_finite = false;
    let grad = [f64::NAN, 4.0, 0.0, 2.0];
    opt.step(&mut [0.0; 4], &grad).unwrap();
    let rates = opt.effective_lr().unwrap();
    assert_eq!((rates.min, rates.max, rates.counted), (0.25, 0.5, 2));
    assert_eq!((rates.nan_share, rates.untouched_share), (0.25, 0.25));
}

#[test]
fn no_parameters_have_no_rates() {
    let mut opt = Optimizer::<_, f64>::new(Adam::default());
    opt.step(&mut [], &[]).unwrap();
    let rates = opt.effective_lr().unwrap();
    assert!(rates.counted == 0 && rates.median.is_nan());
    assert_eq!((rates.untouched_share, rates.nan_share), (0.0, 0.0));
}

#[test]
fn a_rule_without_a_denominator_has_no_effective_learning_rate() {
    for momentum in [0.0, 0.9] {
        let sgd = Sgd {
            momentum,
            ..Sgd::default()
        };
        let mut opt = Optimizer::new(sgd);
        opt.step(&mut [1.0], &[1.0]).unwrap();
        assert_eq!((opt.effective_lr(), opt.effective_lrs()), (None, None));
    }
}

#[test]
fn an_observation_of_the_curvature_is_not_a_step() {
    let mut opt = Optimizer::<_, f64>::new(AdaHessian::default());
    opt.observe_curvature(&[4.0, 1.0]).unwrap();
    assert_eq!((opt.effective_lr(), opt.effective_lrs()), (None, None));
    opt.step(&mut [0.0, 0.0], &[1.0, 0.0]).unwrap();
    // The second has met no gradient, but its denominator is not ε alone.
    assert_eq!(opt.effective_lr().unwrap().counted, 2);
}

#[test]
fn the_rate_is_that_of_the_moment() {
    let mut opt = Optimizer::new(memoryless());
    opt.step(&mut [0.0], &[2.0]).unwrap();
    opt.rule.lr = 3.0; // As a schedule does after the step.
    let rates = opt.effective_lr().unwrap();
    assert_eq!((rates.t, rates.lr, rates.median), (1, 3.0, 1.5));
}

#[test]
fn state_in_fewer_bits_gives_nearly_the_same_rates() {
    // One step in eight of a unit is what 8-bit state keeps of v, and a sixteenth of its root.
    for (storage, precision) in [(Storage::Bf16, 1.0 / 256.0), (Storage::Bits8, 1.0 / 15.0)] {
        let n = 600;
        let mut full = Optimizer::<_, f32>::new(Adam::default());
        let mut reduced = Optimizer::with_storage(full.rule, storage);
        let (mut theta, mut other) = (vec![0.0; n], vec![0.0; n]);
        let grad: Vec<f32> = table::gradient::<f32>(1, n)
            .iter()
            .map(|g| g.clamp(-1.0, 1.0))
            .collect();
        full.step(&mut theta, &grad).unwrap();
        reduced.step(&mut other, &grad).unwrap();
        let (full, reduced) = (
            full.effective_lrs().unwrap(),
            reduced.effective_lrs().unwrap(),
        );
        for ((full, reduced), g) in full.iter().zip(&reduced).zip(&grad) {
            // Smaller ones share a block with 1, and eight bits do not reach down to them.
            if g.abs() > 1e-3 {
                assert!(
                    (reduced / full - 1.0).abs() < precision,
                    "{storage:?} {g}: {reduced} {full}"
                );
            }
        }
    }
}
