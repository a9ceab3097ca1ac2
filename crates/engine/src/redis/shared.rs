//! A state that may be lost without us: noticed by every script, rebuilt once, by whoever comes first.
//!
//! See `docs/adr/0011-a-shared-state-that-may-be-lost.md`.

use std::sync::PoisonError;

use async_trait::async_trait;
use caller_id_core::shared::{Announcement, Claim, Merge, StateId};
use caller_id_core::store::PastAllocation;
use caller_id_core::{
    AgentLimits, AllocatorError, CampaignId, JournalEvent, SharedAllocator, Standing, Timestamp,
};

use super::error::{Forbidden, Superseded, Unreadable, unavailable};
use super::inspect::probe::once_each;
use super::inventory::unexpected;
use super::reply::{Reply, digits_of, state_id};
use super::step::Arguments;
use super::{CHANGES_AT_ONCE, Engine, REPLAYED_AT_ONCE, RedisAllocator, event};

/// Who rebuilds and is not heard of for so long is replaced.
const CLAIM_MS: u32 = 5_000;
/// For so long an event is known to be counted: nodes that were away for longer bring nothing that still counts in an hour.
const REPLAYED_MS: u32 = 3_600_000;

/// The beginning of an event, which tells it from all others.
const NAME_BYTES: usize = 17;

/// Where replayed events come from.
#[derive(Clone, Copy)]
enum From {
    /// The store.
    History,
    /// A node that acknowledged them: they join the journal, too.
    Node,
}

