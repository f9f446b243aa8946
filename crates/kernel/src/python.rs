use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::error::{Error, Kind};
use crate::exec;
use crate::files;
use crate::hash::Hash;
use crate::layout::Layout;
use crate::report::{Reporter, State};

/// Keeps a kernel waiting; see the file.
const POOL: &str = include_str!("../python/moments_pool.py");
const POOL_ENTRY_POINTS: &str =
    "[jupyter_client.kernel_provisioners]\nmoments-pool = moments_pool:PoolProvisioner\n";
const POOL_METADATA: &str = "Metadata-Version: 2.1\nName: moments-pool\nVersion: 0.1.0\n";

const REQUIREMENTS: &str = include_str!("../requirements.txt");
const OLDEST: (u32, u32) = (3, 10);

/// Says which requirements a finished environment has; written last.
fn stamp(layout: &Layout) -> PathBuf {
    layout.venv().join("moments-complete")
}

fn fingerprint() -> String {
    [REQUIREMENTS, POOL, POOL_ENTRY_POINTS]
        .iter()
        .fold(Hash::new(), |hash, text| hash.part(text.as_bytes()))
        .hex()
}

pub(crate) fn check(layout: &Layout) -> State {
    let python = layout.python();
    if !python.is_file() {
        return State::missing("JupyterLab is not installed for this clone.");
    }
    match fs::read_to_string(stamp(layout)) {
        Err(_) => return State::missing("The installation of JupyterLab was interrupted."),
        Ok(stamp) if stamp.trim() != fingerprint() => {
            return State::missing("JupyterLab was installed for another version of the course.");
        }
        Ok(_) => {}
    }
    // A virtual environment breaks when the Python it was made from goes away, or when the clone moves.
    let script = "import sys; print('%d.%d.%d' % sys.version_info[:3]); print(sys.prefix)";
    let Some(answer) = exec::capture(Command::new(&python).args(["-I", "-c", script])) else {
        return State::missing("The Python of this clone's environment no longer starts.");
    };
    let home = fs::read_to_string(stamp_of_place(layout)).unwrap_or_default();
    if home.trim() != layout.venv().to_string_lossy() {
        return State::missing("The clone was moved since JupyterLab was installed.");
    }
    let version = answer.lines().next().unwrap_or_default();
    State::present(
        format!("JupyterLab {} on Python {version}", pinned("jupyterlab")),
        layout.venv().display(),
    )
}

/// Where the environment was when it was made; its scripts hold that path.
fn stamp_of_place(layout: &Layout) -> PathBuf {
    layout.venv().join("moments-place")
}

/// Puts the provisioner among the environment's packages, where Jupyter finds it by its entry point.
fn install_pool(layout: &Layout) -> Result<(), Error> {
    let script = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let folder = exec::capture(Command::new(layout.python()).args(["-I", "-c", script]))
        .ok_or_else(|| Error::failed("The Python of this clone's environment does not start."))?;
    let packages = PathBuf::from(folder.trim());
    let info = packages.join("moments_pool-0.1.0.dist-info");
    exec::write_atomic(&packages.join("moments_pool.py"), POOL.as_bytes())?;
    exec::write_atomic(&info.join("METADATA"), POOL_METADATA.as_bytes())?;
    exec::write_atomic(&info.join("entry_points.txt"), POOL_ENTRY_POINTS.as_bytes())
}

/// The version that the requirements pin for a package.
fn pinned(package: &str) -> &'static str {
    REQUIREMENTS
        .lines()
        .find_map(|line| line.strip_prefix(package)?.strip_prefix("=="))
        .map_or("", |rest| rest.split(';').next().unwrap_or(rest).trim())
}

