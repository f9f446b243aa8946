//! `cargo course update`: the newest course, and every file that the learner has edited as it is.
//!
//! Git would refuse to update a clone in which an edited file changes, or leave it half merged. Here a learner's file in
//! `exercises/` or `notebooks/` always stays what it is on the disk: before the update, git's index is told that the file is
//! at its new version already, and so git has no reason to touch it. Commits of the learner are merged with the course's, and
//! where both have changed an exercise, the learner's file is the one that stays. All of this is found out before the first
//! file changes. It can be done again: what an interrupted update has already brought is no obstacle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::exercises::{self, Exercise};
use crate::files;
use crate::git::{self, Git};
use crate::starter;
use crate::stop::Stop;
use crate::ui::{self, Line, Style, count};

/// `cargo course update`.
pub(crate) fn update(root: &Path) -> Result<ExitCode> {
    let git = git::at(root)?;
    let mut line = Line::new();
    line.update("Asking for the newest course ...");
    let asked = ask(&git);
    line.clear();
    let question = asked?;
    // From here on Ctrl-C waits for the end, which is near.
    let _stop = Stop::listen()?;
    let done = bring(&git, root, &question)?;
    ui::put(&match done {
        None => "The course is the newest already.\n".to_owned(),
        Some(report) => report.text(Style::stdout()),
    });
    Ok(ExitCode::SUCCESS)
}

/// From where to where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    /// The learner's commit.
    head: String,
    /// The course's newest commit.
    theirs: String,
    /// The course's newest commit that was known before.
    before: String,
    /// What the course's branch is called, for example `origin/main`.
    upstream: String,
}

/// Finds out what there is, and fetches it.
fn ask(git: &Git) -> Result<Question> {
    let Some(branch) = git.ask(&["symbolic-ref", "--quiet", "--short", "HEAD"]) else {
        bail!(
            "You are on no branch, so there is nothing to update. Go back to one first: `git switch main`."
        );
    };
    let Some(upstream) = git.ask(&["rev-parse", "--abbrev-ref", "@{upstream}"]) else {
        bail!(
            "Your branch `{branch}` follows no other one. Say which: `git branch --set-upstream-to=origin/main`."
        );
    };
    for (file, what, end) in [
        ("MERGE_HEAD", "merge", "git merge --abort"),
        ("rebase-merge", "rebase", "git rebase --abort"),
        ("rebase-apply", "rebase", "git rebase --abort"),
        ("CHERRY_PICK_HEAD", "cherry-pick", "git cherry-pick --abort"),
        ("REVERT_HEAD", "revert", "git revert --abort"),
    ] {
        if git.path(file)?.exists() {
            bail!("A {what} is under way in this clone. Finish it, or give it up with `{end}`.");
        }
    }
    let commit = |name: &str| git.run(&["rev-parse", "--verify", &format!("{name}^{{commit}}")]);
    let before = commit("@{upstream}")?;
    let remote = git
        .ask(&["config", &format!("branch.{branch}.remote")])
        .unwrap_or_default();
    // A branch of the same clone is called a dot.
    if remote != "." {
        let from = git
            .ask(&["remote", "get-url", &remote])
            .unwrap_or_else(|| remote.clone());
        git.fetch(&remote).with_context(|| {
            format!("The course could not be fetched from {from}; nothing was changed")
        })?;
    }
    Ok(Question {
        head: commit("HEAD")?,
        theirs: commit("@{upstream}")?,
        before,
        upstream,
    })
}

/// Brings the clone to the newest course; nothing if it has it.
fn bring(git: &Git, root: &Path, question: &Question) -> Result<Option<Report>> {
    let Question {
        head,
        theirs,
        before,
        ..
    } = question;
    let within = |a: &str, b: &str| git.is(&["merge-base", "--is-ancestor", a, b]);
    if within(theirs, head) {
        return Ok(None);
    }
    let slugs = Slugs::between(git, head, theirs)?;
    let mut report = Report::new(git, question, &slugs)?;
    // Without commits of the learner's own the course's are the ones to have, even when its history was rewritten.
    let target = if within(head, theirs) || within(head, before) {
        theirs.clone()
    } else {
        merge(git, root, question, &slugs, &mut report)?
    };
    let plan = Plan::make(git, root, head, &target, &slugs)?;
    plan.carry_out(git, root, head, &target, &mut report)?;
    Ok(Some(report))
}

/// How the slugs of exercises change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Slugs {
    before: BTreeMap<String, String>,
    after: BTreeMap<String, Exercise>,
}

impl Slugs {
    fn between(git: &Git, head: &str, theirs: &str) -> Result<Self> {
        let load = |commit: &str| -> Result<Vec<Exercise>> {
            let text = git.run(&["show", &format!("{commit}:exercises/exercises.toml")])?;
            exercises::parse(&text).context("The exercises.toml of that commit has a mistake")
        };
        let before = load(head)?;
        let after = load(theirs)?;
        Ok(Self {
            before: before.into_iter().map(|one| (one.id, one.slug)).collect(),
            after: after.into_iter().map(|one| (one.id.clone(), one)).collect(),
        })
    }

