//! Leaders whose event loop ends before they have done their work.

use std::time::Duration;

use caller_id_core::{Allocator, AllocatorError, CallEnd, ReleaseTarget};
use caller_id_testkit::builders::{brisk_policy, call, request};
use tokio::runtime::{Builder, Runtime};

use super::rig::{Rig, far, futures_poll, rig};

fn event_loop() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("an event loop")
}

/// What a release of a call that nobody knows is answered: it waits for whatever is not committed yet.
async fn release_unknown(rig: &Rig) -> Result<(), AllocatorError> {
    let target = ReleaseTarget::Call(call("unknown"));
    let released = rig.engine.release(&target, CallEnd::Answer);
    let released = tokio::time::timeout(Duration::from_secs(10), released).await;
    released.expect("it does not wait for ever").map(drop)
}

#[test]
fn a_leader_whose_event_loop_ends_before_it_begins_leaves_nobody_waiting() {
    let (first, second) = (event_loop(), event_loop());
    let rig = first.block_on(rig(3, brisk_policy()));
    first.block_on(async {
        let asked = request(far(), "", "");
        let mut asking = std::pin::pin!(rig.ask(&asked));
        assert!(futures_poll(asking.as_mut()).await.is_pending());
    });
    drop(first);
    let refused = second.block_on(release_unknown(&rig));
    assert!(
        matches!(refused, Err(AllocatorError::Stopped)),
        "{refused:?}"
    );
}

#[test]
fn those_who_wait_for_a_party_are_woken_though_its_leader_never_wakes() {
    let (first, second) = (event_loop(), event_loop());
    let rig = first.block_on(rig(3, brisk_policy()));
    // The first to ask leads, on a loop that stands still then.
    first.block_on(async {
        let asked = request(far(), "", "1");
        let mut asking = std::pin::pin!(rig.ask(&asked));
        assert!(futures_poll(asking.as_mut()).await.is_pending());
    });
    std::thread::scope(|scope| {
        // Another thread waits for that party, and leads one that commits for both.
        let others = scope.spawn(|| {
            second.block_on(async {
                let mut waiting = std::pin::pin!(release_unknown(&rig));
                assert!(futures_poll(waiting.as_mut()).await.is_pending());
                let committed = rig.ask(&request(far(), "", "2")).await;
                committed.expect("committed by the second leader");
                waiting.await
            })
        });
        while rig.history.history().len() < 2 {
            std::thread::yield_now();
        }
        drop(first);
        let answered = others.join().expect("no panic");
        answered.expect("what it waited for is committed");
    });
}
