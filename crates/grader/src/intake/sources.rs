//! Where the files that count are in what was handed in, and what is wrong with them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};

use super::names::{self, Ending};
use super::{Files, MAX_DEPTH, MAX_ENTRIES, MAX_FILE, MAX_FILES, MAX_SOURCES, MAX_UNPACKED};

/// What was handed in, as far as it matters: a folder, or an archive that looks like one. A path has `/` between its parts; the top is "".
pub(super) trait Tree {
    /// The entries of a folder, sorted by name; a name that is not UTF-8 is escaped and contains a backslash.
    /// Empty if there is no such folder, or a link in its place.
    fn list(&self, folder: &str) -> Result<Vec<(String, Kind)>, Stop>;

    /// The bytes of a file, and no more than a byte beyond [`MAX_FILE`].
    fn read(&self, file: &str) -> Result<Vec<u8>, Stop>;

    /// What is at a path: nothing if a link stands on the way.
    fn kind(&self, path: &str) -> Result<Option<Kind>, Stop> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let entries = self.list(folder)?;
        Ok(entries
            .into_iter()
            .find_map(|(entry, kind)| (entry == name).then_some(kind)))
    }
}

/// What an entry is. Nothing but a file and a folder is ever opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    HardLink,
    Special,
}

impl Kind {
    /// It completes "this is".
    pub(super) fn is(self) -> &'static str {
        match self {
            Self::File => "a file",
            Self::Folder => "a folder",
            Self::Link => "a symbolic link",
            Self::HardLink => "a hard link",
            Self::Special => "a pipe, a socket or a device",
        }
    }
}

/// Why reading ends.
#[derive(Debug)]
pub(super) enum Stop {
    /// It cannot be graded: a sentence for the student.
    Refused(String),
    /// This machine cannot read it.
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn refuse<T>(why: String) -> Result<T, Stop> {
    Err(Stop::Refused(why))
}

/// A lone file: a folder with nothing but `lib.rs`, whatever the file is called.
pub(super) struct Lone(pub(super) File);

impl Tree for Lone {
    fn list(&self, folder: &str) -> Result<Vec<(String, Kind)>, Stop> {
        let lib = folder.is_empty().then(|| ("lib.rs".to_owned(), Kind::File));
        Ok(lib.into_iter().collect())
    }

