//! The fingerprints of `tests/bits.txt` as a WebAssembly module, for `tools/wasm_bits.mjs` to compare.
#![allow(unsafe_code)] // An export needs a name, and names are the linker's to keep apart.

#[path = "../tests/table/mod.rs"]
mod table;

use std::sync::OnceLock;

static TEXT: OnceLock<String> = OnceLock::new();

fn text() -> &'static str {
    TEXT.get_or_init(table::fingerprints)
}

/// Where the text lies in memory.
#[unsafe(no_mangle)]
pub extern "C" fn fingerprints() -> *const u8 {
    text().as_ptr()
}

/// How many bytes it has.
#[unsafe(no_mangle)]
pub extern "C" fn fingerprints_len() -> usize {
    text().len()
}
