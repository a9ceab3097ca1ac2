//! The fields of a JSON body, read one by one, so that one answer names every fault.

use axum::extract::FromRequestParts;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::request::Parts;
use serde_json::{Map, Value};

use super::query::shown;
use super::{ApiError, Fault};

/// The largest whole number that a float has exactly: 2^53.
const EXACT_MOST: f64 = 9_007_199_254_740_992.0;

/// The fields of an object. What is read is taken out; faults are kept until [`Fields::finish`].
#[derive(Debug)]
pub struct Fields {
    members: Map<String, Value>,
    /// Where they stand, for faults.
    place: Vec<String>,
    faults: Vec<Fault>,
}

/// A field that may be there, may be `null`, or may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given<T> {
    /// It is not there, or cannot be understood and is noted as a fault.
    Missing,
    /// It is `null`.
    Null,
    /// It is there.
    Value(T),
}

impl<T> Given<T> {
    /// The value, where there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Null => None,
        }
    }
}

impl Fields {
    /// The fields of `members`.
    pub fn new(members: Map<String, Value>) -> Self {
        Self {
            members,
            place: vec!["body".to_owned()],
            faults: Vec::new(),
        }
    }

    /// The parameters of a query as fields.
    pub fn of_query(members: Map<String, Value>) -> Self {
        Self {
            members,
            place: vec!["query".to_owned()],
            faults: Vec::new(),
        }
    }

    /// The same fields, of which these faults are known already.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// The same fields, which stand deeper in the body, under these names.
    #[must_use]
    pub fn inside(mut self, names: &[&str]) -> Self {
        self.place
            .extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Whether a field is there and is something else than `value`.
    pub fn differs(&self, name: &str, value: &Value) -> bool {
        self.members.get(name).is_some_and(|given| given != value)
    }

    /// Whether a field is there and is `null`, or an empty text.
    pub fn is_null(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            _ => false,
        })
    }

    /// A field as whatever `read` makes of it; `read` says what it expected.
    pub fn read<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Given<T> {
        match self.members.get(name) {
            None => Given::Missing,
            Some(Value::Null) => Given::Null,
            Some(value) => match read(value) {
                Ok(value) => Given::Value(value),
                Err(expected) => {
                    let input = shown_value(value);
                    let fault = Fault::new(&self.at(name), "value_error", expected, input);
                    self.faults.push(fault);
                    Given::Missing
                }
            },
        }
    }

    /// A text field as whatever `parse` makes of it; an empty text is like `null`.
    pub fn text<T, E: ToString>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Given<T> {
        if self
            .members
            .get(name)
            .and_then(Value::as_str)
            .is_some_and(|text| text.trim().is_empty())
        {
            return Given::Null;
        }
        self.read(name, |value| {
            let text = value
                .as_str()
                .ok_or_else(|| format!("{name}: a text is expected"))?;
            parse(text).map_err(|error| error.to_string())
        })
    }

    /// Whether a field was there and cannot be understood.
    pub fn has_fault(&self, name: &str) -> bool {
        self.faults
            .iter()
            .any(|fault| fault.loc.last().is_some_and(|last| last == name))
    }

    /// Whether any field cannot be understood.
    pub const fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// A field that must be there.
    pub fn required<T>(&mut self, name: &str, given: Given<T>) -> Option<T> {
        let noted = self.has_fault(name);
        let value = given.value();
        if value.is_none() && !noted {
            self.faults.push(Fault::missing(&self.at(name)));
        }
        value
    }

    /// A whole number from `least` to `most`; a text of digits is one too.
    pub fn count(&mut self, name: &str, least: u32, most: u32) -> Given<u32> {
        self.read(name, |value| {
            let number = whole(value).or_else(|| value.as_str()?.trim().parse().ok());
            let in_range = number.and_then(|number| u32::try_from(number).ok());
            in_range
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| format!("{name}: a whole number from {least} to {most} is expected"))
        })
    }

    /// Refuses every field that is not in `known`: a misspelt setting would be ignored in silence.
    pub fn only(&mut self, known: &[&str]) {
        for (name, value) in &self.members {
            if !known.contains(&name.as_str()) {
                let msg = format!("unknown field, expected some of {}", known.join(", "));
                let input = shown_value(value);
                let fault = Fault::new(&self.at(name), "extra_forbidden", msg, input);
                self.faults.push(fault);
            }
        }
    }

    /// Notes a fault of a field.
    pub fn fault(&mut self, name: &str, msg: String) {
        let input = self.members.get(name).map_or(Value::Null, shown_value);
        let fault = Fault::new(&self.at(name), "value_error", msg, input);
        self.faults.push(fault);
    }

    /// Where a field stands.
    fn at<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let place = self.place.iter().map(String::as_str);
        place.chain([name]).collect()
    }

    /// All faults noted, where they are none for who asked.
    pub fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// Fails with all faults noted, if there are any.
    ///
    /// # Errors
    /// [`ApiError::Invalid`].
    pub fn finish(self) -> Result<(), ApiError> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(ApiError::Invalid(self.faults))
        }
    }
}

/// A whole number: `174.0` is one, too, as JSON knows but one kind of number.
fn whole(value: &Value) -> Option<i64> {
    let whole = |number: &f64| number.fract() == 0.0 && number.abs() <= EXACT_MOST;
    let float = || value.as_f64().filter(whole).map(|number| number as i64);
    value.as_i64().or_else(float)
}

/// What is a whole number, 0 or more, as the text that it could have been given as.
pub fn number_in_digits(value: &Value) -> Option<String> {
    let whole = whole(value).and_then(|number| u64::try_from(number).ok());
    value.as_u64().or(whole).map(|number| number.to_string())
}

/// Scalars as given; what could be large only by its kind.
fn shown_value(value: &Value) -> Value {
    match value {
        Value::String(text) => shown(text),
        Value::Array(_) => Value::from("[…]"),
        Value::Object(_) => Value::from("{…}"),
        scalar => scalar.clone(),
    }
}

/// The `{id}` in a path, percent-decoded.
#[derive(Debug)]
pub struct PathId(pub String);

impl PathId {
    /// The id as whatever `parse` makes of it.
    ///
    /// # Errors
    /// 422 that names the path.
    pub fn parse<T, E: ToString>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ApiError> {
        let fault = |error: E| {
            Fault::new(
                &["path", "id"],
                "value_error",
                error.to_string(),
                shown(&self.0),
            )
        };
        parse(&self.0).map_err(|error| ApiError::Invalid(vec![fault(error)]))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path: Result<Path<String>, PathRejection> =
            Path::from_request_parts(parts, state).await;
        let unreadable =
            |_| ApiError::invalid(&["path", "id"], "not_utf8", "the path is not UTF-8");
        path.map(|Path(id)| Self(id)).map_err(unreadable)
    }
}
