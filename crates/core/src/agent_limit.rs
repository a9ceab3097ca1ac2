//! The agent limit: GCRA, one stored instant for each agent.
//!
//! The generic cell rate algorithm (ITU-T I.371) with the burst equal to the rate: an agent may make all calls of a
//! minute at once, and then one as each slot frees.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::ids::CampaignId;
use crate::inventory::Campaign;
use crate::time::Timestamp;

const MINUTE_US: i64 = 60_000_000;

/// Most successful allocations of one agent in a minute; none = no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AgentLimit(Option<NonZeroU32>);

/// The one stored instant: when the agent's bucket is full again (the "theoretical arrival time"), in microseconds since
/// the epoch. In the past, the agent might as well be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival(i64);

impl Arrival {
    /// Microseconds since the epoch.
    pub const fn as_us(self) -> i64 {
        self.0
    }

    /// The instant from which the agent might as well be unknown, rounded up to the millisecond.
    pub fn forgotten_at(self) -> Timestamp {
        Timestamp::from_ms(self.0.div_euclid(1_000) + i64::from(self.0.rem_euclid(1_000) > 0))
    }
}

/// Permission for one allocation, to be stored when it succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    /// What to store for the agent.
    pub arrival: Arrival,
    /// How many allocations the agent may make at once after this one.
    pub remaining: u32,
}

/// The agent is over its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverLimit {
    /// Milliseconds until one allocation is free; at least 1.
    pub retry_after_ms: i64,
}

impl AgentLimit {
    /// No limit.
    pub const OFF: Self = Self(None);

    /// `count` allocations a minute, 0 = no limit. At most a million, that is none at all in practice.
    pub fn per_minute(count: u32) -> Self {
        Self(NonZeroU32::new(count.min(1_000_000)))
    }

    /// Whether there is a limit.
    pub const fn is_on(self) -> bool {
        self.0.is_some()
    }

    /// Whether an agent whose stored instant is `stored` may allocate at `now`; `None` when there is no limit.
    ///
    /// Nothing counts until the permit's arrival is stored.
    ///
    /// # Errors
    /// [`OverLimit`] with the exact wait.
    pub fn check(
        self,
        stored: Option<Arrival>,
        now: Timestamp,
    ) -> Result<Option<Permit>, OverLimit> {
        let Some(interval) = self.interval_us() else {
            return Ok(None);
        };
        let now_us = now.as_ms() * 1_000;
        let arrival = stored.map_or(now_us, |arrival| arrival.0.max(now_us));
        let early_us = (arrival - now_us) - (MINUTE_US - interval);
        if early_us > 0 {
            return Err(OverLimit {
                retry_after_ms: (early_us + 999) / 1_000,
            });
        }
        let arrival = Arrival(arrival + interval);
        Ok(Some(Permit {
            arrival,
            remaining: self.remaining(Some(arrival), now),
        }))
    }

    /// How many allocations the agent may make at once at `now`; 0 when there is no limit.
    pub fn remaining(self, stored: Option<Arrival>, now: Timestamp) -> u32 {
        let Some(interval) = self.interval_us() else {
            return 0;
        };
        let used_us = stored.map_or(0, |arrival| (arrival.0 - now.as_ms() * 1_000).max(0));
        ((MINUTE_US - used_us).max(0) / interval) as u32
    }

    /// Microseconds between two allocations in the long run, rounded down so that the full count fits into a minute; none
    /// when there is no limit.
    pub fn interval_us(self) -> Option<i64> {
        self.0.map(|count| MINUTE_US / i64::from(count.get()))
    }
}

/// Which limit holds for the agents of which campaign: cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct AgentLimits {
    global: AgentLimit,
    /// Of campaigns that have one of their own.
    own: Arc<HashMap<CampaignId, AgentLimit>>,
}

impl AgentLimits {
    /// What these campaigns say themselves; for all others, and for calls of none, `global`.
    pub fn new(global: AgentLimit, campaigns: &[Campaign]) -> Self {
        let own = campaigns.iter().filter_map(|campaign| {
            let limit = campaign.agent_limit_per_minute?;
            Some((campaign.id.clone(), AgentLimit::per_minute(limit)))
        });
        Self {
            global,
            own: Arc::new(own.collect()),
        }
    }

