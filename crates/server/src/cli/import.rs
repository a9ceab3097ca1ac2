//! `caller-id import`.

use crate::config::storage::StorageConfig;

/// What `import` takes.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// Where the database is.
    #[command(flatten)]
    pub storage: StorageConfig,
}

/// Runs the command.
///
/// # Errors
/// Says what went wrong, in one line.
pub async fn run(_args: ImportArgs) -> anyhow::Result<()> {
    anyhow::bail!("import is not there yet")
}
