use crate::float::power;
use crate::tensor::dims;
use crate::{Denominator, Error, Float, Initial, Optimizer, Rule, Step, Tensor, TensorMut};

/// Schedule-free AdamW: averaging in place of a schedule, interpolation in place of momentum.
///
/// The parameters that are stepped are y, where the gradient is taken; z goes ahead, and x, their average, is the point to evaluate.
///
/// ```text
/// lr_t = lr · min(1, t / warmup)
/// w = tʳ · max(lr_1, …, lr_t)ᵖ        c = w / (sum of all w so far)
/// v ← β₂ v + (1 − β₂) g²             v̂ = v / (1 − β₂ᵗ)
/// u = g / (√v̂ + ε) + λ y             (λ z with DecayAt::Z)
/// y ← (1 − c) y + c z − lr_t (1 − β₁ (1 − c)) u
/// z ← z − lr_t u
/// x = y + (1 − 1/β₁)(z − y)
/// ```
///
/// [`Optimizer::evaluation_point`] writes x; evaluate the model there, and go on from y.
///
/// # Defaults
/// `lr` 0.0025, `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, no weight decay, no warm-up, `r` 0, `weight_lr_power` (p) 2: the authors' package.
///
/// # State
/// `z`, at first the parameters, and `exp_avg_sq` (v), zero at first, of the parameters' shape: 2 floats per parameter.
/// The numbers `weight_sum` and `lr_max`, 0 at first.
///
/// # Example
/// Without ε the first step goes lr against the sign, since c is 1; the second, with c = 1/2, moves y by half of the way to z and by 0.55 lr u.
/// ```
/// use moments::{Optimizer, ScheduleFreeAdamW};
///
/// let mut y = [1.0_f64];
/// let mut opt = Optimizer::new(ScheduleFreeAdamW { lr: 0.1, eps: 0.0, ..ScheduleFreeAdamW::default() });
/// for (y_expected, z_expected, x_expected) in [(0.9, 0.9, 0.9), (0.845, 0.8, 0.85)] {
///     opt.step(&mut y, &[2.0])?;
///     let mut x = [0.0];
///     opt.evaluation_point(&y, &mut x)?;
///     assert!((y[0] - y_expected).abs() < 1e-14);
///     assert!((opt.state("z").unwrap()[0] - z_expected).abs() < 1e-14);
///     assert!((x[0] - x_expected).abs() < 1e-14);
/// }
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr`, `eps` or `weight_decay` is negative or not finite, `beta1` is not in (0, 1), `beta2` not in [0, 1),
/// or `r` or `weight_lr_power` is not finite.
///
/// # Differences from PyTorch and optax
/// PyTorch has none. Without warm-up `optax.contrib.schedule_free_adamw` is the same in real arithmetic;
/// with it, optax steps with the rate of the step before, 0 at first, and weighs with the present one: [`ScheduleFreeForm`].
///
/// # References
/// Defazio, Yang, Khaled, Mishchenko, Mehta & Cutkosky (2024), "The Road Less Scheduled", Algorithm 1, arXiv:2405.15682.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ScheduleFreeAdamW {
    /// The learning rate η, in units of the parameters.
    pub lr: f64,
    /// How far y is from z towards x, in (0, 1): it stands for the momentum.
    pub beta1: f64,
    /// The decay rate β₂ of the second moment, in [0, 1).
    pub beta2: f64,
    /// ε outside the root, in units of the gradient.
    pub eps: f64,
    /// The decoupled weight decay λ, scaled by the learning rate.
    pub weight_decay: f64,
    /// The number of steps over which the learning rate rises to `lr`; 0 for none.
    pub warmup_steps: u64,
    /// The power of t in the weights of the average.
    pub r: f64,
    /// The power p of the learning rate in the weights of the average.
    pub weight_lr_power: f64,
    /// Where the weight decay is taken.
    pub decay_at: DecayAt,
    /// Whose form of the learning rate.
    pub form: ScheduleFreeForm,
}

/// Schedule-free SGD: averaging in place of a schedule, interpolation in place of momentum.
///
/// The parameters that are stepped are y, where the gradient is taken; z goes ahead, and x, their average, is the point to evaluate.
///
/// ```text
/// lr_t = lr · min(1, t / warmup)
/// w = tʳ · max(lr_1, …, lr_t)ᵖ        c = w / (sum of all w so far)
/// u = g + λ y
/// y ← (1 − c) y + c z − lr_t (1 − β₁ (1 − c)) u
/// z ← z − lr_t u
/// x = y + (1 − 1/β₁)(z − y)
/// ```
///
/// # Defaults
/// `lr` 1, `beta1` 0.9 (called momentum there), no weight decay, no warm-up, `r` 0, `weight_lr_power` (p) 2: the authors' package.
///
/// # State
/// `z`, at first the parameters, of their shape: 1 float per parameter. The numbers `weight_sum` and `lr_max`, 0 at first.
///
/// # Example
/// ```
/// use moments::{Optimizer, ScheduleFreeSgd};
///
/// let mut y = [1.0_f64];
/// let mut opt = Optimizer::new(ScheduleFreeSgd { lr: 0.25, beta1: 0.5, ..ScheduleFreeSgd::default() });
/// for (y_expected, z_expected) in [(0.5, 0.5), (0.3125, 0.25)] {
///     let grad = [2.0 * y[0]]; // f(y) = y²
///     opt.step(&mut y, &grad)?;
///     assert_eq!((y[0], opt.state("z").unwrap()[0]), (y_expected, z_expected));
/// }
/// let mut x = [0.0];
/// opt.evaluation_point(&y, &mut x)?; // the mean of both z
/// assert_eq!(x, [0.375]);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Errors
/// A step fails if `lr` or `weight_decay` is negative or not finite, `beta1` is not in (0, 1), or `r` or `weight_lr_power` is not finite.
///
/// # Differences from PyTorch and optax
/// As for [`ScheduleFreeAdamW`]. The authors' wrapper, which makes any rule schedule-free, is not here.
///
/// # References
/// Defazio, Yang, Khaled, Mishchenko, Mehta & Cutkosky (2024), "The Road Less Scheduled", equations 3 to 5, arXiv:2405.15682.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ScheduleFreeSgd {
    /// The learning rate η, in units of the parameters per unit of gradient.
    pub lr: f64,
    /// How far y is from z towards x, in (0, 1): it stands for the momentum.
    pub beta1: f64,
    /// The L2 coefficient λ: λ y is added to the gradient.
    pub weight_decay: f64,
    /// The number of steps over which the learning rate rises to `lr`; 0 for none.
    pub warmup_steps: u64,
    /// The power of t in the weights of the average.
    pub r: f64,
    /// The power p of the learning rate in the weights of the average.
    pub weight_lr_power: f64,
    /// Whose form of the learning rate.
    pub form: ScheduleFreeForm,
}

