//! The form of a pool's policy: what it shows, and what is made of it.

use serde_json::{Map, Value, json};

use super::words::{RUNGS, short, unit};
use crate::dashboard::form::Form;

/// How a field is filled in.
#[derive(Clone, Copy)]
enum Kind {
    /// A number with a unit of time.
    Span,
    /// A whole number.
    Count,
    /// The name of a time zone.
    Zone,
    /// Rungs that are ticked.
    Ladder,
}

/// A field of a policy.
struct Field {
    name: &'static str,
    kind: Kind,
    label: &'static str,
    hint: &'static str,
}

const FIELDS: [Field; 6] = [
    Field {
        name: "cooldown_seconds",
        kind: Kind::Span,
        label: "Rest after each use",
        hint: "The least time between two uses of a number; at most a day.",
    },
    Field {
        name: "reservation_seconds",
        kind: Kind::Span,
        label: "Held for a call",
        hint: "A number is free again after this when nobody says that the call ended.",
    },
    Field {
        name: "most_reservations",
        kind: Kind::Count,
        label: "Calls at a time",
        hint: "How many calls may show one number at the same time; 1: each has its own.",
    },
    Field {
        name: "sticky_seconds",
        kind: Kind::Span,
        label: "Same number again",
        hint: "For how long somebody who is called again sees the same number; 0: not at all.",
    },
    Field {
        name: "time_zone",
        kind: Kind::Zone,
        label: "Time zone",
        hint: "Daily limits begin anew at midnight there.",
    },
    Field {
        name: "ladder",
        kind: Kind::Ladder,
        label: "Which numbers may be chosen",
        hint: "They are tried from the top.",
    },
];

/// What the fields show of a pool: its own word where it has one, and what holds without.
pub(super) fn fields(pool: &Value, globals: &Value) -> Vec<Value> {
    let shown = FIELDS.iter().map(|field| {
        let own = &pool["policy"][field.name];
        let mut shown = field.base(globals);
        shown["own"] = (!own.is_null()).into();
        match field.kind {
            Kind::Span => {
                let (many, size) = own.as_i64().map_or((None, 1), |seconds| {
                    let (many, size) = unit(seconds);
                    (Some(many), size)
                });
                shown["value"] = many.map_or(Value::Null, Value::from);
                shown["unit"] = size.into();
            }
            Kind::Count | Kind::Zone => shown["value"] = own.clone(),
            Kind::Ladder => {
                let ticked = if own.is_null() {
                    &globals[field.name]
                } else {
                    own
                };
                shown["rungs"] = rungs(|rung| {
                    let mut ticked = ticked.as_array().into_iter().flatten();
                    ticked.any(|one| one == rung)
                });
            }
        }
        shown
    });
    shown.collect()
}

/// The same as it was filled in, with what is wrong with it.
pub(super) fn filled(form: &Form, globals: &Value, faults: &Map<String, Value>) -> Vec<Value> {
    let shown = FIELDS.iter().map(|field| {
        let mut shown = field.base(globals);
        shown["value"] = form.text(field.name).into();
        shown["unit"] = size(form, field.name).into();
        shown["own"] = match field.kind {
            Kind::Ladder => is_own_ladder(form).into(),
            _ => (!form.text(field.name).is_empty()).into(),
        };
        shown["rungs"] = rungs(|rung| form.all(field.name).any(|one| one == rung));
        shown["fault"] = faults.get(field.name).cloned().unwrap_or_default();
        shown
    });
    shown.collect()
}

/// What was filled in as the API takes it. What is left empty follows the global settings.
pub(super) fn policy(form: &Form) -> Value {
    let fields = FIELDS.iter().map(|field| {
        let name = field.name;
        let value = match field.kind {
            Kind::Count => form.number(name),
            Kind::Zone => form.value(name),
            Kind::Span => match form.number(name) {
                // What is no number is passed on: the API says best what is wrong with it.
                Value::Number(many) => {
                    let seconds = many
                        .as_i64()
                        .and_then(|many| many.checked_mul(size(form, name)));
                    seconds.map_or_else(|| form.value(name), Value::from)
                }
                other => other,
            },
            Kind::Ladder if is_own_ladder(form) => form.all(name).collect(),
            Kind::Ladder => Value::Null,
        };
        (name.to_owned(), value)
    });
    fields.collect()
}

