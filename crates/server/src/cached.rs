//! What is gathered when somebody asks, once for all who ask, and not more often than is cheap.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caller_id_core::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

/// What could not be gathered is tried again after so many milliseconds.
const FAILED_MS: i64 = 1_000;

/// How often something is gathered.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Not again before so many milliseconds.
    pub least_ms: i64,
    /// Nor before so many times as long as it took.
    pub times: u32,
    /// What is not older than so many milliseconds is given to who would have to wait for newer.
    pub stale_ms: i64,
}

/// Nobody waits longer where there is something that is not too old.
const MOMENT: Duration = Duration::from_millis(50);

/// Something that is gathered: the latest of it, and whether it is being gathered now.
#[derive(Debug)]
pub struct Cached<T>(Arc<Mutex<Kept<T>>>);

#[derive(Debug)]
struct Kept<T> {
    /// None: it was never gathered, or could not be.
    value: Option<Arc<T>>,
    /// When it was asked for, and for how long it is good enough from then on, in milliseconds.
    good: Option<(Timestamp, i64)>,
    /// Closed when it is gathered.
    flight: Option<watch::Receiver<()>>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Kept {
            value: None,
            good: None,
            flight: None,
        })))
    }
}

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Cached<T> {
    /// The latest, gathered anew where that is due: by one for all, and whoever waits longer than `patience` gets what there was
    /// before. `None`: it cannot be gathered, or there is nothing yet.
    pub async fn get<F>(
        &self,
        now: Timestamp,
        pace: Pace,
        patience: Duration,
        gather: impl FnOnce() -> F,
    ) -> Option<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Option<T>> + Send + 'static,
    {
        let mut flight = {
            let mut kept = self.kept();
            let flown = kept.flight.clone().filter(|one| one.has_changed().is_ok());
            match flown {
                Some(flight) => flight,
                None if kept.is_good(now) => return kept.value.clone(),
                None => {
                    let (over, flight) = watch::channel(());
                    kept.flight = Some(flight.clone());
                    tokio::spawn(self.clone().fly(now, pace, gather(), over));
                    flight
                }
            }
        };
        let patience = match self.kept().is_younger(now, pace.stale_ms) {
            true => patience.min(MOMENT),
            false => patience,
        };
        // An error is the end of the flight.
        let _ = tokio::time::timeout(patience, flight.changed()).await;
        self.kept().value.clone()
    }

    /// The latest, as old as it may be.
    pub fn latest(&self) -> Option<Arc<T>> {
        self.kept().value.clone()
    }

    async fn fly(
        self,
        now: Timestamp,
        pace: Pace,
        gathering: impl Future<Output = Option<T>>,
        over: watch::Sender<()>,
    ) {
        let began = Instant::now();
        let value = gathering.await;
        let took_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let good_ms = match value {
            Some(_) => took_ms.saturating_mul(pace.times.into()).max(pace.least_ms),
            None => FAILED_MS,
        };
        let mut kept = self.kept();
        kept.value = value.map(Arc::new);
        kept.good = Some((now, good_ms));
        drop(kept);
        drop(over);
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Kept<T> {
    fn is_younger(&self, now: Timestamp, ms: i64) -> bool {
        let at = self.value.as_ref().and(self.good);
        at.is_some_and(|(at, _)| (0..ms).contains(&now.as_ms().saturating_sub(at.as_ms())))
    }

    /// A clock that was set back makes nothing last longer.
    fn is_good(&self, now: Timestamp) -> bool {
        self.good
            .is_some_and(|(at, ms)| (0..ms).contains(&now.as_ms().saturating_sub(at.as_ms())))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    const PACE: Pace = Pace {
        least_ms: 1_000,
        times: 0,
        stale_ms: 0,
    };
    const LONG: Duration = Duration::from_secs(60);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    async fn get(cached: &Cached<u32>, ms: i64, value: Option<u32>) -> Option<u32> {
        let gather = move || async move { value };
        cached
            .get(at(ms), PACE, LONG, gather)
            .await
            .map(|value| *value)
    }

    #[tokio::test]
    async fn what_is_good_enough_is_not_gathered_again() {
        let cached = Cached::default();
        assert_eq!(get(&cached, 5_000, Some(1)).await, Some(1));
        assert_eq!(get(&cached, 5_999, Some(2)).await, Some(1));
        assert_eq!(get(&cached, 6_000, Some(3)).await, Some(3));
        assert_eq!(get(&cached, 5_000, Some(4)).await, Some(4));
        assert_eq!(get(&cached, 6_000, None).await, None);
        assert_eq!(get(&cached, 6_500, Some(5)).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn one_gathers_for_all_and_who_waits_too_long_gets_what_there_was() {
        let cached = Cached::default();
        get(&cached, 0, Some(1)).await;
        let (times, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
        let ask = || {
            let (times, gate) = (times.clone(), gate.clone());
            let gather = move || async move {
                times.fetch_add(1, Ordering::Relaxed);
                gate.acquire().await.ok()?.forget();
                Some(2)
            };
            cached.get(at(2_000), PACE, Duration::from_secs(1), gather)
        };
        let (one, other) = tokio::join!(ask(), ask());
        assert_eq!((one.as_deref(), other.as_deref()), (Some(&1), Some(&1)));
        gate.add_permits(1);
        assert_eq!(ask().await.as_deref(), Some(&2));
        assert_eq!(times.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_too_old_is_given_to_who_would_have_to_wait() {
        let cached = Cached::default();
        get(&cached, 0, Some(1)).await;
        let pace = Pace {
            stale_ms: 5_000,
            ..PACE
        };
        let began = Instant::now();
        let slow = || async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            Some(2)
        };
        let given = cached.get(at(4_999), pace, LONG, slow).await;
        assert_eq!((given.as_deref(), began.elapsed()), (Some(&1), MOMENT));
        let given = cached.get(at(5_000), pace, LONG, slow).await;
        assert_eq!(given.as_deref(), Some(&2));
    }

    #[tokio::test]
    async fn who_breaks_off_keeps_nobody_from_gathering() {
        let cached = Cached::default();
        let broken = cached.get(at(0), PACE, LONG, || async { panic!("on purpose") });
        assert_eq!(broken.await, None::<Arc<u32>>);
        assert_eq!(get(&cached, 0, Some(1)).await, Some(1));
    }
}
