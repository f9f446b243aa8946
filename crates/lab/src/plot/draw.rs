//! The layout of a figure and its drawing with plotters, in units of the picture.

use super::Point;
use super::svg::{Ink, SCALE, rewrite};
use super::thin::{clip, thin};
use super::{Backdrop, Figure, Series};
use crate::Error;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const WIDTH: f64 = 600.0;
const PLOT_HEIGHT: f64 = 280.0;
const CONTOUR_HEIGHT: f64 = 360.0;
const TITLE: f64 = 19.0;
const LABEL: f64 = 17.0;
const TICK: f64 = 16.0;
const LINE_HEIGHT: f64 = 1.3;
const SWATCH: f64 = 30.0;

/// How much wider bold text is.
const BOLD: f64 = 1.1;

/// A label wider than this does not fit beside the plot; then all labels go into a legend above it.
const WIDEST_SIDE_LABEL: f64 = 150.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The figure as SVG.
pub(super) fn svg(figure: &Figure) -> Result<String, Error> {
    let empty = |why: &str| Error::EmptyFigure {
        figure: figure.title.clone(),
        why: why.to_string(),
    };
    if figure.title.trim().is_empty() || figure.description.trim().is_empty() {
        return Err(empty(
            "a figure needs a title and a description: both are read out to those who cannot see it",
        ));
    }
    for (name, axis) in [("x", &figure.x), ("y", &figure.y)] {
        if let Some((low, _)) = axis.range
            && axis.place(low).is_err()
        {
            return Err(empty(&format!(
                "the {name} range begins at {low}, which has no place on a log axis: begin above 0"
            )));
        }
    }
    let placed: Vec<Placed> = figure.series.iter().map(|s| place(figure, s)).collect();
    let (x, y) = ends(figure, &placed).ok_or_else(|| {
        empty("there is no point to draw: add a series with finite numbers, positive ones on a log axis")
    })?;
    let layout = Layout::new(figure, x, y);
    let mut drawing = String::new();
    {
        let size = (px(WIDTH) as u32, px(layout.height) as u32);
        let root = SVGBackend::with_string(&mut drawing, size).into_drawing_area();
        paint(&root, figure, &placed, &layout).map_err(|why| Error::Drawing {
            figure: figure.title.clone(),
            why,
        })?;
    }
    Ok(rewrite(
        &drawing,
        WIDTH as i32,
        layout.height as i32,
        &figure.title,
        &figure.description(),
    ))
}

/// The pixel of a unit.
fn px(units: f64) -> i32 {
    (units * f64::from(SCALE)).round() as i32
}

/// A series in places on the axes: runs of points between gaps.
struct Placed {
    runs: Vec<Vec<Point>>,
}

