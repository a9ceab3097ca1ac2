//! `caller-id explain`.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};

use super::sayings;
use crate::cli::ask::{ServiceArgs, pairs, path};
use crate::cli::import::console::warn;
use crate::cli::show::{Column, Table, Words, facts, out};
use crate::config::source::Environment;

/// How it is called.
pub(super) const EXAMPLES: &str = "Examples:
  caller-id explain 312-555-0123
  caller-id explain 13125550123 --campaign SOLAR --agent 1001";

/// What `explain` takes.
#[derive(Debug, clap::Args, Serialize)]
pub struct ExplainArgs {
    /// The called party, as the dialer gives it
    #[arg(value_name = "DESTINATION")]
    pub to: String,
    /// The dialer's campaign
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: Option<String>,
    /// Who makes the call
    #[arg(long, value_name = "AGENT")]
    pub agent: Option<String>,
    /// The dialer's id of the call
    #[arg(long, value_name = "CALL")]
    pub call: Option<String>,
    /// The service.
    #[command(flatten)]
    #[serde(skip)]
    pub service: ServiceArgs,
}

const COLUMNS: [Column; 11] = [
    Column::text(" ", |row, _| match row["chosen"].as_bool() {
        Some(true) => "*".to_owned(),
        _ => " ".to_owned(),
    }),
    Column::text("POOL", |row, words| words.text(&row["pool"])),
    Column::text("RUNG", |row, words| words.text(&row["rung"])),
    Column::count("FREE", |row, words| {
        words.count(&row["numbers"]["eligible"])
    }),
    Column::count("RESERVED", |row, words| {
        words.count(&row["numbers"]["reserved"])
    }),
    Column::count("COOLDOWN", |row, words| {
        words.count(&row["numbers"]["cooldown"])
    }),
    Column::count("HOUR FULL", |row, words| {
        words.count(&row["numbers"]["hourly_limit"])
    }),
    Column::count("DAY FULL", |row, words| {
        words.count(&row["numbers"]["daily_limit"])
    }),
    Column::count("PAUSED", |row, words| {
        words.count(&row["numbers"]["paused"])
    }),
    Column::count("RESTING", |row, words| {
        words.count(&row["numbers"]["resting"])
    }),
    Column::count("RETIRED", |row, words| {
        words.count(&row["numbers"]["retired"])
    }),
];

pub(super) fn run(args: &ExplainArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let answer = service.get(&path(&["explain"]), &pairs(args))?;
    sayings::answer(&service, &answer, |value| tell(value, &service.words))
}

fn tell(value: &Value, words: &Words) -> anyhow::Result<()> {
    let (choice, destination) = (&value["choice"], &value["destination"]);
    facts(&[
        ("answer", words.text(&choice["in_words"])),
        ("caller ID", words.number(&choice["caller_id"])),
        ("earliest", words.instant(&choice["earliest"])),
        ("destination", destination_told(destination, words)),
        ("campaign", campaign_told(&value["campaign"], words)),
    ])?;
    let pools = value["pools"].as_array().map(Vec::as_slice);
    let rows: Vec<Value> = pools.unwrap_or_default().iter().flat_map(rungs).collect();
    if !rows.is_empty() {
        out::line("")?;
        Table::new(&COLUMNS).rows(&rows, words)?;
    }
    if let Some(why) = value["counts_left_out"].as_str() {
        warn(why);
    }
    Ok(())
}

/// The rungs of a pool, each with the pool's name; one line for a pool that is not there.
fn rungs(pool: &Value) -> Vec<Value> {
    let rungs = pool["rungs"].as_array().map(Vec::as_slice);
    let named = |rung: &Value| {
        let mut row = rung.clone();
        row["pool"] = pool["pool"].clone();
        row
    };
    match rungs.unwrap_or_default() {
        [] => vec![json!({"pool": pool["pool"], "rung": "no such pool"})],
        rungs => rungs.iter().map(named).collect(),
    }
}

fn destination_told(destination: &Value, words: &Words) -> String {
    let number = words.number(&destination["number"]);
    let place: Vec<String> = ["area_code", "region", "country"]
        .iter()
        .map(|name| words.text(&destination[*name]))
        .filter(|text| !text.is_empty())
        .collect();
    let ours = match destination["ours"].as_bool() {
        Some(true) => ", one of our own numbers",
        _ => "",
    };
    match place.is_empty() {
        true => format!("{number}{ours}"),
        false => format!("{number} ({}){ours}", place.join(", ")),
    }
}

fn campaign_told(campaign: &Value, words: &Words) -> String {
    let id = match campaign["id"].is_null() {
        true => "none".to_owned(),
        false => words.text(&campaign["id"]),
    };
    match campaign["configured"].as_bool() {
        Some(false) => format!("{id} (nobody configured it: it uses the pool default)"),
        _ => id,
    }
}
