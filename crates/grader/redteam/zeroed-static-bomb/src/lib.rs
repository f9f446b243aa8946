pub struct Adam {
    pub lr: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
}

impl Adam {
    pub fn new(_: usize) -> Self {
        Self {
            lr: 0.001,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
        }
    }

    pub fn step(&mut self, theta: &mut [f64], _: &[f64]) {
        LARGE[0].store(1, std::sync::atomic::Ordering::Relaxed);
        theta.fill(f64::NAN);
    }
}

pub static LARGE: [std::sync::atomic::AtomicU8; 1 << 30] =
    [const { std::sync::atomic::AtomicU8::new(0) }; 1 << 30];
