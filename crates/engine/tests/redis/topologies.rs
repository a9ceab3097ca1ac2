//! The suite on a cluster, through sentinels, and over TLS with password and database; and servers that change there.

use caller_id_core::Outcome;
use caller_id_engine::redis::{Settings, Time};
use caller_id_testkit::redis::{
    Keep, Reach, RedisCluster, RedisSentinels, RedisServer, RedisSetup,
};

use crate::rig::{
    Tenants, ask, clock, far, impatient, patient, rebuild_until_answered, stock, time,
};

fn on_a_cluster() -> Tenants<RedisCluster> {
    let cluster = RedisCluster::start();
    let settings = patient(&cluster.url());
    Tenants::of(cluster, settings)
}

caller_id_testkit::allocator_suite!(in_one_test the_suite_holds_on_a_cluster, on_a_cluster());

fn through_sentinels() -> Tenants<RedisSentinels> {
    let sentinels = RedisSentinels::start();
    let settings = patient(&sentinels.url());
    Tenants::of(sentinels, settings)
}

caller_id_testkit::allocator_suite!(in_one_test the_suite_holds_through_sentinels, through_sentinels());

fn over_tls() -> Tenants<RedisServer> {
    let server = RedisSetup {
        reach: Reach::Tls,
        password: Some("se/cr@t".to_owned()),
        database: 3,
        keep: Keep::EverySecond,
        ..RedisSetup::default()
    }
    .start();
    let settings = Settings {
        tls_ca: server.authority(),
        ..patient(&server.url())
    };
    Tenants::of(server, settings)
}

caller_id_testkit::allocator_suite!(in_one_test the_suite_holds_over_tls_with_password_and_database, over_tls());

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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_sentinels_make_another_the_master_the_engine_goes_on_there() {
    let mut sentinels = RedisSentinels::start();
    let engine = impatient(&sentinels.url(), Time::Server);
    stock(&engine, 2).await;
    let first = rebuild_until_answered(&engine).await;
    assert!(matches!(first, Outcome::Allocated(_)), "{first:?}");
    replicated(&mut sentinels);
    sentinels.first_master().pause();
    // Meanwhile nobody answers, and nobody waits for ever.
    let away = ask(&engine, &far()).await;
    assert!(away.is_err(), "{away:?}");
    sentinels.wait_for_failover();
    let second = rebuild_until_answered(&engine).await;
    assert!(matches!(second, Outcome::Allocated(_)), "{second:?}");
    // The one of before comes back, and still thinks it is the master: nobody asks it.
    sentinels.first_master().resume();
    let none = rebuild_until_answered(&engine).await;
    assert!(matches!(none, Outcome::Exhausted(_)), "{none:?}");
}

/// Waits until the replica has all that the master has.
fn replicated(sentinels: &mut RedisSentinels) {
    let got: i64 = sentinels
        .first_master()
        .ask(&["WAIT", "1", "20000"])
        .expect("the master answers");
    assert_eq!(got, 1, "the replica has it all");
}
