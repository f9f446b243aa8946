use super::Point;
use super::thin::corners;
use std::collections::HashMap;

/// Cells of the grid in each direction.
const CELLS: usize = 192;

/// Level lines that are drawn by default.
const LEVELS: usize = 10;

/// A function of two variables on a regular grid.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grid {
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
    /// Row by row from the lowest y, `CELLS + 1` values in each row.
    values: Vec<f64>,
    pub(crate) levels: Option<Vec<f64>>,
}

impl Grid {
    pub(crate) fn new(f: impl Fn(f64, f64) -> f64, x: (f64, f64), y: (f64, f64)) -> Self {
        let at = |(low, high): (f64, f64), k: usize| low + (high - low) * k as f64 / CELLS as f64;
        let values = (0..=CELLS)
            .flat_map(|j| (0..=CELLS).map(move |i| (i, j)))
            .map(|(i, j)| f(at(x, i), at(y, j)))
            .collect();
        Self {
            x,
            y,
            values,
            levels: None,
        }
    }

    /// The levels asked for, or some that lie close near the bottom and far apart on the walls.
    pub(crate) fn levels(&self) -> Vec<f64> {
        if let Some(levels) = &self.levels {
            return levels.clone();
        }
        let finite = self.values.iter().copied().filter(|v| v.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        if low >= high {
            return Vec::new();
        }
        (1..=LEVELS)
            .map(|k| (k as f64 - 0.5) / LEVELS as f64)
            .map(|part| low + (high - low) * part.powi(3))
            .collect()
    }

    fn value(&self, i: usize, j: usize) -> f64 {
        self.values[j * (CELLS + 1) + i]
    }

    fn point(&self, i: usize, j: usize) -> Point {
        let at = |(low, high): (f64, f64), k: usize| low + (high - low) * k as f64 / CELLS as f64;
        (at(self.x, i), at(self.y, j))
    }

    /// The lines on which the function has this value, by marching squares, joined and without needless points.
    pub(crate) fn lines(&self, level: f64) -> Vec<Vec<Point>> {
        let mut crossings: HashMap<Edge, Point> = HashMap::new();
        let mut segments: Vec<(Edge, Edge)> = Vec::new();
        for j in 0..CELLS {
            for i in 0..CELLS {
                self.cell(i, j, level, &mut crossings, &mut segments);
            }
        }
        let (width, height) = (self.x.1 - self.x.0, self.y.1 - self.y.0);
        // A valley narrower than a cell shows as crumbs; they say nothing.
        join(&segments)
            .into_iter()
            .filter(|line| line.len() > 8)
            .map(|line| line.iter().map(|edge| crossings[edge]).collect::<Vec<_>>())
            .map(|line| smooth(&line, width, height))
            .collect()
    }

    /// The segments of one cell: one where the level passes, two where opposite corners are high, told apart by the mean.
    fn cell(
        &self,
        i: usize,
        j: usize,
        level: f64,
        crossings: &mut HashMap<Edge, Point>,
        segments: &mut Vec<(Edge, Edge)>,
    ) {
        let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
        let values = corners.map(|(i, j)| self.value(i, j));
        if values.iter().any(|v| !v.is_finite()) {
            return;
        }
        // The edges in the order of the corners: below, right, above, left.
        let edges = [
            Edge { i, j, up: false },
            Edge {
                i: i + 1,
                j,
                up: true,
            },
            Edge {
                i,
                j: j + 1,
                up: false,
            },
            Edge { i, j, up: true },
        ];
        let mut crossed = Vec::with_capacity(4);
        for k in 0..4 {
            let (a, b) = (values[k], values[(k + 1) % 4]);
            if (a < level) != (b < level) {
                let s = (level - a) / (b - a);
                let (p, q) = (corners[k], corners[(k + 1) % 4]);
                let (p, q) = (self.point(p.0, p.1), self.point(q.0, q.1));
                let at = (p.0 + s * (q.0 - p.0), p.1 + s * (q.1 - p.1));
                crossings.entry(edges[k]).or_insert(at);
                crossed.push(edges[k]);
            }
        }
        match crossed[..] {
            [a, b] => segments.push((a, b)),
            [below, right, above, left] => {
                let mean = values.iter().sum::<f64>() / 4.0;
                if (mean < level) == (values[0] < level) {
                    segments.push((below, right));
                    segments.push((above, left));
                } else {
                    segments.push((below, left));
                    segments.push((above, right));
                }
            }
            _ => {}
        }
    }
}

/// An edge of the grid: from the point (i, j) to the right, or up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Edge {
    i: usize,
    j: usize,
    up: bool,
}

