//! Notebooks on the real kernel. These tests need what `cargo course kernel setup` installs:
//! `cargo test -p moments-kernel --test real_kernel -- --ignored --test-threads=1`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use moments_kernel::notebook::{self, Options, Run};
use moments_kernel::{Error, Flavour, Layout, Step};

#[cfg(target_os = "linux")]
#[path = "real_kernel/robust.rs"]
mod robust;

const NEEDS: &str = "needs the kernel: run `cargo course kernel setup` first";

/// Where a kernel would listen that nobody connects to: at ports that the system chooses.
const CONTROL: &str = r#"{"control_port":0,"shell_port":0,"stdin_port":0,"hb_port":0,"iopub_port":0,"transport":"tcp","ip":"127.0.0.1","key":""}"#;

/// The clone that these tests are compiled in.
fn layout() -> Layout {
    let layout = Layout::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).unwrap();
    let root = fs::canonicalize(layout.root()).unwrap();
    let layout = Layout::new(root).unwrap();
    for step in Step::ALL {
        let state = step.check(&layout);
        assert!(state.is_present(), "{NEEDS}\n{}: {state:?}", step.name());
    }
    layout
}

/// A folder with a space in its name that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("moments notebooks {} {count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn notebook(&self, cells: &[(&str, &str)]) -> PathBuf {
        self.notebook_on(Flavour::Plain, cells)
    }

    fn notebook_on(&self, flavour: Flavour, cells: &[(&str, &str)]) -> PathBuf {
        let cells: Vec<_> = cells
            .iter()
            .map(|(id, source)| {
                serde_json::json!({
                    "id": id, "cell_type": "code", "metadata": {}, "source": source,
                    "outputs": [], "execution_count": null,
                })
            })
            .collect();
        let notebook = serde_json::json!({
            "nbformat": 4, "nbformat_minor": 5, "cells": cells,
            "metadata": { "kernelspec": {
                "name": flavour.kernel_name(), "display_name": flavour.display_name(), "language": "rust",
            } },
        });
        let path = self.0.join("a notebook.ipynb");
        fs::write(&path, notebook.to_string()).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run_with(options: &Options, cells: &[(&str, &str)]) -> Result<Run, Error> {
    let folder = Folder::new();
    let result = notebook::run(&layout(), &folder.notebook(cells), options, &mut |_| ());
    // Jupyter's client returns when the kernel has ended, so nothing may be left.
    assert_nothing_is_left();
    result
}

fn run(cells: &[(&str, &str)]) -> Result<Run, Error> {
    run_with(&Options::default(), cells)
}

fn failure(cells: &[(&str, &str)]) -> String {
    run(cells).expect_err("the notebook must fail").to_string()
}

/// Another kernel may be running on this machine: only directories without a living kernel are wrong.
fn assert_nothing_is_left() {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let status = moments_kernel::status(&layout());
        if status.kernels.iter().all(|kernel| kernel.alive) {
            return;
        }
        assert!(Instant::now() < deadline, "{status}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_notebook_names_the_kernel_that_has_nalgebra_and_the_other_has_it_not() {
    let cells = [(
        "spectrum",
        "use nalgebra::DMatrix; let h = DMatrix::from_row_slice(2, 2, &[2.0, 1.0, 1.0, 2.0]); \
         let mut spectrum: Vec<f64> = h.clone().symmetric_eigenvalues().iter().copied().collect(); \
         spectrum.sort_by(f64::total_cmp); assert!((spectrum[0] - 1.0).abs() < 1e-12); \
         use moments_lab::prelude::*; Table::matrix(\"H\", &h, Format::Fixed(1))",
    )];
    let folder = Folder::new();
    let path = folder.notebook_on(Flavour::Nalgebra, &cells);
    notebook::run(&layout(), &path, &Options::default(), &mut |_| ()).unwrap();
    assert_nothing_is_left();
    let error = failure(&cells);
    assert!(error.contains("nalgebra"), "{error}");
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn every_crate_is_seen_without_a_dep_line_and_the_executed_notebook_holds_the_outputs() {
    let folder = Folder::new();
    let written = folder.0.join("executed.ipynb");
    let options = Options {
        write_to: Some(written.clone()),
        ..Options::default()
    };
    let run = run_with(
        &options,
        &[
            ("values", "use ndarray::array; let a = array![1.0, 2.0]; let total = a.sum();"),
            ("carried-over", "println!(\"total {total}\");"),
            ("generator", "use rand::{SeedableRng, rngs::StdRng}; let mut generator = StdRng::seed_from_u64(1);"),
            ("maps", "use std::collections::HashMap; let mut map = HashMap::new(); map.insert(1u8, total); \
                      let pairs: Vec<_> = map.iter().map(|(key, value)| (*key, *value)).collect();"),
            ("plotters", "use plotters::prelude::*; let colour = RED.to_rgba();"),
            ("figure", "use moments::Adam; use moments_lab::{objective::Square, plot::Figure, run};\n\
                        let trace = run(&Square, &[3.0], Adam::default(), 3).unwrap();\n\
                        Figure::lines(\"Loss\", \"It falls.\").series(\"Adam\", trace.series(|s| s.loss))"),
        ],
    )
    .unwrap();
    let ids: Vec<&str> = run.cells.iter().map(|cell| cell.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "values",
            "carried-over",
            "generator",
            "maps",
            "plotters",
            "figure"
        ]
    );
    assert!(run.ready_seconds > 0.0 && run.total_seconds > run.ready_seconds);
    let executed = fs::read_to_string(written).unwrap();
    assert!(executed.contains("total 3") && executed.contains("image/svg+xml"));
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_cell_that_panics_fails_the_notebook_and_is_named() {
    let error = failure(&[
        ("fine", "let x = 1;"),
        ("broken", "let empty: Vec<f64> = Vec::new(); empty[7]"),
        ("after", "x"),
    ]);
    assert!(
        error.contains("cell broken") && error.contains("index out of bounds"),
        "{error}"
    );
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_panic_that_the_cell_swallows_is_found_in_what_it_wrote() {
    let error = failure(&[(
        "swallowed",
        "let _ = std::panic::catch_unwind(|| panic!(\"hidden\"));",
    )]);
    assert!(
        error.contains("cell swallowed") && error.contains("hidden"),
        "{error}"
    );
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_cell_that_does_not_compile_is_named_with_its_error() {
    let error = failure(&[("typo", "let y: f64 = undefined_name + 1.0;")]);
    assert!(
        error.contains("cell typo") && error.contains("undefined_name"),
        "{error}"
    );
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_cell_without_an_end_fails_after_its_time_and_nothing_keeps_running() {
    let options = Options {
        cell_timeout: Duration::from_secs(4),
        ..Options::default()
    };
    let error = run_with(&options, &[("endless", "loop { std::hint::spin_loop() }")]).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("cell endless") && error.contains('4'),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_kernel_that_dies_fails_the_notebook() {
    // The cell's parent is evcxr_jupyter; when that is gone the launcher ends, and Jupyter sees a dead kernel.
    let kill = "let parent = std::os::unix::process::parent_id().to_string();\n\
                std::process::Command::new(\"kill\").args([\"-9\", &parent]).status().unwrap();\n\
                std::thread::sleep(std::time::Duration::from_secs(60));";
    let error = failure(&[("deadly", kill)]);
    assert!(
        error.contains("died") && error.contains("deadly"),
        "{error}"
    );
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_notebook_in_which_no_cell_was_executed_fails() {
    for cells in [&[][..], &[("blank", "  \n")][..]] {
        let error = failure(cells);
        assert!(error.contains("no code cell was executed"), "{error}");
    }
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn the_command_fails_when_the_notebook_does() {
    let folder = Folder::new();
    let run = |cells: &[(&str, &str)]| {
        Command::new(env!("CARGO_BIN_EXE_moments-kernel"))
            .arg("run")
            .arg(folder.notebook(cells))
            .current_dir(layout().root())
            .output()
            .unwrap()
    };
    let good = run(&[("sum", "1 + 1")]);
    assert!(good.status.success(), "{good:?}");
    assert!(String::from_utf8_lossy(&good.stdout).contains("sum"));
    let bad = run(&[("panic", "panic!(\"on purpose\")")]);
    assert!(!bad.status.success());
    let stderr = String::from_utf8_lossy(&bad.stderr);
    assert!(
        stderr.contains("cell panic") && stderr.contains("on purpose"),
        "{stderr}"
    );
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_warm_start_compiles_no_dependency_again() {
    let layout = layout();
    let run = run(&[("use", "use moments::Adam; Adam::default().lr")]).unwrap();
    assert_eq!(run.cells.len(), 1);
    // What the kernel prints while it starts goes to Jupyter's log: start one by hand to read it.
    let folder = Folder::new();
    let control = folder.0.join("control file.json");
    fs::write(&control, CONTROL).unwrap();
    let log = folder.0.join("log");
    let file = fs::File::create(&log).unwrap();
    let mut kernel = Command::new(layout.launcher())
        .args(["launch", "--root"])
        .arg(layout.root())
        .arg(&control)
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(15));
    let id = kernel.id().to_string();
    assert!(
        kernel.try_wait().unwrap().is_none(),
        "{}",
        fs::read_to_string(&log).unwrap()
    );
    // The launcher passes the signal on and removes its directory.
    #[cfg(unix)]
    {
        assert!(Command::new("kill").arg(&id).status().unwrap().success());
        kernel.wait().unwrap();
    }
    #[cfg(not(unix))]
    {
        let _ = id;
        kernel.kill().unwrap();
        kernel.wait().unwrap();
    }
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.contains("Loading startup configuration"), "{log}");
    assert!(!log.contains("Compiling"), "{log}");
    assert_nothing_is_left();
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn jupyters_interrupt_ends_a_training_loop_within_a_second_and_loses_nothing() {
    print!(
        "{}",
        robust::drive(&robust::specs(&layout()), &["interrupt".as_ref()])
    );
    assert_nothing_is_left();
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_panic_is_told_in_three_lines_and_says_that_variables_are_lost() {
    print!(
        "{}",
        robust::drive(&robust::specs(&layout()), &["panics".as_ref()])
    );
    assert_nothing_is_left();
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_client_that_asks_and_listens_in_the_order_of_vs_code_is_served() {
    robust::drive(&robust::specs(&layout()), &["vscode".as_ref()]);
    assert_nothing_is_left();
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn a_waiting_kernel_is_given_away_alive_and_ends_with_jupyterlab() {
    let folder = Folder::new();
    let output = Command::new(layout().python())
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/real_kernel/pool.py"
        ))
        .arg(&folder.0)
        .envs(layout().jupyter_env())
        .env_remove("MOMENTS_POOL")
        .env_remove("MOMENTS_POOL_FREE_MB")
        .output()
        .unwrap();
    print!("{}", robust::succeeded(&output));
    assert_nothing_is_left();
}
