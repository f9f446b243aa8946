//! Every schedule prints as a phrase that says what it does.

use crate::laws::all;
use moments::schedule::{
    AfterEnd, Anneal, Between, Constant, Cooldown, Cosine, CosineRestarts, Cyclic, Exponential,
    Fires, Goal, Height, InverseSqrt, InverseSqrtForm, Linear, MultiStep, Noam, OneCycle,
    Piecewise, Plateau, Polynomial, Refined, Schedule, Sequence, StepDecay, Warmup, WarmupForm,
    WarmupStart, Wsd,
};

#[expect(
    clippy::needless_pass_by_value,
    reason = "a call reads better without a reference"
)]
fn assert_phrase(schedule: impl ToString, expected: &str) {
    assert_eq!(schedule.to_string(), expected);
}

#[test]
fn numbers_are_short() {
    let phrases = [0.0, 0.1, 1e-4, 9e-5, 3e-10, 25.0, 999_999.0, 1e6]
        .map(|lr| Constant { lr }.to_string().replace("constant ", ""));
    assert_eq!(
        phrases,
        ["0", "0.1", "0.0001", "9e-5", "3e-10", "25", "999999", "1e6"]
    );
}

#[test]
fn decays() {
    assert_phrase(
        StepDecay {
            lr: 0.1,
            gamma: 0.5,
            every: 1,
        },
        "0.1 times 0.5 every 1 update",
    );
    assert_phrase(
        MultiStep {
            lr: 0.1,
            gamma: 0.5,
            milestones: vec![3, 9],
        },
        "0.1 times 0.5 at updates [3, 9]",
    );
    assert_phrase(
        Exponential {
            lr: 0.1,
            gamma: 0.5,
            every: 1,
        },
        "0.1 times 0.5^t",
    );
    assert_phrase(
        Exponential {
            lr: 0.1,
            gamma: 0.5,
            every: 30,
        },
        "0.1 times 0.5^(t/30)",
    );
    assert_phrase(Linear::new(0.1, 30), "linear from 0.1 to 0 over 30 updates");
    assert_phrase(
        Polynomial {
            end: 1e-5,
            ..Polynomial::new(0.1, 0.9, 30)
        },
        "polynomial of power 0.9 from 0.1 to 1e-5 over 30 updates",
    );
}

#[test]
fn cosines() {
    let cosine = Cosine::new(0.1, 30);
    assert_phrase(cosine, "cosine from 0.1 to 0 over 30 updates");
    assert_phrase(
        Cosine {
            exponent: 2.0,
            after_end: AfterEnd::RiseAgain,
            ..cosine
        },
        "cosine to the power 2 from 0.1 to 0 over 30 updates, up again and so on",
    );
    let restarts = CosineRestarts::new(0.1, 30);
    assert_phrase(restarts, "cosine from 0.1 to 0, restarted after 30 updates");
    assert_phrase(
        CosineRestarts {
            mult: 2,
            ..restarts
        },
        "cosine from 0.1 to 0, restarted after 30 updates, each cycle 2 times as long as the last",
    );
}

#[test]
fn warmups() {
    let first = Constant { lr: 0.1 }.warmup(5);
    assert_phrase(first, "warmup over 5 updates from 1/5, then constant 0.1");
    assert_phrase(
        Warmup {
            start: WarmupStart::Zero,
            ..first
        },
        "warmup over 5 updates from 0, then constant 0.1",
    );
    assert_phrase(
        Warmup {
            start: WarmupStart::Factor(0.25),
            form: WarmupForm::Times,
            ..first
        },
        "constant 0.1, times a warmup over 5 updates from 0.25",
    );
    let wsd = Wsd::new(0.1, 5, 6, 7);
    assert_phrase(
        wsd,
        "warmup over 5 updates from 1/5, then 0.1 for 6 updates, then a 1 − √u cool-down to 0 over 7 updates",
    );
    assert_phrase(
        Wsd {
            warmup: 0,
            cooldown_shape: Cooldown::Linear,
            ..wsd
        },
        "0.1 for 6 updates, then a linear cool-down to 0 over 7 updates",
    );
    assert_phrase(
        Wsd {
            warmup: 0,
            cooldown_shape: Cooldown::Cosine,
            end: 0.01,
            ..wsd
        },
        "0.1 for 6 updates, then a cosine cool-down to 0.01 over 7 updates",
    );
}

