//! One node at a time tells people of what is wrong with all.

use std::time::Duration;

use caller_id_core::alert_board::AlertBoard;
use caller_id_testkit::redis::RedisServer;

use crate::rig::{clock, engine, time};

const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn one_node_leads_and_the_next_one_knows_what_was_told() {
    let server = RedisServer::start();
    let clock = clock();
    let node = || engine(&server, "default", time(&clock));
    let (one, other) = (node(), node());
    let first = one.lead_alerts("a", None, LONG).await.expect("an answer");
    assert_eq!(first, Some(String::new()));
    let told = one.lead_alerts("a", Some("{\"x\": 1}"), LONG).await;
    assert_eq!(told.expect("an answer"), Some("{\"x\": 1}".to_owned()));
    // Whoever does not lead writes nothing.
    let refused = other.lead_alerts("b", Some("mine"), LONG).await;
    assert_eq!(refused.expect("an answer"), None);
    other.leave_alerts("b").await.expect("an answer");
    let still = one.lead_alerts("a", None, LONG).await.expect("an answer");
    assert_eq!(still, Some("{\"x\": 1}".to_owned()));
    one.leave_alerts("a").await.expect("an answer");
    let next = other.lead_alerts("b", None, LONG).await.expect("an answer");
    assert_eq!(next, Some("{\"x\": 1}".to_owned()));
    let late = one.lead_alerts("a", None, LONG).await.expect("an answer");
    assert_eq!(late, None);
    // Nothing to be told is something, too.
    let cleared = other.lead_alerts("b", Some(""), LONG).await;
    assert_eq!(cleared.expect("an answer"), Some(String::new()));
}

#[tokio::test]
async fn a_node_that_is_gone_leads_no_more() {
    let server = RedisServer::start();
    let node = engine(&server, "default", time(&clock()));
    let short = Duration::from_millis(1);
    let led = node.lead_alerts("a", Some("x"), short).await;
    assert_eq!(led.expect("an answer"), Some("x".to_owned()));
    for _ in 0..1_000 {
        let led = node.lead_alerts("b", None, LONG).await.expect("an answer");
        if let Some(told) = led {
            assert_eq!(told, "x");
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it leads for ever");
}
