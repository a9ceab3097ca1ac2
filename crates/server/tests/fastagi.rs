//! FastAGI as Asterisk sees it: a fake Asterisk over TCP, against the whole service.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "fastagi/asterisk.rs"]
mod asterisk;
#[path = "fastagi/ends.rs"]
mod ends;
#[path = "fastagi/engine.rs"]
mod engine;
#[path = "fastagi/fuzz.rs"]
mod fuzz;
#[path = "fastagi/hostile.rs"]
mod hostile;
#[path = "fastagi/listed.rs"]
mod listed;
#[path = "fastagi/numbers.rs"]
mod numbers;
#[path = "fastagi/service.rs"]
mod service;
#[path = "fastagi/statuses.rs"]
mod statuses;
