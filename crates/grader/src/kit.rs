//! What every submission is compiled against, made once: the checks as a library and a `main` for each exercise.
//!
//! The `main` is the learner's own test file, which has the few lines that bind their functions to the checks, with a loop at its end that
//! answers a judge instead of tests that judge. So there is one source for both, and a signature that fits the tests fits the grader.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use moments_checks::{Exercise, exercises};
use sha2::{Digest, Sha256};

use crate::outcome::hex;

/// The prepared parts.
#[derive(Debug)]
pub struct Kit {
    /// The folder that is mounted: the library of the checks and `exNN/main.rs`.
    folder: PathBuf,
    /// The toolchain's own folder.
    sysroot: PathBuf,
    /// The folder of the standard library as programs load it.
    standard: PathBuf,
    /// The linker, without links on the way to it: what they lead through is not in the sandbox.
    linker: PathBuf,
    toolchain: String,
    hash: String,
}

/// Where the kit is inside the sandbox.
pub(crate) const KIT: &str = "/kit";
/// Where the toolchain is inside the sandbox.
pub(crate) const TOOLCHAIN: &str = "/toolchain";
/// Where programs find the standard library.
pub(crate) const STANDARD: &str = "/standard";
/// The library of the checks.
pub(crate) const CHECKS: &str = "libmoments_checks.rlib";

impl Kit {
    /// Prepares the parts from the course's own files, or finds them prepared in the cache.
    ///
    /// # Errors
    /// What is missing and what brings it.
    pub fn prepare(course: &Path, cache: &Path) -> Result<Self, String> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let said = |argument: &[&str]| -> Result<String, String> {
            let output = Command::new(&rustc)
                .args(argument)
                .current_dir(course)
                .output()
                .map_err(|error| {
                    format!("rustc cannot be run: {error}; install Rust from rustup.rs")
                })?;
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let sysroot = PathBuf::from(said(&["--print", "sysroot"])?);
        let standard = PathBuf::from(said(&["--print", "target-libdir"])?);
        let toolchain = said(&["--version"])?;
        let linker = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"]
            .iter()
            .find_map(|path| fs::canonicalize(path).ok())
            .ok_or("there is no C compiler to link with; on Debian and Ubuntu `apt install gcc`")?;

        let sources = sources(course)?;
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        hash.update(&toolchain);
        for (name, text) in &sources {
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name);
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        let hash = hex(&hash.finalize());
        let folder = cache.join("grader").join(&hash[..16]);
        let kit = Self {
            folder,
            sysroot,
            standard,
            linker,
            toolchain,
            hash,
        };
        kit.build(course, &sources)?;
        Ok(kit)
    }

    fn build(&self, course: &Path, sources: &[(String, Vec<u8>)]) -> Result<(), String> {
        let at = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        let parent = self.folder.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|error| at(parent, error))?;
        // Graders that start together wait for the first; its lock ends with it, however it ends.
        let path = parent.join("kit.lock");
        let lock = fs::File::create(&path).map_err(|error| at(&path, error))?;
        lock.lock().map_err(|error| at(&path, error))?;
        if self.folder.is_dir() {
            return Ok(());
        }
        // Made beside its place and then moved there, so that it is whole or not there.
        let making = parent.join("making");
        let _ = fs::remove_dir_all(&making);
        fs::create_dir(&making).map_err(|error| at(&making, error))?;
        for exercise in exercises() {
            let folder = making.join(exercise.id);
            fs::create_dir(&folder).map_err(|error| at(&folder, error))?;
            let tests = tests_of(exercise);
            let text = sources
                .iter()
                .find_map(|(name, text)| (*name == tests).then_some(text.as_slice()))
                .and_then(|text| std::str::from_utf8(text).ok())
                .ok_or_else(|| format!("{tests} is not text"))?;
            let main = program(exercise, text)?;
            let path = folder.join("main.rs");
            fs::write(&path, main).map_err(|error| at(&path, error))?;
        }
        let output = Command::new(self.sysroot.join("bin/rustc"))
            .current_dir(course)
            .args([
                "--edition",
                "2024",
                "--crate-type",
                "rlib",
                "--crate-name",
                "moments_checks",
            ])
            .args(["-C", "opt-level=1", "-C", "debuginfo=0", "-A", "warnings"])
            .args(["--remap-path-prefix", "crates/checks=checks"])
            .arg("crates/checks/src/lib.rs")
            .arg("-o")
            .arg(making.join(CHECKS))
            .env("CARGO_MANIFEST_DIR", course.join("crates/checks"))
            .output()
            .map_err(|error| format!("rustc cannot be run: {error}"))?;
        if !output.status.success() {
            let _ = fs::remove_dir_all(&making);
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the checks do not compile: {said}"));
        }
        fs::rename(&making, &self.folder).map_err(|error| at(&self.folder, error))
    }

    /// What `rustc --version` prints.
    pub fn toolchain(&self) -> &str {
        &self.toolchain
    }

    /// The hash of the grader's version, of the checks and of the tests that bind a learner's functions to them.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn sysroot(&self) -> &Path {
        &self.sysroot
    }

    pub(crate) fn standard(&self) -> &Path {
        &self.standard
    }

    pub(crate) fn linker(&self) -> &Path {
        &self.linker
    }
}

