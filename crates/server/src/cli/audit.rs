//! `caller-id audit`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, ensure};
use caller_id_core::AuditLog;
use clap::Subcommand;

use super::admin::{self, audit::ListArgs};
use super::import::console;
use super::show::out;
use crate::app::{self, stores};
use crate::audit_chain::{Found, Head, walk};
use crate::audit_csv;
use crate::config::ConfigError;
use crate::config::source::Environment;
use crate::config::storage::StorageConfig;
use crate::digits::grouped;

/// So many entries are read at once: one of a large import has some hundred kilobytes.
const AT_ONCE: usize = 100;
/// A log that does not hold has 1: whoever asks by a program must not take an absent database for it.
const EXIT_FATAL: u8 = 2;

/// How it is called.
pub const EXAMPLES: &str = "Examples:
  caller-id audit list --subject +13125550100 --since 2026-11-01
  caller-id audit list --author floor --action number.     by the key or the person of this name
  caller-id audit list --since 2026-11-01 --csv november.csv
  caller-id audit verify
  caller-id audit verify --head 4711:9f2c…   what an earlier run printed
  caller-id audit export --csv audit.csv";

/// What is done with the log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Show who changed what, newest first: asks a running service
    List(ListArgs),
    /// Walk through all entries in the database: did somebody change one?
    ///
    /// Exit code: 0 when the log holds, 1 when it does not, with the first place, 2 when it cannot be told.
    Verify(VerifyArgs),
    /// Write all entries in the database as CSV, oldest first
    ///
    /// Exit code: 0 when the file is whole, 2 when it cannot be written.
    Export(ExportArgs),
}

/// What `audit verify` takes.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// What an earlier run printed, kept where nobody who reaches the database can change it. It finds also a log that was
    /// written anew as a whole, or cut off
    #[arg(long, value_name = "PLACE:HASH")]
    pub head: Option<Head>,
    /// Where the database is; a service may be using it.
    #[command(flatten)]
    pub storage: StorageConfig,
}

/// What `audit export` takes.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The file to write, replaced as a whole when all is well; `-` writes to the standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub csv: PathBuf,
    /// Where the database is; a service may be using it.
    #[command(flatten)]
    pub storage: StorageConfig,
}

/// Runs the command. The exit code: 0 when all is well, 1 when the log does not hold, 2 when nothing can be said of it; what
/// went wrong is on standard error then, in one line, and a file is as it was.
///
/// # Errors
/// A setting that cannot be used; of `list`, what went wrong, with the exit codes of all commands that ask a service.
pub async fn run(command: AuditCommand, environment: &Environment) -> anyhow::Result<ExitCode> {
    let done = match &command {
        AuditCommand::List(args) => return admin::audit::run(args, environment),
        AuditCommand::Verify(args) => verify(args).await,
        AuditCommand::Export(args) => export(args).await,
    };
    match done {
        Ok(code) => Ok(code),
        Err(error) if error.is::<ConfigError>() || out::is_closed(&error) => Err(error),
        Err(error) => {
            console::warn(&format!("caller-id: {}", super::one_line(&error)));
            Ok(ExitCode::from(EXIT_FATAL))
        }
    }
}

async fn open(storage: &StorageConfig) -> anyhow::Result<Arc<dyn AuditLog>> {
    ensure!(
        app::database_is_there(storage)?,
        "there is no database {}, and so no audit log",
        storage.database_shown()?
    );
    stores::open_audit_beside(&storage.database()?).await
}

async fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let log = open(&args.storage).await?;
    let kept = args.head;
    let (told, code) = match walk(&*log, Head::START, kept).await? {
        Found::Whole { entries, head } => {
            let advice = match kept {
                Some(_) => "",
                None => {
                    "\nKeep the head elsewhere, and give it with --head the next time: whoever can write the whole log anew is found then, too."
                }
            };
            let entries = counted(entries);
            let told = format!("the audit log holds: {entries}\nhead {head}{advice}");
            (told, ExitCode::SUCCESS)
        }
        Found::Broken {
            entries,
            place,
            why,
        } => {
            let entries = counted(entries);
            let told = format!(
                "the audit log DOES NOT HOLD at place {place}: {why}\n{entries} before it hold"
            );
            (told, ExitCode::FAILURE)
        }
    };
    out::line_if_read(&told)?;
    Ok(code)
}

fn counted(entries: u64) -> String {
    match entries {
        1 => "1 entry".to_owned(),
        entries => format!("{} entries", grouped(entries)),
    }
}

async fn export(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let log = &*open(&args.storage).await?;
    let path = args.csv.as_path();
    ensure!(
        !app::is_own_file(&args.storage, path)?,
        "{} belongs to the service itself, another file expected",
        path.display()
    );
    let entries = match path.as_os_str() == "-" {
        true => {
            let written = write(log, out::Stdout).await;
            written.context("cannot write to the standard output")?.0
        }
        false => to_file(log, path).await?,
    };
    // Nobody may be reading: the entries are written all the same.
    let _ = writeln!(io::stderr(), "{} exported", counted(entries));
    Ok(ExitCode::SUCCESS)
}

/// Writes beside the file and puts it in place when it is whole.
async fn to_file(log: &dyn AuditLog, path: &Path) -> anyhow::Result<u64> {
    let cannot = || format!("cannot write {}", path.display());
    if path
        .metadata()
        .is_ok_and(|there| !there.is_file() && !there.is_dir())
    {
        // A device or a pipe cannot be replaced.
        let file = File::options().write(true).open(path);
        let file = file.with_context(cannot)?;
        return Ok(write(log, file).await.with_context(cannot)?.0);
    }
    let mut name = path.file_name().with_context(cannot)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let draft = path.with_file_name(name);
    let file = File::create_new(&draft).with_context(cannot)?;
    let placed = async {
        let (entries, file) = write(log, file).await?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        anyhow::Ok(entries)
    };
    let placed = placed.await;
    if placed.is_err() {
        // What went wrong before is what the user needs to know.
        let _ = fs::remove_file(&draft);
    }
    placed.with_context(cannot)
}

async fn write<W: Write>(log: &dyn AuditLog, output: W) -> anyhow::Result<(u64, W)> {
    let mut output = BufWriter::new(output);
    output.write_all(audit_csv::HEADER.as_bytes())?;
    let (mut entries, mut after) = (0, None);
    loop {
        let page = log.after(after, AT_ONCE).await?;
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.place);
        entries += page.len() as u64;
        for entry in &page {
            output.write_all(audit_csv::line(entry).as_bytes())?;
        }
    }
    let output = output.into_inner();
    Ok((entries, output.map_err(io::IntoInnerError::into_error)?))
}
