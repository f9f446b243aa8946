use crate::harness::{self, Outcome, Run};
use moments::{Lars, LarsNorms, LrAt};

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = Lars {
        lr: run.set("lr"),
        momentum: run.set("momentum"),
        dampening: run.set_or("dampening", 0.0),
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
            "" => LrAt::Inside,
            "outside" => LrAt::Outside,
            other => panic!("{}: lr_at `{other}`", run.name),
        },
        trust_clip: run.option("trust_clip") == "true",
        always_adapt: run.option("always_adapt") != "false",
    };
    if run.option("schedule") != "falling" {
        return harness::follow(rule, run);
    }
    let falls = |t: u64| rule.lr * (1.0 - (t - 1) as f64 / 200.0);
    harness::follow_with(rule, run, |opt, t, _| opt.rule.lr = falls(t), |_, _, _| {})
}
