//! The state of an optimizer as a plain record, to be saved, loaded and looked at.

use crate::kept::{Kept, KeptTensor, check_storage};
use crate::reduced::{BLOCK, Storage, Values};
use crate::{Error, Float, Initial, Optimizer, Rule};
use std::any::TypeId;
use std::fmt;
use std::io;
use std::path::PathBuf;

#[cfg(feature = "safetensors")]
mod file;
#[cfg(feature = "safetensors")]
mod safetensors;
#[cfg(feature = "serde")]
mod text;

/// The largest counter that is restored: beyond it, `t` as an `f64` would no longer move.
const MAX_T: u64 = 1 << 53;

/// What follows the name of an 8-bit state tensor in the name of its scales.
const SCALES: &str = ".scales";

/// The state of one optimizer, or of the optimizers of a whole model: a plain record, matched by name and never by order.
///
/// [`Optimizer::snapshot`] takes one and [`Optimizer::restore`] puts it back; for a whole model these are
/// [`Groups::snapshot`](crate::Groups::snapshot) and [`Groups::restore`](crate::Groups::restore).
/// A run that is saved, restored and continued gives the same bits as one that was not.
///
/// Hyperparameters are not in it: they belong to the program, and a restored optimizer keeps its own.
/// Otherwise a learning rate that was changed after saving would silently change back, or a schedule would be overwritten;
/// PyTorch, which saves both together, has this trap.
///
/// ```
/// use moments::{Adam, Optimizer};
///
/// let mut theta = [3.0_f64];
/// let mut opt = Optimizer::new(Adam::default());
/// opt.step(&mut theta, &[6.0])?;
/// let saved = opt.snapshot();
///
/// let mut other = Optimizer::new(Adam { lr: 0.5, ..Adam::default() });
/// other.restore(&saved)?;
/// assert_eq!((other.t(), other.rule.lr), (1, 0.5));
/// assert_eq!(other.state("exp_avg"), opt.state("exp_avg"));
/// # Ok::<(), moments::Error>(())
/// ```
///
/// With the feature `serde` it is a value for any format, numbers being written as text that keeps every bit.
/// With the feature `safetensors` it is a file that PyTorch and others can read: `save`, `load`, `to_safetensors`, `from_safetensors`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Snapshot {
    /// The version of the record: [`Snapshot::VERSION`].
    #[cfg_attr(feature = "serde", serde(deserialize_with = "text::version"))]
    pub version: u32,
    /// One entry per parameter tensor, each with a name of its own.
    pub parameters: Vec<ParameterState>,
}

/// The state of one parameter tensor.
///
/// It can be written by hand, to start from a state that came from elsewhere.
/// ```
/// use moments::{Adam, Optimizer, ParameterState};
///
/// let state = ParameterState::new::<f32>("Adam", 10, &[2])
///     .tensor("exp_avg", &[0.5_f32, -0.25])
///     .tensor("exp_avg_sq", &[0.25_f32, 0.0625]);
/// let mut opt = Optimizer::<_, f32>::new(Adam::default());
/// opt.restore(&state.into())?;
/// assert_eq!(opt.t(), 10);
/// assert_eq!(opt.state("exp_avg"), Some(&[0.5, -0.25][..]));
/// # Ok::<(), moments::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct ParameterState {
    /// The name of the parameter tensor; empty for that of a lone [`Optimizer`].
    pub name: String,
    /// The rule's name, as [`Rule::name`] gives it.
    pub rule: String,
    /// The number of steps done.
    pub t: u64,
    /// Whether there is state before the first step, since the curvature has been observed there.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "std::ops::Not::not")
    )]
    pub observed: bool,
    /// The shape of the parameters; of no meaning where there is no state yet.
    pub shape: Vec<usize>,
    /// The type of the parameters.
    pub dtype: Dtype,
    /// The numbers that the rule carries from step to step, by name.
    #[cfg_attr(feature = "serde", serde(with = "text::scalars"))]
    pub scalars: Vec<(String, f64)>,
    /// The state tensors, by name.
    pub tensors: Vec<StateTensor>,
}

