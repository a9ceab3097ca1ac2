//! `caller-id check-config`.

use std::io::{Write, stdout};
use std::process::ExitCode;

use super::Effective;
use crate::app;
use crate::config::Settings;
use crate::config::describe::settings;
use crate::config::source::Environment;

/// What `check-config` takes.
#[derive(Debug, clap::Args)]
pub struct CheckConfigArgs {
    /// All settings.
    #[command(flatten)]
    pub settings: Settings,
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
    app::check(&args.settings)?;
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
    writeln!(
        out,
        "\nThe database is {}",
        args.settings.storage.database_shown()?
    )?;
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
