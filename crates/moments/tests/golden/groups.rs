//! Two groups of tensors, clipped in every way.

use crate::harness::{Outcome, Run, follow_steps};
use moments::{AdamW, Clip, Decay, Groups, NormForm, Param, Rule, Sgd};

/// The tensors that the numbers of a run are cut into, as in `tools/golden/groups.py`.
const MODEL: [(&str, &[usize]); 4] = [
    ("embed.weight", &[21, 24]),
    ("layer.weight", &[16, 30]),
    ("layer.bias", &[30]),
    ("norm.scale", &[9]),
];

pub(crate) fn follow(run: &Run) -> Outcome {
    let prefixed = |prefix: &str, name: &str| run.set(&format!("{prefix}{name}"));
    if run.option("rule") == "sgd" {
        return follow_groups(run, |prefix| Sgd {
            lr: prefixed(prefix, "lr"),
            weight_decay: prefixed(prefix, "weight_decay"),
            momentum: run.set("momentum"),
            ..Sgd::default()
        });
    }
    follow_groups(run, |prefix| AdamW {
        lr: prefixed(prefix, "lr"),
        weight_decay: prefixed(prefix, "weight_decay"),
        beta1: run.set("beta1"),
        beta2: run.set("beta2"),
        eps: run.set("eps"),
        decay: match run.option("decay") {
            "within" => Decay::Within,
            _ => Decay::Before,
        },
        ..AdamW::default()
    })
}

fn follow_groups<R: Rule>(run: &Run, rule: impl Fn(&str) -> R) -> Outcome {
    let (matrices, vectors) = (rule(""), rule("vectors_"));
    let mut opt = Groups::new()
        .group("matrices", matrices, |p| p.shape.len() >= 2)
        .group("vectors", vectors, |p| p.shape.len() < 2);
    opt.clip = match run.option("clip") {
        "" => None,
        "value" => Some(Clip::Value {
            limit: run.set("limit"),
        }),
        "torch_norm" => Some(Clip::Norm {
            max: run.set("max"),
            form: NormForm::Torch,
        }),
        "torch_global_norm" => Some(Clip::torch_norm(run.set("max"))),
        "optax_global_norm" => Some(Clip::optax_norm(run.set("max"))),
        other => panic!("{}: no clipping `{other}`", run.name),
    };
    opt.group_mut("vectors").unwrap().lr_multiple = vectors.lr() / matrices.lr();

    follow_steps(run, |t, theta, grad| {
        if run.option("schedule") == "falling" {
            opt.set_lr(matrices.lr() * (1.0 - (t - 1) as f64 / 200.0));
        }
        let is_frozen = |name: &str| {
            let matrix = match name {
                "layer.weight" => t < 20,
                "embed.weight" => (40..50).contains(&t),
                _ => false,
            };
            matrix && run.option("frozen") == "yes"
        };
        let (mut theta, mut grad) = (theta, grad);
        let mut tensors = Vec::new();
        for (name, shape) in MODEL {
            let n = shape.iter().product();
            let (here, rest) = theta.split_at_mut(n);
            let (grad_here, grad_rest) = grad.split_at(n);
            (theta, grad) = (rest, grad_rest);
            let here = ndarray::ArrayViewMutD::from_shape(shape, here).unwrap();
            let grad_here = ndarray::ArrayViewD::from_shape(shape, grad_here).unwrap();
            tensors.push((name, here, grad_here));
        }
        // In another order at each step.
        tensors.rotate_left(t as usize % MODEL.len());
        let params = tensors.iter_mut().map(|(name, theta, grad)| {
            if is_frozen(name) {
                Param::frozen(name, theta)
            } else {
                Param::new(name, theta, grad)
            }
        });
        opt.step(&mut params.collect::<Vec<_>>()).unwrap();
    })
}
