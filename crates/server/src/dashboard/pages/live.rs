//! Keeps the first page up to date, by server-sent events.
//!
//! Whoever looks is asked for anew every two seconds, by the API itself, so that nobody looks on who may not any more. What the
//! API says is gathered at most once in two seconds, and the page is made of it once for all who look with the same role. When
//! nobody looks nothing is done.

mod followers;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use minijinja::context;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use self::followers::Place;
use super::overview::OVERVIEW;
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::render::Templates;
use crate::dashboard::visit::Visit;
use crate::meters::live_pages::LivePage;

pub(in crate::dashboard) use self::followers::Followers;

/// So often the page is made new.
const EVERY: Duration = Duration::from_secs(2);
/// The parts of the page, each an event of its own.
const PARTS: [&str; 7] = [
    "tiles",
    "attention",
    "pulse",
    "rungs",
    "pools",
    "campaigns",
    "requests",
];

/// An event that says nothing but that somebody is there.
const BEAT: Bytes = Bytes::from_static(b"event: beat\ndata: 1\n\n");
/// The last event of a page that is one too many: browsers come again by themselves, unless they are told not to.
const FULL: Bytes = Bytes::from_static(b"event: full\ndata: 1\n\n");

/// The event of each part, as it is sent.
type Parts = [Bytes; PARTS.len()];

/// The page as it was made last, for each role: there are four.
#[derive(Debug, Default)]
pub(in crate::dashboard) struct Made(Mutex<BTreeMap<String, (Bytes, Arc<Parts>)>>);

impl Made {
    /// The parts of the page for a role, made of what the API said unless it says what it said before. Of a part that is as it
    /// was the event is the same one, not only an equal one.
    ///
    /// # Errors
    /// A template that does not fit: a fault of ours.
    async fn of(
        &self,
        said: Bytes,
        role: &str,
        templates: &Templates,
    ) -> Result<Arc<Parts>, Failure> {
        // Kept while the page is made, for the others wait for the same.
        let mut made = self.0.lock().await;
        let before = made.get(role);
        if let Some((_, parts)) = before.filter(|(of, _)| *of == said) {
            return Ok(parts.clone());
        }
        let overview: Value = serde_json::from_slice(&said).unwrap_or_default();
        let shown = context! { overview, me => json!({ "role": role }) };
        let before = before.map(|(_, parts)| parts.clone());
        let mut parts = Parts::default();
        for (place, part) in PARTS.iter().enumerate() {
            let name = format!("overview/{part}.html");
            let made = event(part, &templates.fragment(&name, shown.clone())?);
            let same = before.as_ref().map(|parts| parts[place].clone());
            parts[place] = same.filter(|same| *same == made).unwrap_or(made);
        }
        let parts = Arc::new(parts);
        made.insert(role.to_owned(), (said, parts.clone()));
        Ok(parts)
    }
}

/// A text as an event: each of its lines is one of data.
fn event(name: &str, text: &str) -> Bytes {
    let mut event = format!("event: {name}\n");
    for line in text.lines() {
        event.push_str("data: ");
        event.push_str(line);
        event.push('\n');
    }
    event.push('\n');
    event.into()
}

/// Whether it is the same event, not only an equal one.
fn is_same(one: &Bytes, other: &Bytes) -> bool {
    one.as_ptr() == other.as_ptr()
}

/// One page that is kept up to date.
struct Follower {
    dashboard: Arc<Dashboard>,
    visit: Visit,
    /// What was sent of each part.
    sent: Parts,
    ticks: tokio::time::Interval,
    _place: Place,
    /// Counted until it is gone.
    _counted: LivePage,
}

pub(super) async fn follow(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Response {
    let Some(place) = dashboard.followers.place(&visit.me) else {
        return events(Body::from(FULL));
    };
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let follower = Follower {
        dashboard,
        visit,
        sent: Parts::default(),
        ticks,
        _place: place,
        _counted: LivePage::count(),
    };
    let told = stream::unfold(follower, |mut follower| async {
        let told = follower.next().await?;
        Some((Ok::<_, Infallible>(told), follower))
    });
    events(Body::from_stream(told))
}

fn events(body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, body).into_response()
}

