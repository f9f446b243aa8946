//! The schedule refined from gradient norms: exact cases, and the filter against its definition.

use moments::schedule::{Linear, Norms, Refined, Schedule};

#[test]
fn constant_norms_give_exactly_linear_decay() {
    for steps in [2, 3, 10, 257] {
        for norm in [1e-200, 1e-3, 7.0, 1e200] {
            for kind in [Norms::L1, Norms::L2] {
                let norms = vec![norm; steps as usize];
                let refined = Refined::from_norms(0.3, &norms, 0.1, kind).unwrap();
                for (t, lr) in refined.over(0..steps) {
                    let linear = Linear::new(0.3, steps - 1).at(t);
                    assert!(
                        (lr - linear).abs() < 1e-15,
                        "{t} of {steps}: {lr}, not {linear}"
                    );
                }
                assert_eq!(
                    (refined.at(0), refined.at(steps - 1), refined.at(steps)),
                    (0.3, 0.0, 0.0)
                );
                assert_eq!(refined.at(u64::MAX), 0.0);
            }
        }
    }
}

#[test]
fn weights_are_the_inverse_norm_or_its_square() {
    // w = 1, 1/2, 1 with L1: η = 3/2, 1/2, 0. w = 1, 1/4, 1 with L2: η = 5/4, 1/4, 0.
    let norms = [1.0, 2.0, 1.0];
    let adam = Refined::from_norms(1.0, &norms, 0.0, Norms::L1).unwrap();
    assert_eq!(adam.factors, [1.0, 0.5 / 1.5, 0.0]);
    let sgd = Refined::from_norms(1.0, &norms, 0.0, Norms::L2).unwrap();
    assert_eq!(sgd.factors, [1.0, 0.2, 0.0]);
}

#[test]
fn falling_norms_call_for_a_warmup() {
    let norms: Vec<f64> = (0..100)
        .map(|t| 1.0 + 9.0 * (-f64::from(t) / 10.0).exp())
        .collect();
    let values = Refined::from_norms(1.0, &norms, 0.05, Norms::L2)
        .unwrap()
        .values(100);
    let peak = values.iter().position(|&lr| lr == 1.0).unwrap();
    assert!((10..60).contains(&peak), "{peak}");
    assert!(values[0] < 0.1);
    assert_eq!(values[99], 0.0);
}

#[test]
fn the_scale_of_the_norms_is_of_no_account() {
    let norms: Vec<f64> = (1..50).map(|t| 1.0 + f64::from((t * 7) % 13)).collect();
    let scaled: Vec<f64> = norms.iter().map(|norm| norm * 2.0_f64.powi(500)).collect();
    for kind in [Norms::L1, Norms::L2] {
        let one = Refined::from_norms(1.0, &norms, 0.2, kind).unwrap();
        let other = Refined::from_norms(1.0, &scaled, 0.2, kind).unwrap();
        assert_eq!(one, other);
    }
}

/// Both ends of the filter, and an outlier that it removes.
#[test]
fn the_filter_is_a_median_with_a_repeated_start_and_a_mirrored_end() {
    fn by_definition(norms: &[f64], half: i64) -> Vec<f64> {
        let n = norms.len() as i64;
        let at = |i: i64| {
            norms[if i < 0 {
                0
            } else if i < n {
                i
            } else {
                2 * n - 1 - i
            } as usize]
        };
        let median = |t: i64| {
            let mut window: Vec<f64> = (t - half..=t + half).map(at).collect();
            window.sort_by(f64::total_cmp);
            window[half as usize]
        };
        (0..n).map(median).collect()
    }
    let norms: Vec<f64> = (0_u32..41)
        .map(|t| f64::from(1 + (t * t * 31 + t) % 47))
        .collect();
    for (tau, half) in [
        (0.0, 0),
        (0.04, 0),
        (0.05, 1),
        (0.5, 10),
        (0.99, 20),
        (1.0, 20),
    ] {
        // Without a filter of its own, the filtered norms must give the same.
        let filtered = by_definition(&norms, half);
        let expected = Refined::from_norms(1.0, &filtered, 0.0, Norms::L1).unwrap();
        let found = Refined::from_norms(1.0, &norms, tau, Norms::L1).unwrap();
        assert_eq!(found, expected, "tau {tau}");
    }
    let mut spiked = vec![2.0; 41];
    let smooth = Refined::from_norms(1.0, &spiked, 0.1, Norms::L2).unwrap();
    spiked[20] = 1e6;
    assert_eq!(
        Refined::from_norms(1.0, &spiked, 0.1, Norms::L2).unwrap(),
        smooth
    );
}

#[test]
fn norms_that_cannot_be_used_are_refused() {
    let text = |norms: &[f64], tau| {
        Refined::from_norms(1.0, norms, tau, Norms::L2)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        text(&[], 0.1),
        "Refined: `norms` is 0, but must be at least 2 norms"
    );
    assert_eq!(
        text(&[1.0], 0.1),
        "Refined: `norms` is 1, but must be at least 2 norms"
    );
    assert!(Refined::from_norms(1.0, &[1.0, 1.0], 0.1, Norms::L2).is_ok());
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let expected = format!("Refined: `norms` is {bad}, but must be finite and greater than 0");
        assert_eq!(text(&[1.0, bad, 1.0], 0.1), expected);
    }
    for bad in [-0.1, 1.1, f64::NAN] {
        assert!(text(&[1.0, 2.0], bad).starts_with("Refined: `tau` is"));
    }
    let error = Refined::from_norms(-1.0, &[1.0, 2.0], 0.1, Norms::L2).unwrap_err();
    assert!(error.to_string().starts_with("Refined: `lr` is -1"));
    // So far apart that every product of weights is zero.
    let error = Refined::from_norms(1.0, &[1e200, 1.0], 0.0, Norms::L2).unwrap_err();
    assert!(error.to_string().starts_with("Refined: `factors` is NaN"));
}
