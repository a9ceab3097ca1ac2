//! `caller-id import`.

use crate::config::storage::StorageConfig;

/// What `import` takes.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// Where the database is.
    #[command(flatten)]
    pub storage: StorageConfig,
}

/// Runs the command. The exit code: 0 when all went well, 1 when some rows were bad (an error is 2).
///
/// # Errors
/// Says what went wrong, in one line.
pub async fn run(_args: ImportArgs) -> anyhow::Result<std::process::ExitCode> {
    anyhow::bail!("import is not there yet")
}
