//! Figures: lines, contours with trajectories, histograms, as SVG that reads well on light and dark pages.
//!
//! A figure takes its colours from the page where the page sets the CSS variables `--m-fg`, `--m-bg`, `--m-grid` and
//! `--m-1` to `--m-6`, and its font where it sets `--m-font`; elsewhere it falls back to colours that can be seen on white and on near-black.

mod axis;
mod contour;
mod draw;
mod svg;
mod thin;

use crate::format::{self, number};
use crate::{Error, Format, Table, display};
use axis::Axis;
use contour::Grid;
use std::fmt::Write as _;

type Point = (f64, f64);

/// A figure: a title, a description for those who cannot see it, and what is drawn.
///
/// ```
/// use moments::Adam;
/// use moments_lab::{objective::Square, plot::Figure, run};
///
/// let trace = run(&Square, &[3.0], Adam { lr: 0.1, ..Adam::default() }, 100)?;
/// let svg = Figure::lines("Loss of Adam on x²", "The loss falls from 9 to below 0.01 and swings through zero.")
///     .x("step t")
///     .y("loss")
///     .log_y()
///     .series("Adam", trace.series(|s| s.loss))
///     .svg()?;
/// assert!(svg.contains("<title"));
/// # Ok::<(), moments_lab::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    title: String,
    description: String,
    x: Axis,
    y: Axis,
    series: Vec<Series>,
    references: Vec<Reference>,
    marks: Vec<Mark>,
    backdrop: Backdrop,
}

/// Points with a label.
#[derive(Clone, Debug, PartialEq)]
struct Series {
    label: String,
    points: Vec<(f64, f64)>,
    line: bool,
    markers: bool,
    /// A trajectory: its start and end are marked.
    path: bool,
}

/// A horizontal or vertical line with a label.
#[derive(Clone, Debug, PartialEq)]
struct Reference {
    horizontal: bool,
    at: f64,
    label: String,
}

/// A cross with a label.
#[derive(Clone, Debug, PartialEq)]
struct Mark {
    x: f64,
    y: f64,
    label: String,
}

/// What lies behind the series.
#[derive(Clone, Debug, PartialEq)]
enum Backdrop {
    Empty,
    Contour(Grid),
    Histogram(Vec<Bin>),
}

/// A bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bin {
    from: f64,
    to: f64,
    count: usize,
}

impl Figure {
    fn new(title: String, description: String, backdrop: Backdrop) -> Self {
        crate::notebook::prepare();
        Self {
            title,
            description,
            x: Axis::default(),
            y: Axis::default(),
            series: Vec::new(),
            references: Vec::new(),
            marks: Vec::new(),
            backdrop,
        }
    }

    /// A figure of lines and points. The description says what is to be seen, for those who cannot see it.
    pub fn lines(title: impl Into<String>, description: impl Into<String>) -> Self {
        Self::new(title.into(), description.into(), Backdrop::Empty)
    }

    /// A contour plot of `f(x, y)` over two ranges, for trajectories to be drawn on.
    ///
    /// ```
    /// use moments_lab::{objective::{Objective, Rosenbrock}, plot::Figure};
    ///
    /// let f = Rosenbrock::default();
    /// let figure = Figure::contour("Rosenbrock", "A valley bent like a banana.", |x, y| f.loss(&[x, y]), (-2.0, 2.0), (-1.0, 3.0))
    ///     .path("by hand", vec![(-1.0, 1.0), (0.0, 0.0), (1.0, 1.0)])
    ///     .mark(1.0, 1.0, "minimum");
    /// assert!(figure.svg()?.contains("minimum"));
    /// # Ok::<(), moments_lab::Error>(())
    /// ```
    ///
    /// # Panics
    /// If a range is empty or not finite.
    pub fn contour(
        title: impl Into<String>,
        description: impl Into<String>,
        f: impl Fn(f64, f64) -> f64,
        x: (f64, f64),
        y: (f64, f64),
    ) -> Self {
        check_range(x);
        check_range(y);
        let grid = Grid::new(f, x, y);
        let mut figure = Self::new(title.into(), description.into(), Backdrop::Contour(grid));
        figure.x.range = Some(x);
        figure.y.range = Some(y);
        figure
    }

    /// A histogram of the finite ones among `values`, in `bins` bins of equal width from the least to the greatest.
    pub fn histogram(
        title: impl Into<String>,
        description: impl Into<String>,
        x: impl Into<String>,
        values: impl IntoIterator<Item = f64>,
        bins: usize,
    ) -> Self {
        let values: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        let bins = bin(&values, bins.max(1));
        Self::new(title.into(), description.into(), Backdrop::Histogram(bins))
            .x(x)
            .y("count")
    }

    /// Names the x axis.
    #[must_use]
    pub fn x(mut self, label: impl Into<String>) -> Self {
        self.x.label = label.into();
        self
    }

    /// Names the y axis.
    #[must_use]
    pub fn y(mut self, label: impl Into<String>) -> Self {
        self.y.label = label.into();
        self
    }

