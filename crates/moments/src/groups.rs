//! The optimizer of a whole model: named tensors, in groups that have hyperparameters of their own.
//!
//! A step has three parts. First everything is looked at that could be wrong, and the entries of every tensor are laid out as slices.
//! Then the gradients are looked at, and last the tensors are stepped, both over all tensors at once: the list is halved by numbers of entries
//! until a piece is not worth a thread of its own, and a long tensor is halved further inside.
//! So a thousand small tensors wake the other threads no more often than a large one does.

mod snapshot;

use crate::driver::{self, Sums, Treatment};
use crate::kept::Kept;
use crate::tensor::dims;
use crate::{
    Clip, CurvatureRule, Erase, EraseMut, Error, Float, Measures, Rule, Storage, Tensor, TensorMut,
    TensorRef, TensorRefMut,
};
use std::fmt;
use std::mem;
use std::sync::Arc;

/// From how much work on, in entries, the list of tensors is halved.
const WORTH: usize = 1 << 16;

/// What a tensor costs beside its entries, as a number of entries.
const OVERHEAD: usize = 128;

/// No place in a list.
const NOWHERE: usize = usize::MAX;

/// One rule for many named tensors: in groups, each with its own hyperparameters.
///
/// A group is chosen by a predicate on a tensor's name and shape, asked once, when the tensor is first seen. Every tensor must be in one group.
/// State is matched to tensors by name, never by their order in the list, which may change from step to step without changing a bit.
///
/// ```
/// use moments::{Adam, Groups, Param};
///
/// let decay = Adam { lr: 0.1, weight_decay: 0.01, ..Adam::default() };
/// let mut opt = Groups::new()
///     .group("no decay", Adam { weight_decay: 0.0, ..decay }, |p| p.name.ends_with("bias"))
///     .rest("decay", decay);
///
/// let (mut weight, mut bias) = (vec![1.0, -1.0], [0.5]);
/// opt.step(&mut [
///     Param::new("encoder.weight", &mut weight, &[0.3, 0.0]),
///     Param::new("encoder.bias", &mut bias, &[-2.0]),
/// ])?;
/// assert_eq!(opt.group_of("encoder.bias"), Some("no decay"));
/// assert_eq!(opt.state("encoder.bias", "exp_avg"), Some(&[-0.19999999999999996][..]));
///
/// // A tensor that has gone is named, and nothing has changed.
/// let refused = opt.step(&mut [Param::new("encoder.weight", &mut weight, &[0.3, 0.0])]);
/// assert!(refused.unwrap_err().to_string().contains("`encoder.bias`"));
/// assert_eq!(opt.t(), 1);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Learning rates
/// [`set_lr`](Self::set_lr) gives every group the rate of a schedule, times the group's [`lr_multiple`](Group::lr_multiple).
/// A group's hyperparameters may also be changed between steps one by one: [`group_mut`](Self::group_mut).
/// ```
/// use moments::{Groups, Sgd};
///
/// let mut opt = Groups::<_, f32>::new()
///     .group("embedding", Sgd::default(), |p| p.name.starts_with("embed"))
///     .rest("others", Sgd::default());
/// opt.group_mut("embedding")?.lr_multiple = 0.1;
/// opt.set_lr(0.5);
/// assert_eq!((opt.lr("embedding")?, opt.lr("others")?), (0.05, 0.5));
/// opt.group_mut("others")?.rule.momentum = 0.9;
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # Tensors that rest
/// [`Param::frozen`] leaves a tensor and its state as they are for a step. Its own counter stands still, as in PyTorch, so that
/// a tensor that thaws after a thousand steps has the bias correction of its first.
///
/// # Threads and memory
/// With the feature `rayon` a step uses all threads of the pool, with the same bits as on one.
/// From the second step on it allocates nothing, in whatever order the tensors come; called from outside the pool,
/// it may allocate a block of the queue through which rayon passes work into the pool, now and then.
/// A tensor that is not in row-major order in memory costs a copy there and back, by the calling thread.
/// A rule that needs whole tensors keeps room to work in for each of them.
#[derive(Clone, Debug)]
pub struct Groups<R, T: 'static = f64> {
    /// Whether a gradient with an infinite or NaN entry is refused (the default); looking for one reads the gradients once more.
    pub check_finite: bool,
    /// How the gradients are clipped before the rule sees them; `None`, the default, leaves them as they are.
    pub clip: Option<Clip>,
    storage: Storage,
    t: u64,
    #[allow(clippy::struct_field_names)]
    groups: Vec<Group<R>>,
    /// In the order of the last step.
    entries: Vec<Entry<T>>,
    /// The places of the entries, in the order of their names.
    by_name: Vec<usize>,
    /// Room for bringing the entries into the order of a step.
    places: Vec<usize>,
    room: Room<T>,
}

