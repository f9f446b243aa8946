//! burn-optim on burn's Flex backend: the rules themselves, without the walk over a module that a training loop adds.

use crate::serve::{Case, Subject, gradient, start};
use burn_core::tensor::{DType, Device, Tensor, TensorData};
use burn_optim::momentum::MomentumConfig;
use burn_optim::{AdaGradConfig, AdamWConfig, LionConfig, Optimizer, SgdConfig};

struct Burn<O: Optimizer> {
    rule: O,
    lr: f64,
    tensors: Vec<Entry<O>>,
}

struct Entry<O: Optimizer> {
    /// Taken out during a step, so that burn is the only owner and can write in place.
    theta: Option<Tensor<1>>,
    grad: Tensor<1>,
    state: Option<O::State<1>>,
}

pub fn prepare(case: &Case) -> Option<Box<dyn Subject>> {
    Some(match case.rule.as_str() {
        "adamw" => {
            let config = AdamWConfig::new()
                .with_beta_1(0.9)
                .with_beta_2(0.999)
                .with_epsilon(1e-8)
                .with_weight_decay(1e-2);
            boxed(config.build(), 1e-3, case)
        }
        "momentum" => {
            let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
            let config = SgdConfig::new().with_momentum(Some(momentum));
            boxed(config.build(), 1e-3, case)
        }
        "sgd" => boxed(SgdConfig::new().build(), 1e-3, case),
        "adagrad" => boxed(AdaGradConfig::new().with_epsilon(1e-10).build(), 1e-2, case),
        "lion" => boxed(LionConfig::new().build(), 1e-4, case),
        _ => return None,
    })
}

fn boxed<O: Optimizer>(rule: O, lr: f64, case: &Case) -> Box<dyn Subject> {
    let device = Device::flex();
    let dtype = if case.double { DType::F64 } else { DType::F32 };
    let tensor = |len: usize, of: fn(usize) -> f64| {
        let data = if case.double {
            TensorData::new((0..len).map(of).collect::<Vec<f64>>(), [len])
        } else {
            let values = (0..len).map(|i| of(i) as f32).collect::<Vec<f32>>();
            TensorData::new(values, [len])
        };
        Tensor::<1>::from_data(data, (&device, dtype))
    };
    let tensors = case.lengths.iter().map(|&len| Entry {
        theta: Some(tensor(len, start)),
        grad: tensor(len, gradient),
        state: None,
    });
    Box::new(Burn {
        rule,
        lr,
        tensors: tensors.collect(),
    })
}

impl<O: Optimizer> Subject for Burn<O> {
    fn steps(&mut self, count: usize) {
        for _ in 0..count {
            for Entry { theta, grad, state } in &mut self.tensors {
                let before = theta.take().expect("it is put back after every step");
                let (after, kept) = self.rule.step(self.lr, before, grad.clone(), state.take());
                *theta = Some(after);
                *state = kept;
            }
        }
    }

    fn theta(&self, tensor: usize) -> Vec<f64> {
        let theta = self.tensors[tensor].theta.as_ref().expect("a tensor");
        theta.to_data().iter::<f64>().collect()
    }
}
