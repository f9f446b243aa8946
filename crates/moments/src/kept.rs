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

    /// The norm of the gradient if it `is_needed`, and whether the gradient is finite if that is asked for.
    pub(crate) fn check_gradient<G>(
        &mut self,
        grad: &G,
        check_finite: bool,
        norm_is_needed: bool,
    ) -> Result<f64, Error>
    where
        G: Tensor<Elem = T> + ?Sized,
    {
        let grad = row_major(grad, &mut self.grad);
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

    /// Makes the state that the rule asks for and that is not there yet.
    pub(crate) fn prepare<R, P>(&mut self, rule: &R, storage: Storage, params: &P)
    where
        R: Rule,
        P: Tensor<Elem = T> + ?Sized,
    {
        if self.shape.is_none() {
            self.shape = Some(dims(params).collect());
            self.scalars = rule.scalars().iter().map(|(_, value)| *value).collect();
        }
        let shape = self.shape.get_or_insert_default();
        let names = rule.state_names(shape);
        assert!(
            names.len() <= MAX_STATE,
            "a rule keeps at most {MAX_STATE} state tensors"
        );
        for (i, &name) in names.iter().enumerate() {
            if let Some(at) = self.tensors.iter().position(|kept| kept.name == name) {
                self.tensors.swap(i, at);
            } else {
                let made = KeptTensor::new(rule, storage, name, shape, params);
                self.tensors.insert(i, made);
            }
        }
    }

    /// Gives the rule an observation of the curvature that has been checked.
    pub(crate) fn observe<R, G>(&mut self, rule: &R, storage: Storage, curvature: &G)
    where
        R: CurvatureRule,
        G: Tensor<Elem = T> + ?Sized,
    {
        self.prepare(rule, storage, curvature);
        let shape = self.shape.as_deref().unwrap_or_default();
        let count = rule.state_names(shape).len();
        let mut tensors = self.tensors[..count].iter_mut();
        let state =
            std::array::from_fn(|_| tensors.next().map_or(Slot::Empty, |k| k.values.slot()));
        rule.observe(
            self.t,
            row_major(curvature, &mut self.grad),
            state.map(Slot::into_full),
        );
    }

    /// Applies a step that has been checked. Nothing can fail here.
    pub(crate) fn advance<R, P, G>(
        &mut self,
        rule: &R,
        storage: Storage,
        params: &mut P,
        grad: &G,
        gradient: Treatment,
        measure: bool,
    ) -> Sums
    where
        R: Rule,
        P: TensorMut<Elem = T> + ?Sized,
        G: Tensor<Elem = T> + ?Sized,
    {
        self.prepare(rule, storage, params);
        self.t += 1;
        rule.advance(self.t, &mut self.scalars);
        let shape = self.shape.as_deref().unwrap_or_default();
        let count = rule.state_names(shape).len();

        let strided = params.as_contiguous_mut().is_none();
        if strided {
            self.theta.clear();
            params.append_to(&mut self.theta);
        }
        let theta = match params.as_contiguous_mut() {
            Some(theta) => theta,
            None => &mut self.theta,
        };
        let mut tensors = self.tensors[..count].iter_mut();
        let part = Part {
            first: 0,
            theta,
            grad: row_major(grad, &mut self.grad),
            state: std::array::from_fn(|_| tensors.next().map_or(Slot::Empty, |k| k.values.slot())),
        };
        let job = Job {
            rule,
            t: self.t,
            scalars: &self.scalars,
            shape,
            gradient,
            measure,
        };
        let sums = if R::WHOLE {
            driver::run_whole(&job, part, &mut self.scratch, &mut self.work)
        } else {
            driver::run(&job, part)
        };
        if strided {
            params.copy_from(&self.theta);
        }
        sums
    }
}

impl<T: Float> KeptTensor<T> {
    fn new<R, P>(
        rule: &R,
        storage: Storage,
        name: &'static str,
        shape: &[usize],
        params: &P,
    ) -> Self
    where
        R: Rule,
        P: Tensor<Elem = T> + ?Sized,
    {
        let shape = rule.state_shape(name, shape);
        let len = shape.iter().product();
        let values = match rule.initial(name) {
            Initial::Zero => Values::zeros(len, storage, !rule.is_non_negative(name)),
            Initial::Value(value) => Values::Full(vec![T::of(value); len]),
            Initial::Params => {
                let mut values = Vec::with_capacity(len);
                params.append_to(&mut values);
                Values::Full(values)
            }
        };
        Self {
            name,
            shape,
            values,
        }
    }
}

/// The entries in row-major order: where they lie, or copied to `room`.
fn row_major<'a, T, G>(tensor: &'a G, room: &'a mut Vec<T>) -> &'a [T]
where
    T: Float,
    G: Tensor<Elem = T> + ?Sized,
{
    if let Some(entries) = tensor.as_contiguous() {
        return entries;
    }
    room.clear();
    tensor.append_to(room);
    room
}
