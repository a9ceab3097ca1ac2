//! `caller-id check-config`.

use std::fmt::Write as _;
use std::io::{Write, stderr};
use std::process::ExitCode;

use super::Effective;
use super::doctor::{self, Form};
use super::show::out;
use crate::app;
use crate::config::Settings;
use crate::config::source::Environment;

/// What `check-config` takes.
#[derive(Debug, clap::Args)]
pub struct CheckConfigArgs {
    /// All settings.
    #[command(flatten)]
    pub settings: Settings,
    /// Connect to what the settings name too, and tell what is wrong with it, as `doctor` does
    #[arg(long, help_heading = "Options")]
    pub connect: bool,
}

/// Checks the settings, and prints each with where it came from.
///
/// # Errors
/// The setting that cannot be used.
pub async fn run(
    args: &CheckConfigArgs,
    values: &[Effective],
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    app::check(&args.settings)?;
    for warning in warnings(&args.settings, environment) {
        let _ = writeln!(stderr(), "warning: {warning}");
    }
    show(&args.settings, values)?;
    if args.connect {
        return doctor::examine(&args.settings, Form::Lines).await;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(settings: &Settings, values: &[Effective]) -> anyhow::Result<()> {
    let mut text = String::new();
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
        writeln!(text, "{name:width$} = {value}  [{source}]")?;
    }
    writeln!(
        text,
        "\nThe database is {}",
        settings.storage.database_shown()?
    )?;
    out::line_if_read(&text)
}

fn warnings(config: &Settings, environment: &Environment) -> Vec<String> {
    let mut warnings = environment.warnings();
    warnings.extend(config.warnings());
    warnings
}
