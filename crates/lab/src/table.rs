use crate::display::{self, escape};
use crate::format::{self, DIGITS};
use std::fmt::{self, Write as _};

/// How the numbers of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// One shape for the whole column, so that the points stand below each other: up to seven significant digits,
    /// scientific if the column spans more than four powers of ten.
    #[default]
    Auto,
    /// Rounded to a whole number.
    Integer,
    /// This many digits after the point.
    Fixed(usize),
    /// Up to this many significant digits, each number for itself.
    Significant(usize),
    /// As `1.23e-4`, with this many digits after the point.
    Scientific(usize),
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    Numbers(Vec<f64>, Format),
    Words(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
struct Column {
    name: String,
    values: Values,
}

/// A table with named columns: aligned text, HTML or CSV.
///
/// ```
/// use moments_lab::{Format, Table};
///
/// let table = Table::new("Bias correction")
///     .column("t", [1, 10, 100], Format::Integer)
///     .column("1 - 0.9^t", [0.1, 0.6513215599, 0.9999734386], Format::Fixed(4));
/// assert_eq!(table.to_string(), "\
/// Bias correction
///   t  1 - 0.9^t
///   1     0.1000
///  10     0.6513
/// 100     1.0000
/// ");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    caption: String,
    columns: Vec<Column>,
    rows: usize,
}

impl Table {
    /// A table without columns.
    pub fn new(caption: impl Into<String>) -> Self {
        crate::notebook::prepare();
        Self {
            caption: caption.into(),
            columns: Vec::new(),
            rows: 20,
        }
    }

    /// Adds a column of numbers: any `i32`, `u32`, `f32` or `f64`.
    #[must_use]
    pub fn column<I>(mut self, name: impl Into<String>, values: I, format: Format) -> Self
    where
        I: IntoIterator,
        I::Item: Into<f64>,
    {
        let values = values.into_iter().map(Into::into).collect();
        self.columns.push(Column {
            name: name.into(),
            values: Values::Numbers(values, format),
        });
        self
    }

    /// Adds a column of words.
    #[must_use]
    pub fn text<I>(mut self, name: impl Into<String>, values: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let values = values.into_iter().map(Into::into).collect();
        self.columns.push(Column {
            name: name.into(),
            values: Values::Words(values),
        });
        self
    }

    /// Shows at most `n` rows in text and HTML, and says how many are left out of the middle; at least 2, at first 20.
    #[must_use]
    pub fn rows(mut self, n: usize) -> Self {
        self.rows = n.max(2);
        self
    }

    /// The number of rows: that of the longest column.
    pub fn len(&self) -> usize {
        let lengths = self.columns.iter().map(|c| match &c.values {
            Values::Numbers(values, _) => values.len(),
            Values::Words(values) => values.len(),
        });
        lengths.max().unwrap_or(0)
    }

    /// Whether the table has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows before and after the cut, as ranges.
    fn cut(&self) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let n = self.len();
        if n <= self.rows {
            return (0..n, n..n);
        }
        let tail = self.rows / 3;
        (0..self.rows - tail.max(1), n - tail.max(1)..n)
    }

    /// The cells that are shown, column by column.
    fn cells(&self) -> Vec<Vec<String>> {
        let (head, tail) = self.cut();
        let shown: Vec<usize> = head.chain(tail).collect();
        let pick = |column: &Column| match &column.values {
            Values::Words(words) => shown
                .iter()
                .map(|&i| words.get(i).cloned().unwrap_or_default())
                .collect(),
            Values::Numbers(values, format) => {
                let picked: Vec<Option<f64>> =
                    shown.iter().map(|&i| values.get(i).copied()).collect();
                write_column(&picked, *format)
            }
        };
        self.columns.iter().map(pick).collect()
    }

    /// The table as HTML: a caption, a header cell for each column and each row, a frame that scrolls where the page is narrow.
    pub fn html(&self) -> String {
        let cells = self.cells();
        let (head, tail) = self.cut();
        let caption = escape(&self.caption);
        let mut out = format!(
            "<div class=\"m-table\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\" style=\"overflow-x:auto\">\n\
             <table style=\"font-variant-numeric:tabular-nums\">\n<caption>{caption}</caption>\n<thead>\n<tr>"
        );
        for column in &self.columns {
            let align = column.align();
            let _ = write!(
                out,
                "<th scope=\"col\" style=\"text-align:{align}\">{}</th>",
                escape(&column.name)
            );
        }
        out.push_str("</tr>\n</thead>\n<tbody>\n");
        for i in 0..head.len() + tail.len() {
            if i == head.len() {
                let left_out = tail.start - head.end;
                let _ = writeln!(
                    out,
                    "<tr class=\"m-cut\"><td colspan=\"{}\" style=\"text-align:center\">{}</td></tr>",
                    self.columns.len(),
                    rows_left_out(left_out)
                );
            }
            out.push_str("<tr>");
            for (j, (column, cells)) in self.columns.iter().zip(&cells).enumerate() {
                let (open, close) = if j == 0 {
                    ("th scope=\"row\"", "th")
                } else {
                    ("td", "td")
                };
                let _ = write!(
                    out,
                    "<{open} style=\"text-align:{}\">{}</{close}>",
                    column.align(),
                    escape(&cells[i])
                );
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table>\n</div>\n");
        out
    }

    /// All rows as CSV, with digits that give the numbers back exactly.
    pub fn csv(&self) -> String {
        let mut out = self
            .columns
            .iter()
            .map(|c| csv_field(&c.name))
            .collect::<Vec<_>>()
            .join(",");
        out.push('\n');
        for i in 0..self.len() {
            let row = self.columns.iter().map(|c| match &c.values {
                Values::Numbers(values, _) => values
                    .get(i)
                    .map_or_else(String::new, |x| format::exact(*x)),
                Values::Words(words) => words.get(i).map_or_else(String::new, |w| csv_field(w)),
            });
            out.push_str(&row.collect::<Vec<_>>().join(","));
            out.push('\n');
        }
        out
    }

    /// Shows the table in a notebook: as HTML, and as text where HTML cannot be shown.
    pub fn evcxr_display(&self) {
        print!("{}", self.blocks());
    }

    pub(crate) fn blocks(&self) -> String {
        display::block("text/plain", &self.to_string()) + &display::block("text/html", &self.html())
    }
}

impl Column {
    fn align(&self) -> &'static str {
        match self.values {
            Values::Numbers(..) => "right",
            Values::Words(_) => "left",
        }
    }
}

