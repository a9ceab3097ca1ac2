//! API keys that one node makes and revokes, on the others.

use caller_id_testkit::redis::RedisServer;
use tokio::time::Instant;

use crate::client::Client;
use crate::dialers::NODES;
use crate::rig::{Rig, wait_for};

impl Rig {
    /// What a node answers to who has this key.
    fn status(&self, node: usize, key: &str) -> u16 {
        let address = self.field.address(node).expect("it is there");
        let answer = Client::connect(address).ask_as(key, "GET", "/api/v1/pools", "");
        answer.expect("an answer").status
    }

    /// What an admin is answered.
    pub(crate) fn admin(
        &self,
        node: usize,
        method: &str,
        path: &str,
        body: &str,
    ) -> crate::client::Answer {
        let address = self.field.address(node).expect("it is there");
        let answer = Client::connect(address).ask(method, path, body);
        answer.expect("an answer")
    }
}

/// A node that does not know a key yet takes it for a guess, and answers 429 after ten: a key that is good opens all the same.
/// How soon is shown with a clock of its own where keys are kept; here it is printed.
#[test]
fn a_key_that_one_node_makes_opens_on_all_and_on_none_once_another_revokes_it() {
    let redis = RedisServer::start();
    let rig = Rig::start(&redis.url());
    for round in 0..5 {
        let wanted = format!("{{\"name\": \"reports {round}\", \"role\": \"viewer\"}}");
        let made = rig.admin(0, "POST", "/api/v1/keys", &wanted);
        assert_eq!(made.status, 201, "{}", made.body);
        let (id, key) = (made.text("id"), made.text("key"));
        let (id, key) = (id.expect("an id"), key.expect("a key"));
        assert_eq!(rig.status(0, &key), 200, "where it was made");
        wait_for("all nodes know the key", || {
            (0..NODES).all(|node| rig.status(node, &key) == 200)
        });
        let revoker = 1 + round % 2;
        let revoked = rig.admin(revoker, "DELETE", &format!("/api/v1/keys/{id}"), "");
        let begun = Instant::now();
        assert_eq!(revoked.status, 200, "{}", revoked.body);
        assert_ne!(rig.status(revoker, &key), 200, "where it was revoked");
        wait_for("no node takes the key", || {
            (0..NODES).all(|node| rig.status(node, &key) != 200)
        });
        eprintln!("revoked everywhere after {:?}", begun.elapsed());
    }
    rig.stop_all();
}
