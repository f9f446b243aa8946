//! # Exercise 01: gradient descent, solved
//!
//! ```text
//! θ ← θ − lr · g                         g is the gradient at θ
//! ```

/// Takes one step: changes `theta` in place, given the gradient at `theta`. Both have the same length.
pub fn step(theta: &mut [f64], grad: &[f64], lr: f64) {
    for (theta, g) in theta.iter_mut().zip(grad) {
        *theta -= lr * g;
    }
}

/// The point that so many steps from `start` lead to: with no steps it is `start` itself.
///
/// `gradient` gives the gradient at any point, for all parameters at once.
pub fn descend(
    start: &[f64],
    gradient: impl Fn(&[f64]) -> Vec<f64>,
    lr: f64,
    steps: usize,
) -> Vec<f64> {
    let mut theta = start.to_vec();
    for _ in 0..steps {
        // The slope at the point reached so far, for all parameters before any of them moves.
        let grad = gradient(&theta);
        step(&mut theta, &grad, lr);
    }
    theta
}

/// The largest learning rate at which no parameter moves away from 0, for a loss that is c/2 · x² in each of them, with these curvatures c.
///
/// Where no curvature sets a limit, because there is none or all are 0, it is `f64::INFINITY`.
/// Where one is negative, every rate above 0 leads away from the top of a hill: it is 0.
pub fn largest_stable_lr(curvatures: &[f64]) -> f64 {
    if curvatures.iter().any(|&c| c < 0.0) {
        return 0.0;
    }
    // A step multiplies x by 1 − lr · c. The largest c takes that below −1 first; if it is 0, then 2 / 0 is infinity.
    let largest = curvatures.iter().copied().fold(0.0, f64::max);
    2.0 / largest
}