/// Segments joined end to end into lines; a closed line ends where it begins.
fn join(segments: &[(Edge, Edge)]) -> Vec<Vec<Edge>> {
    let mut at: HashMap<Edge, Vec<usize>> = HashMap::new();
    for (k, (a, b)) in segments.iter().enumerate() {
        at.entry(*a).or_default().push(k);
        at.entry(*b).or_default().push(k);
    }
    let mut used = vec![false; segments.len()];
    // Open lines first, from an end; what is left is closed. The order of the segments makes the result the same in every run.
    let from_an_end = (0..segments.len()).flat_map(|k| {
        let (a, b) = segments[k];
        [(k, a, b), (k, b, a)]
    });
    let starts: Vec<_> = from_an_end
        .filter(|(_, first, _)| at[first].len() == 1)
        .chain((0..segments.len()).map(|k| (k, segments[k].0, segments[k].1)))
        .collect();
    let mut lines = Vec::new();
    for (k, first, second) in starts {
        if used[k] {
            continue;
        }
        used[k] = true;
        let mut line = vec![first, second];
        let mut end = second;
        while let Some(&next) = at[&end].iter().find(|&&k| !used[k]) {
            used[next] = true;
            let (a, b) = segments[next];
            end = if a == end { b } else { a };
            line.push(end);
        }
        lines.push(line);
    }
    lines
}

/// A closed line has no ends to hold it, so it is halved first.
fn smooth(line: &[Point], width: f64, height: f64) -> Vec<Point> {
    const TOLERANCE: f64 = 0.0008;
    if line.len() > 3 && line.first() == line.last() {
        let half = line.len() / 2;
        let mut out = corners(&line[..=half], width, height, TOLERANCE);
        out.extend(&corners(&line[half..], width, height, TOLERANCE)[1..]);
        out
    } else {
        corners(line, width, height, TOLERANCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_line_of_a_bowl_is_one_closed_circle() {
        let grid = Grid::new(|x, y| x * x + y * y, (-2.0, 2.0), (-2.0, 2.0));
        let lines = grid.lines(1.0);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        for (x, y) in &lines[0] {
            assert!((x.hypot(*y) - 1.0).abs() < 0.002);
        }
    }

    #[test]
    fn a_line_that_leaves_the_frame_is_open() {
        let grid = Grid::new(|x, _| x, (0.0, 1.0), (0.0, 1.0));
        let lines = grid.lines(0.305);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].len(), 2, "straight lines keep their ends alone");
        assert!(lines[0].iter().all(|p| (p.0 - 0.305).abs() < 1e-12));
    }

    #[test]
    fn a_saddle_has_two_branches() {
        let grid = Grid::new(|x, y| x * y, (-1.0, 1.1), (-1.0, 1.2));
        assert_eq!(grid.lines(0.1).len(), 2);
    }

    #[test]
    fn default_levels_grow_and_lie_between_the_extremes() {
        let grid = Grid::new(|x, y| x * x + 50.0 * y * y, (-2.0, 2.0), (-1.0, 1.0));
        let levels = grid.levels();
        assert!(levels.windows(2).all(|w| w[0] < w[1]));
        assert!(levels.iter().all(|l| *l > 0.0 && *l < 54.0));
    }

    #[test]
    fn a_hole_in_the_function_is_left_out() {
        let grid = Grid::new(|x, y| (x + y).ln(), (-1.0, 1.0), (-1.0, 1.0));
        for line in grid.lines(-0.5) {
            assert!(line.iter().all(|(x, y)| x.is_finite() && y.is_finite()));
        }
        assert!(!grid.lines(-0.5).is_empty());
    }
}
