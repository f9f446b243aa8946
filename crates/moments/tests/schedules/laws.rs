//! What must hold for every schedule, and for some of them by hand.

use moments::Error;
use moments::schedule::{
    AfterEnd, Anneal, Between, Constant, Cooldown, Cosine, CosineRestarts, Cyclic, EndsAt,
    Exponential, Height, InverseSqrt, InverseSqrtForm, Linear, MultiStep, Noam, Norms, OneCycle,
    Piecewise, Polynomial, Refined, Schedule, Sequence, StepDecay, Warmup, WarmupForm, WarmupStart,
    Wsd,
};

/// Schedules of every kind and in every form, with settings that `validate` accepts, odd ones among them.
pub(crate) fn all() -> Vec<Box<dyn Schedule>> {
    let cosine = Cosine::new(0.1, 10);
    let restarts = CosineRestarts::new(0.1, 3);
    let cyclic = Cyclic {
        up: 4,
        down: 3,
        ..Cyclic::torch(0.01, 0.1)
    };
    let cycle = OneCycle::torch(0.1, 20);
    let wsd = Wsd::new(0.1, 4, 5, 6);
    let root = InverseSqrt {
        lr: 0.1,
        timescale: 5,
        form: InverseSqrtForm::Flat,
    };
    let growing = Exponential {
        lr: 0.1,
        gamma: 2.0,
        every: 3,
    };
    vec![
        Constant { lr: 0.1 }.boxed(),
        Constant { lr: 0.0 }.boxed(),
        StepDecay {
            lr: 0.1,
            gamma: 0.5,
            every: 3,
        }
        .boxed(),
        StepDecay {
            lr: 0.1,
            gamma: 3.0,
            every: 1,
        }
        .boxed(),
        MultiStep {
            lr: 0.1,
            gamma: 0.5,
            milestones: vec![2, 2, 7],
        }
        .boxed(),
        MultiStep {
            lr: 0.1,
            gamma: 0.5,
            milestones: vec![],
        }
        .boxed(),
        Exponential {
            lr: 0.1,
            gamma: 0.9,
            every: 2,
        }
        .boxed(),
        growing.boxed(),
        Exponential { lr: 0.0, ..growing }.boxed(),
        Linear::new(0.1, 10).boxed(),
        Linear::torch(0.1).boxed(),
        Linear {
            lr: 0.0,
            end: 1.0,
            steps: u64::MAX,
        }
        .boxed(),
        Polynomial::new(0.1, 0.5, 10).boxed(),
        Polynomial {
            end: 0.2,
            ..Polynomial::new(0.1, 30.0, 10)
        }
        .boxed(),
        cosine.boxed(),
        Cosine {
            after_end: AfterEnd::RiseAgain,
            ..cosine
        }
        .boxed(),
        Cosine {
            after_end: AfterEnd::RiseAgain,
            steps: u64::MAX,
            exponent: 0.3,
            ..cosine
        }
        .boxed(),
        restarts.boxed(),
        CosineRestarts {
            mult: 2,
            ..restarts
        }
        .boxed(),
        CosineRestarts {
            first: u64::MAX,
            mult: u64::MAX,
            ..restarts
        }
        .boxed(),
        cosine.warmup(4).boxed(),
        Warmup {
            start: WarmupStart::Zero,
            form: WarmupForm::Times,
            ..cosine.warmup(4)
        }
        .boxed(),
        Warmup {
            start: WarmupStart::Factor(3.0),
            ..cosine.warmup(u64::MAX)
        }
        .boxed(),
        wsd.boxed(),
        Wsd {
            cooldown_shape: Cooldown::Linear,
            warmup: 0,
            stable: 0,
            ..wsd
        }
        .boxed(),
        Wsd {
            cooldown_shape: Cooldown::Cosine,
            warmup: u64::MAX,
            ..wsd
        }
        .boxed(),
        cycle.boxed(),
        OneCycle::torch_three_phase(0.1, 20).boxed(),
        OneCycle::optax_cosine(0.1, 20).boxed(),
        OneCycle::optax_linear(0.1, 1).boxed(),
        OneCycle { steps: 1, ..cycle }.boxed(),
        OneCycle {
            steps: u64::MAX,
            ..cycle
        }
        .boxed(),
        cyclic.boxed(),
        Cyclic {
            height: Height::Halves,
            up: u64::MAX,
            ..cyclic
        }
        .boxed(),
        Cyclic {
            height: Height::Decays(0.0),
            ..cyclic
        }
        .boxed(),
        root.boxed(),
        InverseSqrt {
            form: InverseSqrtForm::Shifted,
            ..root
        }
        .boxed(),
        Noam::paper().boxed(),
        Piecewise {
            points: vec![(3, 0.1), (3, 0.2), (9, 0.3)],
            between: Between::Linear,
        }
        .boxed(),
        Piecewise {
            points: vec![(u64::MAX, 0.1)],
            between: Between::Cosine,
        }
        .boxed(),
        Refined::from_norms(0.1, &[3.0, 1.0, 2.0], 0.5, Norms::L1)
            .unwrap()
            .boxed(),
        Sequence {
            parts: vec![Constant { lr: 0.1 }.boxed(), growing.boxed()],
            milestones: vec![3],
        }
        .boxed(),
        cosine.times(growing).boxed(),
        growing.scaled(7.0).boxed(),
        growing.times(growing).boxed(),
        growing.scaled(0.0).boxed(),
        growing.delayed(5).boxed(),
        growing.at_most(1.0).boxed(),
        cosine.at_least(0.01).boxed(),
    ]
}

