//! The journal in Redis: a stream that each allocation and each end joins in the step that makes it, and that one node
//! at a time empties into the store.

use ::redis::{Value, cmd};
use async_trait::async_trait;
use caller_id_core::shared::{Lag, Taken};
use caller_id_core::{AllocatorError, JournalEvent, Outbox};

use super::error::Unreadable;
use super::{Engine, RedisAllocator, event};

/// Another node takes over when the one that empties the outbox was not heard of for so long.
const DRAINER_MS: u32 = 5_000;

/// An event of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The place in the stream of what was done together with it.
    pub id: String,
    /// What happened.
    pub event: JournalEvent,
}

impl Engine {
    /// Entries after `after`, oldest first.
    pub(super) async fn journal(
        &self,
        after: &str,
        most: usize,
    ) -> Result<Vec<Entry>, AllocatorError> {
        let mut command = cmd("XRANGE");
        command.arg(self.keys.journal()).arg(format!("({after}"));
        command.arg("+").arg("COUNT").arg(most);
        Ok(entries(self.query(&command).await?)?)
    }
}

#[async_trait]
impl Outbox for RedisAllocator {
    async fn take(&self, most: usize) -> Result<Option<Taken>, AllocatorError> {
        let engine = &self.engine;
        let arguments = [
            engine.node.as_str().into(),
            DRAINER_MS.to_string().into(),
            most.to_string().into(),
        ];
        match engine.run(&engine.scripts.outbox_take, &arguments).await? {
            Value::Int(0) => Ok(None),
            found => {
                let (run, entries) = given(found)?;
                let last = entries.last();
                Ok(Some(Taken {
                    upto: last.map_or_else(String::new, |last| format!("{run} {}", last.id)),
                    events: entries.into_iter().map(|entry| entry.event).collect(),
                }))
            }
        }
    }

    async fn done(&self, taken: &Taken) -> Result<(), AllocatorError> {
        let Some((run, last)) = taken.upto.split_once(' ') else {
            return Ok(());
        };
        let engine = &self.engine;
        let arguments = [engine.node.as_str(), run, last].map(Into::into);
        engine
            .run::<i64>(&engine.scripts.outbox_done, &arguments)
            .await?;
        Ok(())
    }

    async fn leave(&self) -> Result<(), AllocatorError> {
        let engine = &self.engine;
        let arguments = [engine.node.as_str().into()];
        let script = &engine.scripts.outbox_leave;
        engine.run::<i64>(script, &arguments).await.map(drop)
    }

    async fn lag(&self) -> Result<Lag, AllocatorError> {
        let engine = &self.engine;
        let (events, oldest_ms) = engine.run(&engine.scripts.outbox_lag, &[]).await?;
        Ok(Lag {
            events,
            oldest_ms,
            most: engine.outbox_most,
        })
    }
}

/// The run of the server, and what it gave.
fn given(found: Value) -> Result<(String, Vec<Entry>), Unreadable> {
    match found {
        Value::Array(mut parts) if parts.len() == 2 => {
            let found = parts.pop().unwrap_or(Value::Nil);
            let Some(Value::BulkString(run)) = parts.pop() else {
                return Err(Unreadable("a server has no run".to_owned()));
            };
            Ok((String::from_utf8_lossy(&run).into_owned(), entries(found)?))
        }
        _ => Err(Unreadable("what the journal gives is no pair".to_owned())),
    }
}

/// The events of all entries; each has the place of its own entry.
fn entries(found: Value) -> Result<Vec<Entry>, Unreadable> {
    let Value::Array(found) = found else {
        return Err(Unreadable("the journal is no list".to_owned()));
    };
    let mut events = Vec::with_capacity(found.len());
    for found in &found {
        read_entry(found, &mut events)?;
    }
    Ok(events)
}

/// An entry begins with the field `n`; all others are `e`, and their values events.
fn read_entry(found: &Value, events: &mut Vec<Entry>) -> Result<(), Unreadable> {
    let Value::Array(parts) = found else {
        return Err(Unreadable("an entry of the journal is no list".to_owned()));
    };
    let [Value::BulkString(id), Value::Array(fields)] = parts.as_slice() else {
        return Err(Unreadable(
            "an entry of the journal has no fields".to_owned(),
        ));
    };
    let id = String::from_utf8_lossy(id).into_owned();
    for field in fields.chunks(2).skip(1) {
        match field {
            [Value::BulkString(name), Value::BulkString(bytes)] if name == b"e" => {
                let event = event::decode(bytes)?;
                let id = id.clone();
                events.push(Entry { id, event });
            }
            _ => {
                let wrong = format!("entry {id} of the journal has other fields");
                return Err(Unreadable(wrong));
            }
        }
    }
    Ok(())
}
