//! # Exercise 15: the diagonal of the Hessian
//!
//! How sharply does f bend along each coordinate?
//! Here f is known by its gradient alone, as a function that may be called at any point: as in training, where the Hessian is too large to write down.
//!
//! ```text
//! H v      ≈ (g(x + h v) − g(x − h v)) / (2 h)              g is the gradient of f, H its Hessian
//! diagonal ≈ entry i of H eᵢ, for each i                    eᵢ is 1 at i and 0 elsewhere
//! diagonal ≈ mean over k probes z of z ⊙ (H z)              the entries of z are 1 or −1; ⊙ multiplies entry by entry
//! step     = clip(g / max(c, ε), ±ρ), entry by entry        c is a curvature, such as the diagonal
//! ```
//!
//! x, v, z, g and c are vectors of one length n, which may be 0.
//! h is in units of x; g is in units of f over those of x, and the diagonal in units of f over those of x squared. v and z have no unit.
//! A product with H takes two gradients whatever n is. The diagonal takes 2 n of them one coordinate at a time, and 2 k by k probes.
//!
//! The differences are taken exactly as they stand above, for the functions of the tests are not all quadratic:
//! of f = x⁴ the product is 12 x² v + 4 h² v³.
//!
//! An example: f = x₀² + 3 x₀ x₁ − 2 x₁² has the gradient (2 x₀ + 3 x₁, 3 x₀ − 4 x₁) and the Hessian [[2, 3], [3, −4]].
//! At x = (1, −2) with h = 0.25 and v = (1, 0) the two gradients are (−3.5, 11.75) and (−4.5, 10.25), and H v = (2, 3).
//! The probe (1, 1) gives (5, −1) and the probe (1, −1) gives (−1, −7); their mean is the diagonal, (2, −4).
//!
//! Test it with `cargo course test ex15` or `cargo test -p ex15-diag-hessian`; get a hint with `cargo course hint ex15`.

// The bodies below use none of their arguments yet. Delete this line when they do.
#![allow(unused_variables)]

/// H v: the Hessian at `x` times `v`, by the central difference of the gradient along `v`.
pub fn hessian_vector(grad: &dyn Fn(&[f64]) -> Vec<f64>, x: &[f64], v: &[f64], h: f64) -> Vec<f64> {
    todo!("hessian_vector")
}

/// The diagonal of the Hessian at `x`, one coordinate at a time: entry i is the central difference of entry i of the gradient along coordinate i.
pub fn diagonal(grad: &dyn Fn(&[f64]) -> Vec<f64>, x: &[f64], h: f64) -> Vec<f64> {
    todo!("diagonal")
}

/// The diagonal of the Hessian at `x` as the probes see it: the mean of z ⊙ (H z). There is at least one probe, and every entry is 1 or −1.
pub fn hutchinson(
    grad: &dyn Fn(&[f64]) -> Vec<f64>,
    x: &[f64],
    probes: &[Vec<f64>],
    h: f64,
) -> Vec<f64> {
    todo!("hutchinson")
}

/// The step that Sophia would subtract: each entry of `grad` divided by that of `curvature`, or by `eps` if that is larger,
/// and then clipped to between `-clip` and `clip`. Both are above 0.
pub fn clipped_step(grad: &[f64], curvature: &[f64], eps: f64, clip: f64) -> Vec<f64> {
    todo!("clipped_step")
}
