//! Names that strangers have chosen: what they end in, whether they may count, and how they are shown.

use std::ffi::OsStr;
use std::fmt::Write as _;

/// What the ending of a name says about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Rust,
    Archive,
    /// An archive of a kind that is not read.
    OtherArchive(&'static str),
    Other,
}

const ARCHIVES: &[&str] = &[".zip", ".tar", ".tar.gz", ".tgz"];
const OTHER_ARCHIVES: &[&str] = &[
    "tar.xz", "tar.bz2", "tar.zst", "txz", "tbz2", "7z", "rar", "xz", "bz2", "zst", "gz",
];

impl Ending {
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let ends_with = |ending: &&str| name.ends_with(*ending);
        if ends_with(&".rs") {
            return Self::Rust;
        }
        if ARCHIVES.iter().any(ends_with) {
            return Self::Archive;
        }
        let other = OTHER_ARCHIVES.iter().find(|ending| {
            name.strip_suffix(**ending)
                .is_some_and(|rest| rest.ends_with('.'))
        });
        other.map_or(Self::Other, |ending| Self::OtherArchive(ending))
    }
}

/// A name without the ending of an archive or of a `.rs` file.
pub(super) fn without_ending(name: &str) -> &str {
    let endings = ARCHIVES.iter().copied().chain([".rs"]);
    let length = endings
        .filter(|ending| {
            name.len() > ending.len()
                && name.as_bytes()[name.len() - ending.len()..]
                    .eq_ignore_ascii_case(ending.as_bytes())
        })
        .map(str::len)
        .max();
    &name[..name.len() - length.unwrap_or(0)]
}

/// Whether a name is that of something that systems and tools leave behind: it is passed over without a word.
pub(super) fn is_clutter(name: &str) -> bool {
    name.starts_with('.') || ["__MACOSX", "Thumbs.db", "desktop.ini"].contains(&name)
}

/// Whether a `.rs` file counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Counts,
    /// No module has such a name, and it is harmless, as in `lib (1).rs`.
    Stray,
    /// It has characters that cannot be seen or that mean something in a path.
    Odd,
    /// It is too long.
    Long,
}

/// The longest path below `src`, in bytes.
pub(super) const MAX_SOURCE_PATH: usize = 200;

/// Judges a path below `src`.
pub(super) fn source(path: &str) -> Source {
    if path.chars().any(|c| c == '\\' || c == ':' || unseen(c)) {
        return Source::Odd;
    }
    if path.len() > MAX_SOURCE_PATH {
        return Source::Long;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    if path.chars().all(plain) {
        Source::Counts
    } else {
        Source::Stray
    }
}

/// Whether a character is not seen, or moves others about: controls, marks of direction, joiners, tags.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A name with all that cannot be seen made visible, so that two different names never look the same for that reason.
pub(super) fn escaped(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                c if unseen(c) => {
                    let _ = write!(text, "\\u{{{:x}}}", u32::from(c));
                }
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A path for a message: nothing in it can be mistaken for the message, and it is short.
pub(super) fn shown(path: &str) -> String {
    let mut text = String::new();
    for (index, c) in path.chars().enumerate() {
        if index == 80 {
            text.push('…');
            break;
        }
        if unseen(c) || c == '`' {
            let _ = write!(text, "\\u{{{:x}}}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text
}

/// Whether a name says the id of an exercise: `ex07` in `ex07-adam`, `ann_EX07.zip` and `hw-ex07`, and not in `ex075` or `apex07`.
pub(super) fn says(name: &str, id: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.match_indices(id).any(|(at, _)| {
        let before = name[..at].chars().next_back();
        let after = name[at + id.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}
