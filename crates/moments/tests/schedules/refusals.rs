//! Bad settings are errors that name the schedule and the field.

use moments::schedule::{
    Between, Clamped, Constant, Cosine, CosineRestarts, Cyclic, Exponential, Fires, Height,
    InverseSqrt, InverseSqrtForm, Linear, MultiStep, Noam, OneCycle, Phases, Piecewise, Plateau,
    Polynomial, Refined, Schedule, Sequence, StepDecay, Warmup, WarmupStart, Wsd,
};

const NEGATIVE: [f64; 4] = [-1e-300, -1.0, f64::NAN, f64::INFINITY];
const NOT_POSITIVE: [f64; 5] = [0.0, -1e-300, -1.0, f64::NAN, f64::INFINITY];
const NOT_A_SHARE: [f64; 4] = [-1e-9, 1.0 + 1e-9, f64::NAN, f64::INFINITY];
const NOT_A_DECAY_RATE: [f64; 4] = [-1e-9, 1.0, f64::NAN, f64::INFINITY];

/// Each of the values, put into the setting, is refused with a text that names schedule, field and value.
fn assert_refused<S: Schedule>(field: &str, values: &[f64], with: impl Fn(f64) -> S) {
    for &value in values {
        let error = with(value).validate().unwrap_err().to_string();
        let name = std::any::type_name::<S>().split('<').next().unwrap();
        let name = name.rsplit("::").next().unwrap();
        assert!(
            error.starts_with(&format!("{name}: `{field}` is {value}, but must be ")),
            "{error}"
        );
    }
}

#[test]
fn decays() {
    let step = StepDecay {
        lr: 0.1,
        gamma: 0.1,
        every: 3,
    };
    assert_refused("lr", &NEGATIVE, |lr| Constant { lr });
    assert_refused("lr", &NEGATIVE, |lr| StepDecay { lr, ..step });
    assert_refused("gamma", &NOT_POSITIVE, |gamma| StepDecay { gamma, ..step });
    assert_refused("every", &[0.0], |_| StepDecay { every: 0, ..step });
    let multi = MultiStep {
        lr: 0.1,
        gamma: 0.1,
        milestones: vec![3, 3, 9],
    };
    multi.validate().unwrap();
    assert_refused("lr", &NEGATIVE, |lr| MultiStep {
        lr,
        ..multi.clone()
    });
    assert_refused("gamma", &NOT_POSITIVE, |gamma| MultiStep {
        gamma,
        ..multi.clone()
    });
    assert_refused("milestones", &[2.0], |_| MultiStep {
        milestones: vec![3, 2, 9],
        ..multi.clone()
    });
    let smooth = Exponential {
        lr: 0.1,
        gamma: 0.1,
        every: 3,
    };
    assert_refused("lr", &NEGATIVE, |lr| Exponential { lr, ..smooth });
    assert_refused("gamma", &NOT_POSITIVE, |gamma| Exponential {
        gamma,
        ..smooth
    });
    assert_refused("every", &[0.0], |_| Exponential { every: 0, ..smooth });
    let linear = Linear::new(0.1, 3);
    assert_refused("lr", &NEGATIVE, |lr| Linear { lr, ..linear });
    assert_refused("end", &NEGATIVE, |end| Linear { end, ..linear });
    assert_refused("steps", &[0.0], |_| Linear { steps: 0, ..linear });
    let polynomial = Polynomial::new(0.1, 2.0, 3);
    assert_refused("lr", &NEGATIVE, |lr| Polynomial { lr, ..polynomial });
    assert_refused("end", &NEGATIVE, |end| Polynomial { end, ..polynomial });
    assert_refused("power", &NOT_POSITIVE, |power| Polynomial {
        power,
        ..polynomial
    });
    assert_refused("steps", &[0.0], |_| Polynomial {
        steps: 0,
        ..polynomial
    });
}

