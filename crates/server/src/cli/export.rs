//! `caller-id export`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use caller_id_core::{Clock, InventoryStore, SystemClock};

use super::show::out;
use crate::app;
use crate::config::storage::StorageConfig;
use crate::rows::NumberWriter;

/// So many numbers are read at once.
const PAGE: usize = 2_000;

/// What `export` takes.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The file to write, replaced as a whole when all is well; `-` writes to the standard output. Text that a spreadsheet
    /// would take for a formula gets an apostrophe in front, which an import takes away again
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub csv: PathBuf,
    /// Where the database is; a service may be using it.
    #[command(flatten)]
    pub storage: StorageConfig,
}

/// Writes all numbers.
///
/// # Errors
/// Says what went wrong, in one line; the file is as it was then.
pub async fn run(args: ExportArgs) -> anyhow::Result<ExitCode> {
    ensure!(
        app::database_is_there(&args.storage)?,
        "there is no database {}, nothing to export",
        args.storage.database_shown()?
    );
    ensure!(
        !app::is_own_file(&args.storage, &args.csv)?,
        "{} belongs to the service itself, another file expected",
        args.csv.display()
    );
    let store = app::open_beside(&args.storage).await?;
    let numbers = if args.csv.as_os_str() == "-" {
        let written = write(&*store, out::Stdout).await;
        written
            .map_err(|error| error.context("cannot write to the standard output"))?
            .0
    } else {
        to_file(&*store, &args.csv).await?
    };
    // Nobody may be reading: the numbers are written all the same.
    let _ = writeln!(io::stderr(), "{numbers} numbers exported");
    Ok(ExitCode::SUCCESS)
}

/// Writes beside the file and puts it in place when it is whole.
async fn to_file(store: &dyn InventoryStore, path: &Path) -> anyhow::Result<u64> {
    let cannot = || format!("cannot write {}", path.display());
    if path
        .metadata()
        .is_ok_and(|there| !there.is_file() && !there.is_dir())
    {
        // A device or a pipe cannot be replaced.
        let file = File::options()
            .write(true)
            .open(path)
            .with_context(cannot)?;
        return Ok(write(store, file).await.with_context(cannot)?.0);
    }
    let mut name = path.file_name().with_context(cannot)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let draft = path.with_file_name(name);
    let file = File::create_new(&draft).with_context(cannot)?;
    let placed = async {
        let (numbers, file) = write(store, file).await?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        anyhow::Ok(numbers)
    };
    let placed = placed.await;
    if placed.is_err() {
        // What went wrong before is what the user needs to know.
        let _ = fs::remove_file(&draft);
    }
    placed.with_context(cannot)
}

async fn write<W: Write>(store: &dyn InventoryStore, output: W) -> anyhow::Result<(u64, W)> {
    let mut writer = NumberWriter::new(BufWriter::new(output))?;
    // Whose rest is over by then is active.
    let now = SystemClock::new().now();
    let (mut numbers, mut after) = (0, None);
    loop {
        let page = store.numbers(after, PAGE).await?;
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.number);
        numbers += page.len() as u64;
        for mut number in page {
            number.status = number.status.at(now);
            writer.write(&number)?;
        }
    }
    let buffer = writer.finish()?;
    let output = buffer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    Ok((numbers, output))
}
