use crate::harness::{self, Outcome, Run};
use moments::{DecayScale, LrAt, Momentum, Sgd, SgdDecay};

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = Sgd {
        lr: run.set("lr"),
        momentum: run.set_or("momentum", 0.0),
        convention: match run.option("convention") {
            "" => Momentum::HeavyBall,
            "ema" => Momentum::Ema,
            other => panic!("{}: convention `{other}`", run.name),
        },
        dampening: run.set_or("dampening", 0.0),
        nesterov: run.option("nesterov") == "true",
        lr_at: match run.option("lr_at") {
            "" => LrAt::Outside,
            "inside" => LrAt::Inside,
            other => panic!("{}: lr_at `{other}`", run.name),
        },
        weight_decay: run.set_or("weight_decay", 0.0),
        decay: match run.option("decay") {
            "" => SgdDecay::Coupled,
            "decoupled" => SgdDecay::Decoupled,
            other => panic!("{}: decay `{other}`", run.name),
        },
        decay_scale: match run.option("decay_scale") {
            "" => DecayScale::Lr,
            "multiplier" => DecayScale::Multiplier {
                peak_lr: run.set("peak_lr"),
            },
            other => panic!("{}: decay_scale `{other}`", run.name),
        },
    };
    if run.is_f32() {
        return harness::follow_f32(rule, run);
    }
    if run.option("schedule") != "falling" {
        return harness::follow(rule, run);
    }
    let falls = |t: u64| rule.lr * (1.0 - (t - 1) as f64 / 200.0);
    harness::follow_with(rule, run, |opt, t, _| opt.rule.lr = falls(t), |_, _, _| {})
}