/// Where schedule-free AdamW takes its weight decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum DecayAt {
    /// At y, like the gradient: the paper, the authors' package, optax.
    #[default]
    Y,
    /// At z: an option of the authors' reference class.
    Z,
}

/// Whose form of the learning rate a schedule-free rule has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ScheduleFreeForm {
    /// The authors' package: v̂ is corrected, and step and weight have the same rate.
    #[default]
    Authors,
    /// optax: as the authors', but in the warm-up the step has the rate of the step before, lr · (t − 1) / warmup.
    Optax,
    /// Algorithm 1 of the paper: v is not corrected, and √(1 − β₂ᵗ) multiplies the rate, in the weights too.
    /// The same as the authors' for SGD.
    Paper,
}

/// A rule that steps y, keeps z as state, and is to be evaluated at their average x.
pub trait ScheduleFree: Rule {
    /// How far y is from z towards x.
    fn beta1(&self) -> f64;
}

impl<R: ScheduleFree, T: Float> Optimizer<R, T> {
    /// Writes the point of evaluation x, given the parameters y; before the first step they are the same.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] if the rule means nothing, [`Error::ParameterShape`] if `y` or `x` has not the shape of the steps before;
    /// then nothing is written.
    pub fn evaluation_point<Y, X>(&self, y: &Y, x: &mut X) -> Result<(), Error>
    where
        Y: Tensor<Elem = T> + ?Sized,
        X: TensorMut<Elem = T> + ?Sized,
    {
        self.rule.validate()?;
        let state = self.state_shape("z");
        let state: Vec<usize> = state.map_or_else(|| dims(y).collect(), <[_]>::to_vec);
        for params in [dims(y).collect::<Vec<_>>(), dims(x).collect()] {
            if params != state {
                return Err(Error::ParameterShape { state, params });
            }
        }
        let mut point = Vec::with_capacity(state.iter().product());
        y.append_to(&mut point);
        if let Some(z) = self.state("z") {
            let beyond = T::of(1.0 - 1.0 / self.rule.beta1());
            for (x, &z) in point.iter_mut().zip(z) {
                *x += beyond * (z - *x);
            }
        }
        x.copy_from(&point);
        Ok(())
    }
}