    /// Old and new slug of each exercise that has a new one.
    fn renamed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.before.iter().filter_map(|(id, old)| {
            let new = &self.after.get(id)?.slug;
            (new != old).then_some((old.as_str(), new.as_str()))
        })
    }

    /// Where a file of an exercise's code lies from now on, if its exercise has a new slug.
    fn moved(&self, path: &str) -> Option<String> {
        self.renamed().find_map(|(old, new)| {
            let rest = path.strip_prefix(&format!("exercises/{old}/src/"))?;
            Some(format!("exercises/{new}/src/{rest}"))
        })
    }
}

/// Whether a file is one that learners edit.
fn is_learners(path: &str) -> bool {
    path.starts_with("exercises/ex") && path.matches('/').count() > 1
        || path.starts_with("notebooks/")
}

/// Merges the learner's commits with the course's, and gives back the commit; no file changes. Where both have changed a file,
/// the learner's stays if it is an exercise, and otherwise the learner must decide.
fn merge(
    git: &Git,
    root: &Path,
    question: &Question,
    slugs: &Slugs,
    report: &mut Report,
) -> Result<String> {
    let Question {
        head,
        theirs,
        upstream,
        ..
    } = question;
    let Some(base) = git.ask(&["merge-base", head, theirs]) else {
        bail!(
            "Your commits and the course's have no commit in common. If the clone is a shallow one, `git fetch --unshallow` mends that; nothing was changed."
        );
    };
    let scratch = Scratch::new(root)?;
    let side = git.with_index(scratch.0.clone());
    side.run(&["read-tree", "-i", "-m", "--aggressive", &base, head, theirs])?;
    // The entries of a path on which the two disagree: the common one, the learner's, the course's.
    let mut sides: BTreeMap<String, [Option<String>; 3]> = BTreeMap::new();
    for entry in side.list(&["ls-files", "--unmerged", "-z"])? {
        let (mode, path) = entry.split_once('\t').context("git lists no path")?;
        let mut fields = mode.split(' ');
        let (mode, blob) = (fields.next(), fields.next());
        let stage = fields.next().and_then(|stage| stage.parse::<usize>().ok());
        if let (Some(mode), Some(blob), Some(stage @ 1..=3)) = (mode, blob, stage) {
            sides.entry(path.to_owned()).or_default()[stage - 1] = Some(format!("{mode},{blob}"));
        }
    }
    let mut stuck = Vec::new();
    for (path, [_, yours, ours]) in &sides {
        match (yours, ours) {
            (Some(yours), ours) if is_learners(path) => {
                side.run(&["update-index", "--force-remove", "--", path])?;
                if ours.is_none()
                    && let Some(new) = slugs.moved(path)
                {
                    side.run(&[
                        "update-index",
                        "--add",
                        "--cacheinfo",
                        &format!("{yours},{new}"),
                    ])?;
                    report.moved.insert(path.clone(), new);
                } else {
                    side.run(&[
                        "update-index",
                        "--add",
                        "--cacheinfo",
                        &format!("{yours},{path}"),
                    ])?;
                    report.kept.insert(path.clone());
                }
            }
            (None, Some(ours)) => {
                side.run(&["update-index", "--force-remove", "--", path])?;
                side.run(&[
                    "update-index",
                    "--add",
                    "--cacheinfo",
                    &format!("{ours},{path}"),
                ])?;
            }
            _ => stuck.push(path.as_str()),
        }
    }
    if !stuck.is_empty() {
        bail!(
            "You have committed changes to files that the update changes as well:\n  {}\nNothing was changed. Merge them by hand: `git merge {upstream}`.",
            stuck.join("\n  ")
        );
    }
    // What the learner has added to an exercise goes where the exercise goes.
    for path in side.list(&["ls-files", "-z", "--", "exercises"])? {
        if let Some(new) = slugs.moved(&path) {
            let entry = side.run(&["ls-files", "--stage", "--", &path])?;
            let mut fields = entry.split([' ', '\t']);
            if let (Some(mode), Some(blob)) = (fields.next(), fields.next()) {
                side.run(&["update-index", "--force-remove", "--", &path])?;
                side.run(&[
                    "update-index",
                    "--add",
                    "--cacheinfo",
                    &format!("{mode},{blob},{new}"),
                ])?;
                report.moved.insert(path, new);
            }
        }
    }
    let tree = side.run(&["write-tree"])?;
    git.commit(&tree, &[head, theirs], "Update the course")
}

/// An index for a while.
struct Scratch(PathBuf);

