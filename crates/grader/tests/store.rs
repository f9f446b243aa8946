//! What a store promises: whole files or none, nothing overwritten, nothing lost.

mod common;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Folder, Random, assert_same, entry, files, outcome};
use moments_grader::log::{self, Event, Line};
use moments_grader::store::{self, Store};

fn path_of(dir: &Path, number: u64) -> std::path::PathBuf {
    dir.join("outcomes")
        .join(format!("{}.json", outcome(number).key()))
}

fn lines(dir: &Path) -> Vec<Line> {
    let text = fs::read_to_string(dir.join("log.jsonl")).unwrap();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn refused(dir: &Path) -> String {
    Store::open(dir)
        .expect_err("it should be refused")
        .to_string()
}

#[test]
fn what_is_put_is_there_after_opening_again() {
    let dir = Folder::new();
    let store = Store::open(dir.path()).unwrap();
    assert!(!store.has(&outcome(1).key()));
    assert_eq!(store.get(&outcome(1).key()).unwrap(), None);
    store.put(&outcome(1), 0.25).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert!(store.has(&outcome(1).key()));
    assert_eq!(store.get(&outcome(1).key()).unwrap(), Some(outcome(1)));
    let text = fs::read_to_string(path_of(dir.path(), 1)).unwrap();
    assert!(text.starts_with("{\n  \"schema\"") && text.ends_with("}\n"));
}

#[test]
fn an_outcome_is_the_same_bytes_whatever_the_time_it_took() {
    let (a, b) = (Folder::new(), Folder::new());
    Store::open(a.path())
        .unwrap()
        .put(&outcome(2), 1.0)
        .unwrap();
    Store::open(b.path())
        .unwrap()
        .put(&outcome(2), 2.0)
        .unwrap();
    assert_eq!(files(&a.join("outcomes")), files(&b.join("outcomes")));
    assert_ne!(files(&a.join("times")), files(&b.join("times")));
}

#[test]
fn the_same_outcome_twice_is_one() {
    let dir = Folder::new();
    let store = Store::open(dir.path()).unwrap();
    store.put(&outcome(1), 1.0).unwrap();
    store.put(&outcome(1), 2.0).unwrap();
    assert_eq!(lines(dir.path()).len(), 1);
}

#[test]
fn another_outcome_under_the_same_name_is_refused_and_regrade_keeps_both() {
    let dir = Folder::new();
    let store = Store::open(dir.path()).unwrap();
    let first = outcome(1);
    let mut second = first.clone();
    second.remarks.push("graded once more".to_owned());
    store.put(&first, 1.0).unwrap();
    let before = fs::read(path_of(dir.path(), 1)).unwrap();
    let error = store.put(&second, 1.0).unwrap_err().to_string();
    assert!(
        error.contains(&first.key()) && error.contains("--regrade"),
        "{error}"
    );
    assert_eq!(fs::read(path_of(dir.path(), 1)).unwrap(), before);
    store.regrade(&second, 1.0).unwrap();
    assert_eq!(store.get(&first.key()).unwrap(), Some(second.clone()));
    let history = files(&dir.join("history"));
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].1, before);
    // The same once more replaces nothing, and the folder opens again.
    store.regrade(&second, 1.0).unwrap();
    assert_eq!(files(&dir.join("history")), history);
    drop(store);
    Store::open(dir.path()).unwrap();
}

#[test]
fn a_fault_is_counted_is_no_outcome_and_ends_with_one() {
    let dir = Folder::new();
    let store = Store::open(dir.path()).unwrap();
    let key = outcome(1).key();
    assert_eq!(
        store.fault(&key, "ex07", "podman did not start").unwrap(),
        1
    );
    assert_eq!(
        store.fault(&key, "ex07", "podman did not start").unwrap(),
        2
    );
    assert!(!store.has(&key));
    assert_eq!(files(&dir.join("faults")).len(), 1);
    store.put(&outcome(1), 1.0).unwrap();
    assert!(files(&dir.join("faults")).is_empty());
    // A later fault does not touch the outcome.
    store.fault(&key, "ex07", "podman did not start").unwrap();
    assert!(files(&dir.join("faults")).is_empty());
    assert_eq!(store.get(&key).unwrap(), Some(outcome(1)));
}

