//! What an exercise of the Moments course must satisfy.
//!
//! An exercise is one module here: its [`Check`]s, the [`Mutant`]s that they must reject, and the correct [`Variant`]s that they must accept.
//! A check sees a learner's code only as a [`Subject`]: it starts it from a [`Case`], feeds it one input at a time and looks at the numbers that come out.
//! So the same checks judge code in this process ([`verdict`]) and code in another one.
//!
//! What is right is known from recorded runs of PyTorch and optax ([`golden`]), from closed forms and from laws; nothing here calls an optimizer of the course.
//! When code is wrong, its trajectory is compared with that of every mutant: if one is equal, the message names the mistake.
//!
//! To add an exercise, write its module, list it in [`exercises`], and give its crate a test for each check.

mod case;
mod common;
mod exercise;
pub mod golden;
mod hidden;
mod local;
mod random;
mod report;
pub mod wire;

pub mod ex01_sgd;
pub mod ex02_momentum;
pub mod ex03_adagrad;
pub mod ex04_rmsprop;
pub mod ex05_ema;
pub mod ex06_bias_correction;
pub mod ex07_adam;
pub mod ex08_amsgrad;
pub mod ex09_adamw;
pub mod ex10_sgdw;
pub mod ex11_schedules;
pub mod ex12_clipping;
pub mod ex13_param_groups;
pub mod ex14_effective_lr;
pub mod ex15_diag_hessian;
pub mod ex16_read_the_curve;
pub mod ex17_memory;
pub mod ex18_delivery;

pub use case::{Case, Fault, Feed, Frame, Run, Stepper, Subject, drive};
pub use exercise::{
    Check, Exam, Exercise, Failure, Kills, Kind, Mutant, SEED, Step, TOLERANCE, Trusted, Variant,
    Verdict, first_difference, kill_matrix,
};
pub use hidden::{Hidden, hidden};
pub use local::{judge, verdict};
pub use random::Random;
pub use report::{explain, message, pointer};

/// Every exercise, in the order of their ids.
pub fn exercises() -> &'static [&'static Exercise] {
    ALL
}

static ALL: &[&Exercise] = &[
    &ex01_sgd::EXERCISE,
    &ex02_momentum::EXERCISE,
    &ex03_adagrad::EXERCISE,
    &ex04_rmsprop::EXERCISE,
    &ex05_ema::EXERCISE,
    &ex06_bias_correction::EXERCISE,
    &ex07_adam::EXERCISE,
    &ex08_amsgrad::EXERCISE,
    &ex09_adamw::EXERCISE,
    &ex10_sgdw::EXERCISE,
    &ex11_schedules::EXERCISE,
    &ex12_clipping::EXERCISE,
    &ex13_param_groups::EXERCISE,
    &ex14_effective_lr::EXERCISE,
    &ex15_diag_hessian::EXERCISE,
    &ex16_read_the_curve::EXERCISE,
    &ex17_memory::EXERCISE,
    &ex18_delivery::EXERCISE,
];
