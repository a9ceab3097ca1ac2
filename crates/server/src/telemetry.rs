//! The log: to standard error, never with secrets, never with destinations.

pub mod outage;
pub mod throttle;

use std::io::{IsTerminal, stderr};

use caller_id_core::{Clock, SystemClock};
use serde_json::{Map, Value};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::log::{LogConfig, LogFormat};

/// Where the driver of PostgreSQL logs from: what the server says of each statement, on a good day too.
const DRIVER: &str = "sqlx";

/// Sends everything that is logged from now on to standard error. Once a process; later calls change nothing.
pub fn start(config: &LogConfig) {
    let level = config.log_level.0;
    let wanted = Targets::new()
        .with_default(level)
        .with_target(DRIVER, of_driver(level));
    let log = tracing_subscriber::fmt()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        // Its words about itself would go to standard error and panic when that is on a full disk.
        .log_internal_errors(false)
        .with_max_level(level);
    // An error means that a log is there already, in tests.
    let _ = match config.log_format {
        LogFormat::Text => log.finish().with(wanted).try_init(),
        LogFormat::Json => {
            let log = log.json().flatten_event(true);
            log.finish().with(wanted).try_init()
        }
    };
}

/// Its notices ("relation already exists, skipping") are for who looks for a fault.
fn of_driver(level: LevelFilter) -> LevelFilter {
    match level {
        LevelFilter::INFO => LevelFilter::WARN,
        other => other,
    }
}

/// A line as the log has it with `LOG_FORMAT=json`: for what is said beside the log.
pub fn json_line(level: tracing::Level, message: &str, fields: Map<String, Value>) -> String {
    let mut line = Map::new();
    let now = SystemClock::new().now().to_string();
    line.insert("timestamp".to_owned(), now.into());
    line.insert("level".to_owned(), level.as_str().into());
    line.insert("message".to_owned(), message.into());
    line.extend(fields);
    Value::from(line).to_string()
}
