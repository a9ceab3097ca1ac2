//! Opens databases for their backups: one moment of one that may be in use, and a place for what is restored.

use anyhow::{Context, bail};
use caller_id_core::StoreError;
use caller_id_store::{PostgresStore, SqliteDraft, SqliteFile, SqliteStore, inspect_sqlite};

use super::options::{patient_postgres, patient_sqlite};
use super::{CANNOT_OPEN, Kind, OpenStore, open_patient_postgres};
use crate::backup;
use crate::config::storage::DatabaseUrl;

/// One moment of a database, which others may go on to use.
pub struct Moment {
    /// The database as it was: only to be read.
    pub store: OpenStore,
    /// What keeps it.
    pub kind: backup::Kind,
    /// The version of its tables.
    pub schema: usize,
}

/// The versions of tables that this program knows, by what keeps them.
pub const fn schema_known(kind: backup::Kind) -> usize {
    match kind {
        backup::Kind::Sqlite => SqliteStore::SCHEMA,
        backup::Kind::Postgresql => PostgresStore::SCHEMA,
    }
}

/// Opens one moment of a database beside a service that may be using it. Nothing is changed.
///
/// # Errors
/// When there is none, it has other tables than this program works with, or it cannot be read.
pub async fn open_moment(url: &DatabaseUrl) -> anyhow::Result<Moment> {
    let (store, kind) = match url {
        DatabaseUrl::Sqlite(path) => {
            let opened = super::blocking(path, patient_sqlite(), SqliteStore::open_moment).await?;
            let store = OpenStore::sqlite(opened.context(CANNOT_OPEN)?);
            (store, backup::Kind::Sqlite)
        }
        DatabaseUrl::Postgres(url) => {
            let opened = PostgresStore::open_moment(url, patient_postgres("backup")).await;
            let store = OpenStore::postgres(opened.context(CANNOT_OPEN)?);
            (store, backup::Kind::Postgresql)
        }
    };
    Ok(Moment {
        store,
        kind,
        schema: schema_known(kind),
    })
}

/// A database that a backup is brought into. Until [`Restoring::finish`] no service can use it.
pub struct Restoring {
    /// What is written.
    pub store: OpenStore,
    /// Of SQLite: what stands there is replaced at the end.
    place: Option<SqliteDraft>,
    /// The database as it stands there, where there is one: it must be looked at before anything is written.
    pub there: Option<OpenStore>,
}

/// Takes the place of a database; nothing of what may be there is changed. What an earlier restore left behind that did not
/// come to its end is removed.
///
/// # Errors
/// When a service uses it, it is of another program or version, or it cannot be reached.
pub async fn begin_restore(url: &DatabaseUrl) -> anyhow::Result<Restoring> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let place = tokio::task::spawn_blocking({
                let path = path.clone();
                move || SqliteDraft::begin(&path)
            });
            let place = place.await.context("taking the place panicked")?;
            let place = place.context(CANNOT_OPEN)?;
            let there = match place.is_taken() {
                false => None,
                true => {
                    let found = inspect_sqlite(path)?;
                    if found.file == SqliteFile::Foreign {
                        bail!(
                            "{} is no database of caller-id, and stays as it is",
                            path.display()
                        );
                    }
                    let opened = SqliteStore::open_beside(path, patient_sqlite());
                    Some(OpenStore::sqlite(opened.context(CANNOT_OPEN)?))
                }
            };
            let draft = super::blocking(place.path(), patient_sqlite(), SqliteStore::open);
            Ok(Restoring {
                store: OpenStore::sqlite(draft.await?.context(CANNOT_OPEN)?),
                place: Some(place),
                there,
            })
        }
        DatabaseUrl::Postgres(url) => {
            let options = patient_postgres("restore");
            PostgresStore::drop_half_restored(url, &options)
                .await
                .context(CANNOT_OPEN)?;
            let store = open_patient_postgres(url, "restore").await?;
            Ok(Restoring {
                there: Some(store.clone()),
                store,
                place: None,
            })
        }
    }
}

impl Restoring {
    /// Says that writing begins: from now on the place is half restored until it is whole.
    ///
    /// # Errors
    /// When that cannot be written.
    pub async fn begin(&mut self) -> Result<(), StoreError> {
        if let (Some(there), Some(_)) = (self.there.take(), &self.place) {
            there.close().await;
        }
        match &self.store.kind {
            Kind::Sqlite(_) => Ok(()),
            Kind::Postgres(store) => store.begin_restore().await,
        }
    }

    /// Puts what was written in its place, as a whole, after it was opened once more as a service does.
    ///
    /// # Errors
    /// When it cannot be put there, or does not open.
    pub async fn finish(self) -> anyhow::Result<()> {
        let Some(place) = self.place else {
            let Kind::Postgres(store) = &self.store.kind else {
                bail!("a database of SQLite has a place");
            };
            store.restored().await?;
            self.store.close().await;
            return Ok(());
        };
        self.store.close().await;
        place.finish(&patient_sqlite())?;
        let again = super::blocking(place.path(), patient_sqlite(), SqliteStore::open).await?;
        again
            .context("what was restored does not open")?
            .close()
            .await;
        place.finish(&patient_sqlite())?;
        Ok(place.publish()?)
    }

    /// Gives it up: what is there stays as it is, and of SQLite no draft stays. Of PostgreSQL tables that were begun stay marked, and
    /// the next restore removes them.
    pub async fn give_up(mut self) {
        if let (Some(there), Some(_)) = (self.there.take(), &self.place) {
            there.close().await;
        }
        self.store.close().await;
    }
}
