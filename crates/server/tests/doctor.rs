//! `caller-id doctor` as its users see it, and what a service does with a Redis that it must not use.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};
use std::sync::Arc;

use caller_id::app::App;
use caller_id::cli::serve_settings;
use caller_id_core::SystemClock;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::{
    Keep, Reach, RedisCluster, RedisSentinels, RedisServer, RedisSetup,
};
use serde_json::Value;

#[path = "doctor/service.rs"]
mod service;

/// What it printed, and its exit code.
struct Told {
    code: i32,
    out: String,
    err: String,
}

impl Told {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The line that begins so.
    fn line(&self, start: &str) -> &str {
        let line = self.out.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("no line begins with `{start}`:\n{}{}", self.out, self.err))
    }

    fn has(&self, start: &str) -> bool {
        self.out.lines().any(|line| line.starts_with(start))
    }
}

fn run(words: &[&str], variables: &[(&str, &str)]) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().args(words);
    command.envs(variables.iter().copied());
    Told::of(command.output().unwrap())
}

fn doctor(variables: &[(&str, &str)]) -> Told {
    run(&["doctor"], variables)
}

/// A server that syncs, and a database on it.
fn postgres() -> (Postgres, String) {
    let server = Postgres::start_with(&["fsync=on"], &[]);
    let url = server.url(&server.database());
    (server, url)
}

fn redis(keep: Keep, more: &[&str]) -> RedisServer {
    let setup = RedisSetup {
        keep,
        more: more.iter().map(|&word| word.to_owned()).collect(),
        ..RedisSetup::default()
    };
    setup.start()
}

#[test]
fn a_good_setup_is_well_and_nothing_is_left_in_it() {
    let (server, database) = postgres();
    let redis = redis(Keep::EverySecond, &[]);
    let variables = [("REDIS_URL", &*redis.url()), ("DATABASE_URL", &*database)];
    let told = doctor(&variables);
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    assert!(!told.has("error"), "{}", told.out);
    for line in [
        "ok       node: name: ",
        "ok       postgresql: version: ",
        "ok       postgresql: tables: none yet",
        "ok       redis: version: ",
        "ok       redis: maxmemory-policy: noeviction",
        "ok       redis: append only file: written through everysec",
        "ok       redis: scripts: ",
        "ok       cluster: state: none",
        "ok       cluster: outbox: nothing waits",
    ] {
        told.line(line);
    }
    assert_eq!(redis.ask::<Vec<String>>(&["KEYS", "*"]), Ok(Vec::new()));
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'caller_id'";
    let name = database.split(['/', '?']).nth(3).unwrap();
    assert_eq!(server.psql(name, schemas).trim(), "0");
}

#[test]
fn programs_get_one_object() {
    let folder = tempfile::tempdir().unwrap();
    let told = run(
        &["doctor", "--json"],
        &[("DATA_DIR", folder.path().to_str().unwrap())],
    );
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    let report: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(report["errors"], 0);
    let findings = report["findings"].as_array().unwrap();
    let file = findings
        .iter()
        .find(|finding| finding["part"] == "sqlite" && finding["about"] == "file")
        .unwrap();
    assert_eq!(file["verdict"], "warning");
    assert!(file["fact"].as_str().unwrap().contains("is not there"));
}

#[test]
fn a_folder_without_settings_and_database_is_told_and_which_one_may_be_meant() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().current_dir(folder.path()).arg("doctor");
    let told = Told::of(command.output().unwrap());
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    let line = told.line("warning  sqlite: file: ");
    assert!(line.contains("cd /var/lib/caller-id"), "{line}");
    assert!(!told.out.contains("all is well"), "{}", told.out);
}

