pub static LARGE: [u64; 1 << 31] = [1; 1 << 31];
