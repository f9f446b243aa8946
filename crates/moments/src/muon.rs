use crate::float::power;
use crate::norm::sum_of_squares;
use crate::{AdamW, Error, Float, Rule, Step};

/// Muon: momentum whose singular values are all moved close to 1.
///
/// ```text
/// b ← μ b + (1 − μ) g
/// u = (1 − μ) g + μ b                    without Nesterov: u = b; both corrected with MuonForm::Optax
/// X = u / max(‖u‖, ε)                    MuonForm::Optax: u / (‖u‖ + ε); Xᵀ instead where u has more rows than columns
/// X ← a X + (b A + c A²) X, A = X Xᵀ     for each step of Newton and Schulz
/// θ ← θ − lr · (s X + λ θ)               s: AdjustLr
/// ```
///
/// It steps matrices alone, the weights of hidden layers; use [`MuonAdamW`] for a model.
///
/// # Defaults
/// `lr` 1e-3, `momentum` (μ) 0.95 with Nesterov, 5 steps with (a, b, c) = (3.4445, −4.7750, 2.0315), `eps` 1e-7, `weight_decay` (λ) 0.1,
/// [`AdjustLr::Original`]: `torch.optim.Muon`.
///
/// # State
/// `momentum_buffer` (b) of the parameters' shape, zero at first: 1 float per parameter.
/// Besides, an optimizer keeps room for 3 r c + 3 r² numbers to work in, where r is the shorter side and c the longer.
///
/// # Example
/// A matrix of one row has one singular value: X = u/‖u‖ times x ← x (a + b x² + c x⁴), applied five times to 1.
/// ```
/// use moments::{Muon, Optimizer};
/// use ndarray::array;
///
/// let mut theta = array![[0.0_f64, 0.0]];
/// let mut opt = Optimizer::new(Muon { lr: 1.0, weight_decay: 0.0, ..Muon::default() });
/// let mut x = 1.0;
/// for _ in 0..5 {
///     x *= 3.4445 - 4.7750 * x * x + 2.0315 * x * x * x * x;
/// }
/// for t in 1..=2 {
///     opt.step(&mut theta, &array![[3.0, -4.0]])?; // u is along (3, −4)/5
///     assert!((theta[[0, 0]] + f64::from(t) * 0.6 * x).abs() < 1e-13);
///     assert!((theta[[0, 1]] - f64::from(t) * 0.8 * x).abs() < 1e-13);
/// }
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if the parameters are not a matrix, if `lr`, `eps`, `weight_decay` or the root mean square of [`AdjustLr::ConsistentRms`] is negative
/// or not finite, `momentum` is outside [0, 1), a coefficient is not finite, or `ns_steps` is 100 or more.
/// With `eps` 0 a matrix without gradients becomes 0/0 = NaN.
///
/// # Differences from PyTorch and optax
/// PyTorch orthogonalises in bfloat16; here it is done in the type of the parameters.
/// After 100 steps of the golden runs PyTorch's own rule is 9e-4 (8 × 9) and 2e-3 (64 × 65) of its way from the same rule without that cast,
/// by root mean square, and 5e-3 at most; `tools/golden/muon.py` measures it.
/// optax corrects both parts of u, which changes its direction with Nesterov, and adds ε to the norm: [`MuonForm`].
/// optax takes rows for inputs and PyTorch for outputs, so that the learning rate is adjusted the other way round: [`AdjustLr`].
/// optax's `muon_weight_dimension_numbers`, which reshapes other tensors into matrices, is the caller's.
///
/// # References
/// Jordan, Jin, Boza, You, Cesista, Newhouse & Bernstein (2024), "Muon: An optimizer for hidden layers in neural networks", kellerjordan.github.io/posts/muon.
/// Liu et al. (2025), "Muon is Scalable for LLM Training", section 2.2, arXiv:2502.16982, for the weight decay and [`AdjustLr::ConsistentRms`].
/// Bernstein & Newhouse (2024), "Old Optimizer, New Norm: An Anthology", arXiv:2409.20325, for `adaptive`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Muon {
    /// The learning rate η, in units of the parameters: about the spectral norm of a step, before [`AdjustLr`].
    pub lr: f64,
    /// The momentum coefficient μ, in [0, 1).
    pub momentum: f64,
    /// Whether u looks ahead, in Nesterov's way.
    pub nesterov: bool,
    /// The coefficients a, b and c.
    pub ns_coefficients: NsCoefficients,
    /// The number of steps of Newton and Schulz, below 100.
    pub ns_steps: u64,
    /// ε, in units of the gradient's norm.
    pub eps: f64,
    /// What u is scaled by so that its singular values are at most about 1.
    pub preconditioning: Preconditioning,
    /// Whether the step is multiplied by the inner product of u and X, so that it is as large as u.
    pub adaptive: bool,
    /// How the learning rate follows from the shape.
    pub adjust_lr: AdjustLr,
    /// The decoupled weight decay λ, scaled by `lr`.
    pub weight_decay: f64,
    /// Whose form of the momentum and of ε.
    pub form: MuonForm,
}

