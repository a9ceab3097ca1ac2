//! Answers: what is refused and how that looks, and examples of each.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::whole::{members, members_of, put, referred};

/// Examples of bodies by the names of their components.
static EXAMPLES: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("examples.json")).expect("a test reads the file")
});
/// Names of fields that are instants.
const INSTANTS: [&str; 6] = [
    "at",
    "since",
    "until",
    "earliest",
    "timestamp",
    "reserved_until",
];
/// Where an instant is a query's, or something else has the name.
const NO_INSTANTS: [&str; 3] = ["Rest", "NewNumber", "NumberPatchBody"];

const CSV: &str = "at,caller_id,destination,call_id,campaign,agent,status,answered_seconds,dialed_seconds,hangup_cause,sip_code,\
    attestation,carrier,pool,rung,ended_at,id\n2026-11-22T12:00:00.000000Z,+13125550100,+12125551212,V1122120000000012345,SOLAR,1001,\
    ANSWER,52,70,16,200,A,Carrier A,default,any,2026-11-22T12:01:10.000000Z,019aab38-6c00-7000-8002-0d7f1a0b5c24\n";
const METRICS: &str = "caller_id_allocations_total{outcome=\"allocated\"} 120\n";

/// See [`EXAMPLES`].
pub(super) fn examples() -> Map<String, Value> {
    EXAMPLES.clone()
}

/// Puts examples into the components, and says which texts are instants.
pub(super) fn describe(components: &mut Value, examples: &Map<String, Value>) {
    put(
        &mut components["ProblemBody"]["properties"]["detail"],
        json!({"type": ["string", "array"], "items": {"$ref": "#/components/schemas/Fault"}}),
    );
    // Whatever was given.
    if let Some(input) = components["Fault"]["properties"]["input"].as_object_mut() {
        input.remove("type");
    }
    for (component, schema) in members(components) {
        if let Some(example) = examples.get(component) {
            put(schema, json!({"example": example}));
        }
        if NO_INSTANTS.contains(&component.as_str()) {
            continue;
        }
        for (name, field) in members_of(schema, "properties") {
            if INSTANTS.contains(&name.as_str()) || name.ends_with("_at") {
                put(field, json!({"format": "date-time"}));
            }
        }
    }
}

/// Puts examples beside the bodies of an operation, and the forms of answers that dialplans ask for.
pub(super) fn complete(path: &str, operation: &mut Value, components: &Value) {
    if let Some(body) = operation.get_mut("requestBody") {
        exemplify(body, components, None);
    }
    for (status, response) in members_of(operation, "responses") {
        if response.get("description").is_none() {
            put(response, json!({"description": "It"}));
        }
        exemplify(response, components, Some(status));
        for (kind, example) in plain_forms(path, status) {
            response["content"][kind] = json!({"schema": {"type": "string"}, "example": example});
        }
        if status == "401" || status == "429" {
            let (name, look) = match status == "401" {
                true => (
                    "WWW-Authenticate",
                    json!({"type": "string", "enum": ["Bearer"]}),
                ),
                false => ("Retry-After", json!({"type": "integer", "minimum": 1})),
            };
            response["headers"][name] = json!({"schema": look, "description": match name {
                "Retry-After" => "In so many seconds",
                _ => "By what somebody may be known",
            }});
        }
    }
}

/// `format=text` and `format=form`, of what is refused, too.
fn plain_forms(path: &str, status: &str) -> Vec<(&'static str, String)> {
    const TEXT: &str = "text/plain";
    const FORM: &str = "application/x-www-form-urlencoded";
    match (path, status) {
        ("/next-cid", "200") => vec![
            (TEXT, "3125550100\n".to_owned()),
            (
                FORM,
                "caller_id=3125550100&area_code=312&destination=2125551212&pool=default&rung=any"
                    .to_owned(),
            ),
        ],
        ("/next-cid", _) => vec![
            (TEXT, String::new()),
            (FORM, format!("error=no-caller-id&status={status}")),
        ],
        ("/call-result", "200") => vec![(TEXT, "\n".to_owned())],
        ("/call-result", _) => vec![(TEXT, String::new())],
        ("/live" | "/ready", "200") => vec![(TEXT, "ok\n".to_owned())],
        _ => Vec::new(),
    }
}

/// Puts the example of its schema beside each body that has none.
fn exemplify(holder: &mut Value, components: &Value, status: Option<&String>) {
    for (kind, content) in members_of(holder, "content") {
        if content.get("example").is_some() {
            continue;
        }
        let named = referred(&content["schema"]);
        let example = match (kind.as_str(), named) {
            (_, Some("ProblemBody")) => status.and_then(|status| problem(status)),
            (_, Some(name)) => components[name].get("example").cloned(),
            ("text/csv", None) => Some(Value::from(CSV)),
            ("text/plain", None) => Some(Value::from(METRICS)),
            (_, None) => content["schema"].get("example").cloned(),
        };
        if let Some(example) = example {
            put(content, json!({"example": example}));
        }
    }
}

/// What is told with a status.
fn problem(status: &str) -> Option<Value> {
    let (kind, title, detail) = match status {
        "401" => ("invalid-token", "Refused", json!("Invalid token")),
        "403" => ("role-required", "Refused", json!("Operator role required")),
        "404" => (
            "not-found",
            "Not found",
            json!("There is no number `+13125550100`"),
        ),
        "408" => (
            "too-slow",
            "The body did not come in time",
            json!("body: did not come in time"),
        ),
        "409" => (
            "exists",
            "The number exists",
            json!("Caller ID already exists"),
        ),
        "412" => (
            "differs",
            "It is not what was expected",
            json!("It was changed since it was read: read it again, and change that"),
        ),
        "413" => (
            "too-large",
            "The body is too large",
            json!("body: at most 65536 bytes expected"),
        ),
        "415" => (
            "media-type",
            "The body is of a type that is not read here",
            json!("header content-type: application/json expected"),
        ),
        "422" => (
            "invalid",
            "The request cannot be understood",
            json!([{"type": "value_error", "loc": ["query", "limit"],
                "msg": "limit: a whole number from 1 to 1000 is expected", "input": "0"}]),
        ),
        "429" => (
            "too-many-failures",
            "Refused",
            json!("Too many wrong tokens or keys. Retry in 60 seconds."),
        ),
        "503" => (
            "unavailable",
            "Not available now",
            json!("The store is not available"),
        ),
        _ => return None,
    };
    Some(json!({
        "detail": detail, "type": format!("urn:caller-id:problem:{kind}"), "title": title,
        "status": status.parse::<u16>().ok()?, "instance": "urn:uuid:5a1f6d0e-3f0b-4c7e-9d53-0b4c8a1f2e77",
    }))
}
