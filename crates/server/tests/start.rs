//! What a service says at its start, when that fails, and while what it needs is away: read as an admin reads it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "start/accord.rs"]
mod accord;
#[path = "start/agi.rs"]
mod agi;
#[path = "start/files.rs"]
mod files;
#[path = "start/first_file.rs"]
mod first_file;
#[path = "start/gone.rs"]
mod gone;
#[path = "start/log.rs"]
mod log;
#[path = "start/not_ready.rs"]
mod not_ready;
#[path = "start/outages.rs"]
mod outages;
#[path = "start/run.rs"]
mod run;
#[path = "start/supervisor.rs"]
mod supervisor;
#[path = "start/traces.rs"]
mod traces;
#[path = "start/words.rs"]
mod words;
