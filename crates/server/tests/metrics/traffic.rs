//! Services that did some of everything, and what they tell then.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use caller_id::app::App;
use caller_id::cli::serve_settings;
use caller_id::http::Peer;
use caller_id_core::SystemClock;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::RedisServer;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TOKEN: &str = "horse-battery-staple-7";
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// All state in the process, history in a file.
pub(crate) async fn alone() -> String {
    told(&[]).await
}

/// State in Redis, history in PostgreSQL.
pub(crate) async fn of_a_node() -> String {
    let (redis, postgres) = (RedisServer::start(), Postgres::shared());
    let database = postgres.url(&postgres.database());
    let redis_url = redis.url();
    let settings = [
        ("REDIS_URL", &*redis_url),
        ("DATABASE_URL", &database),
        ("REDIS_TIMEOUT_MS", "20000"),
    ];
    told(&settings).await
}

async fn told(settings: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a plain path").to_owned();
    let mut pairs = vec![("DATA_DIR", path.as_str()), ("ADMIN_TOKEN", TOKEN)];
    pairs.extend_from_slice(settings);
    let settings = serve_settings(&pairs).expect("good settings");
    let app = App::open(&settings, Arc::new(SystemClock::new()))
        .await
        .expect("a service");
    let number = r#"{"caller_id":"3125550100"}"#;
    ask(&app, "POST", "/add-number", number).await;
    ask(&app, "GET", "/next-cid?to=13125551212", "").await;
    dialog(&app).await;
    // Only numbers of pools that were counted are told.
    for _ in 0..100 {
        let text = ask(&app, "GET", "/metrics", "").await;
        if text.contains("caller_id_pool_numbers{") {
            app.close().await.expect("a clean end");
            return text;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("pools are never counted");
}

async fn ask(app: &App, method: &str, path: &str, body: &str) -> String {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-admin-token", TOKEN)
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .expect("a request");
    let answer = app.dispatch().answer(request, Peer(HERE)).await;
    let body = answer.into_body().collect().await.expect("a body");
    String::from_utf8(body.to_bytes().to_vec()).expect("text")
}

/// Asterisk asks for a number, and says 200 to all that it is told.
async fn dialog(app: &App) {
    let (ours, mut asterisk) = tokio::io::duplex(4_096);
    let agi = app.agi();
    let answered = tokio::spawn(async move { agi.converse(ours, HERE, || {}).await });
    let head = "agi_network: yes\nagi_network_script: next-cid?to=13125551213\nagi_request: agi://127.0.0.1/next-cid?to=13125551213\n\n";
    asterisk.write_all(head.as_bytes()).await.expect("asked");
    let mut said = [0; 512];
    while asterisk.read(&mut said).await.is_ok_and(|bytes| bytes > 0) {
        if asterisk.write_all(b"200 result=1\n").await.is_err() {
            break;
        }
    }
    answered.await.expect("an end");
}
