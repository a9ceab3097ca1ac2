//! The document as a whole: what the handlers' own descriptions leave out is put in.

use serde_json::{Value, json};

use super::texts::{self, Need};
use super::{answers, bodies, roles};

/// Puts in what texts look like, who may ask, what bodies may be refused for, and examples.
pub(super) fn finished(mut document: Value) -> Value {
    let examples = answers::examples();
    if let Some(components) = document.pointer_mut("/components/schemas") {
        bodies::describe(components);
        answers::describe(components, &examples);
    }
    let components = document["components"]["schemas"].clone();
    for_each_operation(&mut document, |method, path, operation| {
        describe_parameters(path, operation);
        bodies::complete(operation, &components);
        answers::complete(path, operation, &components);
        roles::tell(method, path, operation);
    });
    document
}

fn for_each_operation(document: &mut Value, mut each: impl FnMut(&str, &str, &mut Value)) {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            each(method, path, operation);
        }
    }
}

fn describe_parameters(path: &str, operation: &mut Value) {
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let need = match parameter["required"] == Value::Bool(true) {
            true => Need::Required,
            false => Need::Optional,
        };
        if let Some(schema) = of_operation(path, &name, need) {
            put(&mut parameter["schema"], schema);
        }
        let kind = parameter["schema"]["type"].clone();
        if kind == "boolean" || kind == "integer" {
            put(&mut parameter["schema"], texts::or_blank(&kind));
        }
    }
}

/// The schema of a parameter, where the name alone does not say it.
fn of_operation(path: &str, name: &str, need: Need) -> Option<Value> {
    let special = match (path, name) {
        // One of these that can be read is enough, and what cannot be read of all else counts as not said.
        ("/call-result", _) | ("/api/v1/reservations/{id}", "dialstatus") => {
            Some(json!({"type": "string"}))
        }
        ("/api/v1/audit" | "/api/v1/audit.csv", "author" | "action" | "subject") => {
            Some(json!({"type": "string", "pattern": r"^[^\u0000]*$"}))
        }
        ("/api/v1/keys", "state") => Some(texts::list("active|expired|revoked")),
        ("/api/v1/numbers", "limit") => {
            Some(json!({"type": "integer", "minimum": 1, "maximum": 1000}))
        }
        ("/api/v1/numbers/export", "format") => Some(texts::words(&["", "csv", "ndjson"])),
        ("/api/v1/numbers" | "/api/v1/numbers/export", name) => texts::of_number_filter(name),
        ("/api/v1/allocations", "format") => Some(texts::words(&["", "json", "csv"])),
        ("/next-cid", "format") => Some(texts::words(&["", "json", "text", "form"])),
        ("/api/v1/pools/{id}", "id") => Some(texts::name(64, need)),
        ("/api/v1/campaigns/{id}", "id") => Some(texts::name(128, need)),
        ("/api/v1/allocations/{id}" | "/api/v1/reservations/{id}", "id") => {
            Some(json!({"type": "string", "format": "uuid"}))
        }
        ("/sign-in/sso/callback" | "/sign-in" | "/sign-in/sso", _) => {
            Some(json!({"type": "string"}))
        }
        _ => None,
    };
    special.or_else(|| texts::of_parameter(name, need))
}

/// Puts the members of `more` into an object, in place of those of the same names.
pub(super) fn put(object: &mut Value, more: Value) {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
}

/// The name of the component that a schema refers to.
pub(super) fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"]
        .as_str()?
        .strip_prefix("#/components/schemas/")
}

/// The members of an object; none where it is no object.
pub(super) fn members(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}

/// The members of the object that `value` has under `name`, if any.
pub(super) fn members_of<'a>(
    value: &'a mut Value,
    name: &str,
) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    value.get_mut(name).into_iter().flat_map(members)
}