/// A state tensor as bytes.
///
/// State in 8 bits is two of them: the codes, and under the name with `.scales` appended one `f32` for each block of 256 codes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct StateTensor {
    /// The name, such as `exp_avg`.
    pub name: String,
    /// The type of the entries.
    pub dtype: Dtype,
    /// The shape; it may differ from that of the parameters.
    pub shape: Vec<usize>,
    /// The entries in row-major order, each in little-endian order.
    #[cfg_attr(feature = "serde", serde(with = "text::bytes"))]
    pub bytes: Vec<u8>,
}

/// The type of the entries of a tensor in a [`Snapshot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Dtype {
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// bfloat16: the upper half of an `f32`.
    Bf16,
    /// A byte: a code of 8-bit state.
    U8,
}

impl Dtype {
    /// The type of parameters of this kind.
    pub fn of<T: Float>() -> Self {
        if TypeId::of::<T>() == TypeId::of::<f32>() {
            Self::F32
        } else {
            Self::F64
        }
    }

    /// The name in a safetensors header.
    #[cfg(feature = "safetensors")]
    fn name(self) -> &'static str {
        match self {
            Self::F64 => "F64",
            Self::F32 => "F32",
            Self::Bf16 => "BF16",
            Self::U8 => "U8",
        }
    }

    #[cfg(feature = "safetensors")]
    fn named(name: &str) -> Option<Self> {
        let all = [Self::F64, Self::F32, Self::Bf16, Self::U8];
        all.into_iter().find(|dtype| dtype.name() == name)
    }

    /// The size of an entry in bytes.
    pub fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::Bf16 => 2,
            Self::U8 => 1,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::U8 => "u8",
        })
    }
}

impl Snapshot {
    /// The version of the record that this crate writes and reads.
    pub const VERSION: u32 = 1;

    /// A record of these parameters.
    pub fn new(parameters: Vec<ParameterState>) -> Self {
        Self {
            version: Self::VERSION,
            parameters,
        }
    }

    /// The state of a parameter tensor by name.
    pub fn parameter(&self, name: &str) -> Option<&ParameterState> {
        self.parameters.iter().find(|state| state.name == name)
    }

    /// Whether the version is known, every name is given once and every tensor has the bytes that its shape needs.
    pub(crate) fn check(&self) -> Result<(), SnapshotError> {
        check_version(self.version)?;
        if let Some(name) = repeated(self.parameters.iter().map(|state| state.name.as_str())) {
            let what = format!("the parameter `{name}`");
            return Err(SnapshotError::Duplicate { what });
        }
        self.parameters.iter().try_for_each(ParameterState::check)
    }
}

impl From<ParameterState> for Snapshot {
    fn from(state: ParameterState) -> Self {
        Self::new(vec![state])
    }
}

impl ParameterState {
    /// The state of parameters of this type and shape after `t` steps, before scalars and tensors are given.
    pub fn new<T: Float>(rule: &str, t: u64, shape: &[usize]) -> Self {
        Self {
            name: String::new(),
            rule: rule.into(),
            t,
            observed: false,
            shape: shape.into(),
            dtype: Dtype::of::<T>(),
            scalars: Vec::new(),
            tensors: Vec::new(),
        }
    }

    /// With this name of the parameter tensor.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// With a number that the rule carries from step to step.
    #[must_use]
    pub fn scalar(mut self, name: &str, value: f64) -> Self {
        self.scalars.push((name.into(), value));
        self
    }

    /// With a state tensor of the parameters' shape.
    #[must_use]
    pub fn tensor<T: Float>(self, name: &str, values: &[T]) -> Self {
        let shape = self.shape.clone();
        self.tensor_of_shape(name, &shape, values)
    }

    /// With a state tensor of a shape of its own, as where only the means of rows are kept.
    #[must_use]
    pub fn tensor_of_shape<T: Float>(mut self, name: &str, shape: &[usize], values: &[T]) -> Self {
        self.tensors.push(StateTensor::new(name, shape, values));
        self
    }

