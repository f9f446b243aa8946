use crate::adam::bias_correction;
use crate::harness::{self, Outcome, Run};
use moments::{AmsGrad, VMax};

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = match run.option("preset") {
        "torch" => AmsGrad::torch(),
        "optax" => AmsGrad::optax(),
        _ => AmsGrad {
            lr: run.set("lr"),
            beta1: run.set("beta1"),
            beta2: run.set("beta2"),
            eps: run.set("eps"),
            eps_root: run.set_or("eps_root", 0.0),
            v_max: match run.option("v_max") {
                "paper" => VMax::Paper,
                "torch" => VMax::Torch,
                "optax" => VMax::Optax,
                other => panic!("{}: v_max `{other}`", run.name),
            },
            bias_correction: bias_correction(run),
            weight_decay: run.set("weight_decay"),
            decoupled_weight_decay: run.option("decoupled") == "true",
        },
    };
    harness::follow(rule, run)
}
