use crate::harness::{self, Outcome, Run};
use moments::{Divided, EpsAt, RAdam};

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = match run.option("preset") {
        "torch" => RAdam::torch(),
        "optax" => RAdam::optax(),
        _ => RAdam {
            lr: run.set("lr"),
            beta1: run.set("beta1"),
            beta2: run.set("beta2"),
            eps: run.set("eps"),
            eps_root: run.set_or("eps_root", 0.0),
            eps_at: match run.option("eps_at") {
                "corrected" => EpsAt::Corrected,
                "uncorrected" => EpsAt::Uncorrected,
                other => panic!("{}: eps_at `{other}`", run.name),
            },
            threshold: run.set_or("threshold", 5.0),
            divided: match run.option("divided") {
                "above" => Divided::Above,
                "at_least" => Divided::AtLeast,
                other => panic!("{}: divided `{other}`", run.name),
            },
            nesterov: run.option("nesterov") == "true",
            weight_decay: run.set("weight_decay"),
            decoupled_weight_decay: run.option("decoupled") == "true",
        },
    };
    harness::follow(rule, run)
}
