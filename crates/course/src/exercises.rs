//! The exercises: the manifest, and how a learner names one of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

/// One entry of `exercises/exercises.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Exercise {
    /// The permanent id, on which progress is keyed.
    pub(crate) id: String,
    /// The name of the folder and of the crate.
    pub(crate) slug: String,
    pub(crate) title: String,
    /// The chapter that it belongs to, if that is written.
    #[serde(default)]
    pub(crate) chapter: Option<String>,
    pub(crate) difficulty: u8,
    pub(crate) minutes: u32,
    #[serde(default)]
    pub(crate) after: Vec<String>,
    /// Where `moments` implements the same rule.
    #[serde(default)]
    pub(crate) see: String,
    /// What `moments` does there that the exercise leaves out.
    #[serde(default)]
    pub(crate) beyond: String,
}

impl Exercise {
    /// The folder that the learner edits.
    pub(crate) fn folder(&self, root: &Path) -> PathBuf {
        root.join("exercises").join(&self.slug)
    }

    /// The folder of the solution.
    pub(crate) fn solution(&self, root: &Path) -> PathBuf {
        root.join("solutions").join(&self.slug)
    }

    /// The file that the learner edits, as seen from the root, with forward slashes.
    pub(crate) fn file(&self) -> String {
        format!("exercises/{}/src/lib.rs", self.slug)
    }

    /// Its page, as seen from the root of the book.
    pub(crate) fn page(&self) -> String {
        format!("exercises/{}.html", self.slug)
    }

    /// Whether the learner has not written all of it yet: a line of the code still says `todo!`.
    pub(crate) fn has_todo(&self, root: &Path) -> bool {
        fs::read_to_string(root.join(self.file())).is_ok_and(|text| mentions_todo(&text))
    }
}

/// Whether code, comments left out, calls `todo!`.
pub(crate) fn mentions_todo(code: &str) -> bool {
    code.lines()
        .filter_map(|line| line.split("//").next())
        .any(|line| line.contains("todo!"))
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    exercise: Vec<Exercise>,
}

/// Reads the manifest.
pub(crate) fn load(root: &Path) -> Result<Vec<Exercise>> {
    let path = root.join("exercises/exercises.toml");
    let text = fs::read_to_string(&path).with_context(|| {
        format!(
            "Could not read {}. Restore it with `git checkout -- exercises/exercises.toml`",
            path.display()
        )
    })?;
    let all = parse(&text).with_context(|| format!("{} has a mistake", path.display()))?;
    if all.is_empty() {
        bail!("{} lists no exercise.", path.display());
    }
    Ok(all)
}

/// Reads the text of the manifest.
pub(crate) fn parse(text: &str) -> Result<Vec<Exercise>> {
    let manifest: Manifest = toml::from_str(text)?;
    Ok(manifest.exercise)
}

/// The exercise that a learner names, or else the one whose folder the command was called in.
pub(crate) fn chosen<'a>(
    all: &'a [Exercise],
    name: Option<&str>,
    root: &Path,
) -> Result<&'a Exercise> {
    let here = std::env::current_dir().context("The current folder is gone")?;
    find(all, name, root, &here)
}

