//! A class gets what it should: the right ones all, each mistake what it leaves, the rest a clear word.

mod class;
mod judging;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use class::{Work, exercise, forms, mistakes, works};
use judging::{course, strongest};
use moments_grader::intake::{Handout, Submission, find};
use moments_grader::judge::{Grader, Infra};
use moments_grader::outcome::{Outcome, Status};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("moments-class-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn handouts() -> Vec<Handout> {
    Handout::all(&course().join("crates/course/starters")).unwrap()
}

fn taken(folder: &Path) -> Vec<Submission> {
    let mut found = find(folder, &handouts(), Some("ex07")).unwrap();
    let read = found.read();
    assert_eq!(found.unread, []);
    assert_eq!(found.remarks, [] as [String; 0]);
    read
}

#[test]
fn every_known_mistake_is_written_as_a_student_makes_it() {
    let known: BTreeSet<&str> = exercise()
        .mutants
        .iter()
        .map(|mutant| mutant.name)
        .collect();
    let written: BTreeSet<&str> = mistakes().collect();
    assert_eq!(written, known);
    assert!(forms().count() >= 5);
}

#[test]
fn a_class_is_taken_in_as_it_was_handed_in() {
    let scratch = Scratch::new("taken");
    let expected = class::class(&scratch.0, 150, 7);
    let read = taken(&scratch.0);
    let names: BTreeSet<&str> = read.iter().map(|one| one.student.as_str()).collect();
    let wanted: BTreeSet<&str> = expected.students.keys().map(String::as_str).collect();
    assert_eq!(names, wanted);
    for one in &read {
        let wanted = &expected.students[&one.student];
        assert_eq!(
            one.files.is_err(),
            wanted.status == "refused",
            "{}: {wanted:?} {:?}",
            one.student,
            one.files
        );
        if let Some(whose) = &wanted.copy_of {
            let other = read.iter().find(|other| other.student == *whose).unwrap();
            assert_eq!(
                one.hash(),
                other.hash(),
                "{} copied from {whose}",
                one.student
            );
        }
    }
    // Every kind is there, and every form.
    for kind in ["right", "mutant", "half-done", "broken", "refused", "cheat"] {
        assert!(
            expected
                .students
                .values()
                .any(|one| one.kind.starts_with(kind)),
            "{kind}"
        );
    }
    let forms: BTreeSet<&str> = expected
        .students
        .values()
        .map(|one| one.form.as_str())
        .collect();
    assert_eq!(forms.len(), 7, "{forms:?}");
    assert!(expected.students.values().any(|one| one.copy_of.is_some()));
}

#[test]
fn the_same_seed_makes_the_same_class() {
    let (first, again, other) = (
        Scratch::new("first"),
        Scratch::new("again"),
        Scratch::new("other"),
    );
    let expected = class::class(&first.0, 30, 1);
    assert_eq!(class::class(&again.0, 30, 1), expected);
    assert_ne!(class::class(&other.0, 30, 2), expected);
    let hashes = |scratch: &Scratch| -> Vec<String> {
        taken(&scratch.0).iter().map(Submission::hash).collect()
    };
    assert_eq!(hashes(&first), hashes(&again));
}

#[test]
#[ignore = "it takes minutes; .ci/run does it"]
fn every_work_gets_what_it_should_in_the_strongest_sandbox() {
    let Some(grader) = strongest() else { return };
    let only = std::env::var("MOMENTS_WORK").ok();
    let works: Vec<&Work> = works()
        .iter()
        .filter(|work| only.as_ref().is_none_or(|only| work.kind.contains(only)))
        .collect();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let jobs = std::thread::available_parallelism().map_or(1, |count| count.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (works, next, wrong) = (&works, &next, &wrong);
            scope.spawn(move || {
                while let Some(work) = works.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = one(grader, work) {
                        wrong.lock().unwrap().push(format!("{}: {why}", work.kind));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        works.len(),
        wrong.join("\n")
    );
}

fn one(grader: &Grader, work: &Work) -> Result<(), String> {
    let scratch = Scratch::new(&work.kind.replace(' ', "-"));
    for (path, bytes) in &work.files {
        let path = scratch.0.join("somebody").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let submission = taken(&scratch.0).remove(0);
    let outcome = grade(grader, &submission).map_err(|infra| infra.to_string())?;
    let status = match outcome.status {
        Status::Graded => "graded",
        Status::DoesNotCompile => "does-not-compile",
        Status::Refused => "refused",
    };
    if (status, outcome.points) != (work.status, work.points) {
        return Err(format!(
            "it should be {} with {} points: {outcome:#?}",
            work.status, work.points
        ));
    }
    if work.status != "graded" && outcome.remarks.is_empty() {
        return Err("it is told nothing".to_owned());
    }
    let told: BTreeSet<&String> = outcome
        .checks
        .iter()
        .filter_map(|check| check.diagnosis.as_ref())
        .collect();
    match &work.diagnosis {
        Some(mistake) if told != BTreeSet::from([mistake]) => {
            Err(format!("it should be told {mistake} and is told {told:?}"))
        }
        None if work.points == outcome.max_points && !told.is_empty() => {
            Err(format!("it is right and is told {told:?}"))
        }
        _ => Ok(()),
    }
}

fn grade(grader: &Grader, submission: &Submission) -> Result<Outcome, Infra> {
    grader.grade(submission, &grader.slot()?)
}
