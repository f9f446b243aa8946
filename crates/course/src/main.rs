//! The `cargo course` command.
//!
//! `cargo course` serves the book, sets up what the notebooks need and starts JupyterLab. The other verbs build, check and
//! test the parts of the course; `cargo course help` lists them.

mod book;
mod copies;
mod doctor;
mod exercises;
mod kills;
mod lab;
mod learn;
mod make;
mod process;
mod progress;
mod server;
mod start;
mod stop;
mod ui;

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
    /// List the exercises: what passes, what is next.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Test an exercise and say what is wrong.
    Test {
        /// Its id (ex07), its name (adam), or nothing in its folder.
        exercise: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one more hint: a question, a formula, a line of code.
    Hint {
        /// Its id (ex07), its name (adam), or nothing in its folder.
        exercise: Option<String>,
        /// Show all hints.
        #[arg(long)]
        all: bool,
    },
    /// Show the solution beside yours.
    Solution {
        /// Its id (ex07), its name (adam), or nothing in its folder.
        exercise: Option<String>,
    },
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
    /// Look at the notebook kernel: status, setup, run.
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

fn main() -> ExitCode {
    let cli = Cli::parse();
    run(cli).unwrap_or_else(|error| {
        let style = ui::Style::stderr();
        eprintln!("{} {error:#}", style.red("error:"));
        ExitCode::FAILURE
    })
}

fn run(cli: Cli) -> Result<ExitCode> {
    let verb = cli.verb.unwrap_or(Verb::Start(cli.start));
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
        Verb::Status { json } => learn::status(root, json),
        Verb::Test { exercise, json } => learn::test(root, exercise.as_deref(), json),
        Verb::Hint { exercise, all } => learn::hint(root, exercise.as_deref(), all),
        Verb::Solution { exercise } => learn::solution(root, exercise.as_deref()),
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
