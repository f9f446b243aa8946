use crate::harness::{self, Outcome, Run};
use moments::{Adafactor, Factoring};

pub(crate) fn follow(run: &Run) -> Outcome {
    let form = match run.option("form") {
        "torch" => Adafactor::torch(),
        "optax" => Adafactor::optax(),
        "optax_unfactored" => Adafactor {
            factoring: Factoring::Off,
            ..Adafactor::optax()
        },
        "paper" => Adafactor::paper(),
        other => panic!("{}: form {other}", run.name),
    };
    let eps = run.set("eps");
    let rule = Adafactor {
        lr: run.set("lr"),
        beta1: run.set("beta1"),
        decay_exponent: run.set("decay_exponent"),
        decay_offset: run.set("decay_offset"),
        eps: (!eps.is_nan()).then_some(eps),
        eps_scale: run.set("eps_scale"),
        clip: run.set("clip"),
        multiply_by_parameter_scale: run.set("multiply_by_parameter_scale") != 0.0,
        min_dim_size_to_factor: run.set("min_dim_size_to_factor") as usize,
        weight_decay: run.set("weight_decay"),
        ..form
    };
    harness::follow(rule, run)
}
