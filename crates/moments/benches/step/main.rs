//! How long a step takes: `cargo bench -p moments --features rayon`.
//!
//! Without arguments it prints one table: a step as it comes (the gradient is looked through for infinities and NaN first),
//! a step with `check_finite` off, and a bare loop over the same arrays. A word on the command line, such as `adamw` or `16 Mi`,
//! leaves only the rows with this word. `RAYON_NUM_THREADS` sets the number of threads, of the bare loop too.
//!
//! `tools/bench.py` starts it with `--cases`, which lists the cases, and with `--serve`, for measurements beside PyTorch's.

mod cases;
mod serve;
mod stream;

use moments::{AdaGrad, AdamW, Float, Groups, Lion, Optimizer, Param, Rule, Sgd, Storage};
use serve::{Case, Subject};
use std::time::Duration;

/// Rounds of the table, and the time that each measurement takes in each round.
const ROUNDS: usize = 5;
const BUDGET: Duration = Duration::from_millis(100);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["--cases", ..] => list_cases(),
        ["--serve", subject, ..] => serve::serve(|case| prepare(subject, case)),
        _ => {
            let no_flag = |word: &&str| !word.starts_with('-');
            table(&words.into_iter().filter(no_flag).collect::<Vec<_>>());
        }
    }
}

fn threads() -> usize {
    #[cfg(feature = "rayon")]
    let threads = rayon::current_num_threads();
    #[cfg(not(feature = "rayon"))]
    let threads = 1;
    threads
}

/// What is measured under the name of a column, if the column has the case.
fn prepare(subject: &str, case: &Case) -> Option<Box<dyn Subject>> {
    let (_, _, passes) = cases::RULES
        .into_iter()
        .find(|(rule, _, _)| *rule == case.rule)?;
    match subject {
        "ours" => ours(case, false, Storage::Full),
        "ours-checked" => ours(case, true, Storage::Full),
        "ours-8bit" if case.rule == "adamw" && !case.double => ours(case, false, Storage::Bits8),
        "ours-8bit" => None,
        "stream" => Some(stream::prepare(case, passes, threads())),
        _ => panic!("`{subject}` is none of ours, ours-checked, ours-8bit, stream"),
    }
}

fn ours(case: &Case, check_finite: bool, storage: Storage) -> Option<Box<dyn Subject>> {
    if case.double {
        with_type::<f64>(case, check_finite, storage)
    } else {
        with_type::<f32>(case, check_finite, storage)
    }
}

/// The settings are those of the other programs: PyTorch's defaults, and no decay for Lion.
fn with_type<T: Float>(
    case: &Case,
    check_finite: bool,
    storage: Storage,
) -> Option<Box<dyn Subject>> {
    let plain = Sgd {
        lr: 1e-3,
        ..Sgd::torch()
    };
    let heavy = Sgd {
        momentum: 0.9,
        ..plain
    };
    let lion = Lion {
        lr: 1e-4,
        weight_decay: 0.0,
        ..Lion::paper()
    };
    Some(match case.rule.as_str() {
        "adamw" => with_rule::<_, T>(AdamW::torch(), case, check_finite, storage),
        "momentum" => with_rule::<_, T>(heavy, case, check_finite, storage),
        "adagrad" => with_rule::<_, T>(AdaGrad::torch(), case, check_finite, storage),
        "lion" => with_rule::<_, T>(lion, case, check_finite, storage),
        "sgd" => with_rule::<_, T>(plain, case, check_finite, storage),
        _ => return None,
    })
}

/// One tensor.
struct One<R, T> {
    theta: Vec<T>,
    grad: Vec<T>,
    optimizer: Optimizer<R, T>,
}

/// Named tensors, in one group.
struct Many<R, T: 'static> {
    names: Vec<String>,
    theta: Vec<Vec<T>>,
    grad: Vec<Vec<T>>,
    groups: Groups<R, T>,
}

