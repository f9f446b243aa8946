//! The files around an exercise: crates, tests, hints, the manifest, and the sections of the book that a diagnosis points to.

use std::fs;
use std::path::{Path, PathBuf};

use moments_checks::exercises;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .replace("\r\n", "\n")
}

#[test]
fn exercise_and_solution_have_the_same_tests_and_they_call_every_check() {
    for exercise in exercises() {
        let (slug, id) = (exercise.slug, exercise.id);
        let tests = read(&format!("exercises/{slug}/tests/{id}.rs"));
        assert_eq!(
            tests,
            read(&format!("solutions/{slug}/tests/{id}.rs")),
            "{slug}"
        );
        for check in exercise.checks {
            let function = format!("#[test]\nfn {}() {{\n", check.name);
            assert!(
                tests.contains(&function),
                "{slug}: no test `{}`",
                check.name
            );
            assert!(
                tests.contains(&format!("\"{}\"", check.name)),
                "{slug}: `{}` is not called",
                check.name
            );
        }
        assert_eq!(
            tests.matches("#[test]").count(),
            exercise.checks.len(),
            "{slug}"
        );
    }
}

#[test]
fn a_solution_leaves_nothing_to_write() {
    for exercise in exercises() {
        let solution = read(&format!("solutions/{}/src/lib.rs", exercise.slug));
        assert!(!solution.contains("todo!"), "{}", exercise.slug);
    }
}

#[test]
fn every_exercise_has_three_hints_and_an_entry_in_the_manifest() {
    let manifest = read("exercises/exercises.toml");
    for exercise in exercises() {
        let (id, slug) = (exercise.id, exercise.slug);
        assert!(
            manifest.contains(&format!("id = \"{id}\"\nslug = \"{slug}\"\n")),
            "{slug}"
        );
        let hints = read(&format!("exercises/{slug}/HINTS.md"));
        let sections: Vec<_> = hints
            .split("\n## ")
            .skip(1)
            .filter_map(|section| section.split_once('\n'))
            .collect();
        let titles: Vec<_> = sections.iter().map(|(title, _)| *title).collect();
        assert_eq!(titles, ["Question", "Formula", "Code"], "{slug}");
        assert!(
            sections.iter().all(|(_, text)| text.trim().len() > 20),
            "{slug}: an empty hint"
        );
    }
}

#[test]
fn every_diagnosis_points_to_a_section_of_the_book() {
    for exercise in exercises() {
        for mutant in exercise.mutants {
            let (page, anchor) = mutant
                .read
                .split_once(".html#")
                .expect("a page and a section");
            let chapter = read(&format!("book/src/{page}.md"));
            let ids: Vec<_> = chapter.lines().filter_map(heading_id).collect();
            assert!(
                ids.iter().any(|id| id == anchor),
                "{}: no section `{}` among {ids:?}",
                mutant.name,
                mutant.read
            );
        }
    }
}

/// The id that mdBook gives to a heading.
fn heading_id(line: &str) -> Option<String> {
    let title = line
        .strip_prefix('#')?
        .trim_start_matches('#')
        .strip_prefix(' ')?;
    if let Some((_, rest)) = title.split_once("{#") {
        return Some(rest.trim_end().trim_end_matches('}').to_owned());
    }
    let letters = title
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || " _-".contains(*c));
    Some(
        letters
            .map(|c| {
                if c == ' ' {
                    '-'
                } else {
                    c.to_ascii_lowercase()
                }
            })
            .collect(),
    )
}
