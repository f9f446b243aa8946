//! What page and notebook do alike with Markdown: numbers filled in, formulas handed over, code left alone.

use crate::number::{Numbers, Place};
use crate::span::{self, Span};

/// A formula as it stands in the text.
pub(crate) struct Formula<'a> {
    pub(crate) tex: &'a str,
    pub(crate) display: bool,
    /// The prefix of its lines, when it stands on lines of its own.
    pub(crate) block: Option<&'a str>,
}

/// Goes through `text`: fills in numbers, passes running text through `on_text` and formulas through `on_math`.
/// An error carries the line within `text`, counted from 0.
pub(crate) fn weave(
    text: &str,
    numbers: &Numbers,
    mut on_text: impl FnMut(&str) -> String,
    mut on_math: impl FnMut(&Formula) -> Result<String, String>,
) -> Result<String, (usize, String)> {
    let spans = span::scan(text).map_err(|found| {
        let first = &found[0];
        (first.line - 1, first.message.to_owned())
    })?;
    let mut out = String::with_capacity(text.len() * 2);
    for located in spans {
        let at = |(line, message): (usize, String)| (located.line - 1 + line, message);
        match located.span {
            Span::Text(t) => out.push_str(&on_text(&numbers.fill(t, Place::Text).map_err(at)?)),
            Span::Code(t) => out.push_str(&numbers.fill(t, Place::Code).map_err(at)?),
            Span::Raw(t) => out.push_str(t),
            Span::Math {
                tex,
                display,
                block,
            } => {
                let tex = numbers.fill(&tex, Place::Math).map_err(at)?;
                let formula = Formula {
                    tex: &tex,
                    display,
                    block,
                };
                out.push_str(&on_math(&formula).map_err(|message| (located.line - 1, message))?);
            }
        }
    }
    Ok(out)
}

/// The level and the text of a heading, with the id that is written behind it (`## Title {#id}`).
pub(crate) fn heading(line: &str) -> Option<(usize, &str, Option<&str>)> {
    let level = line.len() - line.trim_start_matches('#').len();
    let text = line[level..].strip_prefix(' ')?.trim();
    if !(1..=6).contains(&level) {
        return None;
    }
    match text.strip_suffix('}').and_then(|t| t.rsplit_once("{#")) {
        Some((title, id)) => Some((level, title.trim_end(), Some(id))),
        None => Some((level, text, None)),
    }
}

/// The lines of `text` with their numbers, counted from 0, and whether they lie inside a fence.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str, bool)> {
    let mut fence: Option<(char, usize)> = None;
    text.split_inclusive('\n')
        .enumerate()
        .map(move |(n, line)| {
            let inside = match fence {
                Some((mark, length)) => {
                    if span::closes(line, mark, length) {
                        fence = None;
                    }
                    true
                }
                None => match span::fence(line) {
                    Some((mark, length, _)) => {
                        fence = Some((mark, length));
                        true
                    }
                    None => false,
                },
            };
            (n, line, inside)
        })
}

/// What the reader sees of a heading: without emphasis, code marks and link targets.
pub(crate) fn plain(markdown: &str) -> String {
    let mut out = String::new();
    let mut rest = markdown;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("](")
            && let Some(end) = rest.find(')')
        {
            rest = &rest[end + 1..];
            continue;
        }
        if !matches!(c, '`' | '*' | '[' | ']' | '$') {
            out.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// The id that mdBook gives a heading.
pub(crate) fn anchor(title: &str) -> String {
    plain(title)
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
            c if c.is_whitespace() => Some('-'),
            _ => None,
        })
        .collect()
}

/// The id of a heading on our pages: one that holds a formula would get a strange one from its HTML.
pub(crate) fn id(title: &str) -> String {
    let id = anchor(title);
    if title.contains('$') {
        id.replace('_', "")
    } else {
        id
    }
}

/// A fenced block whose lines lose the indentation that all of them share: a method that stands inside an `impl`.
pub(crate) fn dedent(block: &str) -> String {
    let lines: Vec<&str> = block.split_inclusive('\n').collect();
    let body = lines.len().saturating_sub(1);
    let indent = |line: &&&str| line.len() - line.trim_start_matches(' ').len();
    let shared = lines[1.min(body)..body]
        .iter()
        .filter(|l| !l.trim().is_empty())
        .map(|l| indent(&l))
        .min()
        .unwrap_or(0);
    lines
        .iter()
        .enumerate()
        .map(|(n, line)| {
            if (1..body).contains(&n) {
                line.get(shared..).unwrap_or("\n")
            } else {
                line
            }
        })
        .collect()
}

