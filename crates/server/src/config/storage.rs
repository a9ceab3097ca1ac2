//! Where the data is kept.

use std::path::PathBuf;

use clap::Args;

/// Where the data is kept, and how safely.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageConfig {
    /// The database: `sqlite:caller-id.db` or `sqlite:///var/lib/caller-id/caller-id.db`.
    /// Default: the file `caller-id.db` in DATA_DIR
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// The folder for the database and the admin token that is made at the first start.
    /// Default: the platform's data folder
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}
