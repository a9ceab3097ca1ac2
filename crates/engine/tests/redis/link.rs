//! The way to Redis: lost, made again, refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use caller_id_core::{AllocatorError, Outcome};
use caller_id_engine::RedisAllocator;
use caller_id_engine::redis::{Settings, Time};
use caller_id_testkit::redis::{Keep, Reach, RedisServer, RedisSetup};

use crate::rig::{
    NEVER, ask, ask_until_answered, ask_while, clock, far, impatient, rebuild_until_answered,
    stock, time,
};

/// Why a request is not answered by what is at this address.
async fn reason(settings: &Settings) -> String {
    let engine = match RedisAllocator::new(settings, Time::Server) {
        Ok(engine) => engine,
        Err(error) => return error.to_string(),
    };
    // The first attempt may still be under way.
    for _ in 0..20 {
        match ask(&engine, &far()).await {
            Err(AllocatorError::Unavailable(why)) => {
                let why = why.to_string();
                if !why.contains("has not been reached yet") {
                    return why;
                }
            }
            other => panic!("it cannot be answered: {other:?}"),
        }
    }
    panic!("no attempt comes to an end");
}

fn two_servers() -> [RedisServer; 2] {
    [(), ()].map(|()| {
        let setup = RedisSetup {
            reach: Reach::Tcp,
            ..RedisSetup::default()
        };
        setup.start()
    })
}

async fn reason_at(url: &str) -> String {
    reason(&Settings::at(url)).await
}

#[tokio::test]
async fn a_wrong_password_is_named_as_the_reason_and_never_shown() {
    let server = RedisSetup {
        reach: Reach::Tcp,
        password: Some("right".to_owned()),
        ..RedisSetup::default()
    }
    .start();
    let port = server.port();
    let why = reason_at(&format!("redis://:hush@127.0.0.1:{port}")).await;
    assert!(why.contains("uthentication"), "{why}");
    assert!(why.contains(&format!("127.0.0.1:{port}")), "{why}");
    assert!(!why.contains("hush"), "{why}");
    let why = reason_at(&format!("redis://127.0.0.1:{port}")).await;
    assert!(why.contains("Authentication required"), "{why}");
}

#[tokio::test]
async fn a_replica_is_refused_and_told_from_its_master() {
    let [master, replica] = two_servers();
    let port = master.port().to_string();
    let () = replica
        .ask(&["REPLICAOF", "127.0.0.1", &port])
        .expect("it follows");
    let why = reason_at(&replica.url()).await;
    assert!(why.contains("is a replica of 127.0.0.1:"), "{why}");
    let engine = impatient(&master.url(), Time::Server);
    stock(&engine, 1).await;
    let got = rebuild_until_answered(&engine).await;
    assert!(matches!(got, Outcome::Allocated(_)), "{got:?}");
    // And when they change places, it is the other one that is refused.
    let () = replica.ask(&["REPLICAOF", "NO", "ONE"]).expect("it leads");
    let port = replica.port().to_string();
    let () = master
        .ask(&["REPLICAOF", "127.0.0.1", &port])
        .expect("it follows");
    let refused = async {
        while !matches!(ask(&engine, &far()).await, Err(AllocatorError::Unavailable(why))
            if why.to_string().contains("is a replica of"))
        {}
    };
    let refused = tokio::time::timeout(NEVER, refused).await;
    refused.expect("it is noticed");
}

#[tokio::test]
async fn several_servers_that_are_no_cluster_are_refused_each_with_its_place() {
    let servers = two_servers();
    let [a, b] = servers.each_ref().map(RedisServer::port);
    let why = reason_at(&format!("redis://127.0.0.1:{a},127.0.0.1:{b}")).await;
    for port in [a, b] {
        let said = format!("several hosts are named, and 127.0.0.1:{port} is no node of a cluster");
        assert!(why.contains(&said), "{why}");
    }
    assert!(why.contains("name one host, or sentinels"), "{why}");
    // Also while the other one is away.
    let mut servers = servers;
    servers[0].kill();
    let why = reason_at(&format!("redis://127.0.0.1:{a},127.0.0.1:{b}")).await;
    assert!(why.contains("no node of a cluster"), "{why}");
    let engine = impatient(&servers[1].url(), Time::Server);
    stock(&engine, 1).await;
    let got = rebuild_until_answered(&engine).await;
    assert!(matches!(got, Outcome::Allocated(_)), "{got:?}");
}

