use std::fmt;

/// Why a run or a figure could not be made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The start does not have one entry per parameter of the objective.
    Dimension {
        /// The objective's name.
        objective: String,
        /// The number of parameters that it has.
        expected: usize,
        /// The number of entries in the start.
        found: usize,
    },
    /// The optimizer refused a step.
    Step {
        /// The step, counted from 1.
        t: u64,
        /// The optimizer's reason.
        source: moments::Error,
    },
    /// The parameters became infinite or NaN in a step.
    Diverged {
        /// The step, counted from 1.
        t: u64,
        /// The entry of the parameters, counted from 0.
        index: usize,
        /// Its value after the step.
        value: f64,
    },
    /// A figure has nothing that can be drawn.
    EmptyFigure {
        /// The figure's title.
        figure: String,
        /// What is missing.
        why: String,
    },
    /// The drawing itself failed.
    Drawing {
        /// The figure's title.
        figure: String,
        /// The drawing library's reason.
        why: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dimension {
                objective,
                expected,
                found,
            } => write!(
                f,
                "{objective} needs a start of length {expected}, but the start has length {found}: give one number per parameter"
            ),
            Self::Step { t, source } => write!(f, "step {t}: {source}"),
            Self::Diverged { t, index, value } => write!(
                f,
                "parameter {index} became {value} in step {t}: lower the learning rate, or keep the trace up to here \
                 with Run::stop_when_not_finite"
            ),
            Self::EmptyFigure { figure, why } => write!(f, "figure \"{figure}\": {why}"),
            Self::Drawing { figure, why } => {
                write!(f, "figure \"{figure}\" could not be drawn: {why}")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Step { source, .. } => Some(source),
            _ => None,
        }
    }
}