/// The name of an exercise's crate in code: `ex07_adam`.
pub(crate) fn library(exercise: &Exercise) -> String {
    exercise.slug.replace('-', "_")
}

fn tests_of(exercise: &Exercise) -> String {
    format!("exercises/{}/tests/{}.rs", exercise.slug, exercise.id)
}

/// The files that decide what a submission is judged by, by path in the course.
fn sources(course: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut names: Vec<String> = exercises()
        .iter()
        .map(|exercise| tests_of(exercise))
        .collect();
    // What is done with an outcome afterwards decides none.
    let deciding = [
        "compile", "intake", "judge", "kit", "limits", "outcome", "plain", "remote", "rubric",
        "sandbox",
    ];
    names.extend(deciding.map(|module| format!("crates/grader/src/{module}.rs")));
    for folder in [
        "crates/checks/src",
        "crates/checks/golden",
        "crates/grader/src/intake",
    ] {
        let path = course.join(folder);
        let entries = fs::read_dir(&path).map_err(|error| {
            format!(
                "{}: {error}; the grader needs the course's own files",
                path.display()
            )
        })?;
        for entry in entries.flatten() {
            if entry.path().is_file() {
                names.push(format!("{folder}/{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let path = course.join(&name);
            let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok((name, text))
        })
        .collect()
}

/// The program that answers a judge: the learner's tests with another end.
fn program(exercise: &Exercise, tests: &str) -> Result<String, String> {
    // What the tests hand to the checks is what the program hands to them: `check("name", yours);`.
    let call = tests
        .split_once("    check(")
        .and_then(|(_, rest)| rest.split_once(");"))
        .map(|(arguments, _)| arguments.trim().trim_end_matches(','))
        .and_then(|arguments| arguments.rsplit_once(','));
    let Some((_, code)) = call else {
        return Err(format!(
            "{} has no call such as `check(\"name\", yours);`",
            tests_of(exercise)
        ));
    };
    let module = library(exercise);
    Ok(format!(
        "{tests}\n\
         unsafe extern \"C\" {{ safe fn close(descriptor: i32) -> i32; }}\n\n\
         fn main() {{\n\
         \x20   use std::os::fd::FromRawFd;\n\
         \x20   // What the grader's own parent left open is none of the student's business.\n\
         \x20   if let Ok(open) = std::fs::read_dir(\"/proc/self/fd\") {{\n\
         \x20       let open: Vec<i32> = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();\n\
         \x20       for descriptor in open {{ if descriptor > 4 {{ close(descriptor); }} }}\n\
         \x20   }}\n\
         \x20   // SAFETY: the shell that started this program opened both, and nothing else uses them.\n\
         \x20   let (mut ask, mut answer) = unsafe {{ (std::fs::File::from_raw_fd(3), std::fs::File::from_raw_fd(4)) }};\n\
         \x20   let _ = moments_checks::wire::serve(&mut ask, &mut answer, &moments_checks::{module}::start({code}));\n\
         }}\n"
    ))
}
