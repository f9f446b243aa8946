//! Writes every kind of figure into a folder, for looking at them: `cargo run -p moments-lab --example gallery -- FOLDER`.

use moments::{Adam, BiasCorrection, Momentum, Sgd};
use moments_lab::prelude::*;
use std::error::Error;
use std::path::PathBuf;

fn figures() -> Result<Vec<(&'static str, Figure)>, Box<dyn Error>> {
    let lr = 0.1;
    let adam = run(
        &Square,
        &[3.0],
        Adam {
            lr,
            ..Adam::default()
        },
        200,
    )?;
    let heavy = Sgd {
        lr: 0.02,
        momentum: 0.9,
        convention: Momentum::HeavyBall,
        ..Sgd::default()
    };
    let ball = run(&Square, &[3.0], heavy, 200)?;
    let sgd = run(
        &Square,
        &[3.0],
        Sgd {
            lr: 0.02,
            ..Sgd::default()
        },
        200,
    )?;
    let losses = Figure::lines(
        "Loss of three optimizers on f(x) = x²",
        "SGD falls on a straight line; the heavy ball and Adam swing through the minimum.",
    )
    .x("step t")
    .y("loss")
    .log_y()
    .hline(1e-6, "good enough")
    .series("SGD", sgd.series(|s| s.loss))
    .series("heavy ball", ball.series(|s| s.loss))
    .series("Adam", adam.series(|s| s.loss));

    let ways = [
        ("both", BiasCorrection::Both),
        ("only m", BiasCorrection::First),
        ("only v", BiasCorrection::Second),
        ("neither", BiasCorrection::Neither),
    ];
    let mut corrections = Figure::lines(
        "Length of a step, in learning rates, with a gradient that stays the same",
        "With both corrections it is 1; all other ways begin elsewhere and meet at 1 in the end.",
    )
    .x("step t")
    .y("step / lr")
    .log_x()
    .log_y()
    .vline(12.0, "t = 12");
    for (name, bias_correction) in ways {
        let rule = Adam {
            lr: 1.0,
            bias_correction,
            ..Adam::default()
        };
        let trace = run_with(&[0.0], rule, 10_000, |_, _| (0.0, vec![1.0]))?;
        corrections = corrections.series(name, trace.series(|s| s.update_norm));
    }

    let ravine = Quadratic::new(&[1.0, 30.0]).rotated(0.5);
    let start = [-1.8, 1.4];
    let paths = [
        run(
            &ravine,
            &start,
            Sgd {
                lr: 0.06,
                ..Sgd::default()
            },
            60,
        )?,
        run(&ravine, &start, Sgd { lr: 0.02, ..heavy }, 60)?.named("heavy ball"),
        run(
            &ravine,
            &start,
            Adam {
                lr: 0.2,
                ..Adam::default()
            },
            60,
        )?,
    ];
    let mut contour = Figure::contour(
        "Three paths down a turned ravine",
        "SGD jumps from wall to wall, the heavy ball overshoots, Adam takes a curve.",
        |x, y| ravine.loss(&[x, y]),
        (-2.2, 2.2),
        (-1.6, 1.8),
    )
    .x("θ₁")
    .y("θ₂")
    .mark(0.0, 0.0, "minimum");
    for trace in &paths {
        contour = contour.path(&trace.name, trace.path(0, 1));
    }

    let valley = Rosenbrock::default();
    let banana = run(
        &valley,
        &[-1.5, 2.0],
        Adam {
            lr: 0.05,
            ..Adam::default()
        },
        3000,
    )?;
    let rosenbrock = Figure::contour(
        "Adam in Rosenbrock's valley",
        "Adam drops into the valley and follows its bend to the minimum at (1, 1).",
        |x, y| valley.loss(&[x, y]),
        (-2.0, 2.0),
        (-1.0, 3.0),
    )
    .x("x")
    .y("y")
    .mark(1.0, 1.0, "minimum")
    .path("Adam, lr 0.05", banana.path(0, 1));

    let data = Delivery::generate(300, 7);
    let far = (0..data.len()).map(|i| (data.features()[[i, 0]], data.hours()[i]));
    let packages = Figure::lines(
        "Delivery time against distance",
        "The hours grow with the distance; the weight spreads them by ten hours.",
    )
    .x("distance, hundreds of km")
    .y("hours")
    .points("packages", far)
    .series("11 h per 100 km", [(0.5, 14.0), (5.0, 63.5)]);

    let best = data.minimum().ok_or("no fit")?;
    let errors = data.predict(&best).into_iter().zip(data.hours());
    let histogram = Figure::histogram(
        "Errors of the best linear predictor",
        "The errors are bell-shaped around zero.",
        "predicted − true, hours",
        errors.map(|(p, y)| p - y),
        24,
    );

    let six = (1..=6).fold(
        Figure::lines(
            "Six series with markers",
            "Six lines from one point to six heights.",
        )
        .x("x")
        .y("y"),
        |figure, k| {
            let k = f64::from(k);
            figure
                .series(
                    format!("series {k}"),
                    (0..=8).map(|i| (f64::from(i), k * f64::from(i) / 10.0 / k.sqrt())),
                )
                .markers()
        },
    );
    let long = Figure::lines(
        "Labels too long for the margin go above the plot",
        "Two lines that cross.",
    )
    .x("t")
    .y("value")
    .series(
        "decoupled weight decay, lr 0.1",
        (0..100).map(|t| (f64::from(t), (-0.05 * f64::from(t)).exp())),
    )
    .series(
        "L2 in the gradient, lr 0.1",
        (0..100).map(|t| (f64::from(t), 1.0 - (-0.02 * f64::from(t)).exp())),
    );

    Ok(vec![
        ("losses", losses),
        ("corrections", corrections),
        ("contour", contour),
        ("rosenbrock", rosenbrock),
        ("packages", packages),
        ("histogram", histogram),
        ("six", six),
        ("long", long),
    ])
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or("name a folder for the figures")?;
    std::fs::create_dir_all(&folder)?;
    let mut page = String::from(
        "<!doctype html><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Gallery</title>\n",
    );
    for (name, figure) in figures()? {
        let svg = figure.svg()?;
        println!("{name}: {} bytes\n{}", svg.len(), figure.table());
        std::fs::write(folder.join(name).with_extension("svg"), &svg)?;
        page.push_str(&svg);
    }
    std::fs::write(folder.join("index.html"), page)?;
    Ok(())
}