fn with_rule<R: Rule, T: Float>(
    rule: R,
    case: &Case,
    check_finite: bool,
    storage: Storage,
) -> Box<dyn Subject> {
    let values = |of: fn(usize) -> f64| {
        let tensor = |&len: &usize| (0..len).map(|i| T::of(of(i))).collect();
        case.lengths.iter().map(tensor).collect::<Vec<Vec<T>>>()
    };
    let (mut theta, mut grad) = (values(serve::start), values(serve::gradient));
    if case.lengths.len() == 1 {
        let mut optimizer = Optimizer::with_storage(rule, storage);
        optimizer.check_finite = check_finite;
        Box::new(One {
            theta: theta.remove(0),
            grad: grad.remove(0),
            optimizer,
        })
    } else {
        let mut groups = Groups::with_storage(storage).rest("all", rule);
        groups.check_finite = check_finite;
        let names = (0..case.lengths.len()).map(|i| format!("layer.{i}.weight"));
        Box::new(Many {
            names: names.collect(),
            theta,
            grad,
            groups,
        })
    }
}

impl<R: Rule, T: Float> Subject for One<R, T> {
    fn steps(&mut self, count: usize) {
        for _ in 0..count {
            let result = self.optimizer.step(&mut self.theta, &self.grad);
            result.expect("the gradient is finite");
        }
    }

    fn theta(&self, _tensor: usize) -> Vec<f64> {
        self.theta.iter().map(|x| x.to_f64()).collect()
    }
}

impl<R: Rule, T: Float> Subject for Many<R, T> {
    /// The list is made anew at each step, as in a training loop, where the model has the tensors in between.
    fn steps(&mut self, count: usize) {
        for _ in 0..count {
            let tensors = self.names.iter().zip(&mut self.theta).zip(&self.grad);
            let mut list: Vec<_> = tensors
                .map(|((name, theta), grad)| Param::new(name, theta, grad))
                .collect();
            let result = self.groups.step(&mut list);
            result.expect("the gradients are finite");
        }
    }

    fn theta(&self, tensor: usize) -> Vec<f64> {
        self.theta[tensor].iter().map(|x| x.to_f64()).collect()
    }
}

fn list_cases() {
    for (rule, dtype, passes) in cases::RULES {
        for (tensors, lengths) in cases::tensors() {
            println!(
                "{{\"rule\": \"{rule}\", \"dtype\": \"{dtype}\", \"passes\": {passes}, \"tensors\": \"{tensors}\", \"lengths\": {lengths:?}}}"
            );
        }
    }
}

/// Measures our own columns, which take turns, so that a machine that gets slower or faster meets all of them.
fn table(words: &[&str]) {
    println!("{} threads; microseconds a step, and GB/s", threads());
    println!("| rule | tensors | step | without the check | bare loop | of the bare loop |");
    println!("|---|---|---|---|---|---|");
    for (rule, dtype, passes) in cases::RULES {
        for (tensors, lengths) in cases::tensors() {
            let name = format!("{rule} {dtype} | {tensors}");
            if !words.iter().all(|word| name.contains(word)) {
                continue;
            }
            let case = Case {
                rule: rule.to_owned(),
                double: dtype == "f64",
                lengths,
            };
            let columns: Option<Vec<_>> = ["ours-checked", "ours", "stream"]
                .into_iter()
                .map(|subject| Some((prepare(subject, &case)?, Vec::new())))
                .collect();
            let Some(mut columns) = columns else {
                continue;
            };
            for _ in 0..ROUNDS {
                for (subject, seconds) in &mut columns {
                    seconds.push(median(serve::time(subject.as_mut(), BUDGET)));
                }
            }
            let seconds: Vec<f64> = columns.into_iter().map(|(_, all)| median(all)).collect();
            let bytes = case.lengths.iter().sum::<usize>() as f64
                * passes as f64
                * if case.double { 8.0 } else { 4.0 };
            let cells = seconds
                .iter()
                .map(|s| format!("{:.1} ({:.1})", s * 1e6, bytes / s / 1e9));
            let cells: Vec<String> = cells.collect();
            let share = seconds[2] / seconds[1] * 100.0;
            println!("| {name} | {} | {share:.0}% |", cells.join(" | "));
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
