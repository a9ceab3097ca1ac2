//! Keeps the first page up to date, by server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use minijinja::context;

use super::overview::OVERVIEW;
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::visit::Visit;

/// So often the page is made new.
const EVERY: Duration = Duration::from_secs(2);
/// So many pages are kept up to date at once; more are shown once and stay so.
const FOLLOWERS_MOST: usize = 200;
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

static FOLLOWERS: AtomicUsize = AtomicUsize::new(0);

/// One page that is kept up to date.
struct Follower {
    dashboard: Arc<Dashboard>,
    visit: Visit,
    /// What was sent of each part.
    sent: [String; PARTS.len()],
    waiting: Vec<Event>,
    ticks: tokio::time::Interval,
}

impl Drop for Follower {
    fn drop(&mut self) {
        FOLLOWERS.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) async fn follow(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Response {
    if FOLLOWERS.fetch_add(1, Ordering::Relaxed) >= FOLLOWERS_MOST {
        FOLLOWERS.fetch_sub(1, Ordering::Relaxed);
        // Browsers come again by themselves after an error, but not after this.
        return StatusCode::NO_CONTENT.into_response();
    }
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let follower = Follower {
        dashboard,
        visit,
        sent: Default::default(),
        waiting: Vec::new(),
        ticks,
    };
    let events = stream::unfold(follower, |mut follower| async {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    Sse::new(events).into_response()
}

impl Follower {
    /// The next part that is not as it was; none once nobody may look any more, or the service stops.
    async fn next(&mut self) -> Option<Event> {
        while self.waiting.is_empty() {
            let stop = self.dashboard.stop.clone();
            stop.run_until_cancelled(self.ticks.tick()).await?;
            match self.look().await {
                Ok(()) => {}
                Err(failure) if failure.status.is_client_error() => return None,
                // What broke is in the log, and may be mended.
                Err(_) => {}
            }
        }
        self.waiting.pop()
    }

    async fn look(&mut self) -> Result<(), Failure> {
        let overview = self.dashboard.api.get(&self.visit, OVERVIEW).await?;
        let shown = context! { overview, me => &self.visit.me };
        for (part, sent) in PARTS.iter().zip(&mut self.sent) {
            let name = format!("overview/{part}.html");
            let text = self.dashboard.templates.fragment(&name, shown.clone())?;
            if text != *sent {
                self.waiting.push(Event::default().event(*part).data(&text));
                *sent = text;
            }
        }
        Ok(())
    }
}
