//! Looks at what the settings name, for whoever judges it. Nothing is changed but the probe's key in Redis.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use caller_id_core::roles::ApiKey;
use caller_id_core::shared::{Announcement, Lag, StateId};
use caller_id_core::store::Revision;
use caller_id_core::{
    Allocator, InventoryStore, Outbox, Position, SharedAllocator, Standing, SystemClock, Timestamp,
};
use caller_id_engine::RedisAllocator;
use caller_id_engine::redis::Time;
use tokio::time::timeout;

use super::{engines, stores};
use crate::audit_chain::{Found, walk_end};
use crate::config::cluster::ClusterConfig;
use crate::config::storage::DatabaseUrl;

pub use caller_id_engine::redis::inspect::{
    Disk, Flavour, Inspection as RedisInspection, Memory, Mode, RoundTrip, Writes,
};
pub use caller_id_store::{
    Holder, Latency, PostgresInspection, PostgresRights, RecordedState, SqliteFile,
    SqliteInspection,
};

/// All of one look takes no longer.
const WAIT: Duration = Duration::from_secs(10);
/// So many entries of the audit log are looked at, the last ones; `caller-id audit verify` looks at all.
const AUDIT_ENTRIES: u32 = 1_000;
/// So long Redis may take where nobody's call waits for it: who is slow is told of, and not given up at once.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Redis as the settings name it, which may take `patience` for each answer, or what the settings say when that is more;
/// `None` when they name none.
///
/// # Errors
/// Why it is not reached, without a password.
pub async fn redis(
    cluster: &ClusterConfig,
    patience: Duration,
) -> Option<anyhow::Result<RedisInspection>> {
    let mut settings = engines::redis_settings(cluster)?;
    settings.connection_timeout = settings.connection_timeout.max(patience);
    settings.response_timeout = settings.response_timeout.max(patience);
    let looking = Box::pin(caller_id_engine::redis::inspect::inspect(&settings));
    Some(in_time(looking).await)
}

/// PostgreSQL at this URL.
///
/// # Errors
/// Why it is not reached, without a password.
pub async fn postgres(url: &str) -> anyhow::Result<PostgresInspection> {
    let clock = Arc::new(SystemClock::new());
    let looking = caller_id_store::inspect_postgres(url, clock, WAIT);
    Ok(Box::pin(looking).await?)
}

/// The file of SQLite at this path, and its folder.
///
/// # Errors
/// Names the file that cannot be read.
pub fn sqlite(path: &Path) -> anyhow::Result<(SqliteInspection, FolderInspection)> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok((caller_id_store::inspect_sqlite(path)?, look_at(folder)?))
}

/// The hot state in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateInspection {
    /// Where it is.
    pub at: String,
    /// Which one it is, or was before it was lost.
    pub id: Option<StateId>,
    /// `None`: it is whole. Else up to when it is, if it knows anything.
    pub lost: Option<Option<Timestamp>>,
    /// What waits for the database.
    pub lag: Lag,
    /// Up to where it knows the inventory, and of which database.
    pub inventory: Position,
    /// What nodes that run tell of their settings.
    pub announced: Vec<Announcement>,
}

/// The hot state in Redis as the settings name it; `None` when they name none. Only for a Redis that answers.
///
/// # Errors
/// Why it cannot be told.
pub async fn state(cluster: &ClusterConfig) -> Option<anyhow::Result<StateInspection>> {
    let mut settings = engines::redis_settings(cluster)?;
    settings.response_timeout = settings.response_timeout.max(PATIENCE);
    let looking = async move {
        let engine = RedisAllocator::new(&settings, Time::Server)?;
        let (id, lost) = match engine.standing().await? {
            Standing::Lost {
                known_until, of, ..
            } => (of, Some(known_until)),
            Standing::Ready(merge) => (Some(merge.state), None),
        };
        Ok::<_, caller_id_core::AllocatorError>(StateInspection {
            at: settings.place(),
            id,
            lost,
            lag: engine.lag().await?,
            inventory: engine.known_inventory().await?,
            announced: engine.announce("", "").await?,
        })
    };
    Some(in_time(looking).await)
}

