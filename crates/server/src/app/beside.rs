//! What commands do with the data of a service that may be running.

use std::path::Path;
use std::sync::Arc;

use caller_id_core::InventoryStore;
use caller_id_store::SqliteStore;

use super::stores;
use crate::auth::first_token;
use crate::config::ConfigError;
use crate::config::storage::{DatabaseUrl, StorageConfig};

/// Opens the inventory beside a service that may be running, for the command line.
///
/// # Errors
/// A setting that cannot be used, or a store that cannot be opened.
pub async fn open_beside(storage: &StorageConfig) -> anyhow::Result<Arc<dyn InventoryStore>> {
    stores::open_beside(&storage.database()?).await
}

/// Whether there is a database, as far as can be told without opening it.
///
/// # Errors
/// A setting that cannot be used.
pub fn database_is_there(storage: &StorageConfig) -> Result<bool, ConfigError> {
    Ok(match storage.database()? {
        DatabaseUrl::Sqlite(path) => path.exists(),
        DatabaseUrl::Postgres(_) => true,
    })
}

/// Whether `path` is a file that the service keeps: writing anything else there would destroy the numbers or the token.
///
/// # Errors
/// A setting that cannot be used.
pub fn is_own_file(storage: &StorageConfig, path: &Path) -> Result<bool, ConfigError> {
    let token = storage.folder()?.join(first_token::FILE_NAME);
    let is_token = path
        .canonicalize()
        .is_ok_and(|path| token.canonicalize().is_ok_and(|token| token == path));
    Ok(is_token
        || match storage.database()? {
            DatabaseUrl::Sqlite(database) => SqliteStore::keeps(&database, path),
            DatabaseUrl::Postgres(_) => false,
        })
}
