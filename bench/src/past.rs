//! A past to measure with: calls of some days, spread evenly over them.

use std::sync::Arc;

use caller_id_core::{
    AgentId, AllocationId, AllocationRecord, CallEnd, CallId, CampaignId, EndRecord, HistoryStore,
    Journal, JournalEvent, PhoneNumber, PoolId, Rung, Timestamp,
};

const BATCH: u64 = 4_096;
/// One call in so many is of the rare campaign.
const RARE: u64 = 100_000;

/// Calls that were made.
pub(crate) struct Past<'a> {
    /// Each in turn.
    pub(crate) numbers: &'a [PhoneNumber],
    /// The last is about to be made.
    pub(crate) now: Timestamp,
    /// The time that they were made in, in milliseconds.
    pub(crate) span_ms: i64,
    pub(crate) allocations: u64,
    /// Out of which pool each was.
    pub(crate) pool: fn(u64) -> String,
}

impl Past<'_> {
    /// Writes them in their order; every second one has ended.
    pub(crate) async fn write<S: HistoryStore + Journal>(&self, store: &S) -> anyhow::Result<()> {
        for first in (0..self.allocations).step_by(BATCH as usize) {
            let mut events = Vec::new();
            for place in first..(first + BATCH).min(self.allocations) {
                let record = self.record(place)?;
                let (id, at) = (record.id, record.at.plus_ms(30_000));
                events.push(JournalEvent::Allocated(Arc::new(record)));
                if place % 2 == 0 {
                    let end = CallEnd::ALL[place as usize / 2 % CallEnd::ALL.len()];
                    events.push(JournalEvent::Ended(EndRecord { id, at, end }));
                }
            }
            store.commit(events).await?;
            // Whoever writes as fast as this runs into the bound on what is not moved yet.
            if store.backlog() > 500_000 {
                store.settle().await?;
            }
        }
        store.settle().await?;
        Ok(())
    }

    fn record(&self, place: u64) -> anyhow::Result<AllocationRecord> {
        let step_ms = self.span_ms / self.allocations as i64;
        let at = (self.now).plus_ms((place as i64 - self.allocations as i64) * step_ms);
        let number = self.numbers[place as usize % self.numbers.len()];
        Ok(AllocationRecord {
            id: AllocationId::of(number, at, place as u32 & 0xff_ffff),
            at,
            number,
            destination: destination(place)?,
            campaign: Some(CampaignId::new(&campaign(place))?),
            agent: Some(AgentId::new(&format!("{}", 1_000 + place % 500))?),
            call_id: Some(CallId::new(&format!("V1122074740{place:09}"))?),
            pool: PoolId::new(&(self.pool)(place))?,
            rung: Rung::ALL[place as usize % 5],
            reserved_until: at.plus_ms(300_000),
        })
    }
}

/// Whom a call is made to.
pub(crate) fn destination(place: u64) -> anyhow::Result<PhoneNumber> {
    let digits = 12_012_000_000 + place * 7_919_111 % 700 * 10_000_000 + place % 600_000;
    let other = 13_122_000_000 + place % 600_000;
    PhoneNumber::from_e164_digits(digits)
        .or(PhoneNumber::from_e164_digits(other))
        .ok_or_else(|| anyhow::anyhow!("`{digits}` is no number"))
}

fn campaign(place: u64) -> String {
    match place % RARE {
        0 => "RARE".to_owned(),
        n => format!("CAMPAIGN{}", n % 20),
    }
}
