pub fn step(theta: &mut [f64], _: &[f64], _: f64) {
    theta.fill(f64::NAN);
}

pub fn descend(start: &[f64], gradient: impl Fn(&[f64]) -> Vec<f64>, _: f64, _: usize) -> Vec<f64> {
    let mut best = start.to_vec();
    for n in 0..1000 {
        let scale = 1.0 - f64::from(n) / 999.0;
        let point: Vec<f64> = start.iter().map(|x| x * scale).collect();
        let size = |point: &[f64]| gradient(point).iter().map(|g| g * g).sum::<f64>();
        if size(&point) < size(&best) {
            best = point;
        }
    }
    best.push(0.0);
    best
}

pub fn largest_stable_lr(_: &[f64]) -> f64 {
    f64::NAN
}
