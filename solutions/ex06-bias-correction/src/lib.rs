//! # Exercise 06: bias correction, solved
//!
//! ```text
//! m̂ = m / (1 − β₁ᵗ)          v̂ = v / (1 − β₂ᵗ)          t = 1 at the first step
//! ```

/// The corrected moments m̂ and v̂ after `t` steps, from the moments `m` and `v`, which stay as they are.
pub fn corrected(m: &[f64], v: &[f64], beta1: f64, beta2: f64, t: i32) -> (Vec<f64>, Vec<f64>) {
    // The share of the average that the gradients hold; the rest is still held by the 0 at the start.
    let correction1 = 1.0 - beta1.powi(t);
    let correction2 = 1.0 - beta2.powi(t);
    let m_hat = m.iter().map(|m| m / correction1).collect();
    let v_hat = v.iter().map(|v| v / correction2).collect();
    (m_hat, v_hat)
}

/// A mean in which a value weighs β as much as the one after it: a moving average, corrected.
#[derive(Clone, Debug)]
pub struct RunningMean {
    /// The decay rate β.
    pub beta: f64,
    /// The moving average, uncorrected.
    pub average: f64,
    /// How many values have been taken up.
    pub t: i32,
}

impl RunningMean {
    /// A mean before its first value.
    pub fn new(beta: f64) -> Self {
        Self {
            beta,
            average: 0.0,
            t: 0,
        }
    }

    /// Takes up a value and returns the mean of all values so far, corrected: the first push returns its own value.
    pub fn push(&mut self, value: f64) -> f64 {
        self.t += 1;
        self.average = self.beta * self.average + (1.0 - self.beta) * value;
        self.average / (1.0 - self.beta.powi(self.t))
    }
}
