//! The course's kernels for a Jupyter that is not the clone's own: JupyterLab, VS Code, JupyterHub.
//!
//! ```text
//! <data>/                        a folder that Jupyter reads, such as ~/.local/share/jupyter
//!   kernels/moments/             kernel.json, one for each kernel
//!   kernels/moments-nalgebra/
//!   moments/
//!     bin/moments-kernel         what kernel.json starts
//!     course/                    the sources that a template is made from, as they were in the clone
//!     manifest.json              every file that was written
//! ```
//!
//! Nothing in there points into the clone, so it may be moved or removed. evcxr_jupyter and the templates stay in the cache.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::error::{Error, Kind};
use crate::evcxr;
use crate::exec;
use crate::files;
use crate::flavour::Flavour;
use crate::hash::Hash;
use crate::kernelspec;
use crate::layout::{self, Layout};
use crate::places::{self, Place};
use crate::report::{Reporter, Step};
use crate::rust_path;
use crate::steps;
use crate::template::{self, Template};

/// The folder beside Jupyter's `kernels`.
const FOLDER: &str = "moments";
const MANIFEST: &str = "manifest.json";
const POOL: &str = "moments-pool";

/// What an installation left in a folder of Jupyter's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installed {
    data: PathBuf,
    manifest: Manifest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Manifest {
    version: String,
    cache: PathBuf,
    /// Each file below the data folder, with the hash of its content.
    files: BTreeMap<String, String>,
    /// The folders that were made, relative to the data folder, innermost first.
    made: Vec<String>,
}

impl Manifest {
    fn read(path: &Path) -> Option<Self> {
        let value: Value = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
        let files = value["files"].as_object()?.iter();
        Some(Self {
            version: value["version"].as_str()?.to_owned(),
            cache: value["cache"].as_str()?.into(),
            files: files
                .filter_map(|(name, hash)| Some((name.clone(), hash.as_str()?.to_owned())))
                .filter(|(name, _)| stays_inside(name))
                .collect(),
            made: value["made"]
                .as_array()?
                .iter()
                .filter_map(|name| Some(name.as_str()?.to_owned()))
                .collect(),
        })
    }

    fn text(&self) -> String {
        let value = json!({
            "about": "Written by `cargo course kernel install`; `cargo course kernel uninstall` removes these files and no others.",
            "version": self.version,
            "cache": self.cache.to_string_lossy(),
            "files": self.files,
            "made": self.made,
        });
        format!("{value:#}\n")
    }
}

/// A manifest that somebody has written by hand removes nothing elsewhere.
fn stays_inside(name: &str) -> bool {
    use std::path::Component::Normal;
    Path::new(name)
        .components()
        .all(|part| matches!(part, Normal(_)))
}

impl Installed {
    /// What is installed in this folder of Jupyter's data.
    pub(crate) fn at(data: &Path) -> Option<Self> {
        let manifest = Manifest::read(&data.join(FOLDER).join(MANIFEST))?;
        Some(Self {
            data: data.to_owned(),
            manifest,
        })
    }

    /// The installation that this program belongs to, if it is an installed launcher.
    pub(crate) fn of_this_program() -> Option<Self> {
        let program = env::current_exe().ok()?;
        let folder = program.parent()?.parent()?;
        if folder.file_name()? != FOLDER {
            return None;
        }
        Self::at(folder.parent()?)
    }

