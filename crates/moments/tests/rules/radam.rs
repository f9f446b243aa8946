use crate::common::{
    assert_close, assert_refuses, gradients, on_a_bowl, trajectory, trajectory_from,
};
use moments::{Adam, Divided, EpsAt, Momentum, NAdam, Optimizer, RAdam, Rule, Sgd};

const START: [f64; 4] = [1.0, -0.5, 2.0, 0.25];

/// Never divided: ρₜ stays below ρ∞ = 2 / (1 − β₂) − 1.
const NEVER: f64 = 1e9;

#[test]
fn presets_are_the_libraries_defaults() {
    let torch = RAdam {
        lr: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        eps_root: 0.0,
        eps_at: EpsAt::Uncorrected,
        threshold: 5.0,
        divided: Divided::Above,
        nesterov: false,
        weight_decay: 0.0,
        decoupled_weight_decay: false,
    };
    assert_eq!(RAdam::default(), torch);
    assert_eq!(RAdam::torch(), torch);
    let optax = RAdam {
        eps_at: EpsAt::Corrected,
        divided: Divided::AtLeast,
        ..torch
    };
    assert_eq!(RAdam::optax(), optax);
    let paper = RAdam {
        eps: 0.0,
        threshold: 4.0,
        ..torch
    };
    assert_eq!(RAdam::paper(), paper);
}

#[test]
fn with_the_usual_rates_five_steps_are_not_divided() {
    for (rule, first) in [
        (RAdam::torch(), 6),
        (RAdam::optax(), 6),
        (RAdam::paper(), 5),
    ] {
        for t in 1..first {
            assert_eq!(rule.rectification(t), None, "{t}");
            assert_eq!(rule.denominator(t, &[1.0, 1.0]), None);
        }
        assert!(rule.rectification(first).is_some());
        assert!(rule.denominator(first, &[1.0, 1.0]).is_some());
    }
}

#[test]
fn r_grows_from_a_few_hundredths_to_one() {
    let rule = RAdam::default();
    let r: Vec<f64> = (6..20_000).filter_map(|t| rule.rectification(t)).collect();
    assert_eq!(r.len(), 20_000 - 6);
    assert!(r[0] > 0.02 && r[0] < 0.04, "{}", r[0]);
    assert!(r.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(r.iter().all(|&r| r <= 1.0) && (1.0 - r[19_000]).abs() < 1e-5);
}

#[test]
fn the_threshold_itself_is_enough_for_one_of_the_two_forms() {
    // β₂ = 0.75: ρ∞ is 7, and at t = 400 so is ρ, to the last bit.
    let rule = |divided| RAdam {
        beta2: 0.75,
        threshold: 7.0,
        divided,
        ..RAdam::default()
    };
    assert_eq!(rule(Divided::Above).rectification(400), None);
    assert_eq!(rule(Divided::AtLeast).rectification(400), Some(1.0));
    assert_eq!(rule(Divided::AtLeast).rectification(10), None);
}

#[test]
fn undivided_steps_are_those_of_a_corrected_average() {
    let grads = gradients(51, 40, 4);
    let rule = RAdam {
        lr: 0.1,
        threshold: NEVER,
        ..RAdam::default()
    };
    let (mut theta, mut m) = (START, [0.0_f64; 4]);
    let mut expected = Vec::new();
    for (t, g) in (1..).zip(&grads) {
        for i in 0..4 {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            theta[i] -= 0.1 * m[i] / (1.0 - 0.9_f64.powi(t));
        }
        expected.push(theta.to_vec());
    }
    assert_close(&trajectory_from(rule, &START, &grads), &expected, 1e-12);
}

#[test]
fn undivided_and_without_momentum_it_is_sgd() {
    let grads = gradients(52, 40, 4);
    let radam = RAdam {
        lr: 0.1,
        beta1: 0.0,
        beta2: 0.5,
        weight_decay: 0.25,
        ..RAdam::default()
    };
    let sgd = Sgd {
        lr: 0.1,
        weight_decay: 0.25,
        convention: Momentum::HeavyBall,
        ..Sgd::default()
    };
    // β₂ = 0.5: ρ∞ is 3, so that no step is ever divided.
    assert_close(
        &trajectory_from(radam, &START, &grads),
        &trajectory_from(sgd, &START, &grads),
        1e-13,
    );
}

#[test]
fn divided_steps_are_those_of_adam_times_r() {
    let grads = gradients(53, 60, 4);
    for eps_at in [EpsAt::Corrected, EpsAt::Uncorrected] {
        let radam = RAdam {
            lr: 0.01,
            beta2: 0.9,
            eps: 0.01,
            eps_root: 0.02,
            eps_at,
            ..RAdam::default()
        };
        let adam = Adam {
            beta2: 0.9,
            eps: 0.01,
            eps_root: 0.02,
            eps_at,
            ..Adam::default()
        };
        let (mut x, mut y) = (START, START);
        let (mut a, mut b) = (Optimizer::new(radam), Optimizer::new(adam));
        for (t, g) in (1..).zip(&grads) {
            let before = (x, y);
            a.step(&mut x, g).unwrap();
            let r = radam.rectification(t);
            b.rule.lr = 0.01 * r.unwrap_or(0.0);
            b.step(&mut y, g).unwrap();
            if r.is_some() {
                for i in 0..4 {
                    let (dx, dy) = (x[i] - before.0[i], y[i] - before.1[i]);
                    assert!((dx - dy).abs() < 1e-14, "{t}: {dx} {dy}");
                }
                let state = [a.state("exp_avg").unwrap()[0], 2.0];
                assert_eq!(radam.denominator(t, &state), adam.denominator(t, &state));
            }
            assert_eq!(radam.corrections(t), adam.corrections(t));
        }
        assert_eq!(radam.denominator(60, &[1.0]), None);
    }
}

#[test]
fn the_algorithm_of_the_paper_in_its_own_words() {
    let grads = gradients(54, 100, 4);
    let rule = RAdam {
        lr: 0.02,
        beta1: 0.8,
        beta2: 0.95,
        ..RAdam::paper()
    };
    let rho_inf = 2.0 / (1.0 - 0.95) - 1.0;
    let (mut theta, mut m, mut v) = (START, [0.0_f64; 4], [0.0_f64; 4]);
    let mut expected = Vec::new();
    for (t, g) in (1..).zip(&grads) {
        let beta2_t = 0.95_f64.powi(t);
        let rho = rho_inf - 2.0 * f64::from(t) * beta2_t / (1.0 - beta2_t);
        for i in 0..4 {
            m[i] = 0.8 * m[i] + 0.2 * g[i];
            v[i] = 0.95 * v[i] + 0.05 * g[i] * g[i];
            let m_hat = m[i] / (1.0 - 0.8_f64.powi(t));
            theta[i] -= if rho > 4.0 {
                let l = ((1.0 - beta2_t) / v[i]).sqrt();
                let r = (rho - 4.0) * (rho - 2.0) * rho_inf;
                let r = (r / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho)).sqrt();
                0.02 * r * m_hat * l
            } else {
                0.02 * m_hat
            };
        }
        expected.push(theta.to_vec());
    }
    assert_close(&trajectory_from(rule, &START, &grads), &expected, 1e-10);
}

