//! Exports of outcomes whose texts try to be something else, held against the schema of each format.

mod common;
#[path = "common/schema.rs"]
mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{Folder, assert_same, entry, files, outcome};
use moments_grader::export::{self, Format, LeftOut};
use moments_grader::outcome::{Held, Outcome, Status, Tier};
use moments_grader::policy::Policy;
use moments_grader::record::Record;
use moments_grader::store::{Entry, Fault};
use moments_grader::view::View;
use quick_xml::events::Event;
use serde_json::Value;

/// Texts that have broken a format somewhere.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "</failure></testcase></testsuite>",
        "]]>",
        "<![CDATA[ & &amp; &#0; <!--",
        "\"'><script>alert(1)</script>",
        "**bold** [link](javascript:alert(1)) ![](http://example.org/x.png)",
        "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}",
        "a\0b\u{8}c\u{c}d\u{9b}31m",
        "::error file=x::gone\n::set-output name=score::100\n##[endgroup]",
        "=HYPERLINK(\"http://example.org\",\"10\")",
        "+1",
        "-1+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "\t=1",
        "\r\n=1",
        "one,two;\"three\"\r\nfour",
        "\u{202E}desrever\u{2066}\u{FFFE}\u{FFFF}\u{feff}",
        "{\"score\": 100}",
        "test result: ok. 5 passed; 0 failed",
        "../../../etc/passwd",
        "",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("x".repeat(1_000_000));
    texts.push("\u{1F600}".repeat(70_000));
    texts.push("\n".repeat(5000));
    texts
}

/// A class in which every text that comes from outside is hostile, one kind for each student.
fn class() -> View {
    let mut view = View::default();
    for (number, text) in hostile().into_iter().enumerate() {
        for status in [Status::Graded, Status::DoesNotCompile, Status::Refused] {
            let mut outcome = (0..1000)
                .map(|seed| common::outcome(seed * 10 + 1))
                .find(|outcome| outcome.status == status)
                .unwrap();
            outcome.from.submission = format!("{number} {status:?}");
            outcome.remarks = vec![text.clone(), text.clone()];
            for check in &mut outcome.checks {
                if check.result != Held::Holds {
                    check.message.clone_from(&text);
                    check.diagnosis = Some(text.clone());
                    check.limit = Some(text.clone());
                }
                check.asked = format!("Asks {text}");
                check.name = format!("name {text}");
            }
            // A name is that of a folder, so that it is never empty and has no slash.
            let student = format!(
                "{}.{status:?}",
                text.chars().take(60).collect::<String>().replace('/', "_")
            );
            view.class.push(Entry {
                student,
                exercise: outcome.exercise.clone(),
                key: outcome.key(),
                place: text.chars().take(200).collect(),
                fingerprint: None,
            });
            view.seconds.insert(outcome.key(), 0.25);
            view.outcomes.insert(outcome.key(), outcome);
        }
    }
    let mut fault = entry(1);
    "=unlucky".clone_into(&mut fault.student);
    view.faults.insert(
        fault.key.clone(),
        Fault {
            exercise: fault.exercise.clone(),
            reason: "podman said </error>\u{1b}[0m".to_owned(),
            tries: 3,
        },
    );
    view.class.push(fault);
    let mut waiting = entry(2);
    "waiting".clone_into(&mut waiting.student);
    view.class.push(waiting);
    view
}

/// A policy that gives every student a time, so that every format has what it needs.
fn policy(dir: &Folder, view: &View) -> Policy {
    let mut times = csv::Writer::from_path(dir.join("times.csv")).unwrap();
    times
        .write_record(["student", "exercise", "submitted"])
        .unwrap();
    for entry in &view.class {
        if entry.student.trim() == entry.student {
            times
                .write_record([&entry.student, &entry.exercise, "2026-09-14T12:00:00Z"])
                .unwrap();
        }
    }
    times.flush().unwrap();
    fs::write(
        dir.join("policy.toml"),
        "times = 'times.csv'\n[score]\ndecimals = 0\n[classroom50]\nclassroom = 'cs'\n",
    )
    .unwrap();
    Policy::read(&dir.join("policy.toml")).unwrap()
}

/// Exports the hostile class below a folder.
fn exported(out: &Path) -> (Vec<Record>, Vec<LeftOut>) {
    let dir = Folder::new();
    let view = class();
    let policy = policy(&dir, &view);
    let records = Record::all(&view, &policy).unwrap();
    let left_out = export::write(out, &records, &policy, &Format::ALL).unwrap();
    (records, left_out)
}

