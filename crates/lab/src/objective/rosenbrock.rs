use super::Objective;

/// Rosenbrock's curved valley: f(x, y) = (a − x)² + b (y − x²)².
///
/// The minimum is 0 at (a, a²). The classical values, and the defaults, are a = 1 and b = 100.
///
/// # References
/// Rosenbrock (1960), "An Automatic Method for Finding the Greatest or Least Value of a Function", The Computer Journal 3(3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rosenbrock {
    /// The x of the minimum.
    pub a: f64,
    /// How steep the valley's walls are.
    pub b: f64,
}

impl Default for Rosenbrock {
    fn default() -> Self {
        Self { a: 1.0, b: 100.0 }
    }
}

impl Objective for Rosenbrock {
    fn name(&self) -> &'static str {
        "Rosenbrock"
    }

    fn dim(&self) -> usize {
        2
    }

    fn loss(&self, theta: &[f64]) -> f64 {
        let (x, y) = (theta[0], theta[1]);
        let off = y - x * x;
        (self.a - x) * (self.a - x) + self.b * off * off
    }

    fn grad(&self, theta: &[f64]) -> Vec<f64> {
        let (x, y) = (theta[0], theta[1]);
        let off = y - x * x;
        vec![
            -2.0 * (self.a - x) - 4.0 * self.b * x * off,
            2.0 * self.b * off,
        ]
    }

    fn minimum(&self) -> Option<Vec<f64>> {
        Some(vec![self.a, self.a * self.a])
    }
}
