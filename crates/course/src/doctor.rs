//! `cargo course doctor`: what is there, what is missing, and the command that mends it.

use std::fmt::Write as _;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;
use moments_kernel::{Layout, State, Step};
use serde_json::json;

use crate::ui::{self, Style};

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    name: String,
    /// What it is for.
    what: String,
    /// Version and place, or why it is missing.
    found: Result<(String, String), String>,
    /// The command that mends it.
    mend: String,
    /// Whether the course works without it.
    optional: bool,
}

pub(crate) fn doctor(layout: &Layout, as_json: bool) -> ExitCode {
    let findings = examine(layout);
    if as_json {
        ui::say(&format!("{:#}", report_json(&findings)));
    } else {
        ui::put(&report(&findings, Style::stdout(), ui::columns()));
    }
    if findings
        .iter()
        .all(|finding| finding.optional || finding.found.is_ok())
    {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn examine(layout: &Layout) -> Vec<Finding> {
    let mut findings = vec![
        tool(
            "rustc",
            "The compiler.",
            &["rustc"],
            "Install Rust from https://rustup.rs",
            false,
        ),
        tool(
            "cargo",
            "Builds and runs the course.",
            &["cargo"],
            "Install Rust from https://rustup.rs",
            false,
        ),
    ];
    for step in Step::ALL {
        let found = match step.check(layout) {
            State::Present { version, place } => Ok((version, place)),
            State::Missing { reason } => Err(reason),
        };
        findings.push(Finding {
            name: step.name().to_owned(),
            what: step.what().to_owned(),
            found,
            mend: step.mend(layout),
            optional: false,
        });
    }
    let own = layout.tools_bin("mdbook").to_string_lossy().into_owned();
    findings.push(tool(
        "mdbook",
        "Not needed: `cargo course` serves the book by itself.",
        &["mdbook", &own],
        "cargo install mdbook --version 0.5.4 --locked",
        true,
    ));
    findings
}

fn tool(name: &str, what: &str, programs: &[&str], mend: &str, optional: bool) -> Finding {
    let answer = programs.iter().find_map(|program| {
        let output = Command::new(program)
            .arg("--version")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output
            .status
            .success()
            .then(|| (text, (*program).to_owned()))
    });
    Finding {
        name: name.to_owned(),
        what: what.to_owned(),
        found: answer.ok_or_else(|| format!("`{name}` was not found.")),
        mend: mend.to_owned(),
        optional,
    }
}

fn report(findings: &[Finding], style: Style, columns: Option<usize>) -> String {
    let mut out = String::new();
    let wide = findings
        .iter()
        .map(|finding| finding.name.len())
        .max()
        .unwrap_or(0);
    for finding in findings {
        let name = format!("{:<wide$}", finding.name);
        match &finding.found {
            Ok((version, place)) => {
                let _ = writeln!(
                    out,
                    "{}  {name}  {version}  {}",
                    style.green("here   "),
                    style.dim(place)
                );
            }
            Err(reason) => {
                let word = if finding.optional {
                    style.dim("absent ")
                } else {
                    style.red("missing")
                };
                let margin = " ".repeat("missing  ".len() + wide + "  ".len());
                // A command is left as it is, to be copied.
                let room = columns.map_or(usize::MAX, |columns| {
                    columns.saturating_sub(margin.len()).max(20)
                });
                let sentence =
                    |text: &str| ui::wrap(text, room).replace('\n', &format!("\n{margin}"));
                let _ = writeln!(out, "{word}  {name}  {}", sentence(reason));
                let _ = writeln!(out, "{margin}{}", sentence(&finding.what));
                let _ = writeln!(out, "{margin}{}", style.bold(&finding.mend));
            }
        }
    }
    let missing = findings
        .iter()
        .filter(|finding| !finding.optional && finding.found.is_err())
        .count();
    if missing == 0 {
        out.push_str("\nEverything is there. `cargo course` starts the book and the notebooks.\n");
    } else {
        let _ = writeln!(
            out,
            "\n{} missing. `cargo course setup` does all of it; the commands above do it one by one.",
            ui::count(missing, "thing")
        );
    }
    out
}

fn report_json(findings: &[Finding]) -> serde_json::Value {
    let list: Vec<_> = findings
        .iter()
        .map(|finding| match &finding.found {
            Ok((version, place)) => json!({
                "name": finding.name, "present": true, "version": version, "place": place, "optional": finding.optional,
            }),
            Err(reason) => json!({
                "name": finding.name, "present": false, "reason": reason, "mend": finding.mend, "optional": finding.optional,
            }),
        })
        .collect();
    json!(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(present: bool, optional: bool) -> Finding {
        Finding {
            name: "thing".to_owned(),
            what: "It does things.".to_owned(),
            found: if present {
                Ok(("1.0".to_owned(), "here".to_owned()))
            } else {
                Err("It is not installed.".to_owned())
            },
            mend: "install thing".to_owned(),
            optional,
        }
    }

    #[test]
    fn what_is_missing_comes_with_the_command_that_mends_it() {
        let text = report(
            &[finding(true, false), finding(false, false)],
            Style::plain(),
            None,
        );
        assert!(
            text.contains("It is not installed.") && text.contains("install thing"),
            "{text}"
        );
        assert!(text.contains("1 thing missing"), "{text}");
    }

    #[test]
    fn sentences_are_broken_between_words_and_commands_never() {
        let long = Finding {
            found: Err("A sentence that is longer than what is left of the line.".to_owned()),
            mend: "a command that is longer than the line and is copied whole".to_owned(),
            ..finding(false, false)
        };
        let text = report(&[long], Style::plain(), Some(40));
        assert!(
            text.contains("A sentence that is\n                longer than"),
            "{text}"
        );
        assert!(text.contains("and is copied whole\n"), "{text}");
    }

    #[test]
    fn an_absent_optional_thing_is_nothing_missing() {
        let text = report(&[finding(false, true)], Style::plain(), None);
        assert!(text.contains("Everything is there"), "{text}");
    }

    #[test]
    fn a_tool_that_does_not_exist_is_missing_and_one_that_does_says_its_version() {
        assert!(
            tool("none", "", &["no-such-program-anywhere"], "", false)
                .found
                .is_err()
        );
        let rustc = tool(
            "rustc",
            "",
            &["no-such-program-anywhere", "rustc"],
            "",
            false,
        );
        assert!(rustc.found.unwrap().0.starts_with("rustc 1."));
    }
}
