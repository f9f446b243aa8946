use crate::error::Problem;
use crate::question::{self, Question};
use crate::teaching::Teaching;
use crate::{Error, span};
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use syn::parse::Parser as _;
use syn::spanned::Spanned as _;
use syn::visit::Visit;

/// A chapter: one Markdown file, read into blocks.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// The file's stem, `04-adam`: the name of the page, the notebook and the directory of outputs.
    pub slug: String,
    /// The text of the first line's heading.
    pub title: String,
    /// Prose, cells, listings and questions, in order.
    pub blocks: Vec<Block>,
    /// The file, as errors name it.
    pub path: PathBuf,
}

/// A piece of a chapter.
#[derive(Debug, Clone)]
pub struct Block {
    /// The line, counted from 1, on which it starts.
    pub line: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a block is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Markdown, with code blocks that are neither cells nor listings.
    Prose(String),
    /// Code that is run.
    Cell(Cell),
    /// Rust code that is shown and not run: the fenced block as written.
    Listing(String),
    /// A question to the reader.
    Question(Question),
    /// A table of how long things take.
    Teaching(Teaching),
}

/// A piece of the chapter's program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its name, unique in the chapter.
    pub name: String,
    /// The line of the chapter on which its code starts.
    pub line: usize,
    /// The code, without the fences.
    pub code: String,
    /// Whether the page folds the code away.
    pub fold: bool,
    /// Where in `code` the value stands that the cell shows.
    pub(crate) value: Option<Range<usize>>,
    /// The variables that the kernel keeps from this cell on.
    pub(crate) kept: Vec<String>,
    /// The names that stand in that value, except those that it binds itself.
    pub(crate) named: Vec<String>,
}

impl Chapter {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, and as [`Chapter::parse_str`].
    pub fn parse(path: &Path) -> Result<Self, Error> {
        let source =
            fs::read_to_string(path).map_err(|e| Error::io(path, "read the chapter", &e))?;
        Self::parse_str(path, &source)
    }

    /// Reads a chapter's text; `path` gives the slug and names the file in errors.
    ///
    /// # Errors
    /// All that is wrong at once: no title, a cell without a name or with one that is taken, code that does not parse, `?`
    /// outside a function, an incomplete question, a fence or a formula that does not close.
    pub fn parse_str(path: &Path, source: &str) -> Result<Self, Error> {
        // A clone on Windows may have other line ends; what is made from the chapter has not.
        let source = source.replace("\r\n", "\n");
        let mut reader = Reader::new(path);
        let title = reader.title(&source);
        reader.blocks(&source);
        reader.unique_names();
        Error::check(reader.problems)?;
        let slug = path
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Self {
            slug,
            title,
            blocks: reader.blocks,
            path: path.to_path_buf(),
        })
    }

    /// The cells, in order.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.blocks.iter().filter_map(|block| match &block.kind {
            Kind::Cell(cell) => Some(cell),
            _ => None,
        })
    }

    /// Whether a cell uses `nalgebra`, which only a kernel of its own offers: it would slow the start of the other.
    pub fn needs_nalgebra(&self) -> bool {
        self.cells().any(|cell| cell.code.contains("nalgebra"))
    }

    /// The questions, in order.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.blocks.iter().filter_map(|block| match &block.kind {
            Kind::Question(question) => Some(question),
            _ => None,
        })
    }
}

