//! What changes of the inventory say in the audit log: JSON with the names that the API gives fields.

use std::num::NonZeroU32;

use caller_id_core::audit::AuditEvent;
use caller_id_core::policy::PolicyOverrides;
use caller_id_core::{AreaCode, Attestation, Author, Campaign, Number, Pool, PoolId, StoreError};
use serde::Serialize;
use serde_json::{Value, json};

use crate::values::to_json;

/// A number, without what it has not.
#[derive(Serialize)]
struct NumberEntry<'a> {
    caller_id: String,
    status: String,
    pool: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_code: Option<AreaCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<Attestation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    daily_limit: Option<NonZeroU32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hourly_limit: Option<NonZeroU32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'a Value>,
}

impl<'a> From<&'a Number> for NumberEntry<'a> {
    fn from(number: &'a Number) -> Self {
        Self {
            caller_id: number.number.to_string(),
            status: number.status.to_string(),
            pool: number.pool.as_str(),
            area_code: number.area_code,
            carrier: number.carrier.as_deref(),
            attestation: number.attestation,
            daily_limit: number.limits.daily,
            hourly_limit: number.limits.hourly,
            meta: number.meta.as_ref(),
        }
    }
}

fn of_number(number: &Number) -> Result<String, StoreError> {
    to_json(&NumberEntry::from(number))
}

/// A list of JSON that grows.
#[derive(Default)]
struct List(String);

impl List {
    fn push(&mut self, number: &Number) -> Result<(), StoreError> {
        self.0.push(if self.0.is_empty() { '[' } else { ',' });
        self.0.push_str(&of_number(number)?);
        Ok(())
    }

    /// None where it is empty.
    fn finish(mut self) -> Option<String> {
        (!self.0.is_empty()).then(|| {
            self.0.push(']');
            self.0
        })
    }
}

/// How many numbers are changed, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// A batch of rows: a single number has an action of its own.
    Rows,
    /// One, by its key.
    One,
    /// A part of a bulk change.
    Many,
}

/// What a change does to numbers, as far as it is done.
#[derive(Default)]
pub(crate) struct Numbers {
    made: u64,
    updated: u64,
    deleted: u64,
    last: Option<String>,
    before: List,
    after: List,
}

impl Numbers {
    /// So many changed.
    pub(crate) fn changed(&self) -> u64 {
        self.made + self.updated + self.deleted
    }

    /// A number is new.
    pub(crate) fn made(&mut self, number: &Number) -> Result<(), StoreError> {
        self.made += 1;
        self.name(number);
        self.after.push(number)
    }

    /// A number is another one.
    pub(crate) fn updated(&mut self, before: &Number, after: &Number) -> Result<(), StoreError> {
        self.updated += 1;
        self.name(after);
        self.before.push(before)?;
        self.after.push(after)
    }

    /// A number is gone.
    pub(crate) fn deleted(&mut self, number: &Number) -> Result<(), StoreError> {
        self.deleted += 1;
        self.name(number);
        self.before.push(number)
    }

    fn name(&mut self, number: &Number) {
        if self.last.is_none() {
            self.last = Some(number.number.to_string());
        }
    }

    /// The entry; none where nothing changed.
    pub(crate) fn event(self, of: Of, by: &Author) -> Option<AuditEvent> {
        let changed = self.changed();
        let (before, after) = (self.before.finish(), self.after.finish());
        let single = changed == 1 && of != Of::Many;
        let action = match (of, single) {
            (Of::Rows, false) => "numbers.import",
            (_, true) if self.made > 0 => "number.create",
            (_, true) if self.deleted > 0 => "number.delete",
            (_, true) => "number.update",
            (_, false) if self.deleted > 0 => "numbers.delete",
            (_, false) => "numbers.update",
        };
        let subject = match (self.last?, changed) {
            (number, 1) if single => number,
            (_, 1) => "1 number".to_owned(),
            (_, many) => format!("{many} numbers"),
        };
        let alone = |list: Option<String>| match single {
            true => list.map(|list| list[1..list.len() - 1].to_owned()),
            false => list,
        };
        Some(AuditEvent {
            author: by.clone(),
            action: action.to_owned(),
            subject,
            before: alone(before),
            after: alone(after),
        })
    }
}

/// What is told of a thing that has a name.
pub(crate) trait Entry {
    /// Its kind.
    const KIND: &'static str;

    /// Its name.
    fn name(&self) -> &str;

    /// What it is.
    fn json(&self) -> Value;
}

impl Entry for Pool {
    const KIND: &'static str = "pool";

    fn name(&self) -> &str {
        self.id.as_str()
    }

    fn json(&self) -> Value {
        let policy = &self.policy;
        let seconds = |ms: Option<i64>| match ms {
            Some(ms) if ms % 1_000 == 0 => json!(ms / 1_000),
            Some(ms) => json!(ms as f64 / 1_000.0),
            None => Value::Null,
        };
        let rungs = policy.ladder.map(|ladder| {
            let rungs = ladder.to_string();
            rungs.split(',').map(Value::from).collect::<Vec<_>>()
        });
        let mut shown = json!({
            "cooldown_seconds": seconds(policy.cooldown_ms),
            "reservation_seconds": seconds(policy.reservation_ms),
            "most_reservations": policy.most_reservations,
            "sticky_seconds": seconds(policy.sticky_ms),
            "time_zone": policy.time_zone.as_ref().map(|zone| zone.name()),
            "ladder": rungs,
        });
        if let Some(members) = shown.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        json!({"id": self.name(), "policy": shown})
    }
}

