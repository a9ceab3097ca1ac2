//! Stores: keepers of inventory, policy and history.
//!
//! [`SqliteStore`] needs nothing installed: two files on a local disk. [`PostgresStore`] is for many nodes. Both implement
//! core's ports ([`InventoryStore`](caller_id_core::InventoryStore), [`HistoryStore`](caller_id_core::HistoryStore),
//! [`Journal`](caller_id_core::Journal), [`HistoryReader`](caller_id_core::HistoryReader), [`AuditLog`](caller_id_core::AuditLog), [`KeyStore`](caller_id_core::KeyStore)); no type of its driver shows in a public signature.

mod background;
mod catalog;
mod counts;
mod entries;
mod expectations;
mod key_events;
mod lists;
mod look;
mod postgres;
mod present;
mod session_events;
mod sqlite;
mod sums;
mod values;

pub use background::{step_aside, step_back};
pub use postgres::{
    Holder, Latency, Ownership, POSTGRES_CONNECTIONS, POSTGRES_CONNECTIONS_LEAST,
    PostgresInspection, PostgresOptions, PostgresRights, PostgresStore, RecordedState,
    ReferenceDatabase, ReferenceLimit, ReferenceNumber, ReferenceReservation, inspect_postgres,
    postgres_place,
};
pub use sqlite::{
    Durability, SqliteFile, SqliteInspection, SqliteOptions, SqliteStore, inspect_sqlite,
};
