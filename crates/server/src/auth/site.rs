//! Web pages of others. A browser in a dialer's network can be made to ask, by any page that somebody there opens: what opens for an
//! address alone must not open for them.

use axum::http::header::{HOST, ORIGIN, REFERER};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// Tells where a request in a browser began; programs send none.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a page of another host made the request, as far as the browser says; pages of the origins `allowed` are none of those.
pub(super) fn is_of_others(headers: &HeaderMap, allowed: &[HeaderValue]) -> bool {
    if let Some(origin) = headers.get(ORIGIN) {
        let is_allowed = allowed.iter().any(|one| one == origin || one == "*");
        return !is_allowed && !is_of_host(origin, headers);
    }
    if let Some(site) = headers.get(SITE) {
        return site != "same-origin" && site != "none";
    }
    let page = headers.get(REFERER);
    page.is_some_and(|page| !is_of_host(page, headers))
}

/// Whether the URL is one of the host that was asked.
fn is_of_host(url: &HeaderValue, headers: &HeaderMap) -> bool {
    let place = url.to_str().ok().and_then(|url| url.split_once("://"));
    let of_page = place.and_then(|(_, rest)| rest.split('/').next());
    let asked = headers.get(HOST).and_then(|host| host.to_str().ok());
    of_page
        .zip(asked)
        .is_some_and(|(page, asked)| page.eq_ignore_ascii_case(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_others(pairs: &[(&'static str, &'static str)]) -> bool {
        let header = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        let mut headers: HeaderMap = pairs.iter().map(header).collect();
        headers.insert(HOST, HeaderValue::from_static("cid.local:8000"));
        let allowed = [HeaderValue::from_static("https://crm.example")];
        is_of_others(&headers, &allowed)
    }

    #[test]
    fn programs_and_our_own_pages_are_let_in() {
        for headers in [
            &[][..],
            &[("user-agent", "Asterisk")],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://CID.local:8000")],
            &[("referer", "http://cid.local:8000/docs/")],
            &[
                ("origin", "https://crm.example"),
                ("sec-fetch-site", "cross-site"),
            ],
        ] {
            assert!(!is_others(headers), "{headers:?}");
        }
    }

    #[test]
    fn pages_of_others_are_told() {
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "null")],
            &[("origin", "http://cid.local:8000.evil.example")],
            &[("origin", "https://evil.example")],
            &[("referer", "https://evil.example/x?http://cid.local:8000/")],
            &[
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "same-origin"),
            ],
        ] {
            assert!(is_others(headers), "{headers:?}");
        }
    }
}
