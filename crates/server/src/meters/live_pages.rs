//! Pages of the dashboard that are kept up to date: counted, and bounded.

use std::sync::atomic::{AtomicUsize, Ordering};

/// So many are kept up to date at once.
pub const MOST: usize = 200;

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct LivePage(());

impl LivePage {
    /// One more; none where there are as many as may be.
    pub fn open() -> Option<Self> {
        if OPEN.fetch_add(1, Ordering::Relaxed) >= MOST {
            OPEN.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(()))
    }
}

impl Drop for LivePage {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many there are now.
pub fn now() -> usize {
    OPEN.load(Ordering::Relaxed)
}
