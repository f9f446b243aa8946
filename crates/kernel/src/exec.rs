//! Running other programs: their output line by line, cancellation, and errors told as sentences.

use std::env;
use std::ffi::OsStr;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Kind, kind_of_output};
use crate::report::Reporter;

/// How many of the last lines an error shows.
const TAIL: usize = 20;

/// Variables that change what cargo and rustc build, or that `cargo run` leaves behind.
/// Without them a template built by `cargo course` is the one that a kernel started by any editor needs.
pub(crate) fn is_build_variable(name: &str) -> bool {
    const KEPT: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
        "CARGO_UNSTABLE_",
        "CARGO_CACERT",
    ];
    if name == "CARGO" || name.starts_with("CARGO_") {
        return !KEPT.iter().any(|kept| name.starts_with(kept));
    }
    ["RUSTC", "RUSTC_", "RUSTDOC", "EVCXR_"]
        .iter()
        .any(|prefix| name == *prefix || (prefix.ends_with('_') && name.starts_with(prefix)))
        || matches!(
            name,
            "RUSTFLAGS" | "RUSTDOCFLAGS" | "OUT_DIR" | "NUM_JOBS" | "PROFILE"
        )
}

/// A command whose environment is free of build variables.
pub(crate) fn clean_command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_build_variable) {
            command.env_remove(name);
        }
    }
    command
}

/// The first program of this name on `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|candidate| candidate.is_file())
}

/// What a short command prints on standard output, or `None` when it cannot run or fails.
pub(crate) fn capture(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a command to its end and hands every line of both its streams to `on_line`.
/// A carriage return ends a line too, as in progress bars.
pub(crate) fn run(
    what: &str,
    command: &mut Command,
    reporter: &mut dyn Reporter,
    on_line: &mut dyn FnMut(&str, &mut dyn Reporter),
) -> Result<(), Error> {
    command.stdin(Stdio::null());
    run_until(what, command, reporter, on_line, &mut || false)
}

/// As [`run`], but stops the command, as a success, once `enough` says so; and its standard input is the caller's choice.
pub(crate) fn run_until(
    what: &str,
    command: &mut Command,
    reporter: &mut dyn Reporter,
    on_line: &mut dyn FnMut(&str, &mut dyn Reporter),
    enough: &mut dyn FnMut() -> bool,
) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Error::failed(format!("{what} needs `{program}`, which was not found."))
            }
            _ => Error::failed(format!(
                "{what} failed: `{program}` did not start: {error}."
            )),
        })?;
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        read_lines(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        read_lines(stderr, sender.clone());
    }
    drop(sender);
    let mut tail: Vec<String> = Vec::new();
    loop {
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => {
                on_line(&line, reporter);
                if !line.trim().is_empty() {
                    if tail.len() == TAIL {
                        tail.remove(0);
                    }
                    tail.push(line);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if reporter.cancelled() {
            stop(&mut child);
            return Err(Error::interrupted(what));
        }
        if enough() {
            stop(&mut child);
            return Ok(());
        }
    }
    let status = child
        .wait()
        .map_err(|error| Error::failed(format!("{what} failed: {error}.")))?;
    if status.success() {
        return Ok(());
    }
    if reporter.cancelled() || status.code().is_none() {
        return Err(Error::interrupted(what));
    }
    let text = tail.join("\n");
    Err(match kind_of_output(&text) {
        Kind::DiskFull => Error::new(
            Kind::DiskFull,
            format!(
                "{what} failed: the disk is full. Free some space (the set-up needs about 2 GB) and start again."
            ),
        ),
        Kind::NoNetwork => Error::new(
            Kind::NoNetwork,
            format!(
                "{what} failed: there is no network, or the server did not answer. Connect and start again.\n{text}"
            ),
        ),
        _ => Error::failed(format!("{what} failed ({status}):\n{text}")),
    })
}

fn read_lines(mut stream: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        let mut line = Vec::new();
        let mut buffer = [0; 4096];
        let send = |line: &mut Vec<u8>| {
            let text = String::from_utf8_lossy(line).trim_end().to_owned();
            line.clear();
            sender.send(text).is_ok()
        };
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            for byte in &buffer[..count] {
                if matches!(byte, b'\n' | b'\r') {
                    if !line.is_empty() && !send(&mut line) {
                        return;
                    }
                } else {
                    line.push(*byte);
                }
            }
        }
        if !line.is_empty() {
            send(&mut line);
        }
    });
}

