//! Where the services are now, and what is seen from outside while dialers ask.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use caller_id_core::{Clock, SystemClock, Timestamp};

use super::seen::SERVICES;
use crate::stopwatch::Stopwatch;

/// How often something is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The addresses of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doors {
    pub(super) http: SocketAddr,
    pub(super) agi: SocketAddr,
}

/// What all who take part share.
pub(super) struct Field {
    doors: Mutex<[Option<Doors>; SERVICES]>,
    clock: SystemClock,
    watch: Stopwatch,
    over: AtomicBool,
    /// So many numbers were handed out by each.
    handed: [AtomicUsize; SERVICES],
    /// So many calls each could give nothing.
    unavailable: [AtomicUsize; SERVICES],
}

impl Field {
    pub(super) fn new() -> Self {
        Self {
            doors: Mutex::default(),
            clock: SystemClock::new(),
            watch: Stopwatch::start(),
            over: AtomicBool::new(false),
            handed: Default::default(),
            unavailable: Default::default(),
        }
    }

    pub(super) fn now_at(&self, service: usize, doors: Option<Doors>) {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)[service] = doors;
    }

    pub(super) fn doors(&self, service: usize) -> Option<Doors> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)[service]
    }

    /// By the dialers' one clock.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Seconds since the beginning.
    pub(super) fn seconds(&self) -> f64 {
        self.watch.seconds()
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Whoever puts load on the services is to end, or may begin.
    pub(super) fn set_over(&self, over: bool) {
        self.over.store(over, Ordering::Relaxed);
    }

    pub(super) fn count_handed(&self, service: usize) {
        self.handed[service].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn handed(&self, service: usize) -> usize {
        self.handed[service].load(Ordering::Relaxed)
    }

    pub(super) fn count_unavailable(&self, service: usize) {
        self.unavailable[service].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unavailable(&self, service: usize) -> usize {
        self.unavailable[service].load(Ordering::Relaxed)
    }

    /// Waits until it is so, at most so many seconds; tells how many it took.
    pub(super) fn wait(&self, most_seconds: f64, mut so: impl FnMut() -> bool) -> Option<f64> {
        let begun = self.seconds();
        loop {
            if so() {
                return Some(self.seconds() - begun);
            }
            if self.seconds() - begun > most_seconds {
                return None;
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits until then.
    pub(super) fn wait_until(&self, seconds: f64) {
        let left = seconds - self.seconds();
        if left > 0.0 {
            thread::sleep(Duration::from_secs_f64(left));
        }
    }
}
