//! Names of the service that this one replaces, and that have no use here: accepted, never in silence.

use clap::Args;

use super::ConfigError;
use super::number::within;
use super::secret::Secret;
use super::storage::masked;

/// Names of the service that this one replaces.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Of the service this one replaces")]
pub struct LegacyConfig {
    /// The name of the service, shown at start
    #[arg(long, value_name = "NAME", default_value = "Caller-ID Rotation API")]
    pub app_name: String,
    /// Where it runs: production, staging, development; shown at start
    #[arg(long, value_name = "NAME", default_value = "production")]
    pub environment: String,
    /// Redis: not in this version, that runs alone. Setting it stops the start
    #[arg(long, value_name = "SECRET")]
    pub redis_url: Option<Secret>,
    /// Redis's password: without effect in this version
    #[arg(long, value_name = "SECRET")]
    pub redis_password: Option<Secret>,
    /// The PostgreSQL database: without effect in this version
    #[arg(long, value_name = "NAME")]
    pub postgres_db: Option<String>,
    /// PostgreSQL's user: without effect in this version
    #[arg(long, value_name = "NAME")]
    pub postgres_user: Option<String>,
    /// PostgreSQL's password: without effect in this version
    #[arg(long, value_name = "SECRET")]
    pub postgres_password: Option<Secret>,
    /// How many requests the dashboard shows: without effect in this version
    #[arg(long, value_name = "COUNT", default_value = "200", value_parser = within::<0, 100_000>)]
    pub request_log_limit: u32,
}

impl LegacyConfig {
    /// Refuses what would change where the state is.
    ///
    /// # Errors
    /// [`ConfigError`] when `REDIS_URL` is set.
    pub fn check(&self) -> Result<(), ConfigError> {
        match &self.redis_url {
            Some(url) => Err(ConfigError::new(
                "REDIS_URL",
                &masked(url.reveal()),
                "this version runs alone with SQLite, Redis comes later: expected not to be set",
            )),
            None => Ok(()),
        }
    }

    /// What is set and has no effect.
    pub fn warnings(&self) -> Vec<String> {
        let set = [
            ("REDIS_PASSWORD", self.redis_password.is_some()),
            ("POSTGRES_DB", self.postgres_db.is_some()),
            ("POSTGRES_USER", self.postgres_user.is_some()),
            ("POSTGRES_PASSWORD", self.postgres_password.is_some()),
        ];
        let unused = set.into_iter().filter(|(_, set)| *set);
        unused
            .map(|(name, _)| format!("{name} is set, and has no effect in this version"))
            .collect()
    }
}
