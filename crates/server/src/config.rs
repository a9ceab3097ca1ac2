//! The settings: one struct for each concern. Nothing else reads flags, the environment or `.env`.
//!
//! Each setting is a long flag (`--api-port`) and an environment name (`API_PORT`), that may also stand in `.env`. The flag
//! wins over the environment, that over `.env`, that over the default. An empty value is like none.

pub mod access;
pub mod agi;
pub mod cluster;
pub mod describe;
mod dot_env;
pub mod effective;
pub mod error;
pub mod legacy;
pub mod list;
pub mod listen;
pub mod log;
pub mod number;
pub mod rotation;
pub mod secret;
pub mod source;
pub mod sso;
pub mod storage;
pub mod traces;

use std::sync::Arc;

use clap::Args;

use self::storage::DatabaseUrl;

pub use error::ConfigError;

/// All settings of the service.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Where it listens.
    #[command(flatten)]
    pub listen: listen::ListenConfig,
    /// Where Asterisk asks.
    #[command(flatten)]
    pub agi: agi::AgiConfig,
    /// Where the data is kept.
    #[command(flatten)]
    pub storage: storage::StorageConfig,
    /// How safely, and for how long.
    #[command(flatten)]
    pub history: storage::HistoryConfig,
    /// Whether it is one of many nodes.
    #[command(flatten)]
    pub cluster: cluster::ClusterConfig,
    /// Who may ask.
    #[command(flatten)]
    pub access: access::AccessConfig,
    /// How people sign in.
    #[command(flatten)]
    pub sso: sso::SsoConfig,
    /// How numbers rotate.
    #[command(flatten)]
    pub rotation: rotation::RotationConfig,
    /// What is logged.
    #[command(flatten)]
    pub log: log::LogConfig,
    /// What is traced.
    #[command(flatten)]
    pub traces: traces::TraceConfig,
    /// Names of the service that this one replaces.
    #[command(flatten)]
    pub legacy: legacy::LegacyConfig,
    /// What holds for each, and where it came from: for people, without secrets.
    #[arg(skip)]
    pub effective: Arc<[effective::Effective]>,
}

impl Settings {
    /// Checks what one setting alone cannot tell, before anything is opened.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.cluster.check()?;
        self.storage.database()?;
        self.rotation.dial_plan()?;
        self.access.check(self.listen.is_loopback())?;
        self.sso.check()?;
        self.traces.check()?;
        self.access.check_keys(self.agi.is_loopback())
    }

    /// What is allowed, but should be known: one line each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.legacy.warnings();
        warnings.extend(effective::warnings(&self.effective));
        warnings.extend(self.access.warnings());
        warnings.extend(self.sso.warnings(!self.access.trusted_proxies.0.is_empty()));
        if self.cluster.is_shared() && self.access.needs_first_token() {
            warnings.push(
                "REDIS_URL is set, and ADMIN_TOKEN is not: each node makes an admin token of its own".to_owned(),
            );
        }
        if self.cluster.is_shared() && matches!(self.storage.database(), Ok(DatabaseUrl::Sqlite(_)))
        {
            warnings.push(
                "REDIS_URL is set, and the database is SQLite: a file of this machine, so no second node can share the numbers; \
                 for that set DATABASE_URL to a PostgreSQL"
                    .to_owned(),
            );
        }
        if self.cluster.has_useless_authority() {
            warnings.push(
                "REDIS_TLS_CA is set, and REDIS_URL begins with neither rediss:// nor rediss-sentinel://: the link to Redis is \
                 not encrypted"
                    .to_owned(),
            );
        }
        let kept = self.history.kept();
        warnings.extend(kept.warning("STICKY_SECONDS", &self.rotation.policy()));
        if self.access.has_proxy_here() && self.access.admits_no_dialer() {
            warnings.push(
                "TRUSTED_PROXIES has this machine, and neither DIALER_KEYS nor DIALER_ALLOW is set: \
                 all dialers without an API key are refused, those on this machine too"
                    .to_owned(),
            );
        } else if self.access.admits_no_dialer() {
            let beyond = [
                ("API_HOST", self.listen.is_loopback()),
                ("AGI_LISTEN", self.agi.is_loopback()),
            ];
            for (setting, _) in beyond.iter().filter(|(_, is_loopback)| !is_loopback) {
                warnings.push(format!(
                    "{setting} is beyond loopback, and neither DIALER_KEYS nor DIALER_ALLOW is set: \
                     dialers on other machines are refused, unless they have an API key"
                ));
            }
        }
        warnings
    }
}
