//! What is in a store, read whole: what exports and summaries are made from.

use std::collections::BTreeMap;
use std::path::Path;

use crate::atomic;
use crate::error::{Error, Result};
use crate::outcome::Outcome;
use crate::store::{self, Entry, FAULTS, Fault, OUTCOMES, TIMES, Took};

/// The contents of a store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Who handed in what, by student and exercise.
    pub class: Vec<Entry>,
    /// The outcomes under their names.
    pub outcomes: BTreeMap<String, Outcome>,
    /// How long each outcome took, in seconds.
    pub seconds: BTreeMap<String, f64>,
    /// What has no outcome for no reason of the student's.
    pub faults: BTreeMap<String, Fault>,
}

impl View {
    /// Reads the folder at `dir`. It takes no lock: files are there whole or not at all, also while a grader works.
    ///
    /// # Errors
    /// If there is no store, or a file of it is bad or was changed after grading.
    pub fn open(dir: &Path) -> Result<Self> {
        if !dir.join(OUTCOMES).is_dir() {
            return Err(Error::file(
                dir,
                "it has no `outcomes`, so it is not a folder of the grader",
                "give the folder that followed --out",
            ));
        }
        let mut view = Self {
            class: store::read_class(dir)?,
            ..Self::default()
        };
        for key in store::checked_hashes(dir)?.into_keys() {
            let (outcome, _) = store::read_outcome(dir, &key)?;
            let path = store::file(dir, TIMES, &key);
            if let Some(bytes) = atomic::read(&path)? {
                view.seconds
                    .insert(key.clone(), store::parse::<Took>(&path, &bytes)?.seconds);
            }
            view.outcomes.insert(key, outcome);
        }
        for key in store::keys(&dir.join(FAULTS))? {
            let path = store::file(dir, FAULTS, &key);
            if let Some(bytes) = atomic::read(&path)? {
                view.faults.insert(key, store::parse(&path, &bytes)?);
            }
        }
        Ok(view)
    }
}
