//! What a form says of many numbers: which, and what becomes of them.

use serde_json::{Map, Value, json};

use super::filter::Filter;
use crate::dashboard::form::Form;

/// Which numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that were ticked.
    Ticked(Vec<String>),
    /// All that a filter asks for.
    Matching(Filter),
}

impl Which {
    /// What the query of a page says.
    pub(super) fn of_query(query: &str) -> Self {
        let given = form_urlencoded::parse(query.as_bytes());
        let named = |wanted: &'static str| {
            given
                .filter(move |(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        if named("which").next().as_deref() == Some("matching") {
            return Self::Matching(Filter::of_query(query));
        }
        Self::Ticked(
            named("number")
                .filter(|number| !number.is_empty())
                .collect(),
        )
    }

    /// What the hidden fields of a form say.
    pub(super) fn of_form(form: &Form) -> Self {
        if form.text("which") == "matching" {
            return Self::Matching(Filter::of_form(form));
        }
        Self::Ticked(form.all("number").map(str::to_owned).collect())
    }

    /// The query by which the API lists them.
    pub(super) fn query(&self) -> String {
        match self {
            Self::Ticked(numbers) => {
                let mut query = form_urlencoded::Serializer::new(String::new());
                query.append_pair("number", &numbers.join(","));
                query.finish()
            }
            Self::Matching(filter) => filter.query(),
        }
    }

    /// As the body of a change of many says it.
    pub(super) fn members(&self) -> Map<String, Value> {
        let (name, value) = match self {
            Self::Matching(filter) if filter.is_empty() => ("all", true.into()),
            Self::Matching(filter) => ("filter", filter.json()),
            Self::Ticked(numbers) => ("filter", json!({ "number": numbers })),
        };
        Map::from_iter([(name.to_owned(), value)])
    }
}

/// What becomes of them, as the body of a change of many says it. What is not understood is passed on: the API says best what is
/// wrong with it.
pub(super) fn change(form: &Form) -> Map<String, Value> {
    let change = match form.text("action") {
        "delete" => return Map::from_iter([("delete".to_owned(), true.into())]),
        "pause" => json!({"status": "paused"}),
        "resume" => json!({"status": "active"}),
        "retire" => json!({"status": "retired"}),
        "rest" => match form.value("resting_until") {
            Value::Null => json!({"status": "resting"}),
            until => json!({"status": "resting", "resting_until": until}),
        },
        "pool" => json!({"pool": form.value("to_pool")}),
        "carrier" => json!({"carrier": form.value("new_carrier")}),
        "attestation" => json!({"attestation": form.value("new_attestation")}),
        "limits" => limits(form),
        _ => json!({}),
    };
    Map::from_iter([("change".to_owned(), change)])
}

/// A limit that is left open stays; `none` takes it away.
fn limits(form: &Form) -> Value {
    let each = ["hourly_limit", "daily_limit"].map(|name| (name, form.number(name)));
    let given = each.into_iter().filter(|(_, limit)| !limit.is_null());
    let read = given.map(|(name, limit)| {
        let is_none = limit
            .as_str()
            .is_some_and(|text| text.eq_ignore_ascii_case("none"));
        (name.to_owned(), if is_none { Value::Null } else { limit })
    });
    Value::Object(read.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(form: &str) -> Value {
        Value::Object(change(&Form::read(form.as_bytes())))
    }

    #[test]
    fn a_form_becomes_a_change_of_many() {
        assert_eq!(of("action=pause"), json!({"change": {"status": "paused"}}));
        assert_eq!(of("action=delete"), json!({"delete": true}));
        assert_eq!(
            of("action=limits&hourly_limit=none&daily_limit="),
            json!({"change": {"hourly_limit": null}})
        );
        assert_eq!(
            of("action=limits&hourly_limit=5&daily_limit=x"),
            json!({"change": {"hourly_limit": 5, "daily_limit": "x"}})
        );
        assert_eq!(of("action=carrier"), json!({"change": {"carrier": null}}));
        assert_eq!(of("action=dance"), json!({"change": {}}));
    }

    #[test]
    fn every_number_is_asked_for_only_where_no_filter_is_given() {
        let members = |query: &str| Value::Object(Which::of_query(query).members());
        assert_eq!(members("which=matching"), json!({"all": true}));
        assert_eq!(
            members("which=matching&status=paused"),
            json!({"filter": {"status": ["paused"]}})
        );
        assert_eq!(
            members("which=ticked&number=1&number=2&status=paused"),
            json!({"filter": {"number": ["1", "2"]}})
        );
        // Nothing ticked is nothing, and never all.
        assert_eq!(members(""), json!({"filter": {"number": []}}));
    }
}
