//! A small course of one chapter, from its source to page, notebook and outputs.

use mdbook_preprocessor::book::{Book, BookItem, Chapter as BookChapter};
use mdbook_preprocessor::config::Config;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use moments_chapters::{Layout, notebook, outputs, page};
use std::fs;
use std::path::PathBuf;

const CHAPTER: &str = r#"# A small chapter

The root of two is {{= root | .3}}, and $x_1 * y_1 * z_1$ is not emphasis.

> [!NOTE]
> A note with $a < b$.

## First $\beta$ steps

```rust,cell,name=first
let values = vec![1.0_f64, 2.0];
fn double(x: f64) -> f64 {
    x * 2.0
}
println!("plain");
println!("root = {}", values[1].sqrt());
values.len()
```

See [there](#first-beta-steps) and [the lab](lab.md).

```rust,cell,name=second,fold
struct Picture;
impl Picture {
    fn evcxr_display(&self) {
        println!("EVCXR_BEGIN_CONTENT image/svg+xml\n<svg viewBox=\"0 0 1 1\"><title id=\"t\">dot</title></svg>\nEVCXR_END_CONTENT");
    }
}
let twice = double(values[0]);
Picture
```

```rust
{{#include ../../code.rs:shown}}
```

$$
\begin{aligned}
a &= b \\
- c &= \sqrt{d}

\end{aligned}
$$

```question
id = "root"
kind = "number"
prompt = "What is $\\sqrt 2$?"
answer = "{{= root}}"
tolerance = 1e-3
why = "Because `{{= root}}` squared is 2."
```

```question
id = "pick"
kind = "choice"
prompt = "Which?"
[[option]]
text = "This, $x$"
correct = true
why = "It is."
[[option]]
text = "That"
why = "It is not."
```

## References

None.
"#;

struct Course {
    layout: Layout,
}

impl Course {
    fn new(name: &str, chapter: &str) -> Self {
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&root);
        let course = Self {
            layout: Layout::at(&root),
        };
        course.put("Cargo.toml", "[workspace]\n");
        course.put("book/book.toml", "");
        course.put(
            "code.rs",
            "mod m {\n    // ANCHOR: shown\n    fn shown() {}\n    // ANCHOR_END: shown\n}\n",
        );
        course.put(
            "exercises/exercises.toml",
            "[[exercise]]\nid = \"ex07\"\nslug = \"ex07-adam\"\ntitle = \"Adam\"\nchapter = \"04-small\"\ndifficulty = 3\nminutes = 30\n",
        );
        course.put("book/src/lab.md", "# Lab\n");
        course.put("book/src/04-small.md", chapter);
        course
    }

    fn put(&self, path: &str, content: &str) {
        let path = self.layout.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn numbers(&self) {
        self.put(
            "book/outputs/04-small/numbers.toml",
            "root = \"1.4142135623730951\"\n",
        );
    }

    fn page(&self) -> Result<String, String> {
        let path = self.layout.source("04-small");
        let content = fs::read_to_string(path)
            .unwrap()
            .replace("{{#include ../../code.rs:shown}}", "    fn shown() {}");
        let chapter = BookChapter::new("Small", content, "04-small.md", Vec::new());
        let mut book = Book::new();
        book.push_item(chapter);
        let context = PreprocessorContext::new(
            self.layout.root().join("book"),
            Config::default(),
            "html".into(),
        );
        let book = page::Moments::new()
            .run(&context, book)
            .map_err(|e| e.to_string())?;
        match &book.items[0] {
            BookItem::Chapter(chapter) => Ok(chapter.content.clone()),
            _ => unreachable!("the book has one chapter"),
        }
    }

    fn notebook(&self) -> serde_json::Value {
        let chapter = self.layout.chapter("04-small").unwrap();
        serde_json::from_str(&notebook::render(&self.layout, &chapter).unwrap()).unwrap()
    }
}

impl Drop for Course {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.layout.root());
    }
}

fn ids(notebook: &serde_json::Value) -> Vec<String> {
    let cells = notebook["cells"].as_array().unwrap();
    cells
        .iter()
        .map(|c| c["id"].as_str().unwrap().to_owned())
        .collect()
}

fn text(notebook: &serde_json::Value, id: &str) -> String {
    let cells = notebook["cells"].as_array().unwrap();
    let cell = cells
        .iter()
        .find(|c| c["id"] == id)
        .unwrap_or_else(|| panic!("no cell {id}"));
    cell["source"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l.as_str().unwrap())
        .collect()
}