/// The coefficients a, b, c of x ← a x + b x³ + c x⁵, which each step applies to every singular value.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum NsCoefficients {
    /// The same in every step.
    Same([f64; 3]),
    /// Others in each of the first five steps; the last serve for all steps after them.
    Each([[f64; 3]; 5]),
}

impl NsCoefficients {
    /// Jordan's: steepest at 0, and between 0.68 and 1.13 after five steps.
    pub const STANDARD: Self = Self::Same([3.4445, -4.7750, 2.0315]);

    /// optax's preset `dion`.
    pub const DION: Self = Self::Each([
        [4.0848, -6.8946, 2.9270],
        [3.9505, -6.3029, 2.6377],
        [3.7418, -5.5913, 2.3037],
        [2.8769, -3.1427, 1.2046],
        [2.8366, -3.0525, 1.2012],
    ]);

    fn at(&self, step: u64) -> [f64; 3] {
        match self {
            Self::Same(coefficients) => *coefficients,
            Self::Each(all) => all[step.min(4) as usize],
        }
    }
}

impl Default for NsCoefficients {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// What Muon scales u by before the steps of Newton and Schulz, which need singular values of at most about 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Preconditioning {
    /// The Frobenius norm: PyTorch, optax's default.
    #[default]
    Frobenius,
    /// The largest singular value.
    Spectral,
    /// Each row by the root of the sum of |A| over its row (almost orthogonal layers), in the first step.
    Aol,
    /// The root of the Frobenius norm of A, which is the Schatten-4 norm of u, in the first step.
    Schatten,
}

/// How Muon's learning rate follows from the shape of the matrix: what it is multiplied by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum AdjustLr {
    /// √max(1, rows / columns): PyTorch, whose rows are outputs.
    #[default]
    Original,
    /// √max(1, columns / rows): optax, whose rows are inputs.
    Transposed,
    /// √(rows / columns): PyTorch's `spectral_unclamped`.
    SpectralUnclamped,
    /// `rms` · √max(rows, columns): PyTorch's `match_rms_adamw` with `rms` 0.2; optax's `consistent_rms`.
    ConsistentRms {
        /// About the root mean square of a step with `lr` 1.
        rms: f64,
    },
}

/// Whose form of momentum and ε Muon has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum MuonForm {
    /// u is not corrected, and is divided by max(‖u‖, ε).
    #[default]
    Torch,
    /// b is divided by 1 − μᵗ, with Nesterov by 1 − μᵗ⁺¹ and g by 1 − μᵗ, and u is divided by ‖u‖ + ε.
    Optax,
}

impl Default for Muon {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            momentum: 0.95,
            nesterov: true,
            ns_coefficients: NsCoefficients::STANDARD,
            ns_steps: 5,
            eps: 1e-7,
            preconditioning: Preconditioning::Frobenius,
            adaptive: false,
            adjust_lr: AdjustLr::Original,
            weight_decay: 0.1,
            form: MuonForm::Torch,
        }
    }
}

