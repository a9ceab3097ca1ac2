//! The commands for administration, as their users see them: the built binary against a service that listens.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "commands/closed.rs"]
mod closed;
#[path = "commands/encrypted.rs"]
mod encrypted;
#[path = "commands/every.rs"]
mod every;
#[path = "commands/failures.rs"]
mod failures;
#[path = "commands/files.rs"]
mod files;
#[path = "commands/keys.rs"]
mod keys;
#[path = "commands/lists.rs"]
mod lists;
#[path = "commands/named.rs"]
mod named;
#[path = "commands/rig.rs"]
mod rig;
#[path = "commands/seen.rs"]
mod seen;
#[path = "commands/shells.rs"]
mod shells;
#[path = "commands/stub.rs"]
mod stub;
