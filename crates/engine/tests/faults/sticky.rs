//! What a commit that fails leaves of who was shown what.

use caller_id_core::{AllocationRecord, CallEnd, Outcome, Policy, ReleaseTarget, Rung};
use caller_id_core::{Allocator, PhoneNumber};
use caller_id_testkit::builders::{brisk_policy, call, number, request};

use crate::rig::{Rig, far, rig};

fn sticky_policy() -> Policy {
    Policy {
        sticky_ms: 1_000_000,
        ..brisk_policy()
    }
}

async fn taken(rig: &Rig, destination: PhoneNumber, name: &str) -> AllocationRecord {
    match rig.ask(&request(destination, "", name)).await {
        Ok(Outcome::Allocated(allocation)) => AllocationRecord::clone(&allocation.record),
        other => panic!("expected a number, got {other:?}"),
    }
}

async fn fails(rig: &Rig, destination: PhoneNumber, name: &str) {
    rig.history.fail_every(Some(1));
    let lost = rig.ask(&request(destination, "", name)).await;
    assert!(lost.is_err(), "{lost:?}");
    rig.history.fail_every(None);
}

async fn release(rig: &Rig, name: &str) {
    let target = ReleaseTarget::Call(call(name));
    let ended = rig.engine.release(&target, CallEnd::Answer).await;
    assert!(ended.expect("the journal takes it").is_some());
}

#[tokio::test]
async fn a_destination_that_was_shown_nothing_in_the_end_knows_no_number() {
    let rig = rig(3, sticky_policy()).await;
    fails(&rig, far(), "lost").await;
    let other = taken(&rig, number(808, 2), "other").await;
    assert_eq!(other.number, number(312, 0));
    release(&rig, "other").await;
    let first = taken(&rig, far(), "first").await;
    assert_eq!((first.number, first.rung), (number(312, 1), Rung::Any));
}

#[tokio::test]
async fn a_destination_still_knows_the_number_it_was_shown_before() {
    let rig = rig(3, sticky_policy()).await;
    let shown = taken(&rig, far(), "shown").await;
    fails(&rig, far(), "lost").await;
    release(&rig, "shown").await;
    let again = taken(&rig, far(), "again").await;
    assert_eq!((again.number, again.rung), (shown.number, Rung::Sticky));
}
