//! Opens databases, whatever keeps them.

pub mod backup;
mod measured;
mod options;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use caller_id_core::shared::StateRecord;
use caller_id_core::{
    AuditLog, Clock, HistoryReader, HistoryStore, InventoryStore, Journal, KeyStore, StoreError,
    SystemClock, Takeover,
};
use caller_id_store::{
    PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, inspect_postgres, postgres_place,
};

use self::options::{
    MIGRATION_WAIT, patient_postgres, patient_sqlite, postgres_options, sqlite_options,
};
use crate::config::cluster::ClusterConfig;
use crate::config::storage::{DatabaseUrl, HistoryConfig, StorageConfig};

pub use caller_id_store::{
    ReferenceDatabase, ReferenceLimit, ReferenceNumber, ReferenceReservation, step_back,
};

/// How often it is looked whether the database is still ours.
const OWNER_CHECK: Duration = Duration::from_secs(1);
/// Which of its files it is, or which server, the store says.
const CANNOT_OPEN: &str = "cannot open the database";

/// A database that is open, through each of its ports.
#[derive(Clone)]
pub struct OpenStore {
    /// Numbers, pools, campaigns.
    pub inventory: Arc<dyn InventoryStore>,
    /// What was allocated.
    pub history: Arc<dyn HistoryStore>,
    /// The same, as people ask for it.
    pub reader: Arc<dyn HistoryReader>,
    /// Where history is written.
    pub journal: Arc<dyn Journal>,
    /// API keys and sessions.
    pub keys: Arc<dyn KeyStore>,
    /// Who changed what.
    pub audit: Arc<dyn AuditLog>,
    /// What a migration takes and brings beside all that.
    pub takeover: Arc<dyn Takeover>,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl OpenStore {
    fn sqlite(store: Arc<SqliteStore>) -> Self {
        Self {
            inventory: store.clone(),
            history: store.clone(),
            reader: store.clone(),
            journal: store.clone(),
            keys: store.clone(),
            audit: store.clone(),
            takeover: store.clone(),
            kind: Kind::Sqlite(store),
        }
    }

    fn postgres(store: Arc<PostgresStore>) -> Self {
        Self {
            inventory: store.clone(),
            history: store.clone(),
            reader: store.clone(),
            journal: store.clone(),
            keys: store.clone(),
            audit: store.clone(),
            takeover: store.clone(),
            kind: Kind::Postgres(store),
        }
    }

    /// Where it records which shared state its numbers are handed out from; `None` where only one process can open it.
    pub fn state_record(&self) -> Option<Arc<dyn StateRecord>> {
        match &self.kind {
            Kind::Sqlite(_) => None,
            Kind::Postgres(store) => Some(store.clone()),
        }
    }

    /// Resolves when another node has taken the database over for itself.
    pub async fn taken_over(&self) {
        // A file is locked as long as it is open.
        let Kind::Postgres(_) = &self.kind else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(OWNER_CHECK).await;
            if let Err(StoreError::Owned(why)) = self.journal.probe().await {
                tracing::error!("{why}");
                return;
            }
        }
    }

    /// Notes that all is in order and nobody need wait for this node to come back. Not where something waits elsewhere that
    /// belongs into the store.
    pub async fn leave(&self) {
        let Kind::Postgres(store) = &self.kind else {
            return;
        };
        if let Err(error) = store.leave().await {
            tracing::warn!(%error, "others may wait some seconds for this node to come back");
        }
    }

    /// Closes it and gives its lock free.
    pub async fn close(self) {
        match self.kind {
            Kind::Sqlite(store) => store.close().await,
            Kind::Postgres(store) => store.close(),
        }
    }
}

/// Where the database is: for people, without a password.
///
/// # Errors
/// When the settings name none.
pub fn shown(storage: &StorageConfig) -> anyhow::Result<String> {
    Ok(match storage.database()? {
        DatabaseUrl::Sqlite(_) => storage.database_shown()?,
        DatabaseUrl::Postgres(url) => format!("PostgreSQL {}", postgres_place(&url)?),
    })
}

/// Opens the database of a service; makes it where it is missing.
///
/// # Errors
/// When another service has it to itself, or it cannot be opened.
pub async fn open_for_service(
    url: &DatabaseUrl,
    history: &HistoryConfig,
    cluster: &ClusterConfig,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<OpenStore> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            make_folder_of(path)?;
            let options = sqlite_options(history, clock);
            let opened = blocking(path, options, SqliteStore::open).await?;
            Ok(OpenStore::sqlite(opened.context(CANNOT_OPEN)?))
        }
        DatabaseUrl::Postgres(url) => {
            let options = postgres_options(history, cluster, clock);
            let opened = PostgresStore::open(url, options).await;
            Ok(OpenStore::postgres(opened.context(CANNOT_OPEN)?))
        }
    }
}

/// Opens the inventory beside a service that may be running, for the command line; makes it where it is missing.
///
/// # Errors
/// When it cannot be opened.
pub async fn open_beside(url: &DatabaseUrl) -> anyhow::Result<Arc<dyn InventoryStore>> {
    match url {
        DatabaseUrl::Sqlite(path) => Ok(open_sqlite_beside(path).await?),
        DatabaseUrl::Postgres(url) => {
            let options = PostgresOptions::new(Arc::new(SystemClock::new()));
            let opened = PostgresStore::open_beside(url, options).await;
            Ok(opened.context(CANNOT_OPEN)?)
        }
    }
}

