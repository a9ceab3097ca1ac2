//! Jobs of one node, followed and ended through the others.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use caller_id_testkit::redis::RedisServer;
use serde_json::Value;

use crate::process::TOKEN;
use crate::rig::{Rig, wait_for};

/// More of a file than is awaited before the answer, and more bad rows than are named.
const BAD_ROWS: usize = 12_000;
const ROW_EVERY: Duration = Duration::from_millis(100);

/// An upload that never comes to its end.
struct Upload {
    /// Ends when this is dropped.
    _going: mpsc::Sender<()>,
    id: String,
}

impl Upload {
    fn to(rig: &Rig, node: usize) -> Self {
        let address = rig.field.address(node).expect("it is there");
        let mut stream = TcpStream::connect(address).expect("it listens");
        let head = format!(
            "POST /api/v1/numbers/import?job=true HTTP/1.1\r\nhost: x\r\nx-admin-token: {TOKEN}\r\n\
             content-type: text/csv\r\ncontent-length: 1000000000\r\n\r\ncaller_id\n"
        );
        let rows = format!("{}\n", "5".repeat(800)).repeat(BAD_ROWS);
        stream.write_all(head.as_bytes()).expect("sent");
        stream.write_all(rows.as_bytes()).expect("sent");
        let mut answer = vec![0; 65_536];
        let read = stream.read(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        let place = answer
            .lines()
            .find_map(|line| line.strip_prefix("location: "));
        let id = place.and_then(|place| place.rsplit('/').next());
        let (going, over) = mpsc::channel::<()>();
        thread::spawn(move || {
            while over.recv_timeout(ROW_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                if stream.write_all(b"555\n").is_err() {
                    return;
                }
            }
        });
        Self {
            _going: going,
            id: id.expect("a place").to_owned(),
        }
    }

    fn path(&self) -> String {
        format!("/api/v1/jobs/{}", self.id)
    }

    /// As a node shows it.
    fn seen(&self, rig: &Rig, node: usize) -> Value {
        let answer = rig.get(node, &self.path());
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    fn listed(&self, rig: &Rig, node: usize) -> Value {
        let list = rig.get(node, "/api/v1/jobs").json();
        assert_eq!(list["all_nodes"], true, "{list}");
        let mut jobs = list["jobs"].as_array().into_iter().flatten();
        let job = jobs.find(|job| job["id"] == *self.id);
        job.unwrap_or_else(|| panic!("not in {list}")).clone()
    }
}

#[test]
fn a_job_is_followed_and_cancelled_through_other_nodes_and_interrupted_when_its_own_is_killed() {
    let redis = RedisServer::start();
    let rig = Rig::start(&redis.url());
    let upload = Upload::to(&rig, 0);
    // At once: whoever was given the id may ask any node.
    assert_eq!(upload.seen(&rig, 1)["state"], "running");
    assert_eq!(upload.listed(&rig, 2)["state"], "running");
    wait_for("another node sees how far it is, and the bad rows", || {
        let import = &upload.seen(&rig, 1)["import"];
        let errors = import["errors"].as_array().map_or(0, Vec::len);
        import["failed"].as_u64() >= Some(6_000) && errors == 5_000
    });
    let asked = rig.admin(2, "DELETE", &upload.path(), "");
    assert_eq!(asked.status, 200, "{}", asked.body);
    wait_for("it is cancelled, and all nodes say so", || {
        (0..3).all(|node| upload.seen(&rig, node)["state"] == "cancelled")
    });

    let upload = Upload::to(&rig, 0);
    rig.kill_node(0);
    wait_for("its node is gone, and the others say so", || {
        (1..3).all(|node| upload.seen(&rig, node)["state"] == "interrupted")
    });
    let job = upload.listed(&rig, 1);
    assert!(
        job["ended_at"].is_string() && job["problem"].is_string(),
        "{job}"
    );
    // Nobody is there to end it any more, and it stays what it was.
    let asked = rig.admin(1, "DELETE", &upload.path(), "");
    assert_eq!(asked.json()["state"], "interrupted");
    rig.start_node(0);
    assert_eq!(upload.seen(&rig, 0)["state"], "interrupted");
    let nobody = rig.get(1, "/api/v1/jobs/6f1f3c1e-0000-4000-8000-000000000000");
    assert_eq!(nobody.status, 404);
    rig.stop_all();
}
