//! From a student's files to a program that answers a judge: two runs of the compiler, each in a sandbox of its own.
//!
//! The first sees the student's files and the toolchain, and nothing of the course: there is nothing there to include.
//! The second sees the library that came out of it, the kit and the toolchain, and none of the student's files.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use moments_checks::Exercise;
use serde_json::Value;

use crate::intake::Files;
use crate::judge::Infra;
use crate::kit::{CHECKS, KIT, Kit, STANDARD, TOOLCHAIN, library};
use crate::limits::{Bounds, Hit};
use crate::plain::{first_line, plain};
use crate::sandbox::{STANDS, Sandbox, Task};

/// Why there is no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotCompiled {
    /// What the student is told, a paragraph each.
    pub remarks: Vec<String>,
}

/// A private folder of one job, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Workshop(PathBuf);

impl Workshop {
    /// The empty folder of a slot. What a job left that was killed is removed.
    pub(crate) fn new(below: &Path, slot: u32) -> Result<Self, Infra> {
        let path = below.join(slot.to_string());
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).map_err(|error| Infra::at(&path, &error))?;
        Ok(Self(path))
    }

    fn folder(&self, name: &str) -> Result<PathBuf, Infra> {
        let path = self.0.join(name);
        fs::create_dir(&path).map_err(|error| Infra::at(&path, &error))?;
        Ok(path)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Refuses naked functions. They are machine code without the word `unsafe`, which `unsafe_code` does not forbid in Rust 1.95, and it may name
/// whatever the linker finds. No macro can put their word together: who uses them writes it.
fn naked(files: &Files) -> Option<NotCompiled> {
    let (path, line) = files.sources.iter().find_map(|(path, text)| {
        let at = text.lines().position(|line| line.contains("naked_asm"))?;
        Some((path, at + 1))
    })?;
    Some(NotCompiled {
        remarks: vec![format!(
            "error: assembly, which counts as unsafe code\n  src/{}:{line}\n  help: write it in Rust",
            plain(path, 120)
        )],
    })
}

/// Compiles a submission. What comes out is the program's path outside the sandbox.
pub(crate) fn compile(
    kit: &Kit,
    sandbox: &Sandbox,
    bounds: &Bounds,
    exercise: &Exercise,
    files: &Files,
    workshop: &Workshop,
    slot: u32,
) -> Result<Result<PathBuf, NotCompiled>, Infra> {
    if let Some(why) = naked(files) {
        return Ok(Err(why));
    }
    let source = workshop.folder("source")?;
    for (name, text) in &files.sources {
        let path = source.join("src").join(name);
        let folder = path.parent().unwrap_or(&source);
        fs::create_dir_all(folder).map_err(|error| Infra::at(folder, &error))?;
        fs::write(&path, text).map_err(|error| Infra::at(&path, &error))?;
    }
    let module = library(exercise);
    let student = workshop.folder("student")?;
    let mut argv: Vec<String> = vec![format!("{TOOLCHAIN}/bin/rustc")];
    argv.extend(common(&module, "rlib"));
    // `forbid` cannot be allowed again further down, and warnings are the student's own business.
    argv.extend(["-F", "unsafe_code", "-A", "warnings", "src/lib.rs"].map(str::to_owned));
    let mounts = vec![(source, "/work"), (kit.sysroot().to_path_buf(), TOOLCHAIN)];
    let run = Run {
        sandbox,
        bounds,
        slot,
        out: &student,
        cwd: "/work",
    };
    if let Err(why) = run.rustc(argv, mounts, &Place::Students)? {
        return Ok(Err(why));
    }

    let program = workshop.folder("program")?;
    let mut argv: Vec<String> = vec![format!("{TOOLCHAIN}/bin/rustc")];
    argv.extend(common("program", "bin"));
    argv.extend(["-A".to_owned(), "warnings".to_owned()]);
    argv.push("-C".to_owned());
    argv.push(format!("linker={}", kit.linker().display()));
    // The standard library is not linked in anew for everybody: it is loaded from the toolchain, and the linker is done in a fifth of the time.
    argv.extend(["-C", "prefer-dynamic", "-C", "strip=symbols", "-C"].map(str::to_owned));
    argv.push(format!("link-arg=-Wl,-rpath,{STANDARD}"));
    argv.push("--extern".to_owned());
    argv.push(format!("{module}=/student/lib{module}.rlib"));
    argv.push("--extern".to_owned());
    argv.push(format!("moments_checks={KIT}/{CHECKS}"));
    argv.push(format!("{KIT}/{}/main.rs", exercise.id));
    let mounts = vec![
        (student.clone(), "/student"),
        (kit.folder().to_path_buf(), KIT),
        (kit.sysroot().to_path_buf(), TOOLCHAIN),
    ];
    let run = Run {
        out: &program,
        cwd: "/",
        ..run
    };
    Ok(run
        .rustc(argv, mounts, &Place::Adapter)?
        .map(|()| program.join("program")))
}

fn common(name: &str, kind: &str) -> Vec<String> {
    let words = [
        "--edition",
        "2024",
        "--crate-name",
        name,
        "--crate-type",
        kind,
        "--out-dir",
        "/out",
        "--error-format=json",
        "--diagnostic-width=100",
        "-C",
        "debuginfo=0",
        "-C",
        "opt-level=0",
        "-C",
        "codegen-units=1",
        // As in the learner's own tests: an overflow is a panic and not a number.
        "-C",
        "overflow-checks=on",
        "-C",
        "debug-assertions=on",
    ];
    words.map(str::to_owned).to_vec()
}

/// Whose file is compiled.
enum Place {
    /// The student's.
    Students,
    /// The tests that bind the student's functions to the checks.
    Adapter,
}

#[derive(Clone, Copy)]
struct Run<'a> {
    sandbox: &'a Sandbox,
    bounds: &'a Bounds,
    slot: u32,
    out: &'a Path,
    cwd: &'a str,
}