fn schema_of(name: &str) -> Value {
    serde_json::from_slice(&fs::read(format!("schemas/{name}.json")).unwrap()).unwrap()
}

#[test]
fn every_export_of_a_hostile_class_keeps_to_its_schema() {
    // Where CI finds them again, to hold them against the schemas with a whole validator.
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("grader-exports");
    let _ = fs::remove_dir_all(&out);
    let (records, left_out) = exported(&out);
    let graded = records
        .iter()
        .filter(|record| record.graded.is_ok())
        .count();
    for (format, expected) in [("gradescope", graded), ("exercism", graded + 2)] {
        let schema = schema_of(format);
        let exports = files(&out.join(format));
        assert_eq!(exports.len(), expected, "{format}");
        for (name, bytes) in exports {
            assert!(
                bytes.len() < 300_000,
                "{format}/{name} has {} bytes",
                bytes.len()
            );
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            schema::validate(&schema, &value)
                .unwrap_or_else(|error| panic!("{format}/{name}{error}"));
        }
    }
    // Names that begin with a tab or the end of a line cannot be in a file of times.
    let timed = |record: &&Record| {
        record
            .graded
            .as_ref()
            .is_ok_and(|graded| graded.grade.submitted.is_some())
    };
    let schema = schema_of("classroom50");
    let exports = files(&out.join("classroom50"));
    assert_eq!(exports.len(), records.iter().filter(timed).count());
    for (name, bytes) in exports {
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        schema::validate(&schema, &value)
            .unwrap_or_else(|error| panic!("classroom50/{name}{error}"));
        assert!(value["score"].as_u64() <= value["max-score"].as_u64());
    }
    // A fault and what is not graded yet are in no gradebook, and are told.
    for format in ["gradescope", "classroom50", "csv"] {
        let whys: Vec<_> = left_out
            .iter()
            .filter(|left| left.format == format)
            .collect();
        assert!(
            whys.iter()
                .any(|left| left.student == "=unlucky" && left.why.contains("podman said")),
            "{format}"
        );
        assert!(
            whys.iter()
                .any(|left| left.student == "waiting" && left.why.contains("not been graded")),
            "{format}"
        );
    }
    assert!(
        !left_out
            .iter()
            .any(|left| matches!(left.format, "json" | "junit" | "exercism"))
    );
}

#[test]
fn the_checker_of_schemas_finds_what_is_wrong() {
    let dir = Folder::new();
    let out = dir.join("out");
    exported(&out);
    let mut broken = 0;
    for format in ["gradescope", "classroom50", "exercism"] {
        let schema = schema_of(format);
        let (_, bytes) = files(&out.join(format))
            .into_iter()
            .find(|(name, _)| name.contains("Graded"))
            .unwrap();
        let good: Value = serde_json::from_slice(&bytes).unwrap();
        for name in good.as_object().unwrap().keys() {
            let mut bad = good.clone();
            bad[name] = Value::Null;
            assert!(
                schema::validate(&schema, &bad).is_err(),
                "{format}/{name} may be nothing"
            );
            broken += 1;
        }
        let mut bad = good.clone();
        bad["more"] = Value::Bool(true);
        assert!(schema::validate(&schema, &bad).is_err());
        let mut bad = good;
        bad["tests"][0]["name"] = "two\nlines".into();
        bad["tests"][0]["test-name"] = "two\nlines".into();
        assert!(schema::validate(&schema, &bad).is_err());
    }
    assert!(broken > 20);
}