/// What holds where a pool says nothing, as far as any pool that says nothing tells it.
pub(super) fn globals(pools: &[Value]) -> Value {
    let known = FIELDS.iter().map(|field| {
        let follows = |pool: &&Value| pool["policy"][field.name].is_null();
        let value = pools
            .iter()
            .find(follows)
            .map(|pool| &pool["effective"][field.name]);
        (field.name.to_owned(), value.cloned().unwrap_or_default())
    });
    known.collect()
}

/// The policy of a pool as the cells of a table: what holds, and whether the pool itself says so.
pub(super) fn cells(pool: &Value) -> Vec<Value> {
    let cell = |field: &Field| {
        let text = short(field.name, &pool["effective"][field.name]);
        let own = !pool["policy"][field.name].is_null();
        json!({"label": field.label, "text": text, "own": own})
    };
    FIELDS.iter().map(cell).collect()
}

impl Field {
    fn base(&self, globals: &Value) -> Value {
        let global = &globals[self.name];
        let kind = match self.kind {
            Kind::Span => "span",
            Kind::Count => "count",
            Kind::Zone => "zone",
            Kind::Ladder => "ladder",
        };
        json!({
            "name": self.name, "kind": kind, "label": self.label, "hint": self.hint, "unit": 1,
            "global": (!global.is_null()).then(|| short(self.name, global)),
        })
    }
}

/// The unit that was chosen for a field, in seconds.
fn size(form: &Form, name: &str) -> i64 {
    let size = form.text(&format!("{name}_unit")).parse().unwrap_or(1);
    if [1, 60, 3_600, 86_400].contains(&size) {
        size
    } else {
        1
    }
}

fn is_own_ladder(form: &Form) -> bool {
    form.text("ladder_is") == "own"
}

fn rungs(is_ticked: impl Fn(&str) -> bool) -> Value {
    let rung = |(name, label, what): &(&str, &str, &str)| json!({"name": name, "label": label, "what": what, "ticked": is_ticked(name)});
    RUNGS.iter().map(rung).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_empty_follows_the_global_settings() {
        let form =
            Form::read(b"cooldown_seconds=10&cooldown_seconds_unit=60&time_zone=&ladder=any");
        let policy = policy(&form);
        assert_eq!(policy["cooldown_seconds"], 600);
        assert!(policy["time_zone"].is_null() && policy["ladder"].is_null());
    }

    #[test]
    fn what_is_no_number_is_passed_on_as_it_is() {
        let form = Form::read(b"sticky_seconds=soon&reservation_seconds=9223372036854775807&reservation_seconds_unit=86400");
        let policy = policy(&form);
        assert_eq!(policy["sticky_seconds"], "soon");
        assert_eq!(policy["reservation_seconds"], "9223372036854775807");
    }

    #[test]
    fn ticked_rungs_are_a_ladder_of_its_own() {
        let form = Form::read(b"ladder_is=own&ladder=area_code&ladder=any");
        assert_eq!(policy(&form)["ladder"], json!(["area_code", "any"]));
    }

    #[test]
    fn the_global_settings_are_known_from_pools_that_follow_them() {
        let pools = [
            json!({"policy": {"cooldown_seconds": 5}, "effective": {"cooldown_seconds": 5, "time_zone": "UTC"}}),
            json!({"policy": {}, "effective": {"cooldown_seconds": 30, "time_zone": "UTC"}}),
        ];
        let globals = globals(&pools);
        assert_eq!(
            (&globals["cooldown_seconds"], &globals["time_zone"]),
            (&json!(30), &json!("UTC"))
        );
        let fields = fields(&pools[0], &globals);
        assert_eq!(
            (&fields[0]["value"], &fields[0]["global"]),
            (&json!(5), &json!("30 seconds"))
        );
    }
}
