use crate::norm::{sum_of_run, sum_of_squares};
use crate::{Error, Float, Rule, Step};

/// Adafactor: a second moment kept as the averages of its rows and of its columns, and steps relative to the size of the parameters.
///
/// ```text
/// β̂₂ = 1 − t^−c        (t − decay_offset in place of t)
/// r ← β̂₂ r + (1 − β̂₂) mean of g² + ε₁ over each row           (+ ε₁ with EpsForm::Squares alone)
/// c ← β̂₂ c + (1 − β̂₂) mean of g² + ε₁ over each column
/// v̂ = r c / mean of r over its column                          (a vector: v ← β̂₂ v + (1 − β̂₂)(g² + ε₁), v̂ = v)
/// u = g / √v̂                                                   (EpsForm::Denominator: g / √max(v̂, ε₁²), mean at least ε₁)
/// u ← u / max(1, rms(u) / d)
/// u ← ρ · max(ε₂, rms(θ)) · u                                  ρ = lr, or min(lr, 1/√t) with StepSize::Relative
/// m ← β₁ m + (1 − β₁) u, u ← m                                 where β₁ is not 0
/// θ ← θ − λ' θ − u                                             λ' = lr · λ, or λ with AdafactorDecay::Unscaled
/// ```
///
/// # Defaults
/// `lr` 0.01, c (`decay_exponent`) 0.8, ε₁ (`eps`) the machine epsilon, ε₂ (`eps_scale`) 1e-3, d (`clip`) 1, no momentum, no weight decay:
/// `torch.optim.Adafactor`.
///
/// # State
/// `exp_avg_sq_row` (r) and `exp_avg_sq_col` (c) where the tensor is factored: the parameters' shape without the column axis, and without the row axis,
/// so a float per row and one per column of each matrix. `exp_avg_sq` (v) otherwise: 1 float per parameter.
/// `exp_avg` (m) with a first moment: 1 float per parameter. All zero at first.
///
/// # Example
/// The first step makes v̂ the product of both means over their own: 2.5 and 6.5 in rows, 5 and 4 in columns, 4.5 in all.
/// ```
/// use moments::{Adafactor, Optimizer};
/// use ndarray::array;
///
/// let mut theta = array![[1.0_f64, 1.0], [1.0, 1.0]];
/// let mut opt = Optimizer::new(Adafactor { clip: f64::INFINITY, ..Adafactor::default() });
/// opt.step(&mut theta, &array![[1.0, 2.0], [3.0, 2.0]])?;
/// assert_eq!(opt.state("exp_avg_sq_row"), Some(&[2.5, 6.5][..]));
/// assert_eq!(opt.state("exp_avg_sq_col"), Some(&[5.0, 4.0][..]));
/// assert!((theta[[0, 1]] - (1.0 - 0.01 * 2.0 / (2.5_f64 * 4.0 / 4.5).sqrt())).abs() < 1e-15);
///
/// // In the second step β̂₂ = 1 − 2^−0.8 = 0.4257.
/// opt.step(&mut theta, &array![[0.0, 0.0], [0.0, 0.0]])?;
/// assert!((opt.state("exp_avg_sq_row").unwrap()[0] - 2.5 * (1.0 - 2f64.powf(-0.8))).abs() < 1e-15);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `decay_exponent`, `eps`, `eps_scale` or `weight_decay` is negative or not finite, `beta1` is outside [0, 1),
/// `decay_offset` is not finite, or `clip` is not above 0.
/// With [`EpsForm::Squares`] and `eps` 0, an entry whose gradients have all been 0 becomes 0/0 = NaN.
///
/// # Differences from PyTorch and optax
/// They are different rules by the same name, and each named enum here has a variant for either:
/// [`StepSize`], [`EpsForm`], [`Factoring`], [`AdafactorDecay`].
/// PyTorch's ε₁ is the machine epsilon of the parameters' type, which `eps: None` stands for; its row and column averages keep an axis of length 1.
/// `optax.adafactor` computes β̂₂ in `f32`, which moves the parameters by about 2e-7 of their way, and keeps its momentum in `f32`.
/// Of axes of equal length, the last count as the largest here; optax sorts them in an order that NumPy does not promise.
/// The paper has sums where both have means, which is the same rule.
///
/// # References
/// Shazeer & Stern (2018), "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", Algorithms 4 to 6, arXiv:1804.04235.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Adafactor {
    /// The learning rate η, relative to the size of the parameters; PyTorch's and the paper's largest one.
    pub lr: f64,
    /// How ρ follows from `lr`.
    pub step_size: StepSize,
    /// The decay rate β₁ of the first moment of the step, in [0, 1); 0 keeps none.
    pub beta1: f64,
    /// c in β̂₂ = 1 − t^−c.
    pub decay_exponent: f64,
    /// What is taken off t there (never below 1), for a run that goes on from another.
    pub decay_offset: f64,
    /// ε₁; `None` for the machine epsilon of the parameters' type.
    pub eps: Option<f64>,
    /// Where ε₁ is, and in which units.
    pub eps_form: EpsForm,
    /// ε₂: the smallest size of the parameters that the step is relative to.
    pub eps_scale: f64,
    /// d: the largest root mean square of u; infinite for no clipping.
    pub clip: f64,
    /// Whether the step is relative to the size of the parameters.
    pub multiply_by_parameter_scale: bool,
    /// Which two axes are rows and columns.
    pub factoring: Factoring,
    /// A tensor is factored only if both axes are at least this long.
    pub min_dim_size_to_factor: usize,
    /// The decoupled weight decay λ.
    pub weight_decay: f64,
    /// What the weight decay is scaled by.
    pub decay: AdafactorDecay,
}

