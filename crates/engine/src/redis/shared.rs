//! A state that may be lost without us: noticed by every script, rebuilt once, by whoever comes first.
//!
//! See `docs/adr/0011-a-shared-state-that-may-be-lost.md`.

use async_trait::async_trait;
use caller_id_core::store::PastAllocation;
use caller_id_core::{
    AgentLimit, AllocatorError, JournalEvent, SharedAllocator, Standing, Timestamp,
};

use super::error::Unreadable;
use super::inventory::unexpected;
use super::reply::Reply;
use super::step::Arguments;
use super::{CHANGES_AT_ONCE, Engine, RedisAllocator, event};

/// Who rebuilds and is not heard of for so long is replaced.
const CLAIM_MS: u32 = 5_000;
/// For so long an event is known to be counted: nodes that were away for longer bring nothing that still counts in an hour.
const REPLAYED_MS: u32 = 3_600_000;
const MERGING: &str = "merging";

/// Whether replayed events join the journal, for the store.
#[derive(Clone, Copy)]
enum Journaled {
    Yes,
    No,
}

impl Engine {
    async fn claim(&self, phase: &str) -> Result<bool, AllocatorError> {
        let arguments = [
            self.node.as_str().into(),
            CLAIM_MS.to_string().into(),
            phase.into(),
        ];
        let taken: i64 = self.run(&self.scripts.rebuild, &arguments).await?;
        Ok(taken == 1)
    }

    async fn replay(
        &self,
        events: &[[Vec<u8>; 2]],
        journaled: Journaled,
        limit: AgentLimit,
    ) -> Result<(), AllocatorError> {
        let journaled = if matches!(journaled, Journaled::Yes) {
            "1"
        } else {
            "0"
        };
        for some in events.chunks(CHANGES_AT_ONCE) {
            let mut arguments: Arguments = vec![
                journaled.into(),
                limit.interval_us().unwrap_or(0).to_string().into(),
                REPLAYED_MS.to_string().into(),
            ];
            arguments.extend(some.iter().flatten().cloned());
            match self.run_with_days(&self.scripts.replay, &arguments).await? {
                Reply::Done => {}
                other => return Err(unexpected(&other).into()),
            }
        }
        Ok(())
    }
}

fn ended(at: Option<Timestamp>) -> Vec<u8> {
    at.map_or(0, |at| at.as_ms().max(0)).to_string().into()
}

#[async_trait]
impl SharedAllocator for RedisAllocator {
    async fn standing(&self) -> Result<Standing, AllocatorError> {
        let engine = &self.engine;
        let reply: Vec<::redis::Value> = engine.run(&engine.scripts.standing, &[]).await?;
        Ok(standing(&reply)?)
    }

    async fn loss_met(&self) {
        self.engine.loss_met.notified().await;
    }

    async fn claim_rebuild(&self) -> Result<bool, AllocatorError> {
        self.engine.claim("").await
    }

    async fn begin_merging(&self) -> Result<(), AllocatorError> {
        self.engine.claim(MERGING).await.map(drop)
    }

    async fn replay(
        &self,
        past: Vec<PastAllocation>,
        agent_limit: AgentLimit,
    ) -> Result<(), AllocatorError> {
        let events: Vec<_> = past
            .iter()
            .map(|past| {
                let end = past.ended.map(|end| end.at);
                [event::allocated(&past.record), ended(end)]
            })
            .collect();
        self.engine
            .replay(&events, Journaled::No, agent_limit)
            .await
    }

    async fn hand_in(
        &self,
        known_until: Option<Timestamp>,
        agent_limit: AgentLimit,
    ) -> Result<usize, AllocatorError> {
        let events = self.engine.acknowledged.since(known_until);
        let events: Vec<_> = events
            .iter()
            .map(|event| match event {
                JournalEvent::Allocated(record) => [event::allocated(record), ended(None)],
                JournalEvent::Ended(end) => [event::ended(end), ended(None)],
            })
            .collect();
        self.engine
            .replay(&events, Journaled::Yes, agent_limit)
            .await?;
        Ok(events.len())
    }

    async fn declare_ready(&self) -> Result<(), AllocatorError> {
        let engine = &self.engine;
        engine.run::<i64>(&engine.scripts.ready, &[]).await?;
        Ok(())
    }
}

fn standing(reply: &[::redis::Value]) -> Result<Standing, Unreadable> {
    use ::redis::Value::{BulkString, Int};
    match reply {
        [BulkString(ready)] if ready == b"ready" => Ok(Standing::Ready),
        [BulkString(lost), Int(until), BulkString(phase)] if lost == b"lost" => {
            Ok(Standing::Lost {
                known_until: (*until > 0).then(|| Timestamp::from_ms(*until)),
                merging: phase == MERGING.as_bytes(),
            })
        }
        other => Err(Unreadable(format!("a standing is {other:?}"))),
    }
}
