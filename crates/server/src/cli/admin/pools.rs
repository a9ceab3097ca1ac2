//! `caller-id pools`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Map, Value};

use super::sayings;
use super::sure::SureArgs;
use crate::cli::ask::{Answer, Method, Pairs, Question, Service, ServiceArgs, Usage, path};
use crate::cli::import::console::warn;
use crate::cli::show::{Column, Listing, PageArgs, Words, facts, list};
use crate::config::source::Environment;

/// How it is called.
pub(super) const EXAMPLES: &str = "Examples:
  caller-id pools list
  caller-id pools set east --cooldown-seconds 60 --ladder area_code,overlay,region
  caller-id pools set east --cooldown-seconds global     follows the settings of the service again
  caller-id pools remove east                            only a pool that nothing uses";

/// The word for what follows the settings of the service.
const GLOBAL: &str = "global";

/// What is done with pools.
#[derive(Debug, Subcommand)]
pub enum PoolsCommand {
    /// Show all pools, with how many numbers each has
    List(ListArgs),
    /// Show one, with what holds for it
    Show(ShowArgs),
    /// Make a pool, or change how its numbers rotate; what is not said stays
    ///
    /// `global` makes something follow the settings of the service again.
    Set(SetArgs),
    /// Remove a pool that nothing uses
    Remove(RemoveArgs),
}

/// What `pools list` takes.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What `pools show` takes.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// Its name
    #[arg(value_name = "POOL")]
    pub pool: String,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What `pools set` takes.
