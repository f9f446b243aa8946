//! Typesets formulas when the book is built.

use katex::{KatexContext, Settings, render_to_string};
use std::collections::HashMap;

/// Typesets formulas and remembers them: `$x_t$` occurs hundreds of times.
pub(crate) struct Typesetter {
    context: KatexContext,
    done: HashMap<(String, bool), String>,
}

impl Typesetter {
    pub(crate) fn new() -> Self {
        Self {
            context: KatexContext::default(),
            done: HashMap::new(),
        }
    }

    /// HTML for the eye and MathML for the ear, on one line, safe from Markdown.
    pub(crate) fn render(&mut self, tex: &str, display: bool) -> Result<String, String> {
        let key = (tex.to_owned(), display);
        if let Some(html) = self.done.get(&key) {
            return Ok(html.clone());
        }
        let settings = Settings::builder().display_mode(display).build();
        let html = render_to_string(&self.context, tex, &settings)
            .map_err(|e| format!("the formula `{}` cannot be typeset: {e}", shorten(tex)))?;
        let html = shield(&html);
        self.done.insert(key, html.clone());
        Ok(html)
    }
}

fn shorten(tex: &str) -> String {
    let line = tex.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > 80 {
        format!("{}...", line.chars().take(80).collect::<String>())
    } else {
        line
    }
}

/// Makes HTML immune to Markdown: no line breaks, and every character of its text that Markdown could take for markup
/// written as an entity. Tags are left alone.
pub(crate) fn shield(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 8);
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => {
                in_tag = true;
                out.push(c);
            }
            '>' if in_tag => {
                in_tag = false;
                out.push(c);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '|' | '^' | '$' | '"' | '\'' | '{' | '}'
            | ':' | '-' | '.' | '!' | '+' | '=' | '>'
                if !in_tag =>
            {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Typesetter;

    #[test]
    fn a_formula_keeps_its_source_and_its_mathml_and_nothing_markdown_could_eat() {
        let html = Typesetter::new()
            .render(r"m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t * x", false)
            .unwrap();
        assert!(html.contains("<math") && html.contains("aria-hidden=\"true\""));
        let mut text = String::new();
        let mut in_tag = false;
        for c in html.chars() {
            match c {
                '<' => in_tag = true,
                '>' => in_tag = false,
                _ if !in_tag => text.push(c),
                _ => {}
            }
        }
        assert!(!text.contains(['_', '*', '\\', '|', '\n']), "{text}");
        assert!(text.contains("&#95;"));
    }

    #[test]
    fn a_formula_that_cannot_be_typeset_is_an_error_that_shows_it() {
        let message = Typesetter::new().render(r"\frac{1}", false).unwrap_err();
        assert!(message.contains(r"\frac{1}"), "{message}");
        assert!(Typesetter::new().render(r"\nosuchcommand", true).is_err());
    }
}
