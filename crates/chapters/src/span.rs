//! Splits Markdown into what may be rewritten (text), and what has rules of its own (code, mathematics).

/// A piece of Markdown. The pieces of a document, joined, are the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Span<'a> {
    /// Running text, headings, tables, links.
    Text(&'a str),
    /// A code span with its backticks.
    Code(&'a str),
    /// A fenced code block with its fences, or an HTML comment: not to be touched.
    Raw(&'a str),
    /// Mathematics without its dollars. `block` is the prefix of its lines (indentation, `>`) when the formula stands on
    /// lines of its own.
    Math {
        tex: String,
        display: bool,
        block: Option<&'a str>,
    },
}

/// A piece and the line, counted from 1, on which it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located<'a> {
    pub(crate) line: usize,
    pub(crate) span: Span<'a>,
}

/// Where a span could not be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unclosed {
    pub(crate) line: usize,
    pub(crate) message: &'static str,
}

/// The line's prefix (indentation and quote marks) and the rest.
fn split_prefix(line: &str) -> (&str, &str) {
    let end = line
        .find(|c: char| !matches!(c, ' ' | '\t' | '>'))
        .unwrap_or(line.len());
    line.split_at(end)
}

/// The fence that opens on this line, if one does: its character, its length, its info string.
pub(crate) fn fence(line: &str) -> Option<(char, usize, &str)> {
    let (_, rest) = split_prefix(line);
    let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = rest.len() - rest.trim_start_matches(mark).len();
    let info = rest[length..].trim();
    (length >= 3 && !(mark == '`' && info.contains('`'))).then_some((mark, length, info))
}

/// Whether this line closes a fence of that character and length.
pub(crate) fn closes(line: &str, mark: char, length: usize) -> bool {
    let (_, rest) = split_prefix(line);
    let rest = rest.trim_end();
    rest.len() >= length && rest.chars().all(|c| c == mark)
}

struct Scanner<'a> {
    text: &'a str,
    /// Start of the running text that has not been emitted.
    start: usize,
    spans: Vec<(usize, Span<'a>)>,
}

impl<'a> Scanner<'a> {
    fn emit(&mut self, from: usize, to: usize, span: Span<'a>) {
        if self.start < from {
            self.spans
                .push((self.start, Span::Text(&self.text[self.start..from])));
        }
        self.spans.push((from, span));
        self.start = to;
    }
}