/// Opens the audit log beside a service that may be running, for the command line.
///
/// # Errors
/// When it cannot be opened.
pub async fn open_audit_beside(url: &DatabaseUrl) -> anyhow::Result<Arc<dyn AuditLog>> {
    Ok(open_access_beside(url).await?.0)
}

/// Opens the audit log and the API keys beside a service that may be running.
///
/// # Errors
/// When they cannot be opened.
pub async fn open_access_beside(
    url: &DatabaseUrl,
) -> anyhow::Result<(Arc<dyn AuditLog>, Arc<dyn KeyStore>)> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let store = open_sqlite_beside(path).await?;
            Ok((store.clone(), store))
        }
        DatabaseUrl::Postgres(url) => {
            let options = PostgresOptions::new(Arc::new(SystemClock::new()));
            let store = PostgresStore::open_beside(url, options).await;
            let store = store.context(CANNOT_OPEN)?;
            Ok((store.clone(), store))
        }
    }
}

/// Opens a file of SQLite beside a service that may be running.
///
/// # Errors
/// When it cannot be opened.
pub async fn open_sqlite_beside(path: &Path) -> anyhow::Result<Arc<SqliteStore>> {
    make_folder_of(path)?;
    let options = SqliteOptions::new(Arc::new(SystemClock::new()));
    let opened = blocking(path, options, SqliteStore::open_beside).await?;
    opened.context(CANNOT_OPEN)
}

/// Opens a database alone, to write history too; makes it where it is missing.
///
/// # Errors
/// When a service uses it, or it cannot be opened.
pub async fn open_alone(url: &DatabaseUrl) -> anyhow::Result<OpenStore> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            make_folder_of(path)?;
            let opened = blocking(path, patient_sqlite(), SqliteStore::open).await?;
            Ok(OpenStore::sqlite(opened.context(CANNOT_OPEN)?))
        }
        DatabaseUrl::Postgres(url) => open_patient_postgres(url, "migrate").await,
    }
}

/// Opens a database that exists, alone, to read it: no service uses it, and none can begin to meanwhile.
///
/// # Errors
/// When there is none, a service uses it, or it cannot be opened.
pub async fn open_to_read(url: &DatabaseUrl) -> anyhow::Result<OpenStore> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let opened = blocking(path, patient_sqlite(), SqliteStore::open_to_read).await?;
            Ok(OpenStore::sqlite(opened.context(CANNOT_OPEN)?))
        }
        DatabaseUrl::Postgres(url) => {
            let clock = Arc::new(SystemClock::new());
            let found = inspect_postgres(url, clock, MIGRATION_WAIT).await?;
            // Opening makes them: whoever is only read gets none.
            ensure!(
                found.schema_found > 0,
                "PostgreSQL `{}` has no tables of caller-id; those of the reference service are read with --from-reference",
                found.place
            );
            open_patient_postgres(url, "migrate").await
        }
    }
}

/// Opens the database of the reference service.
///
/// # Errors
/// When it cannot be reached, or has no table of numbers.
pub async fn open_reference(url: &str) -> anyhow::Result<ReferenceDatabase> {
    Ok(ReferenceDatabase::open(url, MIGRATION_WAIT).await?)
}

/// Whether `path` is a file of this database.
pub fn keeps(url: &DatabaseUrl, path: &Path) -> bool {
    matches!(url, DatabaseUrl::Sqlite(database) if SqliteStore::keeps(database, path))
}

async fn open_patient_postgres(url: &str, command: &str) -> anyhow::Result<OpenStore> {
    let opened = PostgresStore::open(url, patient_postgres(command)).await;
    Ok(OpenStore::postgres(opened.context(CANNOT_OPEN)?))
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    options: SqliteOptions,
    open: fn(&Path, SqliteOptions) -> Result<T, StoreError>,
) -> anyhow::Result<Result<T, StoreError>> {
    let path = path.to_owned();
    let opening = tokio::task::spawn_blocking(move || open(&path, options));
    opening.await.context("opening the store panicked")
}

fn make_folder_of(path: &Path) -> anyhow::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => make_folder(folder),
        _ => Ok(()),
    }
}

/// Makes a folder if need be, for its owner only.
///
/// # Errors
/// Names the folder that cannot be made.
pub fn make_folder(folder: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Makes a folder if need be, for the owner of the one that it is in, whoever makes it: what root makes there is the service's.
///
/// # Errors
/// Names the folder that cannot be made.
pub fn make_folder_within(folder: &Path) -> anyhow::Result<()> {
    let is_new = !folder.exists();
    make_folder(folder)?;
    #[cfg(unix)]
    if let Some(parent) = folder.parent().filter(|_| is_new) {
        use std::os::unix::fs::MetadataExt;
        let cannot = || format!("cannot make the folder {}", folder.display());
        let (own, its) = (
            folder.metadata().with_context(cannot)?,
            parent.metadata().with_context(cannot)?,
        );
        if own.uid() != its.uid() {
            std::os::unix::fs::chown(folder, Some(its.uid()), Some(its.gid()))
                .with_context(cannot)?;
        }
    }
    Ok(())
}