    fn check(&self) -> Result<(), SnapshotError> {
        entries(&self.shape).ok_or_else(|| SnapshotError::Size {
            what: self.place("the shape"),
            shape: self.shape.clone(),
        })?;
        if let Some(name) = repeated(self.scalars.iter().map(|(name, _)| name.as_str())) {
            let what = self.place(&format!("the number `{name}`"));
            return Err(SnapshotError::Duplicate { what });
        }
        if let Some(name) = repeated(self.tensors.iter().map(|tensor| tensor.name.as_str())) {
            let what = self.place(&format!("the tensor `{name}`"));
            return Err(SnapshotError::Duplicate { what });
        }
        for tensor in &self.tensors {
            let expected = entries(&tensor.shape)
                .and_then(|n| n.checked_mul(tensor.dtype.size()))
                .ok_or_else(|| SnapshotError::Size {
                    what: self.place(&format!("the tensor `{}`", tensor.name)),
                    shape: tensor.shape.clone(),
                })?;
            if tensor.bytes.len() != expected {
                return Err(SnapshotError::Bytes {
                    what: self.place(&format!("the tensor `{}`", tensor.name)),
                    found: tensor.bytes.len(),
                    expected,
                });
            }
        }
        Ok(())
    }

    pub(crate) fn check_counter(&self) -> Result<(), SnapshotError> {
        if self.t > MAX_T {
            return Err(SnapshotError::Counter {
                what: self.place("`t`"),
                found: self.t,
            });
        }
        Ok(())
    }

    /// A thing of this parameter, for messages.
    pub(crate) fn place(&self, thing: &str) -> String {
        if self.name.is_empty() {
            thing.into()
        } else {
            format!("{thing} of `{}`", self.name)
        }
    }
}

impl StateTensor {
    /// A tensor with these entries in row-major order.
    pub fn new<T: Float>(name: &str, shape: &[usize], values: &[T]) -> Self {
        let dtype = Dtype::of::<T>();
        let mut bytes = Vec::with_capacity(size_of_val(values));
        if dtype == Dtype::F32 {
            bytes.extend(values.iter().flat_map(|x| x.to_f32().to_le_bytes()));
        } else {
            bytes.extend(values.iter().flat_map(|x| x.to_f64().to_le_bytes()));
        }
        Self {
            name: name.into(),
            dtype,
            shape: shape.into(),
            bytes,
        }
    }

    /// The entries in row-major order; `None` if they are of another type.
    pub fn values<T: Float>(&self) -> Option<Vec<T>> {
        if self.dtype != Dtype::of::<T>() {
            return None;
        }
        Some(if self.dtype == Dtype::F32 {
            let entries = self.bytes.as_chunks().0.iter();
            entries.map(|&b| T::of_f32(f32::from_le_bytes(b))).collect()
        } else {
            let entries = self.bytes.as_chunks().0.iter();
            entries.map(|&b| T::of(f64::from_le_bytes(b))).collect()
        })
    }
}

impl<R: Rule, T: Float> Optimizer<R, T> {
    /// The state as a record, under an empty name; the hyperparameters are not in it.
    pub fn snapshot(&self) -> Snapshot {
        self.kept.record(&self.rule, self.storage(), "").into()
    }

    /// Replaces the state by that of a record, which holds one parameter tensor under any name; the hyperparameters stay as they are.
    ///
    /// An optimizer that has made steps before forgets them, but keeps to the shape of its parameters.
    ///
    /// # Errors
    /// [`Error::Snapshot`] says what in the record does not fit this optimizer: the version, the rule, the type of the parameters, their shape,
    /// a name, the type, shape or length of a tensor, or a number that cannot be.
    /// [`Error::UnsupportedShape`] and [`Error::Storage`] are those of a step. Then nothing has changed.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        snapshot.check()?;
        let [state] = snapshot.parameters.as_slice() else {
            let found = snapshot.parameters.iter().map(|p| p.name.clone());
            return Err(SnapshotError::NotOne {
                found: found.collect(),
            }
            .into());
        };
        let restored = Kept::restored(&self.rule, self.storage(), state)?;
        if let (Some(expected), Some(found)) = (&self.kept.shape, &restored.shape)
            && expected != found
        {
            return Err(SnapshotError::Shape {
                what: "the parameters".into(),
                found: found.clone(),
                expected: expected.clone(),
            }
            .into());
        }
        self.kept = restored;
        Ok(())
    }
}