    fn read(&self, _: &str) -> Result<Vec<u8>, Stop> {
        Ok(capped(&self.0)?)
    }
}

/// At most a byte more than is allowed.
pub(super) fn capped(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a tree looks like.
pub(super) enum Shape {
    /// It has many exercises, each in a folder of the name of its slug below `base`.
    Clone { base: String },
    /// It is one exercise: `base` has `src` or `lib.rs`.
    Crate { base: String },
    /// It has one `.rs` file.
    One { path: String },
    /// It has nothing that can be graded.
    None,
}

/// What a tree looks like at its top, or in the one folder that it has.
pub(super) fn shape(tree: &dyn Tree, slugs: &[String]) -> Result<Shape, Stop> {
    let mut base = String::new();
    // One folder around everything is usual; around that, one of the learning platform.
    for _ in 0..3 {
        if let Some(shape) = shape_at(tree, &base, slugs)? {
            return Ok(shape);
        }
        let mut entries = visible(tree, &base)?;
        let rust: Vec<&String> = entries
            .iter()
            .filter(|(name, kind)| {
                *kind == Kind::File && Ending::of(name) == Ending::Rust && name != "build.rs"
            })
            .map(|(name, _)| name)
            .collect();
        match rust[..] {
            [] => {}
            [one] => {
                let path = join(&base, one);
                return Ok(Shape::One { path });
            }
            _ => return Ok(Shape::None),
        }
        entries.retain(|(_, kind)| *kind == Kind::Folder);
        let [(folder, _)] = &entries[..] else {
            break;
        };
        base = join(&base, folder);
    }
    Ok(Shape::None)
}

/// What a folder looks like by itself.
pub(super) fn shape_at(
    tree: &dyn Tree,
    base: &str,
    slugs: &[String],
) -> Result<Option<Shape>, Stop> {
    let entries = visible(tree, base)?;
    let has = |name: &str| entries.iter().any(|(entry, _)| entry == name);
    if has("exercises") {
        let below = join(base, "exercises");
        let inside = tree.list(&below)?;
        if slugs
            .iter()
            .any(|slug| inside.iter().any(|(name, _)| name == slug))
        {
            return Ok(Some(Shape::Clone { base: below }));
        }
    }
    for slug in slugs.iter().filter(|slug| has(slug)) {
        let inside = tree.list(&join(base, slug))?;
        if inside
            .iter()
            .any(|(name, _)| name == "src" || name == "lib.rs")
        {
            return Ok(Some(Shape::Clone {
                base: base.to_owned(),
            }));
        }
    }
    Ok((has("src") || has("lib.rs")).then(|| Shape::Crate {
        base: base.to_owned(),
    }))
}

/// The one archive that a folder holds, if it holds nothing else.
pub(super) fn packed(tree: &dyn Tree) -> Result<Option<String>, Stop> {
    Ok(match &visible(tree, "")?[..] {
        [(name, Kind::File)]
            if matches!(Ending::of(name), Ending::Archive | Ending::OtherArchive(_)) =>
        {
            Some(name.clone())
        }
        _ => None,
    })
}

fn visible(tree: &dyn Tree, folder: &str) -> Result<Vec<(String, Kind)>, Stop> {
    let mut entries = tree.list(folder)?;
    entries.retain(|(name, _)| !names::is_clutter(name));
    Ok(entries)
}

/// Whether a clone has anything of an exercise.
pub(super) fn has(tree: &dyn Tree, slugs: &[String], slug: &str) -> Result<bool, Stop> {
    match shape(tree, slugs)? {
        Shape::Clone { base } => Ok(tree.kind(&join(&base, slug))?.is_some()),
        _ => Ok(false),
    }
}

/// The files of an exercise that count.
pub(super) fn of(tree: &dyn Tree, slugs: &[String], slug: &str) -> Result<Files, Stop> {
    let (base, shown) = match shape(tree, slugs)? {
        Shape::Clone { base } => {
            let path = join(&base, slug);
            match tree.kind(&path)? {
                Some(Kind::Folder) => {}
                Some(kind) => {
                    return refuse(format!(
                        "`{slug}` is {}. Hand in the folder itself.",
                        kind.is()
                    ));
                }
                None => {
                    return refuse(format!(
                        "There is no folder `{slug}`. Hand in {slug}/src/lib.rs."
                    ));
                }
            }
            (path, format!("{slug}/"))
        }
        Shape::Crate { base } => (base, String::new()),
        Shape::One { path } => {
            let mut reader = Reader::new(tree);
            reader.file(&path, "lib.rs", "lib.rs")?;
            return reader.finish("lib.rs");
        }
        Shape::None => return refuse(missing(&every_name(tree)?)),
    };
    let mut reader = Reader::new(tree);
    let src = join(&base, "src");
    let beside = tree.kind(&join(&base, "lib.rs"))?.is_some();
    match tree.kind(&src)? {
        Some(Kind::Folder) => {
            if !(beside && tree.kind(&join(&src, "lib.rs"))?.is_none()) {
                reader.walk(&src, &format!("{shown}src/"))?;
                return reader.finish(&format!("{shown}src/lib.rs"));
            }
        }
        Some(kind) => {
            return refuse(format!(
                "`{shown}src` is {}. Hand in a folder `src` with the files themselves.",
                kind.is()
            ));
        }
        None if beside => {}
        None => return refuse(format!("There is no {shown}src/lib.rs. Hand it in.")),
    }
    reader.flat(&base, &shown)?;
    reader.finish(&format!("{shown}lib.rs"))
}

/// The names at the top, for the message that there is nothing to grade.
fn every_name(tree: &dyn Tree) -> Result<Vec<String>, Stop> {
    Ok(visible(tree, "")?
        .into_iter()
        .map(|(name, _)| name)
        .collect())
}

fn missing(names: &[String]) -> String {
    let rust: Vec<&String> = names
        .iter()
        .filter(|name| Ending::of(name) == Ending::Rust)
        .collect();
    match &rust[..] {
        [] => "There is no src/lib.rs in it. Hand in src/lib.rs, or lib.rs alone.".to_owned(),
        several => format!(
            "There is no src/lib.rs in it, but {} .rs files, among them `{}`. Name the one that counts lib.rs.",
            several.len(),
            names::shown(several[0])
        ),
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// The files that have been read so far.
struct Reader<'a> {
    tree: &'a dyn Tree,
    sources: Vec<(String, String)>,
    bytes: usize,
    /// How each path reads without its case: two that differ in nothing else are one file on some systems.
    seen: BTreeMap<String, String>,
}

impl<'a> Reader<'a> {
    fn new(tree: &'a dyn Tree) -> Self {
        Self {
            tree,
            sources: Vec::new(),
            bytes: 0,
            seen: BTreeMap::new(),
        }
    }

    /// Reads the `.rs` files beside `lib.rs`.
    fn flat(&mut self, base: &str, shown: &str) -> Result<(), Stop> {
        for (name, kind) in self.tree.list(base)? {
            let counts = Ending::of(&name) == Ending::Rust
                && name != "build.rs"
                && !names::is_clutter(&name);
            if counts && kind != Kind::Folder {
                self.entry(&join(base, &name), &name, &format!("{shown}{name}"), kind)?;
            }
        }
        Ok(())
    }

    /// Reads the `.rs` files below a folder.
    fn walk(&mut self, src: &str, shown: &str) -> Result<(), Stop> {
        let mut folders = vec![(src.to_owned(), String::new(), 0)];
        let mut entries = 0;
        while let Some((folder, below, depth)) = folders.pop() {
            let list = self.tree.list(&folder)?;
            entries += list.len();
            if entries > MAX_ENTRIES {
                return refuse(format!(
                    "There are more than {MAX_ENTRIES} entries in `{shown}`. Hand in the .rs files of the exercise and nothing else."
                ));
            }
            for (name, kind) in list {
                if names::is_clutter(&name) {
                    continue;
                }
                let below = join(&below, &name);
                let path = join(&folder, &name);
                if kind != Kind::Folder {
                    if kind == Kind::Link || Ending::of(&name) == Ending::Rust {
                        self.entry(&path, &below, &format!("{shown}{below}"), kind)?;
                    }
                } else if depth == MAX_DEPTH {
                    return refuse(format!(
                        "Folders are nested more than {MAX_DEPTH} deep at `{}`. Move the modules up.",
                        names::shown(&format!("{shown}{below}"))
                    ));
                } else {
                    folders.push((path, below, depth + 1));
                }
            }
        }
        Ok(())
    }

    /// Reads a file of an innocent name; a link is refused whatever its name is.
    fn entry(&mut self, path: &str, below: &str, shown: &str, kind: Kind) -> Result<(), Stop> {
        if kind != Kind::File {
            return refuse(format!(
                "`{}` is {}. Hand in the file itself.",
                names::shown(shown),
                kind.is()
            ));
        }
        match names::source(below) {
            names::Source::Counts => self.file(path, below, shown),
            names::Source::Stray => Ok(()),
            names::Source::Odd => refuse(format!(
                "The name of the file `{}` has characters that cannot be seen or that mean something in a path. \
                 Name it with letters from a to z, digits and `_`.",
                names::shown(shown)
            )),
            names::Source::Long => refuse(format!(
                "The path of the file `{}` is longer than {} bytes. Give it a shorter name.",
                names::shown(shown),
                names::MAX_SOURCE_PATH
            )),
        }
    }

    fn file(&mut self, path: &str, below: &str, shown: &str) -> Result<(), Stop> {
        let shown = names::shown(shown);
        if self.sources.len() == MAX_FILES {
            return refuse(format!(
                "There are more than {MAX_FILES} .rs files. Hand in the files of the exercise and nothing else."
            ));
        }
        if let Some(other) = self.seen.insert(below.to_ascii_lowercase(), shown.clone()) {
            return refuse(format!(
                "`{other}` and `{shown}` differ only in upper and lower case. Rename or remove one."
            ));
        }
        let bytes = self.tree.read(path)?;
        if bytes.len() > MAX_FILE {
            return refuse(format!(
                "`{shown}` is larger than {} KB. Hand in the code of the exercise, without data.",
                MAX_FILE >> 10
            ));
        }
        self.bytes += bytes.len();
        if self.bytes > MAX_SOURCES {
            return refuse(format!(
                "All .rs files together are larger than {} KB. Hand in the code of the exercise, without data.",
                MAX_SOURCES >> 10
            ));
        }
        let text = text(bytes, &shown)?;
        self.sources.push((below.to_owned(), text));
        Ok(())
    }

    /// The files, if `lib.rs` is among them; `lib` is what it should have been called.
    fn finish(mut self, lib: &str) -> Result<Files, Stop> {
        self.sources.sort();
        if let Some((_, text)) = self.sources.iter().find(|(path, _)| path == "lib.rs") {
            if text.trim_start_matches('\u{feff}').trim().is_empty() {
                return refuse(format!("`{lib}` is empty. Hand in the code."));
            }
            return Ok(Files {
                sources: self.sources,
            });
        }
        if let Some(other) = self.seen.get("lib.rs") {
            return refuse(format!("`{other}` must be called lib.rs, in lower case."));
        }
        let there = self.sources.first().map_or_else(String::new, |_| {
            let first = self.seen.values().next();
            first.map_or_else(String::new, |path| format!(", but there is `{path}`"))
        });
        refuse(format!(
            "There is no `{lib}`{there}. Name the file that counts lib.rs."
        ))
    }
}

/// The text of a file: UTF-8, with or without a mark at its start, with any ends of lines.
fn text(bytes: Vec<u8>, shown: &str) -> Result<String, Stop> {
    let fix = "In your editor, save it with the encoding UTF-8.";
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return refuse(format!("`{shown}` is UTF-16. {fix}"));
    }
    if bytes.contains(&0) {
        return refuse(format!(
            "`{shown}` contains zero bytes: it is no text. {fix}"
        ));
    }
    String::from_utf8(bytes).or_else(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.split(|&byte| byte == b'\n').count();
        refuse(format!("`{shown}` is not UTF-8 at line {line}. {fix}"))
    })
}

/// What is said of an archive that becomes too large.
pub(super) fn bomb() -> Stop {
    Stop::Refused(format!(
        "The archive unpacks to far more than it should, or to more than {} MB. Hand in src/lib.rs and the modules beside it, and nothing else.",
        MAX_UNPACKED >> 20
    ))
}
