//! How fast pools empty, from what was seen of them.

use std::collections::{HashMap, VecDeque};

use caller_id_core::Timestamp;

use crate::http::overview::shape::PoolLive;

/// So far back what was seen counts, in milliseconds.
const KEPT_MS: i64 = 15 * 60_000;
/// Not more often than this is something kept.
const APART_MS: i64 = 10_000;
/// Before this much time nobody can tell.
const LEAST_MS: i64 = 60_000;
/// What was seen so many minutes earlier counts a third as much: what matters is how a pool empties now.
const FADING_MINUTES: f64 = 1.0;

/// Free numbers of pools, as they were seen at some instants.
#[derive(Debug, Default)]
pub(super) struct Samples(VecDeque<(Timestamp, HashMap<String, u64>)>);

impl Samples {
    /// Keeps what is seen now.
    pub(super) fn take(&mut self, now: Timestamp, pools: &[PoolLive]) {
        let is_past = |at: Timestamp| (0..=KEPT_MS).contains(&(now.as_ms() - at.as_ms()));
        self.0.retain(|(at, _)| is_past(*at));
        // What was seen a moment ago gives its place to what is seen now, unless the one before it is as near.
        if self.0.len() > 1 && now.ms_since(self.0[self.0.len() - 2].0) < APART_MS {
            self.0.pop_back();
        }
        let eligible = pools.iter().map(|pool| (pool.id.clone(), pool.eligible));
        self.0.push_back((now, eligible.collect()));
    }

    /// By how many the free numbers of a pool fall in a minute: the slope of the line that is nearest to what was seen, the latest most.
    /// None where that is less than a minute.
    pub(super) fn per_minute(&self, pool: &str) -> Option<f64> {
        let (last, _) = self.0.back()?;
        let points: Vec<(f64, f64)> = self
            .0
            .iter()
            .filter_map(|(at, seen)| {
                let minutes = -(last.ms_since(*at) as f64) / 60_000.0;
                Some((minutes, *seen.get(pool)? as f64))
            })
            .collect();
        let (first, _) = points.first()?;
        if *first > -(LEAST_MS as f64) / 60_000.0 {
            return None;
        }
        let weight = |x: f64| (x / FADING_MINUTES).exp();
        let all = points.iter().map(|(x, _)| weight(*x)).sum::<f64>();
        let mean_x = points.iter().map(|(x, _)| weight(*x) * x).sum::<f64>() / all;
        let mean_y = points.iter().map(|(x, y)| weight(*x) * y).sum::<f64>() / all;
        let (mut above, mut below) = (0.0, 0.0);
        for (x, y) in points {
            above += weight(x) * (x - mean_x) * (y - mean_y);
            below += weight(x) * (x - mean_x) * (x - mean_x);
        }
        // Not minus nothing.
        Some(0.0 - above / below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(eligible: u64) -> [PoolLive; 1] {
        [PoolLive {
            id: "solar".to_owned(),
            numbers: 0,
            eligible,
            reserved: 0,
            cooling: 0,
            limited: 0,
            hourly_limited: 0,
            daily_limited: 0,
            resting: 0,
            paused: 0,
            retired: 0,
            per_minute: None,
            exhausted_at: None,
        }]
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1_000)
    }

    #[test]
    fn a_pool_falls_as_fast_as_it_was_seen_to() {
        let mut samples = Samples::default();
        samples.take(at(0), &pool(1_000));
        assert_eq!(samples.per_minute("solar"), None);
        samples.take(at(59), &pool(950));
        assert_eq!(samples.per_minute("solar"), None);
        samples.take(at(120), &pool(900));
        let pace = samples.per_minute("solar").expect("a pace");
        assert!((49.0..51.0).contains(&pace), "{pace}");
        assert_eq!(samples.per_minute("roofs"), None);
    }

    #[test]
    fn what_was_seen_a_quarter_of_an_hour_ago_counts_no_more() {
        let mut samples = Samples::default();
        samples.take(at(0), &pool(9_000));
        for minute in 16..=20 {
            samples.take(at(minute * 60), &pool(100));
        }
        assert_eq!(samples.per_minute("solar"), Some(0.0));
    }

    #[test]
    fn a_pool_that_begins_to_fall_is_soon_seen_to() {
        let mut samples = Samples::default();
        for second in (0..600).step_by(10) {
            samples.take(at(second), &pool(300));
        }
        for second in (600..=780).step_by(10) {
            samples.take(at(second), &pool(300 - (second as u64 - 600)));
        }
        let pace = samples.per_minute("solar").expect("a pace");
        assert!((45.0..=65.0).contains(&pace), "60 a minute, not {pace}");
    }

    #[test]
    fn looking_often_keeps_no_more() {
        let mut samples = Samples::default();
        for second in 0..900 {
            samples.take(at(second), &pool(900 - second as u64));
        }
        assert!(samples.0.len() <= 102, "{}", samples.0.len());
        let pace = samples.per_minute("solar").expect("a pace");
        assert!((59.9..60.1).contains(&pace), "{pace}");
    }
}
