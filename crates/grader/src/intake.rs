//! What students hand in: folders, clones, archives and lone files become [`Submission`]s.
//!
//! # What counts as a submission
//!
//! [`find`] is given one path.
//!
//! - A file is one submission: an archive (`.zip`, `.tar`, `.tar.gz`, `.tgz`) or a lone `.rs` file.
//! - A folder is one submission if it is a clone (it has `exercises/SLUG` of some exercise, or `SLUG/src`)
//!   or a crate (it has `src` or `lib.rs`).
//! - Any other folder is a folder of submissions: each folder, archive and `.rs` file in it is one student's.
//!   Hidden entries are passed over silently, all else with a remark.
//!
//! A student's folder or archive is a clone, a crate, or a folder with one `.rs` file, whatever its name; or one of these inside a single
//! folder, as archives from GitHub are; a student's folder may also hold a single archive.
//!
//! # Which exercise
//!
//! If one is asked for, every submission is of that one, and a student who did not hand it in is told so.
//! Otherwise a clone is a submission of every exercise whose files differ from the starter,
//! and a crate or a lone file is of the exercise whose id (`ex07`) or slug is in its name or in the name of its folder.
//! What remains unknown is passed over with a remark.
//!
//! # Which files
//!
//! `src/**/*.rs`, or the `.rs` files beside `lib.rs` where there is no `src`; nothing else is read, whatever else is handed in:
//! manifests, build scripts, tests, configuration and hidden files are as good as not there.
//! So is a `.rs` file with a space or an accent in its name: no module is called like that.
//!
//! Links are never followed, and no file outside the path is opened.
//! Files and archives are read to their limit and no further.

mod archive;
mod folder;
mod names;
mod sources;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{error, fmt};

use sha2::{Digest, Sha256};

use crate::outcome::hex;
use archive::Archive;
use folder::Folder;
use names::Ending;
use sources::{Kind, Shape, Stop, Tree};

/// The largest source file that is read.
pub const MAX_FILE: usize = 256 << 10;
/// The most that all source files of a submission may have together.
pub const MAX_SOURCES: usize = 1 << 20;
/// The most source files in a submission.
pub const MAX_FILES: usize = 64;
/// How many folders may be nested below `src`.
pub const MAX_DEPTH: usize = 8;
/// The most entries that are looked at in one folder of a submission.
pub const MAX_ENTRIES: usize = 2_000;
/// The largest archive.
pub const MAX_ARCHIVE: u64 = 64 << 20;
/// The most that a compressed tar may become, however large it is.
pub const MAX_UNPACKED: u64 = 256 << 20;
/// The most that a compressed tar may become for each of its bytes, after the first mebibyte.
pub const MAX_RATIO: u64 = 100;
/// The most entries in an archive.
pub const MAX_MEMBERS: usize = 200_000;

/// One student's files for one exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Whose it is: the name of the folder, the archive or the file that it came in. Never part of an outcome.
    pub student: String,
    /// The permanent id of the exercise, such as `ex07`.
    pub exercise: String,
    /// Where it was found, for messages.
    pub place: PathBuf,
    /// The files that count, or why they cannot be graded.
    pub files: Result<Files, Refusal>,
}

/// The files of a submission that count: `src/*.rs`, and modules in folders below `src`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// Path below `src` with `/`, such as `lib.rs`, and text; sorted by path. `lib.rs` is always there.
    pub sources: Vec<(String, String)>,
}

/// Why the files of a submission cannot be graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The hash of the submission, so that a rerun knows it again: that of the sentence, since nothing else is known.
    pub hash: String,
    /// A sentence for the student that names the file and the fix. It names no student and no place on this machine.
    pub why: String,
}

impl Refusal {
    /// A refusal for a reason.
    pub fn new(why: impl Into<String>) -> Self {
        let why = why.into();
        let mut hash = Hash::new("moments/refusal/v1");
        hash.part(why.as_bytes());
        let hash = hash.finish();
        Self { hash, why }
    }
}

