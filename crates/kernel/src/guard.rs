//! A process that ends and tidies up what another one started, however that other one ended.
//!
//! Jupyter kills a launcher that does not end in time, people kill programs, and systems run out of memory: none of these
//! lets the killed program tidy up. So it starts a guard beside it and holds the other end of the guard's standard input.
//! When that closes, the guard ends everything in its process group, which the kernel was started in, and removes the folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::files;

/// A guard that is there, or not where none could be started: then the next kernel sweeps.
pub(crate) struct Guard {
    child: Option<Child>,
}

impl Guard {
    /// Starts a guard for a folder that has a lock beside it. `program` is the launcher.
    pub(crate) fn start(program: &Path, folder: &Path) -> Self {
        let mut command = Command::new(program);
        command
            .arg("tidy")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        lead_group(&mut command, None);
        Self {
            child: if cfg!(unix) {
                command.spawn().ok()
            } else {
                None
            },
        }
    }

    /// No guard.
    pub(crate) fn none() -> Self {
        Self { child: None }
    }

    /// Puts a command that is to be started into the group that the guard ends. It is apart from the group of its parent, which
    /// gets Jupyter's interrupts.
    pub(crate) fn take(&self, command: &mut Command) {
        lead_group(command, self.child.as_ref());
    }

    /// Asks everything in the group to end.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        if let Some(child) = &self.child {
            let _ = kill_process_group(Pid::from_child(child), Signal::TERM);
        }
    }
}

impl Drop for Guard {
    /// Waits until nothing of the group is left.
    fn drop(&mut self) {
        let Some(child) = &mut self.child else {
            return;
        };
        drop(child.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(5);
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[cfg(unix)]
fn lead_group(command: &mut Command, leader: Option<&Child>) {
    use std::os::unix::process::CommandExt;
    let group = leader.map_or(0, |leader| leader.id().cast_signed());
    command.process_group(group);
}

#[cfg(not(unix))]
fn lead_group(_command: &mut Command, _leader: Option<&Child>) {}

/// The lock beside a folder.
pub(crate) fn lock_path(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// What the guard does: waits for the end of whoever started it, and leaves nothing of what that one started.
#[cfg(unix)]
pub(crate) fn tidy(folder: &Path) -> Result<(), Error> {
    use rustix::process::{Signal, getpgrp, getpid, kill_process_group};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    // The signals that it sends to its group itself are not for the guard.
    for signal in [
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGHUP,
    ] {
        let _ = signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)));
    }
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    let alone = getpgrp() != getpid();
    if !alone {
        let _ = kill_process_group(getpgrp(), Signal::TERM);
    }
    let removed = remove(folder, Duration::from_secs(2))?;
    if alone {
        return Ok(());
    }
    if !removed {
        // Somebody in the group holds on to the folder and does not end when asked. The signal that ends all of them ends the
        // guard too, so another one removes the folder.
        let again = std::env::current_exe().map(|program| {
            let mut command = Command::new(program);
            command
                .arg("tidy")
                .arg(folder)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            lead_group(&mut command, None);
            command.spawn()
        });
        drop(again);
    }
    let _ = kill_process_group(getpgrp(), Signal::KILL);
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn tidy(folder: &Path) -> Result<(), Error> {
    remove(folder, Duration::from_secs(2)).map(|_| ())
}

/// Removes the folder and its lock once nobody holds the lock; false when somebody still does after so long.
fn remove(folder: &Path, patience: Duration) -> Result<bool, Error> {
    let path = lock_path(folder);
    let deadline = Instant::now() + patience;
    // Only a folder that this course made has a lock beside it.
    while path.exists() {
        if let Some(_lock) = files::try_lock(&path)? {
            // A template that was finished stays for the next kernel.
            if !folder.join(FINISHED).exists() {
                files::remove_dir(folder)?;
                let _ = fs::remove_file(&path);
            }
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(true)
}

/// Written last into a folder that is to outlive whoever made it.
pub(crate) const FINISHED: &str = "complete";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn a_folder_is_removed_once_its_lock_is_free_and_other_folders_are_not_touched() {
        let folder = Folder::new("tidy");
        folder.write("kernel/file", "x");
        folder.write("kernel.lock", "");
        let kernel = folder.path().join("kernel");
        let held = files::try_lock(&lock_path(&kernel)).unwrap();
        assert!(!remove(&kernel, Duration::from_millis(30)).unwrap());
        assert!(kernel.exists());
        drop(held);
        assert!(remove(&kernel, Duration::from_millis(30)).unwrap());
        assert!(!kernel.exists() && !lock_path(&kernel).exists());
        folder.write("mine/file", "x");
        assert!(remove(&folder.path().join("mine"), Duration::ZERO).unwrap());
        assert!(folder.path().join("mine/file").exists());
    }

    #[test]
    fn a_finished_template_is_not_removed() {
        let folder = Folder::new("finished");
        folder.write("key/complete", "");
        folder.write("key.lock", "");
        assert!(remove(&folder.path().join("key"), Duration::ZERO).unwrap());
        assert!(folder.path().join("key/complete").exists());
        assert!(folder.path().join("key.lock").exists());
    }
}