impl<T: Float> Kept<T> {
    /// The record of this state.
    pub(crate) fn record<R: Rule>(&self, rule: &R, storage: Storage, name: &str) -> ParameterState {
        let mut record = ParameterState::new::<T>(rule.name(), self.t, &[]).named(name);
        let Some(shape) = &self.shape else {
            return record;
        };
        record.shape.clone_from(shape);
        record.observed = self.t == 0;
        for ((name, _), value) in rule.scalars().iter().zip(&self.scalars) {
            record = record.scalar(name, *value);
        }
        for &name in rule.state_names(shape) {
            // What the next step would make anew is recorded as it would be made: the rule may have been changed since the last one.
            match self.tensor(name) {
                Some(tensor) => tensor.record(&mut record),
                None => {
                    if let Some(tensor) = KeptTensor::<T>::initial(rule, storage, name, shape) {
                        tensor.record(&mut record);
                    }
                }
            }
        }
        record
    }

    /// The state that a record of consistent sizes describes, for this rule.
    pub(crate) fn restored<R: Rule>(
        rule: &R,
        storage: Storage,
        record: &ParameterState,
    ) -> Result<Self, Error> {
        if record.rule != rule.name() {
            return Err(SnapshotError::Rule {
                what: record.place("the state"),
                found: record.rule.clone(),
                expected: rule.name(),
            }
            .into());
        }
        if record.dtype != Dtype::of::<T>() {
            return Err(SnapshotError::Dtype {
                what: record.place("the parameters"),
                found: record.dtype,
                expected: Dtype::of::<T>(),
            }
            .into());
        }
        record.check_counter()?;
        let mut kept = Self::new();
        if record.t == 0 && !record.observed {
            if !record.tensors.is_empty() || !record.scalars.is_empty() {
                let what = record.place("state");
                return Err(SnapshotError::BeforeFirstStep { what }.into());
            }
            return Ok(kept);
        }

        rule.check_shape(&record.shape)?;
        check_storage(rule, storage, &record.shape)?;
        kept.t = record.t;
        kept.scalars = scalars(rule, record)?;
        let mut unknown: Vec<&str> = record.tensors.iter().map(|t| t.name.as_str()).collect();
        for &name in rule.state_names(&record.shape) {
            let values = Values::restored(rule, storage, record, name)?;
            kept.tensors.push(KeptTensor {
                name,
                shape: rule.state_shape(name, &record.shape),
                values,
            });
            unknown.retain(|n| *n != name && !(storage == Storage::Bits8 && is_scales(n, name)));
        }
        if let Some(name) = unknown.first() {
            return Err(SnapshotError::Unknown {
                what: record.place(&format!("the tensor `{name}`")),
                rule: rule.name(),
                expected: rule.state_names(&record.shape).to_vec(),
            }
            .into());
        }
        kept.shape = Some(record.shape.clone());
        Ok(kept)
    }
}

/// The numbers that the rule carries, in its order.
fn scalars<R: Rule>(rule: &R, record: &ParameterState) -> Result<Vec<f64>, SnapshotError> {
    let known = rule.scalars();
    let is_known = |name: &str| known.iter().any(|(n, _)| *n == name);
    if let Some((name, _)) = record.scalars.iter().find(|(name, _)| !is_known(name)) {
        return Err(SnapshotError::Unknown {
            what: record.place(&format!("the number `{name}`")),
            rule: rule.name(),
            expected: known.iter().map(|(name, _)| *name).collect(),
        });
    }
    let value_of = |&(name, initial): &(&'static str, f64)| {
        let found = record.scalars.iter().find(|(n, _)| n == name);
        let what = record.place(&format!("the number `{name}`"));
        match found {
            None => Err(SnapshotError::Missing { what }),
            Some((_, value)) if !value.is_finite() => Err(SnapshotError::Scalar {
                what,
                value: *value,
                expected: "finite".into(),
            }),
            Some((_, value)) if record.t == 0 && *value != initial => Err(SnapshotError::Scalar {
                what,
                value: *value,
                expected: format!("{initial} before the first step"),
            }),
            Some((_, value)) => Ok(*value),
        }
    };
    known.iter().map(value_of).collect()
}