impl fmt::Display for Table {
    /// Aligned text: the caption, the names, the rows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = self.cells();
        let (head, tail) = self.cut();
        writeln!(f, "{}", self.caption)?;
        let width = |text: &str| text.chars().count();
        let widths: Vec<usize> = self
            .columns
            .iter()
            .zip(&cells)
            .map(|(c, cells)| {
                let widest = cells.iter().map(|cell| width(cell)).max().unwrap_or(0);
                widest.max(width(&c.name))
            })
            .collect();
        let line = |row: &mut dyn Iterator<Item = &str>| {
            let mut out = String::new();
            for (j, (cell, column)) in row.zip(&self.columns).enumerate() {
                let gap = if j == 0 { "" } else { "  " };
                let w = widths[j];
                let _ = match column.values {
                    Values::Numbers(..) => write!(out, "{gap}{cell:>w$}"),
                    Values::Words(_) => write!(out, "{gap}{cell:<w$}"),
                };
            }
            out.trim_end().to_string()
        };
        writeln!(
            f,
            "{}",
            line(&mut self.columns.iter().map(|c| c.name.as_str()))
        )?;
        for i in 0..head.len() + tail.len() {
            if i == head.len() {
                let left_out = tail.start - head.end;
                writeln!(f, "{}", rows_left_out(left_out))?;
            }
            writeln!(f, "{}", line(&mut cells.iter().map(|c| c[i].as_str())))?;
        }
        Ok(())
    }
}

fn rows_left_out(n: usize) -> String {
    let plural = if n == 1 { "row" } else { "rows" };
    format!("... {n} {plural} left out ...")
}

pub(crate) fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

fn write_column(values: &[Option<f64>], format: Format) -> Vec<String> {
    let write: Box<dyn Fn(f64) -> String> = match format {
        Format::Integer => Box::new(|x| format::fixed(x, 0)),
        Format::Fixed(n) => Box::new(move |x| format::fixed(x, n)),
        Format::Significant(n) => Box::new(move |x| format::significant(x, n)),
        Format::Scientific(n) => Box::new(move |x| format::scientific(x, n)),
        Format::Auto => auto(values),
    };
    let cell = |x: &Option<f64>| x.map_or_else(String::new, &write);
    values.iter().map(cell).collect()
}

/// One shape for a column: whole numbers, as many digits after the point as the largest number leaves of seven, or scientific.
/// Digits after which every number of the column ends are not written.
fn auto(values: &[Option<f64>]) -> Box<dyn Fn(f64) -> String> {
    let finite: Vec<f64> = values
        .iter()
        .flatten()
        .copied()
        .filter(|x| x.is_finite())
        .collect();
    if finite.iter().all(|x| x.fract() == 0.0 && x.abs() < 1e9) {
        return Box::new(|x| format::fixed(x, 0));
    }
    // The exponents of the numbers as rounded to seven digits: 0.99999999 counts as 1.
    let exponents = finite
        .iter()
        .filter_map(|x| format::exponent(format!("{x:.6e}").parse().unwrap_or(*x)));
    let (low, high) = exponents.fold((i32::MAX, i32::MIN), |(low, high), e| {
        (low.min(e), high.max(e))
    });
    let scientific = low < -4 || high > 6 || high - low > 4;
    let most = if scientific {
        DIGITS - 1
    } else {
        (DIGITS as i32 - 1 - high).max(0) as usize
    };
    let write = move |x: f64, decimals: usize| {
        if scientific {
            format::scientific(x, decimals)
        } else {
            format::fixed(x, decimals)
        }
    };
    // 2.997 must not stand for 2.99700003: zeros at the end are dropped only where the number ends there.
    let needed = |x: &f64| {
        let text = write(*x, most);
        let ends = text
            .parse::<f64>()
            .is_ok_and(|read| (read - x).abs() <= 1e-13 * x.abs());
        if ends { digits_needed(&text) } else { most }
    };
    let decimals = finite.iter().map(needed).max().unwrap_or(0);
    Box::new(move |x| write(x, decimals))
}

