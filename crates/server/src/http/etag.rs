//! Entity tags (RFC 9110, 8.8.3): what a client has seen of a thing, so that nobody overwrites what they have not seen.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use caller_id_core::listing::Expected;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::ApiError;

/// The tag of something as the API shows it, in its quotes. What people cannot change of it has no part in it.
pub fn tag(shown: &impl Serialize) -> String {
    let text = serde_json::to_vec(shown).unwrap_or_default();
    let hash = Sha256::digest(text);
    let hex: String = hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

/// The header that tells it.
pub fn header(tag: &str) -> (HeaderName, HeaderValue) {
    let value = HeaderValue::try_from(tag);
    (
        ETAG,
        value.unwrap_or_else(|_| HeaderValue::from_static("\"\"")),
    )
}

/// What a request says must be so before it changes anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    None,
    /// `If-Match: *`: there must be something.
    Something,
    /// `If-None-Match: *`: there must be nothing.
    Nothing,
    /// `If-Match`: it must have one of these tags.
    Tags(Vec<String>),
}

impl Precondition {
    fn of(headers: &HeaderMap) -> Self {
        let words = |name: HeaderName| -> Vec<String> {
            let lines = headers.get_all(name).into_iter();
            let lines = lines.map(|line| line.to_str().unwrap_or("unreadable").to_owned());
            let words = lines.flat_map(|line| {
                let words = line.split(',').map(|word| word.trim().to_owned());
                words.collect::<Vec<_>>()
            });
            words.filter(|word| !word.is_empty()).collect()
        };
        let asked = words(IF_MATCH);
        if asked.iter().any(|word| word == "*") {
            Self::Something
        } else if headers.contains_key(IF_MATCH) {
            // An empty one matches nothing: whoever sent it meant to ask for something.
            Self::Tags(asked)
        } else if words(IF_NONE_MATCH).iter().any(|word| word == "*") {
            Self::Nothing
        } else {
            Self::None
        }
    }

    /// What a change may expect to find, where `found` is there now and has the tag that `tag` makes of it.
    ///
    /// # Errors
    /// [`ApiError::Differs`] or [`ApiError::IsThere`], with the tag that it has.
    pub fn expected<T: Clone>(
        &self,
        found: Option<&T>,
        tag: impl Fn(&T) -> String,
    ) -> Result<Expected<T>, ApiError> {
        match (self, found) {
            (Self::None, _) => Ok(Expected::Any),
            (Self::Nothing, None) => Ok(Expected::Nothing),
            (Self::Something, Some(found)) => Ok(Expected::This(found.clone())),
            // Weak tags never match here (RFC 9110, 13.1.1), and ours are strong.
            (Self::Tags(tags), Some(found)) if tags.contains(&tag(found)) => {
                Ok(Expected::This(found.clone()))
            }
            (_, found) => Err(self.differs(found.map(tag))),
        }
    }

    /// Why nothing is changed, where there is something with `tag`, or nothing.
    pub fn differs(&self, tag: Option<String>) -> ApiError {
        match (self, tag) {
            (Self::Nothing, Some(tag)) => ApiError::IsThere(tag),
            (_, tag) => ApiError::Differs(tag),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Precondition {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(name: &str, value: &str) -> Precondition {
        let mut headers = HeaderMap::new();
        let name: HeaderName = name.parse().expect("a name");
        headers.insert(name, value.parse().expect("a value"));
        Precondition::of(&headers)
    }

    fn expected(condition: &Precondition, found: Option<&str>) -> Option<Expected<String>> {
        let found = found.map(str::to_owned);
        condition.expected(found.as_ref(), tag).ok()
    }

    #[test]
    fn a_tag_follows_from_what_is_shown() {
        assert_eq!(tag(&"a"), tag(&"a"));
        assert_ne!(tag(&"a"), tag(&"b"));
        assert_eq!(tag(&"a").len(), 34);
    }

    #[test]
    fn only_who_has_seen_what_is_there_may_change_it() {
        let seen = condition("if-match", &format!("\"other\", {}", tag(&"a")));
        let this = |text: &str| Some(Expected::This(text.to_owned()));
        assert_eq!(expected(&seen, Some("a")), this("a"));
        assert_eq!(expected(&seen, Some("b")), None);
        assert_eq!(expected(&seen, None), None);
        let weak = condition("if-match", &format!("W/{}", tag(&"a")));
        assert_eq!(expected(&weak, Some("a")), None);
        assert_eq!(expected(&condition("if-match", ""), Some("a")), None);
    }

    #[test]
    fn a_star_asks_whether_there_is_something() {
        let (some, none) = (condition("if-match", "*"), condition("if-none-match", "*"));
        assert!(expected(&some, Some("a")).is_some() && expected(&some, None).is_none());
        assert_eq!(expected(&none, None), Some(Expected::Nothing));
        assert_eq!(expected(&none, Some("a")), None);
        let is_there = |error| matches!(error, ApiError::IsThere(_));
        assert!(is_there(none.differs(Some(tag(&"a")))) && !is_there(none.differs(None)));
        assert!(!is_there(some.differs(Some(tag(&"a")))));
    }

    #[test]
    fn who_says_nothing_may_change_anything() {
        let nothing = Precondition::of(&HeaderMap::new());
        assert_eq!(expected(&nothing, Some("a")), Some(Expected::Any));
        assert_eq!(expected(&nothing, None), Some(Expected::Any));
    }
}
