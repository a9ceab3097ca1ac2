//! Commands for administration: each asks a running service over its API.

pub mod audit;
mod campaigns;
mod explain;
mod jobs;
mod keys;
mod lookup;
mod numbers;
mod pools;
mod requests;
mod reservations;
mod sayings;
mod settings;
mod stats;
mod sure;
mod trace;
mod whoami;

use std::process::ExitCode;

use clap::Subcommand;

use super::ask::Usage;
use crate::config::source::Environment;

/// What is asked of a service.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Numbers: list, add, change, pause, retire; many at once; as a file
    #[command(subcommand, after_help = numbers::EXAMPLES)]
    Numbers(numbers::NumbersCommand),
    /// Pools, and how their numbers rotate
    #[command(subcommand, after_help = pools::EXAMPLES)]
    Pools(pools::PoolsCommand),
    /// Campaigns: the pools that each may use
    #[command(subcommand, after_help = campaigns::EXAMPLES)]
    Campaigns(campaigns::CampaignsCommand),
    /// API keys: make, list, revoke
    #[command(subcommand, after_help = keys::EXAMPLES)]
    Keys(keys::KeysCommand),
    /// Show the settings that a running service has, each with where it came from
    ///
    /// The values of the node that answers, as they have held since its start. `caller-id check-config` shows what would hold
    /// after a start here and now.
    Settings(settings::SettingsArgs),
    /// Imports and changes of many numbers that go on by themselves
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    /// Numbers that are held by calls now
    #[command(subcommand, after_help = reservations::EXAMPLES)]
    Reservations(reservations::ReservationsCommand),
    /// Count calls: by pool, campaign, area code, carrier, number; by hour or day
    #[command(after_help = stats::EXAMPLES)]
    Stats(stats::StatsArgs),
    /// Tell which number a call would get now, and why
    ///
    /// Pool by pool and rung by rung: how many numbers are free there, and what holds the others. Nothing changes.
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::ExplainArgs),
    /// Tell who was called from a number: for somebody who calls back
    #[command(after_help = lookup::EXAMPLES)]
    Lookup(lookup::LookupArgs),
    /// Show the history of a destination, of a call, or of anything else that a call has
    #[command(after_help = trace::EXAMPLES)]
    Trace(trace::TraceArgs),
    /// Show the latest requests of dialers and people, with what became of each
    Requests(requests::RequestsArgs),
    /// Tell whom the service takes you for, and what you may do
    Whoami(whoami::WhoamiArgs),
}

/// Runs the command. Exit code: 0 when it is done, 1 when the service refuses it or cannot be asked, 2 when it was typed wrongly.
///
/// # Errors
/// Says what went wrong, in one line.
pub fn run(command: AdminCommand, environment: &Environment) -> anyhow::Result<ExitCode> {
    match command {
        AdminCommand::Numbers(command) => numbers::run(command, environment),
        AdminCommand::Pools(command) => pools::run(command, environment),
        AdminCommand::Campaigns(command) => campaigns::run(command, environment),
        AdminCommand::Keys(command) => keys::run(command, environment),
        AdminCommand::Settings(args) => settings::run(&args, environment),
        AdminCommand::Jobs(command) => jobs::run(command, environment),
        AdminCommand::Reservations(command) => reservations::run(command, environment),
        AdminCommand::Stats(args) => stats::run(&args, environment),
        AdminCommand::Explain(args) => explain::run(&args, environment),
        AdminCommand::Lookup(args) => lookup::run(&args, environment),
        AdminCommand::Trace(args) => trace::run(&args, environment),
        AdminCommand::Requests(args) => requests::run(&args, environment),
        AdminCommand::Whoami(args) => whoami::run(&args, environment),
    }
}

/// Whether an error is one of the person who typed the command.
pub(super) fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<Usage>()
}
