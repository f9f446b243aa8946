use crate::{Error, Float, Rule, Tensor, TensorMut};

/// The most state tensors that a rule can keep.
const MAX_STATE: usize = 4;

/// Entries that are gathered at a time from memory that is not in row-major order.
const BLOCK: usize = 64;

/// A rule with its step counter and its state, for one tensor of parameters.
///
/// The state has the parameters' shape in row-major order and is made at the first step, from which on a step allocates nothing.
///
/// ```
/// use moments::{Optimizer, Sgd};
///
/// let mut theta = [1.0, 2.0];
/// let mut opt = Optimizer::new(Sgd { lr: 0.1, ..Sgd::default() });
/// opt.step(&mut theta, &[10.0, 0.0])?;
/// assert_eq!(theta, [0.0, 2.0]);
///
/// let refused = opt.step(&mut theta, &[f64::NAN, 0.0]);
/// assert!(refused.is_err());
/// assert_eq!((opt.t(), theta), (1, [0.0, 2.0])); // nothing has changed
/// # Ok::<(), moments::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Optimizer<R, T = f64> {
    /// The rule; its hyperparameters may change between steps, as a schedule changes `lr`.
    pub rule: R,
    /// Whether a gradient with an infinite or NaN entry is refused (the default); looking for one reads the gradient once more.
    pub check_finite: bool,
    t: u64,
    shape: Option<Vec<usize>>,
    state: Vec<(&'static str, Vec<T>)>,
}

impl<R: Rule, T: Float> Optimizer<R, T> {
    /// An optimizer before its first step.
    ///
    /// The hyperparameters are checked by [`step`](Self::step), since they may change in between.
    pub fn new(rule: R) -> Self {
        Self {
            rule,
            check_finite: true,
            t: 0,
            shape: None,
            state: Vec::new(),
        }
    }

    /// The number of steps done: `t` of the last step, which counts from 1.
    pub fn t(&self) -> u64 {
        self.t
    }

    /// The names of the state tensors, none before the first step.
    pub fn state_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.state.iter().map(|(name, _)| *name)
    }

    /// A state tensor by name, such as `exp_avg`, in row-major order; `None` before the first step or if the rule keeps none of this name.
    pub fn state(&self, name: &str) -> Option<&[T]> {
        let (_, values) = self.state.iter().find(|(n, _)| *n == name)?;
        Some(values)
    }

    /// Applies one step to `params`, given the gradient of the loss there.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] if the rule means nothing, [`Error::GradientShape`] or [`Error::ParameterShape`] if shapes differ,
    /// [`Error::NonFiniteGradient`] if an entry is infinite or NaN and `check_finite` is set. Then nothing has changed.
    ///
    /// # Panics
    /// If the rule names more than four state tensors; then, too, nothing has changed.
    pub fn step<P, G>(&mut self, params: &mut P, grad: &G) -> Result<(), Error>
    where
        P: TensorMut<Elem = T> + ?Sized,
        G: Tensor<Elem = T> + ?Sized,
    {
        let count = self.rule.state_names().len();
        assert!(
            count <= MAX_STATE,
            "a rule keeps at most {MAX_STATE} state tensors"
        );
        self.rule.validate()?;
        self.check_shapes(params, grad)?;
        if self.check_finite {
            self.check_gradient(grad)?;
        }

        // Nothing can fail from here on.
        self.make_state(params);
        self.t += 1;
        match (params.as_contiguous_mut(), grad.as_contiguous()) {
            (Some(theta), Some(grad)) => {
                let all = 0..theta.len();
                let state = &mut window(&mut self.state, all)[..count];
                self.rule.step(self.t, theta, grad, state);
            }
            _ => self.step_gathered(params, grad, count),
        }
        Ok(())
    }

    /// The same step for memory in any order: entries are gathered by blocks, stepped and put back.
    fn step_gathered<P, G>(&mut self, params: &mut P, grad: &G, count: usize)
    where
        P: TensorMut<Elem = T> + ?Sized,
        G: Tensor<Elem = T> + ?Sized,
    {
        let mut entries = params.entries_mut().zip(grad.entries());
        let mut done = 0;
        loop {
            let mut homes = [const { None }; BLOCK];
            let mut theta = [T::default(); BLOCK];
            let mut g = [T::default(); BLOCK];
            let mut n = 0;
            for (entry, gradient) in entries.by_ref().take(BLOCK) {
                theta[n] = *entry;
                g[n] = *gradient;
                homes[n] = Some(entry);
                n += 1;
            }
            if n == 0 {
                break;
            }
            let state = &mut window(&mut self.state, done..done + n)[..count];
            self.rule.step(self.t, &mut theta[..n], &g[..n], state);
            for (home, value) in homes.into_iter().flatten().zip(theta) {
                *home = value;
            }
            done += n;
        }
    }

    fn check_shapes<P, G>(&self, params: &P, grad: &G) -> Result<(), Error>
    where
        P: Tensor + ?Sized,
        G: Tensor + ?Sized,
    {
        if !params.dims().eq(grad.dims()) {
            return Err(Error::GradientShape {
                params: params.dims().collect(),
                grad: grad.dims().collect(),
            });
        }
        match &self.shape {
            Some(shape) if !params.dims().eq(shape.iter().copied()) => Err(Error::ParameterShape {
                state: shape.clone(),
                params: params.dims().collect(),
            }),
            _ => Ok(()),
        }
    }

    fn check_gradient<G>(&self, grad: &G) -> Result<(), Error>
    where
        G: Tensor<Elem = T> + ?Sized,
    {
        match grad.entries().position(|g| !g.is_finite()) {
            None => Ok(()),
            Some(index) => Err(Error::NonFiniteGradient {
                t: self.t + 1,
                index,
                value: grad.entries().nth(index).map_or(f64::NAN, |g| g.to_f64()),
            }),
        }
    }

    /// Makes the state tensors that the rule asks for and that are not there yet.
    fn make_state<P: Tensor + ?Sized>(&mut self, params: &P) {
        let shape = self.shape.get_or_insert_with(|| params.dims().collect());
        let len = shape.iter().product();
        for (i, name) in self.rule.state_names().iter().enumerate() {
            if self.state.get(i).is_none_or(|(n, _)| n != name) {
                self.state.insert(i, (name, vec![T::default(); len]));
            }
        }
    }
}

/// The part of each state tensor that belongs to a run of entries; empty slices stand where there is no tensor.
fn window<'a, T>(
    state: &'a mut [(&'static str, Vec<T>)],
    range: std::ops::Range<usize>,
) -> [&'a mut [T]; MAX_STATE] {
    let mut tensors = state.iter_mut();
    std::array::from_fn(|_| match tensors.next() {
        Some((_, values)) => &mut values[range.clone()],
        None => &mut [],
    })
}
