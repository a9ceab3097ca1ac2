//! How databases are opened: as the settings of a service say, or patiently.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{Clock, SystemClock};
use caller_id_store::{Durability, Ownership, PostgresOptions, SqliteOptions};

use crate::config::cluster::ClusterConfig;
use crate::config::storage::{self, HistoryConfig};

/// How long anything of a migration waits: nobody's call waits for it, and a large page on a busy server may take long.
pub(super) const MIGRATION_WAIT: Duration = Duration::from_secs(60);

/// Those of a service on PostgreSQL.
pub(super) fn postgres_options(
    history: &HistoryConfig,
    cluster: &ClusterConfig,
    clock: Arc<dyn Clock>,
) -> PostgresOptions {
    let node = cluster.node_name();
    let mut options = PostgresOptions::new(clock);
    options.connections = history.database_pool_size as usize;
    options.ownership = match cluster.is_shared() {
        true => Ownership::Shared { node },
        false => Ownership::Sole { node },
    };
    options.standby = cluster.standby;
    options
}

/// Those of a service on SQLite.
pub(super) fn sqlite_options(history: &HistoryConfig, clock: Arc<dyn Clock>) -> SqliteOptions {
    let mut options = SqliteOptions::new(clock);
    options.durability = match history.durability {
        storage::Durability::Process => Durability::Process,
        storage::Durability::Power => Durability::Power,
    };
    options
}

/// Those of a command that works alone, and may wait.
pub(super) fn patient_postgres(command: &str) -> PostgresOptions {
    let mut options = PostgresOptions::new(Arc::new(SystemClock::new()));
    options.wait = MIGRATION_WAIT;
    options.ownership = Ownership::Sole {
        node: format!("caller-id {command}"),
    };
    options
}

/// The same.
pub(super) fn patient_sqlite() -> SqliteOptions {
    let mut options = SqliteOptions::new(Arc::new(SystemClock::new()));
    options.wait = MIGRATION_WAIT;
    options
}

#[cfg(test)]
mod tests {
    use caller_id_store::{POSTGRES_CONNECTIONS, POSTGRES_CONNECTIONS_LEAST};

    use super::*;
    use crate::cli::serve_settings;

    #[test]
    fn a_node_has_as_many_connections_as_the_setting_says_and_as_the_store_has_unless_set() {
        let clock = Arc::new(SystemClock::new());
        let connections = |said| {
            let settings = serve_settings(&[("DATABASE_POOL_SIZE", said)]).ok()?;
            let options = postgres_options(&settings.history, &settings.cluster, clock.clone());
            Some(options.connections)
        };
        assert_eq!(connections(""), Some(POSTGRES_CONNECTIONS));
        assert_eq!(connections("4"), Some(POSTGRES_CONNECTIONS_LEAST));
        assert_eq!(connections("200"), Some(200));
        assert_eq!((connections("3"), connections("201")), (None, None));
    }

    #[test]
    fn the_store_is_as_durable_as_the_setting_says() {
        for (said, durability) in [
            ("process", Durability::Process),
            ("power", Durability::Power),
            ("", Durability::Process),
        ] {
            let settings = serve_settings(&[("DURABILITY", said)]).unwrap();
            let options = sqlite_options(&settings.history, Arc::new(SystemClock::new()));
            assert_eq!(options.durability, durability);
        }
    }
}