#[derive(Debug, clap::Args)]
pub struct SetArgs {
    /// Its name
    #[arg(value_name = "POOL")]
    pub pool: String,
    /// Least rest of a number between two uses: 0 to 86400
    #[arg(long, value_name = "N|global")]
    pub cooldown_seconds: Option<String>,
    /// How long a number is held when nobody reports the end of its call: 1 to 86400. Of what is held already nothing changes
    #[arg(long, value_name = "N|global")]
    pub reservation_seconds: Option<String>,
    /// In how many calls one number may be at the same time; 1: never in two
    #[arg(long, value_name = "N|global")]
    pub most_reservations: Option<String>,
    /// How long a destination keeps seeing the same number; 0: not at all
    #[arg(long, value_name = "N|global")]
    pub sticky_seconds: Option<String>,
    /// Where midnight is, for daily limits: an IANA name
    #[arg(long, value_name = "ZONE|global")]
    pub time_zone: Option<String>,
    /// The rungs that may be tried: some of area_code, overlay, region, any
    #[arg(long, value_name = "RUNG,…|global")]
    pub ladder: Option<String>,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

impl SetArgs {
    /// What is given, as the API takes it. What is wrong the service tells.
    fn members(&self) -> Map<String, Value> {
        type Read = fn(&str) -> Value;
        let number: Read = |text| {
            let number = text.parse::<i64>();
            number.map_or_else(|_| Value::from(text), Value::from)
        };
        let text: Read = |text| Value::from(text);
        let rungs: Read = |text| text.split(',').map(str::trim).collect::<Vec<_>>().into();
        let given: [(&str, &Option<String>, Read); 6] = [
            ("cooldown_seconds", &self.cooldown_seconds, number),
            ("reservation_seconds", &self.reservation_seconds, number),
            ("most_reservations", &self.most_reservations, number),
            ("sticky_seconds", &self.sticky_seconds, number),
            ("time_zone", &self.time_zone, text),
            ("ladder", &self.ladder, rungs),
        ];
        let given = given.into_iter().filter_map(|(name, said, read)| {
            let said = said.as_deref()?.trim();
            let value = match said.eq_ignore_ascii_case(GLOBAL) {
                true => Value::Null,
                false => read(said),
            };
            Some((name.to_owned(), value))
        });
        given.collect()
    }
}

/// What `pools remove` takes.
#[derive(Debug, clap::Args)]
pub struct RemoveArgs {
    /// Its name
    #[arg(value_name = "POOL")]
    pub pool: String,
    /// Whether it is meant.
    #[command(flatten)]
    pub sure: SureArgs,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

const COLUMNS: [Column; 8] = [
    Column::text("POOL", |row, words| words.text(&row["id"])),
    Column::count("ACTIVE", |row, words| {
        words.count(&row["numbers"]["active"])
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
    Column::count("COOLDOWN", |row, words| {
        words.span(&row["effective"]["cooldown_seconds"])
    }),
    Column::text("LADDER", |row, words| {
        words.list(&row["effective"]["ladder"])
    }),
    Column::text("WARNINGS", |row, words| words.list(&row["warnings"])),
];

pub(super) fn run(command: PoolsCommand, environment: &Environment) -> anyhow::Result<ExitCode> {
    match command {
        PoolsCommand::List(args) => {
            let service = args.service.service(environment)?;
            let listing = Listing {
                path: path(&["pools"]),
                rows: "pools",
                columns: &COLUMNS,
                empty: "there is no pool",
            };
            list(&service, &listing, &Pairs::new(), &PageArgs::default())?;
            Ok(ExitCode::SUCCESS)
        }
        PoolsCommand::Show(args) => {
            let service = args.service.service(environment)?;
            let answer = service.get(&path(&["pools", &args.pool]), &Pairs::new())?;
            told(&service, &answer)
        }
        PoolsCommand::Set(args) => set(&args, environment),
        PoolsCommand::Remove(args) => remove(&args, environment),
    }
}

/// What was seen is changed: whoever else changes it meanwhile is not overwritten.
fn set(args: &SetArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let path = path(&["pools", &args.pool]);
    let seen = sayings::found(&service, &path)?;
    let members = args.members();
    if seen.is_some() && members.is_empty() {
        return Err(Usage::new("nothing to change: give some of --cooldown-seconds, --reservation-seconds, --most-reservations, --sticky-seconds, --time-zone, --ladder").into());
    }
    let kept = seen
        .as_ref()
        .and_then(|seen| seen.value["policy"].as_object());
    let mut policy = kept.cloned().unwrap_or_default();
    policy.extend(members);
    let question = Question::new(Method::Put, path).body(policy.into());
    let answer = service.ask(&question.only_if(sayings::as_seen(seen.as_ref())))?;
    sayings::made(&service, &answer, "pool", seen.is_none());
    told(&service, &answer)
}

fn remove(args: &RemoveArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let path = path(&["pools", &args.pool]);
    let seen = service.get(&path, &Pairs::new())?;
    let pool = service.words.text(&seen.value["id"]);
    if !args
        .sure
        .is_meant(&format!("The pool {pool} will be removed"))?
    {
        return Ok(ExitCode::FAILURE);
    }
    let answer = sayings::remove(&service, &path, &seen)?;
    sayings::line(&service, &answer, |_| format!("pool {pool} is removed"))
}

fn told(service: &Service, answer: &Answer) -> anyhow::Result<ExitCode> {
    let words = &service.words;
    sayings::answer(service, answer, |pool| {
        let numbers = &pool["numbers"];
        let count = |name: &str| format!("{} {name}", words.count(&numbers[name]));
        let statuses = ["active", "paused", "resting", "retired"].map(count);
        facts(&[
            ("pool", words.text(&pool["id"])),
            ("numbers", statuses.join(", ")),
            ("cooldown", policy(pool, "cooldown_seconds", words)),
            ("held for", policy(pool, "reservation_seconds", words)),
            (
                "most reservations",
                policy(pool, "most_reservations", words),
            ),
            ("sticky for", policy(pool, "sticky_seconds", words)),
            ("time zone", policy(pool, "time_zone", words)),
            ("ladder", policy(pool, "ladder", words)),
        ])?;
        for warning in pool["warnings"].as_array().into_iter().flatten() {
            warn(&format!("warning: {}", words.text(warning)));
        }
        Ok(())
    })
}

/// What holds, and whether the pool says it itself.
fn policy(pool: &Value, name: &str, words: &Words) -> String {
    let value = &pool["effective"][name];
    let told = match value {
        Value::Array(_) => words.list(value),
        _ if name.ends_with("_seconds") => format!("{} s", words.count(value)),
        _ => words.text(value),
    };
    match pool["policy"][name].is_null() {
        true => format!("{told} (global)"),
        false => told,
    }
}
