//! Optimizers with adaptive learning rates: one file each, one visible loop each.
//!
//! A [`Rule`] is a plain struct of hyperparameters, such as [`Adam`] or [`Sgd`].
//! An [`Optimizer`] holds a rule, its step counter and its state, and applies it to parameters:
//! vectors, slices, fixed-size arrays and `ndarray` arrays or views of any dimension and stride, in `f32` or `f64`.
//!
//! ```
//! use moments::{Adam, Optimizer};
//! use ndarray::array;
//!
//! let mut theta = array![3.0];
//! let mut opt = Optimizer::new(Adam { lr: 1e-3, ..Adam::default() });
//! for _ in 0..3 {
//!     let grad = 2.0 * &theta; // f(x) = x²
//!     opt.step(&mut theta, &grad)?;
//! }
//! assert!((theta[0] - 2.997_000_031_901_48_f64).abs() < 1e-12);
//! assert_eq!(opt.t(), 3);
//! # Ok::<(), moments::Error>(())
//! ```
//!
//! A model of many named tensors is stepped by [`Groups`], whose groups have hyperparameters of their own.
//!
//! The state is named as PyTorch names it and can be read after every step with [`Optimizer::state`].
//!
//! # Rules
//! | | floats of state per parameter | |
//! |---|---|---|
//! | [`Sgd`] | 0 or 1 | plain, heavy ball, EMA, Nesterov; coupled or decoupled decay |
//! | [`AdaGrad`], [`RmsProp`], [`AdaDelta`] | 1; 1 to 3; 2 | the second moment alone |
//! | [`Adam`], [`AdamW`], [`AmsGrad`] | 2; 2; 3 | both moments |
//! | [`Adamax`], [`NAdam`], [`RAdam`], [`DiffGrad`] | 2; 2; 2; 3 | other norms, Nesterov, rectification, friction |
//! | [`Lion`] | 1 | the sign of a moment |
//! | [`Lars`], [`Lamb`] | 1; 2 | rates in proportion to a tensor's norm |
//! | [`Adafactor`] | rows + columns of a matrix | a factored second moment |
//! | [`AdaHessian`], [`Sophia`] | 3; 2 | the curvature at each coordinate, which the caller gives |
//! | [`ScheduleFreeAdamW`], [`ScheduleFreeSgd`] | 2; 1 | an average of the iterates in place of a schedule |
//! | [`Muon`], [`MuonAdamW`] | 1; 2 where not a matrix | orthogonal updates of matrices |
//!
//! Where PyTorch, optax and the papers disagree, a named option says whose form is meant, and presets such as [`Adam::torch`] set it.
//! Every option is tested against a recorded run: `cargo test -p moments --test golden -- --nocapture`.
//!
//! # Around a rule
//! - [`Groups`]: many named tensors, in groups with hyperparameters of their own.
//! - [`schedule`]: learning rates as functions of the number of updates done.
//! - [`Clip`]: by value, by norm, by the norm of all tensors, on the way into the step.
//! - [`Snapshot`]: state as a record that is saved and restored by name; with the feature `serde` a value for any format, with `safetensors` a file.
//! - [`Storage`]: state in 16 or 8 bits.
//! - [`Optimizer::step_measured`] and [`Optimizer::effective_lr`]: what to log.
//! - [`Rule`] and [`Step`]: what a rule of your own needs.
//!
//! # What holds for all of it
//! A step either succeeds or changes nothing: a shape mismatch, a gradient that is not finite or a nonsense
//! hyperparameter is an [`Error`] that names it, and then no parameter, no state and no counter has moved.
//!
//! The same inputs give the same bits on every machine, with vectors of any width, with any number of threads (feature `rayon`),
//! in any memory layout and in WebAssembly: hyperparameters and what follows from them are `f64`, cast once; no fused multiply-add is used;
//! sums have one order; powers, exponentials and cosines are those of the crate `libm`.
//!
//! From the second step on, a step allocates nothing.

mod adadelta;
mod adafactor;
mod adagrad;
mod adahessian;
mod adam;
mod adamax;
mod adamw;
mod amsgrad;
mod clip;
mod diagnostics;
mod diffgrad;
mod driver;
mod erase;
mod error;
mod float;
mod groups;
mod kept;
mod lamb;
mod lars;
mod lion;
mod muon;
mod nadam;
#[cfg(feature = "ndarray")]
mod nd;
mod norm;
mod optimizer;
mod radam;
mod reduced;
mod rmsprop;
mod rule;
pub mod schedule;
mod schedule_free;
mod sgd;
mod snapshot;
mod sophia;
mod tensor;
mod vectors;

pub use adadelta::AdaDelta;
pub use adafactor::{Adafactor, AdafactorDecay, EpsForm, Factoring, StepSize};
pub use adagrad::{AdaGrad, EpsSide};
pub use adahessian::AdaHessian;
pub use adam::{Adam, BiasCorrection, EpsAt};
pub use adamax::Adamax;
pub use adamw::{AdamW, Decay, DecayScale};
pub use amsgrad::{AmsGrad, VMax};
pub use clip::{Clip, NormForm};
pub use diagnostics::EffectiveLr;
pub use diffgrad::DiffGrad;
pub use erase::{Erase, EraseMut, TensorRef, TensorRefMut};
pub use error::Error;
pub use float::Float;
pub use groups::{Curvature, Group, Groups, GroupsMeasures, Param, Spec};
pub use lamb::Lamb;
pub use lars::{Lars, LarsNorms};
pub use lion::{Lion, LionMode};
pub use muon::{AdjustLr, Muon, MuonAdamW, MuonForm, NsCoefficients, Preconditioning};
pub use nadam::{MomentumSchedule, NAdam};
pub use optimizer::{Measures, Optimizer};
pub use radam::{Divided, RAdam};
pub use reduced::Storage;
pub use rmsprop::RmsProp;
pub use rule::{CurvatureRule, Denominator, Initial, MAX_STATE, Rule, Step};
pub use schedule::Schedule;
pub use schedule_free::{
    DecayAt, ScheduleFree, ScheduleFreeAdamW, ScheduleFreeForm, ScheduleFreeSgd,
};
pub use sgd::{LrAt, Momentum, Sgd, SgdDecay};
pub use snapshot::{Dtype, ParameterState, Snapshot, SnapshotError, StateTensor};
pub use sophia::{Numerator, Sophia};
pub use tensor::{Tensor, TensorMut};
pub use vectors::Vectors;

/// The example of the README, which is compiled and run with those of the documentation.
#[cfg(all(doctest, feature = "ndarray"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
