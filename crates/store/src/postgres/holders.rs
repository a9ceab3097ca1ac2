//! Who uses the database now: those that hold the lock of owners, by the names of their sessions.

use std::fmt;

use caller_id_core::Timestamp;
use sqlx_core::query_as::query_as;
use sqlx_postgres::{PgConnection, Postgres};

use super::error::Fault;
use super::locks;

/// What stands before the node's name in the name of its session.
pub(super) const SOLE: &str = "caller-id alone: ";
pub(super) const SHARED: &str = "caller-id node: ";

/// By their names: whoever loses its connection gets another process id, and the same nodes are to be told in the same words.
///
/// A role may not see when the session of another role began: then it counts from the server's start, so that the same
/// holder is always told in the same words.
const HOLDERS: &str = "SELECT l.pid, l.mode = 'ExclusiveLock', coalesce(a.application_name, ''),
        (extract(epoch FROM coalesce(a.backend_start, pg_postmaster_start_time())) * 1000000)::bigint
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.classid = (($1::bigint >> 32) & 4294967295)::oid AND l.objid = ($1::bigint & 4294967295)::oid
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY coalesce(a.application_name, '') COLLATE \"C\", l.pid";

/// A session of the server, told from a later one with the same process id by when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) pid: i32,
    /// Microseconds since 1970.
    pub(super) began_us: i64,
}

/// A node that uses the database now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// What the node calls itself.
    pub node: String,
    /// Whether its engine is in memory, so that no other may run.
    pub alone: bool,
    /// When its session began: when it was opened, or its connection was last lost. Where we
    /// may not see it: when the server was started.
    pub since: Timestamp,
    pub(super) session: Session,
}

impl Holder {
    /// One as somebody saw it who cannot end its session: for tests.
    pub fn seen(node: String, alone: bool, since: Timestamp) -> Self {
        let session = Session {
            pid: 0,
            began_us: since.as_ms().saturating_mul(1_000),
        };
        Self {
            node,
            alone,
            since,
            session,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.node)
    }
}

/// Everybody who holds the lock of owners.
pub(super) async fn holders(connection: &mut PgConnection) -> Result<Vec<Holder>, Fault> {
    holders_of(connection, locks::OWNER).await
}

/// Everybody who holds the advisory lock with that key.
pub(super) async fn holders_of(
    connection: &mut PgConnection,
    key: i64,
) -> Result<Vec<Holder>, Fault> {
    let rows: Vec<(i32, bool, String, i64)> = query_as::<Postgres, _>(HOLDERS)
        .bind(key)
        .fetch_all(connection)
        .await?;
    let holder = |(pid, alone, name, began_us): (i32, bool, String, i64)| {
        let node = name.strip_prefix(SOLE).or(name.strip_prefix(SHARED));
        Holder {
            node: node.unwrap_or(&name).to_owned(),
            alone,
            since: Timestamp::from_ms(began_us / 1_000),
            session: Session { pid, began_us },
        }
    };
    Ok(rows.into_iter().map(holder).collect())
}

/// Why a node (`sole`: its engine is in memory) may not use the database beside those who do.
pub(super) fn reason(place: &impl fmt::Display, holders: &[Holder], sole: bool) -> String {
    if let Some(holder) = holders.iter().find(|holder| holder.alone) {
        let (what, advice) = match sole {
            true => (
                "a second one",
                "Set REDIS_URL on both to run several nodes, or STANDBY=true on this one to wait and take over",
            ),
            false => (
                "this one, whose engine is in Redis,",
                "Stop that node, or start it again with the same REDIS_URL as this one; with STANDBY=true this one waits \
                 until it has ended",
            ),
        };
        return format!(
            "{place} is in use by the node {holder}, whose engine is in memory (since {}): {what} would give the same \
             numbers out twice. {advice}",
            holder.since
        );
    }
    let nodes: Vec<_> = holders.iter().map(Holder::to_string).collect();
    match nodes.as_slice() {
        [] => format!("{place} is in use by another node, which was just leaving: try again"),
        nodes => format!(
            "{place} is in use by nodes whose engine is in Redis ({}): an engine in memory beside them would give the \
             same numbers out twice. Set REDIS_URL to join them (and REDIS_TENANT, as they have it), or stop them all first",
            nodes.join(", ")
        ),
    }
}
