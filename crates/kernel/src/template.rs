//! The warm template: a directory in which the course's crates are compiled once, and which every kernel starts from a copy of.
//!
//! ```text
//! <cache>/templates/<key>/
//!   source/          the crates that a notebook sees, as they were when the key was taken
//!   vendor/          the registry's crates that they need, see `vendor`
//!   sysroot/         the standard library as inference needs it, see `sysroot`
//!   config/          evcxr.toml: the dependencies of every cell
//!   .cargo/          config.toml: dependencies optimised, and where vendor/ is
//!   warm/            what a kernel copies: target/ and Cargo.lock
//!   complete         written last; a template without it is built again
//! ```

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use toml::{Table, Value};

use crate::error::Error;
use crate::evcxr::{self, EVCXR_VERSION};
use crate::exec;
use crate::files;
use crate::flavour::Flavour;
use crate::guard::{self, Guard};
use crate::hash::Hash;
use crate::layout::{Layout, has_space};
use crate::report::{Reporter, State};
use crate::rust_src;
use crate::sysroot;
use crate::vendor;

/// Counts changes of this module that make older templates useless.
const FORMAT: &str = "8";

/// The crates of the workspace that a notebook sees: folder and package.
const CRATES: [(&str, &str); 2] = [("moments", "moments"), ("lab", "moments-lab")];

/// A package without code that pins the version of every crate in the graph.
/// The kernel drops Cargo.lock while it starts, and cargo would then take newer versions than those compiled here.
const PINS: &str = "moments-pins";

/// Templates that are kept besides the one in use, so that clones of different states do not rebuild in turn.
const KEPT: usize = 3;

/// The first inference reads the whole graph of crates. With a value of the course's in the prelude that is part of the start,
/// and no cell waits for it. What the course's crates prepare in the process is prepared then, too.
/// With `Shown` in every cell no last value has to be compiled twice.
const FIRST_CELL: &str = "use moments_lab::notebook::Shown as _; moments_lab::notebook::prepare(); \
    let _ready = moments_lab::objective::Square; let _one = 1.0 + 1.0;\n";

const READY_VARIABLE: &str = "MOMENTS_TEMPLATE_READY";

/// A place for a template; whether it is built is another matter.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    flavour: Flavour,
    folder: PathBuf,
    key: String,
}

impl Template {
    /// The template for the sources, the compiler and the kernel that are there now.
    pub(crate) fn current(layout: &Layout, flavour: Flavour) -> Result<Self, Error> {
        let key = key(layout, flavour, &rust_src::rustc_version()?)?;
        Ok(Self {
            flavour,
            folder: layout.templates().join(&key),
            key,
        })
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.marker().is_file()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("config")
    }

    pub(crate) fn warm(&self) -> PathBuf {
        self.folder.join("warm")
    }

    /// The standard library's source, cut down to what inference needs, where that was possible.
    pub(crate) fn sysroot(&self) -> Option<PathBuf> {
        let folder = self.folder.join("sysroot");
        folder.is_dir().then_some(folder)
    }

    fn marker(&self) -> PathBuf {
        self.folder.join(guard::FINISHED)
    }

    fn lock_path(&self) -> PathBuf {
        guard::lock_path(&self.folder)
    }

