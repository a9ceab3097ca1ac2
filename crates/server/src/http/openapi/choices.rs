//! Bodies that say one thing in one of several ways, as one schema for each way.

use serde_json::{Value, json};

use super::texts::{self, Need};
use super::whole::{members_of, put};

/// Writes out the ways.
pub(super) fn describe(components: &mut Value) {
    for (name, written_out) in [
        ("Rest", rest as fn(&Value) -> Value),
        ("BulkBody", bulk),
        ("NewKeyBody", new_key),
        ("ReleaseBody", release),
        ("CallResultBody", call_result),
    ] {
        components[name] = written_out(&components[name]);
    }
}

/// A dialer's key, which may be for some campaigns, or another one; with an end as an instant, or in days.
fn new_key(before: &Value) -> Value {
    let field = |name: &str, look: Value| {
        let mut look = look;
        put(
            &mut look,
            json!({"description": before["properties"][name]["description"]}),
        );
        look
    };
    let list =
        |most: u32, of: Value| json!({"type": ["array", "null"], "maxItems": most, "items": of});
    let address = json!({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"},
        {"pattern": texts::NETWORK}]});
    let name = texts::name(64, Need::Required);
    let roles = [
        (
            json!(["dialer"]),
            list(200, texts::name(128, Need::Required)),
        ),
        (
            json!(["viewer", "operator", "admin"]),
            list(0, json!({"type": "string"})),
        ),
    ];
    let at =
        json!({"type": ["string", "null"], "anyOf": [{"format": "date-time"}, {"maxLength": 0}]});
    let days = &before["properties"]["expires_in_days"];
    let days = json!({"type": "integer", "minimum": days["minimum"], "maximum": days["maximum"]});
    let ends = [
        (None, at, json!({"type": "null"})),
        (Some("expires_in_days"), json!({"type": "null"}), days),
    ];
    let both = roles
        .iter()
        .flat_map(|role| ends.iter().map(move |end| (role, end)));
    let variants = both.map(|((roles, campaigns), (required, at, days))| {
        let required = ["name", "role"].into_iter().chain(*required);
        json!({
            "type": "object", "additionalProperties": false, "required": required.collect::<Vec<_>>(),
            "properties": {
                "name": field("name", name.clone()),
                "role": field("role", json!({"type": "string", "enum": roles})),
                "addresses": field("addresses", list(200, address.clone())),
                "campaigns": field("campaigns", campaigns.clone()),
                "expires_at": field("expires_at", at.clone()),
                "expires_in_days": field("expires_in_days", days.clone()),
            },
        })
    });
    json!({"description": before["description"], "example": before["example"],
        "oneOf": variants.collect::<Vec<_>>()})
}

/// By one of two names of the call.
fn release(before: &Value) -> Value {
    let name = || texts::name(128, Need::Required);
    any_of(before, &[&[("call_id", name())], &[("call", name())]])
}

/// What a form can say of a body: texts alone.
pub(super) fn of_form(schema: &mut Value) {
    for way in schema["anyOf"].as_array_mut().into_iter().flatten() {
        for (_, field) in members_of(way, "properties") {
            if let Some(kinds) = field.get_mut("anyOf").and_then(Value::as_array_mut) {
                kinds.retain(|kind| kind["type"] != "integer");
            }
        }
    }
}

/// By the reservation, the call, or what was shown to whom.
fn call_result(before: &Value) -> Value {
    let id = || json!({"type": "string", "format": "uuid"});
    let call =
        || json!({"anyOf": [texts::name(128, Need::Required), {"type": "integer", "minimum": 0}]});
    let phone =
        || json!({"anyOf": [texts::phone(Need::Required), {"type": "integer", "minimum": 0}]});
    let dialed =
        json!({"anyOf": [texts::digits(Need::Required), {"type": "integer", "minimum": 0}]});
    any_of(
        before,
        &[
            &[("call", call())],
            &[("call_id", call())],
            &[("reservation", id())],
            &[("reservation_id", id())],
            &[("caller_id", phone()), ("to", phone())],
            // Some are never called with a number of ours, so there is no such call: 911.
            &[("to", dialed)],
        ],
    )
}

/// What is needed in one of these ways. All else may be anything: what cannot be read counts as not said.
fn any_of(before: &Value, ways: &[&[(&str, Value)]]) -> Value {
    let mut schema = before.clone();
    for (_, field) in members_of(&mut schema, "properties") {
        *field = json!({"description": field["description"]});
    }
    let ways = ways.iter().map(|way| {
        let required: Vec<&str> = way.iter().map(|(name, _)| *name).collect();
        let properties: serde_json::Map<String, Value> = way
            .iter()
            .map(|(name, look)| ((*name).to_owned(), look.clone()))
            .collect();
        json!({"required": required, "properties": properties})
    });
    schema["anyOf"] = ways.collect();
    schema
}

/// Until an instant, or for some minutes: one of both.
fn rest(before: &Value) -> Value {
    let minutes = &before["properties"]["minutes"];
    let variant = |until: Value, minutes: Value, required: &str| {
        json!({"type": "object", "additionalProperties": false, "required": [required],
            "properties": {"until": until, "minutes": minutes}})
    };
    let minutes = json!({"type": "integer", "minimum": 1, "maximum": minutes["maximum"],
        "description": minutes["description"]});
    let until = json!({"type": "string", "format": "date-time",
        "description": before["properties"]["until"]["description"]});
    json!({
        "description": before["description"], "example": before["example"],
        "oneOf": [
            variant(json!({"enum": [null, ""]}), minutes, "minutes"),
            variant(until, json!({"type": "null"}), "until"),
        ],
    })
}

/// Which numbers, said in one of two ways, and what is done to them, said in one of two ways.
fn bulk(before: &Value) -> Value {
    let field = |name: &str| before["properties"][name].clone();
    let no = json!({"type": ["boolean", "null"], "enum": [false, null]});
    let yes = |name: &str| json!({"type": "boolean", "enum": [true], "description": field(name)["description"]});
    let nothing = json!({"type": ["object", "null"], "maxProperties": 0});
    let whole =
        |name: &str| json!({"$ref": format!("#/components/schemas/{name}"), "minProperties": 1});
    let change = json!({"$ref": "#/components/schemas/NumberPatchBody", "minProperties": 1,
        "properties": {"area_code": {"enum": [null, ""]}}});
    let which = [
        (
            "filter",
            [("filter", whole("BulkFilter")), ("all", no.clone())],
        ),
        ("all", [("filter", nothing.clone()), ("all", yes("all"))]),
    ];
    let what = [
        ("change", [("change", change), ("delete", no)]),
        ("delete", [("change", nothing), ("delete", yes("delete"))]),
    ];
    let both = which
        .iter()
        .flat_map(|which| what.iter().map(move |what| (which, what)));
    let variants = both.map(|((which, of_which), (what, of_what))| {
        let mut properties = json!({"dry_run": field("dry_run"), "job": field("job")});
        for (name, look) in of_which.iter().chain(of_what) {
            properties[*name] = look.clone();
        }
        json!({"type": "object", "additionalProperties": false, "required": [which, what], "properties": properties})
    });
    json!({
        "description": before["description"], "example": before["example"],
        "oneOf": variants.collect::<Vec<_>>(),
    })
}
