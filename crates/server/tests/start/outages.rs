//! What the log says while Redis or PostgreSQL is away.

use std::time::Duration;

use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::{Keep, Reach, RedisServer, RedisSetup};
use tempfile::TempDir;

use crate::files::{address, ask, send};
use crate::run::Running;

/// A service on that Redis, and its folder.
fn on(redis: &RedisServer) -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let service = Running::start(folder.path(), &[("REDIS_URL", &redis.url())]);
    (folder, service)
}

/// Lines about something that is wrong.
fn errors(said: &[String]) -> Vec<&String> {
    said.iter().filter(|line| line.contains("ERROR")).collect()
}

#[test]
fn redis_that_is_away_is_one_line_and_that_it_is_back_another_with_how_long() {
    let keeping = RedisSetup {
        keep: Keep::Always,
        ..RedisSetup::default()
    };
    let mut redis = keeping.start();
    let (_folder, mut service) = on(&redis);
    service.until(&["listens on http://"]);
    for _ in 0..2 {
        redis.kill();
        service.until(&[
            "ERROR",
            "redis cannot be used: calls are refused until it can",
        ]);
        redis.restart_keeping();
        let back = service.until(&["redis can be used again"]);
        assert!(
            back.contains("seconds=") && back.contains("failures="),
            "{back}"
        );
    }
    let (code, said) = service.stop();
    assert_eq!((code, errors(&said).len()), (Some(0), 2), "{said:#?}");
    let links = said.iter().filter(|line| line.contains("linked to"));
    assert_eq!(links.count(), 1, "{said:#?}");
}

/// Nobody asks: the connection breaks by itself.
#[test]
fn redis_that_goes_while_nobody_asks_is_named_with_where_it_was_and_what_to_look_at() {
    let over_tcp = RedisSetup {
        reach: Reach::Tcp,
        ..RedisSetup::default()
    };
    let mut redis = over_tcp.start();
    let (_folder, mut service) = on(&redis);
    service.until(&["numbers are handed out"]);
    redis.kill();
    let line = service.until(&["ERROR", "redis cannot be used"]);
    let place = format!("redis at 127.0.0.1:{}", redis.port());
    assert!(line.contains(&place), "{line}");
    assert_eq!(line.matches(" -> ").count(), 1, "{line}");
    service.stop();
}

#[test]
fn a_database_that_is_away_is_one_line_of_ours_and_that_it_is_back_another() {
    let folder = tempfile::tempdir().unwrap();
    let redis = RedisSetup::default().start();
    let server = Postgres::start();
    let url = server.url(&server.database());
    let variables = [("REDIS_URL", &*redis.url()), ("DATABASE_URL", &url)];
    let mut service = Running::start(folder.path(), &variables);
    service.until(&["listens on http://"]);
    server.down();
    service.until(&["ERROR", "the database cannot be used"]);
    server.up();
    service.until(&["the database can be used again", "seconds="]);
    let (code, said) = service.stop();
    // The store tells of its lock by itself.
    let ours = errors(&said);
    assert!(
        ours.iter().all(|line| line.contains(" PostgreSQL `")),
        "{said:#?}"
    );
    let ours = ours
        .iter()
        .filter(|line| !line.contains("the lock on the database"));
    assert_eq!((code, ours.count()), (Some(0), 1), "{said:#?}");
    // What the server says to each connection of ours tells nobody who it is.
    let of_server = said
        .iter()
        .find(|line| line.contains("terminating connection"));
    assert_eq!(of_server, None);
}

/// What health says as soon as it says that something is wrong: what was found within the last second is told first.
fn unwell(address: &str) -> String {
    let health = (0..100).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        Some(ask(address, "/health", "")).filter(|health| health.starts_with("HTTP/1.1 503 "))
    });
    health.expect("health says so")
}

/// What `maxmemory` refuses is refused to whoever writes: the watch and the rest only read, and notice nothing.
#[test]
fn what_was_seen_by_who_asked_once_is_told_to_be_over_though_nobody_asks_again() {
    let redis = RedisSetup::default().start();
    let (_folder, mut service) = on(&redis);
    let address = address(&mut service);
    let memory = |most: &str| {
        let set = ["CONFIG", "SET", "maxmemory", most];
        redis.ask::<()>(&set).unwrap();
    };
    for _ in 0..2 {
        memory("1");
        unwell(&address);
        service.until(&["ERROR", "redis cannot be used"]);
        memory("0");
        service.until(&["redis can be used again", "seconds="]);
    }
    let (code, said) = service.stop();
    assert_eq!((code, errors(&said).len()), (Some(0), 2), "{said:#?}");
}

/// As a full disk does: rows are refused, and a batch of nothing is not.
#[test]
fn a_database_that_refuses_rows_is_told_by_health_and_ready_and_metrics_until_it_takes_them() {
    const REFUSE: &str = "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no room for it' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER no_room BEFORE INSERT ON caller_id.allocations FOR EACH ROW EXECUTE FUNCTION no_room()";
    let folder = tempfile::tempdir().unwrap();
    let server = Postgres::start();
    let database = server.database();
    let url = server.url(&database);
    let mut service = Running::start(folder.path(), &[("DATABASE_URL", &url)]);
    let address = address(&mut service);
    for number in ["3125550100", "3125550101", "3125550102"] {
        let number = format!(r#"{{"number":"{number}"}}"#);
        let added = send(&address, "/api/v1/numbers", &number);
        assert!(added.starts_with("HTTP/1.1 201 "), "{added}");
    }
    let status = |path: &str| ask(&address, path, "")[9..12].to_owned();
    assert_eq!(
        (status("/next-cid?to=13125551212"), status("/ready")),
        ("200".into(), "200".into())
    );
    server.psql(&database, REFUSE);
    assert_eq!(status("/next-cid?to=13125551213"), "503");
    service.until(&[
        "ERROR",
        "nothing can be recorded",
        "no room for it",
        "times=1",
    ]);
    let health = unwell(&address);
    assert!(health.contains(r#""db":"error""#), "{health}");
    assert_eq!(status("/ready"), "503");
    assert!(ask(&address, "/metrics", "").contains("caller_id_store_up 0"));
    service.until(&["ERROR", "the database cannot be used", "no room for it"]);
    server.psql(&database, "DROP TRIGGER no_room ON caller_id.allocations");
    service.until(&["the database can be used again", "seconds="]);
    assert_eq!(
        (status("/health"), status("/ready")),
        ("200".into(), "200".into())
    );
    assert_eq!(status("/next-cid?to=13125551213"), "200");
    service.stop();
}
