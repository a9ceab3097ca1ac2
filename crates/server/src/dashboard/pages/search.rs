//! Searching long lists: what is looked for stands in the address of the page, and goes to the API as it is.

use axum::body::Body;
use axum::http::header::HeaderName;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use form_urlencoded::Serializer;
use http_body_util::{BodyExt, Limited};
use minijinja::{Value as Shown, context};
use serde_json::{Map, Value};

use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::visit::Visit;

/// What keeps the place of a page in its list.
const CURSOR: &str = "cursor";
/// Fields that hold an instant.
const INSTANTS: [&str; 2] = ["since", "until"];
/// No refusal of the API is longer, in bytes.
const REFUSAL_MOST: usize = 1 << 20;
/// Where htmx puts a page whose fields cannot be understood: over the form and the list.
const HX_RETARGET: HeaderName = HeaderName::from_static("hx-retarget");
const SEARCH: HeaderValue = HeaderValue::from_static("#search");

/// What somebody looks for in a list.
#[derive(Debug)]
pub(super) struct Search {
    fields: Vec<(&'static str, String)>,
    cursor: String,
}

/// A page of a list, or why there is none.
#[derive(Debug)]
pub(super) struct Found {
    search: Search,
    /// What the API answered; null where it did not understand a field.
    pub(super) list: Value,
    faults: Map<String, Value>,
}

impl Search {
    /// The fields with these names in the page's address, as far as something was filled in.
    pub(super) fn read(visit: &Visit, names: &[&'static str]) -> Self {
        let given = |name: &str| {
            let pairs = form_urlencoded::parse(visit.query().as_bytes());
            let last = pairs.filter(|(key, _)| key == name).last();
            last.map(|(_, text)| text.trim().to_owned())
        };
        let read = |name: &'static str| {
            let text = given(name).filter(|text| !text.is_empty())?;
            Some(match INSTANTS.contains(&name) {
                true => (name, instant(text)),
                false => (name, text),
            })
        };
        Self {
            fields: names.iter().filter_map(|name| read(name)).collect(),
            cursor: given(CURSOR).unwrap_or_default(),
        }
    }

    /// What was filled in under a name; empty where nothing was.
    pub(super) fn text(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(known, _)| *known == name);
        field.map_or("", |(_, text)| text)
    }

    /// What is looked for, without its page, as the query of an address; empty where everything is.
    pub(super) fn query(&self) -> String {
        Serializer::new(String::new())
            .extend_pairs(&self.fields)
            .finish()
    }

    /// All of what is looked for at `path`.
    pub(super) fn all_of(&self, path: &str) -> String {
        match self.query().as_str() {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// The page that is looked at, of the list at `path`.
    ///
    /// # Errors
    /// What the API says to that, unless whoever looks can mend it in a field.
    pub(super) async fn page_of(
        self,
        dashboard: &Dashboard,
        visit: &Visit,
        path: &str,
    ) -> Result<Found, Failure> {
        let asked = self.with_cursor(&self.cursor);
        match dashboard.api.get(visit, &format!("{path}?{asked}")).await {
            Ok(list) => Ok(Found {
                search: self,
                list,
                faults: Map::new(),
            }),
            Err(failure) if failure.status == StatusCode::UNPROCESSABLE_ENTITY => Ok(Found {
                search: self,
                list: Value::Null,
                faults: faults(&failure),
            }),
            Err(failure) => Err(failure),
        }
    }

    fn with_cursor(&self, cursor: &str) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(&self.fields);
        if !cursor.is_empty() {
            query.append_pair(CURSOR, cursor);
        }
        query.finish()
    }

    fn asked(&self) -> Shown {
        self.fields.iter().cloned().collect()
    }
}

impl Found {
    /// The page that shows it: `list`, `asked` (the fields), `faults` by field, `search` (the query without its page), `older`
    /// (the query of the next page) and `is_first`.
    ///
    /// # Errors
    /// A template that does not fit: a fault of ours.
    pub(super) fn page(
        self,
        dashboard: &Dashboard,
        visit: &Visit,
        template: &str,
        more: Shown,
    ) -> Result<Response, Failure> {
        let next = self.list["next"].as_str();
        let shown = context! {
            list => &self.list,
            asked => self.search.asked(),
            faults => &self.faults,
            search => self.search.query(),
            older => next.map(|next| self.search.with_cursor(next)),
            is_first => self.search.cursor.is_empty(),
            ..more
        };
        let mut page = dashboard.templates.page(visit, template, shown)?;
        if !self.faults.is_empty() {
            *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            page.headers_mut().insert(HX_RETARGET, SEARCH);
        }
        Ok(page)
    }
}

/// What the API said of each field, by its name.
pub(super) fn faults(failure: &Failure) -> Map<String, Value> {
    let mut by_field = Map::new();
    for fault in failure.problem["detail"].as_array().into_iter().flatten() {
        let place = fault["loc"].as_array();
        // Behind the name may stand which of several values it is.
        let name = place.and_then(|place| place.get(1)?.as_str());
        let name = name.unwrap_or_default();
        let said = fault["msg"].as_str().unwrap_or("cannot be understood");
        // The name stands beside it already.
        let said = said.strip_prefix(&format!("{name}: ")).unwrap_or(said);
        by_field.entry(name).or_insert_with(|| said.into());
    }
    if by_field.is_empty() {
        by_field.insert(String::new(), failure.text().into());
    }
    by_field
}

/// A file of the API, as it comes.
///
/// # Errors
/// What the API says where there is none.
pub(super) async fn download(
    dashboard: &Dashboard,
    visit: &Visit,
    path: &str,
) -> Result<Response, Failure> {
    let request = visit.request(Method::GET, path)?.body(Body::empty())?;
    let answer = dashboard.api.pass(request).await;
    if answer.status().is_success() {
        return Ok(answer);
    }
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, REFUSAL_MOST).collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let problem = serde_json::from_slice(&body).unwrap_or_default();
    Err(Failure::told(visit, parts.status, &parts.headers, problem))
}

/// Where the page's script did not say what a local time means everywhere, it is taken for UTC.
fn instant(text: String) -> String {
    let digits = |text: &str| {
        text.chars()
            .all(|letter| letter.is_ascii_digit() || "-T:".contains(letter))
    };
    match text.len() {
        16 if digits(&text) => format!("{text}:00Z"),
        19 if digits(&text) => format!("{text}Z"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_one_in_utc() {
        for (given, meant) in [
            ("2026-11-22T12:00", "2026-11-22T12:00:00Z"),
            ("2026-11-22T12:00:30", "2026-11-22T12:00:30Z"),
            ("2026-11-22T12:00:00.000Z", "2026-11-22T12:00:00.000Z"),
            ("2026-11-22", "2026-11-22"),
            ("nonsense, really", "nonsense, really"),
        ] {
            assert_eq!(instant(given.to_owned()), meant);
        }
    }
}