#[test]
fn cosines_and_roots() {
    let cosine = Cosine::new(0.1, 3);
    assert_refused("lr", &NEGATIVE, |lr| Cosine { lr, ..cosine });
    assert_refused("end", &NEGATIVE, |end| Cosine { end, ..cosine });
    assert_refused("steps", &[0.0], |_| Cosine { steps: 0, ..cosine });
    assert_refused("exponent", &NOT_POSITIVE, |exponent| Cosine {
        exponent,
        ..cosine
    });
    let restarts = CosineRestarts::new(0.1, 3);
    assert_refused("lr", &NEGATIVE, |lr| CosineRestarts { lr, ..restarts });
    assert_refused("end", &NEGATIVE, |end| CosineRestarts { end, ..restarts });
    assert_refused("first", &[0.0], |_| CosineRestarts {
        first: 0,
        ..restarts
    });
    assert_refused("mult", &[0.0], |_| CosineRestarts {
        mult: 0,
        ..restarts
    });
    let root = InverseSqrt {
        lr: 0.1,
        timescale: 3,
        form: InverseSqrtForm::Flat,
    };
    assert_refused("lr", &NEGATIVE, |lr| InverseSqrt { lr, ..root });
    assert_refused("timescale", &[0.0], |_| InverseSqrt {
        timescale: 0,
        ..root
    });
    assert_refused("d_model", &[0.0], |_| Noam {
        d_model: 0,
        ..Noam::paper()
    });
    assert_refused("warmup", &[0.0], |_| Noam {
        warmup: 0,
        ..Noam::paper()
    });
    assert_refused("factor", &NOT_POSITIVE, |factor| Noam {
        factor,
        ..Noam::paper()
    });
}

#[test]
fn warmups() {
    let warmup = Constant { lr: 0.1 }.warmup(3);
    let factor = |factor| WarmupStart::Factor(factor);
    assert_refused("steps", &[0.0], |_| Warmup { steps: 0, ..warmup });
    assert_refused("start", &NEGATIVE, |f| Warmup {
        start: factor(f),
        ..warmup
    });
    let wsd = Wsd::new(0.1, 0, 0, 3);
    wsd.validate().unwrap();
    assert_refused("lr", &NEGATIVE, |lr| Wsd { lr, ..wsd });
    assert_refused("end", &NEGATIVE, |end| Wsd { end, ..wsd });
    assert_refused("start", &NEGATIVE, |f| Wsd {
        start: factor(f),
        ..wsd
    });
    assert_refused("cooldown", &[0.0], |_| Wsd { cooldown: 0, ..wsd });
}

#[test]
fn cycles() {
    let cycle = OneCycle::torch(0.1, 30);
    assert_refused("peak", &NEGATIVE, |peak| OneCycle { peak, ..cycle });
    assert_refused("steps", &[0.0], |_| OneCycle { steps: 0, ..cycle });
    assert_refused("pct_start", &NOT_A_SHARE, |pct_start| OneCycle {
        pct_start,
        ..cycle
    });
    assert_refused("pct_final", &NOT_A_SHARE, |pct_final| OneCycle {
        pct_final,
        ..cycle
    });
    assert_refused("div_factor", &NOT_POSITIVE, |div_factor| OneCycle {
        div_factor,
        ..cycle
    });
    assert_refused("final_div_factor", &NOT_POSITIVE, |f| OneCycle {
        final_div_factor: f,
        ..cycle
    });
    assert_refused("base_momentum", &NOT_A_DECAY_RATE, |m| OneCycle {
        base_momentum: m,
        ..cycle
    });
    assert_refused("max_momentum", &NOT_A_DECAY_RATE, |m| OneCycle {
        max_momentum: m,
        ..cycle
    });
    // The second corner may be the first, but not before it; with two phases there is none.
    let early = OneCycle {
        pct_final: 0.2,
        ..cycle
    };
    early.validate().unwrap();
    assert_refused("pct_final", &[0.2], |_| OneCycle {
        phases: Phases::Three,
        ..early
    });
    OneCycle {
        phases: Phases::Three,
        pct_final: 0.3,
        ..cycle
    }
    .validate()
    .unwrap();
    for share in [0.0, 1.0] {
        OneCycle {
            pct_start: share,
            ..cycle
        }
        .validate()
        .unwrap();
    }

    let cyclic = Cyclic::torch(0.1, 1.0);
    assert_refused("base", &NEGATIVE, |base| Cyclic { base, ..cyclic });
    assert_refused("peak", &NEGATIVE, |peak| Cyclic { peak, ..cyclic });
    assert_refused("up", &[0.0], |_| Cyclic { up: 0, ..cyclic });
    assert_refused("down", &[0.0], |_| Cyclic { down: 0, ..cyclic });
    assert_refused("height", &NOT_A_SHARE, |gamma| Cyclic {
        height: Height::Decays(gamma),
        ..cyclic
    });
    assert_refused("base_momentum", &NOT_A_DECAY_RATE, |m| Cyclic {
        base_momentum: m,
        ..cyclic
    });
    assert_refused("max_momentum", &NOT_A_DECAY_RATE, |m| Cyclic {
        max_momentum: m,
        ..cyclic
    });
}

