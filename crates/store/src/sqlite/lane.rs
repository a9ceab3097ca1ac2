//! A few connections of one kind, lent to blocking work one at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caller_id_core::StoreError;
use tokio::sync::Semaphore;

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
        let permit = tokio::time::timeout(self.wait, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| StoreError::Busy("too many wait for a connection".into()))?
            .map_err(|_| StoreError::Closed)?;
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || {
            let mut connection = inner.take()?;
            let result = work(&mut connection).map_err(|error| (inner.name)(&connection, error));
            inner.give_back(connection);
            // Held until here: a caller that stops waiting does not let one more in.
            drop(permit);
            result
        });
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
