//! `caller-id keys`.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;
use serde_json::{Map, Value};

use super::sayings;
use super::sure::SureArgs;
use crate::cli::ask::{Method, Pairs, Question, ServiceArgs, Usage, pairs, path};
use crate::cli::import::console::warn;
use crate::cli::show::{Column, Listing, PageArgs, Words, facts, list, out};
use crate::config::source::Environment;

/// How it is called.
pub(super) const EXAMPLES: &str = "Examples:
  caller-id keys make 'dialer east' --role dialer --addresses 10.0.0.0/8 --campaigns SOLAR
  caller-id keys make report --role viewer --days 365 > report.key     only the key goes to the file
  caller-id keys list --state active
  caller-id keys revoke 4fQ0cT9yZk1B";

/// What is done with API keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Show all keys, never with what opens
    List(ListArgs),
    /// Make a key. It is shown once, here and never again
    Make(MakeArgs),
    /// Show one key, never with what opens
    Show(ShowArgs),
    /// Revoke a key, for ever: it is worth nothing on all nodes within a second
    Revoke(RevokeArgs),
}

/// What `keys list` takes.
#[derive(Debug, clap::Args, Serialize)]
pub struct ListArgs {
    /// active, expired, revoked, or some of them
    #[arg(long, value_name = "STATE,…", value_delimiter = ',')]
    pub state: Vec<String>,
    /// The service.
    #[command(flatten)]
    #[serde(skip)]
    pub service: ServiceArgs,
}

/// What `keys make` takes.
#[derive(Debug, clap::Args)]
pub struct MakeArgs {
    /// What people call it, and the audit log
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What it may do: viewer, operator, admin or dialer
    #[arg(long, value_name = "ROLE")]
    pub role: String,
    /// From where it opens: addresses and networks. Default: from everywhere
    #[arg(long, value_name = "ADDRESS,…", value_delimiter = ',')]
    pub addresses: Vec<String>,
    /// Of a dialer, for which campaigns it asks. Default: for all
    #[arg(long, value_name = "CAMPAIGN,…", value_delimiter = ',')]
    pub campaigns: Vec<String>,
    /// For so many days
    #[arg(long, value_name = "N", conflicts_with = "until")]
    pub days: Option<u32>,
    /// Until this instant, or the beginning of this date. Default: for ever
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What `keys show` takes.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// Which: ID in the list, what is between `cid_` and the next `_`
    #[arg(value_name = "ID")]
    pub id: String,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What `keys revoke` takes.
#[derive(Debug, clap::Args)]
pub struct RevokeArgs {
    /// Which: ID in the list, what is between `cid_` and the next `_`
    #[arg(value_name = "ID")]
    pub id: String,
    /// Whether it is meant.
    #[command(flatten)]
    pub sure: SureArgs,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

const COLUMNS: [Column; 9] = [
    Column::text("ID", |row, words| words.text(&row["id"])),
    Column::text("NAME", |row, words| words.text(&row["name"])),
    Column::text("ROLE", |row, words| words.text(&row["role"])),
    Column::text("STATE", |row, words| words.text(&row["state"])),
    Column::text("UNTIL", |row, words| words.instant(&row["expires_at"])),
    Column::text("LAST USED", |row, words| {
        words.instant(&row["last_used_at"])
    }),
    Column::text("ADDRESSES", |row, words| words.list(&row["addresses"])),
    Column::text("CAMPAIGNS", |row, words| words.list(&row["campaigns"])),
    Column::text("MADE BY", |row, words| words.text(&row["created_by"])),
];

pub(super) fn run(command: KeysCommand, environment: &Environment) -> anyhow::Result<ExitCode> {
    match command {
        KeysCommand::List(args) => {
            let service = args.service.service(environment)?;
            let listing = Listing {
                path: path(&["keys"]),
                rows: "keys",
                columns: &COLUMNS,
                empty: "there is no key",
            };
            list(&service, &listing, &pairs(&args), &PageArgs::default())?;
            Ok(ExitCode::SUCCESS)
        }
        KeysCommand::Make(args) => make(&args, environment),
        KeysCommand::Show(args) => {
            let service = args.service.service(environment)?;
            let answer = service.get(&path(&["keys", &args.id]), &Pairs::new())?;
            sayings::answer(&service, &answer, |key| facts(&told(key, &service.words)))
        }
        KeysCommand::Revoke(args) => revoke(&args, environment),
    }
}

/// The key alone goes to the standard output: `> file` keeps it and nothing else.
fn make(args: &MakeArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let mut body = Map::new();
    body.insert("name".to_owned(), args.name.as_str().into());
    body.insert("role".to_owned(), args.role.as_str().into());
    for (name, values) in [
        ("addresses", &args.addresses),
        ("campaigns", &args.campaigns),
    ] {
        if !values.is_empty() {
            body.insert(name.to_owned(), values.clone().into());
        }
    }
    if let Some(days) = args.days {
        body.insert("expires_in_days".to_owned(), days.into());
    }
    if let Some(until) = &args.until {
        let until = service.words.asked(until);
        let until = until.map_err(|why| Usage::new(format!("--until: {why}")))?;
        body.insert("expires_at".to_owned(), until.into());
    }
    let question = Question::new(Method::Post, path(&["keys"])).body(body.into());
    let answer = service.ask(&question)?;
    sayings::answer(&service, &answer, |made| {
        let id = service.words.text(&made["id"]);
        let until = match made["expires_at"].is_null() {
            true => "for ever".to_owned(),
            false => format!("until {}", service.words.instant(&made["expires_at"])),
        };
        warn(&format!(
            "key {id} is made, {until}. It is shown this once and never again:"
        ));
        out::line(&service.words.text(&made["key"]))
    })
}

fn revoke(args: &RevokeArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let path = path(&["keys", &args.id]);
    let seen = service.get(&path, &Pairs::new())?;
    let words = &service.words;
    let (id, name) = (
        words.text(&seen.value["id"]),
        words.text(&seen.value["name"]),
    );
    if !args
        .sure
        .is_meant(&format!("Key {id} ({name}) will be revoked, for ever"))?
    {
        return Ok(ExitCode::FAILURE);
    }
    let answer = service.ask(&Question::new(Method::Delete, path))?;
    sayings::line(&service, &answer, |_| {
        format!("key {id} ({name}) is revoked")
    })
}

fn told(key: &Value, words: &Words) -> Vec<(&'static str, String)> {
    let all = |name: &str, none: &str| match words.list(&key[name]) {
        list if list.is_empty() => none.to_owned(),
        list => list,
    };
    vec![
        ("id", words.text(&key["id"])),
        ("name", words.text(&key["name"])),
        ("role", words.text(&key["role"])),
        ("state", words.text(&key["state"])),
        ("addresses", all("addresses", "from everywhere")),
        ("campaigns", all("campaigns", "all")),
        ("made", words.instant(&key["created_at"])),
        ("made by", words.text(&key["created_by"])),
        ("until", words.instant(&key["expires_at"])),
        ("revoked", words.instant(&key["revoked_at"])),
        ("last used", words.instant(&key["last_used_at"])),
    ]
}
