//! `caller-id import`.

mod api;
mod chunk;
mod client;
pub(super) mod console;
mod input;
mod place;
mod requests;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use caller_id_core::store::OnDuplicate;
use clap::{Args, ValueEnum};
use tokio::time::Instant;

use self::client::Client;
use self::console::Console;
use self::input::Input;
use super::account;
use crate::app;
use crate::config::ConfigError;
use crate::config::listen::host;
use crate::config::number::port;
use crate::config::secret::Secret;
use crate::config::source::Environment;
use crate::config::storage::StorageConfig;
use crate::rows::{self, Form, Intake, Options, Tally, Target, WriteMode};

/// The reference's importer was run with 50 requests of one row. More than this many of 5,000 rows only wait for the store.
const REQUESTS_MOST: usize = 8;
/// The exit code of an import that did not come to its end.
const EXIT_FATAL: u8 = 2;

/// How it is called.
pub const EXAMPLES: &str = "Examples:
  caller-id import --csv numbers.csv --dry-run               what would be written, and which rows are bad
  caller-id import --csv numbers.csv --report bad.csv
  caller-id import --csv numbers.csv --on-duplicate update";

/// What `import` takes.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The CSV file, plain or gzip; `-` reads the standard input
    #[arg(long, value_name = "FILE")]
    pub csv: PathBuf,
    /// Through a running service, or straight into the database (a running service sees the numbers at once)
    #[arg(long, value_enum, default_value_t = Mode::Api)]
    pub mode: Mode,
    /// Where the service listens. Default: CALLER_ID_URL, else http://API_HOST:API_PORT (http://127.0.0.1:8000)
    #[arg(long, value_name = "URL")]
    pub api_url: Option<String>,
    /// The service's own setting, for the default of `--api-url`
    #[arg(long, hide = true, default_value = "127.0.0.1", value_parser = host)]
    pub api_host: IpAddr,
    /// The service's own setting, for the default of `--api-url`
    #[arg(long, hide = true, default_value = "8000", value_parser = port)]
    pub api_port: u16,
    /// The service's admin token, or an API key of role operator or admin. Default: CALLER_ID_KEY, else ADMIN_TOKEN; for a
    /// service on this machine also the file `admin-token` beside the database
    #[arg(long, value_name = "TOKEN")]
    pub admin_token: Option<Secret>,
    /// Requests of 5,000 rows under way at once (mode api); at most 8 run at once, however many are asked for
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub concurrency: u16,
    /// Rows of one transaction (mode db)
    #[arg(long, value_name = "ROWS", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch: u32,
    /// Write nothing; tell what would be written
    #[arg(long)]
    pub dry_run: bool,
    /// What to do with numbers that are there: `skip` keeps them, `update` takes the row's values (columns that the file has not keep theirs), `fail` makes it a bad row
    #[arg(long, value_name = "skip|update|fail", default_value = "skip", value_parser = rows::parse_on_duplicate)]
    pub on_duplicate: OnDuplicate,
    /// Write every bad row to this file, as CSV: line, caller_id, reason
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Where the database is (mode db).
    #[command(flatten)]
    pub storage: StorageConfig,
}

/// The way into the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Through the service.
    Api,
    /// Straight into the database, as the user who owns it: with the package `sudo -u caller-id caller-id import …`.
    Db,
}

/// Runs the command. The exit code: 0 when all rows were fine, 1 when some were bad, 2 when the import did not come to its
/// end; what went wrong is on standard error then, with how many rows are written.
///
/// # Errors
/// A setting that cannot be used.
pub async fn run(args: ImportArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    match import(&args, environment).await {
        Ok(code) => Ok(code),
        Err(error) if error.is::<ConfigError>() => Err(error),
        Err(error) => {
            console::warn(&format!("caller-id: {}", super::one_line(&error)));
            Ok(ExitCode::from(EXIT_FATAL))
        }
    }
}

async fn import(args: &ImportArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let input = Input::open(&args.csv)?;
    let started = Instant::now();
    let (tally, stopped) = match args.mode {
        Mode::Api => {
            let client = Client::new(place::find(args, environment)?);
            let mut console = Console::new(&input, args.report()?, args.dry_run)?;
            let (options, concurrency) = (
                args.options(),
                usize::from(args.concurrency).min(REQUESTS_MOST),
            );
            let sending = move || {
                let intake = api::send(input, &client, options, concurrency, &mut console);
                (intake, console)
            };
            let sent = tokio::task::spawn_blocking(sending).await;
            let (intake, console) = sent.context("the import broke off")?;
            console.finish(sums(&intake), started.elapsed())?;
            (intake.tally, intake.stopped)
        }
        Mode::Db => {
            // A dry run makes no file, so one that is missing is not opened: every number is new.
            let store = match args.dry_run && !app::database_is_there(&args.storage)? {
                true => None,
                false => Some(app::open_beside(&args.storage).await?),
            };
            let mut console = Console::new(&input, args.report()?, args.dry_run)?;
            let intake = match store {
                Some(store) => {
                    let by = account::author("import");
                    let target = Target {
                        store,
                        by,
                        sync: None,
                    };
                    rows::take_in(input, target, args.options(), &mut console).await
                }
                None => rows::foresee_new(input, args.options(), &mut console).await,
            };
            console.finish(sums(&intake), started.elapsed())?;
            (intake.tally, intake.stopped.map(Into::into))
        }
    };
    if let Some(stop) = stopped {
        let kept = if args.dry_run {
            0
        } else {
            tally.added + tally.updated
        };
        let file = args.csv.display();
        return Err(stop).with_context(|| {
            format!("{file} is not imported to its end ({kept} numbers are written and stay)")
        });
    }
    Ok(ExitCode::from(u8::from(tally.failed > 0)))
}

/// What is to be told of it. Of a file in which no row was read, why is all there is to say.
fn sums<E>(intake: &Intake<E>) -> Option<&Tally> {
    (intake.stopped.is_none() || intake.tally.rows > 0).then_some(&intake.tally)
}

impl ImportArgs {
    fn options(&self) -> Options {
        Options {
            form: Form::Csv,
            on_duplicate: self.on_duplicate,
            mode: if self.dry_run {
                WriteMode::DryRun
            } else {
                WriteMode::Write
            },
            batch_rows: self.batch as usize,
        }
    }

    /// Where the report goes; not over the file that is read.
    fn report(&self) -> anyhow::Result<Option<PathBuf>> {
        let Some(path) = &self.report else {
            return Ok(None);
        };
        let same = path
            .canonicalize()
            .is_ok_and(|report| self.csv.canonicalize().is_ok_and(|csv| csv == report));
        ensure!(
            !same,
            "report {} is the file that is imported, another one expected",
            path.display()
        );
        // An import through a service needs no database: where none can be told, there is none to overwrite.
        ensure!(
            !app::is_own_file(&self.storage, path).unwrap_or(false),
            "report {} belongs to the service itself, another file expected",
            path.display()
        );
        Ok(Some(path.clone()))
    }
}
