use crate::kept::Kept;
use crate::{Float, Groups, Initial, MAX_STATE, Optimizer, Rule};

/// How large the effective learning rates of one tensor's coordinates are: `lr` divided by what the rule divides the coordinate's step by.
///
/// ```text
/// effective lr = lr / (√v̂ + ε)        for Adam; `Rule::denominator` says it for each rule
/// ```
///
/// It is read off the state after a step, by [`Optimizer::effective_lr`] and [`Groups::effective_lr`], and tells three failures early:
/// a spread of many decades (a few coordinates take all of the step), a maximum that climbs (v̂ dies out and the next large gradient will be multiplied by it),
/// and a large [`eps_share`](Self::eps_share) (the method has become gradient descent at rate lr / ε).
///
/// A coordinate whose gradients have all been zero, such as the row of a word that has not occurred, has the denominator ε and no step to divide.
/// Its lr / ε would swamp everything else, so it is [`untouched`](Self::untouched_share) and counted nowhere but there.
///
/// # What to log
/// | how often | what | what it tells |
/// |---|---|---|
/// | every step | `grad_norm`, `clip_factor` of [`Measures`](crate::Measures) | a spike, and whether clipping has become the rule |
/// | every step | `param_norm`, [`update_ratio`](crate::Measures::update_ratio) | parameters that drift away; steps too large or too small for them |
/// | every hundredth | `median`, `max` against `lr` | how far the method is from gradient descent, and whether v̂ dies out |
/// | every hundredth | `eps_share`, `untouched_share` | whether ε fits the gradients; parameters that nothing reaches |
///
/// The first two rows come from [`Optimizer::step_measured`], which takes them while the step has the numbers at hand.
///
/// # Example
/// Adam after one step: m̂ = g and √v̂ = |g| in real arithmetic, so that the effective rate is lr / (|g| + ε).
/// The gradients are 2 (counted), 10⁻⁹ (counted, and ten times smaller than ε) and 0 (untouched).
/// ```
/// use moments::{Adam, Optimizer};
///
/// let mut theta = [1.0_f64, 1.0, 1.0];
/// let mut opt = Optimizer::new(Adam { lr: 0.01, ..Adam::default() });
/// assert!(opt.effective_lr().is_none()); // nothing is known before the first step
/// opt.step(&mut theta, &[2.0, 1e-9, 0.0])?;
///
/// let rates = opt.effective_lr().unwrap();
/// assert!((rates.min / (0.01 / 2.000_000_01) - 1.0).abs() < 1e-12);
/// assert!((rates.max / (0.01 / 1.1e-8) - 1.0).abs() < 1e-12);
/// assert_eq!(rates.eps_share, 0.5); // of the two that are counted
/// assert_eq!(rates.untouched_share, 1.0 / 3.0); // of all three
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Differences from PyTorch and optax
/// Neither reports it. With their state the same numbers are `lr / (exp_avg_sq / (1 - beta2**t)).sqrt().add(eps)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EffectiveLr {
    /// The number of the step after which the state was read.
    pub t: u64,
    /// The learning rate that was divided: the rule's at the time of reading.
    pub lr: f64,
    /// The smallest effective learning rate of the counted coordinates, in units of the parameters per unit of the (averaged) gradient.
    ///
    /// Like the other four, it is NaN if no coordinate is counted.
    pub min: f64,
    /// A quarter of the counted coordinates have this effective learning rate or a smaller one.
    ///
    /// A quantile is always the rate of some coordinate: of n in ascending order the one at place ⌊q (n − 1)⌋, counted from 0.
    pub q25: f64,
    /// Half of them have this one or a smaller one.
    pub median: f64,
    /// Three quarters of them have this one or a smaller one.
    pub q75: f64,
    /// The largest; infinite where a denominator is zero and its coordinate is not untouched, as where g² underflows and ε is 0.
    pub max: f64,
    /// How many coordinates are counted: all but those that are untouched or not a number.
    pub counted: usize,
    /// The share of the counted coordinates where ε dominates: where the denominator is more than twice what it would be without ε.
    /// 0 if no coordinate is counted.
    pub eps_share: f64,
    /// The share of all coordinates without a gradient so far: the denominator without ε is zero, and so is all state that began at zero.
    /// 0 if there are no coordinates.
    pub untouched_share: f64,
    /// The share of all coordinates whose denominator is not a number, because a gradient was not: 0 while `check_finite` is set.
    pub nan_share: f64,
}

impl<R: Rule, T: Float> Optimizer<R, T> {
    /// The effective learning rate of every coordinate in row-major order: the rule's `lr` divided by the denominator that its present state gives.
    ///
    /// `None` before the first step, and for a rule that has no denominator at each coordinate, such as [`Sgd`](crate::Sgd).
    /// NaN where the denominator is, lr / ε where the coordinate never had a gradient; [`effective_lr`](Self::effective_lr) leaves both out.
    ///
    /// ```
    /// use moments::{Adam, Optimizer, Sgd};
    ///
    /// // f(x) = x² at x = 3: the gradient is 6, √v̂ = 6, and the step is lr / 6 · m̂ = lr / 6 · 6.
    /// let mut x = [3.0_f64];
    /// let mut adam = Optimizer::new(Adam { lr: 0.6, eps: 0.0, ..Adam::default() });
    /// adam.step(&mut x, &[6.0])?;
    /// assert!((adam.effective_lrs().unwrap()[0] - 0.1).abs() < 1e-15);
    ///
    /// let mut sgd = Optimizer::new(Sgd::default());
    /// sgd.step(&mut x, &[6.0])?;
    /// assert_eq!(sgd.effective_lrs(), None);
    /// # Ok::<(), moments::Error>(())
    /// ```
    pub fn effective_lrs(&self) -> Option<Vec<f64>> {
        let coordinates = coordinates(&self.rule, &self.kept)?;
        Some(coordinates.iter().map(|c| c.effective_lr).collect())
    }

