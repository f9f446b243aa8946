fn main() {
    let _ = std::fs::write("/tmp/moments-redteam-was-here", "build.rs");
}
