//! A throw-away master with a replica, and three sentinels that watch them.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::process::{Process, ask, free_port, wait_for};
use super::tls::Certificates;
use super::{Reach, RedisServer, RedisSetup, encoded};

/// What the sentinels call the master.
const NAME: &str = "mine";
/// The password of master and replica, and that of the sentinels.
const PASSWORD: &str = "known/to@servers";
const SENTINEL_PASSWORD: &str = "known&to=sentinels";
/// So many sentinels watch, and so many of them must agree.
const SENTINELS: usize = 3;
const QUORUM: usize = 2;
/// So long a master is silent before it counts as away, in milliseconds.
const DOWN_AFTER_MS: u32 = 500;
/// So long a failover may take, in milliseconds.
const FAILOVER_TIMEOUT_MS: u32 = 3_000;

/// A master, its replica, and their sentinels. All of them want passwords.
#[derive(Debug)]
pub struct RedisSentinels {
    reach: Reach,
    servers: [RedisServer; 2],
    sentinels: Vec<Sentinel>,
}

#[derive(Debug)]
struct Sentinel {
    _process: Process,
    folder: TempDir,
    port: u16,
}

impl RedisSentinels {
    /// Starts them all, with TLS or without, and waits until the sentinels know of one another and of the replica: some
    /// seconds.
    ///
    /// # Panics
    /// When redis-server is not installed, or they do not find one another within 30 seconds; for [`Reach::Socket`].
    pub fn start(reach: Reach) -> Self {
        assert_ne!(reach, Reach::Socket, "sentinels know of ports alone");
        let certificates = (reach == Reach::Tls).then(|| Arc::new(Certificates::make()));
        let more = ["--repl-diskless-sync-delay", "0", "--masterauth", PASSWORD];
        let setup = RedisSetup {
            reach,
            password: Some(PASSWORD.to_owned()),
            more: more.map(str::to_owned).into(),
            ..RedisSetup::default()
        };
        let servers = [(), ()].map(|()| setup.clone().start_with(certificates.clone()));
        let master = servers[0].port().to_string();
        let _: () = servers[1]
            .ask(&["REPLICAOF", "127.0.0.1", &master])
            .expect("it becomes a replica");
        wait_for("the replica follows", || {
            let info: String = servers[1].ask(&["INFO", "replication"]).ok()?;
            info.contains("master_link_status:up").then_some(())
        });
        let port = servers[0].port();
        let sentinels = (0..SENTINELS).map(|_| Sentinel::start(port, certificates.as_deref()));
        let all = Self {
            reach,
            servers,
            sentinels: sentinels.collect(),
        };
        wait_for("the sentinels know all", || {
            all.sentinels.iter().all(Sentinel::knows_all).then_some(())
        });
        all
    }

    /// The address with the sentinels in it.
    pub fn url(&self) -> String {
        let places = self.sentinels.iter();
        let places: Vec<_> = places
            .map(|sentinel| format!("127.0.0.1:{}", sentinel.port))
            .collect();
        let tls = if self.reach == Reach::Tls { "s" } else { "" };
        format!(
            "redis{tls}-sentinel://:{}@{}/0?master={NAME}&sentinel_password={}",
            encoded(PASSWORD),
            places.join(","),
            encoded(SENTINEL_PASSWORD),
        )
    }

    /// Whose signature all certificates have, with TLS.
    pub fn authority(&self) -> Option<PathBuf> {
        self.servers[0].authority()
    }

    /// The server that began as the master.
    pub fn first_master(&mut self) -> &mut RedisServer {
        &mut self.servers[0]
    }

    /// The server that began as the replica.
    pub fn first_replica(&mut self) -> &mut RedisServer {
        &mut self.servers[1]
    }

    /// Waits until all sentinels call the one that began as the replica the master, and it is.
    ///
    /// # Panics
    /// When that is not so within 30 seconds.
    pub fn wait_for_failover(&self) {
        let replica = &self.servers[1];
        wait_for("the replica is made the master", || {
            let info: String = replica.ask(&["INFO", "replication"]).ok()?;
            let port = replica.port().to_string();
            let named = |sentinel: &Sentinel| sentinel.master().get("port") == Some(&port);
            let agreed = self.sentinels.iter().all(named);
            (info.contains("role:master") && agreed).then_some(())
        });
    }
}

impl Sentinel {
    fn start(master: u16, certificates: Option<&Certificates>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for a sentinel");
        let path = folder.path().join("sentinel.conf");
        let port = free_port();
        let mut settings = format!(
            "bind 127.0.0.1\nunixsocket {}\nrequirepass {SENTINEL_PASSWORD}\n\
             sentinel monitor {NAME} 127.0.0.1 {master} {QUORUM}\n\
             sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}\n\
             sentinel failover-timeout {NAME} {FAILOVER_TIMEOUT_MS}\n\
             sentinel auth-pass {NAME} {PASSWORD}\n",
            folder.path().join("socket").display(),
        );
        let plain = [["port".to_owned(), port.to_string()]];
        let tls = certificates.map(|made| made.settings(port));
        let none = ["port".to_owned(), "0".to_owned()];
        let reach = tls.map_or(plain.to_vec(), |tls| [vec![none], tls].concat());
        for [name, value] in reach {
            settings.push_str(&format!("{name} {value}\n"));
        }
        fs::write(&path, settings).expect("the folder can be written");
        let arguments = [path.display().to_string(), "--sentinel".to_owned()];
        Self {
            _process: Process::start(&arguments, folder.path()),
            folder,
            port,
        }
    }

    /// What it says of the master; nothing while it does not answer.
    fn master(&self) -> HashMap<String, String> {
        let socket = self.folder.path().join("socket");
        let password = encoded(SENTINEL_PASSWORD);
        let url = format!("redis+unix://{}?pass={password}", socket.display());
        ask(&url, &["SENTINEL", "MASTER", NAME]).unwrap_or_default()
    }

    fn knows_all(&self) -> bool {
        let master = self.master();
        let is = |field, value: &str| master.get(field).is_some_and(|found| found == value);
        is("num-other-sentinels", "2") && is("num-slaves", "1") && is("flags", "master")
    }
}