#[test]
fn once_r_is_one_nesterov_is_that_of_nadam() {
    // β₂ = 0: v is the present gradient squared and ρ∞ is 1; so the comparison is of undivided steps.
    let radam = RAdam {
        lr: 1.0,
        beta1: 0.5,
        threshold: NEVER,
        nesterov: true,
        ..RAdam::default()
    };
    // NAdam with v̂ = 1 always: gradients of ±1.
    let nadam = NAdam {
        lr: 1.0,
        beta1: 0.5,
        eps: 0.0,
        ..NAdam::optax()
    };
    let grads: Vec<Vec<f64>> = gradients(55, 50, 3)
        .iter()
        .map(|g| g.iter().map(|g| g.signum()).collect())
        .collect();
    assert_close(
        &trajectory(radam, &grads),
        &trajectory(nadam, &grads),
        1e-10,
    );
}

#[test]
fn decoupled_decay_is_a_factor() {
    let zeros = vec![vec![0.0; 4]; 10];
    let rule = RAdam {
        lr: 0.25,
        weight_decay: 0.5,
        decoupled_weight_decay: true,
        ..RAdam::default()
    };
    let end = &trajectory_from(rule, &START, &zeros)[9];
    for (x, start) in end.iter().zip(START) {
        assert!((x - start * 0.875_f64.powi(10)).abs() < 1e-15);
    }
}

#[test]
fn it_comes_close_to_the_minimum_of_a_bowl() {
    for form in [RAdam::torch(), RAdam::optax()] {
        let rule = RAdam { lr: 0.01, ..form };
        for x in on_a_bowl(rule, &[0.5, 1.0, 20.0], 4000) {
            assert!(x.abs() < 1e-3, "{x}");
        }
    }
}

#[test]
fn it_refuses_nonsense() {
    let rule = RAdam::default();
    for lr in [-1e-3, f64::NAN, f64::INFINITY] {
        assert_refuses(RAdam { lr, ..rule }, "lr");
    }
    for beta in [-0.1, 1.0, f64::NAN] {
        assert_refuses(
            RAdam {
                beta1: beta,
                ..rule
            },
            "beta1",
        );
        assert_refuses(
            RAdam {
                beta2: beta,
                ..rule
            },
            "beta2",
        );
    }
    assert_refuses(RAdam { eps: -1e-8, ..rule }, "eps");
    let eps_root = -1e-8;
    assert_refuses(RAdam { eps_root, ..rule }, "eps_root");
    let weight_decay = -0.1;
    assert_refuses(
        RAdam {
            weight_decay,
            ..rule
        },
        "weight_decay",
    );
    for threshold in [3.999, -1.0, f64::NAN, f64::INFINITY] {
        let bad = RAdam { threshold, ..rule };
        assert_refuses(bad, "threshold");
        let message = bad.validate().unwrap_err().to_string();
        assert!(message.starts_with("RAdam: `threshold`"), "{message}");
    }
    let edge = RAdam {
        threshold: 4.0,
        ..rule
    };
    assert_eq!(edge.validate(), Ok(()));
}

#[test]
fn the_rate_can_be_set() {
    let mut rule = RAdam::default();
    rule.set_lr(0.5);
    assert_eq!((rule.lr, rule.lr(), rule.name()), (0.5, 0.5, "RAdam"));
    assert!(rule.is_non_negative("exp_avg_sq") && !rule.is_non_negative("exp_avg"));
}
