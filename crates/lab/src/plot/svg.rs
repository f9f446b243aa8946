//! From the SVG of plotters to one that suits a page: colours of the page's theme, a title and a description, short numbers.
//!
//! plotters writes whole pixels and fixed colours. So figures are drawn [`SCALE`] times too large, in colours that are codes,
//! and here each code becomes a style and each pixel a decimal.

use crate::display::escape;
use plotters::style::RGBColor;
use std::fmt::Write as _;

/// Pixels of plotters in one unit of the picture; numbers then have one decimal.
pub(crate) const SCALE: i32 = 10;

/// The colours of the series, where the page does not set `--m-1` to `--m-6`.
/// Each has a contrast of more than 4.2 against white and against #111.
pub(crate) const PALETTE: [&str; 6] = [
    "#1f77db", "#d14a11", "#0b894a", "#a952c5", "#a36c00", "#08848f",
];

/// The dashes of the series, so that colour alone does not tell them apart.
pub(crate) const DASHES: [&str; 6] = ["", "9 4", "3 4", "10 4 2 4", "16 5", "5 3 2 3 2 3"];

/// What is drawn; each kind has its own style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Text, axes and marks.
    Fore,
    /// Grid lines.
    Grid,
    /// Level lines of a contour.
    Level,
    /// Reference lines.
    Reference,
    /// The title.
    Title,
    /// Text over the picture, with a rim in the page's colour.
    Note,
    /// The line of a series.
    Series(usize),
    /// A solid shape or the outline of one, in a series' colour.
    Mark(usize),
    /// Text in a series' colour.
    Label(usize),
}

impl Ink {
    /// The colour that stands for this ink until the SVG is rewritten.
    pub(crate) fn code(self) -> RGBColor {
        let (kind, index) = match self {
            Self::Fore => (1, 0),
            Self::Grid => (2, 0),
            Self::Level => (3, 0),
            Self::Reference => (4, 0),
            Self::Title => (5, 0),
            Self::Note => (6, 0),
            Self::Series(i) => (7, i),
            Self::Mark(i) => (8, i),
            Self::Label(i) => (9, i),
        };
        RGBColor(kind, (index % 256) as u8, 0)
    }

    fn decode(code: &str) -> Option<Self> {
        let digits = code.strip_prefix('#')?;
        let kind = u8::from_str_radix(digits.get(0..2)?, 16).ok()?;
        let index = usize::from(u8::from_str_radix(digits.get(2..4)?, 16).ok()?);
        Some(match kind {
            1 => Self::Fore,
            2 => Self::Grid,
            3 => Self::Level,
            4 => Self::Reference,
            5 => Self::Title,
            6 => Self::Note,
            7 => Self::Series(index),
            8 => Self::Mark(index),
            9 => Self::Label(index),
            _ => return None,
        })
    }

    fn color(self) -> String {
        match self {
            Self::Fore | Self::Level | Self::Reference | Self::Title | Self::Note => {
                "var(--m-fg,#767676)".to_string()
            }
            Self::Grid => "var(--m-grid,rgba(128,128,128,.28))".to_string(),
            Self::Series(i) | Self::Mark(i) | Self::Label(i) => {
                let i = i % PALETTE.len();
                format!("var(--m-{},{})", i + 1, PALETTE[i])
            }
        }
    }

    fn stroke(self) -> String {
        let color = self.color();
        match self {
            Self::Level => format!("stroke:{color};stroke-opacity:.6"),
            Self::Reference => format!("stroke:{color};stroke-dasharray:1.5 3"),
            Self::Series(i) => {
                // A seventh series has the first colour again, so it gets another dash.
                let dash = DASHES[(i + i / PALETTE.len()) % DASHES.len()];
                let dash = if dash.is_empty() {
                    String::new()
                } else {
                    format!(";stroke-dasharray:{dash}")
                };
                format!("stroke:{color};stroke-linejoin:round{dash}")
            }
            _ => format!("stroke:{color}"),
        }
    }

    fn text(self) -> String {
        let color = self.color();
        let rim = ";paint-order:stroke;stroke:var(--m-bg,transparent);stroke-width:4;stroke-linejoin:round";
        match self {
            Self::Title => format!("fill:{color};font-weight:600"),
            Self::Note => format!("fill:{color}{rim}"),
            Self::Label(_) => format!("fill:{color};font-weight:600{rim}"),
            _ => format!("fill:{color}"),
        }
    }
}

