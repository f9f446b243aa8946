//! # Exercise 11: schedules
//!
//! A schedule gives the learning rate of an update. Each one here is a function of t, the number of updates done before: 0 at the first.
//!
//! ```text
//! linear           from + (to − from) · t / steps                        t ≤ steps; then `to`
//! step_decay       lr · factorᵏ                                          k = t / every, rounded down
//! cosine           floor + (peak − floor) · (1 + cos(π t / steps)) / 2   t ≤ steps; then the floor
//! warmup           peak · (t + 1) / warmup                               t < warmup; then the peak
//!
//! warmup_cosine    the warmup                                            t < warmup
//!                  cosine(t − warmup) over steps − warmup updates        then
//! wsd              the warmup                                            t < warmup
//!                  peak                                                  t < warmup + stable
//!                  linear from peak to floor over cooldown updates       then; after that the floor
//! inverse_sqrt     the warmup                                            t < warmup
//!                  peak · √(warmup / (t + 1))                            then, without an end
//! ```
//!
//! All rates are 0 or more, and in the same unit; counts are in updates.
//! `steps`, `every` and `cooldown` are at least 1, and so is the `warmup` of `inverse_sqrt`; any other `warmup` and `stable` may be 0.
//! In `warmup_cosine`, `steps` counts all updates, those of the warmup too, and is larger than `warmup`.
//! The first value of the cosine is the peak, so the peak comes twice: at t = warmup − 1 and at t = warmup.
//!
//! An example: `warmup_cosine` with peak 1, floor 0.2, warmup 4 and steps 10 begins with 0.25, 0.5, 0.75, 1, 1.
//! At t = 7 the cosine is half-way, and the rate is 0.6; from t = 10 it is 0.2.
//!
//! Test it with `cargo course test ex11` or `cargo test -p ex11-schedules`; get a hint with `cargo course hint ex11`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// In a straight line from one rate to another, which may be higher or lower.
pub fn linear(t: u64, from: f64, to: f64, steps: u64) -> f64 {
    todo!("linear")
}

/// Multiplied by `factor` once after every `every` updates.
pub fn step_decay(t: u64, lr: f64, factor: f64, every: u64) -> f64 {
    todo!("step_decay")
}

/// Half a wave of a cosine from the peak down to the floor.
pub fn cosine(t: u64, peak: f64, floor: f64, steps: u64) -> f64 {
    todo!("cosine")
}

/// Up to the peak in `warmup` equal steps, the first of which is above 0.
pub fn warmup(t: u64, peak: f64, warmup: u64) -> f64 {
    todo!("warmup")
}

/// A warmup, and a cosine that ends at t = `steps`.
pub fn warmup_cosine(t: u64, peak: f64, floor: f64, warmup: u64, steps: u64) -> f64 {
    todo!("warmup_cosine")
}

/// Warmup, stable, decay: the cool-down is linear.
pub fn wsd(t: u64, peak: f64, floor: f64, warmup: u64, stable: u64, cooldown: u64) -> f64 {
    todo!("wsd")
}

/// A warmup, and then the inverse root of the number of updates.
pub fn inverse_sqrt(t: u64, peak: f64, warmup: u64) -> f64 {
    todo!("inverse_sqrt")
}