#[test]
fn a_run_of_any_length_has_a_finite_learning_rate_of_at_least_zero() {
    let long = [
        u64::MAX,
        u64::MAX - 1,
        1 << 63,
        (1 << 53) + 1,
        1 << 32,
        1 << 31,
        1_000_000,
    ];
    for schedule in all() {
        schedule.validate().unwrap();
        for done in (0..100).chain(long) {
            let lr = schedule.at(done);
            assert!(lr.is_finite() && lr >= 0.0, "{schedule}: {lr} after {done}");
        }
    }
}

#[test]
fn growth_stops_at_the_largest_finite_number() {
    let growing = Exponential {
        lr: 2.0,
        gamma: 2.0,
        every: 1,
    };
    assert_eq!(growing.at(1022), 2.0_f64.powi(1023));
    assert_eq!(growing.at(1023), f64::MAX);
    assert_eq!(growing.at(1 << 40), f64::MAX);
    assert_eq!(Exponential { lr: 0.0, ..growing }.at(1 << 40), 0.0);
    assert_eq!(growing.scaled(2.0).at(1022), f64::MAX);
    assert_eq!(growing.times(growing).at(1000), f64::MAX);
    assert_eq!(
        StepDecay {
            lr: 1.0,
            gamma: 10.0,
            every: 1
        }
        .at(400),
        f64::MAX
    );
}

