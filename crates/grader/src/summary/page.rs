//! The summary as one page that needs nothing else: no script, no font, no picture.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Check, Exercise, Summary};

/// `summary.html`.
pub fn page(summary: &Summary) -> String {
    let mut html = String::from(HEAD);
    html.push_str(STYLE);
    html.push_str("</style>\n</head>\n<body>\n<main>\n<h1>Summary of the class</h1>\n");
    overview(&mut html, summary);
    for (name, exercise) in &summary.exercises {
        section(&mut html, name, exercise);
    }
    html.push_str("<h2 id=\"look\">To look at</h2>\n");
    list(
        &mut html,
        "Faults of the grader",
        "These have no outcome, and count as nothing, not as a zero. Run the same command again: what is missing is graded.",
        ["Student", "Exercise", "What failed"],
        &summary.faults,
    );
    list(
        &mut html,
        "Refused",
        "Something about the files must be mended before they can be graded.",
        ["Student", "Exercise", "Why"],
        &summary.refusals,
    );
    list(
        &mut html,
        "Graded, but without counting",
        "These are in no gradebook.",
        ["Student", "Exercise", "Why"],
        &summary.unofficial,
    );
    let missing: Vec<[String; 1]> = summary
        .missing
        .iter()
        .map(|student| [student.clone()])
        .collect();
    list(
        &mut html,
        "Handed in nothing",
        "Students of the roster.",
        ["Student"],
        &missing,
    );
    alike(&mut html, summary);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Summary of the class</title>
<style>
"#;

const STYLE: &str = r"
:root {
  --page: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --band: #f6f8fa;
  --holds: #1f6f9f; --seen: #b35900; --hidden: #8f3fae; --none: #8c959f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161b; --ink: #e6edf3; --soft: #9da7b1; --line: #3a424b; --band: #1b2128;
    --holds: #58a6d6; --seen: #e8964a; --hidden: #c68be0; --none: #6b747e;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 1rem; }
h2 { font-size: 1.35rem; margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .4rem; }
p { margin: .3rem 0 .6rem; max-width: 44rem; }
.soft { color: var(--soft); }
.wide { overflow-x: auto; }
.wide:focus-visible { outline: 2px solid var(--holds); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
a { color: var(--holds); }
summary { cursor: pointer; }
summary h3 { display: inline-block; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; overflow-wrap: normal; }
tbody th { font-weight: 500; }
.number { text-align: right; white-space: nowrap; overflow-wrap: normal; }
.bars td:last-child { width: 60%; }
.bars th:first-child { min-width: 6.5rem; }
.bar { display: flex; height: .9rem; margin-top: .3rem; background: var(--band); }
.bar i { display: block; height: 100%; }
.holds { background: var(--holds); } .seen { background: var(--seen); } .hidden { background: var(--hidden); } .none { background: var(--none); }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .3rem 0; list-style: none; }
.key i { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; vertical-align: -.05rem; }
code { font: .92em/1.4 ui-monospace, monospace; }
.checks { min-width: 40rem; }
.checks th:first-child { width: 45%; }
.checks th small { display: block; font-weight: 400; color: var(--soft); }
@media print { .wide { overflow: visible; } }
@media (forced-colors: active) { .bar i, .key i { forced-color-adjust: none; } }
";

/// Text for HTML, in an element or an attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

fn overview(html: &mut String, summary: &Summary) {
    let graded: usize = summary.exercises.values().map(Exercise::graded).sum();
    let _ = writeln!(
        html,
        "<p>{graded} submissions are graded, {} have no outcome yet. Means and medians are of the points of the rubric, before lateness.</p>",
        summary.faults.len()
    );
    html.push_str("<div class=\"wide\" role=\"region\" aria-label=\"Exercises\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">Exercise</th>");
    for column in [
        "Graded",
        "Mean",
        "Median",
        "All points",
        "No compile",
        "Refused",
        "Late",
        "Faults",
    ] {
        let _ = write!(html, "<th scope=\"col\" class=\"number\">{column}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for (name, exercise) in &summary.exercises {
        let name = escape(name);
        let _ = write!(
            html,
            "<tr><th scope=\"row\"><a href=\"#{name}\">{name}</a></th>"
        );
        for cell in [
            exercise.graded().to_string(),
            format!("{:.0}&nbsp;%", 100.0 * exercise.mean()),
            format!("{:.0}&nbsp;%", 100.0 * exercise.median()),
            exercise.distribution()[10].to_string(),
            exercise.do_not_compile.to_string(),
            exercise.refused.to_string(),
            exercise.late.to_string(),
            exercise.faults.to_string(),
        ] {
            let _ = write!(html, "<td class=\"number\">{cell}</td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
}

fn section(html: &mut String, name: &str, exercise: &Exercise) {
    let name = escape(name);
    let _ = writeln!(
        html,
        "<section aria-labelledby=\"{name}\">\n<h2 id=\"{name}\">{name}</h2>"
    );
    let bins: Vec<(String, usize)> = (exercise.distribution().into_iter().enumerate())
        .map(|(bin, count)| {
            let label = if bin == 10 {
                "all points".to_owned()
            } else {
                format!("{}–{} %", bin * 10, bin * 10 + 9)
            };
            (label, count)
        })
        .collect();
    bars(html, "Points earned", "Of the points", &bins);
    checks(html, &name, &exercise.checks);
    counted(
        html,
        "Commonest diagnoses",
        "Diagnosis",
        &exercise.diagnoses,
    );
    counted(html, "Limits reached", "Limit", &exercise.limits);
    html.push_str("</section>\n");
}

/// A table of counts with a bar each.
fn bars(html: &mut String, title: &str, label: &str, rows: &[(String, usize)]) {
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let _ = write!(
        html,
        "<h3>{title}</h3>\n<table class=\"bars\">\n<thead><tr><th scope=\"col\">{label}</th><th scope=\"col\" class=\"number\">Count</th><td></td></tr></thead>\n<tbody>\n"
    );
    for (label, count) in rows {
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{count}</td><td><span class=\"bar\" aria-hidden=\"true\"><i class=\"holds\" style=\"width:{:.1}%\"></i></span></td></tr>",
            escape(label),
            percent(*count, most)
        );
    }
    html.push_str("</tbody>\n</table>\n");
}

/// A table of the commonest of some texts.
fn counted(html: &mut String, title: &str, label: &str, counts: &BTreeMap<String, usize>) {
    if counts.is_empty() {
        return;
    }
    let mut rows: Vec<(String, usize)> = counts
        .iter()
        .map(|(text, count)| (text.clone(), *count))
        .collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    rows.truncate(20);
    bars(html, title, label, &rows);
}

fn checks(html: &mut String, exercise: &str, checks: &[Check]) {
    if checks.is_empty() {
        return;
    }
    html.push_str("<h3>Checks</h3>\n<ul class=\"key\" aria-hidden=\"true\">");
    for (class, text) in KEY {
        let _ = write!(html, "<li><i class=\"{class}\"></i>{text}</li>");
    }
    let _ = write!(
        html,
        "</ul>\n<div class=\"wide\" role=\"region\" aria-label=\"Checks of {exercise}\" tabindex=\"0\">\n<table class=\"checks\">\n<thead><tr><th scope=\"col\">Check</th>"
    );
    for (_, text) in KEY {
        let _ = write!(html, "<th scope=\"col\" class=\"number\">{text}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for check in checks {
        let counts = [
            check.holds,
            check.fails_seen,
            check.fails_hidden,
            check.not_tried,
        ];
        let all = counts.iter().sum();
        let _ = write!(
            html,
            "<tr><th scope=\"row\"><code>{}</code><small>{}</small><span class=\"bar\" aria-hidden=\"true\">",
            escape(&check.name),
            escape(&check.asked)
        );
        for ((class, _), count) in KEY.iter().zip(counts) {
            let _ = write!(
                html,
                "<i class=\"{class}\" style=\"width:{:.2}%\"></i>",
                percent(count, all)
            );
        }
        html.push_str("</span></th>");
        for count in counts {
            let _ = write!(html, "<td class=\"number\">{count}</td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
}

const KEY: [(&str, &str); 4] = [
    ("holds", "holds"),
    ("seen", "fails"),
    ("hidden", "fails hidden"),
    ("none", "not tried"),
];

/// A titled table, or the title alone if it has no rows.
fn list<const N: usize>(
    html: &mut String,
    title: &str,
    what: &str,
    columns: [&str; N],
    rows: &[[String; N]],
) {
    if rows.is_empty() {
        let _ = writeln!(html, "<h3>{title}: none</h3>");
        return;
    }
    // A long list is folded, so that the next one is seen.
    let open = if rows.len() > 12 {
        ""
    } else {
        " open=\"open\""
    };
    let _ = write!(
        html,
        "<details{open}>\n<summary><h3>{title}: {}</h3></summary>\n<p class=\"soft\">{what}</p>\n<table>\n<thead><tr>",
        rows.len()
    );
    for column in columns {
        let _ = write!(html, "<th scope=\"col\">{column}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for cell in row {
            let _ = write!(html, "<td>{}</td>", escape(cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</details>\n");
}

fn alike(html: &mut String, summary: &Summary) {
    let rows: Vec<[String; 3]> = (summary.alike.iter())
        .map(|alike| {
            let how = alike.share.map_or_else(
                || "the same but for white space and comments".to_owned(),
                |share| format!("{:.0} % found in both by copydetect", 100.0 * share),
            );
            [alike.exercise.clone(), alike.students.join(", "), how]
        })
        .collect();
    list(
        html,
        "Alike",
        "What was handed out and the solution are left out. This says that files are alike, not why: an exercise of a few lines has few answers. Students are told none of it.",
        ["Exercise", "Students", "How alike"],
        &rows,
    );
}
