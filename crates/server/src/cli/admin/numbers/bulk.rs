//! Many numbers at once, by a filter.

use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::fields::pair;
use super::filter::FilterArgs;
use super::one::differences;
use crate::cli::admin::sure::SureArgs;
use crate::cli::admin::{jobs, sayings};
use crate::cli::ask::{Answer, Method, Question, Service, ServiceArgs, Usage, pairs, path};
use crate::cli::import::console::warn;
use crate::cli::show::{Words, out};
use crate::config::source::Environment;

/// How it is called.
pub(super) const EXAMPLES: &str = "Examples:
  caller-id numbers bulk pause --carrier 'Carrier B' --dry-run    how many, and which come first
  caller-id numbers bulk pause --carrier 'Carrier B'              tells how many, and asks
  caller-id numbers bulk rest --area-code 312,773 --until 2026-11-24 --yes
  caller-id numbers bulk change --pool east --set daily_limit=300 --set hourly_limit=none
  caller-id numbers bulk remove --status retired";

/// What `numbers bulk` takes.
#[derive(Debug, clap::Args)]
pub struct BulkArgs {
    /// What is done with each
    #[arg(value_enum)]
    pub action: Action,
    /// With `change`: what changes, by the names of the API; `none` takes it away. May be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, Value)>,
    /// With `rest`: for so many minutes
    #[arg(long, value_name = "N", conflicts_with = "until")]
    pub minutes: Option<u32>,
    /// With `rest`: until this instant, or the beginning of this date
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Change nothing: tell how many it would be, and show the first
    #[arg(long)]
    pub dry_run: bool,
    /// Do not wait for the end where it goes on by itself (more than 10,000 numbers): `caller-id jobs` tells how far it is
    #[arg(long)]
    pub no_wait: bool,
    /// Whether it is meant.
    #[command(flatten)]
    pub sure: SureArgs,
    /// Which numbers.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// All numbers that there are, instead of a filter
    #[arg(long, help_heading = "Which numbers")]
    pub all: bool,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What is done with each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Action {
    /// Change what is kept of it: --set
    Change,
    /// Take it out until somebody resumes it
    Pause,
    /// Bring it back
    Resume,
    /// Let it rest: --minutes or --until
    Rest,
    /// Say that it is ours no longer
    Retire,
    /// Remove it; its history stays
    Remove,
}

impl Action {
    const fn done(self) -> &'static str {
        match self {
            Self::Change => "changed",
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Rest => "sent to rest",
            Self::Retire => "retired",
            Self::Remove => "removed",
        }
    }
}

pub(super) fn run(args: &BulkArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    check(args)?;
    let service = args.service.service(environment)?;
    let mut body = body(args, &service.words)?;
    let question = Question::new(Method::Post, path(&["numbers", "bulk"]));
    if args.dry_run {
        body.insert("dry_run".to_owned(), Value::from(true));
        let answer = service.ask(&question.body(body.into()))?;
        return match answer.status {
            202 => job(&service, args, &answer),
            _ => sayings::answer(&service, &answer, |it| foreseen(it, args, &service)),
        };
    }
    if !args.sure.yes && !is_meant(args, &service)? {
        return Ok(ExitCode::FAILURE);
    }
    let answer = service.ask(&question.body(body.into()))?;
    match answer.status {
        202 => job(&service, args, &answer),
        _ => sayings::line(&service, &answer, |done| {
            format!(
                "{} {}, {} asked for",
                counted(&done["changed"]),
                args.action.done(),
                service.words.count(&done["matched"])
            )
        }),
    }
}

/// What is missing, or does not go together.
fn check(args: &BulkArgs) -> Result<(), Usage> {
    let is_filtered = filter(args).is_ok_and(|filter| !filter.is_empty());
    let has_span = args.minutes.is_some() || args.until.is_some();
    let why = match args.action {
        _ if is_filtered == args.all => {
            "which numbers? Some of --pool, --status, --carrier, --area-code … are expected, or --all"
        }
        Action::Change if args.set.is_empty() => {
            "what changes? --set is expected, like --set daily_limit=300"
        }
        Action::Rest if !has_span => "for how long? --minutes or --until is expected",
        Action::Change | Action::Rest => return Ok(()),
        _ if !args.set.is_empty() => "--set is for `numbers bulk change`",
        _ if has_span => "--minutes and --until are for `numbers bulk rest`",
        _ => return Ok(()),
    };
    Err(Usage::new(why))
}