    /// Makes the x axis logarithmic; values that are not positive become gaps, and the figure says how many.
    /// Contours and histograms keep linear axes.
    #[must_use]
    pub fn log_x(mut self) -> Self {
        self.x.log = matches!(self.backdrop, Backdrop::Empty);
        self
    }

    /// Makes the y axis logarithmic; values that are not positive become gaps, and the figure says how many.
    /// Contours and histograms keep linear axes.
    #[must_use]
    pub fn log_y(mut self) -> Self {
        self.y.log = matches!(self.backdrop, Backdrop::Empty);
        self
    }

    /// Shows this part of the x axis; lines are cut at the frame.
    ///
    /// # Panics
    /// If the range is empty or not finite.
    #[must_use]
    pub fn x_range(mut self, low: f64, high: f64) -> Self {
        check_range((low, high));
        self.x.range = Some((low, high));
        self
    }

    /// Shows this part of the y axis; lines are cut at the frame.
    ///
    /// # Panics
    /// If the range is empty or not finite.
    #[must_use]
    pub fn y_range(mut self, low: f64, high: f64) -> Self {
        check_range((low, high));
        self.y.range = Some((low, high));
        self
    }

    /// Adds a line through `points`, labelled at its end. A point that cannot be drawn is a gap.
    #[must_use]
    pub fn series(
        self,
        label: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.add(label.into(), points, true, false, false)
    }

    /// Adds markers at `points`, without a line.
    #[must_use]
    pub fn points(
        self,
        label: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.add(label.into(), points, false, true, false)
    }

    /// Adds a trajectory: its start is marked with a ring and its end with a dot.
    #[must_use]
    pub fn path(
        self,
        label: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.add(label.into(), points, true, false, true)
    }

    fn add(
        mut self,
        label: String,
        points: impl IntoIterator<Item = (f64, f64)>,
        line: bool,
        markers: bool,
        path: bool,
    ) -> Self {
        self.series.push(Series {
            label,
            points: points.into_iter().collect(),
            line,
            markers,
            path,
        });
        self
    }

    /// Marks the points of the series that was added last.
    #[must_use]
    pub fn markers(mut self) -> Self {
        if let Some(series) = self.series.last_mut() {
            series.markers = true;
        }
        self
    }

    /// Adds a horizontal reference line.
    #[must_use]
    pub fn hline(mut self, y: f64, label: impl Into<String>) -> Self {
        self.references.push(Reference {
            horizontal: true,
            at: y,
            label: label.into(),
        });
        self
    }

    /// Adds a vertical reference line.
    #[must_use]
    pub fn vline(mut self, x: f64, label: impl Into<String>) -> Self {
        self.references.push(Reference {
            horizontal: false,
            at: x,
            label: label.into(),
        });
        self
    }

    /// Marks a point with a cross and a label.
    #[must_use]
    pub fn mark(mut self, x: f64, y: f64, label: impl Into<String>) -> Self {
        self.marks.push(Mark {
            x,
            y,
            label: label.into(),
        });
        self
    }

    /// Draws the contour's lines at these values; by default there are ten, close near the bottom and far apart on the walls.
    #[must_use]
    pub fn levels(mut self, levels: impl IntoIterator<Item = f64>) -> Self {
        if let Backdrop::Contour(grid) = &mut self.backdrop {
            grid.levels = Some(levels.into_iter().collect());
        }
        self
    }

    /// The figure's title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The description as it is read out: what is to be seen, the axes, the series, and the points that could not be drawn.
    pub fn description(&self) -> String {
        let mut out = self.description.trim().to_string();
        if !out.ends_with(['.', '!', '?']) {
            out.push('.');
        }
        for (name, axis) in [("Horizontal", &self.x), ("Vertical", &self.y)] {
            let scale = if axis.log { ", logarithmic" } else { "" };
            if !axis.label.is_empty() {
                let _ = write!(out, " {name} axis: {}{scale}.", axis.label);
            }
        }
        let labels: Vec<&str> = self.series.iter().map(|s| s.label.as_str()).collect();
        if !labels.is_empty() {
            let _ = write!(out, " Series: {}.", labels.join(", "));
        }
        for series in &self.series {
            if let Some(gaps) = self.gaps(series) {
                let _ = write!(out, " {}: {gaps}.", series.label);
            }
        }
        out
    }

