//! Folders and locks: copies that keep their times, and locks that end with the process that holds them.

use std::fs::{self, File, FileTimes, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::error::Error;
use crate::report::Reporter;

/// Copies a folder and everything in it to `to`, which must not exist yet.
/// Modification times are kept, because cargo takes them for the state of a build.
/// `std::fs::copy` shares blocks where the file system can.
pub(crate) fn copy_dir(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir(to).map_err(|error| Error::io("create", to, &error))?;
    for entry in read_dir(from)? {
        let source = entry.path();
        let target = to.join(entry.file_name());
        let kind = entry
            .file_type()
            .map_err(|error| Error::io("read", &source, &error))?;
        if kind.is_dir() {
            copy_dir(&source, &target)?;
        } else if kind.is_file() {
            copy_file(&source, &target).map_err(|error| Error::io("copy to", &target, &error))?;
        } else {
            copy_link(&source, &target).map_err(|error| Error::io("copy to", &target, &error))?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    let metadata = fs::metadata(from)?;
    let mut times = FileTimes::new().set_modified(metadata.modified()?);
    if let Ok(accessed) = metadata.accessed() {
        times = times.set_accessed(accessed);
    }
    // Times can only be set through a handle that may write, which a read-only copy refuses.
    let permissions = metadata.permissions();
    if permissions.readonly() {
        make_writable(to)?;
    }
    OpenOptions::new().write(true).open(to)?.set_times(times)?;
    if permissions.readonly() {
        fs::set_permissions(to, permissions)?;
    }
    Ok(())
}

#[cfg(unix)]
fn make_writable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_writable(path: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(path)?.permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions)
}

#[cfg(unix)]
fn copy_link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(fs::read_link(from)?, to)
}

#[cfg(not(unix))]
fn copy_link(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to).map(|_| ())
}

pub(crate) fn read_dir(folder: &Path) -> Result<Vec<fs::DirEntry>, Error> {
    fs::read_dir(folder)
        .and_then(Iterator::collect)
        .map_err(|error| Error::io("read", folder, &error))
}

/// Creates a folder that nobody else may write to; one that somebody else made there is refused.
pub(crate) fn create_private(folder: &Path) -> Result<(), Error> {
    let failed = |error| Error::io("create", folder, &error);
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, MetadataExt};
        match fs::DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            _ => {}
        }
        let metadata = fs::symlink_metadata(folder).map_err(failed)?;
        let mine = metadata.uid() == rustix::process::getuid().as_raw();
        if !metadata.is_dir() || !mine || metadata.mode() & 0o022 != 0 {
            return Err(Error::failed(format!(
                "{} belongs to somebody else or can be written to by others: remove it, or set MOMENTS_CACHE_DIR to a folder of your own.",
                folder.display()
            )));
        }
    }
    #[cfg(not(unix))]
    fs::create_dir_all(folder).map_err(failed)?;
    Ok(())
}

/// Whether this user may write to a folder, or make it where it does not exist yet.
#[cfg(unix)]
pub(crate) fn is_writable(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    folder
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .is_some_and(|there| {
            there.is_dir() && access(there, Access::WRITE_OK | Access::EXEC_OK).is_ok()
        })
}

/// Whether this user may write to a folder; that is found out by writing.
#[cfg(not(unix))]
pub(crate) fn is_writable(_folder: &Path) -> bool {
    true
}

/// Removes a folder that may be gone already.
pub(crate) fn remove_dir(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", folder, &error))
        }
        _ => Ok(()),
    }
}

/// All files below a folder, as paths relative to it, sorted.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    fn visit(folder: &Path, prefix: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
        for entry in read_dir(folder)? {
            let relative = prefix.join(entry.file_name());
            if entry.path().is_dir() {
                visit(&entry.path(), &relative, files)?;
            } else {
                files.push(relative);
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    visit(folder, Path::new(""), &mut files)?;
    files.sort();
    Ok(files)
}

/// The bytes in a folder.
pub(crate) fn size(folder: &Path) -> u64 {
    let Ok(files) = files_below(folder) else {
        return 0;
    };
    files
        .iter()
        .filter_map(|file| fs::symlink_metadata(folder.join(file)).ok())
        .map(|metadata| metadata.len())
        .sum()
}

fn open_lock(path: &Path) -> Result<File, Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, &error))?;
    }
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| Error::io("open", path, &error))
}

/// Locks a file for one process alone. The system releases it however the process ends.
pub(crate) fn lock_exclusive(
    path: &Path,
    waiting: &str,
    reporter: &mut dyn Reporter,
) -> Result<File, Error> {
    loop {
        if let Some(file) = lock_unless(path, waiting, reporter, &|| false)? {
            return Ok(file);
        }
    }
}

