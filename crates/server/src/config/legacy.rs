//! Names of the service that this one replaces, and that have no use here: accepted, never in silence.

use clap::Args;

use super::secret::Secret;

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
    /// The PostgreSQL database: without effect, DATABASE_URL says it; docker-compose.yml makes one of this name
    #[arg(long, value_name = "NAME")]
    pub postgres_db: Option<String>,
    /// PostgreSQL's user: without effect, DATABASE_URL says it; docker-compose.yml makes one of this name
    #[arg(long, value_name = "NAME")]
    pub postgres_user: Option<String>,
    /// PostgreSQL's password: without effect, DATABASE_URL says it; docker-compose.yml gives it to that user
    #[arg(long, value_name = "SECRET")]
    pub postgres_password: Option<Secret>,
}

impl LegacyConfig {
    /// What is set and has no effect.
    pub fn warnings(&self) -> Vec<String> {
        let set = [
            ("POSTGRES_DB", self.postgres_db.is_some()),
            ("POSTGRES_USER", self.postgres_user.is_some()),
            ("POSTGRES_PASSWORD", self.postgres_password.is_some()),
        ];
        let unused = set.into_iter().filter(|(_, set)| *set);
        unused
            .map(|(name, _)| {
                format!("{name} is set, and has no effect: DATABASE_URL says which database")
            })
            .collect()
    }
}
