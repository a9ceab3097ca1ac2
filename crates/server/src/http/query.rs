//! Query strings and forms, read strictly: what is not UTF-8 is refused by name, never guessed.

use std::borrow::Cow;

use caller_id_core::text;
use serde_json::Value;
use smallvec::SmallVec;

use super::Fault;
use crate::pairs::{decode, halves};

/// Most parameters that are looked at.
const PARAMETERS_MOST: usize = 64;

/// The parameters of a query string, or the fields of a form. No value is decoded before it is asked for.
#[derive(Debug)]
pub struct Query<'a> {
    text: &'a [u8],
    /// The first parameters.
    pairs: SmallVec<[Pair<'a>; 8]>,
    place: &'static str,
}

/// A name, and a value as it was sent.
type Pair<'a> = (Cow<'a, [u8]>, &'a [u8]);

impl<'a> Query<'a> {
    /// Reads `text` (`a=b&c=d`). `place` is what faults name: `query` or `body`.
    pub fn parse(text: &'a [u8], place: &'static str) -> Self {
        let pairs = text
            .split(|&byte| byte == b'&')
            .take(PARAMETERS_MOST)
            .map(|pair| {
                let (name, value) = halves(pair);
                (decode(name), value)
            })
            .collect();
        Self { text, pairs, place }
    }

    /// The value of `name`; none when it is missing or empty. When it is given again, the last counts, as in the Python
    /// service (FastAPI).
    ///
    /// # Errors
    /// A fault that names the parameter when its value is not UTF-8.
    pub fn get(&self, name: &str) -> Result<Option<Cow<'a, str>>, Fault> {
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        let text = match decode(value) {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).ok(),
            Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).ok(),
        };
        match text {
            Some(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
            None => Err(Fault::new(
                &[self.place, name],
                "not_utf8",
                format!("{name} is not UTF-8 after percent-decoding"),
                shown(&String::from_utf8_lossy(&decode(value))),
            )),
        }
    }

    /// What is wrong with the names of a list or of an order, where all names are in `known`: one that is not, which passed over
    /// would show or change everything, and one that is given twice, of which one would be passed over.
    pub fn misnamed(&self, known: &[&str]) -> Option<Fault> {
        let pairs = self.text.split(|&byte| byte == b'&');
        let names = pairs
            .filter(|pair| !pair.is_empty())
            .map(|pair| String::from_utf8_lossy(&decode(halves(pair).0)).into_owned());
        let mut seen = Vec::new();
        for name in names {
            let expected = if !known.contains(&name.as_str()) {
                let known = known.join(", ");
                format!(
                    "`{}` is no parameter, expected some of {known}",
                    text::shown(&name)
                )
            } else if seen.contains(&name) {
                format!("{name}: given more than once, one expected")
            } else {
                seen.push(name);
                continue;
            };
            let name = text::shown(&name);
            let kind = "unexpected_parameter";
            return Some(Fault::new(
                &[self.place, &name],
                kind,
                expected,
                shown(&name),
            ));
        }
        None
    }

    /// Whether `name` is there, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    fn raw(&self, name: &str) -> Option<&'a [u8]> {
        let named = |(known, _): &&Pair<'a>| **known == *name.as_bytes();
        self.pairs.iter().rev().find(named).map(|(_, value)| *value)
    }

    /// The value of `name` as a `T`, when it is there.
    ///
    /// # Errors
    /// A fault that names the parameter and says what `parse` says.
    pub fn parsed<T, E: std::fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Fault> {
        let Some(text) = self.get(name)? else {
            return Ok(None);
        };
        let invalid = |error: E| {
            Fault::new(
                &[self.place, name],
                "value_error",
                error.to_string(),
                shown(&text),
            )
        };
        parse(&text).map(Some).map_err(invalid)
    }
}

/// What was given, as a fault shows it.
pub fn shown(text: &str) -> Value {
    Value::String(text::shown(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_unknown_or_given_twice_is_told_however_late_it_comes() {
        let many = "a=1&".repeat(70) + "c=1";
        for (text, expected) in [
            ("a=1&b=2", None),
            ("", None),
            ("a=1&&b=", None),
            (
                "a=1&x=2",
                Some("`x` is no parameter, expected some of a, b"),
            ),
            ("a=1&b=2&a=1", Some("a: given more than once, one expected")),
            (&many, Some("a: given more than once, one expected")),
        ] {
            let fault = Query::parse(text.as_bytes(), "query").misnamed(&["a", "b"]);
            let told = fault.map(|fault| fault.msg);
            assert_eq!(told.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn parameters_are_percent_decoded() {
        let query = Query::parse(b"to=%2B1%20312&agent=a+b&empty=&x", "query");
        assert_eq!(query.get("to").unwrap().as_deref(), Some("+1 312"));
        assert_eq!(query.get("agent").unwrap().as_deref(), Some("a b"));
        assert_eq!(query.get("empty").unwrap(), None);
        assert_eq!(query.get("x").unwrap(), None);
        assert_eq!(query.get("y").unwrap(), None);
    }

    #[test]
    fn of_a_parameter_that_is_given_again_the_last_counts() {
        let query = Query::parse(b"to=1&agent=a&to=2", "query");
        assert_eq!(query.get("to").unwrap().as_deref(), Some("2"));
    }

    #[test]
    fn a_plus_in_front_stays_a_plus() {
        let query = Query::parse(b"to=+13125550100", "query");
        assert_eq!(query.get("to").unwrap().as_deref(), Some("+13125550100"));
    }

    #[test]
    fn what_is_not_utf8_is_refused_by_name() {
        let query = Query::parse(b"agent=%ff%fe", "query");
        assert_eq!(
            query.get("agent").unwrap_err().loc,
            ["query", "agent"].map(str::to_owned).into()
        );
    }

    #[test]
    fn half_an_escape_is_taken_as_it_stands() {
        let query = Query::parse(b"agent=50%&campaign=%zz", "query");
        assert_eq!(query.get("agent").unwrap().as_deref(), Some("50%"));
        assert_eq!(query.get("campaign").unwrap().as_deref(), Some("%zz"));
    }
}
