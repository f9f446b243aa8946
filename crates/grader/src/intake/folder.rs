//! Folders that strangers have filled: no link in them is followed, and nothing but files is opened.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;

use super::MAX_ENTRIES;
use super::names;
use super::sources::{Kind, Stop, Tree, capped};

#[cfg(unix)]
pub(super) use unix::Folder;

#[cfg(not(unix))]
pub(super) use portable::Folder;

impl Tree for Folder {
    fn list(&self, folder: &str) -> Result<Vec<(String, Kind)>, Stop> {
        let Some(folder) = self.below(folder)? else {
            return Ok(Vec::new());
        };
        let names = folder.names(MAX_ENTRIES + 1)?;
        if names.len() > MAX_ENTRIES {
            return Err(Stop::Refused(format!(
                "There are more than {MAX_ENTRIES} entries in one folder. Hand in src/lib.rs and the modules beside it, and nothing else."
            )));
        }
        let mut entries = Vec::new();
        for name in names {
            let kind = folder.kind(&name)?;
            entries.push((escaped(name), kind));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(entries)
    }

    fn kind(&self, path: &str) -> Result<Option<Kind>, Stop> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(folder) = self.below(folder)? else {
            return Ok(None);
        };
        match folder.kind(OsStr::new(name)) {
            Ok(kind) => Ok(Some(kind)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, Stop> {
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        let Some(folder) = self.below(folder)? else {
            return Err(io::Error::from(io::ErrorKind::NotFound).into());
        };
        Ok(capped(folder.file(OsStr::new(name))?)?)
    }
}

/// A name as text. One with a backslash counts nowhere, so that an escaped name is never opened.
fn escaped(name: OsString) -> String {
    name.into_string()
        .unwrap_or_else(|name| names::escaped(&name))
}

impl Folder {
    /// The folder at a path; none if there is none, or if anything else stands on the way.
    fn below(&self, path: &str) -> io::Result<Option<Self>> {
        let mut at = self.again()?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let name = OsStr::new(name);
            match at.kind(name) {
                Ok(Kind::Folder) => at = at.folder(name)?,
                Ok(_) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(at))
    }
}

#[cfg(unix)]
mod unix {
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;

    use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, open, openat, statat};

    use super::{File, Kind, OsStr, OsString, Path, io};

    /// A folder that is open: its entries are reached through it and not through a path, so that nobody can put a link on the way.
    pub(in super::super) struct Folder(OwnedFd);

    impl Folder {
        /// Opens a folder that the instructor has named.
        pub(in super::super) fn open(path: &Path) -> io::Result<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            Ok(Self(open(path, flags, Mode::empty())?))
        }

        pub(super) fn again(&self) -> io::Result<Self> {
            Ok(Self(self.0.try_clone()?))
        }

        /// Opens a folder in it.
        pub(in super::super) fn folder(&self, name: &OsStr) -> io::Result<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(Self(openat(&self.0, name, flags, Mode::empty())?))
        }

        /// Opens a file in it.
        pub(in super::super) fn file(&self, name: &OsStr) -> io::Result<File> {
            // Without waiting: a pipe that has just taken the file's place must not hold us up.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = openat(&self.0, name, flags, Mode::empty())?;
            if kind_of(&fstat(&file)?) == Kind::File {
                Ok(file.into())
            } else {
                Err(io::Error::other("it is no regular file"))
            }
        }

        /// What an entry is.
        pub(in super::super) fn kind(&self, name: &OsStr) -> io::Result<Kind> {
            Ok(kind_of(&statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?))
        }

        /// The names of its entries, at most so many, in no order.
        pub(in super::super) fn names(&self, most: usize) -> io::Result<Vec<OsString>> {
            let mut names = Vec::new();
            for entry in Dir::read_from(&self.0)? {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if name == b"." || name == b".." {
                    continue;
                }
                if names.len() == most {
                    break;
                }
                names.push(OsStr::from_bytes(name).to_owned());
            }
            Ok(names)
        }
    }

    fn kind_of(stat: &Stat) -> Kind {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if stat.st_nlink > 1 => Kind::HardLink,
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            _ => Kind::Special,
        }
    }
}

#[cfg(not(unix))]
mod portable {
    use std::fs;
    use std::path::PathBuf;

    use super::{File, Kind, OsStr, OsString, Path, io};

    /// A folder by its path. On these systems nobody else may change it while it is read.
    pub(in super::super) struct Folder(PathBuf);

    impl Folder {
        pub(in super::super) fn open(path: &Path) -> io::Result<Self> {
            fs::read_dir(path)?;
            Ok(Self(path.to_owned()))
        }

        pub(super) fn again(&self) -> io::Result<Self> {
            Ok(Self(self.0.clone()))
        }

        pub(in super::super) fn folder(&self, name: &OsStr) -> io::Result<Self> {
            Self::open(&self.0.join(name))
        }

        pub(in super::super) fn file(&self, name: &OsStr) -> io::Result<File> {
            File::open(self.0.join(name))
        }

        pub(in super::super) fn kind(&self, name: &OsStr) -> io::Result<Kind> {
            let kind = fs::symlink_metadata(self.0.join(name))?.file_type();
            Ok(if kind.is_symlink() {
                Kind::Link
            } else if kind.is_dir() {
                Kind::Folder
            } else if kind.is_file() {
                Kind::File
            } else {
                Kind::Special
            })
        }

        pub(in super::super) fn names(&self, most: usize) -> io::Result<Vec<OsString>> {
            let entries = fs::read_dir(&self.0)?.take(most);
            entries.map(|entry| Ok(entry?.file_name())).collect()
        }
    }
}
