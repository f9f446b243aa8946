//! Text of strangers, made harmless before it is kept.

/// At most so many characters, without control characters, marks of direction, and colons that a log would read as a command.
pub(crate) fn clean(text: &str, at_most: usize) -> String {
    let mut clean = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == at_most {
            clean.push('…');
            break;
        }
        clean.push(match character {
            '\t' => ' ',
            '\n' => '\n',
            // What turns the direction of writing, joins or hides.
            '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' => '\u{FFFD}',
            character if character.is_control() => '\u{FFFD}',
            character => character,
        });
    }
    // `::error::` at the start of a line is a command to some CI systems.
    clean
        .lines()
        .map(|line| {
            if line.trim_start().starts_with("::") {
                line.replacen("::", ": :", 1)
            } else {
                line.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The first line that says something, cleaned.
pub(crate) fn line(text: &str) -> String {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    clean(first.unwrap_or("it ended without a word"), 300)
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn escapes_and_commands_do_not_survive() {
        assert_eq!(clean("a\u{1b}[31mred", 100), "a\u{FFFD}[31mred");
        assert_eq!(clean("::error::gone", 100), ": :error::gone");
        assert_eq!(
            clean("first\n  ::set-output", 100),
            "first\n  : :set-output"
        );
        assert_eq!(clean("a\u{202E}b", 100), "a\u{FFFD}b");
        assert_eq!(clean("abcdef", 3), "abc…");
    }
}
