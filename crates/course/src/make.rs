//! The verbs for authors: `build`, `outputs`, `notebooks` and `preprocess`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use moments_chapters::{Layout as Chapters, Stale, notebook, outputs as chapter_outputs, page};
use moments_kernel::{Layout, State, Step};

use crate::stop::Stop;
use crate::ui::{self, count};
use crate::{book, kills, process};

/// `cargo course build`.
pub(crate) fn build(root: &Path) -> Result<ExitCode> {
    let began = Instant::now();
    book::build(root, &root.join("book/book"))?;
    ui::say(&format!(
        "Built book/book in {:.1} s. Open book/book/index.html, or run `cargo course`.",
        began.elapsed().as_secs_f64()
    ));
    Ok(ExitCode::SUCCESS)
}

/// `cargo course outputs`.
pub(crate) fn outputs(
    root: &Path,
    check: bool,
    only_kills: bool,
    names: &[String],
) -> Result<ExitCode> {
    let chapters = Chapters::at(root);
    let mut stale = Vec::new();
    if names.is_empty() {
        if check {
            stale = kills::check(root)?;
            if stale.is_empty() {
                ui::say("exercises: the kill matrices are up to date");
            }
        } else {
            let changed = kills::write(root)?;
            let count = count(changed.len(), "file");
            ui::say(&format!("exercises: {count} of the kill matrices changed"));
            for path in changed {
                ui::say(&format!("  {}", path.display()));
            }
        }
    }
    let slugs = if only_kills {
        Vec::new()
    } else {
        chapters.select(names)?
    };
    for slug in slugs {
        let began = Instant::now();
        ui::say(&format!("{slug}: compiling and running the cells"));
        if check {
            let found = chapter_outputs::check(&chapters, &slug)?;
            if found.is_empty() {
                ui::say(&format!(
                    "{slug}: the outputs are up to date ({:.1} s)",
                    began.elapsed().as_secs_f64()
                ));
            }
            stale.extend(found);
        } else {
            let changed = chapter_outputs::write(&chapters, &slug)?;
            ui::say(&format!(
                "{slug}: {} changed ({:.1} s)",
                count(changed.len(), "file"),
                began.elapsed().as_secs_f64()
            ));
            for path in changed {
                ui::say(&format!("  {}", chapters.relative(&path).display()));
            }
        }
    }
    verdict(&stale)
}

/// `cargo course notebooks`.
pub(crate) fn notebooks(root: &Path, check: bool, names: &[String]) -> Result<ExitCode> {
    let chapters = Chapters::at(root);
    let mut stale = Vec::new();
    for slug in chapters.select(names)? {
        if check {
            match notebook::check(&chapters, &slug)? {
                Some(found) => stale.push(found),
                None => ui::say(&format!("{slug}: the notebook is up to date")),
            }
        } else {
            let word = if notebook::write(&chapters, &slug)? {
                "written"
            } else {
                "unchanged"
            };
            ui::say(&format!("{slug}: {word}"));
        }
    }
    verdict(&stale)
}

fn verdict(stale: &[Stale]) -> Result<ExitCode> {
    if stale.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for found in stale {
        ui::say(&found.to_string());
    }
    bail!(
        "{} stale; the differences are above.",
        count(stale.len(), "file")
    )
}

/// `cargo course notebooks --run`.
pub(crate) fn run_notebooks(
    layout: &Layout,
    out: Option<&Path>,
    names: &[String],
) -> Result<ExitCode> {
    for step in Step::ALL {
        if let State::Missing { reason } = step.check(layout) {
            bail!("The kernel is not set up. {reason} `cargo course setup` mends it.");
        }
    }
    let chapters = Chapters::at(layout.root());
    let slugs = chapters.select(names)?;
    if slugs.is_empty() {
        bail!("There is no notebook to run: book/src has no chapter.");
    }
    if let Some(folder) = out {
        fs::create_dir_all(folder)
            .with_context(|| format!("Could not create {}", folder.display()))?;
    }
    // A run that is interrupted takes the kernel and the runner with it.
    let stop = Stop::listen()?;
    let watch = stop.clone();
    thread::spawn(move || {
        while !watch.wait(Duration::from_hours(1)) {}
        let below = process::descendants(std::process::id());
        process::end_all(&below);
        eprintln!("Stopped; the kernel has ended.");
        std::process::exit(130);
    });
    for slug in slugs {
        let path = chapters.notebook(&slug);
        if chapters.chapter(&slug)?.cells().next().is_none() {
            ui::say(&format!("{slug}: no cells, so no notebook"));
            continue;
        }
        ui::say(&format!(
            "{slug}: on the kernel {}",
            moments_kernel::notebook::flavour(&path)?.display_name()
        ));
        let options = moments_kernel::notebook::Options {
            write_to: out.map(|folder| folder.join(format!("{slug}.ipynb"))),
            ..Default::default()
        };
        let run = moments_kernel::notebook::run(layout, &path, &options, &mut |event| {
            ui::say(&format!("  {event}"));
        });
        let run = match run {
            Ok(run) => run,
            // The watcher ends this process with the right code.
            Err(_) if stop.wanted() => loop {
                thread::park();
            },
            Err(error) => bail!("{slug}: {error}"),
        };
        ui::say(&format!(
            "{slug}: {} executed in {:.1} s, ready after {:.1} s",
            count(run.cells.len(), "cell"),
            run.total_seconds,
            run.ready_seconds
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// `cargo course preprocess`.
pub(crate) fn preprocess(arguments: &[String]) -> Result<ExitCode> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            page::preprocess(io::stdin().lock(), io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        ["supports", renderer] if page::supports(renderer) => Ok(ExitCode::SUCCESS),
        ["supports", _] => Ok(ExitCode::FAILURE),
        _ => bail!(
            "mdBook calls `preprocess` without arguments, or as `preprocess supports <renderer>`."
        ),
    }
}
