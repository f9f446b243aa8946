use crate::driver::{self, Sums, Treatment};
use crate::kept::Kept;
use crate::tensor::dims;
use crate::{Clip, CurvatureRule, Error, Float, Rule, Storage, Tensor, TensorMut};

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
    /// How the gradient is clipped before the rule sees it; `None`, the default, leaves it as it is.
    pub clip: Option<Clip>,
    storage: Storage,
    pub(crate) kept: Kept<T>,
}

impl<R: Rule, T: Float> Optimizer<R, T> {
    /// An optimizer before its first step.
    ///
    /// The hyperparameters are checked by [`step`](Self::step), since they may change in between.
    pub fn new(rule: R) -> Self {
        Self::with_storage(rule, Storage::Full)
    }

    /// An optimizer that keeps its state in fewer bits.
    ///
    /// See [`Storage`] for what that costs in accuracy. A rule that needs whole tensors, or whose state does not start at zero, keeps it in full:
    /// its first step fails with [`Error::Storage`].
    pub fn with_storage(rule: R, storage: Storage) -> Self {
        Self {
            rule,
            check_finite: true,
            clip: None,
            storage,
            kept: Kept::new(),
        }
    }

    /// The number of steps done: `t` of the last step, which counts from 1.
    pub fn t(&self) -> u64 {
        self.kept.t
    }

    /// How the state is kept.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// The names of the state tensors, none before the first step.
    pub fn state_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.kept.tensors.iter().map(|tensor| tensor.name)
    }

    /// A state tensor by name, such as `exp_avg`, in row-major order; `None` before the first step, if the rule keeps none of this name,
    /// or if it is kept in fewer bits ([`state_decoded`](Self::state_decoded)).
    pub fn state(&self, name: &str) -> Option<&[T]> {
        self.kept.full(name)
    }

    /// A copy of a state tensor by name, however it is kept; `None` before the first step or if the rule keeps none of this name.
    pub fn state_decoded(&self, name: &str) -> Option<Vec<T>> {
        Some(self.kept.tensor(name)?.values.decoded())
    }

    /// The shape of a state tensor; `None` before the first step or if the rule keeps none of this name.
    pub fn state_shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.kept.tensor(name)?.shape)
    }

    /// The bytes that the state tensors take; 0 before the first step.
    pub fn state_bytes(&self) -> usize {
        let tensors = self.kept.tensors.iter();
        tensors.map(|tensor| tensor.values.bytes()).sum()
    }

    /// A number that the rule carries from step to step, such as NAdam's `mu_product`; `None` before the first step or if there is none of this name.
    pub fn scalar(&self, name: &str) -> Option<f64> {
        self.kept.scalar(&self.rule, name)
    }

    /// Applies one step to `params`, given the gradient of the loss there.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] if the rule or the clipping means nothing, [`Error::GradientShape`], [`Error::ParameterShape`] or
    /// [`Error::UnsupportedShape`] if a shape does not fit, [`Error::NonFiniteGradient`] if an entry is infinite or NaN and `check_finite` is set,
    /// [`Error::Storage`] if the rule cannot keep its state as asked. Then nothing has changed.
    ///
    /// # Panics
    /// If the rule names more than [`MAX_STATE`](crate::MAX_STATE) state tensors; then, too, no parameter has changed.
    pub fn step<P, G>(&mut self, params: &mut P, grad: &G) -> Result<(), Error>
    where
        P: TensorMut<Elem = T> + ?Sized,
        G: Tensor<Elem = T> + ?Sized,
    {
        self.advance(params, grad, false).map(|_| ())
    }

    /// Applies one step as [`step`](Self::step) does, and measures it on the way.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    ///
    /// # Panics
    /// As [`step`](Self::step).
    pub fn step_measured<P, G>(&mut self, params: &mut P, grad: &G) -> Result<Measures, Error>
    where
        P: TensorMut<Elem = T> + ?Sized,
        G: Tensor<Elem = T> + ?Sized,
    {
        self.advance(params, grad, true)
    }

    fn advance<P, G>(&mut self, params: &mut P, grad: &G, measure: bool) -> Result<Measures, Error>
    where
        P: TensorMut<Elem = T> + ?Sized,
        G: Tensor<Elem = T> + ?Sized,
    {
        self.rule.validate()?;
        self.kept.check_shapes(&self.rule, params, grad)?;
        self.kept.check_storage(&self.rule, self.storage, params)?;
        self.clip.map_or(Ok(()), |clip| clip.validate())?;
        let (kept, rule, storage) = (&mut self.kept, &self.rule, self.storage);
        let is_first = kept.shape.is_none();
        kept.begin(rule, dims(params));
        let entries = dims(params).product();
        let grad = kept.lay_out_grad(grad);
        let theta = kept.lay_out(params);
        let strided = theta.is_none();
        let (check_finite, clip) = (self.check_finite, self.clip);
        // The check and the step go to the other threads together: waking them costs more than either takes for a short tensor.
        let stepped = driver::enter(entries, || {
            let norm_is_needed = clip.is_some_and(Clip::is_by_norm);
            let norm = kept.check_gradient(grad, check_finite, norm_is_needed)?;
            let gradient = Treatment::of(clip, norm);
            // Nothing can fail from here on.
            let sums = kept.advance(rule, storage, theta, grad, gradient, measure);
            Ok((sums, gradient.factor))
        });
        let (sums, clip_factor) = match stepped {
            Ok(stepped) => stepped,
            Err(error) => {
                if is_first {
                    kept.forget_beginning();
                }
                return Err(error);
            }
        };
        if strided {
            params.copy_from(kept.theta());
        }
        Ok(Measures::new(kept.t, rule.lr(), clip_factor, sums))
    }
}

