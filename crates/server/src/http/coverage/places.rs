//! Numbers and calls, put where they belong.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use caller_id_core::area_codes::{self, Region};
use caller_id_core::history_query::{Calls, StatsKey, StatsRow};
use caller_id_core::listing::{NumberGroup, StatusKind};
use caller_id_core::{AreaCode, Policy, Pool, PoolId, Timestamp};

use super::shape::{AreaCodeCoverage, CarrierCoverage, CoverageBody, RegionCoverage};
use super::sum::Sum;
use crate::http::overview::share;

const HOUR_MS: f64 = 3_600_000.0;
/// A call takes some time: a number is not used more than once in so many milliseconds.
const CALL_LEAST_MS: i64 = 60_000;

/// All places.
pub(super) struct Places {
    /// How often a number of each pool can be used in an hour, without a limit.
    uses: HashMap<PoolId, f64>,
    uses_by_default: f64,
    total: Sum,
    codes: BTreeMap<AreaCode, Sum>,
    regions: BTreeMap<Region, (Option<&'static str>, Sum)>,
    elsewhere: Sum,
    carriers: BTreeMap<String, Carried>,
}

#[derive(Default)]
struct Carried {
    active: u64,
    numbers: u64,
    calls: Calls,
}

fn uses_of(policy: &Policy) -> f64 {
    HOUR_MS / policy.cooldown_ms.max(CALL_LEAST_MS) as f64
}

impl Places {
    /// Nothing, where numbers rotate by these policies.
    pub(super) fn new(pools: &[Pool], global: &Policy) -> Self {
        let uses = |pool: &Pool| (pool.id.clone(), uses_of(&pool.policy.over(global)));
        Self {
            uses: pools.iter().map(uses).collect(),
            uses_by_default: uses_of(global),
            total: Sum::default(),
            codes: BTreeMap::new(),
            regions: BTreeMap::new(),
            elsewhere: Sum::default(),
            carriers: BTreeMap::new(),
        }
    }

    /// Adds numbers.
    pub(super) fn own(&mut self, group: &NumberGroup) {
        let uses = self.uses_of(group);
        let (numbers, status) = (group.numbers, group.status);
        self.each(group.area_code, |sum| sum.own(numbers, status, uses));
        if status != StatusKind::Retired {
            let name = group.carrier.clone().unwrap_or_default();
            let carried = self.carriers.entry(name).or_default();
            carried.numbers += numbers;
            carried.active += match status {
                StatusKind::Active => numbers,
                _ => 0,
            };
        }
    }

    /// How often one of these numbers can be used in an hour, on average.
    fn uses_of(&self, group: &NumberGroup) -> f64 {
        let uses = self.uses.get(&group.pool).copied();
        let unlimited = uses.unwrap_or(self.uses_by_default);
        if group.limited == 0 {
            return unlimited;
        }
        let limit = group.hourly_limits as f64 / group.limited as f64;
        let limited = group.limited as f64 * limit.min(unlimited);
        let others = (group.numbers - group.limited.min(group.numbers)) as f64 * unlimited;
        (limited + others) / group.numbers as f64
    }

    /// Adds calls of an hour.
    pub(super) fn call(&mut self, row: &StatsRow) {
        if let StatsKey::Reach(code, rung) = row.key {
            self.each(code, |sum| sum.call(row.from, rung, &row.calls));
        }
    }

    /// Adds calls with numbers of a carrier.
    pub(super) fn carry(&mut self, row: &StatsRow) {
        let name = match &row.key {
            StatsKey::Name(name) => name.clone(),
            _ => String::new(),
        };
        let carried = self.carriers.entry(name).or_default();
        carried.calls.add(&row.calls);
    }

    /// Does something with each of the places that an area code is in.
    fn each(&mut self, code: Option<AreaCode>, mut what: impl FnMut(&mut Sum)) {
        what(&mut self.total);
        let info = code.and_then(|code| area_codes::table().get(code));
        match info.and_then(|info| Some((info.region?, info.country))) {
            Some((region, country)) => {
                let place = self.regions.entry(region);
                what(&mut place.or_insert_with(|| (country, Sum::default())).1);
            }
            None => what(&mut self.elsewhere),
        }
        if let Some(code) = code {
            what(self.codes.entry(code).or_default());
        }
    }

    /// What is said of them.
    pub(super) fn body(self, (since, at): (Timestamp, Timestamp), days: u32) -> CoverageBody {
        let uses = self.total.uses_per_hour().unwrap_or(self.uses_by_default);
        let codes = self.codes.iter();
        let regions = self.regions.iter();
        CoverageBody {
            since: since.to_string(),
            at: at.to_string(),
            days,
            total: self.total.reach(self.total.active, uses),
            area_codes: codes
                .map(|(code, sum)| self.area_code(*code, sum, uses))
                .collect(),
            regions: regions
                .map(|(region, (country, sum))| RegionCoverage {
                    region: region.as_str().to_owned(),
                    country: *country,
                    reach: sum.reach(sum.active, uses),
                })
                .collect(),
            elsewhere: self.elsewhere.reach(self.elsewhere.active, uses),
            carriers: carriers(self.carriers),
        }
    }

    fn area_code(&self, code: AreaCode, sum: &Sum, uses: f64) -> AreaCodeCoverage {
        let table = area_codes::table();
        let overlay = table.overlay(code);
        let active = |code| self.codes.get(code).map_or(0, |sum| sum.active);
        let overlay_active = overlay.iter().map(active).sum();
        let info = table.get(code);
        AreaCodeCoverage {
            code: code.to_string(),
            region: table.region(code).map(|region| region.as_str().to_owned()),
            country: info.and_then(|info| info.country),
            overlay: overlay.iter().map(ToString::to_string).collect(),
            overlay_active,
            reach: sum.reach(sum.active + overlay_active, uses),
        }
    }
}

fn carriers(all: BTreeMap<String, Carried>) -> Vec<CarrierCoverage> {
    let mut carriers: Vec<_> = all
        .into_iter()
        .map(|(name, carried)| CarrierCoverage {
            carrier: (!name.is_empty()).then_some(name),
            active: carried.active,
            numbers: carried.numbers,
            calls: carried.calls.calls,
            answered: carried.calls.answered,
            reported: carried.calls.reported(),
            answer_rate: share(carried.calls.answered, carried.calls.reported()),
        })
        .collect();
    carriers.sort_by_key(|one| (Reverse(one.calls), Reverse(one.numbers)));
    carriers
}
