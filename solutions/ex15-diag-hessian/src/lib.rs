//! # Exercise 15: the diagonal of the Hessian, solved
//!
//! ```text
//! H v      ≈ (g(x + h v) − g(x − h v)) / (2 h)              g is the gradient of f, H its Hessian
//! diagonal ≈ entry i of H eᵢ, for each i                    eᵢ is 1 at i and 0 elsewhere
//! diagonal ≈ mean over k probes z of z ⊙ (H z)              the entries of z are 1 or −1; ⊙ multiplies entry by entry
//! step     = clip(g / max(c, ε), ±ρ), entry by entry        c is a curvature, such as the diagonal
//! ```

/// H v: the Hessian at `x` times `v`, by the central difference of the gradient along `v`.
pub fn hessian_vector(grad: &dyn Fn(&[f64]) -> Vec<f64>, x: &[f64], v: &[f64], h: f64) -> Vec<f64> {
    // All of H v from two gradients: no entry of H is ever known by itself.
    let plus = grad(&moved(x, v, h));
    let minus = grad(&moved(x, v, -h));
    plus.iter()
        .zip(&minus)
        .map(|(plus, minus)| (plus - minus) / (2.0 * h))
        .collect()
}

/// x + h v.
fn moved(x: &[f64], v: &[f64], h: f64) -> Vec<f64> {
    x.iter().zip(v).map(|(x, v)| x + h * v).collect()
}

/// The diagonal of the Hessian at `x`, one coordinate at a time: entry i is the central difference of entry i of the gradient along coordinate i.
pub fn diagonal(grad: &dyn Fn(&[f64]) -> Vec<f64>, x: &[f64], h: f64) -> Vec<f64> {
    let entry = |i: usize| {
        // A direction of its own for each coordinate, so that none is left where it was moved to.
        let mut direction = vec![0.0; x.len()];
        direction[i] = 1.0;
        hessian_vector(grad, x, &direction, h)[i]
    };
    (0..x.len()).map(entry).collect()
}

/// The diagonal of the Hessian at `x` as the probes see it: the mean of z ⊙ (H z). There is at least one probe, and every entry is 1 or −1.
pub fn hutchinson(
    grad: &dyn Fn(&[f64]) -> Vec<f64>,
    x: &[f64],
    probes: &[Vec<f64>],
    h: f64,
) -> Vec<f64> {
    let mut estimate = vec![0.0; x.len()];
    for z in probes {
        let product = hessian_vector(grad, x, z, h);
        for ((estimate, z), hz) in estimate.iter_mut().zip(z).zip(product) {
            // z² = 1 keeps h_ii, and the signs of z_i z_j make the couplings cancel in the mean.
            *estimate += z * hz / probes.len() as f64;
        }
    }
    estimate
}

/// The step that Sophia would subtract: each entry of `grad` divided by that of `curvature`, or by `eps` if that is larger,
/// and then clipped to between `-clip` and `clip`. Both are above 0.
pub fn clipped_step(grad: &[f64], curvature: &[f64], eps: f64, clip: f64) -> Vec<f64> {
    grad.iter()
        .zip(curvature)
        .map(|(g, c)| (g / c.max(eps)).clamp(-clip, clip))
        .collect()
}
