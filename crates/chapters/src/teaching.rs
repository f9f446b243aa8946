//! How long the course takes: the fences `timing` and `plan` of the page for instructors.
//!
//! `timing` becomes a table of all chapters, and `plan` a table of the sessions that it lists. Their minutes are those that
//! pages, cells, questions and exercises have now: a plan that has grown too long fails the build.

use crate::prose;
use crate::{Chapter, Error, Kind, Layout, exercises, include};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

/// Minutes for running a cell, looking at what it shows and changing a number in it.
const CELL: usize = 1;
/// Minutes for answering a question and reading why.
const QUESTION: usize = 2;
/// A section that is shown in class takes this many times as long as it takes to read: the rest is for what people ask.
const SHOWN: usize = 2;

/// What there is to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    words: usize,
    code: usize,
}

impl Reading {
    /// 200 words a minute, and three seconds for a line of code.
    pub(crate) fn minutes(self) -> usize {
        (self.words * 60 / 200 + self.code * 3).div_ceil(60).max(1)
    }

    fn add(&mut self, other: Self) {
        self.words += other.words;
        self.code += other.code;
    }

    fn line(line: &str, fenced: bool) -> Self {
        if fenced {
            Self { words: 0, code: 1 }
        } else {
            let words = line.split_whitespace().count();
            Self { words, code: 0 }
        }
    }
}

/// What there is to read in a chapter.
pub(crate) fn reading(chapter: &Chapter) -> Reading {
    let mut all = Reading::default();
    for section in sections(chapter) {
        all.add(section.own);
    }
    all
}

struct Section {
    level: usize,
    /// As mdBook makes it; empty before the first heading.
    id: String,
    title: String,
    /// Without the sections below it.
    own: Reading,
}

fn sections(chapter: &Chapter) -> Vec<Section> {
    let mut all = vec![Section {
        level: 1,
        id: String::new(),
        title: chapter.title.clone(),
        own: Reading::default(),
    }];
    for block in &chapter.blocks {
        if let Kind::Prose(text) = &block.kind {
            for (_, line, fenced) in prose::lines(text) {
                if let Some((level, title, id)) = prose::heading(line)
                    && !fenced
                    && level > 1
                {
                    let id = id.map_or_else(|| prose::id(title), str::to_owned);
                    all.push(Section {
                        level,
                        id,
                        title: title.to_owned(),
                        own: Reading::default(),
                    });
                }
                all.last_mut()
                    .expect("it begins with one")
                    .own
                    .add(Reading::line(line, fenced));
            }
            continue;
        }
        let (words, code) = match &block.kind {
            Kind::Listing(text) => (0, text.lines().count()),
            Kind::Cell(cell) => (0, cell.code.lines().count()),
            Kind::Question(question) => (question.prompt.split_whitespace().count(), 0),
            Kind::Prose(_) | Kind::Teaching(_) => (0, 0),
        };
        all.last_mut()
            .expect("it begins with one")
            .own
            .add(Reading { words, code });
    }
    all
}

/// The fence, as the chapter has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Teaching {
    /// A table of all chapters.
    Timing,
    /// The sessions of a course, TOML.
    Plan(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    session: Vec<Session>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    title: String,
    /// How long the session is.
    minutes: usize,
    class: Vec<String>,
    #[serde(default)]
    home: Vec<String>,
}

struct Timed {
    title: String,
    reading: Reading,
    cells: usize,
    questions: usize,
    sections: Vec<Section>,
}

/// Everything that takes time.
pub(crate) struct Clock {
    chapters: BTreeMap<String, Timed>,
    exercises: Vec<exercises::Exercise>,
}

impl Clock {
    pub(crate) fn load(layout: &Layout) -> Result<Self, Error> {
        let mut chapters = BTreeMap::new();
        for slug in layout.slugs()? {
            let path = layout.source(&slug);
            let name = layout.relative(&path);
            let source =
                fs::read_to_string(&path).map_err(|e| Error::io(&name, "read the chapter", &e))?;
            // As the page is when mdBook has included the listings.
            let dir = path.parent().unwrap_or(layout.root());
            let source = include::expand(&source, dir)
                .map_err(|(line, message)| Error::at(&name, line + 1, message))?;
            let chapter = Chapter::parse_str(&name, &source)?;
            let timed = Timed {
                title: chapter.title.clone(),
                reading: reading(&chapter),
                cells: chapter.cells().count(),
                questions: chapter.questions().count(),
                sections: sections(&chapter),
            };
            chapters.insert(slug, timed);
        }
        Ok(Self {
            chapters,
            exercises: exercises::load(layout)?,
        })
    }

