//! A kernel's life: a directory of its own, `evcxr_jupyter` in it, and nothing left behind.

use std::env;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Kind};
use crate::evcxr::{self, EVCXR_VERSION};
use crate::exec;
use crate::files;
use crate::flavour::Flavour;
use crate::guard::{Guard, lock_path};
use crate::interrupt::Interrupts;
use crate::layout::Layout;
use crate::pool::Pool;
use crate::report::{Quiet, Reporter};
use crate::template::{self, Template};

/// Tells the log of Jupyter, which is where a kernel's standard error goes.
pub(crate) struct Log;

impl Reporter for Log {
    fn progress(&mut self, _text: &str) {}

    fn note(&mut self, text: &str) {
        eprintln!("moments-kernel: {text}");
    }
}

/// The directory of one kernel. Its lock is held by the launcher and, as its standard input, by `evcxr_jupyter`:
/// so it counts as alive until both have ended, however they ended.
struct KernelDir {
    folder: PathBuf,
    lock: File,
}

impl KernelDir {
    fn create(layout: &Layout) -> Result<Self, Error> {
        let all = layout.kernels();
        // Held while directories come and go, so that a sweep never meets one that is half made.
        let _guard = files::lock_exclusive(
            &all.join(".lock"),
            "Waiting for another kernel to start.",
            &mut Log,
        )?;
        sweep_locked(&all);
        let moment = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        for attempt in 0..1000 {
            let name = format!("{}-{:x}", std::process::id(), moment.as_nanos() + attempt);
            let folder = all.join(&name);
            if let Some(lock) = files::try_lock(&lock_path(&folder))? {
                fs::create_dir(&folder).map_err(|error| Error::io("create", &folder, &error))?;
                return Ok(Self { folder, lock });
            }
        }
        Err(Error::failed(format!(
            "No directory for a kernel could be made in {}.",
            all.display()
        )))
    }

    fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    fn end(self) {
        let _ = files::remove_dir(&self.folder);
        let _ = fs::remove_file(lock_path(&self.folder));
    }
}

/// Removes the directories of dead kernels, and old templates; tells how many.
pub fn sweep(layout: &Layout) -> usize {
    let all = layout.kernels();
    let swept = match files::try_lock(&all.join(".lock")) {
        Ok(Some(_guard)) => sweep_locked(&all),
        _ => 0,
    };
    swept + template::sweep(layout, &template::current_keys(layout))
}

fn sweep_locked(all: &Path) -> usize {
    let mut removed = 0;
    for folder in kernel_folders(all) {
        if let Ok(Some(_dead)) = files::try_lock(&lock_path(&folder)) {
            if files::remove_dir(&folder).is_ok() {
                removed += 1;
            }
            let _ = fs::remove_file(lock_path(&folder));
        }
    }
    removed
}