#[test]
fn cells_run_as_one_program_and_their_outputs_are_written_once() {
    let course = Course::new("run", CHAPTER);
    course.put(
        "book/outputs/04-small/gone.txt",
        "from a cell that is no more\n",
    );
    let changed = outputs::write(&course.layout, "04-small").unwrap();
    assert_eq!(changed.len(), 4, "{changed:?}");
    let read = |file: &str| fs::read_to_string(course.layout.outputs("04-small").join(file)).ok();
    assert_eq!(
        read("first.txt").unwrap(),
        format!("plain\nroot = {}\n2\n", 2.0_f64.sqrt())
    );
    assert!(read("second.svg").unwrap().starts_with("<svg"));
    assert_eq!(read("second.txt"), None);
    assert_eq!(read("gone.txt"), None);
    assert!(
        read("numbers.toml")
            .unwrap()
            .contains("root = \"1.4142135623730951\"")
    );
    assert_eq!(outputs::write(&course.layout, "04-small").unwrap().len(), 0);
    assert_eq!(outputs::check(&course.layout, "04-small").unwrap(), []);

    course.put("book/outputs/04-small/first.txt", "plain\nroot = 1.5\n2\n");
    let stale = outputs::check(&course.layout, "04-small").unwrap();
    assert_eq!(stale.len(), 1);
    let message = stale[0].to_string();
    assert!(
        message.starts_with(
            "book/outputs/04-small/first.txt is stale; run `cargo course outputs 04-small`"
        ),
        "{message}"
    );
    assert!(message.contains("-root = 1.5\n+root = 1.414"), "{message}");
}

#[test]
fn a_compile_error_and_a_panic_point_at_the_line_of_the_chapter() {
    let source = CHAPTER.replace(
        "let twice = double(values[0]);",
        "let twice = double(\"two\");",
    );
    let line = source.lines().position(|l| l.contains("\"two\"")).unwrap() + 1;
    let course = Course::new("broken", &source);
    let message = outputs::write(&course.layout, "04-small")
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with(&format!(
            "book/src/04-small.md:{line}: cell `second` does not compile"
        )),
        "{message}"
    );
    assert!(
        message.contains(&format!("book/src/04-small.md:{line}:"))
            && message.contains("mismatched types"),
        "{message}"
    );

    let source = CHAPTER.replace(
        "let twice = double(values[0]);",
        "let twice = double(values[7]);",
    );
    course.put("book/src/04-small.md", &source);
    let message = outputs::write(&course.layout, "04-small")
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with(&format!(
            "book/src/04-small.md:{line}: cell `second` failed"
        )),
        "{message}"
    );
    assert!(message.contains("index out of bounds"), "{message}");
}

#[test]
fn a_last_value_that_moves_a_variable_of_the_notebook_is_refused_and_a_clone_is_not() {
    let source = CHAPTER
        .replace("struct Picture;", "struct Picture(Vec<f64>);")
        .replace("\nPicture\n", "\nPicture(values)\n");
    let line = source.lines().position(|l| l == "Picture(values)").unwrap() + 1;
    let course = Course::new("moved", &source);
    let message = outputs::write(&course.layout, "04-small")
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with(&format!(
            "book/src/04-small.md:{line}: cell `second`: its last expression moves `values`"
        )) && message.contains("values.clone()"),
        "{message}"
    );
    course.put(
        "book/src/04-small.md",
        &source.replace("(values)", "(values.clone())"),
    );
    outputs::write(&course.layout, "04-small").unwrap();
}

#[test]
fn the_notebook_has_the_prose_and_cells_without_outputs() {
    let course = Course::new("notebook", CHAPTER);
    course.numbers();
    let notebook = course.notebook();
    assert_eq!(
        ids(&notebook),
        [
            "04-small-title",
            "04-small-section-first-beta-steps",
            "04-small-first",
            "04-small-after-first",
            "04-small-second",
            "04-small-after-second",
            "04-small-question-root",
            "04-small-question-pick",
            "04-small-section-exercises",
            "04-small-section-references",
        ]
    );
    let title = text(&notebook, "04-small-title");
    assert!(
        title.contains("The root of two is 1.414, and $x_1 * y_1 * z_1$"),
        "{title}"
    );
    assert!(
        title.contains("> **Note**\n>\n> A note with $a < b$."),
        "{title}"
    );
    let links = text(&notebook, "04-small-after-first");
    assert!(
        links.contains("[there](#First-\\beta-steps)")
            && links.contains("[the lab](../book/src/lab.md)"),
        "{links}"
    );
    let listing = text(&notebook, "04-small-after-second");
    assert!(listing.contains("```rust\nfn shown() {}\n```"), "{listing}");
    assert!(
        listing.contains("$$\n\\begin{aligned}\na &= b \\\\\n- c"),
        "{listing}"
    );
    let question = text(&notebook, "04-small-question-root");
    assert!(
        question.contains("<summary>Answer</summary>\n\n**1.4142135623730951**"),
        "{question}"
    );
    let cells = notebook["cells"].as_array().unwrap();
    assert!(
        cells
            .iter()
            .filter(|c| c["cell_type"] == "code")
            .all(|c| c["outputs"] == serde_json::json!([]) && c["execution_count"].is_null())
    );
    assert_eq!(notebook["metadata"]["kernelspec"]["name"], "moments");
    assert_eq!(
        (&notebook["nbformat"], &notebook["nbformat_minor"]),
        (&serde_json::json!(4), &serde_json::json!(5))
    );
}

