//! Long lists: a page, the page after a cursor, or all of them.

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::out;
use super::table::{Column, Table};
use crate::cli::ask::{Pairs, Service, pairs};
use crate::cli::import::console::warn;

/// How many a page has where all are asked for, and no size.
const LIMIT_MOST: &str = "1000";

/// Which part of a long list.
#[derive(Debug, Default, Clone, Args, Serialize)]
#[command(next_help_heading = "Pages")]
pub struct PageArgs {
    /// How many are shown: 1 to 1000, 50 when nothing is said. With --all, how many are fetched at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub limit: Option<u32>,
    /// Where the page begins: the page before tells it
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
    /// All pages; with --json one object a line
    #[arg(long)]
    #[serde(skip)]
    pub all: bool,
}

/// A list as the API has it.
pub(in crate::cli) struct Listing<'a> {
    /// Where it is.
    pub(in crate::cli) path: String,
    /// The member of the answer that has the rows.
    pub(in crate::cli) rows: &'static str,
    /// How people see it.
    pub(in crate::cli) columns: &'a [Column],
    /// What is said where it is empty.
    pub(in crate::cli) empty: &'static str,
}

/// Shows the list as it is asked for.
///
/// # Errors
/// As [`Service::get`].
pub(in crate::cli) fn list(
    service: &Service,
    listing: &Listing<'_>,
    filter: &Pairs,
    pages: &PageArgs,
) -> anyhow::Result<()> {
    let mut asked = pairs(pages);
    if pages.all && pages.limit.is_none() {
        asked.push(("limit".to_owned(), LIMIT_MOST.to_owned()));
    }
    let mut table = Table::new(listing.columns);
    let mut shown = 0;
    loop {
        let query = [filter.as_slice(), &asked].concat();
        let answer = service.get(&listing.path, &query)?;
        let rows = answer.value[listing.rows].as_array();
        let rows = rows.map(Vec::as_slice).unwrap_or_default();
        shown += rows.len();
        match (service.is_json, pages.all) {
            (true, false) => out::line(&answer.text)?,
            (true, true) => lines(rows)?,
            (false, _) if shown == 0 => warn(listing.empty),
            (false, _) => table.rows(rows, &service.words)?,
        }
        let next = answer.value["next"].as_str();
        match next {
            Some(next) if pages.all => {
                asked.retain(|(name, _)| name != "cursor");
                asked.push(("cursor".to_owned(), next.to_owned()));
            }
            next => {
                if !service.is_json {
                    after(&answer.value, next);
                }
                return Ok(());
            }
        }
    }
}

/// One object a line.
fn lines(rows: &[Value]) -> anyhow::Result<()> {
    rows.iter().try_for_each(|row| out::line(&row.to_string()))
}

/// What people should know of a page, where it is in nobody's way.
fn after(answer: &Value, next: Option<&str>) {
    if let Some(total) = answer["total"].as_u64() {
        warn(&format!("{} in all", crate::digits::grouped(total)));
    }
    if answer["is_live"] == Value::Bool(false) {
        warn("how they stand now is not known: the engine cannot be asked");
    }
    if let Some(next) = next {
        warn(&format!(
            "there are more: --all, or the next page with --cursor {next}"
        ));
    }
}
