//! Calling git.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;

/// Git in one clone.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    root: PathBuf,
    /// An index other than the clone's.
    index: Option<PathBuf>,
}

/// The git of the clone at `root`, which must be the top of the clone and not a folder in it.
pub(crate) fn at(root: &Path) -> Result<Git> {
    let git = Git {
        root: root.to_owned(),
        index: None,
    };
    let output = git
        .command(&["rev-parse", "--show-toplevel"])
        .output()
        .context("Could not run git. Install git, and try again")?;
    if !output.status.success() {
        let words = words(&output);
        if words.contains("not a git repository") {
            bail!(
                "This folder is no git clone, so there is nothing to update it from. Clone the course anew beside it, and copy your exercises/*/src/lib.rs and .course/progress.json into the clone."
            );
        }
        bail!("git says: {words}");
    }
    let top = PathBuf::from(text(&output));
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real(&top) != real(root) {
        bail!(
            "This folder lies in another git clone, {}, and is none itself: update that one.",
            top.display()
        );
    }
    Ok(git)
}

impl Git {
    /// The same clone with another index.
    pub(crate) fn with_index(&self, index: PathBuf) -> Self {
        Self {
            index: Some(index),
            ..self.clone()
        }
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new("git");
        command
            .args(["-c", "core.quotepath=off", "--literal-pathspecs"])
            .args(arguments)
            .current_dir(&self.root)
            .env("LC_ALL", "C");
        // A hook that calls this command has set them for a clone that need not be this one.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(name);
        }
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        command
    }

    /// Runs git. Ctrl-C does not reach it: what it has begun it brings to an end.
    fn output<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Output> {
        let mut command = self.command(arguments);
        process::apart(command.stdin(Stdio::null()));
        command.output().context("Could not run git")
    }

    /// What git prints, without the last line's end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<String> {
        let output = self.output(arguments)?;
        if !output.status.success() {
            let verb = arguments
                .first()
                .map(|verb| verb.as_ref().to_string_lossy());
            bail!("git {} says: {}", verb.unwrap_or_default(), words(&output));
        }
        Ok(text(&output))
    }

    /// What git prints, if it knows an answer.
    pub(crate) fn ask<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Option<String> {
        let output = self.output(arguments).ok()?;
        output.status.success().then(|| text(&output))
    }

    /// Whether git says yes.
    pub(crate) fn is<S: AsRef<OsStr>>(&self, arguments: &[S]) -> bool {
        self.ask(arguments).is_some()
    }

    /// What git prints, split at its zero bytes.
    pub(crate) fn list<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Vec<String>> {
        let text = self.run(arguments)?;
        Ok(text
            .split('\0')
            .filter(|part| !part.is_empty())
            .map(ToOwned::to_owned)
            .collect())
    }

    /// A file in git's own folder.
    pub(crate) fn path(&self, name: &str) -> Result<PathBuf> {
        Ok(self
            .root
            .join(self.run(&["rev-parse", "--git-path", name])?))
    }

    /// Brings what a remote has. It may ask for a password, so it stays with the terminal, and Ctrl-C ends it.
    pub(crate) fn fetch(&self, remote: &str) -> Result<()> {
        let output = self
            .command(&["fetch", "--quiet", remote])
            .output()
            .context("Could not run git")?;
        if !output.status.success() {
            bail!("{}", words(&output));
        }
        Ok(())
    }

    /// Makes a commit of a tree, in the learner's name if git knows it.
    pub(crate) fn commit(&self, tree: &str, parents: &[&str], message: &str) -> Result<String> {
        let mut arguments = vec!["commit-tree", tree, "-m", message];
        for parent in parents {
            arguments.extend(["-p", parent]);
        }
        let mut command = self.command(&arguments);
        if !self.is(&["var", "GIT_COMMITTER_IDENT"]) {
            for who in ["AUTHOR", "COMMITTER"] {
                command.env(format!("GIT_{who}_NAME"), "cargo course");
                command.env(format!("GIT_{who}_EMAIL"), "course@localhost");
            }
        }
        process::apart(command.stdin(Stdio::null()));
        let output = command.output().context("Could not run git")?;
        if !output.status.success() {
            bail!("git commit-tree says: {}", words(&output));
        }
        Ok(text(&output))
    }
}

fn text(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim_end_matches(['\r', '\n']).to_owned()
}

fn words(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("hint:"))
        .collect();
    kept.join("\n").trim().to_owned()
}
