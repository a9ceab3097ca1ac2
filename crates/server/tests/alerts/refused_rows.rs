//! A PostgreSQL that is there and takes no row: what people see, and what is told.

use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::RedisServer;
use serde_json::Value;

use crate::hook::{Post, SECRET};
use crate::node::{MINUTE_MS, Node};
use crate::service::{Place, what};

/// So often somebody looks before what should be seen never is.
const LOOKS: u32 = 600;

/// Whether the server takes no row, of sessions that are there too: as one does whose storage ran out.
fn set_read_only(server: &Postgres, on: bool) {
    let value = if on { "on" } else { "off" };
    let set = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
    server.psql("postgres", &set);
    server.psql("postgres", "SELECT pg_reload_conf()");
}

/// What needs attention about the store: its severity and its sentence.
async fn store_away(node: &Node) -> Option<(String, String)> {
    let overview: Value =
        serde_json::from_str(&node.see("/api/v1/overview").await).expect("an overview");
    let all = overview["attention"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut found = all.filter(|one| one["kind"] == "store_away");
    found
        .next()
        .map(|one| (text(&one["severity"]), text(&one["text"])))
}

/// Looks as people do and as the alerts do, until the store is away or is not.
async fn until_store_away(node: &Node, away: bool) -> Option<(String, String)> {
    for _ in 0..LOOKS {
        node.clock.advance_ms(10_000);
        node.look().await;
        let found = store_away(node).await;
        if found.is_some() == away {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("never: store away is {away}")
}

/// What was told of the store, once there is so much.
async fn told(place: &Place, count: usize) -> Vec<Post> {
    for _ in 0..LOOKS {
        let posts = place.hook.posts().into_iter();
        let of_store: Vec<Post> = posts.filter(|post| post.what().0 == "store_away").collect();
        if of_store.len() >= count {
            return of_store;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{count} posts of the store never came")
}

/// How a call is answered.
async fn call(node: &Node, of: &str) -> u16 {
    let path = format!("/next-cid?to=13127770000&campaign=C100&call={of}");
    node.ask("GET", &path, &Value::Null).await.0
}

/// `meanwhile`: how calls are answered while the store is away, and what is said of it.
async fn seen_told_and_over(settings: &[(&str, &str)], meanwhile: (u16, &str)) {
    let (place, server) = (Place::new().await, Postgres::start());
    let database = server.url(&server.database());
    let settings = [&[("DATABASE_URL", &*database)], settings].concat();
    let node = place.start(&settings).await;
    node.pool("east", 100, 3).await;
    let (status, sentence) = meanwhile;
    assert_eq!(store_away(&node).await, None);
    assert_eq!(call(&node, "before").await, 200);

    set_read_only(&server, true);
    let (severity, text) = until_store_away(&node, true).await.expect("it is away");
    assert_eq!((&*severity, &*text), ("serious", sentence));
    assert_eq!(call(&node, "meanwhile").await, status);
    node.pass(2 * MINUTE_MS).await;
    let posts = told(&place, 1).await;
    assert_eq!(posts[0].what(), what("store_away", "firing", &[""]));
    assert!(posts[0].is_signed_by(SECRET));
    assert_eq!(posts[0].json()["severity"], "serious");
    let text = posts[0].text();
    let to_do = "docs/runbook.md#the-database-takes-no-writes";
    assert!(text.contains(sentence) && text.contains(to_do), "{text}");

    set_read_only(&server, false);
    assert_eq!(until_store_away(&node, false).await, None);
    assert_eq!(call(&node, "after").await, 200);
    node.pass(10 * MINUTE_MS).await;
    let posts = told(&place, 2).await;
    assert_eq!(posts[1].what(), what("store_away", "resolved", &[""]));
    assert_eq!(posts.len(), 2);
    assert_eq!(store_away(&node).await, None);
    node.app.close().await.expect("a clean end");
}

#[tokio::test]
async fn a_postgresql_that_takes_no_row_needs_attention_is_told_and_is_over() {
    let sentence = "The database takes no writes: no number is handed out.";
    seen_told_and_over(&[], (503, sentence)).await;
}

#[tokio::test]
async fn with_redis_numbers_are_handed_out_meanwhile_and_it_says_so() {
    let redis = RedisServer::start();
    let sentence =
        "The database takes no writes: numbers are handed out from Redis, and history waits there.";
    seen_told_and_over(&[("REDIS_URL", &*redis.url())], (200, sentence)).await;
}