/// Which inventory a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InventoryInspection {
    /// The database's identity; `None` where no service has asked for it yet.
    pub identity: Option<i64>,
    /// Where it is.
    pub revision: Revision,
}

impl InventoryInspection {
    /// That of a database that has no tables yet, or no more.
    pub const NONE: Self = Self {
        identity: None,
        revision: Revision(0),
    };
}

/// The inventory in a file of SQLite that has the tables of this version.
///
/// # Errors
/// When it cannot be read.
pub async fn sqlite_inventory(path: &Path) -> anyhow::Result<InventoryInspection> {
    let store = stores::open_sqlite_beside(path).await?;
    Ok(InventoryInspection {
        identity: store.known_identity().await?,
        revision: store.changes(Revision(i64::MAX), None, 1).await?.upto,
    })
}

/// Who may ask, and whether the log of what they changed holds.
#[derive(Debug)]
pub struct AccessInspection {
    /// All API keys, revoked ones too.
    pub keys: Vec<ApiKey>,
    /// What a walk through the last entries of the audit log found.
    pub log: Found,
}

/// Who may ask, in a database that has the tables of this version.
///
/// # Errors
/// When it cannot be read.
pub async fn access(url: &DatabaseUrl) -> anyhow::Result<AccessInspection> {
    let looking = async {
        let (log, keys) = stores::open_access_beside(url).await?;
        anyhow::Ok(AccessInspection {
            keys: keys.keys().await?,
            log: walk_end(&*log, AUDIT_ENTRIES).await?,
        })
    };
    in_time(looking).await
}

async fn in_time<T, E: Into<anyhow::Error>>(
    looking: impl Future<Output = Result<T, E>>,
) -> anyhow::Result<T> {
    let looked = timeout(WAIT, looking).await;
    let looked = looked.map_err(|_| anyhow!("it did not tell all within {WAIT:?}"))?;
    looked.map_err(Into::into)
}

/// A folder, and the disk that it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderInspection {
    /// The folder, or the one in which it would be made.
    pub path: PathBuf,
    /// Whether this user may make files there.
    pub writable: bool,
    /// What is free there, in bytes, where the system tells.
    pub free_bytes: Option<u64>,
    /// The kind of network file system that it is on, if it is known to be one.
    pub network: Option<String>,
}

fn look_at(folder: &Path) -> anyhow::Result<FolderInspection> {
    let whole = std::path::absolute(folder)
        .with_context(|| format!("cannot find the folder {}", folder.display()))?;
    let there = whole.ancestors().find(|folder| folder.is_dir());
    let path = there.unwrap_or(&whole).to_owned();
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    let disk = rustix::fs::statvfs(&path).ok();
    Ok(FolderInspection {
        writable: rustix::fs::access(&path, access).is_ok(),
        free_bytes: disk.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        network: network(&path),
        path,
    })
}

/// The numbers of Linux for file systems that are on other machines (`statfs(2)`).
#[cfg(target_os = "linux")]
fn network(path: &Path) -> Option<String> {
    const KINDS: [(u32, &str); 9] = [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x564c, "NCP"),
        (0x5346_414f, "AFS"),
        (0x00c3_6400, "Ceph"),
        (0x0bd0_0bd0, "Lustre"),
        (0x0102_1997, "9P"),
    ];
    // The kernel's type is signed on some machines: its low half says it.
    let kind = rustix::fs::statfs(path).ok()?.f_type as u32;
    let known = KINDS.iter().find(|(number, _)| *number == kind)?;
    Some(known.1.to_owned())
}

#[cfg(not(target_os = "linux"))]
fn network(_path: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_judged_by_the_one_it_would_be_made_in() {
        let folder = tempfile::tempdir().unwrap();
        let (file, found) = sqlite(&folder.path().join("a/b/caller-id.db")).unwrap();
        assert_eq!(file.file, SqliteFile::Missing);
        assert_eq!(found.path, folder.path());
        assert!(found.writable);
        assert!(found.free_bytes.is_some());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
