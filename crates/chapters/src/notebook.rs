//! A chapter as a Jupyter notebook: the same prose and cells, no outputs.
//!
//! Ids of cells do not depend on the text, so that a changed paragraph changes one cell in a diff.

use crate::diff::compare;
use crate::prose::{self, Formula};
use crate::question::{Question, QuestionKind};
use crate::{Chapter, Error, Kind, Layout, Numbers, Stale, exercises, include};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

// Keys stand in alphabetical order here, as Jupyter writes them.
#[derive(Serialize)]
struct Notebook {
    cells: Vec<NotebookCell>,
    metadata: Metadata,
    nbformat: u8,
    nbformat_minor: u8,
}

#[derive(Serialize)]
#[serde(untagged)]
enum NotebookCell {
    Code {
        cell_type: &'static str,
        execution_count: Option<u32>,
        id: String,
        metadata: CellMetadata,
        outputs: [(); 0],
        source: Vec<String>,
    },
    Markdown {
        cell_type: &'static str,
        id: String,
        metadata: Empty,
        source: Vec<String>,
    },
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct CellMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    jupyter: Option<Hidden>,
    name: String,
}

#[derive(Serialize)]
struct Hidden {
    source_hidden: bool,
}

#[derive(Serialize)]
struct Metadata {
    kernelspec: Kernelspec,
    language_info: Language,
    title: String,
}

#[derive(Serialize)]
struct Kernelspec {
    display_name: &'static str,
    language: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
struct Language {
    file_extension: &'static str,
    mimetype: &'static str,
    name: &'static str,
    pygments_lexer: &'static str,
}

/// The notebook's JSON.
///
/// # Errors
/// When prose names an unknown number, an include cannot be expanded, or a formula does not close.
pub fn render(layout: &Layout, chapter: &Chapter) -> Result<String, Error> {
    let numbers = Numbers::load(&layout.outputs(&chapter.slug))?;
    let exercises = exercises::section(&exercises::of_chapter(layout, &chapter.slug)?);
    let mut writer = Writer {
        layout,
        chapter,
        numbers,
        cells: Vec::new(),
        ids: HashMap::new(),
        open: None,
        last: "start".into(),
        exercises,
        anchors: HashMap::new(),
    };
    for block in &chapter.blocks {
        match &block.kind {
            Kind::Prose(text) => writer.prose(block.line, text)?,
            Kind::Listing(text) => {
                let text = writer.include(block.line, text)?;
                writer.append(&prose::dedent(&text));
            }
            Kind::Question(question) => writer.question(question)?,
            // Its minutes are on the page; a notebook would have to be written again whenever any chapter changes.
            Kind::Teaching(_) => {}
            Kind::Cell(cell) => {
                writer.close();
                let id = writer.id(&cell.name);
                writer.last = format!("after-{}", cell.name);
                writer.cells.push(NotebookCell::Code {
                    cell_type: "code",
                    execution_count: None,
                    id,
                    metadata: CellMetadata {
                        jupyter: cell.fold.then_some(Hidden {
                            source_hidden: true,
                        }),
                        name: cell.name.clone(),
                    },
                    outputs: [],
                    source: source_lines(cell.code.trim_end()),
                });
            }
        }
    }
    writer.exercises();
    writer.close();
    let notebook = Notebook {
        cells: writer.cells,
        metadata: Metadata {
            kernelspec: Kernelspec {
                display_name: if chapter.needs_nalgebra() {
                    "Rust (Moments + nalgebra)"
                } else {
                    "Rust (Moments)"
                },
                language: "rust",
                name: if chapter.needs_nalgebra() {
                    "moments-nalgebra"
                } else {
                    "moments"
                },
            },
            language_info: Language {
                file_extension: ".rs",
                mimetype: "text/rust",
                name: "Rust",
                pygments_lexer: "rust",
            },
            title: prose::plain(&chapter.title),
        },
        nbformat: 4,
        nbformat_minor: 5,
    };
    let mut json = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut json, formatter);
    notebook.serialize(&mut serializer).map_err(|e| {
        Error::at(
            &chapter.path,
            None,
            format!("cannot write the notebook: {e}"),
        )
    })?;
    let mut json = String::from_utf8_lossy(&json).into_owned();
    json.push('\n');
    Ok(json)
}

/// The notebook that a chapter should have: none, if it has no cell to run.
fn expected(layout: &Layout, slug: &str) -> Result<Option<String>, Error> {
    let chapter = layout.chapter(slug)?;
    if chapter.cells().next().is_none() {
        return Ok(None);
    }
    render(layout, &chapter).map(Some)
}

