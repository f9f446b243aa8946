//! A learner's own copies of the notebooks, `my/notebooks/<slug>.ipynb`.
//!
//! Jupyter saves outputs into the file that it opens. So it opens a copy: `notebooks/` stays as git has it, and an update of
//! the course never meets a learner's edits. When a chapter changes after its notebook was copied, a copy that was not edited
//! follows it; an edited one stays as it is, and the new version comes to lie beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::progress::Fnv;

/// The copy to open, and what to tell the learner about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copy {
    /// The path as seen from the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) note: Option<String>,
}

/// Whether there is a notebook of this name.
pub(crate) fn exists(root: &Path, slug: &str) -> bool {
    !slug.is_empty()
        && slug
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && original(root, slug).is_file()
}

fn original(root: &Path, slug: &str) -> PathBuf {
    root.join("notebooks").join(format!("{slug}.ipynb"))
}

/// Makes or finds the learner's copy of a notebook.
pub(crate) fn open(root: &Path, slug: &str) -> Result<Copy> {
    if !exists(root, slug) {
        bail!("There is no notebook `{slug}`.");
    }
    let folder = root.join("my/notebooks");
    let failed = || {
        format!(
            "Could not copy the notebook to {}. Is the disk full, or the folder read-only?",
            folder.display()
        )
    };
    fs::create_dir_all(&folder).with_context(failed)?;
    let ledger_path = folder.join(".copied.json");
    let mut ledger: BTreeMap<String, String> = fs::read_to_string(&ledger_path)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let chapter = fs::read(original(root, slug)).with_context(failed)?;
    let now = hash(&chapter);
    let mine = folder.join(format!("{slug}.ipynb"));
    let newer = folder.join(format!("{slug}.new.ipynb"));
    let newer_key = format!("{slug}.new");
    let mut note = None;
    match fs::read(&mine).ok().map(|bytes| hash(&bytes)) {
        None => {
            fs::write(&mine, &chapter).with_context(failed)?;
            ledger.insert(slug.to_owned(), now);
        }
        Some(own) if own == now => {
            ledger.insert(slug.to_owned(), now);
        }
        Some(own) => match ledger.get(slug) {
            // Not edited since it was copied, so that nothing is lost.
            Some(copied) if *copied == own => {
                fs::write(&mine, &chapter).with_context(failed)?;
                ledger.insert(slug.to_owned(), now);
            }
            // Edited, and the chapter has not changed since.
            Some(copied) if *copied == now => {}
            // Edited, and the ledger is lost: from here on, the present chapter counts as the one that was copied.
            None => {
                ledger.insert(slug.to_owned(), now);
            }
            Some(_) => {
                let lying = fs::read(&newer).ok().map(|bytes| hash(&bytes));
                let ours = lying.is_none() || lying.as_ref() == ledger.get(&newer_key);
                if lying.as_ref() != Some(&now) && ours {
                    fs::write(&newer, &chapter).with_context(failed)?;
                    ledger.insert(newer_key, now);
                }
                note = Some(format!(
                    "The chapter {slug} has changed since you copied its notebook. Yours is untouched; the new version lies beside it, my/notebooks/{slug}.new.ipynb."
                ));
            }
        },
    }
    let text = serde_json::to_string_pretty(&ledger).with_context(failed)?;
    fs::write(&ledger_path, text + "\n").with_context(failed)?;
    Ok(Copy {
        path: format!("my/notebooks/{slug}.ipynb"),
        note,
    })
}

fn hash(bytes: &[u8]) -> String {
    let mut hash = Fnv::new();
    hash.add(bytes);
    hash.hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Clone(PathBuf);

    impl Clone {
        fn new(name: &str) -> Self {
            let root =
                std::env::temp_dir().join(format!("moments-copies-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(root.join("notebooks")).unwrap();
            let clone = Self(root);
            clone.chapter("one");
            clone
        }

        fn chapter(&self, text: &str) {
            fs::write(self.0.join("notebooks/04-adam.ipynb"), text).unwrap();
        }

        fn mine(&self) -> PathBuf {
            self.0.join("my/notebooks/04-adam.ipynb")
        }

        fn read(&self, name: &str) -> String {
            fs::read_to_string(self.0.join("my/notebooks").join(name)).unwrap_or_default()
        }
    }

    impl Drop for Clone {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_first_opening_copies_the_notebook() {
        let clone = Clone::new("first");
        let copy = open(&clone.0, "04-adam").unwrap();
        assert_eq!(copy.path, "my/notebooks/04-adam.ipynb");
        assert_eq!(copy.note, None);
        assert_eq!(clone.read("04-adam.ipynb"), "one");
    }

    #[test]
    fn an_untouched_copy_follows_the_chapter() {
        let clone = Clone::new("follows");
        open(&clone.0, "04-adam").unwrap();
        clone.chapter("two");
        assert_eq!(open(&clone.0, "04-adam").unwrap().note, None);
        assert_eq!(clone.read("04-adam.ipynb"), "two");
    }

    #[test]
    fn an_edited_copy_is_never_overwritten_and_the_new_version_lies_beside_it() {
        let clone = Clone::new("edited");
        open(&clone.0, "04-adam").unwrap();
        fs::write(clone.mine(), "mine").unwrap();
        assert_eq!(open(&clone.0, "04-adam").unwrap().note, None);
        clone.chapter("two");
        let note = open(&clone.0, "04-adam").unwrap().note.unwrap();
        assert!(note.contains("04-adam.new.ipynb"), "{note}");
        assert_eq!(clone.read("04-adam.ipynb"), "mine");
        assert_eq!(clone.read("04-adam.new.ipynb"), "two");
        clone.chapter("three");
        open(&clone.0, "04-adam").unwrap();
        assert_eq!(clone.read("04-adam.new.ipynb"), "three");
        fs::write(clone.0.join("my/notebooks/04-adam.new.ipynb"), "mine too").unwrap();
        clone.chapter("four");
        open(&clone.0, "04-adam").unwrap();
        assert_eq!(clone.read("04-adam.new.ipynb"), "mine too");
    }

    #[test]
    fn a_lost_ledger_loses_no_edit() {
        let clone = Clone::new("ledger");
        open(&clone.0, "04-adam").unwrap();
        fs::write(clone.mine(), "mine").unwrap();
        fs::remove_file(clone.0.join("my/notebooks/.copied.json")).unwrap();
        open(&clone.0, "04-adam").unwrap();
        assert_eq!(clone.read("04-adam.ipynb"), "mine");
    }

    #[test]
    fn names_that_lead_elsewhere_are_no_notebooks() {
        let clone = Clone::new("names");
        for name in ["", "../04-adam", "04-adam.ipynb", "05-none", "a/b"] {
            assert!(!exists(&clone.0, name), "{name}");
        }
        assert!(exists(&clone.0, "04-adam"));
    }
}
