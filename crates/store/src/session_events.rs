//! What the audit log says of sessions.

use caller_id_core::audit::AuditEvent;
use caller_id_core::roles::{Session, SignedInBy};
use caller_id_core::{Author, StoreError};
use serde_json::{Value, json};

use crate::values::to_json;

/// That somebody signed in.
pub(crate) fn begun(session: &Session, by: Author) -> Result<AuditEvent, StoreError> {
    Ok(AuditEvent {
        author: by,
        action: "session.begin".to_owned(),
        subject: session.name.clone(),
        before: None,
        after: Some(to_json(&shown(session))?),
    })
}

/// That somebody signed out.
pub(crate) fn ended(session: &Session, by: Author) -> Result<AuditEvent, StoreError> {
    Ok(AuditEvent {
        author: by,
        action: "session.end".to_owned(),
        subject: session.name.clone(),
        before: Some(to_json(&shown(session))?),
        after: None,
    })
}

/// All of a session that anybody may know: no hash, no proof.
fn shown(session: &Session) -> Value {
    let by = match &session.by {
        SignedInBy::Provider => "provider".to_owned(),
        SignedInBy::Key(id) => format!("key:{id}"),
        SignedInBy::Token(_) => "token".to_owned(),
    };
    json!({
        "name": session.name,
        "role": session.role.as_str(),
        "signed_in_by": by,
        "created_at": session.created_at.to_string(),
        "expires_at": session.expires_at.to_string(),
    })
}
