//! Short formulas of the running text as plain HTML: `$\beta_2 = 0.999$` needs letters, a subscript and a relation, not the
//! kilobyte of boxes that a fraction needs. What is not plainly a line of symbols is left to KaTeX.

use std::fmt::Write as _;

/// Longer formulas may have to break across lines, which KaTeX does better.
const LONGEST: usize = 28;

const LETTERS: [(&str, char); 22] = [
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("epsilon", 'ϵ'),
    ("varepsilon", 'ε'),
    ("zeta", 'ζ'),
    ("eta", 'η'),
    ("theta", 'θ'),
    ("kappa", 'κ'),
    ("lambda", 'λ'),
    ("mu", 'μ'),
    ("nu", 'ν'),
    ("xi", 'ξ'),
    ("pi", 'π'),
    ("rho", 'ρ'),
    ("sigma", 'σ'),
    ("tau", 'τ'),
    ("phi", 'ϕ'),
    ("varphi", 'φ'),
    ("psi", 'ψ'),
    ("omega", 'ω'),
];
const UPRIGHT: [(&str, char); 10] = [
    ("Gamma", 'Γ'),
    ("Delta", 'Δ'),
    ("Theta", 'Θ'),
    ("Lambda", 'Λ'),
    ("Sigma", 'Σ'),
    ("Phi", 'Φ'),
    ("Omega", 'Ω'),
    ("infty", '∞'),
    ("nabla", '∇'),
    ("partial", '∂'),
];
const RELATIONS: [(&str, char); 12] = [
    ("le", '≤'),
    ("leq", '≤'),
    ("ge", '≥'),
    ("geq", '≥'),
    ("ne", '≠'),
    ("neq", '≠'),
    ("approx", '≈'),
    ("to", '→'),
    ("in", '∈'),
    ("ll", '≪'),
    ("gg", '≫'),
    ("sim", '∼'),
];

fn named(table: &[(&str, char)], name: &str) -> Option<char> {
    table.iter().find(|(n, _)| *n == name).map(|(_, c)| *c)
}

/// The formula as HTML, if it is a short line of letters, numbers, relations, signs and single scripts.
pub(crate) fn render(tex: &str) -> Option<String> {
    let mut line = Line::default();
    line.read(tex, false)?;
    (line.width <= LONGEST && line.width > 0 && !line.after_sign)
        .then(|| format!("<span class=\"m-f\">{}</span>", line.html))
}

#[derive(Default)]
struct Line {
    html: String,
    width: usize,
    /// Whether a sign that comes next stands between two things.
    after_term: bool,
    /// Whether what came last wants something behind it.
    after_sign: bool,
    /// Whether the last term has a script already: two of them are set above one another, which is not for a line.
    has_script: bool,
}

impl Line {
    fn term(&mut self, html: &str, width: usize) {
        self.html.push_str(html);
        self.width += width;
        (self.after_term, self.after_sign, self.has_script) = (true, false, false);
    }

    fn between(&mut self, sign: char, small: bool) {
        // A quarter of an em on both sides, as TeX has it outside scripts.
        let space = if small { "" } else { "\u{2005}" };
        let _ = write!(self.html, "{space}{}{space}", escape(sign));
        self.width += 3;
        (self.after_term, self.after_sign) = (false, true);
    }

    fn read(&mut self, tex: &str, small: bool) -> Option<()> {
        let mut rest = tex.trim();
        while let Some(c) = rest.chars().next() {
            let mut length = c.len_utf8();
            match c {
                ' ' => {}
                'a'..='z' | 'A'..='Z' => self.term(&format!("<i>{c}</i>"), 1),
                '0'..='9' => {
                    length = number(rest);
                    self.term(&rest[..length], length);
                }
                '=' | '<' | '>' => self.between(c, small),
                '+' if self.after_term => self.between(c, small),
                '-' if self.after_term => self.between('−', small),
                '-' => {
                    self.html.push('−');
                    self.width += 1;
                    self.after_sign = true;
                }
                '/' if self.after_term => {
                    self.html.push('/');
                    self.width += 1;
                    (self.after_term, self.after_sign) = (false, true);
                }
                '(' | '[' => {
                    self.html.push(c);
                    self.width += 1;
                    (self.after_term, self.after_sign) = (false, true);
                }
                ')' | ']' | '!' if self.after_term => self.term(&c.to_string(), 1),
                ',' if self.after_term => {
                    self.html.push_str(if small { "," } else { ",\u{2005}" });
                    self.width += 2;
                    (self.after_term, self.after_sign) = (false, true);
                }
                '_' | '^' if self.after_term && !self.has_script && !small => {
                    let (body, used) = argument(&rest[1..])?;
                    let mut script = Line::default();
                    script.read(body, true)?;
                    if script.width == 0 || script.after_sign {
                        return None;
                    }
                    let tag = if c == '_' { "sub" } else { "sup" };
                    let _ = write!(self.html, "<{tag}>{}</{tag}>", script.html);
                    self.width += script.width;
                    self.has_script = true;
                    length = 1 + used;
                }
                '\\' => length = 1 + self.command(&rest[1..], small)?,
                _ => return None,
            }
            rest = &rest[length..];
        }
        Some(())
    }

