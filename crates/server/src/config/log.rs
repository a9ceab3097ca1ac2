//! What is logged.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use tracing::level_filters::LevelFilter;

use super::number::within;
use crate::request_log::Privacy;
use crate::telemetry::files::Place;

/// What is logged, and where; and what people are shown of it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogConfig {
    /// The least important kind of message that is logged: error, warn, info, debug, trace or off
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: LogLevel,
    /// `text`, or `json`: one object a line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// Where it is logged to: `stderr`, `stdout` or `none` (LOG_DIR alone)
    #[arg(long, value_name = "STREAM", default_value = "stderr")]
    pub log_output: LogOutput,
    /// A folder for the log in files, too: `caller-id.log`, and older ones beside it. Each node wants one of its own. None = no files
    #[arg(long, value_name = "FOLDER")]
    pub log_dir: Option<PathBuf>,
    /// A file of the log is begun each day (UTC), and when one is larger than so many megabytes
    #[arg(long, value_name = "MB", default_value = "100", value_parser = within::<1, 10_000>)]
    pub log_file_mb: u32,
    /// So many files of the log are kept, that which is written to included
    #[arg(long, value_name = "COUNT", default_value = "14", value_parser = within::<1, 10_000>)]
    pub log_files: u32,
    /// How many of the latest requests people are shown; in a cluster of all nodes together. Besides them a quarter as many that were
    /// refused or asked for what is not there. 0 = none are kept
    #[arg(long, value_name = "COUNT", default_value = "200", value_parser = within::<0, 10_000>)]
    pub request_log_limit: u32,
    /// How they show called parties: `mask` (the first six digits), `full`, or `hash` (a code; the same party has the same
    /// one, until the service starts again; in a cluster for ever). History has them as they are
    #[arg(long, value_name = "HOW", default_value = "mask")]
    pub privacy: Privacy,
}

impl LogConfig {
    /// Where files of the log go, if anywhere.
    pub fn files(&self) -> Option<Place> {
        Some(Place {
            folder: self.log_dir.clone()?,
            bytes_most: u64::from(self.log_file_mb) * 1_000_000,
            files_most: self.log_files as usize,
        })
    }
}

/// Which stream of the process the log goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogOutput {
    /// Standard error.
    Stderr,
    /// Standard output.
    Stdout,
    /// Neither.
    None,
}

impl FromStr for LogOutput {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "stderr" => Ok(Self::Stderr),
            "stdout" => Ok(Self::Stdout),
            "none" => Ok(Self::None),
            _ => Err("expected stderr, stdout or none"),
        }
    }
}

impl fmt::Display for LogOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stderr => "stderr",
            Self::Stdout => "stdout",
            Self::None => "none",
        })
    }
}

/// The least important kind of message that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLevel(pub LevelFilter);

impl FromStr for LogLevel {
    type Err = &'static str;

    /// Reads our words and those of Python's `logging`, in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let level = match text.trim().to_ascii_lowercase().as_str() {
            "off" => LevelFilter::OFF,
            "error" | "critical" | "fatal" => LevelFilter::ERROR,
            "warn" | "warning" => LevelFilter::WARN,
            "info" => LevelFilter::INFO,
            "debug" => LevelFilter::DEBUG,
            "trace" => LevelFilter::TRACE,
            _ => return Err("expected error, warn, info, debug, trace or off"),
        };
        Ok(Self(level))
    }
}

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line, for programs.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("expected text or json"),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}
