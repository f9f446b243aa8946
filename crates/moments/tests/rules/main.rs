//! Facts that hold for one rule, whatever the gradients: a module for each.

mod adamw;
mod common;
mod lion;
