//! What is there of the course's kernels on this machine, and what of it nobody needs any more.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::Error;
use crate::evcxr::{self, EVCXR_VERSION};
use crate::files;
use crate::flavour::Flavour;
use crate::install::Installed;
use crate::launch::{self, Status};
use crate::layout::Layout;
use crate::report::{State, Step};
use crate::rust_src;
use crate::template::Template;

/// What stands in the way, and the command that mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    what: String,
    mend: String,
}

/// A kernel and whether it starts warm.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kernel {
    flavour: Flavour,
    key: String,
    warm: bool,
}

/// A place from which kernels of the course can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seat {
    place: PathBuf,
    version: Option<String>,
    kernels: Vec<Kernel>,
    problems: Vec<String>,
}

/// A template on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Built {
    key: String,
    folder: PathBuf,
    bytes: u64,
    complete: bool,
    /// Whether it belongs to the present sources of this clone or of an installed kernel.
    current: bool,
}

impl Built {
    fn state(&self) -> &'static str {
        match (self.current, self.complete) {
            (true, true) => "current",
            (_, false) => "incomplete",
            (false, true) => "stale",
        }
    }
}

/// The whole picture.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    rustc: Result<String, String>,
    rust_src: Option<PathBuf>,
    evcxr: Option<PathBuf>,
    cache: PathBuf,
    clone: Option<Seat>,
    installed: Vec<Seat>,
    templates: Vec<Built>,
    status: Status,
    problems: Vec<Problem>,
}

