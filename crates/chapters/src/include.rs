//! Expands `{{#include path:anchor}}` as mdBook does, for the notebook.

use std::fs;
use std::path::Path;

/// Expands every include in `text`; paths are relative to `dir`. An error carries the line within `text`, counted from 0.
pub(crate) fn expand(text: &str, dir: &Path) -> Result<String, (usize, String)> {
    const OPEN: &str = "{{#include ";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(OPEN) {
        let line = text[..text.len() - rest.len() + start]
            .matches('\n')
            .count();
        let Some(length) = rest[start..].find("}}") else {
            return Err((line, "`{{#include` without `}}`".into()));
        };
        let target = rest[start + OPEN.len()..start + length].trim();
        out.push_str(&rest[..start]);
        out.push_str(
            &read(target, dir)
                .map_err(|message| (line, format!("include `{target}`: {message}")))?,
        );
        rest = &rest[start + length + 2..];
    }
    out.push_str(rest);
    Ok(out)
}

fn read(target: &str, dir: &Path) -> Result<String, String> {
    let mut parts = target.split(':');
    let file = parts.next().unwrap_or_default();
    let selector: Vec<&str> = parts.collect();
    let source = fs::read_to_string(dir.join(file)).map_err(|e| e.to_string())?;
    let lines: Vec<&str> = source.lines().collect();
    let number = |s: &&str| s.is_empty() || s.parse::<usize>().is_ok();
    match selector.as_slice() {
        [] => Ok(drop_anchors(&lines)),
        [anchor] if !number(anchor) => between(&lines, anchor),
        range if range.len() <= 2 && range.iter().all(number) => {
            let first = range[0].parse::<usize>().unwrap_or(1).max(1);
            let last = match range.get(1) {
                Some(last) => last.parse::<usize>().unwrap_or(lines.len()),
                None => first,
            };
            let chosen = lines
                .get(first - 1..last.min(lines.len()))
                .unwrap_or_default();
            if chosen.is_empty() {
                Err("no such lines".into())
            } else {
                Ok(chosen.join("\n"))
            }
        }
        _ => Err("neither an anchor nor a range of lines".into()),
    }
}

fn anchor<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    let (_, after) = line.split_once(mark)?;
    after.split_whitespace().next()
}

fn between(lines: &[&str], name: &str) -> Result<String, String> {
    let start = lines
        .iter()
        .position(|l| anchor(l, "ANCHOR:") == Some(name))
        .ok_or("no such anchor")?;
    let end = lines[start..]
        .iter()
        .position(|l| anchor(l, "ANCHOR_END:") == Some(name))
        .ok_or("the anchor does not end")?;
    Ok(drop_anchors(&lines[start..start + end]))
}

fn drop_anchors(lines: &[&str]) -> String {
    let kept: Vec<&str> = lines
        .iter()
        .filter(|l| anchor(l, "ANCHOR:").is_none() && anchor(l, "ANCHOR_END:").is_none())
        .copied()
        .collect();
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::expand;
    use std::path::Path;

    #[test]
    fn an_anchor_is_expanded_without_its_marks() {
        let dir = std::env::temp_dir().join(format!("moments-include-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("a.rs"), "one\n// ANCHOR: two\ntwo\n// ANCHOR: in\nthree\n// ANCHOR_END: in\n// ANCHOR_END: two\nfour\n").unwrap();
        let got = expand("```rust\n{{#include a.rs:two}}\n```", &dir);
        let range = expand("{{#include a.rs:1:3}}", &dir);
        let missing = expand("x\n{{#include a.rs:nope}}", &dir);
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(got.unwrap(), "```rust\ntwo\nthree\n```");
        assert_eq!(range.unwrap(), "one\n// ANCHOR: two\ntwo");
        assert_eq!(missing.unwrap_err().0, 1);
        assert!(expand("{{#include gone.rs}}", Path::new(".")).is_err());
    }
}
