//! `caller-id numbers`.

mod bulk;
mod fields;
mod files;
mod filter;
mod one;

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;
use serde_json::Value;

use self::filter::FilterArgs;
pub(super) use self::one::differences;
use crate::cli::ask::{ServiceArgs, pairs, path};
use crate::cli::show::{Column, Listing, PageArgs, Words, list};
use crate::config::source::Environment;

/// How it is called.
pub(super) const EXAMPLES: &str = "Examples:
  caller-id numbers list --pool east --status paused,resting
  caller-id numbers show 312-555-0100
  caller-id numbers add 312-555-0100 --pool east --carrier 'Carrier A' --daily-limit 300
  caller-id numbers pause 312-555-0100 312-555-0101      until somebody resumes them
  caller-id numbers rest 312-555-0100 --hours 24         active again by itself
  caller-id numbers bulk pause --carrier 'Carrier B' --dry-run
  caller-id numbers export --pool east east.csv";

/// What is done with numbers.
#[derive(Debug, Subcommand)]
pub enum NumbersCommand {
    /// Show numbers, and how each stands now
    List(ListArgs),
    /// Show one number, and how it stands now
    Show(one::ShowArgs),
    /// Add a number
    Add(one::AddArgs),
    /// Change what is kept of a number
    #[command(after_help = one::CHANGE_EXAMPLES)]
    Change(one::ChangeArgs),
    /// Take numbers out until somebody resumes them
    Pause(one::StatusArgs),
    /// Bring numbers back, whatever they were
    Resume(one::StatusArgs),
    /// Let numbers rest for a while, after which they are active by themselves
    Rest(one::RestArgs),
    /// Say that numbers are ours no longer; they are kept for their history
    Retire(one::StatusArgs),
    /// Remove a number. Its history stays
    Remove(one::RemoveArgs),
    /// Change, pause, retire or remove all numbers that a filter asks for
    #[command(after_help = bulk::EXAMPLES)]
    Bulk(bulk::BulkArgs),
    /// Read numbers from a file, CSV or NDJSON, plain or gzip
    ///
    /// Columns of CSV are found in any order and case: caller_id (or number, did), and where wanted carrier, area_code,
    /// daily_limit, hourly_limit, pool, attestation, status, meta. Bad rows are told and do not hinder the others; exit code 1
    /// when there are any.
    #[command(after_help = files::IMPORT_EXAMPLES)]
    Import(files::ImportArgs),
    /// Write numbers to a file that imports to the same state
    #[command(after_help = files::EXPORT_EXAMPLES)]
    Export(files::ExportArgs),
}

/// What `numbers list` takes.
#[derive(Debug, clap::Args, Serialize)]
pub struct ListArgs {
    /// The order: number (default), area_code, carrier, pool, status, created_at or updated_at; with - in front the greatest
    /// first
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// Tell how many there are in all pages, too
    #[arg(long)]
    pub count: bool,
    /// Which.
    #[command(flatten)]
    #[serde(flatten)]
    pub filter: FilterArgs,
    /// Which page.
    #[command(flatten)]
    #[serde(skip)]
    pub pages: PageArgs,
    /// The service.
    #[command(flatten)]
    #[serde(skip)]
    pub service: ServiceArgs,
}

const COLUMNS: [Column; 10] = [
    Column::text("NUMBER", |row, words| words.number(&row["number"])),
    Column::text("POOL", |row, words| words.text(&row["pool"])),
    Column::text("STATUS", |row, words| words.text(&row["status"])),
    Column::text("CARRIER", |row, words| words.text(&row["carrier"])),
    Column::text("AREA", area),
    Column::text("ATT", |row, words| words.text(&row["attestation"])),
    Column::count("HOUR", |row, words| {
        words.of(&row["live"]["uses_in_hour"], &row["hourly_limit"])
    }),
    Column::count("DAY", |row, words| {
        words.of(&row["live"]["uses_today"], &row["daily_limit"])
    }),
    Column::text("FREE", free),
    Column::text("LAST USED", |row, words| {
        words.instant(&row["live"]["last_used_at"])
    }),
];

pub(super) fn run(command: NumbersCommand, environment: &Environment) -> anyhow::Result<ExitCode> {
    match command {
        NumbersCommand::List(args) => {
            let service = args.service.service(environment)?;
            let listing = Listing {
                path: path(&["numbers"]),
                rows: "numbers",
                columns: &COLUMNS,
                empty: "no such number",
            };
            list(&service, &listing, &pairs(&args), &args.pages)?;
            Ok(ExitCode::SUCCESS)
        }
        NumbersCommand::Show(args) => one::show(&args, environment),
        NumbersCommand::Add(args) => one::add(&args, environment),
        NumbersCommand::Change(args) => one::change(&args, environment),
        NumbersCommand::Pause(args) => one::status(&args, "pause", environment),
        NumbersCommand::Resume(args) => one::status(&args, "resume", environment),
        NumbersCommand::Rest(args) => one::rest(&args, environment),
        NumbersCommand::Retire(args) => one::status(&args, "retire", environment),
        NumbersCommand::Remove(args) => one::remove(&args, environment),
        NumbersCommand::Bulk(args) => bulk::run(&args, environment),
        NumbersCommand::Import(args) => files::import(&args, environment),
        NumbersCommand::Export(args) => files::export(&args, environment),
    }
}

/// `312 IL`.
fn area(row: &Value, words: &Words) -> String {
    let text = [&row["area_code"], &row["region"]].map(|value| words.text(value));
    text.join(" ").trim().to_owned()
}

/// From when on it can be handed out.
fn free(row: &Value, words: &Words) -> String {
    let live = &row["live"];
    match row["status"].as_str() {
        Some("paused" | "retired") => "never".to_owned(),
        Some("resting") => words.since_now(&row["resting_until"]),
        _ if live.is_null() => String::new(),
        _ if live["available_at"].is_null() => "now".to_owned(),
        _ => words.since_now(&live["available_at"]),
    }
}
