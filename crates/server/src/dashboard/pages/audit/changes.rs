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

/// What makes `after` of `before`. Fields of fields have a dot in their name. Of many things that are new, or gone, each is a line.
pub(super) fn of(before: &Value, after: &Value) -> Changes {
    let depth = match before.is_null() || after.is_null() {
        true => Depth::Things,
        false => Depth::Fields,
    };
    let (before, after) = (flat(before, depth), flat(after, depth));
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

/// How far a list of things is taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Things,
    Fields,
}

fn flat(value: &Value, depth: Depth) -> Map<String, Value> {
    let mut fields = Map::new();
    flatten(String::new(), value, depth, &mut fields);
    fields
}

fn flatten(name: String, value: &Value, depth: Depth, fields: &mut Map<String, Value>) {
    let below = |member: &str| match name.as_str() {
        "" => member.to_owned(),
        name => format!("{name}.{member}"),
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (member, value) in members {
                flatten(below(member), value, depth, fields);
            }
        }
        Value::Array(things) if things.iter().any(Value::is_object) => {
            for (place, thing) in things.iter().enumerate() {
                let name = name_of(thing).unwrap_or_else(|| format!("{}", place + 1));
                match depth {
                    Depth::Fields => flatten(below(&name), thing, depth, fields),
                    Depth::Things => {
                        fields.insert(below(&name), thing.clone());
                    }
                }
            }
        }
        Value::Null => {}
        value => {
            fields.insert(name, value.clone());
        }
    }
}

/// By what one of several things is known.
fn name_of(thing: &Value) -> Option<String> {
    let names = ["caller_id", "number", "id", "name"];
    let name = names.into_iter().find_map(|name| thing[name].as_str())?;
    Some(name.to_owned())
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
        Value::Object(members) => {
            let fields = members.iter().filter_map(|(name, value)| {
                let name = name.replace('_', " ");
                Some(format!("{name} {}", text(value)?))
            });
            fields.collect::<Vec<_>>().join(", ")
        }
        Value::Number(number) => number.to_string(),
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

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let changes = of(before, after);
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
            lines(&before, &after),
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
            lines(&Value::Null, &number),
            ["is_new: - > yes", "pool: - > a"]
        );
        assert_eq!(
            lines(&number, &Value::Null),
            ["is_new: yes > -", "pool: a > -"]
        );
        assert_eq!(lines(&json!("x"), &json!("y")), [": x > y"]);
    }

    #[test]
    fn of_many_things_each_is_known_by_its_name() {
        let number = |name: &str, status: &str| json!({"caller_id": name, "status": status});
        let before = json!([number("+1", "active"), number("+2", "active")]);
        let after = json!([number("+1", "paused"), number("+2", "active")]);
        assert_eq!(lines(&before, &after), ["+1.status: active > paused"]);
        assert_eq!(
            lines(&Value::Null, &before),
            [
                "+1: - > caller id +1, status active",
                "+2: - > caller id +2, status active"
            ]
        );
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
