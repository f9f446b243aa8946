//! What a policy does to an outcome, and what it says where something is wrong with it.

mod common;

use std::fs;

use common::{Folder, entry, outcome};
use moments_grader::outcome::{Outcome, Tier};
use moments_grader::policy::{Grade, Policy};
use moments_grader::record::Record;
use moments_grader::store::Entry;
use moments_grader::view::View;

/// A class of one: `ada`, with 9 of 15 points for `ex07`.
fn ada() -> (Entry, Outcome) {
    let mut outcome = outcome(0);
    "ex07".clone_into(&mut outcome.exercise);
    outcome.points = 9;
    let mut entry = entry(0);
    "ada".clone_into(&mut entry.student);
    "ex07".clone_into(&mut entry.exercise);
    entry.key = outcome.key();
    (entry, outcome)
}

struct Case {
    dir: Folder,
    view: View,
}

impl Case {
    fn new() -> Self {
        let (entry, outcome) = ada();
        let mut view = View::default();
        view.outcomes.insert(entry.key.clone(), outcome);
        view.class.push(entry);
        let case = Self {
            dir: Folder::new(),
            view,
        };
        case.write(
            "times.csv",
            "student,exercise,submitted\nada,ex07,2026-09-14T12:00:00Z\n",
        );
        case.write(
            "roster.csv",
            "student,last,first,email,id\nada,Lovelace,Ada,ada@example.org,s1\n",
        );
        case
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.join(name), text).unwrap();
    }

    fn policy(&self, text: &str) -> Result<Policy, String> {
        self.write("policy.toml", text);
        let policy =
            Policy::read(&self.dir.join("policy.toml")).map_err(|error| error.to_string())?;
        policy
            .check(&self.view)
            .map_err(|error| error.to_string())?;
        Ok(policy)
    }

    fn grade(&self, text: &str) -> Grade {
        let policy = self.policy(text).unwrap();
        let records = Record::all(&self.view, &policy).unwrap();
        records[0].graded.clone().unwrap().grade
    }

    fn refused(&self, text: &str) -> String {
        self.policy(text).expect_err("it should be refused")
    }

    /// The score after handing in so long after the due date.
    fn late(&self, rules: &str, submitted: &str) -> String {
        self.write(
            "times.csv",
            &format!("student,exercise,submitted\nada,ex07,{submitted}\n"),
        );
        let text = format!(
            "times = 'times.csv'\nleast_sandbox = 'user'\n[points]\nex07 = 15\n[due]\nex07 = 2026-09-14T00:00:00Z\n[late]\n{rules}"
        );
        let grade = self.grade(&text);
        assert_eq!(grade.raw.to_string(), "9.00");
        assert_eq!(
            grade.raw.to_f64() - grade.penalty.to_f64(),
            grade.score.to_f64(),
            "the columns add up"
        );
        grade.score.to_string()
    }
}

#[test]
fn the_example_is_understood_and_has_every_key() {
    let case = Case::new();
    let example = fs::read_to_string("policy.example.toml").unwrap();
    let policy = case.policy(&example).unwrap();
    assert_eq!(policy.least_sandbox(), Tier::Bubblewrap);
    assert_eq!(policy.classroom(), Some("optimizers-2026"));
    assert_eq!(policy.assignment("ex07"), "adam");
    assert_eq!(policy.person("ada").unwrap().last, "Lovelace");
    // The names of all keys are in the messages about unknown ones.
    for (at, unknown) in [
        ("", "zzz = 1\n"),
        ("[score]\n", "zzz = 1\n"),
        ("[late]\n", "zzz = 1\n"),
        ("[[extension]]\n", "zzz = 1\n"),
    ] {
        let error = case.refused(&format!("{at}{unknown}"));
        let known = error
            .split("expected one of")
            .nth(1)
            .unwrap_or("")
            .split(';')
            .next()
            .unwrap();
        for key in known.split('`').skip(1).step_by(2) {
            assert!(example.contains(key), "{key} is not in the example");
        }
    }
}

#[test]
fn without_a_policy_a_score_is_the_points_of_the_rubric() {
    let case = Case::new();
    let grade = case.grade("");
    assert_eq!(
        (grade.score.to_string(), grade.max.to_string()),
        ("9.00".to_owned(), "15.00".to_owned())
    );
    assert_eq!(
        (grade.late, grade.due, grade.unofficial),
        (None, None, None)
    );
}

#[test]
fn points_are_scaled_and_rounded_at_the_end_alone() {
    let case = Case::new();
    assert_eq!(case.grade("[points]\nex07 = 10").score.to_string(), "6.00");
    assert_eq!(case.grade("[points]\nex07 = 7.1").score.to_string(), "4.26");
    assert_eq!(
        case.grade("[score]\ndecimals = 0\n[points]\nex07 = 7.5")
            .score
            .to_string(),
        "5"
    );
    let even = "[score]\ndecimals = 0\nrounding = 'half-even'\n[points]\nex07 = 7.5";
    assert_eq!(case.grade(even).score.to_string(), "4");
}

