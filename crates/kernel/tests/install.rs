//! `install`, `uninstall`, `status` and `clean` as a person calls them, with a small course and a stand-in for evcxr_jupyter.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Builds a template as the kernel would, and as a kernel writes down what it was given.
const STAND_IN: &str = r#"#!/bin/sh
if [ -n "$MOMENTS_TEMPLATE_READY" ]; then
    [ -e "$HOME/no-compiler" ] && exit 1
    mkdir -p "$EVCXR_TMPDIR/target"
    echo compiled > "$EVCXR_TMPDIR/target/crates"
    : > "$MOMENTS_TEMPLATE_READY"
    exit 0
fi
{ cat "$EVCXR_TMPDIR/target/crates"; echo "$EVCXR_CONFIG_DIR"; } > "$2.partial"
mv "$2.partial" "$2.seen"
[ -n "$STAYS" ] && exec sleep 60
exit 0
"#;

/// A clone, a home and a cache, in a folder with a space in its name.
struct Machine(PathBuf);

impl Machine {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("moments install {} {count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("home")).unwrap();
        let machine = Self(path.canonicalize().unwrap());
        machine.write(
            "clone/Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/moments\", \"crates/lab\"]\n[workspace.dependencies]\nnalgebra = \"1\"\nndarray = \"1\"\nplotters = \"1\"\nrand = \"1\"\n",
        );
        machine.write("clone/Cargo.lock", "version = 4\n");
        machine.write("clone/crates/kernel/Cargo.toml", "");
        for (folder, package) in [("moments", "moments"), ("lab", "moments-lab")] {
            machine.write(
                &format!("clone/crates/{folder}/Cargo.toml"),
                &format!("[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[features]\nnalgebra = []\n"),
            );
            machine.write(
                &format!("clone/crates/{folder}/src/lib.rs"),
                "//! A crate.\n",
            );
        }
        for name in ["core", "std"] {
            machine.write(&format!("library/{name}/src/lib.rs"), "");
        }
        // Kernels compile in the cache, and evcxr_jupyter knows no spaces.
        let tools = machine.cache().join("tools");
        fs::create_dir_all(tools.join("bin")).unwrap();
        fs::write(
            tools.join(".crates.toml"),
            "[v1]\n\"evcxr_jupyter 0.22.0 (registry+x)\" = [\"evcxr_jupyter\"]\n",
        )
        .unwrap();
        let stand_in = tools.join("bin/evcxr_jupyter");
        fs::write(&stand_in, STAND_IN).unwrap();
        fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
        machine
    }

