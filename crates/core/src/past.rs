//! One allocation out of history: what was allocated, how its reservation ended, how the call went.

use async_trait::async_trait;

use crate::ids::{AllocationId, CallId};
use crate::journal::{AllocationRecord, CallEnd, CallResult, EndRecord};
use crate::number::PhoneNumber;
use crate::store::StoreError;

/// One allocation out of history, with all that is known of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAllocation {
    /// What was allocated.
    pub record: AllocationRecord,
    /// How it ended, when that was before its reservation ran out.
    pub ended: Option<EndRecord>,
    /// How the call went, when somebody said so. Where it ended as well, both have one status: [`PastAllocation::status`].
    pub result: Option<CallResult>,
}

impl PastAllocation {
    /// An allocation of whose end nothing is known.
    pub const fn new(record: AllocationRecord) -> Self {
        Self {
            record,
            ended: None,
            result: None,
        }
    }

    /// How the call ended: the first that was said. [`CallEnd::Released`] when nobody said anything.
    pub fn status(&self) -> CallEnd {
        let ended = self.ended.map(|end| end.end);
        let said = self.result.map(|result| result.report.status);
        ended.or(said).unwrap_or_default()
    }

    /// Learns of an end. The first one counts.
    pub fn end(&mut self, end: EndRecord) {
        if self.ended.is_none() {
            let status = self.status().or(end.end);
            self.ended = Some(end);
            self.set_status(status);
        }
    }

    /// Learns how the call went. The first report counts; its status where none was said before.
    pub fn report(&mut self, result: CallResult) {
        if self.result.is_none() {
            let status = self.status().or(result.report.status);
            self.result = Some(result);
            self.set_status(status);
        }
    }

    const fn set_status(&mut self, status: CallEnd) {
        if let Some(end) = &mut self.ended {
            end.end = status;
        }
        if let Some(result) = &mut self.result {
            result.report.status = status;
        }
    }
}

/// By what a call is looked for in history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// The dialer's id of it.
    Call(CallId),
    /// What it showed, and to whom.
    Shown {
        /// The number presented.
        number: PhoneNumber,
        /// The called party.
        destination: PhoneNumber,
    },
}

impl Sought {
    /// Whether this is the allocation of such a call.
    pub fn is(&self, record: &AllocationRecord) -> bool {
        match self {
            Self::Call(call) => record.call_id.as_ref() == Some(call),
            Self::Shown {
                number,
                destination,
            } => record.number == *number && record.destination == *destination,
        }
    }
}

/// Looks for calls that the engine knows no more.
///
/// What implementers hold: an allocation that was acknowledged a moment ago is found, as long as the store is not far behind.
#[async_trait]
pub trait CallFinder: Send + Sync {
    /// The latest allocation of such a call in the last 24 hours.
    ///
    /// # Errors
    /// [`StoreError`] when history cannot be read.
    async fn find(&self, sought: &Sought) -> Result<Option<AllocationId>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call_report::CallReport;
    use crate::ids::PoolId;
    use crate::ladder::Rung;
    use crate::time::Timestamp;

    const AT: Timestamp = Timestamp::from_ms(1_795_359_600_000);

    fn past() -> PastAllocation {
        let number = PhoneNumber::from_e164_digits(13_125_550_100).expect("a number");
        PastAllocation::new(AllocationRecord {
            id: AllocationId::of(number, AT, 0),
            at: AT,
            number,
            destination: number,
            campaign: None,
            agent: None,
            call_id: None,
            pool: PoolId::default(),
            rung: Rung::Any,
            reserved_until: AT,
        })
    }

    fn end(past: &PastAllocation, end: CallEnd) -> EndRecord {
        EndRecord {
            id: past.record.id,
            at: AT,
            end,
        }
    }

    fn result(past: &PastAllocation, status: CallEnd) -> CallResult {
        let report = CallReport {
            status,
            ..CallReport::default()
        };
        CallResult {
            id: past.record.id,
            at: AT,
            report,
        }
    }

    #[test]
    fn the_first_status_that_says_something_is_the_calls() {
        use CallEnd::{Answer, Busy, Released};
        for (ended, said, status) in [
            (Busy, Answer, Busy),
            (Released, Answer, Answer),
            (Busy, Released, Busy),
            (Released, Released, Released),
        ] {
            let mut past = past();
            past.end(end(&past, ended));
            past.report(result(&past, said));
            assert_eq!(past.status(), status);
            assert_eq!(past.ended.map(|end| end.end), Some(status));
            assert_eq!(past.result.map(|said| said.report.status), Some(status));
        }
    }

    #[test]
    fn a_second_report_changes_nothing() {
        let mut past = past();
        past.report(result(&past, CallEnd::Released));
        let before = past.clone();
        past.report(result(&past, CallEnd::Answer));
        assert_eq!(past, before);
    }
}
