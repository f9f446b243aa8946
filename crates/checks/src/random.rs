//! A small generator of random numbers, so that randomised cases are the same on every machine and cost no dependency.

/// SplitMix64 (Steele, Lea & Flood 2014): a counter and a hash of it.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A generator whose numbers follow from the seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number between `low` and `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.bits() >> 11) as f64 / (1u64 << 53) as f64;
        low + (high - low) * unit
    }

    /// A number of either sign whose size lies between `10^low` and `10^high`, all orders of magnitude alike.
    pub fn magnitude(&mut self, low: f64, high: f64) -> f64 {
        let size = 10f64.powf(self.between(low, high));
        if self.bits() & 1 == 0 { size } else { -size }
    }

    /// `len` numbers between `low` and `high`.
    pub fn vector(&mut self, len: usize, low: f64, high: f64) -> Vec<f64> {
        (0..len).map(|_| self.between(low, high)).collect()
    }
}
