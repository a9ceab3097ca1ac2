//! Until when a service that was told to stop has to have ended.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

/// Until when the service has to have ended; nobody knows before it is told to stop.
#[derive(Debug, Clone, Default)]
pub struct Deadline(Arc<OnceLock<Instant>>);

impl Deadline {
    /// Says it. What is said first counts.
    pub fn set(&self, until: Instant) {
        self.0.get_or_init(|| until);
    }

    /// Half of what is left of the time, and `most` at most: the other half is for what comes after.
    pub fn half(&self, most: Duration) -> Duration {
        let left = self
            .0
            .get()
            .map(|until| until.duration_since(Instant::now()));
        left.map_or(most, |left| most.min(left / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn half_of_what_is_left_is_given_away() {
        let deadline = Deadline::default();
        let (long, short) = (Duration::from_secs(60), Duration::from_secs(2));
        assert_eq!(deadline.half(long), long);
        deadline.set(Instant::now() + Duration::from_secs(10));
        deadline.set(Instant::now() + Duration::from_secs(100));
        assert_eq!(deadline.half(long), Duration::from_secs(5));
        assert_eq!(deadline.half(short), short);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(deadline.half(short), Duration::from_millis(500));
        tokio::time::advance(long).await;
        assert_eq!(deadline.half(short), Duration::ZERO);
    }
}
