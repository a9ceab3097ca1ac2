//! Measuring time: the only place of the benchmarks that reads a clock.

use std::time::Instant;

/// Runs from when it is made.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the start.
    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    /// Microseconds since the start.
    pub(crate) fn micros(&self) -> u64 {
        self.0.elapsed().as_micros() as u64
    }
}
