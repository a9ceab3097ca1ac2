//! The store in a PostgreSQL database: for many nodes, or where there is one already.
//!
//! Commits write history itself, one batch a statement; no journal stands before it. History is kept in parts of a week
//! each. See `docs/adr/0010-history-in-postgresql.md`.

mod ahead;
mod audit;
mod catalog;
mod changes;
mod commit;
mod error;
mod find;
mod history;
mod holders;
mod inspect;
mod inventory;
mod keeper;
mod keys;
mod lane;
mod list;
mod locks;
mod moment;
mod numbers;
mod open;
mod owner;
mod page;
mod parts;
mod past;
mod place;
mod pooled;
mod present;
mod record;
mod reference;
mod restoring;
mod rows;
mod schema;
mod sessions;
mod stats;
mod sums;
mod takeover;
mod things;
mod trouble;
mod words;
mod write;

use std::sync::Arc;
use std::time::Duration;

use ahead::Ahead;
use caller_id_core::Clock;
use caller_id_core::meter::Calls;

pub use holders::Holder;
pub use inspect::{Latency, PostgresInspection, PostgresRights, inspect_postgres};
use lane::Lane;
pub use owner::Ownership;
use parts::Parts;
pub use record::RecordedState;
pub use reference::{ReferenceDatabase, ReferenceLimit, ReferenceNumber, ReferenceReservation};

/// Where a URL says that the database is, `host:port/database`: for people, without user and password.
///
/// # Errors
/// [`StoreError::Failed`](caller_id_core::StoreError::Failed) when the URL cannot be read.
pub fn postgres_place(url: &str) -> Result<String, caller_id_core::StoreError> {
    place::Place::parse(url).map(|place| place.to_string())
}

/// Most connections of one store at once, unless [`PostgresOptions::connections`] says otherwise.
pub const POSTGRES_CONNECTIONS: usize = 11;
/// Two commit, one holds the lock, one does all the rest.
pub const POSTGRES_CONNECTIONS_LEAST: usize = 4;

/// How a [`PostgresStore`] works.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Gives rows of the inventory their times.
    pub clock: Arc<dyn Clock>,
    /// Most connections at once, those included that commit and that hold the lock. [`POSTGRES_CONNECTIONS`] unless set;
    /// fewer than [`POSTGRES_CONNECTIONS_LEAST`] are as many.
    pub connections: usize,
    /// How long anything waits: for a connection, a lock, an answer. 5 s unless set.
    pub wait: Duration,
    /// Who else may use the database. Other nodes of a cluster unless set.
    pub ownership: Ownership,
    /// Whether to wait without end for a database that a node has to itself, to take over then. Where nodes of a cluster
    /// have it, one that is [`Ownership::Sole`] is refused all the same. Not unless set.
    pub standby: bool,
    /// How long nodes that share another state, and had the database last, are waited for: they may have lost no more than
    /// their sessions. 10 s unless set: what a node needs that finds its connections dead.
    pub come_back: Duration,
}

impl PostgresOptions {
    /// The defaults, with this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            connections: POSTGRES_CONNECTIONS,
            wait: Duration::from_secs(5),
            ownership: Ownership::default(),
            standby: false,
            come_back: Duration::from_secs(10),
        }
    }
}

/// Keeper of inventory and history in the schema `caller_id` of a PostgreSQL database, version 14 or newer.
///
/// Implements [`InventoryStore`](caller_id_core::InventoryStore), [`HistoryStore`](caller_id_core::HistoryStore),
/// [`HistoryReader`](caller_id_core::HistoryReader), [`AuditLog`](caller_id_core::AuditLog), [`KeyStore`](caller_id_core::KeyStore) and
/// [`Journal`](caller_id_core::Journal). What a commit survives is left to the server, to its `synchronous_commit`: the
/// loss of its power, unless somebody turned that off; `DURABILITY` says nothing here. A connection that is lost is made again when it is next needed.
///
/// With [`Ownership::Sole`] the session that commits is the one that holds the lock on the database: a commit that
/// succeeds proves that no other node works. Once one took over while that session was lost, every commit and probe
/// fails with [`StoreError::Owned`](caller_id_core::StoreError::Owned), for good. The lock belongs to a session, so the
/// URL must not lead through a proxy that lends sessions for one transaction at a time.
pub struct PostgresStore {
    /// Inventory and reading.
    lane: Arc<Lane>,
    /// Commits alone: nobody who reads keeps them waiting.
    commits: Arc<Lane>,
    /// The session that holds the lock on the database; the one that commits where there is only this node. None beside
    /// a service.
    owner: Option<Arc<Lane>>,
    parts: Arc<Parts>,
    ahead: Arc<Ahead>,
    trouble: trouble::Trouble,
    catalog: catalog::Shared,
    clock: Arc<dyn Clock>,
}

impl PostgresStore {
    /// The version of the tables that this program works with.
    pub const SCHEMA: usize = schema::KNOWN;

    /// What the server was asked: each piece of work on a connection with how long it took, the wait for the connection included.
    pub fn calls(&self) -> Arc<Calls> {
        self.lane.calls()
    }

    /// Closes what is idle and refuses further work: it is answered
    /// [`StoreError::Closed`](caller_id_core::StoreError::Closed). Another node may take over.
    pub fn close(&self) {
        self.lane.close();
        self.commits.close();
        if let Some(owner) = &self.owner {
            owner.close();
        }
    }
}
