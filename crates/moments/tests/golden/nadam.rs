use crate::harness::{self, Outcome, Run};
use moments::{MomentumSchedule, NAdam};

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = match run.option("preset") {
        "torch" => NAdam::torch(),
        "optax" => NAdam::optax(),
        _ => NAdam {
            lr: run.set("lr"),
            beta1: run.set("beta1"),
            beta2: run.set("beta2"),
            eps: run.set("eps"),
            eps_root: run.set_or("eps_root", 0.0),
            momentum: match run.option("momentum") {
                "warming" => MomentumSchedule::Warming,
                "constant" => MomentumSchedule::Constant,
                other => panic!("{}: momentum `{other}`", run.name),
            },
            momentum_decay: run.set("momentum_decay"),
            weight_decay: run.set("weight_decay"),
            decoupled_weight_decay: run.option("decoupled") == "true",
        },
    };
    harness::follow(rule, run)
}
