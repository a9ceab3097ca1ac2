//! The log: to standard error, never with secrets, never with destinations.

pub mod throttle;

use std::io::{IsTerminal, stderr};

use crate::config::log::{LogConfig, LogFormat};

/// Sends everything that is logged from now on to standard error. Once a process; later calls change nothing.
pub fn start(config: &LogConfig) {
    let log = tracing_subscriber::fmt()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        // Its words about itself would go to standard error and panic when that is on a full disk.
        .log_internal_errors(false)
        .with_max_level(config.log_level.0);
    // An error means that a log is there already, in tests.
    let _ = match config.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
