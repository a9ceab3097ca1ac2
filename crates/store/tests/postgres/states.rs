//! One state in Redis for one database: who agrees with the record, who takes its place, who is refused.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::StoreError;
use caller_id_core::shared::{Agreement, Seen, StateId, StateRecord};
use caller_id_store::{PostgresOptions, PostgresStore};

use super::Database;
use super::owner::{END_OWNERS, eventually, refused, shared, sole};

const A: Seen = Seen::Whole(StateId(0xa));
/// No advisory lock's key is negative or positive alone.
const B: Seen = Seen::Whole(StateId(u64::MAX - 1));
const C: Seen = Seen::Whole(StateId(0xc));
const EMPTY: Seen = Seen::Lost { of: None };
const HERE: &str = "redis at here:6379, database 0, tenant `default`";
const THERE: &str = "redis at there:6379, database 1, tenant `other`";

/// Waits for nobody: these tests say themselves who comes back.
fn at_once(node: &str) -> PostgresOptions {
    PostgresOptions {
        come_back: Duration::ZERO,
        ..shared(node)
    }
}

fn patient(options: PostgresOptions) -> PostgresOptions {
    PostgresOptions {
        come_back: Duration::from_secs(3_600),
        ..options
    }
}

async fn node(database: &Database, options: PostgresOptions) -> Arc<PostgresStore> {
    PostgresStore::open(&database.url(), options).await.unwrap()
}

async fn agree(node: &PostgresStore, seen: Seen) -> Agreement {
    node.agree(seen, HERE).await.unwrap()
}

