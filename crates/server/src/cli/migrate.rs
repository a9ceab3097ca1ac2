//! `caller-id migrate`.

mod bad_rows;
pub(super) mod compare;
pub(super) mod console;
mod digest;
mod reference;
pub(super) mod source;
mod walk;
mod writer;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use caller_id_core::takeover::SumMarks;
use caller_id_core::{Author, Pool, PoolId, StoreError};
use clap::Args;

use self::bad_rows::BadRows;
use self::compare::{Difference, LOG, Nobody, Part, Scope, compare};
use self::console::Console;
use self::reference::Reference;
use self::source::Source;
use self::writer::Writer;
use super::account;
use super::import::console::warn;
use crate::app::stores::{self, OpenStore};
use crate::config::number::within;
use crate::config::storage::{DatabaseUrl, StorageConfig};
use crate::config::{ConfigError, storage};
use crate::digits::grouped;

/// So many rows are named that keep a migration from beginning.
const FOREIGN_NAMED: usize = 3;
const NO_SOURCE: &str = "caller-id: nothing to migrate from: give --from with a database of caller-id, or --from-reference with \
    the PostgreSQL of the reference service; `caller-id migrate --help` tells more";
/// The exit code of a migration that did not come to its end.
const EXIT_FATAL: u8 = 2;

/// How it is called.
pub const EXAMPLES: &str = "Examples:
  caller-id migrate --from sqlite:///var/lib/caller-id/caller-id.db --to postgres://user:password@host:5432/database
  caller-id migrate --from-reference postgres://user:password@host:5432/callerid --to sqlite:caller-id.db";

/// What `migrate` takes.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// The database to read: `sqlite:///var/lib/caller-id/caller-id.db` or `postgres://user:password@host:5432/database`.
    /// No service may use it
    #[arg(long, value_name = "URL", conflicts_with = "from_reference")]
    pub from: Option<String>,
    /// The PostgreSQL of the reference service, whose tables `caller_ids` and `reservations` are read. It may run
    /// meanwhile; stop it before the last run
    #[arg(long, value_name = "URL")]
    pub from_reference: Option<String>,
    /// The database to write, made if need be. No service may use it. Default: what the service uses, DATABASE_URL
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Write also into a database that has other things: they stay. Of numbers, pools and campaigns that both have, the
    /// source's are taken; calls that both have stay
    #[arg(long)]
    pub merge: bool,
    /// Leave the source's audit log behind, where somebody changed it and it cannot be taken: the target begins its own
    #[arg(long)]
    pub without_audit_log: bool,
    /// Write every row of the reference that cannot be taken to this file, as CSV: line, caller_id, reason
    #[arg(long, value_name = "FILE", requires = "from_reference")]
    pub report: Option<PathBuf>,
    /// How long the reference's reservations lasted: its own setting. It keeps when they end, and not when they began
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = within::<1, 86_400>)]
    pub reservation_ttl_seconds: u32,
    /// Where the database is that is written when `--to` is not given.
    #[command(flatten)]
    pub storage: StorageConfig,
}

/// Runs the command; the exit codes are told in its help.
///
/// # Errors
/// A setting that cannot be used.
pub async fn run(args: MigrateArgs) -> anyhow::Result<ExitCode> {
    if args.from.is_none() && args.from_reference.is_none() {
        warn(NO_SOURCE);
        warn(EXAMPLES);
        return Ok(ExitCode::from(EXIT_FATAL));
    }
    match migrate(&args).await {
        Ok(code) => Ok(code),
        Err(error) if error.is::<ConfigError>() => Err(error),
        Err(error) => {
            warn(&format!("caller-id: {}", super::one_line(&error)));
            Ok(ExitCode::from(EXIT_FATAL))
        }
    }
}

/// How it is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Also into a database that has other things.
    pub(super) merge: bool,
    /// With the audit log.
    pub(super) log: bool,
    /// The command that does it, as the target's audit log is to name it.
    pub(super) command: &'static str,
}

/// What is read.
enum From {
    Store(DatabaseUrl),
    Reference(String),
}

async fn migrate(args: &MigrateArgs) -> anyhow::Result<ExitCode> {
    let (from, to) = (args.source()?, args.target()?);
    match from {
        From::Store(from) => migrate_store(&from, &to, args.manner()).await,
        From::Reference(url) => migrate_reference(&url, &to, args).await,
    }
}

