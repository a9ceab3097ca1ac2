//! A service that runs alone, and what it tells.

use std::sync::Arc;

use caller_id::alerts::Kind;
use caller_id_core::ManualClock;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::hook::{Hook, Reply, SECRET, until};
use crate::node::{MINUTE_MS, NOON, Node};

const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A folder, a clock and a receiver, for a service that is started more than once.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hook: Hook,
}

impl Place {
    pub(crate) async fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            clock: Arc::new(ManualClock::at(NOON)),
            hook: Hook::start().await,
        }
    }

    pub(crate) async fn start(&self, more: &[(&str, &str)]) -> Node {
        let mut settings = vec![
            ("ALERT_WEBHOOK_URL", &*self.hook.url),
            ("ALERT_WEBHOOK_SECRET", SECRET),
            ("NODE_NAME", "cid1"),
            ("PUBLIC_URL", "https://cid.example.com"),
        ];
        settings.extend_from_slice(more);
        Node::start(self.folder.path(), &self.clock, &settings).await
    }
}

pub(crate) fn what(kind: &str, state: &str, subjects: &[&str]) -> (String, String, Vec<String>) {
    let subjects = subjects.iter().map(|one| (*one).to_owned()).collect();
    (kind.to_owned(), state.to_owned(), subjects)
}

#[tokio::test]
async fn a_pool_that_empties_is_told_signed_with_what_to_do_and_when_it_is_over() {
    let place = Place::new().await;
    let node = place.start(&[]).await;
    node.pool("east", 100, 4).await;
    node.pass(2 * MINUTE_MS).await;
    let given = node.calls(100, 4).await;
    node.pass(2 * MINUTE_MS).await;
    let posts = place.hook.until(1).await;
    assert_eq!(posts.len(), 1);
    let post = &posts[0];
    assert!(post.is_signed_by(SECRET));
    assert_eq!(post.what(), what("pool_exhausted", "firing", &["east"]));
    let json = post.json();
    assert_eq!(json["severity"], "serious");
    assert_eq!(json["node"], "cid1");
    assert_eq!(json["test"], false);
    assert_eq!(json["link"], "https://cid.example.com/dashboard/pools/east");
    assert_eq!(json["content"], json["text"]);
    assert_eq!(
        Some(json["id"].as_str().expect("an id")),
        post.header("x-callerid-event")
    );
    let text = post.text();
    assert!(
        text.contains("No number of the pool east is free: of 4, 4 are in calls"),
        "{text}"
    );
    assert!(text.contains("docs/runbook.md#no-number-is-free"), "{text}");
    node.release(&given).await;
    node.pass(10 * MINUTE_MS).await;
    let posts = place.hook.until(2).await;
    assert_eq!(
        posts[1].what(),
        what("pool_exhausted", "resolved", &["east"])
    );
    let incident = |at: usize| posts[at].json()["alerts"][0]["incident"].clone();
    assert_eq!(incident(0), incident(1));
    let text = posts[1].text();
    assert!(
        text.contains("over: The pool east has free numbers again."),
        "{text}"
    );
    node.app.close().await.expect("a clean end");
    assert_eq!(place.hook.posts().len(), 2);
}