/// What `validate` refuses must not panic either, whatever it gives.
#[test]
fn nonsense_does_not_panic() {
    let cyclic = Cyclic {
        up: 0,
        down: 0,
        ..Cyclic::torch(0.1, 1.0)
    };
    let cycle = OneCycle {
        steps: 0,
        ..OneCycle::optax_linear(1.0, 1)
    };
    let nonsense: Vec<Box<dyn Schedule>> = vec![
        StepDecay {
            lr: 1.0,
            gamma: -1.0,
            every: 0,
        }
        .boxed(),
        Exponential {
            lr: 1.0,
            gamma: -1.0,
            every: 0,
        }
        .boxed(),
        MultiStep {
            lr: 1.0,
            gamma: 0.5,
            milestones: vec![9, 3],
        }
        .boxed(),
        Linear::new(1.0, 0).boxed(),
        Polynomial::new(1.0, f64::NAN, 0).boxed(),
        Cosine::new(1.0, 0).boxed(),
        Cosine {
            after_end: AfterEnd::RiseAgain,
            ..Cosine::new(1.0, 0)
        }
        .boxed(),
        CosineRestarts::new(1.0, 0).boxed(),
        CosineRestarts {
            mult: 2,
            ..CosineRestarts::new(1.0, 0)
        }
        .boxed(),
        CosineRestarts {
            mult: 0,
            ..CosineRestarts::new(1.0, 0)
        }
        .boxed(),
        Constant { lr: 1.0 }.warmup(0).boxed(),
        Wsd::new(1.0, 0, 0, 0).boxed(),
        cycle.boxed(),
        OneCycle {
            ends_at: EndsAt::LastUpdate,
            pct_start: 2.0,
            pct_final: -1.0,
            ..cycle
        }
        .boxed(),
        cyclic.boxed(),
        Noam {
            d_model: 0,
            warmup: 0,
            factor: 1.0,
        }
        .boxed(),
        InverseSqrt {
            lr: 1.0,
            timescale: 0,
            form: InverseSqrtForm::Flat,
        }
        .boxed(),
        Piecewise {
            points: vec![],
            between: Between::Linear,
        }
        .boxed(),
        Piecewise {
            points: vec![(9, 1.0), (3, 2.0), (12, 1.0)],
            between: Between::Linear,
        }
        .boxed(),
        Sequence::<Box<dyn Schedule>> {
            parts: vec![],
            milestones: vec![],
        }
        .boxed(),
        Sequence {
            parts: vec![Constant { lr: 1.0 }],
            milestones: vec![9, 3],
        }
        .boxed(),
        Refined {
            lr: 1.0,
            factors: vec![],
        }
        .boxed(),
    ];
    for schedule in nonsense {
        assert!(schedule.validate().is_err(), "{schedule}");
        for done in (0..20).chain([u64::MAX]) {
            let _ = schedule.at(done);
        }
    }
    assert!(cycle.momentum_at(0).is_finite());
    let _ = cyclic.momentum_at(7);
}

#[test]
fn a_schedule_of_no_updates_is_at_its_end() {
    assert_eq!(
        Linear {
            lr: 1.0,
            end: 0.5,
            steps: 0
        }
        .at(0),
        0.5
    );
    assert_eq!(
        Wsd {
            end: 0.5,
            ..Wsd::new(1.0, 2, 3, 0)
        }
        .at(5),
        0.5
    );
    let decay = StepDecay {
        lr: 1.0,
        gamma: 0.5,
        every: 0,
    };
    assert_eq!(decay.at(0), 0.0);
}

#[test]
fn nothing_to_follow_is_not_a_number_and_stays_so() {
    let empty = Refined {
        lr: 1.0,
        factors: vec![],
    };
    assert!(empty.at(0).is_nan());
    assert!(
        Piecewise {
            points: vec![],
            between: Between::Hold
        }
        .at(0)
        .is_nan()
    );
    assert!(
        Sequence::<Constant> {
            parts: vec![],
            milestones: vec![]
        }
        .at(0)
        .is_nan()
    );
    // A bound or a factor must not hide it.
    let empty = &empty;
    assert!(empty.at_least(0.5).at_most(0.6).at(0).is_nan());
    assert!(empty.scaled(2.0).at(0).is_nan());
    assert!(empty.times(Constant { lr: 1.0 }).at(0).is_nan());
}

#[test]
fn boxes_and_references_are_the_schedule_itself() {
    let good = StepDecay {
        lr: 0.5,
        gamma: 0.3,
        every: 2,
    };
    let bad = StepDecay { gamma: 0.0, ..good };
    let refusal = bad.validate().unwrap_err();
    assert_eq!(good.boxed().values(9), good.values(9));
    assert_eq!((&good).scaled(1.0).values(9), good.values(9));
    assert_eq!(Schedule::at(&&good, 4), good.at(4));
    assert_eq!(Schedule::at(&good.boxed(), 4), good.at(4));
    assert_eq!(Schedule::validate(&bad.boxed()), Err(refusal.clone()));
    assert_eq!((&bad).scaled(1.0).validate(), Err(refusal));
    assert_eq!(Schedule::validate(&good.boxed()), Ok(()));
}

