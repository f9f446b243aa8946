//! The sources of the crates that a template was compiled from.
//!
//! A kernel starts offline and cargo wants to see the sources of whatever it does not compile again. They lie in cargo's own
//! cache, where cargo removes what was not used for months, and people remove everything: then no kernel would start any more.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;

use crate::error::{Error, Kind};
use crate::exec;
use crate::files;
use crate::flavour::Flavour;
use crate::layout::Layout;
use crate::report::Reporter;
use crate::template::Template;

/// Fetches again what cargo's cache has lost of a kernel's crates.
pub(crate) fn fetch_missing(
    layout: &Layout,
    flavour: Flavour,
    reporter: &mut dyn Reporter,
) -> Result<(), Error> {
    let template = Template::current(layout, flavour)?;
    let pins = template.folder().join("source/pins");
    let Ok(manifest) = fs::read_to_string(pins.join("Cargo.toml")) else {
        return Ok(());
    };
    let Some(cache) = cargo_home().map(|home| home.join("registry/cache")) else {
        return Ok(());
    };
    let missing = missing(&manifest, &cache);
    let Some(first) = missing.first() else {
        return Ok(());
    };
    reporter.note(&format!(
        "Cargo's cache has lost crates of the course, such as {first}: fetching them again."
    ));
    // The template may be read-only, and cargo writes a Cargo.lock.
    let folder = env::temp_dir().join(format!("moments-fetch-{}", std::process::id()));
    files::create_private(&folder)?;
    let fetched = files::copy_dir(&pins, &folder.join("pins")).and_then(|()| {
        exec::run(
            "Fetching the crates of the course",
            exec::clean_command("cargo")
                .arg("fetch")
                .current_dir(folder.join("pins")),
            reporter,
            &mut |_, _| (),
        )
    });
    files::remove_dir(&folder)?;
    fetched.map_err(|error| match error.kind() {
        Kind::NoNetwork => Error::new(
            Kind::NoNetwork,
            format!("Cargo's cache has lost crates of the course, such as {first}, and without them no kernel starts. {error}"),
        ),
        _ => error,
    })
}

fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
}

/// The pinned crates that no registry's cache holds.
fn missing(pins: &str, cache: &Path) -> Vec<String> {
    let Ok(pins) = pins.parse::<Table>() else {
        return Vec::new();
    };
    let registries = files::read_dir(cache).unwrap_or_default();
    ["dependencies", "build-dependencies"]
        .iter()
        .filter_map(|section| pins.get(*section)?.as_table())
        .flat_map(Table::values)
        .filter_map(|pin| {
            let version = pin.get("version")?.as_str()?.trim_start_matches('=');
            Some(format!("{}-{version}", pin.get("package")?.as_str()?))
        })
        .filter(|name| {
            !registries
                .iter()
                .any(|registry| registry.path().join(format!("{name}.crate")).is_file())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn a_crate_counts_as_missing_until_some_registry_holds_its_version() {
        let folder = Folder::new("sources");
        let pins = "[dependencies]\npin0 = { package = \"a\", version = \"=1.0.0\" }\n[build-dependencies]\npin0 = { package = \"b\", version = \"=2.0.0\" }\n";
        assert_eq!(missing(pins, folder.path()), ["a-1.0.0", "b-2.0.0"]);
        folder.write("mirror/a-1.0.0.crate", "");
        folder.write("index/b-2.0.1.crate", "");
        assert_eq!(missing(pins, folder.path()), ["b-2.0.0"]);
        folder.write("index/b-2.0.0.crate", "");
        assert!(missing(pins, folder.path()).is_empty());
    }
}
