use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files;
use crate::flavour::Flavour;
use crate::hash::Hash;

/// Where things are: the clone, its generated `.course` folder, and the cache that a user's clones share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
    cache: PathBuf,
    builds: PathBuf,
    kernels: PathBuf,
}

impl Layout {
    /// The layout of the clone at `root`, with the cache directory that the environment names.
    ///
    /// # Errors
    /// When `root` cannot be made absolute, or no cache directory can be derived.
    pub fn new(root: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::with_cache(root, cache_dir(&|name| env::var_os(name))?)
    }

    /// The layout of the clone at `root`, with this cache directory.
    ///
    /// # Errors
    /// When one of the two cannot be made absolute.
    pub fn with_cache(root: impl Into<PathBuf>, cache: impl Into<PathBuf>) -> Result<Self, Error> {
        let absolute = |path: PathBuf| {
            std::path::absolute(&path).map_err(|error| Error::io("find", &path, &error))
        };
        let cache = absolute(cache.into())?;
        let builds = builds_dir(&cache, &env::temp_dir());
        Ok(Self {
            root: absolute(root.into())?,
            kernels: kernels_dir(&builds),
            builds,
            cache,
        })
    }

    /// The layout of the clone that the current directory lies in, or else of the one this program was run from by cargo.
    ///
    /// # Errors
    /// When neither is a clone of Moments.
    pub fn discover() -> Result<Self, Error> {
        let here = env::current_dir().ok();
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        for start in [here, manifest].into_iter().flatten() {
            if let Some(root) = start.ancestors().find(|folder| is_clone(folder)) {
                return Self::new(root);
            }
        }
        Err(Error::failed(
            "This folder is not inside a clone of Moments: change into the clone and run the command again.",
        ))
    }

    /// The clone.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is generated for this clone alone: `.course`.
    pub fn course(&self) -> PathBuf {
        self.root.join(".course")
    }

    /// What all clones of a user share.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The Python environment of the clone.
    pub fn venv(&self) -> PathBuf {
        self.course().join("venv")
    }

    /// The Python of the clone's environment.
    pub fn python(&self) -> PathBuf {
        self.venv_bin("python")
    }

    /// A program of the clone's Python environment, such as `jupyter-lab`.
    pub fn venv_bin(&self, name: &str) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.venv().join(folder).join(executable(name))
    }

    /// Where `cargo install --root` puts the tools of the course.
    pub fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// A tool of the course, such as `evcxr_jupyter` or `mdbook`.
    pub fn tools_bin(&self, name: &str) -> PathBuf {
        self.tools().join("bin").join(executable(name))
    }

    /// The program that Jupyter starts for a kernel.
    pub fn launcher(&self) -> PathBuf {
        self.course().join("bin").join(executable("moments-kernel"))
    }

    /// The folder of a kernel's spec.
    pub fn kernelspec(&self, flavour: Flavour) -> PathBuf {
        self.jupyter_data()
            .join("kernels")
            .join(flavour.kernel_name())
    }

    /// Where kernels compile: the cache, or a folder for temporary files when the cache's path has a space in it.
    pub(crate) fn builds(&self) -> &Path {
        &self.builds
    }

    /// Warm templates, one folder per key.
    pub fn templates(&self) -> PathBuf {
        self.builds.join("templates")
    }

    /// The directories of running kernels: beside the templates, or in this user's own cache where the shared one is read-only.
    pub fn kernels(&self) -> PathBuf {
        self.kernels.clone()
    }

    /// Makes the folder of [`kernels`](Self::kernels) where it does not lie beside the templates.
    pub(crate) fn prepare_kernels(&self) -> Result<(), Error> {
        let Some(own) = self.kernels.parent().filter(|own| *own != self.builds) else {
            return Ok(());
        };
        if has_space(own) {
            return Err(Error::failed(format!(
                "The kernel cannot compile below a path with a space, and {} has one: set TMPDIR to a folder without.",
                own.display()
            )));
        }
        if own.starts_with(env::temp_dir()) {
            files::create_private(own)?;
        }
        std::fs::create_dir_all(&self.kernels)
            .map_err(|error| Error::io("create", &self.kernels, &error))
    }

    /// What was installed out of a clone, one small file each.
    pub(crate) fn installs(&self) -> PathBuf {
        self.cache.join("installs")
    }

    fn jupyter_data(&self) -> PathBuf {
        self.course().join("share").join("jupyter")
    }

    /// Where Jupyter says what runs.
    pub(crate) fn jupyter_runtime(&self) -> PathBuf {
        self.course().join("jupyter").join("runtime")
    }

    pub(crate) fn jupyter_config(&self) -> PathBuf {
        self.course().join("jupyter").join("config")
    }

    /// The environment in which Jupyter sees the course's kernel, and neither reads nor changes the user's own Jupyter.
    pub fn jupyter_env(&self) -> Vec<(&'static str, OsString)> {
        let jupyter = self.course().join("jupyter");
        vec![
            ("JUPYTER_PATH", self.jupyter_data().into()),
            ("JUPYTER_DATA_DIR", jupyter.join("data").into()),
            ("JUPYTER_RUNTIME_DIR", self.jupyter_runtime().into()),
            ("JUPYTER_CONFIG_DIR", self.jupyter_config().into()),
            ("JUPYTER_PLATFORM_DIRS", "1".into()),
        ]
    }
}

