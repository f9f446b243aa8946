use super::Objective;
use ndarray::{Array1, Array2, Axis};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// The line that the generated hours scatter around: hours per 100 km, hours per kg, hours.
const TRUTH: [f64; 3] = [11.0, 0.55, 3.0];

/// The standard deviation of the scatter, in hours.
const NOISE: f64 = 2.0;

/// A delivery-time predictor on generated packages: hours = w₁ · distance + w₂ · weight + b, fitted by mean squared error.
///
/// Distances are in hundreds of km, uniform in [0.5, 5]; weights in kg, uniform in [0.2, 20]; hours in [1, 72].
/// The hours scatter around 11 · distance + 0.55 · weight + 3 with a standard deviation of 2 hours.
/// The parameters are θ = [w₁, w₂, b]; the loss is in squared hours.
///
/// ```
/// use moments_lab::objective::{Delivery, Objective};
///
/// let data = Delivery::generate(200, 7);
/// let best = data.minimum().unwrap();
/// assert!(data.loss(&best) < data.loss(&[11.0, 0.55, 3.0])); // the fit follows the scatter
/// assert!((best[0] - 11.0).abs() < 0.5);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    features: Array2<f64>,
    hours: Array1<f64>,
}

impl Delivery {
    /// Generates `n` packages; the same seed gives the same packages.
    ///
    /// # Panics
    /// If `n` is less than 3, with which three parameters are not determined.
    pub fn generate(n: usize, seed: u64) -> Self {
        assert!(
            n >= 3,
            "{n} packages do not determine three parameters: generate at least 3"
        );
        let mut rng = StdRng::seed_from_u64(seed);
        let mut features = Array2::zeros((n, 2));
        let mut hours = Array1::zeros(n);
        for (mut row, hours) in features.outer_iter_mut().zip(&mut hours) {
            row[0] = rng.random_range(0.5..=5.0);
            row[1] = rng.random_range(0.2..=20.0);
            let line = TRUTH[0] * row[0] + TRUTH[1] * row[1] + TRUTH[2];
            *hours = loop {
                let y = line + NOISE * bell(&mut rng);
                if (1.0..=72.0).contains(&y) {
                    break y;
                }
            };
        }
        Self { features, hours }
    }

    /// The same packages with each feature shifted and scaled to mean 0 and standard deviation 1.
    ///
    /// The losses that can be reached are the same; the ravine is gone.
    #[must_use]
    pub fn standardized(&self) -> Self {
        let mut features = self.features.clone();
        let n = features.nrows() as f64;
        for mut column in features.axis_iter_mut(Axis(1)) {
            let mean = column.iter().sum::<f64>() / n;
            let variance = column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
            column.mapv_inplace(|x| (x - mean) / variance.sqrt());
        }
        Self {
            features,
            hours: self.hours.clone(),
        }
    }

    /// The features, a row per package: distance in hundreds of km and weight in kg, or both standardized.
    pub fn features(&self) -> &Array2<f64> {
        &self.features
    }

    /// The delivery times in hours.
    pub fn hours(&self) -> &Array1<f64> {
        &self.hours
    }

    /// The number of packages.
    pub fn len(&self) -> usize {
        self.hours.len()
    }

    /// Whether there are no packages; never so.
    pub fn is_empty(&self) -> bool {
        self.hours.is_empty()
    }

    /// The predicted hours of every package.
    pub fn predict(&self, theta: &[f64]) -> Vec<f64> {
        (0..self.len())
            .map(|i| self.residual(theta, i) + self.hours[i])
            .collect()
    }

    /// The mean squared error over some packages, given by their row numbers.
    pub fn batch_loss(&self, theta: &[f64], rows: &[usize]) -> f64 {
        let squares = rows.iter().map(|&i| self.residual(theta, i).powi(2));
        squares.sum::<f64>() / rows.len() as f64
    }

    /// The gradient of the mean squared error over some packages, given by their row numbers.
    pub fn batch_grad(&self, theta: &[f64], rows: &[usize]) -> Vec<f64> {
        let mut grad = vec![0.0; 3];
        for &i in rows {
            let r = self.residual(theta, i);
            grad[0] += r * self.features[[i, 0]];
            grad[1] += r * self.features[[i, 1]];
            grad[2] += r;
        }
        for g in &mut grad {
            *g *= 2.0 / rows.len() as f64;
        }
        grad
    }

    /// Mini-batches of `size` row numbers without end; the same seed gives the same batches.
    ///
    /// Each epoch visits every package once, in a new order; its last batch may be smaller.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn batches(&self, size: usize, seed: u64) -> Batches {
        assert!(
            size > 0,
            "a batch of 0 packages has no gradient: take at least 1"
        );
        Batches {
            rows: (0..self.len()).collect(),
            size,
            next: self.len(),
            rng: StdRng::seed_from_u64(seed),
        }
    }

    fn residual(&self, theta: &[f64], i: usize) -> f64 {
        theta[0] * self.features[[i, 0]] + theta[1] * self.features[[i, 1]] + theta[2]
            - self.hours[i]
    }

    fn rows(&self) -> Vec<usize> {
        (0..self.len()).collect()
    }
}