    /// Keeps a complete template from being swept, for as long as the file is open.
    pub(crate) fn use_it(&self) -> Result<Option<File>, Error> {
        // A sweep of another clone holds the lock for a moment, also of a template that it keeps.
        let mut lock = None;
        for _ in 0..50 {
            lock = files::try_lock_shared(&self.lock_path())?;
            if lock.is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let Some(lock) = lock.filter(|_| self.is_complete()) else {
            return Ok(None);
        };
        // The sweep goes by the time of the last use.
        if let Ok(marker) = File::options().write(true).open(self.marker()) {
            let _ = marker.set_modified(SystemTime::now());
        }
        Ok(Some(lock))
    }

    /// Builds the template unless it is complete. One process builds, the others wait for it.
    pub(crate) fn build(&self, layout: &Layout, reporter: &mut dyn Reporter) -> Result<(), Error> {
        if self.is_complete() {
            return Ok(());
        }
        prepare_builds(layout)?;
        // Whoever compiled it then uses it, and shares the lock with nobody who wants it alone.
        let lock = files::lock_unless(
            &self.lock_path(),
            "Another process is compiling the course's crates: waiting for it.",
            reporter,
            &|| self.is_complete(),
        )?;
        let Some(lock) = lock.filter(|_| !self.is_complete()) else {
            return Ok(());
        };
        // An installed kernel has its launcher elsewhere: then it is this program.
        let launcher = Some(layout.launcher()).filter(|launcher| launcher.is_file());
        let guard = match launcher.or_else(|| std::env::current_exe().ok()) {
            Some(launcher) => Guard::start(&launcher, &self.folder),
            None => Guard::none(),
        };
        let built = self.build_alone(layout, &lock, &guard, reporter);
        // The guard removes what is not complete, once nobody holds the lock.
        drop(lock);
        drop(guard);
        built
    }

    fn build_alone(
        &self,
        layout: &Layout,
        lock: &File,
        guard: &Guard,
        reporter: &mut dyn Reporter,
    ) -> Result<(), Error> {
        let program = evcxr::find(layout).ok_or_else(|| {
            Error::failed(format!(
                "evcxr_jupyter {EVCXR_VERSION} is not installed: run `{}`.",
                evcxr::mend(layout)
            ))
        })?;
        // What an interrupted build left is not trusted.
        files::remove_dir(&self.folder)?;
        let began = Instant::now();
        reporter.progress("reading the dependency graph");
        // Ending the process that runs cells ends the kernel too.
        let prelude = format!(
            "std::fs::write(std::env::var_os(\"{READY_VARIABLE}\").unwrap(), \"\").unwrap(); std::process::exit(0)\n"
        );
        let count = write_parts(layout, self.flavour, &self.folder, Some(&prelude), reporter)?;
        sysroot::write(&self.folder.join("sysroot"), reporter);
        let warm = self.warm();
        fs::create_dir_all(&warm).map_err(|error| Error::io("create", &warm, &error))?;
        let mut command = self.command_that_compiles(&program)?;
        // What compiles holds the lock too, and ends with the set-up, also when that is killed: nobody else builds meanwhile.
        let held = lock
            .try_clone()
            .map_err(|error| Error::io("hold", &self.folder, &error))?;
        command.stdin(held);
        guard.take(&mut command);
        self.warm_up(&mut command, count, reporter)?;
        prune(&warm)?;
        // From here on the kernel may reach the network: a learner can add a crate.
        write_config(
            &self.folder,
            &dependencies(layout, self.flavour, &self.folder)?,
            true,
            &format!(":offline 0\n{FIRST_CELL}"),
        )?;
        let seconds = began.elapsed().as_secs_f64();
        exec::write_atomic(
            &self.marker(),
            format!("evcxr_jupyter {EVCXR_VERSION}, built in {seconds:.1} s\n").as_bytes(),
        )
    }

    fn ready(&self) -> PathBuf {
        self.folder.join("ready")
    }

    fn control(&self) -> PathBuf {
        self.folder.join("control.json")
    }

    /// The kernel itself, on the template: so the compiler is called exactly as it will be called from notebooks.
    fn command_that_compiles(&self, program: &Path) -> Result<Command, Error> {
        exec::write_atomic(&self.control(), CONTROL.as_bytes())?;
        let mut command = exec::clean_command(program);
        command
            .arg("--control_file")
            .arg(self.control())
            .current_dir(&self.folder)
            .env(READY_VARIABLE, self.ready());
        kernel_env(
            &mut command,
            &self.warm(),
            &self.config(),
            self.sysroot().as_deref(),
        );
        Ok(command)
    }

    /// Waits until the kernel has run its prelude, which needs all dependencies.
    fn warm_up(
        &self,
        command: &mut Command,
        count: usize,
        reporter: &mut dyn Reporter,
    ) -> Result<(), Error> {
        let mut compiled = 0;
        let deadline = Instant::now() + Duration::from_mins(30);
        let mut late = false;
        let ended = exec::run_until(
            "Compiling the course's crates",
            command,
            reporter,
            &mut |line, reporter| {
                if let Some(rest) = line.trim_start().strip_prefix("Compiling ") {
                    compiled += 1;
                    let name = rest.split(' ').next().unwrap_or(rest);
                    reporter.progress(&format!(
                        "compiling crate {} of {count} ({name})",
                        compiled.min(count)
                    ));
                }
            },
            &mut || {
                late = Instant::now() > deadline;
                late
            },
        );
        if !self.ready().is_file() {
            ended?;
            return Err(Error::failed(
                "Compiling the course's crates failed: the kernel ended before it had run its first line. \
                 Run `cargo build -p moments-lab` to see whether the crates compile.",
            ));
        }
        for file in [self.ready(), self.control()] {
            let _ = fs::remove_file(file);
        }
        Ok(())
    }
}

/// Where a kernel would listen; nobody connects to the one that warms a template, so the system chooses the ports.
const CONTROL: &str = r#"{"control_port":0,"shell_port":0,"stdin_port":0,"hb_port":0,"iopub_port":0,"transport":"tcp","ip":"127.0.0.1","key":""}"#;

/// What the kernel reads from its environment.
pub(crate) fn kernel_env(
    command: &mut Command,
    work: &Path,
    config: &Path,
    sysroot: Option<&Path>,
) {
    command
        .env("EVCXR_TMPDIR", work)
        .env("EVCXR_CONFIG_DIR", config);
    if let Some(sysroot) = sysroot.map(Path::to_path_buf).or_else(rust_src::find) {
        command.env("RUST_SRC_PATH", sysroot);
    }
    let printed = exec::capture(exec::clean_command("rustc").args([
        "--print",
        "target-libdir",
        "--print",
        "sysroot",
    ]));
    let mut printed = printed.iter().flat_map(|text| text.lines());
    // Cells link to the standard library by a path relative to target/debug/deps, and are loaded from target/debug:
    // outside of a temporary directory near the root, that path leads nowhere.
    if let Some(libraries) = printed.next() {
        prepend(command, LIBRARY_PATH, PathBuf::from(libraries));
    }
    // The toolchain itself, not rustup's stand-ins for it: every cell runs cargo and rustc several times, and they look the
    // toolchain up each time.
    let toolchain = printed.next().map(|sysroot| Path::new(sysroot).join("bin"));
    if let Some(toolchain) =
        toolchain.filter(|folder| holds(folder, "cargo") && holds(folder, "rustc"))
    {
        prepend(command, "PATH", toolchain);
    } else if exec::on_path("cargo").is_none() {
        // An editor may have been started without cargo's folder on its path.
        let home = env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(env::home_dir()?.join(".cargo")));
        if let Some(home) = home {
            prepend(command, "PATH", home.join("bin"));
        }
    }
}