#[test]
fn a_policy_that_drops_keys_is_an_error_with_what_to_set() {
    let folder = tempfile::tempdir().unwrap();
    let redis = redis(Keep::Nothing, &["--maxmemory-policy", "allkeys-lru"]);
    let told = doctor(&[
        ("REDIS_URL", &redis.url()),
        ("DATA_DIR", folder.path().to_str().unwrap()),
    ]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    let line = told.line("error    redis: maxmemory-policy: allkeys-lru");
    assert!(
        line.contains("-> CONFIG SET maxmemory-policy noeviction"),
        "{line}"
    );
    told.line("warning  redis: append only file: none");
}

#[test]
fn redis_and_postgresql_that_are_away_are_errors_and_both_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().display();
    let told = doctor(&[
        ("REDIS_URL", &format!("unix://{nowhere}/redis.sock")),
        (
            "DATABASE_URL",
            &format!("postgres://me:horse-7@localhost/x?host={nowhere}"),
        ),
    ]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    told.line("error    redis: reached: ");
    told.line("error    postgresql: reached: ");
    assert!(
        told.out.ends_with("\n\n2 errors, 0 warnings\n"),
        "{}",
        told.out
    );
    assert!(!told.out.contains("horse-7"), "{}", told.out);
}

#[test]
fn a_wrong_password_is_an_error_that_does_not_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let setup = RedisSetup {
        reach: Reach::Tcp,
        password: Some("right".to_owned()),
        ..RedisSetup::default()
    };
    let server = setup.start();
    let url = format!("redis://:wrong-horse-7@127.0.0.1:{}/0", server.port());
    let told = doctor(&[
        ("REDIS_URL", &url),
        ("DATA_DIR", folder.path().to_str().unwrap()),
    ]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    told.line("error    redis: reached: ");
    assert!(!format!("{}{}", told.out, told.err).contains("horse-7"));
}

#[test]
fn a_user_of_redis_without_rights_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let server = redis(Keep::Nothing, &[]);
    let user = ["ACL", "SETUSER", "poor", "on", ">pw", "~other:*", "+@all"];
    server.ask::<()>(&user).unwrap();
    let url = server.url().replace("redis+unix", "unix") + "?user=poor&pass=pw";
    let told = doctor(&[
        ("REDIS_URL", &url),
        ("DATA_DIR", folder.path().to_str().unwrap()),
    ]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    told.line("error    redis: scripts: they may not write the tenant's keys");
}

#[test]
fn a_redis_whose_memory_is_used_up_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let redis = redis(Keep::Nothing, &[]);
    redis
        .ask::<()>(&["CONFIG", "SET", "maxmemory", "1"])
        .unwrap();
    let data = folder.path().to_str().unwrap();
    let told = doctor(&[("REDIS_URL", &redis.url()), ("DATA_DIR", data)]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    let line = told.line("error    redis: memory: ");
    assert!(line.contains("-> raise maxmemory"), "{line}");
}

/// It cannot put its snapshot where a folder is, and refuses even `PING` then.
#[test]
fn a_redis_that_cannot_write_to_its_disk_is_told_so_and_not_that_it_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let redis = redis(
        Keep::Nothing,
        &["--dbfilename", "taken", "--save", "3600", "1"],
    );
    let there: Vec<String> = redis.ask(&["CONFIG", "GET", "dir"]).unwrap();
    std::fs::create_dir_all(format!("{}/taken/by-others", there[1])).unwrap();
    redis.ask::<String>(&["BGSAVE"]).unwrap();
    let refused = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        redis.ask::<String>(&["PING"]).is_err()
    });
    assert!(refused, "it goes on");
    let data = folder.path().to_str().unwrap();
    let told = doctor(&[("REDIS_URL", &redis.url()), ("DATA_DIR", data)]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    told.line("ok       redis: version: ");
    let line = told.line("error    redis: writes to disk: ");
    assert!(line.contains("its disk is full"), "{line}");
    let line = told.line("error    redis: scripts: they may not write");
    assert!(line.contains("MISCONF"), "{line}");
    assert!(!told.out.contains("cannot be reached"), "{}", told.out);
}

