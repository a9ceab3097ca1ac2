//! `caller-id campaigns`.

use std::process::ExitCode;

use anyhow::anyhow;
use clap::Subcommand;
use serde::Serialize;
use serde_json::{Map, Value};

use super::sayings;
use super::sure::SureArgs;
use crate::cli::ask::{
    Answer, Method, Pairs, Question, Refused, Service, ServiceArgs, Usage, pairs, path,
};
use crate::cli::show::{Column, Listing, PageArgs, Words, facts, list};
use crate::config::source::Environment;

/// How it is called.
pub(super) const EXAMPLES: &str = "Examples:
  caller-id campaigns list --seen                        with those that only dialers know
  caller-id campaigns set SOLAR --pools east,west        these alone, numbers of east first
  caller-id campaigns set SOLAR --agent-limit 20         calls of one agent in a minute
  caller-id campaigns remove SOLAR                       its calls use the pool default then";

/// The name of the limit in the API.
const LIMIT: &str = "agent_rate_limit_per_minute";

/// What the service calls a pool that it does not have.
const MISSING_POOL: &str = "missing_pool";
const MAKE_POOL: &str =
    "`caller-id pools list` shows those that are there, `caller-id pools set NAME` makes one";

/// What is done with campaigns.
#[derive(Debug, Subcommand)]
pub enum CampaignsCommand {
    /// Show the campaigns that are configured; all others use the pool `default`
    List(ListArgs),
    /// Show one
    Show(ShowArgs),
    /// Make a campaign, or change what it says; what is not said stays
    Set(SetArgs),
    /// Remove a campaign: its calls use the pool `default` then
    Remove(RemoveArgs),
}

/// What `campaigns list` takes.
#[derive(Debug, clap::Args, Serialize)]
pub struct ListArgs {
    /// Those seen in traffic in the last 30 days, too, each with its calls
    #[arg(long)]
    pub seen: bool,
    /// The service.
    #[command(flatten)]
    #[serde(skip)]
    pub service: ServiceArgs,
}

/// What `campaigns show` takes.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// The dialer's id
    #[arg(value_name = "CAMPAIGN")]
    pub campaign: String,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What `campaigns set` takes.
#[derive(Debug, clap::Args)]
pub struct SetArgs {
    /// The dialer's id, in its own capitals: SALES and sales are two campaigns
    #[arg(value_name = "CAMPAIGN")]
    pub campaign: String,
    /// The pools it may use, in place of those it had: 1 to 16 that exist, first choice first
    #[arg(long, value_name = "POOL,…", value_delimiter = ',')]
    pub pools: Vec<String>,
    /// Most calls of one agent in a minute; 0 is no limit, `global` the setting of the service
    #[arg(long, value_name = "N|global")]
    pub agent_limit: Option<String>,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What `campaigns remove` takes.
#[derive(Debug, clap::Args)]
pub struct RemoveArgs {
    /// The dialer's id
    #[arg(value_name = "CAMPAIGN")]
    pub campaign: String,
    /// Whether it is meant.
    #[command(flatten)]
    pub sure: SureArgs,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

const COLUMNS: [Column; 3] = [
    Column::text("CAMPAIGN", |row, words| words.text(&row["id"])),
    Column::text("POOLS", |row, words| words.list(&row["pools"])),
    Column::text("AGENT LIMIT", limit),
];
const SEEN: [Column; 2] = [
    Column::text("CONFIGURED", |row, words| words.text(&row["configured"])),
    Column::count("CALLS IN 30 DAYS", |row, words| words.count(&row["calls"])),
];

pub(super) fn run(
    command: CampaignsCommand,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    match command {
        CampaignsCommand::List(args) => {
            let service = args.service.service(environment)?;
            let seen: &[Column] = if args.seen { &SEEN } else { &[] };
            let listing = Listing {
                path: path(&["campaigns"]),
                rows: "campaigns",
                columns: &[&COLUMNS, seen].concat(),
                empty: "no campaign is configured: all use the pool default",
            };
            list(&service, &listing, &pairs(&args), &PageArgs::default())?;
            Ok(ExitCode::SUCCESS)
        }
        CampaignsCommand::Show(args) => {
            let service = args.service.service(environment)?;
            let answer = service.get(&path(&["campaigns", &args.campaign]), &Pairs::new())?;
            told(&service, &answer)
        }
        CampaignsCommand::Set(args) => set(&args, environment),
        CampaignsCommand::Remove(args) => remove(&args, environment),
    }
}

/// What was seen is changed: whoever else changes it meanwhile is not overwritten.
fn set(args: &SetArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    if args.pools.is_empty() && args.agent_limit.is_none() {
        return Err(Usage::new("nothing to change: give --pools or --agent-limit").into());
    }
    let service = args.service.service(environment)?;
    let path = path(&["campaigns", &args.campaign]);
    let seen = sayings::found(&service, &path)?;
    let mut body = Map::new();
    for name in ["pools", LIMIT] {
        let kept = seen.as_ref().map(|seen| seen.value[name].clone());
        body.extend(kept.map(|kept| (name.to_owned(), kept)));
    }
    if !args.pools.is_empty() {
        let pools = args.pools.iter().map(|pool| pool.trim());
        body.insert("pools".to_owned(), pools.collect::<Vec<_>>().into());
    }
    if let Some(limit) = &args.agent_limit {
        let number = limit.trim().parse::<u64>();
        let value = match limit.trim() {
            "global" => Value::Null,
            // What is no number the service names, with what it expects.
            text => number.map_or_else(|_| Value::from(text), Value::from),
        };
        body.insert(LIMIT.to_owned(), value);
    }
    let question = Question::new(Method::Put, path).body(body.into());
    let answer = service.ask(&question.only_if(sayings::as_seen(seen.as_ref())));
    let answer = answer.map_err(|error| match error.downcast_ref::<Refused>() {
        Some(refused) if refused.is(MISSING_POOL) => anyhow!("{error} -> {MAKE_POOL}"),
        _ => error,
    })?;
    sayings::made(&service, &answer, "campaign", seen.is_none());
    told(&service, &answer)
}

fn remove(args: &RemoveArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let path = path(&["campaigns", &args.campaign]);
    let seen = service.get(&path, &Pairs::new())?;
    let campaign = service.words.text(&seen.value["id"]);
    let what =
        format!("The campaign {campaign} will be removed: its calls use the pool default then");
    if !args.sure.is_meant(&what)? {
        return Ok(ExitCode::FAILURE);
    }
    let answer = sayings::remove(&service, &path, &seen)?;
    sayings::line(&service, &answer, |_| {
        format!("campaign {campaign} is removed")
    })
}

fn told(service: &Service, answer: &Answer) -> anyhow::Result<ExitCode> {
    let words = &service.words;
    sayings::answer(service, answer, |row| {
        facts(&[
            ("campaign", words.text(&row["id"])),
            ("pools", words.list(&row["pools"])),
            ("agent limit", limit(row, words)),
        ])
    })
}

fn limit(row: &Value, words: &Words) -> String {
    match row[LIMIT].as_u64() {
        None if row["configured"] == false => String::new(),
        None => "global".to_owned(),
        Some(0) => "no limit".to_owned(),
        Some(_) => format!("{} a minute", words.count(&row[LIMIT])),
    }
}
