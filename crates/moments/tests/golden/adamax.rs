use crate::harness::{self, Outcome, Run};
use moments::Adamax;

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = match run.option("preset") {
        "torch" => Adamax::torch(),
        "optax" => Adamax::optax(),
        _ => Adamax {
            lr: run.set("lr"),
            beta1: run.set("beta1"),
            beta2: run.set("beta2"),
            eps: run.set("eps"),
            weight_decay: run.set("weight_decay"),
            decoupled_weight_decay: run.option("decoupled") == "true",
        },
    };
    harness::follow(rule, run)
}
