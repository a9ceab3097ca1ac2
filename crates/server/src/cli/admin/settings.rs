//! `caller-id settings`.

use std::process::ExitCode;

use serde_json::Value;

use super::sayings;
use crate::cli::ask::{ServiceArgs, path};
use crate::cli::show::{Column, Table};
use crate::config::source::Environment;

const COLUMNS: [Column; 3] = [
    Column::text("SETTING", |row, words| words.text(&row["name"])),
    Column::text("VALUE", |row, words| {
        match (&row["value"], &row["is_secret"]) {
            (_, Value::Bool(true)) if row["is_set"] == Value::Bool(true) => "(hidden)".to_owned(),
            (value, _) => words.text(value),
        }
    }),
    Column::text("FROM", |row, words| words.text(&row["source"])),
];

/// What `settings` takes.
#[derive(Debug, clap::Args)]
pub struct SettingsArgs {
    /// Only those that somebody set
    #[arg(long)]
    pub set: bool,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

pub(super) fn run(args: &SettingsArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let answer = service.get(&path(&["settings"]), &Vec::new())?;
    sayings::answer(&service, &answer, |value| {
        let rows = value["settings"].as_array().cloned().unwrap_or_default();
        let is_shown = |row: &Value| !args.set || row["source"] != "default";
        let rows: Vec<Value> = rows.into_iter().filter(is_shown).collect();
        Table::new(&COLUMNS).rows(&rows, &service.words)
    })
}
