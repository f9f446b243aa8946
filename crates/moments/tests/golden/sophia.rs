use crate::harness::{self, Outcome, Run};
use moments::{Numerator, Optimizer, Sophia};

/// optax takes up the curvature after the step, the paper before it.
pub(crate) fn follow(run: &Run) -> Outcome {
    let momentum = match run.option("momentum") {
        "corrected" => Numerator::Corrected,
        "uncorrected" => Numerator::Uncorrected,
        other => panic!("{}: momentum {other}", run.name),
    };
    let rule = Sophia {
        lr: run.set("lr"),
        beta1: run.set("beta1"),
        beta2: run.set("beta2"),
        gamma: run.set("gamma"),
        eps: run.set("eps"),
        clip: run.set("clip"),
        weight_decay: run.set("weight_decay"),
        momentum,
    };
    let every = run.set("every") as u64;
    let observe = |now: bool| {
        move |opt: &mut Optimizer<Sophia>, t: u64, n: usize| {
            if now && (t - 1).is_multiple_of(every) {
                opt.observe_curvature(&harness::curvature(t, n)).unwrap();
            }
        }
    };
    let optax = momentum == Numerator::Corrected;
    harness::follow_with(rule, run, observe(!optax), observe(optax))
}