/// Writes a chapter's notebook, or removes that of a chapter without cells; true when something changed.
///
/// # Errors
/// As [`render`], and when the file cannot be written.
pub fn write(layout: &Layout, slug: &str) -> Result<bool, Error> {
    let path = layout.notebook(slug);
    let Some(json) = expected(layout, slug)? else {
        return match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(Error::io(&path, "remove the notebook", &e)),
        };
    };
    if fs::read_to_string(&path).is_ok_and(|old| old == json) {
        return Ok(false);
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|e| Error::io(dir, "make the directory", &e))?;
    }
    fs::write(&path, json).map_err(|e| Error::io(&path, "write the notebook", &e))?;
    Ok(true)
}

/// Compares a chapter's committed notebook with its source; `None` when they agree.
///
/// # Errors
/// As [`render`].
pub fn check(layout: &Layout, slug: &str) -> Result<Option<Stale>, Error> {
    let json = expected(layout, slug)?;
    let path = layout.notebook(slug);
    let old = fs::read_to_string(&path).ok();
    Ok(compare(
        layout.relative(&path),
        old.as_deref(),
        json.as_deref(),
        &format!("cargo course notebooks {slug}"),
    ))
}

struct Writer<'a> {
    layout: &'a Layout,
    chapter: &'a Chapter,
    numbers: Numbers,
    cells: Vec<NotebookCell>,
    ids: HashMap<String, usize>,
    /// The Markdown cell that is being written: id and text.
    open: Option<(String, String)>,
    /// What the next Markdown cell without a heading is named after.
    last: String,
    /// The section of exercises, until it has found its place.
    exercises: String,
    /// Per chapter: from the page's anchors to Jupyter's.
    anchors: HashMap<String, HashMap<String, String>>,
}

