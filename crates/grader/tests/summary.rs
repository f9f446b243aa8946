//! The summary of a class: its numbers are right, its page is harmless, and what is alike is for the instructor alone.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use common::{Folder, entry, files, outcome};
use moments_grader::export::{self, Format};
use moments_grader::outcome::{Held, Status, Tier};
use moments_grader::policy::Policy;
use moments_grader::record::Record;
use moments_grader::similarity::{self, Source};
use moments_grader::store::Fault;
use moments_grader::summary::{self, Summary};
use moments_grader::view::View;

/// A class of a thousand, with a fault, what does not count, and students who handed in nothing.
fn class(size: u64) -> View {
    let mut view = View::default();
    for number in 0..size {
        let mut outcome = outcome(number);
        if number % 97 == 3 {
            outcome.sandbox = Tier::User;
        }
        let entry = entry(number);
        if number % 251 == 5 {
            let fault = Fault {
                exercise: entry.exercise.clone(),
                reason: "podman did not start: no space left on device".to_owned(),
                tries: 3,
            };
            view.faults.insert(entry.key.clone(), fault);
        } else if !view.faults.contains_key(&entry.key) {
            view.outcomes.insert(entry.key.clone(), outcome);
        }
        view.class.push(entry);
    }
    view
}

fn roster(dir: &Folder, view: &View) -> Policy {
    let mut roster = "student,last\n".to_owned();
    for entry in &view.class {
        roster.extend([entry.student.as_str(), ",Name\n"]);
    }
    roster += "student-missing,Name\n";
    fs::write(dir.join("roster.csv"), roster).unwrap();
    fs::write(dir.join("policy.toml"), "roster = 'roster.csv'").unwrap();
    Policy::read(&dir.join("policy.toml")).unwrap()
}

#[test]
fn the_numbers_of_a_class_are_those_of_its_outcomes() {
    let dir = Folder::new();
    let view = class(1000);
    let policy = roster(&dir, &view);
    let records = Record::all(&view, &policy).unwrap();
    let alike = similarity::identical(&view.class);
    let summary = Summary::of(&records, &policy, alike.clone());
    // Counted again, another way.
    let of_entries = || {
        view.class
            .iter()
            .filter_map(|entry| view.outcomes.get(&entry.key))
    };
    for (name, exercise) in &summary.exercises {
        let outcomes: Vec<_> = of_entries()
            .filter(|outcome| outcome.exercise == *name)
            .collect();
        let of_status = |status| {
            outcomes
                .iter()
                .filter(|outcome| outcome.status == status)
                .count()
        };
        assert_eq!(exercise.graded(), outcomes.len());
        assert_eq!(exercise.do_not_compile, of_status(Status::DoesNotCompile));
        assert_eq!(exercise.refused, of_status(Status::Refused));
        assert_eq!(
            exercise.distribution().iter().sum::<usize>(),
            outcomes.len()
        );
        assert_eq!(
            exercise.distribution()[10],
            outcomes.iter().filter(|o| o.points == o.max_points).count()
        );
        let mean =
            outcomes.iter().map(|outcome| outcome.share()).sum::<f64>() / outcomes.len() as f64;
        assert!((exercise.mean() - mean).abs() < 1e-12);
        let below = outcomes
            .iter()
            .filter(|outcome| outcome.share() < exercise.median())
            .count();
        let above = outcomes
            .iter()
            .filter(|outcome| outcome.share() > exercise.median())
            .count();
        assert!(below <= outcomes.len() / 2 && above <= outcomes.len() / 2);
        for (index, check) in exercise.checks.iter().enumerate() {
            let of = |held| {
                outcomes
                    .iter()
                    .filter(|outcome| outcome.checks[index].result == held)
                    .count()
            };
            assert_eq!(
                (check.holds, check.fails_seen),
                (of(Held::Holds), of(Held::FailsSeen))
            );
            assert_eq!(
                (check.fails_hidden, check.not_tried),
                (of(Held::FailsHidden), of(Held::NotTried))
            );
        }
    }
    assert_eq!(
        summary
            .exercises
            .values()
            .map(|exercise| exercise.faults)
            .sum::<usize>(),
        summary.faults.len()
    );
    assert_eq!(summary.faults.len() + of_entries().count(), 1000);
    assert_eq!(
        summary.unofficial.len(),
        of_entries()
            .filter(|outcome| outcome.sandbox == Tier::User)
            .count()
    );
    assert!(summary.unofficial.len() > 5 && summary.faults.len() > 3);
    assert_eq!(summary.missing, ["student-missing"]);
    // The generator gives one in ten the files of another.
    assert_eq!(alike.len(), 100);
    assert_eq!(
        alike
            .iter()
            .filter(|alike| alike.students.len() == 2)
            .count(),
        100
    );
    let table = summary::csv(&records, &alike);
    let rows: Vec<_> = csv::Reader::from_reader(table.as_bytes())
        .into_records()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), 1000);
    assert_eq!(rows.iter().filter(|row| !row[12].is_empty()).count(), 200);
    assert_eq!(
        rows.iter()
            .filter(|row| row[2].starts_with("fault: "))
            .count(),
        summary.faults.len()
    );
}