#[test]
fn cycles() {
    assert_phrase(
        OneCycle::torch(1.0, 30),
        "one cosine cycle from 0.04 to 1 to 4e-6 with the last of 30 updates",
    );
    assert_phrase(
        OneCycle {
            anneal: Anneal::Linear,
            ..OneCycle::optax_linear(1.0, 30)
        },
        "one linear cycle from 0.04 to 1 to 0.04 to 4e-6 after 30 updates",
    );
    let cyclic = Cyclic {
        up: 3,
        down: 1,
        ..Cyclic::torch(0.1, 1.0)
    };
    assert_phrase(
        cyclic,
        "cycles between 0.1 and 1, 3 updates up and 1 update down",
    );
    assert_phrase(
        Cyclic {
            height: Height::Halves,
            ..cyclic
        },
        "cycles between 0.1 and 1, 3 updates up and 1 update down, each half as high as the last",
    );
    assert_phrase(
        Cyclic {
            height: Height::Decays(0.9),
            ..cyclic
        },
        "cycles between 0.1 and 1, 3 updates up and 1 update down, of a height times 0.9^t",
    );
}

#[test]
fn roots_points_and_refined() {
    let root = InverseSqrt {
        lr: 0.1,
        timescale: 9,
        form: InverseSqrtForm::Flat,
    };
    assert_phrase(root, "0.1 times √(9 / max(t, 9))");
    assert_phrase(
        InverseSqrt {
            form: InverseSqrtForm::Shifted,
            ..root
        },
        "0.1 times √(9 / (t + 9))",
    );
    assert_phrase(
        Noam::paper(),
        "1 / √512 times 1/√s at update s, after a warmup over 4000 updates",
    );
    let points = vec![(0, 0.1), (5, 1.0)];
    let points = Piecewise {
        points,
        between: Between::Hold,
    };
    assert_phrase(&points, "constant from 0.1 at 0, 1 at 5");
    assert_phrase(
        Piecewise {
            between: Between::Linear,
            ..points.clone()
        },
        "linear between 0.1 at 0, 1 at 5",
    );
    assert_phrase(
        Piecewise {
            between: Between::Cosine,
            ..points
        },
        "cosine between 0.1 at 0, 1 at 5",
    );
    assert_phrase(
        Refined {
            lr: 0.1,
            factors: vec![0.5, 1.0, 0.5, 0.0],
        },
        "refined over 4 updates, with the peak 0.1 at update 1",
    );
}

#[test]
fn compositions() {
    let linear = Linear::new(1.0, 3);
    assert_phrase(
        linear.scaled(0.1),
        "0.1 × (linear from 1 to 0 over 3 updates)",
    );
    assert_phrase(
        linear.times(Constant { lr: 2.0 }),
        "(linear from 1 to 0 over 3 updates) × (constant 2)",
    );
    assert_phrase(
        linear.delayed(1),
        "linear from 1 to 0 over 3 updates, begun after 1 update",
    );
    assert_phrase(
        linear.at_least(0.1),
        "linear from 1 to 0 over 3 updates, at least 0.1",
    );
    assert_phrase(
        linear.at_most(0.5),
        "linear from 1 to 0 over 3 updates, at most 0.5",
    );
    let parts = vec![
        Constant { lr: 1.0 },
        Constant { lr: 2.0 },
        Constant { lr: 3.0 },
    ];
    assert_phrase(
        Sequence {
            parts,
            milestones: vec![5, 9],
        },
        "constant 1; from update 5: constant 2; from update 9: constant 3",
    );
}

#[test]
fn plateaus() {
    assert_phrase(
        Plateau::torch(),
        "times 0.1 after 11 observations in a row that are not below (1 − 0.0001) best − 0",
    );
    let full = Plateau {
        goal: Goal::Max,
        fires: Fires::At,
        atol: 0.5,
        rtol: 0.0,
        average_over: 2,
        cooldown: 1,
        min_lr: 1e-6,
        ..Plateau::torch()
    };
    assert_phrase(
        full,
        "times 0.1 after 10 observations in a row that are not above (1 + 0) best + 0.5, \
         each the mean of 2 metrics, not counting the next 1, at least 1e-6",
    );
}

#[test]
fn no_phrase_is_empty_or_ends_in_a_stop() {
    for schedule in all() {
        let phrase = schedule.to_string();
        assert!(
            phrase.len() > 8 && !phrase.ends_with(['.', ',', ' ']),
            "{phrase}"
        );
    }
}
