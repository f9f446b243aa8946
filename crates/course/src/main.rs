//! The `cargo course` command.
//!
//! `cargo course` serves the book, sets up what the notebooks need and starts JupyterLab. The other verbs build, check and
//! test the parts of the course; `cargo course help` lists them.

mod book;
mod copies;
mod doctor;
mod exercises;
mod files;
mod git;
#[cfg(unix)]
mod grade;
mod kills;
mod lab;
mod learn;
mod make;
mod process;
mod progress;
mod run;
mod server;
mod start;
mod starter;
mod stop;
mod ui;
mod update;
mod verdict;
mod verify;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::{Args, Parser, Subcommand};
use moments_kernel::Layout;

#[derive(Debug, Parser)]
#[command(
    name = "cargo course",
    bin_name = "cargo course",
    version,
    about = "The Moments course: book, notebooks and exercises.",
    after_help = "Without a verb it starts the book and the notebooks."
)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    start: Start,
}

/// The exit codes of verbs that tell or do something.
const ASKED: &str = "Exit codes: 0 done; 2 wrong usage, or it could not be done.";

/// The exit codes of verbs that judge.
const TESTED: &str =
    "Exit codes: 0 it passes; 1 it does not; 2 wrong usage, or it could not be tested.";

/// The exit codes of `verify`.
const VERIFIED: &str = "Exit codes: 0 every exercise passes, or the certificate holds; 1 not; 2 wrong usage, or it could not be tested.";

