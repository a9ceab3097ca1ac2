//! The whole service in this process, listening, with somebody in front of a browser.

use std::sync::Arc;
use std::time::Duration;

use caller_id::app::App;
use caller_id::cli::serve_settings;
use caller_id::serve::{Listeners, serve};
use caller_id_core::SystemClock;
use caller_id_testkit::browser::Browser;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const TOKEN: &str = "horse-battery-staple-7";

pub(crate) struct Service {
    pub(crate) base: String,
    stop: CancellationToken,
    served: JoinHandle<anyhow::Result<()>>,
    folder: TempDir,
}

impl Service {
    /// A service with 30 numbers in two pools.
    pub(crate) async fn start() -> Self {
        let service = Self::empty().await;
        for line in 0..30 {
            let pool = ["default", "solar"][line % 2];
            let number = format!("{}555{:04}", [312, 773, 212][line % 3], 100 + line);
            let body = json!({"number": number, "pool": pool, "carrier": "Acme & Sons"});
            service.order("POST", "/api/v1/numbers", &body).await;
        }
        service
    }

    /// A service that knows nothing yet.
    pub(crate) async fn empty() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), "127.0.0.1:0").await
    }

    /// Stops it, and starts it again where it was.
    pub(crate) async fn start_again(self) -> Self {
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
        let address = self.base.trim_start_matches("http://");
        Self::start_in(self.folder, address).await
    }

    async fn start_in(folder: TempDir, address: &str) -> Self {
        let pairs = [
            ("DATA_DIR", folder.path().to_str().unwrap()),
            ("ADMIN_TOKEN", TOKEN),
            ("AGI_LISTEN", "off"),
        ];
        let settings = serve_settings(&pairs).unwrap();
        let clock = Arc::new(SystemClock::new());
        let app = App::open(&settings, clock).await.unwrap();
        let http = TcpListener::bind(address).await.unwrap();
        let base = format!("http://{}", http.local_addr().unwrap());
        let listeners = Listeners { http, agi: None };
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(listeners, app, stop.clone().cancelled_owned()));
        Self {
            base,
            stop,
            served,
            folder,
        }
    }

    /// What the admin is answered, where it is done.
    pub(crate) async fn order(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.tell(method, path, &body.to_string()).await;
        assert!(status < 300, "{path}: {answer}");
        answer
    }

    /// What the admin is answered: the status and the body, null where that is no JSON.
    pub(crate) async fn tell(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (url, method) = (format!("{}{path}", self.base), method.to_owned());
        let body = body.to_owned();
        let kind = if body.starts_with("caller_id") {
            "text/csv"
        } else {
            "application/json"
        };
        let asked = tokio::task::spawn_blocking(move || {
            let agent: ureq::Agent = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(Duration::from_secs(30)))
                .build()
                .into();
            let request = axum::http::Request::builder()
                .method(method.as_str())
                .uri(url)
                .header("x-admin-token", TOKEN)
                .header("content-type", kind)
                .body(body)
                .unwrap();
            let mut answer = agent.run(request).unwrap();
            let text = answer.body_mut().read_to_string().unwrap();
            let json = serde_json::from_str(&text).unwrap_or_default();
            (answer.status().as_u16(), json)
        });
        asked.await.unwrap()
    }

    /// Has something done as a job, and waits for its end; the id of the job.
    pub(crate) async fn job(&self, path: &str, body: &str) -> String {
        let (status, begun) = self.tell("POST", path, body).await;
        assert_eq!(status, 202, "{begun}");
        let id = begun["id"].as_str().unwrap().to_owned();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        let place = format!("/api/v1/jobs/{id}");
        while self.order("GET", &place, &Value::Null).await["state"] == "running" {
            assert!(tokio::time::Instant::now() < deadline, "{id} does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        id
    }

    /// A key of that role.
    pub(crate) async fn key(&self, role: &str) -> String {
        let wanted = json!({"name": format!("a {role}"), "role": role});
        let made = self.order("POST", "/api/v1/keys", &wanted).await;
        made["key"].as_str().unwrap().to_owned()
    }

    /// Calls that ask for a number.
    pub(crate) async fn calls(&self, many: u32, campaign: &str) {
        for call in 0..many {
            let to = 13125551000 + u64::from(call);
            let path = format!("/next-cid?to={to}&campaign={campaign}&agent=7&format=json");
            self.order("GET", &path, &Value::Null).await;
        }
    }

    /// Somebody in front of a browser, signed in with that token or key.
    pub(crate) async fn signed_in(&self, token: &str) -> Browser {
        let browser = Browser::start(&self.base).await;
        browser.open("/dashboard").await;
        browser.fill("input[name=token]", token).await;
        browser.click("main form button").await;
        browser.find("nav[aria-label=Pages]").await;
        browser
    }

    /// Ends it, and says where its files were.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
        drop(self.folder);
    }
}

/// What is asked of every page: nobody is kept out, and the console has nothing to complain of.
pub(crate) async fn assert_sound(browser: &Browser, page: &str) {
    let nothing: [&str; 0] = [];
    assert_eq!(browser.barriers().await, nothing, "{page}");
    assert_eq!(browser.complaints().await, nothing, "{page}");
}

/// The same where what was filled in is shown again with its faults: the browser notes the status, and nothing else.
pub(crate) async fn assert_refused(browser: &Browser, page: &str) {
    let told = browser.complaints().await;
    let is_status = |line: &String| line.contains("responded with a status of 4");
    assert!(
        !told.is_empty() && told.iter().all(is_status),
        "{page}: {told:?}"
    );
    assert_sound(browser, page).await;
}
