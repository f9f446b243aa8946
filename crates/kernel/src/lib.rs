//! What makes the packaged Rust kernel for Jupyter, `evcxr_jupyter`, start warm for this course, and fail out loud.
//!
//! - [`setup`] installs what is missing, step by step; [`Step::check`] says what is there.
//! - [`notebook::run`] executes a notebook on the real kernel, and errs where the kernel alone would report success.
//! - The program `moments-kernel` is what Jupyter starts: it copies a [`template`](Layout::templates) that was built once,
//!   starts `evcxr_jupyter` in the copy, and removes the copy when the kernel has ended.

mod error;
mod evcxr;
mod exec;
mod files;
mod flavour;
mod guard;
mod hash;
mod install;
mod interrupt;
mod kernelspec;
mod launch;
mod layout;
mod manage;
mod places;
mod pool;
mod python;
mod report;
mod rust_path;
mod rust_src;
mod steps;
mod sysroot;
mod template;
mod vendor;

pub mod cli;
pub mod notebook;

#[cfg(test)]
mod testing;

pub use error::{Error, Kind};
pub use evcxr::EVCXR_VERSION;
pub use flavour::Flavour;
pub use launch::{Running, Status, Warmth, status, sweep};
pub use layout::Layout;
pub use pool::Pool;
pub use report::{Quiet, Reporter, State, Step};
pub use steps::{setup, setup_only};
