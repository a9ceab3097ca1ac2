//! Where people go once they are signed in: a path of this service and nothing else.

use axum::http::Uri;
use axum::http::request::Parts;

use super::super::query::Query;

/// Where people go who were on their way nowhere.
const HOME: &str = "/dashboard";
/// No path of ours is longer, in bytes.
const LENGTH_MOST: usize = 1_024;

/// A path of this service, with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReturnTo(String);

impl Default for ReturnTo {
    fn default() -> Self {
        Self(HOME.to_owned())
    }
}

impl ReturnTo {
    /// What the query of a request says.
    pub(super) fn of(parts: &Parts) -> Self {
        let query = Query::parse(parts.uri.query().unwrap_or_default().as_bytes(), "query");
        Self::read(query.get("return_to").ok().flatten().as_deref())
    }

    /// What was given, where it is a path of ours: what browsers read as another host, with one slash more or one the other
    /// way round, is none.
    pub(super) fn read(given: Option<&str>) -> Self {
        let is_ours = |path: &&str| {
            let plain = path
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
            let uri = path.parse::<Uri>();
            let alone = uri.is_ok_and(|uri| uri.authority().is_none() && uri.scheme().is_none());
            path.starts_with('/')
                && !path.starts_with("//")
                && path.len() <= LENGTH_MOST
                && plain
                && alone
        };
        given
            .filter(is_ours)
            .map_or_else(Self::default, |path| Self(path.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_service_are_gone_to() {
        let goes = |given: &str| ReturnTo::read(Some(given)).0;
        assert_eq!(goes("/docs/?a=b&c=%2F"), "/docs/?a=b&c=%2F");
        for elsewhere in [
            "",
            "docs",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "https:/evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/a\r\nset-cookie: b=c",
            " /docs",
            "/dö",
        ] {
            assert_eq!(goes(elsewhere), HOME, "{elsewhere:?}");
        }
        assert_eq!(goes(&format!("/{}", "a".repeat(LENGTH_MOST))), HOME);
        assert_eq!(ReturnTo::read(None).0, HOME);
    }
}
