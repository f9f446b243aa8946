//! What a chapter's cells print and draw: compiled natively as one program, run, split by cell.
//!
//! The program is written so that its line numbers are those of the chapter: a compiler's message or a panic points at the
//! Markdown. It lies in `target/outputs/<slug>`, with the dependencies that the notebook kernel offers, at the versions of the
//! workspace's `Cargo.lock`.

use crate::diff::compare;
use crate::error::Problem;
use crate::number::read_line;
use crate::{Cell, Chapter, Error, Layout, Numbers, Stale};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The crates that a cell may use, as the notebook kernel offers them; `nalgebra` besides, in a chapter that uses it.
pub const DEPENDENCIES: [&str; 5] = ["moments", "moments-lab", "ndarray", "plotters", "rand"];

/// A chapter may not run longer than this.
const TIME_LIMIT: Duration = Duration::from_mins(5);

const SHOW: &str = include_str!("../templates/show.rs");

/// What the cells of a chapter gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs {
    /// File names and contents: `<cell>.txt`, `<cell>.svg` and the `<cell>.csv` behind it, `<cell>.html`, `numbers.toml`.
    pub files: BTreeMap<String, String>,
}

/// Compiles and runs a chapter's cells. A program that has not changed since its last run is not run again.
///
/// # Errors
/// When a cell does not compile, panics, runs too long, shows two figures, or prints a number whose name is taken: with the
/// chapter's line and the cell's name.
pub fn run(layout: &Layout, chapter: &Chapter) -> Result<Outputs, Error> {
    if chapter.cells().next().is_none() {
        return Ok(Outputs::default());
    }
    let package = write_package(layout, chapter)?;
    let program = build(layout, chapter, &package)?;
    let stdout = execute(chapter, &package, &program)?;
    collect(chapter, &stdout)
}

/// Runs a chapter and writes its outputs; files that no cell gives any more are removed. Returns the files that changed.
///
/// # Errors
/// As [`run`], and when a file cannot be written.
pub fn write(layout: &Layout, slug: &str) -> Result<Vec<PathBuf>, Error> {
    let new = run(layout, &layout.chapter(slug)?)?;
    let dir = layout.outputs(slug);
    let mut changed = Vec::new();
    if !new.files.is_empty() {
        fs::create_dir_all(&dir).map_err(|e| Error::io(&dir, "make the directory", &e))?;
    }
    for name in committed(&dir)? {
        let path = dir.join(&name);
        if !new.files.contains_key(&name) {
            fs::remove_file(&path).map_err(|e| Error::io(&path, "remove the stale output", &e))?;
            changed.push(layout.relative(&path));
        }
    }
    for (name, content) in &new.files {
        let path = dir.join(name);
        if fs::read_to_string(&path).is_ok_and(|old| old == *content) {
            continue;
        }
        fs::write(&path, content).map_err(|e| Error::io(&path, "write the output", &e))?;
        changed.push(layout.relative(&path));
    }
    if new.files.is_empty() && dir.is_dir() {
        // Removes only an empty directory, and it does not matter when something else lies there.
        let _ = fs::remove_dir(&dir);
    }
    Ok(changed)
}

/// Runs a chapter and compares its outputs with those that are committed.
///
/// # Errors
/// As [`run`].
pub fn check(layout: &Layout, slug: &str) -> Result<Vec<Stale>, Error> {
    let new = run(layout, &layout.chapter(slug)?)?;
    let dir = layout.outputs(slug);
    let mut names: BTreeSet<String> = committed(&dir)?.into_iter().collect();
    names.extend(new.files.keys().cloned());
    let fix = format!("cargo course outputs {slug}");
    let stale = names.into_iter().filter_map(|name| {
        let path = dir.join(&name);
        let old = fs::read_to_string(&path).ok();
        compare(
            layout.relative(&path),
            old.as_deref(),
            new.files.get(&name).map(String::as_str),
            &fix,
        )
    });
    Ok(stale.collect())
}

