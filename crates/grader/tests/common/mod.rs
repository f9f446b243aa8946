//! Outcomes made from a seed, and folders that clean up after themselves. No student code is run.
// Each test file uses what it needs of this.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use moments_grader::outcome::{Checked, From, Held, Outcome, SCHEMA, Status, Tier};
use moments_grader::store::Entry;

/// A folder that is removed at the end, in memory where there is a file system for that: the disk is slow at being certain.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory.to_path_buf()
        } else {
            std::env::temp_dir()
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("moments-grader-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

pub(crate) const EXERCISES: [&str; 3] = ["ex03", "ex07", "ex12"];

const CHECKS: [&str; 5] = [
    "first_step_is_lr_times_sign",
    "matches_the_golden_trace",
    "state_is_per_parameter",
    "zero_gradient_moves_nothing",
    "rejects_a_shape_mismatch",
];

/// An outcome that follows from a number alone. About one in ten of them is the outcome of another number too.
pub(crate) fn outcome(number: u64) -> Outcome {
    let number = if number % 10 == 9 { number - 9 } else { number };
    let mut random = Random(number);
    let exercise = EXERCISES[random.below(3)];
    let status = match random.below(12) {
        0 => Status::DoesNotCompile,
        1 => Status::Refused,
        _ => Status::Graded,
    };
    let checks: Vec<Checked> = CHECKS
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let max_points = index as u32 + 1;
            let result = match (status, random.below(5)) {
                (Status::Graded, 0) => Held::FailsSeen,
                (Status::Graded, 1) => Held::FailsHidden,
                (Status::Graded, _) => Held::Holds,
                _ => Held::NotTried,
            };
            let fails = matches!(result, Held::FailsSeen | Held::FailsHidden);
            Checked {
                name: (*name).to_owned(),
                asked: format!("What {} asks, in one sentence.", name.replace('_', " ")),
                result,
                points: if result.holds() { max_points } else { 0 },
                max_points,
                message: if fails {
                    format!("step {}: the update is too large", random.below(9))
                } else {
                    String::new()
                },
                diagnosis: (fails && random.below(2) == 0).then(|| {
                    random
                        .pick(&["no-correction", "eps-inside", "no-root", "shared-state"])
                        .to_owned()
                }),
                limit: (fails && random.below(4) == 0).then(|| {
                    random
                        .pick(&["cpu time: 5 s", "memory: 512 MB", "output: 1 MB"])
                        .to_owned()
                }),
            }
        })
        .collect();
    let remarks = match status {
        Status::Graded => vec![],
        Status::DoesNotCompile => vec!["src/lib.rs:3: expected `;`".to_owned()],
        Status::Refused => vec!["src/lib.rs is not UTF-8. Save it as UTF-8.".to_owned()],
    };
    Outcome {
        schema: SCHEMA.to_owned(),
        exercise: exercise.to_owned(),
        from: From {
            submission: format!("{number:064x}"),
            rubric: "ab".repeat(32),
            key: "cd".repeat(32),
            toolchain: "rustc 1.95.0".to_owned(),
            grader: "ef".repeat(32),
            limits: "cpu 5 s, memory 512 MB".to_owned(),
        },
        sandbox: Tier::Bubblewrap,
        official: true,
        status,
        points: checks.iter().map(|check| check.points).sum(),
        max_points: checks.iter().map(|check| check.max_points).sum(),
        checks,
        remarks,
    }
}

/// The line of the class for the outcome of a number. Each student hands in one exercise.
pub(crate) fn entry(number: u64) -> Entry {
    let outcome = outcome(number);
    Entry {
        student: format!("student-{number:04}"),
        key: outcome.key(),
        exercise: outcome.exercise,
        place: format!("class/student-{number:04}"),
        // One in ten has the files of another.
        fingerprint: Some(outcome.from.submission),
    }
}

/// All files below a folder, as path and bytes, sorted.
pub(crate) fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    fn visit(root: &Path, dir: &Path, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(root, &path, found);
            } else {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    if dir.is_dir() {
        visit(dir, dir, &mut found);
    }
    found.sort();
    found
}

/// Fails with the first file that is in one of two listings alone, or has other bytes.
pub(crate) fn assert_same(a: &[(String, Vec<u8>)], b: &[(String, Vec<u8>)], what: &str) {
    let different = a.iter().zip(b).find(|(a, b)| a != b);
    if let Some((a, b)) = different {
        let (x, y) = (String::from_utf8_lossy(&a.1), String::from_utf8_lossy(&b.1));
        let cut = |text: &str| text.chars().take(400).collect::<String>();
        panic!("{what}: {}\n{}\n{}\n{}", a.0, cut(&x), b.0, cut(&y));
    }
    assert_eq!(a.len(), b.len(), "{what}");
}