/// How Adafactor's relative step size ρ follows from the learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum StepSize {
    /// min(lr, 1/√t): PyTorch; the paper with `lr` 0.01.
    #[default]
    Relative,
    /// lr: optax.
    Constant,
}

/// Where Adafactor's ε₁ is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum EpsForm {
    /// The smallest √v̂, and the smallest mean of r, in units of the gradient: PyTorch.
    #[default]
    Denominator,
    /// Added to g² before it is averaged, in units of the gradient squared: the paper, optax.
    Squares,
}

/// Which axes of a tensor Adafactor takes for rows and columns; the others count its matrices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Factoring {
    /// The last axis for columns, the one before it for rows: PyTorch.
    #[default]
    LastTwo,
    /// The longest axis for columns, the second longest for rows: optax.
    LargestTwo,
    /// None: v is kept in full, as for a vector.
    Off,
}

/// What Adafactor's weight decay is scaled by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum AdafactorDecay {
    /// By `lr`: PyTorch.
    #[default]
    Lr,
    /// By nothing: optax.
    Unscaled,
}

impl Default for Adafactor {
    fn default() -> Self {
        Self {
            lr: 0.01,
            step_size: StepSize::Relative,
            beta1: 0.0,
            decay_exponent: 0.8,
            decay_offset: 0.0,
            eps: None,
            eps_form: EpsForm::Denominator,
            eps_scale: 1e-3,
            clip: 1.0,
            multiply_by_parameter_scale: true,
            factoring: Factoring::LastTwo,
            min_dim_size_to_factor: 0,
            weight_decay: 0.0,
            decay: AdafactorDecay::Lr,
        }
    }
}

impl Adafactor {
    /// The defaults of `torch.optim.Adafactor`.
    pub fn torch() -> Self {
        Self::default()
    }

    /// The defaults of `optax.adafactor`, which has none for the learning rate: 0.01 as in PyTorch.
    pub fn optax() -> Self {
        Self {
            step_size: StepSize::Constant,
            eps: Some(1e-30),
            eps_form: EpsForm::Squares,
            factoring: Factoring::LargestTwo,
            min_dim_size_to_factor: 128,
            decay: AdafactorDecay::Unscaled,
            ..Self::default()
        }
    }

    /// Algorithms 4 and 5 of Shazeer & Stern (2018) with the settings of Algorithm 6.
    pub fn paper() -> Self {
        Self {
            eps: Some(1e-30),
            eps_form: EpsForm::Squares,
            ..Self::default()
        }
    }
}

impl Adafactor {
    /// The axes of rows and columns, or `None` where v is kept in full.
    fn axes(&self, shape: &[usize]) -> Option<(usize, usize)> {
        let rank = shape.len();
        if rank < 2 {
            return None;
        }
        let (row, column) = match self.factoring {
            Factoring::Off => return None,
            Factoring::LastTwo => (rank - 2, rank - 1),
            Factoring::LargestTwo => {
                let largest = |but| {
                    (0..rank)
                        .filter(|i| Some(*i) != but)
                        .max_by_key(|&i| shape[i])
                };
                let column = largest(None)?;
                (largest(Some(column))?, column)
            }
        };
        let shorter = shape[row].min(shape[column]);
        (shorter >= self.min_dim_size_to_factor).then_some((row, column))
    }

    /// β̂₂ at step `t`, and 1 − β̂₂.
    fn decay_rate(&self, t: u64) -> (f64, f64) {
        let t = (t as f64 - self.decay_offset).larger(1.0);
        let rest = t.pow(-self.decay_exponent);
        (1.0 - rest, rest)
    }

