//! Kernels that are killed, builds that are interrupted, full disks, clones that move: every later start works, and nothing is left.
//! What is looked for in `/proc`, and the file systems that are mounted for a test, make these tests Linux's.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant, SystemTime};

use moments_kernel::{Flavour, Layout, Quiet, State, Step, setup_only};

use super::{Folder, layout};

const DRIVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real_kernel/drive.py");

/// Runs a scenario of `drive.py` with the kernelspecs of a folder.
pub(super) fn drive(specs: &Path, arguments: &[&OsStr]) -> String {
    let folder = Folder::new();
    let output = driver(specs, &folder, arguments).output().unwrap();
    succeeded(&output)
}

fn driver(specs: &Path, folder: &Folder, arguments: &[&OsStr]) -> Command {
    let layout = layout();
    let mut command = Command::new(layout.python());
    command
        .arg(DRIVE)
        .arg(specs)
        .args(arguments)
        .current_dir(&folder.0)
        .env("JUPYTER_RUNTIME_DIR", &folder.0);
    command
}

pub(super) fn succeeded(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{error}");
    text
}

/// The kernelspecs of a clone.
pub(super) fn specs(layout: &Layout) -> PathBuf {
    layout.course().join("share/jupyter")
}

/// A cache of its own, in which no other kernel of this machine is, with the course's kernel on it.
struct Cache {
    folder: PathBuf,
}

