use crate::{Chapter, Error};
use std::fs;
use std::path::{Path, PathBuf};

/// Where a clone of the course keeps its chapters, notebooks and outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The clone whose root is `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The clone that `start` lies in: the nearest directory above it with a `Cargo.toml` and a `book/book.toml`.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(start: &Path) -> Result<Self, Error> {
        start
            .ancestors()
            .find(|dir| dir.join("book/book.toml").is_file() && dir.join("Cargo.toml").is_file())
            .map(Self::at)
            .ok_or_else(|| {
                Error::at(start, None, "not inside a clone of the course (no book/book.toml here or above): change into the clone first")
            })
    }

    /// The root of the clone.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The chapter's source, `book/src/<slug>.md`.
    pub fn source(&self, slug: &str) -> PathBuf {
        self.root.join("book/src").join(format!("{slug}.md"))
    }

    /// The chapter's notebook, `notebooks/<slug>.ipynb`.
    pub fn notebook(&self, slug: &str) -> PathBuf {
        self.root.join("notebooks").join(format!("{slug}.ipynb"))
    }

    /// The directory of the chapter's outputs, `book/outputs/<slug>`.
    pub fn outputs(&self, slug: &str) -> PathBuf {
        self.root.join("book/outputs").join(slug)
    }

    /// `path` as seen from the root, with forward slashes on every system; unchanged when it lies elsewhere.
    pub fn relative(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.root) {
            Ok(inside) => PathBuf::from(inside.to_string_lossy().replace('\\', "/")),
            Err(_) => path.to_path_buf(),
        }
    }

    /// Every chapter: the slugs of the files `book/src/NN-*.md`, in order.
    ///
    /// # Errors
    /// When `book/src` cannot be read.
    pub fn slugs(&self) -> Result<Vec<String>, Error> {
        let dir = self.root.join("book/src");
        let entries = fs::read_dir(&dir).map_err(|e| Error::io(&dir, "list the chapters", &e))?;
        let mut slugs = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| Error::io(&dir, "list the chapters", &e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(slug) = name.strip_suffix(".md")
                && is_slug(slug)
            {
                slugs.push(slug.to_owned());
            }
        }
        slugs.sort();
        Ok(slugs)
    }

    /// The chapters that a user asked for, in the book's order; all of them when nothing was asked for.
    /// A chapter may be named by its slug (`04-adam`), its number (`4`, `04`) or its name (`adam`).
    ///
    /// # Errors
    /// When a name fits no chapter; the message lists those that exist.
    pub fn select(&self, names: &[String]) -> Result<Vec<String>, Error> {
        let all = self.slugs()?;
        if names.is_empty() {
            return Ok(all);
        }
        let mut chosen = Vec::new();
        for name in names {
            let found = all.iter().find(|slug| {
                let (number, rest) = slug.split_at(2);
                *slug == name
                    || number == name
                    || number.trim_start_matches('0') == name
                    || rest.trim_start_matches('-') == name
            });
            let Some(slug) = found else {
                let message = format!("no chapter `{name}`; there are: {}", all.join(", "));
                return Err(Error::at(Path::new("book/src"), None, message));
            };
            if !chosen.contains(slug) {
                chosen.push(slug.clone());
            }
        }
        chosen.sort();
        Ok(chosen)
    }

    /// Reads a chapter.
    ///
    /// # Errors
    /// When the file cannot be read, and with everything that [`Chapter::parse_str`] objects to.
    pub fn chapter(&self, slug: &str) -> Result<Chapter, Error> {
        let path = self.source(slug);
        let name = self.relative(&path);
        let source =
            fs::read_to_string(&path).map_err(|e| Error::io(&name, "read the chapter", &e))?;
        Chapter::parse_str(&name, &source)
    }
}

/// Whether a file stem is a chapter's slug: two digits, a hyphen, a name.
pub(crate) fn is_slug(stem: &str) -> bool {
    let bytes = stem.as_bytes();
    bytes.len() > 3 && bytes[0].is_ascii_digit() && bytes[1].is_ascii_digit() && bytes[2] == b'-'
}