impl Muon {
    /// The defaults of `torch.optim.Muon`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.contrib.muon` for matrices, which has none for the learning rate: 1e-3 as in PyTorch.
    pub fn optax() -> Self {
        Self {
            eps: 1e-8,
            adjust_lr: AdjustLr::Transposed,
            weight_decay: 0.0,
            form: MuonForm::Optax,
            ..Self::default()
        }
    }
}

impl Muon {
    /// What g and b are multiplied by in u.
    fn shares(&self, t: u64) -> (f64, f64) {
        let ((bc, _), (bc_next, _)) = (self.corrections(t), self.corrections(t + 1));
        if self.nesterov {
            ((1.0 - self.momentum) / bc, self.momentum / bc_next)
        } else {
            (0.0, 1.0 / bc)
        }
    }

    /// A norm that something is divided by, with ε.
    fn with_eps(&self, norm: f64) -> f64 {
        match self.form {
            MuonForm::Torch => norm.larger(self.eps),
            MuonForm::Optax => norm + self.eps,
        }
    }

    fn adjusted_lr(&self, rows: usize, columns: usize) -> f64 {
        let (rows, columns) = (rows as f64, columns as f64);
        self.lr
            * match self.adjust_lr {
                AdjustLr::Original => (rows / columns).max(1.0).sqrt(),
                AdjustLr::Transposed => (columns / rows).max(1.0).sqrt(),
                AdjustLr::SpectralUnclamped => (rows / columns).sqrt(),
                AdjustLr::ConsistentRms { rms } => rms * rows.max(columns).sqrt(),
            }
    }
}

/// `out` = `a` `b`, where `a` has `inner` columns and `b` has `columns`; each entry is summed in the order of `inner`.
#[inline(always)]
fn multiply<T: Float>(out: &mut [T], a: &[T], b: &[T], inner: usize, columns: usize) {
    const ROWS: usize = 4;
    const COLUMNS: usize = 16;
    for (out, a) in out.chunks_mut(ROWS * columns).zip(a.chunks(ROWS * inner)) {
        let rows = out.len() / columns;
        for start in (0..columns).step_by(COLUMNS) {
            let width = COLUMNS.min(columns - start);
            let mut sums = [[T::default(); COLUMNS]; ROWS];
            if rows == ROWS && width == COLUMNS {
                // Sizes that are known to the compiler, so that the sums stay in registers.
                let [a0, a1, a2, a3] = [0, 1, 2, 3].map(|i| &a[i * inner..][..inner]);
                let lines = b.chunks_exact(columns).zip(a0).zip(a1).zip(a2).zip(a3);
                for ((((b, &a0), &a1), &a2), &a3) in lines {
                    let b = &b[start..start + COLUMNS];
                    for (j, &b) in b.iter().enumerate() {
                        sums[0][j] += a0 * b;
                        sums[1][j] += a1 * b;
                        sums[2][j] += a2 * b;
                        sums[3][j] += a3 * b;
                    }
                }
            } else {
                for (sums, a) in sums.iter_mut().zip(a.chunks_exact(inner)) {
                    for (b, &a) in b.chunks_exact(columns).zip(a) {
                        for (sum, &b) in sums.iter_mut().zip(&b[start..start + width]) {
                            *sum += a * b;
                        }
                    }
                }
            }
            for (out, sums) in out.chunks_exact_mut(columns).zip(&sums) {
                out[start..start + width].copy_from_slice(&sums[..width]);
            }
        }
    }
}

/// `out` = the transpose of `a`, which has `columns` columns.
#[inline(always)]
fn transpose<T: Float>(out: &mut [T], a: &[T], columns: usize) {
    let rows = a.len() / columns;
    for (i, line) in a.chunks_exact(columns).enumerate() {
        for (&x, out) in line.iter().zip(out.chunks_exact_mut(rows)) {
            out[i] = x;
        }
    }
}

#[inline(always)]
fn scale<T: Float>(values: &mut [T], by: f64) {
    let by = T::of(by);
    for x in values {
        *x = *x * by;
    }
}

