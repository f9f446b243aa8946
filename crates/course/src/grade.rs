//! `cargo course grade`: submissions in, scores out. The work is done in `moments-grader`; this is its face.

// Sentences are put together here; an allocation more is nothing beside a run of the compiler.
#![allow(clippy::format_push_string)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use moments_grader::batch::{self, Plan, Progress, Report};
use moments_grader::export::{Format, write};
use moments_grader::intake::{Handed, Handout, find_all};
use moments_grader::judge::{Grader, Key, Options};
use moments_grader::outcome::{Outcome, Status, Tier};
use moments_grader::policy::Policy;
use moments_grader::record::Record;
use moments_grader::sandbox::Sandbox;
use moments_grader::similarity::{self, Alike};
use moments_grader::store::{self, Entry, Store};
use moments_grader::view::View;
use moments_grader::{merge, summary};
use moments_kernel::Layout;

use crate::ui::{self, Line, Style, count};

/// The exit codes of `grade`.
pub(crate) const GRADED: &str = "Exit codes: 0 everything that was handed in has an outcome; 2 wrong usage, or it could not be done;\n\
3 something failed that is no student's doing: run the same command again. With --self: 1 not all checks hold.";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Grade {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Fold the folders of shards into one.
    Merge {
        /// The folder that they are folded into.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// The folders of the shards.
        #[arg(value_name = "SHARD", required = true)]
        shards: Vec<PathBuf>,
        #[command(flatten)]
        export: Export,
    },
    /// Write exports and the summary of what is there, and grade nothing.
    Export {
        /// The folder of the grader.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        export: Export,
    },
    /// Check that the log of a folder is whole and its outcomes are those that were logged.
    Verify {
        /// The folder of the grader.
        #[arg(value_name = "DIR")]
        out: PathBuf,
    },
    /// Say which sandboxes this machine offers.
    Sandboxes,
}

#[derive(Debug, Clone, Args)]
struct Run {
    /// A folder of submissions (clones, folders, zip or tar archives, or lone .rs files), or one of these.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Where outcomes, exports and the summary are kept. A second run with the same folder does only what is missing.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The one exercise, by id (ex07) or slug (ex07-adam).
    #[arg(long, value_name = "EX")]
    exercise: Option<String>,
    /// How many submissions at the same time; by default as many as there are processors.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Grade the k-th of n parts of the class; `merge` folds them.
    #[arg(long, value_name = "K/N", value_parser = shard)]
    shard: Option<(u32, u32)>,
    /// The course key, 16 bytes or more: hidden cases follow from it. Without one nothing is official.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Grade again what has an outcome; the old one goes to the history.
    #[arg(long)]
    regrade: bool,
    /// The sandbox; by default the strongest that works here.
    #[arg(long, value_name = "NAME", value_parser = ["container", "bubblewrap", "user", "none"])]
    sandbox: Option<String>,
    /// Points of your own: a folder with ex01.toml and so on, in the form of crates/grader/rubrics.
    #[arg(long, value_name = "DIR")]
    rubrics: Option<PathBuf>,
    /// A Python that has copydetect: submissions that it finds alike are flagged in the summary. Those with the same text always are.
    #[arg(long, value_name = "PYTHON")]
    similarity: Option<PathBuf>,
    /// Grade this clone itself, as an advice: without key, and without a sandbox where there is none.
    #[arg(long = "self", conflicts_with_all = ["paths", "key", "shard", "regrade"])]
    own: bool,
    #[command(flatten)]
    export: Export,
}

#[derive(Debug, Clone, Args)]
// `Verb::Export` makes a group of that name too, and clap allows one of each.
#[group(id = "exports")]
struct Export {
    /// What to write besides the outcomes.
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', value_parser = ["json", "gradescope", "classroom50", "junit", "csv", "exercism"])]
    format: Vec<String>,
    /// The instructor's policy: least sandbox, late days, rounding, names.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

fn shard(text: &str) -> Result<(u32, u32), String> {
    let parts = text
        .split_once('/')
        .and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((part @ 1.., of)) if part <= of => Ok((part, of)),
        _ => Err("a shard is K/N with K from 1 to N, such as 2/5".to_owned()),
    }
}

