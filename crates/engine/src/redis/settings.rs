//! Where Redis is, and how long it may take.

use std::path::PathBuf;
use std::time::Duration;

use super::keys::Keys;
use super::link::{BadAddress, Link};
use super::{OUTBOX_MOST, keys};

/// Where Redis is, and how long it may take. Not `Debug`: the address may hold a password.
#[derive(Clone)]
pub struct Settings {
    /// `redis://[user:password@]host[:port][,host[:port]...][/database]`: one server, or some of a cluster. `rediss://` for
    /// TLS, `unix:///path?db=database&user=...&pass=...` for a socket. With sentinels
    /// `redis-sentinel://[user:password@]host[:port][,...][/database]?master=name`, there too `&sentinel_user=...` and
    /// `&sentinel_password=...`; `rediss-sentinel://` for TLS to them and to Redis.
    pub url: String,
    /// The password, when `url` has none.
    pub password: Option<String>,
    /// The certificates to trust with TLS, a file in PEM form, in place of those that the web trusts. Certificates are
    /// always verified; they must name the host as the URL, the cluster or the sentinels do.
    pub tls_ca: Option<PathBuf>,
    /// Whose keys: all of them carry this name as their hash tag.
    pub tenant: String,
    /// This process: no other that runs has the same name.
    pub node: String,
    /// So many events may wait for the store; with more, no number is handed out.
    pub outbox_most: u64,
    /// How long a server may take to be connected to, and to say who it is.
    pub connection_timeout: Duration,
    /// How long an answer of Redis may take, waiting for a connection included.
    pub response_timeout: Duration,
}

impl Settings {
    /// Redis at `url`, the tenant `default`, and at most 150 ms for each step.
    pub fn at(url: &str) -> Self {
        let patience = Duration::from_millis(150);
        Self {
            url: url.to_owned(),
            password: None,
            tls_ca: None,
            tenant: keys::DEFAULT_TENANT.to_owned(),
            node: format!("{:016x}", rand::random::<u64>()),
            outbox_most: OUTBOX_MOST,
            connection_timeout: patience,
            response_timeout: patience,
        }
    }

    /// Whether address and certificates can be read. Nobody is asked.
    ///
    /// # Errors
    /// [`BadAddress`] says what is wrong, without a password.
    pub fn check(&self) -> Result<(), BadAddress> {
        Link::check(self)
    }

    /// Where the state is, for people: hosts, number of the database, tenant; without a password.
    pub fn place(&self) -> String {
        let (places, database) = Link::place(self);
        format!(
            "redis at {places}, database {database}, tenant `{}`",
            Keys::of(&self.tenant).hash_tag()
        )
    }
}
