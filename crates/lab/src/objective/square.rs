use super::Objective;

/// f(x) = x², whose gradient is 2x.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Square;

impl Objective for Square {
    fn name(&self) -> &'static str {
        "x^2"
    }

    fn dim(&self) -> usize {
        1
    }

    fn loss(&self, theta: &[f64]) -> f64 {
        theta[0] * theta[0]
    }

    fn grad(&self, theta: &[f64]) -> Vec<f64> {
        vec![2.0 * theta[0]]
    }

    fn minimum(&self) -> Option<Vec<f64>> {
        Some(vec![0.0])
    }
}
