//! How a server answers: round trips, and its clock against ours.

use caller_id_core::{AllocatorError, Clock, SystemClock};
use redis::cmd;
use tokio::time::Instant;

use super::super::error::unavailable;
use super::{Question, RoundTrip};

/// So many round trips are made: the first also fills caches, so the middle is told.
const ROUND_TRIPS: usize = 21;

/// What came of it.
pub(super) struct Measured {
    pub(super) clock_ahead_ms: i64,
    pub(super) round_trip: RoundTrip,
}

/// Asks what time it is, again and again. The quickest answer tells most exactly how far the clocks are apart.
pub(super) async fn measure(server: &mut Question) -> Result<Measured, AllocatorError> {
    let clock = SystemClock::new();
    let mut answers = Vec::with_capacity(ROUND_TRIPS);
    for _ in 0..ROUND_TRIPS {
        let (ours, asked) = (clock.now(), Instant::now());
        let theirs: (i64, i64) = server.must(&cmd("TIME")).await.map_err(unavailable)?;
        let took = asked.elapsed();
        let theirs_us = theirs.0 * 1_000_000 + theirs.1;
        let half_us = i64::try_from(took.as_micros() / 2).unwrap_or(i64::MAX);
        let ahead_us = theirs_us - half_us - ours.as_ms() * 1_000;
        answers.push((took, ahead_us / 1_000));
    }
    answers.sort_unstable();
    Ok(Measured {
        clock_ahead_ms: answers[0].1,
        round_trip: RoundTrip {
            median: answers[ROUND_TRIPS / 2].0,
            longest: answers[ROUND_TRIPS - 1].0,
        },
    })
}
