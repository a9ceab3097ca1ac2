//! Connecting to one server, and asking who it is.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, RedisResult, TlsCertificates, cmd, pipe,
};

use super::address::{Login, Node};
use super::error::{BadAddress, Unreachable};

/// A silent connection is probed after so long, so often, and that many times.
const PROBE_AFTER: Duration = Duration::from_secs(10);
const PROBE_EVERY: Duration = Duration::from_secs(5);
const PROBES: u32 = 3;
/// What a server is that names masters and holds nothing.
const IS_SENTINEL: &str = "it is a sentinel -> name it so: REDIS_URL=redis-sentinel://host:26379/0?master=<its name for the \
                           master>";
/// What a server says, even to `PING`, that could not write to its disk and takes no change until it can.
const WRITES_NOTHING: &str = "MISCONF";
/// A server's `run_id` has so many hexadecimal characters.
const RUN_ID_LENGTH: usize = 40;

/// What all connections share.
#[derive(Clone)]
pub(super) struct Dialer {
    /// None: no TLS.
    pub(super) tls: Option<TlsCertificates>,
    /// How long a server may take to say who it is.
    patience: Duration,
    /// What we call whom we ask.
    pub(super) kind: Kind,
}

/// What a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It holds the keys.
    Redis,
    /// It knows who does.
    Sentinel,
}

/// Who a server says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Greeting {
    /// This run of the server as a master: its `run_id`, and behind it the id under which it replicates. That one is new
    /// whenever a replica becomes a master, also when it was the master before: what it has may be older then.
    pub(super) run: Arc<str>,
    /// Whether it is one of a cluster.
    pub(super) cluster: bool,
    /// The master it follows, when it does.
    pub(super) replica_of: Option<String>,
}

impl Dialer {
    /// Trusts the certificates in the file `ca`, or those that the web trusts.
    ///
    /// # Errors
    /// [`BadAddress`] when that file cannot be read or holds no certificate.
    pub(super) fn new(
        tls: bool,
        ca: Option<&Path>,
        patience: Duration,
    ) -> Result<Self, BadAddress> {
        let tls = tls.then(|| certificates(ca)).transpose()?;
        Ok(Self {
            tls,
            patience,
            kind: Kind::Redis,
        })
    }

    /// The same for sentinels.
    pub(super) fn for_sentinels(&self) -> Self {
        Self {
            kind: Kind::Sentinel,
            ..self.clone()
        }
    }

    /// What a node is called in messages.
    pub(super) fn name(&self, node: &Node) -> String {
        let kind = match self.kind {
            Kind::Redis => "redis",
            Kind::Sentinel => "sentinel",
        };
        format!("{kind} at {node}")
    }

    /// A connection to a server, whatever it is.
    pub(super) async fn open(
        &self,
        node: &Node,
        login: &Login,
    ) -> Result<MultiplexedConnection, Unreachable> {
        let opening = async {
            let client = self.client(node, login)?;
            // Who asks sets the deadline of each answer.
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(None)
                .set_response_timeout(None);
            let connection = client.get_multiplexed_async_connection_with_config(&config);
            connection.await
        };
        self.within(node, opening).await
    }

    /// The answer to a question, in time.
    pub(super) async fn within<T>(
        &self,
        node: &Node,
        asked: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, Unreachable> {
        let at = || self.name(node);
        match tokio::time::timeout(self.patience, asked).await {
            Ok(answered) => answered.map_err(|error| Unreachable::Refused { at: at(), error }),
            Err(_) => Err(Unreachable::Late {
                at: at(),
                ms: self.patience.as_millis(),
            }),
        }
    }

    /// Asks who answers, and whether it is ready: while it loads its data it says so.
    pub(super) async fn greet(
        &self,
        node: &Node,
        connection: &mut MultiplexedConnection,
    ) -> Result<Greeting, Unreachable> {
        // By itself: what is refused together is hard to read.
        let ping = cmd("PING");
        let pong = ping.query_async::<String>(connection);
        match self.within(node, pong).await {
            // Its disk is full, say: it is there, answers what writes nothing, and tells more of it.
            Err(Unreachable::Refused { error, .. }) if error.code() == Some(WRITES_NOTHING) => {}
            answered => drop(answered?),
        }
        let mut asked = pipe();
        asked.cmd("INFO").arg("server");
        asked.cmd("INFO").arg("replication");
        let answer = asked.query_async(connection);
        let (server, replication): (String, String) = self.within(node, answer).await?;
        let greeting = Greeting::read(&server, &replication);
        greeting.map_err(|what| Unreachable::Unusable {
            at: self.name(node),
            what,
        })
    }

    fn client(&self, node: &Node, login: &Login) -> RedisResult<Client> {
        let keepalive = TcpKeepalive::new()
            .with_time(PROBE_AFTER)
            .with_interval(PROBE_EVERY)
            .with_retries(PROBES);
        let tcp = TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(keepalive);
        let info = address(node, self.tls.is_some())
            .into_connection_info()?
            .set_tcp_settings(tcp)
            .set_redis_settings(settings(login));
        match &self.tls {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        }
    }
}

fn address(node: &Node, tls: bool) -> ConnectionAddr {
    match node.clone() {
        Node::Tcp(host, port) if tls => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        },
        Node::Tcp(host, port) => ConnectionAddr::Tcp(host, port),
        Node::Unix(path) => ConnectionAddr::Unix(path),
    }
}

