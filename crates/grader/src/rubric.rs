//! How many points a check is worth: one file for each exercise, which an instructor may edit.

use std::fs;
use std::path::{Path, PathBuf};

use moments_checks::{Check, Exercise};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::outcome::hex;

/// The points of one exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rubric {
    /// The points of each check, in the order of the exercise's checks.
    pub points: Vec<u32>,
    /// How often each check is tried with hidden cases, each time others.
    pub rounds: u32,
    /// What each known mistake is left with, by the mutant's name; the tests of this crate hold the grader to it.
    pub mutants: Vec<(String, u32)>,
    /// The hash of the part of the file that decides: rounds, names and points.
    pub hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    exercise: String,
    #[serde(default = "once")]
    rounds: u32,
    points: toml::Table,
    #[serde(default)]
    mutants: toml::Table,
}

fn once() -> u32 {
    1
}

impl Rubric {
    /// Where the rubric of an exercise is.
    pub fn path(folder: &Path, exercise: &Exercise) -> PathBuf {
        folder.join(format!("{}.toml", exercise.id))
    }

    /// Reads the rubric of an exercise.
    ///
    /// # Errors
    /// A sentence that names the file, and the check that is missing or unknown.
    pub fn load(folder: &Path, exercise: &Exercise) -> Result<Self, String> {
        let path = Self::path(folder, exercise);
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text, exercise).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// Reads a rubric from its text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, exercise: &Exercise) -> Result<Self, String> {
        let text: Text =
            toml::from_str(text).map_err(|error| error.to_string().trim().to_owned())?;
        if text.exercise != exercise.id {
            return Err(format!(
                "it is for `{}`; it should say exercise = \"{}\"",
                text.exercise, exercise.id
            ));
        }
        let whole = |name: &str, value: &toml::Value| {
            value
                .as_integer()
                .and_then(|points| u32::try_from(points).ok())
                .filter(|&points| points <= 1_000_000)
                .ok_or_else(|| format!("`{name}` has {value}; points are whole numbers from 0"))
        };
        if let Some(name) = text.points.keys().find(|name| {
            exercise
                .checks
                .iter()
                .all(|check| check.name != name.as_str())
        }) {
            let names: Vec<_> = exercise.checks.iter().map(|check| check.name).collect();
            return Err(format!(
                "{} has no check `{name}`; it has {}",
                exercise.slug,
                names.join(", ")
            ));
        }
        let points = |check: &Check| {
            let value = text.points.get(check.name).ok_or_else(|| {
                format!(
                    "`{}` has no points; write `{} = 0` if it is to have none",
                    check.name, check.name
                )
            })?;
            whole(check.name, value)
        };
        let points = exercise
            .checks
            .iter()
            .map(points)
            .collect::<Result<Vec<_>, _>>()?;
        let mutants = text
            .mutants
            .iter()
            .map(|(name, value)| Ok((name.clone(), whole(name, value)?)))
            .collect::<Result<Vec<_>, String>>()?;
        if !(1..=20).contains(&text.rounds) {
            return Err(format!(
                "rounds = {}; it is a number from 1 to 20",
                text.rounds
            ));
        }
        let mut hash = Sha256::new();
        hash.update(format!("rounds {}\n", text.rounds));
        for (check, points) in exercise.checks.iter().zip(&points) {
            hash.update(format!("{} {points}\n", check.name));
        }
        Ok(Self {
            points,
            rounds: text.rounds,
            mutants,
            hash: hex(&hash.finalize()),
        })
    }

    /// The points of all checks.
    pub fn total(&self) -> u32 {
        self.points.iter().sum()
    }
}
