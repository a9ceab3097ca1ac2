//! The suite on a cluster, through sentinels, and over TLS with password and database; and servers that change there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use caller_id_core::Outcome;
use caller_id_engine::redis::inspect::{Mode, Writes, inspect};
use caller_id_engine::redis::{Settings, Time};
use caller_id_testkit::redis::{
    Keep, Reach, RedisCluster, RedisSentinels, RedisServer, RedisSetup,
};

use crate::rig::{
    Tenants, ask_while, clock, impatient, patient, rebuild_until_answered, stock, time,
};

fn on_a_cluster() -> Tenants<RedisCluster> {
    let cluster = RedisCluster::start();
    let settings = patient(&cluster.url());
    Tenants::of(cluster, settings)
}

caller_id_testkit::allocator_suite!(in_one_test the_suite_holds_on_a_cluster, on_a_cluster());

fn through_sentinels() -> Tenants<RedisSentinels> {
    let sentinels = RedisSentinels::start(Reach::Tls);
    let settings = Settings {
        tls_ca: sentinels.authority(),
        ..patient(&sentinels.url())
    };
    Tenants::of(sentinels, settings)
}

caller_id_testkit::allocator_suite!(in_one_test the_suite_holds_through_sentinels_with_tls_and_passwords, through_sentinels());

fn over_tls() -> Tenants<RedisServer> {
    let server = RedisSetup {
        reach: Reach::Tls,
        password: Some("se/cr@t".to_owned()),
        database: 3,
        keep: Keep::EverySecond,
        ..RedisSetup::default()
    }
    .start();
    let rights = include_str!("../../../../docs/redis-keys.md").lines();
    let mut rights = rights.filter(|line| line.trim_start().starts_with("ACL SETUSER"));
    let rights = rights.next().expect("the rights are documented");
    let words: Vec<&str> = rights.split_whitespace().collect();
    let () = server.ask(&words).expect("the user is made");
    let url = format!("rediss://caller-id:password@localhost:{}/3", server.port());
    let settings = Settings {
        tls_ca: server.authority(),
        ..patient(&url)
    };
    Tenants::of(server, settings)
}

caller_id_testkit::allocator_suite!(in_one_test the_suite_holds_over_tls_in_another_database_for_a_user_with_no_more_rights_than_needed, over_tls());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_slot_moves_the_engine_goes_where_it_went() {
    let cluster = RedisCluster::start();
    let clock = clock();
    let engine = impatient(&cluster.url(), time(&clock));
    stock(&engine, 3).await;
    for moves in 0..3 {
        let Outcome::Allocated(_) = rebuild_until_answered(&engine).await else {
            panic!("after {moves} moves a number is free");
        };
        cluster.move_slot("default");
    }
    let none = rebuild_until_answered(&engine).await;
    assert!(matches!(none, Outcome::Exhausted(_)), "{none:?}");
    let found = inspect(&patient(&cluster.url())).await.expect("it answers");
    assert_eq!((found.mode, found.writes), (Mode::Cluster, Writes::Work));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_master_of_the_cluster_dies_the_engine_goes_on_with_its_replica() {
    let mut cluster = RedisCluster::start();
    cluster.add_replica("default");
    let engine = impatient(&cluster.url_of_all(), Time::Server);
    stock(&engine, 1).await;
    let first = rebuild_until_answered(&engine).await;
    assert!(matches!(first, Outcome::Allocated(_)), "{first:?}");
    cluster.kill_owner("default");
    // It was handed out: if the replica has not heard of it, the engine has.
    let none = rebuild_until_answered(&engine).await;
    assert!(matches!(none, Outcome::Exhausted(_)), "{none:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_sentinels_make_another_the_master_the_engine_goes_on_there() {
    let mut sentinels = RedisSentinels::start(Reach::Tcp);
    let engine = impatient(&sentinels.url(), Time::Server);
    stock(&engine, 3_000).await;
    // The numbers are there; what is handed out from now on may get lost, but for what the engine remembers.
    let followed: i64 = sentinels
        .first_master()
        .ask(&["WAIT", "1", "20000"])
        .expect("the master answers");
    assert_eq!(followed, 1, "the replica has it all");
    let goes_on = Arc::new(AtomicBool::new(true));
    let asking = (0..2).map(|_| tokio::spawn(ask_while(engine.clone(), goes_on.clone())));
    let asking: Vec<_> = asking.collect();
    let sentinels = tokio::task::spawn_blocking(move || {
        sentinels.first_master().pause();
        sentinels.wait_for_failover();
        sentinels
    });
    let mut sentinels = sentinels.await.expect("another leads");
    rebuild_until_answered(&engine).await;
    // The one of before comes back, and still thinks it is the master: nobody asks it.
    sentinels.first_master().resume();
    rebuild_until_answered(&engine).await;
    goes_on.store(false, Ordering::Relaxed);
    let mut numbers = Vec::new();
    for asked in asking {
        numbers.extend(asked.await.expect("all are answered"));
    }
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(all, numbers.len(), "no number is handed out twice");
    let found = inspect(&patient(&sentinels.url()))
        .await
        .expect("it answers");
    let leads = format!("127.0.0.1:{}", sentinels.first_replica().port());
    assert_eq!((found.mode, found.address), (Mode::Sentinel, leads));
}
