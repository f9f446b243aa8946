use crate::harness::{self, Outcome, Run};
use moments::AdaHessian;

pub(crate) fn follow(run: &Run) -> Outcome {
    let rule = AdaHessian {
        lr: run.set("lr"),
        beta1: run.set("beta1"),
        beta2: run.set("beta2"),
        eps: run.set("eps"),
        weight_decay: run.set("weight_decay"),
        hessian_power: run.set("hessian_power"),
    };
    let every = run.set("every") as u64;
    let observe = |opt: &mut moments::Optimizer<AdaHessian>, t: u64, n: usize| {
        if (t - 1).is_multiple_of(every) {
            opt.observe_curvature(&harness::curvature(t, n)).unwrap();
        }
    };
    harness::follow_with(rule, run, observe, |_, _, _| {})
}
