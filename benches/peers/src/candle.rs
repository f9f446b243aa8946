//! candle-nn has AdamW, and SGD without momentum.

use crate::serve::{Case, Subject, gradient, start};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, SGD};

struct Candle<O> {
    vars: Vec<Var>,
    grads: GradStore,
    optimizer: O,
}

pub fn prepare(case: &Case) -> Option<Box<dyn Subject>> {
    let dtype = if case.double { DType::F64 } else { DType::F32 };
    let tensor = |len: usize, of: fn(usize) -> f64| {
        let values: Vec<f64> = (0..len).map(of).collect();
        Tensor::from_vec(values, len, &Device::Cpu)?.to_dtype(dtype)
    };
    let mut grads = GradStore::default();
    let vars: candle_core::Result<Vec<Var>> = case
        .lengths
        .iter()
        .map(|&len| {
            let var = Var::from_tensor(&tensor(len, start)?)?;
            grads.insert(&var, tensor(len, gradient)?);
            Ok(var)
        })
        .collect();
    let vars = vars.expect("tensors on the CPU can be made");
    match case.rule.as_str() {
        "adamw" => {
            let settings = ParamsAdamW {
                lr: 1e-3,
                beta1: 0.9,
                beta2: 0.999,
                eps: 1e-8,
                weight_decay: 1e-2,
            };
            Some(boxed(AdamW::new(vars.clone(), settings), vars, grads))
        }
        "sgd" => Some(boxed(SGD::new(vars.clone(), 1e-3), vars, grads)),
        _ => None,
    }
}

fn boxed<O: Optimizer + 'static>(
    optimizer: candle_core::Result<O>,
    vars: Vec<Var>,
    grads: GradStore,
) -> Box<dyn Subject> {
    Box::new(Candle {
        vars,
        grads,
        optimizer: optimizer.expect("the state can be made"),
    })
}

impl<O: Optimizer> Subject for Candle<O> {
    fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.optimizer.step(&self.grads).expect("a step");
        }
    }

    fn theta(&self, tensor: usize) -> Vec<f64> {
        let values = self.vars[tensor].to_dtype(DType::F64);
        values.and_then(|values| values.to_vec1()).expect("values")
    }
}
