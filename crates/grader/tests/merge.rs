//! Shards folded into one: the same bytes for one shard or fifty.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Folder, Random, assert_same, entry, files, outcome};
use moments_grader::export::{self, Format};
use moments_grader::log;
use moments_grader::merge::merge;
use moments_grader::policy::Policy;
use moments_grader::record::Record;
use moments_grader::store::{self, Store};
use moments_grader::view::View;
use moments_grader::{similarity, summary};

/// Grades the `k`-th of `n` parts of a class.
fn shard(dir: &Path, class: u64, k: u64, n: u64) {
    let store = Store::open(dir).unwrap();
    let numbers: Vec<u64> = (0..class).filter(|number| number % n == k).collect();
    for &number in &numbers {
        // One in a hundred has a fault at first, and some never get over it.
        if number % 100 == 7 {
            store
                .fault(&outcome(number).key(), "ex07", "podman did not start")
                .unwrap();
        }
        if number % 200 != 7 {
            store
                .put(&outcome(number), (number % 10 % 9) as f64 / 8.0)
                .unwrap();
        }
    }
    store
        .class(
            &numbers
                .iter()
                .map(|&number| entry(number))
                .collect::<Vec<_>>(),
        )
        .unwrap();
}

/// The files that are the same for one shard or fifty.
fn results(dir: &Path) -> Vec<(String, Vec<u8>)> {
    files(dir)
        .into_iter()
        .filter(|(name, _)| !name.starts_with("log"))
        .collect()
}

fn shards(dir: &Folder, class: u64, n: u64) -> Vec<PathBuf> {
    (0..n)
        .map(|k| {
            let path = dir.join(&format!("shard-{k}"));
            shard(&path, class, k, n);
            path
        })
        .collect()
}

#[test]
fn a_thousand_outcomes_are_the_same_bytes_from_one_shard_and_from_fifty() {
    let dir = Folder::new();
    shard(&dir.join("whole"), 1000, 0, 1);
    let mut parts = shards(&dir, 1000, 50);
    let one = dir.join("one");
    let merged = merge(&one, &[dir.join("whole")]).unwrap();
    assert_eq!((merged.class, merged.faults), (1000, 5));
    assert_eq!(merged.outcomes, merged.new);
    let fifty = dir.join("fifty");
    assert_eq!(merge(&fifty, &parts).unwrap(), merged);
    assert_eq!(
        results(&one),
        results(&dir.join("whole")),
        "merging one shard is copying it"
    );
    assert_same(&results(&one), &results(&fifty), "fifty shards");
    // Again, and in another order, and in two goes with one overlapping.
    let again = merge(&fifty, &parts).unwrap();
    assert_eq!(again.new, 0);
    assert_same(&results(&one), &results(&fifty), "again");
    parts.reverse();
    let steps = dir.join("steps");
    merge(&steps, &parts[..30]).unwrap();
    merge(&steps, &parts[20..]).unwrap();
    assert_same(&results(&one), &results(&steps), "in steps, backwards");
    // And merged shards can be merged.
    let (left, right, both) = (dir.join("left"), dir.join("right"), dir.join("both"));
    merge(&left, &parts[..25]).unwrap();
    merge(&right, &parts[25..]).unwrap();
    merge(&both, &[right, left]).unwrap();
    assert_same(&results(&one), &results(&both), "merges of merges");
    assert_eq!(files(&fifty.join("logs")).len(), 50);
    assert_eq!(files(&both.join("logs")).len(), 52);
    assert_eq!(View::open(&fifty).unwrap(), View::open(&one).unwrap());
    assert_eq!(
        log::verify(&fifty.join("log.jsonl"))
            .unwrap()
            .outcomes
            .len(),
        merged.outcomes
    );
    store::verify(&fifty).unwrap();
    // And so is all that is made from them.
    for folder in [&one, &fifty] {
        let view = View::open(folder).unwrap();
        let policy = Policy::default();
        let records = Record::all(&view, &policy).unwrap();
        export::write(&folder.join("exports"), &records, &policy, &Format::ALL).unwrap();
        summary::write(
            folder,
            &records,
            &policy,
            similarity::identical(&view.class),
        )
        .unwrap();
    }
    assert!(files(&one.join("exports")).len() > 1900);
    assert_same(&results(&one), &results(&fifty), "exports and summary");
}

#[test]
fn a_fault_survives_only_where_no_shard_has_an_outcome() {
    let dir = Folder::new();
    let (a, b, c) = (dir.join("a"), dir.join("b"), dir.join("c"));
    let store = Store::open(&a).unwrap();
    store.fault(&outcome(1).key(), "ex07", "no space").unwrap();
    store.fault(&outcome(2).key(), "ex07", "no space").unwrap();
    drop(store);
    merge(&c, std::slice::from_ref(&a)).unwrap();
    assert_eq!(View::open(&c).unwrap().faults.len(), 2);
    Store::open(&b).unwrap().put(&outcome(1), 1.0).unwrap();
    let merged = merge(&c, &[a, b]).unwrap();
    assert_eq!((merged.outcomes, merged.faults), (1, 1));
    let view = View::open(&c).unwrap();
    assert_eq!(view.faults.keys().collect::<Vec<_>>(), [&outcome(2).key()]);
}

