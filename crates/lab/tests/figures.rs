//! What holds for every figure: well-formed, described, themed, finite, small.

use moments::Adam;
use moments_lab::prelude::*;
use moments_lab::{Error, plot};
use std::collections::HashSet;

/// Every kind of figure, with awkward text and awkward data.
fn all() -> Vec<Figure> {
    let wave = (0..5000).map(|i| f64::from(i) / 100.0);
    let bowl = Quadratic::new(&[1.0, 20.0]).rotated(0.4);
    let adam = Adam {
        lr: 0.1,
        ..Adam::default()
    };
    let trace = run(&bowl, &[1.5, -1.0], adam, 500).unwrap();
    vec![
        Figure::lines("Loss & \"norms\" of <Adam>", "It falls.")
            .x("step t")
            .y("loss < 1")
            .log_x()
            .log_y()
            .hline(1e-3, "a & b")
            .vline(100.0, "t = 100")
            .series("loss", trace.series(|s| s.loss))
            .series("grad", trace.series(|s| s.grad_norm)),
        Figure::lines("Gaps", "A line with gaps.")
            .log_y()
            .series(
                "x",
                [
                    (0.0, 1.0),
                    (1.0, f64::NAN),
                    (2.0, -1.0),
                    (3.0, 0.0),
                    (4.0, 10.0),
                    (5.0, 20.0),
                ],
            )
            .markers(),
        Figure::contour(
            "Bowl",
            "A path in a bowl.",
            |x, y| bowl.loss(&[x, y]),
            (-2.0, 2.0),
            (-2.0, 2.0),
        )
        .path("Adam", trace.path(0, 1))
        .mark(0.0, 0.0, "minimum"),
        Figure::histogram(
            "Sizes",
            "Most are small.",
            "size",
            wave.clone().map(f64::sin),
            20,
        ),
        Figure::lines("Waves", "Six waves.")
            .x_range(0.0, 30.0)
            .y_range(-0.5, 3.0)
            .series("a", wave.clone().map(|t| (t, t.sin())))
            .series("b", wave.clone().map(|t| (t, 2.0 * t.cos())))
            .series("c", wave.clone().map(|t| (t, (3.0 * t).sin())))
            .series("d", wave.clone().map(|t| (t, 0.1 * t)))
            .series("e", wave.clone().map(|t| (t, 1.0)))
            .series("f", wave.map(|t| (t, t))),
    ]
}

/// A small reader of XML: checks nesting and quoting, and gives the opening tags with their attributes.
fn elements(xml: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut open: Vec<String> = Vec::new();
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        assert!(!text.contains('>'), "a bare > in {text:?}");
        check_entities(text);
        let end = rest[start..].find('>').expect("a tag is closed") + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let (tag, empty) = tag
            .strip_suffix('/')
            .map_or((tag, false), |tag| (tag, true));
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut pairs: Vec<(String, String)> = Vec::new();
        while let Some((key, after)) = attributes.split_once("=\"") {
            let (value, after) = after.split_once('"').expect("a value is closed");
            check_entities(value);
            let key = key.trim().to_string();
            assert!(pairs.iter().all(|(k, _)| *k != key), "{key} twice in {tag}");
            pairs.push((key, value.to_string()));
            attributes = after;
        }
        assert!(
            attributes.trim().is_empty(),
            "left over in {tag}: {attributes}"
        );
        if !empty {
            open.push(name.to_string());
        }
        found.push((name.to_string(), pairs));
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    found
}

fn check_entities(text: &str) {
    for part in text.split('&').skip(1) {
        let name = part.split(';').next().unwrap_or("");
        assert!(
            ["amp", "lt", "gt", "quot", "apos", "#39"].contains(&name),
            "a bare & before {part:?}"
        );
    }
}

fn get<'a>(attributes: &'a [(String, String)], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|(k, _)| k == key);
    found.map(|(_, v)| v.as_str())
}

