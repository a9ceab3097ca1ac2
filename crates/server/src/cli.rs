//! The command line.

mod account;
pub mod admin;
pub mod alert;
mod ask;
pub mod audit;
pub mod backup;
pub mod check_config;
pub mod completions;
pub mod dialplan;
pub mod doctor;
pub mod export;
pub mod health;
pub mod import;
pub mod init_env;
pub mod migrate;
mod named;
mod parsing;
pub mod reference;
pub mod restore;
pub mod serve;
mod show;
mod url;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde_json::Map;
use tracing::Level;

pub use self::parsing::{Parsed, Stop, parse, serve_settings};
use self::show::out;

use crate::config::ConfigError;
pub use crate::config::effective::Effective;
use crate::config::log::LogFormat;
use crate::config::source::Environment;
use crate::telemetry::json_line;

/// The exit code of everything that was asked wrongly.
const EXIT_WRONG: u8 = 2;

/// What the help ends with.
const AFTER_HELP: &str = "\
Something is wrong: caller-id health, caller-id doctor and caller-id requests say most; what to do is in docs/runbook.md.

Where to type: of the package in /var/lib/caller-id, as root; in containers behind docker compose exec api. There the settings and the \
token are found. From another machine CALLER_ID_URL and CALLER_ID_KEY say which service is asked, and with which key; but these open \
database or settings themselves, and look at the machine and the folder where they are typed: backup, restore, export, migrate, audit \
verify, import --mode db, doctor, check-config, dialplan, alert test. What writes there is typed as the service's user: sudo -u caller-id \
caller-id restore FILE.

More: caller-id help COMMAND, and docs/commands.md (of the package in /usr/share/doc/caller-id/docs).";

/// Hands out caller IDs for outbound calls.
#[derive(Debug, Parser)]
#[command(name = "caller-id", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service.
    Serve(Box<serve::ServeArgs>),
    /// Read numbers from a CSV file, through a running service or straight into the database.
    ///
    /// Its first line names the columns, in any order and case: caller_id (or number, did), and where wanted carrier, area_code,
    /// daily_limit, hourly_limit, pool, attestation, status, meta. An empty limit is the default (500 a day, 50 an hour), `none` is no
    /// limit. A pool that is not there is made.
    ///
    /// Exit code: 0 when all rows are fine, 1 when some are bad (each is told with its line, the others are in), 2 when it did not come
    /// to its end.
    #[command(after_help = import::EXAMPLES)]
    Import(Box<import::ImportArgs>),
    /// Write all numbers as CSV, in a form that imports again to the same state.
    Export(Box<export::ExportArgs>),
    /// Move everything into another database: numbers, pools, campaigns, history, API keys, the audit log.
    ///
    /// Stop the service, migrate, start the service with DATABASE_URL naming the new database. The old one is only
    /// read, and stays as it is: until calls were made with the new one, the way back is the old DATABASE_URL.
    ///
    /// Killed or failed, run the same command again: it goes on where it was. At the end everything is read again and
    /// compared. Settings and tokens are in no database: the environment, `.env` and the file `admin-token` stay with you.
    ///
    /// Exit code: 0 when source and target are the same, 1 when something differs or a row of the reference could not be
    /// taken, 2 when it did not come to its end. More in docs/migrate.md.
    #[command(after_help = migrate::EXAMPLES)]
    Migrate(Box<migrate::MigrateArgs>),
    /// Write everything that the database has into one file, while a service may be using it.
    ///
    /// All that was answered before it began is in it: numbers, pools, campaigns, history, API keys, the audit log. Settings and
    /// tokens are in no database: keep the environment, `.env` and `admin-token` yourself.
    ///
    /// Exit code: 0 when the file is there and whole, 1 when not, 2 when a setting or an argument cannot be used. More in
    /// docs/backup.md.
    #[command(after_help = backup::EXAMPLES)]
    Backup(Box<backup::BackupArgs>),
    /// Bring a backup into an empty database: SQLite or PostgreSQL, wherever it came from.
    ///
    /// The whole file is checked before anything is written, and everything is read back and compared at the end. No service
    /// may use the database. Killed or failed, run it again: it begins anew, and no service starts on half of a backup.
    ///
    /// Exit code: 0 when all of it is there, 1 when not, 2 when a setting or an argument cannot be used. More in docs/backup.md.
    #[command(after_help = restore::EXAMPLES)]
    Restore(Box<restore::RestoreArgs>),
    /// Print the lines for a carrier of VICIdial, or for the dialplan of another Asterisk.
    ///
    /// They take the caller ID of each call from the service, and report how the call ended. Whatever goes wrong, the call
    /// goes out on the caller ID that it came with. How to put them in, and what to check: docs/vicidial.md, docs/asterisk.md.
    #[command(after_help = dialplan::EXAMPLES)]
    Dialplan(Box<dialplan::DialplanArgs>),
    /// The audit log: show it, check that nobody changed it, write it as CSV.
    #[command(subcommand, after_help = audit::EXAMPLES)]
    Audit(Box<audit::AuditCommand>),
    /// Alerts that the service posts to ALERT_WEBHOOK_URL: try whether they arrive.
    #[command(subcommand, after_help = alert::EXAMPLES)]
    Alert(Box<alert::AlertCommand>),
    /// Check the settings, and show each with where it came from.
    CheckConfig(Box<check_config::CheckConfigArgs>),
    /// Look at the Redis and the database that the settings name, and tell what is wrong with them.
    ///
    /// One line for each thing: ok, warning or error, how it is, and what to do. Nothing is changed, what is
    /// written to see whether there is room is taken back; a service may run meanwhile.
    ///
    /// It looks from this machine, by the settings of this folder (with the package: cd /var/lib/caller-id), and asks no service:
    /// CALLER_ID_URL is nothing to it. `caller-id health` asks one.
    ///
    /// Exit code: 0 when all is well or there are warnings, 1 when there is an error, 2 when a setting cannot be used.
    Doctor(Box<doctor::DoctorArgs>),
    /// Ask a service whether it is well: the one beside this, or that of CALLER_ID_URL.
    ///
    /// Shows what `GET /health` says. No key is needed. Container engines ask with `--local`.
    #[command(after_help = health::EXAMPLES)]
    Health(health::HealthArgs),
    /// Write a file `.env` with all settings and fresh secrets, to start from.
    ///
    /// It is the example `.env.example` with an admin token, a key for dialers, and passwords for PostgreSQL and Redis. JWT_SECRET
    /// stays empty, so that no signed token opens: whoever signs tokens of their own sets it.
    #[command(after_help = init_env::EXAMPLES)]
    InitEnv(init_env::InitEnvArgs),
    /// What is asked of a running service.
    #[command(flatten)]
    Admin(Box<admin::AdminCommand>),
    /// Print what a shell completes commands with
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArgs),
    /// Print a page for `man`, or write the pages of all commands
    #[command(after_help = completions::MAN_EXAMPLES)]
    Man(completions::ManArgs),
}

