use crate::harness::{self, Outcome, Run};
use moments::{DiffGrad, EpsAt};

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = DiffGrad {
        lr: run.set("lr"),
        beta1: run.set("beta1"),
        beta2: run.set("beta2"),
        eps: run.set("eps"),
        eps_at: match run.option("eps_at") {
            "corrected" => EpsAt::Corrected,
            "uncorrected" => EpsAt::Uncorrected,
            other => panic!("{}: eps_at `{other}`", run.name),
        },
        weight_decay: run.set("weight_decay"),
    };
    harness::follow(rule, run)
}
