//! The state of many tensors, saved and restored by name.

use super::{Entry, Groups, group_for, order};
use crate::kept::Kept;
use crate::{Error, Float, ParameterState, Rule, Snapshot, SnapshotError};

impl<R: Rule, T: Float> Groups<R, T> {
    /// The state of every tensor as a record, in the order of their names; the groups and their hyperparameters are not in it.
    ///
    /// Where no tensor has done all steps, since each was frozen for some of them, a record under an empty name has their number.
    ///
    /// ```
    /// use moments::{Adam, Groups, Param};
    ///
    /// let (mut w, mut b) = ([1.0, 2.0], [0.5]);
    /// let mut opt = Groups::new().rest("all", Adam::default());
    /// opt.step(&mut [Param::new("w", &mut w, &[0.3, 0.0]), Param::new("b", &mut b, &[-2.0])])?;
    ///
    /// let saved = opt.snapshot();
    /// let mut other = Groups::new().rest("all", Adam { lr: 0.5, ..Adam::default() });
    /// other.restore(&saved)?;
    /// assert_eq!((other.t(), other.lr("all")?), (1, 0.5));
    /// assert_eq!(other.state("b", "exp_avg"), opt.state("b", "exp_avg"));
    /// # Ok::<(), moments::Error>(())
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        let record = |entry: &Entry<T>| match entry.group {
            Some(group) => {
                let rule = &self.groups[group].rule;
                entry.kept.record(rule, self.storage, &entry.name)
            }
            None => ParameterState::new::<T>(self.rule_name(), 0, &[]).named(&entry.name),
        };
        let mut parameters: Vec<_> = self.in_order().map(record).collect();
        if self.t > largest_t(&self.entries) {
            parameters.insert(0, ParameterState::new::<T>(self.rule_name(), self.t, &[]));
        }
        Snapshot::new(parameters)
    }

    /// Replaces the state by that of a record; the groups and their hyperparameters stay as they are.
    ///
    /// State is matched to tensors by name. An optimizer that has made steps before forgets them, but keeps to its tensors and their shapes;
    /// one that has not has those of the record from now on.
    ///
    /// # Errors
    /// [`Error::Snapshot`] says what in the record does not fit, and to which tensor it belongs. [`Error::Tensor`], [`Error::NoGroup`] and
    /// [`Error::SeveralGroups`] are those of a step. Then nothing has changed.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        snapshot.check()?;
        let mut t = 0;
        let mut entries = Vec::with_capacity(snapshot.parameters.len());
        for record in &snapshot.parameters {
            if record.name.is_empty() {
                t = steps_done(record)?;
            } else {
                entries.push(self.restored(record)?);
            }
        }
        let by_name = order(&entries);
        if !self.entries.is_empty() {
            let found = by_name.iter().map(|&at| entries[at].name.as_str());
            let expected: Vec<&str> = self.tensors().collect();
            let known = |name: &str| expected.binary_search(&name).is_ok();
            if let Some(unknown) = found.clone().find(|name| !known(name)) {
                let name = unknown.to_owned();
                return Err(SnapshotError::UnknownParameter { name }.into());
            }
            let found: Vec<&str> = found.collect();
            let missing = |name: &&&str| found.binary_search(name).is_err();
            if let Some(missing) = expected.iter().find(missing) {
                let name = (*missing).to_owned();
                return Err(SnapshotError::MissingParameter { name }.into());
            }
        }
        self.t = t.max(largest_t(&entries));
        self.take_up(entries, by_name);
        Ok(())
    }

    fn restored(&self, record: &ParameterState) -> Result<Entry<T>, Error> {
        let name = &record.name;
        let known = self.entry(name);
        if record.t == 0 && !record.observed {
            // Its shape is not known yet, and so its group may not be.
            no_state(record)?;
            let mut entry = Entry::new(name, Kept::new());
            entry.group = known.and_then(|entry| entry.group);
            return Ok(entry);
        }
        let group = group_for(&self.groups, name, &record.shape)?;
        let rule = &self.groups[group].rule;
        let kept = Kept::restored(rule, self.storage, record).map_err(|error| match error {
            Error::Snapshot(_) => error,
            error => Error::of_tensor(name, error),
        })?;
        if let Some(expected) = known.and_then(|entry| entry.kept.shape.as_ref())
            && *expected != record.shape
        {
            return Err(SnapshotError::Shape {
                what: format!("the parameters of `{name}`"),
                found: record.shape.clone(),
                expected: expected.clone(),
            }
            .into());
        }
        let mut entry = Entry::new(name, kept);
        entry.group = Some(group);
        Ok(entry)
    }

    fn rule_name(&self) -> &'static str {
        self.groups.first().map_or("", |group| group.rule.name())
    }
}

fn largest_t<T>(entries: &[Entry<T>]) -> u64 {
    entries.iter().map(|entry| entry.kept.t).max().unwrap_or(0)
}

/// The number of steps that a record under an empty name stands for.
fn steps_done(record: &ParameterState) -> Result<u64, Error> {
    if record.observed || !record.tensors.is_empty() || !record.scalars.is_empty() {
        return Err(Error::EmptyName);
    }
    record.check_counter()?;
    Ok(record.t)
}

fn no_state(record: &ParameterState) -> Result<(), SnapshotError> {
    if record.tensors.is_empty() && record.scalars.is_empty() {
        return Ok(());
    }
    let what = record.place("state");
    Err(SnapshotError::BeforeFirstStep { what })
}
