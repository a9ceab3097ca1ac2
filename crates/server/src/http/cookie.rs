//! Cookies that browsers keep for us, and give back.

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HeaderValue, SET_COOKIE};

/// Who is signed in.
pub const SESSION: Cookie = Cookie("caller_id_session");
/// That the form of the sign-in page is ours.
pub const FORM: Cookie = Cookie("caller_id_form");
/// A sign-in that has gone to the identity provider.
pub const PENDING: Cookie = Cookie("caller_id_pending");

/// How the browser came. By TLS, cookies have the prefix `__Host-`: then no other host, and nobody on an open line, can have
/// set them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// By TLS.
    Encrypted,
    /// By plain HTTP.
    Open,
}

/// A cookie, by its name.
#[derive(Debug, Clone, Copy)]
pub struct Cookie(&'static str);

impl Cookie {
    fn name(self, line: Line) -> String {
        match line {
            Line::Encrypted => format!("__Host-{}", self.0),
            Line::Open => self.0.to_owned(),
        }
    }

    /// Its value, where the browser gave one alone: of two nobody can tell which is ours.
    pub fn read(self, headers: &HeaderMap, line: Line) -> Option<&str> {
        let name = self.name(line);
        let lines = headers.get_all(COOKIE).iter();
        let pairs = lines.filter_map(|value| value.to_str().ok());
        let mut values = pairs.flat_map(|line| line.split(';')).filter_map(|pair| {
            let (known, value) = pair.trim().split_once('=')?;
            (known == name).then_some(value)
        });
        let first = values.next();
        first.filter(|_| values.next().is_none())
    }

    /// Has the browser keep `value` for so many seconds. No script sees it; other sites' pages send it only when somebody
    /// follows a link of theirs.
    pub fn set(self, headers: &mut HeaderMap, line: Line, value: &str, seconds: i64) {
        let secure = match line {
            Line::Encrypted => "; Secure",
            Line::Open => "",
        };
        let name = self.name(line);
        let text =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        let text = HeaderValue::try_from(text).expect("values are letters, digits, - _ and .");
        headers.append(SET_COOKIE, text);
    }

    /// Has the browser forget it.
    pub fn forget(self, headers: &mut HeaderMap, line: Line) {
        self.set(headers, line, "", 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn a_cookie_is_read_by_the_name_it_has_on_that_line() {
        let headers = given(&[
            "a=b; caller_id_session=open",
            "__Host-caller_id_session=tls; c",
        ]);
        assert_eq!(SESSION.read(&headers, Line::Open), Some("open"));
        assert_eq!(SESSION.read(&headers, Line::Encrypted), Some("tls"));
        assert_eq!(FORM.read(&headers, Line::Open), None);
    }

    #[test]
    fn of_two_with_one_name_none_counts() {
        let headers = given(&["caller_id_session=a; caller_id_session=b"]);
        assert_eq!(SESSION.read(&headers, Line::Open), None);
    }

    #[test]
    fn by_tls_a_cookie_is_secure_and_of_this_host_alone() {
        let mut headers = HeaderMap::new();
        SESSION.set(&mut headers, Line::Encrypted, "x", 60);
        SESSION.forget(&mut headers, Line::Open);
        let set: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(
            set[0],
            "__Host-caller_id_session=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            set[1],
            "caller_id_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }
}