impl<R: CurvatureRule, T: Float> Optimizer<R, T> {
    /// Gives the rule the curvature at each coordinate: a diagonal of the Hessian, or an estimate of it, of the parameters' shape.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] if the rule means nothing, [`Error::ParameterShape`] if the shape is not that of the steps before,
    /// [`Error::NonFiniteGradient`] if an entry is infinite or NaN and `check_finite` is set. Then nothing has changed.
    pub fn observe_curvature<G>(&mut self, curvature: &G) -> Result<(), Error>
    where
        G: Tensor<Elem = T> + ?Sized,
    {
        self.rule.validate()?;
        let kept = &mut self.kept;
        kept.check_shapes(&self.rule, curvature, curvature)?;
        kept.check_storage(&self.rule, self.storage, curvature)?;
        let entries = kept.lay_out_grad(curvature);
        kept.check_gradient(entries, self.check_finite, false)?;
        kept.begin(&self.rule, dims(curvature));
        kept.observe(&self.rule, self.storage, entries);
        Ok(())
    }
}

/// What a step was like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// The number of the step, from 1.
    pub t: u64,
    /// The learning rate of the rule at this step.
    pub lr: f64,
    /// The Euclidean norm of the gradient as it was given, before clipping.
    pub grad_norm: f64,
    /// What the gradient was multiplied by to clip its norm; 1 if it was not.
    pub clip_factor: f64,
    /// The Euclidean norm of the parameters before the step.
    pub param_norm: f64,
    /// The Euclidean norm of what the step added to them.
    pub update_norm: f64,
}

impl Measures {
    pub(crate) fn new(t: u64, lr: f64, clip_factor: f64, sums: Sums) -> Self {
        Self {
            t,
            lr,
            grad_norm: sums.grad.sqrt(),
            clip_factor,
            param_norm: sums.theta.sqrt(),
            update_norm: sums.update.sqrt(),
        }
    }

    /// The norm of the update relative to that of the parameters; infinite where all parameters were zero.
    pub fn update_ratio(&self) -> f64 {
        self.update_norm / self.param_norm
    }
}
