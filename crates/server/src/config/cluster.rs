//! Where the hot state is when it is not in this process, and who this node is.

use std::time::Duration;

use clap::Args;

use super::ConfigError;
use super::secret::Secret;

/// Many nodes on one Redis, or one that waits for another to end.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterConfig {
    /// Redis, which then holds the hot state for as many nodes as there are: `redis://[user:password@]host:6379/0`, `rediss://` with
    /// TLS, `unix:///path/to/socket`, `redis-sentinel://host:26379,host:26379/0?master=name`, `rediss-sentinel://`; several hosts with commas:
    /// nodes of a Redis Cluster, which is found from any of them. When not set, the hot state is in this process, which then must be the only one
    #[arg(long, value_name = "URL")]
    pub redis_url: Option<Secret>,
    /// Redis's password, when the URL has none
    #[arg(long, value_name = "SECRET")]
    pub redis_password: Option<Secret>,
    /// A file with the certificates of those who may sign Redis's certificate (PEM); when not set, the public ones
    #[arg(long, value_name = "FILE")]
    pub redis_tls_ca: Option<std::path::PathBuf>,
    /// After so many milliseconds without an answer of Redis a request is answered with 503
    #[arg(long, value_name = "MS", default_value = "150", value_parser = super::number::within::<10, 60_000>)]
    pub redis_timeout_ms: u32,
    /// Whose state it is: all keys in Redis carry this name. Call centres that share a Redis have one each
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub redis_tenant: String,
    /// So many allocations and ends may wait in Redis while the database is away, about 150 bytes each. With more, no number
    /// is handed out (503), rather than to forget what was
    #[arg(long, value_name = "COUNT", default_value = "5000000", value_parser = super::number::within::<1_000, 1_000_000_000>)]
    pub outbox_limit: u32,
    /// The name of this node, for logs; when not set, the name of the machine
    #[arg(long, value_name = "NAME")]
    pub node_name: Option<String>,
    /// `true`: where another node has the PostgreSQL database to itself, wait until it ends and take over, instead of ending at once
    #[arg(long, value_name = "BOOL", default_value = "false", action = clap::ArgAction::Set, value_parser = clap::builder::BoolishValueParser::new())]
    pub standby: bool,
}

/// More would make every key longer.
const TENANT_BYTES_MOST: usize = 64;

impl ClusterConfig {
    /// Checks what one setting alone cannot tell.
    ///
    /// # Errors
    /// [`ConfigError`] for a tenant that is no plain name.
    pub fn check(&self) -> Result<(), ConfigError> {
        let tenant = &self.redis_tenant;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if tenant.is_empty() || tenant.len() > TENANT_BYTES_MOST || !tenant.bytes().all(plain) {
            return Err(ConfigError::new(
                "REDIS_TENANT",
                tenant,
                "expected at most 64 letters, digits, `-`, `_` and `.`",
            ));
        }
        Ok(())
    }

    /// How long an answer of Redis may take.
    pub fn redis_timeout(&self) -> Duration {
        Duration::from_millis(u64::from(self.redis_timeout_ms))
    }

    /// Whether the hot state is in Redis.
    pub fn is_shared(&self) -> bool {
        self.redis_url.is_some()
    }

    /// Whether somebody is trusted to sign certificates, and no TLS is spoken.
    pub fn has_useless_authority(&self) -> bool {
        let url = self.redis_url.as_ref().map_or("", Secret::reveal).trim();
        let encrypted = ["rediss", "valkeys"];
        self.redis_tls_ca.is_some() && !encrypted.iter().any(|scheme| url.starts_with(scheme))
    }

    /// The name of this node.
    pub fn node_name(&self) -> String {
        let own = self.node_name.as_deref().map(str::trim);
        let own = own.filter(|name| !name.is_empty()).map(str::to_owned);
        own.unwrap_or_else(|| {
            let machine = rustix::system::uname();
            machine.nodename().to_string_lossy().into_owned()
        })
    }
}
