//! A few connections of one kind, lent to blocking work one at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caller_id_core::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use super::calls::{Calls, Manner};
use crate::background::{Aside, step_back};

/// Connections of one kind: at most so many work at once, and whoever has to wait too long for one is told so.
pub(super) struct Lane<T> {
    inner: Arc<Inner<T>>,
    permits: Arc<Semaphore>,
    wait: Duration,
}

struct Inner<T> {
    idle: Mutex<Vec<T>>,
    connect: Box<dyn Fn() -> Result<T, StoreError> + Send + Sync>,
    name: fn(&T, StoreError) -> StoreError,
}

impl<T: Send + 'static> Lane<T> {
    /// A lane of `most` connections, made by `connect` when they are first needed. `name` says in errors of the work
    /// which file they are about.
    pub(super) fn new(
        most: usize,
        wait: Duration,
        connect: impl Fn() -> Result<T, StoreError> + Send + Sync + 'static,
        name: fn(&T, StoreError) -> StoreError,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                idle: Mutex::new(Vec::new()),
                connect: Box::new(connect),
                name,
            }),
            permits: Arc::new(Semaphore::new(most)),
            wait,
        }
    }

    /// Does `work` with a connection on a thread that may block.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut T) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let permit = self.permit().await?;
        self.run_with(permit, work).await
    }

    /// The same for work that can wait and takes long: while calls are made, on a thread of its own that makes way for
    /// them. Calls must not need what the work holds.
    pub(super) async fn run_aside<R: Send + 'static>(
        &self,
        calls: &Calls,
        work: impl FnOnce(&mut T) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let permit = self.permit().await?;
        let manner = calls.manner();
        if manner == Manner::Freely {
            return self.run_with(permit, work).await;
        }
        let began = Instant::now();
        let result = self.run_apart(permit, manner, work).await;
        calls.note_work(began.elapsed());
        result
    }

    /// Does `work` on a thread that does nothing else: one that stepped back or aside is of no use to others.
    async fn run_apart<R: Send + 'static>(
        &self,
        permit: OwnedSemaphorePermit,
        manner: Manner,
        work: impl FnOnce(&mut T) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let inner = Arc::clone(&self.inner);
        let aside = Arc::new(Aside::default());
        let stepping = Arc::clone(&aside);
        let (reply, done) = oneshot::channel();
        let (at_it, ended) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("aside".to_owned());
        let started = thread.spawn(move || {
            let work = || inner.lend(permit, work);
            let result = match manner {
                Manner::Aside(_) => stepping.work(work),
                Manner::Back => {
                    step_back();
                    work()
                }
                Manner::Freely => work(),
            };
            drop(at_it);
            // A caller that is gone needs no answer.
            let _ = reply.send(result);
        });
        started.map_err(|cause| StoreError::Failed(cause.into()))?;
        if let Manner::Aside(patience) = manner {
            // In a task of its own: the caller may be gone, and what the work holds is held all the same.
            tokio::spawn(async move {
                if tokio::time::timeout(patience, ended).await.is_err()
                    && let Err(error) = aside.call_back()
                {
                    tracing::warn!(%error, "work stays aside");
                }
            });
        }
        let lost = |_| Err(StoreError::Failed("the work broke off".into()));
        done.await.unwrap_or_else(lost)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        tokio::time::timeout(self.wait, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| StoreError::Busy("too many wait for a connection".into()))?
            .map_err(|_| StoreError::Closed)
    }

    async fn run_with<R: Send + 'static>(
        &self,
        permit: OwnedSemaphorePermit,
        work: impl FnOnce(&mut T) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || inner.lend(permit, work));
        done.await
            .unwrap_or_else(|lost| Err(StoreError::Failed(lost.into())))
    }

    /// Refuses further work and closes what is idle.
    pub(super) fn close(&self) {
        self.permits.close();
        self.inner
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl<T> Inner<T> {
    /// Does `work` with a connection. The permit is held until that is given back: a caller that stops waiting does not
    /// let one more in.
    fn lend<R>(
        &self,
        permit: OwnedSemaphorePermit,
        work: impl FnOnce(&mut T) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let mut connection = self.take()?;
        let result = work(&mut connection).map_err(|error| (self.name)(&connection, error));
        self.give_back(connection);
        drop(permit);
        result
    }

    fn take(&self) -> Result<T, StoreError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.map_or_else(|| (self.connect)(), Ok)
    }

    fn give_back(&self, connection: T) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::background::may_come_back;
    use crate::background::tests::{IDLE, USUAL, planned};

    const DEADLINE: Duration = Duration::from_secs(60);

    fn lane() -> Lane<u32> {
        Lane::new(1, Duration::from_secs(60), || Ok(7), |_, error| error)
    }

    /// How the thread is planned that work is done on.
    async fn seen(lane: &Lane<u32>, calls: &Calls) -> (i64, i64) {
        lane.run_aside(calls, |_| Ok(planned())).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_can_wait_makes_way_while_calls_are_made_and_only_then() {
        let (lane, calls) = (lane(), Calls::here());
        let freely = planned();
        assert_eq!(seen(&lane, &calls).await, freely);
        calls.note();
        // Aside it starved, so that it steps back now: nobody calls that back, and time goes its own way here.
        calls.note_work(Duration::from_secs(60));
        assert_eq!(seen(&lane, &calls).await, (10, USUAL));
        assert_eq!(lane.run(|_| Ok(planned())).await.unwrap(), freely);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(seen(&lane, &calls).await, freely);
    }

    #[tokio::test]
    async fn work_aside_is_called_back_when_it_takes_too_long() {
        let lane = lane();
        let patient = Manner::Aside(Duration::from_secs(3_600));
        let permit = lane.permit().await.unwrap();
        let seen = lane.run_apart(permit, patient, |_| Ok(planned().1));
        assert_eq!(seen.await.unwrap(), IDLE);
        let impatient = Manner::Aside(Duration::from_millis(1));
        let permit = lane.permit().await.unwrap();
        let until_called = lane.run_apart(permit, impatient, |_| {
            let began = Instant::now();
            while planned().1 == IDLE && began.elapsed() < DEADLINE {
                std::thread::yield_now();
            }
            Ok(planned().1)
        });
        // Without the right to, nobody steps aside in the first place.
        if may_come_back() {
            assert_eq!(until_called.await.unwrap(), USUAL);
        }
    }

    #[tokio::test]
    async fn work_aside_has_the_connection_for_itself_also_when_nobody_waits_for_it_any_more() {
        let (lane, calls) = (lane(), Calls::here());
        let (begun, begin) = oneshot::channel();
        let (go, going) = std::sync::mpsc::channel();
        calls.note();
        let work = lane.run_aside(&calls, move |connection| {
            let _ = begun.send(());
            going.recv().unwrap();
            *connection = 8;
            Ok(())
        });
        tokio::select! {
            biased;
            _ = work => panic!("it waits for what comes below"),
            begun = begin => begun.unwrap(),
        }
        let after = lane.run(|connection| Ok(*connection));
        tokio::pin!(after);
        assert!(futures_now(after.as_mut()).is_none(), "one at a time");
        go.send(()).unwrap();
        assert_eq!(after.await.unwrap(), 8);
    }

    #[tokio::test]
    async fn work_aside_that_panics_is_an_error_and_lets_the_next_in() {
        let (lane, calls) = (lane(), Calls::here());
        calls.note();
        let broken = lane.run_aside(&calls, |_| -> Result<(), _> { panic!("on purpose") });
        assert!(matches!(broken.await, Err(StoreError::Failed(_))));
        calls.note();
        assert_eq!(lane.run_aside(&calls, |_| Ok(1)).await.unwrap(), 1);
    }

    /// What a future gives when it is asked once.
    fn futures_now<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.poll(&mut context) {
            std::task::Poll::Ready(given) => Some(given),
            std::task::Poll::Pending => None,
        }
    }
}
