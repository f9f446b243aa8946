//! A chapter as a page: the mdBook preprocessor.
//!
//! It runs after mdBook's own `links`, so that listings are included already, and hands Markdown back in which formulas are
//! typeset, numbers filled in, cells followed by their outputs and questions written as HTML. Nothing that it writes needs a
//! script to be read.

use crate::error::Problem;
use crate::math::{self, Dictionary, Typesetter};
use crate::number::read_line;
use crate::prose::{self, Formula};
use crate::question::{Question, QuestionKind};
use crate::teaching::{Clock, Teaching, reading};
use crate::{Cell, Chapter, Error, Kind, Layout, Numbers, exercises, layout};
use mdbook_preprocessor::book::Book;
use mdbook_preprocessor::errors::Result as BookResult;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use std::cell::{OnceCell, RefCell};
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

/// The preprocessor. Its name is the one that `book.toml` gives to the command, so that a build in process puts it in the
/// command's place: `MDBook::load(root)?.with_preprocessor(Moments::new())`.
pub struct Moments {
    typesetter: RefCell<Typesetter>,
}

impl Moments {
    /// A preprocessor that has typeset nothing yet.
    pub fn new() -> Self {
        Self {
            typesetter: RefCell::new(Typesetter::new()),
        }
    }
}

impl Default for Moments {
    fn default() -> Self {
        Self::new()
    }
}

impl Preprocessor for Moments {
    #[allow(clippy::unnecessary_literal_bound)]
    fn name(&self) -> &str {
        "moments"
    }

    fn supports_renderer(&self, renderer: &str) -> BookResult<bool> {
        Ok(supports(renderer))
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> BookResult<Book> {
        let layout = Layout::find(&context.root)?;
        let src = context.root.join(&context.config.book.src);
        copy_notebooks(&layout, &src)?;
        copy_data(&layout, &src)?;
        put(
            &src.join("assets/katex/formulas.css"),
            math::sheet().as_bytes(),
        )?;
        let clock = OnceCell::new();
        let mut problems = Vec::new();
        book.for_each_chapter_mut(|chapter| {
            let (Some(path), Some(source)) = (&chapter.path, &chapter.source_path) else {
                return;
            };
            let page = Page {
                layout: &layout,
                source: &src.join(source),
                path,
                clock: &clock,
            };
            match page.render(&chapter.content, &mut self.typesetter.borrow_mut()) {
                Ok(content) => chapter.content = content,
                Err(error) => problems.extend(error.problems().iter().cloned()),
            }
        });
        Error::check(problems)?;
        Ok(book)
    }
}

/// Whether the preprocessor has something to say to this renderer: it writes HTML.
pub fn supports(renderer: &str) -> bool {
    renderer == "html"
}

/// Speaks mdBook's protocol: reads the context and the book from `input`, writes the book to `output`.
///
/// # Errors
/// When the input is not mdBook's, and with everything that is wrong in the chapters.
pub fn preprocess(input: impl Read, output: impl Write) -> Result<(), Error> {
    let failed = |message: String| Error::at(Path::new("book/book.toml"), None, message);
    let (context, book) = mdbook_preprocessor::parse_input(input).map_err(|e| {
        failed(format!(
            "mdBook calls this command with the book on standard input, not you: {e:#}"
        ))
    })?;
    let book = Moments::new()
        .run(&context, book)
        .map_err(|e| match e.downcast::<Error>() {
            Ok(error) => error,
            Err(other) => failed(format!("{other:#}")),
        })?;
    serde_json::to_writer(output, &book)
        .map_err(|e| failed(format!("cannot hand the book back to mdBook: {e}")))
}

/// Puts the notebooks where mdBook copies them from.
fn copy_notebooks(layout: &Layout, src: &Path) -> Result<(), Error> {
    for slug in layout.slugs()? {
        let target = src.join(format!("notebooks/{slug}.ipynb"));
        match fs::read(layout.notebook(&slug)) {
            Ok(notebook) => put(&target, &notebook)?,
            Err(_) => {
                // No notebook, so no copy of an old one either.
                let _ = fs::remove_file(&target);
            }
        }
    }
    Ok(())
}

/// Puts the data behind the figures where mdBook copies them from.
fn copy_data(layout: &Layout, src: &Path) -> Result<(), Error> {
    let all = src.join("data");
    for slug in layout.slugs()? {
        let (from, to) = (layout.outputs(&slug), all.join(&slug));
        let names = csv_files(&from);
        for old in csv_files(&to) {
            if !names.contains(&old) {
                let _ = fs::remove_file(to.join(old));
            }
        }
        for name in names {
            let data = fs::read(from.join(&name))
                .map_err(|e| Error::io(&from.join(&name), "read the data", &e))?;
            put(&to.join(name), &data)?;
        }
    }
    Ok(())
}

fn csv_files(dir: &Path) -> Vec<std::ffi::OsString> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .filter(|name| Path::new(name).extension().is_some_and(|e| e == "csv"))
        .collect()
}

