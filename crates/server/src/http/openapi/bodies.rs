//! Bodies of requests: what their fields look like, and what they are refused for.

use serde_json::{Value, json};

use super::choices;
use super::texts::{self, Need};
use super::whole::{members, members_of, put, referred};

const FORM: &str = "application/x-www-form-urlencoded";
/// Bodies that refuse what they do not know.
const STRICT: [&str; 7] = [
    "NewNumber",
    "NumberPatchBody",
    "BulkFilter",
    "PutCampaign",
    "PutPool",
    "PolicyBody",
    "Rest",
];

/// Puts into the components of bodies what their fields look like.
pub(super) fn describe(components: &mut Value) {
    for (component, schema) in members(components) {
        let required = schema["required"].clone();
        for (name, field) in members_of(schema, "properties") {
            let is_required = required
                .as_array()
                .is_some_and(|names| names.iter().any(|known| known == name));
            let need = match is_required {
                true => Need::Required,
                false => Need::Optional,
            };
            if let Some(look) = field_of(component, name, need) {
                let look = match is_nullable(component, name, field) {
                    true => or_null(look),
                    false => look,
                };
                let description = field["description"].take();
                *field = look;
                put(field, json!({"description": description}));
            }
        }
        if STRICT.contains(&component.as_str()) {
            put(schema, json!({"additionalProperties": false}));
        }
    }
    choices::describe(components);
    // An empty object is both: the policy alone, or all, with nothing said.
    let put_pool = components
        .get_mut("PutPoolBody")
        .and_then(Value::as_object_mut);
    if let Some(put_pool) = put_pool
        && let Some(variants) = put_pool.remove("oneOf")
    {
        put_pool.insert("anyOf".to_owned(), variants);
    }
}

fn field_of(component: &str, name: &str, need: Need) -> Option<Value> {
    match (component, name) {
        ("NewNumber", "status") => Some(texts::or_empty(texts::statuses())),
        // A new number may be without; one that is there is something.
        ("NumberPatchBody", "status") => Some(texts::statuses()),
        ("NumberPatchBody", "pool") => {
            Some(json!({"type": "string", "minLength": 1, "maxLength": 64,
            "pattern": texts::name(64, Need::Required)["pattern"]}))
        }
        ("AddNumber", "status") => Some(json!({"type": "string",
            "pattern": r"^(?:active|paused|retired)?$"})),
        ("AddNumber" | "NewNumber" | "NumberPatchBody", name) => texts::of_number(name, need),
        ("PolicyBody", "sticky_seconds") => {
            Some(json!({"type": "integer", "minimum": 0, "maximum": 31_622_400}))
        }
        ("PolicyBody", "most_reservations") => {
            Some(json!({"type": "integer", "minimum": 1, "maximum": u16::MAX}))
        }
        ("PolicyBody", "time_zone") => texts::of_parameter(name, need),
        ("PolicyBody", "ladder") => Some(json!({"type": "array", "minItems": 1,
            "items": texts::words(&["area_code", "overlay", "region", "any"])})),
        ("PutCampaign", "pools") => Some(json!({"type": "array", "minItems": 1, "maxItems": 16,
            "uniqueItems": true, "items": texts::name(64, Need::Required)})),
        ("BulkFilter", name) => Some(of_bulk_filter(name)),
        _ => None,
    }
}

/// What is there of a change is something, where nothing can be taken away; and a filter asks for something.
fn is_nullable(component: &str, name: &str, field: &Value) -> bool {
    let types = field["type"].as_array();
    let never = component == "BulkFilter"
        || component == "NumberPatchBody" && matches!(name, "status" | "pool");
    !never && types.is_some_and(|types| types.iter().any(|kind| kind == "null"))
}

/// The same, or `null`.
fn or_null(mut look: Value) -> Value {
    let kinds = match look["type"].take() {
        Value::Array(kinds) => kinds,
        kind => vec![kind],
    };
    look["type"] = kinds.into_iter().chain([json!("null")]).collect();
    if let Some(words) = look.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    look
}

/// A text or a number, or a list of them.
fn of_bulk_filter(name: &str) -> Value {
    let number = json!({"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999_u64});
    match name {
        "no_carrier" => json!({"type": ["boolean", "string", "integer"],
            "enum": [true, false, "true", "false", "1", "0", 1, 0]}),
        "carrier" => json!({"anyOf": [texts::name(128, Need::Required), number]}),
        "begins" | "q" => json!({"anyOf": [texts::digits(Need::Required), number]}),
        _ => {
            let one = match name {
                "pool" => json!({"anyOf": [texts::name(64, Need::Required), number]}),
                "number" => json!({"anyOf": [texts::phone(Need::Required)]}),
                "status" => json!({"anyOf": [texts::statuses()]}),
                "attestation" => json!({"anyOf": [texts::words(&["A", "B", "C"])]}),
                _ => json!({"anyOf": [texts::word_of_filter(name)]}),
            };
            let list = json!({"type": "array", "minItems": 1, "maxItems": 1000, "items": one});
            let mut any = one["anyOf"].as_array().cloned().unwrap_or_default();
            any.push(list);
            json!({"anyOf": any})
        }
    }
}

/// Puts in what every body can be refused for; and forms know no `null`.
pub(super) fn complete(operation: &mut Value, components: &Value) {
    let content = operation.pointer_mut("/requestBody/content");
    let Some(content) = content.and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(form) = content.get_mut(FORM)
        && let Some(name) = referred(&form["schema"])
    {
        let mut plain = components[name].clone();
        members_of(&mut plain, "properties").for_each(|(_, field)| forget_null(field));
        if plain.get("anyOf").is_some() {
            choices::of_form(&mut plain);
        }
        form["schema"] = plain;
    }
    for (status, meaning) in [
        ("408", "The body did not come in time"),
        ("413", "The body is too large"),
        ("415", "The body says to be something else"),
        ("422", "A field cannot be understood"),
    ] {
        let responses = &mut operation["responses"];
        if responses.get(status).is_none() {
            responses[status] = json!({"description": meaning, "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}});
        }
    }
}

fn forget_null(field: &mut Value) {
    if let Some(types) = field.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|kind| kind != "null");
        if let [kind] = &types[..] {
            field["type"] = kind.clone();
        }
    }
    if let Some(words) = field.get_mut("enum").and_then(Value::as_array_mut) {
        words.retain(|word| !word.is_null());
    }
}