fn committed(dir: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io(dir, "list the outputs", &e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(dir, "list the outputs", &e))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Marks where a cell's output starts; a character that no cell prints, since a print without a line break may precede it.
fn mark(name: &str) -> String {
    format!("\u{1}cell {name}\u{1}\n")
}

/// Begins the call that a variable in the last value of a cell is checked with.
const KEPT: &str = "show::kept(&";

/// The program: each line of a cell stands on its line of the chapter, between them there is room for what joins them.
fn program(chapter: &Chapter) -> String {
    let mut out = String::from(
        "#![allow(unused, nonstandard_style)] #![deny(unused_must_use)] mod show; use show::Show as _; fn main() {",
    );
    let mut line = 1;
    let mut kept = BTreeSet::new();
    for cell in chapter.cells() {
        kept.extend(&cell.kept);
        while line < cell.line - 1 {
            out.push('\n');
            line += 1;
        }
        let _ = writeln!(out, "print!({:?});", mark(&cell.name));
        match &cell.value {
            Some(at) => {
                let (before, value, after) = (
                    &cell.code[..at.start],
                    &cell.code[at.clone()],
                    &cell.code[at.end..],
                );
                let _ = write!(out, "{before}({value}).evcxr_display();");
                for name in cell.named.iter().filter(|name| kept.contains(name)) {
                    let _ = write!(out, " {KEPT}{name});");
                }
                out.push_str(after);
            }
            None => out.push_str(&cell.code),
        }
        line = cell.line + cell.code.matches('\n').count();
    }
    out.push_str("}\n");
    out
}

fn package_name(slug: &str) -> String {
    format!("chapter-{slug}")
}

fn write_package(layout: &Layout, chapter: &Chapter) -> Result<PathBuf, Error> {
    let dir = layout.root().join("target/outputs").join(&chapter.slug);
    fs::create_dir_all(dir.join("run")).map_err(|e| Error::io(&dir, "make the directory", &e))?;
    put(&dir.join("main.rs"), &program(chapter))?;
    put(&dir.join("show.rs"), SHOW)?;
    put(&dir.join("Cargo.toml"), &manifest(layout, chapter)?)?;
    // Cargo trims the lock file to this package; the copy beside it tells when the workspace's has changed.
    let lock = layout.root().join("Cargo.lock");
    if let Ok(lock) = fs::read_to_string(&lock)
        && put(&dir.join("workspace.lock"), &lock)?
    {
        put(&dir.join("Cargo.lock"), &lock)?;
    }
    Ok(dir)
}

/// Writes a file unless it is there already: its time tells cargo what to build again. True when it was written.
fn put(path: &Path, content: &str) -> Result<bool, Error> {
    if fs::read_to_string(path).is_ok_and(|old| old == content) {
        return Ok(false);
    }
    fs::write(path, content).map_err(|e| Error::io(path, "write", &e))?;
    Ok(true)
}

fn manifest(layout: &Layout, chapter: &Chapter) -> Result<String, Error> {
    let path = layout.root().join("Cargo.toml");
    let text = fs::read_to_string(&path)
        .map_err(|e| Error::io(&path, "read the workspace's manifest", &e))?;
    let root: toml::Table = text
        .parse()
        .map_err(|e| Error::at(&path, None, format!("{e}")))?;
    let offered = root
        .get("workspace")
        .and_then(|w| w.get("dependencies"))
        .and_then(toml::Value::as_table);
    let mut dependencies = toml::Table::new();
    let more = chapter.needs_nalgebra().then_some("nalgebra");
    for name in DEPENDENCIES.into_iter().chain(more) {
        let Some(dependency) = offered.and_then(|o| o.get(name)) else {
            continue;
        };
        let mut dependency = dependency.clone();
        if let Some(path) = dependency.get_mut("path")
            && let Some(relative) = path.as_str()
        {
            *path = toml::Value::String(format!("../../../{relative}"));
        }
        if name == "moments-lab"
            && more.is_some()
            && let Some(table) = dependency.as_table_mut()
        {
            table.insert("features".into(), vec!["nalgebra"].into());
        }
        dependencies.insert(name.to_owned(), dependency);
    }
    let mut package = toml::Table::new();
    package.insert("dependencies".into(), toml::Value::Table(dependencies));
    Ok(format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [[bin]]\nname = \"{name}\"\npath = \"main.rs\"\n\n[workspace]\n\n\
         [profile.dev]\nopt-level = 1\ndebug = \"line-tables-only\"\n\n\
         [profile.dev.package.\"*\"]\nopt-level = 3\ndebug = false\n\n{package}",
        name = package_name(&chapter.slug),
    ))
}