impl Scratch {
    fn new(root: &Path) -> Result<Self> {
        let folder = root.join(".course");
        fs::create_dir_all(&folder).with_context(|| {
            format!(
                "Could not create {}. Is the disk full, or the folder read-only?",
                folder.display()
            )
        })?;
        let scratch = Self(folder.join(format!("update-{}.index", std::process::id())));
        let _ = fs::remove_file(&scratch.0);
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// What is to be done with the files that are not as the learner's last commit has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Plan {
    /// Entries of the index that are to be the new ones beforehand, so that the file on the disk stays: mode, blob and path.
    ahead: Vec<String>,
    /// Of those, the files that differ from the new ones.
    kept: BTreeSet<String>,
    /// Edited files of exercises that have a new slug: from where to where.
    moved: BTreeMap<String, String>,
}

impl Plan {
    /// Looks at every file that the update changes, and changes nothing.
    fn make(git: &Git, root: &Path, head: &str, target: &str, slugs: &Slugs) -> Result<Self> {
        let mut plan = Self::default();
        let mut stuck = Vec::new();
        let edited = edited(git, head)?;
        let changes = git.list(&["diff-tree", "-r", "-z", "--no-renames", head, target])?;
        for change in changes.chunks_exact(2) {
            let [about, path] = change else { continue };
            let fields: Vec<&str> = about.split(' ').collect();
            let &[_, mode, _, blob, kind] = &fields[..] else {
                bail!(
                    "git speaks of a change as `{about}`, which this command does not understand."
                );
            };
            let file = root.join(path);
            // A file that is gone from the disk is brought back in its new version.
            if fs::symlink_metadata(&file).is_err() || !(kind == "A" || edited.contains(path)) {
                continue;
            }
            let same = git
                .ask(&["hash-object", &format!("--path={path}"), "--", path])
                .is_some_and(|own| own == blob);
            let entry = format!("{mode},{blob},{path}");
            if same {
                plan.ahead.push(entry);
            } else if kind == "M" && is_learners(path) && !half_staged(git, path) {
                plan.ahead.push(entry);
                plan.kept.insert(path.clone());
            } else if let (true, Some(new)) = (kind == "D", slugs.moved(path)) {
                plan.moved.insert(path.clone(), new);
            } else {
                stuck.push(path.as_str());
            }
        }
        if !stuck.is_empty() {
            bail!(
                "You have edited or added files that the update changes as well:\n  {}\nNothing was changed. Copy what you want to keep to another place, and then give the files back: `git checkout HEAD -- FILE` for one of the course, or delete it if it is new.",
                stuck.join("\n  ")
            );
        }
        Ok(plan)
    }

    fn carry_out(
        &self,
        git: &Git,
        root: &Path,
        head: &str,
        target: &str,
        report: &mut Report,
    ) -> Result<()> {
        // First on the side: git looks at every file and says what stands in the way.
        let scratch = Scratch::new(root)?;
        let index = git.path("index")?;
        fs::copy(&index, &scratch.0)
            .with_context(|| format!("Could not copy {}", index.display()))?;
        let aside = SetAside::begin(root, &self.moved)?;
        let side = git.with_index(scratch.0.clone());
        let tried = self
            .tell(&side)
            .and_then(|()| side.run(&["read-tree", "-m", "-u", "-n", head, target]));
        if let Err(error) = tried {
            aside.undo();
            return Err(error).context("Nothing was changed");
        }
        let done = self
            .tell(git)
            .and_then(|()| git.run(&["read-tree", "-m", "-u", head, target]))
            .and_then(|_| {
                git.run(&[
                    "update-ref",
                    "-m",
                    "cargo course update",
                    "HEAD",
                    target,
                    head,
                ])
            });
        if let Err(error) = done {
            aside.undo();
            return Err(error).context(
                "The update stopped in the middle. Your files are as they were; when this is mended, `cargo course update` goes on from here",
            );
        }
        aside.arrive(root)?;
        report.kept.extend(self.kept.iter().cloned());
        report.moved.extend(self.moved.clone());
        for (old, new) in &report.renamed {
            let [old, new] = [old, new].map(|slug| root.join("exercises").join(slug));
            carry_leftovers(&old, &new);
        }
        report.moved.extend(sweep(root)?);
        Ok(())
    }

