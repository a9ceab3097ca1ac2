//! The whole service in this process, listening for HTTP and for Asterisk.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use caller_id::app::App;
use caller_id::auth::api_key::NewKey;
use caller_id::cli::serve_settings;
use caller_id::http::Peer;
use caller_id::http::dispatch::Dispatch;
use caller_id::serve::{Listeners, serve};
use caller_id_core::roles::{ApiKey, KeyId};
use caller_id_core::{Author, CampaignId, Role, SystemClock, Timestamp};
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::asterisk::{Channel, Told, within};

const TOKEN: &str = "horse-battery-staple-7";

/// Machines that test are busy: but where a test is about the deadline, there is time enough.
const PATIENT: (&str, &str) = ("AGI_DEADLINE_MS", "5000");

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    dispatch: Dispatch,
    stop: CancellationToken,
    served: JoinHandle<anyhow::Result<()>>,
    _folder: TempDir,
}

impl Service {
    /// A service with these settings and these numbers.
    pub(crate) async fn start(settings: &[(&str, &str)], numbers: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut pairs = vec![
            ("DATA_DIR", folder.path().to_str().unwrap()),
            ("ADMIN_TOKEN", TOKEN),
            ("DIAL_PREFIXES", "9,91"),
            PATIENT,
        ];
        pairs.retain(|(name, _)| !settings.iter().any(|(given, _)| given == name));
        pairs.extend_from_slice(settings);
        let settings = serve_settings(&pairs).unwrap();
        let app = App::open(&settings, Arc::new(SystemClock::new()))
            .await
            .unwrap();
        let dispatch = app.dispatch();
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let agi = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = agi.local_addr().unwrap();
        let listeners = Listeners {
            http,
            agi: Some(agi),
        };
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(listeners, app, stop.clone().cancelled_owned()));
        let service = Self {
            address,
            dispatch,
            stop,
            served,
            _folder: folder,
        };
        for number in numbers {
            let body = format!(
                "{{\"caller_id\":\"{number}\",\"daily_limit\":null,\"hourly_limit\":null}}"
            );
            let answer = service.admin("POST", "/add-number", &body).await;
            assert!(answer["caller_id"].is_string(), "{answer}");
        }
        service
    }

    /// What an admin is answered.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: &str) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-admin-token", TOKEN)
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()));
        let peer = Peer(IpAddr::from([127, 0, 0, 1]));
        let answer = self.dispatch.answer(request.unwrap(), peer).await;
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// A new API key for a dialer, for these campaigns alone.
    pub(crate) async fn key(&self, campaigns: &[&str]) -> (String, KeyId) {
        let new = NewKey::make();
        let campaigns = campaigns.iter().map(|name| CampaignId::new(name).unwrap());
        let key = ApiKey {
            name: "dialer".to_owned(),
            id: new.id.clone(),
            role: Role::Dialer,
            hash: new.hash,
            addresses: Vec::new(),
            campaigns: campaigns.collect(),
            created_at: Timestamp::from_ms(0),
            created_by: "test".to_owned(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        let by = Author::command("test");
        self.dispatch.keys().add(key, &by).await.unwrap();
        (new.text.reveal().to_owned(), new.id)
    }

    /// The key is worth nothing from now on.
    pub(crate) async fn revoke(&self, id: &KeyId) {
        let (at, by) = (Timestamp::from_ms(1), Author::command("test"));
        self.dispatch.keys().revoke(id, at, &by).await.unwrap();
    }

    /// What the channel is told.
    pub(crate) async fn told(&self, channel: Channel) -> Told {
        channel.run(self.address).await
    }

    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        within(self.served).await.unwrap().unwrap();
    }
}
