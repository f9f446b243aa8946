use super::Objective;

/// A quadratic bowl with given curvatures: f(θ) = ½ Σ kᵢ zᵢ², where z is θ, or θ turned in the plane of its first two coordinates.
///
/// The curvatures are the eigenvalues of the Hessian; the ratio of the largest to the smallest is the condition number.
/// Without a rotation the ravine lies along an axis, which is what a diagonal method can repair; turned, it is not.
///
/// ```
/// use moments_lab::objective::{Objective, Quadratic};
///
/// let ravine = Quadratic::new(&[1.0, 100.0]);
/// assert_eq!(ravine.condition_number(), 100.0);
/// assert_eq!(ravine.grad(&[2.0, 0.1]), [2.0, 10.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Quadratic {
    curvatures: Vec<f64>,
    angle: f64,
}

impl Quadratic {
    /// A bowl along the axes, with one curvature per coordinate.
    ///
    /// # Panics
    /// If there is no curvature, or one is not finite and positive.
    pub fn new(curvatures: &[f64]) -> Self {
        assert!(
            !curvatures.is_empty(),
            "a quadratic needs at least one curvature, such as Quadratic::new(&[1.0, 100.0])"
        );
        for k in curvatures {
            assert!(
                k.is_finite() && *k > 0.0,
                "a curvature is {k}, but must be finite and positive"
            );
        }
        Self {
            curvatures: curvatures.to_vec(),
            angle: 0.0,
        }
    }

    /// The same bowl, turned counter-clockwise by `angle` radians in the plane of the first two coordinates.
    ///
    /// # Panics
    /// If the bowl has one coordinate only.
    #[must_use]
    pub fn rotated(mut self, angle: f64) -> Self {
        assert!(
            self.curvatures.len() >= 2,
            "a rotation needs two coordinates: give Quadratic::new two curvatures"
        );
        self.angle = angle;
        self
    }

    /// The curvatures along the bowl's own axes.
    pub fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }

    /// The largest curvature divided by the smallest.
    pub fn condition_number(&self) -> f64 {
        let fold = |f: fn(f64, f64) -> f64| self.curvatures.iter().copied().reduce(f);
        fold(f64::max).unwrap_or(1.0) / fold(f64::min).unwrap_or(1.0)
    }

    /// `theta` turned by `angle` in the first plane; exact, since nothing is computed, if `angle` is 0.
    fn turn(theta: &[f64], angle: f64) -> Vec<f64> {
        let mut z = theta.to_vec();
        if angle != 0.0 {
            let (sin, cos) = angle.sin_cos();
            z[0] = cos * theta[0] - sin * theta[1];
            z[1] = sin * theta[0] + cos * theta[1];
        }
        z
    }
}

impl Objective for Quadratic {
    fn name(&self) -> &'static str {
        "quadratic"
    }

    fn dim(&self) -> usize {
        self.curvatures.len()
    }

    fn loss(&self, theta: &[f64]) -> f64 {
        let z = Self::turn(theta, -self.angle);
        let terms = self.curvatures.iter().zip(&z).map(|(k, z)| k * z * z);
        0.5 * terms.sum::<f64>()
    }

    fn grad(&self, theta: &[f64]) -> Vec<f64> {
        let z = Self::turn(theta, -self.angle);
        let slope: Vec<f64> = self.curvatures.iter().zip(&z).map(|(k, z)| k * z).collect();
        Self::turn(&slope, self.angle)
    }

    fn minimum(&self) -> Option<Vec<f64>> {
        Some(vec![0.0; self.dim()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_turns_the_bowl_counter_clockwise() {
        let quarter = std::f64::consts::FRAC_PI_2;
        let f = Quadratic::new(&[1.0, 100.0]).rotated(quarter);
        // The flat axis, x at first, now points along y.
        assert!((f.loss(&[0.0, 2.0]) - 2.0).abs() < 1e-12);
        assert!((f.loss(&[2.0, 0.0]) - 200.0).abs() < 1e-12);
        let f = Quadratic::new(&[1.0, 100.0]).rotated(0.3);
        let along = [0.3_f64.cos(), 0.3_f64.sin()];
        assert!((f.loss(&along) - 0.5).abs() < 1e-12);
    }

    #[test]
    #[should_panic(expected = "a curvature is -1")]
    fn a_negative_curvature_is_refused() {
        let _ = Quadratic::new(&[1.0, -1.0]);
    }
}
