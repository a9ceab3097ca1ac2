//! The built service as a process of its own, with numbers.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};

use caller_id_core::store::PastAllocation;
use caller_id_core::{HistoryStore, SystemClock, Timestamp};
use caller_id_store::{SqliteOptions, SqliteStore};
use serde_json::json;
use tempfile::TempDir;

use crate::client::{Client, PATIENCE};
use crate::process::{Guarded, TOKEN, tcp_port, wait_for};
use crate::rig::CAMPAIGN;

/// Area codes with numbers: so many each.
const AREA_CODES: [u16; 10] = [312, 212, 415, 305, 702, 404, 617, 713, 206, 602];
/// As many as the calls of one test need at the same time, and some.
const NUMBERS: u32 = 40;

/// How a dialplan asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Agi,
    Curl,
}

/// A running service; killed when dropped.
pub(crate) struct Service {
    process: Guarded,
    /// Where it listens for HTTP.
    pub(crate) web: SocketAddr,
    /// The port where it listens for FastAGI.
    pub(crate) agi: u16,
    folder: TempDir,
}

impl Service {
    /// Starts one whose campaign has numbers in each area code. Numbers rest so long that none is shown twice in a test.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let agi = tcp_port();
        let mut process = Guarded::start(&mut command(folder.path(), agi));
        let out = process.0.stdout.take().expect("piped");
        let (say, said) = mpsc::channel();
        // To its end: whoever prints into a closed pipe fails.
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let banner = line.trim().rsplit_once("http://");
                if let Some(address) = banner.and_then(|(_, address)| address.parse().ok()) {
                    // Nobody listens for a second one.
                    let _ = say.send(address);
                }
            }
        });
        let web = said.recv_timeout(PATIENCE);
        let service = Self {
            process,
            web: web.expect("it says where it listens"),
            agi,
            folder,
        };
        service.fill();
        service
    }

    fn fill(&self) {
        let mut csv = "caller_id,pool\n".to_owned();
        for area_code in AREA_CODES {
            for line in 0..NUMBERS {
                csv.push_str(&format!("{area_code}333{line:04},calls\n"));
            }
        }
        let mut client = Client::connect(self.web);
        let campaign = json!({ "pools": ["calls"] }).to_string();
        for (method, path, body) in [
            ("POST", "/api/v1/numbers/import", csv.as_str()),
            ("PUT", &format!("/api/v1/campaigns/{CAMPAIGN}"), &campaign),
        ] {
            let answer = client.ask(method, path, body).expect("an answer");
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        }
    }

    /// What `dialplan` is to be told, so that it asks this one.
    pub(crate) fn host(&self, via: Via) -> String {
        match via {
            Via::Agi => format!("127.0.0.1:{}", self.agi),
            Via::Curl => self.web.to_string(),
        }
    }

    /// Sends it a signal, as `kill` does.
    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Ends it, and gives all that it kept.
    pub(crate) fn history(mut self) -> Vec<PastAllocation> {
        self.process.signal("-TERM");
        wait_for("the service ends", || {
            self.process.0.try_wait().expect("it is ours")
        });
        history(self.folder.path())
    }
}

fn command(folder: &Path, agi: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command
        .arg("serve")
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("DATA_DIR", folder)
        .env("API_PORT", "0")
        .env("AGI_LISTEN", format!("127.0.0.1:{agi}"))
        // A machine that runs all of this at once is slow: what is shown here is no matter of milliseconds.
        .env("AGI_DEADLINE_MS", "800")
        .env("ADMIN_TOKEN", TOKEN)
        .env("LOG_LEVEL", "warn")
        .env("RESERVATION_TTL_SECONDS", "300")
        .env("CALLER_ID_COOLDOWN_SECONDS", "300")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

fn history(folder: &Path) -> Vec<PastAllocation> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let options = SqliteOptions::new(Arc::new(SystemClock::new()));
        let path = folder.join("caller-id.db");
        let store = SqliteStore::open(&path, options).expect("it opens");
        store.settle().await.expect("history takes the journal");
        let mut history = Vec::new();
        let keep = &mut |past| history.push(past);
        let read = store.allocations_since(Timestamp::ZERO, keep).await;
        read.expect("it reads");
        store.close().await;
        history
    })
}
