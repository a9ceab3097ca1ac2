//! A service of its own for each test, that listens.

#[path = "settings.rs"]
mod settings;

use std::time::Duration;

use axum::http::StatusCode;
use caller_id_core::{Number, PhoneNumber};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) use settings::TOKEN;
use settings::open;

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
        let storage = settings::settings(&self.folder, &[]).storage;
        let store = caller_id::app::open_beside(&storage).await.unwrap();
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