#[test]
fn junit_is_well_formed_and_its_counts_are_right() {
    let dir = Folder::new();
    let (records, _) = exported(&dir.join("out"));
    let text = fs::read_to_string(dir.join("out/junit.xml")).unwrap();
    // What XML 1.0 forbids.
    assert!(
        !text
            .chars()
            .any(|c| c.is_control() && c != '\n' || matches!(c, '\u{FFFE}' | '\u{FFFF}'))
    );
    let mut reader = quick_xml::Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    let mut stack: Vec<String> = Vec::new();
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    let mut stated: BTreeMap<String, usize> = BTreeMap::new();
    loop {
        let event = reader.read_event().unwrap();
        let (start, open) = match &event {
            Event::Start(start) => (Some(start), true),
            Event::Empty(start) => (Some(start), false),
            Event::End(_) => {
                stack.pop();
                continue;
            }
            Event::Eof => break,
            Event::Text(_) | Event::Decl(_) | Event::GeneralRef(_) => (None, false),
            other => panic!("there should be no {other:?}"),
        };
        let Some(start) = start else { continue };
        let name = start.name().as_ref().to_owned();
        let parent = stack.last().map_or("", String::as_str);
        let allowed: &[&str] = match parent {
            "" => &["testsuites"],
            "testsuites" => &["testsuite"],
            "testsuite" => &["properties", "testcase", "system-out"],
            "testcase" => &["properties", "failure", "error"],
            "properties" => &["property"],
            other => panic!("{name} in {other}"),
        };
        assert!(allowed.contains(&name.as_str()), "{name} in {parent}");
        for attribute in start.attributes() {
            let attribute = attribute.unwrap();
            let key = attribute.key.as_ref().to_owned();
            if name == "testsuite"
                && let Ok(number) = attribute.value.parse::<usize>()
            {
                *stated.entry(key).or_default() += number;
            }
        }
        *counted.entry(name.clone()).or_default() += 1;
        if open {
            stack.push(name);
        }
    }
    assert!(stack.is_empty());
    assert_eq!(counted["testsuite"], records.len());
    assert_eq!(counted["testcase"], stated["tests"]);
    assert_eq!(counted["failure"], stated["failures"]);
    assert_eq!(
        (counted["error"], stated["errors"]),
        (2, 2),
        "the fault and what is not graded yet"
    );
}

#[test]
fn no_cell_of_the_table_is_a_formula() {
    let dir = Folder::new();
    exported(&dir.join("out"));
    let mut reader = csv::Reader::from_path(dir.join("out/grades.csv")).unwrap();
    let header = "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,late_submission_penalty,score,max_score";
    assert_eq!(
        reader
            .headers()
            .unwrap()
            .iter()
            .collect::<Vec<_>>()
            .join(","),
        header
    );
    let mut escaped = 0;
    for record in reader.records() {
        for cell in &record.unwrap() {
            assert!(
                !cell.trim_start().starts_with(['=', '+', '-', '@']),
                "{cell}"
            );
            escaped += usize::from(cell.starts_with('\''));
        }
    }
    assert!(escaped >= 12, "{escaped}");
}

#[test]
fn nothing_in_any_export_steers_a_terminal_or_a_log() {
    let dir = Folder::new();
    exported(&dir.join("out"));
    for (name, bytes) in files(&dir.join("out")) {
        assert!(
            !name.contains('\\') && !name.split('/').any(|part| part.starts_with('.')),
            "{name}"
        );
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{name}");
        assert!(
            !text.contains("\\u001b") && !text.contains("\\u0000"),
            "{name}"
        );
        assert!(
            !text.lines().any(|line| line.trim_start().starts_with("::")),
            "{name}"
        );
        for line in text.replace("\\n", "\n").lines() {
            assert!(
                !line.trim_start().starts_with("::") && !line.trim_start().starts_with("##["),
                "{name}: {line}"
            );
        }
    }
}

/// One student with one outcome, and the policy of a file.
fn one(change: impl FnOnce(&mut Outcome), policy: &str, times: &str) -> (Record, Policy) {
    let dir = Folder::new();
    let mut outcome = (0..1000)
        .map(outcome)
        .find(|outcome| outcome.status == Status::Graded)
        .unwrap();
    change(&mut outcome);
    let mut view = View::default();
    view.class.push(Entry {
        student: "ada".to_owned(),
        exercise: outcome.exercise.clone(),
        key: outcome.key(),
        place: "class/ada".to_owned(),
        fingerprint: None,
    });
    view.outcomes.insert(outcome.key(), outcome);
    fs::write(dir.join("times.csv"), times).unwrap();
    fs::write(dir.join("policy.toml"), policy).unwrap();
    let policy = Policy::read(&dir.join("policy.toml")).unwrap();
    (Record::all(&view, &policy).unwrap().remove(0), policy)
}