    /// All installations that can be found: those that the cache knows of, and those where Jupyter looks.
    pub(crate) fn all(layout: &Layout) -> Vec<Self> {
        let noted = files::read_dir(&layout.installs()).unwrap_or_default();
        let mut folders: Vec<PathBuf> = noted
            .iter()
            .filter_map(|entry| fs::read_to_string(entry.path()).ok())
            .map(|text| PathBuf::from(text.trim_end_matches('\n')))
            .chain(places::search_path())
            .collect();
        folders.sort();
        folders.dedup();
        folders.iter().filter_map(|data| Self::at(data)).collect()
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn version(&self) -> &str {
        &self.manifest.version
    }

    pub(crate) fn launcher(&self) -> PathBuf {
        launcher(&self.data)
    }

    /// Where its kernels find their sources and their cache.
    pub(crate) fn layout(&self) -> Result<Layout, Error> {
        Layout::with_cache(course(&self.data), &self.manifest.cache)
    }

    /// Files that are gone or hold something else.
    fn spoilt(&self) -> Vec<&str> {
        let is = |name: &&str| {
            let path = self.data.join(name);
            hash_of(&path).as_ref() != self.manifest.files.get(*name)
        };
        self.manifest
            .files
            .keys()
            .map(String::as_str)
            .filter(is)
            .collect()
    }

    /// What keeps its kernels from starting as they should, one sentence each.
    pub(crate) fn problems(&self, clone: Option<&Layout>) -> Vec<String> {
        let mut found = Vec::new();
        let spoilt = self.spoilt();
        if let [first, ..] = spoilt.as_slice() {
            found.push(format!(
                "{} of the installed files are gone or changed, such as {}.",
                spoilt.len(),
                self.data.join(first).display()
            ));
        }
        if Flavour::ALL
            .iter()
            .any(|flavour| !starts(&kernel_json(&self.data, *flavour), &self.launcher()))
        {
            found.push(format!(
                "The kernelspecs in {} do not start the launcher beside them: the folder was moved, or somebody else wrote them.",
                self.data.display()
            ));
        }
        let layout = match self.layout() {
            Ok(layout) => layout,
            Err(error) => return vec![error.to_string()],
        };
        if evcxr::find(&layout).is_none() {
            found.push(format!(
                "evcxr_jupyter {} is no longer in {}.",
                evcxr::EVCXR_VERSION,
                layout.tools().display()
            ));
        }
        if let Some(clone) = clone
            && !same_sources(clone, &layout)
        {
            found.push("It is of another state of the course than this clone.".to_owned());
        }
        for flavour in Flavour::ALL {
            match Template::current(&layout, flavour) {
                Ok(template) if template.is_complete() => {}
                Ok(_) => found.push(format!(
                    "The crates of \"{}\" are not compiled for this compiler: its next start takes minutes.",
                    flavour.display_name()
                )),
                Err(error) => found.push(error.to_string()),
            }
        }
        found
    }
}

fn launcher(data: &Path) -> PathBuf {
    data.join(FOLDER)
        .join("bin")
        .join(layout::executable("moments-kernel"))
}

fn course(data: &Path) -> PathBuf {
    data.join(FOLDER).join("course")
}

fn kernel_json(data: &Path, flavour: Flavour) -> PathBuf {
    data.join("kernels")
        .join(flavour.kernel_name())
        .join("kernel.json")
}

/// Whether a kernelspec starts this program.
fn starts(kernel_json: &Path, launcher: &Path) -> bool {
    started_by(kernel_json).is_some_and(|program| program == launcher)
}

fn started_by(kernel_json: &Path) -> Option<PathBuf> {
    let spec: Value = serde_json::from_str(&fs::read_to_string(kernel_json).ok()?).ok()?;
    Some(spec["argv"][0].as_str()?.into())
}

fn same_sources(one: &Layout, two: &Layout) -> bool {
    let (Ok(ones), Ok(twos)) = (template::sources(one), template::sources(two)) else {
        return false;
    };
    let same = |file: &PathBuf| {
        let read = |layout: &Layout| fs::read(layout.root().join(file)).ok();
        read(one).is_some() && read(one) == read(two)
    };
    ones == twos && ones.iter().all(same)
}

fn hash_of(path: &Path) -> Option<String> {
    Some(hash(&fs::read(path).ok()?))
}

/// Tells whether a file is as it was written. Word by word: the launcher has tens of megabytes, and this is asked often.
fn hash(content: &[u8]) -> String {
    let (words, rest) = content.as_chunks::<8>();
    let mut state = content.len() as u64;
    for word in words {
        // An odd factor and a rotation lose nothing, so one changed word changes the result.
        state = (state ^ u64::from_le_bytes(*word))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }
    Hash::new().part(&state.to_le_bytes()).part(rest).hex()
}

/// The clone's own kernelspec, started from here: with all that a kernel needs to know, because a hub may start it without the
/// settings of whoever installed it, and without the pool where that Jupyter has none.
fn spec(data: &Path, from: &Layout, flavour: Flavour, pool: bool) -> Value {
    let mut settings = Map::new();
    let mut set = |name: &str, value: &Path| {
        settings.insert(name.to_owned(), Value::from(value.to_string_lossy()));
    };
    set("MOMENTS_CACHE_DIR", from.cache());
    if let Some(folder) = rust_path::cargo_folder() {
        set(rust_path::RUST_BIN, &folder);
    }
    for (name, usual) in [
        ("CARGO_HOME", Some(".cargo")),
        ("RUSTUP_HOME", Some(".rustup")),
        ("RUST_SRC_PATH", None),
    ] {
        let Some(value) = env::var_os(name).map(PathBuf::from) else {
            continue;
        };
        let usual = usual.and_then(|folder| Some(env::home_dir()?.join(folder)));
        if value.is_absolute() && Some(&value) != usual.as_ref() {
            set(name, &value);
        }
    }
    let mut spec = kernelspec::spec(from, flavour);
    spec["argv"] = json!([
        launcher(data).to_string_lossy(),
        "launch",
        "--root",
        course(data).to_string_lossy(),
        "--kernel",
        flavour.kernel_name(),
        "{connection_file}",
    ]);
    spec["env"] = Value::Object(settings);
    spec["metadata"] = if pool {
        json!({ "kernel_provisioner": { "provisioner_name": POOL } })
    } else {
        json!({})
    };
    spec
}

/// What is undone when an installation does not come to its end.
struct Undo {
    made: Vec<PathBuf>,
    staging: PathBuf,
    done: bool,
}

impl Undo {
    /// Makes a folder and remembers which ones were missing.
    fn make(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<PathBuf> = folder
            .ancestors()
            .take_while(|ancestor| !ancestor.exists())
            .map(Path::to_owned)
            .collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(&folder)?;
            self.made.insert(0, folder);
        }
        if folder.is_dir() {
            Ok(())
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.staging);
        if !self.done {
            for folder in &self.made {
                let _ = fs::remove_dir(folder);
            }
        }
    }
}