fn holds(folder: &Path, program: &str) -> bool {
    folder
        .join(format!("{program}{}", env::consts::EXE_SUFFIX))
        .is_file()
}

/// Where the system's loader looks for libraries first.
const LIBRARY_PATH: &str = if cfg!(windows) {
    "PATH"
} else if cfg!(target_os = "macos") {
    "DYLD_FALLBACK_LIBRARY_PATH"
} else {
    "LD_LIBRARY_PATH"
};

fn prepend(command: &mut Command, variable: &str, folder: PathBuf) {
    let mut folders = vec![folder];
    folders.extend(env::split_paths(&env::var_os(variable).unwrap_or_default()));
    if let Ok(path) = env::join_paths(folders) {
        command.env(variable, path);
    }
}

/// Names the template that belongs to the sources, the compiler, the kernel and the cache's place.
fn key(layout: &Layout, flavour: Flavour, rustc: &str) -> Result<String, Error> {
    let mut hash = Hash::new();
    for text in [
        FORMAT,
        EVCXR_VERSION,
        rustc,
        flavour.kernel_name(),
        &layout.builds().to_string_lossy(),
    ] {
        hash = hash.part(text.as_bytes());
    }
    for file in sources(layout)? {
        let path = layout.root().join(&file);
        let content = fs::read(&path).map_err(|error| Error::io("read", &path, &error))?;
        hash = hash.part(file.to_string_lossy().as_bytes()).part(&content);
    }
    Ok(hash.hex())
}

/// The files that a template is made from, relative to the clone.
pub(crate) fn sources(layout: &Layout) -> Result<Vec<PathBuf>, Error> {
    let mut all = vec![PathBuf::from("Cargo.lock"), PathBuf::from("Cargo.toml")];
    for (folder, _) in CRATES {
        let folder = Path::new("crates").join(folder);
        for file in files::files_below(&layout.root().join(&folder))? {
            let first = file
                .components()
                .next()
                .map(|part| part.as_os_str().to_owned());
            let skipped = ["target", "tests", "benches", "examples"];
            if first.is_none_or(|first| !skipped.iter().any(|name| first == *name)) {
                all.push(folder.join(file));
            }
        }
    }
    Ok(all)
}

