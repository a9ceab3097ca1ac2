//! `caller-id export`.

use crate::config::storage::StorageConfig;

/// What `export` takes.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Where the database is.
    #[command(flatten)]
    pub storage: StorageConfig,
}

/// Runs the command. The exit code: 0 when all went well, 1 when some rows were bad (an error is 2).
///
/// # Errors
/// Says what went wrong, in one line.
pub async fn run(_args: ExportArgs) -> anyhow::Result<std::process::ExitCode> {
    anyhow::bail!("export is not there yet")
}
