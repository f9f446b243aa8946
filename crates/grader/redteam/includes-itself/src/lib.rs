#![recursion_limit = "4294967295"]

pub mod inner {
    include!("lib.rs");
}
