//! The command line of `moments-kernel`, for the launcher and for `cargo course kernel`.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::evcxr;
use crate::flavour::Flavour;
use crate::guard;
use crate::install::{self, Installed};
use crate::launch;
use crate::layout::Layout;
use crate::manage;
use crate::notebook;
use crate::places;
use crate::report::{Reporter, State, Step};
use crate::rust_path;
use crate::steps::setup;

/// What [`main`] understands.
pub const USAGE: &str = "\
Usage: cargo course kernel <command>        (or moments-kernel <command>)

For a Jupyter of your own: JupyterLab, VS Code, JupyterHub
  install [PLACE]             install or repair the course's kernels there
  uninstall [PLACE] [--templates]
                              remove what install wrote; its templates too
                              PLACE: --user (the default), --sys-prefix (the
                              active Python environment), or --prefix FOLDER

For these and for the clone's own JupyterLab
  status [--json]             what is installed, what is stale, what runs;
                              exit code 1 when there is something to mend
  clean [--json]              remove stale templates and what dead kernels left
  setup                       install what the clone's JupyterLab misses
  check                       say what of that is there and what is missing
  run NOTEBOOK [--write FILE] [--cell-timeout SECONDS]
                              execute a notebook from its first to its last cell

  launch [--root CLONE [--kernel NAME [--while-open]]] CONNECTION_FILE
                              start a kernel; Jupyter calls this";

/// The kernel ends when standard input does: whoever started it holds the other end.
const WATCH: &str = "--while-open";

/// Prints how it goes: on a terminal in one line that overwrites itself, elsewhere in a line now and then.
struct Lines {
    terminal: bool,
    shown: bool,
    last: Option<Instant>,
}

impl Lines {
    fn new() -> Self {
        Self {
            terminal: io::stdout().is_terminal(),
            shown: false,
            last: None,
        }
    }

    fn keep(&mut self, text: &str) {
        if self.shown {
            say("\r\x1b[2K");
            self.shown = false;
        }
        self.last = Some(Instant::now());
        say(&format!("{text}\n"));
    }
}

/// Prints; whoever has closed the other end does not stop an installation.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The columns of the terminal.
fn columns() -> usize {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(io::stdout())
        && size.ws_col > 0
    {
        return size.ws_col.into();
    }
    80
}

impl Reporter for Lines {
    fn begin(&mut self, step: Step) {
        self.keep(&format!("{}: {}", step.name(), step.what()));
        self.keep(&format!("  takes {}", step.estimate()));
    }

    fn progress(&mut self, text: &str) {
        if self.terminal {
            // A line that wraps cannot be overwritten.
            let text: String = text.chars().take(columns().saturating_sub(4)).collect();
            say(&format!("\r\x1b[2K  {text}"));
            self.shown = true;
        } else if self
            .last
            .is_none_or(|last| last.elapsed() >= Duration::from_secs(10))
        {
            self.keep(&format!("  {text}"));
        }
    }

    fn note(&mut self, text: &str) {
        self.keep(&format!("  {text}"));
    }

    fn end(&mut self, step: Step, seconds: f64) {
        self.keep(&format!("  {} is done after {seconds:.0} s", step.name()));
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if self.shown {
            say("\r\x1b[2K");
        }
    }
}