#[test]
fn how_redis_was_found_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let cluster = RedisCluster::start();
    let told = doctor(&[("REDIS_URL", &cluster.url()), ("DATA_DIR", data)]);
    let line = told.line("ok       redis: version: ");
    assert!(line.ends_with(", of a cluster"), "{line}");
    let sentinels = RedisSentinels::start(Reach::Tcp);
    let told = doctor(&[("REDIS_URL", &sentinels.url()), ("DATA_DIR", data)]);
    let line = told.line("ok       redis: version: ");
    assert!(line.ends_with(", named by sentinels"), "{line}");
    let line = told.line("warning  redis: replicas: 1, min-replicas-to-write 0");
    assert!(line.contains("-> min-replicas-to-write 1"), "{line}");
}

#[test]
fn a_database_that_does_not_belong_to_the_redis_is_an_error() {
    let server = redis(Keep::Nothing, &[]);
    let key = "caller-id:{default}:inventory";
    server.ask::<()>(&["SET", key, "000000000000999:"]).unwrap();
    let (_server, database) = postgres();
    let opened = serve_settings(&[("DATABASE_URL", &database)]).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = opened;
        settings.storage.data_dir = Some(folder.path().to_owned());
        let app = App::open(&settings, Arc::new(SystemClock::new()));
        app.await.unwrap().close().await.unwrap();
    });
    let told = doctor(&[("REDIS_URL", &server.url()), ("DATABASE_URL", &database)]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    told.line("error    cluster: belongs together: no: Redis knows revision 999");
}

#[test]
fn a_database_whose_tables_are_gone_is_not_well_while_redis_has_its_state() {
    let redis = redis(Keep::Nothing, &[]);
    let (server, database) = postgres();
    let folder = tempfile::tempdir().unwrap();
    let (redis, data) = (redis.url(), folder.path().to_str().unwrap());
    let variables = [
        ("REDIS_URL", &*redis),
        ("DATABASE_URL", &*database),
        ("DATA_DIR", data),
    ];
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let settings = serve_settings(&variables).unwrap();
        let app = App::open(&settings, Arc::new(SystemClock::new()));
        app.await.unwrap().close().await.unwrap();
    });
    let told = doctor(&variables);
    told.line("ok       cluster: belongs together: ");
    let name = database.split(['/', '?']).nth(3).unwrap();
    server.psql(name, "DROP SCHEMA caller_id CASCADE");
    let told = doctor(&variables);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    let line = told.line("error    cluster: belongs together: no: Redis knows database ");
    assert!(line.contains("caller-id restore FILE"), "{line}");
}

#[test]
fn a_database_that_was_set_to_read_only_is_an_error_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (server, database) = postgres();
    let variables = [
        ("DATABASE_URL", &*database),
        ("DATA_DIR", folder.path().to_str().unwrap()),
    ];
    doctor(&variables).line("ok       postgresql: writable: yes");
    let name = database.split(['/', '?']).nth(3).unwrap();
    let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    server.psql("postgres", &set);
    let told = doctor(&variables);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    let line = told.line("error    postgresql: writable: no: ");
    assert!(
        line.contains("read-only transaction") && line.contains("default_transaction_read_only"),
        "{line}"
    );
}

#[test]
fn settings_that_are_wrong_are_exit_code_2() {
    assert_eq!(doctor(&[("API_PORT", "abc")]).code, 2);
    assert_eq!(doctor(&[("REDIS_TENANT", "a b")]).code, 2);
    let told = doctor(&[
        ("REDIS_URL", "redis://h:1/0?horse-7"),
        ("DATABASE_URL", "mysql://a:horse-7@b/c"),
    ]);
    assert_eq!(told.code, 2);
    assert!(!told.err.contains("horse-7"), "{}", told.err);
}

#[test]
fn check_config_connects_when_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!("unix://{}/redis.sock", folder.path().display());
    let variables = [
        ("REDIS_URL", nowhere.as_str()),
        ("DATA_DIR", folder.path().to_str().unwrap()),
    ];
    let told = run(&["check-config"], &variables);
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    let told = run(&["check-config", "--connect"], &variables);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    assert!(told.has("API_PORT"), "{}", told.out);
    told.line("error    redis: reached: ");
}
