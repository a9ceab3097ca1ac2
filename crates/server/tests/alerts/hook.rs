//! A receiver of alerts: keeps what is posted, checks signatures, and fails as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// The key of every test here.
pub(crate) const SECRET: &str = "a-key-of-alerts-0123456789";
/// What does not come within this time never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a receiver does with the next post.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers that status, with these headers and a body.
    Status(u16, String),
    /// Never answers.
    Hang,
    /// Hangs up.
    Reset,
    /// Answers 200 with a body that has no end.
    Endless,
}

/// What was posted.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Post {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub(crate) fn text(&self) -> String {
        self.json()["text"].as_str().expect("a text").to_owned()
    }

    /// Kind, state and subjects.
    pub(crate) fn what(&self) -> (String, String, Vec<String>) {
        let json = self.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let alerts = json["alerts"].as_array().expect("a list").iter();
        let subjects = alerts.map(|one| text(&one["subject"])).collect();
        (text(&json["kind"]), text(&json["state"]), subjects)
    }

    /// Whether the signature is that of the body, by this key.
    pub(crate) fn is_signed_by(&self, key: &str) -> bool {
        let signature = self.header("x-callerid-signature").unwrap_or_default();
        let Some((time, code)) = signature.split_once(",v1=") else {
            return false;
        };
        let time = time.strip_prefix("t=").expect("a time");
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
        mac.update(format!("{time}.{}", self.body).as_bytes());
        let expected = mac.finalize().into_bytes();
        let hex: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
        hex == code
    }
}

#[derive(Default)]
struct State {
    posts: Mutex<Vec<Post>>,
    replies: Mutex<VecDeque<Reply>>,
    came: Notify,
}

/// A receiver on a port of its own.
pub(crate) struct Hook {
    pub(crate) url: String,
    state: Arc<State>,
}

impl Hook {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let state = Arc::<State>::default();
        let own = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, own.clone()));
            }
        });
        Self {
            url: format!("http://127.0.0.1:{port}/sesame/open"),
            state,
        }
    }

    /// What it does with the next posts, one after the other; with all others it answers 200.
    pub(crate) fn will(&self, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.state.replies).extend(replies);
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        lock(&self.state.posts).clone()
    }

    /// Waits until there were so many posts.
    pub(crate) async fn until(&self, count: usize) -> Vec<Post> {
        for _ in 0..1_000 {
            let came = self.state.came.notified();
            let posts = self.posts();
            if posts.len() >= count {
                return posts;
            }
            let _ = tokio::time::timeout(PATIENCE / 1_000, came).await;
        }
        let posts: Vec<_> = self.posts().iter().map(Post::what).collect();
        panic!("{count} posts never came: {posts:?}");
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is: impl FnMut() -> bool) {
    // Ten minutes, which is longer than any message is tried: by a clock that stands they are no time.
    for _ in 0..12_000 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

fn lock<T>(it: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(mut stream: TcpStream, state: Arc<State>) {
    let Some(post) = read(&mut stream).await else {
        return;
    };
    // What comes next is decided before anybody sees that this came.
    let reply = lock(&state.replies).pop_front();
    lock(&state.posts).push(post);
    state.came.notify_waiters();
    let said = match reply.unwrap_or(Reply::Status(200, String::new())) {
        Reply::Status(status, headers) => {
            format!(
                "HTTP/1.1 {status} said\r\n{headers}content-length: 3\r\nconnection: close\r\n\r\nok\n"
            )
        }
        Reply::Hang => return std::future::pending().await,
        Reply::Reset => return,
        Reply::Endless => {
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
            return;
        }
    };
    let _ = stream.write_all(said.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Post> {
    let mut bytes = Vec::new();
    loop {
        let mut some = [0; 4_096];
        let count = stream
            .read(&mut some)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        bytes.extend_from_slice(&some[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let post = Post {
            head: head.to_owned(),
            body: body.to_owned(),
        };
        let length = post.header("content-length")?.parse::<usize>().ok()?;
        if body.len() >= length {
            return Some(post);
        }
    }
}
