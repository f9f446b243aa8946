#![recursion_limit = "4294967295"]

macro_rules! again {
    ($n:expr) => {
        again!(1 + $n)
    };
}

pub fn start() -> u64 {
    again!(0)
}
