//! Nodes whose clocks are minutes apart: they are in this process, each with a clock of its own.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;

use caller_id::app::App;
use caller_id::cli::serve_settings;
use caller_id::serve::serve;
use caller_id_core::{Clock, SystemClock, Timestamp};
use caller_id_testkit::redis::{Keep, RedisSetup};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::dialers::NODES;
use crate::inventory::{AGENT_LIMIT, COOLDOWN_S, RESERVATION_S};
use crate::process::TOKEN;
use crate::rig::Rig;
use caller_id_testkit::told::Certainty;

const MINUTE_MS: i64 = 60_000;
/// How far each node's clock is ahead.
const AHEAD_MS: [i64; NODES] = [5 * MINUTE_MS, -5 * MINUTE_MS, 20 * MINUTE_MS];

/// The machine's clock, and some minutes more or less.
struct Ahead {
    clock: SystemClock,
    ms: i64,
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.clock.now().plus_ms(self.ms)
    }
}

/// A node on a thread of its own, until `stop`; gives where it listens.
fn node(rig: &Rig, node: usize, stop: CancellationToken) -> (SocketAddr, thread::JoinHandle<()>) {
    let mut pairs = rig.settings(node);
    let folder = rig.folder(node).to_str().expect("a plain path").to_owned();
    pairs.extend([
        ("DATA_DIR", folder),
        ("ADMIN_TOKEN", TOKEN.to_owned()),
        ("RESERVATION_TTL_SECONDS", RESERVATION_S.to_string()),
        ("CALLER_ID_COOLDOWN_SECONDS", COOLDOWN_S.to_string()),
        ("AGENT_RATE_LIMIT_PER_MIN", AGENT_LIMIT.to_string()),
    ]);
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let settings = serve_settings(&pairs).expect("good settings");
    let clock: Arc<dyn Clock> = Arc::new(Ahead {
        clock: SystemClock::new(),
        ms: AHEAD_MS[node],
    });
    let (tell, told) = mpsc::channel();
    let running = thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            let app = App::open(&settings, clock).await.expect("it starts");
            tell.send(address).expect("somebody waits");
            let served = serve(listener, app, stop.cancelled_owned());
            served.await.expect("it ends well");
        });
    });
    (told.recv().expect("it starts"), running)
}

#[test]
fn nodes_whose_clocks_are_minutes_apart_agree_also_on_what_they_rebuild() {
    let mut redis = RedisSetup {
        keep: Keep::Always,
        ..RedisSetup::default()
    }
    .start();
    let rig = Rig::without_nodes(&redis.url());
    let stop = CancellationToken::new();
    let _stops = stop.clone().drop_guard();
    let nodes: Vec<_> = (0..NODES)
        .map(|place| {
            let (address, running) = node(&rig, place, stop.clone());
            rig.field.now_at(place, Some(address));
            running
        })
        .collect();
    rig.fill();
    let log = rig.field.dial(20, || {
        for _ in 0..2 {
            rig.wait_until_all_serve();
            let _: String = redis.ask(&["FLUSHALL"]).expect("it forgets");
            rig.wait_until_all_serve();
            redis.restart_keeping();
        }
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Acknowledged);
    stop.cancel();
    for running in nodes {
        running.join().expect("a node does not panic");
    }
}