impl Engine {
    /// The rebuild that this node began and did not end, if any.
    pub(super) fn claim(&self) -> Option<StateId> {
        *self.claim.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_claim(&self, claim: Option<StateId>) {
        *self.claim.lock().unwrap_or_else(PoisonError::into_inner) = claim;
        self.link.be_patient(claim.is_some());
    }

    /// The state is whole: what was claimed before that was known is over, whoever ended it.
    fn forget_claim(&self, claim: Option<StateId>) {
        if claim.is_some() && self.claim() == claim {
            self.set_claim(None);
        }
    }

    fn claimed(&self) -> Result<StateId, AllocatorError> {
        self.claim().ok_or_else(|| unavailable(Superseded))
    }

    /// `None` when this one may not go on.
    async fn ask_claim(
        &self,
        claim: StateId,
        what: &str,
        more: Vec<u8>,
    ) -> Result<Option<Claim>, AllocatorError> {
        let arguments = [
            digits_of(claim),
            CLAIM_MS.to_string().into(),
            what.into(),
            more,
        ];
        let (begun, until, untouched): (i64, i64, i64) =
            self.run(&self.scripts.rebuild, &arguments).await?;
        Ok((begun > 0).then(|| Claim {
            untouched: untouched == 1,
            begun: Timestamp::from_ms(begun),
            known_until: (until > 0).then(|| Timestamp::from_ms(until)),
        }))
    }

    async fn note_counted(&self, past: &[PastAllocation]) -> Result<(), AllocatorError> {
        let to = self.claimed()?;
        for some in past.chunks(REPLAYED_AT_ONCE) {
            let mut arguments: Arguments = vec![digits_of(to), REPLAYED_MS.to_string().into()];
            for past in some {
                arguments.push(name(&event::allocated(&past.record)));
                arguments.extend(past.ended.as_ref().map(event::ended));
                arguments.extend(past.result.as_ref().map(event::reported));
            }
            match Reply::read(self.run(&self.scripts.counted, &arguments).await?)? {
                Reply::Done => {}
                Reply::Superseded => return Err(unavailable(Superseded)),
                other => return Err(unexpected(&other).into()),
            }
        }
        Ok(())
    }

    /// Those of the events that this state lacks. It is asked once where there are none, too: it may be another by now.
    async fn missing(
        &self,
        events: Vec<[Vec<u8>; 3]>,
        state: StateId,
    ) -> Result<Vec<[Vec<u8>; 3]>, AllocatorError> {
        let mut lacking = Vec::new();
        for some in events.chunks(REPLAYED_AT_ONCE) {
            let mut arguments = vec![digits_of(state)];
            arguments.extend(some.iter().map(|[event, ..]| name(event)));
            match Reply::read(self.run(&self.scripts.missing, &arguments).await?)? {
                Reply::Missing(each) if each.len() == some.len() => {
                    let each = some.iter().zip(each);
                    lacking.extend(
                        each.filter(|(_, lacks)| *lacks)
                            .map(|(event, _)| event.clone()),
                    );
                }
                Reply::Superseded => return Err(unavailable(Superseded)),
                other => return Err(unexpected(&other).into()),
            }
        }
        Ok(lacking)
    }

    async fn replay(
        &self,
        events: &[[Vec<u8>; 3]],
        (from, to): (From, StateId),
    ) -> Result<(), AllocatorError> {
        let joins = if matches!(from, From::Node) { "1" } else { "0" };
        let at_once = match from {
            From::History => REPLAYED_AT_ONCE,
            // The state may be whole, and others are served.
            From::Node => CHANGES_AT_ONCE,
        };
        for some in events.chunks(at_once) {
            let mut arguments: Arguments =
                vec![digits_of(to), joins.into(), REPLAYED_MS.to_string().into()];
            arguments.extend(some.iter().flatten().cloned());
            match self.run_with_days(&self.scripts.replay, &arguments).await? {
                Reply::Done => {}
                other => return Err(unexpected(&other).into()),
            }
        }
        Ok(())
    }
}

/// By what an event is known to be counted: its kind, and the id of its allocation.
fn name(event: &[u8]) -> Vec<u8> {
    event.iter().take(NAME_BYTES).copied().collect()
}

fn ended(at: Option<Timestamp>) -> Vec<u8> {
    at.map_or(0, |at| at.as_ms().max(0)).to_string().into()
}

/// Between two allocations of an agent on calls of that campaign, in microseconds; 0 where there is no limit.
fn interval(limits: &AgentLimits, campaign: Option<&CampaignId>) -> Vec<u8> {
    let interval = limits.of(campaign).interval_us();
    interval.unwrap_or(0).to_string().into()
}

/// An event as it is brought; the end of an allocation is an event of its own.
fn brought(event: &JournalEvent, limits: &AgentLimits) -> [Vec<u8>; 3] {
    let (event, interval) = match event {
        JournalEvent::Allocated(record) => (
            event::allocated(record),
            interval(limits, record.campaign.as_ref()),
        ),
        JournalEvent::Ended(end) => (event::ended(end), Vec::new()),
        JournalEvent::Reported(result) => (event::reported(result), Vec::new()),
    };
    [event, ended(None), interval]
}

#[async_trait]
impl SharedAllocator for RedisAllocator {
    async fn standing(&self) -> Result<Standing, AllocatorError> {
        let engine = &self.engine;
        let claim = engine.claim();
        let reply: Vec<::redis::Value> = engine.run(&engine.scripts.standing, &[]).await?;
        let standing = standing(&reply)?;
        if matches!(standing, Standing::Ready(_)) {
            engine.forget_claim(claim);
        }
        Ok(standing)
    }

    async fn probe(&self) -> Result<(), AllocatorError> {
        let engine = &self.engine;
        let forbidden = engine.run(&engine.scripts.writes, &[]).await?;
        match once_each(forbidden) {
            none if none.is_empty() => Ok(()),
            forbidden => Err(unavailable(Forbidden(forbidden.join(", ")))),
        }
    }

    async fn announce(&self, node: &str, text: &str) -> Result<Vec<Announcement>, AllocatorError> {
        self.engine.announce(node, text).await
    }

    async fn loss_met(&self) {
        self.engine.loss_met.notified().await;
    }

    async fn disown(&self, state: StateId) -> Result<bool, AllocatorError> {
        let engine = &self.engine;
        let disowned: i64 = engine
            .run(&engine.scripts.disown, &[digits_of(state)])
            .await?;
        Ok(disowned == 1)
    }

    async fn claim_rebuild(&self) -> Result<Option<Claim>, AllocatorError> {
        let claim = StateId(rand::random());
        let broken_off = self.engine.claim().map(digits_of).unwrap_or_default();
        let taken = self.engine.ask_claim(claim, "begin", broken_off).await?;
        if taken.is_some() {
            self.engine.set_claim(Some(claim));
        }
        Ok(taken)
    }

