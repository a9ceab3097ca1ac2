//! The timer of a connection, used again for each of its waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A deadline for one request after the other.
///
/// A fresh timer for each request would have to be told to the event loop, which costs a system call; one that is only
/// set forward does not.
#[derive(Debug, Clone, Default)]
pub struct Timer(Arc<Mutex<Option<Pin<Box<Sleep>>>>>);

impl Timer {
    /// Waits for `work` as long as `limit`; none when it is not done then.
    pub async fn within<F: Future + Unpin>(
        &self,
        limit: Duration,
        work: &mut F,
    ) -> Option<F::Output> {
        self.until(Instant::now() + limit, work).await
    }

    /// Waits for `work` until `deadline`; none when it is not done then.
    pub async fn until<F: Future + Unpin>(
        &self,
        deadline: Instant,
        work: &mut F,
    ) -> Option<F::Output> {
        let mut timer = match self.slot().take() {
            Some(mut timer) => {
                timer.as_mut().reset(deadline);
                timer
            }
            None => Box::pin(sleep_until(deadline)),
        };
        let done = tokio::select! {
            biased;
            done = work => Some(done),
            () = timer.as_mut() => None,
        };
        *self.slot() = Some(timer);
        done
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Pin<Box<Sleep>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_request_has_the_whole_time() {
        let timer = Timer::default();
        let limit = Duration::from_millis(100);
        for _ in 0..3 {
            let mut work = Box::pin(tokio::time::sleep(Duration::from_millis(99)));
            assert_eq!(timer.within(limit, &mut work).await, Some(()));
        }
        let mut work = Box::pin(tokio::time::sleep(Duration::from_millis(101)));
        assert_eq!(timer.within(limit, &mut work).await, None);
    }
}
