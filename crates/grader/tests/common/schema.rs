//! As much of JSON Schema as the schemas in `schemas/` use. A keyword that is not known fails, so that none is passed over.
//! `.ci/schemas.mjs` holds the same exports against the same schemas with a whole validator.

use serde_json::Value;

/// What is wrong with a value by a schema, or nothing.
pub(crate) fn validate(schema: &Value, value: &Value) -> Result<(), String> {
    check(schema, schema, value, "")
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let rules = schema.as_object().expect("a schema is an object");
    let fail = |what: String| Err(format!("{at}: {what}"));
    for (keyword, rule) in rules {
        match keyword.as_str() {
            "$ref" => {
                let path = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(path).expect("it is defined"), value, at)?;
            }
            "type" if !has_type(rule.as_str().unwrap(), value) => {
                return fail(format!("it is no {rule}"));
            }
            "const" if rule != value => return fail(format!("it is not {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => {
                return fail(format!("it is none of {rule}"));
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        return fail(format!("{name} is missing"));
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, false);
                for name in value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name)
                {
                    if rules["properties"].get(name).is_none() {
                        return fail(format!("`{name}` is too many"));
                    }
                }
            }
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(inner) = value.get(name) {
                        check(root, rule, inner, &format!("{at}/{name}"))?;
                    }
                }
            }
            "items" => {
                for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, inner, &format!("{at}/{index}"))?;
                }
            }
            "minimum"
                if value
                    .as_f64()
                    .is_some_and(|number| number < rule.as_f64().unwrap()) =>
            {
                return fail(format!("it is less than {rule}"));
            }
            "minLength" | "maxLength" | "pattern" => {
                if let Some(text) = value.as_str() {
                    string(keyword, rule, text).map_err(|what| format!("{at}: {what}"))?;
                }
            }
            "if" => {
                let branch = if check(root, rule, value, at).is_ok() {
                    "then"
                } else {
                    "else"
                };
                if let Some(rule) = rules.get(branch) {
                    check(root, rule, value, at)?;
                }
            }
            "$schema" | "title" | "$defs" | "then" | "else" | "type" | "const" | "enum"
            | "minimum" => {}
            other => panic!("`{other}` is not checked here: add it"),
        }
    }
    Ok(())
}

fn has_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        other => panic!("the type `{other}` is not checked here: add it"),
    }
}

fn string(keyword: &str, rule: &Value, text: &str) -> Result<(), String> {
    let length = text.chars().count() as u64;
    let holds = match keyword {
        "minLength" => length >= rule.as_u64().unwrap(),
        "maxLength" => length <= rule.as_u64().unwrap(),
        _ => match rule.as_str().unwrap() {
            r"^[^\u0000-\u001f\u007f-\u009f]*$" => !text.chars().any(char::is_control),
            r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$" => !text
                .chars()
                .any(|character| character.is_control() && character != '\n'),
            "^[0-9.]+$" => {
                !text.is_empty()
                    && text
                        .chars()
                        .all(|character| character.is_ascii_digit() || character == '.')
            }
            "^submit/." => text.len() > 7 && text.starts_with("submit/"),
            "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$" => {
                let form: String = text
                    .chars()
                    .map(|character| {
                        if character.is_ascii_digit() {
                            '0'
                        } else {
                            character
                        }
                    })
                    .collect();
                form == "0000-00-00T00:00:00Z"
            }
            other => panic!("the pattern `{other}` is not checked here: add it"),
        },
    };
    if holds {
        Ok(())
    } else {
        Err(format!("{keyword} {rule} does not hold"))
    }
}
