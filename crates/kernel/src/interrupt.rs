//! Jupyter's interrupt.
//!
//! `evcxr_jupyter` answers an interrupt by killing the process that runs cells, and with it goes every variable. So it does not
//! get any: the launcher does, and writes a file that the course's loops look for. When none does, the cell cannot be ended
//! in good order; the launcher then says so on the page, and ends it as the kernel would if it is asked once more.

#![cfg_attr(not(unix), allow(dead_code, unused_imports))]

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Names the file for `moments_lab::Progress`.
const INTERRUPT_FILE: &str = "MOMENTS_INTERRUPT_FILE";

/// How long a loop has to see the file before the page is told that none does.
const ANSWER: Duration = Duration::from_secs(1);

/// How long after that another press ends the cell.
const AGAIN: Duration = Duration::from_mins(1);

const IDLE: &str = "Nothing was interrupted: no cell computes now. (A cell that was just started is still being compiled.)";

const CANNOT: &str = "\
This cell cannot be interrupted with its variables kept: nothing in it looks for the interrupt, as run, run_with and Progress do.
To end it nevertheless, interrupt once more within a minute, or restart the kernel: all variables of the notebook are then lost.";

/// The interrupts of one kernel.
pub(crate) struct Interrupts {
    file: PathBuf,
    /// When the page was told that the cell cannot be interrupted.
    told: Arc<Mutex<Option<Instant>>>,
}

impl Interrupts {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self {
            file,
            told: Arc::default(),
        }
    }

    /// Tells the kernel, and so the cells, which file to look for.
    pub(crate) fn name_file(&self, command: &mut Command) {
        command.env(INTERRUPT_FILE, &self.file);
    }

    /// Jupyter's interrupt was pressed; `kernel` is the process of `evcxr_jupyter`.
    #[cfg(unix)]
    pub(crate) fn press(&self, kernel: u32) {
        let cell = cells::of(kernel);
        if cell.is_some_and(cells::waits) {
            thread::spawn(move || {
                // Jupyter interrupts before it ends a kernel, too, and then there is nobody to be told.
                thread::sleep(ANSWER);
                if cell == cells::of(kernel) {
                    say(cell, IDLE);
                }
            });
            return;
        }
        let told = self.told.lock().ok().and_then(|mut told| told.take());
        // The file is still there if nothing has looked for it since.
        if told.is_some_and(|told| told.elapsed() < AGAIN) && self.file.exists() {
            let _ = std::fs::remove_file(&self.file);
            if let Some(cell) = cell {
                cells::kill(cell);
            }
            return;
        }
        if std::fs::write(&self.file, "").is_err() {
            return say(
                cell,
                "The interrupt could not be passed on: is the disk full?",
            );
        }
        let (file, told) = (self.file.clone(), Arc::clone(&self.told));
        thread::spawn(move || {
            thread::sleep(ANSWER);
            if file.exists() && cell == cells::of(kernel) {
                if let Ok(mut told) = told.lock() {
                    *told = Some(Instant::now());
                }
                say(cell, CANNOT);
            }
        });
    }
}

/// Writes lines where the cell's own standard error goes: onto the page; and into Jupyter's log.
#[cfg(unix)]
fn say(cell: Option<rustix::process::Pid>, text: &str) {
    use std::io::Write;
    eprintln!("moments-kernel: {text}");
    if let Some(mut page) = cell.and_then(cells::standard_error) {
        let _ = writeln!(page, "{text}");
    }
}

/// The process that runs the cells of a kernel. `evcxr_jupyter` says nothing of it, so the system is asked.
#[cfg(unix)]
mod cells {
    use std::fs::File;
    use std::process::Command;

    use rustix::process::{Pid, Signal, kill_process};

    use crate::exec;

    /// The child of the kernel that runs the kernel's own program.
    pub(super) fn of(kernel: u32) -> Option<Pid> {
        if cfg!(target_os = "linux") {
            return of_proc(kernel);
        }
        let table = exec::capture(Command::new("ps").args(["-A", "-o", "pid=,ppid=,comm="]))?;
        let id = of_table(&table, kernel)?;
        Pid::from_raw(id)
    }

    fn of_proc(kernel: u32) -> Option<Pid> {
        let program = std::fs::read_link(format!("/proc/{kernel}/exe")).ok()?;
        std::fs::read_dir("/proc")
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
            .find(|id| {
                let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
                parent(&stat) == Some(kernel)
                    && std::fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|exe| exe == program)
            })
            .and_then(Pid::from_raw)
    }

    /// The parent in a line of `/proc/ID/stat`, whose second word is a name that may hold spaces and brackets.
    pub(super) fn parent(stat: &str) -> Option<u32> {
        let (_, rest) = stat.rsplit_once(')')?;
        rest.split_whitespace().nth(1)?.parse().ok()
    }

    pub(super) fn of_table(table: &str, kernel: u32) -> Option<i32> {
        table.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let id = words.next()?.parse().ok()?;
            let of_kernel = words.next()?.parse() == Ok(kernel);
            (of_kernel && line.ends_with("evcxr_jupyter")).then_some(id)
        })
    }

    /// Whether it waits for something to run: then it reads its standard input. Linux tells, other systems do not.
    pub(super) fn waits(cell: Pid) -> bool {
        let id = cell.as_raw_nonzero();
        std::fs::read_to_string(format!("/proc/{id}/syscall")).is_ok_and(|call| reads_input(&call))
    }

    pub(super) fn reads_input(call: &str) -> bool {
        let read = if cfg!(target_arch = "x86_64") {
            "0"
        } else {
            "63"
        };
        let mut words = call.split(' ');
        words.next() == Some(read) && words.next() == Some("0x0")
    }

    /// Its standard error, which the kernel reads and sends to the page. Linux gives it, other systems do not.
    pub(super) fn standard_error(cell: Pid) -> Option<File> {
        let id = cell.as_raw_nonzero();
        File::options()
            .write(true)
            .open(format!("/proc/{id}/fd/2"))
            .ok()
    }

    pub(super) fn kill(cell: Pid) {
        let _ = kill_process(cell, Signal::KILL);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::cells;

    #[test]
    fn the_parent_is_found_also_behind_a_name_with_brackets() {
        assert_eq!(cells::parent("12 (a) b (c)) S 7 12 12"), Some(7));
        assert_eq!(cells::parent(""), None);
    }

    #[test]
    fn the_process_that_runs_cells_is_a_child_with_the_kernels_program() {
        let table = "  5   1 /x/evcxr_jupyter\n  8   5 cargo\n  9   5 /x/evcxr_jupyter\n 10   9 /x/evcxr_jupyter\n";
        assert_eq!(cells::of_table(table, 5), Some(9));
        assert_eq!(cells::of_table(table, 77), None);
    }

    #[test]
    fn reading_standard_input_is_told_from_everything_else() {
        let read = if cfg!(target_arch = "x86_64") {
            "0"
        } else {
            "63"
        };
        assert!(cells::reads_input(&format!("{read} 0x0 0x7f 0x2000")));
        assert!(!cells::reads_input(&format!("{read} 0x5 0x7f 0x2000")));
        assert!(!cells::reads_input("running"));
    }
}
