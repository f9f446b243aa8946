//! Draws what `tools/bench.py` has measured: `cargo run -p moments-lab --example speed -- benches/results`.

use moments_lab::prelude::*;
use std::error::Error;
use std::path::Path;

/// One line of `sizes.csv` or `threads.csv`.
struct Row {
    rule: String,
    tensors: String,
    parameters: f64,
    threads: f64,
    column: String,
    /// Bytes that the rule must move, over the time of a step.
    speed: f64,
}

fn read(path: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let rows = text.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        let [
            rule,
            dtype,
            tensors,
            parameters,
            threads,
            column,
            seconds,
            bytes,
        ] = fields[..]
        else {
            return Err(format!("{}: {line}", path.display()).into());
        };
        Ok(Row {
            rule: format!("{rule} {dtype}"),
            tensors: tensors.to_owned(),
            parameters: parameters.parse()?,
            threads: threads.parse()?,
            column: column.to_owned(),
            speed: bytes.parse::<f64>()? / seconds.parse::<f64>()? / 1e9,
        })
    });
    rows.collect()
}

fn add(
    figure: Figure,
    rows: &[Row],
    columns: &[(&str, &str)],
    x: fn(&Row) -> f64,
    keep: impl Fn(&Row) -> bool,
) -> Figure {
    columns.iter().fold(figure, |figure, (column, label)| {
        let of_column = rows.iter().filter(|row| row.column == *column && keep(row));
        let points: Vec<_> = of_column.map(|row| (x(row), row.speed)).collect();
        if points.is_empty() {
            figure
        } else {
            figure.series(*label, points).markers()
        }
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("say in which folder")?;
    let folder = Path::new(&folder);
    let columns = [
        ("ours", "moments"),
        ("stream", "bare loop"),
        ("torch-fused", "torch fused"),
        ("torch-foreach", "torch foreach"),
        ("candle", "candle-nn"),
        ("burn", "burn-optim"),
    ];

    let sizes = read(&folder.join("sizes.csv"))?;
    let mut rules: Vec<&str> = sizes.iter().map(|row| row.rule.as_str()).collect();
    rules.dedup();
    for rule in rules {
        let single = |row: &Row| {
            row.rule == rule && row.tensors.ends_with('i') && !row.tensors.contains('x')
        };
        if !sizes.iter().any(single) {
            continue;
        }
        let figure = Figure::lines(
            format!("{rule}: one tensor, all threads"),
            "Small tensors stay in the caches, and what a call costs decides. Large ones come from memory, whose bus sets the limit: \
             a fused step comes near the bare loop, and libraries that compute one operation after the other stay below it.",
        )
        .x("parameters")
        .y("GB/s")
        .log_x()
        .log_y();
        let figure = add(figure, &sizes, &columns, |row| row.parameters, single);
        let name = format!("sizes-{}.svg", rule.replace(' ', "-"));
        std::fs::write(folder.join(name), figure.svg()?)?;
    }

    let threads = read(&folder.join("threads.csv"))?;
    for (tensors, name) in [
        ("16 Mi", "threads-16-mi.svg"),
        ("transformer", "threads-transformer.svg"),
    ] {
        let figure = Figure::lines(
            format!("adamw f32: {tensors}, from one thread to all"),
            "More threads help until the bus is full.",
        )
        .x("threads")
        .y("GB/s");
        let keep = |row: &Row| row.rule == "adamw f32" && row.tensors == tensors;
        if threads.iter().any(keep) {
            let figure = add(figure, &threads, &columns, |row| row.threads, keep);
            std::fs::write(folder.join(name), figure.svg()?)?;
        }
    }
    Ok(())
}
