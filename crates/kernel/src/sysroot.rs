//! The source of the standard library, cut down to what type inference needs.
//!
//! At every start the kernel's rust-analyzer reads the standard library: with all its dependencies, the intrinsics of every
//! processor among them, that is half of the time until the first cell. Here are `core`, `alloc`, `std`, and the hash table
//! that `std` wraps, as a workspace of four packages. What is missed is inference for `std::arch` and `std::simd`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::error::Error;
use crate::exec;
use crate::files;
use crate::report::Reporter;
use crate::rust_src;

/// The packages and what each depends on.
const PACKAGES: [(&str, &[&str]); 4] = [
    ("core", &[]),
    ("alloc", &["core"]),
    ("hashbrown", &["core", "alloc"]),
    ("std", &["core", "alloc", "hashbrown"]),
];

/// The features with which `std` builds its hash table.
const HASH_FEATURES: [&str; 3] = ["nightly", "rustc-dep-of-std", "rustc-internal-api"];

/// Writes the source into `folder`. A failure is no error: the kernel then reads the whole standard library, more slowly.
pub(crate) fn write(folder: &Path, reporter: &mut dyn Reporter) {
    let Some(library) = rust_src::find() else {
        return;
    };
    if let Err(error) = try_write(folder, &library, reporter) {
        reporter.note(&format!("{error} Kernels will start a little more slowly."));
        let _ = files::remove_dir(folder);
    }
}

fn try_write(folder: &Path, library: &Path, reporter: &mut dyn Reporter) -> Result<(), Error> {
    reporter.progress("reading the standard library's source");
    let hash_table = hash_table(folder, library, reporter)?;
    files::remove_dir(folder)?;
    for (name, needs) in PACKAGES {
        let package = folder.join(name);
        fs::create_dir_all(&package).map_err(|error| Error::io("create", &package, &error))?;
        let from = if name == "hashbrown" {
            hash_table.clone()
        } else {
            library.join(name)
        };
        files::copy_dir(&from.join("src"), &package.join("src"))?;
        let edition = edition(&from).unwrap_or_else(|| "2024".to_owned());
        exec::write_atomic(
            &package.join("Cargo.toml"),
            manifest(name, &edition, needs).as_bytes(),
        )?;
    }
    exec::write_atomic(&folder.join("Cargo.toml"), workspace().as_bytes())?;
    exec::run(
        "Reading the standard library's source",
        exec::clean_command("cargo")
            .args(["generate-lockfile", "--offline"])
            .current_dir(folder),
        reporter,
        &mut |_, _| (),
    )
}

fn workspace() -> String {
    let mut workspace = Table::new();
    let members = PACKAGES
        .iter()
        .map(|(name, _)| Value::from(*name))
        .collect();
    workspace.insert("resolver".to_owned(), Value::from("2"));
    workspace.insert("members".to_owned(), Value::Array(members));
    let mut manifest = Table::new();
    manifest.insert("workspace".to_owned(), Value::Table(workspace));
    manifest.to_string()
}

fn manifest(name: &str, edition: &str, needs: &[&str]) -> String {
    let mut package = Table::new();
    for (key, value) in [("name", name), ("version", "0.0.0"), ("edition", edition)] {
        package.insert(key.to_owned(), Value::from(value));
    }
    let mut dependencies = Table::new();
    for need in needs {
        let mut path = Table::new();
        path.insert("path".to_owned(), Value::from(format!("../{need}")));
        dependencies.insert((*need).to_owned(), Value::Table(path));
    }
    let mut manifest = Table::new();
    manifest.insert("package".to_owned(), Value::Table(package));
    manifest.insert("dependencies".to_owned(), Value::Table(dependencies));
    if name == "hashbrown" {
        let mut features = Table::new();
        let all: Vec<Value> = HASH_FEATURES
            .iter()
            .map(|feature| Value::from(*feature))
            .collect();
        for feature in HASH_FEATURES {
            features.insert(feature.to_owned(), Value::Array(Vec::new()));
        }
        features.insert("default".to_owned(), Value::Array(all));
        manifest.insert("features".to_owned(), Value::Table(features));
    }
    manifest.to_string()
}

