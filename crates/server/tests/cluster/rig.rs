//! Three nodes, their Redis and their PostgreSQL.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use caller_id_core::store::PastAllocation;
use caller_id_core::{HistoryStore, SystemClock, Timestamp};
use caller_id_store::{PostgresOptions, PostgresStore};
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::RedisServer;
use caller_id_testkit::told::evidence::call_of;
use caller_id_testkit::told::{Certainty, Log, faults};
use tempfile::TempDir;

use crate::client::{Answer, Client};
use crate::dialers::{Field, LIMITS, NODES};
use crate::inventory;
use crate::process::{BINARY, Process, configured};

/// How often, and how many times, something is looked for: 30 seconds in all.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS: u32 = 1_500;
/// A node that has handed out so many numbers serves.
const ENOUGH: usize = 60;

/// The call that shows, before all others, that the nodes are ready.
const FIRST: &str = "first";

/// Nodes as processes of their own.
pub(crate) struct Rig {
    pub(crate) field: Field,
    pub(crate) postgres: Postgres,
    database: String,
    redis_url: Mutex<String>,
    nodes: [Mutex<Option<Process>>; NODES],
    folders: [TempDir; NODES],
}

impl Rig {
    /// Three nodes on that Redis, with the numbers of the inventory.
    pub(crate) fn start(redis_url: &str) -> Self {
        let rig = Self::without_nodes(redis_url);
        for node in 0..NODES {
            rig.start_node(node);
        }
        rig.fill();
        rig
    }

    /// The same without any node.
    pub(crate) fn without_nodes(redis_url: &str) -> Self {
        let postgres = Postgres::start();
        Self {
            field: Field::new(),
            database: postgres.database(),
            postgres,
            redis_url: Mutex::new(redis_url.to_owned()),
            nodes: Default::default(),
            folders: [(); NODES].map(|()| tempfile::tempdir().expect("a folder")),
        }
    }

    /// Writes the inventory through the first node, and waits until all nodes know it.
    pub(crate) fn fill(&self) {
        let address = self.field.address(0).expect("it is there");
        inventory::fill(&mut Client::connect(address));
        wait_for("all nodes know the campaigns", || {
            (0..NODES).all(|node| {
                let path = format!("/next-cid?to=14415550100&campaign=DAY&call={FIRST}");
                self.get(node, &path).status == 200
            })
        });
        let body = format!("{{\"call_id\": \"{FIRST}\"}}");
        let mut client = Client::connect(address);
        let ended = client.ask("POST", "/api/v1/release", &body);
        assert_eq!(ended.expect("an answer").status, 200);
    }

    /// What a node needs to know.
    pub(crate) fn settings(&self, node: usize) -> Vec<(&'static str, String)> {
        vec![
            ("REDIS_URL", self.redis_url().clone()),
            ("DATABASE_URL", self.postgres.url(&self.database)),
            ("NODE_NAME", format!("node{node}")),
        ]
    }

    pub(crate) fn folder(&self, node: usize) -> &std::path::Path {
        self.folders[node].path()
    }

    /// Starts a node and waits until it listens.
    pub(crate) fn start_node(&self, node: usize) {
        self.start_node_of(node, Path::new(BINARY), &[]);
    }

    /// The same of that build, with more settings.
    pub(crate) fn start_node_of(&self, node: usize, build: &Path, more: &[(&str, &str)]) {
        let mut command = Command::new(build);
        command.arg("serve");
        let mut command = configured(command, self.folders[node].path());
        command.envs(self.settings(node)).envs(more.iter().copied());
        let process = Process::start(command);
        self.field.now_at(node, Some(process.address()));
        *self.node(node) = Some(process);
    }

    /// Ends a node as `kill -9` does.
    pub(crate) fn kill_node(&self, node: usize) {
        self.field.now_at(node, None);
        if let Some(process) = self.node(node).take() {
            process.kill();
        }
    }

    /// Tells a node to end, and waits until it has.
    pub(crate) fn stop_node(&self, node: usize) {
        self.field.now_at(node, None);
        let process = self.node(node).take().expect("it runs");
        process.terminate();
        assert_eq!(process.exit_code(), Some(0));
    }

