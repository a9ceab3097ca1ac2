//! Why a command ends without success, each in one line.

use serde_json::Value;
use thiserror::Error;

use crate::cli::show::plain;

/// The type of a problem: the path is none of the API's.
const NO_ROUTE: &str = "urn:caller-id:problem:no-route";

/// What was typed cannot be done at all: exit code 2.
#[derive(Debug, Error)]
#[error("{0}")]
pub(in crate::cli) struct Usage(String);

impl Usage {
    /// Says what, and what is expected.
    pub(in crate::cli) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The service says no (RFC 9457), or something between us and it does.
#[derive(Debug, Error)]
#[error("{text}")]
pub(in crate::cli) struct Refused {
    /// The status of HTTP.
    pub(in crate::cli) status: u16,
    text: String,
    /// Of each field that cannot be taken, what the service calls it.
    kinds: Vec<String>,
}

impl Refused {
    /// Reads the answer `text` of `place`; `wait` is after how many seconds it may be asked again, if it says so.
    pub(super) fn read(place: &str, status: u16, text: &str, wait: Option<&str>) -> Self {
        let body: Value = serde_json::from_str(text).unwrap_or_default();
        let mut text = match body.get("detail") {
            Some(detail) => told(status, &body, detail),
            None => foreign(place, status),
        };
        if let Some(seconds) = wait {
            text.push_str(&format!(" (try again in {seconds} s)"));
        }
        let text = plain(&text);
        let faults = body["detail"].as_array().into_iter().flatten();
        let kinds = faults.filter_map(|fault| fault["type"].as_str().map(str::to_owned));
        Self {
            status,
            text,
            kinds: kinds.collect(),
        }
    }

    /// Whether a field is refused for that.
    pub(in crate::cli) fn is(&self, kind: &str) -> bool {
        self.kinds.iter().any(|known| known == kind)
    }
}

/// Title, detail, fields, and what to do.
fn told(status: u16, body: &Value, detail: &Value) -> String {
    let title = body["title"].as_str().unwrap_or_default();
    let detail = match detail {
        Value::String(text) => text.clone(),
        Value::Array(faults) => {
            let faults: Vec<String> = faults.iter().map(fault).collect();
            faults.join("; ")
        }
        other => other.to_string(),
    };
    let mut text = match title {
        "" => detail,
        title if detail.eq_ignore_ascii_case(title) => detail,
        title => format!("{title}: {detail}"),
    };
    let reason = ["reason", "hint"].map(|name| body[name].as_str());
    let advice = match status {
        401 => Some("CALLER_ID_KEY or --key-file says who asks; docs/access.md"),
        404 if body["type"] == NO_ROUTE => Some(
            "nothing is there: the URL has a path too much, or the service is older than this command",
        ),
        403 => Some("`caller-id whoami` tells the role of this key; docs/access.md"),
        _ => None,
    };
    for more in reason.into_iter().chain([advice]).flatten() {
        text.push_str(&format!(" ({more})"));
    }
    text
}

/// One field that cannot be understood. Most messages name it themselves.
fn fault(fault: &Value) -> String {
    let place = fault["loc"].as_array().and_then(|loc| loc.last());
    let field = place.and_then(Value::as_str).unwrap_or_default();
    let message = fault["msg"].as_str().unwrap_or("cannot be understood");
    match message.starts_with(field) || matches!(field, "body" | "query" | "path") {
        true => message.to_owned(),
        false => format!("{field}: {message}"),
    }
}

/// Something that is no caller-id answers: another program, or a proxy.
fn foreign(place: &str, status: u16) -> String {
    match status {
        300..=399 => format!(
            "{place} answers {status}, a redirect: CALLER_ID_URL must be the address it ends at"
        ),
        404 | 405 => format!("{place} answers {status}, and not as caller-id does: is it one?"),
        502..=504 => {
            format!("{place} answers {status}: a proxy is there, and no service behind it")
        }
        _ => format!("{place} answers {status}, with no reason that can be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(status: u16, body: &Value) -> String {
        Refused::read("http://x", status, &body.to_string(), None).to_string()
    }

    #[test]
    fn a_problem_is_one_line_with_title_detail_and_field() {
        let body = json!({"title": "Not found", "detail": "There is no pool `x`"});
        assert_eq!(line(404, &body), "Not found: There is no pool `x`");
        let body = json!({"title": "The request cannot be understood", "detail": [
            {"loc": ["body", "daily_limit"], "msg": "daily_limit: 1 or more is expected", "input": 0},
            {"loc": ["body", "carrier"], "msg": "too long"},
        ]});
        assert_eq!(
            line(422, &body),
            "The request cannot be understood: daily_limit: 1 or more is expected; carrier: too long"
        );
    }

    #[test]
    fn what_is_no_caller_id_is_told_so() {
        let text = Refused::read("http://x", 502, "<html>", Some("1")).to_string();
        assert!(text.contains("a proxy is there"), "{text}");
        assert!(text.ends_with("(try again in 1 s)"), "{text}");
        let text = Refused::read("http://x", 404, "nothing here", None).to_string();
        assert!(text.contains("is it one?"), "{text}");
    }
}
