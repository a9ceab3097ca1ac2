//! `caller-id restore`.

mod source;

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use caller_id_core::{AllocationId, Pool, PoolId, StoreError, Timestamp};
use clap::Args;

use self::source::Backup;
use super::backup::{broken_log, check};
use super::import::console::warn;
use super::migrate::compare::Part;
use super::migrate::console::Console;
use super::migrate::{Manner, move_all};
use crate::app::stores::backup::{Restoring, begin_restore};
use crate::app::stores::{self, OpenStore};
use crate::config::storage::{DatabaseUrl, DatabaseUrlError, StorageConfig};
use crate::digits::grouped;

/// How it is called.
pub const EXAMPLES: &str = "Examples:
  systemctl stop caller-id
  caller-id restore /var/lib/caller-id/backups/caller-id-20261123T031500Z.backup.gz
  caller-id restore caller-id.backup.gz --to postgres://user:password@host:5432/database";

/// What `restore` takes.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The database to write, made if need be; it must be empty. Default: what the service uses, DATABASE_URL
    #[arg(long, value_name = "URL", help_heading = "Options")]
    pub to: Option<String>,
    /// Leave the audit log behind, where somebody changed it before the backup was made: the database begins its own
    #[arg(long, help_heading = "Options")]
    pub without_audit_log: bool,
    /// Where the database is that is written when `--to` is not given.
    #[command(flatten)]
    pub storage: StorageConfig,
}

impl RestoreArgs {
    /// Whether the command line says all: no setting is read then, and none that is wrong is in the way.
    pub(super) const fn says_all(&self) -> bool {
        self.to.is_some()
    }
}

/// Runs the command; the exit codes are told in its help.
///
/// # Errors
/// A setting that cannot be used, and what keeps the backup from being restored.
pub async fn run(args: RestoreArgs) -> anyhow::Result<ExitCode> {
    let url = match &args.to {
        Some(url) => url
            .parse()
            .map_err(|error: DatabaseUrlError| error.of("--to"))?,
        None => args.storage.database()?,
    };
    let path = &args.file;
    ensure!(
        !stores::keeps(&url, path),
        "{} belongs to the database that is written, a backup expected",
        path.display()
    );
    let checked = check(path)?;
    if let (Some(place), false) = (checked.log_breaks_at, args.without_audit_log) {
        bail!("{}: {}", path.display(), broken_log(place));
    }
    warn(&format!("{}: {checked}", path.display()));
    warn(&format!("into {url}"));
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut backup = Backup::open(file)?;
    let manner = Manner {
        merge: false,
        log: !args.without_audit_log,
        command: "restore",
    };
    let mut place = begin_restore(&url)
        .await
        .map_err(|error| unopened(error, &url))?;
    match bring(&mut backup, &mut place, &url, manner).await {
        Ok(()) => place.finish().await?,
        Err(error) => {
            place.give_up().await;
            return Err(error);
        }
    }
    warn(&format!(
        "restored: all of it is in {url}, and was read back and compared"
    ));
    warn(
        "Settings and tokens are in no backup. A Redis that was used with the database before must be emptied before the \
         service starts: docs/backup.md",
    );
    Ok(ExitCode::SUCCESS)
}

async fn bring(
    backup: &mut Backup,
    place: &mut Restoring,
    url: &DatabaseUrl,
    manner: Manner,
) -> anyhow::Result<()> {
    if let Some(there) = &place.there {
        let found = contents(there).await?;
        ensure!(
            found.is_empty(),
            "{url} is not empty, and nothing is written: it has {}. Name another database, or move this one away",
            found.join(", ")
        );
    }
    place.begin().await?;
    let parts = move_all(backup, &place.store, manner, &mut Console::new()).await?;
    let is_well = |part: &Part| part.is_whole() && part.extra == 0;
    ensure!(
        parts.iter().all(is_well),
        "what was written is not what the backup has: nothing was restored"
    );
    // A Redis that was used with another database knows nothing of this one.
    Ok(place.store.inventory.forget_identity().await?)
}

/// Why the place cannot be taken.
fn unopened(error: anyhow::Error, url: &DatabaseUrl) -> anyhow::Error {
    let is_used = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref() {
        Some(StoreError::Owned(_)) => true,
        Some(StoreError::Busy(_)) => matches!(url, DatabaseUrl::Sqlite(_)),
        _ => false,
    };
    match error.chain().any(is_used) {
        true => error.context(format!("{url} is in use: stop the services that use it")),
        false => error.context(format!("cannot restore into {url}")),
    }
}

/// What a database has that one as it is made has not.
async fn contents(store: &OpenStore) -> anyhow::Result<Vec<String>> {
    let counts = [
        (store.inventory.count_numbers().await?, "numbers"),
        (others(&store.inventory.pools().await?), "pools"),
        (store.inventory.campaigns().await?.len() as u64, "campaigns"),
        (store.keys.keys().await?.len() as u64, "API keys"),
        (
            store.takeover.removed_numbers(None, 1).await?.len() as u64,
            "or more deleted numbers",
        ),
    ];
    let mut found: Vec<_> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", grouped(count)))
        .collect();
    let first = AllocationId::first_at(Timestamp::ZERO);
    if !store.history.allocations_page(first, 1).await?.is_empty() {
        found.push("calls in its history".to_owned());
    }
    if !store.takeover.hour_sums(None, 1).await?.is_empty()
        || !store.takeover.day_sums(None, 1).await?.is_empty()
    {
        found.push("counts of calls".to_owned());
    }
    if !store.audit.after(None, 1).await?.is_empty() {
        found.push("entries in its audit log".to_owned());
    }
    Ok(found)
}

/// How many pools there are that somebody made or changed.
fn others(pools: &[Pool]) -> u64 {
    let untouched = Pool::new(PoolId::default());
    pools.iter().filter(|pool| **pool != untouched).count() as u64
}
