//! What tests share: conformance suites that every engine and every store must pass, the naive model that says what is
//! right, the checker of invariants over a history, and builders.

pub mod allocator_suite;
pub mod browser;
pub mod builders;
pub mod invariants;
pub mod memory_history;
pub mod model;
mod npm;
pub mod oidc;
pub mod pgbouncer;
pub mod postgres;
pub mod random_walk;
pub mod redis;
pub mod small_disk;
pub mod stock;
pub mod store_suite;
pub mod told;
