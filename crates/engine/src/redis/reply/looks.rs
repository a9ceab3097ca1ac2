//! Replies to looks that change nothing.

use caller_id_core::inspection::Counts;
use caller_id_core::{NumberState, PhoneNumber, PoolId, Rung, Timestamp};

use super::{Fields, Reply};
use crate::redis::error::Unreadable;

/// What stands for a number that is never free, and for one that is not known, where the instant is from which one is free.
const NEVER: i64 = -1;
const UNKNOWN: i64 = -2;
/// So many fields are the state of a number.
const STATE: usize = 5;

impl Fields {
    pub(super) fn turn(&self) -> Result<Reply, Unreadable> {
        let (digits, pool) = (self.text(1)?, self.text(2)?);
        let number = digits.parse().ok().and_then(PhoneNumber::from_e164_digits);
        let rung = usize::try_from(self.integer(3)?).ok();
        Ok(Reply::Turn {
            number: number.ok_or_else(|| Unreadable(format!("a number is `{digits}`")))?,
            pool: PoolId::new(&pool).map_err(|error| Unreadable(error.to_string()))?,
            rung: *rung
                .and_then(|place| Rung::ALL.get(place))
                .ok_or_else(|| Unreadable("a rung is none".to_owned()))?,
        })
    }

    pub(super) fn states(&self) -> Result<Vec<Option<NumberState>>, Unreadable> {
        let count = self.0.len() / STATE;
        let places = (0..count).map(|place| 1 + place * STATE);
        places.map(|from| self.state(from)).collect()
    }

    fn state(&self, from: usize) -> Result<Option<NumberState>, Unreadable> {
        let [at, last_used] = [self.integer(from)?, self.integer(from + 1)?];
        let [uses_in_hour, uses_today, reservations] = [
            self.integer(from + 2)?,
            self.integer(from + 3)?,
            self.integer(from + 4)?,
        ];
        if at == UNKNOWN {
            return Ok(None);
        }
        Ok(Some(NumberState {
            available_at: (at != NEVER).then_some(Timestamp::from_ms(at)),
            last_used_at: (last_used > 0).then_some(Timestamp::from_ms(last_used)),
            uses_in_hour: uses_in_hour as u32,
            uses_today: uses_today as u32,
            reservations: reservations as u32,
        }))
    }

    pub(super) fn counted(&self) -> Result<Reply, Unreadable> {
        let count = |place| self.integer(place).map(i64::unsigned_abs);
        let counts = Counts {
            eligible: count(1)?,
            reserved: count(2)?,
            cooldown: count(3)?,
            hourly_limit: count(4)?,
            daily_limit: count(5)?,
            resting: count(6)?,
        };
        let done = count(7)? as usize;
        Ok(Reply::Counted(counts, done, self.bytes(8)?.to_vec()))
    }
}
