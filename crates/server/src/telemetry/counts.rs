//! What is known of the log itself. There is one log in a process, so these are of the process, too.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::throttle::Throttle;

static ERRORS: AtomicU64 = AtomicU64::new(0);
static WARNINGS: AtomicU64 = AtomicU64::new(0);
static DROPPED: AtomicU64 = AtomicU64::new(0);
static EXPORTS_FAILED: AtomicU64 = AtomicU64::new(0);
static FILES_FAILED: Throttle = Throttle::new();
static COLLECTOR_AWAY: Throttle = Throttle::new();

/// Counts of the process's log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Errors that were logged.
    pub errors: u64,
    /// Warnings that were logged.
    pub warnings: u64,
    /// Lines that reached no file.
    pub dropped: u64,
    /// Batches of traces that the collector did not take.
    pub exports_failed: u64,
}

impl LogCounts {
    /// Until now.
    pub fn now() -> Self {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Self {
            errors: load(&ERRORS),
            warnings: load(&WARNINGS),
            dropped: load(&DROPPED),
            exports_failed: load(&EXPORTS_FAILED),
        }
    }
}

/// So many lines reached no file.
pub(super) fn dropped(lines: u64) {
    DROPPED.fetch_add(lines, Ordering::Relaxed);
}

/// Lines that reached no file until now.
#[cfg(test)]
pub(super) fn dropped_until_now() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Lines could not be written. The line that tells so goes elsewhere, too.
pub(super) fn tell_files_failed(error: &io::Error) {
    if let Some(times) = FILES_FAILED.note() {
        tracing::error!(%error, times, "the log in LOG_DIR cannot be written: lines are dropped there");
    }
}

/// A batch of traces was not taken.
pub(super) fn tell_export_failed(error: &str) {
    EXPORTS_FAILED.fetch_add(1, Ordering::Relaxed);
    if let Some(times) = COLLECTOR_AWAY.note() {
        tracing::warn!(
            error,
            times,
            "traces cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT: they are dropped"
        );
    }
}

/// Counts what is logged.
pub(super) struct Counting;

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let counter = match *event.metadata().level() {
            Level::ERROR => &ERRORS,
            Level::WARN => &WARNINGS,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
