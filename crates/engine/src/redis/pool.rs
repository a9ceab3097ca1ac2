//! A pool's value in Redis: its policy, and the local midnights it needs.

use caller_id_core::{Policy, Rung, TimeZone, Timestamp};

use super::event::six;

const FORMAT: u8 = 1;
/// So many days are given ahead, so that hardly ever a request must wait for them.
const DAYS_AHEAD: usize = 8;
/// Longer times than this (8,900 years) are this: they fit into 6 bytes with an instant added.
const DURATION_MOST_MS: i64 = 1 << 47;
const RUNGS: [Rung; 4] = [Rung::AreaCode, Rung::Overlay, Rung::Region, Rung::Any];

/// The value of a pool with this policy, without midnights. `scripts/number.lua` says what is where.
pub(super) fn value(policy: &Policy) -> Vec<u8> {
    let zone = policy.time_zone.name();
    let mut bytes = vec![FORMAT, 0, 0, 0, 0, 0, ladder(policy)];
    bytes.extend(duration(policy.cooldown_ms));
    bytes.extend(duration(policy.reservation_ms));
    bytes.extend(policy.most_reservations.get().to_be_bytes());
    bytes.extend(duration(policy.sticky_ms));
    bytes.push(zone.len() as u8);
    bytes.extend(zone.as_bytes());
    bytes
}

/// Consecutive local midnights from the day of `now` on.
pub(super) fn midnights(zone: &TimeZone, now: Timestamp) -> Vec<u8> {
    let mut day = zone.day(now);
    let mut bytes = six(day.start).to_vec();
    for _ in 0..=DAYS_AHEAD {
        bytes.extend(six(day.end));
        day = zone.day(day.end);
    }
    bytes
}

fn ladder(policy: &Policy) -> u8 {
    (0..).zip(RUNGS).fold(0, |bits, (place, rung)| {
        bits | u8::from(policy.ladder.has(rung)) << place
    })
}

fn duration(ms: i64) -> [u8; 6] {
    six(Timestamp::from_ms(ms.min(DURATION_MOST_MS)))
}

#[cfg(test)]
mod tests {
    use caller_id_testkit::builders::START;

    use super::*;

    #[test]
    fn midnights_follow_one_another_over_a_change_of_clocks() {
        let zone = TimeZone::parse("America/New_York").expect("a zone");
        // Clocks go forward on 14 March 2027.
        let now = "2027-03-12T12:00:00Z".parse().expect("an instant");
        let bytes = midnights(&zone, now);
        let at: Vec<u64> = bytes
            .chunks(6)
            .map(|six| six.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)))
            .collect();
        let hours: Vec<u64> = at
            .windows(2)
            .map(|two| (two[1] - two[0]) / 3_600_000)
            .collect();
        assert_eq!(hours, [24, 24, 23, 24, 24, 24, 24, 24, 24]);
        assert!(at[0] <= now.as_ms() as u64 && (now.as_ms() as u64) < at[1]);
    }

    #[test]
    fn a_value_has_the_length_that_the_scripts_expect() {
        let policy = Policy::default();
        assert_eq!(value(&policy).len(), 28 + "UTC".len());
        assert_eq!(midnights(&policy.time_zone, START).len() % 6, 0);
    }
}