    /// Tells all nodes to end, and waits until they have.
    pub(crate) fn stop_all(&self) {
        let nodes: Vec<_> = (0..NODES)
            .filter_map(|node| {
                self.field.now_at(node, None);
                self.node(node).take()
            })
            .collect();
        nodes.iter().for_each(Process::terminate);
        for node in nodes {
            assert_eq!(node.exit_code(), Some(0));
        }
    }

    /// Starts all nodes, one after the other.
    pub(crate) fn start_all(&self) {
        for node in 0..NODES {
            self.start_node(node);
        }
    }

    /// Nodes that are started from now on have this `REDIS_URL`.
    pub(crate) fn move_to(&self, redis_url: &str) {
        *self.redis_url() = redis_url.to_owned();
    }

    fn redis_url(&self) -> std::sync::MutexGuard<'_, String> {
        self.redis_url
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a node a signal, as `kill` does.
    pub(crate) fn signal(&self, node: usize, name: &str) {
        self.node(node).as_ref().expect("it runs").signal(name);
    }

    fn node(&self, node: usize) -> std::sync::MutexGuard<'_, Option<Process>> {
        self.nodes[node]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What a node answers.
    pub(crate) fn get(&self, node: usize, path: &str) -> Answer {
        let address = self.field.address(node).expect("it is there");
        let answer = Client::connect(address).ask("GET", path, "");
        answer.expect("an answer")
    }

    /// Waits until each node hands out numbers again.
    pub(crate) fn wait_until_all_serve(&self) {
        let before: Vec<_> = self.counts();
        wait_for("every node hands out numbers", || {
            let now = self.counts();
            before
                .iter()
                .zip(now)
                .all(|(before, now)| now > before + ENOUGH)
        });
    }

    fn counts(&self) -> Vec<usize> {
        let each = self.field.handed.iter();
        each.map(|node| node.load(Ordering::Relaxed)).collect()
    }

    /// Waits until all that was done is in the store, stops the nodes, and gives the whole history.
    pub(crate) fn history(&self) -> Vec<PastAllocation> {
        // Who was away brings what it knows within a tenth of a second of coming back.
        thread::sleep(Duration::from_millis(500));
        wait_for("the outbox is empty", || {
            (0..NODES).all(|node| {
                let health = self.get(node, "/health").json();
                health["outbox"]["events"] == 0 && health["redis"] == "ok"
            })
        });
        for node in 0..NODES {
            self.kill_node(node);
        }
        let url = self.postgres.url(&self.database);
        let mut history = read(&url);
        history.retain(|past| call_of(past) != FIRST);
        history
    }

    /// The name of the node that brings the outbox to the store now.
    pub(crate) fn drainer(&self, drainer: impl Fn() -> Option<String>) -> usize {
        let mut found = None;
        wait_for("some node drains the outbox", || {
            let name = drainer();
            found = (0..NODES).find(|node| {
                let prefix = format!("node{node}-");
                name.as_ref().is_some_and(|name| name.starts_with(&prefix))
            });
            found.is_some()
        });
        found.expect("it was waited for")
    }

    /// Ends it and shows that nothing was doubled, passed or forgotten.
    pub(crate) fn check(self, log: &Log, certainty: Certainty) {
        let history = self.history();
        assert_eq!(
            faults(&history, log, certainty, inventory::rules),
            Vec::<String>::new()
        );
        assert!(log.handed.len() > 300, "{} handed", log.handed.len());
        assert!(log.ended.len() > 150, "{} ended", log.ended.len());
        for cause in LIMITS {
            assert!(
                log.causes.contains(cause),
                "nothing was refused for {cause}"
            );
        }
    }
}

fn read(url: &str) -> Vec<PastAllocation> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let options = PostgresOptions::new(Arc::new(SystemClock::new()));
        let store = PostgresStore::open(url, options).await.expect("it opens");
        let mut history = Vec::new();
        store
            .allocations_since(Timestamp::ZERO, &mut |past| history.push(past))
            .await
            .expect("it reads");
        history
    })
}

/// The node that drains the outbox of that Redis, and the run of the server.
pub(crate) fn drainer(redis: &RedisServer) -> Option<String> {
    redis.ask(&["GET", "caller-id:{default}:drainer"]).ok()
}

/// Looks again and again.
///
/// # Panics
/// When it is not so in time: then `what` is named.
pub(crate) fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if so() {
            return;
        }
        thread::sleep(LOOK_EVERY);
    }
    panic!("waited in vain: {what}");
}
