//! Where Jupyter looks for kernelspecs: the folders that `jupyter --paths` lists under "data".

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Kind};
use crate::exec;

/// Where kernelspecs go, in the words of `jupyter kernelspec install`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Place {
    /// The folder of this user, which every Jupyter of theirs reads.
    #[default]
    User,
    /// Below this folder, in `share/jupyter`.
    Prefix(PathBuf),
    /// The Python environment that is active.
    SysPrefix,
}

impl Place {
    /// The folder of Jupyter's data there.
    ///
    /// # Errors
    /// When there is no home directory, or no Python to ask for its environment.
    pub(crate) fn data(&self) -> Result<PathBuf, Error> {
        let folder = match self {
            Self::User => user_data(&|name| env::var_os(name)).ok_or_else(|| {
                Error::failed(
                    "No home directory is known, so Jupyter has no folder for this user: set JUPYTER_DATA_DIR, or use --prefix FOLDER.",
                )
            })?,
            Self::Prefix(folder) => below(folder),
            Self::SysPrefix => below(&sys_prefix()?),
        };
        std::path::absolute(&folder).map_err(|error| Error::io("find", &folder, &error))
    }
}

fn below(prefix: &Path) -> PathBuf {
    prefix.join("share").join("jupyter")
}

/// As `jupyter_core.paths.jupyter_data_dir`.
fn user_data(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let platform = set("JUPYTER_PLATFORM_DIRS").is_some_and(|value| {
        !["0", "n", "no", "off", "false"]
            .iter()
            .any(|no| value.to_string_lossy().eq_ignore_ascii_case(no))
    });
    set("JUPYTER_DATA_DIR").or_else(|| {
        if cfg!(windows) {
            let base = if platform { "LOCALAPPDATA" } else { "APPDATA" };
            set(base).map(|folder| folder.join("jupyter"))
        } else if cfg!(target_os = "macos") {
            let folder = if platform {
                "Library/Application Support/jupyter"
            } else {
                "Library/Jupyter"
            };
            set("HOME").map(|home| home.join(folder))
        } else {
            set("XDG_DATA_HOME")
                .or_else(|| set("HOME").map(|home| home.join(".local/share")))
                .map(|folder| folder.join("jupyter"))
        }
    })
}

/// The first Python of the path: that of an activated environment, if one is.
fn python() -> Option<PathBuf> {
    let names: &[&str] = if cfg!(windows) {
        &["python"]
    } else {
        &["python3", "python"]
    };
    names.iter().find_map(|name| exec::on_path(name))
}

fn ask_python(script: &str) -> Option<String> {
    exec::capture(Command::new(python()?).args(["-c", script]))
}

fn sys_prefix() -> Result<PathBuf, Error> {
    ask_python("import sys; print(sys.prefix)")
        .map(PathBuf::from)
        .ok_or_else(|| {
            Error::new(
                Kind::NoPython,
                "There is no Python on the PATH whose environment --sys-prefix could mean: activate the environment, or use --prefix FOLDER.",
            )
        })
}

/// Whether the Jupyter of the active environment knows a way of starting kernels by this name.
/// Jupyter hides a kernelspec that names one it does not know.
pub(crate) fn has_provisioner(name: &str) -> bool {
    let script = format!(
        "from importlib.metadata import entry_points as e; \
         print('{name}' in [p.name for p in e(group='jupyter_client.kernel_provisioners')])"
    );
    ask_python(&script).as_deref() == Some("True")
}

/// Every folder that a Jupyter started from here reads, in its order.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = env::var_os("JUPYTER_PATH")
        .iter()
        .flat_map(env::split_paths)
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect();
    all.extend(Place::User.data().ok());
    all.extend(Place::SysPrefix.data().ok());
    if cfg!(unix) {
        all.extend(["/usr/local", "/usr"].map(|prefix| below(Path::new(prefix))));
    }
    let mut seen = Vec::new();
    for folder in all {
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        if !seen.contains(&folder) {
            seen.push(folder);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(pairs: &[(&str, &str)]) -> Option<PathBuf> {
        user_data(&|name| {
            let found = pairs.iter().find(|(key, _)| *key == name)?;
            Some(found.1.into())
        })
    }

    #[test]
    fn the_named_data_folder_wins_and_an_empty_name_is_none() {
        let named = user(&[("JUPYTER_DATA_DIR", "/a b"), ("HOME", "/h")]);
        assert_eq!(named, Some("/a b".into()));
        assert_eq!(
            user(&[("JUPYTER_DATA_DIR", ""), ("HOME", "/h")]),
            user(&[("HOME", "/h")])
        );
        assert_eq!(user(&[]), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn on_linux_the_data_folder_follows_xdg() {
        assert_eq!(
            user(&[("HOME", "/h")]),
            Some("/h/.local/share/jupyter".into())
        );
        assert_eq!(
            user(&[("HOME", "/h"), ("XDG_DATA_HOME", "/x")]),
            Some("/x/jupyter".into())
        );
    }

    #[test]
    fn a_prefix_is_taken_as_jupyter_takes_it() {
        let place = Place::Prefix("/opt/a b".into());
        assert_eq!(
            place.data().unwrap(),
            PathBuf::from("/opt/a b/share/jupyter")
        );
    }
}
