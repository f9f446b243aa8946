use crate::harness::{self, Outcome, Run};
use moments::{AdaGrad, EpsSide};

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = AdaGrad {
        lr: run.set("lr"),
        lr_decay: run.set_or("lr_decay", 0.0),
        initial_accumulator: run.set_or("initial_accumulator", 0.0),
        eps: run.set("eps"),
        eps_at: match run.option("eps_at") {
            "" => EpsSide::Outside,
            "inside" => EpsSide::Inside,
            other => panic!("{}: eps_at `{other}`", run.name),
        },
        weight_decay: run.set_or("weight_decay", 0.0),
    };
    if run.is_f32() {
        return harness::follow_f32(rule, run);
    }
    harness::follow(rule, run)
}
