//! A service of its own for each test, asked without a network.

#[path = "settings.rs"]
mod settings;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use caller_id::app::App;
use caller_id::http::Peer;
use caller_id::http::dispatch::Dispatch;
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use settings::TOKEN;
use settings::open;

/// A service that is asked without a network.
pub(crate) struct Service {
    dispatch: Dispatch,
    _app: App,
    _folder: TempDir,
}

impl Service {
    pub(crate) async fn open(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = open(&folder, flags).await;
        Self {
            dispatch: app.dispatch(),
            _app: app,
            _folder: folder,
        }
    }

    /// The status and the JSON of the answer.
    pub(crate) async fn ask(&self, request: Request<Body>) -> (StatusCode, Value) {
        let peer = Peer([127, 0, 0, 1].into());
        let response = self.dispatch.answer(request, peer).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }
}