fn kernel_folders(all: &Path) -> Vec<PathBuf> {
    files::read_dir(all)
        .unwrap_or_default()
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

/// Starts a kernel for the connection file that Jupyter wrote, and stays until it has ended.
pub(crate) fn launch(
    layout: &Layout,
    flavour: Flavour,
    connection_file: &Path,
) -> Result<i32, Error> {
    let program = evcxr::find(layout).ok_or_else(|| {
        Error::failed(format!(
            "evcxr_jupyter {EVCXR_VERSION} is not installed. Run `cargo course` in {}.",
            layout.root().display()
        ))
    })?;
    template::prepare_builds(layout)?;
    let kernel = KernelDir::create(layout)?;
    let guard = match env::current_exe() {
        Ok(launcher) => Guard::start(&launcher, &kernel.folder),
        Err(_) => Guard::none(),
    };
    let result = prepare(layout, flavour, &kernel).and_then(|(config, sysroot, _in_use)| {
        let mut command = exec::clean_command(&program);
        command.arg("--control_file").arg(connection_file);
        template::kernel_env(&mut command, &kernel.work(), &config, sysroot.as_deref());
        let held = kernel
            .lock
            .try_clone()
            .map_err(|error| Error::io("hold", &kernel.folder, &error))?;
        command.stdin(Stdio::from(held));
        let interrupts = Interrupts::new(kernel.folder.join("interrupt"));
        interrupts.name_file(&mut command);
        guard.take(&mut command);
        attend(&mut command, &guard, &interrupts)
    });
    kernel.end();
    drop(guard);
    Ok(exit_code(result?))
}

/// Fills the kernel's directory; tells the config directory, the standard library's source, and the lock that keeps the template.
fn prepare(
    layout: &Layout,
    flavour: Flavour,
    kernel: &KernelDir,
) -> Result<(PathBuf, Option<PathBuf>, Option<File>), Error> {
    let template = Template::current(layout, flavour)?;
    if !template.is_complete() {
        Log.note("The course's crates changed since they were compiled for notebooks: compiling them once, which takes a minute.");
    }
    let warm = template.build(layout, &mut Log).and_then(|()| {
        let in_use = template
            .use_it()?
            .ok_or_else(|| Error::failed("The template was removed while the kernel started."))?;
        files::copy_dir(&template.warm(), &kernel.work())?;
        let settings = template.folder().join(".cargo");
        files::copy_dir(&settings, &kernel.folder.join(".cargo"))?;
        Ok((template.config(), template.sysroot(), Some(in_use)))
    });
    warm.or_else(|error| {
        if matches!(error.kind(), Kind::DiskFull | Kind::Interrupted) {
            return Err(error);
        }
        Log.note(&format!(
            "{error}\nStarting without compiled crates: this start is slow. Run `cargo course kernel setup` to mend it."
        ));
        files::remove_dir(&kernel.work())?;
        files::remove_dir(&kernel.folder.join(".cargo"))?;
        template::write_parts(layout, flavour, &kernel.folder, None, &mut Quiet)?;
        fs::create_dir_all(kernel.work()).map_err(|error| Error::io("create", &kernel.work(), &error))?;
        Ok((kernel.folder.join("config"), None, None))
    })
}

/// Ends this launcher and its kernel as Jupyter would, once nobody holds the other end of standard input.
#[cfg(unix)]
pub(crate) fn end_with_standard_input() {
    use rustix::process::{Signal, getpid, kill_process};
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = kill_process(getpid(), Signal::TERM);
    });
}

#[cfg(not(unix))]
pub(crate) fn end_with_standard_input() {}

/// Runs the kernel to its end. Jupyter's interrupt is for the cell that runs, see [`Interrupts`].
#[cfg(unix)]
fn attend(
    command: &mut Command,
    guard: &Guard,
    interrupts: &Interrupts,
) -> Result<ExitStatus, Error> {
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let failed = |error| Error::failed(format!("The kernel could not be watched: {error}."));
    // Before the start, so that no signal is missed.
    let mut signals = Signals::new([SIGCHLD, SIGHUP, SIGINT, SIGTERM]).map_err(failed)?;
    let mut child = spawn(command)?;
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(status);
        }
        for signal in signals.wait() {
            match signal {
                SIGINT => interrupts.press(child.id()),
                SIGHUP | SIGTERM => {
                    // All of it: a cell in an endless loop does not notice that its kernel has gone.
                    guard.terminate();
                    exec::stop(&mut child);
                    return child.wait().map_err(failed);
                }
                _ => {}
            }
        }
    }
}

#[cfg(not(unix))]
fn attend(
    command: &mut Command,
    _guard: &Guard,
    _interrupts: &Interrupts,
) -> Result<ExitStatus, Error> {
    spawn(command)?
        .wait()
        .map_err(|error| Error::failed(format!("The kernel could not be watched: {error}.")))
}

fn spawn(command: &mut Command) -> Result<Child, Error> {
    command.spawn().map_err(|error| {
        Error::failed(format!(
            "{} did not start: {error}.",
            command.get_program().to_string_lossy()
        ))
    })
}

#[cfg(unix)]
fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

#[cfg(not(unix))]
fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(1)
}

/// What the kernel's side of the course looks like now.
#[derive(Debug, Clone)]
pub struct Status {
    /// The template of each kernel.
    pub templates: Vec<Warmth>,
    /// Bytes of all templates in the cache.
    pub template_bytes: u64,
    /// The kernels that wait to be asked for.
    pub pool: Pool,
    /// The kernels' directories.
    pub kernels: Vec<Running>,
}

/// How warm a kernel starts.
#[derive(Debug, Clone)]
pub struct Warmth {
    /// The kernel.
    pub flavour: Flavour,
    /// The key of the template that belongs to the present sources, and whether it is built.
    pub template: Result<(String, bool), Error>,
}

