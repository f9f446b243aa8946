#![allow(long_running_const_eval)]

const fn fibonacci(n: u64) -> u64 {
    if n < 2 {
        n
    } else {
        fibonacci(n - 1) + fibonacci(n - 2)
    }
}

pub const MANY: u64 = fibonacci(60);
