//! The schedules: against PyTorch, optax and papers, and by what must hold for each.

mod golden;
mod laws;
mod phrases;
mod plateau;
mod refined;
mod refusals;
#[cfg(feature = "serde")]
mod settings;