#[test]
fn the_class_is_sorted_and_a_newer_submission_takes_the_place_of_the_older() {
    let (a, b) = (Folder::new(), Folder::new());
    let entries: Vec<_> = (0..20).map(entry).collect();
    let store = Store::open(a.path()).unwrap();
    store.class(&entries).unwrap();
    let backwards: Vec<_> = entries.iter().rev().cloned().collect();
    let other = Store::open(b.path()).unwrap();
    other.class(&backwards[..7]).unwrap();
    other.class(&backwards[7..]).unwrap();
    let text = fs::read_to_string(a.join("class.json")).unwrap();
    assert_eq!(text, fs::read_to_string(b.join("class.json")).unwrap());
    let mut newer = entries[3].clone();
    newer.key = "0".repeat(64);
    store.class(&[newer]).unwrap();
    let text = fs::read_to_string(a.join("class.json")).unwrap();
    assert_eq!(text.matches("\"student\": \"student-0003\"").count(), 1);
    assert!(text.contains(&"0".repeat(64)));
}

#[test]
fn two_graders_do_not_work_in_one_folder() {
    let dir = Folder::new();
    let store = Store::open(dir.path()).unwrap();
    assert!(refused(dir.path()).contains("another grader"));
    drop(store);
    Store::open(dir.path()).unwrap();
}

#[test]
fn files_half_written_by_a_killed_grader_are_removed() {
    let dir = Folder::new();
    Store::open(dir.path())
        .unwrap()
        .put(&outcome(1), 1.0)
        .unwrap();
    for place in [
        "outcomes/.moments-1-2.tmp",
        "times/.moments-1-3.tmp",
        ".moments-1-4.tmp",
    ] {
        fs::write(dir.join(place), "{").unwrap();
    }
    fs::write(dir.join("outcomes/.DS_Store"), "left by the system").unwrap();
    Store::open(dir.path()).unwrap();
    let left: Vec<_> = files(dir.path())
        .into_iter()
        .filter(|(name, _)| name.contains("/.") || name.starts_with('.'))
        .collect();
    assert_eq!(
        left.len(),
        1,
        "the file of the system alone is left: {left:?}"
    );
}

#[test]
fn every_bad_file_is_named_with_the_fix_and_none_is_touched() {
    let dir = Folder::new();
    let store = Store::open(dir.path()).unwrap();
    for number in 1..=4 {
        store.put(&outcome(number), 1.0).unwrap();
    }
    drop(store);
    let bytes = fs::read(path_of(dir.path(), 1)).unwrap();
    fs::write(path_of(dir.path(), 1), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(path_of(dir.path(), 2), "").unwrap();
    fs::copy(path_of(dir.path(), 4), path_of(dir.path(), 3)).unwrap();
    let before = files(dir.path());
    let error = refused(dir.path());
    for number in 1..=3 {
        assert!(error.contains(&outcome(number).key()), "{error}");
    }
    assert!(
        !error
            .lines()
            .any(|line| line.starts_with(&*path_of(dir.path(), 4).to_string_lossy())),
        "{error}"
    );
    assert_eq!(error.matches("move it away").count(), 3, "{error}");
    assert_same(&files(dir.path()), &before, "nothing is touched");
    // The fix that is named is one.
    for number in 1..=3 {
        fs::remove_file(path_of(dir.path(), number)).unwrap();
    }
    let store = Store::open(dir.path()).unwrap();
    store.put(&outcome(1), 1.0).unwrap();
}

#[test]
fn a_foreign_file_is_named() {
    let dir = Folder::new();
    drop(Store::open(dir.path()).unwrap());
    fs::write(dir.join("outcomes/notes.txt"), "mine").unwrap();
    assert!(refused(dir.path()).contains("notes.txt: it is not a file of the grader"));
    assert_eq!(
        fs::read_to_string(dir.join("outcomes/notes.txt")).unwrap(),
        "mine"
    );
}

#[test]
fn points_changed_by_hand_are_noticed() {
    let dir = Folder::new();
    let mut changed = outcome(1);
    Store::open(dir.path()).unwrap().put(&changed, 1.0).unwrap();
    changed.points += 1;
    let mut text = serde_json::to_vec_pretty(&changed).unwrap();
    text.push(b'\n');
    fs::write(path_of(dir.path(), 1), text).unwrap();
    assert!(refused(dir.path()).contains("changed after grading"));
}

#[test]
fn a_form_that_is_not_known_is_refused() {
    let dir = Folder::new();
    drop(Store::open(dir.path()).unwrap());
    let mut other = outcome(1);
    other.schema = "moments/outcome/v9".to_owned();
    fs::write(path_of(dir.path(), 1), serde_json::to_vec(&other).unwrap()).unwrap();
    assert!(refused(dir.path()).contains("moments/outcome/v9"));
}

#[test]
fn an_outcome_without_a_line_in_the_log_is_found() {
    let dir = Folder::new();
    drop(Store::open(dir.path()).unwrap());
    let mut text = serde_json::to_vec_pretty(&outcome(1)).unwrap();
    text.push(b'\n');
    fs::write(path_of(dir.path(), 1), text).unwrap();
    assert!(Store::open(dir.path()).unwrap().has(&outcome(1).key()));
    let lines = lines(dir.path());
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (lines[0].event, lines[0].key.as_str()),
        (Event::Found, outcome(1).key().as_str())
    );
}

