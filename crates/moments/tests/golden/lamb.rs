use crate::harness::{self, Outcome, Run};
use moments::Lamb;

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = match run.option("preset") {
        "optax" => Lamb::optax(),
        _ => Lamb {
            lr: run.set("lr"),
            beta1: run.set("beta1"),
            beta2: run.set("beta2"),
            eps: run.set("eps"),
            eps_root: run.set_or("eps_root", 0.0),
            weight_decay: run.set("weight_decay"),
        },
    };
    harness::follow(rule, run)
}
