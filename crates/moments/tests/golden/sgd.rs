use crate::harness::{self, Outcome, Run};
use moments::{Momentum, Sgd, SgdDecay};

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
        weight_decay: run.set_or("weight_decay", 0.0),
        decay: match run.option("decay") {
            "" => SgdDecay::Coupled,
            "decoupled" => SgdDecay::Decoupled,
            other => panic!("{}: decay `{other}`", run.name),
        },
    };
    if run.is_f32() {
        return harness::follow_f32(rule, run);
    }
    harness::follow(rule, run)
}
