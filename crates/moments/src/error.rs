use crate::SnapshotError;
use std::fmt;

/// Why a step, or a saved state, was refused.
///
/// What is refused has changed nothing: no parameter, no state, no counter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A hyperparameter has a value with which the rule means nothing.
    Hyperparameter {
        /// The rule, such as `Adam`.
        rule: &'static str,
        /// The field, such as `beta1`.
        field: &'static str,
        /// The value that was found.
        value: f64,
        /// What the field must be, such as `in [0, 1)`.
        expected: &'static str,
    },
    /// The gradient's shape is not the parameters' shape.
    GradientShape {
        /// The shape of the parameters.
        params: Vec<usize>,
        /// The shape of the gradient.
        grad: Vec<usize>,
    },
    /// The parameters' shape is not the one of the steps before.
    ParameterShape {
        /// The shape in the first step, which the state has.
        state: Vec<usize>,
        /// The shape in this step.
        params: Vec<usize>,
    },
    /// The rule cannot step a tensor of this shape.
    UnsupportedShape {
        /// The rule, such as `Muon`.
        rule: &'static str,
        /// The shape of the parameters.
        shape: Vec<usize>,
        /// What the shape must be, such as `a matrix`.
        expected: &'static str,
    },
    /// The rule cannot keep its state in fewer bits.
    Storage {
        /// The rule.
        rule: &'static str,
    },
    /// An entry of the gradient is infinite or not a number.
    NonFiniteGradient {
        /// The step that was refused, counted from 1.
        t: u64,
        /// The entry, counted from 0 in row-major order.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// Something is wrong with one of several tensors.
    Tensor {
        /// The tensor's name.
        tensor: String,
        /// What is wrong.
        error: Box<Error>,
    },
    /// Something is wrong with the hyperparameters of a group.
    Group {
        /// The group's name.
        group: String,
        /// What is wrong.
        error: Box<Error>,
    },
    /// A tensor is in no group.
    NoGroup {
        /// The tensor's name.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// The names of the groups.
        groups: Vec<String>,
    },
    /// A tensor is in more than one group.
    SeveralGroups {
        /// The tensor's name.
        tensor: String,
        /// The names of the groups that take it.
        groups: Vec<String>,
    },
    /// Two groups have one name.
    GroupTwice {
        /// The name.
        group: String,
    },
    /// There is no group of this name.
    UnknownGroup {
        /// The name.
        group: String,
        /// The names of the groups that there are.
        groups: Vec<String>,
    },
    /// A tensor has no gradient.
    MissingGradient {
        /// The tensor's name.
        tensor: String,
    },
    /// A tensor of the first step is missing in a later one.
    MissingTensor {
        /// The tensor's name.
        tensor: String,
    },
    /// A tensor was not there at the first step.
    NewTensor {
        /// The tensor's name.
        tensor: String,
    },
    /// Two tensors of a step have one name.
    TensorTwice {
        /// The name.
        tensor: String,
    },
    /// A tensor has the empty name.
    EmptyName,
    /// A step was given no tensor.
    NoTensors,
    /// A [`Snapshot`](crate::Snapshot) was not written, read or restored.
    Snapshot(SnapshotError),
}

impl Error {
    /// What is wrong with one of several tensors.
    pub(crate) fn of_tensor(tensor: &str, error: Self) -> Self {
        Self::Tensor {
            tensor: tensor.to_owned(),
            error: Box::new(error),
        }
    }

    /// `Ok` if `holds`, otherwise the error that names the field.
    pub(crate) fn unless(
        holds: bool,
        rule: &'static str,
        field: &'static str,
        value: f64,
        expected: &'static str,
    ) -> Result<(), Self> {
        if holds {
            Ok(())
        } else {
            Err(Self::Hyperparameter {
                rule,
                field,
                value,
                expected,
            })
        }
    }

    /// The field must be finite and at least zero.
    pub(crate) fn check_non_negative(
        rule: &'static str,
        field: &'static str,
        value: f64,
    ) -> Result<(), Self> {
        let holds = value.is_finite() && value >= 0.0;
        Self::unless(holds, rule, field, value, "finite and at least 0")
    }

