//! Fewer points, the same picture.

use super::Point;

/// The most points that a drawn line keeps.
pub(crate) const MOST: usize = 400;

/// The line with at most [`MOST`] points: where x only grows, the extremes of each of many columns; else, the corners.
pub(crate) fn thin(points: &[Point], width: f64, height: f64) -> Vec<Point> {
    if points.len() <= MOST {
        return points.to_vec();
    }
    if points.windows(2).all(|w| w[0].0 <= w[1].0) {
        extremes(points)
    } else {
        let mut tolerance = 0.0005;
        loop {
            let kept = corners(points, width, height, tolerance);
            if kept.len() <= MOST {
                return kept;
            }
            tolerance *= 1.5;
        }
    }
}

/// At most about [`MOST`] of the points, for a table: the extremes where x only grows, else every so many and the last.
pub(crate) fn sample(points: &[Point]) -> Vec<Point> {
    let finite = |p: &&Point| p.0.is_finite() && p.1.is_finite();
    if points.len() <= MOST {
        return points.to_vec();
    }
    let points: Vec<Point> = points.iter().filter(finite).copied().collect();
    if points.len() <= MOST {
        return points;
    }
    if points.windows(2).all(|w| w[0].0 <= w[1].0) {
        return extremes(&points);
    }
    let mut kept: Vec<Point> = points
        .iter()
        .copied()
        .step_by(points.len().div_ceil(MOST))
        .collect();
    kept.extend(points.last().filter(|last| kept.last() != Some(last)));
    kept
}

/// The first and last point, and the lowest and highest in each of many columns of equal width.
/// Columns, not equal counts: on a log axis the few first steps take up half of the width.
fn extremes(points: &[Point]) -> Vec<Point> {
    let n = points.len();
    let columns = (MOST / 2 - 1) as f64;
    let (from, to) = (points[0].0, points[n - 1].0);
    let column =
        |i: usize| ((points[i].0 - from) / (to - from) * columns).min(columns - 1.0) as usize;
    let mut kept = vec![points[0]];
    let mut first = 1;
    while first < n - 1 {
        let here = column(first);
        let past = (first..n - 1).find(|&i| column(i) != here).unwrap_or(n - 1);
        let by_height = |&a: &usize, &b: &usize| points[a].1.total_cmp(&points[b].1);
        let low = (first..past).min_by(by_height).unwrap_or(first);
        let high = (first..past).max_by(by_height).unwrap_or(first);
        kept.push(points[low.min(high)]);
        if low != high {
            kept.push(points[low.max(high)]);
        }
        first = past;
    }
    kept.push(points[n - 1]);
    kept
}

/// The points without which the line would move by more than `tolerance`, as a part of the picture's size (Douglas and Peucker, 1973).
pub(crate) fn corners(points: &[Point], width: f64, height: f64, tolerance: f64) -> Vec<Point> {
    if points.len() < 3 {
        return points.to_vec();
    }
    let mut keep = vec![false; points.len()];
    keep[0] = true;
    keep[points.len() - 1] = true;
    let mut open = vec![(0, points.len() - 1)];
    while let Some((from, to)) = open.pop() {
        let distance = |i: usize| {
            let scaled = |p: Point| (p.0 / width, p.1 / height);
            to_segment(scaled(points[i]), scaled(points[from]), scaled(points[to]))
        };
        let farthest = (from + 1..to)
            .map(|i| (i, distance(i)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((i, d)) = farthest
            && d > tolerance
        {
            keep[i] = true;
            open.push((from, i));
            open.push((i, to));
        }
    }
    let kept = points.iter().zip(keep).filter(|(_, keep)| *keep);
    kept.map(|(p, _)| *p).collect()
}

fn to_segment(p: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx * dx + dy * dy;
    let along = if length == 0.0 {
        0.0
    } else {
        (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / length).clamp(0.0, 1.0)
    };
    (p.0 - a.0 - along * dx).hypot(p.1 - a.1 - along * dy)
}

/// The pieces of a line inside a frame.
pub(crate) fn clip(points: &[Point], x: (f64, f64), y: (f64, f64)) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    if let [p] = points {
        let inside = (x.0..=x.1).contains(&p.0) && (y.0..=y.1).contains(&p.1);
        return if inside { vec![vec![*p]] } else { pieces };
    }
    for w in points.windows(2) {
        let Some((a, b)) = clip_segment(w[0], w[1], x, y) else {
            continue;
        };
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&a) && a == w[0] => piece.push(b),
            _ => pieces.push(vec![a, b]),
        }
    }
    pieces
}

