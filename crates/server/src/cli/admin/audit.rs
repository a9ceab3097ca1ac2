//! `caller-id audit list`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use crate::cli::ask::{Pairs, ServiceArgs, Usage, pairs, path};
use crate::cli::import::console::warn;
use crate::cli::show::{Column, Listing, PageArgs, Words, list};
use crate::config::source::Environment;

/// What `audit list` takes.
#[derive(Debug, clap::Args, Serialize)]
pub struct ListArgs {
    /// Only by this name: of a key, a person, a command
    #[arg(long, value_name = "NAME")]
    pub author: Option<String>,
    /// Only actions that begin with this: `number.` or `number.create`
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
    /// Only what was done to this very thing: +13125550100, a pool, the id of a key
    #[arg(long, value_name = "THING")]
    pub subject: Option<String>,
    /// Only at this instant or later; of a date, from its beginning here
    #[arg(long, value_name = "WHEN")]
    #[serde(skip)]
    pub since: Option<String>,
    /// Only before this instant; of a date, up to its end here
    #[arg(long, value_name = "WHEN")]
    #[serde(skip)]
    pub until: Option<String>,
    /// Write all of it to this file as CSV; `-` is the standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "limit", "cursor"])]
    #[serde(skip)]
    pub csv: Option<PathBuf>,
    /// Which page.
    #[command(flatten)]
    #[serde(skip)]
    pub pages: PageArgs,
    /// The service.
    #[command(flatten)]
    #[serde(skip)]
    pub service: ServiceArgs,
}

const COLUMNS: [Column; 7] = [
    Column::count("PLACE", |row, words| words.text(&row["place"])),
    Column::text("AT", |row, words| words.instant(&row["at"])),
    Column::text("WHO", |row, words| {
        let (kind, name) = (&row["author_kind"], &row["author"]);
        format!("{} {}", words.text(kind), words.text(name))
    }),
    Column::text("FROM", |row, words| words.text(&row["address"])),
    Column::text("WHAT", |row, words| words.text(&row["action"])),
    Column::text("TO", |row, words| words.number(&row["subject"])),
    Column::text("CHANGE", change),
];

/// Shows the log, or writes it to a file.
///
/// # Errors
/// Says what went wrong, in one line.
pub fn run(args: &ListArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let mut query: Pairs = pairs(args);
    let words = &service.words;
    let since = args.since.as_deref().map(|text| words.asked(text));
    let until = args.until.as_deref().map(|text| words.asked_to_end(text));
    for (name, at) in [("since", since), ("until", until)] {
        let at = at.transpose();
        let at = at.map_err(|why| Usage::new(format!("--{name}: {why}")))?;
        query.extend(at.map(|at| (name.to_owned(), at)));
    }
    if let Some(file) = &args.csv {
        service.save(&path(&["audit.csv"]), &query, file)?;
        if file.as_os_str() != "-" {
            warn(&format!("{} is written", file.display()));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let listing = Listing {
        path: path(&["audit"]),
        rows: "entries",
        columns: &COLUMNS,
        empty: "no such entry",
    };
    list(&service, &listing, &query, &args.pages)?;
    Ok(ExitCode::SUCCESS)
}

/// What is other than before; of something new or removed nothing: the action tells it.
fn change(row: &Value, words: &Words) -> String {
    match (row["before"].is_object(), row["after"].is_object()) {
        (true, true) => {
            super::numbers::differences(&row["before"], &row["after"], words).join(", ")
        }
        _ => String::new(),
    }
}