    /// The field must be finite and above zero.
    pub(crate) fn check_positive(
        rule: &'static str,
        field: &'static str,
        value: f64,
    ) -> Result<(), Self> {
        let holds = value.is_finite() && value > 0.0;
        Self::unless(holds, rule, field, value, "finite and above 0")
    }

    /// The field must be a share in [0, 1].
    pub(crate) fn check_share(
        rule: &'static str,
        field: &'static str,
        value: f64,
    ) -> Result<(), Self> {
        let holds = (0.0..=1.0).contains(&value);
        Self::unless(holds, rule, field, value, "in [0, 1]")
    }

    /// The field must be a decay rate in [0, 1).
    pub(crate) fn check_decay_rate(
        rule: &'static str,
        field: &'static str,
        value: f64,
    ) -> Result<(), Self> {
        let holds = (0.0..1.0).contains(&value);
        Self::unless(holds, rule, field, value, "in [0, 1)")
    }

    /// The momentum must be in [0, 1], and Nesterov's needs some.
    pub(crate) fn check_momentum(
        rule: &'static str,
        momentum: f64,
        nesterov: bool,
    ) -> Result<(), Self> {
        Self::check_share(rule, "momentum", momentum)?;
        let holds = !nesterov || momentum > 0.0;
        let expected = "above 0 where `nesterov` is set";
        Self::unless(holds, rule, "momentum", momentum, expected)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hyperparameter {
                rule,
                field,
                value,
                expected,
            } => write!(f, "{rule}: `{field}` is {value}, but must be {expected}"),
            Self::GradientShape { params, grad } => write!(
                f,
                "the gradient has shape {grad:?}, but the parameters have shape {params:?}: \
                 pass one gradient entry per parameter"
            ),
            Self::ParameterShape { state, params } => write!(
                f,
                "the parameters have shape {params:?}, but the state was made for shape {state:?}: \
                 use one Optimizer per tensor, or one name in Groups"
            ),
            Self::UnsupportedShape {
                rule,
                shape,
                expected,
            } => write!(
                f,
                "{rule} steps {expected}, but the parameters have shape {shape:?}: use another rule for them"
            ),
            Self::Storage { rule } => write!(
                f,
                "{rule} keeps its state in full, since it needs whole tensors or does not start from zero: use Storage::Full"
            ),
            Self::NonFiniteGradient { t, index, value } => write!(
                f,
                "entry {index} of the gradient of step {t} is {value}: lower the learning rate, clip, or look \
                 for a division by zero in the loss (`check_finite = false` lets such gradients through)"
            ),
            Self::Tensor { tensor, error } => write!(f, "tensor `{tensor}`: {error}"),
            Self::Group { group, error } => write!(f, "group `{group}`: {error}"),
            Self::NoGroup {
                tensor,
                shape,
                groups,
            } => write!(
                f,
                "tensor `{tensor}` of shape {shape:?} is in no group, of which there are {groups:?}: \
                 widen a predicate, or add a group of the rest (`Groups::rest`)"
            ),
            Self::SeveralGroups { tensor, groups } => write!(
                f,
                "tensor `{tensor}` is in the groups {groups:?}: narrow their predicates so that one takes it"
            ),
            Self::GroupTwice { group } => write!(
                f,
                "two groups are called `{group}`: give each a name of its own"
            ),
            Self::UnknownGroup { group, groups } => {
                write!(f, "there is no group `{group}`: pass one of {groups:?}")
            }
            Self::MissingGradient { tensor } => write!(
                f,
                "tensor `{tensor}` has no gradient: pass one, or pass the tensor as `Param::frozen` to leave it as it is"
            ),
            Self::MissingTensor { tensor } => write!(
                f,
                "tensor `{tensor}` was there before and is missing now: pass every tensor at every step, \
                 those that are to stay as they are as `Param::frozen`"
            ),
            Self::NewTensor { tensor } => write!(
                f,
                "tensor `{tensor}` was not there before: pass every tensor from the first step on, \
                 as `Param::frozen` as long as it is to stay as it is"
            ),
            Self::TensorTwice { tensor } => write!(
                f,
                "two tensors of one step are called `{tensor}`: give each a name of its own"
            ),
            Self::EmptyName => write!(
                f,
                "a tensor has an empty name: give each a name of its own, by which its state is found again"
            ),
            Self::NoTensors => write!(f, "no tensor was passed: pass all that are to be stepped"),
            Self::Snapshot(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}
