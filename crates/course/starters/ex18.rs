//! # Exercise 18: the delivery-time predictor
//!
//! How many hours does a package take? Write a linear model of it, train it with four optimizers, put their losses into a table, and choose.
//!
//! ```text
//! hours ≈ w₁ · distance + w₂ · weight + b               θ = [w₁, w₂, b]
//! loss(θ) = mean over the packages of (w₁ · distance + w₂ · weight + b − hours)²
//!
//! SGD        θ ← θ − lr · g                              g is the gradient of the loss over all packages, at θ
//! momentum   v ← 0.9 v + g              θ ← θ − lr · v
//! AdaGrad    s ← s + g²                 θ ← θ − lr · g / (√s + 10⁻¹⁰)
//! Adam       m ← 0.9 m + 0.1 g          v ← 0.999 v + 0.001 g²
//!            m̂ = m / (1 − 0.9ᵗ)         v̂ = v / (1 − 0.999ᵗ)          t = 1 at the first step
//!            θ ← θ − lr · m̂ / (√v̂ + 10⁻⁸)
//! ```
//!
//! The distance is in hundreds of km (0.5 to 5), the weight in kg (0.2 to 20), the time in hours (1 to 72).
//! So w₁ is in hours per 100 km, w₂ in hours per kg, b in hours, and the loss in squared hours.
//! θ, every v, s and m start at 0. The rules hold for each of the three parameters by itself.
//!
//! An example: three packages, (distance, weight, hours) = (1, 2, 20), (2, 10, 30) and (4, 4, 50).
//! At θ = 0 the loss is 3800/3 = 1266.67 and the gradient (−186.67, −360, −66.67).
//! One step of SGD with lr 0.001 takes θ to (0.18667, 0.36, 0.06667), and one of Adam with lr 0.1 takes each of the three to 0.1, to nine digits.
//!
//! Test it with `cargo course test ex18` or `cargo test -p ex18-delivery`; get a hint with `cargo course hint ex18`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// A package that has been delivered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Package {
    /// How far it went, in hundreds of km.
    pub distance: f64,
    /// What it weighs, in kg.
    pub weight: f64,
    /// How long it took, in hours.
    pub hours: f64,
}

/// The four ways to take a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimizer {
    /// Gradient descent.
    Sgd,
    /// The heavy ball.
    Momentum,
    /// AdaGrad.
    AdaGrad,
    /// Adam.
    Adam,
}

impl Optimizer {
    /// All four, in the order of the table's rows.
    pub const ALL: [Self; 4] = [Self::Sgd, Self::Momentum, Self::AdaGrad, Self::Adam];
}

/// What [`train`] gives back.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The loss before each step, one for each: `losses[0]` is that of θ = 0, and the loss after the last step is not among them.
    pub losses: Vec<f64>,
    /// θ after the last step.
    pub theta: [f64; 3],
}

/// What [`best`] gives back.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The optimizer that was chosen.
    pub optimizer: Optimizer,
    /// The learning rate that was chosen.
    pub lr: f64,
    /// Where they took θ.
    pub theta: [f64; 3],
}

/// The mean squared error over `data`, which has at least one package.
pub fn loss(theta: &[f64; 3], data: &[Package]) -> f64 {
    todo!("loss")
}

/// The gradient of [`loss`]: its derivatives by w₁, w₂ and b.
pub fn gradient(theta: &[f64; 3], data: &[Package]) -> [f64; 3] {
    todo!("gradient")
}

/// Takes `steps` steps from θ = 0. Each uses the gradient over all of `data`.
///
/// A run that diverges goes on: its losses are then huge, infinite or NaN. With 0 steps `losses` is empty and θ is 0.
pub fn train(optimizer: Optimizer, lr: f64, data: &[Package], steps: usize) -> Run {
    todo!("train")
}

/// The loss table: a row for each optimizer, in the order of [`Optimizer::ALL`], and in it a column for each rate, in the order of `rates`.
///
/// In each cell is the loss on `validation` of the θ that `steps` steps on `train` led to, each run by itself and from the start;
/// [`f64::INFINITY`] if that loss is not finite.
pub fn table(
    rates: &[f64],
    train: &[Package],
    validation: &[Package],
    steps: usize,
) -> [Vec<f64>; 4] {
    todo!("table")
}

/// The optimizer and the learning rate with the least loss in a table made with `rates`.
///
/// Of equal losses the one in the first row is chosen, which is the simplest optimizer, and in that row the one in the first column.
/// Losses that are infinite or NaN are never chosen; if there are no others, there is no choice.
pub fn choose(rates: &[f64], table: &[Vec<f64>; 4]) -> Option<(Optimizer, f64)> {
    todo!("choose")
}

/// What [`choose`] takes from the [`table`], and the θ that it was chosen for: trained on `train`, for `steps` steps.
pub fn best(
    rates: &[f64],
    train: &[Package],
    validation: &[Package],
    steps: usize,
) -> Option<Choice> {
    todo!("best")
}
