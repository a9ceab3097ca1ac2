//! One number, or some that are named.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::fields::FieldArgs;
use super::{area, free};
use crate::cli::admin::sayings;
use crate::cli::admin::sure::SureArgs;
use crate::cli::ask::{Answer, Method, Pairs, Question, Service, ServiceArgs, Usage, path};
use crate::cli::import::console::warn;
use crate::cli::one_line;
use crate::cli::show::{Words, facts, out, typed_number};
use crate::config::source::Environment;

/// How `numbers change` is called.
pub(super) const CHANGE_EXAMPLES: &str = "Examples:
  caller-id numbers change 312-555-0100 --daily-limit 300 --hourly-limit none
  caller-id numbers change 312-555-0100 --pool west --carrier 'Carrier B'";

/// What `numbers show` takes.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// The number, in any form
    #[arg(value_name = "NUMBER", value_parser = typed_number)]
    pub number: String,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What `numbers add` takes.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// The number, in any form
    #[arg(value_name = "NUMBER", value_parser = typed_number)]
    pub number: String,
    /// What is known of it.
    #[command(flatten)]
    pub fields: FieldArgs,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What `numbers change` takes.
#[derive(Debug, clap::Args)]
pub struct ChangeArgs {
    /// The number, in any form
    #[arg(value_name = "NUMBER", value_parser = typed_number)]
    pub number: String,
    /// What changes.
    #[command(flatten)]
    pub fields: FieldArgs,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What `numbers pause`, `resume` and `retire` take.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Which, in any form
    #[arg(value_name = "NUMBER", required = true, value_parser = typed_number)]
    pub numbers: Vec<String>,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What `numbers rest` takes.
#[derive(Debug, clap::Args)]
pub struct RestArgs {
    /// Which, in any form
    #[arg(value_name = "NUMBER", required = true, value_parser = typed_number)]
    pub numbers: Vec<String>,
    /// For how long.
    #[command(flatten)]
    pub span: SpanArgs,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// How long something rests.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
pub struct SpanArgs {
    /// For so many minutes
    #[arg(long, value_name = "N")]
    pub minutes: Option<u32>,
    /// For so many hours
    #[arg(long, value_name = "N")]
    pub hours: Option<u32>,
    /// Until this instant, or the beginning of this date
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
}

impl SpanArgs {
    /// As the API takes it.
    ///
    /// # Errors
    /// [`Usage`].
    pub(super) fn body(&self, words: &Words) -> Result<Value, Usage> {
        if let Some(until) = &self.until {
            let until = words.asked(until);
            let until = until.map_err(|why| Usage::new(format!("--until: {why}")))?;
            return Ok(json!({ "until": until }));
        }
        let hours = self.hours.map(|hours| hours.saturating_mul(60));
        Ok(json!({ "minutes": self.minutes.or(hours) }))
    }
}

/// What `numbers remove` takes.
#[derive(Debug, clap::Args)]
pub struct RemoveArgs {
    /// The number, in any form
    #[arg(value_name = "NUMBER", value_parser = typed_number)]
    pub number: String,
    /// Whether it is meant.
    #[command(flatten)]
    pub sure: SureArgs,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

pub(super) fn show(args: &ShowArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let answer = service.get(&path(&["numbers", &args.number]), &Pairs::new())?;
    told(&service, &answer)
}

pub(super) fn add(args: &AddArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let mut members = args.fields.members().map_err(Usage::new)?;
    members.insert("number".to_owned(), Value::from(args.number.as_str()));
    let service = args.service.service(environment)?;
    let question = Question::new(Method::Post, path(&["numbers"])).body(members.into());
    told(&service, &service.ask(&question)?)
}

/// What was seen is changed, and nothing else: whoever else changes it meanwhile is not overwritten.
pub(super) fn change(args: &ChangeArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let members = args.fields.members().map_err(Usage::new)?;
    if members.is_empty() {
        return Err(Usage::new("nothing to change: give some of --pool, --carrier, --area-code, --attestation, --daily-limit, --hourly-limit, --meta, --status").into());
    }
    let service = args.service.service(environment)?;
    let path = path(&["numbers", &args.number]);
    let seen = service.get(&path, &Pairs::new())?;
    let question = Question::new(Method::Patch, path).body(members.into());
    let answer = service.ask(&question.only_if(sayings::as_seen(Some(&seen))))?;
    sayings::answer(&service, &answer, |after| {
        let lines = differences(&seen.value, after, &service.words);
        let number = service.words.number(&after["number"]);
        match lines.is_empty() {
            true => out::line(&format!("{number} was so already")),
            false => out::line(&format!("{number}: {}", lines.join(", "))),
        }
    })
}

pub(super) fn status(
    args: &StatusArgs,
    action: &str,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    each(&service, &args.numbers, action, None)
}

pub(super) fn rest(args: &RestArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let body = args.span.body(&service.words)?;
    each(&service, &args.numbers, "rest", Some(&body))
}

/// Every number gets its turn, whatever becomes of the others. What the service cannot be asked for ends it.
fn each(
    service: &Service,
    numbers: &[String],
    action: &str,
    body: Option<&Value>,
) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for number in numbers {
        let mut question = Question::new(Method::Post, path(&["numbers", number, action]));
        question.body = body.cloned();
        match service.ask(&question) {
            Ok(answer) => {
                sayings::line(service, &answer, |row| stands(row, &service.words))?;
            }
            Err(error) if numbers.len() > 1 && is_of_this_number(&error) => {
                warn(&format!("caller-id: {number}: {}", one_line(&error)));
                code = ExitCode::FAILURE;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(code)
}

/// Whether others may go better.
fn is_of_this_number(error: &anyhow::Error) -> bool {
    let refused = error.downcast_ref::<crate::cli::ask::Refused>();
    refused.is_some_and(|refused| matches!(refused.status, 404 | 409 | 412 | 422))
}

pub(super) fn remove(args: &RemoveArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let path = path(&["numbers", &args.number]);
    let seen = service.get(&path, &Pairs::new())?;
    let words = &service.words;
    let what = format!(
        "{} (pool {}, {}) will be removed; its history stays",
        words.number(&seen.value["number"]),
        words.text(&seen.value["pool"]),
        words.text(&seen.value["status"])
    );
    if !args.sure.is_meant(&what)? {
        return Ok(ExitCode::FAILURE);
    }
    let answer = sayings::remove(&service, &path, &seen)?;
    let number = words.number(&seen.value["number"]);
    sayings::line(&service, &answer, |_| format!("{number} is removed"))
}

/// `312-555-0100 (pool east) is resting until …`.
fn stands(row: &Value, words: &Words) -> String {
    let (number, pool) = (words.number(&row["number"]), words.text(&row["pool"]));
    let status = words.text(&row["status"]);
    let until = match row["status"] == "resting" {
        true => format!(" until {}", words.instant(&row["resting_until"])),
        false => String::new(),
    };
    format!("{number} (pool {pool}) is {status}{until}")
}

fn told(service: &Service, answer: &Answer) -> anyhow::Result<ExitCode> {
    let words = &service.words;
    sayings::answer(service, answer, |row| {
        let live = &row["live"];
        let limit = |name: &str| match &row[name] {
            Value::Null => "no limit".to_owned(),
            limit => words.count(limit),
        };
        let used = |name: &str, limit_name: &str| match (&live[name], &row[limit_name]) {
            (Value::Null, _) => limit(limit_name),
            (uses, Value::Null) => format!("{}, no limit", words.count(uses)),
            (uses, _) => format!("{} of {}", words.count(uses), limit(limit_name)),
        };
        facts(&[
            ("number", words.number(&row["number"])),
            ("E.164", words.text(&row["number"])),
            ("pool", words.text(&row["pool"])),
            ("status", words.text(&row["status"])),
            ("resting until", words.instant(&row["resting_until"])),
            ("carrier", words.text(&row["carrier"])),
            ("area code", area(row, words)),
            ("attestation", words.text(&row["attestation"])),
            ("uses in the hour", used("uses_in_hour", "hourly_limit")),
            ("uses today", used("uses_today", "daily_limit")),
            ("reserved by", calls(&live["reservations"], words)),
            ("free", free(row, words)),
            ("last used", words.instant(&live["last_used_at"])),
            ("added", words.instant(&row["created_at"])),
            ("changed", words.instant(&row["updated_at"])),
            ("meta", words.text(&row["meta"])),
        ])
    })
}

fn calls(count: &Value, words: &Words) -> String {
    match count.as_u64() {
        None => String::new(),
        Some(0) => "no call".to_owned(),
        Some(1) => "1 call".to_owned(),
        Some(_) => format!("{} calls", words.count(count)),
    }
}

/// What is other than before: `daily_limit 500 → 300`.
pub(in crate::cli::admin) fn differences(
    before: &Value,
    after: &Value,
    words: &Words,
) -> Vec<String> {
    const SELF: [&str; 4] = ["live", "updated_at", "created_at", "region"];
    let members = after.as_object().into_iter().flatten();
    let changed = members.filter(|(name, value)| {
        !SELF.contains(&name.as_str()) && before.get(name.as_str()) != Some(value)
    });
    let told = |value: &Value| match value {
        Value::Null => "none".to_owned(),
        Value::Number(_) => words.count(value),
        other => words.text(other),
    };
    changed
        .map(|(name, value)| format!("{name} {} → {}", told(&before[name.as_str()]), told(value)))
        .collect()
}