impl Objective for Delivery {
    fn name(&self) -> &'static str {
        "delivery-time predictor"
    }

    fn dim(&self) -> usize {
        3
    }

    fn loss(&self, theta: &[f64]) -> f64 {
        self.batch_loss(theta, &self.rows())
    }

    fn grad(&self, theta: &[f64]) -> Vec<f64> {
        self.batch_grad(theta, &self.rows())
    }

    /// The least-squares fit, from the normal equations.
    fn minimum(&self) -> Option<Vec<f64>> {
        let mut a = [[0.0; 4]; 3];
        for (row, y) in self.features.outer_iter().zip(&self.hours) {
            let x = [row[0], row[1], 1.0];
            for i in 0..3 {
                for j in 0..3 {
                    a[i][j] += x[i] * x[j];
                }
                a[i][3] += x[i] * y;
            }
        }
        solve(a).map(|w| w.to_vec())
    }
}

/// Mini-batches of row numbers without end, shuffled anew in each epoch; from [`Delivery::batches`].
#[derive(Debug)]
pub struct Batches {
    rows: Vec<usize>,
    size: usize,
    next: usize,
    rng: StdRng,
}

impl Iterator for Batches {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        if self.next >= self.rows.len() {
            self.rows.shuffle(&mut self.rng);
            self.next = 0;
        }
        let end = (self.next + self.size).min(self.rows.len());
        let batch = self.rows[self.next..end].to_vec();
        self.next = end;
        Some(batch)
    }
}

/// A bell-shaped number with mean 0 and variance 1: twelve uniform ones added.
/// It needs no logarithm or cosine, whose last bits differ between machines.
pub(crate) fn bell(rng: &mut StdRng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// Solves three linear equations by elimination with row exchange; `None` if they do not determine a solution.
fn solve(mut a: [[f64; 4]; 3]) -> Option<[f64; 3]> {
    for i in 0..3 {
        let pivot = (i..3).max_by(|&p, &q| a[p][i].abs().total_cmp(&a[q][i].abs()))?;
        a.swap(i, pivot);
        if a[i][i] == 0.0 {
            return None;
        }
        for below in i + 1..3 {
            let factor = a[below][i] / a[i][i];
            let row = a[i];
            for (entry, above) in a[below].iter_mut().zip(row) {
                *entry -= factor * above;
            }
        }
    }
    let mut w = [0.0; 3];
    for i in (0..3).rev() {
        let known: f64 = (i + 1..3).map(|j| a[i][j] * w[j]).sum();
        w[i] = (a[i][3] - known) / a[i][i];
    }
    Some(w)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_lie_in_the_stated_ranges() {
        let data = Delivery::generate(2000, 3);
        for (row, y) in data.features().outer_iter().zip(data.hours()) {
            assert!((0.5..=5.0).contains(&row[0]));
            assert!((0.2..=20.0).contains(&row[1]));
            assert!((1.0..=72.0).contains(y));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_data_and_another_seed_other_data() {
        assert_eq!(Delivery::generate(20, 1), Delivery::generate(20, 1));
        assert_ne!(Delivery::generate(20, 1), Delivery::generate(20, 2));
    }

    #[test]
    fn the_least_loss_is_the_variance_of_the_noise() {
        let data = Delivery::generate(2000, 4);
        let least = data.loss(&data.minimum().unwrap());
        assert!((least - NOISE * NOISE).abs() < 0.4, "{least}");
    }

    #[test]
    fn an_epoch_visits_every_package_once() {
        let data = Delivery::generate(10, 5);
        let mut batches = data.batches(4, 6);
        for _ in 0..3 {
            let epoch: Vec<Vec<usize>> = batches.by_ref().take(3).collect();
            assert_eq!(epoch.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
            let mut seen = epoch.concat();
            seen.sort_unstable();
            assert_eq!(seen, (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_batch_gradients_of_equal_batches_average_to_the_full_one() {
        let data = Delivery::generate(12, 7);
        let theta = [1.0, -2.0, 0.5];
        let mut mean = [0.0; 3];
        for rows in data.batches(4, 8).take(3) {
            for (mean, g) in mean.iter_mut().zip(data.batch_grad(&theta, &rows)) {
                *mean += g / 3.0;
            }
        }
        for (a, b) in mean.iter().zip(data.grad(&theta)) {
            assert!((a - b).abs() < 1e-9 * b.abs().max(1.0));
        }
    }

    #[test]
    fn a_batch_gradient_agrees_with_central_differences() {
        let data = Delivery::generate(30, 9);
        let rows = data.batches(7, 0).next().unwrap();
        let theta = [2.0, -1.0, 4.0];
        let near = super::super::difference_grad(|x| data.batch_loss(x, &rows), &theta);
        for (a, b) in data.batch_grad(&theta, &rows).iter().zip(near) {
            assert!((a - b).abs() < 1e-6 * b.abs().max(1.0));
        }
    }

    #[test]
    fn standardizing_removes_the_ravine_and_keeps_the_least_loss() {
        let raw = Delivery::generate(100, 10);
        let even = raw.standardized();
        for column in even.features().axis_iter(Axis(1)) {
            assert!(column.sum().abs() < 1e-9);
            assert!((column.mapv(|x| x * x).sum() / 100.0 - 1.0).abs() < 1e-9);
        }
        let least = |d: &Delivery| d.loss(&d.minimum().unwrap());
        assert!((least(&raw) - least(&even)).abs() < 1e-8);
    }
}
