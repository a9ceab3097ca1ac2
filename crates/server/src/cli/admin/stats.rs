//! `caller-id stats`.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use super::sayings;
use crate::cli::ask::{ServiceArgs, pairs, path};
use crate::cli::import::console::warn;
use crate::cli::show::{Column, Table, Words};
use crate::config::source::Environment;

/// How it is called.
pub(super) const EXAMPLES: &str = "Examples:
  caller-id stats                                     the last 24 hours
  caller-id stats --by campaign --since 2026-11-23    today, campaign by campaign
  caller-id stats --by pool --span hour               hour by hour
  caller-id stats --by carrier --span day --since 2026-11-01 --until 2026-11-30
  caller-id stats --by number --pool east --limit 20  the numbers with the most calls";

/// What `stats` takes.
#[derive(Debug, clap::Args, Serialize)]
pub struct StatsArgs {
    /// What is counted together: all, pool, campaign, area_code, carrier, number or rung. Default: all
    #[arg(long, value_name = "WHAT")]
    pub by: Option<String>,
    /// In one sum (whole), or by hour or day. Default: whole
    #[arg(long, value_name = "whole|hour|day")]
    pub span: Option<String>,
    /// From this instant on, or from the beginning of this date. Default: 24 hours before --until
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Up to this instant, or to the end of this date. Default: now
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Where days begin: an IANA name. Default: the zone of this machine
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// Only calls with numbers out of this pool
    #[arg(long, value_name = "POOL")]
    pub pool: Option<String>,
    /// Only calls of this campaign
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: Option<String>,
    /// Only calls with this number
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<String>,
    /// At most so many lines, those with the most calls: 1 to 10000. Default: 1000
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// The service.
    #[command(flatten)]
    #[serde(skip)]
    pub service: ServiceArgs,
}

const FROM: Column = Column::text("FROM", |row, words| words.instant(&row["from"]));
const COUNTS: [Column; 10] = [
    Column::count("CALLS", |row, words| words.count(&row["calls"])),
    Column::count("ANSWERED", |row, words| words.count(&row["answered"])),
    Column::count("REPORTED", |row, words| words.count(&row["reported"])),
    Column::count("RATE", |row, words| words.share(&row["answer_rate"])),
    Column::count("BUSY", |row, words| words.count(&row["busy"])),
    Column::count("NO ANSWER", |row, words| words.count(&row["no_answer"])),
    Column::count("CANCELLED", |row, words| words.count(&row["cancelled"])),
    Column::count("FAILED", |row, words| words.count(&row["failed"])),
    Column::count("TALKED", |row, words| words.span(&row["answered_seconds"])),
    Column::count("AVERAGE", |row, words| words.span(&row["average_seconds"])),
];

pub(super) fn run(args: &StatsArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let mut query = pairs(args);
    in_zone(&mut query, &service.words);
    let answer = service.get(&path(&["stats"]), &query)?;
    sayings::answer(&service, &answer, |value| {
        let rows = value["rows"].as_array().map(Vec::as_slice);
        Table::new(&columns(value)).rows(rows.unwrap_or_default(), &service.words)?;
        if value["more"] == Value::Bool(true) {
            warn("only the lines with the most calls: --limit shows more");
        }
        Ok(())
    })
}

fn columns(value: &Value) -> Vec<Column> {
    let mut columns = Vec::new();
    if value["span"] != "whole" {
        columns.push(FROM);
    }
    let title = match value["by"].as_str().unwrap_or_default() {
        "pool" => Some("POOL"),
        "campaign" => Some("CAMPAIGN"),
        "area_code" => Some("AREA CODE"),
        "carrier" => Some("CARRIER"),
        "number" => Some("NUMBER"),
        "rung" => Some("RUNG"),
        _ => None,
    };
    let key = title.map(|title| Column::text(title, |row, words| words.number(&row["key"])));
    columns.extend(key);
    columns.extend(COUNTS);
    columns
}

/// Days begin where the person sits, unless another place is said.
pub(super) fn in_zone(query: &mut Vec<(String, String)>, words: &Words) {
    let is_said = query.iter().any(|(name, _)| name == "time_zone");
    if let Some(zone) = words.zone_name().filter(|_| !is_said) {
        query.push(("time_zone".to_owned(), zone.to_owned()));
    }
}
