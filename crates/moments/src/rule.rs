use crate::{Error, Float};
use std::fmt::Debug;

/// An update rule: a plain struct of hyperparameters and one visible loop.
///
/// To add a rule, write a `Copy` struct with public `f64` fields and implement this trait; [`Optimizer`](crate::Optimizer)
/// does the rest: checks, the counter, state of the right size, any shape and stride.
pub trait Rule: Copy + Debug {
    /// The rule's name, for messages and traces.
    fn name(&self) -> &'static str;

    /// Whether the hyperparameters mean something.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] names the first field that does not.
    fn validate(&self) -> Result<(), Error>;

    /// The state tensors that the rule keeps, each as long as the parameters and zero at first.
    ///
    /// The names are PyTorch's where PyTorch has the rule. There are at most four.
    fn state_names(&self) -> &'static [&'static str];

    /// What `m` and `v` are divided by at step `t` (from 1) to give `m_hat` and `v_hat`: (1, 1) for a rule without bias correction.
    fn corrections(&self, t: u64) -> (f64, f64) {
        let _ = t;
        (1.0, 1.0)
    }

    /// Applies step `t` (from 1) to a run of entries: `theta`, `grad` and each tensor of `state` have the same length.
    ///
    /// # Panics
    /// If `state` has not one tensor for each of [`state_names`](Self::state_names).
    fn step<T: Float>(&self, t: u64, theta: &mut [T], grad: &[T], state: &mut [&mut [T]]);
}