impl Run<'_> {
    fn rustc(
        &self,
        argv: Vec<String>,
        mounts: Vec<(PathBuf, &str)>,
        place: &Place,
    ) -> Result<Result<(), NotCompiled>, Infra> {
        if let Some(owner) = self.sandbox.owner_of_out(self.slot) {
            chown(self.out, Some(owner), Some(owner))
                .map_err(|error| Infra::at(self.out, &error))?;
            let open = fs::Permissions::from_mode(0o755);
            fs::set_permissions(self.out, open).map_err(|error| Infra::at(self.out, &error))?;
        }
        let task = Task {
            argv: argv.into_iter().map(Into::into).collect(),
            mounts,
            out: Some(self.out),
            cwd: self.cwd,
            limits: self.bounds.compile,
            slot: self.slot,
            wired: false,
        };
        let child = self
            .sandbox
            .command(&task)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Infra(format!("the compiler's sandbox cannot be started: {error}")))?;
        let seconds = self.bounds.compile_seconds;
        let ended = wait(child, Duration::from_secs(u64::from(seconds)));
        if !ended.out.starts_with(STANDS) {
            return Err(Infra(format!(
                "the compiler's sandbox did not come up: {}",
                first_line(&ended.err)
            )));
        }
        if ended.status == Some(0) {
            return Ok(Ok(()));
        }
        let mut remarks = Vec::new();
        if ended.late {
            remarks.push(limit(Hit::Wall(seconds)));
        } else if ended.status != Some(1)
            && let Some(hit) = Hit::of(ended.status, &ended.err, self.bounds.compile)
        {
            remarks.push(limit(hit));
        }
        remarks.extend(errors(&ended.err, place));
        if remarks.is_empty() {
            // The compiler fell over: a bug of its own, or a limit that it does not name.
            remarks.push(match ended.status {
                Some(101 | 139 | 134) => "The compiler broke down on this file: it nests or repeats something too deeply.".to_owned(),
                _ => return Err(Infra(format!("the compiler failed without a word about the file: {}", first_line(&ended.err)))),
            });
        }
        Ok(Err(NotCompiled { remarks }))
    }
}

