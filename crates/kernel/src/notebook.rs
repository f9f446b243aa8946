//! Notebooks, executed on the real kernel.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::error::Error;
use crate::exec;
use crate::flavour::Flavour;
use crate::layout::Layout;
use crate::report::{Quiet, Step};

const SCRIPT: &str = include_str!("run_notebook.py");

/// How to run a notebook.
#[derive(Debug, Clone)]
pub struct Options {
    /// The longest that one cell may take.
    pub cell_timeout: Duration,
    /// The longest that the kernel may take to start.
    pub start_timeout: Duration,
    /// Where to write the executed notebook, with its outputs.
    pub write_to: Option<PathBuf>,
}

impl Default for Options {
    /// Two minutes for a cell, ten for the start, and nothing written.
    fn default() -> Self {
        Self {
            cell_timeout: Duration::from_mins(2),
            start_timeout: Duration::from_mins(10),
            write_to: None,
        }
    }
}

/// Something that happened in a run; its `Display` is a line for a person.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The kernel answers.
    Ready {
        /// Seconds since its start.
        seconds: f64,
    },
    /// A cell was executed without an error.
    Cell(Cell),
    /// The last cell was executed.
    Done {
        /// Seconds since the start of the kernel.
        seconds: f64,
        /// How many cells were executed.
        cells: usize,
    },
}

/// An executed cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The cell's id in the notebook.
    pub id: String,
    /// How long it took.
    pub seconds: f64,
}

/// A notebook that was executed from its first to its last cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// From the start of the kernel until it answered.
    pub ready_seconds: f64,
    /// The code cells, in order.
    pub cells: Vec<Cell>,
    /// From the start of the kernel to the end of the last cell.
    pub total_seconds: f64,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { seconds } => write!(f, "{seconds:7.2} s  kernel ready"),
            Self::Cell(cell) => write!(f, "{:7.2} s  {}", cell.seconds, cell.id),
            Self::Done { seconds, cells } => write!(f, "{seconds:7.2} s  in total, {cells} cells"),
        }
    }
}

/// The kernel that a notebook's metadata names; the plain one where it names none of the course's.
///
/// # Errors
/// When the file cannot be read, or is not a notebook.
pub fn flavour(notebook: &Path) -> Result<Flavour, Error> {
    let text =
        std::fs::read_to_string(notebook).map_err(|error| Error::io("read", notebook, &error))?;
    let notebook: Value = serde_json::from_str(&text).map_err(|error| {
        Error::failed(format!(
            "{} is not a notebook: {error}.",
            notebook.display()
        ))
    })?;
    let name = notebook["metadata"]["kernelspec"]["name"].as_str();
    Ok(name.and_then(Flavour::named).unwrap_or_default())
}

/// Executes a notebook from its first to its last cell on the kernel that it names.
///
/// # Errors
/// Names the cell and shows its error when a cell fails or panics, when it takes too long, when the kernel dies or does not
/// start; and errs when no code cell was executed at all.
pub fn run(
    layout: &Layout,
    notebook: &Path,
    options: &Options,
    on_event: &mut dyn FnMut(&Event),
) -> Result<Run, Error> {
    let name = notebook.display();
    if !notebook.is_file() {
        return Err(Error::failed(format!("There is no notebook {name}.")));
    }
    for step in [Step::Python, Step::Kernelspec] {
        if let crate::State::Missing { reason } = step.check(layout) {
            return Err(Error::failed(format!(
                "{reason} Run `cargo course` first, or `cargo course kernel setup`."
            )));
        }
    }
    let mut command = Command::new(layout.python());
    command
        .args(["-I", "-c", SCRIPT])
        .arg(notebook)
        .args(["--kernel", flavour(notebook)?.kernel_name()])
        .arg(format!(
            "--cell-timeout={}",
            options.cell_timeout.as_secs_f64()
        ))
        .arg(format!(
            "--start-timeout={}",
            options.start_timeout.as_secs_f64()
        ))
        .envs(layout.jupyter_env())
        // How fast a run is differs from one time to the next; an executed notebook is to be the same.
        .env("MOMENTS_PROGRESS", "0");
    if let Some(path) = &options.write_to {
        command.arg("--write").arg(path);
    }
    let mut run = Run {
        ready_seconds: 0.0,
        cells: Vec::new(),
        total_seconds: 0.0,
    };
    let (mut failure, mut done) = (None, false);
    let result = exec::run(
        &format!("Executing {name}"),
        &mut command,
        &mut Quiet,
        &mut |line, _| match message(line) {
            Some(Message::Event(event)) => {
                match &event {
                    Event::Ready { seconds } => run.ready_seconds = *seconds,
                    Event::Cell(cell) => run.cells.push(cell.clone()),
                    Event::Done { seconds, .. } => {
                        run.total_seconds = *seconds;
                        done = true;
                    }
                }
                on_event(&event);
            }
            Some(Message::Failed(reason)) => failure = Some(reason),
            None => {}
        },
    );
    if let Some(reason) = failure {
        return Err(Error::failed(format!("{name}: {reason}")));
    }
    result?;
    if !done || run.cells.is_empty() {
        return Err(Error::failed(format!("{name}: no code cell was executed.")));
    }
    Ok(run)
}

enum Message {
    Event(Event),
    Failed(String),
}

/// A line of the script's standard output; the kernel's own lines are none.
fn message(line: &str) -> Option<Message> {
    let value: Value = serde_json::from_str(line).ok()?;
    let seconds = || value["seconds"].as_f64();
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    Some(match value["event"].as_str()? {
        "ready" => Message::Event(Event::Ready {
            seconds: seconds()?,
        }),
        "cell" => Message::Event(Event::Cell(Cell {
            id: text("id")?,
            seconds: seconds()?,
        })),
        "done" => Message::Event(Event::Done {
            seconds: seconds()?,
            cells: usize::try_from(value["cells"].as_u64()?).ok()?,
        }),
        "failed" => Message::Failed(text("message")?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_no_message_and_a_failure_is_one() {
        assert!(message("Loading startup configuration from: \"x\"").is_none());
        assert!(message("{\"event\": \"other\"}").is_none());
        let failed = message(r#"{"event": "failed", "message": "cell a failed"}"#);
        assert!(matches!(failed, Some(Message::Failed(reason)) if reason == "cell a failed"));
    }

    #[test]
    fn a_cell_is_shown_with_its_seconds() {
        let Some(Message::Event(event)) =
            message(r#"{"event": "cell", "id": "plot", "seconds": 1.234}"#)
        else {
            panic!()
        };
        assert_eq!(event.to_string(), "   1.23 s  plot");
    }

    #[test]
    fn a_missing_notebook_is_named() {
        let layout = Layout::with_cache("/nowhere", "/nowhere").unwrap();
        let error = run(
            &layout,
            Path::new("/nowhere/x.ipynb"),
            &Options::default(),
            &mut |_| (),
        );
        assert!(error.unwrap_err().to_string().contains("/nowhere/x.ipynb"));
    }
}