struct Reader<'a> {
    path: &'a Path,
    blocks: Vec<Block>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path) -> Self {
        Self {
            path,
            blocks: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn problem(&mut self, line: usize, message: impl Into<String>) {
        self.problems.push(Problem {
            path: self.path.to_path_buf(),
            line: Some(line),
            message: message.into(),
        });
    }

    fn title(&mut self, source: &str) -> String {
        let first = source.lines().next().unwrap_or_default();
        let title = first.strip_prefix("# ").unwrap_or_default().trim();
        if title.is_empty() {
            self.problem(
                1,
                "a chapter begins with its title: `# Title` on the first line",
            );
        }
        title.to_owned()
    }

    fn blocks(&mut self, source: &str) {
        let lines: Vec<&str> = source.split_inclusive('\n').collect();
        let mut prose = String::new();
        let mut prose_line = 1;
        let mut i = 0;
        while i < lines.len() {
            let Some((mark, length, info)) = span::fence(lines[i]) else {
                if i > 0 && lines[i].starts_with("# ") {
                    self.problem(i + 1, "a second title: sections begin with `## `");
                }
                if prose.is_empty() {
                    prose_line = i + 1;
                }
                prose.push_str(lines[i]);
                i += 1;
                continue;
            };
            let open = i;
            let close = (open + 1..lines.len()).find(|&n| span::closes(lines[n], mark, length));
            let Some(close) = close else {
                self.problem(open + 1, "this code fence is not closed");
                break;
            };
            i = close + 1;
            let language: Vec<&str> = info.split(',').map(str::trim).collect();
            let at_margin = lines[open].starts_with(mark);
            let teaching = matches!(language[0], "timing" | "plan");
            let special = language[0] == "question" || language.contains(&"cell");
            if special && !at_margin {
                self.problem(
                    open + 1,
                    "a cell or a question starts at the margin, outside lists and quotations",
                );
            }
            let whole = lines[open..=close].concat();
            if !at_margin || !(special || teaching || language[0] == "rust") {
                if prose.is_empty() {
                    prose_line = open + 1;
                }
                prose.push_str(&whole);
                continue;
            }
            self.prose(prose_line, std::mem::take(&mut prose));
            let body = lines[open + 1..close].concat();
            if language[0] == "question" {
                match question::parse(&body, open + 1) {
                    Ok(question) => self.push(open + 1, Kind::Question(question)),
                    Err(found) => {
                        for (line, message) in found {
                            self.problem(line, message);
                        }
                    }
                }
            } else if teaching {
                let timing = language[0] == "timing";
                let table = if timing {
                    Teaching::Timing
                } else {
                    Teaching::Plan(body)
                };
                self.push(open + 1, Kind::Teaching(table));
            } else if special {
                self.cell(open + 1, &language, body);
            } else {
                self.push(open + 1, Kind::Listing(whole));
            }
        }
        self.prose(prose_line, prose);
    }

    fn push(&mut self, line: usize, kind: Kind) {
        self.blocks.push(Block { line, kind });
    }

    fn prose(&mut self, line: usize, text: String) {
        if text.trim().is_empty() {
            return;
        }
        if let Err(found) = span::scan(&text) {
            for unclosed in found {
                self.problem(line + unclosed.line - 1, unclosed.message);
            }
        }
        self.push(line, Kind::Prose(text));
    }

    fn cell(&mut self, line: usize, info: &[&str], code: String) {
        let mut name = None;
        let mut fold = false;
        if info[0] != "rust" {
            self.problem(line, "a cell's fence begins with `rust,cell`");
        }
        for word in info.iter().skip(1) {
            match word.split_once('=') {
                Some(("name", value)) => name = Some(value.to_owned()),
                None if *word == "cell" => {}
                None if *word == "fold" => fold = true,
                _ => self.problem(
                    line,
                    format!("a cell has no attribute `{word}`: it has `name=...` and `fold`"),
                ),
            }
        }
        let name = name.unwrap_or_default();
        if name.is_empty() {
            self.problem(
                line,
                "a cell has a name: ```` ```rust,cell,name=worked-trace ````",
            );
        } else if !is_kebab(&name) {
            self.problem(
                line,
                format!(
                    "the cell's name `{name}` should be kebab-case: small letters, digits, hyphens"
                ),
            );
        }
        match read_code(&code) {
            Ok(read) => {
                let cell = Cell {
                    name,
                    line: line + 1,
                    code,
                    fold,
                    value: read.value,
                    kept: read.kept,
                    named: read.named,
                };
                self.push(line, Kind::Cell(cell));
            }
            Err(found) => {
                for (offset, message) in found {
                    self.problem(line + offset, format!("cell `{name}`: {message}"));
                }
            }
        }
    }

    fn unique_names(&mut self) {
        let mut seen = HashSet::new();
        let mut taken = Vec::new();
        for block in &self.blocks {
            let (what, name) = match &block.kind {
                Kind::Cell(cell) => ("cell", &cell.name),
                Kind::Question(question) => ("question", &question.id),
                _ => continue,
            };
            if !name.is_empty() && !seen.insert((what, name)) {
                taken.push((
                    block.line,
                    format!("there is a {what} `{name}` above; names are unique in a chapter"),
                ));
            }
        }
        for (line, message) in taken {
            self.problem(line, message);
        }
    }
}

pub(crate) fn is_kebab(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// What is read off a cell's code.
struct Read {
    value: Option<Range<usize>>,
    kept: Vec<String>,
    named: Vec<String>,
}

/// Parses a cell's code and finds the value that it shows. Errors carry the line within the code, counted from 1.
fn read_code(code: &str) -> Result<Read, Vec<(usize, String)>> {
    let statements = syn::Block::parse_within
        .parse_str(code)
        .map_err(|e| vec![(e.span().start().line, format!("this is not Rust: {e}"))])?;
    let mut finder = Questions::default();
    for statement in &statements {
        finder.visit_stmt(statement);
    }
    if !finder.lines.is_empty() {
        let message = "no `?` outside a function: a cell that fails this way passes for one that succeeds; use `.unwrap()`";
        return Err(finder
            .lines
            .into_iter()
            .map(|line| (line, message.to_owned()))
            .collect());
    }
    let kept: Vec<usize> = statements.iter().filter_map(closure).collect();
    if !kept.is_empty() {
        let message = "the kernel cannot keep a closure from cell to cell: write a function, or put it in a block";
        return Err(kept
            .into_iter()
            .map(|line| (line, message.to_owned()))
            .collect());
    }
    let mut bound = Names::default();
    for statement in &statements {
        if let syn::Stmt::Local(local) = statement {
            bound.visit_pat(&local.pat);
        }
    }
    let mut names = Names::default();
    let value = match statements.last() {
        Some(syn::Stmt::Expr(value, None)) => {
            names.visit_expr(value);
            Some(value.span().byte_range())
        }
        Some(syn::Stmt::Macro(value)) if value.semi_token.is_none() => {
            names.visit_macro(&value.mac);
            Some(value.span().byte_range())
        }
        _ => None,
    };
    names.mentioned.retain(|name| !names.bound.contains(name));
    Ok(Read {
        value,
        kept: bound.bound.into_iter().collect(),
        named: names.mentioned.into_iter().collect(),
    })
}

/// The variables that a piece of code binds, and the names that it mentions.
#[derive(Default)]
struct Names {
    bound: BTreeSet<String>,
    mentioned: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, node: &'ast syn::PatIdent) {
        self.bound.insert(node.ident.to_string());
        syn::visit::visit_pat_ident(self, node);
    }

    fn visit_expr_path(&mut self, node: &'ast syn::ExprPath) {
        if let Some(name) = node.path.get_ident() {
            self.mentioned.insert(name.to_string());
        }
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        let text = node.tokens.to_string();
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        self.mentioned.extend(words.map(str::to_owned));
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// The line of a `let` that binds a closure.
fn closure(statement: &syn::Stmt) -> Option<usize> {
    let syn::Stmt::Local(local) = statement else {
        return None;
    };
    let init = local.init.as_ref()?;
    matches!(*init.expr, syn::Expr::Closure(_)).then(|| local.let_token.span.start().line)
}

/// Finds `?` outside functions and closures.
#[derive(Default)]
struct Questions {
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for Questions {
    fn visit_expr_try(&mut self, node: &'ast syn::ExprTry) {
        self.lines.push(node.question_token.span.start().line);
        syn::visit::visit_expr_try(self, node);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}

    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}
}

#[cfg(test)]
mod tests {
    use super::{Chapter, Kind};
    use std::path::Path;

    fn parse(source: &str) -> Result<Chapter, String> {
        Chapter::parse_str(Path::new("book/src/99-test.md"), source).map_err(|e| e.to_string())
    }

    #[test]
    fn a_chapter_is_prose_cells_listings_and_questions() {
        let chapter = parse(
            "# Title\n\nProse with $x$.\n\n```bash\nls\n```\n\n```rust,cell,name=first-cell,fold\nlet é = 2; // é\né + 1 // shown\n```\n\n\
             ```rust\n{{#include a.rs:b}}\n```\n\n```question\nid = \"q\"\nkind = \"number\"\nprompt = \"?\"\nanswer = \"1\"\n\
             tolerance = 0.1\nwhy = \"w\"\n```\n",
        )
        .unwrap();
        assert_eq!(
            (chapter.slug.as_str(), chapter.title.as_str()),
            ("99-test", "Title")
        );
        let kinds: Vec<_> = chapter
            .blocks
            .iter()
            .map(|b| match &b.kind {
                Kind::Prose(_) => "prose",
                Kind::Cell(_) => "cell",
                Kind::Listing(_) => "listing",
                Kind::Question(_) => "question",
                Kind::Teaching(_) => "teaching",
            })
            .collect();
        assert_eq!(kinds, ["prose", "cell", "listing", "question"]);
        let cell = chapter.cells().next().unwrap();
        assert_eq!(
            (cell.name.as_str(), cell.line, cell.fold),
            ("first-cell", 10, true)
        );
        assert_eq!(&cell.code[cell.value.clone().unwrap()], "é + 1");
    }

    #[test]
    fn only_an_expression_at_the_end_is_a_value() {
        for (code, value) in [
            ("let x = 1;", None),
            ("1 + 1", Some("1 + 1")),
            ("vec![1]", Some("vec![1]")),
            ("fn f() {}", None),
            ("let x = 1;\nx;", None),
            ("if true { 1 } else { 2 }", Some("if true { 1 } else { 2 }")),
        ] {
            let chapter = parse(&format!("# T\n```rust,cell,name=a\n{code}\n```\n")).unwrap();
            let cell = chapter.cells().next().unwrap();
            assert_eq!(cell.value.clone().map(|r| &cell.code[r]), value, "{code}");
        }
    }

    #[test]
    fn a_closure_that_the_kernel_would_have_to_keep_is_named() {
        let cell = |code: &str| parse(&format!("# T\n\n```rust,cell,name=a\n{code}\n```\n"));
        let message = cell("let k = 2.0;\nlet twice = |x: f64| k * x;").unwrap_err();
        assert!(
            message.contains("99-test.md:5: cell `a`: the kernel cannot keep a closure"),
            "{message}"
        );
        assert!(cell("{ let twice = |x: f64| 2.0 * x; }").is_ok());
        assert!(cell("let two = [1.0].map(|x: f64| 2.0 * x);").is_ok());
    }

    #[test]
    fn every_problem_is_named_with_its_line() {
        let message = parse(
            "No title\n```rust,cell\n1\n```\n```rust,cell,name=Bad\n1\n```\n```rust,cell,name=a\nlet x = f()?;\nfn g() -> Option<u8> { h()? }\n```\n\
             ```rust,cell,name=b\nlet = 3;\n```\n```rust,cell,name=c\n1\n```\n```rust,cell,name=c\n2\n```\nA $x\n\n- list\n  ```rust,cell,name=d\n  1\n  ```\n",
        )
        .unwrap_err();
        let starts: Vec<&str> = message
            .lines()
            .map(|l| l.split(": ").next().unwrap())
            .collect();
        let lines: Vec<usize> = starts
            .iter()
            .map(|s| s.rsplit(':').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(lines, [1, 2, 5, 9, 13, 24, 21, 18], "{message}");
        assert!(
            message.contains("book/src/99-test.md:9: cell `a`: no `?` outside a function"),
            "{message}"
        );
    }
}