impl Report {
    /// Whether every kernel that is set up starts, and starts warm.
    pub(crate) fn is_ready(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Looks at everything; `clone` is missing where an installed launcher asks outside of a clone.
pub(crate) fn report(layout: &Layout, clone: Option<&Layout>) -> Report {
    let rustc = rust_src::rustc_version().map_err(|error| error.to_string());
    let installs = Installed::all(layout);
    let mut problems = Vec::new();
    let mut problem = |what: String, mend: String| problems.push(Problem { what, mend });
    if let Err(what) = &rustc {
        problem(what.clone(), "https://rustup.rs".to_owned());
    }
    // For people who have a clone and nothing installed out of it, the set-up of the clone is the way.
    let set_up = match installs.first() {
        Some(install) => install_again(install.data()),
        None => "cargo course kernel setup".to_owned(),
    };
    if let State::Missing { reason } = Step::RustSrc.check(layout) {
        problem(reason, Step::RustSrc.mend(layout));
    }
    // Each installation looks for its own below.
    if let (State::Missing { reason }, true) = (Step::Evcxr.check(layout), installs.is_empty()) {
        problem(reason, set_up.clone());
    }
    let clone_seat = clone.map(|clone| {
        let missing = [Step::Kernelspec, Step::Template]
            .into_iter()
            .find_map(|step| match step.check(clone) {
                State::Missing { reason } => Some(reason),
                State::Present { .. } => None,
            });
        Seat {
            place: clone.root().to_owned(),
            version: None,
            kernels: kernels(clone),
            problems: missing.into_iter().collect(),
        }
    });
    let mut current: Vec<String> = Vec::new();
    let installed: Vec<Seat> = installs
        .iter()
        .map(|install| Seat {
            place: install.data().to_owned(),
            version: Some(install.version().to_owned()),
            kernels: install
                .layout()
                .map(|layout| kernels(&layout))
                .unwrap_or_default(),
            problems: install.problems(clone),
        })
        .collect();
    for seat in clone_seat.iter().chain(&installed) {
        current.extend(seat.kernels.iter().map(|kernel| kernel.key.clone()));
    }
    // A clone of which only the installed kernels are used needs no set-up of its own.
    if let (Some(seat), true) = (&clone_seat, installed.is_empty()) {
        for what in &seat.problems {
            problem(what.clone(), set_up.clone());
        }
    }
    for seat in &installed {
        for what in &seat.problems {
            problem(what.clone(), install_again(&seat.place));
        }
    }
    Report {
        rustc: rustc.map(|text| {
            let release = rust_src::field(&text, "release").unwrap_or("unknown");
            release.to_owned()
        }),
        rust_src: rust_src::find(),
        evcxr: evcxr::find(layout),
        cache: layout.cache().to_owned(),
        clone: clone_seat,
        installed,
        templates: built(layout, &current),
        status: launch::status(layout),
        problems,
    }
}

/// The command that renews an installation.
pub(crate) fn install_again(data: &Path) -> String {
    format!("cargo course kernel install {}", place_words(data))
}

/// The option that means a folder of Jupyter's data.
pub(crate) fn place_words(data: &Path) -> String {
    use crate::places::Place;
    let is = |place: Place| place.data().is_ok_and(|folder| folder == data);
    if is(Place::User) {
        return "--user".to_owned();
    }
    if is(Place::SysPrefix) {
        return "--sys-prefix".to_owned();
    }
    let prefix = data.ancestors().nth(2).unwrap_or(data);
    let prefix = prefix.display().to_string();
    if prefix.contains(char::is_whitespace) {
        format!("--prefix \"{prefix}\"")
    } else {
        format!("--prefix {prefix}")
    }
}

fn kernels(layout: &Layout) -> Vec<Kernel> {
    Flavour::ALL
        .into_iter()
        .filter_map(|flavour| {
            let template = Template::current(layout, flavour).ok()?;
            Some(Kernel {
                flavour,
                key: template.key().to_owned(),
                warm: template.is_complete(),
            })
        })
        .collect()
}

fn built(layout: &Layout, current: &[String]) -> Vec<Built> {
    files::read_dir(&layout.templates())
        .unwrap_or_default()
        .into_iter()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| {
            let key = entry.file_name().to_string_lossy().into_owned();
            Built {
                current: current.contains(&key),
                complete: entry.path().join("complete").is_file(),
                bytes: files::size(&entry.path()),
                folder: entry.path(),
                key,
            }
        })
        .collect()
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

/// "1 file" or "3 files".
pub(crate) fn count(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |path: &Option<PathBuf>| {
            path.as_ref()
                .map_or("missing".to_owned(), |path| path.display().to_string())
        };
        let rustc = self.rustc.as_deref().unwrap_or("missing");
        writeln!(f, "rustc          {rustc}")?;
        writeln!(f, "rust-src       {}", shown(&self.rust_src))?;
        match &self.evcxr {
            Some(path) => writeln!(f, "evcxr_jupyter  {EVCXR_VERSION}  {}", path.display())?,
            None => writeln!(f, "evcxr_jupyter  missing")?,
        }
        writeln!(f, "cache          {}", self.cache.display())?;
        if let Some(seat) = &self.clone {
            writeln!(f, "\nthis clone     {}", seat.place.display())?;
            write_seat(f, seat)?;
        }
        if self.installed.is_empty() {
            writeln!(
                f,
                "\ninstalled      in no Jupyter of yours; `cargo course kernel install` does that"
            )?;
        }
        for seat in &self.installed {
            writeln!(f, "\ninstalled      {}", seat.place.display())?;
            write_seat(f, seat)?;
        }
        let bytes = self.templates.iter().map(|built| built.bytes).sum();
        let unneeded: Vec<_> = self.unneeded().collect();
        write!(
            f,
            "\ntemplates      {}, {}",
            self.templates.len(),
            megabytes(bytes)
        )?;
        if unneeded.is_empty() {
            writeln!(f)?;
        } else {
            let bytes = unneeded.iter().map(|built| built.bytes).sum();
            writeln!(
                f,
                "; {} of them stale, {}: `cargo course kernel clean`",
                unneeded.len(),
                megabytes(bytes)
            )?;
        }
        writeln!(f, "pool           {}", self.status.pool)?;
        let living = self.status.kernels.iter().filter(|kernel| kernel.alive);
        writeln!(f, "kernels        {} running", living.count())?;
        for kernel in &self.status.kernels {
            let state = if kernel.alive {
                "running"
            } else {
                "dead: `cargo course kernel clean` removes it"
            };
            writeln!(
                f,
                "               {}, {}\n               {}",
                megabytes(kernel.bytes),
                state,
                kernel.folder.display()
            )?;
        }
        if !self.problems.is_empty() {
            writeln!(f, "\nTo mend:")?;
        }
        for Problem { what, mend } in &self.problems {
            writeln!(f, "  {what}\n    {mend}")?;
        }
        Ok(())
    }
}

fn write_seat(f: &mut fmt::Formatter<'_>, seat: &Seat) -> fmt::Result {
    for kernel in &seat.kernels {
        let state = if kernel.warm {
            "starts warm"
        } else {
            "not compiled"
        };
        writeln!(
            f,
            "               {:25}  {state}  ({})",
            kernel.flavour.display_name(),
            &kernel.key[..12]
        )?;
    }
    if let Some(first) = seat.problems.first() {
        writeln!(f, "               {first}")?;
    }
    Ok(())
}

impl Report {
    fn unneeded(&self) -> impl Iterator<Item = &Built> {
        self.templates
            .iter()
            .filter(|built| !built.current || !built.complete)
    }