fn edition(package: &Path) -> Option<String> {
    let manifest: Table = fs::read_to_string(package.join("Cargo.toml"))
        .ok()?
        .parse()
        .ok()?;
    Some(
        manifest
            .get("package")?
            .get("edition")?
            .as_str()?
            .to_owned(),
    )
}

/// The source of the hash table, at the version that the standard library locks: beside it, in cargo's cache, or fetched.
fn hash_table(
    folder: &Path,
    library: &Path,
    reporter: &mut dyn Reporter,
) -> Result<PathBuf, Error> {
    let version = locked_version(library)
        .ok_or_else(|| Error::failed("The standard library's Cargo.lock names no hash table."))?;
    if let Some(found) = find_hash_table(library, &version) {
        return Ok(found);
    }
    let fetch = folder.with_file_name("fetch");
    let manifest = format!(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nhashbrown = \"={version}\"\n"
    );
    exec::write_atomic(&fetch.join("Cargo.toml"), manifest.as_bytes())?;
    exec::write_atomic(&fetch.join("src/lib.rs"), b"")?;
    let fetched = exec::run(
        "Fetching the standard library's hash table",
        exec::clean_command("cargo")
            .arg("fetch")
            .current_dir(&fetch),
        reporter,
        &mut |_, _| (),
    );
    files::remove_dir(&fetch)?;
    fetched?;
    find_hash_table(library, &version).ok_or_else(|| {
        Error::failed("cargo fetched the standard library's hash table and it is not in its cache.")
    })
}

fn locked_version(library: &Path) -> Option<String> {
    let lock: Table = fs::read_to_string(library.join("Cargo.lock"))
        .ok()?
        .parse()
        .ok()?;
    let packages = lock.get("package")?.as_array()?;
    let package = packages
        .iter()
        .find(|package| package.get("name").and_then(Value::as_str) == Some("hashbrown"))?;
    Some(package.get("version")?.as_str()?.to_owned())
}

fn find_hash_table(library: &Path, version: &str) -> Option<PathBuf> {
    let name = format!("hashbrown-{version}");
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cargo")))?;
    let registries = files::read_dir(&home.join("registry/src")).unwrap_or_default();
    [library.join("vendor").join(&name)]
        .into_iter()
        .chain(registries.into_iter().map(|entry| entry.path().join(&name)))
        .find(|folder| folder.join("src/lib.rs").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Quiet;
    use crate::testing::Folder;

    fn library(folder: &Folder) -> PathBuf {
        for name in ["core", "alloc", "std", "vendor/hashbrown-9.9.9"] {
            folder.write(&format!("library/{name}/src/lib.rs"), "");
            folder.write(
                &format!("library/{name}/Cargo.toml"),
                "[package]\nedition = \"2021\"\n",
            );
        }
        folder.write("library/stdarch/crates/core_arch/src/lib.rs", "");
        folder.write(
            "library/Cargo.lock",
            "[[package]]\nname = \"hashbrown\"\nversion = \"9.9.9\"\n",
        );
        folder.path().join("library")
    }

    #[test]
    fn the_cut_down_library_is_a_valid_workspace_without_intrinsics() {
        let folder = Folder::new("sysroot");
        let library = library(&folder);
        let to = folder.path().join("cut down");
        try_write(&to, &library, &mut Quiet).unwrap();
        for (name, _) in PACKAGES {
            assert!(to.join(name).join("src/lib.rs").is_file(), "{name}");
        }
        assert!(!to.join("stdarch").exists());
        assert_eq!(edition(&to.join("std")).as_deref(), Some("2021"));
        let lock = fs::read_to_string(to.join("Cargo.lock")).unwrap();
        assert!(lock.contains("name = \"hashbrown\""), "{lock}");
    }

    #[test]
    fn without_a_lock_the_whole_library_is_used_instead() {
        let folder = Folder::new("no sysroot");
        let library = library(&folder);
        fs::remove_file(library.join("Cargo.lock")).unwrap();
        let to = folder.path().join("cut down");
        assert!(try_write(&to, &library, &mut Quiet).is_err());
        assert!(!to.exists());
    }
}