/// Runs a command of `moments-kernel`; the arguments come without the program's name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match command(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn command(arguments: &[OsString]) -> Result<ExitCode, Error> {
    let words: Vec<&str> = arguments
        .iter()
        .map(|word| word.to_str().unwrap_or(""))
        .collect();
    match words.as_slice() {
        ["launch", rest @ ..] => {
            if let Some(again) = rust_path::again(arguments) {
                let code = rust_path::become_it(again).map_err(|error| {
                    Error::failed(format!(
                        "The launcher could not start itself again: {error}."
                    ))
                })?;
                return Ok(exit_code(code));
            }
            let root = || Layout::new(&arguments[2]);
            let (layout, flavour, watch, file) = match rest {
                ["--root", _, "--kernel", name, WATCH, _] => {
                    (root()?, named(name)?, true, &arguments[6])
                }
                ["--root", _, "--kernel", name, _] => (root()?, named(name)?, false, &arguments[5]),
                ["--root", _, _] => (root()?, Flavour::Plain, false, &arguments[3]),
                [_] => {
                    let layout = launch::layout_of_launcher()?;
                    (layout, Flavour::Plain, false, &arguments[1])
                }
                _ => return Err(usage()),
            };
            if watch {
                launch::end_with_standard_input();
            }
            prepare(&layout)?;
            let code = launch::launch(&layout, flavour, &PathBuf::from(file))?;
            Ok(exit_code(code))
        }
        // Not for people: a launcher starts it, see `launch`.
        ["tidy", _] => {
            guard::tidy(&PathBuf::from(&arguments[1]))?;
            Ok(ExitCode::SUCCESS)
        }
        ["setup"] => {
            let layout = Layout::discover()?;
            setup(&layout, &mut Lines::new())?;
            for flavour in Flavour::ALL {
                println!("The kernel \"{}\" is ready.", flavour.display_name());
            }
            Ok(ExitCode::SUCCESS)
        }
        ["check"] => Ok(check(&Layout::discover()?)),
        ["install", ..] => install_kernels(&options(&arguments[1..])?),
        ["uninstall", ..] => uninstall_kernels(&options(&arguments[1..])?),
        ["status"] | ["status", "--json"] => {
            let (layout, clone) = here()?;
            let report = manage::report(&layout, clone.as_ref());
            if words.len() > 1 {
                println!("{:#}", report.json());
            } else {
                print!("{report}");
            }
            Ok(if report.is_ready() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        // The second word is the name that it had first.
        ["clean" | "sweep"] | ["clean", "--json"] => {
            let (layout, clone) = here()?;
            let cleaned = manage::clean(&layout, clone.as_ref())?;
            if words.len() > 1 {
                println!("{:#}", cleaned.json());
            } else {
                println!("{cleaned}");
            }
            Ok(if cleaned.is_complete() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        ["run", _, ..] => {
            let (path, options) = run_options(arguments, &words)?;
            notebook::run(&Layout::discover()?, &path, &options, &mut |event| {
                println!("{event}");
            })?;
            Ok(ExitCode::SUCCESS)
        }
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(usage()),
    }
}

fn exit_code(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The layout to look at, and the clone if this is one; outside of a clone an installed launcher knows what it belongs to.
fn here() -> Result<(Layout, Option<Layout>), Error> {
    match Layout::discover() {
        Ok(clone) => Ok((clone.clone(), Some(clone))),
        Err(error) => match Installed::of_this_program() {
            Some(installed) => Ok((installed.layout()?, None)),
            None => Err(error),
        },
    }
}

/// What a kernel needs and may have lost since the set-up.
fn prepare(layout: &Layout) -> Result<(), Error> {
    layout.prepare_kernels()?;
    if Installed::of_this_program().is_some() && evcxr::find(layout).is_none() {
        return Err(Error::failed(format!(
            "evcxr_jupyter {} is no longer in {}: run `cargo course kernel install` in a clone of the course.",
            evcxr::EVCXR_VERSION,
            layout.tools().display()
        )));
    }
    Ok(())
}

fn options(words: &[OsString]) -> Result<install::Options, Error> {
    install::Options::parse(words).map_err(|what| Error::failed(format!("{what}.\n\n{USAGE}")))
}

fn install_kernels(options: &install::Options) -> Result<ExitCode, Error> {
    if options.templates {
        return Err(usage());
    }
    let (layout, _) = here()?;
    let done = install::install(&layout, &options.place, &mut Lines::new())?;
    let data = done.installed.data();
    let word = if done.changed {
        "Installed"
    } else {
        "Everything was installed already"
    };
    println!("{word} in {}:", data.display());
    for flavour in Flavour::ALL {
        println!(
            "  {:25}  kernels/{}",
            flavour.display_name(),
            flavour.kernel_name()
        );
    }
    println!("  what they start            moments");
    println!(
        "Nothing in there needs the clone. They compile in {},\nwhich has to stay.",
        layout.cache().display()
    );
    if done.pool {
        println!("This Jupyter keeps a kernel waiting, so they start at once.");
    }
    let name = Flavour::Plain.display_name();
    println!(
        "\nJupyterLab  a new launcher tab offers \"{name}\"; in an open notebook, click the\n            kernel's name at its upper right.\n\
         VS Code     Select Kernel, Select Another Kernel..., Jupyter Kernel..., \"{name}\"."
    );
    let seen = places::search_path().iter().any(|folder| folder == data);
    if !seen {
        println!(
            "\nA Jupyter finds them there if its environment is in that folder, or with\nJUPYTER_PATH=\"{}\"",
            data.display()
        );
    }
    println!(
        "\nTo remove them: cargo course kernel uninstall {}\nor, without the clone: \"{}\" uninstall {}",
        manage::place_words(data),
        done.installed.launcher().display(),
        manage::place_words(data)
    );
    Ok(ExitCode::SUCCESS)
}

fn uninstall_kernels(options: &install::Options) -> Result<ExitCode, Error> {
    let data = options.place.data()?;
    let Some(installed) = Installed::at(&data) else {
        println!("Nothing of the course is installed in {}.", data.display());
        return Ok(ExitCode::SUCCESS);
    };
    // Asked now, because its sources are about to go.
    let layout = installed.layout()?;
    let keys = manage::keys(&layout);
    let removed = install::uninstall(&installed)?;
    println!(
        "Removed {} from {}.",
        manage::count(removed.files, "file"),
        data.display()
    );
    for path in &removed.kept {
        println!(
            "Kept {}, which was changed after the installation.",
            path.display()
        );
    }
    if options.templates {
        println!("{}", manage::remove_templates(&layout, &keys));
    } else {
        println!(
            "evcxr_jupyter and the templates are still in {}.",
            layout.cache().display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn named(kernel: &str) -> Result<Flavour, Error> {
    Flavour::named(kernel).ok_or_else(|| {
        let names = Flavour::ALL.map(Flavour::kernel_name).join(", ");
        Error::failed(format!(
            "The course has no kernel \"{kernel}\"; it has {names}."
        ))
    })
}

fn usage() -> Error {
    Error::failed(format!("this is not a command.\n\n{USAGE}"))
}

fn run_options(
    arguments: &[OsString],
    words: &[&str],
) -> Result<(PathBuf, notebook::Options), Error> {
    let mut options = notebook::Options::default();
    let mut index = 2;
    while index < words.len() {
        let value = arguments.get(index + 1).ok_or_else(usage)?;
        match words[index] {
            "--write" => options.write_to = Some(PathBuf::from(value)),
            "--cell-timeout" => {
                let seconds = words[index + 1]
                    .parse()
                    .ok()
                    .filter(|seconds| *seconds > 0.0 && f64::is_finite(*seconds));
                let seconds = seconds.ok_or_else(|| {
                    Error::failed("--cell-timeout takes a positive number of seconds.")
                })?;
                options.cell_timeout = std::time::Duration::from_secs_f64(seconds);
            }
            _ => return Err(usage()),
        }
        index += 2;
    }
    Ok((PathBuf::from(&arguments[1]), options))
}

fn check(layout: &Layout) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for step in Step::ALL {
        match step.check(layout) {
            State::Present { version, place } => {
                println!("ok       {:14} {version} ({place})", step.name());
            }
            State::Missing { reason } => {
                println!(
                    "missing  {:14} {reason}\n         mend it with: {}",
                    step.name(),
                    step.mend(layout)
                );
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_run_are_read_and_a_nonsense_time_out_is_refused() {
        let parse = |words: &[&str]| {
            let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
            run_options(&arguments, words)
        };
        let (path, options) = parse(&[
            "run",
            "a b.ipynb",
            "--write",
            "out",
            "--cell-timeout",
            "2.5",
        ])
        .unwrap();
        assert_eq!(path, PathBuf::from("a b.ipynb"));
        assert_eq!(options.write_to, Some(PathBuf::from("out")));
        assert_eq!(options.cell_timeout.as_secs_f64(), 2.5);
        assert!(parse(&["run", "a", "--cell-timeout", "-1"]).is_err());
        assert!(parse(&["run", "a", "--write"]).is_err());
    }

    #[test]
    fn an_unknown_command_shows_the_usage() {
        let error = command(&["frobnicate".into()]).unwrap_err();
        assert!(error.to_string().contains("Usage: cargo course kernel"));
    }
}
