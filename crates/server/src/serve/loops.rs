//! Event loops: threads that keep their connections for themselves.
//!
//! A connection stays on one thread from its first request to its last: nothing of it is ever woken, stolen or locked
//! from elsewhere, which is most of what a call would cost otherwise. There are half as many loops as cores, because the
//! rest of the machine has its work, too: history, pages for people, and on many machines the dialer itself.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The loops. What still runs on them ends when they are dropped.
#[derive(Debug)]
pub(super) struct EventLoops {
    loops: Vec<Handle>,
    next: AtomicUsize,
    /// Nobody waits for the threads: one that stands in the disk would hold up the end of the process.
    _stop: DropGuard,
}

impl EventLoops {
    /// Starts as many as are good for this machine, one at least.
    ///
    /// # Errors
    /// The system gives no thread or no files.
    pub(super) fn start() -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let stop = CancellationToken::new();
        let count = (cores / 2).max(1);
        let loops = (1..=count)
            .map(|number| start(number, stop.clone()))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            loops,
            next: AtomicUsize::new(0),
            _stop: stop.drop_guard(),
        })
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Handle] {
        &self.loops
    }

    /// The loop for the next connection: each in turn.
    pub(super) fn next(&self) -> &Handle {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        &self.loops[turn % self.loops.len()]
    }
}

fn start(number: usize, stop: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name(format!("loop-{number}"))
        .spawn(move || runtime.block_on(stop.cancelled()))?;
    Ok(handle)
}
