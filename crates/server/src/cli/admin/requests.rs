//! `caller-id requests`.

use std::process::ExitCode;

use serde_json::Value;

use super::sayings;
use crate::cli::ask::{ServiceArgs, path};
use crate::cli::import::console::warn;
use crate::cli::show::{Column, Table, Words};
use crate::config::source::Environment;

const COLUMNS: [Column; 10] = [
    Column::text("AT", |row, words| words.instant(&row["at"])),
    Column::text("REQUEST", request),
    Column::text("OUTCOME", |row, words| words.text(&row["outcome"])),
    Column::count("MS", |row, _| {
        let ms = row["took_ms"].as_f64();
        ms.map_or_else(String::new, |ms| format!("{ms:.1}"))
    }),
    Column::text("CLIENT", |row, words| words.text(&row["client"])),
    Column::text("DESTINATION", |row, words| {
        words.number(&row["destination"])
    }),
    Column::text("CAMPAIGN", |row, words| words.text(&row["campaign"])),
    Column::text("AGENT", |row, words| words.text(&row["agent"])),
    Column::text("CALLER ID", |row, words| words.number(&row["caller_id"])),
    Column::text("NODE", |row, words| words.text(&row["node"])),
];

/// What `requests` takes.
#[derive(Debug, clap::Args)]
pub struct RequestsArgs {
    /// How many are shown, the newest first; all that are kept with --json
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Only those with this outcome: allocated, exhausted, agent_limited, refused, invalid, unavailable …
    #[arg(long, value_name = "WORD", conflicts_with = "json")]
    pub outcome: Option<String>,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

pub(super) fn run(args: &RequestsArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let answer = service.get(&path(&["requests"]), &Vec::new())?;
    sayings::answer(&service, &answer, |value| {
        let rows = value["requests"].as_array().cloned().unwrap_or_default();
        let outcome = args.outcome.as_deref();
        let is_shown = |row: &Value| outcome.is_none_or(|word| row["outcome"] == word);
        let rows = rows.into_iter().filter(is_shown).take(args.limit as usize);
        let rows: Vec<Value> = rows.collect();
        Table::new(&COLUMNS).rows(&rows, &service.words)?;
        if value["all_nodes"] == Value::Bool(false) {
            warn("only what this node was asked: Redis was not reached");
        }
        Ok(())
    })
}

/// Paths as they were meant: `%2B` is a plus.
fn request(row: &Value, words: &Words) -> String {
    let text = row["request"].as_str().unwrap_or_default();
    let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    words.text(&Value::from(text.into_owned()))
}
