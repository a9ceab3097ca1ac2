//! What the log says while Redis or PostgreSQL is away.

use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::{Keep, Reach, RedisSetup};

use crate::run::Running;

/// Lines about something that is wrong.
fn errors(said: &[String]) -> Vec<&String> {
    said.iter().filter(|line| line.contains("ERROR")).collect()
}

#[test]
fn redis_that_is_away_is_one_line_and_that_it_is_back_another_with_how_long() {
    let folder = tempfile::tempdir().unwrap();
    let setup = RedisSetup {
        keep: Keep::Always,
        ..RedisSetup::default()
    };
    let mut redis = setup.start();
    let mut service = Running::start(folder.path(), &[("REDIS_URL", &redis.url())]);
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
    let folder = tempfile::tempdir().unwrap();
    let setup = RedisSetup {
        reach: Reach::Tcp,
        ..RedisSetup::default()
    };
    let mut redis = setup.start();
    let mut service = Running::start(folder.path(), &[("REDIS_URL", &redis.url())]);
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
