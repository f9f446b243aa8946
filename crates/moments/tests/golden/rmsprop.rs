use crate::harness::{self, Outcome, Run};
use moments::{EpsSide, LrAt, RmsProp};

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = RmsProp {
        lr: run.set("lr"),
        alpha: run.set("alpha"),
        eps: run.set("eps"),
        eps_at: match run.option("eps_at") {
            "" => EpsSide::Outside,
            "inside" => EpsSide::Inside,
            other => panic!("{}: eps_at `{other}`", run.name),
        },
        centered: run.option("centered") == "true",
        bias_correction: run.option("bias_correction") == "true",
        initial_square: run.set_or("initial_square", 0.0),
        momentum: run.set_or("momentum", 0.0),
        nesterov: run.option("nesterov") == "true",
        lr_at: match run.option("lr_at") {
            "" => LrAt::Outside,
            "inside" => LrAt::Inside,
            other => panic!("{}: lr_at `{other}`", run.name),
        },
        weight_decay: run.set_or("weight_decay", 0.0),
    };
    if run.is_f32() {
        return harness::follow_f32(rule, run);
    }
    if run.option("schedule") != "falling" {
        return harness::follow(rule, run);
    }
    let falls = |t: u64| rule.lr * (1.0 - (t - 1) as f64 / 200.0);
    harness::follow_with(rule, run, |opt, t, _| opt.rule.lr = falls(t), |_, _, _| {})
}
