//! Keys, the audit log and settings.