fn place(figure: &Figure, series: &Series) -> Placed {
    let mut runs = vec![Vec::new()];
    for (x, y) in &series.points {
        match (figure.x.place(*x), figure.y.place(*y)) {
            (Ok(x), Ok(y)) => runs.last_mut().expect("there is always a run").push((x, y)),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    Placed { runs }
}

/// The ends of both axes in places; `None` if there is nothing to show.
fn ends(figure: &Figure, placed: &[Placed]) -> Option<(Point, Point)> {
    match &figure.backdrop {
        Backdrop::Contour(grid) => Some((
            figure.x.range.unwrap_or(grid.x),
            figure.y.range.unwrap_or(grid.y),
        )),
        Backdrop::Histogram(bins) => {
            let (first, last) = (bins.first()?, bins.last()?);
            let most = bins.iter().map(|b| b.count).max()?;
            let x = figure.x.range.unwrap_or((first.from, last.to));
            let y = figure.y.range.unwrap_or((0.0, most as f64 * 1.05));
            Some((x, y))
        }
        Backdrop::Empty => {
            let points = || placed.iter().flat_map(|p| p.runs.iter().flatten().copied());
            let marks = || {
                let place =
                    |m: &super::Mark| Some((figure.x.place(m.x).ok()?, figure.y.place(m.y).ok()?));
                figure.marks.iter().filter_map(place)
            };
            let levels = |horizontal: bool| {
                let axis = if horizontal { &figure.y } else { &figure.x };
                let lines = figure.references.iter();
                lines
                    .filter(move |r| r.horizontal == horizontal)
                    .filter_map(|r| axis.place(r.at).ok())
            };
            // Reference lines alone do not make a figure.
            points().chain(marks()).next()?;
            let x = points().chain(marks()).map(|p| p.0).chain(levels(false));
            let y = points().chain(marks()).map(|p| p.1).chain(levels(true));
            Some((figure.x.ends(x)?, figure.y.ends(y)?))
        }
    }
}

/// Where everything stands, in units from the upper left corner.
struct Layout {
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Point,
    y: Point,
    x_ticks: Vec<(f64, String)>,
    y_ticks: Vec<(f64, String)>,
    title: Vec<String>,
    /// The legend's entries: series and upper left corner; empty if the labels stand beside the plot.
    legend: Vec<(usize, Point)>,
    beside: bool,
}

impl Layout {
    fn new(figure: &Figure, x: Point, y: Point) -> Self {
        let contour = matches!(figure.backdrop, Backdrop::Contour(_));
        let plot_height = if contour { CONTOUR_HEIGHT } else { PLOT_HEIGHT };
        let title = wrap(&figure.title, TITLE * BOLD, WIDTH - 8.0);

        let labelled: Vec<usize> = (0..figure.series.len())
            .filter(|&i| !figure.series[i].label.is_empty())
            .collect();
        let widest = labelled
            .iter()
            .map(|&i| text_width(&figure.series[i].label, LABEL * BOLD))
            .fold(0.0, f64::max);
        let lines = figure.series.iter().all(|s| s.line && !s.path);
        let beside = !contour && lines && widest <= WIDEST_SIDE_LABEL && labelled.len() <= 9;

        let mut top = 4.0 + title.len() as f64 * TITLE * LINE_HEIGHT + 4.0;
        let mut legend = Vec::new();
        if !beside && !labelled.is_empty() {
            let mut at = 4.0;
            for &i in &labelled {
                let width = SWATCH + 8.0 + text_width(&figure.series[i].label, LABEL * BOLD);
                if at > 4.0 && at + width > WIDTH - 4.0 {
                    at = 4.0;
                    top += LABEL * LINE_HEIGHT + 2.0;
                }
                legend.push((i, (at, top)));
                at += width + 24.0;
            }
            top += LABEL * LINE_HEIGHT + 6.0;
        }
        if !figure.y.label.is_empty() {
            top += TICK * LINE_HEIGHT;
        }
        top += 6.0;
        let bottom = top + plot_height;
        let below = if figure.x.label.is_empty() {
            0.0
        } else {
            TICK * LINE_HEIGHT
        };
        let height = (bottom + 8.0 + TICK * LINE_HEIGHT + below + 2.0).ceil();

        let y_ticks = figure.y.ticks(y, (plot_height / 52.0) as usize);
        let tick_width = |ticks: &[(f64, String)]| {
            let widths = ticks.iter().map(|(_, text)| text_width(text, TICK));
            widths.fold(0.0, f64::max)
        };
        let left = (tick_width(&y_ticks) + 12.0).max(24.0);
        let right = WIDTH
            - if beside && widest > 0.0 {
                widest + 16.0
            } else {
                20.0
            };
        // Fewer ticks until the numbers below the axis keep apart.
        let mut wanted = ((right - left) / 70.0) as usize;
        let mut x_ticks = figure.x.ticks(x, wanted);
        while wanted > 2 {
            let room = (right - left) * tick_gap(&x_ticks) / (x.1 - x.0);
            if room >= tick_width(&x_ticks) + 14.0 {
                break;
            }
            wanted -= 1;
            x_ticks = figure.x.ticks(x, wanted);
        }
        // The numbers at the ends of the x axis reach beyond it by half their width.
        let half = tick_width(&x_ticks) / 2.0 + 2.0;
        let (left, right) = (left.max(half), right.min(WIDTH - half));
        Self {
            height,
            left,
            right,
            top,
            bottom,
            x,
            y,
            x_ticks,
            y_ticks,
            title,
            legend,
            beside,
        }
    }

    /// The units of a place on the axes.
    fn at(&self, p: Point) -> Point {
        let across = (p.0 - self.x.0) / (self.x.1 - self.x.0);
        let up = (p.1 - self.y.0) / (self.y.1 - self.y.0);
        (
            self.left + across * (self.right - self.left),
            self.bottom - up * (self.bottom - self.top),
        )
    }

    fn pieces(&self, run: &[Point]) -> Vec<Vec<Point>> {
        clip(run, self.x, self.y)
    }

    fn thin(&self, points: &[Point]) -> Vec<Point> {
        thin(points, self.x.1 - self.x.0, self.y.1 - self.y.0)
    }

    fn inside(&self, p: Point) -> bool {
        (self.x.0..=self.x.1).contains(&p.0) && (self.y.0..=self.y.1).contains(&p.1)
    }
}

/// The least distance between two ticks.
fn tick_gap(ticks: &[(f64, String)]) -> f64 {
    let gaps = ticks.windows(2).map(|w| w[1].0 - w[0].0);
    gaps.fold(f64::INFINITY, f64::min)
}

fn paint(root: &Area, figure: &Figure, placed: &[Placed], layout: &Layout) -> Result<(), String> {
    let pen = Pen { root };
    pen.frame(figure, layout)?;

    // Whole pixels from the same corners that the layout uses.
    let area = root.margin(
        px(layout.top),
        px(layout.height - layout.bottom),
        px(layout.left),
        px(WIDTH - layout.right),
    );
    let mut chart: Chart = ChartBuilder::on(&area)
        .build_cartesian_2d(layout.x.0..layout.x.1, layout.y.0..layout.y.1)
        .map_err(|e| e.to_string())?;

    match &figure.backdrop {
        Backdrop::Contour(grid) => {
            for level in grid.levels() {
                for line in grid.lines(level) {
                    for piece in layout.pieces(&line) {
                        line_on(&mut chart, &piece, Ink::Level, 1.0)?;
                    }
                }
            }
        }
        Backdrop::Histogram(bins) => {
            let style = Ink::Mark(0).code().filled();
            for bin in bins.iter().filter(|b| b.count > 0) {
                let corner = |x: f64, y: f64| {
                    (
                        x.clamp(layout.x.0, layout.x.1),
                        y.clamp(layout.y.0, layout.y.1),
                    )
                };
                let (a, b) = (corner(bin.from, 0.0), corner(bin.to, bin.count as f64));
                if a.0 < b.0 && a.1 < b.1 {
                    let bar = Rectangle::new([a, b], style);
                    chart
                        .draw_series(std::iter::once(bar))
                        .map_err(|e| e.to_string())?;
                }
            }
        }
        Backdrop::Empty => {}
    }

    pen.references(figure, layout)?;

    // Where the curves run, for labels to keep away from.
    let mut busy: Vec<Point> = Vec::new();
    let mut line_ends: Vec<(usize, Point)> = Vec::new();
    for (i, (series, placed)) in figure.series.iter().zip(placed).enumerate() {
        let pieces: Vec<Vec<Point>> = placed
            .runs
            .iter()
            .flat_map(|run| layout.pieces(&layout.thin(run)))
            .collect();
        if series.line {
            for piece in &pieces {
                line_on(&mut chart, piece, Ink::Series(i), 2.2)?;
                along(piece, layout, &mut busy);
                if let [only] = piece[..] {
                    pen.marker(layout.at(only), i, 4.0)?;
                }
            }
        }
        let shown = || {
            let thinned = placed.runs.iter().flat_map(|run| layout.thin(run));
            thinned.filter(|p| layout.inside(*p))
        };
        if series.markers {
            // Many markers would run into one another.
            let radius = if shown().count() > 60 { 2.6 } else { 4.5 };
            for p in shown() {
                pen.marker(layout.at(p), i, radius)?;
                busy.push(layout.at(p));
            }
        }
        if series.path {
            let ends = (placed.runs.first(), placed.runs.last());
            if let (Some(&start), Some(&end)) = (
                ends.0.and_then(|run| run.first()),
                ends.1.and_then(|run| run.last()),
            ) {
                if layout.inside(start) {
                    pen.ring(layout.at(start), i)?;
                }
                if layout.inside(end) {
                    pen.dot(layout.at(end), i, 5.0)?;
                }
            }
        }
        let end = if series.line {
            pieces.last().and_then(|piece| piece.last().copied())
        } else {
            shown().next_back()
        };
        if let Some(end) = end
            && !series.label.is_empty()
        {
            line_ends.push((i, layout.at(end)));
        }
    }

    let mut taken: Vec<[f64; 4]> = Vec::new();
    pen.marks(figure, layout, &busy, &mut taken)?;
    pen.reference_labels(figure, layout, &busy, &mut taken)?;
    if layout.beside {
        pen.side_labels(figure, layout, line_ends)?;
    } else {
        pen.legend(figure, layout)?;
    }
    root.present().map_err(|e| e.to_string())
}

fn line_on(chart: &mut Chart, piece: &[Point], ink: Ink, width: f64) -> Result<(), String> {
    let style = ink.code().stroke_width(px(width) as u32);
    let line = LineSeries::new(piece.iter().copied(), style);
    chart.draw_series(line).map_err(|e| e.to_string())?;
    Ok(())
}

/// Points every few units along a line, for labels to keep away from.
fn along(piece: &[Point], layout: &Layout, busy: &mut Vec<Point>) {
    for w in piece.windows(2) {
        let (a, b) = (layout.at(w[0]), layout.at(w[1]));
        let steps = ((b.0 - a.0).hypot(b.1 - a.1) / 6.0).ceil().max(1.0) as usize;
        busy.extend((0..=steps).map(|k| {
            let s = k as f64 / steps as f64;
            (a.0 + s * (b.0 - a.0), a.1 + s * (b.1 - a.1))
        }));
    }
}

/// Draws in units on the whole picture.
struct Pen<'a, 'b> {
    root: &'a Area<'b>,
}

impl Pen<'_, '_> {
    fn line(&self, points: &[Point], ink: Ink, width: f64) -> Result<(), String> {
        let points: Vec<(i32, i32)> = points.iter().map(|p| (px(p.0), px(p.1))).collect();
        let style = ink.code().stroke_width(px(width) as u32);
        self.root
            .draw(&PathElement::new(points, style))
            .map_err(|e| e.to_string())
    }

    fn shape(&self, points: &[Point], ink: Ink) -> Result<(), String> {
        let points: Vec<(i32, i32)> = points.iter().map(|p| (px(p.0), px(p.1))).collect();
        self.root
            .draw(&Polygon::new(points, ink.code().filled()))
            .map_err(|e| e.to_string())
    }

    fn text(
        &self,
        text: &str,
        at: Point,
        size: f64,
        ink: Ink,
        h: HPos,
        v: VPos,
    ) -> Result<(), String> {
        // plotters divides the size by 1.24 on its way into the SVG.
        let size = size * f64::from(SCALE) * 1.24;
        let style = ("sans-serif", size)
            .into_font()
            .color(&ink.code())
            .pos(Pos::new(h, v));
        self.root
            .draw(&Text::new(text.to_string(), (px(at.0), px(at.1)), style))
            .map_err(|e| e.to_string())
    }

    fn dot(&self, at: Point, series: usize, radius: f64) -> Result<(), String> {
        let style = Ink::Mark(series).code().filled();
        self.root
            .draw(&Circle::new((px(at.0), px(at.1)), px(radius), style))
            .map_err(|e| e.to_string())
    }

    fn ring(&self, at: Point, series: usize) -> Result<(), String> {
        let style = Ink::Mark(series).code().stroke_width(px(2.0) as u32);
        self.root
            .draw(&Circle::new((px(at.0), px(at.1)), px(5.5), style))
            .map_err(|e| e.to_string())
    }

    /// A shape for each series: dot, square, triangle, diamond, cross, triangle downwards.
    fn marker(&self, at: Point, series: usize, r: f64) -> Result<(), String> {
        let ink = Ink::Mark(series);
        let from = |corners: &[Point]| -> Vec<Point> {
            let shift = |c: &Point| (at.0 + r * c.0, at.1 + r * c.1);
            corners.iter().map(shift).collect()
        };
        match series % 6 {
            0 => self.dot(at, series, r),
            1 => self.shape(
                &from(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
                ink,
            ),
            2 => self.shape(&from(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]), ink),
            3 => self.shape(
                &from(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]),
                ink,
            ),
            4 => {
                self.line(&from(&[(-1.0, -1.0), (1.0, 1.0)]), ink, 2.2)?;
                self.line(&from(&[(-1.0, 1.0), (1.0, -1.0)]), ink, 2.2)
            }
            _ => self.shape(&from(&[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)]), ink),
        }
    }

    /// The title, the axes, the grid and the numbers.
    fn frame(&self, figure: &Figure, layout: &Layout) -> Result<(), String> {
        for (k, line) in layout.title.iter().enumerate() {
            let y = 4.0 + k as f64 * TITLE * LINE_HEIGHT;
            self.text(line, (2.0, y), TITLE, Ink::Title, HPos::Left, VPos::Top)?;
        }
        if !figure.y.label.is_empty() {
            let at = (2.0, layout.top - 6.0 - TICK * LINE_HEIGHT);
            self.text(&figure.y.label, at, TICK, Ink::Fore, HPos::Left, VPos::Top)?;
        }
        if !figure.x.label.is_empty() {
            let middle = f64::midpoint(layout.left, layout.right);
            let at = (middle, layout.bottom + 8.0 + TICK * LINE_HEIGHT);
            self.text(
                &figure.x.label,
                at,
                TICK,
                Ink::Fore,
                HPos::Center,
                VPos::Top,
            )?;
        }
        let contour = matches!(figure.backdrop, Backdrop::Contour(_));
        for (place, text) in &layout.y_ticks {
            let y = layout.at((layout.x.0, *place)).1;
            if !contour {
                self.line(&[(layout.left, y), (layout.right, y)], Ink::Grid, 1.0)?;
            }
            self.line(&[(layout.left - 4.0, y), (layout.left, y)], Ink::Fore, 1.0)?;
            let at = (layout.left - 8.0, y);
            self.text(text, at, TICK, Ink::Fore, HPos::Right, VPos::Center)?;
        }
        for (place, text) in &layout.x_ticks {
            let x = layout.at((*place, layout.y.0)).0;
            if !contour {
                self.line(&[(x, layout.top), (x, layout.bottom)], Ink::Grid, 1.0)?;
            }
            self.line(
                &[(x, layout.bottom), (x, layout.bottom + 4.0)],
                Ink::Fore,
                1.0,
            )?;
            let at = (x, layout.bottom + 8.0);
            self.text(text, at, TICK, Ink::Fore, HPos::Center, VPos::Top)?;
        }
        let corners = [
            (layout.left, layout.top),
            (layout.left, layout.bottom),
            (layout.right, layout.bottom),
        ];
        self.line(&corners, Ink::Fore, 1.2)
    }

    fn references(&self, figure: &Figure, layout: &Layout) -> Result<(), String> {
        for reference in &figure.references {
            if let Some([a, b]) = reference_line(figure, layout, reference) {
                self.line(&[a, b], Ink::Reference, 1.3)?;
            }
        }
        Ok(())
    }

    fn reference_labels(
        &self,
        figure: &Figure,
        layout: &Layout,
        busy: &[Point],
        taken: &mut Vec<[f64; 4]>,
    ) -> Result<(), String> {
        for reference in &figure.references {
            let Some([a, b]) = reference_line(figure, layout, reference) else {
                continue;
            };
            let width = text_width(&reference.label, TICK);
            let candidates: Vec<Point> = if reference.horizontal {
                let middle = f64::midpoint(a.0, b.0) - width / 2.0;
                let starts = [b.0 - width - 6.0, a.0 + 6.0, middle];
                let side = |x: f64| [(x, a.1 - TICK - 5.0), (x, a.1 + 4.0)];
                starts.into_iter().flat_map(side).collect()
            } else {
                let height = layout.bottom - layout.top;
                let downs = [
                    4.0,
                    0.5 * height,
                    height - TICK - 6.0,
                    0.25 * height,
                    0.75 * height,
                ];
                let side = |down: f64| {
                    let y = layout.top + down;
                    [(a.0 + 6.0, y), (a.0 - width - 6.0, y)]
                };
                downs.into_iter().flat_map(side).collect()
            };
            self.note(&reference.label, &candidates, layout, busy, taken)?;
        }
        Ok(())
    }

    fn marks(
        &self,
        figure: &Figure,
        layout: &Layout,
        busy: &[Point],
        taken: &mut Vec<[f64; 4]>,
    ) -> Result<(), String> {
        for mark in &figure.marks {
            let (Ok(x), Ok(y)) = (figure.x.place(mark.x), figure.y.place(mark.y)) else {
                continue;
            };
            if !layout.inside((x, y)) {
                continue;
            }
            let (x, y) = layout.at((x, y));
            let r = 6.0;
            self.line(&[(x - r, y - r), (x + r, y + r)], Ink::Fore, 2.0)?;
            self.line(&[(x - r, y + r), (x + r, y - r)], Ink::Fore, 2.0)?;
            taken.push([x - r, y - r, x + r, y + r]);
            let width = text_width(&mark.label, TICK);
            // The last four are far off, for a crowded place, and get a line to the mark.
            let candidates = [
                (x + 10.0, y - TICK / 2.0),
                (x - width - 10.0, y - TICK / 2.0),
                (x - width / 2.0, y - TICK - 12.0),
                (x - width / 2.0, y + 12.0),
                (x + 8.0, y - TICK - 8.0),
                (x + 8.0, y + 8.0),
                (x - width - 8.0, y - TICK - 8.0),
                (x - width - 8.0, y + 8.0),
                (x + 60.0, y + 50.0),
                (x + 60.0, y - TICK - 50.0),
                (x - width - 60.0, y + 50.0),
                (x - width - 60.0, y - TICK - 50.0),
            ];
            let chosen = self.note(&mark.label, &candidates, layout, busy, taken)?;
            if let Some((k, at)) = chosen
                && k >= candidates.len() - 4
            {
                let end_x = if at.0 > x {
                    at.0 - 3.0
                } else {
                    at.0 + width + 3.0
                };
                let end_y = at.1 + TICK / 2.0;
                let part = |from: f64, to: f64, s: f64| from + s * (to - from);
                let begin = (part(x, end_x, 0.15), part(y, end_y, 0.15));
                self.line(&[begin, (end_x, end_y)], Ink::Fore, 0.8)?;
            }
        }
        Ok(())
    }

    /// A label at the candidate that hides least; each candidate is an upper left corner. Tells which one it was.
    fn note(
        &self,
        label: &str,
        candidates: &[Point],
        layout: &Layout,
        busy: &[Point],
        taken: &mut Vec<[f64; 4]>,
    ) -> Result<Option<(usize, Point)>, String> {
        if label.is_empty() {
            return Ok(None);
        }
        let (width, height) = (text_width(label, TICK), TICK * 1.15);
        let boxed = |c: &Point| [c.0 - 2.0, c.1 - 1.0, c.0 + width + 2.0, c.1 + height];
        let cost = |c: &Point| {
            let b = boxed(c);
            let inside = |p: &&Point| b[0] <= p.0 && p.0 <= b[2] && b[1] <= p.1 && p.1 <= b[3];
            let hidden = busy.iter().filter(inside).count();
            let meets = |t: &&[f64; 4]| b[0] < t[2] && t[0] < b[2] && b[1] < t[3] && t[1] < b[3];
            let overlaps = taken.iter().filter(meets).count();
            let outside = b[0] < layout.left
                || b[2] > layout.right
                || b[1] < layout.top - 2.0
                || b[3] > layout.bottom;
            hidden + 200 * overlaps + 1000 * usize::from(outside)
        };
        // The first of the cheapest: candidates come in the order of preference.
        let best = candidates.iter().enumerate().min_by_key(|(_, c)| cost(c));
        if let Some((_, best)) = best {
            taken.push(boxed(best));
            self.text(label, *best, TICK, Ink::Note, HPos::Left, VPos::Top)?;
        }
        Ok(best.map(|(k, c)| (k, *c)))
    }

    /// Labels in the margin at the height of the lines' ends, pushed apart where they would overlap.
    fn side_labels(
        &self,
        figure: &Figure,
        layout: &Layout,
        mut line_ends: Vec<(usize, Point)>,
    ) -> Result<(), String> {
        line_ends.sort_by(|a, b| a.1.1.total_cmp(&b.1.1));
        let wanted: Vec<f64> = line_ends.iter().map(|(_, p)| p.1).collect();
        let spread = spread(&wanted, LABEL * 1.2, layout.top + 6.0, layout.bottom - 6.0);
        for ((i, end), y) in line_ends.into_iter().zip(spread) {
            let x = layout.right + 12.0;
            if (end.1 - y).abs() > 3.0 || end.0 < layout.right - 30.0 {
                let elbow = (layout.right + 2.0, end.1);
                let leader = if end.0 < layout.right - 30.0 {
                    vec![(end.0 + 6.0, end.1), elbow, (x - 2.0, y)]
                } else {
                    vec![elbow, (x - 2.0, y)]
                };
                self.line(&leader, Ink::Mark(i), 0.8)?;
            }
            let label = &figure.series[i].label;
            self.text(
                label,
                (x, y),
                LABEL,
                Ink::Label(i),
                HPos::Left,
                VPos::Center,
            )?;
        }
        Ok(())
    }

    /// Labels above the plot, each after a piece of its line.
    fn legend(&self, figure: &Figure, layout: &Layout) -> Result<(), String> {
        for &(i, (x, top)) in &layout.legend {
            let y = top + LABEL * 0.65;
            let series = &figure.series[i];
            if series.line {
                self.line(&[(x, y), (x + SWATCH, y)], Ink::Series(i), 2.2)?;
            }
            if series.markers {
                self.marker((x + SWATCH / 2.0, y), i, 4.5)?;
            }
            let at = (x + SWATCH + 8.0, y);
            self.text(
                &series.label,
                at,
                LABEL,
                Ink::Label(i),
                HPos::Left,
                VPos::Center,
            )?;
        }
        Ok(())
    }
}