    /// What of a series cannot be drawn, in words.
    fn gaps(&self, series: &Series) -> Option<String> {
        let (mut unfinite, mut unpositive) = (0, 0);
        for (x, y) in &series.points {
            match (self.x.place(*x), self.y.place(*y)) {
                (Ok(_), Ok(_)) => {}
                (Err(axis::Gap::NotFinite), _) | (_, Err(axis::Gap::NotFinite)) => unfinite += 1,
                _ => unpositive += 1,
            }
        }
        let count = |n: usize, what: &str| match n {
            0 => None,
            1 => Some(format!("1 point left out, {what}")),
            n => Some(format!("{n} points left out, {what}")),
        };
        let parts = [
            count(unfinite, "not finite"),
            count(unpositive, "not positive on a log axis"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// The figure as SVG.
    ///
    /// # Errors
    /// [`Error::EmptyFigure`] if nothing in it can be drawn, the title or the description is missing, or a range does not fit a log axis.
    pub fn svg(&self) -> Result<String, Error> {
        draw::svg(self)
    }

    /// The data behind the figure: of each series its first and last point and where it is least and greatest;
    /// of a histogram its bins.
    pub fn table(&self) -> Table {
        if let Backdrop::Histogram(bins) = &self.backdrop {
            return Table::new(&self.title)
                .column("from", bins.iter().map(|b| b.from), Format::Auto)
                .column("to", bins.iter().map(|b| b.to), Format::Auto)
                .column(
                    "count",
                    bins.iter().map(|b| b.count as f64),
                    Format::Integer,
                );
        }
        let show = |p: Option<&(f64, f64)>| {
            p.map_or_else(String::new, |(x, y)| {
                format!("({}, {})", number(*x), number(*y))
            })
        };
        let finite = |s: &Series| -> Vec<(f64, f64)> {
            let all = s.points.iter().copied();
            all.filter(|(x, y)| x.is_finite() && y.is_finite())
                .collect()
        };
        let least = |s: &Series| {
            let points = finite(s);
            show(points.iter().min_by(|a, b| a.1.total_cmp(&b.1)))
        };
        let greatest = |s: &Series| {
            let points = finite(s);
            // The first of equals, as for the least.
            show(points.iter().rev().max_by(|a, b| a.1.total_cmp(&b.1)))
        };
        let all = || self.series.iter();
        let name = |label: &str, or: &str| {
            if label.is_empty() {
                or.to_string()
            } else {
                label.to_string()
            }
        };
        let caption = format!(
            "{} ({} against {})",
            self.title,
            name(&self.y.label, "y"),
            name(&self.x.label, "x")
        );
        let mut table = Table::new(caption)
            .text("series", all().map(|s| s.label.as_str()))
            .column(
                "points",
                all().map(|s| s.points.len() as f64),
                Format::Integer,
            )
            .text("first", all().map(|s| show(s.points.first())))
            .text("least", all().map(least))
            .text("greatest", all().map(greatest))
            .text("last", all().map(|s| show(s.points.last())));
        if all().any(|s| self.gaps(s).is_some()) {
            table = table.text("gaps", all().map(|s| self.gaps(s).unwrap_or_default()));
        }
        table
    }

    /// All points of all series as CSV, with digits that give the numbers back exactly; of a histogram its bins.
    pub fn csv(&self) -> String {
        self.csv_of(<[Point]>::to_vec, format::exact)
    }

    fn csv_of(
        &self,
        choose: impl Fn(&[Point]) -> Vec<Point>,
        number: impl Fn(f64) -> String,
    ) -> String {
        if let Backdrop::Histogram(_) = &self.backdrop {
            return self.table().csv();
        }
        let mut out = String::from("series,x,y\n");
        for series in &self.series {
            let label = crate::table::csv_field(&series.label);
            for (x, y) in choose(&series.points) {
                let _ = writeln!(out, "{label},{},{}", number(x), number(y));
            }
        }
        out
    }

    /// Shows the figure in a notebook: as SVG, with the data behind it as text.
    ///
    /// # Panics
    /// If nothing in it can be drawn; the message says why.
    pub fn evcxr_display(&self) {
        match self.blocks() {
            Ok(blocks) => print!("{blocks}"),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn blocks(&self) -> Result<String, Error> {
        let text = format!("{}\n{}", self.table(), self.description());
        let mut blocks =
            display::block("text/plain", &text) + &display::block("image/svg+xml", &self.svg()?);
        // The book offers what is drawn as numbers: of a long series some hundreds of points, with seven digits each, which do
        // not depend on the machine's `exp` and `ln`.
        if std::env::var_os("MOMENTS_FIGURE_DATA").is_some() {
            blocks += &display::block("text/csv", &self.csv_of(thin::sample, format::number));
        }
        Ok(blocks)
    }
}

fn check_range((low, high): (f64, f64)) {
    assert!(
        low.is_finite() && high.is_finite() && low < high,
        "a range from {low} to {high} shows nothing: give two finite numbers, the smaller first"
    );
}

fn bin(values: &[f64], bins: usize) -> Vec<Bin> {
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(*v), high.max(*v))
        });
    if low > high {
        return Vec::new();
    }
    // Equal values would have a bar without width.
    let (low, high) = if low == high {
        (low - 0.5, high + 0.5)
    } else {
        (low, high)
    };
    let edge = |k: usize| low + (high - low) * k as f64 / bins as f64;
    let mut counts = vec![0; bins];
    for v in values {
        let k = ((v - low) / (high - low) * bins as f64) as usize;
        counts[k.min(bins - 1)] += 1;
    }
    let bar = |(k, count)| Bin {
        from: edge(k),
        to: edge(k + 1),
        count,
    };
    counts.into_iter().enumerate().map(bar).collect()
}