    /// ε₁ as it is added to g², and as the smallest denominator.
    fn eps_of<T: Float>(&self) -> (f64, f64) {
        let machine = if size_of::<T>() == 4 {
            f64::from(f32::EPSILON)
        } else {
            f64::EPSILON
        };
        let eps = self.eps.unwrap_or(machine);
        match self.eps_form {
            EpsForm::Denominator => (0.0, eps),
            EpsForm::Squares => (eps, 0.0),
        }
    }

    /// What u is multiplied by, for a step from parameters of this size.
    fn step_size(&self, t: u64, rms_theta: f64, rms_u: f64) -> f64 {
        let rho = match self.step_size {
            StepSize::Relative => self.lr.min(1.0 / (t as f64).sqrt()),
            StepSize::Constant => self.lr,
        };
        let scale = if self.multiply_by_parameter_scale {
            rms_theta.larger(self.eps_scale)
        } else {
            1.0
        };
        rho * scale / (rms_u / self.clip).larger(1.0)
    }

    /// 1 − λ'.
    fn keep(&self) -> f64 {
        1.0 - match self.decay {
            AdafactorDecay::Lr => self.lr * self.weight_decay,
            AdafactorDecay::Unscaled => self.weight_decay,
        }
    }
}

/// A tensor as `[outer, first, between, second, inner]`, where `first` and `second` are the lengths of two axes.
#[derive(Clone, Copy)]
struct View {
    outer: usize,
    first: usize,
    between: usize,
    second: usize,
    inner: usize,
    /// Whether the rows are along the first of the two axes.
    rows_first: bool,
}

impl View {
    fn new(shape: &[usize], (row, column): (usize, usize)) -> Self {
        let (a, b) = (row.min(column), row.max(column));
        Self {
            outer: shape[..a].iter().product(),
            first: shape[a],
            between: shape[a + 1..b].iter().product(),
            second: shape[b],
            inner: shape[b + 1..].iter().product(),
            rows_first: row < column,
        }
    }

    /// The length of the first axis, and the number of entries for each place on it; then those of the second.
    fn along_first(&self) -> (usize, usize) {
        (self.first, self.between * self.second * self.inner)
    }

    fn along_second(&self) -> (usize, usize) {
        (self.second, self.inner)
    }
}

/// The mean of `f` over an axis of this length with `inner` entries for each place on it, in `f64` and in one order; `put` gets the place and the mean.
#[inline(always)]
fn means<T: Float>(
    values: &[T],
    (len, inner): (usize, usize),
    f: impl Fn(T) -> f64 + Copy,
    mut put: impl FnMut(usize, f64),
) {
    const WIDTH: usize = 128;
    for (o, block) in values.chunks_exact(len * inner).enumerate() {
        if inner == 1 {
            put(o, sum_of_run(block, f) / len as f64);
            continue;
        }
        for start in (0..inner).step_by(WIDTH) {
            let width = WIDTH.min(inner - start);
            let mut sums = [0.0; WIDTH];
            for line in block.chunks_exact(inner) {
                for (sum, &x) in sums.iter_mut().zip(&line[start..start + width]) {
                    *sum += f(x);
                }
            }
            for (i, sum) in sums[..width].iter().enumerate() {
                put(o * inner + start + i, sum / len as f64);
            }
        }
    }
}

#[inline(always)]
fn square<T: Float>(x: T) -> f64 {
    x.to_f64() * x.to_f64()
}

impl Rule for Adafactor {
    const WHOLE: bool = true;