impl Cache {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("moments-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("cache")).unwrap();
        fs::create_dir_all(folder.join("tmp")).unwrap();
        let cache = Self { folder };
        let layout = layout();
        let tools = cache.layout().cache().join("tools");
        std::os::unix::fs::symlink(layout.cache().join("tools"), tools).unwrap();
        let file = layout.kernelspec(Flavour::Plain).join("kernel.json");
        let mut spec: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        spec["env"]["MOMENTS_CACHE_DIR"] = cache.layout().cache().to_str().into();
        spec["env"]["TMPDIR"] = cache.folder.join("tmp").to_str().into();
        let place = cache.folder.join("kernels/moments");
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("kernel.json"), spec.to_string()).unwrap();
        cache
    }

    fn layout(&self) -> Layout {
        Layout::with_cache(layout().root(), self.folder.join("cache")).unwrap()
    }

    fn drive(&self, arguments: &[&str]) -> String {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        drive(&self.folder, &arguments)
    }

    /// The launcher as Jupyter starts it.
    fn launcher(&self) -> Command {
        let control = self.folder.join("control.json");
        fs::write(&control, super::CONTROL).unwrap();
        let mut command = Command::new(layout().launcher());
        command
            .args(["launch", "--root"])
            .arg(layout().root())
            .arg(control)
            .env("MOMENTS_CACHE_DIR", self.layout().cache())
            .env("TMPDIR", self.folder.join("tmp"));
        command
    }

    /// Every process that was started for this cache.
    fn processes(&self) -> Vec<u32> {
        let mark = format!("MOMENTS_CACHE_DIR={}", self.layout().cache().display());
        let of_cache = |id: &u32| {
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            let alive = fs::read_to_string(format!("/proc/{id}/stat"))
                .is_ok_and(|stat| !stat.contains(") Z "));
            alive
                && environment
                    .split(|byte| *byte == 0)
                    .any(|one| one == mark.as_bytes())
        };
        fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(of_cache)
            .collect()
    }

    fn left(&self) -> BTreeMap<&str, Vec<String>> {
        let names = |folder: PathBuf| {
            let mut names: Vec<String> = fs::read_dir(folder)
                .into_iter()
                .flatten()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name != ".lock")
                .collect();
            names.sort();
            names
        };
        let layout = self.layout();
        let processes = self.processes().iter().map(u32::to_string).collect();
        BTreeMap::from([
            ("kernels", names(layout.kernels())),
            ("templates", names(layout.templates())),
            ("temporary files", names(self.folder.join("tmp"))),
            ("processes", processes),
        ])
    }

    /// Waits for the end of everything; the templates with their locks may stay where there are to be some.
    fn assert_nothing_is_left(&self, templates: usize) {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            let left = self.left();
            let fine = |(what, names): (&&str, &Vec<String>)| {
                names.len()
                    == if *what == "templates" {
                        2 * templates
                    } else {
                        0
                    }
            };
            if left.iter().all(fine) {
                return;
            }
            assert!(Instant::now() < deadline, "left: {left:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The files of the clone that are not generated: when each was written, and how long it is.
fn clone_files() -> BTreeMap<PathBuf, (SystemTime, u64)> {
    fn visit(folder: &Path, files: &mut BTreeMap<PathBuf, (SystemTime, u64)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() {
                visit(&entry.path(), files);
            } else {
                let value = (metadata.modified().unwrap(), metadata.len());
                files.insert(entry.path(), value);
            }
        }
    }
    let mut files = BTreeMap::new();
    for room in [
        "book/src",
        "crates",
        "exercises",
        "notebooks",
        "solutions",
        "tools",
    ] {
        visit(&layout().root().join(room), &mut files);
    }
    files
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn kernels_that_are_killed_and_builds_that_are_interrupted_leave_nothing_and_later_starts_work() {
    let cache = Cache::new("robust");
    let before = clone_files();

    // The launcher alone is killed while the template is compiled.
    let mut launcher = cache.launcher().spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(5);
    let compiles = || {
        fs::read_dir(cache.layout().templates()).is_ok_and(|mut all| {
            all.any(|entry| {
                entry
                    .unwrap()
                    .path()
                    .join("warm/target/debug/deps")
                    .is_dir()
            })
        })
    };
    while !compiles() {
        assert!(Instant::now() < deadline && launcher.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(1));
    assert!(cache.processes().len() > 3);
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    cache.assert_nothing_is_left(0);

    // Four at once, none of which finds a template; one is killed in the middle of a cell.
    cache.drive(&["together", "4"]);
    cache.assert_nothing_is_left(1);

    let printed = cache.drive(&["launcher_killed"]);
    let killed = printed.lines().last().unwrap();
    assert_eq!(killed.split(' ').count(), 3, "{printed}");
    cache.assert_nothing_is_left(1);

    cache.drive(&["turns", "20"]);
    cache.assert_nothing_is_left(1);
    assert_eq!(clone_files(), before);
}

/// `bwrap` gives a command file systems of its own: as an ordinary user too, and without changing anything for others.
fn bubblewrap() -> Command {
    let mut command = Command::new("bwrap");
    command.args(["--dev-bind", "/", "/", "--die-with-parent"]);
    command
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_full_disk_is_named_and_nothing_is_left_on_it() {
    let cache = Cache::new("full");
    let layout = cache.layout();
    // Full while the sources are copied, and full while they are compiled.
    for megabytes in [1, 40] {
        let launcher = cache.launcher();
        let mut command = bubblewrap();
        command
            .arg("--size")
            .arg((megabytes * 1_000_000).to_string())
            .arg("--tmpfs")
            .arg(layout.cache())
            .args(["sh", "-c"])
            .arg(
                "ln -s \"$1\" \"$2/tools\"; cache=$2; shift 2; \"$@\"; echo \"ended with $?\"; sleep 1; \
                 find \"$cache/kernels\" \"$cache/templates\" -mindepth 1 -not -name '*lock'",
            )
            .arg("sh")
            .arg(super::layout().cache().join("tools"))
            .arg(layout.cache())
            .arg(launcher.get_program())
            .args(launcher.get_args());
        for (name, value) in launcher.get_envs() {
            command.env(name, value.unwrap());
        }
        let output = command.output().expect("these tests need bubblewrap");
        let text = succeeded(&output);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(text.trim(), "ended with 1", "{megabytes} MB: {error}");
        assert!(
            error.contains("the disk is full"),
            "{megabytes} MB: {error}"
        );
        cache.assert_nothing_is_left(0);
    }
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_kernel_starts_from_a_clone_that_cannot_be_written_to() {
    let layout = layout();
    let folder = Folder::new();
    let driver = driver(
        &specs(&layout),
        &folder,
        &[OsStr::new("turns"), OsStr::new("2")],
    );
    let output = bubblewrap()
        .arg("--ro-bind")
        .arg(layout.root())
        .arg(layout.root())
        .args([
            "sh",
            "-c",
            "! touch \"$1/written\" 2>/dev/null && cd \"$1\" && shift && exec \"$@\"",
            "sh",
        ])
        .arg(layout.root())
        .arg(driver.get_program())
        .args(driver.get_args())
        .env("JUPYTER_RUNTIME_DIR", &folder.0)
        .output()
        .expect("these tests need bubblewrap");
    succeeded(&output);
    super::assert_nothing_is_left();
}

/// Copies what a kernel of a clone is made from.
fn copy_clone(to: &Path) {
    let root = layout().root().to_owned();
    for part in [
        "Cargo.toml",
        "Cargo.lock",
        "crates",
        "exercises",
        "solutions",
    ] {
        fs::create_dir_all(to).unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(root.join(part))
            .arg(to)
            .status();
        assert!(copied.unwrap().success());
    }
    // Compiled crates of the registry are taken from here.
    std::os::unix::fs::symlink(root.join("target"), to.join("target")).unwrap();
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_clone_that_was_moved_or_renamed_is_mended_by_the_set_up_and_its_running_kernel_goes_on() {
    let folder = Folder::new();
    let (first, second) = (folder.0.join("one clone"), folder.0.join("another clone"));
    copy_clone(&first);
    let of = |root: &Path| Layout::with_cache(root, layout().cache()).unwrap();
    let steps = [Step::Kernelspec, Step::Template];
    setup_only(&of(&first), &steps, &mut Quiet).unwrap();

    let arguments = [OsStr::new("moved"), first.as_os_str(), second.as_os_str()];
    drive(&specs(&of(&first)), &arguments);
    let moved = of(&second);
    let State::Missing { reason } = Step::Kernelspec.check(&moved) else {
        panic!("the move was not noticed");
    };
    assert!(reason.contains("moved"), "{reason}");
    // The crates are the same, and so what was compiled of them.
    assert!(Step::Template.check(&moved).is_present());
    setup_only(&moved, &steps, &mut Quiet).unwrap();
    drive(&specs(&moved), &[OsStr::new("turns"), OsStr::new("1")]);
    super::assert_nothing_is_left();
}
