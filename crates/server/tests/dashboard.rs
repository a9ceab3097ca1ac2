//! The dashboard in a real browser: the whole service, over TCP, looked at as its users look at it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "dashboard/administration.rs"]
mod administration;
#[path = "dashboard/alive.rs"]
mod alive;
#[path = "dashboard/comfort.rs"]
mod comfort;
#[path = "dashboard/frame.rs"]
mod frame;
#[path = "dashboard/hands.rs"]
mod hands;
#[path = "dashboard/history.rs"]
mod history;
#[path = "dashboard/hostile.rs"]
mod hostile;
#[path = "dashboard/hostile_texts.rs"]
mod hostile_texts;
#[path = "dashboard/import.rs"]
mod import;
#[path = "dashboard/looks.rs"]
mod looks;
#[path = "dashboard/numbers.rs"]
mod numbers;
#[path = "dashboard/overview.rs"]
mod overview;
#[path = "dashboard/pages.rs"]
mod pages;
#[path = "dashboard/roles.rs"]
mod roles;
#[path = "dashboard/rotation.rs"]
mod rotation;
#[path = "dashboard/service.rs"]
mod service;
