//! What the audit log says of changes of keys.

use caller_id_core::audit::AuditEvent;
use caller_id_core::roles::ApiKey;
use caller_id_core::{Author, StoreError, Timestamp};
use serde_json::{Value, json};

use crate::values::to_json;

/// That a key was made.
pub(crate) fn created(key: &ApiKey, by: Author) -> Result<AuditEvent, StoreError> {
    Ok(AuditEvent {
        author: by,
        action: "key.create".to_owned(),
        subject: key.id.to_string(),
        before: None,
        after: Some(to_json(&shown(key))?),
    })
}

/// That a key, which was `key` until then, was revoked.
pub(crate) fn revoked(key: &ApiKey, at: Timestamp, by: Author) -> Result<AuditEvent, StoreError> {
    let after = ApiKey {
        revoked_at: Some(at),
        ..key.clone()
    };
    Ok(AuditEvent {
        author: by,
        action: "key.revoke".to_owned(),
        subject: key.id.to_string(),
        before: Some(to_json(&shown(key))?),
        after: Some(to_json(&shown(&after))?),
    })
}

/// All of a key that anybody but its owner may know: no hash. When it was last used is no change.
fn shown(key: &ApiKey) -> Value {
    let instant = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "id": key.id.0,
        "name": key.name,
        "role": key.role.as_str(),
        "addresses": key.addresses,
        "campaigns": key.campaigns,
        "created_at": key.created_at.to_string(),
        "created_by": key.created_by,
        "expires_at": instant(key.expires_at),
        "revoked_at": instant(key.revoked_at),
    })
}
