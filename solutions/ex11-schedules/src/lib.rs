//! # Exercise 11: schedules, solved
//!
//! Four schedules are formulas, and three put them one after the other.
//! t is the number of updates done before: 0 at the first.

use std::f64::consts::PI;

/// In a straight line from one rate to another, which may be higher or lower.
pub fn linear(t: u64, from: f64, to: f64, steps: u64) -> f64 {
    from + (to - from) * share(t, steps)
}

/// Multiplied by `factor` once after every `every` updates.
pub fn step_decay(t: u64, lr: f64, factor: f64, every: u64) -> f64 {
    // The division of whole numbers rounds down, which is what is asked.
    let falls = t / every;
    lr * factor.powf(falls as f64)
}

/// Half a wave of a cosine from the peak down to the floor.
pub fn cosine(t: u64, peak: f64, floor: f64, steps: u64) -> f64 {
    // From 1 down to 0: the cosine itself goes from 1 to -1.
    let wave = 0.5 * (1.0 + (PI * share(t, steps)).cos());
    floor + (peak - floor) * wave
}

/// Up to the peak in `warmup` equal steps, the first of which is above 0.
pub fn warmup(t: u64, peak: f64, warmup: u64) -> f64 {
    if t < warmup {
        // The update that follows t others is number t + 1.
        peak * (t + 1) as f64 / warmup as f64
    } else {
        peak
    }
}

/// A warmup, and a cosine that ends at t = `steps`.
pub fn warmup_cosine(t: u64, peak: f64, floor: f64, warmup: u64, steps: u64) -> f64 {
    if t < warmup {
        self::warmup(t, peak, warmup)
    } else {
        // Both the clock and the length of the cosine are those of what is left.
        cosine(t - warmup, peak, floor, steps - warmup)
    }
}

/// Warmup, stable, decay: the cool-down is linear.
pub fn wsd(t: u64, peak: f64, floor: f64, warmup: u64, stable: u64, cooldown: u64) -> f64 {
    let cooldown_begins = warmup + stable;
    if t < cooldown_begins {
        // After its end the warmup stays at the peak, so it is the stable part as well.
        self::warmup(t, peak, warmup)
    } else {
        linear(t - cooldown_begins, peak, floor, cooldown)
    }
}

/// A warmup, and then the inverse root of the number of updates.
pub fn inverse_sqrt(t: u64, peak: f64, warmup: u64) -> f64 {
    if t < warmup {
        self::warmup(t, peak, warmup)
    } else {
        // At t + 1 = warmup this is the peak, where the warmup has just arrived.
        peak * (warmup as f64 / (t + 1) as f64).sqrt()
    }
}

/// How much of the way is done, from 0 to 1, and 1 after the end.
fn share(t: u64, steps: u64) -> f64 {
    t.min(steps) as f64 / steps as f64
}