/// A log of six lines.
fn logged() -> Folder {
    let dir = Folder::new();
    let store = Store::open(dir.path()).unwrap();
    store.fault(&outcome(1).key(), "ex07", "no space").unwrap();
    for number in 1..=5 {
        store.put(&outcome(number), 1.0).unwrap();
    }
    dir
}

#[test]
fn the_log_tells_what_was_done_and_its_chain_holds() {
    let dir = logged();
    let verified = log::verify(&dir.join("log.jsonl")).unwrap();
    assert_eq!(verified.lines, 6);
    let lines = lines(dir.path());
    assert_eq!(lines[0].event, Event::Fault);
    assert!(lines[1..].iter().all(|line| line.event == Event::Graded));
    for line in &lines {
        let time: jiff::Timestamp = line.time.parse().unwrap();
        assert!(line.time.ends_with('Z') && time <= jiff::Timestamp::now());
    }
}

#[test]
fn a_line_changed_taken_out_or_put_in_is_named() {
    let dir = logged();
    let path = dir.join("log.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let write = |lines: Vec<&str>| fs::write(&path, lines.join("\n") + "\n").unwrap();
    for at in 0..lines.len() {
        let changed = lines[at].replace("\"time\":\"2", "\"time\":\"1");
        assert_ne!(changed, lines[at]);
        let mut all = lines.clone();
        all[at] = &changed;
        write(all);
        // A changed last line fits itself: nothing follows it that could tell.
        if at + 1 < lines.len() {
            let error = log::verify(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("line {}", at + 2)), "{at}: {error}");
            assert!(refused(dir.path()).contains("log.jsonl"));
        } else {
            assert_ne!(log::verify(&path).unwrap().head, head(&whole));
        }
        let mut all = lines.clone();
        all.remove(at);
        write(all);
        if at + 1 < lines.len() {
            let error = log::verify(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("line {}", at + 1)), "{at}: {error}");
        } else {
            assert_ne!(log::verify(&path).unwrap().head, head(&whole));
        }
        let mut all = lines.clone();
        all.insert(at, lines[at]);
        write(all);
        let error = log::verify(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("line {}", at + 2)), "{at}: {error}");
    }
}

fn head(log: &str) -> String {
    let dir = Folder::new();
    fs::write(dir.join("log"), log).unwrap();
    log::verify(&dir.join("log")).unwrap().head
}

#[test]
fn a_line_torn_anywhere_is_recorded_and_the_chain_goes_on() {
    let dir = logged();
    let path = dir.join("log.jsonl");
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .unwrap()
        + 1;
    for cut in last..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        drop(Store::open(dir.path()).unwrap_or_else(|error| panic!("cut at {cut}: {error}")));
        let after = fs::read(&path).unwrap();
        assert!(after.starts_with(&whole[..cut]), "what was there is left");
        let verified = log::verify(&path).unwrap();
        let events: Vec<Event> = lines(dir.path()).iter().map(|line| line.event).collect();
        match cut - last {
            0 => assert_eq!(events[5..], [Event::Found]),
            // Nothing but the end of the line was missing.
            n if n == whole.len() - 1 - last => assert_eq!(events[5..], [Event::Graded]),
            _ => assert_eq!(events[5..], [Event::Torn, Event::Found]),
        }
        assert_eq!(verified.outcomes.len(), 5);
        // The note of a torn line may be torn as well.
        if cut == last + 40 {
            for again in cut..after.len() {
                fs::write(&path, &after[..again]).unwrap();
                drop(
                    Store::open(dir.path())
                        .unwrap_or_else(|error| panic!("cut at {cut} and {again}: {error}")),
                );
                assert_eq!(log::verify(&path).unwrap().outcomes.len(), 5);
            }
        }
    }
}

#[test]
fn an_outcome_that_is_gone_is_missed() {
    let dir = logged();
    assert_eq!(store::verify(dir.path()).unwrap().outcomes.len(), 5);
    let path = path_of(dir.path(), 3);
    fs::remove_file(&path).unwrap();
    let error = store::verify(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains(&*path.to_string_lossy()) && error.contains("gone"),
        "{error}"
    );
    // The log of a shard is followed as well.
    fs::write(dir.join("logs/shard-1.jsonl"), "{}\n").unwrap();
    assert!(
        store::verify(dir.path())
            .unwrap_err()
            .to_string()
            .contains("shard-1.jsonl, line 1")
    );
}