/// Compiles the program; its path.
fn build(layout: &Layout, chapter: &Chapter, package: &Path) -> Result<PathBuf, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--color",
            "never",
            "--message-format",
            "json",
            "--target-dir",
        ])
        .arg(layout.root().join("target/outputs/target"))
        .current_dir(package)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Error::at(&chapter.path, None, format!("cannot start cargo: {e}")))?;
    let mut problems = Vec::new();
    let mut program = None;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else {
            continue;
        };
        match message["reason"].as_str() {
            Some("compiler-artifact")
                if message["target"]["name"] == package_name(&chapter.slug) =>
            {
                program = message["executable"].as_str().map(PathBuf::from);
            }
            Some("compiler-message") if message["message"]["level"] == "error" => {
                problems.extend(compiler_problem(chapter, &message["message"]));
            }
            _ => {}
        }
    }
    Error::check(problems)?;
    match program {
        Some(program) if output.status.success() => Ok(program),
        _ => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            Err(Error::at(
                &chapter.path,
                None,
                format!(
                    "cargo cannot build the chapter's cells:\n{}",
                    stderr.trim_end()
                ),
            ))
        }
    }
}

fn compiler_problem(chapter: &Chapter, message: &serde_json::Value) -> Option<Problem> {
    let primary = message["spans"]
        .as_array()?
        .iter()
        .find(|s| s["is_primary"] == true)?;
    // A span within a macro points into the macro; the cell's own line is where the expansion was asked for.
    let mut span = primary;
    while span["file_name"] != "main.rs" && span["expansion"]["span"].is_object() {
        span = &span["expansion"]["span"];
    }
    let line = span["line_start"]
        .as_u64()
        .filter(|_| span["file_name"] == "main.rs")
        .and_then(|n| usize::try_from(n).ok());
    if let Some(name) = moved(primary) {
        let cell = line.and_then(|line| cell_at(chapter, line));
        return Some(Problem {
            path: chapter.path.clone(),
            line,
            message: format!(
                "cell `{}`: its last expression moves `{name}`, which the kernel keeps for later cells, and shows text instead of a figure then; \
                 use `{name}.clone()`, or make the value in a function",
                cell.map_or("", |cell| &cell.name)
            ),
        });
    }
    let rendered = message["rendered"].as_str().unwrap_or_default();
    let rendered = rendered.replace("main.rs:", &format!("{}:", chapter.path.display()));
    let cell = line
        .and_then(|line| cell_at(chapter, line))
        .map(|c| format!("cell `{}` ", c.name))
        .unwrap_or_default();
    Some(Problem {
        path: chapter.path.clone(),
        line,
        message: format!("{cell}does not compile\n{}", rendered.trim_end()),
    })
}

/// The variable that the compiler finds moved where it should still be there, see [`KEPT`].
fn moved(primary: &serde_json::Value) -> Option<&str> {
    let text = &primary["text"][0];
    let column = |name: &str| usize::try_from(text[name].as_u64()?).ok()?.checked_sub(1);
    let (start, end) = (column("highlight_start")?, column("highlight_end")?);
    let line = text["text"].as_str()?;
    // The compiler counts characters, and marks `&name`.
    let at = |n| line.char_indices().nth(n).map_or(line.len(), |(at, _)| at);
    let before = &line[..at(start)];
    let marked = &line[at(start)..at(end)];
    before
        .ends_with(KEPT.trim_end_matches('&'))
        .then(|| marked.trim_start_matches('&'))
}

fn cell_at(chapter: &Chapter, line: usize) -> Option<&Cell> {
    chapter
        .cells()
        .find(|c| c.line <= line && line <= c.line + c.code.lines().count())
}

/// Runs the program; its standard output.
fn execute(chapter: &Chapter, package: &Path, program: &Path) -> Result<String, Error> {
    let last = package.join("last-run.txt");
    let bytes =
        fs::read(program).map_err(|e| Error::io(program, "read the compiled chapter", &e))?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    let key = format!("{:016x}\n", hasher.finish());
    if let Ok(known) = fs::read_to_string(&last)
        && let Some(stdout) = known.strip_prefix(&key)
    {
        return Ok(stdout.to_owned());
    }
    let failed = |what: &str, e: &std::io::Error| {
        Error::at(
            &chapter.path,
            None,
            format!("cannot {what} the compiled cells: {e}"),
        )
    };
    let mut child = Command::new(program)
        .current_dir(package.join("run"))
        .env("RUST_BACKTRACE", "0")
        // Figures hand over their points as well; a notebook has them in the cell.
        .env("MOMENTS_FIGURE_DATA", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed("start", &e))?;
    let stdout = read_aside(child.stdout.take());
    let stderr = read_aside(child.stderr.take());
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|e| failed("wait for", &e))? {
            break Some(status);
        }
        if start.elapsed() > TIME_LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        thread::sleep(Duration::from_millis(10));
    };
    let stdout = stdout.join().unwrap_or_default();
    let stderr = stderr.join().unwrap_or_default();
    let running = stdout
        .rsplit("\u{1}cell ")
        .next()
        .and_then(|s| s.split('\u{1}').next())
        .unwrap_or_default();
    let running = chapter.cells().find(|c| c.name == running);
    match status {
        Some(status) if status.success() => {
            put(&last, &format!("{key}{stdout}"))?;
            Ok(stdout)
        }
        Some(_) => Err(panic(chapter, running, &stderr)),
        None => {
            let name = running.map(|c| c.name.as_str()).unwrap_or_default();
            let message = format!(
                "cell `{name}` has not ended after {} seconds",
                TIME_LIMIT.as_secs()
            );
            Err(Error::at(&chapter.path, running.map(|c| c.line), message))
        }
    }
}

