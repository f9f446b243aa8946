//! # Exercise 12: clipping by the global norm, solved
//!
//! ```text
//! norm = √(Σ x²)                         the sum is over all values of all tensors
//! x ← x · max_norm / norm                for every value of every tensor, where norm > max_norm
//! ```

/// The Euclidean norm of all values of all tensors together.
pub fn global_norm(tensors: &[Vec<f64>]) -> f64 {
    // hypot(a, b) is √(a² + b²) without a square that overflows, and √(√(a² + b²)² + c²) is the norm of three values, and so on.
    // `flatten` walks through all tensors as through one vector, and the norm of nothing is the 0 that the fold starts from.
    let values = tensors.iter().flatten();
    values.fold(0.0, |norm: f64, x| norm.hypot(*x))
}

/// Scales the tensors in place so that their global norm is at most `max_norm`, and returns the norm that they had before.
pub fn clip(tensors: &mut [Vec<f64>], max_norm: f64) -> f64 {
    let norm = global_norm(tensors);
    // A norm of 0 is never above the limit, so nothing is divided by 0.
    if norm > max_norm {
        let factor = max_norm / norm;
        for x in tensors.iter_mut().flatten() {
            *x *= factor;
        }
    }
    norm
}