impl Writer<'_> {
    fn id(&mut self, name: &str) -> String {
        let clean: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let base: String = format!("{}-{clean}", self.chapter.slug)
            .chars()
            .take(58)
            .collect();
        let count = self.ids.entry(base.clone()).or_insert(0);
        *count += 1;
        if *count == 1 {
            base
        } else {
            format!("{base}-{count}")
        }
    }

    fn close(&mut self) {
        if let Some((id, text)) = self.open.take()
            && !text.trim().is_empty()
        {
            let source = source_lines(text.trim());
            self.cells.push(NotebookCell::Markdown {
                cell_type: "markdown",
                id,
                metadata: Empty {},
                source,
            });
        }
    }

    fn append(&mut self, text: &str) {
        if self.open.is_none() {
            let name = self.last.clone();
            self.open = Some((self.id(&name), String::new()));
        }
        if let Some((_, open)) = &mut self.open {
            open.push_str(text);
        }
    }

    fn error(&self, line: usize, message: String) -> Error {
        Error::at(&self.chapter.path, line, message)
    }

    fn include(&self, line: usize, text: &str) -> Result<String, Error> {
        let dir = self.layout.root().join("book/src");
        include::expand(text, &dir).map_err(|(offset, message)| self.error(line + offset, message))
    }

    fn prose(&mut self, line: usize, text: &str) -> Result<(), Error> {
        let mut part = String::new();
        let mut part_line = line;
        for (n, source, fenced) in prose::lines(text) {
            if let Some((level, title, id)) = prose::heading(source).filter(|_| !fenced) {
                self.part(part_line, &part)?;
                part.clear();
                part_line = line + n;
                self.close();
                let anchor = id.map_or_else(|| prose::anchor(title), str::to_owned);
                if anchor == "references" {
                    self.exercises();
                }
                let name = if level == 1 {
                    "title".into()
                } else {
                    format!("section-{anchor}")
                };
                self.open = Some((self.id(&name), String::new()));
                let _ = write!(part, "{} {title}", "#".repeat(level));
                part.push('\n');
            } else {
                part.push_str(source);
            }
        }
        self.part(part_line, &part)
    }

    fn part(&mut self, line: usize, text: &str) -> Result<(), Error> {
        if text.trim().is_empty() && self.open.is_none() {
            return Ok(());
        }
        let text = self.include(line, text)?;
        let text = self.markdown(line, &text)?;
        self.append(&text);
        Ok(())
    }

    /// Markdown as Jupyter reads it.
    fn markdown(&mut self, line: usize, text: &str) -> Result<String, Error> {
        let numbers = std::mem::take(&mut self.numbers);
        let woven = prose::weave(
            text,
            &numbers,
            |text| {
                let text = admonitions(text);
                prose::links(&text, |target| self.link(target))
            },
            |formula| Ok(dollars(formula)),
        );
        self.numbers = numbers;
        woven.map_err(|(offset, message)| self.error(line + offset, message))
    }

    /// A link's target as seen from the notebook.
    fn link(&mut self, target: &str) -> String {
        if target.contains("://") || target.starts_with("mailto:") || target.is_empty() {
            return target.to_owned();
        }
        let (file, anchor) = target
            .split_once('#')
            .map_or((target, None), |(f, a)| (f, Some(a)));
        if file.is_empty() {
            let slug = self.chapter.slug.clone();
            return self
                .jupyter_anchor(&slug, anchor)
                .unwrap_or_else(|| target.to_owned());
        }
        let page = file
            .strip_suffix(".md")
            .or_else(|| file.strip_suffix(".html"));
        if let Some(slug) =
            page.filter(|slug| self.layout.source(slug).is_file() && crate::layout::is_slug(slug))
        {
            let anchor = self.jupyter_anchor(slug, anchor).unwrap_or_default();
            return format!("{slug}.ipynb{anchor}");
        }
        let mut path = PathBuf::from("../book/src");
        for part in Path::new(
            file.strip_suffix(".html")
                .map(|f| format!("{f}.md"))
                .as_deref()
                .unwrap_or(file),
        ) {
            if part == ".." {
                path.pop();
            } else {
                path.push(part);
            }
        }
        let anchor = anchor.map(|a| format!("#{a}")).unwrap_or_default();
        format!("{}{anchor}", path.to_string_lossy().replace('\\', "/"))
    }

    fn jupyter_anchor(&mut self, slug: &str, anchor: Option<&str>) -> Option<String> {
        let anchor = anchor?;
        let layout = self.layout;
        let known = self.anchors.entry(slug.to_owned()).or_insert_with(|| {
            let text = fs::read_to_string(layout.source(slug)).unwrap_or_default();
            let mut known = HashMap::new();
            for (_, line, fenced) in prose::lines(&text) {
                if let Some((_, title, id)) = prose::heading(line).filter(|_| !fenced) {
                    let id = id.map_or_else(|| prose::anchor(title), str::to_owned);
                    known
                        .entry(id)
                        .or_insert_with(|| prose::plain(title).trim().replace(' ', "-"));
                }
            }
            known.insert("exercises".into(), "Exercises".into());
            known
        });
        known.get(anchor).map(|id| format!("#{id}"))
    }

    fn exercises(&mut self) {
        let text = std::mem::take(&mut self.exercises);
        if !text.is_empty() {
            self.close();
            self.open = Some((self.id("section-exercises"), text));
            self.close();
        }
    }

    fn question(&mut self, question: &Question) -> Result<(), Error> {
        self.close();
        let line = question.line;
        let prompt = self.markdown(line, question.prompt.trim())?;
        let mut text = String::new();
        let label = match question.kind {
            QuestionKind::Number { predict: true, .. } => "Predict",
            _ => "Question",
        };
        let _ = write!(text, "**{label}.** {prompt}\n\n");
        match &question.kind {
            QuestionKind::Choice(options) => {
                for (letter, option) in ('a'..).zip(options) {
                    let _ = writeln!(
                        text,
                        "- ({letter}) {}",
                        self.markdown(line, option.text.trim())?
                    );
                }
                text.push_str("\n<details>\n<summary>Answer</summary>\n\n");
                for (letter, option) in ('a'..).zip(options) {
                    let verdict = if option.correct { "right" } else { "wrong" };
                    let _ = writeln!(
                        text,
                        "- ({letter}) **{verdict}**: {}",
                        self.markdown(line, option.why.trim())?
                    );
                }
            }
            QuestionKind::Number {
                answer, unit, why, ..
            } => {
                let answer = self.markdown(line, answer)?;
                let unit = self.markdown(line, unit)?;
                let why = self.markdown(line, why.trim())?;
                let answer = format!("{answer} {unit}");
                let _ = write!(
                    text,
                    "<details>\n<summary>Answer</summary>\n\n**{}**\n\n{why}\n",
                    answer.trim()
                );
            }
        }
        text.push_str("\n</details>\n");
        self.open = Some((self.id(&format!("question-{}", question.id)), text));
        self.close();
        self.last = format!("after-question-{}", question.id);
        Ok(())
    }
}

fn source_lines(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}

fn dollars(formula: &Formula) -> String {
    let Formula {
        tex,
        display,
        block,
    } = formula;
    match block {
        Some(prefix) => {
            let mut out = format!("{prefix}$$\n");
            for line in tex.lines().filter(|l| !l.trim().is_empty()) {
                let _ = writeln!(out, "{prefix}{line}");
            }
            out + prefix + "$$"
        }
        None if *display => format!("$${tex}$$"),
        None => format!("${tex}$"),
    }
}

/// `> [!NOTE]` becomes a quotation with a bold title: Jupyter knows no admonitions.
fn admonitions(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let body = line.trim_start_matches(['>', ' ']);
        let prefix = &line[..line.len() - body.len()];
        match body
            .trim_end()
            .strip_prefix("[!")
            .and_then(|b| b.strip_suffix(']'))
        {
            Some(kind)
                if prefix.contains('>')
                    && kind.bytes().all(|b| b.is_ascii_alphabetic())
                    && !kind.is_empty() =>
            {
                let title = kind[..1].to_uppercase() + &kind[1..].to_lowercase();
                let _ = write!(out, "{prefix}**{title}**\n{}\n", prefix.trim_end());
            }
            _ => out.push_str(line),
        }
    }
    out
}
