//! The golden files: every one parses, says where it comes from, and is small.

use std::fs;
use std::path::Path;

use moments_checks::golden;

#[test]
fn every_golden_names_its_tool_its_version_and_its_command() {
    for name in golden::names().chain(["schedules-torch", "schedules-optax"]) {
        let golden = golden::get(name);
        assert_eq!(golden.name, name);
        assert!(!golden.what.is_empty(), "{name}");
        assert_eq!(golden.command, "python tools/golden.py", "{name}");
        let library = golden.what.split('.').next().unwrap_or_default();
        let versioned = golden.tool.strip_prefix(library).map(str::trim_start);
        let starts_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        assert!(
            versioned.is_some_and(starts_with_digit),
            "{name}: {}",
            golden.tool
        );
        assert!(golden.tool.contains("float64"), "{name}: {}", golden.tool);
        assert!(golden.setting("lr") > 0.0, "{name}");
    }
}

#[test]
fn every_golden_has_all_its_steps_and_moves_all_coordinates_but_the_one_without_gradient() {
    for name in golden::names() {
        let golden = golden::get(name);
        if name == "adam-square" {
            assert_eq!(
                (golden.start.as_slice(), golden.steps.len()),
                (&[3.0][..], 10)
            );
            continue;
        }
        assert_eq!(golden.start.len(), 9, "{name}");
        assert!([40, 100].contains(&golden.steps.len()), "{name}");
        let last = golden.steps.last().expect("the run has steps").theta();
        for (index, (end, start)) in last.iter().zip(&golden.start).enumerate() {
            let moves = index != 8 || golden.setting("weight_decay") != 0.0;
            assert_eq!(end != start, moves, "{name}: coordinate {index}");
        }
        let touched = golden
            .steps
            .iter()
            .filter(|step| step.grad[7] != 0.0)
            .count();
        assert!(
            (1..=30).contains(&touched),
            "coordinate 7 is touched {touched} times"
        );
    }
}

#[test]
fn the_corrected_moments_of_the_worked_trace_are_weighted_means_of_its_gradients() {
    let golden = golden::adam_square();
    for t in 1..=golden.steps.len() {
        let mean = |beta: f64, power: i32| {
            let weights = (0..t).map(|i| beta.powi((t - 1 - i) as i32));
            let terms = golden.steps[..t]
                .iter()
                .map(|step| step.grad[0].powi(power));
            weights
                .clone()
                .zip(terms)
                .map(|(weight, term)| weight * term)
                .sum::<f64>()
                / weights.sum::<f64>()
        };
        let step = &golden.steps[t - 1];
        let m_hat = mean(golden.setting("beta1"), 1);
        let v_hat = mean(golden.setting("beta2"), 2);
        assert!(
            (step.get("m_hat")[0] - m_hat).abs() < 1e-12,
            "step {t}: {m_hat}"
        );
        assert!(
            (step.get("v_hat")[0] - v_hat).abs() < 1e-11,
            "step {t}: {v_hat}"
        );
    }
    assert!((golden.steps[2].theta()[0] - 2.997_000_031_901_48).abs() < 1e-14);
    assert!((golden.steps[2].get("v_hat")[0] - 35.975_990_73).abs() < 1e-8);
}

#[test]
fn torch_and_optax_agree_where_they_mean_the_same() {
    for rule in ["sgd", "sgd-momentum", "sgd-nesterov"] {
        let torch = golden::get(&format!("{rule}-torch"));
        let optax = golden::get(&format!("{rule}-optax"));
        for (a, b) in torch.steps.iter().zip(&optax.steps) {
            for (a, b) in a.theta().iter().zip(b.theta()) {
                assert!(
                    (a - b).abs() <= 1e-12 * a.abs().max(1.0),
                    "{rule}: {a} and {b}"
                );
            }
        }
    }
    let torch = golden::get("amsgrad-torch");
    let optax = golden::get("amsgrad-optax");
    let differs = torch
        .steps
        .iter()
        .zip(&optax.steps)
        .any(|(a, b)| (a.theta()[0] - b.theta()[0]).abs() > 1e-4);
    assert!(differs, "the two forms of AMSGrad are not the same");
}

#[test]
fn the_folder_holds_the_listed_files_and_they_are_small() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let (mut bytes, mut files) = (0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        bytes += entry.metadata().unwrap().len();
        files.push(entry.file_name().into_string().unwrap().replace(".txt", ""));
    }
    let mut listed: Vec<_> = golden::names()
        .map(str::to_owned)
        .chain(["random", "schedules-torch", "schedules-optax"].map(str::to_owned))
        .collect();
    files.sort();
    listed.sort();
    assert_eq!(files, listed);
    assert!(bytes < 450_000, "{bytes} bytes");
}

#[test]
fn a_broken_file_is_an_error_with_its_line() {
    for (text, words) in [
        (
            "start 1.0\ngrad 1.0\ntheta 1.0 2.0\n",
            "line 3: 2 values for 1 parameters",
        ),
        ("start 1.0\ngrad one\n", "line 2: `one` is not a number"),
        ("theta\n", "line 1: `theta` is not a label"),
        (
            "start 1.0\ntheta 1.0\n",
            "line 2: `theta` before the first gradient",
        ),
        ("set lr\n", "line 1: `lr` is not a name and a number"),
    ] {
        let error = golden::parse(text).unwrap_err();
        assert!(error.starts_with(words), "{error}");
    }
}
