//! Pages of the dashboard that are kept up to date: counted. How many there may be is decided where they are made.

use std::sync::atomic::{AtomicUsize, Ordering};

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// One of them, counted until it is dropped.
#[derive(Debug)]
pub struct LivePage(());

impl LivePage {
    /// One more.
    pub fn count() -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Self(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_counts_until_it_is_gone() {
        let before = now();
        let (one, other) = (LivePage::count(), LivePage::count());
        assert_eq!(now(), before + 2);
        drop(one);
        assert_eq!(now(), before + 1);
        drop(other);
        assert_eq!(now(), before);
    }
}
