use crate::{Error, Float};
use std::fmt::Debug;

/// The most state tensors that a rule can keep.
pub const MAX_STATE: usize = 4;

/// An update rule: a plain struct of hyperparameters and one visible loop.
///
/// To add a rule, write a `Copy` struct with public `f64` fields and implement this trait; [`Optimizer`](crate::Optimizer)
/// does the rest: checks, the counter, state of the right size, any shape and stride, clipping, wide vectors, threads.
///
/// ```
/// use moments::{Error, Float, Optimizer, Rule, Step};
///
/// /// θ ← θ − lr · sign(g)
/// #[derive(Clone, Copy, Debug)]
/// struct SignDescent {
///     lr: f64,
/// }
///
/// impl Rule for SignDescent {
///     fn name(&self) -> &'static str {
///         "sign descent"
///     }
///     fn validate(&self) -> Result<(), Error> {
///         Ok(())
///     }
///     fn lr(&self) -> f64 {
///         self.lr
///     }
///     fn set_lr(&mut self, lr: f64) {
///         self.lr = lr;
///     }
///     fn state_names(&self, _shape: &[usize]) -> &'static [&'static str] {
///         &[]
///     }
///     #[inline(always)]
///     fn step<T: Float>(&self, step: Step<'_, T>) {
///         let lr = T::of(self.lr);
///         for (theta, &g) in step.theta.iter_mut().zip(step.grad) {
///             *theta -= lr * g.sign();
///         }
///     }
/// }
///
/// let mut theta = [1.0, 1.0];
/// Optimizer::new(SignDescent { lr: 0.25 }).step(&mut theta, &[-3.0, 0.0])?;
/// assert_eq!(theta, [1.25, 1.0]);
/// # Ok::<(), Error>(())
/// ```
pub trait Rule: Copy + Debug + Send + Sync + 'static {
    /// Whether an entry's step depends on other entries of its tensor, as where a norm is taken.
    ///
    /// If not, a tensor may be stepped in pieces, on several threads; if so, [`Step`] holds a whole tensor.
    const WHOLE: bool = false;

    /// The rule's name, for messages, traces and saved state.
    fn name(&self) -> &'static str;

    /// Whether the hyperparameters mean something.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] names the first field that does not.
    fn validate(&self) -> Result<(), Error>;

    /// Whether the rule can step a tensor of this shape.
    ///
    /// # Errors
    /// [`Error::UnsupportedShape`] if it cannot.
    fn check_shape(&self, shape: &[usize]) -> Result<(), Error> {
        let _ = shape;
        Ok(())
    }

    /// The learning rate.
    fn lr(&self) -> f64;

    /// Sets the learning rate, as a schedule does.
    fn set_lr(&mut self, lr: f64);

    /// The state tensors that the rule keeps for a parameter tensor of this shape, at most [`MAX_STATE`].
    ///
    /// The names are PyTorch's where PyTorch has the rule.
    fn state_names(&self, shape: &[usize]) -> &'static [&'static str];

    /// The shape of a state tensor, given the parameters' shape: the same unless the rule says otherwise, as where rows are averaged.
    fn state_shape(&self, name: &str, shape: &[usize]) -> Vec<usize> {
        let _ = name;
        shape.to_vec()
    }

    /// What a state tensor holds before the first step.
    fn initial(&self, name: &str) -> Initial {
        let _ = name;
        Initial::Zero
    }

    /// Whether a state tensor never has a negative entry, so that reduced state needs no sign.
    fn is_non_negative(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// The numbers that the rule carries from step to step, by name, with their initial values.
    fn scalars(&self) -> &'static [(&'static str, f64)] {
        &[]
    }

    /// Moves the numbers of [`scalars`](Self::scalars) to step `t` (from 1); called once a step, before the entries.
    fn advance(&self, t: u64, scalars: &mut [f64]) {
        let _ = (t, scalars);
    }

    /// What `m` and `v` are divided by at step `t` (from 1) to give `m_hat` and `v_hat`: (1, 1) for a rule without bias correction.
    fn corrections(&self, t: u64) -> (f64, f64) {
        let _ = t;
        (1.0, 1.0)
    }

    /// What the step is divided by at a coordinate after step `t`, given the state there in the order of [`state_names`](Self::state_names);
    /// `None` for a rule without a denominator of its own at each coordinate.
    fn denominator(&self, t: u64, state: &[f64]) -> Option<Denominator> {
        let _ = (t, state);
        None
    }

    /// Applies a step.
    fn step<T: Float>(&self, step: Step<'_, T>);
}

/// What a [`Rule`] is given: a run of entries of one tensor, or, if the rule is [`WHOLE`](Rule::WHOLE), all of them in row-major order.
#[derive(Debug)]
pub struct Step<'a, T> {
    /// The number of this step, from 1.
    pub t: u64,
    /// What [`Rule::corrections`] gives for this step.
    pub corrections: (f64, f64),
    /// The numbers of [`Rule::scalars`], moved to this step.
    pub scalars: &'a [f64],
    /// The shape of the whole tensor.
    pub shape: &'a [usize],
    /// The parameters.
    pub theta: &'a mut [T],
    /// Their gradients, as many.
    pub grad: &'a [T],
    /// The state in the order of [`Rule::state_names`]; each is as long as `theta` unless [`Rule::state_shape`] says otherwise,
    /// and empty where there is no such tensor.
    pub state: [&'a mut [T]; MAX_STATE],
    /// Memory that is kept between steps for a [`WHOLE`](Rule::WHOLE) rule to work in; what it holds is left from the step before.
    pub scratch: &'a mut Vec<T>,
}

/// What a state tensor holds before the first step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// Zeros.
    Zero,
    /// One value everywhere.
    Value(f64),
    /// The parameters at the first step.
    Params,
}

/// What a rule divides its step by at one coordinate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Denominator {
    /// The denominator without ε: `√v̂` for Adam.
    pub root: f64,
    /// The denominator with every ε in it: `√(v̂ + eps_root) + eps` for Adam.
    pub full: f64,
}

/// A rule that is also given the curvature at each coordinate: a diagonal of the Hessian, or an estimate of it.
pub trait CurvatureRule: Rule {
    /// Takes up an observation of the curvature after `t` steps.
    fn observe<T: Float>(&self, t: u64, curvature: &[T], state: [&mut [T]; MAX_STATE]);
}