#[test]
fn a_plot_has_the_updates_of_its_range_and_their_values() {
    let linear = Linear::new(1.0, 4);
    let points: Vec<_> = linear.over(3..6).collect();
    assert_eq!(points, [(3, 0.25), (4, 0.0), (5, 0.0)]);
    assert_eq!(
        linear.over(0..4).map(|(_, lr)| lr).collect::<Vec<_>>(),
        linear.values(4)
    );
    assert_eq!(linear.over(7..7).count(), 0);
    assert!(linear.values(0).is_empty());
    let last = linear.over(u64::MAX - 1..u64::MAX).last();
    assert_eq!(last, Some((u64::MAX - 1, 0.0)));
}

#[test]
fn both_ends_are_met_exactly() {
    // 0.1 + (0.3 − 0.1) is not 0.3 in floating point; a schedule has its ends exactly all the same.
    for (lr, end) in [(0.3, 0.1), (0.1, 0.3), (1e-3, 1e-17), (0.7, 0.0)] {
        let linear = Linear { lr, end, steps: 7 };
        assert_eq!((linear.at(0), linear.at(7), linear.at(8)), (lr, end, end));
        let polynomial = Polynomial {
            end,
            ..Polynomial::new(lr, 1.7, 7)
        };
        assert_eq!(
            (polynomial.at(0), polynomial.at(7), polynomial.at(8)),
            (lr, end, end)
        );
        let cosine = Cosine {
            end,
            exponent: 1.3,
            ..Cosine::new(lr, 7)
        };
        assert_eq!((cosine.at(0), cosine.at(7), cosine.at(8)), (lr, end, end));
        for cooldown_shape in [Cooldown::Linear, Cooldown::Cosine, Cooldown::OneMinusSqrt] {
            let wsd = Wsd {
                end,
                cooldown_shape,
                ..Wsd::new(lr, 3, 2, 7)
            };
            assert_eq!(
                (wsd.at(2), wsd.at(5), wsd.at(12), wsd.at(13)),
                (lr, lr, end, end)
            );
        }
        let points = Piecewise {
            points: vec![(2, lr), (9, end)],
            between: Between::Cosine,
        };
        assert_eq!(
            (points.at(0), points.at(2), points.at(9), points.at(10)),
            (lr, lr, end, end)
        );
    }
}

#[test]
fn decays_never_rise_and_warmups_never_fall() {
    let falling: Vec<Box<dyn Schedule>> = vec![
        StepDecay {
            lr: 1.0,
            gamma: 0.5,
            every: 7,
        }
        .boxed(),
        MultiStep {
            lr: 1.0,
            gamma: 0.5,
            milestones: vec![5, 50],
        }
        .boxed(),
        Exponential {
            lr: 1.0,
            gamma: 0.5,
            every: 7,
        }
        .boxed(),
        Linear::new(1.0, 90).boxed(),
        Polynomial::new(1.0, 3.0, 90).boxed(),
        Cosine::new(1.0, 90).boxed(),
        Wsd::new(1.0, 0, 10, 80).boxed(),
        InverseSqrt {
            lr: 1.0,
            timescale: 9,
            form: InverseSqrtForm::Flat,
        }
        .boxed(),
    ];
    for schedule in falling {
        let values = schedule.values(100);
        assert!(values.is_sorted_by(|a, b| a >= b), "{schedule}");
        assert!(values[99] < 0.5, "{schedule}");
        let warm = schedule.warmup(30).values(30);
        assert!(warm.is_sorted_by(|a, b| a < b));
    }
}