/// A group of tensors and its hyperparameters.
#[derive(Clone)]
pub struct Group<R> {
    /// The rule; its hyperparameters may change between steps.
    pub rule: R,
    /// What [`Groups::set_lr`] multiplies the learning rate by for this group: 1 unless it is changed.
    pub lr_multiple: f64,
    name: String,
    /// `None` takes what no other group takes.
    takes: Option<Predicate>,
}

type Predicate = Arc<dyn Fn(&Spec<'_>) -> bool + Send + Sync>;

/// What a group is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec<'a> {
    /// The tensor's name.
    pub name: &'a str,
    /// The tensor's shape.
    pub shape: &'a [usize],
}

/// A named tensor of parameters with its gradient, as a step is given it.
pub struct Param<'a, T = f64> {
    name: &'a str,
    role: Role<'a, T>,
}

enum Role<'a, T> {
    Stepped(TensorRefMut<'a, T>, TensorRef<'a, T>),
    Frozen(TensorRef<'a, T>),
    WithoutGradient,
}

/// The curvature at each coordinate of a named tensor.
pub struct Curvature<'a, T = f64> {
    name: &'a str,
    values: TensorRef<'a, T>,
    is_frozen: bool,
}

/// What is kept for one tensor.
#[derive(Clone, Debug)]
struct Entry<T> {
    name: String,
    /// Known once the tensor has been seen; restored state waits for it.
    group: Option<usize>,
    kept: Kept<T>,
    /// Of the step that is being made: the work before this tensor in the list, whether it is the first of this tensor,
    /// the norm of the gradient if it is needed, what was measured.
    before: usize,
    begins: bool,
    norm: f64,
    sums: Sums,
    measures: Option<Measures>,
}

/// The entries of one tensor, laid out for a step.
struct Piece<'a, T> {
    theta: Option<&'a mut [T]>,
    grad: Option<&'a [T]>,
    is_frozen: bool,
}

/// Memory for the pieces of a step, empty between steps.
struct Room<T: 'static>(Vec<Piece<'static, T>>);