/// `cargo course grade`.
pub(crate) fn grade(layout: &Layout, grade: Grade) -> Result<ExitCode> {
    match grade.verb {
        None if grade.run.own => advise(layout, &grade.run),
        None => class(layout, &grade.run),
        Some(Verb::Merge {
            out,
            shards,
            export,
        }) => {
            let merged = merge::merge(&out, &shards)?;
            ui::say(&format!(
                "{} has {} ({} new) for {} handed in; {} failed for no student's reason.",
                out.display(),
                count(merged.outcomes, "outcome"),
                merged.new,
                merged.class,
                merged.faults
            ));
            exports(&out, &export, Vec::new())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Verb::Export { out, export }) => {
            exports(&out, &export, Vec::new())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Verb::Verify { out }) => verify(&out),
        Some(Verb::Sandboxes) => Ok(sandboxes()),
    }
}

fn sandbox(run: &Run) -> Result<Sandbox> {
    let wanted = run.sandbox.as_deref().map(|name| match name {
        "container" => Tier::Container,
        "bubblewrap" => Tier::Bubblewrap,
        "user" => Tier::User,
        _ => Tier::None,
    });
    let probed = Sandbox::probe(wanted).map_err(|why| anyhow!("no sandbox works here:\n{why}"));
    if run.own && wanted.is_none() {
        return probed
            .or_else(|_| Sandbox::probe(Some(Tier::None)).map_err(|why| anyhow!("{why}")));
    }
    probed
}

fn grader(layout: &Layout, run: &Run) -> Result<Grader> {
    if let Some(key) = run.key.as_deref().filter(|key| !key.exists()) {
        let key = key.display();
        bail!(
            "{key}: there is no such key. If the class has one, name its file; if not, make one and keep it: `openssl rand -hex 32 > {key}`"
        );
    }
    let options = Options {
        key: run
            .key
            .as_deref()
            .map(Key::load)
            .transpose()
            .map_err(|why| anyhow!("{why}"))?,
        least: policy(run.export.policy.as_deref())?.least_sandbox(),
        rubrics: run.rubrics.clone(),
        ..Options::default()
    };
    Grader::open(layout.root(), layout.cache(), sandbox(run)?, options)
        .map_err(|why| anyhow!("{why}"))
}

fn handouts(layout: &Layout) -> Result<Vec<Handout>> {
    let starters = layout.root().join("crates/course/starters");
    Handout::all(&starters).with_context(|| starters.display().to_string())
}

/// A class.
fn class(layout: &Layout, run: &Run) -> Result<ExitCode> {
    if run.paths.is_empty() {
        bail!(
            "nothing to grade: give a folder of submissions, such as `cargo course grade submissions --out grades`; `--self` grades this clone"
        );
    }
    let Some(out) = &run.out else {
        bail!("--out is missing: the folder where outcomes are kept, such as `--out grades`");
    };
    let handouts = handouts(layout)?;
    let common = common(layout, &handouts);
    // The error names its cause already.
    let mut found =
        find_all(&run.paths, &handouts, run.exercise.as_deref()).map_err(|why| anyhow!("{why}"))?;
    // What the policy lacks is better said now than when all is graded.
    let expected = View {
        class: found
            .handed
            .iter()
            .map(|handed| entry(handed, String::new()))
            .collect(),
        ..View::default()
    };
    policy(run.export.policy.as_deref())?.check(&expected)?;
    let mut line = Line::new();
    line.update("preparing what submissions are compiled with");
    let grader = grader(layout, run)?;
    line.clear();
    let store = Store::open(out)?;
    let style = Style::stderr();
    for remark in found.remarks.drain(..) {
        eprintln!("{} {remark}", style.bold("note:"));
    }
    if !grader.official() {
        let why = if run.key.is_none() {
            "there is no --key, so no hidden cases"
        } else {
            "the sandbox is below the policy's"
        };
        eprintln!(
            "{} {why}; these grades are not official",
            style.bold("note:")
        );
    }
    let jobs = run
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let plan = Plan {
        jobs,
        shard: run.shard,
        regrade: run.regrade,
    };
    let line = Mutex::new(line);
    let report = batch::run(
        &grader,
        &store,
        &found.handed,
        &found.unread,
        &common,
        plan,
        &|now| {
            if let Ok(mut line) = line.lock() {
                line.update(&words(now));
            }
        },
    )?;
    if let Ok(mut line) = line.lock() {
        line.clear();
    }
    drop(store);
    told(&report, &grader, out);
    let alike = match &run.similarity {
        Some(python) => compared(python, &found.handed, &common)?,
        None => Vec::new(),
    };
    exports(out, &run.export, alike)?;
    Ok(if report.faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(3)
    })
}