/// How an installation went.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) installed: Installed,
    /// Whether a file was written.
    pub(crate) changed: bool,
    /// Whether the kernelspecs ask for a waiting kernel.
    pub(crate) pool: bool,
}

/// Installs or repairs the course's kernels in a folder that Jupyter reads.
pub(crate) fn install(
    from: &Layout,
    place: &Place,
    reporter: &mut dyn Reporter,
) -> Result<Outcome, Error> {
    let data = place.data()?;
    let _lock = files::lock_exclusive(
        &from.cache().join("install.lock"),
        "Another installation is running: waiting for it.",
        reporter,
    )?;
    remove_staging(&data);
    let mut undo = Undo {
        made: Vec::new(),
        staging: data.join(format!(".{FOLDER}-{}", std::process::id())),
        done: false,
    };
    refuse_foreign(&data)?;
    // First of all, because what follows may take ten minutes.
    let mut folders: Vec<PathBuf> = Flavour::ALL
        .iter()
        .filter_map(|flavour| Some(kernel_json(&data, *flavour).parent()?.to_owned()))
        .collect();
    folders.push(undo.staging.clone());
    for folder in &folders {
        undo.make(folder)
            .and_then(|()| {
                let probe = folder.join(format!(".moments-{}", std::process::id()));
                fs::write(&probe, "").and_then(|()| fs::remove_file(probe))
            })
            .map_err(|error| unwritable(&data, folder, &error))?;
    }
    undo.made.retain(|folder| *folder != undo.staging);

    steps::run_missing(from, &[Step::RustSrc, Step::Evcxr], reporter)?;
    let staged = undo.staging.join("course");
    for file in template::sources(from)? {
        copy(&from.root().join(&file), &staged.join(&file))?;
    }
    let program = program(from, reporter)?;
    let bin = undo
        .staging
        .join("bin")
        .join(layout::executable("moments-kernel"));
    copy(&program, &bin)?;
    kernelspec::make_executable(&bin)?;
    steps::run_missing(
        &Layout::with_cache(&staged, from.cache())?,
        &[Step::Template],
        reporter,
    )?;

    let pool = *place == Place::SysPrefix && places::has_provisioner(POOL);
    let specs = Flavour::ALL.map(|flavour| {
        let text = format!("{:#}\n", spec(&data, from, flavour, pool));
        (kernel_json(&data, flavour), text)
    });
    let before = Installed::at(&data);
    let manifest = manifest(&data, from, &undo, before.as_ref(), &specs)?;
    let installed = Installed {
        data: data.clone(),
        manifest,
    };
    note(from, &data);
    if before.as_ref() == Some(&installed) && installed.spoilt().is_empty() {
        undo.done = true;
        return Ok(Outcome {
            installed,
            changed: false,
            pool,
        });
    }
    exec::write_atomic(
        &undo.staging.join(MANIFEST),
        installed.manifest.text().as_bytes(),
    )?;
    swap(&undo.staging, &data.join(FOLDER))?;
    undo.done = true;
    for (path, text) in &specs {
        exec::write_atomic(path, text.as_bytes())?;
    }
    Ok(Outcome {
        installed,
        changed: true,
        pool,
    })
}

