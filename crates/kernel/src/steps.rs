use std::time::Instant;

use crate::error::Error;
use crate::layout::Layout;
use crate::report::{Reporter, State, Step};
use crate::{evcxr, files, kernelspec, python, rust_src, template};

impl Step {
    /// All steps, in the order in which they must run.
    pub const ALL: [Self; 5] = [
        Self::RustSrc,
        Self::Evcxr,
        Self::Python,
        Self::Kernelspec,
        Self::Template,
    ];

    /// A short name, such as `evcxr_jupyter`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RustSrc => "rust-src",
            Self::Evcxr => "evcxr_jupyter",
            Self::Python => "python",
            Self::Kernelspec => "kernelspec",
            Self::Template => "template",
        }
    }

    /// What the step provides, in one sentence.
    pub fn what(self) -> &'static str {
        match self {
            Self::RustSrc => {
                "The source of the standard library, which the kernel reads to infer types."
            }
            Self::Evcxr => "The Rust kernel for Jupyter, installed into the course's cache.",
            Self::Python => "JupyterLab, in a Python environment of this clone.",
            Self::Kernelspec => "The course's kernels, registered for this clone.",
            Self::Template => "The course's crates, compiled once for all kernels.",
        }
    }

    /// How long the step takes on two cores, as words.
    pub fn estimate(self) -> &'static str {
        match self {
            Self::RustSrc => "a few seconds",
            Self::Evcxr => "about ten minutes, or a few seconds where cargo-binstall is installed",
            Self::Kernelspec => "about half a minute",
            Self::Python => "about a minute",
            Self::Template => "about two minutes",
        }
    }

    /// The command that does the step by hand.
    pub fn mend(self, layout: &Layout) -> String {
        match self {
            Self::RustSrc => "rustup component add rust-src".to_owned(),
            Self::Evcxr => evcxr::mend(layout),
            Self::Python | Self::Kernelspec | Self::Template => {
                "cargo course kernel setup".to_owned()
            }
        }
    }

    /// Whether the step is done, and with which version; this takes no more than a fraction of a second.
    pub fn check(self, layout: &Layout) -> State {
        match self {
            Self::RustSrc => rust_src::check(),
            Self::Evcxr => evcxr::check(layout),
            Self::Python => python::check(layout),
            Self::Kernelspec => kernelspec::check(layout),
            Self::Template => template::check(layout),
        }
    }

    /// Does the step.
    ///
    /// # Errors
    /// When it cannot be done; the message says what failed and what mends it.
    pub fn run(self, layout: &Layout, reporter: &mut dyn Reporter) -> Result<(), Error> {
        match self {
            Self::RustSrc => rust_src::run(reporter),
            Self::Evcxr => evcxr::run(layout, reporter),
            Self::Python => python::run(layout, reporter),
            Self::Kernelspec => kernelspec::run(layout, reporter),
            Self::Template => template::run(layout, reporter),
        }
    }
}

/// Runs every step that is missing. A second set-up of the same clone waits for the first.
///
/// # Errors
/// The first step that fails ends the set-up; the next one carries on from there.
pub fn setup(layout: &Layout, reporter: &mut dyn Reporter) -> Result<(), Error> {
    setup_only(layout, &Step::ALL, reporter)
}

/// As [`setup`], for these steps alone.
///
/// # Errors
/// As [`setup`].
pub fn setup_only(
    layout: &Layout,
    steps: &[Step],
    reporter: &mut dyn Reporter,
) -> Result<(), Error> {
    let _lock = files::lock_exclusive(
        &layout.course().join("setup.lock"),
        "Another set-up of this clone is running: waiting for it.",
        reporter,
    )?;
    run_missing(layout, steps, reporter)
}

/// As [`setup_only`], without keeping another set-up of the clone away.
pub(crate) fn run_missing(
    layout: &Layout,
    steps: &[Step],
    reporter: &mut dyn Reporter,
) -> Result<(), Error> {
    for step in Step::ALL.into_iter().filter(|step| steps.contains(step)) {
        if step.check(layout).is_present() {
            continue;
        }
        if reporter.cancelled() {
            return Err(Error::interrupted("The set-up"));
        }
        reporter.begin(step);
        let began = Instant::now();
        step.run(layout, reporter)?;
        if let State::Missing { reason } = step.check(layout) {
            return Err(Error::failed(format!(
                "The step {} ran, and yet: {reason}",
                step.name()
            )));
        }
        reporter.end(step, began.elapsed().as_secs_f64());
    }
    Ok(())
}