#[test]
fn editing_a_paragraph_changes_one_cell_and_no_id() {
    let course = Course::new("stable", CHAPTER);
    course.numbers();
    let before = course.notebook();
    course.put(
        "book/src/04-small.md",
        &CHAPTER.replace("See [there]", "Now, as everybody can see, [there]"),
    );
    let after = course.notebook();
    assert_eq!(ids(&before), ids(&after));
    let pairs = before["cells"]
        .as_array()
        .unwrap()
        .iter()
        .zip(after["cells"].as_array().unwrap());
    assert_eq!(pairs.filter(|(a, b)| a != b).count(), 1);
}

#[test]
fn a_stale_notebook_is_reported_with_a_diff() {
    let course = Course::new("stale", CHAPTER);
    course.numbers();
    assert!(
        notebook::check(&course.layout, "04-small")
            .unwrap()
            .is_some()
    );
    assert!(notebook::write(&course.layout, "04-small").unwrap());
    assert!(!notebook::write(&course.layout, "04-small").unwrap());
    assert_eq!(notebook::check(&course.layout, "04-small").unwrap(), None);
    course.put(
        "book/src/04-small.md",
        &CHAPTER.replace("x * 2.0", "2.0 * x"),
    );
    let stale = notebook::check(&course.layout, "04-small")
        .unwrap()
        .unwrap()
        .to_string();
    assert!(
        stale.contains("-    \"    x * 2.0\\n\"") && stale.contains("+    \"    2.0 * x\\n\""),
        "{stale}"
    );
}

#[test]
fn the_page_shows_formulas_outputs_questions_and_exercises_without_a_script() {
    let course = Course::new("page", CHAPTER);
    course.numbers();
    course.put("book/outputs/04-small/first.txt", "a < b\n\nlast\n");
    course.put(
        "book/outputs/04-small/second.svg",
        "<svg viewBox=\"0 0 1 1\">\n<title id=\"t\">dot</title>\n</svg>\n",
    );
    course.put("notebooks/04-small.ipynb", "{}");
    let page = course.page().unwrap();
    assert!(
        page.contains("The root of two is 1.414,") && page.contains("<math>"),
        "{page}"
    );
    assert!(
        page.contains("## First $") || page.contains("{#first-beta-steps}"),
        "{page}"
    );
    assert!(!page.contains("$$") && !page.contains("{{="), "{page}");
    assert!(page.contains("a &lt; b&#10;&#10;last"), "{page}");
    assert!(
        page.contains("<title id=\"second-t\">dot</title>"),
        "{page}"
    );
    assert!(page.contains("<details class=\"m-fold\">"), "{page}");
    assert!(page.contains("```rust,noplayground\nlet values"), "{page}");
    assert!(page.contains("```rust\nfn shown() {}\n```"), "{page}");
    assert!(
        page.contains("data-answer=\"1.4142135623730951e0\" data-within=\"1e-3\""),
        "{page}"
    );
    assert!(
        page.contains("<li data-option=\"1\"><strong>Wrong.</strong>"),
        "{page}"
    );
    assert!(
        page.contains("href=\"lab.html?nb=04-small\"")
            && page.contains("href=\"notebooks/04-small.ipynb\" download"),
        "{page}"
    );
    assert!(page.find("## Exercises").unwrap() < page.find("## References").unwrap());
    assert!(page.contains("`cargo course test ex07`"), "{page}");
    assert!(
        course
            .layout
            .root()
            .join("book/src/notebooks/04-small.ipynb")
            .is_file()
    );
}

#[test]
fn an_unknown_number_and_a_broken_formula_are_named_with_their_lines_in_the_source() {
    let source = CHAPTER.replace("and [the lab](lab.md).", "and {{= rot}}.\n\n$\\frac{1}$");
    let course = Course::new("unknown", &source);
    course.numbers();
    let message = course.page().unwrap_err();
    let line = |what: &str| source.lines().position(|l| l.contains(what)).unwrap() + 1;
    assert!(
        message.contains(&format!(
            "book/src/04-small.md:{}: no cell prints a number `rot`",
            line("{{= rot")
        )),
        "{message}"
    );
    assert!(
        message.contains(&format!(
            "book/src/04-small.md:{}: the formula `\\frac{{1}}`",
            line("\\frac")
        )),
        "{message}"
    );
}