#[test]
fn lists() {
    let points = |points| Piecewise {
        points,
        between: Between::Linear,
    };
    assert_refused("points", &[0.0], |_| points(vec![]));
    assert_refused("points", &[3.0], |_| points(vec![(4, 1.0), (3, 1.0)]));
    assert_refused("points", &NEGATIVE, |lr| points(vec![(4, 1.0), (4, lr)]));
    let refined = Refined {
        lr: 0.1,
        factors: vec![1.0, 0.0],
    };
    refined.validate().unwrap();
    assert_refused("lr", &NEGATIVE, |lr| Refined {
        lr,
        ..refined.clone()
    });
    assert_refused("factors", &[0.0], |_| Refined {
        factors: vec![],
        ..refined.clone()
    });
    assert_refused("factors", &NOT_A_SHARE, |f| Refined {
        factors: vec![1.0, f],
        ..refined.clone()
    });
    let parts = |n| vec![Constant { lr: 0.1 }; n];
    assert_refused("milestones", &[1.0], |_| Sequence {
        parts: parts(1),
        milestones: vec![3],
    });
    assert_refused("milestones", &[1.0], |_| Sequence {
        parts: parts(3),
        milestones: vec![3],
    });
    assert_refused("milestones", &[0.0], |_| Sequence {
        parts: parts(0),
        milestones: vec![],
    });
    assert_refused("milestones", &[2.0], |_| Sequence {
        parts: parts(3),
        milestones: vec![3, 2],
    });
    Sequence {
        parts: parts(1),
        milestones: vec![],
    }
    .validate()
    .unwrap();
}

#[test]
fn compositions_refuse_for_themselves_and_for_their_parts() {
    let (good, bad) = (Constant { lr: 0.1 }, Constant { lr: -1.0 });
    assert_refused("factor", &NEGATIVE, |factor| good.scaled(factor));
    assert_refused("min", &NEGATIVE, |min| good.at_least(min));
    assert_refused("max", &NEGATIVE, |max| good.at_most(max));
    assert_refused("max", &[0.5], |_| Clamped {
        min: 0.6,
        max: 0.5,
        schedule: good,
    });
    Clamped {
        min: 0.5,
        max: 0.5,
        schedule: good,
    }
    .validate()
    .unwrap();
    let inner: [Box<dyn Schedule>; 7] = [
        bad.scaled(1.0).boxed(),
        bad.times(good).boxed(),
        good.times(bad).boxed(),
        bad.delayed(1).boxed(),
        bad.at_least(0.0).boxed(),
        bad.warmup(3).boxed(),
        Sequence {
            parts: vec![good, bad],
            milestones: vec![1],
        }
        .boxed(),
    ];
    for schedule in inner {
        let error = schedule.validate().unwrap_err().to_string();
        assert_eq!(
            error, "Constant: `lr` is -1, but must be finite and at least 0",
            "{schedule}"
        );
    }
}

#[test]
fn plateaus() {
    fn assert_refused(field: &str, values: &[f64], with: impl Fn(f64) -> Plateau) {
        for &value in values {
            let error = with(value).validate().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("Plateau: `{field}` is {value}, but must be ")),
                "{error}"
            );
        }
    }
    let torch = Plateau::torch();
    assert_refused("factor", &[0.0, 1.0, -0.5, 2.0, f64::NAN], |factor| {
        Plateau { factor, ..torch }
    });
    assert_refused("rtol", &NOT_A_SHARE, |rtol| Plateau { rtol, ..torch });
    assert_refused("atol", &NEGATIVE, |atol| Plateau { atol, ..torch });
    assert_refused("min_lr", &NEGATIVE, |min_lr| Plateau { min_lr, ..torch });
    assert_refused("eps", &NEGATIVE, |eps| Plateau { eps, ..torch });
    assert_refused("average_over", &[0.0], |_| Plateau {
        average_over: 0,
        ..torch
    });
    assert_refused("patience", &[0.0], |_| Plateau {
        patience: 0,
        fires: Fires::At,
        ..torch
    });
    Plateau {
        patience: 0,
        ..torch
    }
    .validate()
    .unwrap();
    Plateau::optax().validate().unwrap();
}

#[test]
fn a_step_refuses_a_learning_rate_that_means_nothing() {
    let mut opt = moments::Optimizer::new(moments::Sgd::default());
    let empty = Refined {
        lr: 1.0,
        factors: vec![],
    };
    opt.rule.lr = empty.at(opt.t());
    let error = opt.step(&mut [1.0], &[1.0]).unwrap_err().to_string();
    assert!(error.contains("`lr` is NaN"), "{error}");
    assert_eq!(opt.t(), 0);
}
