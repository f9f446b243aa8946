//! What the set-up is made of, and who hears how it goes.

/// One step of the set-up. Every step is idempotent, and an interrupted one carries on at the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The source of the standard library.
    RustSrc,
    /// The packaged kernel, `evcxr_jupyter`.
    Evcxr,
    /// JupyterLab in the clone's own Python environment.
    Python,
    /// The kernelspec `moments` and its launcher.
    Kernelspec,
    /// The warm template that every kernel starts from.
    Template,
}

/// Whether a step is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is done.
    Present {
        /// The version that is there.
        version: String,
        /// Where it is.
        place: String,
    },
    /// It has to run.
    Missing {
        /// Why, as a sentence.
        reason: String,
    },
}

impl State {
    pub(crate) fn present(version: impl Into<String>, place: impl std::fmt::Display) -> Self {
        Self::Present {
            version: version.into(),
            place: place.to_string(),
        }
    }

    pub(crate) fn missing(reason: impl Into<String>) -> Self {
        Self::Missing {
            reason: reason.into(),
        }
    }

    /// Whether the step is done.
    pub fn is_present(&self) -> bool {
        matches!(self, Self::Present { .. })
    }
}

/// Hears how the set-up goes.
pub trait Reporter: Send {
    /// A missing step starts.
    fn begin(&mut self, step: Step) {
        let _ = step;
    }

    /// Where the step is; each call may overwrite the one before.
    fn progress(&mut self, text: &str);

    /// Something that should stay readable.
    fn note(&mut self, text: &str);

    /// The step is done.
    fn end(&mut self, step: Step, seconds: f64) {
        let _ = (step, seconds);
    }

    /// Asked ten times a second: `true` ends the work with [`Kind::Interrupted`](crate::Kind::Interrupted).
    fn cancelled(&self) -> bool {
        false
    }
}

/// A [`Reporter`] that says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Reporter for Quiet {
    fn progress(&mut self, _text: &str) {}
    fn note(&mut self, _text: &str) {}
}
