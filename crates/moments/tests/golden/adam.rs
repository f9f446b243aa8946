use crate::harness::{self, Outcome, Run};
use moments::{Adam, BiasCorrection, EpsAt};

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = match run.option("preset") {
        "torch" => Adam::torch(),
        "optax" => Adam::optax(),
        _ => Adam {
            lr: run.set("lr"),
            beta1: run.set("beta1"),
            beta2: run.set("beta2"),
            eps: run.set("eps"),
            eps_root: run.set_or("eps_root", 0.0),
            eps_at: match run.option("eps_at") {
                "" => EpsAt::Corrected,
                "uncorrected" => EpsAt::Uncorrected,
                other => panic!("{}: eps_at `{other}`", run.name),
            },
            bias_correction: bias_correction(run),
            weight_decay: run.set("weight_decay"),
        },
    };
    harness::follow(rule, run)
}

pub(crate) fn bias_correction(run: &Run) -> BiasCorrection {
    match run.option("bias_correction") {
        "" | "both" => BiasCorrection::Both,
        "first" => BiasCorrection::First,
        "second" => BiasCorrection::Second,
        "neither" => BiasCorrection::Neither,
        other => panic!("{}: bias_correction `{other}`", run.name),
    }
}
