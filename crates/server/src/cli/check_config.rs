//! `caller-id check-config`.

use std::io::{Write, stdout};
use std::process::ExitCode;

use clap::ValueEnum;

use super::Effective;
use crate::config::Settings;
use crate::config::describe::{self, settings};
use crate::config::source::Environment;

/// What `check-config` takes.
#[derive(Debug, clap::Args)]
pub struct CheckConfigArgs {
    /// All settings.
    #[command(flatten)]
    pub settings: Settings,
    /// Print a file that the project keeps, instead
    #[arg(long, value_name = "FILE", hide = true)]
    pub print: Option<Kept>,
}

/// A file of the project that is written by the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kept {
    /// `docs/CONFIG.md`.
    ConfigPage,
    /// `.env.example`.
    EnvExample,
}

/// Checks the settings, and prints each with where it came from.
///
/// # Errors
/// The setting that cannot be used.
pub fn run(
    args: &CheckConfigArgs,
    values: &[Effective],
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let mut out = stdout().lock();
    if let Some(kept) = args.print {
        let text = match kept {
            Kept::ConfigPage => describe::markdown(),
            Kept::EnvExample => describe::env_example(),
        };
        write!(out, "{text}")?;
        return Ok(ExitCode::SUCCESS);
    }
    args.settings.check()?;
    for warning in warnings(&args.settings, environment) {
        eprintln!("warning: {warning}");
    }
    let width = values
        .iter()
        .map(|value| value.name.len())
        .max()
        .unwrap_or(0);
    for Effective {
        name,
        value,
        source,
    } in values
    {
        let value = value.as_deref().unwrap_or("(not set)");
        writeln!(out, "{name:width$} = {value}  [{source}]")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn warnings(config: &Settings, environment: &Environment) -> Vec<String> {
    let known: Vec<String> = settings().into_iter().map(|setting| setting.name).collect();
    let typos = environment.likely_typos(&known);
    let typos = typos
        .iter()
        .map(|(name, near)| format!(".env: `{name}` is no setting; is `{near}` meant?"));
    typos.chain(config.warnings()).collect()
}
