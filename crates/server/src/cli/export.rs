//! `caller-id export`.

use crate::config::storage::StorageConfig;

/// What `export` takes.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Where the database is.
    #[command(flatten)]
    pub storage: StorageConfig,
}

/// Runs the command.
///
/// # Errors
/// Says what went wrong, in one line.
pub async fn run(_args: ExportArgs) -> anyhow::Result<()> {
    anyhow::bail!("export is not there yet")
}