pub(crate) fn run(layout: &Layout, reporter: &mut dyn Reporter) -> Result<(), Error> {
    let base = find_python()?;
    let venv = layout.venv();
    if venv.exists() {
        files::remove_dir(&venv)?;
    }
    fs::create_dir_all(layout.course())
        .map_err(|error| Error::io("create", &layout.course(), &error))?;
    reporter.progress("creating the environment");
    exec::run(
        "Creating the Python environment",
        base.command().args(["-m", "venv"]).arg(&venv),
        reporter,
        &mut |_, _| (),
    )?;
    let requirements = layout.course().join("requirements.txt");
    exec::write_atomic(&requirements, REQUIREMENTS.as_bytes())?;
    let total = REQUIREMENTS
        .lines()
        .filter(|line| line.contains("=="))
        .count();
    let mut collected = 0;
    exec::run(
        "Installing JupyterLab",
        Command::new(layout.python())
            .args([
                "-m",
                "pip",
                "install",
                "--no-input",
                "--disable-pip-version-check",
                "--progress-bar",
                "off",
                "-r",
            ])
            .arg(&requirements)
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME"),
        reporter,
        &mut |line, reporter| {
            if let Some(rest) = line.strip_prefix("Collecting ") {
                collected += 1;
                let name = rest.split(['=', ' ', '<', '>', ';']).next().unwrap_or(rest);
                reporter.progress(&format!(
                    "fetching package {} of {total} ({name})",
                    collected.min(total)
                ));
            } else if line.starts_with("Installing collected") {
                reporter.progress(&format!("unpacking {total} packages"));
            }
        },
    )?;
    install_pool(layout)?;
    exec::write_atomic(&stamp_of_place(layout), venv.to_string_lossy().as_bytes())?;
    exec::write_atomic(&stamp(layout), fingerprint().as_bytes())
}

/// A Python of the system.
struct Python {
    program: PathBuf,
    arguments: &'static [&'static str],
}

impl Python {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(self.arguments)
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME");
        command
    }
}

fn find_python() -> Result<Python, Error> {
    let candidates: &[(&str, &'static [&'static str])] = if cfg!(windows) {
        &[("py", &["-3"]), ("python", &[])]
    } else {
        &[
            ("python3", &[]),
            ("python3.14", &[]),
            ("python3.13", &[]),
            ("python3.12", &[]),
            ("python3.11", &[]),
            ("python", &[]),
        ]
    };
    let mut too_old = None;
    for (name, arguments) in candidates {
        let Some(program) = exec::on_path(name) else {
            continue;
        };
        let python = Python { program, arguments };
        let script = "import sys; print('%d %d' % sys.version_info[:2])";
        let Some(version) = exec::capture(python.command().args(["-c", script])) else {
            continue;
        };
        match parse(&version) {
            Some(version) if version >= OLDEST => {
                if exec::capture(python.command().args(["-c", "import venv, ensurepip"])).is_none()
                {
                    return Err(Error::new(
                        Kind::NoPython,
                        format!(
                            "Python {}.{} lacks the modules venv and ensurepip. \
                             On Debian and Ubuntu: `sudo apt install python3-venv`; then start again.",
                            version.0, version.1
                        ),
                    ));
                }
                return Ok(python);
            }
            Some(version) => too_old = Some(version),
            None => {}
        }
    }
    Err(missing(too_old))
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn missing(too_old: Option<(u32, u32)>) -> Error {
    let found = match too_old {
        Some((major, minor)) => format!("Python {major}.{minor} is too old for JupyterLab"),
        None => "Python was not found".to_owned(),
    };
    Error::new(
        Kind::NoPython,
        format!(
            "{found}: install Python {}.{} or newer (https://www.python.org/downloads, or your system's package python3) and start again. \
             The book and the exercises need no Python.",
            OLDEST.0, OLDEST.1
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_python_and_no_python_get_different_sentences() {
        assert!(
            missing(Some((3, 8)))
                .to_string()
                .contains("Python 3.8 is too old")
        );
        assert!(missing(None).to_string().contains("was not found"));
        assert_eq!(parse("3 11"), Some((3, 11)));
    }

    #[test]
    fn every_requirement_is_pinned_exactly_and_names_no_host() {
        let mut count = 0;
        for line in REQUIREMENTS
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
        {
            assert!(line.contains("=="), "{line}");
            assert!(!line.contains("://") && !line.starts_with('-'), "{line}");
            count += 1;
        }
        assert!(count > 50);
        assert!(!pinned("jupyterlab").is_empty());
    }

    #[test]
    fn an_environment_without_its_stamp_is_an_interrupted_installation() {
        let folder = crate::testing::Folder::new("venv");
        let layout = Layout::with_cache(folder.path(), folder.cache()).unwrap();
        assert!(!check(&layout).is_present());
        fs::create_dir_all(layout.python().parent().unwrap()).unwrap();
        fs::write(layout.python(), "").unwrap();
        let State::Missing { reason } = check(&layout) else {
            panic!()
        };
        assert!(reason.contains("interrupted"), "{reason}");
    }
}
