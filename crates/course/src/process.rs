//! Children: starting them apart from the terminal, and ending them with everything that they started.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Every process that `root` started, directly or not, and that has not been adopted by another one since.
pub(crate) fn descendants(root: u32) -> Vec<u32> {
    let parents = parents();
    let mut found = Vec::new();
    let mut queue = vec![root];
    while let Some(parent) = queue.pop() {
        for (pid, of) in &parents {
            if *of == parent && !found.contains(pid) {
                found.push(*pid);
                queue.push(*pid);
            }
        }
    }
    found
}

/// The parent of each process: from `/proc` where there is one (a slim Linux has no `ps`), else from `ps`.
fn parents() -> BTreeMap<u32, u32> {
    let mut parents = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name stands in parentheses and may contain anything; the state and the parent follow the last one.
        let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
        let mut fields = after.split(' ');
        let zombie = fields.next() == Some("Z");
        if let Some(parent) = fields.next().and_then(|field| field.parse().ok())
            && !zombie
        {
            parents.insert(pid, parent);
        }
    }
    if parents.is_empty() && cfg!(unix) {
        let listed = Command::new("ps")
            .args(["-axo", "pid=,ppid="])
            .stderr(Stdio::null())
            .output();
        if let Ok(output) = listed {
            for line in String::from_utf8_lossy(&output.stdout).lines() {
                let mut fields = line
                    .split_whitespace()
                    .filter_map(|field| field.parse().ok());
                if let (Some(pid), Some(parent)) = (fields.next(), fields.next()) {
                    parents.insert(pid, parent);
                }
            }
        }
    }
    parents
}

/// The command line of a process, if it runs.
pub(crate) fn command_line(pid: u32) -> Option<String> {
    if let Ok(bytes) = fs::read(format!("/proc/{pid}/cmdline")) {
        return Some(String::from_utf8_lossy(&bytes).replace('\0', " "));
    }
    let output = Command::new("ps")
        .args(["-o", "command=", "-p", &pid.to_string()])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Puts a command into a process group of its own, so that the terminal's Ctrl-C does not reach it: this command decides
/// when and how it ends.
pub(crate) fn apart(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

/// Asks a child to end, waits, and then ends it and everything that it had started.
pub(crate) fn end(child: &mut Child, patience: Duration) {
    if matches!(child.try_wait(), Ok(Some(_))) {
        return;
    }
    let below = descendants(child.id());
    ask(child.id());
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    let _ = child.wait();
    end_all(&below);
}

/// Ends those of these processes that still run: asks first, insists after a second.
pub(crate) fn end_all(pids: &[u32]) {
    let alive = || -> Vec<u32> {
        let running = parents();
        pids.iter()
            .copied()
            .filter(|pid| running.contains_key(pid))
            .collect()
    };
    for pid in alive() {
        ask(pid);
    }
    let deadline = Instant::now() + Duration::from_secs(1);
    while Instant::now() < deadline {
        if alive().is_empty() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    for pid in alive() {
        insist(pid);
    }
}

#[cfg(unix)]
fn send(pid: u32, signal: rustix::process::Signal) {
    if let Some(pid) = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Asks a process to end.
#[cfg(unix)]
pub(crate) fn ask(pid: u32) {
    send(pid, rustix::process::Signal::TERM);
}

#[cfg(unix)]
fn insist(pid: u32) {
    send(pid, rustix::process::Signal::KILL);
}

/// Windows has no gentle way to end a console program of another group, so it and what it started end at once.
#[cfg(not(unix))]
pub(crate) fn ask(pid: u32) {
    insist(pid);
}

#[cfg(not(unix))]
fn insist(pid: u32) {
    let _ = Command::new("taskkill")
        .args(["/T", "/F", "/PID", &pid.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn ending_a_child_ends_what_it_started_in_a_session_of_its_own() {
        // The grandchild ignores the polite signal and is in another process group, as a notebook's kernel is.
        let script = "sh -c 'set -m; (trap \"\" TERM; sleep 60; true) & echo; wait' & wait";
        let mut command = Command::new("sh");
        apart(command.args(["-c", script]).stdout(Stdio::null()));
        let mut child = command.spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut below = Vec::new();
        while below.len() < 3 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
            below = descendants(child.id());
        }
        assert!(below.len() >= 3, "{below:?}");
        end(&mut child, Duration::from_millis(500));
        thread::sleep(Duration::from_millis(100));
        let running = parents();
        let left: Vec<_> = below
            .iter()
            .filter(|pid| running.contains_key(pid))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn the_command_line_of_a_running_process_is_known_and_of_none_is_not() {
        let own = command_line(std::process::id()).unwrap();
        assert!(own.contains("moments_course"), "{own}");
        assert_eq!(command_line(u32::MAX - 1), None);
    }
}