/// Writes source, config and cargo's settings below `folder`; tells how many crates the graph has.
pub(crate) fn write_parts(
    layout: &Layout,
    flavour: Flavour,
    folder: &Path,
    prelude: Option<&str>,
    reporter: &mut dyn Reporter,
) -> Result<usize, Error> {
    let source = folder.join("source");
    write_source(layout, &source)?;
    let graph = graph(&source, flavour, reporter)?;
    let count = graph.len() + CRATES.len() + 1;
    exec::write_atomic(&source.join("pins/Cargo.toml"), pins(&graph).as_bytes())?;
    exec::write_atomic(
        &source.join("pins/src/lib.rs"),
        b"//! Pins versions; see Cargo.toml.\n",
    )?;
    let crates = graph
        .iter()
        .map(|pin| (pin.name.clone(), pin.version.clone()))
        .collect();
    let vendored = folder.join("vendor");
    let patches = vendor::copy(&source, &features(flavour), &crates, &vendored, reporter)?;
    let settings = format!(
        "# Dependencies are compiled once and fast to run; cells are compiled often and fast to compile.\n\
         [profile.dev.package.\"*\"]\nopt-level = 3\n{patches}"
    );
    exec::write_atomic(&folder.join(".cargo/config.toml"), settings.as_bytes())?;
    write_config(
        folder,
        &dependencies(layout, flavour, folder)?,
        false,
        prelude.unwrap_or(""),
    )?;
    Ok(count)
}

/// Copies the crates, so that a template depends neither on the clone's place nor on what is edited in it later.
fn write_source(layout: &Layout, source: &Path) -> Result<(), Error> {
    let root = layout.root();
    let mut workspace = Table::new();
    let original = read_toml(&root.join("Cargo.toml"))?;
    if let Some(Value::Table(original)) = original.get("workspace") {
        for name in ["resolver", "package", "dependencies", "lints"] {
            if let Some(value) = original.get(name) {
                workspace.insert(name.to_owned(), value.clone());
            }
        }
    }
    let members = CRATES
        .iter()
        .map(|(folder, _)| Value::from(format!("crates/{folder}")));
    workspace.insert("members".to_owned(), Value::Array(members.collect()));
    let mut manifest = Table::new();
    manifest.insert("workspace".to_owned(), Value::Table(workspace));
    exec::write_atomic(&source.join("Cargo.toml"), manifest.to_string().as_bytes())?;
    for file in sources(layout)? {
        let to = source.join(&file);
        if file == Path::new("Cargo.toml") {
            continue;
        }
        let content = if file.ends_with("Cargo.toml") {
            let mut manifest = read_toml(&root.join(&file))?;
            for unneeded in ["dev-dependencies", "test", "bench", "example"] {
                manifest.remove(unneeded);
            }
            manifest.to_string().into_bytes()
        } else {
            let from = root.join(&file);
            fs::read(&from).map_err(|error| Error::io("read", &from, &error))?
        };
        exec::write_atomic(&to, &content)?;
    }
    Ok(())
}

pub(crate) fn read_toml(path: &Path) -> Result<Table, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::io("read", path, &error))?;
    text.parse()
        .map_err(|error| Error::failed(format!("{} is not valid: {error}.", path.display())))
}

/// A crate of the registry in the graph.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pin {
    name: String,
    version: String,
    /// Needed by build scripts alone.
    build: bool,
}

/// All registry crates that the course's crates need on this machine, with the versions of Cargo.lock.
fn graph(source: &Path, flavour: Flavour, reporter: &mut dyn Reporter) -> Result<Vec<Pin>, Error> {
    let features = features(flavour);
    let mut tree = |edges: &str| {
        let mut pins = Vec::new();
        exec::run(
            "Reading the dependency graph",
            exec::clean_command("cargo")
                .args([
                    "tree",
                    "--workspace",
                    "--prefix",
                    "none",
                    "--format",
                    "{p}",
                    "--edges",
                    edges,
                ])
                .args(&features)
                .env("CARGO_TERM_COLOR", "never")
                .current_dir(source),
            reporter,
            &mut |line, _| pins.extend(pin(line)),
        )?;
        pins.sort();
        pins.dedup();
        Ok::<_, Error>(pins)
    };
    let mut all = tree("normal")?;
    for mut pin in tree("normal,build")? {
        if !all.contains(&pin) {
            pin.build = true;
            all.push(pin);
        }
    }
    Ok(all)
}

/// The features of the lab, as arguments of cargo.
fn features(flavour: Flavour) -> Vec<String> {
    let features = flavour.lab_features().iter();
    features
        .map(|feature| format!("--features=moments-lab/{feature}"))
        .collect()
}

