//! Two states in Redis for one PostgreSQL: only one of them has its numbers. See ADR 14.

use std::fs::{self, File};
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use caller_id_testkit::redis::{Reach, RedisServer, RedisSetup};

use crate::dialers::NODES;
use crate::process::{BINARY, Process, configured, serve};
use crate::rig::{Rig, wait_for};
use caller_id_testkit::told::Certainty;

/// A call of the campaign that never runs dry.
const CALL: &str = "/next-cid?to=14415550100&campaign=DAY";

/// A Redis at a port, as people name it in settings.
fn tcp() -> RedisServer {
    RedisSetup {
        reach: Reach::Tcp,
        ..RedisSetup::default()
    }
    .start()
}

impl Rig {
    /// A node beside the others, with these settings in place of theirs; its log goes into a file.
    fn other(&self, folder: &Path, settings: &[(&str, &str)]) -> Command {
        let mut command = serve(folder);
        command.envs(self.settings(0)).env("NODE_NAME", "other");
        for (name, value) in settings {
            match value.is_empty() {
                true => command.env_remove(name),
                false => command.env(name, value),
            };
        }
        let log = File::create(folder.join("log")).expect("a file");
        command.stderr(log);
        command
    }

    /// What the doctor says with these settings.
    fn doctor(&self, settings: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(BINARY);
        command.arg("doctor");
        let mut command = configured(command, folder.path());
        command.envs(self.settings(0));
        let settings = settings.iter().copied();
        let output = command.envs(settings).output().expect("it runs");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Starts such a node, which is to be refused.
    fn refused(&self, settings: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = self.other(folder.path(), settings);
        let node = command.stdout(Stdio::null()).spawn().expect("it starts");
        ended(node, folder.path())
    }
}

/// Waits for the end of a node that is refused, and gives its log.
fn ended(mut node: Child, folder: &Path) -> String {
    let mut status = None;
    wait_for("a node that is refused ends", || {
        status = node.try_wait().expect("it can be asked");
        status.is_some()
    });
    let said = log(folder);
    assert_eq!(status.and_then(|status| status.code()), Some(1), "{said}");
    said
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).expect("text")
}

fn assert_told(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "`{part}` in: {said}");
    }
}

