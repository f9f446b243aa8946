//! What is kept for one tensor from step to step.

use crate::driver::{self, Job, Part, Sums, Treatment};
use crate::reduced::{Slot, Storage, Values};
use crate::tensor::dims;
use crate::{CurvatureRule, Error, Float, Initial, MAX_STATE, Rule, Tensor, TensorMut, norm};

/// The counter and the state of one tensor, with memory to work in.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T> {
    pub(crate) t: u64,
    /// The parameters' shape, from the first step on.
    pub(crate) shape: Option<Vec<usize>>,
    pub(crate) scalars: Vec<f64>,
    pub(crate) tensors: Vec<KeptTensor<T>>,
    /// Parameters and gradient in row-major order, where they do not lie so in memory.
    theta: Vec<T>,
    grad: Vec<T>,
    /// Where a rule that needs the whole tensor works, and where its gradient is treated.
    scratch: Vec<T>,
    work: Vec<T>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeptTensor<T> {
    pub(crate) name: &'static str,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Values<T>,
}

impl<T: Float> Kept<T> {
    pub(crate) fn new() -> Self {
        Self {
            t: 0,
            shape: None,
            scalars: Vec::new(),
            tensors: Vec::new(),
            theta: Vec::new(),
            grad: Vec::new(),
            scratch: Vec::new(),
            work: Vec::new(),
        }
    }

    pub(crate) fn tensor(&self, name: &str) -> Option<&KeptTensor<T>> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// A state tensor by name, if it is there and kept in full.
    pub(crate) fn full(&self, name: &str) -> Option<&[T]> {
        match &self.tensor(name)?.values {
            Values::Full(values) => Some(values),
            _ => None,
        }
    }

    /// A number that the rule carries, by name.
    pub(crate) fn scalar<R: Rule>(&self, rule: &R, name: &str) -> Option<f64> {
        let at = rule.scalars().iter().position(|(n, _)| *n == name)?;
        self.scalars.get(at).copied()
    }

    /// Whether the rule can step these parameters with this gradient, as far as shapes go.
    pub(crate) fn check_shapes<R, P, G>(&self, rule: &R, params: &P, grad: &G) -> Result<(), Error>
    where
        R: Rule,
        P: Tensor<Elem = T> + ?Sized,
        G: Tensor<Elem = T> + ?Sized,
    {
        if !dims(params).eq(dims(grad)) {
            return Err(Error::GradientShape {
                params: dims(params).collect(),
                grad: dims(grad).collect(),
            });
        }
        match &self.shape {
            None => rule.check_shape(&dims(params).collect::<Vec<_>>()),
            Some(shape) if dims(params).eq(shape.iter().copied()) => rule.check_shape(shape),
            Some(shape) => Err(Error::ParameterShape {
                state: shape.clone(),
                params: dims(params).collect(),
            }),
        }
    }

    /// Whether the rule can keep the state of these parameters as asked.
    pub(crate) fn check_storage<R, P>(
        &self,
        rule: &R,
        storage: Storage,
        params: &P,
    ) -> Result<(), Error>
    where
        R: Rule,
        P: Tensor<Elem = T> + ?Sized,
    {
        match &self.shape {
            _ if storage == Storage::Full => Ok(()),
            Some(shape) => check_storage(rule, storage, shape),
            None => check_storage(rule, storage, &dims(params).collect::<Vec<_>>()),
        }
    }

    /// Remembers the shape, and starts the numbers that the rule carries, if this is the first that is heard of the tensor.
    pub(crate) fn begin<R: Rule>(&mut self, rule: &R, shape: impl Iterator<Item = usize>) {
        if self.shape.is_none() {
            self.shape = Some(shape.collect());
            self.scalars = rule.scalars().iter().map(|(_, value)| *value).collect();
        }
        let shape = self.shape.as_deref().unwrap_or_default();
        // Here rather than where the state is made, so that of many tensors none has been stepped yet.
        assert!(
            rule.state_names(shape).len() <= MAX_STATE,
            "a rule keeps at most {MAX_STATE} state tensors"
        );
    }

    /// Takes [`begin`](Self::begin) back.
    pub(crate) fn forget_beginning(&mut self) {
        self.shape = None;
        self.scalars.clear();
    }