    async fn keep_claim(&self) -> Result<(), AllocatorError> {
        let claim = self.engine.claimed()?;
        let kept = self.engine.ask_claim(claim, "keep", Vec::new()).await?;
        kept.map(drop).ok_or_else(|| unavailable(Superseded))
    }

    async fn leave_rebuild(&self) -> Result<(), AllocatorError> {
        let Some(claim) = self.engine.claim() else {
            return Ok(());
        };
        self.engine.set_claim(None);
        let left = self.engine.ask_claim(claim, "leave", Vec::new()).await;
        left.map(drop)
    }

    async fn begin_merging(&self, since: Option<Timestamp>) -> Result<Merge, AllocatorError> {
        let state = self.engine.claimed()?;
        let from = since.map(|since| since.as_ms().max(0).to_string().into());
        let kept = self
            .engine
            .ask_claim(state, "merge", from.unwrap_or_default())
            .await?;
        kept.ok_or_else(|| unavailable(Superseded))?;
        Ok(Merge { state, since })
    }

    async fn replay(
        &self,
        past: Vec<PastAllocation>,
        agent_limits: &AgentLimits,
    ) -> Result<(), AllocatorError> {
        let events: Vec<_> = past
            .iter()
            .map(|past| {
                let end = past.ended.map(|end| end.at);
                let interval = interval(agent_limits, past.record.campaign.as_ref());
                [event::allocated(&past.record), ended(end), interval]
            })
            .collect();
        let to = self.engine.claimed()?;
        self.engine.replay(&events, (From::History, to)).await
    }

    async fn note_counted(&self, past: &[PastAllocation]) -> Result<(), AllocatorError> {
        self.engine.note_counted(past).await
    }

    async fn hand_in(
        &self,
        merge: Merge,
        agent_limits: &AgentLimits,
    ) -> Result<usize, AllocatorError> {
        let Some(unknown) = self.engine.acknowledged.unknown_to(merge) else {
            return Ok(0);
        };
        let events = unknown.events.iter();
        let events = events.map(|event| brought(event, agent_limits)).collect();
        let events = self.engine.missing(events, merge.state).await?;
        self.engine
            .replay(&events, (From::Node, merge.state))
            .await?;
        self.engine.acknowledged.brought(&unknown);
        Ok(events.len())
    }

    async fn declare_ready(&self) -> Result<bool, AllocatorError> {
        let engine = &self.engine;
        let claim = engine.claimed()?;
        let arguments = [digits_of(claim)];
        match engine.run(&engine.scripts.ready, &arguments).await? {
            1 => {
                engine.set_claim(None);
                Ok(true)
            }
            0 => Ok(false),
            _ => Err(unavailable(Superseded)),
        }
    }
}

fn standing(reply: &[::redis::Value]) -> Result<Standing, Unreadable> {
    use ::redis::Value::{BulkString, Int};
    match reply {
        [BulkString(ready), state, BulkString(since)] if ready == b"ready" => {
            let (state, since) = (state_id(state)?, instant(since)?);
            Ok(Standing::Ready(Merge { state, since }))
        }
        [BulkString(lost), Int(until), id, BulkString(since), of] if lost == b"lost" => {
            let (state, since) = (state_id(id)?, instant(since)?);
            let of = state_id(of)?;
            Ok(Standing::Lost {
                known_until: (*until > 0).then(|| Timestamp::from_ms(*until)),
                merging: (state != StateId::default()).then_some(Merge { state, since }),
                of: (of != StateId::default()).then_some(of),
            })
        }
        other => Err(Unreadable(format!("a standing is {other:?}"))),
    }
}

/// An instant in digits; none where there are none.
fn instant(digits: &[u8]) -> Result<Option<Timestamp>, Unreadable> {
    if digits.is_empty() {
        return Ok(None);
    }
    let digits = String::from_utf8_lossy(digits);
    let ms = digits.parse();
    let ms = ms.map_err(|_| Unreadable(format!("an instant is `{digits}`")))?;
    Ok(Some(Timestamp::from_ms(ms)))
}