async fn migrate_store(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    manner: Manner,
) -> anyhow::Result<ExitCode> {
    ensure!(
        !is_same(from, to),
        "source and target are both {to}, another target expected: name it with --to"
    );
    warn(&format!("from {from} into {to}"));
    let source = stores::open_to_read(from);
    let source = source
        .await
        .map_err(|error| unopened(error, "the source", from))?;
    let moved = into(to, &mut &source, manner, &mut Console::new()).await;
    source.close().await;
    Ok(verdict(&moved?, manner.merge))
}

async fn migrate_reference(
    url: &str,
    to: &DatabaseUrl,
    args: &MigrateArgs,
) -> anyhow::Result<ExitCode> {
    let mut console = Console::new();
    let database = stores::open_reference(url).await?;
    warn(&format!("from {} into {to}", storage::masked(url)));
    let mut bad = BadRows::new(args.report_for(to)?, console.teller())?;
    let unknown = database.unknown_columns();
    if !unknown.is_empty() {
        warn(&format!(
            "columns not known, kept out: `{}`",
            unknown.join("`, `")
        ));
    }
    if !database.has_reservations() {
        warn("no table `reservations` with caller_id and reserved_until: no history is moved");
    }
    let reservation_ms = args.reservation_ttl_seconds * 1_000;
    let mut source = Reference::open(database, reservation_ms, &mut bad).await?;
    let moved = into(to, &mut source, args.manner(), &mut console).await;
    let bad = bad.finish()?;
    let code = verdict(&moved?, args.merge);
    if bad == 0 {
        return Ok(code);
    }
    warn(&format!(
        "{} rows of the reference could not be taken",
        grouped(bad)
    ));
    Ok(ExitCode::from(1))
}

/// Why one side cannot be opened, and what to do about it.
fn unopened(error: anyhow::Error, side: &str, url: &DatabaseUrl) -> anyhow::Error {
    let is_locked = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref() {
        Some(StoreError::Owned(_)) => true,
        Some(StoreError::Busy(_)) => matches!(url, DatabaseUrl::Sqlite(_)),
        _ => false,
    };
    if error.chain().any(is_locked) {
        return error.context(format!(
            "{side} {url} is in use: a service that uses it must be stopped for the migration"
        ));
    }
    error.context(format!("cannot open {side} {url}"))
}

/// The exit code, and what is to say, of a comparison at the end.
pub(super) fn verdict(parts: &[Part], merge: bool) -> ExitCode {
    let is_well = |part: &Part| part.is_whole() && (merge || part.extra == 0);
    if parts.iter().all(is_well) {
        return ExitCode::SUCCESS;
    }
    warn("caller-id: source and target differ; was either written meanwhile? Run it again");
    ExitCode::from(1)
}

/// Moves everything and gives what the comparison at the end says.
async fn into(
    to: &DatabaseUrl,
    source: &mut dyn Source,
    manner: Manner,
    console: &mut Console,
) -> anyhow::Result<Vec<Part>> {
    let target = stores::open_alone(to);
    let target = target
        .await
        .map_err(|error| unopened(error, "the target", to))?;
    let moved = move_all(source, &target, manner, console).await;
    // A Redis that was used with the target before knows nothing of what came.
    let forgotten = target.inventory.forget_identity().await;
    target.close().await;
    let moved = moved?;
    forgotten?;
    Ok(moved)
}

/// Brings everything into the target, and gives what the comparison at the end says.
pub(super) async fn move_all(
    source: &mut dyn Source,
    target: &OpenStore,
    manner: Manner,
    console: &mut Console,
) -> anyhow::Result<Vec<Part>> {
    let mut scope = Scope {
        log: manner.log,
        ..Scope::ALL
    };
    let mut by = account::author(manner.command);
    if !is_empty(target).await? {
        console.begin("looking at what the target has");
        let found = compare(source, &mut &*target, scope, &mut Nobody, console).await?;
        if !manner.merge && found.iter().any(Part::is_foreign) {
            bail!(foreign(&found));
        }
        if found.iter().all(Part::is_whole) {
            console.teller().say("the target has everything already");
            console.finish(&found);
            return Ok(found);
        }
        scope = fitting(&found, scope, console);
        if goes_on(&found, scope) {
            by = Author::restoring();
        }
    } else if source.is_ours() && scope.log {
        by = Author::restoring();
    }
    console.begin("moving");
    let mut writer = Writer::new(target, by);
    compare(source, &mut &*target, scope, &mut writer, console).await?;
    if !scope.sums || !source.is_ours() {
        // What was summed up before lacks what came.
        target
            .takeover
            .restore_sum_marks(SumMarks::default())
            .await?;
    }
    console.begin("verifying");
    let found = compare(source, &mut &*target, scope, &mut Nobody, console).await?;
    console.finish(&found);
    Ok(found)
}

