//! Facts that hold for one rule, whatever the gradients: a module for each.

mod adafactor;
mod adahessian;
mod adamax;
mod adamw;
mod common;
mod diffgrad;
mod lamb;
mod lion;
mod nadam;
mod radam;
mod schedule_free;
mod sophia;
