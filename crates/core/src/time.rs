//! Instants and the clock. Nothing else in the project reads the clock.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The epoch, and the instant from which a number that was never used is free: before all others.
    pub const ZERO: Self = Self(0);
    /// Later than every instant a clock gives.
    pub const MAX: Self = Self(i64::MAX);

    /// The instant `ms` milliseconds after the epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// This instant and `ms` milliseconds more; stops at [`Timestamp::MAX`].
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant, 0 when it is not earlier.
    pub fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with six digits of the second: `2026-11-22T07:47:40.052000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.6}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl std::str::FromStr for Timestamp {
    type Err = String;

    /// Reads RFC 3339, as [`Timestamp`]'s `Display` writes it.
    ///
    /// # Errors
    /// Says what was given and what was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>()
            .map(|at| Self(at.as_millisecond()))
            .map_err(|_| {
                format!("`{text}` is not an instant, expected one like 2026-11-22T07:47:40Z")
            })
    }
}

/// Where `now` comes from. Implementations never go backwards.
pub trait Clock: Send + Sync {
    /// The present instant; never earlier than what it gave before.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine, made monotonic.
///
/// A step forward is followed. After a step backward it goes on from where it was, at half speed, until the machine's
/// clock has caught up: it never stands still, so no reservation lives for ever, and it never goes back.
#[derive(Debug)]
pub struct SystemClock {
    last: Mutex<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    given_ns: i128,
    monotonic: Instant,
}

impl SystemClock {
    /// A clock that starts at the machine's present time.
    #[expect(
        clippy::new_without_default,
        reason = "reading the machine's clock is worth a visible call"
    )]
    pub fn new() -> Self {
        Self {
            last: Mutex::new(Reading {
                given_ns: wall_ns(),
                monotonic: monotonic(),
            }),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let monotonic = monotonic();
        let given_ns = advance(
            last.given_ns,
            monotonic.saturating_duration_since(last.monotonic),
            wall_ns(),
        );
        *last = Reading {
            given_ns,
            monotonic,
        };
        Timestamp((given_ns / 1_000_000) as i64)
    }
}

/// The next reading: the wall clock, or half of the time that passed when the wall clock is behind.
fn advance(given_ns: i128, elapsed: Duration, wall_ns: i128) -> i128 {
    wall_ns.max(given_ns + elapsed.as_nanos() as i128 / 2)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
fn wall_ns() -> i128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as i128)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
fn monotonic() -> Instant {
    Instant::now()
}

/// A clock that a test sets: a day of rotation in a millisecond.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_ms()))
    }

    /// Moves the clock on by `ms` milliseconds and gives the new instant.
    pub fn advance_ms(&self, ms: i64) -> Timestamp {
        Timestamp(self.0.fetch_add(ms, Ordering::SeqCst) + ms)
    }

    /// Sets the clock, backwards too: what an engine makes of that is up to its own guard.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_ms(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_microseconds_and_reads_them_back() {
        let at = Timestamp::from_ms(1_795_333_660_052);
        assert_eq!(at.to_string(), "2026-11-22T07:47:40.052000Z");
        assert_eq!(at.to_string().parse(), Ok(at));
    }

    #[test]
    fn the_clock_follows_a_step_forward() {
        assert_eq!(advance(100, Duration::from_nanos(10), 5_000), 5_000);
    }

    #[test]
    fn after_a_step_backward_the_clock_goes_on_at_half_speed_until_the_wall_catches_up() {
        let stepped_back = advance(1_000, Duration::from_nanos(100), 500);
        assert_eq!(stepped_back, 1_050);
        assert_eq!(
            advance(stepped_back, Duration::from_nanos(1_000), 1_600),
            1_600
        );
    }

    #[test]
    fn the_system_clock_never_goes_back() {
        let clock = SystemClock::new();
        let first = clock.now();
        assert!(first > Timestamp::from_ms(1_700_000_000_000));
        assert!(clock.now() >= first);
    }
}