/// Splits `text` into its pieces.
pub(crate) fn scan(text: &str) -> Result<Vec<Located<'_>>, Vec<Unclosed>> {
    let bytes = text.as_bytes();
    let mut scanner = Scanner {
        text,
        start: 0,
        spans: Vec::new(),
    };
    let mut unclosed = Vec::new();
    let line_of = |offset: usize| text[..offset].matches('\n').count() + 1;
    let mut i = 0;
    while i < text.len() {
        let line_end = text[i..].find('\n').map_or(text.len(), |n| i + n + 1);
        let at_line_start = i == 0 || bytes[i - 1] == b'\n';
        if at_line_start {
            let line = &text[i..line_end];
            if let Some((mark, length, _)) = fence(line) {
                let mut end = line_end;
                while end < text.len() {
                    let next = text[end..].find('\n').map_or(text.len(), |n| end + n + 1);
                    let closed = closes(&text[end..next], mark, length);
                    end = next;
                    if closed {
                        break;
                    }
                }
                scanner.emit(i, end, Span::Raw(&text[i..end]));
                i = end;
                continue;
            }
            let (prefix, rest) = split_prefix(line);
            if rest.starts_with("$$") {
                let from = i + prefix.len();
                if let Some(n) = text[from + 2..].find("$$") {
                    let close = from + 2 + n;
                    let after = close + 2;
                    let tail_end = text[after..].find('\n').map_or(text.len(), |n| after + n);
                    if text[after..tail_end].trim().is_empty() {
                        let tex: Vec<&str> = text[from + 2..close]
                            .split('\n')
                            .enumerate()
                            .map(|(n, l)| if n == 0 { l } else { strip_quote(l, prefix) })
                            .collect();
                        let tex = tex.join("\n").trim().to_owned();
                        scanner.emit(
                            i,
                            tail_end,
                            Span::Math {
                                tex,
                                display: true,
                                block: Some(prefix),
                            },
                        );
                        i = tail_end;
                        continue;
                    }
                }
            }
            if !prefix.is_empty() && i + prefix.len() < line_end {
                i += prefix.len();
            }
        }
        match bytes[i] {
            b'\\' if i + 1 < text.len() && bytes[i + 1].is_ascii_punctuation() => i += 2,
            b'`' => {
                let run = text[i..].len() - text[i..].trim_start_matches('`').len();
                match code_end(&text[i + run..], run) {
                    Some(n) => {
                        let end = i + run + n;
                        scanner.emit(i, end, Span::Code(&text[i..end]));
                        i = end;
                    }
                    None => i += run,
                }
            }
            b'<' if text[i..].starts_with("<!--") => {
                let end = text[i..].find("-->").map_or(text.len(), |n| i + n + 3);
                scanner.emit(i, end, Span::Raw(&text[i..end]));
                i = end;
            }
            b'$' => {
                let display = text[i..].starts_with("$$");
                let open = if display { 2 } else { 1 };
                let body = &text[i + open..];
                let close = if display {
                    paragraph(body).find("$$")
                } else {
                    math_end(paragraph(body))
                };
                if let Some(n) = close {
                    let tex: Vec<&str> = body[..n].split('\n').map(|l| split_prefix(l).1).collect();
                    let end = i + open + n + open;
                    scanner.emit(
                        i,
                        end,
                        Span::Math {
                            tex: tex.join(" ").trim().to_owned(),
                            display,
                            block: None,
                        },
                    );
                    i = end;
                } else {
                    unclosed.push(Unclosed {
                        line: line_of(i),
                        message: "a `$` opens mathematics that does not close in this paragraph; write `\\$` for a dollar sign",
                    });
                    i += open;
                }
            }
            byte => i += utf8_len(byte),
        }
    }
    if !unclosed.is_empty() {
        return Err(unclosed);
    }
    if scanner.start < text.len() {
        scanner
            .spans
            .push((scanner.start, Span::Text(&text[scanner.start..])));
    }
    let mut line = 1;
    let mut seen = 0;
    let located = scanner.spans.into_iter().map(|(offset, span)| {
        line += text[seen..offset].matches('\n').count();
        seen = offset;
        Located { line, span }
    });
    Ok(located.collect())
}

fn utf8_len(first: u8) -> usize {
    match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

/// The text up to the next blank line (which may carry quote marks).
fn paragraph(text: &str) -> &str {
    let mut at = 0;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        if n > 0 && split_prefix(line).1.trim().is_empty() {
            return &text[..at];
        }
        at += line.len();
    }
    text
}

/// Past the closing run of `run` backticks, if there is one in this paragraph.
fn code_end(text: &str, run: usize) -> Option<usize> {
    let text = paragraph(text);
    let mut i = 0;
    while let Some(n) = text[i..].find('`') {
        let at = i + n;
        let length = text[at..].len() - text[at..].trim_start_matches('`').len();
        if length == run {
            return Some(at + length);
        }
        i = at + length;
    }
    None
}

/// Where inline mathematics ends: at a dollar that is not escaped, follows no blank, and precedes no digit.
fn math_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first().is_none_or(u8::is_ascii_whitespace) {
        return None;
    }
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' => i += 2,
            b'$' if i > 0
                && !bytes[i - 1].is_ascii_whitespace()
                && !bytes.get(i + 1).is_some_and(u8::is_ascii_digit) =>
            {
                return Some(i);
            }
            _ => i += 1,
        }
    }
    None
}

/// A line of a formula without the quote marks and the indentation of its block.
fn strip_quote<'a>(line: &'a str, prefix: &str) -> &'a str {
    if prefix.contains('>') {
        split_prefix(line).1
    } else {
        line.trim_start()
    }
}
