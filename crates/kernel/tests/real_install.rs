//! Installed kernels with the real evcxr_jupyter, driven in the order of VS Code. Needs what `cargo course kernel setup` installs:
//! `cargo test -p moments-kernel --test real_install -- --ignored`.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use moments_kernel::{Layout, Step};

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
#[ignore = "needs the kernel: run `cargo course kernel setup` first"]
fn installed_kernels_compute_in_a_jupyter_that_knows_neither_the_clone_nor_the_pool_nor_the_way_to_rust()
 {
    let root = fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).unwrap();
    let layout = Layout::new(&root).unwrap();
    for step in Step::ALL {
        assert!(
            step.check(&layout).is_present(),
            "{}: run `cargo course kernel setup`",
            step.name()
        );
    }
    let name = format!("moments real install {}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let prefix = folder.join("my prefix");
    fs::create_dir_all(&folder).unwrap();
    let run = |verb: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_moments-kernel"))
            .current_dir(&root)
            .args([verb, "--prefix"])
            .arg(&prefix)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", told(&output));
    };
    run("install");
    let jupyter = folder.join("jupyter");
    let mut command = Command::new(layout.python());
    command
        .arg(root.join("docker/try_kernels.py"))
        .args(["moments", "moments-nalgebra"])
        .current_dir(&folder)
        .env_clear()
        // What a desktop gives an editor: no cargo, no settings.
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", std::env::home_dir().unwrap())
        .env("JUPYTER_PATH", prefix.join("share/jupyter"))
        .env("JUPYTER_DATA_DIR", jupyter.join("data"))
        .env("JUPYTER_RUNTIME_DIR", jupyter.join("runtime"))
        .env("JUPYTER_CONFIG_DIR", jupyter.join("config"));
    let output = command.output().unwrap();
    let text = told(&output);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches("first result after").count(), 2, "{text}");
    println!("{text}");
    run("uninstall");
    assert!(!Path::new(&prefix).exists());
    fs::remove_dir_all(folder).unwrap();
}
