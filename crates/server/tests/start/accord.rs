//! Nodes with different settings of rotation.

use std::process::Command;

use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::RedisServer;

use crate::run::Running;

#[test]
fn a_node_that_starts_beside_one_with_other_settings_says_which_and_so_does_the_doctor() {
    let folder = tempfile::tempdir().unwrap();
    let redis_server = RedisServer::start();
    let redis = redis_server.url();
    let server = Postgres::start();
    let database = server.url(&server.database());
    let node = |more: &[(&'static str, &'static str)]| {
        let variables = [("REDIS_URL", redis.as_str()), ("DATABASE_URL", &database)];
        let variables = [&variables, more].concat();
        let mut running = Running::start(folder.path(), &variables);
        running.until(&["listens on http://"]);
        running
    };
    let first = node(&[("NODE_NAME", "a")]);
    let others = [("NODE_NAME", "b"), ("CALLER_ID_COOLDOWN_SECONDS", "7")];
    let mut second = node(&others);
    if !second
        .said
        .iter()
        .any(|line| line.contains("different settings"))
    {
        second.until(&["WARN", "different settings"]);
    }
    let told = "CALLER_ID_COOLDOWN_SECONDS is `7` on the node `b`, `30` on `a`";
    assert!(
        second.said.iter().any(|line| line.contains(told)),
        "{:#?}",
        second.said
    );
    let doctor = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
        command.env_clear().arg("doctor").env("NODE_NAME", name);
        command
            .env("REDIS_URL", &redis)
            .env("DATABASE_URL", &database);
        let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let line = said
            .lines()
            .find(|line| line.contains("cluster: settings: "));
        line.unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    let differ = doctor("c");
    assert!(differ.starts_with("warning "), "{differ}");
    assert!(
        differ.contains("is `30` on the node `c`, `7` on `b`"),
        "{differ}"
    );
    // Who stops is forgotten at once.
    assert_eq!(second.stop().0, Some(0));
    let same = doctor("c");
    assert!(
        same.starts_with("ok ") && same.contains("1 other node runs"),
        "{same}"
    );
    assert_eq!(first.stop().0, Some(0));
}