#[test]
fn lateness_costs_what_the_policy_says() {
    let case = Case::new();
    let day = "per = 'day'\npercent = 10\n";
    assert_eq!(case.late(day, "2026-09-13T23:00:00Z"), "9.00", "early");
    assert_eq!(
        case.late(day, "2026-09-14T00:00:00Z"),
        "9.00",
        "to the second"
    );
    assert_eq!(
        case.late(day, "2026-09-14T00:00:01Z"),
        "7.50",
        "a second late is a day begun"
    );
    assert_eq!(
        case.late(day, "2026-09-15T00:00:00Z"),
        "7.50",
        "a whole day"
    );
    assert_eq!(
        case.late(day, "2026-09-15T00:00:01Z"),
        "6.00",
        "a second day begun"
    );
    assert_eq!(
        case.late(day, "2026-09-14T01:59:00+02:00"),
        "9.00",
        "zones count"
    );
    assert_eq!(
        case.late(day, "2027-09-14T00:00:01Z"),
        "0.00",
        "never less than nothing"
    );
    assert_eq!(
        case.late("per = 'hour'\npoints = 0.5\n", "2026-09-14T02:30:00Z"),
        "7.50"
    );
    let earned = "per = 'day'\npercent = 10\nof = 'earned'\n";
    assert_eq!(case.late(earned, "2026-09-14T02:30:00Z"), "8.10");
    let floor = format!("{day}floor_percent = 50\n");
    assert_eq!(case.late(&floor, "2026-12-14T00:00:01Z"), "4.50");
    let cut = format!("{floor}cut_off_hours = 48\n");
    assert_eq!(case.late(&cut, "2026-09-16T00:00:00Z"), "6.00");
    assert_eq!(case.late(&cut, "2026-09-16T00:00:01Z"), "0.00");
    let grace = format!("{day}grace_minutes = 15\n");
    assert_eq!(case.late(&grace, "2026-09-14T00:15:00Z"), "9.00");
    assert_eq!(case.late(&grace, "2026-09-14T00:15:01Z"), "7.50");
    assert_eq!(
        case.late(&grace, "2026-09-15T00:10:00Z"),
        "6.00",
        "beyond it, lateness counts from the due date"
    );
}

#[test]
fn an_extension_is_for_an_exercise_or_for_all_and_never_makes_one_due_earlier() {
    let case = Case::new();
    let extend = |extension: &str| {
        case.late(
            &format!("per = 'day'\npercent = 10\n[[extension]]\nstudent = 'ada'\n{extension}"),
            "2026-09-15T12:00:00Z",
        )
    };
    assert_eq!(extend("until = 2026-09-16T00:00:00Z"), "9.00");
    assert_eq!(
        extend("exercise = 'ex07'\nuntil = 2026-09-15T00:00:00Z"),
        "7.50"
    );
    assert_eq!(extend("until = 2026-09-01T00:00:00Z"), "6.00");
    let both = "until = 2026-09-16T00:00:00Z\n[[extension]]\nstudent = 'ada'\nexercise = 'ex07'\nuntil = 2026-09-15T00:00:00Z";
    assert_eq!(extend(both), "7.50", "that for the exercise counts");
}

#[test]
fn what_may_not_count_says_why() {
    let mut case = Case::new();
    let why = |case: &Case, text: &str| case.grade(text).unofficial.unwrap_or_default();
    assert!(why(&case, "least_sandbox = 'container'").contains("`bubblewrap`"));
    assert_eq!(why(&case, "least_sandbox = 'user'"), "");
    let outcome = case.view.outcomes.values_mut().next().unwrap();
    outcome.official = false;
    assert!(why(&case, "").contains("--regrade"));
    case.view.outcomes.values_mut().next().unwrap().from.key = String::new();
    assert!(why(&case, "").contains("course key"));
}

