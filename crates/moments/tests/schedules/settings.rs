//! Schedules in a configuration file.

use moments::schedule::{
    AfterEnd, Anneal, Between, Clamped, Constant, Cooldown, Cosine, CosineRestarts, Cyclic,
    Delayed, Exponential, Fires, Goal, Height, InverseSqrt, InverseSqrtForm, Linear, MultiStep,
    Noam, OneCycle, Piecewise, Plateau, Polynomial, Product, Refined, Scaled, Schedule, Sequence,
    StepDecay, Warmup, WarmupForm, WarmupStart, Wsd,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

#[expect(
    clippy::needless_pass_by_value,
    reason = "a call reads better without a reference"
)]
fn assert_comes_back<S: Serialize + DeserializeOwned + PartialEq + Debug>(value: S) {
    let text = serde_json::to_string(&value).unwrap();
    let back: S = serde_json::from_str(&text).unwrap();
    assert_eq!(back, value, "{text}");
}

#[test]
fn every_schedule_comes_back_as_it_was() {
    let linear = Linear {
        lr: 0.5,
        end: 0.25,
        steps: 3,
    };
    let cosine = Cosine {
        exponent: 2.0,
        after_end: AfterEnd::RiseAgain,
        ..Cosine::new(0.5, 3)
    };
    assert_comes_back(Constant { lr: 0.5 });
    assert_comes_back(StepDecay {
        lr: 0.5,
        gamma: 0.25,
        every: 3,
    });
    assert_comes_back(MultiStep {
        lr: 0.5,
        gamma: 0.25,
        milestones: vec![1, 2],
    });
    assert_comes_back(Exponential {
        lr: 0.5,
        gamma: 0.25,
        every: 3,
    });
    assert_comes_back(linear);
    assert_comes_back(Polynomial {
        end: 0.25,
        ..Polynomial::new(0.5, 2.0, 3)
    });
    assert_comes_back(cosine);
    assert_comes_back(CosineRestarts {
        mult: 2,
        end: 0.25,
        ..CosineRestarts::new(0.5, 3)
    });
    assert_comes_back(Warmup {
        start: WarmupStart::Factor(0.5),
        form: WarmupForm::Times,
        ..cosine.warmup(3)
    });
    assert_comes_back(Wsd {
        cooldown_shape: Cooldown::Linear,
        end: 0.25,
        ..Wsd::new(0.5, 1, 2, 3)
    });
    assert_comes_back(OneCycle {
        anneal: Anneal::Linear,
        ..OneCycle::optax_linear(0.5, 3)
    });
    assert_comes_back(Cyclic {
        height: Height::Decays(0.5),
        ..Cyclic::torch(0.25, 0.5)
    });
    assert_comes_back(InverseSqrt {
        lr: 0.5,
        timescale: 3,
        form: InverseSqrtForm::Shifted,
    });
    assert_comes_back(Noam {
        factor: 2.0,
        ..Noam::paper()
    });
    assert_comes_back(Piecewise {
        points: vec![(1, 0.5)],
        between: Between::Cosine,
    });
    assert_comes_back(Refined {
        lr: 0.5,
        factors: vec![1.0, 0.0],
    });
    assert_comes_back(Sequence {
        parts: vec![linear, linear],
        milestones: vec![3],
    });
    assert_comes_back(Scaled {
        factor: 0.5,
        schedule: linear,
    });
    assert_comes_back(Product {
        first: linear,
        second: cosine,
    });
    assert_comes_back(Delayed {
        steps: 3,
        schedule: linear,
    });
    assert_comes_back(Clamped {
        min: 0.25,
        max: 0.5,
        schedule: linear,
    });
    assert_comes_back(linear.at_least(0.25));
    let plateau = Plateau {
        goal: Goal::Max,
        fires: Fires::At,
        rtol: 0.25,
        ..Plateau::torch()
    };
    assert_comes_back(plateau);
    let mut state = plateau.start(0.5);
    assert_comes_back(state);
    plateau.observe(&mut state, 3.0);
    assert_comes_back(state);
}

#[test]
fn options_that_are_left_out_have_their_defaults() {
    let cosine: Cosine = serde_json::from_str(r#"{"lr": 0.5, "steps": 3}"#).unwrap();
    assert_eq!(cosine, Cosine::new(0.5, 3));
    let linear: Linear = serde_json::from_str(r#"{"lr": 0.5, "steps": 3}"#).unwrap();
    assert_eq!(linear, Linear::new(0.5, 3));
    let restarts: CosineRestarts = serde_json::from_str(r#"{"lr": 0.5, "first": 3}"#).unwrap();
    assert_eq!(restarts, CosineRestarts::new(0.5, 3));
    let wsd: Wsd =
        serde_json::from_str(r#"{"lr": 0.5, "warmup": 1, "stable": 2, "cooldown": 3}"#).unwrap();
    assert_eq!(wsd, Wsd::new(0.5, 1, 2, 3));
    let noam: Noam = serde_json::from_str(r#"{"d_model": 512, "warmup": 4000}"#).unwrap();
    assert_eq!(noam, Noam::paper());
    let plateau: Plateau = serde_json::from_str("{}").unwrap();
    assert_eq!(plateau, Plateau::torch());
    let warmup: Warmup<Linear> =
        serde_json::from_str(r#"{"steps": 2, "schedule": {"lr": 0.5, "steps": 3}}"#).unwrap();
    assert_eq!(warmup, Linear::new(0.5, 3).warmup(2));
}

#[test]
fn what_is_needed_and_what_is_unknown_is_an_error_that_names_it() {
    let refusal = |text| {
        serde_json::from_str::<Cosine>(text)
            .unwrap_err()
            .to_string()
    };
    assert!(refusal(r#"{"lr": 0.5}"#).contains("missing field `steps`"));
    assert!(refusal(r#"{"lr": 0.5, "steps": 3, "stpes": 3}"#).contains("unknown field `stpes`"));
    assert!(refusal(r#"{"lr": 0.5, "steps": 3, "after_end": "fall"}"#).contains("rise_again"));
}