/// What it comes to, after as long as it may take to follow.
async fn decided(node: &PostgresStore, seen: Seen) -> Agreement {
    loop {
        match node.agree(seen, THERE).await.unwrap() {
            Agreement::Waiting(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            other => return other,
        }
    }
}

async fn why(node: &PostgresStore, seen: Seen) -> String {
    match decided(node, seen).await {
        Agreement::Refused(why) => why,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn the_first_state_is_recorded_and_nodes_of_another_are_refused_and_told_why() {
    let database = Database::new();
    // In whichever order their sessions began: they are told by name.
    let ours = [
        node(&database, at_once("host-b")).await,
        node(&database, at_once("host-a")).await,
    ];
    for one in &ours {
        assert_eq!(agree(one, EMPTY).await, Agreement::Undecided);
    }
    for one in &ours {
        assert_eq!(agree(one, A).await, Agreement::Agreed);
    }
    let other = node(&database, at_once("host-c")).await;
    assert!(matches!(agree(&other, EMPTY).await, Agreement::Waiting(_)));
    assert!(matches!(agree(&other, B).await, Agreement::Waiting(_)));
    let why = why(&other, B).await;
    for part in [
        database.1.as_str(),
        "`host-a`, `host-b`: state 000000000000000a of redis at here:6379, database 0, tenant `default`",
        "written down by the node `host-b` at 20",
        "This node `host-c` has redis at there:6379, database 1, tenant `other`",
        "Look at REDIS_URL (its hosts and the number of the database) and REDIS_TENANT",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert!(!why.contains("secret"), "{why}");
    assert_eq!(agree(&ours[0], A).await, Agreement::Agreed);
}

#[tokio::test]
async fn nodes_follow_their_own_redis_when_it_was_rebuilt() {
    let database = Database::new();
    let one = node(&database, at_once("host-a")).await;
    for state in [A, B, C] {
        assert_eq!(agree(&one, EMPTY).await, Agreement::Undecided);
        assert_eq!(agree(&one, state).await, Agreement::Agreed);
    }
    let two = node(&database, at_once("host-b")).await;
    assert_eq!(agree(&two, C).await, Agreement::Agreed);
    // The other one sleeps: nobody sees the recorded state any more.
    assert_eq!(decided(&one, A).await, Agreement::Agreed);
    assert_eq!(agree(&two, A).await, Agreement::Agreed);
}

/// What it comes to while the other one sees the recorded state.
async fn decided_beside(
    other: &PostgresStore,
    recorded: Seen,
    node: &PostgresStore,
    seen: Seen,
) -> Agreement {
    loop {
        assert_eq!(agree(other, recorded).await, Agreement::Agreed);
        match agree(node, seen).await {
            Agreement::Waiting(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            other => return other,
        }
    }
}

#[tokio::test]
async fn of_two_halves_that_see_different_masters_one_goes_on_and_the_other_follows_after_the_cut()
{
    let database = Database::new();
    let one = node(&database, at_once("host-a")).await;
    let two = node(&database, at_once("host-b")).await;
    for node in [&one, &two] {
        assert_eq!(agree(node, A).await, Agreement::Agreed);
    }
    let said = decided_beside(&two, A, &one, B).await;
    assert!(matches!(said, Agreement::Refused(_)), "{said:?}");
    // After the cut both see the same again: no matter whose it is.
    assert_eq!(agree(&two, C).await, Agreement::Agreed);
    assert_eq!(agree(&one, C).await, Agreement::Agreed);
    // While one sleeps the other goes on, and it may be the one that dies: what is left then is made anew.
    assert_eq!(decided(&one, B).await, Agreement::Agreed);
    why(&two, C).await;
    drop(one);
    assert_eq!(eventually_decided(&two, C).await, Agreement::Stale);
    assert_eq!(agree(&two, EMPTY).await, Agreement::Undecided);
    assert_eq!(agree(&two, A).await, Agreement::Agreed);
}

/// The server notices the end of a connection in its own time.
async fn eventually_decided(node: &PostgresStore, seen: Seen) -> Agreement {
    loop {
        match decided(node, seen).await {
            Agreement::Refused(_) => tokio::task::yield_now().await,
            other => return other,
        }
    }
}

#[tokio::test]
async fn after_all_nodes_left_another_redis_is_taken_at_once_and_what_it_had_is_made_anew() {
    let database = Database::new();
    let nodes = [
        node(&database, shared("host-a")).await,
        node(&database, shared("host-b")).await,
    ];
    for node in &nodes {
        assert_eq!(agree(node, A).await, Agreement::Agreed);
    }
    for node in nodes {
        node.leave().await.unwrap();
        node.close();
    }
    let moved = node(&database, patient(shared("host-a"))).await;
    assert_eq!(agree(&moved, EMPTY).await, Agreement::Undecided);
    assert_eq!(agree(&moved, B).await, Agreement::Agreed);
    moved.leave().await.unwrap();
    drop(moved);
    // Back: what is there knows nothing of the time between.
    let back = node(&database, patient(shared("host-a"))).await;
    assert_eq!(agree(&back, A).await, Agreement::Stale);
    assert_eq!(agree(&back, EMPTY).await, Agreement::Undecided);
    assert_eq!(agree(&back, C).await, Agreement::Agreed);
}

#[tokio::test]
async fn the_last_of_several_nodes_alone_says_that_none_comes_back() {
    let database = Database::new();
    let one = node(&database, at_once("host-a")).await;
    let two = node(&database, at_once("host-b")).await;
    for node in [&one, &two] {
        assert_eq!(agree(node, A).await, Agreement::Agreed);
    }
    let left = || database.psql("SELECT state_left FROM caller_id.owner");
    one.leave().await.unwrap();
    assert_eq!(left(), "f");
    two.leave().await.unwrap();
    assert_eq!(left(), "t");
    assert_eq!(agree(&two, A).await, Agreement::Agreed);
    assert_eq!(left(), "f");
}

#[tokio::test]
async fn nodes_that_did_not_leave_in_order_may_come_back_unless_their_own_redis_is_what_is_rebuilt()
{
    let database = Database::new();
    let first = node(&database, shared("host-a")).await;
    assert_eq!(agree(&first, A).await, Agreement::Agreed);
    drop(first);
    let other = node(&database, patient(shared("host-b"))).await;
    let waits = loop {
        match other.agree(B, THERE).await.unwrap() {
            Agreement::Waiting(why) if why.contains("is in use by") => {
                tokio::task::yield_now().await;
            }
            Agreement::Waiting(why) => break why,
            other => panic!("{other:?}"),
        }
    };
    assert!(
        waits.contains("may come back") && waits.contains(HERE) && waits.contains("`host-a`"),
        "{waits}"
    );
    // A restart of everything: what Redis kept says that it is the recorded one.
    let again = node(&database, patient(shared("host-a"))).await;
    let was_ours = Seen::Lost {
        of: Some(StateId(0xa)),
    };
    assert_eq!(agree(&again, was_ours).await, Agreement::Undecided);
    assert_eq!(agree(&again, C).await, Agreement::Agreed);
    why(&other, B).await;
}

#[tokio::test]
async fn of_two_clusters_that_start_at_the_same_moment_one_wins() {
    let database = Database::new();
    let nodes = [
        node(&database, at_once("host-a")).await,
        node(&database, at_once("host-b")).await,
    ];
    let (one, two) = tokio::join!(decided(&nodes[0], A), decided(&nodes[1], B));
    let agreed = [&one, &two].map(|said| *said == Agreement::Agreed);
    assert_ne!(agreed[0], agreed[1], "{one:?} {two:?}");
}

#[tokio::test]
async fn a_lock_on_a_state_that_was_lost_with_its_session_is_taken_again() {
    let database = Database::new();
    let ours = node(&database, at_once("host-a")).await;
    assert_eq!(agree(&ours, B).await, Agreement::Agreed);
    let holder = "SELECT coalesce(max(pid), 0) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4294967294
        AND classid = 4294967295";
    let before = database.psql(holder);
    database.psql(END_OWNERS);
    while [before.as_str(), "0"].contains(&database.psql(holder).as_str()) {
        tokio::task::yield_now().await;
    }
    assert_eq!(agree(&ours, B).await, Agreement::Agreed);
}

#[tokio::test]
async fn a_node_that_is_alone_waits_for_nodes_of_a_cluster_that_lost_their_sessions_and_is_refused()
{
    let database = Database::new();
    let ours = node(&database, shared("host-a")).await;
    assert_eq!(agree(&ours, A).await, Agreement::Agreed);
    database.psql(END_OWNERS);
    // The other comes first: it waits until the sessions are there again.
    let said = refused(PostgresStore::open(&database.url(), patient(sole("host-b"))).await);
    assert!(
        said.contains("nodes whose engine is in Redis (`host-a`)"),
        "{said}"
    );
    assert_eq!(agree(&ours, A).await, Agreement::Agreed);
}

#[tokio::test]
async fn a_node_that_is_alone_takes_over_when_no_node_of_the_cluster_came_back_or_all_left() {
    let database = Database::new();
    let ours = node(&database, shared("host-a")).await;
    assert_eq!(agree(&ours, A).await, Agreement::Agreed);
    drop(ours);
    let alone = eventually(|| {
        let options = PostgresOptions {
            come_back: Duration::from_millis(700),
            ..sole("host-b")
        };
        let url = database.url();
        async move { PostgresStore::open(&url, options).await }
    });
    drop(alone.await);
    let ours = eventually(|| database.shared("host-a")).await;
    assert_eq!(agree(&ours, A).await, Agreement::Agreed);
    ours.leave().await.unwrap();
    drop(ours);
    eventually(|| {
        let (url, options) = (database.url(), patient(sole("host-b")));
        async move { PostgresStore::open(&url, options).await }
    })
    .await;
}

#[tokio::test]
async fn what_redis_has_is_not_believed_by_a_node_that_finds_that_one_worked_alone_meanwhile() {
    let database = Database::new();
    let ours = node(&database, at_once("host-a")).await;
    assert_eq!(agree(&ours, A).await, Agreement::Agreed);
    let end = format!("{END_OWNERS} AND mode = 'ShareLock'");
    let alone = eventually(|| {
        database.psql(&end);
        let options = PostgresOptions {
            come_back: Duration::ZERO,
            ..sole("host-b")
        };
        let url = database.url();
        async move { PostgresStore::open(&url, options).await }
    });
    let alone = alone.await;
    let said = ours.agree(A, HERE).await.unwrap_err();
    assert!(
        matches!(&said, StoreError::Owned(why) if why.contains("this one, whose engine is in Redis,")
            && why.contains("Stop that node") && !why.contains("Set REDIS_URL")),
        "{said}"
    );
    drop(alone);
    let why = loop {
        match ours.agree(A, HERE).await {
            Ok(Agreement::Refused(why)) => break why,
            Err(StoreError::Owned(_) | StoreError::Busy(_)) => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    };
    assert!(why.contains("was used without Redis meanwhile"), "{why}");
}