/// What can be brought together in a target that has other things, too.
fn fitting(found: &[Part], scope: Scope, console: &Console) -> Scope {
    let is = |name: &str, which: fn(&Part) -> bool| {
        found.iter().any(|part| part.name == name && which(part))
    };
    let log = scope.log && !is(LOG, |part| part.different > 0);
    if scope.log && !log {
        let said = "the target has an audit log of its own: that of the source is left behind, and what is written stands in the target's";
        console.teller().say(said);
    }
    let sums = !["allocations", "hour sums", "day sums"]
        .iter()
        .any(|name| is(name, |part| part.extra > 0));
    if !sums {
        let said =
            "the target has calls of its own: it sums up its history anew when the service runs";
        console.teller().say(said);
    }
    Scope { log, sums }
}

/// Whether the source's audit log goes on where the target's ends: then it tells of all that is written.
fn goes_on(found: &[Part], scope: Scope) -> bool {
    let is_longer = |part: &Part| part.name == LOG && part.extra == 0;
    scope.log && found.iter().any(is_longer)
}

/// A database as it is made, with nothing in it but the pool that every one has.
pub(super) async fn is_empty(target: &OpenStore) -> anyhow::Result<bool> {
    let pools = target.inventory.pools().await?;
    let mut target = target;
    Ok(pools == [Pool::new(PoolId::default())]
        && target.campaigns().await?.is_empty()
        && target.numbers(None).await?.is_empty()
        && target.history(None).await?.is_empty()
        && target.removed(None).await?.is_empty()
        && target.keys().await?.is_empty()
        && target.hours(None).await?.is_empty()
        && target.days(None).await?.is_empty()
        && target.entries(None).await?.is_empty())
}

fn foreign(found: &[Part]) -> String {
    let of = |part: &Part| {
        let (extra, different) = (grouped(part.extra), grouped(part.different));
        format!("{} ({extra} more, {different} others)", part.name)
    };
    let parts: Vec<_> = found
        .iter()
        .filter(|part| part.is_foreign())
        .map(of)
        .collect();
    let ways = [Difference::Different, Difference::Extra];
    let named = found
        .iter()
        .flat_map(|part| ways.map(|way| part.named(way)))
        .flatten();
    let named: Vec<_> = named.take(FOREIGN_NAMED).collect();
    format!(
        "the target has what does not come from the source, nothing is written: {}; as {}. Name an empty database, or say --merge",
        parts.join(", "),
        named.join(", ")
    )
}

fn is_same(from: &DatabaseUrl, to: &DatabaseUrl) -> bool {
    match (from, to) {
        (DatabaseUrl::Sqlite(from), DatabaseUrl::Sqlite(to)) => {
            from == to
                || from
                    .canonicalize()
                    .is_ok_and(|from| to.canonicalize().is_ok_and(|to| from == to))
        }
        (from, to) => from == to,
    }
}

impl MigrateArgs {
    const fn manner(&self) -> Manner {
        Manner {
            merge: self.merge,
            log: !self.without_audit_log,
            command: "migrate",
        }
    }

    fn source(&self) -> anyhow::Result<From> {
        match (&self.from, &self.from_reference) {
            (Some(url), _) => {
                let url = url.parse().context("--from")?;
                Ok(From::Store(url))
            }
            (None, Some(url)) => match url.parse().context("--from-reference")? {
                DatabaseUrl::Postgres(url) => Ok(From::Reference(url)),
                DatabaseUrl::Sqlite(_) => bail!(
                    "--from-reference: `{}` is not PostgreSQL, expected postgres://user:password@host:5432/database",
                    storage::masked(url)
                ),
            },
            (None, None) => bail!(NO_SOURCE),
        }
    }

    /// What was named, or what the service would use.
    fn target(&self) -> anyhow::Result<DatabaseUrl> {
        match &self.to {
            Some(url) => url.parse().context("--to"),
            None => Ok(self.storage.database()?),
        }
    }

    /// Where the report goes; not over a file of the database that is written.
    fn report_for(&self, to: &DatabaseUrl) -> anyhow::Result<Option<PathBuf>> {
        if let Some(path) = self.report.as_ref().filter(|path| stores::keeps(to, path)) {
            bail!(
                "report {} belongs to the database that is written, another file expected",
                path.display()
            );
        }
        Ok(self.report.clone())
    }
}
