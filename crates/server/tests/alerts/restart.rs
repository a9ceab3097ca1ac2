//! What becomes of alerts when the service is stopped, killed and started again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::hook::{Hook, Reply, SECRET};
use crate::node::{MINUTE_MS, Node, TOKEN};
use crate::service::{Place, what};

/// So many seconds a stop has. A receiver has about as many for its answer: whoever waited for it would be late.
const GRACE_S: u64 = 5;

/// The built service on the data in a folder; killed when dropped. Its output stays open: whoever prints into a closed pipe fails.
struct Service {
    child: Child,
    _output: BufReader<ChildStdout>,
}

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
        Self {
            child,
            _output: output,
        }
    }

    fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Tells it to stop; gives how long that took. It ends well.
    async fn stop(mut self) -> Duration {
        let id = self.child.id().to_string();
        let began = Instant::now();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.expect("kill runs").success());
        for _ in 0..12_000 {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
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
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A service that told of a pool to a receiver that did not answer, and ended: one post, which counts as undelivered.
async fn left_behind() -> Place {
    let place = Place::new().await;
    let node = place.start(&[]).await;
    place.hook.will([Reply::Hang]);
    node.pool("east", 100, 1).await;
    node.calls(100, 1).await;
    node.pass(2 * MINUTE_MS).await;
    place.hook.until(1).await;
    node.app.close().await.expect("a clean end");
    place
}

#[tokio::test]
async fn what_was_not_delivered_is_posted_after_a_stop_or_a_kill_until_it_is() {
    let Place { folder, hook, .. } = left_behind().await;
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
    let Place { folder, hook, .. } = left_behind().await;
    hook.will((0..9).map(|_| Reply::Hang));
    let service = Service::start(folder.path(), &hook);
    hook.until(2).await;
    let took = service.stop().await;
    assert!(took < Duration::from_secs(GRACE_S), "{took:?}");
    // And it waits on.
    let kept = std::fs::read_to_string(folder.path().join("alerts.json")).expect("kept");
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    assert_eq!(kept["waiting"].as_array().map(Vec::len), Some(1), "{kept}");
}

#[tokio::test]
async fn a_start_tells_nothing_again() {
    let place = Place::new().await;
    let node = place.start(&[]).await;
    node.pool("east", 100, 1).await;
    node.calls(100, 1).await;
    node.pass(2 * MINUTE_MS).await;
    place.hook.until(1).await;
    node.app.close().await.expect("a clean end");
    let node = place.start(&[]).await;
    node.pass(20 * MINUTE_MS).await;
    node.app.close().await.expect("a clean end");
    assert_eq!(place.hook.posts().len(), 1);
    // An hour after it was told it is told again.
    let node = place.start(&[]).await;
    node.pass(40 * MINUTE_MS).await;
    let posts = place.hook.until(2).await;
    assert_eq!(posts[1].json()["repeated"], true);
    node.app.close().await.expect("a clean end");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let kept = std::fs::metadata(place.folder.path().join("alerts.json")).expect("kept");
        assert_eq!(kept.permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn what_an_earlier_run_left_waits_for_the_end_of_quiet_hours_unless_it_is_serious() {
    let place = Place::new().await;
    let quiet = [("ALERT_QUIET_HOURS", "12:05-13:00")];
    let node = place.start(&quiet).await;
    place.hook.will([Reply::Hang]);
    node.pool("east", 100, 20).await;
    node.calls(100, 19).await;
    node.pass(2 * MINUTE_MS).await;
    let posts = place.hook.until(1).await;
    assert_eq!(posts[0].what(), what("pool_low", "firing", &["east"]));
    node.app.close().await.expect("a clean end");
    for _ in 0..2 {
        place.clock.advance_ms(20 * MINUTE_MS);
        let node = place.start(&quiet).await;
        node.pass(MINUTE_MS).await;
        node.app.close().await.expect("a clean end");
    }
    assert_eq!(place.hook.posts().len(), 1);
    let node = place.start(&quiet).await;
    node.pass(20 * MINUTE_MS).await;
    let posts = place.hook.until(2).await;
    assert_eq!(posts[0].body, posts[1].body);
    node.app.close().await.expect("a clean end");

    let place = Place::new().await;
    let node = place.start(&quiet).await;
    place.hook.will([Reply::Hang]);
    node.pool("west", 200, 1).await;
    node.calls(200, 1).await;
    node.pass(2 * MINUTE_MS).await;
    place.hook.until(1).await;
    node.app.close().await.expect("a clean end");
    place.clock.advance_ms(20 * MINUTE_MS);
    let node = place.start(&quiet).await;
    let posts = place.hook.until(2).await;
    assert_eq!(posts[0].body, posts[1].body);
    node.app.close().await.expect("a clean end");
}

#[tokio::test]
async fn who_guessed_is_told_though_the_service_was_started_again() {
    let place = Place::new().await;
    let quiet = [("ALERT_QUIET_HOURS", "12:00-12:30")];
    let guess = async |node: &Node, host: u8| {
        for _ in 0..12 {
            let wrong = ("wrong-wrong-wrong", [203, 0, 113, host].into());
            node.ask_with("GET", "/api/v1/numbers", &Value::Null, wrong)
                .await;
        }
    };
    // One was seen in a look, one was not yet.
    let node = place.start(&quiet).await;
    guess(&node, 1).await;
    node.look().await;
    guess(&node, 2).await;
    node.app.close().await.expect("a clean end");
    let node = place.start(&quiet).await;
    node.pass(25 * MINUTE_MS).await;
    assert_eq!(place.hook.posts().len(), 0);
    node.pass(10 * MINUTE_MS).await;
    let posts = place.hook.until(1).await;
    let text = posts[0].text();
    for host in ["203.0.113.1 (people", "203.0.113.2 (people"] {
        assert!(text.contains(host), "{text}");
    }
    // A start does not tell sooner again than anybody else would.
    guess(&node, 3).await;
    node.look().await;
    node.app.close().await.expect("a clean end");
    let node = place.start(&quiet).await;
    node.pass(50 * MINUTE_MS).await;
    assert_eq!(place.hook.posts().len(), 1);
    node.pass(15 * MINUTE_MS).await;
    let posts = place.hook.until(2).await;
    let text = posts[1].text();
    assert!(
        text.contains("203.0.113.3") && !text.contains("203.0.113.1 "),
        "{text}"
    );
    node.app.close().await.expect("a clean end");
}