    /// A command, read behind its backslash; how long it is.
    fn command(&mut self, rest: &str, small: bool) -> Option<usize> {
        if rest.starts_with(',') {
            self.html.push('\u{2009}');
            return Some(1);
        }
        let length = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let name = &rest[..length];
        if let Some(letter) = named(&LETTERS, name) {
            self.term(&format!("<i>{letter}</i>"), 1);
        } else if let Some(letter) = named(&UPRIGHT, name) {
            self.term(&letter.to_string(), 1);
        } else if let Some(sign) = named(&RELATIONS, name) {
            self.between(sign, small);
        } else {
            match name {
                "cdot" if self.after_term => self.between('⋅', small),
                "times" if self.after_term => self.between('×', small),
                "dots" | "ldots" => self.term("…", 1),
                _ => return None,
            }
        }
        Some(length)
    }
}

/// The length of a number at the start of `text`; a point belongs to it only with a digit behind.
fn number(text: &str) -> usize {
    let digits = |t: &str| t.find(|c: char| !c.is_ascii_digit()).unwrap_or(t.len());
    let whole = digits(text);
    match text[whole..].strip_prefix('.') {
        Some(fraction) if digits(fraction) > 0 => whole + 1 + digits(fraction),
        _ => whole,
    }
}

/// What a script holds, and how long it is with its braces.
fn argument(text: &str) -> Option<(&str, usize)> {
    if let Some(body) = text.strip_prefix('{') {
        let end = body.find('}')?;
        return (!body[..end].contains('{')).then_some((&body[..end], end + 2));
    }
    if let Some(command) = text.strip_prefix('\\') {
        let name = command
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(command.len());
        return Some((&text[..=name], name + 1));
    }
    let first = text.chars().next()?;
    first.is_ascii_alphanumeric().then_some((&text[..1], 1))
}

fn escape(c: char) -> String {
    match c {
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        c => c.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::render;

    fn plain(tex: &str) -> Option<String> {
        let html = render(tex)?;
        let inner = html.strip_prefix("<span class=\"m-f\">")?;
        Some(inner.strip_suffix("</span>")?.replace('\u{2005}', " "))
    }

    #[test]
    fn a_line_of_symbols_is_plain_html() {
        for (tex, html) in [
            ("t", "<i>t</i>"),
            (r"\beta_2 = 0.999", "<i>β</i><sub>2</sub> = 0.999"),
            ("10^{-8}", "10<sup>−8</sup>"),
            (r"1 - \beta", "1 − <i>β</i>"),
            ("-x", "−<i>x</i>"),
            ("x_{t-1}", "<i>x</i><sub><i>t</i>−1</sub>"),
            ("f(x) < 1/2", "<i>f</i>(<i>x</i>) &lt; 1/2"),
            (r"t = 1, 2, \dots", "<i>t</i> = 1, 2, …"),
            ("2x.", ""),
        ] {
            assert_eq!(plain(tex).unwrap_or_default(), html, "{tex}");
        }
    }

    #[test]
    fn what_needs_boxes_is_left_to_katex() {
        for tex in [
            r"\frac12",
            r"\hat v",
            r"\sqrt{x}",
            r"\beta_1^t",
            "x^{y^2}",
            r"\mathbb{R}",
            "x_",
            "x +",
            "",
            r"a = b + c + d + e + f + g + h + i",
            r"\text{no}",
            "{,}",
        ] {
            assert_eq!(render(tex), None, "{tex}");
        }
    }
}