impl Follower {
    /// What is not as it was, in one piece, so that the event loop of calls is woken once; none once nobody may look any more, or
    /// the service stops.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let stop = self.dashboard.stop.clone();
            stop.run_until_cancelled(self.ticks.tick()).await?;
            match self.look().await {
                Ok(told) => return Some(told),
                Err(failure) if failure.status.is_client_error() => return None,
                // What broke is in the log, and may be mended.
                Err(_) => {}
            }
        }
    }

    async fn look(&mut self) -> Result<Bytes, Failure> {
        let Dashboard {
            api,
            made,
            templates,
            ..
        } = &*self.dashboard;
        let said = api.get_bytes(&self.visit, OVERVIEW).await?;
        let role = self.visit.me["role"].as_str().unwrap_or_default();
        let parts = made.of(said, role, templates).await?;
        // Whoever hears nothing for long knows that the page is old.
        let mut told = BEAT.to_vec();
        for (event, sent) in parts.iter().zip(&mut self.sent) {
            if !is_same(event, sent) {
                told.extend_from_slice(event);
                *sent = event.clone();
            }
        }
        Ok(told.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reserved: u32) -> Bytes {
        let pulse: Vec<u32> = vec![1; 360];
        let overview = json!({
            "pulse": {"begins": "2026-11-22T12:00:00Z", "step_s": 10, "allocated": pulse, "repeated": pulse,
                "exhausted": pulse, "agent_limited": pulse, "unavailable": pulse, "refused": pulse},
            "rungs": {"sticky": 0, "area_code": 1, "overlay": 0, "region": 0, "any": 0},
            "reservations": {"active": reserved}, "pools": [], "campaigns": [], "requests": [],
        });
        Bytes::from(overview.to_string())
    }

    #[tokio::test]
    async fn a_page_is_made_once_for_all_who_look_with_the_same_role() {
        let (made, templates) = (Made::default(), Templates::new());
        let one = made.of(said(1), "viewer", &templates).await.expect("parts");
        let other = made.of(said(1), "viewer", &templates).await.expect("parts");
        assert!(Arc::ptr_eq(&one, &other));
        let admin = made.of(said(1), "admin", &templates).await.expect("parts");
        assert!(!Arc::ptr_eq(&one, &admin));
    }

    #[tokio::test]
    async fn only_parts_that_changed_are_new() {
        let (made, templates) = (Made::default(), Templates::new());
        let before = made.of(said(1), "viewer", &templates).await.expect("parts");
        let after = made.of(said(2), "viewer", &templates).await.expect("parts");
        let changed = PARTS.iter().zip(before.iter().zip(after.iter()));
        let changed = changed.filter(|(_, (before, after))| !is_same(before, after));
        let changed: Vec<&str> = changed.map(|(part, _)| *part).collect();
        assert_eq!(changed, ["tiles"]);
    }

    #[tokio::test]
    async fn pools_that_are_still_being_counted_are_not_told_as_none() {
        let mut overview: Value = serde_json::from_slice(&said(0)).expect("an overview");
        let made = Made::default();
        let templates = Templates::new();
        let page = async |overview: &Value| {
            let said = Bytes::from(overview.to_string());
            let parts = made.of(said, "viewer", &templates).await.expect("parts");
            String::from_utf8(parts.concat()).expect("text")
        };
        overview["missing"] = json!(["pools", "campaigns"]);
        let counting = page(&overview).await;
        for words in [
            "Not known just now: pools, campaigns.",
            "all numbers are counted first",
            "being counted",
        ] {
            assert!(counting.contains(words), "{words}: {counting}");
        }
        let none = ["of 0 numbers", "No pools yet", "No calls in the last hour"];
        assert!(
            !none.iter().any(|words| counting.contains(words)),
            "{counting}"
        );
        overview["missing"] = json!([]);
        let empty = page(&overview).await;
        assert!(none.iter().all(|words| empty.contains(words)), "{empty}");
    }

    #[test]
    fn every_line_of_a_part_is_one_of_its_event() {
        let told = event("tiles", "<p>\n  one\n</p>\n");
        assert_eq!(told, "event: tiles\ndata: <p>\ndata:   one\ndata: </p>\n\n");
        assert_eq!(event("pools", ""), "event: pools\n\n");
    }
}
