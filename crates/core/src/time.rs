//! Instants and the clock. Nothing else in the project reads the clock.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

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
    /// The latest instant given, in nanoseconds since the epoch.
    given_ns: AtomicI64,
    /// Used only while the machine's clock is behind what was given.
    behind: Mutex<Option<Behind>>,
}

/// From when on the clock goes on by itself.
#[derive(Debug, Clone, Copy)]
struct Behind {
    given_ns: i64,
    since: Instant,
}

impl SystemClock {
    /// A clock that starts at the machine's present time.
    #[expect(
        clippy::new_without_default,
        reason = "reading the machine's clock is worth a visible call"
    )]
    pub fn new() -> Self {
        Self {
            given_ns: AtomicI64::new(wall_ns()),
            behind: Mutex::new(None),
        }
    }

    /// The next reading, when the machine's clock says `wall_ns`.
    fn read(&self, wall_ns: i64, monotonic: impl FnOnce() -> Instant) -> i64 {
        let given_ns = self.given_ns.load(Ordering::Relaxed);
        let ns = if wall_ns >= given_ns {
            wall_ns
        } else if given_ns - wall_ns < JITTER_NS {
            given_ns
        } else {
            self.read_behind(given_ns, monotonic())
        };
        // Another thread may have given a later instant meanwhile.
        ns.max(self.given_ns.fetch_max(ns, Ordering::Relaxed))
    }

    /// The machine's clock was set back: half of the time that passed since is added to what was given then.
    fn read_behind(&self, given_ns: i64, now: Instant) -> i64 {
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = behind.map(|from| from.goes_on(now));
        // What goes on is never below what was given; an older step back, caught up with since, is.
        if let Some(ns) = goes_on.filter(|ns| *ns >= given_ns) {
            return ns;
        }
        *behind = Some(Behind {
            given_ns,
            since: now,
        });
        given_ns
    }
}

impl Behind {
    fn goes_on(self, now: Instant) -> i64 {
        let passed_ns = now.saturating_duration_since(self.since).as_nanos() as i64;
        self.given_ns + passed_ns / 2
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.read(wall_ns(), monotonic) / 1_000_000)
    }
}

/// Threads that read the clock at the same time may store what they read in any order: that is no step backward.
const JITTER_NS: i64 = 10_000_000;

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
fn wall_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as i64)
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
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_timestamp_prints_microseconds_and_reads_them_back() {
        let at = Timestamp::from_ms(1_795_333_660_052);
        assert_eq!(at.to_string(), "2026-11-22T07:47:40.052000Z");
        assert_eq!(at.to_string().parse(), Ok(at));
    }

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn the_clock_follows_a_step_forward() {
        let clock = SystemClock::new();
        let later = wall_ns() + 3_600 * SECOND;
        assert_eq!(clock.read(later, monotonic), later);
    }

    #[test]
    fn after_a_step_backward_the_clock_goes_on_at_half_speed_until_the_wall_catches_up() {
        let clock = SystemClock::new();
        let begin = monotonic();
        let after = |seconds: u64| move || begin + Duration::from_secs(seconds);
        let high = clock.read(wall_ns() + 100 * SECOND, after(0));
        for _ in 0..2 {
            let high = clock.read(high, after(0));
            assert_eq!(clock.read(high - 60 * SECOND, after(0)), high);
        }
        assert_eq!(clock.read(high - 50 * SECOND, after(10)), high + 5 * SECOND);
        assert_eq!(
            clock.read(high - 20 * SECOND, after(40)),
            high + 20 * SECOND
        );
        assert_eq!(
            clock.read(high + 61 * SECOND, after(121)),
            high + 61 * SECOND
        );
        let again = high + 61 * SECOND;
        assert_eq!(
            clock.read(again - 30 * SECOND, after(122)),
            again,
            "a second step back"
        );
        assert_eq!(clock.read(again - 28 * SECOND, after(124)), again + SECOND);
    }

    #[test]
    fn the_system_clock_never_goes_back() {
        let clock = SystemClock::new();
        let first = clock.now();
        assert!(first > Timestamp::from_ms(1_700_000_000_000));
        assert!(clock.now() >= first);
    }
}