#[inline(always)]
fn trace<T: Float>(a: &[T], side: usize) -> f64 {
    a.iter().step_by(side + 1).map(|x| x.to_f64()).sum()
}

/// The largest eigenvalue of a matrix of squares, with two more of its size to work in.
///
/// A power of the matrix, with trace 1, weighs the eigenvalues: at the power 2⁵² none counts that is not the largest to all its digits.
#[inline(always)]
fn largest_eigenvalue<T: Float>(a: &[T], side: usize, p: &mut [T], square: &mut [T]) -> f64 {
    let total = trace(a, side);
    if total == 0.0 {
        return 0.0;
    }
    p.copy_from_slice(a);
    scale(p, 1.0 / total);
    for _ in 0..52 {
        multiply(square, p, p, side, side);
        p.copy_from_slice(square);
        let total = trace(p, side);
        scale(p, 1.0 / total);
    }
    p.iter().zip(a).map(|(p, a)| p.to_f64() * a.to_f64()).sum()
}

impl Rule for Muon {
    const WHOLE: bool = true;

    fn name(&self) -> &'static str {
        "Muon"
    }

    fn validate(&self) -> Result<(), Error> {
        Error::check_non_negative("Muon", "lr", self.lr)?;
        Error::check_decay_rate("Muon", "momentum", self.momentum)?;
        let coefficients = (0..5).flat_map(|step| self.ns_coefficients.at(step));
        for x in coefficients {
            Error::unless(x.is_finite(), "Muon", "ns_coefficients", x, "finite")?;
        }
        let steps = self.ns_steps;
        Error::unless(steps < 100, "Muon", "ns_steps", steps as f64, "below 100")?;
        Error::check_non_negative("Muon", "eps", self.eps)?;
        if let AdjustLr::ConsistentRms { rms } = self.adjust_lr {
            Error::check_non_negative("Muon", "rms", rms)?;
        }
        Error::check_non_negative("Muon", "weight_decay", self.weight_decay)
    }

    fn check_shape(&self, shape: &[usize]) -> Result<(), Error> {
        if shape.len() == 2 {
            return Ok(());
        }
        Err(Error::UnsupportedShape {
            rule: "Muon",
            shape: shape.to_vec(),
            expected: "matrices",
        })
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["momentum_buffer"]
    }

    fn corrections(&self, t: u64) -> (f64, f64) {
        let bc = match self.form {
            MuonForm::Torch => 1.0,
            MuonForm::Optax => 1.0 - power(self.momentum, t),
        };
        (bc, 1.0)
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (theta, grad) = (step.theta, step.grad);
        let &[rows, columns] = step.shape else {
            return;
        };
        let n = theta.len();
        if n == 0 {
            return;
        }
        let (short, long) = (rows.min(columns), rows.max(columns));
        let square = short * short;
        step.scratch.resize(3 * (n + square), T::default());
        let (x, rest) = step.scratch.split_at_mut(n);
        let (y, rest) = rest.split_at_mut(n);
        let (x_t, rest) = rest.split_at_mut(n);
        let (a, rest) = rest.split_at_mut(square);
        let (b, work) = rest.split_at_mut(square);
        let (mut x, mut y) = (x, y);

        // u
        let (from_g, from_b) = self.shares(step.t);
        let (from_g, from_b) = (T::of(from_g), T::of(from_b));
        let (momentum, intake) = (T::of(self.momentum), T::of(1.0 - self.momentum));
        let [buffer, ..] = step.state;
        for ((u, &g), buffer) in y.iter_mut().zip(grad).zip(&mut *buffer) {
            *buffer = momentum * *buffer + intake * g;
            *u = from_g * g + from_b * *buffer;
        }

        // X: as many rows as the shorter side.
        let is_tall = rows > columns;
        if is_tall {
            transpose(x, y, columns);
        } else {
            x.copy_from_slice(y);
        }
        match self.preconditioning {
            Preconditioning::Frobenius => {
                let norm = sum_of_squares(x).sqrt();
                scale(x, 1.0 / self.with_eps(norm));
            }
            Preconditioning::Spectral => {
                transpose(x_t, x, long);
                multiply(a, x, x_t, long, short);
                let norm = largest_eigenvalue(a, short, b, work).sqrt();
                scale(x, 1.0 / self.with_eps(norm));
            }
            Preconditioning::Aol | Preconditioning::Schatten => {}
        }

        // The steps of Newton and Schulz.
        for i in 0..self.ns_steps {
            transpose(x_t, x, long);
            multiply(a, x, x_t, long, short);
            match (i, self.preconditioning) {
                (0, Preconditioning::Aol) => {
                    let sizes = &mut work[..short];
                    for (size, line) in sizes.iter_mut().zip(a.chunks_exact(short)) {
                        let sum: f64 = line.iter().map(|a| a.to_f64().abs()).sum();
                        *size = T::of(sum.larger(self.eps).sqrt());
                    }
                    let lines = x.chunks_exact_mut(long).zip(a.chunks_exact_mut(short));
                    for ((x, a), &size) in lines.zip(&*sizes) {
                        for x in x {
                            *x = *x / size;
                        }
                        for (a, &other) in a.iter_mut().zip(&*sizes) {
                            *a = *a / (size * other);
                        }
                    }
                }
                (0, Preconditioning::Schatten) => {
                    let size = sum_of_squares(a).sqrt().larger(self.eps);
                    scale(x, 1.0 / size.sqrt());
                    scale(a, 1.0 / size);
                }
                _ => {}
            }
            let [c1, c3, c5] = self.ns_coefficients.at(i).map(T::of);
            multiply(b, a, a, short, short);
            for (b, &a) in b.iter_mut().zip(&*a) {
                *b = c3 * a + c5 * *b;
            }
            multiply(y, b, x, short, long);
            for (y, &x) in y.iter_mut().zip(&*x) {
                *y += c1 * x;
            }
            std::mem::swap(&mut x, &mut y);
        }
        if is_tall {
            transpose(y, x, long);
            std::mem::swap(&mut x, &mut y);
        }

        let mut lr = self.adjusted_lr(rows, columns);
        if self.adaptive {
            let u = |g: T, b: T| from_g * g + from_b * b;
            let pairs = grad.iter().zip(&*buffer).zip(&*x);
            lr *= pairs
                .map(|((&g, &b), x)| u(g, b).to_f64() * x.to_f64())
                .sum::<f64>();
        }
        let (lr, keep) = (T::of(lr), T::of(1.0 - self.lr * self.weight_decay));
        for (theta, &x) in theta.iter_mut().zip(&*x) {
            *theta = keep * *theta - lr * x;
        }
    }
    // ANCHOR_END: update
}

