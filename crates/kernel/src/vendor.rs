//! The registry's crates as a template holds them.
//!
//! A kernel runs cargo for every cell, twice where the last value has to be shown, and each time cargo reads the registry's index
//! entry of every crate in the lock file, for all platforms. A copy of each crate, without what other platforms need and with a
//! `[patch]` that points to it, halves that time; and the template no longer needs cargo's cache, which loses what was not used
//! for months. Crates that a learner adds still come from the registry.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use toml::{Table, Value};

use crate::error::Error;
use crate::exec;
use crate::files;
use crate::report::Reporter;

/// What belongs to the development of a crate, not to its use.
const UNNEEDED: [&str; 6] = [
    "dev-dependencies",
    "bench",
    "example",
    "test",
    "lints",
    "badges",
];

/// Copies the crates of these names and versions below `to`; tells the lines of cargo's settings that make it take them.
///
/// `source` is the workspace whose graph they are in, and `features` are the arguments that complete the graph.
pub(crate) fn copy(
    source: &Path,
    features: &[String],
    graph: &BTreeSet<(String, String)>,
    to: &Path,
    reporter: &mut dyn Reporter,
) -> Result<String, Error> {
    std::fs::create_dir_all(to).map_err(|error| Error::io("create", to, &error))?;
    let names: BTreeSet<&str> = graph.iter().map(|(name, _)| name.as_str()).collect();
    let mut settings = String::from("\n[patch.crates-io]\n");
    for (name, version, from) in packages(source, features, reporter)? {
        if !graph.contains(&(name.clone(), version)) {
            continue;
        }
        let folder = to.join(&name);
        files::copy_dir(&from, &folder)?;
        let path = folder.join("Cargo.toml");
        let manifest = trimmed(crate::template::read_toml(&path)?, &names);
        exec::write_atomic(&path, manifest.to_string().as_bytes())?;
        let _ = writeln!(
            settings,
            "{name} = {{ path = {} }}",
            Value::from(folder.to_string_lossy().as_ref())
        );
    }
    Ok(settings)
}

/// Name, version and folder of every crate of the registry that cargo sees for this machine.
fn packages(
    source: &Path,
    features: &[String],
    reporter: &mut dyn Reporter,
) -> Result<Vec<(String, String, PathBuf)>, Error> {
    let mut text = String::new();
    let mut command = exec::clean_command("cargo");
    command
        .args(["metadata", "--format-version=1"])
        .args(features)
        .current_dir(source);
    if let Some(host) = host() {
        command.args(["--filter-platform", &host]);
    }
    exec::run(
        "Finding the sources of the crates",
        &mut command,
        reporter,
        &mut |line, _| {
            if line.starts_with('{') {
                line.clone_into(&mut text);
            }
        },
    )?;
    let metadata: Json = serde_json::from_str(&text).map_err(|error| {
        Error::failed(format!(
            "cargo's description of the crates is not valid: {error}."
        ))
    })?;
    let of_registry = |package: &Json| {
        package["source"].as_str()?;
        let manifest = Path::new(package["manifest_path"].as_str()?);
        Some((
            package["name"].as_str()?.to_owned(),
            package["version"].as_str()?.to_owned(),
            manifest.parent()?.to_path_buf(),
        ))
    };
    let packages = metadata["packages"].as_array();
    Ok(packages
        .into_iter()
        .flatten()
        .filter_map(of_registry)
        .collect())
}

fn host() -> Option<String> {
    let version = exec::capture(exec::clean_command("rustc").arg("-vV"))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))?;
    Some(host.to_owned())
}

/// A manifest without what is for development, and without what other platforms than this one need.
fn trimmed(mut manifest: Table, graph: &BTreeSet<&str>) -> Table {
    for unneeded in UNNEEDED {
        manifest.remove(unneeded);
    }
    // Of a crate by path cargo would tell every warning again at every cell.
    let allow = Table::from_iter([("warnings".to_owned(), Value::from("allow"))]);
    let lints = Table::from_iter([("rust".to_owned(), Value::Table(allow))]);
    manifest.insert("lints".to_owned(), Value::Table(lints));
    let mut gone: BTreeSet<String> = BTreeSet::new();
    if let Some(Value::Table(targets)) = manifest.get_mut("target") {
        for (_, target) in targets.iter_mut() {
            let Value::Table(target) = target else {
                continue;
            };
            target.remove("dev-dependencies");
            for section in ["dependencies", "build-dependencies"] {
                let Some(Value::Table(dependencies)) = target.get_mut(section) else {
                    continue;
                };
                dependencies.retain(|name, of| {
                    let package = of.get("package").and_then(Value::as_str).unwrap_or(name);
                    // What is optional may be asked for by a crate that a learner adds.
                    let optional = of.get("optional").and_then(Value::as_bool) == Some(true);
                    let kept = optional || graph.contains(package);
                    if !kept {
                        gone.insert(name.to_owned());
                    }
                    kept
                });
            }
        }
    }
    // A dependency of that name may be left for this platform.
    let left: Vec<String> = dependencies(&manifest).map(str::to_owned).collect();
    gone.retain(|name| !left.contains(name));
    if let Some(Value::Table(features)) = manifest.get_mut("features") {
        for (_, needs) in features.iter_mut() {
            if let Value::Array(needs) = needs {
                needs.retain(|need| !need.as_str().is_some_and(|need| names(need, &gone)));
            }
        }
    }
    manifest
}

/// The names of all dependencies of a manifest.
fn dependencies(manifest: &Table) -> impl Iterator<Item = &str> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = targets
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table);
    std::iter::once(manifest)
        .chain(tables)
        .flat_map(|table| ["dependencies", "build-dependencies"].map(|section| table.get(section)))
        .filter_map(|section| section?.as_table())
        .flat_map(Table::keys)
        .map(String::as_str)
}

/// Whether a part of a feature, such as `dep:a`, `a/b` or `a?/b`, names one of these dependencies.
fn names(need: &str, gone: &BTreeSet<String>) -> bool {
    let name = need.strip_prefix("dep:").or_else(|| {
        need.split_once('/')
            .map(|(name, _)| name.trim_end_matches('?'))
    });
    name.is_some_and(|name| gone.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_platforms_need_goes_and_what_may_be_asked_for_stays() {
        let manifest: Table = "
            [package]
            name = \"a\"
            [dependencies]
            here = \"1\"
            [dependencies.maybe]
            version = \"1\"
            optional = true
            [dev-dependencies]
            checker = \"1\"
            [target.'cfg(windows)'.dependencies]
            there = \"1\"
            [target.'cfg(unix)'.dependencies]
            here-too = { package = \"other\", version = \"1\" }
            [target.'cfg(unix)'.dev-dependencies]
            checker = \"1\"
            [features]
            default = [\"here/std\", \"there/std\", \"there?/more\", \"dep:maybe\", \"there\"]
            there = []
        "
        .parse()
        .unwrap();
        let trimmed = trimmed(manifest, &BTreeSet::from(["here", "other"]));
        assert!(!trimmed.contains_key("dev-dependencies"));
        let all: BTreeSet<&str> = dependencies(&trimmed).collect();
        assert_eq!(all, BTreeSet::from(["here", "here-too", "maybe"]));
        let default = trimmed["features"]["default"].as_array().unwrap();
        let default: Vec<&str> = default.iter().filter_map(Value::as_str).collect();
        assert_eq!(default, ["here/std", "dep:maybe", "there"]);
        assert!(!trimmed.to_string().contains("checker"));
        assert_eq!(trimmed["lints"]["rust"]["warnings"].as_str(), Some("allow"));
    }
}
