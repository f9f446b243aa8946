//! Text of strangers made plain: nothing in it steers a terminal, a log, a parser or the eye.

/// At most `at_most` characters of a text, without escape sequences, control characters other than the end of a line,
/// marks that turn, join or hide, and what a CI system would read as a command at the start of a line.
pub(crate) fn plain(text: &str, at_most: usize) -> String {
    let mut plain = String::new();
    let mut characters = text.chars().peekable();
    let mut count = 0;
    while let Some(character) = characters.next() {
        if count == at_most {
            plain.push_str("… (cut)");
            break;
        }
        count += 1;
        match character {
            '\n' => plain.push('\n'),
            '\t' => plain.push(' '),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\u{1b}' => skip_sequence(&mut characters),
            character if is_hostile(character) => plain.push('\u{FFFD}'),
            character => plain.push(character),
        }
    }
    let lines: Vec<String> = plain.split('\n').map(without_command).collect();
    lines.join("\n")
}

/// A text in one line, of a length that fits into a table.
pub(crate) fn line(text: &str) -> String {
    plain(text, 300).replace('\n', " ")
}

/// The first line that says something, for a message.
pub(crate) fn first_line(text: &str) -> String {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    plain(first.unwrap_or("it ended without a word"), 300)
}

/// Skips what follows an escape character: to a letter after `[`, to a bell or a string's end after `]`, one character otherwise.
fn skip_sequence(characters: &mut std::iter::Peekable<std::str::Chars>) {
    match characters.next() {
        Some('[') => {
            while characters
                .next()
                .is_some_and(|next| !('@'..='~').contains(&next))
            {}
        }
        Some(']') => {
            while let Some(next) = characters.next() {
                if next == '\u{7}' || next == '\u{1b}' && characters.next_if_eq(&'\\').is_some() {
                    break;
                }
            }
        }
        _ => {}
    }
}

fn is_hostile(character: char) -> bool {
    let turns_joins_or_hides = matches!(character,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}');
    // XML knows no characters that end in FFFE or FFFF.
    character.is_control() || turns_joins_or_hides || u32::from(character) & 0xFFFE == 0xFFFE
}

fn without_command(line: &str) -> String {
    let start = line.trim_start();
    if start.starts_with("::") {
        line.replacen("::", ": :", 1)
    } else if start.starts_with("##[") {
        line.replacen("##[", "# #[", 1)
    } else {
        line.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn nothing_steers_a_terminal() {
        assert_eq!(plain("a\u{1b}[31;1mred\u{1b}[0m", 99), "ared");
        assert_eq!(
            plain("a\u{1b}]0;title\u{7}b\u{1b}]8;;x\u{1b}\\c", 99),
            "abc"
        );
        assert_eq!(
            plain("a\u{0}b\u{8}c\u{9b}d\re\r\nf", 99),
            "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}e\nf"
        );
        assert_eq!(plain("never ends \u{1b}[", 99), "never ends ");
        assert_eq!(plain("never ends \u{1b}]", 99), "never ends ");
    }

    #[test]
    fn nothing_is_a_command_of_a_log() {
        assert_eq!(
            plain("::error::gone\n  ::set-output x", 99),
            ": :error::gone\n  : :set-output x"
        );
        assert_eq!(plain("##[group]", 99), "# #[group]");
        // A command that an escape sequence had split.
        assert_eq!(plain(":\u{1b}[0m:notice::x", 99), ": :notice::x");
        assert_eq!(plain("std::process::exit", 99), "std::process::exit");
    }

    #[test]
    fn nothing_hides() {
        assert_eq!(
            plain("a\u{202E}b\u{200B}c\u{FFFF}d", 99),
            "a\u{FFFD}b\u{FFFD}c\u{FFFD}d"
        );
        assert_eq!(plain("μ → θ̂, naïve", 99), "μ → θ̂, naïve");
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        assert_eq!(plain(&"x".repeat(1_000_000), 3), "xxx… (cut)");
        assert_eq!(plain("xxx", 3), "xxx");
    }
}