#[test]
fn the_first_update_of_a_warmup_is_what_its_start_says() {
    let peak = Constant { lr: 0.5 }.warmup(4);
    assert_eq!(peak.values(6), [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]);
    let zero = Warmup {
        start: WarmupStart::Zero,
        ..peak
    };
    assert_eq!(zero.values(6), [0.0, 0.125, 0.25, 0.375, 0.5, 0.5]);
    let half = Warmup {
        start: WarmupStart::Factor(0.5),
        ..peak
    };
    assert_eq!(half.values(6), [0.25, 0.3125, 0.375, 0.4375, 0.5, 0.5]);
    let none = Warmup {
        start: WarmupStart::Factor(1.0),
        ..peak
    };
    assert_eq!(none.values(6), [0.5; 6]);
}

#[test]
fn a_warmup_counts_the_schedule_from_its_own_end_or_from_the_first_update() {
    let decay = StepDecay {
        lr: 1.0,
        gamma: 0.5,
        every: 2,
    };
    let before = decay.warmup(3);
    assert_eq!(before.values(7)[3..], [1.0, 1.0, 0.5, 0.5]);
    let times = Warmup {
        form: WarmupForm::Times,
        start: WarmupStart::Zero,
        ..before
    };
    assert_eq!(
        times.values(6),
        [0.0, 1.0 / 3.0, 1.0 / 3.0, 0.5, 0.25, 0.25]
    );
}

#[test]
fn cosine_after_its_end_stays_or_is_the_mirror_image() {
    let stays = Cosine {
        end: 0.25,
        ..Cosine::new(1.0, 8)
    };
    assert_eq!(stays.values(100)[8..], [0.25; 92]);
    let rises = Cosine {
        after_end: AfterEnd::RiseAgain,
        ..stays
    };
    for t in 0..=8 {
        assert!((rises.at(8 + t) - stays.at(8 - t)).abs() < 1e-15);
        assert_eq!(rises.at(16 + t), stays.at(t));
        // 2⁶⁰ is a whole number of waves.
        assert_eq!(rises.at((1 << 60) + t), stays.at(t));
    }
}

#[test]
fn restarts_begin_where_their_lengths_say() {
    let top = |schedule: CosineRestarts, n: u64| -> Vec<u64> {
        schedule
            .over(0..n)
            .filter(|&(_, lr)| lr == 1.0)
            .map(|(t, _)| t)
            .collect()
    };
    let equal = CosineRestarts::new(1.0, 5);
    assert_eq!(top(equal, 21), [0, 5, 10, 15, 20]);
    assert_eq!(
        top(CosineRestarts { mult: 2, ..equal }, 80),
        [0, 5, 15, 35, 75]
    );
    assert_eq!(top(CosineRestarts { mult: 3, ..equal }, 70), [0, 5, 20, 65]);
    assert_eq!(equal.at(u64::MAX), equal.at(u64::MAX % 5));
    // 5 (2⁶¹ − 1) updates are done at the start of a cycle of 5 · 2⁶¹, the half of which is beyond a u64.
    let doubling = CosineRestarts { mult: 2, ..equal };
    assert_eq!(doubling.at(5 * ((1 << 61) - 1)), 1.0);
    assert!(doubling.at(5 * ((1 << 61) - 1) - 1) < 1e-15);
}

#[test]
fn one_cycle_has_its_corners_where_its_convention_says() {
    let torch = OneCycle {
        pct_start: 0.25,
        anneal: Anneal::Linear,
        ..OneCycle::torch(1.0, 100)
    };
    let last = 1.0 / 25.0 / 1e4;
    assert_eq!((torch.at(0), torch.at(24), torch.at(99)), (0.04, 1.0, last));
    let optax = OneCycle {
        ends_at: EndsAt::AfterLastUpdate,
        ..torch
    };
    assert_eq!(
        (optax.at(0), optax.at(25), optax.at(100)),
        (0.04, 1.0, last)
    );
    assert!(optax.at(99) > 1000.0 * last);
    let three = OneCycle {
        anneal: Anneal::Linear,
        ..OneCycle::torch_three_phase(1.0, 100)
    };
    assert_eq!(
        (three.at(29), three.at(58), three.at(99)),
        (1.0, 0.04, last)
    );
    assert_eq!(
        (
            three.momentum_at(29),
            three.momentum_at(58),
            three.momentum_at(80)
        ),
        (0.85, 0.95, 0.95)
    );
    for schedule in [torch, optax, three] {
        for t in [100, 101, u64::MAX] {
            assert_eq!(schedule.at(t), last);
            assert_eq!(schedule.momentum_at(t), 0.95);
        }
    }
}

