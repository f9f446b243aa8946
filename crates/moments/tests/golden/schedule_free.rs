use crate::harness::{self, Outcome, Run};
use moments::{DecayAt, Rule, ScheduleFreeAdamW, ScheduleFreeForm, ScheduleFreeSgd};

pub(crate) fn follow(run: &Run) -> Outcome {
    let form = match run.option("form") {
        "authors" => ScheduleFreeForm::Authors,
        "optax" => ScheduleFreeForm::Optax,
        "paper" => ScheduleFreeForm::Paper,
        other => panic!("{}: form {other}", run.name),
    };
    let decay_at = match run.option("decay_at") {
        "y" => DecayAt::Y,
        "z" => DecayAt::Z,
        other => panic!("{}: decay at {other}", run.name),
    };
    match run.option("rule") {
        "adamw" => follow_rule(
            ScheduleFreeAdamW {
                lr: run.set("lr"),
                beta1: run.set("beta1"),
                beta2: run.set("beta2"),
                eps: run.set("eps"),
                weight_decay: run.set("weight_decay"),
                warmup_steps: run.set("warmup_steps") as u64,
                r: run.set("r"),
                weight_lr_power: run.set("weight_lr_power"),
                decay_at,
                form,
            },
            run,
        ),
        "sgd" => follow_rule(
            ScheduleFreeSgd {
                lr: run.set("lr"),
                beta1: run.set("beta1"),
                weight_decay: run.set("weight_decay"),
                warmup_steps: run.set("warmup_steps") as u64,
                r: run.set("r"),
                weight_lr_power: run.set("weight_lr_power"),
                form,
            },
            run,
        ),
        other => panic!("{}: rule {other}", run.name),
    }
}

fn follow_rule<R: Rule>(rule: R, run: &Run) -> Outcome {
    harness::follow(rule, run)
}
