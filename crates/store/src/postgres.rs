//! The store in a PostgreSQL database: for many nodes, or where there is one already.
//!
//! Commits write history itself, one batch a statement; no journal stands before it. History is kept in parts of a week
//! each. See `docs/adr/0010-history-in-postgresql.md`.

mod commit;
mod error;
mod history;
mod inventory;
mod lane;
mod parts;
mod place;
mod rows;
mod schema;
mod write;

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{Clock, StoreError};

use lane::{Lane, Terms};
use parts::{Parts, Week};
use place::Place;

/// How a [`PostgresStore`] works.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Gives rows of the inventory their times.
    pub clock: Arc<dyn Clock>,
    /// Most connections at once beside the two that commit. 8 unless set.
    pub connections: usize,
    /// How long anything waits: for a connection, a lock, an answer. 5 s unless set.
    pub wait: Duration,
}

impl PostgresOptions {
    /// The defaults, with this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            connections: 8,
            wait: Duration::from_secs(5),
        }
    }
}

/// Keeper of inventory and history in the schema `caller_id` of a PostgreSQL database, version 14 or newer.
///
/// Implements [`InventoryStore`](caller_id_core::InventoryStore), [`HistoryStore`](caller_id_core::HistoryStore) and
/// [`Journal`](caller_id_core::Journal). What a commit survives is what the server's `synchronous_commit` says: the loss
/// of its power, unless somebody turned that off. A connection that is lost is made again when it is next needed.
pub struct PostgresStore {
    /// Inventory and reading.
    lane: Lane,
    /// Commits alone: nobody who reads keeps them waiting.
    commits: Arc<Lane>,
    parts: Arc<Parts>,
    clock: Arc<dyn Clock>,
}

/// A commit that meets a lost connection is made again, so it need not ask first.
const COMMIT_TRUST: Duration = Duration::from_secs(1);
/// One commits; the other makes parts ahead, or takes its place while it is given up.
const COMMIT_CONNECTIONS: usize = 2;

impl PostgresStore {
    /// Opens the database of a URL (`postgres://`, `postgresql://`, `postgresql+asyncpg://`; encrypted as its `sslmode`
    /// says), and brings it up to date. Many nodes may have it open, and start at once.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when a newer version wrote it; [`StoreError::Busy`] when it does not answer in time;
    /// others when the URL cannot be read or the server refuses. They name the server, never the password.
    pub async fn open(url: &str, options: PostgresOptions) -> Result<Arc<Self>, StoreError> {
        let place = Arc::new(Place::parse(url)?);
        schema::migrate(&place).await?;
        let terms = |most, trust| Terms {
            most,
            wait: options.wait,
            trust,
        };
        let lane = |terms| Lane::new(Arc::clone(&place), terms);
        let store = Self {
            lane: lane(terms(options.connections.max(1), Duration::ZERO)),
            commits: Arc::new(lane(terms(COMMIT_CONNECTIONS, COMMIT_TRUST))),
            parts: Arc::new(Parts::default()),
            clock: options.clock,
        };
        let week = Week::of(store.clock.now());
        let parts = Arc::clone(&store.parts);
        store
            .lane
            .run(|connection| {
                Box::pin(async move { parts.make(connection, &[week, week.next()]).await })
            })
            .await?;
        Ok(Arc::new(store))
    }

    /// Closes what is idle and refuses further work: it is answered [`StoreError::Closed`].
    pub fn close(&self) {
        self.lane.close();
        self.commits.close();
    }
}
