//! Parameters and paths, as they are sent.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;

/// Letters and digits, and what RFC 3986 calls unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Parameters by name.
pub(in crate::cli) type Pairs = Vec<(String, String)>;

/// What flags say, as parameters of the same names: what is not given is left out, lists have commas.
pub(in crate::cli) fn pairs(flags: &impl Serialize) -> Pairs {
    let Ok(Value::Object(members)) = serde_json::to_value(flags) else {
        return Pairs::new();
    };
    let given = members.into_iter().filter_map(|(name, value)| {
        let text = match value {
            Value::Null | Value::Bool(false) | Value::Object(_) => return None,
            Value::Array(values) if values.is_empty() => return None,
            Value::Array(values) => {
                let words: Vec<String> = values.iter().map(word).collect();
                words.join(",")
            }
            value => word(&value),
        };
        Some((name, text))
    });
    given.collect()
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// A path of these parts, each whatever it is.
pub(in crate::cli) fn path(parts: &[&str]) -> String {
    let mut path = "/api/v1".to_owned();
    for part in parts {
        path.push('/');
        path.push_str(&escaped(part));
    }
    path
}

/// The query string, with its question mark; nothing where nothing is asked.
pub(super) fn string(pairs: &Pairs) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(&escaped(name));
        text.push('=');
        text.push_str(&escaped(value));
    }
    text
}

/// Dots alone would be taken for a step in the path.
fn escaped(text: &str) -> String {
    match text {
        "." | ".." => text.replace('.', "%2E"),
        text => utf8_percent_encode(text, ESCAPED).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_given_is_not_asked() {
        let flags = json!({"pool": ["a", "b"], "q": null, "count": true, "seen": false, "number": [], "limit": 5});
        let text = string(&pairs(&flags));
        assert_eq!(text, "?pool=a%2Cb&count=true&limit=5");
        assert_eq!(string(&Pairs::new()), "");
    }

    #[test]
    fn a_part_of_a_path_is_one_part_whatever_it_is() {
        assert_eq!(
            path(&["pools", "a/b?c#d e", "..", "ü"]),
            "/api/v1/pools/a%2Fb%3Fc%23d%20e/%2E%2E/%C3%BC"
        );
        assert_eq!(
            path(&["numbers", "+13125550100"]),
            "/api/v1/numbers/%2B13125550100"
        );
    }
}