    fn name(&self) -> &'static str {
        "Adafactor"
    }

    fn validate(&self) -> Result<(), Error> {
        let rule = "Adafactor";
        Error::check_non_negative(rule, "lr", self.lr)?;
        Error::check_decay_rate(rule, "beta1", self.beta1)?;
        Error::check_non_negative(rule, "decay_exponent", self.decay_exponent)?;
        let holds = self.decay_offset.is_finite();
        Error::unless(holds, rule, "decay_offset", self.decay_offset, "finite")?;
        Error::check_non_negative(rule, "eps", self.eps.unwrap_or(0.0))?;
        Error::check_non_negative(rule, "eps_scale", self.eps_scale)?;
        Error::unless(self.clip > 0.0, rule, "clip", self.clip, "above 0")?;
        Error::check_non_negative(rule, "weight_decay", self.weight_decay)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, shape: &[usize]) -> &'static [&'static str] {
        match (self.axes(shape), self.beta1 == 0.0) {
            (Some(_), true) => &["exp_avg_sq_row", "exp_avg_sq_col"],
            (Some(_), false) => &["exp_avg_sq_row", "exp_avg_sq_col", "exp_avg"],
            (None, true) => &["exp_avg_sq"],
            (None, false) => &["exp_avg_sq", "exp_avg"],
        }
    }

    fn state_shape(&self, name: &str, shape: &[usize]) -> Vec<usize> {
        let mut kept = shape.to_vec();
        match (name, self.axes(shape)) {
            ("exp_avg_sq_row", Some((_, column))) => {
                kept.remove(column);
            }
            ("exp_avg_sq_col", Some((row, _))) => {
                kept.remove(row);
            }
            _ => {}
        }
        kept
    }

    fn is_non_negative(&self, name: &str) -> bool {
        name != "exp_avg"
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (theta, grad) = (step.theta, step.grad);
        let n = theta.len();
        if n == 0 {
            return;
        }
        let (beta2, rest) = self.decay_rate(step.t);
        let (beta2, one_minus_beta2) = (T::of(beta2), T::of(rest));
        let (eps_added, eps_least) = self.eps_of::<T>();
        let v_least = T::of(eps_least * eps_least);
        let rms_theta = (sum_of_squares(theta) / n as f64).sqrt();

        let u = step.scratch;
        u.clear();
        let m = if let Some(axes) = self.axes(step.shape) {
            let view = View::new(step.shape, axes);
            let [row, column, m, _] = step.state;
            let (by_first, by_second) = if view.rows_first {
                (&mut *column, &mut *row)
            } else {
                (&mut *row, &mut *column)
            };
            means(grad, view.along_first(), square, |i, mean| {
                by_first[i] = beta2 * by_first[i] + one_minus_beta2 * T::of(mean + eps_added);
            });
            means(grad, view.along_second(), square, |i, mean| {
                by_second[i] = beta2 * by_second[i] + one_minus_beta2 * T::of(mean + eps_added);
            });

            // The mean of the row averages of each matrix stands behind u.
            let matrices = view.outer * view.between * view.inner;
            u.resize(n + matrices, T::default());
            let (u, mean) = u.split_at_mut(n);
            // The rows have lost the other axis already.
            let along = if view.rows_first {
                (view.first, view.between * view.inner)
            } else {
                view.along_second()
            };
            means(row, along, T::to_f64, |i, r| mean[i] = T::of(r));

            let (by_first, by_second) = if view.rows_first {
                (column, row)
            } else {
                (row, column)
            };
            let line = view.second * view.inner;
            let lines = u.chunks_exact_mut(line).zip(grad.chunks_exact(line));
            for (at, (u, grad)) in lines.enumerate() {
                let matrix = at / (view.first * view.between) * view.between + at % view.between;
                let by_first = &by_first[matrix * line..][..line];
                let by_second = &by_second[at * view.inner..][..view.inner];
                let mean = &mean[matrix * view.inner..][..view.inner];
                let least = T::of(eps_least);
                let entry = |g: T, by_first: T, by_second: T, mean: T| {
                    let v_hat = by_second / mean.larger(least) * by_first;
                    g / v_hat.larger(v_least).sqrt()
                };
                let entries = u.iter_mut().zip(grad).zip(by_first);
                if let (&[by_second], &[mean]) = (by_second, mean) {
                    for ((u, &g), &by_first) in entries {
                        *u = entry(g, by_first, by_second, mean);
                    }
                } else {
                    let turns = by_second.iter().zip(mean).cycle();
                    for (((u, &g), &by_first), (&by_second, &mean)) in entries.zip(turns) {
                        *u = entry(g, by_first, by_second, mean);
                    }
                }
            }
            m
        } else {
            let [v, m, ..] = step.state;
            u.resize(n, T::default());
            for ((u, &g), v) in u.iter_mut().zip(grad).zip(v) {
                *v = beta2 * *v + one_minus_beta2 * (g * g + T::of(eps_added));
                *u = g / v.larger(v_least).sqrt();
            }
            m
        };

        let rms_u = (sum_of_squares(&u[..n]) / n as f64).sqrt();
        let size = T::of(self.step_size(step.t, rms_theta, rms_u));
        let keep = T::of(self.keep());
        if self.beta1 == 0.0 {
            for (theta, &u) in theta.iter_mut().zip(&*u) {
                *theta = keep * *theta - size * u;
            }
            return;
        }
        let (beta1, one_minus_beta1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        for ((theta, &u), m) in theta.iter_mut().zip(&*u).zip(m) {
            *m = beta1 * *m + one_minus_beta1 * (size * u);
            *theta = keep * *theta - *m;
        }
    }
    // ANCHOR_END: update
}