fn settings(login: &Login) -> RedisConnectionInfo {
    let mut settings = RedisConnectionInfo::default().set_db(login.database);
    if let Some(user) = &login.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &login.password {
        settings = settings.set_password(password);
    }
    settings
}

fn certificates(ca: Option<&Path>) -> Result<TlsCertificates, BadAddress> {
    // The client takes what the process has chosen. An error says that somebody has: that is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(path) = ca else {
        return Ok(TlsCertificates {
            client_tls: None,
            root_cert: None,
        });
    };
    let bad = |why: &str| BadAddress::Authority {
        file: path.display().to_string(),
        why: why.to_owned(),
    };
    let pem = std::fs::read(path).map_err(|error| bad(&format!("cannot be read: {error}")))?;
    if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        return Err(bad("holds no certificate in PEM form"));
    }
    let certificates = TlsCertificates {
        client_tls: None,
        root_cert: Some(pem),
    };
    let anywhere = address(&Node::Tcp("localhost".to_owned(), 1), true);
    let checked: Result<Client, RedisError> =
        Client::build_with_tls(anywhere, certificates.clone());
    checked.map_err(|error| bad(&format!("cannot be used: {error}")))?;
    Ok(certificates)
}

impl Greeting {
    fn read(server: &str, replication: &str) -> Result<Self, String> {
        let run_id = field(server, "run_id").unwrap_or_default();
        if run_id.len() != RUN_ID_LENGTH || !run_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("INFO gives no `run_id` of 40 hexadecimal characters".to_owned());
        }
        // Valkey calls it the mode of the server.
        let mode = field(server, "redis_mode").or_else(|| field(server, "server_mode"));
        if mode == Some("sentinel") {
            return Err(IS_SENTINEL.to_owned());
        }
        let of = |name| field(replication, name).unwrap_or("?");
        let replica_of = match field(replication, "role") {
            Some("master") => None,
            Some(_) => Some(format!("{}:{}", of("master_host"), of("master_port"))),
            None => return Err("INFO gives no `role`".to_owned()),
        };
        Ok(Self {
            run: format!("{run_id}{}", replication_id(replication)).into(),
            cluster: mode == Some("cluster"),
            replica_of,
        })
    }
}

/// A field of what `INFO` or `CLUSTER INFO` says.
pub(in crate::redis) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = info.lines().filter_map(|line| line.split_once(':'));
    fields
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.trim())
}

/// The id under which a master replicates; empty where it tells none.
fn replication_id(replication: &str) -> &str {
    let id = field(replication, "master_replid").unwrap_or_default();
    match id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => id,
        false => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN_ID: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn a_greeting_tells_master_replica_and_cluster() {
        let server = format!("# Server\r\nredis_mode:cluster\r\nrun_id:{RUN_ID}\r\n");
        let master = Greeting::read(&server, "role:master\r\n").unwrap();
        assert_eq!((&*master.run, master.cluster), (RUN_ID, true));
        assert_eq!(master.replica_of, None);
        let server = format!("server_mode:standalone\r\nrun_id:{RUN_ID}\r\n");
        let replication = "role:slave\r\nmaster_host:one\r\nmaster_port:7\r\n";
        let replica = Greeting::read(&server, replication).unwrap();
        assert_eq!(replica.replica_of.as_deref(), Some("one:7"));
        assert!(!replica.cluster);
    }

    #[test]
    fn a_master_that_was_a_replica_meanwhile_is_another_run_of_it() {
        let server = format!("redis_mode:standalone\r\nrun_id:{RUN_ID}\r\n");
        let run = |id: &str| {
            let replication = format!("role:master\r\nmaster_replid:{id}\r\n");
            Greeting::read(&server, &replication).unwrap().run
        };
        let once = "a".repeat(40);
        assert_eq!(*run(&once), *format!("{RUN_ID}{once}"));
        assert_ne!(run(&once), run(&"b".repeat(40)));
        assert_eq!(&*run("no id"), RUN_ID);
    }

    #[test]
    fn a_server_that_does_not_say_who_it_is_is_not_used() {
        assert!(Greeting::read("run_id:12\r\n", "role:master\r\n").is_err());
        assert!(Greeting::read(&format!("run_id:{RUN_ID}\r\n"), "").is_err());
    }
}
