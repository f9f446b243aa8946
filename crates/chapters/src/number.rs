//! Numbers that cells print and prose uses.

use crate::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The named numbers of a chapter, in the order in which its cells print them, each with the digits it was printed with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    entries: Vec<(String, String)>,
}

/// Where a number stands, which decides how an exponent and a minus sign are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Text,
    Math,
    Code,
}

impl Numbers {
    /// Reads `numbers.toml` in a chapter's directory of outputs; none when there is no such file.
    ///
    /// # Errors
    /// When the file cannot be read or is not a table of strings.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("numbers.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(Error::io(&path, "read the numbers", &e)),
        };
        let table: toml::Table = text
            .parse()
            .map_err(|e| Error::at(&path, None, format!("{e}")))?;
        let mut numbers = Self::default();
        for (name, value) in table {
            let Some(value) = value.as_str() else {
                return Err(Error::at(
                    &path,
                    None,
                    format!("`{name}` should be a string of digits; run `cargo course outputs`"),
                ));
            };
            numbers.entries.push((name, value.to_owned()));
        }
        Ok(numbers)
    }

    /// The digits of a number, as printed.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes a number in; false when the name is taken.
    pub(crate) fn insert(&mut self, name: &str, value: &str) -> bool {
        if self.get(name).is_some() {
            return false;
        }
        self.entries.push((name.to_owned(), value.to_owned()));
        true
    }

    pub(crate) fn to_toml(&self) -> String {
        let mut out = String::from(
            "# Printed by the chapter's cells with `number!`; written by `cargo course outputs`.\n",
        );
        for (name, value) in &self.entries {
            let _ = writeln!(out, "{name} = \"{value}\"");
        }
        out
    }

    /// Replaces every `{{= name}}` and `{{= name | format}}` in `text`. Errors carry the line within `text`, counted from 0.
    pub(crate) fn fill(&self, text: &str, place: Place) -> Result<String, (usize, String)> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(open) = rest.find("{{=") {
            let line = || text[..text.len() - rest.len() + open].matches('\n').count();
            out.push_str(&rest[..open]);
            let Some(length) = rest[open..].find("}}") else {
                return Err((line(), "`{{=` without `}}`".into()));
            };
            let body = rest[open + 3..open + length].trim();
            let (name, format) = match body.split_once('|') {
                Some((name, format)) => (name.trim(), Some(format.trim())),
                None => (body, None),
            };
            let Some(digits) = self.get(name) else {
                return Err((line(), self.unknown(name)));
            };
            let shown = show(digits, format)
                .map_err(|message| (line(), format!("`{{{{= {body}}}}}`: {message}")))?;
            out.push_str(&typeset(&shown, place));
            rest = &rest[open + length + 2..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn unknown(&self, name: &str) -> String {
        if !is_name(name) {
            return format!(
                "`{name}` is not a number's name: a small letter, then small letters, digits and `_`"
            );
        }
        let near: Vec<&str> = self
            .entries
            .iter()
            .map(|(n, _)| n.as_str())
            .filter(|n| n.starts_with(&name[..1]))
            .take(6)
            .collect();
        let hint = if near.is_empty() {
            String::new()
        } else {
            format!(" (there are: {})", near.join(", "))
        };
        format!(
            "no cell prints a number `{name}`{hint}; print it with `number!({name}, ...)` and run `cargo course outputs`"
        )
    }
}

/// Whether a printed line's left side can be a number's name.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The name and the digits, when a printed line is a named number.
pub(crate) fn read_line(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(" = ")?;
    (is_name(name) && value.trim() == value && value.parse::<f64>().is_ok())
        .then_some((name, value))
}

fn show(digits: &str, format: Option<&str>) -> Result<String, String> {
    let Some(format) = format else {
        return Ok(digits.to_owned());
    };
    let value: f64 = digits
        .parse()
        .map_err(|_| format!("`{digits}` is not a number"))?;
    let places = |s: &str| s.parse::<usize>().ok().filter(|n| *n <= 17);
    if let Some(n) = format.strip_prefix('.').and_then(places) {
        Ok(format!("{value:.n$}"))
    } else if let Some(n) = format.strip_prefix('e').and_then(places) {
        Ok(format!("{value:.n$e}"))
    } else {
        Err(format!(
            "unknown format `{format}`: `.5` is five digits after the point, `e2` is scientific with two"
        ))
    }
}

/// Writes a number as its place wants it: a true minus sign in text, powers of ten in text and mathematics.
fn typeset(number: &str, place: Place) -> String {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((m, e)) if e.parse::<i32>().is_ok() => (m, Some(e.trim_start_matches('+'))),
        _ => (number, None),
    };
    match (place, exponent) {
        (Place::Code, _) | (Place::Math, None) => number.to_owned(),
        (Place::Math, Some(e)) => format!(r"{mantissa}\times 10^{{{e}}}"),
        (Place::Text, None) => mantissa.replace('-', "\u{2212}"),
        (Place::Text, Some(e)) => {
            let power: String = e.chars().map(superscript).collect();
            format!(
                "{}\u{a0}\u{d7}\u{a0}10{power}",
                mantissa.replace('-', "\u{2212}")
            )
        }
    }
}

fn superscript(c: char) -> char {
    match c {
        '-' => '\u{207b}',
        '1' => '\u{b9}',
        '2' => '\u{b2}',
        '3' => '\u{b3}',
        '0' | '4'..='9' => char::from_u32(0x2070 + u32::from(c) - u32::from('0')).unwrap_or(c),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Numbers, Place, read_line};

    fn numbers() -> Numbers {
        let mut numbers = Numbers::default();
        assert!(numbers.insert("x_3", "2.99700003190148"));
        assert!(numbers.insert("gap", "-1.5e-8"));
        numbers
    }

    #[test]
    fn a_number_is_written_as_its_place_wants_it() {
        let n = numbers();
        assert_eq!(
            n.fill("x is {{= x_3}}.", Place::Text).unwrap(),
            "x is 2.99700003190148."
        );
        assert_eq!(n.fill("{{=x_3|.5}}", Place::Math).unwrap(), "2.99700");
        assert_eq!(
            n.fill("{{= gap}}", Place::Text).unwrap(),
            "\u{2212}1.5\u{a0}×\u{a0}10⁻⁸"
        );
        assert_eq!(
            n.fill("{{= gap}}", Place::Math).unwrap(),
            r"-1.5\times 10^{-8}"
        );
        assert_eq!(n.fill("{{= x_3 | e2}}", Place::Code).unwrap(), "3.00e0");
    }

    #[test]
    fn an_unknown_number_is_an_error_with_its_line() {
        let (line, message) = numbers().fill("a\nb {{= x_4}}", Place::Text).unwrap_err();
        assert_eq!(line, 1);
        assert!(
            message.contains("`x_4`") && message.contains("x_3"),
            "{message}"
        );
    }

    #[test]
    fn only_a_name_and_a_number_make_a_named_number() {
        assert_eq!(read_line("x_3 = 2.5"), Some(("x_3", "2.5")));
        for line in ["X = 1", "x = one", "x: 1", "x = 1 m", "a b = 1", " x = 1"] {
            assert_eq!(read_line(line), None, "{line}");
        }
    }

    #[test]
    fn the_digits_survive_the_file() {
        let dir = std::env::temp_dir().join(format!("moments-numbers-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("numbers.toml"), numbers().to_toml()).unwrap();
        let back = Numbers::load(&dir).unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(back.get("x_3"), Some("2.99700003190148"));
        assert_eq!(back.get("gap"), Some("-1.5e-8"));
    }
}
