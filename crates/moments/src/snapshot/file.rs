//! Snapshots in files, which are replaced as a whole or not at all.

use super::{Snapshot, SnapshotError};
use crate::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

impl Snapshot {
    /// Writes the record to a safetensors file, in place of one that may be there.
    ///
    /// The file is replaced as a whole: the bytes go to a temporary file in the same folder, are forced to the disk, and the file is renamed.
    /// After an error, or a loss of power, the file under `path` is the old one or the new one, and never part of one.
    /// After an error the temporary file is gone; if the process is killed, a file `.moments-….tmp` may stay behind and can be removed.
    /// A file that was there keeps its permissions on Unix; a symbolic link is replaced by a file.
    ///
    /// On Windows a file cannot be replaced while another program has it open; that is an error, and the old file stays.
    /// There the system does not promise that the new name outlives a loss of power, but neither file is ever half written.
    ///
    /// # Errors
    /// [`Error::Snapshot`] if the record is not consistent in itself or the system refuses to write it.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let bytes = self.to_safetensors()?;
        replace(path, |file| file.write_all(&bytes)).map_err(|e| io_error(path, &e).into())
    }

    /// Reads a record from a safetensors file that [`save`](Self::save) has written.
    ///
    /// # Errors
    /// [`Error::Snapshot`] if the file cannot be read, is truncated, damaged, of another version or not a snapshot.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|e| io_error(path, &e))?;
        Self::from_safetensors(&bytes).map_err(|error| match error {
            Error::Snapshot(error) => SnapshotError::Content {
                path: path.into(),
                error: Box::new(error),
            }
            .into(),
            other => other,
        })
    }
}

fn io_error(path: &Path, error: &io::Error) -> SnapshotError {
    SnapshotError::Io {
        path: path.into(),
        kind: error.kind(),
        reason: error.to_string(),
    }
}

/// Puts what `write` writes under `path`, or leaves everything as it was.
fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    if path.file_name().is_none() {
        let reason = "the path has no file name: give one";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (temporary, mut file) = Temporary::create(folder)?;
    #[cfg(unix)]
    if let Ok(old) = fs::metadata(path) {
        file.set_permissions(old.permissions())?;
    }
    write(&mut file)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary.path, path)?;
    // The new name is forced to the disk too. The file is complete either way, so that a file system which cannot do that is no error.
    #[cfg(unix)]
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// A file that is removed again unless it is renamed.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn create(folder: &Path) -> io::Result<(Self, File)> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let n = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".moments-{}-{n}.tmp", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Self { path }, file)),
                // A process of the same number was killed here.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Once it has been renamed there is nothing to remove; otherwise the first error is on its way, and there is nobody to tell of a second.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty folder for one test, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let name = format!("moments-{test}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_other() {
        let folder = Folder::new("failed-write");
        let path = folder.0.join("state");
        fs::write(&path, "old").unwrap();
        let error = replace(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(folder.names(), ["state"]);
    }

    #[test]
    fn a_write_that_panics_leaves_the_old_file_and_no_other() {
        let folder = Folder::new("panic");
        let path = folder.0.join("state");
        fs::write(&path, "old").unwrap();
        let outcome = std::panic::catch_unwind(|| {
            let _ = replace(&path, |_| panic!("on purpose"));
        });
        assert!(outcome.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(folder.names(), ["state"]);
    }

    #[test]
    fn the_old_file_stands_until_the_new_one_is_complete() {
        let folder = Folder::new("until-complete");
        let path = folder.0.join("state");
        fs::write(&path, "old").unwrap();
        replace(&path, |file| {
            file.write_all(b"new and longer")?;
            assert_eq!(fs::read(&path)?, b"old");
            assert_eq!(folder.names().len(), 2);
            Ok(())
        })
        .unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new and longer");
        assert_eq!(folder.names(), ["state"]);
    }

    #[test]
    fn a_name_that_cannot_be_taken_leaves_no_file() {
        let folder = Folder::new("not-renamed");
        let path = folder.0.join("state");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("within"), "").unwrap();
        assert!(replace(&path, |file| file.write_all(b"new")).is_err());
        assert_eq!(folder.names(), ["state"]);
        assert!(replace(&folder.0.join("absent/state"), |_| Ok(())).is_err());
        let nameless = replace(&folder.0.join(".."), |_| Ok(()));
        assert_eq!(nameless.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(folder.names(), ["state"]);
    }

    #[test]
    fn a_file_that_a_killed_process_left_is_no_obstacle() {
        let folder = Folder::new("left-behind");
        for n in 0..100 {
            let name = format!(".moments-{}-{n}.tmp", std::process::id());
            fs::write(folder.0.join(name), "").unwrap();
        }
        replace(&folder.0.join("state"), |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(folder.0.join("state")).unwrap(), b"new");
        assert_eq!(folder.names().len(), 101);
    }

    #[test]
    fn many_threads_write_one_file_and_one_of_them_wins() {
        let folder = Folder::new("threads");
        let path = folder.0.join("state");
        std::thread::scope(|scope| {
            for letter in b'a'..b'i' {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..5 {
                        replace(path, |file| file.write_all(&[letter; 5000])).unwrap();
                    }
                });
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() == 5000 && bytes.iter().all(|b| *b == bytes[0]));
        assert_eq!(folder.names(), ["state"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_permissions_of_the_old_file_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("permissions");
        let path = folder.0.join("state");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        replace(&path, |file| file.write_all(b"new")).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_name_alone_is_in_the_current_folder() {
        let path = PathBuf::from(format!("moments-alone-{}", std::process::id()));
        replace(&path, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        fs::remove_file(&path).unwrap();
    }
}