impl Files {
    /// The SHA-256 of the paths and bytes, each with its length before it, in hexadecimal digits.
    pub fn hash(&self) -> String {
        let mut hash = Hash::new("moments/files/v1");
        for (path, text) in &self.sources {
            hash.part(path.as_bytes());
            hash.part(text.as_bytes());
        }
        hash.finish()
    }
}

impl Submission {
    /// The hash of the files that count, or of the reason why they do not. It depends on nothing else.
    pub fn hash(&self) -> String {
        match &self.files {
            Ok(files) => files.hash(),
            Err(refusal) => refusal.hash.clone(),
        }
    }
}

struct Hash(Sha256);

impl Hash {
    fn new(form: &str) -> Self {
        let mut hash = Self(Sha256::new());
        hash.part(form.as_bytes());
        hash
    }

    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// An exercise as it was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handout {
    /// The permanent id, such as `ex07`.
    pub id: String,
    /// The folder's name, such as `ex07-adam`.
    pub slug: String,
    /// The text of its `src/lib.rs`. None if it is not known: then whatever is there counts as handed in.
    pub starter: Option<String>,
}

impl Handout {
    /// Every exercise, with its starter from a folder of `ID.rs` files, such as `crates/course/starters`.
    ///
    /// # Errors
    /// If a starter is there and cannot be read.
    pub fn all(starters: &Path) -> io::Result<Vec<Self>> {
        let one = |exercise: &&moments_checks::Exercise| {
            let starter =
                match std::fs::read_to_string(starters.join(format!("{}.rs", exercise.id))) {
                    Ok(text) => Some(text),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                    Err(error) => return Err(error),
                };
            Ok(Self {
                id: exercise.id.to_owned(),
                slug: exercise.slug.to_owned(),
                starter,
            })
        };
        moments_checks::exercises().iter().map(one).collect()
    }
}

/// What a path holds.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The submissions, by student and then by exercise.
    pub handed: Vec<Handed>,
    /// What was passed over and why, a sentence each, for the instructor.
    pub remarks: Vec<String>,
    /// What this machine could not read: no fault of a student, and no zero.
    pub unread: Vec<Unread>,
}

/// Something that could not be read on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Whose it is.
    pub student: String,
    /// Where.
    pub place: PathBuf,
    /// Why, as the system says it.
    pub why: String,
}

/// A submission that has been found and not been read yet, so that a thousand of them need no memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Whose it is.
    pub student: String,
    /// The permanent id of the exercise.
    pub exercise: String,
    /// Where it is, for messages.
    pub place: PathBuf,
    slug: String,
    /// The slugs of all exercises, by which a clone is known.
    slugs: Arc<[String]>,
    spot: Spot,
}

/// A place that is opened without following a link that a student made.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spot {
    /// The folder that the instructor named.
    root: PathBuf,
    /// The entry of it that is meant; none for the folder itself.
    name: Option<OsString>,
}

impl Handed {
    /// Reads the files that count.
    ///
    /// # Errors
    /// If this machine cannot read them. What is wrong with the files themselves is a [`Refusal`] inside the submission.
    pub fn read(&self) -> io::Result<Submission> {
        let files = match self
            .spot
            .open()
            .and_then(|tree| sources::of(&*tree, &self.slugs, &self.slug))
        {
            Ok(files) => Ok(files),
            Err(Stop::Refused(why)) => Err(Refusal::new(why)),
            Err(Stop::Io(error)) => return Err(error),
        };
        Ok(Submission {
            student: self.student.clone(),
            exercise: self.exercise.clone(),
            place: self.place.clone(),
            files,
        })
    }
}