    /// The same with another limit where campaigns say nothing.
    #[must_use]
    pub fn over(&self, global: AgentLimit) -> Self {
        Self {
            global,
            own: self.own.clone(),
        }
    }

    /// The limit of agents on calls of that campaign.
    pub fn of(&self, campaign: Option<&CampaignId>) -> AgentLimit {
        self.of_or(campaign, self.global)
    }

    /// The same; where the campaign says nothing, `global`.
    pub fn of_or(&self, campaign: Option<&CampaignId>, global: AgentLimit) -> AgentLimit {
        let own = campaign.and_then(|campaign| self.own.get(campaign));
        own.copied().unwrap_or(global)
    }
}

impl From<AgentLimit> for AgentLimits {
    /// The same for every campaign.
    fn from(global: AgentLimit) -> Self {
        Self {
            global,
            own: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PoolId;
    use proptest::prelude::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(1_700_000_000_000 + ms)
    }

    #[test]
    fn a_minutes_calls_may_be_made_at_once_and_then_one_as_each_slot_frees() {
        let limit = AgentLimit::per_minute(60);
        let mut stored = None;
        for made in 1..=60 {
            let permit = limit
                .check(stored, at(0))
                .expect("within the limit")
                .expect("a limit is on");
            assert_eq!(permit.remaining, 60 - made);
            stored = Some(permit.arrival);
        }
        assert_eq!(
            limit.check(stored, at(0)),
            Err(OverLimit {
                retry_after_ms: 1_000
            })
        );
        assert_eq!(
            limit.check(stored, at(999)),
            Err(OverLimit { retry_after_ms: 1 })
        );
        assert!(limit.check(stored, at(1_000)).is_ok());
        assert_eq!(limit.remaining(stored, at(60_000)), 60);
    }

    #[test]
    fn off_means_no_permit_is_needed() {
        assert_eq!(AgentLimit::per_minute(0).check(None, at(0)), Ok(None));
        assert!(!AgentLimit::OFF.is_on());
    }

    proptest! {
        #[test]
        fn the_wait_is_exact_and_no_minute_holds_more_than_twice_the_limit(count in 1u32..400, steps in prop::collection::vec(0i64..3_000, 1..300)) {
            let limit = AgentLimit::per_minute(count);
            let (mut stored, mut now, mut made) = (None, at(0), Vec::new());
            for step in steps {
                now = now.plus_ms(step);
                match limit.check(stored, now) {
                    Ok(permit) => {
                        stored = permit.map(|permit| permit.arrival);
                        made.push(now);
                    }
                    Err(over) => {
                        prop_assert!(over.retry_after_ms >= 1);
                        prop_assert!(limit.check(stored, now.plus_ms(over.retry_after_ms)).is_ok());
                        prop_assert!(limit.check(stored, now.plus_ms(over.retry_after_ms - 1)).is_err());
                    }
                }
                let last_minute = made.iter().filter(|use_at| now.ms_since(**use_at) < 60_000).count();
                prop_assert!(last_minute <= 2 * count as usize);
            }
        }
    }

    #[test]
    fn a_campaign_that_says_nothing_has_the_global_limit() {
        let id = |name: &str| CampaignId::new(name).expect("valid");
        let campaign = |name, limit| {
            Campaign::new(id(name), vec![PoolId::default()])
                .and_then(|campaign| campaign.with_agent_limit(limit))
                .expect("valid")
        };
        let campaigns = [
            campaign("NONE", None),
            campaign("OFF", Some(0)),
            campaign("TWO", Some(2)),
        ];
        let global = AgentLimit::per_minute(7);
        let limits = AgentLimits::new(global, &campaigns);
        assert_eq!(limits.of(None), global);
        for (name, limit) in [
            ("OTHER", global),
            ("NONE", global),
            ("OFF", AgentLimit::OFF),
            ("TWO", AgentLimit::per_minute(2)),
        ] {
            assert_eq!(limits.of(Some(&id(name))), limit, "{name}");
        }
    }
}
