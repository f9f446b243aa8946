pub static BYTES: &[u8] = include_bytes!("/dev/urandom");
