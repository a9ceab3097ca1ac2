//! `caller-id trace`.

use std::path::PathBuf;
use std::process::ExitCode;

use caller_id_core::PhoneNumber;
use serde::Serialize;

use super::sayings::{self, CALLS};
use super::stats::in_zone;
use crate::cli::ask::{Pairs, ServiceArgs, Usage, pairs, path};
use crate::cli::import::console::warn;
use crate::cli::show::{Listing, PageArgs, facts, list};
use crate::config::source::Environment;

/// How it is called.
pub(super) const EXAMPLES: &str = "Examples:
  caller-id trace 773-555-0123                         every call to this party, newest first
  caller-id trace M1231234560000012345                 the call with this id
  caller-id trace --number 312-555-0100 --since 2026-11-22 --until 2026-11-23
  caller-id trace --campaign SOLAR --all --csv solar.csv
  caller-id trace --number 312-555-0100 --csv -        what a carrier asks for";

/// So many digits have the seconds since 1970, with which Asterisk's ids begin.
const EPOCH_DIGITS: usize = 10;

/// What `trace` takes.
#[derive(Debug, clap::Args, Serialize)]
pub struct TraceArgs {
    /// A destination, or the dialer's id of a call: what can be a phone number is taken for a destination
    #[arg(value_name = "DESTINATION|CALL", conflicts_with_all = ["destination", "call_id"])]
    #[serde(skip)]
    pub what: Option<String>,
    /// Only calls to this party
    #[arg(long, value_name = "NUMBER")]
    pub destination: Option<String>,
    /// Only this call, by the dialer's id
    #[arg(long, value_name = "CALL")]
    pub call_id: Option<String>,
    /// Only calls from this number of ours
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<String>,
    /// Only calls of this campaign
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: Option<String>,
    /// Only calls of this agent
    #[arg(long, value_name = "AGENT")]
    pub agent: Option<String>,
    /// Only calls with numbers out of this pool
    #[arg(long, value_name = "POOL")]
    pub pool: Option<String>,
    /// Only those made at this instant or later; of a date, from its beginning
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only those made before this instant; of a date, up to its end
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Where dates begin: an IANA name. Default: the zone of this machine
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// Everything about one call: the reservation_id that the dialer was given
    #[arg(long, value_name = "ID", conflicts_with_all = ["what", "destination", "call_id", "number", "csv"])]
    #[serde(skip)]
    pub id: Option<String>,
    /// Write all of it to this file as CSV, with times in UTC; `-` is the standard output
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

pub(super) fn run(args: &TraceArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let mut query = asked(args)?;
    let service = args.service.service(environment)?;
    if let Some(id) = &args.id {
        let answer = service.get(&path(&["allocations", id]), &Pairs::new())?;
        return sayings::answer(&service, &answer, |call| {
            let words = &service.words;
            facts(&[
                ("id", words.text(&call["id"])),
                ("at", words.instant(&call["at"])),
                ("caller ID", words.number(&call["caller_id"])),
                ("destination", words.number(&call["destination"])),
                ("campaign", words.text(&call["campaign"])),
                ("agent", words.text(&call["agent"])),
                ("call id", words.text(&call["call_id"])),
                ("pool", words.text(&call["pool"])),
                ("rung", words.text(&call["rung"])),
                ("state", words.text(&call["state"])),
                ("reserved until", words.instant(&call["reserved_until"])),
                ("ended", words.instant(&call["ended_at"])),
                ("end", words.text(&call["status"])),
                ("rang and talked", words.span(&call["dialed_seconds"])),
                ("talked", words.span(&call["answered_seconds"])),
                ("hang-up cause", words.text(&call["hangup_cause"])),
                ("SIP code", words.text(&call["sip_code"])),
                ("reported", words.instant(&call["reported_at"])),
            ])
        });
    }
    in_zone(&mut query, &service.words);
    if let Some(file) = &args.csv {
        service.save(&path(&["allocations.csv"]), &query, file)?;
        if file.as_os_str() != "-" {
            warn(&format!("{} is written", file.display()));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let listing = Listing {
        path: path(&["allocations"]),
        rows: "allocations",
        columns: &CALLS,
        empty: "no such call is known",
    };
    list(&service, &listing, &query, &args.pages)?;
    Ok(ExitCode::SUCCESS)
}

/// The filters; the whole history is for files.
fn asked(args: &TraceArgs) -> Result<Pairs, Usage> {
    let mut query = pairs(args);
    if let Some(what) = &args.what {
        let name = match is_number(what) {
            true => "destination",
            false => "call_id",
        };
        query.push((name.to_owned(), what.clone()));
    }
    let is_empty = query.iter().all(|(name, _)| name == "time_zone");
    if is_empty && args.id.is_none() && args.csv.is_none() && !args.pages.all {
        let text = "whose history? A destination or the id of a call is expected, or some of the filters: --number, \
                    --campaign, --since …; all of it with --all or --csv";
        return Err(Usage::new(text));
    }
    Ok(query)
}

/// Whether it is a phone number. Asterisk's own ids of calls, `1763900000.17`, could be taken for some.
fn is_number(what: &str) -> bool {
    let is_long = |digits: &str| digits.len() >= EPOCH_DIGITS;
    let is_id = what
        .split_once('.')
        .is_some_and(|(first, _)| is_long(first));
    !is_id && PhoneNumber::parse(what).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_calls_are_told_from_numbers() {
        for number in [
            "773-555-0123",
            "773.555.0123",
            "+442079460958",
            "(312) 555-0100",
        ] {
            assert!(is_number(number), "{number}");
        }
        for id in [
            "M1231234560000012345",
            "1763900000.1",
            "1763900000.17",
            "555",
        ] {
            assert!(!is_number(id), "{id}");
        }
    }
}
