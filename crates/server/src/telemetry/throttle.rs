//! Lines that say the same again and again: the first at once, then how many at most every ten seconds.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Least time between two lines.
const PAUSE: Duration = Duration::from_secs(10);

/// Decides whether a line that may come thousands of times a second is logged.
#[derive(Debug, Default)]
pub struct Throttle {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    silent: u64,
}

impl Throttle {
    /// One that has logged nothing.
    pub const fn new() -> Self {
        Self {
            state: Mutex::new(State {
                last: None,
                silent: 0,
            }),
        }
    }

    /// Notes that it happened. Some when a line is due: how often it happened since the last line, this time included.
    pub fn note(&self) -> Option<u64> {
        let now = Instant::now();
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        state.silent += 1;
        if state.last.is_some_and(|last| now - last < PAUSE) {
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.silent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_line_comes_at_once_and_the_next_ten_seconds_later_with_a_count() {
        let throttle = Throttle::new();
        assert_eq!(throttle.note(), Some(1));
        for _ in 0..1_000 {
            assert_eq!(throttle.note(), None);
        }
        tokio::time::advance(PAUSE).await;
        assert_eq!(throttle.note(), Some(1_001));
        assert_eq!(throttle.note(), None);
    }
}
