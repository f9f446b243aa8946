//! JUnit's XML, for dashboards: a suite for each submission, a case for each check.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::outcome::{Checked, Held};
use crate::policy::tier;
use crate::record::{Graded, Record, feedback};

type Xml = Writer<Vec<u8>>;

/// `junit.xml` for a class. A submission without an outcome is an error, never a failure.
pub fn junit(records: &[Record]) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory does not fail.
    let _ = write(&mut xml, records);
    let mut text = String::from_utf8(xml.into_inner()).unwrap_or_default();
    text.push('\n');
    text
}

fn write(xml: &mut Xml, records: &[Record]) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let counts: Vec<Counts> = records.iter().map(Counts::of).collect();
    let sum = |count: fn(&Counts) -> usize| counts.iter().map(count).sum::<usize>().to_string();
    let seconds: f64 = counts.iter().map(|counts| counts.seconds).sum();
    xml.create_element("testsuites")
        .with_attributes([
            ("name", "moments"),
            ("tests", &sum(|counts| counts.tests)),
            ("failures", &sum(|counts| counts.failures)),
            ("errors", &sum(|counts| counts.errors)),
            ("time", &format!("{seconds:.3}")),
        ])
        .write_inner_content(|xml| {
            for (record, counts) in records.iter().zip(&counts) {
                suite(xml, record, counts)?;
            }
            Ok(())
        })?;
    Ok(())
}

struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    seconds: f64,
}

impl Counts {
    fn of(record: &Record) -> Self {
        match &record.graded {
            Err(_) => Self {
                tests: 1,
                failures: 0,
                errors: 1,
                seconds: 0.0,
            },
            Ok(graded) => Self {
                tests: graded.outcome.checks.len(),
                failures: graded
                    .outcome
                    .checks
                    .iter()
                    .filter(|check| !check.result.holds())
                    .count(),
                errors: 0,
                seconds: graded.seconds.unwrap_or(0.0),
            },
        }
    }
}

fn suite(xml: &mut Xml, record: &Record, counts: &Counts) -> io::Result<()> {
    let name = format!("{} {}", record.exercise, record.student);
    xml.create_element("testsuite")
        .with_attributes([
            ("name", name.as_str()),
            ("tests", &counts.tests.to_string()),
            ("failures", &counts.failures.to_string()),
            ("errors", &counts.errors.to_string()),
            ("time", &format!("{:.3}", counts.seconds)),
        ])
        .write_inner_content(|xml| match &record.graded {
            Ok(graded) => graded_suite(xml, record, graded),
            Err(why) => case(xml, record, "graded", |xml| {
                xml.create_element("error")
                    .with_attributes([("type", "fault"), ("message", why.as_str())])
                    .write_empty()?;
                Ok(())
            }),
        })?;
    Ok(())
}

fn graded_suite(xml: &mut Xml, record: &Record, graded: &Graded) -> io::Result<()> {
    let Graded { outcome, grade, .. } = graded;
    properties(
        xml,
        &[
            ("score", grade.score.to_string()),
            ("max_score", grade.max.to_string()),
            ("points", outcome.points.to_string()),
            ("max_points", outcome.max_points.to_string()),
            ("sandbox", tier(outcome.sandbox).to_owned()),
            ("official", grade.unofficial.is_none().to_string()),
        ],
    )?;
    for check in &outcome.checks {
        case(xml, record, &check.name, |xml| {
            let points = [
                ("points", check.points.to_string()),
                ("max_points", check.max_points.to_string()),
            ];
            properties(xml, &points)?;
            if check.result.holds() {
                Ok(())
            } else {
                failure(xml, check)
            }
        })?;
    }
    let remarks = graded.remarks().join("\n\n");
    if !remarks.is_empty() {
        xml.create_element("system-out")
            .write_text_content(BytesText::new(&remarks))?;
    }
    Ok(())
}

fn case(
    xml: &mut Xml,
    record: &Record,
    name: &str,
    inner: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    let class = format!("{}.{}", record.exercise, record.student);
    xml.create_element("testcase")
        .with_attributes([("name", name), ("classname", class.as_str())])
        .write_inner_content(inner)?;
    Ok(())
}

fn failure(xml: &mut Xml, check: &Checked) -> io::Result<()> {
    let kind = match check.result {
        Held::Holds | Held::FailsSeen => "fails-seen",
        Held::FailsHidden => "fails-hidden",
        Held::NotTried => "not-tried",
    };
    let text = feedback(check);
    // Line ends do not survive in an attribute.
    let first = check.message.lines().next().unwrap_or("it was not tried");
    xml.create_element("failure")
        .with_attributes([("type", kind), ("message", first)])
        .write_text_content(BytesText::new(&text))?;
    Ok(())
}

fn properties(xml: &mut Xml, properties: &[(&str, String)]) -> io::Result<()> {
    xml.create_element("properties")
        .write_inner_content(|xml| {
            for (name, value) in properties {
                xml.create_element("property")
                    .with_attributes([("name", *name), ("value", value.as_str())])
                    .write_empty()?;
            }
            Ok(())
        })?;
    Ok(())
}
