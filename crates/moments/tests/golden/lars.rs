use crate::harness::{self, Outcome, Run};
use moments::{Lars, LarsLr, LarsNorms};

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = Lars {
        lr: run.set("lr"),
        momentum: run.set("momentum"),
        nesterov: run.option("nesterov") == "true",
        weight_decay: run.set("weight_decay"),
        trust_coefficient: run.set("trust_coefficient"),
        eps: run.set_or("eps", 0.0),
        norms: match run.option("norms") {
            "" => LarsNorms::OfSum,
            "sum" => LarsNorms::Sum,
            other => panic!("{}: norms `{other}`", run.name),
        },
        lr_at: match run.option("lr_at") {
            "" => LarsLr::Inside,
            "outside" => LarsLr::Outside,
            other => panic!("{}: lr_at `{other}`", run.name),
        },
    };
    if run.option("schedule") != "falling" {
        return harness::follow(rule, run);
    }
    let falls = |t: u64| rule.lr * (1.0 - (t - 1) as f64 / 200.0);
    harness::follow_with(rule, run, |opt, t, _| opt.rule.lr = falls(t), |_, _, _| {})
}
