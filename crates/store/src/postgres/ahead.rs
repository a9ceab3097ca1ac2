//! Whose turn it is to make the next part of history before its week begins.

use std::sync::{Mutex, MutexGuard, PoisonError};

use caller_id_core::Timestamp;

/// After a failure nobody tries for so long: whoever blocks tables is given time.
const REST_MS: i64 = 60_000;

/// Lets one at a time try, and nobody for a while after a failure.
#[derive(Default)]
pub(super) struct Ahead(Mutex<Turn>);

#[derive(Default)]
enum Turn {
    #[default]
    Free,
    Taken,
    Failed(Timestamp),
}

impl Ahead {
    /// Takes the turn if there is one now; whoever took it gives it back with [`Ahead::end`].
    pub(super) fn begin(&self, now: Timestamp) -> bool {
        let mut turn = self.turn();
        let free = match *turn {
            Turn::Free => true,
            Turn::Taken => false,
            Turn::Failed(at) => now.ms_since(at) >= REST_MS,
        };
        if free {
            *turn = Turn::Taken;
        }
        free
    }

    /// Gives the turn back. After a failure nobody takes it for a minute.
    pub(super) fn end<T, E>(&self, made: &Result<T, E>, now: Timestamp) {
        *self.turn() = match made {
            Ok(_) => Turn::Free,
            Err(_) => Turn::Failed(now),
        };
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn one_tries_at_a_time_and_none_for_a_minute_after_a_failure() {
        let ahead = Ahead::default();
        assert!(ahead.begin(at(0)) && !ahead.begin(at(0)) && !ahead.begin(at(REST_MS)));
        ahead.end(&Ok::<_, ()>(()), at(100));
        assert!(ahead.begin(at(100)));
        ahead.end(&Err::<(), _>(()), at(200));
        assert!(!ahead.begin(at(200)) && !ahead.begin(at(199 + REST_MS)));
        assert!(ahead.begin(at(200 + REST_MS)));
    }
}
