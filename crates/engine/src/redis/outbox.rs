//! The journal in Redis: a stream that each allocation and each end joins in the step that makes it.

use ::redis::{Value, cmd};
use caller_id_core::{AllocatorError, JournalEvent};

use super::error::{Unreadable, unavailable};
use super::{Engine, event};

/// An entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the stream.
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
        let mut connection = self.connection.clone();
        let found: Vec<(String, Value)> = command
            .query_async(&mut connection)
            .await
            .map_err(unavailable)?;
        let entries = found.into_iter().map(|(id, fields)| entry(id, &fields));
        Ok(entries.collect::<Result<_, _>>()?)
    }
}

/// An entry has one field, `e`, and its value is the event.
fn entry(id: String, fields: &Value) -> Result<Entry, Unreadable> {
    match fields {
        Value::Array(fields) => match fields.as_slice() {
            [Value::BulkString(name), Value::BulkString(bytes)] if name == b"e" => {
                let event = event::decode(bytes)?;
                Ok(Entry { id, event })
            }
            _ => Err(Unreadable(format!(
                "entry {id} of the journal has other fields"
            ))),
        },
        _ => Err(Unreadable(format!(
            "entry {id} of the journal has no fields"
        ))),
    }
}