    /// The entries of the parameters where they lie; `None`, and a copy in row-major order is kept, if they do not lie so in memory.
    pub(crate) fn lay_out<'a, P>(&mut self, params: &'a mut P) -> Option<&'a mut [T]>
    where
        P: TensorMut<Elem = T> + ?Sized,
    {
        if params.as_contiguous_mut().is_none() {
            self.theta.clear();
            params.append_to(&mut self.theta);
        }
        params.as_contiguous_mut()
    }

    /// The entries of the gradient where they lie; `None`, and a copy in row-major order is kept, if they do not lie so in memory.
    pub(crate) fn lay_out_grad<'a, G>(&mut self, grad: &'a G) -> Option<&'a [T]>
    where
        G: Tensor<Elem = T> + ?Sized,
    {
        let entries = grad.as_contiguous();
        if entries.is_none() {
            self.grad.clear();
            grad.append_to(&mut self.grad);
        }
        entries
    }

    /// The entries of the gradient that has been laid out.
    pub(crate) fn grad<'a>(&'a self, entries: Option<&'a [T]>) -> &'a [T] {
        entries.unwrap_or(&self.grad)
    }

    /// The copy of the parameters that a step has changed, where they are not in row-major order in memory.
    pub(crate) fn theta(&self) -> &[T] {
        &self.theta
    }

    /// The norm of the gradient if it `is_needed`, and whether the gradient is finite if that is asked for.
    pub(crate) fn check_gradient(
        &self,
        grad: Option<&[T]>,
        check_finite: bool,
        norm_is_needed: bool,
    ) -> Result<f64, Error> {
        let grad = self.grad(grad);
        // A finite norm has only finite entries, so that they need not be looked at again.
        let norm = if norm_is_needed {
            norm::norm(grad)
        } else {
            f64::NAN
        };
        if check_finite && !norm.is_finite() && !driver::all_finite(grad) {
            let found = grad.iter().enumerate().find(|(_, g)| !g.is_finite());
            let (index, value) = found.map_or((0, f64::NAN), |(i, g)| (i, g.to_f64()));
            return Err(Error::NonFiniteGradient {
                t: self.t + 1,
                index,
                value,
            });
        }
        Ok(norm)
    }

    /// Gives the rule an observation of the curvature that has been checked.
    pub(crate) fn observe<R>(&mut self, rule: &R, storage: Storage, curvature: Option<&[T]>)
    where
        R: CurvatureRule,
    {
        let curvature = curvature.unwrap_or(&self.grad);
        let shape = self.shape.as_deref().unwrap_or_default();
        let names = rule.state_names(shape);
        prepare(&mut self.tensors, names, rule, storage, shape, curvature);
        let mut tensors = self.tensors[..names.len()].iter_mut();
        let state =
            std::array::from_fn(|_| tensors.next().map_or(Slot::Empty, |k| k.values.slot()));
        rule.observe(self.t, curvature, state.map(Slot::into_full));
    }

    /// Applies a step that has been checked, to what has been laid out. Nothing can fail here.
    pub(crate) fn advance<R: Rule>(
        &mut self,
        rule: &R,
        storage: Storage,
        theta: Option<&mut [T]>,
        grad: Option<&[T]>,
        gradient: Treatment,
        measure: bool,
    ) -> Sums {
        let theta = theta.unwrap_or(&mut self.theta);
        let grad = grad.unwrap_or(&self.grad);
        let shape = self.shape.as_deref().unwrap_or_default();
        let names = rule.state_names(shape);
        prepare(&mut self.tensors, names, rule, storage, shape, theta);
        self.t += 1;
        rule.advance(self.t, &mut self.scalars);

        let mut tensors = self.tensors[..names.len()].iter_mut();
        let part = Part {
            first: 0,
            theta,
            grad,
            state: std::array::from_fn(|_| tensors.next().map_or(Slot::Empty, |k| k.values.slot())),
        };
        let job = Job {
            rule,
            t: self.t,
            corrections: rule.corrections(self.t),
            scalars: &self.scalars,
            shape,
            gradient,
            measure,
        };
        if R::WHOLE {
            driver::run_whole(&job, part, &mut self.scratch, &mut self.work)
        } else {
            driver::run(&job, part)
        }
    }
}

/// Reduced state is for rules that go entry by entry from zero.
pub(crate) fn check_storage<R: Rule>(
    rule: &R,
    storage: Storage,
    shape: &[usize],
) -> Result<(), Error> {
    let from_zero = |name: &&str| rule.initial(name) == Initial::Zero;
    if storage == Storage::Full || (!R::WHOLE && rule.state_names(shape).iter().all(from_zero)) {
        Ok(())
    } else {
        Err(Error::Storage { rule: rule.name() })
    }
}

/// Makes the state that the rule asks for and that is not there yet, in the order of the rule's names.
fn prepare<R: Rule, T: Float>(
    tensors: &mut Vec<KeptTensor<T>>,
    names: &'static [&'static str],
    rule: &R,
    storage: Storage,
    shape: &[usize],
    theta: &[T],
) {
    for (i, &name) in names.iter().enumerate() {
        if let Some(at) = tensors.iter().position(|kept| kept.name == name) {
            tensors.swap(i, at);
        } else {
            let made = KeptTensor::new(rule, storage, name, shape, theta);
            tensors.insert(i, made);
        }
    }
}

impl<T: Float> KeptTensor<T> {
    fn new<R: Rule>(
        rule: &R,
        storage: Storage,
        name: &'static str,
        shape: &[usize],
        theta: &[T],
    ) -> Self {
        let shape = rule.state_shape(name, shape);
        let len = shape.iter().product();
        let values = match rule.initial(name) {
            Initial::Zero => Values::zeros(len, storage, !rule.is_non_negative(name)),
            Initial::Value(value) => Values::Full(vec![T::of(value); len]),
            Initial::Params => Values::Full(theta.to_vec()),
        };
        Self {
            name,
            shape,
            values,
        }
    }
}