/// The digits after the point up to the last that is not zero.
fn digits_needed(text: &str) -> usize {
    let mantissa = text.split('e').next().unwrap_or(text);
    mantissa
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hundred() -> Table {
        Table::new("squares")
            .column("n", 1..=100, Format::Integer)
            .column("n^2", (1..=100).map(|n| n * n), Format::Auto)
    }

    #[test]
    fn columns_are_aligned_in_text() {
        let text = Table::new("c")
            .column("x", [1.0, -20.5, 300.25], Format::Auto)
            .text("word", ["a", "bcd", ""])
            .to_string();
        assert_eq!(text, "c\n     x  word\n  1.00  a\n-20.50  bcd\n300.25\n");
    }

    #[test]
    fn a_long_table_is_cut_in_the_middle_with_a_count() {
        let text = hundred().rows(6).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2 + 6 + 1);
        assert_eq!(lines[5], "  4     16");
        assert_eq!(lines[6], "... 94 rows left out ...");
        assert_eq!(lines[8], "100  10000");
        let html = hundred().rows(6).html();
        assert!(html.contains("... 94 rows left out ..."));
        assert_eq!(html.matches("<th scope=\"row\"").count(), 6);
    }

    #[test]
    fn a_table_that_fits_is_not_cut() {
        assert!(!hundred().rows(100).to_string().contains("left out"));
    }

    #[test]
    fn csv_gives_every_row_back_exactly() {
        let x = [0.1, 1.0 / 3.0, 1e-300, f64::NAN, -0.0];
        let csv = Table::new("c")
            .column("x, y", x, Format::Fixed(2))
            .text("say \"so\"", ["a,b", "", "c", "d", "e"])
            .rows(2)
            .csv();
        let mut lines = csv.lines();
        assert_eq!(lines.next(), Some("\"x, y\",\"say \"\"so\"\"\""));
        let read: Vec<f64> = lines
            .map(|line| line.split(',').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(read.len(), x.len());
        for (a, b) in read.iter().zip(&x) {
            assert!(a == b || a.is_nan() && b.is_nan(), "{a} is not {b}");
        }
        assert!(csv.contains("\n0.1,\"a,b\"\n"));
    }

    #[test]
    fn html_has_a_caption_scopes_and_no_raw_markup() {
        let html = Table::new("a < b")
            .column("<t>", [1], Format::Integer)
            .column("x", [2], Format::Integer)
            .html();
        assert!(html.contains("<caption>a &lt; b</caption>"));
        assert!(html.contains("<th scope=\"col\" style=\"text-align:right\">&lt;t&gt;</th>"));
        assert!(html.contains("<th scope=\"row\" style=\"text-align:right\">1</th>"));
    }

    #[test]
    fn auto_keeps_one_shape_in_a_column() {
        let write = |values: &[f64]| {
            let values: Vec<_> = values.iter().copied().map(Some).collect();
            write_column(&values, Format::Auto)
        };
        assert_eq!(write(&[0.6, 1.1398]), ["0.6000", "1.1398"]);
        assert_eq!(write(&[1.0, 2.0, -0.0]), ["1", "2", "0"]);
        assert_eq!(write(&[1e-9, 0.5]), ["1e-9", "5e-1"]);
        assert_eq!(write(&[35.975_990_731, 36.0]), ["35.97599", "36.00000"]);
        assert_eq!(write(&[2.999, 2.997_000_03]), ["2.999000", "2.997000"]);
        assert_eq!(write(&[0.1 + 0.2, 0.25]), ["0.30", "0.25"]);
        assert_eq!(write(&[f64::NAN, 0.25]), ["NaN", "0.25"]);
    }

    #[test]
    fn each_mime_type_is_shown_once() {
        let blocks = hundred().blocks();
        assert_eq!(
            blocks.matches("EVCXR_BEGIN_CONTENT text/plain\n").count(),
            1
        );
        assert_eq!(blocks.matches("EVCXR_BEGIN_CONTENT text/html\n").count(), 1);
        assert_eq!(blocks.matches("\nEVCXR_END_CONTENT\n").count(), 2);
    }
}
