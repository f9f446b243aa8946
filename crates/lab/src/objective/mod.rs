//! Functions to minimize, each with its exact gradient.

mod delivery;
mod quadratic;
mod rosenbrock;
mod square;

pub(crate) use delivery::bell;
pub use delivery::{Batches, Delivery};
pub use quadratic::Quadratic;
pub use rosenbrock::Rosenbrock;
pub use square::Square;

/// A function to minimize, with its gradient.
///
/// ```
/// use moments_lab::objective::Objective;
///
/// /// f(x) = x⁴
/// struct Quartic;
///
/// impl Objective for Quartic {
///     fn name(&self) -> &str {
///         "x^4"
///     }
///     fn dim(&self) -> usize {
///         1
///     }
///     fn loss(&self, theta: &[f64]) -> f64 {
///         theta[0].powi(4)
///     }
///     fn grad(&self, theta: &[f64]) -> Vec<f64> {
///         vec![4.0 * theta[0].powi(3)]
///     }
/// }
/// assert_eq!(Quartic.grad(&[2.0]), [32.0]);
/// ```
pub trait Objective {
    /// The objective's name, for messages and tables.
    fn name(&self) -> &str;

    /// The number of parameters.
    fn dim(&self) -> usize;

    /// The loss at `theta`, which has [`dim`](Self::dim) entries.
    fn loss(&self, theta: &[f64]) -> f64;

    /// The gradient at `theta`, with one entry per parameter.
    fn grad(&self, theta: &[f64]) -> Vec<f64>;

    /// Where the loss is least, if that is known.
    fn minimum(&self) -> Option<Vec<f64>> {
        None
    }
}

/// The gradient by central differences, to check an exact one by: (f(θ + h eᵢ) − f(θ − h eᵢ)) / 2h with h = 1e-5 · max(1, |θᵢ|).
///
/// ```
/// use moments_lab::objective::difference_grad;
///
/// let grad = difference_grad(|x| x[0] * x[0] * x[1], &[3.0, 2.0]);
/// assert!((grad[0] - 12.0).abs() < 1e-6 && (grad[1] - 9.0).abs() < 1e-6);
/// ```
pub fn difference_grad(loss: impl Fn(&[f64]) -> f64, theta: &[f64]) -> Vec<f64> {
    let mut at = theta.to_vec();
    let mut grad = Vec::with_capacity(theta.len());
    for i in 0..theta.len() {
        let h = 1e-5 * theta[i].abs().max(1.0);
        at[i] = theta[i] + h;
        let above = loss(&at);
        at[i] = theta[i] - h;
        let below = loss(&at);
        at[i] = theta[i];
        grad.push((above - below) / (2.0 * h));
    }
    grad
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    fn all() -> Vec<Box<dyn Objective>> {
        vec![
            Box::new(Square),
            Box::new(Quadratic::new(&[1.0, 100.0])),
            Box::new(Quadratic::new(&[0.5, 3.0, 20.0]).rotated(0.7)),
            Box::new(Rosenbrock::default()),
            Box::new(Delivery::generate(50, 1)),
            Box::new(Delivery::generate(50, 2).standardized()),
        ]
    }

    #[test]
    fn every_gradient_agrees_with_central_differences_at_random_points() {
        let mut rng = StdRng::seed_from_u64(0);
        for objective in all() {
            for _ in 0..50 {
                let theta: Vec<f64> = (0..objective.dim())
                    .map(|_| rng.random_range(-3.0..3.0))
                    .collect();
                let exact = objective.grad(&theta);
                let near = difference_grad(|x| objective.loss(x), &theta);
                assert_eq!(exact.len(), objective.dim());
                let scale = exact.iter().fold(1.0_f64, |a, g| a.max(g.abs()));
                for (a, b) in exact.iter().zip(&near) {
                    assert!(
                        (a - b).abs() <= 1e-6 * scale,
                        "{} at {theta:?}: {a} against {b}",
                        objective.name()
                    );
                }
            }
        }
    }

    #[test]
    fn the_gradient_vanishes_at_every_known_minimum_and_the_loss_grows_around_it() {
        for objective in all() {
            let minimum = objective.minimum().expect("these all know it");
            let scale = objective.loss(&vec![0.5; objective.dim()]).max(1.0);
            for g in objective.grad(&minimum) {
                assert!(g.abs() < 1e-9 * scale, "{}: {g}", objective.name());
            }
            for i in 0..objective.dim() {
                let mut beside = minimum.clone();
                beside[i] += 0.01;
                assert!(objective.loss(&beside) > objective.loss(&minimum));
            }
        }
    }
}