/// The exercise that a learner means: named by id, number, slug or name, or else the one whose folder `here` lies in.
fn find<'a>(
    all: &'a [Exercise],
    name: Option<&str>,
    root: &Path,
    here: &Path,
) -> Result<&'a Exercise> {
    let Some(name) = name else {
        return standing_in(all, root, here).ok_or_else(|| {
            anyhow!(
                "Which exercise? Name one of {}, or change into its folder.",
                ids(all)
            )
        });
    };
    let wanted = name
        .trim_end_matches(['/', '\\'])
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(name)
        .to_lowercase();
    let fits = |exercise: &&Exercise| {
        let number = exercise.id.trim_start_matches("ex");
        wanted == exercise.id
            || wanted == exercise.slug
            || wanted == number
            || wanted == number.trim_start_matches('0')
            || exercise.slug.strip_prefix(&format!("{}-", exercise.id)) == Some(wanted.as_str())
    };
    all.iter().find(fits).ok_or_else(|| {
        let apart = |exercise: &&Exercise| {
            let rest = exercise.slug.split_once('-').map_or("", |(_, rest)| rest);
            [exercise.id.as_str(), exercise.slug.as_str(), rest]
                .iter()
                .map(|known| {
                    // A part of a name is nearer than any other word.
                    let part = wanted.len() > 1 && known.contains(&wanted);
                    if part { 0 } else { distance(&wanted, known) }
                })
                .min()
        };
        // A word that has half of its letters wrong is another word.
        let nearest = all
            .iter()
            .min_by_key(apart)
            .filter(|exercise| apart(exercise).is_some_and(|edits| 2 * edits <= wanted.len()));
        let guess = nearest.map_or(String::new(), |exercise| {
            format!(" Did you mean `{}`?", exercise.slug)
        });
        anyhow!("There is no exercise `{name}`.{guess} `cargo course status` lists them all.")
    })
}

fn ids(all: &[Exercise]) -> String {
    let ids: Vec<&str> = all.iter().map(|exercise| exercise.id.as_str()).collect();
    ids.join(", ")
}

fn standing_in<'a>(all: &'a [Exercise], root: &Path, here: &Path) -> Option<&'a Exercise> {
    // Both sides are made canonical, because the clone may be reached through a symbolic link.
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let here = real(here);
    all.iter().find(|exercise| {
        here.starts_with(real(&exercise.folder(root)))
            || here.starts_with(real(&exercise.solution(root)))
    })
}

/// The edit distance between two words; two letters swapped are one edit.
fn distance(a: &str, b: &str) -> usize {
    let [a, b]: [Vec<char>; 2] = [a, b].map(|word| word.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let changed = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    changed.min(table[i - 2][j - 2] + 1)
                } else {
                    changed
                }
            };
        }
    }
    table[a.len()][b.len()]
}

/// The three tiers of an exercise's hints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hints {
    /// Title and text of each tier, in order.
    pub(crate) tiers: Vec<(String, String)>,
}

/// The titles of the tiers, in the order in which they are revealed.
pub(crate) const TIERS: [&str; 3] = ["Question", "Formula", "Code"];

