//! What is different between two states of a thing, field by field.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

/// So many fields are shown of one change.
const FIELDS_MOST: usize = 30;
/// So many characters of one value.
const LETTERS_MOST: usize = 300;

/// What changed.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Changes {
    /// Field by field.
    fields: Vec<Change>,
    /// So many fields changed, too.
    left_out: usize,
    /// So many are as they were.
    same: usize,
}

/// A field that is not as it was.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Change {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

/// What makes `after` of `before`. Fields of fields have a dot in their name.
pub(super) fn of(before: &Value, after: &Value) -> Changes {
    let (before, after) = (flat(before), flat(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut changes = Changes::default();
    for name in names {
        let [was, is] = [&before, &after].map(|side| side.get(name).and_then(text));
        if was == is {
            changes.same += usize::from(was.is_some());
        } else if changes.fields.len() == FIELDS_MOST {
            changes.left_out += 1;
        } else {
            let [was, is] = [was, is].map(|text| text.map(short));
            changes.fields.push(Change {
                field: name.clone(),
                before: was,
                after: is,
            });
        }
    }
    changes
}

fn flat(value: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    flatten(String::new(), value, &mut fields);
    fields
}

fn flatten(name: String, value: &Value, fields: &mut Map<String, Value>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (member, value) in members {
                let name = match name.as_str() {
                    "" => member.clone(),
                    name => format!("{name}.{member}"),
                };
                flatten(name, value, fields);
            }
        }
        Value::Null => {}
        value => {
            fields.insert(name, value.clone());
        }
    }
}

/// As people read it; none where there is nothing.
fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(values) if values.is_empty() => return None,
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().filter_map(text).collect();
            texts.join(", ")
        }
        other => other.to_string(),
    })
}

fn short(text: String) -> String {
    match text.char_indices().nth(LETTERS_MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(before: Value, after: Value) -> Vec<String> {
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let changes = of(&before, &after);
        let line = |one: &Change| {
            format!(
                "{}: {} > {}",
                one.field,
                word(&one.before),
                word(&one.after)
            )
        };
        changes.fields.iter().map(line).collect()
    }

    #[test]
    fn only_what_changed_is_shown() {
        let before =
            json!({"status": "active", "pool": "a", "hours": {"from": 9, "to": 17}, "tags": []});
        let after = json!({"status": "paused", "pool": "a", "hours": {"from": 8, "to": 17}, "tags": ["x", "y"]});
        assert_eq!(of(&before, &after).same, 2);
        assert_eq!(
            lines(before, after),
            [
                "hours.from: 9 > 8",
                "status: active > paused",
                "tags: - > x, y"
            ]
        );
    }

    #[test]
    fn what_is_new_or_gone_is_shown_whole() {
        let number = json!({"pool": "a", "carrier": null, "is_new": true});
        assert_eq!(
            lines(Value::Null, number.clone()),
            ["is_new: - > yes", "pool: - > a"]
        );
        assert_eq!(
            lines(number, Value::Null),
            ["is_new: yes > -", "pool: a > -"]
        );
        assert_eq!(lines(json!("x"), json!("y")), [": x > y"]);
    }

    #[test]
    fn no_entry_is_longer_than_a_screen() {
        let many: Map<String, Value> = (0..100)
            .map(|one| (format!("f{one}"), "é".repeat(1_000).into()))
            .collect();
        let changes = of(&Value::Null, &Value::Object(many));
        assert_eq!((changes.fields.len(), changes.left_out), (30, 70));
        let text = changes.fields[0].after.clone().unwrap_or_default();
        assert_eq!(text.chars().count(), 301);
    }
}
