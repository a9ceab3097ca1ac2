//! The inventory, page by page.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use form_urlencoded::Serializer;
use minijinja::context;
use serde_json::Value;

use super::filter::Filter;
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::pages::search::download;
use crate::dashboard::visit::Visit;

/// How many a page has.
const ROWS: usize = 50;
/// So many pages back the way is known; from further on it leads to the first.
const TRAIL_MOST: usize = 20;
/// Stands for the first page, which has no cursor.
const FIRST: &str = "first";

/// A page of the list, as its address says.
#[derive(Debug, Default)]
struct Asked {
    filter: Filter,
    sort: String,
    cursor: String,
    /// The cursors of the pages before this one.
    trail: Vec<String>,
}

impl Asked {
    fn read(query: &str) -> Self {
        let value = |name| value(query, name);
        let trail = value("trail").unwrap_or_default();
        let trail = trail.split('.').filter(|cursor| !cursor.is_empty());
        Self {
            filter: Filter::of_query(query),
            sort: value("sort").unwrap_or_default(),
            cursor: value("cursor").unwrap_or_default(),
            trail: trail.map(str::to_owned).collect(),
        }
    }

    /// What the API is asked. Only the first page is counted.
    fn api(&self) -> String {
        let mut query = Serializer::new(self.filter.query());
        self.sorted(&mut query);
        query.append_pair("limit", &ROWS.to_string());
        match self.cursor.as_str() {
            "" => query.append_pair("count", "true"),
            cursor => query.append_pair("cursor", cursor),
        };
        format!("/api/v1/numbers?{}", query.finish())
    }

    fn sorted(&self, query: &mut Serializer<'_, String>) {
        if !self.sort.is_empty() {
            query.append_pair("sort", &self.sort);
        }
    }

    fn link(&self, cursor: &str, trail: &[String]) -> String {
        let mut query = Serializer::new(self.filter.query());
        self.sorted(&mut query);
        if cursor != FIRST {
            query.append_pair("cursor", cursor);
            query.append_pair("trail", &trail.join("."));
        }
        format!("/dashboard/numbers?{}", query.finish())
    }

    /// To the page before, if there is one.
    fn back(&self) -> Option<String> {
        let (last, before) = match self.trail.split_last() {
            Some((last, before)) => (last.as_str(), before),
            None if self.cursor.is_empty() => return None,
            None => (FIRST, &[][..]),
        };
        Some(self.link(last, before))
    }

    /// To the page that begins at `next`.
    fn onward(&self, next: &str) -> String {
        let here = match self.cursor.as_str() {
            "" => FIRST,
            cursor => cursor,
        };
        let mut trail = self.trail.clone();
        trail.push(here.to_owned());
        let spare = trail.len().saturating_sub(TRAIL_MOST);
        self.link(next, &trail[spare..])
    }
}

/// A parameter of the page.
fn value(query: &str, name: &str) -> Option<String> {
    let mut given = form_urlencoded::parse(query.as_bytes());
    let found = given.find(|(known, _)| known == name);
    found.map(|(_, value)| value.trim().to_owned())
}

pub(super) async fn show(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
) -> Result<Response, Failure> {
    let asked = Asked::read(visit.query());
    let path = asked.api();
    let found = dashboard.api.get(&visit, &path);
    let pools = dashboard.api.get(&visit, "/api/v1/pools");
    let (found, pools) = tokio::join!(found, pools);
    // A filter that means nothing is mended in its field.
    let (found, refused) = match found {
        Ok(found) => (found, None),
        Err(failure) if failure.status.as_u16() == 422 => (Value::Null, Some(failure)),
        Err(failure) => return Err(failure),
    };
    let shown = context! {
        list => &found,
        pools => pools?["pools"],
        filter => asked.filter.by_name(),
        filters => asked.filter.query(),
        sort => &asked.sort,
        back => asked.back(),
        first => asked.link(FIRST, &[]),
        next => found["next"].as_str().map(|next| asked.onward(next)),
        refused => refused.as_ref().map(Failure::text),
        faults => refused.as_ref().map(Failure::faults),
        done => value(visit.query(), "done"),
        changed => value(visit.query(), "changed").and_then(|many| many.parse::<u64>().ok()),
        now => dashboard.clock.now().to_string(),
    };
    let mut page = dashboard
        .templates
        .page(&visit, "numbers/list.html", shown)?;
    // htmx would show nothing of what is refused.
    if let Some(refused) = refused.filter(|_| !visit.wants_part()) {
        *page.status_mut() = refused.status;
    }
    Ok(page)
}

/// The API's file, as it is.
pub(super) async fn export(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
) -> Result<Response, Failure> {
    download(&dashboard, &visit, &file(visit.query())).await
}

/// Where the API has the numbers that a page shows, as a file.
fn file(query: &str) -> String {
    let mut asked = Serializer::new(Filter::of_query(query).query());
    let mut given = form_urlencoded::parse(query.as_bytes());
    if let Some((_, format)) = given.find(|(name, _)| name == "format") {
        asked.append_pair("format", &format);
    }
    format!("/api/v1/numbers/export?{}", asked.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_the_way_that_led_here() {
        let first = Asked::read("q=312&sort=-pool");
        assert_eq!(first.back(), None);
        let link = first.onward("b");
        assert_eq!(
            link,
            "/dashboard/numbers?q=312&sort=-pool&cursor=b&trail=first"
        );
        let second = Asked::read(link.split_once('?').map_or("", |(_, query)| query));
        assert_eq!(second.back(), Some(first.link(FIRST, &[])));
        let third = second.onward("c");
        assert!(third.ends_with("cursor=c&trail=first.b"), "{third}");
        let third = Asked::read(third.split_once('?').map_or("", |(_, query)| query));
        assert_eq!(third.back(), Some(link));
    }

    #[test]
    fn a_long_way_back_is_cut_off_and_leads_to_the_first_page() {
        let mut asked = Asked::default();
        for page in 0..3 * TRAIL_MOST {
            let link = asked.onward(&page.to_string());
            asked = Asked::read(link.split_once('?').map_or("", |(_, query)| query));
        }
        assert_eq!(asked.trail.len(), TRAIL_MOST);
        asked.trail.clear();
        assert_eq!(asked.back(), Some(asked.link(FIRST, &[])));
    }
}