#[test]
fn a_node_with_another_redis_tenant_or_database_number_is_refused_while_nodes_run() {
    let (redis, second) = (tcp(), tcp());
    let rig = Rig::start(&redis.url());
    let url = redis.url();
    let number = format!("{}/1", url.strip_suffix("/0").unwrap_or(&url));
    let log = rig.field.dial(30, || {
        rig.wait_until_all_serve();
        for (name, value) in [
            ("REDIS_URL", second.url()),
            ("REDIS_TENANT", "another".to_owned()),
            ("REDIS_URL", number),
        ] {
            // What it made there stays: the second try is a restart by a supervisor.
            for _ in 0..2 {
                let said = rig.refused(&[(name, &value)]);
                let look_at = [
                    "is in use by nodes with another state in Redis (`node0`, `node1`, `node2`: state ",
                    &format!(" of redis at 127.0.0.1:{}, database 0, tenant `default`, written down by the node `node", redis.port()),
                    "This node `other` has redis at 127.0.0.1:",
                    "Look at REDIS_URL (its hosts and the number of the database) and REDIS_TENANT",
                ];
                assert_told(&said, &look_at);
            }
        }
        let said = rig.doctor(&[]);
        assert_told(&said, &["ok       cluster: state of the database: this one: state "]);
        let said = rig.doctor(&[("REDIS_URL", &second.url())]);
        let told = "error    cluster: state of the database: another one, which the nodes `node0`, `node1`, `node2` hold: ";
        assert_told(&said, &[told, "set REDIS_URL (its hosts"]);
        let said = rig.refused(&[("REDIS_URL", "")]);
        assert_told(&said, &["nodes whose engine is in Redis (`node0`, `node1`, `node2`)"]);
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Whole);
}

#[test]
fn a_move_to_another_redis_and_back_needs_nothing_but_a_stop_of_all_nodes() {
    let (redis, second) = (tcp(), tcp());
    let rig = Rig::start(&redis.url());
    let log = rig.field.dial(31, || {
        // The way back: nobody told the first Redis to forget what it has, which knows nothing of the time between.
        for url in [second.url(), redis.url(), second.url()] {
            rig.wait_until_all_serve();
            rig.stop_all();
            rig.move_to(&url);
            rig.start_all();
        }
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Acknowledged);
}

fn hand_out(rig: &Rig, call: &str) -> String {
    let answer = rig.get(0, &format!("{CALL}&call={call}"));
    assert_eq!(answer.status, 200, "{call}");
    answer.json()["caller_id"].to_string()
}

#[test]
fn a_node_of_another_redis_waits_for_nodes_that_were_killed_and_takes_over_when_none_comes_back() {
    let (redis, second) = (tcp(), tcp());
    let rig = Rig::start(&redis.url());
    let kill_all = |rig: &Rig| (0..NODES).for_each(|node| rig.kill_node(node));
    kill_all(&rig);
    // A supervisor starts a node with a wrong setting in a loop: it comes first.
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = rig.other(folder.path(), &[("REDIS_URL", &second.url())]);
    let other = command.stdout(Stdio::null()).spawn().expect("it starts");
    wait_for("it waits for them", || {
        log(folder.path()).contains("may come back")
    });
    rig.start_all();
    assert_told(&ended(other, folder.path()), &["another state in Redis"]);
    // Nobody comes back: it is theirs then, by itself.
    kill_all(&rig);
    rig.move_to(&second.url());
    rig.start_all();
    hand_out(&rig, "one");
}

/// Leads connections to a port of this machine, which may become another one.
struct Detour {
    port: u16,
    target: Arc<AtomicU16>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Detour {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let detour = Self {
            port: listener.local_addr().expect("an address").port(),
            target: Arc::new(AtomicU16::new(port)),
            open: Arc::default(),
        };
        let (target, open) = (detour.target.clone(), detour.open.clone());
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let target = ("127.0.0.1", target.load(Ordering::SeqCst));
                let Ok(far) = TcpStream::connect(target) else {
                    continue;
                };
                let again = |stream: &TcpStream| stream.try_clone().expect("a handle");
                open.lock()
                    .expect("no panic")
                    .extend([again(&near), again(&far)]);
                for (mut from, mut to) in [(again(&near), again(&far)), (far, near)] {
                    thread::spawn(move || io::copy(&mut from, &mut to));
                }
            }
        });
        detour
    }

    fn turn_to(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
        for stream in self.open.lock().expect("no panic").drain(..) {
            // Whoever left already is gone.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

#[test]
fn a_running_node_that_finds_another_redis_refuses_calls_and_goes_on_when_it_is_right_again() {
    let (redis, second) = (tcp(), tcp());
    let rig = Rig::start(&redis.url());
    let detour = Detour::to(redis.port());
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("redis://127.0.0.1:{}", detour.port);
    let other = Process::start(rig.other(folder.path(), &[("REDIS_URL", &url)]));
    let ask = |path: &str| {
        let answer = other.connect().ask("GET", path, "");
        answer.expect("an answer")
    };
    let field = rig.field.dial(33, || {
        wait_for("it serves", || ask("/ready").status == 200);
        detour.turn_to(second.port());
        wait_for("it says that it is another state", || {
            log(folder.path()).contains("no number is handed out: ")
        });
        let refused = ask(&format!("{CALL}&call=strange"));
        assert_eq!(refused.status, 503);
        wait_for("it is not ready", || ask("/ready").status == 503);
        assert_eq!(ask("/health").json()["redis"], "refused");
        // Nor does it begin to when the others do not see the database for a moment.
        rig.postgres.down();
        rig.wait_until_all_serve();
        rig.postgres.up();
        rig.wait_until_all_serve();
        assert_eq!(ask(&format!("{CALL}&call=strange")).status, 503);
        detour.turn_to(redis.port());
        wait_for("it serves again", || ask("/ready").status == 200);
        // What others leave of the pool it hands out.
        assert_ne!(ask(&format!("{CALL}&call=strange")).status, 503);
    });
    // Of the others those that hold the state then: who just lost its connection to PostgreSQL does so again in a moment.
    let told = "another state in Redis (`node";
    assert_told(&log(folder.path()), &[told]);
    other.kill();
    rig.check(&field, Certainty::Acknowledged);
}

#[test]
fn a_node_without_redis_in_a_restart_loop_never_wins_a_restart_of_postgresql() {
    let redis = tcp();
    let rig = Rig::start(&redis.url());
    let log = rig.field.dial(32, || {
        rig.wait_until_all_serve();
        for _ in 0..3 {
            rig.postgres.down();
            thread::scope(|scope| {
                let looping = scope.spawn(|| {
                    let mut said = String::new();
                    wait_for("the node alone is refused by nodes that came back", || {
                        said = rig.refused(&[("REDIS_URL", "")]);
                        said.contains("nodes whose engine is in Redis")
                    });
                    said
                });
                rig.postgres.up();
                looping.join().expect("it was refused");
            });
            rig.wait_until_all_serve();
        }
    });
    rig.check(&log, Certainty::Whole);
}

#[test]
fn a_node_that_is_started_while_postgresql_is_away_ends_and_says_so() {
    let redis = tcp();
    let rig = Rig::start(&redis.url());
    rig.postgres.down();
    let said = rig.refused(&[]);
    assert_told(&said, &["cannot open the database"]);
    rig.postgres.up();
    hand_out(&rig, "one");
}
