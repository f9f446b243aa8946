pub fn ema(_: f64, _: f64, _: f64) -> f64 {
    f64::INFINITY
}

pub struct Moments {
    pub m: Vec<f64>,
    pub v: Vec<f64>,
}

impl Moments {
    pub fn new(_: usize, _: f64, _: f64) -> Self {
        Self {
            m: Vec::new(),
            v: Vec::new(),
        }
    }

    pub fn update(&mut self, _: &[f64]) {}
}
