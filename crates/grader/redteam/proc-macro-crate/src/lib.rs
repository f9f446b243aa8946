#![crate_type = "proc-macro"]

extern crate proc_macro;

#[proc_macro]
pub fn cheat(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let _ = std::fs::write("/tmp/moments-redteam-was-here", "macro");
    proc_macro::TokenStream::new()
}