    /// Tells an index what it has ahead of time.
    fn tell(&self, git: &Git) -> Result<()> {
        for entry in &self.ahead {
            git.run(&["update-index", "--add", "--cacheinfo", entry])?;
        }
        Ok(())
    }
}

/// The files that are not as the commit has them, on the disk or in the index.
fn edited(git: &Git, head: &str) -> Result<BTreeSet<String>> {
    // It compares times first; what merely was touched is no edit.
    let _ = git.ask(&["update-index", "-q", "--refresh"]);
    let mut paths = BTreeSet::new();
    for verb in [
        &["diff-index", "--name-only", "-z", head][..],
        &["diff-index", "--cached", "--name-only", "-z", head],
        &["diff-files", "--name-only", "-z"],
    ] {
        paths.extend(git.list(verb)?);
    }
    Ok(paths)
}

/// Whether the index has a version of the file that is neither the last commit's nor the one on the disk: it would be lost.
fn half_staged(git: &Git, path: &str) -> bool {
    let differs = |arguments: &[&str]| git.ask(arguments).is_some_and(|text| !text.is_empty());
    differs(&["diff-index", "--cached", "--name-only", "HEAD", "--", path])
        && differs(&["diff-files", "--name-only", "--", path])
}

/// The edited files of exercises that get a new folder: for the time of the update they lie in `my/moved`, because a folder that
/// is no crate any more must not stay in `exercises`, or cargo does nothing at all.
struct SetAside(Vec<(PathBuf, PathBuf, String)>);

impl SetAside {
    fn begin(root: &Path, moved: &BTreeMap<String, String>) -> Result<Self> {
        let mut aside = Self(Vec::new());
        let folder = root.join(MOVED);
        for (old, new) in moved {
            let name = old.trim_start_matches("exercises/").replace('/', "-");
            let old = root.join(old);
            let kept = fs::create_dir_all(&folder)
                .and_then(|()| fs::read(&old))
                .and_then(|bytes| {
                    files::write_beside(&folder, |number| format!("{number}-{name}"), &bytes)
                })
                .and_then(|kept| fs::remove_file(&old).map(|()| kept));
            match kept {
                Ok(kept) => aside.0.push((old, kept, new.clone())),
                Err(error) => {
                    aside.undo();
                    return Err(error).with_context(|| {
                        format!(
                            "Could not keep a copy of {}; nothing was changed. Is the disk full, or the folder read-only?",
                            old.display()
                        )
                    });
                }
            }
        }
        Ok(aside)
    }

    fn undo(&self) {
        for (old, kept, _) in &self.0 {
            let _ = fs::rename(kept, old);
        }
    }

