//! Allocations and ends as tests need them.

use caller_id_core::{
    AllocationId, AllocationRecord, CallEnd, CallReport, CallResult, EndRecord, JournalEvent,
    PhoneNumber, Rung, Timestamp,
};

use crate::builders::{START, agent, call, campaign_id, number, pool};

/// The allocation of `number` made `ms` after the start of the test; `n` tells those of one millisecond apart.
pub fn record(ms: i64, n: u64, number: PhoneNumber) -> AllocationRecord {
    let at = START.plus_ms(ms);
    AllocationRecord {
        // The random bits that sort first get `n`, so that ids sort by it.
        id: AllocationId::new(at, u128::from(n.to_be())),
        at,
        number,
        destination: destination(n),
        campaign: None,
        agent: None,
        call_id: None,
        pool: pool("default"),
        rung: Rung::Any,
        reserved_until: at.plus_ms(300_000),
    }
}

/// The same with every field filled.
pub fn full_record(ms: i64, n: u64, number: PhoneNumber) -> AllocationRecord {
    AllocationRecord {
        campaign: Some(campaign_id("SOLAR é \"1\"")),
        agent: Some(agent(&format!("agent{}", n % 7))),
        call_id: Some(call(&format!("V1122{n:015}"))),
        pool: pool("solar"),
        rung: [
            Rung::Sticky,
            Rung::AreaCode,
            Rung::Overlay,
            Rung::Region,
            Rung::Any,
        ][n as usize % 5],
        ..record(ms, n, number)
    }
}

/// Somebody to call.
pub fn destination(n: u64) -> PhoneNumber {
    number(415, n % 10_000)
}

/// One of the numbers that tests allocate.
pub fn own(n: u64) -> PhoneNumber {
    number(312, n)
}

/// The event of an allocation.
pub fn allocated(record: &AllocationRecord) -> JournalEvent {
    JournalEvent::Allocated(record.clone().into())
}

/// The event of its end, `ms` after the start of the test.
pub fn ended(record: &AllocationRecord, ms: i64, end: CallEnd) -> JournalEvent {
    JournalEvent::Ended(end_record(record, ms, end))
}

/// The event that somebody says, `ms` after the start of the test, how its call went.
pub fn reported(record: &AllocationRecord, ms: i64, report: CallReport) -> JournalEvent {
    JournalEvent::Reported(result_record(record, ms, report))
}

/// How its call went, as it was said `ms` after the start of the test.
pub fn result_record(record: &AllocationRecord, ms: i64, report: CallReport) -> CallResult {
    CallResult {
        id: record.id,
        at: at(ms),
        report,
    }
}

/// A report with everything in it.
pub fn full_report(status: CallEnd) -> CallReport {
    CallReport {
        status,
        answered_seconds: Some(42),
        dialed_seconds: Some(60),
        hangup_cause: Some(16),
        sip_code: Some(200),
    }
}

/// Its end, `ms` after the start of the test.
pub fn end_record(record: &AllocationRecord, ms: i64, end: CallEnd) -> EndRecord {
    EndRecord {
        id: record.id,
        at: at(ms),
        end,
    }
}

/// The instant `ms` after the start of the test.
pub fn at(ms: i64) -> Timestamp {
    START.plus_ms(ms)
}