/// Passes the target of every inline link and link definition through `change`.
pub(crate) fn links(text: &str, mut change: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let inline = rest.find("](").map(|n| (n, n + 2, ')'));
        let definition = rest.find("]: ").map(|n| (n, n + 3, '\n'));
        let next = match (inline, definition) {
            (Some(a), Some(b)) => Some(if a.0 < b.0 { a } else { b }),
            (a, b) => a.or(b),
        };
        let Some((_, start, close)) = next else { break };
        let length = rest[start..]
            .find(|c: char| c == close || c.is_whitespace())
            .unwrap_or(rest.len() - start);
        out.push_str(&rest[..start]);
        out.push_str(&change(&rest[start..start + length]));
        rest = &rest[start + length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{anchor, dedent, heading, links, weave};
    use crate::Numbers;

    fn mark(text: &str) -> String {
        let mut numbers = Numbers::default();
        numbers.insert("x", "-2");
        weave(text, &numbers, str::to_owned, |f| {
            let kind = match (f.display, f.block) {
                (_, Some(prefix)) => format!("B{prefix:?}"),
                (true, None) => "D".into(),
                (false, None) => "I".into(),
            };
            Ok(format!("<{kind}:{}>", f.tex))
        })
        .unwrap()
    }

    #[test]
    fn formulas_are_found_and_code_is_left_alone() {
        assert_eq!(
            mark("a $x_t$, `$y$` and \\$5."),
            "a <I:x_t>, `$y$` and \\$5."
        );
        assert_eq!(mark("``a ` $x$`` $y$"), "``a ` $x$`` <I:y>");
        assert_eq!(mark("```\n$x$\n```\n$y$"), "```\n$x$\n```\n<I:y>");
        assert_eq!(
            mark("> ```\n> $x$\n> ```\n> $y$"),
            "> ```\n> $x$\n> ```\n> <I:y>"
        );
        assert_eq!(mark("<!-- $x -->$y$"), "<!-- $x --><I:y>");
        assert_eq!(mark("so $$x$$ here"), "so <D:x> here");
        assert_eq!(mark("$a\nb$"), "<I:a b>");
    }

    #[test]
    fn a_displayed_formula_may_hold_what_markdown_would_interpret() {
        assert_eq!(
            mark("$$\na\n\n- b\n+ c\n# d\n$$\n"),
            "<B\"\":a\n\n- b\n+ c\n# d>\n"
        );
        assert_eq!(mark("> $$\n> a\n> - b\n> $$\n> t"), "<B\"> \":a\n- b>\n> t");
        assert_eq!(mark("- item\n  $$\n  x\n  $$\n"), "- item\n<B\"  \":x>\n");
    }

    #[test]
    fn numbers_are_filled_in_text_code_and_formulas() {
        assert_eq!(
            mark("{{= x}} `{{= x}}` $y = {{= x}}$"),
            "\u{2212}2 `-2` <I:y = -2>"
        );
    }

    #[test]
    fn a_lone_dollar_is_an_error_on_its_line() {
        let (line, message) = weave(
            "a\nb $5 c\n\nd $",
            &Numbers::default(),
            str::to_owned,
            |_| Ok(String::new()),
        )
        .unwrap_err();
        assert_eq!(line, 1);
        assert!(message.contains("\\$"));
    }

    #[test]
    fn headings_have_the_ids_of_mdbook() {
        assert_eq!(heading("## A *b* {#c}\n"), Some((2, "A *b*", Some("c"))));
        assert_eq!(heading("#no"), None);
        assert_eq!(
            anchor("Why `v_hat` [drifts](a.md): 3 cases"),
            "why-v_hat-drifts-3-cases"
        );
    }

    #[test]
    fn a_listing_loses_the_indentation_that_all_its_lines_share() {
        assert_eq!(
            dedent("```rust\n    a {\n\n        b\n    }\n```\n"),
            "```rust\na {\n\n    b\n}\n```\n"
        );
        assert_eq!(dedent("```rust\n```\n"), "```rust\n```\n");
    }

    #[test]
    fn every_link_target_is_passed_through() {
        let got = links("[a](b.md#c) ![i](d.png \"t\") [r]: e.md\nx", |t| {
            format!("<{t}>")
        });
        assert_eq!(got, "[a](<b.md#c>) ![i](<d.png> \"t\") [r]: <e.md>\nx");
    }
}
