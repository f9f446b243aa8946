use crate::harness::{self, Outcome, Run};
use moments::{Lion, LionMode};

pub(crate) fn follow(run: &Run) -> Outcome {
    if run.option("preset") == "optax" {
        return harness::follow(Lion::optax(), run);
    }
    let rule = Lion {
        lr: run.set("lr"),
        beta1: run.set("beta1"),
        beta2: run.set("beta2"),
        weight_decay: run.set("weight_decay"),
        mode: match run.option("mode") {
            "hard" => LionMode::Hard,
            "smooth" => LionMode::Smooth,
            "refined" => LionMode::Refined,
            other => panic!("{}: mode `{other}`", run.name),
        },
        smooth_beta: run.set_or("smooth_beta", 1.0),
    };
    harness::follow(rule, run)
}