/// Writes a file that mdBook copies. One that has not changed is left alone: `mdbook serve` watches.
fn put(path: &Path, content: &[u8]) -> Result<(), Error> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|e| Error::io(dir, "make the directory", &e))?;
    }
    fs::write(path, content).map_err(|e| Error::io(path, "write for mdBook to copy", &e))
}

struct Page<'a> {
    layout: &'a Layout,
    /// The Markdown file.
    source: &'a Path,
    /// The page within the book.
    path: &'a Path,
    /// Read when a page asks for it.
    clock: &'a OnceCell<Clock>,
}

impl Page<'_> {
    fn render(&self, content: &str, typesetter: &mut Typesetter) -> Result<String, Error> {
        let name = self.layout.relative(self.source);
        let source = fs::read_to_string(self.source).unwrap_or_default();
        let chapter = Chapter::parse_str(&name, content).or_else(|error| {
            // What mdBook made of the source has other line numbers than what the reader edits.
            Chapter::parse_str(&name, &source).and(Err(error))
        })?;
        let outputs = self.layout.outputs(&chapter.slug);
        let mut writer = Writer {
            chapter: &chapter,
            numbers: Numbers::load(&outputs)?,
            outputs: &outputs,
            root: &self.root(),
            typesetter,
            dictionary: Dictionary::default(),
            problems: Vec::new(),
            out: String::with_capacity(content.len() * 4),
        };
        let exercises = exercises::of_chapter(self.layout, &chapter.slug)?;
        let header = self.header(&chapter, !exercises.is_empty());
        for (n, block) in chapter.blocks.iter().enumerate() {
            match &block.kind {
                Kind::Prose(text) if n == 0 => {
                    let (title, rest) =
                        text.split_at(text.find('\n').map_or(text.len(), |at| at + 1));
                    writer.prose(block.line, title);
                    writer.out.push_str(&header);
                    writer.prose(block.line + 1, rest);
                }
                Kind::Prose(text) => writer.prose(block.line, text),
                Kind::Listing(text) => {
                    writer.out.push('\n');
                    writer.out.push_str(&prose::dedent(text));
                }
                Kind::Cell(cell) => writer.cell(cell)?,
                Kind::Question(question) => writer.question(question),
                Kind::Teaching(table) => {
                    if self.clock.get().is_none() {
                        // Set already only if somebody else did, which comes to the same.
                        let _ = self.clock.set(Clock::load(self.layout)?);
                    }
                    if let Some(clock) = self.clock.get() {
                        writer.teaching(clock, block.line, table);
                    }
                }
            }
        }
        let markdown = writer.dictionary.html() + &writer.out;
        // Lines were counted in what mdBook expanded; the reader edits the source.
        let expanded: Vec<&str> = content.lines().collect();
        let problems =
            std::mem::take(&mut writer.problems)
                .into_iter()
                .map(|mut problem: Problem| {
                    let line = problem.line.and_then(|n| expanded.get(n - 1));
                    problem.line = line
                        .and_then(|text| source.lines().position(|l| l == *text))
                        .map(|n| n + 1);
                    problem
                });
        Error::check(problems.collect())?;
        Ok(exercises::place(&markdown, &exercises::section(&exercises)))
    }

    fn root(&self) -> String {
        "../".repeat(self.path.components().count().saturating_sub(1))
    }

    /// What stands under a chapter's title: how long it takes to read, and the doors to the notebook and the exercises.
    fn header(&self, chapter: &Chapter, has_exercises: bool) -> String {
        if !layout::is_slug(&chapter.slug) {
            return String::new();
        }
        let slug = &chapter.slug;
        let root = self.root();
        let mut out = format!(
            "\n<div class=\"m-header\"><p class=\"m-time\">About {} minutes to read</p>",
            reading(chapter).minutes()
        );
        let mut doors = String::new();
        let has_notebook = self.layout.notebook(slug).is_file();
        if has_notebook {
            let _ = write!(
                doors,
                "<li><a class=\"m-button\" href=\"{root}lab.html?nb={slug}\">Open in JupyterLab</a></li>"
            );
        }
        if has_exercises {
            doors.push_str("<li><a class=\"m-button\" href=\"#exercises\">Exercises</a></li>");
        }
        if has_notebook {
            let _ = write!(
                doors,
                "<li><a class=\"m-button\" href=\"{root}notebooks/{slug}.ipynb\" download>Download notebook</a></li>"
            );
        }
        if !doors.is_empty() {
            let _ = write!(out, "<ul class=\"m-doors\">{doors}</ul>");
        }
        out.push_str("</div>\n\n");
        out
    }
}

