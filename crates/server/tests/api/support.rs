//! A service in a folder of its own, with a clock that the test sets.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use caller_id::app::App;
use caller_id::auth::api_key::NewKey;
use caller_id::auth::key_keeper::KeyKeeper;
use caller_id::cli::serve_settings;
use caller_id::config::storage::StorageConfig;
use caller_id::http::Peer;
use caller_id::http::dispatch::Dispatch;
use caller_id_core::roles::ApiKey;
use caller_id_core::{Author, ManualClock, Role, Timestamp};
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::RedisServer;
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;

/// The admin token of every service here.
pub(crate) const TOKEN: &str = "horse-battery-staple-7";
/// Where the clock stands at first: 2026-11-22T12:00:00Z.
pub(crate) const NOON: Timestamp = Timestamp::from_ms(1_795_348_800_000);

/// Which of the four.
pub(crate) struct Combination {
    pub(crate) redis: bool,
    pub(crate) postgres: bool,
}

/// The servers that a service works with; they end with it.
struct Servers {
    redis: Option<RedisServer>,
    database: Option<(Arc<Postgres>, String)>,
}

impl Servers {
    fn start() -> Self {
        let combination = crate::COMBINATION;
        Self {
            redis: combination.redis.then(RedisServer::start),
            database: combination.postgres.then(|| {
                let server = Postgres::shared();
                let database = server.database();
                (server, database)
            }),
        }
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let redis = self.redis.as_ref().map(|redis| ("REDIS_URL", redis.url()));
        let database = self.database.as_ref();
        let database = database.map(|(server, name)| ("DATABASE_URL", server.url(name)));
        // Machines that test are busy: nothing here is about how long Redis takes.
        let patience = ("REDIS_TIMEOUT_MS", "20000".to_owned());
        let servers = redis.into_iter().chain(database);
        servers.chain([patience]).collect()
    }
}

/// What a service leaves behind when it stops: its folder, and the servers that it worked with.
pub(crate) struct Left {
    pub(crate) folder: TempDir,
    servers: Servers,
}

pub(crate) struct Service {
    pub(crate) dispatch: Dispatch,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) folder: TempDir,
    servers: Servers,
    /// Keeps the tasks running.
    app: App,
}

impl Service {
    /// A service with the settings given; the rest is default.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let left = Left {
            folder: tempfile::tempdir().expect("a folder"),
            servers: Servers::start(),
        };
        Self::start_in(left, settings).await
    }

    pub(crate) async fn start_in(left: Left, settings: &[(&str, &str)]) -> Self {
        let Left { folder, servers } = left;
        let clock = Arc::new(ManualClock::at(NOON));
        let path = folder.path().to_str().expect("a plain path").to_owned();
        let mut pairs = vec![("DATA_DIR", path.as_str()), ("ADMIN_TOKEN", TOKEN)];
        let places = servers.settings();
        pairs.extend(places.iter().map(|(name, value)| (*name, value.as_str())));
        pairs.retain(|(name, _)| !settings.iter().any(|(given, _)| given == name));
        pairs.extend_from_slice(settings);
        let settings = serve_settings(&pairs).expect("good settings");
        let app = App::open_by(&settings, clock.clone())
            .await
            .expect("a service");
        Self {
            dispatch: app.dispatch(),
            clock,
            folder,
            servers,
            app,
        }
    }

    pub(crate) async fn stop(self) -> Left {
        self.app.close().await.expect("a clean end");
        Left {
            folder: self.folder,
            servers: self.servers,
        }
    }

    /// Where its database is, for others.
    pub(crate) fn storage(&self) -> StorageConfig {
        let folder = self.folder.path().to_str().expect("a plain path");
        let places = self.servers.settings();
        let mut pairs = vec![("DATA_DIR", folder)];
        pairs.extend(places.iter().map(|(name, value)| (*name, value.as_str())));
        serve_settings(&pairs).expect("good settings").storage
    }

    /// A new API key of this role: its text, and what is kept of it.
    pub(crate) async fn key(&self, change: impl FnOnce(&mut ApiKey)) -> (String, ApiKey) {
        let new = NewKey::make();
        let mut key = ApiKey {
            name: format!("key {}", new.id),
            id: new.id,
            role: Role::Dialer,
            hash: new.hash,
            addresses: Vec::new(),
            campaigns: Vec::new(),
            created_at: NOON,
            created_by: "test".to_owned(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        change(&mut key);
        let added = self.keys().add(key.clone(), &Author::command("test")).await;
        added.expect("added");
        (new.text.reveal().to_owned(), key)
    }

    pub(crate) fn keys(&self) -> Arc<KeyKeeper> {
        self.dispatch.keys()
    }

    /// A request from this machine.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Call {
        ask(&self.dispatch, method, path)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).send().await
    }

    /// An admin's request.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: &Value) -> Answer {
        let call = self.ask(method, path).header("x-admin-token", TOKEN);
        if body.is_null() {
            call.send().await
        } else {
            call.json(body).send().await
        }
    }

    /// What an admin sees there.
    pub(crate) async fn see(&self, path: &str) -> Value {
        let answer = self.admin("GET", path, &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// A number for a call.
    pub(crate) async fn take(&self, query: &str) -> Value {
        let answer = self.get(&format!("/next-cid?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer.json()
    }

    /// Waits until history has all that was allocated: people see it a moment later where the state is in Redis.
    pub(crate) async fn stored(&self) {
        /// So much later `/health` looks again: what it says before may be from before the latest call.
        const LOOKS_AGAIN_MS: i64 = 1_000;
        if self.servers.redis.is_none() {
            return;
        }
        for _ in 0..200 {
            self.clock.advance_ms(LOOKS_AGAIN_MS);
            if self.get("/health").await.json()["outbox"]["events"] == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the store does not catch up");
    }

    /// Adds a number with these limits and nothing else.
    pub(crate) async fn add(&self, body: Value) {
        let answer = self.admin("POST", "/add-number", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

pub(crate) fn ask(dispatch: &Dispatch, method: &str, path: &str) -> Call {
    Call {
        dispatch: dispatch.clone(),
        peer: IpAddr::from([127, 0, 0, 1]),
        request: Request::builder().method(method).uri(path),
        body: Body::empty(),
    }
}

pub(crate) struct Call {
    dispatch: Dispatch,
    peer: IpAddr,
    request: axum::http::request::Builder,
    body: Body,
}

impl Call {
    pub(crate) fn from(mut self, peer: &str) -> Self {
        self.peer = peer.parse().expect("an address");
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Only the status, of an answer that need not be text.
    pub(crate) async fn status(self) -> u16 {
        let request = self.request.body(self.body).expect("a request");
        let response = self.dispatch.answer(request, Peer(self.peer)).await;
        response.status().as_u16()
    }

    pub(crate) async fn send(self) -> Answer {
        let request = self.request.body(self.body).expect("a request");
        let response = self.dispatch.answer(request, Peer(self.peer)).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).expect("text"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("text"))
    }

    /// The detail of a problem that is a text.
    pub(crate) fn detail(&self) -> String {
        self.json()["detail"].as_str().expect("a text").to_owned()
    }

    /// The last part of where each fault is.
    pub(crate) fn faulty_fields(&self) -> Vec<String> {
        let json = self.json();
        let faults = json["detail"].as_array().expect("a list").iter();
        let last = |fault: &Value| fault["loc"].as_array()?.last()?.as_str().map(str::to_owned);
        faults.map(|fault| last(fault).expect("a place")).collect()
    }
}
