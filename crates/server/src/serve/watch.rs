//! Signs of life for whoever runs the service: only while everything that answers calls really does its work.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::supervisor::Supervisor;

/// Gives signs of life for as long as all of `places` do some work within the time of one sign. One that stands still, in a
/// lock that nobody gives back say, gets none: then the process is ended and started again, as nothing else would help.
///
/// A database or a Redis that is away is no reason: a new process would find it away, too.
pub(super) async fn watch(supervisor: &Supervisor, places: &[Handle]) -> Infallible {
    let Some(beat) = supervisor.beat() else {
        return pending().await;
    };
    let mut beats = interval(beat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        if all_work(places, beat).await {
            supervisor.lives();
        } else {
            tracing::error!("an event loop stands still: no sign of life is given");
        }
    }
}

async fn all_work(places: &[Handle], within: Duration) -> bool {
    let works: Vec<_> = places.iter().map(|place| place.spawn(async {})).collect();
    let all = async {
        for work in works {
            if work.await.is_err() {
                return false;
            }
        }
        true
    };
    timeout(within, all).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn a_loop_that_stands_still_is_noticed_and_one_that_goes_on_again_too() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let places = [Handle::current(), runtime.handle().clone()];
        let (short, long) = (Duration::from_millis(50), Duration::from_secs(30));
        assert!(all_work(&places, long).await);
        let (go, gone) = mpsc::channel::<()>();
        let (stands, standing) = mpsc::channel::<()>();
        runtime.spawn(async move {
            let _ = stands.send(());
            let _ = gone.recv();
        });
        standing.recv().unwrap();
        assert!(!all_work(&places, short).await);
        drop(go);
        assert!(all_work(&places, long).await);
        runtime.shutdown_background();
    }
}
