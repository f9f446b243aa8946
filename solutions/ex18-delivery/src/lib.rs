//! # Exercise 18: the delivery-time predictor, solved
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

/// The prediction minus the hours.
fn error(theta: &[f64; 3], package: &Package) -> f64 {
    theta[0] * package.distance + theta[1] * package.weight + theta[2] - package.hours
}

/// The mean squared error over `data`, which has at least one package.
pub fn loss(theta: &[f64; 3], data: &[Package]) -> f64 {
    let squares = data.iter().map(|package| error(theta, package).powi(2));
    squares.sum::<f64>() / data.len() as f64
}

/// The gradient of [`loss`]: its derivatives by w₁, w₂ and b.
pub fn gradient(theta: &[f64; 3], data: &[Package]) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for package in data {
        // The derivative of the square, times the derivative of the prediction: for b that is 1.
        let slope = 2.0 * error(theta, package);
        sums[0] += slope * package.distance;
        sums[1] += slope * package.weight;
        sums[2] += slope;
    }
    sums.map(|sum| sum / data.len() as f64)
}

/// What an optimizer remembers of one parameter. None of the four needs more than two numbers, and SGD needs none.
#[derive(Clone, Copy, Default)]
struct Memory {
    /// The velocity of momentum, the first moment of Adam.
    m: f64,
    /// The sum of squares of AdaGrad, the second moment of Adam.
    v: f64,
}

/// How far one parameter moves at step `t`, the first being 1.
fn update(optimizer: Optimizer, memory: &mut Memory, lr: f64, t: usize, g: f64) -> f64 {
    let Memory { m, v } = memory;
    match optimizer {
        Optimizer::Sgd => lr * g,
        Optimizer::Momentum => {
            *m = 0.9 * *m + g;
            lr * *m
        }
        Optimizer::AdaGrad => {
            *v += g * g;
            lr * g / (v.sqrt() + 1e-10)
        }
        Optimizer::Adam => {
            let (beta1, beta2): (f64, f64) = (0.9, 0.999);
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            let m_hat = *m / (1.0 - beta1.powi(t as i32));
            let v_hat = *v / (1.0 - beta2.powi(t as i32));
            lr * m_hat / (v_hat.sqrt() + 1e-8)
        }
    }
}

/// Takes `steps` steps from θ = 0. Each uses the gradient over all of `data`.
///
/// A run that diverges goes on: its losses are then huge, infinite or NaN. With 0 steps `losses` is empty and θ is 0.
pub fn train(optimizer: Optimizer, lr: f64, data: &[Package], steps: usize) -> Run {
    // Everything that a run remembers is made here, so that no run knows of another.
    let mut theta = [0.0; 3];
    let mut memory = [Memory::default(); 3];
    let mut losses = Vec::with_capacity(steps);
    for t in 1..=steps {
        losses.push(loss(&theta, data));
        // All three derivatives are taken before any parameter moves.
        let grad = gradient(&theta, data);
        for i in 0..3 {
            theta[i] -= update(optimizer, &mut memory[i], lr, t, grad[i]);
        }
    }
    Run { losses, theta }
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
    let cell = |optimizer: Optimizer, lr: f64| {
        let run = self::train(optimizer, lr, train, steps);
        let loss = loss(&run.theta, validation);
        // NaN cannot be compared. Infinity can, and it is worse than any number.
        if loss.is_finite() {
            loss
        } else {
            f64::INFINITY
        }
    };
    Optimizer::ALL.map(|optimizer| rates.iter().map(|&lr| cell(optimizer, lr)).collect())
}

/// The optimizer and the learning rate with the least loss in a table made with `rates`.
///
/// Of equal losses the one in the first row is chosen, which is the simplest optimizer, and in that row the one in the first column.
/// Losses that are infinite or NaN are never chosen; if there are no others, there is no choice.
pub fn choose(rates: &[f64], table: &[Vec<f64>; 4]) -> Option<(Optimizer, f64)> {
    let mut choice = None;
    let mut least = f64::INFINITY;
    for (optimizer, row) in Optimizer::ALL.into_iter().zip(table) {
        for (&lr, &loss) in rates.iter().zip(row) {
            // Less, not less or equal: the first of equals stays. Infinity and NaN are not less than infinity.
            if loss < least {
                least = loss;
                choice = Some((optimizer, lr));
            }
        }
    }
    choice
}

/// What [`choose`] takes from the [`table`], and the θ that it was chosen for: trained on `train`, for `steps` steps.
pub fn best(
    rates: &[f64],
    train: &[Package],
    validation: &[Package],
    steps: usize,
) -> Option<Choice> {
    let (optimizer, lr) = choose(rates, &table(rates, train, validation, steps))?;
    // The same start, the same data and the same steps give the same θ as in the table.
    let theta = self::train(optimizer, lr, train, steps).theta;
    Some(Choice {
        optimizer,
        lr,
        theta,
    })
}
