//! Folders for tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A temporary folder with a space in its name, and one without for a cache; both are removed when it is dropped.
pub(crate) struct Folder {
    path: PathBuf,
    cache: PathBuf,
}

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let path = std::env::temp_dir().join(format!("moments kernel {name} {process} {count}"));
        let cache = std::env::temp_dir().join(format!("moments-kernel-cache-{process}-{count}"));
        let _ = fs::remove_dir_all(&path);
        let _ = fs::remove_dir_all(&cache);
        fs::create_dir_all(&path).unwrap();
        Self { path, cache }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A folder that does not exist yet.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    pub(crate) fn write(&self, relative: &str, content: &str) {
        let path = self.path.join(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_dir_all(&self.cache);
    }
}