impl Found {
    /// Reads all submissions. What cannot be read on this machine goes to [`Found::unread`].
    pub fn read(&mut self) -> Vec<Submission> {
        let mut read = Vec::new();
        for handed in &self.handed {
            match handed.read() {
                Ok(submission) => read.push(submission),
                Err(error) => self.unread.push(Unread {
                    student: handed.student.clone(),
                    place: handed.place.clone(),
                    why: error.to_string(),
                }),
            }
        }
        read
    }
}

/// Why no submissions could be found.
#[derive(Debug)]
pub enum Error {
    /// The path cannot be read.
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no exercise of that id or slug.
    Exercise {
        /// What was asked for.
        asked: String,
        /// The ids that there are.
        known: Vec<String>,
    },
    /// There is no submission in the path.
    Nothing {
        /// The path.
        path: PathBuf,
        /// What was passed over.
        remarks: Vec<String>,
    },
    /// Two paths hold the same exercise of the same student.
    Twice {
        /// The student.
        student: String,
        /// The exercise.
        exercise: String,
        /// The one place.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Exercise { asked, known } => write!(
                f,
                "there is no exercise `{}`; there are {}",
                names::shown(asked),
                known.join(", ")
            ),
            Self::Nothing { path, remarks } => {
                write!(
                    f,
                    "{} holds no submission: a submission is a clone, a folder with src/lib.rs or lib.rs, a .zip, .tar, .tar.gz or .tgz of one, \
                     or a .rs file, or a folder of these",
                    path.display()
                )?;
                remarks
                    .iter()
                    .try_for_each(|remark| write!(f, "\n  {remark}"))
            }
            Self::Twice {
                student,
                exercise,
                first,
                second,
            } => write!(
                f,
                "{exercise} of `{student}` is in {} and in {}: give one of them, or rename one",
                first.display(),
                second.display()
            ),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Path { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Finds the submissions in several paths, as [`find`] does in one.
///
/// # Errors
/// As [`find`]; and if two paths hold the same exercise of the same student.
pub fn find_all(
    paths: &[PathBuf],
    exercises: &[Handout],
    only: Option<&str>,
) -> Result<Found, Error> {
    let mut all = Found::default();
    for path in paths {
        let found = find(path, exercises, only)?;
        all.handed.extend(found.handed);
        all.remarks.extend(found.remarks);
        all.unread.extend(found.unread);
    }
    all.handed
        .sort_by(|a, b| (&a.student, &a.exercise).cmp(&(&b.student, &b.exercise)));
    for pair in all.handed.windows(2) {
        let [first, second] = pair else { continue };
        if (&first.student, &first.exercise) == (&second.student, &second.exercise) {
            return Err(Error::Twice {
                student: first.student.clone(),
                exercise: first.exercise.clone(),
                first: first.place.clone(),
                second: second.place.clone(),
            });
        }
    }
    Ok(all)
}

/// Finds the submissions in a path: what counts as one, and of which exercise it is, is said in the documentation of this module.
///
/// `only` is the id or the slug of the one exercise that is asked for.
/// Two students of one name, such as the folder `ann` and the archive `ann.zip`, are kept apart by their whole names.
///
/// # Errors
/// If the path cannot be read or holds no submission, or if there is no such exercise.
pub fn find(path: &Path, exercises: &[Handout], only: Option<&str>) -> Result<Found, Error> {
    let only = only
        .map(|asked| {
            let same = |handout: &&Handout| handout.id == asked || handout.slug == asked;
            exercises.iter().find(same).ok_or_else(|| Error::Exercise {
                asked: asked.to_owned(),
                known: exercises.iter().map(|handout| handout.id.clone()).collect(),
            })
        })
        .transpose()?;
    let at = |error| Error::Path {
        path: path.to_owned(),
        error,
    };
    // The instructor's own path may go through links; what is below it may not.
    let real = path.canonicalize().map_err(at)?;
    let mut found = Found::default();
    let slugs: Arc<[String]> = exercises
        .iter()
        .map(|handout| handout.slug.clone())
        .collect();

    let is_folder = real.is_dir();
    let spots = if is_folder {
        let folder = Folder::open(&real).map_err(at)?;
        match sources::shape_at(&folder, "", &slugs) {
            Ok(Some(_)) => vec![Spot {
                root: real.clone(),
                name: None,
            }],
            // With more entries than one submission may have, it is a folder of many.
            Ok(None) | Err(Stop::Refused(_)) => {
                entries(&folder, &real, &mut found.remarks).map_err(at)?
            }
            Err(Stop::Io(error)) => return Err(at(error)),
        }
    } else {
        vec![Spot {
            root: real.parent().unwrap_or(&real).to_owned(),
            name: real.file_name().map(OsStr::to_owned),
        }]
    };

    for (spot, student) in spots.iter().zip(students(&spots, is_folder)) {
        let place = match &spot.name {
            Some(name) if is_folder => path.join(name),
            _ => path.to_owned(),
        };
        let handed = |handout: &Handout| Handed {
            student: student.clone(),
            exercise: handout.id.clone(),
            place: place.clone(),
            slug: handout.slug.clone(),
            slugs: Arc::clone(&slugs),
            spot: spot.clone(),
        };
        if let Some(handout) = only {
            found.handed.push(handed(handout));
            continue;
        }
        match touched(spot, exercises, &slugs) {
            Ok(Touched::These(these)) if these.is_empty() => found.remarks.push(format!(
                "`{student}`: no exercise differs from its starter, so there is nothing to grade"
            )),
            Ok(Touched::These(these)) => found.handed.extend(these.into_iter().map(handed)),
            Ok(Touched::Unknown) => found.remarks.push(format!(
                "`{student}`: passed over, because nothing in it says of which exercise it is; give --exercise"
            )),
            Err(Stop::Refused(why)) => found
                .remarks
                .push(format!("`{student}`: passed over; {why}")),
            Err(Stop::Io(error)) => found.unread.push(Unread {
                student: student.clone(),
                place,
                why: error.to_string(),
            }),
        }
    }
    if found.handed.is_empty() && found.unread.is_empty() {
        return Err(Error::Nothing {
            path: path.to_owned(),
            remarks: found.remarks,
        });
    }
    found
        .handed
        .sort_by(|a, b| (&a.student, &a.exercise).cmp(&(&b.student, &b.exercise)));
    Ok(found)
}

/// The entries of a folder of submissions.
fn entries(folder: &Folder, root: &Path, remarks: &mut Vec<String>) -> io::Result<Vec<Spot>> {
    let mut names = folder.names(usize::MAX)?;
    names.sort();
    let mut spots = Vec::new();
    for name in names {
        let text = names::escaped(&name);
        if names::is_clutter(&text) {
            continue;
        }
        let counts = match folder.kind(&name)? {
            Kind::File => Ending::of(&text) != Ending::Other,
            Kind::Folder | Kind::Link | Kind::HardLink => true,
            Kind::Special => false,
        };
        if counts {
            spots.push(Spot {
                root: root.to_owned(),
                name: Some(name),
            });
        } else {
            remarks.push(format!(
                "`{}`: passed over; it is no folder, no archive (.zip, .tar, .tar.gz, .tgz) and no .rs file",
                names::shown(&text)
            ));
        }
    }
    Ok(spots)
}

/// Whose each submission is. Where two names are the same without their endings, the whole names are taken.
fn students(spots: &[Spot], in_folder: bool) -> Vec<String> {
    let whole: Vec<String> = spots
        .iter()
        .map(|spot| {
            let name = spot.name.as_deref().or(spot.root.file_name());
            name.map_or_else(|| "submission".to_owned(), names::escaped)
        })
        .collect();
    if let ([spot], false) = (spots, in_folder)
        && names::without_ending(&whole[0]) == "lib"
    {
        // `ann/lib.rs` and `ann/src/lib.rs` are Ann's.
        let mut folders = spot.root.iter().rev().filter(|name| *name != "src");
        return folders.next().map(names::escaped).into_iter().collect();
    }
    let short: Vec<&str> = whole
        .iter()
        .map(|name| names::without_ending(name))
        .collect();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for name in &short {
        *count.entry(name).or_default() += 1;
    }
    let name = |(short, whole): (&&str, &String)| {
        if count[*short] == 1 {
            (*short).to_owned()
        } else {
            whole.clone()
        }
    };
    short.iter().zip(&whole).map(name).collect()
}

/// The exercises that a submission is of, where none is asked for.
enum Touched<'a> {
    These(Vec<&'a Handout>),
    Unknown,
}

fn touched<'a>(
    spot: &Spot,
    exercises: &'a [Handout],
    slugs: &[String],
) -> Result<Touched<'a>, Stop> {
    let tree = spot.open()?;
    let mut hints: Vec<String> = spot
        .name
        .as_deref()
        .or(spot.root.file_name())
        .map(names::escaped)
        .into_iter()
        .collect();
    let base = match sources::shape(&*tree, slugs)? {
        Shape::Clone { .. } => {
            let mut these = Vec::new();
            for handout in exercises {
                let differs = match sources::of(&*tree, slugs, &handout.slug) {
                    Ok(files) => handout.starter.as_ref().is_none_or(
                        |starter| !matches!(&files.sources[..], [(_, text)] if text == starter),
                    ),
                    Err(Stop::Refused(_)) => sources::has(&*tree, slugs, &handout.slug)?,
                    Err(stop) => return Err(stop),
                };
                if differs {
                    these.push(handout);
                }
            }
            return Ok(Touched::These(these));
        }
        Shape::Crate { base } | Shape::One { path: base } => base,
        Shape::None => String::new(),
    };
    hints.extend(base.split('/').map(str::to_owned));
    let mut named: Vec<&Handout> = exercises
        .iter()
        .filter(|handout| hints.iter().any(|hint| names::says(hint, &handout.id)))
        .collect();
    // A file in the folder of an exercise, `ex07-adam/src/lib.rs`, given by itself.
    if named.is_empty() {
        let parents: Vec<String> = spot.root.iter().rev().take(2).map(names::escaped).collect();
        named = exercises
            .iter()
            .filter(|handout| parents.contains(&handout.slug))
            .collect();
    }
    match named[..] {
        [one] => Ok(Touched::These(vec![one])),
        _ => Ok(Touched::Unknown),
    }
}