/// Muon for matrices and AdamW for every other shape: one rule for a whole model.
///
/// ```text
/// a matrix        the step of Muon
/// otherwise       the step of AdamW at the rate lr · adamw_lr_scale
/// ```
///
/// A schedule sets the learning rate of both.
/// Embeddings and the last layer are matrices, too, and are better stepped by AdamW: give them a group of their own.
///
/// # Defaults
/// Those of [`Muon`] and [`AdamW`], which are PyTorch's, and the same learning rate for both.
/// [`optax`](Self::optax) has `optax.contrib.muon`'s: no weight decay, and Nesterov in AdamW too.
///
/// # State
/// A matrix: `momentum_buffer`, 1 float per parameter. Otherwise `exp_avg` and `exp_avg_sq`, 2 floats per parameter. All zero at first.
///
/// # Example
/// ```
/// use moments::{MuonAdamW, Optimizer};
/// use ndarray::array;
///
/// let rule = MuonAdamW { adamw_weight_decay: 0.0, adamw_lr_scale: 2.0, ..MuonAdamW::default() };
/// let mut bias = array![1.0_f64];
/// let mut opt = Optimizer::new(rule);
/// for expected in [0.998, 0.996] {
///     opt.step(&mut bias, &array![3.0])?; // Adam goes 2 · lr against a constant gradient
///     assert!((bias[0] - expected).abs() < 1e-10);
/// }
///
/// let mut weight = array![[1.0_f64, 0.0]];
/// let mut opt = Optimizer::new(rule);
/// opt.step(&mut weight, &array![[3.0, 0.0]])?;
/// assert_eq!(opt.state_names().collect::<Vec<_>>(), ["momentum_buffer"]);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails where one of [`Muon`] or of [`AdamW`] would, whatever the shape, and if `adamw_lr_scale` is negative or not finite.
///
/// # Differences from PyTorch and optax
/// `torch.optim.Muon` refuses other shapes. `optax.contrib.muon` is this rule.
///
/// # References
/// Those of [`Muon`] and [`AdamW`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct MuonAdamW {
    /// The rule for matrices; its learning rate is that of both.
    pub muon: Muon,
    /// The learning rate of AdamW as a multiple of Muon's.
    pub adamw_lr_scale: f64,
    /// β₁ of AdamW, in [0, 1).
    pub adamw_beta1: f64,
    /// β₂ of AdamW, in [0, 1).
    pub adamw_beta2: f64,
    /// ε of AdamW outside the root, in units of the gradient.
    pub adamw_eps: f64,
    /// ε of AdamW inside the root, in units of the gradient squared.
    pub adamw_eps_root: f64,
    /// The decoupled weight decay of AdamW, scaled by its learning rate.
    pub adamw_weight_decay: f64,
    /// Whether AdamW looks one step ahead, in Nesterov's way.
    pub adamw_nesterov: bool,
}

