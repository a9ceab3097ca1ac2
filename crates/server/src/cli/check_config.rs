//! `caller-id check-config`.

use crate::config::Settings;

/// What `check-config` takes.
#[derive(Debug, clap::Args)]
pub struct CheckConfigArgs {
    /// All settings.
    #[command(flatten)]
    pub settings: Settings,
}