#[test]
fn one_cycle_without_a_way_up_starts_at_the_peak() {
    let torch = OneCycle {
        pct_start: 0.01,
        ..OneCycle::torch(1.0, 100)
    };
    assert_eq!((torch.at(0), torch.momentum_at(0)), (1.0, 0.85));
    let optax = OneCycle {
        pct_start: 0.0,
        ..OneCycle::optax_cosine(1.0, 100)
    };
    assert_eq!((optax.at(0), optax.momentum_at(0)), (1.0, 0.85));
}

#[test]
fn cycles_have_their_tops_and_feet_in_place_for_ever() {
    let cycles = Cyclic {
        up: 3,
        down: 5,
        ..Cyclic::torch(0.25, 1.0)
    };
    let long = 1 << 40;
    for start in [0, 8, 8 * long] {
        assert_eq!((cycles.at(start), cycles.momentum_at(start)), (0.25, 0.9));
        assert_eq!(
            (cycles.at(start + 3), cycles.momentum_at(start + 3)),
            (1.0, 0.8)
        );
        assert!((cycles.at(start + 1) - 0.5).abs() < 1e-15);
        assert!((cycles.at(start + 7) - 0.4).abs() < 1e-15);
    }
    let halves = Cyclic {
        height: Height::Halves,
        ..cycles
    };
    assert_eq!(
        (halves.at(3), halves.at(11), halves.at(19)),
        (1.0, 0.625, 0.4375)
    );
    assert_eq!(halves.at(8 * long + 3), 0.25);
    let decays = Cyclic {
        height: Height::Decays(0.5),
        ..cycles
    };
    assert_eq!(decays.at(3), 0.25 + 0.75 / 8.0);
}

#[test]
fn noam_peaks_at_its_warmup_and_has_the_paper_s_peak() {
    let noam = Noam::paper();
    let values = noam.values(6000);
    let peak = values.iter().copied().fold(0.0, f64::max);
    assert_eq!(values.iter().position(|&lr| lr == peak), Some(3999));
    assert!((peak - 1.0 / (512.0_f64 * 4000.0).sqrt()).abs() < 1e-18);
}

#[test]
fn inverse_square_roots_quarter_the_time() {
    let flat = InverseSqrt {
        lr: 1.0,
        timescale: 10,
        form: InverseSqrtForm::Flat,
    };
    assert_eq!(flat.values(11), [1.0; 11]);
    assert!(flat.at(11) < 1.0);
    assert_eq!((flat.at(40), flat.at(160)), (0.5, 0.25));
    let shifted = InverseSqrt {
        form: InverseSqrtForm::Shifted,
        ..flat
    };
    assert_eq!(
        (shifted.at(0), shifted.at(30), shifted.at(150)),
        (1.0, 0.5, 0.25)
    );
}

#[test]
fn points_are_met_and_jumps_are_jumps() {
    let jump = Piecewise {
        points: vec![(2, 1.0), (4, 2.0), (4, 8.0), (6, 4.0)],
        between: Between::Linear,
    };
    assert_eq!(jump.values(8), [1.0, 1.0, 1.0, 1.5, 8.0, 6.0, 4.0, 4.0]);
    let hold = Piecewise {
        between: Between::Hold,
        ..jump.clone()
    };
    assert_eq!(hold.values(8), [1.0, 1.0, 1.0, 1.0, 8.0, 8.0, 4.0, 4.0]);
    let cosine = Piecewise {
        between: Between::Cosine,
        ..jump
    };
    assert_eq!((cosine.at(3), cosine.at(5)), (1.5, 6.0));
}

