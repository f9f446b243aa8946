//! When a plateau fires, metric by metric.

use moments::schedule::{Fires, Goal, Plateau, PlateauState};

/// The learning rate after each metric, from 1.
fn lrs(plateau: Plateau, metrics: &[f64]) -> Vec<f64> {
    plateau.validate().unwrap();
    let mut state = plateau.start(1.0);
    metrics
        .iter()
        .map(|&metric| plateau.observe(&mut state, metric))
        .collect()
}

fn halving() -> Plateau {
    Plateau {
        factor: 0.5,
        patience: 2,
        ..Plateau::torch()
    }
}

#[test]
fn torch_waits_for_one_bad_observation_more_than_optax() {
    let same = [3.0; 8];
    assert_eq!(
        lrs(halving(), &same),
        [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25]
    );
    let optax = Plateau {
        fires: Fires::At,
        ..halving()
    };
    assert_eq!(
        lrs(optax, &same),
        [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
    );
    assert_eq!(
        lrs(
            Plateau {
                patience: 3,
                ..optax
            },
            &same
        ),
        lrs(halving(), &same)
    );
}

#[test]
fn an_improvement_starts_the_count_again() {
    let metrics = [3.0, 3.0, 3.0, 2.0, 2.0, 2.0, 2.0];
    assert_eq!(
        lrs(halving(), &metrics),
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5]
    );
}

#[test]
fn a_threshold_is_relative_or_absolute_or_both() {
    let strict = |rtol, atol| Plateau {
        patience: 0,
        rtol,
        atol,
        ..halving()
    };
    // From 8, better by an eighth is 7, better by 2 is 6, better by both is 5: none of these counts.
    for (rtol, atol, edge) in [(0.125, 0.0, 7.0), (0.0, 2.0, 6.0), (0.125, 2.0, 5.0)] {
        assert_eq!(lrs(strict(rtol, atol), &[8.0, edge]), [1.0, 0.5]);
        assert_eq!(lrs(strict(rtol, atol), &[8.0, edge - 0.01]), [1.0, 1.0]);
        let rising = Plateau {
            goal: Goal::Max,
            ..strict(rtol, atol)
        };
        let edge = 16.0 - edge;
        assert_eq!(lrs(rising, &[8.0, edge]), [1.0, 0.5]);
        assert_eq!(lrs(rising, &[8.0, edge + 0.01]), [1.0, 1.0]);
    }
}

#[test]
fn nothing_counts_during_a_cool_down() {
    let plateau = Plateau {
        patience: 0,
        cooldown: 2,
        ..halving()
    };
    let same = [3.0; 8];
    assert_eq!(
        lrs(plateau, &same),
        [1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]
    );
    // But an improvement is noted.
    assert_eq!(
        lrs(plateau, &[3.0, 3.0, 1.0, 3.0, 2.0]),
        [1.0, 0.5, 0.5, 0.5, 0.25]
    );
}

#[test]
fn the_floor_is_met_and_small_changes_are_left_out() {
    let plateau = Plateau {
        patience: 0,
        min_lr: 0.2,
        ..halving()
    };
    assert_eq!(lrs(plateau, &[3.0; 5]), [1.0, 0.5, 0.25, 0.2, 0.2]);
    // From 0.5 to 0.25 is a change of 0.25.
    let at = Plateau {
        min_lr: 0.0,
        eps: 0.25,
        ..plateau
    };
    assert_eq!(lrs(at, &[3.0; 4]), [1.0, 0.5, 0.5, 0.5]);
    let below = Plateau { eps: 0.24, ..at };
    assert_eq!(lrs(below, &[3.0; 4]), [1.0, 0.5, 0.25, 0.25]);
}

#[test]
fn metrics_are_averaged_before_they_are_judged() {
    let plateau = Plateau {
        patience: 0,
        average_over: 3,
        ..halving()
    };
    // The means are 2, 2 and 1.
    let metrics = [1.0, 2.0, 3.0, 0.0, 0.0, 6.0, 1.0, 1.0, 1.0];
    assert_eq!(
        lrs(plateau, &metrics),
        [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5]
    );
    let mut state = plateau.start(1.0);
    plateau.observe(&mut state, 1.0);
    plateau.observe(&mut state, 2.0);
    assert_eq!(state.partial, (1.5, 2));
    plateau.observe(&mut state, 3.0);
    assert_eq!((state.partial, state.best), ((0.0, 0), Some(2.0)));
}

#[test]
fn nan_is_never_an_improvement() {
    let plateau = Plateau {
        patience: 0,
        ..halving()
    };
    assert_eq!(
        lrs(plateau, &[f64::NAN, 3.0, f64::NAN, 2.0]),
        [0.5, 0.5, 0.25, 0.25]
    );
    // An infinite loss at first is a first loss.
    assert_eq!(lrs(plateau, &[f64::INFINITY, 3.0]), [1.0, 1.0]);
}

#[test]
fn a_saved_state_continues() {
    let plateau = Plateau {
        average_over: 2,
        cooldown: 1,
        ..halving()
    };
    let metrics: Vec<f64> = (0..40).map(|i| f64::from((i * 7) % 11)).collect();
    let whole = lrs(plateau, &metrics);
    assert!(whole[39] < 0.2);
    let mut state = plateau.start(1.0);
    for (i, &metric) in metrics.iter().enumerate() {
        let PlateauState {
            lr,
            best,
            bad,
            cooldown,
            partial,
        } = state;
        state = PlateauState {
            lr,
            best,
            bad,
            cooldown,
            partial,
        };
        assert_eq!(plateau.observe(&mut state, metric), whole[i]);
    }
}

#[test]
fn the_state_says_what_has_been_seen() {
    let plateau = halving();
    let mut state = plateau.start(0.5);
    assert_eq!(
        state,
        PlateauState {
            lr: 0.5,
            best: None,
            bad: 0,
            cooldown: 0,
            partial: (0.0, 0)
        }
    );
    for metric in [2.0, 3.0, 4.0] {
        plateau.observe(&mut state, metric);
    }
    assert_eq!((state.best, state.bad), (Some(2.0), 2));
}

#[test]
fn presets_are_the_libraries_defaults() {
    let (torch, optax) = (Plateau::torch(), Plateau::optax());
    assert_eq!(torch, Plateau::default());
    assert_eq!(
        (torch.factor, torch.patience, torch.rtol, torch.eps),
        (0.1, 10, 1e-4, 1e-8)
    );
    assert_eq!((optax.fires, optax.eps), (Fires::At, 0.0));
    assert_eq!(
        Plateau {
            fires: Fires::Beyond,
            eps: 1e-8,
            ..optax
        },
        torch
    );
}
