//! `caller-id jobs`, and how others wait for one.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Subcommand;
use serde_json::Value;

use super::sayings;
use crate::cli::ask::{Answer, Method, Pairs, Question, Service, ServiceArgs, path};
use crate::cli::import::console::{SHOWN_MOST, warn};
use crate::cli::show::{Column, Listing, PageArgs, Words, facts, list};
use crate::config::source::Environment;

/// How often a job is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// What is done with jobs.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// Show the jobs of all nodes, the newest first
    List(ListArgs),
    /// Show one, with the bad rows of its file
    Show(OneArgs),
    /// Wait until one has ended; exit code 1 when it failed
    Wait(OneArgs),
    /// End one after what it is just writing; that stays
    Cancel(OneArgs),
}

/// What `jobs list` takes.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// A job.
#[derive(Debug, clap::Args)]
pub struct OneArgs {
    /// Which: ID in the list
    #[arg(value_name = "ID")]
    pub id: String,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

const COLUMNS: [Column; 6] = [
    Column::text("ID", |row, words| words.text(&row["id"])),
    Column::text("KIND", |row, words| words.text(&row["kind"])),
    Column::text("STATE", |row, words| words.text(&row["state"])),
    Column::text("BY", |row, words| words.text(&row["by"])),
    Column::text("STARTED", |row, words| words.instant(&row["started_at"])),
    Column::text("SO FAR", far),
];

pub(super) fn run(command: JobsCommand, environment: &Environment) -> anyhow::Result<ExitCode> {
    match command {
        JobsCommand::List(args) => {
            let service = args.service.service(environment)?;
            let listing = Listing {
                path: path(&["jobs"]),
                rows: "jobs",
                columns: &COLUMNS,
                empty: "no jobs lately",
            };
            list(&service, &listing, &Pairs::new(), &PageArgs::default())?;
            Ok(ExitCode::SUCCESS)
        }
        JobsCommand::Show(args) => {
            let service = args.service.service(environment)?;
            let answer = service.get(&path(&["jobs", &args.id]), &Pairs::new())?;
            sayings::answer(&service, &answer, |job| told(job, &service.words))
        }
        JobsCommand::Wait(args) => {
            let service = args.service.service(environment)?;
            ended(&service, &args.id)
        }
        JobsCommand::Cancel(args) => {
            let service = args.service.service(environment)?;
            let question = Question::new(Method::Delete, path(&["jobs", &args.id]));
            let answer = service.ask(&question)?;
            sayings::answer(&service, &answer, |job| told(job, &service.words))
        }
    }
}

/// Waits for the end of a job, and shows it.
///
/// # Errors
/// As [`Service::get`].
pub(super) fn ended(service: &Service, id: &str) -> anyhow::Result<ExitCode> {
    let path = path(&["jobs", id]);
    let answer = loop {
        let answer = service.get(&path, &Pairs::new())?;
        if answer.value["state"] != "running" {
            break answer;
        }
        thread::sleep(ASK_EVERY);
    };
    sayings::answer(service, &answer, |job| told(job, &service.words))?;
    Ok(code(&answer))
}

fn code(answer: &Answer) -> ExitCode {
    let import = &answer.value["import"];
    match answer.value["state"] == "done" && import["failed"].as_u64().unwrap_or(0) == 0 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn told(job: &Value, words: &Words) -> anyhow::Result<()> {
    facts(&[
        ("job", words.text(&job["id"])),
        ("kind", words.text(&job["kind"])),
        ("state", words.text(&job["state"])),
        ("problem", words.text(&job["problem"])),
        ("by", words.text(&job["by"])),
        ("started", words.instant(&job["started_at"])),
        ("ended", words.instant(&job["ended_at"])),
        ("so far", far(job, words)),
    ])?;
    bad_rows(&job["import"], words);
    Ok(())
}

/// Some bad rows of a file, on standard error.
pub(super) fn bad_rows(import: &Value, words: &Words) {
    let errors = import["errors"].as_array().map(Vec::as_slice);
    let errors = errors.unwrap_or_default();
    let shown = SHOWN_MOST as usize;
    for row in errors.iter().take(shown) {
        let line = words.text(&row["line"]);
        warn(&format!("line {line}: {}", words.text(&row["reason"])));
    }
    let rest = errors.len().saturating_sub(shown) as u64;
    let rest = rest + import["errors_left_out"].as_u64().unwrap_or(0);
    if rest > 0 {
        warn(&format!("… and {rest} bad rows more"));
    }
    let unknown = words.list(&import["unknown_columns"]);
    if !unknown.is_empty() {
        warn(&format!("columns not known, kept out: {unknown}"));
    }
    let pools = words.list(&import["new_pools"]);
    if !pools.is_empty() {
        warn(&format!("pools that were not there before: {pools}"));
    }
}

/// What became of rows.
pub(super) fn tally(import: &Value, words: &Words) -> String {
    let count = |name: &str| words.count(&import[name]);
    format!(
        "{} added, {} updated, {} skipped, {} bad",
        count("added"),
        count("updated"),
        count("skipped"),
        count("failed")
    )
}

fn far(job: &Value, words: &Words) -> String {
    let (import, bulk) = (&job["import"], &job["bulk"]);
    let text = match (import.is_null(), bulk.is_null()) {
        (false, _) => tally(import, words),
        (_, false) => format!(
            "{} changed, {} of {} looked at",
            words.count(&bulk["changed"]),
            words.count(&bulk["matched"]),
            words.count(&bulk["total"])
        ),
        _ => return String::new(),
    };
    match job["dry_run"] == true {
        true => format!("{text} (dry run: nothing is written)"),
        false => text,
    }
}