impl Default for MuonAdamW {
    fn default() -> Self {
        let adamw = AdamW::default();
        Self {
            muon: Muon::default(),
            adamw_lr_scale: 1.0,
            adamw_beta1: adamw.beta1,
            adamw_beta2: adamw.beta2,
            adamw_eps: adamw.eps,
            adamw_eps_root: adamw.eps_root,
            adamw_weight_decay: adamw.weight_decay,
            adamw_nesterov: adamw.nesterov,
        }
    }
}

impl MuonAdamW {
    /// The defaults of `optax.contrib.muon`, which has none for the learning rate: 1e-3.
    pub fn optax() -> Self {
        Self {
            muon: Muon::optax(),
            adamw_weight_decay: 0.0,
            adamw_nesterov: true,
            ..Self::default()
        }
    }

    /// The rule for everything that is not a matrix.
    pub fn adamw(&self) -> AdamW {
        AdamW {
            lr: self.muon.lr * self.adamw_lr_scale,
            beta1: self.adamw_beta1,
            beta2: self.adamw_beta2,
            eps: self.adamw_eps,
            eps_root: self.adamw_eps_root,
            weight_decay: self.adamw_weight_decay,
            nesterov: self.adamw_nesterov,
            ..AdamW::default()
        }
    }
}

impl Rule for MuonAdamW {
    const WHOLE: bool = true;

    fn name(&self) -> &'static str {
        "Muon with AdamW"
    }

    fn validate(&self) -> Result<(), Error> {
        self.muon.validate()?;
        Error::check_non_negative("MuonAdamW", "adamw_lr_scale", self.adamw_lr_scale)?;
        self.adamw().validate()
    }

    fn lr(&self) -> f64 {
        self.muon.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.muon.lr = lr;
    }

    fn state_names(&self, shape: &[usize]) -> &'static [&'static str] {
        if shape.len() == 2 {
            self.muon.state_names(shape)
        } else {
            self.adamw().state_names(shape)
        }
    }

    fn is_non_negative(&self, name: &str) -> bool {
        self.adamw().is_non_negative(name)
    }

    /// AdamW's.
    fn corrections(&self, t: u64) -> (f64, f64) {
        self.adamw().corrections(t)
    }

    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        if step.shape.len() == 2 {
            self.muon.step(step);
        } else {
            self.adamw().step(step);
        }
    }
}
