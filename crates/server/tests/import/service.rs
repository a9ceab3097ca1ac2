//! A service of its own for each test, in its own folder.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use caller_id::app::App;
use caller_id::cli::{Command, parse};
use caller_id::config::Settings;
use caller_id::config::source::Environment;
use caller_id::http::Peer;
use caller_id_core::{Number, PhoneNumber, SystemClock};
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// The admin token of every service here.
pub(crate) const TOKEN: &str = "a-token-for-tests-0123456789abcdef";

fn settings(folder: &TempDir, flags: &[&str]) -> Settings {
    let data_dir = format!("--data-dir={}", folder.path().display());
    let token = format!("--admin-token={TOKEN}");
    let words = ["caller-id", "serve", &data_dir, &token];
    let words = words.iter().chain(flags).map(OsString::from).collect();
    match parse(words, &Environment::default()).unwrap().cli.command {
        Command::Serve(args) => args.settings,
        other => panic!("serve expected, got {other:?}"),
    }
}

async fn open(folder: &TempDir, flags: &[&str]) -> App {
    App::open(&settings(folder, flags), Arc::new(SystemClock::new()))
        .await
        .unwrap()
}

/// A service that is asked without a network.
pub(crate) struct Service {
    router: Router,
    _app: App,
    _folder: TempDir,
}

impl Service {
    pub(crate) async fn open(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = open(&folder, flags).await;
        Self {
            router: app.router(),
            _app: app,
            _folder: folder,
        }
    }

    /// The status and the JSON of the answer.
    pub(crate) async fn ask(&self, mut request: Request<Body>) -> (StatusCode, Value) {
        request.extensions_mut().insert(Peer([127, 0, 0, 1].into()));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

/// A service that listens.
pub(crate) struct Running {
    pub(crate) url: String,
    pub(crate) database_url: String,
    folder: TempDir,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    pub(crate) async fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = open(&folder, flags).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            stopped.await.ok();
        };
        Self {
            url,
            database_url: format!("sqlite:{}", folder.path().join("caller-id.db").display()),
            folder,
            stop,
            serving: tokio::spawn(caller_id::serve::serve(listener, app, shutdown)),
        }
    }

    /// The status that a call to `destination` gets.
    pub(crate) async fn next_cid(&self, destination: &str) -> StatusCode {
        let url = format!("{}/next-cid?to={destination}", self.url);
        let asked = tokio::task::spawn_blocking(move || {
            let config = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .proxy(None)
                .timeout_global(Some(Duration::from_secs(10)));
            let agent: ureq::Agent = config.build().into();
            agent.get(url).call().unwrap().status()
        });
        StatusCode::from_u16(asked.await.unwrap().as_u16()).unwrap()
    }

    /// The number as the store has it.
    pub(crate) async fn number(&self, number: &str) -> Number {
        let storage = settings(&self.folder, &[]).storage;
        let store = caller_id::app::open_beside(&storage).unwrap();
        store
            .number(PhoneNumber::parse(number).unwrap())
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }
}