#[test]
fn two_outcomes_of_one_name_are_an_error_that_names_both_and_changes_nothing() {
    let dir = Folder::new();
    let (a, b, c) = (dir.join("a"), dir.join("b"), dir.join("c"));
    let mut other = outcome(1);
    other.remarks.push("another".to_owned());
    Store::open(&a).unwrap().put(&outcome(1), 1.0).unwrap();
    Store::open(&b).unwrap().put(&other, 1.0).unwrap();
    Store::open(&b).unwrap().put(&outcome(2), 1.0).unwrap();
    let error = merge(&c, &[a.clone(), b.clone()]).unwrap_err().to_string();
    for shard in [&a, &b] {
        assert!(error.contains(&*shard.to_string_lossy()), "{error}");
    }
    assert!(files(&c.join("outcomes")).is_empty());
    // Regraded in one of them, the newer outcome is known for what it is, in either order.
    Store::open(&a).unwrap().regrade(&other, 1.0).unwrap();
    let mut third = other.clone();
    third.remarks.push("a third".to_owned());
    Store::open(&a).unwrap().regrade(&third, 1.0).unwrap();
    merge(&c, &[a.clone(), b.clone()]).unwrap();
    let d = dir.join("d");
    merge(&d, std::slice::from_ref(&b)).unwrap();
    merge(&d, &[a]).unwrap();
    for merged in [c, d] {
        let view = View::open(&merged).unwrap();
        assert_eq!(view.outcomes[&third.key()], third);
        assert_eq!(files(&merged.join("history")).len(), 2);
        drop(Store::open(&merged).unwrap());
    }
}

#[test]
fn one_student_with_two_submissions_of_an_exercise_is_an_error_that_names_both() {
    let dir = Folder::new();
    let (a, b) = (dir.join("a"), dir.join("b"));
    let (mut first, mut second) = (entry(1), entry(1));
    first.place = "monday/student-0001".to_owned();
    second.place = "tuesday/student-0001".to_owned();
    second.key = entry(2).key;
    Store::open(&a).unwrap().class(&[first]).unwrap();
    Store::open(&b).unwrap().class(&[second]).unwrap();
    let error = merge(&dir.join("c"), &[a, b]).unwrap_err().to_string();
    assert!(
        error.contains("monday/student-0001") && error.contains("tuesday/student-0001"),
        "{error}"
    );
}

#[test]
fn shards_of_the_same_name_in_two_folders_keep_both_logs() {
    let dir = Folder::new();
    let parts: Vec<PathBuf> = (0..2).map(|k| dir.join(&format!("{k}/out"))).collect();
    for (k, part) in parts.iter().enumerate() {
        shard(part, 20, k as u64, 2);
    }
    merge(&dir.join("all"), &parts).unwrap();
    assert_eq!(files(&dir.join("all/logs")).len(), 2);
}

#[test]
fn a_shard_that_is_bad_foreign_or_at_work_is_named() {
    let dir = Folder::new();
    let (a, into) = (dir.join("a"), dir.join("into"));
    fs::create_dir(&a).unwrap();
    let refused = |from: &Path| merge(&into, &[from.to_path_buf()]).unwrap_err().to_string();
    assert!(refused(&a).contains("not a folder of the grader"));
    let store = Store::open(&a).unwrap();
    store.put(&outcome(1), 1.0).unwrap();
    assert!(refused(&a).contains("still working"));
    drop(store);
    assert!(refused(&into).contains("the folder to merge into"));
    let path = a
        .join("outcomes")
        .join(format!("{}.json", outcome(1).key()));
    fs::write(&path, "{}").unwrap();
    assert!(refused(&a).contains(&*path.to_string_lossy()));
}

/// Merges over and over until it is killed: the other side of the next test.
#[test]
#[ignore = "runs in a process that is killed"]
fn merge_until_killed() {
    let Ok(dir) = std::env::var("MOMENTS_MERGE_UNTIL_KILLED") else {
        return;
    };
    let dir = PathBuf::from(dir);
    let parts: Vec<PathBuf> = (0..8).map(|k| dir.join(format!("shard-{k}"))).collect();
    merge(&dir.join("killed"), &parts).unwrap();
    std::thread::sleep(Duration::from_mins(1));
}

#[test]
fn a_merge_killed_at_any_time_is_finished_by_the_next() {
    let dir = Folder::new();
    let parts = shards(&dir, 200, 8);
    merge(&dir.join("quiet"), &parts).unwrap();
    let mut random = Random(11);
    let mut partial = 0;
    for round in 0..10 {
        let killed = dir.join("killed");
        let _ = fs::remove_dir_all(&killed);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "merge_until_killed", "--ignored"])
            .env("MOMENTS_MERGE_UNTIL_KILLED", dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Once it has begun to write, it is given up to the time that one file takes, several times over.
        while fs::read_dir(killed.join("outcomes")).map_or(0, Iterator::count) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random.next() % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();
        partial += usize::from(results(&killed) != results(&dir.join("quiet")));
        merge(&killed, &parts).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_same(
            &results(&killed),
            &results(&dir.join("quiet")),
            &format!("round {round}"),
        );
        log::verify(&killed.join("log.jsonl")).unwrap();
    }
    assert!(partial > 0, "it was never killed in the middle");
}