fn filter(args: &BulkArgs) -> anyhow::Result<Map<String, Value>> {
    match serde_json::to_value(&args.filter)? {
        Value::Object(members) => Ok(members),
        _ => Ok(Map::new()),
    }
}

fn body(args: &BulkArgs, words: &Words) -> anyhow::Result<Map<String, Value>> {
    let mut body = Map::new();
    match args.all {
        true => body.insert("all".to_owned(), Value::from(true)),
        false => body.insert("filter".to_owned(), filter(args)?.into()),
    };
    let change = match args.action {
        Action::Change => Value::Object(args.set.iter().cloned().collect()),
        Action::Pause => json!({"status": "paused"}),
        Action::Resume => json!({"status": "active"}),
        Action::Retire => json!({"status": "retired"}),
        Action::Rest => json!({"status": "resting", "resting_until": until(args, words)?}),
        Action::Remove => {
            body.insert("delete".to_owned(), Value::from(true));
            return Ok(body);
        }
    };
    body.insert("change".to_owned(), change);
    Ok(body)
}

fn until(args: &BulkArgs, words: &Words) -> Result<String, Usage> {
    match (&args.until, args.minutes) {
        (Some(until), _) => {
            let until = words.asked(until);
            until.map_err(|why| Usage::new(format!("--until: {why}")))
        }
        (None, minutes) => Ok(words.in_minutes(minutes.unwrap_or_default())),
    }
}

/// Tells how many numbers are asked for, and asks.
fn is_meant(args: &BulkArgs, service: &Service) -> anyhow::Result<bool> {
    let mut query = pairs(&args.filter);
    for (name, value) in [("count", "true"), ("limit", "1")] {
        query.push((name.to_owned(), value.to_owned()));
    }
    let answer = service.get(&path(&["numbers"]), &query)?;
    let asked_for = counted(&answer.value["total"]);
    let what = match args.action {
        Action::Change => {
            let names: Vec<&str> = args.set.iter().map(|(name, _)| name.as_str()).collect();
            format!("{asked_for}: {} is changed", names.join(", "))
        }
        action => format!("{asked_for} will be {}", action.done()),
    };
    args.sure.is_meant(&what)
}

/// It goes on by itself: what is known is shown, or waited for.
fn job(service: &Service, args: &BulkArgs, answer: &Answer) -> anyhow::Result<ExitCode> {
    let id = service.words.text(&answer.value["id"]);
    if args.no_wait {
        return sayings::line(service, answer, |_| {
            format!("job {id} goes on by itself: caller-id jobs show {id}")
        });
    }
    warn(&format!(
        "job {id} goes on by itself, also when this command is ended"
    ));
    jobs::ended(service, &id)
}

fn foreseen(answer: &Value, args: &BulkArgs, service: &Service) -> anyhow::Result<()> {
    let words = &service.words;
    let rows = answer["first"].as_array().map(Vec::as_slice);
    for row in rows.unwrap_or_default() {
        let number = words.number(&row["before"]["number"]);
        let what = match row["after"].is_null() {
            true => "removed".to_owned(),
            false => differences(&row["before"], &row["after"], words).join(", "),
        };
        out::line(&format!("{number}: {what}"))?;
    }
    out::line(&format!(
        "{} would be {}, {} asked for: nothing is written",
        counted(&answer["changed"]),
        args.action.done(),
        words.count(&answer["matched"])
    ))
}

fn counted(count: &Value) -> String {
    match count.as_u64() {
        Some(1) => "1 number".to_owned(),
        count => format!("{} numbers", crate::digits::grouped(count.unwrap_or(0))),
    }
}
