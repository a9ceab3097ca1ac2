//! What both stores write into columns, and read out of them.

use std::collections::HashMap;

use caller_id_core::audit::AuditEntry;
use caller_id_core::{PhoneNumber, Status, StoreError};
use serde::Serialize;

/// The digits as a number.
pub(crate) fn number(digits: i64) -> Result<PhoneNumber, StoreError> {
    u64::try_from(digits)
        .ok()
        .and_then(PhoneNumber::from_e164_digits)
        .ok_or_else(|| StoreError::Unreadable(format!("`{digits}` is no phone number")))
}

/// A row is not what this program writes.
pub(crate) fn unreadable(what: &str, why: &str) -> StoreError {
    StoreError::Unreadable(format!("{what}: {why}"))
}

/// What is wrong where nobody knows any more what the last entry of the audit log is.
pub(crate) fn no_head() -> StoreError {
    unreadable(
        "the end of the audit log",
        "the row of audit_head is missing",
    )
}

/// The first place behind one, or the lowest there can be; `None`: there is none behind it.
pub(crate) fn behind(place: Option<i64>) -> Option<i64> {
    match place {
        None => Some(i64::MIN),
        Some(place) => place.checked_add(1),
    }
}

/// Before which place to go on behind a page of entries, of which those of many numbers were looked into down to `floor`.
pub(crate) fn going_on(found: &[AuditEntry], most: usize, floor: Option<i64>) -> Option<i64> {
    match found.last() {
        Some(last) if found.len() >= most => Some(last.place),
        _ => floor,
    }
}

/// The word of the column `status`.
pub(crate) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Paused => "paused",
        Status::Resting(_) => "resting",
        Status::Retired => "retired",
    }
}

/// A value as it is kept in a column of JSON.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|cause| StoreError::Failed(cause.into()))
}

/// Values by the text they were read from; it starts over when there are too many.
pub(crate) struct Known<T>(HashMap<Box<str>, T>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone> Known<T> {
    /// The value of a text, read when it is not known yet.
    pub(crate) fn get<E>(
        &mut self,
        text: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, E> {
        const MOST: usize = 10_000;
        if let Some(known) = self.0.get(text) {
            return Ok(known.clone());
        }
        let value = read(text)?;
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(text.into(), value.clone());
        Ok(value)
    }
}

/// The identity of a database that has none yet.
pub(crate) fn new_identity() -> i64 {
    rand::random_range(1..=i64::MAX)
}
