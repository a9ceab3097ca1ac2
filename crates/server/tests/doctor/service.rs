//! What a service does with a Redis that it must not use.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use caller_id::app::App;
use caller_id::cli::serve_settings;
use caller_id::http::Peer;
use caller_id_core::SystemClock;
use caller_id_testkit::redis::{Keep, RedisServer};
use http_body_util::BodyExt;
use serde_json::Value;

use super::{doctor, redis};

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
    command
        .env("DATA_DIR", folder.path())
        .env("AGI_LISTEN", "off");
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

#[tokio::test]
async fn a_redis_that_is_set_to_drop_keys_while_nodes_run_is_told_of_in_health() {
    let folder = tempfile::tempdir().unwrap();
    let redis = redis(Keep::Nothing, &[]);
    let app = start_in(folder.path(), &redis).await.unwrap();
    let health = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let peer = Peer([127, 0, 0, 1].into());
        let answer = app.dispatch().answer(request, peer).await;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    };
    for (policy, told) in [("allkeys-lru", "unfit"), ("noeviction", "ok")] {
        redis
            .ask::<()>(&["CONFIG", "SET", "maxmemory-policy", policy])
            .unwrap();
        let told = format!("\"redis\":\"{told}\"");
        while !health("/health").await.1.contains(&told) {
            tokio::task::yield_now().await;
        }
        let (status, body) = health("/health").await;
        assert_eq!(status, 200, "numbers are handed out");
        assert_eq!(body.contains("degraded"), policy != "noeviction", "{body}");
    }
    app.close().await.unwrap();
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