/// A line of `cargo tree`: "name v1.2.3", with a folder behind it for our own crates.
fn pin(line: &str) -> Option<Pin> {
    let mut words = line.split(' ');
    let name = words.next().filter(|name| !name.is_empty())?;
    let version = words.next()?.strip_prefix('v')?;
    let ours = CRATES.iter().any(|(_, package)| *package == name);
    (!ours).then(|| Pin {
        name: name.to_owned(),
        version: version.to_owned(),
        build: false,
    })
}

fn pins(graph: &[Pin]) -> String {
    let mut manifest = format!(
        "# Every crate of the graph, at the version that was compiled.\n\
         [package]\nname = \"{PINS}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n"
    );
    for (section, build) in [("dependencies", false), ("build-dependencies", true)] {
        let _ = writeln!(manifest, "\n[{section}]");
        for (index, pin) in graph.iter().filter(|pin| pin.build == build).enumerate() {
            let _ = writeln!(
                manifest,
                "pin{index} = {{ package = \"{}\", version = \"={}\", default-features = false }}",
                pin.name, pin.version
            );
        }
    }
    manifest
}

/// What a notebook sees: the course's crates by path, and the registry's at the compiled version.
fn dependencies(layout: &Layout, flavour: Flavour, folder: &Path) -> Result<Table, Error> {
    let source = folder.join("source");
    let manifest = read_toml(&layout.root().join("Cargo.toml"))?;
    let locked = locked(&read_toml(&layout.root().join("Cargo.lock"))?);
    let mut all = Table::new();
    for (folder, package) in CRATES {
        let path = source.join("crates").join(folder);
        let features = if package == "moments-lab" {
            flavour.lab_features()
        } else {
            &[]
        };
        all.insert(package.to_owned(), by_path(&path, features)?);
    }
    all.insert(PINS.to_owned(), by_path(&source.join("pins"), &[])?);
    for &name in flavour.registry() {
        let mut table = match manifest["workspace"]["dependencies"].get(name) {
            Some(Value::Table(table)) => table.clone(),
            Some(_) => Table::new(),
            None => {
                return Err(Error::failed(format!(
                    "The workspace has no dependency {name}."
                )));
            }
        };
        if let Some(version) = locked.get(name) {
            table.insert("version".to_owned(), Value::from(format!("={version}")));
        }
        all.insert(name.to_owned(), Value::Table(table));
    }
    Ok(all)
}

fn by_path(path: &Path, features: &[&str]) -> Result<Value, Error> {
    let text = path.to_str().ok_or_else(|| {
        Error::failed(format!(
            "The cache directory {} is not valid Unicode, which the kernel cannot work with: set MOMENTS_CACHE_DIR to another folder.",
            path.display()
        ))
    })?;
    let mut table = Table::new();
    table.insert("path".to_owned(), Value::from(text));
    if !features.is_empty() {
        let features = features.iter().map(|feature| Value::from(*feature));
        table.insert("features".to_owned(), Value::Array(features.collect()));
    }
    Ok(Value::Table(table))
}

/// The newest version of every crate in Cargo.lock.
fn locked(lock: &Table) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    for package in lock
        .get("package")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let (Some(name), Some(version)) = (package["name"].as_str(), package["version"].as_str())
        {
            // Cargo.lock lists the versions of a crate in ascending order.
            versions.insert(name.to_owned(), version.to_owned());
        }
    }
    versions
}

/// Writes evcxr.toml. A panic is then an error, as it is not by default, and cells compile without optimisation.
fn write_config(
    folder: &Path,
    dependencies: &Table,
    offline: bool,
    prelude: &str,
) -> Result<(), Error> {
    let mut settings = Table::new();
    settings.insert("preserve_vars_on_panic".to_owned(), Value::from(false));
    settings.insert("offline_mode".to_owned(), Value::from(offline));
    settings.insert("opt_level".to_owned(), Value::from("0"));
    settings.insert("prelude".to_owned(), Value::from(prelude));
    let mut config = Table::new();
    config.insert("evcxr".to_owned(), Value::Table(settings));
    config.insert(
        "dependencies".to_owned(),
        Value::Table(dependencies.clone()),
    );
    exec::write_atomic(
        &folder.join("config/evcxr.toml"),
        config.to_string().as_bytes(),
    )
}

