//! What the tests of the rules share.

use moments::{Error, Optimizer, Rule};
use moments_checks::Random;

/// Gradients in (-1, 1) for `steps` steps of `n` parameters.
pub(crate) fn gradients(seed: u64, steps: usize, n: usize) -> Vec<Vec<f64>> {
    let mut random = Random::new(seed);
    (0..steps).map(|_| random.vector(n, -1.0, 1.0)).collect()
}

/// The parameters after each step from `start`.
pub(crate) fn trajectory_from<R: Rule>(
    rule: R,
    start: &[f64],
    grads: &[Vec<f64>],
) -> Vec<Vec<f64>> {
    let mut theta = start.to_vec();
    let mut opt = Optimizer::new(rule);
    grads
        .iter()
        .map(|g| {
            opt.step(&mut theta, g).unwrap();
            theta.clone()
        })
        .collect()
}

/// The parameters after each step from zero.
pub(crate) fn trajectory<R: Rule>(rule: R, grads: &[Vec<f64>]) -> Vec<Vec<f64>> {
    trajectory_from(rule, &vec![0.0; grads[0].len()], grads)
}

/// The parameters after each step from `start`, where `decay` · θ is added to the gradients: the gradient of a penalty, ½ `decay` |θ|².
pub(crate) fn trajectory_with_penalty<R: Rule>(
    rule: R,
    decay: f64,
    start: &[f64],
    grads: &[Vec<f64>],
) -> Vec<Vec<f64>> {
    let mut theta = start.to_vec();
    let mut opt = Optimizer::new(rule);
    let mut step = |g: &Vec<f64>| {
        let sum: Vec<f64> = g.iter().zip(&theta).map(|(g, x)| g + decay * x).collect();
        opt.step(&mut theta, &sum).unwrap();
        theta.clone()
    };
    grads.iter().map(&mut step).collect()
}

pub(crate) fn assert_close(a: &[Vec<f64>], b: &[Vec<f64>], relative: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
        assert!((a - b).abs() <= relative * a.abs().max(b.abs()), "{a} {b}");
    }
}

/// The first step of this rule is refused, and the message names the rule and the field.
pub(crate) fn assert_refuses<R: Rule>(rule: R, field: &str) {
    let mut theta = [0.5];
    let mut opt = Optimizer::new(rule);
    match opt.step(&mut theta, &[1.0]) {
        Err(Error::Hyperparameter { field: found, .. }) => assert_eq!(found, field, "{rule:?}"),
        other => panic!("{rule:?}: expected an error about `{field}`, got {other:?}"),
    }
    assert_eq!((opt.t(), theta), (0, [0.5]));
}

/// The last point of `steps` steps on f(x) = ½ Σ aᵢ xᵢ², from ones.
pub(crate) fn on_a_bowl<R: Rule>(rule: R, curvatures: &[f64], steps: usize) -> Vec<f64> {
    let mut theta = vec![1.0; curvatures.len()];
    let mut opt = Optimizer::new(rule);
    for _ in 0..steps {
        let grad: Vec<f64> = theta.iter().zip(curvatures).map(|(x, a)| a * x).collect();
        opt.step(&mut theta, &grad).unwrap();
    }
    theta
}
