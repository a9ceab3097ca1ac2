//! The log: to standard error or output, and to files; and traces. Never with secrets, never with destinations.

pub mod counts;
pub mod files;
pub mod outage;
pub mod throttle;
pub mod traces;

use std::io::{IsTerminal, stderr, stdout};
use std::sync::Arc;

use anyhow::Context as _;
use caller_id_core::{Clock, SystemClock};
use serde_json::{Map, Value};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use self::counts::Counting;
use self::files::{LogFiles, Writing};
use self::traces::Tracing;
use crate::config::log::{LogConfig, LogFormat, LogOutput};
use crate::config::traces::TraceConfig;

/// Where the driver of PostgreSQL logs from: what the server says of each statement, on a good day too.
const DRIVER: &str = "sqlx";
/// Where it logs from what PostgreSQL says beside answers: a server that stops says to each connection that it ends it, and no line
/// names the server. Whoever used a connection tells it with the server's name.
const NOTICES: &str = "sqlx::postgres::notice";

/// Lines of this target are for the files alone: whoever reads the output is told by the banner, and by the error that ends the
/// process.
pub const SAID: &str = "caller_id::said";

/// What must live as long as the log: dropped, it writes the last lines and sends the last spans.
#[derive(Debug, Default)]
pub struct Telemetry {
    _tracing: Option<Tracing>,
    _writing: Option<Writing>,
}

/// Sends everything that is logged from now on where the settings say, and what is traced to the collector. Once a process;
/// later calls change nothing.
///
/// # Errors
/// LOG_DIR cannot be written, or the collector's address cannot be used.
pub fn start(log: &LogConfig, traces: &TraceConfig, node: &str) -> anyhow::Result<Telemetry> {
    let level = log.log_level.0;
    let wanted = Targets::new()
        .with_default(level)
        .with_target(DRIVER, of_driver(level))
        .with_target(NOTICES, of_notices(level));
    let files = log.files().map(|place| {
        let folder = place.folder.display().to_string();
        let started = LogFiles::start(place, Arc::new(SystemClock::new()));
        started.with_context(|| format!("LOG_DIR `{folder}` cannot be written"))
    });
    let (files, writing) = files.transpose()?.unzip();
    let tracing = Tracing::start(traces, node)?;
    let format = log.log_format;
    let stream = match log.log_output {
        LogOutput::Stderr => Some(lines(format, stderr, stderr().is_terminal())),
        LogOutput::Stdout => Some(lines(format, stdout, stdout().is_terminal())),
        LogOutput::None => None,
    };
    let unsaid = Targets::new().with_default(LevelFilter::TRACE);
    let unsaid = unsaid.with_target(SAID, LevelFilter::OFF);
    let stream = stream.map(|stream| stream.with_filter(unsaid).boxed());
    let files = files.map(|files| lines(format, files, false));
    let spans = tracing.as_ref().map(|tracing| {
        let layer = tracing_opentelemetry::layer().with_tracer(tracing.tracer());
        let of_traces = Targets::new().with_target(traces::TARGET, LevelFilter::TRACE);
        let plain = layer.with_location(false).with_threads(false);
        plain.with_filter(of_traces)
    });
    let written = stream.into_iter().chain(files).collect::<Vec<_>>();
    let logged = written.and_then(Counting).with_filter(wanted);
    // An error means that a log is there already, in tests.
    let _ = Registry::default().with(logged).with(spans).try_init();
    Ok(Telemetry {
        _tracing: tracing,
        _writing: writing,
    })
}

/// Writes lines in that format.
fn lines<W>(
    format: LogFormat,
    writer: W,
    is_colored: bool,
) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(is_colored)
        .with_target(false)
        // Its words about itself would go to standard error and panic when that is on a full disk.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true);
            lines.with_span_list(false).boxed()
        }
    }
}

/// Its notices ("relation already exists, skipping") are for who looks for a fault.
fn of_driver(level: LevelFilter) -> LevelFilter {
    match level {
        LevelFilter::INFO => LevelFilter::WARN,
        other => other,
    }
}

fn of_notices(level: LevelFilter) -> LevelFilter {
    match level {
        LevelFilter::DEBUG | LevelFilter::TRACE => level,
        _ => LevelFilter::OFF,
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
