//! The house in order: names match, starters fail, solutions pass, and nothing is left lying about.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use moments_chapters::Layout;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Manifest {
    exercise: Vec<Exercise>,
}

#[derive(Debug, Deserialize)]
struct Exercise {
    id: String,
    slug: String,
    title: String,
    chapter: Option<String>,
    difficulty: u8,
    minutes: u32,
    after: Vec<String>,
    see: String,
    beyond: String,
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("crates/course lies two folders deep")
        .to_owned()
}

fn manifest() -> Vec<Exercise> {
    let text = read("exercises/exercises.toml");
    let manifest: Manifest = toml::from_str(&text).expect("exercises.toml is well-formed");
    assert!(!manifest.exercise.is_empty());
    manifest.exercise
}

fn chapters() -> Vec<String> {
    let slugs = Layout::at(root()).slugs().expect("book/src can be listed");
    assert!(!slugs.is_empty());
    slugs
}

/// The chapters that have something to run.
fn with_cells() -> Vec<String> {
    let layout = Layout::at(root());
    let mut slugs = chapters();
    slugs.retain(|slug| layout.chapter(slug).unwrap().cells().next().is_some());
    assert!(!slugs.is_empty());
    slugs
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names in a folder, hidden ones left out.
fn names(folder: &str) -> BTreeSet<String> {
    fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| {
            entry
                .expect("a readable entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| !name.starts_with('.'))
        .collect()
}

/// The files that belong to the course: those that git knows. Outside a git clone (an unpacked archive) there is no list.
fn tracked() -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let files: Vec<String> = text
        .split('\0')
        .filter(|file| !file.is_empty() && root().join(file).is_file())
        .map(ToOwned::to_owned)
        .collect();
    (!files.is_empty()).then_some(files)
}

/// Whether the exercise is as the course hands it out, so that what holds for a starter must hold. A learner's edits are the
/// learner's business, committed or not, and `cargo test` stays green with them. On CI every exercise must be a starter.
fn is_starter(exercise: &Exercise) -> bool {
    let file = format!("exercises/{}/src/lib.rs", exercise.slug);
    let copy = format!("crates/course/starters/{}.rs", exercise.id);
    let starter = read(&file) == read(&copy);
    assert!(
        starter || std::env::var_os("CI").is_none(),
        "{file} and {copy} differ. If the starter has changed: cp {file} {copy}"
    );
    if !starter {
        eprintln!("{file} has been worked on: it is not tested as a starter.");
    }
    starter
}

/// Runs the tests of a package, and gives back the number of tests that passed and failed, and what the compiler said.
fn run_tests(package: &str) -> (usize, usize, String) {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--package", package, "--color", "never"])
        .current_dir(root())
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("cargo runs");
    let out = String::from_utf8_lossy(&output.stdout);
    let count = |verdict: &str| {
        out.lines()
            .filter(|line| line.starts_with("test ") && line.ends_with(verdict))
            .count()
    };
    let (passed, failed) = (count("... ok"), count("... FAILED"));
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(passed + failed > 0, "{package} ran no test:\n{out}{err}");
    assert_eq!(
        output.status.success(),
        failed == 0,
        "{package}:\n{out}{err}"
    );
    (passed, failed, err)
}

#[test]
fn the_manifest_the_exercises_and_the_solutions_name_the_same_slugs() {
    let listed: BTreeSet<String> = manifest()
        .into_iter()
        .map(|exercise| exercise.slug)
        .collect();
    let mut folders = names("exercises");
    assert!(folders.remove("exercises.toml"));
    assert_eq!(folders, listed, "exercises/ and exercises.toml");
    assert_eq!(names("solutions"), listed, "solutions/ and exercises.toml");
}

#[test]
fn every_exercise_has_a_copy_of_its_starter_that_is_not_written_yet() {
    let mut copies = BTreeSet::new();
    for Exercise { id, .. } in manifest() {
        let copy = format!("crates/course/starters/{id}.rs");
        let code = read(&copy);
        let todo = code
            .lines()
            .filter_map(|line| line.split("//").next())
            .any(|line| line.contains("todo!("));
        assert!(todo, "{copy} leaves nothing to write");
        copies.insert(format!("{id}.rs"));
    }
    assert_eq!(names("crates/course/starters"), copies);
}

#[test]
fn every_entry_of_the_manifest_is_complete() {
    let chapters = chapters();
    let mut before: Vec<String> = Vec::new();
    for exercise in manifest() {
        let Exercise {
            id,
            slug,
            title,
            chapter,
            difficulty,
            minutes,
            after,
            see,
            beyond,
        } = exercise;
        assert!(
            slug.starts_with(&format!("{id}-")),
            "{slug} does not begin with {id}"
        );
        assert!(
            before.last().is_none_or(|last| *last < id),
            "{id} is out of order, or twice there"
        );
        assert!(!title.is_empty() && !beyond.is_empty(), "{id}");
        assert!(
            chapter.iter().all(|chapter| chapters.contains(chapter)),
            "{id}: there is no chapter {chapter:?}"
        );
        assert!((1..=5).contains(&difficulty) && minutes > 0, "{id}");
        for needed in &after {
            assert!(
                before.contains(needed),
                "{id} comes after {needed}, which does not come before it"
            );
        }
        assert!(root().join(&see).is_file(), "{id}: there is no {see}");
        let package = read(&format!("exercises/{slug}/Cargo.toml"));
        assert!(
            package.contains(&format!("name = \"{slug}\"\n")),
            "{slug}: the package has another name"
        );
        let package = read(&format!("solutions/{slug}/Cargo.toml"));
        assert!(
            package.contains(&format!("name = \"{slug}-solution\"\n")),
            "{slug}: the solution's package has another name"
        );
        before.push(id);
    }
}

#[test]
fn every_exercise_has_its_page_with_its_kill_matrix_and_its_line_in_the_summary() {
    let summary = read("book/src/SUMMARY.md");
    let mut pages = BTreeSet::new();
    for Exercise { id, slug, .. } in manifest() {
        assert!(
            summary.contains(&format!("(exercises/{slug}.md)")),
            "SUMMARY.md does not list exercises/{slug}.md"
        );
        let page = read(&format!("book/src/exercises/{slug}.md"));
        let line = format!("{{{{#include ../../outputs/kills/{id}.md}}}}");
        assert!(page.contains(&line), "exercises/{slug}.md: no {line}");
        pages.insert(format!("{slug}.md"));
    }
    assert_eq!(names("book/src/exercises"), pages, "book/src/exercises");
}

#[test]
fn the_tests_of_an_exercise_and_of_its_solution_are_the_same_bytes() {
    for Exercise { slug, .. } in manifest() {
        let [ours, theirs] = ["exercises", "solutions"].map(|room| format!("{room}/{slug}/tests"));
        let files = names(&ours);
        assert!(!files.is_empty(), "{ours} is empty");
        assert_eq!(files, names(&theirs), "{ours} and {theirs}");
        for file in files {
            assert_eq!(
                read(&format!("{ours}/{file}")),
                read(&format!("{theirs}/{file}")),
                "{ours}/{file} and {theirs}/{file} differ"
            );
        }
    }
}

#[test]
fn every_starter_compiles_without_a_warning_and_fails() {
    for exercise in manifest().iter().filter(|exercise| is_starter(exercise)) {
        let slug = &exercise.slug;
        let (passed, failed, compiler) = run_tests(slug);
        assert!(failed > 0, "{slug}: the starter passes all {passed} tests");
        assert!(!compiler.contains("warning:"), "{slug}:\n{compiler}");
    }
}

#[test]
fn every_solution_passes_the_tests_that_its_starter_fails() {
    for exercise in manifest() {
        let package = format!("{}-solution", exercise.slug);
        let (passed, failed, compiler) = run_tests(&package);
        assert_eq!(failed, 0, "{package}: {passed} pass, {failed} fail");
        assert!(!compiler.contains("warning:"), "{package}:\n{compiler}");
        let solution = read(&format!("solutions/{}/src/lib.rs", exercise.slug));
        assert!(!solution.contains("todo!"), "{package} is not finished");
    }
}

#[test]
fn every_chapter_has_its_notebook_its_outputs_and_its_line_in_the_summary() {
    let slugs = chapters();
    let summary = read("book/src/SUMMARY.md");
    for slug in &slugs {
        assert!(
            summary.contains(&format!("({slug}.md)")),
            "SUMMARY.md does not list {slug}"
        );
    }
    let run = with_cells();
    let notebooks: BTreeSet<String> = run.iter().map(|slug| format!("{slug}.ipynb")).collect();
    assert_eq!(names("notebooks"), notebooks, "notebooks/ and book/src");
    assert_eq!(
        names("book/outputs"),
        run.into_iter().chain(["kills".to_owned()]).collect(),
        "book/outputs/ and book/src"
    );
}

#[test]
fn notebooks_carry_no_outputs() {
    for slug in with_cells() {
        let text = read(&format!("notebooks/{slug}.ipynb"));
        let notebook: serde_json::Value = serde_json::from_str(&text).expect("a notebook is JSON");
        let cells = notebook["cells"].as_array().expect("a notebook has cells");
        let code: Vec<_> = cells
            .iter()
            .filter(|cell| cell["cell_type"] == "code")
            .collect();
        assert!(!code.is_empty(), "{slug} has no code cell");
        for cell in code {
            assert_eq!(
                cell["outputs"],
                serde_json::json!([]),
                "{slug}: {}",
                cell["id"]
            );
            assert!(cell["execution_count"].is_null(), "{slug}: {}", cell["id"]);
        }
    }
}

#[test]
fn golden_files_say_which_tool_made_them_and_how() {
    let files = names("crates/checks/golden");
    assert!(!files.is_empty());
    for file in files {
        let text = read(&format!("crates/checks/golden/{file}"));
        let header: Vec<&str> = text
            .lines()
            .take_while(|line| line.starts_with('#'))
            .collect();
        let field = |name: &str| {
            header
                .iter()
                .find_map(|line| {
                    line.strip_prefix("# ")?
                        .strip_prefix(name)?
                        .strip_prefix(": ")
                })
                .unwrap_or_else(|| panic!("golden/{file} has no line `# {name}: ...`"))
        };
        assert!(
            field("tool").contains(|c: char| c.is_ascii_digit()),
            "golden/{file} names no version"
        );
        assert!(
            field("command").contains("golden.py"),
            "golden/{file} was not made by tools/golden.py"
        );
        assert!(
            text.lines().count() > header.len(),
            "golden/{file} holds no data"
        );
    }
}

#[test]
fn nothing_lies_at_the_top_that_does_not_belong_there() {
    let Some(files) = tracked() else { return };
    let known = [
        ".binder",
        ".cargo",
        ".ci",
        ".gitattributes",
        ".github",
        ".gitignore",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-CC-BY-4.0",
        "LICENSE-MIT",
        "README.md",
        "benches",
        "book",
        "ci",
        "crates",
        "docker",
        "exercises",
        "notebooks",
        "solutions",
        "tools",
        "rustfmt.toml",
    ];
    for file in files {
        let top = file.split('/').next().unwrap_or_default();
        assert!(
            known.contains(&top),
            "{file}: `{top}` is no room of this house (ARCHITECTURE.md)"
        );
    }
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    let Some(files) = tracked() else { return };
    // Written in parts, so that this file is not one of them.
    let mut places = ["work", "root"]
        .map(|folder| format!("/{folder}/"))
        .to_vec();
    places.push(root().display().to_string());
    let home = std::env::home_dir().filter(|home| home.components().count() > 1);
    places.extend(home.map(|home| home.join("").display().to_string()));
    for file in files {
        let Ok(text) = fs::read_to_string(root().join(&file)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for place in &places {
                // A path begins a word; in an address or a longer path the same letters mean something else.
                let found = line.match_indices(place.as_str()).any(|(at, _)| {
                    line[..at]
                        .chars()
                        .next_back()
                        .is_none_or(|c| c.is_whitespace() || "\"'`=(:".contains(c))
                });
                assert!(!found, "{file}:{}: {line}", number + 1);
            }
        }
    }
}

#[test]
fn prose_has_one_sentence_a_line() {
    for name in names("book/src") {
        if Path::new(&name).extension().is_none_or(|end| end != "md") {
            continue;
        }
        let text = read(&format!("book/src/{name}"));
        let mut fenced = false;
        for (number, line) in text.lines().enumerate() {
            if line.trim_start_matches('#') == " References" {
                break;
            }
            fenced ^= line.starts_with("```");
            if fenced || line.starts_with('|') {
                continue;
            }
            assert!(
                !two_sentences(line),
                "book/src/{name}:{}: {line}",
                number + 1
            );
        }
    }
}

/// A full stop after a word (not after an initial, or the number of a list), and then a capital letter.
fn two_sentences(line: &str) -> bool {
    line.match_indices([' ']).any(|(at, _)| {
        let Some(before) = line[..at].strip_suffix(['.', '?', '!']) else {
            return false;
        };
        let word = before.rsplit([' ', '(', '.']).next().unwrap_or_default();
        let real = word.chars().count() > 1 && !word.chars().all(|c| c.is_ascii_digit());
        let next = line[at + 1..].chars().next();
        real && next.is_some_and(char::is_uppercase)
    })
}

#[test]
fn two_sentences_are_told_from_an_abbreviation() {
    assert!(two_sentences("It is one. Here is another."));
    assert!(two_sentences("Is it $x$? Yes."));
    assert!(!two_sentences("By D. P. Kingma and J. Ba, see eq. 3."));
    assert!(!two_sentences("12. Item"));
    assert!(!two_sentences("Turned by 45° · twice"));
}

/// What stands between asterisks in the items of a chapter's references.
fn titles(chapter: &str) -> Vec<&str> {
    let Some((_, references)) = chapter.split_once("\n## References\n") else {
        return Vec::new();
    };
    let references = references.split("\n## ").next().unwrap_or_default();
    let items = references.lines().filter(|line| line.starts_with("- "));
    items.filter_map(|item| item.split('*').nth(1)).collect()
}

#[test]
fn the_page_of_references_has_every_work_that_a_chapter_cites() {
    let src = root().join("book/src");
    let all = fs::read_to_string(src.join("93-references.md")).unwrap();
    let mut cited = 0;
    for entry in fs::read_dir(&src).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for title in titles(&text) {
            cited += 1;
            let known = all
                .to_lowercase()
                .contains(&format!("*{}*", title.to_lowercase()));
            assert!(
                known,
                "{}: \"{title}\" is not in 93-references.md",
                path.display()
            );
        }
    }
    assert!(cited > 80, "{cited}");
}

/// The cells of a row of a table.
fn cells(row: &str) -> Vec<&str> {
    let row = row.trim().trim_matches('|');
    row.split('|').map(str::trim).collect()
}

#[test]
fn every_item_of_the_source_documents_has_its_place_and_what_became_of_it() {
    let page = read("book/src/91-coverage.md");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| item |"));
    let mut count = 0;
    for row in rows {
        count += 1;
        let [item, place, became] = cells(row)[..] else {
            panic!("not three cells: {row}");
        };
        assert!(!item.is_empty(), "{row}");
        // Whether a target is there is seen in the built book, by the checker of links.
        for link in place.split(", [") {
            let target = link
                .rsplit_once("](")
                .and_then(|(_, t)| t.strip_suffix(')'));
            let target = target.unwrap_or_else(|| panic!("no link: {row}"));
            let (file, section) = target.split_once('#').unwrap_or_default();
            assert!(!section.is_empty(), "no section: {row}");
            assert!(
                file.is_empty() || root().join("book/src").join(file).is_file(),
                "{file} is not there: {row}"
            );
        }
        let known = ["kept", "extended", "corrected", "set aside"];
        assert!(
            known.iter().any(|word| became.starts_with(word)),
            "what became of it? {row}"
        );
    }
    assert!(count > 250, "{count}");
}