    fn cache(&self) -> PathBuf {
        let name = self
            .0
            .file_name()
            .unwrap()
            .to_string_lossy()
            .replace(' ', "-");
        self.0.with_file_name(format!("{name}-cache"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The environment of a person whose Rust is on the path.
    fn environment(&self, command: &mut Command) {
        let sysroot = Command::new("rustc")
            .args(["--print", "sysroot"])
            .output()
            .unwrap();
        let sysroot = String::from_utf8(sysroot.stdout).unwrap();
        command
            .env_clear()
            .env("PATH", format!("{}/bin:/usr/bin:/bin", sysroot.trim()))
            .env("HOME", self.path("home"))
            .env("MOMENTS_CACHE_DIR", self.cache())
            .env("RUST_SRC_PATH", self.path("library"))
            .env("CARGO_NET_OFFLINE", "true")
            .current_dir(self.path("clone"));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moments-kernel"));
        self.environment(&mut command);
        command.args(arguments);
        command
    }

    fn ask(&self, arguments: &[&str]) -> (bool, String) {
        told(&self.command(arguments).output().unwrap())
    }

    fn call(&self, arguments: &[&str]) -> String {
        let (well, text) = self.ask(arguments);
        assert!(well, "{arguments:?}: {text}");
        text
    }

    fn prefix(&self) -> String {
        self.path("my jupyter").to_string_lossy().into_owned()
    }

    fn install(&self) -> String {
        self.call(&["install", "--prefix", &self.prefix()])
    }

    fn status(&self) -> (bool, Value) {
        let (well, text) = self.ask(&["status", "--json"]);
        (well, serde_json::from_str(&text).expect(&text))
    }

    /// The command of an installed kernel, as Jupyter would start it, with its environment and nothing of the installer's.
    fn kernel(&self, data: &Path, name: &str) -> (Command, PathBuf) {
        let text = fs::read_to_string(data.join(format!("kernels/{name}/kernel.json"))).unwrap();
        let spec: Value = serde_json::from_str(&text).unwrap();
        let file = self.path("home").join(format!("connection {name}.json"));
        let argv: Vec<String> = spec["argv"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| {
                word.as_str()
                    .unwrap()
                    .replace("{connection_file}", &file.to_string_lossy())
            })
            .collect();
        let mut command = Command::new(&argv[0]);
        self.environment(&mut command);
        command
            .args(&argv[1..])
            .env_remove("MOMENTS_CACHE_DIR")
            .env_remove("RUST_SRC_PATH")
            .current_dir(self.path("home"))
            .stdin(Stdio::null());
        for (name, value) in spec["env"].as_object().unwrap() {
            command.env(name, value.as_str().unwrap());
        }
        (command, PathBuf::from(format!("{}.seen", file.display())))
    }

    fn starts(&self, data: &Path, name: &str) {
        let (mut command, seen) = self.kernel(data, name);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", told(&output).1);
        let text = fs::read_to_string(seen).unwrap();
        assert!(text.starts_with("compiled\n"), "{text}");
        assert!(
            text.contains(&*self.cache().join("templates").to_string_lossy()),
            "{text}"
        );
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for folder in [&self.0, &self.cache()] {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn told(output: &Output) -> (bool, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.success(),
        text(&output.stdout) + &text(&output.stderr),
    )
}

/// Every folder and every file below a folder, with its content.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return all;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.insert(path.clone(), Vec::new());
            all.extend(tree(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

#[test]
fn a_foreign_kernel_survives_and_uninstall_leaves_the_folder_as_it_was() {
    let machine = Machine::new();
    machine.write(
        "my jupyter/share/jupyter/kernels/rust/kernel.json",
        "{\"argv\": [\"evcxr_jupyter\"]}",
    );
    let prefix = machine.path("my jupyter");
    let before = tree(&prefix);
    let text = machine.install();
    assert!(
        text.contains("Rust (Moments + nalgebra)") && text.contains("Jupyter Kernel..."),
        "{text}"
    );
    let data = prefix.join("share/jupyter");
    for name in ["moments", "moments-nalgebra"] {
        machine.starts(&data, name);
    }
    let (well, status) = machine.status();
    assert!(well, "{status:#}");
    assert_eq!(
        status["installed"][0]["place"],
        data.to_string_lossy().as_ref()
    );
    assert_eq!(status["installed"][0]["kernels"][1]["warm"], true);
    machine.call(&["uninstall", "--prefix", &machine.prefix()]);
    assert_eq!(tree(&prefix), before);
    let text = machine.call(&["uninstall", "--prefix", &machine.prefix()]);
    assert!(text.contains("Nothing of the course"), "{text}");
}

#[test]
fn a_second_installation_changes_nothing_and_one_after_damage_repairs_it() {
    let machine = Machine::new();
    machine.install();
    let prefix = machine.path("my jupyter");
    let first = tree(&prefix);
    let text = machine.install();
    assert!(text.contains("installed already"), "{text}");
    assert_eq!(tree(&prefix), first);
    let launcher = prefix.join("share/jupyter/moments/bin/moments-kernel");
    fs::remove_file(&launcher).unwrap();
    let (well, status) = machine.status();
    assert!(
        !well
            && status["problems"][0]["what"]
                .as_str()
                .unwrap()
                .contains("moments-kernel"),
        "{status:#}"
    );
    // A killed installation may have left its folder.
    machine.write("my jupyter/share/jupyter/.moments-1/course/Cargo.toml", "");
    machine.install();
    assert_eq!(tree(&prefix), first);
    assert_ne!(
        fs::metadata(launcher).unwrap().permissions().mode() & 0o111,
        0
    );
    machine.call(&["uninstall", "--prefix", &machine.prefix()]);
    assert!(
        !prefix.exists(),
        "the folder did not exist before the first of them"
    );
}

#[test]
fn installed_kernels_start_without_the_clone_and_can_be_removed_without_it() {
    let machine = Machine::new();
    machine.install();
    let data = machine.path("my jupyter/share/jupyter");
    fs::rename(machine.path("clone"), machine.path("elsewhere")).unwrap();
    fs::create_dir(machine.path("clone")).unwrap();
    machine.starts(&data, "moments");
    let mut command = Command::new(data.join("moments/bin/moments-kernel"));
    machine.environment(&mut command);
    let output = command.arg("status").output().unwrap();
    assert!(output.status.success(), "{}", told(&output).1);
    let mut command = Command::new(data.join("moments/bin/moments-kernel"));
    machine.environment(&mut command);
    let output = command
        .args(["uninstall", "--prefix", &machine.prefix(), "--templates"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output).1);
    assert!(!machine.path("my jupyter").exists());
    let templates = fs::read_dir(machine.cache().join("templates")).unwrap();
    assert_eq!(templates.count(), 0);
}

#[test]
fn the_users_own_folder_is_the_default_and_a_jupyter_path_with_spaces_is_searched() {
    let machine = Machine::new();
    machine.call(&["install"]);
    let user = machine.path("home/.local/share/jupyter");
    machine.starts(&user, "moments-nalgebra");
    let mut command = machine.command(&["install"]);
    let named = machine.path("a data folder");
    let output = command.env("JUPYTER_DATA_DIR", &named).output().unwrap();
    assert!(output.status.success(), "{}", told(&output).1);
    // The cache forgets, and Jupyter's own variable says where to look.
    fs::remove_dir_all(machine.cache().join("installs")).unwrap();
    let mut command = machine.command(&["status", "--json"]);
    let path = format!("{}:{}", machine.path("none").display(), named.display());
    let output = command.env("JUPYTER_PATH", path).output().unwrap();
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    let places: Vec<&str> = status["installed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|install| install["place"].as_str().unwrap())
        .collect();
    assert_eq!(places, [named.to_str().unwrap(), user.to_str().unwrap()]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_before_anything_is_compiled() {
    let machine = Machine::new();
    machine.write("file", "");
    let prefix = machine.path("file/prefix");
    let (well, text) = machine.ask(&["install", "--prefix", prefix.to_str().unwrap()]);
    assert!(
        !well && text.contains("--user or --prefix") && text.contains("Nothing was changed"),
        "{text}"
    );
    assert!(!machine.cache().join("templates").exists());
    let closed = machine.path("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    // The administrator may write everywhere.
    if fs::write(closed.join("probe"), "").is_err() {
        let (well, text) = machine.ask(&["install", "--prefix", closed.to_str().unwrap()]);
        assert!(!well && text.contains("closed"), "{text}");
        assert!(tree(&closed).is_empty());
    }
}

#[test]
fn an_installation_that_fails_to_compile_leaves_nothing_behind() {
    let machine = Machine::new();
    machine.write("home/no-compiler", "");
    machine.write("my jupyter/share/jupyter/kernels/rust/kernel.json", "{}");
    let before = tree(&machine.path("my jupyter"));
    let (well, text) = machine.ask(&["install", "--prefix", &machine.prefix()]);
    assert!(
        !well && text.contains("Compiling the course's crates"),
        "{text}"
    );
    assert_eq!(tree(&machine.path("my jupyter")), before);
}

#[test]
fn a_kernel_of_somebody_else_under_our_name_is_refused_and_kept() {
    let machine = Machine::new();
    let theirs = "my jupyter/share/jupyter/kernels/moments/kernel.json";
    machine.write(theirs, "{\"argv\": [\"python\"]}");
    let before = tree(&machine.path("my jupyter"));
    let (well, text) = machine.ask(&["install", "--prefix", &machine.prefix()]);
    assert!(
        !well && text.contains("jupyter kernelspec remove moments"),
        "{text}"
    );
    assert_eq!(tree(&machine.path("my jupyter")), before);
}

#[test]
fn a_file_that_was_changed_after_the_installation_is_kept_and_named() {
    let machine = Machine::new();
    machine.install();
    let mine = "my jupyter/share/jupyter/moments/course/crates/lab/src/lib.rs";
    machine.write(mine, "//! Mine.\n");
    let text = machine.call(&["uninstall", "--prefix", &machine.prefix()]);
    assert!(text.contains("Kept") && text.contains("lib.rs"), "{text}");
    assert!(machine.path(mine).exists());
    assert!(!machine.path("my jupyter/share/jupyter/kernels").exists());
}

#[test]
fn an_older_installation_is_told_and_renewed() {
    let machine = Machine::new();
    machine.install();
    machine.write("clone/crates/lab/src/lib.rs", "//! A newer crate.\n");
    let (well, status) = machine.status();
    assert!(!well, "{status:#}");
    let problem = &status["problems"][0];
    assert!(
        problem["what"]
            .as_str()
            .unwrap()
            .contains("another state of the course"),
        "{problem}"
    );
    assert!(
        problem["mend"].as_str().unwrap().contains("my jupyter"),
        "{problem}"
    );
    machine.install();
    assert!(machine.status().0);
}

fn wait_for(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !path.exists() {
        assert!(
            Instant::now() < deadline,
            "{} does not come",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

struct Living(Child);

impl Drop for Living {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn clean_removes_stale_templates_and_dead_directories_and_nothing_that_a_kernel_uses() {
    let machine = Machine::new();
    machine.install();
    let data = machine.path("my jupyter/share/jupyter");
    let (mut command, seen) = machine.kernel(&data, "moments");
    let living = Living(command.env("STAYS", "1").spawn().unwrap());
    wait_for(&seen);
    // The clone moves on: the template of the living kernel belongs to nobody but it.
    machine.write("clone/crates/lab/src/lib.rs", "//! A newer crate.\n");
    machine.install();
    let kernels = machine.cache().join("kernels");
    fs::create_dir_all(kernels.join("1-dead/work")).unwrap();
    fs::write(kernels.join("1-dead/work/file"), "12345").unwrap();
    fs::write(kernels.join("1-dead.lock"), "").unwrap();
    let text = machine.call(&["clean", "--json"]);
    let cleaned: Value = serde_json::from_str(&text).unwrap();
    let removed = cleaned["removed"].as_array().unwrap();
    let of = |kind: &str| {
        removed
            .iter()
            .filter(|item| item["kind"] == kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("directory of a dead kernel")[0]["bytes"],
        5,
        "{cleaned:#}"
    );
    assert_eq!(of("stale template").len(), 1, "{cleaned:#}");
    assert_eq!(cleaned["kept"][0]["why"], "in use");
    let sum: u64 = removed
        .iter()
        .map(|item| item["bytes"].as_u64().unwrap())
        .sum();
    assert!(sum > 5 && cleaned["bytes"] == sum, "{cleaned:#}");
    let (_, status) = machine.status();
    assert_eq!(status["kernels"].as_array().unwrap().len(), 1, "{status:#}");
    assert_eq!(status["kernels"][0]["alive"], true);
    drop(living);
    std::thread::sleep(Duration::from_millis(500));
    machine.call(&["clean"]);
    let text = machine.call(&["clean"]);
    assert!(text.contains("0 bytes freed"), "{text}");
    machine.starts(&data, "moments");
}

#[test]
fn a_kernel_finds_rust_where_a_desktop_has_no_path_to_it() {
    let machine = Machine::new();
    machine.install();
    let (mut command, seen) = machine.kernel(&machine.path("my jupyter/share/jupyter"), "moments");
    // Debian has a Rust of its own in /usr/bin; here is a folder with nothing but what a shell script needs.
    let bare = machine.path("bare");
    fs::create_dir(&bare).unwrap();
    for name in ["sh", "cat", "mv", "mkdir", "cc"] {
        std::os::unix::fs::symlink(Path::new("/usr/bin").join(name), bare.join(name)).unwrap();
    }
    let output = command.env("PATH", &bare).output().unwrap();
    assert!(output.status.success(), "{}", told(&output).1);
    assert!(seen.exists());
}

#[test]
fn wrong_words_are_answered_with_the_right_ones() {
    let machine = Machine::new();
    for words in [
        &["install", "here"][..],
        &["install", "--prefix"],
        &["install", "--templates"],
        &["status", "--xml"],
        &["clean", "all"],
    ] {
        let (well, text) = machine.ask(words);
        assert!(
            !well && text.contains("Usage: cargo course kernel"),
            "{words:?}: {text}"
        );
    }
}