/// Removes what belongs to the cells that warmed the template.
fn prune(warm: &Path) -> Result<(), Error> {
    for file in files::files_below(&warm.join("target"))? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.strip_prefix("lib").unwrap_or(&name);
        let of_cell =
            stem.starts_with("ctx.") || stem.starts_with("ctx-") || stem.starts_with("code_");
        let incremental = file
            .components()
            .any(|part| part.as_os_str() == "incremental");
        if of_cell || incremental {
            let path = warm.join("target").join(&file);
            fs::remove_file(&path).map_err(|error| Error::io("remove", &path, &error))?;
        }
    }
    Ok(())
}

/// Makes the folder in which kernels compile, and refuses one in which they cannot.
pub(crate) fn prepare_builds(layout: &Layout) -> Result<(), Error> {
    let builds = layout.builds();
    if has_space(builds) {
        return Err(Error::failed(format!(
            "The kernel cannot compile below a path with a space, and both {} and {} have one: \
             set MOMENTS_CACHE_DIR to a folder without.",
            layout.cache().display(),
            builds.display()
        )));
    }
    refuse_workspace_above(builds)?;
    if builds == layout.cache() {
        fs::create_dir_all(builds).map_err(|error| Error::io("create", builds, &error))
    } else {
        files::create_private(builds)
    }
}

/// A kernel's directory inside a cargo workspace would be taken for a part of it.
fn refuse_workspace_above(cache: &Path) -> Result<(), Error> {
    for folder in cache.ancestors() {
        if folder.join("Cargo.toml").is_file() {
            return Err(Error::failed(format!(
                "The cache directory {} lies inside the cargo project {}: set MOMENTS_CACHE_DIR to a folder outside of it.",
                cache.display(),
                folder.display()
            )));
        }
    }
    Ok(())
}

pub(crate) fn check(layout: &Layout) -> State {
    let mut keys = Vec::new();
    for flavour in Flavour::ALL {
        match Template::current(layout, flavour) {
            Ok(template) if template.is_complete() => keys.push(template.key()[..12].to_owned()),
            Ok(_) => {
                return State::missing(format!(
                    "The course's crates are not compiled for the kernel \"{}\" in their present state.",
                    flavour.display_name()
                ));
            }
            Err(error) => return State::missing(error.to_string()),
        }
    }
    State::present(keys.join(", "), layout.templates().display())
}

pub(crate) fn run(layout: &Layout, reporter: &mut dyn Reporter) -> Result<(), Error> {
    for flavour in Flavour::ALL {
        Template::current(layout, flavour)?.build(layout, reporter)?;
    }
    sweep(layout, &current_keys(layout));
    Ok(())
}

/// The keys of the templates that belong to the present sources.
pub(crate) fn current_keys(layout: &Layout) -> Vec<String> {
    Flavour::ALL
        .iter()
        .filter_map(|&flavour| Some(Template::current(layout, flavour).ok()?.key))
        .collect()
}

