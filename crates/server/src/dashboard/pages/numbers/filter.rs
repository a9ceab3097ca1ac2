//! Which numbers are shown, and which are changed: the same in the page's address and in what the API is asked.

use form_urlencoded::Serializer;
use serde_json::{Map, Value};

use crate::dashboard::form::Form;

/// By what numbers are filtered, as the API calls it.
const NAMES: [&str; 9] = [
    "q",
    "pool",
    "status",
    "carrier",
    "no_carrier",
    "area_code",
    "region",
    "attestation",
    "begins",
];
/// Those of which several may be given, with commas between them.
const MANY: [&str; 5] = ["pool", "status", "area_code", "region", "attestation"];

/// A filter as it was given: what is empty is left out.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Filter(Vec<(&'static str, String)>);

impl Filter {
    /// What the query of a page says.
    pub(super) fn of_query(query: &str) -> Self {
        let given: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        Self::read(|name| {
            let found = given.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value)
        })
    }

    /// What the hidden fields of a form say.
    pub(super) fn of_form(form: &Form) -> Self {
        Self::read(|name| form.text(name))
    }

    fn read<'a>(value: impl Fn(&str) -> &'a str) -> Self {
        let given = NAMES.into_iter().map(|name| (name, value(name).trim()));
        let given = given.filter(|(_, value)| !value.is_empty());
        Self(
            given
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
        )
    }

    /// Whether it asks for every number.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a query string, always in the same order.
    pub(super) fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(&self.0);
        query.finish()
    }

    /// By name, for templates.
    pub(super) fn by_name(&self) -> Map<String, Value> {
        let each = self.0.iter();
        each.map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
            .collect()
    }

    /// As a body says it.
    pub(super) fn json(&self) -> Value {
        let each = self.0.iter().map(|(name, value)| {
            let value = match MANY.contains(name) {
                true => value.split(',').map(str::trim).collect(),
                false => Value::from(value.as_str()),
            };
            ((*name).to_owned(), value)
        });
        Value::Object(each.collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_empty_or_unknown_is_left_out() {
        let filter = Filter::of_query("status=paused,retired&q=+312+&pool=&x=1&cursor=abc");
        assert_eq!(filter.query(), "q=312&status=paused%2Cretired");
        let body = json!({"q": "312", "status": ["paused", "retired"]});
        assert_eq!(filter.json(), body);
        assert!(Filter::of_query("x=1&pool=").is_empty());
    }

    #[test]
    fn a_carrier_may_have_commas_in_its_name() {
        let filter = Filter::of_query("carrier=A%2C+B");
        assert_eq!(filter.json(), json!({"carrier": "A, B"}));
        assert_eq!(Filter::of_query(&filter.query()), filter);
    }
}
