//! Questions: TOML in a fence.

use crate::chapter::is_kebab;
use serde::Deserialize;

/// A question to the reader.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Its name, unique in the chapter: the key under which a browser remembers the answer.
    pub id: String,
    /// The line of the chapter on which it starts.
    pub line: usize,
    /// The question, Markdown.
    pub prompt: String,
    /// How it is answered.
    pub kind: QuestionKind,
}

/// How a question is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum QuestionKind {
    /// By choosing one of several options.
    Choice(Vec<Choice>),
    /// By a number.
    Number {
        /// The right number: usually `{{= name}}`, a number that a cell prints.
        answer: String,
        /// How far off an answer may be.
        tolerance: f64,
        /// Whether `tolerance` is a fraction of the answer.
        relative: bool,
        /// What the number counts.
        unit: String,
        /// The explanation, Markdown.
        why: String,
        /// Whether it is asked before the theory: a guess, not a test.
        predict: bool,
    },
}

/// One option of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What it says, Markdown.
    pub text: String,
    /// Whether it is the right one.
    #[serde(default)]
    pub correct: bool,
    /// Why it is right or wrong, Markdown.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    id: String,
    kind: String,
    prompt: String,
    #[serde(default)]
    option: Vec<Choice>,
    answer: Option<toml::Value>,
    tolerance: Option<f64>,
    relative: Option<f64>,
    unit: Option<String>,
    why: Option<String>,
}

/// Reads a question whose fence opens on `line`. Errors carry the line of the chapter.
pub(crate) fn parse(body: &str, line: usize) -> Result<Question, Vec<(usize, String)>> {
    let form: Form = toml::from_str(body).map_err(|e| {
        let offset = e.span().map_or(0, |s| {
            body[..s.start.min(body.len())].matches('\n').count() + 1
        });
        vec![(line + offset, format!("question: {}", e.message()))]
    })?;
    let mut problems = Vec::new();
    let mut problem =
        |message: String| problems.push((line, format!("question `{}`: {message}", form.id)));
    if !is_kebab(&form.id) {
        problem("the id should be kebab-case: small letters, digits, hyphens".into());
    }
    if form.prompt.trim().is_empty() {
        problem("the prompt is empty".into());
    }
    let kind = match form.kind.as_str() {
        "choice" => {
            if form.option.len() < 2 {
                problem("a choice has at least two `[[option]]` tables".into());
            }
            let right = form.option.iter().filter(|o| o.correct).count();
            if right != 1 {
                problem(format!("one option is correct, here {right} are"));
            }
            for (i, option) in form.option.iter().enumerate() {
                if option.text.trim().is_empty() || option.why.trim().is_empty() {
                    problem(format!("option {} needs a `text` and a `why`", i + 1));
                }
            }
            if form.answer.is_some()
                || form.tolerance.is_some()
                || form.relative.is_some()
                || form.unit.is_some()
                || form.why.is_some()
            {
                problem("`answer`, `tolerance`, `relative`, `unit` and `why` belong to numbers; a choice explains each option".into());
            }
            QuestionKind::Choice(form.option)
        }
        "number" | "predict" => {
            if !form.option.is_empty() {
                problem("options belong to `kind = \"choice\"`".into());
            }
            let answer = match &form.answer {
                Some(toml::Value::String(text)) => text.clone(),
                Some(toml::Value::Integer(n)) => n.to_string(),
                Some(toml::Value::Float(x)) => x.to_string(),
                _ => {
                    problem(
                        "it needs an `answer`: `\"{{= name}}\"` for a number that a cell prints"
                            .into(),
                    );
                    String::new()
                }
            };
            let (tolerance, relative) = match (form.tolerance, form.relative) {
                (Some(t), None) => (t, false),
                (None, Some(r)) => (r, true),
                _ => {
                    problem("it needs either `tolerance` (absolute) or `relative`".into());
                    (0.0, false)
                }
            };
            if !(tolerance.is_finite() && tolerance >= 0.0) {
                problem("the tolerance should be a number from 0".into());
            }
            if form.why.as_deref().is_none_or(|w| w.trim().is_empty()) {
                problem("it needs a `why`: the explanation of the answer".into());
            }
            QuestionKind::Number {
                answer,
                tolerance,
                relative,
                unit: form.unit.unwrap_or_default(),
                why: form.why.unwrap_or_default(),
                predict: form.kind == "predict",
            }
        }
        other => {
            problem(format!("unknown kind `{other}`: choice, number or predict"));
            QuestionKind::Choice(Vec::new())
        }
    };
    if problems.is_empty() {
        Ok(Question {
            id: form.id,
            line,
            prompt: form.prompt,
            kind,
        })
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::{QuestionKind, parse};

    #[test]
    fn a_choice_needs_one_right_option_and_a_reason_for_each() {
        let body = |second: bool, why: &str| {
            format!(
                "id = 'a'\nkind = 'choice'\nprompt = 'Which?'\n[[option]]\ntext = 'x'\ncorrect = true\nwhy = 'because'\n\
                 [[option]]\ntext = 'y'\ncorrect = {second}\nwhy = '{why}'\n"
            )
        };
        assert!(
            matches!(parse(&body(false, "no"), 1).unwrap().kind, QuestionKind::Choice(o) if o.len() == 2)
        );
        assert!(
            parse(&body(true, "no"), 1).unwrap_err()[0]
                .1
                .contains("here 2 are")
        );
        assert!(
            parse(&body(false, " "), 1).unwrap_err()[0]
                .1
                .contains("option 2 needs")
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_the_line_of_the_chapter() {
        let found = parse(
            "id = 'a'\nkind = 'number'\nprompt = 'p'\nanwser = '1'\n",
            10,
        )
        .unwrap_err();
        assert_eq!(found[0].0, 14);
        assert!(found[0].1.contains("anwser"), "{}", found[0].1);
    }

    #[test]
    fn a_number_needs_an_answer_a_tolerance_and_a_reason() {
        let found = parse("id = 'a'\nkind = 'number'\nprompt = 'p'\n", 10).unwrap_err();
        assert_eq!(found.len(), 3);
    }
}
