//! The command line of `moments-kernel`, for the launcher and for `cargo course kernel`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::error::Error;
use crate::flavour::Flavour;
use crate::guard;
use crate::launch;
use crate::layout::Layout;
use crate::notebook;
use crate::report::{Reporter, State, Step};
use crate::steps::setup;

const USAGE: &str = "\
Usage: moments-kernel <command>

  setup                       install what is missing
  check                       say what is there and what is missing
  status                      the template, its size, and the running kernels
  sweep                       remove what dead kernels left, and old templates
  run NOTEBOOK [--write FILE] [--cell-timeout SECONDS]
                              execute a notebook from its first to its last cell
  launch [--root CLONE [--kernel NAME [--while-open]]] CONNECTION_FILE
                              start a kernel; Jupyter calls this";

/// The kernel ends when standard input does: whoever started it holds the other end.
const WATCH: &str = "--while-open";

/// Prints progress line by line.
struct Lines {
    last: String,
}

impl Reporter for Lines {
    fn begin(&mut self, step: Step) {
        println!(
            "{}: {} Takes {}.",
            step.name(),
            step.what(),
            step.estimate()
        );
    }

    fn progress(&mut self, text: &str) {
        if text != self.last {
            println!("  {text}");
            text.clone_into(&mut self.last);
        }
    }

    fn note(&mut self, text: &str) {
        println!("  {text}");
    }

    fn end(&mut self, step: Step, seconds: f64) {
        println!("{}: done in {seconds:.1} s", step.name());
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
            let code = launch::launch(&layout, flavour, &PathBuf::from(file))?;
            Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
        }
        // Not for people: a launcher starts it, see `launch`.
        ["tidy", _] => {
            guard::tidy(&PathBuf::from(&arguments[1]))?;
            Ok(ExitCode::SUCCESS)
        }
        ["setup"] => {
            let layout = Layout::discover()?;
            setup(
                &layout,
                &mut Lines {
                    last: String::new(),
                },
            )?;
            for flavour in Flavour::ALL {
                println!("The kernel \"{}\" is ready.", flavour.display_name());
            }
            Ok(ExitCode::SUCCESS)
        }
        ["check"] => Ok(check(&Layout::discover()?)),
        ["status"] => {
            println!("{}", launch::status(&Layout::discover()?));
            Ok(ExitCode::SUCCESS)
        }
        ["sweep"] => {
            println!("{} removed", launch::sweep(&Layout::discover()?));
            Ok(ExitCode::SUCCESS)
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
        assert!(error.to_string().contains("Usage: moments-kernel"));
    }
}