fn is_scales(candidate: &str, name: &str) -> bool {
    candidate.strip_suffix(SCALES) == Some(name)
}

impl<T: Float> KeptTensor<T> {
    /// What a step would make, unless that depends on the parameters.
    fn initial<R: Rule>(
        rule: &R,
        storage: Storage,
        name: &'static str,
        shape: &[usize],
    ) -> Option<Self> {
        let shape = rule.state_shape(name, shape);
        let len = shape.iter().product();
        let values = match rule.initial(name) {
            Initial::Zero => Values::zeros(len, storage, !rule.is_non_negative(name)),
            Initial::Value(value) => Values::Full(vec![T::of(value); len]),
            Initial::Params => return None,
        };
        Some(Self {
            name,
            shape,
            values,
        })
    }

    fn record(&self, record: &mut ParameterState) {
        let mut push = |name: String, dtype, shape: &[usize], bytes| {
            record.tensors.push(StateTensor {
                name,
                dtype,
                shape: shape.into(),
                bytes,
            });
        };
        let name = self.name.to_string();
        match &self.values {
            Values::Full(values) => {
                let tensor = StateTensor::new(&name, &self.shape, values);
                push(tensor.name, tensor.dtype, &self.shape, tensor.bytes);
            }
            Values::Bf16(values) => {
                let bytes = values.iter().flat_map(|bits| bits.to_le_bytes());
                push(name, Dtype::Bf16, &self.shape, bytes.collect());
            }
            Values::Bits8 { codes, scales, .. } => {
                let bytes = scales.iter().flat_map(|scale| scale.to_le_bytes());
                let bytes = bytes.collect();
                let scales_name = format!("{name}{SCALES}");
                push(name, Dtype::U8, &self.shape, codes.clone());
                push(scales_name, Dtype::F32, &[scales.len()], bytes);
            }
        }
    }
}

impl<T: Float> Values<T> {
    /// The entries of the state tensor of this name, kept as `storage` says.
    fn restored<R: Rule>(
        rule: &R,
        storage: Storage,
        record: &ParameterState,
        name: &str,
    ) -> Result<Self, SnapshotError> {
        let shape = rule.state_shape(name, &record.shape);
        let signed = !rule.is_non_negative(name);
        let negative = |index: usize, value: f64| SnapshotError::Negative {
            what: record.place(&format!("the tensor `{name}`")),
            index,
            value,
        };
        match storage {
            Storage::Full => {
                let tensor = find(record, name, Dtype::of::<T>(), &shape)?;
                let values: Vec<T> = tensor.values().unwrap_or_default();
                match values.iter().position(|x| *x < T::default()) {
                    Some(at) if !signed => Err(negative(at, values[at].to_f64())),
                    _ => Ok(Self::Full(values)),
                }
            }
            Storage::Bf16 => {
                let tensor = find(record, name, Dtype::Bf16, &shape)?;
                let entries = tensor.bytes.as_chunks().0.iter();
                let values: Vec<u16> = entries.map(|&b| u16::from_le_bytes(b)).collect();
                let value = |bits: &u16| f32::from_bits(u32::from(*bits) << 16);
                match values.iter().position(|bits| value(bits) < 0.0) {
                    Some(at) if !signed => Err(negative(at, value(&values[at]).into())),
                    _ => Ok(Self::Bf16(values)),
                }
            }
            Storage::Bits8 => {
                let codes = find(record, name, Dtype::U8, &shape)?.bytes.clone();
                let scales_name = format!("{name}{SCALES}");
                let blocks = codes.len().div_ceil(BLOCK);
                let scales = find(record, &scales_name, Dtype::F32, &[blocks])?;
                let scales: Vec<f32> = scales.values().unwrap_or_default();
                match scales.iter().position(|scale| *scale < 0.0) {
                    Some(at) => Err(SnapshotError::Negative {
                        what: record.place(&format!("the tensor `{scales_name}`")),
                        index: at,
                        value: scales[at].into(),
                    }),
                    None => Ok(Self::Bits8 {
                        codes,
                        scales,
                        signed,
                    }),
                }
            }
        }
    }
}