fn is_clone(folder: &Path) -> bool {
    folder.join("crates/kernel/Cargo.toml").is_file()
        && folder.join("crates/moments/Cargo.toml").is_file()
}

pub(crate) fn has_space(path: &Path) -> bool {
    path.to_string_lossy().contains(char::is_whitespace)
}

/// evcxr sends the path of a compiled cell and the name of its function in one line, with a space between them.
fn builds_dir(cache: &Path, temporary: &Path) -> PathBuf {
    if has_space(cache) {
        let name = Hash::new().part(cache.to_string_lossy().as_bytes()).hex();
        temporary.join(format!("moments-{}", &name[..16]))
    } else {
        cache.to_path_buf()
    }
}

/// Kernels compile beside the templates, unless an administrator made those for everybody.
fn kernels_dir(builds: &Path) -> PathBuf {
    let shared = builds.join("kernels");
    if files::is_writable(&shared) {
        return shared;
    }
    let temporary = env::temp_dir();
    let own = own_cache_dir(&|name| env::var_os(name)).map_or_else(
        |_| temporary.join("moments"),
        |cache| builds_dir(&cache, &temporary),
    );
    own.join("kernels")
}

/// The file name of a program on this system.
pub(crate) fn executable(name: &str) -> String {
    format!("{name}{}", env::consts::EXE_SUFFIX)
}

fn cache_dir(variable: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf, Error> {
    let set = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = set("MOMENTS_CACHE_DIR") {
        return Ok(folder);
    }
    own_cache_dir(variable)
}

/// The cache that the system gives every user.
fn own_cache_dir(variable: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf, Error> {
    let set = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = set("XDG_CACHE_HOME").filter(|folder| folder.is_absolute()) {
        return Ok(folder.join("moments"));
    }
    let base = if cfg!(windows) {
        set("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        set("HOME").map(|home| home.join("Library/Caches"))
    } else {
        set("HOME").map(|home| home.join(".cache"))
    };
    base.map(|base| base.join("moments")).ok_or_else(|| {
        Error::failed(
            "No home directory is known, so there is no place for the cache: set MOMENTS_CACHE_DIR to a folder.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<OsString> {
        move |name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).into())
        }
    }

    #[test]
    fn the_named_cache_directory_wins_over_the_system_one() {
        let both = with(&[
            ("MOMENTS_CACHE_DIR", "/a b"),
            ("XDG_CACHE_HOME", "/x"),
            ("HOME", "/h"),
        ]);
        assert_eq!(cache_dir(&both).unwrap(), PathBuf::from("/a b"));
        let xdg = with(&[
            ("MOMENTS_CACHE_DIR", ""),
            ("XDG_CACHE_HOME", "/x"),
            ("HOME", "/h"),
        ]);
        assert_eq!(cache_dir(&xdg).unwrap(), PathBuf::from("/x/moments"));
    }

    #[test]
    fn kernels_compile_in_a_path_without_spaces_also_when_the_cache_has_one() {
        let temporary = Path::new("/tmp");
        let plain = builds_dir(Path::new("/home/me/.cache/moments"), temporary);
        assert_eq!(plain, Path::new("/home/me/.cache/moments"));
        let moved = builds_dir(Path::new("/home/my name/moments"), temporary);
        assert!(
            moved.starts_with("/tmp/") && !has_space(&moved),
            "{moved:?}"
        );
        assert_ne!(
            moved,
            builds_dir(Path::new("/home/your name/moments"), temporary)
        );
    }

    #[test]
    fn without_a_home_the_error_names_the_variable_to_set() {
        let error = cache_dir(&with(&[])).unwrap_err().to_string();
        assert!(error.contains("MOMENTS_CACHE_DIR"), "{error}");
    }

    #[test]
    fn everything_generated_for_a_clone_lies_in_its_course_folder() {
        let layout = Layout::with_cache("/tmp/my clone", "/tmp/cache").unwrap();
        for path in [
            layout.venv(),
            layout.launcher(),
            layout.kernelspec(Flavour::Nalgebra),
        ] {
            assert!(path.starts_with("/tmp/my clone/.course"), "{path:?}");
        }
        for (name, value) in layout.jupyter_env() {
            if name != "JUPYTER_PLATFORM_DIRS" {
                assert!(
                    Path::new(&value).starts_with("/tmp/my clone/.course"),
                    "{name}"
                );
            }
        }
    }
}