#[test]
fn the_page_is_the_same_every_time_and_needs_nothing_else() {
    let dir = Folder::new();
    let view = class(1000);
    let policy = roster(&dir, &view);
    let records = Record::all(&view, &policy).unwrap();
    // Where it can be looked at.
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("grader-summary");
    summary::write(&out, &records, &policy, similarity::identical(&view.class)).unwrap();
    let page = fs::read_to_string(out.join("summary.html")).unwrap();
    let again = summary::page(&Summary::of(
        &records,
        &policy,
        similarity::identical(&view.class),
    ));
    assert!(page == again);
    for foreign in ["<script", "http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.len() < 200_000, "{}", page.len());
    well_formed(&page);
}

/// Sees that every element ends where it should. The page is written so that it is XML too, but for elements that have no end.
fn well_formed(page: &str) {
    let body = &page[page.find("<body>").unwrap()..page.find("</html>").unwrap()];
    let body = body.replace("&nbsp;", " ");
    let mut reader = quick_xml::Reader::from_str(&body);
    reader.config_mut().check_end_names = true;
    let mut depth = 0;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(_) => depth += 1,
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
}

#[test]
fn a_hostile_text_is_text_on_the_page() {
    let hostile = "</td></table><script>alert(1)</script><img src=x onerror=alert(1)> \" ' & \u{1b}[31m \u{202E}";
    let mut view = View::default();
    for number in 0..40 {
        let mut outcome = outcome(number * 10);
        outcome.exercise = "ex07".to_owned();
        outcome.remarks = vec![hostile.to_owned()];
        for check in &mut outcome.checks {
            check.name = hostile.to_owned();
            check.asked = hostile.to_owned();
            check.diagnosis = Some(hostile.to_owned());
            check.limit = Some(hostile.to_owned());
        }
        let mut entry = entry(number * 10);
        entry.exercise.clone_from(&outcome.exercise);
        entry.student = format!("{number} {hostile}");
        entry.place = hostile.to_owned();
        entry.key = outcome.key();
        entry.fingerprint = Some("the same".to_owned());
        view.outcomes.insert(outcome.key(), outcome);
        view.class.push(entry);
    }
    let policy = Policy::default();
    let records = Record::all(&view, &policy).unwrap();
    let alike = similarity::identical(&view.class);
    assert_eq!(alike[0].students.len(), 40);
    let page = summary::page(&Summary::of(&records, &policy, alike));
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(!page.chars().any(|c| c.is_control() && c != '\n'));
    well_formed(&page);
}

#[test]
fn what_is_alike_is_in_no_export_for_a_student() {
    let dir = Folder::new();
    let view = class(50);
    let policy = Policy::default();
    let records = Record::all(&view, &policy).unwrap();
    export::write(&dir.join("out"), &records, &policy, &Format::ALL).unwrap();
    let prints: Vec<&String> = view
        .class
        .iter()
        .filter_map(|entry| entry.fingerprint.as_ref())
        .collect();
    for (name, bytes) in files(&dir.join("out")) {
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            !text.contains("alike") && !text.contains("fingerprint"),
            "{name}"
        );
        assert!(
            name == "results.json" || !prints.iter().any(|print| text.contains(print.as_str())),
            "{name}"
        );
    }
}

