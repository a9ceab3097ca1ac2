//! A service in this process, with a clock that the test sets.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use caller_id::app::App;
use caller_id::cli::serve_settings;
use caller_id::http::Peer;
use caller_id_core::{ManualClock, Timestamp};
use http_body_util::BodyExt;
use serde_json::{Value, json};

pub(crate) const TOKEN: &str = "horse-battery-staple-7";
/// 2026-11-22T12:00:00Z.
pub(crate) const NOON: Timestamp = Timestamp::from_ms(1_795_348_800_000);
pub(crate) const MINUTE_MS: i64 = 60_000;

pub(crate) struct Node {
    pub(crate) app: App,
    pub(crate) clock: Arc<ManualClock>,
}

impl Node {
    pub(crate) async fn start(
        folder: &Path,
        clock: &Arc<ManualClock>,
        settings: &[(&str, &str)],
    ) -> Self {
        let path = folder.to_str().expect("a plain path").to_owned();
        let mut pairs = vec![("DATA_DIR", path.as_str()), ("ADMIN_TOKEN", TOKEN)];
        pairs.extend_from_slice(settings);
        let settings = serve_settings(&pairs).expect("good settings");
        let app = App::open_by(&settings, clock.clone())
            .await
            .expect("a service");
        let clock = clock.clone();
        Self { app, clock }
    }

    /// So long passes, looked at every ten seconds.
    pub(crate) async fn pass(&self, ms: i64) {
        for _ in 0..ms / 10_000 {
            self.clock.advance_ms(10_000);
            self.look().await;
        }
    }

    pub(crate) async fn look(&self) {
        self.app.alerts().expect("somebody is told").look().await;
    }

    /// An admin's request: status and body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        self.ask_with(method, path, body, (TOKEN, [127, 0, 0, 1].into()))
            .await
    }

    pub(crate) async fn ask_with(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        (token, from): (&str, IpAddr),
    ) -> (u16, String) {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-admin-token", token)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .expect("a request");
        let answer = self.app.dispatch().answer(request, Peer(from)).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        (
            parts.status.as_u16(),
            String::from_utf8_lossy(&body).into_owned(),
        )
    }

    pub(crate) async fn see(&self, path: &str) -> String {
        let (status, body) = self.ask("GET", path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// A pool with so many numbers, and a campaign of its own that uses it: `C` and a count.
    pub(crate) async fn pool(&self, name: &str, first: u32, numbers: u32) {
        let path: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let path = path.replace('+', "%20");
        let policy = json!({"policy": {"cooldown_seconds": 0, "reservation_seconds": 86_400}});
        let (status, body) = self
            .ask("PUT", &format!("/api/v1/pools/{path}"), &policy)
            .await;
        assert!(status < 300, "{name}: {body}");
        for number in first..first + numbers {
            let number = json!({"number": format!("312555{number:04}"), "pool": name});
            let (status, body) = self.ask("POST", "/api/v1/numbers", &number).await;
            assert!(status < 300, "{body}");
        }
        let campaign = json!({"pools": [name]});
        let (status, body) = self
            .ask("PUT", &format!("/api/v1/campaigns/C{first}"), &campaign)
            .await;
        assert!(status < 300, "{body}");
    }

    /// So many calls of the campaign of a pool: what each was given.
    pub(crate) async fn calls(&self, first: u32, count: u32) -> Vec<String> {
        let mut given = Vec::new();
        for call in 0..count {
            let path =
                format!("/next-cid?to=1312777{call:04}&campaign=C{first}&call=c{first}-{call}");
            let (status, body) = self.ask("GET", &path, &Value::Null).await;
            assert_eq!(status, 200, "{body}");
            let body: Value = serde_json::from_str(&body).expect("JSON");
            given.push(body["reservation_id"].as_str().expect("an id").to_owned());
        }
        given
    }

    pub(crate) async fn release(&self, reservations: &[String]) {
        for id in reservations {
            let path = format!("/api/v1/reservations/{id}");
            let (status, body) = self.ask("DELETE", &path, &Value::Null).await;
            assert!(status < 300, "{body}");
        }
    }
}