impl<'a, T: Float> Param<'a, T> {
    /// Parameters and the gradient of the loss there.
    ///
    /// Both may be slices, vectors, fixed-size arrays or `ndarray` arrays and views, each of its own type.
    pub fn new<P, G>(name: &'a str, params: &'a mut P, grad: &'a G) -> Self
    where
        P: EraseMut<Elem = T> + ?Sized,
        G: Erase<Elem = T> + ?Sized,
    {
        let role = Role::Stepped(params.erase_mut(), grad.erase());
        Self { name, role }
    }

    /// Parameters whose gradient may be missing, in which case a step fails with [`Error::MissingGradient`].
    pub fn maybe<P, G>(name: &'a str, params: &'a mut P, grad: Option<&'a G>) -> Self
    where
        P: EraseMut<Elem = T> + ?Sized,
        G: Erase<Elem = T> + ?Sized,
    {
        match grad {
            Some(grad) => Self::new(name, params, grad),
            None => Self {
                name,
                role: Role::WithoutGradient,
            },
        }
    }

    /// Parameters that this step leaves as they are; they need no gradient and take no part in a global norm.
    pub fn frozen<P>(name: &'a str, params: &'a P) -> Self
    where
        P: Erase<Elem = T> + ?Sized,
    {
        let role = Role::Frozen(params.erase());
        Self { name, role }
    }
}

impl<'a, T: Float> Curvature<'a, T> {
    /// A diagonal of the Hessian, or an estimate of it, of the shape of the parameters of this name.
    pub fn new<C>(name: &'a str, curvature: &'a C) -> Self
    where
        C: Erase<Elem = T> + ?Sized,
    {
        Self {
            name,
            values: curvature.erase(),
            is_frozen: false,
        }
    }

    /// Parameters whose curvature is not observed this time.
    pub fn frozen<P>(name: &'a str, params: &'a P) -> Self
    where
        P: Erase<Elem = T> + ?Sized,
    {
        Self {
            name,
            values: params.erase(),
            is_frozen: true,
        }
    }
}

impl<R> Group<R> {
    /// The group's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<R: Rule, T: Float> Default for Groups<R, T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Before the first step.
impl<R: Rule, T: Float> Groups<R, T> {
    /// An optimizer without a group.
    pub fn new() -> Self {
        Self::with_storage(Storage::Full)
    }

    /// An optimizer without a group that keeps its state in fewer bits: see [`Storage`].
    pub fn with_storage(storage: Storage) -> Self {
        Self {
            check_finite: true,
            clip: None,
            storage,
            t: 0,
            groups: Vec::new(),
            entries: Vec::new(),
            by_name: Vec::new(),
            places: Vec::new(),
            room: Room(Vec::new()),
        }
    }

    /// Adds a group of the tensors for which `takes` is true.
    #[must_use]
    pub fn group<F>(mut self, name: &str, rule: R, takes: F) -> Self
    where
        F: Fn(&Spec<'_>) -> bool + Send + Sync + 'static,
    {
        self.groups.push(Group {
            rule,
            lr_multiple: 1.0,
            name: name.to_owned(),
            takes: Some(Arc::new(takes)),
        });
        self
    }

    /// Adds a group of the tensors that no other group takes.
    #[must_use]
    pub fn rest(mut self, name: &str, rule: R) -> Self {
        self.groups.push(Group {
            rule,
            lr_multiple: 1.0,
            name: name.to_owned(),
            takes: None,
        });
        self
    }
}

/// What can be read, and changed between steps.
impl<R: Rule, T: Float> Groups<R, T> {
    /// The number of steps done.
    pub fn t(&self) -> u64 {
        self.t
    }

    /// How the state is kept.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// The groups, in the order in which they were added.
    pub fn groups(&self) -> &[Group<R>] {
        &self.groups
    }

    /// The groups, so that their hyperparameters can be changed.
    pub fn groups_mut(&mut self) -> &mut [Group<R>] {
        &mut self.groups
    }

    /// A group by name, so that its hyperparameters can be changed.
    ///
    /// # Errors
    /// [`Error::UnknownGroup`] if there is none of this name.
    pub fn group_mut(&mut self, name: &str) -> Result<&mut Group<R>, Error> {
        match self.groups.iter().position(|group| group.name == name) {
            Some(at) => Ok(&mut self.groups[at]),
            None => Err(self.unknown_group(name)),
        }
    }

    /// The learning rate of a group.
    ///
    /// # Errors
    /// [`Error::UnknownGroup`] if there is none of this name.
    pub fn lr(&self, group: &str) -> Result<f64, Error> {
        match self.groups.iter().find(|g| g.name == group) {
            Some(group) => Ok(group.rule.lr()),
            None => Err(self.unknown_group(group)),
        }
    }

    /// Sets the learning rate of every group to `lr` times its [`lr_multiple`](Group::lr_multiple).
    pub fn set_lr(&mut self, lr: f64) {
        for group in &mut self.groups {
            group.rule.set_lr(lr * group.lr_multiple);
        }
    }

    fn unknown_group(&self, name: &str) -> Error {
        Error::UnknownGroup {
            group: name.to_owned(),
            groups: names(&self.groups),
        }
    }

    /// The names of the tensors in alphabetical order, none before the first step.
    pub fn tensors(&self) -> impl Iterator<Item = &str> {
        self.in_order().map(|entry| entry.name.as_str())
    }

    /// The group that a tensor is in; `None` if the tensor has not been seen.
    pub fn group_of(&self, tensor: &str) -> Option<&str> {
        Some(&self.groups[self.entry(tensor)?.group?].name)
    }

    /// The number of steps that a tensor has done; `None` if it is not known.
    pub fn t_of(&self, tensor: &str) -> Option<u64> {
        Some(self.entry(tensor)?.kept.t)
    }

    /// The names of the state tensors of a parameter tensor, none before its first step.
    pub fn state_names(&self, tensor: &str) -> impl Iterator<Item = &'static str> + '_ {
        let tensors = self.entry(tensor).map(|entry| &entry.kept.tensors[..]);
        tensors.unwrap_or_default().iter().map(|state| state.name)
    }

    /// The state of a tensor by name, such as `exp_avg`, in row-major order; `None` before its first step, if the rule keeps none of this name,
    /// or if it is kept in fewer bits ([`state_decoded`](Self::state_decoded)).
    pub fn state(&self, tensor: &str, name: &str) -> Option<&[T]> {
        self.entry(tensor)?.kept.full(name)
    }

    /// A copy of the state of a tensor by name, however it is kept; `None` before its first step or if the rule keeps none of this name.
    pub fn state_decoded(&self, tensor: &str, name: &str) -> Option<Vec<T>> {
        Some(self.entry(tensor)?.kept.tensor(name)?.values.decoded())
    }

    /// The shape of the state of a tensor; `None` before its first step or if the rule keeps none of this name.
    pub fn state_shape(&self, tensor: &str, name: &str) -> Option<&[usize]> {
        Some(&self.entry(tensor)?.kept.tensor(name)?.shape)
    }

    /// A number that the rule carries from step to step for a tensor, such as NAdam's `mu_product`; `None` before its first step
    /// or if there is none of this name.
    pub fn scalar(&self, tensor: &str, name: &str) -> Option<f64> {
        let (rule, kept) = self.rule_and_kept(tensor)?;
        kept.scalar(rule, name)
    }

    /// The rule that steps a tensor, and what is kept of it.
    pub(crate) fn rule_and_kept(&self, tensor: &str) -> Option<(&R, &Kept<T>)> {
        let entry = self.entry(tensor)?;
        Some((&self.groups[entry.group?].rule, &entry.kept))
    }

    fn entry(&self, tensor: &str) -> Option<&Entry<T>> {
        Some(&self.entries[find(&self.by_name, &self.entries, tensor)?])
    }

    /// The entries in the order of their names, in which sums over them are taken.
    fn in_order(&self) -> impl Iterator<Item = &Entry<T>> {
        self.by_name.iter().map(|&place| &self.entries[place])
    }
}

/// Steps.
impl<R: Rule, T: Float> Groups<R, T> {
    /// Applies one step to all tensors.
    ///
    /// The first step says which tensors there are; every later one is given the same, in any order.
    ///
    /// # Errors
    /// [`Error::Group`] names the group whose hyperparameters mean nothing. [`Error::Tensor`] names the tensor whose shape does not fit
    /// or whose gradient has an infinite or NaN entry while `check_finite` is set.
    /// [`Error::NoGroup`], [`Error::SeveralGroups`], [`Error::MissingGradient`], [`Error::MissingTensor`], [`Error::NewTensor`],
    /// [`Error::TensorTwice`], [`Error::EmptyName`] and [`Error::NoTensors`] are about the list and the groups;
    /// [`Error::Hyperparameter`] is about the clipping. Then nothing has changed in any tensor.
    ///
    /// # Panics
    /// If the rule names more than [`MAX_STATE`](crate::MAX_STATE) state tensors; then, too, no parameter has changed.
    pub fn step(&mut self, params: &mut [Param<'_, T>]) -> Result<(), Error> {
        self.advance(params, false)
    }

    /// Applies one step to all tensors as [`step`](Self::step) does, and measures it on the way, tensor by tensor.
    ///
    /// ```
    /// use moments::{Groups, Param, Sgd};
    ///
    /// let mut opt = Groups::new().rest("all", Sgd { lr: 0.5, ..Sgd::default() });
    /// let (mut a, mut b) = ([0.0], [3.0, 4.0]);
    /// let measures = opt.step_measured(&mut [
    ///     Param::new("a", &mut a, &[6.0]),
    ///     Param::new("b", &mut b, &[8.0, 0.0]),
    /// ])?;
    /// assert_eq!(measures.total.grad_norm, 10.0);
    /// assert_eq!(measures.tensor("b").unwrap().param_norm, 5.0);
    /// assert_eq!(measures.tensor("b").unwrap().update_norm, 4.0);
    /// # Ok::<(), moments::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`step`](Self::step).
    ///
    /// # Panics
    /// As [`step`](Self::step).
    pub fn step_measured(
        &mut self,
        params: &mut [Param<'_, T>],
    ) -> Result<GroupsMeasures<'_, R, T>, Error> {
        self.advance(params, true)?;
        let mut sums = Sums::default();
        let mut same: Option<(f64, f64)> = None;
        for entry in self.in_order() {
            if let Some(measures) = &entry.measures {
                sums = sums + entry.sums;
                let (lr, factor) = (measures.lr, measures.clip_factor);
                let (lr_so_far, factor_so_far) = *same.get_or_insert((lr, factor));
                let or_nan = |a: f64, b: f64| if a == b { a } else { f64::NAN };
                same = Some((or_nan(lr_so_far, lr), or_nan(factor_so_far, factor)));
            }
        }
        let (lr, clip_factor) = same.unwrap_or((f64::NAN, f64::NAN));
        let total = Measures::new(self.t, lr, clip_factor, sums);
        Ok(GroupsMeasures { total, of: self })
    }

    fn advance(&mut self, params: &mut [Param<'_, T>], measure: bool) -> Result<(), Error> {
        self.check_groups()?;
        let is_first = self.begin();
        self.arrange(params.iter().map(|param| param.name))?;

        let mut pieces = reuse(mem::take(&mut self.room.0));
        let result = self.lay_out(params, &mut pieces).and_then(|work| {
            // From here on everything is inside the pool, so that it is entered once.
            let step = || self.step_pieces(&mut pieces, measure);
            driver::enter(work, step)
        });
        let strided = pieces.iter().any(|p| !p.is_frozen && p.theta.is_none());
        self.room.0 = reuse(pieces);
        if result.is_err() {
            self.abandon(is_first);
            return result;
        }

        self.t += 1;
        if strided {
            for (param, entry) in params.iter_mut().zip(&self.entries) {
                if let Role::Stepped(theta, _) = &mut param.role
                    && theta.as_contiguous_mut().is_none()
                {
                    theta.copy_from(entry.kept.theta());
                }
            }
        }
        Ok(())
    }

    fn check_groups(&self) -> Result<(), Error> {
        for (i, group) in self.groups.iter().enumerate() {
            let valid = group.rule.validate();
            valid.map_err(|error| Error::Group {
                group: group.name.clone(),
                error: Box::new(error),
            })?;
            if self.groups[..i].iter().any(|g| g.name == group.name) {
                let group = group.name.clone();
                return Err(Error::GroupTwice { group });
            }
        }
        self.clip.map_or(Ok(()), |clip| clip.validate())
    }

    /// Brings the entries into the order of the names, and makes them if there are none yet.
    fn arrange<'n>(
        &mut self,
        names: impl ExactSizeIterator<Item = &'n str> + Clone,
    ) -> Result<(), Error> {
        if self.entries.is_empty() {
            return self.enrol(names);
        }
        let same = |(name, entry): (&str, &Entry<T>)| name == entry.name;
        if names.len() == self.entries.len() && names.clone().zip(&self.entries).all(same) {
            return Ok(());
        }

        self.places.fill(NOWHERE);
        for (i, name) in names.enumerate() {
            let tensor = || name.to_owned();
            let Some(at) = find(&self.by_name, &self.entries, name) else {
                return Err(Error::NewTensor { tensor: tensor() });
            };
            if self.places[at] != NOWHERE {
                return Err(Error::TensorTwice { tensor: tensor() });
            }
            self.places[at] = i;
        }
        if let Some(&at) = self.by_name.iter().find(|&&at| self.places[at] == NOWHERE) {
            let tensor = self.entries[at].name.clone();
            return Err(Error::MissingTensor { tensor });
        }
        for at in &mut self.by_name {
            *at = self.places[*at];
        }
        for i in 0..self.places.len() {
            while self.places[i] != i {
                let to = self.places[i];
                self.entries.swap(i, to);
                self.places.swap(i, to);
            }
        }
        Ok(())
    }

    /// Makes the entries at the first step.
    fn enrol<'n>(&mut self, names: impl ExactSizeIterator<Item = &'n str>) -> Result<(), Error> {
        let entries: Vec<_> = names.map(|name| Entry::new(name, Kept::new())).collect();
        if entries.is_empty() {
            return Err(Error::NoTensors);
        }
        let by_name = order(&entries);
        for pair in by_name.windows(2) {
            if entries[pair[0]].name == entries[pair[1]].name {
                let tensor = entries[pair[0]].name.clone();
                return Err(Error::TensorTwice { tensor });
            }
        }
        if entries[by_name[0]].name.is_empty() {
            return Err(Error::EmptyName);
        }
        self.take_up(entries, by_name);
        Ok(())
    }

    fn take_up(&mut self, entries: Vec<Entry<T>>, by_name: Vec<usize>) {
        self.places = vec![NOWHERE; entries.len()];
        self.entries = entries;
        self.by_name = by_name;
    }

    /// Whether this is the first that is heard of the tensors.
    fn begin(&mut self) -> bool {
        for entry in &mut self.entries {
            entry.begins = false;
        }
        self.entries.is_empty()
    }

    /// Forgets what a step that was refused has begun: everything if it was the first.
    fn abandon(&mut self, was_first: bool) {
        if was_first {
            self.take_up(Vec::new(), Vec::new());
        }
        for entry in self.entries.iter_mut().filter(|entry| entry.begins) {
            entry.kept.forget_beginning();
        }
    }

    /// Checks everything about the tensors but the entries of their gradients, and lays out the entries; returns how much work there is.
    fn lay_out<'p>(
        &mut self,
        params: &'p mut [Param<'_, T>],
        pieces: &mut Vec<Piece<'p, T>>,
    ) -> Result<usize, Error> {
        let mut work = 0;
        for (param, entry) in params.iter_mut().zip(&mut self.entries) {
            entry.before = work;
            work += OVERHEAD;
            pieces.push(match &mut param.role {
                Role::WithoutGradient => {
                    let tensor = param.name.to_owned();
                    return Err(Error::MissingGradient { tensor });
                }
                Role::Frozen(theta) => {
                    entry.look_at(&self.groups, self.storage, theta, theta)?;
                    Piece::FROZEN
                }
                Role::Stepped(theta, grad) => {
                    let rule = entry.look_at(&self.groups, self.storage, theta, grad)?;
                    entry.begins = entry.kept.shape.is_none();
                    entry.kept.begin(rule, dims(theta));
                    let piece = Piece {
                        theta: entry.kept.lay_out(theta),
                        grad: entry.kept.lay_out_grad(grad),
                        is_frozen: false,
                    };
                    work += entry.kept.grad(piece.grad).len();
                    piece
                }
            });
        }
        Ok(work)
    }

    /// Looks at the gradients, then steps everything.
    fn step_pieces(&mut self, pieces: &mut [Piece<'_, T>], measure: bool) -> Result<(), Error> {
        let clip = self.clip;
        self.check_gradients(pieces, clip.is_some_and(Clip::is_by_norm))?;
        let is_global = matches!(clip, Some(Clip::GlobalNorm { .. }));
        let global_norm = is_global.then(|| self.global_norm(pieces));

        // Nothing can fail from here on.
        let (groups, storage) = (&self.groups, self.storage);
        each(pieces, &mut self.entries, &|piece, entry| {
            entry.measures = None;
            let Some(group) = entry.group.filter(|_| !piece.is_frozen) else {
                return Ok(());
            };
            let rule = &groups[group].rule;
            let gradient = Treatment::of(clip, global_norm.unwrap_or(entry.norm));
            let (theta, kept) = (piece.theta.as_deref_mut(), &mut entry.kept);
            let sums = kept.advance(rule, storage, theta, piece.grad, gradient, measure);
            if measure {
                entry.sums = sums;
                entry.measures = Some(Measures::new(kept.t, rule.lr(), gradient.factor, sums));
            }
            Ok(())
        })
    }

    fn check_gradients(
        &mut self,
        pieces: &mut [Piece<'_, T>],
        norms_are_needed: bool,
    ) -> Result<(), Error> {
        let check_finite = self.check_finite;
        if !check_finite && !norms_are_needed {
            return Ok(());
        }
        each(pieces, &mut self.entries, &|piece, entry| {
            if !piece.is_frozen {
                let checked = entry
                    .kept
                    .check_gradient(piece.grad, check_finite, norms_are_needed);
                entry.norm = checked.map_err(|error| entry.error(error))?;
            }
            Ok(())
        })
    }

    /// The norm of all gradients together, summed in the order of the names.
    fn global_norm(&self, pieces: &[Piece<'_, T>]) -> f64 {
        let stepped = self.by_name.iter().filter(|&&at| !pieces[at].is_frozen);
        let norms = stepped.map(|&at| self.entries[at].norm);
        let sum: f64 = norms.clone().map(|norm| norm * norm).sum();
        let largest = norms.clone().fold(0.0, f64::max);
        if sum.is_finite() || !norms.clone().all(f64::is_finite) {
            return sum.sqrt();
        }
        let relative = norms.map(|norm| (norm / largest) * (norm / largest));
        largest * relative.sum::<f64>().sqrt()
    }
}

impl<R: CurvatureRule, T: Float> Groups<R, T> {
    /// Gives the rule the curvature at each coordinate of every tensor.
    ///
    /// # Errors
    /// As [`step`](Self::step), of which only those about gradients and clipping cannot occur. Then nothing has changed.
    pub fn observe_curvature(&mut self, curvature: &[Curvature<'_, T>]) -> Result<(), Error> {
        self.check_groups()?;
        let is_first = self.begin();
        self.arrange(curvature.iter().map(|c| c.name))?;
        let mut pieces = reuse(mem::take(&mut self.room.0));
        let result = self
            .lay_out_curvature(curvature, &mut pieces)
            .and_then(|work| {
                let observe = || self.observe_pieces(&mut pieces);
                driver::enter(work, observe)
            });
        self.room.0 = reuse(pieces);
        if result.is_err() {
            self.abandon(is_first);
        }
        result
    }

    fn lay_out_curvature<'c>(
        &mut self,
        curvature: &'c [Curvature<'_, T>],
        pieces: &mut Vec<Piece<'c, T>>,
    ) -> Result<usize, Error> {
        let mut work = 0;
        for (given, entry) in curvature.iter().zip(&mut self.entries) {
            let values = &given.values;
            entry.before = work;
            work += OVERHEAD;
            let rule = entry.look_at(&self.groups, self.storage, values, values)?;
            pieces.push(if given.is_frozen {
                Piece::FROZEN
            } else {
                entry.begins = entry.kept.shape.is_none();
                entry.kept.begin(rule, dims(values));
                let grad = entry.kept.lay_out_grad(values);
                work += entry.kept.grad(grad).len();
                Piece {
                    grad,
                    ..Piece::OBSERVED
                }
            });
        }
        Ok(work)
    }

    fn observe_pieces(&mut self, pieces: &mut [Piece<'_, T>]) -> Result<(), Error> {
        self.check_gradients(pieces, false)?;
        let (groups, storage) = (&self.groups, self.storage);
        each(pieces, &mut self.entries, &|piece, entry| {
            if let Some(group) = entry.group.filter(|_| !piece.is_frozen) {
                entry.kept.observe(&groups[group].rule, storage, piece.grad);
            }
            Ok(())
        })
    }
}

impl<T: Float> Entry<T> {
    fn new(name: &str, kept: Kept<T>) -> Self {
        Self {
            name: name.to_owned(),
            group: None,
            kept,
            before: 0,
            begins: false,
            norm: 0.0,
            sums: Sums::default(),
            measures: None,
        }
    }

    /// Finds the group if it is not known, and checks the shapes.
    fn look_at<'g, R, P, G>(
        &mut self,
        groups: &'g [Group<R>],
        storage: Storage,
        params: &P,
        grad: &G,
    ) -> Result<&'g R, Error>
    where
        R: Rule,
        P: Tensor<Elem = T>,
        G: Tensor<Elem = T>,
    {
        let group = match self.group {
            Some(group) => group,
            None => group_for(groups, &self.name, &dims(params).collect::<Vec<_>>())?,
        };
        self.group = Some(group);
        let rule = &groups[group].rule;
        let checked = self.kept.check_shapes(rule, params, grad);
        checked
            .and_then(|()| self.kept.check_storage(rule, storage, params))
            .map_err(|error| self.error(error))?;
        Ok(rule)
    }

    fn error(&self, error: Error) -> Error {
        Error::of_tensor(&self.name, error)
    }
}

impl<T> Piece<'_, T> {
    const OBSERVED: Self = Self {
        theta: None,
        grad: None,
        is_frozen: false,
    };
    const FROZEN: Self = Self {
        is_frozen: true,
        ..Self::OBSERVED
    };
}

/// The one group that takes a tensor.
fn group_for<R>(groups: &[Group<R>], name: &str, shape: &[usize]) -> Result<usize, Error> {
    let spec = Spec { name, shape };
    let taken_by = |rest: bool| {
        let takes = move |group: &Group<R>| match &group.takes {
            Some(takes) => !rest && takes(&spec),
            None => rest,
        };
        let groups = groups.iter().enumerate();
        groups
            .filter(move |(_, group)| takes(group))
            .map(|(i, _)| i)
    };
    let mut taking: Vec<usize> = taken_by(false).collect();
    if taking.is_empty() {
        taking.extend(taken_by(true));
    }
    match taking[..] {
        [group] => Ok(group),
        [] => Err(Error::NoGroup {
            tensor: name.to_owned(),
            shape: shape.to_vec(),
            groups: names(groups),
        }),
        _ => Err(Error::SeveralGroups {
            tensor: name.to_owned(),
            groups: taking.iter().map(|&i| groups[i].name.clone()).collect(),
        }),
    }
}

fn names<R>(groups: &[Group<R>]) -> Vec<String> {
    groups.iter().map(|group| group.name.clone()).collect()
}

/// The places of the entries, in the order of their names.
fn order<T>(entries: &[Entry<T>]) -> Vec<usize> {
    let mut by_name: Vec<usize> = (0..entries.len()).collect();
    by_name.sort_by(|&a, &b| entries[a].name.cmp(&entries[b].name));
    by_name
}

/// The place of the entry of this name.
fn find<T>(by_name: &[usize], entries: &[Entry<T>], name: &str) -> Option<usize> {
    let found = by_name.binary_search_by(|&at| entries[at].name.as_str().cmp(name));
    found.ok().map(|i| by_name[i])
}

/// Does `work` for each tensor, on several threads where it is worth it; of several errors, the one earliest in the list is returned.
fn each<T, F>(pieces: &mut [Piece<'_, T>], entries: &mut [Entry<T>], work: &F) -> Result<(), Error>
where
    T: Float,
    F: Fn(&mut Piece<'_, T>, &mut Entry<T>) -> Result<(), Error> + Sync,
{
    if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
        let (first, last) = (first.before, last.before);
        if last - first >= WORTH {
            let middle = first.midpoint(last);
            let cut = entries.partition_point(|entry| entry.before <= middle);
            let cut = cut.min(entries.len() - 1);
            let (left, right) = entries.split_at_mut(cut);
            let (pieces_left, pieces_right) = pieces.split_at_mut(cut);
            let (a, b) = driver::join(
                last - first,
                || each(pieces_left, left, work),
                || each(pieces_right, right, work),
            );
            return a.and(b);
        }
    }
    let mut both = pieces.iter_mut().zip(entries);
    both.try_for_each(|(piece, entry)| work(piece, entry))
}

/// The same memory for pieces of another step.
fn reuse<'b, T>(mut pieces: Vec<Piece<'_, T>>) -> Vec<Piece<'b, T>> {
    pieces.clear();
    // The standard library collects in place what was a vector of as large elements.
    pieces.into_iter().map(|_| Piece::OBSERVED).collect()
}

impl<T: 'static> Clone for Room<T> {
    fn clone(&self) -> Self {
        Self(Vec::new())
    }
}

impl<T: 'static> fmt::Debug for Room<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room")
    }
}

impl<R: fmt::Debug> fmt::Debug for Group<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("name", &self.name)
            .field("rule", &self.rule)
            .field("lr_multiple", &self.lr_multiple)
            .finish_non_exhaustive()
    }
}

/// What a step of many tensors was like.
#[derive(Debug)]
pub struct GroupsMeasures<'a, R, T: 'static = f64> {
    /// All tensors taken as one, without those that were frozen; the learning rate or the clipping factor is NaN where tensors differ in it.
    pub total: Measures,
    of: &'a Groups<R, T>,
}

impl<'a, R: Rule, T: Float> GroupsMeasures<'a, R, T> {
    /// What the step of one tensor was like; `None` if it was frozen or is not known.
    pub fn tensor(&self, name: &str) -> Option<Measures> {
        self.of.entry(name)?.measures
    }

    /// What the step of each tensor was like, in alphabetical order, without those that were frozen.
    pub fn tensors(&self) -> impl Iterator<Item = (&'a str, Measures)> {
        let entries = self.of.in_order();
        entries.filter_map(|entry| Some((entry.name.as_str(), entry.measures?)))
    }
}
