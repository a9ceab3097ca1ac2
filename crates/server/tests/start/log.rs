//! The first lines.

use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::{Reach, RedisSetup};
use serde_json::Value;

use crate::run::Running;

const LISTENS: &str = "listens on http://";

/// A node of a cluster with a password in each address, started twice.
fn said_at_a_start(format: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let setup = RedisSetup {
        reach: Reach::Tcp,
        password: Some("horse-7".to_owned()),
        database: 3,
        ..RedisSetup::default()
    };
    let redis = setup.start();
    let server = Postgres::start();
    let name = server.database();
    let database = server
        .url(&name)
        .replace("postgres://", "postgresql+asyncpg://");
    let database = match database.split_once('@') {
        Some((user, rest)) => format!("{user}:horse-7@{rest}"),
        None => database,
    };
    let variables = [
        ("REDIS_URL", &*redis.url()),
        ("DATABASE_URL", &database),
        ("REDIS_TENANT", "east"),
        ("LOG_FORMAT", format),
    ];
    let mut said = Vec::new();
    for _ in 0..2 {
        let mut service = Running::start(folder.path(), &variables);
        service.until(&[LISTENS]);
        let (code, lines) = service.stop();
        assert_eq!(code, Some(0), "{lines:?}");
        said.extend(lines);
        // The second start makes all tables but one: PostgreSQL has something to say.
        let older = "DROP SCHEMA caller_id CASCADE; CREATE SCHEMA caller_id; CREATE TABLE caller_id.migrations
            (version INTEGER PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())";
        server.psql(&name, older);
        redis.ask::<()>(&["FLUSHALL"]).unwrap();
    }
    let all = said.join("\n");
    assert!(!all.contains("horse-7"), "{all}");
    assert!(!all.contains("skipping"), "{all}");
    let redis = format!("127.0.0.1:{}, database 3, tenant `east`", redis.port());
    assert!(all.contains(&redis), "{all}");
    assert!(all.contains(&format!(":5432/{name}")), "{all}");
    said
}

#[test]
fn the_banner_names_redis_and_the_database_without_their_passwords() {
    let said = said_at_a_start("text").join("\n");
    assert!(said.contains("\nDatabase: PostgreSQL "), "{said}");
    assert!(said.contains("\nRedis: 127.0.0.1:"), "{said}");
}

#[test]
fn each_line_is_an_object_where_the_log_is_to_be_json() {
    for line in said_at_a_start("json") {
        let read: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        for name in ["timestamp", "level", "message"] {
            assert!(read[name].is_string(), "{line}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, wrong, expected) in [
        ("DATABASE_URL", "postgres://me@localhost/x?host=/nowhere", 1),
        ("DATABASE_URL", "mysql://me@localhost/x", 2),
    ] {
        let variables = [(name, wrong), ("LOG_FORMAT", "json")];
        let (code, lines) = Running::start(folder.path(), &variables).end();
        assert_eq!(code, Some(expected), "{lines:?}");
        let last: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        assert_eq!(last["level"], "ERROR", "{last}");
    }
}