struct Writer<'a> {
    chapter: &'a Chapter,
    numbers: Numbers,
    outputs: &'a Path,
    /// The way from the page to the top of the book: empty, or `../` as often as needed.
    root: &'a str,
    typesetter: &'a mut Typesetter,
    dictionary: Dictionary,
    problems: Vec<Problem>,
    out: String,
}

impl Writer<'_> {
    fn problem(&mut self, line: usize, message: String) {
        self.problems.push(Problem {
            path: self.chapter.path.clone(),
            line: Some(line),
            message,
        });
    }

    /// Fills in numbers and typesets formulas.
    fn weave(&mut self, line: usize, text: &str) -> String {
        let (typesetter, dictionary) = (&mut *self.typesetter, &mut self.dictionary);
        let woven = prose::weave(text, &self.numbers, str::to_owned, |formula| {
            let html = dictionary.formula(&typesetter.render(formula.tex, formula.display)?);
            Ok(place_formula(formula, &html))
        });
        match woven {
            Ok(text) => text,
            Err((offset, message)) => {
                self.problem(line + offset, message);
                String::new()
            }
        }
    }

    fn prose(&mut self, line: usize, text: &str) {
        // One paragraph at a time, so that one problem does not hide the next.
        let text = name_headings(text);
        let mut at = line;
        for part in paragraphs(&text) {
            let woven = self.weave(at, part);
            self.out.push_str(&woven);
            at += part.matches('\n').count();
        }
    }

    fn cell(&mut self, cell: &Cell) -> Result<(), Error> {
        let name = &cell.name;
        let fence = if cell.code.contains("```") {
            "``````"
        } else {
            "```"
        };
        let code = format!(
            "{fence}rust,noplayground\n{}\n{fence}\n",
            cell.code.trim_end()
        );
        let _ = write!(self.out, "\n<div class=\"m-cell\" id=\"cell-{name}\">\n\n");
        let text = self.output(&format!("{name}.txt"))?;
        let shown = text.as_deref().map(|text| {
            format!(
                "<div class=\"m-output\"><pre class=\"m-text\" role=\"region\" tabindex=\"0\" aria-label=\"Output of the cell {name}\">{}</pre></div>\n\n",
                escape(text.trim_end()).replace('\n', "&#10;")
            )
        });
        let shown = shown.unwrap_or_default();
        if cell.fold {
            // Numbers that the prose uses, and the answers to questions, stay folded with the code that prints them.
            let only_numbers =
                text.is_some_and(|text| text.lines().all(|l| read_line(l).is_some()));
            let (inside, outside) = if only_numbers {
                (shown, String::new())
            } else {
                (String::new(), shown)
            };
            let _ = write!(
                self.out,
                "<details class=\"m-fold\"><summary>Show the code</summary>\n\n{code}\n{inside}</details>\n\n{outside}"
            );
        } else {
            let _ = write!(self.out, "{code}\n{shown}");
        }
        if let Some(html) = self.output(&format!("{name}.html"))? {
            let _ = write!(
                self.out,
                "<div class=\"m-output m-table\" role=\"region\" tabindex=\"0\" aria-label=\"Table from the cell {name}\">{}</div>\n\n",
                one_line(&html)
            );
        }
        if let Some(svg) = self.output(&format!("{name}.svg"))? {
            let figure = self
                .dictionary
                .figure(&one_line(&short_lines(&own_ids(&svg, name))));
            let mut data = String::new();
            if self.outputs.join(format!("{name}.csv")).is_file() {
                let (root, slug) = (self.root, &self.chapter.slug);
                let _ = write!(
                    data,
                    "<p class=\"m-data\"><a href=\"{root}data/{slug}/{name}.csv\" download=\"{slug}-{name}.csv\">Data of the figure {name} (CSV)</a></p>"
                );
            }
            let _ = write!(
                self.out,
                "<div class=\"m-output m-figure\" role=\"region\" tabindex=\"0\" aria-label=\"Figure from the cell {name}\">{figure}</div>{data}\n\n"
            );
        }
        self.out.push_str("</div>\n\n");
        Ok(())
    }

    /// The table that a fence `timing` or `plan` stands for.
    fn teaching(&mut self, clock: &Clock, line: usize, table: &Teaching) {
        let table = match table {
            Teaching::Timing => Ok(clock.timing()),
            Teaching::Plan(text) => clock.plan(text),
        };
        match table {
            Ok(table) => {
                let woven = self.weave(line, &table);
                let _ = write!(self.out, "\n{woven}\n");
            }
            Err(message) => self.problem(line, message),
        }
    }

    fn output(&self, file: &str) -> Result<Option<String>, Error> {
        let path = self.outputs.join(file);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io(&path, "read the output", &e)),
        }
    }

    /// Markdown as HTML on one line; without its paragraph when it is only one.
    fn html(&mut self, line: usize, markdown: &str) -> String {
        let woven = self.weave(line, markdown.trim());
        let mut html = String::new();
        pulldown_cmark::html::push_html(
            &mut html,
            pulldown_cmark::Parser::new_ext(&woven, pulldown_cmark::Options::ENABLE_TABLES),
        );
        let html = html.trim();
        let inner = html
            .strip_prefix("<p>")
            .and_then(|h| h.strip_suffix("</p>"))
            .filter(|h| !h.contains("<p>"));
        one_line(inner.unwrap_or(html))
    }

    fn question(&mut self, question: &Question) {
        let line = question.line;
        let id = format!("question-{}", question.id);
        let key = format!("{}/{}", self.chapter.slug, question.id);
        let prompt = self.html(line, &question.prompt);
        let mut data = format!("data-key=\"{key}\"");
        let mut fields = String::new();
        let mut answer = String::new();
        let label = match &question.kind {
            QuestionKind::Choice(options) => {
                data.push_str(" data-kind=\"choice\"");
                answer.push_str("<ul>");
                for (n, option) in options.iter().enumerate() {
                    let text = self.html(line, &option.text);
                    let why = self.html(line, &option.why);
                    let _ = write!(
                        fields,
                        "<div class=\"m-option\"><input type=\"radio\" name=\"{id}\" id=\"{id}-{n}\" value=\"{n}\"><label for=\"{id}-{n}\">{text}</label></div>"
                    );
                    let (verdict, right) = if option.correct {
                        ("Right.", " data-right")
                    } else {
                        ("Wrong.", "")
                    };
                    let _ = write!(
                        answer,
                        "<li data-option=\"{n}\"{right}><strong>{verdict}</strong> <q>{text}</q> <span>{why}</span></li>"
                    );
                }
                answer.push_str("</ul>");
                "Question"
            }
            QuestionKind::Number {
                answer: right,
                tolerance,
                relative,
                unit,
                why,
                predict,
            } => {
                let digits = match self.numbers.fill(right, crate::number::Place::Code) {
                    Ok(digits) => digits,
                    Err((_, message)) => {
                        self.problem(line, format!("question `{}`: {message}", question.id));
                        return;
                    }
                };
                let Ok(value) = digits.trim().parse::<f64>() else {
                    self.problem(
                        line,
                        format!(
                            "question `{}`: the answer `{digits}` is not a number",
                            question.id
                        ),
                    );
                    return;
                };
                let within = if *relative {
                    tolerance * value.abs()
                } else {
                    *tolerance
                };
                let kind = if *predict { "predict" } else { "number" };
                let _ = write!(
                    data,
                    " data-kind=\"{kind}\" data-answer=\"{value:e}\" data-within=\"{within:e}\""
                );
                let unit = self.html(line, unit);
                let shown = self.html(line, right);
                let why = self.html(line, why);
                let _ = write!(
                    fields,
                    "<div class=\"m-number\"><label for=\"{id}-value\">Your {}</label><input type=\"text\" inputmode=\"decimal\" autocomplete=\"off\" id=\"{id}-value\" size=\"16\"><span>{unit}</span></div>",
                    if *predict { "prediction" } else { "answer" }
                );
                let _ = write!(
                    answer,
                    "<p><strong>{shown} {unit}</strong></p><div class=\"m-why\">{why}</div>"
                );
                if *predict { "Predict" } else { "Question" }
            }
        };
        // A form with this method is not sent anywhere, with or without a script.
        let _ = write!(
            self.out,
            "\n<form class=\"m-question\" id=\"{id}\" method=\"dialog\" {data}>\
             <fieldset aria-labelledby=\"{id}-label {id}-prompt\"><p class=\"m-label\" id=\"{id}-label\">{label}</p>\
             <div class=\"m-prompt\" id=\"{id}-prompt\">{prompt}</div>{fields}</fieldset>\
             <p class=\"m-actions\" hidden><button class=\"m-button\" type=\"submit\">Check</button></p>\
             <div class=\"m-feedback\" role=\"status\"></div>\
             <details class=\"m-answer\"><summary>Answer</summary>{answer}</details></form>\n\n"
        );
    }
}