/// Removes templates that are neither a current one, nor in use, nor among the last few that were used.
pub(crate) fn sweep(layout: &Layout, current: &[String]) -> usize {
    let Ok(entries) = files::read_dir(&layout.templates()) else {
        return 0;
    };
    let mut others: Vec<(Option<SystemTime>, Template)> = entries
        .into_iter()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| Template {
            // Which one it was built for makes no difference here.
            flavour: Flavour::Plain,
            folder: entry.path(),
            key: entry.file_name().to_string_lossy().into_owned(),
        })
        .filter(|template| !current.contains(&template.key))
        .map(|template| {
            let used = fs::metadata(template.marker())
                .and_then(|marker| marker.modified())
                .ok();
            (used, template)
        })
        .collect();
    // Newest first; those without a marker, which are incomplete, last.
    others.sort_by_key(|(used, _)| std::cmp::Reverse(*used));
    let mut removed = 0;
    for (index, (used, template)) in others.iter().enumerate() {
        if used.is_some() && index < KEPT {
            continue;
        }
        // Nobody who builds or uses it lets go of the lock.
        if let Ok(Some(_lock)) = files::try_lock(&template.lock_path())
            && files::remove_dir(template.folder()).is_ok()
        {
            let _ = fs::remove_file(template.lock_path());
            removed += 1;
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    fn clone(name: &str) -> (Folder, Layout) {
        let folder = Folder::new(name);
        folder.write("clone/Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n[workspace.package]\nversion = \"0.1.0\"\n\
            [workspace.dependencies]\nndarray = { version = \"0.17\", default-features = false, features = [\"std\"] }\nplotters = \"0.3\"\nrand = \"0.10\"\n[profile.dev]\ndebug = 0\n");
        folder.write("clone/Cargo.lock", "[[package]]\nname = \"ndarray\"\nversion = \"0.16.0\"\n[[package]]\nname = \"ndarray\"\nversion = \"0.17.2\"\n");
        for (crate_folder, package) in CRATES {
            folder.write(&format!("clone/crates/{crate_folder}/Cargo.toml"), &format!("[package]\nname = \"{package}\"\nversion.workspace = true\n[dev-dependencies]\nmoments-checks.workspace = true\n"));
            folder.write(
                &format!("clone/crates/{crate_folder}/src/lib.rs"),
                "//! A crate.\n",
            );
        }
        let layout = Layout::with_cache(folder.path().join("clone"), folder.cache()).unwrap();
        (folder, layout)
    }

    #[test]
    fn the_key_follows_sources_lock_compiler_and_nothing_else() {
        let (folder, layout) = clone("key");
        let before = key(&layout, Flavour::Plain, "rustc 1").unwrap();
        assert_eq!(key(&layout, Flavour::Plain, "rustc 1").unwrap(), before);
        assert_ne!(key(&layout, Flavour::Plain, "rustc 2").unwrap(), before);
        folder.write("clone/crates/lab/tests/a.rs", "");
        folder.write("clone/crates/course/src/main.rs", "");
        folder.write("clone/book/src/x.md", "");
        assert_eq!(key(&layout, Flavour::Plain, "rustc 1").unwrap(), before);
        folder.write("clone/crates/lab/src/lib.rs", "//! Another.\n");
        let edited = key(&layout, Flavour::Plain, "rustc 1").unwrap();
        assert_ne!(edited, before);
        folder.write("clone/crates/lab/src/lib.rs", "//! A crate.\n");
        assert_eq!(key(&layout, Flavour::Plain, "rustc 1").unwrap(), before);
        folder.write(
            "clone/Cargo.lock",
            "[[package]]\nname = \"ndarray\"\nversion = \"0.17.3\"\n",
        );
        assert_ne!(key(&layout, Flavour::Plain, "rustc 1").unwrap(), before);
    }

    #[test]
    fn two_clones_of_one_state_share_a_template() {
        let (folder, one) = clone("shared");
        files::copy_dir(one.root(), &folder.path().join("clone two")).unwrap();
        let two = Layout::with_cache(folder.path().join("clone two"), one.cache()).unwrap();
        let key = |layout, flavour| key(layout, flavour, "rustc").unwrap();
        assert_eq!(key(&one, Flavour::Plain), key(&two, Flavour::Plain));
        assert_ne!(key(&one, Flavour::Plain), key(&one, Flavour::Nalgebra));
    }

    #[test]
    fn the_copied_source_is_a_workspace_of_its_own_without_what_only_tests_need() {
        let (folder, layout) = clone("source");
        let source = folder.path().join("source");
        write_source(&layout, &source).unwrap();
        let workspace = read_toml(&source.join("Cargo.toml")).unwrap();
        assert_eq!(
            workspace["workspace"]["members"][1].as_str(),
            Some("crates/lab")
        );
        assert_eq!(
            workspace["workspace"]["dependencies"]["ndarray"]["version"].as_str(),
            Some("0.17")
        );
        assert!(workspace.get("profile").is_none());
        let lab = read_toml(&source.join("crates/lab/Cargo.toml")).unwrap();
        assert!(lab.get("dev-dependencies").is_none());
        assert_eq!(lab["package"]["version"]["workspace"].as_bool(), Some(true));
        assert!(source.join("crates/moments/src/lib.rs").is_file());
    }

    #[test]
    fn a_notebook_sees_the_crates_at_the_compiled_version_also_below_a_path_with_spaces() {
        let (_folder, layout) = clone("config");
        let template = layout.templates().join("a key");
        let dependencies = dependencies(&layout, Flavour::Plain, &template).unwrap();
        write_config(&template, &dependencies, true, ":offline 0\n").unwrap();
        let config = read_toml(&template.join("config/evcxr.toml")).unwrap();
        assert_eq!(
            config["evcxr"]["preserve_vars_on_panic"].as_bool(),
            Some(false)
        );
        assert_eq!(config["evcxr"]["opt_level"].as_str(), Some("0"));
        let seen = &config["dependencies"];
        assert_eq!(seen["ndarray"]["version"].as_str(), Some("=0.17.2"));
        assert_eq!(seen["ndarray"]["features"][0].as_str(), Some("std"));
        let lab = seen["moments-lab"]["path"].as_str().unwrap();
        assert!(
            lab.contains("a key") && Path::new(lab).starts_with(&template),
            "{lab}"
        );
    }

    #[test]
    fn a_line_of_the_tree_is_a_pin_unless_it_is_our_own_crate() {
        let expected = Pin {
            name: "serde_derive".to_owned(),
            version: "1.0.2".to_owned(),
            build: false,
        };
        assert_eq!(
            pin("serde_derive v1.0.2 (proc-macro)"),
            Some(expected.clone())
        );
        assert_eq!(pin("moments v0.1.0 (/a b/moments)"), None);
        assert_eq!(pin(""), None);
        let manifest: Table = pins(&[expected]).parse().unwrap();
        assert_eq!(
            manifest["dependencies"]["pin0"]["version"].as_str(),
            Some("=1.0.2")
        );
    }

    #[test]
    fn a_cache_inside_a_cargo_project_is_refused() {
        let (_folder, layout) = clone("inside");
        let error = refuse_workspace_above(&layout.root().join("target/cache")).unwrap_err();
        assert!(error.to_string().contains("MOMENTS_CACHE_DIR"), "{error}");
    }

    #[test]
    fn old_templates_are_swept_and_those_in_use_or_lately_used_are_kept() {
        let (_folder, layout) = clone("sweep");
        let template = |name: &str| Template {
            flavour: Flavour::Plain,
            folder: layout.templates().join(name),
            key: name.to_owned(),
        };
        let place = |name: &str, age: u64| {
            let template = template(name);
            exec::write_atomic(&template.marker(), b"").unwrap();
            let marker = File::options().write(true).open(template.marker()).unwrap();
            marker
                .set_modified(SystemTime::now() - Duration::from_secs(age))
                .unwrap();
        };
        for (name, age) in [
            ("now", 900),
            ("b", 10),
            ("c", 20),
            ("d", 30),
            ("old", 500),
            ("used", 600),
        ] {
            place(name, age);
        }
        fs::create_dir_all(layout.templates().join("interrupted")).unwrap();
        let held = files::try_lock_shared(&template("used").lock_path()).unwrap();
        assert_eq!(sweep(&layout, &["now".to_owned()]), 2);
        drop(held);
        for (name, there) in [
            ("now", true),
            ("b", true),
            ("d", true),
            ("old", false),
            ("used", true),
            ("interrupted", false),
        ] {
            assert_eq!(layout.templates().join(name).exists(), there, "{name}");
        }
    }

    #[test]
    fn what_cells_left_is_pruned_and_dependencies_stay() {
        let folder = Folder::new("prune");
        for file in [
            "debug/deps/libctx.so",
            "debug/deps/libcode_3.so",
            "debug/deps/ctx.d",
            "debug/incremental/ctx-1/x",
            "debug/deps/libndarray-1.rlib",
        ] {
            folder.write(&format!("target/{file}"), "");
        }
        prune(folder.path()).unwrap();
        assert_eq!(
            files::files_below(&folder.path().join("target")).unwrap(),
            [PathBuf::from("debug/deps/libndarray-1.rlib")]
        );
    }

    #[test]
    fn who_waits_for_a_template_goes_on_when_it_is_complete_though_another_kernel_uses_it() {
        let (_folder, layout) = clone("waits");
        let template = Template {
            flavour: Flavour::Plain,
            folder: layout.templates().join("k"),
            key: "k".to_owned(),
        };
        let held = files::try_lock(&template.lock_path()).unwrap();
        let waiting = std::thread::spawn({
            let (template, layout) = (template.clone(), layout.clone());
            move || template.build(&layout, &mut crate::report::Quiet)
        });
        std::thread::sleep(Duration::from_millis(150));
        assert!(!waiting.is_finished());
        exec::write_atomic(&template.marker(), b"").unwrap();
        let kept = held.unwrap();
        waiting.join().unwrap().unwrap();
        drop(kept);
    }

    #[test]
    fn a_template_counts_only_once_its_marker_is_written() {
        let (_folder, layout) = clone("marker");
        let template = Template {
            flavour: Flavour::Plain,
            folder: layout.templates().join("k"),
            key: "k".to_owned(),
        };
        fs::create_dir_all(template.warm()).unwrap();
        assert!(template.use_it().unwrap().is_none());
        exec::write_atomic(&template.marker(), b"").unwrap();
        assert!(template.use_it().unwrap().is_some());
    }
}