/// What the two rules share: the numbers of a step.
struct Average {
    /// The learning rate of the weights.
    lr: f64,
    r: f64,
    weight_lr_power: f64,
}

impl Average {
    /// The weight of this step's z.
    fn weight(&self, t: u64, lr_max: f64) -> f64 {
        (t as f64).pow(self.r) * lr_max.pow(self.weight_lr_power)
    }

    fn advance(&self, t: u64, scalars: &mut [f64]) {
        if let [weight_sum, lr_max] = scalars {
            *lr_max = lr_max.larger(self.lr);
            *weight_sum += self.weight(t, *lr_max);
        }
    }

    /// c: the share of this step's z in the average, 0 as long as all weights are 0.
    fn share(&self, t: u64, scalars: &[f64]) -> f64 {
        match scalars {
            &[weight_sum, lr_max] if weight_sum > 0.0 => self.weight(t, lr_max) / weight_sum,
            _ => 0.0,
        }
    }
}

/// How much of the learning rate there is at step `t` of a warm-up.
fn warmup(t: u64, warmup_steps: u64) -> f64 {
    if t < warmup_steps {
        t as f64 / warmup_steps as f64
    } else {
        1.0
    }
}

/// How much of the learning rate the step itself has.
fn warmup_of_step(form: ScheduleFreeForm, t: u64, warmup_steps: u64) -> f64 {
    match form {
        ScheduleFreeForm::Optax => warmup(t - 1, warmup_steps),
        ScheduleFreeForm::Authors | ScheduleFreeForm::Paper => warmup(t, warmup_steps),
    }
}

const SCALARS: &[(&str, f64)] = &[("weight_sum", 0.0), ("lr_max", 0.0)];

fn check_shared(rule: &'static str, beta1: f64, r: f64, weight_lr_power: f64) -> Result<(), Error> {
    let holds = beta1 > 0.0 && beta1 < 1.0;
    Error::unless(holds, rule, "beta1", beta1, "in (0, 1)")?;
    Error::unless(r.is_finite(), rule, "r", r, "finite")?;
    let p = weight_lr_power;
    Error::unless(p.is_finite(), rule, "weight_lr_power", p, "finite")
}

impl Default for ScheduleFreeAdamW {
    fn default() -> Self {
        Self {
            lr: 0.0025,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
            warmup_steps: 0,
            r: 0.0,
            weight_lr_power: 2.0,
            decay_at: DecayAt::Y,
            form: ScheduleFreeForm::Authors,
        }
    }
}

impl ScheduleFreeAdamW {
    /// The defaults of `optax.contrib.schedule_free_adamw`.
    pub fn optax() -> Self {
        Self {
            form: ScheduleFreeForm::Optax,
            ..Self::default()
        }
    }

    /// Algorithm 1 of Defazio et al. (2024).
    pub fn paper() -> Self {
        Self {
            form: ScheduleFreeForm::Paper,
            ..Self::default()
        }
    }
}

impl ScheduleFreeAdamW {
    /// √(1 − β₂ᵗ) where it multiplies the rate.
    fn rate_correction(&self, t: u64) -> f64 {
        match self.form {
            ScheduleFreeForm::Authors | ScheduleFreeForm::Optax => 1.0,
            ScheduleFreeForm::Paper => (1.0 - power(self.beta2, t)).sqrt(),
        }
    }

    fn average(&self, t: u64) -> Average {
        Average {
            lr: self.lr * warmup(t, self.warmup_steps) * self.rate_correction(t),
            r: self.r,
            weight_lr_power: self.weight_lr_power,
        }
    }
}

