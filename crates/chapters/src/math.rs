//! Typesets formulas when the book is built.

use crate::inline;
use katex::{KatexContext, Settings, render_to_string};
use std::collections::HashMap;
use std::fmt::Write as _;

/// KaTeX's style sheet, of the version whose HTML the typesetter writes.
const SHEET: &str = include_str!("../assets/katex.min.css");

/// The classes that a formula repeats. On the page each is `q` and its place in this list: a chapter becomes a tenth smaller.
const CLASSES: [&str; 28] = [
    "vlist-r",
    "vlist",
    "vlist-t",
    "vlist-t2",
    "vlist-s",
    "pstrut",
    "mtight",
    "mathnormal",
    "mspace",
    "mord",
    "msupsub",
    "katex-html",
    "katex-mathml",
    "katex-base",
    "katex-strut",
    "katex-sizing",
    "reset-size6",
    "size3",
    "katex-accent",
    "accent-body",
    "svg-align",
    "hide-tail",
    "nulldelimiter",
    "mclose",
    "mopen",
    "mrel",
    "mbin",
    "mfrac",
];

fn short(class: &str) -> Option<String> {
    CLASSES
        .iter()
        .position(|c| *c == class)
        .map(|n| format!("q{n}"))
}

/// KaTeX's style sheet with the short names of its classes.
pub(crate) fn sheet() -> String {
    let mut out = String::with_capacity(SHEET.len());
    let mut rest = SHEET;
    while let Some(dot) = rest.find('.') {
        let (before, after) = rest.split_at(dot + 1);
        out.push_str(before);
        let name = after
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(after.len());
        match short(&after[..name]) {
            Some(short) => out.push_str(&short),
            None => out.push_str(&after[..name]),
        }
        rest = &after[name..];
    }
    out.push_str(rest);
    out
}

/// Typesets formulas and remembers them: `$x_t$` occurs hundreds of times.
pub(crate) struct Typesetter {
    context: KatexContext,
    done: HashMap<(String, bool), String>,
}

impl Typesetter {
    pub(crate) fn new() -> Self {
        Self {
            context: KatexContext::default(),
            done: HashMap::new(),
        }
    }

    /// HTML for the eye and MathML for the ear, on one line, safe from Markdown. A short line of symbols in running text is
    /// plain text in the letters of mathematics, which eye and ear share.
    pub(crate) fn render(&mut self, tex: &str, display: bool) -> Result<String, String> {
        let key = (tex.to_owned(), display);
        if let Some(html) = self.done.get(&key) {
            return Ok(html.clone());
        }
        let plain = if display { None } else { inline::render(tex) };
        let html = match plain {
            Some(html) => shield(&html),
            None => shield(&shorten_classes(&slim(&self.katex(tex, display)?))),
        };
        self.done.insert(key, html.clone());
        Ok(html)
    }

    fn katex(&self, tex: &str, display: bool) -> Result<String, String> {
        let settings = Settings::builder().display_mode(display).build();
        render_to_string(&self.context, &brace_roots(tex), &settings)
            .map_err(|e| format!("the formula `{}` cannot be typeset: {e}", shorten(tex)))
    }
}

