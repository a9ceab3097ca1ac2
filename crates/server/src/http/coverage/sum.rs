//! Numbers and calls of one place, summed.

use std::cmp::Reverse;
use std::collections::HashMap;

use caller_id_core::Rung;
use caller_id_core::Timestamp;
use caller_id_core::history_query::Calls;
use caller_id_core::listing::StatusKind;

use super::shape::Reach;
use crate::http::overview::shape::RungsBody;
use crate::http::overview::share;

/// Numbers and calls of one place.
#[derive(Debug, Default)]
pub(super) struct Sum {
    /// Active numbers.
    pub(super) active: u64,
    numbers: u64,
    /// How many uses the active ones have in an hour, all together.
    uses: f64,
    calls: Calls,
    /// Calls by rung, in the order of [`Rung::ALL`].
    rungs: [u64; Rung::ALL.len()],
    hours: HashMap<Timestamp, u64>,
}

impl Sum {
    /// Adds numbers that have this status, and can be used so often in an hour, each.
    pub(super) fn own(&mut self, numbers: u64, status: StatusKind, uses: f64) {
        match status {
            StatusKind::Retired => return,
            StatusKind::Active => {
                self.active += numbers;
                self.uses += uses * numbers as f64;
            }
            StatusKind::Paused | StatusKind::Resting => {}
        }
        self.numbers += numbers;
    }

    /// Adds calls of an hour with numbers of a rung.
    pub(super) fn call(&mut self, hour: Timestamp, rung: Rung, calls: &Calls) {
        self.calls.add(calls);
        self.rungs[place(rung)] += calls.calls;
        *self.hours.entry(hour).or_default() += calls.calls;
    }

    /// How many uses an active number has in an hour; none where there is none.
    pub(super) fn uses_per_hour(&self) -> Option<f64> {
        (self.active > 0).then(|| self.uses / self.active as f64)
    }

    /// What is said of it, when so many active numbers are local to it; where it has none itself, they can be used `uses` times
    /// in an hour.
    pub(super) fn reach(&self, local_active: u64, uses: f64) -> Reach {
        let rung = |rung| self.rungs[place(rung)];
        let local = rung(Rung::AreaCode) + rung(Rung::Overlay);
        let busiest = self
            .hours
            .iter()
            .max_by_key(|(hour, calls)| (**calls, Reverse(**hour)));
        let busiest_calls = busiest.map_or(0, |(_, calls)| *calls);
        let uses = self.uses_per_hour().unwrap_or(uses);
        let needed = (busiest_calls as f64 / uses).ceil() as u64;
        Reach {
            active: self.active,
            numbers: self.numbers,
            calls: self.calls.calls,
            local,
            rungs: RungsBody {
                sticky: rung(Rung::Sticky),
                area_code: rung(Rung::AreaCode),
                overlay: rung(Rung::Overlay),
                region: rung(Rung::Region),
                any: rung(Rung::Any),
            },
            local_share: share(local, self.calls.calls - rung(Rung::Sticky)),
            answered: self.calls.answered,
            reported: self.calls.reported(),
            answer_rate: share(self.calls.answered, self.calls.reported()),
            busiest_hour_calls: busiest_calls,
            busiest_hour: busiest.map(|(hour, _)| hour.to_string()),
            uses_per_hour: (uses * 10.0).round() / 10.0,
            needed,
            short: needed.saturating_sub(local_active),
        }
    }
}

const fn place(rung: Rung) -> usize {
    match rung {
        Rung::Sticky => 0,
        Rung::AreaCode => 1,
        Rung::Overlay => 2,
        Rung::Region => 3,
        Rung::Any => 4,
    }
}