fn unwritable(data: &Path, folder: &Path, error: &io::Error) -> Error {
    let full = Error::io("create", folder, error);
    if full.kind() == Kind::DiskFull {
        return full;
    }
    Error::failed(format!(
        "The kernels cannot be installed into {}: {} cannot be written ({error}). \
         Choose a folder of yours with --user or --prefix FOLDER, or run this as the owner of that one. Nothing was changed.",
        data.display(),
        folder.display()
    ))
}

/// Another project may have a kernel of one of our names; it stays.
fn refuse_foreign(data: &Path) -> Result<(), Error> {
    let ours = launcher(data);
    for flavour in Flavour::ALL {
        let path = kernel_json(data, flavour);
        let foreign = match started_by(&path) {
            Some(program) => program != ours && program.file_name() != ours.file_name(),
            None => path.exists(),
        };
        if foreign {
            return Err(Error::failed(format!(
                "{} is a kernel \"{}\" that this command did not write, and it stays as it is. \
                 Remove it with `jupyter kernelspec remove {}`, or install elsewhere with --prefix FOLDER.",
                path.display(),
                flavour.kernel_name(),
                flavour.kernel_name()
            )));
        }
    }
    Ok(())
}

/// What an installation that was killed has left.
fn remove_staging(data: &Path) {
    let mark = format!(".{FOLDER}-");
    for entry in files::read_dir(data).unwrap_or_default() {
        if entry.file_name().to_string_lossy().starts_with(&mark) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let content = fs::read(from).map_err(|error| Error::io("read", from, &error))?;
    exec::write_atomic(to, &content)
}

/// The launcher: this very program if it is one, and else built from the clone.
fn program(from: &Layout, reporter: &mut dyn Reporter) -> Result<PathBuf, Error> {
    let own = env::current_exe().ok().filter(|program| {
        program
            .file_stem()
            .is_some_and(|name| name == "moments-kernel")
    });
    match own {
        Some(program) => Ok(program),
        None => kernelspec::build_launcher(from, reporter),
    }
}

fn manifest(
    data: &Path,
    from: &Layout,
    undo: &Undo,
    before: Option<&Installed>,
    specs: &[(PathBuf, String)],
) -> Result<Manifest, Error> {
    let mut all = BTreeMap::new();
    for file in files::files_below(&undo.staging)? {
        let path = undo.staging.join(&file);
        let hash = hash_of(&path)
            .ok_or_else(|| Error::failed(format!("{} could not be read again.", path.display())))?;
        all.insert(name(&Path::new(FOLDER).join(file)), hash);
    }
    for (path, text) in specs {
        let relative = path.strip_prefix(data).unwrap_or(path);
        all.insert(name(relative), hash(text.as_bytes()));
    }
    // How far up a folder was made: "kernels", "." or "../..".
    let mut made: Vec<String> = undo
        .made
        .iter()
        .map(|folder| {
            let above = data.strip_prefix(folder).map(|rest| rest.iter().count());
            match (folder.strip_prefix(data), above) {
                (Err(_), Ok(up)) => vec![".."; up].join("/"),
                (inside, _) => name(inside.unwrap_or(folder)),
            }
        })
        .collect();
    for earlier in before.iter().flat_map(|before| &before.manifest.made) {
        if !made.contains(earlier) {
            made.push(earlier.clone());
        }
    }
    Ok(Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        cache: from.cache().to_owned(),
        files: all,
        made,
    })
}

