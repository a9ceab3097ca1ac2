//! `caller-id backup`.

mod place;

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use caller_id_core::{Clock, SystemClock, Timestamp};
use clap::Args;

use self::place::Place;
use super::import::console::warn;
use super::migrate::compare::Onlooker;
use super::migrate::console::Console;
use super::migrate::source::Source;
use crate::app::stores::OpenStore;
use crate::app::stores::backup::{Moment, open_moment, schema_known};
use crate::backup::folder::{self, Draft};
use crate::backup::pack::{Packed, Packer};
use crate::backup::record::Record;
use crate::backup::unpack::Unpacker;
use crate::backup::{End, FORMAT, Head};
use crate::config::ConfigError;
use crate::config::storage::StorageConfig;
use crate::digits::grouped;

/// How it is called.
pub const EXAMPLES: &str = "Examples:
  caller-id backup                                   into the folder `backups` beside the data
  caller-id backup --to /mnt/backups --keep 14       the newest 14 of that folder stay
  caller-id backup --to - | ssh elsewhere 'cat > caller-id.backup.gz'
  caller-id backup --check /mnt/backups/caller-id-20261123T031500Z.backup.gz";

/// What `backup` takes.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Where to: a folder, which gets a file named by the time in UTC; a file; `-` for the standard output. What is not there yet
    /// is a folder when it ends in `/`, a file when it ends in `.gz`. Default: the folder `backups` beside the data
    #[arg(long, value_name = "PLACE", help_heading = "Options")]
    pub to: Option<PathBuf>,
    /// Remove the oldest backups from the folder until so many are left. A backup without numbers lets none go that has some
    #[arg(long, value_name = "COUNT", help_heading = "Options")]
    pub keep: Option<NonZeroUsize>,
    /// Write nothing: read this file from its beginning to its end, and say whether all of it is as it was written
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "keep"], help_heading = "Options")]
    pub check: Option<PathBuf>,
    /// Where the database is; a service may be using it.
    #[command(flatten)]
    pub storage: StorageConfig,
}

impl BackupArgs {
    /// Whether the command line says all: no setting is read then, and none that is wrong is in the way.
    pub(super) const fn says_all(&self) -> bool {
        self.check.is_some()
    }
}

/// Runs the command; the exit codes are told in its help.
///
/// # Errors
/// A setting that cannot be used, and what keeps the backup from being made.
pub async fn run(args: BackupArgs) -> anyhow::Result<ExitCode> {
    if let Some(path) = &args.check {
        let checked = check(path)?;
        let _ = writeln!(io::stdout(), "{}: whole, {checked}", path.display());
        return Ok(ExitCode::SUCCESS);
    }
    let url = args.storage.database()?;
    let place = Place::of(args.to.as_deref(), &args.storage)?;
    if let (None, Some(keep)) = (place.folder(), args.keep) {
        let expected = "expected a folder in --to: it is of that that old ones are removed";
        return Err(ConfigError::new("--keep", &keep.to_string(), expected).into());
    }
    // Before it is opened: what is answered from now on may be in it, or not.
    let at = SystemClock::new().now();
    // Before anything is made: where there is no database nobody wants a folder for its backups.
    let moment = open_moment(&url).await?;
    let draft = place.draft()?;
    let written = match &draft {
        None => pack(&moment, at, io::stdout())
            .await
            .map(|packed| packed.end),
        Some(draft) => to_draft(&moment, at, draft).await,
    };
    moment.store.close().await;
    let end = written.inspect_err(|_| {
        if let Some(draft) = &draft {
            draft.discard();
        }
    })?;
    let path = match draft {
        None => PathBuf::from("standard output"),
        Some(draft) => place.put(draft, at)?,
    };
    warn(&format!("{}: {}", path.display(), told(&end)));
    if let (Some(folder), Some(keep)) = (place.folder(), args.keep) {
        rotate(folder, &path, &end, keep.get())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Removes old ones, and says so.
fn rotate(folder: &Path, path: &Path, end: &End, keep: usize) -> anyhow::Result<()> {
    let rotated = folder::rotate(folder, path, end.numbers, keep)?;
    for gone in &rotated.removed {
        warn(&format!("{}: removed", gone.display()));
    }
    if let Some((better, numbers)) = rotated.better {
        warn(&format!(
            "caller-id: warning: no old backup is removed: {} has {} numbers, and the new one {}. Is this the right database? \
             Remove old ones yourself if it is",
            better.display(),
            grouped(numbers),
            grouped(end.numbers)
        ));
    }
    Ok(())
}

/// Writes the draft and reads it again: a backup that nobody read is none.
async fn to_draft(moment: &Moment, at: Timestamp, draft: &Draft) -> anyhow::Result<End> {
    let packed = pack(moment, at, &draft.file).await?;
    let checked = read_through(draft.read()?).context("what was written reads otherwise")?;
    ensure!(
        checked.end == packed.end,
        "what was written reads otherwise: {} instead of {}",
        told(&checked.end),
        told(&packed.end)
    );
    if let Some(place) = checked.log_breaks_at {
        warn(&format!("caller-id: warning: {}", broken_log(place)));
    }
    Ok(packed.end)
}

async fn pack<W: Write>(moment: &Moment, at: Timestamp, output: W) -> anyhow::Result<Packed<W>> {
    let store = &moment.store;
    let head = Head {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: moment.kind,
        schema: moment.schema,
        at,
        numbers: store.inventory.count_numbers().await?,
    };
    let mut packer = Packer::new(output, &head).context("cannot write the backup")?;
    add_all(store, &mut packer)
        .await
        .context("cannot write the backup")?;
    packer.finish().context("cannot write the backup")
}

/// Everything, in the order in which it may be written into a store.
async fn add_all<W: Write>(mut store: &OpenStore, packer: &mut Packer<W>) -> anyhow::Result<()> {
    let mut console = Console::new();
    console.begin("reading");
    for pool in Source::pools(&mut store).await? {
        packer.add(&Record::Pool(pool))?;
    }
    let (mut after, mut rows) = (None, 0);
    loop {
        let page = Source::numbers(&mut store, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.number);
        rows += page.len() as u64;
        for number in page {
            packer.add(&Record::Number(number))?;
        }
        console.seen("numbers", rows, None);
    }
    for campaign in Source::campaigns(&mut store).await? {
        packer.add(&Record::Campaign(campaign))?;
    }
    let (mut after, mut rows) = (None, 0);
    loop {
        let page = Source::history(&mut store, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.record.id);
        rows += page.len() as u64;
        let at = last.record.at;
        for past in page {
            packer.add(&Record::Call(past))?;
        }
        console.seen("calls", rows, Some(at));
    }
    add_beside(store, packer).await?;
    console.end();
    Ok(())
}

/// What is kept beside the inventory and history.
async fn add_beside<W: Write>(mut store: &OpenStore, packer: &mut Packer<W>) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = Source::removed(&mut store, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.number);
        for removed in page {
            packer.add(&Record::Deleted(removed))?;
        }
    }
    for key in Source::keys(&mut store).await? {
        packer.add(&Record::Key(key))?;
    }
    let mut after = None;
    loop {
        let page = Source::hours(&mut store, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.place.clone());
        for sum in page {
            packer.add(&Record::Hour(sum))?;
        }
    }
    let mut after = None;
    loop {
        let page = Source::days(&mut store, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.place);
        for sum in page {
            packer.add(&Record::Day(sum))?;
        }
    }
    packer.add(&Record::Marks(Source::marks(&mut store).await?))?;
    let mut after = None;
    loop {
        let page = Source::entries(&mut store, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.place);
        for entry in page {
            packer.add(&Record::Entry(entry))?;
        }
    }
    Ok(())
}