/// The text up to and including each blank line, fences kept whole.
fn paragraphs(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut in_display = false;
    for (_, line, fenced) in prose::lines(text) {
        at += line.len();
        // A displayed formula may hold blank lines.
        if !fenced && line.matches("$$").count() % 2 == 1 {
            in_display = !in_display;
        }
        if !fenced && !in_display && line.trim().is_empty() {
            parts.push(&text[start..at]);
            start = at;
        }
    }
    if start < text.len() {
        parts.push(&text[start..]);
    }
    parts
}

fn place_formula(formula: &Formula, html: &str) -> String {
    match formula.block {
        Some(prefix) => {
            // A blank line ends the HTML, and what follows is Markdown again.
            format!(
                "{prefix}<div class=\"m-math\">{html}</div>\n{}",
                prefix.trim_end()
            )
        }
        None => html.to_owned(),
    }
}

/// Gives headings that hold a formula the id that their source gives: their HTML would make a strange one.
fn name_headings(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (_, line, fenced) in prose::lines(text) {
        match prose::heading(line) {
            Some((_, title, None)) if !fenced && title.contains('$') => {
                let _ = writeln!(out, "{} {{#{}}}", line.trim_end(), prose::id(title));
            }
            _ => out.push_str(line),
        }
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// HTML on one line, so that no blank line ends it; line breaks inside `<pre>` are kept as entities.
fn one_line(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html.trim();
    while let Some(start) = rest.find("<pre") {
        let end = rest[start..]
            .find("</pre>")
            .map_or(rest.len(), |n| start + n);
        out.push_str(&join_lines(&rest[..start]));
        out.push_str(&rest[start..end].replace('\n', "&#10;"));
        rest = &rest[end..];
    }
    out.push_str(&join_lines(rest));
    out
}

fn join_lines(html: &str) -> String {
    html.replace("\r\n", "\n").replace('\n', " ")
}

/// Prefixes the ids of a figure with the name of its cell: two figures of a page may use the same.
fn own_ids(svg: &str, cell: &str) -> String {
    let mut ids: Vec<&str> = svg
        .split(" id=\"")
        .skip(1)
        .filter_map(|s| s.split('"').next())
        .collect();
    ids.sort_by_key(|id| std::cmp::Reverse(id.len()));
    ids.dedup();
    let mut out = svg.to_owned();
    for id in &ids {
        let own = format!("{cell}-{id}");
        out = out
            .replace(&format!(" id=\"{id}\""), &format!(" id=\"{own}\""))
            .replace(&format!("url(#{id})"), &format!("url(#{own})"))
            .replace(&format!("href=\"#{id}\""), &format!("href=\"#{own}\""));
    }
    for attribute in [" aria-labelledby=\"", " aria-describedby=\""] {
        let mut done = String::with_capacity(out.len());
        let mut rest = out.as_str();
        while let Some(at) = rest.find(attribute) {
            let start = at + attribute.len();
            let length = rest[start..].find('"').unwrap_or(0);
            let names: Vec<String> = rest[start..start + length]
                .split(' ')
                .map(|id| {
                    if ids.contains(&id) {
                        format!("{cell}-{id}")
                    } else {
                        id.to_owned()
                    }
                })
                .collect();
            done.push_str(&rest[..start]);
            done.push_str(&names.join(" "));
            rest = &rest[start + length..];
        }
        done.push_str(rest);
        out = done;
    }
    out
}

/// Writes long lines of a figure as paths of small steps, which takes two thirds of the room.
fn short_lines(svg: &str) -> String {
    const LINE: &str = "<polyline ";
    const POINTS: &str = " points=\"";
    let mut out = String::with_capacity(svg.len());
    let mut rest = svg;
    while let Some((before, after)) = rest.split_once(LINE) {
        out.push_str(before);
        let (tag, behind) = after.split_at(after.find('>').unwrap_or(after.len()));
        let path = tag.split_once(POINTS).and_then(|(attributes, points)| {
            let (points, more) = points.split_once('"')?;
            Some(format!("<path {attributes} d=\"{}\"{more}", steps(points)?))
        });
        match path {
            Some(path) => out.push_str(&path),
            None => {
                let _ = write!(out, "{LINE}{tag}");
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// `10,20.5 11,20` as a path, `M10 20.5l1-.5`; nothing for less than four points or digits beyond tenths.
fn steps(points: &str) -> Option<String> {
    let tenths = |text: &str| -> Option<i64> {
        let value: f64 = text.parse().ok()?;
        let tenths = (value * 10.0).round();
        #[allow(clippy::cast_possible_truncation)]
        ((value * 10.0 - tenths).abs() < 1e-6 && tenths.abs() < 1e9).then_some(tenths as i64)
    };
    let number = |n: i64| {
        let sign = if n < 0 { "-" } else { "" };
        match (n.abs() / 10, n.abs() % 10) {
            (0, 0) => "0".to_owned(),
            (whole, 0) => format!("{sign}{whole}"),
            (0, part) => format!("{sign}.{part}"),
            (whole, part) => format!("{sign}{whole}.{part}"),
        }
    };
    let points: Vec<(i64, i64)> = points
        .split_whitespace()
        .map(|pair| {
            let (x, y) = pair.split_once(',')?;
            Some((tenths(x)?, tenths(y)?))
        })
        .collect::<Option<_>>()?;
    if points.len() < 4 {
        return None;
    }
    let mut out = format!("M{} {}l", number(points[0].0), number(points[0].1));
    for pair in points.windows(2) {
        for step in [pair[1].0 - pair[0].0, pair[1].1 - pair[0].1] {
            let text = number(step);
            if !out.ends_with('l') && !text.starts_with('-') {
                out.push(' ');
            }
            out.push_str(&text);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{one_line, own_ids, paragraphs, short_lines};

    #[test]
    fn a_long_line_becomes_small_steps_and_a_short_one_stays() {
        let short = r#"<polyline fill="none" points="0,1 2,3"/>"#;
        let long = r#"<polyline fill="none" style="s" points="10,20.5 11,20 11,20.1 9.5,0"/>"#;
        assert_eq!(
            short_lines(&format!("<svg>{short}{long}</svg>")),
            format!(
                "<svg>{short}<path fill=\"none\" style=\"s\" d=\"M10 20.5l1-.5 0 .1-1.5-20.1\"/></svg>"
            )
        );
        let other = r#"<polyline points="1,2 3,4.25 5,6 7,8"/>"#;
        assert_eq!(short_lines(other), other);
    }

    #[test]
    fn two_figures_do_not_share_ids() {
        let svg = r#"<svg role="img" aria-labelledby="title desc"><title id="title">t</title><desc id="desc">d</desc><clipPath id="c"/><g clip-path="url(#c)"/></svg>"#;
        let own = own_ids(svg, "ways");
        assert!(
            own.contains(r#"aria-labelledby="ways-title ways-desc""#)
                && own.contains(r#"<title id="ways-title">"#),
            "{own}"
        );
        assert!(
            own.contains("url(#ways-c)") && own.contains(r#"id="ways-c""#),
            "{own}"
        );
    }

    #[test]
    fn html_is_joined_and_preformatted_text_keeps_its_lines() {
        assert_eq!(
            one_line("<p>a\nb</p>\n\n<pre>x\n\ny</pre>\n"),
            "<p>a b</p>  <pre>x&#10;&#10;y</pre>"
        );
    }

    #[test]
    fn a_formula_with_a_blank_line_is_one_paragraph() {
        assert_eq!(paragraphs("a\n\nb\n$$\nx\n\ny\n$$\n\nc\n").len(), 3);
        assert_eq!(
            paragraphs("a\n\n```\nb\n\nc\n```\n").concat(),
            "a\n\n```\nb\n\nc\n```\n"
        );
    }
}