fn limit(hit: Hit) -> String {
    format!(
        "Compiling your file hit a limit; {} while compiling.",
        hit.words()
    )
}

/// How a program ended.
struct Ended {
    status: Option<i32>,
    out: Vec<u8>,
    err: String,
    late: bool,
}

/// The most that is kept of what the compiler says.
const SAID: usize = 1 << 20;

/// Waits for a program and reads what it says, of which only so much is kept.
fn wait(mut child: Child, at_most: Duration) -> Ended {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let read = |stream: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            let Some(mut stream) = stream else {
                return kept;
            };
            let mut chunk = [0; 8192];
            while let Ok(count @ 1..) = stream.read(&mut chunk) {
                let room = SAID.saturating_sub(kept.len()).min(count);
                kept.extend_from_slice(&chunk[..room]);
            }
            kept
        })
    };
    let out = read(out.map(|stream| Box::new(stream) as _));
    let err = read(err.map(|stream| Box::new(stream) as _));
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    let (status, late) = loop {
        match child.try_wait() {
            Ok(Some(status)) => break (Some(code(status)), false),
            Ok(None) if start.elapsed() > at_most => {
                let _ = child.kill();
                let _ = child.wait();
                break (None, true);
            }
            Ok(None) => std::thread::sleep(pause),
            Err(_) => break (None, false),
        }
        pause = (pause * 2).min(Duration::from_millis(8));
    };
    Ended {
        status,
        out: out.join().unwrap_or_default(),
        err: String::from_utf8_lossy(&err.join().unwrap_or_default()).into_owned(),
        late,
    }
}

/// An exit status as a shell says it: 128 and the signal's number where a signal ended it.
pub(crate) fn code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// How many errors are shown, and how many lines of each.
const ERRORS: usize = 5;

/// The compiler's errors in the student's own file, trimmed.
fn errors(said: &str, place: &Place) -> Vec<String> {
    let all: Vec<Value> = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|message: &Value| message["level"] == "error")
        .filter(|message| {
            !message["spans"].as_array().is_none_or(Vec::is_empty) || message["code"].is_object()
        })
        .collect();
    let mut shown: Vec<String> = all
        .iter()
        .take(ERRORS)
        .map(|error| one(error, place))
        .collect();
    if all.len() > ERRORS {
        shown.push(format!("… and {} more errors.", all.len() - ERRORS));
    }
    if matches!(place, Place::Adapter) && !shown.is_empty() {
        shown.insert(
            0,
            "Your file compiles, but not with the tests: a name or a signature that they use is another one in it.".to_owned(),
        );
    }
    shown
}

fn one(error: &Value, place: &Place) -> String {
    let text = |value: &Value| plain(value.as_str().unwrap_or_default(), 400);
    let mut words = match error["code"]["code"].as_str() {
        Some(code) => format!("error[{}]: {}", plain(code, 16), text(&error["message"])),
        None => format!("error: {}", text(&error["message"])),
    };
    let spans = error["spans"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let primary = spans
        .iter()
        .find(|span| span["is_primary"] == true)
        .or(spans.first());
    if let Some(span) = primary {
        let file = span["file_name"].as_str().unwrap_or_default();
        let at = span["line_start"].as_u64().unwrap_or(0);
        let column = span["column_start"].as_u64().unwrap_or(0);
        match place {
            Place::Students if file.starts_with("src/") => {
                words += &format!("\n  {}:{at}:{column}", plain(file, 120));
                if let Some(source) = span["text"][0]["text"].as_str() {
                    words += &format!("\n    {}", plain(source.trim(), 160));
                }
            }
            Place::Adapter => {
                if let Some(source) = span["text"][0]["text"].as_str() {
                    words += &format!("\n  where the tests say: {}", plain(source.trim(), 160));
                }
            }
            Place::Students => {}
        }
        if let Some(label) = span["label"].as_str() {
            words += &format!("\n    {}", plain(label, 200));
        }
    }
    let children = error["children"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if let Some(help) = children.iter().find(|child| child["level"] == "help") {
        words += &format!("\n  help: {}", text(&help["message"]));
    }
    words
}
