//! The dashboard in a real browser: the whole service, over TCP, looked at as its users look at it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "dashboard/administration.rs"]
mod administration;
#[path = "dashboard/frame.rs"]
mod frame;
#[path = "dashboard/history.rs"]
mod history;
#[path = "dashboard/overview.rs"]
mod overview;
#[path = "dashboard/service.rs"]
mod service;