    pub(crate) fn json(&self) -> Value {
        let seat = |seat: &Seat| {
            let kernels: Vec<_> = seat
                .kernels
                .iter()
                .map(|kernel| json!({ "name": kernel.flavour.kernel_name(), "display_name": kernel.flavour.display_name(), "template": kernel.key, "warm": kernel.warm }))
                .collect();
            json!({ "place": seat.place, "version": seat.version, "kernels": kernels, "problems": seat.problems })
        };
        let templates: Vec<_> = self
            .templates
            .iter()
            .map(|built| json!({ "key": built.key, "place": built.folder, "bytes": built.bytes, "state": built.state() }))
            .collect();
        let kernels: Vec<_> = self
            .status
            .kernels
            .iter()
            .map(|kernel| json!({ "place": kernel.folder, "bytes": kernel.bytes, "alive": kernel.alive }))
            .collect();
        let problems: Vec<_> = self
            .problems
            .iter()
            .map(|problem| json!({ "what": problem.what, "mend": problem.mend }))
            .collect();
        json!({
            "ready": self.is_ready(),
            "version": env!("CARGO_PKG_VERSION"),
            "rustc": self.rustc.as_ref().ok(),
            "rust_src": self.rust_src,
            "evcxr_jupyter": self.evcxr.as_ref().map(|place| json!({ "version": EVCXR_VERSION, "place": place })),
            "cache": self.cache,
            "clone": self.clone.as_ref().map(seat),
            "installed": self.installed.iter().map(seat).collect::<Vec<_>>(),
            "templates": templates,
            "pool": { "kernels": self.status.pool.kernels, "bytes": self.status.pool.bytes },
            "kernels": kernels,
            "problems": problems,
        })
    }
}

/// What a clean removed, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cleaned {
    removed: Vec<(PathBuf, &'static str, u64)>,
    /// What is in use, or could not be removed.
    kept: BTreeMap<PathBuf, String>,
}

impl Cleaned {
    fn remove(&mut self, folder: &Path, kind: &'static str) -> bool {
        let bytes = files::size(folder);
        match files::remove_dir(folder) {
            Ok(()) => {
                self.removed.push((folder.to_owned(), kind, bytes));
                true
            }
            Err(error) => {
                self.kept.insert(folder.to_owned(), error.to_string());
                false
            }
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.removed.iter().map(|(.., bytes)| bytes).sum()
    }

    /// Whether nothing that should go was refused by the system.
    pub(crate) fn is_complete(&self) -> bool {
        self.kept.values().all(|why| why == IN_USE)
    }

    pub(crate) fn json(&self) -> Value {
        let removed: Vec<_> = self
            .removed
            .iter()
            .map(|(place, kind, bytes)| json!({ "place": place, "kind": kind, "bytes": bytes }))
            .collect();
        let kept: Vec<_> = self
            .kept
            .iter()
            .map(|(place, why)| json!({ "place": place, "why": why }))
            .collect();
        json!({ "bytes": self.bytes(), "removed": removed, "kept": kept })
    }
}

const IN_USE: &str = "in use";

impl fmt::Display for Cleaned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, kind, bytes) in &self.removed {
            writeln!(
                f,
                "removed  {kind}, {}\n         {}",
                megabytes(*bytes),
                place.display()
            )?;
        }
        for (place, why) in &self.kept {
            writeln!(f, "kept     {why}\n         {}", place.display())?;
        }
        if self.removed.is_empty() {
            write!(f, "Nothing was stale: 0 bytes freed.")
        } else {
            write!(
                f,
                "{} bytes freed ({}).",
                self.bytes(),
                megabytes(self.bytes())
            )
        }
    }
}