fn panic(chapter: &Chapter, running: Option<&Cell>, stderr: &str) -> Error {
    let line = stderr
        .split_once("main.rs:")
        .and_then(|(_, rest)| rest.split(':').next())
        .and_then(|n| n.parse().ok())
        .or(running.map(|c| c.line));
    let name = running.map(|c| c.name.as_str()).unwrap_or_default();
    let stderr = stderr.replace("main.rs:", &format!("{}:", chapter.path.display()));
    let message = format!("cell `{name}` failed\n{}", stderr.trim_end());
    Error::at(&chapter.path, line, message)
}

fn read_aside(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Splits what the program printed by cell and by kind.
fn collect(chapter: &Chapter, stdout: &str) -> Result<Outputs, Error> {
    let mut outputs = Outputs::default();
    let mut numbers = Numbers::default();
    let mut problems = Vec::new();
    let mut ran = 0;
    for part in stdout.split("\u{1}cell ").skip(1) {
        let Some((name, printed)) = part.split_once("\u{1}\n") else {
            continue;
        };
        let Some(cell) = chapter.cells().find(|c| c.name == name) else {
            continue;
        };
        ran += 1;
        let mut problem = |message: String| {
            problems.push(Problem {
                path: chapter.path.clone(),
                line: Some(cell.line),
                message: format!("cell `{name}`: {message}"),
            });
        };
        let (mut text, rich) = split(printed).unwrap_or_else(|message| {
            problem(message);
            (String::new(), Vec::new())
        });
        for line in text.lines() {
            if let Some((name, value)) = read_line(line)
                && !numbers.insert(name, value)
            {
                problem(format!(
                    "prints a number `{name}`, and so did a cell or a line before it; names are unique in a chapter"
                ));
            }
        }
        let has_picture = rich.iter().any(|(kind, _)| kind != "text/plain");
        for (kind, content) in rich {
            let extension = match kind.as_str() {
                "image/svg+xml" => "svg",
                "text/html" => "html",
                "text/csv" => "csv",
                "text/plain" => {
                    // Beside a picture or a table, plain text is only what a terminal would show in its place.
                    if !has_picture {
                        text.push_str(&content);
                    }
                    continue;
                }
                other => {
                    problem(format!(
                        "shows `{other}`, which the page cannot: SVG, HTML or text"
                    ));
                    continue;
                }
            };
            let content = format!("{}\n", content.trim_end());
            if outputs
                .files
                .insert(format!("{name}.{extension}"), content)
                .is_some()
            {
                problem(format!(
                    "shows two outputs of the kind {kind}; a notebook shows one per cell, so split the cell"
                ));
            }
        }
        if !text.trim().is_empty() {
            outputs
                .files
                .insert(format!("{name}.txt"), format!("{}\n", text.trim_end()));
        }
    }
    if ran != chapter.cells().count() && problems.is_empty() {
        let message = format!(
            "{ran} of {} cells ran: does a cell end the program?",
            chapter.cells().count()
        );
        return Err(Error::at(&chapter.path, None, message));
    }
    Error::check(problems)?;
    if !numbers.is_empty() {
        outputs
            .files
            .insert("numbers.toml".into(), numbers.to_toml());
    }
    Ok(outputs)
}

/// Plain output, and the blocks of other kinds with their kind.
fn split(printed: &str) -> Result<(String, Vec<(String, String)>), String> {
    const BEGIN: &str = "EVCXR_BEGIN_CONTENT ";
    const END: &str = "EVCXR_END_CONTENT";
    let mut text = String::new();
    let mut rich = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in printed.split_inclusive('\n') {
        let bare = line.trim_end_matches('\n');
        match open.take() {
            Some(block) if bare == END => rich.push(block),
            Some((kind, mut content)) => {
                content.push_str(line);
                open = Some((kind, content));
            }
            None => match bare.strip_prefix(BEGIN) {
                Some(kind) => open = Some((kind.trim().to_owned(), String::new())),
                None => text.push_str(line),
            },
        }
    }
    match open {
        Some((kind, _)) => Err(format!("its {kind} output begins and does not end")),
        None => Ok((text, rich)),
    }
}

#[cfg(test)]
mod tests {
    use super::{collect, mark, moved, program};
    use crate::Chapter;
    use serde_json::json;
    use std::fmt::Write as _;
    use std::path::Path;

    fn chapter(cells: &[&str]) -> Chapter {
        let mut source = String::from("# T\n");
        for (name, code) in ('a'..).zip(cells) {
            let _ = write!(source, "\ntext\n\n```rust,cell,name={name}\n{code}\n```\n");
        }
        Chapter::parse_str(Path::new("book/src/99-t.md"), &source).unwrap()
    }

    #[test]
    fn a_line_of_the_program_is_the_same_line_of_the_chapter() {
        let chapter = chapter(&["let x = 1;\nx + 1 // é", "x"]);
        let program = program(&chapter);
        let lines: Vec<&str> = program.lines().collect();
        for cell in chapter.cells() {
            let first = cell.code.lines().next().unwrap().split(' ').next().unwrap();
            assert!(
                lines[cell.line - 1]
                    .trim_start_matches('(')
                    .starts_with(first),
                "{program}"
            );
        }
        assert!(
            program.contains("(x + 1).evcxr_display(); show::kept(&x); // é"),
            "{program}"
        );
    }

    #[test]
    fn a_variable_in_the_last_value_of_a_cell_must_still_be_there_behind_it() {
        let chapter = chapter(&[
            "let xs = vec![1.0]; let n = 2;\nfigure(xs.iter().map(|n| n + 1.0), m)",
            "let m = 1;\nvec![xs, m]",
        ]);
        let program = program(&chapter);
        assert!(
            program.contains(", m)).evcxr_display(); show::kept(&xs);\n"),
            "{program}"
        );
        assert!(
            program.contains(".evcxr_display(); show::kept(&m); show::kept(&xs);"),
            "{program}"
        );
        let line = "(f(é, xs)).evcxr_display(); show::kept(&xs);";
        let start = line.chars().take_while(|c| *c != '&').count() + 1;
        let primary = json!({ "text": [{ "text": line, "highlight_start": start, "highlight_end": start + 3 }] });
        assert_eq!(moved(&primary), Some("xs"));
        let other =
            json!({ "text": [{ "text": line, "highlight_start": 2, "highlight_end": 10 }] });
        assert_eq!(moved(&other), None);
    }

    #[test]
    fn output_is_split_by_cell_and_kind() {
        let chapter = chapter(&["1", "2"]);
        let printed = format!(
            "{}no line break{}x = 2.50\nEVCXR_BEGIN_CONTENT text/html\n<table></table>\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT text/plain\nT\nEVCXR_END_CONTENT\n",
            mark("a"),
            mark("b")
        );
        let files = collect(&chapter, &printed).unwrap().files;
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["a.txt", "b.html", "b.txt", "numbers.toml"]);
        assert_eq!(files["a.txt"], "no line break\n");
        assert_eq!(files["b.txt"], "x = 2.50\n");
        assert!(files["numbers.toml"].contains("x = \"2.50\""));
    }

    #[test]
    fn two_figures_a_number_twice_and_a_missing_cell_are_errors() {
        let chapter = chapter(&["1", "2"]);
        let svg = "EVCXR_BEGIN_CONTENT image/svg+xml\n<svg/>\nEVCXR_END_CONTENT\n";
        let twice = format!("{}{svg}{svg}{}", mark("a"), mark("b"));
        assert!(
            collect(&chapter, &twice)
                .unwrap_err()
                .to_string()
                .contains("99-t.md:6: cell `a`: shows two outputs")
        );
        let number = format!("{}n = 1\n{}n = 1\n", mark("a"), mark("b"));
        assert!(
            collect(&chapter, &number)
                .unwrap_err()
                .to_string()
                .contains("cell `b`: prints a number `n`")
        );
        assert!(
            collect(&chapter, &mark("a"))
                .unwrap_err()
                .to_string()
                .contains("1 of 2 cells ran")
        );
    }
}
