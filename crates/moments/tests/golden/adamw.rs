use crate::harness::{self, Outcome, Run};
use moments::{AdamW, Decay, DecayScale};

pub(crate) fn follow(run: &Run) -> Outcome {
    match run.option("preset") {
        "torch" => return harness::follow(AdamW::torch(), run),
        "optax" => return harness::follow(AdamW::optax(), run),
        _ => {}
    }
    let rule = AdamW {
        lr: run.set("lr"),
        beta1: run.set("beta1"),
        beta2: run.set("beta2"),
        eps: run.set("eps"),
        eps_root: run.set_or("eps_root", 0.0),
        weight_decay: run.set("weight_decay"),
        decay: match run.option("decay") {
            "before" => Decay::Before,
            "within" => Decay::Within,
            "after" => Decay::After,
            other => panic!("{}: decay `{other}`", run.name),
        },
        decay_scale: match run.option("decay_scale") {
            "" => DecayScale::Lr,
            "multiplier" => DecayScale::Multiplier {
                peak_lr: run.set("peak_lr"),
            },
            other => panic!("{}: decay_scale `{other}`", run.name),
        },
        nesterov: run.option("nesterov") == "true",
    };
    if run.option("schedule") != "falling" {
        return harness::follow(rule, run);
    }
    let falls = |t: u64| rule.lr * (1.0 - (t - 1) as f64 / 200.0);
    harness::follow_with(rule, run, |opt, t, _| opt.rule.lr = falls(t), |_, _, _| {})
}