/// The tensor of this name, if it is of this type and shape.
fn find<'a>(
    record: &'a ParameterState,
    name: &str,
    dtype: Dtype,
    shape: &[usize],
) -> Result<&'a StateTensor, SnapshotError> {
    let what = record.place(&format!("the tensor `{name}`"));
    match record.tensors.iter().find(|tensor| tensor.name == name) {
        None => Err(SnapshotError::Missing { what }),
        Some(tensor) if tensor.dtype != dtype => Err(SnapshotError::Dtype {
            what,
            found: tensor.dtype,
            expected: dtype,
        }),
        Some(tensor) if tensor.shape != shape => Err(SnapshotError::Shape {
            what,
            found: tensor.shape.clone(),
            expected: shape.into(),
        }),
        Some(tensor) => Ok(tensor),
    }
}

fn check_version(version: u32) -> Result<(), SnapshotError> {
    if version == Snapshot::VERSION {
        Ok(())
    } else {
        Err(SnapshotError::Version { found: version })
    }
}

/// The number of entries of a tensor, if it is one that a processor can count; also without the axes of length 0, as a rule may leave axes out.
fn entries(shape: &[usize]) -> Option<usize> {
    let product = |n: usize, &axis: &usize| n.checked_mul(axis.max(1));
    let most = shape.iter().try_fold(1, product)?;
    if most > isize::MAX as usize / 8 {
        return None;
    }
    Some(if shape.contains(&0) { 0 } else { most })
}

/// A name that is given more than once.
fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names
        .windows(2)
        .find_map(|pair| (pair[0] == pair[1]).then_some(pair[0]))
}

