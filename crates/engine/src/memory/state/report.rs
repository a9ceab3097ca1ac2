//! How a call went: kept with its allocation, whether its reservation lives or is over.

use caller_id_core::{CallReport, CallResult, JournalEvent, ReleaseTarget, Reported, Timestamp};

use super::super::commit::Change;
use super::super::undo::Done;
use super::{Decision, State};

impl State {
    /// Keeps how a call went, and ends its reservation if that lives: both in one commit.
    pub fn report(
        &mut self,
        target: &ReleaseTarget,
        report: &CallReport,
        now: Timestamp,
    ) -> Decision<Reported> {
        let now = self.advance(now);
        let Some((id, slot)) = self.find(target) else {
            return Decision::nothing_changed(Reported::Unknown);
        };
        let result = CallResult {
            id,
            at: now,
            report: *report,
        };
        let kept = |released| Reported::Kept { id, released };
        let Some((ended, undo)) = self.end(id, slot, report.status) else {
            let stands = self.numbers.get(slot).available_at;
            let undo = self.undo_of(slot, stands, Done::Nothing);
            return self.changed(kept(false), JournalEvent::Reported(result), undo);
        };
        let mut decision = self.changed(kept(true), JournalEvent::Ended(ended), undo);
        decision.change = decision.change.map(|change| Change {
            result: Some(result),
            ..change
        });
        decision
    }
}
