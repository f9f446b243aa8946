//! Grades submissions of the Moments exercises: code of strangers goes in, scores come out.
//!
//! ```text
//! PATH -> intake -> Submission -> judge (sandbox: compile, run; hidden cases) -> Outcome -> store -> export
//! ```
//!
//! The judge holds what is right; the student's process holds nothing but the inputs that it has been fed so far.
//! An [`outcome::Outcome`] is a function of the submission, the rubric, the key, the toolchain and the grader, and of nothing else:
//! no name, no time, no order. Names, late days and rounding are applied when results are exported.

// Sentences are put together here; an allocation more is nothing beside a run of the compiler.
#![allow(clippy::format_push_string)]

mod atomic;
#[cfg(unix)]
pub mod batch;
#[cfg(unix)]
mod compile;
pub mod error;
pub mod export;
pub mod intake;
#[cfg(unix)]
pub mod judge;
pub mod kit;
pub mod limits;
pub mod log;
pub mod merge;
pub mod outcome;
mod plain;
pub mod policy;
pub mod record;
#[cfg(unix)]
mod remote;
pub mod rubric;
#[cfg(unix)]
pub mod sandbox;
pub mod similarity;
pub mod store;
pub mod summary;
pub mod view;
