//! The learner's verbs as a learner calls them: the real command, in a small clone with four exercises, with the real cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A clone with an exercise that passes, one that is not written, one that does not compile and one that fails.
struct Clone(PathBuf);

const EXERCISES: [(&str, &str); 4] = [
    ("ex01-one", "pub fn answer() -> i32 { 1 }\n"),
    ("ex02-two", "pub fn answer() -> i32 { todo!() }\n"),
    ("ex03-three", "pub fn answer() -> i32 { x }\n"),
    ("ex04-four", "pub fn answer() -> i32 { 4 + 1 }\n"),
];

fn starter(slug: &str) -> String {
    format!("//! # {slug}\n//!\n//! Write the number.\n\npub fn answer() -> i32 {{ todo!() }}\n")
}

impl Clone {
    fn new(name: &str) -> Self {
        let root =
            std::env::temp_dir().join(format!("moments-verbs-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let clone = Self(root.canonicalize().unwrap());
        // What tells a clone, and what judges.
        for file in [
            "crates/kernel/Cargo.toml",
            "crates/moments/Cargo.toml",
            "crates/checks/Cargo.toml",
        ] {
            clone.write(file, "");
        }
        clone.write("crates/checks/src/lib.rs", "checks\n");
        clone.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"exercises/ex*\"]\n",
        );
        for (number, (slug, code)) in (1..).zip(EXERCISES) {
            let lib = slug.replace('-', "_");
            clone.write(
                &format!("exercises/{slug}/Cargo.toml"),
                &format!("[package]\nname = \"{slug}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ntest = false\ndoctest = false\n"),
            );
            clone.write(&format!("exercises/{slug}/src/lib.rs"), code);
            clone.write(
                &format!("exercises/{slug}/HINTS.md"),
                "## Question\n\nWhy?\n\n## Formula\n\nx\n\n## Code\n\ny\n",
            );
            for room in ["exercises", "solutions"] {
                clone.write(
                    &format!("{room}/{slug}/tests/t.rs"),
                    &format!("#[test]\nfn the_answer() {{\n    assert_eq!({lib}::answer(), {number}, \"Asked: the number.\");\n}}\n"),
                );
            }
            clone.write(
                &format!("solutions/{slug}/src/lib.rs"),
                &format!("pub fn answer() -> i32 {{ {number} }}\n"),
            );
            clone.write(
                &format!("crates/course/starters/ex0{number}.rs"),
                &starter(slug),
            );
        }
        clone.manifest(&EXERCISES.map(|(slug, _)| slug));
        clone
    }

    fn manifest(&self, slugs: &[&str]) {
        let entries = slugs.iter().map(|slug| {
            format!(
                "[[exercise]]\nid = \"{}\"\nslug = \"{slug}\"\ntitle = \"The number of {slug}\"\ndifficulty = 1\nminutes = 5\n",
                &slug[..4]
            )
        });
        self.write("exercises/exercises.toml", &entries.collect::<String>());
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moments-course"));
        command
            .current_dir(&self.0)
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("NO_COLOR");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command().args(arguments))
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        let ran = Self {
            code: status.code(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        };
        assert!(
            !ran.out.contains('\x1b') && !ran.err.contains('\x1b'),
            "colour where there is no terminal: {}{}",
            ran.out,
            ran.err
        );
        ran
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

#[test]
fn all_exercises_are_tested_though_one_does_not_compile() {
    let clone = Clone::new("all");
    let ran = clone.run(&["test", "all"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    for line in [
        "  passes  ex01  The number of ex01-one    1 check",
        "  to do   ex02  The number of ex02-two    0 of 1 check",
        "  fails   ex03  The number of ex03-three  does not compile",
        "  fails   ex04  The number of ex04-four   0 of 1 check: the_answer",
        "1 of 4 exercises pass.",
    ] {
        assert!(
            ran.out.lines().any(|one| one == line),
            "{line}:\n{}",
            ran.out
        );
    }
    let json = clone.run(&["test", "all", "--json"]).json();
    assert_eq!(json["passing"], 1);
    let passed: Vec<_> = json["exercises"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["passed"] == true, one["compiled"] == true))
        .collect();
    assert_eq!(
        passed,
        [(true, true), (false, true), (false, false), (false, true)]
    );
    for (slug, _) in EXERCISES {
        clone.write(
            &format!("exercises/{slug}/src/lib.rs"),
            &clone.read(&format!("solutions/{slug}/src/lib.rs")),
        );
    }
    assert_eq!(clone.run(&["test", "all"]).code, Some(0));
    let next = clone.run(&["next"]);
    assert_eq!(next.code, Some(0));
    assert!(next.out.contains("Every exercise passes"), "{}", next.out);
}

#[test]
fn exit_codes_tell_passing_failing_and_neither() {
    let clone = Clone::new("codes");
    assert_eq!(clone.run(&["test", "one"]).code, Some(0));
    let ran = clone.run(&["test", "ex04"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("Asked: the number."), "{}", ran.out);
    let ran = clone.run(&["test", "ex03", "--json"]);
    assert_eq!(ran.code, Some(1));
    let compiler = ran.json()["compiler"].as_str().unwrap().to_owned();
    assert!(compiler.contains("cannot find value `x`"), "{compiler}");
    for wrong in [
        &["test", "ex09"][..],
        &["test"],
        &["test", "--no-such-option"],
        &["hint", "ex09"],
        &["watch"],
        &["verify", "--check", "none.toml"],
        &["no-such-verb"],
    ] {
        let ran = clone.run(wrong);
        assert_eq!(ran.code, Some(2), "{wrong:?}");
        assert!(!ran.err.is_empty(), "{wrong:?} says nothing");
    }
    // Cargo does nothing in a workspace with a member that is none: that is not a verdict.
    clone.write("exercises/ex04-four/Cargo.toml", "nonsense");
    let ran = clone.run(&["test", "ex01"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("ex04-four"), "{}", ran.err);
}

#[test]
fn an_exercise_is_the_folder_one_stands_in() {
    let clone = Clone::new("folder");
    let mut command = clone.command();
    command.current_dir(clone.0.join("exercises/ex01-one/src"));
    assert_eq!(Ran::of(command.arg("test")).code, Some(0));
}

#[test]
fn the_status_tests_what_has_changed_and_is_kept_under_the_id() {
    let clone = Clone::new("status");
    let standings = |json: &serde_json::Value| -> Vec<String> {
        let list = json["exercises"].as_array().unwrap();
        list.iter()
            .map(|one| one["standing"].as_str().unwrap().to_owned())
            .collect()
    };
    let json = clone.run(&["status", "--json"]).json();
    assert_eq!(standings(&json), ["passes", "todo", "fails", "fails"]);
    assert_eq!(
        (&json["next"], &json["minutes_left"]),
        (&"ex02".into(), &15.into())
    );
    clone.write(
        "exercises/ex04-four/src/lib.rs",
        "pub fn answer() -> i32 { 4 }\n",
    );
    let json = clone.run(&["status", "--json"]).json();
    assert_eq!(standings(&json), ["passes", "todo", "fails", "passes"]);

    // The folder of ex01 gets another name, and its code is to be written anew.
    fs::rename(
        clone.0.join("exercises/ex01-one"),
        clone.0.join("exercises/ex01-uno"),
    )
    .unwrap();
    clone.write(
        "exercises/ex01-uno/Cargo.toml",
        "[package]\nname = \"ex01-uno\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    clone.write("exercises/ex01-uno/src/lib.rs", &starter("ex01-uno"));
    clone.manifest(&["ex01-uno", "ex02-two", "ex03-three", "ex04-four"]);
    let json = clone.run(&["status", "--json"]).json();
    assert_eq!(standings(&json), ["todo", "todo", "fails", "passes"]);
    assert_eq!(json["exercises"][0]["passed_once"], true);
    let text = clone.run(&["status"]).out;
    assert!(text.contains("has passed"), "{text}");
    assert!(!text.contains("MOMENTS_POOL"), "{text}");
}

#[cfg(unix)]
#[test]
fn the_status_names_the_memory_of_a_kernel_that_waits_and_the_setting_that_turns_it_off() {
    let clone = Clone::new("pool");
    // A process that lives and takes some memory: this one.
    let note = format!("[{{\"pid\": {}}}]", std::process::id());
    clone.write(".course/jupyter/runtime/moments-pool.json", &note);
    let text = clone.run(&["status"]).out;
    assert!(
        text.contains("Notebooks: 1 kernel waits to be asked for, with ")
            && text.contains(" MB of memory; MOMENTS_POOL=0 turns that off."),
        "{text}"
    );
    let json = clone.run(&["status", "--json"]).json();
    assert_eq!(json["pool"]["kernels"], 1);
    assert!(json["pool"]["bytes"].as_u64().unwrap() > 0, "{json}");
}

#[test]
fn a_place_that_takes_no_memory_takes_no_verdict_away() {
    let clone = Clone::new("forgetful");
    // A file in the place of the folder: nothing can be written below it.
    clone.write(".course", "");
    let ran = clone.run(&["test", "ex01"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.contains("check passes"), "{}", ran.out);
    assert!(ran.err.contains("not remembered"), "{}", ran.err);
    assert_eq!(clone.run(&["hint", "ex01"]).code, Some(0));
}

#[test]
fn a_learner_is_led_to_a_hint_the_solution_and_a_new_beginning() {
    let clone = Clone::new("led");
    let next = clone.run(&["next"]).out;
    assert!(
        next.contains("ex02") && next.contains("exercises/ex02-two/src/lib.rs"),
        "{next}"
    );
    let hint = clone.run(&["hint", "ex02"]).out;
    assert!(
        hint.contains("Why?") && !hint.contains("hint 2 of 3"),
        "{hint}"
    );
    let solution = clone.run(&["solution", "ex02"]).out;
    assert!(
        solution.contains("+pub fn answer() -> i32 { 2 }"),
        "{solution}"
    );
    let reset = clone.run(&["reset", "ex03"]);
    assert_eq!(reset.code, Some(0));
    assert!(
        reset.out.contains("exercises/ex03-three/src/lib.old-1.rs"),
        "{}",
        reset.out
    );
    assert_eq!(
        clone.read("exercises/ex03-three/src/lib.rs"),
        starter("ex03-three")
    );
    assert!(
        clone
            .read("exercises/ex03-three/src/lib.old-1.rs")
            .contains("{ x }")
    );
    let again = clone.run(&["reset", "ex03"]).out;
    assert!(again.contains("nothing was changed"), "{again}");
}

#[test]
fn a_certificate_holds_until_a_file_changes() {
    let clone = Clone::new("certificate");
    let ran = clone.run(&["verify", "--name", "Ada"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.out.contains("1 of 4 exercises pass"), "{}", ran.out);
    let path = ran
        .out
        .lines()
        .find_map(|line| line.strip_prefix("The certificate: "))
        .unwrap()
        .to_owned();
    assert!(clone.read(&path).contains("name = \"Ada\""));
    let check = || clone.run(&["verify", "--check", &path]);
    let ran = check();
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("It holds."), "{}", ran.out);

    // Tests that are not the course's judge nothing, and the files are others.
    clone.write("exercises/ex04-four/tests/t.rs", "#[test]\nfn yes() {}\n");
    let ran = check();
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains("ex04: the files here are others."),
        "{}",
        ran.out
    );
    let again = clone.run(&["verify"]).out;
    assert!(again.contains("its tests are not the course's"), "{again}");
    assert!(again.contains("1 of 4 exercises pass"), "{again}");
    assert!(
        Path::new(&clone.0).join(&path).is_file(),
        "the first one is still there"
    );
    assert!(!clone.0.join(".course/verify").exists());
}

#[cfg(unix)]
mod terminal {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::process::Child;
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

    use super::Clone;

    /// A terminal of 80 columns and 24 rows, and a watch in it.
    struct Terminal {
        keys: File,
        screen: Arc<Mutex<String>>,
        slave: File,
        child: Child,
        before: String,
    }

    impl Terminal {
        fn watch(clone: &Clone, arguments: &[&str]) -> Self {
            let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            grantpt(&master).unwrap();
            unlockpt(&master).unwrap();
            let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
            let slave = File::options().read(true).write(true).open(name).unwrap();
            let size = Winsize {
                ws_row: 24,
                ws_col: 80,
                ws_xpixel: 0,
                ws_ypixel: 0,
            };
            tcsetwinsize(&slave, size).unwrap();
            let before = modes(&slave);
            let mut command = clone.command();
            command
                .arg("watch")
                .args(arguments)
                .env("TERM", "xterm")
                .stdin(slave.try_clone().unwrap())
                .stdout(slave.try_clone().unwrap())
                .stderr(slave.try_clone().unwrap());
            let child = command.spawn().unwrap();
            let mut output = File::from(master);
            let keys = output.try_clone().unwrap();
            let screen = Arc::new(Mutex::new(String::new()));
            let filled = Arc::clone(&screen);
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(length) = output.read(&mut bytes) {
                    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                    filled.lock().unwrap().push_str(&text);
                }
            });
            Self {
                keys,
                screen,
                slave,
                child,
                before,
            }
        }

        /// Waits until this is shown; what was shown up to it is forgotten.
        fn expect(&self, text: &str) {
            let deadline = Instant::now() + Duration::from_mins(1);
            loop {
                {
                    let mut screen = self.screen.lock().unwrap();
                    if let Some(at) = screen.find(text) {
                        screen.drain(..at + text.len());
                        return;
                    }
                    assert!(Instant::now() < deadline, "no `{text}` in:\n{screen}");
                }
                thread::sleep(Duration::from_millis(20));
            }
        }

        fn press(&mut self, key: &str) {
            self.keys.write_all(key.as_bytes()).unwrap();
        }

        /// Waits for the end, and sees that the terminal is as it was.
        fn end(mut self) -> Option<i32> {
            let deadline = Instant::now() + Duration::from_secs(30);
            let status = loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    break status;
                }
                assert!(Instant::now() < deadline, "it does not end");
                thread::sleep(Duration::from_millis(20));
            };
            assert_eq!(modes(&self.slave), self.before);
            status.code()
        }
    }

    impl Drop for Terminal {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    fn modes(terminal: &File) -> String {
        let modes = tcgetattr(terminal).unwrap();
        format!(
            "{:?} {:?} {:?}",
            modes.input_modes, modes.output_modes, modes.local_modes
        )
    }

    #[test]
    fn a_watch_tests_at_every_save_and_answers_to_keys() {
        let clone = Clone::new("watch");
        let mut terminal = Terminal::watch(&clone, &["ex04"]);
        terminal.expect("0 of 1 check pass");
        terminal.expect("q quit");
        assert_ne!(
            modes(&terminal.slave),
            terminal.before,
            "keys come one by one"
        );
        clone.write(
            "exercises/ex04-four/src/lib.rs",
            "pub fn answer() -> i32 { 4 }\n",
        );
        terminal.expect("its one check passes");
        clone.write(
            "exercises/ex04-four/src/lib.rs",
            "pub fn answer() -> i32 { y }\n",
        );
        terminal.expect("it does not compile yet");
        terminal.expect("cannot find value");
        terminal.press("h");
        terminal.expect("hint 1 of 3");
        terminal.press("l");
        // Only this one has been tested.
        terminal.expect("edited\x1b[0m  ex01");
        terminal.expect("fails \x1b[0m  ex04");
        terminal.press(" ");
        terminal.expect("it does not compile yet");
        terminal.press("r");
        terminal.expect("Run 4");
        // The first one is not known to pass before it has been tested.
        terminal.press("n");
        terminal.expect("ex01");
        terminal.expect("its one check passes");
        terminal.press("n");
        terminal.expect("ex02");
        terminal.expect("0 of 1 check pass");
        terminal.press("q");
        assert_eq!(terminal.end(), Some(0));
    }

    #[test]
    fn a_save_during_a_run_ends_it_and_begins_anew() {
        let clone = Clone::new("watch-again");
        let slow =
            "pub fn answer() -> i32 { std::thread::sleep(std::time::Duration::from_mins(5)); 4 }\n";
        clone.write("exercises/ex04-four/src/lib.rs", slow);
        let mut terminal = Terminal::watch(&clone, &["ex04"]);
        // It is compiled, and runs.
        terminal.expect("Testing ex04-four");
        clone.write(
            "exercises/ex04-four/src/lib.rs",
            "pub fn answer() -> i32 { 4 }\n",
        );
        terminal.expect("its one check passes");
        // A run that is under way at the end does not outlive it.
        clone.write("exercises/ex04-four/src/lib.rs", slow);
        terminal.expect("Testing ex04-four");
        terminal.press("\x03");
        assert_eq!(terminal.end(), Some(0));
    }

    #[test]
    fn a_signal_ends_a_watch_as_a_key_does() {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
            let clone = Clone::new(&format!("watch-{}", signal.as_raw()));
            let terminal = Terminal::watch(&clone, &["ex01"]);
            terminal.expect("its one check passes");
            terminal.expect("q quit");
            kill_process(Pid::from_child(&terminal.child), signal).unwrap();
            assert_eq!(terminal.end(), Some(0));
        }
    }

    #[test]
    fn without_a_name_the_next_one_is_watched_and_keys_survive_a_broken_list() {
        let clone = Clone::new("watch-next");
        let mut terminal = Terminal::watch(&clone, &[]);
        terminal.expect("ex01");
        terminal.expect("q quit");
        clone.write("exercises/exercises.toml", "nonsense");
        terminal.press("l");
        terminal.expect("has a mistake");
        terminal.press("q");
        assert_eq!(terminal.end(), Some(0));
    }
}