/// Runs the process: reads the command line and the environment, does what they say, and gives the exit code.
pub async fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let environment = match says_all(&arguments) {
        true => Ok(Environment::default()),
        false => Environment::of_process(),
    };
    let environment = match environment {
        Ok(environment) => environment,
        Err(error) => return wrong(&error),
    };
    let parsed = match parse(arguments, &environment) {
        Ok(parsed) => parsed,
        Err(stop) => return stop.show(),
    };
    let format = parsed.cli.log_format();
    let done = match parsed.cli.command {
        Command::Serve(args) => Box::pin(serve::run(*args, &environment)).await,
        Command::Import(args) => Box::pin(import::run(*args, &environment)).await,
        Command::Export(args) => Box::pin(export::run(*args)).await,
        Command::Migrate(args) => Box::pin(migrate::run(*args)).await,
        Command::Backup(args) => Box::pin(backup::run(*args)).await,
        Command::Restore(args) => Box::pin(restore::run(*args)).await,
        Command::Dialplan(args) => dialplan::run(&args),
        Command::Audit(command) => Box::pin(audit::run(*command, &environment)).await,
        Command::Alert(command) => Box::pin(alert::run(*command)).await,
        Command::CheckConfig(args) => {
            Box::pin(check_config::run(&args, &parsed.values, &environment)).await
        }
        Command::Doctor(args) => Box::pin(doctor::run(*args)).await,
        Command::Health(args) => health::run(&args, &environment),
        Command::InitEnv(args) => init_env::run(&args),
        Command::Admin(command) => admin::run(*command, &environment),
        Command::Completions(args) => completions::completions(&args),
        Command::Man(args) => completions::man(&args),
    };
    match done {
        Ok(code) => code,
        // Nobody reads any more (`| head`): there is nothing left to do, and nothing wrong.
        Err(error) if out::is_closed(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let why = one_line(&error);
            let wrong = error.is::<ConfigError>() || admin::is_usage(&error);
            tell(&match format {
                LogFormat::Json => json_line(Level::ERROR, &why, Map::new()),
                LogFormat::Text if error.is::<ConfigError>() => why,
                LogFormat::Text => format!("caller-id: {why}"),
            });
            match wrong {
                true => ExitCode::from(EXIT_WRONG),
                false => ExitCode::FAILURE,
            }
        }
    }
}

impl Cli {
    /// How it says why it ends: the log of a service is read by programs, what a person asked for is not.
    fn log_format(&self) -> LogFormat {
        match &self.command {
            Command::Serve(args) => args.settings.log.log_format,
            _ => LogFormat::Text,
        }
    }
}

impl Stop {
    fn show(self) -> ExitCode {
        match self {
            Self::Config(error) => wrong(&error),
            Self::Clap(error) => {
                // Where even standard error is closed there is nobody to tell.
                let _ = error.print();
                ExitCode::from(error.exit_code().try_into().unwrap_or(EXIT_WRONG))
            }
        }
    }
}

/// Whether nothing but the command line counts, so that a `.env` that cannot be read is in nobody's way.
fn says_all(arguments: &[OsString]) -> bool {
    match Cli::try_parse_from(arguments).map(|cli| cli.command) {
        Ok(Command::Backup(args)) => args.says_all(),
        Ok(Command::Restore(args)) => args.says_all(),
        _ => false,
    }
}

/// An error and its causes on one line, each thing once: many errors tell their cause themselves.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    let mut last = String::new();
    for cause in error.chain() {
        let text = cause.to_string().replace(['\n', '\r'], " ");
        if !last.is_empty() && last.contains(&text) {
            continue;
        }
        let separator = if line.is_empty() { "" } else { ": " };
        line.extend([separator, &text]);
        last = text;
    }
    line
}

/// Says it on standard error. Where even that is closed there is nobody to tell.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn wrong(error: &dyn std::fmt::Display) -> ExitCode {
    tell(&error.to_string());
    ExitCode::from(EXIT_WRONG)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;
    use caller_id_core::StoreError;

    use super::*;

    #[test]
    fn an_error_tells_each_thing_once() {
        let cause = StoreError::Failed("cannot open `x`: Is a directory".into());
        let error = Err::<(), _>(cause).context("cannot open the database");
        assert_eq!(
            one_line(&error.unwrap_err()),
            "cannot open the database: the store failed: cannot open `x`: Is a directory"
        );
    }
}
