//! Writing files so that nothing is lost: whole or not at all, and never over another one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replaces a file, or makes it: whatever happens, either the old bytes are there or the new ones.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    // The number of this process keeps two commands apart; the dot hides it from those who list exercises.
    let mut new = std::ffi::OsString::from(".");
    new.push(name);
    new.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(new);
    let written = write(&new, bytes).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    // A full disk may say so only now.
    file.sync_all()
}

/// Writes a file under the first of these names that is free: `name(1)`, `name(2)` and so on. Gives back where it is.
pub(crate) fn write_beside(
    folder: &Path,
    name: impl Fn(u32) -> String,
    bytes: &[u8],
) -> io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let path = folder.join(name(number));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let written = file.write_all(bytes).and_then(|()| file.sync_all());
                if let Err(error) = written {
                    drop(file);
                    let _ = fs::remove_file(&path);
                    return Err(error);
                }
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A folder of its own for a test, empty, which goes when the test does.
    pub(crate) struct Folder(pub(crate) PathBuf);

    impl Folder {
        pub(crate) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("moments-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path.canonicalize().unwrap())
        }

        pub(crate) fn write(&self, name: &str, text: &str) {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        pub(crate) fn read(&self, name: &str) -> String {
            fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = Folder::new("replace");
        let path = folder.0.join("a.json");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(folder.read("a.json"), "two");
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_replaced_stays_as_it_is() {
        let folder = Folder::new("replace-not");
        // A folder of that name cannot be replaced by a file.
        folder.write("a/b", "one");
        assert!(replace(&folder.0.join("a"), b"two").is_err());
        assert_eq!(folder.read("a/b"), "one");
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    }

    #[test]
    fn a_name_that_is_taken_is_left_alone() {
        let folder = Folder::new("beside");
        let name = |number| format!("old-{number}");
        for text in ["one", "two"] {
            write_beside(&folder.0, name, text.as_bytes()).unwrap();
        }
        assert_eq!(folder.read("old-1"), "one");
        assert_eq!(folder.read("old-2"), "two");
        assert!(write_beside(&folder.0.join("none"), name, b"").is_err());
    }
}
