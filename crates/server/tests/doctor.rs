//! `caller-id doctor` as its users see it, and what a service does with a Redis that it must not use.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use caller_id::app::App;
use caller_id::cli::serve_settings;
use caller_id::http::Peer;
use caller_id_core::SystemClock;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::{
    Keep, Reach, RedisCluster, RedisSentinels, RedisServer, RedisSetup,
};
use http_body_util::BodyExt;
use serde_json::Value;

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
        "ok       redis: version: redis ",
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
    assert_eq!(file["verdict"], "ok");
    assert!(file["fact"].as_str().unwrap().contains("is not there"));
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

#[tokio::test]
async fn a_right_that_is_missing_is_named_by_the_doctor_at_the_start_and_makes_a_node_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let redis = redis(Keep::Nothing, &[]);
    let user = |rules: &[&str]| {
        let words = ["ACL", "SETUSER", "most"];
        redis.ask::<()>(&[&words, rules].concat()).unwrap();
    };
    user(&["on", ">pw", "~caller-id:*", "+@all"]);
    let url = redis.url() + "?user=most&pass=pw";
    let variables = [
        ("REDIS_URL", &*url),
        ("DATA_DIR", folder.path().to_str().unwrap()),
        ("ADMIN_TOKEN", "a-token-for-tests-0123456789abcdef"),
    ];
    let settings = serve_settings(&variables).unwrap();
    let clock = Arc::new(SystemClock::new());
    let app = App::open(&settings, clock.clone()).await.unwrap();
    let health = async || {
        let request = Request::get("/health").body(Body::empty()).unwrap();
        let peer = Peer([127, 0, 0, 1].into());
        let answer = app.dispatch().answer(request, peer).await;
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    assert_eq!(health().await["redis"], "ok");
    user(&["-xadd"]);
    // What was found holds for a second.
    while health().await["redis"] == "ok" {
        tokio::task::yield_now().await;
    }
    assert_eq!(health().await["redis"], "error");
    assert_eq!(health().await["status"], "degraded");
    app.close().await.unwrap();
    let refused = App::open(&settings, clock).await.err().unwrap().to_string();
    assert!(refused.contains("may not run xadd"), "{refused}");
    let told = doctor(&variables);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    let line = told.line("error    redis: scripts: this user may not run xadd");
    assert!(line.contains("+xadd"), "{line}");
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

#[test]
fn how_redis_was_found_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let cluster = RedisCluster::start();
    let told = doctor(&[("REDIS_URL", &cluster.url()), ("DATA_DIR", data)]);
    let line = told.line("ok       redis: version: redis ");
    assert!(line.ends_with(", of a cluster"), "{line}");
    let sentinels = RedisSentinels::start(Reach::Tcp);
    let told = doctor(&[("REDIS_URL", &sentinels.url()), ("DATA_DIR", data)]);
    let line = told.line("ok       redis: version: redis ");
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

async fn start(redis: &RedisServer) -> anyhow::Result<App> {
    let folder = tempfile::tempdir().unwrap();
    start_in(folder.path(), redis).await
}

async fn start_in(folder: &Path, redis: &RedisServer) -> anyhow::Result<App> {
    let variables = [
        ("REDIS_URL", &*redis.url()),
        ("DATA_DIR", folder.to_str().unwrap()),
        ("ADMIN_TOKEN", "a-token-for-tests-0123456789abcdef"),
    ];
    let settings = serve_settings(&variables).unwrap();
    App::open(&settings, Arc::new(SystemClock::new())).await
}

#[tokio::test]
async fn a_service_does_not_start_on_a_redis_that_drops_keys() {
    let redis = redis(Keep::Nothing, &["--maxmemory-policy", "volatile-lru"]);
    let error = start(&redis).await.err().unwrap().to_string();
    assert!(error.starts_with("REDIS_URL cannot be used: "), "{error}");
    assert!(error.contains("maxmemory-policy noeviction"), "{error}");
}

#[tokio::test]
async fn a_service_starts_on_a_redis_without_an_append_only_file() {
    let redis = redis(Keep::Nothing, &[]);
    start(&redis).await.unwrap().close().await.unwrap();
}

/// Both have as many revisions: only who they are tells them apart.
#[tokio::test]
async fn a_service_does_not_start_on_the_state_of_another_database() {
    let redis = redis(Keep::Nothing, &[]);
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [ours, others] = folders.each_ref().map(tempfile::TempDir::path);
    let app = start_in(ours, &redis).await.unwrap();
    let refused = start_in(others, &redis).await.err().unwrap().to_string();
    let told = "redis has the state of another database: it knows database ";
    assert!(refused.starts_with(told), "{refused}");
    assert!(refused.contains("another REDIS_TENANT"), "{refused}");
    app.close().await.unwrap();
    assert!(start_in(others, &redis).await.is_err());
    let variables = |folder: &Path| {
        let folder = folder.to_str().unwrap().to_owned();
        [("REDIS_URL", redis.url()), ("DATA_DIR", folder)]
    };
    let found = |folder| {
        let variables = variables(folder);
        let variables = variables.each_ref().map(|(name, value)| (*name, &**value));
        doctor(&variables)
    };
    found(others).line("error    cluster: belongs together: no: Redis knows database ");
    found(ours).line("ok       cluster: belongs together: ");
    start_in(ours, &redis).await.unwrap().close().await.unwrap();
    // Numbers are handed out without Redis for a while: it must not be believed afterwards.
    let variables = [("DATA_DIR", ours.to_str().unwrap())];
    let settings = caller_id::cli::serve_settings(&variables).unwrap();
    let clock = std::sync::Arc::new(caller_id_core::SystemClock::new());
    let alone = caller_id::app::App::open(&settings, clock).await.unwrap();
    alone.close().await.unwrap();
    let refused = start_in(ours, &redis).await.err().unwrap().to_string();
    assert!(
        refused.contains("was used without this Redis meanwhile"),
        "{refused}"
    );
    let _: String = redis.ask(&["FLUSHALL"]).unwrap();
    start_in(ours, &redis).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_service_whose_state_becomes_another_databases_ends() {
    let folder = tempfile::tempdir().unwrap();
    let redis = redis(Keep::Nothing, &[]);
    let mut app = start_in(folder.path(), &redis).await.unwrap();
    let key = "caller-id:{default}:inventory";
    let another = "00000000000000ab/1:";
    redis.ask::<()>(&["SET", key, another]).unwrap();
    let ended = app.task_ended().await;
    // Whoever looked first.
    let watchers = [
        "the sync of the inventory",
        "the watch over the shared state",
    ];
    assert!(watchers.contains(&&*ended), "{ended}");
    app.close().await.unwrap();
    let left: String = redis.ask(&["GET", key]).unwrap();
    assert_eq!(left, another);
}

/// A service that is ended when dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_redis_that_comes_later_is_looked_at_then() {
    let folder = tempfile::tempdir().unwrap();
    let mut redis = redis(Keep::Nothing, &["--maxmemory-policy", "allkeys-lru"]);
    redis.kill();
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().args(["serve", "--api-port=0"]);
    command.env("REDIS_URL", redis.url());
    command.env("DATA_DIR", folder.path());
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut serving = Serving(command.spawn().unwrap());
    let lines = BufReader::new(serving.0.stderr.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    let told = lines.find(|line| line.contains("cannot be used"));
    assert!(told.is_some(), "it is told that Redis is away");
    redis.restart_keeping();
    let told = lines.find(|line| line.contains("REDIS_URL cannot be used: "));
    let told = told.unwrap();
    assert!(
        told.contains("ERROR") && told.contains("noeviction"),
        "{told}"
    );
}
