//! Two nodes on one Redis and one PostgreSQL.

use std::sync::Arc;

use caller_id_core::ManualClock;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::RedisServer;
use serde_json::Value;
use tempfile::TempDir;

use crate::hook::{Hook, Reply, SECRET, until};
use crate::node::{MINUTE_MS, NOON, Node};

/// What the nodes have in common, and folders of their own.
struct Cluster {
    redis: RedisServer,
    postgres: Arc<Postgres>,
    database: String,
    hook: Hook,
    clock: Arc<ManualClock>,
    folders: [TempDir; 2],
}

impl Cluster {
    async fn start() -> Self {
        let postgres = Postgres::shared();
        Self {
            redis: RedisServer::start(),
            database: postgres.database(),
            postgres,
            hook: Hook::start().await,
            clock: Arc::new(ManualClock::at(NOON)),
            folders: [(); 2].map(|()| tempfile::tempdir().expect("a folder")),
        }
    }

    /// A node of that name, in one of the folders.
    async fn node(&self, folder: usize, name: &str) -> Node {
        let settings = [
            ("NODE_NAME", name),
            ("REDIS_URL", &self.redis.url()),
            ("DATABASE_URL", &self.postgres.url(&self.database)),
            ("ALERT_WEBHOOK_URL", &self.hook.url),
            ("ALERT_WEBHOOK_SECRET", SECRET),
        ];
        Node::start(self.folders[folder].path(), &self.clock, &settings).await
    }
}

#[tokio::test]
async fn what_nodes_share_is_told_once_and_what_is_one_nodes_own_by_that_node() {
    let mut cluster = Cluster::start().await;
    let first = cluster.node(0, "first").await;
    first.pool("east", 100, 2).await;
    let second = cluster.node(1, "second").await;
    first.calls(100, 2).await;
    let both = async |minutes: i64| {
        for _ in 0..minutes * 6 {
            cluster.clock.advance_ms(10_000);
            tokio::join!(first.look(), second.look());
        }
    };
    both(5).await;
    let posts = cluster.hook.until(1).await;
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].what().0, "pool_exhausted");
    let lead = posts[0].json()["node"].clone();

    // The other one leads when the first is gone, and knows what was told.
    let (gone, stays) = if lead == "first" {
        (first, second)
    } else {
        (second, first)
    };
    gone.app.close().await.expect("a clean end");
    stays.pass(10 * MINUTE_MS).await;
    assert_eq!(cluster.hook.posts().len(), 1);
    for call in 0..2 {
        let body = serde_json::json!({"call_id": format!("c100-{call}")});
        let (status, said) = stays.ask("POST", "/api/v1/release", &body).await;
        assert!(status < 300, "{said}");
    }
    stays.pass(10 * MINUTE_MS).await;
    let posts = cluster.hook.until(2).await;
    let last = posts[1].json();
    assert_eq!(
        (&last["kind"], &last["state"]),
        (&"pool_exhausted".into(), &"resolved".into())
    );
    assert_ne!(last["node"], lead);
    let incident = |at: usize| posts[at].json()["alerts"][0]["incident"].clone();
    assert_eq!(incident(0), incident(1));

    // Each node tells of itself that it does not reach Redis, however many there are.
    let third = cluster.node(0, "third").await;
    cluster.redis.kill();
    for _ in 0..12 {
        cluster.clock.advance_ms(10_000);
        tokio::join!(stays.look(), third.look());
    }
    let posts = cluster.hook.until(4).await;
    let mut told: Vec<(Value, Value)> = posts[2..]
        .iter()
        .map(|post| (post.json()["kind"].clone(), post.json()["node"].clone()))
        .collect();
    told.sort_by_key(|(_, node)| node.to_string());
    let mut nodes = [last["node"].clone(), "third".into()];
    nodes.sort_by_key(Value::to_string);
    assert_eq!(told, nodes.map(|node| ("engine_away".into(), node)));
    cluster.redis.restart();
    until("all is told", || cluster.hook.posts().len() == 4).await;
    // What is left is no matter of this test: Redis came back without anything.
    let _ = tokio::join!(stays.app.close(), third.app.close());
}

#[tokio::test]
async fn what_the_node_that_leads_did_not_deliver_is_posted_by_the_next_one() {
    let cluster = Cluster::start().await;
    let first = cluster.node(0, "first").await;
    first.pool("east", 100, 2).await;
    first.calls(100, 2).await;
    cluster.hook.will([Reply::Hang]);
    first.pass(2 * MINUTE_MS).await;
    cluster.hook.until(1).await;
    let second = cluster.node(1, "second").await;
    second.pass(MINUTE_MS).await;
    assert_eq!(
        cluster.hook.posts().len(),
        1,
        "it is the first one's to tell"
    );
    first.app.close().await.expect("a clean end");
    second.pass(MINUTE_MS).await;
    let posts = cluster.hook.until(2).await;
    assert_eq!(posts[0].body, posts[1].body);
    assert_eq!(posts[1].json()["node"], "first");
    // It was delivered: nobody takes it up again, whoever leads.
    let settled = "caller_id_alerts_total{outcome=\"delivered\"} 1";
    for _ in 0..600 {
        cluster.clock.advance_ms(2_000);
        if second.see("/metrics").await.contains(settled) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    second.app.close().await.expect("a clean end");
    let first = cluster.node(0, "first").await;
    first.pass(MINUTE_MS).await;
    first.app.close().await.expect("a clean end");
    assert_eq!(cluster.hook.posts().len(), 2);
}
