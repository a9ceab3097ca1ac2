//! `caller-id reservations`.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::sayings;
use crate::cli::ask::{Method, Question, ServiceArgs, pairs, path};
use crate::cli::show::{Column, Listing, PageArgs, list};
use crate::config::source::Environment;

/// How it is called.
pub(super) const EXAMPLES: &str = "Examples:
  caller-id reservations list --campaign SOLAR
  caller-id reservations list --number 312-555-0100
  caller-id reservations end 018f2c…                  the number is free again at once";

/// What is done with reservations.
#[derive(Debug, Subcommand)]
pub enum ReservationsCommand {
    /// Show the reservations that live now, newest first
    List(ListArgs),
    /// End a reservation: its number is free again
    End(EndArgs),
}

/// What `reservations list` takes.
#[derive(Debug, clap::Args, Serialize)]
pub struct ListArgs {
    /// Only of this number
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<String>,
    /// Only for calls to this party
    #[arg(long, value_name = "NUMBER")]
    pub destination: Option<String>,
    /// Only of this campaign
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: Option<String>,
    /// Only of this agent
    #[arg(long, value_name = "AGENT")]
    pub agent: Option<String>,
    /// Only of this call, by the dialer's id
    #[arg(long, value_name = "CALL")]
    pub call_id: Option<String>,
    /// Only of numbers out of this pool
    #[arg(long, value_name = "POOL")]
    pub pool: Option<String>,
    /// Which page.
    #[command(flatten)]
    #[serde(skip)]
    pub pages: PageArgs,
    /// The service.
    #[command(flatten)]
    #[serde(skip)]
    pub service: ServiceArgs,
}

/// What `reservations end` takes.
#[derive(Debug, clap::Args, Serialize)]
pub struct EndArgs {
    /// The reservation: ID in the list
    #[arg(value_name = "ID")]
    #[serde(skip)]
    pub id: String,
    /// How the call ended: Asterisk's DIALSTATUS
    #[arg(long, value_name = "WORD")]
    pub dialstatus: Option<String>,
    /// The service.
    #[command(flatten)]
    #[serde(skip)]
    pub service: ServiceArgs,
}

const COLUMNS: [Column; 9] = [
    Column::text("SINCE", |row, words| words.instant(&row["since"])),
    Column::text("UNTIL", |row, words| words.instant(&row["until"])),
    Column::text("CALLER ID", |row, words| words.number(&row["caller_id"])),
    Column::text("DESTINATION", |row, words| {
        words.number(&row["destination"])
    }),
    Column::text("CAMPAIGN", |row, words| words.text(&row["campaign"])),
    Column::text("AGENT", |row, words| words.text(&row["agent"])),
    Column::text("POOL", |row, words| words.text(&row["pool"])),
    Column::text("CALL ID", |row, words| words.text(&row["call_id"])),
    Column::text("ID", |row, words| words.text(&row["id"])),
];

pub(super) fn run(
    command: ReservationsCommand,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    match command {
        ReservationsCommand::List(args) => {
            let service = args.service.service(environment)?;
            let listing = Listing {
                path: path(&["reservations"]),
                rows: "reservations",
                columns: &COLUMNS,
                empty: "no reservation lives now",
            };
            list(&service, &listing, &pairs(&args), &args.pages)?;
            Ok(ExitCode::SUCCESS)
        }
        ReservationsCommand::End(args) => {
            let service = args.service.service(environment)?;
            let mut question = Question::new(Method::Delete, path(&["reservations", &args.id]));
            question.query = pairs(&args);
            let answer = service.ask(&question)?;
            let is_released = answer.value["released"] == true;
            sayings::line(&service, &answer, |_| match is_released {
                true => "it is ended, and its number free".to_owned(),
                false => "there is no such reservation (any more)".to_owned(),
            })?;
            Ok(match is_released {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            })
        }
    }
}