impl Rule for ScheduleFreeAdamW {
    fn name(&self) -> &'static str {
        "schedule-free AdamW"
    }

    fn validate(&self) -> Result<(), Error> {
        let rule = "ScheduleFreeAdamW";
        Error::check_non_negative(rule, "lr", self.lr)?;
        check_shared(rule, self.beta1, self.r, self.weight_lr_power)?;
        Error::check_decay_rate(rule, "beta2", self.beta2)?;
        Error::check_non_negative(rule, "eps", self.eps)?;
        Error::check_non_negative(rule, "weight_decay", self.weight_decay)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["z", "exp_avg_sq"]
    }

    fn initial(&self, name: &str) -> Initial {
        match name {
            "z" => Initial::Params,
            _ => Initial::Zero,
        }
    }

    fn is_non_negative(&self, name: &str) -> bool {
        name == "exp_avg_sq"
    }

    fn scalars(&self) -> &'static [(&'static str, f64)] {
        SCALARS
    }

    fn advance(&self, t: u64, scalars: &mut [f64]) {
        self.average(t).advance(t, scalars);
    }

    fn corrections(&self, t: u64) -> (f64, f64) {
        match self.form {
            ScheduleFreeForm::Authors | ScheduleFreeForm::Optax => {
                (1.0, 1.0 - power(self.beta2, t))
            }
            ScheduleFreeForm::Paper => (1.0, 1.0),
        }
    }

    fn denominator(&self, t: u64, state: &[f64]) -> Option<Denominator> {
        let (_, bc2) = self.corrections(t);
        let root = (state.get(1)? / bc2).sqrt();
        Some(Denominator {
            root,
            full: root + self.eps,
        })
    }

    // ANCHOR: update
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let (_, bc2) = step.corrections;
        let unbias2 = T::of(1.0 / bc2);
        let (beta2, one_minus_beta2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let (eps, weight_decay) = (T::of(self.eps), T::of(self.weight_decay));
        let warm = warmup_of_step(self.form, step.t, self.warmup_steps);
        let lr = self.lr * warm * self.rate_correction(step.t);
        let c = self.average(step.t).share(step.t, step.scalars);
        let y_lr = T::of(lr * (1.0 - self.beta1 * (1.0 - c)));
        let (lr, c) = (T::of(lr), T::of(c));
        let decay_at_z = self.decay_at == DecayAt::Z;

        let [z, v, ..] = step.state;
        for (((y, &g), z), v) in step.theta.iter_mut().zip(step.grad).zip(z).zip(v) {
            *v = beta2 * *v + one_minus_beta2 * g * g;
            let v_hat = unbias2 * *v;
            let decayed = if decay_at_z { *z } else { *y };
            let u = g / (v_hat.sqrt() + eps) + weight_decay * decayed;
            *y = *y + c * (*z - *y) - y_lr * u;
            *z -= lr * u;
        }
    }
    // ANCHOR_END: update
}

impl ScheduleFree for ScheduleFreeAdamW {
    fn beta1(&self) -> f64 {
        self.beta1
    }
}

impl Default for ScheduleFreeSgd {
    fn default() -> Self {
        Self {
            lr: 1.0,
            beta1: 0.9,
            weight_decay: 0.0,
            warmup_steps: 0,
            r: 0.0,
            weight_lr_power: 2.0,
            form: ScheduleFreeForm::Authors,
        }
    }
}

impl ScheduleFreeSgd {
    /// The defaults of `optax.contrib.schedule_free_sgd`.
    pub fn optax() -> Self {
        Self {
            form: ScheduleFreeForm::Optax,
            ..Self::default()
        }
    }
}

impl ScheduleFreeSgd {
    fn average(&self, t: u64) -> Average {
        Average {
            lr: self.lr * warmup(t, self.warmup_steps),
            r: self.r,
            weight_lr_power: self.weight_lr_power,
        }
    }
}

impl Rule for ScheduleFreeSgd {
    fn name(&self) -> &'static str {
        "schedule-free SGD"
    }

    fn validate(&self) -> Result<(), Error> {
        let rule = "ScheduleFreeSgd";
        Error::check_non_negative(rule, "lr", self.lr)?;
        check_shared(rule, self.beta1, self.r, self.weight_lr_power)?;
        Error::check_non_negative(rule, "weight_decay", self.weight_decay)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
        &["z"]
    }

    fn initial(&self, _name: &str) -> Initial {
        Initial::Params
    }

    fn scalars(&self) -> &'static [(&'static str, f64)] {
        SCALARS
    }

    fn advance(&self, t: u64, scalars: &mut [f64]) {
        self.average(t).advance(t, scalars);
    }

    // ANCHOR: sgd
    #[inline(always)]
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let weight_decay = T::of(self.weight_decay);
        let lr = self.lr * warmup_of_step(self.form, step.t, self.warmup_steps);
        let c = self.average(step.t).share(step.t, step.scalars);
        let y_lr = T::of(lr * (1.0 - self.beta1 * (1.0 - c)));
        let (lr, c) = (T::of(lr), T::of(c));

        let [z, ..] = step.state;
        for ((y, &g), z) in step.theta.iter_mut().zip(step.grad).zip(z) {
            let u = g + weight_decay * *y;
            *y = *y + c * (*z - *y) - y_lr * u;
            *z -= lr * u;
        }
    }
    // ANCHOR_END: sgd
}

impl ScheduleFree for ScheduleFreeSgd {
    fn beta1(&self) -> f64 {
        self.beta1
    }
}
