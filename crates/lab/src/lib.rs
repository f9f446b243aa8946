//! Objectives, traced runs, tables and plots for the Moments course.
//!
//! [`run`] steps a rule of the `moments` crate on an [`Objective`](objective::Objective) and records a [`Trace`]:
//! loss, gradient, moments, corrected moments, update and norms of every step.
//! A [`Trace`], a [`Table`] and a [`Figure`](plot::Figure) show themselves at the end of a notebook cell.
//!
//! ```
//! use moments::Adam;
//! use moments_lab::{number, objective::Square, run};
//!
//! let trace = run(&Square, &[3.0], Adam::default(), 3)?;
//! assert_eq!(trace[0].t, 1);
//! assert!((trace[2].theta[0] - 2.997_000_031_901_48).abs() < 1e-12);
//! number!(x_3, "{:.14}", trace[2].theta[0]); // prints the line: x_3 = 2.99700003190148
//! println!("{}", trace.table());
//! # Ok::<(), moments_lab::Error>(())
//! ```

pub mod format;
pub mod notebook;
pub mod objective;
pub mod plot;
pub mod transformer;

mod display;
mod error;
#[cfg(feature = "nalgebra")]
mod matrix;
mod run;
mod table;
mod trace;

pub use error::Error;
pub use notebook::Progress;
pub use run::{Run, run, run_with};
pub use table::{Format, Table};
pub use trace::{Step, Trace};

/// What a notebook imports: `use moments_lab::prelude::*;`.
pub mod prelude {
    pub use crate::number;
    pub use crate::objective::{
        Delivery, Objective, Quadratic, Rosenbrock, Square, difference_grad,
    };
    pub use crate::plot::Figure;
    pub use crate::{Format, Progress, Run, Step, Table, Trace, run, run_with};
}

/// Prints a named number as the line `name = value`, which the chapter's prose can then cite.
///
/// The second argument is a format with one hole, as `println!` takes it; without it, the value is printed with the
/// fewest digits that give it back exactly.
///
/// ```
/// use moments_lab::number;
/// number!(x_3, "{:.14}", 2.997_000_031_901_482); // x_3 = 2.99700003190148
/// number!(third, 1.0 / 3.0); // third = 0.3333333333333333
/// ```
#[macro_export]
macro_rules! number {
    ($name:ident, $format:literal, $value:expr $(,)?) => {
        ::std::println!(
            ::std::concat!(::std::stringify!($name), " = ", $format),
            $value
        )
    };
    ($name:ident, $value:expr $(,)?) => {
        ::std::println!(::std::concat!(::std::stringify!($name), " = {:?}"), $value)
    };
}
