use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind};
use crate::exec;
use crate::files;
use crate::layout::Layout;
use crate::report::{Reporter, State};

const NAME: &str = "evcxr_jupyter";

/// The version that the course is tested with.
pub const EVCXR_VERSION: &str = "0.22.0";

/// The pinned kernel, in the cache or on `PATH`.
pub(crate) fn find(layout: &Layout) -> Option<PathBuf> {
    [Some(layout.tools_bin(NAME)), exec::on_path(NAME)]
        .into_iter()
        .flatten()
        .find(|path| path.is_file() && version(path).as_deref() == Some(EVCXR_VERSION))
}

/// `evcxr_jupyter` has no option that tells its version, so ask cargo's own record beside it, and else the paths of its
/// sources that panic messages in the program hold.
fn version(program: &Path) -> Option<String> {
    let recorded = program
        .parent()
        .and_then(Path::parent)
        .and_then(|root| fs::read_to_string(root.join(".crates.toml")).ok())
        .and_then(|text| version_in_record(&text));
    recorded.or_else(|| version_in_program(&fs::read(program).ok()?))
}

fn version_in_record(record: &str) -> Option<String> {
    record.lines().find_map(|line| {
        let rest = line.trim_start().strip_prefix("\"evcxr_jupyter ")?;
        Some(rest.split(' ').next()?.to_owned())
    })
}

fn version_in_program(bytes: &[u8]) -> Option<String> {
    let mark = b"evcxr_jupyter-";
    bytes
        .windows(mark.len())
        .enumerate()
        .find_map(|(at, window)| {
            if window != mark {
                return None;
            }
            let rest = &bytes[at + mark.len()..];
            let length = rest
                .iter()
                .position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
            let text = std::str::from_utf8(&rest[..length]).ok()?;
            (text.split('.').count() == 3).then(|| text.to_owned())
        })
}

pub(crate) fn check(layout: &Layout) -> State {
    if let Some(path) = find(layout) {
        return State::present(EVCXR_VERSION, path.display());
    }
    let other = [Some(layout.tools_bin(NAME)), exec::on_path(NAME)]
        .into_iter()
        .flatten()
        .find(|path| path.is_file());
    State::missing(match other {
        Some(path) => format!(
            "{NAME} at {} is version {}, and the course needs {EVCXR_VERSION}.",
            path.display(),
            version(&path).unwrap_or_else(|| "unknown".to_owned())
        ),
        None => format!("{NAME} {EVCXR_VERSION} is not installed."),
    })
}

pub(crate) fn mend(layout: &Layout) -> String {
    format!(
        "cargo install --locked {NAME} --version {EVCXR_VERSION} --root \"{}\"",
        layout.tools().display()
    )
}

pub(crate) fn run(layout: &Layout, reporter: &mut dyn Reporter) -> Result<(), Error> {
    let _lock = files::lock_exclusive(
        &layout.cache().join("tools.lock"),
        "Another clone is installing evcxr_jupyter: waiting for it.",
        reporter,
    )?;
    if find(layout).is_some() {
        return Ok(());
    }
    if exec::on_path("cargo-binstall").is_some() {
        match binstall(layout, reporter) {
            Ok(()) if find(layout).is_some() => return Ok(()),
            Err(error) if error.kind() == Kind::Interrupted => return Err(error),
            _ => reporter
                .note("cargo-binstall had no ready-made program: building it from source instead."),
        }
    }
    // The target directory stays when an install is interrupted, so that the next one continues.
    let target = layout.cache().join("build").join(NAME);
    exec::run(
        "Installing evcxr_jupyter",
        exec::clean_command("cargo")
            .args([
                "install",
                "--locked",
                NAME,
                "--force",
                "--version",
                EVCXR_VERSION,
                "--root",
            ])
            .arg(layout.tools())
            .env("CARGO_TARGET_DIR", &target)
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", "100"),
        reporter,
        &mut |line, reporter| {
            if let Some(text) = progress(line) {
                reporter.progress(&text);
            }
        },
    )?;
    let _ = fs::remove_dir_all(&target);
    Ok(())
}

fn binstall(layout: &Layout, reporter: &mut dyn Reporter) -> Result<(), Error> {
    reporter.progress("fetching the release with cargo-binstall");
    exec::run(
        "Fetching evcxr_jupyter",
        exec::clean_command("cargo")
            .args([
                "binstall",
                "--no-confirm",
                "--force",
                "--disable-strategies",
                "compile",
            ])
            .arg(format!("{NAME}@{EVCXR_VERSION}"))
            .arg("--root")
            .arg(layout.tools()),
        reporter,
        &mut |line, reporter| reporter.progress(line.trim()),
    )
}

/// "compiling crate 123 of 412 (syn)" from cargo's progress bar, or what it is fetching.
pub(crate) fn progress(line: &str) -> Option<String> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("Building [") {
        let (_, rest) = rest.split_once("] ")?;
        let (count, names) = rest.split_once(':').unwrap_or((rest, ""));
        let (done, total) = count.trim().split_once('/')?;
        let (done, total): (u32, u32) = (done.parse().ok()?, total.parse().ok()?);
        let names = names.trim();
        let names = if names.is_empty() {
            String::new()
        } else {
            format!(" ({names})")
        };
        return Some(format!(
            "compiling crate {} of {total}{names}",
            (done + 1).min(total)
        ));
    }
    [
        "Updating",
        "Downloading",
        "Downloaded",
        "Locking",
        "Installing",
        "Finished",
    ]
    .iter()
    .any(|verb| line.starts_with(verb))
    .then(|| line.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_progress_bar_becomes_a_count_of_crates() {
        assert_eq!(
            progress("    Building [=====>       ] 122/412: syn, quote").unwrap(),
            "compiling crate 123 of 412 (syn, quote)"
        );
        assert_eq!(
            progress("    Building [====] 412/412: evcxr_jupyter(bin)").unwrap(),
            "compiling crate 412 of 412 (evcxr_jupyter(bin))"
        );
        assert_eq!(progress("   Compiling syn v2.0.1"), None);
        assert_eq!(
            progress("  Downloaded 400 crates").unwrap(),
            "downloaded 400 crates"
        );
    }

    #[test]
    fn the_version_is_read_from_cargos_record() {
        let record = "[v1]\n\"evcxr_jupyter 0.22.0 (registry+x)\" = [\"evcxr_jupyter\"]\n";
        assert_eq!(version_in_record(record).as_deref(), Some("0.22.0"));
        assert_eq!(version_in_record("[v1]\n"), None);
    }

    #[test]
    fn the_version_is_read_from_the_program_when_there_is_no_record() {
        let program = b"\0\0/src/evcxr_jupyter-\0\0/registry/evcxr_jupyter-0.21.1/src/core.rs\0";
        assert_eq!(version_in_program(program).as_deref(), Some("0.21.1"));
        assert_eq!(version_in_program(b"nothing"), None);
    }
}
