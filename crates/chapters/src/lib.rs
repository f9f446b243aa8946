//! One Markdown file per chapter, and everything that is made from it.
//!
//! A chapter lies in `book/src/NN-slug.md`. Its fences marked `rust,cell` are cells: one program, run in order. From this
//! single source come
//! - the page ([`page`]): an mdBook preprocessor that typesets the mathematics, shows each cell with its output, and turns
//!   questions into HTML that works without a script;
//! - the notebook ([`notebook`]): the same prose and cells for Jupyter, without outputs;
//! - the outputs ([`outputs`]): the cells compiled natively and run, so that every figure and number on the page is computed.
//!
//! [`Layout`] knows where these files lie; [`Chapter`] reads the source. Errors name the file and the line.

mod chapter;
mod diff;
mod error;
pub mod exercises;
mod include;
mod inline;
mod layout;
mod math;
pub mod notebook;
mod number;
pub mod outputs;
pub mod page;
mod prose;
mod question;
mod span;
mod teaching;

pub use chapter::{Block, Cell, Chapter, Kind};
pub use diff::{Stale, compare};
pub use error::{Error, Problem};
pub use layout::Layout;
pub use number::Numbers;
pub use question::{Choice, Question, QuestionKind};
pub use teaching::Teaching;
