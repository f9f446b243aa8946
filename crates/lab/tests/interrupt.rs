//! A run in a notebook, as the kernel's launcher starts it: with a file in the environment that appears when Jupyter interrupts.
//!
//! The environment of a test cannot be changed safely, so each test starts its own program again, with the file named.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use moments::{Adam, Sgd};
use moments_lab::{Run, objective::Square, run_with};

const FILE: &str = "MOMENTS_INTERRUPT_FILE";

/// Runs this test once more as a notebook would; `None` inside of that.
fn again(test: &str) -> Option<Output> {
    if env::var_os(FILE).is_some() {
        return None;
    }
    let folder = env::temp_dir().join(format!("moments-interrupt-{test}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FILE, folder.join("interrupt"))
        .output()
        .unwrap();
    fs::remove_dir_all(&folder).unwrap();
    Some(output)
}

fn press() {
    fs::write(env::var_os(FILE).unwrap(), "").unwrap();
}

#[test]
fn an_interrupted_run_ends_soon_and_keeps_its_trace_and_later_runs_of_the_cell_end_at_once() {
    let name =
        "an_interrupted_run_ends_soon_and_keeps_its_trace_and_later_runs_of_the_cell_end_at_once";
    if let Some(output) = again(name) {
        assert!(output.status.success(), "{output:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            stderr.matches("Adam: interrupted at step ").count(),
            1,
            "{stderr}"
        );
        return;
    }
    let mut pressed = None;
    let trace = Run::new(&[3.0], Adam::default())
        .every(1_000_000_000)
        .with(u64::MAX, |t, theta| {
            if t == 1000 {
                press();
                pressed = Some(Instant::now());
            }
            (theta[0] * theta[0], vec![2.0 * theta[0]])
        })
        .unwrap();
    assert!(pressed.unwrap().elapsed() < Duration::from_secs(1));
    assert!(trace.last().t >= 1000);
    let why = trace.stopped.unwrap();
    assert!(why.starts_with("interrupted at step "), "{why}");
    assert!(!Path::new(&env::var_os(FILE).unwrap()).exists());
    let next = Run::new(&[3.0], Sgd::default()).on(&Square, 50).unwrap();
    assert_eq!(next.len(), 1);
    assert!(next.stopped.is_some());
}

#[test]
fn a_run_of_two_seconds_prints_its_progress_on_standard_output() {
    if let Some(output) = again("a_run_of_two_seconds_prints_its_progress_on_standard_output") {
        assert!(output.status.success(), "{output:?}");
        let stdout = String::from_utf8_lossy(&output.stdout);
        let line = stdout
            .lines()
            .find(|line| line.starts_with("SGD: step ") || line.starts_with("Sgd: step "));
        let line = line.unwrap_or_else(|| panic!("{stdout}"));
        assert!(
            line.contains(" of 70, loss 1, ") && line.ends_with(" steps/s"),
            "{line}"
        );
        return;
    }
    run_with(
        &[0.0],
        Sgd {
            lr: 0.1,
            ..Sgd::default()
        },
        70,
        |_, _| {
            thread::sleep(Duration::from_millis(30));
            (1.0, vec![0.0])
        },
    )
    .unwrap();
}
