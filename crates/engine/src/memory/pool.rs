//! A pool in the engine: its policy and its orders.

use std::cell::Cell;

use caller_id_core::ladder::Candidates;
use caller_id_core::window::Day;
use caller_id_core::{AreaCode, PhoneNumber, Policy, PoolId, Rung, Timestamp};

pub(super) use self::shown::Shown;
use self::shown::ShownMap;
use super::order::{Order, Orders, Place};

mod shown;

/// Destinations whose number a pool remembers. When more live, some are forgotten early.
const SHOWN_MOST: usize = 4_000_000;

/// The numbers of one pool, in the orders that choices are made from.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) id: PoolId,
    policy: Policy,
    /// The local day that was asked for last.
    day: Cell<Day>,
    orders: Orders,
    /// From which slot on numbers may still stand where an older policy put them.
    stale_from: Option<u32>,
    /// Which number each destination was last shown.
    pub(super) shown: ShownMap,
}

/// What climbing a pool's ladder found.
pub(super) enum Climb {
    /// The number whose turn it is, and by which rung.
    Free(Place, Rung),
    /// Nobody is free; this one is first, when there is anybody.
    Earliest(Option<Place>),
}

impl Pool {
    pub(super) fn new(id: PoolId, policy: Policy, now: Timestamp) -> Self {
        let day = Cell::new(policy.time_zone.day(now));
        Self {
            id,
            policy,
            day,
            orders: Orders::default(),
            stale_from: None,
            shown: ShownMap::new(SHOWN_MOST),
        }
    }

    pub(super) const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes a new policy. When numbers may stand in the wrong place by it, see [`Pool::stale_from`].
    pub(super) fn set_policy(&mut self, policy: Policy, now: Timestamp) {
        let before = std::mem::replace(&mut self.policy, policy);
        self.day.set(self.policy.time_zone.day(now));
        let same = before.cooldown_ms == self.policy.cooldown_ms
            && before.most_reservations == self.policy.most_reservations
            && before.time_zone == self.policy.time_zone;
        if !same {
            self.stale_from = Some(0);
        }
    }

    /// Remembers what `destination` was shown at `now`, and gives what it was shown before.
    pub(super) fn remember_shown(
        &mut self,
        destination: PhoneNumber,
        shown: Shown,
        now: Timestamp,
    ) -> Option<Shown> {
        let outdated = now.plus_ms(-self.policy.sticky_ms);
        self.shown.insert(destination, shown, outdated)
    }

    /// The slot from which on numbers may stand in the wrong place; none when all stand right.
    pub(super) const fn stale_from(&self) -> Option<u32> {
        self.stale_from
    }

    /// Numbers before `slot` stand right; all, when there is none.
    pub(super) const fn set_stale_from(&mut self, slot: Option<u32>) {
        self.stale_from = slot;
    }

    /// The local day of `now`.
    pub(super) fn day(&self, now: Timestamp) -> Day {
        if !self.day.get().holds(now) {
            self.day.set(self.policy.time_zone.day(now));
        }
        self.day.get()
    }

    /// How many numbers are candidates, those that are never free left out.
    pub(super) fn count(&self, among: Candidates) -> usize {
        self.orders.among(among).map(Order::len).sum()
    }

    /// The slots of these candidates.
    pub(super) fn slots(&self, among: Candidates) -> impl Iterator<Item = u32> {
        self.orders.among(among).flat_map(Order::slots)
    }

    /// Takes a number of this area code from its place in the orders and puts it into another.
    pub(super) fn change_place(
        &mut self,
        from: Option<Place>,
        to: Option<Place>,
        area_code: Option<AreaCode>,
    ) {
        self.orders.change_place(from, to, area_code);
    }

    /// Climbs the ladder for `destination`: the first rung with a free number wins.
    pub(super) fn climb(&self, destination: PhoneNumber, now: Timestamp) -> Climb {
        let mut earliest: Option<Place> = None;
        for (rung, candidates) in self.policy.ladder.climb(destination.area_code()) {
            let first = match candidates {
                Candidates::Area(code) => self.orders.first_of(code, destination),
                Candidates::Areas(codes) => self.orders.first_of_any(codes, destination),
                Candidates::All => self.orders.first(destination),
            };
            match first {
                Some(place) if place.available_at() <= now => return Climb::Free(place, rung),
                Some(place) => earliest = Some(earliest.map_or(place, |other| other.min(place))),
                None => {}
            }
        }
        Climb::Earliest(earliest)
    }
}