impl Entry for Campaign {
    const KIND: &'static str = "campaign";

    fn name(&self) -> &str {
        self.id.as_str()
    }

    fn json(&self) -> Value {
        let pools: Vec<_> = self.pools.iter().map(|pool| pool.as_str()).collect();
        let mut shown = json!({"id": self.name(), "pools": pools});
        if let Some(limit) = self.agent_limit_per_minute {
            shown["agent_rate_limit_per_minute"] = json!(limit);
        }
        shown
    }
}

/// A pool was made because a number names it.
pub(crate) fn pool_made(pool: &PoolId, by: &Author) -> AuditEvent {
    let made = Pool {
        id: pool.clone(),
        policy: PolicyOverrides::default(),
    };
    AuditEvent {
        author: by.clone(),
        action: "pool.create".to_owned(),
        subject: pool.to_string(),
        before: None,
        after: Some(made.json().to_string()),
    }
}

/// A thing was `before` and is `after`: at least one of them is given.
pub(crate) fn put_or_deleted<T: Entry>(
    before: Option<&T>,
    after: Option<&T>,
    by: &Author,
) -> Option<AuditEvent> {
    let verb = if after.is_some() { "put" } else { "delete" };
    let json = |thing: &T| thing.json().to_string();
    Some(AuditEvent {
        author: by.clone(),
        action: format!("{}.{verb}", T::KIND),
        subject: after.or(before)?.name().to_owned(),
        before: before.map(json),
        after: after.map(json),
    })
}

#[cfg(test)]
mod tests {
    use caller_id_testkit::builders::{campaign, full_number, number, pool};

    use super::*;

    #[test]
    fn a_single_number_is_the_subject_itself_and_many_are_counted() {
        let [one, other] = [1, 2].map(|line| full_number(number(312, line)));
        let by = Author::command("import");
        let mut single = Numbers::default();
        single.made(&one).unwrap();
        let event = single.event(Of::Rows, &by).unwrap();
        assert_eq!(event.action, "number.create");
        assert_eq!(event.subject, "+13125550001");
        assert_eq!(event.before, None);
        let after: Value = serde_json::from_str(&event.after.unwrap()).unwrap();
        let expected = json!({
            "caller_id": "+13125550001", "status": one.status.to_string(), "pool": "solar", "area_code": "312",
            "carrier": "Carrier \"A\", Inc.", "attestation": "B", "daily_limit": 500, "hourly_limit": 50,
            "meta": {"note": "a, \"b\"\nc", "n": [1, null]},
        });
        assert_eq!(after, expected);

        let mut many = Numbers::default();
        many.made(&one).unwrap();
        many.updated(&Number::new(other.number), &other).unwrap();
        let event = many.event(Of::Rows, &by).unwrap();
        assert_eq!(
            (event.action.as_str(), event.subject.as_str()),
            ("numbers.import", "2 numbers")
        );
        assert_eq!(
            event.before.as_deref(),
            Some(
                r#"[{"caller_id":"+13125550002","status":"active","pool":"default","area_code":"312"}]"#
            )
        );
        assert!(Numbers::default().event(Of::Rows, &by).is_none());
    }

    #[test]
    fn a_part_of_a_bulk_change_keeps_its_action_however_few_it_changes() {
        let by = Author::command("numbers");
        let mut one = Numbers::default();
        one.deleted(&Number::new(number(312, 1))).unwrap();
        let event = one.event(Of::Many, &by).unwrap();
        assert_eq!(
            (event.action.as_str(), event.subject.as_str()),
            ("numbers.delete", "1 number")
        );
        assert!(event.before.unwrap().starts_with("[{") && event.after.is_none());
    }

    #[test]
    fn pools_and_campaigns_have_the_names_of_the_api() {
        let by = Author::command("pools");
        let mut solar = Pool::new(pool("solar"));
        solar.policy.cooldown_ms = Some(30_000);
        solar.policy.sticky_ms = Some(1_500);
        solar.policy.ladder = Some(caller_id_core::Ladder::ALL);
        let event = put_or_deleted(None, Some(&solar), &by).unwrap();
        assert_eq!(event.action, "pool.put");
        let after: Value = serde_json::from_str(&event.after.unwrap()).unwrap();
        assert_eq!(
            after,
            json!({"id": "solar", "policy": {
                "cooldown_seconds": 30, "sticky_seconds": 1.5, "ladder": ["area_code", "overlay", "region", "any"],
            }})
        );
        let limited = campaign("A", &["solar"]).with_agent_limit(Some(7)).unwrap();
        let event = put_or_deleted(Some(&limited), None, &by).unwrap();
        assert_eq!(
            (event.action.as_str(), event.subject.as_str()),
            ("campaign.delete", "A")
        );
        let before: Value = serde_json::from_str(&event.before.unwrap()).unwrap();
        assert_eq!(
            before,
            json!({"id": "A", "pools": ["solar"], "agent_rate_limit_per_minute": 7})
        );
    }
}
