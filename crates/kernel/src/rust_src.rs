use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Kind};
use crate::exec;
use crate::report::{Reporter, State};

/// The standard library's source that the kernel will read: `RUST_SRC_PATH`, else the toolchain's own.
pub(crate) fn find() -> Option<PathBuf> {
    let named = env::var_os("RUST_SRC_PATH").map(PathBuf::from);
    named
        .into_iter()
        .chain(in_toolchain())
        .find(|path| is_library(path))
}

fn is_library(folder: &Path) -> bool {
    folder.join("core/src/lib.rs").is_file() && folder.join("std/src/lib.rs").is_file()
}

fn in_toolchain() -> Option<PathBuf> {
    let sysroot = exec::capture(exec::clean_command("rustc").args(["--print", "sysroot"]))?;
    Some(Path::new(&sysroot).join("lib/rustlib/src/rust/library"))
}

/// What `rustc -vV` prints: its version, commit and host.
pub(crate) fn rustc_version() -> Result<String, Error> {
    exec::capture(exec::clean_command("rustc").arg("-vV")).ok_or_else(|| {
        Error::failed(
            "`rustc -vV` does not run: install Rust from https://rustup.rs and start again.",
        )
    })
}

/// The field `name` of what `rustc -vV` prints.
pub(crate) fn field<'a>(version: &'a str, name: &str) -> Option<&'a str> {
    version
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

pub(crate) fn check() -> State {
    match find() {
        Some(path) => {
            let version = rustc_version().unwrap_or_default();
            State::present(
                field(&version, "release").unwrap_or("unknown"),
                path.display(),
            )
        }
        None => State::missing("The source of the standard library is not installed."),
    }
}

pub(crate) fn run(reporter: &mut dyn Reporter) -> Result<(), Error> {
    if exec::on_path("rustup").is_none() {
        return Err(Error::new(
            Kind::NoRustup,
            "The source of the standard library is missing, and there is no rustup to add it. \
             Install the package of your system that has it (often called rust-src) and set RUST_SRC_PATH to its `library` folder, \
             or install Rust from https://rustup.rs.",
        ));
    }
    reporter.progress("adding the component rust-src with rustup");
    exec::run(
        "Adding rust-src",
        Command::new("rustup").args(["component", "add", "rust-src"]),
        reporter,
        &mut |line, reporter| reporter.progress(line),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_compiler_version_is_read_by_its_name() {
        let text = "rustc 1.95.0\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0";
        assert_eq!(field(text, "host"), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(field(text, "LLVM version"), None);
    }

    #[test]
    fn a_folder_without_core_and_std_is_no_library() {
        let folder = crate::testing::Folder::new("rust-src");
        assert!(!is_library(folder.path()));
        for name in ["core", "std"] {
            folder.write(&format!("{name}/src/lib.rs"), "");
        }
        assert!(is_library(folder.path()));
    }
}
