//! `caller-id serve`.

use crate::config::Settings;

/// What `serve` takes.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// All settings.
    #[command(flatten)]
    pub settings: Settings,
}