#[test]
fn gradescope_says_how_the_total_follows_from_the_checks() {
    let times = "student,exercise,submitted\nada,ex07,2026-09-15T13:00:00Z\n";
    let rules = "times = 'times.csv'\n[points]\nex07 = 10\n[due]\nex07 = 2026-09-14T12:00:00Z\n[late]\nper = 'day'\npercent = 10\n[gradescope]\nvisibility = 'after_published'";
    let (record, policy) = one(
        |outcome| {
            outcome.exercise = "ex07".to_owned();
            outcome.points = 9;
        },
        rules,
        times,
    );
    let text = export::gradescope(&record, policy.visibility()).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["score"], 4.0);
    assert_eq!(
        value["output"]
            .as_str()
            .unwrap()
            .lines()
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>(),
        [
            "The checks give 9 of 15 points, which count as 6.00 of 10.00.",
            "It was handed in 25h late: 2.00 points are taken off, and 4.00 of 10.00 are left.",
        ]
    );
    assert_eq!(value["tests"][0]["visibility"], "after_published");
    assert_eq!(value["visibility"], "visible");
    assert_eq!(value["stdout_visibility"], "hidden");
    assert!(value.get("execution_time").is_none(), "it is not known");
}

#[test]
fn what_does_not_count_is_in_no_gradebook_and_says_so_elsewhere() {
    let dir = Folder::new();
    let out = dir.join("out");
    let (record, policy) = one(
        |outcome| outcome.sandbox = Tier::User,
        "[classroom50]\nclassroom = 'cs'",
        "",
    );
    let left_out =
        export::write(&out, std::slice::from_ref(&record), &policy, &Format::ALL).unwrap();
    assert_eq!(left_out.len(), 3, "{left_out:?}");
    assert!(
        left_out[0]
            .to_string()
            .contains("the policy asks for `bubblewrap` at least")
    );
    assert!(files(&out.join("gradescope")).is_empty());
    assert_eq!(
        fs::read_to_string(out.join("grades.csv"))
            .unwrap()
            .lines()
            .count(),
        1
    );
    let value: Value =
        serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(value["results"][0]["graded"]["official"], false);
    assert!(
        fs::read_to_string(out.join("junit.xml"))
            .unwrap()
            .contains("name=\"official\" value=\"false\"")
    );
}

#[test]
fn classroom50_takes_whole_points_and_the_variables_of_its_runner() {
    let (record, _) = one(|_| {}, "", "");
    let variable = |name: &str| match name {
        "REVIEW_URL" => None,
        "SUBMISSION_TAG" => Some("submit/2026-09-14".to_owned()),
        name => Some(format!("the {name}")),
    };
    let now = "2026-09-14T12:00:00.75Z".parse().unwrap();
    let submitted = export::classroom50::Submitted::from_environment("ada", now, variable).unwrap();
    let value: Value =
        serde_json::from_str(&export::classroom50::classroom50(&record, &submitted).unwrap())
            .unwrap();
    schema::validate(&schema_of("classroom50"), &value).unwrap();
    assert_eq!(value["review"], "the COMMIT_URL");
    assert_eq!(value["datetime"], "2026-09-14T12:00:00Z");
    let error = export::classroom50::Submitted::from_environment("ada", now, |_| None).unwrap_err();
    assert!(error.contains("COMMIT_URL"), "{error}");
    let exercise = record.exercise.clone();
    let (record, _) = one(
        |outcome| outcome.points = 4,
        &format!("[points]\n{exercise} = 10"),
        "",
    );
    let error = export::classroom50::classroom50(&record, &submitted).unwrap_err();
    assert!(
        error.contains("2.67") && error.contains("decimals = 0"),
        "{error}"
    );
}

#[test]
fn an_export_of_a_submission_that_is_gone_is_removed_and_other_files_are_left() {
    let dir = Folder::new();
    let out = dir.join("out");
    let (record, policy) = one(|_| {}, "", "");
    export::write(
        &out,
        std::slice::from_ref(&record),
        &policy,
        &[Format::Gradescope],
    )
    .unwrap();
    fs::create_dir_all(out.join("gradescope/gone")).unwrap();
    fs::write(out.join("gradescope/gone/ex07.json"), "{}").unwrap();
    fs::write(out.join("gradescope/notes.txt"), "mine").unwrap();
    let before = files(&out)
        .into_iter()
        .filter(|(name, _)| !name.contains("gone"))
        .collect::<Vec<_>>();
    export::write(&out, &[record], &policy, &[Format::Gradescope]).unwrap();
    assert_same(
        &files(&out),
        &before,
        "what is current and what is foreign stays",
    );
    assert!(!out.join("gradescope/gone").exists());
}

#[test]
fn a_format_that_is_not_known_names_those_that_are() {
    for format in Format::ALL {
        assert_eq!(format.name().parse::<Format>().unwrap(), format);
    }
    let error = "xlsx".parse::<Format>().unwrap_err().to_string();
    assert!(
        error.contains("json, gradescope, classroom50, junit, csv, exercism"),
        "{error}"
    );
}
