//! `caller-id lookup`.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use super::sayings::{self, CALLS};
use crate::cli::ask::{ServiceArgs, pairs, path};
use crate::cli::show::{Table, Words, facts, out};
use crate::config::source::Environment;

/// How it is called.
pub(super) const EXAMPLES: &str = "Examples:
  caller-id lookup 312-555-0100                       the last calls from this number
  caller-id lookup 312-555-0100 --from 773-555-0123   which of them this caller calls back";

/// What `lookup` takes.
#[derive(Debug, clap::Args, Serialize)]
pub struct LookupArgs {
    /// Our number, that was called back; also one that is retired or removed
    #[arg(value_name = "NUMBER")]
    pub number: String,
    /// Who calls back
    #[arg(long, value_name = "NUMBER")]
    pub from: Option<String>,
    /// At most so many calls: 1 to 100. Default: 10
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: Option<u32>,
    /// The service.
    #[command(flatten)]
    #[serde(skip)]
    pub service: ServiceArgs,
}

pub(super) fn run(args: &LookupArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let answer = service.get(&path(&["lookup"]), &pairs(args))?;
    sayings::answer(&service, &answer, |value| tell(value, &service.words))
}

fn tell(value: &Value, words: &Words) -> anyhow::Result<()> {
    let row = &value["row"];
    let ours = match value["ours"].as_bool() {
        Some(true) => "ours",
        _ if row.is_null() => "not in the inventory",
        _ => "ours no longer",
    };
    let number = words.number(&value["number"]);
    facts(&[
        ("number", format!("{number} ({ours})")),
        ("pool", words.text(&row["pool"])),
        ("status", words.text(&row["status"])),
        ("resting until", words.instant(&row["resting_until"])),
        ("carrier", words.text(&row["carrier"])),
        ("added", words.instant(&row["created_at"])),
    ])?;
    if !value["from"].is_null() {
        let from = words.number(&value["from"]);
        out::line("")?;
        match &value["called_back"] {
            Value::Null => out::line(&format!("{from} was never called from it"))?,
            call => {
                out::line(&format!("{from} calls back"))?;
                Table::new(&CALLS).rows(std::slice::from_ref(call), words)?;
            }
        }
    }
    let calls = value["calls"].as_array().map(Vec::as_slice);
    out::line("")?;
    match calls.unwrap_or_default() {
        [] => out::line("no calls from it are known"),
        calls => {
            out::line("last calls")?;
            Table::new(&CALLS).rows(calls, words)
        }
    }
}