/// The two ends of a reference line; `None` if it lies outside the frame.
fn reference_line(
    figure: &Figure,
    layout: &Layout,
    reference: &super::Reference,
) -> Option<[Point; 2]> {
    if reference.horizontal {
        let y = figure.y.place(reference.at).ok()?;
        layout
            .inside((layout.x.0, y))
            .then(|| [layout.at((layout.x.0, y)), layout.at((layout.x.1, y))])
    } else {
        let x = figure.x.place(reference.at).ok()?;
        layout
            .inside((x, layout.y.0))
            .then(|| [layout.at((x, layout.y.0)), layout.at((x, layout.y.1))])
    }
}

/// Heights in ascending order, moved as little as needed to lie `gap` apart between `low` and `high`.
fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    // Blocks of labels that touch: the mean of where the first would have to be, and how many there are.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    let start = |(mean, count): (f64, usize)| {
        let last = high - gap * (count - 1) as f64;
        mean.min(last).max(low)
    };
    for &y in wanted {
        blocks.push((y, 1));
        while let [.., before, block] = blocks[..]
            && start(before) + gap * before.1 as f64 > start(block)
        {
            let count = before.1 + block.1;
            // The block's first label would be this much higher if it were the first of both.
            let shifted = block.0 - gap * before.1 as f64;
            let mean = (before.0 * before.1 as f64 + shifted * block.1 as f64) / count as f64;
            blocks.truncate(blocks.len() - 2);
            blocks.push((mean, count));
        }
    }
    let of_block = |block: (f64, usize)| {
        let first = start(block);
        (0..block.1).map(move |k| first + gap * k as f64)
    };
    blocks.into_iter().flat_map(of_block).collect()
}

