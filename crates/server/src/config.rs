//! The settings: one struct for each concern. Nothing else reads flags, the environment or `.env`.

pub mod secret;
pub mod storage;

use clap::Args;

/// All settings of the service.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Where the data is kept.
    #[command(flatten)]
    pub storage: storage::StorageConfig,
}