/// As [`lock_exclusive`], but waits no longer, and without the lock, once something holds.
pub(crate) fn lock_unless(
    path: &Path,
    waiting: &str,
    reporter: &mut dyn Reporter,
    holds: &dyn Fn() -> bool,
) -> Result<Option<File>, Error> {
    let mut told = false;
    loop {
        if holds() {
            return Ok(None);
        }
        if let Some(file) = try_lock(path)? {
            return Ok(Some(file));
        }
        if !told {
            reporter.note(waiting);
            told = true;
        }
        if reporter.cancelled() {
            return Err(Error::interrupted("Waiting"));
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Locks a file for one process alone, unless it is locked.
pub(crate) fn try_lock(path: &Path) -> Result<Option<File>, Error> {
    let file = open_lock(path)?;
    match file.try_lock() {
        // Somebody who swept may have removed the file between the two calls: a lock on a removed file guards nothing.
        Ok(()) if same_file(&file, path) => Ok(Some(file)),
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", path, &error)),
    }
}

/// Locks a file together with other readers, unless somebody has it alone.
pub(crate) fn try_lock_shared(path: &Path) -> Result<Option<File>, Error> {
    // Readers of a template that an administrator made may not write to its lock, and need not.
    let file = open_lock(path).or_else(|error| File::open(path).map_err(|_| error))?;
    match file.try_lock_shared() {
        Ok(()) if same_file(&file, path) => Ok(Some(file)),
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", path, &error)),
    }
}

#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.ino() == named.ino() && open.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same_file(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_copy_keeps_names_contents_and_times_also_with_spaces_in_paths() {
        let folder = Folder::new("copy me");
        folder.write("from here/a b/file one", "content");
        folder.write("from here/empty", "");
        let past = SystemTime::now() - Duration::from_hours(24);
        let file = folder.path().join("from here/a b/file one");
        File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(past)
            .unwrap();
        let to = folder.path().join("to there");
        copy_dir(&folder.path().join("from here"), &to).unwrap();
        assert_eq!(fs::read(to.join("a b/file one")).unwrap(), b"content");
        let copied = fs::metadata(to.join("a b/file one"))
            .unwrap()
            .modified()
            .unwrap();
        assert_eq!(copied, fs::metadata(&file).unwrap().modified().unwrap());
        assert_eq!(
            files_below(&to).unwrap(),
            files_below(&folder.path().join("from here")).unwrap()
        );
        assert_eq!(size(&to), 7);
    }

    #[cfg(unix)]
    #[test]
    fn a_read_only_file_is_copied_with_its_time_and_stays_read_only() {
        let folder = Folder::new("read-only");
        folder.write("from/file", "x");
        let file = folder.path().join("from/file");
        File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&file, permissions).unwrap();
        copy_dir(&folder.path().join("from"), &folder.path().join("to")).unwrap();
        let copied = fs::metadata(folder.path().join("to/file")).unwrap();
        assert!(copied.permissions().readonly());
        assert_eq!(copied.modified().unwrap(), SystemTime::UNIX_EPOCH);
    }

    #[cfg(unix)]
    #[test]
    fn a_private_folder_that_others_may_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("private");
        let path = folder.path().join("builds");
        create_private(&path).unwrap();
        create_private(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(create_private(&path).is_err());
    }

    #[test]
    fn a_copy_never_lands_in_a_folder_that_exists() {
        let folder = Folder::new("exists");
        folder.write("from/file", "x");
        folder.write("to/file", "mine");
        assert!(copy_dir(&folder.path().join("from"), &folder.path().join("to")).is_err());
        assert_eq!(fs::read(folder.path().join("to/file")).unwrap(), b"mine");
    }

    #[test]
    fn a_lock_is_held_until_its_file_is_dropped() {
        let folder = Folder::new("lock");
        let path = folder.path().join("lock");
        let held = try_lock(&path).unwrap();
        assert!(held.is_some());
        assert!(try_lock(&path).unwrap().is_none());
        assert!(try_lock_shared(&path).unwrap().is_none());
        drop(held);
        let reader = try_lock_shared(&path).unwrap();
        assert!(reader.is_some() && try_lock_shared(&path).unwrap().is_some());
        assert!(try_lock(&path).unwrap().is_none());
    }

    #[test]
    fn removing_a_folder_that_is_gone_is_no_error() {
        let folder = Folder::new("gone");
        remove_dir(&folder.path().join("never was")).unwrap();
    }
}