/// Why a [`Snapshot`] was not written, read or restored.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The record is of a version that this crate does not know.
    Version {
        /// The version of the record.
        found: u32,
    },
    /// The record of a lone optimizer does not hold exactly one parameter tensor.
    NotOne {
        /// The names in the record.
        found: Vec<String>,
    },
    /// The record of many tensors lacks one that the optimizer has.
    MissingParameter {
        /// The tensor's name.
        name: String,
    },
    /// The record of many tensors has one that the optimizer does not know.
    UnknownParameter {
        /// The tensor's name.
        name: String,
    },
    /// The state is that of another rule.
    Rule {
        /// Whose state.
        what: String,
        /// The rule in the record.
        found: String,
        /// The rule of the optimizer.
        expected: &'static str,
    },
    /// Entries are of another type.
    Dtype {
        /// Whose entries.
        what: String,
        /// The type in the record.
        found: Dtype,
        /// The type that the optimizer keeps.
        expected: Dtype,
    },
    /// A tensor is of another shape.
    Shape {
        /// Which tensor.
        what: String,
        /// The shape in the record.
        found: Vec<usize>,
        /// The shape that the optimizer needs.
        expected: Vec<usize>,
    },
    /// A shape has more entries than fit into memory.
    Size {
        /// Whose shape.
        what: String,
        /// The shape.
        shape: Vec<usize>,
    },
    /// A tensor has too few or too many bytes for its shape.
    Bytes {
        /// Which tensor.
        what: String,
        /// The number of bytes.
        found: usize,
        /// The number of bytes that type and shape need.
        expected: usize,
    },
    /// Something that the rule needs is not there.
    Missing {
        /// What is missing.
        what: String,
    },
    /// Something is there that the rule does not know.
    Unknown {
        /// What is unknown.
        what: String,
        /// The rule of the optimizer.
        rule: &'static str,
        /// The names that the rule knows.
        expected: Vec<&'static str>,
    },
    /// A name is given twice.
    Duplicate {
        /// What is given twice.
        what: String,
    },
    /// A number cannot have this value.
    Scalar {
        /// Which number.
        what: String,
        /// Its value.
        value: f64,
        /// What it must be.
        expected: String,
    },
    /// An entry is negative in a tensor that never has a negative entry.
    Negative {
        /// Which tensor.
        what: String,
        /// The entry, counted from 0 in row-major order.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The counter is too large.
    Counter {
        /// Which counter.
        what: String,
        /// Its value.
        found: u64,
    },
    /// There is state although no step has been done.
    BeforeFirstStep {
        /// Whose state.
        what: String,
    },
    /// A file ends too early.
    Truncated {
        /// The bytes that are there.
        found: u64,
        /// The bytes that its header asks for.
        expected: u64,
    },
    /// A file is something else than a snapshot.
    Foreign {
        /// What tells.
        reason: String,
    },
    /// A file contradicts itself.
    Malformed {
        /// Where.
        reason: String,
    },
    /// A file could not be read or written.
    Io {
        /// Which file.
        path: PathBuf,
        /// The kind of error.
        kind: io::ErrorKind,
        /// What the system says.
        reason: String,
    },
    /// What a file holds is not a snapshot.
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<Self>,
    },
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { found } => write!(
                f,
                "the snapshot has version {found}, but this version of moments knows version {} alone: \
                 load it with the version that wrote it",
                Snapshot::VERSION
            ),
            Self::NotOne { found } => write!(
                f,
                "the snapshot holds {} parameter tensors {found:?}, but an Optimizer steps one: \
                 restore one of them (`Snapshot::parameter`)",
                found.len()
            ),
            Self::MissingParameter { name } => write!(
                f,
                "the state of the tensor `{name}` is missing: restore the state of a model with the same tensors"
            ),
            Self::UnknownParameter { name } => write!(
                f,
                "there is state of a tensor `{name}`, which the optimizer does not know: \
                 restore the state of a model with the same tensors"
            ),
            Self::Rule {
                what,
                found,
                expected,
            } => write!(
                f,
                "{what} is that of the rule {found:?}, but the optimizer's rule is {expected:?}: \
                 restore it into an optimizer of the rule that wrote it"
            ),
            Self::Dtype {
                what,
                found,
                expected,
            } => write!(
                f,
                "{what}: entries are {found}, but the optimizer keeps {expected}: \
                 make the optimizer with the type and the storage that the snapshot was taken with"
            ),
            Self::Shape {
                what,
                found,
                expected,
            } => write!(
                f,
                "{what}: the shape is {found:?}, but must be {expected:?}: restore the state of parameters of this shape"
            ),
            Self::Size { what, shape } => write!(
                f,
                "{what}: {shape:?} has more entries than memory: the snapshot is damaged, use another copy"
            ),
            Self::Bytes {
                what,
                found,
                expected,
            } => write!(
                f,
                "{what} has {found} bytes, but its type and shape need {expected}: \
                 pass one entry per element of the shape, or use another copy if the snapshot is damaged"
            ),
            Self::Missing { what } => write!(
                f,
                "{what} is missing: take the snapshot from an optimizer with the same options"
            ),
            Self::Unknown {
                what,
                rule,
                expected,
            } => write!(
                f,
                "{what} is unknown to the rule {rule:?}, which keeps {expected:?}: \
                 restore it into an optimizer with the options that the snapshot was taken with"
            ),
            Self::Duplicate { what } => {
                write!(f, "{what} is given twice: give every name once")
            }
            Self::Scalar {
                what,
                value,
                expected,
            } => write!(
                f,
                "{what} is {value}, but must be {expected}: the snapshot is damaged, use another copy"
            ),
            Self::Negative { what, index, value } => write!(
                f,
                "{what}: entry {index} is {value}, but no entry can be negative: the snapshot is damaged, use another copy"
            ),
            Self::Counter { what, found } => write!(
                f,
                "{what} is {found}, but must be at most 2⁵³: the snapshot is damaged, use another copy"
            ),
            Self::BeforeFirstStep { what } => write!(
                f,
                "there is {what} although `t` is 0: set `t` to the number of steps done, or leave the state out"
            ),
            Self::Truncated { found, expected } => write!(
                f,
                "there are {found} bytes of {expected}: the snapshot is truncated, use another copy"
            ),
            Self::Foreign { reason } => write!(
                f,
                "this is not a snapshot of moments, since {reason}: use a file that `Snapshot::save` has written"
            ),
            Self::Malformed { reason } => {
                write!(f, "{reason}: the snapshot is damaged, use another copy")
            }
            Self::Io { path, reason, .. } => write!(f, "{}: {reason}", path.display()),
            Self::Content { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for SnapshotError {}

impl From<SnapshotError> for Error {
    fn from(error: SnapshotError) -> Self {
        Self::Snapshot(error)
    }
}
