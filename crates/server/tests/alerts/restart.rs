//! What becomes of alerts when the service is stopped, killed and started again: as a process, with signals.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use caller_id_core::ManualClock;

use crate::hook::{Hook, Reply, SECRET};
use crate::node::{MINUTE_MS, NOON, Node, TOKEN};

/// So many seconds a stop has. A receiver has about as many for its answer: whoever waited for it would be late.
const GRACE_S: u64 = 5;

/// The built service on the data in a folder; killed when dropped. Its output stays open: whoever prints into a closed pipe fails.
struct Service(Child, BufReader<ChildStdout>);

impl Service {
    /// Comes back when it listens: from then on it ends well when it is told to.
    fn start(folder: &Path, hook: &Hook) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
        command
            .arg("serve")
            .current_dir(folder)
            .env_clear()
            .env("DATA_DIR", folder)
            .env("API_PORT", "0")
            .env("AGI_LISTEN", "off")
            .env("ADMIN_TOKEN", TOKEN)
            .env("NODE_NAME", "cid1")
            .env("ALERT_WEBHOOK_URL", &hook.url)
            .env("ALERT_WEBHOOK_SECRET", SECRET)
            .env("SHUTDOWN_TIMEOUT_SECONDS", GRACE_S.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut banner = String::new();
        output.read_line(&mut banner).expect("a banner");
        assert!(banner.contains("http://"), "{banner}");
        Self(child, output)
    }

    fn kill(mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ends");
    }

    /// Tells it to stop; gives how long that took. It ends well.
    async fn stop(mut self) -> Duration {
        let id = self.0.id().to_string();
        let began = Instant::now();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.expect("kill runs").success());
        for _ in 0..12_000 {
            if let Some(status) = self.0.try_wait().expect("it is ours") {
                assert!(status.success(), "{status}");
                return began.elapsed();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it does not end");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A service that told of a pool to a receiver that did not answer, and ended: one post, which counts as undelivered.
async fn left_behind(folder: &Path, hook: &Hook) {
    let settings = [
        ("ALERT_WEBHOOK_URL", &*hook.url),
        ("ALERT_WEBHOOK_SECRET", SECRET),
        ("NODE_NAME", "cid1"),
    ];
    let clock = Arc::new(ManualClock::at(NOON));
    let node = Node::start(folder, &clock, &settings).await;
    hook.will([Reply::Hang]);
    node.pool("east", 100, 1).await;
    node.calls(100, 1).await;
    node.pass(2 * MINUTE_MS).await;
    hook.until(1).await;
    node.app.close().await.expect("a clean end");
}

#[tokio::test]
async fn what_was_not_delivered_is_posted_after_a_stop_or_a_kill_until_it_is() {
    let (folder, hook) = (tempfile::tempdir().expect("a folder"), Hook::start().await);
    left_behind(folder.path(), &hook).await;
    // Killed while it is under way: nobody knows whether it came, so it is posted again.
    hook.will([Reply::Hang]);
    let service = Service::start(folder.path(), &hook);
    hook.until(2).await;
    service.kill();
    let service = Service::start(folder.path(), &hook);
    let posts = hook.until(3).await;
    let first = &posts[0];
    assert_eq!(first.what().0, "pool_exhausted");
    for post in &posts {
        let event = post.header("x-callerid-event");
        assert_eq!(event, first.header("x-callerid-event"));
        assert_eq!(post.body, first.body);
    }
    service.stop().await;
    // It was delivered: what would still wait would be tried at the stop at the latest.
    Service::start(folder.path(), &hook).stop().await;
    assert_eq!(hook.posts().len(), 3);
}

#[tokio::test]
async fn a_receiver_that_hangs_does_not_hold_up_a_stop_beyond_its_time() {
    let (folder, hook) = (tempfile::tempdir().expect("a folder"), Hook::start().await);
    left_behind(folder.path(), &hook).await;
    hook.will((0..9).map(|_| Reply::Hang));
    let service = Service::start(folder.path(), &hook);
    hook.until(2).await;
    let took = service.stop().await;
    assert!(took < Duration::from_secs(GRACE_S), "{took:?}");
    // And it waits on.
    let kept = std::fs::read_to_string(folder.path().join("alerts.json")).expect("kept");
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    assert_eq!(kept["waiting"].as_array().map(Vec::len), Some(1), "{kept}");
}
