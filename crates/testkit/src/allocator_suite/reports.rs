//! How calls went: kept with their allocations, whether these live or are over.

use caller_id_core::{
    AllocationId, AllocatorError, CallEnd, CallReport, PastAllocation, PhoneNumber, ReleaseTarget,
    Reported, Timestamp,
};

use super::{EngineFactory, EngineUnderTest};
use crate::builders::{START, brisk_policy, call, engine_number, number};

const ANSWERED: CallReport = CallReport {
    status: CallEnd::Answer,
    answered_seconds: Some(42),
    dialed_seconds: Some(60),
    hangup_cause: Some(16),
    sip_code: Some(200),
};

fn far() -> PhoneNumber {
    number(808, 99)
}

async fn stocked(engine: &EngineUnderTest) {
    engine.policy(brisk_policy()).await;
    engine
        .put((0..3).map(|line| engine_number(number(312, line))))
        .await;
}

async fn report(engine: &EngineUnderTest, target: &ReleaseTarget, report: CallReport) -> Reported {
    let reported: Result<_, AllocatorError> = engine.allocator.report(target, &report).await;
    reported.expect("the engine answers")
}

async fn past(engine: &EngineUnderTest, id: AllocationId) -> PastAllocation {
    let page = engine.history.allocations_page(id, 1).await;
    let past = page.expect("history is read").pop();
    past.expect("it is in history")
}

/// In one step: the number is free, and history has the end and the result of one instant.
pub async fn a_report_frees_the_number_and_is_kept(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    stocked(engine).await;
    let by_call = engine.next_for_call(far(), "c").await.record.id;
    let by_id = engine.next(far()).await.record.id;
    engine.clock.advance_ms(1_000);
    for (target, id) in [
        (ReleaseTarget::Call(call("c")), by_call),
        (ReleaseTarget::Reservation(by_id), by_id),
    ] {
        let released = true;
        assert_eq!(
            report(engine, &target, ANSWERED).await,
            Reported::Kept { id, released }
        );
        let past = past(engine, id).await;
        let ended = past.ended.expect("it ended");
        assert_eq!((ended.at, ended.end), (at(1_000), CallEnd::Answer));
        let result = past.result.expect("it was reported");
        assert_eq!((result.at, result.report), (at(1_000), ANSWERED));
        let number = past.record.number;
        let state = engine.allocator.number_state(number).await;
        let state = state.expect("the engine answers").expect("it is there");
        assert_eq!((state.uses_today, state.reservations), (1, 0));
    }
    assert!(!engine.release("c").await, "it is over");
}

/// A call may outlive its reservation by far: what it says is kept all the same, and ends nothing that others hold since.
pub async fn a_report_after_the_reservation_is_kept_and_frees_nothing(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    engine.put([engine_number(number(312, 1))]).await;
    let id = engine.next(far()).await.record.id;
    engine.clock.advance_ms(1_200_000);
    let other = engine.next(far()).await.record.id;
    let target = ReleaseTarget::Reservation(id);
    let released = false;
    assert_eq!(
        report(engine, &target, ANSWERED).await,
        Reported::Kept { id, released }
    );
    let late = past(engine, id).await;
    assert_eq!(late.ended, None);
    assert_eq!(late.result.map(|result| result.report), Some(ANSWERED));
    assert_eq!(past(engine, other).await.result, None);
    let state = engine.allocator.number_state(number(312, 1)).await;
    let state = state.expect("the engine answers").expect("it is there");
    assert_eq!((state.uses_today, state.reservations), (2, 1));
}

/// Twice is no error, and the first counts; a release that said nothing leaves the status to it.
pub async fn the_first_report_counts_and_completes_a_release(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    stocked(engine).await;
    let id = engine.next_for_call(far(), "c").await.record.id;
    let target = ReleaseTarget::Call(call("c"));
    let silent = engine.allocator.release(&target, CallEnd::Released).await;
    assert!(silent.expect("the engine answers").is_some());
    let busy = CallReport {
        status: CallEnd::Busy,
        ..CallReport::default()
    };
    for said in [busy, ANSWERED] {
        let released = false;
        assert_eq!(
            report(engine, &target, said).await,
            Reported::Kept { id, released }
        );
    }
    let past = past(engine, id).await;
    assert_eq!(past.status(), CallEnd::Busy);
    assert_eq!(past.result.map(|result| result.report), Some(busy));
}

/// No error, and nothing is written.
pub async fn a_report_of_an_unknown_call_is_told_so(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    stocked(engine).await;
    engine.next(far()).await;
    for target in [
        ReleaseTarget::Call(call("nobody")),
        ReleaseTarget::Reservation(AllocationId::of(number(773, 1), START, 1)),
        ReleaseTarget::Reservation(AllocationId::from_bytes([0; 16])),
    ] {
        assert_eq!(report(engine, &target, ANSWERED).await, Reported::Unknown);
    }
}

fn at(ms: i64) -> Timestamp {
    START.plus_ms(ms)
}
