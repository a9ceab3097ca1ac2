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
    /// What names a database and has no effect: somebody may take it for the one that is used. A password alone names none, and
    /// `init-env` writes it, for docker-compose.yml.
    pub fn warnings(&self) -> Vec<String> {
        let named = [
            ("POSTGRES_DB", self.postgres_db.is_some()),
            ("POSTGRES_USER", self.postgres_user.is_some()),
        ];
        let named = named.into_iter().filter(|(_, set)| *set);
        named
            .map(|(name, _)| {
                format!("{name} is set, and has no effect: DATABASE_URL says which database")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::serve_settings;

    #[test]
    fn what_names_a_database_and_has_no_effect_is_told_and_a_password_alone_is_not() {
        let told = |name: &str| serve_settings(&[(name, "callerid")]).unwrap().warnings();
        for name in ["POSTGRES_DB", "POSTGRES_USER"] {
            let expected =
                format!("{name} is set, and has no effect: DATABASE_URL says which database");
            assert_eq!(told(name), [expected]);
        }
        assert_eq!(told("POSTGRES_PASSWORD"), Vec::<String>::new());
    }
}