/// A backup that was read from its beginning to its end, and is whole.
pub(super) struct Checked {
    /// What it says of itself.
    pub(super) head: Head,
    /// How many records it has.
    pub(super) end: End,
    /// Where its audit log does not hold; it was so in the database.
    pub(super) log_breaks_at: Option<i64>,
}

impl std::fmt::Display for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.head, told(&self.end))
    }
}

/// Reads the backup at a place from its beginning to its end.
///
/// # Errors
/// Names the file, and what is wrong with it.
pub(super) fn check(path: &Path) -> anyhow::Result<Checked> {
    let wrong = || format!("{} cannot be restored", path.display());
    let cannot = || format!("cannot read {}", path.display());
    // Looked at before it is opened: to open a pipe waits for who writes into it.
    ensure!(
        path.metadata().with_context(cannot)?.is_file(),
        "{} is no file, and it is read more than once",
        path.display()
    );
    let file = File::open(path).with_context(cannot)?;
    let checked = read_through(file).with_context(wrong)?;
    if let Some(place) = checked.log_breaks_at {
        warn(&format!("{}: {}", path.display(), broken_log(place)));
    }
    Ok(checked)
}

fn read_through(file: File) -> anyhow::Result<Checked> {
    let mut backup = Unpacker::new(file)?;
    let (kind, schema) = (backup.head().source, backup.head().schema);
    let known = schema_known(kind);
    ensure!(
        schema <= known,
        "it is of a database of {kind} with schema version {schema}, this caller-id knows up to {known}: use a newer caller-id"
    );
    while backup.next_record()?.is_some() {}
    Ok(Checked {
        head: backup.head().clone(),
        end: *backup.counted(),
        log_breaks_at: backup.log_breaks_at(),
    })
}

/// What is to say of a log that somebody changed.
pub(super) fn broken_log(place: i64) -> String {
    format!(
        "the audit log in it does not hold at place {place}, as in the database that it was made of: `caller-id restore \
         --without-audit-log` leaves it behind"
    )
}

fn told(end: &End) -> String {
    let parts = [
        (end.numbers, "numbers"),
        (end.pools, "pools"),
        (end.campaigns, "campaigns"),
        (end.calls, "calls"),
        (end.keys, "API keys"),
        (end.entries, "entries of the audit log"),
    ];
    let parts = parts.map(|(count, what)| format!("{} {what}", grouped(count)));
    parts.join(", ")
}
