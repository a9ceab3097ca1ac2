//! What people fill in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use serde_json::Value;

use super::Dashboard;
use super::failure::Failure;

/// No form is longer, in bytes.
const FORM_MOST: usize = 1 << 20;
/// By which a form shows that it is ours.
const PROOF: &str = "csrf_token";

/// The fields of a form, by name.
#[derive(Debug, Default)]
pub(super) struct Form(BTreeMap<String, Vec<String>>);

impl Form {
    /// By which it shows that it is ours.
    pub(super) fn proof(&self) -> &str {
        self.text(PROOF)
    }

    /// What was filled in, without blanks around it; empty where nothing was.
    pub(super) fn text(&self, name: &str) -> &str {
        let last = self.0.get(name).and_then(|values| values.last());
        last.map_or("", |text| text.trim())
    }

    /// All that was filled in or ticked under one name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.get(name).into_iter().flatten();
        values
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }

    /// All fields with all their values.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|(name, values)| values.iter().map(|value| (name.as_str(), value.trim())))
    }

    /// What was filled in, as the API takes it; null where nothing was.
    pub(super) fn value(&self, name: &str) -> Value {
        match self.text(name) {
            "" => Value::Null,
            text => text.into(),
        }
    }

    /// All fields, for a form that is shown again: of each what was filled in last.
    pub(super) fn filled(&self) -> HashMap<&str, &str> {
        let names = self.0.keys().map(String::as_str);
        names.map(|name| (name, self.text(name))).collect()
    }

    /// A number that was filled in; what is none is passed on as it is, for the API says best what is wrong with it.
    pub(super) fn number(&self, name: &str) -> Value {
        match self.text(name) {
            "" => Value::Null,
            text => text.parse::<i64>().map_or(text.into(), Value::from),
        }
    }
}

impl FromRequest<Arc<Dashboard>> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &Arc<Dashboard>) -> Result<Self, Failure> {
        let body = to_bytes(request.into_body(), FORM_MOST).await;
        let body = body.map_err(|_| Failure::invalid("The form is larger than a megabyte"))?;
        Ok(Self::read(&body))
    }
}

impl Form {
    /// The fields in what browsers send, or in the query of a page.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            fields
                .entry(name.into_owned())
                .or_default()
                .push(value.into_owned());
        }
        Self(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_read_as_browsers_send_them() {
        let form = Form::read(b"name=+Ann%20B+&limit=5&day=1&day=2&empty=&word=x");
        assert_eq!(form.text("name"), "Ann B");
        assert_eq!(form.number("limit"), json!(5));
        assert_eq!(form.number("word"), json!("x"));
        assert_eq!(form.value("empty"), Value::Null);
        assert_eq!(form.all("day").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(form.proof(), "");
    }
}