#[test]
fn every_figure_is_well_formed_and_read_out_by_title_and_description() {
    for figure in all() {
        let svg = figure.svg().unwrap();
        let elements = elements(&svg);
        let (name, root) = &elements[0];
        assert_eq!(name, "svg");
        assert_eq!(get(root, "role"), Some("img"));
        assert!(get(root, "viewBox").is_some());
        let ids: Vec<&str> = get(root, "aria-labelledby").unwrap().split(' ').collect();
        for (k, (id, tag)) in ids.iter().zip(["title", "desc"]).enumerate() {
            assert_eq!(elements[k + 1].0, tag);
            assert_eq!(get(&elements[k + 1].1, "id"), Some(*id));
        }
        let all: Vec<&str> = elements.iter().filter_map(|(_, a)| get(a, "id")).collect();
        let unique: HashSet<&&str> = all.iter().collect();
        assert_eq!(unique.len(), all.len());
    }
}

#[test]
fn figures_on_one_page_do_not_share_ids() {
    let ids: HashSet<String> = all()
        .iter()
        .map(|figure| {
            get(&elements(&figure.svg().unwrap())[0].1, "aria-labelledby")
                .unwrap()
                .to_string()
        })
        .collect();
    assert_eq!(ids.len(), all().len());
}

#[test]
fn every_coordinate_is_finite_inside_the_picture_and_has_one_decimal_at_most() {
    for figure in all() {
        let svg = figure.svg().unwrap();
        let elements = elements(&svg);
        let size: Vec<f64> = get(&elements[0].1, "viewBox")
            .unwrap()
            .split(' ')
            .map(|n| n.parse().unwrap())
            .collect();
        let mut count = 0;
        for (_, attributes) in &elements[1..] {
            for (key, value) in attributes {
                let limit = match key.as_str() {
                    "x" | "cx" | "width" => size[2],
                    "y" | "cy" | "height" | "r" | "font-size" => size[3],
                    "points" => size[2].max(size[3]),
                    _ => continue,
                };
                for number in value.split([' ', ',']) {
                    let x: f64 = number.parse().unwrap();
                    assert!(x.is_finite() && (0.0..=limit).contains(&x), "{key} {x}");
                    let decimals = number.split_once('.').map_or(0, |(_, d)| d.len());
                    assert!(decimals <= 1, "{key} {number}");
                    count += 1;
                }
            }
        }
        assert!(count > 20);
    }
}

#[test]
fn every_colour_is_the_pages_with_a_fallback_and_the_background_is_clear() {
    for figure in all() {
        let svg = figure.svg().unwrap();
        for (name, attributes) in elements(&svg) {
            for key in ["fill", "stroke", "color", "opacity"] {
                assert!(
                    matches!(get(&attributes, key), None | Some("none")),
                    "{name}"
                );
            }
            let style = get(&attributes, "style").unwrap_or("");
            for part in style.split(';') {
                if let Some(("fill" | "stroke", color)) = part.split_once(':') {
                    assert!(color.starts_with("var(--m-"), "{name}: {part}");
                }
            }
            let shapes = ["polyline", "polygon", "circle", "rect", "text"];
            assert!(!shapes.contains(&name.as_str()) || style.contains("var(--m-"));
        }
    }
}

#[test]
fn text_stays_text_and_is_large_enough_for_a_phone() {
    for figure in all() {
        let svg = figure.svg().unwrap();
        let sizes: Vec<f64> = elements(&svg)
            .iter()
            .filter(|(name, _)| name == "text")
            .map(|(_, a)| get(a, "font-size").unwrap().parse().unwrap())
            .collect();
        assert!(sizes.len() > 5);
        assert!(sizes.iter().all(|size| *size >= 14.0), "{sizes:?}");
    }
}

#[test]
fn figures_are_small_and_the_same_in_every_run() {
    for (once, again) in all().iter().zip(all()) {
        let svg = once.svg().unwrap();
        assert!(svg.len() < 40_000, "{}: {} bytes", once.title(), svg.len());
        assert_eq!(svg, again.svg().unwrap());
    }
}