#[test]
fn a_mistake_in_the_policy_is_named_with_its_line() {
    let case = Case::new();
    for (text, line, wrong) in [
        ("\nleast_sandbx = 'user'", 2, "unknown field `least_sandbx`"),
        ("least_sandbox = 'jail'", 1, "unknown variant `jail`"),
        ("least_sandbox = 'none'", 1, "without a sandbox"),
        ("[score]\ndecimals = 7", 2, "more than 6"),
        ("[points]\nex07 = -1", 2, "a number from 0 to 1000000"),
        ("[points]\nex07 = nan", 2, "a number from 0 to 1000000"),
        (
            "[due]\n\nex07 = 2026-09-14T23:59:00",
            3,
            "not a time with its zone",
        ),
        ("[due]\nex07 = 'tomorrow'", 2, "not a time with its zone"),
        ("[late]\nper = 'week'", 2, "unknown variant `week`"),
        ("\n[late]\nper = 'day'", 2, "once"),
        ("[late]\nper = 'day'\npercent = 1\npoints = 2", 1, "once"),
        ("[late]\nper = 'day'\npercent = 101", 3, "more than 100"),
        (
            "[[extension]]\nstudent = 'ada'\nexercise = 'ex07'\nuntil = 2026-09-16T00:00:00Z",
            1,
            "no due date for `ex07`",
        ),
        (
            "[[extension]]\nstudent = 'ada'\nuntil = 2026-09-16T00:00:00Z\n[[extension]]\nstudent = 'ada'\nuntil = 2026-09-17T00:00:00Z",
            4,
            "another extension",
        ),
        ("[gradescope", 1, "unclosed"),
    ] {
        let error = case.refused(text);
        assert!(
            error.contains(&format!("policy.toml, line {line}: ")),
            "{text}\n{error}"
        );
        assert!(error.contains(wrong), "{text}\n{error}");
    }
}

#[test]
fn a_mistake_in_a_table_is_named_with_its_line() {
    let case = Case::new();
    let head = "student,exercise,submitted\n";
    for (table, line, wrong) in [
        (
            format!("{head}ada,ex07,2026-09-14 12:00\n"),
            2,
            "not a time with its zone",
        ),
        (
            format!("{head}ada,ex07,2026-09-14T12:00:00\n"),
            2,
            "not a time with its zone",
        ),
        (
            format!("{head}ada,ex07,2026-09-14T12:00:00Z\nada,ex07,2026-09-14T12:00:00Z\n"),
            3,
            "on line 2 already",
        ),
        (
            format!("{head}\nada,ex07,2026-09-14T12:00:00Z\neve,ex07,2026-09-14T12:00:00Z\n"),
            4,
            "`eve` is not known",
        ),
        (
            format!("{head}ada,,2026-09-14T12:00:00Z\n"),
            2,
            "`exercise` is empty",
        ),
        (format!("{head}ada,ex07\n"), 2, "it has 2 cells"),
        (
            "student;exercise;submitted\n".to_owned(),
            1,
            "no column `student`",
        ),
        (
            "student,exercise,submitted,grade\n".to_owned(),
            1,
            "the column `grade`",
        ),
        (
            "student,exercise,exercise,submitted\n".to_owned(),
            1,
            "two columns `exercise`",
        ),
        (String::new(), 1, "no column `student`"),
    ] {
        case.write("times.csv", &table);
        let error = case.refused("times = 'times.csv'");
        assert!(
            error.contains(&format!("times.csv, line {line}: ")),
            "{table}\n{error}"
        );
        assert!(error.contains(wrong), "{table}\n{error}");
    }
    fs::write(
        case.dir.join("times.csv"),
        b"student,exercise,submitted\nad\xff,ex07,2026-09-14T12:00:00Z\n",
    )
    .unwrap();
    assert!(case.refused("times = 'times.csv'").contains("not UTF-8"));
    assert!(
        case.refused("times = 'nowhere.csv'")
            .contains("nowhere.csv")
    );
}

#[test]
fn students_that_one_side_does_not_know_are_named() {
    let case = Case::new();
    case.write("roster.csv", "student\ngrace\n");
    let error = case.refused("roster = 'roster.csv'");
    assert!(
        error.contains("roster.csv: `ada` has handed in and is not in it"),
        "{error}"
    );
    let error = case.refused("[[extension]]\nstudent = 'eve'\nuntil = 2026-09-16T00:00:00Z");
    assert!(error.contains("`eve`, who is not known"), "{error}");
    let error =
        case.refused("[due]\nex07 = 2026-09-14T00:00:00Z\n[late]\nper = 'day'\npercent = 10");
    assert!(
        error.contains("nothing says when ada handed in ex07"),
        "{error}"
    );
}

#[test]
fn a_roster_from_a_spreadsheet_is_read() {
    let case = Case::new();
    // With the mark of byte order, other line ends, spaces and quotes.
    case.write(
        "roster.csv",
        "\u{feff}student, last,first\r\nada,\"Lovelace, Countess\",Ada\r\n",
    );
    let policy = case.policy("roster = 'roster.csv'").unwrap();
    let person = policy.person("ada").unwrap();
    assert_eq!(
        (
            person.last.as_str(),
            person.first.as_str(),
            person.email.as_str()
        ),
        ("Lovelace, Countess", "Ada", "")
    );
}