#[tokio::test]
async fn a_pool_without_an_active_number_is_told_while_a_campaign_needs_it() {
    let place = Place::new().await;
    let node = place.start(&[]).await;
    node.pool("east", 100, 1).await;
    node.pool("west", 200, 2).await;
    let measured = async |count: u32| {
        let line = format!("caller_id_pool_inactive{{pool=\"east\"}} {count}\n");
        // What is counted is some seconds old.
        node.pass(MINUTE_MS).await;
        let metrics = node.see("/metrics").await;
        assert!(metrics.contains(&line), "{metrics}");
        let other = "caller_id_pool_inactive{pool=\"west\"} 0\n";
        assert!(metrics.contains(other), "{metrics}");
    };
    measured(0).await;
    let path = "/api/v1/numbers/3125550100";
    let paused = json!({"status": "paused"});
    let (status, said) = node.ask("PATCH", path, &paused).await;
    assert!(status < 300, "{said}");
    measured(1).await;
    let posts = place.hook.until(1).await;
    assert_eq!(posts[0].what(), what("pool_exhausted", "firing", &["east"]));
    let text = posts[0].text();
    let told = "No number of the pool east is active (paused: 1), and the campaign C100 has no other pool with one.";
    assert!(text.contains(told), "{text}");
    let (status, said) = node
        .ask("PUT", "/api/v1/campaigns/C100", &json!({"pools": ["west"]}))
        .await;
    assert!(status < 300, "{said}");
    measured(0).await;
    node.pass(10 * MINUTE_MS).await;
    let posts = place.hook.until(2).await;
    let text = posts[1].text();
    let told = "over: The pool east has no active number any more, and is no campaign's only one.";
    assert!(text.contains(told), "{text}");
    node.app.close().await.expect("a clean end");
}

#[tokio::test]
async fn names_of_pools_are_text_whatever_they_are() {
    let place = Place::new().await;
    let node = place.start(&[]).await;
    let names = [
        "<!channel> & co",
        "@everyone",
        "www.evil.example",
        "`x` *y* [z](https://evil.example)",
    ];
    for (at, name) in names.iter().enumerate() {
        let first = at as u32 * 10;
        node.pool(name, first, 1).await;
        node.calls(first, 1).await;
    }
    node.pass(2 * MINUTE_MS).await;
    let posts = place.hook.until(1).await;
    assert_eq!(posts.len(), 1, "one message");
    let json = posts[0].json();
    let mut subjects = posts[0].what().2;
    subjects.sort();
    let mut expected = names.map(str::to_owned);
    expected.sort();
    assert_eq!(subjects, expected, "data is as it is");
    let texts = json["alerts"].as_array().expect("a list").iter();
    let texts = texts.map(|one| one["text"].as_str().expect("a text").to_owned());
    for text in texts.chain([posts[0].text()]) {
        for trick in [
            "<",
            ">",
            "@",
            "`",
            "*",
            "[",
            "www.",
            "evil.example",
            "://",
            "&",
        ] {
            assert!(!text.contains(trick), "{trick}: {text}");
        }
    }
    assert_eq!(json["allowed_mentions"], json!({"parse": []}));
    assert_eq!(json["mrkdwn"], false);
    node.app.close().await.expect("a clean end");
}

#[tokio::test]
async fn at_night_a_low_pool_waits_for_the_morning_of_the_zone() {
    let place = Place::new().await;
    // Noon in UTC is one in the afternoon in Vienna.
    let quiet = [
        ("ALERT_QUIET_HOURS", "12:30-13:30"),
        ("TIMEZONE", "Europe/Vienna"),
    ];
    let node = place.start(&quiet).await;
    node.pool("east", 100, 20).await;
    node.calls(100, 19).await;
    node.pool("west", 200, 1).await;
    node.calls(200, 1).await;
    node.pass(25 * MINUTE_MS).await;
    let posts = place.hook.until(1).await;
    let kinds: Vec<_> = posts.iter().map(|post| post.what().0).collect();
    assert_eq!(kinds, ["pool_exhausted"]);
    node.pass(10 * MINUTE_MS).await;
    let posts = place.hook.until(2).await;
    assert_eq!(posts[1].what(), what("pool_low", "firing", &["east"]));
    assert_eq!(posts[1].json()["severity"], "warning");
    node.app.close().await.expect("a clean end");
}

