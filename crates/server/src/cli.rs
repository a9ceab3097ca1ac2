//! The command line.

pub mod check_config;
pub mod export;
pub mod import;
pub mod serve;

use clap::{Parser, Subcommand};

/// Hands out caller IDs for outbound calls.
#[derive(Debug, Parser)]
#[command(name = "caller-id", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service.
    Serve(Box<serve::ServeArgs>),
    /// Read numbers from a CSV file, through a running service or straight into the database.
    Import(Box<import::ImportArgs>),
    /// Write all numbers as CSV, in a form that imports again to the same state.
    Export(Box<export::ExportArgs>),
    /// Check the settings, and show each with where it came from.
    CheckConfig(Box<check_config::CheckConfigArgs>),
}