#[test]
fn milestones_count_from_the_milestone_itself() {
    let multi = MultiStep {
        lr: 1.0,
        gamma: 0.5,
        milestones: vec![0, 3, 3],
    };
    assert_eq!(multi.values(5), [0.5, 0.5, 0.5, 0.125, 0.125]);
    let parts = vec![
        Linear::new(1.0, 4),
        Linear::new(8.0, 8),
        Linear::new(3.0, 3),
    ];
    let sequence = Sequence {
        parts,
        milestones: vec![2, 4],
    };
    assert_eq!(sequence.values(7), [1.0, 0.75, 8.0, 7.0, 3.0, 2.0, 1.0]);
    // A part whose milestone is also the next one's has no update.
    let parts = vec![
        Constant { lr: 1.0 },
        Constant { lr: 2.0 },
        Constant { lr: 3.0 },
    ];
    assert_eq!(
        Sequence {
            parts,
            milestones: vec![2, 2]
        }
        .values(3),
        [1.0, 1.0, 3.0]
    );
}

#[test]
fn composing_is_arithmetic() {
    let (linear, decay) = (
        Linear::new(1.0, 10),
        Exponential {
            lr: 0.7,
            gamma: 0.9,
            every: 1,
        },
    );
    for t in 0..12 {
        assert_eq!(linear.scaled(3.0).at(t), 3.0 * linear.at(t));
        assert_eq!(linear.times(decay).at(t), linear.at(t) * decay.at(t));
        assert_eq!(linear.delayed(4).at(t + 4), linear.at(t));
        assert_eq!(linear.at_least(0.3).at(t), linear.at(t).max(0.3));
        assert_eq!(linear.at_most(0.3).at(t), linear.at(t).min(0.3));
        assert_eq!(
            linear.at_least(0.3).at_most(0.6).at(t),
            linear.at(t).clamp(0.3, 0.6)
        );
    }
    assert_eq!(linear.delayed(4).values(4), [1.0; 4]);
}

#[test]
fn presets_have_the_values_of_their_sources() {
    let cycle = OneCycle::torch(1.0, 9);
    assert_eq!(
        (cycle.pct_start, cycle.div_factor, cycle.final_div_factor),
        (0.3, 25.0, 1e4)
    );
    assert_eq!((cycle.base_momentum, cycle.max_momentum), (0.85, 0.95));
    let cyclic = Cyclic::torch(0.1, 1.0);
    assert_eq!(
        (
            cyclic.up,
            cyclic.down,
            cyclic.base_momentum,
            cyclic.max_momentum
        ),
        (2000, 2000, 0.8, 0.9)
    );
    let linear = Linear::torch(0.3);
    assert_eq!((linear.lr, linear.end, linear.steps), (0.3 / 3.0, 0.3, 5));
    let noam = Noam::paper();
    assert_eq!((noam.d_model, noam.warmup, noam.factor), (512, 4000, 1.0));
    let warmup = Warmup::optax_cosine(0.0, 0.1, 40, 390);
    assert_eq!((warmup.steps, warmup.schedule.steps), (40, 350));
}

/// The trait has two methods to write; everything else follows.
#[test]
fn a_schedule_of_your_own_composes_as_well() {
    #[derive(Debug)]
    struct Alternating;
    impl std::fmt::Display for Alternating {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "1 and 2 by turns")
        }
    }
    impl Schedule for Alternating {
        fn at(&self, done: u64) -> f64 {
            1.0 + (done % 2) as f64
        }
        fn validate(&self) -> Result<(), Error> {
            Ok(())
        }
    }
    let schedule = Alternating.scaled(0.5).warmup(2);
    assert_eq!(schedule.values(5), [0.25, 0.5, 0.5, 1.0, 0.5]);
    assert_eq!(
        schedule.to_string(),
        "warmup over 2 updates from 1/2, then 0.5 × (1 and 2 by turns)"
    );
}
