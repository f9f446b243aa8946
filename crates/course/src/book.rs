//! Building the book in this process, and noticing when it must be built again.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

use anyhow::{Result, bail};
use mdbook_driver::MDBook;
use moments_chapters::page;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Builds the book into `to`.
pub(crate) fn build(root: &Path, to: &Path) -> Result<()> {
    Complaints::listen();
    Complaints::take();
    let mut book = MDBook::load(root.join("book"))?;
    to.clone_into(&mut book.config.build.build_dir);
    // It has the name that book.toml gives to the command, and so takes the command's place: no cargo runs inside cargo.
    book.with_preprocessor(page::Moments::new());
    book.build()?;
    let complaints = Complaints::take();
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

/// What mdBook complains about while it goes on: an `{{#include}}` of a missing file is a line in its log and a gap in the
/// page. Here it is an error.
struct Complaints;

static COMPLAINTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Complaints {
    fn listen() {
        // It fails when somebody listens already, which is this function at an earlier build.
        let _ = tracing::subscriber::set_global_default(Self);
    }

    fn take() -> Vec<String> {
        COMPLAINTS
            .lock()
            .map(|mut list| std::mem::take(&mut *list))
            .unwrap_or_default()
    }
}

impl Subscriber for Complaints {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN && metadata.target().starts_with("mdbook")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        if let Ok(mut list) = COMPLAINTS.lock() {
            list.push(message.0);
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The state of everything that a page is made from: two are equal as long as no file has been touched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Snapshot(Vec<(PathBuf, u64, u128)>);

impl Snapshot {
    /// Looks at the files. The sources of the crates count, because chapters include listings from them.
    pub(crate) fn take(root: &Path) -> Self {
        let mut files = Vec::new();
        for folder in ["book", "notebooks", "crates"] {
            visit(&root.join(folder), &mut files);
        }
        visit(&root.join("exercises/exercises.toml"), &mut files);
        files.sort();
        Self(files)
    }
}

fn visit(path: &Path, files: &mut Vec<(PathBuf, u64, u128)>) {
    let Ok(data) = fs::metadata(path) else { return };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if data.is_dir() {
        // What the build itself writes (book/book, book/src/notebooks) must not start the next build.
        let written = path.ends_with("book/book") || path.ends_with("book/src/notebooks");
        if written || name == "target" || (name.starts_with('.') && name != ".") {
            return;
        }
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            visit(&entry.path(), files);
        }
    } else {
        let changed = data
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |time| time.as_nanos());
        files.push((path.to_owned(), data.len(), changed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_changes_with_a_chapter_and_not_with_what_a_build_writes() {
        let root = std::env::temp_dir().join(format!("moments-snapshot-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("book/src/04-adam.md", "one");
        let first = Snapshot::take(&root);
        write("book/book/index.html", "page");
        write("book/src/notebooks/04-adam.ipynb", "copy");
        write("crates/moments/target/x", "x");
        assert_eq!(Snapshot::take(&root), first);
        for (name, text) in [
            ("book/src/04-adam.md", "one more"),
            ("crates/moments/src/adam.rs", "fn"),
            ("exercises/exercises.toml", "x"),
        ] {
            let before = Snapshot::take(&root);
            write(name, text);
            assert_ne!(Snapshot::take(&root), before, "{name}");
        }
        fs::remove_dir_all(root).unwrap();
    }
}
