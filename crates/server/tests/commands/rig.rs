//! A service that listens, and the binary that asks it.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use assert_cmd::Command;
use caller_id::app::App;
use caller_id::cli::{Command as Known, parse};
use caller_id::config::source::Environment;
use caller_id_core::{Clock, SystemClock};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The admin token of every service here.
pub(crate) const TOKEN: &str = "a-token-for-tests-0123456789abcdef";
const SECRET: &str = "a-secret-for-tests-0123456789abcdef";

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Told {
    /// What it said.
    pub(crate) fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Its output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// It went well.
    #[track_caller]
    pub(crate) fn fine(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// It ended with this code, said nothing on standard output, and one line of why that has all of `parts`.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, parts: &[&str]) {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{self:?}");
        assert_eq!(self.err.lines().count(), 1, "{self:?}");
        for part in parts {
            assert!(self.err.contains(part), "no `{part}`: {self:?}");
        }
    }
}

/// Runs the binary with this environment and no other.
pub(crate) async fn run(words: &[&str], variables: &[(&str, &str)]) -> Told {
    let mut command = Command::cargo_bin("caller-id").unwrap();
    let folder = tempfile::tempdir().unwrap();
    command.env_clear().current_dir(folder.path()).args(words);
    command.envs(variables.iter().copied());
    command
        .env("TZ", "America/Chicago")
        .env("DATA_DIR", folder.path());
    command.envs(variables.iter().copied());
    command.timeout(Duration::from_secs(60));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    Told::of(output.await.unwrap())
}

/// A service that listens.
pub(crate) struct Service {
    pub(crate) url: String,
    folder: TempDir,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags = [
            format!("--data-dir={}", folder.path().display()),
            format!("--admin-token={TOKEN}"),
            format!("--jwt-secret={SECRET}"),
        ];
        let words = ["caller-id".to_owned(), "serve".to_owned()];
        let words = words.into_iter().chain(flags).map(OsString::from).collect();
        let Known::Serve(args) = parse(words, &Environment::default()).unwrap().cli.command else {
            panic!("serve expected");
        };
        let clock = Arc::new(SystemClock::new());
        let app = App::open(&args.settings, clock).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            stopped.await.ok();
        };
        Self {
            url,
            folder,
            stop,
            serving: tokio::spawn(caller_id::serve::serve(listener, app, shutdown)),
        }
    }

    /// Where a test may put files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Asks as the admin.
    pub(crate) async fn ask(&self, words: &[&str]) -> Told {
        self.ask_as(TOKEN, words).await
    }

    /// Asks with this key.
    pub(crate) async fn ask_as(&self, key: &str, words: &[&str]) -> Told {
        let variables = [("CALLER_ID_URL", self.url.as_str()), ("CALLER_ID_KEY", key)];
        run(words, &variables).await
    }

    /// What the API says to the admin, as it says it.
    pub(crate) async fn said(&self, path: &str) -> String {
        let url = format!("{}{path}", self.url);
        let asked = tokio::task::spawn_blocking(move || {
            let config = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .proxy(None)
                .timeout_global(Some(Duration::from_secs(10)));
            let agent: ureq::Agent = config.build().into();
            let request = agent.get(url).header("x-admin-token", TOKEN);
            request.call().unwrap().body_mut().read_to_string().unwrap()
        });
        asked.await.unwrap()
    }

    /// A call: its number is held now.
    pub(crate) async fn call(&self, query: &str) -> Value {
        let said = self.said(&format!("/next-cid?{query}")).await;
        serde_json::from_str(&said).unwrap()
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }
}

/// A token of somebody who has this role.
pub(crate) fn token_of(role: &str) -> String {
    let expires = SystemClock::new().now().as_ms() / 1_000 + 600;
    let claims = json!({"exp": expires, "sub": "ann", "role": role});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::default(), &claims, &key).unwrap()
}

/// Runs the binary, and reads nothing of what it writes.
pub(crate) async fn unread(service: &Service, words: &[&str]) -> (i32, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().args(words);
    command.env("CALLER_ID_URL", &service.url);
    command.env("CALLER_ID_KEY", TOKEN);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        child.wait_with_output().unwrap()
    });
    let output = ended.await.unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), err)
}
