//! The journal in Redis: a stream that each allocation and each end joins in the step that makes it, and that one node
//! at a time empties into the store.

use std::sync::atomic::Ordering;

use ::redis::{Value, cmd};
use async_trait::async_trait;
use caller_id_core::shared::{Lag, Taken, Unread};
use caller_id_core::{AllocatorError, JournalEvent, Outbox};

use super::error::{TooManyUnread, Unreadable, unavailable};
use super::step::Arguments;
use super::{Engine, RedisAllocator, event};

/// Another node takes over when the one that empties the outbox was not heard of for so long.
const DRAINER_MS: u32 = 5_000;

/// So many events that cannot be read are kept: more than somebody writes by hand, and a minute or so of a version that is newer.
const ASIDE_MOST: u32 = 10_000;

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
        let found = read(self.query(&command).await?)?;
        match found.unread.into_iter().next() {
            None => Ok(found.events),
            Some(unread) => {
                Err(Unreadable(format!("entry {}: {}", unread.place, unread.why)).into())
            }
        }
    }
}

#[async_trait]
impl Outbox for RedisAllocator {
    async fn take(&self, most: usize) -> Result<Option<Taken>, AllocatorError> {
        let engine = &self.engine;
        // What another version could not read, this one may: it is tried once.
        let again = !engine.read_again.load(Ordering::Relaxed);
        let arguments = [
            engine.node.as_str().into(),
            DRAINER_MS.to_string().into(),
            most.to_string().into(),
            u8::from(again).to_string().into(),
        ];
        match engine.run(&engine.scripts.outbox_take, &arguments).await? {
            Value::Int(0) => Ok(None),
            found => {
                engine.read_again.store(true, Ordering::Relaxed);
                let (run, found) = given(found)?;
                let last = found.last;
                Ok(Some(Taken {
                    upto: last.map_or_else(String::new, |last| format!("{run} {last}")),
                    events: found.events.into_iter().map(|entry| entry.event).collect(),
                    unread: found.unread,
                }))
            }
        }
    }

    async fn done(&self, taken: &Taken) -> Result<(), AllocatorError> {
        let Some((run, last)) = taken.upto.split_once(' ') else {
            return Ok(());
        };
        let engine = &self.engine;
        let most = ASIDE_MOST.to_string();
        let mut arguments: Arguments = [&engine.node, run, last, &most].map(Into::into).into();
        for unread in &taken.unread {
            let place = unread.place.as_str().into();
            arguments.extend([place, unread.field.clone(), unread.bytes.clone()]);
        }
        let done: i64 = engine.run(&engine.scripts.outbox_done, &arguments).await?;
        match taken.unread.first() {
            Some(Unread { place, why, .. }) if done < 0 => Err(unavailable(TooManyUnread {
                events: taken.unread.len(),
                place: place.clone(),
                why: why.clone(),
                most: ASIDE_MOST,
            })),
            _ => Ok(()),
        }
    }

    async fn leave(&self) -> Result<(), AllocatorError> {
        let engine = &self.engine;
        let arguments = [engine.node.as_str().into()];
        let script = &engine.scripts.outbox_leave;
        engine.run::<i64>(script, &arguments).await.map(drop)
    }

    async fn lag(&self) -> Result<Lag, AllocatorError> {
        let engine = &self.engine;
        let (events, oldest_ms, aside) = engine.run(&engine.scripts.outbox_lag, &[]).await?;
        Ok(Lag {
            events,
            oldest_ms,
            most: engine.outbox_most,
            aside,
        })
    }
}

/// The run of the server, and what it gave.
fn given(found: Value) -> Result<(String, Found), Unreadable> {
    match found {
        Value::Array(mut parts) if parts.len() == 2 => {
            let found = parts.pop().unwrap_or(Value::Nil);
            let Some(Value::BulkString(run)) = parts.pop() else {
                return Err(Unreadable("a server has no run".to_owned()));
            };
            Ok((String::from_utf8_lossy(&run).into_owned(), read(found)?))
        }
        _ => Err(Unreadable("what the journal gives is no pair".to_owned())),
    }
}

/// What stands in some entries of the stream.
#[derive(Default)]
struct Found {
    events: Vec<Entry>,
    unread: Vec<Unread>,
    /// The place of the last entry.
    last: Option<String>,
}

/// The events of all entries; each has the place of its own entry.
fn read(found: Value) -> Result<Found, Unreadable> {
    let Value::Array(entries) = found else {
        return Err(Unreadable("the journal is no list".to_owned()));
    };
    let mut found = Found::default();
    for entry in &entries {
        found.read_entry(entry)?;
    }
    Ok(found)
}

impl Found {
    /// An entry begins with the field `n`; all others are `e`, and their values events.
    fn read_entry(&mut self, found: &Value) -> Result<(), Unreadable> {
        let Value::Array(parts) = found else {
            return Err(Unreadable("an entry of the journal is no list".to_owned()));
        };
        let [Value::BulkString(id), Value::Array(fields)] = parts.as_slice() else {
            let wrong = "an entry of the journal has no fields";
            return Err(Unreadable(wrong.to_owned()));
        };
        let id = String::from_utf8_lossy(id).into_owned();
        for (place, field) in fields.chunks(2).enumerate() {
            let [Value::BulkString(name), Value::BulkString(bytes)] = field else {
                return Err(Unreadable(format!(
                    "entry {id} of the journal has no pairs"
                )));
            };
            self.read_field((place, &id), name, bytes);
        }
        self.last = Some(id);
        Ok(())
    }

    fn read_field(&mut self, (place, id): (usize, &str), name: &[u8], bytes: &[u8]) {
        let why = match (place, name) {
            (0, b"n") => return,
            (1.., b"e") => match event::decode(bytes) {
                Ok(event) => {
                    let id = id.to_owned();
                    return self.events.push(Entry { id, event });
                }
                Err(Unreadable(why)) => why,
            },
            _ => format!("it has the field `{}`", String::from_utf8_lossy(name)),
        };
        self.unread.push(Unread {
            place: id.to_owned(),
            field: name.to_owned(),
            bytes: bytes.to_owned(),
            why,
        });
    }
}