/// An estimate of a text's width in a wide sans-serif font: the reader's font is not known, and a label must not be cut off.
fn text_width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.32,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' => 0.4,
        'm' | 'w' | 'M' | 'W' | '%' => 0.95,
        'A'..='Z' | '+' | '=' | '<' | '>' | '\u{2212}' | '×' => 0.72,
        // Marks that stand on the letter before, such as the hat of m̂.
        '\u{300}'..='\u{36f}' => 0.0,
        _ => 0.62,
    };
    size * text.chars().map(em).sum::<f64>()
}

/// A text in lines that are not wider than `width`, broken between words.
fn wrap(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), size) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_have_room_stay_where_they_are() {
        assert_eq!(
            spread(&[10.0, 50.0, 90.0], 20.0, 0.0, 100.0),
            [10.0, 50.0, 90.0]
        );
    }

    #[test]
    fn labels_that_meet_are_pushed_apart_and_stay_inside() {
        let y = spread(&[50.0, 50.0, 52.0, 99.0], 20.0, 0.0, 100.0);
        assert!(y.windows(2).all(|w| w[1] - w[0] > 20.0 - 1e-9), "{y:?}");
        assert!(y[0] >= 0.0 && y[3] <= 100.0);
        let y = spread(&[99.0, 99.5, 100.0], 20.0, 0.0, 100.0);
        assert_eq!(y, [60.0, 80.0, 100.0]);
    }

    #[test]
    fn a_long_title_is_broken_between_words() {
        let lines = wrap("one two three four five six seven", 20.0, 120.0);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), "one two three four five six seven");
        assert!(lines.iter().all(|line| text_width(line, 20.0) <= 120.0));
    }
}