    /// The quantiles of the effective learning rates, and how many coordinates ε dominates: see [`EffectiveLr`].
    ///
    /// `None` before the first step, and for a rule that has no denominator at each coordinate, such as [`Sgd`](crate::Sgd).
    ///
    /// It reads the state once more and takes memory for one number per coordinate: call it every hundredth step, not at every one.
    /// State in fewer bits is decoded first, so that the rates are those that the next step starts from.
    pub fn effective_lr(&self) -> Option<EffectiveLr> {
        summary(&self.rule, &self.kept)
    }
}

impl<R: Rule, T: Float> Groups<R, T> {
    /// The quantiles of the effective learning rates of one tensor: see [`EffectiveLr`] and [`Optimizer::effective_lr`].
    ///
    /// `None` before the tensor's first step, and for a rule that has no denominator at each coordinate.
    ///
    /// ```
    /// use moments::{Adam, Groups, Param};
    ///
    /// let mut opt = Groups::new().rest("all", Adam { lr: 0.6, ..Adam::default() });
    /// let (mut weight, mut bias) = ([1.0, 1.0], [0.0]);
    /// opt.step(&mut [
    ///     Param::new("weight", &mut weight, &[6.0, 0.0]),
    ///     Param::new("bias", &mut bias, &[3.0]),
    /// ])?;
    /// let rates = opt.effective_lr("weight").unwrap();
    /// assert!((rates.median - 0.6 / 6.0).abs() < 1e-9);
    /// assert_eq!((rates.counted, rates.untouched_share), (1, 0.5));
    /// assert!((opt.effective_lr("bias").unwrap().max - 0.6 / 3.0).abs() < 1e-9);
    /// assert_eq!(opt.effective_lr("none of this name"), None);
    /// # Ok::<(), moments::Error>(())
    /// ```
    pub fn effective_lr(&self, tensor: &str) -> Option<EffectiveLr> {
        let (rule, kept) = self.rule_and_kept(tensor)?;
        summary(rule, kept)
    }
}

/// What is known of one coordinate.
#[derive(Clone, Copy)]
struct Coordinate {
    effective_lr: f64,
    eps_dominates: bool,
    untouched: bool,
}

/// All coordinates in row-major order; `None` if there is no denominator.
fn coordinates<R: Rule, T: Float>(rule: &R, kept: &Kept<T>) -> Option<Vec<Coordinate>> {
    let shape = kept.shape.as_deref().filter(|_| kept.t > 0)?;
    let len = shape.iter().product();
    let names = rule.state_names(shape);
    let mut state = Vec::with_capacity(MAX_STATE);
    let mut from_zero = [false; MAX_STATE];
    for (name, from_zero) in names.iter().zip(&mut from_zero) {
        let tensor = kept.tensor(name)?;
        if tensor.shape != shape {
            return None;
        }
        state.push(tensor.values.decoded());
        *from_zero = rule.initial(name) == Initial::Zero;
    }
    let mut here = [0.0; MAX_STATE];
    let here = &mut here[..names.len()];
    (0..len)
        .map(|i| {
            for (here, tensor) in here.iter_mut().zip(&state) {
                *here = tensor[i].to_f64();
            }
            let denominator = rule.denominator(kept.t, here)?;
            // A learning rate of zero, as a warm-up begins with, takes no step whatever it is divided by.
            let still = rule.lr() == 0.0 && denominator.full == 0.0;
            let silent = |(value, from_zero): (&f64, bool)| !from_zero || *value == 0.0;
            Some(Coordinate {
                effective_lr: if still {
                    0.0
                } else {
                    rule.lr() / denominator.full
                },
                eps_dominates: denominator.full > 2.0 * denominator.root,
                untouched: denominator.root == 0.0 && here.iter().zip(from_zero).all(silent),
            })
        })
        .collect()
}

fn summary<R: Rule, T: Float>(rule: &R, kept: &Kept<T>) -> Option<EffectiveLr> {
    let coordinates = coordinates(rule, kept)?;
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    let counts = |c: &&Coordinate| !c.untouched && !c.effective_lr.is_nan();
    let mut rates: Vec<f64> = coordinates
        .iter()
        .filter(counts)
        .map(|c| c.effective_lr)
        .collect();
    let dominated = coordinates
        .iter()
        .filter(counts)
        .filter(|c| c.eps_dominates);
    let untouched = coordinates.iter().filter(|c| c.untouched);
    let nan = coordinates
        .iter()
        .filter(|c| !c.untouched && c.effective_lr.is_nan());
    let eps_share = share(dominated.count(), rates.len());
    let mut quantile = |quarters: usize| {
        if rates.is_empty() {
            return f64::NAN;
        }
        let place = (rates.len() - 1) * quarters / 4;
        *rates.select_nth_unstable_by(place, f64::total_cmp).1
    };
    Some(EffectiveLr {
        t: kept.t,
        lr: rule.lr(),
        min: quantile(0),
        q25: quantile(1),
        median: quantile(2),
        q75: quantile(3),
        max: quantile(4),
        counted: rates.len(),
        eps_share,
        untouched_share: share(untouched.count(), coordinates.len()),
        nan_share: share(nan.count(), coordinates.len()),
    })
}