/// A relative path with slashes on every system.
fn name(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Puts a new folder in the place of an old one; where that fails, the old one is there again.
fn swap(new: &Path, place: &Path) -> Result<(), Error> {
    let old = place.with_file_name(format!(".{FOLDER}-{}-old", std::process::id()));
    let move_to = |from: &Path, to: &Path| {
        fs::rename(from, to).map_err(|error| Error::io("write", place, &error))
    };
    let there = place.exists();
    if there {
        move_to(place, &old)?;
    }
    if let Err(error) = move_to(new, place) {
        if there {
            let _ = fs::rename(&old, place);
        }
        return Err(error);
    }
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

/// Lets the cache know, so that `clean` keeps what an installed kernel needs.
fn note(layout: &Layout, data: &Path) {
    // A shared cache that this user may not write to has its administrator's notes.
    let _ = exec::write_atomic(
        &note_path(layout, data),
        format!("{}\n", data.display()).as_bytes(),
    );
}

fn note_path(layout: &Layout, data: &Path) -> PathBuf {
    let name = Hash::new().part(data.to_string_lossy().as_bytes()).hex();
    layout.installs().join(name)
}

/// What was removed, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) files: usize,
    /// Files that somebody has changed since.
    pub(crate) kept: Vec<PathBuf>,
}

/// Removes what [`install`] wrote into a folder of Jupyter's data, and nothing else.
pub(crate) fn uninstall(installed: &Installed) -> Result<Removed, Error> {
    let data = &installed.data;
    let mut removed = Removed::default();
    // What Jupyter lists goes first: an interruption leaves no kernel that does not start.
    let mut names: Vec<&String> = installed.manifest.files.keys().collect();
    names.sort_by_key(|name| !name.starts_with("kernels/"));
    for name in names {
        let path = data.join(name);
        let Some(now) = hash_of(&path) else {
            continue;
        };
        let ours = Some(&now) == installed.manifest.files.get(name)
            || path.ends_with("kernel.json") && starts(&path, &installed.launcher());
        if ours {
            fs::remove_file(&path).map_err(|error| Error::io("remove", &path, &error))?;
            removed.files += 1;
        } else {
            removed.kept.push(path);
        }
    }
    let manifest = data.join(FOLDER).join(MANIFEST);
    fs::remove_file(&manifest).map_err(|error| Error::io("remove", &manifest, &error))?;
    remove_staging(data);
    remove_empty_below(&data.join(FOLDER));
    for folder in &installed.manifest.made {
        // Others may have put something there since, and then it stays.
        let folder = if folder.is_empty() {
            data.clone()
        } else if folder.split('/').all(|part| part == "..") {
            let up = folder.split('/').count();
            match data.ancestors().nth(up) {
                Some(above) => above.to_owned(),
                None => continue,
            }
        } else if stays_inside(folder) {
            data.join(folder)
        } else {
            continue;
        };
        let _ = fs::remove_dir(folder);
    }
    if let Ok(layout) = installed.layout() {
        let _ = fs::remove_file(note_path(&layout, data));
    }
    Ok(removed)
}

fn remove_empty_below(folder: &Path) {
    for entry in files::read_dir(folder).unwrap_or_default() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty_below(&entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}

/// The words after `install` or `uninstall`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    pub(crate) place: Place,
    /// Templates too.
    pub(crate) templates: bool,
}

impl Options {
    pub(crate) fn parse(words: &[OsString]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut places = 0;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let text = word.to_string_lossy();
            places += usize::from(text != "--templates");
            match &*text {
                "--user" => options.place = Place::User,
                "--sys-prefix" => options.place = Place::SysPrefix,
                "--prefix" => {
                    let folder = words.next().filter(|folder| !folder.is_empty());
                    let folder = folder.ok_or("--prefix takes a folder")?;
                    options.place = Place::Prefix(folder.into());
                }
                "--templates" => options.templates = true,
                _ => match text.strip_prefix("--prefix=") {
                    Some(folder) if !folder.is_empty() => {
                        options.place = Place::Prefix(folder.into());
                    }
                    _ => return Err(format!("`{text}` is no option here")),
                },
            }
        }
        if places > 1 {
            return Err("--user, --prefix and --sys-prefix exclude one another".to_owned());
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    fn parse(words: &[&str]) -> Result<Options, String> {
        Options::parse(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn without_a_place_it_is_the_users_and_two_places_are_refused() {
        assert_eq!(parse(&[]).unwrap().place, Place::User);
        let prefix = Place::Prefix("/a b".into());
        assert_eq!(parse(&["--prefix", "/a b"]).unwrap().place, prefix);
        assert_eq!(parse(&["--prefix=/a b"]).unwrap().place, prefix);
        for wrong in [
            &["--prefix"][..],
            &["--prefix="],
            &["--user", "--sys-prefix"],
            &["--prefix", "/a", "--user"],
            &["here"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_changed_byte_changes_the_hash_wherever_it_is() {
        let content: Vec<u8> = (0..100).collect();
        for at in 0..content.len() {
            let mut other = content.clone();
            other[at] ^= 0x80;
            assert_ne!(hash(&other), hash(&content), "{at}");
        }
        assert_ne!(hash(&content[..99]), hash(&content));
        assert_ne!(hash(&[0; 8]), hash(&[0; 16]));
    }

    #[test]
    fn a_manifest_never_leads_out_of_its_folder() {
        assert!(stays_inside("kernels/moments/kernel.json"));
        assert!(!stays_inside("../mine") && !stays_inside("/etc/passwd"));
    }

    #[test]
    fn folders_that_were_made_are_gone_after_a_failure_and_those_that_were_there_are_not() {
        let folder = Folder::new("undo");
        folder.write("there/file", "x");
        let mut undo = Undo {
            made: Vec::new(),
            staging: folder.path().join("there/.staging"),
            done: false,
        };
        undo.make(&folder.path().join("there/a/b")).unwrap();
        undo.make(&folder.path().join("there/a/c")).unwrap();
        undo.make(&undo.staging.clone()).unwrap();
        assert!(undo.make(&folder.path().join("there/file/d")).is_err());
        drop(undo);
        let left = files::read_dir(&folder.path().join("there")).unwrap();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn a_swap_that_fails_leaves_the_old_folder() {
        let folder = Folder::new("swap");
        folder.write("data/moments/file", "old");
        let place = folder.path().join("data/moments");
        assert!(swap(&folder.path().join("data/none"), &place).is_err());
        assert_eq!(fs::read(place.join("file")).unwrap(), b"old");
        folder.write("data/new/file", "new");
        swap(&folder.path().join("data/new"), &place).unwrap();
        assert_eq!(fs::read(place.join("file")).unwrap(), b"new");
        assert_eq!(
            files::read_dir(&folder.path().join("data")).unwrap().len(),
            1
        );
    }
}
