//! Writes a class of students of exercise 07 and what each of them should get.
//!
//! ```text
//! cargo run -p moments-grader --example class -- FOLDER [COUNT] [SEED]
//! ```
//!
//! `FOLDER/class` has an entry for each student, and `FOLDER/expected.json` what it should come to.

#![allow(dead_code)]

#[path = "../tests/class/mod.rs"]
mod class;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (Some(folder), count, seed) = (
        words.next().map(PathBuf::from),
        words.next().map_or(Some(100), |word| word.parse().ok()),
        words.next().map_or(Some(1), |word| word.parse().ok()),
    ) else {
        eprintln!("usage: class FOLDER [COUNT] [SEED]");
        return ExitCode::from(2);
    };
    let (Some(count), Some(seed)) = (count, seed) else {
        eprintln!("COUNT and SEED are whole numbers");
        return ExitCode::from(2);
    };
    let submissions = folder.join("class");
    if submissions.exists() {
        eprintln!(
            "{} is there already; name a folder without it",
            submissions.display()
        );
        return ExitCode::FAILURE;
    }
    let expected = class::class(&submissions, count, seed);
    let text = serde_json::to_string_pretty(&expected).expect("it is plain data");
    if let Err(error) = std::fs::write(folder.join("expected.json"), text + "\n") {
        eprintln!("{}: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    println!("{count} submissions in {}", submissions.display());
    ExitCode::SUCCESS
}
