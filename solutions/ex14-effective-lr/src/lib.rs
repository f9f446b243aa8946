//! # Exercise 14: the effective learning rate, and three more numbers to log, solved
//!
//! ```text
//! update_ratio    ‖after − before‖ / ‖before‖            ‖x‖ = √(Σ x²)
//! effective_lr    lr / (√v̂ᵢ + ε)                         for each coordinate i
//! eps_share       (how many i have √v̂ᵢ < ε) / n          n = the number of coordinates
//! quantile        the value at the place q · (n − 1)     of n values in ascending order, counted from 0
//! ```

/// The norm of the update over the norm of the parameters before it; 0 where the latter is 0.
pub fn update_ratio(before: &[f64], after: &[f64]) -> f64 {
    let size = norm(before.iter().copied());
    if size == 0.0 {
        return 0.0;
    }
    // The vectors are subtracted, not their norms: a step that only turns the parameters is a step.
    norm(
        after
            .iter()
            .zip(before)
            .map(|(after, before)| after - before),
    ) / size
}

/// What the (averaged) gradient of each coordinate is multiplied by.
pub fn effective_lr(lr: f64, v_hat: &[f64], eps: f64) -> Vec<f64> {
    v_hat.iter().map(|v| lr / (v.sqrt() + eps)).collect()
}

/// The share of the coordinates whose denominator is mostly eps, from 0 to 1.
pub fn eps_share(v_hat: &[f64], eps: f64) -> f64 {
    if v_hat.is_empty() {
        return 0.0;
    }
    // eps has the unit of the gradient, and so has the root; v_hat has its square.
    let below = v_hat.iter().filter(|v| v.sqrt() < eps).count();
    below as f64 / v_hat.len() as f64
}

/// The value below which a share `q` of the values lies. The values come in any order.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    // `f64` has no `Ord`, because of NaN; `total_cmp` is an order all the same.
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = q * last as f64;
    let below = place.floor() as usize;
    // At the last value there is none above.
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|x| x * x).sum::<f64>().sqrt()
}