#[derive(Debug, Clone, Args)]
struct Start {
    /// Serve the book at this port and no other one.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Serve the book alone, without setting up or starting JupyterLab.
    #[arg(long)]
    no_lab: bool,
    /// Do not open the browser.
    #[arg(long)]
    no_open: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the book, set up what is missing, start JupyterLab (the default).
    Start(Start),
    /// List the exercises: what passes, what is next, how many minutes are left.
    #[command(after_help = ASKED)]
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say which exercise is next, why, what it asks and where its file is.
    #[command(after_help = ASKED)]
    Next,
    /// Test an exercise and say what is wrong; or all of them, a line each.
    #[command(after_help = TESTED)]
    Test {
        /// Its id (ex07), its name (adam), nothing in its folder, or `all`.
        exercise: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Test an exercise whenever it is saved; h hint, n next, l list, r run again, q quit.
    #[command(after_help = ASKED)]
    Watch {
        /// Its id (ex07) or its name (adam); else the one whose folder this is, else the next one.
        exercise: Option<String>,
    },
    /// Show one more hint: a question, a formula, a line of code.
    #[command(after_help = ASKED)]
    Hint {
        /// Its id (ex07), its name (adam), or nothing in its folder.
        exercise: Option<String>,
        /// Show all hints.
        #[arg(long)]
        all: bool,
    },
    /// Show the solution beside yours.
    #[command(after_help = ASKED)]
    Solution {
        /// Its id (ex07), its name (adam), or nothing in its folder.
        exercise: Option<String>,
    },
    /// Begin an exercise anew: yours is kept beside the starter.
    #[command(after_help = ASKED)]
    Reset {
        /// Its id (ex07), its name (adam), or nothing in its folder.
        exercise: Option<String>,
    },
    /// Test every exercise from nothing, and write a certificate; or check one.
    #[command(after_help = VERIFIED)]
    Verify {
        /// Whose certificate it is to be.
        #[arg(long)]
        name: Option<String>,
        /// Check this certificate against the files that are here, and test them.
        #[arg(long, value_name = "FILE", conflicts_with = "name")]
        check: Option<PathBuf>,
    },
    /// Fetch the newest course; what you have edited stays as it is.
    #[command(after_help = ASKED)]
    Update,
    /// Say what is there, what is missing, and the command that mends it.
    Doctor {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Install what the notebooks need, and start nothing.
    Setup,
    /// Build the book into book/book.
    Build,
    /// Run the cells of the chapters and write what the pages show.
    Outputs {
        /// Write nothing; fail with a difference when something is stale.
        #[arg(long)]
        check: bool,
        /// Only the kill matrices of the exercises.
        #[arg(long, conflicts_with = "chapters")]
        kills: bool,
        /// The chapters; by default all of them, and the kill matrices of the exercises.
        #[arg(value_name = "CHAPTER")]
        chapters: Vec<String>,
    },
    /// Write the notebooks from the chapters.
    Notebooks {
        /// Write nothing; fail with a difference when something is stale.
        #[arg(long, conflicts_with = "run")]
        check: bool,
        /// Execute them on the real kernel instead; a cell that fails makes this command fail.
        #[arg(long)]
        run: bool,
        /// With --run: write the executed notebooks into this folder.
        #[arg(long, value_name = "FOLDER", requires = "run")]
        out: Option<PathBuf>,
        /// The chapters, all of them by default.
        #[arg(value_name = "CHAPTER")]
        chapters: Vec<String>,
    },
    /// Grade submissions of strangers in a sandbox: `cargo course grade PATH... --out DIR`.
    #[cfg(unix)]
    #[command(after_help = grade::GRADED)]
    Grade(Box<grade::Grade>),
    /// The notebook kernels: install, uninstall (JupyterLab, VS Code, JupyterHub), status, clean, setup, run.
    #[command(disable_help_flag = true)]
    Kernel {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Speak mdBook's preprocessor protocol (mdBook calls this).
    #[command(hide = true)]
    Preprocess {
        /// `supports <renderer>`, or nothing.
        arguments: Vec<String>,
    },
}

impl Verb {
    /// The exit code when it could not be done. To a learner's script 1 means that an exercise does not pass, and nothing else.
    fn code_of_an_error(&self) -> u8 {
        match self {
            Self::Status { .. }
            | Self::Next
            | Self::Test { .. }
            | Self::Watch { .. }
            | Self::Hint { .. }
            | Self::Solution { .. }
            | Self::Reset { .. }
            | Self::Verify { .. }
            | Self::Update => 2,
            #[cfg(unix)]
            Self::Grade(_) => 2,
            _ => 1,
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let verb = cli.verb.unwrap_or(Verb::Start(cli.start));
    let code = verb.code_of_an_error();
    run(verb).unwrap_or_else(|error| {
        let style = ui::Style::stderr();
        eprintln!("{} {error:#}", style.red("error:"));
        ExitCode::from(code)
    })
}

fn run(verb: Verb) -> Result<ExitCode> {
    if let Verb::Preprocess { arguments } = &verb {
        return make::preprocess(arguments);
    }
    let layout = Layout::discover().map_err(|error| anyhow!("{error}"))?;
    let root = layout.root();
    match verb {
        Verb::Start(Start {
            port,
            no_lab,
            no_open,
        }) => start::start(
            &layout,
            start::Options {
                port,
                lab: !no_lab,
                open: !no_open,
            },
        ),
        Verb::Status { json } => learn::status(&layout, json),
        Verb::Next => learn::next(&layout),
        Verb::Test { exercise, json } => verdict::test(root, exercise.as_deref(), json),
        Verb::Watch { exercise } => watch::watch(root, exercise.as_deref()),
        Verb::Hint { exercise, all } => learn::hint(root, exercise.as_deref(), all),
        Verb::Solution { exercise } => learn::solution(root, exercise.as_deref()),
        Verb::Reset { exercise } => starter::reset(root, exercise.as_deref()),
        Verb::Verify { check: None, name } => verify::verify(root, name),
        Verb::Verify {
            check: Some(file), ..
        } => verify::check(root, &file),
        Verb::Update => update::update(root),
        Verb::Doctor { json } => Ok(doctor::doctor(&layout, json)),
        Verb::Setup => start::setup(&layout),
        Verb::Build => make::build(root),
        Verb::Outputs {
            check,
            kills,
            chapters,
        } => make::outputs(root, check, kills, &chapters),
        Verb::Notebooks {
            run: true,
            out,
            chapters,
            ..
        } => make::run_notebooks(&layout, out.as_deref(), &chapters),
        Verb::Notebooks {
            check, chapters, ..
        } => make::notebooks(root, check, &chapters),
        #[cfg(unix)]
        Verb::Grade(grade) => grade::grade(&layout, *grade),
        Verb::Kernel { arguments } => Ok(moments_kernel::cli::main(arguments)),
        Verb::Preprocess { .. } => unreachable!("handled above"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_verb_the_options_are_those_of_start() {
        let cli = Cli::parse_from(["course", "--port", "4000", "--no-lab"]);
        assert!(cli.verb.is_none());
        assert_eq!((cli.start.port, cli.start.no_lab), (Some(4000), true));
    }
}
