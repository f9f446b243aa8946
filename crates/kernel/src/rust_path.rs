//! Finding cargo and rustc where whoever started the kernel did not have them on the path.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::exec;

/// Where the programs of Rust were at the installation; a kernelspec hands it to its kernel.
pub(crate) const RUST_BIN: &str = "MOMENTS_RUST_BIN";

fn on_path() -> bool {
    exec::on_path("rustc").is_some() && exec::on_path("cargo").is_some()
}

/// The folder that holds cargo now.
pub(crate) fn cargo_folder() -> Option<PathBuf> {
    exec::on_path("cargo")?
        .parent()
        .and_then(|folder| std::path::absolute(folder).ok())
}

/// Where Rust can be found although the path does not say so.
fn elsewhere() -> Option<PathBuf> {
    let home = |name: &str| env::var_os(name).map(PathBuf::from);
    [
        home("CARGO_HOME").map(|folder| folder.join("bin")),
        env::home_dir().map(|folder| folder.join(".cargo").join("bin")),
        home(RUST_BIN),
    ]
    .into_iter()
    .flatten()
    .find(|folder| {
        ["rustc", "cargo"].iter().all(|name| {
            folder
                .join(format!("{name}{}", env::consts::EXE_SUFFIX))
                .is_file()
        })
    })
}

/// The same command with a path that has Rust on it, where this one has not: a desktop starts an editor without the settings
/// of a terminal.
pub(crate) fn again(arguments: &[OsString]) -> Option<Command> {
    if on_path() {
        return None;
    }
    let mut folders = vec![elsewhere()?];
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new(env::current_exe().ok()?);
    command
        .args(arguments)
        .env("PATH", env::join_paths(folders).ok()?);
    Some(command)
}

/// Runs a command in the place of this process; comes back only where that is impossible, with the exit code.
#[cfg(unix)]
pub(crate) fn become_it(mut command: Command) -> std::io::Result<i32> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

/// Runs a command to its end.
#[cfg(not(unix))]
pub(crate) fn become_it(mut command: Command) -> std::io::Result<i32> {
    Ok(command.status()?.code().unwrap_or(1))
}
