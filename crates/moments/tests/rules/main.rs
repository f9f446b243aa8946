//! Facts that hold for one rule, whatever the gradients: a module for each.

mod adafactor;
mod adahessian;
mod adamw;
mod common;
mod lion;
mod schedule_free;
mod sophia;
