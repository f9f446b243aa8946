use std::sync::atomic::AtomicU8;

pub static LARGE: [AtomicU8; 1 << 40] = [const { AtomicU8::new(0) }; 1 << 40];