/// Removes stale templates, the directories of dead kernels, and what an interrupted installation left in the cache.
pub(crate) fn clean(layout: &Layout, clone: Option<&Layout>) -> Result<Cleaned, Error> {
    let mut cleaned = Cleaned::default();
    clean_kernels(layout, &mut cleaned)?;
    let mut current: Vec<String> = clone
        .into_iter()
        .flat_map(kernels)
        .map(|kernel| kernel.key)
        .collect();
    for install in Installed::all(layout) {
        // Without a compiler to ask, nobody knows which template an installed kernel needs.
        let layout = install.layout()?;
        for flavour in Flavour::ALL {
            current.push(Template::current(&layout, flavour)?.key().to_owned());
        }
    }
    if let Some(clone) = clone {
        Template::current(clone, Flavour::Plain)?;
    }
    for built in built(layout, &current) {
        if !built.current || !built.complete {
            remove_template(&built, layout, &mut cleaned);
        }
    }
    let build = layout.cache().join("build");
    if build.is_dir()
        && evcxr::find(layout).is_some()
        && let Ok(Some(_lock)) = files::try_lock(&layout.cache().join("tools.lock"))
    {
        cleaned.remove(
            &build,
            "what an interrupted installation of evcxr_jupyter had compiled",
        );
    }
    Ok(cleaned)
}

/// The directories whose lock nobody holds.
fn clean_kernels(layout: &Layout, cleaned: &mut Cleaned) -> Result<(), Error> {
    let all = layout.kernels();
    if !all.is_dir() {
        return Ok(());
    }
    // Held while directories come and go, as every start of a kernel does.
    let guard = all.join(".lock");
    let mut held = None;
    for _ in 0..100 {
        held = files::try_lock(&guard)?;
        if held.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    if held.is_none() {
        return Err(Error::failed(format!(
            "A kernel has been starting for five seconds and holds {}: try again when it has started.",
            guard.display()
        )));
    }
    for entry in files::read_dir(&all)? {
        let folder = entry.path();
        if !folder.is_dir() {
            continue;
        }
        let lock = with_ending(&folder, ".lock");
        if let Ok(Some(_dead)) = files::try_lock(&lock) {
            cleaned.remove(&folder, "directory of a dead kernel");
            let _ = fs::remove_file(lock);
        }
    }
    Ok(())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn remove_template(built: &Built, layout: &Layout, cleaned: &mut Cleaned) {
    let lock = with_ending(&layout.templates().join(&built.key), ".lock");
    // Whoever builds it or runs a kernel of it holds the lock.
    match files::try_lock(&lock) {
        Ok(Some(_lock)) => {
            let kind = if built.complete {
                "stale template"
            } else {
                "template of which the build was interrupted"
            };
            if cleaned.remove(&built.folder, kind) {
                let _ = fs::remove_file(lock);
            }
        }
        Ok(None) => {
            cleaned.kept.insert(built.folder.clone(), IN_USE.to_owned());
        }
        Err(error) => {
            cleaned.kept.insert(built.folder.clone(), error.to_string());
        }
    }
}

/// Removes the templates of an installation that has just gone, but for those that another one needs.
pub(crate) fn remove_templates(of: &Layout, keys: &[String]) -> Cleaned {
    let mut cleaned = Cleaned::default();
    let needed: Vec<String> = Installed::all(of)
        .iter()
        .filter_map(|install| install.layout().ok())
        .flat_map(|layout| kernels(&layout))
        .map(|kernel| kernel.key)
        .collect();
    for built in built(of, &needed) {
        if keys.contains(&built.key) && !built.current {
            remove_template(&built, of, &mut cleaned);
        }
    }
    cleaned
}

/// The keys of an installation's templates.
pub(crate) fn keys(layout: &Layout) -> Vec<String> {
    kernels(layout)
        .into_iter()
        .map(|kernel| kernel.key)
        .collect()
}