#[tokio::test]
async fn nobody_at_the_address_is_said_so() {
    let mut server = RedisServer::start();
    server.kill();
    let why = reason_at(&server.url()).await;
    assert!(why.contains("cannot be reached"), "{why}");
    assert!(why.contains("redis.sock"), "{why}");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_once() {
    let why = reason_at("redis://:hush@one:port").await;
    assert!(why.contains("a port is no number"), "{why}");
    assert!(!why.contains("hush"), "{why}");
    let settings = Settings {
        tls_ca: Some("/nowhere/ca.pem".into()),
        ..Settings::at("rediss://one")
    };
    let why = reason(&settings).await;
    assert!(why.contains("/nowhere/ca.pem cannot be read"), "{why}");
}

#[tokio::test]
async fn a_server_that_nobody_known_vouches_for_is_refused() {
    let server = RedisSetup {
        reach: Reach::Tls,
        ..RedisSetup::default()
    }
    .start();
    let why = reason_at(&server.url()).await;
    assert!(why.contains("certificate"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_during_restarts_are_all_answered_and_nobody_gets_a_number_that_is_taken() {
    let mut server = RedisSetup {
        reach: Reach::Tcp,
        keep: Keep::Always,
        ..RedisSetup::default()
    }
    .start();
    let engine = impatient(&server.url(), Time::Server);
    stock(&engine, 3_000).await;
    let restarting = Arc::new(AtomicBool::new(true));
    let asking = (0..4).map(|_| tokio::spawn(ask_while(engine.clone(), restarting.clone())));
    let asking: Vec<_> = asking.collect();
    let server = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            server.restart_keeping();
        }
        server
    });
    let _server = server.await.expect("it restarts");
    restarting.store(false, Ordering::Relaxed);
    let mut numbers = Vec::new();
    for asked in asking {
        numbers.extend(asked.await.expect("all are answered"));
    }
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(all, numbers.len());
    rebuild_until_answered(&engine).await;
}

#[tokio::test]
async fn one_slow_answer_does_not_end_the_link() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = impatient(&server.url(), time(&clock));
    stock(&engine, 1).await;
    let before = connections_so_far(&server);
    // Steps wait, and what asks whether the server still lives does not.
    let () = server
        .ask(&["CLIENT", "PAUSE", "60000", "WRITE"])
        .expect("it pauses");
    let answer = ask(&engine, &far()).await;
    assert!(answer.is_err(), "{answer:?}");
    let () = server.ask(&["CLIENT", "UNPAUSE"]).expect("it goes on");
    ask_until_answered(&engine).await;
    // Only those of this test: to pause, to go on, to count.
    assert_eq!(connections_so_far(&server) - before, 3);
}

/// So many are connected to the server besides this question.
fn connected(server: &RedisServer) -> usize {
    let list: String = server.ask(&["CLIENT", "LIST"]).unwrap_or_default();
    list.lines().count().saturating_sub(1)
}

async fn until_connected(server: &RedisServer, count: usize) {
    let reached = async {
        while connected(server) != count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let reached = tokio::time::timeout(NEVER, reached).await;
    reached.expect("it comes to that many connections");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_connects_by_itself_and_ends_its_connection_when_it_is_dropped() {
    let mut server = RedisServer::start();
    let engine = impatient(&server.url(), Time::Server);
    // Nobody asks it anything.
    until_connected(&server, 1).await;
    server.restart();
    until_connected(&server, 1).await;
    drop(engine);
    until_connected(&server, 0).await;
}

#[tokio::test]
async fn a_database_that_a_cluster_has_not_is_named_as_the_reason() {
    let server = RedisSetup {
        reach: Reach::Tcp,
        more: ["--cluster-enabled", "yes"].map(str::to_owned).into(),
        database: 3,
        ..RedisSetup::default()
    }
    .start();
    let why = reason_at(&server.url()).await;
    assert!(why.contains("database"), "{why}");
    // And a cluster that is none yet says that too.
    let why = reason_at(server.url().trim_end_matches('3')).await;
    assert!(why.contains("state is `fail`"), "{why}");
}

fn connections_so_far(server: &RedisServer) -> u64 {
    let info: String = server.ask(&["INFO", "stats"]).expect("it answers");
    let mut lines = info.lines();
    let line = lines.find_map(|line| line.strip_prefix("total_connections_received:"));
    line.and_then(|count| count.trim().parse().ok())
        .expect("it counts connections")
}