/// The directory of a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Where it is.
    pub folder: PathBuf,
    /// Whether its kernel lives; the directory of a dead one goes at the next start.
    pub alive: bool,
    /// Its size.
    pub bytes: u64,
}

/// Reads the [`Status`].
pub fn status(layout: &Layout) -> Status {
    Status {
        templates: Flavour::ALL
            .map(|flavour| Warmth {
                flavour,
                template: Template::current(layout, flavour)
                    .map(|template| (template.key().to_owned(), template.is_complete())),
            })
            .into(),
        pool: Pool::read(layout),
        template_bytes: files::size(&layout.templates()),
        kernels: kernel_folders(&layout.kernels())
            .into_iter()
            .map(|folder| Running {
                alive: !matches!(files::try_lock(&lock_path(&folder)), Ok(Some(_))),
                bytes: files::size(&folder),
                folder,
            })
            .collect(),
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes / 1_000_000;
        for Warmth { flavour, template } in &self.templates {
            let kernel = flavour.display_name();
            match template {
                Ok((key, true)) => writeln!(f, "template   {} warm, of {kernel}", &key[..12])?,
                Ok((key, false)) => writeln!(
                    f,
                    "template   {} not built: the next start of {kernel} is slow",
                    &key[..12]
                )?,
                Err(error) => writeln!(f, "template   {error}")?,
            }
        }
        writeln!(
            f,
            "on disk    {} MB of templates",
            megabytes(self.template_bytes)
        )?;
        writeln!(f, "pool       {}", self.pool)?;
        write!(
            f,
            "kernels    {} running",
            self.kernels.iter().filter(|kernel| kernel.alive).count()
        )?;
        for kernel in &self.kernels {
            let state = if kernel.alive {
                "running"
            } else {
                "ended, swept at the next start"
            };
            write!(
                f,
                "\n           {} ({} MB, {state})",
                kernel.folder.display(),
                megabytes(kernel.bytes)
            )?;
        }
        Ok(())
    }
}

/// The clone that the launcher serves: named on the command line, else the one it was copied into.
pub(crate) fn layout_of_launcher() -> Result<Layout, Error> {
    let program = env::current_exe().map_err(|error| Error::failed(format!("{error}.")))?;
    match program.ancestors().nth(3) {
        Some(root)
            if program
                .parent()
                .is_some_and(|bin| bin.ends_with(".course/bin")) =>
        {
            Layout::new(root)
        }
        _ => Layout::discover(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    fn layout(folder: &Folder) -> Layout {
        Layout::with_cache(folder.path(), folder.cache()).unwrap()
    }

    #[test]
    fn two_kernels_never_share_a_directory_and_an_ended_one_leaves_nothing() {
        let folder = Folder::new("kernels");
        let layout = layout(&folder);
        let one = KernelDir::create(&layout).unwrap();
        let two = KernelDir::create(&layout).unwrap();
        assert_ne!(one.folder, two.folder);
        assert_eq!(
            status(&layout)
                .kernels
                .iter()
                .filter(|kernel| kernel.alive)
                .count(),
            2
        );
        let first = one.folder.clone();
        one.end();
        assert!(!first.exists() && !lock_path(&first).exists());
        assert!(two.folder.exists());
    }

    #[test]
    fn the_directory_of_a_dead_kernel_is_swept_and_that_of_a_living_one_is_not() {
        let folder = Folder::new("dead");
        let layout = layout(&folder);
        let living = KernelDir::create(&layout).unwrap();
        let dead = KernelDir::create(&layout).unwrap();
        let path = dead.folder.clone();
        fs::write(path.join("file"), "x").unwrap();
        // As when the process was killed: the lock goes, the directory stays.
        drop(dead);
        assert_eq!(sweep(&layout), 1);
        assert!(!path.exists() && living.folder.exists());
        living.end();
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_lives_as_long_as_the_kernel_that_was_started_in_it() {
        let folder = Folder::new("orphan");
        let layout = layout(&folder);
        let kernel = KernelDir::create(&layout).unwrap();
        let path = kernel.folder.clone();
        let mut child = Command::new("sleep")
            .arg("30")
            .stdin(Stdio::from(kernel.lock.try_clone().unwrap()))
            .spawn()
            .unwrap();
        drop(kernel);
        assert_eq!(sweep(&layout), 0);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(sweep(&layout), 1);
        assert!(!path.exists());
    }
}
