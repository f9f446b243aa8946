//! Facts that hold for one rule, whatever the gradients: a module for each.

mod adadelta;
mod adafactor;
mod adagrad;
mod adahessian;
mod adam;
mod adamax;
mod adamw;
mod amsgrad;
mod common;
mod diffgrad;
mod lamb;
mod lars;
mod lion;
mod muon;
mod nadam;
mod radam;
mod rmsprop;
mod schedule_free;
mod sgd;
mod sophia;
