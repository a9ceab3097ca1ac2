//! Pages of long lists: what a client asks of one, and where the next begins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::query::Query;
use super::{ApiError, Fault};

/// How many a page has when nobody says.
const LIMIT_DEFAULT: usize = 50;
/// How many a page may have.
pub const LIMIT_MOST: usize = 1_000;
/// Most values of one parameter, with commas between them.
const VALUES_MOST: usize = 1_000;

/// The parameters of a list, read one by one, so that one answer names every fault.
#[derive(Debug)]
pub struct Parameters<'a> {
    query: Query<'a>,
    faults: Vec<Fault>,
}

impl<'a> Parameters<'a> {
    /// The parameters of a query string. A name that is not in `known` is refused, see [`Query::misnamed`].
    pub fn new(query: Option<&'a str>, known: &[&str]) -> Self {
        let query = Query::parse(query.unwrap_or_default().as_bytes(), "query");
        let fault = query.misnamed(known);
        Self {
            query,
            faults: fault.into_iter().collect(),
        }
    }

    /// The value of `name`, as `parse` reads it; `None` also for one that is noted as a fault.
    pub fn one<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.query.parsed(name, parse) {
            Ok(value) => value,
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        }
    }

    /// The values of `name`, with commas between them; at most 1,000.
    pub fn many<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        mut parse: impl FnMut(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let values = self.one(name, |text| {
            let words = text
                .split(',')
                .map(str::trim)
                .filter(|word| !word.is_empty());
            let values: Result<Vec<T>, String> = words
                .take(VALUES_MOST + 1)
                .map(|word| parse(word).map_err(|error| error.to_string()))
                .collect();
            values.and_then(|values| match values.len() {
                0..=VALUES_MOST => Ok(values),
                _ => Err(format!("{name}: at most {VALUES_MOST} values are expected")),
            })
        });
        values.unwrap_or_default()
    }

    /// How many are asked for: `limit`, 1 to 1,000, 50 when nothing is said.
    pub fn limit(&mut self) -> usize {
        let read = |text: &str| {
            let limit: Option<usize> = text.trim().parse().ok();
            limit
                .filter(|limit| (1..=LIMIT_MOST).contains(limit))
                .ok_or_else(|| format!("limit: a whole number from 1 to {LIMIT_MOST} is expected"))
        };
        self.one("limit", read).unwrap_or(LIMIT_DEFAULT)
    }

    /// Where the page begins: what `cursor` says, in the list that `list` describes.
    pub fn place<T: DeserializeOwned>(&mut self, list: &List) -> Option<T> {
        self.one("cursor", |text| list.place(text))
    }

    /// Notes a fault of a parameter.
    pub fn fault(&mut self, name: &str, msg: String) {
        let fault = Fault::new(
            &["query", name],
            "value_error",
            msg,
            serde_json::Value::Null,
        );
        self.faults.push(fault);
    }

    /// Fails with all faults noted, if there are any.
    ///
    /// # Errors
    /// [`ApiError::Invalid`].
    pub fn finish(self) -> Result<(), ApiError> {
        match self.faults.is_empty() {
            true => Ok(()),
            false => Err(ApiError::Invalid(self.faults)),
        }
    }
}

/// A list as it was asked for, apart from its page. With another filter or order a place in it means nothing.
#[derive(Debug)]
pub struct List(String);

impl List {
    /// The list of a query string.
    pub fn of(query: Option<&str>) -> Self {
        let pairs = query.unwrap_or_default().split('&');
        let mut asked: Vec<&str> = pairs
            .filter(|pair| !pair.starts_with("cursor=") && !pair.starts_with("limit="))
            .filter(|pair| !pair.is_empty())
            .collect();
        asked.sort_unstable();
        let hash = Sha256::digest(asked.join("&"));
        Self(URL_SAFE_NO_PAD.encode(&hash[..6]))
    }

    /// The text of `next`: a place in this list, nothing that a client should read.
    pub fn cursor(&self, place: &impl Serialize) -> String {
        let text = serde_json::to_vec(&(&self.0, place)).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(text)
    }

    fn place<T: DeserializeOwned>(&self, cursor: &str) -> Result<T, &'static str> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor.trim()).ok();
        let read = bytes.and_then(|bytes| serde_json::from_slice::<(String, T)>(&bytes).ok());
        match read {
            Some((list, place)) if list == self.0 => Ok(place),
            Some(_) => {
                Err("cursor: it is of a list with another filter or order, begin without it")
            }
            None => Err("cursor: expected what `next` of the page before was"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(query: &str) -> Result<usize, ApiError> {
        let mut parameters = Parameters::new(Some(query), &["limit"]);
        let limit = parameters.limit();
        parameters.finish().map(|()| limit)
    }

    fn place(query: &str) -> Result<Option<(u32, String)>, ApiError> {
        let mut parameters = Parameters::new(Some(query), &["pool", "limit", "cursor"]);
        let place = parameters.place(&List::of(Some(query)));
        parameters.finish().map(|()| place)
    }

    #[test]
    fn a_limit_is_from_1_to_1000() {
        assert_eq!(limit("").ok(), Some(50));
        assert_eq!(limit("limit=1000").ok(), Some(1_000));
        for bad in ["limit=0", "limit=1001", "limit=-1", "limit=x"] {
            assert!(limit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_list() {
        let cursor = List::of(Some("pool=a&limit=7")).cursor(&(7, "x"));
        let back = place(&format!("limit=9&cursor={cursor}&pool=a"));
        assert_eq!(back.ok(), Some(Some((7, "x".to_owned()))));
        assert!(place(&format!("cursor={cursor}&pool=b")).is_err());
        assert!(place("cursor=%21").is_err());
        assert_eq!(place("pool=a").ok(), Some(None));
    }

    #[test]
    fn every_fault_is_named_at_once_and_misspelt_names_are_refused() {
        let mut parameters = Parameters::new(Some("limit=x&code=1,two&limt=3"), &["limit", "code"]);
        parameters.limit();
        let codes: Vec<u32> = parameters.many("code", str::parse);
        assert!(codes.is_empty());
        match parameters.finish() {
            Err(ApiError::Invalid(faults)) => assert_eq!(faults.len(), 3),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_have_commas_between_them() {
        let mut parameters = Parameters::new(Some("code=1,%202,,3"), &["code"]);
        assert_eq!(parameters.many("code", str::parse::<u32>), [1, 2, 3]);
    }
}
