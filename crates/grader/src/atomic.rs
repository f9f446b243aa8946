//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// How the name of a file begins that is still being written.
pub(crate) const TEMPORARY: &str = ".moments-";

/// A file that has been written and synced under a temporary name beside the one that it will get.
/// Dropped without [`Staged::commit`], it is removed.
#[derive(Debug)]
pub(crate) struct Staged {
    temporary: PathBuf,
    target: PathBuf,
}

impl Staged {
    /// Writes `bytes` beside `target` and syncs them.
    pub(crate) fn write(target: &Path, bytes: &[u8]) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{TEMPORARY}{}-{number}.tmp", std::process::id());
        let staged = Self {
            temporary: target.with_file_name(name),
            target: target.to_path_buf(),
        };
        let written = File::create(&staged.temporary).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(|error| Error::io(target, &error))?;
        Ok(staged)
    }

    /// Gives the file its name, in place of what had it, and syncs the folder.
    pub(crate) fn commit(self) -> Result<()> {
        let target = self.target.clone();
        self.rename()?;
        sync_folder(&target).map_err(|error| Error::io(&target, &error))
    }

    /// Gives the file its name and leaves it to the caller to sync the folder, after many.
    pub(crate) fn rename(self) -> Result<()> {
        fs::rename(&self.temporary, &self.target).map_err(|error| Error::io(&self.target, &error))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After a commit there is nothing under this name.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Writes a file so that a reader, now or after a crash, sees the old bytes or the new ones.
pub(crate) fn write(target: &Path, bytes: &[u8]) -> Result<()> {
    Staged::write(target, bytes)?.commit()
}

/// Makes a rename or a removal in the folder of `path` last.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    // Windows has no handle of a folder that could be synced; its renames are journalled.
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Removes what a killed process left in a folder under temporary names.
pub(crate) fn sweep(folder: &Path) -> Result<()> {
    for name in names(folder)? {
        if name.starts_with(TEMPORARY) {
            let path = folder.join(name);
            fs::remove_file(&path).map_err(|error| Error::io(&path, &error))?;
        }
    }
    Ok(())
}

/// The names in a folder, sorted. A folder that is not there has none.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>> {
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(|error| Error::io(folder, &error))?,
    };
    let mut names = Vec::new();
    for entry in listed {
        let entry = entry.map_err(|error| Error::io(folder, &error))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The bytes of a file, or nothing if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(path, &error)),
    }
}