#[test]
fn series_differ_in_their_dashes_as_well_as_in_colour() {
    let figure = all().pop().unwrap();
    let svg = figure.svg().unwrap();
    let dashes: HashSet<String> = elements(&svg)
        .iter()
        .filter_map(|(_, a)| get(a, "style"))
        .filter(|style| style.contains("--m-1,") || style.contains("dasharray"))
        .filter(|style| style.starts_with("stroke:var(--m-") && style.contains("linejoin"))
        .map(|style| style.split_once("linejoin").unwrap().1.to_string())
        .collect();
    assert_eq!(dashes.len(), 6, "{dashes:?}");
}

#[test]
fn points_that_cannot_be_drawn_are_gaps_that_are_counted_and_named() {
    let gaps = &all()[1];
    let svg = gaps.svg().unwrap();
    let sentence =
        "x: 1 point left out, not finite; 2 points left out, not positive on a log axis.";
    assert!(svg.contains(sentence));
    assert!(gaps.table().to_string().contains("2 points left out"));
    assert!(!svg.contains("NaN") && !svg.contains("inf,"));
    // The one point before the gaps is a dot; the two behind them are a line.
    let lines = elements(&svg);
    let lines = lines.iter().filter(|(name, a)| {
        name == "polyline" && get(a, "style").is_some_and(|s| s.contains("--m-1,"))
    });
    assert_eq!(lines.count(), 2);
}

#[test]
fn a_figure_with_nothing_to_draw_is_an_error_that_says_so() {
    let nothing = Figure::lines("Empty", "Nothing.")
        .log_y()
        .series("a", [(1.0, -1.0)]);
    let error = nothing.svg().unwrap_err();
    assert!(matches!(error, Error::EmptyFigure { .. }));
    assert!(error.to_string().contains("\"Empty\""));
    assert!(error.to_string().contains("positive ones on a log axis"));
}

#[test]
fn a_figure_without_a_description_is_an_error() {
    let mute = Figure::lines("Loss", " ").series("a", [(1.0, 1.0), (2.0, 2.0)]);
    assert!(mute.svg().unwrap_err().to_string().contains("description"));
}

#[test]
fn a_range_that_does_not_fit_a_log_axis_is_an_error_that_names_it() {
    let figure = Figure::lines("Loss", "It falls.").series("a", [(1.0, 1.0), (2.0, 2.0)]);
    let error = figure.log_y().y_range(0.0, 1.0).svg().unwrap_err();
    assert!(
        error.to_string().contains("the y range begins at 0"),
        "{error}"
    );
}

#[test]
fn the_description_names_the_axes_and_the_series() {
    assert_eq!(
        all()[0].description(),
        "It falls. Horizontal axis: step t, logarithmic. Vertical axis: loss < 1, logarithmic. Series: loss, grad."
    );
}

#[test]
fn csv_has_every_point_and_gives_it_back_exactly() {
    let points: Vec<(f64, f64)> = (0..2000)
        .map(|i| (f64::from(i), f64::from(i).sin()))
        .collect();
    let csv = Figure::lines("Sine", "A sine.")
        .series("a, b", points.clone())
        .csv();
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("series,x,y"));
    let read: Vec<(f64, f64)> = lines
        .map(|line| {
            line.strip_prefix("\"a, b\",")
                .unwrap()
                .split_once(',')
                .unwrap()
        })
        .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
        .collect();
    assert_eq!(read, points);
}

#[test]
fn a_histogram_counts_every_value_once() {
    let values = [0.0, 0.1, 0.1, 0.5, 1.0, f64::NAN];
    let csv = plot::Figure::histogram("h", "d", "x", values, 4).csv();
    let counts: Vec<usize> = csv
        .lines()
        .skip(1)
        .map(|line| line.rsplit_once(',').unwrap().1.parse().unwrap())
        .collect();
    assert_eq!(counts, [3, 0, 1, 1]);
}