impl Spot {
    /// Opens what is there, through no link.
    fn open(&self) -> Result<Box<dyn Tree>, Stop> {
        let root = Folder::open(&self.root)?;
        let Some(name) = &self.name else {
            return Ok(Box::new(root));
        };
        match root.kind(name)? {
            Kind::Folder => {
                let folder = root.folder(name)?;
                // A learning platform may put a folder around the archive that a student has uploaded.
                match sources::packed(&folder)? {
                    Some(inner) => open_file(&folder, OsStr::new(&inner)),
                    None => Ok(Box::new(folder)),
                }
            }
            Kind::File => open_file(&root, name),
            kind => Err(Stop::Refused(format!(
                "What was handed in is {}. Hand in the files themselves.",
                kind.is()
            ))),
        }
    }
}

fn open_file(folder: &Folder, name: &OsStr) -> Result<Box<dyn Tree>, Stop> {
    match Ending::of(&names::escaped(name)) {
        Ending::Rust => Ok(Box::new(sources::Lone(folder.file(name)?))),
        Ending::Archive => Ok(Box::new(Archive::open(folder.file(name)?)?)),
        Ending::OtherArchive(ending) => Err(Stop::Refused(format!(
            "An archive of the kind `.{ending}` is not read. Hand in a .zip or a .tar.gz."
        ))),
        Ending::Other => Err(Stop::Refused(
            "What was handed in is no folder, no archive and no .rs file. Hand in src/lib.rs, or a .zip with it."
                .to_owned(),
        )),
    }
}