impl Hints {
    /// Reads the hints of an exercise.
    pub(crate) fn load(exercise: &Exercise, root: &Path) -> Result<Self> {
        let path = exercise.folder(root).join("HINTS.md");
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "Could not read {}. Restore it with `git checkout -- exercises/{}/HINTS.md`",
                path.display(),
                exercise.slug
            )
        })?;
        Self::parse(&text).with_context(|| format!("{} has a mistake", path.display()))
    }

    /// Reads `## Question`, `## Formula` and `## Code`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut tiers: Vec<(String, String)> = Vec::new();
        let mut fenced = false;
        for line in text.lines() {
            fenced ^= line.trim_start().starts_with("```");
            if let Some(title) = line.strip_prefix("## ")
                && !fenced
            {
                tiers.push((title.trim().to_owned(), String::new()));
            } else if let Some((_, body)) = tiers.last_mut() {
                body.push_str(line);
                body.push('\n');
            }
        }
        for (_, body) in &mut tiers {
            *body = body.trim().to_owned();
        }
        let titles: Vec<&str> = tiers.iter().map(|(title, _)| title.as_str()).collect();
        if titles != TIERS {
            bail!("the sections are {titles:?}, and they must be {TIERS:?}");
        }
        if let Some((title, _)) = tiers.iter().find(|(_, body)| body.is_empty()) {
            bail!("the section `{title}` is empty");
        }
        Ok(Self { tiers })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An exercise on Adam with this id, which builds on these.
    pub(crate) fn exercise(id: &str, after: &[&str]) -> Exercise {
        Exercise {
            id: id.to_owned(),
            slug: format!("{id}-adam"),
            title: "Adam".to_owned(),
            chapter: Some("04-adam".to_owned()),
            difficulty: 3,
            minutes: 30,
            after: after.iter().map(ToString::to_string).collect(),
            see: "crates/moments/src/adam.rs".to_owned(),
            beyond: "The crate checks lengths.".to_owned(),
        }
    }

    fn three() -> Vec<Exercise> {
        ["ex05-ema", "ex06-bias-correction", "ex07-adam"]
            .map(|slug| Exercise {
                slug: slug.to_owned(),
                ..exercise(&slug[..4], &[])
            })
            .to_vec()
    }

    fn slug_of(name: &str) -> String {
        find(&three(), Some(name), Path::new("/r"), Path::new("/"))
            .unwrap()
            .slug
            .clone()
    }

    #[test]
    fn an_exercise_is_named_by_id_number_slug_name_or_path() {
        for name in [
            "ex07",
            "EX07",
            "7",
            "07",
            "ex07-adam",
            "adam",
            "exercises/ex07-adam/",
        ] {
            assert_eq!(slug_of(name), "ex07-adam", "{name}");
        }
    }

    #[test]
    fn an_exercise_is_the_folder_one_stands_in() {
        let here = Path::new("/r/exercises/ex05-ema/src");
        let all = three();
        assert_eq!(find(&all, None, Path::new("/r"), here).unwrap().id, "ex05");
        let error = find(&all, None, Path::new("/r"), Path::new("/r")).unwrap_err();
        assert!(error.to_string().contains("ex05, ex06, ex07"), "{error}");
    }

    #[test]
    fn an_unknown_exercise_names_the_nearest() {
        for (name, nearest) in [
            ("ex08", "`ex0"),
            ("adma", "`ex07-adam`"),
            ("bias", "`ex06-bias-correction`"),
            ("ex06-bais-correction", "`ex06-bias-correction`"),
        ] {
            let error = find(&three(), Some(name), Path::new("/r"), Path::new("/"))
                .unwrap_err()
                .to_string();
            assert!(error.contains(nearest), "{name}: {error}");
        }
        let all = three();
        let error = find(&all, Some("lunch"), Path::new("/r"), Path::new("/"));
        let error = error.unwrap_err().to_string();
        assert!(!error.contains("Did you mean"), "{error}");
    }

    #[test]
    fn the_edit_distance_counts_insertions_deletions_replacements_and_swaps() {
        assert_eq!(distance("adma", "adam"), 1);
        assert_eq!(distance("adam", "adam"), 0);
        assert_eq!(distance("adm", "adam"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn hints_have_three_tiers_that_are_not_empty() {
        let good = "# ex\n\n## Question\n\nWhy?\n\n## Formula\n\nx = 1\n\n## Code\n\n```rust\n## no heading\n```\n";
        let hints = Hints::parse(good).unwrap();
        assert_eq!(hints.tiers[0].1, "Why?");
        assert!(hints.tiers[2].1.contains("## no heading"));
        let missing = "## Question\n\nWhy?\n\n## Code\n\nx\n";
        assert!(
            Hints::parse(missing)
                .unwrap_err()
                .to_string()
                .contains("Formula")
        );
        let empty = "## Question\n\n## Formula\n\nx\n\n## Code\n\ny\n";
        assert!(
            Hints::parse(empty)
                .unwrap_err()
                .to_string()
                .contains("`Question` is empty")
        );
    }

    #[test]
    fn a_todo_in_a_comment_is_not_one() {
        assert!(mentions_todo("fn f() {\n    todo!(\"f\")\n}\n"));
        assert!(!mentions_todo(
            "// no todo!() is left\nfn f() {} // todo!\n"
        ));
    }
}