    fn arrive(&self, root: &Path) -> Result<()> {
        for (_, kept, new) in &self.0 {
            let new = root.join(new);
            let moved = fs::read(kept).and_then(|bytes| {
                fs::create_dir_all(new.parent().unwrap_or(root))?;
                files::replace(&new, &bytes)
            });
            moved.with_context(|| {
                format!(
                    "The course is updated, but your file could not be written to {}. It is {}: copy it there",
                    new.display(),
                    kept.display()
                )
            })?;
            let _ = fs::remove_file(kept);
        }
        // It fails when something is in it, and then it stays.
        let _ = fs::remove_dir(root.join(MOVED));
        Ok(())
    }
}

/// Where a learner's files go for which there is no other place.
const MOVED: &str = "my/moved";

/// What git does not know of, such as the files that a reset has kept, follows into the new folder.
fn carry_leftovers(old: &Path, new: &Path) {
    for entry in fs::read_dir(old.join("src"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let to = new.join("src").join(entry.file_name());
        if !to.exists() {
            let _ = fs::rename(entry.path(), to);
        }
    }
    for folder in [old.join("src"), old.join("tests"), old.to_owned()] {
        let _ = fs::remove_dir(folder);
    }
}

/// Takes folders out of `exercises` that are no crates, for cargo takes each of them for one; gives back where they went.
fn sweep(root: &Path) -> Result<Vec<(String, String)>> {
    let mut swept = Vec::new();
    for entry in fs::read_dir(root.join("exercises"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if !name.starts_with("ex") || !path.is_dir() || path.join("Cargo.toml").exists() {
            continue;
        }
        let mut number = 1;
        while root.join(format!("{MOVED}/{name}-{number}")).exists() {
            number += 1;
        }
        let to = format!("{MOVED}/{name}-{number}");
        fs::create_dir_all(root.join(MOVED))
            .and_then(|()| fs::rename(&path, root.join(&to)))
            .with_context(|| {
                format!("The course is updated, but cargo takes exercises/{name} for a crate and does nothing. Move it to another place")
            })?;
        swept.push((format!("exercises/{name}"), to));
    }
    Ok(swept)
}

/// What has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Report {
    from: String,
    to: String,
    commits: String,
    /// Id and title.
    new: Vec<(String, String)>,
    /// Old and new slug.
    renamed: Vec<(String, String)>,
    /// Learners' files that stay although the course's have changed.
    kept: BTreeSet<String>,
    /// Learners' files that lie elsewhere now.
    moved: BTreeMap<String, String>,
    /// Ids of exercises whose starter is another one.
    starters: BTreeSet<String>,
    checks: bool,
    chapters: Vec<String>,
    /// Lines that the changelog gained.
    log: Vec<String>,
}

impl Report {
    fn new(git: &Git, question: &Question, slugs: &Slugs) -> Result<Self> {
        let Question { head, theirs, .. } = question;
        // What the course has changed since it was last brought here.
        let base = git
            .ask(&["merge-base", head, theirs])
            .unwrap_or_else(|| head.clone());
        let range = format!("{base}..{theirs}");
        let short = |commit: &str| git.run(&["rev-parse", "--short", commit]);
        let mut report = Self {
            from: short(&base)?,
            to: short(theirs)?,
            commits: git.run(&["rev-list", "--count", &range])?,
            new: slugs
                .after
                .iter()
                .filter(|(id, _)| !slugs.before.contains_key(*id))
                .map(|(id, exercise)| (id.clone(), exercise.title.clone()))
                .collect(),
            renamed: slugs
                .renamed()
                .map(|(old, new)| (old.to_owned(), new.to_owned()))
                .collect(),
            ..Self::default()
        };
        for path in git.list(&[
            "diff-tree",
            "-r",
            "-z",
            "--name-only",
            "--no-renames",
            &base,
            theirs,
        ])? {
            report.checks |= path.starts_with("crates/checks/");
            if let Some(id) = path
                .strip_prefix("crates/course/starters/")
                .and_then(|name| name.strip_suffix(".rs"))
            {
                report.starters.insert(id.to_owned());
            }
            let chapter = path
                .strip_prefix("book/src/")
                .and_then(|name| name.strip_suffix(".md"));
            if let Some(slug) = chapter
                && slug.starts_with(|first: char| first.is_ascii_digit())
            {
                report.chapters.push(slug.to_owned());
            }
        }
        let log = git.ask(&[
            "diff",
            "--unified=0",
            "--no-color",
            "--no-ext-diff",
            &base,
            theirs,
            "--",
            "CHANGELOG.md",
        ]);
        report.log = log
            .iter()
            .flat_map(|text| text.lines())
            .filter_map(|line| line.strip_prefix("+- "))
            .map(ToOwned::to_owned)
            .collect();
        Ok(report)
    }

    fn text(&self, style: Style) -> String {
        let Self { from, to, .. } = self;
        let commits = count(self.commits.parse().unwrap_or_default(), "commit");
        let mut out = format!(
            "{} ({commits}, {from} to {to}).\n",
            style.bold("The course is updated")
        );
        for (old, new) in &self.renamed {
            let _ = writeln!(out, "\nexercises/{old} is exercises/{new} from now on.");
        }
        for (old, new) in &self.moved {
            let _ = writeln!(out, "\nYours has moved: {old} is {new}");
        }
        if !self.kept.is_empty() {
            out.push_str("\nThe course has changed these as well; yours are as they were:\n");
            for path in &self.kept {
                let _ = writeln!(out, "  {path}");
                let id = path
                    .strip_prefix("exercises/")
                    .and_then(|rest| rest.split_once('-'))
                    .map(|(id, _)| id);
                if let Some(id) =
                    id.filter(|id| self.starters.contains(*id) && path.ends_with("/src/lib.rs"))
                {
                    let copy = starter::copy(id);
                    let _ = writeln!(
                        out,
                        "    what changed:  git diff {from} {to} -- {copy}\n    begin anew:    cargo course reset {id}"
                    );
                } else {
                    let _ = writeln!(out, "    the new one:   git checkout HEAD -- {path}");
                }
            }
        }
        if !self.new.is_empty() {
            let list: Vec<String> = self
                .new
                .iter()
                .map(|(id, title)| format!("{id} {title}"))
                .collect();
            let _ = writeln!(out, "\nNew exercises: {}.", list.join(", "));
        }
        if !self.chapters.is_empty() {
            let _ = writeln!(
                out,
                "\nChapters that are new or changed: {}.",
                self.chapters.join(", ")
            );
        }
        if self.checks {
            out.push_str(
                "\nThe checks have changed: `cargo course status` tests your exercises anew.\n",
            );
        }
        if !self.log.is_empty() {
            out.push_str("\nFrom CHANGELOG.md:\n");
            for line in self.log.iter().take(LINES) {
                let _ = writeln!(out, "- {line}");
            }
            if self.log.len() > LINES {
                let _ = writeln!(out, "and {} more.", count(self.log.len() - LINES, "line"));
            }
        }
        out
    }
}

/// How many lines of the changelog are shown.
const LINES: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::Folder;
    use std::process::Command;

    const ADAM: &str = "exercises/ex07-adam/src/lib.rs";

    /// A course that is published in `course`, and a learner's clone of it in `clone`.
    struct Rig(Folder);

    impl Rig {
        fn new(name: &str) -> Self {
            let rig = Self(Folder::new(&format!("update-{name}")));
            fs::create_dir(rig.0.0.join("course")).unwrap();
            rig.git("course", &["init", "--quiet", "--initial-branch=main"]);
            rig.write("course/.gitignore", "/.course\n/my\n*.old-*.rs\n");
            rig.write("course/CHANGELOG.md", "## Unreleased\n\n- Old.\n");
            rig.write("course/book/src/04-adam.md", "Adam.\n");
            rig.write("course/tools/a.py", "1\n2\n3\n");
            rig.write("course/crates/checks/src/lib.rs", "checks\n");
            rig.manifest(&["ex06-ema", "ex07-adam"]);
            for slug in ["ex06-ema", "ex07-adam"] {
                rig.exercise(slug, "starter 1\n");
            }
            rig.publish("The course");
            rig.git(".", &["clone", "--quiet", "course", "clone"]);
            rig
        }

        fn git(&self, folder: &str, arguments: &[&str]) -> String {
            let output = Command::new("git")
                .args([
                    "-c",
                    "user.name=A",
                    "-c",
                    "user.email=a@b",
                    "-c",
                    "commit.gpgsign=false",
                ])
                .args(arguments)
                .current_dir(self.0.0.join(folder))
                .output()
                .unwrap();
            assert!(output.status.success(), "git {arguments:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        }

        fn write(&self, path: &str, text: &str) {
            self.0.write(path, text);
        }

        fn manifest(&self, slugs: &[&str]) {
            let entries = slugs.iter().map(|slug| {
                let id = &slug[..4];
                format!("[[exercise]]\nid = \"{id}\"\nslug = \"{slug}\"\ntitle = \"Title of {id}\"\ndifficulty = 1\nminutes = 5\n")
            });
            self.write(
                "course/exercises/exercises.toml",
                &entries.collect::<String>(),
            );
        }

        fn exercise(&self, slug: &str, starter: &str) {
            let folder = format!("course/exercises/{slug}");
            self.write(&format!("{folder}/src/lib.rs"), starter);
            self.write(&format!("{folder}/Cargo.toml"), slug);
            self.write(&format!("{folder}/tests/t.rs"), "tests\n");
            self.write(
                &format!("course/crates/course/starters/{}.rs", &slug[..4]),
                starter,
            );
        }

        fn publish(&self, message: &str) {
            self.git("course", &["add", "--all"]);
            self.git("course", &["commit", "--quiet", "--message", message]);
        }

        /// A second edition: a changed starter of ex07, a new exercise, a chapter and a line of the changelog.
        fn second_edition(&self) {
            self.exercise("ex07-adam", "starter 2\n");
            self.exercise("ex08-lion", "starter 1\n");
            self.manifest(&["ex06-ema", "ex07-adam", "ex08-lion"]);
            self.write("course/book/src/05-lion.md", "Lion.\n");
            self.write("course/crates/checks/src/lib.rs", "checks 2\n");
            self.write("course/CHANGELOG.md", "## Unreleased\n\n- Old.\n- Lion.\n");
            self.publish("Second edition");
        }

        fn commit_edits(&self) {
            self.git("clone", &["add", "--all"]);
            self.git("clone", &["commit", "--quiet", "--message", "Mine"]);
        }

        fn clone(&self) -> PathBuf {
            self.0.0.join("clone")
        }

        fn mine(&self, path: &str) -> String {
            self.0.read(&format!("clone/{path}"))
        }

        fn edit(&self, path: &str, text: &str) {
            self.write(&format!("clone/{path}"), text);
        }

        fn update(&self) -> Result<Option<Report>> {
            let git = git::at(&self.clone())?;
            let question = ask(&git)?;
            bring(&git, &self.clone(), &question)
        }

        fn updated(&self) -> Report {
            self.update().unwrap().expect("something to update")
        }

        /// What is not as the commit has it, a line each.
        fn status(&self) -> String {
            self.git("clone", &["status", "--porcelain"])
        }

        /// A refused update has changed nothing.
        fn refused(&self) -> String {
            let state = || {
                let head = self.git("clone", &["rev-parse", "HEAD"]);
                let index = self.git("clone", &["ls-files", "--stage"]);
                (head, index, self.status())
            };
            let before = state();
            let error = format!("{:#}", self.update().unwrap_err());
            assert_eq!(state(), before, "{error}");
            error
        }
    }

    #[test]
    fn an_untouched_clone_becomes_the_newest_and_says_what_changed() {
        let rig = Rig::new("plain");
        assert_eq!(rig.update().unwrap(), None);
        rig.second_edition();
        let report = rig.updated();
        assert_eq!(rig.mine(ADAM), "starter 2\n");
        assert_eq!(rig.status(), "");
        assert_eq!(
            rig.git("clone", &["rev-parse", "HEAD"]),
            rig.git("course", &["rev-parse", "HEAD"])
        );
        let text = report.text(Style::plain());
        for part in [
            "1 commit,",
            "New exercises: ex08 Title of ex08.",
            "Chapters that are new or changed: 05-lion.",
            "The checks have changed",
            "- Lion.",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("Old.") && !text.contains("yours"), "{text}");
        assert_eq!(rig.update().unwrap(), None);
    }

    #[test]
    fn an_edited_exercise_stays_as_it_is_and_the_rest_is_updated() {
        let rig = Rig::new("edited");
        rig.edit(ADAM, "mine\n");
        rig.second_edition();
        let report = rig.updated();
        assert_eq!(rig.mine(ADAM), "mine\n");
        assert_eq!(rig.mine("crates/course/starters/ex07.rs"), "starter 2\n");
        assert_eq!(rig.mine("exercises/ex08-lion/src/lib.rs"), "starter 1\n");
        assert_eq!(rig.status(), format!("M {ADAM}"));
        let text = report.text(Style::plain());
        assert!(
            text.contains(&format!("yours are as they were:\n  {ADAM}")),
            "{text}"
        );
        assert!(text.contains("-- crates/course/starters/ex07.rs"), "{text}");
        assert!(text.contains("cargo course reset ex07"), "{text}");
    }

    #[test]
    fn an_edited_exercise_that_did_not_change_is_not_worth_a_word() {
        let rig = Rig::new("other");
        rig.edit("exercises/ex06-ema/src/lib.rs", "mine\n");
        rig.second_edition();
        let report = rig.updated();
        assert_eq!(rig.mine("exercises/ex06-ema/src/lib.rs"), "mine\n");
        assert!(report.kept.is_empty() && report.moved.is_empty());
    }

    #[test]
    fn a_staged_edit_stays_on_the_disk() {
        let rig = Rig::new("staged");
        rig.edit(ADAM, "mine\n");
        rig.git("clone", &["add", ADAM]);
        rig.second_edition();
        rig.updated();
        assert_eq!(rig.mine(ADAM), "mine\n");
    }

    #[test]
    fn a_staged_version_that_is_nowhere_else_is_not_lost() {
        let rig = Rig::new("half-staged");
        rig.edit(ADAM, "one\n");
        rig.git("clone", &["add", ADAM]);
        rig.edit(ADAM, "two\n");
        rig.second_edition();
        let error = rig.refused();
        assert!(error.contains(ADAM), "{error}");
        assert_eq!(rig.git("clone", &["show", &format!(":{ADAM}")]), "one");
    }

    #[test]
    fn committed_edits_are_merged_and_stay() {
        let rig = Rig::new("committed");
        rig.edit(ADAM, "mine\n");
        rig.edit("notes.md", "my notes\n");
        rig.commit_edits();
        rig.second_edition();
        let report = rig.updated();
        assert_eq!(rig.mine(ADAM), "mine\n");
        assert_eq!(rig.mine("notes.md"), "my notes\n");
        assert_eq!(rig.mine("exercises/ex08-lion/src/lib.rs"), "starter 1\n");
        assert_eq!(rig.status(), "");
        assert_eq!(
            rig.git("clone", &["rev-list", "--count", "--merges", "HEAD"]),
            "1"
        );
        assert_eq!(report.kept, BTreeSet::from([ADAM.to_owned()]));
        assert_eq!(rig.update().unwrap(), None);
    }

    #[test]
    fn edits_after_a_commit_of_edits_stay_too() {
        let rig = Rig::new("both");
        rig.edit(ADAM, "mine\n");
        rig.commit_edits();
        rig.edit(ADAM, "mine, later\n");
        rig.second_edition();
        rig.updated();
        assert_eq!(rig.mine(ADAM), "mine, later\n");
        assert_eq!(rig.git("clone", &["show", &format!("HEAD:{ADAM}")]), "mine");
        // And once more, from a merge commit.
        rig.exercise("ex07-adam", "starter 3\n");
        rig.publish("Third edition");
        rig.updated();
        assert_eq!(rig.mine(ADAM), "mine, later\n");
    }

    #[test]
    fn an_edit_moves_with_its_exercise() {
        let rig = Rig::new("renamed");
        rig.edit(ADAM, "mine\n");
        rig.edit("exercises/ex07-adam/src/lib.old-1.rs", "older\n");
        rig.git(
            "course",
            &["mv", "exercises/ex07-adam", "exercises/ex07-adaptive"],
        );
        rig.exercise("ex07-adaptive", "starter 2\n");
        rig.manifest(&["ex06-ema", "ex07-adaptive"]);
        rig.publish("A better name");
        let report = rig.updated();
        assert_eq!(rig.mine("exercises/ex07-adaptive/src/lib.rs"), "mine\n");
        assert_eq!(
            rig.mine("exercises/ex07-adaptive/src/lib.old-1.rs"),
            "older\n"
        );
        assert!(!rig.clone().join("exercises/ex07-adam").exists());
        assert!(!rig.clone().join("my/moved").exists());
        assert_eq!(rig.status(), "M exercises/ex07-adaptive/src/lib.rs");
        let text = report.text(Style::plain());
        assert!(
            text.contains("exercises/ex07-adam is exercises/ex07-adaptive"),
            "{text}"
        );
    }

    #[test]
    fn a_folder_that_is_no_crate_any_more_stands_not_in_cargos_way() {
        let rig = Rig::new("sweep");
        rig.edit("exercises/ex07-adam/notes/mine.txt", "mine\n");
        rig.git(
            "course",
            &["mv", "exercises/ex07-adam", "exercises/ex07-adaptive"],
        );
        rig.manifest(&["ex06-ema", "ex07-adaptive"]);
        rig.publish("A better name");
        let report = rig.updated();
        assert!(!rig.clone().join("exercises/ex07-adam").exists());
        assert_eq!(rig.mine("my/moved/ex07-adam-1/notes/mine.txt"), "mine\n");
        assert_eq!(report.moved["exercises/ex07-adam"], "my/moved/ex07-adam-1");
    }

    #[test]
    fn a_committed_edit_moves_with_its_exercise() {
        let rig = Rig::new("renamed-committed");
        rig.edit(ADAM, "mine\n");
        rig.edit("exercises/ex07-adam/src/help.rs", "help\n");
        rig.commit_edits();
        rig.edit(ADAM, "mine, later\n");
        rig.git(
            "course",
            &["mv", "exercises/ex07-adam", "exercises/ex07-adaptive"],
        );
        rig.exercise("ex07-adaptive", "starter 2\n");
        rig.manifest(&["ex06-ema", "ex07-adaptive"]);
        rig.publish("A better name");
        rig.updated();
        assert_eq!(
            rig.mine("exercises/ex07-adaptive/src/lib.rs"),
            "mine, later\n"
        );
        assert_eq!(rig.mine("exercises/ex07-adaptive/src/help.rs"), "help\n");
        assert_eq!(
            rig.mine("exercises/ex07-adaptive/Cargo.toml"),
            "ex07-adaptive"
        );
        assert!(!rig.clone().join("exercises/ex07-adam").exists());
        assert_eq!(
            rig.git(
                "clone",
                &["show", "HEAD:exercises/ex07-adaptive/src/lib.rs"]
            ),
            "mine"
        );
    }

    #[test]
    fn an_edit_elsewhere_is_named_and_nothing_changes() {
        let rig = Rig::new("elsewhere");
        rig.edit("tools/a.py", "mine\n");
        rig.edit("exercises/ex08-lion/src/lib.rs", "mine too\n");
        rig.edit(ADAM, "mine\n");
        rig.second_edition();
        rig.write("course/tools/a.py", "4\n");
        rig.publish("Tools");
        let error = rig.refused();
        for part in [
            "tools/a.py",
            "exercises/ex08-lion/src/lib.rs",
            "git checkout HEAD -- FILE",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(!error.contains(ADAM), "{error}");
        assert_eq!(rig.mine("tools/a.py"), "mine\n");
    }

    #[test]
    fn a_committed_edit_elsewhere_that_clashes_is_left_to_the_learner() {
        let rig = Rig::new("clash");
        rig.edit("tools/a.py", "mine\n");
        rig.commit_edits();
        rig.write("course/tools/a.py", "4\n");
        rig.publish("Tools");
        let error = rig.refused();
        assert!(error.contains("tools/a.py"), "{error}");
        assert!(error.contains("git merge origin/main"), "{error}");
        assert_eq!(
            fs::read_dir(rig.clone().join(".course")).unwrap().count(),
            0
        );
    }

    #[test]
    fn an_interrupted_update_is_finished_by_the_next() {
        let rig = Rig::new("interrupted");
        rig.edit("exercises/ex06-ema/src/lib.rs", "mine\n");
        rig.second_edition();
        // Some files are there already, the index has one of them, and the commit is the old one.
        rig.edit(ADAM, "starter 2\n");
        rig.edit("exercises/ex08-lion/src/lib.rs", "starter 1\n");
        rig.edit("crates/checks/src/lib.rs", "checks 2\n");
        rig.git("clone", &["add", "crates/checks/src/lib.rs"]);
        rig.updated();
        assert_eq!(rig.status(), "M exercises/ex06-ema/src/lib.rs");
    }

    #[test]
    fn a_course_whose_history_was_rewritten_is_followed() {
        let rig = Rig::new("rewritten");
        rig.edit("exercises/ex06-ema/src/lib.rs", "mine\n");
        rig.exercise("ex07-adam", "starter 2\n");
        rig.git("course", &["add", "--all"]);
        rig.git(
            "course",
            &["commit", "--quiet", "--amend", "--message", "Anew"],
        );
        rig.updated();
        assert_eq!(rig.mine(ADAM), "starter 2\n");
        assert_eq!(rig.status(), "M exercises/ex06-ema/src/lib.rs");
        assert_eq!(rig.git("clone", &["rev-list", "--count", "HEAD"]), "1");
    }

    #[test]
    fn without_the_course_in_reach_nothing_changes() {
        let rig = Rig::new("offline");
        rig.edit(ADAM, "mine\n");
        fs::rename(rig.0.0.join("course"), rig.0.0.join("away")).unwrap();
        let error = rig.refused();
        assert!(error.contains("could not be fetched from"), "{error}");
        assert!(error.contains("nothing was changed"), "{error}");
    }

    #[test]
    fn what_is_no_clone_of_its_own_says_so() {
        let folder = Folder::new("update-none");
        let error = format!("{:#}", git::at(&folder.0).unwrap_err());
        // Unless the folder for temporary files lies in a clone.
        assert!(error.contains("git clone"), "{error}");
        let rig = Rig::new("inside");
        let error = git::at(&rig.clone().join("exercises"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("is none itself"), "{error}");
    }

    #[test]
    fn a_clone_in_the_middle_of_something_says_what() {
        let rig = Rig::new("middle");
        rig.git("clone", &["checkout", "--quiet", "--detach"]);
        assert!(rig.refused().contains("git switch main"));
        rig.git("clone", &["checkout", "--quiet", "-b", "own"]);
        assert!(rig.refused().contains("--set-upstream-to"));
        rig.git("clone", &["checkout", "--quiet", "main"]);
        rig.edit("../clone/.git/MERGE_HEAD", "");
        assert!(rig.refused().contains("git merge --abort"));
    }
}