/// The drawing of plotters rewritten: `width` and `height` in units, the title and the description first.
pub(crate) fn rewrite(
    drawing: &str,
    width: i32,
    height: i32,
    title: &str,
    description: &str,
) -> String {
    let mut body = String::new();
    let mut lines = drawing.lines();
    while let Some(line) = lines.next() {
        let Some((name, attributes)) = tag(line) else {
            continue;
        };
        let get = |key: &str| {
            let found = attributes.iter().find(|(k, _)| *k == key);
            found.map_or("", |(_, v)| *v)
        };
        let ink = |key: &str| Ink::decode(get(key));
        // A shape is filled or has a line of its own, never both.
        let style = |filled: bool| {
            if filled {
                ink("fill").map(|ink| format!("fill:{}", ink.color()))
            } else {
                ink("stroke").map(|ink| {
                    format!(
                        "{};stroke-width:{}",
                        ink.stroke(),
                        number(get("stroke-width"))
                    )
                })
            }
        };
        match name {
            "polyline" => {
                if let Some(style) = style(false) {
                    let points = points(get("points"));
                    let _ = writeln!(
                        body,
                        "<polyline fill=\"none\" style=\"{style}\" points=\"{points}\"/>"
                    );
                }
            }
            "polygon" => {
                if let Some(style) = style(true) {
                    let points = points(get("points"));
                    let _ = writeln!(body, "<polygon style=\"{style}\" points=\"{points}\"/>");
                }
            }
            "circle" => {
                let filled = get("fill") != "none";
                if let Some(style) = style(filled) {
                    let fill = if filled { "" } else { " fill=\"none\"" };
                    let _ = writeln!(
                        body,
                        "<circle{fill} style=\"{style}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
                        number(get("cx")),
                        number(get("cy")),
                        number(get("r")),
                    );
                }
            }
            "rect" => {
                if let Some(style) = style(true) {
                    let _ = writeln!(
                        body,
                        "<rect style=\"{style};fill-opacity:.75\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                        number(get("x")),
                        number(get("y")),
                        number(get("width")),
                        number(get("height")),
                    );
                }
            }
            "text" => {
                let content = lines.next().unwrap_or("");
                if let Some(ink) = ink("fill") {
                    let _ = writeln!(
                        body,
                        "<text x=\"{}\" y=\"{}\" dy=\"{}\" text-anchor=\"{}\" font-size=\"{}\" style=\"{}\">{content}</text>",
                        number(get("x")),
                        number(get("y")),
                        baseline(get("dy")),
                        get("text-anchor"),
                        number(get("font-size")),
                        ink.text(),
                    );
                }
            }
            _ => {}
        }
    }
    let title = escape(title);
    let description = escape(description);
    // Two figures on a page must not share ids, and the same figure must have the same ones in every run.
    let id = hash(&[&title, &description, &body]);
    // Width and height give the size where the SVG is an image, as in a notebook; where it is narrower, the style shrinks it.
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"m{id:08x}-t m{id:08x}-d\" \
         style=\"font-family:var(--m-font,system-ui,sans-serif);display:block;max-width:100%;height:auto\">\n\
         <title id=\"m{id:08x}-t\">{title}</title>\n<desc id=\"m{id:08x}-d\">{description}</desc>\n{body}</svg>\n"
    )
}

/// The name and the attributes of an opening tag; the values are still escaped.
fn tag(line: &str) -> Option<(&str, Vec<(&str, &str)>)> {
    let inside = line.strip_prefix('<')?;
    let (name, mut rest) = inside.split_once(' ')?;
    let mut attributes = Vec::new();
    while let Some((key, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"')?;
        attributes.push((key.trim_start(), value));
        rest = after;
    }
    Some((name, attributes))
}

/// A length of plotters in units, with one decimal at most.
fn number(text: &str) -> String {
    let value: f64 = text.parse().unwrap_or(0.0);
    crate::format::exact((value * 10.0 / f64::from(SCALE)).round() / 10.0)
}

/// Points in units; a point that falls on the one before is left out.
fn points(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    for pair in text.split_whitespace() {
        let (x, y) = pair.split_once(',').unwrap_or((pair, "0"));
        let point = format!("{},{}", number(x), number(y));
        if out.last() != Some(&point) {
            out.push(point);
        }
    }
    if let [only] = &out[..] {
        out.push(only.clone());
    }
    out.join(" ")
}

/// The shift from a text's anchor to its baseline: plotters knows top, middle and bottom.
fn baseline(dy: &str) -> &str {
    match dy {
        "0.5ex" => ".35em",
        "-0.5ex" => "-.3em",
        _ => ".76em",
    }
}

/// FNV-1a, 32 bits: short, and the same on every machine.
fn hash(parts: &[&str]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |h, byte| {
        (h ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ink_survives_its_code() {
        let RGBColor(r, g, b) = Ink::Series(4).code();
        assert_eq!(
            Ink::decode(&format!("#{r:02X}{g:02X}{b:02X}")),
            Some(Ink::Series(4))
        );
        assert_eq!(Ink::decode("none"), None);
        assert_eq!(Ink::decode("#FFFFFF"), None);
    }

    #[test]
    fn lengths_have_one_decimal_at_most() {
        assert_eq!(number("1234"), "123.4");
        assert_eq!(number("1230"), "123");
        assert_eq!(number("161.29032"), "16.1");
        assert_eq!(points("10,20 10,20 11,20 "), "1,2 1.1,2");
    }

    /// WCAG 2: relative luminance.
    fn luminance(color: &str) -> f64 {
        let channel = |k: usize| {
            let c = f64::from(u8::from_str_radix(&color[k..k + 2], 16).unwrap()) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn the_fallback_colours_can_be_seen_on_white_and_on_near_black() {
        for color in PALETTE.iter().chain(&["#767676"]) {
            let own = luminance(color);
            let on_white = 1.05 / (own + 0.05);
            let on_dark = (own + 0.05) / (luminance("#111111") + 0.05);
            assert!(
                on_white > 4.1 && on_dark > 4.1,
                "{color}: {on_white} {on_dark}"
            );
        }
    }
}