#[test]
fn a_tool_that_is_not_there_says_how_to_get_it() {
    let sources = [source("ada", "fn f() {}"), source("bob", "fn f() {}")];
    let python = PathBuf::from("/nowhere/python3");
    let error = similarity::copydetect(&python, &sources, &BTreeMap::new(), Duration::from_secs(5))
        .unwrap_err();
    assert!(
        error.to_string().contains("pip install copydetect"),
        "{error}"
    );
}

fn source(student: &str, text: &str) -> Source {
    Source {
        student: student.to_owned(),
        exercise: "ex07".to_owned(),
        text: text.to_owned(),
    }
}

/// Three sources: two of them one with its variables renamed, and one of its own.
fn copied() -> (Vec<Source>, String) {
    let starter = "pub struct Adam {\n    pub lr: f64,\n    pub beta1: f64,\n    pub beta2: f64,\n    pub eps: f64,\n    m: Vec<f64>,\n    v: Vec<f64>,\n    t: i32,\n}\n".to_owned();
    let loops = "impl Adam {\n    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {\n        self.t += 1;\n        let c1 = 1.0 - self.beta1.powi(self.t);\n        let c2 = 1.0 - self.beta2.powi(self.t);\n        for i in 0..theta.len() {\n            self.m[i] = self.beta1 * self.m[i] + (1.0 - self.beta1) * grad[i];\n            self.v[i] = self.beta2 * self.v[i] + (1.0 - self.beta2) * grad[i] * grad[i];\n            let m_hat = self.m[i] / c1;\n            let v_hat = self.v[i] / c2;\n            theta[i] -= self.lr * m_hat / (v_hat.sqrt() + self.eps);\n        }\n    }\n}\n";
    let renamed = loops
        .replace("theta", "weights")
        .replace("m_hat", "first")
        .replace("v_hat", "second")
        .replace("c1", "a");
    let own = "impl Adam {\n    pub fn step(&mut self, theta: &mut [f64], grad: &[f64]) {\n        let moments = self.m.iter_mut().zip(self.v.iter_mut());\n        self.t = self.t.checked_add(1).expect(\"too many steps\");\n        theta.iter_mut().zip(grad).zip(moments).for_each(|((x, &g), (m, v))| {\n            *m += (g - *m) * (1.0 - self.beta1);\n            *v += (g.powi(2) - *v) * (1.0 - self.beta2);\n        });\n    }\n}\n";
    let sources = vec![
        source("ada", &format!("{starter}{loops}")),
        source("bob", &format!("{starter}{renamed}")),
        source("eve", &format!("{starter}{own}")),
    ];
    (sources, starter)
}

#[test]
#[ignore = "needs a Python with copydetect, named by MOMENTS_COPYDETECT_PYTHON"]
fn renamed_variables_are_found_and_what_was_handed_out_is_not() {
    let python = PathBuf::from(std::env::var("MOMENTS_COPYDETECT_PYTHON").unwrap());
    let (sources, starter) = copied();
    let common = BTreeMap::from([("ex07".to_owned(), vec![starter])]);
    let alike = similarity::copydetect(&python, &sources, &common, Duration::from_mins(1)).unwrap();
    assert_eq!(alike.len(), 1, "{alike:?}");
    assert_eq!(alike[0].students, ["ada", "bob"]);
    assert!(alike[0].share.unwrap() > 0.9);
    let same = vec![
        source("ada", &common["ex07"][0]),
        source("bob", &common["ex07"][0]),
    ];
    assert_eq!(
        similarity::copydetect(&python, &same, &common, Duration::from_mins(1)).unwrap(),
        []
    );
    let error = similarity::copydetect(&python, &sources, &common, Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("had not ended"), "{error}");
}