#[tokio::test]
async fn who_guesses_is_told_once_in_a_while_with_all_addresses() {
    let place = Place::new().await;
    let node = place.start(&[]).await;
    let guess = async |host: u8, times: u32| {
        for _ in 0..times {
            let from = [203, 0, 113, host].into();
            let wrong = ("wrong-wrong-wrong", from);
            let (status, _) = node
                .ask_with("GET", "/api/v1/numbers", &Value::Null, wrong)
                .await;
            assert!(status == 401 || status == 429, "{status}");
        }
    };
    guess(1, 9).await;
    node.look().await;
    for host in 1..=9 {
        guess(host, 12).await;
    }
    node.look().await;
    let posts = place.hook.until(1).await;
    assert_eq!(posts[0].what(), what("sign_in_attack", "firing", &[""]));
    let text = posts[0].text();
    assert!(
        text.contains("203.0.113.1 (people and programs)") && text.contains("and 4 more"),
        "{text}"
    );
    assert!(!text.contains("wrong-wrong"), "{text}");
    for minute in 0..50 {
        node.pass(MINUTE_MS).await;
        guess(100 + minute, 12).await;
    }
    assert_eq!(place.hook.posts().len(), 1);
    node.pass(15 * MINUTE_MS).await;
    let posts = place.hook.until(2).await;
    assert!(
        posts[1].text().contains("and 45 more"),
        "{}",
        posts[1].text()
    );
    // Nobody guesses any more: there is nothing to tell.
    node.pass(3 * HOUR_MS).await;
    node.app.close().await.expect("a clean end");
    assert_eq!(place.hook.posts().len(), 2);
}

#[tokio::test]
async fn an_alert_that_reaches_nobody_is_seen_and_secrets_never_are() {
    let place = Place::new().await;
    let node = place.start(&[]).await;
    place.hook.will([Reply::Status(403, String::new())]);
    node.pool("east", 100, 1).await;
    node.calls(100, 1).await;
    node.pass(2 * MINUTE_MS).await;
    place.hook.until(1).await;
    let metrics = node.see("/metrics").await;
    assert!(metrics.contains("caller_id_alerts_waiting "), "{metrics}");
    let mut seen = String::new();
    for _ in 0..200 {
        node.clock.advance_ms(2_000);
        seen = node.see("/metrics").await;
        if seen.contains("caller_id_alerts_total{outcome=\"refused\"} 1") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(
        seen.contains("caller_id_alerts_total{outcome=\"refused\"} 1"),
        "{seen}"
    );
    let overview = node.see("/api/v1/overview").await;
    assert!(
        overview.contains("alerts_failing") && overview.contains("it answers 403"),
        "{overview}"
    );
    let settings = node.see("/api/v1/settings").await;
    assert!(settings.contains("/(hidden)"), "{settings}");
    for page in [
        seen,
        overview,
        settings,
        node.see("/dashboard/settings").await,
    ] {
        assert!(!page.contains(SECRET) && !page.contains("sesame"), "{page}");
    }
    let kept = std::fs::read_to_string(place.folder.path().join("alerts.json")).expect("kept");
    assert!(!kept.contains(SECRET) && !kept.contains("sesame"), "{kept}");
    node.app.close().await.expect("a clean end");
}

#[tokio::test]
async fn without_a_receiver_nobody_looks() {
    let place = Place::new().await;
    let node = Node::start(place.folder.path(), &place.clock, &[]).await;
    assert!(node.app.alerts().is_none());
    node.app.close().await.expect("a clean end");
}

#[tokio::test]
async fn a_stop_is_not_held_up_and_what_waits_is_tried_once_more() {
    let place = Place::new().await;
    let node = place.start(&[]).await;
    place.hook.will([Reply::Status(500, String::new())]);
    node.pool("east", 100, 1).await;
    node.calls(100, 1).await;
    node.pass(2 * MINUTE_MS).await;
    place.hook.until(1).await;
    node.app.close().await.expect("a clean end");
    until("it was tried again", || place.hook.posts().len() == 2).await;
    let posts = place.hook.posts();
    assert_eq!(posts[0].body, posts[1].body);
}

#[test]
fn what_is_to_be_done_stands_where_alerts_say() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for kind in Kind::ALL {
        let (page, anchor) = kind.runbook().split_once('#').expect("a section");
        let page = std::fs::read_to_string(root.join(page)).expect("the page is there");
        let mut headings = page.lines().filter_map(|line| line.strip_prefix("## "));
        let is = |heading: &str| heading.to_lowercase().replace(' ', "-") == anchor;
        assert!(headings.any(is), "{}", kind.runbook());
    }
}
