//! What the exercises share: recorded runs as cases, implementations that treat each parameter by itself, random gradients.

#![allow(dead_code)]

use crate::case::{Case, Frame};
use crate::exercise::Step;
use crate::golden::Golden;
use crate::random::Random;

/// The parameters after each step of a recorded run, as the frames of a case that shows `theta` alone.
pub(crate) fn thetas(golden: &Golden) -> Vec<Frame> {
    let frame = |step: &crate::golden::Recorded| vec![step.theta().to_vec()];
    golden.steps.iter().map(frame).collect()
}

/// Whether a setting that stands for yes or no is set.
pub(crate) fn flag(case: &Case, name: &str) -> bool {
    case.setting(name) != 0.0
}

/// An implementation that treats each parameter by itself and shows `theta`.
///
/// `rule` takes the hyperparameters, the step (the first is 1), the parameter, its state (at first `S::default()`) and its gradient.
pub(crate) fn each<H: Copy + 'static, S: Copy + Default + 'static>(
    case: &Case,
    hyper: H,
    rule: fn(&H, i32, &mut f64, &mut S, f64),
) -> Step {
    let mut theta = case.start.clone();
    let mut state = vec![S::default(); theta.len()];
    let mut t = 0;
    Box::new(move |grad| {
        t += 1;
        for ((theta, state), &g) in theta.iter_mut().zip(&mut state).zip(grad) {
            rule(&hyper, t, theta, state, g);
        }
        vec![theta.clone()]
    })
}

/// An implementation without memory: what is seen follows from the input.
pub(crate) fn function(answer: impl Fn(&[f64]) -> Frame + 'static) -> Step {
    Box::new(move |input| answer(input))
}

/// The gradients of `steps` steps for `len` parameters, between -1 and 1 times a scale.
pub(crate) fn gradients(
    random: &mut Random,
    steps: usize,
    len: usize,
    scale: f64,
) -> Vec<Vec<f64>> {
    (0..steps)
        .map(|_| scaled(random.vector(len, -1.0, 1.0), scale))
        .collect()
}

/// A vector times a number.
pub(crate) fn scaled(mut vector: Vec<f64>, scale: f64) -> Vec<f64> {
    for value in &mut vector {
        *value *= scale;
    }
    vector
}