/// Asks a child to end, and ends it after two seconds.
pub(crate) fn stop(child: &mut Child) {
    terminate(child);
    let deadline = Instant::now() + Duration::from_secs(2);
    while Instant::now() < deadline {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(unix)]
pub(crate) fn terminate(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process};
    if matches!(child.try_wait(), Ok(None)) {
        let _ = kill_process(Pid::from_child(child), Signal::TERM);
    }
}

#[cfg(not(unix))]
pub(crate) fn terminate(child: &mut Child) {
    let _ = child.kill();
}

/// Writes a file so that a reader sees the old or the new content, never a part.
pub(crate) fn write_atomic(path: &Path, content: &[u8]) -> Result<(), Error> {
    let failed = |error| Error::io("write", path, &error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, &error))?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let partial = path.with_file_name(format!(".{name}.{}", std::process::id()));
    std::fs::write(&partial, content)
        .and_then(|()| std::fs::rename(&partial, path))
        .inspect_err(|_| {
            let _ = std::fs::remove_file(&partial);
        })
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Quiet;

    #[test]
    fn variables_that_cargo_run_leaves_behind_are_dropped_and_network_settings_kept() {
        for dropped in [
            "CARGO",
            "CARGO_MANIFEST_DIR",
            "CARGO_TARGET_DIR",
            "RUSTFLAGS",
            "RUSTC",
            "RUSTC_WRAPPER",
            "EVCXR_TMPDIR",
        ] {
            assert!(is_build_variable(dropped), "{dropped}");
        }
        for kept in [
            "CARGO_HOME",
            "CARGO_HTTP_PROXY",
            "CARGO_NET_OFFLINE",
            "RUSTUP_TOOLCHAIN",
            "RUST_SRC_PATH",
            "PATH",
        ] {
            assert!(!is_build_variable(kept), "{kept}");
        }
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(
            "Building",
            &mut Command::new("no-such-program"),
            &mut Quiet,
            &mut |_, _| (),
        );
        assert!(error.unwrap_err().to_string().contains("`no-such-program`"));
    }

    #[cfg(unix)]
    #[test]
    fn lines_of_both_streams_arrive_and_a_carriage_return_ends_one() {
        let mut seen = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "printf 'one\\rtwo\\n'; printf 'three' >&2"]);
        run("Printing", &mut command, &mut Quiet, &mut |line, _| {
            seen.push(line.to_owned());
        })
        .unwrap();
        seen.sort();
        assert_eq!(seen, ["one", "three", "two"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_failed_command_shows_its_last_lines() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo the reason >&2; exit 3"]);
        let error = run("Trying", &mut command, &mut Quiet, &mut |_, _| ()).unwrap_err();
        assert!(error.to_string().contains("the reason"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_cancelled_command_ends_at_once() {
        struct Stop;
        impl Reporter for Stop {
            fn progress(&mut self, _: &str) {}
            fn note(&mut self, _: &str) {}
            fn cancelled(&self) -> bool {
                true
            }
        }
        let began = Instant::now();
        let error = run(
            "Sleeping",
            Command::new("sleep").arg("20"),
            &mut Stop,
            &mut |_, _| (),
        );
        assert_eq!(error.unwrap_err().kind(), Kind::Interrupted);
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn an_atomic_write_leaves_no_partial_file() {
        let folder = crate::testing::Folder::new("atomic");
        let path = folder.path().join("deep er").join("file");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(
            std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1
        );
    }
}