/// The part of a segment inside a frame (Liang and Barsky, 1984).
fn clip_segment(a: Point, b: Point, x: (f64, f64), y: (f64, f64)) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    let sides = [
        (-dx, a.0 - x.0),
        (dx, x.1 - a.0),
        (-dy, a.1 - y.0),
        (dy, y.1 - a.1),
    ];
    for (towards, room) in sides {
        if towards == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if towards < 0.0 {
            enter = enter.max(room / towards);
        } else {
            leave = leave.min(room / towards);
        }
    }
    let at = |s: f64| match s {
        0.0 => a,
        1.0 => b,
        s => (a.0 + s * dx, a.1 + s * dy),
    };
    (enter <= leave).then(|| (at(enter), at(leave)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_keeps_its_ends_and_its_extremes() {
        let mut points: Vec<Point> = (0..10_000).map(|i| (f64::from(i), 0.0)).collect();
        points[4321].1 = 7.0;
        points[4322].1 = -3.0;
        let thinned = thin(&points, 1e4, 10.0);
        assert!(thinned.len() <= MOST);
        for p in [points[0], points[4321], points[4322], points[9999]] {
            assert!(thinned.contains(&p), "{p:?} is gone");
        }
    }

    #[test]
    fn the_first_steps_on_a_log_axis_are_all_kept() {
        let points: Vec<Point> = (1..=10_000).map(|t| (f64::from(t).log10(), 1.0)).collect();
        let thinned = thin(&points, 4.0, 1.0);
        assert!(thinned.len() <= MOST);
        assert_eq!(thinned[..20], points[..20]);
    }

    #[test]
    fn a_spiral_keeps_its_shape() {
        let points: Vec<Point> = (0..5000)
            .map(|i| f64::from(i) / 100.0)
            .map(|a| (a * a.cos(), a * a.sin()))
            .collect();
        let thinned = thin(&points, 100.0, 100.0);
        assert!(thinned.len() <= MOST);
        for p in &points {
            let near = thinned
                .windows(2)
                .map(|w| to_segment(*p, w[0], w[1]))
                .fold(f64::INFINITY, f64::min);
            assert!(near < 1.0, "{p:?} is {near} away");
        }
    }

    #[test]
    fn a_line_is_cut_at_the_frame() {
        let unit = (0.0, 1.0);
        let pieces = clip(
            &[(-1.0, 0.5), (0.5, 0.5), (0.5, 2.0), (0.7, 0.5)],
            unit,
            unit,
        );
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0], [(0.0, 0.5), (0.5, 0.5), (0.5, 1.0)]);
        assert_eq!(pieces[1][1], (0.7, 0.5));
        assert_eq!(pieces[1][0].1, 1.0);
        assert!(clip(&[(2.0, 2.0), (3.0, 3.0)], unit, unit).is_empty());
        assert_eq!(clip(&[(0.5, 0.5)], unit, unit), [[(0.5, 0.5)]]);
    }

    #[test]
    fn a_sample_keeps_extremes_and_ends_and_drops_what_is_not_finite() {
        let spike: Vec<Point> = (0..10_000)
            .map(|i| (f64::from(i), if i == 5003 { 9.0 } else { 0.0 }))
            .collect();
        let kept = sample(&spike);
        assert!(kept.len() <= MOST && kept.contains(&(5003.0, 9.0)));
        assert_eq!((kept[0], kept[kept.len() - 1]), (spike[0], spike[9999]));
        let circle: Vec<Point> = (0..5000)
            .map(|i| (f64::from(i) * 0.01).sin_cos())
            .chain([(f64::NAN, 1.0)])
            .collect();
        let kept = sample(&circle);
        assert!(kept.len() <= MOST + 1 && kept[kept.len() - 1] == circle[4999]);
    }
}