fn words(now: Progress) -> String {
    let mut text = format!("graded {} of {}", now.done, now.total);
    if now.faults > 0 {
        text += &format!(", {} failed", now.faults);
    }
    if let Some(left) = now.left() {
        text += &format!(
            ", about {} left",
            ui::duration(Duration::from_secs_f64(left))
        );
    }
    text
}

fn told(report: &Report, grader: &Grader, out: &Path) {
    let mut text = format!(
        "{} ({:?} sandbox): {} graded now in {}, {} known before or shared.",
        count(report.handed_in, "submission"),
        grader.tier(),
        report.graded,
        ui::duration(Duration::from_secs_f64(report.seconds)),
        report.known,
    );
    if report.not_graded > 0 {
        text += &format!(
            " {} of them could not be compiled or were refused, with a message each.",
            report.not_graded
        );
    }
    ui::say(&text);
    for (student, exercise, why) in &report.faults {
        ui::say(&format!(
            "  not graded, and no student's doing: {student} {exercise}: {why}"
        ));
    }
    if !report.faults.is_empty() {
        ui::say("Run the same command again: only what is missing is graded.");
    }
    ui::say(&format!(
        "Outcomes are in {}.",
        out.join("outcomes").display()
    ));
}

/// The advisory run: this clone, as its owner sees it.
fn advise(layout: &Layout, run: &Run) -> Result<ExitCode> {
    let root = layout.root().to_path_buf();
    let found = find_all(
        std::slice::from_ref(&root),
        &handouts(layout)?,
        run.exercise.as_deref(),
    )?;
    let grader = grader(layout, run)?;
    let slot = grader.slot()?;
    let mut whole = true;
    let mut outcomes = Vec::new();
    for handed in &found.handed {
        let outcome = grader.grade(&handed.read()?, &slot)?;
        whole &= outcome.points == outcome.max_points;
        ui::put(&advice(&outcome, &handed.exercise, Style::stdout()));
        outcomes.push(outcome);
    }
    if outcomes.is_empty() {
        ui::say("No exercise differs from its starter yet: there is nothing to grade.");
    }
    if let Some(out) = &run.out {
        let store = Store::open(out)?;
        for outcome in &outcomes {
            store.regrade(outcome, 0.0)?;
        }
        let entries: Vec<_> = found
            .handed
            .iter()
            .zip(&outcomes)
            .map(|(handed, outcome)| entry(handed, outcome.key()))
            .collect();
        store.class(&entries)?;
        drop(store);
        exports(out, &run.export, Vec::new())?;
    }
    ui::say("This is advice: your instructor's grader also tries hidden cases.");
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn entry(handed: &Handed, key: String) -> Entry {
    Entry {
        student: handed.student.clone(),
        exercise: handed.exercise.clone(),
        key,
        place: handed.place.display().to_string(),
        fingerprint: None,
    }
}

fn advice(outcome: &Outcome, exercise: &str, style: Style) -> String {
    let mut text = format!(
        "{} {} of {} points\n",
        style.bold(exercise),
        outcome.points,
        outcome.max_points
    );
    for remark in &outcome.remarks {
        text += &format!("{remark}\n");
    }
    if outcome.status == Status::Graded {
        for check in &outcome.checks {
            let mark = if check.result.holds() {
                style.green("holds")
            } else {
                style.red("fails")
            };
            text += &format!(
                "  {mark}  {:>3} of {:>3}  {}\n",
                check.points, check.max_points, check.name
            );
        }
        if let Some(first) = outcome.checks.iter().find(|check| !check.result.holds()) {
            text += &format!("\n{}\n", first.message.trim_end());
        }
    }
    text.push('\n');
    text
}

fn verify(out: &Path) -> Result<ExitCode> {
    let verified = store::verify(out)?;
    ui::say(&format!(
        "The log holds: {}, the last with the hash {}; {} as they were logged.",
        count(verified.lines as usize, "line"),
        verified.head,
        count(verified.outcomes.len(), "outcome"),
    ));
    Ok(ExitCode::SUCCESS)
}

/// Which sandboxes there are; an error to a script if there is none.
fn sandboxes() -> ExitCode {
    let mut some = false;
    for tier in [Tier::Container, Tier::Bubblewrap, Tier::User] {
        match Sandbox::probe(Some(tier)) {
            Ok(_) => {
                some = true;
                ui::say(&format!("{tier:?}: works"));
            }
            Err(why) => ui::say(&format!("{tier:?}: not here. {why}")),
        }
    }
    if some {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}

/// The policy, or none: then nothing is late, rounded or renamed.
fn policy(file: Option<&Path>) -> Result<Policy> {
    Ok(file.map(Policy::read).transpose()?.unwrap_or_default())
}

/// The summary of a folder, and the formats that are wanted.
fn exports(out: &Path, export: &Export, more: Vec<Alike>) -> Result<()> {
    let view = View::open(out)?;
    let policy = policy(export.policy.as_deref())?;
    let records = Record::all(&view, &policy)?;
    let alike = similarity::joined(similarity::identical(&view.class), more);
    summary::write(out, &records, &policy, alike)?;
    let formats: Vec<Format> = export
        .format
        .iter()
        .map(|name| name.parse())
        .collect::<Result<_, moments_grader::error::Error>>()?;
    for left in write(out, &records, &policy, &formats)? {
        ui::say(&format!("{left}"));
    }
    ui::say(&format!(
        "The summary is {}.",
        out.join("summary.html").display()
    ));
    Ok(())
}

/// What all may have: the starters and the solutions.
fn common(layout: &Layout, handouts: &[Handout]) -> BTreeMap<String, Vec<String>> {
    let of = |handout: &Handout| {
        let solution = layout
            .root()
            .join("solutions")
            .join(&handout.slug)
            .join("src/lib.rs");
        let solution = std::fs::read_to_string(solution).ok();
        let texts = handout.starter.clone().into_iter().chain(solution);
        (handout.id.clone(), texts.collect())
    };
    handouts.iter().map(of).collect()
}

/// Pairs that copydetect finds, in the Python that was named.
fn compared(
    python: &Path,
    handed: &[Handed],
    common: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Alike>> {
    let mut sources = Vec::new();
    for one in handed {
        if let Ok(files) = one.read()?.files {
            let texts: Vec<String> = files.sources.into_iter().map(|(_, text)| text).collect();
            sources.push(similarity::Source {
                student: one.student.clone(),
                exercise: one.exercise.clone(),
                text: texts.join("\n"),
            });
        }
    }
    Ok(similarity::copydetect(
        python,
        &sources,
        common,
        Duration::from_mins(10),
    )?)
}
