use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::error::Error;
use crate::exec;
use crate::files;
use crate::flavour::Flavour;
use crate::hash::Hash;
use crate::layout::Layout;
use crate::report::{Reporter, State};

/// The kernelspec of the clone's own JupyterLab.
pub(crate) fn spec(layout: &Layout, flavour: Flavour) -> Value {
    json!({
        "argv": [
            layout.launcher().to_string_lossy(),
            "launch",
            "--root",
            layout.root().to_string_lossy(),
            "--kernel",
            flavour.kernel_name(),
            "{connection_file}",
        ],
        "display_name": flavour.display_name(),
        "language": "rust",
        // The launcher takes the signal; the message would kill the process that holds the notebook's variables.
        "interrupt_mode": if cfg!(unix) { "signal" } else { "message" },
        "metadata": { "kernel_provisioner": { "provisioner_name": "moments-pool" } },
        // A kernel started by an editor must find the cache that the set-up used.
        "env": { "MOMENTS_CACHE_DIR": layout.cache().to_string_lossy() },
    })
}

/// The course's JupyterLab offers the course's kernels alone, so that nobody starts a notebook on another by accident.
fn server_config() -> Value {
    json!({
        "ServerApp": { "jpserver_extensions": { "moments_pool": true } },
        "KernelSpecManager": { "ensure_native_kernel": false, "allowed_kernelspecs": Flavour::ALL.map(Flavour::kernel_name) },
    })
}

fn server_config_path(layout: &Layout) -> PathBuf {
    layout.jupyter_config().join("jupyter_server_config.json")
}

/// Says from which sources the launcher was built; written after it.
fn stamp(layout: &Layout) -> PathBuf {
    layout.launcher().with_file_name("moments-kernel.stamp")
}

fn fingerprint(layout: &Layout) -> Result<String, Error> {
    let folder = layout.root().join("crates/kernel");
    let mut hash = Hash::new();
    for file in files::files_below(&folder)? {
        if file.starts_with("src")
            || file
                .extension()
                .is_some_and(|extension| extension == "toml")
        {
            let path = folder.join(&file);
            let content = fs::read(&path).map_err(|error| Error::io("read", &path, &error))?;
            hash = hash.part(file.to_string_lossy().as_bytes()).part(&content);
        }
    }
    Ok(hash.hex())
}

pub(crate) fn check(layout: &Layout) -> State {
    let read = |path: PathBuf| -> Option<Value> {
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    };
    for flavour in Flavour::ALL {
        let Some(found) = read(layout.kernelspec(flavour).join("kernel.json")) else {
            return State::missing(format!(
                "The kernel \"{}\" is not registered for this clone.",
                flavour.display_name()
            ));
        };
        if found != spec(layout, flavour)
            || read(server_config_path(layout)) != Some(server_config())
        {
            return State::missing(
                "The kernel is registered for another place: the clone or its cache was moved.",
            );
        }
    }
    let built = fs::read_to_string(stamp(layout)).ok();
    if !layout.launcher().is_file() || built.is_none() || built != fingerprint(layout).ok() {
        return State::missing("The kernel's launcher has to be built.");
    }
    State::present(
        env!("CARGO_PKG_VERSION"),
        layout.kernelspec(Flavour::Plain).display(),
    )
}

/// Builds the launcher from the clone's sources; tells where cargo put it.
pub(crate) fn build_launcher(
    layout: &Layout,
    reporter: &mut dyn Reporter,
) -> Result<PathBuf, Error> {
    reporter.progress("building the launcher");
    let mut program = None;
    exec::run(
        "Building the kernel's launcher",
        Command::new("cargo")
            .args([
                "build",
                "--package",
                "moments-kernel",
                "--bin",
                "moments-kernel",
            ])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(layout.root()),
        reporter,
        &mut |line, reporter| match executable(line) {
            Some(path) => program = Some(path),
            None if line.trim_start().starts_with("Compiling") => reporter.progress(line.trim()),
            None => {}
        },
    )?;
    program.ok_or_else(|| Error::failed("cargo built the kernel's launcher and did not say where."))
}

pub(crate) fn run(layout: &Layout, reporter: &mut dyn Reporter) -> Result<(), Error> {
    let fingerprint = fingerprint(layout)?;
    let program = build_launcher(layout, reporter)?;
    let content = fs::read(&program).map_err(|error| Error::io("read", &program, &error))?;
    let launcher = layout.launcher();
    exec::write_atomic(&launcher, &content)?;
    make_executable(&launcher)?;
    exec::write_atomic(&stamp(layout), fingerprint.as_bytes())?;
    let pretty = |value: &Value| format!("{value:#}\n").into_bytes();
    exec::write_atomic(&server_config_path(layout), &pretty(&server_config()))?;
    for flavour in Flavour::ALL {
        exec::write_atomic(
            &layout.kernelspec(flavour).join("kernel.json"),
            &pretty(&spec(layout, flavour)),
        )?;
    }
    Ok(())
}

/// The program that a line of cargo's JSON messages announces.
fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let path = message.get("executable")?.as_str()?;
    (message["target"]["name"] == "moments-kernel").then(|| PathBuf::from(path))
}

#[cfg(unix)]
pub(crate) fn make_executable(path: &std::path::Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .map_err(|error| Error::io("make executable", path, &error))
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn make_executable(_path: &std::path::Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernelspec_starts_the_launcher_of_this_clone_also_with_spaces_in_its_path() {
        let layout = Layout::with_cache("/tmp/my clone", "/tmp/my cache").unwrap();
        let spec = spec(&layout, Flavour::Nalgebra);
        assert_eq!(
            spec["argv"][0],
            layout.launcher().to_string_lossy().as_ref()
        );
        assert_eq!(spec["argv"][3], "/tmp/my clone");
        assert_eq!(spec["env"]["MOMENTS_CACHE_DIR"], "/tmp/my cache");
        assert_eq!(spec["argv"][5], "moments-nalgebra");
        assert_eq!(spec["display_name"], "Rust (Moments + nalgebra)");
    }

    #[test]
    fn cargos_message_about_the_launcher_is_told_from_the_others() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"moments-kernel"},"executable":"/t/moments-kernel"}"#;
        assert_eq!(executable(line), Some(PathBuf::from("/t/moments-kernel")));
        assert_eq!(
            executable(r#"{"target":{"name":"x"},"executable":"/t/x"}"#),
            None
        );
        assert_eq!(executable("   Compiling x"), None);
    }

    #[test]
    fn a_moved_clone_is_noticed() {
        let folder = crate::testing::Folder::new("spec");
        let layout = Layout::with_cache(folder.path(), folder.cache()).unwrap();
        folder.write(
            ".course/share/jupyter/kernels/moments/kernel.json",
            &spec(
                &Layout::with_cache("/elsewhere", "/cache").unwrap(),
                Flavour::Plain,
            )
            .to_string(),
        );
        let State::Missing { reason } = check(&layout) else {
            panic!()
        };
        assert!(reason.contains("moved"), "{reason}");
    }
}