    /// The table of all chapters that have something to run, in Markdown.
    pub(crate) fn timing(&self) -> String {
        let mut out = String::from(
            "| chapter | read | run its cells | answer its questions | exercises | write them | all |\n|---|--:|--:|--:|---|--:|--:|\n",
        );
        let mut sums = [0; 4];
        let mut row = |name: &str, list: &str, minutes: [usize; 4]| {
            let [read, run, answer, write] = minutes;
            let all = read + run + answer + write;
            let _ = writeln!(
                out,
                "| {name} | {read} | {run} | {answer} | {list} | {write} | {} |",
                hours(all)
            );
        };
        let of = |slug: Option<&str>| {
            let mine: Vec<_> = self
                .exercises
                .iter()
                .filter(|e| e.chapter.as_deref() == slug)
                .collect();
            let links: Vec<String> = mine.iter().map(|e| link_exercise(e)).collect();
            let minutes = mine.iter().map(|e| e.minutes as usize).sum::<usize>();
            (links.join(", "), minutes)
        };
        for (slug, chapter) in self.chapters.iter().filter(|(_, c)| c.cells > 0) {
            let (list, write) = of(Some(slug));
            let minutes = [
                chapter.reading.minutes(),
                chapter.cells * CELL,
                chapter.questions * QUESTION,
                write,
            ];
            sums.iter_mut().zip(minutes).for_each(|(s, m)| *s += m);
            let name = format!("{} [{}]({slug}.md)", &slug[..2], chapter.title);
            row(&name, &list, minutes);
        }
        let (list, write) = of(None);
        if write > 0 {
            sums[3] += write;
            row("of no single chapter", &list, [0, 0, 0, write]);
        }
        row("**together**", "", sums);
        out
    }

    /// The table of a plan's sessions, in Markdown; else what is wrong with the plan.
    pub(crate) fn plan(&self, text: &str) -> Result<String, String> {
        let plan: Plan = toml::from_str(text).map_err(|e| format!("plan: {}", e.message()))?;
        let mut out = String::from(
            "| session | in class, with minutes | min | at home, with minutes | min |\n|---|---|--:|---|--:|\n",
        );
        let (mut all_class, mut all_home) = (0, 0);
        for (number, session) in plan.session.iter().enumerate() {
            let Session {
                title,
                minutes,
                class,
                home,
            } = session;
            let (class, used) = self.parts(title, class, SHOWN)?;
            let (home, later) = self.parts(title, home, 1)?;
            if used > *minutes {
                return Err(format!(
                    "plan: `{title}` is {minutes} minutes long and its parts take {used}: shorten it"
                ));
            }
            all_class += used;
            all_home += later;
            let _ = writeln!(
                out,
                "| {}. {title} | {class} | {used}\u{a0}of\u{a0}{minutes} | {home} | {later} |",
                number + 1
            );
        }
        let _ = writeln!(
            out,
            "| **together** | | {} | | {} |",
            hours(all_class),
            hours(all_home)
        );
        Ok(out)
    }

    fn parts(
        &self,
        title: &str,
        parts: &[String],
        shown: usize,
    ) -> Result<(String, usize), String> {
        let mut sum = 0;
        let mut list = Vec::new();
        for part in parts {
            let (name, minutes) = self.part(part, shown).ok_or_else(|| {
                format!("plan: `{title}` has `{part}`, which is no chapter, no section, no exercise and no `N min: what`")
            })?;
            sum += minutes;
            list.push(format!("{name} ({minutes})"));
        }
        Ok((list.join("<br>"), sum))
    }

    /// What a part is called, and its minutes; those of a text `shown` times.
    fn part(&self, part: &str, shown: usize) -> Option<(String, usize)> {
        if let Some((minutes, what)) = part.split_once(" min: ") {
            return Some((what.to_owned(), minutes.parse().ok()?));
        }
        if let Some(exercise) = self.exercises.iter().find(|e| e.id == part) {
            return Some((link_exercise(exercise), exercise.minutes as usize));
        }
        if let Some((verb, slug)) = part.split_once(' ') {
            let chapter = self.chapters.get(slug)?;
            let (what, minutes) = match verb {
                "run" => ("cells", chapter.cells * CELL),
                "answer" => ("questions", chapter.questions * QUESTION),
                _ => return None,
            };
            return Some((format!("{what} of [{}]({slug}.md)", &slug[..2]), minutes));
        }
        let (slug, id) = part.split_once('#').unwrap_or((part, ""));
        let chapter = self.chapters.get(slug)?;
        let number = &slug[..2];
        if id.is_empty() {
            let name = format!("{number} [{}]({slug}.md)", chapter.title);
            return Some((name, shown * chapter.reading.minutes()));
        }
        let at = chapter.sections.iter().position(|s| s.id == id)?;
        let section = &chapter.sections[at];
        let mut all = section.own;
        for below in &chapter.sections[at + 1..] {
            if below.level <= section.level {
                break;
            }
            all.add(below.own);
        }
        let name = format!("{number} [{}]({slug}.md#{id})", section.title);
        Some((name, shown * all.minutes()))
    }
}