/// Puts braces around a root's argument when it is a single symbol: katex-rs 0.3 forgets to make room for the sign then.
fn brace_roots(tex: &str) -> String {
    const ROOT: &str = r"\sqrt";
    let mut out = String::with_capacity(tex.len());
    let mut rest = tex;
    while let Some(at) = rest.find(ROOT) {
        let (before, after) = rest.split_at(at + ROOT.len());
        out.push_str(before);
        let body = after.trim_start();
        let symbol = match body.chars().next() {
            Some(c) if c.is_ascii_digit() => 1,
            Some(c) if c.is_alphabetic() && body.len() < after.len() => c.len_utf8(),
            Some('\\') => {
                let name = body[1..]
                    .find(|c: char| !c.is_ascii_alphabetic())
                    .unwrap_or(body.len() - 1);
                let takes_argument = body[1 + name..].trim_start().starts_with('{');
                if takes_argument { 0 } else { 1 + name }
            }
            _ => 0,
        };
        if symbol > 1 || (symbol == 1 && !body.starts_with('\\')) {
            out.push('{');
            out.push_str(&body[..symbol]);
            out.push('}');
            rest = &body[symbol..];
        } else {
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Leaves out what neither an eye nor a screen reader meets: the source in the MathML, and a namespace that HTML implies.
fn slim(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find("<annotation") {
        let end = rest[start..]
            .find("</annotation>")
            .map_or(rest.len(), |n| start + n + "</annotation>".len());
        out.push_str(&rest[..start]);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out.replace("<semantics>", "")
        .replace("</semantics>", "")
        .replace(" xmlns=\"http://www.w3.org/1998/Math/MathML\"", "")
}

fn shorten_classes(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once(" class=\"") {
        let (names, behind) = after.split_once('"').unwrap_or((after, ""));
        let names: Vec<String> = names
            .split_whitespace()
            .map(|name| short(name).unwrap_or_else(|| name.to_owned()))
            .collect();
        let _ = write!(out, "{before} class=\"{}\"", names.join(" "));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The styles and the shapes that a page's formulas repeat: each is written once, at the top of the page.
/// A chapter of 300 formulas becomes a third smaller.
#[derive(Default)]
pub(crate) struct Dictionary {
    styles: Vec<String>,
    shapes: Vec<String>,
}

impl Dictionary {
    /// Replaces the styles and shapes of a formula by references to this page's dictionary.
    pub(crate) fn formula(&mut self, html: &str) -> String {
        self.tags(html, true)
    }

    /// Replaces the styles of a figure by references to this page's dictionary. Its shapes are its own.
    pub(crate) fn figure(&mut self, svg: &str) -> String {
        self.tags(svg, false)
    }

    fn tags(&mut self, html: &str, shapes: bool) -> String {
        let mut out = String::with_capacity(html.len());
        let mut rest = html;
        while let Some(start) = rest.find('<') {
            let end = rest[start..]
                .find('>')
                .map_or(rest.len(), |n| start + n + 1);
            out.push_str(&rest[..start]);
            out.push_str(&self.tag(&rest[start..end], shapes));
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }

    fn tag(&mut self, tag: &str, shapes: bool) -> String {
        if shapes
            && let Some(shape) = tag
                .strip_prefix("<path d=\"")
                .and_then(|t| t.split('"').next())
        {
            return format!(
                "<use href=\"#m-shape-{}\"/>",
                index(&mut self.shapes, shape)
            );
        }
        let Some((before, style)) = tag.split_once(" style=\"") else {
            return tag.to_owned();
        };
        let Some((style, after)) = style.split_once('"') else {
            return tag.to_owned();
        };
        let class = format!("k{}", index(&mut self.styles, style.trim_end_matches(';')));
        match before
            .split_once("class=\"")
            .and_then(|(name, rest)| Some((name, rest.split_once('"')?)))
        {
            Some((name, (classes, rest))) => {
                format!("{name}class=\"{classes} {class}\"{rest}{after}")
            }
            None => format!("{before} class=\"{class}\"{after}"),
        }
    }

    /// The dictionary as HTML; empty when the page has no formula.
    pub(crate) fn html(&self) -> String {
        let mut out = String::new();
        if !self.styles.is_empty() {
            // The id, which nothing has, lifts each rule above those of KaTeX's sheet, as an inline style would be.
            let rules: Vec<String> = self
                .styles
                .iter()
                .enumerate()
                .map(|(n, style)| format!(":is(#k,.k{n}){{{style}}}"))
                .collect();
            let _ = write!(out, "<style>{}</style>\n\n", rules.concat());
        }
        if !self.shapes.is_empty() {
            let shapes: Vec<String> = self
                .shapes
                .iter()
                .enumerate()
                .map(|(n, shape)| format!("<path id=\"m-shape-{n}\" d=\"{shape}\"/>"))
                .collect();
            let _ = write!(
                out,
                "<div class=\"m-shapes\" aria-hidden=\"true\"><svg><defs>{}</defs></svg></div>\n\n",
                shapes.concat()
            );
        }
        out
    }
}

fn index(known: &mut Vec<String>, item: &str) -> usize {
    known.iter().position(|k| k == item).unwrap_or_else(|| {
        known.push(item.to_owned());
        known.len() - 1
    })
}

fn shorten(tex: &str) -> String {
    let line = tex.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > 80 {
        format!("{}...", line.chars().take(80).collect::<String>())
    } else {
        line
    }
}

/// Makes HTML immune to Markdown: no line breaks, and every character of its text that Markdown could take for markup
/// written as an entity. Tags are left alone.
pub(crate) fn shield(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 8);
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => {
                in_tag = true;
                out.push(c);
            }
            '>' if in_tag => {
                in_tag = false;
                out.push(c);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '|' | '^' | '$' | '"' | '\'' | '{' | '}'
            | ':' | '-' | '.' | '!' | '+' | '=' | '>'
                if !in_tag =>
            {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{CLASSES, Dictionary, SHEET, Typesetter, brace_roots, sheet, short};

    #[test]
    fn a_formula_keeps_its_mathml_and_nothing_that_markdown_could_eat() {
        let html = Typesetter::new()
            .render(r"m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t * x", false)
            .unwrap();
        assert!(html.contains("<math") && html.contains("aria-hidden=\"true\""));
        let mut text = String::new();
        let mut in_tag = false;
        for c in html.chars() {
            match c {
                '<' => in_tag = true,
                '>' => in_tag = false,
                _ if !in_tag => text.push(c),
                _ => {}
            }
        }
        assert!(!text.contains(['_', '*', '\\', '|', '\n']), "{text}");
        assert!(text.contains("&#61;") && text.contains("&#43;"), "{text}");
    }

    #[test]
    fn a_root_of_one_symbol_leaves_room_for_its_sign() {
        for (tex, braced) in [
            (r"\sqrt s", r"\sqrt{s}"),
            (r"\sqrt2x", r"\sqrt{2}x"),
            (r"\sqrt\beta_2", r"\sqrt{\beta}_2"),
            (r"\sqrt{x}", r"\sqrt{x}"),
            (r"\sqrt[3]{x}", r"\sqrt[3]{x}"),
            (r"\sqrt\frac{1}{2}", r"\sqrt\frac{1}{2}"),
        ] {
            assert_eq!(brace_roots(tex), braced);
        }
        assert!(
            Typesetter::new()
                .render(r"\sqrt s", false)
                .unwrap()
                .contains("padding-left")
        );
    }

    #[test]
    fn the_sheet_knows_the_short_names_of_the_classes_and_no_other() {
        let sheet = sheet();
        for class in CLASSES {
            let rule = |sheet: &str, name: &str| {
                sheet.match_indices(&format!(".{name}")).any(|(at, found)| {
                    !sheet[at + found.len()..]
                        .starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-')
                })
            };
            let short = short(class).unwrap();
            assert_eq!(rule(SHEET, class), rule(&sheet, &short), "{class}");
            assert!(!rule(&sheet, class), "{class}");
        }
        assert!(sheet.contains("fonts/KaTeX_Main-Regular.woff2"));
        let html = Typesetter::new().render(r"\frac{a_b}{c}", false).unwrap();
        assert!(!html.contains("vlist"), "{html}");
    }

    #[test]
    fn a_style_and_a_shape_are_written_once_per_page() {
        let mut dictionary = Dictionary::default();
        let formula = Typesetter::new().render(r"\sqrt{x} + x^2", false).unwrap();
        let (first, second) = (dictionary.formula(&formula), dictionary.formula(&formula));
        assert_eq!(first, second);
        assert!(
            !first.contains("style=") && !first.contains("<path") && first.contains("<use href"),
            "{first}"
        );
        let html = dictionary.html();
        assert!(
            html.contains(".k0){height:") && html.matches("<path").count() == 1,
            "{html}"
        );
    }

    #[test]
    fn a_formula_that_cannot_be_typeset_is_an_error_that_shows_it() {
        let message = Typesetter::new().render(r"\frac{1}", false).unwrap_err();
        assert!(message.contains(r"\frac{1}"), "{message}");
        assert!(Typesetter::new().render(r"\nosuchcommand", true).is_err());
    }
}
