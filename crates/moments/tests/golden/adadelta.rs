use crate::harness::{self, Outcome, Run};
use moments::AdaDelta;

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = AdaDelta {
        lr: run.set("lr"),
        rho: run.set("rho"),
        eps: run.set("eps"),
        weight_decay: run.set_or("weight_decay", 0.0),
    };
    if run.is_f32() {
        return harness::follow_f32(rule, run);
    }
    harness::follow(rule, run)
}