fn link_exercise(exercise: &exercises::Exercise) -> String {
    format!("[{}](exercises/{}.md)", exercise.id, exercise.slug)
}

/// On one line, however narrow the column.
fn hours(minutes: usize) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}\u{a0}min"),
        (hours, minutes) => format!("{hours}\u{a0}h\u{a0}{minutes:02}\u{a0}min"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Reading, Timed, hours, sections};
    use crate::{Chapter, exercises::Exercise};
    use std::path::Path;

    fn clock() -> Clock {
        let words = "word ".repeat(400);
        let text = format!(
            "# First\n\nOne two.\n\n## A *long* one\n\n{words}\n\n### Below\n\n{words}\n\n## Short\n\nx\n\n```rust,cell,name=c\nlet x = 1;\n```\n"
        );
        let chapter = Chapter::parse_str(Path::new("book/src/01-first.md"), &text).unwrap();
        let timed = Timed {
            title: chapter.title.clone(),
            reading: super::reading(&chapter),
            cells: chapter.cells().count(),
            questions: 0,
            sections: sections(&chapter),
        };
        let exercise = |id: &str, chapter: Option<&str>, minutes| Exercise {
            id: id.into(),
            slug: format!("{id}-name"),
            title: "T".into(),
            chapter: chapter.map(str::to_owned),
            difficulty: 1,
            minutes,
            after: vec![],
        };
        Clock {
            chapters: [("01-first".to_owned(), timed)].into(),
            exercises: vec![
                exercise("ex01", Some("01-first"), 10),
                exercise("ex02", None, 75),
            ],
        }
    }

    #[test]
    fn a_section_has_the_minutes_of_those_below_it() {
        let clock = clock();
        let minutes = |part: &str| clock.part(part, 1).map(|(_, minutes)| minutes);
        assert_eq!(minutes("01-first#a-long-one"), Some(5));
        assert_eq!(minutes("01-first#below"), Some(2));
        assert_eq!(minutes("01-first#short"), Some(1));
        assert_eq!(minutes("01-first"), Some(5));
        assert_eq!(minutes("run 01-first"), Some(1));
        let twice = clock.part("01-first#short", 2);
        assert_eq!(twice.map(|(_, minutes)| minutes), Some(2));
        assert_eq!(minutes("ex02"), Some(75));
        assert_eq!(minutes("12 min: talk"), Some(12));
        for wrong in [
            "01-first#gone",
            "02-none",
            "ex99",
            "sing 01-first",
            "x min: y",
        ] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_plan_that_is_too_long_or_names_nothing_is_an_error() {
        let clock = clock();
        let plan = |minutes: usize, part: &str| {
            clock.plan(&format!(
                "[[session]]\ntitle = \"S\"\nminutes = {minutes}\nclass = [\"{part}\"]\nhome = [\"ex02\"]\n"
            ))
        };
        let table = plan(10, "ex01").unwrap().replace('\u{a0}', " ");
        assert!(
            table.contains("| 1. S | [ex01](exercises/ex01-name.md) (10) | 10 of 10 |"),
            "{table}"
        );
        assert!(table.contains("| 1 h 15 min |"), "{table}");
        assert!(plan(9, "ex01").unwrap_err().contains("take 10"));
        assert!(
            plan(9, "01-first#gone")
                .unwrap_err()
                .contains("01-first#gone")
        );
        assert!(clock.plan("session = 3").is_err());
    }

    #[test]
    fn the_table_of_chapters_adds_up() {
        let table = clock().timing().replace('\u{a0}', " ");
        assert!(table.contains("| 01 [First](01-first.md) | 5 | 1 | 0 | [ex01](exercises/ex01-name.md) | 10 | 16 min |"), "{table}");
        assert!(
            table.contains("| **together** | 5 | 1 | 0 |  | 85 | 1 h 31 min |"),
            "{table}"
        );
    }

    #[test]
    fn reading_takes_a_minute_for_200_words_or_20_lines_of_code() {
        assert_eq!(
            Reading {
                words: 200,
                code: 0
            }
            .minutes(),
            1
        );
        assert_eq!(
            Reading {
                words: 204,
                code: 20
            }
            .minutes(),
            3
        );
        assert_eq!(Reading::default().minutes(), 1);
        assert_eq!(hours(60), "1\u{a0}h\u{a0}00\u{a0}min");
    }
}