/// Stores outcomes until it is killed: the other side of the next test.
#[test]
#[ignore = "runs in a process that is killed"]
fn store_until_killed() {
    let Ok(dir) = std::env::var("MOMENTS_STORE_UNTIL_KILLED") else {
        return;
    };
    let store = Store::open(Path::new(&dir)).unwrap();
    for number in 0.. {
        if store.has(&outcome(number).key()) {
            continue;
        }
        store
            .fault(&outcome(number).key(), "ex07", "on purpose")
            .unwrap();
        store.put(&outcome(number), 0.5).unwrap();
        // What has been said here must be there afterwards.
        println!("stored {number}");
        std::io::stdout().flush().unwrap();
    }
}

/// How many outcomes were said to be stored.
fn lines_of(said: &Path) -> usize {
    fs::read_to_string(said).unwrap().matches("stored ").count()
}

#[test]
fn killed_twenty_times_nothing_is_lost_or_torn_and_the_chain_holds() {
    let dir = Folder::new();
    let said = dir.join("said");
    let mut random = Random(7);
    for round in 0..20 {
        let output = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&said)
            .unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store_until_killed", "--ignored", "--nocapture"])
            .env("MOMENTS_STORE_UNTIL_KILLED", dir.join("store"))
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It is given the time to store two outcomes, however slow the machine is, and then is killed in the middle of something.
        let so_far = lines_of(&said);
        while lines_of(&said) < so_far + 2 {
            assert!(
                child.try_wait().unwrap().is_none(),
                "round {round}: it ended by itself"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random.next() % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();
        // Reopened and verified after every kill, not at the end alone.
        let store = Store::open(&dir.join("store"))
            .unwrap_or_else(|error| panic!("round {round}: {error}"));
        let text = fs::read_to_string(&said).unwrap();
        for line in text.lines() {
            if let Some(number) = line
                .strip_prefix("stored ")
                .and_then(|number| number.parse().ok())
            {
                assert_eq!(
                    store.get(&outcome(number).key()).unwrap(),
                    Some(outcome(number)),
                    "round {round}"
                );
            }
        }
    }
    let store = dir.join("store");
    let kept = files(&store.join("outcomes"));
    assert!(
        kept.len() > 20,
        "{} outcomes are too few to have been killed among",
        kept.len()
    );
    for (number, name) in (0..)
        .map(|number| (number, path_of(&store, number)))
        .take(kept.len())
    {
        let mut quiet = serde_json::to_vec_pretty(&outcome(number)).unwrap();
        quiet.push(b'\n');
        assert_eq!(fs::read(name).unwrap(), quiet, "the bytes of a quiet run");
    }
    let verified = log::verify(&store.join("log.jsonl")).unwrap();
    assert_eq!(verified.outcomes.len(), kept.len());
    let stored = lines(&store)
        .iter()
        .filter(|line| matches!(line.event, Event::Graded | Event::Found))
        .count();
    assert_eq!(stored, kept.len(), "none was stored twice");
}

/// Where a file system can be mounted, a full one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_no_half_file_and_what_was_stored_stays() {
    struct Mounted(std::path::PathBuf);
    impl Drop for Mounted {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(&self.0).status();
        }
    }
    let dir = Folder::new();
    let place = dir.join("small");
    fs::create_dir(&place).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
        .arg(&place)
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("nothing can be mounted here, so this is not tried");
        return;
    }
    let mounted = Mounted(place);
    let store = Store::open(&mounted.0).unwrap();
    let mut number = 0;
    let error = loop {
        match store.put(&outcome(number), 1.0) {
            Ok(()) => number += 1,
            Err(error) => break error.to_string(),
        }
    };
    assert!(number > 5, "{number}");
    assert!(error.contains("free some space"), "{error}");
    // Trying on while it is full changes nothing.
    for more in number..number + 20 {
        let _ = store.put(&outcome(more), 1.0);
        let _ = store.fault(&outcome(more).key(), "ex07", "the disk is full");
    }
    drop(store);
    for (name, bytes) in files(&mounted.0)
        .iter()
        .filter(|(name, _)| name.starts_with("outcomes/"))
    {
        assert!(
            serde_json::from_slice::<moments_grader::outcome::Outcome>(bytes).is_ok(),
            "{name}"
        );
    }
    // Space is made, and grading goes on.
    for (name, _) in files(&mounted.0)
        .iter()
        .filter(|(name, _)| name.starts_with("times/"))
    {
        fs::remove_file(mounted.0.join(name)).unwrap();
    }
    let store = Store::open(&mounted.0).unwrap();
    for stored in 0..number {
        assert_eq!(
            store.get(&outcome(stored).key()).unwrap(),
            Some(outcome(stored))
        );
    }
    store.put(&outcome(number), 1.0).unwrap();
    drop(store);
    log::verify(&mounted.0.join("log.jsonl")).unwrap();
}
